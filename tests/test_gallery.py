"""The gallery says what the recorded results say, and shows no picture that it does not explain."""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from latentia.recipes import PRESETS, PUBLISHED

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
LARGEST, LARGEST_MOVIE, ALL = 250_000, 1_500_000, 5_000_000  # bytes


def imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # under which the other file imports it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def recording() -> ModuleType:
    """What the scripts that measure import."""
    return imported("recording")


@pytest.fixture(scope="module")
def data() -> ModuleType:
    return imported("gallery_pictures")


@pytest.fixture(scope="module")
def gallery(data: ModuleType) -> ModuleType:
    imported("performance_tables")
    return imported("gallery")


def test_the_pages_are_made_from_the_results(gallery: ModuleType):
    assert (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8") == gallery.page()
    assert (ROOT / "docs" / "performance.md").read_text(encoding="utf-8") == gallery.performance()


def test_every_row_that_was_measured_holds(gallery: ModuleType):
    for name, record in gallery.records().items():
        if record is None:
            continue
        assert record["compares"] and record["holds"] is not False and len(record["values"]) >= 3, name
        assert record["mean"] == statistics.fmean(record["values"])
        assert (record["reference"], record["allowed"]) == (PUBLISHED[name].reference, PUBLISHED[name].allowed)


def test_what_was_not_measured_is_a_dash(gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gallery, "RESULTS", tmp_path)
    monkeypatch.setattr(gallery, "PICTURES", tmp_path)
    page = gallery.page()
    for name, system in PUBLISHED.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[4] == cells[6] == cells[-1] == "-"
        assert (cells[5] == "-") is (system.allowed is None)
    assert "![" not in page


def test_speed_that_was_not_measured_is_left_out(gallery: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gallery, "RESULTS", tmp_path)
    assert gallery.performance() == gallery.PERFORMANCE


def test_every_system_has_a_picture(data: ModuleType):
    commands = " ".join(f"{picture.command} {picture.file}" for found in data.SECTIONS.values() for picture in found)
    same = {"conv-vae-32-2"}  # of conv-vae-32, after two epochs
    assert {name for name in PUBLISHED if f"{data.run(name)}" not in commands} == same


def test_every_picture_is_explained_once(gallery: ModuleType, data: ModuleType):
    found: list[Any] = [picture for section in data.SECTIONS.values() for picture in section]
    names = [picture.name for picture in found]
    assert len(set(names)) == len(names)
    assert {path.name for path in gallery.PICTURES.iterdir()} <= set(names)
    for picture in found:
        assert picture.sentence.endswith(".") and picture.title
        assert bool(picture.command) or picture.file
    assert {word for title in data.SECTIONS for word in title.replace(",", "").split()} - {"and"} <= set(PRESETS)


def test_the_pictures_are_small_and_fit_the_page(gallery: ModuleType):
    sizes = {path: path.stat().st_size for path in gallery.PICTURES.iterdir()}
    assert all(size <= (LARGEST_MOVIE if path.suffix == ".gif" else LARGEST) for path, size in sizes.items())
    assert sum(sizes.values()) <= ALL
    for path in sizes:
        with Image.open(path) as image:
            assert image.width <= gallery.WIDTH


def test_a_picture_whose_run_is_missing_is_left_out(gallery: ModuleType, data: ModuleType, tmp_path: Path):
    for section in data.SECTIONS.values():
        for picture in section:
            if "reproduction/" in picture.command + picture.file:
                assert gallery.draw(picture, tmp_path, tmp_path, prepare=False).startswith(f"needs {tmp_path}")


def test_pictures_are_reduced(gallery: ModuleType, tmp_path: Path):
    path = tmp_path / "wide.png"
    Image.linear_gradient("L").resize((2000, 500)).save(path)
    (tmp_path / "small.png").write_bytes(gallery.reduced(path))
    with Image.open(tmp_path / "small.png") as image:
        assert image.size == (gallery.WIDTH, gallery.WIDTH // 4)


@pytest.mark.parametrize("name", ["ae_against_vae", "conditional", "fitted_priors", "one_class"])
def test_what_was_recorded_follows_from_its_rows(name: str):
    path = ROOT / "results" / f"{name}.json"
    if not path.is_file():
        pytest.skip("not measured yet")
    record, script = json.loads(path.read_text(encoding="utf-8")), imported(name)
    summary = json.loads(json.dumps(script.summarise(record["rows"])))
    assert summary == record["summary"]
    assert record.get("rules") == (script.rules(record["rows"]) if hasattr(script, "rules") else None)


def test_one_seed_is_no_verdict(recording: ModuleType, capsys: pytest.CaptureFixture[str]):
    assert recording.verdict(True, 3) is True
    assert recording.verdict(False, 5, 3) is False
    assert recording.verdict(True, 3, 1) is None
    recording.print_rules({"a": True, "b": False, "c": None})
    assert capsys.readouterr().out == "a: yes\nb: NO\nc: no verdict from fewer than 3 seeds\n"


def test_autoencoder_against_vae_is_what_was_measured():
    record = json.loads((ROOT / "results" / "ae_against_vae.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "systems" / "ae-against-vae.md").read_text(encoding="utf-8")
    assert imported("ae_against_vae").table(record) in page
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
