"""Several processes that train one model together: who they are, how they meet, what they tell each other.

Owns the process group and everything that is said over it. In a single process, :class:`Alone`, each of these is
nothing at all. What a batch divided among processes means for a loss is in :mod:`latentia.training.shares`.

A process that has ended closes its connections, which the others notice at their next exchange. One that hangs, or
whose machine is cut off, is noticed by a thread that watches a sign of life from each. Either way the others end
within half a minute, and say why.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from latentia.errors import ConfigError, EnvironmentFault, LatentiaError, ProcessLost
from latentia.training.execution import Execution, resolve_device
from latentia.training.launch import Launch, launched

MEETING_SECONDS = 300.0  # until all processes must have been started
WAITING_SECONDS = 3600.0  # for a process that is alive and busy, such as with loading data
BEAT_SECONDS = 1.0
SILENCE_SECONDS = 18.0  # after which a process counts as lost
GRACE_SECONDS = 3.0  # in which a process ends by itself once another is lost
AGREEING_SECONDS = 0.5  # between two steps at which processes agree on whether to stop
MOST_STEPS_BETWEEN = 1000


class Ranks(ABC):
    """The processes that train together, as one of them sees it.

    Attributes:
        launch: Which of them this is.
        abandoning: Called with the reason, from another thread, before a process that hangs in an exchange with a lost
            one is ended; returns what is then said.
    """

    launch: Launch = Launch()
    abandoning: Callable[[str], str] = str

    @property
    def rank(self) -> int:
        """This process's number."""
        return self.launch.rank

    @property
    def world(self) -> int:
        """How many processes there are."""
        return self.launch.world

    @property
    def main(self) -> bool:
        """Whether this process writes and prints."""
        return self.launch.main

    @abstractmethod
    def tell(self, value: Any) -> list[Any]:
        """Tell every process a JSON value, and hear theirs, in their order."""

    @abstractmethod
    def mean_(self, tensor: Tensor) -> None:
        """Put the mean of all processes' tensors into each."""

    @abstractmethod
    def copy_(self, tensors: Iterable[Tensor]) -> None:
        """Put the values that process 0 has into the tensors of the others."""

    @abstractmethod
    def begin(self, step: int) -> None:
        """A fit begins after this step, from which on :meth:`wish` counts."""

    @abstractmethod
    def wish(self, step: int, wished: bool) -> bool:
        """Whether any process wishes to stop after this step: the same answer in all of them.

        They ask each other about twice a second, not at every step.
        """

    @abstractmethod
    def guarded(self) -> AbstractContextManager[None]:
        """Turn the failure of an exchange within the block into one sentence.

        Raises:
            ProcessLost: Within the block, if another process has ended.
        """

    @abstractmethod
    def placed(self, execution: Execution) -> Execution:
        """What process 0 has decided, on this process's own device."""

    def from_main(self, value: Any) -> Any:
        """The JSON value that process 0 has."""
        return self.tell(value if self.main else None)[0]

    def sums(self, values: Mapping[str, float]) -> dict[str, float]:
        """The sums of all processes' numbers by name; a process may lack some of them."""
        totals: dict[str, float] = {}
        for told in self.tell(dict(values)):
            for name, value in told.items():
                totals[name] = totals.get(name, 0.0) + value
        return totals

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first process of each machine go through the block before the others, which then find its files."""
        if self.launch.local != 0:
            self.tell(None)
        yield
        if self.launch.local == 0:
            self.tell(None)

    def agree(self, **facts: Any) -> None:
        """Refuse processes that were given different things.

        Args:
            **facts: What must be the same in all of them, in words -> a JSON value.

        Raises:
            ConfigError: If something is not.
        """
        told = self.tell(facts)
        for name in facts:
            if any(other[name] != told[0][name] for other in told):
                raise ConfigError(
                    f"the processes have different {name.replace('_', ' ')}: start all of them with the same "
                    "arguments, versions and data"
                )


class Alone(Ranks):
    """A single process: there is nobody to tell anything."""

    def tell(self, value: Any) -> list[Any]:
        """Return the value."""
        return [value]

    def mean_(self, tensor: Tensor) -> None:
        """Leave the tensor as it is."""

    def copy_(self, tensors: Iterable[Tensor]) -> None:
        """Leave the tensors as they are."""

    def begin(self, step: int) -> None:
        """Do nothing."""

    def wish(self, step: int, wished: bool) -> bool:
        """Return the wish."""
        return wished

    def guarded(self) -> AbstractContextManager[None]:
        """Return an empty context."""
        return nullcontext()

    def placed(self, execution: Execution) -> Execution:
        """Return the execution."""
        return execution


class Processes(Ranks):
    """One of several processes, joined by PyTorch's process group: gloo between CPUs, NCCL between GPUs.

    Args:
        launch: Which process this is.
        device: ``cpu`` or ``cuda``: the kind that they compute on.
        store: Where processes leave messages for each other.

    Attributes:
        lost: Whether another process is known to be lost.
    """

    def __init__(self, launch: Launch, device: str, store: Any) -> None:
        self.launch, self.kind = launch, device
        self.lost = False
        self._store = store
        self._inside = 0
        self.begin(0)
        self._watch = _Watch(store.clone(), launch, self._unheard)
        self._watch.start()

    # -- exchanges ----------------------------------------------------------------------------------------------

    def tell(self, value: Any) -> list[Any]:
        """Tell every process a JSON value, and hear theirs, in their order."""
        data = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        with self.guarded():
            lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
            dist.all_gather(lengths, torch.tensor([len(data)]))
            sizes = [int(length) for length in lengths]
            padded = torch.nn.functional.pad(data, (0, max(sizes) - len(data)))
            told = [torch.empty_like(padded) for _ in sizes]
            dist.all_gather(told, padded)
        return [json.loads(bytes(text[:size].tolist())) for text, size in zip(told, sizes, strict=True)]

    def mean_(self, tensor: Tensor) -> None:
        """Put the mean of all processes' tensors into each."""
        with self.guarded():
            dist.all_reduce(tensor)
            tensor.div_(self.world)

    def copy_(self, tensors: Iterable[Tensor]) -> None:
        """Put the values that process 0 has into the tensors of the others."""
        with self.guarded(), torch.no_grad():
            for tensor in tensors:
                dense = tensor.detach().contiguous()
                dist.broadcast(dense, 0)
                if dense.data_ptr() != tensor.data_ptr():
                    tensor.copy_(dense)

    def begin(self, step: int) -> None:
        """A fit begins after this step: ask after the next one, and from then on twice a second."""
        self._next_wish, self._between, self._asked = step + 1, 1, time.monotonic()

    def wish(self, step: int, wished: bool) -> bool:
        """Whether any process wishes to stop after this step; asked about twice a second."""
        if step < self._next_wish:
            return False
        now = time.monotonic()
        rate = self._between / max(now - self._asked, 1e-6)  # steps per second, since they last asked
        ahead = max(1, min(int(rate * AGREEING_SECONDS), 2 * self._between, MOST_STEPS_BETWEEN))
        answer = torch.tensor([int(wished), ahead if self.main else 0])
        with self.guarded():
            dist.all_reduce(answer, dist.ReduceOp.MAX)
        self._asked, self._between = now, int(answer[1])
        self._next_wish = step + self._between
        return bool(answer[0])

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn the failure of an exchange within the block into one sentence."""
        self._inside += 1
        try:
            yield
        except RuntimeError as error:
            if not _is_of_exchange(error):
                raise
            self.lost = True
            raise self._explained() from error
        finally:
            self._inside -= 1

    def placed(self, execution: Execution) -> Execution:
        """What process 0 has decided, on this process's own device."""
        decided = self.from_main(execution.to_json())
        device = f"cuda:{self.launch.local}" if self.kind == "cuda" else self.kind
        return Execution.from_json({**decided, "device": device})

    # -- ends ---------------------------------------------------------------------------------------------------

    def leave(self, error: BaseException | None) -> None:
        """Say goodbye, with the reason if there is one, and close what was open."""
        self._watch.over.set()
        reason = None if error is None else str(error) or type(error).__name__
        with suppress(RuntimeError):  # whoever keeps the messages is gone
            if reason is not None and not isinstance(error, ProcessLost):
                self._store.set(f"stopped/{self.rank}", reason)
            self._store.set(f"beat/{self.rank}", "done")
        if not self.lost and (error is None or self.kind == "cpu"):  # otherwise closing the group could hang
            with suppress(RuntimeError):
                dist.destroy_process_group()
        if self.main and error is not None:
            self._wait_for_the_others()

    def _wait_for_the_others(self) -> None:
        """Let those that are there hear the reason: it may be kept by this process, and is gone when it ends."""
        others = {f"beat/{rank}" for rank in range(1, self.world)}
        until = time.monotonic() + GRACE_SECONDS
        with suppress(RuntimeError):
            while len(others) > (1 if self.lost else 0) and time.monotonic() < until:
                others -= {key for key in others if self._store.check([key]) and self._store.get(key) == b"done"}
                time.sleep(0.05)

    def _explained(self) -> ProcessLost:
        """Why an exchange failed, as far as the others have told."""
        with suppress(RuntimeError):
            self._store.set(f"noticed/{self.rank}", "")
        until = time.monotonic() + GRACE_SECONDS / (2 if self.main else 1)
        while time.monotonic() < until:
            with suppress(RuntimeError):
                for rank in range(self.world):
                    if rank != self.rank and self._store.check([f"stopped/{rank}"]):
                        reason = self._store.get(f"stopped/{rank}").decode()
                        return ProcessLost(f"process {rank} of {self.world} has stopped: {reason}", told=not self.main)
                if not self.main and self._store.check(["noticed/0"]):
                    return ProcessLost(self._gone(), told=True)
            time.sleep(0.1)
        return ProcessLost(self._gone())

    def _gone(self) -> str:
        which = "the other process" if self.world == 2 else f"one of the {self.world - 1} other processes"
        return f"{which} of this training has ended or cannot be reached (this is process {self.rank} of {self.world})"

    def _unheard(self, peer: int) -> None:
        """Another process gives no sign of life: end this one if it hangs in an exchange with it."""
        time.sleep(GRACE_SECONDS)
        while not self._watch.over.is_set():
            if self.lost:
                return
            if self._inside:
                break
            time.sleep(BEAT_SECONDS)
        else:
            return
        message = self.abandoning(self._gone())
        if self.main or peer == 0:
            with suppress(OSError):
                sys.stderr.write(f"latentia: error: {message}\n")
                sys.stderr.flush()
        os._exit(LatentiaError.exit_code)  # this process can do nothing else: it waits in a call that never returns


