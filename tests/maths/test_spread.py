"""Mean and standard deviation over seeds, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from latentia.maths import mean_and_deviation


def test_the_deviation_is_that_of_a_sample():
    values = np.random.default_rng(0).normal(-104.0, 0.3, 5)
    found = mean_and_deviation(values.tolist())
    assert found == {
        "mean": pytest.approx(np.mean(values), rel=1e-14),
        "standard_deviation": pytest.approx(np.std(values, ddof=1), rel=1e-12),
    }


def test_one_value_has_no_spread_and_none_has_no_mean():
    assert mean_and_deviation([0.25]) == {"mean": 0.25, "standard_deviation": None}
    with pytest.raises(ValueError, match="at least one"):
        mean_and_deviation([])
