"""The commands that tell classes apart from few labels: classify."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from latentia.cli import options

Method = Literal["spreading", "svm", "logistic", "nearest"]
Part = Literal["test", "valid"]


def classify(
    run: options.RunPath,
    labels: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How many training samples keep their labels, equally many of a class; 100 if not given. A run that "
            "was trained with data.labels has its own.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How often these are drawn anew, 5 times if not given; mean and spread are given.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            metavar="METHOD",
            help="spreading: labels spread along nearest neighbours, those without labels included; svm, logistic: "
            "with settings chosen by cross-validation over the labels; nearest: the nearest labelled sample. If not "
            "given, spreading, or the model's own classifier where it has one.",
            show_default=False,
        ),
    ] = None,
    unlabelled: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="How many training samples without labels the classifier sees at most."),
    ] = 10_000,
    split: Annotated[Part, typer.Option(metavar="PART", help="What is classified: test, or valid.")] = "test",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")] = 0,
    out: options.OutPlot = None,
    json: options.Json = False,
) -> None:
    """Learn classes from a model's latents and a few labels.

    The model has seen no labels. The same classifier on the data themselves stands beside it, and a picture says what
    was taken for what.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"classifying with {run}"):
        found = runs.open_run(run).classify(
            labels, draws=draws, method=method, unlabelled=unlabelled, split=split, seed=seed, out=out
        )
    result = found.to_json()
    if json:
        printing.document(result)
    else:
        printing.classified(result)
