"""Classifying from few labels, on runs that have hardly been trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

import latentia as lt
from latentia.data.labels import choose_labelled
from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError
from latentia.evaluation import encode_split


def test_errors_are_those_of_a_classifier_on_latents_and_on_data(vae: lt.Run) -> None:
    result = vae.classify(9, draws=2, method="nearest", seed=3, write=False)
    train, test = vae.dataset.split("train"), vae.dataset.split("test")
    assert train.y is not None and test.y is not None
    means = [encode_split(vae.model, vae.dataset, part)[0].numpy() for part in ("train", "test")]
    x = [vae.preparation(part.x).flatten(1).numpy() for part in (train, test)]
    confusion = np.zeros((3, 3), int)
    for draw in range(2):
        kept = choose_labelled(train.y.numpy(), 9, derive_seed(3, draw))
        for name, (points, asked) in {"latents": means, "data": x}.items():
            found = KNeighborsClassifier(1).fit(points[kept], train.y[kept]).predict(asked)
            assert result.errors[name][draw] == pytest.approx(float((found != test.y.numpy()).mean()))
            if name == "latents":
                np.add.at(confusion, (test.y.numpy(), found), 1)
    assert (result.confusion == confusion).all() and confusion.sum() == 2 * 30
    assert result.error == pytest.approx(1 - np.trace(confusion) / confusion.sum())
    assert result.errors["data"] == [0.0, 0.0]  # these classes are easy


@pytest.mark.parametrize("method", ["spreading", "svm", "logistic"])
def test_every_classifier_works_and_repeats(vae: lt.Run, ae: lt.Run, method: str) -> None:
    for run in (vae, ae):
        state = torch.get_rng_state()
        first, again = (run.classify(6, draws=2, method=method, unlabelled=50, write=False) for _ in range(2))
        assert first.to_json() == again.to_json() and torch.equal(state, torch.get_rng_state())
        assert len(first.errors["latents"]) == len(first.errors["data"]) == 2 and first.unlabelled == 50


def test_the_picture_goes_into_the_run_and_its_report(vae: lt.Run, tmp_path: Path) -> None:
    result = vae.classify(6, draws=1)
    assert vae.directory is not None and result.picture == vae.directory.plots / "classification.png"
    assert "Classes from few labels" in vae.write_report().read_text()
    assert vae.classify(6, draws=1, out=tmp_path / "c.png").picture == tmp_path / "c.png"
    with pytest.raises(ConfigError, match="give a path that ends in"):
        vae.classify(6, draws=1, out=tmp_path / "c.pdf")


def test_what_cannot_be_classified_is_refused(vae: lt.Run, table: lt.Run, labelled: dict[str, Any]) -> None:
    for arguments, message in (
        ({"method": "svn"}, "Did you mean 'svm'"),
        ({"draws": 0}, "draws must be at least 1"),
        ({"unlabelled": -1}, "unlabelled at least 0"),
        ({"split": "train"}, "another part must be classified: test or valid"),
        ({"labels": 2}, "between 3 labels"),
    ):
        with pytest.raises(ConfigError, match=message):
            vae.classify(**arguments)
    with pytest.raises(DataError, match="has no labels, which classifying needs"):
        table.classify()
    conditional = lt.train("conditional-vae", labelled, steps=2, directory=None, settings={"training.threads": 1})
    with pytest.raises(ConfigError, match="train another preset, such as m1"):
        conditional.classify()


def test_a_run_that_keeps_few_labels_is_classified_by_these(labelled: dict[str, Any]) -> None:
    settings = {"training.threads": 1, "data.labels": 6, "data.label_seed": 2, "data.validation": 0.1}
    run = lt.train("m1", labelled, steps=2, directory=None, settings=settings)
    result = run.classify(method="nearest", write=False)
    part, test = run.dataset.split("labelled"), run.dataset.split("test")
    assert part.y is not None and test.y is not None
    points, asked = (run.preparation(split.x).flatten(1).numpy() for split in (part, test))
    found = KNeighborsClassifier(1).fit(points, part.y).predict(asked)
    assert result.errors["data"] == [float((found != test.y.numpy()).mean())]
    assert result.labels == 6 and result.unlabelled == len(run.dataset.split("train")) == 120 - 12 - 6
    for arguments in ({"labels": 6}, {"draws": 1}):
        with pytest.raises(ConfigError, match=r"keeps 6 labels .* leave labels and draws out"):
            run.classify(**arguments)
    with pytest.raises(DataError, match=r"the valid part .* classify the test part"):
        run.classify(split="valid")
