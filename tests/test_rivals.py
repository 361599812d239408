"""The contenders of the speed benchmark compute one and the same loss, and its machinery holds together."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentia.data import DataSettings, files, load
from latentia.objectives import Elbo
from latentia.recipes import build_model, find_preset

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def contenders() -> Any:
    return importlib.import_module("contenders")


@pytest.fixture(scope="module")
def rivals() -> Any:
    return importlib.import_module("rivals")


@pytest.fixture(scope="module")
def tables() -> Any:
    return importlib.import_module("performance_tables")


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a very small MNIST, which nobody checks."""
    draw = np.random.default_rng(0)
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    for stem, count in (("train", 300), ("t10k", 20)):
        images, labels = draw.integers(0, 256, (count, 28, 28), np.uint8), draw.integers(0, 10, count, np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            path = tmp_path / "data" / "mnist" / f"{stem}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(header + array.tobytes()))
    monkeypatch.setattr(files, "_check_content", lambda *_: "unchecked")
    monkeypatch.setenv("LATENTIA_DATA_DIR", str(tmp_path / "data"))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    return tmp_path / "data"


def with_the_weights_of(plain: torch.nn.Module, system: str) -> Any:
    """Our model of a system with a plain model's weights; the plain one's two heads are one of ours."""
    spec = load(DataSettings(), arrays=np.zeros((4, 28, 28), np.uint8)).spec
    model = build_model(find_preset(system).config().model, spec, seed=0)
    theirs = plain.state_dict()
    joined = [
        torch.cat([value, theirs[name.replace("mu.", "logvar.")]]) if name.startswith("mu.") else value
        for name, value in theirs.items()
        if not name.startswith("logvar.")
    ]
    model.load_state_dict(dict(zip(model.state_dict(), joined, strict=True)))
    return model.train()


@pytest.mark.parametrize("system", ["vae", "conv-vae-32"])
def test_everybody_computes_the_same_loss(contenders: Any, system: str):
    plain = contenders.Task(system, "", 1, 0).model().train()
    ours = with_the_weights_of(plain, system)
    images = torch.randint(0, 256, (16, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    x = (images.float() / 255).view(16, *plain.event)

    def drawn(loss: Any) -> float:
        torch.manual_seed(1)
        return loss().item()

    def by_tutorial() -> torch.Tensor:
        reconstruction, mu, logvar = plain(x)
        return importlib.import_module("tutorial_vae").loss_function(reconstruction, x, mu, logvar)

    def by_us() -> torch.Tensor:
        noise = torch.randn(16, plain.latents)[None]
        return Elbo()(ours, x.view(16, 1, 28, 28), None, [noise], Elbo().coefficients_at(0.0)).total()

    expected = drawn(by_tutorial)
    assert drawn(lambda: contenders.plain_loss(plain, x, "fp32")) == pytest.approx(expected, rel=1e-5)
    assert drawn(by_us) == pytest.approx(expected, rel=1e-5)
    assert drawn(lambda: contenders.plain_loss(plain, x, "bf16")) == pytest.approx(expected, rel=1e-2)
    ours = with_the_weights_of(plain, system)  # whose batch statistics have moved
    with_theirs, with_ours = (
        contenders.elbo_on(trained, images) for trained in (contenders.plainly(plain), contenders.by_us(ours))
    )
    assert with_ours == pytest.approx(with_theirs, rel=1e-5)
    assert with_ours["elbo"] == -(with_ours["distortion"] + with_ours["rate"])


@pytest.mark.parametrize(("system", "parameters", "count"), [("vae", 652_824, 14), ("conv-vae-32", 384_577, 21)])
def test_the_floor_has_the_layers_of_the_model(contenders: Any, system: str, parameters: int, count: int):
    floor = importlib.import_module("floor")
    model = contenders.Task(system, "", 1, 0).model()
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    products = sum(inner * outer for inner, outer in floor.LINEAR[system])
    maps = sum(9 * inner * outer for _, inner, outer, _, _ in floor.CONVOLUTIONS[system])
    assert products + maps == sum(weight.numel() for weight in model.parameters() if weight.ndim > 1)
    found = floor.kernels(system, "fp32")
    assert len(found) == count
    for kernel in found.values():
        kernel()
    watch = contenders.Watch(1, 2)
    with pytest.raises(contenders.Enough):
        contenders.CONTENDERS["floor-fp32"](contenders.Task(system, "", 1, 0), watch)
    assert watch.rate is not None and watch.facts["kernel_microseconds"].keys() == found.keys()


def test_ours_is_timed_and_measured(contenders: Any, mnist: Path):
    task = contenders.Task("vae", str(mnist), 2, 0)  # five steps of 128
    watch = contenders.Watch(1, 3)
    with pytest.raises(contenders.Enough):
        contenders.CONTENDERS["ours"](task, watch)
    assert watch.rate is not None and watch.steps == 5
    whole = contenders.Watch(1, 3, stops=False)
    trained = contenders.CONTENDERS["ours-fp32"](task, whole)
    assert whole.facts["precision"] == "fp32" and whole.facts["compiled"] in (True, False)
    assert contenders.elbo_on(trained, torch.zeros(3, 28, 28, dtype=torch.uint8))["elbo"] < 0


def test_two_steps_of_the_machinery(
    rivals: Any, tables: Any, mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    out = tmp_path / "rivals.json"
    common = ["--steps", "1", "2", "--threads", "1", "--data-dir", str(mnist), "--out", str(out)]
    rivals.main(["--rounds", "1", *common, "--contenders", "eager"])  # in a process of its own
    assert json.loads(out.read_text())["speed"]["vae"]["contenders"].keys() == {"eager"}
    monkeypatch.setattr(rivals, "measure", lambda request: rivals.one({**request, "started": time.time()}))
    rivals.main(["--rounds", "2", *common, "--contenders", "floor-fp32", "tutorial", "eager"])
    rivals.main(["--epochs", "1", "--seeds", "2", *common, "--contenders", "eager"])
    rivals.main(["--epochs", "1", "--seeds", "1", *common, "--contenders", "tutorial"])
    record = json.loads(out.read_text())
    section = record["speed"]["vae"]
    assert list(section["contenders"]) == ["tutorial", "eager", "floor-fp32"]
    assert all(len(found["rounds"]) == 2 and found["peak_megabytes"] > 0 for found in section["contenders"].values())
    assert len(record["elbo"]["vae"]["commands"]) == 2
    printed = capsys.readouterr().out
    assert "/ tutorial" in printed and "fused Adam" in printed
    page = "\n".join(tables.rivals_lines(record, lambda columns, rows: str([columns, rows]), lambda _: "a machine"))
    assert "a machine" in page and page.count("## ") == 2


def test_ratios_and_rules(tables: Any):
    speeds = {"tutorial": [10.0, 20.0], "ours": [50.0, 60.0], "floor": [100.0, 60.0]}
    section = {"contenders": {name: {"rounds": rounds} for name, rounds in speeds.items()}}
    assert tables.ratio(section, "ours", "tutorial") == 4.0
    assert tables.ratio(section, "ours", "pythae") is None
    assert tables.speed_rules("vae", section)[1] == [
        ["ours / tutorial", "≥ 5", "4.00", "**no**"],
        ["ours / floor", "≥ 0.7", "0.75", "yes"],
    ]
    runs = {"eager": [-104.0, -104.5], "ours": [-104.1, -105.0]}
    facts = {"facts": {}, "seconds": 1.0}
    section = {
        "contenders": {
            name: {"elbo": sum(values) / 2, "runs": [{"elbo": value, **facts} for value in values]}
            for name, values in runs.items()
        }
    }
    rows = tables.elbo_table(section)[1]
    assert rows[0][3:5] == ["-", "-"] and rows[1][3:5] == ["-0.30", "**no**"]


def test_every_record_has_its_part_of_the_page(tables: Any):
    common = {"command": "python benchmark.py", "threads": 2, "load": 0.1, "rounds": 2}
    times = {"100": [20.0, 21.0], "4000": [23.0, 24.0]}
    relative = {"100": 1.0, "4000": 1.15}
    measured = {"microseconds_per_image": times, "relative_to_smallest": relative}
    commands = {"ours": {"command": "latentia train", "seconds": [20.0, 22.0], "peak_megabytes": 600}}
    speed = {
        "images": 4000,
        "speed_mapped_to_loaded": 0.9,
        **{key: {"map": value} for key, value in measured.items()},
    }
    records = {
        "rivals.json": {"flat": {**common, **measured, "peak_memory": {"resident_gigabytes": 0.6}, "image_bytes": 784}},
        "whole_command.json": {
            **common,
            "rounds": 2,
            "emptied": "caches are empty",
            "ratio": 0.4,
            "measured": commands,
        },
        "streaming.json": {
            **common,
            "speed": speed,
            "file_gigabytes": 4,
            "peak_memory": {"mapped": {"anonymous_gigabytes": 0.5}},
        },
    }
    assert records.keys() | {"seeds_together.json", "studio.json", "studio_browser.json"} == tables.PARTS.keys()
    pages = {
        name: "\n".join(part(records[name], lambda columns, rows: str([columns, rows]), lambda _: "a machine"))
        for name, part in tables.PARTS.items()
        if name in records
    }
    assert all("`python benchmark.py`. Machine: a machine" in page for page in pages.values())
    assert "0.60 GB (under 1 GB: yes)" in pages["rivals.json"] and "'1.150', '**no**'" in pages["rivals.json"]
    assert "takes 0.40" in pages["whole_command.json"] and "third: **no**" in pages["whole_command.json"]
    assert "0.90 of the speed" in pages["streaming.json"] and "0.50 GB" in pages["streaming.json"]


def test_unknown_contenders_and_missing_data_are_explained(
    rivals: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("LATENTIA_DATA_DIR", raising=False)
    for words, said in ((["--contenders", "keras"], "no contender keras"), ([], "--data-dir")):
        with pytest.raises(SystemExit):
            rivals.main(words)
        assert said in capsys.readouterr().err


def test_the_studios_figures(tables: Any):
    def table(columns: list[str], rows: list[list[str]]) -> str:
        return str([columns, rows])

    times = {"first_ms": 9.0, "median_ms": 1.0, "p95_ms": 2.0, "worst_ms": 3.0}
    walked = {"moves": 500, "shown": 499, "median_ms": 5.0, "p95_ms": 17.0, "worst_ms": 20.0}
    made = {"command": "a command", "machine": {}}
    server = {
        **made,
        "decode": [{"bytes": 784, "points": 500, **times}],
        "open": {"steps": 10_000, "first_s": 0.1, "best_s": 0.05},
        "beside": {
            "steps": 7, "watched_over_alone": 0.96, "medians": [100.0, 96.0], "images_per_second_alone": [1.0] * 5,
        },
    }  # fmt: skip
    page = "\n".join(tables.studio_lines(server, table, lambda _: "a machine"))
    assert "5 alternating pairs: 96 against 100 images/s" in page and "0.960 of the speed (within 5%: yes)" in page
    browser = {
        **made,
        "browser": "Chromium",
        "walk": [walked, {**walked, "p95_ms": 15.0}],
        "pan": {"points": 100_000, "frames_per_second": 31.0},
        "open": {"steps": 10_000, "first_s": 0.7, "median_s": 0.5},
    }
    page = "\n".join(tables.browser_lines(browser, table, lambda _: "a machine"))
    assert page.count("**no**") == 1 and page.count("'yes'") == 3 and "a machine" in page
