"""The form of a config: what it offers fits the config itself."""

from __future__ import annotations

import pytest

from latentia.recipes import PRESETS
from latentia.recipes.config import Config, override
from latentia.studio.schema import fields, preset_fields


def test_every_field_says_what_it_is() -> None:
    assert len(fields()) > 100
    for field in fields():
        assert field["help"], field["key"]
        assert field["type"] in ("integer", "number", "boolean", "choice", "text", "list", "schedule", "part")
        assert (field["choices"] is not None) == (field["type"] in ("choice", "part")), field["key"]
        assert field["min"] is None or field["max"] is None or field["min"] < field["max"]


def test_defaults_are_those_of_the_config() -> None:
    values = Config().model_dump(mode="json")
    for field in fields():
        place = values
        *parents, last = field["key"].split(".")
        for name in parents:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict) and last in place and field["when"] is None:
            assert place[last] == field["default"], field["key"]


@pytest.mark.parametrize("key", [field["key"] for field in fields() if field["type"] == "part" and not field["when"]])
def test_every_part_can_be_chosen(key: str) -> None:
    (field,) = [field for field in fields() if field["key"] == key]
    if not key.startswith("model.base."):
        for name in field["choices"]:
            chosen = override(Config(), [f"{key}={name}"]).model_dump(mode="json")
            for part in key.split("."):
                chosen = chosen[part]
            assert chosen == name


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_preset_fills_the_form(preset: str) -> None:
    known = {field["key"] for field in fields()}
    found = preset_fields(preset)
    assert {field["key"] for field in found["fields"]} <= known | {"preset", "model.base"}
    assert {field["from"] for field in found["fields"]} == {"preset", "default"}
