"""Classifying with few labels: what can be learned from them and the unlabelled rest.

Owns array code on points and labels; what the points are, latents or pixels, is unknown here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, did_you_mean

METHODS = ("spreading", "svm", "logistic", "nearest")
NEIGHBOURS = 10  # of each point in the graph along which labels spread
ALPHA = 0.99  # how much of a point's score comes from its neighbours (Zhou et al. 2004, section 4)
ROUNDS = 200  # of spreading; scores change by less than a thousandth afterwards
FOLDS = 5


def spread_labels(
    points: np.ndarray, labelled: np.ndarray, y: np.ndarray, *, neighbours: int = NEIGHBOURS, alpha: float = ALPHA
) -> np.ndarray:
    r"""Let labels spread along a graph of neighbours: unlabelled points take part.

    .. math:: F \leftarrow \alpha S F + (1 - \alpha) Y, \quad S = D^{-1/2} W D^{-1/2}

    Zhou et al., "Learning with Local and Global Consistency", 2004,
    https://papers.nips.cc/paper/2506-learning-with-local-and-global-consistency, section 2, with the graph W in which
    each point is tied to its nearest ones (Euclidean, made symmetric) instead of all. A class's scores are divided by
    their sum, so that a class with long reach does not swallow the others (class mass normalisation, Zhu et al., 2003,
    https://www.aaai.org/Papers/ICML/2003/ICML03-118.pdf, section 4, with equal shares).

    Args:
        points: (N, d).
        labelled: Numbers of the points with labels, (n,).
        y: Their labels, (n,), 0 to C - 1.
        neighbours: How many each point is tied to.
        alpha: In [0, 1).

    Returns:
        Scores, (N, C), >= 0; the largest says the class.
    """
    from scipy import sparse
    from sklearn.neighbors import kneighbors_graph

    given = np.zeros((len(points), int(y.max()) + 1))
    given[labelled, y] = 1.0
    if len(points) < 2:
        return given
    graph: Any = kneighbors_graph(points, min(neighbours, len(points) - 1), mode="connectivity")
    graph = graph.maximum(graph.T)
    scale = sparse.diags(1 / np.sqrt(np.maximum(np.asarray(graph.sum(1)).ravel(), 1.0)))
    smooth = scale @ graph @ scale
    scores = given
    for _ in range(ROUNDS):
        scores = alpha * (smooth @ scores) + (1 - alpha) * given
    return scores / np.maximum(scores.sum(0), 1e-300)


def classify(
    method: str, points: np.ndarray, y: np.ndarray, unlabelled: np.ndarray, asked: np.ndarray, *, seed: int = 0
) -> np.ndarray:
    """Learn from labelled points, with one method, and say the classes of others.

    Nothing but the labels given is used to choose settings: those of ``svm`` and ``logistic`` are chosen by
    cross-validation over them.

    Args:
        method: ``spreading``, :func:`spread_labels` over labelled and unlabelled points, whose scores the asked ones
            take from their nearest, by the inverse of the distance; ``svm``, a support vector machine with a Gaussian
            kernel; ``logistic``, multinomial regression on standardised points; ``nearest``, the label of the nearest
            labelled point.
        points: Labelled points, (n, d).
        y: Their labels, (n,), 0 to C - 1.
        unlabelled: Points without labels, (M, d); used by ``spreading``.
        asked: Points to classify, (K, d).
        seed: Of the folds.

    Returns:
        Labels, (K,).

    Raises:
        ConfigError: If there is no such method.

    Example:
        >>> points = np.array([[0.0], [1.0]])
        >>> classify("nearest", points, np.array([0, 1]), points, np.array([[0.2], [3.0]])).tolist()
        [0, 1]
    """
    if method not in METHODS:
        raise ConfigError(
            f"there is no classifier '{method}': use {', '.join(METHODS)}.{did_you_mean(method, METHODS)}"
        )
    if method == "spreading":
        return _spread_to(points, y, unlabelled, asked)
    if method == "nearest":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(1).fit(points, y).predict(asked)
    return _chosen(method, points, y, seed).fit(points, y).predict(asked)


def _spread_to(points: np.ndarray, y: np.ndarray, unlabelled: np.ndarray, asked: np.ndarray) -> np.ndarray:
    from sklearn.neighbors import NearestNeighbors

    known = np.concatenate([points, unlabelled])
    scores = spread_labels(known, np.arange(len(points)), y)
    distance, nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(known))).fit(known).kneighbors(asked)  # (K, k)
    weights = 1 / np.maximum(distance, 1e-9)
    return (weights[:, :, None] * scores[nearest]).sum(1).argmax(1)


def _chosen(method: str, points: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """A classifier with the settings that cross-validation over its labels chooses."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    grid: dict[str, list[Any]]
    if method == "svm":
        variance = float(points.var()) or 1.0
        classifier: Any = SVC()
        grid = {"C": [1.0, 10.0, 100.0], "gamma": [g / (points.shape[1] * variance) for g in (0.1, 0.3, 1.0)]}
    else:
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        grid = {"logisticregression__C": [0.001, 0.01, 0.1, 1.0]}
    folds = min(FOLDS, int(np.bincount(y)[np.unique(y)].min()))
    if folds < 2:  # with one label for a class there is nothing to hold out
        return classifier
    split = StratifiedKFold(folds, shuffle=True, random_state=derive_seed(seed) % 2**32)
    return GridSearchCV(classifier, grid, cv=split)
