"""The manifold: a plane of the latent space, decoded point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.exploration.grids import central_range, normal_quantiles, plane, principal_plane
from latentia.exploration.style import save_figure
from latentia.exploration.walks import plot_manifold
from latentia.runs.uses.material import Inputs, Material, decode, label_for, snapped, where_decoded
from latentia.runs.uses.places import place
from latentia.runs.uses.ranking import is_standard

if TYPE_CHECKING:
    from latentia.runs.run import Run

MOST = 50  # points along one side
PROJECTED = 10_000  # samples that principal components and ranges are taken from, at most


@dataclass(frozen=True, eq=False)
class Manifold:
    """What the points of a plane of the latent space decode to.

    Attributes:
        frames: Means of p(x given z), (R, C, *event), the top row first.
        latents: The points, (R, C, *latent); of discrete latents the nearest codes, which are what is decoded.
        horizontal: The columns' coordinates, increasing, (C,).
        vertical: The rows' coordinates from the lowest to the top one, (R,).
        axes: What the two coordinates are.
        spacing: ``quantiles`` of the normal, or ``linear``.
        picture: The picture that was written, or ``None``.
    """

    frames: Tensor
    latents: Tensor
    horizontal: Tensor
    vertical: Tensor
    axes: tuple[str, str]
    spacing: str
    picture: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "size": len(self.horizontal),
            "axes": list(self.axes),
            "spacing": self.spacing,
            "horizontal": [float(self.horizontal[0]), float(self.horizontal[-1])],
            "vertical": [float(self.vertical[0]), float(self.vertical[-1])],
        }


@dataclass(frozen=True)
class _Plane:
    """Where a plane lies, and the coordinates on it."""

    origin: Tensor
    axes: Tensor
    names: tuple[str, str]
    scores: Tensor | None  # the data's coordinates, (N, 2), where they are known


def manifold(
    run: Run,
    *,
    size: int,
    range: tuple[float, float] | None,
    dims: Sequence[int] | None,
    label: str | int | None,
    split: str,
    input: Inputs,
    out: str | Path | None,
    write: bool,
) -> Manifold:
    """Decode a plane; see :meth:`latentia.Run.manifold`."""
    if not 2 <= size <= MOST:
        raise ConfigError(f"the size must be between 2 and {MOST} points a side, not {size}")
    if range is not None and not -1e6 < range[0] < range[1] < 1e6:
        raise ConfigError(f"the range must go from a smaller to a larger number, not from {range[0]:g} to {range[1]:g}")
    y = label_for(run, label)
    picture = place(run, out, "manifold.png") if write else None
    material = _Lazily(run, split, input)
    chosen = _plane(run, material, dims)
    raw = not chosen.names[0].startswith("principal")
    quantiles = range is None and raw and material.standard
    if range is not None:
        horizontal = vertical = torch.linspace(*range, size, dtype=torch.float64)
    elif quantiles:
        horizontal = vertical = normal_quantiles(size)
    else:
        scores = chosen.scores if chosen.scores is not None else material.means @ chosen.axes.T
        horizontal, vertical = (
            torch.linspace(*central_range(column), size, dtype=torch.float64) for column in scores.unbind(1)
        )
    points = plane(chosen.origin, chosen.axes, horizontal, vertical)  # (R, C, d)
    latents = snapped(run, points.flatten(0, 1))
    frames = decode(run, latents, y).unflatten(0, (size, size))
    spacing = "quantiles" if quantiles else "linear"
    result = Manifold(frames, latents.unflatten(0, (size, size)), horizontal, vertical, chosen.names, spacing, picture)
    if picture is not None:
        _draw(run, result, label, picture)
    return result


class _Lazily:
    """The data's latents, encoded only where a plane or a range needs them."""

    def __init__(self, run: Run, split: str, input: Inputs) -> None:
        self._arguments = (run, split, input)
        self._material: Material | None = None
        if input is not None:
            self._material = Material(*self._arguments)  # so that a wrong file is told in any case

    @property
    def material(self) -> Material:
        if self._material is None:
            self._material = Material(*self._arguments)
        return self._material

    @property
    def standard(self) -> bool:
        return is_standard(self._arguments[0])

    @property
    def means(self) -> Tensor:
        """(N, d), float64."""
        return self.material.latents(PROJECTED).flatten(1).double()


def _plane(run: Run, material: _Lazily, dims: Sequence[int] | None) -> _Plane:
    count = run.model.latent_dim
    if count < 2:
        raise ConfigError("a model with one latent dimension has no plane: use `latentia traverse` instead")
    if dims is None and count > 2:
        found = principal_plane(material.means)
        one, two = (f"{100 * share:.0f} % of the variance" for share in found.shares)
        names = (f"principal component 1 ({one})", f"principal component 2 ({two})")
        return _Plane(found.origin, found.axes, names, found.scores)
    first, second = (0, 1) if dims is None else _two(dims, count)
    axes = torch.zeros(2, count, dtype=torch.float64)
    axes[0, first] = axes[1, second] = 1.0
    middle = torch.zeros(count, dtype=torch.float64)
    if not material.standard:
        middle = material.means.mean(0)
    middle[[first, second]] = 0.0
    return _Plane(middle, axes, (f"z{first}", f"z{second}"), None)


def _two(dims: Sequence[int], count: int) -> tuple[int, int]:
    if len(dims) != 2 or dims[0] == dims[1]:
        raise ConfigError(f"a plane has two different dimensions, not {', '.join(map(str, dims)) or 'none'}")
    for number in dims:
        if not 0 <= number < count:
            raise ConfigError(f"there is no latent dimension {number}: they are numbered from 0 to {count - 1}")
    return int(dims[0]), int(dims[1])


def _draw(run: Run, result: Manifold, label: str | int | None, picture: Path) -> None:
    spacing = "at normal quantiles" if result.spacing == "quantiles" else "equally spaced"
    of_class = "" if label is None else f", class {label}"
    figure = plot_manifold(
        result.frames,
        result.horizontal.tolist(),
        result.vertical.tolist(),
        run.spec,
        axes=result.axes,
        title=f"the latent plane decoded, {spacing}{where_decoded(run)}{of_class} ({run.name})",
    )
    save_figure(figure, picture, dpi=200)
