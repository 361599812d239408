from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from latentia.data.dataset import DataSpec
from latentia.errors import DataError
from latentia.exploration.plots import figure_bytes, plot_class_samples, plot_reconstructions, plot_samples

SHAPES = [(1, 1, 1), (1, 8, 8), (2, 5, 7), (3, 6, 6), (5, 8, 8), (1, 1, 60), (1, 60, 1), (1,), (4,), (300,)]
ODD = ["<b>$x$", "$", "a name that is far too long for its place", "雪"]


def pixels(figure: Figure, dpi: int = 60) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure_bytes(figure, dpi=dpi))).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    own = [text.get_text() for text in figure.texts] + [figure.get_suptitle()]
    return own + [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 9])
def test_samples_of_every_shape(shape: tuple[int, ...], n: int) -> None:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))
    picture = pixels(plot_samples(x, DataSpec(shape, levels=256)))
    assert picture.std() > 0
    assert max(picture.shape) < 60 * 12


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 9, 25])
@pytest.mark.parametrize("classes", [["cat"], ODD, list(range(12))])
def test_samples_of_classes_of_every_shape(shape: tuple[int, ...], n: int, classes: list[object]) -> None:
    x = torch.rand(n * len(classes), *shape, generator=torch.Generator().manual_seed(0))
    figure = plot_class_samples(x, classes, DataSpec(shape, levels=256))
    assert pixels(figure).std() > 0
    shown = texts(figure) + [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {str(classes[0]).replace("$", r"\$")} <= set(shown) or len(str(classes[0])) > 3


def test_every_class_has_rows_of_its_own() -> None:
    x = torch.arange(3).repeat_interleave(11).view(33, 1, 1, 1).expand(33, 1, 4, 4) / 3 + 0.2
    figure = plot_class_samples(x, ["a", "b", "c"], DataSpec((1, 4, 4)))
    bands = [image.get_array() for image in figure.axes[0].images]
    assert len(bands) == 6  # eleven in rows of ten, for each class
    assert [int(band[0, 0, 0]) for band in bands if band is not None] == [51, 51, 136, 136, 221, 221]
    names = [text for text in figure.axes[0].texts if text.get_text() in ("a", "b", "c")]
    assert [name.get_text() for name in names] == ["a", "b", "c"]
    assert names[0].get_position()[1] < names[1].get_position()[1] < names[2].get_position()[1]


@pytest.mark.parametrize(("n", "classes"), [(1000, 10), (1000, 500), (6000, 10)])
def test_many_samples_of_classes_are_cut_equally(n: int, classes: int) -> None:
    figure = plot_class_samples(torch.rand(n, 1, 2, 2), list(range(classes)), DataSpec((1, 2, 2)))
    expected = {
        (1000, 10): "the first 40 of 100 of each class",
        (1000, 500): "the first 1 of 2 of each class; the first 400 of 500 classes",
        (6000, 10): "the first 40 of 600 of each class",
    }
    assert expected[n, classes] in " ".join(texts(figure)).replace("\n", " ")


def test_samples_that_are_not_of_the_classes_are_refused() -> None:
    with pytest.raises(DataError, match="7 samples cannot be of 2 classes"):
        plot_class_samples(torch.rand(7, 1, 2, 2), ["a", "b"], DataSpec((1, 2, 2)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 9])
def test_reconstructions_of_every_shape(shape: tuple[int, ...], n: int) -> None:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))
    labels = [ODD[index % len(ODD)] for index in range(n)]
    figure = plot_reconstructions(x, x.flip(0), DataSpec(shape), errors=[0.01] * n, labels=labels, title="$x$ <i>")
    picture = pixels(figure)
    assert picture.std() > 0
    assert max(picture.shape) < 60 * 14


