"""Anomalies, drawn: how scores are spread, and what in a sample the model did not expect.

Owns what these figures show; where scores come from is unknown here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import to_rgb
from latentia.exploration.sheets import MARGIN, Band, checked, heat_maps, remarks_on, sheet, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ERRORS = "inferno"  # the colours of errors: dark is none


def plot_scores(
    scores: Any,
    anomalous: Any | None = None,
    *,
    threshold: float | None = None,
    unit: str = "score",
    title: str = "Anomaly scores",
    remarks: str = "",
    noun: str = "image",
) -> Figure:
    """Histograms of scores, of normal and of anomalous samples where that is known, and the threshold.

    The axis is logarithmic where all scores are positive and the largest is more than 20 times the smallest.

    Args:
        scores: (N,), higher is more anomalous.
        anomalous: (N,), true for anomalies; None where nobody knows.
        threshold: Above which a sample is called anomalous.
        unit: What the scores are.
        title: The figure's title.
        remarks: What stands under it in small letters.
        noun: What one sample is.

    Raises:
        DataError: If there is no score, or some are not finite.

    Example:
        >>> figure = plot_scores([0.1, 0.2, 0.9], [False, False, True], threshold=0.5)
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['normal (2)', 'anomalous (1)', 'threshold 0.5: anomalous above']
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise DataError("the scores to be drawn must be at least one, and finite")
    low, high = float(values.min()), float(values.max())
    logarithmic = low > 0 and high > 20 * low
    count = int(np.clip(len(values) ** 0.5, 10, 60))
    if low == high:
        edges = np.array([low - 0.5, low + 0.5])
    else:
        edges = np.geomspace(low, high, count + 1) if logarithmic else np.linspace(low, high, count + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)  # rounding must lose no sample
    with style.styled():
        figure = style.new_figure(style.WIDTH, 3.5)
        axes = figure.subplots()
        if anomalous is None:
            axes.hist(values, edges.tolist(), color=style.BLUE, label=f"{noun}s ({len(values):,})")
        else:
            wanted = np.asarray(anomalous, dtype=bool)
            for name, of, colour in (("normal", ~wanted, style.BLUE), ("anomalous", wanted, style.ORANGE)):
                if of.any():
                    share = np.full(int(of.sum()), 100 / of.sum())
                    label = f"{name} ({int(of.sum()):,})"
                    axes.hist(values[of], edges.tolist(), weights=share, color=colour, alpha=0.65, label=label)
        if threshold is not None:
            text = f"threshold {threshold:.4g}: anomalous above"
            axes.axvline(threshold, color=style.INK, linewidth=1.6, linestyle=(0, (4, 2)), label=text)
            above: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
            axes.annotate(f"{threshold:.4g}", (threshold, 1.0), fontsize=9.5, **above)
        if logarithmic:
            _logarithmic(axes, high / low)
        axes.set_xlabel(style.heading(f"{unit}{' (logarithmic)' if logarithmic else ''}", 6.0, letters_per_inch=12))
        axes.set_ylabel(f"{noun}s" if anomalous is None else "% of each kind")
        axes.grid(axis="y")
        figure.legend(loc="outside lower center", ncols=3)  # not over the bars, wherever they are
        style.title_figure(figure, title, remarks)
    return figure


def _logarithmic(axes: Axes, factor: float) -> None:
    """A logarithmic axis with enough plain numbers on it, however few powers of ten it spans."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    between = (1.0, 2.0, 5.0) if factor < 300 else (1.0, 3.0) if factor < 10_000 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=between, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def plot_anomalies(
    x: Tensor,
    x_hat: Tensor,
    spec: DataSpec,
    *,
    scores: Sequence[float],
    labels: Sequence[object] | None = None,
    rows: Sequence[str] = ("highest scores",),
    title: str = "Anomalies",
) -> Figure:
    """Originals, reconstructions and the squared error of each pixel, with a common scale; of vectors, the difference.

    Args:
        x: Data, (R * n, *event): R rows of n samples.
        x_hat: Reconstructions, (R * n, *event).
        spec: What one sample is.
        scores: (R * n,), written under each.
        labels: (R * n,), written over each.
        rows: What each of the R rows is.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or the arrays do not fit.

    Example:
        >>> import torch
        >>> x = torch.rand(4, 1, 8, 8)
        >>> figure = plot_anomalies(x, x / 2, DataSpec((1, 8, 8)), scores=[4.0, 3.0, 2.0, 1.0])
    """
    x, x_hat = checked(x, spec), checked(x_hat, spec)
    if not len(x) == len(x_hat) == len(scores) == (len(x) if labels is None else len(labels)):
        raise DataError("originals, reconstructions, scores and labels must be of the same number")
    above = None if labels is None else [style.plain(label, 40) for label in labels]
    below = [short(float(score)) for score in scores]
    with style.styled():
        if not spec.is_image:
            named = [f"{name}: {score}" for name, score in zip(above or map(str, range(len(x))), below, strict=True)]
            bands = [
                Band("Original, with its score", x, named),
                Band("Reconstruction", x_hat, above),
                Band("Difference (reconstruction − original)", x_hat - x, above, centred=True),
            ]
            return heat_maps(bands, spec, title, [", then ".join(rows)])
        errors = (x_hat - x).square().mean(1)  # (N, H, W)
        largest = float(errors.nan_to_num().max()) or 1.0
        layers = [to_rgb(part, spec.low, spec.high) for part in (x, x_hat)]
        layers.append(_coloured(errors / largest))
        places = "; ".join(f"row {place + 1}: {row}" for place, row in enumerate(rows))
        remarks = [places, "of each: original, reconstruction, squared error per pixel, score", *remarks_on(x, spec)]
        figure = sheet(layers, title, len(x) // len(rows), above, remarks, below)
        _add_bar(figure, largest)
    return figure


def _coloured(unit: Tensor) -> np.ndarray:
    """Errors in [0, 1], (N, H, W), as colours, (N, H, W, 3)."""
    import matplotlib

    colours = matplotlib.colormaps[_ERRORS](unit.clamp(0, 1).nan_to_num().numpy())[..., :3]
    return np.floor(colours * 255 + 0.5).astype(np.uint8)


def _add_bar(figure: Figure, largest: float) -> None:
    """A colour bar under a sheet, which is made higher for it."""
    width, height = figure.get_size_inches()
    room = 0.55
    figure.set_figheight(height + room)
    page = figure.axes[0]
    page.set_position((0.0, room / (height + room), 1.0, height / (height + room)))
    long = min(3.2, width - 2 * MARGIN) / width
    axes = figure.add_axes(((MARGIN + 0.1) / width, 0.36 / (height + room), long, 0.1 / (height + room)))
    steps = np.linspace(0, 1, 512)[None]
    axes.imshow(steps, cmap=_ERRORS, extent=(0, largest, 0, 1), aspect="auto", interpolation="bilinear")
    axes.set_xticks([0, largest / 2, largest], ["0", short(largest / 2), short(largest)])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5, pad=2)
    axes.text(1.07, 0.5, "squared error per pixel", transform=axes.transAxes, va="center", size=9, color=style.MUTED)
