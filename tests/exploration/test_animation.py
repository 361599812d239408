from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from latentia.errors import DataError
from latentia.exploration.animation import gif_bytes


def greys(count: int) -> np.ndarray:
    return np.linspace(0, 255, count).astype(np.uint8)[:, None, None, None].repeat(4, 1).repeat(5, 2).repeat(3, 3)


def read(data: bytes) -> tuple[Image.Image, list[np.ndarray]]:
    picture = Image.open(io.BytesIO(data))
    return picture, [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]


def test_frames_go_there_and_back() -> None:
    frames = greys(5)
    picture, shown = read(gif_bytes(frames, side=40))
    assert picture.info["loop"] == 0
    assert [int(frame[0, 0, 0]) for frame in shown] == frames[[0, 1, 2, 3, 4, 3, 2, 1], 0, 0, 0].tolist()
    assert shown[0].shape == (32, 40, 3)


def test_only_there() -> None:
    assert len(read(gif_bytes(greys(3), back=False))[1]) == 3


@pytest.mark.parametrize("count", [1, 2])
def test_few_frames(count: int) -> None:
    assert len(read(gif_bytes(greys(count)))[1]) == count


def test_colours_survive() -> None:
    frames = np.zeros((3, 2, 2, 3), np.uint8)
    frames[[0, 1, 2], ..., [0, 1, 2]] = 255
    shown = read(gif_bytes(frames, back=False))[1]
    assert [frame[0, 0].tolist() for frame in shown] == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_equal_frames_are_equal_bytes_and_the_first_and_last_are_held() -> None:
    assert gif_bytes(greys(4)) == gif_bytes(greys(4))
    picture = Image.open(io.BytesIO(gif_bytes(greys(3), seconds=0.1, hold=0.5)))
    durations = [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]
    assert durations == [500, 100, 500, 100]


def test_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="no frame"):
        gif_bytes(np.zeros((0, 2, 2, 3), np.uint8))
