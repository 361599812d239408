"""Train the digit classifier that judges generated digits, and write its weights and its card into the package.

LATENTIA_DATA_DIR=... python benchmarks/train_judge.py [--epochs 12] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from recording import circumstances, write
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

import latentia.evaluation.judge
from latentia.data import DataSettings, load
from latentia.evaluation.judge import NAME, DigitClassifier
from latentia.objectives.terms import LossTerms, Unscheduled
from latentia.training import Execution, TrainingSettings, fit


class CrossEntropy(Unscheduled):
    """-ln p(y given x) as an objective of the training loop."""

    def __call__(
        self, model: Any, x: Tensor, y: Tensor | None, noise: Sequence[Tensor], coefficients: Mapping[str, Any]
    ) -> LossTerms:
        """The cross-entropy of a batch, (B,), nats."""
        assert y is not None
        loss = functional.cross_entropy(model(x), y, reduction="none")
        return LossTerms(loss, loss)


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    dataset = load(DataSettings(source="mnist", validation=0.0))
    torch.manual_seed(arguments.seed)
    model = DigitClassifier()
    settings = TrainingSettings.model_validate(
        {"epochs": arguments.epochs, "lr_schedule": {"name": "cosine", "start": 1.0, "end": 0.0}}
    )
    fit(model, CrossEntropy(), dataset, settings, execution=Execution("cpu", "fp32", arguments.threads))
    model.eval()
    test = dataset.split("test")
    assert test.y is not None
    with torch.no_grad():
        logits = torch.cat([model(part.float() / 255) for part in test.x.split(1000)])
    accuracy = float((logits.argmax(1) == test.y).double().mean())
    content = save({name: value.contiguous() for name, value in model.state_dict().items()})
    folder = Path(latentia.evaluation.judge.__file__).parent / "weights"
    (folder / f"{NAME}.safetensors").write_bytes(content)
    card = {
        "name": NAME,
        "what": "classifier of MNIST digits; its 64 features before their activation are what distances are taken on",
        "test_accuracy": accuracy,
        "test_images": len(test),
        "command": f"python benchmarks/train_judge.py --epochs {arguments.epochs} --seed {arguments.seed}",
        "sha256": hashlib.sha256(content).hexdigest(),
        **circumstances(),
    }
    write(folder / f"{NAME}.json", card)
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
