"""The evidence lower bound, the importance-weighted likelihood and the reconstruction error of a split.

Owns what ``latentia evaluate`` prints. Every figure says what it is: its unit, split, number of samples and protocol.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from latentia.data.blocks import Block, blocks
from latentia.data.dataset import Dataset
from latentia.data.seeds import generator
from latentia.errors import ConfigError, DataError
from latentia.evaluation.encoding import BLOCK, ELEMENTS, evaluating

PIECE = 10  # importance samples drawn together; part of the protocol, since it determines the noise
ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Evaluation:
    """What was measured on a split; ``None`` where a quantity does not exist for the model.

    Attributes:
        split: Which part of the data.
        n: How many images.
        elbo: -(distortion + rate), nats per image.
        distortion: -E_q ln p(x given z), nats per image, one draw of z per image.
        rate: KL(q(z given x) to p(z)), nats per image.
        nll: The importance-weighted estimate of -ln p(x) with K samples, an upper bound on average, nats per image.
        importance_samples: That K; ``None`` where no nll was asked for or exists.
        nll_standard_error: Of the mean nll over images: their standard deviation / sqrt(n), nats.
        bits_per_dim: nll / (ln 2 x dimensions).
        active_units: Latent dimensions with Var_x(E_q z) > 0.01 (Burda et al. 2016,
            https://arxiv.org/abs/1509.00519, section 5.2); of an autoencoder, whose latents have no scale to compare
            with, it says no more than that these means vary.
        latent_dim: How many there are.
        mse: Mean squared error of the reconstruction over values and images.
        psnr: 10 log10(1 / mse), dB, for data in [0, 1].
        beta_effective: beta of the same objective with a normalised likelihood of sigma = 1.
        rate_per_dimension: KL of each latent dimension, nats per image, where there is a closed form.
        perplexity: How many codes the whole split uses, as the exponential of their entropy; of discrete latents.
        codes_used: How many codes the split uses at all; of discrete latents.
        codebook_size: How many codes there are; of discrete latents.
        error: Share of samples whose class a model with a classifier q(y given x) gets wrong, in [0, 1]; where the part
            has labels.
        code_bits: Bits to store an image's indices with equally long numbers, log2(codebook_size) each; of discrete
            latents.
        protocol: Likelihood, whether it is normalised on these data, binarisation, seed, evaluation mode.
    """

    split: str
    n: int
    elbo: float | None
    distortion: float
    rate: float | None
    nll: float | None
    importance_samples: int | None
    nll_standard_error: float | None
    bits_per_dim: float | None
    active_units: int
    latent_dim: int
    mse: float
    psnr: float | None
    beta_effective: float | None
    rate_per_dimension: list[float] | None
    protocol: dict[str, Any]
    perplexity: float | None = None
    codes_used: int | None = None
    codebook_size: int | None = None
    code_bits: float | None = None
    error: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def evaluate(
    model: Any,
    dataset: Dataset,
    split: str = "test",
    *,
    importance_samples: int = 0,
    seed: int = 0,
    beta: float | None = None,
) -> Evaluation:
    r"""Measure a model on a split, the same way on every call.

    The noise of image i is determined by (seed, i // 256), whatever the size of the data or of the machine, and that
    of K importance samples begins with that of fewer. The estimate of -ln p(x) is Burda et al., "Importance Weighted
    Autoencoders", 2016, https://arxiv.org/abs/1509.00519, equation 8:

    .. math::
        -\ln \frac{1}{K} \sum_k \frac{p(x|z_k)\, p(z_k)}{q(z_k|x)}, \quad z_k \sim q(z|x)

    Args:
        model: A latent-variable model; evaluated in fp32 where it lies, and left in the mode it was in.
        dataset: Where the split is.
        split: ``train``, ``valid`` or ``test``.
        importance_samples: K; 0 leaves the nll out.
        seed: Of the evaluation noise.
        beta: The factor on the rate that the model was trained with, for ``beta_effective``.

    Returns:
        The figures, in nats per image unless they say otherwise.

    Raises:
        ConfigError: If K is negative.
        DataError: If there is no such split, or a figure is not finite.
    """
    if importance_samples < 0:
        raise ConfigError(f"the number of importance samples must not be negative, but is {importance_samples}")
    part = dataset.split(split)
    k = importance_samples if model.has_prior else 0
    sums = _Sums()
    with evaluating(model) as device:
        for block in blocks(part, dataset.preparation, size=BLOCK, seed=seed, purpose="evaluation", device=device):
            _add_block(sums, model, block, seed, k)
    n = len(part)
    distortion, mse = sums.mean("distortion", n), sums.mean("squared_error", n) / dataset.spec.dimensions
    rate = sums.mean("rate", n) if model.has_prior else None
    nll = torch.cat(sums.nll) if k else None
    mean_nll = None if nll is None else float(nll.mean())
    for name, value in {"distortion": distortion, "rate": rate, "mse": mse, "nll": mean_nll}.items():
        if value is not None and not math.isfinite(value):
            raise DataError(
                f"the {name} of the {split} part is not finite: it holds values far outside those of the training "
                "part; look for outliers, or train with --set data.scale=standard"
            )
    return Evaluation(
        split=split,
        n=n,
        elbo=None if rate is None else -(distortion + rate),
        distortion=distortion,
        rate=rate,
        nll=mean_nll,
        importance_samples=k or None,
        nll_standard_error=float(nll.std() / math.sqrt(n)) if nll is not None and n > 1 else None,
        bits_per_dim=None if mean_nll is None else mean_nll / (math.log(2) * dataset.spec.dimensions),
        active_units=sums.active_units(n),
        latent_dim=model.latent_dim,
        mse=mse,
        psnr=10 * math.log10(1 / mse) if mse > 0 and dataset.spec.low >= 0 and dataset.spec.high <= 1 else None,
        beta_effective=None if beta is None or rate is None else model.likelihood.beta_effective(beta),
        rate_per_dimension=(sums.tensors["kl"] / n).flatten().tolist() if "kl" in sums.tensors else None,
        protocol=_protocol(model, dataset, seed, "kl" in sums.tensors),
        error=sums.mean("wrong", n) if "wrong" in sums.tensors else None,
        **(_codes(model, sums) if "codes" in sums.tensors else {}),
    )


class _Sums:
    """Sums over images, in float64 on the CPU."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.nll: list[Tensor] = []

    def add(self, name: str, values: Tensor) -> None:
        """Add per-image values, (B, ...), summed over B."""
        total = values.cpu().double().sum(0)  # in this order: not every device has float64
        self.tensors[name] = self.tensors[name] + total if name in self.tensors else total

    def mean(self, name: str, n: int) -> float:
        """The mean of a scalar over n images."""
        return float(self.tensors[name]) / n

    def active_units(self, n: int) -> int:
        """How many dimensions of the posterior's mean vary over images."""
        mean = self.tensors["loc"] / n
        variance = self.tensors["loc_squared"] / n - mean.square()
        return int((variance > ACTIVE_VARIANCE).sum())


def _add_block(sums: _Sums, model: Any, block: Block, seed: int, k: int) -> None:
    noise = _noise(model, block, seed, 0)
    for part in _parts(model, block, 1):
        x, y = block.x[part], None if block.y is None else block.y[part]
        said = model.classify(x).argmax(1) if getattr(model, "classifies", False) else None
        if said is not None and y is not None:
            sums.add("wrong", said != y)
        y = said if y is None else y
        trace = model.trace(x, y, [eps[:1, part] for eps in noise], 1)
        sums.add("distortion", trace.distortion(x))
        rate = trace.rate()
        if rate is not None:
            sums.add("rate", rate)
        if not trace.estimated and rate is not None:
            sums.add("kl", torch.cat([level.kl.flatten(1) for level in trace.levels], 1))
        if getattr(model, "discrete", False):
            indices = trace.levels[0].posterior.indices.flatten()
            sums.add("codes", torch.bincount(indices, minlength=model.posterior.codebook_size)[None])
        loc = trace.levels[0].posterior.mean if len(trace.levels) == 1 else model.encode(x, y).mean
        error = (model.decode(loc, y).mean - x).flatten(1)
        loc = loc.flatten(1).cpu().double()
        sums.add("loc", loc)
        sums.add("loc_squared", loc.square())
        sums.add("squared_error", error.cpu().double().square().sum(1))
    if k:
        sums.nll.append(_nll(model, block, seed, k))


def _nll(model: Any, block: Block, seed: int, k: int) -> Tensor:
    """-ln of the mean of K importance weights for each image of a block, (B,), float64 on the CPU."""
    total: Tensor | None = None
    for piece, start in enumerate(range(0, k, PIECE)):
        count = min(PIECE, k - start)
        noise = _noise(model, block, seed, piece)
        weights = []
        for part in _parts(model, block, count):
            y = None if block.y is None else block.y[part]
            trace = model.trace(block.x[part], y, [eps[:count, part] for eps in noise], count)
            weights.append(trace.log_weights(block.x[part]).cpu().double().logsumexp(0))
        piece_total = torch.cat(weights)
        total = piece_total if total is None else torch.logaddexp(total, piece_total)
    assert total is not None
    return math.log(k) - total


def _codes(model: Any, sums: _Sums) -> dict[str, Any]:
    """What discrete latents use of their codebook."""
    size = model.posterior.codebook_size
    used = sums.tensors["codes"] / sums.tensors["codes"].sum()
    return {
        "perplexity": float(torch.special.entr(used).sum().exp()),
        "codes_used": int((used > 0).sum()),
        "codebook_size": size,
        "code_bits": math.log2(size) * math.prod(model.posterior.code_shape),
    }


def _noise(model: Any, block: Block, seed: int, piece: int) -> list[Tensor]:
    """The noise of one piece of importance samples for a block, each (PIECE, B, *latent)."""
    source = generator(block.x.device, seed, "evaluation", "noise", block.index, piece)
    full = model.draw_noise(block.size, PIECE, source, block.x.device)
    return [eps[:, : len(block.x)] for eps in full]


def _parts(model: Any, block: Block, k: int) -> Iterator[slice]:
    """Cut a block so that no more than ``ELEMENTS`` likelihood parameters are decoded at once."""
    per_image = k * block.x[0].numel() * model.likelihood.channels_per_value
    size = max(1, ELEMENTS // per_image)
    for start in range(0, len(block.x), size):
        yield slice(start, min(start + size, len(block.x)))


def _protocol(model: Any, dataset: Dataset, seed: int, closed: bool) -> dict[str, Any]:
    kind = model.likelihood.kind(dataset.spec)
    words = {
        "mass": "probabilities of the data's values",
        "density": "a normalised density",
        "cross-entropy": "a cross-entropy on grey values: no normalised likelihood, so that neither elbo nor nll "
        "compares with those of binarised data",
    }[kind]
    if kind == "density" and dataset.spec.levels is not None and not dataset.spec.dequantized:
        words += " on discrete values: it can be made as high as one likes; dequantise the data to compare it"
    return {
        "likelihood": type(model.likelihood).__name__,
        "likelihood_kind": kind,
        "likelihood_normalised": model.likelihood.is_normalised(dataset.spec),
        "likelihood_in_words": words,
        "rate": ("closed form" if closed else "estimated from one draw") if model.has_prior else _no_rate(model),
        "condition": _condition(model),
        "binarize": dataset.preparation.binarize,
        "dequantize": dataset.preparation.dequantize,
        "seed": seed,
        "mode": "evaluation mode, fp32, one draw of z for the distortion, reconstruction at the posterior mean",
        "nll_standard_error": f"over {dataset.spec.noun}s",
        "unit": f"nats per {dataset.spec.noun}, summed over its values",
    }


def _condition(model: Any) -> str | None:
    """Of what the likelihoods are given."""
    if not model.conditional:
        return None
    unknown = ", or given what q(y given x) finds most likely where there is no label"
    return "the label: every likelihood is of x given y" + (unknown if getattr(model, "classifies", False) else "")


def _no_rate(model: Any) -> str | None:
    """Why a model without a prior has neither rate nor elbo, where that is not plain."""
    if not getattr(model, "discrete", False):
        return None
    return (
        "none: the latents are codes that were trained without a prior, so that there is no elbo; a fitted "
        "autoregressive prior says how many nats its codes take"
    )
