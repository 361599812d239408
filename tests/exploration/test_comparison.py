from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration.comparison import plot_latents_side_by_side, plot_side_by_side
from latentia.exploration.plots import figure_bytes
from latentia.exploration.projection import project

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 6), (5,)])
def test_every_kind_of_data_and_each_error(shape: tuple[int, ...]) -> None:
    x = torch.zeros(2, *shape)
    figure = plot_side_by_side(x, [x, x + 0.5], DataSpec(shape), names=["one", "$two$"])
    assert figure_bytes(figure, dpi=40)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts] + [
        axes.get_title(loc="left") for axes in figure.axes
    ]
    assert any("0.2500" in text for text in texts)
    assert any("original" in text.lower() for text in texts)


def test_samples_are_named_and_small() -> None:
    x = torch.zeros(6, 1, 8, 8)
    figure = plot_side_by_side(x, [x, x], DataSpec((1, 8, 8)), names=["vae: a", "vae: b"], labels=list("abcdef"))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"original", "vae: a", "vae: b", *"abcdef"} <= set(texts)
    assert max(figure.get_size_inches()) < 9
    with pytest.raises(DataError, match="1 labels for 6"):
        plot_side_by_side(x, [x], DataSpec((1, 8, 8)), names=["vae"], labels=["a"])


@pytest.mark.parametrize("classes", [0, 3, 20])
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_latents_of_every_dimension(classes: int, d: int) -> None:
    y = RNG.integers(0, classes, 60) if classes else None
    shown = [project(RNG.normal(size=(60, d))), project(RNG.normal(size=(60, 2)))]
    figure = plot_latents_side_by_side(shown, y, ["a", "b"], names=["one", "two"])
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["one", "two"]
    assert figure_bytes(figure, dpi=40)


def test_faults_say_what_to_do() -> None:
    with pytest.raises(DataError, match="for each model"):
        plot_side_by_side(torch.rand(2, 4), [torch.rand(2, 4)], DataSpec((4,)), names=[])
    with pytest.raises(DataError, match="for each model"):
        plot_latents_side_by_side([project(RNG.normal(size=(5, 2)))], np.zeros(4), names=["one"])
