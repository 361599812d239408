"""One training, from a resolved config to a finished run, and what is recorded while it lasts."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentia import storage
from latentia.data.batches import IndexStream
from latentia.data.dataset import Dataset
from latentia.data.labels import LABELLED
from latentia.data.seeds import derive_seed
from latentia.errors import (
    ConfigError,
    DataError,
    DivergedError,
    EnvironmentFault,
    Interrupted,
    LatentiaError,
    ProcessLost,
    RunError,
)
from latentia.models.stacked import StackedModel
from latentia.recipes.build import build_model, build_objective, check_together
from latentia.recipes.config import Config, to_toml
from latentia.runs import pictures
from latentia.runs.beneath import lay_base
from latentia.runs.directory import RunDirectory
from latentia.runs.model_folder import model_card, save_model
from latentia.runs.run import Run
from latentia.runs.uses.doctor import examine
from latentia.training.distributed import Alone, Ranks
from latentia.training.events import Events, Several
from latentia.training.execution import Execution, decide_execution, describe_machine
from latentia.training.interrupt import InterruptRequest
from latentia.training.loop import FitResult, fit
from latentia.training.profiling import Profile, lap_of
from latentia.training.settings import TrainingSettings

HEARTBEAT_SECONDS = 2.0


class Job:
    """One training from a resolved config to a finished run."""

    def __init__(
        self,
        config: Config,
        dataset: Dataset,
        began: float,
        events: Events,
        execution: Execution | None = None,
        profile: Profile | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.ranks = ranks or Alone()
        self.config, self.dataset, self.events = config, dataset, events if self.ranks.main else Events()
        self.profile, self.lap = profile, lap_of(profile)
        _check_batch(config.training.batch_size, self.ranks.world)
        samples, validated = len(dataset.split("train")), "valid" in dataset.splits
        self.notes = [*dataset.notes, *check_together(config, dataset.spec, samples, validated=validated)]
        if config.model.condition is not None and config.model.classifier is None:
            _check_labels(dataset)
        with _memory_explained(self.config):
            self.model = build_model(config.model, dataset.spec, seed=derive_seed(config.seed, "weights"))
        few = len(dataset.splits.get(LABELLED, ()))
        if few and config.objective.name == "semi-supervised" and self.ranks.world > 1:
            raise ConfigError(
                "few labels cannot be shared by several processes: train in one process, without torchrun"
            )
        self.objective = build_objective(config.objective, labelled_share=few / (few + samples) if few else None)
        steps = planned_steps(config.training, samples)
        compilable = self.objective.compilable and self.ranks.world == 1
        self.execution = self.ranks.placed(
            execution or decide_execution(config.training, self.model, steps, compilable=compilable)
        )
        self.ranks.agree(
            settings=to_toml(config), data=dataset.fingerprint, versions_of_Latentia=_versions()["latentia"]
        )
        self.parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.seconds = {"data": time.perf_counter() - began}
        self.lap("model")

    def meta(self, data_dir: str | Path | None) -> dict[str, Any]:
        """What ``meta.json`` records of this run."""
        return {
            "versions": _versions(),
            "git": _git_commit(),
            "machine": describe_machine(self.execution.device),
            "execution": self.execution.to_json(),
            "processes": self.ranks.world,
            "seed": self.config.seed,
            "parameters": self.parameters,
            "data": {
                "source": self.config.data.source,
                "data_dir": None if data_dir is None else str(Path(data_dir).absolute()),
                "fingerprint": self.dataset.fingerprint,
                "spec": self.dataset.spec.to_json(),
                "splits": {name: len(part) for name, part in self.dataset.splits.items()},
            },
            "notes": self.notes,
        }

    def work(self, directory: RunDirectory | None, *, resumed: bool = False, extended: bool = False) -> Run:
        """Fit, evaluate, draw and write.

        Args:
            directory: The run's files, or ``None`` to write nothing.
            resumed: Whether the run has begun before: it then stays what it was until its checkpoint is loaded.
            extended: Whether the config differs from the stored one, which it takes the place of at that moment.
        """
        recorder = Recorder(directory)
        events = Several(self.events, recorder)
        place = self.ranks.from_main(None if directory is None else str(directory.path))

        def abandoned(reason: str) -> str:
            message = reason if place is None else _way_on(reason, RunDirectory(Path(place)))
            if directory is not None:
                with suppress(LatentiaError):
                    directory.write_status("failed", recorder.step, error=message)
                    directory.log(f"failed: {message}")
            return message

        def loaded() -> None:
            if extended and directory is not None:
                directory.write_status("interrupted", directory.last_step())  # no longer finished, from here on
                directory.write_config(self.config)
            self._announce(events, directory)

        self.ranks.abandoning = abandoned
        with _outcome_recorded(directory, recorder, resumed, place), _memory_explained(self.config):
            for note in self.notes:
                events.said(note)
            result = self._fit(directory, events, loaded)
            if not self.ranks.main:  # which evaluates and draws
                return Run(self.config, directory=None, summary={}, model=self.model, dataset=self.dataset)
            return self._finish(directory, result, events, recorder)

    def rebuild(self, directory: RunDirectory, summary: Mapping[str, Any]) -> Run:
        """Make a finished run's model, pictures and report again, from the checkpoint that became the model.

        Args:
            directory: The run's files; the caller holds the lock.
            summary: What the run came to.

        Raises:
            RunError: If that checkpoint is gone.
        """
        best = directory.checkpoints.find("best")
        if summary.get("best_step") is not None and (best is None or int(best.name) != summary["best_step"]):
            raise RunError(
                f"the checkpoint of step {summary['best_step']}, which became the model of {directory.path}, is gone; "
                f"train it anew with `latentia train {shlex.quote(str(directory.config_file))} --out ...`"
            )
        with _memory_explained(self.config):
            self.events.said(f"rebuilding what {directory.path} has lost from its checkpoint")
            self._fit(directory, Events(), lambda: None)
            run = Run(self.config, directory=directory, summary=dict(summary), model=self.model, dataset=self.dataset)
            with self.execution.applied():
                evaluation = directory.evaluation()
                if evaluation is None and "test" in self.dataset.splits:
                    evaluation = self._evaluate(run, directory, self.events)
                drawn = self._write(directory, run, evaluation)
                run.write_report()
            steps = int(summary["steps"])
            directory.write_status("finished", steps, summary=run.summary, drawn=drawn)
            directory.log(f"rebuilt from the checkpoint of step {summary.get('best_step') or steps}")
        self.events.finished(run.summary)
        return run

    def _announce(self, events: Events, directory: RunDirectory | None) -> None:
        n, training = len(self.dataset.split("train")), self.config.training
        per_epoch = n / training.batch_size
        events.started(
            {
                "run": None if directory is None else str(directory.path),
                "preset": self.config.preset,
                "data": self.config.data.source,
                "device": self.execution.device,
                "precision": self.execution.precision,
                "parameters": self.parameters,
                "steps": planned_steps(training, n),
                "steps_per_epoch": per_epoch,
                "step": 0 if directory is None else directory.last_step(),
            }
        )

    def _fit(self, directory: RunDirectory | None, events: Events, loaded: Callable[[], None]) -> FitResult:
        before = time.perf_counter()
        with InterruptRequest() as interrupt:
            if isinstance(self.model, StackedModel) and (directory is None or directory.last_step() == 0):
                lay_base(self.model, self.dataset, self.config, self.execution, directory, events, interrupt, loaded)
                loaded = _nothing
            result = fit(
                self.model,
                self.objective,
                self.dataset,
                self.config.training,
                execution=self.execution,
                seed=self.config.seed,
                store=None if directory is None else directory.checkpoints,
                metrics=None if directory is None else directory.metrics,
                events=events,
                interrupt=interrupt,
                loaded=loaded,
                profile=self.profile,
                ranks=self.ranks,
            )
        self.seconds["compilation"] = result.compilation_seconds
        self.seconds["training"] = time.perf_counter() - before - result.compilation_seconds
        return result

    def _finish(self, directory: RunDirectory | None, result: FitResult, events: Events, recorder: Recorder) -> Run:
        run = Run(
            self.config, directory=directory, summary={}, model=self.model, dataset=self.dataset, rows=recorder.rows
        )
        before = time.perf_counter()
        with self.execution.applied():
            evaluation = None
            if "test" in self.dataset.splits:
                events.said("evaluating on the test part")
                evaluation = self._evaluate(run, directory, events)
            self.seconds["evaluation"] = time.perf_counter() - before
            self.lap("evaluation")
            run.summary = self._summary(directory, result, evaluation)
            if directory is not None:
                events.said("drawing pictures and writing the report")
                before = time.perf_counter()
                drawn = self._write(directory, run, evaluation)
                self.seconds["pictures"] = time.perf_counter() - before
                self.lap("pictures")
                run.summary = self._summary(directory, result, evaluation)
                run.write_report()
                directory.write_status("finished", result.step, summary=run.summary, drawn=drawn)
        self._write_profile(directory, run)
        events.finished(run.summary)
        return run

    def _write_profile(self, directory: RunDirectory | None, run: Run) -> None:
        """Say where the time went, where that was asked for."""
        if self.profile is None:
            return
        self.lap("report")
        run.summary["profile"] = self.profile.to_json()
        if directory is not None:
            storage.write_json(directory.profile_file, run.summary["profile"])

    def _evaluate(self, run: Run, directory: RunDirectory | None, events: Events) -> dict[str, Any] | None:
        try:
            evaluation = run.measure()
        except DataError as error:  # values in the test part that no figure can be given for; the model is trained
            self.notes.append(str(error))
            events.said(str(error))
            return None
        if directory is not None:
            storage.write_json(directory.evaluation_file, evaluation)
        return evaluation

    def _write(self, directory: RunDirectory, run: Run, evaluation: dict[str, Any] | None) -> list[str]:
        """Draw the pictures and write the model's folder; the names of the pictures."""
        pictures.draw_run(run, evaluation)
        found = [directory.samples / "samples.png", directory.samples / "reconstructions.png"]
        drawn = {path.name: path.read_bytes() for path in found if path.is_file()}
        card = model_card(run.summary, evaluation, list(drawn), conditional=self.model.conditional)
        model = self.model
        storage.write_json(directory.doctor_file, examine(run, "finished").to_json())
        save_model(directory.model, model, self.config.model, self.dataset.spec, self.dataset.preparation, card, drawn)
        return [name for name, _, _ in pictures.FIGURES if (directory.path / name).is_file()]

    def _summary(
        self, directory: RunDirectory | None, result: FitResult, evaluation: dict[str, Any] | None
    ) -> dict[str, Any]:
        test = None
        if evaluation is not None:
            test = {key: evaluation[key] for key in ("elbo", "distortion", "rate", "mse")}
            test |= {key: evaluation[key] for key in ("noisy_mse", "denoised_mse") if key in evaluation}
            test |= {} if evaluation["error"] is None else {"error": evaluation["error"]}
        rate = result.images_per_second
        return {
            "run": None if directory is None else str(directory.path),
            "preset": self.config.preset,
            "data": self.config.data.source,
            "seed": self.config.seed,
            "epochs": round(result.epochs, 6),
            "steps": result.step,
            "parameters": self.parameters,
            "device": self.execution.device,
            "precision": self.execution.precision,
            "threads": self.execution.threads,
            "compiled": result.compiled,
            "processes": self.ranks.world,
            "images_per_second": None if rate is None else round(rate, 1),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "best_step": result.best_step,
            "stopped_early": result.stopped_early,
            "test": test,
            "notes": self.notes,
        }


