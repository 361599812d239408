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
import platform
import shlex
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import latentia as lt
from latentia import storage
from latentia.evaluation.generation import frechet_distance
from latentia.evaluation.judge import NAME, judge, judge_card
from latentia.recipes.config import override
from latentia.recipes.presets import find_preset
from latentia.recipes.second_stages import make_stage
from latentia.runs.fitting import resolve
from latentia.runs.priors import fingerprint
from latentia.runs.reproduction import completed
from latentia.training.events import Events
from latentia.training.execution import describe_machine

CODES, POINTS = "vq-vae-512x64", "ae-32"
LARGEST_MSE = 0.0103  # what the course module's autoencoder reaches on the test part after 20 epochs
LEAST_PERPLEXITY = 100.0  # of 512 codes


def measure(preset: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one model and of every prior that is fitted to it."""
    run = model_of(preset, seed, arguments)
    test = run.measure("test")
    names = ("mse", "perplexity", "codes_used", "codebook_size", "code_bits")
    row: dict[str, Any] = {
        "preset": preset,
        "seed": seed,
        "command": shlex.join(["python", "benchmarks/fitted_priors.py", *sys.argv[1:]]),
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
    settings = [] if arguments.threads is None else [f"training.threads={arguments.threads}"]
    if preset == CODES and arguments.epochs is not None:
        settings.append(f"training.epochs={arguments.epochs:g}")
    config = resolve(override(find_preset(preset).config(), settings), "mnist", seed=seed)
    return completed(config, arguments.runs / preset / f"seed-{seed}", None, Events())


def priors_of(codes: bool, arguments: argparse.Namespace) -> list[tuple[str, str, list[str]]]:
    """What is fitted: what it is called here, the prior, its settings."""
    threads = [] if arguments.threads is None else [f"training.threads={arguments.threads}"]

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
    assert run.directory is not None
    wanted = {
        "settings": make_stage(name, settings).model_dump(mode="json"),
        "seed": seed,
        "model": fingerprint(run.model),
    }
    file = run.directory.priors / name / "config.json"
    found = storage.read_json(file) if file.is_file() else {}
    same = {key: found.get(key) for key in wanted} == wanted
    report = found["report"] if same else run.fit_prior(name, settings=settings, seed=seed).report
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
        figures |= {f"Frechet distance, {name}": value for name, value in row["frechet_distance"].items()}
        for name, value in figures.items():
            summary.setdefault(row["preset"], {}).setdefault(name, []).append(value)
    return {
        preset: {
            name: {
                "seeds": len(values),
                "mean": statistics.fmean(values),
                "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
            }
            for name, values in figures.items()
        }
        for preset, figures in summary.items()
    }


def rules(summary: dict[str, Any]) -> dict[str, bool]:
    """Whether the means keep the rules that were set beforehand, as far as they were measured."""
    found: dict[str, bool] = {}

    def mean(preset: str, name: str) -> float:
        return summary[preset][name]["mean"]

    if CODES in summary:
        found[f"perplexity over {LEAST_PERPLEXITY:g}"] = mean(CODES, "test perplexity") > LEAST_PERPLEXITY
        found[f"test mse below {LARGEST_MSE:g}"] = mean(CODES, "test mse") < LARGEST_MSE
        ratio = mean(CODES, "Frechet distance, autoregressive") / mean(CODES, "Frechet distance, uniform")
        found["autoregressive at most half of uniform"] = ratio <= 0.5
    if POINTS in summary:
        normal = mean(POINTS, "Frechet distance, standard-normal")
        for name in ("gmm", "diffusion"):
            found[f"{name} below N(0, I)"] = mean(POINTS, f"Frechet distance, {name}") < normal
    return found


def key(row: dict[str, Any]) -> tuple[str, int]:
    """Which model a row is of."""
    return row["preset"], row["seed"]


def recorded(path: Path) -> list[dict[str, Any]]:
    """The rows that were written before."""
    return storage.read_json(path)["rows"] if path.is_file() else []


def record_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All that is written."""
    summary = summarise(rows)
    return {
        "what": "samples from priors that were fitted to the latents of models of mnist: test mse, use of the "
        "codebook, and Frechet distances from as many test images",
        "features": NAME,
        "features_accuracy": judge_card()["test_accuracy"],
        "machine": describe_machine("cpu"),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rules": rules(summary),
        "summary": summary,
        "rows": rows,
    }


def main() -> None:
    """Train what is not there, measure, print the table, write the results after every model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--presets", nargs="+", default=[CODES, POINTS], choices=[CODES, POINTS])
    parser.add_argument("--epochs", type=float, help=f"of {CODES}; 20 as its preset says if not given")
    parser.add_argument("--autoregressive-steps", type=int, help="of its fit; the prior's own if not given")
    parser.add_argument("--diffusion-steps", type=int, help="likewise")
    parser.add_argument("--samples", type=int, default=2000, help="of each prior, and as many test images")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=Path, default=Path("reproduction/runs"))
    parser.add_argument("--out", type=Path, default=Path("results/fitted_priors.json"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rows = recorded(arguments.out)
    for preset in arguments.presets:
        for seed in arguments.seeds:
            row = measure(preset, seed, arguments)
            rows = sorted([other for other in rows if key(other) != key(row)] + [row], key=key)
            figures = "  ".join(f"{name} {value:.1f}" for name, value in row["frechet_distance"].items())
            print(f"{preset} seed {seed}: mse {row['test']['mse']:.5f}  Frechet distances: {figures}", flush=True)
            storage.write_json(arguments.out, record_of(rows))
    print()
    for preset, figures in summarise(rows).items():
        for name, value in figures.items():
            spread = value["standard_deviation"]
            print(f"{preset:<14} {name:<34} {value['mean']:.5g}" + ("" if spread is None else f" +- {spread:.2g}"))
    for name, kept in rules(summarise(rows)).items():
        print(f"{name}: {'yes' if kept else 'NO'}")


if __name__ == "__main__":
    main()
