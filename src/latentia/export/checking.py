"""Whether ONNX graphs give what PyTorch gives: on real data and codes, and on many random ones.

Owns the comparison and its tolerance. PyTorch's side is the model's own interface, not the graphs' module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.seeds import generator
from latentia.errors import RunError
from latentia.evaluation.encoding import evaluating
from latentia.export.graphs import needed, prepared
from latentia.runs.run import Run

TOLERANCE = 1e-4
REAL, RANDOM = 500, 1000  # samples of the data; random latents, and random data
BATCHES = (1, 2, 7, 256)  # sizes of the batches, the last one repeated: a graph must take them all
DEFINITION = (
    "the largest |onnx - pytorch| / max(1, |pytorch|) over all values of real and random inputs; of codes, over the "
    "squared distance of each place's features to its code, so that two codes equally near are no difference"
)


@dataclass(frozen=True)
class Check:
    """What was compared, and how far apart it was.

    Attributes:
        differences: Graph -> output -> the largest difference.
        real: How many samples of the data were encoded, and their codes decoded.
        random: How many random latents were decoded, and random data encoded.
        split: Which part of the data.
    """

    differences: dict[str, dict[str, float]]
    real: int
    random: int
    split: str

    @property
    def largest(self) -> float:
        """The largest difference of all."""
        return max(value for graph in self.differences.values() for value in graph.values())

    def refuse(self) -> None:
        """Refuse differences above the tolerance.

        Raises:
            RunError: It says which output differs, and by how much.
        """
        wrong = [
            f"{output} of the {graph} by {value:.2g}"
            for graph, outputs in self.differences.items()
            for output, value in outputs.items()
            if not value <= TOLERANCE
        ]
        if wrong:
            raise RunError(
                f"onnxruntime does not give what PyTorch gives: {', '.join(wrong)}, and {TOLERANCE:g} is allowed; "
                "nothing was written, so use the model from Python (latentia.load), or try other versions of torch "
                "and onnxruntime"
            )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "tolerance": TOLERANCE,
            "max_difference": self.largest,
            "differences": self.differences,
            "definition": DEFINITION,
            "real": self.real,
            "random": self.random,
            "split": self.split,
        }


class Session:
    """A graph in onnxruntime, on one thread of the CPU.

    Args:
        content: The ONNX file.
    """

    def __init__(self, content: bytes) -> None:
        runtime = needed("onnxruntime", "onnx")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        with _explained():
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.inputs = [one.name for one in self._session.get_inputs()]
        self.outputs = [one.name for one in self._session.get_outputs()]

    def __call__(self, **given: Tensor | None) -> dict[str, Tensor]:
        """Run a batch; inputs that the graph does not have are left out."""
        feeds = {name: np.ascontiguousarray(given[name]) for name in self.inputs}  # type: ignore[call-overload]
        with _explained():
            found = self._session.run(self.outputs, feeds)
        return {name: torch.from_numpy(np.asarray(value)) for name, value in zip(self.outputs, found, strict=True)}


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the refusals of onnxruntime, whose kinds have no name of their own, into one sentence."""
    try:
        yield
    except Exception as error:
        raise RunError(
            f"onnxruntime cannot run this model ({str(error).strip().splitlines()[0]}): use it from Python "
            "(latentia.load), or try another version of onnxruntime"
        ) from error


def compare(run: Run, encoder: bytes, decoder: bytes, *, real: int = REAL, random: int = RANDOM) -> Check:
    """Run both graphs beside PyTorch.

    The latents of the data's first samples are decoded, and random latents: twice as far around the middle of those
    as they are spread themselves, at least as far as the standard normal where there is a prior; of discrete latents,
    random codes. Encoded are the same samples, and random data of the same range.

    Raises:
        DataError: If the run's data cannot be found.
    """
    split = "test" if "test" in run.dataset.splits else next(iter(run.dataset.splits))
    part = run.dataset.split(split)
    model: Any = run.model
    stored = part.x[: min(real, len(part))]
    levels = run.preparation.levels
    x = stored.float() if levels is None or stored.is_floating_point() else stored / (levels - 1)
    source = generator("cpu", 0, "export", "check")
    low, high = x.amin(0), x.amax(0)
    many = torch.rand((random, *x.shape[1:]), generator=source) * (high - low) + low
    y = torch.randint(0, len(run.spec.classes), (len(x) + random,), generator=source) if model.conditional else None
    if y is not None and part.y is not None:
        y[: len(x)] = part.y[: len(x)]
    with evaluating(model) as device:
        encoded = _encoders(model, run, Session(encoder), torch.cat([x, many]), y, device)
        z = _latents(model, run, x, None if y is None else y[: len(x)], random, source, device)
        decoded = _decoders(model, run, Session(decoder), z, y, device)
    return Check({"encoder": encoded, "decoder": decoded}, len(x), random, split)


