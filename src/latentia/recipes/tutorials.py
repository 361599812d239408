"""The systems of five public tutorials, each with its exact layers, optimiser, batch size and budget.

Squared error summed over pixels plus w times the KL is, up to the factor 2, a Gaussian likelihood with sigma = 1 and
beta = w / 2; so is its mean over pixels plus the KL divided by their number, with w = 1.
"""

from __future__ import annotations

from typing import Any

from latentia.recipes.preset import ALL_TRAINING_IMAGES, AUTOENCODER, SQUARED_ERROR, Preset

_KINGMA = "Kingma & Welling 2014, https://arxiv.org/abs/1312.6114"
_HINTON = "Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647"
_MASCI = "Masci et al. 2011, https://doi.org/10.1007/978-3-642-21735-7_7"
_HIGGINS = "Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl"


def _mlp(*hidden: int, **more: Any) -> dict[str, Any]:
    """An encoder of these layers, and the decoder that mirrors it."""
    return {
        "encoder": {"name": "mlp", "hidden": list(hidden), **more},
        "decoder": {"name": "mlp", "hidden": list(hidden[::-1])},
    }


# --- "VAE for MNIST" --------------------------------------------------------------------------------------------------

_FIRST = [
    Preset(
        name="vae-400-20",
        family="vae",
        description="784-400-20-400-784 VAE of the tutorial 'VAE for MNIST', Bernoulli cross-entropy.",
        source=f"tutorial 'VAE for MNIST'; {_KINGMA}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {"latent_dim": 20, **_mlp(400)},
            "training": {"epochs": 15},
        },
        notes=(
            "The tutorial scales images to [-1, 1], where cross-entropy is not defined; here they stay in [0, 1].",
            "It says that the KL falls in training; it rises, from about 16 to 25 nats.",
        ),
    )
]

# --- "Reconstructing MNIST" -------------------------------------------------------------------------------------------

_RECONSTRUCTING = {
    "data": ALL_TRAINING_IMAGES,
    "model": {"latent_dim": 10, **_mlp(256, 64), "likelihood": SQUARED_ERROR},
    "objective": {"name": "elbo", "beta": 0.5},
    "training": {"epochs": 50, "batch_size": 32},
}
_BUDGET_OF_THOUSAND = "The tutorial plans 1000 epochs and shows about 50; these are trained."

_SECOND = [
    Preset(
        name="vae-256-64-10",
        family="vae",
        description="784-256-64-10 VAE of the tutorial 'Reconstructing MNIST', repaired: free means and variances.",
        source=f"tutorial 'Reconstructing MNIST'; {_KINGMA}",
        settings=_RECONSTRUCTING,
        notes=(
            "The loss is the tutorial's, (squared error + KL) / 784: a Gaussian with sigma = 1, and beta = 0.5.",
            "There mean and deviation pass through a ReLU, which lets half of the units die: see "
            "vae-256-64-10-faithful. Here they do not, and the log-variance takes the deviation's place.",
            _BUDGET_OF_THOUSAND,
        ),
    ),
    Preset(
        name="vae-256-64-10-faithful",
        family="vae",
        description="The same with the tutorial's mistake: mean and deviation through a ReLU, so that units die.",
        source=f"tutorial 'Reconstructing MNIST'; {_KINGMA}",
        settings={**_RECONSTRUCTING, "model": {**_RECONSTRUCTING["model"], "posterior": {"name": "rectified"}}},
        notes=(
            "It exists so that the difference can be seen: `latentia evaluate` counts its active units, and its "
            "error is nearly twice that of vae-256-64-10.",
            _BUDGET_OF_THOUSAND,
        ),
    ),
]

# --- "Variational AutoEncoders", a lecture notebook -------------------------------------------------------------------

_NOTEBOOK = f"lecture notebook 'Variational AutoEncoders'; {_KINGMA}"
_SMALL_IMAGES = {**ALL_TRAINING_IMAGES, "size": [32, 32]}
_EVALUATED_ONCE = (
    "The notebook evaluates on the test images every 250 steps. Here they are never looked at in training: set "
    "data.validation and training.evaluate_every = 250 for curves on held-out training images."
)


def _steps(steps: int) -> dict[str, Any]:
    return {"epochs": None, "steps": steps, "batch_size": 64, "optimizer": {"lr": 5e-4}}


def _squared_error_and(weight: float) -> str:
    beta = weight / 2
    return (
        f"The notebook weights the KL by {weight:g} beside the whole squared error. A Gaussian with sigma = 1 has half "
        f"the squared error, so that beta = {beta:g} is the same loss, halved."
    )


