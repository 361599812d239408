"""Data on the disk give the same samples, splits, statistics and batches as data in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentia.data import Dataset, DataSettings, Feed, IndexStream, batches, load
from latentia.data import mapped as module
from latentia.data.mapped import Mapped, equal
from latentia.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
KINDS: dict[str, np.ndarray] = {
    "grey": RNG.integers(0, 256, (57, 5, 4), np.uint8),
    "binary-bytes": RNG.integers(0, 2, (57, 5, 4), np.uint8),
    "colour-last": RNG.integers(0, 256, (57, 4, 6, 3), np.uint8),
    "colour-first": RNG.random((57, 3, 4, 6), np.float32),
    "boolean": RNG.random((57, 7)) < 0.3,
    "table": RNG.normal(3, 2, (57, 6)),
    "constant-feature": np.concatenate([RNG.normal(size=(57, 2)), np.full((57, 1), 0.1)], axis=1),
    "half": RNG.normal(size=(57, 6)).astype(np.float16),
    "big-endian": RNG.normal(size=(57, 6)).astype(">f4"),
    "whole": RNG.integers(-(2**40), 2**40, (57, 3)),
    "short": RNG.integers(0, 2**16, (57, 2, 3), np.uint16),
}


def both(folder: Path, x: np.ndarray, y: np.ndarray | None = None, **settings: Any) -> tuple[Dataset, Dataset]:
    """The same files loaded and mapped."""
    np.save(folder / "x.npy", x)
    if y is not None:
        np.save(folder / "y.npy", y)
    loaded, mapped = (
        load(DataSettings.model_validate({"source": str(folder), "memory": memory, **settings}))
        for memory in ("load", "map")
    )
    assert isinstance(loaded.split("train").x, torch.Tensor) and isinstance(mapped.split("train").x, Mapped)
    return loaded, mapped


def assert_same(loaded: Dataset, mapped: Dataset) -> None:
    assert mapped.fingerprint == loaded.fingerprint
    assert mapped.spec == loaded.spec and mapped.preparation == loaded.preparation
    assert set(mapped.notes) == set(loaded.notes) and list(mapped.splits) == list(loaded.splits)
    for name, part in loaded.splits.items():
        other = mapped.split(name)
        assert part.x.dtype == other.x.dtype and tuple(part.x.shape) == other.x.shape and len(part) == len(other)
        assert isinstance(other.x, Mapped) and other.x.nbytes == part.x.nbytes
        assert torch.equal(other.x[0 : len(other)], part.x[:]) and equal(other.x, part.x)
        assert (part.y is None) == (other.y is None) and (part.y is None or torch.equal(part.y, other.y))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
def test_mapped_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, scale: str):
    monkeypatch.setattr(module, "CHUNK_BYTES", 500)  # some samples at a time
    monkeypatch.setattr("latentia.data.preparation.CHUNK_VALUES", 100)
    loaded, mapped = both(tmp_path, KINDS[kind], scale=scale, validation=0.2)
    assert_same(loaded, mapped)


def test_binarising_and_dequantising(tmp_path: Path):
    wished: list[dict[str, Any]] = [
        {"binarize": "dynamic"},
        {"binarize": "threshold", "threshold": 0.3},
        {"dequantize": True},
    ]
    for settings in wished:
        assert_same(*both(tmp_path, KINDS["grey"], **settings))
    assert_same(*both(tmp_path, KINDS["table"], binarize="dynamic", scale="unit"))


def test_labels_and_normal_classes(tmp_path: Path):
    y = RNG.integers(0, 3, 57)
    assert_same(*both(tmp_path, KINDS["table"], y))
    assert_same(*both(tmp_path, KINDS["table"], y, normal_classes=["1", "2"]))


def test_arrays_that_numpy_has_mapped(tmp_path: Path):
    np.save(tmp_path / "x.npy", KINDS["table"])
    x, y = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(57) % 2
    loaded = load(DataSettings(), arrays=(x, y))
    assert isinstance(loaded.split("train").x, torch.Tensor)  # it is small
    for arrays in ((x, y), {"x": x, "y": y}):
        assert_same(loaded, load(DataSettings(memory="map"), arrays=arrays))
    mixed = load(DataSettings(memory="map"), arrays={"x": x, "x_test": np.asfortranarray(KINDS["table"][:5])})
    assert equal(mixed.split("test").x, torch.from_numpy(KINDS["table"][:5].astype(np.float32)))
    with pytest.raises(ConfigError, match="mmap_mode"):
        load(DataSettings(memory="map"), arrays=KINDS["table"])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({50: np.nan, 51: np.inf}, r"x holds 2 values that are NaN or infinite \(the first in sample 50\)"),
        ({9: 1e300}, "beyond the range of float32"),
    ],
)
def test_faulty_values_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: dict[int, float], words: str):
    monkeypatch.setattr(module, "CHUNK_BYTES", 500)
    x = KINDS["table"].copy()
    for row, value in spoil.items():
        x[row, 2] = value
    np.save(tmp_path / "x.npy", x)
    for memory in ("load", "map"):
        with pytest.raises(DataError, match=words):
            load(DataSettings.model_validate({"source": str(tmp_path / "x.npy"), "memory": memory}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"binarize": "static"}, "data.binarize = 'static' draws once"),
        ({"size": [3, 3]}, r"latentia.data.resize\(x, 3, 3\)"),
        ({"source": "digits"}, "'map' reads .npy files"),
        ({"source": "mnist"}, "'map' reads .npy files"),
    ],
)
def test_what_cannot_be_mapped(tmp_path: Path, settings: dict[str, Any], words: str):
    np.save(tmp_path / "x.npy", KINDS["grey"])
    with pytest.raises(ConfigError, match=words):
        load(DataSettings.model_validate({"source": str(tmp_path / "x.npy"), "memory": "map", **settings}))


def test_files_that_cannot_be_mapped(tmp_path: Path):
    np.savez(tmp_path / "x.npz", x=KINDS["grey"])
    with pytest.raises(ConfigError, match=r"x\.npz is none"):
        load(DataSettings(source=str(tmp_path / "x.npz"), memory="map"))
    np.save(tmp_path / "x.npy", np.asfortranarray(KINDS["table"]))
    with pytest.raises(DataError, match="Fortran order"):
        load(DataSettings(source=str(tmp_path / "x.npy"), memory="map"))
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="unpickled"):
        load(DataSettings(source=str(tmp_path / "x.npy"), memory="map"))
    for values, words in (
        (np.zeros((0, 3)), "empty"),
        (np.array(["a"]), "not of real numbers"),
        (np.ones(4), "reshape"),
    ):
        np.save(tmp_path / "x.npy", values)
        with pytest.raises(DataError, match=words):
            load(DataSettings(source=str(tmp_path / "x.npy"), memory="map"))
    np.save(tmp_path / "x.npy", KINDS["grey"])
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-9])
    with pytest.raises(DataError, match=r"cannot read .*x.npy"):
        load(DataSettings(source=str(tmp_path / "x.npy"), memory="map"))


@given(cuts=st.lists(st.integers(1, 56), max_size=4), rows=st.lists(st.integers(0, 56), min_size=1, max_size=80))
def test_rows_of_several_files(cuts: list[int], rows: list[int]):
    x = KINDS["short"]
    files = [np.ascontiguousarray(piece) for piece in np.split(x, sorted(set(cuts)))]
    stack, wanted = Mapped(files, "x"), torch.from_numpy(x.astype(np.float32))[:, None]
    assert torch.equal(stack[torch.tensor(rows)], wanted[rows])
    kept = torch.tensor(sorted(set(rows)))
    some, again = stack.subset(kept), torch.arange(0, len(kept), 2)
    assert torch.equal(some[0 : len(kept)], wanted[kept])
    assert torch.equal(some.subset(again).to("cpu"), wanted[kept][again])
    low, high = some.extremes()
    assert np.array_equal(low, wanted[kept].numpy().min(0)) and np.array_equal(high, wanted[kept].numpy().max(0))
    assert torch.equal(stack[3:20], wanted[3:20]) and len(stack[5:2]) == 0


def test_files_that_do_not_fit_each_other():
    with pytest.raises(DataError, match="different shapes"):
        Mapped([np.zeros((2, 3)), np.zeros((2, 4))], "x")
    with pytest.raises(DataError, match="different types"):
        Mapped([np.zeros((2, 3)), np.zeros((2, 3), np.float32)], "x")


@pytest.mark.parametrize("kind", ["grey", "table", "colour-last"])
@pytest.mark.parametrize("settings", [{}, {"scale": "standard"}, {"dequantize": True}])
def test_batches_are_the_same_in_any_order(tmp_path: Path, kind: str, settings: dict[str, Any]):
    if settings.get("dequantize") and kind == "table":
        return
    parts = both(tmp_path, KINDS[kind], RNG.integers(0, 3, 57), **settings)
    feeds = [
        Feed(
            data.split("train"), data.preparation, IndexStream(len(data.split("train")), 24, 3, "fit"), "cpu", 3, "fit"
        )
        for data in parts
    ]
    kept = []
    for step in (0, 1, 2, 3, 20, 21, 5, 5, 0, *range(40, 140)):
        expected, found = (feed.batch(step) for feed in feeds)
        assert expected.y is not None and found.y is not None
        assert torch.equal(expected.x, found.x) and torch.equal(expected.y, found.y)
        kept.append((found, found.x.clone(), found.y.clone()))
    assert all(torch.equal(batch.x, x) and torch.equal(batch.y, y) for batch, x, y in kept)  # never overwritten
    for feed in feeds:
        feed.close()


@pytest.mark.parametrize("at_once", [1, 3, batches.AHEAD])
def test_each_process_reads_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int):
    monkeypatch.setattr(batches, "AHEAD", at_once)
    loaded, mapped = both(tmp_path, KINDS["grey"], RNG.integers(0, 3, 57))
    part, stream = mapped.split("train"), IndexStream(len(mapped.split("train")), 6, 0, "fit")
    whole = Feed(loaded.split("train"), loaded.preparation, stream, "cpu", 0, "fit")
    shares = [Feed(part, mapped.preparation, stream, "cpu", 0, "fit", rank=rank, world=3) for rank in range(3)]
    for step in (2, 3, 4, 40, 41):
        expected, found = whole.batch(step), [share.batch(step) for share in shares]
        assert expected.y is not None
        assert torch.equal(torch.cat([batch.x for batch in found]), expected.x)
        assert torch.equal(torch.cat([batch.y for batch in found if batch.y is not None]), expected.y)
    for share in shares:
        share.close()
