"""Distributions over a batch: what posteriors, priors and likelihoods return.

Owns their densities, moments and samples. Knows no networks, data or objectives. Parameters have shape (B, *event), all
but the first dimension are the event, and ``log_prob`` is summed over it: (B, *event) -> (B,) in nats. A leading batch
of 1 on either side is broadcast, as are sample dimensions in front: (K, B, *event) -> (K, B).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from latentia.maths._event import EventDistribution
from latentia.maths._levels import DiscretizedLogistic, DiscretizedLogisticMixture, IndependentCategorical
from latentia.maths.functional import LOG_2PI, at_least_float32, gaussian_log_prob, inverse_scale

__all__ = [
    "Delta",
    "DiagonalLaplace",
    "DiagonalNormal",
    "DiscretizedLogistic",
    "DiscretizedLogisticMixture",
    "EventDistribution",
    "GaussianMixture",
    "IndependentBernoulli",
    "IndependentCategorical",
    "IndependentContinuousBernoulli",
]

_LOG_2 = math.log(2)


class DiagonalNormal(EventDistribution):
    r"""Normal distribution with independent dimensions.

    .. math:: \ln p(x) = -\tfrac12 \sum_i \left(\ln 2\pi + \ln\sigma_i^2 + (x_i - \mu_i)^2/\sigma_i^2\right)

    Args:
        loc: Mean mu, shape (B, \*event).
        logvar: ln sigma^2, of a shape that broadcasts to ``loc``'s; a single element is the quick case.

    Example:
        >>> q = DiagonalNormal(torch.zeros(3, 2), torch.zeros(3, 2))
        >>> q.log_prob(torch.zeros(3, 2))
        tensor([-1.8379, -1.8379, -1.8379])
        >>> q
        DiagonalNormal(batch_shape=(3,), event_shape=(2,))
    """

    has_rsample = True

    def __init__(self, loc: Tensor, logvar: Tensor) -> None:
        self.loc = at_least_float32(loc)
        self._logvar = at_least_float32(logvar)
        super().__init__(loc.shape[:1], loc.shape[1:])

    @property
    def logvar(self) -> Tensor:
        r"""The log-variance, ln sigma^2, shape (B, \*event)."""
        return self._logvar.expand_as(self.loc)

    @property
    def scale(self) -> Tensor:
        r"""Standard deviation sigma, shape (B, \*event)."""
        return torch.exp(0.5 * self._logvar).expand_as(self.loc)

    @property
    def mean(self) -> Tensor:
        r"""mu, shape (B, \*event)."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        r"""sigma, shape (B, \*event)."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        r"""sigma^2, shape (B, \*event)."""
        return torch.exp(self._logvar).expand_as(self.loc)

    def from_noise(self, eps: Tensor) -> Tensor:
        r"""Turn standard normal noise into samples, with gradients: the reparameterisation trick.

        .. math:: z = \mu + e^{\ln\sigma^2 / 2}\, \epsilon

        Kingma & Welling, "Auto-Encoding Variational Bayes" (2013), https://arxiv.org/abs/1312.6114, section 2.4.

        Args:
            eps: Standard normal, shape (B, \*event) or (K, B, \*event).

        Returns:
            Samples, the shape of ``eps``.

        Example:
            >>> DiagonalNormal(torch.tensor([[2.0]]), torch.zeros(1, 1)).from_noise(torch.tensor([[0.5]]))
            tensor([[2.5000]])
        """
        return torch.addcmul(self.loc, torch.exp(0.5 * self._logvar), eps)

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        return self.from_noise(torch.randn(shape, generator=generator, dtype=self.loc.dtype, device=self.loc.device))

    def rsample(self, sample_shape: Any = (), generator: torch.Generator | None = None) -> Tensor:
        r"""Draw samples with gradients; see :meth:`sample` and :meth:`from_noise`."""
        return self._draw(self._extended_shape(torch.Size(sample_shape)), generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats, summed over the event: (B, \*event) -> (B,)."""
        value = self._adopt(value, self.loc.dtype)
        if self._logvar.numel() > 1:
            return self._sum(gaussian_log_prob(value, self.loc, self._logvar))
        value, loc = torch.broadcast_tensors(value, self.loc.to(value.dtype))
        logvar = self._logvar.reshape(())
        inverse = inverse_scale(0.5 * logvar)
        squared = self._sum(F.mse_loss(loc, value, reduction="none")) * inverse * inverse
        return -0.5 * (squared + self.event_shape.numel() * (logvar + LOG_2PI))

    def entropy(self) -> Tensor:
        """Differential entropy in nats, summed over the event: shape (B,); negative where sigma is small."""
        return 0.5 * self._sum(self.logvar + (1 + LOG_2PI))


