"""Whatever arrays, settings or bytes come in: it works, or a LatentiaError says in one sentence what to do."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from latentia.errors import LatentiaError
from latentia.recipes.presets import PRESETS
from latentia.runs import fitting, pictures
from latentia.runs.directory import RunDirectory
from latentia.runs.model_folder import load
from latentia.runs.run import open_run

TINY = ["training.steps=2", "training.batch_size=4", "model.latent_dim=2", "training.threads=1", "training.device=cpu"]
SIZES = {
    "mlp": ["model.encoder.hidden=[4]", "model.decoder.hidden=[4]"],
    "conv": ["model.encoder.channels=[2, 3]", "model.decoder.channels=[3, 2]"],
    "conv-stack": ["model.latent_dim=none"],
}
KINDS = ["ae", "conv-ae", "vae", "conv-vae"]  # of any size of image


def check_message(error: LatentiaError) -> None:
    assert "\n" not in str(error) and len(str(error)) < 1000, error


def works_or_explains(preset: str, data: Any, *more: str) -> None:
    kind = PRESETS[preset].config().model.encoder.name
    try:
        run = fitting.train(preset, data, directory=None, settings=[*TINY, *SIZES[kind], *more])
        run.reconstruct(2, split="train")
        if run.model.has_prior:
            run.sample(2)
    except LatentiaError as error:
        check_message(error)


DTYPES = st.sampled_from(["u1", "i1", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "?", "c8", "O", "U3", "M8[s]"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6)
SPECIAL = st.sampled_from([0.0, 1.0, -1.0, 255.0, 1e30, -1e30, float("nan"), float("inf"), 1e-40])


@st.composite
def arrays_of_any_kind(draw: st.DrawFn) -> np.ndarray:
    dtype, shape = np.dtype(draw(DTYPES)), draw(SHAPES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dtype.kind in "OU":
            return np.full(shape, "a", dtype=dtype)
        if dtype.kind == "M":
            return np.zeros(shape, dtype=dtype)
        fill = draw(st.sampled_from(["constant", "random", "special"]))
        source = np.random.default_rng(draw(st.integers(0, 99)))
        values = source.random(shape) * draw(st.sampled_from([1.0, 255.0, 1e20]))
        if fill == "constant":
            values = np.full(shape, draw(SPECIAL))
        elif fill == "special" and values.size:
            values = np.asarray(values)
            values.reshape(-1)[0] = draw(SPECIAL)
        return values.astype(dtype)


@pytest.mark.parametrize("preset", [*KINDS, "conv-vae-4x4x4"])
@settings(max_examples=40)
@given(data=arrays_of_any_kind())
def test_arrays_of_any_kind(preset: str, data: np.ndarray):
    works_or_explains(preset, data)


@pytest.mark.parametrize("preset", KINDS)
@settings(max_examples=15)
@given(
    shape=st.sampled_from([(1, 1, 1), (1, 1, 7), (3, 2, 1), (5, 3, 4), (1, 8, 8), (1, 28, 3)]),
    n=st.integers(1, 23),
    kind=st.sampled_from(["uint8", "binary", "unit", "constant"]),
)
def test_images_of_any_size(preset: str, shape: tuple[int, ...], n: int, kind: str):
    source = np.random.default_rng(n)
    x = {
        "uint8": source.integers(0, 256, (n, *shape), dtype=np.uint8),
        "binary": source.random((n, *shape)) > 0.5,
        "unit": source.random((n, *shape), dtype=np.float32),
        "constant": np.full((n, *shape), 7, np.uint8),
    }[kind]
    run = fitting.train(
        preset,
        {"x": x, "x_test": x},
        directory=None,
        settings=[*TINY, *SIZES[PRESETS[preset].config().model.encoder.name], "data.layout=channels-first"],
    )
    assert run.summary["steps"] == 2
    assert run.reconstruct(3).reconstruction.shape == (min(3, n), *shape)


LIKELIHOODS = "bernoulli continuous-bernoulli gaussian laplace categorical"
VALUES = {
    "model.likelihood.name": [*LIKELIHOODS.split(), "discretized-logistic", "discretized-logistic-mixture"],
    "model.prior.name": ["standard-normal", "gaussian-mixture"],
    "model.prior": ["none"],
    "model.latent_dim": ["none", "3"],
    "model.posterior.name": ["gaussian", "deterministic", "gaussian-map", "feature-map", "rectified"],
    "model.encoder.name": ["mlp", "conv", "residual", "residual-mlp", "conv-stack"],
    "model.decoder.name": ["mlp", "conv", "residual", "residual-mlp", "transposed-stack"],
    "objective.name": ["elbo", "autoencoder"],
    "objective.free_bits": ["0.1"],
    "objective.capacity": ["2.0"],
    "objective.samples": ["3"],
    "objective.contractive": ["0.1"],
    "objective.l1": ["0.1"],
    "data.binarize": ["threshold", "dynamic", "static"],
    "data.dequantize": ["true"],
    "data.scale": ["unit", "standard"],
    "data.validation": ["0.0", "0.3", "0.99"],
    "training.ema": ["0.9"],
    "training.patience": ["1"],
    "training.clip_norm": ["1.0"],
    "training.batch_size": ["1", "7"],
    "training.precision": ["fp32", "bf16"],
    "training.optimizer.lr": ["1e-30", "1e30"],
    "training.optimizer.name": ["adamw"],
}
PAIRS = [f"{key}={value}" for key, values in VALUES.items() for value in values]


@settings(max_examples=120)
@given(chosen=st.lists(st.sampled_from(PAIRS), min_size=1, max_size=4), vectors=st.booleans(), real=st.booleans())
def test_settings_in_any_combination(chosen: list[str], vectors: bool, real: bool):
    source = np.random.default_rng(0)
    shape = (12, 5) if vectors else (12, 1, 4, 4)
    x = source.normal(size=shape).astype(np.float32) if real else source.integers(0, 256, shape, dtype=np.uint8)
    try:
        fitting.train("vae", x, directory=None, settings=[*TINY, *chosen])
    except LatentiaError as error:
        check_message(error)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    x = np.random.default_rng(0).integers(0, 256, (20, 1, 3, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("fuzz") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
        fitting.train("vae", x, directory=path, settings=[*TINY, *SIZES["mlp"]])
    return path, x


FILES = [
    "config.toml",
    "meta.json",
    "status.json",
    "metrics.jsonl",
    "eval.json",
    "model/config.json",
    "model/model.safetensors",
    "checkpoints/last",
    "checkpoints/00000002/state.json",
    "checkpoints/00000002/model.safetensors",
    "checkpoints/00000002/optimizer.safetensors",
    "checkpoints/00000002/meter.safetensors",
]


@settings(max_examples=150)
@given(
    file=st.sampled_from(FILES),
    how=st.sampled_from(["cut", "flip", "insert", "replace"]),
    place=st.floats(0, 1),
    content=st.binary(min_size=1, max_size=40),
)
def test_bytes_of_any_kind_in_a_runs_files(
    tmp_path_factory: pytest.TempPathFactory,
    run_folder: tuple[Path, np.ndarray],
    file: str,
    how: str,
    place: float,
    content: bytes,
):
    original, x = run_folder
    path = tmp_path_factory.mktemp("fuzz") / "run"
    shutil.copytree(original, path)
    target = path / file
    data = target.read_bytes()
    at = int(place * len(data))
    target.write_bytes(
        {
            "cut": data[:at],
            "flip": data[:at] + bytes(byte ^ content[0] | 1 for byte in data[at : at + 1]) + data[at + 1 :],
            "insert": data[:at] + content + data[at:],
            "replace": content,
        }[how]
    )

    def load_checkpoint() -> None:
        RunDirectory(path).checkpoints.load()

    def resume() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
            fitting.resume(path, epochs=3, data=x)

    uses = [
        lambda: load(path),
        lambda: open_run(path, data=x).evaluate(),
        lambda: open_run(path, data=x).metrics,
        load_checkpoint,
        resume,
    ]
    for use in uses:
        try:
            use()
        except LatentiaError as error:
            check_message(error)
    shutil.rmtree(path)
