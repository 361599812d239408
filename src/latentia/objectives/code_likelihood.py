"""The objective of priors over codes: their likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from latentia.objectives.terms import LossTerms


class CodeLikelihood:
    """Minus the log-probability of an image's indices, in nats per image: divided by ln 2, the bits to store them.

    The loss of van den Oord et al., 2016, https://arxiv.org/abs/1606.05328, equation 1.
    """

    k = 1

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """No coefficient depends on progress."""
        return {}

    def settled_at(self) -> float:
        """Always 0: nothing is scheduled."""
        return 0.0

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch.

        Args:
            model: A :class:`latentia.parts.code_priors.AutoregressivePrior`.
            x: Indices, (B, h, w), as whole numbers in float32.
            y: Unused.
            noise: Unused.
            coefficients: Unused.

        Returns:
            Terms in nats per image; the loss is the distortion.
        """
        distortion = -model.log_prob(x.long())
        return LossTerms(distortion, distortion)
