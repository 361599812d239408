"""The evidence lower bound and its variations on the weight of the rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latentia.data.corruption import Corruption
from latentia.data.whole import whole
from latentia.errors import ConfigError
from latentia.maths.schedules import Schedule, settled_at, value_at
from latentia.objectives.terms import LossTerms


class Elbo:
    r"""Distortion + beta x rate, to be minimised; at beta = 1 it is the negative ELBO.

    .. math::
        L = -E_{q(z|x)} \ln p(x|z) + \beta\, KL(q(z|x) \,\|\, p(z))

    Kingma & Welling 2014, https://arxiv.org/abs/1312.6114, equation 3; beta: Higgins et al., "beta-VAE", 2017,
    https://openreview.net/forum?id=Sy2fzU9gl, equation 4.

    With ``free_bits`` = f, beta multiplies :math:`\sum_j \max(f, \mathrm{mean}_B KL_j)` instead, over latent dimensions
    j (Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016,
    https://arxiv.org/abs/1606.04934, equation 15, with every dimension a group of its own). It exists only for a batch.

    With ``capacity`` = C the loss is distortion + gamma |rate - C| (Burgess et al., "Understanding disentangling in
    beta-VAE", 2018, https://arxiv.org/abs/1804.03599, equation 8), per sample; beta is then not used.

    With a ``corruption`` c the model sees c(x), and the distortion is still against x: a denoising VAE,
    :math:`-E_{q(z|c(x))} \ln p(x|z) + \beta\, KL(q(z|c(x)) \,\|\, p(z))` (Im et al., "Denoising Criterion for
    Variational Auto-Encoding Framework", 2017, https://arxiv.org/abs/1511.06406, equation 6, with the K draws of z
    sharing one corrupted image). It is drawn from the default generator of x's device.

    Args:
        beta: Factor on the rate, a number or a schedule.
        free_bits: Nats per latent dimension that cost nothing.
        capacity: Target of the rate in nats, a number or a schedule; ``None`` for none.
        gamma: Factor on the distance from the capacity.
        samples: Number K of draws over which the distortion is averaged.
        corruption: What is done to x before the model sees it; ``None`` for nothing.

    Raises:
        ConfigError: If free bits and a capacity, or a capacity and a beta, are asked for together.
    """

    compilable = True

    def __init__(
        self,
        beta: Schedule = 1.0,
        *,
        free_bits: float = 0.0,
        capacity: Schedule | None = None,
        gamma: float = 1000.0,
        samples: int = 1,
        corruption: Corruption | None = None,
    ) -> None:
        if capacity is not None and (free_bits > 0 or beta != 1.0):
            raise ConfigError(
                "objective.capacity replaces beta and free bits: use --set objective.beta=1 --set "
                "objective.free_bits=0, or --set objective.capacity=none"
            )
        self.beta = beta
        self.free_bits = free_bits
        self.capacity = capacity
        self.gamma = gamma
        self.k = samples
        self.corruption = corruption

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """``beta``, or ``capacity`` where there is one, at a fraction of the planned run."""
        if self.capacity is not None:
            return {"capacity": value_at(self.capacity, progress)}
        return {"beta": value_at(self.beta, progress)}

    def settled_at(self) -> float:
        """The fraction of the planned run after which beta or the capacity no longer changes."""
        return settled_at(self.beta if self.capacity is None else self.capacity)

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch.

        Args:
            model: A model with a prior.
            x: Clean data, (B, *event).
            y: Labels, (B,), or ``None``.
            noise: What ``model.draw_noise(B, self.k)`` returned.
            coefficients: What :meth:`coefficients_at` returned, as numbers or scalar tensors.

        Returns:
            Terms in nats per image.

        Raises:
            ConfigError: If the model has no prior.
        """
        seen = x if self.corruption is None else self.corruption(x)
        trace = model.trace(seen, y, noise, self.k)
        distortion, rate = trace.distortion(x), trace.rate()
        if rate is None:
            raise ConfigError(
                "the ELBO needs a prior: use --set model.prior.name=standard-normal, or --set "
                "objective.name=autoencoder"
            )
        if self.capacity is not None:
            loss = distortion + self.gamma * (rate - coefficients["capacity"]).abs()
        elif self.free_bits > 0:
            penalty = sum((self._above_free_bits(level) for level in trace.levels), torch.zeros_like(rate[0]))
            return LossTerms(
                distortion, distortion, rate, batch=coefficients["beta"] * penalty, estimated=trace.estimated
            )
        else:
            loss = distortion + coefficients["beta"] * rate
        return LossTerms(loss, distortion, rate, estimated=trace.estimated)

    def _above_free_bits(self, level: Any) -> Tensor:
        if level.kl is None:
            raise ConfigError(
                "free bits need the rate of each latent dimension, which this prior has not in closed form: "
                "use --set objective.free_bits=0, or --set model.prior.name=standard-normal"
            )
        return whole(level.kl).mean(0).clamp_min(self.free_bits).sum()
