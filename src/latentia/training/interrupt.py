"""Turning SIGINT and SIGTERM into a wish that the loop grants between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class InterruptRequest:
    """A context in which the first SIGINT or SIGTERM only asks; the second SIGINT interrupts at once.

    Signals can be caught in the main thread alone; elsewhere only :meth:`request` works. The handlers that were
    there before are put back at the end.

    Example:
        >>> with InterruptRequest() as interrupt:
        ...     interrupt.request()
        ...     interrupt.requested
        True
    """

    def __init__(self) -> None:
        self.requested = False
        self._patient = True
        self._before: dict[int, Any] = {}

    def request(self) -> None:
        """Ask the loop to save a checkpoint and stop."""
        self.requested = True

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A context in which the first SIGINT interrupts at once too: for what is long and leaves nothing to save."""
        self._patient = False
        try:
            yield
        finally:
            self._patient = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        before, self.requested = self.requested, True
        if number == signal.SIGINT and (before or not self._patient):
            raise KeyboardInterrupt

    def __enter__(self) -> InterruptRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not Python's own
        self._before.clear()
