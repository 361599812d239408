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
            help="Print this preset's whole config, as TOML that `latentia train` reads.",
            autocompletion=completion.presets,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the named systems, or print the whole config of one."""
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
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the runs are.")] = Path("runs"),
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
            help="A data set's name, or a path to a .npy or .npz file.",
            autocompletion=completion.sources,
            show_default=False,
        ),
    ],
    data_dir: options.DataDir = None,
    json: options.Json = False,
) -> None:
    """Say what a data set holds: shapes, range, parts, classes, fingerprint."""
    from latentia import runs as use_cases
    from latentia.cli import printing, progress

    with progress.working(f"loading {source}"):
        described = use_cases.describe_data(source, data_dir=data_dir)
    if json:
        printing.document(described)
    else:
        printing.data(described)
