"""Traversal: each latent dimension moved on its own, to see what it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.exploration.grids import along
from latentia.exploration.plots import ACTIVE_RATE
from latentia.exploration.style import save_figure
from latentia.exploration.walks import Row, plot_traversals
from latentia.runs.uses.material import (
    Inputs,
    Material,
    Picked,
    decode,
    encode,
    is_conditional,
    label_for,
    snapped,
    where_decoded,
)
from latentia.runs.uses.places import place
from latentia.runs.uses.ranking import Ranking, is_standard, rank_dimensions

if TYPE_CHECKING:
    from latentia.runs.run import Run

MOST_ROWS, MOST_BANDS, MOST_STEPS = 20, 6, 25  # dimensions of images and of vectors shown if none are named; values


@dataclass(frozen=True, eq=False)
class Traversal:
    """What becomes of a sample when one latent dimension moves and the others stay.

    Attributes:
        frames: Means of p(x given z), (D, S, *event).
        dimensions: The dimensions, numbered in the flattened latent, (D,); ranked if none were asked for.
        values: What each becomes, (D, S), in units of z; of discrete latents before the nearest code is taken.
        unit: Of the range asked for: ``z``, or ``standard deviations`` of the data's latents from their mean.
        rates: The rate of each of them, nats per sample; ``None`` without a closed form.
        spread: Standard deviation of each one's posterior means over the data.
        active: Whether each carries something.
        base: The point that was moved, (d,).
        image: The number of the sample whose posterior mean that is, or ``None`` for the middle of the latent space.
        label: The class as which a conditional model decodes all of it, else ``None``.
        source: Where the sample came from.
        measured_on: The number of samples that rates and spreads rest on.
        picture: The picture that was written, or ``None``.
    """

    frames: Tensor
    dimensions: list[int]
    values: Tensor
    unit: str
    rates: list[float] | None
    spread: list[float]
    active: list[bool]
    base: Tensor
    image: int | None
    label: str | None
    source: str
    measured_on: int
    picture: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "source": self.source,
            "image": self.image,
            "class": self.label,
            "unit": self.unit,
            "measured_on": self.measured_on,
            "dimensions": [
                {
                    "dimension": number,
                    "rate": None if self.rates is None else self.rates[row],
                    "spread": self.spread[row],
                    "active": self.active[row],
                    "values": [round(value, 6) for value in self.values[row].tolist()],
                }
                for row, number in enumerate(self.dimensions)
            ],
        }


def traverse(
    run: Run,
    *,
    image: int | None,
    dims: Sequence[int] | None,
    range: tuple[float, float],
    steps: int,
    label: str | int | None,
    split: str,
    input: Inputs,
    out: str | Path | None,
    write: bool,
) -> Traversal:
    """Move latent dimensions one at a time; see :meth:`latentia.Run.traverse`."""
    picture = place(run, out, "traversal.png") if write else None
    material = Material(run, split, input)
    _check(run, range, steps, dims)
    if image is not None and label is not None:
        raise ConfigError("a class is for a walk from the middle of the latent space: an image brings its own")
    ranking = rank_dimensions(material)
    chosen = list(dims) if dims is not None else ranking.order[: MOST_ROWS if run.spec.is_image else MOST_BANDS]
    base, y = _base(run, material, ranking, image, label)
    standard = is_standard(run)
    unit = torch.linspace(*range, steps, dtype=torch.float64).expand(len(chosen), -1)  # (D, S)
    values = unit if standard else ranking.mean[chosen, None] + unit * ranking.spread[chosen, None]
    points = along(base, torch.tensor(chosen), values)  # (D, S, d)
    frames = decode(run, snapped(run, points.flatten(0, 1)), y).unflatten(0, points.shape[:2])
    result = Traversal(
        frames=frames,
        dimensions=chosen,
        values=values.clone(),
        unit="z" if standard else "standard deviations",
        rates=None if ranking.rates is None else [ranking.rates[number] for number in chosen],
        spread=[float(ranking.spread[number]) for number in chosen],
        active=[ranking.active[number] for number in chosen],
        base=base,
        image=image,
        label=None if y is None else run.spec.classes[y],
        source=material.source,
        measured_on=ranking.n,
        picture=picture,
    )
    if picture is not None:
        _draw(run, result, unit[0], picture)
    return result


def _check(run: Run, range: tuple[float, float], steps: int, dims: Sequence[int] | None) -> None:
    low, high = range
    if not -1e6 < low < high < 1e6:
        raise ConfigError(f"the range must go from a smaller to a larger number, not from {low:g} to {high:g}")
    if not 2 <= steps <= MOST_STEPS:
        raise ConfigError(f"steps must be between 2 and {MOST_STEPS}, not {steps}")
    if dims is not None and len(dims) == 0:
        raise ConfigError("dims names no dimension: give at least one, or leave it out")
    for number in dims or ():
        if not 0 <= number < run.model.latent_dim:
            raise ConfigError(
                f"there is no latent dimension {number}: they are numbered from 0 to {run.model.latent_dim - 1}"
            )


def _base(
    run: Run, material: Material, ranking: Ranking, image: int | None, label: str | int | None
) -> tuple[Tensor, int | None]:
    """The point to be moved, (d,) in float64, and the label under which a conditional model decodes it."""
    if image is None:
        middle = torch.zeros_like(ranking.mean) if is_standard(run) else ranking.mean
        return middle, label_for(run, label)
    picked: Picked = material.at([image])
    y = int(picked.y[0]) if is_conditional(run) and picked.y is not None else None
    return encode(run, picked.x, picked.y).flatten().double(), y


def _draw(run: Run, result: Traversal, columns: Tensor, picture: Path) -> None:
    rows = []
    for row, number in enumerate(result.dimensions):
        note = f"sd {result.spread[row]:.3g}" if result.rates is None else f"{_small(result.rates[row])} nats"
        own = float(result.base[number])
        gaps = (result.values[row] - own).abs()
        inside = result.image is not None and float(gaps.min()) <= float(result.values[row].diff().abs().max())
        rows.append(Row(f"z{number}", note, result.active[row], int(gaps.argmin()) if inside else None))
    start = "the middle of the latent space" if result.image is None else f"#{result.image} of {result.source}"
    start += "" if result.label is None else f", all as class {result.label}"
    left_out = run.model.latent_dim - len(rows)
    remarks = [
        "columns: " + ("value of z" if result.unit == "z" else "standard deviations of z over the data, from its mean"),
        *(["outlined: nearest to the image's own value"] if any(row.own is not None for row in rows) else []),
        *([f"{left_out} dimensions are not shown"] if left_out else []),
    ]
    title = f"latent dimensions moved one at a time, from {start}{where_decoded(run)} ({run.name})"
    save_figure(
        plot_traversals(
            result.frames.float(),
            [f"{value:.3g}" for value in columns],
            rows,
            run.spec,
            title=title,
            remarks=remarks,
            grey="hardly varies over the data" if result.rates is None else f"a rate of at most {ACTIVE_RATE:g} nats",
        ),
        picture,
    )


def _small(rate: float) -> str:
    """A rate with as many digits as show on which side of the limit it lies.

    Example:
        >>> _small(2.104), _small(0.0004), _small(0.01004)
        ('2.10', '0.000', '0.01004')
    """
    shown = f"{rate:.2f}" if rate >= 0.1 else f"{max(rate, 0.0):.3f}"
    digits = 4
    while (float(shown) > ACTIVE_RATE) != (rate > ACTIVE_RATE):
        shown, digits = f"{rate:.{digits}f}", digits + 1
    return shown
