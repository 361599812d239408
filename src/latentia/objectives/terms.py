"""What an objective returns, and what the training loop may ask of one.

Owns the record of the terms; must not know networks, optimisers or how the terms are averaged over time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LossTerms:
    """The terms of a loss for one batch, each per sample, summed over event dimensions, in nats.

    Attributes:
        loss: What is minimised, (B,).
        distortion: -E_q ln p(x given z), (B,).
        rate: KL(q to p), (B,), >= 0 unless ``estimated``; ``None`` without a prior.
        extras: Further terms worth logging, name -> (B,).
        batch: A scalar that exists only for the whole batch; it is added to the mean of ``loss``.
        estimated: Whether ``rate`` is a single-sample estimate.
    """

    loss: Tensor
    distortion: Tensor
    rate: Tensor | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    batch: Tensor | None = None
    estimated: bool = False

    def total(self) -> Tensor:
        """The scalar to minimise: the batch mean of ``loss``, plus ``batch``. The only place where it is taken."""
        mean = self.loss.mean()
        return mean if self.batch is None else mean + self.batch

    def reported(self) -> dict[str, Tensor]:
        """The terms to log, name -> (B,): distortion, rate where there is one, and the extras; no gradients."""
        terms = {"distortion": self.distortion, **({} if self.rate is None else {"rate": self.rate}), **self.extras}
        return {name: term.detach() for name, term in terms.items()}

    def detached(self) -> LossTerms:
        """The same terms without their gradients."""
        return LossTerms(
            loss=self.loss.detach(),
            distortion=self.distortion.detach(),
            rate=None if self.rate is None else self.rate.detach(),
            extras={name: term.detach() for name, term in self.extras.items()},
            batch=None if self.batch is None else self.batch.detach(),
            estimated=self.estimated,
        )


class Objective(Protocol):
    """What the training loop asks of an objective.

    Attributes:
        k: Draws of z for each x.
        compilable: Whether it does the same operations for every batch, so that a step can be one compiled graph.
    """

    k: int
    compilable: bool

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """The coefficients, such as beta, at a fraction of the planned run in [0, 1]."""
        ...

    def settled_at(self) -> float:
        """The fraction of the planned run after which no coefficient changes."""
        ...

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of one batch; ``coefficients`` are numbers or scalar tensors."""
        ...


class Unscheduled:
    """What objectives have in common that draw once and whose coefficients stay as they are."""

    k = 1
    compilable = True

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """No coefficient depends on progress."""
        return {}

    def settled_at(self) -> float:
        """Always 0: nothing is scheduled."""
        return 0.0
