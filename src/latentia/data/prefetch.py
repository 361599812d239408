"""Batches read ahead of their use by a thread, into memory that is used again and again.

Knows neither files nor what is read; the reader is handed in.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

SlotT = TypeVar("SlotT")
_END = -1


class Prefetcher(Generic[SlotT]):
    """Fills slots with what steps need, in order, while former steps are being computed.

    What a step gets depends on its number alone; asking for another step than the next one starts anew from there. A
    slot that was handed out is filled again once the next one is asked for.

    Args:
        fill: Fills a slot with what a step needs; called in the thread, for one step after the other.
        slots: At least two, of the caller's own kind.

    Example:
        >>> ahead = Prefetcher(lambda step, slot: slot.__setitem__(0, 10 * step), [[0], [0], [0]])
        >>> ahead.get(0)[0], ahead.get(1)[0], ahead.get(7)[0]
        (0, 10, 70)
        >>> ahead.close()
    """

    def __init__(self, fill: Callable[[int, SlotT], None], slots: Sequence[SlotT]) -> None:
        assert len(slots) >= 2, "one is in use while another is filled"
        self._fill, self._slots = fill, slots
        self._next = _END
        self._used: SlotT | None = None
        self._work: _Work[SlotT] | None = None

    def get(self, step: int) -> SlotT:
        """Return the slot of a step, filled; it is valid until the next call.

        Raises:
            Exception: Whatever the reader raised for this step.
        """
        if self._work is None or step != self._next:
            self.close()
            self._work = _Work(self._fill, self._slots, step)
            self._stop = weakref.finalize(self, self._work.end)
        elif self._used is not None:
            self._work.free.put(self._used)
        found = self._work.ready.get()
        if isinstance(found, BaseException):
            self.close()
            raise found
        self._next, self._used = step + 1, found
        return found

    def close(self) -> None:
        """End the thread, and wait until it has; the next :meth:`get` starts another one."""
        if self._work is not None:
            self._stop.detach()
            self._work.end()
            self._work.thread.join()
            self._work, self._used, self._next = None, None, _END


class _Work(Generic[SlotT]):
    """One thread and its queues; it holds no reference to whoever started it, so that this can be forgotten."""

    def __init__(self, fill: Callable[[int, SlotT], None], slots: Sequence[SlotT], step: int) -> None:
        self.free: queue.SimpleQueue[SlotT | None] = queue.SimpleQueue()
        self.ready: queue.SimpleQueue[SlotT | BaseException] = queue.SimpleQueue()
        self.ended = False
        for slot in slots:
            self.free.put(slot)
        self.thread = threading.Thread(target=self._run, args=(fill, step), name="latentia-prefetch", daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Have the thread end after what it is reading."""
        self.ended = True
        self.free.put(None)

    def _run(self, fill: Callable[[int, SlotT], None], step: int) -> None:
        while (slot := self.free.get()) is not None and not self.ended:
            try:
                fill(step, slot)
            except BaseException as error:  # told where the step is wanted
                self.ready.put(error)
                return
            self.ready.put(slot)
            step += 1
