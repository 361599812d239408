"""The commands that walk through the latent space, by subprocess, and what they hand on."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import latentia as lt
from latentia import runs
from latentia.cli import entry, printing

Trained = tuple[Path, dict[str, Any]]


class Fake:
    """A run that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        def use(*values: Any, **arguments: Any) -> Fake:
            bound = inspect.signature(getattr(lt.Run, name)).bind(self, *values, **arguments)
            self.asked = {key: value for key, value in bound.arguments.items() if key != "self"}
            return self

        return use

    def to_json(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A run that any path opens."""
    run = Fake()
    monkeypatch.setattr(runs, "open_run", lambda path: run)
    monkeypatch.setattr(printing, "document", lambda value: None)
    return run


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["interpolate"], {"images": None, "steps": 10, "path": "linear", "split": "test", "input": None}),
        (["interpolate", "--from", "3", "--to", "8"], {"start": "3", "end": "8"}),
        (["interpolate", "--images", "4", "7", "--steps", "5"], {"images": (4, 7), "steps": 5}),
        (["interpolate", "--path", "spherical", "--split", "train"], {"path": "spherical", "split": "train"}),
        (["interpolate", "--input", "a.png", "--input", "b.png"], {"input": [Path("a.png"), Path("b.png")]}),
    ],
)
def test_what_is_asked(fake: Fake, arguments: list[str], asked: dict[str, Any]) -> None:
    command, *options = arguments
    assert entry.run([command, "a run", *options, "--json"]) == 0
    assert {name: fake.asked[name] for name in asked} == asked


@pytest.mark.parametrize("command", ["interpolate"])
def test_defaults_are_those_of_python(fake: Fake, command: str) -> None:
    assert entry.run([command, "run", "--json"]) == 0
    parameters = inspect.signature(getattr(lt.Run, command)).parameters
    assert fake.asked == {name: parameters[name].default for name in fake.asked}


@pytest.mark.parametrize(
    "arguments",
    [
        ["interpolate", "--images", "0", "1", "--from", "3"],
        ["interpolate", "--input", "a.npy", "--split", "test"],
        ["interpolate", "--steps", "1"],
        ["interpolate", "--path", "round"],
    ],
)
def test_what_contradicts_itself_is_a_usage_error(fake: Fake, arguments: list[str]) -> None:
    command, *options = arguments
    assert entry.run([command, "run", *options]) == 2


def test_interpolate(latentia: Any, trained: Trained, tmp_path: Path) -> None:
    run, _ = trained
    out = tmp_path / "morph.png"
    result = latentia("interpolate", run, "--from", 3, "--to", 8, "--steps", 4, "--out", out, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["names"] == ["3", "8"] and found["steps"] == 4
    assert Path(found["picture"]) == out and out.exists()
    assert Path(found["animation"]).read_bytes()[:3] == b"GIF"
    said = latentia("interpolate", run, "--images", 0, 1)
    assert said.returncode == 0, said.stderr
    assert "number 0" in said.stdout and "interpolation.png" in said.stdout
    refused = latentia("interpolate", run, "--from", "x", "--to", 8)
    assert refused.returncode == 2 and "no class 'x'" in refused.stderr
