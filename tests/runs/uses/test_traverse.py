"""Traversal: one dimension moves, the order is that of the rates, what is inactive is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError


def test_one_dimension_moves_from_the_image(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.traverse(5, dims=[2, 0], range=(-2, 2), steps=5, write=False)
    x = torch.from_numpy(labelled["x_test"][5:6]).float() / 255
    with torch.no_grad():
        z = vae.model.encode(x).mean
        moved = z.clone()
        moved[0, 0] = 1.0
        expected = vae.model.decode(moved).mean[0]
    assert found.frames.shape == (2, 5, 1, 8, 8)
    assert torch.allclose(found.frames[1, 3], expected, atol=1e-5)
    assert torch.allclose(found.base.float(), z[0], atol=1e-6)
    assert found.dimensions == [2, 0] and found.unit == "z"
    assert found.values[0].tolist() == [-2, -1, 0, 1, 2]


def test_dimensions_are_ranked_by_rate(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.traverse(write=False)
    with torch.no_grad():
        q = vae.model.encode(torch.from_numpy(labelled["x_test"]).float() / 255)
    rates = torch.distributions.kl_divergence(
        torch.distributions.Normal(q.mean.double(), (0.5 * q.logvar.double()).exp()),
        torch.distributions.Normal(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)),
    ).mean(0)
    assert found.rates is not None
    assert found.rates == sorted(found.rates, reverse=True)
    assert np.allclose(found.rates, rates[found.dimensions].numpy(), rtol=1e-4)
    assert found.active == [rate > 0.01 for rate in found.rates]
    assert found.measured_on == 30


def test_a_dead_dimension_is_inactive_and_last(vae: lt.Run) -> None:
    head = vae.model.posterior.head
    before = {name: value.clone() for name, value in head.state_dict().items()}
    try:
        with torch.no_grad():
            for place in (1, 1 + 4):  # mean and log-variance of dimension 1 of 4
                head.weight[place] = 0.0
                head.bias[place] = 0.0
        found = vae.traverse(write=False)
    finally:
        head.load_state_dict(before)
    assert found.dimensions[-1] == 1 and not found.active[-1]
    assert found.rates is not None and found.rates[-1] == 0.0


def test_the_middle_of_the_latent_space(vae: lt.Run, ae: lt.Run) -> None:
    assert vae.traverse(None, write=False).base.tolist() == [0.0] * 4
    found = ae.traverse(None, range=(-1, 1), steps=3, write=False)
    assert found.rates is None and found.unit == "standard deviations"
    assert found.spread == sorted(found.spread, reverse=True)
    for row, number in enumerate(found.dimensions):
        expected = [found.base[number] + sign * found.spread[row] for sign in (-1, 0, 1)]
        assert np.allclose(found.values[row].numpy(), expected)


def test_vectors(table: lt.Run, tmp_path: Any) -> None:
    found = table.traverse(out=tmp_path / "t.png")
    assert found.frames.shape == (2, 9, 6) and (tmp_path / "t.png").exists()


def test_what_is_written(vae: lt.Run) -> None:
    found = vae.traverse(steps=3)
    assert vae.path is not None and found.picture == vae.path / "samples" / "traversal.png"
    assert found.picture.exists()
    described = found.to_json()
    assert [row["dimension"] for row in described["dimensions"]] == found.dimensions
    assert described["dimensions"][0]["values"] == [-3.0, 0.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dims": [4]}, "numbered from 0 to 3"),
        ({"dims": []}, "at least one"),
        ({"range": (1, 1)}, "smaller to a larger"),
        ({"range": (float("nan"), 1)}, "smaller to a larger"),
        ({"steps": 1}, "between 2 and"),
        ({"image": 99}, "numbered from 0 to 29"),
        ({"image": 0, "label": "row"}, "brings its own"),
        ({"image": None, "label": "row"}, "not conditional"),
    ],
)
def test_what_is_wrong_is_said(vae: lt.Run, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vae.traverse(**arguments)
