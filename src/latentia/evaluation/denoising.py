"""How well a model denoises: errors and similarities of corrupted and of denoised data to the clean ones.

Owns what is measured and on which noise; the corruption is handed in, and nothing is drawn or written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from latentia.data.blocks import Block
from latentia.data.corruption import Corruption
from latentia.data.dataset import DataSpec
from latentia.data.seeds import generator
from latentia.errors import DataError
from latentia.evaluation.encoding import evaluating
from latentia.evaluation.similarity import ssim, ssim_window


@dataclass(frozen=True)
class Scores:
    """How far data are from the clean ones.

    Attributes:
        mse: Mean squared error over values and samples.
        psnr: 10 log10(1 / mse), dB, for data in [0, 1]; else ``None``.
        ssim: Mean over images of their structural similarity (:func:`latentia.evaluation.similarity.ssim`), for images
            in [0, 1] of at least 3 x 3 pixels; else ``None``.
    """

    mse: float
    psnr: float | None
    ssim: float | None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Denoised:
    """What a model made of corrupted data.

    Attributes:
        x: The first clean samples, (n, *event), on the CPU.
        noisy: The same, corrupted.
        denoised: What the model made of those.
        count: Of how many samples the scores are.
        noisy_scores: Of all corrupted samples against the clean ones.
        denoised_scores: Of all denoised samples against the clean ones.
        ssim_window: Side of the window of the SSIM, in pixels, or ``None``.
    """

    x: Tensor
    noisy: Tensor
    denoised: Tensor
    count: int
    noisy_scores: Scores
    denoised_scores: Scores
    ssim_window: int | None


def denoise(
    model: Any, found: Iterable[Block], spec: DataSpec, corruption: Corruption, *, seed: int = 0, keep: int = 0
) -> Denoised:
    """Corrupt data, reconstruct them and compare both with the clean ones, the same way on every call.

    The noise of sample i is determined by (seed, i // B), with B the size of a full block; it is drawn on the CPU, so
    that every device sees the same corrupted data.

    Args:
        model: A model that reconstructs; it is put into evaluation mode, and back.
        found: The clean data in fixed blocks, on the model's device.
        spec: What they are.
        corruption: What is done to them.
        seed: Of the noise.
        keep: How many of the first samples to return.

    Raises:
        DataError: If there are no samples, or a figure is not finite.
    """
    window = ssim_window(*spec.event_shape[1:]) if spec.is_image and _in_unit(spec) else None
    sums, kept, count = torch.zeros(4, dtype=torch.float64), [], 0
    with evaluating(model):
        for block in found:
            noise = corruption.draw_noise(
                (block.size, *block.x.shape[1:]), generator("cpu", seed, "denoise", block.index), block.x.device
            )
            noisy = corruption(block.x, noise[: len(block.x)])
            denoised = model.reconstruct(noisy, block.y)
            for place, other in enumerate((noisy, denoised)):
                sums[2 * place] += (other - block.x).cpu().double().square().sum()
                if window is not None:
                    sums[2 * place + 1] += ssim(block.x, other).sum()
            if count < keep:
                kept.append([part[: keep - count].cpu() for part in (block.x, noisy, denoised)])
            count += len(block.x)
    if count == 0:
        raise DataError("there is nothing to denoise: give at least one sample")
    if not bool(sums.isfinite().all()):
        raise DataError("the error of the denoised data is not finite: look for outliers in the data")
    before, after = (_scores(sums[2 * place : 2 * place + 2], count, spec, window is not None) for place in range(2))
    empty = [torch.empty(0, *spec.event_shape)] * 3
    x, noisy, denoised = (torch.cat(parts) for parts in zip(*kept, strict=True)) if kept else empty
    return Denoised(x, noisy, denoised, count, before, after, window)


def _in_unit(spec: DataSpec) -> bool:
    return spec.low >= 0 and spec.high <= 1


def _scores(sums: Tensor, count: int, spec: DataSpec, similar: bool) -> Scores:
    mse = float(sums[0]) / (count * spec.dimensions)
    psnr = 10 * math.log10(1 / mse) if mse > 0 and _in_unit(spec) else None
    return Scores(mse, psnr, float(sums[1]) / count if similar else None)
