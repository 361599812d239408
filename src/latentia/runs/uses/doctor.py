"""The doctor: what is wrong with a run, finished or not, and which settings to change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentia.data.dataset import Dataset
from latentia.errors import LatentiaError
from latentia.evaluation.facts import data_facts, limited
from latentia.evaluation.health import Case, DataFacts, Finding, diagnose
from latentia.evaluation.likelihood import evaluate
from latentia.maths.schedules import Cyclical, settled_at, value_at
from latentia.recipes.config import Config

if TYPE_CHECKING:
    from latentia.runs.run import Run

SAMPLES = 2000  # of each part that are evaluated


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    Attributes:
        run: The run's directory, or ``None``.
        state: ``finished``, ``running`` ...
        findings: The severe ones first; none for a healthy run.
        missing: What could not be looked at, and why, one sentence each.
    """

    run: Path | None
    state: str
    findings: tuple[Finding, ...]
    missing: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "run": None if self.run is None else str(self.run),
            "state": self.state,
            "healthy": self.healthy,
            "findings": [finding.to_json() for finding in self.findings],
            "missing": list(self.missing),
        }


def examine(run: Run, state: str | None = None) -> Diagnosis:
    """Judge a run by its metrics, its config, its data and its model, as far as they are there.

    Args:
        run: Finished, running or broken off.
        state: How it stands, where its files do not say so yet.

    Returns:
        The diagnosis.
    """
    missing: list[str] = []
    state = state or run.state
    dataset = _attempt(lambda: run.dataset, "the data", missing)
    model = None
    if state == "finished":
        model = _attempt(lambda: run.model, "the model", missing)
    else:
        missing.append(f"the model was not evaluated, as the run is {state}: only its metrics and data were looked at")
    return Diagnosis(run.path, state, tuple(diagnose(_case(run, state, dataset, model, missing))), tuple(missing))


def _attempt(get: Any, what: str, missing: list[str]) -> Any:
    try:
        return get()
    except LatentiaError as error:
        missing.append(f"{what} could not be looked at: {error}")
        return None


def _case(run: Run, state: str, dataset: Dataset | None, model: Any, missing: list[str]) -> Case:
    config, measured = run.config, {}
    facts: DataFacts | None = None if dataset is None else data_facts(dataset)
    if dataset is not None and model is not None:
        few = limited(dataset, SAMPLES)
        # Where some classes alone were trained on, the test part has the others as well, and no loss of it compares.
        for part in ("train", "test" if "test" in few.splits and not config.data.normal_classes else "valid"):
            if part in few.splits:
                found = _attempt(partial(evaluate, model, few, part, beta=run.beta), f"the {part} part", missing)
                measured[part] = None if found is None else found.to_json()
    objective = config.objective
    schedule = getattr(objective, "capacity", None)
    schedule = getattr(objective, "beta", None) if schedule is None else schedule
    base = config.model.base
    likelihood = (config.model.likelihood if base is None else base.likelihood).model_dump(mode="json")
    beta = run.beta
    return Case(
        state=state,
        planned=_planned(config, run.metrics, dataset),
        objective=objective.name,
        has_prior=config.model.prior is not None,
        latent_dim=model.latent_dim if model is not None else config.model.latent_dim or 0,
        likelihood=likelihood,
        beta=beta,
        beta_effective=_effective(likelihood, beta),
        settles=0.0 if schedule is None else settled_at(schedule),
        rises=schedule is not None and value_at(schedule, 1.0) > value_at(schedule, 0.0),
        cyclical=isinstance(schedule, Cyclical),
        coefficient="objective.beta" if getattr(objective, "capacity", None) is None else "objective.capacity",
        learning_rate=config.training.optimizer.lr,
        sizable=config.model.latent_dim is not None,
        posterior=config.model.posterior.model_dump(mode="json"),
        codes=getattr(getattr(model, "posterior", None), "codebook_size", None),
        rows=run.metrics,
        train=measured.get("train"),
        held_out=measured.get("test") or measured.get("valid"),
        data=facts,
    )


def _effective(likelihood: dict[str, Any], beta: float | None) -> float | None:
    """The beta of the same objective at unit scale, where the scale does not change."""
    if beta is None or likelihood.get("sigma", "fixed") != "fixed":
        return None
    power = {"gaussian": 2, "laplace": 1}.get(str(likelihood["name"]), 0)
    return beta * likelihood.get("scale", 1.0) ** power


def _planned(config: Config, rows: list[dict[str, Any]], dataset: Dataset | None) -> int:
    training = config.training
    if training.steps is not None:
        return training.steps
    if dataset is not None:
        return max(1, round((training.epochs or 0) * len(dataset.split("train")) / training.batch_size))
    if rows and rows[-1].get("epoch"):
        return max(1, round(rows[-1]["step"] / rows[-1]["epoch"] * (training.epochs or 0)))
    return 1
