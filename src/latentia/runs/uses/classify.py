"""Classifying with few labels: a classifier on a model's latents, beside the same one on the data themselves.

This is M1 of Kingma et al., "Semi-supervised Learning with Deep Generative Models", 2014,
https://arxiv.org/abs/1406.5298, section 2: a model is trained on all data without looking at labels, and a classifier
on the latents of the few that have some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from latentia.data.blocks import blocks
from latentia.data.dataset import Split
from latentia.data.labels import LABELLED, choose_labelled
from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError, DataError, did_you_mean
from latentia.evaluation.encoding import BLOCK, evaluating
from latentia.exploration.confusion import plot_confusion
from latentia.exploration.few_labels import METHODS, Spreading, classify
from latentia.exploration.style import save_figure
from latentia.maths.spread import mean_and_deviation
from latentia.runs.uses.places import place

if TYPE_CHECKING:
    from latentia.runs.run import Run

REPRESENTATIONS = ("latents", "data")
LABELS, DRAWS = 100, 5  # of a run that has all labels


@dataclass(frozen=True, eq=False)
class Classification:
    """How well classes are told apart from few labels.

    Attributes:
        method: The classifier; ``q(y given x)`` for one that the model has itself.
        labels: How many labels it was given.
        unlabelled: How many samples without labels it was shown; those it has no use for count too.
        split: The part that was classified.
        n: How many samples of it.
        errors: For ``latents`` and ``data``, or for ``model`` where that classifies itself, the share of wrong
            classes in each draw of labels, in [0, 1].
        confusion: On the latents or by the model, over all draws: how often a class (row) was taken for another
            (column), (C, C).
        classes: The names of the classes.
        seed: Of the draws.
        picture: The confusion matrix, or ``None``.
    """

    method: str
    labels: int
    unlabelled: int
    split: str
    n: int
    errors: dict[str, list[float]]
    confusion: np.ndarray
    classes: tuple[str, ...]
    seed: int
    picture: Path | None

    @property
    def error(self) -> float:
        """The mean error on the latents, or of the model's own classifier, in [0, 1]."""
        return mean_and_deviation(next(iter(self.errors.values())))["mean"]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "method": self.method,
            "labels": self.labels,
            "unlabelled": self.unlabelled,
            "split": self.split,
            "n": self.n,
            "seed": self.seed,
            "error": {name: {**mean_and_deviation(values), "values": values} for name, values in self.errors.items()},
            "confusion": self.confusion.tolist(),
            "classes": list(self.classes),
        }


def classify_run(
    run: Run,
    labels: int | None = None,
    *,
    draws: int | None = None,
    method: str | None = None,
    unlabelled: int = 10_000,
    split: str = "test",
    seed: int = 0,
    out: str | Path | None = None,
    write: bool = True,
) -> Classification:
    """Classify a part from few labels of the training part; see :meth:`latentia.Run.classify`."""
    if run.model.classifies:
        return _classify_itself(run, labels, draws, method, split, seed, out, write)
    method = method or METHODS[0]
    _check(run, labels, draws, method, unlabelled, split)
    train, asked = run.dataset.split("train"), _labelled(run, split)
    assert asked.y is not None
    truth = asked.y.numpy()
    draws_of_labels = _draw_labels(run, labels, draws, seed)
    crowd = np.random.default_rng(derive_seed(seed, "unlabelled")).permutation(len(train))[:unlabelled]
    shown = len(crowd)
    crowd = np.unique(np.concatenate([crowd, *(rows for _, rows in draws_of_labels)]))  # the labelled, in one graph
    known, wanted = _represent(run, train, crowd), _represent(run, asked, None)
    errors: dict[str, list[float]] = {name: [] for name in REPRESENTATIONS}
    confusion = np.zeros((len(run.spec.classes),) * 2, int)
    for name in REPRESENTATIONS:
        for found in _classes(run, method, name, draws_of_labels, known[name], crowd, wanted[name]):
            errors[name].append(float((found != truth).mean()))
            if name == "latents":
                np.add.at(confusion, (truth, found), 1)
    kept = len(draws_of_labels[0][0])
    return _drawn(run, method, kept, shown, split, errors, confusion, seed, out, write)


def _classify_itself(
    run: Run,
    labels: int | None,
    draws: int | None,
    method: str | None,
    split: str,
    seed: int,
    out: str | Path | None,
    write: bool,
) -> Classification:
    """Classify by the model's own q(y given x), which has learned from the labels that the run keeps."""
    given = {"labels": labels, "draws": draws, "method": method}
    if wrong := [name for name, value in given.items() if value is not None]:
        raise ConfigError(
            f"the model classifies by a q(y given x) of its own, learned from the labels of its training: leave "
            f"{' and '.join(wrong)} out"
        )
    if split not in ("test", "valid"):
        raise ConfigError("the labels come from the training part, so another part must be classified: test or valid")
    part = _labelled(run, split)
    with evaluating(run.model) as device:
        found = [
            run.model.classify(block.x).argmax(1).cpu().numpy()
            for block in blocks(part, run.preparation, size=BLOCK, seed=0, purpose="evaluation", device=device)
        ]
    assert part.y is not None
    truth, said = part.y.numpy(), np.concatenate(found)
    confusion = np.zeros((len(run.spec.classes),) * 2, int)
    np.add.at(confusion, (truth, said), 1)
    kept, bare = (len(run.dataset.split(name)) for name in (LABELLED, "train"))
    errors = {"model": [float((said != truth).mean())]}
    return _drawn(run, "q(y given x)", kept, bare, split, errors, confusion, seed, out, write)


