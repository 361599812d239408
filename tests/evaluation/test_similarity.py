"""SSIM, against torchmetrics and against the paper's formula in loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from latentia.errors import DataError
from latentia.evaluation.similarity import ssim, ssim_window


def pair(*shape: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=source, dtype=torch.float64)
    return x, (x + 0.3 * torch.randn(shape, generator=source, dtype=torch.float64)).clamp(0, 1)


@pytest.mark.parametrize("shape", [(4, 1, 28, 28), (3, 3, 32, 32), (2, 1, 11, 11), (2, 2, 17, 40)])
@pytest.mark.parametrize("value_range", [1.0, 2.5])
def test_it_equals_torchmetrics_inside_the_image(shape: tuple[int, ...], value_range: float) -> None:
    x, y = pair(*shape)
    found = structural_similarity_index_measure(y, x, data_range=value_range, reduction="none", return_full_image=True)
    places = found[1][..., 5:-5, 5:-5]  # it reflects the image at its border, and counts the places there too
    torch.testing.assert_close(ssim(x, y, value_range), places.mean((1, 2, 3)), rtol=1e-10, atol=1e-12)


def test_it_equals_the_mean_of_the_map_that_scipy_gives() -> None:
    x, y = (part.numpy()[0, 0] for part in pair(1, 1, 20, 23))

    def local(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, 1.5, radius=5)[5:-5, 5:-5]

    mx, my = local(x), local(y)
    vx, vy, cov = local(x * x) - mx * mx, local(y * y) - my * my, local(x * y) - mx * my
    found = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
    assert ssim(*pair(1, 1, 20, 23)).item() == pytest.approx(found.mean(), rel=1e-10)


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 7), (7, 28, 7), (3, 5, 3), (4, 4, 3)])
def test_small_images_get_a_window_that_fits(height: int, width: int, side: int) -> None:
    assert ssim_window(height, width) == side
    x, y = (part[0, 0] for part in pair(1, 1, height, width))
    weights = [math.exp(-(((i - side // 2) / 1.5) ** 2) / 2) for i in range(side)]
    total, places = 0.0, 0
    for top in range(height - side + 1):
        for left in range(width - side + 1):
            moments = [0.0] * 5
            for i in range(side):
                for j in range(side):
                    weight = weights[i] * weights[j] / sum(weights) ** 2
                    a, b = x[top + i, left + j].item(), y[top + i, left + j].item()
                    moments = [m + weight * v for m, v in zip(moments, (a, b, a * a, b * b, a * b), strict=True)]
            mx, my, xx, yy, xy = moments
            over = (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4)
            total += over / ((mx * mx + my * my + 1e-4) * (xx - mx * mx + yy - my * my + 9e-4))
            places += 1
    assert ssim(x[None, None], y[None, None]).item() == pytest.approx(total / places, rel=1e-10)


def test_it_is_symmetric_bounded_and_1_for_equal_images() -> None:
    x, y = pair(5, 1, 16, 16)
    torch.testing.assert_close(ssim(x, y), ssim(y, x))
    assert (ssim(x, y) < 1).all() and (ssim(x, 1 - x) < 0).all()
    torch.testing.assert_close(ssim(x, x), torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize(("x", "y"), [((2, 4), (2, 4)), ((1, 1, 8, 8), (2, 1, 8, 8)), ((1, 1, 2, 8), (1, 1, 2, 8))])
def test_what_has_no_structure_is_refused(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="SSIM"):
        ssim(torch.zeros(x), torch.zeros(y))