_PLANE: dict[str, Any] = {
    "data": _SMALL_IMAGES,
    "model": {"latent_dim": 2, **_mlp(128, 64, 32, activate_last=False), "likelihood": SQUARED_ERROR},
    "objective": {"name": "elbo", "beta": 0.5},
    "training": _steps(25_000),
}
_CUBE: dict[str, Any] = {
    "latent_dim": None,
    "encoder": {
        "name": "conv-stack",
        "layers": [
            {"channels": 8, "kernel": 5, "stride": 2, "padding": 1},
            {"channels": 16, "kernel": 3, "stride": 2, "padding": 1},
            {"channels": 4, "kernel": 3, "stride": 2, "padding": 1},
        ],
    },
    "decoder": {
        "name": "transposed-stack",
        "layers": [
            {"channels": 16, "kernel": 3, "stride": 2, "padding": 0},
            {"channels": 8, "kernel": 3, "stride": 2, "padding": 1},
            {"kernel": 2, "stride": 2, "padding": 1},
        ],
    },
    "likelihood": SQUARED_ERROR,
}

_NOTEBOOKS = [
    Preset(
        name="ae-2d",
        family="autoencoder",
        description="1024-128-64-32-2 autoencoder of the lecture notebook: latents in a plane, images of 32 x 32.",
        source=f"lecture notebook 'Variational AutoEncoders'; {_HINTON}",
        settings={
            "data": _SMALL_IMAGES,
            "model": {"latent_dim": 2, **_mlp(128, 64, 32), **AUTOENCODER},
            "objective": {"name": "autoencoder"},
            "training": _steps(25_000),
        },
        notes=(_EVALUATED_ONCE,),
    ),
    Preset(
        name="vae-2d",
        family="vae",
        description="1024-128-64-32-2 VAE of the lecture notebook, squared error + KL (beta 0.5): latents in a plane.",
        source=_NOTEBOOK,
        settings=_PLANE,
        notes=(_squared_error_and(1), _EVALUATED_ONCE),
    ),
    Preset(
        name="vae-2d-w100",
        family="vae",
        description="The same with squared error + 100 KL (beta 50): complete posterior collapse, to be looked at.",
        source=_NOTEBOOK,
        settings={**_PLANE, "objective": {"name": "elbo", "beta": 50.0}},
        notes=(
            _squared_error_and(100),
            "It exists so that the illness can be seen: the rate is 0 and every reconstruction is the mean image.",
            _EVALUATED_ONCE,
        ),
    ),
    Preset(
        name="conv-ae-4x4x4",
        family="autoencoder",
        description="Convolutional autoencoder of the lecture notebook, 3,793 parameters, a 4 x 4 x 4 cube of latents.",
        source=f"lecture notebook 'Variational AutoEncoders'; {_MASCI}",
        settings={
            "data": _SMALL_IMAGES,
            "model": {**_CUBE, "posterior": {"name": "feature-map"}, "prior": None},
            "objective": {"name": "autoencoder"},
            "training": _steps(30_000),
        },
        notes=(_EVALUATED_ONCE,),
    ),
    Preset(
        name="conv-vae-4x4x4",
        family="vae",
        description="Convolutional VAE of the lecture notebook, 4,089 parameters, a 4 x 4 x 4 cube of latents.",
        source=_NOTEBOOK,
        settings={
            "data": _SMALL_IMAGES,
            "model": {**_CUBE, "posterior": {"name": "gaussian-map"}},
            "objective": {"name": "elbo", "beta": 0.4},
            "training": _steps(30_000),
        },
        notes=(_squared_error_and(0.8), _EVALUATED_ONCE),
    ),
]

# --- "Autoencoders & Variational Autoencoders", a course module -------------------------------------------------------


def _miscounted(said: str, found: str) -> str:
    return f"The text counts {said} parameters; the layers of its code have {found} on images of 28 x 28."


