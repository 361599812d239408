from __future__ import annotations

import numpy as np
import pytest

from latentia.errors import ConfigError, DataError
from latentia.exploration.projection import project


def test_two_dimensions_stay_as_they_are() -> None:
    loc = np.random.default_rng(0).normal(size=(9, 2))
    found = project(loc)
    assert found.method == "raw"
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


def test_raw_takes_the_first_two() -> None:
    loc = np.random.default_rng(0).normal(size=(50, 4))
    found = project(loc, "raw")
    assert (found.points == loc[:, :2]).all()
    assert found.shown == pytest.approx(loc[:, :2].var(0).sum() / loc.var(0).sum())


def test_faults_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'pca'"):
        project(np.ones((3, 3)), "pcaa")
    with pytest.raises(DataError, match="at least one"):
        project(np.ones((0, 3)))
    with pytest.raises(DataError, match="NaN or infinite"):
        project(np.array([[0.0, np.nan]]))
