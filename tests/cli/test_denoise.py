"""The command that takes noise off data, run for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Trained = tuple[Path, dict[str, Any]]


def test_denoise_draws_and_scores(latentia: Callable[..., Any], trained: Trained, tmp_path: Path) -> None:
    path, _ = trained
    result = latentia("denoise", path, "--sigma", 0.3, "--n", 5, "--seed", 4, "--json")
    assert result.returncode == 0, result.stderr
    value = json.loads(result.stdout)
    assert value["n"] == 5 and value["seed"] == 4 and value["scored"] > 100
    assert value["noisy"]["mse"] > 0 and value["denoised"]["ssim"] < 1
    picture = path / "samples" / "denoised.png"
    assert Path(value["picture"]) == picture and picture.is_file()
    np.save(tmp_path / "noisy.npy", np.random.default_rng(0).random((3, 1, 8, 8)).astype(np.float32))
    said = latentia("denoise", path, "--input", tmp_path / "noisy.npy", "--out", tmp_path / "own.png")
    assert said.returncode == 0, said.stderr
    assert "3 samples of noisy.npy" in said.stdout and "nothing is scored" in said.stdout
    assert (tmp_path / "own.png").is_file()


def test_denoise_says_what_noise_it_was(latentia: Callable[..., Any], trained: Trained) -> None:
    path, _ = trained
    said = latentia("denoise", path, "--corruption", "salt-and-pepper", "--probability", 0.1)
    assert said.returncode == 0, said.stderr
    assert "salt and pepper on 10 % of the values (seed 0)" in said.stdout
    assert all(word in said.stdout for word in ("mse", "psnr", "ssim", "dB", "denoised.png"))
    for arguments, message in (
        (("--input", "x.npy", "--sigma", 0.3), "--sigma and --input exclude each other"),
        (("--sigma", -1), "not a positive number"),
        (("--probability", 0.3), "choose one with --corruption"),
    ):
        refused = latentia("denoise", path, *arguments)
        assert refused.returncode == 2 and message in refused.stderr, refused.stderr
