"""The settings of the objectives: what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from latentia.data.settings import MaskingCorruptionSettings
from latentia.maths.schedules import Cosine, Cyclical, Linear
from latentia.objectives.settings import AutoencoderSettings, ElboSettings


@pytest.mark.parametrize(
    "values",
    [
        {"beta": -0.1},
        {"beta": Linear(start=-1.0, end=1.0)},
        {"beta": Linear(start=1.0, end=-1.0, begin=0.4, until=0.5)},
        {"beta": Cosine(start=0.0, end=-1.0)},
        {"beta": Cyclical(low=-0.5, high=1.0, cycles=2)},
        {"capacity": -1.0},
        {"capacity": Linear(start=0.0, end=-1.0)},
        {"free_bits": -0.1},
        {"gamma": 0.0},
        {"samples": 0},
        {"samples": 1.5},
        {"beta": "1"},
        {"beta": True},
        {"beta": float("nan")},
        {"betta": 1.0},
    ],
)
def test_what_makes_no_sense_for_an_elbo_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ElboSettings(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"l1": -1.0},
        {"l2": -1.0},
        {"contractive": -1.0},
        {"kl_sparsity": -1.0},
        {"rho": 0.0},
        {"rho": 1.0},
        {"corruption": {"name": "gaussian", "sigma": -1.0}},
        {"corruption": {"sigma": 0.5}},
        {"beta": 1.0},
    ],
)
def test_what_makes_no_sense_for_an_autoencoder_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AutoencoderSettings(**values)


def test_what_makes_sense_is_kept() -> None:
    schedule = Linear(start=0.0, end=4.0, until=0.3)
    settings = ElboSettings(beta=schedule, samples=5)
    assert settings.beta == schedule and settings.samples == 5 and settings.capacity is None
    assert ElboSettings(beta=0.0, capacity=0.0).capacity == 0.0
    assert ElboSettings.model_validate({"capacity": "none"}).capacity is None
    for kind in (ElboSettings, AutoencoderSettings):
        assert kind.model_validate({"corruption": "none"}).corruption is kind().corruption is None
        corruption = {"name": "masking", "probability": 0.5}
        assert kind.model_validate({"corruption": corruption}).corruption == MaskingCorruptionSettings(probability=0.5)
