"""Points of the latent space in rows and columns: along dimensions, and over a plane.

Pure array code; knows neither models nor pictures. Latents are flat here, (d,).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from latentia.errors import ConfigError


def normal_quantiles(n: int) -> Tensor:
    r"""Coordinates that cut the standard normal into n parts of equal probability, in the middle of each.

    .. math:: z_i = \Phi^{-1}\!\left(\frac{i + 1/2}{n}\right), \quad i = 0, \dots, n - 1

    Kingma & Welling, "Auto-Encoding Variational Bayes", 2014, https://arxiv.org/abs/1312.6114, appendix A: the
    inverse of the normal's distribution function, at linearly spaced coordinates of the unit square.

    Args:
        n: How many, at least 1.

    Returns:
        (n,), float64, increasing.

    Example:
        >>> normal_quantiles(2)
        tensor([-0.6745,  0.6745], dtype=torch.float64)
    """
    return torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)


def plane(origin: Tensor, axes: Tensor, horizontal: Tensor, vertical: Tensor) -> Tensor:
    r"""Points of a plane as they lie in a picture: to the right the first coordinate grows, upward the second.

    .. math:: z_{rc} = o + h_c\, a_1 + v_r\, a_2

    Args:
        origin: The point o where both coordinates are 0, (d,).
        axes: The directions a, (2, d).
        horizontal: Coordinates h along the first, increasing, (C,).
        vertical: Coordinates v along the second, increasing, (R,).

    Returns:
        (R, C, d); the first row is the top one, where v is greatest.

    Example:
        >>> plane(torch.zeros(2), torch.eye(2), torch.tensor([0.0, 1.0]), torch.tensor([5.0, 6.0])).tolist()
        [[[0.0, 6.0], [1.0, 6.0]], [[0.0, 5.0], [1.0, 5.0]]]
    """
    across = horizontal[None, :, None] * axes[0]  # (1, C, d)
    up = vertical.flip(0)[:, None, None] * axes[1]  # (R, 1, d)
    return origin + across + up


def along(base: Tensor, dimensions: Tensor, values: Tensor) -> Tensor:
    """Move some dimensions of a point, one at a time, while the others stay.

    Args:
        base: The point, (d,).
        dimensions: Which ones, (D,), integers.
        values: What each becomes, (D, S).

    Returns:
        (D, S, d).

    Example:
        >>> along(torch.zeros(3), torch.tensor([2]), torch.tensor([[7.0, 8.0]])).tolist()
        [[[0.0, 0.0, 7.0], [0.0, 0.0, 8.0]]]
    """
    count, steps = values.shape
    points = base.expand(count, steps, -1).clone()  # (D, S, d)
    points.scatter_(2, dimensions[:, None, None].expand(count, steps, 1), values[..., None].to(points.dtype))
    return points


@dataclass(frozen=True, eq=False)
class PrincipalPlane:
    """The plane in which points spread most.

    Attributes:
        origin: Their mean, (d,).
        axes: Two directions of length 1, (2, d); the largest entry of each is positive.
        scores: The points' coordinates along them, (N, 2).
        shares: What part of the points' variance each has, 0 to 1.
    """

    origin: Tensor
    axes: Tensor
    scores: Tensor
    shares: tuple[float, float]


def principal_plane(z: Tensor) -> PrincipalPlane:
    """The plane of the first two principal components (Pearson 1901, https://doi.org/10.1080/14786440109462720).

    Args:
        z: Points, (N, d), d >= 2.

    Raises:
        ConfigError: If there is only one point, or only one dimension.

    Example:
        >>> axes = principal_plane(torch.tensor([[0.0, 0.0, 1.0], [4.0, 0.0, 1.0], [2.0, 1.0, 1.0]])).axes
        >>> torch.allclose(axes, torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=axes.dtype), atol=1e-6)
        True
    """
    if z.dim() != 2 or min(z.shape) < 2:
        raise ConfigError(f"principal components need two points and two dimensions at least, not {tuple(z.shape)}")
    z = z.double()
    origin = z.mean(0)
    _, singular, directions = torch.linalg.svd(z - origin, full_matrices=False)
    axes = directions[:2]
    axes = axes * torch.sign(axes.gather(1, axes.abs().argmax(1, keepdim=True)))
    power = singular.square()
    shares = (power[:2] / power.sum()).tolist() if power.sum() > 0 else [0.0, 0.0]
    return PrincipalPlane(origin, axes, (z - origin) @ axes.T, (shares[0], shares[1]))


def central_range(values: Tensor, share: float = 0.98) -> tuple[float, float]:
    """Between which values the middle ``share`` of them lies; one to each side where they are all the same.

    Example:
        >>> central_range(torch.arange(101.0))
        (1.0, 99.0)
    """
    tail = (1 - share) / 2
    values = values.double().sort().values
    low, high = (_quantile(values, place) for place in (tail, 1 - tail))
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _quantile(ordered: Tensor, place: float) -> float:
    """A quantile of any number of sorted values (PyTorch's own refuses more than 16 million)."""
    position = place * (len(ordered) - 1)
    below = int(position + 1e-9)
    above = min(below + 1, len(ordered) - 1)
    weight = max(position - below, 0.0)
    return round(float(ordered[below] * (1 - weight) + ordered[above] * weight), 12)