def _is_of_exchange(error: RuntimeError) -> bool:
    words = str(error).lower()
    return isinstance(error, dist.DistError) or "gloo" in words or "nccl" in words


class _Watch(threading.Thread):
    """Gives a sign of life and watches those of the others.

    Args:
        store: A connection of its own to where messages are left.
        launch: Which process this is.
        unheard: Called with the number of the first process that is not heard of any more.
    """

    def __init__(self, store: Any, launch: Launch, unheard: Callable[[int], None]) -> None:
        super().__init__(name="latentia-watch", daemon=True)
        self.over = threading.Event()
        self._store, self._launch, self._unheard = store, launch, unheard
        store.set_timeout(datetime.timedelta(seconds=SILENCE_SECONDS))
        self._last: dict[int, tuple[bytes, float]] = {}

    def run(self) -> None:
        """Once a second, until it is over or somebody is lost."""
        beats = 0
        while not self.over.wait(BEAT_SECONDS):
            beats += 1
            try:
                self._store.set(f"beat/{self._launch.rank}", str(beats))
                silent = self._silent()
            except RuntimeError:
                silent = 0  # it keeps the messages, or its machine does
            if silent is not None and not self.over.is_set():
                self._unheard(silent)
                return

    def _silent(self) -> int | None:
        now = time.monotonic()
        for peer in range(self._launch.world):
            if peer == self._launch.rank:
                continue
            key = f"beat/{peer}"
            beat = self._store.get(key) if self._store.check([key]) else b""
            last, since = self._last.get(peer, (None, now))
            if beat != last:
                self._last[peer] = (beat, now)
            elif beat != b"done" and now - since > SILENCE_SECONDS:
                return peer
        return None


