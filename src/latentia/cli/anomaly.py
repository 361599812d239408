"""The command that looks for anomalies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from latentia.cli import options

Score = Literal["squared-error", "elbo", "nll", "density", "prior-density"]


def rate(value: float | None) -> float | None:
    """Refuse what is no share.

    Raises:
        BadParameter: Unless it is between 0 and 1.
    """
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"{value:g} is not between 0 and 1")
    return value


def anomaly(
    run: options.RunPath,
    score: Annotated[
        Score,
        typer.Option(
            metavar="SCORE",
            help="squared-error (of the reconstruction), elbo, nll (importance-weighted), density (of the latent among "
            "those of the training part) or prior-density (of the latent under the prior).",
        ),
    ] = "squared-error",
    false_alarm_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="The share of normal samples that may be called anomalous; 0.05 without it. The threshold comes from "
            "normal samples that were not trained on.",
            callback=rate,
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="Call samples anomalous whose score is above X, instead of a threshold from normal samples.",
            show_default=False,
        ),
    ] = None,
    split: options.PartIfAny = None,
    input: options.Input = None,
    normals: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Normal samples for the threshold, instead of the run's validation part.",
            callback=options.expanded,
            show_default=False,
        ),
    ] = None,
    normal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS",
            help="A class that counts as normal, for the AUROC; may be repeated. Without it, those trained on alone "
            "(data.normal_classes), or else labels such as normal/anomalous or 0/1.",
            show_default=False,
        ),
    ] = None,
    importance_samples: Annotated[
        int, typer.Option(metavar="K", min=1, help="Draws for each sample, of the scores elbo and nll.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of these draws.")] = 0,
    show: Annotated[int, typer.Option(metavar="N", min=1, max=40, help="Samples in each row of the picture.")] = 8,
    out: options.OutPlots = None,
    json: options.Json = False,
) -> None:
    """Say how unlike its training data samples are, and which are anomalies.

    Train on normal data alone, such as `latentia train vae --data mnist --set data.normal_classes=0 --set
    data.validation=0.1`. Writes the scores as CSV, their histogram, and the most anomalous and the borderline samples
    with the error of each pixel.
    """
    options.exclude("--split", split, "--input", input)
    options.exclude("--threshold", threshold, "--false-alarm-rate", false_alarm_rate)
    options.exclude("--threshold", threshold, "--normals", normals)
    from latentia import runs
    from latentia.cli import printing, progress

    with progress.working(f"looking for anomalies with {run}"):
        opened = runs.open_run(run)
        result = opened.anomaly(
            score=score,
            false_alarm_rate=false_alarm_rate,
            threshold=threshold,
            split=split or "test",
            input=input,
            normals=normals,
            normal=normal,
            importance_samples=importance_samples,
            seed=seed,
            show=show,
            out=out,
        ).to_json()
    if json:
        printing.document(result)
    else:
        _print(result)
        printing.files(result, "picture", "histogram", "csv")


def _print(result: dict[str, Any]) -> None:
    print(f"{result['n']:,} {result['source']} scored by {result['score']}: {result['score_in_words']}")
    if result["auroc"] is not None:
        print(f"AUROC {result['auroc']:.4f} ({result['anomalous']:,} of {result['n']:,} are anomalous)")
    if len(result["auroc_per_class"]) > 1:
        print("  by class: " + ", ".join(f"{name} {value:.4f}" for name, value in result["auroc_per_class"].items()))
    if result["threshold"] is not None:
        wished, held = result["false_alarm_rate"], result["held_out_normals"]
        basis = "as given" if held is None else f"{wished:.2%} false alarms, from {held:,} {result['held_out_from']}"
        print(f"threshold {result['threshold']:.6g}: {basis}")
        measured = f"{result['alarms']:,} of {result['n']:,} are above it"
        if result["measured_false_alarm_rate"] is not None:
            measured += f"; {result['measured_false_alarm_rate']:.2%} of the normal ones"
        if result["detection_rate"] is not None:
            measured += f"; {result['detection_rate']:.2%} of the anomalous ones"
        print(measured)
    for note in result["notes"]:
        print(f"note: {note}")
