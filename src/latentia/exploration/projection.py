"""From latents of any dimension to two that can be drawn, and what share of them is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentia.errors import ConfigError, DataError, did_you_mean

METHODS = ("auto", "raw", "pca")


@dataclass(frozen=True)
class Projection:
    """Latents in one or two dimensions.

    Attributes:
        points: (N, 1) or (N, 2).
        axes: What each axis is, in words.
        method: ``raw`` or ``pca``.
        shown: The share of the latents' variance that the points have, 0 to 1; 1 where there is no variance.
    """

    points: np.ndarray
    axes: tuple[str, ...]
    method: str
    shown: float


def project(loc: np.ndarray, method: str = "auto") -> Projection:
    """Bring latents to two dimensions, or leave one as it is.

    Args:
        loc: Latents, (N, d) or (N, *latent).
        method: ``raw`` takes the first two dimensions as they are; ``pca`` the two principal components (Pearson 1901;
            scikit-learn's ``PCA``); ``auto`` is raw for d <= 2 and PCA otherwise.

    Returns:
        The points and what their axes are.

    Raises:
        ConfigError: If the method is another one.
        DataError: If there are no latents, or some are NaN or infinite.

    Example:
        >>> project(np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 1.0]])).axes
        ('principal component 1 (75 % of the variance)', 'principal component 2 (25 % of the variance)')
    """
    if method not in METHODS:
        raise ConfigError(
            f"latents are drawn by {', '.join(METHODS)}, not by '{method}'.{did_you_mean(method, METHODS)}"
        )
    loc = np.asarray(loc, dtype=np.float64)
    if loc.size == 0:
        raise DataError("there are no latents to draw: give at least one sample")
    loc = loc.reshape(len(loc), -1)
    if not np.isfinite(loc).all():
        raise DataError(
            "some latents are NaN or infinite and cannot be drawn: the run has diverged, or its input is bad"
        )
    variances = loc.var(axis=0)
    total = float(variances.sum())
    if method == "raw" or loc.shape[1] == 1 or (method == "auto" and loc.shape[1] == 2):
        seen = min(2, loc.shape[1])
        names = ("z",) if loc.shape[1] == 1 else tuple(f"z{index}" for index in range(seen))
        return Projection(loc[:, :seen], names, "raw", float(variances[:seen].sum()) / total if total > 0 else 1.0)
    points, ratios = _principal(loc, total)
    names = tuple(f"principal component {i + 1} ({ratio:.0%} of the variance)" for i, ratio in enumerate(ratios))
    return Projection(
        points, tuple(name.replace("%", " %") for name in names), "pca", sum(ratios) if total > 0 else 1.0
    )


def _principal(loc: np.ndarray, total: float) -> tuple[np.ndarray, list[float]]:
    """Two principal components, (N, 2), and their shares; zeros where the latents have no second or no variance."""
    points, ratios = np.zeros((len(loc), 2)), [0.0, 0.0]
    if total > 0:
        from sklearn.decomposition import PCA

        count = min(2, *loc.shape)
        pca = PCA(n_components=count, svd_solver="full")
        points[:, :count] = pca.fit_transform(loc)
        ratios[:count] = pca.explained_variance_ratio_.tolist()
    return points, ratios
