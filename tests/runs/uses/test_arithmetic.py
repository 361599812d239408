"""Arithmetic: class means and single images, added up and decoded."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError


def latents(run: lt.Run, labelled: dict[str, Any]) -> torch.Tensor:
    with torch.no_grad():
        return run.model.encode(torch.from_numpy(labelled["x_test"]).float() / 255).mean


def test_class_means_are_added_up(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.arithmetic("row - column + 0.5 * square", write=False)
    z = latents(vae, labelled).double()
    y = labelled["y_test"]
    row, column, square = (z[torch.from_numpy(y == name)].mean(0) for name in ("row", "column", "square"))
    total = (row - column + 0.5 * square).float()
    assert torch.allclose(found.latent, total, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(found.x, vae.model.decode(total[None]).mean[0], atol=1e-5)
        assert torch.allclose(found.term_frames[1], vae.model.decode(column.float()[None]).mean[0], atol=1e-5)
    assert found.counts == [int((y == name).sum()) for name in ("row", "column", "square")]


def test_single_images(vae: lt.Run, labelled: dict[str, Any]) -> None:
    found = vae.arithmetic("#3 - #4 + #4", write=False)
    assert torch.allclose(found.latent, latents(vae, labelled)[3], atol=1e-5)
    assert torch.allclose(found.x, vae.reconstruct(4, write=False).reconstruction[3], atol=1e-4)
    assert found.counts == [1, 1, 1]


def test_data_without_classes(table: lt.Run) -> None:
    assert table.arithmetic("#0 - #1", write=False).x.shape == (6,)
    with pytest.raises(ConfigError, match="numbers of images"):
        table.arithmetic("row - column")


def test_what_is_written(vae: lt.Run) -> None:
    found = vae.arithmetic("row - column + #7")
    assert vae.path is not None and found.picture == vae.path / "samples" / "arithmetic.png"
    assert found.picture.exists()
    described = found.to_json()
    assert [term["name"] for term in described["terms"]] == ["row", "column", "#7"]
    assert [term["factor"] for term in described["terms"]] == [1.0, -1.0, 1.0]


def test_what_is_wrong_is_said(vae: lt.Run) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'square'"):
        vae.arithmetic("sqare - row")
    with pytest.raises(ConfigError, match="numbered from 0 to 29"):
        vae.arithmetic("#30")
    with pytest.raises(ConfigError, match="not conditional"):
        vae.arithmetic("row", label="row")
    with pytest.raises(ConfigError, match="24 terms"):
        vae.arithmetic(" + ".join(["row"] * 25))
