"""Every density integrates to one and every mass sums to one; moments, samples, shapes, extremes and precision.

The references are SciPy's quadrature, mpmath, brute force over all levels and torch.distributions, in float64.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor
from torch.distributions import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Independent,
    Laplace,
    MixtureSameFamily,
    Normal,
)

from latentia.errors import LatentiaError
from latentia.maths.distributions import (
    Delta,
    DiagonalLaplace,
    DiagonalNormal,
    DiscretizedLogistic,
    DiscretizedLogisticMixture,
    EventDistribution,
    GaussianMixture,
    IndependentBernoulli,
    IndependentCategorical,
    IndependentContinuousBernoulli,
)

BATCH, EVENT, LEVELS, COMPONENTS = 3, (2, 2, 2), 5, 4


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def draw(generator: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(shape, generator=generator, dtype=torch.float64)


def close(actual: Tensor, expected: object, rtol: float = 1e-11, atol: float = 1e-12) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype), rtol=rtol, atol=atol)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def one_value(make: Callable[..., EventDistribution], *parameters: float) -> EventDistribution:
    """A batch of one, whose event is one value."""
    return make(*(double(p).view(1, 1) for p in parameters))


def density(p: EventDistribution) -> Callable[[float], float]:
    return lambda x: math.exp(p.log_prob(double(x).view(1, 1)).item())


# One of each kind over the same event, with the parameters that gradients must reach. ------------------------------

KINDS: dict[str, tuple[Callable[..., EventDistribution], list[tuple[int, ...]]]] = {
    "normal": (DiagonalNormal, [EVENT, EVENT]),
    "bernoulli": (IndependentBernoulli, [EVENT]),
    "continuous-bernoulli": (IndependentContinuousBernoulli, [EVENT]),
    "laplace": (DiagonalLaplace, [EVENT, EVENT]),
    "discretized-logistic": (lambda *p: DiscretizedLogistic(*p, levels=LEVELS), [EVENT, EVENT]),
    "discretized-logistic-mixture": (
        lambda *p: DiscretizedLogisticMixture(*p, levels=LEVELS),
        [(COMPONENTS, *EVENT)] * 3,
    ),
    "categorical": (lambda *p: IndependentCategorical(*p, levels=LEVELS), [(LEVELS, *EVENT)]),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def parameters_of(kind: str, generator: torch.Generator, batch: int = BATCH) -> list[Tensor]:
    return [draw(generator, batch, *shape) for shape in KINDS[kind][1]]


def values(generator: torch.Generator, *lead: int) -> Tensor:
    """Values on the levels, which are in the support of every kind."""
    return torch.randint(LEVELS, (*lead, *EVENT), generator=generator).double() / (LEVELS - 1)


# --- the contract of all -------------------------------------------------------------------------------------------


@every_kind
def test_shapes(kind: str, generator: torch.Generator) -> None:
    p = KINDS[kind][0](*parameters_of(kind, generator))
    assert p.batch_shape == (BATCH,) and p.event_shape == EVENT
    assert p.mean.shape == p.variance.shape == p.stddev.shape == (BATCH, *EVENT)
    assert p.sample(generator=generator).shape == (BATCH, *EVENT)
    assert p.sample((7, 2), generator=generator).shape == (7, 2, BATCH, *EVENT)
    assert p.log_prob(values(generator, BATCH)).shape == (BATCH,)
    assert "batch_shape=(3,), event_shape=(2, 2, 2)" in repr(p)
    close(p.stddev.square(), p.variance)


@every_kind
def test_log_prob_broadcasts_over_batches_and_samples(kind: str, generator: torch.Generator) -> None:
    make, parameters = KINDS[kind][0], parameters_of(kind, generator)
    p, x = make(*parameters), values(generator, 6, BATCH)
    single = [make(*(q[b : b + 1] for q in parameters)) for b in range(BATCH)]
    expected = torch.stack([torch.cat([single[b].log_prob(x[k, b][None]) for b in range(BATCH)]) for k in range(6)])
    close(p.log_prob(x), expected)  # (K, B)
    close(p.log_prob(x[0]), expected[0])  # (B,)
    close(p.log_prob(x[0, :1]), [single[b].log_prob(x[0, 0]).item() for b in range(BATCH)])  # one x, B distributions
    close(p.log_prob(x[0, 0]), [single[b].log_prob(x[0, 0]).item() for b in range(BATCH)])  # without a batch
    close(single[1].log_prob(x[0]), [single[1].log_prob(x[0, b]).item() for b in range(BATCH)])  # B x, one distribution


@every_kind
def test_log_prob_refuses_what_does_not_fit(kind: str, generator: torch.Generator) -> None:
    p = KINDS[kind][0](*parameters_of(kind, generator))
    for shape in ((BATCH + 1, *EVENT), (BATCH, 8), (BATCH, 1, 1, 1), (BATCH, 2, 2, 1), (2, 2), ()):
        with pytest.raises(LatentiaError, match="cannot score values of shape"):
            p.log_prob(torch.zeros(shape))


@every_kind
def test_vectors_and_images_are_the_same_thing(kind: str, generator: torch.Generator) -> None:
    make, parameters = KINDS[kind][0], parameters_of(kind, generator)
    keep = [q.dim() - len(EVENT) for q in parameters]
    flat = make(*(q.flatten(k) for q, k in zip(parameters, keep, strict=True)))
    image, x = make(*parameters), values(generator, BATCH)
    assert flat.event_shape == (8,)
    close(flat.log_prob(x.flatten(1)), image.log_prob(x))
    close(flat.mean, image.mean.flatten(1))
    close(flat.variance, image.variance.flatten(1))


@every_kind
def test_gradients(kind: str, generator: torch.Generator) -> None:
    make, x = KINDS[kind][0], values(generator, BATCH)
    parameters = [q.requires_grad_() for q in parameters_of(kind, generator)]
    assert torch.autograd.gradcheck(lambda *q: make(*q).log_prob(x), parameters)
    assert torch.autograd.gradgradcheck(lambda *q: make(*q).log_prob(x).sum(), parameters)


@every_kind
def test_samples_have_the_mean_and_the_variance(kind: str, generator: torch.Generator) -> None:
    p = KINDS[kind][0](*parameters_of(kind, generator))
    n = 40_000
    x = p.sample((n,), generator=generator)
    assert ((x.mean(0) - p.mean).abs() < 4.5 * p.stddev / math.sqrt(n)).all()
    squares = (x - p.mean).square()
    assert ((squares.mean(0) - p.variance).abs() < 4.5 * squares.std(0) / math.sqrt(n)).all()


@every_kind
def test_samples_are_reproducible_and_without_gradient(kind: str, generator: torch.Generator) -> None:
    p = KINDS[kind][0](*(q.requires_grad_() for q in parameters_of(kind, generator)))
    first, second = (p.sample((2,), generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second) and not first.requires_grad
    state = torch.get_rng_state()
    p.sample(generator=generator)
    assert torch.equal(state, torch.get_rng_state())  # a generator leaves the default one alone


@every_kind
@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_accumulates_in_float32(kind: str, half: torch.dtype, generator: torch.Generator) -> None:
    make, parameters = KINDS[kind][0], [q.to(half) for q in parameters_of(kind, generator)]
    x = values(generator, BATCH)
    p, reference = make(*parameters), make(*(q.double() for q in parameters))
    for value in (x.float(), x.to(half)):
        log_prob = p.log_prob(value)
        assert log_prob.dtype == p.mean.dtype == p.sample().dtype == torch.float32
        torch.testing.assert_close(log_prob.double(), reference.log_prob(value), rtol=1e-4, atol=1e-4)
    assert reference.log_prob(x.float()).dtype == reference.mean.dtype == torch.float64
    single = make(*(q.float() for q in parameters))
    torch.testing.assert_close(single.log_prob(x), reference.log_prob(x), rtol=1e-4, atol=1e-4, check_dtype=False)


@every_kind
def test_bytes_and_booleans_are_values_too(kind: str, generator: torch.Generator) -> None:
    p = KINDS[kind][0](*parameters_of(kind, generator))
    bits = torch.randint(2, (BATCH, *EVENT), generator=generator)
    close(p.log_prob(bits.to(torch.uint8)), p.log_prob(bits.double()))
    close(p.log_prob(bits.bool()), p.log_prob(bits.double()))


@every_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 1e-6, 30.0, 100.0, 1000.0])
@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_extremes_have_finite_values_and_gradients(kind: str, value: float, size: float, dtype: torch.dtype) -> None:
    make, shapes = KINDS[kind]
    x = torch.full((1, *EVENT), value, dtype=dtype)
    for sign in (1.0, -1.0):
        first = torch.full((1, *shapes[0]), min(size, 100.0) if len(shapes) > 1 else sign * size, dtype=dtype)
        parameters = [first, *(torch.full((1, *shape), sign * size, dtype=dtype) for shape in shapes[1:])]
        log_prob = make(*(q.requires_grad_() for q in parameters)).log_prob(x)
        log_prob.sum().backward()
        assert log_prob.isfinite().all(), (parameters, log_prob)
        assert all(q.grad is not None and q.grad.isfinite().all() for q in parameters)


@every_kind
def test_torch_compile_takes_it_in_one_graph(kind: str, generator: torch.Generator) -> None:
    make, parameters, x = KINDS[kind][0], parameters_of(kind, generator), values(generator, BATCH)

    def score(x: Tensor, *parameters: Tensor) -> Tensor:
        return make(*parameters).log_prob(x)

    torch.compiler.reset()
    close(torch.compile(score, backend="aot_eager", fullgraph=True)(x, *parameters), score(x, *parameters))


@every_kind
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # forward mode inside PyTorch
def test_torch_func_takes_it(kind: str, generator: torch.Generator) -> None:
    make, parameters, x = KINDS[kind][0], parameters_of(kind, generator), values(generator, BATCH)

    def score(first: Tensor, x: Tensor) -> Tensor:
        return make(first, *parameters[1:]).log_prob(x).sum()

    slope = torch.func.grad(score)(parameters[0], x)
    direction = draw(generator, *parameters[0].shape)
    along = torch.func.jvp(lambda q: score(q, x), (parameters[0],), (direction,))
    close(along[1], (slope * direction).sum())
    many = torch.func.vmap(score, in_dims=(None, 0))(parameters[0], values(generator, 2, BATCH))
    assert many.shape == (2,)


# --- normal, delta, Laplace ----------------------------------------------------------------------------------------


def test_normal_is_torchs(generator: torch.Generator) -> None:
    loc, logvar, x = draw(generator, 4, 3), draw(generator, 4, 3), draw(generator, 4, 3)
    p, reference = DiagonalNormal(loc, logvar), Independent(Normal(loc, torch.exp(logvar / 2)), 1)
    close(p.log_prob(x), reference.log_prob(x))
    close(p.entropy(), reference.entropy())
    close(p.scale, reference.stddev)
    close(p.variance, reference.variance)
    close(p.from_noise(x), loc + x * reference.stddev)
    close(p.from_noise(x.expand(5, 4, 3)), (loc + x * reference.stddev).expand(5, 4, 3))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3,), (4, 1), (4, 3)])
def test_normal_with_a_shared_variance(generator: torch.Generator, shape: tuple[int, ...]) -> None:
    loc, x, logvar = draw(generator, 4, 3), draw(generator, 2, 4, 3), draw(generator, *shape).requires_grad_()
    p = DiagonalNormal(loc, logvar)
    reference = Independent(Normal(loc, torch.exp(logvar / 2).expand(4, 3)), 1)
    close(p.log_prob(x), reference.log_prob(x))
    close(p.entropy(), reference.entropy())
    assert p.logvar.shape == p.scale.shape == p.variance.shape == p.sample().shape == (4, 3)
    assert torch.autograd.gradcheck(lambda v: DiagonalNormal(loc, v).log_prob(x), [logvar])


def test_normal_samples_carry_gradients() -> None:
    loc, logvar = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    eps = torch.full((2, 3), 0.5)
    DiagonalNormal(loc, logvar).from_noise(eps).sum().backward()
    assert loc.grad is not None and logvar.grad is not None
    close(loc.grad, torch.ones(2, 3))
    close(logvar.grad, torch.full((2, 3), 0.25))
    assert DiagonalNormal(loc, logvar).rsample((4,)).requires_grad and DiagonalNormal.has_rsample
    assert DiagonalLaplace(loc, logvar).rsample((4,)).requires_grad and Delta(loc).rsample((4,)).requires_grad


def test_standard_deviation_without_gradient_does_not_lose_a_later_one() -> None:
    loc, logvar = torch.zeros(2, 3), torch.zeros(2, 3, requires_grad=True)
    p = DiagonalNormal(loc, logvar)
    with torch.no_grad():
        assert not p.scale.requires_grad
    assert p.from_noise(torch.ones(2, 3)).requires_grad


def test_laplace_is_torchs(generator: torch.Generator) -> None:
    loc, log_b, x = draw(generator, 4, 3), draw(generator, 4, 3), draw(generator, 4, 3)
    p, reference = DiagonalLaplace(loc, log_b), Independent(Laplace(loc, log_b.exp()), 1)
    close(p.log_prob(x), reference.log_prob(x))
    close(p.variance, reference.variance)
    close(DiagonalLaplace(loc, log_b[0, 0]).log_prob(x), Laplace(loc, log_b[0, 0].exp()).log_prob(x).sum(1))
    assert DiagonalLaplace(loc, log_b[0, 0]).log_b.shape == (4, 3)


@pytest.mark.parametrize("make", [DiagonalNormal, DiagonalLaplace])
@pytest.mark.parametrize(("loc", "log_size"), [(0.3, -1.0), (-2.0, 0.7)])
def test_densities_on_the_line(make: Callable[..., EventDistribution], loc: float, log_size: float) -> None:
    p = one_value(make, loc, log_size)
    f = density(p)

    def integral(g: Callable[[float], float]) -> float:
        return sum(integrate.quad(g, *edges, limit=200)[0] for edges in ((loc - 80, loc), (loc, loc + 80)))

    assert integral(f) == pytest.approx(1, abs=1e-8)
    assert integral(lambda x: x * f(x)) == pytest.approx(p.mean.item(), abs=1e-7)
    assert integral(lambda x: (x - loc) ** 2 * f(x)) == pytest.approx(p.variance.item(), rel=1e-7)


def test_delta() -> None:
    loc = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    p = Delta(loc)
    assert p.from_noise(None) is loc and torch.equal(p.mean, loc)
    assert torch.equal(p.from_noise(torch.ones(2, 2)), loc)
    assert torch.equal(p.log_prob(loc), torch.zeros(2))
    assert torch.equal(p.log_prob(torch.tensor([[1.0, 2.5], [3.0, 4.0]])), torch.tensor([-math.inf, 0.0]))
    assert torch.equal(p.log_prob(loc.detach().expand(3, 2, 2)), torch.zeros(3, 2))
    assert not p.variance.any() and not p.stddev.any()
    assert torch.equal(p.sample((3,)), loc.detach().expand(3, 2, 2)) and not p.sample().requires_grad
    assert p.batch_shape == p.event_shape == (2,)
    assert Delta(loc.bfloat16()).mean.dtype == torch.float32


# --- Bernoulli and continuous Bernoulli ------------------------------------------------------------------------------


def test_bernoulli_is_torchs_and_sums_to_one(generator: torch.Generator) -> None:
    logits = draw(generator, 4, 3, scale=3)
    p, reference = IndependentBernoulli(logits), Independent(Bernoulli(logits=logits), 1)
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    table = p.log_prob(states[:, None].expand(8, 4, 3))
    close(table, reference.log_prob(states[:, None].expand(8, 4, 3)))
    close(table.exp().sum(0), torch.ones(4))
    close(p.variance, reference.variance)


def test_bernoulli_of_grey_values_is_the_cross_entropy() -> None:
    logits, x = double(-2.0, 0.5, 3.0)[None], double(0.2, 0.5, 0.9)[None]
    expected = sum(
        v * math.log(1 / (1 + math.exp(-l))) + (1 - v) * math.log(1 / (1 + math.exp(l)))
        for v, l in zip(x[0].tolist(), logits[0].tolist(), strict=True)  # noqa: E741
    )
    close(IndependentBernoulli(logits).log_prob(x), [expected])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_of_huge_logits(dtype: torch.dtype) -> None:
    logits = torch.tensor([[1e4, -1e4, 1e4, -1e4, 0.0]], dtype=dtype, requires_grad=True)
    x = torch.tensor([[1.0, 0.0, 0.0, 1.0, 1.0]], dtype=dtype)
    log_prob = IndependentBernoulli(logits).log_prob(x)
    close(log_prob.detach(), [-2e4 - math.log(2)], rtol=1e-6)
    log_prob.sum().backward()
    assert logits.grad is not None
    close(logits.grad, [[0.0, 0.0, -1.0, 1.0, 0.5]])  # x - sigmoid(l), at 0 too


def test_bernoulli_gives_gradients_to_x() -> None:
    logits, x = torch.tensor([[0.3, -2.0]]), torch.tensor([[0.5, 0.1]], requires_grad=True)
    IndependentBernoulli(logits).log_prob(x).sum().backward()
    assert x.grad is not None
    close(x.grad, logits, rtol=1e-6)


LOGITS = [-700.0, -40.0, -3.0, -0.6, -0.5, -0.4, -1e-3, -1e-9, 0.0, 1e-12, 0.1, 0.499999, 0.500001, 2.0, 25.0, 700.0]


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_is_exact(logit: float) -> None:
    with mpmath.workdps(60):
        l = mpmath.mpf(logit)  # noqa: E741
        normaliser = l / mpmath.expm1(l) if l else mpmath.mpf(1)
        mean = 1 / (1 - mpmath.exp(-l)) - 1 / l if l else mpmath.mpf(1) / 2
        variance = 1 / l**2 - 1 / (4 * mpmath.sinh(l / 2) ** 2) if l else mpmath.mpf(1) / 12
        scores = {x: float(mpmath.mpf(x) * l + mpmath.log(normaliser)) for x in (0.0, 0.2, 0.5, 1.0)}
        slopes = {x: float(mpmath.mpf(x) - mean) for x in scores}
    logits = double(logit)[None].requires_grad_()
    p = IndependentContinuousBernoulli(logits)
    for x, score in scores.items():
        log_prob = p.log_prob(double(x)[None])
        close(log_prob.detach(), [score], rtol=1e-13, atol=1e-15)
        (slope,) = torch.autograd.grad(log_prob.sum(), logits)
        close(slope, [[slopes[x]]], rtol=1e-12, atol=2e-15)
    close(p.mean.detach(), [[float(mean)]], rtol=1e-13)
    close(p.variance.detach(), [[float(variance)]], rtol=1e-12)
    single = IndependentContinuousBernoulli(torch.tensor([[logit]]))
    assert single.mean.item() == pytest.approx(float(mean), rel=1e-6)
    assert single.variance.item() == pytest.approx(float(variance), rel=1e-5)
    for x, score in scores.items():
        assert single.log_prob(torch.tensor([[x]])).item() == pytest.approx(score, rel=1e-6, abs=1e-6)


def test_continuous_bernoulli_is_torchs(generator: torch.Generator) -> None:
    logits, x = draw(generator, 200, scale=4), torch.rand(200, generator=generator, dtype=torch.float64)
    p, reference = IndependentContinuousBernoulli(logits[:, None]), ContinuousBernoulli(logits=logits)
    close(p.log_prob(x[:, None]), reference.log_prob(x), rtol=1e-8, atol=1e-8)
    close(p.mean[:, 0], reference.mean, rtol=1e-8, atol=1e-8)
    close(p.variance[:, 0], reference.variance, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("logit", [-30.0, -2.0, -0.3, 0.0, 0.7, 12.0])
def test_continuous_bernoulli_integrates_to_one(logit: float) -> None:
    p = one_value(IndependentContinuousBernoulli, logit)
    f, mean = density(p), p.mean.item()
    assert integrate.quad(f, 0, 1)[0] == pytest.approx(1, abs=1e-10)
    assert integrate.quad(lambda x: x * f(x), 0, 1)[0] == pytest.approx(mean, abs=1e-10)
    assert integrate.quad(lambda x: (x - mean) ** 2 * f(x), 0, 1)[0] == pytest.approx(p.variance.item(), abs=1e-10)


@pytest.mark.parametrize("logit", [-1000.0, -3.0, 0.0, 1e-9, 0.4, 8.0, 1000.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_continuous_bernoulli_samples_follow_its_distribution(
    logit: float, dtype: torch.dtype, generator: torch.Generator
) -> None:
    x = IndependentContinuousBernoulli(torch.tensor([[logit]], dtype=dtype)).sample((4000,), generator=generator)
    assert x.min() >= 0 and x.max() <= 1
    away = (1 - x if logit > 0 else x).double().flatten().numpy()  # from the end at which the density is highest

    def distribution_function(y: np.ndarray) -> np.ndarray:
        return y if abs(logit) < 1e-6 else np.expm1(-abs(logit) * y) / math.expm1(-abs(logit))

    assert stats.kstest(away, distribution_function).pvalue > 1e-3


# --- levels ----------------------------------------------------------------------------------------------------------


def all_levels(levels: int) -> Tensor:
    return (torch.arange(levels, dtype=torch.float64) / (levels - 1)).view(levels, 1, 1)


def logistic_masses(loc: float, log_s: float, levels: int) -> list[Any]:
    """Differences of the logistic distribution function between the levels' edges, at 400 digits."""
    with mpmath.workdps(400):
        scale, bins = mpmath.exp(mpmath.mpf(log_s)), levels - 1
        edges = [(mpmath.mpf(k) - mpmath.mpf("0.5")) / bins for k in range(1, levels)]
        cdf = [mpmath.mpf(0), *(1 / (1 + mpmath.exp((mpmath.mpf(loc) - e) / scale)) for e in edges), mpmath.mpf(1)]
        return [b - a for a, b in itertools.pairwise(cdf)]


