"""The objective of models that learn classes from few labels and much data without: M2, and M1+M2."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.maths.schedules import Schedule, settled_at, value_at
from latentia.objectives.terms import LossTerms


class SemiSupervised:
    r"""Bounds on ln p(x, y) of samples with labels and on ln p(x) of those without, and the classifier's own term.

    .. math::
        -L(x, y) &= -E_{q(z|x,y)} \ln p(x|y,z) + KL(q(z|x,y) \,\|\, p(z)) - \ln p(y) \\
        -U(x) &= \sum_y q(y|x) \left(-L(x, y) + \ln q(y|x)\right) \\
        J / N &= \frac{n}{N} E_l[-L(x, y)] + \frac{N - n}{N} E_u[-U(x)] + \alpha E_l[-\ln q(y|x)]

    Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014, https://arxiv.org/abs/1406.5298,
    equations 6 to 9, per sample: n of N have labels, p(y) is uniform over the C classes, over which U sums without
    sampling, and alpha = 0.1 is their 0.1 N. The draws of z of one sample share their noise over the classes.

    Means over samples with (l) and without (u) labels are estimated by those of a batch, so that its loss is an
    unbiased estimate of J / N however many of each it holds.

    With ``unlabelled`` = w, the loss of samples without labels counts w times, which is not in the paper: a w that
    rises from 0 lets the classifier learn from the labels before U, which has no names for its classes, settles on
    classes of its own. What is reported are the bounds themselves.

    Of a stacked model (M1+M2) M2's data are draws of q(z1 given x), and the loss is that of the whole: the rate has
    ln q(z1 given x) - ln p(z1 given y, z2) in it, the distortion is -ln p(x given z1).

    Args:
        alpha: Weight of the classifier's term, nats to nats.
        unlabelled: Factor w on the loss of samples without labels, a number or a schedule.
        labelled: How many samples with labels each step draws, beside a batch of those without.
        labelled_share: n / N; ``None`` takes that of each batch.
    """

    k = 1
    compilable = False  # how many samples have labels differs from batch to batch

    def __init__(
        self,
        alpha: float = 0.1,
        *,
        unlabelled: Schedule = 1.0,
        labelled: int = 100,
        labelled_share: float | None = None,
    ) -> None:
        self.alpha = alpha
        self.unlabelled = unlabelled
        self.labelled = labelled
        self.labelled_share = labelled_share

    def coefficients_at(self, progress: float) -> dict[str, float]:
        """``unlabelled`` at a fraction of the planned run."""
        return {"unlabelled": value_at(self.unlabelled, progress)}

    def settled_at(self) -> float:
        """The fraction of the planned run after which ``unlabelled`` no longer changes."""
        return settled_at(self.unlabelled)

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The loss terms of a batch; arguments and units as in :class:`latentia.objectives.elbo.Elbo`.

        Distortion and rate add up to the two bounds of J / N; the rate has KL(q(y given x) to p(y)) in it, or -ln p(y)
        of a label. Beside them ``classification``, E_l[-ln q(y given x)], and ``label_entropy``, that of q(y given x)
        of samples without labels, are reported where the batch has such samples.

        Args:
            model: With a prior and a classifier.
            x: Data, (B, *event).
            y: Labels, (B,), -1 where there is none; ``None`` if there are none at all.
            noise: What ``model.draw_noise(B, 1)`` returned.
            coefficients: ``unlabelled``.

        Raises:
            ConfigError: If the model has no classifier.
        """
        if not getattr(model, "classifies", False):
            raise ConfigError(
                "the objective 'semi-supervised' needs a classifier: use --set model.classifier.name=mlp and "
                "--set model.condition.name=labels, as the preset m2 does, or --set objective.name=elbo"
            )
        top, base = model, None
        if hasattr(model, "beneath"):  # M1 lies below, whose latents are M2's data
            below = model.beneath(x, noise)
            (level,) = below.levels
            base = (below.distortion(x), level.log_q)
            top, x, noise = model.top, level.z, noise[:-1]
        known = torch.zeros(len(x), dtype=torch.bool, device=x.device) if y is None else y >= 0
        log_q = top.classify(x)  # (B, C)
        distortion, rate = torch.zeros_like(log_q[:, 0]), torch.zeros_like(log_q[:, 0])
        extras: dict[str, Tensor] = {}
        weights, loss = self._weights(known, log_q.dtype), torch.zeros_like(distortion)
        rows = known.nonzero().flatten()
        if len(rows):
            assert y is not None
            labels = y[rows]
            terms = _bound(top, x[rows], labels, [eps[:, rows] for eps in noise])
            wrong = -log_q[rows].gather(1, labels[:, None])[:, 0]
            distortion, rate = _put(distortion, rows, terms[0]), _put(rate, rows, terms[1] + math.log(log_q.shape[1]))
            extras["classification"] = _put(loss, rows, wrong * (len(x) / len(rows)))
            loss = self.alpha * extras["classification"]
        rows = (~known).nonzero().flatten()
        if len(rows):
            terms = _marginal(top, x[rows], log_q[rows], [eps[:, rows] for eps in noise])
            distortion, rate = _put(distortion, rows, terms[0]), _put(rate, rows, terms[1])
            extras["label_entropy"] = _put(torch.zeros_like(loss), rows, terms[2] * (len(x) / len(rows)))
        if base is not None:
            distortion, rate = base[0], rate + distortion + base[1]
        distortion, rate = weights * distortion, weights * rate
        counted = torch.where(known, 1.0, coefficients["unlabelled"])
        return LossTerms(loss + counted * (distortion + rate), distortion, rate, extras, estimated=base is not None)

    def _weights(self, known: Tensor, dtype: torch.dtype) -> Tensor:
        """How much each sample counts, (B,), of mean 1: together those with labels count for their share of all."""
        labelled = known.to(dtype).mean()
        if self.labelled_share is None:
            return torch.ones_like(known, dtype=dtype)
        share = self.labelled_share
        mixed = torch.where(known, share / labelled, (1 - share) / (1 - labelled))
        return torch.where((labelled > 0) & (labelled < 1), mixed, torch.ones_like(mixed))


def _bound(model: Any, x: Tensor, y: Tensor, noise: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Distortion and rate of x given y, (B,) each."""
    trace = model.trace(x, y, noise)
    return trace.distortion(x), trace.rate()


def _marginal(model: Any, x: Tensor, log_q: Tensor, noise: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Of samples without labels: means over q(y given x) of distortion and rate, and the entropy of that, (B,) each."""
    n, classes = log_q.shape
    y = torch.arange(classes, device=x.device).repeat_interleave(n)  # (C*B,), class-major
    repeated = x.expand(classes, *x.shape).reshape(-1, *x.shape[1:])
    noise = [eps.expand(classes, *eps.shape[1:]).reshape(1, -1, *eps.shape[2:]) for eps in noise]  # (1, C*B, *latent)
    distortion, rate = (term.view(classes, n).T for term in _bound(model, repeated, y, noise))  # (B, C)
    q = log_q.exp()
    entropy = -(q * log_q).sum(1)
    return (q * distortion).sum(1), (q * rate).sum(1) + math.log(classes) - entropy, entropy


def _put(whole: Tensor, rows: Tensor, values: Tensor) -> Tensor:
    return whole.index_copy(0, rows, values.to(whole.dtype))
