"""Images brought to one size: bilinear, exactly as Pillow does it, many at a time.

Knows arrays alone, neither files nor what the numbers mean.
"""

from __future__ import annotations

import numpy as np

from latentia.data.arrays import shape_text
from latentia.errors import DataError

_PIXELS = 2**24  # resized at once, so that a large set needs little memory besides its result


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize images as ``PIL.Image.resize(..., BILINEAR)`` resizes each of them, bit for bit.

    Pillow resizes rows first and columns after, with weights that depend on the sizes alone, and rounds 8-bit values
    in between; where it shrinks, its triangle is widened so that every pixel counts. So the rows of many images can be
    resized as those of one tall image, and then, transposed, their columns.

    Args:
        images: (N, C, H, W) or (N, H, W), uint8 or float32, not changed.
        height: In pixels.
        width: In pixels.

    Returns:
        The images with their last two axes resized, of the same type; ``images`` itself where nothing is to be done.

    Raises:
        DataError: If they are of another type or have other axes.

    Example:
        >>> resize(np.array([[[[0, 100]]]], dtype=np.uint8), 1, 4)
        array([[[[  0,  25,  75, 100]]]], dtype=uint8)
    """
    if images.ndim not in (3, 4) or images.dtype not in (np.uint8, np.float32):
        raise DataError(
            f"only uint8 or float32 arrays of (N, channels, height, width) can be resized, not {images.dtype} of shape "
            f"{shape_text(images.shape)}; move their axes, or convert them first"
        )
    before_height, before_width = images.shape[-2:]
    if (before_height, before_width) == (height, width):
        return images
    planes = images.reshape(-1, before_height, before_width)
    resized = np.empty((len(planes), height, width), dtype=images.dtype)
    at_once = max(1, _PIXELS // (max(height, before_height) * max(width, before_width)))
    for start in range(0, len(planes), at_once):
        wide = _rows(planes[start : start + at_once], width)  # (n, H, width)
        resized[start : start + at_once] = _rows(wide.transpose(0, 2, 1), height).transpose(0, 2, 1)
    if images.dtype != np.uint8:
        np.clip(resized, images.min(), images.max(), out=resized)  # weights sum to one, but for rounding
    return resized.reshape(*images.shape[:-2], height, width)


def _rows(planes: np.ndarray, width: int) -> np.ndarray:
    """Resize the last axis of (n, rows, columns)."""
    from PIL import Image

    n, rows, columns = planes.shape
    if columns == width:
        return planes
    tall = Image.fromarray(np.ascontiguousarray(planes).reshape(n * rows, columns))
    return np.asarray(tall.resize((width, n * rows), Image.Resampling.BILINEAR)).reshape(n, rows, width)
