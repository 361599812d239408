"""The commands that open the studio; the server itself is tested in tests/studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from latentia.cli import entry
from latentia.errors import RunError
from latentia.studio import serving


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been served."""
    calls: list[dict[str, Any]] = []

    def serve(folder: Path, **arguments: Any) -> None:
        calls.append({"folder": folder, **arguments})
        arguments["say"]("http://127.0.0.1:1/?token=t")
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "serve", serve)
    return calls


def test_the_link_is_the_result_and_ctrl_c_no_fault(served: list[dict[str, Any]], capsys: Any) -> None:
    assert entry.run(["studio", "some/runs", "--port", "8765", "--no-browser"]) == 0
    (call,) = served
    assert (call["folder"], call["port"], call["browser"], call["begin"]) == (Path("some/runs"), 8765, False, None)
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "http://127.0.0.1:1/?token=t" and "the studio has ended" in said.err


def test_a_fault_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def serve(folder: Path, **arguments: Any) -> None:
        raise RunError("there is no folder some/runs")

    monkeypatch.setattr(serving, "serve", serve)
    assert entry.run(["studio", "some/runs"]) == 1
    assert capsys.readouterr().err == "latentia: error: there is no folder some/runs\n"
    assert entry.run(["studio", "--port", "70000"]) == 2


def test_the_demo_is_shown_while_it_learns(served: list[dict[str, Any]], tmp_path: Path, capsys: Any) -> None:
    assert entry.run(["demo", "--studio", "--out", str(tmp_path / "mine")]) == 0
    (call,) = served
    begin = call["begin"]
    assert call["folder"] == tmp_path and begin["name"] == "mine" and begin["snapshots"] > 10
    assert begin["settings"]["training.epochs"] == 200
    assert entry.run(["demo", "--studio", "--json"]) == 2
    assert "exclude each other" in capsys.readouterr().err