# -- meeting --------------------------------------------------------------------------------------------------------

_joined: Processes | None = None
_root: Any = None  # the connection to where messages are left, kept while the process lives
_meetings = 0


@contextmanager
def joined(device: str = "auto") -> Iterator[Ranks]:
    """Join the processes that ``torchrun`` started with this one.

    Within another such block the same processes are handed on. Process 0 may go on in the block after the others have
    left it.

    Args:
        device: ``training.device``: NCCL joins GPUs, each process having the one of its local number; gloo joins CPUs.

    Yields:
        The processes; :class:`Alone` where there is one.

    Raises:
        ConfigError: If one GPU is named for all of them.
        EnvironmentFault: If they do not find each other, or there are fewer GPUs than processes.
    """
    global _joined
    if _joined is not None:
        yield _joined
        return
    launch = launched()
    if launch.world == 1:
        yield Alone()
        return
    ranks = _joined = _meet(launch, _kind_of(device, launch))
    try:
        with _outliving_torchrun(ranks):
            yield ranks
    except BaseException as error:
        ranks.leave(error)
        raise
    else:
        ranks.leave(None)
    finally:
        _joined = None


def _kind_of(device: str, launch: Launch) -> str:
    """The kind of device that all processes compute on."""
    kind = resolve_device(device).type
    if device.startswith("cuda:"):
        raise ConfigError(
            f"{launch.world} processes cannot share {device}: set --device cuda, and each has the GPU of its number"
        )
    if kind == "mps":
        raise EnvironmentFault("processes cannot be joined on mps: use --device cpu, or train in one process")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if launch.local >= count:
            raise EnvironmentFault(
                f"process {launch.local} of this machine needs a GPU of its own, of which there are {count}: "
                f"set --nproc-per-node {count}, or --device cpu"
            )
        if not dist.is_nccl_available():
            raise EnvironmentFault("this PyTorch has no NCCL to join GPUs with: use --device cpu, or one process")
        torch.cuda.set_device(launch.local)
    return kind


