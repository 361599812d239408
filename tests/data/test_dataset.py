"""Specs say what they mean and survive JSON."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.preparation import Preparation
from latentia.errors import DataError


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (DataSpec((1, 28, 28), 256, classes=tuple("0123456789")), "28 x 28 grey images, 8-bit, 10 classes"),
        (DataSpec((3, 32, 24), 256), "32 x 24 colour images, 8-bit"),
        (DataSpec((2, 5, 6), None, -1.0, 2.5), "5 x 6 2-channel images, values in [-1, 2.5]"),
        (DataSpec((64,), None, 0.0, 1.0, classes=("a",)), "vectors of 64 values, values in [0, 1], 1 class"),
        (DataSpec((1,), 2, binary=True), "vectors of 1 value, binary"),
        (DataSpec((1, 8, 8), 256, dequantized=True), "8 x 8 grey images, 8-bit, dequantised"),
    ],
)
def test_describe(spec, text):
    assert spec.describe() == text


def test_dimensions_and_kind():
    assert DataSpec((3, 4, 5)).dimensions == 60
    assert DataSpec((3, 4, 5)).is_image
    assert DataSpec((7,)).dimensions == 7
    assert not DataSpec((7,)).is_image


@given(
    st.builds(
        DataSpec,
        st.one_of(st.tuples(st.integers(1, 9)), st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))),
        st.one_of(st.none(), st.integers(2, 256)),
        st.floats(-1e30, 1e30),
        st.floats(-1e30, 1e30),
        st.booleans(),
        st.booleans(),
        st.lists(st.text(max_size=5)).map(tuple),
    )
)
def test_json_round_trip(spec):
    assert DataSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    "bad", [{}, {"event_shape": []}, {"event_shape": 3}, {"event_shape": [0]}, {"shape": [3]}, {"event_shape": ["a"]}]
)
def test_foreign_json_is_refused(bad):
    with pytest.raises(DataError):
        DataSpec.from_json(bad)


def test_missing_part_names_those_there_are():
    split = Split(torch.zeros(2, 3))
    data = Dataset("cats", DataSpec((3,)), Preparation(), {"train": split}, "0", ())
    assert data.split("train") is split
    assert len(split) == 2
    with pytest.raises(DataError, match=r"cats has no 'test' part \(it has: train\)"):
        data.split("test")
