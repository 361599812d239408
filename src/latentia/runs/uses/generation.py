"""Judging what a model generates: draws from its prior, half-way points, and holes in its latent space."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError
from latentia.evaluation.encoding import BLOCK, encode_split, evaluating
from latentia.evaluation.generation import frechet_distance
from latentia.evaluation.judge import NAME, judge, judge_card

if TYPE_CHECKING:
    from latentia.runs.run import Run

LEAST = 128  # fewer samples than twice the features make a covariance worthless


@dataclass(frozen=True)
class Judgement:
    """How images of one origin compare with those of the test part.

    Attributes:
        frechet_distance: Between the features of as many generated and test images.
        confidence: The mean probability of the most probable class.
    """

    frechet_distance: float
    confidence: float


@dataclass(frozen=True)
class Generated:
    """Figures for a model's generated images.

    Attributes:
        extractor: The classifier whose features and probabilities are used.
        extractor_accuracy: Its accuracy on MNIST's test part.
        n: How many images of each origin, and of the test part.
        seed: Of the draws.
        reconstructions: Of the test images: how good a sample could be.
        prior: Draws from the prior; ``None`` for a model without one.
        half_way: Decoded half-way points between the latents of two test images.
        box: Decoded points drawn uniformly between the smallest and the largest latent of each dimension; where an
            autoencoder's latent space has holes, many of these fall into them.
    """

    extractor: str
    extractor_accuracy: float
    n: int
    seed: int
    reconstructions: Judgement
    prior: Judgement | None
    half_way: Judgement
    box: Judgement

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def judge_generated(run: Run, n: int, *, seed: int = 0) -> Generated:
    """Judge a model of MNIST's digits; see :meth:`latentia.Run.judge`."""
    test = _test_images(run, n)
    n = len(test)
    reference = judge(test)[1]
    means, y = encode_split(run.model, run.dataset, "test", limit=n)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(derive_seed(seed, "judge", "pairs")))
    half = (means + means[order]) / 2
    low, high = means.amin(0), means.amax(0)
    uniform = torch.rand(means.shape, generator=torch.Generator().manual_seed(derive_seed(seed, "judge", "box")))

    def judged(x: Tensor) -> Judgement:
        probabilities, features = judge(x)
        return Judgement(frechet_distance(features, reference), float(probabilities.amax(1).double().mean()))

    prior = judged(run.sample(n, seed=seed, write=False).x) if run.model.has_prior else None
    return Generated(
        extractor=NAME,
        extractor_accuracy=judge_card()["test_accuracy"],
        n=n,
        seed=seed,
        reconstructions=judged(_decoded(run, means, y)),
        prior=prior,
        half_way=judged(_decoded(run, half, y)),
        box=judged(_decoded(run, low + (high - low) * uniform, y)),
    )


def _test_images(run: Run, n: int) -> Tensor:
    if run.config.data.source != "mnist":
        raise ConfigError(
            f"{NAME} knows MNIST's digits only, so that samples of {run.config.data.source} cannot be judged by it: "
            "judge a run on mnist"
        )
    if n < LEAST:
        raise ConfigError(f"a Fréchet distance on 64 features needs at least {LEAST} samples, not {n}")
    if run.preparation.rescales:
        raise DataError(f"{NAME} judges pixels in [0, 1], and this run's are scaled: train with data.scale = 'none'")
    return run._inputs(min(n, len(run.dataset.split("test"))), "test", None)[0].cpu()


def _decoded(run: Run, latents: Tensor, y: Tensor | None) -> Tensor:
    with evaluating(run.model) as device:
        pieces = []
        for start in range(0, len(latents), BLOCK):
            part = slice(start, start + BLOCK)
            labels = None if y is None else y[part].to(device)
            pieces.append(run.model.decode(latents[part].to(device), labels).mean.cpu())
        return torch.cat(pieces)
