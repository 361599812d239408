"""From settings to models: the table of names, seeds, and combinations that are refused."""

from __future__ import annotations

import itertools
import re
from typing import Any, get_args

import pytest
import torch

from latentia.data.corruption import GaussianCorruption, MaskingCorruption, SaltAndPepperCorruption
from latentia.data.dataset import DataSpec
from latentia.data.settings import (
    CorruptionSettings,
    GaussianCorruptionSettings,
    MaskingCorruptionSettings,
    SaltAndPepperCorruptionSettings,
)
from latentia.errors import ConfigError
from latentia.objectives.autoencoder import AutoencoderObjective
from latentia.objectives.elbo import Elbo
from latentia.objectives.settings import AutoencoderSettings, ElboSettings
from latentia.parts import settings as parts
from latentia.recipes import build
from latentia.recipes.build import build_model, build_objective, check_together
from latentia.recipes.config import Config, ModelSettings, make_config, override
from latentia.recipes.presets import PRESETS
from latentia.recipes.second_stages import make_stage

VAE, AE, CONV, VQ = (PRESETS[name].config() for name in ("vae", "ae", "conv-vae", "vq-vae"))

GREY = DataSpec((1, 8, 8), levels=256)
LABELLED = DataSpec((1, 8, 8), levels=256, classes=("cat", "dog", "eel"))
BINARY = DataSpec((1, 8, 8), levels=2, binary=True)
DEQUANTISED = DataSpec((1, 8, 8), levels=256, dequantized=True)
UNIT = DataSpec((5,))
STANDARD = DataSpec((5,), low=-2.5, high=3.1)


def names_in(union: Any) -> set[str]:
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["name"].annotation)[0] for member in members}


@pytest.mark.parametrize(
    ("union", "table"),
    [
        (parts.EncoderSettings, build.ENCODERS),
        (parts.DecoderSettings, build.DECODERS),
        (parts.PosteriorSettings, build.POSTERIORS),
        (parts.PriorSettings, build.PRIORS),
        (parts.LikelihoodSettings, build.LIKELIHOODS),
        (CorruptionSettings, build.CORRUPTIONS),
    ],
)
def test_every_name_of_the_settings_is_in_the_table(union: Any, table: dict[str, Any]) -> None:
    assert names_in(union) == set(table) and len(table) >= 2


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    list(itertools.product(sorted(build.ENCODERS), sorted(set(build.DECODERS) - {"transposed-stack", "conv-map"}))),
)
def test_any_encoder_goes_with_any_decoder(encoder: str, decoder: str) -> None:
    config = override(VAE, [f"model.encoder.name={encoder}", f"model.decoder.name={decoder}", "model.latent_dim=3"])
    model = build_model(config.model, DataSpec((2, 5, 7), levels=256), seed=0)
    x = torch.rand(4, 2, 5, 7)
    assert model.trace(x, noise=model.draw_noise(4, 2), k=2).log_weights(x).shape == (2, 4)


@pytest.mark.parametrize("encoder", ["conv", "residual", "conv-stack"])
@pytest.mark.parametrize("decoder", sorted(build.DECODERS))
def test_latents_can_be_the_feature_map_of_any_encoder_of_images(encoder: str, decoder: str) -> None:
    settings = override(VAE, [
        f"model.encoder.name={encoder}", f"model.decoder.name={decoder}",
        "model.posterior.name=gaussian-map", "model.latent_dim=none",
    ]).model  # fmt: skip
    model = build_model(settings, GREY, seed=0)
    assert len(model.latent_shape) == 3 and model.latent_shape[1:] == (2, 2)
    x, noise = torch.rand(4, 1, 8, 8), model.draw_noise(4, 2)
    trace = model.trace(x, noise=noise, k=2)
    assert trace.levels[0].z.shape == (8, *model.latent_shape) and trace.log_weights(x).shape == (2, 4)
    assert model.sample(3).shape == (3, 1, 8, 8) and model.reconstruct(x).shape == x.shape


