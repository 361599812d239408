from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from latentia.data.dataset import Dataset
from latentia.data.settings import DataSettings
from latentia.data.sources import load
from latentia.errors import CheckpointError, ConfigError, DivergedError, Interrupted
from latentia.objectives.elbo import Elbo
from latentia.objectives.terms import LossTerms
from latentia.recipes.build import build_model
from latentia.recipes.config import ModelSettings, make_config
from latentia.training.checkpoint import CheckpointStore
from latentia.training.events import Events
from latentia.training.execution import Execution
from latentia.training.interrupt import InterruptRequest
from latentia.training.loop import fit
from latentia.training.metrics import MetricsFile
from latentia.training.phases import Phase
from latentia.training.settings import TrainingSettings

CPU = Execution("cpu", "fp32", 1)


def small_model(dataset: Dataset, seed: int = 0, dropout: float = 0.0) -> Any:
    settings = {"name": "mlp", "hidden": [8], "dropout": dropout}
    config = make_config({"model": {"latent_dim": 2, "encoder": settings, "decoder": settings}})
    return build_model(config.model, dataset.spec, seed=seed)


def training(**values: Any) -> TrainingSettings:
    return TrainingSettings.model_validate({"steps": 20, "batch_size": 8, "log_every": 5, **values})


def rising_beta(**values: float) -> Any:
    config: Any = make_config({"objective": {"beta": {"name": "linear", "start": 0.0, "end": 1.0, **values}}})
    return config.objective.beta


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


class Heard(Events):
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def logged(self, row: Mapping[str, Any]) -> None:
        self.rows.append(dict(row))


def test_equals_a_loop_written_by_hand(tiny: Dataset):
    """Adam on the mean of the loss over the batches and the noise that (seed, stage, step) determine."""
    from latentia.data.batches import IndexStream
    from latentia.data.seeds import derive_seed

    ours = small_model(tiny)
    theirs = copy.deepcopy(ours)
    fit(ours, Elbo(beta=0.5), without_validation(tiny), training(), execution=CPU, seed=3)

    stream = IndexStream(len(tiny.split("train")), 8, 3, "fit")
    stored = tiny.split("train").x
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-3)
    for step in range(20):
        x = stored[stream.indices(step)].float() / 255
        noise = torch.randn(1, 8, 2, generator=torch.Generator().manual_seed(derive_seed(3, "fit", "noise", step)))
        q = theirs.posterior(theirs.encoder(x))
        z = q.loc + torch.exp(q.logvar / 2) * noise[0]
        logits = theirs.decoder(z)
        reconstruction = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 8
        kl = (0.5 * (q.loc**2 + q.logvar.exp() - 1 - q.logvar)).sum() / 8
        optimizer.zero_grad()
        (reconstruction + 0.5 * kl).backward()
        optimizer.step()
    for ours_value, theirs_value in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(ours_value, theirs_value, rtol=1e-4, atol=1e-6)


def without_validation(dataset: Dataset) -> Dataset:
    splits = {name: split for name, split in dataset.splits.items() if name != "valid"}
    return Dataset(dataset.name, dataset.spec, dataset.preparation, splits, dataset.fingerprint)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(tiny: Dataset):
    runs = []
    for seed in (0, 0, 1):
        model = small_model(tiny, dropout=0.3)
        fit(model, Elbo(), tiny, training(), execution=CPU, seed=seed)
        runs.append(weights(model))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_the_default_generator_is_left_as_it_was(tiny: Dataset):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(small_model(tiny, dropout=0.5), Elbo(), tiny, training(), execution=CPU)
    assert torch.equal(torch.rand(3), expected)


def test_the_number_of_threads_is_put_back(tiny: Dataset):
    before = torch.get_num_threads()
    fit(small_model(tiny), Elbo(), tiny, training(steps=1), execution=Execution("cpu", "fp32", before + 1))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("stop_at", [1, 5, 7, 13, 19])
