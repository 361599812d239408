"""Arithmetic with latents: class means and single samples added and subtracted, and the sum decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.exploration.arithmetic import Term, combine, parse
from latentia.exploration.style import save_figure
from latentia.exploration.walks import plot_equation
from latentia.runs.uses.material import (
    Inputs,
    Material,
    decode,
    encode,
    is_conditional,
    label_for,
    label_of,
    snapped,
    where_decoded,
)
from latentia.runs.uses.places import place

if TYPE_CHECKING:
    from latentia.runs.run import Run

MOST_TERMS = 24


@dataclass(frozen=True, eq=False)
class Equation:
    """A sum of latents, decoded.

    Attributes:
        x: What the sum decodes to, the mean of p(x given z), (*event).
        latent: The sum, (*latent); of discrete latents the codes nearest to it, which are what is decoded.
        terms: Its terms.
        term_latents: The latent of each, without its factor, (T, *latent); of discrete latents likewise.
        term_frames: What each decodes to, (T, *event).
        counts: How many samples each is the mean of; 1 for a single one.
        source: Where the samples came from.
        picture: The picture that was written, or ``None``.
    """

    x: Tensor
    latent: Tensor
    terms: list[Term]
    term_latents: Tensor
    term_frames: Tensor
    counts: list[int]
    source: str
    picture: Path | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "source": self.source,
            "terms": [
                {"factor": term.factor, "name": term.name, "samples": count}
                for term, count in zip(self.terms, self.counts, strict=True)
            ],
            "latent": [round(value, 6) for value in self.latent.flatten().tolist()],
        }


def arithmetic(
    run: Run,
    expression: str,
    *,
    label: str | int | None,
    split: str,
    input: Inputs,
    out: str | Path | None,
    write: bool,
) -> Equation:
    """Add latents up; see :meth:`latentia.Run.arithmetic`."""
    picture = place(run, out, "arithmetic.png") if write else None
    terms = parse(expression, run.spec.classes)
    if len(terms) > MOST_TERMS:
        raise ConfigError(f"a sum may have {MOST_TERMS} terms, not {len(terms)}")
    material = Material(run, split, input)
    found = [_latent(material, term) for term in terms]
    latents = torch.stack([z for z, _, _ in found])
    total = combine(terms, latents)
    y = None
    if is_conditional(run):
        labels = [y for _, _, y in found]
        y = torch.tensor([*labels, labels[0] if label is None else label_for(run, label)])
    elif label is not None:
        label_for(run, label)  # refuses it
    points = snapped(run, torch.cat([latents, total[None]]))
    x = decode(run, points, y)
    result = Equation(x[-1], points[-1], terms, points[:-1], x[:-1], [n for _, n, _ in found], material.source, picture)
    if picture is not None:
        _draw(run, result, picture)
    return result


def _latent(material: Material, term: Term) -> tuple[Tensor, int, int]:
    """A term's latent, of how many samples it is the mean, and its label (-1 where there is none)."""
    if term.index is not None:
        picked = material.at([term.index])
        return encode(material.run, picked.x, picked.y)[0], 1, -1 if picked.y is None else int(picked.y[0])
    numbers = material.of_class(term.name)
    mean = material.latents()[numbers].double().mean(0).float()
    return mean, len(numbers), label_of(material.spec, term.name)


def _draw(run: Run, result: Equation, picture: Path) -> None:
    written = [term.written(first=number == 0) for number, term in enumerate(result.terms)]
    notes = [
        "" if term.index is not None else f"mean of {count:,}"
        for term, count in zip(result.terms, result.counts, strict=True)
    ]
    figure = plot_equation(
        torch.cat([result.term_frames, result.x[None]]),
        [*written, "= sum"],
        [*notes, "decoded"],
        run.spec,
        title=f"{' '.join(written)}, with latents of {result.source}{where_decoded(run)} ({run.name})",
    )
    save_figure(figure, picture)
