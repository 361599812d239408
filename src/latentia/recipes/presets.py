"""The named systems, as data: what each sets apart from the defaults, and where it comes from.

Those with sizes in their names are a tutorial's, for good (:mod:`latentia.recipes.tutorials`); the general ones, such
as ``vae``, are what we recommend for any data, and today have the sizes of one of them.
"""

from __future__ import annotations

from dataclasses import replace

from latentia.errors import ConfigError, did_you_mean
from latentia.recipes.discrete import DISCRETE
from latentia.recipes.preset import ALL_TRAINING_IMAGES, AUTOENCODER, Preset
from latentia.recipes.tutorials import TUTORIALS


def _general(name: str, tutorial: str, description: str) -> Preset:
    return replace(TUTORIALS[tutorial], name=name, description=description, notes=())


M2 = {  # a VAE of class and latents with a classifier, of the data (m2) or of the latents of another VAE (m1-m2)
    "latent_dim": 50,
    "encoder": {"name": "mlp", "hidden": [500]},
    "decoder": {"name": "mlp", "hidden": [500]},
    "condition": {"name": "labels"},
    "classifier": {"name": "mlp", "hidden": [500]},
}
FEW_LABELS = {"name": "semi-supervised", "unlabelled": {"name": "linear", "start": 0.0, "end": 1.0, "until": 0.3}}

