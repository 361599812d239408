"""How anomalous a sample is for a model of normal ones: scores, their threshold, and how well they tell.

Every score is higher for the more anomalous, and a pure function of the sample, its label where the model needs one,
and the seed: neither what stands beside it nor the number of calls changes a bit of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.seeds import generator
from latentia.errors import ConfigError, DataError, did_you_mean
from latentia.evaluation.encoding import BLOCK, ELEMENTS, evaluating
from latentia.evaluation.likelihood import PIECE

SCORES = {
    "squared-error": "squared error of the reconstruction at the posterior mean, mean over values",
    "elbo": "-ELBO, nats",
    "nll": "importance-weighted -log p(x), nats",
    "density": "-log density of the posterior mean under a Gaussian of the training latents, nats",
    "prior-density": "-log density of the posterior mean under the prior, nats",
}
"""Name -> what it is; the higher, the more anomalous."""


@dataclass(frozen=True, eq=False)
class LatentDensity:
    r"""The Gaussian with the first two moments of the aggregate posterior of normal samples, fitted in float64.

    .. math:: N(m, C), \quad m = E_x E_q z, \quad C = \mathrm{Cov}_x(E_q z) + E_x \mathrm{diag} \mathrm{Var}_q z

    Attributes:
        mean: m, (d,).
        factor: The lower triangular L with C = L L^T, (d, d).
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def fit(cls, loc: Tensor, variance: Tensor) -> LatentDensity:
        """Fit it to posteriors.

        Args:
            loc: Means, (N, *latent).
            variance: Variances, (N, *latent); zeros for an autoencoder, whose covariance then gets a millionth of its
                mean variance on the diagonal, so that latents in a plane have a density too.

        Raises:
            DataError: If there are fewer than two, or they do not vary at all.
        """
        loc, variance = loc.flatten(1).double(), variance.flatten(1).double()
        if len(loc) < 2:
            raise DataError("a density of the latents needs at least two normal samples")
        mean = loc.mean(0)
        covariance = (loc - mean).T @ (loc - mean) / len(loc) + variance.mean(0).diag()
        scale = float(covariance.diagonal().mean())
        if not (math.isfinite(scale) and scale > 0):
            raise DataError("the latents of the normal samples do not vary, so they have no density: train longer")
        ridge = 1e-6 * scale * torch.eye(len(mean), dtype=torch.float64)
        return cls(mean, torch.linalg.cholesky(covariance + ridge))

    def nll(self, loc: Tensor) -> Tensor:
        """-ln N(loc; m, C), (N,), nats, float64."""
        centred = (loc.flatten(1).double() - self.mean).T  # (d, N)
        white = torch.linalg.solve_triangular(self.factor, centred, upper=False)
        log_det = 2 * self.factor.diagonal().log().sum()
        return 0.5 * (white.square().sum(0) + log_det + len(self.mean) * math.log(2 * math.pi))


def check_score(model: Any, score: str) -> None:
    """Refuse a score that there is not, or that the model cannot give.

    Raises:
        ConfigError: With those that it can.
    """
    if score not in SCORES:
        hint = did_you_mean(score, SCORES) or f" There are: {', '.join(SCORES)}."
        raise ConfigError(f"there is no score '{score}'.{hint}")
    if score in ("elbo", "nll", "prior-density") and not model.has_prior:
        raise ConfigError(f"the score {score} needs a prior, and an autoencoder has none: use squared-error or density")


def score_samples(
    model: Any,
    x: Tensor,
    y: Tensor | None = None,
    *,
    score: str = "squared-error",
    samples: int = 100,
    seed: int = 0,
    density: LatentDensity | None = None,
) -> Tensor:
    r"""How anomalous samples are, each by itself.

    All samples share the noise of one draw of K latents (common random numbers), and the model always sees blocks of
    one size, filled up where samples are missing. Hence a score does not depend on the batch.

    An and Cho, "Variational autoencoder based anomaly detection using reconstruction probability", 2015, score by
    E_q ln p(x given z); ``elbo`` adds the rate. ``nll`` is Burda et al. 2016, https://arxiv.org/abs/1509.00519,
    equation 8. ``squared-error`` needs one pass and no draw.

    Args:
        model: A latent-variable model.
        x: (N, *event).
        y: Labels (N,), for conditional models; without them, what a model that classifies finds most likely.
        score: One of :data:`SCORES`.
        samples: K, of ``elbo`` and ``nll``.
        seed: Of their noise.
        density: Of the normal samples' latents, for ``density``.

    Returns:
        (N,), float64, on the CPU; higher is more anomalous.

    Raises:
        ConfigError: If there is no such score for the model, or K is smaller than 1.
    """
    check_score(model, score)
    if samples < 1:
        raise ConfigError(f"the number of importance samples must be at least 1, not {samples}")
    assert score != "density" or density is not None
    drawn = min(PIECE, samples) if score in ("elbo", "nll") else 1
    size = BLOCK
    while size > 1 and size * drawn * x[0].numel() * model.likelihood.channels_per_value > ELEMENTS:
        size //= 2
    pieces = []
    with evaluating(model) as device:
        for start in range(0, len(x), size):
            block, labels = (
                x[start : start + size].to(device),
                None if y is None else y[start : start + size].to(device),
            )
            count = len(block)
            if count < size:
                block = torch.cat([block, block[-1:].expand(size - count, *block.shape[1:])])
                labels = None if labels is None else torch.cat([labels, labels[-1:].expand(size - count)])
            pieces.append(_score_block(model, block, labels, score, samples, seed, density)[:count])
    return torch.cat(pieces)


