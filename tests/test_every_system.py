"""The whole gallery on small digits: every published system is trained, and every command makes its files.

In one process and for a few steps each, so that it fits into every run of the tests. What commands compute is tested
beside their modules; here it is that each of them works on models of every kind, and leaves what it promises.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest

from latentia.cli import entry
from latentia.recipes import PUBLISHED
from latentia.runs.fitting import DEMO_SETTINGS

STEPS = 6
BRIEF = [
    *("--set", "training.threads=1", "--set", f"training.steps={STEPS}"),
    *("--set", "training.checkpoint_every=2", "--set", "training.keep_checkpoints=9"),  # for the movie
]
HAS_MNIST = (Path(os.environ.get("LATENTIA_DATA_DIR", "")) / "mnist").is_dir()

SERVES = {"studio"}  # which ends by Ctrl-C alone; see tests/studio
LECTURE = ("ae-2d", "vae-2d", "vae-2d-w100", "conv-ae-4x4x4", "conv-vae-4x4x4")
USES: list[tuple[str, list[str], set[str]]] = [
    # runs, by the names of their systems; the command with RUN where they stand; the endings of what it must write
    ("vae-400-20", ["evaluate", "RUN", "--importance-samples", "2"], set()),
    ("vae-256-64-10-faithful", ["doctor", "RUN"], set()),
    ("conv-ae-64", ["reconstruct", "RUN"], {".png"}),
    ("vq-vae-512x64", ["reconstruct", "RUN", "--split", "train"], {".png"}),
    ("vae-400-20", ["sample", "RUN", "--n", "64"], {".png", ".npy"}),
    ("conditional-vae-20", ["sample", "RUN", "--class", "7"], {".png", ".npy"}),
    ("vae-256-256-20", ["interpolate", "RUN", "--from", "3", "--to", "8"], {".png", ".gif"}),
    ("conv-vae-32", ["interpolate", "RUN", "--images", "1", "2", "--path", "spherical"], {".png", ".gif"}),
    ("beta4-vae-10", ["traverse", "RUN"], {".png"}),
    ("vae-2d", ["manifold", "RUN", "--size", "8"], {".png"}),
    ("ae-2d", ["manifold", "RUN", "--range", "-3", "3", "--size", "8"], {".png"}),
    ("vae-2d", ["decode", "RUN", "-3,2"], {".png", ".npy"}),
    ("vae-256-64-10", ["arithmetic", "RUN", "9 - 4 + 1"], {".png"}),
    ("vae-2d-w100", ["embed", "RUN", "--latents", "sample"], {".png", ".csv", ".npz"}),
    ("conv-vae-4x4x4", ["embed", "RUN", "--projection", "tsne", "--n", "100"], {".png", ".csv", ".npz"}),
    ("denoising-ae-64", ["denoise", "RUN"], {".png"}),
    ("denoising-conv-ae", ["denoise", "RUN", "--corruption", "masking"], {".png"}),
    ("vae-400-20", ["anomaly", "RUN", "--normal", "0"], {".png", ".csv"}),
    (" ".join(LECTURE), ["compare", "RUN", "--points", "100", "--out", "compared"], {".png"}),
    ("ae-2d", ["movie", "RUN", "--n", "100", "--images", "4"], {".gif"}),
    ("vae-400-20", ["classify", "RUN", "--draws", "1", "--method", "nearest"], {".png"}),
    ("ae-32", ["fit-prior", "RUN", "gmm", "--set", "components=3"], {".png"}),
    ("sparse-ae-64", ["fit-prior", "RUN", "diffusion", "--set", "training.steps=5"], {".png"}),
    ("vq-vae-512x64", ["fit-prior", "RUN", "autoregressive", "--set", "training.steps=5"], {".png"}),
    ("ae-32", ["sample", "RUN", "--prior", "gmm"], {".png", ".npy"}),
    ("vae-400-20", ["export", "onnx", "RUN"], {".onnx"}),
    ("vq-vae-512x64", ["export", "onnx", "RUN", "--out", "graphs"], {".onnx"}),
    ("vae-2d", ["export", "page", "RUN"], {".html"}),
    ("vae-400-20", ["resume", "RUN"], set()),
    ("", ["train", "m1", *BRIEF, "--out", "trained"], set()),
    ("", ["demo", "--out", "demo"], set()),
    ("", ["demonstrate", "reparameterisation"], {".png"}),
    ("", ["demonstrate", "reductions"], {".png"}),
    ("", ["demonstrate", "beta-sweep", "--steps", "5", "--beta", "0.5", "--beta", "2"], {".png"}),
    ("", ["data", "show", "digits", "--out", "digits.png"], {".png"}),
    ("", ["presets"], set()),
    ("", ["runs", "gallery/runs/vae-2d"], set()),
]


class Shell:
    """Runs commands in this process and reads the document that each prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.used: set[str] = set()

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        self.used.add(" ".join(arguments[:2]))
        self.used.add(arguments[0])
        found = entry.run([*arguments, "--json"])
        captured = self.capsys.readouterr()
        assert found == code, f"latentia {' '.join(arguments)}: {captured.err}"
        return json.loads(captured.out) if code == 0 else captured.err


