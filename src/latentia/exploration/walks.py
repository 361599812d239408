"""Walks through the latent space, drawn.

Owns what these figures show; the arrays come decoded, and the models that made them are unknown here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import enlarge, mosaic, to_rgb
from latentia.exploration.sheets import (
    GAP,
    LINE,
    MARGIN,
    Band,
    blank_page,
    checked,
    draw_row,
    heads,
    heat_maps,
    remarks_on,
    sheet,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PLACE = "place on the path"


def plot_path(
    frames: Tensor,
    ends: Tensor,
    spec: DataSpec,
    *,
    names: Sequence[str] = ("from", "to"),
    title: str = "Interpolation",
) -> Figure:
    """The decoded points of a path between the two originals that it joins.

    Args:
        frames: Decoded points, (T, *event), equally spaced from the first end to the last.
        ends: The originals, (2, *event).
        spec: What one sample is.
        names: What the two originals are called.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> x = torch.rand(5, 1, 8, 8)
        >>> figure = plot_path(x, x[[0, -1]], DataSpec((1, 8, 8)), names=("a 3", "an 8"))
    """
    frames, ends = checked(frames, spec), checked(ends, spec)
    places = [f"{place:.2f}" for place in torch.linspace(0, 1, len(frames)).tolist()]
    texts = [style.plain(names[0], 24), *places, style.plain(names[1], 24)]
    row = torch.cat([ends[:1], frames, ends[1:]])
    with style.styled():
        if not spec.is_image:
            return heat_maps([Band("First and last row: the originals", row, texts, axis=_PLACE)], spec, title)
        remarks = [f"first and last: the originals; above the others: the {_PLACE}", *remarks_on(row, spec)]
        return sheet([to_rgb(row, spec.low, spec.high)], title, _balanced(len(row)), texts, remarks, [])


def _balanced(n: int, most: int = 12) -> int:
    """Columns of rows that are about equally long.

    Example:
        >>> _balanced(12), _balanced(14)
        (12, 7)
    """
    return math.ceil(n / math.ceil(n / most))


# --- traversals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What stands beside one dimension's frames.

    Attributes:
        name: The dimension.
        note: Under its name: its rate, or its spread.
        active: Whether the dimension carries anything; else it is grey.
        own: The number of the frame that is nearest to where the walk began, or ``None``.
    """

    name: str
    note: str
    active: bool = True
    own: int | None = None


def plot_traversals(
    frames: Tensor,
    values: Sequence[str],
    rows: Sequence[Row],
    spec: DataSpec,
    *,
    title: str = "Traversals",
    remarks: Sequence[str] = (),
    grey: str = "carries next to nothing",
) -> Figure:
    """One latent dimension per row, moved from left to right; those that carry nothing are grey.

    Args:
        frames: Decoded points, (D, S, *event).
        values: What stands over the columns, (S,).
        rows: What stands beside the rows, (D,).
        spec: What one sample is.
        title: The figure's title.
        remarks: Sentences under it.
        grey: What is said of the dimensions that are not active.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> rows = [Row("z1", "2.10 nats"), Row("z0", "0.001 nats", active=False)]
        >>> figure = plot_traversals(torch.rand(2, 3, 1, 8, 8), ["-3", "0", "3"], rows, DataSpec((1, 8, 8)))
    """
    if len(frames) == 0 or len(frames) != len(rows) or frames.shape[1] != len(values):
        raise DataError("a traversal needs a row of frames for each dimension, and a frame for each value")
    flat = checked(frames.flatten(0, 1), spec)
    frames = flat.reshape(frames.shape)
    with style.styled():
        if not spec.is_image:
            bands = [
                Band(
                    f"{row.name}: {row.note}{'' if row.active else f' ({grey})'}",
                    part,
                    list(values),
                    axis=f"value of {row.name}",
                )
                for row, part in zip(rows, frames, strict=True)
            ]
            return heat_maps(bands, spec, title)
        remarks = [*remarks, *([f"grey: {grey}"] if not all(row.active for row in rows) else [])]
        pictures = to_rgb(flat, spec.low, spec.high).reshape(*frames.shape[:2], *spec.event_shape[1:], 3)
        return _labelled_grid(pictures, values, rows, title, [*remarks, *remarks_on(flat[:1], spec)])


