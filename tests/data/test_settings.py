"""The settings are strict."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from latentia.data.settings import CorruptionSettings, DataSettings, GaussianCorruptionSettings


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


@pytest.mark.parametrize(
    "values",
    [
        {"name": "gaussian", "sigma": 0.0},
        {"name": "gaussian", "sigma": -1.0},
        {"name": "gaussian", "clamp": [1.0, 0.0]},
        {"name": "gaussian", "clamp": [0.0]},
        {"name": "gaussian", "clamp": [0.0, float("inf")]},
        {"name": "gaussian", "probability": 0.5},
        {"name": "masking", "probability": 0.0},
        {"name": "masking", "probability": 1.1},
        {"name": "salt-and-pepper", "probability": -0.1},
        {"name": "salt-and-pepper", "low": 1.0, "high": 1.0},
        {"name": "salt", "probability": 0.1},
        {"sigma": 0.5},
    ],
)
def test_what_makes_no_sense_as_a_corruption_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(CorruptionSettings).validate_python(values)


def test_a_clamp_can_be_left_out() -> None:
    settings = TypeAdapter(CorruptionSettings).validate_python({"name": "gaussian", "clamp": "none"})
    assert settings == GaussianCorruptionSettings(sigma=0.5, clamp=None)
    assert GaussianCorruptionSettings().clamp == [0.0, 1.0]
