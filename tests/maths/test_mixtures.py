"""Mixtures with full covariances, against scikit-learn and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture as SklearnMixture

from latentia.maths.distributions import GaussianMixture
from latentia.maths.mixtures import ChosenByLabel, CorrelatedMixture


def mixture(components: int, shape: tuple[int, ...]) -> CorrelatedMixture:
    source, size = torch.Generator().manual_seed(3), math.prod(shape)
    tril = torch.randn(components, size, size, dtype=torch.float64, generator=source).tril(-1)
    tril += torch.diag_embed(0.3 + torch.rand(components, size, dtype=torch.float64, generator=source))
    loc = torch.randn(components, *shape, dtype=torch.float64, generator=source)
    return CorrelatedMixture(torch.randn(components, dtype=torch.float64, generator=source), loc, tril)


def covariances(p: CorrelatedMixture) -> np.ndarray:
    return (p.scale_tril @ p.scale_tril.mT).numpy()


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 1, 2)])
@pytest.mark.parametrize("components", [1, 4])
def test_density_is_scipys(shape: tuple[int, ...], components: int) -> None:
    p = mixture(components, shape)
    z = torch.randn(6, *shape, dtype=torch.float64)
    weights = p.logits.log_softmax(0).numpy()
    of_each = [
        weight + np.atleast_1d(stats.multivariate_normal(loc.flatten().numpy(), cov).logpdf(z.flatten(1).numpy()))
        for weight, loc, cov in zip(weights, p.loc, covariances(p), strict=True)
    ]
    np.testing.assert_allclose(p.log_prob(z).numpy(), logsumexp(np.stack(of_each), axis=0), rtol=1e-9)


def test_density_is_scikit_learns() -> None:
    p = mixture(3, (2,))
    other = SklearnMixture(3)
    other.weights_, other.means_ = p.logits.softmax(0).numpy(), p.loc.numpy()
    other.precisions_cholesky_ = np.linalg.inv(p.scale_tril.numpy()).transpose(0, 2, 1)
    z = torch.randn(2, 5, 2, dtype=torch.float64)
    expected = other.score_samples(z.flatten(0, 1).numpy()).reshape(2, 5)
    np.testing.assert_allclose(p.log_prob(z).numpy(), expected, rtol=1e-9)


def test_samples_have_its_moments() -> None:
    p, n = mixture(3, (2,)), 100_000
    z = p.sample((n,), torch.Generator().manual_seed(0))
    assert z.shape == (n, 2)
    deviation = p.variance.sqrt()
    assert ((z.mean(0) - p.mean).abs() < 5 * deviation / math.sqrt(n)).all()
    torch.testing.assert_close(z.var(0), p.variance, rtol=0.03, atol=0)


def test_shapes() -> None:
    p = mixture(2, (2, 1, 2))
    assert p.sample((3, 4)).shape == (3, 4, 2, 1, 2) and p.mean.shape == p.variance.shape == (2, 1, 2)


@pytest.mark.parametrize("shape", [(3,), (2, 1, 2)])
def test_a_label_chooses_its_distribution(shape: tuple[int, ...]) -> None:
    source = torch.Generator().manual_seed(1)
    diagonal = GaussianMixture(*(torch.randn(2, *s, dtype=torch.float64, generator=source) for s in ((), shape, shape)))
    of_each = [mixture(3, shape), diagonal]
    y = torch.tensor([1, 0, 0, 1, 1])
    p = ChosenByLabel(of_each, y)
    z = torch.randn(4, 5, *shape, dtype=torch.float64, generator=source)
    expected = torch.stack([of_each[label].log_prob(z[:, b]) for b, label in enumerate(y.tolist())], 1)
    torch.testing.assert_close(p.log_prob(z), expected)
    torch.testing.assert_close(p.log_prob(z[0]), expected[0])
    torch.testing.assert_close(p.log_prob(z[:, :1]), p.log_prob(z[:, :1].expand(z.shape)))
    assert p.batch_shape == (5,) and p.mean.shape == (5, *shape)
    n = 40_000
    drawn = p.sample((n,), torch.Generator().manual_seed(2))
    assert drawn.shape == (n, 5, *shape)
    assert ((drawn.mean(0) - p.mean).abs() < 5 * p.variance.sqrt() / math.sqrt(n)).all()
    torch.testing.assert_close(drawn.var(0), p.variance, rtol=0.08, atol=0)


def test_no_labels_have_no_density() -> None:
    p = ChosenByLabel([mixture(2, (3,))], torch.zeros(0, dtype=torch.int64))
    assert p.log_prob(torch.zeros(0, 3)).shape == (0,) and p.sample((2,)).shape == (2, 0, 3)
