"""The commands that make a model: demo, train, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import completion, options
from latentia.errors import ConfigError

PresetOrConfig = Annotated[
    str,
    typer.Argument(
        metavar="PRESET|CONFIG.toml",
        help="A named system (see: latentia presets), or a config file.",
        autocompletion=completion.presets,
        show_default=False,
    ),
]
OutRun = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="The run's directory, absent or empty. runs/TIME-PRESET if not given.", show_default=False
    ),
]
Steps = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Optimiser steps, instead of epochs.", show_default=False)
]
Seed = Annotated[int | None, typer.Option(metavar="N", min=0, help="Seed of everything random.", show_default=False)]
Seeds = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Train N times, with the seeds 0 to N - 1.", show_default=False),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="auto, cpu, cuda, cuda:N or mps.",
        autocompletion=completion.devices,
        show_default=False,
    ),
]
Precision = Annotated[options.PrecisionName | None, typer.Option(metavar="NAME", help="auto, fp32 or bf16.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="a.b=value",
        help="Set one key of the config, such as training.batch_size=64; may be repeated.",
        autocompletion=completion.settings,
        show_default=False,
    ),
]


def demo(out: OutRun = None, json: options.Json = False) -> None:
    """Train a VAE on the embedded digits, evaluate it, draw, write a report.

    Takes seconds and downloads nothing.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.shown() as events:
        run = runs.demo(directory=out, events=events)
    if json:
        printing.document(run.summary)
        return
    printing.trained(run.summary)
    printing.written(run)
    printing.suggestions(run.path)


def train(
    preset: PresetOrConfig,
    data: options.Source = None,
    data_dir: options.DataDir = None,
    out: OutRun = None,
    epochs: options.Epochs = None,
    steps: Steps = None,
    seed: Seed = None,
    seeds: Seeds = None,
    device: Device = None,
    precision: Precision = None,
    settings: Assignments = None,
    json: options.Json = False,
) -> None:
    """Train a preset, or what a config file says, and evaluate it on the test part."""
    exclude("--epochs", epochs, "--steps", steps)
    exclude("--seed", seed, "--seeds", seeds)
    from latentia import runs
    from latentia.cli import printing, progress

    arguments = {
        "data": data,
        "data_dir": data_dir,
        "directory": "auto" if out is None else out,
        "epochs": epochs,
        "steps": steps,
        "device": device,
        "precision": precision,
        "settings": settings or [],
    }
    with progress.shown() as events:
        if seeds is not None:
            summary = runs.train_seeds(preset_or_path(preset), seeds=seeds, events=events, **arguments)
            run = None
        else:
            run = runs.train(preset_or_path(preset), seed=seed, events=events, **arguments)
            summary = run.summary
    if json:
        printing.document(summary)
    elif run is None:
        printing.trained_seeds(summary)
    else:
        printing.trained(summary)
        printing.written(run)


def resume(
    run: options.RunPath,
    epochs: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Train to N epochs in all, also if the run is finished.",
            callback=options.positive,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Go on with an interrupted run as it was planned.

    A finished run stays as it is, unless --epochs asks for more.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.shown() as events:
        resumed = runs.resume(run, epochs=epochs, events=events)
    if json:
        printing.document(resumed.summary)
        return
    printing.trained(resumed.summary)
    printing.written(resumed)


def exclude(first: str, first_value: object, second: str, second_value: object) -> None:
    """Refuse two options that contradict each other.

    Raises:
        ConfigError: If both are given.
    """
    if first_value is not None and second_value is not None:
        raise ConfigError(f"{first} and {second} exclude each other: give one of them")


def preset_or_path(text: str) -> str | Path:
    """Tell a preset's name from a config file's path.

    Example:
        >>> preset_or_path("vae")
        'vae'
        >>> preset_or_path("my.toml").name
        'my.toml'
    """
    path = Path(text)
    return path if path.suffix or len(path.parts) > 1 or path.is_file() else text
