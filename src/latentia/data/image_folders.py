"""A folder of pictures as data: sub-folders are classes, or parts named train, valid and test.

Owns how a tree of files becomes arrays and labels, and what is said of the files that cannot be used. Knows nothing of
what is done with them.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np

from latentia.data.array_files import SUFFIXES, shown
from latentia.data.arrays import shape_text
from latentia.data.image_files import PICTURES, REMARKS, Picture, careful, picture_size, read_picture, remark_on
from latentia.data.memory import machine_memory
from latentia.errors import DataError

PART_NAMES = {
    "train": "train", "training": "train",
    "valid": "valid", "val": "valid", "validation": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
_IGNORED = ("__macosx", "thumbs.db", "desktop.ini")  # what operating systems leave behind
_NAMED = 5  # files that a note names; the others are counted
_AT_ONCE = 64  # files that a thread reads before it reports
_STRETCH = 0.05  # relative change of height to width that is worth a note
_FULL = 0.8  # of the machine's memory

T = TypeVar("T")


@dataclass
class ImageFolder:
    """What a folder holds.

    Attributes:
        x: Part -> (N, C, H, W), uint8, in the order of the files' paths.
        labels: Part -> the name of the sub-folder of each picture, as whole numbers where all are such; parts without
            sub-folders are absent.
        notes: What was left out or changed, one sentence each.
    """

    x: dict[str, np.ndarray] = field(default_factory=dict)
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    path: Path
    part: str
    label: str | None


@dataclass
class _Found:
    """What the tree holds, before any file is opened."""

    root: Path
    files: list[_File] = field(default_factory=list)
    others: dict[Path, str] = field(default_factory=dict)  # what is no picture -> its suffix
    notes: list[str] = field(default_factory=list)

    def kinds(self) -> str:
        """What there is besides pictures, for a message."""
        return ", ".join(f"{count} {suffix}" for suffix, count in Counter(self.others.values()).most_common(_NAMED))

    def near(self, path: Path) -> str:
        """A path as seen from the folder, for a message."""
        return shown(path.relative_to(self.root).as_posix())


def read_folder(root: Path, *, size: tuple[int, int] | None = None, channels: int | None = None) -> ImageFolder:
    """Read all pictures of a folder.

    Sub-folders are classes, whatever lies deeper belongs to them. Where one is called ``train``, those called
    ``valid``, ``val`` and ``test`` are parts, each with pictures or with classes. Names that begin with a dot are not
    looked at, files that cannot be read are left out and named in a note, and links that lead in a circle are followed
    once.

    Args:
        root: The folder.
        size: Height and width to which every picture is resized, bilinear; None: all must be of one size.
        channels: 1 or 3; None: 1 where no picture has colour, else 3.

    Raises:
        DataError: If there is no picture that can be read, their sizes differ, or pictures lie beside classes.

    Example:
        >>> import tempfile; from PIL import Image
        >>> root = Path(tempfile.mkdtemp())
        >>> for name in ("cat", "dog"):
        ...     (root / name).mkdir(); Image.new("RGB", (6, 4), "red").save(root / name / "1.png")
        >>> found = read_folder(root)
        >>> found.x["train"].shape, found.labels["train"].tolist()
        ((2, 3, 4, 6), ['cat', 'dog'])
    """
    found = _scan(root)
    if not found.files:
        _refuse_empty(found)
    with careful():
        faults: dict[Path, str] = {}
        if size is None:
            size = _common_size(found, faults)
        _check_memory(found, size, channels)
        files = [file for file in found.files if file.path not in faults]
        pictures = _each([file.path for file in files], lambda path: read_picture(path, size=size, channels=channels))
        kept: list[tuple[_File, Picture]] = []
        for file, picture in zip(files, pictures, strict=True):
            if isinstance(picture, Picture):
                kept.append((file, picture))
            else:
                faults[file.path] = picture
    if not kept:
        raise DataError(f"no picture in {shown(root)} can be read, of {len(faults)}: {_listed(found, faults)}")
    notes = [*found.notes, *_notes_on_files(found, faults), *_notes_on_pictures(kept, size, channels)]
    return _gather(found, kept, size, channels, notes)


# --- which files there are --------------------------------------------------------------------------------------------


def _scan(root: Path) -> _Found:
    found = _Found(root)
    folders, files = _entries(root, found)
    parts = {folder: PART_NAMES[folder.name.lower()] for folder in folders if folder.name.lower() in PART_NAMES}
    if "train" not in parts.values():
        _scan_part(root, "train", found)
        found.notes += [
            f"the folder '{found.near(folder)}' counts as a class, as there is no folder 'train' beside it"
            for folder in parts
            if any(file.path.is_relative_to(folder) for file in found.files)
        ]
        return found
    for part, count in Counter(parts.values()).items():
        if count > 1:
            names = ", ".join(found.near(folder) for folder, meant in parts.items() if meant == part)
            raise DataError(f"several folders in {shown(root)} mean the {part} part ({names}); leave one")
    for folder, part in sorted(parts.items(), key=lambda item: ("train", "valid", "test").index(item[1])):
        _scan_part(folder, part, found)
    beside = [shown(path.name) for path in (*folders, *files) if path not in parts]
    if beside:
        found.notes.append(f"beside the folder 'train', these are not used: {_some(beside)}")
    return found


def _scan_part(folder: Path, part: str, found: _Found) -> None:
    """Add the pictures of one part, in the order of their paths."""
    folders, files = _entries(folder, found)
    above = {_identity(found.root), _identity(folder)}
    inside = [(sub, _below(sub, above, found)) for sub in folders]
    classes = [(sub, paths) for sub, paths in inside if paths]
    if files and classes:
        names = _some([shown(sub.name) for sub, _ in classes])
        raise DataError(
            f"{shown(folder)} holds {len(files)} pictures, such as {shown(files[0].name)}, beside folders of pictures "
            f"({names}); folders are classes, so move these pictures into one, or give the folder of one class"
        )
    found.files += [_File(path, part, None) for path in files]
    found.files += [_File(path, part, _readable(sub.name)) for sub, paths in classes for path in paths]


def _entries(folder: Path, found: _Found) -> tuple[list[Path], list[Path]]:
    """Sub-folders and pictures of a folder, each sorted by name; other files are counted."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        if folder == found.root:
            raise DataError(
                f"cannot read the folder {shown(folder)} ({error.strerror}); check its permissions"
            ) from error
        found.notes.append(f"the folder {found.near(folder)} cannot be read ({error.strerror})")
        return [], []
    folders: list[Path] = []
    files: list[Path] = []
    for name in names:
        if name.startswith(".") or name.lower() in _IGNORED:
            continue
        path = folder / name
        if path.is_dir():
            folders.append(path)
        elif path.suffix.lower() in PICTURES:
            files.append(path)
        else:
            found.others[path] = path.suffix.lower() or "without suffix"
    return folders, files


