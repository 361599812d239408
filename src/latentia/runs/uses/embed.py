"""Embedding: the latents of data as CSV and NPZ, and as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia import storage
from latentia.data.blocks import Block
from latentia.data.seeds import generator
from latentia.errors import ConfigError, did_you_mean
from latentia.evaluation.encoding import evaluating
from latentia.exploration.latents import plot_projection
from latentia.exploration.projection import Projection, project
from latentia.exploration.style import save_figure
from latentia.runs.uses.feeding import Feed, feed

if TYPE_CHECKING:
    from latentia.runs.run import Run

LATENTS = ("mean", "sample")
DRAWN = 3000  # latents in the picture, if not told otherwise: t-SNE of more takes minutes


@dataclass(frozen=True, eq=False)
class Embedding:
    """Latents of data, and where they were written.

    Attributes:
        latents: (N, *latent), float32.
        y: Labels (N,), int64, or ``None``.
        classes: The names of the labels 0, 1, ...
        points: What was drawn, (M, 1), (M, 2) or (M, 3), of the first M <= N latents.
        axes: What each axis of ``points`` is.
        which: ``mean`` or ``sample`` of q(z given x).
        projection: ``none``, ``pca``, ``tsne`` or ``umap``.
        source: Where the data came from.
        seed: Of the samples and of the projection.
        csv: A row for each latent: index, label, z0, z1 ..., and the projected points; or ``None``.
        npz: The arrays index, latents, points, and y and classes where there are labels; or ``None``.
        picture: The scatter, or ``None``.
    """

    latents: Tensor
    y: Tensor | None
    classes: tuple[str, ...]
    points: np.ndarray
    axes: tuple[str, ...]
    which: str
    projection: str
    source: str
    seed: int
    csv: Path | None
    npz: Path | None
    picture: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were written."""
        files = {name: getattr(self, name) for name in ("picture", "csv", "npz")}
        return {
            **{name: None if path is None else str(path) for name, path in files.items()},
            "source": self.source,
            "n": len(self.latents),
            "latent_shape": list(self.latents.shape[1:]),
            "latents": self.which,
            "projection": self.projection,
            "drawn": len(self.points),
            "axes": list(self.axes),
            "labelled": self.y is not None,
            "seed": self.seed,
        }


def embed(
    run: Run,
    n: int | None = None,
    *,
    latents: str = "mean",
    projection: str = "auto",
    split: str = "test",
    input: str | Path | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    write: bool = True,
) -> Embedding:
    """Encode data, write the latents and draw them; see :meth:`latentia.Run.embed`."""
    if latents not in LATENTS:
        raise ConfigError(
            f"latents are each posterior's {' or a '.join(LATENTS)}, not '{latents}'.{did_you_mean(latents, LATENTS)}"
        )
    if latents == "sample" and getattr(run.model.posterior, "deterministic", False):
        raise ConfigError(
            f"the latents of {run.name} are points, of which there are no samples: embed their means (--latents mean)"
        )
    source = feed(run, n, split=split, input=input)
    z = encode(run, source, seed=seed if latents == "sample" else None)
    shown = z[:DRAWN] if n is None else z
    projected = project(shown.flatten(1).numpy(), projection, seed=seed)
    classes = run.spec.classes if source.y is not None else ()
    folder = _folder(run, out) if write else None
    stem = source.stem if latents == "mean" else f"{source.stem}-samples"
    paths = [None if folder is None else folder / f"{stem}.{kind}" for kind in ("csv", "npz", "png")]
    result = Embedding(
        z, source.y, classes, projected.points, projected.axes, latents, projected.method, source.source, seed, *paths
    )
    if folder is not None:
        _write(result, projected, _title(run, result), projected.note)
    return result


def encode(run: Run, source: Feed, *, seed: int | None = None) -> Tensor:
    """The latents of a feed, (N, *latent), on the CPU: means of q(z given x), or samples where there is a seed."""
    pieces = []
    with evaluating(run.model):
        for block in source.blocks:
            q = run.model.encode(block.x, block.y)
            pieces.append((q.mean if seed is None else q.from_noise(_noise(run, block, seed))).cpu())
    return torch.cat(pieces)


def _noise(run: Run, block: Block, seed: int) -> Tensor:
    """The noise of a block's samples, (B, *latent): that of a full block, cut, so that it depends on no number."""
    source = generator(block.x.device, seed, "embed", "noise", block.index)
    (noise,) = run.model.draw_noise(block.size, 1, source, block.x.device)
    return noise[0, : len(block.x)]


def _folder(run: Run, out: str | Path | None) -> Path | None:
    if out is not None:
        return storage.make_folder(Path(out))
    return None if run.directory is None else storage.make_folder(run.directory.latents)


def _title(run: Run, result: Embedding) -> str:
    count = f"{len(result.points):,}"
    if len(result.points) < len(result.latents):
        count = f"the first {count} of {len(result.latents):,}"
    point = getattr(run.model.posterior, "deterministic", False)
    words = "latents" if point else {"mean": "posterior means", "sample": "posterior samples"}[result.which]
    return f"{words} of {count} {result.source}"


def _write(result: Embedding, projected: Projection, title: str, remarks: str) -> None:
    assert result.csv is not None and result.npz is not None and result.picture is not None
    storage.write_text(result.csv, _table(result))
    arrays: dict[str, Any] = {
        "index": np.arange(len(result.latents)),
        "latents": result.latents.numpy(),
        "points": result.points,
    }
    if result.y is not None:
        arrays |= {"y": result.y.numpy(), "classes": np.array(result.classes)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    storage.write_bytes(result.npz, buffer.getvalue())
    y = None if result.y is None else result.y[: len(result.points)].numpy()
    save_figure(plot_projection(projected, y, result.classes, title=title, remarks=remarks), result.picture)


def _table(result: Embedding) -> str:
    """The CSV; cells of the projection are empty for latents that were not drawn."""
    flat = result.latents.flatten(1)
    projected = result.projection != "none"
    header = ["index", *(["label"] if result.y is not None else []), *(f"z{i}" for i in range(flat.shape[1]))]
    header += [f"{result.projection}{i + 1}" for i in range(result.points.shape[1])] if projected else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for index, row in enumerate(flat.tolist()):
        label = [] if result.y is None else [result.classes[int(result.y[index])]]
        point: Sequence[Any] = []
        if projected:
            point = result.points[index] if index < len(result.points) else [None] * result.points.shape[1]
        writer.writerow([index, *label, *(f"{value:.9g}" for value in row), *(_cell(value) for value in point)])
    return text.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
