"""Retraining the published systems over several seeds, and setting the figures beside theirs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentia import storage
from latentia.errors import ConfigError, RunError
from latentia.maths.spread import Spread, mean_and_deviation
from latentia.recipes.config import Config, override
from latentia.recipes.presets import find_preset
from latentia.recipes.published import FIGURES, PUBLISHED, PublishedSystem, find_published
from latentia.runs.fitting import resolve
from latentia.runs.run import Run, open_run
from latentia.runs.seeds import complete_all
from latentia.training.events import Events

QUICK_STEPS = 100
SEEDS = 3
_FURTHER = (  # of an evaluation, beside the figures of a run's summary
    *("psnr", "active_units", "perplexity", "codes_used"),
    *("noisy_mse", "noisy_psnr", "noisy_ssim", "denoised_mse", "denoised_psnr", "denoised_ssim"),
)


def reproduce(
    names: Sequence[str] = (),
    *,
    data: str = "mnist",
    data_dir: str | Path | None = None,
    seeds: int = SEEDS,
    quick: bool = False,
    out: str | Path = "reproduction",
    settings: Sequence[str] = (),
    events: Events | None = None,
) -> list[dict[str, Any]]:
    """Retrain published systems at their own budgets and compare.

    The seeds of a system are trained at once where that can be, as :func:`~latentia.runs.seeds.train_seeds` says.
    Every seed is a run of its own in ``out/runs/NAME/seed-N``, and every system's record a file ``out/NAME.json``. Runs
    that are finished there are used as they are, and those that were interrupted go on, so that the same call
    completes what was begun.

    Args:
        names: Which systems; all if empty.
        data: The data set. Only on ``mnist`` do figures compare with the published ones.
        data_dir: Where original files are looked for first.
        seeds: How many, from 0.
        quick: Train 100 steps instead of the whole budget, to see that everything works; nothing compares then.
        out: The folder for runs and records.
        settings: Further settings of every run, such as ``["training.threads=1"]``.
        events: Who is told about progress.

    Returns:
        One record for each system: published, reference and measured figures, settings, seconds, versions. Beside the
        figure that is compared, ``figures`` has mean and standard deviation over the seeds of what else was measured
        on the test part: distortion and rate, PSNR, the perplexity of codes, and with noise what it did and what was
        left of it.

    Raises:
        ConfigError: If there is no such system, or ``seeds`` is smaller than 1.
        RunError: If ``out`` holds a run with other settings.
    """
    if seeds < 1:
        raise ConfigError(f"seeds must be at least 1, not {seeds}")
    systems = [find_published(name) for name in dict.fromkeys(names)] or list(PUBLISHED.values())
    events = events or Events()
    records = []
    for system in systems:
        config = _config(system, quick, settings)
        configs = [resolve(config, data, seed=seed) for seed in range(seeds)]
        places = [Path(out) / "runs" / system.name / f"seed-{seed}" for seed in range(seeds)]
        for outcome in complete_all(configs, places, data_dir=data_dir, events=events):
            if outcome.error is not None:
                raise outcome.error
        finished = [open_run(place) for place in places]
        record = _record(system, finished, compares=data == "mnist" and not quick)
        record["command"] = _command(system.name, data, seeds, quick, settings)
        storage.write_json(storage.make_folder(Path(out)) / f"{system.name}.json", record)
        records.append(record)
    return records


def _config(system: PublishedSystem, quick: bool, settings: Sequence[str]) -> Config:
    """The preset, changed by the row, then by what makes it quick, then by the user: the last one counts."""
    config = find_preset(system.preset).config()
    for assignments in (
        [f"{key}={value}" for key, value in system.settings.items()],
        [f"training.steps={QUICK_STEPS}"] if quick else [],
        settings,
    ):
        config = override(config, assignments)
    return config


def _record(system: PublishedSystem, runs: Sequence[Run], *, compares: bool) -> dict[str, Any]:
    values = [figure_of(system, run) for run in runs]
    found = mean_and_deviation(values)
    tests = [_measured(run) for run in runs]
    title, unit, _ = FIGURES[system.figure]
    meta = runs[0].directory.meta() if runs[0].directory is not None else {}
    return {
        "name": system.name,
        "preset": system.preset,
        "tutorial": system.tutorial,
        "figure": title,
        "unit": unit,
        "remark": system.remark,
        "published": system.published,
        "references": list(system.references),
        "reference": system.reference,
        "allowed": system.allowed,
        "rule": system.rule,
        **found,
        "values": values,
        "figures": _over_seeds(tests),
        "compares": compares,
        "holds": system.holds(found["mean"]) if compares else None,
        "seconds": sum(sum(run.summary["seconds"].values()) for run in runs),
        "machine": meta.get("machine"),
        "versions": meta.get("versions"),
        "runs": [
            {key: value for key, value in run.summary.items() if key != "run"} | {"test": test}
            for run, test in zip(runs, tests, strict=True)
        ],
    }


def _measured(run: Run) -> dict[str, Any]:
    """What was measured on the test part when the run ended."""
    evaluation = (run.directory.evaluation() if run.directory is not None else None) or {}
    test = run.summary["test"]
    further = [name for name in _FURTHER if name not in test and evaluation.get(name) is not None]
    return test | {name: evaluation[name] for name in further}


def _over_seeds(tests: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """Mean and standard deviation of every figure that all runs have."""
    names = [name for name in tests[0] if all(test.get(name) is not None for test in tests)]
    return {name: mean_and_deviation([float(test[name]) for test in tests]) for name in names}


def figure_of(system: PublishedSystem, run: Run) -> float:
    """The figure by which a system is judged, of one run, in the tutorial's convention.

    Raises:
        RunError: If the run was not evaluated.
    """
    test = run.summary.get("test")
    if not test:
        raise RunError(f"{run!r} has no figures of the test part, so that there is nothing to compare")
    if system.figure == "denoised-mse":
        scores = run.denoise(write=False).denoised_scores
        assert scores is not None
        return scores.mse
    if system.figure in test:
        return float(test[system.figure])
    dimensions = run.spec.dimensions
    squared_error = 2 * test["distortion"] - dimensions * math.log(2 * math.pi)  # sigma = 1
    if system.figure == "sampled-mse":
        return squared_error / dimensions
    return squared_error + 2 * (run.beta or 0.0) * test["rate"]


def _command(name: str, data: str, seeds: int, quick: bool, settings: Sequence[str]) -> str:
    words = ["latentia", "reproduce", name]
    words += [] if data == "mnist" else ["--data", data]
    words += ["--seeds", str(seeds), *(["--quick"] if quick else [])]
    return " ".join([*words, *(f"--set {setting}" for setting in settings)])


def spread(record: Mapping[str, Any]) -> str:
    """Mean and standard deviation with the digits that the figure deserves.

    Example:
        >>> spread({"figure": "test mse", "mean": 0.010345, "standard_deviation": 0.00048})
        '0.01035 ± 0.00048'
        >>> spread({"figure": "test ELBO", "mean": -104.459, "standard_deviation": None})
        '-104.46'
    """
    digits, deviation = digits_of(record), record["standard_deviation"]
    return f"{record['mean']:.{digits}f}" + ("" if deviation is None else f" ± {deviation:.{digits}f}")


def digits_of(record: Mapping[str, Any]) -> int:
    """How many digits after the point a record's figure deserves."""
    return 5 if record["figure"].startswith("test mse") else 2
