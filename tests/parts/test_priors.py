"""Priors: densities against SciPy, closed forms and samples against each other by Monte Carlo."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from latentia.errors import ConfigError
from latentia.maths.distributions import Delta, DiagonalNormal
from latentia.parts.priors import (
    ConditionalMixturePrior,
    ConditionalNormalPrior,
    GaussianMixturePrior,
    Prior,
    StandardNormalPrior,
    draw_components,
)

SHAPES = [(1,), (3,), (2, 2, 1)]


def mixture(shape: tuple[int, ...] = (2,), components: int = 3) -> GaussianMixturePrior:
    """A mixture far from its starting point, in float64."""
    generator = torch.Generator().manual_seed(3)
    prior = GaussianMixturePrior(shape, components).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return prior


def posterior_of(shape: tuple[int, ...], n: int = 4) -> DiagonalNormal:
    generator = torch.Generator().manual_seed(5)
    loc, logvar = torch.randn(2, n, *shape, generator=generator, dtype=torch.float64)
    return DiagonalNormal(loc, logvar)


# --- densities --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_standard_normal_density_is_scipys(shape: tuple[int, ...]) -> None:
    z = torch.randn(6, *shape, dtype=torch.float64)
    expected = stats.norm.logpdf(z.numpy()).reshape(6, -1).sum(1)
    log_p = StandardNormalPrior(shape).double()().log_prob(z)
    assert log_p.shape == (6,)
    np.testing.assert_allclose(log_p.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("components", [1, 4])
def test_mixture_density_is_scipys(shape: tuple[int, ...], components: int) -> None:
    prior = mixture(shape, components)
    z = torch.randn(6, *shape, dtype=torch.float64)
    weights = np.exp(prior.logits.detach().numpy())
    weights /= weights.sum()
    of_each = [
        stats.norm.logpdf(z.numpy(), loc, np.exp(logvar / 2)).reshape(6, -1).sum(1)
        for loc, logvar in zip(prior.loc.detach().numpy(), prior.logvar.detach().numpy(), strict=True)
    ]
    log_p = prior().log_prob(z)
    assert log_p.shape == (6,)
    np.testing.assert_allclose(log_p.detach().numpy(), np.log(weights @ np.exp(of_each)), rtol=1e-10)


def test_mixture_density_is_scikit_learns() -> None:
    prior = mixture()
    other = SklearnMixture(3, covariance_type="diag")
    other.weights_ = prior.logits.detach().softmax(0).numpy()
    other.means_ = prior.loc.detach().numpy()
    other.covariances_ = prior.logvar.detach().exp().numpy()
    other.precisions_cholesky_ = 1 / np.sqrt(other.covariances_)
    z = torch.randn(20, 2, dtype=torch.float64)
    np.testing.assert_allclose(prior().log_prob(z).detach().numpy(), other.score_samples(z.numpy()), rtol=1e-10)


def test_a_prior_tells_the_density_of_latents_itself() -> None:
    z, y = torch.randn(5, 2, dtype=torch.float64), torch.tensor([0, 2, 1, 1, 0])
    assert torch.equal(mixture().log_prob(z), mixture()().log_prob(z))
    assert torch.equal(by_class().log_prob(z, y), by_class()(y).log_prob(z))


# --- rates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_closed_form_rate_is_the_monte_carlo_one(shape: tuple[int, ...]) -> None:
    prior, q, draws = StandardNormalPrior(shape).double(), posterior_of(shape), 40_000
    rate = prior.kl(q)
    assert rate is not None and rate.shape == q.loc.shape and (rate >= 0).all()
    noise = torch.randn(draws, *q.loc.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = (q.loc + (q.logvar / 2).exp() * noise).numpy()
    log_ratio = stats.norm.logpdf(z, q.loc.numpy(), np.exp(q.logvar.numpy() / 2)) - stats.norm.logpdf(z)
    error = log_ratio.std(0) / math.sqrt(draws)
    assert (np.abs(log_ratio.mean(0) - rate.numpy()) < 5 * error).all()


def test_rates_without_closed_form_are_none() -> None:
    assert mixture().kl(posterior_of((2,))) is None
    assert StandardNormalPrior((2,)).kl(Delta(torch.zeros(4, 2))) is None


# --- samples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: StandardNormalPrior((2,)).double(), mixture])
def test_samples_follow_the_density(make) -> None:
    """E f(z) over samples equals the integral of f p on a grid, for several f, and p integrates to one."""
    prior: Prior = make()
    z = prior.sample(60_000, torch.Generator().manual_seed(0)).numpy()
    axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    density = prior().log_prob(grid).exp().detach().numpy() * (axis[1] - axis[0]).item() ** 2
    assert density.sum() == pytest.approx(1, abs=1e-6)
    for f in (
        lambda u: u[:, 0],
        lambda u: u[:, 1] ** 2,
        lambda u: u[:, 0] * u[:, 1],
        lambda u: np.sin(3 * u[:, 0]),
        lambda u: (u[:, 1] > 0.3) * 1.0,
    ):
        values = f(z)
        tolerance = 5 * values.std() / math.sqrt(len(values)) + 2e-2 * (values.max() == 1.0)  # a step on a grid
        assert abs(values.mean() - (f(grid.numpy()) * density).sum()) < tolerance


def test_temperature_scales_the_deviation() -> None:
    prior = StandardNormalPrior((3,))
    hot = prior.sample(9, torch.Generator().manual_seed(0), temperature=2.0)
    torch.testing.assert_close(hot, 2 * prior.sample(9, torch.Generator().manual_seed(0)))
    assert torch.equal(prior.sample(9, temperature=0.0), torch.zeros(9, 3))


def test_without_temperature_a_mixture_gives_its_means() -> None:
    prior = mixture()
    z = prior.sample(30_000, torch.Generator().manual_seed(0), temperature=0.0)
    chosen = (z[:, None] == prior.loc.detach()).all(-1)
    assert (chosen.sum(1) == 1).all()
    weights = prior.logits.detach().softmax(0)
    error = (weights * (1 - weights) / 30_000).sqrt()
    assert ((chosen.double().mean(0) - weights).abs() < 5 * error).all()


@pytest.mark.parametrize("make", [lambda: StandardNormalPrior((2, 2)), lambda: mixture((2, 2))])
def test_samples_repeat_with_their_generator(make) -> None:
    prior: Prior = make()
    state = torch.get_rng_state()
    first = prior.sample(5, torch.Generator().manual_seed(7))
    assert torch.equal(first, prior.sample(5, torch.Generator().manual_seed(7)))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == (5, 2, 2) and not first.requires_grad
    assert prior.sample(0).shape == (0, 2, 2)


# --- a normal for each class ------------------------------------------------------------------------------------------


def by_class(shape: tuple[int, ...] = (2,), classes: int = 3) -> ConditionalNormalPrior:
    """A conditional prior far from its starting point, in float64."""
    generator = torch.Generator().manual_seed(4)
    prior = ConditionalNormalPrior(shape, classes).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return prior


@pytest.mark.parametrize("shape", SHAPES)
def test_conditional_density_and_rate_are_those_of_torch(shape: tuple[int, ...]) -> None:
    prior, q, y = by_class(shape), posterior_of(shape), torch.tensor([2, 0, 1, 2])
    for row, label in enumerate(y):
        alone = Normal(prior.loc[label], (prior.logvar[label] / 2).exp())
        expected = kl_divergence(Normal(q.loc[row], (q.logvar[row] / 2).exp()), alone)
        rate = prior.kl(q, y)
        assert rate is not None
        torch.testing.assert_close(rate[row], expected)
        torch.testing.assert_close(prior(y).log_prob(q.loc)[row], alone.log_prob(q.loc[row]).sum())
    assert prior.kl(Delta(q.loc), y) is None


def test_conditional_samples_have_the_moments_of_their_class() -> None:
    prior, n = by_class(), 50_000
    y = torch.tensor([1, 2]).repeat_interleave(n)
    z = prior.sample(2 * n, torch.Generator().manual_seed(0), temperature=0.5, y=y)
    assert not z.requires_grad
    for part, label in zip(z.split(n), (1, 2), strict=True):
        scale = 0.5 * (prior.logvar[label] / 2).exp()
        assert ((part.mean(0) - prior.loc[label]).abs() < 5 * scale / math.sqrt(n)).all()
        torch.testing.assert_close(part.std(0), scale.detach(), rtol=0.02, atol=0.0)
    assert torch.equal(prior.sample(3, temperature=0.0, y=y[:3]), prior.loc[1].detach().expand(3, 2))


def test_a_conditional_prior_starts_as_the_standard_normal_and_needs_labels() -> None:
    prior, q, y = ConditionalNormalPrior((2,), 3).double(), posterior_of((2,)), torch.tensor([0, 1, 2, 0])
    torch.testing.assert_close(prior.kl(q, y), StandardNormalPrior((2,)).kl(q))
    for call in (lambda: prior(), lambda: prior.kl(q), lambda: prior.sample(2)):
        with pytest.raises(ConfigError, match="this prior depends on labels: give y"):
            call()
    with pytest.raises(ConfigError, match="classes must be at least 1"):
        ConditionalNormalPrior((2,), 0)


# --- a mixture for each class -----------------------------------------------------------------------------------------


def mixture_by_class(shape: tuple[int, ...] = (2,)) -> ConditionalMixturePrior:
    """A conditional mixture far from its starting point, in float64."""
    generator = torch.Generator().manual_seed(6)
    prior = ConditionalMixturePrior(shape, classes=3, components=4).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return prior


def of_class(prior: ConditionalMixturePrior, label: int) -> MixtureSameFamily:
    normals = Normal(prior.loc[label], (prior.logvar[label] / 2).exp())
    return MixtureSameFamily(Categorical(logits=prior.logits[label]), Independent(normals, prior.loc.dim() - 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_conditional_mixtures_are_those_of_torch(shape: tuple[int, ...]) -> None:
    prior, y = mixture_by_class(shape), torch.tensor([2, 0, 1, 2, 2])
    z = torch.randn(5, *shape, dtype=torch.float64)
    p = prior(y)
    assert (p.batch_shape, p.event_shape) == ((5,), shape)
    for row, label in enumerate(y.tolist()):
        expected = of_class(prior, label)
        torch.testing.assert_close(p.log_prob(z)[row], expected.log_prob(z[row]))
        torch.testing.assert_close(p.mean[row], expected.mean)
        torch.testing.assert_close(p.variance[row], expected.variance)
    assert prior.kl(posterior_of(shape), torch.tensor([0, 1, 2, 0])) is None


@pytest.mark.parametrize("how", ["prior", "distribution"])
def test_conditional_mixtures_draw_from_their_class(how: str) -> None:
    prior, n = mixture_by_class(), 40_000
    if how == "prior":
        y = torch.tensor([1, 2]).repeat_interleave(n)
        parts = prior.sample(2 * n, torch.Generator().manual_seed(0), y=y).split(n)
    else:
        drawn = prior(torch.tensor([1, 2])).sample((n,), torch.Generator().manual_seed(0))
        assert drawn.shape == (n, 2, 2)
        parts = drawn.unbind(1)
    for part, label in zip(parts, (1, 2), strict=True):
        expected = of_class(prior, label)
        error = (expected.variance / n).sqrt()
        assert ((part.mean(0) - expected.mean).abs() < 5 * error).all()
        torch.testing.assert_close(part.var(0), expected.variance.detach(), rtol=0.05, atol=0.0)
        corner = (part > expected.mean).all(1).double().mean()  # sees how dimensions go together
        other = (expected.sample((n,)) > expected.mean).all(1).double().mean()
        assert abs(corner - other) < 5 * math.sqrt(0.5 / n)


def test_conditional_mixtures_without_temperature_give_means_and_need_labels() -> None:
    prior, y = mixture_by_class(), torch.tensor([1, 0, 1])
    z = prior.sample(3, torch.Generator().manual_seed(0), temperature=0.0, y=y)
    assert all((z[row] == prior.loc[label]).all(1).any() for row, label in enumerate(y))
    assert prior.sample(0, y=y[:0]).shape == (0, 2)
    for call in (lambda: prior(), lambda: prior.sample(2)):
        with pytest.raises(ConfigError, match="this prior depends on labels: give y"):
            call()
    with pytest.raises(ConfigError, match="classes and components must be at least 1, not 3 and 0"):
        ConditionalMixturePrior((2,), 3, 0)


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_components_are_drawn_by_their_weights() -> None:
    n, weights = 40_000, torch.tensor([0.1, 0.0, 0.6, 0.3], dtype=torch.float64)
    error = (weights * (1 - weights) / n).sqrt()
    for logits in (weights.log(), weights.log().expand(n, -1)):
        chosen = draw_components(logits, n, torch.Generator().manual_seed(0))
        assert chosen.shape == (n,) and chosen.dtype == torch.int64
        assert ((torch.bincount(chosen, minlength=4) / n - weights).abs() <= 5 * error).all()
    rows = torch.full((3, 4), -torch.inf)
    rows[[0, 1, 2], [3, 0, 2]] = 0.0
    assert draw_components(rows, 3, None).tolist() == [3, 0, 2]
    assert draw_components(weights.log(), 0, None).shape == (0,)


# --- modules ----------------------------------------------------------------------------------------------------------


def test_a_standard_normal_has_nothing_to_save() -> None:
    assert dict(StandardNormalPrior((3,)).state_dict()) == {}


def test_dtype_follows_the_module() -> None:
    assert StandardNormalPrior((3,)).sample(2).dtype == torch.float32
    assert StandardNormalPrior((3,)).double().sample(2).dtype == torch.float64
    assert StandardNormalPrior((3,)).double()().log_prob(torch.zeros(2, 3).double()).dtype == torch.float64
    assert mixture().sample(2).dtype == torch.float64


def test_gradients_reach_every_parameter_and_inputs_stay() -> None:
    prior = GaussianMixturePrior((3,), 4)
    z = torch.randn(9, 3)
    before = z.clone()
    prior().log_prob(z).sum().backward()
    assert torch.equal(z, before)
    for name, parameter in prior.named_parameters():
        assert parameter.grad is not None and (parameter.grad != 0).any(), name


def test_a_mixture_starts_near_a_standard_normal() -> None:
    torch.manual_seed(0)
    z = GaussianMixturePrior((1,), 500).sample(50_000).numpy()
    assert abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1


def test_a_mixture_needs_components() -> None:
    with pytest.raises(ConfigError, match="components"):
        GaussianMixturePrior((2,), 0)