@pytest.mark.parametrize("levels", [2, 3, 256])
@pytest.mark.parametrize(
    ("loc", "log_s"), [(0.4, -2.0), (0.4, -6.0), (0.0, -3.0), (1.3, -3.0), (-0.2, 0.0), (0.5, 9.0)]
)
def test_discretized_logistic_is_the_difference_of_the_distribution_function(
    loc: float, log_s: float, levels: int
) -> None:
    p = one_value(lambda m, s: DiscretizedLogistic(m, s, levels), loc, log_s)
    masses = logistic_masses(loc, log_s, levels)
    log_prob = p.log_prob(all_levels(levels))[:, 0]
    with mpmath.workdps(400):
        close(log_prob, [float(mpmath.log(mass)) for mass in masses], rtol=1e-10, atol=1e-10)
        mean = sum(k * mass for k, mass in enumerate(masses)) / (levels - 1)
        variance = sum((mpmath.mpf(k) / (levels - 1) - mean) ** 2 * mass for k, mass in enumerate(masses))
    close(log_prob.exp().sum(), 1.0)
    close(p.mean, [[float(mean)]])
    close(p.variance, [[float(variance)]], rtol=1e-9)


def test_discretized_logistic_sums_to_one_in_float32(generator: torch.Generator) -> None:
    loc = torch.rand(500, 1, generator=generator) * 1.4 - 0.2
    log_s = torch.rand(500, 1, generator=generator) * 14 - 10
    total = DiscretizedLogistic(loc, log_s).log_prob(all_levels(256).float().expand(256, 500, 1)).exp().sum(0)
    close(total, torch.ones(500), rtol=0, atol=2e-4)


