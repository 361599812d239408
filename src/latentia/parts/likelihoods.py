"""Likelihoods p(x given z): from a decoder's outputs to a distribution over data, and what its numbers mean.

A likelihood says how many decoder channels it needs for each value, refuses data for which it makes no sense, and tells
whether its log-probability is that of a probability mass, of a density, or a cross-entropy that is neither. Data of L
levels are k / (L - 1), so 8-bit images are k / 255. Knows neither networks nor latents.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn import functional

from latentia.errors import ConfigError, did_you_mean
from latentia.maths import distributions
from latentia.maths.functional import at_least_float32

if TYPE_CHECKING:
    from latentia.data.dataset import DataSpec

Kind = Literal["mass", "density", "cross-entropy"]

LOG_SCALE_BOUNDS = (-6.0, 10.0)  # ln sigma of a Gaussian, ln b of a Laplace: from about half an 8-bit level
LOGISTIC_BOUNDS = (-7.0, 10.0)  # ln s of a discretised logistic: from about a quarter of an 8-bit level


class Likelihood(nn.Module, ABC):
    """What every likelihood has in common.

    Attributes:
        channels_per_value: How many decoder outputs describe one value of x; the first axis of the decoder's output is
            so many times longer than that of x, and is split into that many blocks of x's shape.
    """

    channels_per_value: int = 1

    def parameter_shape(self, event_shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the decoder output for one datum.

        Example:
            >>> Gaussian(sigma="per-pixel").parameter_shape((3, 32, 32))
            (6, 32, 32)
        """
        return (self.channels_per_value * event_shape[0], *event_shape[1:])

    def _blocks(self, params: Tensor) -> Tensor:
        """Split decoder outputs (B, channels_per_value * C, ...) into (B, channels_per_value, C, ...)."""
        sizes = (self.channels_per_value, params.shape[1] // self.channels_per_value)
        return at_least_float32(params).unflatten(1, sizes)  # a mean near 1/2 needs more digits than bf16 has

    @abstractmethod
    def forward(self, params: Tensor) -> Distribution:
        """Map decoder outputs (B, *parameter_shape) to p(x given z), batch shape (B,), event shape that of x."""

    @abstractmethod
    def kind(self, spec: DataSpec) -> Kind:
        """Say what ``log_prob`` is on such data: that of a ``mass`` or of a ``density``, or a ``cross-entropy``."""

    def is_normalised(self, spec: DataSpec) -> bool:
        """Say whether the probabilities of all that x can be add up (or integrate) to one on such data."""
        return self.kind(spec) != "cross-entropy"

    @abstractmethod
    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data for which the likelihood makes no sense.

        Args:
            spec: What the data are.
            has_prior: Whether the model has a prior, so that its numbers are read as bounds on a log-likelihood.

        Returns:
            Warnings, one sentence each.

        Raises:
            ConfigError: If the likelihood does not fit; the message names the better choice.
        """

    @abstractmethod
    def beta_effective(self, beta: float) -> float | None:
        """Return the beta of the same objective rewritten with unit scale.

        The objective is distortion + beta rate. With a fixed scale, the distortion is, up to a constant, that of unit
        scale divided by a power of the scale, by which the objective can be multiplied. Without a scale it is beta.

        Args:
            beta: The factor on the rate.

        Returns:
            A number >= 0, or None where the scale is learned and no one number exists.
        """


# --- checks -----------------------------------------------------------------------------------------------------------


_FROM_PYTHON = "(from Python: settings=['model.likelihood.name=gaussian'])"


def _refuse_outside_unit(name: str, spec: DataSpec) -> None:
    if spec.low < 0 or spec.high > 1:
        pixels = ""
        if spec.low >= 0 and 250 <= spec.high <= 256:
            pixels = "if they are 8-bit values, store them as such by x.astype('uint8') or divide them by 255; else "
        raise ConfigError(
            f"{name} needs data in [0, 1], but these reach from {spec.low:.4g} to {spec.high:.4g}: {pixels}use "
            f"--set model.likelihood.name=gaussian {_FROM_PYTHON}, or --set data.scale=unit if no held-out value "
            "leaves the training range"
        )


def _refuse_without_levels(name: str, levels: int, spec: DataSpec) -> None:
    if spec.dequantized:
        raise ConfigError(
            f"{name} gives probabilities to levels, but the data are dequantised: use --set data.dequantize=false, or "
            f"--set model.likelihood.name=gaussian {_FROM_PYTHON}"
        )
    if spec.levels is None or spec.low < 0 or spec.high > 1:
        raise ConfigError(
            f"{name} needs data stored as levels, such as 8-bit images without rescaling, but these are real numbers: "
            f"use --set model.likelihood.name=gaussian {_FROM_PYTHON}"
        )
    if spec.levels != levels:
        raise ConfigError(
            f"{name} is set to {levels} levels, but the data have {spec.levels}: use --set model.likelihood.levels="
            f"{spec.levels}" + (" or --set model.likelihood.name=bernoulli" if spec.binary else "")
        )


def _warn_of_density(name: str, spec: DataSpec, has_prior: bool) -> list[str]:
    if not has_prior or spec.levels is None or spec.dequantized:
        return []
    better = "bernoulli" if spec.binary else "discretized-logistic"
    return [
        f"{name} is a density, but the data take only {spec.levels} values: a density on a few points has no upper "
        "limit, so elbo, nll and bits_per_dim compare with no other likelihood; use --set data.dequantize=true, or "
        f"--set model.likelihood.name={better}"
    ]


# --- values in [0, 1] -------------------------------------------------------------------------------------------------


class Bernoulli(Likelihood):
    r"""Independent binary values, whose logits are the decoder's outputs.

    .. math:: \ln p(x \mid z) = \sum_i \left[x_i \ln p_i + (1 - x_i) \ln (1 - p_i)\right], \quad
              p = \mathrm{sigmoid}(\text{params})

    Kingma & Welling, 2014, https://arxiv.org/abs/1312.6114, eq. 11. For grey pixels the same formula is a
    cross-entropy: it is no log-probability, and never 0 even for a perfect reconstruction.

    Example:
        >>> Bernoulli()(torch.zeros(5, 1, 28, 28)).log_prob(torch.ones(5, 1, 28, 28))[0].item() / 784  # -ln 2
        -0.6931...
    """

    def forward(self, params: Tensor) -> distributions.IndependentBernoulli:
        """Map logits (B, *event) to p(x given z)."""
        return distributions.IndependentBernoulli(params)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``mass`` on binary data, else ``cross-entropy``."""
        return "mass" if spec.binary and not spec.dequantized else "cross-entropy"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data outside [0, 1]; see :meth:`Likelihood.check`."""
        _refuse_outside_unit("bernoulli", spec)
        if spec.dequantized:
            return [
                "bernoulli on dequantised data is a cross-entropy to which the noise only adds: use "
                "--set data.dequantize=false, or --set model.likelihood.name=continuous-bernoulli"
            ]
        return []

    def beta_effective(self, beta: float) -> float:
        """Return beta: there is no scale."""
        return beta


class ContinuousBernoulli(Likelihood):
    r"""Independent values in [0, 1] with the density that is proportional to the Bernoulli's formula.

    .. math:: p(x \mid z) = \prod_i C(\lambda_i)\, \lambda_i^{x_i} (1 - \lambda_i)^{1 - x_i}, \quad
              \lambda = \mathrm{sigmoid}(\text{params}), \quad
              C(\lambda) = \frac{2 \tanh^{-1}(1 - 2 \lambda)}{1 - 2 \lambda}

    Loaiza-Ganem & Cunningham, 2019, "The continuous Bernoulli", https://arxiv.org/abs/1907.06845, eq. 5-7. The mean is
    not lambda but lies nearer to 1/2.

    Example:
        >>> x = torch.full((2, 4), 0.3)
        >>> ContinuousBernoulli()(torch.zeros(2, 4)).log_prob(x).abs().max().item() < 1e-6  # uniform at lambda = 1/2
        True
    """

    def forward(self, params: Tensor) -> distributions.IndependentContinuousBernoulli:
        """Map logits of lambda (B, *event) to p(x given z)."""
        return distributions.IndependentContinuousBernoulli(params)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``density``."""
        return "density"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data outside [0, 1]; see :meth:`Likelihood.check`."""
        _refuse_outside_unit("continuous-bernoulli", spec)
        return _warn_of_density("continuous-bernoulli", spec, has_prior)

    def beta_effective(self, beta: float) -> float:
        """Return beta: there is no scale."""
        return beta


# --- location and scale -----------------------------------------------------------------------------------------------


def softly_bounded(value: Tensor, low: float, high: float) -> Tensor:
    r"""Keep values between bounds while every gradient stays alive; in between, values are left almost as they are.

    .. math:: v \mapsto l + \mathrm{softplus}(u - l), \quad u = h - \mathrm{softplus}(h - v)

    Chua et al., 2018, https://arxiv.org/abs/1805.12114, appendix A.1, with v the value, l the lower and h the upper
    bound. Several units inside the bounds nothing changes; l itself becomes l + ln 2, and h becomes h - ln 2.

    Args:
        value: Any shape.
        low: Lower bound, approached from above.
        high: Upper bound, approached from below (up to a rest of softplus(low - high)).

    Example:
        >>> print(softly_bounded(torch.tensor([-1e6, 0.0, 1e6]), -10.0, 20.0).round(decimals=3))
        tensor([-10.,   0.,  20.])
    """
    below = high - functional.softplus(high - value)
    return low + functional.softplus(below - low)


def unbounded(value: float, low: float, high: float) -> float:
    """Return what :func:`softly_bounded` maps to a value between its bounds.

    Args:
        value: Strictly between the bounds.
        low: Lower bound.
        high: Upper bound.

    Example:
        >>> round(softly_bounded(torch.tensor(unbounded(-5.5, -6.0, 10.0)), -6.0, 10.0).item(), 5)
        -5.5
    """
    below = low + math.log(math.expm1(value - low))
    return high - math.log(math.expm1(high - below))


class Spread(nn.Module):
    """The logarithm of a scale: fixed, one learned number, or decoded for each value. Part of two likelihoods.

    Args:
        sigma: ``fixed``, ``learned`` or ``per-pixel``.
        scale: The scale itself if it is fixed; where it is learned, what an untrained network starts with.
        power: The logarithm is that of scale to this power: 2 for a log-variance.

    Raises:
        ConfigError: If ``sigma`` is something else, or ``scale`` is not positive or out of the bounds.

    Example:
        >>> Spread("learned", 0.5, power=2)(torch.zeros(1, 1, 3))[1].item()  # ln 0.25
        -1.3862...
    """

    def __init__(self, sigma: str, scale: float, power: int) -> None:
        super().__init__()
        modes = ("fixed", "learned", "per-pixel")
        if sigma not in modes:
            raise ConfigError(f"sigma must be fixed, learned or per-pixel, not '{sigma}'.{did_you_mean(sigma, modes)}")
        if not (scale > 0 and math.isfinite(scale)):
            raise ConfigError(f"scale must be positive, not {scale}")
        self.sigma = sigma
        low, high = LOG_SCALE_BOUNDS
        self.bounds = (power * low, power * high)
        start = power * math.log(scale)
        if sigma != "fixed":
            if not self.bounds[0] < start < self.bounds[1]:
                raise ConfigError(
                    f"a scale that is learned must start between {math.exp(low):.2g} and {math.exp(high):.2g}, "
                    f"not at {scale:g}"
                )
            start = unbounded(start, *self.bounds)
        self.value: Tensor
        if sigma == "learned":
            self.value = nn.Parameter(torch.tensor(start))
        else:
            self.register_buffer("value", torch.tensor(start), persistent=False)

    def forward(self, blocks: Tensor) -> tuple[Tensor, Tensor]:
        """Map decoder outputs (B, 1 or 2, *event) to the location (B, *event) and the log-scale, () or (B, *event)."""
        loc = blocks[:, 0]
        if self.sigma == "fixed":
            return loc, self.value
        if self.sigma == "learned":
            return loc, softly_bounded(self.value, *self.bounds)
        return loc, softly_bounded(self.value + blocks[:, 1], *self.bounds)


def _located(loc: Tensor, activation: str) -> Tensor:
    return loc.sigmoid() if activation == "sigmoid" else loc


def _check_activation(activation: str) -> None:
    if activation not in ("identity", "sigmoid"):
        options = ("identity", "sigmoid")
        raise ConfigError(
            f"loc_activation must be identity or sigmoid, not '{activation}'.{did_you_mean(activation, options)}"
        )


def _refuse_sigmoid_outside_unit(name: str, activation: str, spec: DataSpec) -> None:
    if activation == "sigmoid" and (spec.low < 0 or spec.high > 1):
        raise ConfigError(
            f"{name} with a sigmoid reaches only [0, 1], but the data reach from {spec.low:.4g} to {spec.high:.4g}: "
            "use --set model.likelihood.loc_activation=identity, or --set data.scale=unit if no held-out value "
            "leaves the training range"
        )


class Gaussian(Likelihood):
    r"""Independent Gaussians around the decoded values: half the squared error, with its constant.

    .. math:: -\ln p(x \mid z) = \sum_i \left[\frac{(x_i - \mu_i)^2}{2 \sigma_i^2}
              + \frac{1}{2} \ln 2 \pi \sigma_i^2\right]

    One learned sigma: Rybkin et al., 2021, "Simple and Effective VAE Training with Calibrated Decoders",
    https://arxiv.org/abs/2006.13202. A learned log-variance is softly bounded to (-12, 20): without a lower bound
    the density of values that never change would grow without limit.

    Args:
        sigma: ``fixed``; ``learned``, one global log-variance parameter; or ``per-pixel``, for which the decoder
            outputs two blocks of x's shape, the means and, before the bounds and relative to 2 ln ``scale``, the
            log-variances.
        scale: The standard deviation; where it is learned, the one of an untrained network.
        loc_activation: ``identity`` or ``sigmoid``, what the decoder's means pass through. With a sigmoid and a fixed
            sigma the loss is the squared error of the usual autoencoder on images.

    Raises:
        ConfigError: If a name is unknown or the scale is not positive.

    Example:
        >>> p = Gaussian(loc_activation="sigmoid")(torch.zeros(5, 1, 28, 28))
        >>> p.mean[0, 0, 0, 0].item()
        0.5
    """

    def __init__(self, sigma: str = "fixed", scale: float = 1.0, loc_activation: str = "identity") -> None:
        super().__init__()
        _check_activation(loc_activation)
        self.channels_per_value = 2 if sigma == "per-pixel" else 1
        self.sigma, self.scale, self.loc_activation = sigma, scale, loc_activation
        self.spread = Spread(sigma, scale, power=2)

    def forward(self, params: Tensor) -> distributions.DiagonalNormal:
        """Map decoder outputs (B, *parameter_shape) to p(x given z)."""
        loc, logvar = self.spread(self._blocks(params))
        return distributions.DiagonalNormal(_located(loc, self.loc_activation), logvar)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``density``."""
        return "density"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse a sigmoid for data outside [0, 1]; warn of a density on levels. See :meth:`Likelihood.check`."""
        _refuse_sigmoid_outside_unit("gaussian", self.loc_activation, spec)
        return _warn_of_density("gaussian", spec, has_prior)

    def beta_effective(self, beta: float) -> float | None:
        """Return beta sigma^2 if sigma is fixed, else None.

        Example:
            >>> Gaussian(scale=0.1).beta_effective(1.0)
            0.010000000000000002
        """
        return beta * self.scale**2 if self.sigma == "fixed" else None


class Laplace(Likelihood):
    r"""Independent Laplace densities around the decoded values: the absolute error, with its constant.

    .. math:: -\ln p(x \mid z) = \sum_i \left[\frac{|x_i - \mu_i|}{b_i} + \ln 2 b_i\right]

    A learned ln b is softly bounded to (-6, 10).

    Args:
        sigma: ``fixed``; ``learned``, one global parameter ln b; or ``per-pixel``, for which the decoder outputs two
            blocks of x's shape, the medians and, before the bounds and relative to ln ``scale``, the logarithms of b.
        scale: The mean absolute deviation b; where it is learned, the one of an untrained network.
        loc_activation: ``identity`` or ``sigmoid``, what the decoder's medians pass through.

    Raises:
        ConfigError: If a name is unknown or the scale is not positive.

    Example:
        >>> Laplace()(torch.zeros(2, 4)).log_prob(torch.ones(2, 4))[0].item() / 4  # -1 - ln 2
        -1.6931...
    """

    def __init__(self, sigma: str = "fixed", scale: float = 1.0, loc_activation: str = "identity") -> None:
        super().__init__()
        _check_activation(loc_activation)
        self.channels_per_value = 2 if sigma == "per-pixel" else 1
        self.sigma, self.scale, self.loc_activation = sigma, scale, loc_activation
        self.spread = Spread(sigma, scale, power=1)

    def forward(self, params: Tensor) -> distributions.DiagonalLaplace:
        """Map decoder outputs (B, *parameter_shape) to p(x given z)."""
        loc, log_b = self.spread(self._blocks(params))
        return distributions.DiagonalLaplace(_located(loc, self.loc_activation), log_b)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``density``."""
        return "density"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse a sigmoid for data outside [0, 1]; warn of a density on levels. See :meth:`Likelihood.check`."""
        _refuse_sigmoid_outside_unit("laplace", self.loc_activation, spec)
        return _warn_of_density("laplace", spec, has_prior)

    def beta_effective(self, beta: float) -> float | None:
        """Return beta b if b is fixed, else None."""
        return beta * self.scale if self.sigma == "fixed" else None


# --- levels -----------------------------------------------------------------------------------------------------------


class DiscretizedLogistic(Likelihood):
    r"""A logistic curve for each value, integrated over the bin of each level.

    .. math:: P(x \mid z) = \mathrm{sigmoid}\left(\frac{x + \delta - \mu}{s}\right) -
              \mathrm{sigmoid}\left(\frac{x - \delta - \mu}{s}\right), \quad \delta = \frac{1}{2 (L - 1)}

    and the first and the last bin reach to infinity. Kingma et al., 2016, https://arxiv.org/abs/1606.04934, appendix
    A.2 and Salimans et al., 2017, https://arxiv.org/abs/1701.05517, eq. 2, here for data in [0, 1]. The decoder outputs
    two blocks of x's shape: mu - 1/2, not squashed, so that mu may leave [0, 1] to favour black or white; and
    ln s - ln(1/4), then softly bounded to (-7, 10). An untrained network thus starts with a broad curve in the middle.

    Args:
        levels: Number of levels L of the data.

    Raises:
        ConfigError: If there are fewer than two levels.

    Example:
        >>> x = torch.arange(256).view(256, 1) / 255
        >>> round(DiscretizedLogistic()(torch.zeros(256, 2)).log_prob(x).exp().sum().item(), 4)
        1.0
    """

    channels_per_value = 2

    def __init__(self, levels: int = 256) -> None:
        super().__init__()
        self.levels = _checked_levels(levels)
        self.start = unbounded(-math.log(4), *LOGISTIC_BOUNDS)

    def forward(self, params: Tensor) -> distributions.DiscretizedLogistic:
        """Map decoder outputs (B, *parameter_shape) to p(x given z)."""
        loc, log_s = self._blocks(params).unbind(1)  # each (B, *event)
        log_s = softly_bounded(self.start + log_s, *LOGISTIC_BOUNDS)
        return distributions.DiscretizedLogistic(loc + 0.5, log_s, self.levels)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``mass``."""
        return "mass"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data that are not of so many levels; see :meth:`Likelihood.check`."""
        _refuse_without_levels("discretized-logistic", self.levels, spec)
        return []

    def beta_effective(self, beta: float) -> float | None:
        """Return None: the scale is learned."""
        return None


class DiscretizedLogisticMixture(Likelihood):
    r"""A mixture of logistic curves for each value, integrated over the bin of each level.

    .. math:: P(x_i \mid z) = \sum_m \pi_{im} \left[\mathrm{sigmoid}\left(\frac{x_i + \delta - \mu_{im}}{s_{im}}\right)
              - \mathrm{sigmoid}\left(\frac{x_i - \delta - \mu_{im}}{s_{im}}\right)\right],
              \quad \delta = \frac{1}{2 (L - 1)}

    Salimans et al., 2017, "PixelCNN++", https://arxiv.org/abs/1701.05517, eq. 1-2, here for data in [0, 1] and without
    its dependence of one colour channel on another: every value has a mixture of its own. The decoder outputs 3 M
    blocks of x's shape: M logits, M locations and M log-scales. The locations are added to (m + 1/2) / M and the
    log-scales to ln(1 / 4 M), so that an untrained network starts with curves that cover [0, 1] evenly; the log-scales
    are then softly bounded to (-7, 10).

    Args:
        components: How many curves are mixed, M.
        levels: Number of levels L of the data.

    Raises:
        ConfigError: If there is no component or fewer than two levels.

    Example:
        >>> x = torch.arange(256).view(256, 1) / 255
        >>> round(DiscretizedLogisticMixture(5)(torch.zeros(256, 15)).log_prob(x).exp().sum().item(), 4)
        1.0
    """

    def __init__(self, components: int = 10, levels: int = 256) -> None:
        super().__init__()
        if components < 1:
            raise ConfigError(f"components must be at least 1, not {components}")
        self.components = components
        self.levels = _checked_levels(levels)
        self.channels_per_value = 3 * components
        self.start = unbounded(max(-math.log(4 * components), LOGISTIC_BOUNDS[0] + 1), *LOGISTIC_BOUNDS)
        self.offsets: Tensor
        self.register_buffer("offsets", (torch.arange(components) + 0.5) / components, persistent=False)

    def forward(self, params: Tensor) -> distributions.DiscretizedLogisticMixture:
        """Map decoder outputs (B, *parameter_shape) to p(x given z)."""
        logits, loc, log_s = self._blocks(params).chunk(3, 1)  # each (B, M, *event)
        loc = loc + self.offsets.view(-1, *[1] * (loc.dim() - 2))
        log_s = softly_bounded(self.start + log_s, *LOGISTIC_BOUNDS)
        return distributions.DiscretizedLogisticMixture(logits, loc, log_s, self.levels)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``mass``."""
        return "mass"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data that are not of so many levels; see :meth:`Likelihood.check`."""
        _refuse_without_levels("discretized-logistic-mixture", self.levels, spec)
        return []

    def beta_effective(self, beta: float) -> float | None:
        """Return None: the scales are learned."""
        return None


class Categorical(Likelihood):
    r"""A free probability for each level of each value; levels next to each other are not related.

    .. math:: P(x_i = k / (L - 1) \mid z) = \mathrm{softmax}_k(\text{params}_i)

    Van den Oord et al., 2016, "Pixel Recurrent Neural Networks", https://arxiv.org/abs/1601.06759, section 2.2. The
    decoder outputs one block of x's shape for each level, the logits.

    Args:
        levels: Number of levels L of the data.

    Raises:
        ConfigError: If there are fewer than two levels.

    Example:
        >>> p = Categorical(levels=4)(torch.zeros(2, 12))  # three values of four levels
        >>> p.log_prob(torch.ones(2, 3))[0].exp().item() * 4**3
        1.0
    """

    def __init__(self, levels: int = 256) -> None:
        super().__init__()
        self.levels = _checked_levels(levels)
        self.channels_per_value = levels

    def forward(self, params: Tensor) -> distributions.IndependentCategorical:
        """Map decoder outputs (B, *parameter_shape) to p(x given z)."""
        return distributions.IndependentCategorical(self._blocks(params), self.levels)

    def kind(self, spec: DataSpec) -> Kind:
        """Return ``mass``."""
        return "mass"

    def check(self, spec: DataSpec, has_prior: bool) -> list[str]:
        """Refuse data that are not of so many levels; see :meth:`Likelihood.check`."""
        _refuse_without_levels("categorical", self.levels, spec)
        return []

    def beta_effective(self, beta: float) -> float:
        """Return beta: there is no scale."""
        return beta


def _checked_levels(levels: int) -> int:
    if levels < 2:
        raise ConfigError(f"levels must be at least 2, not {levels}")
    return levels
