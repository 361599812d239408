"""Small data and a small model that several tests of training share."""

from __future__ import annotations

import pytest
import torch

from latentia.data.dataset import Dataset
from latentia.data.settings import DataSettings
from latentia.data.sources import load


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """50 images of 6 x 6 with a validation part of 10."""
    x = torch.randint(0, 256, (60, 1, 6, 6), generator=torch.Generator().manual_seed(0), dtype=torch.uint8).numpy()
    return load(DataSettings(source="arrays", validation=0.2, test_fraction=0.1), arrays=x)
