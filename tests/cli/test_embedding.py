"""The commands that look at latents, run for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Trained = tuple[Path, dict[str, Any]]


def test_embed_writes_into_the_run(latentia: Callable[..., Any], trained: Trained) -> None:
    path, _ = trained
    result = latentia("embed", path, "--n", 40, "--projection", "tsne", "--seed", 3, "--json")
    assert result.returncode == 0, result.stderr
    value = json.loads(result.stdout)
    assert value["n"] == value["drawn"] == 40
    assert value["axes"] == ["t-SNE 1", "t-SNE 2"]
    with np.load(value["npz"]) as stored:
        assert stored["latents"].shape == (40, *value["latent_shape"])
    assert Path(value["csv"]).parent == path / "latents"
    assert Path(value["picture"]).is_file()
    said = latentia("embed", path, "--n", 40, "--latents", "sample").stdout
    assert "40 latents of 20 values (samples) of test images" in said
    assert "test-samples.png" in said


def test_embed_refuses_what_contradicts_itself(latentia: Callable[..., Any], trained: Trained) -> None:
    path, _ = trained
    result = latentia("embed", path, "--split", "train", "--input", "x.npy")
    assert result.returncode == 2
    assert "--split and --input exclude each other" in result.stderr
    result = latentia("embed", path, "--projection", "none")
    assert result.returncode == 2
    assert "project them by pca, tsne or umap" in result.stderr
