r"""Distributions over values that come in levels, such as 8-bit pixels: x = k / (L - 1) with k = 0 ... L - 1.

Owns probability masses that sum to one over the levels. Values are rounded to the nearest level before they are scored.
Part of :mod:`latentia.maths.distributions`, from where they are to be imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

from latentia.errors import LatentiaError
from latentia.maths._event import EventDistribution
from latentia.maths.functional import at_least_float32, inverse_scale

_CHUNK = 16  # levels that are looked at in one go when a moment is summed up: bounds the memory


def _check_levels(levels: int) -> int:
    if levels < 2:
        raise LatentiaError(f"a distribution over levels needs at least 2 of them, not {levels}")
    return levels


def _nearest(x: Tensor, levels: int) -> Tensor:
    """Round to the nearest level: k as a floating-point number, the shape of ``x``."""
    return (x * (levels - 1)).round().clamp(0, levels - 1)


def _chunks(levels: int, like: Tensor) -> Iterator[Tensor]:
    """The numbers k = 0 ... L - 1 in pieces, each with as many trailing dimensions of 1 as ``like`` has dimensions."""
    k = torch.arange(levels, dtype=like.dtype, device=like.device)
    for piece in k.split(_CHUNK):
        yield piece.view(-1, *[1] * like.dim())


def _log_mass(k: Tensor, loc: Tensor, log_s: Tensor, levels: int) -> Tensor:
    r"""Log-probability of level k under a discretised logistic, elementwise.

    With u and l the standardised upper and lower edge of the level, and delta = u - l,
    sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(-delta)): three logarithms that never cancel.
    """
    inverse = inverse_scale(log_s)
    upper = ((k + 0.5) / (levels - 1) - loc) * inverse
    lower = ((k - 0.5) / (levels - 1) - loc) * inverse
    delta = inverse / (levels - 1)
    narrow = delta < 1e-3  # ln(1 - exp(-delta)) by its series, as delta itself may underflow
    small, large = torch.where(narrow, delta, 0.0), torch.where(narrow, 1.0, delta)
    series = -log_s - math.log(levels - 1) - small / 2 + small * small / 24
    between = torch.where(narrow, series, torch.log(-torch.expm1(-large)))
    first, last = k == 0, k == levels - 1  # their outer edges are at infinity
    below = torch.where(last, 0.0, F.logsigmoid(upper))
    above = torch.where(first, 0.0, F.logsigmoid(-lower))
    return below + above + torch.where(first | last, 0.0, between)


def _logistic_mean(loc: Tensor, log_s: Tensor, levels: int) -> Tensor:
    """E[x] = sum_k>=1 P(x >= k / (L - 1)) / (L - 1), elementwise."""
    inverse = inverse_scale(log_s)

    def chance(k: Tensor) -> Tensor:
        exceeds = torch.sigmoid((loc - (k - 0.5) / (levels - 1)) * inverse)
        return torch.where(k == 0, 0.0, exceeds).sum(0)

    return reduce(torch.add, map(chance, _chunks(levels, loc + log_s))) / (levels - 1)


def _variance(log_mass: Callable[[Tensor], Tensor], mean: Tensor, levels: int) -> Tensor:
    """E[(x - mean)^2] by summing over the levels, elementwise."""
    total = torch.zeros_like(mean)
    for k in _chunks(levels, mean):
        total = total + (log_mass(k).exp() * (k / (levels - 1) - mean).square()).sum(0)
    return total


def _logistic_draw(loc: Tensor, log_s: Tensor, levels: int, generator: torch.Generator | None) -> Tensor:
    u = torch.rand(loc.shape, generator=generator, dtype=loc.dtype, device=loc.device)
    noise = torch.logit(u, eps=torch.finfo(u.dtype).tiny)
    return _nearest(loc + log_s.exp() * noise, levels) / (levels - 1)


class DiscretizedLogistic(EventDistribution):
    r"""Independent values in levels: each level has the mass of a logistic distribution between its edges.

    .. math:: P(x) = \sigma\left(\frac{x + h - \mu}{s}\right) - \sigma\left(\frac{x - h - \mu}{s}\right),
              \quad h = \frac{1}{2 (L - 1)}

    where the outer edges of the first and the last level are at -inf and +inf.
    Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, equation 2 with one component and
    with x in [0, 1]. The paper's code approximates levels of little mass by the density; here the difference is exact
    everywhere.

    Args:
        loc: mu, in the units of x, shape (B, \*event).
        log_s: ln s, of a shape that broadcasts to ``loc``'s.
        levels: L, >= 2: 256 for 8-bit images.

    Raises:
        LatentiaError: If there are fewer than 2 levels.

    Example:
        >>> p = DiscretizedLogistic(torch.full((3, 1), 0.3), torch.zeros(3, 1), levels=3)
        >>> print(f"{p.log_prob(torch.tensor([[0.0], [0.5], [1.0]])).exp().sum():.4f}")
        1.0000
    """

    def __init__(self, loc: Tensor, log_s: Tensor, levels: int = 256) -> None:
        self.loc, self._log_s = at_least_float32(loc), at_least_float32(log_s)
        self.levels = _check_levels(levels)
        super().__init__(loc.shape[:1], loc.shape[1:])

    @property
    def log_s(self) -> Tensor:
        r"""The logarithm of s, shape (B, \*event)."""
        return self._log_s.expand_as(self.loc)

    @property
    def mean(self) -> Tensor:
        r"""The exact mean over the levels, in [0, 1], shape (B, \*event); near the edges not ``loc``."""
        return _logistic_mean(self.loc, self._log_s, self.levels)

    @property
    def variance(self) -> Tensor:
        r"""The exact variance over the levels, shape (B, \*event)."""
        return _variance(lambda k: _log_mass(k, self.loc, self._log_s, self.levels), self.mean, self.levels)

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        return _logistic_draw(self.loc.expand(shape), self._log_s, self.levels, generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-probability in nats, summed over the event: (B, \*event) -> (B,), <= 0."""
        k = _nearest(self._adopt(value, self.loc.dtype), self.levels)
        return self._sum(_log_mass(k, self.loc, self._log_s, self.levels))


