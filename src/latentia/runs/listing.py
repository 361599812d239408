"""Looking things up: presets, runs, data sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from latentia import storage
from latentia.data.dataset import Dataset
from latentia.data.sources import load as load_data
from latentia.errors import ConfigError, LatentiaError, RunError
from latentia.exploration.pictures import plot_class_samples, plot_samples
from latentia.exploration.style import save_figure
from latentia.recipes.config import Config, make_config
from latentia.recipes.preset import Preset
from latentia.recipes.presets import PRESETS, find_preset
from latentia.runs.directory import RunDirectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 20  # that a contact sheet shows in rows of their own


def presets() -> list[dict[str, Any]]:
    """The named systems, one mapping each: name, family, description, source.

    Example:
        >>> [row["family"] for row in presets() if row["name"] in ("ae", "vae")]
        ['autoencoder', 'vae']
    """
    return [
        {"name": preset.name, "family": preset.family, "description": preset.description, "source": preset.source}
        for preset in PRESETS.values()
    ]


def describe_preset(name: str) -> dict[str, Any]:
    """The whole config of a preset, and where each value comes from.

    Args:
        name: The preset.

    Returns:
        ``name``, ``family``, ``description``, ``source``, ``notes`` (what differs from the source), ``same_as`` (its
        other names), ``config`` (nested), ``origins`` (dotted key -> ``preset``, hence the source, or ``default``)
        and ``defaults`` (dotted key -> the default in place of which the preset has its own value).

    Raises:
        ConfigError: If there is no such preset.

    Example:
        >>> describe_preset("vae")["origins"]["model.latent_dim"]
        'preset'
    """
    preset = find_preset(name)
    config = preset.config().model_dump(mode="json")
    usual = Config().model_dump(mode="json")
    origins = {key: "preset" if _given(preset.settings, key) else "default" for key in _dotted(config)}
    own = [key for key, origin in origins.items() if origin == "preset" and _given(usual, key)]
    return {
        "name": name,
        "family": preset.family,
        "description": preset.description,
        "source": preset.source,
        "notes": list(preset.notes),
        "same_as": [other.name for other in PRESETS.values() if _same(other, preset)],
        "config": config,
        "origins": {**origins, "preset": "preset"},
        "defaults": {key: _at(usual, key) for key in own if _at(usual, key) != _at(config, key)},
    }


def _same(other: Preset, preset: Preset) -> bool:
    return other.name != preset.name and other.settings is preset.settings


def _dotted(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in values.items():
        keys += _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [prefix + key]
    return keys


def _given(settings: Any, key: str) -> bool:
    for name in key.split("."):
        if not isinstance(settings, Mapping) or name not in settings:
            return False
        settings = settings[name]
    return True


def _at(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values[name]
    return values


def list_runs(folder: str | Path = "runs") -> list[dict[str, Any]]:
    """The runs in a folder, the latest first; what cannot be read is listed with its fault.

    Args:
        folder: Where the runs are.

    Returns:
        For each run ``name``, ``path``, ``preset``, ``data``, ``seed``, ``state``, ``step``, ``epochs``, ``elbo``,
        ``mse`` and ``heartbeat``; the state of a run whose process has died is ``crashed``.

    Raises:
        RunError: If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"there is no folder {folder}: name the one that holds your runs, as in `latentia runs DIR`")
    rows = [run_row(path, folder) for path in find_runs(folder)]
    return sorted(rows, key=lambda row: (row["heartbeat"] or "", row["name"]), reverse=True)


def find_runs(folder: Path) -> list[Path]:
    """The folders of the runs in a folder, those of several seeds among them."""
    return [path.parent for pattern in ("*/config.toml", "*/seed-*/config.toml") for path in folder.glob(pattern)]


def run_row(path: Path, folder: Path) -> dict[str, Any]:
    """What :func:`list_runs` says of one run, which may be damaged or gone by now."""
    directory = RunDirectory(path)
    row: dict[str, Any] = {"name": str(path.relative_to(folder)), "path": str(path)}
    config: Config | None = None
    fault = None
    try:
        config = directory.read_config()
    except LatentiaError as error:
        fault = str(error)
    status = directory.status()
    summary = status.get("summary") or {}
    test = summary.get("test") or {}
    return row | {
        "preset": None if config is None else config.preset,
        "data": None if config is None else config.data.source,
        "seed": None if config is None else config.seed,
        "state": "unreadable" if fault else directory.state(),
        "step": status.get("step"),
        "epochs": summary.get("epochs"),
        "elbo": test.get("elbo"),
        "mse": test.get("mse"),
        "heartbeat": status.get("heartbeat"),
        "fault": fault or status.get("error"),
    }


def describe_data(
    source: str,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    out: str | Path | None = None,
) -> dict[str, Any]:
    """What a data set holds.

    Args:
        source: A name or a path, as ``--data`` takes it.
        data_dir: Where original files are looked for first.
        size: Height and width to which images are resized, as by ``data.size``.
        out: Where a picture of some training samples goes, a ``.png``; none is drawn without it.

    Returns:
        ``name``, ``description``, ``event_shape``, ``levels``, ``low``, ``high``, ``classes``, ``splits`` (name ->
        ``n`` and, with labels, ``per_class``), ``fingerprint``, ``notes`` and ``picture``.

    Raises:
        DataError: If it cannot be found or used.
        ConfigError: If the name is not known, or ``out`` or the size does not fit.
    """
    target = None if out is None else Path(out)
    if target is not None and target.suffix.lower() != ".png":
        raise ConfigError(f"pictures are written as PNG: give a path that ends in .png, not {target}")
    wanted = {"source": source, "validation": 0.0, "size": None if size is None else list(size)}
    dataset = load_data(make_config({"data": wanted}, "the request").data, data_dir=data_dir)
    spec = dataset.spec
    if target is not None:
        storage.make_folder(target.parent)
        save_figure(_contact_sheet(dataset), target)
    splits: dict[str, Any] = {}
    for name, part in dataset.splits.items():
        splits[name] = {"n": len(part)}
        if part.y is not None:
            counts = part.y.bincount(minlength=len(spec.classes)).tolist()
            splits[name]["per_class"] = dict(zip(spec.classes, counts, strict=True))
    return {
        "name": dataset.name,
        "description": spec.describe(),
        "event_shape": list(spec.event_shape),
        "levels": spec.levels,
        "low": spec.low,
        "high": spec.high,
        "classes": list(spec.classes),
        "splits": splits,
        "fingerprint": dataset.fingerprint,
        "notes": list(dataset.notes),
        "picture": None if target is None else str(target),
    }


def _contact_sheet(dataset: Dataset) -> Figure:
    """Some training samples: of each class a row, or a grid of samples from all over the part."""
    train, spec = dataset.split("train"), dataset.spec
    if train.y is not None:
        rows = [(train.y == label).nonzero()[:, 0] for label in range(len(spec.classes))]
        present = [(name, found) for name, found in zip(spec.classes, rows, strict=True) if len(found)]
        if len(present) <= MOST_CLASSES:
            each = min(10, min(len(found) for _, found in present))
            x = dataset.preparation(train.x[torch.cat([found[:each] for _, found in present])])
            title = f"{dataset.name}: the first {each} training {spec.noun}{'s' if each != 1 else ''} of each class"
            return plot_class_samples(x, [name for name, _ in present], spec, title=title)
    count = min(64, len(train))
    x = dataset.preparation(train.x[torch.linspace(0, len(train) - 1, count).round().long()])
    return plot_samples(x, spec, title=f"{dataset.name}: {count} of {len(train):,} training {spec.noun}s")
