"""The commands that look at latents: of one run, of several, and through training: embed, compare, movie."""

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
    split: options.PartIfAny = None,
    input: options.Input = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the samples, t-SNE and UMAP.")] = 0,
    out: options.OutLatents = None,
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


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Directories of runs that see the same data.", show_default=False),
    ],
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=1, max=40, help="How many samples are shown.")] = 6,
    points: Annotated[int, typer.Option(metavar="N", min=1, help="How many latents are drawn.")] = 1000,
    latents: LatentsOption = "mean",
    projection: Annotated[
        Projection,
        typer.Option(
            metavar="METHOD",
            help="How latents are drawn: none, pca, tsne or umap; auto is none up to two dimensions, else tsne.",
        ),
    ] = "auto",
    split: options.PartIfAny = None,
    input: options.Input = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of samples, t-SNE and the evaluation's noise.")
    ] = 0,
    out: options.OutFolder = None,
    json: options.Json = False,
) -> None:
    """Show the same samples through several runs.

    Draws originals beside each model's reconstructions, and the latents side by side; and brings the runs' figures to
    one convention, saying which of them compare. The files go to a new folder in runs/ unless --out says otherwise.
    """
    options.exclude("--split", split, "--input", input)
    from latentia import runs as use_cases
    from latentia.cli import printing, progress

    paths = [path for path in map(options.expanded, runs) if path is not None]
    with progress.working(f"comparing {len(paths)} runs"):
        result = use_cases.compare(
            paths,
            n=n,
            points=points,
            latents=latents,
            projection=projection,
            split=split or "test",
            input=input,
            seed=seed,
            out=out,
        ).to_json()
    if json:
        printing.document(result)
    else:
        printing.compared(result)


def movie(
    run: options.RunPath,
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=1, help="How many latents are drawn.")] = 1000,
    images: Annotated[int, typer.Option(metavar="N", min=1, max=24, help="How many samples are reconstructed.")] = 8,
    frames: Annotated[int, typer.Option(metavar="N", min=2, help="The most frames; chosen evenly.")] = 120,
    seconds: Annotated[float, typer.Option(metavar="S", min=0.02, max=10, help="How long a frame is shown.")] = 0.15,
    split: options.PartIfAny = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Where the movie goes, instead of into the run's samples/: a .gif, or a .mp4 where there is ffmpeg.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Draw latents and reconstructions through training.

    It needs the checkpoints: train with --set training.keep_checkpoints=1000 --set training.checkpoint_every=250.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"filming {run}"):
        opened = runs.open_run(run)
        result = opened.movie(n=n, images=images, frames=frames, seconds=seconds, split=split or "test", out=out)
    value = result.to_json()
    if json:
        printing.document(value)
    else:
        print(f"{value['frames']} frames, from step {value['steps'][0]:,} to {value['steps'][-1]:,}")
        printing.files(value, "animation")
