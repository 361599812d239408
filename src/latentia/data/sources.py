"""Where data come from: named sets, files of the user's own, arrays; each becomes a :class:`Dataset`.

Owns what sources there are and how each is read; ``assembly`` does what is the same for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentia.data.array_files import (
    KEYS,
    NAMES,
    SUFFIXES,
    OnDisk,
    by_our_names,
    expanded,
    faults_named,
    read_arrays,
    shown,
)
from latentia.data.array_folders import array_folder, open_arrays
from latentia.data.arrays import arrange, as_stored, encode_labels, shape_text, to_numpy
from latentia.data.assembly import Raw, assemble, check_held_out, check_settings
from latentia.data.catalogue import CATALOGUE
from latentia.data.dataset import Dataset
from latentia.data.image_files import PICTURES
from latentia.data.image_folders import read_folder
from latentia.data.mapped import Mapped
from latentia.data.memory import is_large
from latentia.data.settings import DataSettings
from latentia.data.tables import TABLES, read_table
from latentia.errors import ConfigError, DataError, EnvironmentFault, did_you_mean

SOURCES: tuple[str, ...] = ("digits", *CATALOGUE)  # what `source` may name besides the path of a file or a folder


def load(settings: DataSettings, *, data_dir: str | Path | None = None, arrays: Any = None) -> Dataset:
    """Load, check and split data.

    What is missing is held out of the training part: first the test part (``test_fraction``), then the validation part
    (``validation``), by permutations that depend on ``split_seed`` alone. A fraction above zero holds out at least one
    sample as long as one remains to train on; a single sample makes a training part only, and a note says so. Data that
    come class by class are mixed where they are held out, and the pictures of a folder in its validation and test parts
    too, always in the same way, so that the first of a part show all that it holds.

    Args:
        settings: What to load and how.
        data_dir: The folder above the folders of the named data sets; else ``LATENTIA_DATA_DIR``, else the cache.
        arrays: Data instead of a source: ``x``, ``(x, y)``, or a dict of ``x``, ``y``, ``x_valid``, ``y_valid``,
            ``x_test``, ``y_test``. They are copied, but for arrays that NumPy has mapped (``np.load(path,
            mmap_mode="r")``) where ``settings.memory`` maps. ``settings.source`` is then not looked at.

    Returns:
        The dataset, on the CPU, or on the disk where ``settings.memory`` maps.

    Raises:
        ConfigError: If the source is unknown or the settings contradict each other or the data.
        DataError: If the data cannot be found, read or used.

    Example:
        >>> dataset = load(DataSettings(source="digits"))
        >>> dataset.spec.describe()
        '8 x 8 grey images, 8-bit, 10 classes'
        >>> {name: len(split) for name, split in dataset.splits.items()}
        {'train': 1366, 'valid': 72, 'test': 359}
    """
    check_settings(settings)
    own = arrays is None and settings.source not in SOURCES
    with faults_named(expanded(settings.source)) if own else nullcontext():
        if arrays is not None:
            raw = _from_arrays("arrays", _kept_on_disk(arrays, settings.memory), settings.layout)
        elif settings.source in SOURCES:
            raw = _named_set(settings, data_dir)
        else:
            raw = _from_path(settings)
        check_held_out(settings, raw.name, raw.x)
        return assemble(raw, settings)


def _named_set(settings: DataSettings, data_dir: str | Path | None) -> Raw:
    if settings.layout != "auto":
        raise ConfigError(
            f"data.layout is for arrays of your own, and {settings.source} is none; use --set data.layout=auto"
        )
    _refuse_mapping(settings, settings.source)
    if settings.source == "digits":
        return _digits()
    check_held_out(settings, settings.source, ("train", "test"))  # before anything is downloaded
    return _original(settings.source, data_dir)


def _digits() -> Raw:
    table = _digit_table()
    x = np.round(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)  # (1797, 1, 8, 8)
    return Raw(
        "digits",
        {"train": x},
        {"train": torch.from_numpy(table[:, -1].astype(np.int64))},
        256,
        tuple("0123456789"),
        ["the digits have 17 grey levels, which are stored on the 8-bit scale"],
    )


def _digit_table() -> np.ndarray:
    """The 64 values, from 0 to 16, and the label of each digit, (1797, 65).

    scikit-learn's file is read without scikit-learn, whose import would take most of the time until the first step.
    """
    try:
        found = find_spec("sklearn")
        if found is not None and found.origin is not None:
            file = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
            if file.is_file():
                return np.loadtxt(file, delimiter=",", dtype=np.uint8)
        from sklearn.datasets import load_digits  # a version that keeps it elsewhere
    except (ImportError, ValueError) as error:
        raise EnvironmentFault(
            "the digits come with scikit-learn, which is not installed; pip install scikit-learn"
        ) from error
    bunch: Any = load_digits()
    return np.column_stack([bunch.data, bunch.target]).astype(np.uint8)


def _original(name: str, data_dir: str | Path | None) -> Raw:
    from latentia.data import files

    original = files.read(name, data_dir=data_dir)
    return Raw(
        name,
        {part: x for part, (x, _) in original.parts.items()},
        {part: torch.from_numpy(y) for part, (_, y) in original.parts.items()},
        256,
        CATALOGUE[name].classes,
        list(original.notes),
        original.digests,
    )


def _from_path(settings: DataSettings) -> Raw:
    source = settings.source
    path = expanded(source)
    exists = bool(source) and os.path.exists(path)
    if exists and os.path.isdir(path):
        if files := array_folder(path):
            contents = open_arrays(files, settings.memory)
            return _from_arrays(path.name or str(path), contents.arrays, settings.layout)
        return _from_folder(path, settings)
    named = path.suffix.lower() in (*SUFFIXES, *TABLES, *PICTURES) or "/" in source or "\\" in source
    if not exists and not named:
        raise ConfigError(
            f"there is no data source '{shown(source)}'.{did_you_mean(source[:100].lower(), SOURCES)} "
            f"Choose one of {', '.join(SOURCES)}, or the path of a .npy, .npz or .csv file or of a folder of pictures "
            "or of .npy files"
        )
    if exists and path.suffix.lower() in PICTURES:
        raise DataError(f"{shown(path)} is a single picture; give the folder that holds it and its kin")
    if path.suffix.lower() == ".npy" and os.path.isfile(path):
        contents = open_arrays({"x": (path,)}, settings.memory)
    else:
        _refuse_mapping(settings, shown(path))
        contents = read_table(path) if path.suffix.lower() in TABLES else read_arrays(path)
    raw = _from_arrays(path.name, contents.arrays, settings.layout)
    raw.notes += contents.notes
    return raw


def _refuse_mapping(settings: DataSettings, name: str) -> None:
    """Say that only plain arrays can stay on the disk."""
    if settings.memory == "map":
        raise ConfigError(
            f"data.memory = 'map' reads .npy files while they are used, and {name} is none; use --set "
            "data.memory=auto, or save the samples with numpy.save"
        )


def _kept_on_disk(arrays: Any, memory: str) -> Any:
    """Mark what NumPy has mapped and is not to be copied."""
    if isinstance(arrays, tuple):
        given: dict[Any, Any] = dict(enumerate(arrays))
    else:
        given = dict(arrays) if isinstance(arrays, Mapping) else {0: arrays}
    mapped = {key: value for key, value in given.items() if isinstance(value, np.memmap) and value.ndim > 1}
    wanted = memory == "map" or (memory == "auto" and is_large(sum(value.nbytes for value in mapped.values())))
    if memory == "map" and not mapped:
        raise ConfigError(
            "data.memory = 'map' needs arrays that stay on the disk: give them as numpy.load(path, mmap_mode='r'), or "
            "use --set data.memory=auto"
        )
    if not (mapped and wanted):
        return arrays
    given |= {key: OnDisk((value,)) for key, value in mapped.items()}
    return given if isinstance(arrays, Mapping) else tuple(given.values())


def _from_folder(path: Path, settings: DataSettings) -> Raw:
    if settings.layout != "auto":
        raise ConfigError(
            f"data.layout is for arrays of your own, and {shown(path)} is a folder; use --set data.layout=auto"
        )
    _refuse_mapping(settings, shown(path))
    found = read_folder(path, size=None if settings.size is None else (settings.size[0], settings.size[1]))
    y, classes = encode_labels(found.labels, {part: len(values) for part, values in found.x.items()})
    return Raw(path.name or str(path), found.x, y, 256, classes, found.notes, by_path=True)


def _from_arrays(name: str, arrays: Any, layout: str) -> Raw:
    given = _named(arrays, name)
    notes: list[str] = []
    x: dict[str, Any] = {}
    kinds: dict[str, int | None] = {}
    axes: dict[str, tuple[int, ...]] = {}  # of the arrays as they were given
    mapped = any(isinstance(given.get(key), OnDisk) for key, _ in KEYS.values())
    for part, (key, _) in KEYS.items():
        if key in given:
            if mapped:  # all samples or none, though some may be in memory already
                files = (
                    given[key].files
                    if isinstance(given[key], OnDisk)
                    else (np.ascontiguousarray(to_numpy(given[key], key)),)
                )
                x[part], axes[part] = Mapped(files, key, layout), files[0].shape
                kinds[part], found = x[part].levels, tuple(x[part].notes)
            else:
                values, kinds[part], found = as_stored(given[key], key)
                x[part], assumed = arrange(values, layout, key)
                axes[part], found = values.shape, (*found, *assumed)
            notes += found
            if 0 in x[part].shape:
                raise DataError(f"{key} is empty ({shape_text(x[part].shape)}); give at least one value per sample")
    if layout != "auto" and all(len(shape) != 4 for shape in axes.values()):
        raise ConfigError(
            f"data.layout says where the channels of arrays with four axes are, and x has "
            f"{len(axes['train'])} ({shape_text(axes['train'])}); use --set data.layout=auto"
        )
    events = {part: values.shape[1:] for part, values in x.items()}
    if len(set(events.values())) > 1:
        shapes = ", ".join(f"{part} {shape_text(shape)}" for part, shape in events.items())
        raise DataError(f"the parts of {name} have samples of different shapes ({shapes}); make them equal")
    if len(set(kinds.values())) > 1:
        raise DataError(f"the parts of {name} are of different types; save all of them as uint8 or all as float32")
    labels = {part: given[key] for part, (_, key) in KEYS.items() if key in given}
    if orphans := [part for part in labels if part not in x]:
        raise DataError(f"{name} has labels but no samples for the {orphans[0]} part; give {KEYS[orphans[0]][0]} too")
    y, classes = encode_labels(labels, {part: len(values) for part, values in x.items()})
    levels = kinds["train"]
    if levels == 256 and max(map(_largest, x.values())) == 1:
        levels = 2
        notes.append("the 8-bit values are all 0 or 1, so they count as binary data, not as nearly black pixels")
    return Raw(name, x, y, levels, classes, notes)


def _largest(values: np.ndarray | Mapped) -> int:
    """The largest 8-bit value, or the first that is above 1 where the data stay on the disk."""
    if isinstance(values, np.ndarray):
        return int(values.max())
    largest = 0
    for chunk in values.chunks():
        largest = max(largest, int(chunk.max()))
        if largest > 1:
            break
    return largest


def _named(arrays: Any, name: str) -> dict[str, Any]:
    """Bring what was given into a dict with our names."""
    if isinstance(arrays, tuple):
        if not 1 <= len(arrays) <= 2:
            raise DataError(f"{name}: a tuple must be (x, y), not of {len(arrays)} entries; use a dict for more parts")
        arrays = {key: value for key, value in zip(("x", "y"), arrays, strict=False) if value is not None}
    elif not isinstance(arrays, Mapping):
        arrays = {"x": arrays}
    given = by_our_names(arrays, name)
    if "x" not in given:
        raise DataError(f"{name} has no array 'x' to train on; name the arrays {', '.join(NAMES)}")
    return given