def test_interrupted_and_resumed_equals_uninterrupted(tiny: Dataset, tmp_path: Path, stop_at: int):
    settings = training(ema=0.9, patience=10, lr_schedule={"name": "cosine", "start": 1.0, "end": 0.0}, clip_norm=5.0)
    objective = Elbo(rising_beta())
    straight = small_model(tiny, dropout=0.2)
    store, metrics = CheckpointStore(tmp_path / "a"), MetricsFile(tmp_path / "a.jsonl")
    fit(straight, objective, tiny, settings, execution=CPU, store=store, metrics=metrics)

    class StopAt(InterruptRequest):
        steps = 0

        @property
        def requested(self) -> bool:  # type: ignore[override]
            self.steps += 1
            return self.steps == stop_at

        @requested.setter
        def requested(self, value: bool) -> None:
            pass

    broken = small_model(tiny, dropout=0.2)
    other, lines = CheckpointStore(tmp_path / "b"), MetricsFile(tmp_path / "b.jsonl")
    with pytest.raises(Interrupted, match=f"after step {stop_at} of 20"):
        fit(broken, objective, tiny, settings, execution=CPU, store=other, metrics=lines, interrupt=StopAt())
    lines.append({"step": 99, "half": "written after the checkpoint"})
    resumed = small_model(tiny, seed=9, dropout=0.2)
    fit(resumed, objective, tiny, settings, execution=CPU, store=other, metrics=lines)
    assert same(weights(straight), weights(resumed))
    first, second = store.load(), other.load()
    assert first is not None and second is not None
    for part, tensors in first.tensors.items():
        for name, value in tensors.items():
            assert torch.equal(value, second.tensors[part][name]), (part, name)
    assert [timeless(row) for row in metrics.read()] == [timeless(row) for row in lines.read()]


def timeless(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "seconds"}


def test_logged_means_cover_every_step_once(tiny: Dataset):
    heard = Heard()
    fit(small_model(tiny), Elbo(), without_validation(tiny), training(), execution=CPU, events=heard)
    train = [row for row in heard.rows if row["split"] == "train"]
    assert sum(row["steps"] for row in train) == 20
    assert train[-1]["step"] == 20
    for row in train:
        assert row["loss"] == pytest.approx(row["distortion"] + row["rate"], rel=1e-5)


def test_the_best_validation_weights_become_the_model(tiny: Dataset, tmp_path: Path):
    settings = training(steps=30, evaluate_every=3, optimizer={"lr": 0.3})
    for store in (None, CheckpointStore(tmp_path)):
        heard, model = Heard(), small_model(tiny)
        result = fit(model, Elbo(), tiny, settings, execution=CPU, store=store, events=heard)
        losses = {row["step"]: row["loss"] for row in heard.rows if row["split"] == "valid"}
        assert result.best_step == min(losses, key=lambda step: losses[step])
        stopped_there = small_model(tiny)
        until = training(steps=result.best_step, optimizer={"lr": 0.3})
        fit(stopped_there, Elbo(), without_validation(tiny), until, execution=CPU)
        assert same(weights(model), weights(stopped_there))


def test_nothing_is_chosen_before_a_warm_up_has_ended(tiny: Dataset):
    beta = rising_beta(end=50.0, until=0.5)
    result = fit(small_model(tiny), Elbo(beta), tiny, training(steps=40, evaluate_every=2), execution=CPU)
    assert result.best_step is not None and result.best_step >= 20


def test_patience_stops_early_and_is_remembered(tiny: Dataset, tmp_path: Path):
    settings = training(steps=1000, evaluate_every=1, patience=3, optimizer={"lr": 1.0})
    store = CheckpointStore(tmp_path)
    result = fit(small_model(tiny), Elbo(), tiny, settings, execution=CPU, store=store)
    assert result.stopped_early and result.step < 1000
    again = fit(small_model(tiny), Elbo(), tiny, settings, execution=CPU, store=store)
    assert again.stopped_early and again.step == result.step


def test_patience_without_validation_is_refused(tiny: Dataset):
    with pytest.raises(ConfigError, match=r"data\.validation"):
        fit(small_model(tiny), Elbo(), without_validation(tiny), training(patience=2), execution=CPU)


class Exploding:
    """An objective whose loss becomes NaN at a step."""

    k, compilable = 1, True

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def coefficients_at(self, progress: float) -> dict[str, float]:
        return {}

    def settled_at(self) -> float:
        return 0.0

    def __call__(self, model: Any, x: Any, y: Any, noise: Any, coefficients: Any) -> LossTerms:
        self.calls += 1
        terms = Elbo()(model, x, y, noise, {"beta": 1.0})
        factor = float("nan") if self.calls == self.at else 1.0
        return LossTerms(terms.loss * factor, terms.distortion, terms.rate)


@pytest.mark.parametrize("at", [1, 8, 17])
def test_divergence_names_the_step_and_keeps_the_last_good_checkpoint(tiny: Dataset, tmp_path: Path, at: int):
    store, metrics = CheckpointStore(tmp_path / "c"), MetricsFile(tmp_path / "m.jsonl")
    with pytest.raises(DivergedError, match=rf"at step {at};.*learning rate") as caught:
        fit(
            small_model(tiny),
            Exploding(at),
            without_validation(tiny),
            training(checkpoint_every=6),
            execution=CPU,
            store=store,
            metrics=metrics,
        )
    assert caught.value.exit_code == 3
    found = store.load()
    assert (None if found is None else found.step) == {1: None, 8: 6, 17: 12}[at]
    if found is not None:
        assert all(value.isfinite().all() for value in found.tensors["model"].values())
    assert all(row["step"] < at + 5 for row in metrics.read())


