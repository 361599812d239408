"""Averages of the terms over steps, without a synchronisation per step, and the file that they go to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentia import storage


class Meter:
    """Keeps the loss and the terms of the last steps on the device until they are asked for.

    Args:
        capacity: The most steps between two calls of :meth:`flush`.
        device: Where the terms are.
    """

    def __init__(self, capacity: int, device: torch.device | str) -> None:
        self.capacity = capacity
        self.device = device
        self.names: list[str] = []
        self.rows: Tensor | None = None
        self.count = 0

    def add(self, names: Sequence[str], row: Tensor) -> None:
        """Remember one step: a figure for each name, (names,)."""
        if self.rows is None:
            self.names = list(names)
            self.rows = torch.zeros(self.capacity, len(self.names), device=self.device)
        self.rows[self.count] = row
        self.count += 1

    def merge(self, mean_: Callable[[Tensor], None]) -> None:
        """Take the mean of what several processes remember, each of its share of the batches.

        Args:
            mean_: Puts the mean of all processes' tensors into each of them.
        """
        if self.rows is not None and self.count > 0:
            mean_(self.rows[: self.count])

    def flush(self) -> tuple[dict[str, float], int | None]:
        """Average what was remembered, and forget it.

        Returns:
            The means by name, and the index of the first remembered step with a NaN or infinite term, or ``None``.
        """
        if self.rows is None or self.count == 0:
            return {}, None
        rows = self.rows[: self.count].cpu().double()
        self.count = 0
        bad = (~rows.isfinite().all(dim=1)).nonzero()
        return dict(zip(self.names, rows.mean(0).tolist(), strict=True)), (int(bad[0]) if len(bad) else None)

    def first_bad(self) -> int | None:
        """The index of the first remembered step with a NaN or infinite term, or ``None``; forgets nothing."""
        if self.rows is None:
            return None
        bad = (~self.rows[: self.count].isfinite().all(dim=1)).nonzero()
        return int(bad[0]) if len(bad) else None

    def state(self) -> tuple[list[str], Tensor]:
        """The names and the remembered rows, (steps, names), for a checkpoint."""
        if self.rows is None:
            return [], torch.zeros(0, 0)
        return self.names, self.rows[: self.count].clone()

    def restore(self, names: Sequence[str], rows: Tensor) -> None:
        """Go on from what :meth:`state` returned."""
        self.count = rows.shape[0]
        self.names = list(names)
        self.rows = torch.zeros(self.capacity, len(self.names), device=self.device) if self.names else None
        if self.rows is not None:
            self.rows[: self.count] = rows.to(self.device)


class MetricsFile:
    """``metrics.jsonl``: one JSON object per line, only ever appended to or cut back.

    Args:
        path: The file; made when the first line is written.

    Example:
        >>> import tempfile; file = MetricsFile(Path(tempfile.mkdtemp()) / "metrics.jsonl")
        >>> file.append({"step": 1, "loss": 2.5}); file.read()
        [{'step': 1, 'loss': 2.5}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one line."""
        storage.append_line(self.path, json.dumps(row, allow_nan=False))

    def length(self) -> int:
        """The length in bytes, once the disk holds it all."""
        if not self.path.exists():
            return 0
        storage.sync(self.path)
        return self.path.stat().st_size

    def cut(self, length: int) -> None:
        """Forget what was written after a checkpoint that knows this length."""
        storage.cut(self.path, length)

    def read(self) -> list[dict[str, Any]]:
        """Every whole line, in order; a line that a crash left half-written is left out."""
        if not self.path.exists():
            return []
        rows = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                rows.append(row)
        return rows
