"""A training as a movie."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import latentia as lt
from latentia.errors import ConfigError, EnvironmentFault, RunError


@pytest.fixture(scope="module")
def run(labelled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> lt.Run:
    """A VAE that kept its checkpoints."""
    settings = {
        "training.threads": 1,
        "training.device": "cpu",
        "training.keep_checkpoints": 100,
        "training.checkpoint_every": 5,
        "model.latent_dim": 2,
    }
    path = tmp_path_factory.mktemp("movie") / "run"
    return lt.train("vae", labelled, steps=20, directory=path, settings=settings)


def test_frames_are_the_checkpoints(run: lt.Run) -> None:
    found = run.movie(n=25, images=3)
    assert found.steps == [0, 5, 10, 15, 20]
    assert found.latents.shape == (5, 25, 2)
    assert torch.allclose(found.latents[-1], run.embed(25, write=False).latents, atol=1e-6)
    assert torch.allclose(found.reconstructions[-1], run.reconstruct(3, write=False).reconstruction, atol=1e-6)
    assert found.epochs[-1] == pytest.approx(20 * 128 / len(run.dataset.split("train")))
    untrained = lt.train("vae", run_data(run), steps=1, directory=None, settings={"model.latent_dim": 2})
    assert found.latents[0].std() == pytest.approx(untrained.embed(25, write=False).latents.std(), rel=0.5)
    assert found.path is not None and found.path.name == "movie.gif"
    with Image.open(found.path) as picture:
        assert picture.n_frames == 5  # type: ignore[attr-defined]


def run_data(run: lt.Run) -> dict[str, Any]:
    parts = {name: run.dataset.split(name) for name in ("train", "test")}
    return {"x": parts["train"].x.numpy(), "x_test": parts["test"].x.numpy()}


def test_some_frames_are_chosen_evenly(run: lt.Run) -> None:
    assert run.movie(n=5, images=1, frames=2, write=False).steps == [0, 5, 20]


def test_what_it_needs_is_said(run: lt.Run, vae: lt.Run, ae: lt.Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"--set training\.keep_checkpoints=1000"):
        vae.movie()
    with pytest.raises(RunError, match="without a directory"):
        ae.movie()
    with pytest.raises(ConfigError, match=r"ends in \.gif or \.mp4"):
        run.movie(out=tmp_path / "a.png")
    with pytest.raises(ConfigError, match="at least 2 frames"):
        run.movie(frames=1)


def test_mp4_by_ffmpeg(run: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="needs the program ffmpeg"):
        run.movie(out=tmp_path / "a.mp4")
    program = tmp_path / "ffmpeg"
    program.write_text('#!/bin/sh\nfor last; do :; done\n/bin/cat > "$last"\n')  # stands in for the encoder
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    if os.name == "posix":
        found = run.movie(n=5, images=1, out=tmp_path / "a.mp4")
        size = (tmp_path / "a.mp4").stat().st_size
        assert size % (3 * len(found.steps)) == 0
        program.write_text("#!/bin/sh\n/bin/cat > /dev/null\necho no such codec >&2\nexit 1\n")
        with pytest.raises(EnvironmentFault, match="no such codec"):
            run.movie(n=5, images=1, out=tmp_path / "b.mp4")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "ffmpeg"]
