"""The pictures and the report of a run, drawn from its model and its files."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from latentia import storage
from latentia.data.dataset import DataSpec
from latentia.evaluation.encoding import encode_split
from latentia.exploration import plots
from latentia.recipes.config import Config, to_toml
from latentia.runs.directory import RunDirectory
from latentia.runs.report import ReportFigure, render_report

if TYPE_CHECKING:
    from latentia.runs.run import Run

LATENTS = 3000  # test images in the picture of the latent space


def draw_samples(path: Path, x: Tensor, spec: DataSpec, name: str, seed: int, temperature: float) -> None:
    """Write a grid of samples."""
    tempered = "" if temperature == 1.0 else f", temperature {temperature:g}"
    plots.save_figure(plots.plot_samples(x, spec, title=f"{len(x)} samples of {name} (seed {seed}{tempered})"), path)


def draw_class_samples(
    path: Path, x: Tensor, classes: Sequence[str], spec: DataSpec, name: str, seed: int, temperature: float
) -> None:
    """Write samples of classes, a row or more for each, the first class first."""
    tempered = "" if temperature == 1.0 else f", temperature {temperature:g}"
    n = len(x) // len(classes)
    of = f"class {classes[0]}" if len(classes) == 1 else "each class"
    title = f"{n} sample{'s' if n != 1 else ''} of {of} by {name} (seed {seed}{tempered})"
    plots.save_figure(plots.plot_class_samples(x, classes, spec, title=title), path)


def draw_reconstructions(
    path: Path,
    x: Tensor,
    reconstruction: Tensor,
    spec: DataSpec,
    errors: Tensor,
    labels: Sequence[str] | None,
    source: str,
) -> None:
    """Write originals over reconstructions."""
    title = f"originals and reconstructions ({source})"
    figure = plots.plot_reconstructions(
        x.cpu(), reconstruction.cpu(), spec, errors=errors.tolist(), labels=labels, title=title
    )
    plots.save_figure(figure, path)


def write_array(path: Path, x: Tensor) -> None:
    """Write an array as ``.npy``."""
    buffer = io.BytesIO()
    np.save(buffer, x.numpy(), allow_pickle=False)
    storage.write_bytes(path, buffer.getvalue())


def draw_run(run: Run, evaluation: Mapping[str, Any] | None) -> None:
    """Draw everything that a report shows into the run's ``samples`` and ``plots``."""
    directory = run.directory
    assert directory is not None
    folder = storage.make_folder(directory.plots)
    rows = run.metrics
    if rows:
        plots.save_figure(plots.plot_curves(rows, noun=run.spec.noun), folder / "curves.png")
    if evaluation is not None and evaluation["rate_per_dimension"]:
        plots.save_figure(
            plots.plot_rate_per_dimension(evaluation["rate_per_dimension"], noun=run.spec.noun),
            folder / "rates.png",
        )
    split = "test" if "test" in run.dataset.splits else "train"
    run.reconstruct(16, split=split)
    if run.config.objective.corruption is not None:
        run.denoise(8, split=split)
    if run.model.has_prior:
        run.sample()
    means, y = encode_split(run.model, run.dataset, split, limit=LATENTS)
    if len(means) > 1:
        words = "latents" if getattr(run.model.posterior, "deterministic", False) else "posterior means"
        figure = plots.plot_latents(
            means.flatten(1).numpy(),
            None if y is None else y.numpy(),
            run.spec.classes,
            title=f"{words} of {len(means):,} {split} {run.spec.noun}s",
        )
        plots.save_figure(figure, folder / "latents.png")


FIGURES = [
    ("samples/samples.png", "Samples", "Draws from the prior, decoded to the mean of p(x given z)."),
    (
        "samples/samples-gmm.png",
        "Samples from a mixture",
        "Draws from a Gaussian mixture that was fitted to the latents of the training part, decoded.",
    ),
    (
        "samples/samples-autoregressive.png",
        "Samples from an autoregressive prior",
        "Codes drawn one after the other by a network that was fitted to those of the training part, decoded.",
    ),
    (
        "samples/samples-diffusion.png",
        "Samples from a diffusion prior",
        "Draws from a diffusion model that was fitted to the latents of the training part, decoded.",
    ),
    (
        "samples/reconstructions.png",
        "Reconstructions",
        "Originals above, reconstructions at the posterior mean below, with the mean squared error of each.",
    ),
    (
        "samples/denoised.png",
        "Denoising",
        "Originals, what the model was shown of them, and what it made of that, with the mean squared error of each.",
    ),
    ("plots/curves.png", "Training", "Loss terms over the epochs."),
    ("plots/latents.png", "Latent space", "The mean of q(z given x) of each sample of the data."),
    (
        "plots/classification.png",
        "Classes from few labels",
        "What a classifier on the latents of the labelled took each class for, in % of the class.",
    ),
    (
        "plots/rates.png",
        "Rate of each latent dimension",
        "KL of each dimension, sorted: those near zero carry nothing. The line is at 0.01 nats; the active units among "
        "the results are counted by another criterion, the variance of their mean over the data.",
    ),
]


def write_report(directory: RunDirectory, config: Config, summary: Mapping[str, Any], spec: DataSpec) -> Path:
    """Write ``report.html`` from the pictures and figures that the run's folder holds."""
    figures = [
        ReportFigure(title, caption, (directory.path / name).read_bytes())
        for name, title, caption in FIGURES
        if (directory.path / name).is_file()
    ]
    run = shlex.quote(str(directory.path))
    suited = "autoregressive" if config.objective.name == "quantized" else "gmm"
    html = render_report(
        title=f"{config.preset or 'model'} on {Path(config.data.source).name}",
        noun=spec.noun,
        summary=summary,
        evaluation=directory.evaluation() or {},
        config_toml=to_toml(config),
        figures=figures,
        notes=summary.get("notes", []),
        diagnosis=directory.diagnosis(),
        commands=[
            f"latentia evaluate {run} --importance-samples 500",
            f"latentia reconstruct {run} --n 20",
            *([f"latentia fit-prior {run} {suited}"] if config.model.prior is None else []),
            _sampling(run, config, spec),
            f"latentia resume {run} --epochs {2 * round(summary.get('epochs', 1)) or 1}",
        ],
    )
    storage.write_text(directory.report_file, html)
    return directory.report_file


def _sampling(run: str, config: Config, spec: DataSpec) -> str:
    """The command that draws more samples."""
    if config.model.condition is None:
        return f"latentia sample {run} --n 100 --seed 1"
    return f"latentia sample {run} --class {shlex.quote(spec.classes[-1])} --n 40 --seed 1"
