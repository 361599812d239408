"""Progress goes to stderr and never stops a run."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from latentia.cli import progress

PLAN = {
    "preset": "vae",
    "data": "digits",
    "device": "cpu",
    "precision": "fp32",
    "parameters": 1234,
    "steps": 6,
    "steps_per_epoch": 3,
    "step": 0,
    "run": None,
}


def row(step: int, loss: float, *, steps: int = 1, split: str = "train", epoch_end: bool = False) -> dict[str, Any]:
    values = {
        "step": step,
        "epoch": step / 3,
        "split": split,
        "loss": loss,
        "epoch_end": epoch_end,
        "seconds": step / 2,
    }
    return values | ({"steps": steps} if split == "train" else {})


def tell(listener: progress.Lines) -> None:
    listener.started(PLAN)
    listener.progressed(1)
    listener.logged(row(2, 10.0, steps=2))
    listener.logged(row(3, 4.0, epoch_end=True))
    listener.logged(row(3, 5.0, split="valid", epoch_end=True))
    listener.said("something to know")
    listener.logged(row(6, 3.0, steps=3))
    listener.finished({})
    listener.close()


def test_one_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    tell(progress.Lines())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "training vae on digits: 6 steps, 3 per epoch, 1,234 parameters, cpu, fp32",
        "epoch 1  step 3/6  1.5 s  loss 8.00  valid loss 5.00",
        "something to know",
        "epoch 2  step 6/6  3.0 s  loss 3.00",
    ]


def test_a_line_waits_no_longer_than_for_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    listener = progress.Lines()
    listener.started(PLAN)
    capsys.readouterr()
    listener.logged(row(3, 4.0, epoch_end=True))
    listener.progressed(3)
    assert capsys.readouterr().err == ""
    listener.progressed(4)
    assert capsys.readouterr().err == "epoch 1  step 3/6  1.5 s  loss 4.00\n"


def test_a_resumed_run_says_where_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    progress.Lines().started({**PLAN, "step": 4})
    assert capsys.readouterr().err.splitlines()[-1] == "going on after step 4"


@pytest.mark.parametrize("listener", [progress.Lines, progress.Bar])
def test_a_closed_stderr_stops_nothing(listener: type[progress.Lines], monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Closed())
    tell(listener())


def test_several_trainings_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    whole = progress.Lines()
    for seed in (3, 4):
        tell(whole.of(seed))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("seed 3: training vae") and lines[3] == "seed 3: epoch 2  step 6/6  3.0 s  loss 3.00"
    assert [line[:7] for line in lines] == ["seed 3:"] * 4 + ["seed 4:"] * 4


def test_several_trainings_have_a_bar_each() -> None:
    whole = progress.Bar()
    one, other = whole.of(3), whole.of(4)
    for listener in (one, other):
        listener.started(PLAN)
    one.progressed(2)
    other.logged(row(5, 4.0))
    assert whole.progress is not None
    assert [(task.completed, task.description) for task in whole.progress.tasks] == [
        (2, "seed 3: "),
        (5, "seed 4: train loss 4.00"),
    ]
    one.finished({})
    assert [task.completed for task in whole.progress.tasks] == [5]
    whole.close()
    other.finished({})  # which comes too late to be drawn
    assert whole.progress is None


def test_no_terminal_means_no_bar() -> None:
    with progress.shown() as events:
        assert type(events) is progress.Lines


def on_terminal(cwd: Path, *arguments: str, **variables: str) -> tuple[str, str]:
    """What a command writes to stdout, and to a terminal as its stderr."""
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **variables}
    command = [sys.executable, "-m", "latentia", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, cwd=cwd) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that nobody holds the other end any more
                break
            if not piece:
                break
            written += piece
        assert process.stdout is not None
        stdout = process.stdout.read().decode()
    os.close(ours)
    assert process.returncode == 0, written.decode()
    return stdout, written.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}])
def test_a_bar_on_a_terminal(tmp_path: Path, variables: dict[str, str]) -> None:
    stdout, shown = on_terminal(tmp_path, "train", "ae", "--epochs", "4", "--json", "--out", "run", **variables)
    assert stdout.startswith("{")
    assert "/45" in shown
    coloured = re.search(r"\x1b\[[0-9;]*3[0-9]", shown) is not None
    assert coloured is ("NO_COLOR" not in variables)
