"""Train presets at the tutorials' own settings over several seeds, and set the figures beside the reference ones.

The reference is what a direct transcription of the tutorial reaches on the original 60,000/10,000 split of MNIST (full
test set, evaluation mode). A preset holds if its mean over the seeds is within 2 % (squared errors) or 0.3 nats
(ELBO) of the reference, or better. Writes one JSON file per row under ``results/tutorials/``.

    LATENTIA_DATA_DIR=... python benchmarks/tutorial_figures.py [ROW ...] [--seeds 3] [--threads N]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path

import torch

import latentia
from latentia.training.execution import describe_machine


@dataclass(frozen=True)
class Row:
    """One line of the comparison."""

    preset: str
    epochs: int
    figure: str
    reference: float
    allowed: float  # the worst mean that still holds
    of: str  # what the reference is


ROWS = {
    "vae": Row("vae", 15, "elbo", -104.25, -104.7, "test ELBO of 'VAE for MNIST' (other seeds and bf16: to -104.66)"),
    "ae": Row("ae", 20, "mse", 0.010305, 0.010305 * 1.02, "test mse, mean of four seeds (0.00980 to 0.01078)"),
    "conv-ae": Row("conv-ae", 20, "mse", 0.00175, 0.00175 * 1.02, "test mse"),
    "conv-vae-2": Row("conv-vae", 2, "elbo", -108.75, -109.05, "test ELBO, middle of -108.11 to -109.39"),
    "conv-vae-30": Row("conv-vae", 30, "elbo", -98.32, -98.62, "test ELBO"),
}


def main() -> None:
    """Train, print the table, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", default=list(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=Path("results/tutorials"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.rows:
        row = ROWS[name]
        threads = [] if arguments.threads is None else [f"training.threads={arguments.threads}"]
        options = [] if arguments.threads is None else [f"--threads {arguments.threads}"]
        summaries = [
            latentia.train(row.preset, "mnist", directory=None, seed=seed, epochs=row.epochs, settings=threads).summary
            for seed in range(arguments.seeds)
        ]
        values = [summary["test"][row.figure] for summary in summaries]
        mean, spread = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
        better = mean >= row.allowed if row.figure == "elbo" else mean <= row.allowed
        record = {
            "command": " ".join(
                ["python benchmarks/tutorial_figures.py", name, f"--seeds {arguments.seeds}", *options]
            ),
            "what": f"{row.figure} of {row.preset}, MNIST test set, {row.epochs} epochs on all 60,000 images",
            "unit": "nats per image" if row.figure == "elbo" else "mean over pixels and images, pixels in [0, 1]",
            "reference": row.reference,
            "reference_is": row.of,
            "allowed": row.allowed,
            "mean": mean,
            "standard_deviation": spread,
            "holds": better,
            "values": values,
            "machine": describe_machine(summaries[0]["device"]),
            "versions": {"python": platform.python_version(), "torch": torch.__version__},
            "runs": summaries,
        }
        (arguments.out / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
        print(f"{name:12} {row.figure} {mean:.5f} (sd {spread}) reference {row.reference} holds: {better}", flush=True)


if __name__ == "__main__":
    main()
