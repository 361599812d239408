"""The commands that use a trained model: evaluate, reconstruct, sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import options


def evaluate(
    run: options.RunPath,
    split: options.Split = "test",
    importance_samples: Annotated[
        int, typer.Option(metavar="K", min=0, help="Draws per sample for the importance-weighted nll; 0 leaves it out.")
    ] = 100,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Repeat with N seeds and give the spread.")] = 1,
    json: options.Json = False,
) -> None:
    """Evaluate a run's model: ELBO, distortion, rate, nll, active units, reconstruction error."""
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"evaluating {run}"):
        result = runs.open_run(run).evaluate(split=split, importance_samples=importance_samples, seeds=seeds)
    if json:
        printing.document(result)
    else:
        printing.evaluated(result)


def reconstruct(
    run: options.RunPath,
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=1, help="How many.")] = 10,
    split: options.Split = "test",
    input: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A .npy or .npz file, instead of a part of the data.", show_default=False),
    ] = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Draw originals over their reconstructions and say how far apart they are."""
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"reconstructing with {run}"):
        result = runs.open_run(run).reconstruct(n=n, split=split, input=input, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.reconstructed(result)


def sample(
    run: options.RunPath,
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=1, help="How many.")] = 64,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")] = 0,
    temperature: Annotated[
        float, typer.Option(metavar="T", callback=options.positive, help="Factor on the prior's standard deviation.")
    ] = 1.0,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Draw from the prior, decode, and save the means as a grid."""
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"sampling from {run}"):
        result = runs.open_run(run).sample(n=n, seed=seed, temperature=temperature, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.sampled(result)
