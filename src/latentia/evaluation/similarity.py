"""How alike two images are: the structural similarity, without a dependency.

Owns the formula; knows neither models nor data sets.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentia.errors import DataError

WINDOW, SIGMA = 11, 1.5  # pixels: side and standard deviation of the weights, as in the paper
_K1, _K2 = 0.01, 0.03
_SMALLEST = 3  # pixels: on fewer, a window has no structure


def ssim_window(height: int, width: int) -> int | None:
    """The side of the window for images of this size: 11, or the largest odd side that fits; ``None`` below 3.

    Example:
        >>> ssim_window(28, 28), ssim_window(8, 8), ssim_window(1, 28)
        (11, 7, None)
    """
    side = min(WINDOW, height, width)
    side -= 1 - side % 2
    return side if side >= _SMALLEST else None


def ssim(x: Tensor, y: Tensor, value_range: float = 1.0) -> Tensor:
    r"""The mean structural similarity of each pair of images.

    .. math::
        \mathrm{SSIM} = \frac{(2 \mu_x \mu_y + C_1)(2 \sigma_{xy} + C_2)}
            {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}, \quad C_i = (K_i L)^2

    Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004,
    https://doi.org/10.1109/TIP.2003.819861, equations 13 and 17: moments in a Gaussian window of 11 x 11 pixels with
    sigma 1.5, K1 = 0.01, K2 = 0.03, averaged over the places where the window lies inside the image, as the authors'
    program does (torchmetrics also counts the border, reflected, and gives other figures). Channels are compared each
    on its own and averaged. Images smaller than the window get the largest odd one that fits, which
    the paper does not define: such figures compare only with those of the same size.

    Args:
        x: Images, (B, C, H, W).
        y: Images, (B, C, H, W).
        value_range: L, the width of the range of values.

    Returns:
        (B,), float64, on the CPU; 1 for equal images.

    Raises:
        DataError: If the images are no images, of different shapes, or narrower than 3 pixels.

    Example:
        >>> x = torch.rand(2, 1, 28, 28)
        >>> ssim(x, x)
        tensor([1., 1.], dtype=torch.float64)
    """
    if x.dim() != 4 or x.shape != y.shape:
        raise DataError(f"SSIM compares images of one shape (B, C, H, W), not {tuple(x.shape)} with {tuple(y.shape)}")
    side = ssim_window(*x.shape[2:])
    if side is None:
        raise DataError(f"SSIM needs images of at least {_SMALLEST} x {_SMALLEST} pixels, not {tuple(x.shape[2:])}")
    x, y = x.detach().cpu().double(), y.detach().cpu().double()
    down, across = (_windows(length, side) for length in x.shape[2:])

    def local(image: Tensor) -> Tensor:
        return down @ image @ across.mT  # (B, C, H - side + 1, W - side + 1)

    mean_x, mean_y = local(x), local(y)
    variance_x, variance_y = local(x.square()) - mean_x.square(), local(y.square()) - mean_y.square()
    covariance = local(x * y) - mean_x * mean_y
    c1, c2 = (_K1 * value_range) ** 2, (_K2 * value_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).mean((1, 2, 3))


def _windows(length: int, side: int) -> Tensor:
    """The weights of a window at each place along one axis, (length - side + 1, length)."""
    distance = torch.arange(side, dtype=torch.float64) - side // 2
    weights = torch.exp(-distance.square() / (2 * SIGMA**2))
    places = torch.zeros(length - side + 1, length, dtype=torch.float64)
    for place, row in enumerate(places):
        row[place : place + side] = weights / weights.sum()
    return places
