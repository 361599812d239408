"""Anomaly detection from a run: what was trained on, what is scored, and what it says where something is missing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import latentia as lt
from latentia.data import DataSettings, load
from latentia.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> lt.Run:
    """A VAE of zeros, trained enough to know them."""
    settings = {"data.normal_classes": ["0"], "data.validation": 0.2, "training.threads": 1, "training.device": "cpu"}
    return lt.train("vae", steps=300, directory=tmp_path_factory.mktemp("anomaly") / "run", settings=settings)


def test_only_normal_classes_are_trained_on() -> None:
    whole = load(DataSettings(source="digits"))
    for chosen in (["3", "8"], [3, 8]):
        cut = load(DataSettings.model_validate({"source": "digits", "normal_classes": chosen}))
        for part in ("train", "valid"):
            labels = cut.split(part).y
            assert labels is not None and set(labels.tolist()) == {3, 8}
        assert torch.equal(cut.split("test").x, whole.split("test").x)
        assert cut.fingerprint == whole.fingerprint
        assert cut.spec == whole.spec
        assert any("only the classes 3, 8 are trained on" in note for note in cut.notes)


def test_normal_classes_that_there_are_not(labelled: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"no class 'rows'\. Did you mean 'row'"):
        load(DataSettings(normal_classes=["rows"]), arrays=labelled)
    with pytest.raises(ConfigError, match="has no labels"):
        load(DataSettings(normal_classes=["0"]), arrays=np.zeros((9, 4)))
    with pytest.raises(DataError, match="holds nothing of the classes column"):
        load(DataSettings(normal_classes=["column"]), arrays={**labelled, "x": labelled["x"][:1], "y": ["row"]})
    only_test = {"x": labelled["x"], "x_test": labelled["x_test"], "y_test": labelled["y_test"]}
    dataset = load(DataSettings(normal_classes=["row"]), arrays=only_test)
    assert any("no labels, so that all of it counts as normal" in note for note in dataset.notes)


def test_other_digits_are_told_apart(run: lt.Run) -> None:
    found = run.anomaly(write=False)
    labels = run.dataset.split("test").y
    assert labels is not None and found.anomalous is not None
    assert torch.equal(found.anomalous, labels != 0)
    assert found.auroc == pytest.approx(roc_auc_score(found.anomalous, found.scores))
    assert found.auroc > 0.97
    assert set(found.auroc_per_class) == set("123456789")
    assert found.held_out is not None and found.held_out[1] == "valid images"
    value = found.to_json()
    assert value["detection_rate"] > 0.5
    assert value["highest"][0]["score"] == float(found.scores.max())
    listed = run.reconstruct(359, write=False).errors.double()
    assert torch.allclose(found.scores, listed, rtol=1e-4)


@pytest.mark.parametrize("score", ["squared-error", "elbo", "nll", "density", "prior-density"])
def test_scores_are_the_same_on_every_call_and_from_a_file(run: lt.Run, tmp_path: Path, score: str) -> None:
    found = run.anomaly(score=score, importance_samples=20, write=False)
    again = run.anomaly(score=score, importance_samples=20, write=False)
    assert torch.equal(found.scores, again.scores)
    np.save(tmp_path / "some.npy", run.dataset.split("test").x[[9, 5]].numpy())
    some = run.anomaly(score=score, importance_samples=20, input=tmp_path / "some.npy", write=False)
    assert torch.equal(some.scores, found.scores[[9, 5]])


def test_noise_of_the_data_is_left_out(tmp_path: Path) -> None:
    settings = {"data.binarize": "dynamic", "training.threads": 1}
    run = lt.train("vae", steps=3, directory=None, settings=settings)
    found = run.anomaly(write=False)
    np.save(tmp_path / "some.npy", run.dataset.split("test").x[[8]].numpy())
    assert torch.equal(run.anomaly(input=tmp_path / "some.npy", write=False).scores, found.scores[[8]])


def test_the_files(run: lt.Run) -> None:
    found = run.anomaly(show=5)
    assert run.path is not None
    with open(run.path / "plots" / "test-anomaly-squared-error.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows] == found.scores.tolist()
    assert found.alarms is not None
    assert [row["alarm"] == "1" for row in rows] == found.alarms.tolist()
    assert [row["label"] for row in rows] == found.names
    for name in ("picture", "histogram"):
        assert found.files[name].read_bytes()[1:4] == b"PNG"


def test_labels_that_the_model_does_not_know(run: lt.Run, tmp_path: Path) -> None:
    split = run.dataset.split("test")
    assert split.y is not None
    words = np.where(split.y.numpy() == 0, "normal", "anomalous")
    np.savez(tmp_path / "new.npz", x=split.x.numpy(), y=words)
    settings = {"training.threads": 1, "data.validation": 0.0}
    plain = lt.train("vae", {"x": split.x[split.y == 0].numpy()}, steps=5, directory=None, settings=settings)
    found = plain.anomaly(input=tmp_path / "new.npz", write=False)
    assert found.anomalous is not None and torch.equal(found.anomalous, split.y != 0)
    assert found.threshold is None
    assert any("--set data.validation=0.1, or give some by" in note for note in found.notes)
    np.save(tmp_path / "normals.npy", split.x[split.y == 0].numpy())
    held = plain.anomaly(input=tmp_path / "new.npz", normals=tmp_path / "normals.npy", write=False)
    assert held.threshold is not None and held.held_out is not None


def test_a_threshold_of_ones_own(run: lt.Run, tmp_path: Path) -> None:
    first = run.anomaly(write=False)
    middle = float(first.scores.median())
    found = run.anomaly(threshold=middle, out=tmp_path)
    assert (found.threshold, found.false_alarm_rate, found.held_out) == (middle, None, None)
    assert found.alarms is not None and int(found.alarms.sum()) == int((first.scores > middle).sum()) > 0
    assert found.to_json()["detection_rate"] is not None and found.files["histogram"].is_file()
    with pytest.raises(ConfigError, match="leave out either it, or the false-alarm rate"):
        run.anomaly(threshold=1.0, false_alarm_rate=0.1, write=False)
    with pytest.raises(ConfigError, match="must be a number, not nan"):
        run.anomaly(threshold=float("nan"), write=False)


def test_what_is_missing_is_said(run: lt.Run, labelled: dict[str, Any]) -> None:
    settings = {"data.validation": 0.0, "training.threads": 1}
    ignorant = lt.train("vae", labelled, steps=3, directory=None, settings=settings)
    found = ignorant.anomaly(write=False)
    assert (found.auroc, found.threshold) == (None, None)
    assert any("name them, such as with --normal column" in note for note in found.notes)
    with pytest.raises(DataError, match="held none out"):
        ignorant.anomaly(false_alarm_rate=0.1, write=False)
    assert ignorant.anomaly(normal=["row"], write=False).auroc is not None
    with pytest.raises(ConfigError, match="no sample is of the normal class 'rows'"):
        ignorant.anomaly(normal=["rows"], write=False)
    with pytest.raises(DataError, match="at least 999 held-out"):
        run.anomaly(false_alarm_rate=0.001, write=False)
    with pytest.raises(ConfigError, match="between 1 and 40"):
        run.anomaly(show=0)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        run.anomaly(false_alarm_rate=0.0, write=False)


def test_vectors_and_autoencoders(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((200, 6)).astype(np.float32)
    settings = {"training.threads": 1, "data.validation": 0.2}
    run = lt.train("ae", {"x": x}, steps=5, directory=None, settings=settings)
    found = run.anomaly(score="density", out=tmp_path)
    assert any("no labels" in note for note in found.notes)
    with pytest.raises(ConfigError, match=r"--normal names classes, and .* have no labels: leave it out"):
        run.anomaly(normal=["0"], write=False)
    assert found.files["picture"].is_file()
    with pytest.raises(ConfigError, match="use squared-error or density"):
        run.anomaly(score="elbo")
