"""Small runs that the tests of exports share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentia as lt
from latentia.runs import pictures

pytest.importorskip("onnx", reason="exports need the extra onnx")
pytest.importorskip("onnxruntime", reason="exports need the extra onnx")


def labelled() -> dict[str, Any]:
    """Images of 8 x 8 with three classes: a bright row, column or square."""
    source = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = source.integers(0, 60, (150, 1, 8, 8), dtype=np.uint8)
    x[y == 0, :, 3] += 180
    x[y == 1, :, :, 3] += 180
    x[y == 2, :, 2:5, 2:5] += 180
    return {"x": x[:120], "y": y[:120], "x_test": x[120:], "y_test": y[120:]}


def small(preset: str, data: Any = None, directory: Path | None = None, **settings: Any) -> lt.Run:
    """Train for a few steps."""
    chosen = {key.replace("__", "."): value for key, value in settings.items()}
    quick = {"training.threads": 1, "training.device": "cpu", "training.batch_size": 16}
    return lt.train(
        preset, labelled() if data is None else data, directory=directory, steps=20, settings=quick | chosen
    )


@pytest.fixture(scope="session")
def vae(tmp_path_factory: pytest.TempPathFactory) -> lt.Run:
    """A VAE with a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)  # which would take most of the time
        return small("vae", directory=tmp_path_factory.mktemp("export") / "vae", model__latent_dim=4)
