"""The commands that walk through a model's latent space: interpolate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentia.cli import options

PathName = Literal["linear", "spherical"]


def expanded_all(paths: list[Path] | None) -> list[Path] | None:
    """Put the home folder in the place of a leading ``~`` in each."""
    return [path for path in map(options.expanded, paths) if path is not None] if paths else None


def interpolate(
    run: options.RunPath,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="CLASS",
            help="The class to begin with: its most typical sample, nearest to the class's mean in the latent space.",
            show_default=False,
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="CLASS", help="The class to end with.", show_default=False)
    ] = None,
    images: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="I J",
            help="Two samples by number, from 0, instead of classes. Without either, the first two.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(metavar="N", min=2, max=400, help="How many points, the two ends among them.")
    ] = 10,
    path: Annotated[
        PathName,
        typer.Option(
            metavar="PATH",
            help="linear: straight; spherical: along the great circle, which keeps as far from the origin as the ends.",
        ),
    ] = "linear",
    split: options.PartIfAny = None,
    input: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="New data instead of a part: a .npy or .npz file; or given twice, two files or images, of which the "
            "first sample counts.",
            callback=expanded_all,
            show_default=False,
        ),
    ] = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Morph one sample into another.

    Every step between their latents is decoded: a strip, and for images a GIF beside it. The ends are the
    reconstructions of the two samples.
    """
    options.exclude("--split", split, "--input", input)
    options.exclude("--images", images, "--from", start)
    options.exclude("--images", images, "--to", end)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"interpolating with {run}"):
        result = (
            runs.open_run(run)
            .interpolate(start, end, images=images, steps=steps, path=path, split=split or "test", input=input, out=out)
            .to_json()
        )
    if json:
        printing.document(result)
    else:
        printing.interpolated(result)
