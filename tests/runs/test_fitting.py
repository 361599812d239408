from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError, EnvironmentFault, Interrupted, LatentiaError, RunError
from latentia.recipes.presets import find_preset
from latentia.runs import fitting
from latentia.runs.directory import RunDirectory, new_run_path
from latentia.runs.listing import list_runs
from latentia.runs.model_folder import load
from latentia.runs.run import Run, open_run
from latentia.runs.seeds import train_seeds
from latentia.training.events import Events
from latentia.training.execution import Execution

pytestmark = pytest.mark.usefixtures("no_pictures")
SMALL = {
    "model.encoder.hidden": [16],
    "model.decoder.hidden": [16],
    "model.latent_dim": 2,
    "training.batch_size": 20,
    "training.epochs": 3,
    "training.device": "cpu",
    "training.precision": "fp32",
}


def start(data: Any, path: Any, **more: Any) -> Run:
    settings = {**SMALL, **more.pop("settings", {})}
    return fitting.train(more.pop("preset", "vae"), data, directory=path, settings=settings, **more)


def weights(path: Path) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in load(path).state_dict().items()}


def test_the_summary_has_what_the_contract_names(tmp_path: Path, arrays: dict[str, Any]):
    run = start(arrays, tmp_path / "run", seed=4)
    summary = run.summary
    assert set(summary) >= {
        "run", "preset", "data", "epochs", "steps", "parameters", "device", "precision", "compiled",
        "images_per_second", "seconds", "test",
    }  # fmt: skip
    assert set(summary["test"]) == {"elbo", "distortion", "rate", "mse"}
    assert summary["steps"] == 12 and summary["epochs"] == 3.0 and summary["seed"] == 4
    assert summary["test"]["elbo"] == pytest.approx(-(summary["test"]["distortion"] + summary["test"]["rate"]))
    assert json.loads((tmp_path / "run" / "status.json").read_text())["summary"] == summary


