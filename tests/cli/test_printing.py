"""What is printed for a person can be typed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

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
