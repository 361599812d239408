from __future__ import annotations

import pytest
import torch

from latentia.data import DataSettings, load
from latentia.errors import DataError
from latentia.evaluation.judge import judge, judge_card


def test_refuses_what_it_does_not_know():
    for shape in ((2, 3, 28, 28), (2, 784), (2, 1, 8, 8)):
        with pytest.raises(DataError, match="cannot judge"):
            judge(torch.zeros(shape))


def test_probabilities_and_features():
    probabilities, features = judge(torch.rand(5, 1, 32, 32))
    assert probabilities.sum(1).tolist() == pytest.approx([1] * 5)
    assert features.shape == (5, 64)


def test_the_stated_accuracy_is_the_measured_one():
    test = load(DataSettings(source="mnist", validation=0.0)).split("test") if has_mnist() else None
    if test is None:
        pytest.skip("LATENTIA_DATA_DIR holds no mnist/")
    assert test.y is not None
    probabilities, _ = judge(test.x.float() / 255)
    accuracy = float((probabilities.argmax(1) == test.y).double().mean())
    assert accuracy == pytest.approx(judge_card()["test_accuracy"], abs=2e-4)
    assert accuracy >= 0.98


def has_mnist() -> bool:
    import os
    from pathlib import Path

    folder = os.environ.get("LATENTIA_DATA_DIR")
    return folder is not None and (Path(folder) / "mnist").is_dir()
