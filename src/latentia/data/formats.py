"""Parsers of the original files: gzip, IDX and CIFAR-10's binary archive; all in memory, nothing is extracted to disk.

Every file may come from a stranger: sizes are bounded and checked before they are believed, and whatever is wrong is
a :class:`~latentia.errors.DataError`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import numpy as np

from latentia.data.arrays import shape_text
from latentia.errors import DataError

LARGEST = 2**30  # bytes of uncompressed content; the largest file in the catalogue has half of that
BLOCK = 512  # bytes; everything in a tar archive starts at a multiple of it
RECORD = 1 + 3 * 32 * 32  # bytes of a CIFAR-10 record: a label, then red, green and blue
CIFAR_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
CIFAR_TEST = ("test_batch.bin",)


def gunzip(data: bytes, what: str, *, largest: int = LARGEST) -> bytes:
    """Uncompress a gzip file; data that are not gzip are returned as they are.

    Args:
        data: The file.
        what: Its name in messages.
        largest: Refuse to make more bytes than this.

    Raises:
        DataError: If it is truncated, damaged or larger than ``largest``.

    Example:
        >>> import gzip
        >>> gunzip(gzip.compress(b"abc"), "a.gz"), gunzip(b"abc", "a")
        (b'abc', b'abc')
    """
    if not data.startswith(b"\x1f\x8b"):
        return data
    pieces: list[bytes] = []
    size = 0
    while data.startswith(b"\x1f\x8b"):  # a gzip file may have several members, one after the other
        stream = zlib.decompressobj(wbits=31)
        try:
            pieces.append(stream.decompress(data, largest - size + 1))
        except zlib.error as error:
            raise DataError(f"{what} is damaged ({error}); delete it and fetch it again") from error
        size += len(pieces[-1])
        if size > largest:
            raise DataError(f"{what} unpacks to more than {largest} bytes, which none of the original files does")
        if not stream.eof:
            raise DataError(f"{what} is truncated; delete it and fetch it again")
        data = stream.unused_data
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def parse_idx(content: bytes, what: str) -> np.ndarray:
    """Parse an IDX file of bytes: 0, 0, 8, the number of axes, their sizes (32-bit, big-endian), the values.

    Args:
        content: The uncompressed file.
        what: Its name in messages.

    Returns:
        uint8, of the shape that the header gives; it shares the memory of ``content`` and cannot be written to.

    Raises:
        DataError: If it is not such a file, or its length differs from what the header says.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels").tolist()
        [7, 9]
    """
    if len(content) < 4 or content[:2] != b"\x00\x00" or not 1 <= content[3] <= 4:
        raise DataError(f"{what} is not an IDX file (wrong magic number); put the original file there")
    if content[2] != 8:
        raise DataError(
            f"{what} holds IDX values of type 0x{content[2]:02x}, not bytes (0x08); put the original file there"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{what} ends within its header; delete it and fetch it again")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = math.prod(shape)
    if len(content) - start != expected:
        raise DataError(
            f"{what} should have {expected} values ({shape_text(shape)}) and has {len(content) - start}; "
            "delete it and fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def parse_cifar(content: bytes, what: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Parse the uncompressed tar archive of CIFAR-10's binary version (Krizhevsky 2009).

    Args:
        content: The archive.
        what: Its name in messages.

    Returns:
        ``train`` and ``test`` -> images (N, 3, 32, 32) uint8, labels (N,) uint8.

    Raises:
        DataError: If it is not such an archive, or a file in it is missing, odd or damaged.
    """
    found: dict[str, bytes] = {}
    for path, data in _regular_files(content, what):
        name = path.rpartition("/")[2]
        if name in CIFAR_TRAIN + CIFAR_TEST and name not in found:
            found[name] = data
    return {
        "train": _cifar_part([_cifar_file(found, name, what) for name in CIFAR_TRAIN]),
        "test": _cifar_part([_cifar_file(found, name, what) for name in CIFAR_TEST]),
    }


def _regular_files(content: bytes, what: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the regular files of a tar archive, in order.

    The standard library's reader knows more kinds of entry than are needed here, and some of its versions never come
    back from crafted ones; this one only ever moves forward, and skips what is not a regular file.
    """
    position = 0
    while position + BLOCK <= len(content):
        header = content[position : position + BLOCK]
        if not any(header):
            return  # an empty block ends the archive
        name, size, checksum, kind = header[:100], header[124:136], header[148:156], header[156:157]
        if _octal(checksum) != sum(header) - sum(checksum) + 8 * ord(" "):
            raise DataError(
                f"{what} is not a readable tar archive (wrong header checksum); delete it and fetch it again"
            )
        length = _octal(size)
        start = position + BLOCK
        if length is None or start + length > len(content):
            raise DataError(f"{what} is a truncated tar archive; delete it and fetch it again")
        if kind in (b"0", b"\0"):
            yield name.split(b"\0")[0].decode("utf-8", "replace"), content[start : start + length]
        position = start + -(-length // BLOCK) * BLOCK


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and all(digit in b"01234567" for digit in digits) else None


def _cifar_file(found: dict[str, bytes], name: str, what: str) -> np.ndarray:
    if name not in found:
        raise DataError(f"{what} holds no {name}; fetch CIFAR-10's binary version (cifar-10-binary.tar.gz)")
    data = found[name]
    if not data or len(data) % RECORD:
        raise DataError(
            f"{name} in {what} has {len(data)} bytes, no multiple of {RECORD}; delete it and fetch it again"
        )
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, RECORD)


def _cifar_part(files: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    records = np.concatenate(files)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
