from __future__ import annotations

import os
from pathlib import Path

import pytest

import latentia as lt
from latentia.errors import ConfigError
from latentia.runs.uses.generation import Generated

HAS_MNIST = (Path(os.environ.get("LATENTIA_DATA_DIR", "")) / "mnist").is_dir()
needs_mnist = pytest.mark.skipif(
    not os.environ.get("LATENTIA_DATA_DIR") or not HAS_MNIST, reason="LATENTIA_DATA_DIR holds no mnist/"
)


def judged(preset: str, steps: int = 60) -> Generated:
    settings = {"training.threads": 1}
    return lt.train(preset, "mnist", steps=steps, directory=None, settings=settings).judge(256)


@needs_mnist
def test_more_training_is_judged_better_and_twice_the_same():
    run = lt.train("vae", "mnist", steps=150, directory=None, settings={"training.threads": 1})
    brief = judged("vae")
    longer, again = run.judge(256), run.judge(256)
    assert longer == again
    assert list(longer.priors) == ["model"]
    assert longer.reconstructions.frechet_distance < brief.reconstructions.frechet_distance
    assert longer.reconstructions.frechet_distance < longer.priors["model"].frechet_distance
    assert 0.1 < longer.priors["model"].confidence <= 1


@needs_mnist
def test_an_autoencoder_is_judged_under_fitted_priors():
    run = lt.train("ae", "mnist", steps=300, directory=None, settings={"training.threads": 1})
    run.fit_prior("gmm", settings=["components=20"])
    result = run.judge(512)
    assert list(result.priors) == ["standard-normal", "gmm"]
    assert result.priors["gmm"].frechet_distance < result.priors["standard-normal"].frechet_distance
    assert result.half_way.accuracy is None
    assert result.to_json()["n"] == 512 and result.extractor == "mnist-cnn-v1"


@needs_mnist
def test_a_conditional_model_is_asked_for_classes():
    result = judged("conditional-vae")
    drawn = result.priors["model"]
    assert drawn.accuracy is not None and 0 <= drawn.accuracy <= 1
    assert drawn.variance_ratio is not None and 0 < drawn.variance_ratio < 2


@needs_mnist
def test_discrete_latents_have_nothing_between_them():
    result = judged("vq-vae", steps=5)
    assert list(result.priors) == ["uniform"]
    assert result.half_way is None and result.box is None
    assert result.reconstructions.confidence > 0.1


def test_other_data_are_refused():
    run = lt.train("vae", "digits", steps=2, directory=None)
    with pytest.raises(ConfigError, match="MNIST's digits only"):
        run.judge(256)
