"""What a model makes of data, drawn: samples, and originals over reconstructions.

Images are shown as images, vectors as heat maps. Owns what these figures show; their layout is in
:mod:`latentia.exploration.sheets`, and the models that made the arrays are unknown here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration import style
from latentia.exploration.images import to_rgb
from latentia.exploration.sheets import MOST_IMAGES, Band, checked, heat_maps, remarks_on, sheet, short

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
        return sheet(pictures, title, 8, above, remarks, below)
