"""A model as ONNX: ``encoder.onnx`` and ``decoder.onnx``, with what they are and how near they are to PyTorch.

Owns the folder that is written and the words in it; the graphs are made and checked beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from latentia import storage
from latentia.data.preparation import Preparation
from latentia.errors import ConfigError, RunError
from latentia.export.checking import Check, compare
from latentia.export.graphs import Graph, graphs, needed, to_onnx
from latentia.runs.run import Run, open_run

FORMAT, VERSION = "latentia-onnx", 1
DESCRIPTION = "onnx.json"
FILES = {"encoder.onnx", "decoder.onnx", DESCRIPTION}


@dataclass(frozen=True)
class OnnxExport:
    """Two ONNX files and what is beside them.

    Attributes:
        folder: Where they are.
        encoder: From data to latents.
        decoder: From latents to data.
        description: ``onnx.json``: inputs, outputs, what they mean, and the check.
        check: How far onnxruntime is from PyTorch.
    """

    folder: Path
    encoder: Path
    decoder: Path
    description: Path
    check: Check

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        files = {name: str(getattr(self, name)) for name in ("folder", "encoder", "decoder", "description")}
        sizes = {name: Path(files[name]).stat().st_size for name in ("encoder", "decoder")}
        return {**files, "bytes": sizes, "check": self.check.to_json()}


def export_onnx(run: Run | str | Path, out: str | Path | None = None, *, overwrite: bool = False) -> OnnxExport:
    """Write a run's encoder and decoder as ONNX graphs, which run without Latentia and without PyTorch.

    The encoder takes data in their own range: images as float32 from 0 to 1 of the model's size, other data in the
    units of their source. Scaling and binarising happen inside, with 0.5 in the place of noise. It gives ``loc`` and
    ``logvar`` of q(z given x); of an autoencoder ``z``; of a quantiser ``codes`` and ``indices``. The decoder takes
    ``z`` and gives ``mean``, that of p(x given z), in the data's own range. Conditional models take labels ``y``,
    int64. Batches may be of any size.

    Both are run in onnxruntime beside PyTorch, on 500 samples and 1,000 random inputs, in batches of several sizes.
    The largest difference is in the files' metadata and in ``onnx.json`` beside them.

    Args:
        run: The run, or its directory.
        out: A folder; ``onnx/`` in the run's if not given.
        overwrite: Replace files that an earlier export wrote there.

    Returns:
        Where the files are, and what the check found.

    Raises:
        RunError: If a value differs from PyTorch's by more than 1e-4, relative where it is larger than 1, or the
            model has no ONNX form. Nothing is written then.
        ConfigError: If there is something at ``out`` already.
        DataError: If the run's data, which are needed for the check, cannot be found.
        EnvironmentFault: If the extra ``onnx`` is not installed.
    """
    needed("onnx", "onnx")
    run = run if isinstance(run, Run) else open_run(run)
    folder = _folder(run, out, overwrite)
    encoder, decoder, check = checked_graphs(run)
    description = describe(run, (encoder[0], decoder[0]), check)
    storage.make_folder(folder.parent)
    with storage.new_folder(folder) as aside:
        for graph, content in (encoder, decoder):
            storage.write_bytes(aside / f"{graph.name}.onnx", labelled(content, graph, description), durable=False)
        storage.write_json(aside / DESCRIPTION, description, durable=False)
    return OnnxExport(folder, folder / "encoder.onnx", folder / "decoder.onnx", folder / DESCRIPTION, check)


def checked_graphs(run: Run) -> tuple[tuple[Graph, bytes], tuple[Graph, bytes], Check]:
    """Both graphs as ONNX, and how far they are from PyTorch.

    Raises:
        RunError: If that is too far.
    """
    encoder, decoder = graphs(run.model, run.spec, run.preparation)
    contents = to_onnx(encoder), to_onnx(decoder)
    check = compare(run, *contents)
    check.refuse()
    return (encoder, contents[0]), (decoder, contents[1]), check


def _folder(run: Run, out: str | Path | None, overwrite: bool) -> Path:
    if out is None and run.directory is None:
        raise RunError("a run without a directory has no place for the files: say where, with out=...")
    folder = Path(out) if out is not None else run.directory.path / "onnx"  # type: ignore[union-attr]
    if folder.is_file():
        raise ConfigError(f"{folder} is a file: --out names the folder that the ONNX files go to")
    if folder.is_dir() and (found := {path.name for path in folder.iterdir()}):
        if found - FILES:
            raise ConfigError(f"{folder} holds other files: give another folder with --out")
        if not overwrite:
            raise ConfigError(f"{folder} holds an export already: add --overwrite, or give another folder with --out")
    return folder


def describe(run: Run, found: tuple[Graph, ...], check: Check) -> dict[str, Any]:
    """What is in ``onnx.json``, and in each file's metadata."""
    model: Any = run.model
    return {
        "format": FORMAT,
        "version": VERSION,
        "preset": run.config.preset,
        "data": Path(run.config.data.source).name,
        "sample": run.spec.describe(),
        "event_shape": list(run.spec.event_shape),
        "range": data_range(run.preparation),
        "preparation": run.preparation.to_json(),
        "latent_shape": list(model.latent_shape),
        "latent_dim": model.latent_dim,
        "posterior": run.config.model.posterior.name,
        "prior": None if run.config.model.prior is None else run.config.model.prior.name,
        "likelihood": run.config.model.likelihood.name,
        "codebook_size": model.posterior.codebook_size if model.discrete else None,
        "classes": list(run.spec.classes),
        "conditional": model.conditional,
        "test": run.summary.get("test"),
        "graphs": {graph.name: _signature(graph, run) for graph in found},
        "check": check.to_json(),
        "versions": {
            "latentia": version("latentia"),
            "torch": str(torch.__version__),
            "onnx": needed("onnx", "onnx").__version__,
            "onnxruntime": needed("onnxruntime", "onnx").__version__,
        },
    }


