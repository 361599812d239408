"""From arrays as models see them to pictures as people see them: 8-bit colours, enlarged, side by side.

Owns how numbers become colours; knows neither models nor plots, and needs no plotting library.
"""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from latentia.errors import DataError

NOT_A_NUMBER = (255, 0, 255)  # magenta, which no reader takes for data


def to_rgb(x: Tensor, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Turn images into 8-bit colours.

    One channel is grey and three are red, green and blue. Any other number of channels has no colours of its own: the
    mean of the channels is shown, in grey. What lies outside the range is clipped to it; NaN is magenta.

    Args:
        x: Images, (N, C, H, W).
        low: The value that is black.
        high: The value that is white, or the channel's full colour. Where it equals ``low`` (constant data), white is
            1 above it.

    Returns:
        uint8, (N, H, W, 3), 0 to 255.

    Raises:
        DataError: If x has another number of axes.

    Example:
        >>> import torch
        >>> to_rgb(torch.tensor([[[[0.0, 0.5, 2.0]]]]))[0, 0].tolist()
        [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    if x.dim() != 4:
        raise DataError(f"images to be shown must have the shape (N, C, H, W), not {tuple(x.shape)}")
    values = x.detach().cpu().double().numpy()
    if values.shape[1] != 3:
        values = values.mean(1, keepdims=True).repeat(3, axis=1)
    values = np.moveaxis(values, 1, 3)  # (N, H, W, 3)
    missing = np.isnan(values).any(-1)
    colours = levels(values, low, high)
    colours[missing] = NOT_A_NUMBER
    return colours


def levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The 8-bit levels of values of any shape, clipped to the range, as :func:`to_rgb` takes it; NaN is 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        unit = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    return (np.nan_to_num(unit) * 255 + 0.5).astype(np.uint8)


def enlarge(images: np.ndarray, side: int = 128) -> np.ndarray:
    """Repeat pixels until the longer side has at least ``side`` of them; every pixel becomes a square.

    Nearest-neighbour, so that nothing is shown that is not there. Images that are large enough stay as they are.

    Args:
        images: (N, H, W, 3).
        side: The length wanted, in pixels.

    Example:
        >>> enlarge(np.zeros((5, 8, 6, 3), np.uint8), 64).shape
        (5, 64, 48, 3)
    """
    factor = max(1, math.ceil(side / max(images.shape[1:3])))
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def mosaic(images: np.ndarray, columns: int, *, gap: tuple[int, int] = (0, 0), background: int = 255) -> np.ndarray:
    """Lay images out in rows, from left to right and from top to bottom.

    Args:
        images: uint8, (N, H, W, 3).
        columns: How many in a row; a last row that is not full is filled with the background.
        gap: Pixels between rows and between columns.
        background: Grey level of the gaps, 0 to 255.

    Returns:
        One picture, uint8, (height, width, 3).

    Raises:
        DataError: If there is no image.

    Example:
        >>> mosaic(np.zeros((3, 4, 4, 3), np.uint8), 2, gap=(1, 1)).shape
        (9, 9, 3)
    """
    if len(images) == 0:
        raise DataError("there is no image to show: give at least one")
    n, height, width, _ = images.shape
    rows = math.ceil(n / columns)
    step = height + gap[0], width + gap[1]
    picture = np.full((rows * step[0], columns * step[1], 3), background, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * step[0], index % columns * step[1]
        picture[top : top + height, left : left + width] = image
    return picture[: rows * step[0] - gap[0], : columns * step[1] - gap[1]]
