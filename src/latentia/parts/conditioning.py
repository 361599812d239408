"""Conditioning on labels: how y is joined to what goes into a network.

Owns one-hot labels, their check, and the shapes that come of joining them. Knows neither the networks nor the priors
that are conditioned; a prior that depends on labels looks them up itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from latentia.errors import ConfigError


class LabelJoin(nn.Module):
    r"""Joins one-hot labels to the input of a network.

    As numbers behind a flattened input, (x, e_y), for networks that flatten; or as further channels of an image, one
    map for each class which is 1 everywhere for the label's and 0 for the others, for convolutions.

    Args:
        shape: Shape of one input without the label.
        classes: Number of classes, the length of e_y.
        maps: Whether labels become channels; needs an input (C, H, W).

    Attributes:
        out_shape: Shape of one input with the label.

    Raises:
        ConfigError: If maps are asked for and the input has no channels, height and width.

    Example:
        >>> LabelJoin((1, 28, 28), 10, maps=True).out_shape, LabelJoin((1, 28, 28), 10, maps=False).out_shape
        ((11, 28, 28), (794,))
        >>> LabelJoin((2,), 3, maps=False)(torch.tensor([[0.5, 0.6]]), torch.tensor([1]))
        tensor([[0.5000, 0.6000, 0.0000, 1.0000, 0.0000]])
    """

    def __init__(self, shape: Sequence[int], classes: int, *, maps: bool) -> None:
        super().__init__()
        shape = tuple(shape)
        if maps and len(shape) != 3:
            raise ConfigError(f"labels become maps beside an image (channels, height, width), not beside {shape}")
        self.maps = maps
        self.out_shape = (shape[0] + classes, *shape[1:]) if maps else (math.prod(shape) + classes,)
        self.one_hot: Tensor
        self.register_buffer("one_hot", torch.eye(classes), persistent=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Join x (B, *shape) and labels (B,) to (B, *out_shape)."""
        label = self.one_hot[y].to(x.dtype)  # (B, classes)
        if not self.maps:
            return torch.cat([x.flatten(1), label], 1)
        return torch.cat([x, label[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)


class LabelConditioning(nn.Module):
    r"""What makes a model conditional: labels for its encoder, its decoder, or for its prior alone.

    .. math:: q(z \mid x, y), \quad p(x \mid z, y), \quad p(z) \text{ or } p(z \mid y)

    Kingma et al., 2014, "Semi-supervised Learning with Deep Generative Models", https://arxiv.org/abs/1406.5298, eq. 2,
    where z and y are independent a priori; Sohn et al., 2015, "Learning Structured Output Representation using Deep
    Conditional Generative Models", https://papers.nips.cc/paper/5775, eq. 4, where the prior depends on the condition.

    Args:
        classes: Number of classes.
        encoder: How labels are joined to x; ``None`` leaves the encoder without them.
        decoder: How labels are joined to z; ``None`` leaves the decoder without them.

    Raises:
        ConfigError: If there is no class.

    Example:
        >>> conditioning = LabelConditioning(3, decoder=LabelJoin((2,), 3, maps=False))
        >>> conditioning.before_decoder(torch.zeros(1, 2), torch.tensor([2]))
        tensor([[0., 0., 0., 0., 1.]])
        >>> conditioning.eval().checked(torch.tensor([3]), 1)
        Traceback (most recent call last):
        latentia.errors.ConfigError: labels must be whole numbers from 0 to 2, one for each class, but 3 occurs
    """

    def __init__(self, classes: int, *, encoder: LabelJoin | None = None, decoder: LabelJoin | None = None) -> None:
        super().__init__()
        if classes < 1:
            raise ConfigError(f"a conditional model needs at least one class, not {classes}")
        self.classes = classes
        self.encoder, self.decoder = encoder, decoder

    def checked(self, y: Tensor | None, n: int, device: torch.device | None = None) -> Tensor:
        """Return labels that can be looked up, or say what is wrong with them.

        The range is not looked at while a model trains, since that would wait for the device at every step; labels of
        a data set index its classes anyway.

        Args:
            y: Labels, (n,).
            n: How many are needed.
            device: Where they are wanted.

        Returns:
            (n,), int64.

        Raises:
            ConfigError: If they are missing, of another number or type, or out of range.
        """
        if y is None:
            raise ConfigError(
                f"the model is conditional: give y as well, {n} labels from 0 to {self.classes - 1}, "
                f"such as torch.full(({n},), 0)"
            )
        if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
            raise ConfigError(f"labels must be whole numbers, not {y.dtype}: convert them by y.long()")
        if tuple(y.shape) != (n,):
            raise ConfigError(f"there must be one label for each of {n} samples, shape ({n},), not {tuple(y.shape)}")
        if n > 0 and not self.training:
            low, high = (int(extreme) for extreme in y.aminmax())
            if low < 0 or high >= self.classes:
                raise ConfigError(
                    f"labels must be whole numbers from 0 to {self.classes - 1}, one for each class, "
                    f"but {low if low < 0 else high} occurs"
                )
        return y.to(device=device, dtype=torch.int64)

    def before_encoder(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Join labels to x, (B, *event), where the encoder takes them; see :meth:`checked`."""
        return x if self.encoder is None else self.encoder(x, self.checked(y, len(x), x.device))

    def before_decoder(self, z: Tensor, y: Tensor | None) -> Tensor:
        """Join labels to z, (B, *latent), where the decoder takes them; see :meth:`checked`."""
        return z if self.decoder is None else self.decoder(z, self.checked(y, len(z), z.device))
