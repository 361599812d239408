"""The commands that show an idea by a small experiment: demonstrate reparameterisation, reductions, beta-sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import completion, options

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH.png",
        help="Where the picture goes, instead of into demonstrations/ in the current folder.",
        callback=options.expanded,
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of everything random.")]


def reparameterisation(
    mu: Annotated[float, typer.Option(metavar="X", help="The mean.")] = 2.0,
    logvar: Annotated[float, typer.Option(metavar="X", help="The logarithm of the variance.")] = 0.5,
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=100, help="How many draws.")] = 10_000,
    seed: Seed = 0,
    out: Out = None,
    json: options.Json = False,
) -> None:
    """Draw from a normal by scaling and shifting noise.

    Mean and spread of the draws beside the exact ones, and why the gradient goes through the draws.
    """
    from latentia import runs
    from latentia.cli import printing

    result = runs.demonstrate_reparameterisation(mu, logvar, n, seed=seed, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.reparameterised(result)


def reductions(
    dimensions: Annotated[int, typer.Option(metavar="D", min=1, help="Values in one sample.")] = 784,
    latents: Annotated[int, typer.Option(metavar="N", min=1, help="Latent dimensions.")] = 20,
    batch: Annotated[int, typer.Option(metavar="N", min=1, help="Samples in a batch.")] = 128,
    out: Out = None,
    json: options.Json = False,
) -> None:
    """Show what sums and means do to "reconstruction + KL".

    The effective beta of each way to reduce, and the KL weight that makes it the ELBO.
    """
    from latentia import runs
    from latentia.cli import printing

    result = runs.demonstrate_reductions(dimensions, latents, batch, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.reduced(result)


def beta_sweep(
    preset: Annotated[
        str,
        typer.Argument(metavar="PRESET", help="A VAE's preset.", autocompletion=completion.presets),
    ] = "vae",
    data: options.Source = None,
    data_dir: options.DataDir = None,
    beta: Annotated[
        list[float] | None,
        typer.Option(
            metavar="X",
            help="A factor on the rate; given several times. Without it, 0.25, 0.5, 1, 2, 4 and 8.",
            callback=lambda values: [options.not_negative(value) for value in values or []],
            show_default=False,
        ),
    ] = None,
    epochs: options.Epochs = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Optimiser steps (batches), instead of --epochs.", show_default=False),
    ] = None,
    seed: Seed = 0,
    settings: options.Assignments = None,
    out: Out = None,
    json: options.Json = False,
) -> None:
    """Train a VAE with several betas: rate against distortion.

    A point for each beta, and a traversal of the dimension of the highest rate. Nothing else is kept.
    """
    options.exclude("--epochs", epochs, "--steps", steps)
    from latentia import runs
    from latentia.cli import printing, progress

    wanted = {"betas": beta} if beta else {}
    with progress.shown() as events:
        found = runs.demonstrate_beta_sweep(
            preset,
            data,
            data_dir=data_dir,
            epochs=epochs,
            steps=steps,
            seed=seed,
            settings=settings or [],
            out=out,
            events=events,
            **wanted,
        )
    result = found.to_json()
    if json:
        printing.document(result)
    else:
        printing.swept(result)
