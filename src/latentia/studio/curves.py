"""The logged steps of runs as columns, read on from where the last look ended.

A metrics file only grows, until a resume cuts it back: then everything is read again, and readers are told.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from latentia.exploration.bundle import plain
from latentia.runs.directory import RunDirectory

_CHECKED = 256  # bytes before the end that are compared, to see that a file was not cut back and grown again
MOST_FILES = 64  # whose columns are kept


@dataclass
class Table:
    """The rows of one file.

    Attributes:
        path: The file.
        length: Bytes that were read, up to the end of a line.
        generation: How often it began anew.
        rows: All rows in order.
        tail: The last bytes that were read.
        seen: Size and time of the file at the last look.
    """

    path: Path
    length: int = 0
    generation: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    tail: bytes = b""
    seen: tuple[int, int] | None = None

    def refresh(self) -> None:
        """Read what is new."""
        try:
            found = self.path.stat()
            if self.seen == (found.st_size, found.st_mtime_ns):
                return
            self.seen = (found.st_size, found.st_mtime_ns)
            with self.path.open("rb") as file:
                if not self._goes_on(file, found.st_size):
                    self.length, self.rows, self.tail, self.generation = 0, [], b"", self.generation + 1
                file.seek(self.length)
                data = file.read()
        except OSError:
            if self.length:
                self.seen = None
                self.length, self.rows, self.tail, self.generation = 0, [], b"", self.generation + 1
            return
        whole = data[: data.rfind(b"\n") + 1]
        self.rows += filter(None, map(_row, whole.splitlines()))
        self.length += len(whole)
        self.tail = (self.tail + whole)[-_CHECKED:]

    def _goes_on(self, file: Any, size: int) -> bool:
        if size < self.length:
            return False
        file.seek(self.length - len(self.tail))
        return file.read(len(self.tail)) == self.tail

    def columns(self, start: int = 0, after: int | None = None) -> dict[str, dict[str, list[Any]]]:
        """Split -> name -> values, of the rows from a number on, or after a step; absent values are ``None``."""
        chosen = self.rows[start:]
        if after is not None:
            chosen = [row for row in chosen if row.get("step", 0) > after]
        found: dict[str, dict[str, list[Any]]] = {}
        for split in dict.fromkeys(str(row.get("split", "train")) for row in chosen):
            part = [row for row in chosen if str(row.get("split", "train")) == split]
            names = dict.fromkeys(name for row in part for name in row if name not in ("split",))
            found[split] = {name: [row.get(name) for row in part] for name in names}
        return found

    @property
    def step(self) -> int:
        """The last logged step."""
        return max((row["step"] for row in self.rows[-2:]), default=0)


def _row(line: bytes) -> dict[str, Any] | None:
    """A line as a row with a step; ``None`` for one that is no such thing."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or type(row.get("step")) is not int:
        return None
    return row if b"N" not in line and b"Inf" not in line else plain(row)  # NaN, which JSON has not


class Curves:
    """The tables of the runs that were looked at lately."""

    def __init__(self) -> None:
        self._tables: dict[Path, Table] = {}
        self._lock = threading.Lock()

    def of(self, directory: RunDirectory) -> Table:
        """A run's table as it is now, which later looks do not change."""
        with self._lock:
            path = directory.metrics.path
            table = self._tables.pop(path, None) or Table(path)
            self._tables[path] = table
            while len(self._tables) > MOST_FILES:
                self._tables.pop(next(iter(self._tables)))
            table.refresh()
            return replace(table, rows=table.rows[:])
