"""Several seeds of one system: each as if it had been trained alone, side by side or one after the other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentia.errors import ConfigError, DataError, DivergedError, Interrupted, ProcessLost, RunError, SeedsFailed
from latentia.recipes.config import Config
from latentia.runs import fitting, seeds
from latentia.runs.side_by_side import Worker, Workers, shares
from latentia.training.events import Events, Several

pytestmark = pytest.mark.usefixtures("no_pictures")
SMALL = {
    "model.encoder.hidden": [16],
    "model.decoder.hidden": [16],
    "model.latent_dim": 2,
    "training.batch_size": 20,
    "training.epochs": 3,
    "training.device": "cpu",
    "training.precision": "fp32",
}


class Heard(Events):
    """Remembers what was said, and by the training of which seed."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self.all: list[tuple[int | None, str, Any]] = []
        self.whole = self
        self.then: Callable[[int | None, str], None] = lambda seed, name: None

    def of(self, seed: int) -> Events:
        part = Heard()
        part.seed, part.whole = seed, self
        return part

    def hear(self, name: str, value: Any) -> None:
        self.whole.all.append((self.seed, name, value))
        self.whole.then(self.seed, name)

    def started(self, plan: Any) -> None:
        self.hear("started", plan)

    def progressed(self, step: int) -> None:
        self.hear("progressed", step)

    def logged(self, row: Any) -> None:
        self.hear("logged", row)

    def said(self, message: str) -> None:
        self.hear("said", message)

    def finished(self, summary: Any) -> None:
        self.hear("finished", summary)

    def said_of_all(self) -> list[str]:
        return [value for seed, name, value in self.all if seed is None and name == "said"]


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine of two cores, whatever this one has."""
    monkeypatch.setattr(seeds, "_budget", lambda: 2)


def config_of(source: Path, **more: Any) -> Config:
    return fitting.resolve("vae", source, settings={**SMALL, **more})


def test_threads_are_shared_out():
    assert shares(5, 2) == [1, 1, 1, 1, 2]  # the last has both
    assert shares(4, 2) == [1, 1, 1, 1]
    assert shares(2, 8) == [4, 4]
    assert shares(3, 8) == [2, 2, 2]
    assert shares(1, 8) == [8]
    assert shares(3, 1) == [1, 1, 1]
    assert shares(3, 8, wished=3) == [3, 3, 3]
    for count in range(1, 20):
        for budget in range(1, 20):
            found, at_once = shares(count, budget), min(count, budget)
            assert len(found) == count and min(found) >= 1
            for first in range(0, count, at_once):  # those that train at once have no more than there are
                assert sum(found[first : first + at_once]) <= budget


def test_several_seeds_are_summarised(tmp_path: Path, arrays: dict[str, Any]):
    heard = Heard()
    summary = seeds.train_seeds("vae", arrays, seeds=3, directory=tmp_path / "runs", settings=SMALL, events=heard)
    values = [run["test"]["elbo"] for run in summary["runs"]]
    assert len(set(values)) == 3 and summary["seeds"] == [0, 1, 2]
    assert summary["test"]["elbo"]["mean"] == pytest.approx(np.mean(values))
    assert summary["test"]["elbo"]["standard_deviation"] == pytest.approx(np.std(values, ddof=1))
    assert summary["seconds"] > 0 and summary["failed"] == []
    folders = ["seed-0", "seed-1", "seed-2", "seeds.json"]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == folders
    assert heard.said_of_all() == ["3 seeds, one after the other: arrays passed from Python are in this process alone"]
    assert {seed for seed, name, _ in heard.all if name == "started"} == {0, 1, 2}
    with pytest.raises(RunError, match="holds several seeds already"):
        seeds.train_seeds("vae", arrays, seeds=2, directory=tmp_path / "runs", settings=SMALL)
    with pytest.raises(ConfigError, match="at least 1"):
        seeds.train_seeds("vae", arrays, seeds=0, directory=None)
    alone = seeds.train_seeds("ae", arrays, seeds=1, directory=None, settings=SMALL)
    assert alone["test"]["elbo"] is None and alone["test"]["mse"]["standard_deviation"] is None
    later = seeds.train_seeds("vae", arrays, seeds=1, seed=2, directory=None, settings=SMALL)
    assert later["seeds"] == [2] and later["test"]["elbo"]["values"] == values[2:]


@pytest.mark.usefixtures("two_threads")
def test_side_by_side_each_is_as_if_it_were_alone(tmp_path: Path, array_file: Path):
    heard = Heard()
    arguments: dict[str, Any] = {"seeds": 4, "directory": None, "events": heard}
    both = seeds.train_seeds("vae", array_file, settings={**SMALL, "training.threads": 1}, **arguments)
    assert heard.said_of_all() == ["4 seeds, side by side in processes of their own, with 1, 1, 1, 1 threads"]
    for seed, summary in zip(both["seeds"], both["runs"], strict=True):
        own = Heard()
        alone = fitting.train(
            "vae", array_file, directory=None, seed=seed, events=own, settings={**SMALL, "training.threads": 1}
        )
        assert summary["test"] == alone.summary["test"]
        rows = [[row["loss"] for number, name, row in one.all if name == "logged" and number in (seed, None)]
                for one in (heard, own)]  # fmt: skip
        assert rows[0] == rows[1] and len(rows[0]) == 3
        assert [name for number, name, _ in heard.all if number == seed][-1] == "finished"


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_interrupted_and_resumed_each_is_as_if_it_were_alone(tmp_path: Path, array_file: Path, contents: Any):
    settings = ["--set", "training.threads=1", "--set", "training.checkpoint_every=100"]
    settings += [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}") if "epochs" not in key]
    train = ["train", "vae", "--data", str(array_file), "--steps", "4000", *settings]

    def start(*arguments: str, threads: int = 2) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "latentia", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONWARNINGS": "error"}
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment)

    def steps() -> list[int]:
        files = [tmp_path / "all" / f"seed-{seed}" / "status.json" for seed in (0, 1)]
        return [json.loads(file.read_text())["checkpoint"] if file.exists() else 0 for file in files]

    process = start(*train, "--seeds", "2", "--out", "all")
    while min(steps()) == 0 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert told.splitlines()[-1].startswith(
        "latentia: interrupted when 0 of 2 seeds were finished; go on with: latentia"
    )
    assert "Traceback" not in told
    for seed in (0, 1):
        status = json.loads((tmp_path / "all" / f"seed-{seed}" / "status.json").read_text())
        assert status["state"] == "interrupted" and 0 < status["checkpoint"] < 4000
    processes = [start("resume", "all"), start(*train, "--seed", "1", "--out", "alone", threads=1)]
    for process in processes:
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told
    assert contents(tmp_path / "all" / "seed-1") == contents(tmp_path / "alone")


@pytest.mark.usefixtures("two_threads")
def test_a_process_that_dies_does_not_take_the_others_along(
    tmp_path: Path, array_file: Path, monkeypatch: pytest.MonkeyPatch
):
    workers: dict[int, Worker] = {}
    order = Workers.order

    def ordering(self: Workers, member: Any, data_dir: Any, busy: Any) -> Worker:
        workers[member.config.seed] = order(self, member, data_dir, busy)
        return workers[member.config.seed]

    def kill(seed: int | None, name: str) -> None:
        if seed == 1 and name == "started":
            workers[1].process.kill()

    monkeypatch.setattr(Workers, "order", ordering)
    heard = Heard()
    heard.then = kill
    settings = {**SMALL, "training.threads": 1, "training.epochs": 100}
    arguments: dict[str, Any] = {"settings": settings, "events": heard}
    with pytest.raises(
        SeedsFailed, match=r"seed 1: the process that trained seed 1 ended .*; the other 1 are"
    ) as raised:
        seeds.train_seeds("vae", array_file, seeds=2, directory=tmp_path / "all", **arguments)
    assert raised.value.exit_code == 1 and raised.value.summary["seeds"] == [0]
    assert [fault["seed"] for fault in raised.value.summary["failed"]] == [1]
    assert all(worker.process.poll() is not None for worker in workers.values())
    summary = seeds.resume_seeds(tmp_path / "all")  # in this process: one is left
    assert summary["seeds"] == [0, 1] and summary["failed"] == []


@pytest.mark.usefixtures("two_threads")
def test_what_is_wrong_for_all_is_told_once_and_leaves_nothing(tmp_path: Path, array_file: Path):
    settings = {**SMALL, "training.threads": 1, "training.patience": 3}  # patience with what? nothing is held out
    for data in (array_file, dict(np.load(array_file))):  # in processes of their own, and in this one
        with pytest.raises(ConfigError, match=r"training\.patience"):
            seeds.train_seeds("vae", data, seeds=2, directory=tmp_path / "all", settings=settings)
        assert not list((tmp_path / "all").glob("*"))
    with pytest.raises(DataError):
        seeds.train_seeds("vae", {"x": np.zeros((0, 1, 8, 8))}, seeds=2, directory=tmp_path / "all", settings=SMALL)
    assert not list((tmp_path / "all").glob("*"))


@pytest.mark.usefixtures("two_threads")
def test_a_run_that_cannot_be_written_does_not_keep_the_others(tmp_path: Path, array_file: Path):
    configs = [config_of(array_file, **{"training.threads": 1, "seed": seed}) for seed in (0, 1)]
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "notes.txt").write_text("mine")
    outcomes = seeds.complete_all(configs, [tmp_path / "seed-0", None])
    assert isinstance(outcomes[0].error, RunError) and "notes.txt" in str(outcomes[0].error)
    assert outcomes[1].summary is not None and outcomes[1].summary["seed"] == 1


def test_one_after_the_other_where_nothing_is_won(arrays: dict[str, Any], array_file: Path, monkeypatch: Any):
    configs = [config_of(array_file, seed=seed) for seed in (0, 1)]
    said = []
    for budget, threads in ((1, 1), (2, 2)):
        monkeypatch.setattr(seeds, "_budget", lambda budget=budget: budget)
        heard = Heard()
        outcomes = seeds.complete_all(configs, [None, None], planned=[threads] * 2, events=heard)
        assert all(outcome.summary is not None for outcome in outcomes)
        said += heard.said_of_all()
    assert said == [
        "2 seeds, one after the other: there is one thread",
        "2 seeds, one after the other: each takes all 2 threads",
    ]


def test_one_that_diverges_or_is_interrupted_in_this_process(
    tmp_path: Path, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    completed = seeds.completed
    faults: dict[int, BaseException] = {1: DivergedError("NaN")}

    def faulty(config: Config, *arguments: Any, **more: Any) -> Any:
        if config.seed in faults:
            raise faults[config.seed]
        return completed(config, *arguments, **more)

    monkeypatch.setattr(seeds, "completed", faulty)
    with pytest.raises(SeedsFailed, match="seed 1: NaN; the other 2 are finished") as raised:
        seeds.train_seeds("vae", arrays, seeds=3, directory=tmp_path / "all", settings=SMALL)
    assert raised.value.exit_code == 3 and raised.value.summary["seeds"] == [0, 2]
    for fault in (KeyboardInterrupt(), Interrupted("interrupted")):
        faults[1] = fault
        with pytest.raises(Interrupted, match="when 2 of 3 seeds were finished; go on with: latentia resume"):
            seeds.resume_seeds(tmp_path / "all", data=arrays)
    faults.clear()
    assert seeds.resume_seeds(tmp_path / "all", data=arrays)["seeds"] == [0, 1, 2]
    faults |= {0: DivergedError("NaN"), 1: DivergedError("NaN")}
    with pytest.raises(DivergedError, match="NaN"):
        seeds.train_seeds("vae", arrays, seeds=2, directory=tmp_path / "none", settings=SMALL)
    assert not list((tmp_path / "none").glob("*"))


def test_what_is_no_folder_of_seeds_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match="is not the folder of several seeds"):
        seeds.resume_seeds(tmp_path)
    for text in (
        "{",
        "[]",
        '{"schema_version": 1}',
        '{"schema_version": 1, "config": "", "seeds": [true], "threads": 3}',
    ):
        (tmp_path / "seeds.json").write_text(text)
        with pytest.raises(RunError, match="is damaged"):
            seeds.resume_seeds(tmp_path)
    (tmp_path / "seeds.json").write_text('{"schema_version": 99}')
    with pytest.raises(RunError, match="newer Latentia"):
        seeds.resume_seeds(tmp_path)


def test_listeners_are_asked_for_a_part_of_each():
    first, second = Heard(), Events()
    Several(first, second).of(3).said("hello")
    assert first.all == [(3, "said", "hello")]


def test_a_lost_process_is_an_error_of_the_environment():
    assert ProcessLost("gone").exit_code == 1
