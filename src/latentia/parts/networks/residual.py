"""Residual networks with normalisation before the activation, for images and for vectors. Know no probability.

He et al., 2016, "Identity Mappings in Deep Residual Networks", https://arxiv.org/abs/1603.05027, with group instead of
batch normalisation, whose statistics do not depend on the batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from latentia.parts.networks.layers import Linear, activation_layer, halvings, image_norm, image_shape, vector_norm
from latentia.parts.settings import check_sizes, rates_for

_INSTEAD = "use --set model.encoder.name=residual-mlp --set model.decoder.name=residual-mlp"


class Residual(nn.Module):
    """The sum of an input and what a branch makes of it: x + f(x).

    Args:
        branch: The modules of f, in order; f keeps the shape.

    Example:
        >>> import torch
        >>> Residual([nn.Identity()])(torch.ones(2))
        tensor([2., 2.])
    """

    def __init__(self, branch: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, *shape) to (B, *shape)."""
        return x + self.branch(x)


class Doubling(nn.Module):
    """Nearest-neighbour doubling of height and width, cut to an exact size.

    The inverse of a halving: a side ceil(s / 2) becomes s again, with pixel i taken from pixel floor(i / 2).

    Args:
        height: Height of the output.
        width: Width of the output.

    Example:
        >>> import torch
        >>> Doubling(3, 1)(torch.tensor([[[[1.0], [2.0]]]])).flatten()
        tensor([1., 1., 2.])
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        """Map feature maps (B, C, h, w) to (B, C, height, width)."""
        return functional.interpolate(x, scale_factor=2, mode="nearest")[..., : self.height, : self.width]


def _image_block(maps: int, activation: str, norm: str, rate: float) -> Residual:
    return Residual(
        [
            *image_norm(norm, maps),
            activation_layer(activation),
            nn.Conv2d(maps, maps, 3, padding=1),
            *image_norm(norm, maps),
            activation_layer(activation),
            *([nn.Dropout2d(rate)] if rate > 0 else []),
            nn.Conv2d(maps, maps, 3, padding=1),
        ]
    )


def _vector_block(width: int, activation: str, norm: str, rate: float) -> Residual:
    return Residual(
        [
            *vector_norm(norm, width),
            activation_layer(activation),
            Linear(width, width),
            *vector_norm(norm, width),
            activation_layer(activation),
            *([nn.Dropout(rate)] if rate > 0 else []),
            Linear(width, width),
        ]
    )


class ResidualEncoder(nn.Module):
    """A 3 x 3 convolution, then stages of one halving convolution and several residual blocks; flattened at the end.

    Args:
        event_shape: Shape (C, H, W) of one image, any H and W from 1.
        channels: Channels of each stage; each stage maps a side s to ceil(s / 2).
        blocks: Residual blocks in each stage.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``group``, ``batch`` or ``none``.
        dropout: Probability in [0, 1) that a feature map within a block is dropped in training.

    Attributes:
        out_shape: Shape (C, H, W) of the last feature map.
        out_features: Number of features per image: last channels x height x width.

    Raises:
        ConfigError: If the event is no image, or a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> ResidualEncoder((3, 9, 8), [8, 16], 1)(torch.zeros(5, 3, 9, 8)).shape
        torch.Size([5, 96])
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        channels: Sequence[int],
        blocks: int = 2,
        *,
        activation: str = "silu",
        norm: str = "group",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        in_channels, height, width = image_shape("residual", event_shape, _INSTEAD)
        check_sizes("channels", list(channels), at_least=1)
        check_sizes("blocks", [blocks])
        rate = rates_for(dropout, 1)[0]
        previous = channels[0]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, previous, 3, padding=1)]
        for maps in channels:
            layers.append(nn.Conv2d(previous, maps, 3, stride=2, padding=1))
            layers += [_image_block(maps, activation, norm, rate) for _ in range(blocks)]
            previous = maps
        self.layers = nn.Sequential(*layers, *image_norm(norm, previous), activation_layer(activation))
        self.out_shape = (previous, *halvings(height, width, len(channels))[-1])
        self.out_features = math.prod(self.out_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, H, W) to features (B, out_features)."""
        return self.layers(x).flatten(1)


class ResidualDecoder(nn.Module):
    """A linear layer, then stages of several residual blocks and one doubling, through an encoder's sizes.

    Args:
        latent_shape: Shape of one latent; flattened.
        out_shape: Shape (C, H, W) of one output, any H and W from 1.
        channels: Channels of each stage in the order of the data flow: those after the linear layer first.
        blocks: Residual blocks in each stage.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``group``, ``batch`` or ``none``.
        dropout: Probability in [0, 1) that a feature map within a block is dropped in training.

    Raises:
        ConfigError: If the output is no image, or a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> ResidualDecoder((4,), (3, 9, 8), [16, 8], 1)(torch.zeros(5, 4)).shape
        torch.Size([5, 3, 9, 8])
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        out_shape: Sequence[int],
        channels: Sequence[int],
        blocks: int = 2,
        *,
        activation: str = "silu",
        norm: str = "group",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape("residual", out_shape, _INSTEAD)
        check_sizes("channels", list(channels), at_least=1)
        check_sizes("blocks", [blocks])
        rate = rates_for(dropout, 1)[0]
        sizes = halvings(height, width, len(channels))[::-1]  # smallest first
        self.start_shape = (channels[0], *sizes[0])
        self.linear = Linear(math.prod(latent_shape), math.prod(self.start_shape))
        layers: list[nn.Module] = []
        following = [*channels[1:], channels[-1]]
        for maps, maps_next, (tall, wide) in zip(channels, following, sizes[1:], strict=True):
            layers += [_image_block(maps, activation, norm, rate) for _ in range(blocks)]
            layers += [Doubling(tall, wide), nn.Conv2d(maps, maps_next, 3, padding=1)]
        layers += [*image_norm(norm, channels[-1]), activation_layer(activation)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], out_channels, 3, padding=1))

    def forward(self, z: Tensor) -> Tensor:
        """Map latents (B, *latent) to outputs (B, *out_shape)."""
        return self.layers(self.linear(z.flatten(1)).unflatten(1, self.start_shape))