def test_discretized_logistic_rounds_to_the_nearest_level() -> None:
    p = one_value(lambda m, s: DiscretizedLogistic(m, s, 3), 0.3, -1.0)
    close(p.log_prob(double(0.4, 0.7, -5.0, 5.0).view(4, 1, 1)), p.log_prob(double(0.5, 0.5, 0.0, 1.0).view(4, 1, 1)))


def test_discretized_logistic_takes_one_scale_for_all(generator: torch.Generator) -> None:
    loc, x = draw(generator, 3, 4), torch.rand(3, 4, generator=generator, dtype=torch.float64)
    shared = DiscretizedLogistic(loc, double(-1.0), 16)
    spelt = DiscretizedLogistic(loc, torch.full_like(loc, -1.0), 16)
    close(shared.log_prob(x), spelt.log_prob(x))
    close(shared.mean, spelt.mean)
    close(shared.variance, spelt.variance)
    assert shared.log_s.shape == shared.sample().shape == (3, 4)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_discretized_logistic_mixture_is_the_weighted_sum(levels: int, generator: torch.Generator) -> None:
    logits, loc, log_s = draw(generator, 1, 3, 1), draw(generator, 1, 3, 1), draw(generator, 1, 3, 1) - 2
    p = DiscretizedLogisticMixture(logits, loc, log_s, levels)
    weights = np.exp(logits.flatten().numpy()) / np.exp(logits.flatten().numpy()).sum()
    each = [logistic_masses(loc[0, m].item(), log_s[0, m].item(), levels) for m in range(3)]
    masses = np.array([float(sum(w * e[k] for w, e in zip(weights, each, strict=True))) for k in range(levels)])
    log_prob = p.log_prob(all_levels(levels))[:, 0]
    close(log_prob, np.log(masses), rtol=1e-9)
    close(log_prob.exp().sum(), 1.0)
    grid = np.arange(levels) / (levels - 1)
    close(p.mean, [[(grid * masses).sum()]])
    close(p.variance, [[((grid - (grid * masses).sum()) ** 2 * masses).sum()]], rtol=1e-9)


