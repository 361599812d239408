"""The record of a loss: its one mean, what is logged, and what is cut from the graph."""

from __future__ import annotations

import pytest
import torch

from latentia.objectives.terms import LossTerms


def terms(**changes: object) -> LossTerms:
    weight = torch.tensor(2.0, requires_grad=True)
    values = {
        "loss": weight * torch.tensor([1.0, 2.0, 6.0]),
        "distortion": weight * torch.tensor([1.0, 1.0, 1.0]),
        "rate": weight * torch.tensor([0.0, 1.0, 5.0]),
        "extras": {"l1": weight * torch.tensor([3.0, 3.0, 3.0])},
        "batch": weight * 0.5,
    }
    return LossTerms(**{**values, **changes})  # type: ignore[arg-type]


def test_the_total_is_the_mean_plus_what_exists_only_for_the_batch() -> None:
    assert terms().total().item() == pytest.approx((2 + 4 + 12) / 3 + 1)
    assert terms(batch=None).total().item() == pytest.approx((2 + 4 + 12) / 3)


def test_every_reported_term_is_per_sample_and_without_gradient() -> None:
    reported = terms().reported()
    assert list(reported) == ["distortion", "rate", "l1"]
    assert all(term.shape == (3,) and not term.requires_grad for term in reported.values())
    assert list(terms(rate=None, extras={}).reported()) == ["distortion"]


@pytest.mark.parametrize("estimated", [False, True])
@pytest.mark.parametrize("absent", [{}, {"rate": None, "batch": None}])
def test_detached_terms_are_the_same_without_gradients(absent: dict[str, None], estimated: bool) -> None:
    first = terms(estimated=estimated, **absent)
    second = first.detached()
    assert first.total().requires_grad and not second.total().requires_grad
    assert torch.equal(first.total(), second.total()) and second.estimated is estimated
    assert all(torch.equal(term, second.reported()[name]) for name, term in first.reported().items())
    assert (second.rate is None) == (second.batch is None) == bool(absent)
