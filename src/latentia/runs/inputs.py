"""Data of the user's own, read for a model that exists already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentia.data.array_files import KEYS, SUFFIXES, Contents, expanded, read_arrays, shown
from latentia.data.arrays import number_labels
from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.data.seeds import generator
from latentia.errors import DataError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_PREFERRED = ("test", "train", "valid")  # like the uses of a run, which work on the test part if not told otherwise


class Input(NamedTuple):
    """What a file gives a model.

    Attributes:
        x: (N, *event), float32.
        y: (N,), int64 labels that index the spec's classes, or None where the file has none that fit.
        source: The name of the file, and the part of it that was taken where it has several, for titles.
        notes: What was left out of the file and why, one sentence each.
    """

    x: Tensor
    y: Tensor | None
    source: str
    notes: tuple[str, ...] = ()


def read_input(path: Path, spec: DataSpec, preparation: Preparation) -> Input:
    """Read a file as data for a model, with labels where it has some.

    A file with parts, such as the one that the model was trained on, gives its test part; without one, its training
    part.

    Args:
        path: ``.npy``, ``.npz`` or an image, whose size must be the model's.
        spec: What the model takes.
        preparation: How stored data become x.

    Raises:
        DataError: If the file is missing, damaged, of an unknown kind, or does not fit.
    """
    path = expanded(path)
    if not os.path.isfile(path):
        raise DataError(f"there is no file {shown(path)}: check the path given to --input")
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        contents = read_arrays(path)
    elif suffix in PICTURES:
        contents = Contents({"x": _read_picture(path, spec)})
    else:
        raise DataError(f"{shown(path)} is of no kind that can be read: use .npy, .npz or an image such as .png")
    present = [part for part in _PREFERRED if KEYS[part][0] in contents.arrays]
    part = present[0]
    stored = preparation.adopt(contents.arrays[KEYS[part][0]], spec)
    y, notes = _labels(contents, part, spec, len(stored))
    noise = None
    if preparation.needs_noise:
        noise = torch.rand(stored.shape, generator=generator("cpu", 0, "input"))
    source = path.name if present == ["train"] else f"{path.name}, {part} part"
    return Input(preparation(stored, noise), y, source, (*contents.notes, *notes))


def _labels(contents: Contents, part: str, spec: DataSpec, count: int) -> tuple[Tensor | None, tuple[str, ...]]:
    labels = contents.arrays.get(KEYS[part][1])
    if labels is None or not spec.classes:
        return None, ()
    try:
        return number_labels(np.atleast_1d(labels), spec.classes, count, "the input's labels"), ()
    except DataError as error:
        return None, (f"the input's labels are not used: {error}",)


def _read_picture(path: Path, spec: DataSpec) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    if not spec.is_image or spec.event_shape[0] not in (1, 3):
        raise DataError(f"the model takes {spec.describe()}: give them as .npy or .npz")
    channels, height, width = spec.event_shape
    try:
        with Image.open(path) as picture:
            if picture.size != (width, height):
                raise DataError(
                    f"{path} is {picture.size[0]} x {picture.size[1]} pixels, but the model takes {width} x {height}: "
                    f"resize it first, such as with PIL.Image.open(path).resize(({width}, {height})), or train a model "
                    f"for its size, such as with --set data.size=[{picture.size[1]},{picture.size[0]}]"
                )
            values = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read as an image: {error}") from error
    return (values[None, None] if channels == 1 else values.transpose(2, 0, 1)[None]).copy()