@pytest.mark.parametrize(
    ("assignments", "remedies"),
    [
        (["model.latent_dim=none"], ["--set model.latent_dim=20", "--set model.posterior.name=gaussian-map"]),
        (
            ["model.posterior.name=gaussian-map", "model.latent_dim=none"],
            ["'mlp' does not give", "--set model.encoder.name=conv-stack", "--set model.posterior.name=gaussian"],
        ),
        (
            ["model.posterior.name=gaussian-map", "model.encoder.name=conv-stack", "model.latent_dim=20"],
            ["here 4 x 2 x 2", "model.latent_dim = 20 has no meaning: use --set model.latent_dim=none"],
        ),
        (
            ["model.decoder.name=conv-map"],
            ["a feature map of 2 x 2", "model.decoder.channels", "--set model.posterior.name=vector-quantizer"],
        ),
        (
            ["model.decoder.name=transposed-stack"],
            ["--set model.latent_dim=none", "--set model.posterior.name=gaussian-map", "--set model.decoder.name=conv"],
        ),
        (
            ["model.posterior.name=feature-map", "model.encoder.name=conv-stack", "model.latent_dim=none"],
            ["--set model.prior=none", "--set model.posterior.name=gaussian-map"],
        ),
        (
            [
                "model.posterior.name=gaussian-map", "model.encoder.name=conv-stack", "model.latent_dim=none",
                "model.decoder.name=transposed-stack", "model.decoder.layers=[{channels=4}, {}]",
            ],
            ["make 1 x 5 x 5 of latents 4 x 2 x 2", "model.decoder.layers", "--set data.size=[5,5]"],
        ),
    ],
)  # fmt: skip
def test_latents_that_do_not_fit_their_network_are_refused(assignments: list[str], remedies: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        build_model(override(VAE, assignments).model, GREY, seed=0)
    assert all(remedy in str(caught.value) for remedy in remedies), caught.value


@pytest.mark.parametrize("likelihood", sorted(build.LIKELIHOODS))
@pytest.mark.parametrize("prior", [*sorted(build.PRIORS), "none"])
def test_any_likelihood_goes_with_any_prior(likelihood: str, prior: str) -> None:
    assignments = [f"model.likelihood.name={likelihood}"]
    assignments += ["model.prior=none"] if prior == "none" else [f"model.prior.name={prior}"]
    assignments += ["model.condition.name=labels"] if prior.startswith("conditional") else []
    model = build_model(override(VAE, assignments).model, LABELLED, seed=0)
    x, y = torch.randint(0, 256, (4, 1, 8, 8)) / 255, torch.tensor([0, 2, 1, 2])
    trace = model.trace(x, y, noise=model.draw_noise(4))
    assert trace.distortion(x).shape == (4,) and model.reconstruct(x, y).shape == x.shape
    assert model.has_prior is (prior != "none")


MAP = ["model.latent_dim=none", "model.posterior.name=gaussian-map"]


@pytest.mark.parametrize("prior", sorted(build.PRIORS))
@pytest.mark.parametrize(
    ("encoder", "decoder", "more"),
    [
        ("mlp", "conv", []),
        ("conv", "mlp", []),
        ("residual", "residual-mlp", []),
        ("residual-mlp", "residual", []),
        ("conv-stack", "mlp", []),
        ("conv-stack", "transposed-stack", MAP),
        ("conv", "conv", MAP),
        ("residual", "mlp", MAP),
    ],
)
def test_any_network_takes_labels(encoder: str, decoder: str, more: list[str], prior: str) -> None:
    assignments = [f"model.encoder.name={encoder}", f"model.decoder.name={decoder}", f"model.prior.name={prior}"]
    config = override(VAE, [*assignments, "model.latent_dim=3", "model.condition.name=labels", *more])
    spec = DataSpec((2, 8, 8), levels=256, classes=("cat", "dog", "eel"))
    model = build_model(config.model, spec, seed=0).eval()
    x, y, noise = torch.rand(4, 2, 8, 8), torch.tensor([0, 1, 2, 1]), model.draw_noise(4, 2)
    assert model.conditional and model.trace(x, y, noise, k=2).log_weights(x).shape == (2, 4)
    other = (y + 1) % 3
    assert not torch.equal(model.encode(x, y).mean, model.encode(x, other).mean)
    z = torch.randn(4, *model.latent_shape)
    assert not torch.equal(model.decode(z, y).mean, model.decode(z, other).mean)
    with pytest.raises(ConfigError, match="the model is conditional: give y"):
        model.trace(x, None, noise, k=2)


@pytest.mark.parametrize(
    ("assignments", "spec", "message"),
    [
        (
            ["model.condition.name=labels"],
            GREY,
            "needs labels, and the data have none: give data with y, or use --set model",
        ),
        (["model.prior.name=conditional-normal"], LABELLED, "depends on labels: use --set model.condition.name=labels"),
        (
            ["model.condition.encoder=false", "model.condition.decoder=false"],
            LABELLED,
            "nothing depends on the labels: use --set model.condition.decoder=true, or --set model.condition=none",
        ),
    ],
)
def test_conditions_that_make_no_sense_are_refused(assignments: list[str], spec: DataSpec, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_model(override(VAE, assignments).model, spec, seed=0)


def test_labels_can_be_for_the_prior_alone() -> None:
    assignments = ["model.condition.encoder=false", "model.condition.decoder=false"]
    config = override(VAE, [*assignments, "model.prior.name=conditional-normal"])
    model = build_model(config.model, LABELLED, seed=0)
    x, y = torch.rand(4, 1, 8, 8), torch.tensor([0, 2, 1, 2])
    assert torch.equal(model.reconstruct(x), model.reconstruct(x, y))
    assert model.sample(4, y).shape == x.shape
    for call in (lambda: model.sample(4), lambda: model.trace(x, None, model.draw_noise(4))):
        with pytest.raises(ConfigError, match="the model is conditional: give y"):
            call()


def test_settings_reach_the_parts() -> None:
    assignments = [
        "model.latent_dim=3", "model.encoder.hidden=[11, 12]", "model.decoder.hidden=[13]",
        "model.encoder.dropout=0.25", "model.encoder.activation=tanh", "model.encoder.norm=layer",
        "model.likelihood.name=gaussian", "model.likelihood.scale=0.25", "model.posterior.logvar_bounds=[-3.0, 2.0]",
        "model.prior.name=gaussian-mixture", "model.prior.components=7",
    ]  # fmt: skip
    model = build_model(override(VAE, assignments).model, GREY, seed=0)
    text = repr(model.encoder)
    assert "in_features=64, out_features=11" in text and "in_features=11, out_features=12" in text
    assert "Tanh" in text and "p=0.25" in text and "LayerNorm" in text
    assert "in_features=3, out_features=13" in repr(model.decoder)
    assert model.latent_shape == (3,) and model.event_shape == (1, 8, 8)
    assert model.likelihood.beta_effective(1.0) == 0.0625  # type: ignore[operator]
    assert model.posterior.logvar_bounds == (-3.0, 2.0) and model.prior.loc.shape == (7, 3)


# --- seeds ------------------------------------------------------------------------------------------------------------


def weights(seed: int | None) -> dict[str, torch.Tensor]:
    return build_model(VAE.model, GREY, seed=seed).state_dict()


@pytest.mark.parametrize("posterior", ["vector-quantizer", "finite-scalar-quantizer"])
@pytest.mark.parametrize("encoder", ["conv", "residual", "conv-stack"])
@pytest.mark.parametrize("decoder", sorted(build.DECODERS))
def test_any_feature_map_can_be_quantised(posterior: str, encoder: str, decoder: str) -> None:
    settings = override(VQ, [
        f"model.encoder.name={encoder}", f"model.decoder.name={decoder}", f"model.posterior.name={posterior}",
        "model.condition.name=labels",
    ]).model  # fmt: skip
    model = build_model(settings, DataSpec((1, 8, 8), levels=256, classes=("a", "b")), seed=0)
    x, y = torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 1, 0])
    assert model.discrete and model.latent_shape[1:] == (2, 2) == model.posterior.code_shape
    assert model.reconstruct(x, y).shape == x.shape and model.encode(x, y).indices.shape == (4, 2, 2)


