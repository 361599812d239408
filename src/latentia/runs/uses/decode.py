"""Decoding: single points of the latent space, given by their coordinates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.array_files import expanded, read_arrays, shown
from latentia.data.tables import is_number, rows_of
from latentia.errors import ConfigError, DataError
from latentia.exploration.style import save_figure
from latentia.exploration.walks import plot_points
from latentia.runs.pictures import write_array
from latentia.runs.uses import material
from latentia.runs.uses.places import place

if TYPE_CHECKING:
    from latentia.runs.run import Run

MOST = 100_000
Points = Any  # numbers nested to (d,), (N, d) or (N, *latent), as lists, NumPy or PyTorch arrays; or a file's path


@dataclass(frozen=True, eq=False)
class Decoded:
    """What single points decode to.

    Attributes:
        x: Means of p(x given z), (N, *event).
        latents: The points, (N, *latent); of discrete latents the nearest codes, which are what is decoded.
        picture: The picture that was written, or ``None``.
        array: The ``.npy`` file with ``x`` in the data's own units, or ``None``.
    """

    x: Tensor
    latents: Tensor
    picture: Path | None
    array: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "array": None if self.array is None else str(self.array),
            "n": len(self.x),
            "points": [[round(value, 6) for value in point] for point in self.latents[:100].flatten(1).tolist()],
        }


def decode(run: Run, points: Points, *, label: str | int | None, out: str | Path | None, write: bool) -> Decoded:
    """Decode points; see :meth:`latentia.Run.decode`."""
    y = material.label_for(run, label)
    found = read_points(points) if isinstance(points, str | Path) else points
    latents = _as_latents(found, run.model.latent_shape)
    picture = place(run, out, "decoded.png") if write else None
    latents = material.snapped(run, latents)
    x = material.decode(run, latents, y)
    array = None
    if picture is not None:
        array = picture.with_suffix(".npy")
        names = [point_name(point) or str(number) for number, point in enumerate(latents.flatten(1).tolist())]
        many = "1 point" if len(x) == 1 else f"{len(x):,} points"
        title = f"{many} of the latent space{material.where_decoded(run)}, decoded ({run.name})"
        save_figure(plot_points(x, names, run.spec, title=title), picture)
        write_array(array, run.preparation.restore(x))
    return Decoded(x, latents, picture, array)


def point_name(point: Sequence[float]) -> str:
    """The coordinates of a point, where they are few.

    Example:
        >>> point_name([-3.0, 2.0]), point_name([0.0] * 20)
        ('(-3, 2)', '')
    """
    return "" if len(point) > 3 else "(" + ", ".join(f"{value:.4g}" for value in point) + ")"


def _as_latents(points: Any, latent_shape: tuple[int, ...]) -> Tensor:
    """(N, *latent), float32."""
    try:
        array = points.detach().cpu() if isinstance(points, Tensor) else torch.from_numpy(np.array(points, dtype=float))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the points are not numbers in rows of equal length ({error})") from error
    z = array.to(torch.float32)
    size = int(np.prod(latent_shape))
    if z.numel() and z.numel() == size and (z.dim() <= 1 or tuple(z.shape) == latent_shape):
        z = z.reshape(1, size)
    z = z.flatten(1) if z.dim() > 1 else z
    if z.dim() != 2 or z.shape[1] != size:
        given = z.shape[-1] if z.dim() else 1
        raise ConfigError(
            f"the model has {size} latent dimensions, but the points have {given}: give {size} numbers for each"
        )
    if not 1 <= len(z) <= MOST:
        raise ConfigError(f"give between 1 and {MOST:,} points, not {len(z):,}")
    if not torch.isfinite(z).all():
        raise ConfigError("some coordinates are NaN or infinite: give finite numbers")
    return z.reshape(-1, *latent_shape)


def read_points(path: str | Path) -> np.ndarray:
    """Read points from a file, one in each row.

    Args:
        path: ``.npy`` (or ``.npz``, its first array), or ``.csv`` with numbers. A CSV may have a header: if some
            columns are called z0, z1 ... (as ``latentia embed`` writes them), these count, and otherwise all.

    Raises:
        DataError: If it is missing, damaged, or holds something else.
    """
    path = expanded(path)
    if not path.is_file():
        raise DataError(f"there is no file {shown(path)}: check the path of the points")
    if path.suffix.lower() in (".npy", ".npz"):
        return next(iter(read_arrays(path).arrays.values()))
    if path.suffix.lower() != ".csv":
        raise DataError(f"{shown(path)} is of no kind that can be read: give points as .npy, .npz or .csv")
    return _numbers(rows_of(path), shown(path))


def _numbers(rows: list[list[str]], name: str) -> np.ndarray:
    columns: list[int] | None = None
    if rows and not all(map(is_number, rows[0])):
        header = {place: cell.strip() for place, cell in enumerate(rows[0])}
        named = [(int(cell[1:]), place) for place, cell in header.items() if re.fullmatch(r"z\d+", cell)]
        columns = [place for _, place in sorted(named)] or None
        rows = rows[1:]
    if not rows:
        raise DataError(f"{name} holds no points: write one in each row, its coordinates separated by commas")
    try:
        wanted = [row if columns is None else [row[place] for place in columns] for row in rows]
        return np.array([[float(cell) for cell in row] for row in wanted])
    except (ValueError, IndexError) as error:
        raise DataError(f"{name} holds something other than numbers in rows of equal length: {error}") from error
