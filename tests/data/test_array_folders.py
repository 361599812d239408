"""Folders of .npy files: names, counted pieces, and what is left to be read as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentia.data import DataSettings, load
from latentia.data.array_files import OnDisk
from latentia.data.array_folders import array_folder, open_arrays
from latentia.data.mapped import Mapped, equal
from latentia.errors import DataError

X = np.arange(60, dtype=np.float32).reshape(20, 3)


def fill(folder: Path, **arrays: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name.replace('__', '-')}.npy", array)
    return folder


@pytest.mark.parametrize("memory", ["load", "map"])
def test_counted_files_follow_one_another(tmp_path: Path, memory: Any):
    fill(tmp_path, x__2=X[7:9], x__10=X[9:], x__1=X[:7], x_test=X[:2], y__1=np.arange(7), y__2=np.arange(7, 20))
    data = load(DataSettings(source=str(tmp_path), validation=0.0, memory=memory))
    assert isinstance(data.split("train").x, Mapped if memory == "map" else torch.Tensor)
    assert equal(data.split("train").x, torch.from_numpy(X)) and data.split("train").y is not None
    assert len(data.spec.classes) == 20 and len(data.split("test")) == 2 and data.name == tmp_path.name


def test_names(tmp_path: Path):
    folder = fill(tmp_path / "a", photos__00000__of__00002=X, photos__00001__of__00002=X)
    assert [path.name for path in array_folder(folder)["x"]] == [f"photos-0000{i}-of-00002.npy" for i in (0, 1)]
    assert list(array_folder(fill(tmp_path / "b", **{"000": X, "001": X}))) == ["x"]
    with pytest.raises(DataError, match=r"counted files of that name, such as x-1\.npy"):
        array_folder(fill(tmp_path / "c", x=X, x__1=X, y=X))
    with pytest.raises(DataError, match="has an array 'foo'"):
        array_folder(fill(tmp_path / "d", x=X, foo=X))
    with pytest.raises(DataError, match="no 'x' to train on"):
        array_folder(fill(tmp_path / "e", x_test=X, y=X))


def test_other_folders_are_not_array_folders(tmp_path: Path):
    assert array_folder(tmp_path) == {} == array_folder(tmp_path / "none")
    fill(tmp_path, x=X)
    (tmp_path / ".hidden.npy").write_bytes(b"no")
    assert list(array_folder(tmp_path)) == ["x"]
    (tmp_path / "1.PNG").write_bytes(b"no")
    assert array_folder(tmp_path) == {}
    (tmp_path / "1.PNG").unlink()
    (tmp_path / "cats").mkdir()
    assert array_folder(tmp_path) == {}


def test_pieces_that_do_not_fit(tmp_path: Path):
    folder = fill(tmp_path, x__0=X, x__1=X[:, :2])
    with pytest.raises(DataError, match=r"x-1.npy holds float32 of shape 20 x 2, which does not continue x-0.npy"):
        open_arrays(array_folder(folder), "load")
    with pytest.raises(DataError, match="different shapes"):
        load(DataSettings(source=str(folder), memory="map"))


def test_large_files_stay_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = array_folder(fill(tmp_path, x=X, y=np.arange(20)))
    assert isinstance(open_arrays(files, "auto").arrays["x"], np.ndarray)
    monkeypatch.setattr("latentia.data.memory.LARGEST", 100)
    found = open_arrays(files, "auto").arrays
    assert isinstance(found["x"], OnDisk) and isinstance(found["y"], np.ndarray)