def _meet(launch: Launch, kind: str) -> Processes:
    global _root, _meetings
    if dist.is_initialized():
        raise EnvironmentFault(
            "there is a process group already: Latentia makes its own, so call "
            "torch.distributed.destroy_process_group() before training"
        )
    try:
        if _root is None:
            timeout = datetime.timedelta(seconds=MEETING_SECONDS)
            _root, _, _ = next(rendezvous("env://", launch.rank, launch.world, timeout=timeout))
        _meetings += 1
        store = dist.PrefixStore(f"latentia/{_meetings}", _root)  # pyright: ignore[reportPrivateImportUsage]
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo",
            store=store,
            rank=launch.rank,
            world_size=launch.world,
            timeout=datetime.timedelta(seconds=WAITING_SECONDS),
        )
        return Processes(launch, kind, store)
    except (RuntimeError, ValueError, OSError) as error:
        raise EnvironmentFault(
            f"the {launch.world} processes have not found each other at {os.environ['MASTER_ADDR']}:"
            f"{os.environ['MASTER_PORT']}: see that all of them are started and that nothing bars the way"
        ) from error


@contextmanager
def _outliving_torchrun(ranks: Processes) -> Iterator[None]:
    """Let this process say why it ends: where one has ended, torchrun sends SIGTERM to the others at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        if not ranks.lost:
            signal.signal(number, signal.SIG_DFL if before is None else before)
            signal.raise_signal(number)

    signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        if ranks.lost:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
