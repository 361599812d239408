"""Files of the user's own that hold arrays, ``.npy`` and ``.npz``, and what people call the arrays in them.

Owns the names of the parts and the only reader of such files, for training and for use. Nothing is ever unpickled.
Knows nothing of what the arrays mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latentia.errors import DataError, did_you_mean

SUFFIXES = (".npy", ".npz")
NAMES = {  # what people call the parts in a dict or an .npz file; the first is ours
    "x": ("x", "X", "x_train", "X_train", "train_x", "train_X", "train_images", "images", "data"),
    "y": ("y", "Y", "y_train", "Y_train", "train_y", "train_labels", "labels", "targets"),
    "x_valid": ("x_valid", "X_valid", "x_val", "X_val", "valid_x", "val_x", "valid_images", "val_images"),
    "y_valid": ("y_valid", "y_val", "valid_y", "val_y", "valid_labels", "val_labels"),
    "x_test": ("x_test", "X_test", "test_x", "test_X", "test_images"),
    "y_test": ("y_test", "Y_test", "test_y", "test_labels"),
}
KEYS: dict[str, tuple[str, str]] = {"train": ("x", "y"), "valid": ("x_valid", "y_valid"), "test": ("x_test", "y_test")}
_KNOWN = {alias: key for key, aliases in NAMES.items() for alias in aliases}
_SHOWN = 200  # characters of a path or a list of names that a message quotes


class OnDisk(NamedTuple):
    """An array that stays in its files.

    Attributes:
        files: Mapped arrays, the rows of which follow one another.
    """

    files: tuple[np.ndarray, ...]


class Contents(NamedTuple):
    """What a file or a folder holds.

    Attributes:
        arrays: By our names, see :data:`NAMES`; there is an ``x``, ``x_valid`` or ``x_test``. Samples may be
            :class:`OnDisk`.
        notes: What was left out, one sentence each.
    """

    arrays: dict[str, Any]
    notes: tuple[str, ...] = ()


def expanded(path: str | Path) -> Path:
    """Replace a leading ``~``; a path whose user is not known stays as it is, to be found missing.

    Example:
        >>> expanded("~nobody-of-this-name/x.npy").as_posix()
        '~nobody-of-this-name/x.npy'
    """
    try:
        return Path(os.path.expanduser(path))
    except ValueError:  # a name that no user can have, such as one with a zero byte
        return Path(path)


def shown(text: object) -> str:
    r"""Write a path or another text of the user's for a message: on one line, and not longer than can be read.

    Example:
        >>> shown("two\nlines"), shown("a" * 5000)[-12:]
        ('two?lines', 'aaaaaaaaa...')
    """
    line = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """Begin what is said of data within it with the file that they came from, where that does not name it."""
    try:
        yield
    except DataError as error:
        if path.name in str(error) or shown(path) in str(error):
            raise
        raise DataError(f"{shown(path)}: {error}") from error


def by_our_names(arrays: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """Bring arrays under our names; those that are None are left out.

    Args:
        arrays: By any of :data:`NAMES`.
        name: What the source is called in messages.

    Raises:
        DataError: If a name is not known, or two mean the same.

    Example:
        >>> by_our_names({"train_images": 1, "test_labels": 2, "y": None}, "the example")
        {'x': 1, 'y_test': 2}
    """
    given: dict[str, Any] = {}
    for alias, value in arrays.items():
        key = _KNOWN.get(alias) if isinstance(alias, str) else None
        if key is None:
            wanted = did_you_mean(str(alias), _KNOWN)
            raise DataError(f"{name} has an array '{shown(alias)}'.{wanted} Name the arrays {', '.join(NAMES)}")
        if key in given:
            raise DataError(f"{name} has several arrays that mean '{key}', '{alias}' among them; leave one")
        if value is not None:
            given[key] = value
    return given


def read_arrays(path: Path) -> Contents:
    """Read a ``.npy`` or ``.npz`` file.

    The only array of a file is ``x``, whatever it is called; of several, those with a known name are read.

    Raises:
        DataError: If the file is missing, of another kind, damaged, or holds no samples or Python objects.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "a.npz"
        >>> np.savez(path, X_train=np.zeros((5, 2)), X_test=np.zeros((3, 2)))
        >>> {name: array.shape for name, array in read_arrays(path).arrays.items()}
        {'x': (5, 2), 'x_test': (3, 2)}
    """
    if not os.path.exists(path):  # unlike pathlib's, not troubled by names that are too long
        raise DataError(f"there is no file {shown(path)}; check the path")
    if not os.path.isfile(path) or path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"cannot read {shown(path)}, only .npy, .npz and .csv files and folders of pictures; save the data "
            "with numpy.save or numpy.savez"
        )
    with _faults_explained(path):
        _check_magic(path)
        with open(path, "rb") as file:  # closed here, as NumPy forgets to when it meets a damaged archive
            loaded: Any = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.lib.npyio.NpzFile):
                with loaded:
                    return _from_archive(loaded, shown(path))
            return Contents({"x": loaded})


def map_array(path: Path) -> np.ndarray:
    """Open a ``.npy`` file without reading more than its header.

    Args:
        path: The file; it must not be changed while the array is used.

    Returns:
        Its array, mapped, that cannot be written to.

    Raises:
        DataError: If the file is missing, of another kind, damaged, or holds Python objects.
    """
    with _faults_explained(path):
        _check_magic(path)
        return np.lib.format.open_memmap(path, mode="r")


@contextmanager
def _faults_explained(path: Path) -> Iterator[None]:
    """Say in one sentence why a file cannot be read."""
    try:
        yield
    except DataError:
        raise
    except PermissionError as error:
        raise DataError(f"not allowed to read {shown(path)}; check its permissions") from error
    except Exception as error:  # NumPy's reader lets a dozen kinds of error through for damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        if "pickle" in reason or "Python objects" in reason:
            reason = "it holds Python objects, which would have to be unpickled"
        raise DataError(
            f"cannot read {shown(path)} ({shown(reason)}); save plain numbers with numpy.save or numpy.savez"
        ) from error


def _check_magic(path: Path) -> None:
    """Refuse what does not begin like the file that it is called; NumPy would take it for a pickle."""
    with open(path, "rb") as file:
        begin = file.read(6)
    if not begin.startswith((b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06")):
        raise DataError(
            f"cannot read {shown(path)}, it is not a NumPy file; save plain numbers with numpy.save or numpy.savez"
        )


def _from_archive(archive: Any, name: str) -> Contents:
    if len(archive.files) == 1:
        return Contents({"x": archive[archive.files[0]]})
    known = {alias: _KNOWN[alias] for alias in archive.files if alias in _KNOWN}
    if not any(key.startswith("x") for key in known.values()):
        held = shown(", ".join(archive.files) or "nothing")
        raise DataError(f"{name} holds {held} and no 'x'; name the arrays {', '.join(NAMES)}")
    unused = [alias for alias in archive.files if alias not in known]
    notes = tuple(f"the array '{shown(alias)}' is not used.{did_you_mean(alias, _KNOWN)}" for alias in unused)
    by_our_names(known, name)  # before anything large is read
    return Contents({key: archive[alias] for alias, key in known.items()}, notes)
