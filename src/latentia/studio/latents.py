"""The latent space as points on a plane: encodings of a part of the data, and where the plane lies.

Owns planes and what stands at a point; the encodings themselves are those of every use of a run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.bundle import pack
from latentia.exploration.grids import plane as plane_points
from latentia.exploration.grids import principal_plane
from latentia.exploration.projection import project
from latentia.runs.run import Run
from latentia.runs.uses.feeding import feed
from latentia.runs.uses.material import Material, decode, encode, is_conditional, label_for, snapped
from latentia.studio import pixels
from latentia.studio.desk import Opened, Studio, data_key
from latentia.studio.query import Query

MAPS = {"tsne": "t-SNE", "umap": "UMAP"}
PLANES = ("raw", "pca", *MAPS)
MOST, MOST_MAPPED = 100_000, 2_000  # samples on a plane; of those that t-SNE and UMAP map, which takes them seconds
SENT = 2**25  # bytes of latents that are sent along with their positions
ATLAS = 48 * 2**20  # bytes of thumbnails
NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Encoded:
    """The posteriors of the first samples of a part.

    Attributes:
        z: Their means, (N, d).
        scale: Their standard deviations, (N, d), or ``None`` for single points.
        y: Labels (N,), or ``None``.
        total: How many samples the part has.
    """

    z: np.ndarray
    scale: np.ndarray | None
    y: np.ndarray | None
    total: int


@dataclass(frozen=True, eq=False)
class Plane:
    """Points on a plane, and the plane where it is one.

    Attributes:
        positions: (N, 2).
        axes: What the two coordinates are.
        origin: Where both are 0, (d,), or ``None`` where there is no way back from the plane.
        basis: The two directions, (2, d), likewise.
        explained: The share of the variance along each.
        residual: The root mean squared distance of the points from the plane.
    """

    positions: np.ndarray
    axes: tuple[str, str]
    origin: np.ndarray | None
    basis: np.ndarray | None
    explained: list[float] | None
    residual: float | None


def encoded(studio: Studio, opened: Opened, split: str, n: int) -> Encoded:
    """The posteriors of the first n samples of a part; of fewer where latents are very large."""
    n = max(1, min(n, pixels.BUDGET // (8 * opened.run.model.latent_dim)))  # a mean and a deviation of each
    return studio.shelf.get(("encoded", opened.key, split, n), partial(_encode, opened.run, split, n))


def _encode(run: Run, split: str, n: int) -> Encoded:
    source = feed(run, n, split=split)
    loc, scale = [], []
    deterministic = run.model.discrete or bool(getattr(run.model.posterior, "deterministic", False))
    with evaluating(run.model):
        for block in source.blocks:
            q = run.model.encode(block.x, block.y)
            loc.append(q.mean.flatten(1).float().cpu())
            if not deterministic:
                scale.append(q.variance.sqrt().flatten(1).float().cpu())
    y = None if source.y is None else source.y.numpy()
    total = len(run.dataset.split(split))
    return Encoded(torch.cat(loc).numpy(), torch.cat(scale).numpy() if scale else None, y, total)


def _errors(run: Run, split: str, n: int) -> np.ndarray:
    """The squared error of each reconstruction, summed over its values, (N,)."""
    found = []
    with evaluating(run.model):
        for block in feed(run, n, split=split).blocks:
            reconstruction = run.model.reconstruct(block.x, block.y)
            found.append((reconstruction - block.x).square().flatten(1).sum(1).cpu())
    return torch.cat(found).float().numpy()


def labels_of(y: np.ndarray | None, n: int, classes: int) -> tuple[np.ndarray, int]:
    """Labels as small numbers, and the number that stands for none."""
    kind: Any = np.uint8 if classes < 255 else np.uint16
    none = int(np.iinfo(kind).max)
    return (np.full(n, none, kind) if y is None else y[:n].astype(kind)), none


def latents(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The bundle of a plane: positions, labels, errors, means and standard deviations, and where the plane lies."""
    method, split = query.word("plane", "raw", PLANES), query.word("split", "test")
    asked = query.whole("n", 10_000, 1, MOST)
    n = min(asked, MOST_MAPPED) if method in MAPS else asked
    held = encoded(studio, opened, split, n)
    wished, n = min(n, held.total), len(held.z)
    cut = pixels.cut(n, wished, "samples")
    if cut is None and wished < min(asked, held.total):
        cut = f"{n:,} of {min(asked, held.total):,} samples are shown: {MAPS[method]} takes no more here"
    found = plane_of(studio, opened, held, method, split, n, query)
    labels, none = labels_of(held.y, len(held.z), len(opened.run.spec.classes))
    arrays: dict[str, np.ndarray] = {
        "positions": found.positions,
        "labels": labels,
        "ids": np.arange(len(held.z), dtype=np.int32),
    }
    if query.flag("errors", True):
        arrays["errors"] = studio.shelf.get(("errors", opened.key, split, n), partial(_errors, opened.run, split, n))
    small = held.z.nbytes <= SENT
    if small:
        arrays["z"] = held.z
        if held.scale is not None:
            arrays["scale"] = held.scale
    if found.origin is not None and found.basis is not None:
        arrays |= {"origin": found.origin, "basis": found.basis}
    facts = {
        "plane": method,
        "invertible": found.origin is not None,
        "explained": found.explained,
        "residual": found.residual,
        "axes": list(found.axes),
        "n": len(held.z),
        "total": held.total,
        "split": split,
        "dim": held.z.shape[1],
        "z": small,
        "none": none,
        "classes": list(opened.run.spec.classes),
        "step": opened.step,
        "cut": cut,
    }
    return pack(facts, arrays)


