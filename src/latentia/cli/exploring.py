"""The commands that walk through a model's latent space: interpolate, traverse, manifold, decode, arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentia.cli import options
from latentia.errors import ConfigError, did_you_mean

OfClass = Annotated[
    str | None,
    typer.Option("--class", metavar="CLASS", help="Of a conditional model, the class to decode.", show_default=False),
]
Ends = tuple[float, float]
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
            help="The class to begin with: its most typical sample, nearest to the class's mean in the latent space; "
            "or a sample by number, such as '#7'.",
            show_default=False,
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="CLASS", help="The class, or the number, to end with.", show_default=False),
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
    reconstructions of the two samples. Of discrete latents, the codes nearest to each point are decoded.
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


def numbers(text: str | None) -> list[int] | None:
    """Read whole numbers that are separated by commas.

    Raises:
        BadParameter: If there is anything else.

    Example:
        >>> numbers("3,0,7")
        [3, 0, 7]
    """
    if text is None:
        return None
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no list of whole numbers such as 3,0,7") from None


def traverse(
    run: options.RunPath,
    image: Annotated[
        int | None,
        typer.Option(
            metavar="I",
            min=0,
            help="The sample at whose posterior mean the other dimensions stay, by number; 0 if not given.",
            show_default=False,
        ),
    ] = None,
    middle: Annotated[
        bool,
        typer.Option("--middle", metavar="", help="They stay in the middle of the latent space instead."),
    ] = False,
    dims: Annotated[
        str | None,
        typer.Option(
            metavar="I,J,...",
            help="Which dimensions, in this order. Without it, the 20 (of vectors 6) of the highest rate.",
            show_default=False,
        ),
    ] = None,
    range: Annotated[
        Ends,
        typer.Option(
            metavar="LOW HIGH",
            help="From where to where: values of z under a standard normal prior, otherwise standard deviations of "
            "the data's latents from their mean.",
        ),
    ] = (-3.0, 3.0),
    steps: Annotated[int, typer.Option(metavar="N", min=2, max=25, help="How many values.")] = 9,
    label: OfClass = None,
    split: options.PartIfAny = None,
    input: options.Input = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Move each latent dimension on its own.

    Every value is decoded, a row for each dimension, those of the highest rate first; those of hardly any are grey.
    Of discrete latents, the codes nearest to each point are decoded.
    """
    options.exclude("--split", split, "--input", input)
    options.exclude("--image", image, "--middle", middle or None)
    wanted = numbers(dims)
    from latentia import runs
    from latentia.cli import printing, progress

    start = None if middle else image or 0
    with progress.working(f"traversing the latents of {run}"):
        found = runs.open_run(run).traverse(
            start, dims=wanted, range=range, steps=steps, label=label, split=split or "test", input=input, out=out
        )
        result = found.to_json()
    if json:
        printing.document(result)
    else:
        printing.traversed(result)


def manifold(
    run: options.RunPath,
    size: Annotated[int, typer.Option(metavar="N", min=2, max=50, help="Points along each side.")] = 25,
    range: Annotated[
        Ends | None,
        typer.Option(
            metavar="LOW HIGH",
            help="From where to where on both axes, equally spaced. Without it, the quantiles of a standard normal "
            "prior, or where the middle 98 % of the data's latents lie.",
            show_default=False,
        ),
    ] = None,
    dims: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="I J",
            help="The plane of two dimensions. Without it, of the only two, or of the first two principal components "
            "of the latents.",
            show_default=False,
        ),
    ] = None,
    label: OfClass = None,
    split: options.PartIfAny = None,
    input: options.Input = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Decode a plane of the latent space.

    The points of the plane are decoded in rows and columns: the whole space where it has two dimensions. Of
    discrete latents, the codes nearest to each point are decoded.
    """
    options.exclude("--split", split, "--input", input)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"decoding a plane with {run}"):
        found = runs.open_run(run).manifold(
            size=size, range=range, dims=dims, label=label, split=split or "test", input=input, out=out
        )
        result = found.to_json()
    if json:
        printing.document(result)
    else:
        printing.mapped(result)


def refuse_options(texts: list[str], command: str) -> None:
    """Refuse what looks like an option, where arguments may begin with a minus sign.

    Raises:
        ConfigError: For the first one.
    """
    known = ("--class", "--points", "--split", "--input", "--out", "--json", "--help")
    for text in texts:
        if text.startswith("--"):
            hint = did_you_mean(text.partition("=")[0], known)
            raise ConfigError(f"there is no option {text}.{hint or f' See `latentia {command} --help`.'}")


def point(text: str) -> list[float]:
    """Read the coordinates of a point.

    Raises:
        ConfigError: If there is anything but numbers separated by commas.

    Example:
        >>> point("-3,2")
        [-3.0, 2.0]
    """
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise ConfigError(f"'{text}' is no point: write its coordinates with commas between, such as -3,2") from None


def decode(
    run: options.RunPath,
    points: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="POINT",
            help="Coordinates separated by commas, such as -3,2; one argument for each point.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="PATH",
            help="A file with a point in each row instead: .npy, .npz or .csv.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    label: OfClass = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Decode points of the latent space.

    The decoded means are saved as a picture, and as a .npy file beside it. Of discrete latents, the codes nearest to
    each point are decoded.
    """
    refuse_options(points or [], "decode")
    options.exclude("points", points or None, "--points", file)
    if not points and file is None:
        raise ConfigError("there is no point to decode: write coordinates, such as -3,2, or give a file by --points")
    wanted = file if file is not None else [point(text) for text in points or []]
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"decoding with {run}"):
        result = runs.open_run(run).decode(wanted, label=label, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.decoded(result)


def arithmetic(
    run: options.RunPath,
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION",
            help="Classes, or numbers of samples such as #7, with + and - between and factors if wished: "
            "'9 - 4 + 1' or '#3 + 0.5 * 8'. In quotes, for the shell.",
            show_default=False,
        ),
    ],
    label: OfClass = None,
    split: options.PartIfAny = None,
    input: options.Input = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Add and subtract latents, and decode the sum.

    A class stands for the mean of its latents. The picture shows the decoded terms and the decoded sum. Of
    discrete latents, the codes nearest to these are decoded.
    """
    refuse_options([expression], "arithmetic")
    options.exclude("--split", split, "--input", input)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"calculating with {run}"):
        found = runs.open_run(run).arithmetic(expression, label=label, split=split or "test", input=input, out=out)
        result = found.to_json()
    if json:
        printing.document(result)
    else:
        printing.calculated(result)
