"""The numbers on the pages are what the code says."""

from __future__ import annotations

import doctest
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_derivation_checks():
    result = doctest.testfile(str(DOCS / "derivation.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 15
    assert result.failed == 0
