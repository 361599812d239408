"""The named systems whose latents are codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latentia.recipes.preset import ALL_TRAINING_IMAGES, AUTOENCODER, Preset


def _settings(posterior: dict[str, Any], commitment: float) -> dict[str, Any]:
    """A convolutional autoencoder with codes on a map of a quarter of the sides.

    The residual blocks let every place of the map see most of the image, so that codes tell empty places apart.
    """
    return {
        "data": ALL_TRAINING_IMAGES,
        "model": {
            **AUTOENCODER,
            "latent_dim": None,
            "encoder": {"name": "residual", "channels": [32, 64], "blocks": 1},
            "decoder": {"name": "conv-map", "channels": [64, 32]},
            "posterior": posterior,
        },
        "objective": {"name": "quantized", "commitment": commitment},
        "training": {"epochs": 20},
    }


_VQ_VAE = Preset(
    name="vq-vae-512x64",
    family="autoencoder",
    description="The course module's VQ-VAE: 512 learned codes of 64 dimensions, on a map of a quarter of the sides.",
    source="course module on autoencoders; van den Oord et al. 2017, https://arxiv.org/abs/1711.00937",
    settings=_settings({"name": "vector-quantizer", "codes": 512, "dimension": 64}, 0.25),
    notes=("The module gives the codebook alone; the networks are ours.",),
)

DISCRETE = [
    replace(_VQ_VAE, name="vq-vae", description="VQ-VAE: 512 learned codes of 64 dimensions, squared error.", notes=()),
    Preset(
        name="fsq-ae",
        family="autoencoder",
        description="Autoencoder with 1000 codes on a fixed grid, four scalars of 8, 5, 5 and 5 levels, squared error.",
        source="Mentzer et al. 2023, https://arxiv.org/abs/2309.15505, table 1",
        settings=_settings({"name": "finite-scalar-quantizer", "levels": [8, 5, 5, 5]}, 0.0),
    ),
    _VQ_VAE,
]