def _drawn(
    run: Run,
    method: str,
    kept: int,
    shown: int,
    split: str,
    errors: dict[str, list[float]],
    confusion: np.ndarray,
    seed: int,
    out: str | Path | None,
    write: bool,
) -> Classification:
    """The result, with its picture."""
    path = place(run, out, "classification.png", folder="plots") if write else None
    n, classes = len(run.dataset.split(split)), run.spec.classes
    result = Classification(method, kept, shown, split, n, errors, confusion, classes, seed, path)
    if path is not None:
        title = f"{run.name}: classes from {kept:,} labels"
        save_figure(plot_confusion(confusion, classes, title=title, remarks=_facts(run, result)), path)
    return result


def _check(run: Run, labels: int | None, draws: int | None, method: str, unlabelled: int, split: str) -> None:
    if method not in METHODS:
        raise ConfigError(
            f"there is no classifier '{method}': use {', '.join(METHODS)}.{did_you_mean(method, METHODS)}"
        )
    if (draws is not None and draws < 1) or unlabelled < 0:
        given = DRAWS if draws is None else draws
        raise ConfigError(f"draws must be at least 1 and unlabelled at least 0, not {given} and {unlabelled}")
    if split not in ("test", "valid"):
        raise ConfigError("the labels come from the training part, so another part must be classified: test or valid")
    if run.model.conditional:
        raise ConfigError(
            "a conditional model is told the class when it encodes, so that its latents cannot be asked for it: "
            "train another preset, such as m1"
        )
    if LABELLED in run.dataset.splits and not (labels is None and draws is None):
        kept = len(run.dataset.split(LABELLED))
        raise ConfigError(
            f"this run keeps {kept} labels (data.labels) and knows no others: leave labels and draws out, or train it "
            "with --set data.labels=none"
        )


def _draw_labels(run: Run, labels: int | None, draws: int | None, seed: int) -> list[tuple[Split, np.ndarray]]:
    """The samples with labels of each draw, and their rows in the training part; the run's own, if it keeps few."""
    if LABELLED in run.dataset.splits:
        return [(run.dataset.split(LABELLED), np.zeros(0, int))]
    train = _labelled(run, "train")
    assert train.y is not None
    found = []
    for draw in range(DRAWS if draws is None else draws):
        rows = choose_labelled(train.y.numpy(), LABELS if labels is None else labels, derive_seed(seed, draw))
        kept = torch.from_numpy(rows)
        found.append((Split(train.x[kept], train.y[kept]), rows))
    return found


def _classes(
    run: Run,
    method: str,
    name: str,
    draws_of_labels: list[tuple[Split, np.ndarray]],
    known: np.ndarray,
    crowd: np.ndarray,
    wanted: np.ndarray,
) -> Iterator[np.ndarray]:
    """What each draw of labels makes of the points that are asked for."""
    labelled = [_represent(run, part, None)[name] for part, _ in draws_of_labels]
    if method != "spreading":
        for draw, (points, (part, _)) in enumerate(zip(labelled, draws_of_labels, strict=True)):
            assert part.y is not None
            yield classify(method, points, part.y.numpy(), known[:0], wanted, seed=draw)
        return
    own = LABELLED in run.dataset.splits  # then the labelled samples are none of the training part
    graph = Spreading(np.concatenate([labelled[0], known]) if own else known)
    near = graph.near(wanted)
    for points, (part, rows) in zip(labelled, draws_of_labels, strict=True):
        assert part.y is not None
        numbers = np.arange(len(points)) if own else np.searchsorted(crowd, rows)
        yield near.classes(graph.scores(numbers, part.y.numpy()))


def _labelled(run: Run, split: str) -> Split:
    part = run.dataset.split(split)
    if part.y is None:
        remedy = "classify the test part" if LABELLED in run.dataset.splits else f"give them as y_{split}"
        raise DataError(f"the {split} part of {run.dataset.name} has no labels, which classifying needs: {remedy}")
    return part


def _represent(run: Run, part: Split, rows: np.ndarray | None) -> dict[str, np.ndarray]:
    """The means of q(z given x) of some rows of a part, and these themselves, each (N, d)."""
    stored = part.x if rows is None else part.x[torch.from_numpy(rows)]
    found: dict[str, list[np.ndarray]] = {name: [] for name in REPRESENTATIONS}
    with evaluating(run.model) as device:
        for block in blocks(Split(stored), run.preparation, size=BLOCK, seed=0, purpose="evaluation", device=device):
            found["latents"].append(run.model.encode(block.x).mean.flatten(1).cpu().numpy())
            found["data"].append(block.x.flatten(1).cpu().numpy())
    widths = {"latents": run.model.latent_dim, "data": run.spec.dimensions}
    return {
        name: np.concatenate(pieces) if pieces else np.zeros((0, widths[name]), np.float32)
        for name, pieces in found.items()
    }


def _facts(run: Run, result: Classification) -> str:
    draws = len(next(iter(result.errors.values())))
    which = f", mean of {draws} draws" if draws > 1 else ""
    words = {"latents": " from latents", "data": " from the data themselves", "model": ""}
    found = {name: f"{100 * mean_and_deviation(values)['mean']:.1f} %" for name, values in result.errors.items()}
    first, *others = found
    more = "".join(f", {found[name]}{words[name]}" for name in others)
    return (
        f"{result.method}{which}: {found[first]} of {result.n:,} {result.split} {run.spec.noun}s wrong"
        f"{words[first]}{more}"
    )
