"""From pydantic's complaints to sentences, on settings that Latentia does not have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from latentia.maths.schedules import Schedule
from latentia.recipes.explanation import explain, settings_at
from latentia.settings import Settings


class Tea(Settings):
    name: Literal["tea"] = "tea"
    minutes: int = Field(default=3, ge=1)


class Coffee(Settings):
    name: Literal["coffee", "espresso"] = "coffee"
    beans: Literal["arabica", "robusta"] = "arabica"
    cups: list[Annotated[int, Field(ge=1)]] = Field(default=[1])


class Tray(Settings):
    drink: Annotated[Tea | Coffee, Field(discriminator="name")] = Tea()
    second: Annotated[Tea | Coffee, Field(discriminator="name")] | None = None
    sugar: Schedule = 1.0
    tea: Tea = Tea()  # called as a union's tag is
    share: float | list[float] = 0.5


AT_LEAST_1 = "must be greater than or equal to 1, not 0"


def complaint(values: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Tray.model_validate(values)
    return explain(caught.value, Tray, "the order")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"drnk": 1}, "the order has an unknown setting drnk. Did you mean 'drink'?"),
        (
            {"drink": {"name": "tea", "minuts": 1}},
            "the order has an unknown setting drink.minuts. Did you mean 'drink.minutes'?",
        ),
        (
            {"drink": {"name": "tea", "cups": [1]}},
            "the order has an unknown setting drink.cups. It belongs to name = 'coffee'.",
        ),
        ({"drink": {"name": "tea", "tea": 1}}, "the order has an unknown setting drink.tea."),
        ({"drink": {"name": "tea", "minutes": 0}}, f"the order: drink.minutes {AT_LEAST_1}"),
        ({"second": {"name": "tea", "minutes": 0}}, f"the order: second.minutes {AT_LEAST_1}"),
        ({"tea": {"minutes": 0}}, f"the order: tea.minutes {AT_LEAST_1}"),
        (
            {"drink": {"name": "espresso", "cups": [1, 2, 0]}},
            f"the order: drink.cups[2] {AT_LEAST_1}",
        ),
        (
            {"drink": {"name": "coffee", "beans": "arabia"}},
            "the order: drink.beans must be 'arabica' or 'robusta', not 'arabia'. Did you mean 'arabica'?",
        ),
        (
            {"drink": {"name": "tee"}},
            "the order: drink.name has no 'tee': use tea, coffee, espresso. Did you mean 'tea'?",
        ),
        ({"drink": "tea"}, "the order: drink must be a table with a name, not 'tea': write it as drink.name"),
        ({"drink": 1}, "the order: drink must be a table of settings, not 1"),
        ({"tea": 1}, "the order: tea must be a table of settings, not 1"),
        ({"sugar": "much"}, "the order: sugar must be a number or a table with a name, not 'much'"),
        ({"sugar": {"name": "linear", "start": 1.0}}, "the order: sugar.end is missing"),
        (
            {"sugar": {"name": "linear", "start": 1.0, "end": 0.0, "begin": 0.9, "until": 0.1}},
            "the order: sugar: until = 0.1 comes before begin = 0.9: exchange them",
        ),
        ({"share": "x"}, "the order: share must be a valid number, not 'x'"),
        ({"share": [0.1, "x"]}, "the order: share[1] must be a valid number, not 'x'"),
        ({"a": 1, "b": 1}, "the order has an unknown setting a. (and 1 more)"),
    ],
)  # fmt: skip
def test_a_complaint_is_one_sentence(values: Any, sentence: str) -> None:
    assert complaint(values) == sentence


def test_long_values_are_cut() -> None:
    assert len(complaint({"tea": "x" * 1000})) < 150


def test_settings_at_a_key() -> None:
    assert settings_at(Tray, []) == [Tray]
    assert settings_at(Tray, ["drink"]) == settings_at(Tray, ["second"]) == [Tea, Coffee]
    assert settings_at(Tray, ["tea"]) == [Tea]
    assert settings_at(Tray, ["tea", "minutes"]) == settings_at(Tray, ["share"]) == []
    assert len(settings_at(Tray, ["sugar"])) == 4