def test_phase_gradients_do_not_leak(tiny: Dataset):
    model = small_model(tiny)
    frozen = weights(model)

    class OnlyCritic:
        k, compilable = 1, True

        def __init__(self) -> None:
            self.critic = nn.Linear(2, 1)
            self.idle = nn.Parameter(torch.zeros(1))

        def coefficients_at(self, progress: float) -> dict[str, float]:
            return {}

        def settled_at(self) -> float:
            return 0.0

        def phases(self, model: Any) -> list[Phase]:
            return [Phase("critic", self, list(self.critic.parameters())), Phase("idle", self.nothing, [self.idle])]

        def nothing(self, model: Any, x: Any, y: Any, noise: Any, coefficients: Any) -> LossTerms:
            loss = self.idle.expand(len(x))
            return LossTerms(loss, loss)

        def __call__(self, model: Any, x: Any, y: Any, noise: Any, coefficients: Any) -> LossTerms:
            score = self.critic(model.encode(x).mean).squeeze(1)
            return LossTerms(score, score)

    heard = Heard()
    fit(model, OnlyCritic(), without_validation(tiny), training(), execution=CPU, events=heard)
    assert {"critic_distortion", "idle_distortion"} <= set(heard.rows[0])
    assert same(frozen, weights(model))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_batch_statistics_are_those_of_training_alone(tiny: Dataset):
    """Validation must neither use nor change batch normalisation's running means in training mode."""
    settings = {"name": "mlp", "hidden": [8], "norm": "batch"}
    config = make_config({"model": {"latent_dim": 2, "encoder": settings, "decoder": settings}})
    heard = [Heard(), Heard()]
    for listener, every in zip(heard, (1, 20), strict=True):
        model = build_model(config.model, tiny.spec, seed=0)
        fit(model, Elbo(), tiny, training(steps=20, evaluate_every=every), execution=CPU, events=listener)
    trains = [[timeless(row) for row in listener.rows if row["split"] == "train"] for listener in heard]
    assert trains[0] == trains[1]


@pytest.mark.parametrize(("n", "batch"), [(1, 8), (3, 8), (13, 5), (16, 8)])
def test_any_number_of_images_works(n: int, batch: int):
    x = torch.rand(n, 4, generator=torch.Generator().manual_seed(0)).numpy()
    dataset = load(DataSettings(source="arrays", validation=0.0), arrays={"x": x, "x_test": x})
    heard = Heard()
    model = small_model(dataset)
    result = fit(model, Elbo(), dataset, training(steps=None, epochs=2, batch_size=batch), execution=CPU, events=heard)
    assert result.step == -(-2 * n // batch)
    assert sum(row["steps"] for row in heard.rows) == result.step


def test_bf16_trains_and_reports_float32_sums(tiny: Dataset):
    model = small_model(tiny)
    heard = Heard()
    fit(model, Elbo(), tiny, training(), execution=Execution("cpu", "bf16", 1), events=heard)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    reference = Heard()
    fit(small_model(tiny), Elbo(), tiny, training(), execution=CPU, events=reference)
    for ours, theirs in zip(heard.rows, reference.rows, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)


def test_a_foreign_checkpoint_is_refused(tiny: Dataset, tmp_path: Path):
    store = CheckpointStore(tmp_path)
    fit(small_model(tiny), Elbo(), tiny, training(), execution=CPU, store=store)
    other = build_model(ModelSettings(latent_dim=3), tiny.spec, seed=0)
    with pytest.raises(CheckpointError, match="does not fit the model"):
        fit(other, Elbo(), tiny, training(steps=40), execution=CPU, store=store)
    with pytest.raises(CheckpointError, match="does not fit"):
        fit(small_model(tiny), Elbo(), tiny, training(steps=40, ema=0.9), execution=CPU, store=store)
    with pytest.raises(CheckpointError, match="stage"):
        fit(small_model(tiny), Elbo(), tiny, training(steps=40), execution=CPU, store=store, stage="prior")


def test_more_steps_continue_a_finished_fit(tiny: Dataset, tmp_path: Path):
    straight = small_model(tiny)
    fit(straight, Elbo(), without_validation(tiny), training(steps=20), execution=CPU)
    store, model = CheckpointStore(tmp_path), small_model(tiny)
    fit(model, Elbo(), without_validation(tiny), training(steps=11), execution=CPU, store=store)
    fit(model, Elbo(), without_validation(tiny), training(steps=20), execution=CPU, store=store)
    assert same(weights(straight), weights(model))
    with pytest.raises(ConfigError, match="done already"):
        fit(model, Elbo(), without_validation(tiny), training(steps=5), execution=CPU, store=store)
