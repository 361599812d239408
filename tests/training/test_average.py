"""The average of the weights, against the recursion written out in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from latentia.training.average import WeightAverage
from latentia.training.optimizer import FusedAdam
from latentia.training.settings import OptimizerSettings


class Numbers(nn.Module):
    """Three weights, a floating-point buffer, and what must not be averaged."""

    def __init__(self, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, dtype=dtype))
        self.register_buffer("mean", torch.zeros((), dtype=dtype))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("mask", torch.tensor([True, False]))

    def become(self, values: list[float]) -> None:
        with torch.no_grad():
            self.weight.copy_(torch.tensor(values[:3], dtype=torch.float64))
            self.get_buffer("mean").fill_(values[3])
            self.get_buffer("count").add_(1)


def values_of(tensors: dict[str, Tensor]) -> list[float]:
    return [*tensors["weight"].tolist(), tensors["mean"].item()]


def clones(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.parametrize("decay", [0.001, 0.5, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_the_recursion(decay: float, dtype: torch.dtype, tolerance: float):
    draw = random.Random(0)
    model = Numbers(dtype)
    model.become([1.0, -2.0, 0.5, 3.0])
    average = WeightAverage(model, decay)
    expected = [1.0, -2.0, 0.5, 3.0]
    for step in range(1, 101):
        weights = [draw.gauss(0, 1) for _ in range(4)]
        model.become(weights)
        average.update(step)
        d = min(decay, (1 + step) / (10 + step))
        expected = [d * before + (1 - d) * now for before, now in zip(expected, weights, strict=True)]
        assert values_of(average.state()) == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert values_of(average.state()) != pytest.approx(weights, rel=0.001)


def test_the_decay_rises_so_that_the_first_weights_are_soon_forgotten():
    """After one step d = 2/11; from (1 + t) / (10 + t) = decay on it stays at the decay."""
    model = Numbers()
    average = WeightAverage(model, 0.75)
    model.become([11.0] * 4)
    average.update(1)
    assert values_of(average.state()) == pytest.approx([9.0] * 4, rel=1e-12)
    for step in (26, 27, 1_000_000):  # (1 + 26) / (10 + 26) = 0.75
        before = values_of(average.state())[0]
        average.update(step)
        assert values_of(average.state())[0] == pytest.approx(0.75 * before + 0.25 * 11.0, rel=1e-12)


def test_only_floating_point_values_are_averaged():
    model = Numbers()
    average = WeightAverage(model, 0.9)
    assert average.state().keys() == {"weight", "mean"}
    model.become([1.0, 2.0, 3.0, 4.0])
    average.update(1)
    with average.applied():
        assert model.get_buffer("count").item() == 1
        assert model.get_buffer("mask").tolist() == [True, False]
    assert model.get_buffer("count").item() == 1


def test_running_statistics_are_averaged_and_the_count_of_batches_is_not():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).double()
    average = WeightAverage(model, 0.9)
    names = ("1.running_mean", "1.running_var")
    expected = {name: model.state_dict()[name].tolist() for name in names}
    for step in range(1, 6):
        model(torch.randn(4, 2, dtype=torch.float64))
        average.update(step)
        d = min(0.9, (1 + step) / (10 + step))
        for name in names:
            now = model.state_dict()[name].tolist()
            expected[name] = [d * a + (1 - d) * b for a, b in zip(expected[name], now, strict=True)]
            assert average.state()[name].tolist() == pytest.approx(expected[name], rel=1e-12)
    with average.applied():
        assert model.state_dict()["1.running_mean"].tolist() == pytest.approx(expected["1.running_mean"], rel=1e-12)
        assert int(model.state_dict()["1.num_batches_tracked"]) == 5


def test_kinds_of_numbers_may_differ_within_a_model():
    model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2).double(), "c": nn.Linear(2, 2).bfloat16()})
    average = WeightAverage(model, 0.5)
    start = clones(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(11)
    average.update(1)
    for name, value in average.state().items():
        assert value.dtype == start[name].dtype
        assert torch.allclose(value.double(), start[name].double() + 9, rtol=1e-2 if "c." in name else 1e-6)


def test_the_average_is_a_copy_that_changes_with_updates_alone():
    model = Numbers()
    average = WeightAverage(model, 0.9)
    model.become([1.0] * 4)
    assert values_of(average.state()) == [0.0] * 4
    average.update(1)
    assert values_of(dict(model.state_dict())) == [1.0] * 4


def prepared() -> tuple[Numbers, WeightAverage]:
    model = Numbers(torch.float32)
    average = WeightAverage(model, 0.9)
    model.become([0.1, float("nan"), -0.0, 1e-42])
    average.update(1)
    model.become([0.3, float("inf"), 1e30, 1 / 3])
    return model, average


def test_applying_puts_the_average_in_and_the_weights_back():
    model, average = prepared()
    before, parameter, state = clones(model), model.weight, {n: v.clone() for n, v in average.state().items()}
    with average.applied():
        inside = clones(model)
        assert torch.equal(inside["weight"].nan_to_num(7), state["weight"].nan_to_num(7))
        assert torch.equal(inside["mean"], state["mean"])
        assert model.weight is parameter and parameter.requires_grad
    assert equal(before, clones(model))
    assert model.weight is parameter and parameter.grad is None
    assert torch.equal(average.state()["mean"], state["mean"])


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_the_weights_come_back_after_an_exception(error: type[BaseException]):
    model, average = prepared()
    before = clones(model)

    def evaluate() -> None:
        with average.applied():
            model.become([9.0] * 4)  # what happens within is forgotten, buffers that are not averaged apart
            raise error

    with pytest.raises(error):
        evaluate()
    before["count"] += 1
    assert equal(before, clones(model))


def test_applying_within_itself_changes_nothing():
    model, average = prepared()
    before = clones(model)
    with average.applied():
        inside = clones(model)
        with average.applied():
            assert torch.equal(clones(model)["mean"], inside["mean"])
        assert torch.equal(clones(model)["mean"], inside["mean"])
    assert equal(before, clones(model))


def test_training_goes_on_after_applying():
    """The optimiser holds the parameters themselves: they must still be the model's."""
    straight, interrupted = nn.Linear(2, 1), nn.Linear(2, 1)
    interrupted.load_state_dict(straight.state_dict())
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))

    def train(model: nn.Module, pause: Callable[[], None]) -> None:
        optimizer = FusedAdam(list(model.parameters()), OptimizerSettings())
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            pause()
            optimizer.step(0.1)

    average = WeightAverage(interrupted, 0.9)

    def evaluate() -> None:
        with average.applied(), torch.no_grad():
            interrupted(x)

    train(straight, lambda: None)
    train(interrupted, evaluate)
    assert equal(clones(straight), clones(interrupted))


def test_goes_on_from_its_state():
    def walk(model: Numbers, average: WeightAverage, steps: range) -> None:
        for step in steps:
            model.become([step / 3, -step, 1 / step, 0.1])
            average.update(step)

    straight = Numbers(torch.float32)
    whole = WeightAverage(straight, 0.8)
    walk(straight, whole, range(1, 41))

    first = Numbers(torch.float32)
    half = WeightAverage(first, 0.8)
    walk(first, half, range(1, 18))
    saved = {name: value.clone() for name, value in half.state().items()}
    second = Numbers(torch.float32)
    resumed = WeightAverage(second, 0.8)
    resumed.restore(saved)
    walk(second, resumed, range(18, 41))
    assert equal(whole.state(), resumed.state())
    assert saved["weight"].tolist() != resumed.state()["weight"].tolist()  # what was handed in is copied
    with pytest.raises(KeyError):
        resumed.restore({"weight": torch.zeros(3)})