def _score_block(
    model: Any, x: Tensor, y: Tensor | None, score: str, samples: int, seed: int, density: LatentDensity | None
) -> Tensor:
    if y is None and getattr(model, "classifies", False):
        y = model.classify(x).argmax(1)
    if score in ("elbo", "nll"):
        return _likelihood_score(model, x, y, score, samples, seed)
    mean = model.encode(x, y).mean
    if score == "squared-error":
        return (model.decode(mean, y).mean - x).flatten(1).cpu().double().square().mean(1)
    if score == "density":
        assert density is not None
        return density.nll(mean.cpu())
    return -model.prior(y).log_prob(mean).cpu().double()


def _likelihood_score(model: Any, x: Tensor, y: Tensor | None, score: str, samples: int, seed: int) -> Tensor:
    """-ELBO, or -ln of the mean of K importance weights, (B,), float64; K draws in pieces."""
    total: Tensor | None = None
    for piece, start in enumerate(range(0, samples, PIECE)):
        count = min(PIECE, samples - start)
        source = generator(x.device, seed, "anomaly", "noise", piece)
        noise = [
            eps[:count].expand(count, len(x), *eps.shape[2:]) for eps in model.draw_noise(1, PIECE, source, x.device)
        ]
        trace = model.trace(x, y, noise, count)
        if score == "elbo":
            found = (trace.distortion(x) + trace.rate()).cpu().double() * count
            total = found if total is None else total + found
        else:
            found = trace.log_weights(x).cpu().double().logsumexp(0)
            total = found if total is None else torch.logaddexp(total, found)
    assert total is not None
    return total / samples if score == "elbo" else math.log(samples) - total


def auroc(scores: Any, anomalous: Any) -> float | None:
    r"""The area under the receiver operating characteristic: how often an anomaly scores above a normal sample.

    .. math:: \frac{R - n_a (n_a + 1) / 2}{n_a n_n}

    with R the sum of the anomalies' ranks among all samples, equal scores sharing their mean rank (Mann & Whitney 1947;
    Hanley & McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747).

    Args:
        scores: (N,), higher is more anomalous.
        anomalous: (N,), true for anomalies.

    Returns:
        0 to 1, 0.5 for scores that tell nothing; ``None`` unless there are samples of both kinds.

    Example:
        >>> auroc([1.0, 2.0, 2.0, 3.0], [False, False, True, True])
        0.875
    """
    values, wanted = np.asarray(scores, dtype=np.float64), np.asarray(anomalous, dtype=bool)
    positive, negative = int(wanted.sum()), int((~wanted).sum())
    if positive == 0 or negative == 0:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # from 1; the mean rank of equal scores
    return float((ranks[wanted].sum() - positive * (positive + 1) / 2) / (positive * negative))


def threshold(normal: Sequence[float] | Tensor | np.ndarray, false_alarm_rate: float) -> float:
    r"""The score above which a sample is called anomalous, from held-out normal samples.

    It is the k-th smallest of their n scores, with

    .. math:: k = \lceil (n + 1)(1 - \alpha) \rceil

    so that a further normal sample of the same kind scores above it with a probability of at most alpha, whatever the
    distribution (Vovk et al. 2005; Bates et al. 2023, https://arxiv.org/abs/2104.08279, section 2).

    Args:
        normal: Scores of normal samples that were not trained on, (n,).
        false_alarm_rate: alpha, between 0 and 1.

    Raises:
        ConfigError: If alpha is out of range.
        DataError: If there are too few normal samples for it, k > n.

    Example:
        >>> threshold(list(range(1, 100)), 0.05)
        95.0
    """
    if not 0 < false_alarm_rate < 1:
        raise ConfigError(f"the false-alarm rate must be between 0 and 1, not {false_alarm_rate:g}")
    values = np.sort(np.asarray(normal, dtype=np.float64))
    k = math.ceil((len(values) + 1) * (1 - false_alarm_rate) - 1e-9)
    if k > len(values):
        least = math.ceil(1 / false_alarm_rate - 1 - 1e-9)
        raise DataError(
            f"a false-alarm rate of {false_alarm_rate:g} needs at least {least:,} held-out normal samples, and there "
            f"are {len(values):,}: hold out more, such as by training with "
            "--set data.validation=0.2, or allow more false alarms with a higher --false-alarm-rate"
        )
    return float(values[k - 1])
