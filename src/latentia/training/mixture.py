"""Fitting a Gaussian mixture by expectation maximisation: the one fit that needs no gradient.

Knows latents, not the model they come from.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentia.errors import ConfigError, DataError


class FittedMixture(NamedTuple):
    """A mixture of M Gaussians over D dimensions, in float64.

    Attributes:
        weights: (M,), sum to 1.
        means: (M, D).
        tril: (M, D, D), the lower Cholesky factors of the covariances; (M, D), standard deviations, if ``diagonal``.
        iterations: Of expectation maximisation.
        converged: Whether it came to rest within them.
    """

    weights: Tensor
    means: Tensor
    tril: Tensor
    iterations: int
    converged: bool


def fit_mixture(
    z: Tensor,
    shift: Tensor,
    scale: Tensor,
    *,
    components: int,
    covariance: str,
    iterations: int,
    regularisation: float,
    seed: int,
) -> FittedMixture:
    """Fit a mixture to latents by scikit-learn, on the scale on which each has mean 0 and variance 1.

    Dempster, Laird & Rubin, 1977, https://doi.org/10.1111/j.2517-6161.1977.tb01600.x, started by k-means.

    Args:
        z: Latents, (N, D).
        shift: Subtracted from z first, (D,).
        scale: Divided by then, (D,).
        components: M.
        covariance: ``full`` or ``diagonal``.
        iterations: The most that are made.
        regularisation: Added to every variance, on the scale of unit variance.
        seed: Of the start.

    Returns:
        The mixture on the scale of z.

    Raises:
        ConfigError: If there are fewer latents than components.
        DataError: If the covariances cannot be computed.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(z) < max(2, components):
        raise ConfigError(f"a mixture of {components} components needs more than {len(z)} latents: lower components")
    u = ((z.double() - shift) / scale).numpy()
    model = GaussianMixture(
        components,
        covariance_type="full" if covariance == "full" else "diag",
        reg_covar=regularisation,
        max_iter=iterations,
        random_state=np.random.RandomState(np.random.MT19937(seed)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the result says so
        try:
            model.fit(u)
        except ValueError as error:
            raise DataError(
                f"the mixture cannot be fitted ({error}): lower components, or raise regularisation"
            ) from error
    means = shift + scale * torch.from_numpy(model.means_)
    if covariance == "full":
        tril = scale[:, None] * torch.linalg.cholesky(torch.from_numpy(model.covariances_))
    else:
        tril = scale * torch.from_numpy(model.covariances_).sqrt()
    return FittedMixture(torch.from_numpy(model.weights_), means, tril, int(model.n_iter_), bool(model.converged_))
