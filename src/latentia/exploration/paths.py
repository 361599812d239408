"""Ways from one latent to another: straight, and along the sphere.

Pure array code; knows neither models nor what latents mean.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from latentia.errors import ConfigError, DataError, did_you_mean

PathName = Literal["linear", "spherical"]
PATHS: tuple[PathName, ...] = ("linear", "spherical")
_NEARLY = 1e-7  # radians; below it a and b point the same way, and within it of pi, opposite ways


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    r"""Go straight from a to b.

    .. math:: z(t) = (1 - t)\, a + t\, b

    Args:
        a: Where t is 0, (*latent).
        b: Where t is 1, (*latent).
        t: (T,), usually in [0, 1].

    Returns:
        (T, *latent), of the type of a; exactly a and b at the ends.

    Example:
        >>> lerp(torch.tensor([0.0, 2.0]), torch.tensor([4.0, 0.0]), torch.tensor([0.0, 0.25, 1.0])).tolist()
        [[0.0, 2.0], [1.0, 1.5], [4.0, 0.0]]
    """
    t = _along(t, a)
    return ((1 - t) * a.double() + t * b.double()).to(a.dtype)


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    r"""Go from a to b along the great circle through them, so that latents stay as far from the origin as a and b.

    .. math:: z(t) = \frac{\sin((1 - t)\, \omega)}{\sin \omega}\, a + \frac{\sin(t\, \omega)}{\sin \omega}\, b,
        \quad \omega = \angle(a, b)

    Shoemake, "Animating Rotation with Quaternion Curves", 1985, https://doi.org/10.1145/325334.325242; for latents:
    White, "Sampling Generative Networks", 2016, https://arxiv.org/abs/1609.04468, section 2.1. In many dimensions
    a standard normal lies near a sphere of radius sqrt(d), and the middle of a straight way far inside it. Where a and
    b point the same way, this is :func:`lerp`, its limit. Latents of several axes count as one long vector.

    Args:
        a: Where t is 0, (*latent).
        b: Where t is 1, (*latent).
        t: (T,), usually in [0, 1].

    Returns:
        (T, *latent), of the type of a; exactly a and b at the ends.

    Raises:
        DataError: If one of them is the origin, or they point in opposite ways: then there is no way, or no single
            one.

    Example:
        >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([0.5]))
        tensor([[0.7071, 0.7071]])
    """
    angle = _angle(a.double().flatten(), b.double().flatten())
    if angle < _NEARLY:
        return lerp(a, b, t)
    t = _along(t, a)
    sine = torch.sin(angle)
    first, second = torch.sin((1 - t) * angle) / sine, torch.sin(t * angle) / sine
    return (first * a.double() + second * b.double()).to(a.dtype)


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """The angle between two vectors, exact also near 0 and pi, where the arc cosine is not (Kahan)."""
    norms = a.norm(), b.norm()
    if min(norms) == 0:
        raise DataError("there is no spherical path from or to the origin of the latent space: use a linear one")
    a, b = a / norms[0], b / norms[1]
    angle = 2 * torch.atan2((a - b).norm(), (a + b).norm())
    if torch.pi - angle < _NEARLY:
        raise DataError(
            "there is no single spherical path between latents that point in opposite ways: use a linear one"
        )
    return angle


def _along(t: Tensor, a: Tensor) -> Tensor:
    return t.double().reshape(-1, *[1] * a.dim())  # (T, 1, ..., 1)


def walk(a: Tensor, b: Tensor, steps: int, path: str = "linear") -> Tensor:
    """Equally spaced points on a way, the ends among them.

    Args:
        a: The first, (*latent).
        b: The last, (*latent).
        steps: How many, at least 2.
        path: ``linear`` or ``spherical``.

    Returns:
        (steps, *latent).

    Raises:
        ConfigError: If there are fewer than two steps, or the path is another one.
        DataError: If there is no spherical path between them.

    Example:
        >>> walk(torch.tensor([0.0]), torch.tensor([3.0]), 4).flatten().tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    if steps < 2:
        raise ConfigError(f"a path needs at least 2 steps, its two ends, not {steps}")
    if path not in PATHS:
        raise ConfigError(f"a path is {' or '.join(PATHS)}, not '{path}'.{did_you_mean(path, PATHS)}")
    t = torch.linspace(0.0, 1.0, steps, dtype=torch.float64)
    return (lerp if path == "linear" else slerp)(a, b, t)
