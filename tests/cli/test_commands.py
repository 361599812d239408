"""Each command, run for real on the embedded digits."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentia.cli import printing
from latentia.recipes import PRESETS, make_config

Trained = tuple[Path, dict[str, Any]]
SUMMARY = {
    "run", "preset", "data", "epochs", "steps", "parameters", "device", "precision", "compiled", "images_per_second",
    "seconds", "test",
}  # fmt: skip
EVALUATION = {
    "split", "n", "elbo", "distortion", "rate", "nll", "importance_samples", "nll_standard_error", "bits_per_dim",
    "active_units", "latent_dim", "mse", "psnr", "beta_effective", "protocol",
}  # fmt: skip


def document(result: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on stdout of a command that went well."""
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The one sentence on stderr of a command that was refused."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("latentia: error: ")
    return last


# -- train ----------------------------------------------------------------------------------------------------------


def test_train_shows_where_the_time_went(latentia: Any, tmp_path: Path) -> None:
    result = latentia("train", "vae", "--steps", 12, "--profile", "--out", "run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    profile = json.loads((tmp_path / "run" / "profile.json").read_text())
    assert profile["stages"][0]["stage"] == "start-up" and profile["stages"][0]["seconds"] > 0.1
    for row in (*profile["stages"], *({"stage": row["operator"]} for row in profile["operators"]["rows"])):
        assert row["stage"] in result.stdout
    assert "ms per step" in result.stdout and "USDT" not in result.stderr
    assert "--profile and --seeds exclude each other" in refused(
        latentia("train", "vae", "--seeds", 2, "--profile", cwd=tmp_path), 2
    )


def test_train_prints_its_summary(trained: Trained) -> None:
    path, summary = trained
    assert set(summary) >= SUMMARY
    assert summary["preset"] == "vae"
    assert summary["data"] == "digits"
    assert summary["steps"] == 30
    assert Path(summary["run"]) == path
    test = summary["test"]
    assert test["elbo"] == pytest.approx(-(test["distortion"] + test["rate"]))
    for name in ("config.toml", "meta.json", "metrics.jsonl", "model/model.safetensors", "report.html"):
        assert (path / name).exists()


def test_train_for_a_person(latentia: Any, tmp_path: Path) -> None:
    result = latentia("train", "ae", "--epochs", 2, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert f"runs/{run.name}" in result.stdout
    assert "ae on digits" in result.stdout
    assert "mse" in result.stdout
    assert [line for line in result.stderr.splitlines() if line.startswith("epoch 1 ")]
    assert not [line for line in result.stdout.splitlines() if line.startswith("epoch")]


def test_train_from_a_printed_preset(latentia: Any, tmp_path: Path) -> None:
    printed = latentia("presets", "conv-vae")
    assert printed.returncode == 0, printed.stderr
    assert make_config(tomllib.loads(printed.stdout)) == PRESETS["conv-vae"].config()
    (tmp_path / "mine.toml").write_text(printed.stdout)
    settings = ["--set", "model.encoder.channels=[4]", "--set", "model.decoder.channels=[4]"]
    summary = document(latentia("train", "mine.toml", "--steps", 2, *settings, "--json", cwd=tmp_path))
    assert summary["steps"] == 2
    again = tomllib.loads((tmp_path / summary["run"] / "config.toml").read_text())
    assert again["model"]["encoder"]["channels"] == [4]


@pytest.mark.parametrize(
    ("preset", "data", "settings"),
    [
        ("vae", "unit", []),
        ("ae", "unit", []),
        ("vae", "measured", ["model.likelihood.name=gaussian"]),
        ("ae", "measured", ["model.likelihood.loc_activation=identity"]),
        ("vae", "counted", ["data.scale=unit"]),
        ("ae", "counted", ["data.scale=unit"]),
    ],
)
def test_train_on_a_table(latentia: Any, tmp_path: Path, preset: str, data: str, settings: list[str]) -> None:
    random = np.random.default_rng(0)
    table = {
        "unit": random.random((50, 7)).astype(np.float32),
        "measured": random.normal(size=(50, 7)).astype(np.float32),
        "counted": random.integers(0, 4, size=(200, 7)),
    }[data]
    np.save(tmp_path / "table.npy", table)
    assignments = [word for setting in settings for word in ("--set", setting)]
    summary = document(
        latentia("train", preset, "--data", "table.npy", "--steps", 3, *assignments, "--json", cwd=tmp_path)
    )
    assert summary["steps"] == 3
    if data == "measured":  # refused as it is, as the README says
        refused(latentia("train", preset, "--data", "table.npy", "--steps", 3, "--json", cwd=tmp_path), 2)


@pytest.mark.parametrize("preset", ["conv-ae", "conv-vae"])
def test_a_convolutional_preset_refuses_a_table(latentia: Any, tmp_path: Path, preset: str) -> None:
    np.save(tmp_path / "table.npy", np.random.default_rng(0).random((50, 7)))
    assert "images" in refused(latentia("train", preset, "--data", "table.npy", "--json", cwd=tmp_path), 2)


def test_a_stray_file_does_not_stand_in_for_a_preset(latentia: Any, tmp_path: Path) -> None:
    (tmp_path / "ae").touch()
    assert document(latentia("train", "ae", "--steps", 1, "--json", cwd=tmp_path))["preset"] == "ae"
    assert not list((tmp_path / "runs").glob("*-model"))


def test_train_over_seeds(latentia: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = document(latentia("train", "ae", "--steps", 3, "--seeds", 2, "--json", cwd=tmp_path))
    assert len(summary["runs"]) == 2
    values = summary["test"]["mse"]["values"]
    assert summary["test"]["mse"]["mean"] == pytest.approx(sum(values) / 2)
    assert values[0] != values[1]
    printing.trained_seeds(summary)
    lines = capsys.readouterr().out.splitlines()
    assert "standard deviation" in lines[1]
    assert [line.split()[0] for line in lines[2:]] == ["distortion", "mse", "run", "run", "time"]


def test_seeds_count_from_the_first_and_go_side_by_side(latentia: Any, tmp_path: Path) -> None:
    small = ["--set", "training.threads=1", "--set", "model.encoder.hidden=[4]", "--set", "model.decoder.hidden=[4]"]
    arguments = ["train", "ae", "--steps", 3, "--seed", 4, "--seeds", 2, *small, "--out", "both"]
    result = latentia(*arguments, cwd=tmp_path, OMP_NUM_THREADS="2")
    assert result.returncode == 0, result.stderr
    assert "2 seeds, side by side in processes of their own, with 1, 1 threads" in result.stderr
    for seed in (4, 5):
        assert f"seed {seed}: training ae on digits: 3 steps" in result.stderr
        assert f"run       both/seed-{seed}" in result.stdout
    assert "over seeds" in result.stdout and "standard deviation" in result.stdout
    again = document(latentia("resume", "both", "--json", cwd=tmp_path))
    assert again["seeds"] == [4, 5] and [Path(run["run"]).name for run in again["runs"]] == ["seed-4", "seed-5"]
    assert "go on with them by `latentia resume" in refused(latentia(*arguments, cwd=tmp_path), 1)
    assert "name one of them, such as" in refused(latentia("evaluate", "both", cwd=tmp_path), 1)
    assert "--epochs is for one run" in refused(latentia("resume", "both", "--epochs", 9, cwd=tmp_path), 2)


def test_a_seed_that_fails_is_told_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentia.cli import entry
    from latentia.errors import DivergedError
    from latentia.runs import pictures, seeds

    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    completed = seeds.completed

    def diverging(config: Any, *arguments: Any, **more: Any) -> Any:
        if config.seed == 1:
            raise DivergedError("the loss became NaN")
        return completed(config, *arguments, **more)

    monkeypatch.setattr(seeds, "completed", diverging)
    arguments = ["train", "ae", "--steps", "2", "--seeds", "3", "--out", str(tmp_path / "runs"), "--json"]
    assert entry.run(arguments) == 3
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["seeds"] == [0, 2] and len(summary["test"]["mse"]["values"]) == 2
    assert summary["failed"] == [{"seed": 1, "error": "the loss became NaN", "exit_code": 3}]
    assert captured.err.endswith("latentia: error: seed 1: the loss became NaN; the other 2 are finished\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["conv-vea"], 2, "Did you mean 'conv-vae'?"),
        (["vae", "--data", "fashion-mnits"], 2, "Did you mean 'fashion-mnist'?"),
        (["vae", "--data", "nowhere.npy"], 1, "nowhere.npy"),
        (["vae", "--set", "training.batchsize=3"], 2, "Did you mean 'training.batch_size'?"),
        (["vae", "--set", "training.batch_size"], 2, "--set"),
        (["vae", "--set", "training.batch_size=0"], 2, "training.batch_size"),
        (["nowhere.toml"], 2, "nowhere.toml"),
        (["vae", "--device", "gpu"], 2, "gpu"),
        (["vae", "--steps", "1", "--out", "file/run"], 1, "file"),
        (["vae", "--steps", "1", "--out", "full"], 1, "full"),
        (["vae", "--steps", "50", "--set", "training.optimizer.lr=1e18"], 3, "NaN or infinite"),
    ],
)
def test_train_refuses(latentia: Any, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").touch()
    assert said in refused(latentia("train", *arguments, "--json", cwd=tmp_path), code)


# -- resume ---------------------------------------------------------------------------------------------------------


def test_resuming_a_finished_run_changes_nothing(latentia: Any, trained: Trained) -> None:
    path, summary = trained
    assert document(latentia("resume", path, "--json"))["test"] == summary["test"]


def test_an_interrupted_run_goes_on(latentia: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "latentia", "train", "vae", "--epochs", "100", "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        while not process.stderr.readline().startswith("epoch"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 130
    assert "Traceback" not in told
    assert told.splitlines()[-1].startswith("latentia: interrupted")
    state = json.loads((tmp_path / "run" / "status.json").read_text())
    assert state["step"] > 0
    resumed = latentia("resume", tmp_path / "run", "--epochs", 101, "--json")
    assert document(resumed)["epochs"] == pytest.approx(101, abs=1)
    assert "going on after step" in resumed.stderr


# -- the uses of a run ----------------------------------------------------------------------------------------------


def test_evaluate(latentia: Any, trained: Trained) -> None:
    path, summary = trained
    result = document(latentia("evaluate", path, "--importance-samples", 10, "--json"))
    assert set(result) >= EVALUATION
    assert result["elbo"] == pytest.approx(summary["test"]["elbo"], abs=1e-3)
    assert result["importance_samples"] == 10
    assert "over_seeds" not in result
    assert result["nll"] <= -result["elbo"] + 1.0
    assert result["protocol"]["likelihood_normalised"] is False


def test_evaluate_for_a_person(latentia: Any, trained: Trained) -> None:
    result = latentia("evaluate", trained[0], "--importance-samples", 10, "--split", "train")
    assert result.returncode == 0, result.stderr
    assert "nats per sample" in result.stdout
    assert "no normalised likelihood" in result.stdout


def test_evaluate_over_seeds(latentia: Any, trained: Trained) -> None:
    arguments = ["evaluate", trained[0], "--importance-samples", 2, "--seeds", 3]
    result = document(latentia(*arguments, "--json"))
    assert result["split"] == "test"
    for name in ("elbo", "nll"):  # both rest on random draws
        spread = result["over_seeds"][name]
        assert len(set(spread["values"])) == 3
        assert result[name] == pytest.approx(np.mean(spread["values"]))
        assert spread["standard_deviation"] == pytest.approx(np.std(spread["values"], ddof=1))
    shown = latentia(*arguments)
    assert shown.returncode == 0, shown.stderr
    assert "over seeds" in shown.stdout


@pytest.mark.parametrize(("command", "count"), [("reconstruct", 5), ("sample", 9)])
def test_pictures(latentia: Any, trained: Trained, tmp_path: Path, command: str, count: int) -> None:
    result = document(latentia(command, trained[0], "--n", count, "--json"))
    picture = Path(result["picture"])
    assert picture.is_relative_to(trained[0])
    with Image.open(picture) as image:
        assert min(image.size) > 50
    shown = latentia(command, trained[0], "-n", 2, "--out", tmp_path / "mine.png")
    assert shown.returncode == 0, shown.stderr
    assert str(tmp_path / "mine.png") in shown.stdout
    assert (tmp_path / "mine.png").exists()


def test_sample_at_temperature_zero(latentia: Any, trained: Trained, tmp_path: Path) -> None:
    arguments = ["--n", 3, "--temperature", 0, "--out", tmp_path / "mean.png", "--json"]
    result = document(latentia("sample", trained[0], *arguments))
    assert result["temperature"] == 0
    x = np.load(result["array"])
    assert len(x) == 3
    np.testing.assert_allclose(x, x[:1].repeat(3, 0), atol=1e-6)  # the prior's mean, decoded each time


def test_reconstruct_new_images(latentia: Any, trained: Trained, tmp_path: Path) -> None:
    np.save(tmp_path / "new.npy", np.zeros((3, 8, 8), np.uint8))
    arguments = ["--input", tmp_path / "new.npy", "--out", tmp_path / "new.png", "--json"]
    result = document(latentia("reconstruct", trained[0], *arguments))
    assert len(result["errors"]) == 3
    Image.new("L", (8, 8), 100).save(tmp_path / "new one.png")
    shown = latentia("reconstruct", trained[0], "--input", tmp_path / "new one.png", "--out", tmp_path / "a b.png")
    assert shown.returncode == 0, shown.stderr
    assert shlex.quote(str(tmp_path / "a b.png")) in shown.stdout
    np.save(tmp_path / "wrong.npy", np.zeros((3, 9, 9), np.uint8))
    refused(latentia("reconstruct", trained[0], "--input", tmp_path / "wrong.npy"), 1)


@pytest.mark.parametrize("command", ["evaluate", "reconstruct", "sample", "resume"])
def test_a_missing_run_is_refused(latentia: Any, tmp_path: Path, command: str) -> None:
    assert "nowhere" in refused(latentia(command, "nowhere", cwd=tmp_path), 1)


def test_a_part_that_is_not_there_is_refused(latentia: Any, trained: Trained) -> None:
    assert "valid" in refused(latentia("evaluate", trained[0], "--split", "valid"), 1)


# -- looking things up ----------------------------------------------------------------------------------------------


def test_presets(latentia: Any) -> None:
    rows = document(latentia("presets", "--json"))
    assert [row["name"] for row in rows] == list(PRESETS)
    shown = latentia("presets")
    for row in rows:
        assert row["name"] in shown.stdout
        assert row["description"] in shown.stdout


def test_one_preset(latentia: Any) -> None:
    described = document(latentia("presets", "vae", "--json"))
    assert described["config"]["model"]["latent_dim"] == 20
    assert "Did you mean 'vae'?" in refused(latentia("presets", "vea"), 2)


def test_a_printed_preset_says_where_each_value_comes_from(latentia: Any) -> None:
    lines = latentia("presets", "ae-2d").stdout.splitlines()
    assert lines[1] == f"# From: {PRESETS['ae-2d'].source}"
    assert [line for line in lines if line.startswith("# Note: The notebook evaluates on the test images")]
    for line in [
        "lr = 0.0005  # from the preset; the default is 0.001",
        "latent_dim = 2  # from the preset; the default is 20",
        "steps = 25000  # from the preset; the default is none",
        "name = \"gaussian\"  # from the preset; the default is 'bernoulli'",
        "scale = 1.0  # from the preset",
        "beta1 = 0.9",
    ]:
        assert line in lines
    assert "# The same system: ae-32" in latentia("presets", "ae").stdout


def test_runs(latentia: Any, trained: Trained, tmp_path: Path) -> None:
    (row,) = document(latentia("runs", trained[0].parent, "--json"))
    assert row["name"] == trained[0].name
    assert row["elbo"] == pytest.approx(trained[1]["test"]["elbo"])
    shown = latentia("runs", trained[0].parent)
    assert shown.returncode == 0, shown.stderr
    assert trained[0].name in shown.stdout
    assert "finished" in shown.stdout
    assert document(latentia("runs", tmp_path, "--json")) == []


def test_data_show(latentia: Any) -> None:
    described = document(latentia("data", "show", "digits", "--json"))
    assert "8 x 8" in json.dumps(described)
    shown = latentia("data", "show", "digits")
    assert "8 x 8" in shown.stdout
    assert "Did you mean 'digits'?" in refused(latentia("data", "show", "digist"), 2)


def test_demo(latentia: Any, tmp_path: Path) -> None:
    result = latentia("demo", "--out", "my runs/first", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "my runs" / "first" / "report.html").exists()
    assert list((tmp_path / "my runs" / "first" / "samples").glob("*.png"))
    assert "elbo" in result.stdout
    suggested = [line.strip() for line in result.stdout.splitlines() if line.startswith("  latentia ")]
    assert len(suggested) >= 3
    again = latentia(*shlex.split(suggested[0])[1:], cwd=tmp_path)
    assert again.returncode == 0, again.stderr
