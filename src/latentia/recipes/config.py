"""The whole config of a run: typed, strict, readable from TOML and written back so that it repeats the run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, ValidationError

from latentia.data.settings import DataSettings
from latentia.errors import ConfigError, did_you_mean
from latentia.objectives.settings import ElboSettings, ObjectiveSettings
from latentia.parts.settings import (
    BernoulliSettings,
    DecoderSettings,
    EncoderSettings,
    GaussianPosteriorSettings,
    LabelConditionSettings,
    LikelihoodSettings,
    MLPSettings,
    PosteriorSettings,
    PriorSettings,
    StandardNormalPriorSettings,
)
from latentia.recipes.explanation import explain, settings_at
from latentia.settings import NONE, Settings
from latentia.training.settings import TrainingSettings


class BaseModelSettings(Settings):
    """The parts of a model beneath another, whose data are then its latents: a VAE without labels, M1."""

    latent_dim: int = Field(default=50, ge=1, le=2**20, description="Number of latent dimensions.")
    encoder: EncoderSettings = MLPSettings(hidden=[600, 600])
    decoder: DecoderSettings = MLPSettings(hidden=[600, 600])
    posterior: GaussianPosteriorSettings = GaussianPosteriorSettings()
    prior: StandardNormalPriorSettings = StandardNormalPriorSettings()
    likelihood: LikelihoodSettings = BernoulliSettings()


class ModelSettings(Settings):
    """The parts of a model."""

    latent_dim: int | None = Field(
        default=20,
        ge=1,
        le=2**20,
        description="Number of latent dimensions; none where the encoder's feature map is the latents.",
    )
    encoder: EncoderSettings = MLPSettings(hidden=[400])
    decoder: DecoderSettings = MLPSettings(hidden=[400])
    posterior: PosteriorSettings = GaussianPosteriorSettings()
    prior: PriorSettings | None = Field(
        default=StandardNormalPriorSettings(), description="p(z), or none for an autoencoder."
    )
    likelihood: LikelihoodSettings = BernoulliSettings()
    condition: LabelConditionSettings | None = Field(
        default=None, description="What the model is conditioned on, or none; 'name = \"labels\"' for the classes."
    )
    classifier: EncoderSettings | None = Field(
        default=None, description="The network of q(y given x), for objective.name = 'semi-supervised'; or none."
    )
    base: BaseModelSettings | None = Field(
        default=None, description="A model beneath this one, which then takes its latents for data; or none."
    )


class Config(Settings):
    """Everything that determines a run but for the machine."""

    preset: str | None = Field(
        default=None, pattern="^[a-z0-9][a-z0-9-]*$", description="The preset that it began from; for the record."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Determines initial weights, batches and noise.")
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ElboSettings()
    training: TrainingSettings = TrainingSettings()


def make_config(
    values: Mapping[str, Any], source: str = "the config", arguments: Mapping[str, str] | None = None
) -> Config:
    """Check a nested mapping and make it a :class:`Config`.

    Args:
        values: Nested settings; ``"none"`` stands for an unset optional one. A part without a ``name`` is the default
            one.
        source: Where they came from, to be named in errors.
        arguments: Dotted key -> the argument that it was given by, which is named instead.

    Raises:
        ConfigError: An unknown key (with the nearest one), a wrong type, or a value out of range.

    Example:
        >>> make_config({"model": {"latent_dim": 2}}).model.latent_dim
        2
        >>> make_config({"sede": 2})
        Traceback (most recent call last):
        latentia.errors.ConfigError: the config has an unknown setting sede. Did you mean 'seed'?
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source} is not a table of settings")
    try:
        config = Config.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(explain(error, Config, source, arguments or {})) from error
    try:
        to_toml(config).encode("utf-8")
    except ValueError as error:  # a whole number of thousands of digits, or half of a character
        raise ConfigError(f"{source} has a value that cannot be written down: {error}") from error
    return config


