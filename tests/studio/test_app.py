"""Every address, for a run of every kind."""

from __future__ import annotations

import io
import json
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import latentia as lt
from latentia.runs import pictures
from latentia.studio import app as application
from latentia.studio import latents
from latentia.studio.app import UNBUILT

IMAGES = ("vae", "conv-vae", "ae-32", "vae-2d", "conditional-vae", "vq-vae", "m2", "conv-vae-4x4x4")
EVERY = (*IMAGES, "vectors")
CONDITIONAL = ("conditional-vae", "m2")


def y(name: str, sign: str = "&") -> str:
    """What a conditional model needs to decode."""
    return f"{sign}y=3" if name in CONDITIONAL else ""


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_has_every_run(browser: Any) -> None:
    rows = {row["id"]: row for row in browser.get("/api/runs")["runs"]}
    assert set(rows) == set(EVERY)
    vae = rows["vae"]
    assert (vae["state"], vae["live"], vae["preset"], vae["data"], vae["steps"]) == (
        "finished",
        False,
        "vae",
        "digits",
        6,
    )
    assert vae["test"]["elbo"] < 0 and vae["parameters"] > 1000 and vae["problem"] is None
    assert rows["ae-32"]["test"]["elbo"] is None


ODD = {
    "status.json": [{"heartbeat": 5}, {"step": "12"}, {"summary": {"seconds": {"train": None}}}, {"error": [1]}],
    "meta.json": [{"data": {"splits": [1, 2]}}, {"data": {"spec": 3}}, {"notes": 3, "versions": 3}, []],
}


@pytest.mark.parametrize(("file", "value"), [(file, value) for file, values in ODD.items() for value in values])
def test_a_damaged_run_is_a_row_among_the_others(
    own: Path, browse: Callable[[Path], Any], file: str, value: Any
) -> None:
    shutil.copytree(own / "vae", own / "odd")
    before = json.loads((own / "odd" / file).read_text())
    (own / "odd" / file).write_text(json.dumps({**before, **value} if isinstance(value, dict) else value))
    browser = browse(own)
    assert {row["id"] for row in browser.get("/api/runs")["runs"]} == {"vae", "odd"}
    found = browser.get("/api/runs/odd")
    assert found["state"] != "unreadable" or found["problem"]


def test_the_studio_says_what_can_be_trained(browser: Any) -> None:
    about = browser.get("/api/studio")
    assert {"name": "digits", "local": True} in about["data"]
    assert "vae" in [preset["name"] for preset in about["presets"]]
    fields = {field["key"]: field for field in about["fields"]}
    assert fields["training.batch_size"]["help"] == "Images per step; every batch is full."
    assert fields["model.encoder.hidden"]["when"] == {"key": "model.encoder.name", "is": ["residual-mlp"]}
    preset = browser.get("/api/presets/vae-2d")
    values = {field["key"]: field for field in preset["fields"]}
    assert values["model.latent_dim"]["value"] == 2 and values["model.latent_dim"]["from"] == "preset"
    assert "vae" in browser.get("/api/presets/vaee", 400)["error"]


@pytest.mark.parametrize("name", EVERY)
def test_a_run_describes_itself(browser: Any, name: str) -> None:
    run = browser.get(f"/api/runs/{name}")
    model = lt.load(browser.server.studio.places.root / name)
    assert run["latent"]["shape"] == list(model.latent_shape) and run["latent"]["dim"] == model.latent_dim
    assert run["event"]["shape"] == list(model.event_shape)
    assert run["conditional"] == (name in CONDITIONAL) and run["classifies"] == (name == "m2")
    kinds = {"vq-vae": "codes", "conv-vae-4x4x4": "feature-map"}
    assert run["latent"]["kind"] == kinds.get(name, "vector")
    assert run["event"]["kind"] == ("vector" if name == "vectors" else "image")
    views = run["views"]
    assert views["training"]["ok"] and views["latent"]["ok"] and views["try"]["ok"] and views["health"]["ok"]
    assert views["samples"]["ok"] == (name not in ("ae-32", "vq-vae"))
    assert views["playback"]["ok"] == (name in ("vae", "vae-2d"))
    for view in views.values():
        assert view["ok"] or (view["why"] and view["do"].startswith("latentia "))
    assert run["copy"]["latent"]["command"].startswith("latentia embed ")
    json.dumps(run, allow_nan=False)