def test_small_images_are_drawn_large_and_sharp() -> None:
    x = torch.zeros(1, 1, 8, 8)
    x[..., ::2] = 1.0
    picture = pixels(plot_samples(x, DataSpec((1, 8, 8)), title=""), dpi=100)[..., 0]
    row = picture[picture.shape[0] // 2]
    assert (row == 0).sum() > 0.9 * 4 * 2.4 * 100 / 8  # four black columns of 0.3 inch each, but for their edges


def test_the_range_of_the_data_is_shown() -> None:
    x = torch.full((1, 1, 4, 4), -1.0)
    dark = pixels(plot_samples(x, DataSpec((1, 4, 4), low=-1.0, high=1.0), title=""))
    light = pixels(plot_samples(-x, DataSpec((1, 4, 4), low=-1.0, high=1.0), title=""))
    assert dark.min() == 0
    assert light.min() == 255


def test_errors_stand_under_the_images_and_names_above() -> None:
    x = torch.rand(3, 1, 8, 8)
    errors = torch.tensor([0.01234, 0.00004, 0.0])
    figure = plot_reconstructions(x, x, DataSpec((1, 8, 8)), errors=errors, labels=["cat", 7, "$x$"], title="t")
    assert {"0.0123", "4e-05", "0", "cat", "7", r"\$x\$"} <= set(texts(figure))
    assert any("mse" in text for text in texts(figure))


def test_vectors_show_original_reconstruction_and_difference() -> None:
    x = torch.randn(4, 6)
    figure = plot_reconstructions(x, x + 0.5, DataSpec((6,), low=-2.0, high=2.0), errors=[0.25] * 4)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    shown = [np.asarray(image.get_array()) for image in images]
    assert np.allclose(shown[0], x.numpy())
    assert np.allclose(shown[1], x.numpy() + 0.5)
    assert np.allclose(shown[2], 0.5)
    assert images[0].get_clim() == images[1].get_clim() == (-2.0, 2.0)
    assert images[2].get_clim()[0] == -images[2].get_clim()[1]
    assert any("mse 0.2500" in label.get_text() for label in figure.axes[1].get_yticklabels())


def test_channels_without_colours_are_explained() -> None:
    figure = plot_samples(torch.rand(2, 5, 4, 4), DataSpec((5, 4, 4)))
    assert any("mean of the 5 channels" in text for text in texts(figure))


def test_many_samples_are_cut_and_say_so() -> None:
    assert any(
        "first 400 of 1,000" in text for text in texts(plot_samples(torch.rand(1000, 1, 1, 1), DataSpec((1, 1, 1))))
    )
    assert any("first 200 of 1,000" in text for text in texts(plot_samples(torch.rand(1000, 2), DataSpec((2,)))))


def test_constant_and_bad_values_are_drawn() -> None:
    x = torch.full((2, 3), 7.0)
    x[0, 0] = torch.nan
    assert pixels(plot_samples(x, DataSpec((3,), low=7.0, high=7.0))).std() > 0
    spec = DataSpec((3,), low=7.0, high=7.0)
    assert pixels(plot_reconstructions(x, x, spec, errors=[float("nan"), 0.0])).std() > 0
    images = torch.full((2, 1, 3, 3), torch.nan)
    assert (pixels(plot_samples(images, DataSpec((1, 3, 3)))) == (255, 0, 255)).all(-1).any()


def test_inputs_are_left_alone() -> None:
    x = torch.rand(3, 1, 4, 4, requires_grad=True)
    before = x.detach().clone()
    plot_reconstructions(x, x * 2, DataSpec((1, 4, 4)), errors=[0.0] * 3)
    assert torch.equal(x.detach(), before)


def test_what_does_not_fit_is_an_error() -> None:
    spec = DataSpec((1, 4, 4))
    with pytest.raises(DataError, match="at least one"):
        plot_samples(torch.rand(0, 1, 4, 4), spec)
    with pytest.raises(DataError, match="must have the shape"):
        plot_samples(torch.rand(2, 16), spec)
    with pytest.raises(DataError, match="same number"):
        plot_reconstructions(torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4), spec, errors=[0.1])
