from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from latentia.errors import CheckpointError
from latentia.training.optimizer import FusedAdam
from latentia.training.settings import OptimizerSettings


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_is_bit_identical_to_torch(name: str, weight_decay: float):
    torch.manual_seed(0)
    ours, theirs = nn.Linear(7, 3), nn.Linear(7, 3)
    theirs.load_state_dict(ours.state_dict())
    settings = OptimizerSettings.model_validate(
        {"name": name, "lr": 0.02, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": weight_decay}
    )
    adam = FusedAdam(list(ours.parameters()), settings)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    reference = kind(theirs.parameters(), lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=weight_decay, fused=True)
    for step in range(20):
        x = torch.randn(5, 7)
        rate = 0.02 / (1 + step)
        for model, zero in ((ours, adam.zero_grad), (theirs, reference.zero_grad)):
            zero()
            model(x).square().sum().backward()
        adam.step(rate)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, other)


def test_moments_that_have_vanished_become_zero_and_no_weight_notices():
    ours, theirs = (nn.Parameter(torch.tensor([0.5, -0.3, 1e-3])) for _ in range(2))
    adam = FusedAdam([ours], OptimizerSettings())
    reference = torch.optim.Adam([theirs], lr=0.01, fused=True)
    reference_mean = torch.zeros(3)
    for step in range(2048):
        gradient = torch.tensor([1.0, 1e-3, -1.0]) * (step < 10)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        adam.step(0.01)
        reference.step()
        reference_mean = reference.state[theirs]["exp_avg"]
    assert torch.equal(ours, theirs)
    tiny = torch.finfo(torch.float32).tiny
    assert ((reference_mean != 0) & (reference_mean.abs() < tiny)).all()  # PyTorch's stay subnormal for ever
    assert torch.equal(adam.means[0], torch.zeros(3))
    assert (adam.squares[0] > tiny).all()


def test_parameters_without_a_gradient_stay():
    used, idle = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    adam = FusedAdam([idle, used], OptimizerSettings())
    used.sum().backward()
    adam.step(0.1)
    assert torch.equal(idle, torch.ones(2))
    assert torch.allclose(used, torch.full((2,), 0.9))
    adam.zero_grad()
    adam.step(0.1)  # nothing has a gradient: nothing happens
    assert torch.allclose(used, torch.full((2,), 0.9))


def test_goes_on_from_its_state():
    def train(weight: nn.Parameter, adam: FusedAdam, steps: int) -> None:
        for _ in range(steps):
            adam.zero_grad()
            weight.square().sum().backward()
            adam.step(0.1)

    straight = nn.Parameter(torch.tensor([1.0, -2.0]))
    train(straight, FusedAdam([straight], OptimizerSettings()), 7)
    first = nn.Parameter(torch.tensor([1.0, -2.0]))
    adam = FusedAdam([first], OptimizerSettings())
    train(first, adam, 3)
    saved = {name: value.clone() for name, value in adam.state().items()}
    second = nn.Parameter(first.detach().clone())
    resumed = FusedAdam([second], OptimizerSettings())
    resumed.restore(saved)
    train(second, resumed, 4)
    assert torch.equal(straight, second)
    with pytest.raises(CheckpointError, match="does not fit"):
        FusedAdam([nn.Parameter(torch.ones(3))], OptimizerSettings()).restore(saved)
    with pytest.raises(CheckpointError, match="does not fit"):
        FusedAdam([], OptimizerSettings()).restore(saved)


@pytest.mark.parametrize(("name", "decay"), [("adam", 0.0), ("adam", 0.1), ("adamw", 0.1)])
def test_a_step_as_plain_operations_is_that_of_the_kernel(name: Any, decay: float):
    settings = OptimizerSettings(name=name, weight_decay=decay, beta1=0.8, beta2=0.95)
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(50))
    kernel, plain = FusedAdam([weight], settings), FusedAdam([nn.Parameter(weight.detach().clone())], settings)
    for step in range(1, 6):
        weight.grad = torch.randn(50)
        numbers = torch.tensor(plain.begin(0.01 / step)).unbind()
        places = (plain.parameters[0].detach(), plain.means[0], plain.squares[0])
        for place, value in zip(places, plain.updated(*places, weight.grad, numbers), strict=True):
            place.copy_(value)
        kernel.step(0.01 / step)
        torch.testing.assert_close(places[0], weight.detach(), rtol=1e-6, atol=1e-7)
        for found, expected in zip(plain.state().values(), kernel.state().values(), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    assert len(plain.begin(0.01)) == len(FusedAdam.STILL) and plain.count == 6
