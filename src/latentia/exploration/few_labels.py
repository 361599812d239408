"""Classifying with few labels: what can be learned from them and the unlabelled rest.

Owns array code on points and labels; what the points are, latents or pixels, is unknown here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, did_you_mean

METHODS = ("spreading", "svm", "logistic", "nearest")
NEIGHBOURS = 10  # of each point in the graph along which labels spread
ALPHA = 0.99  # how much of a point's score comes from its neighbours (Zhou et al. 2004, section 4)
ROUNDS = 200  # of spreading; scores change by less than a thousandth afterwards
FOLDS = 5


class Spreading:
    r"""Lets labels spread along a graph of neighbours: points without labels take part.

    .. math:: F \leftarrow \alpha S F + (1 - \alpha) Y, \quad S = D^{-1/2} W D^{-1/2}

    Zhou et al., "Learning with Local and Global Consistency", 2004,
    https://papers.nips.cc/paper/2506-learning-with-local-and-global-consistency, section 2, with the graph W in which
    each point is tied to its nearest ones (Euclidean, made symmetric) instead of all. A class's scores are divided by
    their sum, so that a class with long reach does not swallow the others (class mass normalisation, Zhu et al., 2003,
    https://www.aaai.org/Papers/ICML/2003/ICML03-118.pdf, section 4, with equal shares).

    The graph is made once; labels can then be given to any of its points, as often as one likes.

    Args:
        points: With labels or without, (N, d).
        neighbours: How many each point is tied to.
        alpha: How much of a point's scores comes from its neighbours, in [0, 1).

    Example:
        >>> line = Spreading(np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]]), neighbours=2)
        >>> line.scores(np.array([0, 5]), np.array([0, 1])).argmax(1).tolist()
        [0, 0, 0, 1, 1, 1]
    """

    def __init__(self, points: np.ndarray, *, neighbours: int = NEIGHBOURS, alpha: float = ALPHA) -> None:
        from scipy import sparse
        from sklearn.neighbors import kneighbors_graph

        self.points, self.alpha = points, alpha
        self._smooth: Any = None
        if len(points) < 2:
            return
        graph: Any = kneighbors_graph(points, min(neighbours, len(points) - 1), mode="connectivity")
        graph = graph.maximum(graph.T)
        scale = sparse.diags(1 / np.sqrt(np.maximum(np.asarray(graph.sum(1)).ravel(), 1.0)))
        self._smooth = scale @ graph @ scale

    def scores(self, labelled: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Spread labels.

        Args:
            labelled: Numbers of the points with labels, (n,).
            y: Their labels, (n,), 0 to C - 1.

        Returns:
            Scores, (N, C), >= 0; the largest says the class.
        """
        given = np.zeros((len(self.points), int(y.max()) + 1))
        given[labelled, y] = 1.0
        if self._smooth is None:
            return given
        scores = given
        for _ in range(ROUNDS):
            scores = self.alpha * (self._smooth @ scores) + (1 - self.alpha) * given
        return scores / np.maximum(scores.sum(0), 1e-300)

    def near(self, asked: np.ndarray) -> Near:
        """The nearest of the points to other ones, (K, d), from which these take their scores."""
        from sklearn.neighbors import NearestNeighbors

        nearest = min(NEIGHBOURS, len(self.points))
        distance, rows = NearestNeighbors(n_neighbors=nearest).fit(self.points).kneighbors(asked)  # (K, k)
        return Near(rows, 1 / np.maximum(distance, 1e-9))


class Near(NamedTuple):
    """From which points others take their scores.

    Attributes:
        rows: Numbers of points, (K, k).
        weights: The inverse of the distances, (K, k).
    """

    rows: np.ndarray
    weights: np.ndarray

    def classes(self, scores: np.ndarray) -> np.ndarray:
        """The class with the largest sum of scores (N, C) times weights, (K,)."""
        return (self.weights[:, :, None] * scores[self.rows]).sum(1).argmax(1)


def classify(
    method: str, points: np.ndarray, y: np.ndarray, unlabelled: np.ndarray, asked: np.ndarray, *, seed: int = 0
) -> np.ndarray:
    """Learn from labelled points, with one method, and say the classes of others.

    Nothing but the labels given is used to choose settings: those of ``svm`` and ``logistic`` are chosen by
    cross-validation over them.

    Args:
        method: ``spreading``, :class:`Spreading` over labelled and unlabelled points, whose scores the asked ones
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
        graph = Spreading(np.concatenate([points, unlabelled]))
        return graph.near(asked).classes(graph.scores(np.arange(len(points)), y))
    if method == "nearest":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(1).fit(points, y).predict(asked)
    return _chosen(method, points, y, seed).fit(points, y).predict(asked)


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
