"""Interrupted anywhere and resumed, a run ends as if it had not been."""

from __future__ import annotations

import itertools
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from latentia import storage
from latentia.errors import RunError
from latentia.runs import fitting, job
from latentia.runs.directory import RunDirectory

CRASH_POINTS = 50
SETTINGS = {
    "ae": ["model.encoder.hidden=[16]", "model.decoder.hidden=[16]", "model.encoder.dropout=0.2"],
    "vae": [
        "model.encoder.hidden=[16]",
        "model.decoder.hidden=[16]",
        "model.encoder.dropout=0.2",
        'objective.beta={name="linear", start=0.0, end=1.0, until=0.5}',
    ],
    "conv-vae": [
        "model.encoder.channels=[4, 4]",
        "model.decoder.channels=[4, 4]",
        "model.encoder.dropout=0.2",
        'objective.beta={name="cosine", start=0.0, end=1.0, until=0.5}',
    ],
}
COMMON = [
    "model.latent_dim=4",
    "data.validation=0.2",
    "data.binarize=dynamic",
    "training.steps=12",
    "training.batch_size=10",
    "training.ema=0.9",
    "training.log_every=2",
    "training.evaluate_every=4",
    "training.checkpoint_every=3",
    "training.lr_schedule={name='cosine', start=1.0, end=0.1}",
    "training.lr_warmup=0.2",
    "training.precision=fp32",
    "training.device=cpu",
    "training.threads=1",
]


class Crash(BaseException):
    """The power went: nothing that comes after it reaches the disk either."""


