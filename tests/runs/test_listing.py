from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentia.errors import ConfigError, DataError, RunError
from latentia.recipes.config import Config, make_config
from latentia.recipes.presets import PRESETS
from latentia.runs import fitting, seeds
from latentia.runs.directory import RunDirectory
from latentia.runs.listing import describe_data, describe_preset, list_runs, presets

SMALL = ["training.steps=2", "model.encoder.hidden=[4]", "model.decoder.hidden=[4]", "training.device=cpu"]


def test_what_is_no_run_says_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"there is no run .*nowhere: `latentia runs DIR` .* here there is no ./runs"):
        RunDirectory(Path("nowhere")).read_config()
    (tmp_path / "runs" / "vae").mkdir(parents=True)
    with pytest.raises(RunError, match=r"not a run, .*: `latentia runs` lists those in ./runs"):
        RunDirectory(Path("runs/vae")).read_config()
    (tmp_path / "runs" / "vae" / "config.toml").touch()
    with pytest.raises(RunError, match=r"is a file of a run: give the run's folder, .*vae"):
        RunDirectory(Path("runs/vae/config.toml")).read_config()


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_presets_description_is_its_config(name: str):
    described = describe_preset(name)
    assert make_config(described["config"]) == PRESETS[name].config()
    assert described["origins"]["training.epochs"] == "preset"
    assert described["origins"]["training.optimizer.beta1"] == "default"
    assert set(described["origins"].values()) == {"preset", "default"}
    assert described["notes"] == list(PRESETS[name].notes)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for key, value in values.items():
        pairs |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return pairs


@pytest.mark.parametrize("name", list(PRESETS))
def test_what_differs_from_the_defaults_is_said_to_be_the_presets(name: str):
    described, usual = describe_preset(name), flat(Config().model_dump(mode="json"))
    config = flat(described["config"])
    assert set(described["origins"]) == set(config)
    for key, value in config.items():
        if key in usual and value != usual[key] and described["origins"][key] == "default":
            part = key.rpartition(".")[0]  # one of another name, which has defaults of its own
            assert config[f"{part}.name"] != usual[f"{part}.name"], key
    for key, default in described["defaults"].items():
        assert described["origins"][key] == "preset" and default != config.get(key, {})
        assert default == usual.get(key, default)


def test_a_preset_names_the_others_of_the_same_system():
    assert describe_preset("ae")["same_as"] == ["ae-32"] and describe_preset("ae-32")["same_as"] == ["ae"]
    assert describe_preset("vae-2d")["same_as"] == []
    assert describe_preset("vae-2d")["defaults"]["training.optimizer.lr"] == 1e-3


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'conv-vae'"):
        describe_preset("convvae")


def test_presets_have_one_line_each():
    rows = presets()
    assert [row["name"] for row in rows] == list(PRESETS)
    assert all("\n" not in row["description"] and len(row["description"]) < 120 for row in rows)


def test_runs_are_listed_the_latest_first(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    for name in ("one", "two"):
        fitting.train("vae", arrays, directory=tmp_path / name, settings=SMALL)
    seeds.train_seeds("ae", arrays, seeds=2, directory=tmp_path / "many", settings=SMALL)
    (tmp_path / "not-a-run").mkdir()
    early, late = RunDirectory(tmp_path / "one"), RunDirectory(tmp_path / "two")
    for directory, beat in ((early, "2001-01-01T00:00:00+00:00"), (late, "2099-01-01T00:00:00+00:00")):
        status = directory.status()
        directory.status_file.write_text(json.dumps({**status, "heartbeat": beat}))
    rows = list_runs(tmp_path)
    names = [row["name"] for row in rows]
    assert names[0] == "two" and names[-1] == "one"
    assert set(names) == {"one", "two", os.path.join("many", "seed-0"), os.path.join("many", "seed-1")}
    one = rows[-1]
    assert one["state"] == "finished" and one["preset"] == "vae" and one["step"] == 2 and one["elbo"] < 0
    assert {row["elbo"] for row in rows if row["preset"] == "ae"} == {None}


def test_a_missing_folder_of_runs_is_named(tmp_path: Path):
    assert list_runs(tmp_path) == []
    with pytest.raises(RunError, match="no folder"):
        list_runs(tmp_path / "missing")


def test_data_are_described(tmp_path: Path):
    digits = describe_data("digits")
    assert digits["event_shape"] == [1, 8, 8] and len(digits["classes"]) == 10
    assert sum(part["n"] for part in digits["splits"].values()) == 1797
    assert sum(digits["splits"]["train"]["per_class"].values()) == digits["splits"]["train"]["n"]
    np.save(tmp_path / "table.npy", np.linspace(-1, 1, 30).reshape(10, 3))
    table = describe_data(str(tmp_path / "table.npy"))
    assert table["event_shape"] == [3] and table["low"] == -1 and table["high"] == 1 and table["classes"] == []
    with pytest.raises(ConfigError, match="Did you mean 'digits'"):
        describe_data("digit")
    with pytest.raises(ConfigError, match=r"data.size"):
        describe_data("digits", size=(0, 8))
    with pytest.raises(DataError):
        describe_data(str(tmp_path / "missing.npy"))


def test_data_are_drawn(tmp_path: Path):
    for name in ("cat", "dog"):
        for i in range(12):
            (tmp_path / "pets" / name).mkdir(parents=True, exist_ok=True)
            values = np.random.default_rng(i).integers(0, 256, (9, 8, 3), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "pets" / name / f"{i}.png")
    np.save(tmp_path / "table.npy", np.random.default_rng(0).normal(size=(30, 3)))
    for source, size in (("digits", None), (str(tmp_path / "pets"), (16, 12)), (str(tmp_path / "table.npy"), None)):
        described = describe_data(source, size=size, out=tmp_path / "new" / "sheet.png")
        assert described["picture"] == str(tmp_path / "new" / "sheet.png")
        with Image.open(described["picture"]) as picture:
            assert min(picture.size) > 200
    pets = describe_data(str(tmp_path / "pets"), size=(16, 12))
    assert pets["event_shape"] == [3, 16, 12] and pets["classes"] == ["cat", "dog"] and pets["picture"] is None
    with pytest.raises(ConfigError, match="png"):
        describe_data("digits", out=tmp_path / "sheet.jpg")
