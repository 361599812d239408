"""The scene of a latent explorer that stands alone: what the exported page and the notebook's widget are told of a run.

Owns which points, draws and figures such an explorer has; knows neither pages nor notebooks. The arrays travel as
:mod:`latentia.exploration.bundle` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.resizing import resize
from latentia.data.seeds import derive_seed
from latentia.errors import ConfigError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.bundle import pack
from latentia.exploration.grids import principal_plane
from latentia.exploration.images import to_rgb
from latentia.runs.card import what_it_is
from latentia.runs.priors import find_prior
from latentia.runs.report import measured_of, short, tiles
from latentia.runs.uses.feeding import feed
from latentia.runs.uses.material import Material, decode
from latentia.runs.uses.ranking import is_standard, rank_dimensions

if TYPE_CHECKING:
    from latentia.runs.run import Run

POINTS, FEWEST = 2000, 100  # encodings that are shown; at least so many, however large each is
ROOM = 2**21  # bytes of latents, and of thumbnails
THUMBNAIL = 32  # pixels of a thumbnail's longer side, at most
DRAWS = 480  # from the prior
NO_CLASS = 65535


@dataclass(frozen=True, eq=False)
class Scene:
    """A run's latent space, ready to be shown.

    Attributes:
        facts: What it is, as JSON has it.
        arrays: Latents, labels, the plane, thumbnails, draws from the prior.
        split: Which part the points are from.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]
    split: str

    def pack(self, facts: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None) -> bytes:
        """The bundle, with further facts and arrays."""
        return pack(self.facts | (facts or {}), self.arrays | (arrays or {}))


def scene(run: Run) -> Scene:
    """Encode the first samples of the test part and gather what an explorer shows.

    Raises:
        DataError: If the run's data cannot be found.
    """
    split = "test" if "test" in run.dataset.splits else next(iter(run.dataset.splits))
    z, y, x = _encoded(run, split)
    plane, place = _plane(z)
    ranking = rank_dimensions(Material(run, split))
    draws, samples = _draws(run)
    labels = {} if y is None else {"labels": y.numpy().astype(np.uint16)}
    arrays = {
        "z": z.numpy(),
        **labels,
        **plane,
        "mean": np.zeros(z.shape[1]) if is_standard(run) else ranking.mean.numpy(),
        "spread": ranking.spread.numpy(),
        **_pictures(run, x),
        **draws,
    }
    facts = {
        **_about(run),
        **place,
        "none": NO_CLASS,
        "source": f"{split} {run.spec.noun}s",
        "total": len(run.dataset.split(split)),
        "order": ranking.order,
        "rates": ranking.rates,
        "active": ranking.active,
        "unit": "z" if is_standard(run) else "standard deviations",
        **samples,
    }
    return Scene(facts, arrays, split)


def means(run: Run, z: Tensor, y: Tensor | int | None) -> Tensor:
    """What latents (N, d) decode to, (N, *event), in the data's own range."""
    return run.preparation.restore(decode(run, z, y))


