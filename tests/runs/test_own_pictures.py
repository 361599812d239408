"""A folder of somebody's colour pictures, from training to new pictures of another size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import latentia as lt
from latentia.data import DataSettings, load

SMALL = [
    "training.threads=1",
    "training.batch_size=32",
    "training.log_every=10",
    "model.latent_dim=8",
    "model.encoder.channels=[8, 16]",
    "model.decoder.channels=[16, 8]",
    "data.size=[16, 16]",
]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    """Discs and squares of any colour before any other, 20 pixels wide and high."""
    root = tmp_path_factory.mktemp("own") / "shapes"
    source = np.random.default_rng(0)
    for i in range(160):
        colours = [tuple(int(value) for value in source.integers(0, 256, 3)) for _ in range(2)]
        picture = Image.new("RGB", (20, 20), colours[0])
        x, y = (int(value) for value in source.integers(4, 10, 2))
        draw = ImageDraw.Draw(picture)
        kind = ("disc", "square")[i % 2]
        (draw.ellipse if kind == "disc" else draw.rectangle)([x, y, x + 8, y + 8], fill=colours[1])
        (root / kind).mkdir(parents=True, exist_ok=True)
        picture.save(root / kind / f"{i:03}.png")
    return root


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "run"
    return lt.train("conv-vae-colour", shapes, directory=place, steps=150, settings=SMALL)


def test_a_model_of_own_pictures_learns(run):
    assert run.spec.describe() == "16 x 16 colour images, 8-bit, 2 classes"
    losses = [row["loss"] for row in run.metrics if row["split"] == "train"]
    assert losses[-1] < losses[0] - 0.1 * 768
    variance = run.dataset.split("test").x.double().div(255).var(0).mean()
    assert run.summary["test"]["mse"] < 0.9 * variance  # better than the mean picture
    x = run.sample(4, write=False).x
    assert x.shape == (4, 3, 16, 16) and (x.amax(1) - x.amin(1)).max() > 0.05  # in colour
    with Image.open(run.path / "samples" / "reconstructions.png") as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    assert (colours.max(-1) - colours.min(-1)).max() > 100


def test_it_is_opened_again_wherever_one_stands(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = lt.open_run(run.path)
    assert Path(again.config.data.source).is_absolute()
    assert again.dataset.fingerprint == run.dataset.fingerprint


def test_new_pictures_are_resized_as_those_that_it_was_trained_on(run, shapes):
    with pytest.warns(UserWarning, match="resized"):
        whole = run.reconstruct(400, input=shapes, write=False)
    assert len(whole.x) == 160
    with pytest.warns(UserWarning, match="resized"):
        one = run.reconstruct(1, input=shapes / "disc" / "000.png", write=False)
    assert (one.x[0] - whole.x[0]).abs().max() == 0


def test_real_pictures_train_as_8_bit_ones_do(shapes):
    x = load(DataSettings(source=str(shapes))).split("train").x.numpy() / 255
    run = lt.train("conv-vae-colour", x, directory=None, steps=2, settings=SMALL)
    assert run.spec.levels is None and run.spec.event_shape == (3, 16, 16)
