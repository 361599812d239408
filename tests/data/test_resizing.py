"""Images are resized once, at loading, bit for bit as Pillow resizes each of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentia.data import DataSettings, load, resize
from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.errors import ConfigError, DataError

HAS_MNIST = (Path(os.environ.get("LATENTIA_DATA_DIR", "/nowhere")) / "mnist" / "train-images-idx3-ubyte.gz").is_file()
needs_mnist = pytest.mark.skipif(not HAS_MNIST, reason="LATENTIA_DATA_DIR holds no mnist/")
SIZES = [
    ((28, 28), (32, 32)),
    ((28, 28), (14, 9)),
    ((7, 31), (31, 7)),
    ((5, 8), (5, 3)),
    ((8, 5), (3, 5)),
    ((1, 1), (4, 2)),
]


def by_pillow(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """One picture, as everybody resizes it: (H, W) or (H, W, 3)."""
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def pictures(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_grey_images_are_pillows_bit_for_bit(before, after):
    x = pictures((9, 1, *before))
    wanted = np.stack([by_pillow(image[0], *after)[None] for image in x])
    np.testing.assert_array_equal(resize(x, *after), wanted)


@pytest.mark.parametrize(("before", "after"), SIZES)
def test_colour_images_are_pillows_bit_for_bit(before, after):
    x = pictures((9, 3, *before))
    wanted = np.stack([by_pillow(image.transpose(1, 2, 0), *after).transpose(2, 0, 1) for image in x])
    np.testing.assert_array_equal(resize(x, *after), wanted)


def test_real_values_are_pillows_and_stay_within_their_range():
    x = np.random.default_rng(0).random((5, 2, 9, 7), dtype=np.float32)
    resized = resize(x, 12, 4)
    wanted = np.stack([np.stack([by_pillow(plane, 12, 4) for plane in image]) for image in x])
    np.testing.assert_array_equal(resized, wanted)
    ones = resize(np.ones((1, 1, 7, 7), dtype=np.float32), 31, 13)
    assert ones.min() == ones.max() == 1


def test_many_pieces_give_what_one_gives(monkeypatch):
    x = pictures((50, 3, 6, 5))
    whole = resize(x, 8, 9)
    monkeypatch.setattr("latentia.data.resizing._PIXELS", 100)
    np.testing.assert_array_equal(resize(x, 8, 9), whole)


def test_the_same_size_costs_nothing_and_other_arrays_are_refused():
    x = pictures((4, 1, 6, 6))
    before = x.copy()
    assert resize(x, 6, 6) is x
    resize(x, 3, 3)
    np.testing.assert_array_equal(x, before)
    with pytest.raises(DataError, match="not float64 of shape 4 x 6 x 6"):
        resize(np.zeros((4, 6, 6)), 3, 3)


# --- data.size -------------------------------------------------------------------------------------------------------


def test_every_source_is_resized_at_loading():
    plain, sized = load(DataSettings()), load(DataSettings(size=[32, 16]))
    assert sized.spec.describe() == "32 x 16 grey images, 8-bit, 10 classes"
    assert "the images were resized from 8 x 8 to 32 x 16, bilinear" in sized.notes
    for name, part in plain.splits.items():
        found = sized.split(name)
        assert found.x.dtype == torch.uint8
        np.testing.assert_array_equal(found.x.numpy(), resize(part.x.numpy(), 32, 16))  # and held out alike
        assert part.y is not None and found.y is not None and torch.equal(part.y, found.y)
    colour = {"x": pictures((20, 10, 12, 3)), "x_test": pictures((6, 10, 12, 3))}
    data = load(DataSettings(size=[8, 8]), arrays=colour)
    assert data.split("test").x.shape == (6, 3, 8, 8)
    np.testing.assert_array_equal(
        data.split("test").x[2].numpy().transpose(1, 2, 0), by_pillow(colour["x_test"][2], 8, 8)
    )


def test_the_fingerprint_tells_sizes_apart():
    prints = [load(DataSettings(size=size)).fingerprint for size in (None, [8, 8], [9, 8], [8, 9])]
    assert prints[0] == prints[1]  # the size that it has
    assert len(set(prints)) == 3


def test_real_images_stay_real():
    data = load(DataSettings(size=[6, 6]), arrays=np.random.default_rng(0).random((30, 12, 12)))
    assert data.spec.levels is None and data.split("train").x.dtype == torch.float32
    assert data.preparation.within_unit


def test_binary_images_become_grey_and_can_be_made_binary_again():
    x = np.random.default_rng(0).random((40, 12, 12)) < 0.5
    grey = load(DataSettings(size=[6, 6]), arrays=x)
    assert (grey.spec.levels, grey.spec.binary) == (256, False)
    assert any("grey values of binary ones" in note for note in grey.notes)
    np.testing.assert_array_equal(
        load(DataSettings(size=[6, 6], validation=0.0, test_fraction=0.0), arrays=x).split("train").x[3, 0].numpy(),
        by_pillow(x[3].astype(np.uint8) * 255, 6, 6),
    )
    for how in ("threshold", "static", "dynamic"):
        data = load(DataSettings(size=[6, 6], binarize=how), arrays=x)
        assert data.spec.binary, how


def test_a_static_binarisation_is_drawn_after_resizing():
    data = load(DataSettings(size=[16, 16], binarize="static"))
    assert data.spec.binary and set(data.split("train").x.unique().tolist()) == {0, 1}
    mean = load(DataSettings(size=[16, 16])).split("train").x.float().mean() / 255
    assert abs(data.split("train").x.float().mean() - mean) < 5e-3


def test_vectors_have_no_size():
    with pytest.raises(ConfigError, match=r"holds vectors of 5; use --set data.size=none"):
        load(DataSettings(size=[8, 8]), arrays=np.ones((10, 5)))


@pytest.mark.parametrize("size", [[8], [8, 8, 1], [0, 8], [8, 5000], 8, [8.0, 8]])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError):
        DataSettings(size=size)


def test_new_images_of_another_size_are_told_what_to_do():
    with pytest.raises(DataError, match=r"latentia.data.resize\(x, 32, 32\)"):
        Preparation(levels=256).adopt(pictures((5, 28, 28)), DataSpec((1, 32, 32), levels=256))


@needs_mnist
def test_mnist_is_resized_within_seconds():
    plain = load(DataSettings(source="mnist", validation=0.0))
    start = time.perf_counter()
    data = load(DataSettings(source="mnist", validation=0.0, size=[32, 32]))
    seconds = time.perf_counter() - start
    assert data.split("train").x.shape == (60000, 1, 32, 32) and data.split("test").x.shape == (10000, 1, 32, 32)
    for row in (0, 7, 59999):
        np.testing.assert_array_equal(
            data.split("train").x[row, 0].numpy(), by_pillow(plain.split("train").x[row, 0].numpy(), 32, 32)
        )
    assert data.fingerprint != plain.fingerprint
    assert seconds < 5  # 0.9 s on an idle machine
