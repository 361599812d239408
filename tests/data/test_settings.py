"""The settings are strict."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from latentia.data.settings import DataSettings


@pytest.mark.parametrize(
    "bad",
    [
        {"sorce": "mnist"},
        {"source": 3},
        {"binarize": "yes"},
        {"threshold": 1.0},
        {"threshold": -0.1},
        {"dequantize": 1},
        {"scale": "minmax"},
        {"validation": 1.0},
        {"validation": float("nan")},
        {"validation": -0.01},
        {"test_fraction": 1.0},
        {"split_seed": 0.5},
        {"layout": "last"},
    ],
)
def test_wrong_settings_are_refused(bad):
    with pytest.raises(ValidationError):
        DataSettings(**bad)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        DataSettings().source = "mnist"  # type: ignore[misc]
