"""What do five seeds cost that are trained together, beside five commands one after the other?

Both are whole commands, from the start of the first process to the end of the last, with evaluation, pictures and
report of every seed: `latentia train PRESET --seeds 5` against five times `latentia train PRESET --seed N`, in turn,
several rounds. Threads are what `latentia train` takes by itself. Also compares what came out: each seed's test figures
with those of its own command, which has another number of threads, and the first seed's with as many threads.

    LATENTIA_DATA_DIR=... python benchmarks/seeds_together.py [--rounds 3] [--epochs 2] [--seeds 5] [--preset vae]

Prints a table and writes ``results/seeds_together.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from performance_tables import lines_of, seeds_table
from rivals import circumstances

from latentia import storage

FIGURES = ("elbo", "distortion", "rate", "mse")


def timed(*words: str) -> tuple[float, dict[str, Any]]:
    """Run a command: its seconds, and the JSON that it printed.

    Raises:
        SystemExit: If it failed.
    """
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "latentia", *words, "--json"], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(f"latentia {' '.join(words)} failed:\n{done.stderr}")
    return seconds, json.loads(done.stdout)


def difference(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The largest difference of each figure between runs of the same seeds."""
    pairs = list(zip(first, second, strict=True))
    assert all(one["seed"] == other["seed"] for one, other in pairs)
    return {
        name: max(abs(one["test"][name] - other["test"][name]) for one, other in pairs)
        for name in FIGURES
        if first[0]["test"][name] is not None
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure, compare, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--preset", default="vae")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--out", type=Path, default=Path("results/seeds_together.json"))
    given = parser.parse_args(words)
    options = f"--rounds {given.rounds} --epochs {given.epochs:g} --seeds {given.seeds} --preset {given.preset}"
    record = circumstances(f"python benchmarks/seeds_together.py {options} --data {given.data}", _threads())
    train = ["train", given.preset, "--data", given.data, "--epochs", f"{given.epochs:g}"]
    together: list[float] = []
    apart: list[float] = []
    with tempfile.TemporaryDirectory(prefix="latentia-seeds-") as place:
        timed(*train[:-2], "--steps", "1", "--out", f"{place}/warm")  # bytecode and the page cache
        for number in range(given.rounds):
            seconds, whole = timed(*train, "--seeds", str(given.seeds), "--out", f"{place}/{number}-together")
            found = [
                timed(*train, "--seed", str(seed), "--out", f"{place}/{number}-{seed}") for seed in range(given.seeds)
            ]
            together.append(seconds)
            apart.append(sum(spent for spent, _ in found))
            print(f"round {number + 1}: together {together[-1]:.1f} s, apart {apart[-1]:.1f} s", file=sys.stderr)
        first = whole["runs"][0]
        threads = ["--set", f"training.threads={first['threads']}"]
        _, alike = timed(*train, "--seed", str(first["seed"]), *threads, "--out", f"{place}/alike")
    record |= {
        "what": f"preset {given.preset}, {given.data}, {given.epochs:g} epochs, {given.seeds} seeds",
        "rounds": given.rounds,
        "together_seconds": [round(value, 2) for value in together],
        "apart_seconds": [round(value, 2) for value in apart],
        "ratio": round(statistics.median(one / other for one, other in zip(together, apart, strict=True)), 3),
        "threads_of_each": [run["threads"] for run in whole["runs"]],
        "precision": first["precision"],
        "largest_difference": difference(whole["runs"], [summary for _, summary in found]),
        "difference_with_as_many_threads": difference([first], [alike]),
        "test": whole["test"],
    }
    print("\n".join(lines_of(seeds_table(record))))
    print(f"together / apart: {record['ratio']:.3f}")
    print(f"largest difference of a figure: {record['largest_difference']}")
    print(f"with as many threads:           {record['difference_with_as_many_threads']}")
    storage.make_folder(given.out.parent)
    storage.write_json(given.out, record)


def _threads() -> int:
    """How many threads a command has by itself."""
    import torch

    return int(os.environ.get("OMP_NUM_THREADS") or torch.get_num_threads())


if __name__ == "__main__":
    main()
