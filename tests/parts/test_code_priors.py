"""Priors over codes: what a place may see, and that probabilities sum to one and are drawn."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from latentia.errors import ConfigError
from latentia.parts.code_priors import AutoregressivePrior, UniformCodesPrior
from latentia.parts.networks.masked import GatedPixelCNN


def test_a_place_sees_all_that_comes_before_and_nothing_else() -> None:
    torch.manual_seed(0)
    height, width = 4, 5
    network = GatedPixelCNN(6, (height, width), width=16, layers=5).double()
    indices = torch.randint(0, 6, (1, height, width))
    scores = network(indices)
    for place in range(height * width):
        changed = indices.clone()
        changed.view(-1)[place] = (changed.view(-1)[place] + 1) % 6
        moved = (network(changed) - scores).abs().sum(1).flatten() > 0
        assert not moved[: place + 1].any()
        assert moved[place + 1 :].all()  # no blind spot


def prior() -> AutoregressivePrior:
    torch.manual_seed(3)
    made = AutoregressivePrior((2, 2), 3, width=8, layers=2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2.0)
    return made.double()


def test_probabilities_of_all_maps_sum_to_one_and_samples_follow_them() -> None:
    made = prior()
    maps = torch.tensor(list(itertools.product(range(3), repeat=4))).view(-1, 2, 2)
    p = made.log_prob(maps).exp().detach().double()
    assert float(p.sum()) == pytest.approx(1, abs=1e-5)
    n = 20_000
    drawn = made.sample(n, torch.Generator().manual_seed(0))
    numbers = (drawn.flatten(1) * torch.tensor([27, 9, 3, 1])).sum(1)
    found = torch.bincount(numbers, minlength=81) / n
    assert ((found - p).abs() < 5 * (p * (1 - p) / n).sqrt() + 1e-3).all()


def test_temperature_0_takes_the_likeliest() -> None:
    made = prior()
    drawn = made.sample(4, temperature=0.0)
    assert (drawn == drawn[:1]).all()
    scores = made.network(drawn[:1])
    assert int(scores[0, :, 0, 0].argmax()) == int(drawn[0, 0, 0])
    assert int(scores[0, :, 1, 1].argmax()) == int(drawn[0, 1, 1])


@pytest.mark.parametrize("make", [prior, lambda: UniformCodesPrior((2, 2), 3)])
def test_samples_repeat_with_their_generator(make) -> None:  # type: ignore[no-untyped-def]
    made = make()
    state = torch.get_rng_state()
    first = made.sample(50, torch.Generator().manual_seed(7))
    assert torch.equal(first, made.sample(50, torch.Generator().manual_seed(7)))
    assert first.shape == (50, 2, 2) and first.dtype == torch.int64 and first.unique().tolist() == [0, 1, 2]
    assert made.sample(0).shape == (0, 2, 2) and made.kl(torch.distributions.Normal(0.0, 1.0)) is None
    assert torch.equal(torch.get_rng_state(), state) or isinstance(made, AutoregressivePrior)


def test_every_code_alike() -> None:
    drawn = UniformCodesPrior((5, 5), 4).sample(2000, torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn.flatten(), minlength=4) / 50_000
    assert ((counts - 0.25).abs() < 5 * math.sqrt(0.25 * 0.75 / 50_000)).all()
    assert UniformCodesPrior((5, 5), 4)().log_prob(drawn[:1]).sum().item() == pytest.approx(-25 * math.log(4))


def test_there_is_no_single_distribution() -> None:
    with pytest.raises(ConfigError, match="log_prob"):
        prior()()
    assert prior().draw_noise(3) == ()
