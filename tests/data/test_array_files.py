"""Files with arrays are read by one set of rules, and what is wrong with them is said in one sentence."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentia.data.array_files import KEYS, NAMES, by_our_names, expanded, read_arrays, shown
from latentia.errors import DataError


def test_the_only_array_is_x_whatever_it_is_called(tmp_path):
    x = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "b.npz", x)
    np.savez(tmp_path / "c.NPZ", pictures=x)
    os.replace(tmp_path / "c.NPZ.npz", tmp_path / "c.NPZ")
    for name in ("a.npy", "b.npz", "c.NPZ"):
        contents = read_arrays(tmp_path / name)
        assert list(contents.arrays) == ["x"] and contents.notes == ()
        np.testing.assert_array_equal(contents.arrays["x"], x)


@pytest.mark.parametrize("key", list(NAMES))
def test_every_name_means_what_it_says(key):
    assert NAMES[key][0] == key and key in [name for pair in KEYS.values() for name in pair]
    for alias in NAMES[key]:
        assert by_our_names({alias: 1}, "a.npz") == {key: 1}


def test_unknown_arrays_are_named_but_never_read(tmp_path):
    secret: Any = np.array([{"a": 1}])
    np.savez(tmp_path / "a.npz", x_test=np.ones((2, 2)), y_tset=np.ones(2), meta=secret)
    contents = read_arrays(tmp_path / "a.npz")
    assert list(contents.arrays) == ["x_test"]
    assert len(contents.notes) == 2
    assert "'y_tset' is not used. Did you mean 'y_test'?" in contents.notes[0]
    assert "'meta' is not used" in contents.notes[1]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": 1, "b": 2}, "holds a, b and no 'x'"),
        ({"y": 1, "y_test": 2}, "holds y, y_test and no 'x'"),
        ({}, "holds nothing and no 'x'"),
        ({"x": 1, "x_train": 2}, "several arrays that mean 'x'"),
        ({f"column {number}": 1 for number in range(500)}, "holds column 0, column 1"),
    ],
)
def test_archives_without_samples_or_with_too_many_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        read_arrays(tmp_path / "a.npz")
    assert len(str(caught.value)) < 800


def test_files_that_are_not_there_or_of_another_kind(tmp_path):
    (tmp_path / "a.txt").write_text("1,2")
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")  # which would be waited for for ever
    for name in ("a.txt", "folder.npy", "pipe.npy"):
        with pytest.raises(DataError, match=r"only \.npy, \.npz and \.csv"):
            read_arrays(tmp_path / name)
    for path in (tmp_path / "none.npy", Path("a" * 5000 + ".npy"), tmp_path / "a.txt" / "x.npy", Path("a\0.npy")):
        with pytest.raises(DataError, match="there is no file"):
            read_arrays(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    np.save(tmp_path / "a.npy", np.ones(3))
    monkeypatch.setattr(np, "load", refuse)  # as root may read everything
    with pytest.raises(DataError, match="check its permissions"):
        read_arrays(tmp_path / "a.npy")


def test_a_damaged_archive_is_closed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((50, 4)), y=np.ones(50))
    content = path.read_bytes()
    for damaged in (content[:-30], content[:100] + b"\0" * 50 + content[150:], b"PK\x03\x04", b"", b"\x93NUMPY"):
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a file that is left open would be heard of here
            with pytest.raises(DataError, match="cannot read"):
                read_arrays(path)


def test_a_header_that_promises_more_than_memory_holds(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((1, 10)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(b"(1, 10), }         ", b"(999999999999, 10),}"[:19]))
    with pytest.raises(DataError, match="cannot read"):
        read_arrays(tmp_path / "a.npy")


def test_paths_are_expanded_where_they_can_be(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert expanded("~/x.npy") == Path("/home/someone/x.npy")
    for path in ("~nobody-of-this-name/x.npy", "~a\0b/x.npy", "~\udc80/x", "x~/y"):
        assert expanded(path) == Path(path)


def test_what_is_quoted_stays_short_and_on_one_line():
    assert shown(Path("/tmp/a b.npy")) == "/tmp/a b.npy"
    assert shown("a\0b\x1b[31m\n\udc80") == "a?b?[31m??"
    assert len(shown("雪" * 9999)) == 203


@pytest.mark.parametrize("name", ["notes.npy", "notes.npz"])
@pytest.mark.parametrize("content", [b"just some text\n", b"", b"\x80\x04\x95 a pickle"])
def test_what_is_no_numpy_file_is_called_so(tmp_path: Path, name: str, content: bytes):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}, it is not a NumPy file.*numpy\.save"):
        read_arrays(tmp_path / name)
