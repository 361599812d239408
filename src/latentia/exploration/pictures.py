"""What a model makes of data, drawn: samples, and originals over reconstructions.

Images are shown as images, vectors as heat maps. Owns the layout of these figures; the models that made the arrays are
unknown here.
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
from latentia.exploration.images import enlarge, mosaic, to_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_IMAGES = 400  # beyond that nobody looks, and the picture no longer fits a screen
MOST_VECTORS = 200
_MARGIN, _GAP, _LINE = 0.12, 0.06, 0.2  # inches: around the page, between images, a line of small text
_SLIMMEST = 6.0  # images longer than this times their width are drawn with longer pixels, for else they would be a line


def plot_samples(x: Tensor, spec: DataSpec, *, title: str = "Samples", columns: int = 8) -> Figure:
    """A grid of images, drawn large, or a heat map of vectors with a row for each sample.

    Args:
        x: Data, (N, *event), such as what ``model.sample`` returned. At most 400 images or 200 vectors are drawn.
        spec: What one sample is; its range gives black and white.
        title: The figure's title.
        columns: Images in a row.

    Raises:
        DataError: If there is nothing to draw, or x does not fit the spec.

    Example:
        >>> import torch
        >>> figure = plot_samples(torch.rand(16, 1, 8, 8), DataSpec((1, 8, 8)), title="Draws from the prior")
        >>> style.figure_bytes(figure)[1:4]
        b'PNG'
    """
    x = _checked(x, spec)
    with style.styled():
        if not spec.is_image:
            return _vectors([_Band("", x)], spec, title)
        return _sheet([to_rgb(x[:MOST_IMAGES], spec.low, spec.high)], title, columns, None, _remarks(x, spec), [])


def plot_reconstructions(
    x: Tensor,
    x_hat: Tensor,
    spec: DataSpec,
    *,
    errors: Sequence[float] | Tensor,
    labels: Sequence[object] | None = None,
    title: str = "Reconstructions",
) -> Figure:
    """Originals over their reconstructions, with each one's error underneath; of vectors, also the difference.

    Args:
        x: Data, (N, *event). At most 400 images or 200 vectors are drawn.
        x_hat: Reconstructions, (N, *event).
        spec: What one sample is; both rows share its range.
        errors: (N,), the mean squared error of each sample.
        labels: (N,), what each sample is called, such as its class.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or the arrays do not fit the spec or each other.

    Example:
        >>> import torch
        >>> x = torch.rand(8, 1, 8, 8)
        >>> figure = plot_reconstructions(x, x / 2, DataSpec((1, 8, 8)), errors=(x / 2).square().mean((1, 2, 3)))
    """
    x, x_hat = _checked(x, spec), _checked(x_hat, spec)
    if not len(x) == len(x_hat) == len(errors) == (len(x) if labels is None else len(labels)):
        raise DataError("originals, reconstructions, errors and labels must be of the same number")
    below = [_error(float(error)) for error in errors]
    above = None if labels is None else [style.plain(label, 40) for label in labels]
    with style.styled():
        if not spec.is_image:
            errors_of = [f"{name}: mse {error}" for name, error in zip(above or range(len(x)), below, strict=True)]
            bands = [
                _Band("Original", x, above),
                _Band("Reconstruction", x_hat, errors_of),
                _Band("Difference (reconstruction − original)", x_hat - x, above, centred=True),
            ]
            return _vectors(bands, spec, title)
        pictures = [to_rgb(part[:MOST_IMAGES], spec.low, spec.high) for part in (x, x_hat)]
        remarks = ["top: original; bottom: reconstruction and its mse", *_remarks(x, spec)]
        return _sheet(pictures, title, 8, above, remarks, below)


def _checked(x: Tensor, spec: DataSpec) -> Tensor:
    if tuple(x.shape[1:]) != spec.event_shape:
        raise DataError(
            f"what is drawn must have the shape (N, {', '.join(map(str, spec.event_shape))}), not {x.shape}"
        )
    if len(x) == 0:
        raise DataError("there is nothing to draw: give at least one sample")
    return x.detach().cpu()


def _error(value: float) -> str:
    """A few digits in little room.

    Example:
        >>> _error(0.01234), _error(0.00004), _error(0.0), _error(12.3)
        ('0.0123', '4e-05', '0', '12.3')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.4f}" if 0.001 <= value < 1 else f"{value:.3g}"


def _remarks(x: Tensor, spec: DataSpec) -> list[str]:
    remarks = []
    if spec.event_shape[0] not in (1, 3):
        remarks.append(f"shown: the mean of the {spec.event_shape[0]} channels")
    if len(x) > MOST_IMAGES:
        remarks.append(f"the first {MOST_IMAGES} of {len(x):,}")
    return remarks


# --- images -----------------------------------------------------------------------------------------------------------


