"""Second stages: priors that are fitted to the latents of a finished run, kept in it, and found again for sampling.

```
<run>/priors/
  gmm/         config.json (settings, figures, fingerprint of the model)  prior.safetensors  metrics.jsonl if trained
  .fitting-*   a fit that was interrupted: the same command goes on with it
```
"""

from __future__ import annotations

import hashlib
import math
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from latentia import storage
from latentia.data.dataset import Dataset, DataSpec, Split
from latentia.data.preparation import Preparation
from latentia.data.seeds import derive_seed
from latentia.errors import CheckpointError, ConfigError, Interrupted, RunError
from latentia.evaluation.encoding import draw_labelled_latents
from latentia.objectives.code_likelihood import CodeLikelihood
from latentia.objectives.diffusion import DiffusionObjective
from latentia.objectives.terms import Objective
from latentia.parts.code_priors import AutoregressivePrior, UniformCodesPrior
from latentia.parts.latent_priors import DiffusionPrior, PriorOfEachClass, standardisation
from latentia.parts.priors import Prior, StandardNormalPrior
from latentia.recipes.build import build_latent_prior
from latentia.recipes.second_stages import STAGES, make_stage, read_stage
from latentia.training.checkpoint import CheckpointStore, from_bytes, restore_model, to_bytes
from latentia.training.events import Events
from latentia.training.execution import Execution, decide_execution
from latentia.training.interrupt import InterruptRequest
from latentia.training.loop import fit
from latentia.training.metrics import MetricsFile
from latentia.training.mixture import FittedMixture, fit_mixture

if TYPE_CHECKING:
    from latentia.runs.run import Run

FORMAT = "latentia-prior"
VERSION = 1
_BLOCK = 1024  # latents whose density is computed together
_LARGEST_GAP = 0.5  # nats per latent dimension between training and test density, above which a mixture over-fits
_MEASURED = 10_000  # latents of each part, the first ones, whose mean density is told


@dataclass(frozen=True, eq=False)
class PriorFit:
    """What fitting a prior to a run's latents came to.

    Attributes:
        name: Which prior, as ``sample`` takes it.
        prior: The prior itself.
        report: What ``latentia fit-prior --json`` prints: run, prior, latents, latent_shape, classes (how many it tells
            apart, ``None`` where it knows none), draws, seed, parameters, seconds, steps and loss of a trained one,
            iterations and converged of a mixture (of several the most, and whether all did), log_density of the
            training and test parts in nats per latent vector where there is a density (the mean over the first 10,000
            of each), settings, picture.
    """

    name: str
    prior: Prior
    report: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: no weights, but where they are."""
        return self.report


def fit_prior(
    run: Run,
    name: str,
    *,
    seed: int | None = None,
    settings: Sequence[str] = (),
    events: Events | None = None,
) -> PriorFit:
    """Fit a prior to the latents of a run's training part; see :meth:`latentia.Run.fit_prior`."""
    stage = make_stage(name, settings)
    seed = run.config.seed if seed is None else seed
    if seed < 0:
        raise ConfigError(f"the seed must be at least 0, not {seed}")
    events = events or Events()
    job = _Job(run, name, stage, seed, events)
    with nullcontext() if run.directory is None else run.directory.locked():
        result = job.work()
        if run.directory is not None:
            _draw(run, result, events)
    events.finished(result.report)
    return result


