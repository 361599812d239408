"""A full disk, a damaged file, a folder in use: one clear sentence, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentia.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DivergedError,
    EnvironmentFault,
    LatentiaError,
    RunError,
)
from latentia.runs import fitting
from latentia.runs.directory import RunDirectory
from latentia.runs.listing import list_runs
from latentia.runs.model_folder import load
from latentia.runs.run import Run, open_run

SMALL = [
    "model.encoder.hidden=[16]",
    "model.decoder.hidden=[16]",
    "model.latent_dim=2",
    "data.validation=0.0",
    "training.steps=12",
    "training.batch_size=10",
    "training.checkpoint_every=4",
    "training.keep_checkpoints=9",
    "training.device=cpu",
    "training.precision=fp32",
]


def start(data: Any, path: Path | None, *settings: str) -> Run:
    return fitting.train("vae", data, directory=path, settings=[*SMALL, *settings])


@pytest.fixture
def finished(tmp_path: Path, arrays: dict[str, Any], no_pictures: None) -> Path:
    path = tmp_path / "run"
    start(arrays, path)
    return path


def tree(path: Path) -> dict[str, bytes]:
    return {str(entry.relative_to(path)): entry.read_bytes() for entry in path.rglob("*") if entry.is_file()}


def test_a_finished_run_is_never_overwritten(finished: Path, arrays: dict[str, Any]):
    before = tree(finished)
    with pytest.raises(RunError, match=r"is a run already.*latentia resume.*--out"):
        start(arrays, finished)
    assert tree(finished) == before


def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    (tmp_path / "thesis.txt").write_text("three years")
    with pytest.raises(RunError, match=r"not empty \(it holds thesis.txt\).*--out"):
        start(arrays, tmp_path)
    assert tree(tmp_path) == {"thesis.txt": b"three years"}


def test_an_empty_folder_may_be_used(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    assert start(arrays, tmp_path).path == tmp_path


def test_a_path_under_a_file_is_refused(tmp_path: Path, arrays: dict[str, Any]):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="a file, not a folder"):
        start(arrays, tmp_path / "file" / "run")


def test_a_run_in_use_is_refused(finished: Path, arrays: dict[str, Any]):
    before = tree(finished)
    with RunDirectory(finished).locked(), pytest.raises(RunError, match=r"in use by another process.*--out"):
        fitting.resume(finished, epochs=100, data=arrays)
    assert tree(finished) == before


def test_another_process_cannot_write_a_run_in_use(finished: Path):
    with RunDirectory(finished).locked():
        done = subprocess.run(
            [sys.executable, "-m", "latentia", "resume", str(finished), "--epochs", "50"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "in use by another process" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("part", ["model.safetensors", "optimizer.safetensors", "meter.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncated", "changed", "emptied", "removed", "foreign"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_goes_on(
    finished: Path, arrays: dict[str, Any], part: str, damage: str, no_pictures: None
):
    expected = load(finished).state_dict()
    directory = RunDirectory(finished)
    directory.write_status("interrupted", 12)
    folder = directory.checkpoints.find("last")
    assert folder is not None
    file = folder / part
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(
            {
                "truncated": content[: len(content) // 2],
                "changed": content[:-3] + bytes([content[-3] ^ 255]) + content[-2:],
                "emptied": b"",
                "foreign": b"PK\x03\x04 a pickle in a zip archive",
            }[damage]
        )
    before = tree(finished)
    with pytest.raises(CheckpointError, match=r"remove .*00000012 to go on from the checkpoint before it"):
        fitting.resume(finished, data=arrays)
    assert directory.status()["state"] == "interrupted"
    assert {key: value for key, value in tree(finished).items() if key.startswith("checkpoints")} == {
        key: value for key, value in before.items() if key.startswith("checkpoints")
    }
    shutil.rmtree(folder)
    again = fitting.resume(finished, data=arrays)
    assert again.summary["steps"] == 12
    for name, value in load(finished).state_dict().items():
        assert value.equal(expected[name])


def test_the_only_checkpoint_cannot_be_removed_to_go_on(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    start(arrays, tmp_path / "run", "training.keep_checkpoints=1")
    directory = RunDirectory(tmp_path / "run")
    directory.write_status("interrupted", 12)
    folder = directory.checkpoints.find("last")
    assert folder is not None
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="the run's only checkpoint, so put back a copy of it or train the run"):
        fitting.resume(tmp_path / "run", data=arrays)


@pytest.mark.parametrize("state", ["finished", "interrupted", "running", None])
@pytest.mark.parametrize("epochs", [None, 9.0])
def test_a_run_whose_checkpoints_are_gone_is_not_begun_anew(
    finished: Path, arrays: dict[str, Any], state: str | None, epochs: float | None
):
    directory = RunDirectory(finished)
    if state is None:
        directory.status_file.unlink()
    elif state != "finished":
        directory.write_status(state, 12)
        shutil.rmtree(directory.model)
    shutil.rmtree(finished / "checkpoints")
    before = tree(finished)
    if state == "finished" and epochs is None:  # there is nothing to do
        assert fitting.resume(finished, data=arrays).summary["steps"] == 12
    else:
        with pytest.raises(
            RunError, match=r"has no checkpoint to go on from; train it anew with `latentia train .*--out"
        ):
            fitting.resume(finished, epochs=epochs, data=arrays)
    assert tree(finished) == before


def test_a_run_that_never_had_a_checkpoint_begins_at_its_start(tmp_path: Path, arrays: dict[str, Any]):
    path = tmp_path / "run"
    with pytest.raises(DivergedError):
        start(arrays, path, "training.optimizer.lr=1e38", "training.checkpoint_every=none", "training.log_every=1")
    directory = RunDirectory(path)
    assert directory.metrics.length() > 0 and directory.last_step() == 0
    with pytest.raises(DivergedError):
        fitting.resume(path, data=arrays)


def test_a_failure_to_train_on_leaves_a_finished_run_as_it_was(finished: Path, arrays: dict[str, Any]):
    directory = RunDirectory(finished)
    folder = directory.checkpoints.find("last")
    assert folder is not None
    (folder / "model.safetensors").write_bytes(b"")
    before = {name: value for name, value in tree(finished).items() if name != "log.txt"}
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"model.safetensors is damaged"):
            fitting.resume(finished, epochs=9, data=arrays)
    assert {name: value for name, value in tree(finished).items() if name != "log.txt"} == before
    (row,) = list_runs(finished.parent)
    assert row["state"] == "finished" and row["elbo"] is not None
    assert "model.safetensors is damaged" in (finished / "log.txt").read_text()


DRAWN = ["samples/samples.png", "samples/reconstructions.png", "plots/curves.png", "plots/latents.png"]


@pytest.mark.parametrize("lost", ["model", "model/config.json", "model/model.safetensors", "report.html", "samples"])
def test_a_finished_run_makes_what_it_has_lost_again(tmp_path: Path, arrays: dict[str, Any], lost: str):
    path = tmp_path / "run"
    start(arrays, path, "data.validation=0.2", "training.ema=0.9")
    open_run(path, data=arrays).evaluate(importance_samples=3)
    before, weights = tree(path), load(path).state_dict()
    if (path / lost).is_dir():
        shutil.rmtree(path / lost)
    else:
        (path / lost).write_bytes(b"") if lost.startswith("model") else (path / lost).unlink()
    if lost.startswith("model"):
        with pytest.raises((RunError, CheckpointError), match=r"`latentia resume .*run` rebuilds"):
            open_run(path).sample(3, write=False)
    summary = fitting.resume(path, data=arrays).summary
    assert summary == json.loads(before["status.json"])["summary"]
    after = tree(path)
    assert after.keys() == before.keys()
    assert all(name in after for name in DRAWN)
    for name in ("config.toml", "metrics.jsonl", "eval.json"):
        assert after[name] == before[name], name
    for name, value in load(path).state_dict().items():
        assert value.equal(weights[name]), name
    moments = {name: (path / name).stat().st_mtime_ns for name in after}
    fitting.resume(path)  # now it is whole: nothing to do, and no data needed
    assert {name: (path / name).stat().st_mtime_ns for name in after} == moments


def test_a_lost_model_without_the_checkpoint_it_came_from_is_said(tmp_path: Path, arrays: dict[str, Any]):
    path = tmp_path / "run"
    summary = start(arrays, path, "data.validation=0.2", "training.optimizer.lr=0.5", "training.steps=80").summary
    assert summary["best_step"] < 80
    best = RunDirectory(path).checkpoints.find("best")
    assert best is not None
    shutil.rmtree(best)
    shutil.rmtree(path / "model")
    before = tree(path)
    with pytest.raises(RunError, match=rf"step {summary['best_step']}, which became the model.*is gone; train it anew"):
        fitting.resume(path, data=arrays)
    assert tree(path) == before


def test_a_run_that_is_being_trained_is_not_to_be_resumed(finished: Path):
    directory = RunDirectory(finished)
    shutil.rmtree(directory.model)
    directory.write_status("running", 3)
    with pytest.raises(RunError, match="is still being trained and has no model yet: wait for it"):
        open_run(finished).sample(3)
    directory.write_status("running", 3, pid=2**22 - 1)
    with pytest.raises(RunError, match="finish it with `latentia resume"):
        open_run(finished).sample(3)


def test_a_damaged_config_is_the_runs_fault(finished: Path):
    file = finished / "config.toml"
    whole = file.read_text()
    for content in ("seed = ", "seed = -1\n", whole.replace("latent_dim", "latent_dims")):
        file.write_text(content)
        with pytest.raises(RunError, match=r"config\.toml.*put its former content back, or train a new run"):
            open_run(finished)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04\x95pickle", b'{"format": "other", "version": 1}'])
def test_a_damaged_model_is_named(finished: Path, content: bytes):
    (finished / "model" / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config.json is damaged or not of a Latentia model"):
        load(finished)


def test_damaged_weights_are_named(finished: Path):
    weights = finished / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"model.safetensors is not a whole safetensors file"):
        load(finished)


def test_newer_runs_and_models_are_refused(finished: Path):
    meta = json.loads((finished / "meta.json").read_text())
    (finished / "meta.json").write_text(json.dumps({**meta, "schema_version": 2}))
    with pytest.raises(RunError, match="newer Latentia"):
        open_run(finished)
    config = json.loads((finished / "model" / "config.json").read_text())
    (finished / "model" / "config.json").write_text(json.dumps({**config, "version": 2}))
    with pytest.raises(RunError, match="newer Latentia"):
        load(finished)
    (row,) = list_runs(finished.parent)
    assert row["state"] == "unreadable" and "newer" in row["fault"]


def test_missing_runs_are_named(tmp_path: Path):
    for use in (open_run, load, fitting.resume):
        with pytest.raises(RunError, match=r"no-such"):
            use(tmp_path / "no-such")
    with pytest.raises(RunError, match="not a run"):
        open_run(tmp_path)


def test_changed_data_are_noticed(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    file = tmp_path / "data.npz"
    np.savez(file, **arrays)
    start(str(file), tmp_path / "run")
    np.savez(file, **{**arrays, "x": arrays["x"] ^ 1})
    with pytest.raises(DataError, match="have changed"):
        open_run(tmp_path / "run").evaluate()
    file.unlink()
    with pytest.raises(DataError, match=r"data\.npz"):
        open_run(tmp_path / "run").evaluate()


def test_arrays_must_be_passed_again(finished: Path, arrays: dict[str, Any]):
    with pytest.raises(DataError, match="pass them again"):
        open_run(finished).evaluate()
    assert open_run(finished, data=arrays).evaluate()["n"] == 20


def test_divergence_is_recorded_and_exits_with_3(tmp_path: Path, arrays: dict[str, Any], no_pictures: None):
    with pytest.raises(DivergedError) as caught:
        start(arrays, tmp_path / "run", "training.optimizer.lr=1e38", "training.log_every=2", "training.steps=50")
    assert caught.value.exit_code == 3
    directory = RunDirectory(tmp_path / "run")
    assert directory.status()["state"] == "diverged"
    assert "learning rate" in directory.status()["error"]
    found = directory.checkpoints.load()
    assert found is None or all(value.isfinite().all() for value in found.tensors["model"].values())
    assert "diverged" in (tmp_path / "run" / "log.txt").read_text()


FULL_DISK = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.argv = ["latentia", *sys.argv[2:]]
from latentia.cli import main
main()
"""


