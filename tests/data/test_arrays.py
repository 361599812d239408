"""Arrays of every kind are converted as documented or refused with a remedy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latentia.data.arrays import arrange, as_stored, encode_labels, number_labels
from latentia.errors import DataError


@pytest.mark.parametrize(
    ("array", "dtype", "levels"),
    [
        (np.array([[0, 255]], np.uint8), np.uint8, 256),
        (np.array([[True, False]]), np.uint8, 2),
        (np.array([[0, 255]], np.int64), np.float32, None),
        (np.array([[0, 255]], np.uint16), np.float32, None),
        (np.array([[-3, 3]], np.int8), np.float32, None),
        (np.array([[0.5, 2]], np.float16), np.float32, None),
        (np.array([[0.5, 2]], np.float64), np.float32, None),
        (np.array([[0.5, 2]], ">f4"), np.float32, None),
        (np.array([[0.5, 2]], np.longdouble), np.float32, None),
        (torch.tensor([[0.5, 2]], dtype=torch.bfloat16), np.float32, None),
        (torch.tensor([[0.5, 2]], requires_grad=True), np.float32, None),
        ([[1, 2], [3, 4]], np.float32, None),
    ],
)
def test_types(array, dtype, levels):
    stored = as_stored(array, "x")
    assert stored.values.dtype == dtype
    assert stored.levels == levels
    expected = array.detach().float().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
    np.testing.assert_array_equal(stored.values, expected)
    assert stored.values.flags.c_contiguous and stored.values.flags.writeable and stored.values.dtype.isnative


def test_nothing_is_shared_with_what_was_given():
    for array in (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.float32), np.zeros((2, 3), bool)):
        as_stored(array, "x").values[:] = 1
        assert not array.any()


def test_whole_numbers_that_float32_rounds_are_noted():
    assert "2^24" in as_stored(np.array([[2**24 + 1]]), "x").notes[0]
    assert "2^24" in as_stored(np.array([[-(2**63)]]), "x").notes[0]
    assert not as_stored(np.array([[2**24]]), "x").notes


RECORDS = np.zeros(3, dtype=[("a", float), ("b", int)])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[1.0, np.nan], [1, 1]]), "holds 1 value that is NaN or infinite .* sample 0"),
        (np.array([[1.0, np.nan], [np.inf, 1]]), "2 values that are NaN or infinite .* sample 0"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros((3, 0)), "empty"),
        (np.float64(3.0), "single number"),
        (3, "single number"),
        (None, "single number"),
        (np.array([[1, "a"]], dtype=object), "not of real numbers"),
        (np.array([["a"]]), "not of real numbers"),
        (np.zeros((2, 2), complex), "imaginary"),
        (np.zeros((2, 2), "datetime64[s]"), "not of real numbers"),
        (RECORDS, "columns"),
        ([[1, 2], [3]], "cannot be read as an array"),
        (np.array([[1e39]]), "beyond the range of float32"),
        (np.array([[-1e300]]), "beyond the range of float32"),
        ([[10**400]], "not of real numbers"),
        (np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]), "masked"),
        (torch.zeros(2, 2).to_sparse(), "sparse"),
        (torch.zeros(2, 2, device="meta"), "cannot be read as an array"),
        (torch.zeros(2, 2, dtype=torch.complex64), "imaginary"),
    ],
)
def test_what_cannot_be_used_is_refused(array, message):
    with pytest.raises(DataError, match=message):
        as_stored(array, "x")


def test_an_object_that_raises_when_asked_is_refused():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise KeyError("broken")

    with pytest.raises(DataError, match="broken"):
        as_stored(Broken(), "x")


@pytest.mark.parametrize(
    ("shape", "layout", "expected", "noted"),
    [
        ((5, 7), "auto", (5, 7), False),
        ((5, 8, 9), "auto", (5, 1, 8, 9), False),
        ((5, 1, 8, 9), "auto", (5, 1, 8, 9), False),
        ((5, 8, 9, 1), "auto", (5, 1, 8, 9), False),
        ((5, 3, 8, 9), "auto", (5, 3, 8, 9), False),
        ((5, 8, 9, 3), "auto", (5, 3, 8, 9), False),
        ((5, 4, 4, 3), "auto", (5, 3, 4, 4), False),
        ((5, 8, 9, 4), "auto", (5, 4, 8, 9), False),
        ((5, 3, 8, 3), "auto", (5, 3, 8, 3), True),
        ((5, 8, 9, 7), "auto", (5, 8, 9, 7), True),
        ((5, 3, 8, 3), "channels-last", (5, 3, 3, 8), False),
        ((5, 3, 8, 3), "channels-first", (5, 3, 8, 3), False),
    ],
)
def test_layouts(shape, layout, expected, noted):
    values, notes = arrange(np.zeros(shape, np.float32), layout, "x")
    assert values.shape == expected
    assert bool(notes) == noted


def test_channels_last_is_transposed_not_reshaped():
    values = np.random.default_rng(0).random((2, 4, 5, 3))
    arranged, _ = arrange(values, "auto", "x")
    assert arranged[1, 2, 3, 4] == values[1, 3, 4, 2]


@pytest.mark.parametrize("shape", [(5,), (1, 2, 3, 4, 5)])
def test_too_few_or_many_axes(shape):
    with pytest.raises(DataError, match=r"ax[ei]s"):
        arrange(np.zeros(shape), "auto", "x")


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (np.array([3, 1, 3]), [1, 0, 1], ("1", "3")),
        (np.array([[3], [1], [3]], np.uint8), [1, 0, 1], ("1", "3")),
        (np.array([True, False, True]), [1, 0, 1], ("False", "True")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (np.array(["b", "a", "b"], dtype=object), [1, 0, 1], ("a", "b")),
        (np.array(["b", "a", "b"], dtype=np.dtypes.StringDType()), [1, 0, 1], ("a", "b")),
        (torch.tensor([10, 2, 10]), [1, 0, 1], ("2", "10")),
        (np.array([2**64 - 1, 0, 1], np.uint64), [2, 0, 1], ("0", "1", str(2**64 - 1))),
    ],
)
def test_labels(labels, numbers, classes):
    encoded, names = encode_labels({"train": labels}, {"train": 3})
    assert encoded["train"].tolist() == numbers
    assert encoded["train"].dtype == torch.int64
    assert names == classes


def test_all_parts_share_the_classes():
    encoded, names = encode_labels(
        {"train": np.array([5, 7]), "test": np.array([2**63], np.uint64)}, {"train": 2, "test": 1}
    )
    assert names == ("5", "7", str(2**63))
    assert encoded["test"].tolist() == [2]
    assert encode_labels({}, {}) == ({}, ())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2], "2 labels for 3 samples"),
        (np.array([1.0, np.nan, 2.0]), "NaN"),
        (np.array([1.0, 2.0, 3.0]), r"astype\(int\)"),
        (np.zeros((3, 2), int), "one label per sample"),
        (7, "one label per sample"),
        (np.array(["a", None, "b"], dtype=object), "missing"),
        (np.array([1, 2, 3], dtype=object), "whole numbers or strings"),
        (np.zeros(3, complex), "whole numbers or strings"),
        (np.zeros(3, "datetime64[D]"), "whole numbers or strings"),
        (np.zeros(3, [("a", int)]), "whole numbers or strings"),
        (np.array([b"a", b"b", b"c"]), "whole numbers or strings"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        encode_labels({"train": labels}, {"train": 3})


def test_labels_of_different_types_are_refused():
    with pytest.raises(DataError, match="different types"):
        encode_labels({"train": ["a"], "test": [1]}, {"train": 1, "test": 1})


def test_labels_are_numbered_by_known_classes():
    assert number_labels(["b", "a", "b"], ("a", "b", "c"), 3, "the labels").tolist() == [1, 0, 1]
    assert number_labels(np.array([[10], [-2]]), ("-2", "9", "10"), 2, "the labels").tolist() == [2, 0]
    parts = {"train": np.array([7, 3, 5]), "test": np.array([5, 7])}
    numbered, classes = encode_labels(parts, {"train": 3, "test": 2})
    assert number_labels(parts["test"], classes, 2, "the labels").tolist() == numbered["test"].tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 1], "2 labels for 3"), ([0, 1, 2], "'2' among them"), ([0.0, 1.0, 1.0], "astype"), (["a", "0", "1"], "'a'")],
)
def test_labels_that_do_not_fit_known_classes_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        number_labels(labels, ("0", "1"), 3, "the labels")
