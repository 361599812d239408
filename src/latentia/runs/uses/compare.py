"""Several runs side by side: the same samples through each, their latents, and their figures in one convention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia import storage
from latentia.data.dataset import Dataset, Split
from latentia.data.mapped import equal
from latentia.data.preparation import Preparation
from latentia.errors import ConfigError
from latentia.evaluation.encoding import evaluating
from latentia.evaluation.likelihood import evaluate
from latentia.exploration.comparison import plot_latents_side_by_side, plot_side_by_side
from latentia.exploration.projection import Projection, project
from latentia.exploration.style import save_figure
from latentia.runs.directory import new_run_path
from latentia.runs.inputs import read_input
from latentia.runs.uses.embed import encode
from latentia.runs.uses.feeding import feed

if TYPE_CHECKING:
    from latentia.runs.run import Run

FIGURES = ("mse", "squared_error", "psnr", "rate", "distortion", "elbo", "beta_effective", "active_units", "latent_dim")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The same samples under several runs.

    Attributes:
        names: What each run is called.
        x: Originals, (N, *event).
        reconstructions: For each run, (N, *event).
        projections: For each run, the latents that were drawn.
        rows: For each run its figures, on all samples: ``mse``; ``squared_error``, its sum over the values of a sample;
            ``psnr``; ``rate``, ``distortion`` and ``elbo`` in nats; ``beta_effective``; ``likelihood``, what the
            distortion is of.
        comparable: Figure -> whether those of all runs that have it mean the same.
        notes: Why some do not.
        source: Where the samples came from.
        n: How many the figures rest on.
        files: ``images``, ``latents`` and ``table``, where they were written.
    """

    names: list[str]
    x: Tensor
    reconstructions: list[Tensor]
    projections: list[Projection]
    rows: list[dict[str, Any]]
    comparable: dict[str, bool]
    notes: tuple[str, ...]
    source: str
    n: int
    files: dict[str, Path] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            **{name: None if (path := self.files.get(name)) is None else str(path) for name in _FILES},
            "source": self.source,
            "n": self.n,
            "runs": self.rows,
            "comparable": self.comparable,
            "notes": list(self.notes),
        }


_FILES = ("images", "latents", "table")


def compare(
    runs: Sequence[Run | str | Path],
    *,
    n: int = 6,
    points: int = 1000,
    latents: str = "mean",
    projection: str = "auto",
    split: str = "test",
    input: str | Path | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    write: bool = True,
) -> Comparison:
    """Show the same samples through several runs, their latents side by side, and their figures in one convention.

    Args:
        runs: At least two, opened or by their paths, that see the same data in the same way.
        n: How many samples are shown.
        points: How many latents are drawn.
        latents: The ``mean`` of each posterior, or a ``sample`` of it (of an autoencoder, the point).
        projection: As for :meth:`latentia.Run.embed`; ``auto`` leaves up to two dimensions as they are and draws more
            by t-SNE.
        split: Where from, unless ``input`` is given.
        input: New data of the same kind.
        seed: Of samples, of t-SNE and of the evaluation's noise.
        out: The folder that the files go to; a new one in ``runs/`` if not given.
        write: Whether to write anything at all.

    Returns:
        Reconstructions, projected latents, and the figures with notes on which of them compare.

    Raises:
        ConfigError: If there are fewer than two runs, or they see different data.

    Example:
        >>> import latentia as lt
        >>> runs = [lt.train(preset, steps=2, directory=None) for preset in ("ae", "vae")]
        >>> found = compare(runs, projection="pca", write=False)
        >>> found.comparable["mse"], found.comparable["elbo"]
        (True, True)
        >>> [row["rate"] is None for row in found.rows]
        [True, False]
    """
    from latentia.runs.run import open_run

    opened = [open_run(run) if isinstance(run, str | Path) else run for run in runs]
    if len(opened) < 2:
        raise ConfigError("there must be at least two runs to compare")
    if n < 1 or points < 1:
        raise ConfigError(f"at least one sample must be shown and one latent drawn, not {n} and {points}")
    if latents not in ("mean", "sample"):
        raise ConfigError(f"latents are each posterior's mean or a sample, not '{latents}'")
    names = _names(opened)
    _check_same_data(opened, names, split, input)
    x, shown, source = _first(opened[0], n, split, input)
    reconstructions = [_reconstructed(run, n, split, input) for run in opened]
    projections, y = _projections(opened, points, latents, projection, split, input, seed)
    rows = [_figures(run, name, split, input, seed) for run, name in zip(opened, names, strict=True)]
    comparable, notes = _convention(rows)
    result = Comparison(
        names, x, reconstructions, projections, rows, comparable, tuple(notes), source, rows[0].pop("n")
    )
    for row in rows[1:]:
        row.pop("n")
    if write:
        folder = new_run_path("compare") if out is None else storage.make_folder(Path(out))
        _write(result, opened[0], shown, y, _words(opened, latents), folder)
    return result


