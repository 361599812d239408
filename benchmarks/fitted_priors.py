"""Priors fitted to the latents of MNIST models without one: how near their samples come to real digits.

A VQ-VAE (`vq-vae-512x64`) with an autoregressive prior over its codes, against uniformly drawn codes; and a plain
autoencoder (`ae-32`) with a Gaussian, a mixture of Gaussians and a diffusion model over its latents, against N(0, I).
The measure is the Frechet distance between the features of as many samples and test images, by the digit classifier
that ships with the package. Runs that are finished in the folder of runs are used as they are, such as those that
`latentia reproduce` left there, and priors that are fitted to them with the same settings likewise; all else is
trained. Prints a table and writes everything as JSON, after every model; what was recorded of other models stays.

    LATENTIA_DATA_DIR=... python benchmarks/fitted_priors.py [--seeds 0 1 2] [--presets vq-vae-512x64 ae-32]
        [--epochs E] [--autoregressive-steps N] [--diffusion-steps N] [--samples N] [--threads N] [--runs DIR]
        [--out FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recording import (
    circumstances,
    command,
    finished,
    fitted_report,
    options,
    print_rules,
    print_summary,
    training_threads,
    verdict,
    write,
)
from torch import Tensor

import latentia as lt
from latentia import storage
from latentia.evaluation.generation import frechet_distance
from latentia.evaluation.judge import NAME, judge, judge_card
from latentia.maths import mean_and_deviation

CODES, POINTS = "vq-vae-512x64", "ae-32"
LARGEST_MSE = 0.0103  # what the course module's autoencoder reaches on the test part after 20 epochs
LEAST_PERPLEXITY = 100.0  # of 512 codes
FRECHET = "Frechet distance"


def measure(preset: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one model and of every prior that is fitted to it."""
    run = model_of(preset, seed, arguments)
    test = run.measure("test")
    names = ("mse", "perplexity", "codes_used", "codebook_size", "code_bits")
    row: dict[str, Any] = {
        "preset": preset,
        "seed": seed,
        "command": command(__file__),
        "epochs": run.config.training.epochs,
        "samples": arguments.samples,
        "test": {name: test[name] for name in names if test.get(name) is not None},
        "frechet_distance": {},
        "priors": {},
    }
    real = run.preparation(run.dataset.split("test").x[: arguments.samples])
    reference = judge(real)[1]
    codes = run.model.discrete
    row["frechet_distance"]["reconstructions"] = distance(
        run.reconstruct(arguments.samples, write=False).reconstruction, reference
    )
    simple = "uniform" if codes else "standard-normal"
    row["frechet_distance"][simple] = sampled(run, simple, arguments.samples, seed, reference)
    for label, name, settings in priors_of(codes, arguments):
        row["priors"][label] = fitted(run, name, settings, seed)
        row["frechet_distance"][label] = sampled(run, name, arguments.samples, seed, reference)
    return row


def model_of(preset: str, seed: int, arguments: argparse.Namespace) -> lt.Run:
    """The finished run, from the folder of runs or trained."""
    settings = training_threads(arguments.threads)
    if preset == CODES and arguments.epochs is not None:
        settings.append(f"training.epochs={arguments.epochs:g}")
    return finished(preset, arguments.runs, seed, settings)


def priors_of(codes: bool, arguments: argparse.Namespace) -> list[tuple[str, str, list[str]]]:
    """What is fitted: what it is called here, the prior, its settings."""
    threads = training_threads(arguments.threads)

    def trained(steps: int | None) -> list[str]:
        return threads if steps is None else [*threads, f"training.steps={steps}"]

    if codes:
        return [("autoregressive", "autoregressive", trained(arguments.autoregressive_steps))]
    return [
        ("gaussian", "gmm", ["components=1"]),
        ("gmm", "gmm", []),
        ("diffusion", "diffusion", trained(arguments.diffusion_steps)),
    ]


def fitted(run: lt.Run, name: str, settings: Sequence[str], seed: int) -> dict[str, Any]:
    """Fit a prior, unless it has been, and say what was found."""
    report = fitted_report(run, name, settings, seed)
    kept = ("latents", "parameters", "steps", "iterations", "converged", "log_density")
    return {"settings": list(settings), **{key: report[key] for key in kept if report.get(key) is not None}}


