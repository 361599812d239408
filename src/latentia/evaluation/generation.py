"""How good generated images are: the Fréchet distance, and whether they are what was asked for.

Owns formulas on features and class probabilities; where these come from is :mod:`latentia.evaluation.judge`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latentia.errors import DataError


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    r"""The squared Fréchet distance between two samples' Gaussians.

    .. math:: \|\mu_1 - \mu_2\|^2 + \mathrm{tr}\left(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}\right)

    Dowson & Landau, "The Fréchet distance between multivariate normal distributions", 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X, equation 4; as a measure of samples: Heusel et al., "GANs Trained by
    a Two Time-Scale Update Rule", 2017, https://arxiv.org/abs/1706.08500, equation 6 (there on Inception features).
    The estimate is biased upwards by small samples, so compare only distances from equally many.

    Args:
        features: (N, F), N >= 2.
        reference: (M, F), M >= 2.

    Returns:
        The distance, >= 0, in squared units of the features; computed in float64.

    Raises:
        DataError: If a sample is too small, of another width or not finite.

    Example:
        >>> x = torch.tensor([[0.0], [2.0]])
        >>> frechet_distance(x, x + 3)
        9.0
    """
    (first_mean, first), (second_mean, second) = _moments(features), _moments(reference)
    if first.shape != second.shape:
        raise DataError(f"features of widths {len(first_mean)} and {len(second_mean)} have no distance")
    root = _square_root(first)
    cross = torch.linalg.eigvalsh(root @ second @ root).clamp_min(0).sqrt().sum()  # tr (first second)^(1/2)
    distance = (first_mean - second_mean).square().sum() + first.trace() + second.trace() - 2 * cross
    return max(0.0, float(distance))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    if features.dim() != 2 or len(features) < 2 or not bool(features.isfinite().all()):
        raise DataError("a Fréchet distance needs at least two samples of finite features, (N, F)")
    values = features.double()
    mean = values.mean(0)
    centred = values - mean
    return mean, centred.T @ centred / (len(values) - 1)


def _square_root(covariance: Tensor) -> Tensor:
    """The symmetric square root of a covariance."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T


def class_accuracy(probabilities: Tensor, wanted: Tensor) -> float:
    """The fraction of images whose most probable class is the one that was asked for.

    Args:
        probabilities: (N, classes).
        wanted: Class indices, (N,).

    Example:
        >>> class_accuracy(torch.tensor([[0.9, 0.1], [0.6, 0.4]]), torch.tensor([0, 1]))
        0.5
    """
    return float((probabilities.argmax(1) == wanted).double().mean())


def within_class_variance(x: Tensor, classes: Tensor) -> float:
    r"""How much images of one class differ: the pixels' variance within a class, mean over pixels and classes.

    .. math:: \frac{1}{C} \sum_c \frac{1}{D} \sum_i \mathrm{Var}(x_i \mid c)

    Args:
        x: Images, (N, *event).
        classes: Class indices, (N,); each class needs at least two images.

    Raises:
        DataError: If a class has a single image.

    Example:
        >>> within_class_variance(torch.tensor([[0.0], [2.0], [5.0], [5.0]]), torch.tensor([0, 0, 1, 1]))
        1.0
    """
    variances = []
    for index in classes.unique():
        members = x[classes == index].flatten(1).double()
        if len(members) < 2:
            raise DataError(f"class {int(index)} has a single image, which has no variance: generate more")
        variances.append(members.var(0).mean())
    return float(torch.stack(variances).mean())
