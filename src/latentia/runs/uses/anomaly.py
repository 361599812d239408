"""Anomaly detection: how unlike the data that a model was trained on samples are, and from where on to say so."""

from __future__ import annotations

import csv
import io
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia import storage
from latentia.errors import ConfigError, DataError
from latentia.evaluation.anomaly import SCORES, LatentDensity, auroc, check_score, score_samples
from latentia.evaluation.anomaly import threshold as threshold_of
from latentia.evaluation.encoding import evaluating
from latentia.exploration.anomalies import plot_anomalies, plot_scores
from latentia.exploration.style import save_figure
from latentia.runs.uses.feeding import Feed, feed

if TYPE_CHECKING:
    from latentia.runs.run import Run

FALSE_ALARM_RATE = 0.05
_WORDS = {
    **dict.fromkeys(("0", "false", "normal", "good", "ok"), False),
    **dict.fromkeys(("1", "true", "anomalous", "anomaly", "bad", "defect"), True),
}


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Scores of samples, and what follows from them.

    Attributes:
        scores: (N,), float64, higher is more anomalous.
        score: Which, one of :data:`latentia.evaluation.anomaly.SCORES`.
        names: The class of each sample, or ``None``.
        anomalous: (N,), whether each is an anomaly, where that is known.
        threshold: Above which a sample is called anomalous, or ``None`` without held-out normal samples or one's own.
        false_alarm_rate: The share of normal samples that may be above it; ``None`` where that is not known.
        held_out: How many normal samples the threshold rests on, and where they are from; or ``None``.
        auroc: How often an anomaly scores above a normal sample, or ``None`` where nothing is known.
        auroc_per_class: The same for each anomalous class against the normal samples.
        source: Where the samples came from.
        notes: What could not be given, and what it needs.
        settings: Importance samples and seed, for scores that draw.
        files: ``picture`` (the most anomalous and borderline samples), ``histogram`` and ``csv``.
    """

    scores: Tensor
    score: str
    names: list[str] | None
    anomalous: Tensor | None
    threshold: float | None
    false_alarm_rate: float | None
    held_out: tuple[int, str] | None
    auroc: float | None
    auroc_per_class: dict[str, float]
    source: str
    notes: tuple[str, ...]
    settings: dict[str, int]
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def alarms(self) -> Tensor | None:
        """Whether each sample is above the threshold, (N,); ``None`` without one."""
        return None if self.threshold is None else self.scores > self.threshold

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: the scores are in the CSV."""
        alarms, known = self.alarms, self.anomalous
        rates = [None, None]
        if alarms is not None and known is not None:
            rates = [float(alarms[of].double().mean()) if bool(of.any()) else None for of in (~known, known)]
        order = self.scores.argsort(descending=True, stable=True)[:10].tolist()
        return {
            **{name: None if (path := self.files.get(name)) is None else str(path) for name in _FILES},
            "source": self.source,
            "n": len(self.scores),
            "score": self.score,
            "score_in_words": SCORES[self.score],
            "auroc": self.auroc,
            "auroc_per_class": self.auroc_per_class,
            "anomalous": None if known is None else int(known.sum()),
            "threshold": self.threshold,
            "false_alarm_rate": self.false_alarm_rate,
            "held_out_normals": None if self.held_out is None else self.held_out[0],
            "held_out_from": None if self.held_out is None else self.held_out[1],
            "alarms": None if alarms is None else int(alarms.sum()),
            "measured_false_alarm_rate": rates[0],
            "detection_rate": rates[1],
            "highest": [{"index": index, "score": float(self.scores[index])} for index in order],
            "notes": list(self.notes),
            **self.settings,
        }


_FILES = ("picture", "histogram", "csv")


