"""What numbers show, drawn: curves of training and the rate of each latent dimension; and all other figures by name.

Owns these figures' contents, with units on every axis; how they look is in :mod:`latentia.exploration.style`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.latents import plot_latents
from latentia.exploration.pictures import plot_class_samples, plot_reconstructions, plot_samples
from latentia.exploration.style import figure_bytes, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "ACTIVE_RATE",
    "figure_bytes",
    "plot_class_samples",
    "plot_curves",
    "plot_latents",
    "plot_rate_per_dimension",
    "plot_reconstructions",
    "plot_samples",
    "save_figure",
]

ACTIVE_RATE = 0.01  # nats per image, below which a latent dimension carries next to nothing

_TERMS = ("loss", "distortion", "rate")
_COEFFICIENTS = ("beta", "capacity", "lr")  # drawn where they change
_BOOKKEEPING = {"step", "epoch", "split", "steps", "epoch_end", "seconds"}
_MEANINGS = {
    "loss": "Loss (minimised)",
    "distortion": "Distortion",
    "rate": "Rate",
    "beta": "Beta, factor on the rate",
    "capacity": "Capacity",
    "lr": "Learning rate",
    "commitment": "Squared distance from codes",
    "perplexity": "Perplexity of a batch",
}
_OTHER_UNITS = {"beta": "factor", "lr": "per step", "perplexity": "codes"}


# --- curves -----------------------------------------------------------------------------------------------------------


def plot_curves(
    rows: Sequence[Mapping[str, Any]], *, title: str = "Training curves", noun: str = "image", columns: int = 3
) -> Figure:
    """Loss, distortion, rate and further terms over the epochs, each in a panel of its own.

    Training is a solid line: each point is the mean over the steps since the one before. Validation is dashed. A
    coefficient (beta, capacity, learning rate) is drawn where it changes. Where the first steps are far above all
    others, the panel shows the others and says how high it began.

    Args:
        rows: Rows of ``metrics.jsonl``: epoch, split, loss, distortion, maybe rate and further terms.
        title: The figure's title.
        noun: What one sample is, for the units.
        columns: Panels in a row.

    Raises:
        DataError: If no row has an epoch and a number.

    Example:
        >>> rows = [{"epoch": e, "split": "train", "loss": 9.0 / e, "distortion": 8.0 / e, "rate": 1.0} for e in (1, 2)]
        >>> len(plot_curves(rows).axes)
        3
    """
    names = _panels(rows)
    if not names:
        raise DataError("there are no metrics to draw: train for at least one step")
    columns = min(columns, len(names)) if len(names) != 4 else min(columns, 2)
    lines = -(-len(names) // columns)
    with style.styled():
        width = {1: 4.4, 2: 6.4}.get(columns, style.WIDTH + 0.6)
        figure = style.new_figure(width, 2.35 * lines + 0.35)
        grid = list(figure.subplots(lines, columns, squeeze=False).ravel())
        for axes in grid[len(names) :]:
            axes.remove()
        for axes, name in zip(grid, names, strict=False):
            _curve(axes, rows, name, noun)
        handles, texts = _legend(grid[: len(names)])
        figure.legend(handles, texts, loc="outside lower center", ncols=2, handlelength=2.4)
        style.title_figure(figure, title)
    return figure


def _panels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names to draw: the terms, the extras in the order in which they came, the coefficients that change."""
    values: dict[str, set[float]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in _BOOKKEEPING and "epoch" in row and _is_number(value):
                values.setdefault(name, set()).add(float(value))
    terms = [name for name in _TERMS if name in values]
    extras = [name for name in values if name not in _TERMS and name not in _COEFFICIENTS]
    return [*terms, *extras, *(name for name in _COEFFICIENTS if len(values.get(name, ())) > 1)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _curve(axes: Axes, rows: Sequence[Mapping[str, Any]], name: str, noun: str) -> None:
    drawn: list[np.ndarray] = []
    looks = (("train", style.BLUE, "-", "o"), ("valid", style.ORANGE, (0, (3.5, 1.5)), "D"))
    for split, colour, dash, marker in looks:
        if name in _COEFFICIENTS and split == "valid":
            continue
        found = [row for row in rows if row.get("split", "train") == split]
        points = np.array([(row["epoch"], row[name]) for row in found if "epoch" in row and _is_number(row.get(name))])
        if len(points) == 0:
            continue
        label = {"train": "training", "valid": "validation"}[split]
        few = marker if len(points) <= 12 else None
        axes.plot(points[:, 0], points[:, 1], color=colour, linestyle=dash, marker=few, markersize=4, label=label)
        drawn.append(points)
    axes.set_title(_MEANINGS.get(name, style.plain(name.replace("_", " "), 28)), loc="left", fontsize=10.5)
    axes.set_xlabel("epoch")
    unit = "nats" if name in (*_TERMS, "capacity") else "mean"
    axes.set_ylabel(_OTHER_UNITS.get(name, f"{unit} per {style.plain(noun)}"))
    axes.grid(axis="y")
    axes.set_xlim(left=0)
    if drawn and name not in _COEFFICIENTS:
        _leave_out_the_start(axes, np.concatenate(drawn))


def _leave_out_the_start(axes: Axes, points: np.ndarray) -> None:
    """Where the first tenth of a run would flatten all the rest, look at the rest and say so."""
    late = points[points[:, 0] >= 0.1 * points[:, 0].max(), 1]
    low, high = late.min(), late.max()
    span = high - low
    if len(late) < 5 or span == 0 or points[:, 1].max() <= high + 1.0 * span:
        return
    axes.set_ylim(min(low, points[:, 1].min()) - 0.06 * span, high + 0.12 * span)
    note = f"↑ begins at {points[:, 1].max():.4g}"
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    place = {"transform": axes.transAxes, "ha": "right", "va": "top"}
    axes.text(0.99, 0.98, note, fontsize=9.5, color=style.MUTED, bbox=paper, **place)


def _legend(panels: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """One legend for all panels."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(text, handle)
    return list(found.values()), list(found)


# --- rate -------------------------------------------------------------------------------------------------------------


def plot_rate_per_dimension(
    rates: Sequence[float], *, title: str = "Rate of each latent dimension", noun: str = "image"
) -> Figure:
    """Bars of the KL of each latent dimension, the largest first; a grey dot where it is at most 0.01 nats.

    Args:
        rates: (d,), nats per sample, mean over the samples of a split.
        title: The figure's title.
        noun: What one sample is, for the units.

    Raises:
        DataError: If there are none, or some are NaN or infinite.

    Example:
        >>> figure = plot_rate_per_dimension([2.1, 0.0004, 1.3])
    """
    values = np.asarray(rates, dtype=np.float64).ravel()
    if values.size == 0 or not np.isfinite(values).all():
        raise DataError("the rates of the latent dimensions must be at least one, and finite")
    order = np.argsort(-values, kind="stable")
    sorted_values, places = values[order], np.arange(len(values))
    active = sorted_values > ACTIVE_RATE
    with style.styled():
        figure = style.new_figure(style.WIDTH if len(values) > 6 else 5.4, 2.9)
        axes = figure.subplots()
        wide = 0.5 if len(values) < 5 else 0.82 if len(values) < 60 else 1.0
        axes.bar(places[active], sorted_values[active], width=wide, color=style.BLUE)
        axes.scatter(places[~active], sorted_values[~active], s=12, color=style.MUTED, zorder=3, clip_on=False)
        axes.axhline(ACTIVE_RATE, color=style.ORANGE, linewidth=1.4, linestyle=(0, (4, 2)))
        limit: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "color": style.ORANGE}
        axes.annotate(f"{ACTIVE_RATE:g} nats", (1.005, ACTIVE_RATE), fontsize=9.5, **limit)
        counted = (
            f"{int(active.sum())} of {len(values)} with a rate above {ACTIVE_RATE:g} nats, "
            f"{values.sum():.2f} nats per {style.plain(noun)} in all"
        )
        axes.set_title(counted, loc="left", fontsize=10.5, fontweight="normal")
        every = math.ceil(len(values) * (0.08 * len(str(len(values) - 1)) + 0.1) / 5.9)  # inches for a number
        axes.set_xticks(places[::every], [str(index) for index in order[::every]])
        axes.set_xlim(-0.7, len(values) - 0.3)
        axes.set_ylim(min(0.0, float(values.min())), max(float(values.max()) * 1.06, 4 * ACTIVE_RATE))
        axes.set_xlabel("latent dimension, sorted by rate")
        axes.set_ylabel(f"rate (nats per {style.plain(noun)})")
        axes.grid(axis="y")
        style.title_figure(figure, title)
    return figure
