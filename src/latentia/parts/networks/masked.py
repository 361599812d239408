"""A network that sees only what comes before, in reading order: gated masked convolutions. Knows no probability."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentia.parts.settings import check_sizes


class GatedPixelCNN(nn.Module):
    r"""Scores of the symbol at each place of a map, from the symbols before it in reading order.

    Van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016, https://arxiv.org/abs/1606.05328:
    a vertical stack that sees all rows above and a horizontal one that sees the row so far, so that there is no blind
    spot (section 2.2), with gates :math:`\tanh(a) \odot \sigma(b)` (equation 2). In the place of masks the maps are
    padded and shifted. A learned map is added to the embedded symbols, as all maps have the same size.

    Args:
        symbols: M, how many different symbols there are.
        shape: Shape (h, w) of one map.
        width: Channels.
        layers: Gated layers after the first.

    Raises:
        ConfigError: If a size is not allowed.

    Example:
        >>> GatedPixelCNN(10, (4, 3), width=8, layers=2)(torch.zeros(5, 4, 3, dtype=torch.long)).shape
        torch.Size([5, 10, 4, 3])
    """

    def __init__(self, symbols: int, shape: tuple[int, int], width: int = 64, layers: int = 6) -> None:
        super().__init__()
        check_sizes("symbols, width and layers", [symbols, width, layers])
        self.embedding = nn.Embedding(symbols, width)
        self.place = nn.Parameter(0.1 * torch.randn(width, *shape))
        self.layers = nn.ModuleList([_Gated(width, first=True), *(_Gated(width) for _ in range(layers))])
        self.out = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, symbols, 1))

    def forward(self, indices: Tensor) -> Tensor:
        """Map symbols (B, h, w) to scores (B, M, h, w); those at a place do not depend on it or on what follows."""
        embedded = self.embedding(indices).movedim(-1, 1)  # (B, width, h, w)
        vertical = horizontal = embedded
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal, self.place)
        return self.out(horizontal)


class _Gated(nn.Module):
    """One layer of both stacks; the first sees only what lies strictly before, and is not residual."""

    def __init__(self, width: int, *, first: bool = False) -> None:
        super().__init__()
        self.first = first
        self.down = nn.Conv2d(width, 2 * width, (2, 3))
        self.right = nn.Conv2d(width, 2 * width, (1, 2))
        self.across = nn.Conv2d(2 * width, 2 * width, 1)
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, vertical: Tensor, horizontal: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        if self.first:  # one row down, one place to the right: nothing of the own place remains
            above = functional.pad(vertical, (1, 1, 2, 0))[:, :, :-1]
            before = functional.pad(horizontal, (2, 0, 0, 0))[:, :, :, :-1]
        else:
            above = functional.pad(vertical, (1, 1, 1, 0))
            before = functional.pad(horizontal, (1, 0, 0, 0))
        down = self.down(above)
        right = self.right(before) + self.across(down)
        if self.first:
            rows = place[:, : vertical.shape[2]]
            return _gate(down) + rows, self.mix(_gate(right)) + rows
        return _gate(down), horizontal + self.mix(_gate(right))


def _gate(h: Tensor) -> Tensor:
    a, b = h.chunk(2, dim=1)
    return a.tanh() * b.sigmoid()
