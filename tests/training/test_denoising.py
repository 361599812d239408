"""Training with corruption: resumed bit for bit, and validated on the same noise every time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from latentia.data.corruption import Corruption, GaussianCorruption, MaskingCorruption, SaltAndPepperCorruption
from latentia.data.dataset import Dataset
from latentia.errors import Interrupted
from latentia.objectives.autoencoder import AutoencoderObjective
from latentia.objectives.elbo import Elbo
from latentia.recipes.build import build_model
from latentia.recipes.config import make_config
from latentia.training.checkpoint import CheckpointStore
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.interrupt import InterruptRequest
from latentia.training.loop import fit
from latentia.training.metrics import MetricsFile
from latentia.training.settings import TrainingSettings

CPU = Execution("cpu", "fp32", 1)
OBJECTIVES: dict[str, Any] = {
    "autoencoder": lambda corruption: AutoencoderObjective(corruption=corruption),
    "elbo": lambda corruption: Elbo(samples=2, corruption=corruption),
}
CORRUPTIONS = [GaussianCorruption(0.5, (0.0, 1.0)), MaskingCorruption(0.3), SaltAndPepperCorruption(0.3)]
every_case = pytest.mark.parametrize("objective", OBJECTIVES)


def small_model(dataset: Dataset, objective: str, seed: int = 0) -> Any:
    network = {"name": "mlp", "hidden": [8], "dropout": 0.2}
    parts: dict[str, Any] = {"latent_dim": 2, "encoder": network, "decoder": network}
    if objective == "autoencoder":
        parts |= {"posterior": {"name": "deterministic"}, "prior": "none"}
    return build_model(make_config({"model": parts}).model, dataset.spec, seed=seed)


def training(**values: Any) -> TrainingSettings:
    return TrainingSettings.model_validate({"steps": 20, "batch_size": 8, "log_every": 5, **values})


class StopAt(InterruptRequest):
    """Asks to stop after so many steps."""

    def __init__(self, stop_at: int) -> None:
        self.remaining = stop_at

    @property
    def requested(self) -> bool:  # type: ignore[override]
        self.remaining -= 1
        return self.remaining == 0

    @requested.setter
    def requested(self, value: bool) -> None:
        pass


@every_case
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: type(corruption).__name__)
def test_interrupted_and_resumed_equals_uninterrupted(
    tiny: Dataset, tmp_path: Path, objective: str, corruption: Corruption
) -> None:
    settings, loss = training(evaluate_every=3), OBJECTIVES[objective](corruption)
    straight = small_model(tiny, objective)
    metrics, lines = MetricsFile(tmp_path / "a.jsonl"), MetricsFile(tmp_path / "b.jsonl")
    fit(straight, loss, tiny, settings, execution=CPU, store=CheckpointStore(tmp_path / "a"), metrics=metrics)
    store = CheckpointStore(tmp_path / "b")
    for stop_at in (4, 7):
        broken = small_model(tiny, objective, seed=stop_at if stop_at > 4 else 0)
        torch.rand(stop_at)  # whatever else draws from the default generator
        with pytest.raises(Interrupted):
            fit(broken, loss, tiny, settings, execution=CPU, store=store, metrics=lines, interrupt=StopAt(stop_at))
    resumed = small_model(tiny, objective, seed=9)
    fit(resumed, loss, tiny, settings, execution=CPU, store=store, metrics=lines)
    for name, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert [timeless(row) for row in metrics.read()] == [timeless(row) for row in lines.read()]


def timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "seconds"}


class Validations(Events):
    """Remembers what the validations came to."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def logged(self, row: Mapping[str, Any]) -> None:
        if row["split"] == "valid":
            self.losses.append(row["loss"])


@every_case
def test_validation_draws_the_same_noise_every_time(tiny: Dataset, objective: str) -> None:
    heard, still = Validations(), training(evaluate_every=1, optimizer={"lr": 1e-30})
    loss = OBJECTIVES[objective](CORRUPTIONS[0])
    model = small_model(tiny, objective)
    fit(model, loss, tiny, still, execution=CPU, events=heard)
    assert len(heard.losses) == 20 and len(set(heard.losses)) == 1
    clean = Validations()
    fit(small_model(tiny, objective), OBJECTIVES[objective](None), tiny, still, execution=CPU, events=clean)
    assert clean.losses[0] != heard.losses[0]


@every_case
def test_validation_does_not_disturb_training(tiny: Dataset, tmp_path: Path, objective: str) -> None:
    trained = []
    for every in (1, 20):
        metrics = MetricsFile(tmp_path / f"{every}.jsonl")
        loss, settings = OBJECTIVES[objective](CORRUPTIONS[0]), training(evaluate_every=every)
        fit(small_model(tiny, objective), loss, tiny, settings, execution=CPU, metrics=metrics)
        trained.append([timeless(row) for row in metrics.read() if row["split"] == "train"])
    assert trained[0] == trained[1] and len(trained[0]) > 3
