"""Fitting a prior from the command line, and drawing from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentia.cli import entry
from latentia.runs import fitting, pictures


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small autoencoder, whose pictures are not drawn."""
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    monkeypatch.setattr(pictures, "draw_samples", lambda path, *rest: path.write_bytes(b"PNG"))
    path = tmp_path / "a run"
    fitting.train("ae", directory=path, steps=5, device="cpu", settings=["model.latent_dim=4"])
    return path


def test_fit_and_sample(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["sample", str(run)]) == 2
    assert f"latentia fit-prior '{run}' gmm" in capsys.readouterr().err
    fit = ["fit-prior", str(run), "gmm", "--set", "components=2", "--seed", "1"]
    assert entry.run([*fit, "--json"]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["prior"] == "gmm" and report["seed"] == 1 and report["settings"]["components"] == 2
    assert Path(report["picture"]).is_file() and "fitting 2 Gaussians" in printed.err
    assert entry.run(fit) == 0
    told = capsys.readouterr().out
    assert "log density of the test part" in told and "--prior gmm" in told
    assert entry.run(["sample", str(run), "--n", "4", "--json"]) == 0
    sampled = json.loads(capsys.readouterr().out)
    assert sampled["prior"] == "gmm" and Path(sampled["array"]).name == "samples-gmm.npy"
    assert entry.run(["fit-prior", str(run), "gnm"]) == 2
    assert "Did you mean 'gmm'" in capsys.readouterr().err
