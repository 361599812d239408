"""The noise schedule and the steps back, against closed forms for Gaussian data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from latentia.errors import ConfigError
from latentia.maths.diffusion import cosine_alpha_bar, diffuse, step_back, velocity


def rows(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_cosine_schedule_is_the_papers() -> None:
    levels, s = 200, 0.008
    f = [math.cos((t / levels + s) / (1 + s) * math.pi / 2) ** 2 for t in range(levels + 1)]
    beta = [min(1 - f[t] / f[t - 1], 0.999) for t in range(1, levels + 1)]
    expected = np.concatenate([[1.0], np.cumprod(1 - np.array(beta))])
    np.testing.assert_allclose(cosine_alpha_bar(levels).numpy(), expected, rtol=1e-10)
    assert beta[-1] == 0.999 and (np.diff(expected) < 0).all()


def test_there_must_be_a_level() -> None:
    with pytest.raises(ConfigError, match="at least 1 level"):
        cosine_alpha_bar(0)


def test_data_and_noise_come_back_from_the_velocity() -> None:
    z, eps, now = rows(9, 0), rows(9, 1), torch.tensor(0.3, dtype=torch.float64)
    z_t, v = diffuse(z, eps, now), velocity(z, eps, now)
    one = torch.tensor(1.0, dtype=torch.float64)
    torch.testing.assert_close(step_back(z_t, v, now, one, torch.zeros_like(z), 0.0), z)
    then = torch.tensor(0.6, dtype=torch.float64)  # without new noise, the same data and noise at another level
    torch.testing.assert_close(step_back(z_t, v, now, then, torch.zeros_like(z), 0.0), diffuse(z, eps, then))


def test_with_eta_1_a_step_is_the_posterior_of_ho_et_al() -> None:
    """Equations 6 and 7 of Ho et al. 2020, with the mean written in z_0 and z_t."""
    alpha_bar = cosine_alpha_bar(50)
    t = 20
    now, then = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / then
    z, eps, noise = rows(7, 0), rows(7, 1), rows(7, 2)
    z_t = diffuse(z, eps, now)
    mean = then.sqrt() * beta / (1 - now) * z + (1 - beta).sqrt() * (1 - then) / (1 - now) * z_t
    variance = (1 - then) / (1 - now) * beta
    found = step_back(z_t, velocity(z, eps, now), now, then, noise, 1.0)
    torch.testing.assert_close(found, mean + variance.sqrt() * noise)


@pytest.mark.parametrize(("eta", "steps"), [(1.0, 300), (1.0, 150), (0.0, 150)])
def test_the_way_back_reaches_gaussian_data(eta: float, steps: int) -> None:
    """For N(m, s^2) the best prediction is known, so that the samples' mean and deviation must be m and s."""
    m, s, levels, n = 1.5, 0.4, 300, 5_000
    alpha_bar = cosine_alpha_bar(levels)
    path = torch.linspace(levels, 0, steps + 1).round().long().tolist()
    source = torch.Generator().manual_seed(0)
    u = torch.randn(n, 1, dtype=torch.float64, generator=source)
    for t, earlier in itertools.pairwise(path):
        now, then = alpha_bar[t], alpha_bar[earlier]
        variance = now * s**2 + 1 - now
        z = m + now.sqrt() * s**2 / variance * (u - now.sqrt() * m)  # E[z_0 given z_t]
        eps = (1 - now).sqrt() / variance * (u - now.sqrt() * m)  # E[eps given z_t]
        noise = torch.randn(n, 1, dtype=torch.float64, generator=source)
        u = step_back(u, velocity(z, eps, now), now, then, noise, eta)
    assert abs(float(u.mean()) - m) < 5 * s / math.sqrt(n) + 2e-3
    assert abs(float(u.std()) - s) < 5 * s / math.sqrt(2 * n) + 0.02 * s