@pytest.mark.parametrize(
    ("name", "codes", "remedy"), [("autoregressive", None, "gmm or diffusion"), ("gmm", 8, "fit autoregressive")]
)
def test_priors_fit_the_kind_of_latents(name: str, codes: int | None, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        build.build_latent_prior(make_stage(name), (2, 2), codes=codes)


def test_without_a_seed_weights_come_from_the_global_generator() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        first, second = weights(None), weights(None)
        torch.manual_seed(5)
        again = weights(None)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.layers.0.weight"], second["encoder.layers.0.weight"])


def test_the_global_generator_is_put_back_even_after_an_error() -> None:
    state = torch.get_rng_state()
    with pytest.raises(ConfigError):
        build_model(CONV.model, UNIT, seed=1)
    assert torch.equal(state, torch.get_rng_state())


# --- objectives -------------------------------------------------------------------------------------------------------


def test_objectives_take_over_their_settings() -> None:
    elbo = build_objective(ElboSettings(beta=2.0, free_bits=0.1, samples=3))
    assert isinstance(elbo, Elbo) and (elbo.beta, elbo.free_bits, elbo.k) == (2.0, 0.1, 3)
    capacity = build_objective(ElboSettings(capacity=25.0, gamma=30.0))
    assert isinstance(capacity, Elbo) and (capacity.capacity, capacity.gamma) == (25.0, 30.0)
    plain = build_objective(AutoencoderSettings(l1=1.0, l2=2.0, contractive=3.0))
    assert isinstance(plain, AutoencoderObjective) and (plain.l1, plain.l2, plain.contractive) == (1.0, 2.0, 3.0)
    assert plain.corruption is None
    sparse = build_objective(AutoencoderSettings(kl_sparsity=2.0, rho=0.1))
    assert isinstance(sparse, AutoencoderObjective) and (sparse.kl_sparsity, sparse.rho) == (2.0, 0.1)


@pytest.mark.parametrize("objective", [ElboSettings, AutoencoderSettings])
@pytest.mark.parametrize(
    ("settings", "corruption"),
    [
        (GaussianCorruptionSettings(sigma=0.3, clamp=None), GaussianCorruption(0.3)),
        (GaussianCorruptionSettings(), GaussianCorruption(0.5, [0.0, 1.0])),
        (MaskingCorruptionSettings(probability=0.4, value=0.5), MaskingCorruption(0.4, 0.5)),
        (SaltAndPepperCorruptionSettings(low=-1.0, high=2.0), SaltAndPepperCorruption(0.25, -1.0, 2.0)),
    ],
)
def test_corruptions_take_over_their_settings(objective: Any, settings: Any, corruption: Any) -> None:
    assert build_objective(objective(corruption=settings)).corruption == corruption  # type: ignore[attr-defined]


@pytest.mark.parametrize("other", ["objective.beta=4", "objective.free_bits=0.1"])
def test_capacity_excludes_beta_and_free_bits(other: str) -> None:
    settings: Any = override(VAE, ["objective.capacity=25", other]).objective
    with pytest.raises(
        ConfigError, match=r"--set objective\.beta=1 --set objective\.free_bits=0, or --set objective\.capacity=none"
    ):
        build_objective(settings)


# --- combinations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignments", "spec", "remedies"),
    [
        (["model.likelihood.name=bernoulli"], STANDARD, ["model.likelihood.name=gaussian", "data.scale=unit"]),
        (["model.likelihood.name=continuous-bernoulli"], STANDARD, ["model.likelihood.name=gaussian"]),
        (
            ["model.likelihood.name=gaussian", "model.likelihood.loc_activation=sigmoid"],
            STANDARD,
            ["model.likelihood.loc_activation=identity"],
        ),
        (
            ["model.likelihood.name=laplace", "model.likelihood.loc_activation=sigmoid"],
            STANDARD,
            ["model.likelihood.loc_activation=identity"],
        ),
        (["model.likelihood.name=discretized-logistic"], UNIT, ["model.likelihood.name=gaussian"]),
        (["model.likelihood.name=discretized-logistic-mixture"], STANDARD, ["model.likelihood.name=gaussian"]),
        (["model.likelihood.name=discretized-logistic"], DEQUANTISED, ["data.dequantize=false"]),
        (["model.likelihood.name=categorical"], BINARY, ["levels=2", "model.likelihood.name=bernoulli"]),
        (
            ["model.likelihood.name=categorical", "model.likelihood.levels=16"],
            GREY,
            ["model.likelihood.levels=256"],
        ),
    ],
)
def test_a_likelihood_that_makes_no_sense_for_the_data_is_refused(
    assignments: list[str], spec: DataSpec, remedies: list[str]
) -> None:
    config = override(VAE, assignments)
    for refuse in (
        lambda: check_together(config, spec, 1000, validated=False),
        lambda: build_model(config.model, spec, seed=0),
    ):
        with pytest.raises(ConfigError) as caught:
            refuse()
        assert all(remedy in str(caught.value) for remedy in remedies), caught.value