def test_metrics_are_columns(browser: Any) -> None:
    found = browser.get("/api/runs/vae/metrics")
    train, valid = found["rows"]["train"], found["rows"]["valid"]
    assert train["step"] == [2, 4, 6] and len(train["loss"]) == 3 and all(map(math.isfinite, train["loss"]))
    assert valid["step"] and found["step"] == 6 and not found["live"]
    assert browser.get("/api/runs/vae/metrics?after=2")["rows"]["train"]["step"] == [4, 6]
    assert browser.get("/api/runs/vae/metrics?after=6")["rows"] == {}
    assert "whole number" in browser.get("/api/runs/vae/metrics?after=x", 400)["error"]


# --- the latent space -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("plane", ["raw", "pca"])
def test_latents_are_those_of_the_model_and_lie_on_the_plane(browser: Any, runs: Path, name: str, plane: str) -> None:
    facts, arrays = browser.bundle(f"/api/runs/{name}/latents?n=20&plane={plane}")
    run = lt.open_run(runs / name)
    x = run.dataset.preparation(run.dataset.split("test").x[:20])
    y = run.dataset.split("test").y
    y = None if y is None else y[:20]
    with torch.no_grad():
        q = run.model.encode(x, y)
        error = (run.model.reconstruct(x, y) - x).square().flatten(1).sum(1)
    np.testing.assert_allclose(arrays["z"], q.mean.flatten(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(arrays["errors"], error, rtol=1e-3)
    assert ("scale" in arrays) == (name not in ("ae-32", "vq-vae"))
    if "scale" in arrays:
        np.testing.assert_allclose(arrays["scale"], q.variance.sqrt().flatten(1), rtol=1e-4)
    assert arrays["labels"].tolist() == ([255] * 20 if y is None else y.tolist()) and facts["none"] == 255
    assert facts["invertible"] and facts["n"] == 20 and arrays["ids"].tolist() == list(range(20))
    on_plane = arrays["origin"] + arrays["positions"] @ arrays["basis"]
    residual = np.sqrt(np.square(arrays["z"] - on_plane).sum(1).mean())
    assert residual == pytest.approx(facts["residual"], rel=1e-3, abs=1e-4)


def test_other_dimensions_and_snapshots(browser: Any) -> None:
    _, arrays = browser.bundle("/api/runs/vae/latents?n=9&x=3&y_axis=5&errors=0")
    np.testing.assert_array_equal(arrays["positions"], arrays["z"][:, [3, 5]])
    assert "errors" not in arrays
    assert "from 0 to 19" in browser.get("/api/runs/vae/latents?x=99", 400)["error"]
    _, first = browser.bundle("/api/runs/vae/latents?n=9&step=0&errors=0")
    _, second = browser.bundle("/api/runs/vae/latents?n=9&step=2&errors=0")
    assert not np.allclose(first["z"], second["z"])
    assert "did not keep step 3" in browser.get("/api/runs/vae/latents?step=3", 409)["error"]


def test_a_map_of_neighbours_has_no_way_back(browser: Any) -> None:
    facts, arrays = browser.bundle("/api/runs/vae/latents?n=40&plane=tsne&errors=0")
    assert not facts["invertible"] and "origin" not in arrays and arrays["positions"].shape == (40, 2)
    assert facts["cut"] is None


def test_a_map_of_fewer_samples_than_were_asked_for_says_so(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.studio.latents.MOST_MAPPED", 30)
    facts, arrays = browser.bundle("/api/runs/vae/latents?n=50&plane=tsne&errors=0")
    assert len(arrays["positions"]) == facts["n"] == 30
    assert facts["cut"] == "30 of 50 samples are shown: t-SNE takes no more here"
    facts, _ = browser.bundle("/api/runs/vae/latents?n=50&plane=pca&errors=0")
    assert facts["n"] == 50 and facts["cut"] is None


@pytest.mark.parametrize("name", EVERY)
def test_a_sample_and_its_neighbours(browser: Any, name: str) -> None:
    facts, arrays = browser.bundle(f"/api/runs/{name}/pair?index=4")
    assert arrays["original"].shape == arrays["reconstruction"].shape == arrays["difference"].shape
    assert facts["index"] == 4 and 4 not in arrays["neighbours"] and len(arrays["neighbours"]) == 8
    assert facts["distances"] == sorted(facts["distances"])
    assert arrays["error"].sum() == pytest.approx(facts["error"], rel=1e-4)
    assert arrays["neighbour_pixels"].shape == (8, *arrays["original"].shape)
    browser.get(f"/api/runs/{name}/pair?index=100000", 400)


@pytest.mark.parametrize("name", EVERY)
def test_thumbnails_manifold_reconstructions(browser: Any, name: str) -> None:
    key = "values" if name == "vectors" else "pixels"
    facts, arrays = browser.bundle(f"/api/runs/{name}/thumbnails?n=7")
    assert len(arrays[key]) == facts["n"] == 7
    for plane in ("raw", "pca"):
        _, arrays = browser.bundle(f"/api/runs/{name}/manifold?n=3&x0=-1&x1=1&y0=-1&y1=1&plane={plane}{y(name)}")
        assert arrays[key].shape[:2] == (3, 3)
    facts, arrays = browser.bundle(f"/api/runs/{name}/reconstructions?n=4")
    assert len(arrays["originals"]) == len(arrays["reconstructions"]) == 4 and facts["mse"] > 0


def test_large_pictures_have_small_thumbnails() -> None:
    from latentia.studio.pixels import thumbnails

    assert thumbnails(np.zeros((2, 64, 48, 3), np.uint8)).shape == (2, 32, 24, 3)
    assert thumbnails(np.zeros((2, 28, 28, 1), np.uint8)).shape == (2, 28, 28, 1)


def test_the_top_row_is_the_highest(browser: Any, runs: Path) -> None:
    _, arrays = browser.bundle("/api/runs/vae-2d/manifold?n=2&x0=-1&x1=2&y0=-3&y1=4")
    decoded = lt.open_run(runs / "vae-2d").decode([[-1, 4], [2, 4], [-1, -3], [2, -3]], write=False)
    expected = np.floor(decoded.x.numpy().transpose(0, 2, 3, 1) * 255 + 0.5).reshape(arrays["pixels"].shape)
    assert np.abs(arrays["pixels"] - expected).max() <= 1
    assert "below" in browser.get("/api/runs/vae-2d/manifold?x0=1&x1=0", 400)["error"]


@pytest.mark.parametrize("name", EVERY)
def test_traversals_come_by_rate(browser: Any, name: str) -> None:
    facts, arrays = browser.bundle(f"/api/runs/{name}/traversals?steps=3{y(name)}")
    key = "frames" if name == "vectors" else "pixels"
    assert arrays[key].shape[:2] == (len(facts["dimensions"]), 3) == arrays["values"].shape
    assert facts["dimensions"] == facts["order"][: len(facts["dimensions"])]
    if facts["rates"] is not None:
        ordered = [facts["rates"][dimension] for dimension in facts["order"]]
        assert ordered == sorted(ordered, reverse=True)
    _, from_sample = browser.bundle(f"/api/runs/{name}/traversals?steps=3&index=2&dims=0,1")
    assert len(from_sample[key]) == 2


@pytest.mark.parametrize("name", EVERY)
def test_paths_begin_and_end_where_they_should(browser: Any, name: str) -> None:
    facts, arrays = browser.bundle(f"/api/runs/{name}/path", {"a": 0, "b": 1, "steps": 5, "kind": "linear"})
    _, first = browser.bundle(f"/api/runs/{name}/pair?index=0")
    if name != "vq-vae":  # whose points are the nearest codes
        np.testing.assert_allclose(arrays["z"][0], first["z"], atol=1e-4)
    assert facts["kind"] == "linear" and len(arrays["z"]) == 5
    start = arrays["values" if name == "vectors" else "pixels"][0]
    np.testing.assert_allclose(start.astype(float), first["reconstruction"].reshape(start.shape), atol=1.01)


def test_a_path_between_points_and_where_no_sphere_is(browser: Any) -> None:
    facts, arrays = browser.bundle("/api/runs/vae-2d/path", {"a": [1, 0], "b": [0, 1], "steps": 3})
    assert facts["kind"] == "spherical" and "sphere" in facts["why"]
    np.testing.assert_allclose(np.linalg.norm(arrays["z"], axis=1), 1, rtol=1e-5)
    facts, _ = browser.bundle("/api/runs/vae-2d/path", {"a": [1, 0], "b": [-1, 0], "kind": "spherical"})
    assert facts["kind"] == "linear" and "opposite" in facts["why"]
    for a in ([1], [1, "x"], [1, 1e9], "0", None, True, 10**6):
        browser.post("/api/runs/vae-2d/path", {"a": a, "b": 1}, 400)


def test_a_path_as_gif(browser: Any) -> None:
    answer = browser.client.post("/api/runs/vae/path.gif", json={"a": 0, "b": 1, "steps": 4})
    assert answer.headers["content-type"] == "image/gif"
    assert getattr(Image.open(io.BytesIO(answer.content)), "n_frames", 1) > 1
    assert "animation" in browser.post("/api/runs/vectors/path.gif", {"a": 0, "b": 1}, 400)["error"]


def test_samples_and_who_has_none(browser: Any) -> None:
    facts, arrays = browser.bundle("/api/runs/vae/samples?n=5&seed=3")
    _, again = browser.bundle("/api/runs/vae/samples?n=5&seed=3")
    np.testing.assert_array_equal(arrays["pixels"], again["pixels"])
    assert facts["prior"] == "model" and len(arrays["pixels"]) == 5
    assert len(browser.bundle("/api/runs/conditional-vae/samples?n=2&y=3")[1]["pixels"]) == 2
    assert "choose one" in browser.get("/api/runs/conditional-vae/samples?n=2", 400)["error"]
    assert "fit-prior" in browser.get("/api/runs/ae-32/samples", 400)["error"]


def test_the_mean_of_a_cohort(browser: Any) -> None:
    facts, arrays = browser.bundle("/api/runs/vae/mean", {"ids": [1, 3, 8]})
    _, latents = browser.bundle("/api/runs/vae/latents?n=9&errors=0")
    np.testing.assert_allclose(arrays["z"], latents["z"][[1, 3, 8]].mean(0), atol=1e-5)
    assert facts["n"] == 3
    for ids in ([], [-1], [10**6], ["1"], "1", None, [1.5]):
        browser.post("/api/runs/vae/mean", {"ids": ids}, 400)


def test_rates_through_the_training(browser: Any) -> None:
    found = browser.get("/api/runs/vae/rates")
    assert found["steps"] == [0, 2, 4, 6] and len(found["rates"][0]) == 20
    assert "closed form" in browser.get("/api/runs/ae-32/rates", 400)["error"]


# --- samples of one's own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
def test_raw_pixels_go_through_the_data_s_own_preparation(browser: Any, runs: Path, name: str) -> None:
    run = lt.open_run(runs / name)
    stored = run.dataset.split("test").x[:1]
    raw = stored.numpy().transpose(0, 2, 3, 1).tobytes()
    kind = {"content-type": "application/octet-stream"}
    facts, arrays = browser.bundle(f"/api/runs/{name}/encode{y(name, '?')}", content=raw, headers=kind)
    picked = torch.tensor([3]) if name in CONDITIONAL else None
    with torch.no_grad():
        q = run.model.encode(run.preparation(stored), picked)
    np.testing.assert_allclose(arrays["z"], q.mean.flatten(), rtol=1e-4, atol=1e-5)
    assert facts["error"] > 0 and (facts["rate"] is None) == (not run.model.has_prior)
    if facts["elbo"] is not None:
        assert facts["elbo"] == pytest.approx(-(facts["rate"] + facts["distortion"]))
    assert ("class" in facts) == (name == "m2")
    answer = browser.client.post(f"/api/runs/{name}/encode{y(name, '?')}", content=raw[:-1], headers=kind)
    assert answer.status_code == 409 and "resize" in answer.json()["error"]


def test_a_picture_of_any_size_is_taken(browser: Any) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 30, 3), 200, np.uint8)).save(buffer, "PNG")
    _, arrays = browser.bundle("/api/runs/vae/encode", content=buffer.getvalue(), headers={"content-type": "image/png"})
    assert arrays["input"].shape == (8, 8, 1) and set(arrays["input"].ravel().tolist()) == {200}
    for content, kind in ((b"no picture", "image/png"), (b"<svg/>", "image/svg+xml"), (b"x", "text/plain")):
        answer = browser.client.post("/api/runs/vae/encode", content=content, headers={"content-type": kind})
        assert answer.status_code in (400, 409) and answer.json()["error"]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255), (250, 310)])
