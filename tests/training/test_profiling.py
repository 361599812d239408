"""Stages add up to the whole, nothing that is trained changes, and no tracing is left on."""

from __future__ import annotations

import time

import pytest
import torch

from latentia.data import DataSettings, load
from latentia.errors import DivergedError
from latentia.objectives import Elbo
from latentia.recipes import build_model, find_preset
from latentia.training import Execution, Profile, TrainingSettings, fit, profiling
from latentia.training.profiling import STAGES, WITHIN_STEPS, lap_of, process_start


def train(steps: int, profile: Profile | None, **settings: object) -> dict[str, torch.Tensor]:
    dataset = load(DataSettings(validation=0.1))
    model = build_model(find_preset("vae").config().model, dataset.spec, seed=0)
    training = TrainingSettings.model_validate({"steps": steps, "batch_size": 32, "log_every": 5, **settings})
    fit(model, Elbo(), dataset, training, execution=Execution("cpu", "fp32", 1), profile=profile)
    return model.state_dict()


def test_laps_add_up():
    profile = Profile(time.perf_counter() - 3)
    profile.lap("start-up")
    time.sleep(0.02)
    for stage in ("data", "model", "data"):
        profile.lap(stage)
    found = profile.to_json()
    assert [row["stage"] for row in found["stages"]] == ["start-up", "data", "model"]
    assert 3 <= found["stages"][0]["seconds"] < 4 and found["stages"][1]["seconds"] >= 0.02
    assert sum(row["seconds"] for row in found["stages"]) == pytest.approx(found["seconds"], abs=1e-3)
    assert sum(row["share"] for row in found["stages"]) == pytest.approx(1, abs=1e-3)
    assert not any("milliseconds_per_step" in row for row in found["stages"]) and found["operators"] is None


def test_a_fit_is_the_same_with_a_profile_and_every_stage_is_seen():
    profile = Profile()
    watched, plain = train(60, profile), train(60, None)
    assert all(torch.equal(watched[name], plain[name]) for name in plain)
    found = profile.to_json()
    rows = {row["stage"]: row for row in found["stages"]}
    eager = set(WITHIN_STEPS) - {"compiled step"}  # which takes the place of three others
    assert set(rows) >= {*eager, "validation", "checkpoints", "profiler", "model"}
    assert all(rows[stage]["milliseconds_per_step"] > 0 for stage in eager)
    operators = found["operators"]
    assert found["steps"] == 30 and operators["steps"] == 30 and operators["device"] == "cpu"
    names = {row["operator"]: row for row in operators["rows"]}
    assert names["aten::addmm"]["calls_per_step"] >= 4
    shares = [row["share"] for row in operators["rows"]]
    assert shares == sorted(shares, reverse=True) and 0.5 < sum(shares) <= 1.001
    assert len(operators["rows"]) <= profiling.OPERATORS and operators["others"] > 0


@pytest.mark.parametrize(("steps", "plain", "traced"), [(1, 0, 1), (4, 1, 3), (25, 6, 19)])
def test_short_fits_are_traced_too(steps: int, plain: int, traced: int):
    profile = Profile()
    train(steps, profile)
    found = profile.to_json()
    assert found["steps"] == plain and found["operators"]["steps"] == traced


def test_no_tracing_is_left_on_when_training_fails():
    profile = Profile()
    with pytest.raises(DivergedError):
        train(60, profile, optimizer={"lr": 1e30}, log_every=1000)  # found at the end of the epoch
    assert not torch.autograd._profiler_enabled()  # pyright: ignore[reportPrivateImportUsage]
    assert profile.to_json()["operators"]["steps"] < 30


def test_a_device_is_waited_for_within_steps_alone(monkeypatch: pytest.MonkeyPatch):
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    profile, device = Profile(), torch.device("cuda:0")
    profile.lap("data")
    profile.begin(100, device)
    profile.lap("forward")
    profile.end()
    profile.lap("evaluation")
    assert waited == [device]


def test_without_a_profile_nothing_is_done():
    assert lap_of(None)("forward") is None
    assert set(WITHIN_STEPS) <= set(STAGES)


def test_the_start_of_this_process_is_in_the_past():
    assert 0 <= time.perf_counter() - process_start() < 3600
