"""Decoding points: of every form in which they can be given, and from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError, DataError

POINTS = [[-3.0, 2.0, 0.0, 0.5], [1.0, 0.0, -1.0, 2.0]]


def test_points_of_every_form(vae: lt.Run) -> None:
    with torch.no_grad():
        expected = vae.model.decode(torch.tensor(POINTS)).mean
    for points in (POINTS, np.array(POINTS), torch.tensor(POINTS), tuple(map(tuple, POINTS))):
        found = vae.decode(points, write=False)
        assert torch.allclose(found.x, expected, atol=1e-6)
    one = vae.decode(POINTS[0], write=False)
    assert one.x.shape == (1, 1, 8, 8) and one.latents.tolist() == [POINTS[0]]


def test_files(vae: lt.Run, tmp_path: Path) -> None:
    expected = vae.decode(POINTS, write=False).x
    np.save(tmp_path / "a.npy", np.array(POINTS))
    (tmp_path / "b.csv").write_text("".join(",".join(map(str, point)) + "\n" for point in POINTS))
    rows = [["index", "label", "z1", "z0", "z2", "z3"]]
    rows += [[0, "cat", p[1], p[0], p[2], p[3]] for p in POINTS]
    (tmp_path / "c.csv").write_text("".join(",".join(map(str, row)) + "\r\n" for row in rows))
    for name in ("a.npy", "b.csv", "c.csv"):
        assert torch.equal(vae.decode(tmp_path / name, write=False).x, expected), name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "holds no points"),
        ("a.csv", "z0,z1,z2,z3\n", "holds no points"),
        ("a.csv", "1,2,3,4\n1,2\n", "equal length"),
        ("a.csv", "1,2,3,x\n", "no points"),
        ("a.csv", "1,2,3,4\n1,2,3,x\n", "other than numbers"),
        ("a.txt", "1", "no kind"),
    ],
)
def test_bad_files(vae: lt.Run, tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        vae.decode(tmp_path / name)
    with pytest.raises(DataError, match="no file"):
        vae.decode(tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([1.0, 2.0], "has 4 latent dimensions, but the points have 2"),
        ([[1.0] * 5], "points have 5"),
        ([], "points have 0"),
        ([[1.0, 2.0], [3.0]], "rows of equal length"),
        (["a", "b"], "not numbers"),
        ([float("nan")] * 4, "NaN"),
        (np.zeros((0, 4)), "between 1 and"),
    ],
)
def test_points_that_do_not_fit(vae: lt.Run, points: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vae.decode(points, write=False)


def test_what_is_written(vae: lt.Run, table: lt.Run, tmp_path: Path) -> None:
    found = vae.decode(POINTS)
    assert vae.path is not None and found.picture == vae.path / "samples" / "decoded.png"
    assert found.array is not None and np.load(found.array).shape == (2, 1, 8, 8)
    assert found.to_json()["points"] == POINTS
    written = table.decode([-3, 2], out=tmp_path / "p.png")
    assert written.picture is not None and written.picture.exists()
    assert np.allclose(np.load(tmp_path / "p.npy"), written.x.numpy())


def test_latents_of_several_axes(labelled: dict[str, Any]) -> None:
    settings = {"model.encoder.channels": [2], "model.decoder.channels": [2], "training.threads": 1}
    run = lt.train("conv-vae", labelled, directory=None, steps=1, settings=settings)
    flat = torch.zeros(2, run.model.latent_dim)
    assert run.decode(flat, write=False).x.shape == (2, 1, 8, 8)
    assert run.decode(flat[0].reshape(run.model.latent_shape), write=False).x.shape == (1, 1, 8, 8)
