"""Objectives of discrete latents, term by term."""

from __future__ import annotations

import math

import pytest
import torch

from latentia.data.dataset import DataSpec
from latentia.errors import ConfigError
from latentia.objectives.code_likelihood import CodeLikelihood
from latentia.objectives.quantized import QuantizedObjective
from latentia.parts.code_priors import AutoregressivePrior
from latentia.recipes.build import build_model
from latentia.recipes.presets import find_preset


def small(name: str = "vq-vae", **posterior: object):  # type: ignore[no-untyped-def]
    settings = find_preset(name).config().model
    chosen = settings.posterior.model_copy(update=posterior)
    return build_model(settings.model_copy(update={"posterior": chosen}), DataSpec((1, 8, 8), levels=256), seed=0)


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_the_loss_is_the_papers_equation_3(learning: str) -> None:
    model, x = small(codes=16, learning=learning).train(), torch.rand(6, 1, 8, 8)
    model.trace(x)  # the codebook has begun
    model.eval()
    terms = QuantizedObjective(commitment=0.5)(model, x, None, (), {})
    q = model.encode(x)
    squared = (q.encoded - q.codes).square().flatten(1).sum(1)
    pixels = 0.5 * (x - model.reconstruct(x)).square().flatten(1).sum(1) + 32 * math.log(2 * math.pi)
    torch.testing.assert_close(terms.distortion, pixels)
    torch.testing.assert_close(terms.loss, pixels + (1.5 if learning == "gradient" else 0.5) * squared)
    reported = terms.reported()
    assert set(reported) == {"distortion", "commitment", "perplexity"} and terms.rate is None
    assert (reported["perplexity"] == reported["perplexity"][0]).all()


def test_without_commitment_the_grid_has_the_distortion_alone() -> None:
    model, x = small("fsq-ae").train(), torch.rand(6, 1, 8, 8)
    terms = QuantizedObjective(commitment=0.0)(model, x, None, (), {})
    assert torch.equal(terms.loss, terms.distortion)
    assert QuantizedObjective().coefficients_at(0.3) == {} and QuantizedObjective().settled_at() == 0


def test_real_latents_are_refused() -> None:
    model = build_model(find_preset("ae").config().model, DataSpec((1, 8, 8), levels=256), seed=0)
    with pytest.raises(ConfigError, match=r"--set model\.posterior\.name=vector-quantizer"):
        QuantizedObjective()(model, torch.rand(6, 1, 8, 8), None, (), {})


def test_the_likelihood_of_codes() -> None:
    torch.manual_seed(0)
    prior, indices = AutoregressivePrior((2, 3), 5, width=8, layers=1), torch.randint(0, 5, (4, 2, 3))
    terms = CodeLikelihood()(prior, indices.float(), None, (), {})
    scores = prior.network(indices).log_softmax(1)
    expected = -scores.gather(1, indices[:, None])[:, 0].flatten(1).sum(1)
    torch.testing.assert_close(terms.loss, expected)
    assert CodeLikelihood().coefficients_at(0.3) == {} and CodeLikelihood().settled_at() == 0
