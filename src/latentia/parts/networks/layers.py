"""What the networks share: activations, normalisations, and how sizes halve. Knows no probability."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from latentia.errors import ConfigError, did_you_mean
from latentia.parts.settings import check_normalisable

BF16_PRODUCTS = 2**24  # on a CPU, below so many multiplications casting costs more than bf16 gives back

_ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky-relu": lambda: nn.LeakyReLU(0.2),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}


class Linear(nn.Linear):
    """PyTorch's linear layer, except that on a CPU autocast leaves it in full precision where that is faster."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        small = input.device.type == "cpu" and input.numel() * self.out_features < BF16_PRODUCTS
        if not small or not torch.is_autocast_enabled("cpu"):
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            return functional.linear(input.to(self.weight.dtype), self.weight, self.bias)


def activation_layer(name: str) -> nn.Module:
    """Return a new activation module.

    Args:
        name: One of ``relu``, ``leaky-relu`` (negative slope 0.2), ``gelu``, ``silu``, ``tanh``, ``elu``.

    Raises:
        ConfigError: If there is none of that name.

    Example:
        >>> activation_layer("leaky-relu")
        LeakyReLU(negative_slope=0.2)
    """
    if name not in _ACTIVATIONS:
        raise ConfigError(f"no activation is called '{name}'.{did_you_mean(name, _ACTIVATIONS)}")
    return _ACTIVATIONS[name]()


def vector_norm(name: str, width: int) -> list[nn.Module]:
    """Return the normalisation of a hidden layer of ``width`` units, as a list of no or one module.

    Raises:
        ConfigError: If ``name`` is not ``none``, ``batch`` or ``layer``, or a layer of one unit would be set to zero.
    """
    check_normalisable(name, [width])
    if name == "none":
        return []
    if name == "batch":
        return [nn.BatchNorm1d(width)]
    if name == "layer":
        return [nn.LayerNorm(width)]
    raise ConfigError(f"no normalisation of vectors is called '{name}': there are none, batch and layer")


def image_norm(name: str, channels: int) -> list[nn.Module]:
    """Return the normalisation of ``channels`` feature maps, as a list of no or one module.

    Group normalisation (Wu & He, 2018, https://arxiv.org/abs/1803.08494) uses at most 8 groups of at least 4 channels,
    so that even a feature map of one pixel is not normalised to zero.

    Raises:
        ConfigError: If ``name`` is not ``none``, ``batch`` or ``group``, or one channel would be set to zero.

    Example:
        >>> image_norm("group", 24)[0].num_groups
        6
    """
    check_normalisable(name, [channels])
    if name == "none":
        return []
    if name == "batch":
        return [nn.BatchNorm2d(channels)]
    if name == "group":
        groups = max((g for g in range(1, 9) if channels % g == 0 and channels // g >= 4), default=1)
        return [nn.GroupNorm(groups, channels)]
    raise ConfigError(f"no normalisation of images is called '{name}': there are none, batch and group")


def image_shape(what: str, shape: Sequence[int], instead: str) -> tuple[int, int, int]:
    """Return ``shape`` as (C, H, W).

    Args:
        what: The network that needs an image, for the message.
        shape: The shape of one datum.
        instead: What to use for vectors.

    Raises:
        ConfigError: If it is not an image's shape.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise ConfigError(
            f"a {what} network needs images (channels, height, width), but the data are of shape {tuple(shape)}: "
            f"{instead}"
        )
    channels, height, width = shape
    return channels, height, width


def halvings(height: int, width: int, times: int) -> list[tuple[int, int]]:
    """Return the sizes that layers of stride 2 pass through, the first and the last included.

    A convolution of stride 2 with an odd kernel k and padding k // 2 maps a side s to ceil(s / 2).

    Example:
        >>> halvings(28, 1, 3)
        [(28, 1), (14, 1), (7, 1), (4, 1)]
    """
    sizes = [(height, width)]
    for _ in range(times):
        height, width = (height + 1) // 2, (width + 1) // 2
        sizes.append((height, width))
    return sizes
