"""The process that trains some of several runs, one after the other, as it is told through its standard input.

It reads one order a line and writes one message a line, JSON both, and knows nothing of the other processes. When its
input ends, be it that nothing is left to do, that the training was interrupted or that who started it has died, it
saves a checkpoint of what it is doing and ends.
"""

from __future__ import annotations

import _thread
import json
import os
import queue
import signal
import sys
import threading
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import torch

from latentia.errors import LatentiaError
from latentia.recipes.config import make_config
from latentia.runs.fitting import completed
from latentia.training.events import Events

Tell = Callable[[str, Any], None]


def main() -> None:
    """Do what is ordered until the input ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # even if it was started where SIGINT is ignored
    with _kept_clear() as messages:

        def tell(name: str, value: Any = None) -> None:
            with suppress(OSError):  # nobody listens any more; the input has ended then, too
                print(json.dumps([name, value]), file=messages, flush=True)

        warnings.showwarning = lambda message, *_: tell("said", f"warning: {message}")
        with suppress(KeyboardInterrupt):
            for order in _orders(sys.stdin):
                tell(*_outcome(order, tell))


def _kept_clear() -> IO[str]:
    """The standard output, for messages alone: whatever else prints does so to stderr from now on."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return messages


def _orders(stream: IO[str]) -> Iterator[dict[str, Any]]:
    """Hand on the orders; interrupt what is being done when the stream ends."""
    waiting: queue.Queue[dict[str, Any] | None] = queue.Queue()
    busy = threading.Event()

    def read() -> None:
        for line in stream:
            waiting.put(json.loads(line))
        waiting.put(None)
        if busy.is_set():
            _thread.interrupt_main()

    threading.Thread(target=read, name="latentia-orders", daemon=True).start()
    while (order := waiting.get()) is not None:
        busy.set()
        yield order
        busy.clear()


def _outcome(order: Mapping[str, Any], tell: Tell) -> tuple[str, Any]:
    """Complete a run; what came of it."""
    try:
        torch.set_num_threads(order["threads"])
        config = make_config(tomllib.loads(order["config"]))
        place = None if order["place"] is None else Path(order["place"])
        return "completed", completed(config, place, order["data_dir"], Telling(tell)).summary
    except LatentiaError as error:
        return "failed", {"kind": type(error).__name__, "message": str(error)}
    except KeyboardInterrupt:
        return "failed", {"kind": "Interrupted", "message": "interrupted"}


class Telling(Events):
    """Tells what it hears to another process."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def started(self, plan: Mapping[str, Any]) -> None:
        """Training begins."""
        self.tell("started", dict(plan))

    def progressed(self, step: int) -> None:
        """``step`` steps are done."""
        self.tell("progressed", step)

    def logged(self, row: Mapping[str, Any]) -> None:
        """A line of ``metrics.jsonl`` was made."""
        self.tell("logged", dict(row))

    def said(self, message: str) -> None:
        """Something worth a line."""
        self.tell("said", message)

    def finished(self, summary: Mapping[str, Any]) -> None:
        """The run is done."""
        self.tell("finished", dict(summary))


if __name__ == "__main__":
    main()
