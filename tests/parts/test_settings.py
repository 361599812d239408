"""Settings: strict, described, mirrored, and agreeing with the constructors they describe."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from latentia.parts import likelihoods, posteriors, priors, quantizers
from latentia.parts import settings as s
from latentia.parts.networks import convolutional, mlp, residual, stacks

ALIASES: dict[str, Any] = {
    "encoder": s.EncoderSettings,
    "decoder": s.DecoderSettings,
    "posterior": s.PosteriorSettings,
    "prior": s.PriorSettings,
    "likelihood": s.LikelihoodSettings,
}
CLASSES = {cls for alias in ALIASES.values() for cls in get_args(get_args(alias)[0])}
BUILT = {
    s.MLPSettings: [mlp.MLP],
    s.ConvSettings: [convolutional.ConvEncoder, convolutional.ConvDecoder],
    s.ConvMapSettings: [convolutional.ConvMapDecoder],
    s.ResidualSettings: [residual.ResidualEncoder, residual.ResidualDecoder],
    s.ResidualMLPSettings: [residual.ResidualMLP],
    s.ConvStackSettings: [stacks.ConvStackEncoder],
    s.TransposedStackSettings: [stacks.TransposedStackDecoder],
    s.GaussianPosteriorSettings: [posteriors.GaussianPosterior],
    s.DeterministicPosteriorSettings: [posteriors.DeterministicPosterior],
    s.GaussianMapPosteriorSettings: [posteriors.GaussianMapPosterior],
    s.FeatureMapPosteriorSettings: [posteriors.FeatureMapPosterior],
    s.RectifiedPosteriorSettings: [posteriors.RectifiedPosterior],
    s.VectorQuantizerSettings: [quantizers.VectorQuantizer],
    s.FiniteScalarQuantizerSettings: [quantizers.FiniteScalarQuantizer],
    s.StandardNormalPriorSettings: [priors.StandardNormalPrior],
    s.ConditionalNormalPriorSettings: [priors.ConditionalNormalPrior],
    s.ConditionalMixturePriorSettings: [priors.ConditionalMixturePrior],
    s.GaussianMixturePriorSettings: [priors.GaussianMixturePrior],
    s.BernoulliSettings: [likelihoods.Bernoulli],
    s.ContinuousBernoulliSettings: [likelihoods.ContinuousBernoulli],
    s.GaussianSettings: [likelihoods.Gaussian],
    s.LaplaceSettings: [likelihoods.Laplace],
    s.DiscretizedLogisticSettings: [likelihoods.DiscretizedLogistic],
    s.DiscretizedLogisticMixtureSettings: [likelihoods.DiscretizedLogisticMixture],
    s.CategoricalSettings: [likelihoods.Categorical],
}


def by_name(cls: type) -> str:
    return cls.__name__


@pytest.mark.parametrize("cls", sorted(CLASSES, key=by_name), ids=by_name)
def test_every_field_and_class_is_described(cls: Any) -> None:
    schema = cls.model_json_schema()
    assert schema["description"]
    for name, field in schema["properties"].items():
        assert field.get("description"), name
        assert "default" in field, name


@pytest.mark.parametrize("cls", sorted(CLASSES, key=by_name), ids=by_name)
def test_no_setting_is_ignored(cls: Any) -> None:
    """Every field but the name is an argument of the same name and default, and the reverse."""
    values = cls().model_dump(exclude={"name"})
    for built in BUILT[cls]:
        arguments = inspect.signature(built.__init__).parameters
        context = {
            "self",
            "in_shape",
            "event_shape",
            "latent_shape",
            "out_shape",
            "features",
            "classes",
            "args",
            "kwargs",
        }
        assert set(values) == set(arguments) - context
        for name, value in values.items():
            default = arguments[name].default
            if default is not inspect.Parameter.empty:
                assert (list(default) if isinstance(default, tuple) else default) == value, name


def test_the_table_above_is_complete() -> None:
    assert set(BUILT) == CLASSES


@pytest.mark.parametrize("alias", ALIASES)
def test_a_name_chooses_the_settings(alias: str) -> None:
    adapter = TypeAdapter(ALIASES[alias])
    for cls in get_args(get_args(ALIASES[alias])[0]):
        value = adapter.validate_python({"name": cls().name})
        assert type(value) is cls
        assert adapter.validate_json(adapter.dump_json(value)) == value
    with pytest.raises(ValidationError, match="name"):
        adapter.validate_python({"name": "nonsense"})
    assert adapter.json_schema()["discriminator"]["propertyName"] == "name"


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (s.MLPSettings, {"hidden": [8, 0]}, "greater than or equal to 1"),
        (s.MLPSettings, {"hidden": [8.0]}, "valid integer"),
        (s.MLPSettings, {"hidden": [8], "dropout": 1.0}, "less than 1"),
        (s.MLPSettings, {"hidden": [8], "dropout": [-0.1]}, "greater than or equal to 0"),
        (s.MLPSettings, {"hidden": [8, 8], "dropout": [0.1]}, "1 rates but there are 2 hidden layers"),
        (s.MLPSettings, {"hidden": [1], "norm": "layer"}, "single unit"),
        (s.MLPSettings, {"activation": "rleu"}, "'relu'"),
        (s.MLPSettings, {"hiden": [8]}, "hiden"),
        (s.MLPSettings, {"hidden": [], "activate_last": False}, "needs a hidden layer"),
        (s.ConvStackSettings, {"layers": []}, "at least 1 item"),
        (s.ConvStackSettings, {"layers": [{"kernel": 3}]}, "channels"),
        (s.ConvStackSettings, {"layers": [{"channels": 4, "stride": 0}]}, "greater than or equal to 1"),
        (s.ConvStackSettings, {"layers": [{"channels": 4, "output_padding": 1}]}, "output_padding"),
        (s.ConvStackSettings, {"layers": [{"channels": 1}], "norm": "group"}, "single unit"),
        (s.TransposedStackSettings, {"layers": []}, "at least 1 item"),
        (s.TransposedStackSettings, {"layers": [{}, {}]}, r"layers\[0\] has no channels"),
        (s.TransposedStackSettings, {"layers": [{"output_padding": 2}]}, "less than the stride 2"),
        (s.TransposedStackSettings, {"layers": [{"channels": 1}, {}], "norm": "group"}, "single unit"),
        (s.GaussianMapPosteriorSettings, {"kernel": 2}, "odd"),
        (s.GaussianMapPosteriorSettings, {"logvar_bounds": [1.0, 0.0]}, "larger upper bound"),
        (s.ConvSettings, {"channels": []}, "at least 1 item"),
        (s.ConvSettings, {"kernel": 4}, "odd"),
        (s.ConvSettings, {"channels": [1], "norm": "group"}, "single unit"),
        (s.ResidualSettings, {"blocks": 0}, "greater than or equal to 1"),
        (s.ResidualSettings, {"channels": [1]}, "single unit"),
        (s.ResidualMLPSettings, {"hidden": [1]}, "single unit"),
        (s.GaussianPosteriorSettings, {"logvar_bounds": [1.0, 0.0]}, "larger upper bound"),
        (s.GaussianPosteriorSettings, {"logvar_bounds": [1.0]}, "at least 2 items"),
        (s.GaussianMixturePriorSettings, {"components": 0}, "greater than or equal to 1"),
        (s.GaussianSettings, {"scale": 0.0}, "greater than 0"),
        (s.GaussianSettings, {"sigma": "learnt"}, "'learned'"),
        (s.DiscretizedLogisticSettings, {"levels": 1}, "greater than or equal to 2"),
    ],
)
def test_what_makes_no_sense_is_refused(cls: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        cls(**values)


def test_mirroring_twice_changes_nothing() -> None:
    for value in [
        s.MLPSettings(hidden=[256, 128], dropout=[0.2, 0.0]),
        s.ConvSettings(channels=[32, 64, 128], activation="leaky-relu"),
        s.ResidualSettings(channels=[8, 16]),
        s.ResidualMLPSettings(hidden=[8, 16]),
    ]:
        assert value.mirrored() != value
        assert value.mirrored().mirrored() == value


def test_the_mirror_of_a_linear_last_layer_has_an_activation() -> None:
    assert s.MLPSettings(hidden=[8, 4], activate_last=False).mirrored() == s.MLPSettings(hidden=[4, 8])


def test_a_last_layer_that_is_not_normalised_may_be_of_one_channel() -> None:
    layers = [s.StackLayerSettings(channels=8), s.StackLayerSettings(channels=1)]
    assert not s.ConvStackSettings(layers=layers, norm="group", norm_last=False).norm_last
    with pytest.raises(ValidationError, match="single unit"):
        s.ConvStackSettings(layers=layers, norm="group")
