"""Running a fitted model over a split, in evaluation mode, without gradients and in full precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from latentia.data.blocks import blocks
from latentia.data.dataset import Dataset
from latentia.data.seeds import exact_convolutions, generator

BLOCK = 256  # images whose noise is drawn together; part of the protocol, since it determines the noise
ELEMENTS = 2**23  # the most likelihood parameters decoded at once (32 MiB of fp32); not part of the protocol


@contextmanager
def evaluating(model: nn.Module) -> Iterator[torch.device]:
    """Put a model into evaluation mode within the block, without gradients or autocast, and back after it.

    Yields:
        The model's device.
    """
    was_training = [(module, module.training) for module in model.modules()]
    model.eval()
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False), exact_convolutions(device):
            yield device
    finally:
        for module, training in was_training:
            module.training = training


def encode_split(
    model: Any, dataset: Dataset, split: str = "test", *, seed: int = 0, limit: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """The means of q(z given x) of a split, in its order.

    Args:
        model: A latent-variable model.
        dataset: Where the split is.
        split: ``train``, ``valid`` or ``test``.
        seed: Of the noise of preparations that need some.
        limit: Only the first so many images.

    Returns:
        The means, (N, *latent), on the CPU, and the labels (N,) or ``None``.
    """
    part = dataset.split(split)
    count = len(part) if limit is None else min(limit, len(part))
    means: list[Tensor] = []
    with evaluating(model) as device:
        for block in blocks(part, dataset.preparation, size=BLOCK, seed=seed, purpose="evaluation", device=device):
            means.append(model.encode(block.x, block.y).mean.cpu())
            if sum(map(len, means)) >= count:
                break
    return torch.cat(means)[:count], None if part.y is None else part.y[:count]


def draw_latents(model: Any, dataset: Dataset, split: str = "train", *, draws: int = 1, seed: int = 0) -> Tensor:
    """Draws from q(z given x) over a split: samples of the aggregate posterior.

    Tomczak & Welling, "VAE with a VampPrior", 2018, https://arxiv.org/abs/1705.07120, equation 6: the prior that suits
    a model best is the mean of its posteriors, q(z) = E_x q(z given x).

    Args:
        model: A latent-variable model.
        dataset: Where the split is.
        split: ``train``, ``valid`` or ``test``.
        draws: K draws for each image; a deterministic posterior gives one.
        seed: Of the draws, and of the noise of preparations that need some. The noise of image i is determined by
            (seed, i // 256).

    Returns:
        (N, *latent), or (K N, *latent) with the K draws of a block of images in a row, on the CPU; of discrete
        latents, their indices (N, h, w) as float32.
    """
    return draw_labelled_latents(model, dataset, split, draws=draws, seed=seed)[0]


def draw_labelled_latents(
    model: Any, dataset: Dataset, split: str = "train", *, draws: int = 1, seed: int = 0
) -> tuple[Tensor, Tensor | None]:
    """As :func:`draw_latents`, with the label of each latent, (N,) or (K N,); ``None`` where there are none.

    A model with a classifier says the labels of a split without.
    """
    found: list[Tensor] = []
    labels: list[Tensor] = []
    with evaluating(model) as device:
        for block in blocks(
            dataset.split(split), dataset.preparation, size=BLOCK, seed=seed, purpose="latents", device=device
        ):
            y = block.y
            if y is None and getattr(model, "classifies", False):
                y = model.classify(block.x).argmax(1)
            q = model.encode(block.x, y)
            if getattr(model, "discrete", False):
                found.append(q.indices.float().cpu())
                labels += [] if y is None else [y.cpu()]
                continue
            source = generator(device, seed, "latents", "noise", block.index)
            noise = model.draw_noise(block.size, draws, source, device)
            z = q.from_noise(noise[0][:, : len(block.x)]) if noise else q.mean
            found.append(z.reshape(-1, *model.latent_shape).cpu())
            labels += [] if y is None else [y.cpu().repeat(len(found[-1]) // len(block.x))]
    return torch.cat(found), torch.cat(labels) if labels else None
