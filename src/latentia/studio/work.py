"""Where the server's work is done, so that neither the page nor a training beside it waits.

Reading files, watching them and decoding single points have threads of their own; what takes longer has two that give
way to everybody else on the machine. PyTorch uses one thread in each.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from latentia.errors import LatentiaError

NICENESS = 10
MOST_WAITING = 256  # for each kind of work


class Busy(LatentiaError):
    """Too many requests wait already."""


class Work:
    """The threads of one server."""

    def __init__(self) -> None:
        self._pools = {
            "look": ThreadPoolExecutor(2, "studio-look"),
            "watch": ThreadPoolExecutor(1, "studio-watch"),
            "decode": ThreadPoolExecutor(1, "studio-decode"),
            "think": ThreadPoolExecutor(2, "studio-think", initializer=_give_way),
        }
        self._waiting = dict.fromkeys(self._pools, 0)
        self._running, self._lock = 0, threading.Lock()

    async def do(self, pool: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in one of the pools: ``look``, ``watch``, ``decode`` or ``think``.

        Raises:
            Busy: If too much waits there.
        """
        if self._waiting[pool] >= MOST_WAITING:
            raise Busy("the studio is busy with many requests: try again in some seconds")
        self._waiting[pool] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pools[pool], self._counted, function, *arguments
            )
        finally:
            self._waiting[pool] -= 1

    def _counted(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._lock:
            self._running += 1
        try:
            return function(*arguments)
        finally:
            with self._lock:
                self._running -= 1

    @property
    def busy(self) -> bool:
        """Whether a thread computes something, which nothing can make it leave off."""
        return self._running > 0

    def close(self) -> None:
        """Take no more work, and wait for none."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _give_way() -> None:
    """Lower this thread's priority; where a system knows none for threads, it stays."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
