"""Samples as the browser draws them: 8-bit pixels of images, numbers of vectors.

Colours are those of every other picture, see :mod:`latentia.exploration.images`; here is only their layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.data.resizing import resize
from latentia.exploration.images import levels, to_rgb

THUMBNAIL = 32  # the longer side of a thumbnail, at most
BUDGET = 2**26  # bytes of the values that one answer is made of, at most
AT_ONCE = 2**20  # values that become colours at once, which takes some times their memory


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
    flat = x.reshape(-1, *spec.event_shape)
    found = np.empty((len(flat), height, width, channels), np.uint8)
    size = max(1, AT_ONCE // spec.dimensions)
    for start in range(0, len(flat), size):
        found[start : start + size] = to_rgb(flat[start : start + size], spec.low, spec.high)[..., :channels]
    return {name: found.reshape(*before, height, width, channels)}


def fitting(wished: int, spec: DataSpec, *, least: int = 1) -> int:
    """How many of so many samples can be in one answer, whose values take :data:`BUDGET` at most.

    Example:
        >>> fitting(400, DataSpec((1, 28, 28))), fitting(400, DataSpec((3, 512, 512)))
        (400, 21)
    """
    return max(least, min(wished, BUDGET // (4 * spec.dimensions)))


def cut(shown: int, wished: int, what: str) -> str | None:
    """What is said where :func:`fitting` left less than was wished."""
    if shown >= wished:
        return None
    return f"{shown:,} of {wished:,} {what} are shown: {BUDGET // 2**20} MiB of values are the most of one answer"


def source(x: Tensor, spec: DataSpec, preparation: Preparation) -> np.ndarray | None:
    """A prepared sample (1, *event) in the units of its file, from which it can be prepared again, as (*event).

    ``None`` where there is no way back, or nothing was changed but the levels of 8-bit data.
    """
    if preparation.binarize != "none" or preparation.needs_noise:
        return None
    if preparation.levels is not None and not preparation.rescales:
        return None
    found = preparation.restore(x)[0].float().cpu().numpy()
    unit = preparation.levels is not None or (preparation.within_unit and spec.is_image)
    return found.clip(0.0, 1.0) if unit else found  # rounding may have led out of what is taken


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
    body = _levels(x[0], spec)
    if body is None:
        (body,) = drawn("pixels", x[:1], spec).values()
    head = np.array([seq, height, width, channels if spec.is_image else 0], dtype="<u4")
    return head.tobytes() + np.ascontiguousarray(body).tobytes()


def _levels(x: Tensor, spec: DataSpec) -> np.ndarray | None:
    """What :func:`drawn` makes of one image of one or three channels, in a few calls; ``None`` of anything else."""
    if not spec.is_image or spec.event_shape[0] not in (1, 3):
        return None
    values = x.double().numpy()
    return None if np.isnan(values).any() else levels(values, spec.low, spec.high).transpose(1, 2, 0)