def plane_of(studio: Studio, opened: Opened, held: Encoded, method: str, split: str, n: int, query: Query) -> Plane:
    """The plane that a request names."""
    d = held.z.shape[1]
    if method == "raw":
        across, up = query.whole("x", 0, 0, d - 1), query.whole("y_axis", min(1, d - 1), 0, d - 1)
        return _raw(held.z, across, up)
    key = ("plane", opened.key, split, n, method)
    return studio.shelf.get(key, partial(_principal if method == "pca" else partial(_mapped, method=method), held.z))


def _raw(z: np.ndarray, across: int, up: int) -> Plane:
    """Two dimensions as they are, through the mean of the others; a single one is spread at random."""
    mean = z.mean(0, dtype=np.float64)
    basis = np.zeros((2, z.shape[1]))
    basis[0, across] = 1.0
    origin = mean.copy()
    origin[across] = 0.0
    spread = float(z.var(0, dtype=np.float64).sum())
    total = spread or 1.0
    shares = [float(z[:, across].var()) / total]
    if across == up:
        jitter = np.random.default_rng(0).uniform(-0.5, 0.5, len(z))
        positions = np.stack([z[:, across], jitter], 1)
        axes = (f"z{across}", "(spread at random)")
    else:
        basis[1, up], origin[up] = 1.0, 0.0
        positions, axes = z[:, [across, up]], (f"z{across}", f"z{up}")
        shares.append(float(z[:, up].var()) / total)
    residual = math.sqrt(max(0.0, spread * (1 - sum(shares)))) if z.shape[1] > len(shares) else 0.0
    return Plane(positions, axes, origin, basis, shares, residual)


def _principal(z: np.ndarray) -> Plane:
    """The plane through the first two principal components."""
    if z.shape[1] == 1 or len(z) < 2:
        return _raw(z, 0, min(1, z.shape[1] - 1))
    found = principal_plane(torch.from_numpy(z))
    total = float(z.var(0, dtype=np.float64).sum())
    names = [f"principal component {i} ({share:.0%} of the variance)" for i, share in enumerate(found.shares, 1)]
    residual = math.sqrt(max(0.0, total * (1 - sum(found.shares))))
    return Plane(
        found.scores.numpy(),
        (names[0].replace("%", " %"), names[1].replace("%", " %")),
        found.origin.numpy(),
        found.axes.numpy(),
        list(found.shares),
        residual,
    )


