from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from latentia.cli import printing
from latentia.data import DataSpec
from latentia.errors import ConfigError, RunError
from latentia.recipes import PRESETS, PUBLISHED, make_config
from latentia.recipes.published import FIGURES
from latentia.recipes.tutorials import TUTORIALS
from latentia.runs import open_run, reproduce
from latentia.runs.reproduction import QUICK_STEPS, _config, figure_of
from latentia.runs.run import Run
from latentia.training.events import Events


def test_every_system_of_the_tutorials_is_reproduced():
    assert {*TUTORIALS, "vq-vae-512x64"} <= {system.preset for system in PUBLISHED.values()}


def test_every_published_system_is_a_preset_on_all_training_images():
    for name, system in PUBLISHED.items():
        config = PRESETS[system.preset].config()
        assert config.data.validation == 0.0, name
        assert system.figure in FIGURES


@pytest.mark.parametrize(("name", "good", "bad"), [("vae-400-20", -104.6, -104.8), ("ae-32", 0.0104, 0.0106)])
def test_the_rule(name: str, good: float, bad: float):
    assert PUBLISHED[name].holds(good)
    assert not PUBLISHED[name].holds(bad)


def test_the_rules_of_our_own_say_so():
    codes, denoiser = PUBLISHED["vq-vae-512x64"], PUBLISHED["denoising-conv-ae"]
    assert codes.reference is denoiser.reference is None
    assert codes.rule is not None and denoiser.rule is not None and "ours" in codes.rule and "ours" in denoiser.rule
    assert codes.allowed == PUBLISHED["ae-32"].reference
    assert denoiser.holds(0.0130) and not denoiser.holds(0.01628)


def test_without_reference_and_limit_nothing_is_judged():
    system = PUBLISHED["beta4-vae-10"]
    assert system.reference is system.allowed is system.rule is system.holds(-100.0) is None


@pytest.mark.parametrize("name", PUBLISHED)
def test_any_budget_can_be_made_shorter(name: str):
    """Also that of a row with a budget of its own, in epochs or in steps."""
    assert _config(PUBLISHED[name], True, []).training.steps == QUICK_STEPS
    for quick in (True, False):
        training = _config(PUBLISHED[name], quick, ["training.epochs=0.5"]).training
        assert (training.steps, training.epochs) == (None, 0.5)


def test_squared_error_and_rate_is_in_the_tutorials_convention():
    """Distortion of a Gaussian with sigma 1 is SSE / 2 + D / 2 ln 2 pi, and SSE + w KL has beta = w / 2."""
    config = make_config({"objective": {"name": "elbo", "beta": 0.4}})
    squared_error, rate, dimensions = 30.0, 5.0, 12
    distortion = squared_error / 2 + dimensions / 2 * math.log(2 * math.pi)
    run = Run(config, directory=None, summary={"test": {"distortion": distortion, "rate": rate}})
    run.spec = DataSpec((3, 2, 2))
    assert figure_of(PUBLISHED["vae-256-64-10"], run) == pytest.approx(squared_error / dimensions, rel=1e-12)
    assert figure_of(PUBLISHED["conv-vae-4x4x4"], run) == pytest.approx(squared_error + 0.8 * rate, rel=1e-12)


class Counting(Events):
    """Counts the trainings."""

    def __init__(self) -> None:
        self.trainings = 0

    def started(self, plan: Any) -> None:
        self.trainings += 1


@pytest.mark.usefixtures("no_pictures")
def test_goes_on_where_it_was_left(tmp_path: Path):
    out = tmp_path / "out"
    arguments: dict[str, Any] = {"data": "digits", "quick": True, "out": out, "settings": ["training.threads=1"]}
    events = Counting()
    (first,) = reproduce(["ae-32"], seeds=1, events=events, **arguments)
    assert first["holds"] is None and first["compares"] is False and events.trainings == 1
    assert first["standard_deviation"] is None
    (second,) = reproduce(["ae-32"], seeds=2, events=events, **arguments)
    assert events.trainings == 2  # the first seed was there
    assert second["values"][0] == first["values"][0] and len(second["values"]) == 2
    assert second["command"] == "latentia reproduce ae-32 --data digits --seeds 2 --quick --set training.threads=1"
    run = open_run(out / "runs" / "ae-32" / "seed-1")
    assert run.config.seed == 1 and run.summary["steps"] == 100
    with pytest.raises(RunError, match="other settings"):
        reproduce(["ae-32"], data="digits", seeds=1, quick=True, out=out, settings=["training.batch_size=64"])


@pytest.mark.usefixtures("no_pictures")
def test_a_denoiser_is_judged_by_what_it_denoises(tmp_path: Path):
    (record,) = reproduce(
        ["denoising-ae-64"], data="digits", seeds=1, quick=True, out=tmp_path, settings=["training.threads=1"]
    )
    run = open_run(tmp_path / "runs" / "denoising-ae-64" / "seed-0")
    found = run.denoise(write=False)
    before, after = found.noisy_scores, found.denoised_scores
    assert before is not None and after is not None and record["mean"] == after.mse != run.summary["test"]["mse"]
    (test,) = (seed["test"] for seed in record["runs"])
    expected = {"noisy_psnr": before.psnr, "denoised_psnr": after.psnr, "denoised_ssim": after.ssim}
    assert {name: test[name] for name in expected} == expected
    assert {name: record["figures"][name]["mean"] for name in expected} == expected


@pytest.mark.usefixtures("no_pictures")
def test_a_system_without_a_reference_is_recorded_with_all_that_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments: dict[str, Any] = {"data": "digits", "quick": True, "out": tmp_path, "settings": ["training.threads=1"]}
    (record,) = reproduce(["beta4-vae-10"], seeds=2, **arguments)
    assert record["reference"] is record["allowed"] is record["rule"] is record["holds"] is None
    figures, tests = record["figures"], [seed["test"] for seed in record["runs"]]
    for name in ("distortion", "rate", "psnr"):
        values = [test[name] for test in tests]
        assert figures[name]["mean"] == pytest.approx(sum(values) / 2)
        assert figures[name]["standard_deviation"] == pytest.approx(abs(values[0] - values[1]) / math.sqrt(2))
    assert "perplexity" not in figures
    printing.reproduced([record])
    assert capsys.readouterr().out.splitlines()[1].split().count("-") == 4  # published, reference, allowed, holds


@pytest.mark.usefixtures("no_pictures")
def test_codes_are_recorded_with_their_perplexity(tmp_path: Path):
    small = ["training.threads=1", "training.steps=5", "model.encoder.channels=[4, 8]", "model.decoder.channels=[8, 4]"]
    (record,) = reproduce(["vq-vae-512x64"], data="digits", seeds=1, quick=True, out=tmp_path, settings=small)
    assert 1 <= record["figures"]["perplexity"]["mean"] <= record["figures"]["codes_used"]["mean"] <= 512
    assert "rate" not in record["figures"] and record["mean"] == record["figures"]["mse"]["mean"]


def test_unknown_systems_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="Did you mean 'vae-400-20'"):
        reproduce(["vae-400-2"], out=tmp_path)
    with pytest.raises(ConfigError, match="at least 1"):
        reproduce(["ae-32"], seeds=0, out=tmp_path)
