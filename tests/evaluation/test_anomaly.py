"""Scores against closed forms and other code; none depends on what is beside a sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from latentia.data import DataSettings, load
from latentia.errors import ConfigError, DataError
from latentia.evaluation import evaluate
from latentia.evaluation.anomaly import SCORES, LatentDensity, auroc, score_samples, threshold
from latentia.recipes import build_model, find_preset

DIGITS = load(DataSettings(source="digits", validation=0.0))


def model(preset: str = "vae", seed: int = 1) -> Any:
    return build_model(find_preset(preset).config().model, DIGITS.spec, seed=seed).eval()


def images(n: int = 300) -> torch.Tensor:
    return DIGITS.preparation(DIGITS.split("train").x[:n])


def density(of: Any, x: torch.Tensor) -> LatentDensity:
    with torch.no_grad():
        q = of.encode(x)
    return LatentDensity.fit(q.mean, q.variance)


# -- AUROC and threshold -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("levels", [3, 1000])
def test_auroc_is_that_of_scikit_learn(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.random(200) < 0.3
    scores = rng.integers(0, levels, 200) + y  # with ties
    assert auroc(scores, y) == pytest.approx(roc_auc_score(y, scores), abs=1e-12)


def test_auroc_needs_both_kinds() -> None:
    assert auroc([1.0, 2.0], [True, True]) is None
    assert auroc([1.0, 2.0], [False, True]) == 1.0
    assert auroc([1.0, 1.0], [False, True]) == 0.5
    assert auroc([2.0, 1.0], [False, True]) == 0.0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_the_threshold_keeps_its_false_alarm_rate(rate: float) -> None:
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(2000):
        scores = rng.exponential(size=200)
        alarms.append(scores[-1] > threshold(scores[:-1], rate))
    error = math.sqrt(rate * (1 - rate) / len(alarms))
    assert np.mean(alarms) <= rate + 3 * error
    assert np.mean(alarms) >= rate - 1 / 200 - 3 * error  # and does not waste it


def test_the_threshold_says_how_many_it_needs() -> None:
    assert threshold(np.arange(19.0), 0.05) == 18.0
    with pytest.raises(DataError, match="needs at least 19 held-out normal samples, and there are 18"):
        threshold(np.arange(18.0), 0.05)
    with pytest.raises(DataError, match="at least 999"):
        threshold(np.arange(72.0), 0.001)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        threshold([1.0], 1.0)


# -- density -----------------------------------------------------------------------------------------------------------


def test_the_density_is_that_of_the_aggregate_posterior() -> None:
    rng = torch.Generator().manual_seed(0)
    loc = torch.randn(400, 3, generator=rng) @ torch.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, 0.3], [0.0, 0.0, 0.7]])
    variance = torch.rand(400, 3, generator=rng)
    found = LatentDensity.fit(loc, variance)
    covariance = np.cov(loc.double().numpy().T, bias=True) + np.diag(variance.double().mean(0).numpy())
    covariance += 1e-6 * np.diag(covariance).mean() * np.eye(3)
    expected = torch.distributions.MultivariateNormal(loc.double().mean(0), torch.from_numpy(covariance))
    assert torch.allclose(found.nll(loc), -expected.log_prob(loc.double()), rtol=1e-9, atol=1e-9)


def test_latents_in_a_plane_have_a_density() -> None:
    loc = torch.randn(50, 2) @ torch.randn(2, 6)
    assert bool(LatentDensity.fit(loc, torch.zeros_like(loc)).nll(loc).isfinite().all())
    with pytest.raises(DataError, match="do not vary"):
        LatentDensity.fit(torch.ones(5, 2), torch.zeros(5, 2))
    with pytest.raises(DataError, match="at least two"):
        LatentDensity.fit(torch.ones(1, 2), torch.zeros(1, 2))


# -- scores ------------------------------------------------------------------------------------------------------------


def test_the_squared_error_is_that_of_the_reconstruction() -> None:
    vae, x = model(), images(30)
    with torch.no_grad():
        expected = (vae.reconstruct(x) - x).double().square().mean((1, 2, 3))
    assert torch.allclose(score_samples(vae, x), expected, rtol=1e-5)


def test_elbo_and_nll_are_those_of_the_evaluation() -> None:
    vae, x = model(), images(300)
    found = evaluate(vae, load(DataSettings(source="digits", validation=0.0)), "train", importance_samples=200)
    whole = DIGITS.preparation(DIGITS.split("train").x)
    assert found.elbo is not None and found.nll is not None
    # untrained, so that the draws matter little; noise is shared, hence the tolerance
    assert float(score_samples(vae, whole, score="elbo", samples=200).mean()) == pytest.approx(-found.elbo, rel=2e-3)
    assert float(score_samples(vae, whole, score="nll", samples=200).mean()) == pytest.approx(found.nll, rel=2e-3)
    elbo, nll = (score_samples(vae, x, score=score, samples=50) for score in ("elbo", "nll"))
    assert bool((nll <= elbo + 0.2).all())


def test_nll_is_the_integral_over_a_single_latent() -> None:
    settings = find_preset("vae").config().model.model_copy(update={"latent_dim": 1})
    vae = build_model(settings, DIGITS.spec, seed=3).eval()
    x = images(4)
    z = torch.linspace(-8, 8, 4001)[:, None]
    with torch.no_grad():
        p = vae.decode(z)
        joint = torch.stack([p.log_prob(one[None].expand(4001, *one.shape)) for one in x]).double()
    joint = joint - 0.5 * z[:, 0].double().square() - 0.5 * math.log(2 * math.pi)
    exact = -(joint.logsumexp(1) + math.log(16 / 4000))
    assert torch.allclose(score_samples(vae, x, score="nll", samples=2000), exact, atol=0.1)


def test_the_prior_density_is_that_of_a_standard_normal() -> None:
    vae, x = model(), images(20)
    with torch.no_grad():
        mean = vae.encode(x).mean.double()
    expected = 0.5 * (mean.square() + math.log(2 * math.pi)).sum(1)
    assert torch.allclose(score_samples(vae, x, score="prior-density"), expected, rtol=1e-5)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("preset", ["vae", "conv-vae"])
def test_a_score_depends_on_nothing_beside_the_sample(preset: str, score: str) -> None:
    vae, x = model(preset), images(300)
    fitted = density(vae, x)
    options: dict[str, Any] = {"score": score, "samples": 12, "density": fitted}
    whole = score_samples(vae, x, **options)
    assert torch.equal(score_samples(vae, x, **options), whole)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0))
    assert torch.equal(score_samples(vae, x[order], **options), whole[order])
    for index in (0, 7, 299):
        assert torch.equal(score_samples(vae, x[index : index + 1], **options), whole[index : index + 1])


def test_scores_leave_the_model_as_it_was() -> None:
    vae = model("conv-vae").train()
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    score_samples(vae, images(5))
    assert vae.training
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())


def test_faults_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'squared-error'"):
        score_samples(model(), images(2), score="squared-eror")
    with pytest.raises(ConfigError, match="use squared-error or density"):
        score_samples(model("ae"), images(2), score="nll")
    with pytest.raises(ConfigError, match="at least 1"):
        score_samples(model(), images(2), score="nll", samples=0)
