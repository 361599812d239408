"""Quantisers: posteriors whose latents are one of finitely many codes at each place of a feature map.

A quantiser turns the encoder's feature map into ``indices`` (B, h, w) and the codes that they name, and passes the
gradient of the codes straight through to the features. Knows neither the encoder nor the objective; what the objective
needs is on the :class:`Quantized` that it returns. Nothing here is drawn at random: with the same weights and the same
batches, a codebook learns the same.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from latentia.data.whole import whole
from latentia.errors import ConfigError
from latentia.maths.distributions import Delta
from latentia.parts.posteriors import Posterior
from latentia.parts.settings import check_levels

INITIAL_ITERATIONS = 10  # of k-means on the first batch
_ROWS = 2**24  # distances computed at once


class Quantized(Delta):
    """A point on the grid of codes, with the way that led there.

    Attributes:
        indices: Which code, (B, h, w), int64.
        encoded: What was quantised, (B, D, h, w).
        codes: The chosen codes, (B, D, h, w), with gradients to the codebook where it learns by them.
        codebook_size: How many codes there are.
    """

    def __init__(self, encoded: Tensor, codes: Tensor, indices: Tensor, codebook_size: int) -> None:
        super().__init__(StraightThrough.apply(encoded, codes.detach()))  # type: ignore[arg-type]
        self.encoded, self.codes, self.indices = encoded, codes, indices
        self.codebook_size = codebook_size

    def commitment(self) -> Tensor:
        """How far the features are from their codes, squared and summed, (B,), with gradients to the features."""
        return (self.encoded - self.codes.detach()).square().flatten(1).sum(1)

    def codebook_error(self) -> Tensor:
        """The same, (B,), with gradients to the codes."""
        return (self.encoded.detach() - self.codes).square().flatten(1).sum(1)

    def perplexity(self) -> Tensor:
        """How many codes this batch uses, as the exponential of their entropy, a scalar in [1, codebook_size]."""
        return perplexity(torch.bincount(whole(self.indices.flatten()), minlength=self.codebook_size))


class StraightThrough(torch.autograd.Function):
    """The codes going forward, the features going back: a gradient where rounding has none.

    Bengio, Leonard & Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
    Computation", 2013, https://arxiv.org/abs/1308.3432, section 4.
    """

    @staticmethod
    def forward(ctx: Any, encoded: Tensor, codes: Tensor) -> Tensor:
        """Return the codes."""
        return codes.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the codes as that of the features."""
        return gradients[0], None


def perplexity(counts: Tensor) -> Tensor:
    r"""The exponential of the entropy of how often each code was used.

    .. math:: \exp\left(-\sum_m p_m \ln p_m\right), \quad p_m = n_m / \sum_j n_j

    Args:
        counts: n, (M,).

    Returns:
        A scalar: 1 if a single code was used, M if all were used alike.

    Example:
        >>> perplexity(torch.tensor([5, 5, 0, 0]))
        tensor(2.)
    """
    p = counts.to(torch.get_default_dtype()) / counts.sum()
    return torch.special.entr(p).sum().exp()


class Quantizer(Posterior):
    """What every quantiser has in common: a 1 x 1 convolution to the dimension of the codes, and their number.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape (C, h, w) of the encoder's feature map.
        dimension: D, of the codes.

    Attributes:
        latent_shape: (D, h, w).
        codebook_size: M, how many codes there are.
    """

    deterministic = True
    spatial = True
    discrete = True
    codebook_size: int

    def __init__(self, features: int, latent_shape: Sequence[int], dimension: int) -> None:
        if len(latent_shape) != 3 or math.prod(latent_shape) != features:
            raise ConfigError(
                f"a quantiser needs latents of the shape (C, H, W) of the encoder's {features} features, not "
                f"{tuple(latent_shape)}: hand it the encoder's out_shape"
            )
        super().__init__((dimension, *latent_shape[1:]))
        self.map_shape = tuple(latent_shape)
        self.head = nn.Conv2d(latent_shape[0], dimension, 1)

    @property
    def code_shape(self) -> tuple[int, int]:
        """Shape (h, w) of one image's indices."""
        return self.latent_shape[1], self.latent_shape[2]

    def encoded(self, h: Tensor) -> Tensor:
        """Map features (B, features) to what is quantised, (B, D, h, w), in full precision."""
        return self.head(h.to(self.head.weight.dtype).unflatten(1, self.map_shape))

    @abstractmethod
    def forward(self, h: Tensor) -> Quantized:
        """Map features (B, features) to the codes that stand for x."""

    @abstractmethod
    def lookup(self, indices: Tensor) -> Tensor:
        """The latents (B, D, h, w) that indices (B, h, w) name."""

    @abstractmethod
    def snap(self, z: Tensor) -> Tensor:
        """The code nearest to z at each place, by Euclidean distance: (B, D, h, w) of any numbers to (B, D, h, w)."""

    def draw_noise(
        self, shape: Sequence[int], generator: torch.Generator | None = None, device: torch.device | str | None = None
    ) -> Tensor | None:
        """Return None: a code needs no noise."""
        return None


