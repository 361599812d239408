"""Schedules at their end points, in between, as a config writes them, and what they refuse."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from pydantic import ValidationError

from latentia.errors import ConfigError
from latentia.maths.schedules import Constant, Cosine, Cyclical, Linear, Schedule, parse, settled_at, value_at
from latentia.settings import Settings

PROGRESS = np.linspace(0, 1, 1001)


class Example(Settings):
    beta: Schedule = 1.0


def test_constant() -> None:
    assert {Constant(value=4.0)(t) for t in PROGRESS} == {4.0}
    assert {value_at(2.5, t) for t in PROGRESS} == {2.5}


@pytest.mark.parametrize("kind", [Linear, Cosine])
@pytest.mark.parametrize(("begin", "until"), [(0.0, 1.0), (0.0, 0.3), (0.2, 0.9), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (3.0, 0.1)])
def test_ramps(kind: type[Linear | Cosine], start: float, end: float, begin: float, until: float) -> None:
    ramp = kind(start=start, end=end, begin=begin, until=until)
    values = np.array([ramp(t) for t in PROGRESS])
    assert (np.diff(values) * np.sign(end - start) >= 0).all()
    assert ramp(until) == ramp(1.0) == end
    assert begin == until or ramp(begin) == ramp(0.0) == start
    assert ramp((begin + until) / 2) == pytest.approx((start + end) / 2 if begin < until else end)
    assert settled_at(ramp) == until
    assert len({ramp(t) for t in PROGRESS if t >= settled_at(ramp)}) == 1
    if until > begin:
        assert ramp(until - 1e-3) != end


def test_shapes_in_between() -> None:
    assert Linear(start=1.0, end=3.0)(0.25) == pytest.approx(1.5)
    assert Cosine(start=1.0, end=3.0)(0.25) == pytest.approx(2 - math.cos(math.pi / 4))


@pytest.mark.parametrize("schedule", [Linear(start=0.0, end=1.0), Cosine(start=0.0, end=1.0)])
def test_progress_beyond_the_plan_is_clamped(schedule: Linear | Cosine) -> None:
    assert schedule(-0.5) == 0.0 and schedule(1.5) == 1.0


def test_cyclical_repeats_and_ends_at_the_top() -> None:
    beta = Cyclical(low=0.2, high=1.0, cycles=4, ramp=0.5)
    assert [beta(k / 4) for k in range(4)] == [0.2] * 4
    assert [beta((k + 0.25) / 4) for k in range(4)] == pytest.approx([0.6] * 4)
    assert [beta((k + 0.5) / 4) for k in range(4)] == [1.0] * 4
    assert [beta((k + 0.99) / 4) for k in range(4)] == [1.0] * 4
    assert beta(1.0) == beta(7.0) == 1.0 and beta(-1.0) == 0.2
    assert all(0.2 <= beta(t) <= 1.0 for t in PROGRESS)
    assert sum(beta(a) > beta(b) for a, b in itertools.pairwise(PROGRESS)) == 3


def test_cyclical_is_the_papers_over_steps() -> None:
    steps, cycles, ramp = 400, 4, 0.5
    schedule = Cyclical(low=0.0, high=1.0, cycles=cycles, ramp=ramp)
    for step in range(1, steps + 1):  # the paper counts from 1, so that step t has t - 1 steps behind it
        tau = ((step - 1) % math.ceil(steps / cycles)) / (steps / cycles)
        assert schedule((step - 1) / steps) == pytest.approx(tau / ramp if tau <= ramp else 1.0)


def test_settled_at() -> None:
    assert settled_at(3.0) == settled_at(3) == settled_at(Constant(value=3.0)) == 0.0
    assert settled_at(Linear(start=1.0, end=1.0, until=0.5)) == settled_at(Cosine(start=1.0, end=1.0)) == 0.0
    assert settled_at(Cyclical(low=0.0, high=1.0, cycles=3)) == 1.0
    assert settled_at(Cyclical(low=1.0, high=1.0, cycles=3)) == 0.0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1.0, 1.0),
        (2, 2.0),
        ({"name": "constant", "value": 4.0}, Constant(value=4.0)),
        ({"name": "linear", "start": 0.0, "end": 1.0, "until": 0.3}, Linear(start=0.0, end=1.0, until=0.3)),
        ({"name": "cosine", "start": 0, "end": 1}, Cosine(start=0.0, end=1.0)),
        ({"name": "cyclical", "low": 0.0, "high": 1.0, "cycles": 4}, Cyclical(low=0.0, high=1.0, cycles=4)),
        (Linear(start=0.0, end=1.0), Linear(start=0.0, end=1.0)),
    ],
)
def test_a_config_may_hold_a_number_or_a_table(written: object, meant: object) -> None:
    assert parse(written) == meant
    config = Example.model_validate({"beta": written})
    assert config.beta == meant
    assert Example.model_validate(config.model_dump()) == config
    assert Example.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"name": "linaer", "start": 0.0, "end": 1.0}, "Did you mean 'linear'?"),
        ({"start": 0.0, "end": 1.0}, "whose name is one of constant, linear, cosine, cyclical"),
        ("0.5", "a number or a table"),
        (None, "a number or a table"),
        ([1.0], "a number or a table"),
        ({"name": ["linear"]}, "a number or a table"),
        (True, "valid number"),
        (math.nan, "finite"),
        (math.inf, "finite"),
        ({"name": "linear", "start": 0.0}, "linear.end: Field required"),
        ({"name": "linear", "start": 0.0, "end": 1.0, "untill": 0.5}, "linear.untill: Extra"),
        ({"name": "linear", "start": 0.0, "end": math.nan}, "linear.end"),
        ({"name": "linear", "start": "0", "end": 1.0}, "linear.start"),
        ({"name": "linear", "start": 0.0, "end": 1.0, "until": 1.5}, "linear.until"),
        ({"name": "cosine", "start": 0.0, "end": 1.0, "begin": -0.1}, "cosine.begin"),
        ({"name": "cosine", "start": 0.0, "end": 1.0, "begin": 0.6, "until": 0.5}, "exchange them"),
        ({"name": "cyclical", "low": 0.0, "high": 1.0, "cycles": 0}, "cyclical.cycles"),
        ({"name": "cyclical", "low": 0.0, "high": 1.0, "cycles": 2, "ramp": 0.0}, "cyclical.ramp"),
    ],
)
def test_what_is_no_schedule_is_an_error_that_says_so(written: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(written)
    assert message in str(caught.value)
    with pytest.raises(ValidationError):
        Example.model_validate({"beta": written})


def test_schedules_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Linear(start=0.0, end=1.0).start = 2.0  # type: ignore[misc]
