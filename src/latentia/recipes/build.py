"""The only table from names to classes: settings in, parts, models and objectives out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from latentia.data import corruption
from latentia.data.dataset import DataSpec
from latentia.data.settings import CorruptionSettings
from latentia.errors import ConfigError
from latentia.models.latent_variable import LatentVariableModel
from latentia.models.stacked import StackedModel
from latentia.objectives.autoencoder import AutoencoderObjective
from latentia.objectives.elbo import Elbo
from latentia.objectives.quantized import QuantizedObjective
from latentia.objectives.semi_supervised import SemiSupervised
from latentia.objectives.settings import (
    AutoencoderSettings,
    ElboSettings,
    QuantizedSettings,
    SemiSupervisedSettings,
)
from latentia.objectives.terms import Objective
from latentia.parts import code_priors, latent_priors, likelihoods, posteriors, priors, quantizers
from latentia.parts.classifiers import LabelPosterior
from latentia.parts.conditioning import LabelConditioning, LabelJoin
from latentia.parts.networks.convolutional import ConvDecoder, ConvEncoder, ConvMapDecoder
from latentia.parts.networks.mlp import MLP
from latentia.parts.networks.residual import ResidualDecoder, ResidualEncoder, ResidualMLP
from latentia.parts.networks.stacks import ConvStackEncoder, TransposedStackDecoder
from latentia.recipes.config import BaseModelSettings, Config, ModelSettings
from latentia.recipes.second_stages import AutoregressiveStage, DiffusionStage, MixtureStage

ENCODERS: dict[str, Callable[..., nn.Module]] = {
    "mlp": MLP,
    "conv": ConvEncoder,
    "residual": ResidualEncoder,
    "residual-mlp": ResidualMLP,
    "conv-stack": ConvStackEncoder,
}
"""Called as ``(event_shape, **settings)``; the module has ``out_features``, and ``out_shape`` if they are a map."""

FEW_SAMPLES = 50  # to train on: fewer are worth a warning
FLATTENING = {"mlp", "residual-mlp"}
"""The networks that flatten what they are given; the others are given labels as maps beside an image."""

DECODERS: dict[str, Callable[..., nn.Module]] = {
    "mlp": MLP,
    "conv": ConvDecoder,
    "residual": ResidualDecoder,
    "residual-mlp": ResidualMLP,
    "conv-map": ConvMapDecoder,
    "transposed-stack": TransposedStackDecoder,
}
"""Called as ``(latent_shape, out_shape=parameter_shape, **settings)``."""

POSTERIORS: dict[str, Any] = {
    "gaussian": posteriors.GaussianPosterior,
    "deterministic": posteriors.DeterministicPosterior,
    "gaussian-map": posteriors.GaussianMapPosterior,
    "feature-map": posteriors.FeatureMapPosterior,
    "rectified": posteriors.RectifiedPosterior,
    "vector-quantizer": quantizers.VectorQuantizer,
    "finite-scalar-quantizer": quantizers.FiniteScalarQuantizer,
}
"""Called as ``(features, latent_shape, **settings)``."""

PRIORS: dict[str, Callable[..., nn.Module]] = {
    "standard-normal": priors.StandardNormalPrior,
    "gaussian-mixture": priors.GaussianMixturePrior,
    "conditional-normal": priors.ConditionalNormalPrior,
    "conditional-mixture": priors.ConditionalMixturePrior,
}
LIKELIHOODS: dict[str, Callable[..., likelihoods.Likelihood]] = {
    "bernoulli": likelihoods.Bernoulli,
    "continuous-bernoulli": likelihoods.ContinuousBernoulli,
    "gaussian": likelihoods.Gaussian,
    "laplace": likelihoods.Laplace,
    "discretized-logistic": likelihoods.DiscretizedLogistic,
    "discretized-logistic-mixture": likelihoods.DiscretizedLogisticMixture,
    "categorical": likelihoods.Categorical,
}

CORRUPTIONS: dict[str, Callable[..., corruption.Corruption]] = {
    "gaussian": corruption.GaussianCorruption,
    "masking": corruption.MaskingCorruption,
    "salt-and-pepper": corruption.SaltAndPepperCorruption,
}


LATENT_RANGE = 10.0  # where latents under a standard normal lie: what is said of them to a model on top

Model = LatentVariableModel | StackedModel


def build_model(settings: ModelSettings, spec: DataSpec, *, seed: int | None = None) -> Model:
    """Build a model for data of a given kind.

    Args:
        settings: The parts.
        spec: What the data are; gives the event shape, and what the likelihood must fit.
        seed: Determines the initial weights; the former state of PyTorch's generator is put back. ``None`` draws
            them from that generator.

    Returns:
        The model, on the CPU, in float32.

    Raises:
        ConfigError: If parts do not fit one another or the data.

    Example:
        >>> model = build_model(ModelSettings(), DataSpec((1, 28, 28), levels=256), seed=0)
        >>> sum(parameter.numel() for parameter in model.parameters())
        652824
    """
    kind = POSTERIORS[settings.posterior.name]
    if kind.deterministic and settings.prior is not None:
        raise ConfigError(
            "a deterministic posterior has no finite KL to a prior: use --set model.prior=none for an autoencoder, "
            f"or --set model.posterior.name={_stochastic(settings)} for a VAE"
        )
    _check_condition(settings, spec)
    if settings.classifier is not None and settings.condition is None:
        raise ConfigError(
            "a classifier is part of a model that is told the class: use --set "
            "model.condition.name=labels, or --set model.classifier=none"
        )
    if seed is None:
        return _stack(settings, spec)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return _stack(settings, spec)


def _stack(settings: ModelSettings, spec: DataSpec) -> Model:
    """The model, on top of the one beneath it where there is one."""
    if settings.base is None:
        return _assemble(settings, spec)
    base = _assemble(base_settings(settings.base), spec)
    latents = DataSpec(base.latent_shape, low=-LATENT_RANGE, high=LATENT_RANGE, classes=spec.classes)
    return StackedModel(base, _assemble(settings, latents))


def base_settings(settings: BaseModelSettings) -> ModelSettings:
    """The model beneath as one that stands alone."""
    return ModelSettings.model_validate(settings.model_dump())


def _assemble(settings: ModelSettings, spec: DataSpec) -> LatentVariableModel:
    likelihood = LIKELIHOODS[settings.likelihood.name](**_arguments(settings.likelihood))
    likelihood.check(spec, settings.prior is not None)
    join_x = _join(settings, "encoder", spec.event_shape, spec)
    event_in = spec.event_shape if join_x is None else join_x.out_shape
    encoder: Any = ENCODERS[settings.encoder.name](event_in, **_arguments(settings.encoder))
    latent_shape = _latent_shape(settings, getattr(encoder, "out_shape", ()))
    posterior = POSTERIORS[settings.posterior.name](
        encoder.out_features, latent_shape, **_arguments(settings.posterior)
    )
    latent_shape = posterior.latent_shape  # codes may have another dimension than the feature map
    join_z = _join(settings, "decoder", latent_shape, spec)
    prior = None
    if settings.prior is not None:
        prior = _prior(settings.prior, latent_shape, spec)
    out_shape = likelihood.parameter_shape(spec.event_shape)
    latent_in = latent_shape if join_z is None else join_z.out_shape
    decoder = DECODERS[settings.decoder.name](latent_in, out_shape=out_shape, **_arguments(settings.decoder))
    label_posterior = None
    if settings.classifier is not None:
        network: Any = ENCODERS[settings.classifier.name](spec.event_shape, **_arguments(settings.classifier))
        label_posterior = LabelPosterior(network, network.out_features, len(spec.classes))
    conditioning = None
    if settings.condition is not None:
        conditioning = LabelConditioning(len(spec.classes), encoder=join_x, decoder=join_z)
    return LatentVariableModel(
        encoder=encoder,
        posterior=posterior,
        prior=prior,
        decoder=decoder,
        likelihood=likelihood,
        event_shape=spec.event_shape,
        latent_shape=latent_shape,
        conditioning=conditioning,
        label_posterior=label_posterior,
    )


def _latent_shape(settings: ModelSettings, encoded: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one latent: a vector, or the encoder's feature map."""
    name = settings.posterior.name
    if not POSTERIORS[name].spatial:
        if settings.latent_dim is None:
            raise ConfigError(
                f"model.latent_dim is none, but the posterior '{name}' is over a vector: use --set "
                "model.latent_dim=20 (or another number), or take the encoder's feature map as the latents with --set "
                f"model.posterior.name={'feature-map' if settings.prior is None else 'gaussian-map'}"
            )
        return (settings.latent_dim,)
    if len(encoded) != 3:
        raise ConfigError(
            f"the posterior '{name}' is over a feature map, which the encoder '{settings.encoder.name}' does not give: "
            "use --set model.encoder.name=conv-stack (or conv or residual), or --set model.latent_dim=20 --set "
            f"model.posterior.name={'deterministic' if settings.prior is None else 'gaussian'}"
        )
    if settings.latent_dim is not None:
        shape = " x ".join(map(str, encoded))
        raise ConfigError(
            f"the posterior '{name}' takes the encoder's feature map as the latents, here {shape}, so that "
            f"model.latent_dim = {settings.latent_dim} has no meaning: use --set model.latent_dim=none"
        )
    return encoded


