"""Small runs that several tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentia.runs import pictures


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the figures, which take most of a small run's time."""
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)


@pytest.fixture(scope="session")
def arrays() -> dict[str, Any]:
    """80 images of 8 x 8 to train on and 20 to test on, with three classes."""
    source = np.random.default_rng(0)
    x = source.integers(0, 256, (100, 1, 8, 8), dtype=np.uint8)
    y = source.integers(0, 3, 100)
    return {"x": x[:80], "y": y[:80], "x_test": x[80:], "y_test": y[80:]}


@pytest.fixture(scope="session")
def array_file(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any]) -> Path:
    """The same arrays in a file."""
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(path, **arrays)
    return path


ReadRun = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="session")
def contents() -> ReadRun:
    """Everything about a finished run that must not depend on how often it was interrupted."""

    def read(path: Path) -> dict[str, Any]:
        from latentia.runs.directory import RunDirectory
        from latentia.training.checkpoint import from_bytes

        directory = RunDirectory(path)
        values: dict[str, Any] = {}
        for which in ("last", "best"):
            found = directory.checkpoints.load(which)
            if found is not None:
                state = {key: value for key, value in found.state.items() if key not in ("seconds", "metrics_bytes")}
                values[f"{which} state"] = state
                for part, tensors in found.tensors.items():
                    for name, tensor in tensors.items():
                        values[f"{which} {part} {name}"] = tensor.numpy().tobytes()
        weights = directory.model / "model.safetensors"
        for name, tensor in from_bytes(weights.read_bytes(), weights).items():
            values[f"model {name}"] = tensor.numpy().tobytes()
        rows = directory.metrics.read()
        values["metrics"] = [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
        evaluation = directory.evaluation()
        assert evaluation is not None
        values["evaluation"] = {key: value for key, value in evaluation.items() if key != "run"}
        values["state"] = directory.status()["state"]
        leftovers = [str(entry.relative_to(path)) for entry in path.rglob("*") if ".tmp-" in entry.name]
        values["leftovers"] = leftovers
        return values

    return read