def read_config(path: Path) -> Config:
    """Read a TOML file.

    Raises:
        ConfigError: If it cannot be read, is no TOML, or does not fit; see :func:`make_config`.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot read the config {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of the encoding, the syntax, or a number of thousands of digits
        raise ConfigError(f"{path} is not a TOML file: {error}") from error
    return make_config(values, str(path))


def to_toml(config: Config) -> str:
    """Write a config as TOML, every setting included, so that reading it back gives an equal config.

    Example:
        >>> import tomllib
        >>> make_config(tomllib.loads(to_toml(Config()))) == Config()
        True
    """
    return tomli_w.dumps(_without_none(config.model_dump(mode="json")))


def override(config: Config, assignments: Iterable[str], arguments: Mapping[str, str] | None = None) -> Config:
    """Apply assignments such as ``training.batch_size=64`` or ``objective.beta={name="linear", start=0.0}``.

    The value is read as TOML, and as a plain string where it is none. Assigning ``name`` of a part that is chosen by
    name (``model.likelihood.name=gaussian``) replaces that part's settings by the defaults of the new one. Assigning
    one of ``training.steps`` and ``training.epochs`` unsets the other.

    Args:
        config: What to start from.
        assignments: ``dotted.key=value``, applied in order.
        arguments: Dotted key -> the argument that it was given by, which errors name instead.

    Raises:
        ConfigError: If an assignment has no ``=``, names or values do not fit, or one assignment undoes another.

    Example:
        >>> override(Config(), ["model.latent_dim=2", "training.optimizer.lr=5e-4"]).training.optimizer.lr
        0.0005
    """
    values = config.model_dump(mode="json")
    given: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            raise ConfigError(f"'{assignment}' is not an assignment: write --set section.setting=value")
        value = _parse(text.strip())
        _assign(values, key, value, given)
        given[key] = value
    return make_config(values, "--set", arguments)


def _parse(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _assign(values: dict[str, Any], key: str, value: Any, given: Mapping[str, Any]) -> None:
    *parents, last = key.split(".")
    section = _section(values, parents, key)
    if last == "name" and len(settings_at(Config, parents)) > 1:
        if section.get("name") != value:
            _refuse_undoing(key, value, given)
            section.clear()
    elif section and last not in section and "name" not in section and not _is_setting(parents, last):
        raise ConfigError(f"there is no setting '{key}'.{did_you_mean(last, section, prefix=key.removesuffix(last))}")
    section[last] = value
    if key in _EXCLUSIVE and value != NONE:
        other = _EXCLUSIVE[key]
        if given.get(other, NONE) != NONE:
            raise ConfigError(f"{key} and {other} exclude each other: give one of them")
        section[other.rpartition(".")[2]] = None


def _is_setting(parents: list[str], last: str) -> bool:
    return any(last in kind.model_fields for kind in settings_at(Config, parents))


_EXCLUSIVE = {"training.steps": "training.epochs", "training.epochs": "training.steps"}


def _section(values: dict[str, Any], parents: list[str], key: str) -> dict[str, Any]:
    """The mapping that holds the last part of a dotted key; one that is not there yet is begun."""
    section: Any = values
    for depth, name in enumerate(parents, 1):
        if name not in section:
            above, below = (".".join(part) for part in (parents[: depth - 1], key.split(".")[depth:]))
            hint = did_you_mean(name, section, prefix=above and f"{above}.", suffix=f".{below}")
            raise ConfigError(f"there is no setting '{key}'.{hint}")
        if not isinstance(section[name], dict) and settings_at(Config, parents[:depth]):
            section[name] = {}  # it was unset, or a schedule written as a number
        section = section[name]
        if not isinstance(section, dict):
            raise ConfigError(f"there is no setting '{key}': '{'.'.join(parents[:depth])}' has no settings of its own")
    return section


def _refuse_undoing(key: str, value: Any, given: Mapping[str, Any]) -> None:
    undone = [earlier for earlier in given if earlier.startswith(key.removesuffix("name"))]
    if undone:
        raise ConfigError(
            f"{key} = '{value}' brings its own settings, which undoes {undone[0]}: give the name before the rest"
        )


def _without_none(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _without_none(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_without_none(value) for value in values]
    return NONE if values is None else values
