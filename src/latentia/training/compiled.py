"""One phase's part of a step as one compiled graph: loss, gradients and update of the weights.

Owns how the step is written down and compiled; must not know what a model or an objective is made of.

The compiler makes few passes over memory of many element-wise operations. So that a pass over the weights is left out
as well, weights that the network uses in bf16 are also kept in bf16: the pass that updates a weight, which reads its
bf16 gradient, writes both, where autocast would round all weights anew in every step. The numbers are the same.
"""

from __future__ import annotations

import functools
import gc
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, fx, nn

from latentia.errors import EnvironmentFault
from latentia.training.captured import CapturedGraph, Recorder
from latentia.training.execution import Execution, missing_for_compilation
from latentia.training.optimizer import FusedAdam
from latentia.training.phases import Phase
from latentia.training.steps import Figures, names_of, row_of

_REFUSAL = "the step cannot be compiled ({}): use --set training.compile=off"
Compiler = Callable[[Any, list[Any]], Any]


class CompiledStep:
    """Takes steps by a graph that was compiled for one shape of batch.

    The phase is run once on stand-ins without data, and what it does is written down; so it must do the same for every
    batch, and what changes from step to step comes in as tensors. Random numbers that the model itself draws come from
    the default generator, as without compilation. The results agree with
    :class:`~latentia.training.steps.EagerStep` to rounding. On a GPU the step is replayed as a CUDA graph.

    Args:
        phase: The loss and its parameters.
        model: What the loss is of, in the mode in which it is trained. Its tensors must stay the same objects, and
            between two steps its weights must be those that the first has left.
        optimizer: Of the phase's parameters.
        execution: Device and precision.
        batch: A batch, noise and coefficients, as :meth:`__call__` takes them, of the shape that all will have.
        prepare: Makes of the batch's x what the model sees: plain operations, without random numbers.
        clip_norm: Largest allowed norm of the gradient; none if ``None``.
        compiler: (graph, inputs) -> what runs it; TorchInductor if ``None``.
        record: How a step is recorded, to be replayed from then on; as a CUDA graph on a GPU and not at all elsewhere
            if ``None``.

    Raises:
        EnvironmentFault: If nothing here can compile, or the phase depends on its data in a way that no graph can hold.
    """

    def __init__(
        self,
        phase: Phase,
        model: nn.Module,
        optimizer: FusedAdam,
        execution: Execution,
        batch: tuple[Tensor, Tensor | None, Sequence[Tensor], Mapping[str, float]],
        *,
        prepare: Callable[[Tensor], Tensor] = lambda x: x,
        clip_norm: float | None = None,
        compiler: Compiler | None = None,
        record: Recorder | None = None,
    ) -> None:
        self.phase, self.optimizer, self.execution = phase, optimizer, execution
        self.prepare, self.clip_norm = prepare, clip_norm
        self._holder = _Holder(phase, model)
        self._state = {name: value.detach() for name, value in self._holder.named_parameters()}
        known = {id(parameter): name for name, parameter in self._holder.named_parameters()}
        if any(id(parameter) not in known for parameter in phase.parameters):
            raise EnvironmentFault(_REFUSAL.format("its objective has weights of its own"))
        self._own = [known[id(parameter)] for parameter in phase.parameters]
        self._state |= dict(self._holder.named_buffers())
        self._kept: list[Tensor] = [*self._state.values(), *optimizer.means, *optimizer.squares]
        self._names: tuple[str, ...] = ()
        numbers = self._numbers(batch[3], optimizer.STILL)
        inputs = self._inputs(*batch[:3], numbers)
        program = self._program(batch[1] is None, len(batch[2]), tuple(batch[3]))
        try:
            with torch.no_grad(), warnings.catch_warnings(action="ignore"), _nothing_collected():
                graph = _written_down(program, inputs)
                weights = [list(self._state).index(name) for name in self._own]
                self._kept += keep_rounded(graph, weights, self._kept)
                inputs = self._inputs(*batch[:3], numbers)
                self._run = (compiler or _inductor)(graph, inputs)
                if record is not None or inputs[0].is_cuda:
                    self._run = CapturedGraph(self._run, self._kept, inputs[len(self._kept) :], record=record)
        except Exception as error:  # the compiler's own faults have no class in common
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EnvironmentFault(_REFUSAL.format(reason)) from error

    def __call__(
        self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, float], rate: float
    ) -> Figures:
        """Take a step with a learning rate."""
        numbers = self._numbers(coefficients, self.optimizer.begin(rate))
        with torch.no_grad():
            (row,) = self._run(*self._inputs(x, y, noise, numbers))
        self.optimizer.tidy()
        return Figures(self._names, row)

    def _numbers(self, coefficients: Mapping[str, float], adam: Sequence[float]) -> Tensor:
        device = self.optimizer.steps.device
        numbers = torch.tensor([*coefficients.values(), *adam], dtype=torch.float32)
        return numbers.to(device, non_blocking=True)

    def _inputs(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], numbers: Tensor) -> list[Tensor]:
        labels = [] if y is None else [y]
        return [*self._kept, x, *labels, *noise, numbers]

    def _program(self, unlabelled: bool, draws: int, coefficients: tuple[str, ...]) -> Callable[..., list[Tensor]]:
        """A function of tensors alone that gives the row of figures, and changes weights and moments in place."""
        names, count = list(self._state), len(self._own)

        def program(*given: Tensor) -> list[Tensor]:
            rest = list(given)
            state, moments = dict(zip(names, rest, strict=False)), rest[len(names) :]
            means, squares, batch = moments[:count], moments[count : 2 * count], moments[2 * count :]
            x, y = self.prepare(batch.pop(0)), None if unlabelled else batch.pop(0)
            noise, numbers = batch[:draws], batch[draws]
            values = dict(zip(coefficients, numbers.unbind(), strict=False))
            leaves = {name: state[name].detach().requires_grad_() for name in self._own}
            with torch.enable_grad():
                with self.execution.autocast():
                    terms = torch.func.functional_call(self._holder, {**state, **leaves}, (x, y, noise, values))
                total = terms.total()
                found = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
            adam = numbers[len(coefficients) :].unbind()
            gradients = self._clipped(found)
            for name, mean, square, gradient in zip(self._own, means, squares, gradients, strict=True):
                if gradient is not None:
                    old = (state[name], mean, square)
                    for place, value in zip(old, self.optimizer.updated(*old, gradient, adam), strict=True):
                        place.copy_(value)
            reported = terms.reported()
            self._names = names_of(self.phase, reported)
            return [row_of(total, reported)]

        return program

    def _clipped(self, found: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """The gradients, scaled as ``torch.nn.utils.clip_grad_norm_`` scales them."""
        if self.clip_norm is None:
            return found
        wide = [g.float() if g is not None and g.dtype == torch.bfloat16 else g for g in found]
        norms = [torch.linalg.vector_norm(gradient) for gradient in wide if gradient is not None]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        factor = (self.clip_norm / (norm + 1e-6)).clamp(max=1.0)
        return [None if gradient is None else gradient * factor for gradient in wide]


class _Holder(nn.Module):
    """A phase's loss as a module, so that its weights can be handed in."""

    def __init__(self, phase: Phase, model: nn.Module) -> None:
        super().__init__()
        self.phase, self.model = phase, model

    def forward(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]) -> Any:
        """The loss terms."""
        return self.phase.loss(self.model, x, y, noise, coefficients)


