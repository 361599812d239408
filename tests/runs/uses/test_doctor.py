"""Each illness is produced by really training it, and found; a healthy run gets no finding."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentia as lt
from latentia.errors import DivergedError
from latentia.evaluation.health import Finding
from latentia.runs.fitting import DEMO_SETTINGS
from latentia.runs.run import Run

ONE = "training.threads=1"
COLLAPSING = [  # "SSE + 100 KL" on two latents
    "model.latent_dim=2",
    "model.likelihood.name=gaussian",
    "model.likelihood.loc_activation=sigmoid",
    "objective.beta=50.0",
]


def digits(count: int) -> dict[str, np.ndarray]:
    """A few digits to train on, and 300 others to test on."""
    from sklearn.datasets import load_digits

    images: Any = np.round(load_digits().images * (255 / 16)).astype(np.uint8)  # type: ignore[attr-defined]
    return {"x": images[:count], "x_test": images[-300:]}


def trained(preset: str, data: Any = "digits", *settings: str, epochs: float = 30, directory: Any = None) -> Run:
    return lt.train(preset, data, directory=directory, epochs=epochs, settings=[ONE, "training.log_every=5", *settings])


def finding(run: Run, name: str) -> Finding:
    """The one finding of this name; its figures and settings are as they must be."""
    found = {one.name: one for one in run.doctor().findings}
    assert name in found, f"found {sorted(found)}"
    one = found[name]
    assert one.message and one.remedy and one.settings and all("=" in setting for setting in one.settings)
    json.dumps(one.to_json(), allow_nan=False)
    return one


def healed(run: Run, name: str, train_again: Callable[[tuple[str, ...]], Run]) -> None:
    """The settings that a finding names can be set, and cure it."""
    again = train_again(finding(run, name).settings)
    assert name not in [one.name for one in again.doctor().findings]


# --- health -----------------------------------------------------------------------------------------------------------


def test_a_healthy_run_is_left_alone():
    run = lt.train("vae", "digits", directory=None, settings=DEMO_SETTINGS)
    diagnosis = run.doctor()
    assert diagnosis.findings == () and diagnosis.missing == () and diagnosis.healthy


@pytest.mark.parametrize(
    ("preset", "epochs", "settings"),
    [
        ("ae", 60, []),
        ("denoising-ae", 60, []),
        ("conditional-vae", 60, ["model.latent_dim=6"]),  # given the class, few latents are worth their rate
        ("conv-ae", 20, []),
        ("conv-vae", 25, []),
        ("vq-vae", 15, []),
    ],
)
def test_a_healthy_run_of_any_family_is_left_alone(preset: str, epochs: float, settings: list[str]):
    run = trained(preset, "digits", "training.log_every=20", "data.validation=0.1", *settings, epochs=epochs)
    assert [one.to_json() for one in run.doctor().findings] == [] == list(run.doctor().missing)


# --- latents ----------------------------------------------------------------------------------------------------------


def test_posterior_collapse_as_in_the_lecture():
    run = trained("vae", "digits", *COLLAPSING)
    one = finding(run, "posterior-collapse")
    assert one.severity == "severe" and one.evidence["rate"] < 0.1 and one.evidence["active_units"] == 0
    assert one.evidence["beta_effective"] == 50.0
    assert one.evidence["mse"] == pytest.approx(one.evidence["mse_of_the_mean_sample"], rel=0.1)
    assert "objective.beta=1.0" in one.settings
    healed(run, "posterior-collapse", lambda settings: trained("vae", "digits", *COLLAPSING[:3], *settings, epochs=60))


def test_the_lecture_s_own_preset_collapses():
    run = lt.train("vae-2d-w100", "digits", directory=None, steps=400, settings=[ONE])
    one = finding(run, "posterior-collapse")
    assert one.evidence["rate"] < 0.1 and one.evidence["beta_effective"] == 50.0
    assert one.settings == ("objective.beta=1.0", "model.likelihood.sigma=learned")


def test_collapse_under_a_scale_that_is_too_large_is_not_blamed_on_beta():
    run = trained("vae", "digits", "model.likelihood.name=gaussian", "model.likelihood.scale=3.0", epochs=20)
    assert finding(run, "posterior-collapse").settings == ("model.likelihood.sigma=learned",)


def test_inactive_units():
    run = trained("vae", "digits", "model.latent_dim=64", epochs=80)
    one = finding(run, "inactive-units")
    assert one.severity == "slight" and one.evidence["carrying"] < 0.15 * one.evidence["latent_dim"] == 0.15 * 64
    assert one.settings[0].startswith("model.latent_dim=")


def test_latent_too_small():
    run = trained("ae", "digits", "model.latent_dim=2", epochs=60)
    one = finding(run, "latent-too-small")
    assert one.settings == ("model.latent_dim=24",) and one.evidence["unexplained"] > 0.25
    healed(run, "latent-too-small", lambda settings: trained("ae", "digits", *settings, epochs=60))


def test_a_latent_space_so_large_that_samples_are_learned_by_heart():
    run = trained("ae", digits(80), "model.latent_dim=64", "training.batch_size=16", epochs=200)
    one = finding(run, "memorising")
    assert one.evidence["ratio"] > 1.5 and one.evidence["mse_held_out"] > one.evidence["mse_train"]


def test_dead_codes():
    settings = ["learning=gradient", "initialisation=random", "revive_below=0.0"]
    run = trained("vq-vae", "digits", *(f"model.posterior.{setting}" for setting in settings), epochs=3)
    one = finding(run, "dead-codes")
    assert one.evidence["codes"] == 512 and one.evidence["perplexity"] < 51.2
    healed(run, "dead-codes", lambda more: trained("vq-vae", "digits", *more, epochs=10))


# --- data and likelihood ----------------------------------------------------------------------------------------------


def test_a_scale_that_does_not_fit_the_errors():
    settings = ["model.likelihood.name=gaussian", "model.likelihood.loc_activation=sigmoid", "objective.beta=0.01"]
    run = trained("vae", "digits", *settings)
    one = finding(run, "likelihood-misfit")
    assert one.evidence["ratio"] > 3 and one.evidence["scale_at_beta_1"] == pytest.approx(0.1)
    assert "wrong scale" in one.message  # beta = 0.01 is what a scale of 0.1 is
    assert one.settings == ("model.likelihood.sigma=learned", "objective.beta=1.0")
    healed(run, "likelihood-misfit", lambda more: trained("vae", "digits", *settings[:2], *more))


def test_a_cross_entropy_on_grey_values():
    x = (80 + digits(400)["x"] // 3).astype(np.uint8)
    one = finding(trained("vae", x, epochs=10), "likelihood-misfit")
    assert one.evidence["grey"] > 0.9 and one.settings == ("model.likelihood.name=discretized-logistic",)


def test_unscaled_inputs():
    x = digits(400)["x"].astype(np.float32)  # 0 ... 255, and no longer known as 8-bit
    run = trained("vae", x, "model.likelihood.name=gaussian", epochs=5)
    one = finding(run, "unscaled-inputs")
    assert one.severity == "severe" and one.evidence["high"] == 255 and one.settings == ("data.scale=unit",)
    healed(run, "unscaled-inputs", lambda settings: trained("vae", x, *settings, epochs=5))


def test_features_on_different_scales():
    x = np.random.default_rng(0).normal(size=(300, 4)) * [1.0, 0.02, 1.0, 2.0]
    one = finding(trained("ae", x, "model.likelihood.loc_activation=identity", epochs=5), "unscaled-inputs")
    assert one.evidence["widest"] / one.evidence["narrowest"] > 50 and one.settings == ("data.scale=standard",)


# --- course -----------------------------------------------------------------------------------------------------------


def test_over_fitting():
    run = trained("vae", digits(60), "training.batch_size=20", "data.validation=0.2", epochs=150)
    one = finding(run, "over-fitting")
    assert one.evidence["held_out"] > one.evidence["train"] and "training.patience=10" in one.settings


def test_classes_that_were_left_out_are_no_sign_of_over_fitting():
    run = trained("vae", "digits", "data.normal_classes=0", "data.validation=0.3", epochs=30)
    assert run.summary["test"]["elbo"] < 1.2 * run.metrics[-1]["loss"] * -1  # far worse on the other classes
    assert "over-fitting" not in [one.name for one in run.doctor().findings]


def test_a_warm_up_as_long_as_the_run():
    settings = ['objective.beta={name="linear", start=0.0, end=1.0}']
    run = trained("vae", "digits", *settings, epochs=10)
    assert finding(run, "warm-up-too-long").settings == ("objective.beta.until=0.3",)
    healed(run, "warm-up-too-long", lambda more: trained("vae", "digits", *settings, *more, epochs=10))


def test_training_that_has_not_converged():
    one = finding(trained("vae", "digits", "training.log_every=1", epochs=2), "not-converged")
    assert one.evidence["last_quarter"] < one.evidence["third_quarter"] and one.settings[0] == "training.epochs=4"


def test_training_that_goes_astray():
    rising = 'training.lr_schedule={name="linear", start=1.0, end=2000.0, begin=0.5}'
    one = finding(trained("ae", "digits", rising, epochs=10), "diverging")
    assert one.severity == "severe" and one.evidence["last_quarter"] > one.evidence["lowest"]


# --- runs that are not finished ---------------------------------------------------------------------------------------


def test_a_diverged_run_is_judged_by_its_metrics(tmp_path: Path):
    with pytest.raises(DivergedError):
        trained("vae", "digits", "training.optimizer.lr=1e30", directory=tmp_path / "run", epochs=2)
    diagnosis = lt.open_run(tmp_path / "run").doctor()
    assert diagnosis.state == "diverged" and [one.name for one in diagnosis.findings] == ["diverging"]
    assert "the model was not evaluated" in diagnosis.missing[0]


@pytest.mark.usefixtures("no_pictures")
def test_a_running_run_is_judged_by_what_it_has_logged(tmp_path: Path):
    run = trained("vae", "digits", *COLLAPSING, directory=tmp_path / "run")
    stored = json.loads((tmp_path / "run" / "doctor.json").read_text())
    assert stored["findings"][0]["name"] == "posterior-collapse"
    assert "posterior collapse" in (tmp_path / "run" / "report.html").read_text()
    assert run.directory is not None
    run.directory.write_status("running", 300)
    diagnosis = lt.open_run(tmp_path / "run").doctor()
    assert diagnosis.state == "running"
    assert "posterior-collapse" in [one.name for one in diagnosis.findings]
