"""Steps that are recorded once and replayed: by a stand-in for CUDA graphs, and by these where there is a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from tests.training.test_compiled import CPU, GENTLE, as_it_is, both, figures_of, system
from torch import Tensor, nn

from latentia.errors import EnvironmentFault
from latentia.training.captured import CapturedGraph
from latentia.training.compiled import CompiledStep
from latentia.training.execution import Execution
from latentia.training.optimizer import FusedAdam
from latentia.training.phases import phases_of


class Recorder:
    """Replays a call by calling it again, into the place where its results were when it was recorded."""

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, call: Any) -> tuple[Any, Sequence[Tensor]]:
        results = [value.clone() for value in call()]

        def replay() -> None:
            self.replays += 1
            for place, value in zip(results, call(), strict=True):
                place.copy_(value)

        return replay, results


@pytest.mark.parametrize(
    ("name", "settings"),
    [("vae", ["model.encoder.dropout=0.5"]), ("conv-vae", []), ("denoising-ae", []), ("conditional-vae", [])],
)
def test_a_replayed_step_does_what_the_step_does_to_the_bit(name: str, settings: list[str]):
    recorder = Recorder()
    _, plain = both(name, settings, steps=3)
    _, replayed = both(name, settings, steps=3, record=recorder)
    assert recorder.replays == 1 + 3  # the first is the check
    assert all(torch.equal(plain[key], replayed[key]) for key in plain)


def test_recording_leaves_weights_moments_and_random_numbers_as_they_were():
    model, objective, batch = system("vae", ["model.encoder.dropout=0.5"])
    phase = phases_of(objective, model)[0]
    optimizer = FusedAdam(phase.parameters, GENTLE)
    before = {name: value.clone() for name, value in [*model.state_dict().items(), *optimizer.state().items()]}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    CompiledStep(phase, model, optimizer, CPU, batch, compiler=as_it_is, record=Recorder())
    assert torch.equal(torch.rand(3), expected)
    after = {**model.state_dict(), **optimizer.state()}
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_results_of_one_replay_are_not_those_of_the_next():
    total = torch.zeros(2)

    def run(total: Tensor, x: Tensor) -> list[Tensor]:
        total.add_(x)
        return [total * 1.0]

    captured = CapturedGraph(run, [total], [torch.ones(2)], record=Recorder())
    first = captured(total, torch.full((2,), 2.0))[0]
    second = captured(total, torch.full((2,), 5.0))[0]
    assert first.tolist() == [2.0, 2.0] and second.tolist() == total.tolist() == [7.0, 7.0]


def test_a_replay_that_does_something_else_is_refused():
    def nothing(call: Any) -> tuple[Any, Sequence[Tensor]]:
        results = [value.clone() for value in call()]
        return lambda: None, results

    def noise(call: Any) -> tuple[Any, Sequence[Tensor]]:
        results = [value.clone() for value in call()]
        return lambda: [call(), *(value.add_(1.0) for value in results)], results

    def run(total: Tensor, x: Tensor) -> list[Tensor]:
        total.add_(x)
        return [total * 1.0]

    for record in (nothing, noise):
        total = torch.zeros(2)
        with pytest.raises(EnvironmentFault, match="does not do what the step does"):
            CapturedGraph(run, [total], [torch.ones(2)], record=record)
        assert total.tolist() == [0.0, 0.0]
    model, objective, batch = system("vae")
    phase = phases_of(objective, model)[0]
    with pytest.raises(EnvironmentFault, match=r"cannot be compiled.*--set training.compile=off"):
        CompiledStep(phase, model, FusedAdam(phase.parameters, GENTLE), CPU, batch, compiler=as_it_is, record=nothing)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("compiler", [as_it_is, None])
def test_on_a_gpu_a_replayed_step_agrees_with_autograd(compiler: Any):
    from functools import partial

    from latentia.training.steps import EagerStep

    device = torch.device("cuda:0")
    _, objective, (x, y, noise, coefficients) = system("vae")
    found = []
    for captured in (False, True):
        torch.manual_seed(0)
        twin: nn.Module = system("vae")[0].to(device)
        batch = (x.to(device), y.to(device), [eps.to(device) for eps in noise], coefficients)
        phase = phases_of(objective, twin)[0]
        optimizer = FusedAdam(phase.parameters, GENTLE)
        execution = Execution("cuda:0", "fp32", 1)
        take: Any = (
            CompiledStep(phase, twin, optimizer, execution, batch, compiler=compiler)
            if captured
            else EagerStep(phase, partial(phase.loss, twin), optimizer, execution)
        )
        figures = [figures_of(take(*batch, 0.01)) for _ in range(3)]
        found.append((figures, twin.state_dict()))
    for eager, replayed in zip(found[0][0], found[1][0], strict=True):
        assert all(replayed[name].item() == pytest.approx(value.item(), rel=1e-3) for name, value in eager.items())
    assert all(torch.allclose(found[1][1][name], value, atol=1e-3) for name, value in found[0][1].items())
