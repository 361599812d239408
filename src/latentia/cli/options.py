"""The arguments and options that several commands share, each written once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from latentia.cli import completion

Part = Literal["train", "valid", "test"]
PrecisionName = Literal["auto", "fp32", "bf16"]


def positive(value: float | None) -> float | None:
    """Refuse what is no positive finite number.

    Raises:
        BadParameter: For zero, a negative number, NaN or infinity.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value:g} is not a positive number")
    return value


RunPath = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="A run's directory.", autocompletion=completion.runs, show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where data sets lie, before LATENTIA_DATA_DIR and the cache.", show_default=False
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="SRC",
        help="A data set's name, or a path to a .npy or .npz file. The preset's own (digits) if not given.",
        autocompletion=completion.sources,
        show_default=False,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(metavar="N", help="Passes over the training images.", callback=positive, show_default=False),
]
Split = Annotated[Part, typer.Option(metavar="PART", help="Which part of the data: test, valid or train.")]
OutPicture = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Where the picture goes, instead of into the run.", show_default=False),
]
