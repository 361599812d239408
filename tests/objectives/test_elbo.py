"""The ELBO and its variations, against formulas written out in loops."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from latentia.data.corruption import GaussianCorruption
from latentia.errors import ConfigError
from latentia.maths.schedules import Cosine, Cyclical, Linear
from latentia.models.latent_variable import LatentVariableModel
from latentia.objectives.elbo import Elbo
from latentia.parts.likelihoods import Bernoulli
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import DeterministicPosterior, GaussianPosterior
from latentia.parts.priors import GaussianMixturePrior, StandardNormalPrior

BATCH, PIXELS, LATENT = 5, 6, 3


def model_with(prior: Any = "normal", posterior: type = GaussianPosterior) -> LatentVariableModel:
    torch.manual_seed(1)
    priors = {"normal": StandardNormalPrior((LATENT,)), "mixture": GaussianMixturePrior((LATENT,), 4), None: None}
    model = LatentVariableModel(
        encoder=MLP((PIXELS,), [7]),
        posterior=posterior(7, (LATENT,)),
        prior=priors[prior],
        decoder=MLP((LATENT,), [7], (PIXELS,)),
        likelihood=Bernoulli(),
        event_shape=(PIXELS,),
        latent_shape=(LATENT,),
    ).double()
    with torch.no_grad():  # rates of about a nat, unlike those of an untrained network
        for parameter in model.posterior.parameters():
            parameter.mul_(4)
    return model


def data() -> Tensor:
    return torch.rand((BATCH, PIXELS), generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def noise_for(k: int) -> tuple[Tensor]:
    return (torch.randn((k, BATCH, LATENT), generator=torch.Generator().manual_seed(3), dtype=torch.float64),)


def parts(model: LatentVariableModel, x: Tensor, noise: tuple[Tensor]) -> tuple[Tensor, Tensor]:
    """The distortion of every draw, (K, B), and the KL of every dimension, (B, latent), written out."""
    loc, logvar = model.posterior.head(model.encoder(x)).chunk(2, 1)
    kl = torch.tensor([[(m * m + math.exp(v) - 1 - v) / 2 for m, v in zip(*row, strict=True)]
                       for row in zip(loc.tolist(), logvar.tolist(), strict=True)], dtype=torch.float64)  # fmt: skip
    distortion = torch.zeros(len(noise[0]), BATCH, dtype=torch.float64)
    for k, eps in enumerate(noise[0]):
        p = model.decoder(loc + (logvar / 2).exp() * eps).sigmoid()
        distortion[k] = -(x * p.log() + (1 - x) * (1 - p).log()).sum(1)
    return distortion.detach(), kl


def call(objective: Elbo, model: Any, progress: float = 1.0) -> Any:
    return objective(model, data(), None, noise_for(objective.k), objective.coefficients_at(progress))


# --- the bound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, BATCH])
def test_the_loss_is_the_negative_elbo(k: int) -> None:
    model, objective = model_with(), Elbo(samples=k)
    terms = call(objective, model)
    distortion, kl = parts(model, data(), noise_for(k))
    torch.testing.assert_close(terms.distortion, distortion.mean(0))
    torch.testing.assert_close(terms.rate, kl.sum(1))
    torch.testing.assert_close(terms.loss, distortion.mean(0) + kl.sum(1))
    torch.testing.assert_close(terms.total(), (distortion.mean(0) + kl.sum(1)).mean())
    assert terms.loss.shape == (BATCH,) and not terms.estimated and terms.batch is None
    assert (terms.distortion > 0).all() and (terms.rate > 0).all()  # signs: nothing here is a log-probability


def test_several_draws_lower_only_the_noise_of_the_distortion() -> None:
    """The mean over K draws has the expectation of one draw."""
    model, x = model_with(), data()
    noise = torch.randn((4000, BATCH, LATENT), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    many = Elbo(samples=4000)(model, x, None, (noise,), {"beta": 1.0}).distortion
    single, _ = parts(model, x, (noise[:2000],))
    error = single.std(0) / math.sqrt(2000)
    assert ((many - single.mean(0)).abs() < 4 * error).all()


@pytest.mark.parametrize("as_tensor", [False, True])
@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
def test_beta_is_a_factor_on_the_rate(beta: float, as_tensor: bool) -> None:
    model, objective = model_with(), Elbo(beta)
    coefficients: dict[str, Any] = objective.coefficients_at(0.3)
    assert coefficients == {"beta": beta}
    if as_tensor:
        coefficients = {name: torch.tensor(value, dtype=torch.float64) for name, value in coefficients.items()}
    terms = objective(model, data(), None, noise_for(1), coefficients)
    distortion, kl = parts(model, data(), noise_for(1))
    torch.testing.assert_close(terms.loss, distortion[0] + beta * kl.sum(1))
    torch.testing.assert_close(terms.rate, kl.sum(1))  # reported without its factor


@pytest.mark.parametrize(
    ("schedule", "t", "beta"),
    [
        (Linear(start=0.0, end=2.0, until=0.5), 0.0, 0.0),
        (Linear(start=0.0, end=2.0, until=0.5), 0.25, 1.0),
        (Linear(start=0.0, end=2.0, until=0.5), 0.75, 2.0),
        (Cosine(start=0.0, end=2.0), 0.5, 1.0),
        (Cyclical(low=0.0, high=1.0, cycles=2), 0.125, 0.5),
    ],
)
def test_beta_follows_its_schedule(schedule: Any, t: float, beta: float) -> None:
    model, objective = model_with(), Elbo(schedule)
    terms = call(objective, model, t)
    distortion, kl = parts(model, data(), noise_for(1))
    assert objective.coefficients_at(t)["beta"] == pytest.approx(beta)
    torch.testing.assert_close(terms.loss, distortion[0] + beta * kl.sum(1))


def test_an_objective_settles_when_its_schedule_does() -> None:
    assert Elbo(2.0).settled_at() == 0.0
    assert Elbo(Linear(start=0.0, end=1.0, until=0.3)).settled_at() == 0.3
    assert Elbo(capacity=Linear(start=0.0, end=25.0, until=0.8)).settled_at() == 0.8
    assert Elbo(Cyclical(low=0.0, high=1.0, cycles=4)).settled_at() == 1.0


# --- free bits and capacity -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1.0, 3.0])
@pytest.mark.parametrize("free", [0.05, 1.0, 100.0])
def test_free_bits_are_a_floor_under_the_batch_mean_of_every_dimension(free: float, beta: float) -> None:
    model, objective = model_with(), Elbo(beta, free_bits=free)
    terms = call(objective, model)
    distortion, kl = parts(model, data(), noise_for(1))
    penalty = 0.0
    for j in range(LATENT):
        mean = sum(kl[b, j].item() for b in range(BATCH)) / BATCH
        penalty += max(free, mean)
    assert terms.total().item() == pytest.approx(distortion.mean().item() + beta * penalty)
    torch.testing.assert_close(terms.rate, kl.sum(1))  # reported as it is
    torch.testing.assert_close(terms.loss, distortion[0])


def test_free_bits_test_cases_lie_on_both_sides_of_the_floor() -> None:
    _, kl = parts(model_with(), data(), noise_for(1))
    assert (kl.mean(0) > 0.05).all() and (kl.mean(0) < 100).all()
    assert len(set((kl.mean(0) > 1.0).tolist())) == 2


def test_free_bits_pass_no_gradient_below_the_floor() -> None:
    model = model_with()
    call(Elbo(free_bits=100.0), model).batch.backward()
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())
    call(Elbo(free_bits=0.01), model).batch.backward()
    assert all(p.grad is not None and p.grad.any() for p in model.posterior.parameters())


def test_free_bits_need_a_closed_form() -> None:
    with pytest.raises(ConfigError, match=r"model\.prior\.name=standard-normal"):
        call(Elbo(free_bits=1.0), model_with("mixture"))


@pytest.mark.parametrize("capacity", [0.0, 2.5, 50.0])
def test_capacity_penalises_the_distance_of_each_images_rate(capacity: float) -> None:
    model, objective = model_with(), Elbo(capacity=capacity, gamma=10.0)
    assert objective.coefficients_at(0.5) == {"capacity": capacity}
    terms = call(objective, model)
    distortion, kl = parts(model, data(), noise_for(1))
    expected = [distortion[0, b].item() + 10.0 * abs(kl[b].sum().item() - capacity) for b in range(BATCH)]
    torch.testing.assert_close(terms.loss, torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(terms.rate, kl.sum(1))


def test_a_capacity_of_0_still_trains_the_rate() -> None:
    """Clamping the rate to the capacity instead would leave it without a gradient."""
    model, objective = model_with(), Elbo(capacity=0.0)
    terms = call(objective, model)
    gradients = torch.autograd.grad((terms.loss - terms.distortion).sum(), list(model.posterior.parameters()))
    assert all((gradient != 0).any() for gradient in gradients)


def test_capacity_follows_its_schedule() -> None:
    objective = Elbo(capacity=Linear(start=0.0, end=20.0))
    assert objective.coefficients_at(0.25) == {"capacity": 5.0}


@pytest.mark.parametrize("other", [{"beta": 4.0}, {"free_bits": 0.1}])
def test_capacity_excludes_beta_and_free_bits(other: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"objective\.capacity replaces beta and free bits"):
        Elbo(capacity=25.0, **other)  # type: ignore[arg-type]


# --- the prior --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2])
def test_the_rate_to_a_mixture_is_an_estimate_and_says_so(k: int) -> None:
    model, objective = model_with("mixture"), Elbo(2.0, samples=k)
    terms = call(objective, model)
    assert terms.estimated
    level = model.trace(data(), noise=noise_for(k), k=k).levels[0]
    rate = torch.stack([level.log_q[b::BATCH] - level.log_p[b::BATCH] for b in range(BATCH)]).mean(1)
    torch.testing.assert_close(terms.rate, rate)
    torch.testing.assert_close(terms.loss, terms.distortion + 2.0 * rate)
    terms.total().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.prior.parameters())


@pytest.mark.parametrize("posterior", [GaussianPosterior, DeterministicPosterior])
def test_without_a_prior_there_is_no_elbo(posterior: type) -> None:
    with pytest.raises(
        ConfigError, match=r"needs a prior: use --set model\.prior\.name=standard-normal, or --set objective"
    ):
        call(Elbo(), model_with(None, posterior))


@pytest.mark.parametrize("k", [1, 3])
def test_a_denoising_vae_sees_corrupted_data_and_is_compared_with_clean_ones(k: int) -> None:
    model, x, corruption = model_with(), data(), GaussianCorruption(0.5, (0.0, 1.0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        terms = call(Elbo(2.0, samples=k, corruption=corruption), model)
    seen = corruption(x, corruption.draw_noise(x.shape, torch.Generator().manual_seed(7)))
    _, kl = parts(model, seen, noise_for(k))
    loc, logvar = model.posterior.head(model.encoder(seen)).chunk(2, 1)
    means = [model.decoder(loc + (logvar / 2).exp() * eps).sigmoid() for eps in noise_for(k)[0]]
    distortion = torch.stack([-(x * p.log() + (1 - x) * (1 - p).log()).sum(1) for p in means]).mean(0)
    torch.testing.assert_close(terms.distortion, distortion)
    torch.testing.assert_close(terms.rate, kl.sum(1))
    torch.testing.assert_close(terms.loss, distortion + 2 * kl.sum(1))
    assert torch.equal(x, data())


def test_inputs_are_not_mutated() -> None:
    x, noise = data(), noise_for(2)
    Elbo(samples=2)(model_with(), x, None, noise, {"beta": 1.0}).total().backward()
    assert torch.equal(x, data()) and torch.equal(noise[0], noise_for(2)[0]) and x.grad is None
