"""Corruption: what it does to values, how often, and where its randomness comes from."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from latentia.data.corruption import (
    Corruption,
    GaussianCorruption,
    MaskingCorruption,
    SaltAndPepperCorruption,
)

N = 200_000
KINDS: list[Corruption] = [
    GaussianCorruption(0.5),
    GaussianCorruption(0.5, (0.0, 1.0)),
    MaskingCorruption(0.3),
    SaltAndPepperCorruption(0.3),
]
every_kind = pytest.mark.parametrize("corruption", KINDS, ids=lambda kind: kind.describe())


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def corrupted(corruption: Corruption, x: Tensor) -> Tensor:
    return corruption(x, corruption.draw_noise(x.shape, source()).double())


def share(found: Tensor) -> float:
    return found.double().mean().item()


def deviations(found: float, expected: float) -> float:
    """How many standard errors a share of N lies from the expected one."""
    return abs(found - expected) / math.sqrt(expected * (1 - expected) / N)


def test_gaussian_noise_has_its_mean_and_its_standard_deviation() -> None:
    x = torch.linspace(0, 1, N, dtype=torch.float64)
    error = corrupted(GaussianCorruption(0.5), x) - x
    assert abs(error.mean().item()) < 4 * 0.5 / math.sqrt(N)
    assert error.std().item() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(2 * N))
    assert stats.kstest(error.numpy() / 0.5, "norm").pvalue > 1e-3


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 2.0)])
def test_clamped_noise_has_the_squared_error_of_the_integral(value: float, low: float, high: float) -> None:
    x = torch.full((N,), value, dtype=torch.float64)
    found = corrupted(GaussianCorruption(0.5, (low, high)), x)
    assert found.min() >= low and found.max() <= high
    tails = stats.norm.cdf(low, value, 0.5) * (low - value) ** 2 + stats.norm.sf(high, value, 0.5) * (high - value) ** 2
    inside: Any = integrate.quad(lambda v: (v - value) ** 2 * stats.norm.pdf(v, value, 0.5), low, high)
    squares = (found - value).square()
    assert squares.mean().item() == pytest.approx(tails + inside[0], abs=4 * squares.std().item() / math.sqrt(N))


def test_masking_replaces_its_share_and_leaves_the_rest() -> None:
    x = torch.rand(N, generator=source(1), dtype=torch.float64)
    found = corrupted(MaskingCorruption(0.3, -1.0), x)
    masked = found == -1.0
    assert deviations(share(masked), 0.3) < 4
    assert torch.equal(found[~masked], x[~masked])


def test_salt_is_as_likely_as_pepper() -> None:
    x = 0.2 + 0.6 * torch.rand(N, generator=source(1), dtype=torch.float64)
    found = corrupted(SaltAndPepperCorruption(0.3, low=-2.0, high=5.0), x)
    pepper, salt = found == -2.0, found == 5.0
    assert deviations(share(pepper), 0.15) < 4 and deviations(share(salt), 0.15) < 4
    untouched = ~(pepper | salt)
    assert torch.equal(found[untouched], x[untouched])


@pytest.mark.parametrize("corruption", [MaskingCorruption(1.0), SaltAndPepperCorruption(1.0)])
def test_a_probability_of_1_leaves_nothing(corruption: Corruption) -> None:
    x = torch.full((1000,), 0.5)
    assert not (corruption(x, corruption.draw_noise(x.shape, source())) == 0.5).any()


@every_kind
def test_the_result_is_a_function_of_data_and_noise(corruption: Corruption) -> None:
    x = torch.rand((4, 1, 5, 5), generator=source(1), dtype=torch.float64)
    noise = corruption.draw_noise(x.shape, source())
    before = x.clone(), noise.clone()
    first, again = corruption(x, noise), corruption(x, noise)
    assert torch.equal(first, again) and not torch.equal(first, x)
    assert first.shape == x.shape and first.dtype == x.dtype
    assert torch.equal(x, before[0]) and torch.equal(noise, before[1])
    assert torch.equal(corruption.draw_noise(x.shape, source()), noise)


@every_kind
def test_without_noise_it_draws_from_the_default_generator(corruption: Corruption) -> None:
    x = torch.rand((4, 1, 5, 5), generator=source(1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        found = corruption(x)
        other = corruption(x)
    assert torch.equal(found, corruption(x, corruption.draw_noise(x.shape, source(3))))
    assert not torch.equal(found, other)


def test_corruptions_say_what_they_do() -> None:
    assert [corruption.describe() for corruption in KINDS] == [
        "Gaussian noise, sigma 0.5",
        "Gaussian noise, sigma 0.5, clamped to [0, 1]",
        "30 % of the values set to 0",
        "salt and pepper on 30 % of the values",
    ]