class Delta(EventDistribution):
    r"""All the probability at one point: what a plain encoder returns.

    Args:
        loc: The point, shape (B, \*event).

    Example:
        >>> q = Delta(torch.ones(1, 2))
        >>> q.from_noise(None), q.log_prob(torch.zeros(1, 2))
        (tensor([[1., 1.]]), tensor([-inf]))
    """

    has_rsample = True

    def __init__(self, loc: Tensor) -> None:
        self.loc = at_least_float32(loc)
        super().__init__(loc.shape[:1], loc.shape[1:])

    @property
    def mean(self) -> Tensor:
        r"""The point, shape (B, \*event)."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        r"""0, shape (B, \*event)."""
        return torch.zeros_like(self.loc)

    @property
    def stddev(self) -> Tensor:
        r"""0, shape (B, \*event)."""
        return torch.zeros_like(self.loc)

    def from_noise(self, eps: Tensor | None) -> Tensor:
        r"""Return the point: there is nothing to do with noise, which may be ``None``."""
        return self.loc

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        return self.loc.expand(shape)

    def rsample(self, sample_shape: Any = (), generator: torch.Generator | None = None) -> Tensor:
        r"""Return the point, repeated, with gradients."""
        return self._draw(self._extended_shape(torch.Size(sample_shape)), generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""0 where the whole event equals the point, -inf elsewhere: (B, \*event) -> (B,)."""
        value = self._adopt(value, self.loc.dtype)
        misses = self._sum((value != self.loc).to(self.loc.dtype))
        return torch.zeros_like(misses).masked_fill(misses > 0, -math.inf)


class IndependentBernoulli(EventDistribution):
    r"""Independent binary values, from logits.

    .. math:: \ln p(x) = \sum_i \left[x_i \ln\sigma(l_i) + (1 - x_i) \ln\sigma(-l_i)\right]

    Kingma & Welling, "Auto-Encoding Variational Bayes" (2013), https://arxiv.org/abs/1312.6114, appendix C.1,
    equation 11. Grey values in [0, 1] are accepted. The sum is then the negative cross-entropy, which is not a
    normalised likelihood of x: :class:`IndependentContinuousBernoulli` is.

    Args:
        logits: l, any finite size, shape (B, \*event).

    Example:
        >>> IndependentBernoulli(torch.tensor([[0.0, 1000.0]])).log_prob(torch.tensor([[0.5, 1.0]]))
        tensor([-0.6931])
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = at_least_float32(logits)
        super().__init__(logits.shape[:1], logits.shape[1:])

    @property
    def mean(self) -> Tensor:
        r"""Probability of 1, shape (B, \*event)."""
        return torch.sigmoid(self.logits)

    @property
    def variance(self) -> Tensor:
        r"""With p the mean, p (1 - p), shape (B, \*event)."""
        return torch.sigmoid(self.logits) * torch.sigmoid(-self.logits)

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        return torch.bernoulli(self.mean.expand(shape), generator=generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-probability (for grey values: minus the cross-entropy) in nats: (B, \*event) -> (B,), <= 0."""
        value = self._adopt(value, self.logits.dtype)
        logits = self.logits.to(value.dtype)
        if value.shape != logits.shape:
            value, logits = torch.broadcast_tensors(value, logits)
        return -self._sum(F.binary_cross_entropy_with_logits(logits, value, reduction="none"))


# The Bernoulli numbers B_2, B_4, ...: ln(sinh(l/2) / (l/2)) = sum_n B_2n l^2n / (2n (2n)!), for |l| < 2 pi.
_BERNOULLI_NUMBERS = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
_SERIES_BELOW = 0.5


