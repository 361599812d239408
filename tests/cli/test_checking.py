"""The commands that judge a run."""

from __future__ import annotations

import json


def test_doctor(latentia, tmp_path):
    settings = ["model.latent_dim=2", "model.likelihood.name=gaussian", "objective.beta=50.0", "training.threads=1"]
    path = tmp_path / "run"
    sets = [word for setting in settings for word in ("--set", setting)]
    result = latentia("train", "vae", "--epochs", 20, *sets, "--out", path, "--json")
    assert result.returncode == 0, result.stderr
    result = latentia("doctor", path, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["state"] == "finished" and not found["healthy"]
    assert found["findings"][0]["name"] == "posterior-collapse" and found["findings"][0]["evidence"]["rate"] < 0.1
    result = latentia("doctor", path)
    assert result.returncode == 0 and result.stderr == ""
    assert "posterior-collapse (severe)" in result.stdout and "--set objective.beta=1.0" in result.stdout
