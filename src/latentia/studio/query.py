"""What a request asks for, read strictly: every wrong value is one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from latentia.errors import ConfigError


class Query:
    """The values of a request by name, as text from an address or as JSON.

    Args:
        values: Name -> value.
        several: Name -> all values, of names that may be repeated.

    Example:
        >>> Query({"n": "20"}).whole("n", 8, 1, 50)
        20
        >>> Query({"n": "x"}).whole("n", 8, 1, 50)
        Traceback (most recent call last):
        latentia.errors.ConfigError: n must be a whole number from 1 to 50, not 'x'
    """

    def __init__(self, values: Mapping[str, Any], several: Mapping[str, list[str]] | None = None) -> None:
        self.values, self._several = values, several or {}

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in a range."""
        found = self.maybe_whole(name, low, high)
        return default if found is None else found

    def maybe_whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number in a range, or ``None`` where none was given."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        number = int(value) if _is_whole(value) else None
        if number is None or not low <= number <= high:
            raise ConfigError(f"{name} must be a whole number from {low} to {high}, not {_shown(value)}")
        return number

    def real(self, name: str, default: float | None = None) -> float | None:
        """A finite number."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or abs(number) > 1e6:
            raise ConfigError(f"{name} must be a number between -1e6 and 1e6, not {_shown(value)}")
        return number

    def word(self, name: str, default: str, choices: tuple[str, ...] | None = None) -> str:
        """A word, one of several where there is a choice."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if not isinstance(value, str) or (choices is not None and value not in choices):
            kinds = "text" if choices is None else " or ".join(choices)
            raise ConfigError(f"{name} must be {kinds}, not {_shown(value)}")
        return value

    def all(self, name: str) -> list[str]:
        """Every value of a name that may be repeated."""
        return self._several.get(name, [])

    def flag(self, name: str, default: bool) -> bool:
        """0 or 1."""
        return bool(self.whole(name, int(default), 0, 1))


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 20
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return repr(value)[:60]