def _written_down(program: Callable[..., list[Tensor]], inputs: list[Tensor]) -> fx.GraphModule:
    """What a program does with tensors, operation by operation, of which none has been looked at."""
    from torch.fx.experimental.proxy_tensor import make_fx

    table: dict[Any, Any] = {} if inputs[0].is_cuda else {torch.ops.aten.addmm.default: _product_and_bias}
    return make_fx(program, tracing_mode="fake", decomposition_table=table)(*inputs)


def _product_and_bias(bias: Tensor, a: Tensor, b: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``torch.addmm`` as two operations, so that the bias is added by what follows and not in a pass of its own."""
    product = torch.mm(a, b)
    return (product if alpha == 1 else alpha * product) + (bias if beta == 1 else beta * bias)


_SAME = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)
_CAST, _COPY = torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default


def keep_rounded(graph: fx.GraphModule, weights: Sequence[int], kept: Sequence[Tensor]) -> list[Tensor]:
    """Let a graph that rounds weights to bf16 at every call keep them rounded; changes the graph.

    Args:
        graph: Its first inputs are ``kept``; it changes a weight by one ``copy_``, after all use of it.
        weights: Which of these inputs are weights.
        kept: What is handed in at every call and changed in place.

    Returns:
        The rounded weights, which the graph now takes after ``kept`` and changes in place as well.
    """
    nodes = list(graph.graph.nodes)
    inputs = [node for node in nodes if node.op == "placeholder"][: len(kept)]
    origin = {node: node for node in inputs}  # of what has the same values
    casts: dict[fx.Node, list[fx.Node]] = {}
    for node in nodes:
        source = origin.get(node.args[0]) if node.args and isinstance(node.args[0], fx.Node) else None
        if source is not None and node.target in _SAME:
            origin[node] = source
        elif source is not None and node.target is _CAST and node.kwargs == {"dtype": torch.bfloat16}:
            casts.setdefault(source, []).append(node)
    renewals = {node.args[0]: node for node in nodes if node.target is _COPY}
    rounded: list[Tensor] = []
    last = inputs[-1]
    for place in weights:
        weight = inputs[place]
        if weight not in casts or weight not in renewals:
            continue
        with graph.graph.inserting_after(last):
            last = graph.graph.placeholder(f"rounded_{place}")
        last.meta = dict(casts[weight][0].meta)  # of which kind it is
        with graph.graph.inserting_after(renewals[weight]):
            graph.graph.call_function(_COPY, (last, renewals[weight].args[1]))
        for cast in casts[weight]:
            cast.replace_all_uses_with(last)
            graph.graph.erase_node(cast)
        rounded.append(kept[place].to(torch.bfloat16))
    graph.graph.lint()
    graph.recompile()
    return rounded


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Have Python's collector wait, which would look through all that a compiler makes again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _inductor(graph: Any, inputs: list[Any]) -> Any:
    """Compile by TorchInductor, with random numbers from the generators that are used without compilation."""
    device = inputs[0].device
    missing = missing_for_compilation(device)
    if missing is not None:
        raise EnvironmentFault(missing)
    if device.type != "cpu":
        from torch._inductor import compile as compile_graph
        from torch.utils._triton import has_triton

        return compile_graph(graph, inputs, options={"fallback_random": True}) if has_triton() else graph
    from torch._inductor import config
    from torch._inductor.compile_fx import compile_fx

    options: dict[str, Any] = {"fallback_random": True}
    options["pattern_matcher"] = False  # its patterns take long to load, and that of addmm would undo what we did
    if hasattr(config, "cpp_cache_precompile_headers"):  # 150 MB that take longer than what one graph gains by them
        options["cpp_cache_precompile_headers"] = False
    # kernels called from C++ do not wait for Python; not every operation can be called so, nor on every system
    with suppress(Exception), _ONE_AT_A_TIME, processor_known(), types_tabled_once(), built_at_once() as parted:
        return compile_fx(graph, inputs, config_patches={**options, **parted, "cpp_wrapper": True})
    return compile_fx(graph, inputs, config_patches=options)


_ONE_AT_A_TIME = threading.Lock()  # what follows changes TorchInductor for the whole process


def _beside(work: Callable[[], object]) -> threading.Thread:
    """Work that goes on beside what follows, and whose failure is found by who needs its result."""

    def run() -> None:
        with suppress(Exception):
            work()

    thread = threading.Thread(target=run, name="latentia-compiler", daemon=True)
    thread.start()
    return thread


@contextmanager
def built_at_once() -> Iterator[dict[str, Any]]:
    """Have the C++ compiler build the kernels and what calls them at once, each on a core, and keep its warnings.

    TorchInductor builds them as one, or one after the other, and with thousands of warnings that nobody sees.
    A version of it that has other names for this takes its own time.

    Yields:
        Settings of TorchInductor's that it needs.
    """
    from torch._inductor import codecache, config, cpp_builder

    build = getattr(codecache, "_worker_compile_cpp", None)
    known = hasattr(config, "cpp_wrapper_build_separate") and hasattr(cpp_builder, "_get_warning_all_cflag")
    if build is None or not known:
        yield {}
        return

    def build_all(lock: str, parts: Sequence[Any]) -> None:
        if len(parts) > 1:  # the last is linked from the others
            others = [_beside(functools.partial(build, f"{lock}.{n}", [part])) for n, part in enumerate(parts[1:-1])]
            build(lock, parts[:1])
            for other in others:
                other.join()
        build(lock, parts)  # what is there already is not built again

    with (
        _replaced(codecache, "_worker_compile_cpp", build_all),
        _replaced(cpp_builder, "_get_warning_all_cflag", lambda *given, **kinds: ["w"]),
    ):
        yield {"cpp_wrapper_build_separate": True}


_INSTRUCTIONS = {"AVX512": "VecAVX512", "AVX2": "VecAVX2"}


@contextmanager
def processor_known() -> Iterator[None]:
    """Spare TorchInductor the trials of what the processor can do: six programs, built and loaded one after the other.

    PyTorch itself knows it, and so does the C++ compiler, which builds for the processor that it runs on.
    """
    from torch._inductor import config, cpu_vec_isa

    known = getattr(cpu_vec_isa, _INSTRUCTIONS.get(torch.backends.cpu.get_cpu_capability(), ""), None)
    asked = config.cpp.vec_isa_ok is not None or config.cpp.simdlen is not None  # somebody knows better
    if known is None or asked or not hasattr(cpu_vec_isa, "valid_vec_isa_list"):
        yield
        return
    with (
        _replaced(cpu_vec_isa, "valid_vec_isa_list", lambda: [known()]),
        _replaced(known, "__bool__", lambda instructions: True),
    ):
        yield


@contextmanager
def types_tabled_once() -> Iterator[None]:
    """Have TorchInductor make its one table of types once, where it would make it anew for every operation."""
    from torch._inductor import dtype_propagation

    table = getattr(dtype_propagation, "DtypePropagationOpsHandler", None)
    if table is None or not hasattr(table, "_instance"):
        yield
        return
    table()
    with _replaced(table, "__init__", lambda it: None):
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Let a name of a module or a class stand for another value within the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
