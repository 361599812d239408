"""ONNX files: what they say, that they agree with PyTorch, and that they run where there is neither."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.export.conftest import labelled, small

import latentia as lt
from latentia.errors import ConfigError, EnvironmentFault, RunError
from latentia.export import OnnxExport, checking, export_onnx, graphs
from latentia.export.graphs import to_onnx

ALONE = """
import json, sys
import numpy, onnxruntime

encoder, decoder, given = sys.argv[1:]
given = numpy.load(given)
encode, decode = (onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (encoder, decoder))
loc, logvar = encode.run(["loc", "logvar"], {"x": given["x"]})
(mean,) = decode.run(["mean"], {"z": given["z"]})
assert "torch" not in sys.modules and "latentia" not in sys.modules
found = {"loc": loc, "logvar": logvar, "mean": mean}
print(json.dumps({
    "differences": {name: float(abs(value - given[name]).max()) for name, value in found.items()},
    "metadata": encode.get_modelmeta().custom_metadata_map,
}))
"""


@pytest.fixture(scope="module")
def exported(vae: lt.Run) -> OnnxExport:
    return export_onnx(vae)


def test_the_files_run_without_latentia(vae: lt.Run, exported: OnnxExport, tmp_path: Path) -> None:
    x = torch.from_numpy(labelled()["x_test"]).float() / 255
    z = 3 * torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        q, mean = vae.model.encode(x), vae.model.decode(z).mean
    np.savez(tmp_path / "given.npz", x=x, z=z, loc=q.loc, logvar=q.logvar, mean=mean)
    command = [sys.executable, "-W", "error", "-c", ALONE, exported.encoder, exported.decoder, tmp_path / "given.npz"]
    environment = {"PATH": "/usr/bin:/bin"}  # without the path to Latentia's source
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert max(found["differences"].values()) < 1e-5
    assert found["metadata"]["preset"] == "vae" and json.loads(found["metadata"]["latent_shape"]) == [4]
    assert json.loads(found["metadata"]["classes"]) == ["0", "1", "2"]
    assert json.loads(found["metadata"]["check"])["max_difference"] == exported.check.largest < 1e-5


def test_what_is_beside_them(exported: OnnxExport) -> None:
    description = json.loads(exported.description.read_text())
    assert description["graphs"]["encoder"]["inputs"][0]["shape"] == ["batch", 1, 8, 8]
    assert [one["name"] for one in description["graphs"]["encoder"]["outputs"]] == ["loc", "logvar"]
    assert description["check"]["real"] == 30 and description["check"]["random"] == 1000
    assert description["likelihood"] == "bernoulli" and description["range"] == "0 to 1: k / 255"
    for graph in ("encoder", "decoder"):
        proto = onnx.load(getattr(exported, graph))
        assert {entry.key for entry in proto.metadata_props} == set(description)
        assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_nothing_is_replaced_unasked(vae: lt.Run, exported: OnnxExport, tmp_path: Path) -> None:
    before = exported.encoder.stat().st_mtime_ns
    with pytest.raises(ConfigError, match="--overwrite"):
        export_onnx(str(vae.path))
    assert exported.encoder.stat().st_mtime_ns == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="other files"):
        export_onnx(vae, tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(ConfigError, match="is a file"):
        export_onnx(vae, tmp_path / "notes.txt")
    export_onnx(vae, overwrite=True)
    assert exported.encoder.stat().st_mtime_ns != before
    assert {path.name for path in exported.folder.iterdir()} == {"encoder.onnx", "decoder.onnx", "onnx.json"}


def test_a_difference_is_refused_and_nothing_written(
    vae: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: graphs.Decoder, z: torch.Tensor, y: Any = None) -> torch.Tensor:
        return self.model.decode(z, y).mean + 2e-4

    monkeypatch.setattr(graphs.Decoder, "forward", wrong)
    with pytest.raises(RunError, match=r"mean of the decoder by 0\.0002, and 0\.0001 is allowed"):
        export_onnx(vae, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_graph_of_one_batch_size_is_refused(vae: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fixed(self: graphs.Decoder, z: torch.Tensor, y: Any = None) -> torch.Tensor:
        return self.model.decode(z.reshape(int(z.shape[0]), 4), y).mean

    monkeypatch.setattr(graphs.Decoder, "forward", fixed)
    with pytest.raises(RunError, match="onnxruntime cannot run this model"):
        export_onnx(vae, tmp_path / "out")


KINDS: list[tuple[str, dict[str, Any], list[str], list[str], list[str]]] = [
    ("ae", {}, ["x"], ["z"], ["z"]),
    ("vq-vae", {}, ["x"], ["codes", "indices"], ["z"]),
    ("fsq-ae", {}, ["x"], ["codes", "indices"], ["z"]),
    ("conditional-vae", {}, ["x", "y"], ["loc", "logvar"], ["z", "y"]),
    ("m2", {"data__labels": 30}, ["x"], ["loc", "logvar", "log_q_y"], ["z", "y"]),
    ("conv-vae", {}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"data__binarize": "dynamic"}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"data__binarize": "static"}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"data__binarize": "threshold", "data__threshold": 0.3}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"data__dequantize": True, "model__likelihood__name": "gaussian"}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"data__scale": "standard", "model__likelihood__name": "gaussian"}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"model__likelihood__name": "discretized-logistic"}, ["x"], ["loc", "logvar"], ["z"]),
    ("vae", {"model__likelihood__name": "continuous-bernoulli"}, ["x"], ["loc", "logvar"], ["z"]),
]


@pytest.mark.parametrize(("preset", "settings", "takes", "gives", "decodes"), KINDS)
def test_models_of_every_kind(
    preset: str, settings: dict[str, Any], takes: list[str], gives: list[str], decodes: list[str], tmp_path: Path
) -> None:
    found = export_onnx(small(preset, **settings), tmp_path / "out")
    encode, decode = (onnxruntime.InferenceSession(path) for path in (found.encoder, found.decoder))
    assert [one.name for one in encode.get_inputs()] == takes
    assert [one.name for one in encode.get_outputs()] == gives
    assert [one.name for one in decode.get_inputs()] == decodes
    assert found.check.largest < 1e-5


def test_tables_keep_the_units_of_their_source(tmp_path: Path) -> None:
    x = (300 + 40 * np.random.default_rng(0).standard_normal((80, 6))).astype(np.float32)
    run = small("ae", x, data__scale="standard", model__latent_dim=3, model__likelihood__loc_activation="identity")
    found = export_onnx(run, tmp_path / "out")
    encode, decode = (onnxruntime.InferenceSession(path) for path in (found.encoder, found.decoder))
    mean = np.asarray(decode.run(["mean"], {"z": encode.run(["z"], {"x": x})[0]})[0])
    assert abs(mean.mean() - 300) < 20
    with torch.no_grad():
        ours = run.preparation.restore(run.model.reconstruct(run.preparation(torch.from_numpy(x))))
    np.testing.assert_allclose(mean, ours.numpy(), rtol=1e-5)


def test_data_are_needed_for_the_check(vae: lt.Run) -> None:
    with pytest.raises(lt.LatentiaError, match="data="):
        export_onnx(lt.open_run(vae.path), overwrite=True)  # type: ignore[arg-type]


def test_a_missing_package_is_named(vae: lt.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'latentia\[onnx\]'"):
        export_onnx(vae, tmp_path / "out")


def test_a_model_without_a_word_for_it_is_refused(vae: lt.Run) -> None:
    class Strange(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.eigvals(x @ x.T).real

    graph = graphs.Graph("encoder", Strange(), {"x": torch.ones(2, 3)}, {"z": ""})
    with pytest.raises(RunError, match="cannot be written as ONNX"):
        to_onnx(graph)


def test_differences_are_relative_to_large_values() -> None:
    far = checking.difference(torch.tensor([1000.0, 0.1]), torch.tensor([1000.1, 0.1]))
    assert far == pytest.approx(1e-4, rel=1e-3)
    assert checking.difference(torch.tensor([float("nan")]), torch.tensor([0.0])) == float("inf")
    assert checking.difference(torch.zeros(1, 2), torch.zeros(2)) == float("inf")
