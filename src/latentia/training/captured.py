"""What a step launches on a GPU, recorded once and launched again as a whole: a CUDA graph.

Small kernels take a GPU less time than Python takes to ask for them one by one; replaying a graph asks once for all.
Owns the recording, and the check that what is replayed is what was recorded; must not know what the kernels compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from latentia.errors import EnvironmentFault
from latentia.training.execution import default_generator

Call = Callable[[], Sequence[Tensor]]
Recorder = Callable[[Call], tuple[Callable[[], object], Sequence[Tensor]]]
"""Runs a call of no arguments while recording it -> what replays it, and the tensors that a replay fills."""

_WARM_UPS = 3  # in which kernels are chosen and loaded, which must not happen while they are recorded
_SAME_CHANGE = 0.1  # of its norm: some kernels add in an order of their own each time
_SAME_RESULT = 1e-3


class CapturedGraph:
    """A function of tensors that is called by replaying what it did once.

    What a replay reads and writes lies where it lay when it was recorded: the tensors that the function changes in
    place are used where they are, all others are copied to a place of their own first. Random numbers come from the
    device's default generator as it is at each replay. The tensors that are changed, and the generator, are left by
    the construction as they were.

    See "CUDA semantics, CUDA graphs" in PyTorch's notes, https://docs.pytorch.org/docs/stable/notes/cuda.html.

    Args:
        run: (*kept, *given) -> new tensors; it does the same for all values.
        kept: What it changes in place; the same objects for every call.
        given: Of the shapes, types and device of what every call is given beside them.
        record: How a call is recorded; as a CUDA graph if ``None``.

    Raises:
        EnvironmentFault: If a replay does not do what the function does.
    """

    def __init__(
        self,
        run: Callable[..., Sequence[Tensor]],
        kept: Sequence[Tensor],
        given: Sequence[Tensor],
        *,
        record: Recorder | None = None,
    ) -> None:
        self._count = len(kept)
        self._given = [value.clone() for value in given]
        device = kept[0].device

        def call() -> Sequence[Tensor]:
            return run(*kept, *self._given)

        self._call = call  # constants of its own lie where a replay reads them
        with _as_they_were(kept, device) as put_back:
            with _beside(device):
                for _ in range(_WARM_UPS):
                    call()
                put_back()
                with _no_waiting(device):
                    expected = [value.clone() for value in call()]
                should = [value.clone() for value in kept]
                put_back()
                start = [value.clone() for value in kept]
            self._replay, self._results = (record or partial(_cuda_graph, device))(call)
            put_back()
            self._replay()
            self._check(start, should, kept, expected)

    def __call__(self, *values: Tensor) -> list[Tensor]:
        """Replay with other values of what is given; ``values`` begin with what is kept."""
        for place, value in zip(self._given, values[self._count :], strict=True):
            place.copy_(value, non_blocking=True)
        self._replay()
        return [value.clone() for value in self._results]

    def _check(
        self, start: Sequence[Tensor], should: Sequence[Tensor], found: Sequence[Tensor], expected: Sequence[Tensor]
    ) -> None:
        """Compare one replay with the function itself, both from the same start."""
        apart = change = torch.zeros((), dtype=torch.float64, device=start[0].device)
        for before, wanted, value in zip(start, should, found, strict=True):
            apart = apart + (value.double() - wanted.double()).square().sum()
            change = change + (wanted.double() - before.double()).square().sum()
        results = all(
            torch.allclose(value, wanted, rtol=_SAME_RESULT, atol=_SAME_RESULT, equal_nan=True)
            for value, wanted in zip(self._results, expected, strict=True)
        )
        if not results or not bool(apart <= _SAME_CHANGE**2 * change):
            raise EnvironmentFault("a replayed step does not do what the step does")


@contextmanager
def _as_they_were(kept: Sequence[Tensor], device: torch.device) -> Iterator[Callable[[], None]]:
    """Put tensors and the device's default generator back at the end, and whenever what is handed out is called."""
    values = [value.clone() for value in kept]
    source = default_generator(device)
    state = source.get_state()

    def put_back() -> None:
        for place, value in zip(kept, values, strict=True):
            place.copy_(value)
        source.set_state(state)

    try:
        yield put_back
    finally:
        put_back()


@contextmanager
def _beside(device: torch.device) -> Iterator[None]:
    """On a CUDA device, a stream beside the current one, as what is to be recorded asks for; else nothing."""
    if device.type != "cuda":
        yield
        return
    now, other = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    other.wait_stream(now)
    with torch.cuda.stream(other):
        yield
    now.wait_stream(other)


@contextmanager
def _no_waiting(device: torch.device) -> Iterator[None]:
    """Refuse what makes the host wait for a CUDA device, before it spoils a recording."""
    if device.type != "cuda":
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


def _cuda_graph(device: torch.device, call: Call) -> tuple[Callable[[], Any], Sequence[Tensor]]:
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream(device)
    try:
        with torch.cuda.device(device), torch.cuda.graph(graph, capture_error_mode="thread_local"):
            results = list(call())
    except BaseException:
        torch.cuda.set_stream(stream)  # which a failed recording leaves
        raise
    return graph.replay, results
