"""The mapping from stored values to x, against NumPy."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentia.data import DataSettings, load
from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation, fit_preparation
from latentia.errors import ConfigError, DataError

ALL_BYTES = torch.arange(256, dtype=torch.uint8).reshape(2, 128)


def test_eight_bit_values_are_exactly_k_over_255():
    x = Preparation(levels=256)(ALL_BYTES)
    assert x.dtype == torch.float32
    assert torch.equal(x, torch.from_numpy((np.arange(256) / 255).astype(np.float32)).reshape(2, 128))


def test_real_numbers_are_left_as_they_are():
    x = torch.randn(3, 4)
    assert torch.equal(Preparation()(x), x)
    assert not Preparation().needs_noise


def test_binary_data_become_zero_and_one():
    assert Preparation(levels=2)(torch.tensor([[0, 1]], dtype=torch.uint8)).tolist() == [[0.0, 1.0]]


def test_threshold_is_strict():
    x = Preparation(binarize="threshold", threshold=0.5)(torch.tensor([[0.0, 0.5, 0.5001, 1.0]]))
    assert x.tolist() == [[0.0, 0.0, 1.0, 1.0]]


def test_dynamic_binarisation_is_bernoulli_with_the_grey_value():
    preparation = Preparation(levels=256, binarize="dynamic")
    assert preparation.needs_noise
    stored = torch.tensor([0, 51, 128, 255], dtype=torch.uint8).repeat(20000, 1)
    x = preparation(stored, torch.rand(stored.shape, generator=torch.Generator().manual_seed(0)))
    assert set(x.unique().tolist()) == {0.0, 1.0}
    p = np.array([0, 51, 128, 255]) / 255
    error = np.sqrt(p * (1 - p) / 20000)
    assert (np.abs(x.mean(0).numpy() - p) <= 4 * error).all()  # exact at 0 and 1


def test_dequantised_data_fill_their_level_uniformly():
    preparation = Preparation(levels=256, dequantize=True)
    noise = torch.rand(ALL_BYTES.shape, generator=torch.Generator().manual_seed(0))
    x = preparation(ALL_BYTES, noise)
    np.testing.assert_allclose(x.numpy(), (np.arange(256).reshape(2, 128) + noise.numpy()) / 256, rtol=1e-6)
    assert torch.equal((x * 256).floor().clamp(max=255).to(torch.uint8), ALL_BYTES)
    # the same values given as float32 in [0, 1]
    torch.testing.assert_close(preparation(ALL_BYTES / 255, noise), x)


def test_the_result_is_a_pure_function_and_inputs_are_not_changed():
    stored, noise = ALL_BYTES.clone(), torch.rand(2, 128)
    kept = noise.clone()
    for preparation in (
        Preparation(levels=256),
        Preparation(levels=256, offset=0.2, factor=3.0),
        Preparation(levels=256, binarize="dynamic"),
        Preparation(levels=256, dequantize=True),
    ):
        assert torch.equal(preparation(stored, noise), preparation(stored, noise))
    assert torch.equal(stored, ALL_BYTES)
    assert torch.equal(noise, kept)


def test_noise_must_be_given_where_it_is_needed():
    with pytest.raises(AssertionError, match="noise"):
        Preparation(levels=256, dequantize=True)(ALL_BYTES)


@pytest.mark.parametrize("shape", [(40, 3), (40, 3, 4, 5)])
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_standard_scaling_gives_mean_0_and_deviation_1_per_feature_or_channel(shape, kind):
    x = np.random.default_rng(0).integers(0, 256, shape)
    x = x.astype(np.uint8) if kind == "uint8" else (x * 0.37 - 5).astype(np.float32)
    preparation = fit_preparation(DataSettings(scale="standard"), x, 256 if kind == "uint8" else None)
    scaled = preparation(torch.from_numpy(x)).double().numpy()
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    np.testing.assert_allclose(scaled.mean(axes), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axes), 1, atol=1e-5)
    back = preparation.restore(preparation(torch.from_numpy(x))).numpy()
    np.testing.assert_allclose(back, x / 255 if kind == "uint8" else x, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", ["none", "unit", "standard"])
@pytest.mark.parametrize("shape", [(30, 3), (30, 1), (30, 3, 4, 5), (30, 1, 4, 5)])
@pytest.mark.parametrize("levels", [None, 2, 256])
def test_restoring_undoes_the_scaling(scale, shape, levels):
    source = np.random.default_rng(2)
    if levels is None:
        x = (source.normal(size=shape) * 40 + 200).astype(np.float32)
        x[:, 0] = 273.15 if shape[1] > 1 else x[:, 0]  # a feature or channel that does not vary
        expected = x
    else:
        x = source.integers(0, levels, shape).astype(np.uint8)
        expected = (x / (levels - 1)).astype(np.float32)
    preparation = fit_preparation(DataSettings(scale=scale), x, levels)
    prepared = preparation(torch.from_numpy(x))
    kept = prepared.clone()
    back = preparation.restore(prepared)
    assert torch.equal(prepared, kept)
    assert back.dtype == torch.float32 and back.shape == shape
    np.testing.assert_allclose(back.numpy(), expected, rtol=1e-6, atol=2e-7 * float(np.abs(expected).max()))
    if scale == "standard":  # a sample of a single row, one standard deviation above the mean
        mean, deviation = (
            getattr(expected, name)(axis=tuple(a for a in range(x.ndim) if a != 1), dtype=np.float64)
            for name in ("mean", "std")
        )
        row = preparation.restore(torch.ones(1, *shape[1:])).double().numpy()
        wanted = mean + np.where(deviation > 1e-4, deviation, 1.0)
        np.testing.assert_allclose(row, np.broadcast_to(wanted.reshape(-1, *[1] * (x.ndim - 2)), row.shape), rtol=1e-5)


@pytest.mark.parametrize("binarize", ["threshold", "dynamic"])
def test_what_was_binarised_has_no_way_back(binarize):
    x = np.random.default_rng(0).random((9, 2)).astype(np.float32) * 7
    preparation = fit_preparation(DataSettings(binarize=binarize, scale="unit"), x, None)
    bits = preparation(torch.from_numpy(x), torch.full(x.shape, 0.5))
    assert torch.equal(preparation.restore(bits), bits)


def test_unit_scaling_is_per_feature_for_vectors_and_global_for_images():
    vectors = np.array([[0, 10], [4, 30], [2, 20]], dtype=np.float32)
    x = fit_preparation(DataSettings(scale="unit"), vectors, None)(torch.from_numpy(vectors))
    np.testing.assert_allclose(x.numpy(), [[0, 0], [1, 1], [0.5, 0.5]], atol=1e-6)
    images = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 5.0)]).astype(np.float32)[None]
    x = fit_preparation(DataSettings(scale="unit"), images, None)(torch.from_numpy(images))
    np.testing.assert_allclose(x.numpy(), (images - 1) / 4, atol=1e-6)


@pytest.mark.parametrize("scale", ["unit", "standard"])
@pytest.mark.parametrize("value", [0.0, 0.1, -3e38, 1e-45, 12345.678])
def test_constant_features_become_zero(scale, value):
    x = np.full((7, 2), value, dtype=np.float32)
    preparation = fit_preparation(DataSettings(scale=scale), x, None)
    assert preparation.factor == (1.0, 1.0)
    assert torch.equal(preparation(torch.from_numpy(x)), torch.zeros(7, 2))


def test_a_spread_that_float32_cannot_invert_is_refused():
    x = np.array([[0.0], [1e-45]], dtype=np.float32)
    with pytest.raises(DataError, match="varies too little"):
        fit_preparation(DataSettings(scale="standard"), x, None)


def test_dequantising_real_numbers_is_refused():
    with pytest.raises(ConfigError, match="8-bit"):
        fit_preparation(DataSettings(dequantize=True), np.zeros((2, 2), np.float32), None)


def test_scaling_works_in_training_after_it_was_used_in_inference_mode():
    preparation = Preparation(offset=(1.0, 2.0), factor=(3.0, 4.0))
    with torch.inference_mode():
        preparation(torch.zeros(2, 2))
    x = torch.ones(2, 2, requires_grad=True)
    preparation.restore(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([[1 / 3, 1 / 4]] * 2))


@given(
    st.builds(
        Preparation,
        levels=st.one_of(st.none(), st.integers(2, 256)),
        offset=st.one_of(st.floats(-9, 9), st.lists(st.floats(-9, 9), min_size=1).map(tuple)),
        factor=st.one_of(st.floats(-9, 9), st.lists(st.floats(-9, 9), min_size=1).map(tuple)),
        binarize=st.sampled_from(["none", "threshold", "dynamic", "static"]),
        threshold=st.floats(0, 1),
        dequantize=st.booleans(),
        binarize_seed=st.integers(),
        within_unit=st.booleans(),
    )
)
def test_json_round_trip(preparation):
    assert Preparation.from_json(json.loads(json.dumps(preparation.to_json()))) == preparation


@pytest.mark.parametrize(
    "bad", [{"level": 3}, {"levels": "a"}, {"binarize": "x"}, {"offset": "x"}, {"offset": None}, {"factor": [None]}]
)
def test_foreign_json_is_refused(bad):
    with pytest.raises(DataError):
        Preparation.from_json(bad)


# --- new data --------------------------------------------------------------------------------------------------------

GREY, COLOUR = DataSpec((1, 4, 5), 256), DataSpec((3, 4, 5), 256)
RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (GREY, (2, 1, 4, 5), (2, 1, 4, 5)),
        (GREY, (1, 4, 5), (1, 1, 4, 5)),
        (GREY, (2, 4, 5), (2, 1, 4, 5)),
        (GREY, (4, 5), (1, 1, 4, 5)),
        (GREY, (2, 4, 5, 1), (2, 1, 4, 5)),
        (GREY, (4, 5, 1), (1, 1, 4, 5)),
        (COLOUR, (2, 3, 4, 5), (2, 3, 4, 5)),
        (COLOUR, (2, 4, 5, 3), (2, 3, 4, 5)),
        (COLOUR, (4, 5, 3), (1, 3, 4, 5)),
        (DataSpec((6,), 256), (6,), (1, 6)),
        (DataSpec((6,), 256), (6, 6), (6, 6)),
    ],
)
def test_adopted_shapes(spec, shape, expected):
    array = RNG.integers(0, 256, shape, dtype=np.uint8)
    adopted = Preparation(levels=256).adopt(array, spec)
    assert adopted.dtype == torch.uint8
    assert tuple(adopted.shape) == expected
    if shape[-1] == 3 and spec is COLOUR:
        assert torch.equal(adopted[..., 2, 1, 3].flatten(), torch.from_numpy(array)[..., 1, 3, 2].flatten())


@pytest.mark.parametrize("shape", [(2, 5, 4), (20,), (2, 20), (2, 3, 4, 5), (1, 1, 1, 4, 5)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(DataError, match="but the model takes N x 1 x 4 x 5"):
        Preparation(levels=256).adopt(np.zeros(shape, np.uint8), GREY)


def test_adopted_floats_in_0_to_1_are_prepared_like_eight_bit_data():
    preparation = Preparation(levels=256)
    bytes_ = RNG.integers(0, 256, (3, 1, 4, 5), dtype=np.uint8)
    from_bytes = preparation(preparation.adopt(bytes_, GREY))
    from_floats = preparation(preparation.adopt(bytes_ / 255, GREY))
    torch.testing.assert_close(from_bytes, from_floats)


@pytest.mark.parametrize("array", [np.full((1, 4, 5), 7.0), np.full((1, 4, 5), -0.01), np.full((4, 5), 200)])
def test_floats_outside_0_to_1_are_refused_for_an_eight_bit_model(array):
    with pytest.raises(DataError, match="uint8"):
        Preparation(levels=256).adopt(array, GREY)


def test_adopting_for_a_binary_model():
    spec, preparation = DataSpec((2,), 2, binary=True), Preparation(levels=2)
    for given_ in (np.array([[0, 1]]), np.array([[False, True]]), np.array([[0, 255]], np.uint8), np.array([[0.0, 1]])):
        adopted = preparation.adopt(given_, spec)
        assert adopted.dtype == torch.uint8
        assert adopted.tolist() == [[0, 1]]
    assert preparation.adopt(np.array([[0, 1]], np.uint8), spec).tolist() == [[0, 1]]
    with pytest.raises(DataError, match="binarise"):
        preparation.adopt(np.array([[0.2, 1.0]]), spec)


def test_adopting_for_a_statically_binarised_model_draws_the_same_again():
    data = load(DataSettings(binarize="static"))
    grey = np.full((50, 8, 8), 128, np.uint8)
    a, b = (data.preparation.adopt(grey, data.spec) for _ in range(2))
    assert torch.equal(a, b)
    assert set(a.unique().tolist()) == {0, 1}
    assert abs(a.float().mean() - 128 / 255) < 4 * 0.5 / np.sqrt(grey.size)


def test_adopting_for_a_model_of_real_numbers():
    unit = DataSpec((1, 4, 5), None, 0.0, 1.0)
    preparation = Preparation(within_unit=True)
    assert preparation.adopt(np.full((4, 5), 255, np.uint8), unit).unique().tolist() == [1.0]
    with pytest.raises(DataError, match="0 to 1"):
        preparation.adopt(np.full((4, 5), 255.0), unit)
    wide = Preparation(within_unit=False)
    assert wide.adopt(np.full((4, 5), 255, np.uint8), DataSpec((1, 4, 5), None, 0, 300)).unique().tolist() == [255.0]
    table = DataSpec((2,), None, 0.0, 1.0)  # rows beyond what was seen are the anomalies one looks for
    assert preparation.adopt(np.array([[0.5, 9.0]]), table).tolist() == [[0.5, 9.0]]


def test_adopted_data_share_no_memory_with_the_input():
    array = np.zeros((2, 6), np.uint8)
    adopted = Preparation(levels=256).adopt(array, DataSpec((6,), 256))
    adopted += 1
    assert not array.any()