def sampled(run: lt.Run, prior: str, n: int, seed: int, reference: Tensor) -> float:
    """The distance of samples from a prior."""
    return distance(run.sample(n, prior=prior, seed=seed, write=False).x, reference)


def distance(x: Tensor, reference: Tensor) -> float:
    """The Frechet distance of images from those with the reference features."""
    return frechet_distance(judge(x)[1], reference)


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and spread over seeds of every figure of every preset."""
    summary: dict[str, Any] = {}
    for row in rows:
        figures = {f"test {name}": value for name, value in row["test"].items()}
        figures |= {f"{FRECHET}, {name}": value for name, value in row["frechet_distance"].items()}
        for name, value in figures.items():
            summary.setdefault(row["preset"], {}).setdefault(name, []).append(value)
    return {
        preset: {name: {"seeds": len(values), **mean_and_deviation(values)} for name, values in figures.items()}
        for preset, figures in summary.items()
    }


def rules(rows: list[dict[str, Any]]) -> dict[str, bool | None]:
    """Whether the means keep the rules that were set beforehand; ``None`` where they are over too few seeds to say."""
    summary = summarise(rows)
    found: dict[str, bool | None] = {}
    if CODES in summary:
        names = ("test perplexity", "test mse", f"{FRECHET}, autoregressive", f"{FRECHET}, uniform")
        use, mse, learned, uniform = (summary[CODES][name] for name in names)
        found[f"perplexity over {LEAST_PERPLEXITY:g}"] = verdict(use["mean"] > LEAST_PERPLEXITY, use["seeds"])
        found[f"test mse below {LARGEST_MSE:g}"] = verdict(mse["mean"] < LARGEST_MSE, mse["seeds"])
        halved = learned["mean"] <= 0.5 * uniform["mean"]
        found["autoregressive at most half of uniform"] = verdict(halved, learned["seeds"], uniform["seeds"])
    if POINTS in summary:
        normal = summary[POINTS][f"{FRECHET}, standard-normal"]
        for name in ("gmm", "diffusion"):
            prior = summary[POINTS][f"{FRECHET}, {name}"]
            nearer = prior["mean"] < normal["mean"]
            found[f"{name} below N(0, I)"] = verdict(nearer, prior["seeds"], normal["seeds"])
    return found


def key(row: dict[str, Any]) -> tuple[str, int]:
    """Which model a row is of."""
    return row["preset"], row["seed"]


def recorded(path: Path) -> list[dict[str, Any]]:
    """The rows that were written before."""
    return storage.read_json(path)["rows"] if path.is_file() else []


def record_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All that is written."""
    return {
        "what": "samples from priors that were fitted to the latents of models of mnist: test mse, use of the "
        "codebook, and Frechet distances from as many test images",
        "features": NAME,
        "features_accuracy": judge_card()["test_accuracy"],
        **circumstances(),
        "rules": rules(rows),
        "summary": summarise(rows),
        "rows": rows,
    }


def main() -> None:
    """Train what is not there, measure, print the table, write the results after every model."""
    parser = options(__doc__, "results/fitted_priors.json", seeds=range(3), threads=True, runs=True)
    parser.add_argument("--presets", nargs="+", default=[CODES, POINTS], choices=[CODES, POINTS])
    parser.add_argument("--epochs", type=float, help=f"of {CODES}; 20 as its preset says if not given")
    parser.add_argument("--autoregressive-steps", type=int, help="of its fit; the prior's own if not given")
    parser.add_argument("--diffusion-steps", type=int, help="likewise")
    parser.add_argument("--samples", type=int, default=2000, help="of each prior, and as many test images")
    arguments = parser.parse_args()
    rows = recorded(arguments.out)
    for preset in arguments.presets:
        for seed in arguments.seeds:
            row = measure(preset, seed, arguments)
            rows = sorted([other for other in rows if key(other) != key(row)] + [row], key=key)
            figures = "  ".join(f"{name} {value:.1f}" for name, value in row["frechet_distance"].items())
            print(f"{preset} seed {seed}: mse {row['test']['mse']:.5f}  Frechet distances: {figures}", flush=True)
            write(arguments.out, record_of(rows))
    print_summary(summarise(rows))
    print_rules(rules(rows))


if __name__ == "__main__":
    main()
