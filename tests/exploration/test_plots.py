from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from latentia.errors import DataError
from latentia.exploration.plots import figure_bytes, plot_curves, plot_rate_per_dimension


def row(epoch: float, split: str = "train", **terms: Any) -> dict[str, object]:
    return {"step": round(10 * epoch), "epoch": epoch, "split": split, "steps": 10, "lr": 1e-3, "epoch_end": True,
            "seconds": 1.0, **terms}  # fmt: skip


def panels(figure: Figure) -> list[str]:
    assert figure_bytes(figure, dpi=40)
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_terms_have_panels_with_units() -> None:
    rows = [row(e, loss=3.0 / e, distortion=2.0 / e, rate=1.0 / e, beta=1.0) for e in (1.0, 2.0, 3.0)]
    figure = plot_curves([*rows, row(2.0, "valid", loss=2.0, distortion=1.5, rate=0.5, beta=1.0)])
    assert panels(figure) == ["Loss (minimised)", "Distortion", "Rate"]
    assert {axes.get_ylabel() for axes in figure.axes} == {"nats per image"}
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}
    train, valid = figure.axes[0].get_lines()
    assert np.allclose(np.asarray(train.get_xydata()), [[1, 3], [2, 1.5], [3, 1]])
    assert np.allclose(np.asarray(valid.get_xydata()), [[2, 2]])
    assert train.get_linestyle() == "-"
    assert valid.get_linestyle() == "--"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["training", "validation"]


def test_one_row_of_an_autoencoder() -> None:
    figure = plot_curves([row(1.0, loss=3.0, distortion=2.5, l1=0.5)], noun="vector")
    assert panels(figure) == ["Loss (minimised)", "Distortion", "l1"]
    assert figure.axes[0].get_ylabel() == "nats per vector"
    assert figure.axes[2].get_ylabel() == "mean per vector"


def test_coefficients_are_drawn_where_they_change() -> None:
    rows = [row(e, loss=1.0, distortion=1.0, rate=1.0, beta=e / 2) for e in (1.0, 2.0)]
    assert panels(plot_curves(rows))[-1] == "Beta, factor on the rate"


def test_a_high_start_does_not_flatten_the_rest() -> None:
    rows = [row(e / 10, loss=100.0 + 500.0 * (e < 3) + 10 / e) for e in range(1, 100)]
    axes = plot_curves(rows).axes[0]
    assert axes.get_ylim()[1] < 130
    assert any("begins at 610" in text.get_text() for text in axes.texts)
    even = plot_curves([row(e / 10, loss=10.0 - e / 10) for e in range(1, 100)]).axes[0]
    assert even.get_ylim()[1] >= 9.9
    assert not even.texts


def test_names_and_missing_values_are_harmless() -> None:
    rows = [row(1.0, loss=1.0), {**row(2.0), "loss": None}, {**row(3.0, loss=float("nan")), "<b>$x$": 1.0}]
    assert panels(plot_curves(rows)) == ["Loss (minimised)", r"<b>\$x\$"]
    with pytest.raises(DataError, match="no metrics"):
        plot_curves([])
    with pytest.raises(DataError, match="no metrics"):
        plot_curves([{"loss": 1.0}])


def test_constant_terms_and_many_panels() -> None:
    rows = [{**row(e, loss=0.0), **{f"term {i}": 1.0 for i in range(7)}} for e in (1.0, 2.0)]
    assert len(panels(plot_curves(rows))) == 8


def test_rates_are_sorted_and_the_threshold_is_stated() -> None:
    figure = plot_rate_per_dimension([0.5, 0.001, 2.0, 0.02])
    axes = figure.axes[0]
    heights = [bar.get_height() for bar in axes.patches]  # type: ignore[attr-defined]
    assert heights == [2.0, 0.5, 0.02]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "0", "3", "1"]
    assert axes.get_title(loc="left").startswith("3 of 4 with a rate above 0.01 nats, 2.52 nats")
    assert [text.get_text() for text in axes.texts] == ["0.01 nats"]
    assert "nats per image" in axes.get_ylabel()


@pytest.mark.parametrize("rates", [[0.0], [0.0] * 20, list(np.linspace(0, 3, 300)), [-0.02, 1.0]])
def test_rates_of_every_number(rates: list[float]) -> None:
    assert figure_bytes(plot_rate_per_dimension(rates), dpi=40)


@pytest.mark.parametrize("n", [2, 20, 32, 128, 1000])
def test_the_numbers_of_dimensions_do_not_meet(n: int) -> None:
    figure = plot_rate_per_dimension(list(np.linspace(3, 0, n)))
    assert figure_bytes(figure, dpi=100)
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert len(boxes) >= min(n, 10)
    assert all(one.x1 + 2 < other.x0 for one, other in pairwise(boxes))


@pytest.mark.parametrize("rates", [[], [1.0, float("nan")]])
def test_rates_that_cannot_be_drawn(rates: list[float]) -> None:
    with pytest.raises(DataError, match="finite"):
        plot_rate_per_dimension(rates)
