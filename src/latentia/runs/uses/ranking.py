"""Which latent dimensions carry something: by their rate, or where that has no closed form, by their spread.

Owns the order in which a use shows dimensions; knows no picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from latentia.evaluation.encoding import BLOCK, evaluating
from latentia.evaluation.likelihood import ACTIVE_VARIANCE
from latentia.exploration.plots import ACTIVE_RATE
from latentia.parts.priors import StandardNormalPrior
from latentia.runs.uses.material import Material

if TYPE_CHECKING:
    from latentia.runs.run import Run

RATED = 2000  # samples that the ranking rests on, at most


@dataclass(frozen=True, eq=False)
class Ranking:
    """The latent dimensions of a model, measured on some samples.

    Attributes:
        order: Their numbers, the most important first.
        rates: The rate of each, (d,), nats per sample; ``None`` without a closed form.
        mean: The mean of the posterior means, (d,).
        spread: Their standard deviation, (d,).
        active: Whether each carries something: a rate above 0.01 nats; without rates, a variance above 0.01 under a
            prior (Burda et al. 2016, https://arxiv.org/abs/1509.00519, section 5.2), or above a millionth of the
            largest one.
        n: How many samples were measured.
    """

    order: list[int]
    rates: list[float] | None
    mean: Tensor
    spread: Tensor
    active: list[bool]
    n: int


def rank_dimensions(material: Material) -> Ranking:
    """Measure the latent dimensions on the first samples."""
    model = material.run.model
    n = min(RATED, len(material))
    locs: list[Tensor] = []
    sums: Tensor | None = None
    with evaluating(model) as device:
        for start in range(0, n, BLOCK):
            picked = material.at(range(start, min(start + BLOCK, n)))
            noise = model.draw_noise(len(picked.x), 1, torch.Generator(device).manual_seed(0), device)
            level = model.trace(picked.x, picked.y, noise, 1).levels[0]
            locs.append(level.posterior.mean.flatten(1).double().cpu())
            if level.kl is not None:
                total = level.kl.flatten(1).double().cpu().sum(0)
                sums = total if sums is None else sums + total
    loc = torch.cat(locs)
    rates = None if sums is None else sums / n
    variance = loc.var(0, correction=0)
    if rates is not None:
        score, active = rates, rates > ACTIVE_RATE
    else:
        score = variance
        active = variance > (ACTIVE_VARIANCE if model.has_prior else 1e-6 * float(variance.max()))
    order = torch.argsort(score, descending=True, stable=True).tolist()
    listed = None if rates is None else rates.tolist()
    return Ranking(order, listed, loc.mean(0), variance.sqrt(), active.tolist(), n)


def is_standard(run: Run) -> bool:
    """Whether the model's prior is the standard normal, whose coordinates mean the same in every model."""
    return isinstance(run.model.prior, StandardNormalPrior)
