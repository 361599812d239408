"""What pydantic found wrong, in one sentence that names the setting as a user writes it.

Owns the way from pydantic's places (with the tags of unions in them) to dotted keys; must not know which settings
there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from latentia.errors import did_you_mean

_WIDTH = 60  # characters of a wrong value that are shown
_NO_TABLE = ("model_type", "model_attributes_type", "dict_type", "union_tag_not_found")


def explain(
    error: ValidationError, root: type[BaseModel], source: str, arguments: Mapping[str, str] | None = None
) -> str:
    """Put the first of pydantic's complaints into one sentence.

    Args:
        error: What it raised.
        root: The settings that it was to read.
        source: Where the values came from.
        arguments: Dotted key -> the argument that it was given by, which is named instead of the source and the key.

    Returns:
        Such as ``the config has an unknown setting model.latent_dims. Did you mean 'model.latent_dim'?``
    """
    problems = error.errors(include_url=False)
    paths = [_path(root, problem) for problem in problems]
    # A union without a name complains once for each of its kinds: the one that got furthest is meant.
    same = [i for i, path in enumerate(paths) if path == paths[0] or path.startswith(paths[0] + "[")]
    chosen = max(same, key=lambda i: len(paths[i]))
    others = len({path for path in paths if not paths[chosen].startswith(path)})
    sentence = _sentence(root, problems[chosen], paths[chosen], source)
    argument = (arguments or {}).get(paths[chosen])
    if argument is not None:
        sentence = sentence.replace(f"{source}: {paths[chosen]}", argument, 1)
    return sentence + (f" (and {others} more)" if others else "")


def settings_at(root: type[BaseModel], keys: Iterable[str]) -> list[type[BaseModel]]:
    """The kinds of settings that can stand at a dotted key: several for a part that is chosen by name.

    Example:
        >>> from latentia.training.settings import TrainingSettings
        >>> [kind.__name__ for kind in settings_at(TrainingSettings, ["optimizer"])]
        ['OptimizerSettings']
    """
    return _models_in(_follow(root, keys)[1])


def _follow(root: type[BaseModel], steps: Iterable[Any]) -> tuple[str, list[Any], list[Any]]:
    """Walk along a place: its dotted key, the types that fit there, and the same before a union's tag was read."""
    path, here = "", [root]
    before: list[Any] = here
    for step in steps:
        models = _models_in(here)
        fields = [model.model_fields[step] for model in models if step in model.model_fields]
        if isinstance(step, int):
            path += f"[{step}]"
        elif fields:
            path = f"{path}.{step}" if path else step
            here = before = [field.annotation for field in fields]
        else:  # the tag of a union, which no user writes
            here = [model for model in models if step in _names_of(model)] or here
    return path, here, before


def _path(root: type[BaseModel], problem: Mapping[str, Any]) -> str:
    place = problem["loc"]
    if problem["type"] not in ("extra_forbidden", "invalid_key"):
        return _follow(root, place)[0]
    parent = _follow(root, place[:-1])[0]
    return f"{parent}.{place[-1]}" if parent else str(place[-1])


def _sentence(root: type[BaseModel], problem: Mapping[str, Any], path: str, source: str) -> str:
    kind, value = problem["type"], problem["input"]
    if kind == "extra_forbidden":
        return f"{source} has an unknown setting {path}.{_suggestion(root, problem['loc'])}"
    if kind == "missing":
        return f"{source}: {path} is missing"
    here = _follow(root, problem["loc"])[1]
    if kind == "union_tag_invalid":
        context = problem["ctx"]
        options = [option.strip(" '") for option in str(context["expected_tags"]).split(",")]
        names = [option for option in options if option != "number"]
        wrong = str(context["tag"])
        return f"{source}: {path}.name has no '{wrong}': use {', '.join(names)}.{did_you_mean(wrong, names)}"
    if kind in _NO_TABLE:
        number = "a number or " if float in _plain(here) else ""
        if isinstance(value, Mapping):
            return f"{source}: {path} needs a name"
        if isinstance(value, str) and len(_models_in(here)) > 1:
            remedy = f": write it as {path}.name" if not number else ""
            return f"{source}: {path} must be {number}a table with a name, not {_shown(value)}{remedy}"
        return f"{source}: {path} must be {number}a table of settings, not {_shown(value)}"
    message = problem["msg"]
    if kind == "value_error":
        message = message.removeprefix("Value error, ")
        return f"{source}: {path}: {message}" if path else f"{source}: {message}"
    if kind in ("too_short", "too_long"):
        return f"{source}: {path}: {_lower(message.replace(' after validation', ''))}"
    hint = ""
    if kind == "literal_error" and isinstance(value, str):
        hint = did_you_mean(value, [str(name) for kind in here for name in get_args(kind)])
        hint = f".{hint}" if hint else ""
    if kind == "list_type" and isinstance(value, str | int | float):
        hint = f": write it as [{_shown(value) if not isinstance(value, str) else value.strip()}]"
    must = message.replace("Input should", "must", 1)
    if must == message:
        return f"{source}: {path}: {_lower(message)}, not {_shown(value)}"
    return f"{source}: {path} {must}, not {_shown(value)}{hint}"


def _suggestion(root: type[BaseModel], place: tuple[Any, ...]) -> str:
    """What an unknown setting may have been meant to be."""
    _, here, before = _follow(root, place[:-1])
    last = str(place[-1])
    owners = [name for model in _models_in(before) if last in model.model_fields for name in _names_of(model)]
    if owners:
        return f" It belongs to name = '{owners[0]}'."
    above = _follow(root, place[:-1])[0]
    names = [name for model in _models_in(here) for name in model.model_fields]
    return did_you_mean(last, names, prefix=f"{above}." if above else "")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        return "a number of so many digits"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def _names_of(model: type[BaseModel]) -> tuple[Any, ...]:
    """What ``name`` says where a union takes this member."""
    field = model.model_fields.get("name")
    return () if field is None else get_args(field.annotation)


def _plain(annotations: Any) -> list[Any]:
    """The types that an annotation, or a list of them, is made of, without its unions and notes."""
    if isinstance(annotations, list):
        return [kind for annotation in annotations for kind in _plain(annotation)]
    if get_origin(annotations) is Annotated:
        return _plain(get_args(annotations)[0])
    if isinstance(annotations, type) or not get_args(annotations):
        return [annotations]
    return [kind for argument in get_args(annotations) for kind in _plain(argument)]


def _models_in(annotations: Any) -> list[type[BaseModel]]:
    return [kind for kind in _plain(annotations) if isinstance(kind, type) and issubclass(kind, BaseModel)]
