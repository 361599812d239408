"""One-class MNIST: how well a model of one digit tells the other nine from it, on the official test split.

The score named beforehand is the squared error at the posterior mean of `vae` (784-400-20), 20 epochs on the normal
digit; nothing is chosen on test data. The other scores of that model, and those of an autoencoder and a denoising
autoencoder, are recorded beside it. Prints a table and writes every AUROC as JSON; those of other models that were
recorded before stay in the file.

    LATENTIA_DATA_DIR=... python benchmarks/one_class.py [--digits 0 1 ...] [--seeds 0 1 2] [--presets vae ae ...]
                                                         [--threads N] [--out FILE]
"""

from __future__ import annotations

import time
from typing import Any

from recording import circumstances, command, options, plus_minus, write

import latentia as lt
from latentia.maths import mean_and_deviation
from latentia.recipes import PRESETS
from latentia.storage import read_json

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
        "command": command(__file__),
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
            per_seed = {seed: mean_and_deviation(values)["mean"] for seed, values in seeds.items()}
            over_seeds = mean_and_deviation(list(per_seed.values()))
            summary[f"{preset} {score}"] = {
                "mean": over_seeds["mean"],
                "standard_deviation_over_seeds": over_seeds["standard_deviation"],
                "per_seed": per_seed,
                "per_digit": {digit: mean_and_deviation(values)["mean"] for digit, values in sorted(digits.items())},
            }
    return summary


def main() -> None:
    """Train and score, print the table, write the results after every model."""
    parser = options(__doc__, "results/one_class.json", seeds=range(3), threads=True)
    parser.add_argument("--digits", nargs="+", type=int, default=list(range(10)))
    parser.add_argument("--presets", nargs="+", default=[name for name in SCORES if name in PRESETS], choices=SCORES)
    parser.add_argument("--data", default="mnist")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if arguments.out.is_file():
        rows = [row for row in read_json(arguments.out)["rows"] if row["preset"] not in arguments.presets]
    for preset in arguments.presets:
        for seed in arguments.seeds:
            for digit in arguments.digits:
                row = measure(preset, digit, seed, arguments.threads, arguments.data)
                rows.append(row)
                figures = "  ".join(f"{name} {value:.4f}" for name, value in row["auroc"].items())
                print(f"{preset:<13} digit {digit} seed {seed}: {figures}  ({row['seconds']['all']:.0f} s)", flush=True)
                record = {
                    "what": f"AUROC on the test split of {arguments.data}, of models of one class, {EPOCHS} epochs",
                    "named_beforehand": " ".join(NAMED),
                    "importance_samples": IMPORTANCE_SAMPLES,
                    **circumstances(),
                    "summary": summarise(rows),
                    "rows": rows,
                }
                write(arguments.out, record)
    print()
    for name, value in summarise(rows).items():
        spread = value["standard_deviation_over_seeds"]
        print(f"{name:<28} {plus_minus(value['mean'], spread, '.4f', over=' over seeds')}")


if __name__ == "__main__":
    main()
