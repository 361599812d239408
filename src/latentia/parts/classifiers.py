"""The classifier q(y given x): a network that turns data into a distribution over classes.

Knows nothing of latents, nor of what is learned with it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentia.errors import ConfigError
from latentia.maths.functional import at_least_float32
from latentia.parts.networks.layers import Linear


class LabelPosterior(nn.Module):
    r"""A categorical distribution over classes, whose logits are linear in a network's features.

    .. math:: q(y \mid x) = \mathrm{Cat}(y; \mathrm{softmax}(W h(x) + b))

    Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014, https://arxiv.org/abs/1406.5298, eq. 4.

    Args:
        network: x (B, *event) -> features (B, F).
        features: F.
        classes: C.

    Raises:
        ConfigError: If there is no class.

    Example:
        >>> q = LabelPosterior(nn.Flatten(), 4, 10)(torch.zeros(5, 2, 2))
        >>> q.shape, bool(q.exp().sum(1).isclose(torch.ones(5)).all())
        (torch.Size([5, 10]), True)
    """

    def __init__(self, network: nn.Module, features: int, classes: int) -> None:
        super().__init__()
        if classes < 1:
            raise ConfigError(f"a classifier needs at least one class, not {classes}")
        self.network = network
        self.head = Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, *event) to ln q(y given x), (B, C), nats, <= 0."""
        return torch.log_softmax(at_least_float32(self.head(self.network(x))), 1)
