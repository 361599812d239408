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
        (["traverse"], {"image": 0, "dims": None, "range": (-3.0, 3.0), "steps": 9}),
        (["traverse", "--middle", "--dims", "3,1", "--range", "-2", "2"], {"image": None, "dims": [3, 1]}),
        (["traverse", "--image", "4", "--range", "-2", "2.5"], {"image": 4, "range": (-2.0, 2.5)}),
        (["manifold"], {"size": 25, "range": None, "dims": None}),
        (["manifold", "--range", "-3", "3", "--dims", "0", "4"], {"range": (-3.0, 3.0), "dims": (0, 4)}),
        (["decode", "-3,2"], {"points": [[-3.0, 2.0]], "label": None}),
        (["decode", "-3,2", "-.5,1e-2", "0,-1"], {"points": [[-3.0, 2.0], [-0.5, 0.01], [0.0, -1.0]]}),
        (["decode", "--out", "a.png", "-7"], {"points": [[-7.0]], "out": Path("a.png")}),
        (["decode", "--points", "a.csv", "--class", "3"], {"points": Path("a.csv"), "label": "3"}),
        (["arithmetic", "9 - 4 + 1"], {"expression": "9 - 4 + 1", "split": "test"}),
        (["arithmetic", "-4 + 9"], {"expression": "-4 + 9"}),
    ],
)
def test_what_is_asked(fake: Fake, arguments: list[str], asked: dict[str, Any]) -> None:
    command, *options = arguments
    assert entry.run([command, "a run", *options, "--json"]) == 0
    assert {name: fake.asked[name] for name in asked} == asked


@pytest.mark.parametrize("command", ["interpolate", "traverse", "manifold"])
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
        ["traverse", "--image", "1", "--middle"],
        ["traverse", "--dims", "a,b"],
        ["manifold", "--range", "3"],
        ["decode"],
        ["decode", "a,b"],
        ["decode", "-3,2", "--points", "a.csv"],
        ["decode", "-3,2", "--jsn"],
        ["arithmetic", "--splt"],
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


def test_a_misspelt_option_beside_points_is_named(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["decode", "run", "-3,2", "--jsn"]) == 2
    assert "no option --jsn. Did you mean '--json'?" in capsys.readouterr().err


def test_traverse_manifold_decode_and_arithmetic(latentia: Any, trained: Trained, tmp_path: Path) -> None:
    run, _ = trained
    point = ",".join(["-1.5"] + ["0.5"] * 19)
    for command, arguments in {
        "traverse": ["--dims", "3,0", "--steps", 3],
        "manifold": ["--size", 3],
        "decode": [point],
        "arithmetic": ["9 - 4 + #1"],
    }.items():
        out = tmp_path / f"{command}.png"
        result = latentia(command, run, *arguments, "--out", out, "--json")
        assert result.returncode == 0, result.stderr
        found = json.loads(result.stdout)
        assert Path(found["picture"]) == out and out.exists()
    said = latentia("traverse", run, "--steps", 2)
    assert said.returncode == 0, said.stderr
    assert "rate (nats)" in said.stdout and "traversal.png" in said.stdout