def _names(runs: Sequence[Run]) -> list[str]:
    """The presets where they tell the runs apart; else with the runs' own folders, or numbers where they have none."""
    presets = [run.config.preset or "model" for run in runs]
    if len(set(presets)) == len(runs):
        return presets
    paths = [run.path for run in runs]
    for parts in (1, 2, 3):
        folders = ["/".join(path.resolve().parts[-parts:]) for path in paths if path is not None]
        if len(set(folders)) == len(runs):
            pairs = zip(presets, folders, strict=True)
            return [folder if preset in folder else f"{preset}: {folder}" for preset, folder in pairs]
    return [f"{number}: {preset}" for number, preset in enumerate(presets, 1)]


def _words(runs: Sequence[Run], latents: str) -> str:
    """What was drawn; the latents of an autoencoder are points, of which there is no mean."""
    if any(getattr(run.model.posterior, "deterministic", False) for run in runs):
        return "latents"
    return {"mean": "posterior means", "sample": "posterior samples"}[latents]


def _check_same_data(runs: Sequence[Run], names: Sequence[str], split: str, input: str | Path | None) -> None:
    first = runs[0]
    for run, name in zip(runs[1:], names[1:], strict=True):
        if run.spec.event_shape != first.spec.event_shape:
            raise ConfigError(
                f"{names[0]} takes {first.spec.describe()}, and {name} {run.spec.describe()}: compare runs on data of "
                "one shape, such as trained with the same --data and --set data.size=[HEIGHT,WIDTH]"
            )
        if run.preparation != first.preparation:
            raise ConfigError(
                f"{names[0]} and {name} prepare their data differently, so that no error compares: train them "
                "with the same --set data.binarize=..., data.dequantize=... and data.scale=..."
            )
        if input is None and not equal(run.dataset.split(split).x, first.dataset.split(split).x):
            raise ConfigError(
                f"the {split} parts of {names[0]} and {name} are not the same: train them on the same data with the "
                "same --set data.split_seed=..., or give the samples with --input"
            )


def _first(run: Run, n: int, split: str, input: str | Path | None) -> tuple[Tensor, Tensor | None, str]:
    source = feed(run, n, split=split, input=input)
    return torch.cat([block.x.cpu() for block in source.blocks]), source.y, source.source


def _reconstructed(run: Run, n: int, split: str, input: str | Path | None) -> Tensor:
    with evaluating(run.model):
        found = feed(run, n, split=split, input=input).blocks
        return torch.cat([run.model.reconstruct(block.x, block.y).cpu() for block in found])


def _projections(
    runs: Sequence[Run], points: int, latents: str, method: str, split: str, input: str | Path | None, seed: int
) -> tuple[list[Projection], Tensor | None]:
    found, y = [], None
    for run in runs:
        source = feed(run, points, split=split, input=input)
        drawn = latents == "sample" and not getattr(run.model.posterior, "deterministic", False)
        z = encode(run, source, seed=seed if drawn else None).flatten(1).numpy()
        chosen = ("none" if z.shape[1] <= 2 else "tsne") if method == "auto" else method
        found.append(project(z, chosen, seed=seed))
        y = source.y if y is None else y
    return found, y


