"""Settings of training: one length, no nonsense, everything described."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from latentia.settings import Settings
from latentia.training.settings import OptimizerSettings, TrainingSettings

KINDS: list[type[Settings]] = [TrainingSettings, OptimizerSettings]
CASES = [(kind, name) for kind in KINDS for name in kind.model_fields]


def read(**values: Any) -> TrainingSettings:
    return TrainingSettings.model_validate(values)


# -- length -----------------------------------------------------------------------------------------------------------


def test_epochs_are_the_default():
    assert (TrainingSettings().epochs, TrainingSettings().steps) == (15, None)
    assert (read(epochs=0.5).epochs, read(epochs=2, steps="none").steps) == (0.5, None)
    assert read(steps=None).epochs == 15


@pytest.mark.parametrize("epochs", [{}, {"epochs": None}, {"epochs": "none"}])
def test_steps_take_the_place_of_epochs(epochs: dict[str, Any]):
    for settings in (read(steps=7, **epochs), TrainingSettings(steps=7)):
        assert (settings.epochs, settings.steps) == (None, 7)


@pytest.mark.parametrize(
    "values",
    [{"epochs": 15, "steps": 7}, {"epochs": None}, {"epochs": "none"}, {"epochs": None, "steps": None}],
)
def test_two_lengths_and_none_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError, match=r"exactly one of training\.epochs and training\.steps"):
        read(**values)


def test_the_default_stays_where_steps_are_none():
    assert read(steps="none").epochs == 15


@pytest.mark.parametrize("values", [{}, {"steps": 3}, {"epochs": 0.25, "ema": 0.9, "optimizer": {"name": "adamw"}}])
def test_what_is_written_is_read_back(values: dict[str, Any]):
    settings = read(**values)
    assert TrainingSettings.model_validate(settings.model_dump()) == settings
    assert TrainingSettings.model_validate_json(settings.model_dump_json()) == settings
    explicit = {key: "none" if value is None else value for key, value in settings.model_dump().items()}
    assert TrainingSettings.model_validate(explicit) == settings  # as TOML has it


# -- ranges -----------------------------------------------------------------------------------------------------------

ALLOWED: dict[str, list[Any]] = {
    "epochs": [1e-6, 1, 1_000_000],
    "batch_size": [1, 2**20],
    "lr_warmup": [0, 0.0, 0.999],
    "clip_norm": [None, "none", 1e-9, 100],
    "ema": [None, 1e-9, 0.9999],
    "patience": [None, 1],
    "evaluate_every": [None, 1],
    "checkpoint_every": [None, 1],
    "keep_checkpoints": [1, 100],
    "log_every": [1, 10**6],
    "device": ["auto", "cpu"],
    "precision": ["auto", "fp32", "bf16"],
    "compile": ["auto", "on", "off"],
    "threads": [None, 1, 1024],
    "lr_schedule": [1.0, 0.5, {"name": "cosine", "start": 1.0, "end": 0.0}],
}
REFUSED: dict[str, list[Any]] = {
    "epochs": [0, -1, 1_000_001, float("nan"), float("inf"), "15", True],
    "batch_size": [0, -1, 2**20 + 1, 8.0, None, "8", True],
    "lr_warmup": [-0.1, 1, None, float("nan")],
    "clip_norm": [0, -1.0, float("inf")],
    "ema": [0, 1, -0.5, 1.5],
    "patience": [0, -1, 1.5],
    "evaluate_every": [0, -1, 2.0],
    "checkpoint_every": [0, -1],
    "keep_checkpoints": [0, -1, None],
    "log_every": [0, 10**6 + 1, None],
    "device": [None, 0],
    "precision": ["fp16", "FP32", None, 32],
    "compile": ["yes", True, None, 1],
    "threads": [0, -1, 1025, 2.0],
    "lr_schedule": [None, "cosine", {"name": "cosine"}, float("nan")],
}


def test_every_setting_has_cases():
    rest = set(TrainingSettings.model_fields) - {"steps", "optimizer", "base_epochs", "base_run"}  # of stacked models
    assert set(ALLOWED) == set(REFUSED) == rest


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ALLOWED.items() for value in values])
def test_values_within_the_range_are_taken(name: str, value: Any):
    settings = read(**{name: value})
    if isinstance(value, int | float):
        assert getattr(settings, name) == value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_values_out_of_range_are_refused_by_name(name: str, value: Any):
    with pytest.raises(ValidationError) as caught:
        read(**{name: value})
    assert {error["loc"][:1] for error in caught.value.errors()} == {(name,)}


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("name", ["adam", "adamw"], ["sgd", "Adam", None]),
        ("lr", [1e-9, 1, 100.0], [0, -1e-3, float("nan"), float("inf"), "0.1"]),
        ("beta1", [0, 0.0, 0.999], [-0.1, 1, 1.0]),
        ("beta2", [0, 0.999999], [-0.1, 1]),
        ("eps", [1e-300], [0, -1e-8]),
        ("weight_decay", [0, 10.0], [-1e-9, float("inf")]),
    ],
)
def test_ranges_of_the_optimiser(name: str, allowed: list[Any], refused: list[Any]):
    for value in allowed:
        assert getattr(read(optimizer={name: value}).optimizer, name) == value
    for value in refused:
        with pytest.raises(ValidationError) as caught:
            read(optimizer={name: value})
        assert {error["loc"] for error in caught.value.errors()} == {("optimizer", name)}


@pytest.mark.parametrize("steps", [0, -3, 2.0, "7", True, 10**12 + 1])
def test_steps_out_of_range_are_refused(steps: Any):
    with pytest.raises(ValidationError):
        read(steps=steps)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_keys_and_changes_are_refused(kind: type[Settings]):
    with pytest.raises(ValidationError, match="Extra inputs"):
        kind.model_validate({"learning_rate": 0.1})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(kind(), next(iter(kind.model_fields)), None)


# -- descriptions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_setting_is_described(kind: type[Settings], name: str):
    described = kind.model_json_schema()["properties"][name].get("description", "")
    assert len(described) > 10 and described[0].isupper() | described.startswith("auto") and described.endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_has_a_default(kind: type[Settings]):
    assert kind.__doc__
    assert all(not field.is_required() for field in kind.model_fields.values())