def _identity(folder: Path) -> tuple[int, int]:
    """The same for a folder and for every link to it."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _below(folder: Path, above: set[tuple[int, int]], found: _Found) -> list[Path]:
    """All pictures in a folder and below it; no folder is entered twice, so that circles of links end."""
    seen = set(above)

    def walk(place: Path) -> Iterator[Path]:
        if _identity(place) in seen:
            return
        seen.add(_identity(place))
        folders, files = _entries(place, found)
        yield from files
        for sub in folders:
            yield from walk(sub)

    return sorted(walk(folder))


def _readable(name: str) -> str:
    """A class's name that can be written anywhere, the same on every operating system."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "replace"))


def _refuse_empty(found: _Found) -> None:
    known = ", ".join(suffix.lstrip(".") for suffix in PICTURES)
    remedy = f"known are {known}"
    if any(suffix in SUFFIXES for suffix in found.others.values()):
        remedy = "name the file itself"
    held = found.kinds() or "no files"
    raise DataError(f"there are no pictures in the folder {shown(found.root)} (it holds {held}); {remedy}")


# --- reading them -----------------------------------------------------------------------------------------------------


def _each(paths: Sequence[Path], read: Callable[[Path], T]) -> list[T | str]:
    """Read files in several threads, since decoding does not hold Python back; a fault becomes its reason."""

    def attempt(path: Path) -> T | str:
        try:
            return read(path)
        except DataError as error:
            return str(error)

    pieces = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="latentia-pictures")
    try:
        return [
            result for piece in pool.map(lambda piece: [attempt(path) for path in piece], pieces) for result in piece
        ]
    finally:
        pool.shutdown(cancel_futures=True)  # an interruption is not to wait for the rest


def _common_size(found: _Found, faults: dict[Path, str]) -> tuple[int, int]:
    """The one size of all pictures that can be read."""
    paths = [file.path for file in found.files]
    sizes: dict[tuple[int, int], list[Path]] = {}
    for path, size in zip(paths, _each(paths, picture_size), strict=True):
        if isinstance(size, str):
            faults[path] = size
        else:
            sizes.setdefault(size, []).append(path)
    if not sizes:
        raise DataError(f"no picture in {shown(found.root)} can be read, of {len(faults)}: {_listed(found, faults)}")
    ranked = sorted(sizes.items(), key=lambda item: (-len(item[1]), item[0]))
    if len(ranked) > 1:
        listed = [f"{shape_text(size)} in {len(of)}, such as {found.near(of[0])}" for size, of in ranked]
        (height, width), _ = ranked[0]
        raise DataError(
            f"the pictures in {shown(found.root)} have {len(ranked)} sizes (height x width: {_some(listed, '; ')}); "
            f"say to which one to resize them all, such as with --set data.size=[{height},{width}]"
        )
    return ranked[0][0]


