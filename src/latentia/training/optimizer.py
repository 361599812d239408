"""Adam and AdamW as one call of PyTorch's fused kernel per step.

``torch.optim`` reaches the same kernel through hooks, groups and per-parameter bookkeeping, which costs a small model
as much as the kernel itself. The results are bit-identical (a test compares them) as long as every parameter has a
gradient at every step: the steps are counted once for all of them.

On a CPU the moments of weights whose gradient has vanished, such as those of pixels that are rarely lit, decay until
they are subnormal numbers, with which a processor reckons many times more slowly. They are set to zero when they have
become so small that no weight can notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from latentia.errors import CheckpointError
from latentia.training.settings import OptimizerSettings

_KERNELS = {"adam": torch._fused_adam_, "adamw": torch._fused_adamw_}  # pyright: ignore[reportPrivateImportUsage]


_NEGLIGIBLE_EVERY = 128  # steps
_NEGLIGIBLE_MEAN = 1e-30  # against an eps of 1e-8 it moves a weight by 1e-22 of the learning rate
_NEGLIGIBLE_SQUARE = 1e-37  # its root is 3e-19, nothing beside eps


class FusedAdam:
    r"""Adaptive moment estimation.

    .. math::
        m \leftarrow \beta_1 m + (1-\beta_1) g, \quad v \leftarrow \beta_2 v + (1-\beta_2) g^2, \quad
        \theta \leftarrow \theta - \eta\, \frac{m / (1-\beta_1^t)}{\sqrt{v / (1-\beta_2^t)} + \epsilon}

    Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, https://arxiv.org/abs/1412.6980, algorithm 1;
    decoupled weight decay (``adamw``): Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2.

    Args:
        parameters: What is changed; all on one device.
        settings: Learning rate, betas, eps, weight decay.

    Example:
        >>> weight = nn.Parameter(torch.tensor([1.0]))
        >>> adam = FusedAdam([weight], OptimizerSettings(lr=0.1))
        >>> (3 * weight).sum().backward()
        >>> adam.step(0.1)
        >>> round(weight.item(), 6)  # the first step is the learning rate, whatever the gradient
        0.9
    """

    STILL = (0.0, 1.0, 1.0)  # in place of what :meth:`begin` returns: moments change, weights stay as they are

    def __init__(self, parameters: Sequence[nn.Parameter], settings: OptimizerSettings) -> None:
        self.parameters: list[Tensor] = list(parameters)
        self.settings = settings
        self.kernel = _KERNELS[settings.name]
        self.means = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        device = self.parameters[0].device if self.parameters else torch.device("cpu")
        self.steps = torch.zeros((), device=device)
        self.count = 0  # the same on the host

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Take a step with a learning rate; parameters without a gradient stay as they are."""
        self._count()
        parameters, means, squares = self.parameters, self.means, self.squares
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if len(gradients) < len(parameters):
            used = [index for index, parameter in enumerate(parameters) if parameter.grad is not None]
            parameters = [parameters[index] for index in used]
            means, squares = [means[index] for index in used], [squares[index] for index in used]
        if not parameters:
            return
        settings = self.settings
        self.kernel(
            parameters,
            gradients,
            means,
            squares,
            [],
            [self.steps] * len(parameters),
            lr=lr,
            beta1=settings.beta1,
            beta2=settings.beta2,
            weight_decay=settings.weight_decay,
            eps=settings.eps,
            amsgrad=False,
            maximize=False,
        )
        self.tidy()

    def begin(self, lr: float) -> tuple[float, float, float]:
        """Count a step with a learning rate that :meth:`updated` takes, and return the numbers that it needs."""
        self._count()
        first, second = 1 - self.settings.beta1**self.count, 1 - self.settings.beta2**self.count
        return lr / first, second**-0.5, 1 - lr * self.settings.weight_decay

    def updated(
        self, parameter: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, numbers: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What a step makes of a parameter and its moments, as plain operations that can be compiled.

        Args:
            parameter: Before the step.
            mean: m, of its gradients.
            square: v, of their squares.
            gradient: g.
            numbers: What :meth:`begin` returned.
        """
        settings, (size, root, kept) = self.settings, numbers
        if settings.weight_decay and settings.name == "adamw":
            parameter = parameter * kept
        elif settings.weight_decay:
            gradient = gradient + settings.weight_decay * parameter
        mean = mean + (1 - settings.beta1) * (gradient - mean)
        square = settings.beta2 * square + (1 - settings.beta2) * gradient * gradient
        return parameter - size * mean / (square.sqrt() * root + settings.eps), mean, square

    def _count(self) -> None:
        self.steps += 1
        self.count += 1

    @torch.no_grad()
    def tidy(self) -> None:
        """From time to time, on a CPU, set moments to zero that no weight can notice."""
        if self.count % _NEGLIGIBLE_EVERY == 0 and self.steps.device.type == "cpu":
            for mean, square in zip(self.means, self.squares, strict=True):
                torch.hardshrink(mean, _NEGLIGIBLE_MEAN, out=mean)
                torch.threshold_(square, _NEGLIGIBLE_SQUARE, 0.0)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, by name; the tensors themselves."""
        state = {"steps": self.steps}
        for index, (mean, square) in enumerate(zip(self.means, self.squares, strict=True)):
            state |= {f"{index}.mean": mean, f"{index}.square": square}
        return state

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`state` returned.

        Raises:
            CheckpointError: If it belongs to other parameters.
        """
        expected = self.state()
        if state.keys() != expected.keys() or any(state[name].shape != expected[name].shape for name in expected):
            raise CheckpointError("the optimiser's state does not fit the model's parameters")
        for name, value in expected.items():
            value.copy_(state[name])
        self.count = int(self.steps)
