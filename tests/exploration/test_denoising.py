"""Pictures of denoising."""

from __future__ import annotations

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration.denoising import plot_denoising
from latentia.exploration.style import figure_bytes


def texts(figure: Figure) -> str:
    drawn = [text.get_text() for axes in figure.axes for text in [*axes.texts, axes.title]]
    return " | ".join([*drawn, *(text.get_text() for text in figure.texts), figure.get_suptitle()]).replace("\n", " ")


def rows(*shape: int) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.rand((8, *shape), generator=torch.Generator().manual_seed(0))
    return x, x + 0.1, x + 0.2


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 6, 9), (2, 4, 4)])
def test_images_are_three_rows_with_the_error_of_the_last(shape: tuple[int, ...]) -> None:
    figure = plot_denoising(*rows(*shape), DataSpec(shape), labels=range(8), remarks=["SSIM 0.5"], title="Noise")
    assert len(figure.axes[0].images) == 3
    said = texts(figure)
    assert said.count("0.0400") == 8  # 0.2 squared
    assert all(word in said for word in ("Noise", "top: original; middle: noisy; bottom: denoised", "SSIM 0.5"))
    assert figure_bytes(figure)[1:4] == b"PNG"


def test_without_originals_there_are_two_rows_and_no_errors() -> None:
    _, noisy, denoised = rows(1, 8, 8)
    figure = plot_denoising(None, noisy, denoised, DataSpec((1, 8, 8)))
    assert len(figure.axes[0].images) == 2
    assert "top: noisy; bottom: denoised" in texts(figure) and "mse" not in texts(figure)


@pytest.mark.parametrize("clean", [True, False])
def test_vectors_are_heat_maps(clean: bool) -> None:
    x, noisy, denoised = rows(5)
    figure = plot_denoising(x if clean else None, noisy, denoised, DataSpec((5,)), remarks=["mse 0.04"])
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title] == ["Original", "Noisy", "Denoised"][0 if clean else 1 :]
    assert "mse 0.04" in texts(figure)


def test_rows_of_different_numbers_are_refused() -> None:
    x, noisy, denoised = rows(1, 8, 8)
    with pytest.raises(DataError, match="of the same number"):
        plot_denoising(x[:3], noisy, denoised, DataSpec((1, 8, 8)))
    with pytest.raises(DataError, match="of the same number"):
        plot_denoising(x, noisy, denoised, DataSpec((1, 8, 8)), labels=["a"])
