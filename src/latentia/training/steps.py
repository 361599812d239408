"""One phase's part of a step, operation by operation: loss, gradients, update of the weights.

Must not know what a model or an objective is made of, nor what is done with the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentia.training.execution import Execution
from latentia.training.optimizer import FusedAdam
from latentia.training.phases import BatchLoss, Phase


class Figures(NamedTuple):
    """What a phase came to for one batch, before its weights were changed.

    Attributes:
        names: The loss, then the terms.
        row: (figures,), float32, on the device: the scalar that was minimised, and the batch means of the terms.
    """

    names: tuple[str, ...]
    row: Tensor


class EagerStep:
    """Every operation as it comes, by PyTorch's autograd.

    Args:
        phase: The loss and its parameters.
        loss: The phase's loss of a batch: (x, y, noise, coefficients) -> terms.
        optimizer: Of the phase's parameters.
        execution: The precision.
        clip_norm: Largest allowed norm of the gradient; none if ``None``.
        alone: Whether the phase is the only one, so that no gradient can leak into another's parameters.
        lap: Called with ``forward``, ``backward`` and ``optimiser`` when these are done.
    """

    def __init__(
        self,
        phase: Phase,
        loss: BatchLoss,
        optimizer: FusedAdam,
        execution: Execution,
        *,
        clip_norm: float | None = None,
        alone: bool = True,
        lap: Callable[[str], object] = lambda stage: None,
    ) -> None:
        self.phase, self.loss, self.optimizer, self.execution = phase, loss, optimizer, execution
        self.clip_norm, self.alone, self.lap = clip_norm, alone, lap

    def __call__(
        self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, float], rate: float
    ) -> Figures:
        """Take a step with a learning rate."""
        self.optimizer.zero_grad()
        with self.execution.autocast():
            terms = self.loss(x, y, noise, coefficients)
        total = terms.total()
        self.lap("forward")
        total.backward(inputs=None if self.alone else self.phase.parameters)
        self.lap("backward")
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.phase.parameters, self.clip_norm)
        self.optimizer.step(rate)
        self.lap("optimiser")
        reported = terms.reported()
        return Figures(names_of(self.phase, reported), row_of(total, reported))


def names_of(phase: Phase, reported: Mapping[str, Tensor]) -> tuple[str, ...]:
    """What the figures of a phase are called in the metrics."""
    prefix = f"{phase.name}_" if phase.name else ""
    return tuple(prefix + name for name in ("loss", *reported))


def row_of(total: Tensor, reported: Mapping[str, Tensor]) -> Tensor:
    """The scalar that is minimised and the batch means of terms (B,), (1 + terms,) in float32, without gradients."""
    means = torch.stack(tuple(reported.values())).detach().float().mean(1)
    return torch.cat([total.detach().float().reshape(1), means])
