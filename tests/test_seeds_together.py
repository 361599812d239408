"""The benchmark of several seeds compares like with like, and its record becomes a part of the page."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def on_the_path() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def test_what_is_measured_is_recorded_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    benchmark = importlib.import_module("seeds_together")
    tables = importlib.import_module("performance_tables")

    def run(seed: int, threads: int) -> dict[str, Any]:
        test = {"elbo": -100.0 - seed - threads / 1000, "distortion": None, "rate": None, "mse": 0.5}
        return {"seed": seed, "threads": threads, "precision": "fp32", "test": test}

    def timed(*words: str) -> tuple[float, dict[str, Any]]:
        if "--seeds" in words:
            return 6.0, {"runs": [run(0, 1), run(1, 1), run(2, 2)], "test": {}}
        seed = int(words[words.index("--seed") + 1]) if "--seed" in words else 0
        return 4.0, run(seed, 1 if "training.threads=1" in words else 2)

    monkeypatch.setattr(benchmark, "timed", timed)
    out = tmp_path / "results" / "seeds_together.json"
    benchmark.main(["--rounds", "2", "--seeds", "3", "--epochs", "1", "--out", str(out)])
    record = json.loads(out.read_text())
    assert record["together_seconds"] == [6.0, 6.0] and record["apart_seconds"] == [12.0, 12.0]
    assert record["ratio"] == 0.5 and record["threads_of_each"] == [1, 1, 2]
    assert record["largest_difference"] == pytest.approx({"elbo": 0.001, "mse": 0.0})
    assert record["difference_with_as_many_threads"] == {"elbo": 0.0, "mse": 0.0}
    assert "together / apart: 0.500" in capsys.readouterr().out
    page = "\n".join(tables.PARTS["seeds_together.json"](record, lambda *_: "TABLE", lambda _: "a machine"))
    assert "take 0.50 of the time (less than 1: yes)" in page and "TABLE" in page and "a machine" in page