def _check_memory(found: _Found, size: tuple[int, int], channels: int | None) -> None:
    """Refuse what cannot be held in memory before hours are spent on reading it."""
    memory = machine_memory()
    if memory is None:
        return
    needed = len(found.files) * (channels or 3) * size[0] * size[1]
    if needed > _FULL * memory:
        shrink = (_FULL * memory / needed) ** 0.5
        raise DataError(
            f"the {len(found.files):,} pictures in {shown(found.root)} would take {needed / 2**30:.1f} GiB of memory "
            f"at {shape_text(size)}, and this machine has {memory / 2**30:.1f}; use smaller ones, such as with --set "
            f"data.size=[{max(1, int(size[0] * shrink))},{max(1, int(size[1] * shrink))}]"
        )


def _gather(
    found: _Found,
    kept: list[tuple[_File, Picture]],
    size: tuple[int, int],
    channels: int | None,
    notes: list[str],
) -> ImageFolder:
    """One array for each part; a grey picture among colour ones has three equal channels."""
    depth = channels or max(len(picture.values) for _, picture in kept)
    result = ImageFolder(notes=notes)
    everything = {file.label for file, _ in kept if file.label is not None}
    numbered = all(label.isdecimal() and str(int(label)) == label for label in everything)
    for part, members in groupby(kept, lambda pair: pair[0].part):
        group = list(members)
        result.x[part] = np.empty((len(group), depth, *size), dtype=np.uint8)
        for row, (_, picture) in zip(result.x[part], group, strict=True):
            row[...] = picture.values
        names = [file.label for file, _ in group if file.label is not None]
        if names:
            result.labels[part] = np.array([int(name) for name in names] if numbered else names)
    if "train" not in result.x:
        raise DataError(f"no picture in the folder 'train' of {shown(found.root)} can be read; see that there are some")
    return result


# --- what is said of them ---------------------------------------------------------------------------------------------


def _notes_on_files(found: _Found, faults: dict[Path, str]) -> list[str]:
    notes: list[str] = []
    if faults:
        left = "is left out" if len(faults) == 1 else "are left out"
        notes.append(
            f"{len(faults)} of {len(found.files)} pictures cannot be read and {left}: {_listed(found, faults)}"
        )
    if found.others:
        notes.append(f"files that are no pictures were not looked at ({found.kinds()})")
    labels = {(file.part, file.label) for file in found.files if file.label is not None}
    left = {(file.part, file.label) for file in found.files if file.label is not None and file.path not in faults}
    if lost := sorted(labels - left):
        notes.append(f"nothing could be read of the class {_some([shown(label) for _, label in lost])}")
    return notes


def _notes_on_pictures(kept: list[tuple[_File, Picture]], size: tuple[int, int], channels: int | None) -> list[str]:
    notes: list[str] = []
    grey = sum(len(picture.values) == 1 for _, picture in kept)
    if channels is None and 0 < grey < len(kept):
        notes.append(
            f"{_count(grey)} of {len(kept)} {'has' if grey == 1 else 'have'} no colour; all were read as colour "
            "pictures, red, green and blue"
        )
    counts = Counter(remark for _, picture in kept for remark in picture.remarks)
    notes += [remark_on(remark, _count(n), several=n > 1) for remark in REMARKS if (n := counts[remark])]
    sizes = Counter(picture.before for _, picture in kept)
    resized = len(kept) - sizes[size]
    if resized:
        notes.append(f"{_count(resized)} {_were(resized)} resized to {shape_text(size)}, bilinear")
    height, width = size
    stretched = sum(n for (h, w), n in sizes.items() if abs(h * width - w * height) > _STRETCH * w * height)
    if stretched:
        notes.append(
            f"{_count(stretched)} of other proportions {_were(stretched)} stretched; crop before, to keep the shapes"
        )
    return notes


def _count(number: int) -> str:
    return f"{number:,} picture{'s' if number != 1 else ''}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _listed(found: _Found, faults: dict[Path, str]) -> str:
    return _some([f"{found.near(path)} ({reason})" for path, reason in sorted(faults.items())])


def _some(items: Sequence[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(items) - _NAMED:,} more" if len(items) > _NAMED else ""
    return separator.join(items[:_NAMED]) + more
