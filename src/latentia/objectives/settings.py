"""The typed settings of the objectives."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from latentia.data.settings import CorruptionSettings
from latentia.errors import ConfigError
from latentia.maths.schedules import Schedule, value_at
from latentia.settings import Settings

_CORRUPTION = (
    "What is done to the data before the model sees them in training; the distortion is against the clean ones. None "
    "if unset."
)


class ElboSettings(Settings):
    """The evidence lower bound, with a factor or a target on the rate."""

    name: Literal["elbo"] = "elbo"
    beta: Schedule = Field(default=1.0, description="Factor on the rate; a number or a schedule over the run.")
    free_bits: float = Field(default=0.0, ge=0, description="Nats that each latent dimension may carry free of charge.")
    capacity: Schedule | None = Field(
        default=None, description="Target of the rate in nats; the loss is then distortion + gamma |rate - capacity|."
    )
    gamma: float = Field(
        default=1000.0, gt=0, description="Factor on the distance to the capacity; used only with one."
    )
    samples: int = Field(default=1, ge=1, description="Draws of z per image over which distortion is averaged.")
    corruption: CorruptionSettings | None = Field(default=None, description=_CORRUPTION)

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        for name, schedule in (("beta", self.beta), ("capacity", self.capacity)):
            # every schedule has its extremes at the ends of the run
            if schedule is not None and min(value_at(schedule, 0.0), value_at(schedule, 1.0)) < 0:
                raise ConfigError(f"{name} must be at least 0 throughout the run: a rate is never negative")
        return self


class AutoencoderSettings(Settings):
    """Distortion alone, with optional penalties on the latents."""

    name: Literal["autoencoder"] = "autoencoder"
    l1: float = Field(default=0.0, ge=0, description="Factor on the sum of |z| over latent dimensions.")
    l2: float = Field(default=0.0, ge=0, description="Factor on the sum of z squared over latent dimensions.")
    contractive: float = Field(default=0.0, ge=0, description="Factor on the squared Frobenius norm of dz/dx.")
    kl_sparsity: float = Field(
        default=0.0,
        ge=0,
        description="Factor on the KL from rho to the mean activation of each latent over a batch; needs "
        "model.posterior.activation = 'sigmoid'.",
    )
    rho: float = Field(
        default=0.05, gt=0, lt=1, description="The mean activation that kl_sparsity aims at; used only with it."
    )
    corruption: CorruptionSettings | None = Field(default=None, description=_CORRUPTION)


class QuantizedSettings(Settings):
    """Distortion, and what holds features and codes together: for models whose latents are discrete."""

    name: Literal["quantized"] = "quantized"
    commitment: float = Field(
        default=0.25, ge=0, description="Factor on the squared distance from features to codes, which draws the former."
    )
    corruption: CorruptionSettings | None = Field(default=None, description=_CORRUPTION)


class SemiSupervisedSettings(Settings):
    """Bounds of samples with and without labels, and the term of the classifier; needs ``data.labels``."""

    name: Literal["semi-supervised"] = "semi-supervised"
    alpha: float = Field(
        default=0.1, ge=0, description="Factor on -ln q(y given x) of samples with labels; 0.1 is the paper's 0.1 N."
    )
    unlabelled: Schedule = Field(
        default=1.0,
        description="Factor on the loss of samples without labels; a number or a schedule over the run. One that rises "
        "from 0 lets the classifier learn from the labels first.",
    )
    labelled: int = Field(
        default=100, ge=1, le=2**20, description="Samples with labels in each step, beside a batch of those without."
    )
    corruption: ClassVar[None] = None  # the model sees clean data

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        if min(value_at(self.unlabelled, 0.0), value_at(self.unlabelled, 1.0)) < 0:
            raise ConfigError("unlabelled must be at least 0 throughout the run")
        return self


ObjectiveSettings = Annotated[
    ElboSettings | AutoencoderSettings | QuantizedSettings | SemiSupervisedSettings, Field(discriminator="name")
]
