"""Means over steps against NumPy, and a file that only grows or is cut back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from latentia.errors import EnvironmentFault
from latentia.training.metrics import Meter, MetricsFile
from latentia.training.steps import row_of

Step = tuple[dict[str, Tensor], dict[str, Tensor]]


def steps_of(count: int, *, losses: int = 1, terms: int = 2, batch: int = 5, seed: int = 0) -> list[Step]:
    draw = torch.Generator().manual_seed(seed)
    return [
        (
            {f"loss{i}": 100 * torch.randn((), generator=draw) for i in range(losses)},
            {f"term{i}": 100 * torch.randn(batch, generator=draw) for i in range(terms)},
        )
        for _ in range(count)
    ]


def add(meter: Meter, losses: dict[str, Tensor], terms: dict[str, Tensor]) -> None:
    rows = [row_of(loss, terms) for loss in losses.values()]
    meter.add([*losses, *terms], torch.cat([*(row[:1] for row in rows), rows[0][1:]]))


def mean_of(steps: list[Step]) -> dict[str, float]:
    """By NumPy in float64."""
    losses, terms = steps[0]
    expected = {name: float(np.mean([step[0][name].item() for step in steps], dtype=np.float64)) for name in losses}
    for name in terms:
        expected[name] = float(np.mean(np.stack([step[1][name].numpy().astype(np.float64) for step in steps])))
    return expected


@settings(max_examples=40)
@given(
    capacity=st.integers(1, 12),
    count=st.integers(1, 12),
    losses=st.integers(1, 3),
    terms=st.integers(1, 4),
    batch=st.integers(1, 9),
)
def test_means_equal_numpys(capacity: int, count: int, losses: int, terms: int, batch: int):
    count = min(count, capacity)
    meter = Meter(capacity, "cpu")
    for interval in range(3):  # what was flushed is forgotten
        steps = steps_of(count, losses=losses, terms=terms, batch=batch, seed=interval)
        for step in steps:
            add(meter, *step)
        means, bad = meter.flush()
        assert bad is None and meter.count == 0
        expected = mean_of(steps)
        assert list(means) == list(expected)  # losses first, in the order given
        assert means == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_the_mean_over_steps_is_taken_in_double_precision():
    """Float32 has no 2^24 + 1, nor the half above 2^23."""
    meter = Meter(2, "cpu")
    for value in (2.0**24, 1.0):
        add(meter, {"loss": torch.tensor(value)}, {"term": torch.tensor([value])})
    assert meter.flush() == ({"loss": 8388608.5, "term": 8388608.5}, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["loss0", "loss1", "term0", "term1"])
@pytest.mark.parametrize("at", [0, 3, 5])
def test_the_first_bad_step_is_found(value: float, place: str, at: int):
    steps = steps_of(6, losses=2)
    for later in {at, 5}:
        losses, terms = steps[later]
        if place in losses:
            losses[place] = torch.tensor(value)
        else:
            terms[place][-1] = value  # one sample of the batch is enough
    meter = Meter(10, "cpu")
    for number, step in enumerate(steps):
        assert meter.first_bad() == (at if number > at else None)
        add(meter, *step)
    assert meter.first_bad() == at and meter.count == 6  # forgets nothing
    means, bad = meter.flush()
    assert bad == at and not math.isfinite(means[place])
    assert meter.first_bad() is None  # and does not look at what was flushed
    for step in steps_of(3, losses=2):
        add(meter, *step)
    assert meter.first_bad() is None and meter.flush()[1] is None


def test_an_empty_meter_has_no_means():
    meter = Meter(3, "cpu")
    for _ in range(2):
        assert meter.flush() == ({}, None)
        assert meter.first_bad() is None
        add(meter, *steps_of(1)[0])
        meter.flush()


def test_more_steps_than_the_capacity_are_an_error():
    meter = Meter(2, "cpu")
    steps = steps_of(3)
    add(meter, *steps[0])
    add(meter, *steps[1])
    with pytest.raises(IndexError):
        add(meter, *steps[2])
    assert meter.flush()[0] == pytest.approx(mean_of(steps[:2]), rel=1e-5)


@pytest.mark.parametrize("before", [0, 1, 4])
@pytest.mark.parametrize("flushed", [False, True])
def test_goes_on_from_its_state_in_the_middle_of_an_interval(before: int, flushed: bool):
    steps = steps_of(7, losses=2)
    straight, first = Meter(8, "cpu"), Meter(8, "cpu")
    if flushed:
        for meter in (straight, first):
            add(meter, *steps_of(1, losses=2, seed=9)[0])
            meter.flush()
    for step in steps[:before]:
        add(first, *step)
    names, rows = first.state()
    names, saved = json.loads(json.dumps(names)), rows.clone()
    for step in steps[before:]:
        add(first, *step)
    resumed = Meter(8, "cpu")
    add(resumed, {"other": torch.tensor(1.0)}, {"term": torch.ones(2)})
    resumed.restore(names, saved)
    assert resumed.count == before
    for step in steps[before:]:
        add(resumed, *step)
    for step in steps:
        add(straight, *step)
    assert resumed.flush() == straight.flush() == first.flush()
    for step in steps_of(7, losses=2, seed=8):
        add(first, *step)
    assert torch.equal(rows, saved)  # what was handed out does not change


def test_the_state_of_an_unused_meter_is_empty():
    names, rows = Meter(4, "cpu").state()
    assert names == [] and rows.numel() == 0
    meter = Meter(4, "cpu")
    meter.restore(names, rows)
    assert meter.flush() == ({}, None)
    assert meter.first_bad() is None


# -- the file ---------------------------------------------------------------------------------------------------------

ROWS: list[dict[str, Any]] = [
    {"step": 1, "loss": 0.1 + 0.2, "split": "train"},
    {"step": 2, "loss": -1e-300, "note": "β = 1\u2028two\nlines\x85\x1c"},
    {"step": 3, "epoch_end": True, "best": None},
]


@pytest.fixture
def file(tmp_path: Path) -> MetricsFile:
    return MetricsFile(tmp_path / "metrics.jsonl")


def written(file: MetricsFile) -> list[int]:
    """Write the rows, and return the file's length after each."""
    lengths = []
    for row in ROWS:
        file.append(row)
        lengths.append(file.path.stat().st_size)
    return lengths