def test_a_mixture_of_one_is_its_component(generator: torch.Generator) -> None:
    loc, log_s, x = draw(generator, 3, 4), draw(generator, 3, 4), torch.rand(3, 4, generator=generator).double()
    p = DiscretizedLogisticMixture(torch.zeros(3, 1, 4), loc[:, None], log_s[:, None], 16)
    close(p.log_prob(x), DiscretizedLogistic(loc, log_s, 16).log_prob(x))


def test_categorical_is_torchs_and_sums_to_one(generator: torch.Generator) -> None:
    logits = draw(generator, 4, 7, 3)
    p, reference = IndependentCategorical(logits, 7), Categorical(logits=logits.movedim(1, -1))
    k = torch.randint(7, (4, 3), generator=generator)
    close(p.log_prob(k.double() / 6), reference.log_prob(k).sum(1))
    one = IndependentCategorical(logits[:1, :, :1], 7)
    masses = one.log_prob(all_levels(7)).exp()[:, 0].numpy()
    grid = np.arange(7) / 6
    assert masses.sum() == pytest.approx(1, abs=1e-12)
    close(one.mean, [[(grid * masses).sum()]])
    close(one.variance, [[((grid - (grid * masses).sum()) ** 2 * masses).sum()]])


def test_stored_bytes_fall_on_their_levels(generator: torch.Generator) -> None:
    x = torch.arange(256, dtype=torch.uint8).float() / 255
    logits = draw(generator, 1, 256, 1).float()
    p = IndependentCategorical(logits, 256)
    close(p.log_prob(x.view(256, 1, 1))[:, 0], logits[0, :, 0].log_softmax(0), rtol=1e-5)


