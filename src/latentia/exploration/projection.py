"""From latents of any dimension to points that can be drawn, and what share of them is seen."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentia.errors import ConfigError, DataError, EnvironmentFault, did_you_mean

METHODS = ("auto", "none", "pca", "tsne", "umap")
PERPLEXITY = 30.0  # of t-SNE: about how many neighbours each point has
NEIGHBOURS = 15  # of UMAP
FEWEST = 5  # samples that a map of neighbours needs


@dataclass(frozen=True)
class Projection:
    """Latents in one, two or three dimensions.

    Attributes:
        points: (N, 1), (N, 2) or (N, 3).
        axes: What each axis is, in words.
        method: ``none``, ``pca``, ``tsne`` or ``umap``.
        shown: The share of the latents' variance that the points have, 0 to 1; 1 where there is no variance; ``None``
            for t-SNE and UMAP, whose distances are not those of the latents.
        note: How they came about, in a few words for a title; empty for latents as they are.
    """

    points: np.ndarray
    axes: tuple[str, ...]
    method: str
    shown: float | None
    note: str = ""


def project(loc: np.ndarray, method: str = "auto", *, seed: int = 0) -> Projection:
    """Bring latents to two dimensions, or leave up to three as they are.

    The same latents and seed give the same points.

    Args:
        loc: Latents, (N, d) or (N, *latent).
        method: ``none`` leaves them as they are, which needs d <= 3; ``pca`` takes the two principal components
            (Pearson 1901; scikit-learn's ``PCA``); ``tsne`` is t-SNE (van der Maaten & Hinton 2008,
            https://jmlr.org/papers/v9/vandermaaten08a.html; scikit-learn's ``TSNE``, perplexity 30, begun from the
            principal components, which the seed disturbs a little); ``umap`` is UMAP (McInnes et al. 2018,
            https://arxiv.org/abs/1802.03426), which needs the package umap-learn; ``auto`` is none for d <= 3 and PCA
            otherwise.
        seed: Of t-SNE and UMAP.

    Returns:
        The points and what their axes are.

    Raises:
        ConfigError: If the method is another one, or latents of more than three dimensions are to stay as they are.
        DataError: If there are no latents, too few for the method, or some are NaN or infinite.
        EnvironmentFault: If UMAP is not installed.

    Example:
        >>> project(np.array([[0.0, 0, 0, 0], [2.0, 0, 0, 0], [1.0, 0, 0, 1.0]])).axes
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
    dimensions = loc.shape[1]
    if method == "none" and dimensions > 3:
        raise ConfigError(
            f"latents of {dimensions} dimensions cannot be drawn as they are: project them by pca, tsne or umap"
        )
    if dimensions == 1 or method == "none" or (method == "auto" and dimensions <= 3):
        names = ("z",) if dimensions == 1 else tuple(f"z{index}" for index in range(dimensions))
        return Projection(loc, names, "none", 1.0)
    if method in ("tsne", "umap"):
        return _map_of_neighbours(loc, method, seed)
    total = float(loc.var(axis=0).sum())
    points, ratios = _principal(loc, total)
    names = tuple(f"principal component {i + 1} ({ratio:.0%} of the variance)" for i, ratio in enumerate(ratios))
    names = tuple(name.replace("%", " %") for name in names)
    return Projection(points, names, "pca", sum(ratios) if total > 0 else 1.0, "principal components")


def _principal(loc: np.ndarray, total: float) -> tuple[np.ndarray, list[float]]:
    """Two principal components, (N, 2), and their shares; zeros where the latents have no second or no variance."""
    points, ratios = np.zeros((len(loc), 2)), [0.0, 0.0]
    if total > 0:
        left, sizes, right = np.linalg.svd(loc - loc.mean(axis=0), full_matrices=False)
        count = min(2, *loc.shape)
        largest = np.abs(right[:count]).argmax(axis=1)
        signs = np.sign(right[np.arange(count), largest])  # each direction's largest entry is positive
        points[:, :count] = left[:, :count] * sizes[:count] * signs
        ratios[:count] = (np.square(sizes[:count]) / np.square(sizes).sum()).tolist()
    return points, ratios


def _map_of_neighbours(loc: np.ndarray, method: str, seed: int) -> Projection:
    """t-SNE or UMAP: near points stay near, and nothing else is promised."""
    name = {"tsne": "t-SNE", "umap": "UMAP"}[method]
    if len(loc) < FEWEST:
        raise DataError(f"{name} needs at least {FEWEST} samples, not {len(loc)}: give more, or project by pca")
    seed %= 2**32  # what both packages take
    if method == "tsne":
        points, note = _tsne(loc, seed)
    else:
        points, note = _umap(loc, seed)
    return Projection(points, (f"{name} 1", f"{name} 2"), method, None, f"{name} ({note}, seed {seed})")


def _tsne(loc: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(loc) - 1) / 3)
    note = f"perplexity {perplexity:.3g}"
    begin, _ = _principal(loc, float(loc.var(axis=0).sum()))
    spread = float(begin[:, 0].std())
    if spread == 0:
        return begin, note
    begin = 1e-4 * (begin / spread + 0.1 * np.random.default_rng(seed).normal(size=begin.shape))
    with threadpool_limits(1):  # the sums of several threads are added in any order, which a map of points magnifies
        begun: Any = begin.astype(np.float32)
        tsne = TSNE(2, perplexity=perplexity, init=begun, learning_rate="auto", random_state=seed)
        return tsne.fit_transform(loc).astype(np.float64), note


def _umap(loc: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    neighbours = min(NEIGHBOURS, len(loc) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what else could be installed, and of few samples
        try:
            import umap  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise EnvironmentFault(
                "UMAP needs the package umap-learn, which is not installed: pip install 'latentia[umap]', "
                "or project by tsne or pca"
            ) from error
        reducer: Any = umap.UMAP(n_components=2, n_neighbors=neighbours, random_state=seed, n_jobs=1)
        points = np.asarray(reducer.fit_transform(loc), dtype=np.float64)
    return points, f"{neighbours} neighbours"
