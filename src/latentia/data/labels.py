"""Few labels: which samples keep theirs, and a dataset in which nobody can see the others.

Knows nothing of what is learned from them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from latentia.data.dataset import Dataset, Split
from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError

LABELLED = "labelled"  # the part that keeps its labels; "train" has none then


def choose_labelled(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Choose the samples that keep their labels, equally many of each class as far as that can be.

    Args:
        y: Labels of all samples, (N,), whole numbers.
        n: How many to keep, at least one for each class.
        seed: Of the choice; the first labels of more are not those of fewer.

    Returns:
        (n,), sorted numbers of samples.

    Raises:
        ConfigError: If n is smaller than the number of classes or larger than that of the samples.
        DataError: If a class has too few samples for its share.

    Example:
        >>> y = np.array([0, 0, 0, 1, 1, 1])
        >>> y[choose_labelled(y, 4, seed=0)].tolist()
        [0, 0, 1, 1]
    """
    classes = np.unique(y)
    if not len(classes) <= n <= len(y):
        raise ConfigError(
            f"between {len(classes)} labels, one for each class, and {len(y)}, all there are, can be kept: not {n}"
        )
    source = np.random.default_rng(derive_seed(seed, "labelled"))
    order = source.permutation(classes)  # those with one more, where n is no multiple of the classes
    chosen = []
    for place, label in enumerate(order):
        share = n // len(classes) + (place < n % len(classes))
        found = np.flatnonzero(y == label)
        if len(found) < share:
            raise DataError(
                f"a class has only {len(found)} samples, fewer than its share of {share}: keep fewer labels"
            )
        chosen.append(source.choice(found, share, replace=False))
    return np.sort(np.concatenate(chosen))


def hide_labels(dataset: Dataset, keep: int, seed: int) -> Dataset:
    """Let a few training samples keep their labels, and take away all others but those of the test part.

    The samples that keep theirs become a part of their own, ``labelled``; the parts ``train`` (the others) and
    ``valid`` have no labels afterwards, so that nothing that is handed the dataset can see them.

    Args:
        dataset: Its ``train`` part has labels.
        keep: How many are kept, equally many of each class; see :func:`choose_labelled`.
        seed: Of the choice.

    Raises:
        ConfigError: If there are no labels, or all or too few would be kept.
        DataError: If a class has too few samples for its share.
    """
    train = dataset.split("train")
    if train.y is None:
        raise ConfigError(
            f"data.labels keeps some of the labels, and {dataset.name} has none to train on: give them as y, or use "
            "--set data.labels=none"
        )
    chosen = choose_labelled(train.y.numpy(), keep, seed)
    if keep == len(train):
        raise ConfigError(f"data.labels = {keep} keeps every label: lower it, or use --set data.labels=none")
    kept = torch.from_numpy(chosen)
    hidden = torch.from_numpy(np.setdiff1d(np.arange(len(train)), chosen))
    parts = {"train": Split(train.subset(hidden).x), LABELLED: train.subset(kept)}
    for name, part in dataset.splits.items():
        if name not in parts:
            parts[name] = part if name == "test" else Split(part.x)
    note = f"{keep} of the training samples keep their labels; the labels of the other {len(hidden):,} are hidden" + (
        ", and those of the validation part too" if "valid" in parts else ""
    )
    return replace(dataset, splits=parts, notes=(*dataset.notes, note))
