"""Mixtures of normal distributions with correlated dimensions, and distributions that a label chooses.

Knows no networks, data or objectives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from latentia.maths._event import EventDistribution
from latentia.maths.functional import LOG_2PI, at_least_float32


class CorrelatedMixture(EventDistribution):
    r"""Mixture of M normal distributions over whole events, each with a covariance of its own: a prior.

    .. math:: \ln p(z) = \ln \sum_m \pi_m N(z; \mu_m, L_m L_m^\top)

    Its ``batch_shape`` is (): ``sample((n,))`` has shape (n, \*latent).

    Args:
        logits: Unnormalised ln pi, shape (M,).
        loc: mu, shape (M, \*latent).
        scale_tril: L, lower triangular with a positive diagonal over the flattened latents, shape (M, D, D).

    Example:
        >>> p = CorrelatedMixture(torch.zeros(1), torch.zeros(1, 2), torch.eye(2)[None])
        >>> print(p.mean, p.variance, p.log_prob(torch.zeros(3, 2)))
        tensor([0., 0.]) tensor([1., 1.]) tensor([-1.8379, -1.8379, -1.8379])
    """

    def __init__(self, logits: Tensor, loc: Tensor, scale_tril: Tensor) -> None:
        self.logits, self.loc, self.scale_tril = (at_least_float32(p) for p in (logits, loc, scale_tril))
        super().__init__(torch.Size(), loc.shape[1:])

    def _average(self, value: Tensor) -> Tensor:
        return torch.tensordot(self.logits.softmax(0), value, dims=1)

    @property
    def mean(self) -> Tensor:
        r"""Shape \*latent."""
        return self._average(self.loc)

    @property
    def variance(self) -> Tensor:
        r"""Shape \*latent: the mean of the variances plus the variance of the means."""
        within = self.scale_tril.square().sum(-1).reshape(self.loc.shape)
        return self._average(within + (self.loc - self.mean).square())

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        lead = shape[: len(shape) - len(self.event_shape)]
        weights = self.logits.softmax(0)
        component = torch.multinomial(weights, lead.numel(), replacement=True, generator=generator)
        size = (lead.numel(), self.scale_tril.shape[-1])
        eps = torch.randn(size, generator=generator, dtype=self.loc.dtype, device=self.loc.device)
        return self.from_parts(component, eps).reshape(shape)

    def from_parts(self, component: Tensor, eps: Tensor) -> Tensor:
        r"""Turn chosen components (N,) and standard normal noise (N, D) into samples (N, D)."""
        flat = self.loc.flatten(1)
        z = torch.empty_like(eps)
        for m in component.unique().tolist():  # so that N matrices of D x D need never be held at once
            rows = component == m
            z[rows] = flat[m] + eps[rows] @ self.scale_tril[m].T
        return z

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats, summed over the event: (B, \*latent) -> (B,)."""
        value = self._adopt(value, self.loc.dtype)
        lead = value.shape[: value.dim() - len(self.event_shape)]
        rows = value.reshape(-1, self.scale_tril.shape[-1])  # (N, D)
        of_each = [
            torch.linalg.solve_triangular(tril, (rows - loc).T, upper=False).square().sum(0) * -0.5
            - tril.diagonal().log().sum()
            for loc, tril in zip(self.loc.flatten(1), self.scale_tril, strict=True)
        ]
        log_p = torch.stack(of_each, -1) - 0.5 * rows.shape[1] * LOG_2PI  # (N, M)
        return torch.logsumexp(log_p + self.logits.log_softmax(0), -1).reshape(lead)


class ChosenByLabel(EventDistribution):
    r"""A batch whose element b follows the one of several distributions that its label names: p(z given y).

    .. math:: \ln p(z_b \mid y_b) = \ln p_{y_b}(z_b)

    Args:
        of_each: A distribution for each label, all of batch shape () and of one event shape.
        y: Labels, (B,), whole numbers from 0 to the number of distributions - 1.

    Example:
        >>> of_each = [CorrelatedMixture(torch.zeros(1), torch.zeros(1, 2), s * torch.eye(2)[None]) for s in (1, 10)]
        >>> p = ChosenByLabel(of_each, torch.tensor([0, 1, 1]))
        >>> print(p.log_prob(torch.zeros(3, 2)), p.variance[:, 0])
        tensor([-1.8379, -6.4430, -6.4430]) tensor([  1., 100., 100.])
    """

    def __init__(self, of_each: Sequence[EventDistribution], y: Tensor) -> None:
        self.of_each, self.y = tuple(of_each), y
        super().__init__(y.shape, self.of_each[0].event_shape)

    @property
    def mean(self) -> Tensor:
        r"""Shape (B, \*latent)."""
        return torch.stack([p.mean for p in self.of_each])[self.y]

    @property
    def variance(self) -> Tensor:
        r"""Shape (B, \*latent)."""
        return torch.stack([p.variance for p in self.of_each])[self.y]

    def _rows(self) -> Iterator[tuple[EventDistribution, Tensor]]:
        """Each distribution that occurs, and which elements follow it, (B,)."""
        for label in self.y.unique().tolist():
            yield self.of_each[label], self.y == label

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        draws = math.prod(shape[: len(shape) - len(self.event_shape) - 1])
        z = self.of_each[0].mean.new_empty((draws, len(self.y), *self.event_shape))
        for p, rows in self._rows():
            z[:, rows] = p.sample((draws, int(rows.sum())), generator)
        return z.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats, summed over the event: (K, B, \*latent) -> (K, B), or (B, \*latent) -> (B,)."""
        value = self._adopt(value, self.of_each[0].mean.dtype)
        lead = (*value.shape[: value.dim() - len(self.event_shape)][:-1], len(self.y))
        z = value.expand(*lead, *self.event_shape).reshape(math.prod(lead[:-1]), len(self.y), *self.event_shape)
        log_p = z.new_empty(z.shape[:2])
        for p, rows in self._rows():
            log_p[:, rows] = p.log_prob(z[:, rows])
        return log_p.reshape(lead)