def _labelled_grid(
    pictures: np.ndarray, values: Sequence[str], rows: Sequence[Row], title: str, remarks: Sequence[str]
) -> Figure:
    """Rows of images (D, S, H, W, 3) with texts at the left and on top, in inches."""
    count, steps, high, wide, _ = pictures.shape
    left = 1.0  # for the rows' names
    cell = min((style.WIDTH - left - 2 * MARGIN + GAP) / steps - GAP, 0.72)
    cell = max(cell, 0.36)
    tall = cell * min(max(high / wide, 0.25), 4.0)
    each = max(tall, 0.38) + GAP
    step = cell + GAP
    width = max(left + steps * step - GAP + 2 * MARGIN, 4.2)
    lines, top = heads(title, list(remarks), width)
    figure, axes = blank_page(width, top + LINE + count * each + MARGIN - GAP)
    for y, text, settings in lines:
        axes.text(MARGIN, y, text, va="top", **settings)
    start = MARGIN + left
    for column, value in enumerate(values):
        _word(axes, start + cell / 2 + column * step, top + LINE - 0.05, value, "bottom", style.MUTED)
    for index, row in enumerate(rows):
        y = top + LINE + index * each + (each - GAP - tall) / 2
        draw_row(axes, enlarge(pictures[index], math.ceil(cell * 200)), (start, y), (cell, tall), step)
        colour = style.INK if row.active else style.MUTED
        weight = "bold" if row.active else "normal"
        axes.text(MARGIN, y + tall / 2, row.name, va="bottom", size=9.5, weight=weight, color=colour)
        axes.text(MARGIN, y + tall / 2 + 0.02, row.note, va="top", size=8.5, color=style.MUTED)
        if row.own is not None:
            _outline(axes, start + row.own * step, y, cell, tall)
    return figure


def _word(axes: Axes, x: float, y: float, text: str, va: Any, colour: str) -> None:
    axes.text(x, y, text, ha="center", va=va, size=9, color=colour)


def _outline(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=style.ORANGE, linewidth=2.0))


# --- manifold ---------------------------------------------------------------------------------------------------------

MOST_FEATURES = 12


def plot_manifold(
    frames: Tensor,
    horizontal: Sequence[float],
    vertical: Sequence[float],
    spec: DataSpec,
    *,
    axes: Sequence[str] = ("z0", "z1"),
    title: str = "Manifold",
) -> Figure:
    """What the points of a plane decode to, side by side; of vectors, a map of each feature over the plane.

    Args:
        frames: Decoded points, (R, C, *event), the top row first.
        horizontal: Coordinates of the columns, increasing, (C,).
        vertical: Coordinates of the rows from the lowest to the top one, (R,).
        spec: What one sample is.
        axes: What the two coordinates are.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> figure = plot_manifold(torch.rand(2, 3, 1, 8, 8), [-1, 0, 1], [-1, 1], DataSpec((1, 8, 8)))
        >>> figure.axes[0].get_xlabel()
        'z0'
    """
    rows, columns = frames.shape[:2]
    if (rows, columns) != (len(vertical), len(horizontal)):
        raise DataError("a manifold needs a coordinate for each row and each column")
    flat = checked(frames.flatten(0, 1), spec)
    with style.styled():
        if spec.is_image:
            figure, drawn = _plane_of_images(to_rgb(flat, spec.low, spec.high), columns)
            remarks = "; ".join(remarks_on(flat[:1], spec))
        else:
            figure, drawn = _planes_of_features(flat.reshape(rows, columns, -1).double().numpy(), spec)
            shown, features = min(spec.dimensions, MOST_FEATURES), spec.dimensions
            remarks = f"the first {shown} of {features:,} features" if shown < features else ""
        across = _balanced(len(drawn), 4)
        for index, panel in enumerate(drawn):
            _coordinates(panel, horizontal, list(vertical)[::-1], few=len(drawn) > 1)
            panel.tick_params(labelbottom=index + across >= len(drawn), labelleft=index % across == 0)
        width, height = figure.get_size_inches()
        names = [
            style.heading(name, room - 0.8, letters_per_inch=11)
            for name, room in zip(axes, (width, height), strict=True)
        ]
        if len(drawn) == 1:
            drawn[0].set_xlabel(names[0])
            drawn[0].set_ylabel(names[1])
        else:
            figure.supxlabel(names[0], size=10.5, color=style.MUTED)
            figure.supylabel(names[1], size=10.5, color=style.MUTED)
        style.title_figure(figure, title, remarks)
    return figure


def _plane_of_images(pictures: np.ndarray, columns: int) -> tuple[Figure, list[Axes]]:
    """One picture, whose axes count its images; with thin gaps unless these have empty borders that keep them apart."""
    rows = len(pictures) // columns
    large = enlarge(pictures, math.ceil(1200 / max(rows, columns)))
    high, wide = large.shape[1:3]
    gap = 0 if _empty_borders(pictures) else math.ceil(0.04 * max(high, wide))
    picture = mosaic(large, columns, gap=(gap, gap))
    height, width = picture.shape[:2]
    ratio = min(max(height / width, 0.3), 2.0)
    figure = style.new_figure(style.WIDTH, (style.WIDTH - 0.8) * ratio + 0.6)
    axes = figure.subplots()
    right, below = 0.5 * gap / (wide + gap), 0.5 * gap / (high + gap)  # so that n + 1/2 is the middle of an image
    extent = (right, columns - right, rows - below, below)
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased")
    return figure, [axes]


def _empty_borders(pictures: np.ndarray) -> bool:
    """Whether the outermost pixels of all images (N, H, W, 3) are nearly of one colour."""
    edges = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    return all(int(np.ptp(edge.reshape(-1, 3), axis=0).max()) < 26 for edge in edges)


