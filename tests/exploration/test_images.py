from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.errors import DataError
from latentia.exploration.images import NOT_A_NUMBER, enlarge, mosaic, to_rgb


def test_grey_levels_are_exact() -> None:
    levels = torch.arange(256.0).reshape(1, 1, 16, 16) / 255
    assert (to_rgb(levels) == np.arange(256).reshape(1, 16, 16, 1)).all()


def test_three_channels_are_colours() -> None:
    x = torch.tensor([1.0, 0.5, 0.0]).reshape(1, 3, 1, 1)
    assert to_rgb(x)[0, 0, 0].tolist() == [255, 128, 0]


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_are_averaged(channels: int) -> None:
    x = torch.zeros(1, channels, 1, 1)
    x[0, 0] = 1.0
    assert to_rgb(x)[0, 0, 0].tolist() == [round(255 / channels)] * 3


def test_the_range_is_stretched_and_clipped() -> None:
    x = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 1, 1, 5)
    assert to_rgb(x, -1.0, 1.0)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_constant_data_infinities_and_nan() -> None:
    x = torch.tensor([0.5, torch.inf, -torch.inf, torch.nan]).reshape(1, 1, 1, 4)
    assert to_rgb(x, 0.5, 0.5)[0, 0].tolist() == [[0] * 3, [255] * 3, [0] * 3, list(NOT_A_NUMBER)]


def test_the_input_is_left_alone_and_may_need_a_gradient() -> None:
    x = torch.rand(2, 3, 4, 4, requires_grad=True)
    before = x.detach().clone()
    assert to_rgb(x).dtype == np.uint8
    assert torch.equal(x.detach(), before)


def test_another_number_of_axes_is_an_error() -> None:
    with pytest.raises(DataError, match=r"\(N, C, H, W\)"):
        to_rgb(torch.rand(3, 4))


def test_enlarging_repeats_pixels() -> None:
    images = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    large = enlarge(images, 5)
    assert large.shape == (1, 6, 6, 3)
    assert (large[:, ::3, ::3] == images).all()
    assert (large[:, 2::3, 2::3] == images).all()
    assert enlarge(large, 4) is not None
    assert enlarge(large, 4).shape == large.shape


def test_a_mosaic_reads_like_a_page() -> None:
    images = np.stack([np.full((2, 1, 3), value, np.uint8) for value in (1, 2, 3)])
    picture = mosaic(images, 2, gap=(1, 2), background=9)[..., 0]
    assert picture.tolist() == [[1, 9, 9, 2], [1, 9, 9, 2], [9, 9, 9, 9], [3, 9, 9, 9], [3, 9, 9, 9]]


def test_a_mosaic_of_nothing_is_an_error() -> None:
    with pytest.raises(DataError, match="at least one"):
        mosaic(np.zeros((0, 2, 2, 3), np.uint8), 4)
