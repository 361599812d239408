"""What a model makes of points that lie in some order: traversals, paths, samples, and a training played back."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentia.errors import ConfigError, DataError, RunError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.animation import gif_bytes
from latentia.exploration.bundle import pack
from latentia.exploration.images import to_rgb
from latentia.exploration.paths import PATHS, walk
from latentia.runs.directory import RunDirectory
from latentia.runs.priors import fitted_names
from latentia.runs.run import Run
from latentia.runs.snapshots import kept_steps
from latentia.runs.uses.material import Material, decode, is_conditional, snapped
from latentia.runs.uses.ranking import Ranking, is_standard, rank_dimensions
from latentia.studio import pixels
from latentia.studio.desk import Opened, Studio
from latentia.studio.latents import label, point
from latentia.studio.query import Query

MOST_STEPS = 400  # of a path
MOST_SNAPSHOTS = 60  # that rates are measured on
RATED = 512  # samples that those rest on


def traversals(studio: Studio, opened: Opened, query: Query) -> bytes:
    """Each latent dimension moved on its own, those that carry most first."""
    run, index = opened.run, query.maybe_whole("index", 0, 2**31)
    split = query.word("split", "test")
    ranking = studio.shelf.get(("ranking", opened.key, split), lambda: rank_dimensions(Material(run, split)))
    low, high = query.real("low", -3.0), query.real("high", 3.0)
    wished = query.word("dims", "")
    try:
        dims = [int(number) for number in wished.split(",")] if wished else None
    except ValueError as error:
        raise ConfigError("dims must be numbers of dimensions with commas between them, such as 0,3,5") from error
    assert low is not None and high is not None
    wished_steps = query.whole("steps", 9, 2, 25)
    steps = pixels.fitting(wished_steps, run.spec, least=2)
    asked = min(len(dims), 50) if dims is not None else min(20, run.model.latent_dim)
    most = max(1, pixels.fitting(asked * steps, run.spec) // steps)
    chosen = dims[:most] if dims is not None else None if most >= asked else ranking.order[:most]
    y = label(run, query) if index is None else None
    found = run.traverse(index, dims=chosen, range=(low, high), steps=steps, label=y, split=split, write=False)
    facts = {
        "dimensions": found.dimensions,
        "unit": found.unit,
        "index": found.image,
        "source": found.source,
        **_ranked(ranking),
        "step": opened.step,
        "cut": pixels.cut(most, asked, "dimensions") or pixels.cut(steps, wished_steps, "steps"),
    }
    arrays = {"values": found.values.numpy(), "origin": found.base.numpy()}
    name = "pixels" if run.spec.is_image else "frames"  # of vectors, whose values are numbers as well
    return pack(facts, {**pixels.drawn(name, found.frames, run.spec), **arrays})


def _ranked(ranking: Ranking) -> dict[str, Any]:
    return {
        "order": ranking.order,
        "rates": ranking.rates,
        "spread": ranking.spread.tolist(),
        "mean": ranking.mean.tolist(),
        "active": ranking.active,
        "n": ranking.n,
    }


def path(studio: Studio, opened: Opened, query: Query) -> bytes:
    """A way between two points, decoded."""
    frames, z, facts = _walk(opened.run, query)
    return pack(facts, {**pixels.drawn("pixels", frames, opened.run.spec), "z": z.flatten(1).numpy()})


def path_gif(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The same way as an animation."""
    run = opened.run
    if not run.spec.is_image:
        raise ConfigError("vectors have no animation: take the values of the path instead")
    frames, _, _ = _walk(run, query)
    return gif_bytes(to_rgb(frames, run.spec.low, run.spec.high), back=query.flag("back", True))


