"""The page of measured figures says what the recorded results say."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_results():
    assert (ROOT / "docs" / "figures.md").read_text(encoding="utf-8") == benchmark("table").page()


def test_every_row_holds():
    module = benchmark("table")
    for name in module.ROWS:
        record = module.read(f"tutorials/{name}.json")
        assert record["holds"] and len(record["values"]) >= 3
        assert record["mean"] == sum(record["values"]) / len(record["values"])


def test_autoencoder_against_vae_is_what_was_measured():
    record = json.loads((ROOT / "results" / "ae_against_vae.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "systems" / "ae-against-vae.md").read_text(encoding="utf-8")
    assert benchmark("ae_against_vae").table(record) in page
    figures = record["summary"]
    assert {row["seed"] for row in record["rows"]} == {0, 1, 2}
    assert f"{record['extractor_accuracy']:.2%}".replace("%", " %") in page
    for point, distribution in (("ae-2d", "vae-2d"), ("ae-32", "vae-400-20")):  # what the page's sentences say
        assert figures[point]["draw_distance"]["mean"] == 0 < figures[distribution]["draw_distance"]["mean"]
        prior = {name: figures[name]["standard_normal_frechet"] for name in (point, distribution)}
        spread = sum(value["standard_deviation"] for value in prior.values())
        assert prior[point]["mean"] - prior[distribution]["mean"] > 2 * spread
        assert figures[point]["gmm_frechet"]["mean"] < prior[point]["mean"]
        box = {name: figures[name]["box_frechet"]["mean"] for name in (point, distribution)}
        assert box[distribution] < box[point]
    mean = {key: {name: figures[name][key]["mean"] for name in figures} for key in figures["ae-2d"]}
    assert mean["gmm_frechet"]["ae-32"] < mean["standard_normal_frechet"]["vae-400-20"]
    assert mean["gmm_frechet"]["vae-400-20"] < mean["standard_normal_frechet"]["vae-400-20"]
    assert mean["half_way_frechet"]["ae-32"] < mean["half_way_frechet"]["vae-400-20"]
    for name in ("ae-2d", "vae-2d"):
        assert mean["box_confidence"][name] > mean["reconstructions_confidence"][name]
