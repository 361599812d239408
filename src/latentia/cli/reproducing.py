"""The command that retrains published systems: reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentia.cli import completion, options


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Which systems; without it all of them, which takes hours.",
            autocompletion=completion.published,
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="SRC",
            help="The data set. Figures compare with the published ones on mnist only.",
            autocompletion=completion.sources,
        ),
    ] = "mnist",
    data_dir: options.DataDir = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Train each system with the seeds 0 to N - 1.")] = 3,
    quick: Annotated[
        bool, typer.Option("--quick", metavar="", help="Only 100 steps each, to see that everything works.")
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Where runs and records go; what is finished there is used, what was interrupted goes on.",
            callback=options.expanded,
        ),
    ] = Path("reproduction"),
    settings: options.Assignments = None,
    json: options.Json = False,
) -> None:
    """Retrain the tutorials' systems and compare with what was published.

    At the tutorials' own budgets, over several seeds. The record of each goes to DIR/NAME.json.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.shown() as events:
        records = runs.reproduce(
            names or [],
            data=data,
            data_dir=data_dir,
            seeds=seeds,
            quick=quick,
            out=out,
            settings=settings or [],
            events=events,
        )
    if json:
        printing.document(records)
    else:
        printing.reproduced(records)
        print(f"records   {printing.near(out)}")