@pytest.mark.parametrize("limit", [100, 5_000, 30_000])
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, array_file: Path, limit: int):
    arguments = ["train", "vae", "--data", str(array_file), "--out", str(tmp_path / "run")]
    arguments += [f"--set={line}" for line in [*SMALL, "training.steps=400", "training.log_every=1"]]
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(limit), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "no room to write" in done.stderr.splitlines()[-1]
    assert "free some space" in done.stderr.splitlines()[-1]
    directory = RunDirectory(tmp_path / "run")
    assert ("latentia resume" in done.stderr) == (directory.last_step() > 0)
    if directory.config_file.exists():
        checkpoint = directory.checkpoints.load()  # intact, or there is none yet
        again = subprocess.run(
            [sys.executable, "-m", "latentia", "resume", str(directory.path), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["steps"] == 400
        assert checkpoint is None or checkpoint.step < 400
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != limit


def test_a_crashed_run_is_listed_as_such(finished: Path):
    directory = RunDirectory(finished)
    status = json.loads(directory.status_file.read_text())
    directory.status_file.write_text(json.dumps({**status, "state": "running", "pid": 2**22 - 1}))
    (row,) = list_runs(finished.parent)
    assert row["state"] == "crashed"
    directory.status_file.write_text(json.dumps({**status, "state": "running", "pid": os.getpid()}))
    (row,) = list_runs(finished.parent)
    assert row["state"] == "running"


def test_bad_input_files_are_refused(finished: Path, arrays: dict[str, Any], tmp_path: Path):
    run = open_run(finished, data=arrays)
    bad = {
        "wrong-shape.npy": np.zeros((3, 5, 5), np.uint8),
        "nan.npy": np.full((3, 1, 8, 8), np.nan, np.float32),
        "empty.npy": np.zeros((0, 1, 8, 8), np.uint8),
    }
    for name, value in bad.items():
        np.save(tmp_path / name, value)
        with pytest.raises(LatentiaError):
            run.reconstruct(input=tmp_path / name)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "nan.npy").read_bytes()[:50])
    (tmp_path / "not-an-image.png").write_bytes(b"\x89PNG but no more")
    for name in ("cut.npy", "not-an-image.png", "missing.npy", "unknown.kind"):
        with pytest.raises(DataError):
            run.reconstruct(input=tmp_path / name)
    with pytest.raises(LatentiaError, match="png"):
        run.reconstruct(out=tmp_path / "picture.jpeg2000")


def test_too_little_memory_is_one_sentence(arrays: dict[str, Any]):
    with pytest.raises(EnvironmentFault, match="not enough memory"):
        start(arrays, None, "model.encoder.hidden=[1048576, 1048576]")


@pytest.mark.parametrize("setting", ["training.patience=3", "training.evaluate_every=3"])
def test_validation_settings_need_a_validation_part(arrays: dict[str, Any], setting: str):
    with pytest.raises(ConfigError, match=r"data\.validation"):
        start(arrays, None, setting)
    given = {**arrays, "x_valid": arrays["x_test"], "y_valid": arrays["y_test"]}
    assert start(given, None, setting).summary["best_step"] is not None