def test_a_picture_for_images_of_real_numbers(
    tmp_path: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch, low: float, high: float
) -> None:
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    pixels = np.random.default_rng(0).integers(0, 256, (80, 1, 8, 8), np.uint8)
    x = (low + pixels / 255.0 * (high - low)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x[:60], x_test=x[60:])
    settings = {"model.likelihood.name": "gaussian", "training.threads": 1}
    lt.train("vae", tmp_path / "x.npz", directory=tmp_path / "runs" / "real", steps=2, settings=settings)
    browser, kind = browse(tmp_path / "runs"), {"content-type": "image/png"}
    buffer = io.BytesIO()
    Image.fromarray(pixels[63, 0]).save(buffer, "PNG")
    if low == 250:
        answer = browser.client.post("/api/runs/real/encode", content=buffer.getvalue(), headers=kind)
        assert answer.status_code == 409 and "values in [250, 310]" in answer.json()["error"]
        return
    _, pair = browser.bundle("/api/runs/real/pair?index=3")
    _, found = browser.bundle("/api/runs/real/encode", content=buffer.getvalue(), headers=kind)
    np.testing.assert_allclose(found["z"], pair["z"], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(found["input"][..., 0], pixels[63, 0])


def test_a_vector_of_one_s_own(browser: Any) -> None:
    _, arrays = browser.bundle("/api/runs/vectors/encode", json={"values": [0.1, 0.2, 0.3, 0.4, 0.5]})
    np.testing.assert_allclose(arrays["input"], [0.1, 0.2, 0.3, 0.4, 0.5], atol=1e-6)
    for values in ([1, 2], "x", [1, 2, 3, 4, None], [1e39, 0, 0, 0, 0]):
        answer = browser.client.post("/api/runs/vectors/encode", json={"values": values})
        assert answer.status_code in (400, 409), values


def test_denoising_measures_what_it_knows(browser: Any, runs: Path) -> None:
    raw = lt.open_run(runs / "vae").dataset.split("test").x[:1].numpy().tobytes()
    kind = {"content-type": "application/octet-stream"}
    path = "/api/runs/vae/denoise?corruption=gaussian&sigma=0.4&seed=1"
    facts, arrays = browser.bundle(path, content=raw, headers=kind)
    _, again = browser.bundle(path, content=raw, headers=kind)
    np.testing.assert_array_equal(arrays["noisy"], again["noisy"])
    assert facts["mse_noisy"] > 0.01 and (arrays["noisy"] != arrays["input"]).any()
    facts, arrays = browser.bundle("/api/runs/vae/denoise", content=raw, headers=kind)
    assert "mse_noisy" not in facts and (arrays["noisy"] == arrays["input"]).all()
    answer = browser.client.post("/api/runs/vae/denoise?corruption=rain", content=raw, headers=kind)
    assert answer.status_code == 400


# --- judging ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_anomalies(browser: Any, name: str) -> None:
    normal = "" if name == "vectors" else "&normal=3&normal=4"
    facts, arrays = browser.bundle(f"/api/runs/{name}/anomalies?score=squared-error{normal}")
    assert len(arrays["scores"]) == len(arrays["labels"]) and facts["definition"].startswith("squared error")
    assert {score["name"]: score["ok"] for score in facts["scores"]}["elbo"] == (name not in ("ae-32", "vq-vae"))
    if name != "vectors":
        wanted = ~np.isin(arrays["labels"], [3, 4])
        np.testing.assert_array_equal(arrays["anomalous"], wanted)
        assert 0 <= facts["auroc"] <= 1
    if name == "vae":
        values = [threshold["value"] for threshold in facts["thresholds"]]
        assert values == sorted(values, reverse=True) and facts["held_out"] > 0


def test_health(browser: Any) -> None:
    found = browser.get("/api/runs/vae/health")
    assert found["state"] == "finished" and isinstance(found["findings"], list)
    for finding in found["findings"]:
        assert finding["message"] and finding["remedy"] and finding["severity"] in ("severe", "moderate", "slight")


def test_compare(browser: Any) -> None:
    found = browser.get("/api/compare?run=vae&run=ae-32")
    figures = {figure["name"]: figure["values"] for figure in found["figures"]}
    assert figures["mse"][0] > 0 and figures["elbo"][1] is None
    assert {"key": "model.latent_dim", "values": [20, 32]} in found["settings"]
    comparable = {figure["name"]: figure["comparable"] for figure in found["figures"]}
    assert comparable["mse"] and not comparable["elbo"] and "squared error" in found["notes"][0]
    apart = browser.get("/api/compare?run=vae&run=vectors")
    assert not any(figure["comparable"] for figure in apart["figures"] if figure["name"] in ("mse", "elbo"))
    assert len(apart["notes"]) == 1 and "different data" in apart["notes"][0]  # and no advice that it contradicts
    assert browser.get("/api/compare?run=vae&run=vae")["notes"] == []
    assert [row["run"] for row in found["curves"]["train"]["loss"]] == ["vae", "ae-32"]
    assert "2 to 8" in browser.get("/api/compare?run=vae", 400)["error"]
    facts, arrays = browser.bundle("/api/compare/images?run=vae&run=ae-32&n=3")
    assert arrays["reconstructions"].shape == (2, *arrays["originals"].shape) and facts["comparable"]["mse"]
    assert "one shape" in browser.get("/api/compare/images?run=vae&run=vectors", 400)["error"]


# --- runs that are not as they should be ------------------------------------------------------------------------------


def test_the_list_survives_damaged_deleted_and_newer_runs(own: Path, browse: Callable[[Path], Any]) -> None:
    for name, harm in {
        "half": lambda path: (path / "status.json").write_text('{"state": "fin'),
        "newer": lambda path: (path / "meta.json").write_text('{"schema_version": 99, "data": {}}'),
        "config": lambda path: (path / "config.toml").write_text("[model\n"),
        "meta": lambda path: (path / "meta.json").unlink(),
        "metrics": lambda path: (path / "metrics.jsonl").write_text('{"step": 2, "loss": NaN}\n{"st'),
        "model": lambda path: (path / "model" / "model.safetensors").write_bytes(b"x"),
    }.items():
        shutil.copytree(own / "vae", own / name)
        harm(own / name)
    (own / "empty").mkdir()
    (own / "file").write_text("no run")
    browser = browse(own)
    rows = {row["id"]: row for row in browser.get("/api/runs")["runs"]}
    assert set(rows) == {"vae", "half", "newer", "config", "meta", "metrics", "model"}
    for name in ("newer", "config", "meta"):
        assert rows[name]["state"] == "unreadable" and rows[name]["problem"]
        assert browser.get(f"/api/runs/{name}")["views"]["latent"]["why"]
        assert browser.get(f"/api/runs/{name}/latents", 409)["error"]
    assert "newer Latentia" in rows["newer"]["problem"]
    assert browser.get("/api/runs/metrics/metrics")["rows"]["train"]["loss"] == [None]
    assert "latentia resume" in browser.get("/api/runs/model/latents", 409)["error"]
    assert browser.get("/api/runs/half/health")["findings"] is not None
    browser.bundle("/api/runs/vae/latents?n=5")
    shutil.rmtree(own / "vae")
    assert "no run 'vae'" in browser.get("/api/runs/vae/latents?n=5", 404)["error"]
    assert "vae" not in {row["id"] for row in browser.get("/api/runs")["runs"]}


def test_an_unfinished_run_shows_its_last_checkpoint(own: Path, browse: Callable[[Path], Any]) -> None:
    status = json.loads((own / "vae" / "status.json").read_text())
    (own / "vae" / "status.json").write_text(json.dumps({**status, "state": "interrupted", "summary": None}))
    shutil.rmtree(own / "vae" / "model")
    browser = browse(own)
    facts, _ = browser.bundle("/api/runs/vae/latents?n=5")
    run = browser.get("/api/runs/vae")
    assert facts["step"] == 6 and run["views"]["latent"]["ok"]
    assert run["steps"] == 6 and run["epoch"] == pytest.approx(6 * 128 / run["splits"]["train"])
    shutil.rmtree(own / "vae" / "checkpoints")
    view = browser.get("/api/runs/vae")["views"]["latent"]
    assert not view["ok"] and "train it anew" in view["why"] and view["do"].startswith("latentia train")
    assert "train it anew" in browser.get("/api/runs/vae/latents?n=5", 409)["error"]


def test_a_checkpoint_that_is_replaced_meanwhile(own: Path, browse: Callable[[Path], Any]) -> None:
    status = json.loads((own / "vae" / "status.json").read_text())
    (own / "vae" / "status.json").write_text(json.dumps({**status, "state": "interrupted", "summary": None}))
    browser = browse(own)
    folder = own / "vae" / "checkpoints"

    def newer(directory: Any, config: Any, step: int) -> Any:
        shutil.rmtree(folder / "00000006", ignore_errors=True)  # as if the next had come just now
        (folder / "last").write_text("00000004")
        return opened(directory, config, step)

    opened, browser.server.studio._opened = browser.server.studio._opened, newer
    assert browser.bundle("/api/runs/vae/latents?n=5")[0]["step"] == 4


def test_a_run_whose_data_are_gone_still_decodes(own: Path, runs: Path, browse: Callable[[Path], Any]) -> None:
    shutil.copytree(runs / "vectors", own / "vectors")
    config = own / "vectors" / "config.toml"
    config.write_text(config.read_text().replace("vectors.npz", "gone.npz"))
    browser = browse(own)
    views = browser.get("/api/runs/vectors")["views"]
    assert not views["latent"]["ok"] and "put them back" in views["latent"]["why"] and views["paths"]["ok"]
    browser.bundle("/api/runs/vectors/path", {"a": [0.0] * 20, "b": [1.0] * 20})
    assert browser.get("/api/runs/vectors/latents", 409)["error"]


def test_a_replaced_model_is_seen(own: Path, runs: Path, browse: Callable[[Path], Any]) -> None:
    browser = browse(own)
    _, before = browser.bundle("/api/runs/vae/latents?n=5&errors=0")
    stored = (own / "vae" / "checkpoints" / "00000002" / "model.safetensors").read_bytes()
    time.sleep(0.01)
    (own / "vae" / "model" / "model.safetensors").write_bytes(stored)
    _, after = browser.bundle("/api/runs/vae/latents?n=5&errors=0")
    assert not np.allclose(before["z"], after["z"])


def test_markup_in_names_and_labels_stays_text(own: Path, browse: Callable[[Path], Any]) -> None:
    name = "<img src=x onerror=alert(1)>"
    shutil.copytree(own / "vae", own / name)
    meta = own / name / "meta.json"
    value = json.loads(meta.read_text())
    value["data"]["spec"]["classes"][0] = "<script>alert(1)</script>"
    meta.write_text(json.dumps(value))
    browser = browse(own)
    answer = browser.client.get(f"/api/runs/{name}")
    assert answer.headers["content-type"] == "application/json" and answer.json()["id"] == name
    assert answer.json()["classes"][0] == "<script>alert(1)</script>"
    answer = browser.client.get("/api/runs/<b>none<%2Fb>/latents")
    assert answer.status_code == 404 and answer.headers["content-type"] == "application/json"


def test_faults_inside_are_one_sentence(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(browser.server.catalogue, "description", broken)
    assert browser.get("/api/runs/vae", 500) == {"error": "something went wrong in the studio: its terminal says what"}


def test_a_checkout_without_built_pages_says_how_to_build_them(browser: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(application, "STATIC", tmp_path)
    answer = browser.client.get("/")
    assert answer.text == UNBUILT and answer.headers["content-type"].startswith("text/plain")
    (tmp_path / "index.html").write_text("<!doctype html><title>studio</title>")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "main-1.js").write_text("1")
    assert browser.client.get("/").headers["content-type"].startswith("text/html")
    assert browser.client.get("/assets/main-1.js").headers["content-type"].startswith("text/javascript")


def test_a_folder_that_is_not_there_yet(tmp_path: Path, browse: Callable[[Path], Any]) -> None:
    browser = browse(tmp_path / "none")
    assert browser.get("/api/runs") == {"runs": []}
    assert browser.get("/api/runs/x", 404)["error"]


# --- samples in their own units, and answers of bounded size ----------------------------------------------------------


@pytest.mark.parametrize("shape", [(5,), (1, 8, 8)])
def test_a_sample_can_be_posted_as_it_was_in_its_file(
    tmp_path: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    x = (np.random.default_rng(0).normal(size=(80, *shape)) * 40 + 300).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=x[:60], x_test=x[60:])
    settings = {"data.scale": "standard", "model.likelihood.name": "gaussian", "training.threads": 1}
    lt.train("vae", tmp_path / "x.npz", directory=tmp_path / "runs" / "kelvin", steps=2, settings=settings)
    browser = browse(tmp_path / "runs")
    _, pair = browser.bundle("/api/runs/kelvin/pair?index=3")
    np.testing.assert_allclose(pair["source"], x[63], rtol=1e-4)
    for values in (pair["source"].tolist(), pair["source"].flatten().tolist()):
        body = json.dumps({"values": values}).encode()
        head = {"content-type": "application/json"}
        _, found = browser.bundle("/api/runs/kelvin/encode", content=body, headers=head)
        np.testing.assert_allclose(found["z"], pair["z"], atol=1e-4)
    if len(shape) == 3:  # as 8-bit pixels they come back to within a level
        head = {"content-type": "application/octet-stream"}
        sent = pair["original"]
        _, found = browser.bundle("/api/runs/kelvin/encode", content=sent.tobytes(), headers=head)
        np.testing.assert_array_equal(found["input"], sent)


def test_pictures_of_8_bits_are_their_own_source(browser: Any) -> None:
    assert "source" not in browser.bundle("/api/runs/vae/pair?index=3")[1]


def test_answers_are_bounded(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentia.studio.pixels.BUDGET", 4 * 32 * 32 * 20)  # twenty pictures
    monkeypatch.setattr("latentia.studio.pixels.AT_ONCE", 100)
    facts, arrays = browser.bundle("/api/runs/vae-2d/manifold?n=10&samples=50")
    assert arrays["pixels"].shape[:2] == (4, 4) and facts["n"] == 4 and "4 of 10 rows" in facts["cut"]
    monkeypatch.setattr("latentia.studio.pixels.BUDGET", 4 * 8 * 8 * 20)
    facts, arrays = browser.bundle("/api/runs/vae/traversals?steps=4")
    assert arrays["pixels"].shape[:2] == (5, 4) and "5 of 20" in facts["cut"]
    facts, arrays = browser.bundle("/api/runs/vae/samples?n=50")
    assert len(arrays["pixels"]) == 20 and "20 of 50" in facts["cut"]
    facts, arrays = browser.bundle("/api/runs/vae/reconstructions?n=12")
    assert len(arrays["originals"]) == 10 and "10 of 12" in facts["cut"]
    facts, arrays = browser.bundle("/api/runs/vae/path", body={"a": 0, "b": 1, "steps": 30})
    assert len(arrays["pixels"]) == 20 and "20 of 30" in facts["cut"]
    monkeypatch.setattr("latentia.studio.pixels.BUDGET", 8 * 20 * 32)
    facts, arrays = browser.bundle("/api/runs/vae/latents?n=60&plane=pca")
    assert len(arrays["z"]) == facts["n"] == 32 and "32 of 60" in facts["cut"]
    monkeypatch.undo()
    assert browser.bundle("/api/runs/vae/samples?n=50")[0]["cut"] is None


def test_numbers_of_any_length_are_refused_in_a_sentence(browser: Any) -> None:
    huge = "9" * 400
    assert "x0 must be" in browser.get(f"/api/runs/vae-2d/manifold?x0={huge}", 400)["error"]
    for content in (
        f'{{"a": [{huge}, 0], "b": 1}}',
        f'{{"a": {huge}, "b": 1}}',
        f'{{"a": 0, "b": 1, "steps": {huge}}}',
    ):
        answer = browser.client.post("/api/runs/vae-2d/path", content=content)
        assert answer.status_code == 400 and answer.json()["error"]


def test_points_that_are_all_the_same_lie_on_their_plane() -> None:
    for found in (latents._raw(np.ones((5, 3)), 0, 1), latents._principal(np.ones((5, 3), np.float32))):
        assert found.residual == 0.0


def test_thumbnails_are_of_the_data_that_the_run_has_now(own: Path, browse: Callable[[Path], Any]) -> None:
    browser = browse(own)
    browser.bundle("/api/runs/vae/thumbnails?n=4")
    meta = json.loads((own / "vae" / "meta.json").read_text())
    meta["data"]["fingerprint"] = "another"
    (own / "vae" / "meta.json").write_text(json.dumps(meta))
    answer = browser.client.get("/api/runs/vae/thumbnails?n=4")
    assert answer.status_code == 409 and answer.json()["error"]  # and not the pictures from before


def test_the_command_and_the_python_of_a_view_do_the_same(browser: Any) -> None:
    copied = browser.get("/api/runs/vae")["copy"]["training"]
    assert copied["command"].startswith("latentia evaluate ") and copied["python"].endswith("run.evaluate()")