def _prior(settings: Any, latent_shape: tuple[int, ...], spec: DataSpec) -> nn.Module:
    kind: Any = PRIORS[settings.name]
    classes = {"classes": len(spec.classes)} if kind.conditional else {}
    return kind(latent_shape, **classes, **_arguments(settings))


def _join(settings: ModelSettings, part: str, shape: tuple[int, ...], spec: DataSpec) -> LabelJoin | None:
    """How labels are joined to what goes into the encoder or the decoder, of the given shape."""
    if settings.condition is None or not getattr(settings.condition, part):
        return None
    maps = len(shape) == 3 and getattr(settings, part).name not in FLATTENING
    return LabelJoin(shape, len(spec.classes), maps=maps)


def _check_condition(settings: ModelSettings, spec: DataSpec) -> None:
    """Refuse conditions that the data do not have, or that nothing depends on."""
    prior: Any = None if settings.prior is None else PRIORS[settings.prior.name]
    by_class = prior is not None and prior.conditional
    if settings.condition is None:
        if by_class:
            raise ConfigError(
                f"the prior '{settings.prior.name}' depends on labels: "  # pyright: ignore[reportOptionalMemberAccess]
                "use --set model.condition.name=labels, or --set model.prior.name=standard-normal"
            )
        return
    if not (settings.condition.encoder or settings.condition.decoder or by_class):
        raise ConfigError(
            "nothing depends on the labels: use --set model.condition.decoder=true, or --set model.condition=none"
        )
    if not spec.classes:
        raise ConfigError(
            "a conditional model needs labels, and the data have none: give data with y, or use --set "
            "model.condition=none"
            + (" --set model.prior.name=standard-normal" if by_class else "")
            + ", as the preset 'vae' does"
        )


