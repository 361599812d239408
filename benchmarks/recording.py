"""What the scripts of this folder share: their options, what is recorded beside figures, and how figures are printed.

Imported by the scripts, which Python finds beside themselves; measures nothing.
"""

from __future__ import annotations

import argparse
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import latentia as lt
from latentia import storage
from latentia.recipes.config import override
from latentia.recipes.presets import find_preset
from latentia.recipes.second_stages import make_stage
from latentia.runs.fitting import completed, resolve
from latentia.runs.priors import fingerprint
from latentia.training.events import Events
from latentia.training.execution import describe_machine

LEAST_SEEDS = 3  # with fewer there is no verdict: a figure of one seed is an anecdote


# --- options ----------------------------------------------------------------------------------------------------------


def options(
    doc: str | None,
    out: str,
    *,
    seeds: Sequence[int] | None = None,
    threads: bool = False,
    runs: bool = False,
) -> argparse.ArgumentParser:
    """A parser with the options that many scripts have.

    Args:
        doc: The script's docstring, whose first line describes it.
        out: Where the results go if ``--out`` is not given.
        seeds: The default of ``--seeds``; no such option if ``None``.
        threads: Whether there is ``--threads``.
        runs: Whether there is ``--runs``, the folder of runs as `latentia reproduce` leaves them.
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    if seeds is not None:
        parser.add_argument("--seeds", nargs="+", type=int, default=list(seeds))
    if threads:
        parser.add_argument("--threads", type=int, help="of every training; decided by itself if not given")
    if runs:
        parser.add_argument(
            "--runs", type=Path, default=Path("reproduction/runs"), help="a folder PRESET/seed-N of runs"
        )
    parser.add_argument("--out", type=Path, default=Path(out), help="the JSON file of the results")
    return parser


def training_threads(threads: int | None) -> list[str]:
    """``--threads`` as a setting of a training."""
    return [] if threads is None else [f"training.threads={threads}"]


# --- runs and their priors --------------------------------------------------------------------------------------------


def finished(preset: str, runs: Path, seed: int, settings: Sequence[str]) -> lt.Run:
    """The finished run of a preset on MNIST from the folder of runs, or trained there."""
    config = resolve(override(find_preset(preset).config(), settings), "mnist", seed=seed)
    return completed(config, runs / preset / f"seed-{seed}", None, Events())


def fitted_report(run: lt.Run, name: str, settings: Sequence[str], seed: int) -> dict[str, Any]:
    """Fit a prior to a run, unless that has been done with the same settings, and return what was found."""
    assert run.directory is not None
    wanted = {
        "settings": make_stage(name, settings).model_dump(mode="json"),
        "seed": seed,
        "model": fingerprint(run.model),
        "classes": len(run.spec.classes) if run.model.conditional else None,  # missing where it is older than classes
    }
    file = run.directory.priors / name / "config.json"
    found = storage.read_json(file) if file.is_file() else {}
    if {key: found.get(key) for key in wanted} == wanted:
        return found["report"]
    return run.fit_prior(name, settings=settings, seed=seed).report


# --- records ----------------------------------------------------------------------------------------------------------


def command(script: str) -> str:
    """How a script was called."""
    return shlex.join(["python", f"benchmarks/{Path(script).name}", *sys.argv[1:]])


def circumstances(**versions: str) -> dict[str, Any]:
    """The machine and the versions, as every record has them; other packages' versions by name."""
    return {
        "machine": describe_machine("cpu"),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, **versions},
    }


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Replace the file of results, all at once; its folder is made where it is missing."""
    storage.make_folder(path.parent)
    storage.write_json(path, record)


# --- what is printed --------------------------------------------------------------------------------------------------


def verdict(holds: bool, *seeds: int) -> bool | None:
    """Whether a rule holds, or ``None`` where one of its means is over too few seeds to say so."""
    return holds if min(seeds) >= LEAST_SEEDS else None


def plus_minus(mean: float, deviation: float | None, form: str, spread_form: str | None = None, over: str = "") -> str:
    """Mean and standard deviation, the latter with what it is over, where there is one.

    Example:
        >>> plus_minus(0.0771, 0.012, ".2%", over=" over seeds"), plus_minus(45.11, None, ".5g", over=" over seeds")
        ('7.71% +- 1.20% over seeds', '45.11')
    """
    return f"{mean:{form}}" + ("" if deviation is None else f" +- {deviation:{spread_form or form}}{over}")


def print_summary(summary: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for every figure of every preset."""
    presets = max(map(len, summary), default=0)
    names = max((len(name) for figures in summary.values() for name in figures), default=0)
    print()
    for preset, figures in summary.items():
        for name, value in figures.items():
            shown = plus_minus(value["mean"], value["standard_deviation"], ".5g", ".2g")
            print(f"{preset:<{presets}}  {name:<{names}}  {shown}")


def print_rules(rules: Mapping[str, bool | None]) -> None:
    """Whether each rule holds."""
    words = {True: "yes", False: "NO", None: f"no verdict from fewer than {LEAST_SEEDS} seeds"}
    for name, holds in rules.items():
        print(f"{name}: {words[holds]}")
