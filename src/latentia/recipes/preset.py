"""What a named system is, and the fragments of settings that many of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from latentia.recipes.config import Config, make_config


@dataclass(frozen=True)
class Preset:
    """A named system.

    Attributes:
        name: What it is called on the command line.
        family: ``autoencoder`` or ``vae``.
        description: One line.
        source: Where its sizes and its training come from.
        settings: What it sets apart from the defaults of :class:`latentia.recipes.config.Config`; presets that share
            this mapping are the same system under two names.
        notes: Sentences on what differs from the source, and why.
    """

    name: str
    family: str
    description: str
    source: str
    settings: dict[str, Any]
    notes: tuple[str, ...] = ()

    def config(self) -> Config:
        """The whole config."""
        return make_config({"preset": self.name, **self.settings}, f"preset {self.name}")


SQUARED_ERROR = {"name": "gaussian", "sigma": "fixed", "scale": 1.0, "loc_activation": "sigmoid"}
AUTOENCODER = {"posterior": {"name": "deterministic"}, "prior": None, "likelihood": SQUARED_ERROR}
ALL_TRAINING_IMAGES = {"validation": 0.0}  # as the tutorials do: the last weights are the model
