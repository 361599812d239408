"""The command line's table of contents: which commands there are, in the order in which help lists them."""

from __future__ import annotations

from typing import Annotated

import typer

from latentia.cli import (
    anomaly,
    checking,
    classifying,
    demonstrating,
    embedding,
    exploring,
    exporting,
    fitting,
    listing,
    priors,
    reproducing,
    showing,
    using,
)

app = typer.Typer(
    name="latentia",
    help="Train, explain and ship autoencoders and variational autoencoders.",
    epilog="Begin with `latentia demo`. `latentia COMMAND --help` says what a command takes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MINUS = {"ignore_unknown_options": True}  # of commands whose arguments may begin with a minus sign
demonstrate = typer.Typer(help="Show an idea by a small experiment, with numbers and a picture.", no_args_is_help=True)
data = typer.Typer(help="Look at a data set, with `latentia data show SRC`.", no_args_is_help=True)
export = typer.Typer(help="Give a model away: files that run without Latentia.", no_args_is_help=True)

MAKE, USE, EXPLORE, LOOK = "Make a model", "Use a model", "Explore what a model has learned", "Look things up"

app.command(rich_help_panel=MAKE)(fitting.demo)
app.command(rich_help_panel=MAKE)(fitting.train)
app.command(rich_help_panel=MAKE)(fitting.resume)
app.command("fit-prior", rich_help_panel=MAKE)(priors.fit_prior)
app.command(rich_help_panel=MAKE)(reproducing.reproduce)
app.command(rich_help_panel=USE)(using.evaluate)
app.command(rich_help_panel=USE)(checking.doctor)
app.command(rich_help_panel=USE)(using.judge)
app.command(rich_help_panel=USE)(using.reconstruct)
app.command(rich_help_panel=USE)(using.denoise)
app.command(rich_help_panel=USE)(using.sample)
app.command(rich_help_panel=EXPLORE)(exploring.interpolate)
app.command(rich_help_panel=EXPLORE)(embedding.embed)
app.command(rich_help_panel=EXPLORE)(embedding.movie)
app.command(rich_help_panel=EXPLORE)(embedding.compare)
app.command(rich_help_panel=USE)(anomaly.anomaly)
app.command(rich_help_panel=EXPLORE)(exploring.traverse)
app.command(rich_help_panel=EXPLORE)(exploring.manifold)
app.command(rich_help_panel=EXPLORE, context_settings=MINUS)(exploring.decode)
app.command(rich_help_panel=EXPLORE, context_settings=MINUS)(exploring.arithmetic)
app.command(rich_help_panel=EXPLORE)(classifying.classify)
app.command(rich_help_panel=LOOK)(showing.studio)
app.add_typer(export, name="export", rich_help_panel=USE)
export.command("onnx")(exporting.onnx)
export.command("page")(exporting.page)
app.command(rich_help_panel=LOOK)(listing.presets)
app.command(rich_help_panel=LOOK)(listing.runs)
app.add_typer(data, name="data", rich_help_panel=LOOK)
data.command("show")(listing.show_data)
app.add_typer(demonstrate, name="demonstrate", rich_help_panel=LOOK)
demonstrate.command("reparameterisation")(demonstrating.reparameterisation)
demonstrate.command("reductions")(demonstrating.reductions)
demonstrate.command("beta-sweep")(demonstrating.beta_sweep)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"latentia {version('latentia')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Train, explain and ship autoencoders and variational autoencoders."""
