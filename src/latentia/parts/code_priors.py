"""Priors over discrete latents: what they draw are ``indices`` (n, h, w), which the model's quantiser looks up.

Knows neither the quantiser nor how they are fitted.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional

from latentia.errors import ConfigError
from latentia.parts.networks.masked import GatedPixelCNN
from latentia.parts.priors import Prior, draw_components


class UniformCodesPrior(Prior):
    r"""Every code alike at every place: what a fitted prior has to beat.

    .. math:: p(m) = M^{-h w}

    Args:
        code_shape: Shape (h, w) of one image's indices.
        codes: M, how many codes there are.

    Example:
        >>> UniformCodesPrior((7, 7), 512).sample(3).shape
        torch.Size([3, 7, 7])
    """

    discrete = True

    def __init__(self, code_shape: Sequence[int], codes: int) -> None:
        super().__init__(code_shape)
        self.codes = codes
        self.where: Tensor
        self.register_buffer("where", torch.zeros(()), persistent=False)

    def forward(self, y: Tensor | None = None) -> Distribution:
        """The distribution of one index."""
        return torch.distributions.Categorical(
            logits=torch.zeros(*self.latent_shape, self.codes, device=self.where.device)
        )

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw indices (n, h, w); the temperature changes nothing."""
        source = self.where.device if generator is None else generator.device
        drawn = torch.randint(0, self.codes, (n, *self.latent_shape), generator=generator, device=source)
        return drawn.to(self.where.device)


class AutoregressivePrior(Prior):
    r"""Each code given those before it in reading order.

    .. math:: p(m) = \prod_i p(m_i \mid m_1, \dots, m_{i-1})

    with the factors of a :class:`~latentia.parts.networks.masked.GatedPixelCNN`, as in van den Oord, Vinyals &
    Kavukcuoglu, 2017, https://arxiv.org/abs/1711.00937, section 3.3.

    Args:
        code_shape: Shape (h, w) of one image's indices.
        codes: M, how many codes there are.
        width: Channels of the network.
        layers: Its gated layers.

    Example:
        >>> prior = AutoregressivePrior((3, 3), 16, width=8, layers=1)
        >>> prior.log_prob(prior.sample(5)).shape
        torch.Size([5])
    """

    discrete = True

    def __init__(self, code_shape: Sequence[int], codes: int, *, width: int = 64, layers: int = 6) -> None:
        super().__init__(code_shape)
        self.codes = codes
        height, columns = self.latent_shape
        self.network = GatedPixelCNN(codes, (height, columns), width, layers)

    def forward(self, y: Tensor | None = None) -> Distribution:
        """Refuse: the factors depend on what was drawn before.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("an autoregressive prior is no single distribution: ask it for log_prob(indices) or sample()")

    def draw_noise(
        self, batch: int, k: int = 1, generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> tuple[Tensor, ...]:
        """Nothing: a likelihood needs no noise."""
        return ()

    def log_prob(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return ln p of indices (B, h, w), whole numbers of any type, (B,) in nats."""
        indices = z.long()
        scores = self.network(indices).float()  # (B, M, h, w)
        return -functional.cross_entropy(scores, indices, reduction="none").flatten(1).sum(1)

    def draw(self, n: int, generator: torch.Generator | None, temperature: float, y: Tensor | None) -> Tensor:
        """Draw indices (n, h, w), place by place.

        The temperature divides the scores: below 1 likely codes become likelier, and 0 takes the likeliest.
        """
        where = self.network.place.device
        height, columns = self.latent_shape
        indices = torch.zeros(n, height, columns, dtype=torch.long, device=where)
        for row in range(height if n else 0):
            for column in range(columns):
                scores = self.network(indices[:, : row + 1])[:, :, row, column].float()
                if temperature == 0:
                    indices[:, row, column] = scores.argmax(1)
                else:
                    indices[:, row, column] = draw_components(scores / temperature, n, generator)
        return indices
