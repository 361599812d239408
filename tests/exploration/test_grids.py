from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.decomposition import PCA

from latentia.errors import ConfigError
from latentia.exploration.grids import along, central_range, normal_quantiles, plane, principal_plane


@pytest.mark.parametrize("n", [1, 2, 25])
def test_quantiles_are_those_of_scipy(n: int) -> None:
    expected = norm.ppf((np.arange(n) + 0.5) / n)
    assert np.allclose(normal_quantiles(n).numpy(), expected, rtol=1e-12, atol=1e-14)


def test_quantiles_cut_the_normal_into_equal_parts() -> None:
    steps = np.diff(norm.cdf(normal_quantiles(10).numpy()))
    assert np.allclose(steps, 0.1, rtol=1e-12)


def test_a_plane_lies_as_in_a_picture() -> None:
    origin = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64)
    axes = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    points = plane(origin, axes, torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([10.0, 20.0]))
    assert points.shape == (2, 3, 3)
    assert points[0, 2].tolist() == [21.0, 1.0, 3.0]  # top right: most of both
    assert points[1, 0].tolist() == [11.0, 1.0, 0.0]  # bottom left: least of both


def test_one_dimension_moves_and_the_others_stay() -> None:
    base = torch.tensor([5.0, 6.0, 7.0])
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    points = along(base, torch.tensor([2, 0]), values)
    assert points.tolist() == [[[5, 6, 1], [5, 6, 2]], [[3, 6, 7], [4, 6, 7]]]
    assert base.tolist() == [5, 6, 7]


def test_the_principal_plane_is_that_of_scikit_learn() -> None:
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 5)) * [3, 1, 2, 0.1, 1] + 4)
    found, expected = principal_plane(z), PCA(2).fit(z.numpy())
    assert np.allclose(found.origin.numpy(), z.numpy().mean(0))
    signs = np.sign((found.axes.numpy() * expected.components_).sum(1))
    assert np.allclose(found.axes.numpy(), expected.components_ * signs[:, None], atol=1e-10)
    assert np.allclose(found.scores.numpy(), expected.transform(z.numpy()) * signs, atol=1e-10)
    assert np.allclose(found.shares, expected.explained_variance_ratio_)
    assert (found.axes.gather(1, found.axes.abs().argmax(1, keepdim=True)) > 0).all()


def test_points_without_spread_have_a_plane_too() -> None:
    found = principal_plane(torch.ones(4, 3))
    assert found.shares == (0.0, 0.0)
    assert torch.isfinite(found.axes).all()
    with pytest.raises(ConfigError, match="two dimensions"):
        principal_plane(torch.ones(4, 1))


@pytest.mark.parametrize("n", [2, 7, 1000])
def test_central_ranges_are_quantiles(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    assert np.allclose(central_range(torch.from_numpy(values), 0.9), np.quantile(values, [0.05, 0.95]), atol=1e-9)


def test_a_constant_has_a_range() -> None:
    assert central_range(torch.full((5,), 2.0)) == (1.0, 3.0)
