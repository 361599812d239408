"""The commands that look at latents: embed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentia.cli import options

Projection = Literal["auto", "none", "pca", "tsne", "umap"]
Latents = Literal["mean", "sample"]
LatentsOption = Annotated[
    Latents, typer.Option(metavar="WHICH", help="Each posterior's mean, or a sample of it (mean or sample).")
]


def embed(
    run: options.RunPath,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            "-n",
            metavar="N",
            min=1,
            help="How many, from the first on. Without it all are written, and the first 3,000 drawn.",
            show_default=False,
        ),
    ] = None,
    latents: LatentsOption = "mean",
    projection: Annotated[
        Projection,
        typer.Option(
            metavar="METHOD",
            help="How they are drawn: none (as they are, up to three dimensions), pca, tsne or umap; "
            "auto is none where it can be and pca otherwise.",
        ),
    ] = "auto",
    split: Annotated[
        options.Part | None,
        typer.Option(
            metavar="PART",
            help="Which part of the data: test (the default), valid (if some was held out) or train.",
            show_default=False,
        ),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="New data instead of a part: a .npy or .npz file, or an image, of the size that the model takes.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the samples, t-SNE and UMAP.")] = 0,
    out: options.OutFolder = None,
    json: options.Json = False,
) -> None:
    """Write the latents of data as CSV and NPZ, and draw them.

    The points are coloured by label. The files go to the run's latents/.
    """
    options.exclude("--split", split, "--input", input)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"embedding with {run}"):
        opened = runs.open_run(run)
        result = opened.embed(
            n, latents=latents, projection=projection, split=split or "test", input=input, seed=seed, out=out
        ).to_json()
    if json:
        printing.document(result)
    else:
        shape = " x ".join(map(str, result["latent_shape"]))
        print(f"{result['n']:,} latents of {shape} values ({result['latents']}s) of {result['source']}")
        printing.files(result, "picture", "csv", "npz")
