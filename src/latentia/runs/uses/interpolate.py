"""Interpolation: from the latent of one sample to that of another, every step decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia import storage
from latentia.errors import ConfigError
from latentia.exploration.animation import gif_bytes
from latentia.exploration.arithmetic import image_number
from latentia.exploration.images import to_rgb
from latentia.exploration.paths import walk
from latentia.exploration.style import save_figure
from latentia.exploration.walks import plot_path
from latentia.runs.uses.material import (
    Inputs,
    Material,
    decode,
    encode,
    is_conditional,
    reconstruct,
    snapped,
    where_decoded,
)
from latentia.runs.uses.places import place

if TYPE_CHECKING:
    from latentia.runs.run import Run

MOST_STEPS = 400


@dataclass(frozen=True, eq=False)
class Interpolation:
    """The decoded points of a path between the latents of two samples.

    Attributes:
        frames: Means of p(x given z), (T, *event); the first and the last are the reconstructions of the samples.
        latents: The points, (T, *latent); of discrete latents the nearest codes, which are what is decoded.
        ends: The two samples, (2, *event).
        names: What they are called: their classes, or numbers.
        indices: Their numbers in the source.
        source: Where they came from.
        path: ``linear`` or ``spherical``.
        picture: The strip that was written, or ``None``.
        animation: The GIF that was written, or ``None``.
    """

    frames: Tensor
    latents: Tensor
    ends: Tensor
    names: tuple[str, str]
    indices: tuple[int, int]
    source: str
    path: str
    picture: Path | None
    animation: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "animation": None if self.animation is None else str(self.animation),
            "source": self.source,
            "indices": list(self.indices),
            "names": list(self.names),
            "path": self.path,
            "steps": len(self.frames),
            "latent_distance": float((self.latents[-1] - self.latents[0]).double().norm()),
        }


def interpolate(
    run: Run,
    start: str | int | None,
    end: str | int | None,
    *,
    images: Sequence[int] | None,
    steps: int,
    path: str,
    split: str,
    input: Inputs,
    out: str | Path | None,
    write: bool,
) -> Interpolation:
    """Walk from one sample to another; see :meth:`latentia.Run.interpolate`."""
    if not 2 <= steps <= MOST_STEPS:
        raise ConfigError(f"steps must be between 2 and {MOST_STEPS}, not {steps}")
    picture = place(run, out, "interpolation.png") if write else None
    material = Material(run, split, input)
    first, last = _ends(material, start, end, images)
    picked = material.at([first, last])
    means = encode(run, picked.x, picked.y)
    latents = snapped(run, walk(means[0], means[1], steps, path))
    y = None
    if is_conditional(run) and picked.y is not None:
        y = picked.y[(torch.linspace(0, 1, steps) > 0.5).long()]  # of the nearer end
    frames = decode(run, latents, y)
    frames[[0, -1]] = reconstruct(run, picked)  # to the last bit, whatever the size of the batch does to sums
    ends = picked.x.cpu()
    result = Interpolation(
        frames, latents, ends, (picked.names[0], picked.names[1]), (first, last), material.source, path, picture, None
    )
    return result if picture is None else _drawn(run, result, picture)


def _ends(
    material: Material, start: str | int | None, end: str | int | None, images: Sequence[int] | None
) -> tuple[int, int]:
    """The numbers of the two samples."""
    if (start is None) != (end is None):
        raise ConfigError("an interpolation needs both ends: give what to begin with and what to end with")
    if start is not None and end is not None:
        if images is not None:
            raise ConfigError("give two classes or the numbers of two samples, not both")
        return _end(material, start), _end(material, end)
    if images is None:
        images = (0, 1)
    if len(images) != 2:
        raise ConfigError(f"an interpolation has two ends: give two numbers, not {len(images)}")
    if len(material) < 2:
        raise ConfigError(f"{material.source} has only one sample: give two files, or one that holds at least two")
    return int(images[0]), int(images[1])


def _end(material: Material, name: str | int) -> int:
    """The number of the sample that an end means: ``#7`` is sample 7, anything else a class."""
    number = image_number(str(name), material.spec.classes)
    if number is not None:
        material.check([number])
        return number
    if not material.spec.classes or material.y is None:
        noun = material.spec.noun
        raise ConfigError(
            f"{material.source} have no labels, so there is no class '{name}' among them: give two {noun}s by number, "
            "such as with --from '#0' --to '#1', or --images 0 1"
        )
    return material.most_typical(name)


def _drawn(run: Run, result: Interpolation, picture: Path) -> Interpolation:
    """Write the strip, and for images the GIF beside it."""
    (a, b), (i, j) = result.names, result.indices
    named = run.spec.classes and not a.startswith("#")
    ends = f"{a} (#{i}) to {b} (#{j})" if named else f"#{i} to #{j}"
    figure = plot_path(
        result.frames,
        result.ends,
        run.spec,
        names=result.names,
        title=f"{ends} of {result.source}, a {result.path} path{where_decoded(run)} ({run.name})",
    )
    save_figure(figure, picture)
    animation = None
    if run.spec.is_image:
        animation = picture.with_suffix(".gif")
        storage.write_bytes(animation, gif_bytes(to_rgb(result.frames, run.spec.low, run.spec.high)))
    return Interpolation(**{**result.__dict__, "animation": animation})