def commands(group: Any) -> Iterator[str]:
    """The commands that help lists; of a group such as ``data``, its own commands."""
    for name, command in group.commands.items():
        yield from (f"{name} {below}" for below in commands(command)) if hasattr(command, "commands") else [name]


def files(value: Any) -> Iterator[Path]:
    """Every path that a document names."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from files(one)
    elif isinstance(value, str) and Path(value).suffix in {".png", ".gif", ".npy", ".npz", ".csv", ".onnx", ".html"}:
        yield Path(value)


def check_file(path: Path) -> None:
    assert path.stat().st_size > 100, path
    if path.suffix == ".png":
        pixels = matplotlib.image.imread(path)
        assert pixels.std() > 0.01, f"{path} is blank"
        assert min(pixels.shape[:2]) > 50, f"{path} is tiny"


def check_run(path: Path, steps: int) -> None:
    """A finished run with a report and pictures."""
    assert json.loads((path / "status.json").read_text())["state"] == "finished", path
    assert (path / "model" / "model.safetensors").is_file(), path
    page = (path / "report.html").read_text()
    assert "data:image/png" in page and "<h2>Health</h2>" in page, path
    for name in ("samples/reconstructions.png", "plots/curves.png"):
        check_file(path / name)
    assert json.loads((path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == steps


def test_the_whole_gallery(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(DEMO_SETTINGS, "training.epochs", 10)  # tests/cli/test_commands.py runs all 200
    latentia = Shell(capsys)
    records = latentia("reproduce", "--quick", "--data", "digits", "--seeds", "1", "--out", "gallery", *BRIEF)
    assert [record["name"] for record in records] == list(PUBLISHED)
    runs = {}
    for record in records:
        name = record["name"]
        runs[name] = f"gallery/runs/{name}/seed-0"
        assert record["mean"] == record["mean"] and record["holds"] is None, name  # not NaN; on digits nothing compares
        assert json.loads(Path(f"gallery/{name}.json").read_text()) == record
        check_run(Path(runs[name]), STEPS)
    for names, command, endings in USES:
        own = [runs[name] for name in names.split()]
        words = [word for part in command for word in (own if part == "RUN" else [part])]
        document = latentia(*words)
        made = list(files(document))
        assert endings <= {path.suffix for path in made}, f"latentia {' '.join(words)}: made {made}"
        for path in made:
            check_file(path)
    check_run(Path("trained"), STEPS)
    assert (Path("demo") / "report.html").is_file()
    if HAS_MNIST:
        latentia("train", "vae-400-20", "--data", "mnist", "--out", "digits", *BRIEF)
        assert latentia("judge", "digits", "--n", "128")["n"] == 128
    else:
        assert "MNIST's digits only" in latentia("judge", runs["vae-400-20"], code=2)
    assert not set(commands(_app())) - latentia.used - SERVES, "a command is missing here"


def _app() -> Any:
    from typer.main import get_command

    from latentia.cli.app import app

    return get_command(app)
