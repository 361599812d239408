"""The floor: the kernels that a training step cannot do without, each called by itself on tensors that lie ready.

Counted are the matrix products of the linear layers and the convolutions (forward, gradient of the weights, and
gradient of the input but for the first layer), in fp32 or bf16; the binary cross-entropy and its gradient on fp32
logits; and PyTorch's fused Adam on fp32 weights. Not counted is everything else that a step needs: batches, biases,
activations, batch normalisation, noise, the KL, the casting of weights, metrics, Python.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tutorial_vae import BATCH, MODELS

LINEAR: dict[str, list[tuple[int, int]]] = {
    "vae": [(784, 400), (400, 40), (20, 400), (400, 784)],
    "conv-vae-32": [(2048, 64), (32, 2048)],
}
"""Inputs and outputs of the linear layers in their order; the two heads, mean and log-variance, are one product.

With a batch of B: forward (B x in)(in x out), weights (out x B)(B x in), input (B x out)(out x in).
"""
CONVOLUTIONS: dict[str, list[tuple[bool, int, int, int, int]]] = {
    "vae": [],
    "conv-vae-32": [
        (False, 1, 32, 28, 0),
        (False, 32, 64, 14, 0),
        (False, 64, 128, 7, 0),
        (True, 128, 64, 4, 0),
        (True, 64, 32, 7, 1),
        (True, 32, 1, 14, 1),
    ],
}
"""Transposed or not, maps in and out, side of the input, output padding; all of kernel 3, stride 2, padding 1."""
PIXELS, REPEATS = 784, 50
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
Kernels = dict[str, Callable[[], Any]]


def kernels(system: str, precision: str) -> Kernels:
    """What a step calls, by name, in the order of a step."""
    source = torch.Generator().manual_seed(0)
    dtype = TYPES[precision]
    forward: Kernels = {}
    backward: Kernels = {}
    for inner, outer in LINEAR[system]:
        linear(forward, backward, (inner, outer), inner == PIXELS, dtype, source)
    for shape in CONVOLUTIONS[system]:
        convolution(forward, backward, shape, dtype, source)
    return forward | cross_entropy(source) | backward | adam(system, source)


def linear(
    forward: Kernels,
    backward: Kernels,
    shape: tuple[int, int],
    first: bool,
    dtype: torch.dtype,
    source: torch.Generator,
) -> None:
    """Add the products of a linear layer; the first layer's input has no gradient."""
    inner, outer = shape
    x = torch.randn(BATCH, inner, generator=source).to(dtype)
    weight = (torch.randn(outer, inner, generator=source) / inner**0.5).to(dtype)
    gradient = torch.randn(BATCH, outer, generator=source).to(dtype)
    y, dw, dx = torch.empty_like(gradient), torch.empty_like(weight), torch.empty_like(x)
    name = f"linear {inner} -> {outer}"
    forward[f"{name}: ({BATCH} x {inner})({inner} x {outer})"] = partial(torch.mm, x, weight.t(), out=y)
    if not first:
        backward[f"{name}, input: ({BATCH} x {outer})({outer} x {inner})"] = partial(torch.mm, gradient, weight, out=dx)
    backward[f"{name}, weights: ({outer} x {BATCH})({BATCH} x {inner})"] = partial(torch.mm, gradient.t(), x, out=dw)


def convolution(
    forward: Kernels,
    backward: Kernels,
    shape: tuple[bool, int, int, int, int],
    dtype: torch.dtype,
    source: torch.Generator,
) -> None:
    """Add a convolution and its gradients."""
    transposed, inner, outer, side, extra = shape
    settings = ([2, 2], [1, 1], [1, 1], transposed, [extra, extra], 1)
    x = torch.randn(BATCH, inner, side, side, generator=source).to(dtype)
    maps = (inner, outer) if transposed else (outer, inner)
    weight = (torch.randn(*maps, 3, 3, generator=source) / 10).to(dtype)
    y = torch.ops.aten.convolution(x, weight, None, *settings)
    gradient = torch.randn(y.shape, generator=source).to(dtype)
    name = f"{'transposed ' if transposed else ''}convolution {inner} -> {outer} on {side} x {side}"
    forward[name] = partial(torch.ops.aten.convolution, x, weight, None, *settings)
    wanted = [transposed or inner > 1, True, False]  # of the input, the weights, the bias
    backward[f"{name}, gradients"] = partial(
        torch.ops.aten.convolution_backward, gradient, x, weight, None, *settings, wanted
    )


def cross_entropy(source: torch.Generator) -> Kernels:
    """The binary cross-entropy of a batch and its gradient, sigmoid(l) - x, in fp32."""
    x = torch.rand(BATCH, PIXELS, generator=source)
    logits = torch.randn(BATCH, PIXELS, generator=source)
    gradient = torch.empty_like(logits)

    def backward() -> Tensor:
        return torch.sigmoid(logits, out=gradient).sub_(x)

    forward = partial(torch.nn.functional.binary_cross_entropy_with_logits, logits, x, reduction="sum")
    shape = f"{BATCH} x {PIXELS}"
    return {f"cross-entropy of {shape}": forward, f"cross-entropy of {shape}, gradient": backward}


def adam(system: str, source: torch.Generator) -> Kernels:
    """One step of PyTorch's fused Adam on the weights of the plain model."""
    weights = [parameter.detach() for parameter in MODELS[system]().parameters()]
    gradients = [torch.randn(weight.shape, generator=source) for weight in weights]
    means, squares = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    steps = [torch.ones(()) for _ in weights]
    settings = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "eps": 1e-8}
    step = partial(torch._fused_adam_, weights, gradients, means, squares, [], steps, amsgrad=False, maximize=False)  # pyright: ignore[reportPrivateImportUsage]
    return {f"fused Adam, {sum(weight.numel() for weight in weights)} weights": partial(step, **settings)}


@torch.no_grad()
def floor(task: Any, watch: Any, precision: str) -> None:
    """Take steps made of nothing but the kernels; first, the time of each by itself."""
    found = kernels(task.system, precision)
    watch.facts["precision"] = precision
    watch.facts["kernel_microseconds"] = {name: round(1e6 * spent(kernel), 1) for name, kernel in found.items()}
    while True:
        for kernel in found.values():
            kernel()
        watch.stepped(BATCH)


def spent(kernel: Callable[[], Any]) -> float:
    """Seconds that a kernel takes on average when it is called again and again."""
    for _ in range(REPEATS // 5):
        kernel()
    began = time.perf_counter()
    for _ in range(REPEATS):
        kernel()
    return (time.perf_counter() - began) / REPEATS
