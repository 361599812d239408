"""Convolutional networks that halve and double images of any height and width. Know no probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from latentia.errors import ConfigError
from latentia.parts.networks.layers import Linear, activation_layer, halvings, image_norm, image_shape
from latentia.parts.networks.residual import Residual
from latentia.parts.settings import check_kernel, check_sizes, rates_for

_INSTEAD = "train the preset 'vae', or use --set model.encoder.name=mlp --set model.decoder.name=mlp"


class ConvEncoder(nn.Module):
    """Convolutions of stride 2, each followed by normalisation, activation and dropout; flattened at the end.

    Args:
        event_shape: Shape (C, H, W) of one image, any H and W from 1.
        channels: Channels of each layer; each layer maps a side s to ceil(s / 2).
        kernel: Side of the kernels, odd; the padding is kernel // 2.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``batch``, ``none`` or ``group``.
        dropout: Probability in [0, 1) that a feature map is dropped in training.

    Attributes:
        out_shape: Shape (C, H, W) of the last feature map.
        out_features: Number of features per image: last channels x height x width.

    Raises:
        ConfigError: If the event is no image, or a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> ConvEncoder((1, 28, 28), [32, 64])(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 3136])
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        channels: Sequence[int],
        *,
        kernel: int = 3,
        activation: str = "relu",
        norm: str = "batch",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        previous, height, width = image_shape("convolutional", event_shape, _INSTEAD)
        check_sizes("channels", list(channels), at_least=1)
        check_kernel(kernel)
        rates = rates_for(dropout, len(channels))
        layers: list[nn.Module] = []
        for maps, rate in zip(channels, rates, strict=True):
            layers += [
                nn.Conv2d(previous, maps, kernel, stride=2, padding=kernel // 2),
                *image_norm(norm, maps),
                activation_layer(activation),
            ]
            if rate > 0:
                layers.append(nn.Dropout2d(rate))
            previous = maps
        self.layers = nn.Sequential(*layers)
        self.out_shape = (channels[-1], *halvings(height, width, len(channels))[-1])
        self.out_features = math.prod(self.out_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, H, W) to features (B, out_features)."""
        return self.layers(x).flatten(1)


class ConvDecoder(nn.Module):
    """A linear layer, then transposed convolutions of stride 2 that pass through a :class:`ConvEncoder`'s sizes.

    The linear layer has no activation; every transposed convolution but the last is followed by normalisation and
    activation. Dropout comes before every transposed convolution. Where a side is even, its output padding is 1.

    Args:
        latent_shape: Shape of one latent; flattened.
        out_shape: Shape (C, H, W) of one output, any H and W from 1.
        channels: Channels in the order of the data flow: those after the linear layer first. A decoder with
            ``[128, 64, 32]`` mirrors an encoder with ``[32, 64, 128]``.
        kernel: Side of the kernels, odd; the padding is kernel // 2.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``batch``, ``none`` or ``group``.
        dropout: Probability in [0, 1) that a feature map is dropped in training.

    Raises:
        ConfigError: If the output is no image, or a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> ConvDecoder((32,), (1, 28, 27), [128, 64, 32])(torch.zeros(5, 32)).shape
        torch.Size([5, 1, 28, 27])
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        out_shape: Sequence[int],
        channels: Sequence[int],
        *,
        kernel: int = 3,
        activation: str = "relu",
        norm: str = "batch",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape("convolutional", out_shape, _INSTEAD)
        check_sizes("channels", list(channels), at_least=1)
        check_kernel(kernel)
        rates = rates_for(dropout, len(channels))
        sizes = halvings(height, width, len(channels))[::-1]  # smallest first
        self.start_shape = (channels[0], *sizes[0])
        self.linear = Linear(math.prod(latent_shape), math.prod(self.start_shape))
        layers: list[nn.Module] = []
        for i, (maps, rate, size) in enumerate(zip(channels, rates, sizes[1:], strict=True)):
            if i > 0:
                layers += [*image_norm(norm, maps), activation_layer(activation)]
            if rate > 0:
                layers.append(nn.Dropout2d(rate))
            layers.append(_doubling(maps, [*channels, out_channels][i + 1], kernel, size))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Map latents (B, *latent) to outputs (B, *out_shape)."""
        return self.layers(self.linear(z.flatten(1)).unflatten(1, self.start_shape))


def _doubling(maps: int, following: int, kernel: int, size: tuple[int, int]) -> nn.ConvTranspose2d:
    """A transposed convolution of stride 2 to exactly ``size``."""
    extra = (1 - size[0] % 2, 1 - size[1] % 2)  # a side s becomes 2 s - 1, so an even one needs one more
    return nn.ConvTranspose2d(maps, following, kernel, 2, kernel // 2, output_padding=extra)


class ConvMapDecoder(nn.Module):
    """A convolution of a feature map, residual blocks, then transposed convolutions of stride 2.

    It passes through the sizes of a :class:`ConvEncoder` with as many layers and, having no linear layer, treats every
    place of the map alike: a decoder for latents that are such an encoder's map.

    Args:
        latent_shape: Shape (C, h, w) of one latent.
        out_shape: Shape (C, H, W) of one output, any H and W from 1.
        channels: Channels that each doubling starts from, in the order of the data flow.
        blocks: Residual blocks before the first doubling (He et al., 2016, https://arxiv.org/abs/1603.05027).
        kernel: Side of the kernels, odd; the padding is kernel // 2.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``batch``, ``none`` or ``group``.

    Raises:
        ConfigError: If latents or output are no feature maps, their sizes do not fit, or a size or a name is not
            allowed.

    Example:
        >>> import torch
        >>> ConvMapDecoder((16, 7, 7), (1, 28, 27), [64, 32])(torch.zeros(5, 16, 7, 7)).shape
        torch.Size([5, 1, 28, 27])
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        out_shape: Sequence[int],
        channels: Sequence[int],
        *,
        blocks: int = 1,
        kernel: int = 3,
        activation: str = "relu",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        out_channels, height, width = image_shape("convolutional", out_shape, _INSTEAD)
        check_sizes("channels", list(channels), at_least=1)
        check_kernel(kernel)
        sizes = halvings(height, width, len(channels))[::-1]  # smallest first
        if len(latent_shape) != 3 or tuple(latent_shape[1:]) != sizes[0]:
            raise ConfigError(
                f"the decoder doubles {len(channels)} times and needs a feature map of {sizes[0][0]} x {sizes[0][1]} "
                f"for {height} x {width} pixels, not latents of the shape {tuple(latent_shape)}: give --set "
                "model.decoder.channels=[...] as many entries as model.encoder.channels, and take a feature map as the "
                "latents, such as with --set model.posterior.name=vector-quantizer"
            )
        layers: list[nn.Module] = [nn.Conv2d(latent_shape[0], channels[0], kernel, padding=kernel // 2)]
        layers += [_block(channels[0], kernel, activation, norm) for _ in range(blocks)]
        for i, (maps, size) in enumerate(zip(channels, sizes[1:], strict=True)):
            layers += [*image_norm(norm, maps), activation_layer(activation)]
            layers.append(_doubling(maps, [*channels, out_channels][i + 1], kernel, size))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Map latents (B, *latent) to outputs (B, *out_shape)."""
        return self.layers(z)


def _block(maps: int, kernel: int, activation: str, norm: str) -> Residual:
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [*image_norm(norm, maps), activation_layer(activation)]
        layers.append(nn.Conv2d(maps, maps, kernel, padding=kernel // 2))
    return Residual(layers)
