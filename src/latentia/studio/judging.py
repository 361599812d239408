"""What runs are worth: anomalies among their data, their health, and several side by side."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from latentia.errors import ConfigError, LatentiaError
from latentia.evaluation.anomaly import SCORES, check_score, threshold
from latentia.exploration.bundle import pack, plain
from latentia.recipes.config import Config
from latentia.runs.run import Run
from latentia.runs.uses.anomaly import Anomalies
from latentia.runs.uses.compare import compare as compare_runs
from latentia.runs.uses.doctor import examine
from latentia.studio import pixels
from latentia.studio.catalogue import Catalogue
from latentia.studio.curves import Curves
from latentia.studio.desk import Opened, Studio
from latentia.studio.latents import labels_of
from latentia.studio.query import Query

RATES = (0.01, 0.02, 0.05, 0.1, 0.2)  # of false alarms, for which thresholds are given
_SEEN = ("source", "size", "binarize", "dequantize", "scale", "normal_classes")  # what settles what a model sees
FIGURES = {
    "elbo": "nats per sample",
    "distortion": "nats per sample",
    "rate": "nats per sample",
    "nll": "nats per sample",
    "bits_per_dim": "bits per dimension",
    "mse": "mean over values and samples",
    "psnr": "dB",
    "active_units": "latent dimensions",
    "beta_effective": "",
    "parameters": "",
    "epochs": "epochs",
    "seconds": "s",
}
"""What runs are compared by, and its unit."""


def anomalies(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The score of every sample, thresholds for several rates of false alarms, and how well they tell."""
    run, split = opened.run, query.word("split", "test")
    score, samples = query.word("score", "squared-error", tuple(SCORES)), query.whole("samples", 20, 1, 1000)
    normal = tuple(query.all("normal"))
    found = _scored(studio, opened, score, split, normal, samples)
    held: Anomalies | None = None
    notes = list(found.notes)
    kept = None if split == "valid" else run.dataset.splits.get("valid")
    if kept is not None and normal and kept.y is None:
        notes.append("the held-out samples have no labels, so that nobody knows which of them are normal")
    elif kept is not None:
        held = _scored(studio, opened, score, "valid", normal, samples)
    thresholds = _thresholds(held, notes)
    y = run.dataset.split(split).y
    labels, none = labels_of(None if y is None else y.numpy(), len(found.scores), len(run.spec.classes))
    arrays = {"scores": found.scores.numpy(), "labels": labels, "ids": np.arange(len(found.scores), dtype=np.int32)}
    if found.anomalous is not None:
        arrays["anomalous"] = found.anomalous.numpy()
    facts = {
        "score": score,
        "definition": SCORES[score],
        "auroc": found.auroc,
        "auroc_per_class": found.auroc_per_class,
        "thresholds": thresholds,
        "held_out": None if held is None else len(held.scores),
        "normal": list(normal) or run.config.data.normal_classes,
        "classes": list(run.spec.classes),
        "notes": list(dict.fromkeys(notes)),
        "scores": _scores_of(run),
        "none": none,
        "split": split,
    }
    return pack(facts, arrays)


def _thresholds(held: Anomalies | None, notes: list[str]) -> list[dict[str, float]]:
    """Scores above which held-out normal samples are rare; what cannot be given is noted."""
    if held is None:
        return []
    usual = held.scores if held.anomalous is None else held.scores[~held.anomalous]
    found = []
    for rate in RATES:
        try:
            found.append({"rate": rate, "value": threshold(usual, rate)})
        except LatentiaError as error:
            notes.append(str(error))
    return found


def _scored(studio: Studio, opened: Opened, score: str, split: str, normal: tuple[str, ...], samples: int) -> Anomalies:
    wished: dict[str, Any] = {"score": score, "split": split, "normal": normal or None, "importance_samples": samples}
    make = partial(opened.run.anomaly, **wished, write=False)
    return studio.shelf.get(("anomalies", opened.key, score, split, normal, samples), make)


def _scores_of(run: Run) -> list[dict[str, Any]]:
    """Every score that there is, and whether this model can give it."""
    found = []
    for name, definition in SCORES.items():
        try:
            check_score(run.model, name)
        except ConfigError as error:
            found.append({"name": name, "definition": definition, "ok": False, "why": str(error)})
        else:
            found.append({"name": name, "definition": definition, "ok": True, "why": None})
    return found


