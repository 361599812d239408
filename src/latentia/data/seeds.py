"""Seeds as pure functions of names: the same parts give the same random numbers, whatever was drawn before."""

from __future__ import annotations

import hashlib
import operator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def derive_seed(*parts: int | str) -> int:
    """Hash names and numbers into a seed, the same on every machine and in every version of Python.

    Args:
        parts: What the random numbers are for, such as ``(seed, stage, "data", step)``. ``1`` and ``"1"`` differ.

    Returns:
        A whole number in [0, 2^63).

    Example:
        >>> derive_seed(0, "fit", 7) == derive_seed(0, "fit", 7)
        True
        >>> derive_seed(0, "fit", 7) == derive_seed(0, "fit", "7")
        False
    """
    plain = tuple(part if type(part) is str else operator.index(part) for part in parts)  # type: ignore[arg-type]
    digest = hashlib.blake2b(repr(plain).encode("utf-8", "backslashreplace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(device: torch.device | str, *parts: int | str) -> torch.Generator:
    """Return a generator of random numbers on a device, seeded by :func:`derive_seed`.

    Args:
        device: Where the numbers are drawn; different kinds of device give different numbers.
        parts: As for :func:`derive_seed`.

    Example:
        >>> a = torch.rand(3, generator=generator("cpu", 0, "noise"))
        >>> b = torch.rand(3, generator=generator("cpu", 0, "noise"))
        >>> torch.equal(a, b)
        True
    """
    return torch.Generator(device=device).manual_seed(derive_seed(*parts))


def exact_convolutions(device: torch.device | str) -> AbstractContextManager[Any]:
    """On CUDA, convolutions that are deterministic and, in fp32, not silently of lower precision; elsewhere nothing.

    Args:
        device: Where convolutions will run.

    Returns:
        A context; the former choices are put back after it.
    """
    if torch.device(device).type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
