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


def test_compare_and_movie(latentia: Callable[..., Any], trained: Trained, tmp_path: Path) -> None:
    path, _ = trained
    kept = ["--set", "training.keep_checkpoints=9", "--set", "training.checkpoint_every=3"]
    assert latentia("train", "ae", "--steps", 9, "--out", tmp_path / "ae", *kept).returncode == 0
    result = latentia("compare", path, tmp_path / "ae", "--points", 50, "--projection", "pca", "--out", tmp_path / "c")
    assert result.returncode == 0, result.stderr
    assert "distortion *" in result.stdout
    assert "ae has no prior" in result.stdout
    assert (tmp_path / "c" / "compare-images.png").is_file()
    value = json.loads(latentia("movie", tmp_path / "ae", "--n", 20, "--json").stdout)
    assert value["steps"] == [0, 3, 6, 9]
    assert Path(value["animation"]).read_bytes()[:6] == b"GIF89a"
    refused = latentia("movie", path)
    assert refused.returncode == 1
    assert "training.keep_checkpoints=1000" in refused.stderr
