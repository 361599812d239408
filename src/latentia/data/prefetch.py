"""Batches read ahead of their use by a thread, into memory that is used again and again.

Knows neither files nor what is read; the reader is handed in.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

SlotT = TypeVar("SlotT")
OrderT = TypeVar("OrderT")


class Prefetcher(Generic[OrderT, SlotT]):
    """Fills slots with what steps need, in order, while former steps are being computed.

    What a step gets depends on its number alone; asking for another step than the next one starts anew from there. A
    slot that was handed out is filled again once the next one is asked for.

    The thread should do nothing but wait for the disk and copy. A parallel operation of PyTorch's there gives OpenMP a
    second team of threads, and where all are more than the processors, it lets them sleep at every barrier from then
    on: a small model's steps took three times as long. So what to read is worked out by the caller's thread.

    Args:
        order: What the thread has to know for a step; called by whoever calls :meth:`get`.
        fill: Fills a slot by an order; called in the thread, for one step after the other.
        slots: At least two, of the caller's own kind.

    Example:
        >>> ahead = Prefetcher(lambda step: 10 * step, lambda order, slot: slot.__setitem__(0, order), [[0], [0], [0]])
        >>> ahead.get(0)[0], ahead.get(1)[0], ahead.get(7)[0]
        (0, 10, 70)
        >>> ahead.close()
    """

    def __init__(
        self, order: Callable[[int], OrderT], fill: Callable[[OrderT, SlotT], None], slots: Sequence[SlotT]
    ) -> None:
        assert len(slots) >= 2, "one is in use while another is filled"
        self._order, self._fill, self._slots = order, fill, slots
        self._next = self._ordered = 0
        self._free: deque[SlotT] = deque()
        self._work: _Work[OrderT, SlotT] | None = None

    def get(self, step: int) -> SlotT:
        """Return the slot of a step, filled; it is valid until the next call.

        Raises:
            Exception: Whatever the reader raised for this step, or the order for one of the next.
        """
        if self._work is None or step != self._next:
            self.close()
            self._next = self._ordered = step
            self._free.extend(self._slots)
            self._work = _Work(self._fill)
            self._stop = weakref.finalize(self, self._work.end)
        while self._free:
            self._work.orders.put((self._order(self._ordered), self._free.popleft()))
            self._ordered += 1
        found = self._work.ready.get()
        if isinstance(found, BaseException):
            self.close()
            raise found
        self._next = step + 1
        self._free.append(found)
        return found

    def close(self) -> None:
        """End the thread, and wait until it has; the next :meth:`get` starts another one."""
        work, self._work = self._work, None  # first, so that nobody waits for a thread that has ended
        self._free.clear()
        if work is not None:
            self._stop.detach()
            work.end()
            work.thread.join()


class _Work(Generic[OrderT, SlotT]):
    """One thread and its queues; it holds no reference to whoever started it, so that this can be forgotten."""

    def __init__(self, fill: Callable[[OrderT, SlotT], None]) -> None:
        self.orders: queue.SimpleQueue[tuple[OrderT, SlotT] | None] = queue.SimpleQueue()
        self.ready: queue.SimpleQueue[SlotT | BaseException] = queue.SimpleQueue()
        self.ended = False
        self.thread = threading.Thread(target=self._run, args=(fill,), name="latentia-prefetch", daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Have the thread end after what it is reading."""
        self.ended = True
        self.orders.put(None)

    def _run(self, fill: Callable[[OrderT, SlotT], None]) -> None:
        while (given := self.orders.get()) is not None and not self.ended:
            order, slot = given
            try:
                fill(order, slot)
            except BaseException as error:  # told where the step is wanted
                self.ready.put(error)
                return
            self.ready.put(slot)
