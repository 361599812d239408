"""The commands that make a model: demo, train, resume."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from latentia.cli import completion, options
from latentia.errors import ConfigError, SeedsFailed, did_you_mean
from latentia.training.launch import launched

PresetOrConfig = Annotated[
    str,
    typer.Argument(
        metavar="PRESET|CONFIG.toml",
        help="What to train: a preset (`latentia presets` lists them) or a config file, "
        "whose path ends in .toml or has a folder in it, as in ./config.",
        autocompletion=completion.presets,
        show_default=False,
    ),
]
OutRun = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The run's directory, absent or empty. Without it, a new one in runs/, named after the time.",
        callback=options.expanded,
        show_default=False,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=options.MOST_STEPS,
        help="Optimiser steps (batches), instead of --epochs.",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        max=options.MOST_SEED,
        help="Seed of everything random; presets say 0. With --seeds, the first one.",
        show_default=False,
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Train N times, with seeds that count from --seed, at once where that can be, and give the spread.",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Where to compute: auto (the fastest there is), cpu, cuda, cuda:N or mps.",
        autocompletion=completion.devices,
        show_default=False,
    ),
]
Precision = Annotated[
    options.PrecisionName | None,
    typer.Option(
        metavar="NAME",
        help="In which numbers to compute: auto (bf16 for larger models where it is native, else fp32), fp32 or bf16.",
        show_default=False,
    ),
]


def demo(
    out: OutRun = None,
    studio: Annotated[
        bool, typer.Option("--studio", metavar="", help="Show it in the studio, in a browser, while it learns.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Train a VAE on small handwritten digits and write a report.

    Takes seconds and downloads nothing: the digits come with scikit-learn.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    options.exclude("--studio", studio or None, "--json", json or None)
    if studio:
        from latentia.cli import showing

        showing.demo(out)
        return
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
    settings: options.Assignments = None,
    profile: Annotated[
        bool, typer.Option("--profile", metavar="", help="Show where the time went, and write it to profile.json.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Train a model and evaluate it on the test part of the data.

    The run's directory gets config, metrics, checkpoints, model and report.html.
    Ctrl-C saves a checkpoint, from which `latentia resume` goes on.
    `torchrun --nproc-per-node 2 -m latentia train ...` shares each batch between two processes or GPUs.
    """
    options.exclude("--epochs", epochs, "--steps", steps)
    options.exclude("--profile", profile or None, "--seeds", seeds)
    from latentia import runs
    from latentia.cli import printing, progress

    arguments = {
        "data": data,
        "data_dir": data_dir,
        "directory": "auto" if out is None else out,
        "epochs": epochs,
        "steps": steps,
        "seed": seed,
        "device": device,
        "precision": precision,
        "settings": settings or [],
    }
    if seeds is not None:
        _say_seeds(
            json, lambda events: runs.train_seeds(preset_or_path(preset), seeds=seeds, events=events, **arguments)
        )
        return
    with progress.shown() as events:
        run = runs.train(preset_or_path(preset), events=events, profile=profile and _stopwatch(), **arguments)
    if not launched().main:  # process 0 says what came of it
        return
    if json:
        printing.document(run.summary)
        return
    printing.trained(run.summary)
    if profile:
        printing.profiled(run.summary["profile"])
    printing.written(run)


def _say_seeds(json: bool, training: Callable[[Any], Mapping[str, Any]]) -> None:
    """Train several seeds and print what came of them, also if it did of some of them alone."""
    from latentia.cli import printing, progress

    fault = None
    with progress.shown() as events:
        try:
            summary = training(events)
        except SeedsFailed as error:
            fault, summary = error, error.summary
    if launched().main:
        (printing.document if json else printing.trained_seeds)(summary)
    if fault is not None:
        raise fault


def _stopwatch() -> Any:
    """A profile whose time began with this process."""
    from latentia.training.profiling import Profile, process_start

    return Profile(process_start())


def resume(
    run: options.RunPath,
    epochs: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Train to N epochs in all, those that are done included; a finished run is trained further.",
            callback=options.positive,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Go on with an interrupted run, as if nothing had happened.

    A finished run stays as it is, unless --epochs asks for more. RUN may be the folder that `latentia train --seeds`
    made: the seeds that are not finished go on.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    if runs.is_group(run):
        if epochs is not None:
            raise ConfigError(f"--epochs is for one run: give one of those in {run}, such as {run}/seed-0")
        _say_seeds(json, lambda events: runs.resume_seeds(run, events=events))
        return
    with progress.shown() as events:
        resumed = runs.resume(run, epochs=epochs, events=events)
    if not launched().main:
        return
    if json:
        printing.document(resumed.summary)
        return
    printing.trained(resumed.summary)
    printing.written(resumed)


def preset_or_path(text: str) -> str | Path:
    """Tell a preset's name from a config file's path, by how it is written and not by what lies around.

    Raises:
        ConfigError: If it is no preset, but a file that would have to be written otherwise.

    Example:
        >>> preset_or_path("vae")
        'vae'
        >>> preset_or_path("my.toml").name
        'my.toml'
    """
    from latentia.recipes import PRESETS

    if text.lower().endswith(".toml") or "/" in text or os.sep in text:
        return Path(text)
    if text not in PRESETS and os.path.isfile(text):
        raise ConfigError(
            f"there is no preset '{text}'.{did_you_mean(text, PRESETS)} To train what the file of that name says, "
            f"write ./{text}"
        )
    return text