def _planes_of_features(values: np.ndarray, spec: DataSpec) -> tuple[Figure, list[Axes]]:
    """A map of each of the first features, (R, C, F), with one scale of colours."""
    rows, columns, features = values.shape
    shown = min(features, MOST_FEATURES)
    across = _balanced(shown, 4)
    down = math.ceil(shown / across)
    figure = style.new_figure(style.WIDTH + 0.8, 0.6 + down * 2.0)
    panels = list(figure.subplots(down, across, squeeze=False).ravel())
    for panel in panels[shown:]:
        panel.remove()
    high = spec.high if spec.high > spec.low else spec.low + 1.0
    picture = None
    for index, panel in enumerate(panels[:shown]):
        extent = (0, columns, rows, 0)
        picture = panel.imshow(
            values[..., index], cmap=style.SEQUENTIAL, vmin=spec.low, vmax=high, extent=extent, aspect="auto"
        )
        panel.set_title(f"feature {index}", loc="left", fontsize=9.5)
    assert picture is not None
    bar: Any = figure.colorbar(picture, ax=panels[:shown], pad=0.015, fraction=0.05, aspect=24)
    bar.outline.set_visible(False)
    bar.set_label("value of x")
    return figure, panels[:shown]


def _coordinates(axes: Axes, horizontal: Sequence[float], vertical: Sequence[float], *, few: bool) -> None:
    """Write coordinates at the middle of some columns and rows, the first and the last among them."""
    most = 3 if few else 9
    for values, write in ((horizontal, axes.set_xticks), (vertical, axes.set_yticks)):
        places = _ticks(len(values), most)
        digits = min(max(2 - math.floor(math.log10(abs(values[-1] - values[0]) or 1.0)), 0), 6)
        texts = [f"{values[place] + 0.0:.{digits}f}" for place in places]
        write([place + 0.5 for place in places], texts)
    axes.tick_params(length=2)
    if few:  # numbers of neighbouring panels must not meet
        for label, side in zip(axes.get_xticklabels()[:: len(places) - 1 or 1], ("left", "right"), strict=False):
            label.set_horizontalalignment(side)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _ticks(n: int, most: int) -> list[int]:
    """Equally distant places from 0 to n - 1, at most so many; the two ends where there are no others.

    Example:
        >>> _ticks(25, 9), _ticks(15, 9), _ticks(12, 3)
        ([0, 3, 6, 9, 12, 15, 18, 21, 24], [0, 2, 4, 6, 8, 10, 12, 14], [0, 11])
    """
    step = next((step for step in range(1, n) if (n - 1) % step == 0 and (n - 1) // step < most), max(n - 1, 1))
    return list(range(0, n, step))


# --- single points ----------------------------------------------------------------------------------------------------


def plot_points(x: Tensor, names: Sequence[str], spec: DataSpec, *, title: str = "Decoded points") -> Figure:
    """What single points decode to, each under its name.

    Args:
        x: Decoded points, (N, *event).
        names: What each is called, (N,), such as its coordinates.
        spec: What one sample is.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> figure = plot_points(torch.rand(2, 1, 8, 8), ["(-3, 2)", "(0, 0)"], DataSpec((1, 8, 8)))
    """
    x = checked(x, spec)
    texts = [style.plain(name, 60) for name in names]
    with style.styled():
        if not spec.is_image:
            return heat_maps([Band("", x, texts, axis="point")], spec, title)
        x, texts = x[:MOST_POINTS], texts[:MOST_POINTS]
        remarks = remarks_on(x, spec)
        if len(names) > MOST_POINTS:
            remarks.append(f"the first {MOST_POINTS} of {len(names):,}")
        longest = max(len(text) for text in texts)
        columns = max(1, min(_balanced(len(x), 8), int((style.WIDTH - 0.2) / (0.085 * longest + GAP))))
        return sheet([to_rgb(x, spec.low, spec.high)], title, columns, texts, remarks, [])


MOST_POINTS = 200


def plot_equation(
    x: Tensor, written: Sequence[str], notes: Sequence[str], spec: DataSpec, *, title: str = "Arithmetic"
) -> Figure:
    """The terms of a sum, decoded, and at the end what the sum decodes to.

    Args:
        x: The decoded terms and, last, the decoded sum, (T + 1, *event).
        written: What stands over each, (T + 1,), its sign included.
        notes: What stands under each, (T + 1,).
        spec: What one sample is.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> figure = plot_equation(torch.rand(3, 1, 8, 8), ["9", "- 4", "= sum"], [""] * 3, DataSpec((1, 8, 8)))
    """
    x = checked(x, spec)
    above = [style.plain(text, 40) for text in written]
    below = [style.plain(text, 40) for text in notes]
    with style.styled():
        if not spec.is_image:
            rows = [f"{text}  ({note})" if note else text for text, note in zip(above, below, strict=True)]
            return heat_maps([Band("", x, rows, axis="term")], spec, title)
        return sheet(
            [to_rgb(x, spec.low, spec.high)], title, _balanced(len(x), 6), above, remarks_on(x[:1], spec), below
        )
