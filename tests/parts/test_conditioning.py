"""Conditioning on labels: what is joined, and what is refused."""

from __future__ import annotations

import pytest
import torch

from latentia.errors import ConfigError
from latentia.parts.conditioning import LabelConditioning, LabelJoin


def test_labels_stand_behind_a_flattened_input() -> None:
    x, y = torch.rand(4, 2, 3, dtype=torch.float64), torch.tensor([0, 4, 2, 2])
    joined = LabelJoin((2, 3), 5, maps=False)(x, y)
    assert joined.shape == (4, 11) and joined.dtype == torch.float64
    torch.testing.assert_close(joined[:, :6], x.flatten(1))
    assert torch.equal(joined[:, 6:], torch.nn.functional.one_hot(y, 5).double())


def test_labels_are_channels_of_an_image() -> None:
    x, y = torch.rand(4, 2, 3, 5), torch.tensor([0, 3, 2, 2])
    join = LabelJoin((2, 3, 5), 4, maps=True)
    joined = join(x, y)
    assert joined.shape == (4, *join.out_shape) == (4, 6, 3, 5)
    assert torch.equal(joined[:, :2], x)
    for row, label in enumerate(y):
        assert [float(plane.mean()) for plane in joined[row, 2:]] == [float(c == label) for c in range(4)]
        assert (joined[row, 2:].flatten(1).std(1) == 0).all()


def test_inputs_stay_and_nothing_is_saved() -> None:
    join, x, y = LabelJoin((3,), 2, maps=False), torch.rand(2, 3), torch.tensor([1, 0])
    before = x.clone(), y.clone()
    join(x, y)
    assert torch.equal(x, before[0]) and torch.equal(y, before[1])
    assert dict(LabelConditioning(2, encoder=join, decoder=join).state_dict()) == {}


def test_maps_need_an_image() -> None:
    with pytest.raises(ConfigError, match=r"beside an image \(channels, height, width\), not beside \(20,\)"):
        LabelJoin((20,), 3, maps=True)


def test_parts_without_labels_are_left_alone() -> None:
    x = torch.rand(2, 3)
    conditioning = LabelConditioning(4)
    assert conditioning.before_encoder(x, None) is x and conditioning.before_decoder(x, None) is x


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, r"the model is conditional: give y as well, 3 labels from 0 to 3, such as torch.full\(\(3,\), 0\)"),
        (torch.tensor([0, 1, 4]), "from 0 to 3, one for each class, but 4 occurs"),
        (torch.tensor([0, -1, 4]), "but -1 occurs"),
        (torch.tensor([0.0, 1.0, 2.0]), r"not torch.float32: convert them by y.long\(\)"),
        (torch.tensor([True, False, True]), "not torch.bool"),
        (torch.tensor([0, 1]), r"one label for each of 3 samples, shape \(3,\), not \(2,\)"),
        (torch.tensor([[0], [1], [2]]), r"not \(3, 1\)"),
        (torch.tensor(1), r"not \(\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y: torch.Tensor | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LabelConditioning(4).eval().checked(y, 3)


def test_training_does_not_wait_to_look_at_the_range_of_labels() -> None:
    conditioning = LabelConditioning(4).train()
    assert conditioning.checked(torch.tensor([0, 4]), 2).tolist() == [0, 4]
    with pytest.raises(ConfigError, match="one label for each of 3 samples"):
        conditioning.checked(torch.tensor([0, 4]), 3)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_any_whole_numbers_are_labels(dtype: torch.dtype) -> None:
    y = LabelConditioning(4).checked(torch.tensor([3, 0], dtype=dtype), 2)
    assert y.tolist() == [3, 0] and y.dtype == torch.int64
    assert LabelConditioning(4).checked(torch.zeros(0, dtype=dtype), 0).shape == (0,)


def test_there_must_be_classes() -> None:
    with pytest.raises(ConfigError, match="at least one class, not 0"):
        LabelConditioning(0)
