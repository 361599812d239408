"""Writing files so that a crash at any point leaves the old content or the new, never half of either.

Below everything. Owns the few primitives through which Latentia changes the disk (so that a test can fail each of
them) and the order in which they must happen: write aside, fsync, rename, fsync the folder. Knows nothing of runs.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latentia.errors import EnvironmentFault

TEMPORARY = ".tmp-"  # every half-written thing has this in its name and may be deleted by whoever holds the run's lock


def _write(path: Path, data: bytes, mode: str) -> None:
    with open(path, mode) as file:
        file.write(data)
        file.flush()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def _rename(source: Path, target: Path) -> None:
    os.replace(source, target)


def _truncate(path: Path, length: int) -> None:
    os.truncate(path, length)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one sentence with a remedy.

    Args:
        path: What was being written, to name it.

    Raises:
        EnvironmentFault: Instead of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(_explain(path, error)) from error


def is_full(error: BaseException | None) -> bool:
    """Whether the operating system refused to write because there is no room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _explain(path: Path, error: OSError) -> str:
    elsewhere = "choose another place with --out"
    if is_full(error):
        return f"no room to write {path} ({error.strerror}): free some space, or {elsewhere}"
    if error.errno == errno.ENOTDIR:
        return f"cannot write {path}: a part of that path is a file, not a folder; {elsewhere}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"not allowed to write {path} ({error.strerror}): {elsewhere}"
    return f"cannot write {path} ({error.strerror or error}): {elsewhere}"


def make_folder(path: Path) -> Path:
    """Create a folder and its parents.

    Raises:
        EnvironmentFault: If it cannot be created, such as under a regular file.
    """
    with explained(path):
        if path.is_file():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        path.mkdir(parents=True, exist_ok=True)
    return path


def aside(path: Path) -> Path:
    """Return the name under which ``path`` is prepared, in the same folder so that a rename is atomic."""
    return path.with_name(f"{TEMPORARY}{path.name}-{uuid.uuid4().hex[:8]}")


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file's content atomically.

    Args:
        path: The file; its folder must exist.
        data: The whole new content.
        durable: Also wait until the disk holds it, so that it survives a loss of power.

    Raises:
        EnvironmentFault: If it cannot be written; the old content is then intact.
    """
    temporary = aside(path)
    with explained(path):
        try:
            _write(temporary, data, "xb")
            if durable:
                _fsync(temporary)
            _rename(temporary, path)
            if durable:
                _fsync(path.parent)
        finally:
            _remove(temporary)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a text file atomically, in UTF-8; see :func:`write_bytes`."""
    write_bytes(path, text.encode(), durable=durable)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replace a JSON file atomically; NaN and infinities are refused, as JSON has none.

    Example:
        >>> import tempfile; folder = Path(tempfile.mkdtemp())
        >>> write_json(folder / "a.json", {"elbo": -104.25})
        >>> json.loads((folder / "a.json").read_text())
        {'elbo': -104.25}
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n", durable=durable)


def append_line(path: Path, line: str) -> None:
    """Append one line to a text file; a crash can leave part of the line, which readers skip and resume cuts off.

    Raises:
        EnvironmentFault: If it cannot be written.
    """
    with explained(path):
        _write(path, line.rstrip("\n").encode() + b"\n", "ab")


def cut(path: Path, length: int) -> None:
    """Shorten a file to ``length`` bytes (a longer wish leaves it as it is; a missing file counts as empty)."""
    with explained(path):
        if path.exists() and path.stat().st_size > length:
            _truncate(path, length)
            _fsync(path)


def sync(path: Path) -> None:
    """Wait until the disk holds a file or a folder's entries."""
    with explained(path):
        _fsync(path)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Write a whole folder aside and rename it into place when the block ends without an error.

    The files that the block writes are fsynced before the rename. A folder that stands at ``target`` already is
    replaced, but only once the new one is whole.

    Args:
        target: Where the folder appears, all at once; its parent must exist.

    Yields:
        The temporary folder to write into.

    Raises:
        EnvironmentFault: If something cannot be written; the target is then as it was.
    """
    temporary, former = aside(target), aside(target)
    with explained(target):
        temporary.mkdir()
    try:
        yield temporary
        with explained(target):
            for path in sorted(temporary.rglob("*")):
                if path.is_file():
                    _fsync(path)
            _fsync(temporary)
            if target.exists():
                _rename(target, former)
            _rename(temporary, target)
            _fsync(target.parent)
    except BaseException:
        if former.exists() and not target.exists():
            _rename(former, target)
        raise
    finally:
        for leftover in (temporary, former):
            _remove(leftover)


def sweep(folder: Path) -> None:
    """Delete what a crash left half-written directly inside ``folder``; the caller must hold its lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        _remove(path)


def rename(source: Path, target: Path) -> None:
    """Move a file within a file system, replacing what stands at ``target``, all at once."""
    with explained(target):
        _rename(source, target)


def remove(path: Path) -> None:
    """Delete a file or a whole folder, if it is there."""
    with explained(path):
        _remove(path)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not JSON; callers say what that means for what they read.
    """
    return json.loads(path.read_text(encoding="utf-8"))