class Recorder(Events):
    """Writes the run's status and log; keeps the metrics of a run without a directory."""

    def __init__(self, directory: RunDirectory | None) -> None:
        self.directory = directory
        self.began = False
        self.step = 0
        self.rows: list[dict[str, Any]] = []
        self._beat = 0.0

    def started(self, plan: Mapping[str, Any]) -> None:
        """Say in the run's files that it is running."""
        self.began, self.step = True, plan["step"]
        if self.directory is not None:
            self.directory.write_status("running", self.step, steps=plan["steps"])
            self.directory.log(f"started at step {plan['step']} of {plan['steps']} on {plan['device']}")
        self._plan = plan

    def progressed(self, step: int) -> None:
        """Renew the heartbeat."""
        self.step = step
        now = time.monotonic()
        if self.directory is not None and now - self._beat > HEARTBEAT_SECONDS:
            self._beat = now
            self.directory.write_status("running", step, steps=self._plan["steps"])

    def logged(self, row: Mapping[str, Any]) -> None:
        """Keep the row where no file does."""
        self.step = row["step"]
        if self.directory is None:
            self.rows.append(dict(row))

    def said(self, message: str) -> None:
        """Append to the log."""
        if self.directory is not None:
            self.directory.log(message)


def _nothing() -> None:
    """It was done before."""


