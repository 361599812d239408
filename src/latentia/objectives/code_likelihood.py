"""The objective of priors over codes: their likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from latentia.objectives.terms import LossTerms, Unscheduled


class CodeLikelihood(Unscheduled):
    """Minus the log-probability of an image's indices, in nats per image: divided by ln 2, the bits to store them.

    The loss of van den Oord et al., 2016, https://arxiv.org/abs/1606.05328, equation 1.
    """

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
        distortion = -model.log_prob(x)
        return LossTerms(distortion, distortion)
