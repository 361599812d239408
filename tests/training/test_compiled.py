"""A step that is written down as one graph does what autograd and the fused optimiser do."""

from __future__ import annotations

import copy
import gc
import warnings
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.errors import EnvironmentFault
from latentia.recipes.build import build_model, build_objective
from latentia.recipes.config import override
from latentia.recipes.presets import PRESETS
from latentia.training.compiled import (
    CompiledStep,
    built_at_once,
    keep_rounded,
    processor_known,
    types_tabled_once,
)
from latentia.training.execution import Execution, missing_for_compilation
from latentia.training.optimizer import FusedAdam
from latentia.training.phases import Phase, phases_of
from latentia.training.settings import OptimizerSettings
from latentia.training.steps import EagerStep

BATCH = 6
CPU = Execution("cpu", "fp32", 1)
UNCOMPILABLE = ("quantized", "semi-supervised")  # objectives whose shapes depend on what is in the batch
COMPILABLE = [name for name, preset in PRESETS.items() if preset.config().objective.name not in UNCOMPILABLE]
GENTLE = OptimizerSettings(eps=0.01)  # so that rounding of a small gradient is not blown up to a whole step


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


def both(
    name: str,
    settings: list[str] | None = None,
    *,
    execution: Execution = CPU,
    adam: OptimizerSettings = GENTLE,
    clip: float | None = None,
    compiler: Any = as_it_is,
    record: Any = None,
    steps: int = 2,  # the second time the statistics of the first are there
) -> list[dict[str, Tensor]]:
    """What two steps come to: eager and compiled."""
    model, objective, batch = system(name, settings)
    found = []
    for compiled in (False, True):
        twin = copy.deepcopy(model)
        phase = phases_of(objective, twin)[0]
        optimizer = FusedAdam(phase.parameters, adam)
        if compiled:
            take: Any = CompiledStep(
                phase, twin, optimizer, execution, batch, clip_norm=clip, compiler=compiler, record=record
            )
        else:
            take = EagerStep(phase, partial(phase.loss, twin), optimizer, execution, clip_norm=clip)
        torch.manual_seed(7)  # of dropout and corruption
        figures = {
            f"{name} {step}": value for step in range(steps) for name, value in figures_of(take(*batch, 0.01)).items()
        }
        found.append({**figures, **optimizer.state(), **twin.state_dict()})
    return found


def figures_of(step: Any) -> dict[str, Tensor]:
    return dict(zip(step.names, step.row, strict=True))


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Figures to rounding; tensors too, but as a whole: of gradients that cancel, rounding is all that there is."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        if value.dim() == 0:
            assert found[name].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-5), name
        else:
            assert (found[name] - value).norm() <= 1e-4 * value.norm() + 1e-2, name  # biases before a normalisation


@pytest.mark.parametrize("name", COMPILABLE)
def test_the_graph_of_every_preset_does_what_autograd_does(name: str) -> None:
    expected, found = both(name)
    assert_close(found, expected)


@pytest.mark.parametrize(
    ("adam", "clip"),
    [
        (OptimizerSettings(name="adamw", eps=0.01, weight_decay=0.5, beta1=0.5, beta2=0.9), None),
        (OptimizerSettings(name="adam", eps=0.01, weight_decay=0.5), 0.1),
        (GENTLE, 1e6),
    ],
)
def test_decay_and_clipping_are_those_of_eager_steps(adam: OptimizerSettings, clip: float | None) -> None:
    expected, found = both("vae", adam=adam, clip=clip, steps=3)
    assert_close(found, expected)


def test_the_preparation_of_the_batch_is_part_of_the_graph() -> None:
    model, objective, (_, y, noise, coefficients) = system("vae")
    stored = torch.randint(0, 256, (BATCH, 1, 32, 32), dtype=torch.uint8)
    preparation = Preparation(levels=256)
    phase = phases_of(objective, model)[0]
    batch = (stored, y, noise, coefficients)
    optimizer = FusedAdam(phase.parameters, GENTLE)
    compiled = CompiledStep(phase, model, optimizer, CPU, batch, prepare=preparation, compiler=as_it_is)
    expected = objective(model, preparation(stored), y, noise, coefficients).total()
    assert figures_of(compiled(*batch, 0.01))["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_graph_in_bf16_agrees_to_its_rounding() -> None:
    expected, found = both("vae", execution=Execution("cpu", "bf16", 1), steps=3)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype == torch.float32
        assert (found[name] - value).norm() <= 0.01 * value.norm(), name


@pytest.mark.skipif(missing_for_compilation(torch.device("cpu")) is not None, reason="nothing here compiles C++")
@pytest.mark.parametrize("name", ["vae", "denoising-conv-ae"])  # with noise, with batch statistics and corruption
def test_a_compiled_step_agrees_with_autograd(name: str) -> None:
    settings = ["model.encoder.hidden=[8]", "model.decoder.hidden=[8]"] if name == "vae" else []
    expected, found = both(name, settings, compiler=None)
    assert_close(found, expected)


@pytest.mark.parametrize("name", ["vq-vae", "m2"])
def test_what_no_graph_can_hold_is_refused_with_the_remedy(name: str) -> None:
    model, objective, batch = system(name)
    phase = phases_of(objective, model)[0]
    with pytest.raises(EnvironmentFault, match=r"cannot be compiled.*--set training.compile=off"):
        CompiledStep(phase, model, FusedAdam(phase.parameters, GENTLE), CPU, batch, compiler=as_it_is)
    assert gc.isenabled()


def test_weights_outside_the_model_are_refused() -> None:
    model, objective, batch = system("vae")
    phase = Phase("", objective, [*model.parameters(), nn.Parameter(torch.zeros(1))])
    with pytest.raises(EnvironmentFault, match="weights of its own"):
        CompiledStep(phase, model, FusedAdam(phase.parameters, GENTLE), CPU, batch, compiler=as_it_is)


def test_what_cannot_be_called_from_cpp_is_called_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bool] = []

    def compile_graph(graph: Any, inputs: list[Tensor], config_patches: dict[str, Any]) -> Any:
        tried.append(config_patches.get("cpp_wrapper", False))
        assert config_patches["fallback_random"]
        if tried == [True]:
            raise RuntimeError("no such call")
        return graph

    with warnings.catch_warnings(action="ignore"):  # about PyTorch's own code, where it is imported here first
        monkeypatch.setattr("torch._inductor.compile_fx.compile_fx", compile_graph)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/c++")
    expected, found = both("vae", compiler=None)
    assert_close(found, expected)
    assert tried == [True, False]


