"""Fitted priors: a diffusion model that knows the answer, mixtures, standardisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from latentia.errors import ConfigError
from latentia.parts.latent_priors import (
    CorrelatedMixturePrior,
    DiffusionPrior,
    PriorOfEachClass,
    standardisation,
)
from latentia.parts.networks.denoiser import Denoiser
from latentia.parts.priors import GaussianMixturePrior, Prior


def small(**settings: object) -> DiffusionPrior:
    torch.manual_seed(0)
    return DiffusionPrior((3,), **{"width": 8, "blocks": 1, "levels": 50, "sampling_steps": 10, **settings})  # type: ignore[arg-type]


class Known(torch.nn.Module):
    """The best denoiser of N(0, s^2)."""

    def __init__(self, alpha_bar: torch.Tensor, s: float) -> None:
        super().__init__()
        self.alpha_bar, self.s = alpha_bar, s

    def forward(self, u: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        now = self.alpha_bar[(t * (len(self.alpha_bar) - 1)).round().long()][:, None]
        variance = now * self.s**2 + 1 - now
        z, eps = now.sqrt() * self.s**2 / variance * u, (1 - now).sqrt() / variance * u
        return now.sqrt() * eps - (1 - now).sqrt() * z


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_with_the_best_denoiser_samples_are_the_data(eta: float) -> None:
    prior = DiffusionPrior((2,), levels=300, sampling_steps=150, eta=eta).double()
    prior.adopt(torch.tensor([[1.0, -3.0], [3.0, 3.0]]))  # means 2 and 0, deviations 1 and 3
    prior.denoiser = Known(prior.alpha_bar.double(), 0.5)  # type: ignore[assignment]
    n = 5_000
    z = prior.sample(n, torch.Generator().manual_seed(0))
    mean, deviation = torch.tensor([2.0, 0.0]).double(), torch.tensor([0.5, 1.5]).double()
    assert ((z.mean(0) - mean).abs() < 5 * deviation / math.sqrt(n)).all()
    torch.testing.assert_close(z.std(0), deviation, rtol=0.04, atol=0)


def test_a_prediction_is_of_noised_standardised_latents() -> None:
    prior = small()
    prior.adopt(torch.tensor([[0.0, 0.0, 1.0], [4.0, 2.0, 1.0]]))
    z, eps = torch.full((4, 3), 2.0), torch.randn(4, 3)
    v, predicted = prior.predict(z, torch.tensor([0.0, 0.3, 0.999, 1.0]), eps)
    u = torch.tensor([0.0, 1.0, 1.0])
    alpha_bar = prior.alpha_bar[torch.tensor([1, 16, 50, 50])][:, None]
    torch.testing.assert_close(v, alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * u)
    assert predicted.shape == (4, 3)


def test_noise_for_training_has_levels_and_noise() -> None:
    levels, eps = small().draw_noise(1000, 2, torch.Generator().manual_seed(0))
    assert levels.shape == (2, 1000) and eps.shape == (2, 1000, 3)
    assert levels.min() >= 0 and levels.max() < 1 and abs(float(levels.mean()) - 0.5) < 0.05


def test_gradients_reach_every_parameter() -> None:
    prior = small()
    torch.nn.init.normal_(prior.denoiser.blocks[0].second.weight)  # type: ignore[union-attr, arg-type]
    (fractions, eps), z = (noise[0] for noise in prior.draw_noise(16)), torch.randn(16, 3)
    v, predicted = prior.predict(z, fractions, eps)
    (v - predicted).square().sum().backward()
    for name, parameter in prior.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_a_diffusion_has_no_density() -> None:
    with pytest.raises(ConfigError, match="no density"):
        small()()


def test_more_steps_than_levels_are_refused() -> None:
    with pytest.raises(ConfigError, match="between 1 and the 50"):
        small(sampling_steps=51)
    with pytest.raises(ConfigError, match="width"):
        small(width=0)


def test_temperature_0_draws_no_noise() -> None:
    prior = small()
    z = prior.sample(5, temperature=0.0)
    torch.testing.assert_close(z, z[:1].expand(5, 3))
    mixture = CorrelatedMixturePrior((2,), 3)
    z = mixture.sample(50, torch.Generator().manual_seed(0), temperature=0.0)
    assert ((z[:, None] == mixture.loc.detach()).all(-1).sum(1) == 1).all()


@pytest.mark.parametrize("make", [small, lambda: CorrelatedMixturePrior((3,), 2)])
def test_samples_repeat_with_their_generator(make) -> None:  # type: ignore[no-untyped-def]
    prior: Prior = make()
    state = torch.get_rng_state()
    first = prior.sample(5, torch.Generator().manual_seed(7))
    assert torch.equal(first, prior.sample(5, torch.Generator().manual_seed(7)))
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == (5, 3) and not first.requires_grad and prior.sample(0).shape == (0, 3)
    assert prior.kl(torch.distributions.Normal(0.0, 1.0)) is None


def test_a_mixture_samples_its_density() -> None:
    prior = CorrelatedMixturePrior((2,), 2).double()
    with torch.no_grad():
        prior.scale_tril[:, 1, 0] = 0.9
    z = prior.sample(50_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(0), prior().mean.detach(), rtol=0, atol=0.03)
    torch.testing.assert_close(z.var(0), prior().variance.detach(), rtol=0.04, atol=0)
    with pytest.raises(ConfigError, match="components"):
        CorrelatedMixturePrior((2,), 0)


def test_a_latent_that_never_changes_keeps_its_scale() -> None:
    shift, scale = standardisation(torch.tensor([[1e6, 0.0], [1e6, 2.0]]))
    assert shift.tolist() == [1e6, 1.0] and scale.tolist() == [1.0, 1.0]


def test_the_denoiser_takes_latents_of_any_shape() -> None:
    network = Denoiser((2, 3, 3), width=8, blocks=2)
    assert network(torch.zeros(4, 2, 3, 3), torch.rand(4)).shape == (4, 2, 3, 3)
    assert not torch.equal(network(torch.zeros(1, 2, 3, 3), torch.zeros(1)), torch.zeros(1, 2, 3, 3))


@pytest.mark.parametrize("kind", [CorrelatedMixturePrior, GaussianMixturePrior])
def test_each_class_is_drawn_from_its_own_prior(kind: Callable[..., Prior]) -> None:
    of_each: list[Any] = [kind((2,), 2) for _ in range(3)]
    with torch.no_grad():
        for label, one in enumerate(of_each):
            one.loc += 100 * label
    prior = PriorOfEachClass(of_each)
    y = torch.tensor([2, 0, 2, 1, 0])
    state = torch.get_rng_state()
    z = prior.sample(5, torch.Generator().manual_seed(0), y=y)
    assert torch.equal(torch.get_rng_state(), state) and not z.requires_grad
    assert torch.equal((z / 100).round().long(), y[:, None].expand(5, 2))
    for b, label in enumerate(y.tolist()):
        torch.testing.assert_close(prior(y).log_prob(z)[b], of_each[label]().log_prob(z[b : b + 1])[0])
    means = prior.sample(5, temperature=0.0, y=y)
    for b, label in enumerate(y.tolist()):
        assert (means[b] == of_each[label].loc).all(-1).any()
    prior(y).log_prob(z).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in prior.parameters())
    assert prior.conditional and prior.kl(torch.distributions.Normal(0.0, 1.0)) is None


def test_a_prior_of_each_class_needs_labels_and_one_shape() -> None:
    prior = PriorOfEachClass([CorrelatedMixturePrior((2,), 2)])
    for needing in (lambda: prior(), lambda: prior.sample(1)):
        with pytest.raises(ConfigError, match="give y"):
            needing()
    for wrong in ([], [CorrelatedMixturePrior((2,), 2), CorrelatedMixturePrior((3,), 2)]):
        with pytest.raises(ConfigError, match="latents of one shape"):
            PriorOfEachClass(wrong)


def test_a_diffusion_is_told_the_class() -> None:
    prior = small(classes=2)
    torch.nn.init.normal_(prior.denoiser.blocks[0].second.weight)  # type: ignore[union-attr, arg-type]
    zeros, ones = (torch.full((4,), label) for label in (0, 1))
    first = prior.sample(4, torch.Generator().manual_seed(0), y=zeros)
    assert torch.equal(first, prior.sample(4, torch.Generator().manual_seed(0), y=zeros))
    assert not torch.allclose(first, prior.sample(4, torch.Generator().manual_seed(0), y=ones))
    (fractions, eps), z = (noise[0] for noise in prior.draw_noise(16)), torch.randn(16, 3)
    y = torch.arange(16) % 2
    v, predicted = prior.predict(z, fractions, eps, y)
    (v - predicted).square().sum().backward()
    for name, parameter in prior.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
    with pytest.raises(ConfigError, match="give y"):
        prior.sample(4)
