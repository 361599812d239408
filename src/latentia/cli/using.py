"""The commands that use a trained model: evaluate, judge, reconstruct, denoise, sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentia.cli import options

Corruption = Literal["gaussian", "masking", "salt-and-pepper"]


def evaluate(
    run: options.RunPath,
    split: options.Split = "test",
    importance_samples: Annotated[
        int,
        typer.Option(
            metavar="K",
            min=0,
            help="K: how many draws from the posterior estimate each sample's nll, -log p(x). "
            "More take longer and come closer; 0 leaves the nll out.",
        ),
    ] = 100,
    seeds: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Evaluate with N seeds, and give means and spread."),
    ] = 1,
    json: options.Json = False,
) -> None:
    """Measure a model: ELBO, likelihood, active units, reconstruction error.

    An evaluation of the test part also goes into the run's eval.json and report.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"evaluating {run}"):
        result = runs.open_run(run).evaluate(split=split, importance_samples=importance_samples, seeds=seeds)
    if json:
        printing.document(result)
    else:
        printing.evaluated(result)


def judge(
    run: options.RunPath,
    n: Annotated[
        int,
        typer.Option("--n", "-n", metavar="N", min=128, help="How many images of each kind; distances depend on it."),
    ] = 10_000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the draws.")] = 0,
    json: options.Json = False,
) -> None:
    """Judge generated digits: Fréchet distance to MNIST's test part.

    On the features of a small classifier that comes with Latentia; for runs on mnist. Judges draws from the prior,
    half-way points between test images, and the holes of the latent space.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"judging {run}"):
        result = runs.open_run(run).judge(n=n, seed=seed).to_json()
    if json:
        printing.document(result)
    else:
        printing.judged(result)


def reconstruct(
    run: options.RunPath,
    n: Annotated[int, typer.Option("--n", "-n", metavar="N", min=1, help="How many, from the first on.")] = 16,
    split: options.PartIfAny = None,
    input: options.Input = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Draw originals over what the model makes of them.

    Says how far apart they are: the mean squared error over values and samples.
    """
    options.exclude("--split", split, "--input", input)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"reconstructing with {run}"):
        result = runs.open_run(run).reconstruct(n=n, split=split or "test", input=input, out=out).to_json()
    if json:
        printing.document(result)
    else:
        printing.reconstructed(result)


def denoise(
    run: options.RunPath,
    n: Annotated[
        int, typer.Option("--n", "-n", metavar="N", min=1, help="How many to draw, from the first on; all are scored.")
    ] = 8,
    corruption: Annotated[
        Corruption | None,
        typer.Option(
            metavar="KIND",
            help="gaussian, masking or salt-and-pepper. Without it, that of the run's training, or else gaussian.",
            show_default=False,
        ),
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            callback=options.positive,
            help="Standard deviation of gaussian noise, in the units of what the model sees: pixels lie in [0, 1], and "
            "scaled data are in scaled units. 0.5 if nothing else is known.",
            show_default=False,
        ),
    ] = None,
    probability: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            callback=options.positive,
            help="Probability that a value is masked, or salt or pepper: 0.25 if nothing else is known.",
            show_default=False,
        ),
    ] = None,
    split: options.PartIfAny = None,
    input: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Data that are noisy already: a .npy or .npz file, or an image, of the size that the model takes. "
            "Without the clean ones nothing is scored.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of the noise; the same seed gives the same picture.")
    ] = 0,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Take noise off data: originals, noisy and denoised ones.

    Says how far the noisy and the denoised data are from the clean ones: mse, PSNR and SSIM over the whole part.
    """
    options.exclude("--split", split, "--input", input)
    for name, value in (("--corruption", corruption), ("--sigma", sigma), ("--probability", probability)):
        options.exclude(name, value, "--input", input)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"denoising with {run}"):
        result = (
            runs.open_run(run)
            .denoise(
                n=n,
                corruption=corruption,
                sigma=sigma,
                probability=probability,
                split=split or "test",
                input=input,
                seed=seed,
                out=out,
            )
            .to_json()
        )
    if json:
        printing.document(result)
    else:
        printing.denoised(result)


def sample(
    run: options.RunPath,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            "-n",
            metavar="N",
            min=1,
            help="How many, 64 if not given; of a conditional model how many of each class, 8 if not given.",
            show_default=False,
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="Of a conditional model, the class to draw from, by name or by number from 0. "
            "May be given several times; without it, every class.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of the draws; the same seed gives the same samples.")
    ] = 0,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="T",
            callback=options.not_negative,
            help="Factor on the prior's standard deviation: below 1 samples are more typical and less varied; "
            "0 decodes the prior's mean.",
        ),
    ] = 1.0,
    prior: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which prior: model (its own), standard-normal (for discrete latents uniform), or one that `latentia "
            "fit-prior` fitted. Without it, the model's own where it has one, else the one that was fitted last.",
            show_default=False,
        ),
    ] = None,
    out: options.OutPicture = None,
    json: options.Json = False,
) -> None:
    """Draw latents from the prior and decode them.

    The decoded means are saved as a picture, and as a .npy file beside it. A conditional model draws each class in a
    row of its own: `--class 7 -n 20` are twenty sevens.
    """
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"sampling from {run}"):
        samples = runs.open_run(run).sample(
            n=n, classes=classes or None, seed=seed, temperature=temperature, prior=prior, out=out
        )
    result = samples.to_json()
    if json:
        printing.document(result)
    else:
        printing.sampled(result)
