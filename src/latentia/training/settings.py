"""The typed settings of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from latentia.maths.schedules import Schedule
from latentia.settings import NONE, Settings


class OptimizerSettings(Settings):
    """Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019)."""

    name: Literal["adam", "adamw"] = Field(default="adam", description="How weights are decayed: adam or adamw.")
    lr: float = Field(default=1e-3, gt=0, description="Learning rate.")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="Decay of the mean of the gradients.")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Decay of the mean of the squared gradients.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the root of the squared gradients.")
    weight_decay: float = Field(default=0.0, ge=0, description="Decay of the weights; L2 with adam.")


class TrainingSettings(Settings):
    """How long, how fast and on what a model is trained."""

    epochs: float | None = Field(default=15, gt=0, le=1e6, description="Passes over the training data; or give steps.")
    steps: int | None = Field(default=None, gt=0, le=10**12, description="Optimiser steps; takes the place of epochs.")
    batch_size: int = Field(default=128, ge=1, le=2**20, description="Images per step; every batch is full.")
    optimizer: OptimizerSettings = Field(default=OptimizerSettings(), description="What takes the steps.")
    lr_schedule: Schedule = Field(
        default=1.0, description="Factor on the learning rate over the run, e.g. a cosine to 0."
    )
    lr_warmup: float = Field(
        default=0.0, ge=0, lt=1, description="Fraction of the run over which the rate rises from 0."
    )
    clip_norm: float | None = Field(
        default=None, gt=0, description="Largest allowed norm of the gradient; none if unset."
    )
    ema: float | None = Field(
        default=None, gt=0, lt=1, description="Decay of the average of the weights; none if unset."
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Evaluations on the validation part without improvement before stopping; needs one.",
    )
    evaluate_every: int | None = Field(
        default=None, ge=1, description="Steps between validations; each epoch if unset."
    )
    checkpoint_every: int | None = Field(
        default=None, ge=1, description="Steps between checkpoints; if unset, after an epoch when 10 s have passed."
    )
    keep_checkpoints: int = Field(
        default=1, ge=1, description="How many of the latest checkpoints stay, beside the best."
    )
    base_epochs: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="Passes of the training of the model beneath (model.base), which comes first; or give base_run.",
    )
    base_run: str | None = Field(
        default=None, description="A finished run whose model becomes the one beneath, in place of base_epochs."
    )
    log_every: int = Field(default=100, ge=1, le=10**6, description="Steps averaged into one line of metrics.jsonl.")
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:N or mps.")
    precision: Literal["auto", "fp32", "bf16"] = Field(default="auto", description="Of the network's arithmetic.")
    compile: Literal["auto", "on", "off"] = Field(
        default="auto", description="Whether steps are compiled; auto: where the run is long enough to repay it."
    )
    threads: int | None = Field(default=None, ge=1, le=1024, description="CPU threads; PyTorch's own choice if unset.")

    @model_validator(mode="before")
    @classmethod
    def _steps_replace_epochs(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("steps") not in (None, NONE) and "epochs" not in values:
            return {**values, "epochs": None}
        return values

    @model_validator(mode="after")
    def _one_length(self) -> TrainingSettings:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give exactly one of training.epochs and training.steps (set the other to none)")
        return self
