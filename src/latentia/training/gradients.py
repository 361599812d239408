"""Loss and gradients of one phase for one batch: operation by operation, or as one compiled graph.

Owns how the gradients are obtained; must not know what is done with them, nor what a model or an objective is made of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from latentia.errors import EnvironmentFault
from latentia.training.execution import Execution, missing_for_compilation
from latentia.training.phases import BatchLoss, Phase


class Step(NamedTuple):
    """What a phase came to for one batch.

    Attributes:
        names: Of the figures: the loss, then the terms.
        row: (figures,), float32, on the device: the scalar that was minimised, and the batch means of the terms.
    """

    names: tuple[str, ...]
    row: Tensor


class EagerGradients:
    """Every operation as it comes, by PyTorch's autograd.

    Args:
        phase: The loss and its parameters.
        loss: The phase's loss of a batch: (x, y, noise, coefficients) -> terms.
        execution: The precision.
        alone: Whether the phase is the only one, so that no gradient can leak into another's parameters.
        lap: Called with ``forward`` and ``backward`` when these are done.
    """

    def __init__(
        self,
        phase: Phase,
        loss: BatchLoss,
        execution: Execution,
        *,
        alone: bool = True,
        lap: Callable[[str], object] = lambda stage: None,
    ) -> None:
        self.phase, self.loss, self.execution, self.alone, self.lap = phase, loss, execution, alone, lap

    def __call__(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, float]) -> Step:
        """Leave the gradients of the batch in the parameters' ``grad``, in place of any there were."""
        for parameter in self.phase.parameters:
            parameter.grad = None
        with self.execution.autocast():
            terms = self.loss(x, y, noise, coefficients)
        total = terms.total()
        self.lap("forward")
        total.backward(inputs=None if self.alone else self.phase.parameters)
        self.lap("backward")
        reported = terms.reported()
        return Step(_names(self.phase, reported), row_of(total, reported))


class CompiledGradients:
    """Loss, terms and gradients as one graph, compiled for one shape of batch.

    The phase is run once on stand-ins without data, and what it does is written down, forward and backward; so it must
    do the same for every batch, and what changes from step to step must come in as tensors. Random numbers that the
    model itself draws come from the default generator, as without compilation; the results agree to rounding.

    Args:
        phase: The loss and its parameters.
        model: What the loss is of, in the mode in which it is trained.
        execution: Device and precision.
        batch: A batch, noise and coefficients, as :meth:`__call__` takes them, of the shape that all will have.
        compiler: (graph, inputs) -> what runs it; TorchInductor if ``None``.

    Raises:
        EnvironmentFault: If nothing here can compile, or the phase depends on its data in a way that no graph can hold.
    """

    def __init__(
        self,
        phase: Phase,
        model: nn.Module,
        execution: Execution,
        batch: tuple[Tensor, Tensor | None, Sequence[Tensor], Mapping[str, float]],
        *,
        compiler: Callable[[Any, list[Tensor]], Any] | None = None,
    ) -> None:
        self.phase, self.execution = phase, execution
        self._holder = _Holder(phase, model)
        self._weights = dict(self._holder.named_parameters())
        self._state = [*self._weights.values(), *(value for _, value in self._holder.named_buffers())]
        own = {id(parameter) for parameter in phase.parameters}
        self._own = [name for name, value in self._weights.items() if id(value) in own]
        self._names: tuple[str, ...] = ()
        self._used: list[str] = []
        inputs = self._inputs(*batch)
        program = self._program(batch[1] is None, len(batch[2]), tuple(batch[3]))
        from torch.fx.experimental.proxy_tensor import make_fx

        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the compiler's own code
                self._run = (compiler or _inductor)(make_fx(program, tracing_mode="fake")(*inputs), inputs)
        except Exception as error:  # the compiler's own faults have no class in common
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EnvironmentFault(f"the step cannot be compiled ({reason}): use --set training.compile=off") from error

    def __call__(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, float]) -> Step:
        """Leave the gradients of the batch in the parameters' ``grad``, in place of any there were."""
        with torch.no_grad():
            row, *gradients = self._run(*self._inputs(x, y, noise, coefficients))
        for name in self._own:
            self._weights[name].grad = None
        for name, gradient in zip(self._used, gradients, strict=True):
            self._weights[name].grad = gradient
        return Step(self._names, row)

    def _inputs(
        self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, float]
    ) -> list[Tensor]:
        labels = [] if y is None else [y]
        values = [torch.tensor(value, device=x.device) for value in coefficients.values()]
        return [*(value.detach() for value in self._state), x, *labels, *noise, *values]

    def _program(self, unlabelled: bool, draws: int, coefficients: tuple[str, ...]) -> Callable[..., list[Tensor]]:
        """A function of tensors alone that gives the row of figures and the gradients."""
        names = [*self._weights, *(name for name, _ in self._holder.named_buffers())]

        def program(*given: Tensor) -> list[Tensor]:
            state = dict(zip(names, given, strict=False))
            state |= {name: state[name].detach().requires_grad_() for name in self._own}
            batch = list(given[len(names) :])
            x, y = batch.pop(0), None if unlabelled else batch.pop(0)
            noise, values = batch[:draws], dict(zip(coefficients, batch[draws:], strict=True))
            with torch.enable_grad():
                with self.execution.autocast():
                    terms = torch.func.functional_call(self._holder, state, (x, y, noise, values))
                total = terms.total()
                found = torch.autograd.grad(total, [state[name] for name in self._own], allow_unused=True)
            gradients = {name: value for name, value in zip(self._own, found, strict=True) if value is not None}
            reported = terms.reported()
            self._names, self._used = _names(self.phase, reported), list(gradients)
            return [row_of(total, reported), *gradients.values()]

        return program


def _inductor(graph: Any, inputs: list[Tensor]) -> Any:
    """Compile by TorchInductor, with random numbers from the generators that are used without compilation."""
    missing = missing_for_compilation(inputs[0].device)
    if missing is not None:
        raise EnvironmentFault(missing)
    from torch._inductor import compile as compile_graph

    return compile_graph(graph, inputs, options={"fallback_random": True})


class _Holder(nn.Module):
    """A phase's loss as a module, so that its weights can be handed in."""

    def __init__(self, phase: Phase, model: nn.Module) -> None:
        super().__init__()
        self.phase, self.model = phase, model

    def forward(self, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]) -> Any:
        """The loss terms."""
        return self.phase.loss(self.model, x, y, noise, coefficients)


def _names(phase: Phase, reported: Mapping[str, Tensor]) -> tuple[str, ...]:
    prefix = f"{phase.name}_" if phase.name else ""
    return tuple(prefix + name for name in ("loss", *reported))


def row_of(total: Tensor, reported: Mapping[str, Tensor]) -> Tensor:
    """The scalar that is minimised and the batch means of terms (B,), (1 + terms,) in float32, without gradients."""
    means = torch.stack(tuple(reported.values())).detach().float().mean(1)
    return torch.cat([total.detach().float().reshape(1), means])
