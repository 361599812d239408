"""Models with discrete latents as runs: resumed to the same codebook, evaluated, and sampled from a fitted prior."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from latentia.errors import ConfigError, Interrupted
from latentia.runs import fitting, pictures
from latentia.runs.run import Run, open_run
from latentia.training.events import Events

SMALL = {
    "training.steps": 12,
    "training.batch_size": 32,
    "training.device": "cpu",
    "training.threads": 1,
    "training.log_every": 2,
    "training.checkpoint_every": 3,
    "model.encoder.channels": [4, 8],
    "model.decoder.channels": [8, 4],
    "model.posterior.codes": 16,
    "model.posterior.dimension": 3,
}
NETWORK = ["width=8", "layers=1", "training.steps=6", "training.batch_size=32", "training.device=cpu"]


@pytest.fixture(autouse=True)
def fewer_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "draw_run", lambda run, evaluation: None)
    monkeypatch.setattr(pictures, "draw_samples", lambda path, *rest: path.write_bytes(b"PNG"))


class Stop(Events):
    """Asks for an end after some steps."""

    def logged(self, row: Any) -> None:
        if row["step"] == 4:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("learning", ["ema", "gradient"])
def test_an_interrupted_run_resumes_to_the_same_codebook(
    tmp_path: Path, learning: str, contents: Callable[[Path], dict[str, Any]]
) -> None:
    settings = {**SMALL, "model.posterior.learning": learning, "model.posterior.revive_below": 0.5}
    fitting.train("vq-vae", directory=tmp_path / "whole", settings=settings)
    with pytest.raises(Interrupted):
        fitting.train("vq-vae", directory=tmp_path / "parts", settings=settings, events=Stop())
    fitting.resume(tmp_path / "parts")
    assert contents(tmp_path / "whole") == contents(tmp_path / "parts")


@pytest.fixture(scope="module")
def vq() -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "draw_run", lambda run, evaluation: None)
        return fitting.train("vq-vae", directory=None, settings=SMALL)


def test_what_is_measured(vq: Run) -> None:
    found = vq.evaluate(importance_samples=10)
    assert found["rate"] is found["elbo"] is found["nll"] is None
    assert "codes that were trained without a prior" in found["protocol"]["rate"]
    assert found["codebook_size"] == 16 and found["code_bits"] == 4 * 4
    assert found["perplexity"] <= found["codes_used"] <= 16
    x = vq.preparation(vq.dataset.split("test").loaded())
    with torch.no_grad():
        counts = torch.bincount(vq.model.encode(x).indices.flatten(), minlength=16)  # type: ignore[attr-defined]
    p = counts[counts > 0] / counts.sum()
    assert found["perplexity"] == pytest.approx(math.exp(-float((p * p.log()).sum())), rel=1e-4)
    assert all("perplexity" in row for row in vq.metrics)


def test_codes_are_sampled_from_their_priors(vq: Run) -> None:
    with pytest.raises(ConfigError, match="latentia fit-prior RUN autoregressive"):
        vq.sample(3)
    with pytest.raises(ConfigError, match="use uniform"):
        vq.sample(3, prior="standard-normal")
    with pytest.raises(ConfigError, match="fit autoregressive instead"):
        vq.fit_prior("gmm")
    fit = vq.fit_prior("autoregressive", settings=NETWORK)
    assert fit.report["latent_shape"] == [2, 2] and fit.report["latents"] == 1438
    assert set(fit.report["log_density"]) == {"train", "test"}
    x = vq.preparation(vq.dataset.split("test").loaded())
    with torch.no_grad():
        density = fit.prior.log_prob(vq.model.encode(x).indices)  # type: ignore[operator, attr-defined]
    assert fit.report["log_density"]["test"] == pytest.approx(float(density.double().mean()), rel=1e-5)
    first, again, uniform = vq.sample(5), vq.sample(5), vq.sample(5, prior="uniform")
    assert first.prior == "autoregressive" and uniform.prior == "uniform"
    assert torch.equal(first.x, again.x) and not torch.equal(first.x, uniform.x)


def test_a_fitted_prior_is_kept(tmp_path: Path) -> None:
    run = fitting.train(
        "fsq-ae", directory=tmp_path / "fsq", settings={k: v for k, v in SMALL.items() if "posterior" not in k}
    )
    run.fit_prior("autoregressive", settings=NETWORK)
    again = open_run(tmp_path / "fsq").sample(5, write=False)
    assert again.prior == "autoregressive" and torch.equal(again.x, run.sample(5, write=False).x)


def test_real_latents_have_no_prior_over_codes() -> None:
    run = fitting.train("ae", directory=None, steps=2, device="cpu")
    with pytest.raises(ConfigError, match="fit gmm or diffusion instead"):
        run.fit_prior("autoregressive")
    with pytest.raises(ConfigError, match="use standard-normal"):
        run.sample(2, prior="uniform")