def _stochastic(settings: ModelSettings) -> str:
    """The Gaussian posterior that can stand where a deterministic one does."""
    return "gaussian-map" if POSTERIORS[settings.posterior.name].spatial else "gaussian"


def _arguments(settings: Any) -> dict[str, Any]:
    """Everything but the name, which the table has used."""
    return {key: value for key, value in settings.model_dump().items() if key != "name"}


LARGEST_FULL = 512  # latent dimensions up to which covariances are kept whole


def build_latent_prior(
    stage: Any, latent_shape: Sequence[int], *, codes: int | None = None, classes: int | None = None, seed: int = 0
) -> priors.Prior:
    """Build a prior that is to be fitted to latents.

    Args:
        stage: The settings of a second stage.
        latent_shape: Shape of one latent; of discrete ones, that of their indices.
        codes: How many codes there are, if the latents are discrete.
        classes: How many classes there are, if the model is conditional: the prior is then p(z given y), unless it is
            over codes.
        seed: Determines the initial weights; the former state of PyTorch's generator is put back.

    Raises:
        ConfigError: If the settings do not fit the latents.

    Example:
        >>> build_latent_prior(MixtureStage(components=3), (2,)).loc.shape
        torch.Size([3, 2])
    """
    if (codes is None) == isinstance(stage, AutoregressiveStage):
        raise ConfigError(
            "an autoregressive prior is over codes, which this model has not: fit gmm or diffusion instead"
            if codes is None
            else f"the prior '{stage.name}' is over real numbers, but this model's latents are codes: fit "
            "autoregressive instead"
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if isinstance(stage, AutoregressiveStage):
            assert codes is not None
            return code_priors.AutoregressivePrior(latent_shape, codes, width=stage.width, layers=stage.layers)
        if isinstance(stage, DiffusionStage):
            arguments = {key: getattr(stage, key) for key in ("width", "blocks", "levels", "sampling_steps", "eta")}
            return latent_priors.DiffusionPrior(latent_shape, classes=classes, **arguments)
        assert isinstance(stage, MixtureStage)
        if classes is None:
            return _mixture(stage, latent_shape)
        return latent_priors.PriorOfEachClass([_mixture(stage, latent_shape) for _ in range(classes)])


def _mixture(stage: MixtureStage, latent_shape: Sequence[int]) -> priors.Prior:
    if stage.covariance == "diagonal":
        return priors.GaussianMixturePrior(latent_shape, stage.components)
    if math.prod(latent_shape) > LARGEST_FULL:
        raise ConfigError(
            f"full covariances of {math.prod(latent_shape):,} latent dimensions are too large: "
            "set covariance=diagonal, or fit diffusion instead"
        )
    return latent_priors.CorrelatedMixturePrior(latent_shape, stage.components)


def build_objective(
    settings: ElboSettings | AutoencoderSettings | QuantizedSettings | SemiSupervisedSettings,
    *,
    labelled_share: float | None = None,
) -> Objective:
    """Build an objective.

    Args:
        settings: Which, and its coefficients.
        labelled_share: The share of all training samples that have labels, for ``semi-supervised``.

    Example:
        >>> build_objective(ElboSettings(beta=4.0)).coefficients_at(0.5)
        {'beta': 4.0}
    """
    if isinstance(settings, ElboSettings):
        return Elbo(
            settings.beta,
            free_bits=settings.free_bits,
            capacity=settings.capacity,
            gamma=settings.gamma,
            samples=settings.samples,
            corruption=build_corruption(settings.corruption),
        )
    if isinstance(settings, SemiSupervisedSettings):
        return SemiSupervised(
            settings.alpha,
            unlabelled=settings.unlabelled,
            labelled=settings.labelled,
            labelled_share=labelled_share,
        )
    if isinstance(settings, QuantizedSettings):
        return QuantizedObjective(commitment=settings.commitment, corruption=build_corruption(settings.corruption))
    return AutoencoderObjective(
        l1=settings.l1,
        l2=settings.l2,
        contractive=settings.contractive,
        kl_sparsity=settings.kl_sparsity,
        rho=settings.rho,
        corruption=build_corruption(settings.corruption),
    )


def build_corruption(settings: CorruptionSettings | None) -> corruption.Corruption | None:
    """Build a corruption, or none.

    Example:
        >>> from latentia.data.settings import GaussianCorruptionSettings
        >>> build_corruption(GaussianCorruptionSettings(sigma=0.3)).describe()
        'Gaussian noise, sigma 0.3, clamped to [0, 1]'
    """
    return None if settings is None else CORRUPTIONS[settings.name](**_arguments(settings))


def check_corruption(settings: CorruptionSettings, spec: DataSpec, place: str = "objective.corruption") -> None:
    """Refuse a corruption that takes the data to lie in another range than they do.

    Args:
        settings: The corruption.
        spec: What the data are.
        place: Where the user wrote it, for the message.

    Raises:
        ConfigError: Naming the range to write.
    """
    low, high = _rounded_outwards(spec)
    lie = f"which lie in [{spec.low:.4g}, {spec.high:.4g}]"
    if settings.name == "gaussian" and settings.clamp is not None:
        if spec.low < settings.clamp[0] or spec.high > settings.clamp[1]:
            raise ConfigError(
                f"{place}.clamp = {settings.clamp} cuts off clean data, {lie}: use --set "
                f"{place}.clamp=[{low},{high}], or --set {place}.clamp=none"
            )
    elif settings.name == "salt-and-pepper" and (spec.low < settings.low or spec.high > settings.high):
        raise ConfigError(
            f"salt and pepper are the extremes of the data, {lie}: use --set {place}.low={low} --set "
            f"{place}.high={high}"
        )


def _rounded_outwards(spec: DataSpec) -> tuple[float, float]:
    """The data's range in a few digits that hold all of it."""
    unit = 10.0 ** (math.floor(math.log10(max(abs(spec.low), abs(spec.high), 1e-30))) - 2)
    return round(math.floor(spec.low / unit) * unit, 12), round(math.ceil(spec.high / unit) * unit, 12)


def check_together(config: Config, spec: DataSpec, samples: int, *, validated: bool) -> list[str]:
    """Refuse combinations of settings that make no sense, and warn of those that rarely do.

    Args:
        config: The whole config.
        spec: What the data are.
        samples: The number of training samples.
        validated: Whether the data have a validation part.

    Returns:
        Warnings, one sentence each.

    Raises:
        ConfigError: Naming the better choice.
    """
    model = config.model
    _check_few_labels(config)
    _check_beneath(config)
    if config.objective.name == "elbo" and model.prior is None:
        rest = (
            f" --set model.posterior.name={_stochastic(model)}"
            if POSTERIORS[model.posterior.name].deterministic
            else ""
        )
        raise ConfigError(
            f"the ELBO needs a prior: use --set model.prior.name=standard-normal{rest}, or --set "
            "objective.name=autoencoder"
        )
    discrete = getattr(POSTERIORS[model.posterior.name], "discrete", False)
    if discrete != (config.objective.name == "quantized"):
        raise ConfigError(
            f"the posterior '{model.posterior.name}' has discrete latents: use --set objective.name=quantized"
            if discrete
            else "the objective 'quantized' needs discrete latents: use --set model.posterior.name=vector-quantizer "
            f"(or finite-scalar-quantizer), or --set objective.name={'autoencoder' if model.prior is None else 'elbo'}"
        )
    if model.posterior.name == "finite-scalar-quantizer" and getattr(config.objective, "commitment", 0) > 0:
        raise ConfigError("codes on a fixed grid need no commitment: use --set objective.commitment=0")
    mixed = model.prior is not None and model.prior.name in ("gaussian-mixture", "conditional-mixture")
    if config.objective.name == "elbo" and config.objective.free_bits > 0 and mixed:
        raise ConfigError(
            "free bits need the rate of each latent dimension, which a mixture prior has not in closed form: use "
            "--set objective.free_bits=0, or --set model.prior.name=standard-normal"
        )
    if config.objective.corruption is not None:
        check_corruption(config.objective.corruption, spec)
    if (
        config.objective.name == "autoencoder"
        and config.objective.kl_sparsity > 0
        and getattr(model.posterior, "activation", None) != "sigmoid"
    ):
        raise ConfigError(
            "the KL sparsity needs latents in (0, 1): use --set model.posterior.name=deterministic --set "
            "model.posterior.activation=sigmoid, or --set objective.kl_sparsity=0 --set objective.l1=0.001"
        )
    normalised = [part for part in ("encoder", "decoder") if getattr(getattr(model, part), "norm", "none") == "batch"]
    if normalised and config.training.batch_size == 1:
        raise ConfigError(
            "batch normalisation cannot work on a batch of one: use --set training.batch_size=2 (or more), or "
            + " ".join(f"--set model.{part}.norm=none" for part in normalised)
        )
    for setting in ("patience", "evaluate_every"):
        if getattr(config.training, setting) is not None and not validated:
            raise ConfigError(f"training.{setting} needs a validation part: use --set data.validation=0.05")
    observed = model.likelihood if model.base is None else model.base.likelihood
    warnings = LIKELIHOODS[observed.name](**_arguments(observed)).check(spec, model.prior is not None)
    if config.objective.name == "autoencoder" and model.prior is not None:
        warnings.append(
            "the objective 'autoencoder' has no rate, so that nothing draws the latents to the prior and samples will "
            "be poor: use --set objective.name=elbo, or --set model.prior=none"
        )
    if (
        config.objective.name == "elbo"
        and config.objective.capacity is None
        and config.objective.gamma != ElboSettings().gamma
    ):
        warnings.append("objective.gamma has no effect without a capacity: use --set objective.capacity=25.0")
    if (
        config.objective.name == "autoencoder"
        and config.objective.kl_sparsity == 0
        and config.objective.rho != AutoencoderSettings().rho
    ):
        warnings.append(
            "objective.rho has no effect without objective.kl_sparsity: use --set objective.kl_sparsity=3.0"
        )
    those = f"there are only {samples} training samples" if samples != 1 else "there is only 1 training sample"
    if samples < FEW_SAMPLES:
        warnings.append(
            f"{those}, which the model learns by heart, so that figures of so few others say little: give hundreds of "
            "samples to a model that is to know new ones"
        )
    elif samples < config.training.batch_size:
        warnings.append(
            f"{those}, fewer than the {config.training.batch_size} of a batch, so that one holds some of them more "
            f"than once: use --set training.batch_size={samples}, or give more data"
        )
    return warnings


def _check_few_labels(config: Config) -> None:
    """Refuse a classifier that nothing trains, or that is to be trained without what it needs."""
    model = config.model
    if config.objective.name != "semi-supervised":
        if model.classifier is not None:
            raise ConfigError(
                "nothing trains the classifier q(y given x): use --set objective.name=semi-supervised, or "
                "--set model.classifier=none"
            )
        return
    if model.classifier is None or model.condition is None or model.prior is None:
        raise ConfigError(
            "the objective 'semi-supervised' needs a classifier, labels and a prior: use --set "
            "model.classifier.name=mlp, --set model.condition.name=labels and --set model.prior.name=standard-normal, "
            "as the preset m2 has them"
        )
    if config.data.labels is None:
        raise ConfigError(
            "the objective 'semi-supervised' learns from few labels: use --set data.labels=100; with all of them, "
            "train conditional-vae"
        )


def _check_beneath(config: Config) -> None:
    """Refuse a model beneath that nothing trains, and its training where there is none."""
    model, training = config.model, config.training
    given = [name for name in ("base_epochs", "base_run") if getattr(training, name) is not None]
    if model.base is None:
        if given:
            raise ConfigError(f"training.{given[0]} is of a model beneath, and there is none: leave it out")
        return
    if len(given) != 1:
        raise ConfigError(
            "the model beneath is trained first or taken from a run: use --set training.base_epochs=20, or "
            "--set training.base_run=RUN and --set training.base_epochs=none"
        )
    if config.objective.name != "semi-supervised":
        raise ConfigError(
            "a model on the latents of another is trained with a classifier: use --set "
            "objective.name=semi-supervised, or --set model.base=none"
        )
