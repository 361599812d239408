"""Data of the user's own, read for a model that exists already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentia.data.array_files import KEYS, SUFFIXES, Contents, expanded, faults_named, read_arrays, shown
from latentia.data.arrays import number_labels, shape_text
from latentia.data.dataset import DataSpec
from latentia.data.image_files import PICTURES, careful, read_picture, remark_on
from latentia.data.image_folders import read_folder
from latentia.data.preparation import Preparation
from latentia.data.resizing import resize
from latentia.data.seeds import generator
from latentia.data.tables import TABLES, read_table
from latentia.errors import ConfigError, DataError, did_you_mean

RANGES = ((0.0, 1.0), (-1.0, 1.0), (-0.5, 0.5), (0.0, 255.0), (0.0, 65535.0))  # that pictures of real numbers have
_PREFERRED = ("test", "train", "valid")  # like the uses of a run, which work on the test part if not told otherwise


class Input(NamedTuple):
    """What a file gives a model.

    Attributes:
        x: (N, *event), float32.
        y: (N,), int64 labels that index the spec's classes, or None where the file has none that fit.
        source: The name of the file, and the part of it that was taken where it has several, for titles.
        notes: What was left out of the file and why, one sentence each.
        names: The labels as the file has them, whether or not the model knows these classes; or None.
    """

    x: Tensor
    y: Tensor | None
    source: str
    notes: tuple[str, ...] = ()
    names: list[str] | None = None


def read_input(
    path: Path, spec: DataSpec, preparation: Preparation, *, resized: bool = False, steady: bool = False
) -> Input:
    """Read a file or a folder as data for a model, with labels where it has some.

    What has parts, such as the file that the model was trained on, gives its test part; without one, its training
    part.

    Args:
        path: ``.npy``, ``.npz``, ``.csv``, a picture, or a folder of pictures as it could be trained on.
        spec: What the model takes.
        preparation: How stored data become x.
        resized: Whether images of another size are resized, as those were that the model was trained on
            (``data.size``); else they are refused.
        steady: Whether preparations that need noise get its mean in the place of draws, so that a sample becomes the
            same x whatever is beside it.

    Raises:
        DataError: If the file is missing, damaged, of an unknown kind, or does not fit.
    """
    path = expanded(path)
    suffix = path.suffix.lower()
    if os.path.isdir(path):
        contents = _in_range(_read_folder(path, spec, resized), spec, preparation)
    elif not os.path.isfile(path):
        raise DataError(f"there is no file {shown(path)}: check the path given to --input")
    elif suffix in SUFFIXES:
        contents = _resized(read_arrays(path), spec) if resized else read_arrays(path)
    elif suffix in TABLES:
        contents = read_table(path)
    elif suffix in PICTURES:
        contents = _in_range(_read_picture(path, spec, resized), spec, preparation)
    else:
        raise DataError(
            f"{shown(path)} is of no kind that can be read: use .npy, .npz, .csv, an image such as .png, or a folder "
            "of images"
        )
    present = [part for part in _PREFERRED if KEYS[part][0] in contents.arrays]
    part = present[0]
    with faults_named(path):
        stored = preparation.adopt(contents.arrays[KEYS[part][0]], spec)
    y, notes = _labels(contents, part, spec, len(stored), path.name)
    noise = None
    if preparation.needs_noise:
        noise = torch.rand(stored.shape, generator=generator("cpu", 0, "input"))
        noise = torch.full_like(noise, 0.5) if steady else noise
    source = path.name if present == ["train"] else f"{path.name}, {part} part"
    return Input(preparation(stored, noise), y, source, (*contents.notes, *notes), _names(contents, part, len(stored)))


def _names(contents: Contents, part: str, count: int) -> list[str] | None:
    labels = contents.arrays.get(KEYS[part][1])
    found = [] if labels is None else np.atleast_1d(labels).ravel().tolist()
    return [str(label) for label in found] if len(found) == count else None


def class_number(value: str | int, spec: DataSpec) -> int:
    """The number of a class that a person named.

    Args:
        value: Its name, or its number from 0; a name is looked up first.
        spec: Whose classes there are.

    Raises:
        ConfigError: If there is no such class; the nearest is suggested.

    Example:
        >>> spec = DataSpec((2,), classes=("cat", "dog"))
        >>> class_number("dog", spec), class_number("0", spec), class_number(1, spec)
        (1, 0, 1)
    """
    if isinstance(value, str) and value in spec.classes:
        return spec.classes.index(value)
    text = str(value)
    if text.isdecimal() and text.isascii() and len(text) < 10 and int(text) < len(spec.classes):
        return int(text)
    named = ", ".join(shown(name) for name in spec.classes[:12]) + (" ..." if len(spec.classes) > 12 else "")
    hint = did_you_mean(text[:100], spec.classes)
    raise ConfigError(f"there is no class '{shown(text)}'.{hint} Use one of: {named}")


def _labels(
    contents: Contents, part: str, spec: DataSpec, count: int, name: str
) -> tuple[Tensor | None, tuple[str, ...]]:
    labels = contents.arrays.get(KEYS[part][1])
    if labels is None or not spec.classes:
        return None, ()
    try:
        return number_labels(np.atleast_1d(labels), spec.classes, count, f"the labels of {shown(name)}"), ()
    except DataError as error:
        return None, (f"labels are not used: {error}",)


def _resized(contents: Contents, spec: DataSpec) -> Contents:
    """8-bit and real images with the channels first, or none, at the model's size; others are left as they are."""
    arrays, notes = dict(contents.arrays), list(contents.notes)
    for key, values in contents.arrays.items():
        grey = values.ndim == 3 and spec.event_shape[0] == 1
        coloured = values.ndim == 4 and values.shape[1] == spec.event_shape[0]
        fits = values.shape[-2:] == spec.event_shape[1:]
        if key.startswith("x") and (grey or coloured) and not fits and values.dtype.kind in "buf" and values.size:
            stored = values.astype(np.uint8 if values.dtype in (np.uint8, np.bool_) else np.float32)
            if stored.dtype == np.uint8 and stored.max() <= 1:
                stored = stored * np.uint8(255)  # binary images are grey once they are resized
            arrays[key] = resize(stored, *spec.event_shape[1:])
            notes.append(f"{key} was resized from {shape_text(values.shape[-2:])} to the model's size")
    return Contents(arrays, tuple(notes))


