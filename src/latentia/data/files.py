"""The original files of the named data sets: where they are, how they are fetched and checked.

A file is looked for as ``<data dir>/<name>/<file>[.gz]`` in the folder that was given, then in ``LATENTIA_DATA_DIR``,
then in the cache, and is otherwise downloaded into the cache once. Wherever it comes from it is checked in the same
way: by the SHA-256 of its uncompressed content where the catalogue has one, and always by its structure. A download is
written aside and renamed once it has passed, so that a partial file never appears under the final name and processes
that download the same file do not disturb each other.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentia import storage
from latentia.data.array_files import expanded, shown
from latentia.data.arrays import shape_text
from latentia.data.catalogue import CATALOGUE, Entry, Remote
from latentia.data.formats import LARGEST, gunzip, parse_cifar, parse_idx
from latentia.errors import DataError

DATA_DIR = "LATENTIA_DATA_DIR"
MIRROR = "LATENTIA_MIRROR"  # base address of a mirror laid out as <mirror>/<name>/<file>.gz
TIMEOUT = 30.0  # seconds without an answer, or without a further byte
ABANDONED = 24 * 3600.0  # seconds after which a half-written download belongs to nobody any more


@dataclass(frozen=True)
class Original:
    """A named data set as its files hold it.

    Attributes:
        parts: ``train`` and ``test`` -> images (N, channels, height, width) uint8, labels (N,) int64 from 0.
        digests: SHA-256 of the uncompressed content of each file.
        notes: What a reader of the numbers should know.
    """

    parts: dict[str, tuple[np.ndarray, np.ndarray]]
    digests: tuple[str, ...]
    notes: tuple[str, ...]


def read(
    name: str, *, data_dir: str | Path | None = None, mirror: str | None = None, timeout: float = TIMEOUT
) -> Original:
    """Find, or else download, a named data set; check and parse it.

    Args:
        name: A key of :data:`~latentia.data.catalogue.CATALOGUE`.
        data_dir: The folder that holds the folder ``name``.
        mirror: Where to download from instead; else ``LATENTIA_MIRROR``.
        timeout: Seconds without an answer after which a download is given up.

    Raises:
        DataError: If a file cannot be had, or is not what it should be.
        EnvironmentFault: If the cache cannot be written.
    """
    entry = CATALOGUE[name]
    folders = named_folders(data_dir)
    mirror = mirror or os.environ.get(MIRROR) or None
    contents, digests = [], []
    for remote in entry.files:
        found = _find(name, entry, remote, folders) or _find(name, entry, remote, [cache_folder()])
        content, where = found or _fetch(name, entry, remote, mirror, timeout)
        contents.append((content, where))
        digests.append(_check_content(content, remote, where))
    if entry.kind == "cifar":
        parts = parse_cifar(*contents[0])
    else:
        parts = {
            "train": (_idx(*contents[0], axes=3), _idx(*contents[1], axes=1)),
            "test": (_idx(*contents[2], axes=3), _idx(*contents[3], axes=1)),
        }
    notes: list[str] = []
    if not entry.verified:
        notes.append(f"the files of {name} were checked by their structure only, as their checksums are not known")
    for (part, (x, _)), count in zip(parts.items(), entry.counts, strict=True):
        if len(x) != count:
            notes.append(f"the {part} part of {name} has {len(x)} samples where the published one has {count}")
    return Original({part: _finish(name, entry, *pair) for part, pair in parts.items()}, tuple(digests), tuple(notes))


def named_folders(data_dir: str | Path | None = None) -> list[Path]:
    """Return the folders that the user named: the one given, then ``LATENTIA_DATA_DIR``.

    Raises:
        DataError: If a folder that was named does not exist.
    """
    folders: list[Path] = []
    for source, value in (("--data-dir", data_dir), (DATA_DIR, os.environ.get(DATA_DIR) or None)):
        if value is None:
            continue
        folder = expanded(value)
        if not os.path.isdir(folder):  # unlike pathlib's, not troubled by names that are too long
            raise DataError(f"{source} names {shown(folder)}, which is not a folder; create it, or name another one")
        folders.append(folder)
    return folders


def cache_folder() -> Path:
    """Return where downloads are kept: the operating system's cache folder for Latentia, which may not exist yet."""
    import pooch

    return Path(pooch.os_cache("latentia"))


def is_at_hand(name: str, data_dir: str | Path | None = None) -> bool:
    """Say whether the files of a named data set are on this machine, so that reading them downloads nothing.

    Raises:
        DataError: If a folder that was named does not exist.
    """
    entry, folders = CATALOGUE[name], [*named_folders(data_dir), cache_folder()]
    return all(any(_has(folder, name, entry, remote) for folder in folders) for remote in entry.files)


def _has(folder: Path, name: str, entry: Entry, remote: Remote) -> bool:
    """Whether a folder has one file, or the archive that it is in."""
    names = (f"{name}/{remote.file}", f"{name}/{remote.file}.gz", f"{entry.folder(name)}/{remote.download}")
    return any((folder / path).is_file() for path in names)


