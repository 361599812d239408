"""The signs of each illness, where figures alone decide; trainings are in tests/runs/uses/test_doctor.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from latentia.data import DataSettings, load
from latentia.evaluation.facts import data_facts
from latentia.evaluation.health import Case, DataFacts, diagnose

CASE = Case("finished", 1000, "elbo", True, 4, {"name": "bernoulli"}, beta=1.0, beta_effective=1.0)


def rows(losses: Any, **more: float) -> list[dict[str, Any]]:
    step = 1000 // len(losses)
    return [
        {"split": "train", "step": step * (i + 1), "epoch": i, "loss": float(loss), **more}
        for i, loss in enumerate(losses)
    ]


def names(case: Case) -> list[str]:
    return [finding.name for finding in diagnose(case)]


def test_without_figures_nothing_is_found():
    assert names(CASE) == []
    assert names(replace(CASE, rows=[{"split": "train", "step": 1, "loss": None}], train={}, held_out={})) == []


def test_dead_codes():
    book = {"codes": 512, "learning": "ema", "initialisation": "data", "revive_below": 0.03}
    few = replace(CASE, has_prior=False, codes=512, posterior=book, rows=rows(np.full(20, 1.0), perplexity=30.0))
    (finding,) = diagnose(few)
    assert finding.name == "dead-codes" and finding.settings == ("model.posterior.codes=64",)
    assert finding.evidence["fraction"] == pytest.approx(30 / 512)
    assert names(replace(few, rows=rows(np.full(20, 1.0), perplexity=300.0))) == []


def test_a_rate_that_is_still_warming_up_is_no_collapse():
    start = rows(np.full(20, 40.0), rate=0.01)[:10]
    assert names(replace(CASE, state="running", settles=0.6, rises=True, rows=start)) == []
    assert names(replace(CASE, state="running", settles=0.4, rises=True, rows=start)) == ["posterior-collapse"]


def test_cycles_and_coefficients_that_fall_are_no_late_warm_up():
    assert names(replace(CASE, settles=1.0, rises=True)) == ["warm-up-too-long"]
    assert names(replace(CASE, settles=1.0, rises=False)) == []
    assert names(replace(CASE, settles=1.0, rises=True, cyclical=True)) == []
    assert names(replace(CASE, settles=0.5, rises=True)) == []


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        (100 * np.exp(-np.arange(40.0)) + 20, []),
        (100 * np.exp(-np.arange(40.0) / 20) + 20, ["not-converged"]),
        (100 * np.exp(-np.arange(40.0)) - 300, []),  # densities have negative losses
        (-np.arange(40.0) * 10, ["not-converged"]),
        (np.concatenate([100 * np.exp(-np.arange(30.0)) + 20, np.full(10, 80.0)]), ["diverging"]),
        (20 + np.sin(np.arange(40.0)), []),
    ],
)
def test_courses(losses, found):
    assert names(replace(CASE, rows=rows(losses))) == found


@pytest.mark.parametrize(
    ("losses", "risen"),
    [
        ([2066, 760, -56, -411, -488], False),  # densities have negative losses
        ([300, 100, 80, 90, 79.9], False),
        ([300, 100, 80, 90, 95, 100, 104], True),
        ([2000, 500, 200, 100, 102, 104, 106, 108, 110], True),
        ([50, -400, -488, -300, -200, -100], True),
        ([5, 5, 5, 5, 5], False),
    ],
)
def test_over_fitting_names_a_rise_only_where_the_validation_loss_rose(losses, risen):
    curve = [{**row, "split": "valid"} for row in rows(losses)]
    parts = [{"elbo": elbo, "distortion": 600.0, "rate": 10.0} for elbo in (590.0, 400.0)]
    (finding,) = diagnose(replace(CASE, rows=curve, train=parts[0], held_out=parts[1]))
    assert finding.name == "over-fitting"
    assert ("has risen to" in finding.message) == risen == ("lowest_valid" in finding.evidence)


def test_only_a_running_run_may_still_fall():
    falling = rows(100 * np.exp(-np.arange(40.0) / 20) + 20)
    assert names(replace(CASE, state="running", rows=falling)) == []


def test_vectors_need_one_scale_and_images_do_not():
    data = DataFacts(100, 4, -3.0, 3.0, is_image=False, spreads=(0.01, 1.0))
    assert names(replace(CASE, data=data)) == ["unscaled-inputs"]
    assert names(replace(CASE, data=replace(data, is_image=True))) == []


GAUSSIAN = {"name": "gaussian", "sigma": "fixed", "scale": 1.0}


def test_a_fixed_scale_is_judged_by_what_beta_makes_of_it():
    case = replace(CASE, likelihood=GAUSSIAN, beta_effective=1.0, held_out={"mse": 0.01, "rate": 5.0})
    (plain,) = diagnose(case)
    assert plain.settings == ("model.likelihood.sigma=learned",) and "too little" in plain.message
    (half,) = diagnose(replace(case, beta=0.5, beta_effective=0.5))
    assert half.settings[1] == "objective.beta=1.0" and half.evidence["scale_at_beta_1"] == pytest.approx(0.5**0.5)
    assert "weighs as a scale of 0.707" in half.message and "too little" in half.message
    (made_up,) = diagnose(replace(case, beta=0.01, beta_effective=0.01))
    assert "wrong scale" in made_up.message
    (small,) = diagnose(replace(case, beta=1e-5, beta_effective=1e-5))
    assert "too much" in small.message


def test_of_a_collapsed_model_the_scale_is_no_finding_of_its_own():
    case = replace(CASE, likelihood=GAUSSIAN, beta=50.0, beta_effective=50.0, held_out={"mse": 0.05, "rate": 1e-6})
    (one,) = diagnose(case)
    assert one.name == "posterior-collapse" and "model.likelihood.sigma=learned" in one.settings


def test_a_latent_space_is_not_too_small_where_as_many_straight_axes_do_better():
    """Such as that of a denoiser, whose errors are those of noise, or of a network that is poorly trained."""
    left = tuple(0.9**k for k in range(40))  # by the first k principal components
    data = DataFacts(100, 40, 0.0, 1.0, variance=0.1, unexplained=left)
    case = replace(CASE, objective="autoencoder", has_prior=False, latent_dim=4, data=data)
    tight = {"mse": 0.06, "active_units": 4}
    assert names(replace(case, held_out=tight)) == ["latent-too-small"]
    (of_a_map,) = diagnose(replace(case, held_out=tight, sizable=False))
    assert of_a_map.settings == () and "its last layer in model.encoder" in of_a_map.remedy
    assert names(replace(case, held_out=tight | {"mse": 0.07})) == []


def test_whoever_memorises_is_told_what_to_set():
    data = DataFacts(80, 40, 0.0, 1.0, variance=0.1, unexplained=(1.0, 0.01))
    case = replace(CASE, latent_dim=64, data=data, train={"mse": 0.01}, held_out={"mse": 0.03})
    (vae,) = (one for one in diagnose(case) if one.name == "memorising")
    assert vae.settings == ("model.latent_dim=2", "training.patience=10", "data.validation=0.1")
    (plain,) = (one for one in diagnose(replace(case, has_prior=False)) if one.name == "memorising")
    assert plain.settings == ("model.latent_dim=2", "objective.l2=0.001")


def test_facts_are_those_of_the_data():
    x = np.random.default_rng(0).normal(size=(500, 6)) @ np.diag([3.0, 2.0, 1.0, 0.1, 0.1, 0.1])
    facts = data_facts(load(DataSettings(validation=0.0, test_fraction=0.0), arrays=x))
    assert facts.variance == pytest.approx(x.var(axis=0).mean(), rel=1e-5)
    values = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    left = 1 - np.concatenate([[0], values.cumsum()]) / values.sum()
    np.testing.assert_allclose(facts.unexplained, left.clip(0), atol=1e-6)
    assert facts.components(0.1) == 2 and facts.components(0.01) == 3
    assert (facts.low, facts.high) == (pytest.approx(x.min()), pytest.approx(x.max()))
    one = data_facts(load(DataSettings(), arrays=np.ones((1, 3))))
    assert one.variance is None and one.unexplained == ()