def _in_range(contents: Contents, spec: DataSpec, preparation: Preparation) -> Contents:
    """Pictures of 8 bits in the units of the data; unchanged where the preparation knows what 8-bit values are.

    Raises:
        DataError: If the data are in no range of which black and white are known.
    """
    if preparation.levels is not None or preparation.within_unit:
        return contents
    low, high = _range(spec, preparation)
    arrays = dict(contents.arrays)
    for key in arrays.keys() & {KEYS[part][0] for part in _PREFERRED}:
        arrays[key] = arrays[key] * np.float32((high - low) / 255) + np.float32(low)
    return Contents(arrays, contents.notes)


def _range(spec: DataSpec, preparation: Preparation) -> tuple[float, float]:
    """The range of pictures of which the data fill three quarters or more: what black and white are in their units."""
    single = all(np.size(value) == 1 for value in (preparation.offset, preparation.factor))
    if single:  # of channels that were scaled each by itself it cannot be told
        ends = torch.tensor([spec.low, spec.high]).reshape(2, 1, 1, 1)
        first, last = (float(end) for end in preparation.restore(ends).flatten())
        for low, high in RANGES:
            width = high - low
            slack = width / 1000  # of rounding, and of resizing
            if low - slack <= first and last <= high + slack and last - first >= 0.75 * width:
                return low, high
    where = f"in [{first:.4g}, {last:.4g}]" if single else "beyond [0, 1], each channel scaled by itself"
    raise DataError(
        f"a picture has black and white, and the model was trained on images with values {where}, of which it is not "
        "known what these are; give it as .npy in their units, or train on images with values in [0, 1]"
    )


def _read_folder(path: Path, spec: DataSpec, resized: bool) -> Contents:
    _check_takes_pictures(spec)
    channels, height, width = spec.event_shape
    found = read_folder(path, size=(height, width) if resized else None, channels=channels)
    for values in found.x.values():
        _check_size(path, values.shape[2:], (height, width))
    x = {KEYS[part][0]: values for part, values in found.x.items()}
    return Contents(x | {KEYS[part][1]: labels for part, labels in found.labels.items()}, tuple(found.notes))


def _read_picture(path: Path, spec: DataSpec, resized: bool) -> Contents:
    _check_takes_pictures(spec)
    channels, height, width = spec.event_shape
    try:
        with careful():
            picture = read_picture(path, size=(height, width) if resized else None, channels=channels)
    except DataError as error:
        raise DataError(f"{shown(path)} cannot be read as an image: {error}") from error
    _check_size(path, picture.values.shape[1:], (height, width))
    notes = [remark_on(remark, "a picture", several=False) for remark in picture.remarks]
    if picture.before != (height, width):
        notes.append(f"{path.name} was resized from {shape_text(picture.before)} to the model's size")
    return Contents({"x": picture.values[None]}, tuple(notes))


def _check_takes_pictures(spec: DataSpec) -> None:
    if not spec.is_image or spec.event_shape[0] not in (1, 3):
        raise DataError(f"the model takes {spec.describe()}: give them as .npy or .npz")


def _check_size(path: Path, size: tuple[int, ...], wanted: tuple[int, int]) -> None:
    if size != wanted:
        (height, width), (its_height, its_width) = wanted, size
        raise DataError(
            f"{shown(path)} is {its_width} x {its_height} pixels, but the model takes {width} x {height}: resize it "
            f"first, such as with PIL.Image.open(path).resize(({width}, {height})), or train a model for its size, "
            f"such as with --set data.size=[{its_height},{its_width}]"
        )
