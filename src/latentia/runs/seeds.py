"""The use cases that train one system with several seeds: each a run of its own, and a summary over all of them.

On a CPU the runs go side by side, in processes that share its threads; elsewhere one after the other in this process.
"""

from __future__ import annotations

import shlex
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from latentia import storage
from latentia.errors import ConfigError, DataError, Interrupted, LatentiaError, RunError, SeedsFailed
from latentia.maths.spread import mean_and_deviation
from latentia.recipes.config import Config, make_config, override, to_toml
from latentia.runs.directory import GROUP_FILE, SCHEMA_VERSION, RunDirectory, leave_no_empty, new_run_path
from latentia.runs.fitting import completed, finished_run, resolve, train
from latentia.runs.side_by_side import Member, Outcome, shares, train_side_by_side
from latentia.training.distributed import Ranks, joined
from latentia.training.events import Events
from latentia.training.execution import resolve_device

FIGURES = ("elbo", "distortion", "rate", "mse")


def train_seeds(
    preset: str | Path | Config,
    data: Any = None,
    *,
    seeds: int,
    data_dir: str | Path | None = None,
    directory: str | Path | None = "auto",
    epochs: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    settings: Sequence[str] | Mapping[str, Any] = (),
    events: Events | None = None,
) -> dict[str, Any]:
    """Train the same system with several seeds and summarise the test figures.

    Every seed is a run of its own, as :func:`~latentia.runs.fitting.train` makes it with that seed and as many
    threads. On a CPU as many go side by side as there are threads (``training.threads`` says how many each has), in
    processes of their own, unless arrays are passed from Python; otherwise one goes after the other.

    Args:
        preset: As for :func:`~latentia.runs.fitting.train`, and so are all arguments that are not named here.
        data: A source, or arrays.
        seeds: How many runs.
        data_dir: Where original files are looked for first.
        directory: A folder for the runs, ``seed-0``, ``seed-1`` ...; ``"auto"`` for ``runs/<time>-<preset>-seeds``,
            ``None`` to write nothing.
        epochs: Passes over the training images.
        steps: Optimiser steps, in place of epochs.
        seed: The first seed, from which they count on; what the config says if ``None``, in presets 0.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``auto``, ``fp32`` or ``bf16``.
        settings: Further settings.
        events: Who is told about progress; asked for a listener for each seed.

    Returns:
        ``folder``, ``seeds``, ``seconds`` (wall time of all), ``runs`` with each run's summary, ``failed``, and
        ``test`` with the mean, standard deviation and values of each figure; of several processes that ``torchrun``
        started, only in process 0.

    Raises:
        ConfigError: If ``seeds`` is smaller than 1, or settings are wrong.
        SeedsFailed: If some of the seeds failed, such as by a loss that is not finite; the others are finished.
        Interrupted: On SIGINT or SIGTERM; :func:`resume_seeds` goes on.

    Example:
        >>> found = train_seeds("vae", seeds=2, steps=2, directory=None)
        >>> found["seeds"], len(found["test"]["elbo"]["values"])
        ([0, 1], 2)
    """
    began = time.perf_counter()
    if seeds < 1:
        raise ConfigError(f"seeds must be at least 1, not {seeds}")
    first = resolve(
        preset, data, epochs=epochs, steps=steps, seed=seed, device=device, precision=precision, settings=settings
    )
    configs = [override(first, [f"seed={first.seed + number}"], {"seed": "seed"}) for number in range(seeds)]
    arrays = None if isinstance(data, (str, Path)) else data
    with joined(first.training.device) as ranks:
        folder = _new_folder(directory, first) if ranks.main else None
        places = _places(folder, configs)
        if ranks.world > 1:
            return _summary(folder, _in_step(configs, places, arrays, data_dir, events, ranks), began)
        planned = shares(seeds, _budget(), first.training.threads)
        if folder is not None:
            _write_group(folder, configs, planned, data_dir)
        try:
            return _trained(folder, configs, places, planned, arrays, data_dir, events, began)
        except Interrupted:  # what is written down there says how to go on
            raise
        except BaseException:
            _abandon(folder, places, made=directory == "auto")
            raise


