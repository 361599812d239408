"""From what a source holds to a dataset: held-out parts, static binarisation, preparation, spec, fingerprint.

Knows nothing of where the arrays came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from latentia.data.arrays import shape_text
from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.labels import hide_labels
from latentia.data.mapped import Mapped
from latentia.data.preparation import Preparation, extremes, fit_preparation
from latentia.data.resizing import resize
from latentia.data.seeds import generator
from latentia.data.settings import DataSettings
from latentia.errors import ConfigError, DataError, did_you_mean

PARTS = ("train", "valid", "test")


@dataclass
class Raw:
    """What a source holds, before anything is held out.

    Attributes:
        name: What the source is called.
        x: Part -> (N, *event), uint8 or float32; all in memory, or all of them mapped.
        y: Part -> (N,), int64; parts without labels are absent.
        levels: Number of levels of what is stored, or None.
        classes: Names of the labels.
        notes: What a reader of the numbers should know.
        digests: Hashes of the content where they are known already.
        by_path: Whether the samples are files in the order of their paths, so that like lies beside like.
    """

    name: str
    x: dict[str, np.ndarray] | dict[str, Mapped]
    y: dict[str, torch.Tensor]
    levels: int | None
    classes: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    digests: tuple[str, ...] = ()
    by_path: bool = False


def check_settings(settings: DataSettings) -> None:
    """Refuse settings that contradict each other, before anything is loaded.

    Raises:
        ConfigError: With the keys that do.
    """
    if settings.threshold != DataSettings().threshold and settings.binarize != "threshold":
        raise ConfigError(
            "data.threshold is used by data.binarize = 'threshold' alone; use --set data.binarize=threshold, or leave "
            "it out"
        )
    if settings.binarize_seed != DataSettings().binarize_seed and settings.binarize != "static":
        raise ConfigError(
            "data.binarize_seed is used by data.binarize = 'static' alone; use --set data.binarize=static, or leave "
            "it out"
        )
    if settings.binarize != "none" and settings.dequantize:
        raise ConfigError(
            "data.binarize and data.dequantize exclude each other; use --set data.dequantize=false, or --set "
            "data.binarize=none"
        )
    if settings.binarize != "none" and settings.scale == "standard":
        raise ConfigError(
            "data.binarize needs values in [0, 1], which data.scale = 'standard' does not give; use --set "
            "data.scale=unit"
        )
    if settings.binarize == "static" and settings.scale != "none":
        raise ConfigError(
            "data.binarize = 'static' happens before scaling; use --set data.binarize=dynamic, or --set data.scale=none"
        )
    if settings.dequantize and settings.scale != "none":
        raise ConfigError("data.dequantize already gives values in [0, 1]; use --set data.scale=none")
    if settings.label_seed != DataSettings().label_seed and settings.labels is None:
        raise ConfigError(
            "data.label_seed chooses the samples of data.labels; use --set data.labels=100, or leave it out"
        )
    if settings.labels is not None and settings.normal_classes is not None:
        raise ConfigError(
            "data.labels keeps labels of every class, and data.normal_classes trains on some of them alone; use "
            "--set data.labels=none, or --set data.normal_classes=none"
        )


def check_held_out(settings: DataSettings, name: str, parts: Collection[str]) -> None:
    """Refuse settings about parts that are not held out, because the source has them or because none is wanted.

    ``validation`` is let pass: presets set it, for whatever data come.

    Args:
        settings: What is wanted.
        name: What the source is called.
        parts: The parts that the source has.

    Raises:
        ConfigError: With the key that would have no effect.
    """
    default = DataSettings()
    if "test" in parts and settings.test_fraction != default.test_fraction:
        raise ConfigError(
            f"data.test_fraction is for data without a test part, and {name} has one; leave it out, or give data "
            "without a test part"
        )
    fractions = {
        "data.test_fraction": ("test", settings.test_fraction),
        "data.validation": ("valid", settings.validation),
    }
    absent = {key: fraction for key, (part, fraction) in fractions.items() if part not in parts}
    if settings.split_seed != default.split_seed and not any(absent.values()):
        remedy = (
            f"use {' or '.join(f'--set {key}=0.1' for key in absent)}, or leave it out" if absent else "leave it out"
        )
        raise ConfigError(f"data.split_seed decides what is held out, and nothing is held out of {name}; {remedy}")


def assemble(raw: Raw, settings: DataSettings) -> Dataset:
    """Resize, hold out what is missing, prepare and describe.

    Mapped data are gone through in chunks, and looked at for NaN and infinity on the way.

    Args:
        raw: What the source holds; it has a ``train`` part.
        settings: How to split and prepare it.

    Raises:
        ConfigError: If the settings do not fit the data.
        DataError: If the values cannot be scaled, or mapped data hold NaN or infinity.
    """
    if settings.binarize == "static" and isinstance(raw.x["train"], Mapped):
        raise ConfigError(
            "data.binarize = 'static' draws once and keeps the result in memory, and these data stay on the disk; use "
            "--set data.binarize=dynamic, or --set data.memory=load if they fit into memory"
        )
    if settings.size is not None:
        _resize(raw, *settings.size)
    fingerprint = _fingerprint(raw)
    x = {part: values if isinstance(values, Mapped) else torch.from_numpy(values) for part, values in raw.x.items()}
    splits = {part: Split(values, raw.y.get(part)) for part, values in x.items()}
    if raw.by_path:
        splits |= {part: _mixed(split, part) for part, split in splits.items() if part != "train"}
    notes = list(raw.notes)
    if "valid" in splits and settings.validation not in (0.0, DataSettings().validation):
        notes.append(f"data.validation is not used, as {raw.name} has a validation part of its own")
    if settings.normal_classes is not None:
        _check_classes(settings.normal_classes, raw)
    for part, fraction in (("test", settings.test_fraction), ("valid", settings.validation)):
        if part == "valid" and settings.normal_classes is not None:
            notes += _keep_normal(splits, raw, settings.normal_classes)
        if part not in splits and fraction > 0:
            if len(splits["train"]) < 2:
                notes.append(f"there are too few samples to hold out a {part} part")
                continue
            mix = raw.by_path or _by_class(splits["train"].y)
            splits["train"], splits[part] = _hold_out(splits["train"], fraction, settings.split_seed, part, mix=mix)
    splits = {part: splits[part] for part in PARTS if part in splits}
    levels = raw.levels
    if settings.binarize != "none":
        _check_binarizable(splits, levels, settings)
    if settings.binarize == "static":
        splits = {
            part: Split(_binarize_once(split.x, levels, settings.binarize_seed, part), split.y)
            for part, split in splits.items()
        }
        levels = 2
    low, high = (0.0, 1.0) if levels is not None else _extremes(splits)
    within_unit = low >= 0 and high <= 1
    preparation = fit_preparation(settings, _array(splits["train"]), levels, within_unit=within_unit)
    spec = _describe(splits, preparation, raw.classes)
    dataset = Dataset(raw.name, spec, preparation, splits, fingerprint, tuple(notes))
    return dataset if settings.labels is None else hide_labels(dataset, settings.labels, settings.label_seed)


def _resize(raw: Raw, height: int, width: int) -> None:
    """Bring all parts to one size; what was binary is grey afterwards."""
    event = raw.x["train"].shape[1:]
    if len(event) != 3:
        raise ConfigError(
            f"data.size is the size of images, and {raw.name} holds vectors of {event[0]}; use --set data.size=none, "
            "or give the images as an array of (N, height, width)"
        )
    if event[1:] == (height, width):
        return
    if isinstance(raw.x["train"], Mapped):
        raise ConfigError(
            "data.size resizes what is in memory, and these data stay on the disk; resize them once with "
            f"latentia.data.resize(x, {height}, {width}) and save the result, or use --set data.memory=load if they "
            "fit into memory"
        )
    x = {part: values for part, values in raw.x.items() if not isinstance(values, Mapped)}  # that is, all of them
    if raw.levels == 2:
        x = {part: values * np.uint8(255) for part, values in x.items()}
        raw.levels = 256
        raw.notes.append(
            "resizing made grey values of binary ones; --set data.binarize=threshold makes them binary again"
        )
    raw.x = {part: resize(values, height, width) for part, values in x.items()}
    raw.notes.append(f"the images were resized from {shape_text(event[1:])} to {height} x {width}, bilinear")
    if raw.digests:
        raw.digests += (f"size {height} x {width}",)


def _hold_out(split: Split, fraction: float, seed: int, part: str, *, mix: bool) -> tuple[Split, Split]:
    """Split off a fraction at random; both halves keep the order of the source, but for what is held out to be mixed.

    Mixed, its first samples are as good a selection as any, which is what pictures show. What stays on the disk is read
    in its order there.
    """
    count = min(max(1, round(len(split) * fraction)), len(split) - 1)
    order = torch.randperm(len(split), generator=generator("cpu", seed, "hold-out", part))
    held, kept = order[:count], order[count:].sort().values
    if not mix or isinstance(split.x, Mapped):
        held = held.sort().values
    return split.subset(kept), split.subset(held)


def _mixed(split: Split, part: str) -> Split:
    """A part in a random order, always the same."""
    return split.subset(torch.randperm(len(split), generator=generator("cpu", 0, "order", part)))


def _by_class(y: torch.Tensor | None) -> bool:
    """Whether samples lie class by class, in any order of the classes."""
    if y is None:
        return False
    blocks, classes = len(y.unique_consecutive()), len(y.unique())
    return 1 < classes == blocks < len(y)


def _check_classes(names: Sequence[str], raw: Raw) -> None:
    """Refuse classes that there are not, before anything is held out."""
    if not raw.classes:
        raise ConfigError(
            f"data.normal_classes picks classes, and {raw.name} has no labels: leave it out if all of it is normal, "
            "or give labels"
        )
    for name in names:
        if name not in raw.classes:
            some = ", ".join(raw.classes[:20]) + (" ..." if len(raw.classes) > 20 else "")
            hint = did_you_mean(name, raw.classes) or f" There are: {some}."
            raise ConfigError(f"data.normal_classes: {raw.name} has no class '{name}'.{hint}")


def _keep_normal(splits: dict[str, Split], raw: Raw, names: Sequence[str]) -> list[str]:
    """Cut the training and the validation part down to some classes; a part without labels counts as normal.

    Returns:
        What a reader of the numbers should know, one sentence each.
    """
    notes = []
    wanted = torch.tensor([raw.classes.index(name) for name in names])
    for part in ("train", "valid"):
        if part not in splits:
            continue
        labels = splits[part].y
        if labels is None:
            notes.append(f"the {part} part has no labels, so that all of it counts as normal")
            continue
        rows = torch.isin(labels, wanted).nonzero().flatten()
        if len(rows) == 0:
            raise DataError(f"the {part} part of {raw.name} holds nothing of the classes {', '.join(names)}")
        splits[part] = splits[part].subset(rows)
    notes.append(
        f"only the {'class' if len(names) == 1 else 'classes'} {', '.join(names)} "
        f"{'is' if len(names) == 1 else 'are'} trained on, as data.normal_classes says; the test part keeps every "
        "class, and its figures are of normal and other samples together"
    )
    return notes


def _array(split: Split) -> np.ndarray | Mapped:
    return split.x if isinstance(split.x, Mapped) else split.x.numpy()


def _fingerprint(raw: Raw) -> str:
    digest = hashlib.sha256()
    if raw.digests:
        digest.update(" ".join(raw.digests).encode())
        return digest.hexdigest()
    for part in PARTS:
        for values in (raw.x.get(part), raw.y[part].numpy() if part in raw.y else None):
            if values is None:
                digest.update(f"{part} none".encode())
            elif isinstance(values, Mapped):
                digest.update(f"{part} {str(values.dtype).removeprefix('torch.')} {values.shape} ".encode())
                for chunk in values.checked():
                    digest.update(chunk.data)
                raw.notes += [note for note in values.notes if note not in raw.notes]
            else:
                digest.update(f"{part} {values.dtype} {values.shape} ".encode())
                digest.update(np.ascontiguousarray(values).data)
    digest.update(f"{raw.levels} {raw.classes!r}".encode())
    return digest.hexdigest()


def _check_binarizable(splits: dict[str, Split], levels: int | None, settings: DataSettings) -> None:
    if levels is not None or settings.scale == "unit":
        return
    low, high = _extremes(splits)
    if low < 0 or high > 1:
        raise ConfigError(
            f"data.binarize needs values in [0, 1], and these go from {low:.4g} to {high:.4g}; "
            "use --set data.scale=unit, or leave data.binarize out"
        )


def _binarize_once(x: torch.Tensor | Mapped, levels: int | None, seed: int, part: str) -> torch.Tensor:
    assert not isinstance(x, Mapped), "refused above"
    draw, unit = generator("cpu", seed, "static", part), Preparation(levels=levels)
    pieces = [(torch.rand(rows.shape, generator=draw) < unit(rows)).to(torch.uint8) for rows in x.split(4096)]
    return torch.cat(pieces)


def _extremes(splits: dict[str, Split]) -> tuple[float, float]:
    found = [extremes(_array(split)) for split in splits.values()]
    return min(float(low.min()) for low, _ in found), max(float(high.max()) for _, high in found)


def _describe(splits: dict[str, Split], preparation: Preparation, classes: tuple[str, ...]) -> DataSpec:
    event = tuple(splits["train"].x.shape[1:])
    binary = preparation.levels == 2 and not preparation.rescales and not preparation.dequantize
    binary = binary or preparation.binarize != "none"
    levels = 2 if binary else None if preparation.rescales else preparation.levels
    low, high = 0.0, 1.0
    if not binary and (preparation.levels is None or preparation.rescales):
        low, high = _prepared_range(splits, preparation)
    return DataSpec(event, levels, low, high, binary, preparation.dequantize, classes)


def _prepared_range(splits: dict[str, Split], preparation: Preparation) -> tuple[float, float]:
    """Return the smallest and the largest x of all parts; the mapping rises, so extremes stay extremes."""
    ends = [preparation(torch.from_numpy(end[None])) for split in splits.values() for end in extremes(_array(split))]
    low, high = min(float(end.min()) for end in ends), max(float(end.max()) for end in ends)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise DataError("the data span too wide a range to be scaled in 32 bits; divide them by a large number first")
    return low, high
