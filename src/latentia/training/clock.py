"""The time of a fit, and that of its steps apart from validation and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from latentia.training.events import Events

PROGRESS_SECONDS = 0.1


class Clock:
    """Counts the time of a fit, and that of its steps after the first epoch apart from everything else."""

    def __init__(self, before: float, device: torch.device) -> None:
        self.device = device
        self.start = self.checkpoint = time.perf_counter()
        self.before = before
        self.told = 0.0
        self.mark: float | None = None
        self.step_seconds = 0.0
        self.steps = 0

    def seconds(self) -> float:
        """Since the fit began, over all sittings."""
        return self.before + time.perf_counter() - self.start

    def since_checkpoint(self) -> float:
        """Seconds since the last checkpoint, or since the beginning."""
        return time.perf_counter() - self.checkpoint

    def checkpointed(self) -> None:
        """A checkpoint was written."""
        self.checkpoint = time.perf_counter()

    def stepped(self, events: Events, done: int, counted: bool) -> None:
        """One step was taken; ``counted`` if it lies after the first epoch."""
        now = time.perf_counter()
        if counted:
            if self.mark is None:
                self.mark = now  # the first such step starts the count
            else:
                self.steps += 1
        if now - self.told > PROGRESS_SECONDS:
            self.told = now
            events.progressed(done)

    def stop(self) -> None:
        """Add what was counted since the mark."""
        if self.mark is not None:
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            self.step_seconds += time.perf_counter() - self.mark
            self.mark = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of the block out of the steps' time."""
        running = self.mark is not None
        self.stop()
        try:
            yield
        finally:
            if running:
                self.mark = time.perf_counter()

    def rate(self, batch_size: int) -> float | None:
        """Images per second of the counted steps, or ``None`` without any."""
        return self.steps * batch_size / self.step_seconds if self.steps and self.step_seconds > 0 else None