def test_data_on_the_disk_train_to_the_same_bits(tmp_path: Path):
    x = np.random.default_rng(0).integers(0, 256, (90, 6, 5), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    for memory in ("load", "map"):
        start(tmp_path / "x.npy", tmp_path / memory, settings={"data.memory": memory, "data.validation": 0.1})
    assert weights(tmp_path / "map") == weights(tmp_path / "load")
    ends = [[row["loss"] for row in open_run(tmp_path / name).metrics] for name in ("map", "load")]
    assert ends[0] == ends[1] and len(ends[0]) > 3
    assert not [thread for thread in threading.enumerate() if thread.name == "latentia-prefetch"]
    run = open_run(tmp_path / "map")  # uses and the continuation read it from there as well
    found = [one.evaluate(split="train", importance_samples=2) for one in (run, open_run(tmp_path / "load"))]
    assert {**found[0], "run": None} == {**found[1], "run": None}
    for name in ("map", "load"):
        fitting.resume(tmp_path / name, epochs=5)
    assert weights(tmp_path / "map") == weights(tmp_path / "load")


def test_a_profile_says_where_the_time_went(tmp_path: Path, arrays: dict[str, Any]):
    run = start(arrays, tmp_path / "run", profile=True)
    profile = run.summary["profile"]
    assert json.loads((tmp_path / "run" / "profile.json").read_text()) == profile
    stages = [row["stage"] for row in profile["stages"]]
    assert stages[:4] == ["start-up", "config", "data", "model"] and stages[-3:] == ["evaluation", "pictures", "report"]
    assert sum(row["seconds"] for row in profile["stages"]) == pytest.approx(profile["seconds"], abs=0.01)
    assert profile["operators"]["steps"] + profile["steps"] == run.summary["steps"]
    assert "profile" in start(arrays, None, profile=True).summary
    assert "profile" not in start(arrays, tmp_path / "plain").summary and not (tmp_path / "plain/profile.json").exists()
    assert weights(tmp_path / "plain") == weights(tmp_path / "run")


def test_an_autoencoder_has_no_elbo(arrays: dict[str, Any]):
    test = start(arrays, None, preset="ae").summary["test"]
    assert test["elbo"] is None and test["rate"] is None and test["mse"] > 0


def test_nothing_is_written_without_a_directory(
    tmp_path: Path, arrays: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    run = start(arrays, None)
    assert run.reconstruct(3).picture is None
    assert run.sample(3).picture is None
    assert run.evaluate()["n"] == 20
    assert len(run.metrics) == 3
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RunError, match="directory='auto'"):
        run.write_report()


def test_the_saved_config_repeats_the_run(tmp_path: Path, array_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(array_file.parent)
    start(array_file.name, tmp_path / "first", seed=3, settings={"training.ema": 0.9, "data.validation": 0.2})
    monkeypatch.chdir(tmp_path)  # the data's path was made absolute
    fitting.train(tmp_path / "first" / "config.toml", directory=tmp_path / "second")
    assert weights(tmp_path / "first") == weights(tmp_path / "second")
    for name in ("first", "second"):
        assert open_run(tmp_path / name).evaluate(importance_samples=3)["nll"] is not None
    configs = [(tmp_path / name / "config.toml").read_text() for name in ("first", "second")]
    assert configs[0] == configs[1]


def test_a_config_of_arrays_asks_for_them(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "first")
    with pytest.raises(ConfigError, match="pass them again"):
        fitting.train(tmp_path / "first" / "config.toml", directory=None)
    again = fitting.train(tmp_path / "first" / "config.toml", arrays, directory=tmp_path / "second")
    assert weights(tmp_path / "first") == weights(tmp_path / "second")
    assert again.summary["steps"] == 12


def test_training_on_equals_training_longer(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "long", epochs=5)
    start(arrays, tmp_path / "short", epochs=2)
    run = fitting.resume(tmp_path / "short", epochs=5, data=arrays)
    assert run.summary["epochs"] == 5.0
    assert weights(tmp_path / "long") == weights(tmp_path / "short")
    assert open_run(tmp_path / "short").config.training.epochs == 5.0


class Listener(Events):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def said(self, message: str) -> None:
        """Remember it."""
        self.heard.append(message)


def test_a_finished_run_is_returned_as_it_is(tmp_path: Path, arrays: dict[str, Any]):
    first = start(arrays, tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    listener = Listener()
    assert fitting.resume(tmp_path / "run", events=listener).summary == first.summary
    assert "there was nothing to do: to train on, say with --epochs" in listener.heard[0]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


@pytest.mark.parametrize(("device", "threads", "said"), [("cpu", 1, True), ("cpu", 0, False), ("cuda", 1, False)])
def test_a_resumed_run_says_that_it_keeps_its_threads(device: str, threads: int, said: bool):
    listener = Listener()
    fitting._say_threads(Execution(device, "fp32", torch.get_num_threads() + threads, False), listener)
    assert ("as the run began" in "".join(listener.heard)) == said


@pytest.mark.parametrize("state", ["finished", "interrupted"])
def test_fewer_epochs_than_done_are_refused_and_change_nothing(tmp_path: Path, arrays: dict[str, Any], state: str):
    start(arrays, tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    directory.write_status(state, 12, summary=directory.status()["summary"])
    config = (tmp_path / "run" / "config.toml").read_text()
    for epochs in (1, 3) if state == "finished" else (1, 2):
        with pytest.raises(RunError, match="has 3 epochs already"):
            fitting.resume(tmp_path / "run", epochs=epochs, data=arrays)
    assert (tmp_path / "run" / "config.toml").read_text() == config
    assert directory.status()["state"] == state
    assert fitting.resume(tmp_path / "run", data=arrays).summary["steps"] == 12


def test_an_early_stopped_run_can_be_trained_on(tmp_path: Path, arrays: dict[str, Any]):
    settings = {"data.validation": 0.2, "training.patience": 2, "training.optimizer.lr": 0.5, "training.epochs": 50}
    first = start(arrays, tmp_path / "run", settings=settings)
    assert first.summary["stopped_early"]
    longer = fitting.resume(tmp_path / "run", epochs=100, data=arrays)
    assert longer.summary["steps"] > first.summary["steps"]


def test_a_lost_best_checkpoint_is_chosen_anew(tmp_path: Path, arrays: dict[str, Any]):
    settings = {"data.validation": 0.2, "training.optimizer.lr": 0.05, "training.ema": 0.9, "training.epochs": 60}
    run = start(arrays, tmp_path / "run", settings=settings)
    directory = RunDirectory(tmp_path / "run")
    best = directory.checkpoints.find("best")
    assert best is not None and run.summary["best_step"] < run.summary["steps"]
    shutil.rmtree(best)
    directory.write_status("interrupted", run.summary["steps"])
    again = fitting.resume(tmp_path / "run", data=arrays)
    assert again.summary["best_step"] is None
    found = directory.checkpoints.load()
    assert found is not None  # without a best one, the average of the weights is the model
    for name, value in load(tmp_path / "run").state_dict().items():
        assert value.equal(found.tensors["ema"][name])


def test_runs_started_at_once_get_folders_of_their_own(tmp_path: Path):
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(new_run_path("vae", tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 8 and all(path.is_dir() for path in paths)


def test_a_failed_start_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        fitting.train("vae", "missing.npy")
    with pytest.raises(DataError):
        train_seeds("vae", "missing.npy", seeds=2)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "notes.txt").touch()
    with pytest.raises(DataError):
        fitting.train("vae", "missing.npy")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["notes.txt"]


class Impatient(Events):
    """Presses Ctrl-C twice when so many rows were logged."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def logged(self, row: Mapping[str, Any]) -> None:
        """Count down."""
        self.rows -= 1
        if self.rows == 0:
            raise KeyboardInterrupt


def test_who_interrupts_at_once_is_told_how_to_go_on(tmp_path: Path, arrays: dict[str, Any]):
    settings = {"training.checkpoint_every": 2, "training.log_every": 1}
    for name, rows in (("early", 1), ("late", 4)):
        with pytest.raises(Interrupted, match=rf"^interrupted; go on with: latentia resume \S+{name}$"):
            start(arrays, tmp_path / name, settings=settings, events=Impatient(rows))
    assert RunDirectory(tmp_path / "late").state() == "interrupted"
    assert fitting.resume(tmp_path / "late", data=arrays).summary["steps"] > 4


def test_the_presets_name_is_no_setting(tmp_path: Path, arrays: dict[str, Any]):
    with pytest.raises(ConfigError, match="cannot be set"):
        start(arrays, None, settings={"preset": "conv-vae"})
    config = find_preset("vae").config()
    text = tmp_path / "bad.toml"
    text.write_text('preset = "../../x"\n')
    with pytest.raises(ConfigError, match="preset"):
        fitting.train(text, arrays, directory=None)
    assert fitting.train(config, arrays, directory=None, settings=SMALL).config.preset == "vae"


@pytest.mark.parametrize("preset", [{"model": {}}, 3, None])
def test_what_is_no_preset_is_refused(preset: Any):
    with pytest.raises(ConfigError, match="a preset is a name"):
        fitting.train(preset, directory=None)


def test_arguments_may_be_of_numpys_types(arrays: dict[str, Any]):
    run = start(arrays, None, seed=np.int64(3), settings={"training.optimizer.lr": np.float64(0.01)})
    assert run.summary["seed"] == 3


def test_samples_and_own_inputs_need_no_data(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "run")
    np.save(tmp_path / "mine.npy", arrays["x_test"][:5])
    run = open_run(tmp_path / "run")  # without the arrays it was trained on
    samples = run.sample(7, seed=1)
    assert samples.x.shape == (7, 1, 8, 8)
    assert samples.picture is not None and samples.picture.is_file()
    assert np.load(samples.array or "").shape == (7, 1, 8, 8)
    assert run.sample(7, seed=1, write=False).x.equal(samples.x)
    assert not run.sample(7, seed=2, write=False).x.equal(samples.x)
    result = run.reconstruct(input=tmp_path / "mine.npy")
    assert result.reconstruction.shape == (5, 1, 8, 8)
    assert result.mse == pytest.approx(float(((result.reconstruction - result.x) ** 2).mean()))
    for count in (0, 10**9):
        with pytest.raises(ConfigError, match=rf"^n must be between 1 and 100,000, not {count}$"):
            run.sample(count)
    for temperature in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=rf"^the temperature must be a number.*not {temperature:g}$"):
            run.sample(3, temperature=temperature)


CONDITIONAL = {"model.condition.name": "labels", "model.prior.name": "conditional-normal"}


def test_a_conditional_run_is_asked_for_classes(tmp_path: Path, arrays: dict[str, Any]):
    arrays = {**arrays, "y": np.array(["cat", "dog", "7"])[arrays["y"] % 3]}
    arrays["y_test"] = np.array(["cat", "dog", "7"])[arrays["y_test"] % 3]
    run = start(arrays, tmp_path / "run", settings=CONDITIONAL)
    assert run.model.conditional and run.spec.classes == ("7", "cat", "dog")
    everything = run.sample()
    assert everything.classes == run.spec.classes and everything.x.shape == (24, 1, 8, 8)
    picked = run.sample(5, classes=["dog", 1], write=False)
    assert picked.classes == ("dog", "cat") and picked.to_json()["classes"] == ["dog", "cat"] and len(picked.x) == 10
    alone = run.model.sample(10, torch.tensor([2] * 5 + [1] * 5), generator=_drawn(0))
    torch.testing.assert_close(picked.x, alone)
    assert run.sample(3, classes=["7"], write=False).classes == ("7",)  # a name before a number
    for wrong, message in (
        (["dgo"], "no class 'dgo'. Did you mean 'dog'"),
        ([3], "no class '3'"),
        ([], "at least one"),
    ):
        with pytest.raises(ConfigError, match=message):
            run.sample(classes=wrong)
    with pytest.raises(ConfigError, match="of all classes together"):
        run.sample(50_000)
    again = open_run(tmp_path / "run")
    assert again.sample(5, classes=["dog", 1], write=False).x.equal(picked.x)
    assert again.spec.classes == run.spec.classes
    np.save(tmp_path / "bare.npy", arrays["x_test"][:5])
    with pytest.raises(DataError, match=r"has no labels that fit: give a .npz file with x and y.*7, cat, dog"):
        again.reconstruct(input=tmp_path / "bare.npy")
    np.savez(tmp_path / "mine.npz", x=arrays["x_test"][:5], y=arrays["y_test"][:5])
    assert len(again.reconstruct(input=tmp_path / "mine.npz").x) == 5
    assert "reconstruct(x, y)" in (tmp_path / "run" / "model" / "README.md").read_text()
    assert "latentia sample" in (tmp_path / "run" / "report.html").read_text()


def _drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, "sample"))


def test_validation_and_evaluation_of_a_conditional_model_see_its_labels(arrays: dict[str, Any]):
    run = start(arrays, None, settings={**CONDITIONAL, "data.validation": 0.2})
    assert {row["split"] for row in run.metrics} == {"train", "valid"}
    value = run.evaluate(importance_samples=12)
    assert value["nll"] < -value["elbo"] + 1 and value["protocol"]["condition"].endswith("x given y")
    with pytest.raises(ConfigError, match="train a preset that is, such as conditional-vae"):
        start(arrays, None).sample(classes=["1"])


def test_a_conditional_model_needs_the_labels_of_every_part(arrays: dict[str, Any]):
    bare = {key: value for key, value in arrays.items() if key != "y_test"}
    with pytest.raises(DataError, match="the labels of every part, and the test part of arrays has none: give y_"):
        start(bare, None, settings=CONDITIONAL)
    with pytest.raises(ConfigError, match="a conditional model needs labels, and the data have none"):
        start(arrays["x"], None, settings=CONDITIONAL)


def test_reconstructions_see_the_data_that_evaluation_sees(tmp_path: Path):
    x = np.random.default_rng(0).integers(0, 256, (700, 3, 3), dtype=np.uint8)
    data = {"x": x[:300], "x_test": x[300:]}
    run = start(data, None, settings={"data.binarize": "dynamic", "training.epochs": 1})
    whole = run.reconstruct(400)
    assert whole.mse == pytest.approx(run.measure()["mse"], rel=1e-5)
    assert run.reconstruct(5).x.equal(whole.x[:5])


def test_values_too_large_to_measure_do_not_lose_the_model(tmp_path: Path):
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    data = {"x": x, "x_test": np.full((3, 4), 1e30, np.float32)}
    run = start(data, tmp_path / "run", settings={"model.likelihood.name": "gaussian", "training.batch_size": 8})
    assert run.summary["test"] is None
    assert any("not finite" in note for note in run.summary["notes"])
    assert load(tmp_path / "run") is not None
    with pytest.raises(DataError, match="not finite"):
        open_run(tmp_path / "run", data=data).evaluate()


def test_an_evaluation_goes_into_the_card_and_the_report(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "run")
    value = open_run(tmp_path / "run", data=arrays).evaluate(importance_samples=7, seeds=3)
    assert value["over_seeds"]["seeds"] == [0, 1, 2]
    assert value["nll"] == pytest.approx(np.mean(value["over_seeds"]["nll"]["values"]))
    assert len(set(value["over_seeds"]["elbo"]["values"])) == 3
    assert json.loads((tmp_path / "run" / "eval.json").read_text()) == value
    assert "K = 7" in (tmp_path / "run" / "model" / "README.md").read_text()
    assert "K = 7" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_run_can_be_evaluated(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "run")
    (tmp_path / "run").chmod(0o500)
    run = open_run(tmp_path / "run", data=arrays)
    with pytest.warns(UserWarning, match="could not be stored"):
        assert run.evaluate()["n"] == 20


def test_a_run_in_use_can_be_evaluated_but_not_changed(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "run")
    before = (tmp_path / "run" / "eval.json").read_text()
    run = open_run(tmp_path / "run", data=arrays)
    with RunDirectory(tmp_path / "run").locked(), pytest.warns(UserWarning, match="in use by another process"):
        run.evaluate()
    assert (tmp_path / "run" / "eval.json").read_text() == before


def test_a_notebook_shows_no_foreign_markup(arrays: dict[str, Any]):
    run = start(arrays, None)
    run.summary = {"test": {"<script>": 1.0}}
    assert "<script>" not in run._repr_html_()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("meta.json", {"schema_version": 1, "data": [1]}),
        ("meta.json", {"schema_version": 1, "data": {}, "execution": {"device": "cpu"}}),
        ("meta.json", {"schema_version": 1, "data": {}, "execution": 3}),
        ("status.json", {"state": "interrupted", "summary": [1]}),
        ("status.json", {"state": "interrupted", "summary": {"test": [1]}}),
        ("status.json", [1]),
        ("model/config.json", {"format": "latentia-model", "version": 1, "model": {"latent_dim": "x"}}),
    ],
)
def test_json_of_the_wrong_shape_is_no_traceback(tmp_path: Path, arrays: dict[str, Any], file: str, content: Any):
    start(arrays, tmp_path / "run")
    (tmp_path / "run" / file).write_text(json.dumps(content))
    assert len(list_runs(tmp_path)) == 1
    for use in (
        lambda: open_run(tmp_path / "run", data=arrays).evaluate(),
        lambda: fitting.resume(tmp_path / "run", epochs=4, data=arrays),
    ):
        with contextlib.suppress(LatentiaError):  # anything else is a bug
            use()


def test_a_stored_device_that_is_not_here_is_named(tmp_path: Path, arrays: dict[str, Any]):
    start(arrays, tmp_path / "run")
    meta = json.loads((tmp_path / "run" / "meta.json").read_text())
    meta["execution"]["device"] = "cuda:7"
    (tmp_path / "run" / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(EnvironmentFault, match="cuda:7"):
        fitting.resume(tmp_path / "run", epochs=4, data=arrays)


def test_samples_of_a_scaled_table_are_written_in_its_units(tmp_path: Path):
    x = np.random.default_rng(0).normal(loc=500, scale=3, size=(60, 4)).astype(np.float32)
    settings = {"model.likelihood.name": "gaussian", "data.scale": "standard"}
    samples = start(x, tmp_path / "run", settings=settings).sample(50)
    assert abs(float(samples.x.mean())) < 3
    assert np.load(samples.array or "").mean() == pytest.approx(500, abs=10)
