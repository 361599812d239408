"""The command that fits a prior to the latents of a trained model: fit-prior."""

from __future__ import annotations

from typing import Annotated

import typer

from latentia.cli import completion, options

PriorName = Annotated[
    str,
    typer.Argument(
        metavar="gmm|diffusion|autoregressive",
        help="What to fit: gmm, a Gaussian mixture, or diffusion, a small diffusion model; to a model with discrete "
        "latents autoregressive, a network that predicts each code from those before it.",
        autocompletion=completion.fittable_priors,
        show_default=False,
    ),
]


def fit_prior(
    run: options.RunPath,
    prior: PriorName,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Seed of everything random; the run's own if not given."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="key=value",
            help="Set one setting of the fit, such as components=20 for gmm or training.steps=2000 for diffusion; "
            "may be given several times.",
            autocompletion=completion.prior_settings,
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Fit a prior to a trained model's latents, to sample from it.

    An autoencoder can sample only then. `latentia sample RUN --prior NAME` draws from it. To a conditional model a
    prior is fitted for each class, so that `latentia sample RUN --class 7 --prior gmm` draws what is asked for.
    Ctrl-C saves a checkpoint, from which the same command goes on.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.shown() as events:
        result = runs.open_run(run).fit_prior(prior, seed=seed, settings=settings or [], events=events).to_json()
    if json:
        printing.document(result)
    else:
        printing.prior_fitted(result)
