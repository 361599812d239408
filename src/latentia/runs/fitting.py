"""The use cases that make a run: train, resume, the demo."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import torch

from latentia.data.sources import SOURCES
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, RunError
from latentia.recipes.config import Config, override, read_config
from latentia.recipes.presets import find_preset
from latentia.runs.directory import RunDirectory, new_run_path
from latentia.runs.job import Job, planned_steps
from latentia.runs.model_folder import is_whole
from latentia.runs.report import short
from latentia.runs.run import Run, open_run, reload_data
from latentia.training.distributed import Ranks, joined
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.launch import launched
from latentia.training.profiling import Profile, lap_of


def train(
    preset: str | Path | Config,
    data: Any = None,
    *,
    data_dir: str | Path | None = None,
    directory: str | Path | None = "auto",
    epochs: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    settings: Sequence[str] | Mapping[str, Any] = (),
    events: Events | None = None,
    profile: bool | Profile = False,
) -> Run:
    """Train a model, evaluate it on the test part, and write everything into a run directory.

    Args:
        preset: A preset's name, the path of a TOML config, or a config.
        data: A source (``"mnist"``, a path) or arrays: x, (x, y), or a mapping with ``x``, ``y``, ``x_test`` ...
        data_dir: Where original files are looked for first.
        directory: Where the run goes: ``"auto"`` for ``runs/<time>-<preset>``, a path that is absent or empty, or
            ``None`` to write nothing.
        epochs: Passes over the training images, in place of the preset's.
        steps: Optimiser steps, in place of epochs.
        seed: Determines weights, batches and noise.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32`` or ``bf16``.
        settings: Further settings: ``["training.batch_size=64"]`` or ``{"training.batch_size": 64}``.
        events: Who is told about progress.
        profile: Whether to measure where the time goes, for ``run.summary["profile"]`` and ``profile.json``; or a
            :class:`~latentia.training.profiling.Profile` whose time began before this call.

    Returns:
        The finished run. Of several processes that ``torchrun`` started, only process 0 has its directory and figures.

    Raises:
        ConfigError: If settings are wrong or contradict each other or the data.
        DataError: If the data cannot be found or used.
        RunError: If the directory is not empty or in use.
        DivergedError: If the loss becomes NaN or infinite.
        Interrupted: On SIGINT or SIGTERM; ``latentia resume`` goes on.
        EnvironmentFault: If the disk is full, the device is not there, or another process has ended.

    Example:
        >>> run = train("vae", directory=None, epochs=1)
        >>> sorted(run.summary["test"])
        ['distortion', 'elbo', 'mse', 'rate']
    """
    began = time.perf_counter()
    watch = profile if isinstance(profile, Profile) else Profile() if profile else None
    lap_of(watch)("start-up")
    config = resolve(
        preset, data, epochs=epochs, steps=steps, seed=seed, device=device, precision=precision, settings=settings
    )
    lap_of(watch)("config")
    if config.data.source == "arrays" and (data is None or isinstance(data, (str, Path))):
        raise ConfigError("this config was trained on arrays passed from Python: pass them again as data=...")
    with joined(config.training.device) as ranks:
        if directory is None or not ranks.main:
            return _job(config, data, data_dir, began, events, watch if ranks.main else None, ranks).work(None)
        path = new_run_path(config.preset or "model") if directory == "auto" else Path(directory)
        run_directory = RunDirectory(path)
        run_directory.check_free()
        try:
            job = _job(config, data, data_dir, began, events, watch, ranks)
            with run_directory.locked():
                run_directory.create(config, job.meta(data_dir))
                return job.work(run_directory)
        finally:
            if directory == "auto" and not run_directory.config_file.exists():
                run_directory.abandon()


def _job(
    config: Config,
    data: Any,
    data_dir: str | Path | None,
    began: float,
    events: Events | None,
    profile: Profile | None,
    ranks: Ranks,
) -> Job:
    with ranks.in_turn():
        dataset = load_data(config.data, data_dir=data_dir, arrays=None if isinstance(data, (str, Path)) else data)
    lap_of(profile)("data")
    return Job(config, dataset, began, events or Events(), profile=profile, ranks=ranks)


def resume(
    path: str | Path,
    *,
    epochs: float | None = None,
    data: Any = None,
    events: Events | None = None,
) -> Run:
    """Go on with a run from its last checkpoint, exactly as if it had not been interrupted.

    A finished run is returned as it is, unless ``epochs`` asks for more; then its config is changed to say so.
    Schedules are fractions of the planned run, so with more epochs they are stretched from there on. What a finished
    run has lost of its model, pictures or report is made again from the checkpoint that became the model.

    A run's state changes only once its checkpoint is loaded: one that cannot go on stays what it was.

    Args:
        path: The run's directory.
        epochs: The new number of passes in all; as planned if ``None``.
        data: The arrays it was trained on, if it was trained on arrays passed from Python.
        events: Who is told about progress.

    Returns:
        The finished run.

    Raises:
        RunError: If there is no run there, it is in use, ``epochs`` is less than what is done, or its checkpoints
            are gone.
        CheckpointError: If its last checkpoint is damaged.
    """
    began = time.perf_counter()
    directory = RunDirectory(Path(path))
    config = directory.read_config()
    if epochs is None and directory.state() == "finished" and not _lost(directory):
        summary = directory.status().get("summary") or {}
        told = events if events is not None and launched().main else Events()
        told.said(
            f"{directory.path} is finished, after {short(summary.get('epochs', 0))} epochs, and there was nothing to "
            "do: to train on, say with --epochs to how many in all"
        )
        return Run(config, directory=directory, summary=summary)
    stored = directory.meta().get("execution")
    execution = None if stored is None else Execution.from_json(stored)
    kind = "auto" if execution is None else execution.device.partition(":")[0]
    with joined(kind) as ranks, directory.locked() if ranks.main else nullcontext():
        if ranks.main:
            directory.check_checkpoints()
            directory.tidy()
        config = directory.read_config()
        with ranks.in_turn():
            dataset = reload_data(directory, config, data)
        if epochs is not None:
            config = _extended(directory, config, epochs, len(dataset.split("train")))
        summary = directory.status().get("summary") or {}
        complete = directory.state() == "finished" and summary.get("steps") == directory.last_step()
        if not ranks.from_main(epochs is None and complete):
            if execution is not None and config.training.threads is None and ranks.main:
                _say_threads(execution, events or Events())
            job = Job(config, dataset, began, events or Events(), execution, ranks=ranks)
            return job.work(directory if ranks.main else None, resumed=True, extended=epochs is not None)
        if not ranks.main:
            return Run(config, directory=directory, summary=summary)
        return Job(config, dataset, began, events or Events(), execution).rebuild(directory, summary)


def _say_threads(execution: Execution, events: Events) -> None:
    """Say that a run keeps its number of threads, on which its results depend, where this process would take another.

    More threads than free cores can make a step many times slower.
    """
    own = torch.get_num_threads()
    if execution.device == "cpu" and execution.threads != own:
        threads = f"{execution.threads} CPU thread{'s' if execution.threads != 1 else ''}"
        events.said(f"going on with {threads}, as the run began, so that it comes to the same result, not with {own}")


def _lost(directory: RunDirectory) -> bool:
    """Whether a finished run lacks some of what it came to."""
    drawn = directory.status().get("drawn")
    files = [directory.path / str(name) for name in drawn] if isinstance(drawn, list) else []
    return not all(file.is_file() for file in [directory.report_file, *files]) or not is_whole(directory.model)


def _extended(directory: RunDirectory, config: Config, epochs: float, samples: int) -> Config:
    """The config of a run that is to be trained longer."""
    step, finished = directory.last_step(), directory.status().get("state") == "finished"
    config = override(config, [f"training.epochs={float(epochs)}"], _ARGUMENTS)
    planned = planned_steps(config.training, samples)
    if planned < step or (planned == step and finished):
        done = step * config.training.batch_size / samples
        raise RunError(f"{directory.path} has {short(done)} epochs already: ask for more than that with --epochs")
    return config


_ARGUMENTS = {
    "training.epochs": "epochs",
    "training.steps": "steps",
    "training.device": "device",
    "training.precision": "precision",
    "data.source": "data",
    "seed": "seed",
}


def completed(
    config: Config,
    place: Path | None,
    data_dir: str | Path | None = None,
    events: Events | None = None,
    *,
    data: Any = None,
) -> Run:
    """Complete the run of a config: as it lies there if it is finished, continued, or trained.

    Args:
        config: The resolved config.
        place: The run's folder, which may be absent; ``None`` to write nothing.
        data_dir: Where original files are looked for first.
        events: Who is told about progress.
        data: The arrays that it is trained on, if they are passed from Python.

    Raises:
        RunError: If there is a run with other settings.
    """
    if place is None or not RunDirectory(place).config_file.exists():
        return train(config, data, data_dir=data_dir, directory=place, events=events)
    return finished_run(config, place) or resume(place, data=data, events=events)


def finished_run(config: Config, place: Path) -> Run | None:
    """The finished run of a config, if it lies there.

    Raises:
        RunError: If there is a run with other settings.
    """
    directory = RunDirectory(place)
    if not directory.config_file.exists():
        return None
    if directory.read_config() != config:
        raise RunError(f"{place} is a run with other settings: give another --out, or remove it")
    return open_run(place) if directory.state() == "finished" else None


def demo(directory: str | Path | None = None, events: Events | None = None) -> Run:
    """Train ``vae`` on the embedded digits for some seconds, evaluate it with importance samples, write the report.

    Args:
        directory: Where the run goes; ``runs/<time>-demo`` if ``None``.
        events: Who is told about progress.

    Returns:
        The finished run, whose ``eval.json`` also has the nll.
    """
    place = new_run_path("demo") if directory is None else Path(directory)
    run = train("vae", "digits", directory=place, events=events, settings=DEMO_SETTINGS)
    run.evaluate(importance_samples=100)
    return run


DEMO_SETTINGS = {
    "training.epochs": 200,  # small images need many passes
    "data.validation": 0.1,  # the weights that do best on a tenth held out become the model
    "training.log_every": 50,
    "training.threads": 1,  # more gain nothing on so small a model, and lose much on a busy machine
}
"""What the demo sets apart from ``vae``."""


def resolve(
    preset: str | Path | Config,
    data: Any = None,
    *,
    epochs: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    settings: Sequence[str] | Mapping[str, Any] = (),
) -> Config:
    """Make the config of a run from a preset and what was asked for; arguments as for :func:`train`."""
    if isinstance(preset, Config):
        config = preset
    elif isinstance(preset, Path) or (isinstance(preset, str) and preset.endswith(".toml")):
        config = read_config(Path(preset))
    elif isinstance(preset, str):
        config = find_preset(preset).config()
    else:
        raise ConfigError(f"a preset is a name, the path of a TOML file or a Config, not a {type(preset).__name__}")
    if isinstance(settings, str):
        settings = [settings]
    if epochs is not None and steps is not None:
        raise ConfigError("epochs and steps exclude each other: give one of them")
    assignments = [f"{key}={_toml(value)}" for key, value in settings.items()] if isinstance(settings, Mapping) else []
    assignments += [] if isinstance(settings, Mapping) else list(settings)
    wished = {"training.epochs": epochs, "training.steps": steps, "seed": seed}
    wished |= {"training.device": device, "training.precision": precision, "data.source": _source(data)}
    assignments += [f"{key}={_toml(value)}" for key, value in wished.items() if value is not None]
    if any(assignment.partition("=")[0].strip() == "preset" for assignment in assignments):
        raise ConfigError("preset is the name that a config began from and cannot be set: give another preset instead")
    config = override(config, assignments, {key: _ARGUMENTS[key] for key, value in wished.items() if value is not None})
    absolute = _source(config.data.source)
    return config if absolute == config.data.source else override(config, [f"data.source={_toml(absolute)}"])


def _source(data: Any) -> str | None:
    if data is None:
        return None
    if not isinstance(data, (str, Path)):
        return "arrays"
    path = Path(data)
    try:
        is_path = path.exists() and (bool(path.suffix) or (path.is_dir() and str(data) not in (*SOURCES, "arrays")))
    except OSError:  # such as a name that is too long; loading will say so
        return str(data)
    return str(path.absolute()) if is_path else str(data)


def _toml(value: Any) -> str:
    if value is None:
        value = "none"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return tomli_w.dumps({"value": value}).partition(" = ")[2].strip()
