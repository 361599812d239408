"""A training as a movie: the latents move, the reconstructions sharpen.

Owns the layout of a frame; where latents and reconstructions come from is unknown here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from latentia.data.dataset import DataSpec
from latentia.exploration import style
from latentia.exploration.images import mosaic, to_rgb
from latentia.exploration.latents import SPREAD, box_of, scatter_classes


def plane_of(latents: np.ndarray) -> tuple[np.ndarray, tuple[str, str]]:
    """Latents of all frames in one plane: two dimensions as they are, more by the last frame's principal components.

    Args:
        latents: (T, N, d).

    Returns:
        (T, N, 2), and what the axes are.

    Example:
        >>> plane_of(np.zeros((3, 5, 1)))[1]
        ('z', '(spread at random)')
    """
    dimensions = latents.shape[2]
    if dimensions == 1:
        jitter = np.random.default_rng(0).uniform(-0.5, 0.5, latents.shape[1])
        return np.stack([latents[:, :, 0], np.broadcast_to(jitter, latents.shape[:2])], -1), ("z", SPREAD)
    if dimensions == 2:
        return latents, ("z0", "z1")
    middle = latents[-1].mean(0)
    _, _, directions = np.linalg.svd(latents[-1] - middle, full_matrices=False)
    found = (latents - middle) @ directions[:2].T
    if found.shape[2] < 2:  # a single sample
        found = np.concatenate([found, np.zeros_like(found)], -1)
    return found, ("principal component 1 of the last frame", "principal component 2 of the last frame")


def draw_movie(
    latents: np.ndarray,
    x: Tensor,
    x_hats: Tensor,
    spec: DataSpec,
    *,
    labels: np.ndarray | None = None,
    captions: Sequence[str],
    title: str = "Training",
    dpi: int = 100,
) -> np.ndarray:
    """Draw every frame: latents at the left, on axes that stay; originals and reconstructions at the right.

    Args:
        latents: (T, N, d).
        x: Originals, (n, *event).
        x_hats: Reconstructions, (T, n, *event).
        spec: What one sample is.
        labels: (N,), or None.
        captions: What is said over each frame, (T,).
        title: What is said over all of them.
        dpi: Pixels per inch.

    Returns:
        uint8, (T, H, W, 3).

    Example:
        >>> import torch
        >>> x = torch.rand(2, 1, 8, 8)
        >>> frames = draw_movie(np.zeros((3, 5, 2)), x, torch.stack([x] * 3), DataSpec((1, 8, 8)), captions="abc")
        >>> frames.shape[0], frames.shape[3]
        (3, 3)
    """
    points, across = plane_of(latents.astype(np.float64))
    with style.styled():
        low, high = _limits(points)
        box = (4.2, 3.9) if across[1] == SPREAD else box_of(np.stack([low, high]), side=4.0)
        figure = style.new_figure(box[0] + 3.8, max(box[1] + 0.7, 3.6))
        left, right = figure.subplots(1, 2, width_ratios=[box[0] + 0.8, 2.8])
        scatter_classes(figure, left, points[-1], labels, spec.classes)
        dots = left.collections[0]
        offsets = dots.get_offsets()
        order = _order_of(np.asarray(offsets), points[-1], labels)
        for text in list(left.texts):
            text.remove()  # names at the middles of classes, which move
        if across[1] != SPREAD:
            half = 0.5 * ((high - low) / np.array(box)).max() * np.array(box)
            low, high = 0.5 * (low + high) - half, 0.5 * (low + high) + half
            left.set_aspect("equal", adjustable="box")
        left.set_xlim(low[0], high[0])
        left.set_ylim(low[1], high[1])
        left.set_xlabel(across[0])
        left.set_ylabel(across[1])
        left.grid(True)
        show = _shower(right, x, spec)
        style.title_figure(figure, title)
        said = left.set_title("", loc="left", fontsize=10.5)
        figure.set_dpi(dpi)
        canvas: Any = figure.canvas
        frames = []
        for place, caption in enumerate(captions):
            dots.set_offsets(points[place][order])
            show(x_hats[place])
            said.set_text(caption)
            canvas.draw()
            frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            figure.set_layout_engine("none")  # as in the first frame, so that nothing jumps
    return np.stack(frames)


def _order_of(drawn: np.ndarray, points: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """The order in which the points were drawn, which is that of the colours."""
    if labels is None:
        return np.arange(len(points))
    order = np.random.default_rng(0).permutation(len(points))
    assert np.allclose(drawn, points[order])
    return order


def _limits(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits that hold nearly all points of the second half of the movie, and of the rest what fits."""
    late = points[len(points) // 2 :].reshape(-1, 2)
    low, high = np.percentile(late, [0.3, 99.7], axis=0)
    pad = np.maximum(0.08 * (high - low), 1e-3)
    return low - pad, high + pad


def _shower(axes: Any, x: Tensor, spec: DataSpec) -> Any:
    """What puts the reconstructions of a frame beside the originals."""
    axes.set_title("original and reconstruction", loc="left", fontsize=10.5)
    if spec.is_image:
        axes.set_axis_off()
        first = _pairs(x, x, spec)
        picture = axes.imshow(first, interpolation="nearest")
        return lambda x_hat: picture.set_data(_pairs(x, x_hat, spec))
    flat = x.flatten(1)[0].numpy()
    axes.plot(flat, color=style.BLUE, marker="o", markersize=3, linewidth=1, label="original")
    (line,) = axes.plot(flat, color=style.ORANGE, marker="D", markersize=3, linewidth=1, label="reconstruction")
    axes.set_ylim(spec.low, spec.high if spec.high > spec.low else spec.low + 1)
    axes.set_xlabel("feature of the first sample")
    axes.set_ylabel("value of x")
    axes.legend()
    return lambda x_hat: line.set_ydata(x_hat.flatten(1)[0].numpy())


def _pairs(x: Tensor, x_hat: Tensor, spec: DataSpec) -> np.ndarray:
    """Originals, each with its reconstruction at its right, in one or two columns of pairs."""
    pictures = [to_rgb(part, spec.low, spec.high) for part in (x, x_hat)]
    pairs = np.concatenate(pictures, axis=2)  # (n, H, 2 W, 3)
    return mosaic(pairs, 1 if len(x) <= 4 else 2 if len(x) <= 12 else 3, gap=(1, max(2, pairs.shape[2] // 8)))
