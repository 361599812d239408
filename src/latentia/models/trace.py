"""What one pass through a model leaves behind, and all that an objective may look at.

Owns the two records; must not know losses, networks or training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution


@dataclass(frozen=True, eq=False)
class Level:
    """One level of latents: a draw and what is known about its density.

    The K samples are folded into the batch with K first: row ``k * B + b`` is sample k of image b, so that
    ``log_q.view(K, B)`` separates them again.

    Attributes:
        z: The draw, (K*B, *latent).
        posterior: q(z given x), over a batch of B; ``None`` never occurs.
        prior: p(z), over a batch that broadcasts with K*B; ``None`` for a plain autoencoder.
        kl: KL(q to p) in closed form, one value per latent dimension, (B, *latent), nats; ``None`` where none exists.
        known_log_q: ln q(z given x), (K*B,), where the posterior gives it together with the draw (flows);
            otherwise it is computed from ``posterior`` when asked for.
    """

    z: Tensor
    posterior: Any
    prior: Distribution | None = None
    kl: Tensor | None = None
    known_log_q: Tensor | None = None

    @property
    def log_q(self) -> Tensor:
        """ln q(z given x), (K*B,), nats."""
        if self.known_log_q is not None:
            return self.known_log_q
        batch = self.posterior.batch_shape[0]
        folded = self.z.reshape(-1, batch, *self.z.shape[1:])  # (K, B, *latent)
        return self.posterior.log_prob(folded).reshape(-1)

    @property
    def log_p(self) -> Tensor:
        """ln p(z), (K*B,), nats."""
        if self.prior is None:
            raise AttributeError("a model without a prior has no ln p(z)")
        return self.prior.log_prob(self.z)

    @property
    def estimated(self) -> bool:
        """Whether the rate has no closed form here and is estimated from the draw."""
        return self.kl is None and self.prior is not None

    def rate(self) -> Tensor | None:
        """KL(q(z given x) to p(z)), (B,), nats; the mean over the K draws of ln q - ln p where it is estimated."""
        if self.kl is not None:
            return self.kl.flatten(1).sum(1)
        if self.prior is None:
            return None
        batch = self.posterior.batch_shape[0]
        return (self.log_q - self.log_p).view(-1, batch).mean(0)


@dataclass(frozen=True, eq=False)
class Trace:
    """The levels of latents of one pass, and the likelihood that they lead to.

    Attributes:
        levels: One for most models, several for hierarchies.
        likelihood: p(x given z), over a batch of K*B, sample-major as the levels are.
        k: The number K of samples per image.
    """

    levels: tuple[Level, ...]
    likelihood: Distribution
    k: int = 1

    @property
    def estimated(self) -> bool:
        """Whether any level's rate is an estimate."""
        return any(level.estimated for level in self.levels)

    @property
    def has_prior(self) -> bool:
        """Whether there is a prior, hence a rate and an ELBO."""
        return all(level.prior is not None for level in self.levels)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """ln p(x given z) for every draw.

        Args:
            x: The data, (B, *event), compared with each of the K draws.

        Returns:
            (K, B), nats.
        """
        if self.k == 1:
            return self.likelihood.log_prob(x).unsqueeze(0)
        repeated = x.expand(self.k, *x.shape).reshape(-1, *x.shape[1:])  # (K*B, *event)
        return self.likelihood.log_prob(repeated).view(self.k, -1)

    def distortion(self, x: Tensor) -> Tensor:
        """-E_q ln p(x given z), estimated by the mean over the K draws, (B,), nats."""
        return -(self.likelihood.log_prob(x) if self.k == 1 else self.log_likelihood(x).mean(0))

    def rate(self) -> Tensor | None:
        """The sum of the levels' rates, (B,), nats; ``None`` without a prior."""
        if not self.has_prior:
            return None
        rates = [rate for level in self.levels if (rate := level.rate()) is not None]
        return rates[0] if len(rates) == 1 else torch.stack(rates).sum(0)

    def log_weights(self, x: Tensor) -> Tensor:
        """The importance weights ln w = ln p(x given z) + ln p(z) - ln q(z given x) of every draw.

        Returns:
            (K, B), nats; with ``maths.functional.importance_weighted_bound`` over axis 0 they bound ln p(x).

        Raises:
            AttributeError: Without a prior.
        """
        weights = self.log_likelihood(x)
        for level in self.levels:
            weights = weights + (level.log_p - level.log_q).view(self.k, -1)
        return weights
