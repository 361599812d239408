"""Every source becomes a checked dataset, and whatever is wrong is said in one sentence."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from latentia.data import SOURCES, Dataset, DataSettings, Feed, IndexStream, load
from latentia.errors import ConfigError, DataError, LatentiaError

HAS_MNIST = (Path(os.environ.get("LATENTIA_DATA_DIR", "/nowhere")) / "mnist" / "train-images-idx3-ubyte.gz").is_file()
needs_mnist = pytest.mark.skipif(not HAS_MNIST, reason="LATENTIA_DATA_DIR holds no mnist/")
RNG = np.random.default_rng(0)
WHOLE = DataSettings(validation=0.0, test_fraction=0.0)


def test_digits_that_lie_elsewhere(monkeypatch: pytest.MonkeyPatch):
    usual = load(WHOLE)
    monkeypatch.setattr("latentia.data.sources.find_spec", lambda name: None)
    assert load(WHOLE).fingerprint == usual.fingerprint


def test_digits():
    from sklearn.datasets import load_digits

    data = load(DataSettings())
    assert data.name == "digits"
    assert data.spec.describe() == "8 x 8 grey images, 8-bit, 10 classes"
    whole = load(WHOLE).split("train")
    reference: Any = load_digits()
    assert list(load(WHOLE).splits) == ["train"]
    x = load(WHOLE).preparation(whole.x)
    assert (x[:, 0] * 16 - torch.from_numpy(reference.images)).abs().max() <= 16 / 255 / 2 + 1e-6
    assert whole.y is not None and whole.y.tolist() == reference.target.tolist()


@needs_mnist
def test_mnist_is_read_quickly_and_stays_8_bit():
    start = time.perf_counter()
    data = load(DataSettings(source="mnist", validation=0.0))
    seconds = time.perf_counter() - start
    train, test = data.split("train"), data.split("test")
    assert (tuple(train.x.shape), tuple(test.x.shape)) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
    assert train.x.dtype == torch.uint8 and train.y is not None and test.y is not None
    assert train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]  # as printed in every tutorial
    assert test.y.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    mean = train.x.sum(dtype=torch.int64).item() / train.x.numel() / 255
    assert abs(mean - 0.1307) < 5e-5  # the constant with which everybody normalises
    assert data.notes == ()
    assert seconds < 3  # 0.3 s on an idle machine


@needs_mnist
def test_mnist_holds_out_a_validation_part():
    data = load(DataSettings(source="mnist"))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 57000, "valid": 3000, "test": 10000}
    assert data.fingerprint == load(DataSettings(source="mnist", validation=0.1)).fingerprint


# --- splitting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 7, 100])
def test_parts_are_disjoint_complete_and_never_empty(n):
    x = np.arange(n, dtype=np.float32)[:, None]
    data = load(DataSettings(), arrays=(x, np.arange(n)))
    joined = torch.cat([split.x[:, 0] for split in data.splits.values()])
    assert sorted(joined.tolist()) == list(range(n))
    assert all(len(split) > 0 for split in data.splits.values())
    for split in data.splits.values():
        assert split.y is not None
        assert split.y.tolist() == [data.spec.classes.index(str(int(v))) for v in split.x[:, 0]]
        assert split.x[:, 0].tolist() == sorted(split.x[:, 0].tolist())  # the order of the source
    expected = {1: ["train"], 2: ["train", "test"]}.get(n, ["train", "valid", "test"])
    assert list(data.splits) == expected
    assert len(data.notes) == 3 - len(expected)


def test_what_is_held_out_of_data_in_class_order_is_mixed(tmp_path):
    x, y = np.arange(300, dtype=np.float32)[:, None], np.repeat(np.array(["c", "a", "b"]), 100)
    data, again = (load(DataSettings(), arrays=(x, y)) for _ in range(2))
    for part in ("valid", "test"):
        held = data.split(part)
        assert held.y is not None and len(held.y[:12].unique()) == 3
        assert torch.equal(held.x, again.split(part).x)
        assert held.y.tolist() == [data.spec.classes.index(str(y[int(row)])) for row in held.x[:, 0]]
    train = data.split("train").x[:, 0]
    assert torch.equal(train, train.sort().values)
    assert sorted(int(v) for split in data.splits.values() for v in split.x[:, 0]) == list(range(300))
    np.save(tmp_path / "x.npy", x)
    mapped = load(DataSettings(memory="map"), arrays=(np.load(tmp_path / "x.npy", mmap_mode="r"), y))
    assert torch.equal(mapped.split("test").x[:][:, 0], data.split("test").x[:, 0].sort().values)


def test_pictures_of_a_test_folder_are_mixed(tmp_path):
    for part, count in (("train", 2), ("test", 20)):
        for label in ("cat", "dog"):
            (tmp_path / part / label).mkdir(parents=True)
            for i in range(count):
                value = np.full((4, 4), i + 100 * (label == "dog"), dtype=np.uint8)
                Image.fromarray(value).save(tmp_path / part / label / f"{i:02}.png")
    test = load(DataSettings(source=str(tmp_path), validation=0.0)).split("test")
    assert test.y is not None and len(test.y[:8].unique()) == 2
    assert test.y.tolist() == [int(value >= 100) for value in test.x[:, 0, 0, 0]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.array([[1.0, np.nan]])}, "mine.npz: x holds 1 value that is NaN"),
        ({"x": np.zeros((0, 4))}, "mine.npz: x is empty"),
        (
            {"x": np.zeros((3, 4)), "y": np.arange(2)},
            "mine.npz: the labels of the train part: there are 2 labels for 3",
        ),
    ],
)
def test_what_is_wrong_with_a_file_names_it(tmp_path, arrays, message):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=message):
        load(DataSettings(source=str(tmp_path / "mine.npz")))


def test_one_normal_class_is_said_as_one():
    x, y = RNG.random((40, 3)), np.arange(40) % 4
    (note,) = load(DataSettings(normal_classes=["3"]), arrays=(x, y)).notes
    assert note.startswith("only the class 3 is trained on") and "of normal and other samples together" in note


def test_the_split_depends_on_its_seed_alone():
    x = RNG.random((200, 3))

    def test_rows(**changes):
        return load(DataSettings(**changes), arrays=x).split("test").x

    assert torch.equal(test_rows(), test_rows(validation=0.3, scale="unit"))
    assert not torch.equal(test_rows(), test_rows(split_seed=1))


def test_a_single_sample_makes_a_training_part_only():
    data = load(DataSettings(), arrays=np.ones((1, 4)))
    with pytest.raises(DataError, match="it has: train"):
        data.split("test")
    assert "too few samples to hold out a test part" in data.notes[0]


def test_given_parts_are_used_as_they_are():
    parts = {"x": RNG.random((9, 2)), "x_test": RNG.random((4, 2)), "x_valid": RNG.random((3, 2)), "y_test": range(4)}
    data = load(DataSettings(), arrays=parts)
    assert [len(split) for split in data.splits.values()] == [9, 3, 4]
    assert data.split("train").y is None
    assert data.split("test").y is not None


PARTED = {"x": RNG.random((9, 2)), "x_valid": RNG.random((3, 2)), "x_test": RNG.random((4, 2))}


def without(*parts: str) -> dict[str, Any]:
    return {key: value for key, value in PARTED.items() if key not in parts}


@pytest.mark.parametrize(
    ("changes", "arrays", "key"),
    [
        ({"test_fraction": 0.3}, PARTED, "test_fraction"),
        ({"test_fraction": 0.0}, without("x_valid"), "test_fraction"),
        ({"split_seed": 1}, PARTED, "split_seed"),
        ({"split_seed": 1, "validation": 0.0}, without("x_valid"), r"split_seed.*use --set data\.validation=0\.1"),
        ({"split_seed": 1, "test_fraction": 0.0}, without("x_test"), r"split_seed.*use --set data\.test_fraction=0\.1"),
        ({"split_seed": 1, "test_fraction": 0.0, "validation": 0.0}, without("x_test", "x_valid"), "split_seed.* or "),
        ({"layout": "channels-last"}, RNG.random((9, 2)), r"layout.* \(9 x 2\)"),
        ({"layout": "channels-first"}, {"x": RNG.random((9, 4, 4)), "x_test": RNG.random((2, 4, 4))}, "layout"),
    ],
)
def test_settings_without_effect_are_refused(changes, arrays, key):
    with pytest.raises(ConfigError, match=rf"data\.{key}.*(leave it out|use --set data\.layout=auto)"):
        load(DataSettings(**changes), arrays=arrays)


@pytest.mark.parametrize(
    ("changes", "arrays"),
    [
        ({"test_fraction": 0.3, "split_seed": 1, "validation": 0.0}, without("x_test")),
        ({"split_seed": 1}, without("x_valid")),
        ({"split_seed": 1, "validation": 0.0}, without("x_test")),
        ({"split_seed": 1}, np.ones((1, 4))),  # nothing can be held out, which a note says
        ({"layout": "channels-last"}, {"x": RNG.random((9, 4, 4, 1)), "x_test": RNG.random((2, 4, 4))}),
    ],
)
def test_settings_that_some_part_needs_are_accepted(changes, arrays):
    check(load(DataSettings(**changes), arrays=arrays))


@pytest.mark.parametrize(
    ("source", "changes", "key"),
    [
        ("digits", {"layout": "channels-first"}, "layout"),
        ("mnist", {"layout": "channels-last"}, "layout"),
        ("mnist", {"test_fraction": 0.3}, "test_fraction"),
        ("mnist", {"split_seed": 1, "validation": 0.0}, "split_seed"),
    ],
)
def test_settings_without_effect_on_named_sets_are_refused_before_a_download(source, changes, key, monkeypatch):
    def unreachable(*args: object, **options: object) -> None:
        raise AssertionError("the files were asked for")

    monkeypatch.setattr("latentia.data.files.read", unreachable)
    with pytest.raises(ConfigError, match=rf"data\.{key}"):
        load(DataSettings(source=source, **changes))


def test_a_validation_fraction_that_is_not_needed_is_noted():
    assert load(DataSettings(), arrays=PARTED).notes == load(DataSettings(validation=0.0), arrays=PARTED).notes == ()
    (note,) = load(DataSettings(validation=0.3), arrays=PARTED).notes
    assert "data.validation is not used" in note


# --- what x becomes --------------------------------------------------------------------------------------------------


def batch(data: Dataset, size: int = 16) -> torch.Tensor:
    train = data.split("train")
    return Feed(train, data.preparation, IndexStream(len(train), size, 0, "fit"), "cpu", 0, "fit").batch(0).x


@pytest.mark.parametrize(
    ("changes", "levels", "binary", "dequantized"),
    [
        ({}, 256, False, False),
        ({"binarize": "threshold"}, 2, True, False),
        ({"binarize": "dynamic"}, 2, True, False),
        ({"binarize": "static"}, 2, True, False),
        ({"binarize": "dynamic", "scale": "unit"}, 2, True, False),
        ({"dequantize": True}, 256, False, True),
        ({"scale": "standard"}, None, False, False),
    ],
)
def test_the_spec_says_what_the_model_sees(changes, levels, binary, dequantized):
    data = load(DataSettings(**changes))
    x = batch(data, 500)
    assert x.dtype == torch.float32
    assert (data.spec.levels, data.spec.binary, data.spec.dequantized) == (levels, binary, dequantized)
    assert data.spec.low <= x.min() and x.max() <= data.spec.high
    assert binary == (len(x.unique()) == 2)
    if changes.get("scale") == "standard":
        assert data.spec.low < 0 and data.spec.high > 1
    else:
        assert (data.spec.low, data.spec.high) == (0.0, 1.0)


def test_unit_scaling_of_data_that_fill_0_to_255_changes_nothing():
    plain, scaled = load(DataSettings()), load(DataSettings(scale="unit"))
    assert scaled.spec == plain.spec
    assert torch.equal(batch(scaled), batch(plain))


def test_static_binarisation_is_drawn_once_and_is_bernoulli():
    x = np.full((400, 50), 64, np.uint8)
    a = load(DataSettings(binarize="static"), arrays=x)
    assert torch.equal(a.split("train").x, load(DataSettings(binarize="static"), arrays=x).split("train").x)
    other = load(DataSettings(binarize="static", binarize_seed=1), arrays=x)
    assert not torch.equal(a.split("train").x, other.split("train").x)
    assert other.fingerprint == a.fingerprint
    p, drawn = 64 / 255, torch.cat([split.x for split in a.splits.values()]).double()
    assert abs(drawn.mean().item() - p) < 4 * np.sqrt(p * (1 - p) / drawn.numel())


def test_boolean_and_0_1_data_are_binary():
    bits = RNG.random((10, 4)) < 0.5
    for array in (bits, bits.astype(np.uint8)):
        data = load(WHOLE, arrays=array)
        assert data.spec.binary and data.spec.levels == 2
        assert torch.equal(data.preparation(data.split("train").x), torch.from_numpy(bits.astype(np.float32)))
    assert load(WHOLE, arrays=np.zeros((3, 4), np.uint8)).spec.levels == 256  # black images


def test_other_integers_keep_their_values():
    data = load(WHOLE, arrays=np.array([[0, 255]], np.int32))
    assert data.spec.levels is None
    assert data.preparation(data.split("train").x).tolist() == [[0.0, 255.0]]
    assert (data.spec.low, data.spec.high) == (0.0, 255.0)


def test_scaling_uses_the_training_part_alone():
    x, outlier = RNG.random((50, 2)), np.full((5, 2), 100.0)
    data = load(DataSettings(scale="unit", validation=0.0), arrays={"x": x, "x_test": outlier})
    train = data.preparation(data.split("train").x)
    assert train.min() == 0 and abs(train.max() - 1) < 1e-6
    assert data.spec.high > 90  # and the range is that of all parts


@pytest.mark.parametrize("shape", [(5, 2), (5, 1, 2, 2)])
@pytest.mark.parametrize("huge", [1e30, -1e30])
def test_a_finite_value_whose_square_overflows_is_accepted(shape, huge):
    x, test = RNG.random((50, *shape[1:])), RNG.random(shape)
    test.reshape(-1)[3] = huge
    arrays = {"x": x, "x_test": test}
    plain = load(DataSettings(), arrays=arrays)
    check(plain)
    assert (plain.spec.low, plain.spec.high) == pytest.approx(
        (min(huge, float(x.min()), float(test.min())), max(huge, float(x.max()), float(test.max()))), rel=1e-6
    )
    assert plain.spec.levels is None
    for scale in ("unit", "standard"):
        scaled = load(DataSettings(scale=scale, validation=0.0), arrays=arrays)
        check(scaled)
        if scale == "standard":
            axes = tuple(axis for axis in range(x.ndim) if axis != 1)
            channel = 1 if len(shape) == 2 else 0
            expected = (huge - x.mean(axes)[channel]) / x.std(axes)[channel]
        else:
            column = x[:, 1] if len(shape) == 2 else x
            expected = (huge - column.min()) / (column.max() - column.min())
        assert (scaled.spec.high if huge > 0 else scaled.spec.low) == pytest.approx(expected, rel=1e-5)
        assert -20 < (scaled.spec.low if huge > 0 else scaled.spec.high) < 20


@pytest.mark.parametrize(
    "changes",
    [
        {"binarize": "dynamic", "dequantize": True},
        {"binarize": "threshold", "scale": "standard"},
        {"binarize": "static", "scale": "unit"},
        {"dequantize": True, "scale": "unit"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes):
    with pytest.raises(ConfigError, match=r"data\."):
        load(DataSettings(**changes))


def test_binarising_values_outside_0_to_1_is_refused():
    x = RNG.random((10, 2)) * 3
    for binarize in ("dynamic", "static", "threshold"):
        with pytest.raises(ConfigError, match=r"--set data\.scale=unit"):
            load(DataSettings(binarize=binarize), arrays=x)
    assert load(DataSettings(binarize="dynamic", scale="unit"), arrays=x).spec.binary


def test_the_fingerprint_follows_the_content():
    x = RNG.random((10, 2)).astype(np.float32)
    fingerprint = load(DataSettings(), arrays=x).fingerprint
    assert load(DataSettings(split_seed=3, scale="unit"), arrays=x.copy()).fingerprint == fingerprint
    changed = x.copy()
    changed[3, 1] += 1e-6
    others = [changed, x.reshape(5, 4), x.astype(np.float64) * 2, (x, np.zeros(10, int)), {"x": x[:9], "x_test": x[9:]}]
    assert fingerprint not in [load(DataSettings(), arrays=other).fingerprint for other in others]


def test_the_input_is_neither_changed_nor_kept():
    x = RNG.random((10, 2)).astype(np.float32)
    kept = x.copy()
    data = load(WHOLE, arrays=x)
    data.split("train").x.zero_()
    np.testing.assert_array_equal(x, kept)


# --- names and files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"), [("mnsit", "mnist"), ("MNIST", "mnist"), ("fashion_mnist", "fashion-mnist")]
)
def test_misspelt_sources_get_a_suggestion(word, meant):
    with pytest.raises(ConfigError, match=f"Did you mean '{meant}'"):
        load(DataSettings(source=word))


@pytest.mark.parametrize("word", ["", "x" * 5000, "a\0b", "~nobody-of-this-name"])
def test_odd_source_names(word):
    with pytest.raises(ConfigError, match="no data source"):
        load(DataSettings(source=word))


@pytest.mark.parametrize(
    "path", ["a" * 5000 + ".npy", "a" * 300 + ".NPZ", "~nobody-of-this-name/x.npy", "~a\0b/x.npy", "a\0.npy", "b\n.npy"]
)
def test_odd_paths(path):
    for use in (lambda: load(DataSettings(source=path)), lambda: load(DataSettings(source="mnist"), data_dir=path)):
        with pytest.raises(DataError, match=r"there is no file|which is not a folder") as caught:
            use()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_all_names_are_listed():
    assert SOURCES[:3] == ("digits", "mnist", "fashion-mnist")
    assert len(SOURCES) == 11


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(DataError, match="no file"):
        load(DataSettings(source=str(tmp_path / "none.npy")))
    with pytest.raises(DataError, match="no pictures in the folder"):
        load(DataSettings(source=str(tmp_path)))
    (tmp_path / "a.txt").write_text("1,2")
    with pytest.raises(DataError, match=r"numpy\.save"):
        load(DataSettings(source=str(tmp_path / "a.txt")))


def test_npy(tmp_path):
    x = RNG.integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)
    np.save(tmp_path / "photos.npy", x)
    data = load(DataSettings(source=str(tmp_path / "photos.npy"), validation=0, test_fraction=0))
    assert data.name == "photos.npy"
    assert data.spec.describe() == "6 x 5 colour images, 8-bit"
    assert torch.equal(data.split("train").x, torch.from_numpy(x).permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    "names",
    [
        ("x", "y", "x_test", "y_test"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_npz_with_the_usual_names(tmp_path, names):
    arrays: dict[str, Any] = dict(
        zip(names, (RNG.random((8, 3)), np.arange(8) % 2, RNG.random((4, 3)), np.arange(4) % 2), strict=True)
    )
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    data = load(DataSettings(source=str(tmp_path / "a.npz"), validation=0.0))
    assert [len(split) for split in data.splits.values()] == [8, 4]
    assert data.spec.classes == ("0", "1")


def test_npz_with_one_array_and_with_unused_ones(tmp_path):
    np.savez(tmp_path / "one.npz", RNG.random((8, 3)))
    assert load(DataSettings(source=str(tmp_path / "one.npz"))).spec.event_shape == (3,)
    np.savez(tmp_path / "more.npz", x=RNG.random((8, 3)), x_tset=RNG.random((8, 3)), meta=np.array({"a": 1}))
    data = load(DataSettings(source=str(tmp_path / "more.npz")))
    assert any("x_tset" in note and "x_test" in note for note in data.notes)
    assert any("meta" in note for note in data.notes)
    np.savez(tmp_path / "none.npz", a=np.ones(3), b=np.ones(3))
    with pytest.raises(DataError, match="a, b and no 'x'"):
        load(DataSettings(source=str(tmp_path / "none.npz")))
    np.savez(tmp_path / "two.npz", x=np.ones((2, 2)), x_train=np.ones((2, 2)))
    with pytest.raises(DataError, match="several arrays that mean 'x'"):
        load(DataSettings(source=str(tmp_path / "two.npz")))


class Danger:
    """Whatever unpickles this creates a file."""

    path = ""

    def __reduce__(self):
        return (open, (Danger.path, "w"))


def test_nothing_is_unpickled(tmp_path):
    Danger.path = str(tmp_path / "harm")
    np.save(tmp_path / "a.npy", np.array([Danger()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([Danger()], dtype=object), allow_pickle=True)
    for name in ("a.npy", "b.npz"):
        with pytest.raises(DataError, match="unpickled"):
            load(DataSettings(source=str(tmp_path / name)))
    assert not (tmp_path / "harm").exists()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["npy", "npz"]), data=st.data())
def test_truncated_and_damaged_files_are_refused_or_read(tmp_path, kind, data):
    path = tmp_path / f"a.{kind}"
    if kind == "npy":
        np.save(path, np.ones((5, 4)))
    else:
        np.savez_compressed(path, x=np.ones((5, 4)), y=np.arange(5))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's about odd headers
        refusal = refused(lambda: load(DataSettings(source=str(path))))
    assert "\n" not in str(refusal)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": [1]}, "no array 'x'"),
        ({}, "no array 'x'"),
        ({"x": np.ones((2, 2)), "labes": [1, 2]}, "Did you mean 'labels'"),
        ({"x": np.ones((2, 2)), 3: [1, 2]}, "an array '3'"),
        ({"x": np.ones((2, 2)), "y_test": [1, 2]}, "give x_test too"),
        ({"x": np.ones((2, 2)), "x_test": np.ones((2, 3))}, "different shapes"),
        ({"x": np.ones((2, 2)), "x_test": np.ones((2, 2), np.uint8)}, "different types"),
        ((np.ones((2, 2)), [1, 2], 3), "a dict"),
        ((), "a dict"),
        (np.ones(4), "reshape"),
        (np.ones((2, 2, 2, 2, 2)), "flatten"),
        ("mnist", "single number"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(arrays, message):
    with pytest.raises(DataError, match=message):
        load(DataSettings(), arrays=arrays)


# --- anything at all -------------------------------------------------------------------------------------------------

DTYPES = st.one_of(
    hnp.scalar_dtypes(),
    hnp.array_dtypes(),
    st.sampled_from([np.dtype(t) for t in "?bBhHiIlLqQefdgFDO"]),
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "binarize": st.sampled_from(["none", "threshold", "dynamic", "static"]),
        "dequantize": st.booleans(),
        "scale": st.sampled_from(["none", "unit", "standard"]),
        "validation": st.sampled_from([0.0, 0.05, 0.99]),
        "test_fraction": st.sampled_from([0.0, 0.2, 0.99]),
        "layout": st.sampled_from(["auto", "channels-first", "channels-last"]),
        "threshold": st.floats(0, 1, exclude_max=True),
    },
)


def refused(use: Callable[[], object]) -> LatentiaError | None:
    """Return how something was refused, if it was; any other exception is an error."""
    try:
        use()
    except (DataError, ConfigError) as error:
        return error
    return None


def check(data: Dataset) -> None:
    """A dataset that was accepted works to the end."""
    assert all(len(split) > 0 for split in data.splits.values())
    for split in data.splits.values():
        assert split.x.dtype in (torch.uint8, torch.float32)
        assert tuple(split.x.shape[1:]) == data.spec.event_shape
        x = data.preparation(split.x, torch.rand(split.x.shape))
        assert torch.isfinite(x).all()
        slack = 1e-5 * (abs(data.spec.low) + abs(data.spec.high))
        assert data.spec.low - slack <= x.min() and x.max() <= data.spec.high + slack
    assert torch.isfinite(batch(data, 5)).all()
    assert data.spec.describe() and type(data.spec).from_json(data.spec.to_json()) == data.spec
    assert type(data.preparation).from_json(data.preparation.to_json()) == data.preparation


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), changes=CHANGES)
def test_any_array_works_or_is_refused(data, changes):
    dtype = data.draw(DTYPES)
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5))
    if dtype.kind == "O":
        x = np.empty(shape, object)
    else:
        x = data.draw(hnp.arrays(dtype, shape))
    y = data.draw(st.one_of(st.none(), hnp.arrays(DTYPES.filter(lambda t: np.dtype(t).kind != "O"), shape[:1])))
    refused(lambda: check(load(DataSettings(**changes), arrays=(x, y))))


@settings(deadline=None, max_examples=300)
@given(
    x=hnp.arrays(
        st.sampled_from([np.dtype(t) for t in "?Bhqefd"]),
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements=None,
        fill=st.nothing(),
    ).filter(lambda a: np.isfinite(a).all()),
    changes=CHANGES,
)
def test_finite_numbers_work_or_are_refused_for_a_reason(x, changes):
    def use() -> None:
        dataset = load(DataSettings(**changes), arrays=x)
        check(dataset)
        if x.ndim < 4:
            assert tuple(dataset.preparation.adopt(x, dataset.spec).shape) == (len(x), *dataset.spec.event_shape)

    refusal = refused(use)
    if isinstance(refusal, DataError):
        assert "32" in str(refusal)  # beyond float32, as given or when scaled


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["x", "y", "x_test", "y_test", "x_valid", "y_valid"]), st.integers(0, 3)))
def test_any_combination_of_parts_works_or_is_refused(sizes):
    arrays = {key: np.ones((n, 2)) if key[0] == "x" else np.ones(n, int) for key, n in sizes.items()}
    refused(lambda: check(load(DataSettings(), arrays=arrays)))
