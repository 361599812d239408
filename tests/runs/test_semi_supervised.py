"""M2 and M1+M2 as runs: what they may see, that they can be interrupted, reloaded, sampled and used."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.data import labels
from latentia.errors import ConfigError, Interrupted
from latentia.models.stacked import StackedModel
from latentia.runs.run import Run  # before a test puts another choice in place, so that no module keeps that
from latentia.training.distributed import Alone
from latentia.training.events import Events
from latentia.training.launch import Launch

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL = {
    "training.threads": 1,
    "training.batch_size": 16,
    "training.log_every": 4,
    "data.labels": 9,
    "model.latent_dim": 3,
    **{f"model.{part}.hidden": [8] for part in ("encoder", "decoder", "classifier")},
    "objective.labelled": 6,
}
BASE = {"model.base.latent_dim": 4, "model.base.encoder.hidden": [8], "model.base.decoder.hidden": [8]}
M1 = {"model.latent_dim": 4, "model.encoder.hidden": [8], "model.decoder.hidden": [8], "training.threads": 1}


def few(
    preset: str, data: Any, directory: Path | None = None, steps: int = 12, events: Events | None = None, **more: Any
) -> Run:
    chosen = SMALL | (BASE | {"training.base_epochs": 2} if preset == "m1-m2" else {})
    settings = chosen | {key.replace("__", "."): value for key, value in more.items()}
    return lt.train(preset, data, directory=directory, steps=steps, seed=1, settings=settings, events=events)


@pytest.mark.parametrize("preset", ["m2", "m1-m2", "m1"])
def test_hidden_labels_change_nothing(preset: str, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same labelled samples, all other labels of the training and the validation part scrambled."""
    kept = np.array([3, 5, 8, 20, 33, 41, 50, 60, 70])
    monkeypatch.setattr(labels, "choose_labelled", lambda y, n, seed: kept)
    hidden = {**arrays, "y": arrays["y"].copy(), "x_valid": arrays["x_test"], "y_valid": arrays["y_test"]}
    other = {**hidden, "y": np.random.default_rng(9).integers(0, 3, 80), "y_valid": (arrays["y_test"] + 1) % 3}
    other["y"][kept] = hidden["y"][kept]
    assert (other["y"] != hidden["y"]).mean() > 0.4
    more = {"settings": M1 | {"data.labels": 9, "training.batch_size": 16}} if preset == "m1" else {}
    runs = [
        lt.train(preset, data, directory=None, steps=12, seed=1, **more) if more else few(preset, data)
        for data in (hidden, other)
    ]
    first, second = (run.model.state_dict() for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [row["loss"] for row in runs[0].metrics] == [row["loss"] for row in runs[1].metrics]
    assert runs[0].summary["test"] == runs[1].summary["test"]
    assert all(run.dataset.split(part).y is None for run in runs for part in ("train", "valid"))
    other["y"][kept] = (other["y"][kept] + 1) % 3  # while those that are kept do
    if preset != "m1":
        third = few(preset, other).model.state_dict()
        assert any(not torch.equal(first[name], third[name]) for name in first)


@pytest.mark.parametrize("preset", ["m2", "m1-m2"])
def test_a_run_is_reloaded_evaluated_and_used(preset: str, arrays: dict[str, Any], tmp_path: Path) -> None:
    trained = few(preset, arrays, tmp_path / "run")
    run = lt.open_run(tmp_path / "run", data=arrays)
    test = run.dataset.split("test")
    assert test.y is not None
    x = run.preparation(test.x)
    assert torch.equal(run.model.classify(x), trained.model.classify(x))
    wrong = float((run.model.classify(x).argmax(1) != test.y).double().mean())
    evaluation = run.evaluate(importance_samples=3)
    assert evaluation["error"] == trained.summary["test"]["error"] == pytest.approx(wrong)
    assert evaluation["nll"] is not None and "the label" in evaluation["protocol"]["condition"]
    assert run.measure("train")["error"] is None
    result = run.classify()
    assert result.error == pytest.approx(wrong) and result.errors.keys() == {"model"}
    assert (result.labels, result.unlabelled, result.n) == (9, len(run.dataset.split("train")), 20)
    assert result.picture is not None and result.picture.is_file() and result.confusion.sum() == 20
    samples = run.sample(2, classes=["1", "2"], write=False)
    assert samples.x.shape == (4, 1, 8, 8) and samples.classes == ("1", "2")
    assert run.reconstruct(4, write=False).reconstruction.shape == (4, 1, 8, 8)
    assert not run.doctor().missing
    for arguments in ({"labels": 9}, {"method": "svm"}, {"draws": 2}):
        with pytest.raises(ConfigError, match=r"classifies by a .* of its own"):
            run.classify(**arguments)
    with pytest.raises(ConfigError, match="another part must be classified"):
        run.classify(split="train")


class InterruptAt(Events):
    """Interrupts once something has been said or logged."""

    def __init__(self, said: str | None = None, step: int | None = None) -> None:
        self.wanted, self.step = said, step

    def said(self, message: str) -> None:
        """Look for the words."""
        if self.wanted is not None and self.wanted in message:
            os.kill(os.getpid(), signal.SIGTERM)

    def logged(self, row: Any) -> None:
        """Look for the step."""
        if row["step"] == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("stop", [{"said": "after epoch 1.1"}, {"step": 4}])
def test_an_interrupted_run_goes_on_in_the_model_it_was_at(
    stop: dict[str, Any], arrays: dict[str, Any], tmp_path: Path, contents: Callable[[Path], dict[str, Any]]
) -> None:
    few("m1-m2", arrays, tmp_path / "whole")
    with pytest.raises(Interrupted, match="go on with: latentia resume"):
        few("m1-m2", arrays, tmp_path / "cut", events=InterruptAt(**stop))
    lt.resume(tmp_path / "cut", data=arrays)
    whole, cut = (contents(tmp_path / name) for name in ("whole", "cut"))
    assert whole.keys() == cut.keys() and all(whole[key] == cut[key] for key in whole)
    rows = [(tmp_path / name / "base" / "metrics.jsonl").read_text().count("\n") for name in ("whole", "cut")]
    assert rows[0] == rows[1] > 0


def test_the_model_beneath_is_m1(arrays: dict[str, Any], tmp_path: Path) -> None:
    """The same weights as those of a run of m1 on the same data, by training or by name."""
    m1 = lt.train(
        "m1",
        arrays,
        directory=tmp_path / "m1",
        epochs=2,
        seed=1,
        settings=M1 | {"data.labels": 9, "training.batch_size": 16},
    )
    named = few("m1-m2", arrays, training__base_epochs=None, training__base_run=str(tmp_path / "m1"))
    assert isinstance(named.model, StackedModel)
    expected, found = m1.model.state_dict(), named.model.base.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    own = few("m1-m2", arrays)
    assert isinstance(own.model, StackedModel) and own.model.base.state_dict().keys() == expected.keys()
    with pytest.raises(ConfigError, match=r"differs from model.base in latent_dim"):
        few(
            "m1-m2",
            arrays,
            training__base_epochs=None,
            training__base_run=str(tmp_path / "m1"),
            model__base__latent_dim=5,
        )
    with pytest.raises(ConfigError, match="was trained on other data"):
        few(
            "m1-m2",
            {"x": np.zeros((40, 3), np.uint8), "y": np.arange(40) % 3},
            training__base_epochs=None,
            training__base_run=str(tmp_path / "m1"),
        )


@pytest.mark.parametrize(
    ("preset", "settings", "message"),
    [
        ("m2", {"data.labels": None}, r"learns from few labels: use --set data.labels=100"),
        ("m2", {"model.classifier": None}, r"needs a classifier, labels and a prior: use --set"),
        ("m2", {"objective.name": "elbo"}, r"nothing trains the classifier"),
        ("m2", {"model.condition": None}, r"needs a classifier, labels and a prior: use --set"),
        ("m2", {"training.base_epochs": 3}, r"training.base_epochs is of a model beneath, and there is none"),
        ("m1-m2", {"training.base_epochs": None}, r"use --set training.base_epochs=20"),
        ("m1-m2", {"training.base_run": "runs/m1"}, r"use --set training.base_epochs=20"),
        (
            "m1-m2",
            {"model.classifier": None, "objective.name": "elbo"},
            r"trained with a classifier: use --set objective.name=semi-supervised",
        ),
        ("conditional-vae", {"data.labels": 9}, r"needs the labels of every part"),
    ],
)
def test_what_cannot_be_combined_is_refused(
    preset: str, settings: dict[str, Any], message: str, arrays: dict[str, Any]
) -> None:
    with pytest.raises(lt.LatentiaError, match=message):
        lt.train(preset, arrays, directory=None, steps=1, settings={"data.labels": 9, **settings})


def test_it_learns_classes_that_few_labels_say(arrays: dict[str, Any]) -> None:
    """Rows, columns and squares in noise: with six labels, most of the rest."""
    source = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = source.integers(0, 100, (300, 1, 8, 8), dtype=np.uint8)
    x[y == 0, :, 3] += 150
    x[y == 1, :, :, 3] += 150
    x[y == 2, :, 2:5, 2:5] += 150
    better = {"training__optimizer__lr": 0.01, "model__classifier__hidden": [32]}
    run = few("m2", {"x": x[:240], "y": y[:240], "x_test": x[240:], "y_test": y[240:]}, steps=150, **better)
    assert run.summary["test"]["error"] < 0.1
    prior = run.fit_prior("gmm", settings=["components=2"])  # of each class, as the classifier says them
    assert prior.report["classes"] == 3 and run.sample(2, classes=["0"], prior="gmm", write=False).x.shape[0] == 2


@pytest.mark.parametrize("preset", ["m2", "m1-m2"])
def test_several_processes_are_refused_before_anything_is_trained(
    preset: str, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Alone, "launch", Launch(0, 2))
    with pytest.raises(ConfigError, match="train in one process, without torchrun"):
        few(preset, arrays)
