"""Denoising with a run: which noise, which scores, which files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.cli import printing
from latentia.data.corruption import Corruption, GaussianCorruption, MaskingCorruption, SaltAndPepperCorruption
from latentia.errors import ConfigError
from latentia.runs.uses.denoise import choose_corruption

from .conftest import small


@pytest.fixture(scope="module")
def run(labelled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> lt.Run:
    """A denoising autoencoder with a folder."""
    return small("denoising-ae", labelled, tmp_path_factory.mktemp("denoise") / "run")


def test_the_same_call_gives_the_same_scores_and_the_same_picture(run: lt.Run, tmp_path: Path) -> None:
    first = run.denoise(5, seed=2, out=tmp_path / "a.png")
    torch.rand(3)
    again = run.denoise(5, seed=2, out=tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert first.noisy_scores == again.noisy_scores and first.denoised_scores == again.denoised_scores
    assert torch.equal(first.noisy, again.noisy) and torch.equal(first.denoised, again.denoised)
    assert not torch.equal(run.denoise(5, seed=3, write=False).noisy, first.noisy)
    longer = run.denoise(30, seed=2, write=False)
    assert torch.equal(longer.noisy[:5], first.noisy) and longer.noisy_scores == first.noisy_scores


def test_it_denoises_what_it_was_shown(run: lt.Run) -> None:
    found = run.denoise(30, write=False)
    x = run.reconstruct(30, write=False).x
    assert found.x is not None and torch.equal(found.x, x) and found.count == 30
    with torch.no_grad():
        torch.testing.assert_close(found.denoised, run.model.reconstruct(found.noisy))
    assert found.noisy_scores is not None and found.denoised_scores is not None
    assert found.noisy_scores.mse == pytest.approx(float((found.noisy - x).double().square().mean()), rel=1e-6)
    assert found.denoised_scores.mse == pytest.approx(float((found.denoised - x).double().square().mean()), rel=1e-6)
    assert found.denoised_scores.mse < found.noisy_scores.mse
    assert found.corruption == "Gaussian noise, sigma 0.5, clamped to [0, 1] (pixels lie in [0, 1])"
    assert found.ssim_window == 7
    value = json.loads(json.dumps(found.to_json()))
    assert value["noisy"]["mse"] == found.noisy_scores.mse and value["scored"] == value["n"] == 30


def test_noisy_data_of_ones_own_are_not_scored(run: lt.Run, tmp_path: Path) -> None:
    noisy = run.denoise(6, write=False).noisy
    np.save(tmp_path / "noisy.npy", noisy.numpy())
    found = run.denoise(4, input=tmp_path / "noisy.npy", out=tmp_path / "picture.png")
    assert torch.equal(found.noisy, noisy[:4])
    with torch.no_grad():
        torch.testing.assert_close(found.denoised, run.model.reconstruct(noisy[:4]))
    assert found.x is found.noisy_scores is found.denoised_scores is found.corruption is None and found.count == 0
    assert (tmp_path / "picture.png").is_file() and found.to_json()["noisy"] is None
    with pytest.raises(ConfigError, match="taken as they are, noisy"):
        run.denoise(input=tmp_path / "noisy.npy", sigma=0.1)


def test_any_model_denoises(vae: lt.Run, table: lt.Run) -> None:
    assert vae.denoise(3, write=False).denoised.shape == (3, 1, 8, 8)
    found = table.denoise(3, corruption="masking", probability=0.5, write=False)
    assert found.denoised.shape == (3, 6) and found.denoised_scores is not None
    assert found.denoised_scores.ssim is None and found.denoised_scores.psnr is not None


def test_what_became_worse_is_said(vae: lt.Run, capsys: pytest.CaptureFixture[str]) -> None:
    worse = vae.denoise(3, sigma=0.001, write=False)
    assert "has not learned to take this noise off" in worse.notes[0] and worse.to_json()["notes"] == [*worse.notes]
    assert worse.noisy_scores is not None
    better = replace(worse, denoised_scores=replace(worse.noisy_scores, mse=0.0, ssim=None))
    assert better.notes == ()
    printing.denoised(worse.to_json())
    assert "note: the denoised data are further" in capsys.readouterr().out
    without = replace(worse, noisy_scores=replace(worse.noisy_scores, psnr=None, ssim=None))
    printing.denoised(without.to_json())
    said = capsys.readouterr().out
    assert "mse" in said and "psnr" not in said and "ssim" not in said


def test_the_training_says_how_well_it_denoises(run: lt.Run) -> None:
    assert run.path is not None
    found = run.denoise(write=False)
    assert found.noisy_scores is not None and found.denoised_scores is not None
    assert run.summary["test"]["noisy_mse"] == found.noisy_scores.mse
    assert run.summary["test"]["denoised_mse"] == found.denoised_scores.mse
    stored = json.loads((run.path / "eval.json").read_text())
    assert (
        stored["denoised_psnr"] == found.denoised_scores.psnr and stored["denoised_ssim"] == found.denoised_scores.ssim
    )
    assert (run.path / "samples" / "denoised.png").is_file()
    assert "Denoising" in (run.path / "report.html").read_text()
    assert "denoised_mse" in (run.path / "model" / "README.md").read_text()
    spread = run.measure(seeds=2)["over_seeds"]["denoised_mse"]
    assert spread["values"][0] == found.denoised_scores.mse and spread["standard_deviation"] > 0


def test_a_run_without_corruption_says_nothing_of_it(vae: lt.Run) -> None:
    assert vae.path is not None
    assert "denoised_mse" not in vae.summary["test"] and "denoised_mse" not in vae.measure()
    assert not (vae.path / "samples" / "denoised.png").exists()


MASKED = {"name": "masking", "probability": 0.4, "value": 0.5}


@pytest.mark.parametrize(
    ("own", "asked", "expected"),
    [
        ("none", {}, GaussianCorruption(0.5, [0.0, 1.0])),
        ("none", {"sigma": 0.2}, GaussianCorruption(0.2, [0.0, 1.0])),
        ("none", {"corruption": "masking"}, MaskingCorruption(0.25)),
        ("none", {"corruption": "salt-and-pepper", "probability": 0.1}, SaltAndPepperCorruption(0.1)),
        ("none", {"corruption": MaskingCorruption(0.9)}, MaskingCorruption(0.9)),
        ({"name": "gaussian", "sigma": 0.3, "clamp": "none"}, {}, GaussianCorruption(0.3)),
        ({"name": "gaussian", "sigma": 0.3, "clamp": "none"}, {"sigma": 0.1}, GaussianCorruption(0.1)),
        (MASKED, {}, MaskingCorruption(0.4, 0.5)),
        (MASKED, {"probability": 0.1}, MaskingCorruption(0.1, 0.5)),
        (MASKED, {"sigma": 0.1}, GaussianCorruption(0.1, [0.0, 1.0])),
    ],
)
def test_what_is_left_open_is_as_in_training(
    labelled: dict[str, Any], own: Any, asked: dict[str, Any], expected: Corruption
) -> None:
    run, asked = lt.train("ae", labelled, directory=None, steps=1, settings={"objective.corruption": own}), {**asked}
    kind = asked.pop("corruption", None)
    assert choose_corruption(run, kind, **asked) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"corruption": "salt"}, "there are gaussian, masking, salt-and-pepper"),
        ({"sigma": 0.0}, "sigma must be a positive number"),
        ({"sigma": float("nan")}, "sigma must be a positive number"),
        ({"sigma": 0.1, "corruption": "masking"}, "give a probability instead"),
        ({"probability": 0.1}, "choose one with --corruption"),
        ({"probability": 1.5, "corruption": "masking"}, "at most 1, not 1.5"),
        ({"sigma": 0.1, "corruption": MaskingCorruption(0.1)}, "brings its own numbers"),
        ({"n": 0}, "n must be between 1 and"),
    ],
)
def test_what_makes_no_sense_is_refused(run: lt.Run, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run.denoise(**asked, write=False)


def test_data_of_another_range_are_not_clamped() -> None:
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    run = small("vae", {"x": x[:40], "x_test": x[40:]}, data__scale="standard", model__likelihood__name="gaussian")
    assert choose_corruption(run) == GaussianCorruption(0.5)
    salted = choose_corruption(run, "salt-and-pepper")
    assert isinstance(salted, SaltAndPepperCorruption) and salted.low == run.spec.low and salted.high == run.spec.high
