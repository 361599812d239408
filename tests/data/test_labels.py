"""Few labels: which are kept, and that the others are gone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from latentia.data.labels import choose_labelled
from latentia.data.settings import DataSettings
from latentia.data.sources import load
from latentia.errors import ConfigError, DataError


@pytest.mark.parametrize("n", [3, 10, 11, 30])
def test_labels_are_kept_of_every_class_equally(n: int) -> None:
    y = np.random.default_rng(0).choice([0, 2, 5], 300, p=[0.6, 0.3, 0.1])
    kept = choose_labelled(y, n, seed=1)
    counts = np.bincount(y[kept])[[0, 2, 5]]
    assert len(set(kept)) == n and counts.sum() == n and counts.max() - counts.min() <= 1
    assert (kept == choose_labelled(y, n, seed=1)).all()
    assert set(kept) != set(choose_labelled(y, n, seed=2))


def test_labels_that_there_are_not_are_refused() -> None:
    y = np.array([0] * 50 + [1] * 3)
    for n in (1, 54):
        with pytest.raises(ConfigError, match=f"between 2 labels, one for each class, and 53, .*: not {n}"):
            choose_labelled(y, n, seed=0)
    with pytest.raises(DataError, match="a class has only 3 samples, fewer than its share of 5: keep fewer labels"):
        choose_labelled(y, 10, seed=0)


def digits(**settings: Any) -> Any:
    return load(DataSettings(source="digits", **settings))


def test_few_keep_their_labels_and_the_others_have_none() -> None:
    plain, few = digits(), digits(labels=30, label_seed=3)
    train = plain.split("train")
    assert list(few.splits) == ["train", "labelled", "valid", "test"] and few.fingerprint == plain.fingerprint
    kept = choose_labelled(train.y.numpy(), 30, 3)
    assert torch.equal(few.split("labelled").x, train.x[kept]) and torch.equal(few.split("labelled").y, train.y[kept])
    assert few.split("labelled").y.bincount().tolist() == [3] * 10
    rest = np.setdiff1d(np.arange(len(train)), kept)
    assert torch.equal(few.split("train").x, train.x[rest])
    assert few.split("train").y is None and few.split("valid").y is None
    assert torch.equal(few.split("test").y, plain.split("test").y)
    assert few.spec == plain.spec and few.preparation == plain.preparation
    assert any("30 of the training samples keep their labels" in note for note in few.notes)
    assert not torch.equal(digits(labels=30, label_seed=4).split("labelled").x, few.split("labelled").x)


def test_scaling_is_that_of_all_samples() -> None:
    assert digits(labels=10, scale="standard").preparation == digits(scale="standard").preparation


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": 9}, "between 10 labels, one for each class"),
        ({"labels": 10_000}, "and 1366, all there are"),
        ({"label_seed": 1}, "use --set data.labels=100, or leave it out"),
        ({"labels": 10, "normal_classes": ["1"]}, "--set data.labels=none, or --set data.normal_classes=none"),
    ],
)
def test_labels_that_cannot_be_kept_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        digits(**settings)


def test_data_without_labels_or_with_all_of_them_are_refused() -> None:
    x = np.arange(40, dtype=np.float32).reshape(10, 4)
    settings = DataSettings(source="arrays", labels=2, validation=0.0, test_fraction=0.0)
    with pytest.raises(ConfigError, match="has none to train on: give them as y"):
        load(settings, arrays=x)
    with pytest.raises(ConfigError, match="keeps every label: lower it"):
        load(settings.model_copy(update={"labels": 10}), arrays=(x, np.arange(10) % 2))
