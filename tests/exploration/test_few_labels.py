"""Few labels: spreading against its closed form, and classifiers that see nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_moons

from latentia.data.labels import choose_labelled
from latentia.errors import ConfigError
from latentia.exploration import few_labels
from latentia.exploration.few_labels import METHODS, Spreading, classify


def test_spreading_comes_to_its_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """F = (1 - alpha) (I - alpha S)^-1 Y, Zhou et al. 2004, equation 3, with neighbours found by brute force."""
    monkeypatch.setattr(few_labels, "ROUNDS", 3000)
    points = np.random.default_rng(0).normal(size=(40, 3))
    labelled, y = np.array([3, 7, 20, 21]), np.array([0, 2, 1, 2])
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    graph = np.zeros((40, 40))
    for row in range(40):
        graph[row, np.argsort(distance[row])[:5]] = 1
    graph = np.maximum(graph, graph.T)
    degree = graph.sum(1)
    smooth = graph / np.sqrt(degree[:, None] * degree[None])
    given = np.zeros((40, 3))
    given[labelled, y] = 1
    expected = 0.01 * np.linalg.solve(np.eye(40) - 0.99 * smooth, given)
    found = Spreading(points, neighbours=5, alpha=0.99).scores(labelled, y)
    np.testing.assert_allclose(found, expected / expected.sum(0), rtol=1e-8)


def test_labels_spread_along_curves() -> None:
    moons: Any = make_moons(600, noise=0.05, random_state=0)
    points, y = moons
    kept = np.array([np.flatnonzero(y == label)[0] for label in (0, 1)])
    scores = Spreading(points).scores(kept, y[kept])
    assert (scores.argmax(1) == y).mean() > 0.99
    nearest = classify("nearest", points[kept], y[kept], points, points)
    assert (nearest == y).mean() < 0.9


@pytest.mark.parametrize("method", METHODS)
def test_classifiers_learn_from_few_labels(method: str) -> None:
    digits: Any = load_digits()
    x, y = digits.data / 16, digits.target
    kept = choose_labelled(y[:1200], 50, seed=0)
    rest = np.setdiff1d(np.arange(1200), kept)
    found = classify(method, x[kept], y[kept], x[rest], x[1200:])
    assert found.shape == (597,) and (found == y[1200:]).mean() > 0.78
    again = classify(method, x[kept], y[kept], x[rest], x[1200:])
    assert (found == again).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("each", [1, 2])
def test_classifiers_take_one_label_for_a_class_and_no_unlabelled(method: str, each: int) -> None:
    points = np.random.default_rng(0).normal(size=(2 * each, 2)) + np.repeat([[0.0], [9.0]], each, 0)
    y = np.repeat([0, 3], each)  # labels need not be consecutive
    asked = np.array([[0.0, 0.0], [9.0, 9.0], [8.0, 9.0]])
    assert classify(method, points, y, np.zeros((0, 2)), asked).tolist() == [0, 3, 3]


def test_a_misspelt_classifier_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"use spreading, svm, logistic, nearest. Did you mean 'svm'"):
        classify("svn", np.zeros((1, 1)), np.zeros(1, int), np.zeros((0, 1)), np.zeros((1, 1)))