def _check_labels(dataset: Dataset) -> None:
    """Refuse parts without labels where a conditional model will need them."""
    bare = [name for name, part in dataset.splits.items() if part.y is None]
    if dataset.spec.classes and bare:
        raise DataError(
            f"a conditional model needs the labels of every part, and the {bare[0]} part of {dataset.name} has none: "
            f"give {'y' if bare[0] == 'train' else f'y_{bare[0]}'} too, or leave that part out"
        )


def _check_batch(batch_size: int, processes: int) -> None:
    """Refuse a batch that several processes cannot share equally, before anything is written."""
    if batch_size % processes:
        multiple = -(-batch_size // processes) * processes
        raise ConfigError(
            f"{processes} processes cannot share batches of {batch_size} equally: choose a multiple of {processes}, "
            f"such as --set training.batch_size={multiple}"
        )


@contextmanager
def _outcome_recorded(
    directory: RunDirectory | None, recorder: Recorder, resumed: bool, place: str | None
) -> Iterator[None]:
    """Write into the run's status how it ended, if not well; add to what stopped training how to go on.

    Args:
        directory: The run's files, where this process writes them.
        recorder: Knows how far it came.
        resumed: Whether the run has begun before.
        place: The run's directory, whoever writes it.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, ProcessLost) and place is not None:
            error.args = (_way_on(str(error), RunDirectory(Path(place))),)
        if directory is None:
            raise
        state = "failed"
        if isinstance(error, (Interrupted, KeyboardInterrupt)):
            state = "interrupted"
        elif isinstance(error, DivergedError):
            state = "diverged"
        try:
            if recorder.began or not resumed:
                directory.write_status(state, recorder.step, error=str(error) or type(error).__name__)
            directory.log(f"{state}: {error}")
        except LatentiaError:  # such as a full disk, which is what `error` already says
            pass
        command = f"latentia resume {shlex.quote(str(directory.path))}"
        if isinstance(error, (Interrupted, KeyboardInterrupt)):
            raise Interrupted(f"{str(error) or 'interrupted'}; go on with: {command}") from None
        if storage.is_full(error.__cause__) and directory.last_step() > 0:
            raise EnvironmentFault(
                f"{error}; step {directory.last_step()} is saved, from which `{command}` goes on"
            ) from error.__cause__
        raise


def _way_on(reason: str, directory: RunDirectory) -> str:
    """Why a training ended with the loss of a process, and how to go on with it."""
    step, command = directory.last_step(), f"latentia resume {shlex.quote(str(directory.path))}"
    if step == 0:
        return f"{reason}; nothing had been saved yet: `{command}` begins anew, with as many processes as it is given"
    return f"{reason}; step {step} is saved, from which `{command}` goes on, with as many processes as it is given"


@contextmanager
def _memory_explained(config: Config) -> Iterator[None]:
    """Say in one sentence that memory has run out, on the CPU or on a device."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        words = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words:
            smaller = max(1, config.training.batch_size // 2)
            raise EnvironmentFault(
                f"there is not enough memory for this model: use --set training.batch_size={smaller}, fewer latents or "
                "smaller networks; `latentia presets NAME` shows the settings of model.encoder and model.decoder"
            ) from error
        raise


def planned_steps(training: TrainingSettings, samples: int) -> int:
    """How many optimiser steps the settings plan for that many training samples."""
    if training.steps is not None:
        return training.steps
    return IndexStream(samples, training.batch_size, 0, "").steps_in(training.epochs or 0)


def _versions() -> dict[str, str]:
    return {
        "latentia": importlib.metadata.version("latentia"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def _git_commit() -> str | None:
    """The commit of the user's working directory, where it is in a git repository."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
