"""The layout that figures of data share: sheets of images with texts around them, heat maps of vectors.

Owns places in inches and what fits them; what is shown, and why, is in the modules that draw figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import enlarge, mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_IMAGES = 400  # beyond that nobody looks, and the picture no longer fits a screen
MOST_VECTORS = 200
MARGIN, GAP, LINE = 0.12, 0.06, 0.2  # inches: around the page, between images, a line of small text
_SLIMMEST = 6.0  # images longer than this times their width are drawn with longer pixels, for else they would be a line


def checked(x: Tensor, spec: DataSpec) -> Tensor:
    """What is to be drawn, (N, *event), on the CPU.

    Raises:
        DataError: If it does not fit the spec, or there is nothing.
    """
    if tuple(x.shape[1:]) != spec.event_shape:
        raise DataError(
            f"what is drawn must have the shape (N, {', '.join(map(str, spec.event_shape))}), not {x.shape}"
        )
    if len(x) == 0:
        raise DataError("there is nothing to draw: give at least one sample")
    return x.detach().cpu()


def short(value: float) -> str:
    """A few digits in little room.

    Example:
        >>> short(0.01234), short(0.00004), short(0.0), short(12.3)
        ('0.0123', '4e-05', '0', '12.3')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.4f}" if 0.001 <= value < 1 else f"{value:.3g}"


def remarks_on(x: Tensor, spec: DataSpec) -> list[str]:
    """What a reader of a sheet must know about it: channels without colours, images left out."""
    remarks = []
    if spec.event_shape[0] not in (1, 3):
        remarks.append(f"shown: the mean of the {spec.event_shape[0]} channels")
    if len(x) > MOST_IMAGES:
        remarks.append(f"the first {MOST_IMAGES} of {len(x):,}")
    return remarks


# --- images -----------------------------------------------------------------------------------------------------------


def sheet(
    layers: list[np.ndarray],
    title: str,
    columns: int,
    above: list[str] | None,
    remarks: list[str],
    below: list[str],
    left: list[str] | None = None,
    largest: float = 2.4,
) -> Figure:
    """Draw bands of images with texts around them, laid out in inches from the top left.

    Args:
        layers: Each (N, H, W, 3), uint8; an image of each layer under that of the one before.
        title: The figure's title.
        columns: Images in a row.
        above: A text over each column of a band, already harmless (:func:`latentia.exploration.style.plain`).
        remarks: Sentences under the title.
        below: A text under each, or nothing.
        left: A text at the left of each band, already harmless.
        largest: Inches that an image is wide at most.
    """
    n, high, wide, _ = layers[0].shape
    columns = max(1, min(columns, n))
    ratio = min(max(high / wide, 1 / _SLIMMEST), _SLIMMEST)
    aside = min(0.08 * max(map(len, left)) + 0.12, 1.6) if left else 0.0  # inches for the texts at the left
    start = MARGIN + aside
    room = (style.WIDTH - aside - 2 * MARGIN + GAP) / columns - GAP
    cell = min(room, largest / max(1.0, ratio))
    named = min(room, 0.08 * max(map(len, above or [""])))
    text_cell = max(cell, named, 0.62) if below or above else cell  # so that neighbouring texts do not touch
    step = text_cell + GAP
    width = max(columns * step - GAP + 2 * MARGIN + aside, min(style.WIDTH, 4.2))
    head, top = heads(title, remarks, width)
    again = LINE * any((above or [])[columns:])  # texts over the first row alone need no room over the others
    top += LINE * bool(above) - again
    band = len(layers) * (cell * ratio + GAP) + again + LINE * bool(below) + (0.1 if len(layers) > 1 else 0)
    bands = math.ceil(n / columns)
    figure, axes = blank_page(width, top + bands * band + MARGIN - GAP)
    for y, text, settings in head:
        axes.text(MARGIN, y, text, va="top", **settings)
    pad = (text_cell - cell) / 2
    for index in range(bands):
        part = slice(index * columns, (index + 1) * columns)
        y = first = top + index * band + again
        for layer in layers:
            draw_row(axes, enlarge(layer[part], math.ceil(cell * 200)), (start + pad, y), (cell, cell * ratio), step)
            y += cell * ratio + GAP
        if left:
            small_text(
                axes,
                start - 0.08,
                first + cell * ratio / 2,
                fitting(left[index], aside),
                "center",
                style.INK,
                ha="right",
            )
        centres = [start + text_cell / 2 + column * step for column in range(len(layers[0][part]))]
        for x, text in zip(centres, (above or [])[part], strict=False):
            small_text(axes, x, first - 0.05, fitting(text, text_cell), "bottom", style.INK)
        for x, text in zip(centres, below[part], strict=False):
            small_text(axes, x, y - 0.02, text, "top", style.MUTED)
    return figure


