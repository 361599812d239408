"""One-class MNIST: how well a model of one digit tells the other nine from it, on the official test split.

The score named beforehand is the squared error at the posterior mean of `vae` (784-400-20), 20 epochs on the normal
digit; nothing is chosen on test data. The other scores of that model, and those of an autoencoder and a denoising
autoencoder, are recorded beside it. Prints a table and writes every AUROC as JSON.

    LATENTIA_DATA_DIR=... python benchmarks/one_class.py [--digits 0 1 ...] [--seeds 0 1 2] [--presets vae ae ...]
                                                         [--threads N] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

import latentia as lt
from latentia.recipes import PRESETS
from latentia.training.execution import describe_machine

NAMED = ("vae", "squared-error")
SCORES = {
    "vae": ("squared-error", "elbo", "nll", "density", "prior-density"),
    "ae": ("squared-error", "density"),
    "denoising-ae": ("squared-error", "density"),
}
EPOCHS = 20
IMPORTANCE_SAMPLES = 100


def measure(preset: str, digit: int, seed: int, threads: int | None, data: str) -> dict[str, Any]:
    """Train on one digit and score the test split in every way."""
    settings: dict[str, Any] = {"data.normal_classes": [str(digit)], "data.validation": 0.0}
    if threads is not None:
        settings["training.threads"] = threads
    began = time.perf_counter()
    run = lt.train(preset, data, directory=None, epochs=EPOCHS, seed=seed, settings=settings)
    trained = time.perf_counter() - began
    found = {
        score: run.anomaly(score=score, importance_samples=IMPORTANCE_SAMPLES, write=False) for score in SCORES[preset]
    }
    return {
        "preset": preset,
        "digit": digit,
        "seed": seed,
        "auroc": {score: result.auroc for score, result in found.items()},
        "seconds": {"training": round(trained, 1), "all": round(time.perf_counter() - began, 1)},
    }


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean AUROC over digits for each seed; and their mean and spread over seeds."""
    summary: dict[str, Any] = {}
    for preset in dict.fromkeys(row["preset"] for row in rows):
        for score in SCORES[preset]:
            seeds: dict[int, list[float]] = {}
            digits: dict[int, list[float]] = {}
            for row in (row for row in rows if row["preset"] == preset):
                seeds.setdefault(row["seed"], []).append(row["auroc"][score])
                digits.setdefault(row["digit"], []).append(row["auroc"][score])
            means = [statistics.fmean(values) for values in seeds.values()]
            summary[f"{preset} {score}"] = {
                "mean": statistics.fmean(means),
                "standard_deviation_over_seeds": statistics.stdev(means) if len(means) > 1 else None,
                "per_seed": dict(zip(seeds, means, strict=True)),
                "per_digit": {digit: statistics.fmean(values) for digit, values in sorted(digits.items())},
            }
    return summary


def main() -> None:
    """Train and score, print the table, write the results after every model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--digits", nargs="+", type=int, default=list(range(10)))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--presets", nargs="+", default=[name for name in SCORES if name in PRESETS], choices=SCORES)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=Path("results/one_class.json"))
    arguments = parser.parse_args()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for preset in arguments.presets:
        for seed in arguments.seeds:
            for digit in arguments.digits:
                row = measure(preset, digit, seed, arguments.threads, arguments.data)
                rows.append(row)
                figures = "  ".join(f"{name} {value:.4f}" for name, value in row["auroc"].items())
                print(f"{preset:<13} digit {digit} seed {seed}: {figures}  ({row['seconds']['all']:.0f} s)", flush=True)
                record = {
                    "command": shlex.join(["python", "benchmarks/one_class.py", *sys.argv[1:]]),
                    "what": f"AUROC on the test split of {arguments.data}, of models of one class, {EPOCHS} epochs",
                    "named_beforehand": " ".join(NAMED),
                    "importance_samples": IMPORTANCE_SAMPLES,
                    "machine": describe_machine("cpu"),
                    "versions": {"python": platform.python_version(), "torch": torch.__version__},
                    "summary": summarise(rows),
                    "rows": rows,
                }
                arguments.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print()
    for name, value in summarise(rows).items():
        spread = value["standard_deviation_over_seeds"]
        print(f"{name:<28} {value['mean']:.4f}" + ("" if spread is None else f" +- {spread:.4f} over seeds"))


if __name__ == "__main__":
    main()