@pytest.mark.parametrize(
    ("config", "assignments", "remedies"),
    [
        (VAE, ["model.prior=none"], ["--set model.prior.name=standard-normal", "--set objective.name=autoencoder"]),
        (AE, ["objective.name=elbo"], ["--set model.prior.name=standard-normal", "--set objective.name=autoencoder"]),
        (
            CONV,
            ["training.batch_size=1"],
            ["training.batch_size", "--set model.encoder.norm=none --set model.decoder.norm=none"],
        ),
        (VAE, ["training.batch_size=1", "model.encoder.norm=batch"], ["training.batch_size"]),
        (VAE, ["training.patience=3"], ["data.validation"]),
        (
            VAE,
            ["objective.free_bits=0.5", "model.prior.name=gaussian-mixture"],
            ["--set objective.free_bits=0", "--set model.prior.name=standard-normal"],
        ),
        (VQ, ["objective.name=autoencoder"], ["--set objective.name=quantized"]),
        (
            AE,
            ["objective.name=quantized"],
            ["--set model.posterior.name=vector-quantizer", "--set objective.name=autoencoder"],
        ),
        (
            VQ,
            ["model.posterior.name=finite-scalar-quantizer", "objective.commitment=0.25"],
            ["--set objective.commitment=0"],
        ),
        (AE, ["objective.kl_sparsity=1"], ["--set model.posterior.activation=sigmoid", "objective.l1"]),
        (
            override(VAE, ["objective.name=autoencoder"]),
            ["objective.kl_sparsity=1"],
            ["--set model.posterior.name=deterministic"],
        ),
        (
            VAE,
            ["objective.corruption={name='gaussian', clamp=[0.0, 0.5]}"],
            ["clamp=[0.0,1.0], or --set objective.corruption.clamp=none"],
        ),
        (AE, ["objective.corruption.name=salt-and-pepper", "objective.corruption.high=0.9"], ["corruption.high=1.0"]),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    config: Config, assignments: list[str], remedies: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_together(override(config, assignments), GREY, 1000, validated=False)
    assert all(remedy in str(caught.value) for remedy in remedies), caught.value
    for cure in cures(str(caught.value)):
        assert cure
        check_together(override(override(config, assignments), cure), GREY, 1000, validated=True)


def cures(message: str) -> list[list[str]]:
    """The remedies of a message: each is what the user is to write after ``--set``."""
    remedy = message.partition(": use ")[2]
    return [re.findall(r"--set (\S+=[^\s,)]+(?:,[^\s,)]+)*)", one) for one in remedy.split(", or ")]


@pytest.mark.parametrize("spec", [STANDARD, DataSpec((5,), low=-0.0123, high=0.0), DataSpec((5,), low=-7.0, high=31.4)])
def test_the_remedy_for_a_corruption_of_another_range_is_accepted(spec: DataSpec) -> None:
    for settings in (GaussianCorruptionSettings(clamp=[0.0, 0.1]), SaltAndPepperCorruptionSettings(low=0.0, high=0.1)):
        with pytest.raises(ConfigError) as caught:
            build.check_corruption(settings, spec)
        remedy = str(caught.value).partition("--set ")[2]
        low, high = (float(number) for number in re.findall(r"-?[0-9]+\.[0-9]+", remedy))
        values = {"clamp": [low, high]} if settings.name == "gaussian" else {"low": low, "high": high}
        build.check_corruption(settings.model_copy(update=values), spec)
    build.check_corruption(GaussianCorruptionSettings(clamp=None), spec)
    build.check_corruption(MaskingCorruptionSettings(), spec)


def test_a_deterministic_posterior_with_a_prior_is_refused() -> None:
    settings = override(VAE, ["model.posterior.name=deterministic"]).model
    with pytest.raises(ConfigError, match=r"--set model\.prior=none.*--set model\.posterior\.name=gaussian"):
        build_model(settings, GREY, seed=0)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_fit_grey_images_without_a_warning_but_for_densities(name: str) -> None:
    warnings = check_together(PRESETS[name].config(), GREY, 1000, validated=False)
    settings = PRESETS[name].config().model  # a stacked model has a likelihood of latents, which take any value
    density = settings.likelihood.name == "gaussian" and PRESETS[name].family == "vae" and settings.base is None
    assert all("gaussian is a density, but the data take only 256 values" in warning for warning in warnings)
    assert len(warnings) == density


@pytest.mark.parametrize(
    ("config", "assignments", "spec", "samples", "warning"),
    [
        (VAE, [], GREY, 100, "only 100 training samples, fewer than the 128 of a batch"),
        (VAE, [], GREY, 1, "there is only 1 training sample, which the model learns by heart"),
        (VAE, ["model.likelihood.name=gaussian"], GREY, 1000, "a density, but the data take only 256 values"),
        (VAE, [], DEQUANTISED, 1000, "data.dequantize=false"),
        (VAE, ["objective.name=autoencoder"], GREY, 1000, "use --set objective.name=elbo, or --set model.prior=none"),
        (VAE, ["objective.gamma=10"], GREY, 1000, "objective.gamma has no effect without a capacity"),
        (AE, ["objective.rho=0.2"], GREY, 1000, "objective.rho has no effect without objective.kl_sparsity"),
    ],
)
def test_what_rarely_makes_sense_is_warned_of(
    config: Config, assignments: list[str], spec: DataSpec, samples: int, warning: str
) -> None:
    warnings = check_together(override(config, assignments), spec, samples, validated=False)
    assert len(warnings) == 1 and warning in warnings[0]


def test_what_is_fine_is_not_warned_of() -> None:
    assert (
        check_together(override(VAE, ["objective.capacity=25", "objective.gamma=10"]), GREY, 128, validated=False) == []
    )
    assert (
        check_together(override(VAE, ["training.patience=3", "data.validation=0.1"]), GREY, 128, validated=True) == []
    )
    assert check_together(override(VAE, ["training.batch_size=1"]), GREY, 128, validated=False) == []
    assert check_together(make_config({}), BINARY, 128, validated=False) == []


@pytest.mark.parametrize("network", ["conv", "residual"])
@pytest.mark.parametrize("side", ["encoder", "decoder"])
def test_networks_for_images_refuse_vectors_and_name_those_for_vectors(network: str, side: str) -> None:
    settings = override(VAE, [f"model.{side}.name={network}"]).model
    assert isinstance(settings, ModelSettings)
    with pytest.raises(ConfigError, match=r"needs images.*--set model.encoder.name=.*mlp --set model.decoder.name="):
        build_model(settings, UNIT, seed=0)
