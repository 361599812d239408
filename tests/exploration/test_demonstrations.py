from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import kstest, norm
from torch.nn import functional

from latentia.errors import ConfigError
from latentia.exploration.demonstrations import (
    SweptRun,
    plot_rate_distortion,
    plot_reductions,
    plot_reparameterisation,
    reductions,
    reparameterise,
)
from latentia.exploration.style import figure_bytes


def source() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_draws_are_normal_and_gradients_unbiased() -> None:
    draws = reparameterise(2.0, 0.5, 200_000, source())
    sigma = math.exp(0.25)
    assert draws.sigma == pytest.approx(sigma)
    assert kstest(draws.z.numpy(), norm(2.0, sigma).cdf).pvalue > 0.01
    for estimates in (draws.pathwise, draws.score):
        error = float(estimates.std()) / math.sqrt(len(estimates))
        assert abs(float(estimates.mean()) - 4.0) < 4 * error
    assert float(draws.pathwise.std()) == pytest.approx(2 * sigma / 10, rel=0.1)  # sd of a mean of 100 of 2 z
    assert float(draws.score.std()) > 2 * float(draws.pathwise.std())


def test_the_pathwise_estimate_is_the_derivative_by_mu() -> None:
    noise = torch.randn(100, generator=source(), dtype=torch.float64)
    mu = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (mu + math.exp(0.25) * noise).square().mean().backward()
    assert mu.grad is not None
    assert float(reparameterise(2.0, 0.5, 100, source()).pathwise[0]) == pytest.approx(float(mu.grad))


def test_reductions_are_those_of_pytorch() -> None:
    """Each reduction's loss, computed by PyTorch, is a multiple of summed distortion + weight x summed KL."""
    batch, dimensions, latents = 5, 12, 3
    x = torch.rand(batch, dimensions, dtype=torch.float64, generator=source())
    x_hat = torch.rand(batch, dimensions, dtype=torch.float64, generator=source().manual_seed(1))
    kl = torch.rand(batch, latents, dtype=torch.float64, generator=source().manual_seed(2))  # of each dimension
    summed = functional.mse_loss(x_hat, x, reduction="sum") / batch
    mean = functional.mse_loss(x_hat, x)
    rate = kl.sum(1).mean()
    losses = [
        summed + kl.sum(1).mean(),
        mean + kl.sum(1).mean(),
        mean + kl.mean(),
        summed + kl.mean(1).mean(),
        mean + kl.sum(),
        mean + kl.sum() / (batch * dimensions),
    ]
    for row, loss in zip(reductions(dimensions, latents, batch), losses, strict=True):
        scale = 1.0 if row.distortion == "sum over values" else dimensions
        assert float(scale * loss) == pytest.approx(float(summed + row.weight * rate), rel=1e-12)
        assert row.bce == row.weight and row.squared_error == row.weight / 2


def test_figures_are_drawn() -> None:
    runs = [SweptRun(beta, 80 + 9 * beta, 25 / beta, 10, torch.rand(3, 1, 8, 8)) for beta in (4.0, 0.5, 1.0)]
    for figure in (
        plot_reparameterisation(reparameterise(2.0, 0.5, 1000, source())),
        plot_reparameterisation(reparameterise(0.0, -30.0, 100, source())),
        plot_reductions(reductions(784, 20, 128), 784, 20, 128),
        plot_reductions(reductions(1, 1, 1), 1, 1, 1),
        plot_rate_distortion(runs, 20, title="t"),
    ):
        picture = np.asarray(Image.open(io.BytesIO(figure_bytes(figure, dpi=50))).convert("RGB"))
        assert picture.std() > 0


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="logvar"):
        reparameterise(0.0, 40.0, 100, source())
    with pytest.raises(ConfigError, match="n must be"):
        reparameterise(0.0, 0.0, 99, source())
    with pytest.raises(ConfigError, match="at least 1"):
        reductions(0, 1, 1)
