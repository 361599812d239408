"""The page of measured figures says what the recorded results say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("table", ROOT / "benchmarks" / "table.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_results():
    assert (ROOT / "docs" / "figures.md").read_text(encoding="utf-8") == table().page()


def test_every_row_holds():
    module = table()
    for name in module.ROWS:
        record = module.read(f"tutorials/{name}.json")
        assert record["holds"] and len(record["values"]) >= 3
        assert record["mean"] == sum(record["values"]) / len(record["values"])