class Builds:
    """In the place of TorchInductor's builder: remembers what was built, and cannot build what is called so."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.built: list[str] = []
        self.locks: list[str] = []

    def __call__(self, lock: str, parts: Sequence[str]) -> None:
        self.locks.append(lock)
        for part in parts:
            if part == self.broken:
                raise RuntimeError(f"{part} is wrong")
            if part not in self.built:
                self.built.append(part)


@pytest.fixture
def codecache() -> Any:
    with warnings.catch_warnings(action="ignore"):
        from torch._inductor import codecache

    return codecache


def test_the_parts_of_a_program_are_built_before_they_are_linked(
    codecache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Builds()
    monkeypatch.setattr(codecache, "_worker_compile_cpp", build)
    with built_at_once() as settings:
        assert settings == {"cpp_wrapper_build_separate": True}
        codecache._worker_compile_cpp("lock", ["calls", "kernels", "program"])
        codecache._worker_compile_cpp("other", ["alone"])
    assert sorted(build.built[:2]) == ["calls", "kernels"]
    assert build.built[2:] == ["program", "alone"]
    assert len({*build.locks}) == 3  # the parts do not wait for each other
    assert codecache._worker_compile_cpp is build


@pytest.mark.parametrize("broken", ["calls", "kernels", "program"])
def test_a_part_that_cannot_be_built_says_why(broken: str, codecache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecache, "_worker_compile_cpp", Builds(broken))
    with pytest.raises(RuntimeError, match=f"{broken} is wrong"), built_at_once():
        codecache._worker_compile_cpp("lock", ["calls", "kernels", "program"])


def test_a_compiler_without_these_names_takes_its_own_time(codecache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(codecache, "_worker_compile_cpp")
    with built_at_once() as settings:
        assert settings == {}
        assert not hasattr(codecache, "_worker_compile_cpp")


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_the_compiler_is_left_as_it_was(error: type[Exception] | None, codecache: Any) -> None:
    from torch._inductor import cpp_builder, cpu_vec_isa, dtype_propagation

    def now() -> list[Any]:
        kinds = [cpu_vec_isa.VecAVX512, cpu_vec_isa.VecAVX2]
        table = dtype_propagation.DtypePropagationOpsHandler
        told = [cpu_vec_isa.valid_vec_isa_list, table.__init__, cpp_builder._get_warning_all_cflag]
        return [*told, codecache._worker_compile_cpp, *(kind.__bool__ for kind in kinds)]

    before = now()
    with suppress(RuntimeError), processor_known(), types_tabled_once(), built_at_once():
        assert now() != before
        if error is not None:
            raise error
    assert now() == before


def test_who_knows_the_processor_better_is_not_overruled(codecache: Any) -> None:
    from torch._inductor import config, cpu_vec_isa

    before = cpu_vec_isa.valid_vec_isa_list
    with config.patch({"cpp.simdlen": 256}), processor_known():
        assert cpu_vec_isa.valid_vec_isa_list is before


def test_a_machine_without_a_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    model, objective, batch = system("vae")
    phase = phases_of(objective, model)[0]
    with pytest.raises(EnvironmentFault, match=r"no C\+\+ compiler"):
        CompiledStep(phase, model, FusedAdam(phase.parameters, GENTLE), CPU, batch)


# -- weights kept in bf16 ----------------------------------------------------------------------------------------------


def test_weights_are_rounded_when_they_change_and_not_when_they_are_used() -> None:
    def program(weight: Tensor, x: Tensor) -> Tensor:
        y = weight.detach().to(torch.bfloat16).float() * x
        weight.copy_(weight + y)
        return y

    from torch.fx.experimental.proxy_tensor import make_fx

    weight, x = torch.tensor([1 / 3, 3.14159]), torch.tensor([0.1, 0.7])
    graph = make_fx(program)(weight.clone(), x)
    plain, kept = weight.clone(), weight.clone()
    more = keep_rounded(graph, [0], [kept])
    assert len(more) == 1 and torch.equal(more[0], weight.bfloat16())
    assert not any(node.target is torch.ops.aten._to_copy.default for node in before_the_change(graph))
    for _ in range(3):
        expected = program(plain, x)
        assert torch.equal(graph(kept, more[0], x), expected)
        assert torch.equal(kept, plain) and torch.equal(more[0], plain.bfloat16())


def before_the_change(graph: fx.GraphModule) -> list[fx.Node]:
    """Operations that give bf16."""
    return [node for node in graph.graph.nodes if node.kwargs.get("dtype") == torch.bfloat16]


def test_what_is_used_as_it_is_is_not_rounded() -> None:
    from torch.fx.experimental.proxy_tensor import make_fx

    def program(weight: Tensor, x: Tensor) -> Tensor:
        y = weight * x
        weight.copy_(weight + y)
        return y

    weight = torch.ones(2)
    graph = make_fx(program)(weight.clone(), torch.ones(2))
    assert keep_rounded(graph, [0], [weight]) == []
