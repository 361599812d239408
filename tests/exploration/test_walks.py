from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration.style import figure_bytes
from latentia.exploration.walks import plot_path

SHAPES = [(1, 1, 1), (1, 8, 8), (2, 5, 7), (3, 6, 6), (1, 1, 60), (1, 60, 1), (1,), (4,), (300,)]


def pixels(figure: Figure, dpi: int = 60) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure_bytes(figure, dpi=dpi))).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    own = [text.get_text() for text in figure.texts] + [figure.get_suptitle()]
    ticks = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    return own + ticks + [text.get_text() for axes in figure.axes for text in axes.texts]


def data(n: int, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [2, 10, 30])
def test_paths_of_every_shape(shape: tuple[int, ...], steps: int) -> None:
    x = data(steps, shape)
    figure = plot_path(x, x[[0, -1]], DataSpec(shape), names=("$a$", "a class with a long name"), title="t")
    picture = pixels(figure)
    assert picture.std() > 0
    assert max(picture.shape) < 60 * 14


@pytest.mark.parametrize("shape", [(1, 8, 8), (4,)])
def test_paths_name_their_ends_and_places(shape: tuple[int, ...]) -> None:
    x = data(3, shape)
    found = texts(plot_path(x, x[[0, -1]], DataSpec(shape), names=("cat", "dog")))
    assert {"cat", "0.00", "0.50", "1.00", "dog"} <= set(found)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="shape"):
        plot_path(data(3, (4,)), data(2, (5,)), DataSpec((4,)))
