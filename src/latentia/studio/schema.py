"""The config's own schema as a form: a field for every setting, with its help text, limits and choices.

Nothing here names a setting: what there is, is read from the typed settings themselves.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from latentia.recipes.config import Config
from latentia.runs.listing import describe_preset

_KINDS: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "text"}


@cache
def fields() -> list[dict[str, Any]]:
    """Every setting of a config but for ``preset``, in order.

    Returns:
        For each ``key``, ``section``, ``type``, ``default``, ``choices``, ``optional``, ``min``, ``max``, ``help`` and
        ``when``: the key of a part's name, and under which names the field exists.

    Example:
        >>> next(field for field in fields() if field["key"] == "training.batch_size")["default"]
        128
    """
    found = [field for field in _of_model(Config, "", None) if field["key"] != "preset"]
    merged: list[dict[str, Any]] = []
    for field in found:
        same = next((other for other in merged if _without_when(other) == _without_when(field)), None)
        if same is not None and same["when"] and field["when"] and same["when"]["key"] == field["when"]["key"]:
            same["when"]["is"] = list(dict.fromkeys(same["when"]["is"] + field["when"]["is"]))
        else:
            merged.append(field)
    return merged


def preset_fields(name: str) -> dict[str, Any]:
    """A preset's values and where each comes from.

    Raises:
        ConfigError: If there is no such preset.
    """
    found = describe_preset(name)
    values = _flat(found["config"])
    listed = [
        {"key": key, "value": value, "from": found["origins"].get(key, "default")} for key, value in values.items()
    ]
    kept = ("name", "family", "description", "source", "notes")
    return {**{key: found[key] for key in kept}, "fields": listed}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys; a schedule, which a form shows as one value, stays whole."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = prefix + key
        if isinstance(value, dict) and not any(field["key"] == path for field in fields()):
            found |= _flat(value, f"{path}.")
        elif value is None and any(field["key"] == f"{path}.name" for field in fields()):
            found[f"{path}.name"] = None
        else:
            found[path] = value
    return found


def _without_when(field: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in field.items() if key != "when"}


def _of_model(model: type[BaseModel], prefix: str, when: dict[str, Any] | None) -> list[dict[str, Any]]:
    helps = _attributes(model)
    found = []
    for name, info in model.model_fields.items():
        if name == "name" and when is not None and when["key"] == f"{prefix}name":
            continue
        found += _of_field(prefix + name, info, info.description or helps.get(name, ""), when)
    return found


def _of_field(key: str, info: FieldInfo, text: str, when: dict[str, Any] | None) -> list[dict[str, Any]]:
    types = _plain(info.annotation)
    models = [kind for kind in types if isinstance(kind, type) and issubclass(kind, BaseModel)]
    optional, default = NoneType in types, info.get_default(call_default_factory=True)
    base = {"section": key.partition(".")[0] if "." in key else "", "optional": optional, "help": text, "when": when}
    if float in types and models:  # a schedule, or a number
        return [_field(key, "schedule", default, base)]
    if models and any("name" in model.model_fields for model in models):
        names = {name: model for model in models for name in _names_of(model)}
        chosen = {**base, "help": text or _first_line(models[0])}
        part = _field(f"{key}.name", "part", getattr(default, "name", None), chosen, list(names))
        below = [
            field
            for model in dict.fromkeys(models)
            for field in _of_model(model, f"{key}.", {"key": f"{key}.name", "is": _names_of(model)})
        ]
        return [part, *below]
    if models:
        return _of_model(models[0], f"{key}.", when)
    literals = [kind for kind in types if get_origin(kind) is Literal]
    if literals:
        return [_field(key, "choice", default, base, list(get_args(literals[0])))]
    kinds = [kind for kind in types if kind is not NoneType]
    kind = "list" if any(get_origin(one) is list for one in kinds) else _KINDS.get(kinds[0], "text")
    return [_field(key, kind, default, base | _limits(info))]


def _field(key: str, kind: str, default: Any, base: dict[str, Any], choices: list[Any] | None = None) -> dict[str, Any]:
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json")
    if isinstance(default, list):
        default = [item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in default]
    when = base["when"] and {"key": base["when"]["key"], "is": list(base["when"]["is"])}
    limits = {"min": base.get("min"), "max": base.get("max")}
    return {"key": key, "type": kind, "default": default, "choices": choices, **base, **limits, "when": when}


def _limits(info: FieldInfo) -> dict[str, Any]:
    found: dict[str, Any] = {"min": None, "max": None}
    for note in info.metadata:
        for side, names in (("min", ("ge", "gt")), ("max", ("le", "lt"))):
            for name in names:
                if getattr(note, name, None) is not None:
                    found[side] = getattr(note, name)
    return found


def _plain(annotation: Any) -> list[Any]:
    """The types of a union, without the notes on them."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Literal, list) or isinstance(annotation, type) or not get_args(annotation):
        return [annotation]
    return [kind for argument in get_args(annotation) for kind in _plain(argument)]


def _names_of(model: type[BaseModel]) -> list[str]:
    field = model.model_fields.get("name")
    return [] if field is None else [str(name) for name in get_args(field.annotation)]


def _first_line(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition("\n")[0]


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """What a class's docstring says of its attributes."""
    _, _, text = (inspect.getdoc(model) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        start = re.match(r"    (\w+): (.*)", line)
        if start:
            last = start[1]
            found[last] = start[2]
        elif last and line.startswith("        "):
            found[last] += " " + line.strip()
        elif line.strip():
            break
    return {name: value.replace("``", "") for name, value in found.items()}
