"""The latents, drawn: points in a plane or on a line, coloured by class.

Owns how points and classes are shown; how many dimensions become two is in :mod:`latentia.exploration.projection`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.projection import Projection, project

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW_CLASSES = len(style.CLASS_COLOURS)
SPREAD = "(spread at random)"  # the second axis where there is one dimension


def plot_latents(
    loc: Any,
    y: Any | None = None,
    classes: Sequence[str] = (),
    *,
    title: str = "Latents",
    method: str = "auto",
) -> Figure:
    """The means of q(z given x) as points, coloured by class; one dimension as a histogram or a strip per class.

    Up to three dimensions are drawn as they are, more by their two principal components, with the share of the variance
    on the axes. Up to ten classes have a colour and a name each; more have a continuous map.

    Args:
        loc: Means of the posterior, (N, d) or (N, *latent).
        y: Labels, (N,), or None.
        classes: Names of the labels 0, 1, ...; a label without a name is shown as its number.
        title: The figure's title.
        method: How many dimensions become few; see :func:`latentia.exploration.projection.project`.

    Raises:
        ConfigError: If the method is another one.
        DataError: If there is nothing to draw, or it is NaN or infinite, or the labels are of another number.

    Example:
        >>> loc = np.random.default_rng(0).normal(size=(50, 5))
        >>> plot_latents(loc, np.arange(50) % 2, ["cat", "dog"]).axes[0].get_xlabel()[:21]
        'principal component 1'
    """
    return plot_projection(project(np.asarray(loc), method), y, classes, title=title)


def plot_projection(
    projected: Projection,
    y: Any | None = None,
    classes: Sequence[str] = (),
    *,
    title: str = "Latents",
    remarks: str = "",
) -> Figure:
    """Latents that were projected already, drawn as :func:`plot_latents` does; three dimensions in perspective.

    Args:
        projected: What :func:`latentia.exploration.projection.project` returned.
        y: Labels, (N,), or None.
        classes: Names of the labels 0, 1, ...
        title: The figure's title.
        remarks: What stands under it in small letters.

    Raises:
        DataError: If the labels are of another number.

    Example:
        >>> points = np.random.default_rng(0).normal(size=(50, 3))
        >>> plot_projection(project(points)).axes[0].get_zlabel()
        'z2'
    """
    labels = None if y is None else np.asarray(y).astype(int).ravel()
    if labels is not None and len(labels) != len(projected.points):
        raise DataError(f"there are {len(labels)} labels for {len(projected.points)} latents: give one for each")
    with style.styled():
        if projected.points.shape[1] == 1:
            figure = _line_of_latents(projected, labels, classes)
        elif projected.points.shape[1] == 3:
            figure = _space_of_latents(projected, labels, classes)
        else:
            figure = _plane_of_latents(projected, labels, classes)
        style.title_figure(figure, title, remarks)
    return figure


def _name(label: int, classes: Sequence[str]) -> str:
    return style.plain(classes[label] if 0 <= label < len(classes) else label, 24)


def box_of(*clouds: np.ndarray, side: float = 4.7, most: float = 2.6) -> tuple[float, float]:
    """Width and height in inches of axes of equal scale for clouds of points, (N, 2) each, as flat or slim as these.

    The longer side is at most ``most`` times the other, so that no box becomes a line; the area is always the same.

    Example:
        >>> box_of(np.array([[0.0, 0.0], [9.0, 9.0]]), side=2.0)
        (2.0, 2.0)
    """
    spans = np.stack([np.ptp(points, axis=0) for points in clouds])
    flat = np.log(np.maximum(spans[:, 0], 1e-12) / np.maximum(spans[:, 1], 1e-12)).mean()
    stretch = float(np.exp(np.clip(flat, -np.log(most), np.log(most)) / 2))
    return side * stretch, side / stretch


def _plane_of_latents(projected: Projection, labels: np.ndarray | None, classes: Sequence[str]) -> Figure:
    wide, high = box_of(projected.points)
    figure = style.new_figure(max(wide + 0.9 + (labels is not None), 4.8), max(high + 0.5, 3.6))
    axes = figure.subplots()
    scatter_classes(figure, axes, projected.points, labels, classes)
    axes.set_aspect("equal", adjustable="datalim")
    axes.locator_params(axis="x", nbins=max(3, int(1.6 * wide)))
    axes.grid(True)
    axes.set_xlabel(projected.axes[0])
    axes.set_ylabel(projected.axes[1])
    return figure


def scatter_classes(
    figure: Figure,
    axes: Axes,
    points: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    *,
    named: bool = True,
) -> None:
    """Points in axes, coloured by class, in an order in which no class hides another.

    Args:
        figure: Of the axes.
        axes: Where they are drawn.
        points: (N, 2), or (N, 3) for axes in space.
        labels: (N,), or None.
        classes: Names of the labels 0, 1, ...
        named: Whether a legend or a colour bar says what the colours are.
    """
    look: dict[str, Any] = {
        "s": float(np.clip(9000 / len(points), 3, 30)),
        "alpha": 0.85 if len(points) < 2000 else 0.6,
        "linewidths": 0,
        "rasterized": True,
    }
    order = np.random.default_rng(0).permutation(len(points))
    if labels is None:
        axes.scatter(*points.T, color=style.BLUE, **look)
        return
    present = [int(label) for label in np.unique(labels)]
    if len(present) <= FEW_CLASSES:
        colours = colours_of(present)
        axes.scatter(*points[order].T, color=[colours[label] for label in labels[order]], **look)
        if named:
            _name_classes(axes, points, labels, {label: (_name(label, classes), colours[label]) for label in present})
    else:
        picture = axes.scatter(*points[order].T, c=labels[order], cmap=style.SEQUENTIAL, **look)
        if named:
            _name_colours(figure, axes, picture, present, classes)


def colours_of(present: Sequence[int]) -> dict[int, str]:
    """A colour for each of up to ten labels: the label's own, the same in every picture, where all are below ten.

    Example:
        >>> colours_of([3])[3] == colours_of([1, 3])[3]
        True
    """
    own = all(0 <= label < FEW_CLASSES for label in present)
    return {label: style.CLASS_COLOURS[label if own else place] for place, label in enumerate(present)}


def _space_of_latents(projected: Projection, labels: np.ndarray | None, classes: Sequence[str]) -> Figure:
    figure = style.new_figure(5.8 if labels is None else 6.8, 5.6)
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    scatter_classes(figure, axes, projected.points, labels, classes)
    for name, text in zip("xyz", projected.axes, strict=True):
        getattr(axes, f"set_{name}label")(text)
        axes.locator_params(axis=name, nbins=5)
        getattr(axes, f"{name}axis").pane.set_facecolor("white")
        getattr(axes, f"{name}axis")._axinfo["grid"].update(color=style.LINES, linewidth=0.6)
    axes.set_box_aspect(np.maximum(np.ptp(projected.points, axis=0), 1e-3 * np.ptp(projected.points) or 1.0), zoom=0.92)
    return figure


def _name_classes(axes: Axes, points: np.ndarray, labels: np.ndarray, shown: Mapping[int, tuple[str, str]]) -> None:
    """A legend, and short names also at the middle of their points, for eyes that do not tell the colours apart."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    dots = [
        Line2D([], [], marker="o", linestyle="", markersize=7, color=colour, label=name)
        for name, colour in shown.values()
    ]
    axes.legend(
        handles=dots,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        borderaxespad=0,
        title="class",
        alignment="left",
        handletextpad=0.2,
    )
    if points.shape[1] > 2 or max(len(name.replace("\\", "")) for name, _ in shown.values()) > 4:
        return
    middles = np.array([np.median(points[labels == label], axis=0) for label in shown])
    for (x, y), (name, _) in zip(_apart(middles, np.ptp(points, axis=0).max()), shown.values(), strict=True):
        halo = [withStroke(linewidth=3.5, foreground="white")]
        axes.text(x, y, name, ha="center", va="center", fontweight="bold", fontsize=11, path_effects=halo)