def _sheet(
    layers: list[np.ndarray],
    title: str,
    columns: int,
    above: list[str] | None,
    remarks: list[str],
    below: list[str],
) -> Figure:
    """Draw bands of images, each (N, H, W, 3), with texts above and below; laid out in inches from the top left."""
    n, height, width, _ = layers[0].shape
    columns = max(1, min(columns, n))
    ratio = min(max(height / width, 1 / _SLIMMEST), _SLIMMEST)
    room = (style.WIDTH - 2 * _MARGIN + _GAP) / columns - _GAP
    cell = min(room, 2.4 / max(1.0, ratio)) if ratio > 1 else min(room, 2.4)
    text_cell = max(cell, 0.62) if below or above else cell  # so that neighbouring texts do not touch
    step = text_cell + _GAP
    page = max(columns * step - _GAP + 2 * _MARGIN, min(style.WIDTH, 4.2))
    head, top = _heads(title, remarks, page)
    band = len(layers) * (cell * ratio + _GAP) + _LINE * (bool(above) + bool(below)) + (0.1 if len(layers) > 1 else 0)
    bands = math.ceil(n / columns)
    figure, axes = _page(page, top + bands * band + _MARGIN - _GAP)
    for y, text, settings in head:
        axes.text(_MARGIN, y, text, va="top", **settings)
    pad = (text_cell - cell) / 2
    for index in range(bands):
        part = slice(index * columns, (index + 1) * columns)
        y = top + index * band + _LINE * bool(above)
        for layer in layers:
            _row(axes, enlarge(layer[part], math.ceil(cell * 200)), (_MARGIN + pad, y), (cell, cell * ratio), step)
            y += cell * ratio + _GAP
        centres = [_MARGIN + text_cell / 2 + column * step for column in range(len(layers[0][part]))]
        for x, text in zip(centres, (above or [])[part], strict=False):
            _small(axes, x, top + index * band + _LINE - 0.05, _fitting(text, text_cell), "bottom", style.INK)
        for x, text in zip(centres, below[part], strict=False):
            _small(axes, x, y - 0.02, text, "top", style.MUTED)
    return figure


def _heads(title: str, remarks: list[str], page: float) -> tuple[list[tuple[float, str, dict[str, Any]]], float]:
    """The title and the remarks, each with its place from the top; and where the images begin."""
    lines, y = [], _MARGIN
    if title:
        text = style.heading(title, page - 2 * _MARGIN)
        lines.append((y, text, {"size": 13, "weight": "bold", "color": style.INK}))
        y += 0.24 * (text.count("\n") + 1)
    if remarks:
        text = style.heading("; ".join(remarks), page - 2 * _MARGIN, letters_per_inch=13)
        lines.append((y + 0.02, text, {"size": 9.5, "color": style.MUTED, "linespacing": 1.25}))
        y += 0.19 * (text.count("\n") + 1)
    return lines, y + (0.08 if lines else 0)


def _page(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure whose one axes spans it, in inches from the top left."""
    figure = style.new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_autoscale_on(False)
    return figure, axes


def _row(axes: Axes, images: np.ndarray, at: tuple[float, float], size: tuple[float, float], step: float) -> None:
    """Draw a row of images as one picture whose gaps are white."""
    gap = max(1, round((step - size[0]) / size[0] * images.shape[2]))
    picture = mosaic(images, len(images), gap=(0, gap))
    right = at[0] + (len(images) - 1) * step + size[0]
    extent = (at[0], right, at[1] + size[1], at[1])
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="antialiased")


def _small(axes: Axes, x: float, y: float, text: str, va: Any, color: str) -> None:
    axes.text(x, y, text, ha="center", va=va, size=9, color=color)


def _fitting(text: str, width: float) -> str:
    """Cut a text that is already harmless to what fits in ``width`` inches at the small size."""
    longest = max(3, int(width / 0.076))
    bare = text.replace(r"\$", "$")
    return text if len(bare) <= longest else style.plain(bare, longest)


# --- vectors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Band:
    """One heat map: its name, its vectors (N, *event), what rows are called, whether zero is the middle colour."""

    name: str
    x: Tensor
    rows: list[str] | None = None
    centred: bool = False


def _vectors(bands: list[_Band], spec: DataSpec, title: str) -> Figure:
    """Heat maps, one over the other."""
    total = len(bands[0].x)
    n, features = min(total, MOST_VECTORS), spec.dimensions
    each = min(max(0.2 * n, 0.9), 6.0) + 0.32
    figure = style.new_figure(style.WIDTH, each * len(bands) + 0.55)
    grid = np.atleast_1d(figure.subplots(len(bands), 1, sharex=True))
    for axes, band in zip(grid, bands, strict=True):
        _heat_map(figure, axes, band.x[:n].reshape(n, -1).double().numpy(), spec, band.centred)
        axes.set_title(band.name, loc="left")
        axes.set_ylabel("sample")
        axes.yaxis.get_major_locator().set_params(integer=True)
        if band.rows is not None and n <= 24:
            axes.set_yticks(range(n), band.rows[:n])
    grid[-1].set_xlabel("feature")
    grid[-1].xaxis.get_major_locator().set_params(integer=True)
    grid[-1].set_xlim(-0.5, features - 0.5)
    style.title_figure(figure, title + (f" (the first {n} of {total:,})" if n < total else ""))
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
