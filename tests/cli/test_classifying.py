"""The command that classifies from few labels, run for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_classify_says_how_often_it_is_wrong(
    latentia: Callable[..., Any], trained: tuple[Path, dict[str, Any]]
) -> None:
    path, _ = trained
    arguments = ("classify", path, "--labels", 30, "--draws", 2, "--method", "logistic", "--unlabelled", 100)
    result = latentia(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    value = json.loads(result.stdout)
    assert value["labels"] == 30 and len(value["error"]["latents"]["values"]) == 2
    assert 0 < value["error"]["data"]["mean"] < 0.5
    assert Path(value["picture"]).is_file()
    said = latentia(*arguments).stdout
    assert "30 labels, logistic, 100 samples without labels" in said and f"{value['error']['data']['mean']:.2%}" in said


def test_classify_refuses_too_few_labels(latentia: Callable[..., Any], trained: tuple[Path, dict[str, Any]]) -> None:
    result = latentia("classify", trained[0], "--labels", 9)
    assert result.returncode == 2 and "between 10 labels, one for each class" in result.stderr
