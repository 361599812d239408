"""An exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Keeps ``average <- average + (1 - d) (weights - average)`` of all floating-point weights and buffers.

    The decay d rises with the number of steps t as min(decay, (1 + t) / (10 + t)), so that the random first weights
    are soon forgotten. Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", 1992,
    https://doi.org/10.1137/0330046, with exponential weights.

    Args:
        model: Whose weights are averaged.
        decay: The final decay, in (0, 1).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
        self._average = {name: value.clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after ``step`` steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages, weights = list(self._average.values()), list(self._live.values())
        torch._foreach_lerp_(averages, weights, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]

    def state(self) -> dict[str, Tensor]:
        """The average by name, the tensors themselves."""
        return self._average

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned."""
        for name, value in self._average.items():
            value.copy_(state[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model within the block, and the weights back after it."""
        weights = {name: value.clone() for name, value in self._live.items()}
        self._copy(self._average)
        try:
            yield
        finally:
            self._copy(weights)

    @torch.no_grad()
    def _copy(self, source: Mapping[str, Tensor]) -> None:
        for name, value in self._live.items():
            value.copy_(source[name])
