"""A sample of the user's own through the model: drawn, pasted, dropped, or made noisy on purpose.

It is prepared exactly as new data are in every other use, by the data's own preparation.
"""

from __future__ import annotations

import json
import math
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentia.data.seeds import generator
from latentia.errors import ConfigError, DataError
from latentia.evaluation.encoding import evaluating
from latentia.exploration.bundle import pack
from latentia.runs.inputs import read_input
from latentia.runs.run import Run
from latentia.runs.uses.denoise import KINDS, choose_corruption
from latentia.runs.uses.material import is_conditional
from latentia.studio import pixels
from latentia.studio.desk import Opened, Studio
from latentia.studio.query import Query

ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/bmp": ".bmp", "image/webp": ".webp",
           "image/tiff": ".tif", "image/avif": ".avif"}  # fmt: skip
LARGEST = 1e30  # of a value
_READING = threading.Lock()  # Pillow's care for huge pictures is for one thread at a time


def encode(studio: Studio, opened: Opened, query: Query, body: bytes, kind: str) -> bytes:
    """The posterior and the reconstruction of a sample, and what they cost."""
    run = opened.run
    x, y = _sample(run, body, kind), _label(run, query)
    model: Any = run.model
    with evaluating(model) as device:
        noise = model.draw_noise(1, 1, torch.Generator(device).manual_seed(0), device)
        q, x_hat = model.encode(x, y), model.reconstruct(x, y)
        trace = model.trace(x, y, noise, 1) if model.has_prior else None
        probabilities = model.classify(x).exp()[0] if model.classifies else None
    squares = (x_hat - x).square()
    arrays = {
        **pixels.drawn("input", x[0], run.spec),
        **pixels.drawn("reconstruction", x_hat[0], run.spec),
        "difference": pixels.difference(x, x_hat, run.spec)[0],
        "z": q.mean.flatten().float().numpy(),
    }
    if not model.discrete and not getattr(model.posterior, "deterministic", False):
        arrays["scale"] = q.variance.sqrt().flatten().float().numpy()
    facts: dict[str, Any] = {"error": float(squares.sum()), "mse": float(squares.mean()), "rate": None, "elbo": None}
    if trace is not None:
        level = trace.levels[0]
        if level.kl is not None:
            arrays["rates"] = level.kl[0].flatten().float().numpy()
        facts["rate"] = float(trace.rate().mean())
        facts["distortion"] = float(trace.distortion(x).mean())
        facts["elbo"] = -(facts["rate"] + facts["distortion"])
    if probabilities is not None:
        best = int(probabilities.argmax())
        facts["class"] = {"name": run.spec.classes[best], "index": best, "probability": float(probabilities[best])}
    return pack(facts, arrays)


def denoise(studio: Studio, opened: Opened, query: Query, body: bytes, kind: str) -> bytes:
    """A sample that is noisy, or is made so, and what the model makes of it."""
    run, y = opened.run, _label(opened.run, query)
    clean, noisy, facts = None, _sample(run, body, kind), {}
    name = query.word("corruption", "")
    if name:
        if name not in KINDS:
            raise ConfigError(f"corruption must be {', '.join(KINDS)}, not '{name[:40]}'")
        sigma, probability = query.real("sigma"), query.real("probability")
        corruption = choose_corruption(run, name, sigma=sigma, probability=probability)
        source = generator(noisy.device, query.whole("seed", 0, 0, 2**31), "studio", "corruption")
        clean = noisy
        noisy = corruption(clean, corruption.draw_noise(clean.shape, source, clean.device))
        facts["corruption"] = corruption.describe()
    with evaluating(run.model):
        x_hat = run.model.reconstruct(noisy, y)
    arrays = {**pixels.drawn("noisy", noisy[0], run.spec), **pixels.drawn("reconstruction", x_hat[0], run.spec)}
    arrays |= pixels.drawn("input", (noisy if clean is None else clean)[0], run.spec)
    if clean is not None:
        facts["mse_noisy"] = float((noisy - clean).square().mean())
        facts["mse_denoised"] = float((x_hat - clean).square().mean())
    return pack(facts, arrays)


def _label(run: Run, query: Query) -> Tensor | None:
    y = query.maybe_whole("y", 0, max(0, len(run.spec.classes) - 1))
    if y is None and is_conditional(run) and not run.model.classifies:
        raise ConfigError("the model is conditional and encodes a sample as one of a class: choose one (y)")
    return None if y is None or not is_conditional(run) else torch.tensor([y])


def _sample(run: Run, body: bytes, kind: str) -> Tensor:
    """The sample that a request brings, (1, *event), prepared as the model takes it.

    Raises:
        DataError: If it does not fit, or is no picture.
        ConfigError: If it is of no kind that can be read.
    """
    kind = kind.partition(";")[0].strip().lower()
    if kind.startswith("image/"):
        return _picture(run, body, kind)
    if kind == "application/octet-stream":
        return _prepared(run, _raw(run, body))
    if kind == "application/json":
        try:
            values = np.array(json.loads(body)["values"], dtype=np.float64)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            raise ConfigError('the body must be {"values": [numbers]}') from error
        if not (np.abs(values) <= LARGEST).all():
            raise DataError("some values are not finite: give finite numbers")
        values, fits = values.astype(np.float32), values.size == run.spec.dimensions
        return _prepared(run, values.reshape(1, *run.spec.event_shape) if fits else values)
    raise ConfigError("send a picture (image/...), raw pixels (application/octet-stream) or application/json")


def _raw(run: Run, body: bytes) -> np.ndarray:
    """Raw pixels, (1, C, H, W), in the units of the data: black and white are the lowest and highest value drawn."""
    height, width, channels = pixels.shape_of(run.spec)
    if not run.spec.is_image or channels != run.spec.event_shape[0]:
        raise ConfigError(f"the model takes {run.spec.describe()}: send application/json with values")
    if len(body) != math.prod((height, width, channels)):
        raise DataError(
            f"raw pixels of this model are {height} x {width} x {channels} bytes, and {len(body):,} came: resize first"
        )
    found = np.frombuffer(body, np.uint8).reshape(1, height, width, channels).transpose(0, 3, 1, 2).copy()
    spec, preparation = run.spec, run.preparation
    if preparation.levels is not None or preparation.within_unit:
        return found
    seen = spec.low + found.astype(np.float32) / 255 * (spec.high - spec.low)
    return preparation.restore(torch.from_numpy(seen)).numpy()


def _prepared(run: Run, values: np.ndarray) -> Tensor:
    stored = run.preparation.adopt(values, run.spec)
    noise = torch.full(stored.shape, 0.5) if run.preparation.needs_noise else None
    return run.preparation(stored, noise)


def _picture(run: Run, body: bytes, kind: str) -> Tensor:
    """A picture file of any size, at the model's."""
    if kind not in ENDINGS:
        raise ConfigError(f"pictures of {kind[:40]} cannot be read: send PNG or JPEG")
    with _READING, tempfile.TemporaryDirectory(prefix="latentia-") as folder:
        path = Path(folder) / f"picture{ENDINGS[kind]}"
        path.write_bytes(body)
        return read_input(path, run.spec, run.preparation, resized=True, steady=True).x[:1]
