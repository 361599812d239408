"""Demonstrations: their numbers, and that what they need and write is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from latentia.cli import entry
from latentia.errors import ConfigError
from latentia.runs import demonstrate_beta_sweep, demonstrate_reductions, demonstrate_reparameterisation

QUICK: dict[str, Any] = {"training.threads": 1, "training.device": "cpu", "model.latent_dim": 3}


def test_the_course_example(tmp_path: Path) -> None:
    """mu = 2, logvar = 0.5: mean and standard deviation 2.00 and 1.28."""
    found = demonstrate_reparameterisation(out=tmp_path / "r.png").to_json()
    assert found["mean"]["measured"] == pytest.approx(2.0, abs=0.04)
    assert found["standard_deviation"]["exact"] == pytest.approx(1.284, abs=1e-3)
    assert found["standard_deviation"]["measured"] == pytest.approx(1.284, abs=0.03)
    assert found == demonstrate_reparameterisation(out=tmp_path / "r.png").to_json()
    assert Path(found["pictures"][0]).exists()


def test_reductions(tmp_path: Path) -> None:
    rows = demonstrate_reductions(1024, 2, 64, out=tmp_path / "r.png").to_json()["reductions"]
    mean = next(row for row in rows if row["distortion"] == "mean over values" and row["kl"] == "sum over latents")
    assert mean["beta_effective"]["squared_error"] == 512
    assert mean["kl_weight_for_beta_1"]["squared_error"] == pytest.approx(2 / 1024)


def test_a_sweep(tmp_path: Path) -> None:
    found = demonstrate_beta_sweep(betas=[8, 0.05], steps=150, settings=QUICK, out=tmp_path / "s.png").to_json()
    low, high = found["betas"]
    assert (low["beta"], high["beta"]) == (0.05, 8.0)
    assert low["rate"] > high["rate"] and low["distortion"] < high["distortion"]
    assert [Path(path).name for path in found["pictures"]] == ["s.png", "s-traversals.png"]
    assert all(Path(path).exists() for path in found["pictures"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"betas": [1.0, 1.0]}, "two different"),
        ({"betas": [-1.0, 1.0]}, "negative"),
        ({"preset": "ae"}, "objective.beta"),
        ({"out": "a.jpg"}, "ends in .png"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        demonstrate_beta_sweep(**{"steps": 1, "settings": QUICK, "out": tmp_path / "s.png", **arguments})


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert entry.run(["demonstrate", "reparameterisation", "--mu", "-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean"]["exact"] == -1
    assert entry.run(["demonstrate", "reductions", "--dimensions", "1024"]) == 0
    assert "512" in capsys.readouterr().out
    sweep = ["--beta", "1", "--beta", "2", "--steps", "2", "--set", "training.threads=1", "--set", "model.latent_dim=2"]
    assert entry.run(["demonstrate", "beta-sweep", *sweep]) == 0
    assert "distortion" in capsys.readouterr().out
    names = {"reparameterisation.png", "reductions.png", "beta-sweep.png", "beta-sweep-traversals.png"}
    assert {path.name for path in (tmp_path / "demonstrations").iterdir()} == names
    assert entry.run(["demonstrate", "beta-sweep", "--beta", "-1"]) == 2