class _Job:
    """One fit of a prior."""

    def __init__(self, run: Run, name: str, stage: Any, seed: int, events: Events) -> None:
        self.run, self.name, self.stage, self.seed, self.events = run, name, stage, seed, events
        self.model = run.model
        weights = derive_seed(seed, "prior", name, "weights")
        shape, codes = space_of(self.model)
        self.classes = len(run.spec.classes) if self.model.conditional and codes is None else None
        self.prior: Any = build_latent_prior(stage, shape, codes=codes, classes=self.classes, seed=weights)
        self.folder = None if run.directory is None else run.directory.priors / name
        self.report: dict[str, Any] = {}

    def work(self) -> PriorFit:
        """Encode, fit, measure, write."""
        began = time.perf_counter()
        self.events.said(f"encoding the training part of {self.run.name}")
        latents, y = self._latents("train")
        self.report = {
            "run": None if self.run.path is None else str(self.run.path),
            "prior": self.name,
            "latents": len(latents),
            "latent_shape": list(self.prior.latent_shape),
            "classes": self.classes,
            "draws": self._draws(),
            "seed": self.seed,
            "parameters": sum(parameter.numel() for parameter in self.prior.parameters()),
        }
        if isinstance(self.prior, DiffusionPrior):
            self.prior.adopt(latents)
            self.report |= self._train(latents, y, DiffusionObjective())
        elif isinstance(self.prior, AutoregressivePrior):
            self.report |= self._train(latents, None, CodeLikelihood())
        else:
            self.report |= self._mix(latents, y)
        self.prior.eval().requires_grad_(False).cpu()
        self.report["log_density"] = self._log_density(latents, y)
        self._tell_of_overfitting()
        self.report["seconds"] = round(time.perf_counter() - began, 3)
        self.report["settings"] = self.stage.model_dump(mode="json")
        if self.folder is not None:
            self._write()
        else:
            self.run.fitted_priors[self.name] = self.prior
        return PriorFit(self.name, self.prior, self.report)

    def _draws(self) -> int:
        return 1 if getattr(self.model.posterior, "deterministic", False) else self.stage.draws

    def _latents(self, split: str) -> tuple[Tensor, Tensor | None]:
        """Draws from the posteriors, with their labels where the prior is to know them."""
        z, y = draw_labelled_latents(self.model, self.run.dataset, split, draws=self._draws(), seed=self.seed)
        return z, None if self.classes is None else y

    # -- the mixture --------------------------------------------------------------------------------------------

    def _mix(self, latents: Tensor, y: Tensor | None) -> dict[str, Any]:
        if not isinstance(self.prior, PriorOfEachClass):
            self.events.said(f"fitting {self.stage.components} Gaussians to {len(latents):,} latents")
            found = [self._mixed(self.prior, latents)]
        else:
            assert y is not None
            self.events.said(
                f"fitting {self.stage.components} Gaussians to the latents of each of {self.classes} classes, "
                f"{len(latents):,} altogether"
            )
            parts = [latents[y == label] for label in range(len(self.prior.of_each))]
            for part, name in zip(parts, self.run.spec.classes, strict=True):
                if len(part) < max(2, self.stage.components):
                    raise ConfigError(
                        f"class '{name}' has {len(part)} latents, too few for {self.stage.components} components: "
                        "lower components, or raise draws"
                    )
            found = [
                self._mixed(prior, part, label)
                for label, (prior, part) in enumerate(zip(self.prior.of_each, parts, strict=True))
            ]
        iterations, converged = max(mixture.iterations for mixture in found), all(m.converged for m in found)
        if not converged:
            self.events.said(
                f"the mixture still changed after {iterations} iterations: for more, --set "
                f"iterations={2 * self.stage.iterations}"
            )
        return {"iterations": iterations, "converged": converged}

    def _mixed(self, prior: Any, latents: Tensor, *part: int) -> FittedMixture:
        """Fit one mixture and put it into its prior."""
        stage = self.stage
        shift, scale = standardisation(latents.flatten(1))
        found = fit_mixture(
            latents.flatten(1),
            shift,
            scale,
            components=stage.components,
            covariance=stage.covariance,
            iterations=stage.iterations,
            regularisation=stage.regularisation,
            seed=derive_seed(self.seed, "prior", self.name, *part) % 2**32,
        )
        with torch.no_grad():
            prior.logits.copy_(found.weights.log())
            prior.loc.copy_(found.means.view_as(prior.loc))
            if stage.covariance == "full":
                prior.scale_tril.copy_(found.tril)
            else:
                prior.logvar.copy_(2 * found.tril.log().view_as(prior.logvar))
        return found

    def _log_density(self, latents: Tensor, y: Tensor | None) -> dict[str, float] | None:
        if isinstance(self.prior, DiffusionPrior):
            return None
        parts = {"train": (latents, y)}
        if "test" in self.run.dataset.splits:
            parts["test"] = self._latents("test")
        with torch.no_grad():
            return {part: self._mean_log_density(z[:_MEASURED], y) for part, (z, y) in parts.items()}

    def _mean_log_density(self, z: Tensor, y: Tensor | None) -> float:
        starts = range(0, len(z), _BLOCK)
        pieces = [slice(start, min(start + _BLOCK, len(z))) for start in starts]
        densities = [self.prior.log_prob(z[piece], None if y is None else y[piece]) for piece in pieces]
        return float(torch.cat(densities).double().mean())

    def _tell_of_overfitting(self) -> None:
        density = self.report["log_density"]
        if self.name != "gmm" or "test" not in density:
            return
        gap = density["train"] - density["test"]
        if gap > math.prod(self.prior.latent_shape) * _LARGEST_GAP:
            self.events.said(
                f"the mixture fits the training part better than the test part, by {gap:.3g} nats per latent vector: "
                "for one that generalises lower components, raise draws or regularisation, or --set covariance=diagonal"
            )

    # -- what is trained ----------------------------------------------------------------------------------------

    def _train(self, latents: Tensor, y: Tensor | None, objective: Objective) -> dict[str, Any]:
        splits = {"train": Split(latents, y)}
        if "valid" in self.run.dataset.splits:
            splits["valid"] = Split(*self._latents("valid"))
        training = self.stage.training
        for setting in ("patience", "evaluate_every"):
            if getattr(training, setting) is not None and "valid" not in splits:
                raise ConfigError(
                    f"training.{setting} needs a validation part, which this run has not: leave it out, or train the "
                    "model with --set data.validation=0.05"
                )
        spec = DataSpec(tuple(self.prior.latent_shape), low=float(latents.min()), high=float(latents.max()))
        dataset = Dataset(f"latents of {self.run.name}", spec, Preparation(within_unit=False), splits, "")
        work = None if self.folder is None else self.folder.with_name(f".fitting-{self.name}")
        execution = decide_execution(training, self.prior)
        if work is not None:
            execution = self._continue_or_begin(work, execution)
        rows = _Rows(self.events)
        self._announce(work, execution, len(latents))
        with InterruptRequest() as interrupt, self._explained(work):
            result = fit(
                self.prior,
                objective,
                dataset,
                training,
                execution=execution,
                seed=self.seed,
                stage=f"prior-{self.name}",
                store=None if work is None else CheckpointStore(work / "checkpoints"),
                metrics=None if work is None else MetricsFile(work / "metrics.jsonl"),
                events=rows,
                interrupt=interrupt,
            )
        return {"steps": result.step, "loss": rows.loss, "device": execution.device, "precision": execution.precision}

    def _plan(self) -> dict[str, Any]:
        """What a fit must agree in with an interrupted one to go on with it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "settings": self.stage.model_dump(mode="json"),
            "seed": self.seed,
            "latent_shape": list(self.prior.latent_shape),
            "codes": space_of(self.model)[1],
            "classes": self.classes,
            "model": fingerprint(self.model),
        }

    def _continue_or_begin(self, work: Path, execution: Execution) -> Execution:
        plan = self._plan()
        try:
            found = storage.read_json(work / "plan.json")
            if {key: found[key] for key in plan} == plan:
                return Execution.from_json(found["execution"])
        except (OSError, ValueError, KeyError, TypeError):  # none, or damaged: begin anew
            pass
        storage.remove(work)
        storage.make_folder(work)
        storage.write_json(work / "plan.json", {**plan, "execution": execution.to_json()})
        return execution

    def _announce(self, work: Path | None, execution: Execution, n: int) -> None:
        training = self.stage.training
        found = None if work is None else CheckpointStore(work / "checkpoints").find("last")
        per_epoch = n / training.batch_size
        steps = training.steps if training.steps is not None else -(-int(training.epochs * n) // training.batch_size)
        self.events.started(
            {
                "run": None if self.run.path is None else str(self.run.path),
                "preset": f"the prior {self.name}",
                "data": f"{n:,} latents of {self.run.name}",
                "device": execution.device,
                "precision": execution.precision,
                "parameters": self.report["parameters"],
                "steps": steps,
                "steps_per_epoch": per_epoch,
                "step": 0 if found is None else int(found.name),
            }
        )

    @contextmanager
    def _explained(self, work: Path | None) -> Iterator[None]:
        try:
            yield
        except Interrupted as error:
            if work is None:
                raise
            raise Interrupted(f"{error}; the same command goes on with it") from None

    # -- files --------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        assert self.folder is not None
        storage.make_folder(self.folder.parent)
        work = self.folder.with_name(f".fitting-{self.name}")
        weights = to_bytes(self.prior.state_dict())
        description = {
            **self._plan(),
            "sha256": hashlib.sha256(weights).hexdigest(),
            "fitted": time.time(),
            "report": {key: value for key, value in self.report.items() if key not in ("run", "settings", "picture")},
        }
        with storage.new_folder(self.folder) as aside:
            storage.write_bytes(aside / "prior.safetensors", weights, durable=False)
            if (work / "metrics.jsonl").is_file():
                storage.write_bytes(aside / "metrics.jsonl", (work / "metrics.jsonl").read_bytes(), durable=False)
            storage.write_json(aside / "config.json", description, durable=False)
        storage.remove(work)
        self.report["folder"] = str(self.folder)


class _Rows(Events):
    """Passes on what the loop tells, and keeps the last loss."""

    def __init__(self, listener: Events) -> None:
        self.listener = listener
        self.loss: float | None = None

    def progressed(self, step: int) -> None:
        """``step`` steps are done."""
        self.listener.progressed(step)

    def logged(self, row: Mapping[str, Any]) -> None:
        """A line of ``metrics.jsonl`` was made."""
        if row["split"] == "train":
            self.loss = row["loss"]
        self.listener.logged(row)

    def said(self, message: str) -> None:
        """Something worth a line."""
        self.listener.said(message)


def _draw(run: Run, result: PriorFit, events: Events) -> None:
    """A grid of samples, into the run and its report."""
    events.said("drawing samples")
    samples = run.sample(prior=result.name)
    result.report["picture"] = None if samples.picture is None else str(samples.picture)
    if run.summary:
        run.write_report()


# -- finding them again ---------------------------------------------------------------------------------------------

ALWAYS = ("model", "standard-normal", "uniform")
"""What ``sample --prior`` takes beside the names of fitted priors."""


def find_prior(run: Run, name: str | None) -> tuple[str, Prior | None]:
    """The prior to sample from.

    Args:
        run: The run.
        name: A fitted prior, ``model`` for the model's own, ``standard-normal``; ``None`` for the model's own where
            it has one, and otherwise for the prior that was fitted last.

    Returns:
        Its name, and the prior; ``None`` for the model's own.

    Raises:
        ConfigError: If there is no such prior, or none at all.
        RunError: If it was fitted to another state of the model.
        CheckpointError: If its files are damaged.
    """
    if name is None:
        fitted = [] if run.model.has_prior else fitted_names(run)
        name = fitted[-1] if fitted else "model"
    place = "RUN" if run.path is None else shlex.quote(str(run.path))
    if name == "model":
        if not run.model.has_prior:
            suited = "autoregressive" if run.model.discrete else "gmm"
            raise ConfigError(
                f"this model has no prior of its own, so there is nothing to sample from: fit one to its latents with "
                f"`latentia fit-prior {place} {suited}`, or train a preset with one, such as vae"
            )
        return name, None
    if name in ("standard-normal", "uniform") and run.model.discrete != (name == "uniform"):
        wanted = "uniform" if run.model.discrete else "standard-normal"
        raise ConfigError(f"this model's latents are {'codes' if run.model.discrete else 'real numbers'}: use {wanted}")
    if name == "uniform":
        shape, codes = space_of(run.model)
        return name, UniformCodesPrior(shape, codes or 0).to(_device(run.model))
    if name == "standard-normal":
        return name, StandardNormalPrior(run.model.latent_shape).to(_device(run.model))
    if name not in STAGES:
        raise ConfigError(f"there is no prior '{name}': use {', '.join((*ALWAYS, *STAGES))}")
    if run.directory is None and name in run.fitted_priors:
        return name, run.fitted_priors[name].to(_device(run.model))
    if run.directory is None or not (run.directory.priors / name / "config.json").is_file():
        raise ConfigError(f"no prior '{name}' has been fitted yet: fit it with `latentia fit-prior {place} {name}`")
    return name, _load(run.directory.priors / name, run.model, place).to(_device(run.model))


def fitted_names(run: Run) -> list[str]:
    """The priors that have been fitted to a run, the latest last."""
    if run.directory is None:
        return list(run.fitted_priors)
    times: dict[str, float] = {}
    for name in STAGES:
        try:
            times[name] = float(storage.read_json(run.directory.priors / name / "config.json")["fitted"])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError):
            times[name] = 0.0  # damaged; whoever uses it is told so
    return sorted(times, key=lambda name: times[name])


def _load(folder: Path, model: nn.Module, place: str) -> Prior:
    again = f"fit it again with `latentia fit-prior {place} {folder.name}`"
    try:
        value = storage.read_json(folder / "config.json")
        if value["format"] != FORMAT or not isinstance(value["version"], int):
            raise ValueError(value["format"])
        if value["version"] > VERSION:
            raise RunError(f"{folder} was written by a newer Latentia: update it to use this prior")
        stage = read_stage(value["settings"], str(folder / "config.json"))
        shape, known = [int(size) for size in value["latent_shape"]], str(value["model"])
        codes = None if value["codes"] is None else int(value["codes"])
        classes = value.get("classes")  # missing where it was fitted before priors knew classes
        classes = None if classes is None else int(classes)
        data = (folder / "prior.safetensors").read_bytes()
        if hashlib.sha256(data).hexdigest() != value["sha256"]:
            raise ValueError("checksum")
    except RunError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"the prior in {folder} is damaged: {again}") from error
    if known != fingerprint(model):
        raise RunError(f"the model was trained further after the prior in {folder} was fitted: {again}")
    prior = build_latent_prior(stage, shape, codes=codes, classes=classes)
    restore_model(prior, from_bytes(data, folder / "prior.safetensors"), folder / "prior.safetensors")
    return prior.eval().requires_grad_(False)


def space_of(model: Any) -> tuple[tuple[int, ...], int | None]:
    """What a prior is over: the latents' shape, or the shape of their indices and the number of codes."""
    if model.discrete:
        return tuple(model.posterior.code_shape), model.posterior.codebook_size
    return tuple(model.latent_shape), None


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of a model's weights, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _device(model: nn.Module) -> torch.device:
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