@every_kind
def test_samples_over_levels_are_levels(kind: str, generator: torch.Generator) -> None:
    if KINDS[kind][0] in (DiagonalNormal, DiagonalLaplace, IndependentContinuousBernoulli):
        return
    x = KINDS[kind][0](*parameters_of(kind, generator)).sample((50,), generator=generator)
    steps = x * (LEVELS - 1)
    close(steps, steps.round())
    assert x.min() >= 0 and x.max() <= 1


def test_levels_must_be_at_least_two() -> None:
    zeros = torch.zeros(1, 1, 1)
    for make in (
        lambda: DiscretizedLogistic(zeros, zeros, 1),
        lambda: DiscretizedLogisticMixture(zeros, zeros, zeros, 1),
        lambda: IndependentCategorical(zeros, 1),
    ):
        with pytest.raises(LatentiaError, match="at least 2"):
            make()
    with pytest.raises(LatentiaError, match="4 levels need as many logits"):
        IndependentCategorical(torch.zeros(1, 3, 2), 4)


# --- mixture prior -----------------------------------------------------------------------------------------------


def test_gaussian_mixture_is_torchs(generator: torch.Generator) -> None:
    logits, loc, logvar = draw(generator, 4), draw(generator, 4, 3, scale=2), draw(generator, 4, 3)
    p = GaussianMixture(logits, loc, logvar)
    reference = MixtureSameFamily(Categorical(logits=logits), Independent(Normal(loc, torch.exp(logvar / 2)), 1))
    z = draw(generator, 2, 5, 3)
    close(p.log_prob(z), reference.log_prob(z))
    close(p.log_prob(z[0]), reference.log_prob(z[0]))
    close(p.log_prob(z[0, 0]), reference.log_prob(z[0, 0]))
    close(p.mean, reference.mean)
    close(p.variance, reference.variance)
    assert p.batch_shape == () and p.event_shape == (3,) and p.sample().shape == (3,)
    inputs = [q.requires_grad_() for q in (logits, loc, logvar)]
    assert torch.autograd.gradcheck(lambda *q: GaussianMixture(*q).log_prob(z), inputs)
    with pytest.raises(LatentiaError):
        p.log_prob(torch.zeros(5, 4))


