"""Where a command starts and ends: every fault becomes one sentence on stderr and an exit code.

Owns the exit codes and what is said beside them; knows no command.
"""

from __future__ import annotations

import gc
import io
import os
import re
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, TextIO

from latentia.errors import ConfigError, EnvironmentFault, Interrupted, LatentiaError, ProcessLost, did_you_mean
from latentia.storage import is_full
from latentia.training.launch import launched

_CHOICE = re.compile(r"'(?P<word>[^']*)' is not one of (?P<options>'.*')\.$")
_SHARED = ("train", "resume")  # what several processes can do together
USAGE = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command in ``sys.argv`` and leave the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character gets a question mark
            stream.reconfigure(errors="replace")
    warnings.showwarning = _show_warning
    code = run(sys.argv[1:])
    _flush_or_discard(sys.stdout)
    _flush_or_discard(sys.stderr)
    if _is_one_of_several():
        os._exit(code)  # all is written; to close what joined it to processes that may be gone could take long
    gc.freeze()  # so that what is left is not looked through once more: most of a second after a compilation
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        arguments: What stands after ``latentia`` on the command line.

    Returns:
        The exit code: 0 done; 1 data, run, checkpoint or environment at fault; 2 the command line or config at
        fault; 3 diverged; 130 interrupted.
    """
    try:
        _check_processes(arguments)
        code = _dispatch(arguments)
        sys.stdout.flush()  # here, where a full disk or a closed pipe behind stdout can still be told
        return code
    except Interrupted as interruption:
        return _say(str(interruption), interruption.exit_code)
    except ProcessLost as error:
        return error.exit_code if error.told else _say(f"error: {error}", error.exit_code, anyway=True)
    except LatentiaError as error:
        return _say(f"error: {error}", error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read the result has seen enough
        return LatentiaError.exit_code
    except OSError as error:
        return _say(f"error: {_explain(error)}", LatentiaError.exit_code)
    except Exception as error:
        if _is_usage_error(error):
            return _say_usage(error)
        if (package := _missing_package(error)) is not None:
            return _say(
                f"error: the package {package}, which Latentia needs, is not installed for this Python "
                f"({sys.executable}): `python -m pip install latentia` brings all that it needs",
                EnvironmentFault.exit_code,
            )
        traceback.print_exc()
        kind = type(error).__name__
        return _say(f"error: this {kind} is a bug in Latentia; please report it with the lines above", 1)


def _check_processes(arguments: Sequence[str]) -> None:
    """Refuse to do something as often as there are processes."""
    world, command = launched().world, arguments[0] if arguments else ""
    if world > 1 and command not in _SHARED and not command.startswith("-"):
        raise ConfigError(
            f"`latentia {command}` is for one process, and torchrun started {world}: run it without torchrun, which is "
            f"for {' and '.join(_SHARED)}"
        )


def _explain(error: OSError) -> str:
    """What the operating system refused; files are written by ``storage``, so that one without a name is stdout."""
    words = error.strerror or str(error)
    if is_full(error):
        place = f"write {error.filename}" if error.filename else "print the result"
        return f"cannot {place} ({words}): free some space, or send it to another place"
    return f"{words}: {error.filename}" if error.filename else words


def _dispatch(arguments: Sequence[str]) -> int:
    from typer.main import get_command

    from latentia.cli.app import app

    code = get_command(app).main(list(arguments), prog_name="latentia", standalone_mode=False)
    if code == INTERRUPTED:
        return _say("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _missing_package(error: Exception) -> str | None:
    """The package whose absence an error tells of; ``None`` where it tells of something else.

    What is optional is named where it is used, with the extra that brings it, so that this one is required.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    package = error.name.partition(".")[0]
    return None if package == "latentia" or package in sys.modules or find_spec(package) else package


def _is_usage_error(error: Exception) -> bool:
    """Typer's own errors, told by what they can do: their class has moved between its versions."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _say_usage(error: Any) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        if error.message:
            print(error.message, file=sys.stderr)
        return USAGE
    option = getattr(error, "option_name", None)
    if option is not None and getattr(error, "possibilities", None) is not None:
        message = f"there is no option {option}.{did_you_mean(option, error.possibilities)}"
    else:
        message = error.format_message().replace("Value error, ", "", 1)
        if choice := _CHOICE.search(message):
            message += did_you_mean(choice["word"], re.findall(r"'([^']*)'", choice["options"]))
    _say(f"error: {message}", USAGE)
    if context is not None:
        print(f"See `{context.command_path} --help`.", file=sys.stderr)
    return USAGE


def _say(message: str, code: int, *, anyway: bool = False) -> int:
    """Print one line about the command and return the exit code; of several processes, only process 0 prints."""
    if not (anyway or _is_main()):
        return code
    with suppress(OSError):  # nobody listens
        print(f"latentia: {' '.join(message.split())}", file=sys.stderr)
    return code


def _is_main() -> bool:
    try:
        return launched().main
    except LatentiaError:  # which is what is to be said
        return True


def _is_one_of_several() -> bool:
    try:
        return launched().world > 1
    except LatentiaError:
        return False


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as a line of its own, without the place in the code that raised it."""
    _say(f"warning: {message}", 0)


def _flush_or_discard(stream: TextIO) -> None:
    """Flush a stream; if nobody takes what it holds, drop that, so that the interpreter does not complain at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