class Disk:
    """Stands between the library and the disk, and fails at one of its primitives, before, within or after it."""

    primitives = ("_write", "_fsync", "_rename", "_truncate", "_remove")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.crash_at: int | None = None
        self.how = "before"
        self.crashed = False
        for name in self.primitives:
            monkeypatch.setattr(storage, name, self._wrapped(name, getattr(storage, name)))

    def reset(self, crash_at: int | None, how: str = "before") -> None:
        self.calls, self.crash_at, self.how, self.crashed = 0, crash_at, how, False

    def _wrapped(self, name: str, primitive: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            if self.crashed:
                raise Crash
            self.calls += 1
            if self.calls != self.crash_at:
                primitive(*arguments)
                return
            self.crashed = True
            if self.how == "after":
                primitive(*arguments)
            elif self.how == "within" and name == "_write":
                path, data, mode = arguments
                primitive(path, data[: len(data) // 2], mode)
            raise Crash

        return call


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, no_pictures: None) -> Disk:
    monkeypatch.setattr(job, "HEARTBEAT_SECONDS", math.inf)  # how often it beats depends on how busy the machine is
    return Disk(monkeypatch)


def start(preset: str, arrays: Any, path: Path) -> None:
    common = [line for line in COMMON if preset != "ae" or "binarize" not in line]
    fitting.train(preset, arrays, directory=path, seed=7, settings=[*common, *SETTINGS[preset]])


def carry_on(preset: str, arrays: Any, path: Path) -> None:
    """What a person would do after a crash: resume, or train again where there is no run yet."""
    if RunDirectory(path).config_file.exists():
        fitting.resume(path, data=arrays)
    else:
        with pytest.raises(RunError, match=r"not a run|no run"):
            fitting.resume(path, data=arrays)
        start(preset, arrays, path)


@pytest.mark.parametrize("preset", list(SETTINGS))
def test_a_crash_at_any_write_changes_nothing(
    preset: str, tmp_path: Path, disk: Disk, arrays: dict[str, Any], contents: Callable[[Path], dict[str, Any]]
):
    disk.reset(None)
    start(preset, arrays, tmp_path / "straight")
    expected, calls = contents(tmp_path / "straight"), disk.calls
    assert calls > CRASH_POINTS
    ways = itertools.cycle(["before", "within", "after"])
    points = sorted({1 + round(index * (calls - 1) / (CRASH_POINTS - 1)) for index in range(CRASH_POINTS)})
    assert len(points) == CRASH_POINTS
    for point in points:
        path = tmp_path / f"crash-{point}"
        disk.reset(point, next(ways))
        with pytest.raises(Crash):
            start(preset, arrays, path)
        disk.reset(None)
        carry_on(preset, arrays, path)
        assert contents(path) == expected, f"crash {disk.how} primitive {point} of {calls}"


def test_two_crashes_in_a_row_change_nothing(
    tmp_path: Path, disk: Disk, arrays: dict[str, Any], contents: Callable[[Path], dict[str, Any]]
):
    disk.reset(None)
    start("vae", arrays, tmp_path / "straight")
    expected, calls = contents(tmp_path / "straight"), disk.calls
    source = random.Random(0)
    for trial in range(10):
        path = tmp_path / f"trial-{trial}"
        disk.reset(source.randint(1, calls - 1), "within")
        with pytest.raises(Crash):
            start("vae", arrays, path)
        disk.reset(source.randint(1, 12), "after")
        with pytest.raises(Crash):
            carry_on("vae", arrays, path)
        disk.reset(None)
        carry_on("vae", arrays, path)
        assert contents(path) == expected


def test_a_crash_while_training_on_changes_nothing(
    tmp_path: Path, disk: Disk, arrays: dict[str, Any], contents: Callable[[Path], dict[str, Any]]
):
    def train_on(path: Path) -> None:
        if RunDirectory(path).status().get("summary", {}).get("epochs") == 4.0625:
            return
        fitting.resume(path, epochs=4, data=arrays)

    disk.reset(None)
    start("vae", arrays, tmp_path / "base")
    shutil.copytree(tmp_path / "base", tmp_path / "straight")
    disk.reset(None)
    train_on(tmp_path / "straight")
    expected, calls = contents(tmp_path / "straight"), disk.calls
    assert expected["last state"]["step"] == 26
    ways = itertools.cycle(["before", "within", "after"])
    for point in range(1, calls + 1, max(1, calls // 25)):
        path = tmp_path / f"crash-{point}"
        shutil.copytree(tmp_path / "base", path)
        disk.reset(point, next(ways))
        with pytest.raises(Crash):
            train_on(path)
        disk.reset(None)
        train_on(path)
        assert contents(path) == expected, f"crash {disk.how} primitive {point} of {calls}"


def command(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "latentia", *arguments],
        cwd=cwd,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def train_arguments(source: Path, out: str) -> list[str]:
    lines = [*COMMON, *SETTINGS["vae"], "training.checkpoint_every=1", "training.steps=300"]
    return ["train", "vae", "--data", str(source), "--out", out, "--seed", "7", *(f"--set={line}" for line in lines)]


@pytest.mark.skipif(os.name != "posix", reason="process groups are a POSIX notion")
def test_ten_kills_while_checkpoints_are_written_change_nothing(
    tmp_path: Path, array_file: Path, contents: Callable[[Path], dict[str, Any]]
):
    straight = command(*train_arguments(array_file, "straight"), cwd=tmp_path)
    _, errors = straight.communicate(timeout=300)
    assert straight.returncode == 0, errors.decode()
    path, source = tmp_path / "killed", random.Random(0)
    checkpoints, kills = path / "checkpoints", 0
    while kills < 10:
        arguments = ["resume", "killed"] if (path / "config.toml").exists() else train_arguments(array_file, "killed")
        process = command(*arguments, cwd=tmp_path)
        progress = 25 * (kills + 1)  # steps that must be done before this kill, so that they spread over the run
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            names = os.listdir(checkpoints) if checkpoints.is_dir() else []
            done = max((int(name) for name in names if name.isdigit()), default=0)
            if done >= progress and any(name.startswith(storage.TEMPORARY) for name in names):
                time.sleep(source.random() * 0.002)
                break
        assert process.poll() is None, process.communicate()[1].decode()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
    last = command("resume", "killed", cwd=tmp_path)
    _, errors = last.communicate(timeout=300)
    assert last.returncode == 0, errors.decode()
    assert contents(path) == contents(tmp_path / "straight")


@pytest.mark.skipif(os.name != "posix", reason="signals differ elsewhere")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_save_and_exit_130(
    tmp_path: Path, array_file: Path, contents: Callable[[Path], dict[str, Any]], number: signal.Signals
):
    longer = ["--set=training.checkpoint_every=none", "--set=training.steps=2000"]
    arguments = [*train_arguments(array_file, "run"), *longer]
    process = command(*arguments, cwd=tmp_path)
    metrics, deadline = tmp_path / "run" / "metrics.jsonl", time.monotonic() + 120
    while not metrics.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, number)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors.decode()
    assert output == b""
    assert b"latentia resume" in errors.splitlines()[-1]
    directory = RunDirectory(tmp_path / "run")
    assert directory.status()["state"] == "interrupted"
    found = directory.checkpoints.load()
    assert found is not None and 0 < found.step < 2000
    done = command("resume", "run", cwd=tmp_path)
    _, errors = done.communicate(timeout=300)
    assert done.returncode == 0, errors.decode()
    assert contents(tmp_path / "run")["state"] == "finished"
