"""The parsers read what the formats' descriptions say, and nothing that is thrown at them gets through."""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia.data.formats import CIFAR_TEST, CIFAR_TRAIN, RECORD, gunzip, parse_cifar, parse_idx
from latentia.errors import DataError


def idx(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    return header + values.astype(np.uint8).tobytes()


def tar(files: dict[str, bytes], format_: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def cifar_files(per_file: int = 2) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    files = {}
    for name in CIFAR_TRAIN + CIFAR_TEST:
        records = rng.integers(0, 256, (per_file, RECORD), dtype=np.uint8)
        records[:, 0] %= 10
        files[f"cifar-10-batches-bin/{name}"] = records.tobytes()
    return files


# --- gzip --------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_gunzip_undoes_gzip_with_one_or_several_members(pieces):
    assert gunzip(b"".join(gzip.compress(piece) for piece in pieces), "a.gz") == b"".join(pieces)


@given(st.binary(max_size=200), st.data())
def test_every_truncated_gzip_is_refused(content, data):
    packed = gzip.compress(content)
    cut = data.draw(st.integers(2, len(packed) - 1))
    with pytest.raises(DataError, match="truncated"):
        gunzip(packed[:cut], "a.gz")


def test_a_damaged_gzip_is_refused():
    packed = bytearray(gzip.compress(b"abc" * 100))
    packed[-6] ^= 1  # in the checksum
    with pytest.raises(DataError, match="damaged"):
        gunzip(bytes(packed), "a.gz")


def test_a_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(10**6))
    assert len(gunzip(bomb, "a.gz", largest=10**6)) == 10**6
    for packed in (bomb, gzip.compress(bytes(10**6 - 1)) + gzip.compress(b"")):
        with pytest.raises(DataError, match="more than"):
            gunzip(packed, "a.gz", largest=10**6 - 2)


# --- IDX ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_idx_round_trip(shape):
    values = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    parsed = parse_idx(idx(values), "a")
    assert parsed.dtype == np.uint8
    np.testing.assert_array_equal(parsed, values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "magic"),
        (b"<html>no such file</html>", "magic"),
        (b"\0\0\x08\x00", "magic"),
        (b"\0\0\x08\x09" + bytes(80), "magic"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "type 0x0d"),
        (b"\0\0\x08\x03\0\0\0\x01", "within its header"),
        (b"\0\0\x08\x01\0\0\0\x03ab", "should have 3 values"),
        (b"\0\0\x08\x01\0\0\0\x01ab", "should have 1 values"),
        (b"\0\0\x08\x04" + b"\xff" * 16, "should have"),
    ],
)
def test_what_is_not_idx_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        parse_idx(content, "a")


@given(st.binary(max_size=40), st.booleans())
def test_random_bytes_never_raise_anything_else(content, prefix):
    for parse in (parse_idx, parse_cifar, gunzip):
        with suppress(DataError):
            parse((b"\0\0\x08\x01" if prefix else b"") + content, "a")


# --- CIFAR-10 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_cifar(format_):
    files = cifar_files()
    extra = {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n", "../readme.html": b"", "é" * 40: b""}
    parts = parse_cifar(tar(extra | files, format_), "cifar")
    x, y = parts["train"]
    assert x.shape == (10, 3, 32, 32)
    assert parts["test"][0].shape == (2, 3, 32, 32)
    second = files["cifar-10-batches-bin/data_batch_2.bin"]
    assert y[2] == second[0]
    assert x[2, 1, 4, 7] == second[1 + 1024 + 4 * 32 + 7]  # green, row 4, column 7


def test_cifar_without_one_file_is_refused():
    files = cifar_files()
    del files["cifar-10-batches-bin/test_batch.bin"]
    with pytest.raises(DataError, match=r"holds no test_batch\.bin"):
        parse_cifar(tar(files), "cifar")


@pytest.mark.parametrize("data", [b"", bytes(RECORD - 1), bytes(RECORD + 1)])
def test_cifar_with_a_broken_file_is_refused(data):
    with pytest.raises(DataError, match="no multiple"):
        parse_cifar(tar(cifar_files() | {"cifar-10-batches-bin/test_batch.bin": data}), "cifar")


def test_links_are_not_followed():
    files = cifar_files()
    del files["cifar-10-batches-bin/test_batch.bin"]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    with pytest.raises(DataError, match=r"holds no"):
        parse_cifar(buffer.getvalue()[: -2 * 512] + tar(files), "cifar")


ARCHIVE = tar(cifar_files(1))


@settings(deadline=None)
@given(st.integers(0, len(ARCHIVE) - 1))
def test_a_truncated_archive_is_refused_or_lacks_only_padding(cut):
    try:
        parts = parse_cifar(ARCHIVE[:cut], "cifar")
    except DataError:
        return
    assert [len(x) for x, _ in parts.values()] == [5, 1]


@settings(deadline=None)
@given(st.integers(0, 511), st.integers(0, 255))
def test_a_damaged_header_is_refused_or_harmless(position, value):
    damaged = bytearray(ARCHIVE)
    damaged[position] = value
    with suppress(DataError):
        parse_cifar(bytes(damaged), "cifar")
