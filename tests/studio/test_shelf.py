"""What is kept in memory, and what goes first."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.preparation import Preparation
from latentia.studio.shelf import Shelf, size_of


def test_the_least_recently_used_goes_first() -> None:
    shelf = Shelf(limit=100)
    for name in "abc":
        shelf.get(name, lambda: np.zeros(30, np.uint8))
    shelf.get("a", lambda: pytest.fail("it is there"))
    shelf.get("d", lambda: np.zeros(30, np.uint8))
    assert shelf.keys() == ["c", "a", "d"] and shelf.size == 90
    shelf.get("large", lambda: np.zeros(1000, np.uint8))
    assert shelf.keys() == ["large"]


def test_several_threads_make_a_value_once() -> None:
    shelf, made = Shelf(), []

    def make() -> np.ndarray:
        made.append(threading.current_thread().name)
        time.sleep(0.05)
        return np.zeros(3)

    threads = [threading.Thread(target=shelf.get, args=("a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_failure_is_not_kept() -> None:
    shelf = Shelf()
    with pytest.raises(ZeroDivisionError):
        shelf.get("a", lambda: 1 // 0)
    assert shelf.get("a", lambda: 5) == 5


def test_sizes_are_those_of_what_is_held() -> None:
    assert size_of(torch.nn.Linear(3, 2)) == 4 * (6 + 2)
    split = Split(torch.zeros(4, 5, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    data = Dataset("a", DataSpec((5,)), Preparation(levels=256), {"train": split, "test": split}, "0")
    assert 2 * (20 + 32) <= size_of(data) < 20_000
