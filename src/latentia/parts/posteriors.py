"""Posteriors q(z given x): the linear head that turns an encoder's features into a distribution over latents.

A posterior adds its own linear layer, so that the encoder stays an arbitrary network. Knows neither the encoder nor
the prior.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import hardtanh

from latentia.maths.distributions import Delta, DiagonalNormal
from latentia.parts.networks.layers import Linear
from latentia.parts.settings import check_bounds


class Posterior(nn.Module, ABC):
    """What every posterior has in common.

    Attributes:
        latent_shape: Shape of one latent.
        deterministic: Whether it is a single point and therefore needs no noise.
    """

    deterministic: bool = False

    def __init__(self, latent_shape: Sequence[int]) -> None:
        super().__init__()
        self.latent_shape = tuple(latent_shape)

    @abstractmethod
    def forward(self, h: Tensor) -> DiagonalNormal | Delta:
        """Map features (B, features) to q(z given x), batch shape (B,), event shape latent_shape."""

    @abstractmethod
    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor | None:
        """Draw the noise that ``from_noise`` of the distribution turns into a sample.

        Args:
            shape: Shape of the noise, such as (K, B, *latent).
            generator: Where the randomness comes from; the default generator of the device without it.
            device: Where the noise is wanted. A generator of another device draws on its own, and the noise is moved.

        Returns:
            Noise of that shape in float32, or None if the posterior is deterministic.
        """


class GaussianPosterior(Posterior):
    r"""A diagonal Gaussian whose mean and log-variance are linear in the features.

    .. math:: q(z \mid x) = N(z; \mu(x), \mathrm{diag}\, \sigma^2(x)), \quad (\mu, \ln \sigma^2) = W h(x) + b

    Kingma & Welling, 2014, "Auto-Encoding Variational Bayes", https://arxiv.org/abs/1312.6114, eq. 9. The log-variance
    is clamped; the default bounds are so wide that they only guard against overflow.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape of one latent, such as ``(20,)``.
        logvar_bounds: Smallest and largest log-variance.

    Raises:
        ConfigError: If the bounds are not increasing.

    Example:
        >>> posterior = GaussianPosterior(400, (20,))
        >>> q = posterior(torch.zeros(5, 400))
        >>> q.from_noise(posterior.draw_noise((5, 20))).shape
        torch.Size([5, 20])
    """

    def __init__(
        self, features: int, latent_shape: Sequence[int], logvar_bounds: Sequence[float] = (-30.0, 20.0)
    ) -> None:
        super().__init__(latent_shape)
        check_bounds("logvar_bounds", list(logvar_bounds))
        self.logvar_bounds = (float(logvar_bounds[0]), float(logvar_bounds[1]))
        self.head = Linear(features, 2 * math.prod(self.latent_shape))

    def forward(self, h: Tensor) -> DiagonalNormal:
        """Map features (B, features) to q(z given x)."""
        loc, logvar = self.head(h).view(-1, 2, *self.latent_shape).unbind(1)  # each (B, *latent)
        return DiagonalNormal(loc, hardtanh(logvar, *self.logvar_bounds))  # clamps, with a backward of one kernel

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor:
        """Draw standard normal noise; see :meth:`Posterior.draw_noise`."""
        source = device if generator is None else generator.device
        noise = torch.randn(tuple(shape), generator=generator, device=source, dtype=torch.float32)
        return noise if device is None else noise.to(device)


class DeterministicPosterior(Posterior):
    r"""A single point, linear in the features: a plain autoencoder's code.

    .. math:: q(z \mid x) = \delta(z - W h(x) - b)

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape of one latent.

    Example:
        >>> posterior = DeterministicPosterior(64, (32,))
        >>> posterior(torch.zeros(5, 64)).mean.shape, posterior.draw_noise((5, 32))
        (torch.Size([5, 32]), None)
    """

    deterministic = True

    def __init__(self, features: int, latent_shape: Sequence[int]) -> None:
        super().__init__(latent_shape)
        self.head = Linear(features, math.prod(self.latent_shape))

    def forward(self, h: Tensor) -> Delta:
        """Map features (B, features) to the point distribution of z."""
        return Delta(self.head(h).unflatten(1, self.latent_shape))

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor | None:
        """Return None: a point needs no noise."""
        return None
