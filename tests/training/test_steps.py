from __future__ import annotations

import pytest
import torch

from latentia.training.steps import row_of


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64])
def test_terms_of_any_kind_are_averaged_in_float32(dtype: torch.dtype) -> None:
    """A mean of 300 values around 256 in bfloat16 would be off by whole units."""
    values = torch.arange(300).remainder(3).add(255).to(dtype)
    row = row_of(torch.tensor(1.0, dtype=torch.bfloat16), {"term": values})
    assert row.dtype == torch.float32
    assert row.tolist() == [1.0, pytest.approx(values.double().mean().item(), rel=1e-6)]


def test_nothing_of_the_graph_is_kept() -> None:
    weight = torch.ones((), requires_grad=True)
    row = row_of(weight * 2, {"term": weight * torch.ones(3)})
    assert not row.requires_grad and row.tolist() == [2.0, 1.0]