class VectorQuantizer(Quantizer):
    r"""The nearest of M learned codes at each place.

    .. math:: z_q = e_m, \quad m = \arg\min_j \| z_e - e_j \|^2

    Van den Oord, Vinyals & Kavukcuoglu, "Neural Discrete Representation Learning", 2017,
    https://arxiv.org/abs/1711.00937, equations 1 and 2. The codes learn either as running means of the features that
    chose them (``ema``, appendix A.1, equations 6 to 8), of which a batch has :math:`n_m`,

    .. math:: N_m \leftarrow \gamma N_m + (1 - \gamma)\, n_m, \quad
              s_m \leftarrow \gamma s_m + (1 - \gamma) \sum z_e, \quad e_m = s_m / N_m,

    or by the gradient of their squared distance from these (``gradient``, the second term of equation 3, which the
    objective adds).

    In training mode with gradients, a forward pass also changes the codebook, as batch normalisation changes its
    statistics. On the first such pass the codes are set by k-means on the batch (Lancucki et al., "Robust Training of
    Vector Quantized Bottleneck Models", 2020, https://arxiv.org/abs/2005.08520). Later, codes that are hardly used any
    more are moved to the features that are served worst (Dhariwal et al., "Jukebox", 2020,
    https://arxiv.org/abs/2005.00341, section 3.1, take random ones). Codebook, counts and sums are buffers, so that a
    checkpoint holds all of it.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape (C, h, w) of the encoder's feature map.
        codes: M.
        dimension: D, of each code.
        learning: ``ema`` or ``gradient``.
        decay: gamma, of the running counts and sums, in [0, 1). After t steps it is min(decay, (1 + t) / (10 + t)), so
            that the codes follow while the features still change fast.
        initialisation: ``data``, as above, or ``random``: uniform within 1 / M, as in the paper's own code.
        revive_below: A code is moved once it is used less than this fraction of the mean use; 0 moves none.

    Raises:
        ConfigError: If the features are no such map, or a setting is not allowed.

    Example:
        >>> q = VectorQuantizer(8 * 7 * 7, (8, 7, 7), codes=16, dimension=4)(torch.randn(5, 392))
        >>> q.mean.shape, q.indices.shape
        (torch.Size([5, 4, 7, 7]), torch.Size([5, 7, 7]))
    """

    def __init__(
        self,
        features: int,
        latent_shape: Sequence[int],
        codes: int = 512,
        dimension: int = 64,
        learning: str = "ema",
        decay: float = 0.99,
        initialisation: str = "data",
        revive_below: float = 0.03,
    ) -> None:
        super().__init__(features, latent_shape, dimension)
        if codes < 2:
            raise ConfigError(f"a codebook needs at least 2 codes, not {codes}")
        self.codebook_size = codes
        self.learning, self.decay, self.revive_below = learning, float(decay), float(revive_below)
        self.codebook: Tensor
        self.counts: Tensor
        self.steps: Tensor
        start = torch.empty(codes, dimension).uniform_(-1 / codes, 1 / codes)
        if learning == "gradient":
            self.codebook = nn.Parameter(start)
        elif learning == "ema":
            self.register_buffer("codebook", start)
            self.sums: Tensor
            self.register_buffer("sums", start.clone())
        else:
            raise ConfigError(f"a codebook learns by 'ema' or by 'gradient', not by '{learning}'")
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("steps", torch.zeros(()))
        self.from_data = initialisation == "data"
        self._begun = False  # whether steps > 0, on the host, so that no step waits for the device to say so
        self.register_load_state_dict_post_hook(_forget_begun)

    def forward(self, h: Tensor) -> Quantized:
        """Map features (B, features) to the nearest codes; in training also let the codebook learn."""
        with torch.autocast(h.device.type, enabled=False):
            encoded = self.encoded(h)  # (B, D, h, w)
            rows = encoded.detach().movedim(1, -1).reshape(-1, encoded.shape[1])  # (N, D)
            learns = self.training and torch.is_grad_enabled()
            if learns and self.from_data and not self._begun:
                if not bool(self.steps):
                    self._start(whole(rows))
                self._begun = True
            indices, errors = nearest(rows, self.codebook.detach())
            places = indices.view(-1, *self.code_shape)  # (B, h, w)
            q = Quantized(encoded, self.codebook[places].movedim(3, 1), places, self.codebook_size)
            if learns:
                self._learn(whole(rows), whole(indices), whole(errors))
        return q

    def lookup(self, indices: Tensor) -> Tensor:
        """The latents (B, D, h, w) that indices (B, h, w) name."""
        return self.codebook.detach()[indices].movedim(3, 1)

    def snap(self, z: Tensor) -> Tensor:
        """The code nearest to z at each place, (B, D, h, w); a code stays what it is."""
        rows = z.detach().movedim(1, -1).reshape(-1, z.shape[1])  # (N, D)
        indices, _ = nearest(rows.double(), self.codebook.detach().double())
        return self.lookup(indices.view(-1, *self.code_shape))

    @torch.no_grad()
    def _start(self, rows: Tensor) -> None:
        """Set the codes by k-means on the first batch, from features that lie evenly in it."""
        size = self.codebook_size
        centres = rows[torch.arange(size, device=rows.device) * len(rows) // size].clone()
        for _ in range(INITIAL_ITERATIONS):
            indices, errors = nearest(rows, centres)
            counts, sums = _totals(rows, indices, size)
            used = counts > 0
            centres[used] = sums[used] / counts[used, None]
            free = (~used).nonzero().flatten()
            worst = errors.topk(min(len(free), len(rows))).indices
            centres[free[: len(worst)]] = rows[worst]
        counts, _ = _totals(rows, nearest(rows, centres)[0], size)
        everywhere = torch.ones_like(counts, dtype=torch.bool)
        self._place(everywhere, centres, counts.clamp_min(counts.mean()))

    @torch.no_grad()
    def _learn(self, rows: Tensor, indices: Tensor, errors: Tensor) -> None:
        counts, sums = _totals(rows, indices, self.codebook_size)
        self.steps += 1
        share = 1 - torch.clamp((1 + self.steps) / (10 + self.steps), max=self.decay)  # of the new in the running means
        self.counts.lerp_(counts, share)
        if self.learning == "ema":
            self.sums.lerp_(sums, share)
            seen = (self.counts > 1e-4)[:, None]  # a code that nothing has chosen for long stays where it is
            self.codebook.copy_(torch.where(seen, self.sums / self.counts.clamp_min(1e-4)[:, None], self.codebook))
        if self.revive_below > 0:
            mean = self.counts.mean()
            dead = self.counts < self.revive_below * mean
            place = dead.cumsum(0) - 1  # the first dead code moves to the worst served row, the next to the next ...
            worst = errors.topk(min(self.codebook_size, len(rows))).indices
            moved = dead & (place < len(worst))
            self._place(moved, rows[worst[place.clamp(0, len(worst) - 1)]], mean.expand_as(self.counts))

    @torch.no_grad()
    def _place(self, which: Tensor, centres: Tensor, counts: Tensor) -> None:
        """Put the codes that are named, (M,), where the centres (M, D) are, as if used there so often, (M,)."""
        self.codebook.copy_(torch.where(which[:, None], centres, self.codebook))
        self.counts.copy_(torch.where(which, counts, self.counts))
        if self.learning == "ema":
            self.sums.copy_(torch.where(which[:, None], centres * counts[:, None], self.sums))


def _forget_begun(quantizer: Any, keys: Any) -> None:
    """Look at the number of steps again once it was loaded."""
    quantizer._begun = False


@torch.no_grad()
def nearest(rows: Tensor, codebook: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest code of each row, and the squared distance to it.

    Args:
        rows: (N, D).
        codebook: (M, D).

    Returns:
        Indices (N,), int64, and squared distances (N,).

    Example:
        >>> nearest(torch.tensor([[0.9], [0.2]]), torch.tensor([[0.0], [1.0]]))[0]
        tensor([1, 0])
    """
    norms = codebook.square().sum(1)
    most = max(1, _ROWS // len(codebook))
    pieces = rows.split(most) if len(rows) > most else (rows,)  # a graph of one batch fits all that need no cutting
    found = [torch.addmm(norms, piece, codebook.T, alpha=-2).min(1) for piece in pieces]
    indices = torch.cat([piece.indices for piece in found])
    return indices, (rows - codebook[indices]).square().sum(1)


def _totals(rows: Tensor, indices: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    """How many rows chose each code (M,), and their sum (M, D)."""
    counts = torch.bincount(indices, minlength=codes).to(rows.dtype)
    sums = torch.zeros(codes, rows.shape[1], dtype=rows.dtype, device=rows.device)
    return counts, sums.index_add_(0, indices, rows)


class FiniteScalarQuantizer(Quantizer):
    r"""Each of a few dimensions rounded to one of a few levels: a grid of codes with nothing to learn.

    .. math::
        z_q = \mathrm{round}\left(\tfrac{L - 1}{2}\,(1 + 10^{-3}) \tanh(z_e + s) - o\right) / \lfloor L / 2 \rfloor

    Mentzer, Minnen, Agustsson & Tschannen, "Finite Scalar Quantization: VQ-VAE Made Simple", 2023,
    https://arxiv.org/abs/2309.15505, section 3 and appendix A.1. For an even L, o = 1/2 and s = artanh(o / w), w being
    the factor of tanh; for an odd one both are 0, so that 0 is kept (the appendix has 1 - 10^-3, and a tangent in the
    place of artanh, which does not work for two levels). There are :math:`\prod L_i` codes, all of them on the grid
    from the start, so that none can die.

    Args:
        features: Number of features per sample, the encoder's ``out_features``.
        latent_shape: Shape (C, h, w) of the encoder's feature map.
        levels: L of each dimension, at least 2.

    Raises:
        ConfigError: If the features are no such map, or there are too few levels.

    Example:
        >>> quantizer = FiniteScalarQuantizer(8 * 7 * 7, (8, 7, 7), levels=[8, 5, 5, 5])
        >>> quantizer.codebook_size, quantizer(torch.randn(5, 392)).indices.max() < 1000
        (1000, tensor(True))
    """

    def __init__(self, features: int, latent_shape: Sequence[int], levels: Sequence[int] = (8, 5, 5, 5)) -> None:
        check_levels(list(levels))
        super().__init__(features, latent_shape, len(levels))
        self.codebook_size = math.prod(levels)
        self.levels: Tensor
        self.places: Tensor
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        places = [math.prod(levels[:place]) for place in range(len(levels))]
        self.register_buffer("places", torch.tensor(places), persistent=False)

    def forward(self, h: Tensor) -> Quantized:
        """Map features (B, features) to the nearest points of the grid."""
        with torch.autocast(h.device.type, enabled=False):
            z = self.encoded(h).movedim(1, -1)  # (B, h, w, D)
            half = (self.levels - 1).to(z.dtype) / 2 * (1 + 1e-3)
            offset = ((self.levels + 1) % 2).to(z.dtype) / 2
            bounded = half * torch.tanh(z + torch.atanh(offset / half)) - offset
            rounded = bounded.detach().round()
            width = (self.levels // 2).to(z.dtype)
            indices = ((rounded.long() + self.levels // 2) * self.places).sum(-1)
            encoded, codes = (part.movedim(3, 1) / width.view(-1, 1, 1) for part in (bounded, rounded))
        return Quantized(encoded, codes, indices, self.codebook_size)

    def lookup(self, indices: Tensor) -> Tensor:
        """The latents (B, D, h, w) that indices (B, h, w) name."""
        digits = indices.unsqueeze(-1) // self.places % self.levels  # (B, h, w, D)
        half = self.levels // 2
        return ((digits - half).to(self.head.weight.dtype) / half).movedim(3, 1)

    def snap(self, z: Tensor) -> Tensor:
        """The point of the grid nearest to z at each place, (B, D, h, w); outside of the grid, one on its edge."""
        half = self.levels // 2
        digits = (z.detach().movedim(1, -1) * half + half).round().long()  # (B, h, w, D)
        digits = digits.clamp(min=0).minimum(self.levels - 1)
        return self.lookup((digits * self.places).sum(-1))
