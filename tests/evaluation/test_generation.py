from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from latentia.errors import DataError
from latentia.evaluation.generation import class_accuracy, frechet_distance, within_class_variance


def test_frechet_distance_against_scipy():
    source = np.random.default_rng(0)
    x, y = source.normal(size=(50, 7)) @ source.normal(size=(7, 7)), 2 + source.normal(size=(40, 7))
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.real(np.asarray(scipy.linalg.sqrtm(first @ second)))
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root)
    assert frechet_distance(torch.tensor(x), torch.tensor(y)) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_is_symmetric_zero_to_itself_and_closed_for_independent_features():
    x = torch.randn(2000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.linalg.qr(x - x.mean(0))[0] * (1999**0.5)  # mean 0 and covariance 1, exactly
    y = x * torch.tensor([2.0, 3.0, 0.5]) + torch.tensor([1.0, 0.0, 0.0])
    assert frechet_distance(x, y) == pytest.approx(1 + 1 + 4 + 0.25, rel=1e-9)  # |mu|^2 + sum (s_1 - s_2)^2
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x), rel=1e-9)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_a_constant_feature():
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    assert frechet_distance(x, x + torch.tensor([0.0, 2.0])) == pytest.approx(4)


@pytest.mark.parametrize("bad", [torch.zeros(1, 2), torch.full((3, 2), float("nan")), torch.zeros(3, 4)])
def test_frechet_distance_refuses(bad: torch.Tensor):
    with pytest.raises(DataError):
        frechet_distance(bad, torch.randn(5, 2))


def test_class_accuracy():
    assert class_accuracy(torch.eye(3), torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)


def test_within_class_variance_against_numpy():
    source = np.random.default_rng(1)
    x, y = source.normal(size=(60, 4, 2)), source.integers(0, 3, 60)
    expected = np.mean([x[y == c].var(0, ddof=1).mean() for c in range(3)])
    assert within_class_variance(torch.tensor(x), torch.tensor(y)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(DataError, match="single image"):
        within_class_variance(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
