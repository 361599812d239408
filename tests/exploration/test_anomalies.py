from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration.anomalies import plot_anomalies, plot_scores
from latentia.exploration.plots import figure_bytes

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("scores", [[1.0], [2.0, 2.0], RNG.exponential(size=500), RNG.normal(size=500)])
@pytest.mark.parametrize("known", [False, True])
def test_every_spread_of_scores(scores: list[float], known: bool) -> None:
    anomalous = np.arange(len(scores)) % 2 == 0 if known else None
    assert figure_bytes(plot_scores(scores, anomalous, threshold=1.5), dpi=40)


def test_no_sample_is_left_out_and_kinds_are_compared_by_share() -> None:
    scores = RNG.lognormal(size=1000)
    axes = plot_scores(scores, np.arange(1000) < 100).axes[0]
    heights = [patch.get_height() for patch in axes.patches]  # type: ignore[attr-defined]
    assert sum(heights) == pytest.approx(200)
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "% of each kind"


@pytest.mark.parametrize("largest", [0.02, 0.08, 5.0, 1e4])
def test_a_logarithmic_axis_has_numbers_and_the_threshold_its_own(largest: float) -> None:
    figure = plot_scores(np.geomspace(0.0009, largest, 300), threshold=0.0077)
    assert figure_bytes(figure, dpi=40)
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 3 <= len(shown) <= 10
    assert axes.texts[0].get_text() == "0.0077"


def test_the_colour_bar_of_errors_says_its_end() -> None:
    x = torch.zeros(2, 1, 4, 4)
    bar = plot_anomalies(x, x + 0.5, DataSpec((1, 4, 4)), scores=[1.0, 2.0]).axes[-1]
    assert [label.get_text() for label in bar.get_xticklabels()] == ["0", "0.1250", "0.2500"]


def test_the_error_of_each_pixel_has_a_common_scale() -> None:
    x = torch.zeros(4, 1, 8, 8)
    x[0, 0, 2, 3] = 0.5
    figure = plot_anomalies(x, torch.zeros_like(x), DataSpec((1, 8, 8)), scores=[1, 2, 3, 4], rows=["high", "near"])
    assert figure.axes[1].get_xlim() == (0.0, 0.25)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("row 1: high; row 2: near" in text.replace("\n", " ") for text in texts)
    assert "squared error per pixel" in texts


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 12, 9), (2, 5, 5), (7,)])
@pytest.mark.parametrize("n", [1, 3, 16])
def test_every_kind_of_data(shape: tuple[int, ...], n: int) -> None:
    x = torch.rand(n, *shape)
    rows = ["high", "near"] if n == 16 else ["high"]
    labels = [f"$class${i}" for i in range(n)]
    figure = plot_anomalies(x, x / 2, DataSpec(shape), scores=list(range(n)), labels=labels, rows=rows)
    assert figure_bytes(figure, dpi=40)


def test_faults_say_what_to_do() -> None:
    with pytest.raises(DataError, match="finite"):
        plot_scores([float("nan")])
    with pytest.raises(DataError, match="same number"):
        plot_anomalies(torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4), DataSpec((1, 4, 4)), scores=[1.0])