def _series(squared: Tensor, coefficients: list[float]) -> Tensor:
    """Evaluate sum_n c_n squared^n; in float32, four terms are exact to rounding for |l| < 0.5."""
    if squared.dtype != torch.float64:
        coefficients = coefficients[:4]
    result = torch.full_like(squared, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * squared + coefficient
    return result


class IndependentContinuousBernoulli(EventDistribution):
    r"""Independent values in [0, 1] with density proportional to that of a Bernoulli: the cross-entropy, normalised.

    .. math:: \ln p(x) = \sum_i \left[x_i \ln\lambda_i + (1 - x_i) \ln(1 - \lambda_i) + \ln C_i\right], \quad
              C = \frac{2 \tanh^{-1}(1 - 2\lambda)}{1 - 2\lambda} = \frac{l}{\tanh(l / 2)}, \quad \lambda = \sigma(l)

    Loaiza-Ganem & Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders" (2019),
    https://arxiv.org/abs/1907.06845, section 3. In the logit l the density is :math:`e^{l x}\, l / (e^l - 1)`, which is
    what is computed here: directly for \|l\| >= 0.5 and by its series around l = 0, so that the gradient too keeps its
    digits everywhere.

    Args:
        logits: l, shape (B, \*event); 0 is the uniform distribution.

    Example:
        >>> p = IndependentContinuousBernoulli(torch.tensor([[0.0, 2.0]]))
        >>> print(p.mean, p.log_prob(torch.tensor([[0.5, 1.0]])))
        tensor([[0.5000, 0.6565]]) tensor([0.8386])
    """

    def __init__(self, logits: Tensor) -> None:
        self.logits = at_least_float32(logits)
        super().__init__(logits.shape[:1], logits.shape[1:])

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """Where |l| is large; |l| there and 1 elsewhere; l where it is small and 0 elsewhere (no NaN in gradients)."""
        large = self.logits.abs() >= _SERIES_BELOW
        return large, torch.where(large, self.logits.abs(), 1.0), torch.where(large, 0.0, self.logits)

    @property
    def mean(self) -> Tensor:
        r"""1 / (1 - exp(-l)) - 1 / l, shape (B, \*event); not the sigmoid of the logits."""
        large, size, small = self._parts()
        away = 1 / size + torch.exp(-size) / torch.expm1(-size)  # from the end at which the density is highest
        coefficients = [b / math.factorial(2 * n) for n, b in enumerate(_BERNOULLI_NUMBERS, 1)]
        centre = 0.5 + small * _series(small * small, coefficients)
        return torch.where(large, torch.where(self.logits > 0, 1 - away, away), centre)

    @property
    def variance(self) -> Tensor:
        r"""1 / l^2 - 1 / (4 sinh^2(l / 2)), shape (B, \*event)."""
        large, size, small = self._parts()
        wide = 1 / size.square() - torch.exp(-size) / torch.expm1(-size).square()
        coefficients = [(2 * n - 1) * b / math.factorial(2 * n) for n, b in enumerate(_BERNOULLI_NUMBERS, 1)]
        return torch.where(large, wide, _series(small * small, coefficients))

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        u = torch.rand(shape, generator=generator, dtype=self.logits.dtype, device=self.logits.device)
        size = self.logits.abs().clamp_min(torch.finfo(u.dtype).eps)
        away = (-torch.log1p(u * torch.expm1(-size)) / size).clamp(0, 1)  # inverse distribution function for l < 0
        return torch.where(self.logits > 0, 1 - away, away)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats for values in [0, 1], summed over the event: (B, \*event) -> (B,)."""
        value = self._adopt(value, self.logits.dtype)
        large, size, small = self._parts()
        direct = (value - (self.logits > 0).to(value.dtype)) * self.logits + torch.log(size / -torch.expm1(-size))
        coefficients = [b / (2 * n * math.factorial(2 * n)) for n, b in enumerate(_BERNOULLI_NUMBERS, 1)]
        squared = small * small
        series = (value - 0.5) * small - squared * _series(squared, coefficients)
        return self._sum(torch.where(large, direct, series))


class DiagonalLaplace(EventDistribution):
    r"""Laplace distribution with independent dimensions: the absolute error, normalised.

    .. math:: \ln p(x) = -\sum_i \left(\ln 2 + \ln b_i + |x_i - \mu_i| / b_i\right)

    Args:
        loc: Mean and median mu, shape (B, \*event).
        log_b: ln b, of a shape that broadcasts to ``loc``'s; the standard deviation is sqrt(2) b.

    Example:
        >>> DiagonalLaplace(torch.zeros(1, 2), torch.zeros(1, 2)).log_prob(torch.tensor([[0.0, 1.0]]))
        tensor([-2.3863])
    """

    has_rsample = True

    def __init__(self, loc: Tensor, log_b: Tensor) -> None:
        self.loc = at_least_float32(loc)
        self._log_b = at_least_float32(log_b)
        super().__init__(loc.shape[:1], loc.shape[1:])

    @property
    def log_b(self) -> Tensor:
        r"""The logarithm of b, shape (B, \*event)."""
        return self._log_b.expand_as(self.loc)

    @property
    def mean(self) -> Tensor:
        r"""mu, shape (B, \*event)."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        r"""sqrt(2) b, shape (B, \*event)."""
        return math.sqrt(2) * torch.exp(self.log_b)

    @property
    def variance(self) -> Tensor:
        r"""2 b^2, shape (B, \*event)."""
        return 2 * torch.exp(2 * self.log_b)

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        two = torch.empty((2, *shape), dtype=self.loc.dtype, device=self.loc.device).exponential_(generator=generator)
        return torch.addcmul(self.loc, torch.exp(self._log_b), two[0] - two[1])

    def rsample(self, sample_shape: Any = (), generator: torch.Generator | None = None) -> Tensor:
        r"""Draw samples with gradients; see :meth:`sample`."""
        return self._draw(self._extended_shape(torch.Size(sample_shape)), generator)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats, summed over the event: (B, \*event) -> (B,)."""
        value = self._adopt(value, self.loc.dtype)
        return -self._sum((value - self.loc).abs() * inverse_scale(self._log_b) + self._log_b + _LOG_2)


class GaussianMixture(EventDistribution):
    r"""Mixture of M diagonal normal distributions over whole events, the same for every image: a prior.

    .. math:: \ln p(z) = \ln \sum_m \pi_m \prod_i N(z_i; \mu_{mi}, \sigma_{mi}^2)

    Its ``batch_shape`` is (): ``sample((n,))`` has shape (n, \*latent). With a mixture for each of B elements, such as
    one for each label, it is (B,).

    Args:
        logits: Unnormalised ln pi, shape (M,), or (B, M).
        loc: mu, shape (M, \*latent), or (B, M, \*latent).
        logvar: ln sigma^2, of loc's shape.

    Example:
        >>> p = GaussianMixture(torch.zeros(2), torch.tensor([[-1.0], [1.0]]), torch.zeros(2, 1))
        >>> print(p.mean, p.variance, p.log_prob(torch.zeros(3, 1)))
        tensor([0.]) tensor([2.]) tensor([-1.4189, -1.4189, -1.4189])
    """

    def __init__(self, logits: Tensor, loc: Tensor, logvar: Tensor) -> None:
        self.logits, self.loc, self.logvar = (at_least_float32(p) for p in (logits, loc, logvar))
        super().__init__(logits.shape[:-1], loc.shape[logits.dim() :])

    def _average(self, value: Tensor) -> Tensor:
        weights = self.logits.softmax(-1)
        return (weights.view(*weights.shape, *[1] * len(self.event_shape)) * value).sum(weights.dim() - 1)

    @property
    def mean(self) -> Tensor:
        r"""Shape \*latent, or (B, \*latent)."""
        return self._average(self.loc)

    @property
    def variance(self) -> Tensor:
        r"""Shape \*latent, or (B, \*latent): the mean of the variances plus the variance of the means."""
        mean = self.mean.unsqueeze(self.logits.dim() - 1)
        return self._average(self.logvar.exp() + (self.loc - mean).square())

    def _draw(self, shape: torch.Size, generator: torch.Generator | None) -> Tensor:
        lead = shape[: len(shape) - len(self.event_shape)]
        weights = self.logits.softmax(-1)
        each = lead.numel() // max(1, self.batch_shape.numel())
        component = torch.multinomial(weights, each, replacement=True, generator=generator)  # (each,) or (B, each)
        eps = torch.randn(shape, generator=generator, dtype=self.loc.dtype, device=self.loc.device)
        chosen: Any = component.view(lead)
        if self.batch_shape:
            chosen = (torch.arange(len(weights), device=weights.device), component.t().reshape(lead))
        return torch.addcmul(self.loc[chosen], torch.exp(0.5 * self.logvar[chosen]), eps)

    def log_prob(self, value: Tensor) -> Tensor:
        r"""Log-density in nats, summed over the event: (B, \*latent) -> (B,)."""
        dimensions = len(self.event_shape)
        value = self._adopt(value, self.loc.dtype).unsqueeze(-dimensions - 1)  # (B, 1, *latent)
        of_each = self._sum(gaussian_log_prob(value, self.loc, self.logvar))  # (B, M)
        return torch.logsumexp(of_each + self.logits.log_softmax(-1), -1)
