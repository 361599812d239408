from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.latents import _apart, box_of, colours_of
from latentia.exploration.plots import figure_bytes, plot_latents

RNG = np.random.default_rng(0)
ODD = ["<b>$x$", "$", "\n", "a name that is far too long for a legend"]


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("d", [1, 2, 3, 7])
@pytest.mark.parametrize("classes", [0, 4, 40])
def test_every_size(n: int, d: int, classes: int) -> None:
    names = [f"{ODD[index % 4]}{index}" for index in range(classes)]
    y = np.arange(n) % classes if classes else None
    assert figure_bytes(plot_latents(RNG.normal(size=(n, d)), y, names, title="$z$"), dpi=40)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_latents_without_variance(d: int) -> None:
    assert figure_bytes(plot_latents(np.ones((6, d)), np.arange(6) % 3), dpi=40)


def test_classes_are_named_in_a_legend_and_at_their_points() -> None:
    loc = np.concatenate([RNG.normal(size=(50, 2)) - 9, RNG.normal(size=(50, 2)) + 9])
    axes = plot_latents(loc, np.repeat([0, 1], 50), ["$a$", "b"]).axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [r"\$a\$", "b"]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert np.allclose(places[r"\$a\$"], np.median(loc[:50], 0))


def test_ten_classes_have_ten_colours_and_more_have_a_colour_bar() -> None:
    loc = RNG.normal(size=(200, 2))
    ten = plot_latents(loc, np.arange(200) % 10)
    assert len(np.unique(ten.axes[0].collections[0].get_facecolor(), axis=0)) == 10  # type: ignore[arg-type]
    more = plot_latents(loc, np.arange(200) % 11, [f"c{index}" for index in range(11)])
    assert len(more.axes) == 2
    assert [label.get_text() for label in more.axes[1].get_yticklabels()] == [f"c{index}" for index in range(11)]


def test_a_class_keeps_its_colour_where_others_are_missing() -> None:
    assert colours_of([3, 7]) == {3: style.CLASS_COLOURS[3], 7: style.CLASS_COLOURS[7]}
    assert len(set(colours_of(range(20, 30)).values())) == 10


@pytest.mark.parametrize(("wide", "high"), [(1.0, 1.0), (1.0, 0.5), (0.05, 1.0), (0.0, 0.0)])
def test_the_figure_takes_the_shape_of_the_cloud(wide: float, high: float) -> None:
    points = RNG.uniform(size=(200, 2)) * np.array([wide, high])
    box = box_of(points)
    assert box[0] * box[1] == pytest.approx(4.7**2)
    assert box[0] / box[1] == pytest.approx(
        np.clip(np.ptp(points[:, 0]) / max(np.ptp(points[:, 1]), 1e-12), 1 / 2.6, 2.6) if wide else 1
    )
    figure = plot_latents(points)
    assert figure_bytes(figure, dpi=40)
    axes = figure.axes[0]
    assert axes.get_aspect() == 1.0
    if 0.4 < wide / max(high, 1e-9) < 2.5:  # most of the page is cloud
        assert np.ptp(points[:, 0]) > 0.75 * np.ptp(axes.get_xlim())
        assert np.ptp(points[:, 1]) > 0.75 * np.ptp(axes.get_ylim())


def test_the_share_of_the_variance_is_on_the_axes() -> None:
    axes = plot_latents(RNG.normal(size=(80, 4)) * np.array([3.0, 0.1, 4.0, 0.1])).axes[0]
    assert "% of the variance" in axes.get_xlabel()
    assert axes.get_aspect() == 1.0


def test_tensors_and_labels_without_names() -> None:
    figure = plot_latents(torch.randn(20, 2), torch.arange(20) % 3, ["only one"])
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["only one", "1", "2"]


def test_labels_of_another_number_are_an_error() -> None:
    with pytest.raises(DataError, match="3 labels for 4 latents"):
        plot_latents(np.zeros((4, 2)), np.zeros(3))


def test_names_are_pushed_apart_but_stay_near() -> None:
    places = np.array([[0.0, 0.0], [0.001, 0.0], [5.0, 5.0]])
    moved = _apart(places, 10.0)
    assert np.linalg.norm(moved[0] - moved[1]) > 0.4
    assert np.abs(moved - places).max() < 1.0
    assert (moved[2] == places[2]).all()


def test_three_dimensions_are_drawn_in_space() -> None:
    axes = plot_latents(RNG.normal(size=(80, 3)), np.arange(80) % 3, "abc").axes[0]
    assert axes.name == "3d"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z0", "z1")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "c"]
