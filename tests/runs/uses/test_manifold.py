"""The manifold: which plane, which coordinates, and that the picture's points are decoded where they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.decomposition import PCA

import latentia as lt
from latentia.errors import ConfigError


def latents(run: lt.Run, labelled: dict[str, Any]) -> np.ndarray:
    with torch.no_grad():
        return run.model.encode(torch.from_numpy(labelled["x_test"]).float() / 255).mean.double().numpy()


def test_two_dimensions_at_normal_quantiles(table: lt.Run) -> None:
    found = table.manifold(size=4, write=False)
    expected = norm.ppf([0.125, 0.375, 0.625, 0.875])
    assert found.spacing == "quantiles" and found.axes == ("z0", "z1")
    assert np.allclose(found.horizontal.numpy(), expected)
    assert np.allclose(found.latents[0, :, 1].numpy(), expected[-1])  # the top row has the greatest z1
    assert np.allclose(found.latents[:, 0, 0].numpy(), expected[0])
    with torch.no_grad():
        corner = table.model.decode(torch.tensor([[expected[-1], expected[-1]]]).float()).mean[0]
    assert torch.allclose(found.frames[0, -1], corner, atol=1e-5)


def test_a_range_is_equally_spaced(table: lt.Run) -> None:
    found = table.manifold(size=3, range=(-3, 3), write=False)
    assert found.horizontal.tolist() == found.vertical.tolist() == [-3, 0, 3]
    assert found.latents[0, 0].tolist() == [-3, 3]
    assert found.to_json()["spacing"] == "linear"


def test_an_autoencoder_takes_its_range_from_the_data(ae: lt.Run, labelled: dict[str, Any]) -> None:
    found = ae.manifold(size=5, write=False)
    low, high = np.quantile(latents(ae, labelled), [0.01, 0.99], axis=0)
    assert found.spacing == "linear"
    assert np.allclose([found.horizontal[0], found.vertical[0]], low, atol=1e-6)
    assert np.allclose([found.horizontal[-1], found.vertical[-1]], high, atol=1e-6)


def test_more_dimensions_are_cut_along_principal_components(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.manifold(size=3, range=(-1, 1), write=False)
    z = latents(vae, labelled)
    expected = PCA(2).fit(z)
    assert np.allclose(found.latents[1, 1].numpy(), z.mean(0), atol=1e-5)
    assert expected.components_ is not None
    across = (found.latents[1, 2] - found.latents[1, 1]).numpy()
    assert abs(across @ expected.components_[0]) == pytest.approx(1.0, abs=1e-4)
    assert "principal component 1" in found.axes[0]
    scores = np.quantile(np.abs(expected.transform(z)[:, 0]), 1.0)
    assert abs(float(vae.manifold(size=2, write=False).horizontal[0])) <= scores


def test_two_chosen_dimensions(vae: lt.Run) -> None:
    found = vae.manifold(size=3, dims=(3, 1), range=(-2, 2), write=False)
    assert found.axes == ("z3", "z1")
    assert found.latents[0, 0].tolist() == [0.0, 2.0, 0.0, -2.0]


def test_what_is_written(vae: lt.Run, table: lt.Run, tmp_path: Any) -> None:
    found = vae.manifold(size=4)
    assert vae.path is not None and found.picture == vae.path / "samples" / "manifold.png"
    assert found.picture.exists()
    assert table.manifold(size=3).picture is None
    assert table.manifold(size=3, out=tmp_path / "m.png").picture == tmp_path / "m.png"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 1}, "between 2 and 50"),
        ({"range": (3, -3)}, "smaller to a larger"),
        ({"dims": (1, 1)}, "two different"),
        ({"dims": (1, 9)}, "numbered from 0 to 3"),
        ({"label": "row"}, "not conditional"),
    ],
)
def test_what_is_wrong_is_said(vae: lt.Run, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vae.manifold(**arguments)


def test_one_dimension_is_no_plane(labelled: dict[str, Any]) -> None:
    run = lt.train("vae", labelled, directory=None, steps=1, settings={"model.latent_dim": 1, "training.threads": 1})
    with pytest.raises(ConfigError, match="latentia traverse"):
        run.manifold()
    assert run.traverse(write=False).frames.shape[0] == 1