_PRESETS = [
    _general("ae", "ae-32", "Fully connected autoencoder, 256-128-64 to 32 latents, squared error."),
    _general(
        "conv-ae",
        "conv-ae-64",
        "Convolutional autoencoder with batch normalisation, 32-64 channels to 64 latents, squared error.",
    ),
    _general(
        "denoising-ae",
        "denoising-ae-64",
        "Fully connected denoising autoencoder, 256-128 with dropout 0.2 to 64 latents, noise of sigma 0.5.",
    ),
    Preset(
        name="denoising-conv-ae",
        family="autoencoder",
        description="Convolutional denoising autoencoder, 32-64-128 channels to 128 latents, noise of sigma 0.5.",
        source="Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294, with the networks of conv-ae, one deeper",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 128,
                "encoder": {"name": "conv", "channels": [32, 64, 128]},
                "decoder": {"name": "conv", "channels": [128, 64, 32]},
                **AUTOENCODER,
            },
            "objective": {
                "name": "autoencoder",
                "corruption": {"name": "gaussian", "sigma": 0.5, "clamp": [0.0, 1.0]},
            },
            "training": {"epochs": 20, "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.0}},
        },
    ),
    _general(
        "sparse-ae",
        "sparse-ae-64",
        "Sparse autoencoder, 256-128 to 64 latents with ReLU, L1 of 0.006 nats per unit of |z|.",
    ),
    Preset(
        name="contractive-ae",
        family="autoencoder",
        description="Contractive autoencoder, 256 tanh units to 32 latents, 0.1 times the squared norm of dz/dx.",
        source="Rifai et al. 2011, https://icml.cc/2011/papers/455_icmlpaper.pdf, one layer deeper",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 32,
                "encoder": {"name": "mlp", "hidden": [256], "activation": "tanh"},
                "decoder": {"name": "mlp", "hidden": [256], "activation": "tanh"},
                **AUTOENCODER,
            },
            "objective": {"name": "autoencoder", "contractive": 0.1},
            "training": {"epochs": 20},
        },
        notes=(
            "The paper ties the decoder's weights to the encoder's; here they are free, so that the encoder may "
            "contract and the decoder expand.",
            "The derivative is exact, with one backward pass per latent: a step takes about ten times that of an "
            "autoencoder of these sizes.",
        ),
    ),
    _general("vae", "vae-400-20", "Fully connected VAE, 400 hidden units, 20 latents, Bernoulli cross-entropy."),
    _general(
        "conv-vae",
        "conv-vae-32",
        "Convolutional VAE with batch normalisation, 32-64-128 channels, 32 latents, cross-entropy.",
    ),
    Preset(
        name="conv-vae-colour",
        family="vae",
        description="Convolutional VAE for colour pictures, 64-128-256 channels, 128 latents, Gaussian, learned sigma.",
        source="Kingma & Welling 2014, https://arxiv.org/abs/1312.6114; learned sigma: Rybkin et al. 2021, "
        "https://arxiv.org/abs/2006.13202",
        settings={
            "model": {
                "latent_dim": 128,
                "encoder": {"name": "conv", "channels": [64, 128, 256], "kernel": 5, "activation": "silu"},
                "decoder": {"name": "conv", "channels": [256, 128, 64], "kernel": 5, "activation": "silu"},
                "likelihood": {"name": "gaussian", "sigma": "learned", "scale": 0.2, "loc_activation": "sigmoid"},
            },
            "training": {"epochs": 50, "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.0}},
        },
    ),
    Preset(
        name="m1",
        family="vae",
        description="M1: a VAE of 50 latents, trained without labels, for `latentia classify` with few labels.",
        source="Kingma et al. 2014, https://arxiv.org/abs/1406.5298, sections 2 and 4",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 50,
                "encoder": {"name": "mlp", "hidden": [600, 600]},
                "decoder": {"name": "mlp", "hidden": [600, 600]},
            },
            "training": {"epochs": 20},
        },
    ),
    Preset(
        name="m2",
        family="vae",
        description="M2: a VAE of class and 50 latents that learns the class from 100 labels and all the other data.",
        source="Kingma et al. 2014, https://arxiv.org/abs/1406.5298, sections 2 and 4",
        settings={
            "data": {**ALL_TRAINING_IMAGES, "labels": 100},
            "model": M2,
            "objective": FEW_LABELS,
            "training": {"epochs": 20},
        },
        notes=(
            "The source has softplus units, trains for 3,000 epochs, and counts samples without labels from the start.",
        ),
    ),
    Preset(
        name="m1-m2",
        family="vae",
        description="M1+M2: m2 on the latents of an m1, which is trained first, in the same run.",
        source="Kingma et al. 2014, https://arxiv.org/abs/1406.5298, sections 2 and 4",
        settings={
            "data": {**ALL_TRAINING_IMAGES, "labels": 100},
            "model": {
                **M2,
                "likelihood": {"name": "gaussian", "sigma": "per-pixel"},
                "base": {"latent_dim": 50},
            },
            "objective": FEW_LABELS,
            "training": {"epochs": 20, "base_epochs": 20},
        },
        notes=(
            "The source has softplus units, trains for 3,000 epochs, and counts samples without labels from the start.",
            "The model beneath is that of m1; training.base_run takes one that has been trained.",
        ),
    ),
    _general(
        "conditional-vae",
        "conditional-vae-20",
        "VAE that is told the class, 256-256 hidden units, 20 latents: draws samples of a wished class.",
    ),
    Preset(
        name="conditional-mixture-vae",
        family="vae",
        description="Conditional VAE with a learned mixture for each class as prior: samples truer to their class.",
        source="Sohn et al. 2015, https://papers.nips.cc/paper/5775; sizes and beta by Latentia",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 12,
                "encoder": {"name": "mlp", "hidden": [512, 256]},
                "decoder": {"name": "mlp", "hidden": [256, 512]},
                "prior": {"name": "conditional-mixture", "components": 100},
                "condition": {"name": "labels"},
            },
            "objective": {"beta": 0.5},  # sharper decoded means; the prior learns where the latents then lie
            "training": {
                "epochs": 12,
                "optimizer": {"lr": 0.002},
                "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.05},
            },
        },
    ),
    Preset(
        name="sharp-conditional-vae",
        family="vae",
        description="Conditional VAE with beta = 0.25: sharp and varied samples, after `latentia fit-prior RUN gmm`.",
        source="Dai & Wipf 2019, https://arxiv.org/abs/1903.05789, with a second stage that knows the classes; "
        "sizes and beta by Latentia",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 24,
                "encoder": {"name": "mlp", "hidden": [512, 256]},
                "decoder": {"name": "mlp", "hidden": [256, 512]},
                "condition": {"name": "labels"},
            },
            "objective": {"beta": 0.25},  # the fitted prior then makes up for what N(0, I) is too far from
            "training": {
                "epochs": 12,
                "optimizer": {"lr": 0.002},
                "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.05},
            },
        },
        notes=(
            "Its own prior draws badly, since a small beta lets the posteriors lie far from N(0, I): sample with "
            "--prior gmm.",
        ),
    ),
    _general("beta-vae", "beta4-vae-10", "VAE with beta = 4: fewer, better separated latents, blurrier pictures."),
    *DISCRETE,
    *TUTORIALS.values(),
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
