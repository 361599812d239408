from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from latentia.data.dataset import DataSpec
from latentia.errors import EnvironmentFault
from latentia.recipes.build import build_model, build_objective
from latentia.recipes.config import override
from latentia.recipes.presets import PRESETS
from latentia.training.execution import Execution, missing_for_compilation
from latentia.training.gradients import CompiledGradients, EagerGradients, row_of
from latentia.training.phases import phases_of

BATCH = 6
CPU = Execution("cpu", "fp32", 1)
UNCOMPILABLE = ("quantized", "semi-supervised")  # objectives whose shapes depend on what is in the batch
COMPILABLE = [name for name, preset in PRESETS.items() if preset.config().objective.name not in UNCOMPILABLE]


def as_it_is(graph: Any, inputs: list[Tensor]) -> Any:
    """Run the graph's operations one by one, without compiling them."""
    return graph


def system(name: str, settings: list[str] | None = None) -> tuple[nn.Module, Any, tuple[Any, ...]]:
    """A preset's model and objective on images of 32 x 32, and a batch for it."""
    config = override(PRESETS[name].config(), settings or [])
    spec = DataSpec((1, 32, 32), levels=256, classes=tuple("0123456789"))
    torch.manual_seed(0)
    model: Any = build_model(config.model, spec, seed=0).train()
    objective = build_objective(config.objective)
    x = torch.rand(BATCH, 1, 32, 32)
    noise = model.draw_noise(BATCH, objective.k, torch.Generator().manual_seed(1))
    return model, objective, (x, torch.arange(BATCH) % 10, noise, objective.coefficients_at(0.3))


def by_autograd(objective: Any, model: nn.Module, execution: Execution = CPU) -> EagerGradients:
    phase = phases_of(objective, model)[0]
    return EagerGradients(phase, partial(phase.loss, model), execution)


def outcome(gradients: Any, model: nn.Module, batch: tuple[Any, ...]) -> dict[str, Tensor]:
    torch.manual_seed(7)  # of dropout and corruption
    names, row = gradients(*batch)
    found = dict(zip(names, row, strict=True))
    found |= {name: torch.zeros(()) if p.grad is None else p.grad for name, p in model.named_parameters()}
    return found | {name: value.clone() for name, value in model.named_buffers()}


def close(found: Tensor, expected: Tensor, name: str) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5, msg=lambda text: f"{name}: {text}")


@pytest.mark.parametrize("name", COMPILABLE)
def test_the_graph_of_every_preset_does_what_autograd_does(name: str) -> None:
    model, objective, batch = system(name)
    twin = copy.deepcopy(model)
    eager = by_autograd(objective, model)
    graph = CompiledGradients(phases_of(objective, twin)[0], twin, CPU, batch, compiler=as_it_is)
    for _ in range(2):  # the second time the statistics of the first are there
        expected, found = outcome(eager, model, batch), outcome(graph, twin, batch)
        assert list(expected) == list(found)
        for key, value in expected.items():
            close(found[key], value, key)


def test_a_graph_in_bf16_agrees_to_its_rounding() -> None:
    model, objective, batch = system("vae")
    twin = copy.deepcopy(model)
    execution = Execution("cpu", "bf16", 1)
    expected = outcome(by_autograd(objective, model, execution), model, batch)
    compiled = CompiledGradients(phases_of(objective, twin)[0], twin, execution, batch, compiler=as_it_is)
    found = outcome(compiled, twin, batch)
    for key, value in expected.items():
        assert found[key].dtype == value.dtype == torch.float32
        assert (found[key] - value).norm() <= 0.01 * value.norm(), key


@pytest.mark.skipif(missing_for_compilation(torch.device("cpu")) is not None, reason="nothing here compiles C++")
@pytest.mark.parametrize("name", ["vae", "denoising-conv-ae"])  # with noise, with batch statistics and corruption
def test_a_compiled_step_agrees_with_autograd(name: str) -> None:
    settings = ["model.encoder.hidden=[8]", "model.decoder.hidden=[8]"] if name == "vae" else []
    model, objective, batch = system(name, settings)
    twin = copy.deepcopy(model)
    eager = by_autograd(objective, model)
    compiled = CompiledGradients(phases_of(objective, twin)[0], twin, CPU, batch)
    for _ in range(2):
        expected, found = outcome(eager, model, batch), outcome(compiled, twin, batch)
        for key, value in expected.items():
            close(found[key], value, key)


@pytest.mark.parametrize("name", ["vq-vae", "m2"])
def test_what_no_graph_can_hold_is_refused_with_the_remedy(name: str) -> None:
    model, objective, batch = system(name)
    with pytest.raises(EnvironmentFault, match=r"cannot be compiled.*--set training.compile=off"):
        CompiledGradients(phases_of(objective, model)[0], model, CPU, batch, compiler=as_it_is)


def test_a_machine_without_a_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    model, objective, batch = system("vae")
    with pytest.raises(EnvironmentFault, match=r"no C\+\+ compiler"):
        CompiledGradients(phases_of(objective, model)[0], model, CPU, batch)
    assert missing_for_compilation(torch.device("mps")) == "compiled steps are for cpu and cuda, not mps"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64])
def test_terms_of_any_kind_are_averaged_in_float32(dtype: torch.dtype) -> None:
    """A mean of 300 values around 256 in bfloat16 would be off by whole units."""
    values = torch.arange(300).remainder(3).add(255).to(dtype)
    row = row_of(torch.tensor(1.0, dtype=torch.bfloat16), {"term": values})
    assert row.dtype == torch.float32
    assert row.tolist() == [1.0, pytest.approx(values.double().mean().item(), rel=1e-6)]


def test_nothing_of_the_graph_is_kept() -> None:
    weight = torch.ones((), requires_grad=True)
    row = row_of(weight * 2, {"term": weight * torch.ones(3)})
    assert not row.requires_grad and row.tolist() == [2.0, 1.0]