def _figures(run: Run, name: str, split: str, input: str | Path | None, seed: int) -> dict[str, Any]:
    dataset = run.dataset if input is None else _as_dataset(run, input)
    value = evaluate(run.model, dataset, split if input is None else "test", seed=seed, beta=run.beta).to_json()
    protocol = value["protocol"]
    settings = run.config.model.likelihood.model_dump()
    likelihood = ", ".join([settings.pop("name"), *(f"{key} {setting}" for key, setting in settings.items())])
    return {
        "name": name,
        "run": None if run.path is None else str(run.path),
        "preset": run.config.preset,
        "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
        **{key: value.get(key) for key in FIGURES},
        "squared_error": value["mse"] * run.spec.dimensions,
        "beta": run.beta,
        "likelihood": likelihood,
        "likelihood_in_words": protocol["likelihood_in_words"],
        "rate_is": protocol["rate"],
        "n": value["n"],
    }


def _as_dataset(run: Run, input: str | Path) -> Dataset:
    """New data, prepared already, as the test part of a dataset."""
    given = read_input(Path(input), run.spec, run.preparation, resized=run.config.data.size is not None)
    return Dataset(given.source, run.spec, Preparation(), {"test": Split(given.x, given.y)}, "")


def _convention(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, bool], list[str]]:
    """Which figures mean the same for all runs that have them, and why the others do not."""
    comparable: dict[str, bool] = dict.fromkeys(map(str, FIGURES), True)
    notes = ["mse and squared error are of the reconstruction at the posterior mean, and compare between all runs"]
    without = [row["name"] for row in rows if row["rate"] is None]
    if without:
        notes.append(f"{_and(without)} {'has' if len(without) == 1 else 'have'} no prior, hence no rate and no elbo")
    _compare_likelihoods(rows, "distortion", comparable, notes)
    _compare_likelihoods([row for row in rows if row["elbo"] is not None], "elbo", comparable, notes)
    estimated = [row["name"] for row in rows if row["rate"] is not None and str(row["rate_is"]).startswith("estimated")]
    if estimated:
        notes.append(f"the rate of {_and(estimated)} is an estimate from one draw")
    learned = [row["name"] for row in rows if row["beta"] is not None and row["beta_effective"] is None]
    if learned:
        notes.append(f"{_and(learned)} learned the scale of the likelihood, so no one beta_effective exists")
    return comparable, notes


def _compare_likelihoods(
    rows: Sequence[dict[str, Any]], figure: str, comparable: dict[str, bool], notes: list[str]
) -> None:
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["likelihood"], []).append(row["name"])
    if len(groups) > 1:
        comparable[figure] = False
        told = "; ".join(f"{_and(names)}: {likelihood}" for likelihood, names in groups.items())
        notes.append(
            f"{figure} does not compare, as it is of different likelihoods ({told}): look at the squared error"
        )


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _write(result: Comparison, run: Run, shown: Tensor | None, y: Tensor | None, words: str, folder: Path) -> None:
    paths = {"images": folder / "compare-images.png", "latents": folder / "compare-latents.png"}
    title = f"{result.source} through {len(result.names)} models"
    labels = None if shown is None else [run.spec.classes[int(label)] for label in shown]
    figure = plot_side_by_side(
        result.x, result.reconstructions, run.spec, names=result.names, labels=labels, title=title
    )
    save_figure(figure, paths["images"])
    count = len(result.projections[0].points)
    figure = plot_latents_side_by_side(
        result.projections,
        None if y is None else y.numpy(),
        run.spec.classes,
        names=result.names,
        title=f"{words} of {count:,} {result.source}",
    )
    save_figure(figure, paths["latents"])
    result.files.update(paths, table=folder / "compare.json")
    storage.write_json(result.files["table"], result.to_json())
