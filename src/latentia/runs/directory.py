"""What a run is on disk: the one place where its files are named, created, locked and described.

```
<run>/
  config.toml    resolved; `latentia train config.toml` repeats the run. A folder with one is a run
  meta.json      versions, machine, what auto decided, data and their fingerprint, schema_version
  status.json    state, pid, heartbeat, step; once finished, the summary
  metrics.jsonl  one line per logged step            log.txt  what was said
  checkpoints/   see latentia.training.checkpoint
  model/         config.json, model.safetensors, README.md: the model alone
  samples/  latents/  plots/  eval.json  doctor.json  report.html
  priors/        priors fitted to its latents, see latentia.runs.priors
```
"""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from latentia import storage
from latentia.errors import ConfigError, RunError
from latentia.recipes.config import Config, read_config, to_toml
from latentia.training.checkpoint import CheckpointStore
from latentia.training.metrics import MetricsFile

SCHEMA_VERSION = 1
GROUP_FILE = "seeds.json"  # in a folder that holds a run for each of several seeds
_BEFORE_CONFIG = {"run.lock", "meta.json", "status.json", "log.txt"}  # what a crash can leave before there is a run


def _where_runs_are() -> str:
    """How to find a run's folder, from where the command was given."""
    if Path("runs").is_dir():
        return "`latentia runs` lists those in ./runs"
    return "`latentia runs DIR` lists those in a folder, and here there is no ./runs"


