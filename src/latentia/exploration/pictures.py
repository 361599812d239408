"""What a model makes of data, drawn: samples, and originals over reconstructions.

Images are shown as images, vectors as heat maps. Owns what these figures show; their layout is in
:mod:`latentia.exploration.sheets`, and the models that made the arrays are unknown here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import to_rgb
from latentia.exploration.sheets import MOST_IMAGES, MOST_VECTORS, Band, checked, heat_maps, remarks_on, sheet, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    x = checked(x, spec)
    with style.styled():
        if not spec.is_image:
            return heat_maps([Band("", x)], spec, title)
        return sheet([to_rgb(x[:MOST_IMAGES], spec.low, spec.high)], title, columns, None, remarks_on(x, spec), [])


def plot_class_samples(x: Tensor, classes: Sequence[object], spec: DataSpec, *, title: str = "Samples") -> Figure:
    """Samples of wished classes: rows of images that are named at the left, or a heat map of vectors.

    Args:
        x: Data, (len(classes) n, *event), the n of the first class first. At most 400 images or 200 vectors are drawn,
            equally many of each class.
        classes: What each class is called.
        spec: What one sample is; its range gives black and white.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or x does not fit the spec or the classes.

    Example:
        >>> import torch
        >>> figure = plot_class_samples(torch.rand(16, 1, 8, 8), ["cat", "dog"], DataSpec((1, 8, 8)))
    """
    x = checked(x, spec)
    if not classes or len(x) % len(classes):
        raise DataError(f"{len(x)} samples cannot be of {len(classes)} classes, equally many of each")
    n, most = len(x) // len(classes), MOST_IMAGES if spec.is_image else MOST_VECTORS
    names = [style.plain(name, 40) for name in classes[:most]]
    each = min(n, max(1, most // len(classes)))
    x = x.reshape(len(classes), n, *spec.event_shape)[: len(names), :each]
    remarks = [f"the first {each} of {n:,} of each class"] if each < n else []
    if len(names) < len(classes):
        remarks.append(f"the first {len(names)} of {len(classes):,} classes")
    with style.styled():
        if not spec.is_image:
            return _class_vectors(x, names, spec, title, remarks)
        columns = min(max(each, 8), 10)
        lines = math.ceil(each / columns)
        pictures = to_rgb(x.flatten(0, 1), spec.low, spec.high).reshape(len(names), each, *x.shape[3:], 3)
        padded = np.full((len(names), lines * columns, *pictures.shape[2:]), 255, np.uint8)
        padded[:, :each] = pictures
        left = [name if line == 0 else "" for name in names for line in range(lines)]
        if spec.event_shape[0] not in (1, 3):
            remarks.append(f"shown: the mean of the {spec.event_shape[0]} channels")
        return sheet([padded.reshape(-1, *padded.shape[2:])], title, columns, None, remarks, [], left)


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
    x, x_hat = checked(x, spec), checked(x_hat, spec)
    if not len(x) == len(x_hat) == len(errors) == (len(x) if labels is None else len(labels)):
        raise DataError("originals, reconstructions, errors and labels must be of the same number")
    below = [short(float(error)) for error in errors]
    above = None if labels is None else [style.plain(label, 40) for label in labels]
    with style.styled():
        if not spec.is_image:
            errors_of = [f"{name}: mse {error}" for name, error in zip(above or range(len(x)), below, strict=True)]
            bands = [
                Band("Original", x, above),
                Band("Reconstruction", x_hat, errors_of),
                Band("Difference (reconstruction − original)", x_hat - x, above, centred=True),
            ]
            return heat_maps(bands, spec, title)
        pictures = [to_rgb(part[:MOST_IMAGES], spec.low, spec.high) for part in (x, x_hat)]
        remarks = ["top: original; bottom: reconstruction and its mse", *remarks_on(x, spec)]
        return sheet(pictures, title, 10 if len(x) <= 10 else 8, above, remarks, below)


def _class_vectors(x: Tensor, names: list[str], spec: DataSpec, title: str, remarks: list[str]) -> Figure:
    """A heat map of vectors (classes, n, *event), each class named at the middle of its rows."""
    n = x.shape[1]
    figure = heat_maps([Band("", x.flatten(0, 1), axis="class")], spec, title, remarks)
    axes = figure.axes[0]
    every = math.ceil(len(names) / 24)
    axes.set_yticks([(index + 0.5) * n - 0.5 for index in range(0, len(names), every)], names[::every])
    for index in range(1, len(names)):
        axes.axhline(index * n - 0.5, color="white", linewidth=1.5 if len(names) <= 24 else 0.5)
    return figure
