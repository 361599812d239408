"""What a coefficient is worth as a fraction of the planned run goes by.

Owns the shapes of schedules and how a config writes them; knows no steps, epochs or models. ``t`` is progress in
[0, 1]: 0 before the first optimiser step, 1 at the end of the planned run; values outside are clamped.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from latentia.errors import ConfigError, did_you_mean
from latentia.settings import Settings

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


def _clamped(t: float) -> float:
    return min(max(t, 0.0), 1.0)


class Constant(Settings):
    """The same value throughout.

    Attributes:
        value: The value.

    Example:
        >>> Constant(value=4.0)(0.3)
        4.0
    """

    name: Literal["constant"] = "constant"
    value: float

    def __call__(self, t: float) -> float:
        """Return the value at progress ``t``."""
        return self.value


class _Ramp(Settings):
    """From ``start`` to ``end`` between two fractions of the run, and constant before and after."""

    start: float
    end: float
    begin: Fraction = 0.0
    until: Fraction = 1.0

    @model_validator(mode="after")
    def _in_order(self) -> _Ramp:
        if self.until < self.begin:
            raise ValueError(f"until = {self.until} comes before begin = {self.begin}: exchange them")
        return self

    def _passed(self, t: float) -> float:
        """Fraction of the ramp that lies behind, in [0, 1]; a ramp without length is a jump."""
        t = _clamped(t)
        if t >= self.until:
            return 1.0
        return 0.0 if t <= self.begin else (t - self.begin) / (self.until - self.begin)

    def _between(self, fraction: float) -> float:
        return self.end if fraction == 1.0 else self.start + (self.end - self.start) * fraction


class Linear(_Ramp):
    """A straight line from ``start`` to ``end``, constant before ``begin`` and after ``until``.

    KL annealing: Bowman et al., "Generating Sentences from a Continuous Space" (2016), https://arxiv.org/abs/1511.06349,
    section 3.1 (there a sigmoid; the straight line is the later custom).

    Attributes:
        start: Value at ``begin`` and before.
        end: Value at ``until`` and after.
        begin: Fraction of the run at which the change begins, in [0, 1].
        until: Fraction at which it ends, in [begin, 1].

    Example:
        >>> warm_up = Linear(start=0.0, end=1.0, until=0.5)
        >>> [warm_up(t) for t in (0.0, 0.25, 0.5, 1.0)]
        [0.0, 0.5, 1.0, 1.0]
    """

    name: Literal["linear"] = "linear"

    def __call__(self, t: float) -> float:
        """Return the value at progress ``t``."""
        return self._between(self._passed(t))


class Cosine(_Ramp):
    r"""Half a cosine from ``start`` to ``end``, flat at both ends.

    .. math:: start + (end - start)\, \tfrac12 (1 - \cos \pi s), \quad s = (t - begin) / (until - begin)

    Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), https://arxiv.org/abs/1608.03983,
    equation 5, for one period and for any two end points.

    Attributes:
        start: Value at ``begin`` and before.
        end: Value at ``until`` and after.
        begin: Fraction of the run at which the change begins, in [0, 1].
        until: Fraction at which it ends, in [begin, 1].

    Example:
        >>> [round(Cosine(start=1.0, end=0.0)(t), 3) for t in (0.0, 0.25, 0.5, 1.0)]
        [1.0, 0.854, 0.5, 0.0]
    """

    name: Literal["cosine"] = "cosine"

    def __call__(self, t: float) -> float:
        """Return the value at progress ``t``."""
        passed = self._passed(t)
        return self._between(passed if passed in (0.0, 1.0) else 0.5 * (1.0 - math.cos(math.pi * passed)))


class Cyclical(Settings):
    r"""A sawtooth with flat tops: in every cycle a straight line from ``low`` to ``high``, then ``high``.

    .. math:: low + (high - low) \min(1, \tau / R), \quad \tau = t\, M \bmod 1

    Fu et al., "Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing" (2019),
    https://arxiv.org/abs/1903.10145, equations 6 and 7. The run ends at the top of the last cycle, as in the paper,
    whose steps count from 1.

    Attributes:
        low: Value at which every cycle starts.
        high: Value at which every cycle ends.
        cycles: M, the number of cycles in the planned run, >= 1.
        ramp: R, the fraction of a cycle that the line takes, in (0, 1].

    Example:
        >>> beta = Cyclical(low=0.0, high=1.0, cycles=2)
        >>> [beta(t) for t in (0.0, 0.125, 0.25, 0.5, 0.625, 1.0)]
        [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]
    """

    name: Literal["cyclical"] = "cyclical"
    low: float
    high: float
    cycles: Annotated[int, Field(ge=1)]
    ramp: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

    def __call__(self, t: float) -> float:
        """Return the value at progress ``t``."""
        t = _clamped(t)
        within = 1.0 if t == 1.0 else (t * self.cycles) % 1.0
        return self.high if within >= self.ramp else self.low + (self.high - self.low) * within / self.ramp


def _kind(value: Any) -> Any:
    """Tell pydantic which member of the union is meant, so that errors speak of that one alone."""
    if isinstance(value, (int, float)):
        return "number"
    return value.get("name") if isinstance(value, dict) else getattr(value, "name", None)


_Named = (
    Annotated[Constant, Tag("constant")]
    | Annotated[Linear, Tag("linear")]
    | Annotated[Cosine, Tag("cosine")]
    | Annotated[Cyclical, Tag("cyclical")]
)

ScheduleSettings = Annotated[Constant | Linear | Cosine | Cyclical, Field(discriminator="name")]
"""A schedule that is written as a table with a ``name``."""

Schedule = Annotated[Annotated[float, Tag("number")] | _Named, Discriminator(_kind)]
"""What a config may hold for a coefficient: a number or ``{name = "linear", start = 0.0, end = 1.0, until = 0.3}``."""

_NAMES = ("constant", "linear", "cosine", "cyclical")
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Schedule, config=ConfigDict(strict=True, allow_inf_nan=False))


def parse(value: Any) -> Schedule:
    """Read a schedule as a config holds it.

    Args:
        value: A number, a dictionary with a ``name``, or a schedule.

    Returns:
        A float or one of the schedules.

    Raises:
        ConfigError: If the name is unknown, or a setting is missing, misspelt, of the wrong type or out of range.

    Example:
        >>> parse({"name": "linear", "start": 0.0, "end": 1.0, "until": 0.3})(0.15)
        0.5
        >>> parse(1)
        1.0
    """
    name = _kind(value)
    if name not in ("number", *_NAMES):
        hint = did_you_mean(name, _NAMES) if isinstance(name, str) else ""
        raise ConfigError(f"a schedule is a number or a table whose name is one of {', '.join(_NAMES)}.{hint}")
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"schedule {where}: {first['msg']}") from error


def value_at(schedule: Schedule, t: float) -> float:
    """Evaluate a schedule.

    Args:
        schedule: A number or a schedule.
        t: Progress in [0, 1].

    Returns:
        The coefficient's value.

    Example:
        >>> value_at(1.0, 0.5), value_at(Linear(start=0.0, end=2.0), 0.5)
        (1.0, 1.0)
    """
    return float(schedule) if isinstance(schedule, (int, float)) else schedule(t)


def settled_at(schedule: Schedule) -> float:
    """Say after which fraction of the run a schedule no longer changes.

    Losses before and after that point are of different objectives and must not be compared.

    Args:
        schedule: A number or a schedule.

    Returns:
        A fraction in [0, 1]: 0 for what never changes; 1 for cycles, whose last top is part of the schedule.

    Example:
        >>> settled_at(1.0), settled_at(Linear(start=0.0, end=1.0, until=0.3))
        (0.0, 0.3)
    """
    if isinstance(schedule, _Ramp):
        return 0.0 if schedule.start == schedule.end else schedule.until
    if isinstance(schedule, Cyclical):
        return 0.0 if schedule.low == schedule.high else 1.0
    return 0.0
