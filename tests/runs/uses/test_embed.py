from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError
from latentia.evaluation import encode_split


@pytest.fixture(scope="module")
def run() -> lt.Run:
    """A VAE that has hardly been trained."""
    return lt.train("vae", steps=5, directory=None, settings={"data.validation": 0.1, "training.threads": 1})


def test_the_files_hold_the_latents(run: lt.Run, tmp_path: Path) -> None:
    result = run.embed(50, out=tmp_path)
    means, y = encode_split(run.model, run.dataset, "test", limit=50)
    assert torch.equal(result.latents, means)
    assert y is not None and result.y is not None and torch.equal(result.y, y)
    with np.load(tmp_path / "test.npz") as stored:
        assert (stored["latents"] == means.numpy()).all()
        assert (stored["index"] == np.arange(50)).all()
        assert (stored["classes"][stored["y"]] == [run.spec.classes[int(label)] for label in y]).all()
        assert stored["points"].shape == (50, 2)
    with open(tmp_path / "test.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["index", "label", *(f"z{i}" for i in range(20)), "pca1", "pca2"]
    table = np.array([[float(row[f"z{i}"]) for i in range(20)] for row in rows])
    assert (table.astype(np.float32) == means.numpy()).all()
    assert [row["label"] for row in rows] == [run.spec.classes[int(label)] for label in y]
    assert (tmp_path / "test.png").read_bytes()[1:4] == b"PNG"


def test_all_are_written_though_not_all_drawn(run: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.runs.uses.embed.DRAWN", 40)
    result = run.embed(out=tmp_path, split="train")
    assert (len(result.latents), len(result.points)) == (len(run.dataset.split("train")), 40)
    last = (tmp_path / "train.csv").read_text().splitlines()[-1]
    assert last.endswith(",,")
    assert result.to_json()["drawn"] == 40


def test_samples_are_those_of_the_seed_and_of_no_number(run: lt.Run) -> None:
    whole = run.embed(300, latents="sample", seed=4)
    few = run.embed(7, latents="sample", seed=4)
    assert torch.equal(whole.latents[:7], few.latents) or torch.allclose(whole.latents[:7], few.latents, atol=1e-6)
    assert not torch.equal(run.embed(7, latents="sample", seed=5).latents, few.latents)
    with torch.no_grad():
        q = run.model.encode(run.reconstruct(300, write=False).x)
    standard = (whole.latents - q.mean) / q.stddev
    assert float(standard.mean()) == pytest.approx(0, abs=4 / standard.numel() ** 0.5)
    assert float(standard.std()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_the_same_call_gives_the_same_files(run: lt.Run, tmp_path: Path, projection: Any) -> None:
    for name in ("a", "b"):
        run.embed(60, latents="sample", projection=projection, seed=2, out=tmp_path / name)
    for name in ("test-samples.csv", "test-samples.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_new_data(run: lt.Run, tmp_path: Path) -> None:
    split = run.dataset.split("test")
    np.savez(tmp_path / "new.npz", x=split.x[:9].numpy())
    result = run.embed(input=tmp_path / "new.npz", out=tmp_path)
    assert result.y is None and result.classes == ()
    assert torch.allclose(result.latents, run.embed(9).latents, atol=1e-6)
    assert (tmp_path / "input.csv").read_text().splitlines()[0].startswith("index,z0,")


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_few_dimensions_are_drawn_as_they_are(latent_dim: int, tmp_path: Path) -> None:
    run = lt.train("ae", steps=2, directory=None, settings={"model.latent_dim": latent_dim})
    result = run.embed(30, out=tmp_path)
    assert result.projection == "none"
    assert np.allclose(result.points, result.latents.numpy())
    assert "pca1" not in (tmp_path / "test.csv").read_text()


def test_faults_say_what_to_do(run: lt.Run) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'sample'"):
        run.embed(latents="samples")
    with pytest.raises(ConfigError, match="n must be at least 1"):
        run.embed(0)
    with pytest.raises(ConfigError, match="20 dimensions cannot be drawn as they are"):
        run.embed(5, projection="none")
    points = lt.train("ae", steps=2, directory=None)
    with pytest.raises(ConfigError, match="embed their means"):
        points.embed(5, latents="sample")
