"""The objective of diffusion priors: tell the noise from the latents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from latentia.objectives.terms import LossTerms, Unscheduled


class DiffusionObjective(Unscheduled):
    r"""How well a diffusion prior tells the velocity of noised latents, at levels drawn uniformly.

    .. math:: L = \tfrac12 \| v - \hat v(u_t, t) \|^2 + \tfrac{D}{2} \ln 2\pi

    which is minus the log-density of the velocity under a unit Gaussian around its prediction, in nats. Ho, Jain &
    Abbeel, "Denoising Diffusion Probabilistic Models", 2020, https://arxiv.org/abs/2006.11239, equation 14, with the
    velocity (Salimans & Ho 2022, https://arxiv.org/abs/2202.00512, appendix D) in the place of the noise. It is a
    surrogate: neither the likelihood of the latents nor a bound on it.
    """

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch.

        Args:
            model: A :class:`latentia.parts.latent_priors.DiffusionPrior`.
            x: Latents, (B, *latent).
            y: Labels (B,), for a prior that depends on them; unused by others.
            noise: What ``model.draw_noise(B)`` returned.
            coefficients: Unused.

        Returns:
            Terms in nats per latent vector; the loss is the distortion.
        """
        fractions, eps = noise
        v, predicted = model.predict(x, fractions[0], eps[0], y)
        squared = (v - predicted.float()).flatten(1).square()
        distortion = 0.5 * (squared.sum(1) + squared.shape[1] * math.log(2 * math.pi))
        return LossTerms(distortion, distortion)
