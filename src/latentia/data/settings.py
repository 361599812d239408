"""The typed settings of the data: what to load, how to split it, what the model gets to see, and how to corrupt it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from latentia.errors import ConfigError
from latentia.settings import Settings


class DataSettings(Settings):
    """What to load, how to split it and how to prepare it.

    Attributes:
        source: A name from :data:`latentia.data.sources.SOURCES`, the path of a ``.npy``, ``.npz`` or ``.csv`` file, or
            of a folder of pictures or of ``.npy`` files.
        binarize: ``none``; ``threshold``: x = 1 where the value exceeds ``threshold``; ``dynamic``: a fresh Bernoulli
            draw with the value as probability each time a sample is shown; ``static``: one such draw when loading
            (Salakhutdinov & Murray 2008, https://doi.org/10.1145/1390156.1390266).
        binarize_seed: Seed of the static draw.
        threshold: In [0, 1).
        dequantize: Add uniform noise of one level's width, x = (k + u) / levels (Theis et al. 2016,
            https://arxiv.org/abs/1511.01844, section 3.1); needs 8-bit or binary data.
        scale: ``none``; ``unit``: the training part's minimum and maximum become 0 and 1; ``standard``: the training
            part gets mean 0 and standard deviation 1. Both per feature for vectors; for images, ``unit`` uses one
            minimum and maximum and ``standard`` works per channel.
        size: Height and width to which images are resized once when they are loaded, before anything else; bilinear as
            Pillow does it, 8-bit values stay 8-bit. None: as stored.
        validation: Fraction of the training part that is held out, in [0, 1), unless the source has a validation part.
        test_fraction: Fraction that becomes the test part where the source has none, in [0, 1); refused where it
            has one.
        split_seed: Seed of both hold-outs; refused where nothing is held out.
        normal_classes: Classes to which the training and the validation part are cut down, for learning what is normal;
            the test part keeps all. None: everything is kept.
        labels: How many training samples keep their labels, equally many of each class, as a part ``labelled`` of
            their own; the rest of the training part and the validation part are then without. None: all keep them.
        label_seed: Seed of that choice; refused without one.
        layout: Where the channels of a four-dimensional array of the user's own are; ``auto`` looks for an axis of
            1 to 4; refused for other data.

        memory: ``load``: the samples are loaded into memory; ``map``: ``.npy`` files stay on the disk, and a thread
            reads each batch ahead of its use; ``auto``: mapped if they exceed 1 GiB or an eighth of the memory. The
            results are the same. Other data are always loaded.

    Example:
        >>> DataSettings(source="mnist", validation=0.0).binarize
        'none'
    """

    source: str = "digits"
    binarize: Literal["none", "threshold", "dynamic", "static"] = "none"
    binarize_seed: int = 0
    threshold: float = Field(default=0.5, ge=0.0, lt=1.0)
    dequantize: bool = False
    scale: Literal["none", "unit", "standard"] = "none"
    size: list[Annotated[int, Field(ge=1, le=4096)]] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="[height, width] to which images are resized at loading; none: as stored.",
    )
    validation: float = Field(default=0.05, ge=0.0, lt=1.0)
    test_fraction: float = Field(default=0.2, ge=0.0, lt=1.0)
    split_seed: int = 0
    normal_classes: list[str] | None = Field(
        default=None,
        min_length=1,
        description='Classes that are trained on, such as ["0"]; the test part keeps all. none: all of them.',
    )
    labels: int | None = Field(
        default=None,
        ge=1,
        description="How many training samples keep their labels, equally many of each class; none: all of them.",
    )
    label_seed: int = Field(default=0, ge=0, description="Seed of the choice of the samples that keep their labels.")
    layout: Literal["auto", "channels-first", "channels-last"] = "auto"
    memory: Literal["auto", "load", "map"] = Field(
        default="auto",
        description="Whether samples are loaded, or .npy files read while they are used: auto maps large ones.",
    )

    @field_validator("normal_classes", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """Let one class stand for a list of one, and the number of a class for its name."""
        values = value if isinstance(value, list) else [value]
        whole = [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in values]
        return None if value is None else whole


# --- corruption -------------------------------------------------------------------------------------------------------

Probability = Annotated[float, Field(gt=0, le=1)]


class GaussianCorruptionSettings(Settings):
    """Normal noise added to every value."""

    name: Literal["gaussian"] = Field(default="gaussian", description="Normal noise on every value.")
    sigma: float = Field(default=0.5, gt=0, description="Standard deviation of the noise, in the units of x.")
    clamp: list[float] | None = Field(
        default=[0.0, 1.0],
        min_length=2,
        max_length=2,
        description="Smallest and largest value of what the model is shown; none leaves it unclamped.",
    )

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.clamp is not None and not self.clamp[0] < self.clamp[1]:
            raise ConfigError(f"clamp must be an increasing pair such as [0.0, 1.0], not {self.clamp}; or 'none'")
        return self


class MaskingCorruptionSettings(Settings):
    """Some values replaced by a constant, as if they were missing."""

    name: Literal["masking"] = Field(default="masking", description="Some values set to a constant.")
    probability: Probability = Field(default=0.25, description="Probability that a value is masked.")
    value: float = Field(default=0.0, description="What stands in the place of a masked value.")


class SaltAndPepperCorruptionSettings(Settings):
    """Some values replaced by the lowest or the highest one."""

    name: Literal["salt-and-pepper"] = Field(
        default="salt-and-pepper", description="Some values set to the lowest or the highest."
    )
    probability: Probability = Field(default=0.25, description="Probability that a value is replaced.")
    low: float = Field(default=0.0, description="Pepper: the lowest value of the data.")
    high: float = Field(default=1.0, description="Salt: the highest value of the data.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if not self.low < self.high:
            raise ConfigError(f"low must be below high, not {self.low:g} and {self.high:g}")
        return self


CorruptionSettings = Annotated[
    GaussianCorruptionSettings | MaskingCorruptionSettings | SaltAndPepperCorruptionSettings,
    Field(discriminator="name"),
]
