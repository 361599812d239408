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
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentia import storage
from latentia.data.sources import SOURCES
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, RunError
from latentia.recipes.config import Config
from latentia.recipes.presets import find_preset
from latentia.recipes.second_stages import STAGES
from latentia.runs.fitting import resolve
from latentia.runs.job import planned_steps
from latentia.studio.desk import Studio, is_local
from latentia.studio.query import Query

LOGS = ".studio"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_KEY = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
SHOWN = 2**16  # bytes of a log's end
MOST_RUNNING = 8
INTERRUPTED = 130  # the exit code of a training that was stopped


class Jobs:
    """What was started here, until it ends; and the means to stop and to go on with any run of the folder.

    Args:
        studio: The folder.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._started: dict[str, tuple[subprocess.Popen[bytes], float, dict[str, Any]]] = {}
        self.faults: dict[str, str] = {}  # what the last job of a run that exists failed of

    def train(self, query: Query) -> str:
        """Start a training, after everything that can be checked was checked.

        Returns:
            The run's name.

        Raises:
            ConfigError: If the preset, a setting or the name is wrong.
            DataError: If the data cannot be had.
            RunError: If there is a run of that name, or too many jobs go on.
        """
        preset, data = query.word("preset", "vae"), query.word("data", "digits")
        find_preset(preset)
        assignments = _assignments(query.values.get("settings", {}))
        config = resolve(preset, data, settings=assignments)
        if is_local(config.data.source):
            assignments += _snapshots(config, assignments, query.whole("snapshots", 30, 0, 500))
        self._check_room()
        name = query.word("name", "") or self._free_name(preset)
        if not _NAME.fullmatch(name):
            raise ConfigError("a run's name has letters, digits, '.', '_' and '-', and begins with a letter or digit")
        path = self.studio.places.target(name)
        if name in self._alive() or (path.exists() and any(path.iterdir())):
            raise RunError(f"there is a run '{name}' already: choose another name")
        sets = [f"--set={assignment}" for assignment in assignments]
        self._spawn(name, ["train", preset, f"--data={data}", f"--out={path}", *sets], preset=preset, data=data)
        return name

    def fit_prior(self, query: Query) -> str:
        """Fit a prior to a run's latents.

        Raises:
            ConfigError: If there is no such prior.
        """
        name, prior = query.word("run", ""), query.word("prior", "gmm", tuple(STAGES))
        directory = self.studio.places.run(name)
        self._check_idle(name)
        self._spawn(name, ["fit-prior", str(directory.path), prior])
        return name

    def resume(self, name: str, query: Query) -> str:
        """Go on with a run.

        Raises:
            RunError: If it is being trained.
        """
        directory, epochs = self.studio.places.run(name), query.real("epochs")
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
        if directory.state() not in ("created", "running") or not isinstance(pid, int) or not _is_locked(directory):
            raise RunError(f"'{name}' is not being trained, so there is nothing to stop")
        os.kill(pid, signal.SIGINT)
        return name

    def log(self, name: str) -> dict[str, Any]:
        """The end of what a job said, or of the run's own log; and whether it goes on."""
        path = self._log_file(name)
        if not path.is_file():
            path = self.studio.places.run(name).log_file
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - SHOWN))
                text = file.read().decode(errors="replace")
        except OSError:
            text = ""
        return {"text": text, "running": name in self._alive()}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each job that has not become a run yet, or never did."""
        found = []
        for name, (process, began, about) in list(self._started.items()):
            if (self.studio.places.target(name) / "config.toml").is_file():
                code = process.poll()
                if code is not None:
                    self._started.pop(name, None)
                    if code not in (0, INTERRUPTED):
                        self.faults[name] = self._last_words(name)
                continue
            code = process.poll()
            problem = None if code is None else self._last_words(name)
            state = "starting" if code is None else "failed"
            found.append(
                {"id": name, "state": state, "live": code is None, "problem": problem, "started": began, **about}
            )
        return found

    def poll(self) -> list[str]:
        """Take note of what has ended; the names of what is still going on."""
        return sorted(self._alive())

    def _alive(self) -> dict[str, subprocess.Popen[bytes]]:
        return {name: process for name, (process, _, _) in list(self._started.items()) if process.poll() is None}

    def _last_words(self, name: str) -> str:
        lines = [line.strip() for line in self.log(name)["text"].splitlines() if line.strip()]
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
        self.studio.places.target(name)
        return self.studio.places.root / LOGS / f"{name.replace('/', '--')}.log"

    def _spawn(self, name: str, arguments: list[str], **about: Any) -> None:
        log = self._log_file(name)
        self.faults.pop(name, None)
        storage.make_folder(log.parent)
        with storage.explained(log), log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "latentia", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1"},
            )
        self._started[name] = (process, time.time(), about)


def sources() -> list[dict[str, Any]]:
    """The data sets that have names."""
    return [{"name": name, "local": is_local(name)} for name in SOURCES]


def _snapshots(config: Config, assignments: list[str], wished: int) -> list[str]:
    """What makes a run keep about so many checkpoints, unless the settings say something about them."""
    given = {assignment.partition("=")[0] for assignment in assignments}
    samples = len(load_data(config.data).split("train"))  # which also says whether the data can be had
    if wished == 0 or given & {"training.checkpoint_every", "training.keep_checkpoints"}:
        return []
    every = max(1, planned_steps(config.training, samples) // wished)
    return [f"training.checkpoint_every={every}", f"training.keep_checkpoints={wished + 1}"]


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


def _is_locked(directory: Any) -> bool:
    """Whether a process writes the run."""
    try:
        with directory.locked():
            return False
    except RunError:
        return True
