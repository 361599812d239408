"""Priors fitted to finished runs: kept, found, refused, resumed to the same weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from latentia.errors import CheckpointError, ConfigError, Interrupted, RunError
from latentia.evaluation.encoding import draw_labelled_latents, draw_latents
from latentia.parts.latent_priors import CorrelatedMixturePrior
from latentia.runs import fitting, pictures
from latentia.runs.priors import find_prior, fitted_names
from latentia.runs.run import Run, open_run
from latentia.runs.uses import generation
from latentia.training.checkpoint import from_bytes, to_bytes
from latentia.training.events import Events

SMALL = ["training.steps=30", "training.device=cpu", "training.threads=1"]
DIFFUSION = [
    "width=16",
    "blocks=1",
    "sampling_steps=5",
    "training.steps=12",
    "training.batch_size=32",
    "training.device=cpu",
    "training.threads=1",
    "training.log_every=2",
    "training.checkpoint_every=3",
]


@pytest.fixture
def fewer_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "draw_samples", lambda path, *rest: path.write_bytes(b"PNG"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "ae"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
        fitting.train("ae", directory=path, settings=[*SMALL, "model.latent_dim=4"])
    return path


@pytest.fixture
def ae(trained: Path, tmp_path: Path, fewer_pictures: None) -> Run:
    return open_run(shutil.copytree(trained, tmp_path / "ae"))


@pytest.fixture(scope="module")
def trained_vae() -> Run:
    return fitting.train("vae", directory=None, settings=[*SMALL, "model.latent_dim=4"])


@pytest.fixture
def vae(trained_vae: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(trained_vae, "fitted_priors", {})
    return trained_vae


def test_an_autoencoder_samples_from_its_mixture(ae: Run) -> None:
    with pytest.raises(ConfigError, match=r"latentia fit-prior .*ae gmm"):
        ae.sample(3)
    with pytest.raises(ConfigError, match=r"fit it with `latentia fit-prior .*ae diffusion`"):
        ae.sample(3, prior="diffusion")
    fit = ae.fit_prior("gmm", settings=["components=3"])
    report = json.loads(json.dumps(fit.to_json()))
    assert report["latents"] == 1438 and report["latent_shape"] == [4] and report["draws"] == 1
    assert set(report["log_density"]) == {"train", "test"} and report["converged"] in (True, False)
    assert Path(report["picture"]).name == "samples-gmm.png"
    assert ae.path is not None and sorted(path.name for path in (ae.path / "priors").iterdir()) == ["gmm"]
    again = open_run(ae.path)
    samples = again.sample(5, write=False)
    assert samples.prior == "gmm" and samples.x.shape == (5, 1, 8, 8)
    assert torch.equal(samples.x, ae.sample(5, prior="gmm", write=False).x)
    assert not torch.equal(samples.x, again.sample(5, prior="standard-normal", write=False).x)
    _, prior = find_prior(again, "gmm")
    assert prior is not None
    latents = draw_latents(ae.model, ae.dataset)
    density = prior().log_prob(latents).double().mean().item()
    assert density == pytest.approx(report["log_density"]["train"], rel=1e-6)
    drawn = prior.sample(20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), latents.mean(0), atol=0.1, rtol=0.1)
    torch.testing.assert_close(drawn.std(0), latents.std(0), atol=0.1, rtol=0.1)
    report_page = (ae.path / "report.html").read_text()
    assert "Samples from a mixture" in report_page and "fit-prior" in report_page


def test_the_prior_that_was_fitted_last_is_the_default(ae: Run) -> None:
    ae.fit_prior("gmm", settings=["components=2"])
    ae.fit_prior("diffusion", settings=DIFFUSION)
    assert fitted_names(ae) == ["gmm", "diffusion"]
    ae.fit_prior("gmm", settings=["components=2"])
    assert fitted_names(ae) == ["diffusion", "gmm"] and ae.sample(2, write=False).prior == "gmm"


def test_a_vae_keeps_its_own_prior_as_the_default(vae: Run) -> None:
    assert vae.sample(3).prior == "model"
    fit = vae.fit_prior("gmm", settings=["components=2", "draws=3"])
    assert fit.report["latents"] == 3 * 1438 and fit.report["run"] is None
    assert vae.sample(3).prior == "model" and vae.sample(3, prior="gmm").prior == "gmm"
    with pytest.raises(ConfigError, match="there is no prior 'mixture': use model, standard-normal, uniform, gmm"):
        vae.sample(3, prior="mixture")


@pytest.fixture(scope="module")
def conditional() -> Run:
    settings = [*SMALL, "model.latent_dim=4", "training.steps=200"]
    return fitting.train("conditional-vae", directory=None, settings=settings)


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_a_conditional_model_has_a_mixture_for_each_class(conditional: Run, covariance: str) -> None:
    fit = conditional.fit_prior("gmm", settings=["components=2", f"covariance={covariance}"])
    assert fit.report["classes"] == 10 and set(fit.report["log_density"]) == {"train", "test"}
    assert fit.prior.conditional
    z, y = draw_labelled_latents(conditional.model, conditional.dataset, draws=4)
    assert y is not None and len(z) == len(y) == fit.report["latents"]
    for label in (0, 7):
        drawn = fit.prior.sample(20_000, torch.Generator().manual_seed(0), y=torch.full((20_000,), label))
        torch.testing.assert_close(drawn.mean(0), z[y == label].mean(0), atol=0.1, rtol=0)
        torch.testing.assert_close(drawn.std(0), z[y == label].std(0), atol=0.1, rtol=0)
    samples = conditional.sample(3, classes=[7, 1], prior="gmm", write=False)
    assert samples.prior == "gmm" and samples.x.shape == (6, 1, 8, 8) and samples.classes == ("7", "1")
    measured = fit.prior(y[:10_000]).log_prob(z[:10_000]).double().mean().item()
    assert measured == pytest.approx(fit.report["log_density"]["train"], rel=1e-5)


def test_labels_lie_beside_their_latents(conditional: Run) -> None:
    z, y = draw_labelled_latents(conditional.model, conditional.dataset, "test", draws=3)
    part = conditional.dataset.split("test")
    with torch.no_grad():
        q = conditional.model.encode(conditional.preparation(part.x[:]), part.y)
    first = min(256, len(part.x))  # a block
    assert y is not None and part.y is not None
    for draw in range(3):
        rows = slice(draw * first, (draw + 1) * first)
        assert torch.equal(y[rows], part.y[:first])
        assert (((z[rows] - q.mean[:first]) / q.scale[:first]).abs() < 6).all()
    assert torch.equal(z, draw_latents(conditional.model, conditional.dataset, "test", draws=3))


def test_a_conditional_model_has_a_diffusion_that_is_told_the_class(conditional: Run) -> None:
    fit = conditional.fit_prior("diffusion", settings=DIFFUSION)
    assert fit.prior.conditional and fit.report["log_density"] is None and fit.report["classes"] == 10
    samples = conditional.sample(2, prior="diffusion", write=False)
    assert samples.x.shape == (20, 1, 8, 8)


def test_a_mixture_that_overfits_says_so(conditional: Run) -> None:
    heard: list[str] = []

    class Listener(Events):
        def said(self, message: str) -> None:
            heard.append(message)

    few = ["draws=1", "components=40"]  # of about 140 latents of each class
    density = conditional.fit_prior("gmm", settings=few, events=Listener()).report["log_density"]
    assert density["train"] - density["test"] > 2 and any("lower components" in message for message in heard)
    heard.clear()
    density = conditional.fit_prior("gmm", settings=["components=1"], events=Listener()).report["log_density"]
    assert density["train"] - density["test"] < 2 and not any("lower components" in message for message in heard)


def test_a_class_with_few_latents_says_so(conditional: Run) -> None:
    with pytest.raises(ConfigError, match=r"class '0' has \d+ latents, too few for 5000 components: lower components"):
        conditional.fit_prior("gmm", settings=["components=5000"])


def test_fitted_priors_of_classes_are_found_again_and_judged(
    tmp_path: Path, no_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "draw_class_samples", lambda path, *rest: path.write_bytes(b"PNG"))
    settings = [*SMALL, "model.latent_dim=4", "model.prior.components=2"]
    path = tmp_path / "mixed"
    run = fitting.train("conditional-mixture-vae", directory=path, settings=settings)
    fit = run.fit_prior("gmm", settings=["components=2"])
    name, prior = find_prior(open_run(path), "gmm")
    assert name == "gmm" and prior is not None and prior.conditional
    left, right = fit.prior.state_dict(), prior.state_dict()
    assert left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)
    again = open_run(path)
    assert torch.equal(again.sample(2, prior="gmm", write=False).x, run.sample(2, prior="gmm", write=False).x)
    assert again.sample(2, write=False).prior == "model"
    with pytest.raises(ConfigError, match=r"knows no classes.*fit-prior"):
        again.sample(2, prior="standard-normal", write=False)
    assert generation.judged_priors(again) == ["model", "gmm"]


def test_a_prior_that_was_fitted_before_they_knew_classes_still_draws(
    tmp_path: Path, no_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "draw_class_samples", lambda path, *rest: path.write_bytes(b"PNG"))
    path = tmp_path / "old"
    run = fitting.train("conditional-vae", directory=path, settings=[*SMALL, "model.latent_dim=4"])
    run.fit_prior("gmm", settings=["components=2"])
    config = path / "priors" / "gmm" / "config.json"
    weights = to_bytes(CorrelatedMixturePrior((4,), 2).state_dict())
    value = json.loads(config.read_text()) | {"sha256": hashlib.sha256(weights).hexdigest()}
    del value["classes"]
    config.write_text(json.dumps(value))
    (config.parent / "prior.safetensors").write_bytes(weights)
    _, found = find_prior(open_run(path), "gmm")
    assert found is not None and not found.conditional
    assert open_run(path).sample(2, classes=[3], prior="gmm", write=False).x.shape == (2, 1, 8, 8)


def test_draws_follow_the_posterior(vae: Run) -> None:
    one, again, other = (draw_latents(vae.model, vae.dataset, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other) and one.shape == (1438, 4)
    x = vae.preparation(vae.dataset.split("train").loaded())
    with torch.no_grad():
        q = vae.model.encode(x)
    error = (one - q.mean) / q.scale
    assert abs(float(error.mean())) < 5 / 75 and abs(float(error.std()) - 1) < 0.05


class Stop(Events):
    """Asks a fit to stop after some steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def logged(self, row: Any) -> None:
        if row["step"] >= self.step:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_fit_goes_on_to_the_same_weights(ae: Run) -> None:
    assert ae.directory is not None
    ae.fit_prior("diffusion", settings=DIFFUSION)
    folder = ae.directory.priors / "diffusion"
    whole = from_bytes((folder / "prior.safetensors").read_bytes(), folder)
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    with pytest.raises(Interrupted, match="the same command goes on with it"):
        ae.fit_prior("diffusion", settings=DIFFUSION, events=Stop(5))
    assert ae.sample(2, prior="diffusion", write=False).prior == "diffusion"  # the former one is intact
    assert (ae.directory.priors / ".fitting-diffusion").is_dir()
    fit = open_run(ae.directory.path).fit_prior("diffusion", settings=DIFFUSION)
    resumed = from_bytes((folder / "prior.safetensors").read_bytes(), folder)
    assert whole.keys() == resumed.keys() and all(torch.equal(whole[name], resumed[name]) for name in whole)
    without_time = [{k: v for k, v in json.loads(row).items() if k != "seconds"} for row in rows]
    found = [json.loads(row) for row in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in found] == without_time
    assert fit.report["steps"] == 12 and not (ae.directory.priors / ".fitting-diffusion").exists()