class DiscretizedLogisticMixture(EventDistribution):
    r"""Independent values in levels, each from its own mixture of M discretised logistics.

    .. math:: P(x_i) = \sum_{m=1}^M \pi_{im} \left[\sigma\left(\frac{x_i + h - \mu_{im}}{s_{im}}\right)
              - \sigma\left(\frac{x_i - h - \mu_{im}}{s_{im}}\right)\right]

    Salimans et al., "PixelCNN++" (2017), https://arxiv.org/abs/1701.05517, equation 2. Unlike there (section 2.2), the
    colour channels of a pixel are independent given the decoder's input, and each has its own mixture.

    Args:
        logits: Unnormalised ln pi, shape (B, M, \*event): the components are dimension 1.
        loc: mu, in the units of x, shape (B, M, \*event).
        log_s: ln s, shape (B, M, \*event).
        levels: L, >= 2.

    Raises:
        LatentiaError: If there are fewer than 2 levels.

    Example:
        >>> two = torch.tensor([[[0.0], [1.0]]])  # B = 1, M = 2, one value
        >>> p = DiscretizedLogisticMixture(torch.zeros(1, 2, 1), two, torch.full((1, 2, 1), -9.0), levels=256)
        >>> print(p.mean, p.log_prob(torch.ones(1, 1)))
        tensor([[0.5000]]) tensor([-0.6931])
    """

    def __init__(self, logits: Tensor, loc: Tensor, log_s: Tensor, levels: int = 256) -> None:
        self.logits, self.loc, self.log_s = (at_least_float32(p) for p in (logits, loc, log_s))
        self.levels = _check_levels(levels)
        super().__init__(loc.shape[:1], loc.shape[2:])

    def _average(self, value: Tensor) -> Tensor:
        return (self.logits.softmax(1) * value).sum(1)

    @property
    def mean(self) -> Tensor:
        r"""The exact mean over the levels, in [0, 1], shape (B, \*event)."""
        return self._average(_logistic_mean(self.loc, self.log_s, self.levels))

    @property
    def variance(self) -> Tensor:
        r"""The exact variance over the levels, shape (B, \*event)."""
        mean = self.mean.unsqueeze(1)
        each = _variance(
            lambda k: _log_mass(k, self.loc, self.log_s, self.levels), mean.expand_as(self.loc), self.levels
        )
        return self._average(each)  # of every component around the common mean

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        component = _draw_categories(self.logits, shape, generator)
        loc, log_s = _pick(self.loc, component), _pick(self.log_s, component)
        return _logistic_draw(loc, log_s, self.levels, generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-probability in nats, summed over the event: (B, \*event) -> (B,), <= 0."""
        dim = -len(self.event_shape) - 1
        k = _nearest(self._adopt(value, self.loc.dtype), self.levels).unsqueeze(dim)  # (B, 1, *event)
        of_each = _log_mass(k, self.loc, self.log_s, self.levels) + self.logits.log_softmax(1)
        return self._sum(torch.logsumexp(of_each, dim))


class IndependentCategorical(EventDistribution):
    r"""Independent values in levels, with a free probability for every level.

    .. math:: \ln P(x) = \sum_i \ln \mathrm{softmax}(l_i)_{k_i}, \quad k_i = (L - 1)\, x_i

    Van den Oord et al., "Pixel Recurrent Neural Networks" (2016), https://arxiv.org/abs/1601.06759, section 2.2.

    Args:
        logits: l, shape (B, L, \*event): the levels are dimension 1.
        levels: L, >= 2, the size of dimension 1.

    Raises:
        LatentiaError: If there are fewer than 2 levels, or not as many as logits.

    Example:
        >>> p = IndependentCategorical(torch.tensor([[[0.0], [0.0], [1000.0]]]), levels=3)
        >>> print(p.mean, p.log_prob(torch.ones(1, 1)))
        tensor([[1.]]) tensor([0.])
    """

    def __init__(self, logits: Tensor, levels: int) -> None:
        self.logits = at_least_float32(logits)
        self.levels = _check_levels(levels)
        if logits.shape[1] != levels:
            raise LatentiaError(f"{levels} levels need as many logits in dimension 1, not {logits.shape[1]}")
        super().__init__(logits.shape[:1], logits.shape[2:])

    def _values(self) -> Tensor:
        """The levels' values, shape (L, 1, ...), to be multiplied with (B, L, *event)."""
        k = torch.arange(self.levels, dtype=self.logits.dtype, device=self.logits.device)
        return (k / (self.levels - 1)).view(-1, *[1] * len(self.event_shape))

    @property
    def mean(self) -> Tensor:
        r"""In [0, 1], shape (B, \*event)."""
        return (self.logits.softmax(1) * self._values()).sum(1)

    @property
    def variance(self) -> Tensor:
        r"""Shape (B, \*event)."""
        return (self.logits.softmax(1) * (self._values() - self.mean.unsqueeze(1)).square()).sum(1)

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        return _draw_categories(self.logits, shape, generator).to(self.logits.dtype) / (self.levels - 1)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-probability in nats, summed over the event: (B, \*event) -> (B,), <= 0."""
        k = _nearest(self._adopt(value, self.logits.dtype), self.levels).long()
        return self._sum(_pick(self.logits.log_softmax(1), k))


def _pick(table: Tensor, index: Tensor) -> Tensor:
    r"""From a table (B, M, \*event) take the entries that an index (..., B or 1, \*event) into dimension 1 names."""
    events = table.dim() - 2
    index = index.expand(*[1] * (events + 1 - index.dim()), *index.shape)  # a value may come without a batch
    table = table.view(*[1] * (index.dim() - events - 1), *table.shape)
    return torch.take_along_dim(table, index.unsqueeze(-events - 1), -events - 1).squeeze(-events - 1)


def _draw_categories(logits: Tensor, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
    r"""Draw from logits (B, M, \*event) -> indices of shape (\*sample_shape, B, \*event)."""
    weights = logits.softmax(1).movedim(1, -1)  # (B, *event, M)
    count = shape[: len(shape) - weights.dim() + 1].numel()
    drawn = torch.multinomial(weights.reshape(-1, weights.shape[-1]), count, replacement=True, generator=generator)
    return drawn.T.reshape(shape)
