"""A folder of ``.npy`` files as data: each is called like its array, and a large one may be cut into counted files.

Owns which file holds which part, and whether arrays are loaded or stay on the disk. Knows nothing of what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from latentia.data.array_files import NAMES, Contents, OnDisk, by_our_names, map_array, read_arrays, shown
from latentia.data.arrays import shape_text
from latentia.data.image_files import PICTURES
from latentia.data.memory import is_large
from latentia.errors import DataError

_COUNTED = re.compile(r"(.*?)[-_.]?([0-9]{1,18})(?:-of-[0-9]+)?")  # x-00007, x_7, x-00007-of-00100


def open_arrays(files: dict[str, tuple[Path, ...]], memory: Literal["auto", "load", "map"]) -> Contents:
    """Load arrays, or map the samples among them; labels are always loaded.

    Args:
        files: Our name -> ``.npy`` files, the rows of which follow one another.
        memory: ``auto`` maps what :func:`latentia.data.memory.is_large` says, by the sizes of the files of samples.

    Raises:
        DataError: If a file is missing, damaged, holds Python objects, or does not fit those before it.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.zeros((4, 3)))
        >>> type(open_arrays({"x": (path,)}, "map").arrays["x"]).__name__
        'OnDisk'
    """
    samples = [path for key, paths in files.items() if key.startswith("x") for path in paths]
    if memory == "auto":
        memory = "map" if is_large(sum(path.stat().st_size for path in samples if path.is_file())) else "load"
    arrays: dict[str, Any] = {}
    for key, paths in files.items():
        if memory == "map" and key.startswith("x"):
            arrays[key] = OnDisk(tuple(map_array(path) for path in paths))
        else:
            arrays[key] = _joined([read_arrays(path).arrays["x"] for path in paths], paths)
    return Contents(arrays)


def _joined(pieces: Sequence[np.ndarray], paths: Sequence[Path]) -> np.ndarray:
    if len(pieces) == 1:
        return pieces[0]
    for piece, path in zip(pieces, paths, strict=True):
        if piece.ndim == 0 or piece.shape[1:] != pieces[0].shape[1:] or piece.dtype != pieces[0].dtype:
            raise DataError(
                f"{shown(path)} holds {piece.dtype} of shape {shape_text(piece.shape)}, which does not continue "
                f"{paths[0].name} ({pieces[0].dtype}, {shape_text(pieces[0].shape)}); make them of one type and shape"
            )
    return np.concatenate(pieces)


def array_folder(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Find the arrays of a folder of ``.npy`` files.

    A file is called like the array in it (see :data:`latentia.data.array_files.NAMES`): ``x.npy``, ``y.npy``,
    ``x_test.npy``. A large array may be cut into files that are counted, such as ``x-000.npy``, ``x-001.npy`` ...;
    their rows follow one another in the order of the numbers. The only array of a folder is ``x``, whatever it is
    called.

    Args:
        folder: The folder; what lies in its sub-folders is not looked at.

    Returns:
        Our name -> files; empty if the folder also has pictures or sub-folders, or has no ``.npy`` files.

    Raises:
        DataError: If a name is not known, two mean the same, or there are no samples.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> for name in ("images_10", "images_9", "labels"):
        ...     np.save(folder / name, np.zeros(2))
        >>> {key: [path.name for path in paths] for key, paths in array_folder(folder).items()}
        {'x': ['images_9.npy', 'images_10.npy'], 'y': ['labels.npy']}
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:  # reading it as a folder of pictures says so
        return {}
    found = [path for path in entries if path.suffix.lower() == ".npy" and path.is_file()]
    if not found or any(path.is_dir() or path.suffix.lower() in PICTURES for path in entries):
        return {}
    pieces: dict[str, list[tuple[int, str, Path]]] = {}
    for path in found:
        matched = _COUNTED.fullmatch(path.stem)
        name, number = (matched[1], int(matched[2])) if matched else (path.stem, -1)
        pieces.setdefault(name, []).append((number, path.name, path))
    for name, group in pieces.items():
        if len(group) > 1 and min(group)[0] < 0:
            raise DataError(
                f"{shown(folder)} has {shown(name)}.npy and counted files of that name, such as {max(group)[1]}; "
                "leave one or the other"
            )
    if len(pieces) == 1:
        pieces = {"x": next(iter(pieces.values()))}
    named = by_our_names(pieces, shown(folder))
    if "x" not in named:
        raise DataError(f"{shown(folder)} has no 'x' to train on; name the files {', '.join(NAMES)} (.npy)")
    return {key: tuple(path for _, _, path in sorted(group)) for key, group in named.items()}