def test_another_fit_does_not_go_on_with_an_interrupted_one(ae: Run) -> None:
    with pytest.raises(Interrupted):
        ae.fit_prior("diffusion", settings=DIFFUSION, events=Stop(5))
    seeded = ae.fit_prior("diffusion", settings=DIFFUSION, seed=3)
    assert ae.path is not None
    apart = Run(ae.config, directory=None, summary={}, model=ae.model, dataset=ae.dataset)
    expected = apart.fit_prior("diffusion", settings=DIFFUSION, seed=3)
    left, right = seeded.prior.state_dict(), expected.prior.state_dict()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_model_that_was_trained_further_refuses_its_former_prior(ae: Run, no_pictures: None) -> None:
    assert ae.path is not None
    ae.fit_prior("gmm", settings=["components=2"])
    fitting.resume(ae.path, epochs=4)
    with pytest.raises(RunError, match=r"trained further.*latentia fit-prior"):
        open_run(ae.path).sample(2, prior="gmm")
    with pytest.raises(RunError, match="trained further"):
        open_run(ae.path).sample(2)


@pytest.mark.parametrize("damage", ["truncate", "json", "foreign"])
def test_a_damaged_prior_is_refused_with_the_remedy(ae: Run, damage: str) -> None:
    assert ae.directory is not None
    ae.fit_prior("gmm", settings=["components=2"])
    folder = ae.directory.priors / "gmm"
    if damage == "truncate":
        data = (folder / "prior.safetensors").read_bytes()
        (folder / "prior.safetensors").write_bytes(data[:-8])
    elif damage == "json":
        (folder / "config.json").write_text("{")
    else:
        (folder / "config.json").write_text(json.dumps({"format": "other", "version": 1}))
    with pytest.raises(CheckpointError, match=r"is damaged: fit it again with `latentia fit-prior"):
        ae.sample(2, prior="gmm", write=False)


def test_settings_that_need_a_validation_part_are_refused_without_one(vae: Run) -> None:
    with pytest.raises(ConfigError, match=r"training.patience needs a validation part.*data.validation"):
        vae.fit_prior("diffusion", settings=[*DIFFUSION, "training.patience=2"])
    with pytest.raises(ConfigError, match="seed"):
        vae.fit_prior("gmm", seed=-1)


def test_a_validation_part_chooses_the_weights(vae: Run) -> None:
    splits = {**vae.dataset.splits, "valid": vae.dataset.splits["test"]}
    dataset = dataclasses.replace(vae.dataset, splits=splits)
    run = Run(vae.config, directory=None, summary={}, model=vae.model, dataset=dataset)
    rows: list[Any] = []

    class Listener(Events):
        def logged(self, row: Any) -> None:
            rows.append(row)

    run.fit_prior("diffusion", settings=[*DIFFUSION, "training.evaluate_every=4"], events=Listener())
    assert [row["step"] for row in rows if row["split"] == "valid"] == [4, 8, 12]