def _batches(n: int) -> Iterator[slice]:
    """Slices of n rows, in batches of every size that is tried."""
    sizes = iter(BATCHES)
    size, start = next(sizes), 0
    while start < n:
        yield slice(start, start + size)
        start, size = start + size, next(sizes, size)


def _encoders(
    model: Any, run: Run, session: Session, x: Tensor, y: Tensor | None, device: torch.device
) -> dict[str, float]:
    found = dict.fromkeys(session.outputs, 0.0)
    for rows in _batches(len(x)):
        labels = None if y is None else y[rows]
        ours = session(x=x[rows], y=labels)
        seen = prepared(run.preparation, x[rows].to(device))
        q = model.encode(seen, None if labels is None or model.classifies else labels.to(device))
        if model.discrete:
            pairs = _codes(model, q, ours)
        elif "z" in ours:
            pairs = {"z": (ours["z"], q.mean)}
        else:
            pairs = {"loc": (ours["loc"], q.loc), "logvar": (ours["logvar"], q.logvar)}
        if model.classifies:
            pairs["log_q_y"] = (ours["log_q_y"], model.classify(seen))
        for name, (left, right) in pairs.items():
            found[name] = max(found[name], difference(left, right))
    return found


def _codes(model: Any, q: Any, ours: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Codes are what the indices name; as near as PyTorch's to what was quantised, though not always the same ones."""
    encoded = q.encoded.cpu()
    far = [(encoded - codes).square().sum(1) for codes in (ours["codes"], q.mean.cpu())]
    named = model.posterior.lookup(ours["indices"].to(q.mean.device))
    return {"codes": (far[0], far[1]), "indices": (ours["codes"], named)}


def _latents(
    model: Any, run: Run, x: Tensor, y: Tensor | None, random: int, source: torch.Generator, device: torch.device
) -> Tensor:
    """The latents of the data, and random ones, (N + random, *latent)."""
    seen = prepared(run.preparation, x).to(device)
    z = model.encode(seen, None if y is None or model.classifies else y.to(device)).mean.cpu()
    if model.discrete:
        indices = torch.randint(
            0, model.posterior.codebook_size, (random, *model.posterior.code_shape), generator=source
        )
        return torch.cat([z, model.posterior.lookup(indices.to(device)).cpu()])
    spread = z.std(0, correction=0).clamp_min(1.0 if model.has_prior else 0.0)
    return torch.cat([z, z.mean(0) + 2 * spread * torch.randn((random, *z.shape[1:]), generator=source)])


def _decoders(
    model: Any, run: Run, session: Session, z: Tensor, y: Tensor | None, device: torch.device
) -> dict[str, float]:
    largest = 0.0
    for rows in _batches(len(z)):
        labels = None if y is None else y[rows]
        mean = model.decode(z[rows].to(device), None if labels is None else labels.to(device)).mean
        largest = max(largest, difference(session(z=z[rows], y=labels)["mean"], run.preparation.restore(mean)))
    return {"mean": largest}


def difference(left: Tensor, right: Tensor) -> float:
    """The largest difference, relative where values are larger than 1; infinite where one is NaN or shapes differ."""
    left, right = left.detach().cpu().double(), right.detach().cpu().double()
    if left.shape != right.shape:
        return float("inf")
    gap = (left - right).abs() / right.abs().clamp_min(1)
    return float(torch.nan_to_num(gap, nan=float("inf")).max())
