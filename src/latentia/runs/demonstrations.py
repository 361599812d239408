"""Demonstrations: small experiments that show an idea with numbers and a picture, without a run of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from latentia import storage
from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError
from latentia.exploration import demonstrations as figures
from latentia.exploration.style import save_figure
from latentia.exploration.walks import Row, plot_traversals
from latentia.maths.spread import mean_and_deviation
from latentia.runs.fitting import train
from latentia.training.events import Events

FOLDER = "demonstrations"  # in the current folder, where nothing else is said
BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Demonstration:
    """What a demonstration found.

    Attributes:
        name: Which one.
        figures: Its numbers.
        pictures: The pictures that were written.
    """

    name: str
    figures: dict[str, Any]
    pictures: tuple[Path, ...]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"name": self.name, **self.figures, "pictures": [str(path) for path in self.pictures]}


def demonstrate_reparameterisation(
    mu: float = 2.0, logvar: float = 0.5, n: int = 10_000, *, seed: int = 0, out: str | Path | None = None
) -> Demonstration:
    """Draw from a normal by scaling and shifting noise, and compare mean, spread and gradients with the exact ones.

    Args:
        mu: The mean.
        logvar: ln sigma^2.
        n: How many draws, at least 100.
        seed: Of the draws.
        out: Where the picture goes; ``demonstrations/reparameterisation.png`` if not given.

    Returns:
        Mean and standard deviation of the draws, exact and measured, and of two estimates of the gradient of E[z^2]
        by mu: through the draws, and by the score function.

    Raises:
        ConfigError: If an argument is out of range.
    """
    source = torch.Generator().manual_seed(derive_seed(seed, "reparameterisation"))
    draws = figures.reparameterise(mu, logvar, n, source)
    path = _place(out, "reparameterisation")
    save_figure(figures.plot_reparameterisation(draws), path)
    found = {
        "mu": mu,
        "logvar": logvar,
        "n": n,
        "seed": seed,
        "mean": {"exact": mu, "measured": float(draws.z.mean())},
        "standard_deviation": {"exact": draws.sigma, "measured": float(draws.z.std())},
        "gradient_of_squared_mean": {
            "exact": 2 * mu,
            "draws_each": figures.BATCH,
            "through_z": mean_and_deviation(draws.pathwise.tolist()),
            "score_function": mean_and_deviation(draws.score.tolist()),
        },
    }
    return Demonstration("reparameterisation", found, (path,))


def demonstrate_reductions(
    dimensions: int = 784, latents: int = 20, batch: int = 128, *, out: str | Path | None = None
) -> Demonstration:
    """Show what sums and means do to the balance of distortion and rate.

    Args:
        dimensions: Values in one sample.
        latents: Latent dimensions.
        batch: Samples in a batch.
        out: Where the picture goes; ``demonstrations/reductions.png`` if not given.

    Returns:
        For each way to reduce: the effective beta, and the KL weight that makes it 1, for a cross-entropy and for a
        squared error.

    Raises:
        ConfigError: If an argument is out of range.
    """
    rows = figures.reductions(dimensions, latents, batch)
    path = _place(out, "reductions")
    save_figure(figures.plot_reductions(rows, dimensions, latents, batch), path)
    listed = [
        {
            "distortion": row.distortion,
            "kl": row.kl,
            "beta_effective": {"cross_entropy": row.bce, "squared_error": row.squared_error},
            "kl_weight_for_beta_1": {"cross_entropy": 1 / row.bce, "squared_error": 1 / row.squared_error},
        }
        for row in rows
    ]
    sizes = {"dimensions": dimensions, "latents": latents, "batch": batch}
    return Demonstration("reductions", {**sizes, "reductions": listed}, (path,))


def demonstrate_beta_sweep(
    preset: str = "vae",
    data: Any = None,
    *,
    data_dir: str | Path | None = None,
    betas: Sequence[float] = BETAS,
    epochs: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    settings: Sequence[str] | Mapping[str, Any] = (),
    out: str | Path | None = None,
    events: Events | None = None,
) -> Demonstration:
    """Train the same VAE with several betas, and draw rate against distortion, and a traversal of each.

    Higgins et al., "beta-VAE", 2017, https://openreview.net/forum?id=Sy2fzU9gl; the curve: Alemi et al., "Fixing a
    Broken ELBO", 2018, https://arxiv.org/abs/1711.00464. Each beta is trained once, so that a small difference means
    nothing.

    Args:
        preset: A preset whose objective is the ELBO.
        data: As for :func:`latentia.train`.
        data_dir: Where original files are looked for first.
        betas: The factors on the rate, at least two different ones.
        epochs: Passes over the training part, in place of the preset's.
        steps: Optimiser steps, in place of epochs.
        seed: Of every training.
        settings: Further settings.
        out: Where the curve goes; ``demonstrations/beta-sweep.png`` if not given. The traversals are beside it.
        events: Who is told about progress.

    Returns:
        Distortion, rate and dimensions in use of each, on the test part.

    Raises:
        ConfigError: If there are fewer than two betas, or the preset has none.
    """
    wanted = sorted(set(map(float, betas)))
    if len(wanted) < 2 or wanted[0] < 0:
        raise ConfigError("a sweep needs at least two different betas, none of them negative")
    path = _place(out, "beta-sweep")
    swept, run = [], None
    for beta in wanted:
        chosen = _with_beta(settings, beta)
        run = train(
            preset, data, data_dir=data_dir, directory=None, epochs=epochs, steps=steps, seed=seed, settings=chosen,
            events=events,
        )  # fmt: skip
        measured = run.measure()
        walk = run.traverse(write=False)
        if measured["rate_per_dimension"] is None:
            raise ConfigError(
                "this prior has no rate of each dimension: take one with a standard normal prior, such as vae"
            )
        active = sum(rate > 0.01 for rate in measured["rate_per_dimension"])
        swept.append(figures.SweptRun(beta, measured["distortion"], measured["rate"], active, walk.frames[0]))
    assert run is not None
    name = f"{run.name}, seed {seed}"
    curve = figures.plot_rate_distortion(
        swept, run.model.latent_dim, title=f"beta buys rate with distortion ({name})", noun=run.spec.noun
    )
    save_figure(curve, path)
    rows = [Row(f"β = {one.beta:g}", f"{one.active} dims > 0.01") for one in swept]
    values = [f"{value:.3g}" for value in torch.linspace(-3, 3, len(swept[0].frames)).tolist()]
    walks = plot_traversals(
        torch.stack([one.frames for one in swept]),
        values,
        rows,
        run.spec,
        title=f"the dimension of the highest rate, for each beta ({name})",
        remarks=[
            "columns: its value; the others stay at the posterior mean of test sample 0",
            "under each beta: dimensions with a rate above 0.01 nats",
        ],
    )
    beside = path.with_name(f"{path.stem}-traversals.png")
    save_figure(walks, beside)
    listed = [
        {"beta": one.beta, "distortion": one.distortion, "rate": one.rate, "dimensions_in_use": one.active}
        for one in swept
    ]
    found = {"preset": preset, "data": run.config.data.source, "seed": seed, "latent_dim": run.model.latent_dim}
    return Demonstration("beta-sweep", {**found, "betas": listed}, (path, beside))


def _with_beta(settings: Sequence[str] | Mapping[str, Any], beta: float) -> list[str] | dict[str, Any]:
    if isinstance(settings, Mapping):
        return {**settings, "objective.beta": beta}
    return [*([settings] if isinstance(settings, str) else settings), f"objective.beta={beta!r}"]


def _place(out: str | Path | None, name: str) -> Path:
    path = Path(FOLDER) / f"{name}.png" if out is None else Path(out)
    if path.suffix.lower() != ".png":
        raise ConfigError(f"pictures are written as PNG: give a path that ends in .png, not {path}")
    storage.make_folder(path.parent)
    return path