class ResidualMLP(nn.Module):
    """Fully connected stages: a linear layer to the stage's width, then several residual blocks.

    Args:
        in_shape: Shape of one input; flattened.
        hidden: Units of each stage.
        blocks: Residual blocks in each stage.
        out_shape: Shape of one output, from a last linear layer without activation; without it the network ends after
            the last stage's normalisation and activation.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        dropout: Probability in [0, 1) that a unit within a block is dropped in training.
        norm: ``layer``, ``batch`` or ``none``.

    Attributes:
        out_features: Number of values per output.

    Raises:
        ConfigError: If a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> ResidualMLP((7,), [32], out_shape=(3,))(torch.zeros(5, 7)).shape
        torch.Size([5, 3])
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        hidden: Sequence[int],
        blocks: int = 2,
        out_shape: Sequence[int] | None = None,
        *,
        activation: str = "silu",
        dropout: float = 0.0,
        norm: str = "layer",
    ) -> None:
        super().__init__()
        check_sizes("hidden", list(hidden), at_least=1)
        check_sizes("blocks", [blocks])
        rate = rates_for(dropout, 1)[0]
        layers: list[nn.Module] = []
        width = math.prod(in_shape)
        for units in hidden:
            layers.append(Linear(width, units))
            layers += [_vector_block(units, activation, norm, rate) for _ in range(blocks)]
            width = units
        layers += [*vector_norm(norm, width), activation_layer(activation)]
        if out_shape is not None:
            layers.append(Linear(width, math.prod(out_shape)))
            width = math.prod(out_shape)
        self.layers = nn.Sequential(*layers)
        self.out_features = width
        self.out_shape = (width,) if out_shape is None else tuple(out_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (B, *in_shape) to outputs (B, *out_shape), or (B, out_features) where there is no out_shape."""
        h = self.layers(x.flatten(1))  # (B, out_features)
        return h if len(self.out_shape) == 1 else h.unflatten(1, self.out_shape)