def _walk(run: Run, query: Query) -> tuple[Tensor, Tensor, dict[str, Any]]:
    split, wished = query.word("split", "test"), query.whole("steps", 16, 2, MOST_STEPS)
    steps = pixels.fitting(wished, run.spec, least=2)
    (a, y_a), (b, y_b) = (point(run, query.values.get(name), split) for name in ("a", "b"))
    kind = query.word("kind", "spherical" if is_standard(run) else "linear", PATHS)
    why = "as you chose"
    if not query.values.get("kind"):
        why = (
            "the prior is a standard normal, whose mass lies on a sphere"
            if kind == "spherical"
            else "no sphere is known"
        )
    try:
        points = walk(a, b, steps, kind)
    except DataError as error:
        kind, why, points = "linear", str(error), walk(a, b, steps, "linear")
    latents = snapped(run, points)
    y: Tensor | int | None = None
    if is_conditional(run):
        if y_a is not None and y_b is not None and query.values.get("y") is None:
            y = torch.where(torch.linspace(0, 1, steps) > 0.5, y_b, y_a)  # of the nearer end
        else:
            y = label(run, query)
    facts = {"kind": kind, "why": why, "steps": steps, "distance": float((b - a).norm()), "labels": [y_a, y_b]}
    facts["cut"] = pixels.cut(steps, wished, "steps")
    return decode(run, latents, y), latents, facts


def samples(studio: Studio, opened: Opened, query: Query) -> bytes:
    """Draws from a prior, decoded."""
    run = opened.run
    y, wished = label(run, query), query.whole("n", 64, 1, 400)
    found = run.sample(
        pixels.fitting(wished, run.spec),
        classes=None if y is None else [y],
        seed=query.whole("seed", 0, 0, 2**31),
        temperature=query.real("temperature", 1.0) or 0.0,
        prior=query.word("prior", "") or None,
        write=False,
    )
    facts = {"prior": found.prior, "seed": found.seed, "temperature": found.temperature, "priors": fitted_names(run)}
    facts["cut"] = pixels.cut(len(found.x), wished, "samples")
    return pack(facts, pixels.drawn("pixels", found.x, run.spec))


def reconstructions(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The first samples and what the model makes of them."""
    run, split = opened.run, query.word("split", "test")
    material = Material(run, split)
    wished = min(query.whole("n", 8, 1, 64), len(material))
    n = max(1, pixels.fitting(2 * wished, run.spec) // 2)
    picked = material.at(range(min(n, wished)))
    with evaluating(run.model):
        x_hat = run.model.reconstruct(picked.x, picked.y).cpu()
    x = picked.x.cpu()
    arrays = {**pixels.drawn("originals", x, run.spec), **pixels.drawn("reconstructions", x_hat, run.spec)}
    facts = {"names": picked.names, "step": opened.step, "mse": float((x_hat - x).square().mean())}
    facts["cut"] = pixels.cut(len(x), wished, "samples")
    return pack(facts, arrays)


def rates(studio: Studio, name: str, directory: RunDirectory) -> dict[str, Any]:
    """The rate of each latent dimension through the training, measured on the snapshots that were kept."""
    steps = kept_steps(directory)
    if not steps:
        raise RunError(f"{directory.path} has no checkpoint yet: wait for the first")
    chosen = sorted({steps[int(i)] for i in np.linspace(0, len(steps) - 1, min(MOST_SNAPSHOTS, len(steps))).round()})
    found = []
    for step in chosen:
        opened = studio.open(name, step)
        found.append(studio.shelf.get(("rates", opened.key), partial(_rates_of, opened.run)))
    return {"steps": chosen, "rates": found, "n": RATED, "unit": "nats per sample"}


def _rates_of(run: Run) -> list[float]:
    """The mean KL of each latent dimension over the first test samples."""
    material = Material(run, "test" if "test" in run.dataset.splits else "train")
    picked = material.at(range(min(RATED, len(material))))
    model = run.model
    with evaluating(model) as device:
        noise = model.draw_noise(len(picked.x), 1, torch.Generator(device).manual_seed(0), device)
        level = model.trace(picked.x, picked.y, noise, 1).levels[0]
    if level.kl is None:
        raise ConfigError("the rate of this model has no closed form for each dimension, or it has no prior")
    return level.kl.flatten(1).double().mean(0).tolist()
