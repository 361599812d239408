"""The command that looks for anomalies, run for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_train_on_normals_and_score(latentia: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "run"
    sets = ["--set", "data.normal_classes=0", "--set", "data.validation=0.2", "--set", "training.threads=1"]
    result = latentia("train", "vae", "--steps", 20, "--out", path, *sets)
    assert result.returncode == 0, result.stderr
    assert 'normal_classes = [\n    "0",\n]' in (path / "config.toml").read_text()
    result = latentia("anomaly", path, "--score", "density", "--false-alarm-rate", 0.1, "--json")
    assert result.returncode == 0, result.stderr
    value = json.loads(result.stdout)
    assert 0 <= value["auroc"] <= 1
    assert value["held_out_from"] == "valid images"
    assert Path(value["csv"]).parent == path / "plots"
    said = latentia("anomaly", path, "--show", 4).stdout
    assert "AUROC" in said and "threshold" in said and "histogram" in said
    said = latentia("anomaly", path, "--threshold", 1e-3).stdout
    assert "threshold 0.001: as given" in said


def test_refusals(latentia: Callable[..., Any], trained: tuple[Path, Any]) -> None:
    path, _ = trained
    result = latentia("anomaly", path, "--false-alarm-rate", 1.5)
    assert result.returncode == 2
    assert "is not between 0 and 1" in result.stderr
    result = latentia("anomaly", path, "--threshold", -3, "--false-alarm-rate", 0.1)
    assert result.returncode == 2
    assert "--threshold and --false-alarm-rate exclude each other" in result.stderr
    result = latentia("anomaly", path, "--score", "density", "--normal", "ten")
    assert result.returncode == 2
    assert "no sample is of the normal class 'ten'" in result.stderr
