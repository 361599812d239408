"""The settings of second stages, and how they are changed."""

from __future__ import annotations

from typing import Any

import pytest

from latentia.errors import ConfigError
from latentia.parts.latent_priors import CorrelatedMixturePrior, DiffusionPrior
from latentia.parts.priors import GaussianMixturePrior
from latentia.recipes.build import build_latent_prior
from latentia.recipes.second_stages import STAGES, make_stage, read_stage


@pytest.mark.parametrize("name", list(STAGES))
def test_settings_survive_being_written(name: str) -> None:
    stage = make_stage(name)
    assert stage.name == name and read_stage(stage.model_dump(mode="json"), "file") == stage
    for field in type(stage).model_fields:
        assert field == "training" or type(stage).model_fields[field].description, field


@pytest.mark.parametrize(
    ("name", "assignments", "said"),
    [
        ("gnm", [], "Did you mean 'gmm'"),
        ("gmm", ["component=3"], "Did you mean 'components'"),
        ("gmm", ["components=0"], "components must be greater than or equal to 1"),
        ("gmm", ["components"], "is not an assignment"),
        ("gmm", ["covariance=ful"], "Did you mean 'full'"),
        ("gmm", ["name=diffusion"], "cannot be set"),
        ("gmm", ["training.steps=3"], "no setting 'training.steps'"),
        ("diffusion", ["training.step=3"], "Did you mean 'training.steps'"),
        ("diffusion", ["training.optimizer.lr=fast"], "training.optimizer.lr must be a valid number"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, assignments: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_stage(name, assignments)
    assert said in str(caught.value)


def test_epochs_take_the_place_of_steps() -> None:
    stage = make_stage("diffusion", ["training.epochs=2.0", "training.optimizer.lr=5e-4"])
    assert (stage.training.epochs, stage.training.steps, stage.training.optimizer.lr) == (2.0, None, 5e-4)
    assert make_stage("diffusion", ["training.ema=none"]).training.ema is None


@pytest.mark.parametrize(
    ("name", "assignments", "kind"),
    [
        ("gmm", ["components=3"], CorrelatedMixturePrior),
        ("gmm", ["components=3", "covariance=diagonal"], GaussianMixturePrior),
        ("diffusion", ["width=8", "blocks=1"], DiffusionPrior),
    ],
)
def test_each_is_built(name: str, assignments: list[str], kind: type[Any]) -> None:
    prior = build_latent_prior(make_stage(name, assignments), (2, 2))
    assert type(prior) is kind and prior.latent_shape == (2, 2)


def test_covariances_that_are_too_large_are_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="covariance=diagonal"):
        build_latent_prior(make_stage("gmm"), (513,))
    assert build_latent_prior(make_stage("gmm", ["covariance=diagonal"]), (513,)).latent_shape == (513,)
