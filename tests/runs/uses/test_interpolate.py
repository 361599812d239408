"""Interpolation: its ends are reconstructions, its points lie on the path, classes are stood for by typical samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentia as lt
from latentia.errors import ConfigError, DataError
from latentia.runs.uses import Interpolation


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ends_are_the_reconstructions(vae: lt.Run, labelled: dict[str, Any], path: str) -> None:
    found = vae.interpolate(images=(4, 17), steps=6, path=path, write=False)
    x = torch.from_numpy(labelled["x_test"][[4, 17]]).float() / 255
    assert torch.equal(found.ends, x)
    with torch.no_grad():
        expected = vae.model.eval().reconstruct(x)
    assert torch.equal(found.frames[[0, -1]], expected)
    listed = vae.reconstruct(18, write=False).reconstruction[[4, 17]]
    assert torch.allclose(found.frames[[0, -1]], listed, rtol=0, atol=1e-6)
    assert found.frames.shape == (6, 1, 8, 8)


def test_points_between_are_decoded(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.interpolate(images=(0, 1), steps=3, write=False)
    with torch.no_grad():
        a, b = vae.model.encode(torch.from_numpy(labelled["x_test"][:2]).float() / 255).mean
        middle = vae.model.decode((0.5 * (a + b))[None]).mean[0]
    assert torch.allclose(found.latents[1], 0.5 * (a + b), atol=1e-6)
    assert torch.allclose(found.frames[1], middle, atol=1e-5)


def test_a_class_is_its_most_typical_sample(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.interpolate("row", "square", steps=4, write=False)
    y = labelled["y_test"]
    with torch.no_grad():
        means = vae.model.encode(torch.from_numpy(labelled["x_test"]).float() / 255).mean.numpy()
    for index, name in zip(found.indices, ("row", "square"), strict=True):
        assert y[index] == name
        distances = np.linalg.norm(means - means[y == name].mean(0), axis=1)
        assert distances[index] == distances[y == name].min()
    assert found.names == ("row", "square")
    again = vae.interpolate("row", "square", steps=4, write=False)
    assert torch.equal(found.frames, again.frames)


def test_files(vae: lt.Run, labelled: dict[str, Any], tmp_path: Path) -> None:
    images = labelled["x_test"][[5, 6, 7]]
    for name, image in zip("ab", images, strict=False):
        Image.fromarray(image[0]).save(tmp_path / f"{name}.png")
    np.save(tmp_path / "all.npy", images)
    expected = vae.interpolate(images=(5, 6), write=False).frames
    two = vae.interpolate(input=[tmp_path / "a.png", tmp_path / "b.png"], write=False)
    assert torch.equal(two.frames, expected)
    assert two.names == ("#0", "#1") and two.source == "a.png and b.png"
    assert torch.equal(vae.interpolate(input=tmp_path / "all.npy", write=False).frames, expected)
    ends = vae.interpolate(input=tmp_path / "all.npy", images=(2, 0), write=False).ends
    assert torch.equal(ends, torch.from_numpy(images[[2, 0]]).float() / 255)
    with pytest.raises(ConfigError, match="only one sample"):
        vae.interpolate(input=tmp_path / "a.png", write=False)
    with pytest.raises(ConfigError, match="no labels"):
        vae.interpolate("row", "square", input=tmp_path / "all.npy", write=False)


def test_an_end_may_be_a_number(vae: lt.Run) -> None:
    found = vae.interpolate("#4", "square", steps=3, write=False)
    assert found.indices == (4, vae.interpolate("row", "square", steps=2, write=False).indices[1])
    with pytest.raises(ConfigError, match="no image 30 among the 30"):
        vae.interpolate("#0", "#30", write=False)


def test_labels_in_a_file(vae: lt.Run, labelled: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", x=labelled["x_test"], y=labelled["y_test"])
    found = vae.interpolate("row", "column", input=tmp_path / "some.npz", write=False)
    assert torch.equal(found.frames, vae.interpolate("row", "column", write=False).frames)


def test_what_is_written(vae: lt.Run, tmp_path: Path) -> None:
    found = vae.interpolate(steps=5)
    assert vae.path is not None
    assert found.picture == vae.path / "samples" / "interpolation.png"
    assert found.animation == vae.path / "samples" / "interpolation.gif"
    assert found.picture.read_bytes()[:4] == b"\x89PNG"
    with Image.open(found.animation) as animation:
        assert getattr(animation, "n_frames", 1) == 8
    elsewhere = vae.interpolate(out=tmp_path / "new" / "a.png")
    assert elsewhere.picture == tmp_path / "new" / "a.png" and elsewhere.picture.exists()
    assert not [path for path in tmp_path.rglob("*") if ".tmp-" in path.name]
    described = found.to_json()
    assert described["steps"] == 5 and described["indices"] == [0, 1] and described["path"] == "linear"


def test_vectors_have_no_animation(table: lt.Run, tmp_path: Path) -> None:
    found = table.interpolate(out=tmp_path / "a.png")
    assert found.picture is not None and found.picture.exists()
    assert found.animation is None
    assert isinstance(found, Interpolation)


def test_a_run_without_a_folder_writes_nothing(ae: lt.Run) -> None:
    found = ae.interpolate("row", "column")
    assert found.picture is None and found.animation is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "row"}, "needs both"),
        ({"start": "rwo", "end": "row"}, "Did you mean 'row'"),
        ({"start": "row", "end": "row", "images": (0, 1)}, "not both"),
        ({"images": (0,)}, "two ends"),
        ({"images": (0, 30)}, "numbered from 0 to 29"),
        ({"images": (-1, 3)}, "no image -1"),
        ({"steps": 1}, "between 2 and"),
        ({"path": "curved"}, "linear or spherical"),
        ({"out": "a.jpg"}, "ends in .png"),
    ],
)
def test_what_is_wrong_is_said(vae: lt.Run, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        vae.interpolate(**arguments)


def test_data_without_classes_say_so(table: lt.Run) -> None:
    with pytest.raises(ConfigError, match=r"no class '3'.*by number.*--from '#0' --to '#1', or --images 0 1"):
        table.interpolate("3", "8")
    assert table.interpolate("#3", "#8", steps=3, write=False).indices == (3, 8)
    with pytest.raises(DataError, match="no 'valid' part"):
        table.interpolate(split="valid")
