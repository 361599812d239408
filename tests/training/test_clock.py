"""Time that passes only when a test says so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from latentia.data.dataset import Dataset
from latentia.objectives.elbo import Elbo
from latentia.objectives.terms import LossTerms
from latentia.recipes.build import build_model
from latentia.recipes.config import make_config
from latentia.training.checkpoint import CheckpointStore
from latentia.training.clock import Clock
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.loop import fit
from latentia.training.settings import TrainingSettings


class FakeTime:
    """A clock that stands still between calls of :meth:`passes`; it began long ago, as real ones did."""

    def __init__(self) -> None:
        self.now = 5000.0

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    made = FakeTime()
    monkeypatch.setattr(time, "perf_counter", lambda: made.now)
    return made


class Told(Events):
    def __init__(self) -> None:
        self.steps: list[int] = []

    def progressed(self, step: int) -> None:
        self.steps.append(step)


def clock(before: float = 0.0) -> Clock:
    return Clock(before, torch.device("cpu"))


def test_seconds_run_on_over_all_sittings(fake: FakeTime):
    made = clock(before=100.0)
    assert made.seconds() == 100.0
    fake.passes(7.5)
    with made.paused():
        fake.passes(2.5)
    assert made.seconds() == 110.0


def test_seconds_since_the_last_checkpoint(fake: FakeTime):
    made = clock(before=50.0)
    fake.passes(3.0)
    assert made.since_checkpoint() == 3.0
    made.checkpointed()
    assert made.since_checkpoint() == 0.0
    fake.passes(2.0)
    assert made.since_checkpoint() == 2.0


def test_without_counted_steps_there_is_no_rate(fake: FakeTime):
    made = clock()
    assert made.rate(128) is None
    for step in range(5):  # the first epoch
        fake.passes(1.0)
        made.stepped(Events(), step + 1, False)
    made.stop()
    assert made.rate(128) is None
    fake.passes(1.0)
    made.stepped(Events(), 6, True)  # this one only starts the count
    fake.passes(1.0)
    made.stop()
    assert made.rate(128) is None
    assert made.seconds() == 7.0


def test_steps_that_took_no_time_have_no_rate(fake: FakeTime):
    made = clock()
    for step in range(3):
        made.stepped(Events(), step + 1, True)
    made.stop()
    assert made.rate(128) is None


def test_the_first_epoch_and_the_pauses_are_left_out(fake: FakeTime):
    made = clock()
    for step in range(10):
        counted = step >= 4
        fake.passes(2.0 if counted else 300.0)
        made.stepped(Events(), step + 1, counted)
        if step in (1, 3, 4, 7):
            with made.paused():
                fake.passes(1000.0)
    made.stop()
    assert (made.steps, made.step_seconds) == (5, 10.0)  # steps 6 to 10; the fifth started the count
    assert made.rate(batch_size=8) == 8 / 2.0
    fake.passes(99.0)
    made.stop()  # nothing more is counted
    assert made.rate(batch_size=8) == 8 / 2.0


def test_a_pause_ends_with_an_exception_too(fake: FakeTime):
    made = clock()
    made.stepped(Events(), 1, True)

    def validate() -> None:
        with made.paused():
            fake.passes(50.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        validate()
    fake.passes(4.0)
    made.stepped(Events(), 2, True)
    made.stop()
    assert made.rate(1) == 1 / 4.0


def test_pauses_within_pauses_are_left_out(fake: FakeTime):
    made = clock()
    made.stepped(Events(), 1, True)
    with made.paused():
        fake.passes(10.0)
        with made.paused():
            fake.passes(10.0)
        fake.passes(10.0)
    fake.passes(1.0)
    made.stepped(Events(), 2, True)
    made.stop()
    assert made.step_seconds == 1.0


def test_progress_is_told_about_ten_times_a_second(fake: FakeTime):
    made, told = clock(), Told()
    for step in range(1, 1001):
        fake.passes(1 / 128)  # exact in binary
        made.stepped(told, step, False)
    assert told.steps[0] == 1
    assert all(later - sooner == 13 for sooner, later in zip(told.steps, told.steps[1:], strict=False))  # 13/128 > 0.1
    slow, heard = clock(), Told()
    for step in range(1, 6):
        fake.passes(1.0)
        slow.stepped(heard, step, True)
    assert heard.steps == [1, 2, 3, 4, 5]


def test_steps_still_under_way_on_a_gpu_are_waited_for(fake: FakeTime, monkeypatch: pytest.MonkeyPatch):
    waited: list[torch.device] = []

    def synchronize(device: torch.device) -> None:
        waited.append(device)
        fake.passes(6.0)

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    made = Clock(0.0, torch.device("cuda:0"))
    made.stop()
    assert waited == []  # nothing is being counted
    made.stepped(Events(), 1, True)
    made.stepped(Events(), 2, True)
    with made.paused():
        fake.passes(500.0)
    made.stop()
    assert waited == [torch.device("cuda:0")] * 2
    assert made.step_seconds == 12.0


class Slow:
    """An objective of which every training step takes 1 s, of the first epoch 50 s, and every validation 200 s."""

    k, compilable = 1, True

    def __init__(self, fake: FakeTime, first_epoch: int) -> None:
        self.fake, self.first_epoch, self.steps, self.passed = fake, first_epoch, 0, 0.0

    def coefficients_at(self, progress: float) -> dict[str, float]:
        return {}

    def settled_at(self) -> float:
        return 0.0

    def __call__(self, model: Any, x: Any, y: Any, noise: Any, coefficients: Any) -> LossTerms:
        seconds = 200.0
        if model.training:
            self.steps += 1
            seconds = 50.0 if self.steps <= self.first_epoch else 1.0
        self.fake.passes(seconds)
        self.passed += seconds
        return Elbo()(model, x, y, noise, {"beta": 1.0})


class SlowStore(CheckpointStore):
    """Every checkpoint takes 3000 s."""

    def __init__(self, folder: Path, fake: FakeTime) -> None:
        super().__init__(folder)
        self.fake, self.saves = fake, 0

    def save(self, *arguments: Any, **named: Any) -> None:
        self.fake.passes(3000.0)
        self.saves += 1
        super().save(*arguments, **named)


def test_a_fit_reports_the_rate_of_its_steps_alone(fake: FakeTime, tiny: Dataset, tmp_path: Path):
    network = {"name": "mlp", "hidden": [4]}
    config = make_config({"model": {"latent_dim": 2, "encoder": network, "decoder": network}})
    batches = len(tiny.split("train")) // 8
    assert len(tiny.split("train")) > batches * 8 and "valid" in tiny.splits
    objective = Slow(fake, first_epoch=batches + 1)
    store = SlowStore(tmp_path, fake)
    settings = TrainingSettings.model_validate(
        {"steps": 3 * batches, "batch_size": 8, "evaluate_every": 4, "checkpoint_every": 3, "log_every": 5}
    )

    class Rows(Events):
        seconds: list[float]

        def started(self, plan: Mapping[str, Any]) -> None:
            raise AssertionError("the loop does not begin runs")

        def logged(self, row: Mapping[str, Any]) -> None:
            self.seconds = [*getattr(self, "seconds", []), row["seconds"]]

    rows = Rows()
    result = fit(
        build_model(config.model, tiny.spec, seed=0),
        objective,
        tiny,
        settings,
        execution=Execution("cpu", "fp32", 1),
        store=store,
        events=rows,
    )
    assert store.saves >= batches
    assert result.images_per_second == 8 / 1.0
    assert result.seconds == objective.passed + 3000.0 * store.saves
    assert rows.seconds == sorted(rows.seconds) and rows.seconds[-1] <= result.seconds
