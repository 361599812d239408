"""The two graphs of a model: an encoder that takes data as they come, and a decoder that gives them back.

Owns what goes into an ONNX graph and what its inputs and outputs are called; must not know runs or files.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.errors import EnvironmentFault, RunError

OPSET = 18
MIDDLE = 0.5  # what stands for the noise of preparations that need some, as in uses that must give the same every time


@dataclass(frozen=True, eq=False)
class Graph:
    """One graph.

    Attributes:
        name: ``encoder`` or ``decoder``.
        module: The same in PyTorch.
        inputs: Name -> an example, whose first axis is the batch.
        outputs: Name -> what it is.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: dict[str, str]


class Encoder(nn.Module):
    """From data in their own range to q(z given x).

    Args:
        model: In evaluation mode, on the CPU.
        preparation: How stored data become x. Noise is replaced by its mean, so that a graph draws nothing.
    """

    def __init__(self, model: Any, preparation: Preparation) -> None:
        super().__init__()
        self.model, self.preparation = model, preparation

    def forward(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, ...]:
        """Map data (B, *event) to the outputs that :func:`graphs` names."""
        x = prepared(self.preparation, x)
        q = self.model.encode(x, y)
        said = (self.model.classify(x),) if self.model.classifies else ()
        if self.model.discrete:
            return (q.mean, q.indices, *said)
        if getattr(self.model.posterior, "deterministic", False):
            return (q.mean, *said)
        return (q.loc, q.logvar, *said)


class Decoder(nn.Module):
    """From latents to the mean of p(x given z), in the data's own range.

    Args:
        model: In evaluation mode, on the CPU.
        preparation: How stored data became x: its scaling is undone.
    """

    def __init__(self, model: Any, preparation: Preparation) -> None:
        super().__init__()
        self.model, self.preparation = model, preparation

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Map latents (B, *latent) to means (B, *event)."""
        return self.preparation.restore(self.model.decode(z, y).mean)


def prepared(preparation: Preparation, x: Tensor) -> Tensor:
    """What the model sees of data in their own range, without drawing anything.

    Data of levels are k / (L - 1), in [0, 1]. Noise of a preparation is 0.5, its mean; grey values of data that were
    binarised when they were loaded become 1 above 0.5.
    """
    if preparation.binarize == "static":
        x = (x > MIDDLE).to(x.dtype)
    return preparation(x, torch.full_like(x, MIDDLE) if preparation.needs_noise else None)


def graphs(model: Any, spec: DataSpec, preparation: Preparation) -> tuple[Graph, Graph]:
    """The encoder and the decoder of a model.

    Labels ``y`` are an input where a network takes them; a model that says the class itself is not asked for it.
    """
    model = copy.deepcopy(model).cpu().eval()
    conditioning = model.conditioning
    labels = {"y": torch.zeros(2, dtype=torch.int64)}
    x = {"x": torch.full((2, *spec.event_shape), MIDDLE)}
    z = {"z": torch.zeros(2, *model.latent_shape)}
    if conditioning is not None:
        x |= labels if conditioning.encoder is not None and not model.classifies else {}
        z |= labels if conditioning.decoder is not None else {}
    return (
        Graph("encoder", Encoder(model, preparation), x, _said_by_encoder(model)),
        Graph("decoder", Decoder(model, preparation), z, {"mean": "the mean of p(x given z), in the data's own range"}),
    )


def _said_by_encoder(model: Any) -> dict[str, str]:
    if model.discrete:
        found = {"codes": "the latents z: the code at each place", "indices": "which code that is, int64"}
    elif getattr(model.posterior, "deterministic", False):
        found = {"z": "the latents"}
    else:
        found = {"loc": "the mean of q(z given x)", "logvar": "ln sigma^2 of q(z given x)"}
    return found | ({"log_q_y": "ln q(y given x) of each class, nats"} if model.classifies else {})


def to_onnx(graph: Graph) -> bytes:
    """Write a graph as ONNX, with a batch of any size.

    The graph is traced, by the older of PyTorch's two exporters: the newer takes most of a minute and a further
    package for what this one does in half a second. Python's own branches are taken as the example takes them; that
    no other batch takes another is not believed but checked, by :mod:`latentia.export.checking`.

    Raises:
        RunError: If the model does something that ONNX has no word for, or is too large for one file.
    """
    content = io.BytesIO()
    names = [*graph.inputs, *graph.outputs]
    try:
        with torch.no_grad(), warnings.catch_warnings(), _words():
            warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # pyright: ignore[reportPrivateImportUsage]
            warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based ONNX", DeprecationWarning)
            warnings.filterwarnings("ignore", "The feature will be removed", DeprecationWarning)
            torch.onnx.export(
                graph.module,
                tuple(graph.inputs.values()),
                content,  # pyright: ignore[reportArgumentType]
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_axes={name: {0: "batch"} for name in names},
                opset_version=OPSET,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise RunError(
            f"the {graph.name} of this model cannot be written as ONNX ({first}): build it of the networks that "
            "`latentia presets` use, or keep to latentia.load in Python"
        ) from error
    return content.getvalue()


@contextmanager
def _words() -> Iterator[None]:
    """Teach the exporter what it lacks: expm1, of which a mean takes no small values."""

    def expm1(g: Any, x: Any) -> Any:
        return g.op("Sub", g.op("Exp", x), g.op("Constant", value_t=torch.tensor(1.0)))

    torch.onnx.register_custom_op_symbolic("aten::expm1", expm1, OPSET)  # pyright: ignore[reportPrivateImportUsage]
    try:
        yield
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::expm1", OPSET)  # pyright: ignore[reportPrivateImportUsage]


def needed(module: str, extra: str) -> Any:
    """Import an optional package, or say which extra brings it.

    Raises:
        EnvironmentFault: If it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EnvironmentFault(f"this needs the package {module} ({error}): pip install 'latentia[{extra}]'") from error
