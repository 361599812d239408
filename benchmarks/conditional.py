"""Conditional samples of MNIST: how many are the digit that was asked for, and how much they differ within a class.

Trains the course module's sizes (`conditional-vae-20`) and `sharp-conditional-vae`, fits a mixture to the latents of
each class, and has the digit classifier that ships with the package judge draws at temperature 1, as many of every
class, from each model's own prior and from the mixtures. Sizes, beta and the mixture were settled on training images
with another classifier. Runs that are finished in the folder of runs, and mixtures that are fitted to them, are used
as they are; all else is trained. Prints a table and writes everything as JSON, after every model.

    LATENTIA_DATA_DIR=... python benchmarks/conditional.py [--seeds 0 1 2 3 4] [--presets NAME ...] [--samples N]
                                                           [--threads N] [--runs DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import platform
import shlex
import statistics
import sys
from pathlib import Path
from typing import Any

import torch

import latentia as lt
from latentia import storage
from latentia.evaluation.judge import NAME, judge_card
from latentia.recipes.config import override
from latentia.recipes.presets import find_preset
from latentia.recipes.second_stages import make_stage
from latentia.runs.fitting import resolve
from latentia.runs.priors import fingerprint
from latentia.runs.reproduction import completed
from latentia.training.events import Events
from latentia.training.execution import describe_machine

TUTORIAL, BEST = "conditional-vae-20", "sharp-conditional-vae"
MIXTURE = ["draws=1"]
LEAST_AS_ASKED, LEAST_VARIANCE = 0.95, 0.8


def measure(preset: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one model under its own prior and under the mixtures."""
    settings = [] if arguments.threads is None else [f"training.threads={arguments.threads}"]
    config = resolve(override(find_preset(preset).config(), settings), "mnist", seed=seed)
    run = completed(config, arguments.runs / preset / f"seed-{seed}", None, Events())
    density = fit_mixtures(run, seed)
    found = run.judge(arguments.samples, seed=seed)
    return {
        "preset": preset,
        "seed": seed,
        "epochs": run.config.training.epochs,
        "precision": run.summary["precision"],
        "test": run.summary["test"],
        "mixture": {"settings": MIXTURE, "log_density": density},
        "judged": {
            name: {
                "as_asked": judgement.accuracy,
                "variance_ratio": judgement.variance_ratio,
                "frechet_distance": judgement.frechet_distance,
            }
            for name, judgement in {**found.priors, "reconstructions": found.reconstructions}.items()
            if name in ("model", "gmm", "reconstructions")
        },
    }


def fit_mixtures(run: lt.Run, seed: int) -> dict[str, float]:
    """Fit a mixture to each class, unless that has been done, and return its mean log density, nats per latent."""
    assert run.directory is not None
    wanted = {
        "settings": make_stage("gmm", MIXTURE).model_dump(mode="json"),
        "seed": seed,
        "model": fingerprint(run.model),
        "classes": len(run.spec.classes),
    }
    file = run.directory.priors / "gmm" / "config.json"
    found = storage.read_json(file) if file.is_file() else {}
    if {key: found.get(key) for key in wanted} == wanted:
        return found["report"]["log_density"]
    return run.fit_prior("gmm", settings=MIXTURE, seed=seed).report["log_density"]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and spread over seeds of every figure of every preset."""
    collected: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        figures = {f"test {name}": value for name, value in row["test"].items()}
        for prior, judgement in row["judged"].items():
            figures |= {f"{prior} {name}": value for name, value in judgement.items()}
        for name, value in figures.items():
            collected.setdefault(row["preset"], {}).setdefault(name, []).append(value)
    return {
        preset: {
            name: {
                "mean": statistics.fmean(values),
                "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
            }
            for name, values in figures.items()
        }
        for preset, figures in collected.items()
    }


def rules(summary: dict[str, Any]) -> dict[str, bool]:
    """Whether the best preset's means keep the rules that were set beforehand."""
    if BEST not in summary:
        return {}
    as_asked, ratio = (summary[BEST][f"gmm {name}"]["mean"] for name in ("as_asked", "variance_ratio"))
    return {
        f"as asked at least {LEAST_AS_ASKED:g}": as_asked >= LEAST_AS_ASKED,
        f"variance within a class at least {LEAST_VARIANCE:g} of real": ratio >= LEAST_VARIANCE,
    }


def main() -> None:
    """Train what is not there, measure, print the table, write the results after every model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--presets", nargs="+", default=[BEST, TUTORIAL], choices=[BEST, TUTORIAL])
    parser.add_argument("--samples", type=int, default=10_000, help="from each prior, and as many test images")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=Path, default=Path("reproduction/runs"))
    parser.add_argument("--out", type=Path, default=Path("results/conditional.json"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for preset in arguments.presets:
        for seed in arguments.seeds:
            row = measure(preset, seed, arguments)
            rows.append(row)
            figures = "  ".join(
                f"{name} {judgement['as_asked']:.4f} as asked, variance {judgement['variance_ratio']:.3f}"
                for name, judgement in row["judged"].items()
            )
            print(f"{preset} seed {seed}: test elbo {row['test']['elbo']:.2f}  {figures}", flush=True)
            summary = summarise(rows)
            record = {
                "command": shlex.join(["python", "benchmarks/conditional.py", *sys.argv[1:]]),
                "what": "conditional samples of mnist at temperature 1: the share that the judge takes for the digit "
                "asked for, and the pixels' variance within a class over that of the test images",
                "judge": NAME,
                "judge_accuracy": judge_card()["test_accuracy"],
                "samples": arguments.samples,
                "machine": describe_machine("cpu"),
                "versions": {"python": platform.python_version(), "torch": torch.__version__},
                "rules": rules(summary),
                "summary": summary,
                "rows": rows,
            }
            storage.write_json(arguments.out, record)
    print()
    for preset, figures in summarise(rows).items():
        for name, value in figures.items():
            spread = value["standard_deviation"]
            print(f"{preset:<22} {name:<32} {value['mean']:.5g}" + ("" if spread is None else f" +- {spread:.2g}"))
    for name, kept in rules(summarise(rows)).items():
        print(f"{name}: {'yes' if kept else 'NO'}")


if __name__ == "__main__":
    main()
