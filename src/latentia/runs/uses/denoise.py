"""Denoising: noise is put on clean data, or noisy data come from a file, and the model takes it off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from latentia.data.corruption import Corruption, GaussianCorruption
from latentia.data.settings import (
    CorruptionSettings,
    GaussianCorruptionSettings,
    MaskingCorruptionSettings,
    SaltAndPepperCorruptionSettings,
)
from latentia.errors import ConfigError, did_you_mean
from latentia.evaluation import denoising
from latentia.evaluation.denoising import Scores
from latentia.evaluation.encoding import evaluating
from latentia.exploration.denoising import plot_denoising
from latentia.exploration.style import save_figure
from latentia.recipes.build import build_corruption, check_corruption
from latentia.runs.uses.feeding import feed
from latentia.runs.uses.places import place

if TYPE_CHECKING:
    from latentia.data.dataset import DataSpec
    from latentia.runs.run import Run

KINDS = ("gaussian", "masking", "salt-and-pepper")
MOST = 100_000  # samples at once: they are kept in memory and drawn


@dataclass(frozen=True, eq=False)
class Denoising:
    """Noisy data, and what the model made of them.

    Attributes:
        x: The first clean samples, (N, *event), or ``None`` where nobody knows them.
        noisy: What the model was shown, (N, *event).
        denoised: The mean of p(x given z) at the posterior mean, (N, *event).
        source: Where the data came from.
        corruption: What was done to them, in words; ``None`` for data that came noisy.
        seed: Of the noise.
        count: Of how many samples the scores are: of all there are, not only of the first N; 0 without scores.
        noisy_scores: Of what the model was shown against the clean data, or ``None``.
        denoised_scores: Of what it made of that, or ``None``.
        ssim_window: Side of the window of the SSIM, in pixels, or ``None``.
        picture: The picture that was written, or ``None``.
    """

    x: Tensor | None
    noisy: Tensor
    denoised: Tensor
    source: str
    corruption: str | None
    seed: int
    count: int
    noisy_scores: Scores | None
    denoised_scores: Scores | None
    ssim_window: int | None
    picture: Path | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores should know, one sentence each."""
        if self.noisy_scores is None or self.denoised_scores is None:
            return ()
        if self.denoised_scores.mse < self.noisy_scores.mse:
            return ()
        return (
            f"the denoised data are further from the clean ones (mse {self.denoised_scores.mse:.3g}) than the noisy "
            f"ones ({self.noisy_scores.mse:.3g}): this model has not learned to take this noise off; train one "
            "on such noise, as `latentia train denoising-ae` does (objective.corruption says which)",
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no arrays, but where they were drawn."""
        return {
            "picture": None if self.picture is None else str(self.picture),
            "source": self.source,
            "n": len(self.noisy),
            "corruption": self.corruption,
            "seed": self.seed,
            "scored": self.count,
            "noisy": None if self.noisy_scores is None else self.noisy_scores.to_json(),
            "denoised": None if self.denoised_scores is None else self.denoised_scores.to_json(),
            "ssim_window": self.ssim_window,
            "notes": list(self.notes),
        }


def denoise(
    run: Run,
    n: int = 8,
    *,
    corruption: str | Corruption | None = None,
    sigma: float | None = None,
    probability: float | None = None,
    split: str = "test",
    input: str | Path | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    write: bool = True,
) -> Denoising:
    """Take noise off data and draw it; see :meth:`latentia.Run.denoise`."""
    if not 1 <= n <= MOST:
        raise ConfigError(f"n must be between 1 and {MOST:,}, not {n}")
    if input is not None:
        if (corruption, sigma, probability) != (None, None, None):
            raise ConfigError("the data of --input are taken as they are, noisy: leave the corruption out")
        return _denoise_given(run, n, input, seed, out, write)
    chosen = choose_corruption(run, corruption, sigma=sigma, probability=probability)
    source = feed(run, None, split=split)
    result = denoising.denoise(run.model, source.blocks, run.spec, chosen, seed=seed, keep=n)
    path = place(run, out, "denoised.png") if write else None
    found = Denoising(
        result.x,
        result.noisy,
        result.denoised,
        source.source,
        _in_units(chosen, run.spec),
        seed,
        result.count,
        result.noisy_scores,
        result.denoised_scores,
        result.ssim_window,
        path,
    )
    _draw(found, run, None if source.names is None else source.names[:n])
    return found


def _in_units(corruption: Corruption, spec: DataSpec) -> str:
    """What a corruption does, with the unit of a standard deviation: that of what the model sees."""
    if not isinstance(corruption, GaussianCorruption):
        return corruption.describe()
    in_unit = spec.low >= 0 and spec.high <= 1
    values = f"{'pixels' if spec.is_image else 'values'} {'lie in [0, 1]' if in_unit else 'as the model sees them'}"
    return f"{corruption.describe()} ({values})"


def _denoise_given(run: Run, n: int, input: str | Path, seed: int, out: str | Path | None, write: bool) -> Denoising:
    source = feed(run, n, input=input)
    noisy, denoised = [], []
    with evaluating(run.model):
        for block in source.blocks:
            noisy.append(block.x.cpu())
            denoised.append(run.model.reconstruct(block.x, block.y).cpu())
    path = place(run, out, "denoised.png") if write else None
    found = Denoising(None, torch.cat(noisy), torch.cat(denoised), source.source, None, seed, 0, None, None, None, path)
    _draw(found, run, source.names)
    return found


def figures(run: Run, split: str, seed: int) -> dict[str, Any]:
    """What an evaluation says of a run that was trained to denoise, under its own corruption; else nothing."""
    corruption = build_corruption(run.config.objective.corruption)
    if corruption is None:
        return {}
    result = denoising.denoise(run.model, feed(run, None, split=split).blocks, run.spec, corruption, seed=seed)
    parts = {"noisy": result.noisy_scores, "denoised": result.denoised_scores}
    return {f"{part}_{name}": value for part, scores in parts.items() for name, value in scores.to_json().items()}


def choose_corruption(
    run: Run,
    corruption: str | Corruption | None = None,
    *,
    sigma: float | None = None,
    probability: float | None = None,
) -> Corruption:
    """The corruption that was asked for; what is left open is as in the run's training, or a default.

    Raises:
        ConfigError: If there is none of that name, or a number is out of range or belongs to another kind.
    """
    if isinstance(corruption, Corruption):
        if sigma is not None or probability is not None:
            raise ConfigError("a corruption brings its own numbers: leave sigma and probability out")
        return corruption
    own = run.config.objective.corruption
    name = corruption
    if name is None:
        name = "gaussian" if sigma is not None or own is None else own.name
    if name not in KINDS:
        raise ConfigError(f"no corruption is called '{name}': there are {', '.join(KINDS)}.{did_you_mean(name, KINDS)}")
    if sigma is not None and (name != "gaussian" or not (math.isfinite(sigma) and sigma > 0)):
        raise ConfigError(
            f"sigma is of Gaussian noise, not of {name}: leave it out, or give a probability instead"
            if name != "gaussian"
            else f"sigma must be a positive number, not {sigma:g}"
        )
    if probability is not None and (name == "gaussian" or not 0 < probability <= 1):
        raise ConfigError(
            "a probability is of masking or salt and pepper: choose one with --corruption, or give --sigma instead"
            if name == "gaussian"
            else f"the probability must be above 0 and at most 1, not {probability:g}"
        )
    settings = own if own is not None and own.name == name else _default(name, run.spec)
    given = {"sigma": sigma, "probability": probability}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})
    check_corruption(settings, run.spec)
    built = build_corruption(settings)
    assert built is not None
    return built


def _default(name: str, spec: DataSpec) -> CorruptionSettings:
    """The corruption of a name for data of a kind."""
    if name == "masking":
        return MaskingCorruptionSettings()
    in_unit = spec.low >= 0 and spec.high <= 1
    if name == "salt-and-pepper":
        low, high = (0.0, 1.0) if in_unit else (spec.low, spec.high if spec.high > spec.low else spec.low + 1.0)
        return SaltAndPepperCorruptionSettings(low=low, high=high)
    return GaussianCorruptionSettings(clamp=[0.0, 1.0] if in_unit else None)


def _draw(found: Denoising, run: Run, labels: list[str] | None) -> None:
    if found.picture is None:
        return
    remarks = []
    if found.noisy_scores is not None and found.denoised_scores is not None:
        remarks = [
            f"all {found.count:,} {found.source}: noisy {in_words(found.noisy_scores)}",
            f"denoised {in_words(found.denoised_scores)}",
        ]
    under = f": {found.corruption} (seed {found.seed})" if found.corruption else ""
    figure = plot_denoising(
        found.x,
        found.noisy,
        found.denoised,
        run.spec,
        labels=labels,
        remarks=remarks,
        title=f"{found.source}, denoised{under}",
    )
    save_figure(figure, found.picture)


def in_words(scores: Scores) -> str:
    """Such as ``mse 0.0163, PSNR 17.9 dB, SSIM 0.82``."""
    words = [f"mse {scores.mse:.4g}"]
    if scores.psnr is not None:
        words.append(f"PSNR {scores.psnr:.1f} dB")
    if scores.ssim is not None:
        words.append(f"SSIM {scores.ssim:.3f}")
    return ", ".join(words)