def data_range(preparation: Preparation) -> str:
    """What the values of data mean that the encoder takes and the decoder gives."""
    if preparation.levels is None and not preparation.within_unit:
        return "the units of the source"
    if preparation.binarize == "none":
        return "0 to 1" if preparation.levels is None else f"0 to 1: k / {preparation.levels - 1}"
    bound = preparation.threshold if preparation.binarize == "threshold" else 0.5
    return f"0 to 1; taken as 1 above {bound:g} and as 0 otherwise, given as the probability of a 1"


def _signature(graph: Graph, run: Run) -> dict[str, Any]:
    means = {
        "x": f"{run.spec.noun}s, {data_range(run.preparation)}",
        "y": "labels, which number the classes from 0",
        "z": "latents" if not run.model.discrete else "latents: the codes, as the encoder gives them",
    }
    inputs = [
        {
            "name": name,
            "type": str(example.dtype).removeprefix("torch."),
            "shape": ["batch", *example.shape[1:]],
            "meaning": means[name],
        }
        for name, example in graph.inputs.items()
    ]
    return {
        "file": f"{graph.name}.onnx",
        "inputs": inputs,
        "outputs": [{"name": name, "meaning": meaning} for name, meaning in graph.outputs.items()],
    }


def labelled(content: bytes, graph: Graph, description: dict[str, Any]) -> bytes:
    """The file with its metadata: each key of the description, as JSON where it is no plain word."""
    onnx = needed("onnx", "onnx")
    proto = onnx.load_from_string(content)
    onnx.checker.check_model(proto)
    proto.producer_name, proto.producer_version = "latentia", description["versions"]["latentia"]
    proto.graph.name = graph.name
    outputs = ", ".join(f"{name}: {meaning}" for name, meaning in graph.outputs.items())
    proto.doc_string = f"The {graph.name} of {description['preset'] or 'a model'} on {description['data']}; {outputs}"
    for key, value in description.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)
    return proto.SerializeToString()