def _encoded(run: Run, split: str) -> tuple[Tensor, Tensor | None, Tensor]:
    """Posterior means (N, d), labels (N,) and data (N, *event) of the first samples."""
    n = max(FEWEST, min(POINTS, ROOM // (4 * run.model.latent_dim)))
    found, seen = [], []
    source = feed(run, n, split=split, steady=True)
    with evaluating(run.model):
        for block in source.blocks:
            found.append(run.model.encode(block.x, block.y).mean.flatten(1).float().cpu())
            seen.append(block.x.cpu())
    y = source.y if len(run.spec.classes) <= NO_CLASS else None
    return torch.cat(found), y, torch.cat(seen)


def _plane(z: Tensor) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Where the points lie on a plane, and what that is: of more than two dimensions the principal one."""
    d = z.shape[1]
    if d > 2 and len(z) > 1:
        found = principal_plane(z)
        arrays = {"positions": found.scores, "origin": found.origin, "basis": found.axes}
        shares = list(found.shares)
        names = [f"principal component {i} ({100 * share:.0f} % of the variance)" for i, share in enumerate(shares, 1)]
    else:
        up = z[:, 1] if d > 1 else torch.rand(len(z), generator=torch.Generator().manual_seed(0)) - 0.5
        arrays = {"positions": torch.stack([z[:, 0], up], 1), "origin": torch.zeros(d), "basis": torch.eye(2)[:, :d]}
        shares, names = None, ["z0", "z1" if d > 1 else "(spread at random)"]
    return {name: array.numpy() for name, array in arrays.items()}, {"axes": names, "explained": shares}


def _pictures(run: Run, x: Tensor) -> dict[str, np.ndarray]:
    """The data of the first points, as small pictures; of vectors the numbers, in the units of their source."""
    if not run.spec.is_image:
        return {"values": run.preparation.restore(x)[: max(FEWEST, ROOM // (4 * run.spec.dimensions))].numpy()}
    channels, height, width = run.spec.event_shape
    longer = max(height, width)
    size = [max(1, round(side * min(1, THUMBNAIL / longer))) for side in (height, width)]
    kept = 3 if channels == 3 else 1
    pixels = to_rgb(x[: max(FEWEST, ROOM // (kept * size[0] * size[1]))], run.spec.low, run.spec.high)[..., :kept]
    if longer > THUMBNAIL:
        pixels = resize(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)), *size).transpose(0, 2, 3, 1)
    return {"pixels": pixels}


def _draws(run: Run) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Draws from the prior from which ``latentia sample`` draws, with their classes where it knows them."""
    if run.model.discrete:
        why = "Samples of codes need a network that predicts them one by one: latentia sample RUN draws them."
        return {}, {"prior": None, "samples": why}
    try:
        name, fitted = find_prior(run, None)
    except ConfigError:
        why = "This model has no prior, so there is nothing to draw from; latentia fit-prior RUN gmm fits one."
        return {}, {"prior": None, "samples": why}
    prior: Any = run.model.prior if fitted is None else fitted
    knows = bool(getattr(prior, "conditional", False))
    y = torch.arange(DRAWS) % len(run.spec.classes) if knows else None
    with evaluating(run.model) as device:
        source = torch.Generator(device).manual_seed(derive_seed(0, "scene"))
        z = prior.sample(DRAWS, generator=source, temperature=1.0, y=None if y is None else y.to(device))
    arrays = {"sample_z": z.flatten(1).cpu().numpy()}
    if y is not None:
        arrays["sample_y"] = y.numpy().astype(np.int32)
    word = "the model's prior" if name == "model" else f"the fitted prior {name}"
    return arrays, {"prior": "the standard normal" if name == "model" and is_standard(run) else word, "samples": None}


def _about(run: Run) -> dict[str, Any]:
    """What the run is, and its figures."""
    spec, model, config, summary = run.spec, run.model, run.config, run.summary
    walkable = not model.discrete
    evaluation = (run.directory.evaluation() if run.directory is not None else None) or {}
    measured = measured_of(summary, evaluation)
    figures = [
        {"name": name, "value": value, "unit": unit, "meaning": meaning}
        for name, value, unit, meaning in tiles(measured, spec.noun)
    ]
    low, high = (0.0, 1.0) if run.preparation.within_unit else (spec.low, spec.high)
    return {
        "title": run.name,
        "summary": what_it_is(config),
        "dim": model.latent_dim,
        "latent_shape": list(model.latent_shape),
        "kind": spec.noun,
        "shape": list(spec.event_shape),
        "low": low,
        "high": high,
        "classes": list(spec.classes) if len(spec.classes) <= NO_CLASS else [],
        "conditional": model.conditional,
        "walkable": walkable,
        "why": None if walkable else "Latents are codes, and the decoder knows nothing between two codes.",
        "figures": figures,
        "about": _words(run),
    }


def _words(run: Run) -> list[list[str]]:
    config, summary = run.config, run.summary
    epochs, steps = summary.get("epochs"), summary.get("steps")
    words = [
        ["preset", config.preset or "none"],
        ["data", f"{Path(config.data.source).name}: {run.spec.describe()}"],
        ["latents", " x ".join(map(str, run.model.latent_shape))],
        ["likelihood", config.model.likelihood.name],
        ["prior", "none" if config.model.prior is None else config.model.prior.name],
        ["trained", f"{short(epochs)} epochs, {steps:,} steps" if epochs is not None and steps is not None else ""],
        ["parameters", f"{sum(parameter.numel() for parameter in run.model.parameters()):,}"],
        ["seed", str(config.seed)],
        ["Latentia", version("latentia")],
    ]
    return [pair for pair in words if pair[1]]
