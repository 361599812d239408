"""The fully connected network, for events of any shape. Knows no probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from latentia.parts.networks.layers import Linear, activation_layer, vector_norm
from latentia.parts.settings import check_last, check_sizes, rates_for


class MLP(nn.Module):
    r"""Fully connected layers: flatten, then linear, normalisation, activation, dropout for every hidden layer.

    .. math:: h_{l+1} = \mathrm{drop}(a(\mathrm{norm}(W_l h_l + b_l)))

    Args:
        in_shape: Shape of one input, such as ``(1, 28, 28)`` or ``(20,)``; flattened.
        hidden: Units of each hidden layer; may be empty.
        out_shape: Shape of one output, from a last linear layer without activation; without it the network ends after
            the last hidden layer.
        activation: See :func:`~latentia.parts.networks.layers.activation_layer`.
        dropout: Probability in [0, 1) that a hidden unit is dropped in training, for all hidden layers or for each.
        norm: ``none``, ``batch`` or ``layer``.
        activate_last: Whether the last hidden layer has an activation; its normalisation and dropout it has in any
            case.

    Attributes:
        out_features: Number of values per output.

    Raises:
        ConfigError: If a size, a rate or a name is not allowed.

    Example:
        >>> import torch
        >>> MLP((1, 28, 28), [256, 64])(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 64])
        >>> MLP((20,), [400], (1, 28, 28))(torch.zeros(5, 20)).shape
        torch.Size([5, 1, 28, 28])
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        hidden: Sequence[int],
        out_shape: Sequence[int] | None = None,
        *,
        activation: str = "relu",
        dropout: float | list[float] = 0.0,
        norm: str = "none",
        activate_last: bool = True,
    ) -> None:
        super().__init__()
        check_sizes("hidden", list(hidden))
        check_last(activate_last, list(hidden))
        layers: list[nn.Module] = []
        width = math.prod(in_shape)
        for i, (units, rate) in enumerate(zip(hidden, rates_for(dropout, len(hidden)), strict=True)):
            layers += [Linear(width, units), *vector_norm(norm, units)]
            if activate_last or i + 1 < len(hidden):
                layers.append(activation_layer(activation))
            if rate > 0:
                layers.append(nn.Dropout(rate))
            width = units
        if out_shape is not None:
            layers.append(Linear(width, math.prod(out_shape)))
            width = math.prod(out_shape)
        self.layers = nn.Sequential(*layers)
        self.out_features = width
        self.out_shape = (width,) if out_shape is None else tuple(out_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (B, *in_shape) to outputs (B, *out_shape), or (B, out_features) where there is no out_shape."""
        h = x.flatten(1)
        for layer in self.layers:
            h = layer(h)  # (B, units)
        return h if len(self.out_shape) == 1 else h.view(-1, *self.out_shape)
