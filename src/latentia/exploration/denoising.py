"""Denoising, drawn: originals, what a model was shown of them, and what it made of that.

Owns what these figures show; the arrays come denoised, and the model is unknown here.
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


def plot_denoising(
    x: Tensor | None,
    noisy: Tensor,
    denoised: Tensor,
    spec: DataSpec,
    *,
    labels: Sequence[object] | None = None,
    remarks: Sequence[str] = (),
    title: str = "Denoising",
) -> Figure:
    """Rows of originals, noisy and denoised images, with each denoised one's error underneath; of vectors, heat maps.

    Args:
        x: The clean data, (N, *event); ``None`` where nobody knows them: there are then two rows and no errors.
        noisy: What the model was shown, (N, *event). At most 400 images or 200 vectors are drawn.
        denoised: What it made of that, (N, *event).
        spec: What one sample is; all rows share its range.
        labels: (N,), what each sample is called, such as its class.
        remarks: Sentences under the title, such as the scores over all the data.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or the arrays do not fit the spec or each other.

    Example:
        >>> import torch
        >>> x = torch.rand(8, 1, 8, 8)
        >>> figure = plot_denoising(x, x + torch.rand_like(x), x / 2, DataSpec((1, 8, 8)))
    """
    parts = [checked(part, spec) for part in (x, noisy, denoised) if part is not None]
    if len({len(part) for part in parts} | ({len(noisy)} if labels is None else {len(labels)})) > 1:
        raise DataError("clean, noisy and denoised data and labels must be of the same number")
    names = ["Original", "Noisy", "Denoised"][-len(parts) :]
    below = [] if x is None else [short(float(error)) for error in (parts[-1] - parts[0]).square().flatten(1).mean(1)]
    above = None if labels is None else [style.plain(label, 40) for label in labels]
    with style.styled():
        if not spec.is_image:
            rows = [above] * len(parts)
            if below:
                rows[-1] = [
                    f"{name}: mse {error}" for name, error in zip(above or range(len(noisy)), below, strict=True)
                ]
            bands = [Band(name, part, row) for name, part, row in zip(names, parts, rows, strict=True)]
            return heat_maps(bands, spec, title, remarks)
        order = (
            "top: original; middle: noisy; bottom: denoised and its mse" if below else "top: noisy; bottom: denoised"
        )
        pictures = [to_rgb(part[:MOST_IMAGES], spec.low, spec.high) for part in parts]
        return sheet(pictures, title, 8, above, [order, *remarks, *remarks_on(noisy, spec)], below)