def resume_seeds(path: str | Path, *, data: Any = None, events: Events | None = None) -> dict[str, Any]:
    """Go on with the seeds of an interrupted training: the finished stay as they are, the others are completed.

    Args:
        path: The folder that :func:`train_seeds` wrote into.
        data: The arrays that they are trained on, if they were passed from Python.
        events: Who is told about progress.

    Returns:
        As :func:`train_seeds` does.

    Raises:
        RunError: If there are no seeds, or their folder is damaged.
        SeedsFailed: If some of them failed again.
        Interrupted: On SIGINT or SIGTERM.
    """
    began = time.perf_counter()
    folder = Path(path)
    if not is_group(folder):
        raise RunError(f"{folder} is not the folder of several seeds, it has no {GROUP_FILE}")
    try:
        group = storage.read_json(folder / GROUP_FILE)
        if group["schema_version"] > SCHEMA_VERSION:
            raise RunError(f"{folder} was written by a newer Latentia: update it to go on")
        first, numbers = make_config(tomllib.loads(group["config"]), str(folder / GROUP_FILE)), group["seeds"]
        configs = [override(first, [f"seed={number:d}"]) for number in numbers]
        planned, data_dir = [int(count) for count in group["threads"]], group["data_dir"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"{folder / GROUP_FILE} is damaged: go on with each run by itself") from error
    if data_dir is not None and not Path(data_dir).is_dir():
        data_dir = None  # moved since; there may be another in LATENTIA_DATA_DIR or the cache
    return _trained(folder, configs, _places(folder, configs), planned, data, data_dir, events, began)


def is_group(path: str | Path) -> bool:
    """Whether a folder holds the runs of several seeds."""
    return (Path(path) / GROUP_FILE).is_file()


def complete_all(
    configs: Sequence[Config],
    places: Sequence[Path | None],
    *,
    planned: Sequence[int] | None = None,
    data: Any = None,
    data_dir: str | Path | None = None,
    events: Events | None = None,
) -> list[Outcome]:
    """Complete several runs that differ in their seeds: those that are not finished are continued or trained.

    Args:
        configs: The resolved config of each.
        places: The folder of each, which may be absent; ``None`` to write nothing.
        planned: The threads of each that has not begun; equal shares if ``None``.
        data: The arrays that they are trained on, if they are passed from Python.
        data_dir: Where original files are looked for first.
        events: Who is told about progress.

    Returns:
        What became of each, in their order.

    Raises:
        ConfigError: If their settings are refused.
        DataError: If their data are.
        RunError: If there is a run with other settings in one of the places.
    """
    events, budget = events or Events(), _budget()
    found = [
        None if place is None else finished_run(config, place) for config, place in zip(configs, places, strict=True)
    ]
    outcomes = [Outcome() if run is None else Outcome(summary=run.summary) for run in found]
    open_ = [number for number, run in enumerate(found) if run is None]
    if not open_:
        return outcomes
    counts = shares(len(open_), budget, configs[0].training.threads)
    if planned is not None:
        counts = [planned[number] for number in open_]
    members = [
        Member(configs[number], places[number], _stored_threads(places[number]) or count)
        for number, count in zip(open_, counts, strict=True)
    ]
    reason = _why_in_turn(members, budget, data)
    if reason is None:
        told = ", ".join(str(member.threads) for member in members)
        events.said(f"{len(members)} seeds, side by side in processes of their own, with {told} threads")
        came = train_side_by_side(members, budget, data_dir, events)
    else:
        if len(members) > 1:
            events.said(f"{len(members)} seeds, one after the other: {reason}")
        came = _train_in_turn(members, data, data_dir, events)
    for number, outcome in zip(open_, came, strict=True):
        outcomes[number] = outcome
    return outcomes


def _budget() -> int:
    """The threads that one training would have, which several share."""
    return torch.get_num_threads()


def _why_in_turn(members: Sequence[Member], budget: int, data: Any) -> str | None:
    """Why these cannot be trained side by side; ``None`` if they can."""
    device = resolve_device(members[0].config.training.device)
    if device.type != "cpu":
        return f"they would wait for each other on {device}"
    if data is not None:
        return "arrays passed from Python are in this process alone"
    fewest = sorted(member.threads for member in members)[:2]
    if sum(fewest) > budget or len(fewest) < 2:
        return f"each takes all {budget} threads" if budget > 1 else "there is one thread"
    return None


def _train_in_turn(members: Sequence[Member], data: Any, data_dir: str | Path | None, events: Events) -> list[Outcome]:
    """Complete several runs in this process, one after the other, until they are done or interrupted."""
    outcomes = [Outcome()] * len(members)
    for number, member in enumerate(members):
        try:
            with _threads(member.threads):
                run = completed(member.config, member.place, data_dir, events.of(member.config.seed), data=data)
            outcomes[number] = Outcome(summary=run.summary)
        except (ConfigError, DataError):
            raise
        except LatentiaError as error:
            outcomes[number] = Outcome(error=error)
        except KeyboardInterrupt:
            outcomes[number] = Outcome(error=Interrupted("interrupted"))
        if isinstance(outcomes[number].error, Interrupted):
            break
    return outcomes


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute with so many threads within the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _in_step(
    configs: Sequence[Config],
    places: Sequence[Path | None],
    data: Any,
    data_dir: str | Path | None,
    events: Events | None,
    ranks: Ranks,
) -> list[Outcome]:
    """Train several runs one after the other, each by all the processes that ``torchrun`` started."""
    runs = [
        train(config, data, data_dir=data_dir, directory=place, events=(events or Events()).of(config.seed))
        for config, place in zip(configs, places, strict=True)
    ]
    return [Outcome(summary=run.summary) for run in runs] if ranks.main else []


