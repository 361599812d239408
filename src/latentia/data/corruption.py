"""Corruption: what a denoising model is shown in place of the clean data.

Owns the formulas, each a pure function of the data and of noise that is drawn apart from it, so that a caller decides
where the randomness comes from: the device's default generator in training, a seed in evaluation. Knows neither models
nor losses. The typed settings are in :mod:`latentia.data.settings`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


class Corruption(ABC):
    """What every corruption has in common: it damages each value of x on its own.

    Denoising autoencoders: Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders",
    2008, https://doi.org/10.1145/1390156.1390294; the kinds of noise are those of section 3.3 of the same authors'
    "Stacked Denoising Autoencoders", 2010, https://jmlr.org/papers/v11/vincent10a.html.
    """

    @abstractmethod
    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Draw the noise that :meth:`__call__` needs.

        Args:
            shape: Shape of the data, (B, *event).
            generator: Where the randomness comes from; the default generator of ``device`` without it. One of another
                device draws there, and the noise is moved.
            device: Where the noise is wanted.

        Returns:
            Noise of that shape, float32.
        """

    @abstractmethod
    def __call__(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Corrupt data.

        Args:
            x: (B, *event), not changed.
            noise: What :meth:`draw_noise` returned for this shape; drawn from the default generator of x's device
                if ``None``.

        Returns:
            (B, *event).
        """

    @abstractmethod
    def describe(self) -> str:
        """Say in a few words what it does, for titles."""


@dataclass(frozen=True)
class GaussianCorruption(Corruption):
    r"""Additive normal noise, afterwards clamped if wished.

    .. math:: \tilde x = \mathrm{clamp}(x + \sigma \epsilon, l, h), \quad \epsilon \sim N(0, 1)

    Args:
        sigma: Standard deviation of the noise, in the units of x.
        clamp: Smallest and largest value of the result; ``None`` leaves it as it is.

    Example:
        >>> noise = torch.tensor([[1.0, -1.0]])
        >>> GaussianCorruption(sigma=0.5, clamp=(0.0, 1.0))(torch.tensor([[0.2, 0.2]]), noise)
        tensor([[0.7000, 0.0000]])
    """

    sigma: float
    clamp: Sequence[float] | None = None

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Draw epsilon, standard normal; see :meth:`Corruption.draw_noise`."""
        source = device if generator is None else generator.device
        return torch.randn(tuple(shape), generator=generator, device=source, dtype=torch.float32).to(device)

    def __call__(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Add noise to x; see :meth:`Corruption.__call__`."""
        noise = self.draw_noise(x.shape, device=x.device) if noise is None else noise
        corrupted = x + self.sigma * noise
        return corrupted if self.clamp is None else corrupted.clamp(self.clamp[0], self.clamp[1])

    def describe(self) -> str:
        """Such as ``Gaussian noise, sigma 0.5, clamped to [0, 1]``."""
        clamped = "" if self.clamp is None else f", clamped to [{self.clamp[0]:g}, {self.clamp[1]:g}]"
        return f"Gaussian noise, sigma {self.sigma:g}{clamped}"


@dataclass(frozen=True)
class MaskingCorruption(Corruption):
    r"""Each value is replaced by a constant with some probability, as if it were missing.

    .. math:: \tilde x = v\,[u < p] + x\,[u \ge p], \quad u \sim U(0, 1)

    Args:
        probability: p, in [0, 1].
        value: v, what stands for a missing value.

    Example:
        >>> MaskingCorruption(0.25)(torch.tensor([[0.8, 0.8]]), torch.tensor([[0.1, 0.3]]))
        tensor([[0.0000, 0.8000]])
    """

    probability: float
    value: float = 0.0

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Draw u, uniform in [0, 1); see :meth:`Corruption.draw_noise`."""
        return _uniform(shape, generator, device)

    def __call__(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Mask values of x; see :meth:`Corruption.__call__`."""
        noise = self.draw_noise(x.shape, device=x.device) if noise is None else noise
        return x.masked_fill(noise < self.probability, self.value)

    def describe(self) -> str:
        """Such as ``25 % of the values set to 0``."""
        return f"{100 * self.probability:g} % of the values set to {self.value:g}"


@dataclass(frozen=True)
class SaltAndPepperCorruption(Corruption):
    r"""Each value is replaced, with some probability, by the lowest or the highest value, each as likely.

    .. math:: \tilde x = l\,[u < p/2] + h\,[p/2 \le u < p] + x\,[u \ge p], \quad u \sim U(0, 1)

    Args:
        probability: p, in [0, 1].
        low: l, pepper.
        high: h, salt.

    Example:
        >>> SaltAndPepperCorruption(0.5)(torch.tensor([[0.8, 0.8, 0.8]]), torch.tensor([[0.1, 0.3, 0.6]]))
        tensor([[0.0000, 1.0000, 0.8000]])
    """

    probability: float
    low: float = 0.0
    high: float = 1.0

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Draw u, uniform in [0, 1); see :meth:`Corruption.draw_noise`."""
        return _uniform(shape, generator, device)

    def __call__(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Strew salt and pepper over x; see :meth:`Corruption.__call__`."""
        noise = self.draw_noise(x.shape, device=x.device) if noise is None else noise
        salted = x.masked_fill(noise < self.probability, self.high)
        return salted.masked_fill(noise < self.probability / 2, self.low)

    def describe(self) -> str:
        """Such as ``salt and pepper on 25 % of the values``."""
        return f"salt and pepper on {100 * self.probability:g} % of the values"


def _uniform(shape: Sequence[int], generator: torch.Generator | None, device: torch.device | str) -> Tensor:
    source = device if generator is None else generator.device
    return torch.rand(tuple(shape), generator=generator, device=source, dtype=torch.float32).to(device)
