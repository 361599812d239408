from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from latentia.errors import ConfigError, DataError, EnvironmentFault
from latentia.exploration.projection import project


def test_two_dimensions_stay_as_they_are() -> None:
    loc = np.random.default_rng(0).normal(size=(9, 2))
    found = project(loc)
    assert found.method == "none"
    assert found.axes == ("z0", "z1")
    assert (found.points == loc).all()


def test_principal_components_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(1)
    loc = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5))
    found = project(loc)
    values, vectors = np.linalg.eigh(np.cov(loc.T))
    expected = (loc - loc.mean(0)) @ vectors[:, ::-1][:, :2]
    assert np.allclose(np.abs(found.points), np.abs(expected))
    assert found.shown == pytest.approx(values[-2:].sum() / values.sum())
    assert f"({values[-1] / values.sum():.0%}".replace("%", " %") in found.axes[0]


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (7, 3, 2, 2)])
def test_few_samples_and_latent_grids(shape: tuple[int, ...]) -> None:
    found = project(np.random.default_rng(0).normal(size=shape))
    assert found.points.shape == (shape[0], 2)
    assert np.isfinite(found.points).all()


def test_latents_without_variance() -> None:
    found = project(np.ones((6, 4)))
    assert (found.points == 0).all()
    assert found.shown == 1.0


@pytest.mark.parametrize("method", ["auto", "none"])
def test_three_dimensions_stay_as_they_are(method: str) -> None:
    loc = np.random.default_rng(0).normal(size=(50, 3))
    found = project(loc, method)
    assert (found.points == loc).all()
    assert (found.axes, found.shown) == (("z0", "z1", "z2"), 1.0)


def clusters(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 6)) + 12 * y[:, None], y


def test_a_map_of_neighbours_keeps_neighbours() -> None:
    loc, y = clusters()
    found = project(loc, "tsne", seed=3)
    assert (found.method, found.shown, found.axes) == ("tsne", None, ("t-SNE 1", "t-SNE 2"))
    assert found.note == "t-SNE (perplexity 13, seed 3)"
    distances = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1) + 1e9 * np.eye(len(y))
    assert (y[distances.argmin(1)] == y).all()


def test_a_map_of_neighbours_is_that_of_its_seed() -> None:
    loc, _ = clusters()
    assert (project(loc, "tsne", seed=1).points == project(loc, "tsne", seed=1).points).all()
    assert not np.allclose(project(loc, "tsne", seed=1).points, project(loc, "tsne", seed=2).points)


def test_latents_without_variance_have_a_map() -> None:
    assert (project(np.ones((9, 4)), "tsne").points == 0).all()


def test_umap_or_what_brings_it() -> None:
    loc, y = clusters()
    if find_spec("umap") is None:
        with pytest.raises(EnvironmentFault, match=r"pip install 'latentia\[umap\]'"):
            project(loc, "umap")
        return
    found = project(loc, "umap", seed=1)
    assert (found.points == project(loc, "umap", seed=1).points).all()
    middles = [found.points[y == label].mean(0) for label in (0, 1)]
    nearest = np.linalg.norm(found.points[:, None] - np.array(middles)[None], axis=-1).argmin(1)
    assert (nearest == y).all()


def test_faults_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'pca'"):
        project(np.ones((3, 3)), "pcaa")
    with pytest.raises(DataError, match="at least one"):
        project(np.ones((0, 3)))
    with pytest.raises(DataError, match="NaN or infinite"):
        project(np.array([[0.0, np.nan]]))
    with pytest.raises(ConfigError, match="4 dimensions cannot be drawn as they are"):
        project(np.ones((3, 4)), "none")
    with pytest.raises(DataError, match="t-SNE needs at least 5 samples, not 4"):
        project(np.ones((4, 4)), "tsne")
