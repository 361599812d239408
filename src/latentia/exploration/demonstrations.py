"""Small experiments that show an idea, and their figures: the reparameterisation, reductions, a sweep over beta.

Owns numbers that need no trained model, and how all of them are drawn; knows no training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.exploration import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BATCH = 100  # draws whose mean is one estimate of the gradient

# --- reparameterisation -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Draws:
    r"""Draws by the reparameterisation, and two estimates of a gradient through them.

    Attributes:
        z: mu + sigma * noise, (n,).
        mu: The mean.
        sigma: The standard deviation, exp(logvar / 2).
        pathwise: Estimates of the derivative of E[z^2] by mu, each from 100 draws, through z: the mean of 2 z.
        score: The same from the score function, without a derivative of z^2: the mean of z^2 (z - mu) / sigma^2.
    """

    z: Tensor
    mu: float
    sigma: float
    pathwise: Tensor
    score: Tensor


def reparameterise(mu: float, logvar: float, n: int, generator: torch.Generator) -> Draws:
    r"""Draw from N(mu, exp(logvar)) by scaling and shifting standard normal noise.

    .. math:: z = \mu + e^{\frac12 \ln \sigma^2} \varepsilon, \quad \varepsilon \sim N(0, 1)

    Kingma & Welling, "Auto-Encoding Variational Bayes", 2014, https://arxiv.org/abs/1312.6114, section 2.4. The
    noise does not depend on the parameters, so that the derivative goes through z:
    :math:`\partial_\mu E[z^2] = E[2 z] = 2 \mu`. The score-function estimate has the same mean and a far larger spread.

    Args:
        mu: The mean.
        logvar: ln sigma^2.
        n: How many draws, at least 100.
        generator: Source of the noise, on the CPU.

    Example:
        >>> draws = reparameterise(2.0, 0.5, 10_000, torch.Generator().manual_seed(0))
        >>> round(draws.sigma, 2), draws.pathwise.std() < draws.score.std()
        (1.28, tensor(True))
    """
    if not (math.isfinite(mu) and abs(logvar) <= 30):
        raise ConfigError(f"mu must be a number and logvar between -30 and 30, not {mu:g} and {logvar:g}")
    if not BATCH <= n <= 10_000_000:
        raise ConfigError(f"n must be between {BATCH} and 10,000,000, not {n:,}")
    sigma = math.exp(0.5 * logvar)
    z = mu + sigma * torch.randn(n, generator=generator, dtype=torch.float64)
    whole = z[: n // BATCH * BATCH].reshape(-1, BATCH)
    score = whole.square() * (whole - mu) / sigma**2
    return Draws(z, mu, sigma, (2 * whole).mean(1), score.mean(1))


def plot_reparameterisation(draws: Draws) -> Figure:
    """The draws over their density, and beside them the two estimates of the gradient.

    Example:
        >>> figure = plot_reparameterisation(reparameterise(2.0, 0.5, 1000, torch.Generator().manual_seed(0)))
    """
    z, mu, sigma = draws.z.numpy(), draws.mu, draws.sigma
    with style.styled():
        figure = style.new_figure(style.WIDTH + 1.4, 3.5)
        left, right = figure.subplots(1, 2)
        left.hist(z, bins=60, density=True, color=style.BLUE, alpha=0.55, label=f"{len(z):,} draws")
        line = np.linspace(mu - 4 * sigma, mu + 4 * sigma, 300)
        density = np.exp(-0.5 * ((line - mu) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
        left.plot(line, density, color=style.INK, label=f"N({mu:g}, {sigma:.3g}²)")
        shown = f"mean {z.mean():.2f} (exact {mu:.2f}), sd {z.std():.2f} (exact {sigma:.2f})"
        left.set_title(shown, loc="left", fontsize=10)
        left.set_xlabel("z = mu + exp(logvar / 2) × noise")
        left.set_ylabel("density")
        both = np.concatenate([draws.pathwise.numpy(), draws.score.numpy()])
        bins = np.linspace(both.min(), both.max() if both.max() > both.min() else both.min() + 1.0, 50).tolist()
        for values, colour, name in (
            (draws.score.numpy(), style.ORANGE, "score function"),
            (draws.pathwise.numpy(), style.BLUE, "through z"),
        ):
            right.hist(values, bins=bins, color=colour, alpha=0.6, label=f"{name}: sd {values.std():.2f}")
        right.axvline(2 * mu, color=style.INK, linewidth=1.4, label=f"exact: {2 * mu:g}")
        right.set_title("gradient of E[z²] by mu, estimated", loc="left", fontsize=10)
        right.set_xlabel(f"estimate from {BATCH} draws")
        right.set_ylabel("estimates")
        for axes in (left, right):
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.22), ncols=2)
        style.title_figure(figure, "the reparameterisation: randomness as an input")
    return figure


# --- reductions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reduction:
    """What one way of summing or averaging does to the balance of distortion and rate.

    Attributes:
        distortion: How the distortion is reduced.
        kl: How the KL is.
        weight: The factor on the summed KL, once the loss is rewritten with the summed distortion.
        bce: beta_effective with a cross-entropy: the weight itself.
        squared_error: beta_effective with a squared error, sigma = 1: half the weight.
    """

    distortion: str
    kl: str
    weight: float

    @property
    def bce(self) -> float:
        """beta_effective with a cross-entropy."""
        return self.weight

    @property
    def squared_error(self) -> float:
        """beta_effective with a squared error."""
        return self.weight / 2


def reductions(dimensions: int, latents: int, batch: int) -> list[Reduction]:
    r"""What the usual reductions make of a loss that is written as "reconstruction + KL".

    With D values, d latents and B samples, let S be the distortion and K the KL of a sample, each summed over its
    dimensions. A loss :math:`a S + b K` has the optimum of :math:`S + \frac{b}{a} K`: only b / a counts. For a squared
    error, :math:`S = 2 (-\ln p) + const` at sigma = 1, so that beta is half of it.

    Args:
        dimensions: D.
        latents: d.
        batch: B.

    Example:
        >>> [row.bce for row in reductions(784, 20, 128)][:2]
        [1.0, 784.0]
    """
    if min(dimensions, latents, batch) < 1:
        raise ConfigError("values, latents and samples in a batch must each be at least 1")
    return [
        Reduction("sum over values", "sum over latents", 1.0),
        Reduction("mean over values", "sum over latents", float(dimensions)),
        Reduction("mean over values", "mean over latents", dimensions / latents),
        Reduction("sum over values", "mean over latents", 1 / latents),
        Reduction("mean over values and batch", "sum over latents and batch", float(dimensions * batch)),
        Reduction("mean over values", "sum over latents / values", 1.0),
    ]


def plot_reductions(rows: Sequence[Reduction], dimensions: int, latents: int, batch: int) -> Figure:
    """The effective beta of each reduction, on a logarithmic scale.

    Example:
        >>> figure = plot_reductions(reductions(784, 20, 128), 784, 20, 128)
    """
    with style.styled():
        figure = style.new_figure(style.WIDTH + 1.4, 0.62 * len(rows) + 1.4)
        axes = figure.subplots()
        places = np.arange(len(rows))
        for offset, side, name, values, colour in (
            (-0.19, "left", "cross-entropy", [row.bce for row in rows], style.BLUE),
            (0.19, "right", "squared error", [row.squared_error for row in rows], style.ORANGE),
        ):
            axes.scatter(values, places + offset, s=46, color=colour, label=name, zorder=3)
            for value, place in zip(values, places + offset, strict=True):
                text, away = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}", 7 if side == "left" else -7
                axes.annotate(
                    text, (value, place), xytext=(away, 0), textcoords="offset points", ha=side, va="center", fontsize=9
                )
        axes.axvline(1.0, color=style.INK, linewidth=1.2, zorder=1)
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        axes.set_xlim(low / 4, high * 4)
        axes.set_yticks(places, [f"{row.distortion}\n+ KL {row.kl}" for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.6)
        axes.set_xlabel("effective beta, the factor on the rate beside a normalised likelihood; 1 is the ELBO")
        axes.grid(axis="x")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
        sizes = f"{dimensions:,} values, {latents:,} latents, batches of {batch:,}"
        style.title_figure(figure, f"the same words “reconstruction + KL”: {sizes}")
    return figure


# --- the sweep over beta ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SweptRun:
    """One training of a sweep.

    Attributes:
        beta: Its factor on the rate.
        distortion: On the test part, nats per sample.
        rate: Likewise.
        active: Dimensions whose rate is above 0.01 nats.
        frames: A walk along its dimension of the highest rate, (S, *event).
    """

    beta: float
    distortion: float
    rate: float
    active: int
    frames: Tensor


def plot_rate_distortion(runs: Sequence[SweptRun], latent_dim: int, *, title: str, noun: str = "image") -> Figure:
    """Rate against distortion, a point for each beta, with the number of dimensions in use.

    Example:
        >>> runs = [SweptRun(b, 80 + 9 * b, 25 / b, 10, torch.rand(3, 1, 8, 8)) for b in (0.5, 1.0, 4.0)]
        >>> figure = plot_rate_distortion(runs, 20, title="beta")
    """
    ordered = sorted(runs, key=lambda run: run.beta)
    with style.styled():
        figure = style.new_figure(style.WIDTH, 4.2)
        axes = figure.subplots()
        rates, distortions = [run.rate for run in ordered], [run.distortion for run in ordered]
        axes.plot(rates, distortions, color=style.BLUE, marker="o")
        for run in ordered:
            _beside(axes, run.rate, run.distortion, f"β = {run.beta:g}, {run.active} of {latent_dim}")
        axes.set_xlabel(f"rate, KL(q to p) (nats per {noun})")
        axes.set_ylabel(f"distortion, −E log p(x given z) (nats per {noun})")
        axes.margins(y=0.12)
        widest = max(*rates, 0.01)
        axes.set_xlim(-0.03 * widest, 1.35 * widest)
        axes.grid(True)
        style.title_figure(figure, title, "beside each beta: how many dimensions have a rate above 0.01 nats")
    return figure


def _beside(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(8, 5), textcoords="offset points", fontsize=9.5, color=style.MUTED)
