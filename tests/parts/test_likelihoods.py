"""Likelihoods: formulas against SciPy and brute force, what is refused, and what the numbers are."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from latentia.data.dataset import DataSpec
from latentia.errors import ConfigError
from latentia.parts.likelihoods import (
    LOGISTIC_BOUNDS,
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    DiscretizedLogistic,
    DiscretizedLogisticMixture,
    Gaussian,
    Laplace,
    Likelihood,
    softly_bounded,
)

LIKELIHOODS: dict[str, Callable[[], Likelihood]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "gaussian-sigmoid": lambda: Gaussian(scale=0.5, loc_activation="sigmoid"),
    "gaussian-learned": lambda: Gaussian(sigma="learned", scale=0.3),
    "gaussian-per-pixel": lambda: Gaussian(sigma="per-pixel", scale=0.3),
    "laplace": Laplace,
    "laplace-learned": lambda: Laplace(sigma="learned", scale=0.3),
    "laplace-per-pixel": lambda: Laplace(sigma="per-pixel", scale=0.3, loc_activation="sigmoid"),
    "discretized-logistic": lambda: DiscretizedLogistic(levels=8),
    "discretized-logistic-mixture": lambda: DiscretizedLogisticMixture(3, levels=8),
    "categorical": lambda: Categorical(levels=8),
}
EVENTS = [(5,), (1, 2, 3), (3, 2, 2)]

BINARY = DataSpec((1, 8, 8), levels=2, binary=True)
GREY = DataSpec((1, 8, 8), levels=256)
REAL = DataSpec((5,), low=-3.0, high=4.0)
UNIT = DataSpec((5,))
DEQUANTIZED = DataSpec((1, 8, 8), levels=256, dequantized=True)


def params_for(likelihood: Likelihood, event: tuple[int, ...], n: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, *likelihood.parameter_shape(event), generator=generator, dtype=torch.float64)


def levels_like(event: tuple[int, ...], levels: int = 8, n: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(levels, (n, *event), generator=generator).double() / (levels - 1)


def summed(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).sum(1)


# --- the contract of every likelihood ---------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_shapes_gradients_and_untouched_inputs(name: str, event: tuple[int, ...]) -> None:
    likelihood = LIKELIHOODS[name]().double()
    params, x = params_for(likelihood, event).requires_grad_(), levels_like(event)
    assert params.shape[1] == likelihood.channels_per_value * event[0]
    before, x_before = params.detach().clone(), x.clone()
    p = likelihood(params)
    assert p.batch_shape == (4,) and p.event_shape == event
    log_p = p.log_prob(x)
    assert log_p.shape == (4,) and log_p.dtype == torch.float64 and log_p.isfinite().all()
    assert p.mean.shape == (4, *event) and p.sample().shape == (4, *event)
    log_p.sum().backward()
    assert torch.equal(params.detach(), before) and torch.equal(x, x_before)
    assert params.grad is not None and params.grad.isfinite().all()
    touched = (params.grad.reshape(4, likelihood.channels_per_value, -1) != 0).any(2)
    assert touched.all()  # every block of the decoder's output matters
    for parameter_name, parameter in likelihood.named_parameters():
        assert parameter.grad is not None and parameter.grad != 0, parameter_name


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_log_prob_adds_up_over_the_event(name: str) -> None:
    """Each value depends on its own parameters only: the blocks of the parameters have the shape of x."""
    likelihood, event = LIKELIHOODS[name]().double(), (3, 2, 2)
    params, x = params_for(likelihood, event), levels_like(event)
    total = torch.zeros(4, dtype=torch.float64)
    blocks = params.view(4, -1, *event)
    for c, i, j in product(range(3), range(2), range(2)):
        total += likelihood(blocks[:, :, c, i, j]).log_prob(x[:, c, i, j].view(4, 1))
    torch.testing.assert_close(likelihood(params).log_prob(x), total)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_nothing_overflows(name: str) -> None:
    likelihood = LIKELIHOODS[name]()
    params = torch.cat([params_for(likelihood, (5,)).float() * size for size in (1e-3, 30.0, 1e3)]).requires_grad_()
    log_p = likelihood(params).log_prob(levels_like((5,)).float().repeat(3, 1))
    assert log_p.isfinite().all()
    log_p.sum().backward()
    assert params.grad is not None and params.grad.isfinite().all()


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_only_learned_scales_are_saved(name: str) -> None:
    saved = LIKELIHOODS[name]().state_dict()
    assert list(saved) == (["spread.value"] if name.endswith("learned") else [])


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_half_precision_is_cast_up_first(name: str) -> None:
    likelihood, x = LIKELIHOODS[name](), levels_like((5,)).float()
    params = params_for(likelihood, (5,)).bfloat16()
    log_p = likelihood(params).log_prob(x)
    assert log_p.dtype == torch.float32
    assert torch.equal(log_p, likelihood(params.float()).log_prob(x))


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_bernoulli_is_the_cross_entropy() -> None:
    params, x = params_for(Bernoulli(), (5,)), torch.rand(4, 5, dtype=torch.float64)
    p = expit(params.numpy())
    expected = summed(x.numpy() * np.log(p) + (1 - x.numpy()) * np.log(1 - p))
    np.testing.assert_allclose(Bernoulli()(params).log_prob(x).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(Bernoulli()(params).mean.numpy(), p, rtol=1e-12)


def test_continuous_bernoulli_integrates_to_one() -> None:
    logits = torch.linspace(-6, 6, 7, dtype=torch.float64)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x = torch.from_numpy((nodes + 1) / 2)
    params = logits.repeat_interleave(60).view(-1, 1)
    log_p = ContinuousBernoulli()(params).log_prob(x.repeat(7).view(-1, 1)).view(7, 60)
    np.testing.assert_allclose(log_p.exp().numpy() @ weights / 2, 1, rtol=1e-10)


@pytest.mark.parametrize("activation", ["identity", "sigmoid"])
@pytest.mark.parametrize(("likelihood_class", "reference"), [(Gaussian, stats.norm), (Laplace, stats.laplace)])
def test_fixed_scales_are_scipys(likelihood_class: type[Gaussian], reference, activation: str) -> None:
    likelihood = likelihood_class(scale=0.3, loc_activation=activation).double()
    params, x = params_for(likelihood, (1, 2, 3)), levels_like((1, 2, 3))
    loc = expit(params.numpy()) if activation == "sigmoid" else params.numpy()
    p = likelihood(params)
    np.testing.assert_allclose(p.log_prob(x).numpy(), summed(reference.logpdf(x.numpy(), loc, 0.3)), rtol=1e-6)
    np.testing.assert_allclose(p.mean.numpy(), loc, rtol=1e-12)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
@pytest.mark.parametrize(("likelihood_class", "reference"), [(Gaussian, stats.norm), (Laplace, stats.laplace)])
def test_learned_scales_start_where_they_are_told(likelihood_class: type[Gaussian], reference, scale: float) -> None:
    x = levels_like((5,))
    for sigma, blocks in (("learned", 1), ("per-pixel", 2)):
        likelihood = likelihood_class(sigma=sigma, scale=scale).double()
        expected = summed(reference.logpdf(x.numpy(), 0, scale))
        log_p = likelihood(torch.zeros(4, 5 * blocks, dtype=torch.float64)).log_prob(x)
        np.testing.assert_allclose(log_p.detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(("likelihood_class", "reference"), [(Gaussian, stats.norm), (Laplace, stats.laplace)])
def test_decoded_scales_are_scipys(likelihood_class: type[Gaussian], reference) -> None:
    """The second block is ln sigma^2 of the Gaussian and ln b of the Laplace, softly bounded."""
    likelihood = likelihood_class(sigma="per-pixel").double()
    params, x = params_for(likelihood, (3, 2, 2)), levels_like((3, 2, 2))
    loc, log = params.numpy()[:, :3], params.numpy()[:, 3:]
    scale = np.exp(soft(log, 0, -12, 20) / 2 if likelihood_class is Gaussian else soft(log, 0, -6, 10))
    expected = summed(reference.logpdf(x.numpy(), loc, scale))
    np.testing.assert_allclose(likelihood(params).log_prob(x).numpy(), expected, rtol=1e-6)


def test_a_learned_sigma_finds_the_error() -> None:
    """The maximum over one global sigma^2 is the mean squared error (Rybkin et al., 2021, eq. 4)."""
    likelihood = Gaussian(sigma="learned").double()
    loc, x = params_for(likelihood, (50,)) * 0.1, torch.rand(4, 50, dtype=torch.float64)
    optimiser = torch.optim.LBFGS(likelihood.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = -likelihood(loc).log_prob(x).mean()
        value.backward()
        return value

    optimiser.step(loss)
    variance = likelihood(loc).variance.detach()
    torch.testing.assert_close(variance, (x - loc).square().mean().expand_as(variance), rtol=1e-4, atol=0)


def test_soft_bounds_bound_and_keep_gradients() -> None:
    value = torch.linspace(-40, 60, 1001, dtype=torch.float64, requires_grad=True)
    bounded = softly_bounded(value, -10.0, 20.0)
    assert bounded.min() >= -10 and bounded.max() <= 20 + 1e-9
    assert (bounded.diff() >= 0).all() and (bounded.diff()[(value > -20)[1:] & (value < 30)[1:]] > 0).all()
    bounded.sum().backward()
    assert value.grad is not None and (value.grad > 0).all()
    inside = (value > 0) & (value < 10)
    assert (bounded - value)[inside].abs().max() < 1e-4


def logistic_mass(x: np.ndarray, loc: np.ndarray, scale: np.ndarray, levels: int) -> np.ndarray:
    half = 0.5 / (levels - 1)
    upper = np.where(x > 1 - half, np.inf, x + half)
    lower = np.where(x < half, -np.inf, x - half)
    cdf, sf = stats.logistic.cdf, stats.logistic.sf
    below = cdf(upper, loc, scale) - cdf(lower, loc, scale)
    return np.where(x > loc, sf(lower, loc, scale) - sf(upper, loc, scale), below)


def soft(raw: np.ndarray, start: float, low: float = -7, high: float = 10) -> np.ndarray:
    """Softly bounded, where 0 becomes the start."""

    def bound(v: np.ndarray) -> np.ndarray:
        return low + np.logaddexp(0, high - low - np.logaddexp(0, high - v))

    return bound(raw + brentq(lambda v: bound(v) - start, -20, 20))


def test_discretized_logistic_is_scipys() -> None:
    likelihood = DiscretizedLogistic(levels=8)
    params, x = params_for(likelihood, (3, 2, 2)), levels_like((3, 2, 2))
    loc = params.numpy()[:, :3] + 0.5
    scale = np.exp(soft(params.numpy()[:, 3:], -math.log(4)))
    expected = summed(np.log(logistic_mass(x.numpy(), loc, scale, 8)))
    np.testing.assert_allclose(likelihood(params).log_prob(x).numpy(), expected, rtol=1e-8)


def test_discretized_logistic_mixture_is_scipys() -> None:
    likelihood, m, event = DiscretizedLogisticMixture(3, levels=8).double(), 3, (3, 2, 2)
    params, x = params_for(likelihood, event), levels_like(event)
    logits, loc, log_s = np.split(params.numpy().reshape(4, 3 * m, *event), 3, axis=1)
    loc = loc + ((np.arange(m) + 0.5) / m).reshape(1, m, 1, 1, 1)
    scale = np.exp(soft(log_s, -math.log(4 * m)))
    log_weights = logits - logsumexp(logits, axis=1, keepdims=True)
    mass = logistic_mass(x.numpy()[:, None], loc, scale, 8)
    expected = summed(np.log((np.exp(log_weights) * mass).sum(1)))
    np.testing.assert_allclose(likelihood(params).log_prob(x).numpy(), expected, rtol=1e-6)


def test_categorical_is_a_softmax_over_levels() -> None:
    likelihood, event = Categorical(levels=8), (3, 2, 2)
    params, x = params_for(likelihood, event), levels_like(event)
    logits = params.numpy().reshape(4, 8, *event)
    log_p = logits - logsumexp(logits, axis=1, keepdims=True)
    index = np.rint(x.numpy() * 7).astype(int)[:, None]
    expected = summed(np.take_along_axis(log_p, index, 1))
    np.testing.assert_allclose(likelihood(params).log_prob(x).numpy(), expected, rtol=1e-12)
    expected_mean = (np.exp(log_p) * (np.arange(8) / 7).reshape(1, 8, 1, 1, 1)).sum(1)
    np.testing.assert_allclose(likelihood(params).mean.numpy(), expected_mean, rtol=1e-9)


@pytest.mark.parametrize("size", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("levels", [2, 8, 256])
@pytest.mark.parametrize(
    "likelihood_class", [DiscretizedLogistic, Categorical, lambda levels: DiscretizedLogisticMixture(4, levels)]
)
def test_masses_add_up_to_one(likelihood_class, levels: int, size: float) -> None:
    likelihood = likelihood_class(levels=levels).double()
    params = params_for(likelihood, (1,), n=5) * size
    x = torch.arange(levels, dtype=torch.float64).view(-1, 1) / (levels - 1)
    for row in params:
        mass = likelihood(row.expand(levels, -1)).log_prob(x).exp()
        assert mass.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("likelihood_class", [DiscretizedLogistic, Categorical, DiscretizedLogisticMixture])
def test_an_untrained_network_starts_near_the_uniform(likelihood_class: type[Categorical]) -> None:
    """Not more than 1.5 bits worse than the uniform on any level, and the mean in the middle."""
    likelihood = likelihood_class(levels=256)
    p = likelihood(torch.zeros(256, likelihood.channels_per_value))
    x = torch.arange(256).view(-1, 1) / 255
    assert (-p.log_prob(x) / math.log(2)).max() < 8 + 1.5
    assert p.mean.mean().item() == pytest.approx(0.5, abs=1e-3)


def test_log_scales_have_a_floor() -> None:
    params = torch.tensor([[0.0, -1e4]])
    log_p = DiscretizedLogistic()(params).log_prob(torch.tensor([[128 / 255]]))
    sharpest = logistic_mass(np.array(128 / 255), np.array(0.5), np.array(math.exp(LOGISTIC_BOUNDS[0])), 256)
    assert log_p.item() == pytest.approx(math.log(sharpest), rel=1e-3)


# --- what the numbers are ---------------------------------------------------------------------------------------------


def test_bernoulli_is_a_mass_on_binary_data_only() -> None:
    assert Bernoulli().kind(BINARY) == "mass" and Bernoulli().is_normalised(BINARY)
    for spec in (GREY, UNIT, DEQUANTIZED):
        assert Bernoulli().kind(spec) == "cross-entropy" and not Bernoulli().is_normalised(spec)
    assert Bernoulli().check(GREY, True) == Bernoulli().check(BINARY, True) == []


@pytest.mark.parametrize("likelihood", [Gaussian(), Laplace(), ContinuousBernoulli()])
def test_densities(likelihood: Likelihood) -> None:
    assert likelihood.kind(UNIT) == "density" and likelihood.is_normalised(UNIT)
    assert likelihood.check(UNIT, True) == likelihood.check(DEQUANTIZED, True) == likelihood.check(GREY, False) == []
    (warning,) = likelihood.check(GREY, True)
    assert "data.dequantize=true" in warning and "name=discretized-logistic" in warning
    (warning,) = likelihood.check(BINARY, True)
    assert "name=bernoulli" in warning


@pytest.mark.parametrize("likelihood", [DiscretizedLogistic(), DiscretizedLogisticMixture(), Categorical()])
def test_masses(likelihood: Likelihood) -> None:
    assert likelihood.kind(GREY) == "mass" and likelihood.is_normalised(GREY)
    assert likelihood.check(GREY, True) == []
    for spec in (UNIT, REAL):
        with pytest.raises(ConfigError, match=r"levels.*=gaussian"):
            likelihood.check(spec, True)
    with pytest.raises(ConfigError, match=r"data.dequantize=false"):
        likelihood.check(DEQUANTIZED, True)
    with pytest.raises(ConfigError, match=r"model.likelihood.levels=2 or .*=bernoulli"):
        likelihood.check(BINARY, True)
    with pytest.raises(ConfigError, match=r"levels=16$"):
        likelihood.check(DataSpec((1, 8, 8), levels=16), True)


@pytest.mark.parametrize("likelihood", [Bernoulli(), ContinuousBernoulli()])
def test_values_outside_the_unit_interval_are_refused(likelihood: Likelihood) -> None:
    with pytest.raises(
        ConfigError, match=r"-3 to 4: use --set model.likelihood.name=gaussian \(from Python: settings="
    ):
        likelihood.check(REAL, True)
    with pytest.raises(ConfigError, match=r"or --set data\.scale=unit if no held-out value"):
        likelihood.check(REAL, True)


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.0, 255.0, True), (12.0, 253.5, True), (-1.0, 255.0, False), (0.0, 9.0, False)]
)
def test_pixels_of_another_type_are_told_how_to_be_stored(low: float, high: float, said: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        Bernoulli().check(DataSpec((1, 8, 8), low=low, high=high), True)
    assert ("x.astype('uint8') or divide them by 255; else use --set" in str(caught.value)) == said


@pytest.mark.parametrize("likelihood_class", [Gaussian, Laplace])
def test_a_sigmoid_cannot_reach_values_outside(likelihood_class: type[Gaussian]) -> None:
    with pytest.raises(ConfigError, match="loc_activation=identity"):
        likelihood_class(loc_activation="sigmoid").check(REAL, True)
    assert likelihood_class().check(REAL, True) == []


def test_bernoulli_on_dequantised_data_is_warned_of() -> None:
    (warning,) = Bernoulli().check(DEQUANTIZED, True)
    assert "data.dequantize=false" in warning


def test_effective_beta() -> None:
    """beta times sigma^2 (Gaussian) or b (Laplace): the objective times sigma^2 is SSE / 2 + beta sigma^2 KL."""
    assert Gaussian().beta_effective(3.0) == 3.0
    assert Gaussian(scale=0.5).beta_effective(2.0) == 0.5
    assert Gaussian(scale=math.sqrt(0.5)).beta_effective(100.0) == pytest.approx(50)  # SSE + 100 KL
    assert Laplace(scale=0.5).beta_effective(2.0) == 1.0
    assert Bernoulli().beta_effective(4.0) == ContinuousBernoulli().beta_effective(4.0) == 4.0
    assert Categorical().beta_effective(4.0) == 4.0
    learned = [Gaussian("learned"), Gaussian("per-pixel"), Laplace("learned"), DiscretizedLogistic()]
    assert [likelihood.beta_effective(1.0) for likelihood in learned] == [None] * 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(sigma="learnt"), "Did you mean 'learned'"),
        (lambda: Gaussian(scale=0.0), "positive"),
        (lambda: Laplace(scale=math.inf), "positive"),
        (lambda: Gaussian(sigma="learned", scale=1e-4), "between 0.0025 and 2.2e"),
        (lambda: Laplace(loc_activation="relu"), "identity or sigmoid"),
        (lambda: Categorical(levels=1), "at least 2"),
        (lambda: DiscretizedLogistic(levels=0), "at least 2"),
        (lambda: DiscretizedLogisticMixture(0), "components"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
