"""Several models side by side: what each makes of the same samples, and where it puts them.

Owns what these figures show; the arrays come computed, and the models that made them are unknown here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import to_rgb
from latentia.exploration.latents import FEW_CLASSES, SPREAD, box_of, colours_of, scatter_classes
from latentia.exploration.projection import Projection
from latentia.exploration.sheets import Band, checked, heat_maps, remarks_on, sheet, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_side_by_side(
    x: Tensor,
    x_hats: Sequence[Tensor],
    spec: DataSpec,
    *,
    names: Sequence[str],
    labels: Sequence[object] | None = None,
    title: str = "Comparison",
) -> Figure:
    """Originals at the left and each model's reconstructions beside them, a row for each sample, with its error.

    Args:
        x: Originals, (N, *event).
        x_hats: For each model, (N, *event).
        spec: What one sample is; all share its range.
        names: What each model is called.
        labels: (N,), what each sample is called, such as its class.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or the arrays do not fit.

    Example:
        >>> x = torch.rand(2, 1, 8, 8)
        >>> figure = plot_side_by_side(x, [x / 2, x / 3], DataSpec((1, 8, 8)), names=["AE", "VAE"])
    """
    x = checked(x, spec)
    others = [checked(x_hat, spec) for x_hat in x_hats]
    if len(others) != len(names) or any(len(other) != len(x) for other in others):
        raise DataError("there must be a name and as many reconstructions as originals for each model")
    if labels is not None and len(labels) != len(x):
        raise DataError(f"there are {len(labels)} labels for {len(x)} samples: give one for each")
    plain = [style.plain(name, 40) for name in names]
    called = None if labels is None else [style.plain(label, 18) for label in labels]
    errors = [(other - x).square().flatten(1).mean(1).tolist() for other in others]
    with style.styled():
        if not spec.is_image:
            rows = None if called is None else [f"{place}: {name}" for place, name in enumerate(called)]
            bands = [Band("Original", x, rows)]
            for name, other, error in zip(plain, others, errors, strict=True):
                bands.append(Band(f"{name}: mse {short(float(np.mean(error)))}", other, rows))
            return heat_maps(bands, spec, title)
        columns = 1 + len(others)
        ordered = torch.stack([x, *others], 1).flatten(0, 1)  # (N * columns, *event)
        above = ["original", *plain] + [""] * (len(ordered) - columns)
        below = [text for row in range(len(x)) for text in ("", *(short(error[row]) for error in errors))]
        remarks = ["below each: the mean squared error of this sample", *remarks_on(x, spec)]
        pictures = [to_rgb(ordered, spec.low, spec.high)]
        return sheet(pictures, title, columns, above, remarks, below, called, largest=0.95)


def plot_latents_side_by_side(
    projections: Sequence[Projection],
    y: Any | None = None,
    classes: Sequence[str] = (),
    *,
    names: Sequence[str],
    title: str = "Latents",
) -> Figure:
    """The latents of the same samples under each model, coloured alike.

    Args:
        projections: One for each model, of the same samples, in one or two dimensions; of three, the first two.
        y: Labels, (N,), or None.
        classes: Names of the labels 0, 1, ...
        names: What each model is called.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or the numbers do not fit.

    Example:
        >>> from latentia.exploration.projection import project
        >>> points = project(np.random.default_rng(0).normal(size=(50, 2)))
        >>> len(plot_latents_side_by_side([points, points], names=["AE", "VAE"]).axes)
        2
    """
    labels = None if y is None else np.asarray(y).astype(int).ravel()
    sizes = {len(projected.points) for projected in projections} | ({len(labels)} if labels is not None else set())
    if len(sizes) != 1 or len(projections) != len(names):
        raise DataError("there must be a name, and as many latents as labels, for each model")
    columns = min(3, len(projections))
    lines = -(-len(projections) // columns)
    with style.styled():
        planes = [projected.points[:, :2] for projected in projections if projected.points.shape[1] > 1]
        wide, high = box_of(*(planes or [np.eye(2)]), side=2.5, most=1.6)
        figure = style.new_figure((wide + 0.7) * columns + 0.9 * (labels is not None), (high + 0.9) * lines)
        grid = list(figure.subplots(lines, columns, squeeze=False).ravel())
        for axes in grid[len(projections) :]:
            axes.remove()
        for axes, projected, name in zip(grid, projections, names, strict=False):
            _panel(figure, axes, projected, labels, classes)
            axes.set_title(style.plain(name, 34), loc="left", fontsize=10.5)
        if labels is not None:
            _legend(figure, grid[: len(projections)], columns, labels, classes)
        style.title_figure(figure, title)
    return figure


def _panel(
    figure: Figure, axes: Axes, projected: Projection, labels: np.ndarray | None, classes: Sequence[str]
) -> None:
    points, across = projected.points[:, :2], projected.axes[:2]
    if points.shape[1] == 1:
        jitter = np.random.default_rng(0).uniform(-0.5, 0.5, len(points))
        points, across = np.stack([points[:, 0], jitter], 1), (projected.axes[0], SPREAD)
    scatter_classes(figure, axes, points, labels, classes, named=False)
    short_names = [name.replace(" of the variance", "").replace("principal ", "") for name in across]
    axes.set_xlabel(short_names[0], fontsize=9.5)
    axes.set_ylabel(short_names[1], fontsize=9.5)
    axes.locator_params(nbins=5)
    if across[1] != SPREAD:
        axes.set_aspect("equal", adjustable="datalim")
    axes.grid(True)


def _legend(figure: Figure, panels: Sequence[Axes], columns: int, labels: np.ndarray, classes: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    present = [int(label) for label in np.unique(labels)]
    if len(present) > FEW_CLASSES:
        picture = panels[-1].collections[0]
        figure.colorbar(picture, ax=list(panels), pad=0.02, fraction=0.05, aspect=30, label="class")
        return
    dots = [
        Line2D([], [], marker="o", linestyle="", markersize=6, color=colour) for colour in colours_of(present).values()
    ]
    names = [style.plain(classes[label] if label < len(classes) else label, 18) for label in present]
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1, 1), "borderaxespad": 0}
    panels[columns - 1].legend(dots, names, **place, title="class", alignment="left", handletextpad=0.2)
