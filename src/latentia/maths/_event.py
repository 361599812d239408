"""What Latentia's distributions have in common: one batch dimension, and an event that is everything after it.

Knows no formula.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution

from latentia.errors import LatentiaError


class EventDistribution(Distribution):
    r"""A batch of independent distributions over events of any shape; ``log_prob`` is summed over the event.

    It is a :class:`torch.distributions.Distribution` that is never validated (validation would refuse grey pixels
    under a Bernoulli, and costs time). Parameters in half precision are cast to float32 by every subclass.

    Args:
        batch_shape: (B,), or () for a distribution that is the same for every image.
        event_shape: \*event, the shape of one sample.
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(self, batch_shape: torch.Size, event_shape: torch.Size) -> None:
        super().__init__(batch_shape, event_shape, validate_args=False)

    def __repr__(self) -> str:
        """Show the shapes instead of every number."""
        shapes = f"batch_shape={tuple(self.batch_shape)}, event_shape={tuple(self.event_shape)}"
        return f"{type(self).__name__}({shapes})"

    @abstractmethod
    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        r"""Draw samples of shape (\*sample_shape, \*batch_shape, \*event_shape)."""

    def sample(self, sample_shape: Any = (), generator: torch.Generator | None = None) -> Tensor:
        r"""Draw samples, without gradients.

        Args:
            sample_shape: Leading dimensions: ``(K,)`` for K samples each.
            generator: Where the randomness comes from, on the parameters' device; ``None`` is the device's default.

        Returns:
            Shape (\*sample_shape, B, \*event).
        """
        with torch.no_grad():
            return self._draw(self._extended_shape(torch.Size(sample_shape)), generator).detach()

    def _adopt(self, value: Tensor, dtype: torch.dtype) -> Tensor:
        """Check that ``value`` consists of events that fit the batch, and give it at least the parameters' type."""
        cut = value.dim() - len(self.event_shape)
        lead = value.shape[:cut] if cut >= 0 else None
        if lead is None or value.shape[cut:] != self.event_shape or not _fits(lead, self.batch_shape):
            raise LatentiaError(
                f"{self!r} cannot score values of shape {tuple(value.shape)}: the last dimensions must be the event's, "
                "and the ones before them the batch's or 1"
            )
        return value.to(torch.promote_types(value.dtype, dtype))

    def _sum(self, value: Tensor) -> Tensor:
        r"""Sum over the event: (..., B, \*event) -> (..., B)."""
        dimensions = len(self.event_shape)
        return value.sum(tuple(range(-dimensions, 0))) if dimensions else value


def _fits(lead: torch.Size, batch: torch.Size) -> bool:
    return not lead or not batch or lead[-1] == batch[-1] or 1 in (lead[-1], batch[-1])
