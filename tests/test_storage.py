from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from latentia import storage
from latentia.errors import EnvironmentFault


def test_writing_replaces_the_whole_content(tmp_path: Path):
    path = tmp_path / "a.json"
    storage.write_json(path, {"a": 1})
    storage.write_json(path, {"b": 2})
    assert json.loads(path.read_text()) == {"b": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("primitive", ["_write", "_fsync", "_rename"])
def test_a_failed_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primitive: str):
    path = tmp_path / "a.txt"
    storage.write_text(path, "old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, primitive, fail)
    with pytest.raises(EnvironmentFault, match="free some space"):
        storage.write_text(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_json_has_no_nan(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON compliant"):
        storage.write_json(tmp_path / "a.json", {"a": float("nan")})


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "folder"

    def crash() -> None:
        with storage.new_folder(target) as aside:
            storage.write_text(aside / "half", "1")
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        crash()
    assert list(tmp_path.iterdir()) == []
    with storage.new_folder(target) as aside:
        storage.write_text(aside / "a", "1")
    with storage.new_folder(target) as aside:
        storage.write_text(aside / "b", "2")
    assert [path.name for path in target.iterdir()] == ["b"]
    with pytest.raises(RuntimeError, match="crash"):
        crash()
    assert [path.name for path in target.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_failed_replacement_puts_the_former_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "folder"
    with storage.new_folder(target) as aside:
        storage.write_text(aside / "old", "1")
    rename, calls = storage._rename, []

    def fail_second(source: Path, destination: Path) -> None:
        calls.append(source)
        if len(calls) == 3:  # the file, the former folder, then the new one
            raise OSError(28, "No space left on device")
        rename(source, destination)

    monkeypatch.setattr(storage, "_rename", fail_second)
    with pytest.raises(EnvironmentFault), storage.new_folder(target) as aside:
        storage.write_text(aside / "new", "2")
    assert [path.name for path in target.iterdir()] == ["old"]


def test_lines_are_appended_and_cut(tmp_path: Path):
    path = tmp_path / "lines"
    storage.append_line(path, "one")
    length = path.stat().st_size
    storage.append_line(path, "two\n")
    assert path.read_text() == "one\ntwo\n"
    storage.cut(path, length)
    storage.cut(path, 100)
    storage.cut(tmp_path / "missing", 0)
    assert path.read_text() == "one\n"


def test_sweeping_removes_only_what_was_half_written(tmp_path: Path):
    (tmp_path / f"{storage.TEMPORARY}a").mkdir()
    (tmp_path / f"{storage.TEMPORARY}b").write_text("")
    (tmp_path / "kept").write_text("")
    storage.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_under_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(EnvironmentFault, match=r"a file, not a folder.*--out"):
            storage.make_folder(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFault, match="not allowed"):
        storage.write_text(tmp_path / "a", "")


def test_removing_what_is_not_there_is_no_error(tmp_path: Path):
    storage.remove(tmp_path / "missing")
