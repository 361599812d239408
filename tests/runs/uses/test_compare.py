"""Several runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentia as lt
from latentia.errors import ConfigError

QUICK = {"training.threads": 1, "training.device": "cpu"}


def test_the_figures_are_those_of_the_runs(vae: lt.Run, ae: lt.Run, tmp_path: Path) -> None:
    found = lt.compare([vae, ae], n=3, points=20, projection="pca", out=tmp_path)
    assert found.names == ["vae", "ae"]
    for run, row, x_hat in zip((vae, ae), found.rows, found.reconstructions, strict=True):
        value = run.measure("test")
        assert row["mse"] == pytest.approx(value["mse"])
        assert row["squared_error"] == pytest.approx(64 * value["mse"])
        assert (row["rate"], row["elbo"]) == (value["rate"], value["elbo"])
        assert torch.allclose(x_hat, run.reconstruct(3, write=False).reconstruction, atol=1e-6)
    assert found.comparable["mse"]
    assert not found.comparable["distortion"]
    assert found.comparable["elbo"]  # only one run has one
    assert any(note == "ae has no prior, hence no rate and no elbo" for note in found.notes)
    assert any("bernoulli" in note and "gaussian" in note for note in found.notes)
    value = json.loads((tmp_path / "compare.json").read_text())
    assert value["n"] == len(vae.dataset.split("test"))
    for name in ("images", "latents"):
        assert Path(value[name] or found.files[name]).read_bytes()[1:4] == b"PNG"


def test_different_likelihoods_have_no_common_elbo(labelled: dict[str, Any], vae: lt.Run) -> None:
    settings = {**QUICK, "model.likelihood.name": "gaussian"}
    other = lt.train("vae", labelled, steps=3, directory=None, settings=settings)
    found = lt.compare([vae, other], points=20, latents="sample", projection="pca", write=False)
    assert not found.comparable["elbo"]
    assert found.names[0] != found.names[1]
    assert found.rows[0]["beta_effective"] == 1.0


def test_new_data_and_paths(vae: lt.Run, labelled: dict[str, Any], tmp_path: Path) -> None:
    np.save(tmp_path / "new.npy", labelled["x_test"][:7])
    second = lt.train("vae", labelled, steps=3, directory=None, settings=QUICK)
    assert vae.path is not None
    found = lt.compare([vae.path, second], input=tmp_path / "new.npy", projection="pca", write=False)
    assert (found.n, len(found.x)) == (7, 6)
    listed = vae.reconstruct(7, write=False)
    assert found.rows[0]["mse"] == pytest.approx(listed.mse, rel=1e-5)


def test_runs_on_different_data_are_refused(vae: lt.Run, table: lt.Run, labelled: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="at least two"):
        lt.compare([vae])
    with pytest.raises(ConfigError, match="on data of one shape"):
        lt.compare([vae, table])
    binary = lt.train("vae", labelled, steps=2, directory=None, settings={**QUICK, "data.binarize": "threshold"})
    with pytest.raises(ConfigError, match="prepare their data differently"):
        lt.compare([vae, binary])
    less = {**labelled, "x_test": labelled["x_test"][:9], "y_test": labelled["y_test"][:9]}
    other = lt.train("vae", less, steps=2, directory=None, settings=QUICK)
    with pytest.raises(ConfigError, match="are not the same"):
        lt.compare([vae, other])
