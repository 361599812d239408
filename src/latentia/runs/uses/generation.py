"""Judging what a model generates: draws from its prior, half-way points, and holes in its latent space."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError
from latentia.evaluation.generation import class_accuracy, frechet_distance, within_class_variance
from latentia.evaluation.judge import NAME, judge, judge_card
from latentia.parts.priors import StandardNormalPrior
from latentia.runs.priors import find_prior, fitted_names
from latentia.runs.uses.material import Material, Picked, decode, encode

if TYPE_CHECKING:
    from latentia.runs.run import Run

LEAST = 128  # fewer samples than twice the features make a covariance worthless


@dataclass(frozen=True)
class Judgement:
    """How images of one origin compare with those of the test part.

    Attributes:
        frechet_distance: Between the features of as many generated and test images.
        confidence: The mean probability of the most probable class.
        accuracy: The fraction that is of the class that was asked for; ``None`` where none was.
        variance_ratio: The pixels' variance within the classes that were asked for, over that of the test images;
            1 for samples as varied as real ones; ``None`` where no class was asked for.
    """

    frechet_distance: float
    confidence: float
    accuracy: float | None = None
    variance_ratio: float | None = None


@dataclass(frozen=True)
class Generated:
    """Figures for a model's generated images.

    Attributes:
        extractor: The classifier whose features and probabilities are used.
        extractor_accuracy: Its accuracy on MNIST's test part.
        n: How many images of each origin, and of the test part.
        seed: Of the draws.
        reconstructions: Of the test images: how good a sample could be.
        priors: Draws from each prior that there is: ``model``, those that were fitted, and ``standard-normal``, or
            ``uniform`` for discrete latents.
        half_way: Decoded half-way points between the latents of two test images; ``None`` for discrete latents, between
            which there is nothing.
        box: Decoded points drawn uniformly between the smallest and the largest latent of each dimension; where an
            autoencoder's latent space has holes, many of these fall into them; ``None`` likewise.
    """

    extractor: str
    extractor_accuracy: float
    n: int
    seed: int
    reconstructions: Judgement
    priors: dict[str, Judgement]
    half_way: Judgement | None
    box: Judgement | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def judge_generated(run: Run, n: int, *, seed: int = 0) -> Generated:
    """Judge a model of MNIST's digits; see :meth:`latentia.Run.judge`."""
    picked = _test_images(run, n)
    n = len(picked.x)
    real = _Reference(picked.x.cpu(), picked.y)
    latents = encode(run, picked.x, picked.y)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(derive_seed(seed, "judge", "pairs")))
    half_way = (latents + latents[order]) / 2
    low, high = latents.amin(0), latents.amax(0)
    uniform = torch.rand(latents.shape, generator=torch.Generator().manual_seed(derive_seed(seed, "judge", "box")))
    y = picked.y if run.model.conditional else None
    between = not run.model.discrete
    return Generated(
        extractor=NAME,
        extractor_accuracy=judge_card()["test_accuracy"],
        n=n,
        seed=seed,
        reconstructions=real.judged(decode(run, latents, y), y),
        priors={name: _prior_judged(run, real, name, n, seed) for name in judged_priors(run)},
        half_way=real.judged(decode(run, half_way, y), y) if between else None,
        box=real.judged(decode(run, low + (high - low) * uniform, y), y) if between else None,
    )


class _Reference:
    """The test images, with which generated ones are compared."""

    def __init__(self, x: Tensor, y: Tensor | None) -> None:
        self.features = judge(x)[1]
        self.variance = None if y is None else within_class_variance(x, y)

    def judged(self, x: Tensor, wanted: Tensor | None) -> Judgement:
        """Compare images, which were wanted to be of some classes or of none."""
        probabilities, features = judge(x)
        distance, confidence = frechet_distance(features, self.features), float(probabilities.amax(1).double().mean())
        if wanted is None or self.variance is None:
            return Judgement(distance, confidence)
        wanted = wanted.cpu()
        return Judgement(
            distance,
            confidence,
            class_accuracy(probabilities, wanted),
            within_class_variance(x, wanted) / self.variance,
        )


def judged_priors(run: Run) -> list[str]:
    """The priors that a model can be sampled from, its own first."""
    own = ["model"] if run.model.has_prior else []
    fitted = fitted_names(run)
    if getattr(run.model.prior, "conditional", False):  # the simple one knows no classes
        return own + [name for name in fitted if getattr(find_prior(run, name)[1], "conditional", False)]
    simple = "uniform" if run.model.discrete else "standard-normal"
    others = [] if isinstance(run.model.prior, StandardNormalPrior) else [simple]
    return own + others + fitted


def _prior_judged(run: Run, real: _Reference, name: str, n: int, seed: int) -> Judgement:
    if not run.model.conditional:
        return real.judged(run.sample(n, prior=name, seed=seed, write=False).x, None)
    classes = len(run.spec.classes)
    each = max(2, n // classes)
    wanted = torch.arange(classes).repeat_interleave(each)
    return real.judged(run.sample(each, prior=name, seed=seed, write=False).x, wanted)


def _test_images(run: Run, n: int) -> Picked:
    if run.config.data.source != "mnist":
        raise ConfigError(
            f"{NAME} knows MNIST's digits only, so that samples of {run.config.data.source} cannot be judged by it: "
            "judge a run on mnist"
        )
    if n < LEAST:
        raise ConfigError(f"a Fréchet distance on 64 features needs at least {LEAST} samples, not {n}")
    if run.preparation.rescales:
        raise DataError(f"{NAME} judges pixels in [0, 1], and this run's are scaled: train with --set data.scale=none")
    return Material(run).at(range(min(n, len(run.dataset.split("test")))))