def _mapped(z: np.ndarray, method: str) -> Plane:
    """A map of neighbours, from which there is no way back to latents."""
    found = project(z, method)
    points = found.points if found.points.shape[1] > 1 else np.column_stack([found.points, np.zeros(len(z))])
    axes = (*found.axes, "")[:2]
    return Plane(points, (axes[0], axes[1]), None, None, None, None)


def thumbnails(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The first samples of a part, small."""
    run, split = opened.run, query.word("split", "test")
    height, width, channels = pixels.shape_of(run.spec)
    each = min(height, pixels.THUMBNAIL) * min(width, pixels.THUMBNAIL) * channels if run.spec.is_image else 4 * width
    n = min(query.whole("n", 10_000, 1, MOST), max(1, ATLAS // each))
    what = query.word("what", "originals", ("originals", "reconstructions"))
    assert run.directory is not None
    of = opened.key if what == "reconstructions" else data_key(run.directory, run.config)
    key = ("thumbnails", of, split, n, what)
    arrays = studio.shelf.get(key, partial(_thumbnails, run, split, n, what))
    (array,) = arrays.values()
    height, width = array.shape[1:3] if run.spec.is_image else (1, array.shape[1])
    return pack({"n": len(array), "height": height, "width": width, "what": what, "split": split}, arrays)


def _thumbnails(run: Run, split: str, n: int, what: str) -> dict[str, np.ndarray]:
    pieces: list[np.ndarray] = []
    name = ""
    with evaluating(run.model):
        for block in feed(run, n, split=split, steady=True).blocks:
            x = block.x if what == "originals" else run.model.reconstruct(block.x, block.y)
            ((name, piece),) = pixels.drawn("pixels", x, run.spec).items()
            pieces.append(pixels.thumbnails(piece) if run.spec.is_image else piece)
    return {name: np.concatenate(pieces)}


def pair(studio: Studio, opened: Opened, query: Query) -> bytes:
    """One sample: original, reconstruction, difference, where it lies, and what lies nearest to it."""
    run, split = opened.run, query.word("split", "test")
    material = Material(run, split)
    index = query.whole("index", 0, 0, max(0, len(material) - 1))
    picked = material.at([index])
    with evaluating(run.model):
        q = run.model.encode(picked.x, picked.y)
        x_hat = run.model.reconstruct(picked.x, picked.y).cpu()
    x, spec = picked.x.cpu(), run.spec
    z = q.mean.flatten(1).float().cpu().numpy()[0]
    squares = (x_hat - x).square()
    arrays = {
        **pixels.drawn("original", x[0], spec),
        **pixels.drawn("reconstruction", x_hat[0], spec),
        "difference": pixels.difference(x, x_hat, spec)[0],
        "error": squares[0].sum(0).numpy() if spec.is_image else squares[0].numpy(),
        "z": z,
    }
    if not run.model.discrete and not getattr(run.model.posterior, "deterministic", False):
        arrays["scale"] = q.variance.sqrt().flatten(1).float().cpu().numpy()[0]
    units = pixels.source(picked.x, spec, run.preparation)
    if units is not None:
        arrays["source"] = units
    n = query.whole("n", 10_000, 1, MOST)
    held = encoded(studio, opened, split, n)
    distances = np.linalg.norm(held.z - z, axis=1)
    near = [int(i) for i in distances.argsort(kind="stable")[: NEIGHBOURS + 1] if i != index][:NEIGHBOURS]
    if near:
        shown = pixels.drawn("neighbour_pixels", material.at(near).x.cpu(), spec)
        arrays |= {"neighbours": np.array(near, np.int32), **shown}
    facts = {
        "index": index,
        "error": float(squares.sum()),
        "mse": float(squares.mean()),
        "label": None if picked.y is None else int(picked.y[0]),
        "name": picked.names[0],
        "distances": [float(distances[i]) for i in near],
        "step": opened.step,
    }
    return pack(facts, arrays)


def manifold(studio: Studio, opened: Opened, query: Query) -> bytes:
    """A part of a plane, decoded in rows and columns, the top row first."""
    run, wished = opened.run, query.whole("n", 20, 2, 50)
    n = max(2, math.isqrt(pixels.fitting(wished**2, run.spec)))
    method, split = query.word("plane", "raw", ("raw", "pca")), query.word("split", "test")
    count = query.whole("samples", 10_000, 1, MOST)
    held = encoded(studio, opened, split, count)
    found = plane_of(studio, opened, held, method, split, len(held.z), query)
    assert found.origin is not None and found.basis is not None
    x0, x1 = query.real("x0", -3.0), query.real("x1", 3.0)
    y0, y1 = query.real("y0", -3.0), query.real("y1", 3.0)
    assert x0 is not None and x1 is not None and y0 is not None and y1 is not None
    if not (x0 < x1 and y0 < y1):
        raise ConfigError("x0 must be below x1, and y0 below y1")
    horizontal, vertical = torch.linspace(x0, x1, n).double(), torch.linspace(y0, y1, n).double()
    points = plane_points(torch.from_numpy(found.origin), torch.from_numpy(found.basis), horizontal, vertical)
    frames = decode(run, snapped(run, points.flatten(0, 1)), label(run, query)).unflatten(0, (n, n))
    facts = {"n": n, "x0": x0, "x1": x1, "y0": y0, "y1": y1, "axes": list(found.axes), "plane": method}
    facts["cut"] = pixels.cut(n, wished, "rows and columns")
    return pack(facts, pixels.drawn("pixels", frames, run.spec))


def mean(studio: Studio, opened: Opened, query: Query) -> bytes:
    """The mean of the latents of some samples, decoded."""
    run, split = opened.run, query.word("split", "test")
    material = Material(run, split)
    ids = query.values.get("ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST or not all(type(one) is int for one in ids):
        raise ConfigError(f"ids must be a list of 1 to {MOST:,} numbers of samples")
    if not 0 <= min(ids) <= max(ids) < len(material):
        raise ConfigError(f"ids must be numbers from 0 to {len(material) - 1}")
    held = encoded(studio, opened, split, max(max(ids) + 1, min(10_000, len(material))))
    if max(ids) >= len(held.z):
        raise ConfigError(f"latents of this size are held of {len(held.z):,} samples: choose among the first of them")
    z = held.z[ids].mean(0, dtype=np.float64)
    frame = decode(run, snapped(run, torch.from_numpy(z)[None]), label(run, query))
    return pack({"n": len(ids)}, {**pixels.drawn("pixels", frame[0], run.spec), "z": z})


def label(run: Run, query: Query) -> int | None:
    """The class that a conditional model decodes: ``y``, or for others nothing."""
    y = query.maybe_whole("y", 0, max(0, len(run.spec.classes) - 1))
    if y is None and is_conditional(run):
        raise ConfigError("the model is conditional and decodes a latent as one of a class: choose one (y)")
    return label_for(run, y) if is_conditional(run) else None


def point(run: Run, value: Any, split: str) -> tuple[Tensor, int | None]:
    """A point of the latent space, (d,) in float64: given by its coordinates, or as the number of a sample.

    Returns:
        The point, and the sample's label.
    """
    d = run.model.latent_dim
    if isinstance(value, list):
        try:
            z = torch.tensor([float(number) for number in value], dtype=torch.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError("a latent is a list of numbers") from error
        if len(z) != d or not bool(z.isfinite().all()) or float(z.abs().max()) > 1e6:
            raise ConfigError(f"a latent of this model is a list of {d} finite numbers below 1e6 in size")
        return z, None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError("a point is the number of a sample, or a list of numbers")
    picked = Material(run, split).at([value])
    return encode(run, picked.x, picked.y)[0].flatten().double(), None if picked.y is None else int(picked.y[0])
