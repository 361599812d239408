"""What was taken for what: the confusion matrix of a classification, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentia.errors import DataError
from latentia.exploration import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW = 12  # classes up to which every cell has its number


def plot_confusion(counts: Any, classes: Sequence[object], *, title: str = "Confusion", remarks: str = "") -> Figure:
    """A confusion matrix as shares of each true class; what was right lies on the diagonal.

    Args:
        counts: How often, (C, C): a row for each true class, a column for what it was taken for.
        classes: What the classes are called, (C,).
        title: The figure's title.
        remarks: What stands under it in small letters.

    Raises:
        DataError: If the counts are no square of the classes' number, or there are none.

    Example:
        >>> figure = plot_confusion([[9, 1], [2, 8]], ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['90', '10', '20', '80']
    """
    table = np.asarray(counts, float)
    if table.shape != (len(classes), len(classes)) or not table.sum() > 0:
        raise DataError(f"counts of shape {table.shape} are no confusion matrix of {len(classes)} classes")
    shares = 100 * table / np.maximum(table.sum(1, keepdims=True), 1)
    names = [style.plain(name, 16) for name in classes]
    with style.styled():
        figure = style.new_figure(style.WIDTH * 0.85, style.WIDTH * 0.72)
        axes = figure.subplots()
        picture = axes.imshow(shares, cmap=style.SEQUENTIAL, vmin=0, vmax=100)
        every = -(-len(names) // 26)
        ticks = range(0, len(names), every)
        slanted = max(map(len, names)) > 4
        axes.set_xticks(ticks, names[::every], rotation=45 if slanted else 0, ha="right" if slanted else "center")
        axes.set_yticks(ticks, names[::every])
        axes.set_xlabel("taken for")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if len(names) <= FEW:
            for (row, column), share in np.ndenumerate(shares):
                shown = "<1" if 0 < share < 0.5 else f"{share:.0f}"
                colour = "white" if share < 60 else style.INK
                axes.text(column, row, shown, ha="center", va="center", size=9, color=colour)
        bar: Any = figure.colorbar(picture, ax=axes, pad=0.02, fraction=0.05, aspect=24)
        bar.outline.set_visible(False)
        bar.set_label("share of the true class, % (each rounded)")
        style.title_figure(figure, title, remarks)
        return figure
