"""Priors p(z): distributions over latents, with nothing or something to learn.

Knows neither posterior nor networks; a prior that needs the encoder is handed it when called.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from latentia.errors import ConfigError
from latentia.maths.distributions import DiagonalNormal, GaussianMixture
from latentia.maths.functional import gaussian_kl


class Prior(nn.Module, ABC):
    """What every prior has in common.

    Attributes:
        latent_shape: Shape of one latent.
        conditional: Whether it depends on labels; it is then built with the number of classes.
        discrete: Whether what it draws are indices of codes, which the model's quantiser looks up.
    """

    conditional: bool = False
    discrete: bool = False

    def __init__(self, latent_shape: Sequence[int]) -> None:
        super().__init__()
        self.latent_shape = tuple(latent_shape)

    @abstractmethod
    def forward(self, y: Tensor | None = None) -> Distribution:
        """Return p(z), or p(z given y) if the prior depends on labels; its ``log_prob`` maps (B, *latent) to (B,)."""

    def kl(self, q: Distribution, y: Tensor | None = None) -> Tensor | None:
        """Return KL(q to p) of each latent dimension, (B, *latent) in nats, or None without a closed form.

        Args:
            q: The posterior, over a batch of B.
            y: Labels (B,), for priors that depend on them.
        """
        return None

    def log_prob(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return ln p(z), or ln p(z given y), of latents (B, *latent), (B,) in nats."""
        return self(y).log_prob(z)

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        y: Tensor | None = None,
    ) -> Tensor:
        """Draw latents.

        Args:
            n: How many.
            generator: Where the randomness comes from; the default generator without it.
            temperature: Factor on the standard deviations; 0 gives the mean. What it is to a prior without these, the
                prior itself says.
            y: Labels (n,), for priors that depend on them.

        Returns:
            Latents (n, *latent) on the prior's device; of a discrete prior, indices.
        """
        with torch.no_grad():
            return self.draw(n, generator, temperature, y)

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Do the work of :meth:`sample`, which takes care that no gradients are recorded."""


def normal_noise(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw standard normal noise of the type and device of a tensor, wherever the generator is."""
    source = like.device if generator is None else generator.device
    return torch.randn(tuple(shape), generator=generator, device=source, dtype=like.dtype).to(like.device)


