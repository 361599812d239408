"""Scores of denoising, against loops, on noise that depends on nothing but the seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.functional.image import structural_similarity_index_measure

from latentia.data.blocks import Block
from latentia.data.corruption import GaussianCorruption, MaskingCorruption
from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.evaluation.denoising import denoise

NOISE = GaussianCorruption(0.5, (0.0, 1.0))


class Halving(nn.Module):
    """Takes half of what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, Any]] = []

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        self.seen.append((self.training, y))
        return x / 2


def images(n: int = 20, *shape: int) -> Tensor:
    return torch.rand((n, *(shape or (1, 12, 12))), generator=torch.Generator().manual_seed(0))


def in_blocks(x: Tensor, size: int = 8) -> Iterator[Block]:
    for index, start in enumerate(range(0, len(x), size)):
        part = x[start : start + size]
        yield Block(index, part, torch.zeros(len(part), dtype=torch.int64), size)


def test_the_scores_are_those_of_all_the_data() -> None:
    x, spec = images(), DataSpec((1, 12, 12))
    everything = denoise(Halving(), in_blocks(x), spec, NOISE, keep=20)
    assert torch.equal(everything.x, x) and torch.equal(everything.denoised, everything.noisy / 2)
    for scores, other in (
        (everything.noisy_scores, everything.noisy),
        (everything.denoised_scores, everything.denoised),
    ):
        mse = (other.double() - x.double()).square().mean().item()
        assert scores.mse == pytest.approx(mse, rel=1e-6)
        assert scores.psnr == pytest.approx(-10 * math.log10(mse), rel=1e-6)
        similar = structural_similarity_index_measure(
            other.double(), x.double(), data_range=1.0, return_full_image=True
        )[1][..., 5:-5, 5:-5]
        assert scores.ssim == pytest.approx(similar.mean().item(), rel=1e-6)
    assert everything.count == 20 and everything.ssim_window == 11


def test_noise_depends_on_the_seed_and_the_place_alone() -> None:
    x, spec, model = images(), DataSpec((1, 12, 12)), Halving()
    torch.manual_seed(5)
    whole = denoise(model, in_blocks(x), spec, NOISE, seed=3, keep=20)
    torch.rand(7)
    few = denoise(model, in_blocks(x[:3]), spec, NOISE, seed=3, keep=20)
    assert torch.equal(whole.noisy[:3], few.noisy) and few.count == 3
    again = denoise(model, in_blocks(x), spec, NOISE, seed=3, keep=2)
    assert torch.equal(again.noisy, whole.noisy[:2]) and again.noisy_scores == whole.noisy_scores
    other = denoise(model, in_blocks(x), spec, NOISE, seed=4, keep=20)
    assert not torch.equal(other.noisy, whole.noisy)
    assert not torch.equal(whole.noisy[0] - x[0], whole.noisy[8] - x[8])  # blocks do not repeat each other


def test_the_model_is_in_evaluation_mode_and_gets_the_labels() -> None:
    model = Halving().train()
    denoise(model, in_blocks(images()), DataSpec((1, 12, 12)), NOISE)
    assert model.training and len(model.seen) == 3
    assert all(not training and y is not None for training, y in model.seen)


@pytest.mark.parametrize(
    ("spec", "psnr", "window"),
    [
        (DataSpec((5,)), True, None),
        (DataSpec((5,), low=-1.0), False, None),
        (DataSpec((1, 2, 9)), True, None),
        (DataSpec((3, 8, 8)), True, 7),
        (DataSpec((3, 8, 8), high=2.0), False, None),
    ],
)
def test_scores_that_do_not_exist_are_none(spec: DataSpec, psnr: bool, window: int | None) -> None:
    found = denoise(Halving(), in_blocks(images(9, *spec.event_shape)), spec, MaskingCorruption(0.5))
    assert (found.noisy_scores.psnr is not None) is psnr and found.ssim_window == window
    assert (found.denoised_scores.ssim is not None) is (window is not None)
    assert found.x.shape == (0, *spec.event_shape)


def test_without_data_there_are_no_scores() -> None:
    with pytest.raises(DataError, match="nothing to denoise"):
        denoise(Halving(), iter(()), DataSpec((1, 12, 12)), NOISE)
