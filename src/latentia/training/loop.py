"""The one training loop.

Owns the order of things within a step and between steps. It must not know what a model or an objective is made of,
where files lie, or who listens.

Batch and noise of a step are pure functions of (seed, stage, step), so that a run resumed at any step continues
exactly: nothing but weights, optimiser state, averages and the metrics not yet written needs to be remembered.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from latentia.data.batches import Batch, Feed, IndexStream, MixedFeed
from latentia.data.blocks import blocks
from latentia.data.dataset import Dataset
from latentia.data.labels import LABELLED
from latentia.data.seeds import derive_seed, generator
from latentia.errors import (
    CheckpointError,
    ConfigError,
    DivergedError,
    EnvironmentFault,
    Interrupted,
    LatentiaError,
    ProcessLost,
)
from latentia.maths.schedules import value_at
from latentia.objectives.terms import Objective
from latentia.training.average import WeightAverage
from latentia.training.checkpoint import Checkpoint, CheckpointStore, restore_model
from latentia.training.clock import Clock
from latentia.training.compiled import CompiledStep
from latentia.training.distributed import Alone, Ranks
from latentia.training.events import Events
from latentia.training.execution import Execution, default_generator, default_generator_kept
from latentia.training.interrupt import InterruptRequest
from latentia.training.metrics import Meter, MetricsFile
from latentia.training.optimizer import FusedAdam
from latentia.training.phases import BatchLoss, phases_of
from latentia.training.profiling import Profile, lap_of
from latentia.training.settings import TrainingSettings
from latentia.training.shares import Shares, sharing
from latentia.training.steps import EagerStep, Figures

VALIDATION_BLOCK = 256
CHECKPOINT_SECONDS = 10.0
AHEAD_STEPS, AHEAD_BYTES = 16, 1 << 21  # the most whose batches are made at once; about what a core's own cache holds

_Batch = tuple[Tensor, Tensor | None, Sequence[Tensor], Mapping[str, float]]


@dataclass(frozen=True)
class FitResult:
    """What a fit came to.

    Attributes:
        step: Optimiser steps done.
        epochs: Passes over the training images done.
        seconds: Wall time of the fit, checkpoints and validation included, over all sittings.
        images_per_second: Of the training steps after the first epoch, in this sitting; ``None`` if there were none.
        compiled: Whether the steps of this sitting were compiled.
        compilation_seconds: What compiling them cost, which ``seconds`` leaves out.
        best_step: Whose weights the model now has, where there is a validation part; else ``None``.
        stopped_early: Whether patience ran out.
    """

    step: int
    epochs: float
    seconds: float
    images_per_second: float | None
    compiled: bool
    compilation_seconds: float
    best_step: int | None
    stopped_early: bool


@dataclass
class _Progress:
    """Everything about a fit that is neither tensor nor setting, as checkpoints store it."""

    step: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_step: int | None = None
    evaluations_without_improvement: int = 0
    planned: int = 0
    finished: bool = False
    meter: list[str] = field(default_factory=list)
    metrics_bytes: int = 0


def fit(
    model: nn.Module,
    objective: Objective,
    dataset: Dataset,
    settings: TrainingSettings,
    *,
    execution: Execution,
    seed: int = 0,
    stage: str = "fit",
    store: CheckpointStore | None = None,
    metrics: MetricsFile | None = None,
    events: Events | None = None,
    interrupt: InterruptRequest | None = None,
    loaded: Callable[[], None] | None = None,
    profile: Profile | None = None,
    ranks: Ranks | None = None,
) -> FitResult:
    """Train a model in place, from its last checkpoint if the store has one.

    At the end the model has the weights that are to be used: the average if there is one, and those of the best
    validation if there is a validation part; otherwise the last.

    Args:
        model: What is trained; moved to the execution's device.
        objective: Gives the loss terms.
        dataset: Has a ``train`` split, and ``valid`` where something is to be chosen.
        settings: How long and how fast.
        execution: Device, precision, threads.
        seed: With ``stage`` and the step, determines every batch and all noise.
        stage: Name of this fit within the run.
        store: Where checkpoints go; ``None`` writes none.
        metrics: Where the averaged terms go; ``None`` writes none.
        events: Who is told.
        interrupt: Asked after each step whether to stop.
        loaded: Called once the last checkpoint is loaded, if there is one, before anything on the disk is changed.
        profile: Told where the time goes; ``None`` costs nothing.
        ranks: The processes that train together, each of which calls this with the same arguments; only process 0
            reads and writes files and tells anybody. ``None`` for this one alone.

    Returns:
        What the fit came to.

    Raises:
        DivergedError: A NaN or infinite loss; the last good checkpoint is kept.
        Interrupted: The interrupt was requested; a checkpoint was saved, unless no step was taken in this sitting.
        CheckpointError: The last checkpoint is damaged or does not fit.
        ProcessLost: Another process has ended.
        ConfigError: Settings that contradict the data, such as patience without a validation part; with several
            processes, a batch that they cannot share equally, or an objective that cannot be divided among them.
    """
    ranks = ranks or Alone()
    if not ranks.main:
        store = metrics = events = loaded = None
    with ExitStack() as stack:
        stack.enter_context(execution.applied())
        stack.enter_context(default_generator_kept(execution.device))
        if ranks.world > 1:
            stack.enter_context(sharing(model))
        run = _Fit(
            model,
            objective,
            dataset,
            settings,
            execution=execution,
            seed=seed,
            stage=stage,
            profile=profile,
            ranks=ranks,
        )
        if profile is not None:
            stack.callback(profile.end)
        stack.callback(run.feed.close)
        run.attach(store, metrics, events or Events(), interrupt, loaded)
        return run.run()


class _Fit:
    """The state of a fit while it lasts."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        dataset: Dataset,
        settings: TrainingSettings,
        *,
        execution: Execution,
        seed: int,
        stage: str,
        profile: Profile | None,
        ranks: Ranks,
    ) -> None:
        self.ranks = ranks
        self.profile, self.lap = profile, lap_of(profile)
        self.device = torch.device(execution.device)
        self.model: Any = model.to(self.device)
        self.objective, self.dataset, self.settings, self.execution = objective, dataset, settings, execution
        self.seed, self.stage = seed, stage
        train = dataset.split("train")
        self.stream = IndexStream(len(train), settings.batch_size, seed, stage)
        self.feed: Feed | MixedFeed = Feed(
            train, dataset.preparation, self.stream, self.device, seed, stage, rank=ranks.rank, world=ranks.world
        )
        labelled = getattr(objective, "labelled", 0)
        if labelled:  # in front of each batch, so many samples of those that keep their labels
            part, own = dataset.split(LABELLED), f"{stage} labelled"
            few = IndexStream(len(part), labelled, seed, own)
            self.feed = MixedFeed(Feed(part, dataset.preparation, few, self.device, seed, own), self.feed)
        self.total = settings.steps if settings.steps is not None else self.stream.steps_in(settings.epochs or 0)
        self.valid = dataset.splits.get("valid")
        if settings.patience is not None and self.valid is None:
            raise ConfigError("training.patience needs a validation part: use --set data.validation=0.05")
        self.phases = phases_of(objective, model)
        self.shares: Shares | None = None
        self.optimizers = [FusedAdam(phase.parameters, settings.optimizer) for phase in self.phases]
        self.steps = self._eager([partial(phase.loss, self.model) for phase in self.phases])
        self.compiled, self.compilation_seconds = False, 0.0
        self.average = None if settings.ema is None else WeightAverage(model, settings.ema)
        self.meter = Meter(settings.log_every, self.device)
        self.progress = _Progress()
        self.saved_step = -1
        self.noise_source = torch.Generator(self.device)
        self.default_source = default_generator(self.device)
        self.best_weights: dict[str, Tensor] | None = None
        self._at_once = 1
        self._made: dict[int, tuple[_Batch, int]] = {}  # by step

    def attach(
        self,
        store: CheckpointStore | None,
        metrics: MetricsFile | None,
        events: Events,
        interrupt: InterruptRequest | None,
        loaded: Callable[[], None] | None = None,
    ) -> None:
        """Say where things go, and go on from the last checkpoint if there is one."""
        self.store, self.metrics, self.events, self.interrupt = store, metrics, events, interrupt
        found = None if store is None else store.load()
        if found is not None:
            self.restore(found)
        if loaded is not None:
            loaded()
        if store is not None:
            store.tidy(None if found is None else found.step)
            if self.progress.best_step is not None:
                store.point_best(self.progress.best_step)
        if store is not None and self.progress.best_step is not None and store.find("best") is None:
            events.said("the checkpoint with the best validation loss is gone: the best is chosen anew from here on")
            self.progress.best_loss = self.progress.best_step = None
        if metrics is not None:
            metrics.cut(self.progress.metrics_bytes)
        self.keeps = store is not None
        if self.ranks.world > 1:
            self._join()

    def _join(self) -> None:
        """Begin where process 0 begins, and divide the batches."""
        self.keeps = self.ranks.from_main(self.keeps)
        self.progress = _Progress(**self.ranks.from_main(asdict(self.progress)))
        average = [] if self.average is None else list(self.average.state().values())
        self.ranks.copy_([*self.model.state_dict().values(), *self._optimizer_tensors().values(), *average])
        for optimizer in self.optimizers:
            optimizer.count = int(optimizer.steps)
        names, rows = self.ranks.from_main([self.meter.names, self.meter.state()[1].tolist()])
        self.meter.restore(names, torch.tensor(rows).reshape(len(rows), len(names)))
        self.ranks.begin(self.progress.step)
        self.shares = Shares(self.ranks, self.model, self.objective, self.phases, self.settings.batch_size, self.device)
        if self.progress.step < self.total:
            self.events.said(self.shares.describe())
            batch = self.feed.batch(self.progress.step)
            self.shares.prepare(batch.x, batch.y, derive_seed(self.seed, self.stage, "shares"))
            self.steps = self._eager(self.shares.losses)

    def _eager(self, losses: Sequence[BatchLoss]) -> list[Callable[..., Figures]]:
        """For each phase, what takes its part of a step as it comes."""
        return [
            EagerStep(
                phase,
                loss,
                optimizer,
                self.execution,
                clip_norm=self.settings.clip_norm,
                alone=len(self.phases) == 1,
                lap=self.lap,
            )
            for phase, loss, optimizer in zip(self.phases, losses, self.optimizers, strict=True)
        ]

    # -- the loop -----------------------------------------------------------------------------------------------

    def run(self) -> FitResult:
        """Take the steps that remain, then put the weights that are to be used into the model."""
        if self.profile is not None:
            self.profile.begin(self.total - self.progress.step, self.device)
        if self.execution.compiled and self.progress.step < self.total and not self.progress.finished:
            self._compile()
            self.lap("compilation")
        clock = Clock(self.progress.seconds, self.device)
        try:
            return self._run(clock)
        except ProcessLost:
            with suppress(LatentiaError):  # that a process is lost is what is to be told
                self._rescue(clock)
            raise

    def _run(self, clock: Clock) -> FitResult:
        self.model.train()
        stopped = self.progress.finished or self._out_of_patience()
        self.saved_step = self.progress.step if self.progress.finished or self.progress.step else -1
        while self.progress.step < self.total and not stopped:
            step = self.progress.step
            with nullcontext() if self.shares is None else self.shares.step():
                counted = self._take(step, clock)
            self.progress.step = done = step + 1
            epoch_end = self.stream.epoch_of(done) > self.stream.epoch_of(step)
            clock.stepped(self.events, done, counted)
            last = done == self.total
            if self.meter.count == self.meter.capacity or epoch_end or last:
                self._log(clock, epoch_end)
            self.lap("logging")
            improved = False
            if self._due(self.settings.evaluate_every, done, epoch_end or last):
                with clock.paused():
                    improved = self._validate(clock, epoch_end)
                    self.lap("validation")
                stopped = self._out_of_patience()
            wanted = self.ranks.wish(done, self.interrupt is not None and self.interrupt.requested)
            if last or stopped or wanted or improved or self._checkpoint_due(done, epoch_end, clock):
                with clock.paused():
                    self.progress.finished = last or stopped
                    self._save(clock, improved)
                    self.saved_step = done
                    self.lap("checkpoints")
            if wanted and not self.progress.finished:
                raise Interrupted(f"interrupted after step {done} of {self.total}")
        clock.stop()
        if self.keeps and self.saved_step != self.progress.step:
            self.progress.finished = True
            self._save(clock, False)
        self._adopt_result()
        self.lap("checkpoints")
        return self._result(clock, stopped)

    def _take(self, step: int, clock: Clock) -> bool:
        """Take a step; say whether it counts for the speed: not in the first epoch, nor while operators are traced."""
        counted = self.stream.epoch_of(step) >= 1
        if self.profile is None:
            self._step(step)
            return counted
        with clock.paused():
            traced = self.profile.before_step()
            if traced:
                self._step(step)
        if not traced:
            self._step(step)
        return counted and not traced

    def _compile(self) -> None:
        """Put compiled steps in the place of eager ones; if it cannot be done and was not asked for, say so.

        An interrupt does not wait for the compiler, which a terminal's interrupts too: no step was taken since the
        last checkpoint.

        Raises:
            EnvironmentFault: If it was asked for and cannot be done.
            Interrupted: It was interrupted meanwhile.
        """
        before = time.perf_counter()
        batch, _ = self._batch(self.progress.step, self.feed.stored)
        self._at_once = self._how_many(batch)
        try:
            if self.ranks.world > 1:
                raise EnvironmentFault("steps of several processes are not compiled: use --set training.compile=off")
            self.events.said("compiling the step")
            prepare, clip = self.feed.prepare, self.settings.clip_norm
            with nullcontext() if self.interrupt is None else self.interrupt.at_once():
                steps = [
                    CompiledStep(phase, self.model, optimizer, self.execution, batch, prepare=prepare, clip_norm=clip)
                    for phase, optimizer in zip(self.phases, self.optimizers, strict=True)
                ]
        except (KeyboardInterrupt, EnvironmentFault) as fault:
            # who ends a whole group of processes ends the compiler's as well
            ended = self.ranks.world == 1 and self.interrupt is not None and self.interrupt.requested
            if isinstance(fault, KeyboardInterrupt) or ended:
                raise Interrupted(
                    f"interrupted while the step was compiled, after step {self.progress.step} of {self.total}"
                ) from None
            if self.settings.compile == "on":
                raise
            self.events.said(f"{fault}; going on without")
        else:
            self.steps, self.compiled = list(steps), True
        self.compilation_seconds = time.perf_counter() - before

    def _step(self, step: int) -> None:
        lap = self.lap
        batch, seed = self._next_batch(step) if self.compiled else self._batch(step, self.feed.batch)
        self.default_source.manual_seed(seed ^ 1)
        rate = self._learning_rate(step / self.total)
        names: list[str] = []
        rows: list[Tensor] = []
        for take in self.steps:
            found = take(*batch, rate)
            if self.compiled:
                lap("compiled step")
            names += found.names
            rows.append(found.row)
        self.meter.add(names, rows[0] if len(rows) == 1 else torch.cat(rows))
        lap("metrics")
        if self.average is not None:
            self.average.update(step + 1)
            lap("optimiser")

    def _how_many(self, batch: _Batch) -> int:
        """How many steps' batches are made at once, since a compiled step leaves nothing of Python in the caches."""
        x, _, noise, _ = batch
        if self.device.type != "cpu" or not self.feed.lasting:
            return 1
        size = x.nbytes + sum(eps.nbytes for eps in noise)
        return min(max(1, AHEAD_BYTES // max(1, size)), AHEAD_STEPS)

    def _next_batch(self, step: int) -> tuple[_Batch, int]:
        """What :meth:`_batch` gives, made together with that of the steps that follow."""
        if step not in self._made:
            steps = range(step, min(step + self._at_once, self.total))
            self._made = {later: self._batch(later, self.feed.stored) for later in steps}
        return self._made.pop(step)

    def _batch(self, step: int, feed: Callable[[int], Batch]) -> tuple[_Batch, int]:
        """What the loss of a step is a function of, and what seeds the default generator for it."""
        x, y = feed(step)
        self.lap("batches")
        seed = derive_seed(self.seed, self.stage, "noise", step)
        self.noise_source.manual_seed(seed)
        size = len(x) if self.shares is None else self.settings.batch_size  # noise is that of the whole batch
        noise = self.model.draw_noise(size, self.objective.k, self.noise_source, self.device)
        if self.shares is not None:
            noise = tuple(eps[:, self.shares.mine] for eps in noise)
        self.lap("noise")
        return (x, y, noise, self.objective.coefficients_at(step / self.total)), seed

    def _learning_rate(self, progress: float) -> float:
        rate = self.settings.optimizer.lr * value_at(self.settings.lr_schedule, progress)
        warmup = self.settings.lr_warmup
        return rate if progress >= warmup else rate * min(1.0, (progress + 1 / self.total) / warmup)

    def _due(self, every: int | None, done: int, otherwise: bool) -> bool:
        return otherwise if every is None else done % every == 0 or done == self.total

    def _checkpoint_due(self, done: int, epoch_end: bool, clock: Clock) -> bool:
        if not self.keeps:
            return False
        every = self.settings.checkpoint_every
        if every is not None:
            return done % every == 0
        return epoch_end and self.ranks.from_main(clock.since_checkpoint() > CHECKPOINT_SECONDS)

    # -- metrics ------------------------------------------------------------------------------------------------

    def _log(self, clock: Clock, epoch_end: bool) -> None:
        count = self.meter.count
        self.meter.merge(self.ranks.mean_)
        means, bad = self.meter.flush()
        if bad is not None:
            self._diverged(self.progress.step - count + bad + 1)
        self._write_row({"split": "train", "steps": count, **means}, clock, epoch_end)

    def _write_row(self, values: Mapping[str, Any], clock: Clock, epoch_end: bool) -> None:
        done = self.progress.step
        before = (done - 1) / self.total
        row = {
            "step": done,
            "epoch": round(done * self.settings.batch_size / self.stream.n, 6),
            **values,
            **self.objective.coefficients_at(before),
            "lr": self._learning_rate(before),
            "epoch_end": epoch_end,
            "seconds": round(clock.seconds(), 3),
        }
        if self.metrics is not None:
            self.metrics.append(row)
        self.events.logged(row)

    def _validate(self, clock: Clock, epoch_end: bool) -> bool:
        """Measure the loss on the validation part; say whether it is the best so far and may be chosen."""
        if self.valid is None or len(self.valid) == 0:
            return False
        values = self._validation_terms()
        self._write_row({"split": "valid", **values}, clock, epoch_end)
        if self.progress.step / self.total < self.objective.settled_at():
            return False  # while a warm-up lasts, losses cannot be compared
        if self.progress.best_loss is None or values["loss"] < self.progress.best_loss:
            self.progress.best_loss, self.progress.best_step = values["loss"], self.progress.step
            self.progress.evaluations_without_improvement = 0
            if not self.keeps:
                with self._averaged():
                    self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}
            return True
        self.progress.evaluations_without_improvement += 1
        return False

    @torch.no_grad()
    def _validation_terms(self) -> dict[str, float]:
        assert self.valid is not None
        coefficients = self.objective.coefficients_at(self.progress.step / self.total)
        sums: dict[str, Tensor] = {}
        was_training = self.model.training
        self.model.eval()
        with self._averaged():
            for block in blocks(
                self.valid,
                self.dataset.preparation,
                size=VALIDATION_BLOCK,
                seed=self.seed,
                purpose="validation",
                device=self.device,
                rank=self.ranks.rank,
                world=self.ranks.world,
            ):
                source = generator(self.device, self.seed, "validation", "noise", block.index)
                self.default_source.manual_seed(derive_seed(self.seed, "validation", "default", block.index))
                noise = self.model.draw_noise(block.size, self.objective.k, source, self.device)
                cut = [eps[:, : len(block.x)] for eps in noise]
                with self.execution.autocast():
                    terms = self.phases[-1].loss(self.model, block.x, block.y, cut, coefficients)
                weighted = {"loss": terms.total() * len(block.x)}
                weighted |= {name: term.sum() for name, term in terms.reported().items()}
                for name, value in weighted.items():
                    sums[name] = sums.get(name, torch.zeros((), device=self.device)) + value
        self.model.train(was_training)
        totals = self.ranks.sums({name: float(value) for name, value in sums.items()})
        means = {name: total / len(self.valid) for name, total in totals.items()}
        if not all(map(math.isfinite, means.values())):
            self._diverged(self.progress.step)
        return means

    def _averaged(self) -> Any:
        return nullcontext() if self.average is None else self.average.applied()

    def _out_of_patience(self) -> bool:
        patience = self.settings.patience
        return patience is not None and self.progress.evaluations_without_improvement >= patience

    def _diverged(self, step: int) -> None:
        lr, precision = self.settings.optimizer.lr, self.execution.precision
        causes = [f"a learning rate of {lr:g} that is too high"]
        if precision == "bf16":
            causes.append("too little precision (try --precision fp32)")
        if self.settings.clip_norm is None:
            causes.append("a gradient without bound (try --set training.clip_norm=1)")
        kept = self.store is not None and self.store.find("last") is not None
        note = "the last good checkpoint is kept" if kept else "no checkpoint had been written yet"
        raise DivergedError(
            f"the loss became NaN or infinite at step {step}; the likely cause is {' or '.join(causes)}; {note}"
        )

    # -- checkpoints --------------------------------------------------------------------------------------------

    def _rescue(self, clock: Clock) -> None:
        """Save the steps that are done, if another process was lost between two states that fit together."""
        forward_changes = self.model.state_dict().keys() - dict(self.model.named_parameters()).keys()
        if self.store is None or len(self.phases) > 1 or forward_changes or self.progress.step == 0:
            return
        self.ranks = Alone()  # what was not logged yet is of this process's shares alone
        if self.meter.count > 0:
            self._log(clock, False)
        if self.store.find("last") is None or self.progress.step > self.saved_step:
            self._save(clock, False)

    def _save(self, clock: Clock, best: bool) -> None:
        self.meter.merge(self.ranks.mean_)
        bad = self.meter.first_bad()
        if bad is not None:
            self._diverged(self.progress.step - self.meter.count + bad + 1)
        if not all(bool(value.isfinite().all()) for value in self.model.state_dict().values()):
            self._diverged(self.progress.step)
        if self.store is None:
            return
        names, rows = self.meter.state()
        self.progress.meter = names
        self.progress.seconds = clock.seconds()
        self.progress.planned = self.total
        self.progress.metrics_bytes = 0 if self.metrics is None else self.metrics.length()
        tensors: dict[str, dict[str, Tensor]] = {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer_tensors(),
            "meter": {"rows": rows},
        }
        if self.average is not None:
            tensors["ema"] = self.average.state()
        state = {"stage": self.stage, **self.progress.__dict__}
        self.store.save(self.progress.step, tensors, state, best=best, keep=self.settings.keep_checkpoints)
        clock.checkpointed()

    def _optimizer_tensors(self) -> dict[str, Tensor]:
        return {
            f"{number}.{name}": value
            for number, optimizer in enumerate(self.optimizers)
            for name, value in optimizer.state().items()
        }

    def restore(self, found: Checkpoint) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: If it does not fit the model, the optimiser or the settings.
        """
        source = f"checkpoint {found.step}"
        try:
            state = {key: value for key, value in found.state.items() if key != "stage"}
            if found.state["stage"] != self.stage:
                raise CheckpointError(f"{source} belongs to the stage '{found.state['stage']}', not '{self.stage}'")
            progress = _Progress(**state)
            restore_model(self.model, found.tensors["model"], source)
            self._restore_optimizers(found.tensors["optimizer"])
            if self.average is not None:
                self.average.restore(found.tensors["ema"])
            self.meter.restore(progress.meter, found.tensors["meter"]["rows"])
        except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"{source} does not fit this run's settings: {error}") from error
        if progress.step > self.total:
            raise ConfigError(f"{progress.step} steps are done already, more than the {self.total} planned")
        if progress.planned != self.total:  # the run was extended
            progress.finished = False
            progress.evaluations_without_improvement = 0
        self.progress = progress

    def _restore_optimizers(self, tensors: Mapping[str, Tensor]) -> None:
        for number, optimizer in enumerate(self.optimizers):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            optimizer.restore(own)

    def _adopt_result(self) -> None:
        """Put the weights that are to be used into the model."""
        if self.progress.best_step is not None and self.store is not None:
            found = self.store.load("best", parts=("model", "ema"))
            if found is not None:
                restore_model(self.model, {**found.tensors["model"], **found.tensors.get("ema", {})}, "best")
        elif self.best_weights is not None:
            restore_model(self.model, self.best_weights, "best")
        elif self.average is not None:
            restore_model(self.model, {**self.model.state_dict(), **self.average.state()}, "average")
        self.ranks.copy_(self.model.state_dict().values())
        self.model.eval()

    def _result(self, clock: Clock, stopped: bool) -> FitResult:
        done = self.progress.step
        return FitResult(
            step=done,
            epochs=done * self.settings.batch_size / self.stream.n,
            seconds=clock.seconds(),
            images_per_second=clock.rate(self.settings.batch_size),
            compiled=self.compiled,
            compilation_seconds=self.compilation_seconds,
            best_step=self.progress.best_step,
            stopped_early=stopped and done < self.total,
        )
