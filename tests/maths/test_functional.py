"""Closed forms against torch.distributions, Monte Carlo with its standard error, SciPy and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

from latentia.errors import LatentiaError
from latentia.maths.functional import (
    at_least_float32,
    bernoulli_kl,
    categorical_kl,
    effective_sample_size,
    gaussian_kl,
    gaussian_log_prob,
    importance_weighted_bound,
    inverse_scale,
    log_mean_exp,
    mmd,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def draw(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def close(actual: torch.Tensor, expected: object, rtol: float = 1e-12, atol: float = 1e-12) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype), rtol=rtol, atol=atol)


# --- Gaussian ---------------------------------------------------------------------------------------------------


def test_gaussian_log_prob_is_torchs(generator: torch.Generator) -> None:
    x, loc, logvar = draw(generator, 5, 3), draw(generator, 5, 3), draw(generator, 5, 3)
    close(gaussian_log_prob(x, loc, logvar), Normal(loc, torch.exp(logvar / 2)).log_prob(x))


def test_gaussian_log_prob_integrates_to_one() -> None:
    loc, logvar = torch.tensor([0.3, -1.2], dtype=torch.float64)

    def density(x: float) -> float:
        return math.exp(gaussian_log_prob(torch.tensor(x, dtype=torch.float64), loc, logvar))

    assert integrate.quad(density, -10, 10)[0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("with_loc", [True, False])
@pytest.mark.parametrize("with_logvar", [True, False])
def test_gaussian_kl_is_torchs(generator: torch.Generator, with_loc: bool, with_logvar: bool) -> None:
    loc, logvar, prior_loc, prior_logvar = (draw(generator, 4, 6) for _ in range(4))
    expected = kl_divergence(
        Normal(loc, torch.exp(logvar / 2)),
        Normal(prior_loc * with_loc, torch.exp(prior_logvar * with_logvar / 2)),
    )
    actual = gaussian_kl(loc, logvar, prior_loc if with_loc else None, prior_logvar if with_logvar else None)
    close(actual, expected)


def test_gaussian_kl_agrees_with_monte_carlo(generator: torch.Generator) -> None:
    q, p = Normal(torch.tensor(0.7).double(), 0.6), Normal(torch.tensor(-0.4).double(), 1.7)
    z = q.mean + q.stddev * draw(generator, 200_000)
    ratio = q.log_prob(z) - p.log_prob(z)
    error = ratio.std() / math.sqrt(len(z))
    closed = gaussian_kl(q.mean, 2 * q.stddev.log(), p.mean, 2 * p.stddev.log())
    assert abs(ratio.mean() - closed) < 4 * error
    assert error < 0.01


def test_gaussian_kl_keeps_its_digits_near_collapse() -> None:
    logvar = torch.tensor(1e-3)  # in float32, where exp(v) - 1 - v has no digit left that is right
    assert gaussian_kl(torch.tensor(0.0), logvar).item() == pytest.approx(0.5 * (math.expm1(1e-3) - 1e-3), rel=1e-3)
    assert gaussian_kl(torch.zeros(()), torch.zeros(())).item() == 0.0


@pytest.mark.parametrize("logvar", [-1e4, -30.0, 0.0, 20.0, 80.0])
@pytest.mark.parametrize("loc", [0.0, 1.0, -1e4])
def test_gaussian_kl_and_its_gradients_are_finite(loc: float, logvar: float) -> None:
    mean, log_variance = torch.tensor(loc, requires_grad=True), torch.tensor(logvar, requires_grad=True)
    gaussian_kl(mean, log_variance).backward()
    assert mean.grad is not None and log_variance.grad is not None
    close(mean.grad, loc, rtol=1e-6)
    close(log_variance.grad, 0.5 * math.expm1(logvar), rtol=1e-5)


@pytest.mark.parametrize("logvar", [-1000.0, -200.0, -90.0, 90.0, 1000.0])
@pytest.mark.parametrize("residual", [0.0, 1.0])
def test_gaussian_log_prob_and_its_gradients_are_finite(residual: float, logvar: float) -> None:
    loc, log_variance = torch.tensor(residual, requires_grad=True), torch.tensor(logvar, requires_grad=True)
    value = gaussian_log_prob(torch.tensor(0.0), loc, log_variance)
    value.backward()
    assert loc.grad is not None and log_variance.grad is not None
    assert torch.stack([value.detach(), loc.grad, log_variance.grad]).isfinite().all()
    if residual == 0.0:
        close(value.detach(), -0.5 * (logvar + math.log(2 * math.pi)), rtol=1e-6)


def test_inverse_scale_is_exact_where_it_can_be() -> None:
    log_scale = torch.linspace(-30, 80, 20, dtype=torch.float64)
    close(inverse_scale(log_scale), np.exp(-log_scale.numpy()))
    assert inverse_scale(torch.tensor(-1e6)).square().isfinite()


# --- discrete ---------------------------------------------------------------------------------------------------


def test_bernoulli_kl_is_torchs(generator: torch.Generator) -> None:
    q, p = 3 * draw(generator, 50), 3 * draw(generator, 50)
    close(bernoulli_kl(q, p), kl_divergence(Bernoulli(logits=q), Bernoulli(logits=p)))


def test_bernoulli_kl_of_extreme_logits() -> None:
    q = torch.tensor([1000.0, 1000.0, -1000.0, 30.0], requires_grad=True)
    p = torch.tensor([-1000.0, 1000.0, 1000.0, 20.0], requires_grad=True)
    value = bernoulli_kl(q, p)
    close(value[:3].detach(), [1000.0, 0.0, 1000.0])
    close(value[3].detach(), special.rel_entr(special.expit([30.0, -30.0]), special.expit([20.0, -20.0])).sum(), 1e-4)
    value.sum().backward()
    assert q.grad is not None and p.grad is not None and q.grad.isfinite().all() and p.grad.isfinite().all()


def test_bernoulli_kl_has_the_right_gradients(generator: torch.Generator) -> None:
    logits = [draw(generator, 4).requires_grad_() for _ in range(2)]
    assert torch.autograd.gradcheck(bernoulli_kl, logits)


@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_categorical_kl_is_torchs(generator: torch.Generator, dim: int) -> None:
    q, p = (draw(generator, 3, 4, 5).log_softmax(dim) for _ in range(2))
    expected = kl_divergence(Categorical(logits=q.movedim(dim, -1)), Categorical(logits=p.movedim(dim, -1)))
    close(categorical_kl(q, p, dim), expected)


def test_categorical_kl_of_the_lecture_and_its_direction() -> None:
    a, b = np.array([0.1, 0.3, 0.6]), np.array([0.7, 0.1, 0.2])
    log_a, log_b = torch.tensor(a).log(), torch.tensor(b).log()
    assert categorical_kl(log_a, log_b).item() == pytest.approx(special.rel_entr(a, b).sum(), abs=1e-12)
    assert categorical_kl(log_a, log_b).item() == pytest.approx(0.7942, abs=5e-5)
    assert categorical_kl(log_b, log_a).item() == pytest.approx(1.0326, abs=5e-5)


def test_categorical_kl_of_impossible_categories() -> None:
    q = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64).log().requires_grad_()
    p = torch.tensor([0.25, 0.75, 0.0], dtype=torch.float64).log().requires_grad_()
    value = categorical_kl(q, p)
    assert value.item() == pytest.approx(special.rel_entr([0.5, 0.5], [0.25, 0.75]).sum())
    value.backward()
    assert q.grad is not None and p.grad is not None and q.grad.isfinite().all() and p.grad.isfinite().all()
    assert categorical_kl(p, torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64).log()).item() == math.inf


# --- importance weights -------------------------------------------------------------------------------------------


def test_log_mean_exp_is_scipys(generator: torch.Generator) -> None:
    x = 5 * draw(generator, 7, 3)
    close(log_mean_exp(x, 0), special.logsumexp(x.numpy(), axis=0, b=1 / 7))
    close(log_mean_exp(x, -1), special.logsumexp(x.numpy(), axis=1, b=1 / 3))
    close(log_mean_exp(x - 1e6, 0), special.logsumexp(x.numpy() - 1e6, axis=0, b=1 / 7))


@pytest.mark.parametrize("count", [3, 6])  # as many samples as images hides a wrong axis from shapes, not from numbers
def test_importance_weighted_bound_averages_over_samples(generator: torch.Generator, count: int) -> None:
    images = 6
    log_w = 20 * draw(generator, count, images) - 100
    expected = [math.log(math.fsum(math.exp(log_w[k, b].item()) for k in range(count)) / count) for b in range(images)]
    bound = importance_weighted_bound(log_w)
    assert bound.shape == (images,)
    close(bound, expected)
    close(importance_weighted_bound(log_w.T, dim=1), expected)


def toy(generator: torch.Generator, samples: int, repeats: int) -> tuple[torch.Tensor, float]:
    """Log-weights (K, repeats) of p(z) = N(0, 1), p(x | z) = N(z, 1), x = 1.5, under a q that is off; and ln p(x)."""
    x, q = 1.5, Normal(torch.tensor(0.4).double(), 0.9)
    z = q.mean + q.stddev * draw(generator, samples, repeats)
    log_w = Normal(z, 1.0).log_prob(torch.tensor(x)) + Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)
    evidence = Normal(torch.tensor(0.0).double(), math.sqrt(2)).log_prob(torch.tensor(x).double())
    return log_w, evidence.item()


def test_importance_weighted_bound_is_the_elbo_for_one_sample(generator: torch.Generator) -> None:
    log_w, _ = toy(generator, 1, 400_000)
    close(importance_weighted_bound(log_w), log_w[0])
    distortion = 0.5 * (math.log(2 * math.pi) + (1.5 - 0.4) ** 2 + 0.81)  # -E_q ln N(x; z, 1), by hand
    rate = 0.5 * (0.16 + 0.81 - 1 - math.log(0.81))
    error = log_w.std().item() / math.sqrt(log_w.numel())
    assert abs(importance_weighted_bound(log_w).mean().item() + distortion + rate) < 4 * error


def test_importance_weighted_bound_rises_to_the_evidence(generator: torch.Generator) -> None:
    bounds, errors, evidence = [], [], 0.0
    for samples in (1, 2, 5, 20, 200):
        log_w, evidence = toy(generator, samples, 20_000)
        bound = importance_weighted_bound(log_w)
        bounds.append(bound.mean().item())
        errors.append(bound.std().item() / math.sqrt(len(bound)))
    for lower, higher, error in zip(bounds, bounds[1:], errors, strict=False):
        assert higher - lower > 3 * error
    assert bounds[-1] < evidence + 3 * errors[-1]
    assert evidence - bounds[-1] < 0.005


def test_effective_sample_size(generator: torch.Generator) -> None:
    log_w = draw(generator, 9, 4)
    w = log_w.exp().numpy()
    close(effective_sample_size(log_w), w.sum(0) ** 2 / (w * w).sum(0))
    close(effective_sample_size(log_w - 1e4), w.sum(0) ** 2 / (w * w).sum(0), rtol=1e-9)
    one = torch.tensor([[0.0], [-1000.0], [-1000.0]])
    assert effective_sample_size(one).item() == 1.0


# --- maximum mean discrepancy -------------------------------------------------------------------------------------


def brute_force_mmd(x: np.ndarray, y: np.ndarray, kernel: str, widths: list[float], biased: bool) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        squared = float(((a - b) ** 2).sum())
        if kernel == "rbf":
            return sum(math.exp(-squared / (2 * s**2)) for s in widths)
        return sum(2 * a.size * s**2 / (2 * a.size * s**2 + squared) for s in widths)

    m, n = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if biased or i != j)
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if biased or i != j)
    xy = sum(k(x[i], y[j]) for i in range(m) for j in range(n))
    less = 0 if biased else 1
    return xx / (m * (m - less)) + yy / (n * (n - less)) - 2 * xy / (m * n)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("kernel", ["rbf", "imq"])
@pytest.mark.parametrize("bandwidth", [0.8, [0.5, 2.0]])
def test_mmd_is_the_double_sum(
    generator: torch.Generator, kernel: str, bandwidth: float | list[float], biased: bool
) -> None:
    x, y = 100 + draw(generator, 7, 2, 3), 100.5 + draw(generator, 5, 2, 3)
    widths = [float(width) for width in np.atleast_1d(bandwidth)]
    expected = brute_force_mmd(x.numpy(), y.numpy(), kernel, widths, biased)
    close(mmd(x, y, kernel=kernel, bandwidth=bandwidth, biased=biased), expected)  # type: ignore[arg-type]
    single = mmd(x.float(), y.float(), kernel=kernel, bandwidth=bandwidth, biased=biased)  # type: ignore[arg-type]
    assert single.item() == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_mmd_is_unbiased_for_equal_distributions(generator: torch.Generator, kernel: str) -> None:
    estimates = torch.stack(
        [mmd(draw(generator, 8, 2), draw(generator, 6, 2), kernel=kernel, bandwidth=1.0) for _ in range(1500)]  # type: ignore[arg-type]
    )
    assert abs(estimates.mean()) < 3.5 * estimates.std() / math.sqrt(len(estimates))
    assert (estimates < 0).any()
    always = [mmd(draw(generator, 8, 2), draw(generator, 6, 2), bandwidth=1.0, biased=True) for _ in range(50)]
    assert min(always) > 0


def test_mmd_is_differentiable_also_where_points_coincide(generator: torch.Generator) -> None:
    x = draw(generator, 4, 2).requires_grad_()
    y = draw(generator, 3, 2)
    assert torch.autograd.gradcheck(lambda a: mmd(a, y, kernel="imq", bandwidth=1.0), [x])
    same = torch.zeros(4, 2, requires_grad=True)
    mmd(same, torch.zeros(3, 2), bandwidth=1.0).backward()
    assert same.grad is not None and same.grad.isfinite().all()


def test_mmd_ignores_autocast(generator: torch.Generator) -> None:
    x, y = draw(generator, 16, 8).float(), draw(generator, 16, 8).float()
    with torch.autocast("cpu", torch.bfloat16):
        mixed = mmd(x, y, bandwidth=1.0)
    assert mixed.dtype == torch.float32 and torch.equal(mixed, mmd(x, y, bandwidth=1.0))


def test_mmd_says_what_is_wrong() -> None:
    x = torch.zeros(3, 2)
    with pytest.raises(LatentiaError, match="kernel"):
        mmd(x, x, kernel="cubic", bandwidth=1.0)  # type: ignore[arg-type]
    for width in (0.0, -1.0, [], [1.0, 0.0]):
        with pytest.raises(LatentiaError, match="bandwidth"):
            mmd(x, x, bandwidth=width)
    with pytest.raises(LatentiaError, match="2 points"):
        mmd(x[:1], x, bandwidth=1.0)
    with pytest.raises(LatentiaError, match="same kind"):
        mmd(x, torch.zeros(3, 4), bandwidth=1.0)


# --- precision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(half: torch.dtype) -> None:
    a, b = torch.linspace(-2, 2, 12).view(3, 4).to(half), torch.linspace(-1, 1, 12).view(3, 4).to(half)
    for function in (
        gaussian_kl,
        bernoulli_kl,
        lambda q, p: gaussian_kl(q, q, p, p),
        lambda q, p: categorical_kl(q.log_softmax(-1), p.log_softmax(-1)),
        lambda q, p: gaussian_log_prob(q, p, q),
        lambda q, p: log_mean_exp(q, 0),
        lambda q, p: importance_weighted_bound(p),
        lambda q, p: effective_sample_size(q),
        lambda q, p: mmd(q, p, bandwidth=1.0),
    ):
        assert function(a, b).dtype == torch.float32
        assert function(a.double(), b.double()).dtype == torch.float64
    close(gaussian_kl(a, b), gaussian_kl(a.float(), b.float()))
    assert at_least_float32(a).dtype == torch.float32


def test_functions_compile_in_one_graph(generator: torch.Generator) -> None:
    loc, logvar = draw(generator, 4, 3), draw(generator, 4, 3)

    def step(loc: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
        log_w = gaussian_log_prob(loc, logvar, loc)
        together = importance_weighted_bound(log_w).sum() + mmd(loc, logvar, bandwidth=1.0)
        return gaussian_kl(loc, logvar).sum() + together

    compiled = torch.compile(step, backend="aot_eager", fullgraph=True)
    close(compiled(loc, logvar), step(loc, logvar))
