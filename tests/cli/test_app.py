"""Help, version, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import latentia

COMMANDS = [
    "demo",
    "train",
    "resume",
    "fit-prior",
    "evaluate",
    "reconstruct",
    "denoise",
    "sample",
    "presets",
    "runs",
    "data",
    "data show",
]
HEAVY = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "safetensors", "pooch"}
HARNESS = """
import json, sys
from latentia.cli.entry import run
try:
    code = run(sys.argv[1:])
finally:
    print(json.dumps(sorted(name for name in sys.modules if "." not in name)), file=sys.stderr)
sys.exit(code)
"""


def run_and_list(*arguments: str, **variables: str) -> tuple[str, set[str]]:
    """What a command prints, and the heavy packages that it imports."""
    result = subprocess.run(
        [sys.executable, "-c", HARNESS, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    return result.stdout, HEAVY & set(json.loads(result.stderr.splitlines()[-1]))


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_imports_nothing_heavy(command: str, flag: str) -> None:
    stdout, imported = run_and_list(*command.split(), flag)
    assert " ".join(["Usage: latentia", *command.split()]) in stdout
    assert imported == set()


def test_help_names_every_command() -> None:
    stdout, _ = run_and_list("--help", COLUMNS="100")
    for command in COMMANDS:
        assert command.split()[0] in stdout


def test_version() -> None:
    stdout, imported = run_and_list("--version")
    assert stdout == f"latentia {latentia.__version__}\n"
    assert imported == set()


def test_a_python_module_is_the_same_command() -> None:
    result = subprocess.run([sys.executable, "-m", "latentia", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout == f"latentia {latentia.__version__}\n"


def test_no_command_shows_the_help() -> None:
    result = subprocess.run([sys.executable, "-m", "latentia"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "Usage: latentia" in result.stdout + result.stderr