def _trained(
    folder: Path | None,
    configs: Sequence[Config],
    places: Sequence[Path | None],
    planned: Sequence[int],
    data: Any,
    data_dir: str | Path | None,
    events: Events | None,
    began: float,
) -> dict[str, Any]:
    """Complete all seeds; their summary, or what kept them from it."""
    outcomes = complete_all(configs, places, planned=planned, data=data, data_dir=data_dir, events=events)
    done = sum(outcome.summary is not None for outcome in outcomes)
    way_on = "" if folder is None else f"; go on with: latentia resume {shlex.quote(str(folder))}"
    if any(isinstance(outcome.error, Interrupted) for outcome in outcomes):
        raise Interrupted(f"interrupted when {done} of {len(outcomes)} seeds were finished{way_on}")
    faults = {config.seed: outcome.error for config, outcome in zip(configs, outcomes, strict=True) if outcome.error}
    if faults and not done:
        raise next(iter(faults.values()))
    summary = _summary(folder, outcomes, began)
    summary["failed"] = [
        {"seed": seed, "error": str(error), "exit_code": error.exit_code} for seed, error in faults.items()
    ]
    if faults:
        told = "; ".join(f"seed {seed}: {error}" for seed, error in faults.items())
        raise SeedsFailed(f"{told}; the other {done} are finished", summary, next(iter(faults.values())).exit_code)
    return summary


def _summary(folder: Path | None, outcomes: Sequence[Outcome], began: float) -> dict[str, Any]:
    """The spread of the figures over the seeds that are finished."""
    runs = [outcome.summary for outcome in outcomes if outcome.summary is not None]
    figures: dict[str, Any] = {}
    for name in FIGURES:
        values = [run["test"][name] for run in runs if run["test"] is not None]
        figures[name] = {**mean_and_deviation(values), "values": values} if values and None not in values else None
    return {
        "folder": None if folder is None else str(folder),
        "seeds": [run["seed"] for run in runs],
        "seconds": round(time.perf_counter() - began, 3),
        "runs": runs,
        "failed": [],
        "test": figures,
    }


# --- the folder of several seeds ------------------------------------------------------------------------------------


def _new_folder(directory: str | Path | None, config: Config) -> Path | None:
    if directory is None:
        return None
    if directory == "auto":
        return new_run_path(f"{config.preset or 'model'}-seeds").absolute()
    folder = RunDirectory(Path(directory))
    folder.check_free()
    return folder.path


def _places(folder: Path | None, configs: Sequence[Config]) -> list[Path | None]:
    return [None if folder is None else folder / f"seed-{config.seed}" for config in configs]


def _write_group(folder: Path, configs: Sequence[Config], threads: Sequence[int], data_dir: str | Path | None) -> None:
    """Write down what is to be trained there, so that it can be gone on with."""
    value = {
        "schema_version": SCHEMA_VERSION,
        "seeds": [config.seed for config in configs],
        "threads": list(threads),
        "data_dir": None if data_dir is None else str(Path(data_dir).absolute()),
        "config": to_toml(configs[0]),
    }
    storage.write_json(storage.make_folder(folder) / GROUP_FILE, value)


def _abandon(folder: Path | None, places: Sequence[Path | None], *, made: bool) -> None:
    """Take away what was prepared for seeds none of which began."""
    begun = any(place is not None and RunDirectory(place).config_file.exists() for place in places)
    if folder is None or begun:
        return
    for place in places:
        if place is not None:
            RunDirectory(place).abandon()
    storage.remove(folder / GROUP_FILE)
    if made and folder.is_dir() and not any(folder.iterdir()):
        storage.remove(folder)
        leave_no_empty(folder.parent)


def _stored_threads(place: Path | None) -> int | None:
    """The threads that a run began with, with which it must go on."""
    if place is None or not RunDirectory(place).config_file.exists():
        return None
    execution = RunDirectory(place).meta().get("execution")
    return int(execution["threads"]) if isinstance(execution, dict) and "threads" in execution else None
