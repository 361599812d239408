"""A split in order, in fixed blocks: for validation and evaluation, whose noise must not depend on chunk sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from latentia.data.dataset import Split
from latentia.data.preparation import Preparation
from latentia.data.seeds import generator


@dataclass(frozen=True, eq=False)
class Block:
    """Some consecutive images of a split.

    Attributes:
        index: The number of the block, which seeds its noise.
        x: Prepared data, (B, *event), float32, on the device; the last block may be shorter.
        y: Labels (B,), or ``None``.
        size: The B of a full block; noise is drawn for it and cut, so that it does not depend on the data's number.
    """

    index: int
    x: Tensor
    y: Tensor | None
    size: int


def blocks(
    split: Split,
    preparation: Preparation,
    *,
    size: int,
    seed: int,
    purpose: str,
    device: torch.device | str = "cpu",
    rank: int = 0,
    world: int = 1,
) -> Iterator[Block]:
    """Go through a split once, in order.

    Args:
        split: The stored data.
        preparation: How stored data become x.
        size: Images per block.
        seed: Seeds the noise of preparations that need some (dynamic binarisation, dequantisation).
        purpose: Mixed into the seed, so that different uses draw different noise.
        device: Where the blocks are wanted.
        rank: This process's number among ``world``.
        world: Number of processes; each gets every ``world``-th block, perhaps none.

    Yields:
        Blocks of ``size`` images, the last with what remains.
    """
    for index in range(rank, -(-len(split) // size), world):
        start = index * size
        stored = split.x[start : start + size].to(device)
        noise = None
        if preparation.needs_noise:
            draw = generator(device, seed, purpose, "data", index)
            noise = torch.rand((size, *stored.shape[1:]), generator=draw, device=device)[: len(stored)]
        y = None if split.y is None else split.y[start : start + size].to(device)
        yield Block(index, preparation(stored, noise), y, size)
