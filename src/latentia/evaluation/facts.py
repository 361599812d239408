"""What is known of a data set before any model: range, spread, grey tones, and how many straight axes it needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from latentia.data.blocks import blocks
from latentia.data.dataset import Dataset, Split
from latentia.evaluation.encoding import BLOCK
from latentia.evaluation.health import DataFacts

LIMIT = 1000  # samples that are looked at


def limited(dataset: Dataset, limit: int) -> Dataset:
    """The same data with at most so many samples in each part, spread over it.

    Example:
        >>> from latentia.data import DataSettings, load
        >>> small = limited(load(DataSettings(validation=0.0)), 100)
        >>> {name: len(part) for name, part in small.splits.items()}
        {'train': 100, 'test': 100}
    """
    splits = {}
    for name, part in dataset.splits.items():
        rows = torch.linspace(0, len(part) - 1, min(limit, len(part))).round().long()
        splits[name] = Split(part.x[rows], None if part.y is None else part.y[rows])
    return replace(dataset, splits=splits)


def data_facts(dataset: Dataset) -> DataFacts:
    """Measure the training part, on at most :data:`LIMIT` samples of it.

    Args:
        dataset: The data.

    Returns:
        The facts; those about spread are absent for a single sample.

    Example:
        >>> from latentia.data import DataSettings, load
        >>> facts = data_facts(load(DataSettings()))
        >>> facts.dimensions, facts.components(0.1)
        (64, 21)
    """
    train = limited(dataset, LIMIT).split("train")
    found = blocks(train, dataset.preparation, size=BLOCK, seed=0, purpose="facts")
    x = torch.cat([block.x for block in found]).flatten(1).double().numpy()  # (N, D)
    spec = dataset.spec
    facts = DataFacts(
        samples=len(dataset.split("train")),
        dimensions=spec.dimensions,
        low=spec.low,
        high=spec.high,
        levels=spec.levels,
        is_image=spec.is_image,
        binary=spec.binary,
        grey=float(((x > 0.1) & (x < 0.9)).mean()),
    )
    if len(x) < 2:
        return facts
    spread = x.std(axis=0)
    varying = spread[spread > 0]
    spreads = (float(varying.min()), float(varying.max())) if len(varying) else None
    if spec.is_image:
        spreads = (float(x.std()), float(x.std()))
    variance = float(np.square(spread).mean())
    return replace(facts, variance=variance, spreads=spreads, unexplained=_unexplained(x))


def _unexplained(x: np.ndarray) -> tuple[float, ...]:
    """The fraction of the variance that the first k principal components leave, for k = 0, 1, 2 ..."""
    centred = x - x.mean(axis=0)
    square = centred @ centred.T if len(x) < x.shape[1] else centred.T @ centred
    values = np.clip(np.linalg.eigvalsh(square)[::-1], 0.0, None)
    if values.sum() == 0:
        return (0.0,)
    return tuple(np.clip(1.0 - np.concatenate([[0.0], values.cumsum()]) / values.sum(), 0.0, 1.0).tolist())
