"""The command line, run as a person runs it: by subprocess, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment, with pages as wide as a terminal and warnings as errors."""
    return {**os.environ, "COLUMNS": "100", "PYTHONWARNINGS": "error", **variables}


@pytest.fixture(scope="session")
def latentia(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs ``latentia`` with some arguments; what it writes by default lands in a folder of its own."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def run(*arguments: object, cwd: Path = elsewhere, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "latentia", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, env=environment(**variables), timeout=300
        )

    return run


@pytest.fixture(scope="session")
def trained(latentia: Command, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A small trained VAE: its directory, and what ``train --json`` printed."""
    path = tmp_path_factory.mktemp("trained") / "run"
    result = latentia("train", "vae", "--steps", 30, "--seed", 1, "--device", "cpu", "--out", path, "--json")
    assert result.returncode == 0, result.stderr
    return path, json.loads(result.stdout)
