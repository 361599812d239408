"""The environment that the scripts make: whole, or refused; never in the place of somebody else's."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CREATE = venv.EnvBuilder.create
SCRIPTS = Path(__file__).parent.parent.parent / "scripts"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="builds environments out of links and shell scripts")


@pytest.fixture
def environment() -> ModuleType:
    """``scripts/environment.py``, imported anew."""
    spec = importlib.util.spec_from_file_location("environment", SCRIPTS / "environment.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where environments are made, in place of making them, which takes seconds."""
    places: list[Path] = []

    def create(builder: venv.EnvBuilder, folder: str) -> None:
        places.append(Path(folder))
        assert os.listdir(folder) == ["latentia-unfinished"]
        Path(folder, "pyvenv.cfg").touch()

    monkeypatch.setattr(venv.EnvBuilder, "create", create)
    return places


def bare(folder: Path) -> Path:
    """A virtual environment of the user's, without pip, as some tools make them."""
    CREATE(venv.EnvBuilder(with_pip=False, symlinks=True), folder)
    (folder / "mine.txt").write_text("precious")
    return folder


def old(folder: Path) -> Path:
    """A virtual environment of the user's, whose Python says that it is 3.9."""
    bare(folder)
    python = folder / "bin" / "python"
    python.unlink()
    older = "import sys; sys.version_info = (3, 9, 18); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{older}" "$2"\n')
    python.chmod(0o755)
    return folder


def dead(folder: Path) -> Path:
    """A virtual environment of the user's, whose Python has been uninstalled."""
    bare(folder)
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/nowhere/python3")
    return folder


@pytest.mark.parametrize(
    ("make", "said"), [(bare, "it has no pip"), (old, "its Python is 3.9"), (dead, "its Python does not start")]
)
def test_an_environment_of_the_users_is_never_replaced(
    environment: ModuleType,
    made: list[Path],
    make: Any,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = make(tmp_path / "theirs")
    before = sorted(folder.rglob("*"))
    monkeypatch.setenv("LATENTIA_VENV", str(folder))
    with pytest.raises(SystemExit) as stopped:
        environment.prepare()
    assert stopped.value.code == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert f"{folder} cannot be used: {said}" in sentence
    assert "LATENTIA_VENV" in sentence
    assert made == []
    assert sorted(folder.rglob("*")) == before
    assert (folder / "mine.txt").read_text() == "precious"


def test_a_whole_environment_is_used(environment: ModuleType) -> None:
    assert environment.fault(sys.prefix) is None


def test_a_folder_of_something_else_is_refused(
    environment: ModuleType, made: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diary.txt").touch()
    with pytest.raises(SystemExit):
        environment.create(str(tmp_path))
    assert "neither empty nor a virtual environment" in capsys.readouterr().err
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        environment.create(str(tmp_path / "file"))
    assert "could not be made" in capsys.readouterr().err
    assert made == []
    assert (tmp_path / "diary.txt").exists()


@pytest.mark.parametrize("there", [False, True])
def test_an_absent_or_empty_folder_is_filled(
    environment: ModuleType, made: list[Path], there: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "a" / "b"
    if there:
        folder.mkdir(parents=True)
    environment.create(str(folder))
    assert made == [folder]
    assert os.listdir(folder) == ["pyvenv.cfg"]


def test_what_was_left_unfinished_is_made_again(
    environment: ModuleType, made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "ours"

    def interrupted(builder: venv.EnvBuilder, place: str) -> None:
        (Path(place) / "lib").mkdir()
        (Path(place) / "lib64").symlink_to("lib")
        (Path(place) / "lib" / "half.py").touch()
        (Path(place) / "pyvenv.cfg").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(venv.EnvBuilder, "create", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.create(str(folder))
    assert (folder / "lib" / "half.py").exists()
    environment.create(str(folder))
    assert made == [folder]
    assert os.listdir(folder) == ["pyvenv.cfg"]


def test_an_environment_that_looks_whole_but_is_marked_is_made_again(
    environment: ModuleType, made: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "latentia-unfinished").touch()
    monkeypatch.setenv("LATENTIA_VENV", str(tmp_path))
    monkeypatch.setattr(environment, "fault", lambda folder: None)
    monkeypatch.setattr(environment, "install", lambda folder, extra: None)
    environment.prepare()
    assert made == [tmp_path]


@pytest.mark.parametrize("name", ["demo", "test"])
def test_the_scripts_say_so_too(name: str, tmp_path: Path) -> None:
    folder = bare(tmp_path / "theirs")
    result = subprocess.run(
        [sys.executable, str(SCRIPTS / name)],
        capture_output=True,
        text=True,
        env={**os.environ, "LATENTIA_VENV": str(folder)},
        check=False,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert "it has no pip" in result.stderr
    assert len(result.stderr.splitlines()) == 1
