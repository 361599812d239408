"""Samples as the browser draws them: 8-bit pixels of images, numbers of vectors.

Colours are those of every other picture, see :mod:`latentia.exploration.images`; here is only their layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.data.resizing import resize
from latentia.exploration.images import to_rgb

THUMBNAIL = 32  # the longer side of a thumbnail, at most


def describe(spec: DataSpec) -> dict[str, Any]:
    """The shape of one sample, and of its picture."""
    height, width, channels = shape_of(spec)
    return {
        "shape": list(spec.event_shape),
        "kind": "image" if spec.is_image else "vector",
        "height": height,
        "width": width,
        "channels": channels,
        "low": spec.low,
        "high": spec.high,
    }


def shape_of(spec: DataSpec) -> tuple[int, int, int]:
    """Height, width and channels of a sample's picture: grey or colour; of a vector, one row of its values."""
    if not spec.is_image:
        return 1, spec.dimensions, 1
    channels, height, width = spec.event_shape
    return height, width, 3 if channels == 3 else 1


def drawn(name: str, x: Tensor, spec: DataSpec) -> dict[str, np.ndarray]:
    """The array of some samples under a name: pixels (..., H, W, C) of images, values (..., D) of vectors.

    Args:
        name: Of the array; ``pixels`` becomes ``values`` for vectors.
        x: (..., *event).
        spec: What one sample is.
    """
    before = x.shape[: x.dim() - len(spec.event_shape)]
    if not spec.is_image:
        values = x.reshape(*before, spec.dimensions).float().cpu().numpy()
        return {"values" if name == "pixels" else name: values}
    height, width, channels = shape_of(spec)
    flat = to_rgb(x.reshape(-1, *spec.event_shape), spec.low, spec.high)[..., :channels]
    return {name: flat.reshape(*before, height, width, channels)}


def difference(x: Tensor, y: Tensor, spec: DataSpec) -> np.ndarray:
    """y - x of (N, *event) with zero at 128, so that white is too bright by the whole range; of vectors the numbers."""
    gap = (y - x).float().cpu()
    if not spec.is_image:
        return gap.flatten(1).numpy()
    range_ = spec.high - spec.low or 1.0
    return next(iter(drawn("d", gap / (2 * range_) + 128 / 255, _unit(spec)).values()))


def _unit(spec: DataSpec) -> DataSpec:
    return DataSpec(spec.event_shape)


def thumbnails(pixels: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, C) shrunk to at most :data:`THUMBNAIL` pixels a side; smaller ones stay as they are."""
    height, width = pixels.shape[1:3]
    longer = max(height, width)
    if longer <= THUMBNAIL:
        return pixels
    size = [max(1, round(side * THUMBNAIL / longer)) for side in (height, width)]
    return resize(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), *size).transpose(0, 2, 3, 1)


def answer(seq: int, x: Tensor, spec: DataSpec) -> bytes:
    """One decoded sample (1, *event) as a WebSocket frame: seq, height, width, channels, then the pixels.

    Of vectors the channels are 0, and the values follow as 32-bit numbers.
    """
    height, width, channels = shape_of(spec)
    (body,) = drawn("pixels", x[:1], spec).values()
    head = np.array([seq, height, width, channels if spec.is_image else 0], dtype="<u4")
    return head.tobytes() + np.ascontiguousarray(body).tobytes()
