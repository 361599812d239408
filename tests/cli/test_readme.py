"""What the README tells people to type exists."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from latentia.cli.app import app

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
LINES = [line for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]


def test_the_setup_is_two_commands_that_exist() -> None:
    setup = [line for line in LINES if not line.startswith("latentia")]
    assert len(setup) == 2
    for line in setup:
        python, script = shlex.split(line)
        assert python == "python3"
        assert (ROOT / script).is_file()


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("latentia")])
def test_every_command_line_parses(line: str) -> None:
    command = get_command(app)
    arguments = shlex.split(line)[1:]
    context = command.make_context("latentia", list(arguments))
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]  # pyright: ignore[reportAttributeAccessIssue]
    command.make_context(name, arguments, parent=context)


def test_the_python_is_python() -> None:
    examples = [text for kind, text in BLOCKS if kind == "python"]
    assert examples
    for text in examples:
        ast.parse(text)
