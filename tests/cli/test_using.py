"""What the commands that use a run hand to it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import latentia as lt
from latentia import runs
from latentia.cli import entry, printing


class Fake:
    """A run that remembers what it was asked."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.asked: dict[str, Any] = {}

    def opened(self, path: Path) -> Fake:
        self.path = path
        return self

    def evaluate(self, **arguments: Any) -> dict[str, Any]:
        self.asked = arguments
        return {}

    def reconstruct(self, **arguments: Any) -> Fake:
        self.asked = arguments
        return self

    def denoise(self, **arguments: Any) -> Fake:
        self.asked = arguments
        return self

    def sample(self, **arguments: Any) -> Fake:
        self.asked = arguments
        return self

    def to_json(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A run that any path opens."""
    run = Fake()
    monkeypatch.setattr(runs, "open_run", run.opened)
    monkeypatch.setattr(printing, "document", lambda value: None)
    return run


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["evaluate"], {"importance_samples": 100, "seeds": 1, "split": "test"}),
        (["evaluate", "--importance-samples", "0"], {"importance_samples": 0}),
        (["evaluate", "--seeds", "3", "--split", "valid"], {"seeds": 3, "split": "valid"}),
        (["reconstruct"], {"n": 16, "split": "test", "input": None}),
        (["reconstruct", "--split", "train"], {"split": "train", "input": None}),
        (["reconstruct", "--input", "a.png"], {"input": Path("a.png")}),
        (["denoise"], {"n": 8, "corruption": None, "sigma": None, "probability": None, "split": "test", "seed": 0}),
        (["denoise", "--sigma", "0.3", "-n", "4", "--seed", "7"], {"n": 4, "sigma": 0.3, "seed": 7}),
        (
            ["denoise", "--corruption", "masking", "--probability", "0.4"],
            {"corruption": "masking", "probability": 0.4},
        ),
        (["denoise", "--input", "a.png"], {"input": Path("a.png"), "sigma": None}),
        (["sample"], {"n": None, "classes": None, "temperature": 1.0, "seed": 0}),
        (["sample", "--temperature", "0"], {"temperature": 0.0}),
        (["sample", "--class", "3", "--class", "eight", "-n", "9"], {"classes": ["3", "eight"], "n": 9}),
        (["sample", "--temperature", "0.5", "--seed", "7"], {"temperature": 0.5, "seed": 7}),
    ],
)
def test_what_is_asked(fake: Fake, arguments: list[str], asked: dict[str, Any]) -> None:
    command, *options = arguments
    assert entry.run([command, "a run", *options, "--json"]) == 0
    assert fake.path == Path("a run")
    assert {name: fake.asked[name] for name in asked} == asked


@pytest.mark.parametrize("command", ["evaluate", "reconstruct", "denoise", "sample"])
def test_defaults_are_those_of_python(fake: Fake, command: str) -> None:
    assert entry.run([command, "run", "--json"]) == 0
    parameters = inspect.signature(getattr(lt.Run, command)).parameters
    assert fake.asked == {name: parameters[name].default for name in fake.asked}


def test_a_home_folder_is_filled_in(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("USERPROFILE", "/home/somebody")
    assert entry.run(["sample", "~/run", "--out=~/a.png", "--json"]) == 0
    assert fake.path == Path("/home/somebody/run")
    assert fake.asked["out"] == Path("/home/somebody/a.png")
