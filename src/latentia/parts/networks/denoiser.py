"""The network that tells noise from data at a given level of noise, and for a class, for vectors.

Knows no probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentia.parts.networks.layers import Linear
from latentia.parts.settings import check_sizes

FREQUENCIES = 32


class Denoiser(nn.Module):
    r"""Residual fully connected layers that are told how much noise there is.

    .. math:: h \leftarrow h + W_2\, \mathrm{silu}\left(W_1 \left((1 + s(t)) \odot \mathrm{norm}(h) + b(t)\right)\right)

    The level t is written as sines and cosines (Vaswani et al., "Attention Is All You Need", 2017,
    https://arxiv.org/abs/1706.03762, section 3.5), from which every block takes a factor and an offset of its own
    (Perez et al., "FiLM", 2018, https://arxiv.org/abs/1709.07871, equation 2). A class is a learned vector that is
    added to the level's, as in Dhariwal & Nichol 2021, https://arxiv.org/abs/2105.05233, section 3.1.

    Args:
        latent_shape: Shape of one latent; flattened.
        width: Units of every block.
        blocks: How many residual blocks there are.
        classes: How many classes it is to be told of; ``None`` for none.

    Raises:
        ConfigError: If a size is not allowed.

    Example:
        >>> Denoiser((20,), width=64, blocks=2)(torch.zeros(5, 20), torch.full((5,), 0.5)).shape
        torch.Size([5, 20])
    """

    def __init__(
        self, latent_shape: Sequence[int], width: int = 256, blocks: int = 3, classes: int | None = None
    ) -> None:
        super().__init__()
        check_sizes("width", [width])
        check_sizes("blocks", [blocks])
        self.latent_shape = tuple(latent_shape)
        size = math.prod(self.latent_shape)
        self.into = Linear(size, width)
        self.level = nn.Sequential(Linear(2 * FREQUENCIES, width), nn.SiLU(), Linear(width, width), nn.SiLU())
        self.label = None if classes is None else nn.Embedding(classes, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.out = Linear(width, size)
        self.frequencies: Tensor
        frequencies = torch.exp(torch.linspace(0, math.log(1000.0), FREQUENCIES))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, z: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """Map latents (B, *latent), levels (B,) in [0, 1] and labels (B,) to (B, *latent)."""
        angles = t[:, None].to(z.dtype) * self.frequencies.to(z.dtype)
        level = self.level(torch.cat([angles.sin(), angles.cos()], dim=1))  # (B, width)
        if self.label is not None:
            level = level + self.label(y)
        h = self.into(z.flatten(1))
        for block in self.blocks:
            h = block(h, level)
        return self.out(functional.silu(self.norm(h))).view(-1, *self.latent_shape)


class _Block(nn.Module):
    """One residual block, which starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = Linear(width, 2 * width)
        self.first = Linear(width, width)
        self.second = Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, h: Tensor, level: Tensor) -> Tensor:
        factor, offset = self.modulation(level).chunk(2, dim=1)
        return h + self.second(functional.silu(self.first(torch.addcmul(offset, 1 + factor, self.norm(h)))))
