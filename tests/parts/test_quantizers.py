"""Quantisers: against brute force and plain formulas; what a codebook learns, and that nothing in it is random."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from latentia.errors import ConfigError
from latentia.parts.quantizers import FiniteScalarQuantizer, VectorQuantizer, nearest, perplexity

MAP = (3, 2, 2)


def features(n: int = 40, seed: int = 0) -> Tensor:
    return torch.randn(n, math.prod(MAP), generator=torch.Generator().manual_seed(seed))


def vector_quantizer(**settings: Any) -> VectorQuantizer:
    torch.manual_seed(0)
    return VectorQuantizer(math.prod(MAP), MAP, **{"codes": 8, "dimension": 2, **settings}).train()


def rows_of(z: Tensor) -> Tensor:
    return z.detach().movedim(1, -1).reshape(-1, z.shape[1])


# --- choosing codes ---------------------------------------------------------------------------------------------------


def test_the_nearest_code_is_found() -> None:
    source = torch.Generator().manual_seed(0)
    rows, codes = (torch.randn(n, 5, generator=source, dtype=torch.float64) for n in (200, 17))
    indices, errors = nearest(rows, codes)
    distances = np.square(rows.numpy()[:, None] - codes.numpy()).sum(-1)
    np.testing.assert_array_equal(indices.numpy(), distances.argmin(1))
    np.testing.assert_allclose(errors.numpy(), distances.min(1))


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_latents_are_codes_and_can_be_looked_up(learning: str) -> None:
    quantizer = vector_quantizer(learning=learning)
    q = quantizer(features())
    assert q.indices.shape == (40, 2, 2) and q.indices.dtype == torch.int64
    assert q.mean.shape == (40, 2, 2, 2) == (40, *quantizer.latent_shape)
    assert torch.equal(q.mean, q.codes)
    quantizer.eval()
    q = quantizer(features())
    assert torch.equal(quantizer.lookup(q.indices), q.mean)
    assert torch.equal(rows_of(q.mean), quantizer.codebook[q.indices.flatten()])
    assert quantizer.draw_noise((3,)) is None and quantizer.code_shape == (2, 2)


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_points_are_snapped_to_the_nearest_codes(learning: str) -> None:
    quantizer = vector_quantizer(learning=learning)
    quantizer(features())
    quantizer.eval()
    z = 3 * torch.randn(50, *quantizer.latent_shape)
    snapped = quantizer.snap(z)
    distances = torch.cdist(rows_of(z).double(), quantizer.codebook.detach().double())  # brute force
    assert torch.equal(rows_of(snapped), quantizer.codebook.detach()[distances.argmin(1)])
    assert torch.equal(quantizer.snap(snapped), snapped) and not snapped.requires_grad


def test_gradients_pass_straight_through() -> None:
    quantizer = vector_quantizer().eval()
    h = features().requires_grad_()
    q = quantizer(h)
    weight = torch.randn(q.mean.shape)
    (q.mean * weight).sum().backward()
    expected = torch.nn.functional.conv_transpose2d(weight, quantizer.head.weight).flatten(1)
    torch.testing.assert_close(h.grad, expected)


def test_the_terms_reach_one_side_only() -> None:
    quantizer = vector_quantizer(learning="gradient")
    h = features().requires_grad_()
    q = quantizer(h)
    squared = (q.encoded - q.codes).square().flatten(1).sum(1)
    torch.testing.assert_close(q.commitment(), squared)
    torch.testing.assert_close(q.codebook_error(), squared)
    (codes,) = torch.autograd.grad(q.codebook_error().sum(), quantizer.codebook, retain_graph=True)
    rows = rows_of(q.encoded)
    expected = torch.zeros_like(codes)
    for row, index in zip(rows, q.indices.flatten().tolist(), strict=True):
        expected[index] += 2 * (quantizer.codebook.detach()[index] - row)
    torch.testing.assert_close(codes, expected)
    (back,) = torch.autograd.grad(q.commitment().sum(), h)
    assert back.any() and not vector_quantizer()(features()).codes.requires_grad


# --- learning ---------------------------------------------------------------------------------------------------------


def test_codes_start_from_the_data() -> None:
    quantizer = vector_quantizer()
    centres = torch.tensor([[8.0, 0.0], [-8.0, 0.0], [0.0, 8.0], [0.0, -8.0], [8, 8], [-8, -8], [8, -8], [-8, 8]])
    with torch.no_grad():
        quantizer.head.weight.copy_(torch.eye(2, 3)[..., None, None])
        quantizer.head.bias.zero_()  # type: ignore[union-attr]
    source = torch.Generator().manual_seed(1)
    h = torch.zeros(50, *MAP)
    which = torch.randint(0, 8, (50, 2, 2), generator=source)
    h[:, :2] = (centres[which] + 0.1 * torch.randn(50, 2, 2, 2, generator=source)).movedim(-1, 1)
    quantizer(h.flatten(1))
    distances = (quantizer.codebook[:, None] - centres).norm(dim=-1)
    assert float(quantizer.steps) == 1 and (distances.min(0).values < 0.2).all()
    assert (quantizer.counts > 0).all()


def test_running_means_are_the_papers() -> None:
    quantizer = vector_quantizer(decay=0.9, revive_below=0.0)
    h = features()
    quantizer(h)
    counts, sums, codebook = (quantizer.state_dict()[name].clone() for name in ("counts", "sums", "codebook"))
    q = quantizer(features(seed=1))
    rows, chosen = rows_of(q.encoded), torch.nn.functional.one_hot(q.indices.flatten(), 8).float()
    assert torch.equal(rows_of(q.codes), codebook[q.indices.flatten()])  # those from before the step
    decay = 3 / 12  # in the second step; 0.9 later
    counts = decay * counts + (1 - decay) * chosen.sum(0)
    sums = decay * sums + (1 - decay) * chosen.T @ rows
    torch.testing.assert_close(quantizer.counts, counts)
    torch.testing.assert_close(quantizer.sums, sums)
    torch.testing.assert_close(quantizer.codebook, sums / counts[:, None], rtol=1e-3, atol=1e-4)


def test_running_means_come_to_the_mean_of_what_chose_them() -> None:
    quantizer = vector_quantizer(decay=0.5)
    h = features()
    for _ in range(60):
        q = quantizer(h)
    rows, indices = rows_of(q.encoded), q.indices.flatten()
    for code in indices.unique().tolist():
        torch.testing.assert_close(quantizer.codebook[code], rows[indices == code].mean(0), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_dead_codes_are_moved_to_what_is_served_worst(learning: str) -> None:
    quantizer = vector_quantizer(learning=learning, decay=0.5, revive_below=0.1)
    h = features()
    quantizer(h)
    with torch.no_grad():
        quantizer.codebook[3] = 1e3
        if learning == "ema":
            quantizer.sums[3] = 1e3 * quantizer.counts[3]
    alive = []
    for _ in range(30):
        q = quantizer(h)
        alive.append(len(q.indices.unique()))
    assert alive[0] == 7 and alive[-1] == 8 and quantizer.codebook.abs().max() < 100
    kept = vector_quantizer(learning=learning, decay=0.5, revive_below=0.0)
    kept.load_state_dict(quantizer.state_dict())
    with torch.no_grad():
        kept.codebook[3] = 1e3
        if learning == "ema":
            kept.sums[3] = 1e3 * kept.counts[3]
    for _ in range(30):
        kept(h)
    assert kept.codebook.abs().max() > 100


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_nothing_is_learned_while_evaluating(learning: str) -> None:
    quantizer = vector_quantizer(learning=learning)
    before = copy.deepcopy(quantizer.state_dict())
    quantizer.eval()(features())
    with torch.no_grad():
        quantizer.train()(features())
    assert all(torch.equal(before[name], value) for name, value in quantizer.state_dict().items())


def test_nothing_is_drawn_at_random() -> None:
    states = []
    for seed in (1, 2):
        quantizer = vector_quantizer(revive_below=0.5)
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        for step in range(5):
            quantizer(features(3, seed=step))  # 12 rows for 8 codes: some die
        assert torch.equal(state, torch.get_rng_state())
        states.append(quantizer.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_fewer_features_than_codes_will_do() -> None:
    quantizer = vector_quantizer(codes=64)
    for step in range(3):
        q = quantizer(features(2, seed=step))
        assert q.mean.isfinite().all() and quantizer.codebook.isfinite().all()


# --- a fixed grid -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [[8, 5, 5, 5], [3, 2], [2], [7, 4]])
def test_every_point_of_the_grid_has_a_number_and_can_be_reached(levels: list[int]) -> None:
    quantizer = FiniteScalarQuantizer(len(levels) * 2, (len(levels), 1, 2), levels).double()
    axes = [(np.arange(size) - size // 2) / (size // 2) for size in levels]
    grid = np.array([point[::-1] for point in itertools.product(*axes[::-1])])
    found = quantizer.lookup(torch.arange(quantizer.codebook_size).view(-1, 1, 1))[:, :, 0, 0]
    np.testing.assert_allclose(found.numpy(), grid, atol=1e-7)
    with torch.no_grad():
        quantizer.head.weight.copy_(torch.eye(len(levels))[..., None, None])
        quantizer.head.bias.zero_()  # type: ignore[union-attr]
    h = 20 * torch.rand(40_000, len(levels), 1, 2, dtype=torch.float64) - 10
    h = h.where(torch.rand(h.shape) < 0.3, h / 8)
    q = quantizer(h.flatten(1))
    assert torch.equal(quantizer.lookup(q.indices), q.mean)
    if quantizer.codebook_size < 100:
        assert len(q.indices.unique()) == quantizer.codebook_size
    centre = quantizer(torch.zeros(1, 2 * len(levels), dtype=torch.float64))
    torch.testing.assert_close(centre.encoded, torch.zeros_like(centre.encoded))  # 0 is kept


def test_the_grid_takes_the_nearest_point() -> None:
    quantizer = FiniteScalarQuantizer(8, (2, 2, 2), [5, 4])
    q = quantizer(4 * torch.randn(60, 8))
    grid = quantizer.lookup(torch.arange(20).view(-1, 1, 1))[:, :, 0, 0]
    indices, _ = nearest(rows_of(q.encoded) * torch.tensor([2.0, 2.0]), grid * torch.tensor([2.0, 2.0]))
    assert torch.equal(indices, q.indices.flatten())
    q.mean.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in quantizer.parameters())


def test_points_are_snapped_to_the_grid() -> None:
    quantizer = FiniteScalarQuantizer(12, (3, 2, 2), [5, 4, 2])
    grid = quantizer.lookup(torch.arange(40).view(-1, 1, 1))[:, :, 0, 0]
    z = 1.5 * torch.randn(60, 3, 2, 2)
    snapped = quantizer.snap(z)
    assert torch.equal(rows_of(snapped), grid[torch.cdist(rows_of(z), grid).argmin(1)])
    assert torch.equal(quantizer.snap(snapped), snapped)
    far = quantizer.snap(torch.full((1, 3, 2, 2), 1e6))
    assert torch.equal(rows_of(far), grid.amax(0).expand(4, 3))


# --- odds and ends ----------------------------------------------------------------------------------------------------


def test_perplexity_is_the_exponential_of_the_entropy() -> None:
    counts = torch.tensor([3, 0, 1, 4])
    p = counts[counts > 0] / 8
    assert float(perplexity(counts)) == pytest.approx(math.exp(-float((p * p.log()).sum())))
    quantizer = vector_quantizer()
    q = quantizer(features())
    assert 1 <= float(q.perplexity()) <= 8


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: VectorQuantizer(12, (12,)), "shape \\(C, H, W\\)"),
        (lambda: VectorQuantizer(12, MAP, codes=1), "at least 2 codes"),
        (lambda: VectorQuantizer(12, MAP, learning="magic"), "'ema' or by 'gradient'"),
        (lambda: FiniteScalarQuantizer(12, MAP, [1]), "at least 2"),
        (lambda: FiniteScalarQuantizer(12, MAP, []), "at least 2"),
        (lambda: FiniteScalarQuantizer(12, MAP, [1000, 1000, 1000]), "more than 2\\^20"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()
