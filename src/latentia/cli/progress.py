"""Progress on stderr: a bar on a terminal, one line per epoch elsewhere. It never stops a run.

Hears what ``latentia.training.events.Events`` tells (the same methods, without importing the loop before it is
needed) and knows nothing of training.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

TERMS = ("loss", "distortion", "rate")  # in nats per sample


def is_terminal() -> bool:
    """Say whether stderr is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"


@contextmanager
def shown() -> Iterator[Lines]:
    """A listener for a training run; what it draws is cleared away at the end, however that comes."""
    listener = Bar() if is_terminal() else Lines()
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that work goes on."""
    if not is_terminal():
        yield
        return
    with _console().status(f"{what} ..."):
        yield


def _console() -> Console:
    """A console on stderr; rich's own would end the process when nobody listens any more."""
    from rich.console import Console

    class Enduring(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True

    return Enduring(stderr=True, highlight=False, markup=False)


class Lines:
    """One line at the start, one per epoch, one per message.

    Args:
        name: What stands before each line, where several trainings are told about.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.total = 0
        self.epoch = Means()
        self.pending: tuple[int, str] | None = None  # an epoch's line, to which its validation may still come

    def of(self, seed: int) -> Lines:
        """The listener for one of several trainings."""
        return Lines(f"seed {seed}: ")

    def started(self, plan: Mapping[str, Any]) -> None:
        """Say what is trained on what."""
        self.total = plan["steps"]
        self.epoch = Means()
        self.said(
            f"training {plan.get('preset') or 'a config'} on {plan.get('data')}: {plan['steps']:,} steps, "
            f"{plan['steps_per_epoch']:,.4g} per epoch, {plan['parameters']:,} parameters, "
            f"{plan['device']}, {plan['precision']}"
        )
        if plan.get("step"):
            self.said(f"going on after step {plan['step']:,}")

    def progressed(self, step: int) -> None:
        """Print what was held back."""
        if self.pending is not None and self.pending[0] < step:
            self.flush()

    def logged(self, row: Mapping[str, Any]) -> None:
        """Print a line at the end of an epoch, and of the run."""
        if row["split"] != "train":
            step, line = self.pending or (row["step"], f"step {row['step']:,}/{self.total:,}")
            self.pending = (step, f"{line}  {row['split']} {terms(row)}")
            self.flush()
            return
        self.flush()
        self.epoch.add(row)
        if row["epoch_end"] or row["step"] == self.total:
            epoch = f"{int(row['epoch'])}" if row["epoch_end"] else f"{row['epoch']:.3g}"
            place = f"epoch {epoch}  step {row['step']:,}/{self.total:,}  {row['seconds']:.1f} s"
            self.pending = (row["step"], f"{place}  {terms(self.epoch.values())}")
            self.epoch = Means()

    def said(self, message: str) -> None:
        """Print a message as a line of its own."""
        self.flush()
        self.say(message)

    def finished(self, summary: Mapping[str, Any]) -> None:
        """Print what was held back; the result itself goes to stdout."""
        self.flush()

    def flush(self) -> None:
        """Print the line that was held back."""
        if self.pending is not None:
            self.say(self.pending[1])
            self.pending = None

    def say(self, text: str) -> None:
        """Print a line, unless nobody listens any more."""
        with suppress(OSError, ValueError):
            print(f"{self.name}{text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Print what was held back."""
        self.flush()


class Bar(Lines):
    """A bar with the time that is left and the latest terms; messages stand above it.

    Args:
        name: What stands beside the bar, where there are several.
        whole: The bar that this one is drawn with, if it is that of one of several trainings.
    """

    def __init__(self, name: str = "", whole: Bar | None = None) -> None:
        super().__init__(name)
        self.whole = whole
        self.progress: Progress | None = None
        self.task: TaskID | None = None

    def of(self, seed: int) -> Bar:
        """A bar for one of several trainings, below those of the others."""
        self.progress = self.progress or _bars()
        return Bar(f"seed {seed}: ", self)

    def started(self, plan: Mapping[str, Any]) -> None:
        """Say what is trained on what, and draw the bar."""
        self.close()
        super().started(plan)
        self.progress = _bars() if self.whole is None else self.whole.progress
        if self.progress is not None:
            self.task = self.progress.add_task(self.name, total=plan["steps"], completed=plan.get("step") or 0)

    def progressed(self, step: int) -> None:
        """Move the bar."""
        if self.progress is not None and self.task is not None:
            self.progress.update(self.task, completed=step)

    def logged(self, row: Mapping[str, Any]) -> None:
        """Show the latest terms beside the bar."""
        if self.progress is not None and self.task is not None:
            told = f"{self.name}{row['split']} {terms(row)}"
            self.progress.update(self.task, completed=row["step"], description=told)

    def finished(self, summary: Mapping[str, Any]) -> None:
        """Clear the bar away."""
        self.close()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        progress = self.progress if self.whole is None else self.whole.progress
        if progress is None:
            super().say(text)
        else:
            progress.console.print(f"{self.name}{text}", soft_wrap=True)

    def close(self) -> None:
        """Clear the bar away."""
        if self.progress is None:
            return
        if self.whole is None:
            self.progress.stop()
        elif self.task is not None:
            self.progress.remove_task(self.task)
        self.progress = self.task = None


def _bars() -> Progress:
    """Where bars are drawn, one below the other."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=_console(),
        transient=True,
    )
    progress.start()
    return progress


class Means:
    """Means of the terms over the steps of several rows.

    Example:
        >>> means = Means()
        >>> means.add({"steps": 3, "loss": 2.0}); means.add({"steps": 1, "loss": 6.0})
        >>> means.values()
        {'loss': 3.0}
    """

    def __init__(self) -> None:
        self.steps = 0
        self.sums: dict[str, float] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row's terms as often as it has steps."""
        steps = row.get("steps", 1)
        self.steps += steps
        for name in TERMS:
            if row.get(name) is not None:
                self.sums[name] = self.sums.get(name, 0.0) + steps * row[name]

    def values(self) -> dict[str, float]:
        """Name -> mean."""
        return {name: value / self.steps for name, value in self.sums.items()}


def terms(row: Mapping[str, Any]) -> str:
    """The terms of a row of ``metrics.jsonl``, for a person.

    Example:
        >>> terms({"step": 100, "loss": 181.2345, "distortion": 0.012345, "rate": None})
        'loss 181.23  distortion 0.01235'
    """
    named = [(name, row[name]) for name in TERMS if row.get(name) is not None]
    return "  ".join(f"{name} {value:.2f}" if abs(value) >= 1 else f"{name} {value:.4g}" for name, value in named)
