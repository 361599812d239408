"""What the training loop tells whoever listens: a progress bar, a status file, a notebook.

Owns the list of what can be heard. The loop never waits for a listener and knows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Events:
    """A listener that hears nothing; derive from it and override what is of interest."""

    def of(self, seed: int) -> Events:
        """The listener for one of several trainings, by its seed; it hears of that one alone."""
        return self

    def started(self, plan: Mapping[str, Any]) -> None:
        """Training begins.

        Args:
            plan: ``preset``, ``data``, ``device``, ``precision``, ``parameters``, ``steps`` (planned in all),
                ``steps_per_epoch``, ``step`` (where it begins) and ``run`` (the directory or ``None``).
        """

    def progressed(self, step: int) -> None:
        """``step`` steps are done; told about ten times a second, not at every step."""

    def logged(self, row: Mapping[str, Any]) -> None:
        """A line of ``metrics.jsonl`` was made; ``row["epoch_end"]`` says whether it is the last of an epoch."""

    def said(self, message: str) -> None:
        """Something worth a line: a warning, or what begins next."""

    def finished(self, summary: Mapping[str, Any]) -> None:
        """The run is done; ``summary`` is what ``latentia train --json`` prints."""


class Several(Events):
    """Pass every event on to several listeners, in order."""

    def __init__(self, *listeners: Events) -> None:
        self.listeners = listeners

    def of(self, seed: int) -> Events:
        """The listeners for one of several trainings."""
        return Several(*(listener.of(seed) for listener in self.listeners))

    def started(self, plan: Mapping[str, Any]) -> None:
        """Training begins."""
        for listener in self.listeners:
            listener.started(plan)

    def progressed(self, step: int) -> None:
        """``step`` steps are done."""
        for listener in self.listeners:
            listener.progressed(step)

    def logged(self, row: Mapping[str, Any]) -> None:
        """A line of ``metrics.jsonl`` was made."""
        for listener in self.listeners:
            listener.logged(row)

    def said(self, message: str) -> None:
        """Something worth a line."""
        for listener in self.listeners:
            listener.said(message)

    def finished(self, summary: Mapping[str, Any]) -> None:
        """The run is done."""
        for listener in self.listeners:
            listener.finished(summary)
