"""Running a model over a split: modes, order, labels and limits."""

from __future__ import annotations

import pytest
import torch

from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.preparation import Preparation
from latentia.errors import DataError
from latentia.evaluation.encoding import encode_split, evaluating
from latentia.models.latent_variable import LatentVariableModel
from latentia.parts.likelihoods import Bernoulli
from latentia.parts.networks.mlp import MLP
from latentia.parts.posteriors import GaussianPosterior
from latentia.parts.priors import StandardNormalPrior


def model() -> LatentVariableModel:
    torch.manual_seed(1)
    return LatentVariableModel(
        encoder=MLP((4,), [5], dropout=0.5),
        posterior=GaussianPosterior(5, (2, 3)),
        prior=StandardNormalPrior((2, 3)),
        decoder=MLP((2, 3), [5], (4,)),
        likelihood=Bernoulli(),
        event_shape=(4,),
        latent_shape=(2, 3),
    )


def data(n: int, labels: bool = True) -> Dataset:
    stored = torch.randint(0, 256, (n, 4), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    split = Split(stored, torch.arange(n) if labels else None)
    return Dataset("made", DataSpec((4,), levels=256), Preparation(levels=256), {"test": split}, "fingerprint")


@pytest.mark.parametrize("n", [1, 255, 256, 257, 600])
@pytest.mark.parametrize("limit", [None, 1, 256, 300, 10_000])
def test_the_means_come_in_the_order_of_the_split(n: int, limit: int | None) -> None:
    encoder, dataset = model(), data(n)
    means, y = encode_split(encoder, dataset, limit=limit)
    count = n if limit is None else min(n, limit)
    assert means.shape == (count, 2, 3) and y is not None and y.tolist() == list(range(count))
    x = dataset.splits["test"].x[:count].float() / 255
    with torch.no_grad():
        torch.testing.assert_close(means, encoder.eval().encode(x).mean)
    assert not means.requires_grad


def test_labels_may_be_absent_and_parts_misnamed() -> None:
    assert encode_split(model(), data(3, labels=False))[1] is None
    with pytest.raises(DataError, match="no 'train' part"):
        encode_split(model(), data(3), "train")


def test_modes_are_restored_even_after_an_error() -> None:
    broken = model().train()
    broken.encoder.eval()
    before = [part.training for part in broken.modules()]

    def fail() -> None:
        with evaluating(broken) as device:
            assert device.type == "cpu" and not torch.is_grad_enabled()
            assert not any(part.training for part in broken.modules())
            raise RuntimeError("deliberate")

    with pytest.raises(RuntimeError, match="deliberate"):
        fail()
    assert [part.training for part in broken.modules()] == before and torch.is_grad_enabled()