def health(studio: Studio, name: str) -> dict[str, Any]:
    """What the doctor says: of a finished run what it said when that ended, of another what it says now."""
    directory = studio.places.run(name)
    config = studio.config(directory)
    stored = directory.diagnosis()
    if directory.state() == "finished" and stored is not None:
        return plain(stored)
    key = ("health", str(directory.path), directory.state(), str(directory.status().get("heartbeat")))
    return plain(studio.shelf.get(key, lambda: examine(studio.run(directory, config)).to_json()))


def compare(catalogue: Catalogue, curves: Curves, names: list[str]) -> dict[str, Any]:
    """What several runs have in common and in what they differ, from their files alone."""
    places = catalogue.studio.places
    directories = [places.run(name) for name in _several(names)]
    rows = [catalogue.row(directory) for directory in directories]
    measured = []
    for directory, row in zip(directories, rows, strict=True):
        measured.append({**row, **(row["test"] or {}), **(directory.evaluation() or {}), "epochs": row["epoch"]})
    configs = [catalogue.studio.config(directory) for directory in directories]
    apart, notes = _convention(configs)
    figures = [
        {"name": name, "unit": unit, "values": [one.get(name) for one in measured], "comparable": name not in apart}
        for name, unit in FIGURES.items()
    ]
    shown = [one for one in figures if any(value is not None for value in one["values"])]
    settings = [_flat(config.model_dump(mode="json")) for config in configs]
    keys = sorted({key for one in settings for key in one if not key.startswith("training.device")})
    differing = [
        {"key": key, "values": [one.get(key) for one in settings]}
        for key in keys
        if any(one.get(key) != settings[0].get(key) for one in settings)
    ]
    drawn = _curves(curves, directories, names)
    return plain({"runs": rows, "figures": shown, "notes": notes, "settings": differing, "curves": drawn})


def _convention(configs: list[Config]) -> tuple[set[str], list[str]]:
    """The figures that do not mean the same for all of some runs, and why."""
    if any(getattr(config.data, name) != getattr(configs[0].data, name) for config in configs for name in _SEEN):
        apart = {"elbo", "distortion", "rate", "nll", "bits_per_dim", "mse", "psnr"}
        return apart, [
            "the runs see different data, or the same ones prepared differently: their figures do not compare"
        ]
    if any(config.model.likelihood != configs[0].model.likelihood for config in configs):
        apart = {"elbo", "distortion", "nll", "bits_per_dim"}
        return apart, [
            "elbo, distortion and nll are of different likelihoods and do not compare: look at the squared error"
        ]
    return set(), []


def _curves(curves: Curves, directories: list[Any], names: list[str]) -> dict[str, Any]:
    """Split -> figure -> for each run its steps and values."""
    found: dict[str, dict[str, list[Any]]] = {}
    for directory, name in zip(directories, names, strict=True):
        for split, columns in curves.of(directory).columns().items():
            for figure in ("loss", "distortion", "rate"):
                if figure in columns:
                    row = {"run": name, "step": columns["step"], "value": columns[figure]}
                    found.setdefault(split, {}).setdefault(figure, []).append(row)
    return found


def compare_images(studio: Studio, names: list[str], query: Query) -> bytes:
    """The same samples through several runs, and their figures in one convention."""
    opened = [studio.open(name) for name in _several(names)]
    wished, rows_of = query.whole("n", 6, 1, 24), len(opened) + 1
    n = max(1, pixels.fitting(wished * rows_of, opened[0].run.spec) // rows_of)
    key = ("compare", n, *(one.key for one in opened))
    found = studio.shelf.get(
        key, lambda: compare_runs([one.run for one in opened], n=n, points=50, projection="pca", write=False)
    )
    spec = opened[0].run.spec
    rows = [{key: value for key, value in row.items() if key != "run"} for row in found.rows]
    facts = {"names": found.names, "runs": names, "rows": rows, "comparable": found.comparable}
    facts |= {"notes": list(found.notes), "n": found.n, "cut": pixels.cut(n, wished, "samples")}
    arrays = {
        **pixels.drawn("originals", found.x, spec),
        **pixels.drawn("reconstructions", torch.stack(found.reconstructions), spec),
    }
    return pack(facts, arrays)


def _several(names: list[str]) -> list[str]:
    if not 2 <= len(names) <= 8:
        raise ConfigError(f"2 to 8 runs can be compared, not {len(names)}: give each as run=NAME")
    return names


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found
