"""What a use of a run works on: a split of its data or new data, in fixed blocks on the model's device.

Knows nothing of what is done with them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from latentia.data.blocks import Block, blocks
from latentia.data.dataset import Split
from latentia.errors import ConfigError
from latentia.evaluation.encoding import BLOCK
from latentia.runs.inputs import read_input

if TYPE_CHECKING:
    from latentia.runs.run import Run


@dataclass(frozen=True, eq=False)
class Feed:
    """Samples for a model, in order.

    Attributes:
        run: Whose model is to see them.
        source: Where they come from, in words, for titles.
        stem: A short word for file names: the split, or ``input``.
        n: How many there are.
        y: Labels (N,), int64, on the CPU, or ``None``.
        names: The class of each sample, also where the model does not know it, or ``None``.
        blocks: Once through them, on the model's device.
    """

    run: Run
    source: str
    stem: str
    n: int
    y: Tensor | None
    names: list[str] | None
    blocks: Iterator[Block]


def feed(
    run: Run,
    n: int | None = None,
    *,
    split: str = "test",
    input: str | Path | None = None,
    steady: bool = False,
) -> Feed:
    """Go through the first samples of a split or of a file once.

    Args:
        run: Whose model is to see them.
        n: How many; all there are if ``None`` or if there are fewer.
        split: Where from, unless ``input`` is given.
        input: New data of the same kind.
        steady: Whether preparations that need noise (dynamic binarisation, dequantisation) get its mean, 0.5, in the
            place of draws, so that a sample becomes the same x whatever is beside it.

    Raises:
        ConfigError: If n is smaller than 1.
        DataError: If there is no such split, or the file does not fit the model.
    """
    if n is not None and n < 1:
        raise ConfigError(f"n must be at least 1, not {n}")
    device = next(run.model.parameters()).device
    if input is not None:
        resized = run.config.data.size is not None
        given = read_input(Path(input), run.spec, run.preparation, resized=resized, steady=steady)
        for note in given.notes:
            warnings.warn(note, stacklevel=4)
        count = len(given.x) if n is None else min(n, len(given.x))
        y = None if given.y is None else given.y[:count]
        names = None if given.names is None else given.names[:count]
        return Feed(run, given.source, "input", count, y, names, _pieces(given.x[:count], y, device))
    part = run.dataset.split(split)
    count = len(part) if n is None else min(n, len(part))
    found = blocks(part, run.preparation, size=BLOCK, seed=0, purpose="evaluation", device=device)
    y = None if part.y is None else part.y[:count]
    if steady and run.preparation.needs_noise:
        found = _steady(part, run, device)
    names = None if y is None else [run.spec.classes[int(label)] for label in y]
    return Feed(run, f"{split} {run.spec.noun}s", split, count, y, names, _first(found, count))


def _steady(part: Split, run: Run, device: torch.device) -> Iterator[Block]:
    for index, start in enumerate(range(0, len(part), BLOCK)):
        stored = part.x[start : start + BLOCK].to(device)
        x = run.preparation(stored, torch.full(stored.shape, 0.5, device=device))
        y = None if part.y is None else part.y[start : start + BLOCK].to(device)
        yield Block(index, x, y, BLOCK)


def _pieces(x: Tensor, y: Tensor | None, device: torch.device) -> Iterator[Block]:
    for index, start in enumerate(range(0, len(x), BLOCK)):
        labels = None if y is None else y[start : start + BLOCK].to(device)
        yield Block(index, x[start : start + BLOCK].to(device), labels, BLOCK)


def _first(found: Iterator[Block], count: int) -> Iterator[Block]:
    for block in found:
        kept = min(len(block.x), count)
        yield Block(block.index, block.x[:kept], None if block.y is None else block.y[:kept], block.size)
        count -= kept
        if count == 0:
            return
