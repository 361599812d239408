"""The record of a pass: levels, rates and importance weights, from distributions made by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from latentia.maths.distributions import DiagonalNormal
from latentia.models.trace import Level, Trace

B, K, L, D = 3, 4, 2, 5


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normal(*shape: int, seed: int) -> DiagonalNormal:
    return DiagonalNormal(draw(*shape, seed=seed), draw(*shape, seed=seed + 100))


def log_normal(x: Tensor, p: DiagonalNormal, row: int) -> Tensor:
    return Normal(p.loc[row], (0.5 * p.logvar[row]).exp()).log_prob(x).sum()


def made(k: int, b: int, levels: int = 1, closed: bool = False) -> tuple[Trace, Tensor]:
    made_levels = []
    for i in range(levels):
        kl = draw(b, L + i, seed=20 + i).square() if closed else None
        level = Level(
            z=draw(k * b, L + i, seed=30 + i),
            posterior=normal(b, L + i, seed=40 + i),
            prior=normal(1, L + i, seed=50 + i),
            kl=kl,
        )
        made_levels.append(level)
    return Trace(tuple(made_levels), normal(k * b, D, seed=60), k), draw(b, D, seed=70)


@pytest.mark.parametrize(("k", "b"), [(K, B), (3, 3), (1, B), (K, 1)])  # 3, 3: exchanged axes would go unseen in shapes
@pytest.mark.parametrize("levels", [1, 2])
def test_weights_are_those_of_a_double_loop(k: int, b: int, levels: int) -> None:
    trace, x = made(k, b, levels)
    weights = trace.log_weights(x)
    assert weights.shape == (k, b)
    for i in range(k):
        for j in range(b):
            row = i * b + j
            expected = log_normal(x[j], trace.likelihood, row)  # type: ignore[arg-type]
            for level in trace.levels:
                expected = expected + log_normal(level.z[row], level.prior, 0)  # type: ignore[arg-type]
                expected = expected - log_normal(level.z[row], level.posterior, j)
            torch.testing.assert_close(weights[i, j], expected)


def test_distortion_is_the_mean_over_samples_and_positive_for_unlikely_data() -> None:
    trace, x = made(K, B)
    expected = [
        -sum(log_normal(x[j], trace.likelihood, i * B + j).item() for i in range(K)) / K  # type: ignore[arg-type]
        for j in range(B)
    ]
    torch.testing.assert_close(trace.distortion(x), torch.tensor(expected, dtype=torch.float64))
    assert (trace.distortion(x + 100) > 0).all()


@pytest.mark.parametrize("levels", [1, 2])
def test_an_estimated_rate_is_the_mean_over_samples_of_log_q_minus_log_p(levels: int) -> None:
    trace, _ = made(K, B, levels)
    expected = torch.zeros(B, dtype=torch.float64)
    for level in trace.levels:
        for row in range(K * B):
            log_q = log_normal(level.z[row], level.posterior, row % B)
            expected[row % B] += (log_q - log_normal(level.z[row], level.prior, 0)) / K  # type: ignore[arg-type]
    rate = trace.rate()
    assert trace.estimated and rate is not None
    torch.testing.assert_close(rate, expected)


@pytest.mark.parametrize("levels", [1, 2])
def test_a_closed_rate_is_the_sum_over_dimensions_and_levels(levels: int) -> None:
    trace, _ = made(K, B, levels, closed=True)
    rate = trace.rate()
    expected = torch.zeros(B, dtype=torch.float64)
    for level in trace.levels:
        assert level.kl is not None
        for j in range(B):
            expected[j] += sum(level.kl[j].tolist())
    assert not trace.estimated and rate is not None
    torch.testing.assert_close(rate, expected)


def test_one_estimated_level_makes_the_rate_estimated() -> None:
    closed, _ = made(K, B, closed=True)
    estimated, _ = made(K, B)
    trace = Trace((closed.levels[0], estimated.levels[0]), closed.likelihood, K)
    first, second, both = closed.rate(), estimated.rate(), trace.rate()
    assert trace.estimated and first is not None and second is not None and both is not None
    torch.testing.assert_close(both, first + second)


def test_a_known_log_q_is_not_computed_again() -> None:
    known = draw(K * B, seed=9)
    level = Level(z=draw(K * B, L), posterior=normal(B, L, seed=1), prior=normal(1, L, seed=2), known_log_q=known)
    assert level.log_q is known
    rate = level.rate()
    assert rate is not None
    torch.testing.assert_close(rate, (known - level.log_p).view(K, B).mean(0))


def test_a_level_without_a_prior_has_no_rate_and_is_no_estimate() -> None:
    level = Level(z=draw(K * B, L), posterior=normal(B, L, seed=1))
    assert level.rate() is None and not level.estimated
    with pytest.raises(AttributeError, match="without a prior"):
        _ = level.log_p
    mixed = Trace((level, made(K, B)[0].levels[0]), normal(K * B, D, seed=3), K)
    assert not mixed.has_prior and mixed.rate() is None
