"""The arguments and options that several commands share, each written once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from latentia.cli import completion
from latentia.errors import ConfigError

Part = Literal["train", "valid", "test"]
MOST_EPOCHS, MOST_STEPS, MOST_SEED = 10**6, 10**12, 2**63 - 1  # as the settings have it, said without loading them
PrecisionName = Literal["auto", "fp32", "bf16"]


def positive(value: float | None) -> float | None:
    """Refuse what is no positive finite number, or larger than any number of epochs.

    Raises:
        BadParameter: For zero, a negative number, NaN, infinity, or more than :data:`MOST_EPOCHS`.
    """
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value:g} is not a positive number")
    if value is not None and value > MOST_EPOCHS:
        raise typer.BadParameter(f"{value:g} is more than {MOST_EPOCHS:,d}")
    return value


def not_negative(value: float) -> float:
    """Refuse what is neither zero nor a positive finite number.

    Raises:
        BadParameter: For a negative number, NaN or infinity.
    """
    if not (math.isfinite(value) and value >= 0):
        raise typer.BadParameter(f"{value:g} is neither 0 nor a positive number")
    return value


def expanded(path: Path | None) -> Path | None:
    """Put the home folder in the place of a leading ``~``, as few shells do in ``--out=~/run``.

    Raises:
        BadParameter: If there is no such home folder.
    """
    if path is None:
        return None
    try:
        return path.expanduser()
    except RuntimeError:
        raise typer.BadParameter(f"there is no home folder {path.parts[0]} for {path}: write the path out") from None


def exclude(first: str, first_value: object, second: str, second_value: object) -> None:
    """Refuse two options that contradict each other.

    Raises:
        ConfigError: If both are given.
    """
    if first_value is not None and second_value is not None:
        raise ConfigError(f"{first} and {second} exclude each other: give one of them")


RunPath = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run's directory; `latentia runs` lists those in runs/.",
        autocompletion=completion.runs,
        callback=expanded,
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON document instead of tables.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where a named data set is looked for first, before LATENTIA_DATA_DIR and the cache.",
        callback=expanded,
        show_default=False,
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="SRC",
        help="A data set's name, such as mnist, or the path of a .npy, .npz or .csv file or of a folder of pictures or "
        "of .npy files. Without it, what the preset or config says; presets say digits, which come with scikit-learn.",
        autocompletion=completion.sources,
        show_default=False,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="Passes over the training part. Without it, as many as the preset or config says.",
        callback=positive,
        show_default=False,
    ),
]
Split = Annotated[
    Part, typer.Option(metavar="PART", help="Which part of the data: test, valid (if some was held out) or train.")
]
PartIfAny = Annotated[
    Part | None,
    typer.Option(
        "--split",
        metavar="PART",
        help="Which part of the data: test (the default), valid (if some was held out) or train.",
        show_default=False,
    ),
]
Input = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="New data instead of a part: a .npy, .npz or .csv file, an image, or a folder of images, of the size that "
        "the model takes.",
        callback=expanded,
        show_default=False,
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="a.b=value",
        help="Set one key of the config, such as training.batch_size=64; may be given several times. "
        "`latentia presets NAME` shows the keys.",
        autocompletion=completion.settings,
        show_default=False,
    ),
]


def _out(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=text, callback=expanded, show_default=False)


OutPicture = Annotated[Path | None, _out("PATH.png", "Where the picture goes, instead of into the run's samples/.")]
OutPlot = Annotated[Path | None, _out("PATH.png", "Where the picture goes, instead of into the run's plots/.")]
OutLatents = Annotated[Path | None, _out("DIR", "The folder that the files go to, instead of the run's latents/.")]
OutPlots = Annotated[Path | None, _out("DIR", "The folder that the files go to, instead of the run's plots/.")]
OutFolder = Annotated[Path | None, _out("DIR", "The folder that the files go to, instead of a new one in runs/.")]
