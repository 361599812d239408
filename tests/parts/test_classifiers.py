"""The classifier q(y given x)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from latentia.errors import ConfigError
from latentia.parts.classifiers import LabelPosterior


def test_it_is_the_softmax_of_linear_logits() -> None:
    torch.manual_seed(0)
    q = LabelPosterior(nn.Flatten(), 6, 4).double()
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    logits = x.flatten(1) @ q.head.weight.T + q.head.bias
    torch.testing.assert_close(q(x).exp(), logits.exp() / logits.exp().sum(1, keepdim=True))


def test_it_is_computed_in_float32_at_least() -> None:
    q = LabelPosterior(nn.Flatten(), 6, 4).bfloat16()
    assert q(torch.zeros(5, 6, dtype=torch.bfloat16)).dtype == torch.float32


def test_no_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one class, not 0"):
        LabelPosterior(nn.Flatten(), 6, 0)
