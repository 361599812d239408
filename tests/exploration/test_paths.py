from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp

from latentia.errors import ConfigError, DataError
from latentia.exploration.paths import lerp, slerp, walk

T = torch.linspace(0, 1, 11, dtype=torch.float64)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_straight_paths_are_those_of_numpy() -> None:
    a, b = normal(5), normal(5, seed=1)
    assert np.allclose(lerp(a, b, T).numpy(), np.linspace(a.numpy(), b.numpy(), 11), rtol=1e-15, atol=1e-15)


def test_spherical_paths_turn_at_constant_speed() -> None:
    """In the plane: the point at angle t * 2 and radius 3."""
    a = torch.tensor([3.0, 0.0], dtype=torch.float64)
    b = 3 * torch.tensor([math.cos(2.0), math.sin(2.0)], dtype=torch.float64)
    expected = 3 * torch.stack([torch.cos(2 * T), torch.sin(2 * T)], 1)
    assert torch.allclose(slerp(a, b, T), expected, rtol=1e-14, atol=1e-14)


def test_spherical_paths_are_those_of_rotations() -> None:
    """Unit quaternions, interpolated by SciPy (by another method)."""
    a, b = (value / value.norm() for value in (normal(4, seed=2), normal(4, seed=3)))
    b = b if a @ b > 0 else -b  # SciPy takes the shorter of the two ways
    rotations = Slerp([0.0, 1.0], Rotation.from_quat(np.stack([a.numpy(), b.numpy()])))(T.numpy())
    ours = slerp(a, b, T).numpy()
    assert np.allclose(np.abs((rotations.as_quat() * ours).sum(1)), 1.0, rtol=0, atol=1e-14)
    assert np.allclose(np.linalg.norm(ours, axis=1), 1.0, rtol=0, atol=1e-14)


@pytest.mark.parametrize("gap", [1e-12, 1e-8, 1e-6, 1e-3])
def test_spherical_paths_between_near_points_are_straight(gap: float) -> None:
    a = normal(6)
    b = a + gap * normal(6, seed=1)
    assert torch.allclose(slerp(a, b, T), lerp(a, b, T), rtol=0, atol=gap**2 + 1e-15)


@pytest.mark.parametrize("path", ["linear", "spherical"])
@pytest.mark.parametrize("shape", [(1,), (7,), (4, 3, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ends_are_exact_and_shapes_kept(path: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    a, b = normal(*shape, dtype=dtype), normal(*shape, seed=5, dtype=dtype)
    if shape == (1,):
        a, b = a.abs(), b.abs()
    points = walk(a, b, 4, path)
    assert points.dtype == dtype and points.shape == (4, *shape)
    assert torch.equal(points[0], a) and torch.equal(points[-1], b)


def test_the_shape_of_a_latent_does_not_matter() -> None:
    a, b = normal(2, 3), normal(2, 3, seed=1)
    assert torch.equal(slerp(a, b, T), slerp(a.flatten(), b.flatten(), T).reshape(-1, 2, 3))


def test_paths_that_do_not_exist_are_refused() -> None:
    a = normal(3)
    with pytest.raises(DataError, match="origin"):
        slerp(a, torch.zeros_like(a), T)
    with pytest.raises(DataError, match="opposite"):
        slerp(a, -2 * a, T)
    with pytest.raises(ConfigError, match="Did you mean 'spherical'"):
        walk(a, a, 3, "spheric")
    with pytest.raises(ConfigError, match="at least 2"):
        walk(a, a, 1)


def test_inputs_are_left_alone() -> None:
    a, b = normal(3), normal(3, seed=1)
    before = a.clone(), b.clone()
    walk(a, b, 5, "spherical").zero_()
    assert torch.equal(a, before[0]) and torch.equal(b, before[1])
