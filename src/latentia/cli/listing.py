"""The commands that look things up: presets, runs, data show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import completion, options


def presets(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The preset whose config is printed, as TOML: saved as a file and changed, it can be trained.",
            autocompletion=completion.presets,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the presets, or print the whole config of one.

    A preset is a config with a name: a model, its data and its training. What a preset sets itself is marked, beside
    the default in its place; notes say where it differs from its source.
    """
    from latentia import runs
    from latentia.cli import printing

    result = runs.presets() if name is None else runs.describe_preset(name)
    if json:
        printing.document(result)
    elif name is None:
        printing.preset_table(result)
    else:
        printing.config(result)


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder with the runs.", callback=options.expanded)
    ] = Path("runs"),
    json: options.Json = False,
) -> None:
    """List the runs in a folder, with their state and figures."""
    from latentia import runs as use_cases
    from latentia.cli import printing

    rows = use_cases.list_runs(folder)
    if json:
        printing.document(rows)
    else:
        printing.run_table(rows, folder)


def show_data(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="A data set's name, such as mnist, or the path of a .npy, .npz or .csv file or of a folder of "
            "pictures or of .npy files.",
            autocompletion=completion.sources,
            show_default=False,
        ),
    ],
    data_dir: options.DataDir = None,
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="HEIGHT WIDTH",
            help="Resize images, as --set data.size=[HEIGHT,WIDTH] does in training.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH.png",
            help="Where a contact sheet of training samples goes; none is drawn without it.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what a data set holds: shape, range, parts, classes, fingerprint.

    With --out it also draws some samples.

    A data set that is not on this machine is downloaded first.
    """
    from latentia import runs as use_cases
    from latentia.cli import printing, progress

    with progress.working(f"loading {source}"):
        described = use_cases.describe_data(source, data_dir=data_dir, size=size, out=out)
    if json:
        printing.document(described)
    else:
        printing.data(described)
