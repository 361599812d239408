"""Trainings that are started from the studio: processes of their own, which outlive it.

A job is ``latentia train``, ``resume`` or ``fit-prior`` in a session of its own; what it says goes to
``.studio/<run>.log`` in the studio's folder. All that is known of a run that has begun is in its directory, whoever
started it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from latentia import storage
from latentia.data.catalogue import CATALOGUE
from latentia.data.sources import SOURCES
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, LatentiaError, RunError
from latentia.recipes.config import Config
from latentia.recipes.presets import find_preset
from latentia.recipes.second_stages import STAGES
from latentia.runs.directory import RunDirectory
from latentia.runs.fitting import resolve
from latentia.runs.job import planned_steps
from latentia.studio.desk import Studio, is_local
from latentia.studio.places import NoSuchRun, Outside
from latentia.studio.query import Query

LOGS = ".studio"
_NAME = re.compile(r"\w(?:[\w. -]{0,78}[\w.-])?")
_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
SHOWN = 2**16  # bytes of a log's end
MOST_RUNNING = 8
INTERRUPTED = 130  # the exit code of a training that was stopped
SHOWN_FOR = 3600.0  # seconds for which a job that became no run is listed after it failed


@dataclass(frozen=True)
class Order:
    """A training that was checked and can begin.

    Attributes:
        preset: What is trained.
        data: On what.
        name: The run's, or empty for one made of the time.
        assignments: Settings, as ``--set`` takes them.
    """

    preset: str
    data: str
    name: str
    assignments: list[str]


@dataclass
class Job:
    """A process, and what is known of it.

    Attributes:
        process: It.
        command: ``train``, ``resume`` or ``fit-prior``.
        began: When, in seconds since 1970.
        about: What its row says besides.
        problem: What it failed of.
        failed: When that was seen, in seconds of a clock that only grows.
    """

    process: subprocess.Popen[bytes]
    command: str
    began: float
    about: dict[str, Any]
    problem: str | None = None
    failed: float | None = None


class Jobs:
    """What was started here, until it ends; and the means to stop and to go on with any run of the folder.

    Args:
        studio: The folder.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._started: dict[str, Job] = {}
        self._lock = threading.RLock()  # between looking whether something may begin, and its beginning
        self.faults: dict[str, str] = {}  # what the last job of a run that exists failed of

    def train(self, query: Query) -> str:
        """Check an order and begin it; returns and raises what :meth:`check` and :meth:`begin` do."""
        return self.begin(self.check(query))

    def check(self, query: Query) -> Order:
        """Check all of an order that does not depend on what else goes on; this may have to read the data.

        Raises:
            ConfigError: If the preset, a setting or the name is wrong.
            DataError: If the data cannot be had.
        """
        preset, data = query.word("preset", "vae"), query.word("data", "digits")
        find_preset(preset)
        assignments = _assignments(query.values.get("settings", {}))
        config = resolve(preset, data, settings=assignments)
        name = query.word("name", "")
        if name and not _NAME.fullmatch(name):
            raise ConfigError(
                f"'{name[:80]}' cannot be a run's name here: use letters, digits, spaces, '.', '_' and '-', and begin "
                "with a letter or digit"
            )
        assignments += _snapshots(config, assignments, query.whole("snapshots", 30, 0, 500))
        return Order(preset, data, name, assignments)

    def begin(self, order: Order) -> str:
        """Start a training that was checked.

        Returns:
            The run's name.

        Raises:
            RunError: If there is a run of that name, or too many jobs go on.
        """
        with self._lock:
            self._check_room()
            name = order.name or self._free_name(order.preset)
            path = self.studio.places.target(name)
            if name in self._alive() or (path.exists() and any(path.iterdir())):
                raise RunError(f"there is a run '{name}' already: choose another name")
            sets = [f"--set={assignment}" for assignment in order.assignments]
            command = ["train", order.preset, f"--data={order.data}", f"--out={path}", *sets]
            self._spawn(name, command, preset=order.preset, data=order.data)
        return name

    def fit_prior(self, query: Query) -> str:
        """Fit a prior to a run's latents.

        Raises:
            ConfigError: If there is no such prior.
        """
        name, prior = query.word("run", ""), query.word("prior", "gmm", tuple(STAGES))
        directory = self.studio.places.run(name)
        with self._lock:
            self._check_idle(name)
            self._spawn(name, ["fit-prior", str(directory.path), prior])
        return name

    def resume(self, name: str, query: Query) -> str:
        """Go on with a run.

        Raises:
            RunError: If it is being trained.
        """
        directory, epochs = self.studio.places.run(name), query.real("epochs")
        with self._lock:
            self._check_idle(name)
            if epochs is None and directory.state() == "finished":
                raise RunError("the run is finished: to train it further, say to how many epochs in all")
            more = [] if epochs is None else [f"--epochs={epochs:g}"]
            self._spawn(name, ["resume", str(directory.path), *more])
        return name

    def stop(self, name: str) -> str:
        """Ask a training to save a checkpoint and end, as Ctrl-C does.

        Raises:
            RunError: If nothing runs.
        """
        own = self._alive().get(name)
        if own is not None:
            own.send_signal(signal.SIGINT)
            return name
        directory = self.studio.places.run(name)
        pid = directory.status().get("pid")
        if directory.state() not in ("created", "running") or not isinstance(pid, int) or not _writes(pid, directory):
            raise RunError(f"'{name}' is not being trained, so there is nothing to stop")
        os.kill(pid, signal.SIGINT)
        return name

    def log(self, name: str) -> dict[str, Any]:
        """The end of what a job said, or of the run's own log where that is newer; and whether the job goes on.

        Raises:
            NoSuchRun: If there is neither a job nor a run of that name.
            Outside: If a log is a link.
        """
        own, alive = self._log_file(name), name in self._alive()
        if not alive and (name not in self._started or (self.studio.places.target(name) / "config.toml").is_file()):
            try:
                run = self.studio.places.run(name).log_file
            except NoSuchRun:
                if not own.is_file():
                    raise
            else:
                own = max((own, run), key=_written_at)
        return {"text": _end_of(own), "running": alive}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each job that has not become a run yet, or never did."""
        found = []
        with self._lock:
            for name, job in list(self._started.items()):
                if self._has_ended(name, job):
                    del self._started[name]
                elif not self._is_run(name):
                    row = {"id": name, "state": "starting" if job.problem is None else "failed"}
                    row |= {"live": job.problem is None, "problem": job.problem, "started": job.began}
                    found.append({**row, "job": job.command, **job.about})
        return found

    def told(self, row: dict[str, Any]) -> dict[str, Any]:
        """A run's row, with what its files do not say: what goes on with it, and what the last job failed of."""
        row = row | {"problem": self.faults.get(row["id"], row["problem"]), "job": None}
        job = self._started.get(row["id"])
        if job is None or job.process.poll() is not None:
            return row
        row["job"] = job.command
        if job.command == "resume" and _written_at(Path(row["path"]) / "status.json") < job.began:
            row |= {"state": "starting", "live": True}  # it has yet to write how the run stands
        return row

    def _has_ended(self, name: str, job: Job) -> bool:
        """Whether nothing is to be said of a job any more; takes note of what it failed of."""
        code = job.process.poll()
        if code is None:
            return False
        if code in (0, INTERRUPTED):
            return True
        if job.problem is None:
            job.problem, job.failed = self._last_words(name), time.monotonic()
        if self._is_run(name):
            self.faults[name] = job.problem
            return True
        return time.monotonic() - (job.failed or 0.0) > SHOWN_FOR

    def _is_run(self, name: str) -> bool:
        try:
            return (self.studio.places.target(name) / "config.toml").is_file()
        except LatentiaError:  # what is there by now leads out of the folder
            return False

    def commands(self) -> dict[str, str]:
        """What is going on, by the name of the run: train, resume or fit-prior."""
        return {name: self._started[name].command for name in sorted(self._alive()) if name in self._started}

    def _alive(self) -> dict[str, subprocess.Popen[bytes]]:
        return {name: job.process for name, job in list(self._started.items()) if job.process.poll() is None}

    def _last_words(self, name: str) -> str:
        try:
            text = _end_of(self._log_file(name))
        except Outside as error:
            return str(error)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return (lines[-1] if lines else "it ended without a word").removeprefix("latentia: error: ")

    def _check_room(self) -> None:
        if len(self._alive()) >= MOST_RUNNING:
            raise RunError(f"{MOST_RUNNING} jobs go on already: wait for one to end, or stop one")

    def _check_idle(self, name: str) -> None:
        self._check_room()
        directory = self.studio.places.run(name)
        if name in self._alive() or (directory.state() in ("created", "running") and _is_locked(directory)):
            raise RunError(f"'{name}' is being trained: stop it first, or wait")

    def _free_name(self, preset: str) -> str:
        stem = time.strftime("%Y%m%d-%H%M%S") + f"-{preset}"
        name, number = stem, 2
        while self.studio.places.target(name).exists() or name in self._started:
            name, number = f"{stem}-{number}", number + 1
        return name

    def _log_file(self, name: str) -> Path:
        """Where a job's words are; never at the end of a link.

        Raises:
            Outside: If that is a link, or leads out of the folder.
        """
        self.studio.places.target(name)
        folder = self.studio.places.root / LOGS
        log = folder / f"{quote(name, safe=' ')}.log"
        for path in (folder, log):
            if path.is_symlink():
                raise Outside(f"{path} is a link, which the studio neither reads nor writes through: remove it")
        return log

    def _spawn(self, name: str, arguments: list[str], **about: Any) -> None:
        log = self._log_file(name)
        self.faults.pop(name, None)
        storage.make_folder(log.parent)
        with storage.explained(log), open(log, "wb", opener=_no_links) as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "latentia", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
        self._started[name] = Job(process, arguments[0], time.time(), about)


