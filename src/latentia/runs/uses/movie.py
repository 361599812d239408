"""A run's latents and reconstructions through its training, from the checkpoints that it kept."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia import storage
from latentia.errors import ConfigError, EnvironmentFault, RunError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.animation import gif_bytes
from latentia.exploration.training_movie import draw_movie
from latentia.runs.snapshots import first_model, restore_snapshot
from latentia.runs.uses.feeding import feed

if TYPE_CHECKING:
    from latentia.runs.run import Run


@dataclass(frozen=True, eq=False)
class Movie:
    """What a training looked like.

    Attributes:
        steps: The step of each frame; 0 is before training.
        epochs: The same in epochs.
        latents: (T, N, d), means of q(z given x).
        reconstructions: (T, n, *event).
        path: The GIF or MP4, or ``None``.
    """

    steps: list[int]
    epochs: list[float]
    latents: Tensor
    reconstructions: Tensor
    path: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "animation": None if self.path is None else str(self.path),
            "frames": len(self.steps),
            "steps": self.steps,
            "epochs": [round(epoch, 6) for epoch in self.epochs],
            "n": self.latents.shape[1],
        }


def movie(
    run: Run,
    *,
    n: int = 1000,
    images: int = 8,
    frames: int = 120,
    seconds: float = 0.15,
    split: str = "test",
    out: str | Path | None = None,
    write: bool = True,
) -> Movie:
    """Draw a run's training; see :meth:`latentia.Run.movie`."""
    if n < 1 or not 1 <= images <= 24 or frames < 2 or not 0.02 <= seconds <= 10:
        raise ConfigError(
            "a movie needs n of at least 1, 1 to 24 images, at least 2 frames, and 0.02 to 10 seconds for each"
        )
    path = _target(run, out) if write else None
    folders = _checkpoints(run, frames)
    source = feed(run, n, split=split)
    found = list(source.blocks)
    x = torch.cat([block.x for block in found])
    y = None if found[0].y is None else torch.cat([block.y for block in found if block.y is not None])
    model = first_model(run).to(x.device)
    latents, shown, steps = [], [], []
    for folder in [None, *folders]:
        if folder is not None:
            restore_snapshot(model, folder)
        with evaluating(model):
            latents.append(model.encode(x, y).mean.flatten(1).cpu())
            few = slice(0, images)
            shown.append(model.reconstruct(x[few], None if y is None else y[few]).cpu())
        steps.append(0 if folder is None else int(folder.name))
    per_epoch = len(run.dataset.split("train")) / run.config.training.batch_size
    epochs = [step / per_epoch for step in steps]
    result = Movie(steps, epochs, torch.stack(latents), torch.stack(shown), path)
    if path is not None:
        pictures = draw_movie(
            result.latents.numpy(),
            x[:images].cpu(),
            result.reconstructions,
            run.spec,
            labels=None if source.y is None else source.y.numpy(),
            captions=[f"step {step:,} (epoch {epoch:.3g})" for step, epoch in zip(steps, epochs, strict=True)],
            title=f"{run.name}: {source.source}",
        )
        _write(pictures, path, seconds)
    return result


def _target(run: Run, out: str | Path | None) -> Path | None:
    path = None if out is None else Path(out)
    if path is None:
        return None if run.directory is None else storage.make_folder(run.directory.samples) / "movie.gif"
    if path.suffix.lower() not in (".gif", ".mp4"):
        raise ConfigError(f"movies are written as GIF or MP4: give a path that ends in .gif or .mp4, not {path}")
    if path.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise EnvironmentFault("writing MP4 needs the program ffmpeg, which is not there: install it, or write a .gif")
    storage.make_folder(path.parent)
    return path


def _checkpoints(run: Run, frames: int) -> list[Path]:
    """The checkpoints to be shown, evenly chosen where there are more than wanted; the last one always."""
    if run.directory is None:
        raise RunError("a run without a directory keeps no checkpoints to make a movie of: train with directory='auto'")
    store = run.directory.checkpoints
    names = store.names()
    if len(names) < 3:
        raise RunError(
            f"{run.path} kept {len(names)} checkpoint{'s' if len(names) != 1 else ''}, too few for a movie: train it "
            "with --set training.keep_checkpoints=1000, and --set training.checkpoint_every=250 (steps) for as many "
            "frames as you wish"
        )
    chosen = np.unique(np.linspace(0, len(names) - 1, min(frames, len(names))).round().astype(int))
    return [store.folder / names[index] for index in chosen]


def _write(pictures: np.ndarray, path: Path, seconds: float) -> None:
    if path.suffix.lower() == ".gif":
        storage.write_bytes(path, gif_bytes(pictures, seconds=seconds, hold=max(1.2, seconds), back=False))
        return
    height, width = (size // 2 * 2 for size in pictures.shape[1:3])  # the codec takes even sizes alone
    aside = storage.aside(path).with_suffix(".mp4")
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{1 / seconds:g}", "-i", "-", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(aside)]
    buffer = io.BytesIO(np.ascontiguousarray(pictures[:, :height, :width]).tobytes())
    try:
        done = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=False)
        if done.returncode != 0 or not aside.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise EnvironmentFault(f"ffmpeg could not write {path} ({said[-1] if said else 'no reason given'})")
        storage.rename(aside, path)
    finally:
        storage.remove(aside)
