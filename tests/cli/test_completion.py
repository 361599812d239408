"""What the shell completes, through the protocol that the installed completion speaks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from latentia.cli import completion
from latentia.data import SOURCES
from latentia.recipes import PRESETS

HARNESS = """
import sys
from latentia.cli import main
try:
    main()
finally:
    assert "torch" not in sys.modules and "numpy" not in sys.modules
"""


def complete(line: str, cwd: Path) -> list[str]:
    """The words that bash is offered at the end of a line."""
    environment = {
        **os.environ,
        "_LATENTIA_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    result = subprocess.run(
        [sys.executable, "-c", HARNESS], capture_output=True, text=True, env=environment, cwd=cwd, check=True
    )
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("latentia tr", ["train", "traverse"]),
        ("latentia train ae-", ["ae-2d", "ae-32"]),
        ("latentia presets beta-", ["beta-vae"]),
        ("latentia train vae --data fash", ["fashion-mnist"]),
        ("latentia data show dig", ["digits"]),
        ("latentia train vae --device cu", ["cuda"]),
        ("latentia train vae --set model.latent", ["model.latent_dim="]),
        ("latentia train ae --set objective.contr", ["objective.contractive="]),
        ("latentia evaluate --split v", ["valid"]),
    ],
)
def test_words(line: str, words: list[str], tmp_path: Path) -> None:
    assert complete(line, tmp_path) == words


def test_runs_and_files(tmp_path: Path) -> None:
    for name in ("runs/a", "runs/b", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "images.npy").touch()
    (tmp_path / "notes.txt").touch()
    assert complete("latentia evaluate ", tmp_path) == ["runs/a", "runs/b"]
    assert complete("latentia evaluate o", tmp_path) == ["other"]
    assert complete("latentia data show im", tmp_path) == ["images.npy"]
    assert complete("latentia data show no", tmp_path) == []


def test_every_name_is_offered() -> None:
    assert set(SOURCES) <= set(completion.sources(""))
    assert [name for name, _ in completion.presets("")] == list(PRESETS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(shell: str) -> None:
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "latentia", "--show-completion", shell]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "_LATENTIA_COMPLETE" in result.stdout