def anomaly(
    run: Run,
    *,
    score: str = "squared-error",
    false_alarm_rate: float | None = None,
    threshold: float | None = None,
    split: str = "test",
    input: str | Path | None = None,
    normals: str | Path | None = None,
    normal: Sequence[str] | None = None,
    importance_samples: int = 100,
    seed: int = 0,
    show: int = 8,
    out: str | Path | None = None,
    write: bool = True,
) -> Anomalies:
    """Score samples, set a threshold and draw; see :meth:`latentia.Run.anomaly`."""
    check_score(run.model, score)
    if not 1 <= show <= 40:
        raise ConfigError(f"between 1 and 40 samples can be shown in a row, not {show}")
    if threshold is not None:
        _check_own(threshold, false_alarm_rate, normals)
    scorer = _Scorer(run, score, importance_samples, seed)
    source = feed(run, split=split, input=input, steady=True)
    if normal and source.names is None:
        raise ConfigError(
            f"--normal names classes, and {source.source} have no labels: leave it out, or give labels (y in an .npz "
            "file, or a folder for each class of pictures)"
        )
    normal = list(normal) if normal else run.config.data.normal_classes
    known, notes = _known(run, source.names, normal)
    scores = scorer(source)
    if not bool(scores.isfinite().all()):
        raise DataError(f"the {score} of some {source.source} is not finite: look for values far outside the others")
    limit, held_out = threshold, None
    wished = FALSE_ALARM_RATE if false_alarm_rate is None else false_alarm_rate
    try:
        if limit is None:
            values, where = _held_out(run, scorer, split if input is None else None, normals, normal)
            limit, held_out = threshold_of(values, wished), (len(values), where)
    except DataError as error:
        if false_alarm_rate is not None or normals is not None:
            raise
        notes.append(f"there is no threshold: {error}")
    result = Anomalies(
        scores=scores,
        score=score,
        names=source.names,
        anomalous=known,
        threshold=limit,
        false_alarm_rate=None if held_out is None else wished,
        held_out=held_out,
        auroc=None if known is None else auroc(scores, known),
        auroc_per_class=_per_class(scores, source.names, known),
        source=source.source,
        notes=tuple(notes),
        settings={"importance_samples": importance_samples, "seed": seed} if score in ("elbo", "nll") else {},
    )
    folder = _folder(run, out) if write else None
    if folder is not None:
        again = feed(run, split=split, input=input, steady=True)
        _write(run, result, again, folder, f"{source.stem}-anomaly-{score}", show)
    return result


def _check_own(threshold: float, false_alarm_rate: float | None, normals: object) -> None:
    """Refuse a threshold of one's own that is no number, or stands beside what another would come from.

    Raises:
        ConfigError: If so.
    """
    if not math.isfinite(threshold):
        raise ConfigError(f"the threshold must be a number, not {threshold:g}")
    if false_alarm_rate is not None or normals is not None:
        raise ConfigError(
            "a threshold of your own rests on no normal samples: leave out either it, or the false-alarm rate and the "
            "normal samples"
        )


class _Scorer:
    """Scores feeds, after fitting the latents' density where it is asked for."""

    def __init__(self, run: Run, score: str, samples: int, seed: int) -> None:
        self.run, self.score, self.samples, self.seed = run, score, samples, seed
        self.density = None
        if score == "density":
            loc, variance = [], []
            with evaluating(run.model):
                for block in feed(run, split="train", steady=True).blocks:
                    q = run.model.encode(block.x, block.y)
                    loc.append(q.mean.cpu())
                    variance.append(q.variance.cpu())
            self.density = LatentDensity.fit(torch.cat(loc), torch.cat(variance))

    def __call__(self, source: Feed) -> Tensor:
        pieces = [
            score_samples(
                self.run.model,
                block.x,
                block.y,
                score=self.score,
                samples=self.samples,
                seed=self.seed,
                density=self.density,
            )
            for block in source.blocks
        ]
        return torch.cat(pieces)


def _known(run: Run, names: list[str] | None, normal: Sequence[str] | None) -> tuple[Tensor | None, list[str]]:
    """Which samples are anomalies, where the labels say so; and what it would need."""
    if names is None:
        return None, ["the samples have no labels, so that there is no AUROC: give labels to have one"]
    if normal is not None:
        unknown = [name for name in normal if name not in names and name not in run.spec.classes]
        if unknown:
            raise ConfigError(f"no sample is of the normal class '{unknown[0]}': the classes are {_some(names)}")
        return torch.tensor([name not in normal for name in names]), []
    if all(name.lower() in _WORDS for name in names):
        return torch.tensor([_WORDS[name.lower()] for name in names]), []
    some = sorted(set(names))[0]
    return None, [
        "nothing says which classes are normal, so that there is no AUROC: name them, such as with --normal "
        f"{shlex.quote(some)}, or train on them alone, with --set {shlex.quote(f'data.normal_classes={some}')}"
    ]


def _some(names: list[str]) -> str:
    classes = sorted(set(names))
    return ", ".join(classes[:20]) + (" ..." if len(classes) > 20 else "")


def _per_class(scores: Tensor, names: list[str] | None, known: Tensor | None) -> dict[str, float]:
    if names is None or known is None:
        return {}
    labels, found = np.array(names), {}
    for name in sorted({name for name, wanted in zip(names, known.tolist(), strict=True) if wanted}):
        chosen = torch.from_numpy(labels == name) | ~known
        value = auroc(scores[chosen], known[chosen])
        if value is not None:
            found[name] = value
    return found


