"""The typed settings of every part; ``recipes`` composes them and turns each ``name`` into the class that it names.

Sizes are listed in the order in which the data flow: an encoder's from ``x`` inwards, a decoder's from ``z`` outwards;
``mirrored()`` turns one into the other. Field descriptions are shown by the studio's forms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from latentia.errors import ConfigError
from latentia.settings import Settings

Activation = Literal["relu", "leaky-relu", "gelu", "silu", "tanh", "elu"]
VectorNorm = Literal["none", "batch", "layer"]
ImageNorm = Literal["batch", "none", "group"]
Sigma = Literal["fixed", "learned", "per-pixel"]
LocActivation = Literal["identity", "sigmoid"]
LatentActivation = Literal["identity", "relu", "sigmoid"]

Size = Annotated[int, Field(ge=1, le=2**20)]
DropRate = Annotated[float, Field(ge=0, lt=1)]


# --- networks ---------------------------------------------------------------------------------------------------------


class MLPSettings(Settings):
    """A fully connected network, for vectors and, by flattening, for images."""

    name: Literal["mlp"] = Field(default="mlp", description="Fully connected layers.")
    hidden: list[Size] = Field(
        default=[400],
        description="Units of each hidden layer, in the order of the data flow; an empty list makes it linear.",
    )
    activation: Activation = Field(default="relu", description="The non-linearity after every hidden layer.")
    dropout: DropRate | list[DropRate] = Field(
        default=0.0,
        description="Probability that a hidden unit is dropped in training: one number, or one for each layer.",
    )
    norm: VectorNorm = Field(default="none", description="Normalisation before every activation.")
    activate_last: bool = Field(
        default=True, description="Whether the last hidden layer has an activation; without it that layer is linear."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        rates_for(self.dropout, len(self.hidden))
        check_normalisable(self.norm, self.hidden)
        check_last(self.activate_last, self.hidden)
        return self

    def mirrored(self) -> MLPSettings:
        """Return the settings of the network that goes the opposite way.

        Its last hidden layer mirrors the first of this one, and therefore has an activation in any case.

        Example:
            >>> MLPSettings(hidden=[256, 64], dropout=[0.2, 0.0]).mirrored().dropout
            [0.0, 0.2]
        """
        dropout = self.dropout[::-1] if isinstance(self.dropout, list) else self.dropout
        return self.model_copy(update={"hidden": self.hidden[::-1], "dropout": dropout, "activate_last": True})


class ConvSettings(Settings):
    """A convolutional network for images; each layer halves (decoder: doubles) height and width."""

    name: Literal["conv"] = Field(default="conv", description="Strided convolutions; images only.")
    channels: list[Size] = Field(
        default=[32, 64],
        min_length=1,
        description="Channels of each layer, in the order of the data flow; a decoder's begin after its linear layer.",
    )
    kernel: int = Field(default=3, ge=1, description="Side of the square kernels; odd.")
    activation: Activation = Field(default="relu", description="The non-linearity after every normalisation.")
    norm: ImageNorm = Field(default="batch", description="Normalisation after every convolution but a decoder's last.")
    dropout: DropRate = Field(default=0.0, description="Probability that a whole feature map is dropped in training.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_kernel(self.kernel)
        check_normalisable(self.norm, self.channels)
        return self

    def mirrored(self) -> ConvSettings:
        """Return the settings of the network that goes the opposite way.

        Example:
            >>> ConvSettings(channels=[32, 64, 128]).mirrored().channels
            [128, 64, 32]
        """
        return self.model_copy(update={"channels": self.channels[::-1]})


class StackLayerSettings(Settings):
    """One convolution of a stack: a side s becomes floor((s + 2 padding - kernel) / stride) + 1."""

    channels: Size = Field(description="Feature maps that it makes.")
    kernel: int = Field(default=3, ge=1, le=1024, description="Side of the square kernels; even ones are allowed.")
    stride: int = Field(default=2, ge=1, le=1024, description="Pixels from one place of the kernel to the next.")
    padding: int = Field(default=1, ge=0, le=1024, description="Rows and columns of zeros on every side.")


class TransposedLayerSettings(Settings):
    """One transposed convolution: a side s becomes (s - 1) stride - 2 padding + kernel + output_padding."""

    channels: Size | None = Field(
        default=None, description="Feature maps that it makes; none for the last layer: what the likelihood needs."
    )
    kernel: int = Field(default=3, ge=1, le=1024, description="Side of the square kernels; even ones are allowed.")
    stride: int = Field(default=2, ge=1, le=1024, description="Pixels between the places where kernels are added.")
    padding: int = Field(default=1, ge=0, le=1024, description="Rows and columns cut off on every side.")
    output_padding: int = Field(
        default=0, ge=0, le=1023, description="Further rows and columns on one side; fewer than the stride."
    )


class ConvStackSettings(Settings):
    """Convolutions that are listed one by one; what they leave of an image can be its latents."""

    name: Literal["conv-stack"] = Field(
        default="conv-stack", description="Listed convolutions, whose feature map can be the latents; images only."
    )
    layers: list[StackLayerSettings] = Field(
        default=[StackLayerSettings(channels=16), StackLayerSettings(channels=4)],
        min_length=1,
        description="Channels, kernel, stride and padding of each convolution, in the order of the data flow.",
    )
    bias: bool = Field(default=False, description="Whether the convolutions have biases; normalisation has its own.")
    activation: Activation = Field(default="relu", description="The non-linearity after every normalisation.")
    norm: ImageNorm = Field(default="batch", description="Normalisation after every convolution.")
    norm_last: bool = Field(default=True, description="Whether the last convolution is normalised.")
    activate_last: bool = Field(default=True, description="Whether the last convolution has an activation.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        normalised = self.layers if self.norm_last else self.layers[:-1]
        check_normalisable(self.norm, [layer.channels for layer in normalised])
        return self


class TransposedStackSettings(Settings):
    """Transposed convolutions that are listed one by one, from latents that are a feature map."""

    name: Literal["transposed-stack"] = Field(
        default="transposed-stack", description="Listed transposed convolutions, from a feature map of latents."
    )
    layers: list[TransposedLayerSettings] = Field(
        default=[TransposedLayerSettings(channels=16, output_padding=1), TransposedLayerSettings(output_padding=1)],
        min_length=1,
        description="Channels, kernel, stride, padding and output_padding of each, in the order of the data flow.",
    )
    bias: bool = Field(default=False, description="Whether the layers but the last have biases; the last has one.")
    activation: Activation = Field(default="relu", description="The non-linearity after every normalisation.")
    norm: ImageNorm = Field(default="batch", description="Normalisation after every layer but the last.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        channels = [layer.channels for layer in self.layers[:-1]]
        check_channels(channels)
        for layer in self.layers:
            check_output_padding(layer.output_padding, layer.stride)
        check_normalisable(self.norm, [maps for maps in channels if maps is not None])
        return self


class ResidualSettings(Settings):
    """A residual convolutional network for images; each stage halves (decoder: doubles) height and width."""

    name: Literal["residual"] = Field(default="residual", description="Residual convolutions; images only.")
    channels: list[Size] = Field(
        default=[64, 128],
        min_length=1,
        description="Channels of each stage, in the order of the data flow.",
    )
    blocks: int = Field(default=2, ge=1, description="Residual blocks in each stage, two convolutions in each block.")
    activation: Activation = Field(default="silu", description="The non-linearity before every convolution of a block.")
    norm: ImageNorm = Field(default="group", description="Normalisation before every activation.")
    dropout: DropRate = Field(
        default=0.0, description="Probability that a feature map within a block is dropped in training."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_normalisable(self.norm, self.channels)
        return self

    def mirrored(self) -> ResidualSettings:
        """Return the settings of the network that goes the opposite way.

        Example:
            >>> ResidualSettings(channels=[64, 128]).mirrored().channels
            [128, 64]
        """
        return self.model_copy(update={"channels": self.channels[::-1]})


class ResidualMLPSettings(Settings):
    """A residual fully connected network, for vectors and, by flattening, for images."""

    name: Literal["residual-mlp"] = Field(default="residual-mlp", description="Residual fully connected layers.")
    hidden: list[Size] = Field(
        default=[256],
        min_length=1,
        description="Units of each stage, in the order of the data flow.",
    )
    blocks: int = Field(default=2, ge=1, description="Residual blocks in each stage, two linear layers in each block.")
    activation: Activation = Field(default="silu", description="The non-linearity within every block.")
    dropout: DropRate = Field(default=0.0, description="Probability that a unit within a block is dropped in training.")
    norm: VectorNorm = Field(default="layer", description="Normalisation before every activation.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_normalisable(self.norm, self.hidden)
        return self

    def mirrored(self) -> ResidualMLPSettings:
        """Return the settings of the network that goes the opposite way.

        Example:
            >>> ResidualMLPSettings(hidden=[256, 64]).mirrored().hidden
            [64, 256]
        """
        return self.model_copy(update={"hidden": self.hidden[::-1]})


class ConvMapSettings(Settings):
    """A convolutional decoder from latents that are a feature map; each layer doubles height and width."""

    name: Literal["conv-map"] = Field(
        default="conv-map", description="Transposed convolutions from a feature map of latents; no linear layer."
    )
    channels: list[Size] = Field(
        default=[64, 32],
        min_length=1,
        description="Channels that each doubling starts from, in the order of the data flow.",
    )
    blocks: int = Field(default=1, ge=0, description="Residual blocks of two convolutions before the first doubling.")
    kernel: int = Field(default=3, ge=1, description="Side of the square kernels; odd.")
    activation: Activation = Field(default="relu", description="The non-linearity after every normalisation.")
    norm: ImageNorm = Field(default="batch", description="Normalisation before every activation.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_kernel(self.kernel)
        check_normalisable(self.norm, self.channels)
        return self


# --- posteriors and priors --------------------------------------------------------------------------------------------


class GaussianPosteriorSettings(Settings):
    """A diagonal Gaussian over the latents."""

    name: Literal["gaussian"] = Field(default="gaussian", description="A normal with a mean and a variance per unit.")
    logvar_bounds: list[float] = Field(
        default=[-30.0, 20.0],
        min_length=2,
        max_length=2,
        description="The log-variance is clamped to these bounds, which only guard against overflow.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_bounds("logvar_bounds", self.logvar_bounds)
        return self


class DeterministicPosteriorSettings(Settings):
    """One point in latent space for each image, as in a plain autoencoder."""

    name: Literal["deterministic"] = Field(default="deterministic", description="A point: a plain autoencoder.")
    activation: LatentActivation = Field(
        default="identity",
        description="The non-linearity of the latents: identity; relu, for latents that can be exactly 0; or sigmoid, "
        "for latents in (0, 1).",
    )


class GaussianMapPosteriorSettings(Settings):
    """A diagonal Gaussian over the encoder's feature map, from two convolutions."""

    name: Literal["gaussian-map"] = Field(
        default="gaussian-map", description="A normal for each value of the feature map; set model.latent_dim to none."
    )
    kernel: int = Field(default=3, ge=1, description="Side of the kernels that give mean and log-variance; odd.")
    logvar_bounds: list[float] = Field(
        default=[-30.0, 20.0],
        min_length=2,
        max_length=2,
        description="The log-variance is clamped to these bounds, which only guard against overflow.",
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_kernel(self.kernel)
        check_bounds("logvar_bounds", self.logvar_bounds)
        return self


class FeatureMapPosteriorSettings(Settings):
    """The encoder's feature map itself as the latents, without a head."""

    name: Literal["feature-map"] = Field(
        default="feature-map", description="The feature map itself: an autoencoder; set model.latent_dim to none."
    )


class RectifiedPosteriorSettings(Settings):
    """A Gaussian whose mean and deviation cannot be negative: a tutorial's mistake, to be looked at."""

    name: Literal["rectified"] = Field(
        default="rectified",
        description="Mean and deviation through a ReLU, which makes units die; gaussian is the right one.",
    )


class VectorQuantizerSettings(Settings):
    """One of many learned codes at each place of the encoder's feature map."""

    name: Literal["vector-quantizer"] = Field(
        default="vector-quantizer", description="The nearest of many learned codes; set model.latent_dim to none."
    )
    codes: int = Field(default=512, ge=2, le=2**20, description="How many codes there are.")
    dimension: Size = Field(default=64, description="Dimensions of each code.")
    learning: Literal["ema", "gradient"] = Field(
        default="ema", description="How codes learn: as running means of what chose them, or by gradients."
    )
    decay: float = Field(default=0.99, ge=0, lt=1, description="Of the running means and counts, per step.")
    initialisation: Literal["data", "random"] = Field(
        default="data", description="Where codes start: by k-means on the first batch, or at random."
    )
    revive_below: float = Field(
        default=0.03, ge=0, lt=1, description="Codes used less than this share of the mean use are moved; 0: none."
    )


class FiniteScalarQuantizerSettings(Settings):
    """A fixed grid of codes: a few dimensions, each rounded to a few levels."""

    name: Literal["finite-scalar-quantizer"] = Field(
        default="finite-scalar-quantizer",
        description="Each of a few dimensions rounded to a few levels; set model.latent_dim to none.",
    )
    levels: list[int] = Field(
        default=[8, 5, 5, 5], description="Levels of each dimension; their product is the number of codes."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        check_levels(self.levels)
        return self


class StandardNormalPriorSettings(Settings):
    """The standard normal prior, which has nothing to learn."""

    name: Literal["standard-normal"] = Field(default="standard-normal", description="Mean 0 and variance 1 everywhere.")


class GaussianMixturePriorSettings(Settings):
    """A mixture of diagonal Gaussians whose weights, means and variances are learned."""

    name: Literal["gaussian-mixture"] = Field(default="gaussian-mixture", description="A learned mixture of normals.")
    components: int = Field(default=10, ge=1, description="How many Gaussians are mixed.")


class ConditionalNormalPriorSettings(Settings):
    """A normal for each class, whose mean and variance are learned; for conditional models."""

    name: Literal["conditional-normal"] = Field(
        default="conditional-normal", description="A learned normal for each class; needs model.condition."
    )


class ConditionalMixturePriorSettings(Settings):
    """A mixture of diagonal Gaussians for each class, all learned; for conditional models."""

    name: Literal["conditional-mixture"] = Field(
        default="conditional-mixture", description="A learned mixture of normals for each class; needs model.condition."
    )
    components: int = Field(default=20, ge=1, description="How many Gaussians are mixed for each class.")


# --- conditioning -----------------------------------------------------------------------------------------------------


class LabelConditionSettings(Settings):
    """Labels as a condition of the model, one-hot; the data must have some."""

    name: Literal["labels"] = Field(default="labels", description="Each sample's class, one-hot.")
    encoder: bool = Field(default=True, description="Whether the encoder sees the label: q(z given x, y).")
    decoder: bool = Field(default=True, description="Whether the decoder sees the label: p(x given z, y).")


# --- likelihoods ------------------------------------------------------------------------------------------------------


class BernoulliSettings(Settings):
    """Black or white pixels; grey ones in [0, 1] as cross-entropy."""

    name: Literal["bernoulli"] = Field(default="bernoulli", description="Binary values; grey ones as cross-entropy.")


class ContinuousBernoulliSettings(Settings):
    """A density on [0, 1]: the Bernoulli with the constant that makes it integrate to one."""

    name: Literal["continuous-bernoulli"] = Field(
        default="continuous-bernoulli", description="A normalised density for values in [0, 1]."
    )


class GaussianSettings(Settings):
    """A Gaussian around the decoded value: squared error, with its constant."""

    name: Literal["gaussian"] = Field(default="gaussian", description="Squared error, as a density.")
    sigma: Sigma = Field(
        default="fixed",
        description="The standard deviation: fixed, one learned for all values, or decoded for each value.",
    )
    scale: float = Field(
        default=1.0, gt=0, description="The standard deviation; where it is learned, the one training starts from."
    )
    loc_activation: LocActivation = Field(
        default="identity", description="What the decoded mean passes through; a sigmoid keeps it in [0, 1]."
    )


class LaplaceSettings(Settings):
    """A Laplace density around the decoded value: absolute error, with its constant."""

    name: Literal["laplace"] = Field(default="laplace", description="Absolute error, as a density.")
    sigma: Sigma = Field(
        default="fixed",
        description="The mean absolute deviation b: fixed, one learned for all values, or decoded for each value.",
    )
    scale: float = Field(
        default=1.0, gt=0, description="The mean absolute deviation b; where it is learned, where training starts."
    )
    loc_activation: LocActivation = Field(
        default="identity", description="What the decoded median passes through; a sigmoid keeps it in [0, 1]."
    )


class DiscretizedLogisticSettings(Settings):
    """A logistic density, integrated over the bin of each of the data's levels."""

    name: Literal["discretized-logistic"] = Field(
        default="discretized-logistic", description="Probabilities of 8-bit levels from one logistic curve."
    )
    levels: int = Field(default=256, ge=2, description="How many levels the data have; 256 for 8-bit images.")


class DiscretizedLogisticMixtureSettings(Settings):
    """A mixture of logistic densities, integrated over the bin of each of the data's levels."""

    name: Literal["discretized-logistic-mixture"] = Field(
        default="discretized-logistic-mixture",
        description="Probabilities of 8-bit levels from logistic curves.",
    )
    components: int = Field(default=10, ge=1, description="How many logistic curves are mixed for each value.")
    levels: int = Field(default=256, ge=2, description="How many levels the data have; 256 for 8-bit images.")


class CategoricalSettings(Settings):
    """A free probability for each of the data's levels."""

    name: Literal["categorical"] = Field(
        default="categorical",
        description="A free probability for each level; needs many decoder outputs.",
    )
    levels: int = Field(default=256, ge=2, description="How many levels the data have; 256 for 8-bit images.")


# --- what a model's config holds --------------------------------------------------------------------------------------

EncoderSettings = Annotated[
    MLPSettings | ConvSettings | ResidualSettings | ResidualMLPSettings | ConvStackSettings,
    Field(discriminator="name"),
]
DecoderSettings = Annotated[
    MLPSettings | ConvSettings | ResidualSettings | ResidualMLPSettings | TransposedStackSettings | ConvMapSettings,
    Field(discriminator="name"),
]
PosteriorSettings = Annotated[
    GaussianPosteriorSettings
    | DeterministicPosteriorSettings
    | GaussianMapPosteriorSettings
    | FeatureMapPosteriorSettings
    | VectorQuantizerSettings
    | FiniteScalarQuantizerSettings
    | RectifiedPosteriorSettings,
    Field(discriminator="name"),
]
PriorSettings = Annotated[
    StandardNormalPriorSettings
    | GaussianMixturePriorSettings
    | ConditionalNormalPriorSettings
    | ConditionalMixturePriorSettings,
    Field(discriminator="name"),
]
LikelihoodSettings = Annotated[
    BernoulliSettings
    | ContinuousBernoulliSettings
    | GaussianSettings
    | LaplaceSettings
    | DiscretizedLogisticSettings
    | DiscretizedLogisticMixtureSettings
    | CategoricalSettings,
    Field(discriminator="name"),
]


# --- checks that settings and constructors share ----------------------------------------------------------------------


def rates_for(dropout: float | list[float], layers: int) -> list[float]:
    """Return one dropout rate for each layer.

    Args:
        dropout: One rate for all layers, or one for each; each in [0, 1).
        layers: How many layers there are.

    Raises:
        ConfigError: If the list has another length, or a rate is out of range.

    Example:
        >>> rates_for(0.2, 3)
        [0.2, 0.2, 0.2]
    """
    rates = list(dropout) if isinstance(dropout, list) else [dropout] * layers
    if len(rates) != layers:
        raise ConfigError(
            f"dropout lists {len(rates)} rates but there are {layers} hidden layers: give one for each, or one number"
        )
    if not all(0 <= rate < 1 for rate in (dropout if isinstance(dropout, list) else [dropout])):
        raise ConfigError(f"dropout must be at least 0 and less than 1, not {dropout}")
    return [float(rate) for rate in rates]


def check_sizes(what: str, sizes: list[int], *, at_least: int = 0) -> None:
    """Refuse layers without units.

    Args:
        what: How the list is called in the config, such as ``"hidden"``.
        sizes: Units or channels of each layer.
        at_least: How many layers there must be.

    Raises:
        ConfigError: If a size is not a whole number of at least 1, or there are too few.
    """
    if not all(isinstance(size, int) and size >= 1 for size in sizes):
        raise ConfigError(f"{what} must be whole numbers of at least 1, not {list(sizes)}")
    if len(sizes) < at_least:
        raise ConfigError(f"{what} must name at least {at_least} layer, but is empty")


def check_last(activate_last: bool, hidden: list[int]) -> None:
    """Refuse to leave out the activation of a hidden layer that is not there.

    Raises:
        ConfigError: If there is no hidden layer and ``activate_last`` is false.
    """
    if not activate_last and not hidden:
        raise ConfigError("activate_last = false needs a hidden layer: leave it at true, or list units in hidden")


def check_channels(channels: Sequence[int | None]) -> None:
    """Refuse an open number of channels before the last layer.

    Args:
        channels: Of all layers but the last.

    Raises:
        ConfigError: If one is none.
    """
    if None in channels:
        place = list(channels).index(None)
        raise ConfigError(f"layers[{place}] has no channels: only those of the last layer can be 'none'")


def check_output_padding(output_padding: int, stride: int) -> None:
    """Refuse an output padding that does not decide between sizes that the stride leaves open.

    Raises:
        ConfigError: If it is not smaller than the stride.
    """
    if not 0 <= output_padding < stride:
        raise ConfigError(f"output_padding must be at least 0 and less than the stride {stride}, not {output_padding}")


def check_kernel(kernel: int) -> None:
    """Refuse even kernels, under which sizes would not halve exactly.

    Raises:
        ConfigError: If ``kernel`` is not odd and positive.
    """
    if kernel < 1 or kernel % 2 == 0:
        raise ConfigError(f"kernel must be an odd number, such as 3 or 5, not {kernel}")


def check_levels(levels: list[int]) -> None:
    """Refuse a grid of codes without choice, or with more codes than can be numbered.

    Raises:
        ConfigError: If there is no dimension, one with fewer than 2 levels, or more than 2^20 codes.
    """
    if not levels or min(levels) < 2:
        raise ConfigError(f"levels must be whole numbers of at least 2, one for each dimension, not {levels}")
    if math.prod(levels) > 2**20:
        raise ConfigError(f"levels make {math.prod(levels):,} codes, more than 2^20: list fewer dimensions or levels")


def check_normalisable(norm: str, sizes: list[int]) -> None:
    """Refuse to normalise a layer of one unit over itself, which sets it to zero.

    Args:
        norm: The normalisation; ``layer`` and ``group`` are concerned.
        sizes: Units or channels of each layer.

    Raises:
        ConfigError: If a layer has one unit only.
    """
    if norm in ("layer", "group") and 1 in sizes:
        raise ConfigError(f"{norm} normalisation of a single unit can only be zero: use norm = 'none', or wider layers")


def check_bounds(what: str, bounds: list[float] | tuple[float, ...]) -> None:
    """Refuse bounds that are not a lower and a larger upper one.

    Raises:
        ConfigError: If they are not two increasing numbers.
    """
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        raise ConfigError(f"{what} must be a lower and a larger upper bound, not {list(bounds)}")
