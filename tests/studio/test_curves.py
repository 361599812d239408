"""The log of a run, read on from where the last look ended."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from latentia.runs.directory import RunDirectory
from latentia.studio.curves import Curves, Table


def write(path: Path, steps: range, mode: str = "a", loss: float = 1.0) -> None:
    with path.open(mode) as file:
        for step in steps:
            file.write(json.dumps({"step": step, "split": "train", "loss": loss * step}) + "\n")


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    table = Table(tmp_path / "metrics.jsonl")
    table.refresh()
    assert table.columns() == {} and table.step == 0
    write(table.path, range(1, 4))
    table.refresh()
    first = table.rows
    assert table.columns()["train"]["step"] == [1, 2, 3]
    write(table.path, range(4, 6))
    table.refresh()
    assert table.rows is first and table.columns(3)["train"]["step"] == [4, 5] and table.step == 5


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    table = Table(tmp_path / "metrics.jsonl")
    write(table.path, range(1, 3))
    with table.path.open("a") as file:
        file.write('{"step": 3, "split": "tr')
    table.refresh()
    assert table.columns()["train"]["step"] == [1, 2]
    with table.path.open("a") as file:
        file.write('ain", "loss": 3.0}\n')
    table.refresh()
    assert table.columns()["train"]["step"] == [1, 2, 3]


def test_a_file_that_was_cut_back_begins_anew(tmp_path: Path) -> None:
    table = Table(tmp_path / "metrics.jsonl")
    write(table.path, range(1, 10))
    table.refresh()
    write(table.path, range(1, 4), "w")
    table.refresh()
    assert table.columns()["train"]["step"] == [1, 2, 3] and table.generation == 1
    write(table.path, range(1, 3), "w", loss=7)  # cut back and grown beyond its former length between two looks
    write(table.path, range(3, 30))
    table.refresh()
    assert table.generation == 2 and table.columns()["train"]["loss"][:3] == [7, 14, 3]
    table.path.unlink()
    table.refresh()
    assert table.rows == [] and table.generation == 3


def test_odd_lines_are_left_out(tmp_path: Path) -> None:
    table = Table(tmp_path / "metrics.jsonl")
    table.path.write_text('[]\n{"step": "x"}\n\n{"step": 1, "loss": NaN, "split": "train"}\nrubbish\n{"step": 2}\n')
    table.refresh()
    assert table.columns() == {"train": {"step": [1, 2], "loss": [None, None]}}


def test_absent_values_are_none(tmp_path: Path) -> None:
    table = Table(tmp_path / "metrics.jsonl")
    table.path.write_text('{"step": 1, "split": "train"}\n{"step": 2, "split": "train", "rate": 3.0}\n')
    table.refresh()
    assert table.columns()["train"]["rate"] == [None, 3.0]


def test_ten_thousand_steps_are_read_in_time(tmp_path: Path, runs: Path) -> None:
    shutil.copytree(runs / "vae", tmp_path / "vae")
    directory = RunDirectory(tmp_path / "vae")
    row = json.loads(directory.metrics.path.read_text().splitlines()[0])
    with directory.metrics.path.open("w") as file:
        file.writelines(json.dumps({**row, "step": step}) + "\n" for step in range(1, 10_001))
    before = time.process_time()
    text = json.dumps(Curves().of(directory).columns())
    assert len(json.loads(text)["train"]["loss"]) == 10_000
    assert time.process_time() - before < 1.0
