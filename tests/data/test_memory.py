"""How much memory there is, by the machine and by the control group, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentia.data import memory


def test_this_machine_tells_its_memory():
    found = memory.machine_memory()
    assert found is None or 2**27 < found < 2**50


def test_the_smaller_of_machine_and_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory.os, "sysconf", lambda name: 4096 if "SIZE" in name else 2**20, raising=False)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_GROUPS", (str(limit),))
    assert memory.machine_memory() == 2**32  # no such group
    for text, expected in (("max\n", 2**32), ("1073741824\n", 2**30), ("9223372036854771712\n", 2**32)):
        limit.write_text(text)
        assert memory.machine_memory() == expected


def test_what_is_large(monkeypatch: pytest.MonkeyPatch):
    for total, size, large in (
        (2**30, 2**27, False),
        (2**30, 2**27 + 1, True),
        (2**40, 2**30 + 1, True),
        (None, 2**30, False),
    ):
        monkeypatch.setattr(memory, "machine_memory", lambda total=total: total)
        assert memory.is_large(size) is large
