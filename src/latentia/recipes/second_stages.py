"""Priors that are fitted to a trained model's latents: their settings, and how those are changed from outside.

As data, like presets: ``latentia fit-prior RUN NAME`` begins from the defaults below.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, ValidationError

from latentia.errors import ConfigError, did_you_mean
from latentia.maths.schedules import Cosine
from latentia.recipes.explanation import explain
from latentia.settings import NONE, Settings
from latentia.training.settings import OptimizerSettings, TrainingSettings


class MixtureStage(Settings):
    """A Gaussian mixture, fitted by expectation maximisation; of a conditional model, one for each class."""

    name: Literal["gmm"] = Field(default="gmm", description="A mixture of Gaussians over the latents.")
    components: int = Field(
        default=10, ge=1, le=10_000, description="How many Gaussians are mixed; of a conditional model, for each class."
    )
    covariance: Literal["full", "diagonal"] = Field(
        default="full", description="Whether latents are correlated within a component."
    )
    draws: int = Field(default=4, ge=1, description="Draws from the posterior of each sample; an autoencoder has one.")
    iterations: int = Field(default=200, ge=1, description="The most iterations of expectation maximisation.")
    regularisation: float = Field(
        default=1e-6, ge=0, description="Added to every variance, once the latents are standardised."
    )


class DiffusionStage(Settings):
    """A small diffusion model over the latents; of a conditional model, one that is told the class."""

    name: Literal["diffusion"] = Field(default="diffusion", description="A diffusion model over the latents.")
    width: int = Field(default=256, ge=1, le=2**16, description="Units of each block of the denoiser.")
    blocks: int = Field(default=3, ge=1, le=1000, description="Residual blocks of the denoiser.")
    levels: int = Field(default=1000, ge=1, le=10**6, description="Levels of noise in training.")
    sampling_steps: int = Field(default=100, ge=1, description="Steps from noise to a sample, at most the levels.")
    eta: float = Field(
        default=1.0, ge=0, le=1, description="Share of noise drawn anew in each step: 1 as in DDPM, 0 as in DDIM."
    )
    draws: int = Field(default=4, ge=1, description="Draws from the posterior of each sample; an autoencoder has one.")
    training: TrainingSettings = TrainingSettings(
        epochs=None,
        steps=8000,
        batch_size=256,
        optimizer=OptimizerSettings(lr=1e-3),
        lr_schedule=Cosine(start=1.0, end=0.0),
        ema=0.999,
        precision="fp32",
    )


class AutoregressiveStage(Settings):
    """A network that predicts each code from those before it."""

    name: Literal["autoregressive"] = Field(default="autoregressive", description="Each code given those before it.")
    width: int = Field(default=64, ge=1, le=2**16, description="Channels of the network.")
    layers: int = Field(default=6, ge=1, le=1000, description="Gated layers of the network.")
    training: TrainingSettings = TrainingSettings(
        epochs=None,
        steps=6000,
        batch_size=64,
        optimizer=OptimizerSettings(lr=1e-3),
        lr_schedule=Cosine(start=1.0, end=0.0),
        ema=0.999,
    )


Stage = MixtureStage | DiffusionStage | AutoregressiveStage

STAGES: dict[str, type[Settings]] = {
    "gmm": MixtureStage,
    "diffusion": DiffusionStage,
    "autoregressive": AutoregressiveStage,
}
"""What ``latentia fit-prior`` can fit: name -> settings."""


def make_stage(name: str, assignments: Iterable[str] = ()) -> Any:
    """The settings of a second stage, changed as asked for.

    Args:
        name: One of :data:`STAGES`.
        assignments: ``key=value``, such as ``components=20`` or ``training.steps=1000``; values are TOML.

    Raises:
        ConfigError: If there is no such prior or setting, or a value does not fit.

    Example:
        >>> make_stage("gmm", ["components=20"]).components
        20
        >>> make_stage("diffusion", ["training.epochs=5"]).training.steps is None
        True
    """
    if name not in STAGES:
        raise ConfigError(f"there is no prior '{name}' to fit: use {', '.join(STAGES)}.{did_you_mean(name, STAGES)}")
    kind = STAGES[name]
    values = kind().model_dump(mode="json")
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"'{assignment}' is not an assignment: write --set setting=value")
        _assign(values, key.strip(), _parsed(text.strip()))
    return read_stage(values, "--set")


def read_stage(values: Any, source: str) -> Any:
    """Check the settings of a second stage, as they were written down.

    Raises:
        ConfigError: If they do not fit.
    """
    name = values.get("name") if isinstance(values, dict) else None
    if name not in STAGES:
        raise ConfigError(f"{source}: there is no prior '{name}'")
    try:
        return STAGES[name].model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(error, STAGES[name], source)) from error


def _parsed(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    if key == "name":
        raise ConfigError("name is the prior that is fitted and cannot be set: give another one to fit instead")
    section: Any = values
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(section.get(parent), dict):
            raise ConfigError(f"there is no setting '{key}'.{did_you_mean(parent, section)}")
        section = section[parent]
    if last not in section:
        raise ConfigError(f"there is no setting '{key}'.{did_you_mean(last, section, prefix=key.removesuffix(last))}")
    section[last] = value
    if parents == ["training"] and value not in (None, NONE) and last in ("epochs", "steps"):
        section["steps" if last == "epochs" else "epochs"] = None
