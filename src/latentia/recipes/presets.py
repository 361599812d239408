"""The named systems, as data: what each sets apart from the defaults, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from latentia.errors import ConfigError, did_you_mean
from latentia.recipes.config import Config, make_config


@dataclass(frozen=True)
class Preset:
    """A named system.

    Attributes:
        name: What it is called on the command line.
        family: ``autoencoder`` or ``vae``.
        description: One line.
        source: Where its sizes and its training come from.
        settings: What it sets apart from the defaults of :class:`latentia.recipes.config.Config`.
    """

    name: str
    family: str
    description: str
    source: str
    settings: dict[str, Any]

    def config(self) -> Config:
        """The whole config."""
        return make_config({"preset": self.name, **self.settings}, f"preset {self.name}")


_SQUARED_ERROR = {"name": "gaussian", "sigma": "fixed", "scale": 1.0, "loc_activation": "sigmoid"}
_AUTOENCODER = {"posterior": {"name": "deterministic"}, "prior": None, "likelihood": _SQUARED_ERROR}
_ALL_TRAINING_IMAGES = {"validation": 0.0}  # as the tutorials do: the last weights are the model
_CONDITIONAL_VAE: dict[str, Any] = {
    "data": _ALL_TRAINING_IMAGES,
    "model": {
        "latent_dim": 20,
        "encoder": {"name": "mlp", "hidden": [256, 256]},
        "decoder": {"name": "mlp", "hidden": [256, 256]},
        "condition": {"name": "labels"},
    },
    "training": {"epochs": 30},
}

_DENOISING_AE = Preset(
    name="denoising-ae-64",
    family="autoencoder",
    description="Fully connected denoising autoencoder, 256-128 with dropout 0.2 to 64 latents, noise of sigma 0.5.",
    source="course module on autoencoders; Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294",
    settings={
        "data": _ALL_TRAINING_IMAGES,
        "model": {
            "latent_dim": 64,
            "encoder": {"name": "mlp", "hidden": [256, 128], "dropout": [0.2, 0.0]},
            "decoder": {"name": "mlp", "hidden": [128, 256]},  # with dropout here too, the error is 7 % larger
            **_AUTOENCODER,
        },
        "objective": {"name": "autoencoder", "corruption": {"name": "gaussian", "sigma": 0.5, "clamp": [0.0, 1.0]}},
        "training": {"epochs": 20},
    },
)

_PRESETS = [
    Preset(
        name="ae",
        family="autoencoder",
        description="Fully connected autoencoder, 256-128-64 to 32 latents, squared error.",
        source="course module on autoencoders; Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647",
        settings={
            "data": _ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 32,
                "encoder": {"name": "mlp", "hidden": [256, 128, 64]},
                "decoder": {"name": "mlp", "hidden": [64, 128, 256]},
                **_AUTOENCODER,
            },
            "objective": {"name": "autoencoder"},
            "training": {"epochs": 20},
        },
    ),
    Preset(
        name="conv-ae",
        family="autoencoder",
        description="Convolutional autoencoder with batch normalisation, 32-64 channels to 64 latents, squared error.",
        source="course module on autoencoders; Masci et al. 2011, https://doi.org/10.1007/978-3-642-21735-7_7",
        settings={
            "data": _ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 64,
                "encoder": {"name": "conv", "channels": [32, 64]},
                "decoder": {"name": "conv", "channels": [64, 32]},
                **_AUTOENCODER,
            },
            "objective": {"name": "autoencoder"},
            "training": {"epochs": 20},
        },
    ),
    replace(_DENOISING_AE, name="denoising-ae"),
    _DENOISING_AE,
    Preset(
        name="denoising-conv-ae",
        family="autoencoder",
        description="Convolutional denoising autoencoder, 32-64-128 channels to 128 latents, noise of sigma 0.5.",
        source="Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294, with the networks of conv-ae, one deeper",
        settings={
            "data": _ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 128,
                "encoder": {"name": "conv", "channels": [32, 64, 128]},
                "decoder": {"name": "conv", "channels": [128, 64, 32]},
                **_AUTOENCODER,
            },
            "objective": {
                "name": "autoencoder",
                "corruption": {"name": "gaussian", "sigma": 0.5, "clamp": [0.0, 1.0]},
            },
            "training": {"epochs": 20, "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.0}},
        },
    ),
    Preset(
        name="vae",
        family="vae",
        description="Fully connected VAE, 400 hidden units, 20 latents, Bernoulli cross-entropy.",
        source="tutorial 'VAE for MNIST'; Kingma & Welling 2014, https://arxiv.org/abs/1312.6114",
        settings={
            "data": _ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 20,
                "encoder": {"name": "mlp", "hidden": [400]},
                "decoder": {"name": "mlp", "hidden": [400]},
            },
            "training": {"epochs": 15},
        },
    ),
    Preset(
        name="conv-vae",
        family="vae",
        description="Convolutional VAE with batch normalisation, 32-64-128 channels, 32 latents, cross-entropy.",
        source="course module on autoencoders; Kingma & Welling 2014, https://arxiv.org/abs/1312.6114",
        settings={
            "data": _ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 32,
                "encoder": {"name": "conv", "channels": [32, 64, 128], "activation": "leaky-relu"},
                "decoder": {"name": "conv", "channels": [128, 64, 32], "activation": "leaky-relu"},
            },
            "training": {"epochs": 30},
        },
    ),
    Preset(
        name="conditional-vae",
        family="vae",
        description="VAE that is told the class, 256-256 hidden units, 20 latents: draws samples of a wished class.",
        source="course module on autoencoders; Kingma et al. 2014, https://arxiv.org/abs/1406.5298",
        settings=_CONDITIONAL_VAE,
    ),
    Preset(
        name="conditional-vae-20",
        family="vae",
        description="The course module's conditional VAE: 784(+10)-256-256-20, the class in encoder and decoder.",
        source="course module on autoencoders; Kingma et al. 2014, https://arxiv.org/abs/1406.5298",
        settings=_CONDITIONAL_VAE,
    ),
]

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _PRESETS}
"""Name -> preset."""


def find_preset(name: str) -> Preset:
    """Look a preset up.

    Raises:
        ConfigError: If there is none of this name; the nearest is suggested.

    Example:
        >>> find_preset("vae").config().training.epochs
        15.0
    """
    if name not in PRESETS:
        hint = did_you_mean(name, PRESETS) or f" There are: {', '.join(PRESETS)}."
        raise ConfigError(f"there is no preset '{name}'.{hint}")
    return PRESETS[name]
