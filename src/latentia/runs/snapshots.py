"""The states of a model that a run kept of its training: what it was before, and each checkpoint.

Owns how weights come back out of a checkpoint folder; knows no use of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentia.data.seeds import derive_seed
from latentia.errors import RunError
from latentia.recipes.build import Model, build_model
from latentia.runs.directory import RunDirectory
from latentia.training.checkpoint import read_checkpoint, restore_model

if TYPE_CHECKING:
    from latentia.runs.run import Run


def kept_steps(directory: RunDirectory) -> list[int]:
    """The steps whose weights can be had, 0 (before training) among them; none before the first checkpoint."""
    names = directory.checkpoints.names()
    return [0, *map(int, names)] if names else []


def first_model(run: Run) -> Model:
    """The model with the weights that it began with, on the CPU."""
    return build_model(run.config.model, run.spec, seed=derive_seed(run.config.seed, "weights"))


def restore_snapshot(model: Model, folder: Path) -> None:
    """Give a model the weights of a checkpoint: their average where there is one, as at the end of training.

    Raises:
        CheckpointError: If the checkpoint is damaged or does not fit.
    """
    stored = read_checkpoint(folder, ("model", "ema"))
    restore_model(model, {**stored.tensors["model"], **stored.tensors.get("ema", {})}, folder)


def model_at(run: Run, step: int) -> Model:
    """The model as it was after a step, in evaluation mode on the CPU.

    Args:
        run: Whose model; it needs a directory.
        step: One of :func:`kept_steps`.

    Raises:
        RunError: If the run did not keep that step.
        CheckpointError: If its checkpoint is damaged.
    """
    assert run.directory is not None
    kept = kept_steps(run.directory)
    if step not in kept:
        raise RunError(
            f"{run.path} did not keep step {step:,} (it has {', '.join(f'{own:,}' for own in kept) or 'none'}): train "
            "with --set training.keep_checkpoints=1000 --set training.checkpoint_every=250 to keep many"
        )
    model = first_model(run)
    if step > 0:
        folder = run.directory.checkpoints.folder
        restore_snapshot(model, next(folder / name for name in run.directory.checkpoints.names() if int(name) == step))
    return model.eval()
