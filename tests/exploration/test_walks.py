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
from latentia.exploration.walks import Row, plot_equation, plot_manifold, plot_path, plot_points, plot_traversals

SHAPES = [(1, 1, 1), (1, 8, 8), (2, 5, 7), (3, 6, 6), (1, 1, 60), (1, 60, 1), (1,), (4,), (300,)]


def pixels(figure: Figure, dpi: int = 60) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure_bytes(figure, dpi=dpi))).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    own = [text.get_text() for text in figure.texts] + [figure.get_suptitle()]
    own += [axes.get_title(loc="left") for axes in figure.axes]
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
    with pytest.raises(DataError, match="row of frames"):
        plot_traversals(data(6, (4,)).reshape(2, 3, 4), ["a"] * 3, [Row("z", "")], DataSpec((4,)))
    with pytest.raises(DataError, match="coordinate"):
        plot_manifold(data(6, (4,)).reshape(2, 3, 4), [0.0, 1.0], [0.0, 1.0], DataSpec((4,)))


@pytest.mark.parametrize("shape", SHAPES)
def test_traversals_manifolds_points_and_sums_of_every_shape(shape: tuple[int, ...]) -> None:
    spec, x = DataSpec(shape), data(12, shape)
    grid = x.unflatten(0, (3, 4))
    rows = [Row("z7", "2.10 nats", own=1), Row("z0", "sd 3.1"), Row("z123", "0.001 nats", active=False)]
    figures = [
        plot_traversals(grid, ["-3", "-1", "1", "3"], rows, spec, remarks=["a remark"]),
        plot_manifold(grid, [-1.0, 0.0, 1.0, 2.0], [0.0, 5.0, 10.0], spec, title="$x$"),
        plot_points(x[:1], ["(-3, 2)"], spec),
        plot_points(x, [f"({number}, 0.25, -3)" for number in range(12)], spec),
        plot_equation(x[:4], ["9", "− 4", "+ 1", "= sum"], ["mean of 3"] * 4, spec),
    ]
    for figure in figures:
        picture = pixels(figure)
        assert picture.std() > 0
        assert max(picture.shape) < 60 * 14


def test_dimensions_that_carry_nothing_are_marked_and_ranked_ones_named() -> None:
    for shape in [(1, 8, 8), (4,)]:
        frames = data(6, shape).unflatten(0, (2, 3))
        rows = [Row("z3", "1.50 nats"), Row("z1", "0.001 nats", active=False)]
        found = texts(plot_traversals(frames, ["-1", "0", "1"], rows, DataSpec(shape), grey="hardly any rate"))
        assert any("z3" in text for text in found) and any("z1" in text for text in found)
        assert sum("hardly any rate" in text for text in found) == 1
        assert any("1.50 nats" in text for text in found)


def test_a_manifold_lies_as_its_coordinates_say() -> None:
    frames = torch.zeros(2, 3, 1, 4, 4)
    frames[0, 2] = 1.0  # top right
    figure = plot_manifold(frames, [-1.0, 0.0, 1.0], [5.0, 6.0], DataSpec((1, 4, 4)), axes=("z3", "z8"))
    axes = figure.axes[0]
    shown = np.asarray(axes.images[0].get_array())
    middles = [
        [shown[shown.shape[0] * (2 * r + 1) // 4, shown.shape[1] * (2 * c + 1) // 6, 0] for c in range(3)]
        for r in (0, 1)
    ]
    assert middles == [[0, 0, 255], [0, 0, 0]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z3", "z8")
    ticks = {
        round(tick): label.get_text() for tick, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    }
    assert ticks == {0: "6.00", 2: "5.00"}
    assert np.allclose(axes.get_yticks(), [0.5, 1.5])


def test_images_that_fill_their_frame_are_kept_apart() -> None:
    full, framed = torch.zeros(2, 3, 1, 8, 8), torch.zeros(2, 3, 1, 8, 8)
    full[..., :, 4], framed[..., 3:5, 3:5] = 1.0, 1.0
    width = []
    for frames in (full, framed):
        axes = plot_manifold(frames, [-1.0, 0.0, 1.0], [5.0, 6.0], DataSpec((1, 8, 8))).axes[0]
        width.append(np.asarray(axes.images[0].get_array()).shape[1])
    assert 1.01 * width[1] < width[0] < 1.05 * width[1]


def test_a_manifold_of_a_table_names_its_axes_once_outside() -> None:
    name = "principal component 1 of the latents, 34.2 % of the variance"
    frames = torch.rand(3, 3, 6)
    figure = plot_manifold(
        frames, [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], DataSpec((6,)), axes=(name, name), title="word " * 30
    )
    assert figure_bytes(figure, dpi=100)
    panels = figure.axes[:6]
    assert not any(panel.get_xlabel() or panel.get_ylabel() for panel in panels)
    page, title = figure.bbox, figure._suptitle.get_window_extent()  # type: ignore[attr-defined]
    for text in (figure._supxlabel, figure._supylabel):  # type: ignore[attr-defined]
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert not any(box.overlaps(panel.bbox) for panel in panels)
    assert not any(title.overlaps(panel.title.get_window_extent()) for panel in panels)


def test_a_feature_is_mapped_over_the_plane() -> None:
    frames = torch.arange(12.0).reshape(2, 3, 2)
    figure = plot_manifold(frames, [0.0, 1.0, 2.0], [0.0, 1.0], DataSpec((2,), low=0.0, high=11.0))
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    assert np.allclose(shown[0], frames[..., 0].numpy())
    assert np.allclose(shown[1], frames[..., 1].numpy())