def _no_links(path: str, flags: int) -> int:
    """Open a file, unless it is a symbolic link."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o644)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _end_of(path: Path) -> str:
    """The end of a log; empty where there is none."""
    try:
        with open(path, "rb", opener=_no_links) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - SHOWN))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def sources() -> list[dict[str, Any]]:
    """The data sets that have names."""
    return [{"name": name, "local": is_local(name)} for name in SOURCES]


def _snapshots(config: Config, assignments: list[str], wished: int) -> list[str]:
    """What makes a run keep about so many checkpoints, unless the settings say something about them."""
    given = {assignment.partition("=")[0] for assignment in assignments}
    if is_local(config.data.source):
        samples = len(load_data(config.data).split("train"))  # which also says whether the data can be had
    else:
        samples = _about(config)  # the job fetches them
    if wished == 0 or given & {"training.checkpoint_every", "training.keep_checkpoints"}:
        return []
    every = max(1, planned_steps(config.training, samples) // wished)
    return [f"training.checkpoint_every={every}", f"training.keep_checkpoints={wished + 1}"]


def _about(config: Config) -> int:
    """About how many training samples a data set has that is published and not here yet."""
    entry, normal = CATALOGUE[config.data.source], config.data.normal_classes
    share = len(normal) / len(entry.classes) if normal else 1.0
    return max(1, round(entry.counts[0] * share * (1 - config.data.validation)))


def _assignments(settings: Any) -> list[str]:
    """Settings as ``--set`` takes them: text as it was typed, everything else as TOML.

    Example:
        >>> _assignments({"training.steps": 5, "training.epochs": None, "model.encoder.hidden": "[8]"})
        ['training.steps=5', 'training.epochs=none', 'model.encoder.hidden=[8]']
    """
    if not isinstance(settings, Mapping) or len(settings) > 300:
        raise ConfigError("settings must be a table of keys and values")
    for key, value in settings.items():
        if not _KEY.fullmatch(key) or (isinstance(value, str) and ("\n" in value or "\0" in value)):
            raise ConfigError(f"'{str(key)[:80]}' is not a setting: keys look like training.batch_size")
    named_first = sorted(settings, key=lambda key: not key.endswith(".name"))
    return [f"{key}={_written(settings[key])}" for key in named_first]


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{key} = {json.dumps(item) if isinstance(item, str) else _written(item)}" for key, item in value.items()
        )
        return "{" + inner + "}"
    return "none" if value is None else json.dumps(value)


def _is_locked(directory: RunDirectory) -> bool:
    """Whether a process writes the run."""
    try:
        with directory.locked():
            return False
    except RunError:
        return True


def _writes(pid: int, directory: RunDirectory) -> bool:
    """Whether a process is the one that writes the run, and not another that was given its number since."""
    if not _is_locked(directory):
        return False
    if not Path("/proc/self/fd").is_dir():  # a system that does not tell
        return True
    lock = directory.lock_file.resolve()
    try:
        return any(Path(found).resolve() == lock for found in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # ended, or somebody else's
        return False
