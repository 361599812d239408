r"""The noise schedule of diffusion models and the steps that lead back from noise. Pure; knows no network.

At level t of T a variable is :math:`z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon` with standard
normal noise (Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models", 2020, https://arxiv.org/abs/2006.11239,
equation 4). Level 0 is the data, at which alpha bar is 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latentia.errors import ConfigError

OFFSET = 0.008  # s, which keeps the first steps from being too small to be noticed
LARGEST_BETA = 0.999


def cosine_alpha_bar(levels: int) -> Tensor:
    r"""What is left of the data's variance at each level.

    .. math::
        \bar\alpha_t = \prod_{s \le t} (1 - \beta_s), \quad
        \beta_t = \min\left(1 - \frac{f(t)}{f(t - 1)}, 0.999\right), \quad
        f(t) = \cos^2\left(\frac{t / T + 0.008}{1.008} \cdot \frac{\pi}{2}\right)

    Nichol & Dhariwal, "Improved Denoising Diffusion Probabilistic Models", 2021, https://arxiv.org/abs/2102.09672,
    equation 17.

    Args:
        levels: T, at least 1.

    Returns:
        (T + 1,), float64, falling from 1.

    Raises:
        ConfigError: If there is no level.

    Example:
        >>> cosine_alpha_bar(4).round(decimals=3)
        tensor([1.0000, 0.8470, 0.4940, 0.1440, 0.0000], dtype=torch.float64)
    """
    if levels < 1:
        raise ConfigError(f"a diffusion needs at least 1 level of noise, not {levels}")
    t = torch.arange(levels + 1, dtype=torch.float64)
    f = torch.cos((t / levels + OFFSET) / (1 + OFFSET) * (math.pi / 2)).square()
    beta = (1 - f[1:] / f[:-1]).clamp(max=LARGEST_BETA)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)])


def diffuse(z: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Add noise: :math:`z_t = \sqrt{\bar\alpha_t}\, z + \sqrt{1 - \bar\alpha_t}\, \epsilon`.

    Args:
        z: Data, (B, D).
        eps: Standard normal noise, (B, D).
        alpha_bar: Of each row, broadcastable with z, such as (B, 1).
    """
    return alpha_bar.sqrt() * z + (1 - alpha_bar).sqrt() * eps


def velocity(z: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""What the denoiser predicts: :math:`v = \sqrt{\bar\alpha_t}\, \epsilon - \sqrt{1 - \bar\alpha_t}\, z`.

    Salimans & Ho, "Progressive Distillation for Fast Sampling of Diffusion Models", 2022,
    https://arxiv.org/abs/2202.00512, appendix D. Unlike the noise it determines the data at every level, also at the
    last, where hardly any data are left. Arguments as of :func:`diffuse`.
    """
    return alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * z


def step_back(z_t: Tensor, v: Tensor, now: Tensor, then: Tensor, noise: Tensor, eta: float) -> Tensor:
    r"""Go from one level to an earlier one, with data and noise as a predicted velocity says.

    .. math::
        z_s = \sqrt{\bar\alpha_s}\, \hat z_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \hat\epsilon + \sigma \epsilon',
        \quad
        \sigma = \eta \sqrt{\frac{1 - \bar\alpha_s}{1 - \bar\alpha_t}} \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_s}}

    Song, Meng & Ermon, "Denoising Diffusion Implicit Models", 2021, https://arxiv.org/abs/2010.02502, equations 12 and
    16. With eta = 1 and s = t - 1 it is the step of Ho et al. with their smaller variance (equation 7); with eta = 0
    nothing is drawn.

    Args:
        z_t: (B, D), at the level t.
        v: The velocity there, (B, D).
        now: Alpha bar of the level t, a scalar in (0, 1).
        then: Alpha bar of the level s < t, a scalar in (now, 1].
        noise: Standard normal, (B, D).
        eta: Share of the noise that is drawn anew, in [0, 1].

    Returns:
        z_s, (B, D); at the level 0 it is the predicted data.
    """
    data = now.sqrt() * z_t - (1 - now).sqrt() * v
    eps = (1 - now).sqrt() * z_t + now.sqrt() * v
    sigma = eta * ((1 - then) / (1 - now)).sqrt() * (1 - now / then).sqrt()
    return then.sqrt() * data + (1 - then - sigma.square()).clamp_min(0).sqrt() * eps + sigma * noise
