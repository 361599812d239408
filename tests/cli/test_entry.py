"""Every fault becomes one sentence on stderr and its exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from latentia import errors
from latentia.cli import entry


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code of a command that raises."""

    def dispatch(arguments: object) -> int:
        raise error

    monkeypatch.setattr(entry, "_dispatch", dispatch)
    return entry.run([])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (errors.DataError("no such file:\nx.npy"), 1, "latentia: error: no such file: x.npy\n"),
        (errors.ConfigError("no preset"), 2, "latentia: error: no preset\n"),
        (errors.DivergedError("infinite"), 3, "latentia: error: infinite\n"),
        (errors.Interrupted("interrupted after step 3"), 130, "latentia: interrupted after step 3\n"),
        (KeyboardInterrupt(), 130, "latentia: interrupted\n"),
        (BrokenPipeError(), 1, ""),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a/b"),
            1,
            f"latentia: error: cannot write a/b ({os.strerror(errno.ENOSPC)}): "
            "free some space, or send it to another place\n",
        ),
        (OSError(errno.EIO, "broken", "a/b"), 1, "latentia: error: broken: a/b\n"),
        (OSError("strange"), 1, "latentia: error: strange\n"),
    ],
)
def test_faults(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == said


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(monkeypatch, ModuleNotFoundError("No module named 'absent.inside'", name="absent.inside")) == 1
    said = capsys.readouterr().err
    assert "the package absent, which Latentia needs, is not installed" in said
    assert "python -m pip install latentia" in said and "Traceback" not in said
    for name in ("latentia.absent", "pytest.absent"):  # what is installed and lacks a module is a bug
        assert failing(monkeypatch, ModuleNotFoundError(f"No module named '{name}'", name=name)) == 1
        assert "is a bug in Latentia" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(monkeypatch, ZeroDivisionError("surprise")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert "ZeroDivisionError: surprise" in lines
    assert (
        lines[-1]
        == "latentia: error: this ZeroDivisionError is a bug in Latentia; please report it with the lines above"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train", "vae", "--epoch", "3"], "Did you mean '--epochs'?"),
        (["train"], "Missing argument"),
        (["train", "vae", "--epochs", "many"], "'--epochs'"),
        (["train", "vae", "--epochs", "nan"], "not a positive number"),
        (["train", "vae", "--epochs", "0"], "not a positive number"),
        (["train", "vae", "--steps", "0"], "'--steps'"),
        (["train", "vae", "--epochs", "1", "--steps", "1"], "--epochs and --steps exclude each other"),
        (["train", "vae", "--seeds", "0"], "'--seeds'"),
        (["train", "vae", "--seed", str(2**63 - 1), "--seeds", "2"], "seed"),
        (
            ["train", "vae", "--precision", "fp16"],
            "'--precision': 'fp16' is not one of 'auto', 'fp32', 'bf16'. Did you",
        ),
        (["evaluate", "somewhere", "--split", "valdi"], "'valdi' is not one of 'train', 'valid', 'test'. Did you mean"),
        (["evaluate", "somewhere", "--split", "TEST"], "Did you mean 'test'?"),
        (["train", "vae", "--epochs", "1e300"], "'--epochs': 1e+300 is more than 1,000,000"),
        (["train", "vae", "--steps", "9" * 20], "'--steps'"),
        (["train", "vae", "--seed", "9" * 20], "'--seed'"),
        (["resume", "somewhere", "--epochs", "1e300"], "'--epochs': 1e+300 is more than 1,000,000"),
        (["sample", "somewhere", "--temperature", "inf"], "neither 0 nor a positive number"),
        (["sample", "somewhere", "--temperature", "nan"], "neither 0 nor a positive number"),
        (["sample", "somewhere", "--temperature", "-0.5"], "neither 0 nor a positive number"),
        (["evaluate", "somewhere", "--importance-samples", "-1"], "'--importance-samples'"),
        (["reconstruct", "somewhere", "--split", "test", "--input", "x.npy"], "--split and --input exclude each other"),
        (["train", "vae", "--out", "~nouser/x"], "there is no home folder ~nouser for ~nouser/x"),
        (["train", "vae", "--data-dir", "~nouser"], "there is no home folder ~nouser"),
        (["demo", "--out", "~nouser/x"], "there is no home folder ~nouser"),
        (["resume", "~nouser/x"], "there is no home folder ~nouser"),
        (["evaluate", "~nouser/x"], "there is no home folder ~nouser"),
        (["reconstruct", "~nouser/x"], "there is no home folder ~nouser"),
        (["reconstruct", "somewhere", "--input", "~nouser/x.npy"], "there is no home folder ~nouser"),
        (["sample", "~nouser/x"], "there is no home folder ~nouser"),
        (["sample", "somewhere", "--out", "~nouser/x.png"], "there is no home folder ~nouser"),
        (["runs", "~nouser"], "there is no home folder ~nouser"),
        (["data", "shwo", "digits"], "Did you mean 'show'?"),
    ],
)
def test_usage_errors(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("latentia: error: ")
    assert said in captured.err
    assert "Value error" not in captured.err
    assert len(captured.err.splitlines()) <= 2


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = entry._show_warning
        warnings.warn("a density on 8-bit data", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "latentia: warning: a density on 8-bit data\n"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "latentia", *arguments]


def test_a_closed_pipe_is_quiet() -> None:
    with subprocess.Popen(command("presets"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_stdout_is_one_sentence() -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command("presets", "--json"), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr == (
        f"latentia: error: cannot print the result ({os.strerror(errno.ENOSPC)}): "
        "free some space, or send it to another place\n"
    )


def test_a_narrow_encoding_is_no_fault() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    result = subprocess.run(command("--help"), capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 0
    assert result.stderr == ""