def _apart(places: np.ndarray, extent: float) -> np.ndarray:
    """Push names (N, 2) that would lie on each other a little apart."""
    places = places.copy()
    nearest = 0.055 * extent
    for _ in range(60):
        gaps = places[:, None] - places[None]  # (N, N, 2)
        distances = np.linalg.norm(gaps, axis=-1) + np.eye(len(places)) * nearest
        directions = gaps / np.maximum(distances, 1e-12)[..., None]
        places += 0.25 * (np.maximum(nearest - distances, 0)[..., None] * directions).sum(1)
    return places


def _name_colours(figure: Figure, axes: Axes, picture: Any, present: Sequence[int], classes: Sequence[str]) -> None:
    """A colour bar with the names of some classes at their places."""
    bar: Any = figure.colorbar(picture, ax=axes, pad=0.02, fraction=0.05, aspect=30)
    bar.solids.set_alpha(1)
    bar.outline.set_visible(False)
    ticks = list(present)[:: -(-len(present) // 20)]
    bar.set_ticks(ticks, labels=[_name(label, classes) for label in ticks])
    bar.set_label(f"class ({len(present)} of them)")


def _line_of_latents(projected: Projection, labels: np.ndarray | None, classes: Sequence[str]) -> Figure:
    values = projected.points[:, 0]
    present = [] if labels is None else [int(label) for label in np.unique(labels)]
    if labels is None or len(present) > FEW_CLASSES:
        figure = style.new_figure(style.WIDTH, 3.0)
        axes = figure.subplots()
        axes.hist(values, bins=min(60, max(10, int(len(values) ** 0.5))), color=style.BLUE)
        axes.set_ylabel("samples")
        axes.grid(axis="y")
    else:
        figure = style.new_figure(style.WIDTH, 0.36 * len(present) + 1.0)
        axes = figure.subplots()
        jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(values))
        for row, (label, colour) in enumerate(colours_of(present).items()):
            of = labels == label
            axes.scatter(values[of], row + jitter[of], s=7, alpha=0.6, linewidths=0, color=colour)
        axes.set_yticks(range(len(present)), [_name(label, classes) for label in present])
        axes.set_ylim(len(present) - 0.5, -0.5)
        axes.set_ylabel("class")
        axes.grid(axis="x")
    axes.set_xlabel(projected.axes[0])
    return figure