class RunDirectory:
    """The files of one run.

    Args:
        path: The run's folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.path = path.expanduser().absolute()
        except RuntimeError as error:  # ~ of somebody unknown
            raise RunError(f"there is no home folder for {path}: write the path out") from error
        self.config_file = self.path / "config.toml"
        self.meta_file = self.path / "meta.json"
        self.status_file = self.path / "status.json"
        self.log_file = self.path / "log.txt"
        self.lock_file = self.path / "run.lock"
        self.model = self.path / "model"
        self.samples = self.path / "samples"
        self.latents = self.path / "latents"
        self.plots = self.path / "plots"
        self.priors = self.path / "priors"
        self.evaluation_file = self.path / "eval.json"
        self.doctor_file = self.path / "doctor.json"
        self.profile_file = self.path / "profile.json"
        self.report_file = self.path / "report.html"
        self.metrics = MetricsFile(self.path / "metrics.jsonl")
        self.checkpoints = CheckpointStore(self.path / "checkpoints")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who writes this run within the block.

        The operating system releases the lock when a process dies.

        Raises:
            RunError: If another process is writing it.
            EnvironmentFault: If the folder cannot be made.
        """
        storage.make_folder(self.path)
        lock = FileLock(self.lock_file, timeout=0)
        with storage.explained(self.path):
            try:
                lock.acquire()
            except Timeout as error:
                pid = self.status().get("pid")
                who = f" (process {pid})" if pid else ""
                raise RunError(
                    f"{self.path} is in use by another process{who}: wait for it, or choose another folder with --out"
                ) from error
        try:
            yield
        finally:
            lock.release()

    def create(self, config: Config, meta: Mapping[str, Any]) -> None:
        """Make an empty or absent folder a run; the caller holds the lock.

        Raises:
            RunError: If there is something in the folder already.
            EnvironmentFault: If it cannot be written.
        """
        self.check_free()
        self.tidy()
        storage.write_json(self.meta_file, {"schema_version": SCHEMA_VERSION, **meta})
        self.write_status("created", 0)
        self.write_config(config)

    @property
    def base(self) -> Path:
        """What the training of a model beneath leaves behind: its checkpoints and metrics."""
        return self.path / "base"

    def tidy(self) -> None:
        """Delete what a crash left half-written; the caller holds the lock."""
        for folder in (self.path, self.samples, self.latents, self.plots, self.priors):
            storage.sweep(folder)

    def abandon(self) -> None:
        """Delete the folder of a run that never began, if nothing foreign is in it."""
        if self.path.is_dir() and all(self._ours(path) for path in self.path.iterdir()):
            storage.remove(self.path)
            leave_no_empty(self.path.parent)

    def last_step(self) -> int:
        """The step of the checkpoint that would be resumed from; 0 without one."""
        found = self.checkpoints.find("last")
        return 0 if found is None else int(found.name)

    def check_checkpoints(self) -> None:
        """Refuse a run whose checkpoints were lost; one that never had any can begin at its start.

        Raises:
            RunError: If there is no checkpoint, but what the run has done says that there was one.
        """
        if self.last_step() == 0 and self._had_checkpoint():
            raise RunError(
                f"{self.path} has no checkpoint to go on from; train it anew with "
                f"`latentia train {shlex.quote(str(self.config_file))} --out ...`"
            )

    def _had_checkpoint(self) -> bool:
        status = self.status()
        if not status:  # it is written before a run begins, so it was lost as well
            return self.metrics.length() > 0
        return status.get("state") == "finished" or bool(status.get("checkpoint")) or self.model.exists()

    def write_config(self, config: Config) -> None:
        """Write the config, which makes the folder a run."""
        storage.write_text(self.config_file, to_toml(config))

    def check_free(self) -> None:
        """Refuse a folder that holds anything.

        Raises:
            RunError: If there is something in it; nothing is ever overwritten.
        """
        if self.config_file.exists():
            raise RunError(
                f"{self.path} is a run already: go on with it by `latentia resume {shlex.quote(str(self.path))}`, "
                "or choose another folder with --out"
            )
        if (self.path / GROUP_FILE).is_file():
            raise RunError(
                f"{self.path} holds several seeds already: go on with them by "
                f"`latentia resume {shlex.quote(str(self.path))}`, or choose another folder with --out"
            )
        if self.path.is_dir():
            foreign = [path.name for path in self.path.iterdir() if not self._ours(path)]
            if foreign:
                raise RunError(f"{self.path} is not empty (it holds {sorted(foreign)[0]}): choose another with --out")

    @staticmethod
    def _ours(path: Path) -> bool:
        """Whether a file is what a run leaves that crashed before it began."""
        return path.name in _BEFORE_CONFIG or path.name.startswith(storage.TEMPORARY)

    def read_config(self) -> Config:
        """The run's config.

        Raises:
            RunError: If the folder is no run, of a newer schema, or its config is damaged.
        """
        if self.path.is_file() and (self.path.parent / "config.toml").is_file():
            raise RunError(f"{self.path} is a file of a run: give the run's folder, {self.path.parent}")
        if not self.path.is_dir():
            raise RunError(f"there is no run {self.path}: {_where_runs_are()}")
        if not self.config_file.is_file() and (self.path / GROUP_FILE).is_file():
            raise RunError(f"{self.path} holds the runs of several seeds: name one of them, such as {self.path}/seed-0")
        if not self.config_file.is_file():
            raise RunError(f"{self.path} is not a run, it has no config.toml: {_where_runs_are()}")
        version = self.meta().get("schema_version", SCHEMA_VERSION)
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise RunError(
                f"{self.path} was written by a newer Latentia (schema {version}): update it to read this run"
            )
        try:
            return read_config(self.config_file)
        except ConfigError as error:  # it was whole once: the run is at fault, not what was asked for
            raise RunError(f"{error}; put its former content back, or train a new run") from error

    def meta(self) -> dict[str, Any]:
        """What ``meta.json`` holds.

        Raises:
            RunError: If it is missing or damaged.
        """
        try:
            value = storage.read_json(self.meta_file)
        except (OSError, ValueError) as error:
            raise RunError(f"{self.meta_file} is missing or damaged: this run cannot be used any more") from error
        if not isinstance(value, dict) or not isinstance(value.get("data", {}), dict):
            raise RunError(f"{self.meta_file} is damaged: this run cannot be used any more")
        return value

    def status(self) -> dict[str, Any]:
        """What ``status.json`` holds; empty where there is none to be read."""
        try:
            value = storage.read_json(self.status_file)
        except (OSError, ValueError):
            return {}
        if not isinstance(value, dict):
            return {}
        summary = value.get("summary")
        if not isinstance(summary, dict) or not isinstance(summary.get("test"), dict | None):
            value.pop("summary", None)
        return value

    def state(self) -> str:
        """How the run stands; ``crashed`` where it should be running but its process has died."""
        status = self.status()
        state = str(status.get("state", "unknown"))
        return "crashed" if state in ("created", "running") and not _alive(status.get("pid")) else state

    def write_status(self, state: str, step: int, **more: Any) -> None:
        """Say how the run stands: created, running, finished, interrupted, diverged or failed."""
        more = {"checkpoint": self.last_step(), **more}
        value = {"state": state, "pid": os.getpid(), "heartbeat": _now(), "step": step, **more}
        storage.write_json(self.status_file, value, durable=state != "running")

    def log(self, message: str) -> None:
        """Append a line, with the time, to ``log.txt``."""
        storage.append_line(self.log_file, f"{_now()} {message}")

    def evaluation(self) -> dict[str, Any] | None:
        """The last evaluation of the test part, or ``None``."""
        return _plain_json(self.evaluation_file)

    def diagnosis(self) -> dict[str, Any] | None:
        """What the doctor said when training ended, or ``None``."""
        return _plain_json(self.doctor_file)


def _plain_json(path: Path) -> dict[str, Any] | None:
    """A JSON object that a file holds, or ``None``."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


_RUNS = Path("runs")


def leave_no_empty(folder: Path) -> None:
    """Delete the folder of all runs, ``runs``, if nothing is in it; it is made again with the next run."""
    if folder.name == _RUNS.name:
        with suppress(OSError):  # it has something in it, or another process was faster
            folder.rmdir()


def new_run_path(name: str, folder: Path = _RUNS) -> Path:
    """Make an empty folder for a new run, ``runs/<time>-<name>``, that nobody else will be given."""
    stem = time.strftime("%Y%m%d-%H%M%S") + f"-{name}"
    path, number = storage.make_folder(folder) / stem, 2
    while True:
        with storage.explained(path):
            try:
                path.mkdir(parents=True)  # another process may have taken the empty folder away
            except FileExistsError:
                path, number = folder / f"{stem}-{number}", number + 1
            else:
                return path


def _alive(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    if os.name == "nt":  # there, os.kill(pid, 0) would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
