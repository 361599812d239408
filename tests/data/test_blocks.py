"""A split in fixed blocks, whose noise belongs to the image and not to the number of images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from latentia.data.blocks import Block, blocks
from latentia.data.dataset import Split
from latentia.data.preparation import Preparation

GREY = Preparation(levels=256)
NOISY = [Preparation(levels=256, dequantize=True), Preparation(levels=256, binarize="dynamic")]

NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=NEEDS_CUDA)]


def split(n: int, *, labels: bool = True) -> Split:
    x = torch.arange(n * 6).remainder(251).to(torch.uint8).reshape(n, 1, 2, 3)
    return Split(x, torch.arange(n) if labels else None)


def cut(
    part: Split,
    preparation: Preparation = GREY,
    *,
    size: int = 4,
    seed: int = 0,
    purpose: str = "a",
    device: str = "cpu",
) -> list[Block]:
    return list(blocks(part, preparation, size=size, seed=seed, purpose=purpose, device=device))


def joined(cuts: Iterable[Block]) -> Tensor:
    return torch.cat([block.x for block in cuts])


@settings(max_examples=50)
@given(n=st.integers(1, 30), size=st.integers(1, 12), labels=st.booleans())
def test_every_image_comes_once_and_in_order(n: int, size: int, labels: bool):
    part = split(n, labels=labels)
    found = cut(part, size=size)
    assert [block.index for block in found] == list(range(-(-n // size)))
    assert all(block.size == size for block in found)
    assert [len(block.x) for block in found] == [size] * (n // size) + [n % size] * (n % size > 0)
    assert torch.equal(joined(found), part.loaded().double().div(255).float())
    assert all(block.x.dtype == torch.float32 for block in found)
    if labels:
        assert [int(label) for block in found for label in block.y] == list(range(n))  # type: ignore[union-attr]
    else:
        assert all(block.y is None for block in found)


def test_an_empty_split_has_no_blocks():
    assert cut(split(0)) == []


def test_vectors_have_blocks_too():
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    found = cut(Split(x), Preparation(offset=(0.0, 1.0, 2.0), factor=2.0), size=2)
    assert [block.x.shape for block in found] == [(2, 3), (2, 3), (1, 3)]
    assert torch.allclose(joined(found), (x - torch.tensor([0.0, 1.0, 2.0])) * 2)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("preparation", NOISY)
@pytest.mark.parametrize("n", [1, 3, 4, 5, 11, 12])
def test_noise_does_not_depend_on_how_many_follow(preparation: Preparation, n: int, device: str):
    """Nor on the length of the last block: a GPU gives other numbers where it is asked for another number of them."""
    x = torch.full((40, 3, 20, 20), 100, dtype=torch.uint8)
    expected = joined(cut(Split(x), preparation, device=device))
    assert torch.equal(joined(cut(Split(x[:n]), preparation, device=device)), expected[:n])


@pytest.mark.parametrize("preparation", NOISY)
def test_a_block_does_not_depend_on_those_before_it(preparation: Preparation):
    """Neither on what the images before it are, nor on what else was drawn meanwhile."""
    part = Split(torch.full((12, 1, 8, 8), 100, dtype=torch.uint8))
    other = Split(torch.cat([torch.full_like(part.x[:8], 150), part.x[8:]]))
    stream = blocks(other, preparation, size=4, seed=0, purpose="a")
    for expected in cut(part, preparation):
        torch.rand(7)
        block = next(stream)
        assert torch.equal(block.x, expected.x) == (block.index == 2)


@pytest.mark.parametrize("preparation", NOISY)
def test_noise_depends_on_seed_purpose_and_block_alone(preparation: Preparation):
    same = Split(torch.full((8, 1, 8, 8), 100, dtype=torch.uint8))  # two blocks of equal images
    drawn: dict[Any, Tensor] = {
        (seed, purpose, block.index): block.x
        for seed in (0, 1)
        for purpose in ("validation", "evaluation")
        for block in cut(same, preparation, seed=seed, purpose=purpose)
    }
    keys = list(drawn)
    assert len(keys) == 8
    for i, first in enumerate(keys):
        for second in keys[i + 1 :]:
            assert not torch.equal(drawn[first], drawn[second]), (first, second)
    again = cut(same, preparation, seed=1, purpose="evaluation")
    assert torch.equal(again[1].x, drawn[1, "evaluation", 1])


def test_images_of_a_block_have_noise_of_their_own():
    same = Split(torch.full((4, 1, 8, 8), 100, dtype=torch.uint8))
    block = cut(same, NOISY[0])[0]
    assert len({tuple(image.flatten().tolist()) for image in block.x}) == 4


def test_noise_is_uniform_within_a_level():
    """(k + u) / 256 with u in [0, 1): its mean is k + 1/2 and its variance 1/12, within 5 standard errors."""
    n = 4000
    same = Split(torch.full((n, 1), 7, dtype=torch.uint8))
    u = joined(cut(same, NOISY[0], size=64)).double() * 256 - 7
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean().item() - 0.5) < 5 * (1 / 12 / n) ** 0.5
    assert abs(u.var().item() - 1 / 12) < 5 * (1 / 180 / n) ** 0.5


def test_dynamic_binarisation_is_a_draw_of_each_pixel():
    n, p = 4000, 51 / 255
    same = Split(torch.full((n, 1), 51, dtype=torch.uint8))
    x = joined(cut(same, NOISY[1], size=64))
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert abs(x.mean().item() - p) < 5 * (p * (1 - p) / n) ** 0.5


@pytest.mark.parametrize("preparation", [GREY, *NOISY])
def test_neither_the_data_nor_the_default_generator_change(preparation: Preparation):
    part = split(9)
    before, state = part.loaded().clone(), torch.get_rng_state()
    for block in cut(part, preparation):
        block.x.fill_(9)
    assert torch.equal(part.loaded(), before)
    assert torch.equal(torch.get_rng_state(), state)


@NEEDS_CUDA
def test_blocks_on_a_gpu_hold_the_same_images():
    part = split(9)
    found = cut(part, device="cuda")
    assert all(block.x.is_cuda and block.y is not None and block.y.is_cuda for block in found)
    assert torch.allclose(joined(found).cpu(), joined(cut(part)))