def _held_out(
    run: Run, scorer: _Scorer, split: str | None, normals: str | Path | None, normal: Sequence[str] | None
) -> tuple[Tensor, str]:
    """The scores of normal samples that were not trained on, and where they are from.

    Raises:
        DataError: If there are none; the message says how to have some.
    """
    place = "RUN" if run.path is None else shlex.quote(str(run.path))
    if normals is not None:
        source = feed(run, input=normals, steady=True)
    elif split == "valid":
        raise DataError("the validation part is what is scored: give further normal samples with --normals PATH")
    elif "valid" not in run.dataset.splits:
        raise DataError(
            "it needs normal samples that were not trained on, and this run held none out: train with --set "
            f"data.validation=0.1, or give some by `latentia anomaly {place} --normals PATH`"
        )
    else:
        source = feed(run, split="valid", steady=True)
    scores = scorer(source)
    if normal is not None and source.names is not None:
        scores = scores[torch.tensor([name in normal for name in source.names])]
    return scores, source.source


def _folder(run: Run, out: str | Path | None) -> Path | None:
    if out is not None:
        return storage.make_folder(Path(out))
    return None if run.directory is None else storage.make_folder(run.directory.plots)


def _write(run: Run, result: Anomalies, source: Feed, folder: Path, stem: str, show: int) -> None:
    noun, told = run.spec.noun, "" if result.auroc is None else f"AUROC {result.auroc:.4f}"
    paths = {"csv": folder / f"{stem}.csv", "histogram": folder / f"{stem}-histogram.png"}
    storage.write_text(paths["csv"], _table(result))
    figure = plot_scores(
        result.scores.numpy(),
        None if result.anomalous is None else result.anomalous.numpy(),
        threshold=result.threshold,
        unit=SCORES[result.score],
        title=f"{result.score} of {len(result.scores):,} {result.source}",
        remarks=told,
        noun=noun,
    )
    save_figure(figure, paths["histogram"])
    paths["picture"] = folder / f"{stem}-pictures.png"
    highest, nearest = _chosen(result, show)
    chosen = torch.cat([highest, nearest])
    x, x_hat = _looked_at(run, source, chosen)
    rows = [f"the {noun}s with the highest scores"]
    if len(nearest):
        rows.append("those nearest to the threshold" if result.threshold is not None else "those in the middle")
    figure = plot_anomalies(
        x,
        x_hat,
        run.spec,
        scores=result.scores[chosen].tolist(),
        labels=_labels(result, chosen),
        rows=rows,
        title=f"{result.score} of {result.source} under {run.name}",
    )
    save_figure(figure, paths["picture"])
    result.files.update(paths)


def _chosen(result: Anomalies, show: int) -> tuple[Tensor, Tensor]:
    """The samples with the highest scores, and the borderline: nearest to the threshold, or else to the median."""
    scores = result.scores
    n = min(show, len(scores))
    border = float(scores.median()) if result.threshold is None else result.threshold
    highest = scores.argsort(descending=True, stable=True)[:n]
    nearest = (scores - border).abs().argsort(stable=True)[:n]
    if len(scores) < 2 * show:  # they would be the same ones
        return highest, nearest[:0]
    return highest, nearest[scores[nearest].argsort(descending=True, stable=True)]


def _looked_at(run: Run, source: Feed, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Some samples and their reconstructions, on the CPU."""
    found: dict[int, tuple[Tensor, Tensor]] = {}
    wanted, start = set(chosen.tolist()), 0
    with evaluating(run.model):
        for block in source.blocks:
            rows = [index for index in range(len(block.x)) if start + index in wanted]
            if rows:
                x, y = block.x[rows], None if block.y is None else block.y[rows]
                for row, a, b in zip(rows, x.cpu(), run.model.reconstruct(x, y).cpu(), strict=True):
                    found[start + row] = (a, b)
            start += len(block.x)
    pairs = [found[index] for index in chosen.tolist()]
    return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])


def _labels(result: Anomalies, chosen: Tensor) -> list[str]:
    names = result.names
    return [f"#{index}" if names is None else names[index] for index in chosen.tolist()]


def _table(result: Anomalies) -> str:
    """The CSV: index, label and anomalous where known, score, alarm where there is a threshold."""
    columns: dict[str, list[Any]] = {"index": list(range(len(result.scores)))}
    if result.names is not None:
        columns["label"] = result.names
    if result.anomalous is not None:
        columns["anomalous"] = result.anomalous.int().tolist()
    columns["score"] = [repr(value) for value in result.scores.tolist()]
    if result.alarms is not None:
        columns["alarm"] = result.alarms.int().tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