def draw_components(logits: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
    """Draw components of mixtures by their weights.

    Args:
        logits: The weights are their softmax: (M,) for n draws from one mixture, (n, M) for a draw from each of n.
        n: How many.
        generator: Where the randomness comes from; the default generator without it.

    Returns:
        Numbers of components, (n,), int64.

    Example:
        >>> draw_components(torch.tensor([-100.0, 0.0]), 3, None)
        tensor([1, 1, 1])
    """
    if n == 0:  # which multinomial refuses
        return torch.zeros(0, dtype=torch.long, device=logits.device)
    weights = logits.softmax(-1).to(logits.device if generator is None else generator.device)
    each = n if weights.dim() == 1 else 1
    return torch.multinomial(weights, each, replacement=True, generator=generator).flatten().to(logits.device)


class StandardNormalPrior(Prior):
    r"""The standard normal, p(z) = N(0, I). It does not depend on labels.

    Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114, appendix B for the closed form of the rate.

    Args:
        latent_shape: Shape of one latent.

    Example:
        >>> prior = StandardNormalPrior((20,))
        >>> prior().log_prob(torch.zeros(5, 20))[0].item() / 20  # -ln(2 pi) / 2
        -0.9189...
        >>> prior.sample(64).shape
        torch.Size([64, 20])
    """

    def __init__(self, latent_shape: Sequence[int]) -> None:
        super().__init__(latent_shape)
        self.loc: Tensor
        self.logvar: Tensor
        self.register_buffer("loc", torch.zeros(1, *self.latent_shape), persistent=False)
        self.register_buffer("logvar", torch.zeros(()), persistent=False)

    def forward(self, y: Tensor | None = None) -> DiagonalNormal:
        """Return p(z), batch shape (1,)."""
        return DiagonalNormal(self.loc, self.logvar)

    def kl(self, q: Distribution, y: Tensor | None = None) -> Tensor | None:
        """Return KL(q to N(0, 1)) of each latent dimension, (B, *latent), if q is a diagonal Gaussian."""
        return gaussian_kl(q.loc, q.logvar) if isinstance(q, DiagonalNormal) else None

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw n latents; temperature is their standard deviation."""
        return temperature * normal_noise((n, *self.latent_shape), self.loc, generator)


class ConditionalNormalPrior(Prior):
    r"""A normal for each class, whose mean and variance are learned: p(z given y).

    .. math:: p(z \mid y) = N(z; \mu_y, \mathrm{diag}\, \sigma_y^2)

    The prior network of Sohn et al., 2015, "Learning Structured Output Representation using Deep Conditional Generative
    Models", https://papers.nips.cc/paper/5775, eq. 4, whose condition is here one of finitely many classes, so that the
    network is a table. It starts as the standard normal.

    Args:
        latent_shape: Shape of one latent.
        classes: Number of classes.

    Attributes:
        loc: (classes, *latent).
        logvar: (classes, *latent).

    Raises:
        ConfigError: If there is no class.

    Example:
        >>> prior = ConditionalNormalPrior((20,), classes=10)
        >>> prior.sample(3, y=torch.tensor([7, 7, 1])).shape
        torch.Size([3, 20])
    """

    conditional = True

    def __init__(self, latent_shape: Sequence[int], classes: int) -> None:
        super().__init__(latent_shape)
        if classes < 1:
            raise ConfigError(f"classes must be at least 1, not {classes}")
        self.loc = nn.Parameter(torch.zeros(classes, *self.latent_shape))
        self.logvar = nn.Parameter(torch.zeros(classes, *self.latent_shape))

    def forward(self, y: Tensor | None = None) -> DiagonalNormal:
        """Return p(z given y) for labels (B,), batch shape (B,)."""
        y = needed_labels(y)
        return DiagonalNormal(self.loc[y], self.logvar[y])

    def kl(self, q: Distribution, y: Tensor | None = None) -> Tensor | None:
        """Return KL(q to p(z given y)) of each latent dimension, (B, *latent), if q is a diagonal Gaussian."""
        if not isinstance(q, DiagonalNormal):
            return None
        y = needed_labels(y)
        return gaussian_kl(q.loc, q.logvar, self.loc[y], self.logvar[y])

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw a latent for each label (n,); temperature 0 gives the classes' means."""
        y = needed_labels(y)
        noise = normal_noise((n, *self.latent_shape), self.loc, generator)
        return self.loc[y] + temperature * (0.5 * self.logvar[y]).exp() * noise  # (n, *latent)


class ConditionalMixturePrior(Prior):
    r"""A mixture of diagonal Gaussians for each class, all learned: p(z given y).

    .. math:: p(z \mid y) = \sum_m \pi_{ym} N(z; \mu_{ym}, \mathrm{diag}\, \sigma_{ym}^2)

    As :class:`ConditionalNormalPrior`, but able to follow what the posteriors of a class come to together, which is
    no normal: samples then decode to what was seen in training, rather than to what lies between. The rate has no
    closed form. It starts as :class:`GaussianMixturePrior` does.

    Args:
        latent_shape: Shape of one latent.
        classes: Number of classes.
        components: How many Gaussians are mixed for each class, M.

    Attributes:
        logits: (classes, M), the weights are their softmax over M.
        loc: (classes, M, *latent).
        logvar: (classes, M, *latent).

    Raises:
        ConfigError: If there is no class or no component.

    Example:
        >>> prior = ConditionalMixturePrior((20,), classes=10, components=5)
        >>> y = torch.tensor([7, 7, 1])
        >>> prior(y).log_prob(prior.sample(3, y=y)).shape
        torch.Size([3])
    """

    conditional = True

    def __init__(self, latent_shape: Sequence[int], classes: int, components: int) -> None:
        super().__init__(latent_shape)
        if classes < 1 or components < 1:
            raise ConfigError(f"classes and components must be at least 1, not {classes} and {components}")
        shape = (classes, components, *self.latent_shape)
        self.logits = nn.Parameter(torch.zeros(classes, components))
        self.loc = nn.Parameter(torch.randn(shape) * math.sqrt(0.5))
        self.logvar = nn.Parameter(torch.full(shape, math.log(0.5)))

    def forward(self, y: Tensor | None = None) -> GaussianMixture:
        """Return p(z given y) for labels (B,), batch shape (B,)."""
        y = needed_labels(y)
        return GaussianMixture(self.logits[y], self.loc[y], self.logvar[y])

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw a latent for each label (n,), from drawn components; temperature 0 gives these components' means."""
        y = needed_labels(y)
        chosen = draw_components(self.logits[y], n, generator)
        noise = normal_noise((n, *self.latent_shape), self.loc, generator)
        return self.loc[y, chosen] + temperature * (0.5 * self.logvar[y, chosen]).exp() * noise  # (n, *latent)


def needed_labels(y: Tensor | None) -> Tensor:
    """Return labels, or refuse that there are none."""
    if y is None:
        raise ConfigError("this prior depends on labels: give y, a label for each sample")
    return y


class GaussianMixturePrior(Prior):
    r"""A mixture of diagonal Gaussians whose weights, means and variances are learned.

    .. math:: p(z) = \sum_m \pi_m N(z; \mu_m, \mathrm{diag}\, \sigma_m^2)

    Such as in Dilokthanakul et al., 2016, https://arxiv.org/abs/1611.02648, here with parameters of its own and
    without inferring the component. The rate has no closed form. At the start the means are spread with variance 1/2
    and every component has variance 1/2, so that the mixture is close to a standard normal. It does not depend on
    labels.

    Args:
        latent_shape: Shape of one latent.
        components: How many Gaussians are mixed, M.

    Attributes:
        logits: (M,), the weights are their softmax.
        loc: (M, *latent).
        logvar: (M, *latent).

    Raises:
        ConfigError: If there is no component.

    Example:
        >>> prior = GaussianMixturePrior((2,), components=3)
        >>> prior().log_prob(prior.sample(5)).shape
        torch.Size([5])
    """

    def __init__(self, latent_shape: Sequence[int], components: int) -> None:
        super().__init__(latent_shape)
        if components < 1:
            raise ConfigError(f"components must be at least 1, not {components}")
        shape = (components, *self.latent_shape)
        self.logits = nn.Parameter(torch.zeros(components))
        self.loc = nn.Parameter(torch.randn(shape) * math.sqrt(0.5))
        self.logvar = nn.Parameter(torch.full(shape, math.log(0.5)))

    def forward(self, y: Tensor | None = None) -> GaussianMixture:
        """Return p(z), of empty batch shape."""
        return GaussianMixture(self.logits, self.loc, self.logvar)

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw n latents from components drawn by their weights; temperature 0 gives these components' means."""
        chosen = draw_components(self.logits, n, generator)
        noise = normal_noise((n, *self.latent_shape), self.loc, generator)
        return self.loc[chosen] + temperature * (0.5 * self.logvar[chosen]).exp() * noise  # (n, *latent)
