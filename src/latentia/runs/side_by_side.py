"""Several runs at once on one processor: each in a process of its own, with its share of the threads.

On a CPU small models gain little from a second thread, and much from a second process: nothing waits for Python, and
evaluation and pictures are shared, too. Every run is that of a single command with as many threads, to the last bit.

Owns the processes, their orders and their messages; what a process does with an order is :mod:`latentia.runs.worker`.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from latentia import errors
from latentia.errors import ConfigError, DataError, Interrupted, LatentiaError, ProcessLost
from latentia.recipes.config import Config, to_toml
from latentia.training.events import Events
from latentia.training.interrupt import InterruptRequest

POLL_SECONDS = 0.2
GRACE_SECONDS = 60.0  # to finish a step and save a checkpoint


@dataclass(frozen=True)
class Member:
    """One of several runs.

    Attributes:
        config: Its resolved config.
        place: Its folder; ``None`` writes nothing.
        threads: How many it computes with.
    """

    config: Config
    place: Path | None
    threads: int


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its summary, or why there is none; neither if it never began."""

    summary: dict[str, Any] | None = None
    error: LatentiaError | None = None


def shares(count: int, budget: int, wished: int | None = None) -> list[int]:
    """The threads of each of some runs, so that together they use what a single one would.

    The last ones, if they are fewer than go side by side, have more each.

    Args:
        count: How many runs.
        budget: The threads of all that train at once.
        wished: The threads of each, where they are set.

    Example:
        >>> shares(5, 2)
        [1, 1, 1, 1, 2]
        >>> shares(5, 16)
        [3, 3, 3, 3, 3]
        >>> shares(3, 8, wished=4)
        [4, 4, 4]
    """
    if wished is not None:
        return [wished] * count
    at_once = min(count, budget)
    rest = count % at_once
    return [budget // at_once] * (count - rest) + [budget // (rest or 1)] * rest


def train_side_by_side(
    members: Sequence[Member], budget: int, data_dir: str | Path | None, events: Events
) -> list[Outcome]:
    """Complete several runs, as many at once as the threads allow, in their order.

    A run that fails does not keep the others from ending. SIGINT and SIGTERM let all of them save a checkpoint.

    Args:
        members: The runs.
        budget: How many threads may compute at once; one run always may.
        data_dir: Where original files are looked for first.
        events: Asked for a listener for each run.

    Raises:
        ConfigError: If a run was refused for its settings, which the others share; those that began are stopped.
        DataError: Likewise for the data.
    """
    outcomes = [Outcome()] * len(members)
    waiting = deque(range(len(members)))
    running: dict[Worker, int] = {}
    listeners = [events.of(member.config.seed) for member in members]
    with InterruptRequest() as interrupt, Workers() as workers:
        while waiting or running:
            free = budget - sum(members[number].threads for number in running.values())
            if waiting and (not running or members[waiting[0]].threads <= free):
                number = waiting.popleft()
                running[workers.order(members[number], data_dir, running)] = number
                continue
            told = workers.hear(POLL_SECONDS)
            if interrupt.requested and not workers.stopping:
                events.said("interrupted: saving checkpoints")
                workers.stop()
                waiting.clear()
            if told is None or told[0] not in running:
                continue
            worker, name, value = told
            if name in ("completed", "failed", "ended"):
                number = running.pop(worker)
                outcomes[number] = _outcome(name, value, members[number], workers.stopping)
                if isinstance(outcomes[number].error, (ConfigError, DataError)):
                    raise outcomes[number].error  # type: ignore[misc]
            else:
                getattr(listeners[running[worker]], name)(value)
    return outcomes


def _outcome(name: str, value: Any, member: Member, stopping: bool) -> Outcome:
    if name == "completed":
        return Outcome(summary=value)
    if name == "failed":
        return Outcome(error=getattr(errors, value["kind"], LatentiaError)(value["message"]))
    if stopping:
        return Outcome(error=Interrupted("interrupted"))
    how = f"by signal {-value} ({_signal(-value)})" if value < 0 else f"with exit code {value}"
    return Outcome(
        error=ProcessLost(
            f"the process that trained seed {member.config.seed} ended {how}: see above, or free some memory"
        )
    )


def _signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return "unknown"


class Worker:
    """One process, and the thread that listens to it."""

    def __init__(self, box: queue.Queue[tuple[Worker, str, Any]]) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from latentia.runs.worker import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,  # a terminal's Ctrl-C comes to the process that can tell all of them, once
        )
        self.thread = threading.Thread(target=self._listen, args=(box,), name="latentia-listener", daemon=True)
        self.thread.start()

    def _listen(self, box: queue.Queue[tuple[Worker, str, Any]]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError):  # a line is cut off where the process died within it
                name, value = json.loads(line)
                box.put((self, name, value))
        box.put((self, "ended", self.process.wait()))

    def order(self, member: Member, data_dir: str | Path | None) -> None:
        """Let it complete a run."""
        assert self.process.stdin is not None
        order = {
            "config": to_toml(member.config),
            "place": None if member.place is None else str(member.place),
            "threads": member.threads,
            "data_dir": None if data_dir is None else str(data_dir),
        }
        with suppress(OSError):  # it has ended, which its listener tells
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """Let it save a checkpoint and end."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()

    def close(self, grace: float) -> None:
        """Wait until it has ended, but not for ever."""
        self.stop()
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Workers:
    """The processes of a training; none of them outlives the block."""

    def __init__(self) -> None:
        self.stopping = False
        self.all: list[Worker] = []
        self.box: queue.Queue[tuple[Worker, str, Any]] = queue.Queue()

    def order(self, member: Member, data_dir: str | Path | None, busy: Collection[Worker]) -> Worker:
        """Give a run to a process that has nothing to do, or to a new one."""
        idle = [worker for worker in self.all if worker not in busy and worker.process.poll() is None]
        if not idle:
            idle = [Worker(self.box)]
            self.all += idle
        idle[0].order(member, data_dir)
        return idle[0]

    def hear(self, seconds: float) -> tuple[Worker, str, Any] | None:
        """What one of them said last, if anything comes within some time."""
        try:
            return self.box.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Let all of them save their checkpoints and end."""
        self.stopping = True
        for worker in self.all:
            worker.stop()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        grace = GRACE_SECONDS if kind is None or not issubclass(kind, KeyboardInterrupt) else 0.0
        for worker in self.all:
            worker.close(grace)