_MODULE = [
    Preset(
        name="ae-32",
        family="autoencoder",
        description="784-256-128-64-32 autoencoder of the course module, squared error.",
        source=f"course module on autoencoders; {_HINTON}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {"latent_dim": 32, **_mlp(256, 128, 64), **AUTOENCODER},
            "objective": {"name": "autoencoder"},
            "training": {"epochs": 20},
        },
        notes=(_miscounted("380,752", "489,136"),),
    ),
    Preset(
        name="conv-ae-64",
        family="autoencoder",
        description="Convolutional autoencoder of the course module, 32-64 channels to 64 latents, squared error.",
        source=f"course module on autoencoders; {_MASCI}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 64,
                "encoder": {"name": "conv", "channels": [32, 64]},
                "decoder": {"name": "conv", "channels": [64, 32]},
                **AUTOENCODER,
            },
            "objective": {"name": "autoencoder"},
            "training": {"epochs": 20},
        },
        notes=(_miscounted("285,793", "442,433"), "It is not trained there: the epochs are those of ae-32."),
    ),
    Preset(
        name="denoising-ae-64",
        family="autoencoder",
        description="784-256-(dropout 0.2)-128-64 denoising autoencoder of the course module, noise of sigma 0.5.",
        source="course module on autoencoders; Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 64,
                "encoder": {"name": "mlp", "hidden": [256, 128], "dropout": [0.2, 0.0]},
                "decoder": {"name": "mlp", "hidden": [128, 256]},  # with dropout here too, the error is 7 % larger
                **AUTOENCODER,
            },
            "objective": {"name": "autoencoder", "corruption": {"name": "gaussian", "sigma": 0.5, "clamp": [0.0, 1.0]}},
            "training": {"epochs": 20},
        },
    ),
    Preset(
        name="sparse-ae-64",
        family="autoencoder",
        description="Sparse autoencoder of the course module, 64 ReLU latents, L1 of 1e-3 beside pixel-mean error.",
        source="course module on autoencoders; Ng 2011, https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 64,
                **_mlp(256, 128),
                **AUTOENCODER,
                "posterior": {"name": "deterministic", "activation": "relu"},
            },
            "objective": {"name": "autoencoder", "l1": 1e-3 * (784 / 2) / 64},
            "training": {"epochs": 20},
        },
        notes=(
            "The module gives no layers for it: these are those of denoising-ae-64 without dropout.",
            "Its code averages: mean squared error over the pixels + 1e-3 times the mean |z| over the latents. Times "
            "784 / 2 that is half the summed squared error + 0.006125 times the sum of |z|, which is objective.l1.",
            "With the sum of |z| in place of its mean objective.l1 would be 0.392, at which 60 of the 64 latents die; "
            "beside the summed squared error the weight 1e-3 would be 784 times weaker.",
            "As it is, 43 % of the latents of MNIST are 0 after 20 epochs, most of them the same 22 for every image.",
        ),
    ),
    Preset(
        name="vae-256-256-20",
        family="vae",
        description="784-256-256-20 VAE of the course module, Bernoulli cross-entropy.",
        source=f"course module on autoencoders; {_KINGMA}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {"latent_dim": 20, **_mlp(256, 256)},
            "training": {"epochs": 30},
        },
        notes=(_miscounted("474,260", "549,688"),),
    ),
    Preset(
        name="conv-vae-32",
        family="vae",
        description="Convolutional VAE of the course module, 32-64-128 channels, 32 latents, cross-entropy.",
        source=f"course module on autoencoders; {_KINGMA}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {
                "latent_dim": 32,
                "encoder": {"name": "conv", "channels": [32, 64, 128], "activation": "leaky-relu"},
                "decoder": {"name": "conv", "channels": [128, 64, 32], "activation": "leaky-relu"},
            },
            "training": {"epochs": 30},
        },
        notes=("It is not trained there: the epochs are those of vae-256-256-20.",),
    ),
    Preset(
        name="beta4-vae-10",
        family="vae",
        description="784-256-256-10 beta-VAE of the course module, beta = 4, Bernoulli cross-entropy.",
        source=f"course module on autoencoders; {_HIGGINS}",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {"latent_dim": 10, **_mlp(256, 256)},
            "objective": {"name": "elbo", "beta": 4.0},
            "training": {"epochs": 20},
        },
    ),
    Preset(
        name="conditional-vae-20",
        family="vae",
        description="784(+10)-256-256-20 conditional VAE of the course module, the class in encoder and decoder.",
        source="course module on autoencoders; Kingma et al. 2014, https://arxiv.org/abs/1406.5298",
        settings={
            "data": ALL_TRAINING_IMAGES,
            "model": {"latent_dim": 20, **_mlp(256, 256), "condition": {"name": "labels"}},
            "training": {"epochs": 30},
        },
    ),
]

TUTORIALS: dict[str, Preset] = {preset.name: preset for preset in [*_FIRST, *_SECOND, *_NOTEBOOKS, *_MODULE]}
"""Name -> preset, in the order of the tutorials."""
