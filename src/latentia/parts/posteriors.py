"""Posteriors q(z given x): the head that turns an encoder's features into a distribution over latents.

A posterior adds its own layer, linear or, for latents that are a feature map, convolutional, so that the encoder stays
an arbitrary network. Knows neither the encoder nor the prior.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import hardtanh

from latentia.errors import ConfigError, did_you_mean
from latentia.maths.distributions import Delta, DiagonalNormal
from latentia.maths.functional import at_least_float32
from latentia.parts.networks.layers import Linear
from latentia.parts.settings import check_bounds, check_kernel

_LATENT_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda a: a,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}


class Posterior(nn.Module, ABC):
    """What every posterior has in common.

    Attributes:
        latent_shape: Shape of one latent.
        deterministic: Whether it is a single point and therefore needs no noise.
        spatial: Whether the latents are the encoder's feature map, of its ``out_shape``.
    """

    deterministic: bool = False
    spatial: bool = False

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
        return _normal_noise(shape, generator, device)


class GaussianMapPosterior(Posterior):
    r"""A diagonal Gaussian over a feature map: mean and log-variance are convolutions of it.

    .. math:: q(z \mid x) = N(z; \mu(x), \mathrm{diag}\, \sigma^2(x)), \quad (\mu, \ln \sigma^2) = W * h(x) + b

    Each value of the map is a latent dimension; the convolutions keep channels, height and width. Otherwise as
    :class:`GaussianPosterior`.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape (C, H, W) of the encoder's feature map, which is that of one latent.
        kernel: Side of the kernels, odd.
        logvar_bounds: Smallest and largest log-variance.

    Raises:
        ConfigError: If the features are no such map, the kernel is even or the bounds are not increasing.

    Example:
        >>> posterior = GaussianMapPosterior(64, (4, 4, 4))
        >>> posterior(torch.zeros(5, 64)).mean.shape, sum(p.numel() for p in posterior.parameters())
        (torch.Size([5, 4, 4, 4]), 296)
    """

    spatial = True

    def __init__(
        self,
        features: int,
        latent_shape: Sequence[int],
        kernel: int = 3,
        logvar_bounds: Sequence[float] = (-30.0, 20.0),
    ) -> None:
        super().__init__(latent_shape)
        _check_map(features, self.latent_shape)
        check_kernel(kernel)
        check_bounds("logvar_bounds", list(logvar_bounds))
        self.logvar_bounds = (float(logvar_bounds[0]), float(logvar_bounds[1]))
        channels = self.latent_shape[0]
        self.head = nn.Conv2d(channels, 2 * channels, kernel, padding=kernel // 2)

    def forward(self, h: Tensor) -> DiagonalNormal:
        """Map features (B, features) to q(z given x)."""
        loc, logvar = self.head(h.unflatten(1, self.latent_shape)).chunk(2, 1)  # each (B, *latent)
        return DiagonalNormal(loc, hardtanh(logvar, *self.logvar_bounds))

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor:
        """Draw standard normal noise; see :meth:`Posterior.draw_noise`."""
        return _normal_noise(shape, generator, device)


class RectifiedPosterior(Posterior):
    r"""A Gaussian whose mean and standard deviation pass through a ReLU: a tutorial's mistake, to be looked at.

    .. math:: q(z \mid x) = N(z; r, \mathrm{diag}(s^2 + 10^{-8})), \quad (r, s) = \max(0, W h(x) + b)

    Neither can be negative, so that half of every latent axis is never used, and a unit whose deviation has reached
    zero for all data receives no gradient any more. The tutorial adds 1e-8 to the variance inside the logarithm only;
    here it is in the variance itself, which changes a draw by at most 1e-4 and keeps q a distribution.
    :class:`GaussianPosterior` is the right one.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape of one latent.

    Example:
        >>> q = RectifiedPosterior(64, (10,))(torch.randn(5, 64))
        >>> bool((q.mean >= 0).all())
        True
    """

    epsilon = 1e-8

    def __init__(self, features: int, latent_shape: Sequence[int]) -> None:
        super().__init__(latent_shape)
        self.head = Linear(features, 2 * math.prod(self.latent_shape))

    def forward(self, h: Tensor) -> DiagonalNormal:
        """Map features (B, features) to q(z given x)."""
        rectified = at_least_float32(self.head(h)).relu()
        loc, scale = rectified.view(-1, 2, *self.latent_shape).unbind(1)  # each (B, *latent)
        return DiagonalNormal(loc, (scale.square() + self.epsilon).log())

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor:
        """Draw standard normal noise; see :meth:`Posterior.draw_noise`."""
        return _normal_noise(shape, generator, device)


class DeterministicPosterior(Posterior):
    r"""A single point, linear in the features or a non-linearity of that: a plain autoencoder's code.

    .. math:: q(z \mid x) = \delta(z - a(W h(x) + b))

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape of one latent.
        activation: a: ``identity``; ``relu``, for latents >= 0 of which some are exactly 0; ``sigmoid``, for latents
            in (0, 1).

    Raises:
        ConfigError: If there is no such activation.

    Example:
        >>> posterior = DeterministicPosterior(64, (32,))
        >>> posterior(torch.zeros(5, 64)).mean.shape, posterior.draw_noise((5, 32))
        (torch.Size([5, 32]), None)
    """

    deterministic = True

    def __init__(self, features: int, latent_shape: Sequence[int], activation: str = "identity") -> None:
        super().__init__(latent_shape)
        if activation not in _LATENT_ACTIVATIONS:
            raise ConfigError(
                f"no activation of latents is called '{activation}'.{did_you_mean(activation, _LATENT_ACTIVATIONS)}"
            )
        self.activation = activation
        self.head = Linear(features, math.prod(self.latent_shape))

    def forward(self, h: Tensor) -> Delta:
        """Map features (B, features) to the point distribution of z."""
        return Delta(_LATENT_ACTIVATIONS[self.activation](self.head(h)).unflatten(1, self.latent_shape))

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor | None:
        """Return None: a point needs no noise."""
        return None


class FeatureMapPosterior(Posterior):
    r"""The encoder's feature map itself as a single point: an autoencoder without a head.

    .. math:: q(z \mid x) = \delta(z - h(x))

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape (C, H, W) of the encoder's feature map, which is that of one latent.

    Raises:
        ConfigError: If the features are no such map.

    Example:
        >>> FeatureMapPosterior(64, (4, 4, 4))(torch.zeros(5, 64)).mean.shape
        torch.Size([5, 4, 4, 4])
    """

    deterministic = True
    spatial = True

    def __init__(self, features: int, latent_shape: Sequence[int]) -> None:
        super().__init__(latent_shape)
        _check_map(features, self.latent_shape)

    def forward(self, h: Tensor) -> Delta:
        """Map features (B, features) to the point distribution of z."""
        return Delta(h.unflatten(1, self.latent_shape))

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor | None:
        """Return None: a point needs no noise."""
        return None


def _normal_noise(shape: Sequence[int], generator: torch.Generator | None, device: torch.device | str | None) -> Tensor:
    source = device if generator is None else generator.device
    noise = torch.randn(tuple(shape), generator=generator, device=source, dtype=torch.float32)
    return noise if device is None else noise.to(device)


def _check_map(features: int, latent_shape: tuple[int, ...]) -> None:
    if len(latent_shape) != 3 or math.prod(latent_shape) != features:
        raise ConfigError(
            f"a posterior over a feature map needs latents of the shape (C, H, W) of the encoder's {features} "
            f"features, not {latent_shape}: hand it the encoder's out_shape"
        )
