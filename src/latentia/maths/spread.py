"""The mean and the spread of a figure over seeds, in the one form in which they are reported and recorded."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TypedDict


class Spread(TypedDict):
    """Mean and sample standard deviation; the latter ``None`` for a single value, which has no spread."""

    mean: float
    standard_deviation: float | None


def mean_and_deviation(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation, sqrt(sum (value - mean)^2 / (n - 1)).

    Args:
        values: One figure for each seed, draw or round; at least one.

    Raises:
        ValueError: If there are no values.

    Example:
        >>> mean_and_deviation([1.0, 2.0, 3.0])
        {'mean': 2.0, 'standard_deviation': 1.0}
        >>> mean_and_deviation([1.0])
        {'mean': 1.0, 'standard_deviation': None}
    """
    return {
        "mean": statistics.fmean(values),
        "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
    }