def test_gaussian_mixture_over_feature_maps(generator: torch.Generator) -> None:
    logits, loc, logvar = draw(generator, 4), draw(generator, 4, 2, 3, 3), draw(generator, 4, 2, 3, 3)
    z = draw(generator, 5, 2, 3, 3)
    maps, flat = GaussianMixture(logits, loc, logvar), GaussianMixture(logits, loc.flatten(1), logvar.flatten(1))
    close(maps.log_prob(z), flat.log_prob(z.flatten(1)))
    assert maps.sample((6,)).shape == (6, 2, 3, 3) and maps.mean.shape == (2, 3, 3)


def test_gaussian_mixture_integrates_to_one_and_samples_itself(generator: torch.Generator) -> None:
    p = GaussianMixture(double(0.0, 1.0), double(-2.0, 1.0).view(2, 1), double(-1.0, 0.5).view(2, 1))
    total = integrate.quad(lambda z: math.exp(p.log_prob(double(z).view(1, 1)).item()), -20, 20, limit=200)[0]
    assert total == pytest.approx(1, abs=1e-9)
    z = p.sample((40_000,), generator=generator)
    assert abs(z.mean() - p.mean) < 4 * p.stddev / 200
    assert abs(z.var() - p.variance) < 4 * (z - p.mean).square().std() / 200


def test_gaussian_mixture_far_away_and_in_half_precision() -> None:
    loc = torch.tensor([[-1.0], [1.0]], requires_grad=True)
    value = GaussianMixture(torch.zeros(2), loc, torch.full((2, 1), -20.0)).log_prob(torch.tensor([[1e4]]))
    value.sum().backward()
    assert value.isfinite().all() and loc.grad is not None and loc.grad.isfinite().all()
    half = GaussianMixture(*(torch.zeros(shape, dtype=torch.bfloat16) for shape in ((2,), (2, 1), (2, 1))))
    assert half.log_prob(torch.zeros(1, 1)).dtype == half.sample().dtype == torch.float32
