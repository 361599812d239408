"""Small runs that the tests of uses share; nothing is written to disk unless a test asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentia as lt

QUICK = {"training.threads": 1, "training.device": "cpu"}


@pytest.fixture(scope="session")
def labelled() -> dict[str, Any]:
    """Images of 8 x 8 with three classes: a bright row, column or square."""
    source = np.random.default_rng(0)
    y = np.arange(150) % 3
    x = source.integers(0, 60, (150, 1, 8, 8), dtype=np.uint8)
    x[y == 0, :, 3] += 180
    x[y == 1, :, :, 3] += 180
    x[y == 2, :, 2:5, 2:5] += 180
    names = np.array(["row", "column", "square"])[y]
    return {"x": x[:120], "y": names[:120], "x_test": x[120:], "y_test": names[120:]}


def small(preset: str, data: Any, directory: Path | None = None, **settings: Any) -> lt.Run:
    """Train for a few steps."""
    chosen = {key.replace("__", "."): value for key, value in settings.items()}
    return lt.train(preset, data, directory=directory, steps=30, seed=0, settings={**QUICK, **chosen})


@pytest.fixture(scope="session")
def vae(labelled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> lt.Run:
    """A VAE with a folder."""
    return small("vae", labelled, tmp_path_factory.mktemp("uses") / "vae", model__latent_dim=4)


@pytest.fixture(scope="session")
def ae(labelled: dict[str, Any]) -> lt.Run:
    """An autoencoder, without a prior and without a folder."""
    return small("ae", labelled, model__latent_dim=2)


@pytest.fixture(scope="session")
def table() -> lt.Run:
    """A VAE of vectors without labels."""
    return small("vae", np.random.default_rng(0).random((80, 6)).astype(np.float32), model__latent_dim=2)
