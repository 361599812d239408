"""What is printed for a person can be typed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from latentia.cli import printing


@pytest.mark.skipif(os.name != "posix", reason="other shells quote otherwise")
@pytest.mark.parametrize("name", ["plain", "my runs/it's mine", "a;b", "$HOME"])
def test_suggestions_can_be_typed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")  # so that it is also said how to enter the environment
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "my environment"))
    printing.suggestions(tmp_path / name)
    lines = [
        shlex.split(line) for line in capsys.readouterr().out.splitlines() if line.startswith("  ") and line[2] != " "
    ]
    assert lines[0] == ["source", "my environment/bin/activate"]
    assert [line[:3] for line in lines[1:4]] == [
        ["latentia", command, name] for command in ("sample", "reconstruct", "evaluate")
    ]


SUMMARY = {
    "preset": "vae", "data": "digits", "epochs": 200.0, "steps": 2100, "parameters": 7, "device": "cpu",
    "precision": "fp32", "best_step": None, "notes": [], "run": None,
    "test": {"elbo": -20.0, "distortion": 15.0, "rate": 5.0, "mse": 0.1},
}  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], **more: Any) -> str:
    printing.trained({**SUMMARY, **more})
    return capsys.readouterr().out


@pytest.mark.parametrize(("epochs", "shown"), [(200.0, "200"), (1.910448, "1.91"), (4.5, "4.5"), (0.0042, "0.0042")])
def test_epochs_are_short(capsys: pytest.CaptureFixture[str], epochs: float, shown: str) -> None:
    assert f"; {shown} epochs, 2,100 steps;" in said(capsys, epochs=epochs)


def test_the_step_is_said_whose_weights_are_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the model has the weights of step 1,300, which did best on" in said(capsys, best_step=1300)
    assert "weights" not in said(capsys, best_step=2100) + said(capsys)


def test_a_run_without_figures_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, test=None)
    assert output.splitlines()[-1] == "not evaluated: the data have no test part"
    note = "the mse of the test part is not finite: it holds values far outside"
    assert said(capsys, test=None, notes=["a note", note]).splitlines()[-1] == f"not evaluated: {note}"
    printing.trained_seeds({"runs": [{**SUMMARY, "test": None}], "test": {"elbo": None, "mse": None}})
    assert capsys.readouterr().out == "1 seed, not evaluated: the data have no test part\n"


def test_a_reconstruction_says_of_how_many_samples_its_mse_is(capsys: pytest.CaptureFixture[str]) -> None:
    printing.reconstructed({"mse": 0.02, "n": 16, "source": "test images", "picture": None})
    assert capsys.readouterr().out == "mse 0.02000 (mean over the values of the first 16 of the test images)\n"
    printing.reconstructed({"mse": 0.02, "n": 5, "source": "mine.npy", "picture": None})
    assert "first 5 of mine.npy" in capsys.readouterr().out


def test_a_runs_name_stays_on_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = {"name": "a\nb", "preset": None, "data": "x\ty.npy", "seed": 0, "state": "failed", "step": 3, "elbo": None}
    printing.run_table([{**row, "mse": None, "heartbeat": None, "fault": "because\nof"}], tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and "'a\\nb'" in lines[1] and "'x\\ty.npy'" in lines[1]
    assert lines[2] == "'a\\nb': 'because\\nof'"
