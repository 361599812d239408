"""Mixtures that are fitted, against those that made the data."""

from __future__ import annotations

import pytest
import torch

from latentia.errors import ConfigError
from latentia.parts.latent_priors import standardisation
from latentia.training.mixture import FittedMixture, fit_mixture


def data(n: int = 4000) -> torch.Tensor:
    source = torch.Generator().manual_seed(0)
    z = torch.randn(n, 2, generator=source) @ torch.tensor([[1.0, 0.8], [0.0, 0.6]])
    left = torch.rand(n, 1, generator=source) < 0.25
    return torch.where(left, z * 0.5 - 20, 10 * z + 50)


def fitted(z: torch.Tensor, **changed: object) -> FittedMixture:
    settings = {"components": 2, "covariance": "full", "iterations": 50, "regularisation": 1e-6, "seed": 0, **changed}
    return fit_mixture(z, *standardisation(z), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_the_mixture_that_made_the_data_is_found(covariance: str) -> None:
    z = data()
    found = fitted(z, covariance=covariance)
    order = found.weights.argsort()
    torch.testing.assert_close(found.weights[order].float(), torch.tensor([0.25, 0.75]), atol=0.03, rtol=0)
    for component, rows in zip(order.tolist(), (z[:, 0] < 5, z[:, 0] >= 5), strict=True):
        torch.testing.assert_close(found.means[component].float(), z[rows].mean(0), atol=0.2, rtol=0.02)
        tril = found.tril[component].float()
        expected = z[rows].T.cov()
        if covariance == "full":
            torch.testing.assert_close(tril @ tril.T, expected, rtol=0.1, atol=0.02)
        else:
            torch.testing.assert_close(tril.square(), expected.diagonal(), rtol=0.1, atol=0.02)
    assert found.converged and found.iterations >= 1


def test_a_seed_determines_the_fit_and_too_few_iterations_are_told() -> None:
    z = data(300)
    first, again = fitted(z), fitted(z)
    assert all(torch.equal(a, b) for a, b in zip(first[:3], again[:3], strict=True))
    assert not fitted(z, components=5, iterations=1).converged


def test_more_components_than_latents_are_refused() -> None:
    with pytest.raises(ConfigError, match="lower components"):
        fitted(data(4), components=5)
