"""The whole batch, where each of several processes holds a part of it.

Almost everything in a loss is per sample and needs only this process's part. What is defined over a batch (batch
statistics, a codebook that learns from all features, a penalty on a mean over the batch) asks for the whole of it here.
In a single process, and outside training steps, a part is the whole. Knows no processes: the training loop says how the
parts are gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor

_GATHER: ContextVar[Callable[[Tensor], Tensor] | None] = ContextVar("latentia_gather", default=None)


def whole(part: Tensor) -> Tensor:
    """The parts of all processes, one after the other.

    Args:
        part: This process's part, (B, ...), of the same shape in every process; all of them must ask.

    Returns:
        (W*B, ...) of W processes, in their order, with gradients to the part; the part itself where W is 1.

    Example:
        >>> import torch
        >>> whole(torch.ones(3)).shape
        torch.Size([3])
        >>> with gathered_by(lambda part: torch.cat([part, part])):
        ...     whole(torch.ones(3)).shape
        torch.Size([6])
    """
    gather = _GATHER.get()
    return part if gather is None else gather(part)


@contextmanager
def gathered_by(gather: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Gather parts in this way within the block.

    Args:
        gather: What :func:`whole` then does.
    """
    token = _GATHER.set(gather)
    try:
        yield
    finally:
        _GATHER.reset(token)
