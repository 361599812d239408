"""Walks through the latent space, drawn.

Owns what these figures show; the arrays come decoded, and the models that made them are unknown here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.exploration import style
from latentia.exploration.images import to_rgb
from latentia.exploration.sheets import Band, checked, heat_maps, remarks_on, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLACE = "place on the path"


def plot_path(
    frames: Tensor,
    ends: Tensor,
    spec: DataSpec,
    *,
    names: Sequence[str] = ("from", "to"),
    title: str = "Interpolation",
) -> Figure:
    """The decoded points of a path between the two originals that it joins.

    Args:
        frames: Decoded points, (T, *event), equally spaced from the first end to the last.
        ends: The originals, (2, *event).
        spec: What one sample is.
        names: What the two originals are called.
        title: The figure's title.

    Raises:
        DataError: If there is nothing to draw, or it does not fit the spec.

    Example:
        >>> x = torch.rand(5, 1, 8, 8)
        >>> figure = plot_path(x, x[[0, -1]], DataSpec((1, 8, 8)), names=("a 3", "an 8"))
    """
    frames, ends = checked(frames, spec), checked(ends, spec)
    places = [f"{place:.2f}" for place in torch.linspace(0, 1, len(frames)).tolist()]
    texts = [style.plain(names[0], 24), *places, style.plain(names[1], 24)]
    row = torch.cat([ends[:1], frames, ends[1:]])
    with style.styled():
        if not spec.is_image:
            return heat_maps([Band("First and last row: the originals", row, texts, axis=_PLACE)], spec, title)
        remarks = [f"first and last: the originals; above the others: the {_PLACE}", *remarks_on(row, spec)]
        return sheet([to_rgb(row, spec.low, spec.high)], title, _balanced(len(row)), texts, remarks, [])


def _balanced(n: int, most: int = 12) -> int:
    """Columns of rows that are about equally long.

    Example:
        >>> _balanced(12), _balanced(14)
        (12, 7)
    """
    return math.ceil(n / math.ceil(n / most))
