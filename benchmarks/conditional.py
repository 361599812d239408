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

from latentia.evaluation.judge import NAME, judge_card
from latentia.maths import mean_and_deviation

TUTORIAL, BEST = "conditional-vae-20", "sharp-conditional-vae"
MIXTURE = ["draws=1"]
LEAST_AS_ASKED, LEAST_VARIANCE = 0.95, 0.8


def measure(preset: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one model under its own prior and under the mixtures."""
    run = finished(preset, arguments.runs, seed, training_threads(arguments.threads))
    density = fitted_report(run, "gmm", MIXTURE, seed)["log_density"]  # of each class, nats per latent
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
        preset: {name: mean_and_deviation(values) for name, values in figures.items()}
        for preset, figures in collected.items()
    }


def rules(rows: list[dict[str, Any]]) -> dict[str, bool | None]:
    """Whether the best preset's means keep the rules that were set beforehand; ``None`` where seeds are too few."""
    own = [row for row in rows if row["preset"] == BEST]
    if not own:
        return {}
    as_asked, ratio = (summarise(own)[BEST][f"gmm {name}"]["mean"] for name in ("as_asked", "variance_ratio"))
    return {
        f"as asked at least {LEAST_AS_ASKED:g}": verdict(as_asked >= LEAST_AS_ASKED, len(own)),
        f"variance within a class at least {LEAST_VARIANCE:g} of real": verdict(ratio >= LEAST_VARIANCE, len(own)),
    }


def main() -> None:
    """Train what is not there, measure, print the table, write the results after every model."""
    parser = options(__doc__, "results/conditional.json", seeds=range(5), threads=True, runs=True)
    parser.add_argument("--presets", nargs="+", default=[BEST, TUTORIAL], choices=[BEST, TUTORIAL])
    parser.add_argument("--samples", type=int, default=10_000, help="from each prior, and as many test images")
    arguments = parser.parse_args()
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
            record = {
                "command": command(__file__),
                "what": "conditional samples of mnist at temperature 1: the share that the judge takes for the digit "
                "asked for, and the pixels' variance within a class over that of the test images",
                "judge": NAME,
                "judge_accuracy": judge_card()["test_accuracy"],
                "samples": arguments.samples,
                **circumstances(),
                "rules": rules(rows),
                "summary": summarise(rows),
                "rows": rows,
            }
            write(arguments.out, record)
    print_summary(summarise(rows))
    print_rules(rules(rows))


if __name__ == "__main__":
    main()