def test_a_missing_file_is_empty(file: MetricsFile):
    assert (file.read(), file.length()) == ([], 0)
    file.cut(0)
    file.cut(100)
    assert not file.path.exists()


def test_rows_come_back_in_order(file: MetricsFile):
    lengths = written(file)
    assert file.read() == ROWS
    content = file.path.read_bytes()
    assert file.length() == lengths[-1] == len(content) and content.count(b"\n") == len(ROWS)
    assert [json.loads(line) for line in content.decode().split("\n")[:-1]] == ROWS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_does_not_have_is_not_written(file: MetricsFile, value: float):
    file.append(ROWS[0])
    with pytest.raises(ValueError, match="JSON"):
        file.append({"step": 2, "loss": value})
    assert file.read() == ROWS[:1]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_cutting_forgets_what_came_later(file: MetricsFile, kept: int):
    lengths = [0, *written(file)]
    file.cut(lengths[kept])
    assert file.length() == lengths[kept] and file.read() == ROWS[:kept]
    file.cut(10**6)  # a longer wish changes nothing
    assert file.length() == lengths[kept]
    file.append(ROWS[0])
    assert file.read() == [*ROWS[:kept], ROWS[0]]


def test_a_line_that_a_crash_left_half_written_is_left_out_and_cut_off(file: MetricsFile):
    lengths = written(file)
    content = file.path.read_bytes()
    for length in range(len(content) + 1):
        file.path.write_bytes(content[:length])
        # the line feed alone may be missing: the line is whole all the same
        whole = sum(end - 1 <= length for end in lengths)
        assert file.read() == ROWS[:whole], length
    file.path.write_bytes(content[: lengths[1] + 5])
    file.cut(lengths[1])
    file.append({"step": 9})
    assert file.read() == [*ROWS[:2], {"step": 9}]


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00\n", b"\xc3", b"\xed\xa0\x80\n", b"\x00" * 4096, b"\n\n", b"{]\n", b'"\xe2\x82']
)
def test_bytes_that_are_not_text_are_left_out(file: MetricsFile, damage: bytes):
    written(file)
    content = file.path.read_bytes()
    file.path.write_bytes(content + damage)
    assert file.read() == ROWS
    file.path.write_bytes(damage.rstrip(b"\n") + b"\n" + content)
    assert file.read() == ROWS


@settings(max_examples=60)
@given(damage=st.binary(max_size=30), position=st.integers(0, 200))
def test_damage_costs_the_lines_that_it_hits_alone(
    damage: bytes, position: int, tmp_path_factory: pytest.TempPathFactory
):
    file = MetricsFile(tmp_path_factory.mktemp("metrics") / "metrics.jsonl")
    lengths = [0, *written(file)]
    content = file.path.read_bytes()
    position = min(position, len(content))
    file.path.write_bytes(content[:position] + damage + content[position:])
    untouched = [
        row for row, begin, end in zip(ROWS, lengths, lengths[1:], strict=False) if end <= position or begin > position
    ]
    found = file.read()
    assert all(row in found for row in untouched)


@pytest.mark.parametrize("line", ["3", "null", '"text"', "[1, 2]", pytest.param("[" * 100_000, id="deep")])
def test_lines_that_are_no_objects_are_left_out(file: MetricsFile, line: str):
    written(file)
    with file.path.open("a") as stream:
        stream.write(line + "\n")
    assert file.read() == ROWS


def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path):
    file = MetricsFile(tmp_path)
    with pytest.raises(EnvironmentFault, match="cannot write"):
        file.append(ROWS[0])
