"""What the uses of a run return: arrays, and where their picture was written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Originals, what the model made of them, and how far off it was.

    Attributes:
        x: The originals as the model sees them, (N, *event).
        reconstruction: The mean of p(x given z) at the posterior mean, (N, *event).
        errors: Mean squared error of each image, (N,).
        source: Where the originals came from.
        picture: The picture that was written, or ``None``.
    """

    x: Tensor
    reconstruction: Tensor
    errors: Tensor
    source: str
    picture: Path | None

    @property
    def mse(self) -> float:
        """Mean of the errors."""
        return float(self.errors.mean())

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "source": self.source,
            "n": len(self.errors),
            "mse": self.mse,
            "errors": self.errors.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Samples:
    """Decoded draws from the prior.

    Attributes:
        x: Means of p(x given z), (N, *event).
        seed: Of the draws.
        temperature: Factor on the prior's standard deviation.
        prior: The prior that they were drawn from; ``model`` is the model's own.
        picture: The picture that was written, or ``None``.
        array: The ``.npy`` file with ``x``, or ``None``.
        classes: The names of the classes that were asked for, equally many samples of each and the first one's first;
            ``None`` for a model that is not conditional.
    """

    x: Tensor
    seed: int
    temperature: float
    prior: str
    picture: Path | None
    array: Path | None
    classes: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "array": None if self.array is None else str(self.array),
            "n": len(self.x),
            "classes": None if self.classes is None else list(self.classes),
            "seed": self.seed,
            "temperature": self.temperature,
            "prior": self.prior,
        }