def heads(title: str, remarks: list[str], width: float) -> tuple[list[tuple[float, str, dict[str, Any]]], float]:
    """The title and the remarks, each with its place from the top; and where the images begin."""
    lines, y = [], MARGIN
    if title:
        text = style.heading(title, width - 2 * MARGIN)
        lines.append((y, text, {"size": 13, "weight": "bold", "color": style.INK}))
        y += 0.24 * (text.count("\n") + 1)
    if remarks:
        text = style.heading("; ".join(remarks), width - 2 * MARGIN, letters_per_inch=13)
        lines.append((y + 0.02, text, {"size": 9.5, "color": style.MUTED, "linespacing": 1.25}))
        y += 0.19 * (text.count("\n") + 1)
    return lines, y + (0.08 if lines else 0)


def blank_page(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure whose one axes spans it, in inches from the top left."""
    figure = style.new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_autoscale_on(False)
    return figure, axes


def draw_row(axes: Axes, images: np.ndarray, at: tuple[float, float], size: tuple[float, float], step: float) -> None:
    """Draw a row of images as one picture whose gaps are white."""
    gap = max(1, round((step - size[0]) / size[0] * images.shape[2]))
    picture = mosaic(images, len(images), gap=(0, gap))
    right = at[0] + (len(images) - 1) * step + size[0]
    extent = (at[0], right, at[1] + size[1], at[1])
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased")


def small_text(axes: Axes, x: float, y: float, text: str, va: Any, color: str, *, ha: Any = "center") -> None:
    """Write a word under, over or beside an image."""
    axes.text(x, y, text, ha=ha, va=va, size=9, color=color)


def fitting(text: str, width: float) -> str:
    """Cut a text that is already harmless to what fits in ``width`` inches at the small size."""
    longest = max(3, int(width / 0.076))
    bare = text.replace(r"\$", "$")
    return text if len(bare) <= longest else style.plain(bare, longest)


# --- vectors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Band:
    """One heat map.

    Attributes:
        name: Its title.
        x: Its vectors, (N, *event), a row each.
        rows: What the rows are called; they are numbered without.
        centred: Whether zero is the middle colour.
        axis: What a row is.
    """

    name: str
    x: Tensor
    rows: list[str] | None = None
    centred: bool = False
    axis: str = "sample"


def heat_maps(bands: list[Band], spec: DataSpec, title: str, remarks: Sequence[str] = ()) -> Figure:
    """Draw vectors as heat maps, one over the other, with a feature per column."""
    total = len(bands[0].x)
    n, features = min(total, MOST_VECTORS), spec.dimensions
    each = min(max(0.2 * n, 0.9), 6.0) + 0.32
    figure = style.new_figure(style.WIDTH, each * len(bands) + 0.55)
    grid = np.atleast_1d(figure.subplots(len(bands), 1, sharex=True))
    for axes, band in zip(grid, bands, strict=True):
        _heat_map(figure, axes, band.x[:n].reshape(n, -1).double().numpy(), spec, band.centred)
        axes.set_title(band.name, loc="left")
        axes.set_ylabel(band.axis)
        axes.yaxis.get_major_locator().set_params(integer=True)
        if band.rows is not None and n <= 24:
            axes.set_yticks(range(n), band.rows[:n])
    grid[-1].set_xlabel("feature")
    grid[-1].xaxis.get_major_locator().set_params(integer=True)
    grid[-1].set_xlim(-0.5, features - 0.5)
    shown = [f"the first {n} of {total:,}"] if n < total else []
    style.title_figure(figure, title, "; ".join([*remarks, *shown]))
    return figure


def _heat_map(figure: Figure, axes: Axes, values: np.ndarray, spec: DataSpec, centred: bool) -> None:
    finite = values[np.isfinite(values)]
    if centred:
        high = float(np.abs(finite).max(initial=0.0)) or 1.0
        low, colours = -high, style.DIVERGING
    else:
        low, high, colours = spec.low, spec.high if spec.high > spec.low else spec.low + 1.0, style.SEQUENTIAL
    under, over = bool((finite < low).any()), bool((finite > high).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((under, over), "neither")
    picture = axes.imshow(values, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    bar: Any = figure.colorbar(picture, ax=axes, extend=extend, pad=0.015, fraction=0.05, aspect=14)
    bar.outline.set_visible(False)
    bar.set_label("difference" if centred else "value of x")
