"""Data of the user's own, read for a model that exists already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.data.seeds import generator
from latentia.errors import DataError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def read_input(path: Path, spec: DataSpec, preparation: Preparation) -> Tensor:
    """Read a file as data for a model.

    Args:
        path: ``.npy``, ``.npz`` (its array ``x``, or its only one) or an image, whose size must be the model's.
        spec: What the model takes.
        preparation: How stored data become x.

    Returns:
        x, (N, *event), float32.

    Raises:
        DataError: If the file is missing, damaged, of an unknown kind, or does not fit.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}: check the path given to --input")
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        array = _read_array(path)
    elif suffix in PICTURES:
        array = _read_picture(path, spec)
    else:
        raise DataError(f"{path} is of no kind that can be read: use .npy, .npz or an image such as .png")
    stored = preparation.adopt(array, spec)
    noise = None
    if preparation.needs_noise:
        noise = torch.rand(stored.shape, generator=generator("cpu", 0, "input"))
    return preparation(stored, noise)


def _read_array(path: Path) -> np.ndarray:
    try:
        value = np.load(path, allow_pickle=False)
        if isinstance(value, np.ndarray):
            return value
        with value:
            name = "x" if "x" in value else value.files[0] if len(value.files) == 1 else None
            if name is None:
                raise DataError(f"{path} holds {', '.join(value.files) or 'nothing'}: name the array to use 'x'")
            return value[name]
    except DataError:
        raise
    except Exception as error:  # damaged archives fail in many ways, in zlib, zipfile, struct and NumPy
        raise DataError(f"{path} cannot be read as a NumPy file: {error}") from error


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
                    "resize it first"
                )
            values = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read as an image: {error}") from error
    return (values[None, None] if channels == 1 else values.transpose(2, 0, 1)[None]).copy()
