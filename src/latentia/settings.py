"""The base of every typed setting: strict, immutable, without unknown keys.

Below everything: each folder owns the settings of what it builds and derives them from :class:`Settings`;
``recipes`` composes them into one config.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator

NONE = "none"  # how TOML and the command line, which have no null, write that an optional setting is not set


class Settings(BaseModel):
    """Typed settings: unknown keys, wrong types, NaN and infinities are errors; instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Read ``"none"`` as ``None`` where a setting may be unset, and a part without a name as the default one."""
        if not isinstance(values, Mapping):
            return values
        completed = dict(values)
        for name, field in cls.model_fields.items():
            value = completed.get(name)
            if isinstance(value, str) and value == NONE and NoneType in get_args(field.annotation):
                completed[name] = None
            default_name = getattr(field.default, "name", None)
            if isinstance(value, Mapping) and "name" not in value and isinstance(default_name, str):
                completed[name] = {"name": default_name, **value}
        return completed
