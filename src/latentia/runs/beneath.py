"""The model beneath another: trained before it, in the same run, or taken from a finished one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from latentia import storage
from latentia.data.dataset import Dataset
from latentia.errors import ConfigError
from latentia.models.stacked import StackedModel
from latentia.objectives.elbo import Elbo
from latentia.recipes.build import base_settings
from latentia.recipes.config import Config
from latentia.runs.directory import RunDirectory
from latentia.runs.model_folder import load, read_description
from latentia.training.checkpoint import CheckpointStore
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.interrupt import InterruptRequest
from latentia.training.loop import fit
from latentia.training.metrics import MetricsFile


def lay_base(
    model: StackedModel,
    dataset: Dataset,
    config: Config,
    execution: Execution,
    directory: RunDirectory | None,
    events: Events,
    interrupt: InterruptRequest,
    loaded: Callable[[], None],
) -> None:
    """Give the model beneath the weights that it keeps while the one on top is trained.

    It sees no labels: its objective is the ELBO of all training data but the few that keep their labels. Its
    checkpoints are kept apart from the run's, so that an interrupted run goes on with it.

    Args:
        model: Whose ``base`` is fitted or filled, in place.
        dataset: What it is trained on.
        config: The run's; ``training`` but for the length is that of the base too.
        execution: Device, precision, threads.
        directory: The run's files, or ``None`` to write nothing.
        events: Who is told.
        interrupt: Asked after each step whether to stop.
        loaded: Called once its last checkpoint is loaded, if there is one, before anything on the disk is changed.

    Raises:
        ConfigError: If the run that was named has a model of another kind.
        RunError: If there is no such run, or it has no model.
        Interrupted: The interrupt was requested.
    """
    training = config.training
    if training.base_run is not None:
        _adopt(model, dataset, config, Path(training.base_run))
        loaded()
        events.said(f"the model beneath is that of {training.base_run}")
        return
    assert training.base_epochs is not None
    folder = None if directory is None else directory.base
    if folder is not None:
        storage.make_folder(folder)
    model.base.requires_grad_(True)
    try:
        fit(
            model.base,
            Elbo(),
            dataset,
            training.model_copy(update={"epochs": training.base_epochs, "steps": None, "base_epochs": None}),
            execution=execution,
            seed=config.seed,
            stage="base",
            store=None if folder is None else CheckpointStore(folder / "checkpoints"),
            metrics=None if folder is None else MetricsFile(folder / "metrics.jsonl"),
            events=_Beneath(events),
            interrupt=interrupt,
            loaded=partial(_begun, events, training.base_epochs, loaded),
        )
    finally:
        model.base.requires_grad_(False)


def _begun(events: Events, epochs: float, loaded: Callable[[], None]) -> None:
    loaded()
    events.said(f"training the model beneath for {epochs:g} epochs")


def _adopt(model: StackedModel, dataset: Dataset, config: Config, path: Path) -> None:
    assert config.model.base is not None
    weights = load(path).state_dict()
    folder = path / "model" if (path / "model").is_dir() else path
    settings, spec, preparation = read_description(folder)
    if spec.event_shape != dataset.spec.event_shape or preparation != dataset.preparation:
        raise ConfigError(
            f"the model of {path} was trained on other data ({spec.describe()}, prepared in its own way): name a run "
            "on the same data with the same data settings as training.base_run"
        )
    wanted = base_settings(config.model.base)
    if settings != wanted:
        differing = [name for name in type(wanted).model_fields if getattr(settings, name) != getattr(wanted, name)]
        raise ConfigError(
            f"the model of {path} differs from model.base in {', '.join(differing)}: give model.base."
            f"{differing[0]} what that run has"
        )
    model.base.load_state_dict(weights)


class _Beneath(Events):
    """Tells of the model beneath in words, since steps and metrics are those of the one on top."""

    def __init__(self, listener: Events) -> None:
        self.listener = listener

    def progressed(self, step: int) -> None:
        """The run is alive, at its first step."""
        self.listener.progressed(0)

    def logged(self, row: Mapping[str, Any]) -> None:
        """Say the loss of each epoch."""
        if row["epoch_end"] and row["split"] == "train":
            self.listener.said(f"the model beneath after epoch {row['epoch']:.4g}: loss {row['loss']:.6g} nats")

    def said(self, message: str) -> None:
        """Pass it on."""
        self.listener.said(message)