def _find(name: str, entry: Entry, remote: Remote, folders: list[Path]) -> tuple[bytes, str] | None:
    """Return the uncompressed content of one file and where it is, or None if it is in none of the folders."""
    for folder in folders:
        for path in (folder / name / remote.file, folder / name / f"{remote.file}.gz"):
            if path.is_file():
                return gunzip(_read_file(path), str(path)), str(path)
        if remote.member is not None and (archive := folder / entry.folder(name) / remote.download).is_file():
            return _from_zip(archive, remote.member)
    return None


def _fetch(name: str, entry: Entry, remote: Remote, mirror: str | None, timeout: float) -> tuple[bytes, str]:
    """Download one file into the cache; return its uncompressed content and where it is."""
    folder = entry.folder(name)
    target = cache_folder() / folder / remote.download
    url = f"{mirror.rstrip('/')}/{folder}/{remote.download}" if mirror else remote.url
    remedy = f"retry, or put it into a folder {folder}/ and name the folder above that with --data-dir or {DATA_DIR}"
    download(url, target, lambda path: _check_download(path, remote, entry), remedy=remedy, timeout=timeout)
    found = _find(name, entry, remote, [cache_folder()])
    assert found is not None, target
    return found


def download(url: str, target: Path, check: Callable[[Path], None], *, remedy: str, timeout: float = TIMEOUT) -> None:
    """Download a file; it appears under its name only once it is complete and has passed a check.

    Args:
        url: Its address.
        target: Its name on disk; the folder is created.
        check: Called with the temporary file; raises a ``DataError`` if it is not what was wanted.
        remedy: What the user can do, for the message.
        timeout: Seconds without an answer, or without a further byte, after which it is given up.

    Raises:
        DataError: If it cannot be had or does not pass the check.
        EnvironmentFault: If the disk refuses it.
    """
    import pooch
    import requests

    storage.make_folder(target.parent)
    _sweep(target)
    temporary = storage.aside(target)
    fetch = pooch.HTTPDownloader(progressbar=False, chunk_size=2**16, timeout=timeout)
    try:
        with storage.explained(target):
            try:
                fetch(url, str(temporary), None)
            except requests.exceptions.RequestException as error:
                if error.response is not None:
                    error.response.close()  # which pooch leaves open after a refusal
                raise DataError(f"cannot download {url} ({_reason(error, timeout)}): {remedy}") from error
            try:
                check(temporary)
            except DataError as error:
                raise DataError(f"what {url} sent is not the original file ({error}): {remedy}") from error
            storage.sync(temporary)
            storage.rename(temporary, target)
            storage.sync(target.parent)
    finally:
        storage.remove(temporary)


def _sweep(target: Path) -> None:
    """Delete what a killed process left of the same download; younger pieces may belong to one that is running."""
    for path in target.parent.glob(f"{storage.TEMPORARY}{target.name}-*"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
        except OSError:  # another process was faster
            continue


def _reason(error: Exception, timeout: float) -> str:
    import requests

    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error).lower():
        return f"no answer within {timeout:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off before the end"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection to the server"
    return type(error).__name__


def _check_download(path: Path, remote: Remote, entry: Entry) -> None:
    if remote.member is not None:
        _from_zip(path, remote.member)
        return
    content = gunzip(_read_file(path), remote.download)
    _check_content(content, remote, remote.download)
    if entry.kind == "cifar":
        parse_cifar(content, remote.download)
    else:
        parse_idx(content, remote.download)


def _check_content(content: bytes, remote: Remote, where: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    if remote.sha256 is not None and digest != remote.sha256:
        raise DataError(
            f"{where} is not the original {remote.file} (its checksum differs); delete it, or name another folder with "
            f"--data-dir or {DATA_DIR}"
        )
    return digest


def _read_file(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); check its permissions") from error
    if len(data) > LARGEST:
        raise DataError(f"{path} is larger than any of the original files; put the original file there")
    return data


def _from_zip(path: Path, member: str) -> tuple[bytes, str]:
    where = f"{member} in {path}"
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            data = file.read(LARGEST + 1)  # reading to the end checks the member's CRC
    except KeyError as error:
        raise DataError(f"{path} holds no {member}; put the original archive there") from error
    except Exception as error:  # a damaged archive makes zipfile and its decompressors raise a dozen kinds
        raise DataError(f"{path} is not a readable zip archive ({error}); delete it and fetch it again") from error
    return gunzip(data, where), where


def _idx(content: bytes, where: str, *, axes: int) -> np.ndarray:
    values = parse_idx(content, where)
    if values.ndim != axes:
        raise DataError(f"{where} has {values.ndim} axes instead of {axes}: images and labels may have been mixed up")
    return values


def _finish(name: str, entry: Entry, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Check images against labels and bring both into the usual order."""
    if x.ndim == 3:
        x = (x.transpose(0, 2, 1) if entry.transposed else x)[:, None]  # (N, 1, height, width)
    if len(x) != len(y) or len(x) == 0:
        raise DataError(f"{name} has {len(x)} images and {len(y)} labels in one part; fetch its files again")
    if x.shape[1:] != entry.event_shape:
        raise DataError(
            f"the images of {name} should be {shape_text(entry.event_shape)}, not {shape_text(x.shape[1:])}"
        )
    labels = y.astype(np.int64) - entry.first_label
    if labels.min() < 0 or labels.max() >= len(entry.classes):
        raise DataError(f"{name} has labels outside of its {len(entry.classes)} classes; fetch its files again")
    return np.array(x, order="C"), labels  # a copy: what was parsed cannot be written to
