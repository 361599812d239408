"""Convolutional networks whose layers are listed one by one, down to a feature map and up from one.

Where :mod:`latentia.parts.networks.convolutional` fits its layers to the image, these have the kernels, strides and
paddings that they are given, as tutorials and papers list them, and fit only some sizes of image. Know no probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from latentia.errors import ConfigError
from latentia.parts.networks.layers import activation_layer, image_norm, image_shape
from latentia.parts.settings import check_channels, check_output_padding, check_sizes

_INSTEAD = "train the preset 'vae', or use --set model.encoder.name=mlp --set model.decoder.name=mlp"
_LAYER = {"kernel": 3, "stride": 2, "padding": 1}  # what a layer that does not say otherwise has


class ConvStackEncoder(nn.Module):
    """Listed convolutions, each followed by normalisation and activation; flattened at the end.

    A layer maps a side s to floor((s + 2 padding - kernel) / stride) + 1.

    Args:
        event_shape: Shape (C, H, W) of one image.
        layers: For each convolution ``channels`` and, where they are not 3, 2 and 1, ``kernel``, ``stride`` and
            ``padding``.
        bias: Whether the convolutions have biases.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``batch``, ``none`` or ``group``.
        norm_last: Whether the last convolution is normalised.
        activate_last: Whether the last convolution has an activation.

    Attributes:
        out_shape: Shape (C, H, W) of the last feature map.
        out_features: Number of features per image, the product of that shape.

    Raises:
        ConfigError: If the event is no image, a size or a name is not allowed, or a layer leaves nothing of the image.

    Example:
        >>> import torch
        >>> layers = [{"channels": 8, "kernel": 5}, {"channels": 16}, {"channels": 4}]
        >>> encoder = ConvStackEncoder((1, 32, 32), layers)
        >>> encoder.out_shape, encoder(torch.zeros(5, 1, 32, 32)).shape
        ((4, 4, 4), torch.Size([5, 64]))
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        layers: Sequence[Mapping[str, Any]],
        *,
        bias: bool = False,
        activation: str = "relu",
        norm: str = "batch",
        norm_last: bool = True,
        activate_last: bool = True,
    ) -> None:
        super().__init__()
        previous, height, width = image_shape("convolutional", event_shape, _INSTEAD)
        check_sizes("channels", [layer["channels"] for layer in layers], at_least=1)
        modules: list[nn.Module] = []
        for place, (maps, kernel, stride, padding) in enumerate(map(_numbers, layers)):
            last = place == len(layers) - 1
            modules.append(nn.Conv2d(previous, maps, kernel, stride, padding, bias=bias))
            modules += image_norm(norm, maps) if norm_last or not last else []
            modules += [activation_layer(activation)] if activate_last or not last else []
            sides = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
            if min(sides) < 1:
                raise ConfigError(
                    f"layers[{place}] of the encoder leaves nothing of {height} x {width} pixels: give it a smaller "
                    f"kernel than {kernel} or more padding than {padding}, list fewer layers, or use larger images"
                )
            previous, (height, width) = maps, sides
        self.layers = nn.Sequential(*modules)
        self.out_shape = (previous, height, width)
        self.out_features = math.prod(self.out_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, C, H, W) to features (B, out_features), a flattened (B, *out_shape)."""
        return self.layers(x).flatten(1)


class TransposedStackDecoder(nn.Module):
    """Listed transposed convolutions from a feature map, each but the last followed by normalisation and activation.

    A layer maps a side s to (s - 1) stride - 2 padding + kernel + output_padding. The last has a bias in any case.

    Args:
        latent_shape: Shape (C, H, W) of one latent.
        out_shape: Shape (C, H, W) of one output; the layers must lead to it exactly.
        layers: For each ``channels`` (none or left out for the last: those of ``out_shape``) and, where they are not 3,
            2, 1 and 0, ``kernel``, ``stride``, ``padding`` and ``output_padding``.
        bias: Whether the layers but the last have biases.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        norm: ``batch``, ``none`` or ``group``.

    Raises:
        ConfigError: If latents or output are no feature maps, a size or a name is not allowed, or the layers lead to
            another size.

    Example:
        >>> import torch
        >>> layers = [{"channels": 16, "padding": 0}, {"channels": 8}, {"kernel": 2}]
        >>> TransposedStackDecoder((4, 4, 4), (1, 32, 32), layers)(torch.zeros(5, 4, 4, 4)).shape
        torch.Size([5, 1, 32, 32])
    """

    def __init__(
        self,
        latent_shape: Sequence[int],
        out_shape: Sequence[int],
        layers: Sequence[Mapping[str, Any]],
        *,
        bias: bool = False,
        activation: str = "relu",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        wanted = image_shape("transposed convolutional", out_shape, _INSTEAD)
        if len(latent_shape) != 3:
            raise ConfigError(
                f"a transposed stack starts from a feature map, but the latents have the shape {tuple(latent_shape)}: "
                "use --set model.latent_dim=none --set model.posterior.name=gaussian-map (of an autoencoder "
                "feature-map), or --set model.decoder.name=conv"
            )
        check_channels([layer.get("channels") for layer in layers[:-1]])
        layers = _closed(layers, wanted[0])
        check_sizes("channels", [layer["channels"] for layer in layers], at_least=1)
        previous, height, width = latent_shape
        modules: list[nn.Module] = []
        for place, layer in enumerate(layers):
            last = place == len(layers) - 1
            maps, kernel, stride, padding = _numbers(layer)
            extra = layer.get("output_padding", 0)
            check_output_padding(extra, stride)
            modules.append(nn.ConvTranspose2d(previous, maps, kernel, stride, padding, extra, bias=bias or last))
            modules += [] if last else [*image_norm(norm, maps), activation_layer(activation)]
            height, width = ((side - 1) * stride - 2 * padding + kernel + extra for side in (height, width))
            previous = maps
            if min(height, width) < 1:
                raise ConfigError(f"layers[{place}] of the decoder leaves nothing: give it less padding than {padding}")
        if (previous, height, width) != wanted:
            raise ConfigError(_mismatch(tuple(latent_shape), (previous, height, width), wanted))
        self.layers = nn.Sequential(*modules)

    def forward(self, z: Tensor) -> Tensor:
        """Map latents (B, *latent) to outputs (B, *out_shape)."""
        return self.layers(z)


def _numbers(layer: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Channels, kernel, stride and padding of a layer."""
    full = {**_LAYER, **layer}
    check_sizes("kernel and stride", [full["kernel"], full["stride"]])
    if full["padding"] < 0:
        raise ConfigError(f"padding must be at least 0, not {full['padding']}")
    return full["channels"], full["kernel"], full["stride"], full["padding"]


def _closed(layers: Sequence[Mapping[str, Any]], channels: int) -> list[dict[str, Any]]:
    """The layers, the last with the channels of the output where it leaves them open."""
    closed = [dict(layer) for layer in layers]
    if closed and closed[-1].get("channels") is None:
        closed[-1]["channels"] = channels
    return closed


def _mismatch(latent: tuple[int, ...], found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    start, end, aim = (" x ".join(map(str, shape)) for shape in (latent, found, wanted))
    if found[1:] == wanted[1:]:
        return (
            f"the last of the decoder's layers has {found[0]} channels, but the likelihood needs {wanted[0]}: "
            "leave its channels out, or set them to 'none'"
        )
    return (
        f"the decoder's layers make {end} of latents {start}, but the data need {aim}: change kernel, stride, padding "
        f"or output_padding of model.decoder.layers, or resize the images with --set data.size=[{found[1]},{found[2]}]"
    )
