"""Compiled training through a whole run: recorded as what it was, resumed exactly, given up where it cannot be."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentia.errors import EnvironmentFault, Interrupted
from latentia.runs import Run, resume, train
from latentia.training.events import Events
from latentia.training.execution import missing_for_compilation

SMALL = [
    "model.latent_dim=2",
    "model.encoder.hidden=[8]",
    "model.encoder.dropout=0.2",
    "model.decoder.hidden=[8]",
    "training.threads=1",
    "training.log_every=1",
    "training.checkpoint_every=2",
]
compiling = pytest.mark.skipif(
    missing_for_compilation(torch.device("cpu")) is not None, reason="nothing here compiles C++"
)


class Stop(BaseException):
    """The process ends here."""


class StopAt(Events):
    """Ends a run when a step is logged."""

    def __init__(self, step: int) -> None:
        self.step = step

    def logged(self, row: Mapping[str, Any]) -> None:
        if row["step"] == self.step:
            raise Stop


class Heard(Events):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def said(self, message: str) -> None:
        self.messages.append(message)


def fit(directory: Path | None, preset: str = "vae", events: Events | None = None, compile: str = "on") -> Any:
    settings = [*SMALL, f"training.compile={compile}"]
    return train(preset, "digits", steps=6, seed=3, directory=directory, settings=settings, events=events)


@compiling
def test_a_compiled_run_is_resumed_exactly_and_says_that_it_was_compiled(tmp_path: Path) -> None:
    whole = fit(tmp_path / "whole")
    with pytest.raises(Stop):
        fit(tmp_path / "cut", events=StopAt(5))
    resumed = resume(tmp_path / "cut")
    first, second = (run.model.state_dict() for run in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert whole.summary["compiled"] is resumed.summary["compiled"] is True
    assert whole.summary["seconds"]["compilation"] > 0
    plain = fit(None, compile="off")
    assert plain.summary["compiled"] is False and plain.summary["seconds"]["compilation"] == 0
    assert plain.summary["test"]["elbo"] == pytest.approx(whole.summary["test"]["elbo"], rel=1e-4)


def test_batches_that_are_made_ahead_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.training.compiled._inductor", lambda graph, inputs: graph)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/c++")
    settings = ["training.compile=on", "training.steps=7", "training.epochs=none"]
    found = []
    for steps, room in ((1, 1 << 21), (4, 1 << 21), (16, 1 << 21), (16, 1)):
        monkeypatch.setattr("latentia.training.loop.AHEAD_STEPS", steps)
        monkeypatch.setattr("latentia.training.loop.AHEAD_BYTES", room)
        run = train("denoising-ae", "digits", directory=None, settings=settings)  # whose dropout draws by itself
        assert run.summary["compiled"]
        found.append(run.model.state_dict())
    assert all(torch.equal(weights[name], value) for weights in found[1:] for name, value in found[0].items())


def test_mapped_data_of_which_batches_are_overwritten_are_not_made_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentia.training.compiled._inductor", lambda graph, inputs: graph)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/c++")
    monkeypatch.setattr("latentia.data.batches.AHEAD", 1)
    x = np.random.default_rng(0).integers(0, 256, (400, 1, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    settings = [*SMALL, "training.compile=on", "training.batch_size=4", "training.steps=120", "training.epochs=none"]
    found = []
    for memory in ("load", "map"):
        run = train("vae", tmp_path / "x.npy", directory=None, settings=[*settings, f"data.memory={memory}"])
        assert run.summary["compiled"]
        found.append(run.model.state_dict())
    assert all(torch.equal(found[1][name], value) for name, value in found[0].items())


@compiling
def test_a_compiler_that_is_ended_with_the_training_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*args: Any, **more: Any) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise EnvironmentFault("the step cannot be compiled (g++ died)")

    monkeypatch.setattr("latentia.training.loop.CompiledStep", ended)
    with pytest.raises(Interrupted, match=r"interrupted while the step was compiled, after step 0 of 6; go on with"):
        fit(tmp_path / "cut")


@compiling
def test_an_interrupt_does_not_wait_for_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any, **more: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the compiler went on")

    with monkeypatch.context() as patch:
        patch.setattr("latentia.training.loop.CompiledStep", slow)
        with pytest.raises(Interrupted, match=r"compiled, after step 0 of 6; go on with: latentia resume .*cut"):
            fit(tmp_path / "cut")
    whole, resumed = fit(tmp_path / "whole"), resume(tmp_path / "cut")
    first, second = (run.model.state_dict() for run in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_compilation_that_was_asked_for_and_cannot_be_had_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(EnvironmentFault, match=r"no C\+\+ compiler.*--set training.compile=off"):
        fit(None)


def test_what_was_decided_automatically_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.training.execution.COMPILED_STEPS", 1)
    monkeypatch.setattr("latentia.objectives.quantized.QuantizedObjective.compilable", True)
    heard = Heard()
    assert two_steps_of("vq-vae", heard).summary["compiled"] is False
    assert any("cannot be compiled" in message and "going on without" in message for message in heard.messages)


def test_nobody_tries_to_compile_what_is_known_not_to_be_one_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.training.execution.COMPILED_STEPS", 1)
    heard = Heard()
    summary = two_steps_of("vq-vae", heard).summary
    assert summary["compiled"] is False and summary["seconds"]["compilation"] == 0
    assert not any("compiled" in message for message in heard.messages)


def two_steps_of(preset: str, heard: Heard) -> Run:
    return train(preset, "digits", directory=None, settings=["training.steps=2", "training.epochs=none"], events=heard)
