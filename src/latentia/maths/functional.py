"""Divergences, densities and bounds as functions of tensors, in nats.

Owns the closed forms that the rest of Latentia is made of. Knows no distribution objects, models or data. Everything
is differentiable, works under ``torch.compile`` and ``torch.func``, and computes in float32 at least: inputs in half
precision are cast up, float64 stays float64. Throughout, ``logvar`` is ln sigma^2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from latentia.errors import LatentiaError

LOG_2PI = math.log(2 * math.pi)


def at_least_float32(x: Tensor) -> Tensor:
    """Cast half precision (float16, bfloat16) to float32 and leave every other type as it is.

    Sums over hundreds of pixels lose whole nats in half precision, so nothing is accumulated there.

    Args:
        x: Any tensor.

    Returns:
        ``x`` itself, or its float32 copy.

    Example:
        >>> at_least_float32(torch.zeros(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def inverse_scale(log_scale: Tensor) -> Tensor:
    """Return exp(-log_scale), held so far below overflow that its square is finite too.

    A smaller scale (below 4e-16 in float32) is treated as the smallest one allowed. Without that, a residual of exactly
    zero would give 0 x inf = NaN, and squared residuals would have infinite gradients.

    Args:
        log_scale: Natural logarithm of a scale, any shape.

    Returns:
        The inverse of the scale, same shape, finite.

    Example:
        >>> inverse_scale(torch.tensor([0.0, -1000.0])).isfinite().all()
        tensor(True)
    """
    limit = 0.5 * math.log(torch.finfo(log_scale.dtype).max) - 9.0
    return torch.exp((-log_scale).clamp(max=limit))


def gaussian_log_prob(x: Tensor, loc: Tensor, logvar: Tensor) -> Tensor:
    r"""Log-density of a normal distribution, elementwise.

    .. math:: \ln N(x; \mu, \sigma^2) = -\tfrac12\left(\ln 2\pi + \ln\sigma^2 + (x - \mu)^2 / \sigma^2\right)

    Args:
        x: Points, of a shape that broadcasts with the others.
        loc: Mean mu, in the units of ``x``.
        logvar: ln sigma^2.

    Returns:
        Nats, of the broadcast shape; not summed. Positive where sigma is small: it is a density.

    Example:
        >>> gaussian_log_prob(torch.tensor(1.0), torch.tensor(1.0), torch.tensor(0.0))
        tensor(-0.9189)
    """
    x, loc, logvar = at_least_float32(x), at_least_float32(loc), at_least_float32(logvar)
    standardised = (x - loc) * inverse_scale(0.5 * logvar)
    return -0.5 * (standardised * standardised + logvar + LOG_2PI)


def gaussian_kl(
    loc: Tensor, logvar: Tensor, prior_loc: Tensor | None = None, prior_logvar: Tensor | None = None
) -> Tensor:
    r"""KL divergence of one normal distribution to another, elementwise.

    .. math:: KL = \tfrac12\left(\frac{(\mu - \mu_p)^2}{\sigma_p^2} + \frac{\sigma^2}{\sigma_p^2}
              - 1 - \ln\frac{\sigma^2}{\sigma_p^2}\right)

    With both prior arguments absent this is appendix B of Kingma & Welling, "Auto-Encoding Variational Bayes" (2013),
    https://arxiv.org/abs/1312.6114 (the first part of equation 10), with its sign reversed and before the sum over j.
    ``exp(v) - 1`` is computed as ``expm1(v)``, so that nearly collapsed dimensions keep their digits.

    Args:
        loc: mu of q, shape (B, \*latent) or any other.
        logvar: ln sigma^2 of q, of a shape that broadcasts with ``loc``.
        prior_loc: mu_p; ``None`` means 0.
        prior_logvar: ln sigma_p^2; ``None`` means 0, that is unit variance.

    Returns:
        Nats, of the broadcast shape, >= 0 up to rounding. Sum over the latent dimensions for the rate.

    Example:
        >>> gaussian_kl(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.0]))
        tensor([0., 2.])
    """
    loc, logvar = at_least_float32(loc), at_least_float32(logvar)
    if prior_loc is not None:
        loc = loc - at_least_float32(prior_loc)
    if prior_logvar is not None:
        prior_logvar = at_least_float32(prior_logvar)
        loc = loc * inverse_scale(0.5 * prior_logvar)
        logvar = logvar - prior_logvar
    return 0.5 * torch.addcmul(torch.expm1(logvar) - logvar, loc, loc)


def bernoulli_kl(logits_q: Tensor, logits_p: Tensor) -> Tensor:
    r"""KL divergence of one Bernoulli distribution to another, elementwise, from logits.

    .. math:: KL = q \ln\frac{q}{p} + (1 - q) \ln\frac{1 - q}{1 - p}, \quad q = \sigma(l_q),\ p = \sigma(l_p)

    Args:
        logits_q: l_q = ln(q / (1 - q)), finite, any shape.
        logits_p: l_p, of a shape that broadcasts with ``logits_q``.

    Returns:
        Nats, of the broadcast shape, >= 0 up to rounding.

    Example:
        >>> bernoulli_kl(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, -1000.0]))
        tensor([   0., 1000.])
    """
    logits_q, logits_p = at_least_float32(logits_q), at_least_float32(logits_p)
    on = F.logsigmoid(logits_q) - F.logsigmoid(logits_p)
    off = F.logsigmoid(-logits_q) - F.logsigmoid(-logits_p)
    return torch.sigmoid(logits_q) * on + torch.sigmoid(-logits_q) * off


def categorical_kl(log_q: Tensor, log_p: Tensor, dim: int = -1) -> Tensor:
    r"""KL divergence of one categorical distribution to another.

    .. math:: KL(q \| p) = \sum_k q_k (\ln q_k - \ln p_k)

    It is not symmetric, and the direction is the order of the arguments.

    Args:
        log_q: Normalised log-probabilities (as ``log_softmax`` gives them); -inf for impossible categories.
        log_p: The same for p, of a shape that broadcasts with ``log_q``.
        dim: The dimension of the categories.

    Returns:
        Nats, the broadcast shape without ``dim``, >= 0 up to rounding; inf where q needs what p rules out.

    Example:
        >>> a, b = torch.tensor([0.1, 0.3, 0.6]).log(), torch.tensor([0.7, 0.1, 0.2]).log()
        >>> print(f"{categorical_kl(a, b):.4f} {categorical_kl(b, a):.4f}")
        0.7942 1.0326
    """
    log_q, log_p = at_least_float32(log_q), at_least_float32(log_p)
    difference = torch.where(log_q > -math.inf, log_q - log_p, 0.0)  # 0 ln 0 = 0
    return (log_q.exp() * difference).sum(dim)


def log_mean_exp(x: Tensor, dim: int) -> Tensor:
    r"""Logarithm of the mean of exponentials, without overflow: :math:`\ln \frac1K \sum_k e^{x_k}`.

    Args:
        x: Any shape.
        dim: The dimension to average over, of length K.

    Returns:
        The shape of ``x`` without ``dim``.

    Example:
        >>> log_mean_exp(torch.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.)
    """
    x = at_least_float32(x)
    return torch.logsumexp(x, dim) - math.log(x.shape[dim])


def importance_weighted_bound(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""The K-sample lower bound on the log-evidence.

    .. math:: L_K = E\left[\ln \frac1K \sum_{k=1}^K w_k\right] \le \ln p(x), \quad
              w_k = \frac{p(x \mid z_k)\, p(z_k)}{q(z_k \mid x)},\ z_k \sim q(z \mid x)

    Burda, Grosse & Salakhutdinov, "Importance Weighted Autoencoders" (2016), https://arxiv.org/abs/1509.00519,
    equation 8; here the single-draw estimate inside the expectation. K = 1 is the ELBO, and the bound rises with K.

    Args:
        log_w: ln w, shape (K, B): samples first, images second.
        dim: The dimension of the K samples.

    Returns:
        Nats per image, shape (B,); its negative is ``nll``.

    Example:
        >>> importance_weighted_bound(torch.tensor([[-90.0, -100.0], [-90.0, -100.0]]))
        tensor([ -90., -100.])
    """
    return log_mean_exp(log_w, dim)


def effective_sample_size(log_w: Tensor, dim: int = 0) -> Tensor:
    r"""How many equally weighted samples a set of importance weights is worth.

    .. math:: ESS = \frac{(\sum_k w_k)^2}{\sum_k w_k^2} \in [1, K]

    Owen, "Monte Carlo theory, methods and examples" (2013), https://artowen.su.domains/mc/, section 9.3. Near 1, a
    single sample decides the importance-weighted bound.

    Args:
        log_w: ln w, shape (K, B); a constant may be added to it.
        dim: The dimension of the K samples.

    Returns:
        A number of samples, shape (B,).

    Example:
        >>> effective_sample_size(torch.zeros(5, 2))
        tensor([5., 5.])
    """
    log_w = at_least_float32(log_w)
    return torch.exp(2 * torch.logsumexp(log_w, dim) - torch.logsumexp(2 * log_w, dim))


def mmd(
    x: Tensor,
    y: Tensor,
    *,
    kernel: Literal["rbf", "imq"] = "rbf",
    bandwidth: float | Sequence[float],
    biased: bool = False,
) -> Tensor:
    r"""Squared maximum mean discrepancy between two samples.

    .. math:: MMD_u^2 = \frac{1}{M(M-1)} \sum_{i \ne j} k(x_i, x_j) + \frac{1}{N(N-1)} \sum_{i \ne j} k(y_i, y_j)
              - \frac{2}{MN} \sum_{i, j} k(x_i, y_j)

    Gretton et al., "A Kernel Two-Sample Test" (2012), https://jmlr.org/papers/v13/gretton12a.html, equation 3; with
    ``biased`` the square of equation 5, which keeps the diagonal and divides by M^2 and N^2.
    Kernels: ``rbf`` is :math:`\exp(-d^2 / (2 s^2))`; ``imq`` is :math:`C / (C + d^2)` with :math:`C = 2 D s^2`, from
    Tolstikhin et al., "Wasserstein Auto-Encoders" (2018), https://arxiv.org/abs/1711.01558, section 4, where s is the
    standard deviation of the prior.

    Args:
        x: M samples, shape (M, \*event); the event is flattened to D dimensions.
        y: N samples, shape (N, \*event).
        kernel: ``"rbf"`` or ``"imq"``.
        bandwidth: s, in the units of ``x``, > 0. Several are allowed: their kernels are summed.
        biased: Whether to keep the diagonal: never negative, but positive on average for equal distributions.

    Returns:
        A scalar without unit. The unbiased one is 0 on average for equal distributions, hence often negative.

    Raises:
        LatentiaError: If the kernel is unknown, a bandwidth is not above 0, the events differ or a sample is too small.

    Example:
        >>> x = torch.tensor([[0.0], [1.0]])
        >>> print(f"{mmd(x, x + 10.0, bandwidth=1.0):.4f} {mmd(x, x, bandwidth=1.0, biased=True):.4f}")
        1.2131 0.0000
    """
    widths = [float(bandwidth)] if isinstance(bandwidth, (int, float)) else [float(width) for width in bandwidth]
    fewest = 1 if biased else 2
    if kernel not in ("rbf", "imq"):
        raise LatentiaError(f"there is no kernel {kernel!r} for the MMD: choose 'rbf' or 'imq'")
    if not widths or not all(width > 0 for width in widths):
        raise LatentiaError(f"the MMD needs a bandwidth above 0, not {bandwidth!r}")
    if x.shape[1:] != y.shape[1:] or min(len(x), len(y)) < fewest:
        raise LatentiaError(
            f"the MMD compares two samples of the same kind with at least {fewest} points each, "
            f"not shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    x, y = at_least_float32(x).flatten(1), at_least_float32(y).flatten(1)
    centre = y.detach().mean(0)  # distances do not change, and cancel less
    x, y = x - centre, y - centre

    def similarity(a: Tensor, b: Tensor) -> Tensor:
        squared = _squared_distances(a, b)
        if kernel == "rbf":
            return sum((torch.exp(squared / (-2 * s * s)) for s in widths), torch.zeros_like(squared))
        constants = [2 * a.shape[1] * s * s for s in widths]
        return sum((c / (c + squared) for c in constants), torch.zeros_like(squared))

    def within(a: Tensor) -> Tensor:
        k, n = similarity(a, a), len(a)
        return k.mean() if biased else (k.sum() - k.diagonal().sum()) / (n * (n - 1))

    return within(x) + within(y) - 2 * similarity(x, y).mean()


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances between rows, (M, D) and (N, D) -> (M, N), in the inputs' precision."""
    with torch.autocast(x.device.type, enabled=False):  # a bfloat16 product would leave no digits in the differences
        squares = x.square().sum(1, keepdim=True) + y.square().sum(1)
        return (squares - 2 * (x @ y.T)).clamp_min(0)
