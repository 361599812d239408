"""The commands that give a model away, run for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="exports need the extra onnx")


def test_onnx_says_where_and_how_near(
    latentia: Callable[..., Any], trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    path, _ = trained
    result = latentia("export", "onnx", path, "--out", tmp_path / "graphs", "--json")
    assert result.returncode == 0, result.stderr
    value = json.loads(result.stdout)
    assert Path(value["decoder"]).is_file() and value["check"]["max_difference"] < 1e-4
    again = latentia("export", "onnx", path, "--out", tmp_path / "graphs")
    assert again.returncode == 2 and "--overwrite" in again.stderr
    said = latentia("export", "onnx", path, "--out", tmp_path / "graphs", "--overwrite")
    assert said.returncode == 0, said.stderr
    assert "differs from PyTorch by at most" in said.stdout and "1,000 random inputs" in said.stdout
