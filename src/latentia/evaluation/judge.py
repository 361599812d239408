"""A small classifier of MNIST's digits, as a judge of generated ones and as a named extractor of features.

Owns its architecture, its weights (which ship with the package) and what they were measured to be worth. Knows neither
the models that it judges nor how it was trained: ``benchmarks/train_judge.py`` does that and writes the weights.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn import functional

from latentia.errors import DataError, EnvironmentFault
from latentia.evaluation.encoding import evaluating

NAME = "mnist-cnn-v1"
FEATURES = 64
SIDE = 28
_BATCH = 1000


class DigitClassifier(nn.Module):
    """Two convolutions with pooling, 64 features, ten classes; 106,714 parameters.

    Example:
        >>> classifier = DigitClassifier()
        >>> classifier(torch.zeros(2, 1, 28, 28)).shape, classifier.features(torch.zeros(2, 1, 28, 28)).shape
        (torch.Size([2, 10]), torch.Size([2, 64]))
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 32, 3, padding=1)
        self.dropout = nn.Dropout(0.3)
        self.hidden = nn.Linear(32 * 7 * 7, FEATURES)
        self.classes = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """Map images (B, 1, 28, 28) in [0, 1] to features (B, 64), before their activation."""
        h = functional.max_pool2d(functional.relu(self.first(x)), 2)  # (B, 16, 14, 14)
        h = functional.max_pool2d(functional.relu(self.second(h)), 2)  # (B, 32, 7, 7)
        return self.hidden(self.dropout(h.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, 1, 28, 28) in [0, 1] to logits (B, 10)."""
        return self.classes(self.dropout(functional.relu(self.features(x))))

    def draw_noise(self, *_: Any) -> tuple[Tensor, ...]:
        """Return nothing: it is deterministic. The training loop asks."""
        return ()


@cache
def load_judge() -> DigitClassifier:
    """Load the classifier with the weights that ship with the package, ready for use.

    Raises:
        EnvironmentFault: If the installed weights are damaged.
    """
    content = (files("latentia.evaluation") / "weights" / f"{NAME}.safetensors").read_bytes()
    if hashlib.sha256(content).hexdigest() != judge_card()["sha256"]:
        raise EnvironmentFault(f"the weights of {NAME} are damaged: install latentia again")
    classifier = DigitClassifier()
    classifier.load_state_dict(load_tensors(content))
    return classifier.eval()


def judge_card() -> dict[str, Any]:
    """What is known of the weights: test accuracy, how they were made, and their checksum.

    Example:
        >>> judge_card()["name"], judge_card()["test_accuracy"] > 0.98
        ('mnist-cnn-v1', True)
    """
    return json.loads((files("latentia.evaluation") / "weights" / f"{NAME}.json").read_text(encoding="utf-8"))


def judge(x: Tensor) -> tuple[Tensor, Tensor]:
    """Classify images and extract their features.

    Args:
        x: Grey images in [0, 1] like MNIST's, white on black, (N, 1, H, W) with sides from 20 to 64; those of another
            size are resized bilinearly to 28 x 28.

    Returns:
        Class probabilities (N, 10) and features (N, 64), float32 on the CPU.

    Raises:
        DataError: If the images are not of this kind.
    """
    if x.dim() != 4 or x.shape[1] != 1 or not all(20 <= side <= 64 for side in x.shape[2:]):
        raise DataError(
            f"{NAME} judges grey images of digits like MNIST's, (N, 1, 28, 28), and cannot judge {tuple(x.shape)}"
        )
    classifier = load_judge()
    probabilities, features = [], []
    with evaluating(classifier):
        for part in x.float().cpu().split(_BATCH):
            if tuple(part.shape[2:]) != (SIDE, SIDE):
                part = functional.interpolate(part, (SIDE, SIDE), mode="bilinear", antialias=True)
            extracted = classifier.features(part)
            features.append(extracted)
            probabilities.append(torch.softmax(classifier.classes(functional.relu(extracted)), 1))
    return torch.cat(probabilities), torch.cat(features)
