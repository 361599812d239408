"""The model alone, in a folder that can be copied away: its parts' settings, its weights and a card."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from latentia import storage
from latentia.data.dataset import DataSpec
from latentia.data.preparation import Preparation
from latentia.errors import CheckpointError, ConfigError, DataError, RunError
from latentia.recipes.build import Model, build_model
from latentia.recipes.config import ModelSettings
from latentia.runs.directory import RunDirectory
from latentia.runs.report import short
from latentia.training.checkpoint import from_bytes, restore_model, to_bytes

FORMAT = "latentia-model"
VERSION = 1


def save_model(
    folder: Path,
    model: Model,
    settings: ModelSettings,
    spec: DataSpec,
    preparation: Preparation,
    card: str,
    pictures: Mapping[str, bytes],
) -> None:
    """Write a model folder, all at once.

    Args:
        folder: Where it appears.
        model: Whose weights are written.
        settings: What it was built from.
        spec: The data that it takes.
        preparation: How stored data become x.
        card: The README's text.
        pictures: File name -> content, for the README.

    Raises:
        EnvironmentFault: If it cannot be written; a former one is then intact.
    """
    config = {
        "format": FORMAT,
        "version": VERSION,
        "model": settings.model_dump(mode="json"),
        "data": spec.to_json(),
        "preparation": preparation.to_json(),
    }
    with storage.new_folder(folder) as aside:
        storage.write_bytes(aside / "model.safetensors", to_bytes(model.state_dict()), durable=False)
        storage.write_json(aside / "config.json", config, durable=False)
        storage.write_text(aside / "README.md", card, durable=False)
        for name, content in pictures.items():
            storage.write_bytes(aside / name, content, durable=False)


def load(path: str | Path) -> Model:
    """Load the trained model of a run, ready for use.

    Args:
        path: A run's directory, or the ``model`` folder of one.

    Returns:
        The model, in evaluation mode on the CPU.

    Raises:
        RunError: If there is no finished model there.
        CheckpointError: If its files are damaged or foreign.

    Example:
        >>> load("no/such/run")
        Traceback (most recent call last):
        latentia.errors.RunError: no/such/run does not exist: give a run's directory or its model folder
    """
    folder = RunDirectory(Path(path)).path if str(path).startswith("~") else Path(path)
    if (folder / "model").is_dir():
        folder = folder / "model"
    settings, spec, _ = read_description(folder)
    source = folder / "model.safetensors"
    try:
        model = build_model(settings, spec, seed=0)
    except (ConfigError, RuntimeError, MemoryError) as error:  # sizes that no trained model has
        raise CheckpointError(
            f"{folder / 'config.json'} describes a model that cannot be built ({error}): {_remedy(folder)}"
        ) from error
    try:
        data = source.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{source} cannot be read ({error.strerror}): {_remedy(folder)}") from error
    try:
        restore_model(model, from_bytes(data, source), source)
    except CheckpointError as error:
        raise CheckpointError(f"{error}: {_remedy(folder)}") from error
    return model.eval()


def is_whole(folder: Path) -> bool:
    """Whether a model folder can be loaded.

    Raises:
        RunError: If it was written by a newer Latentia.
    """
    if not (folder / "config.json").is_file():
        return False
    try:
        load(folder)
    except CheckpointError:
        return False
    return True


def _remedy(folder: Path) -> str:
    """What to do about a damaged model: a run can rebuild its own."""
    run = folder.absolute().parent
    if folder.name == "model" and (run / "config.toml").is_file():
        return f"`latentia resume {shlex.quote(str(run))}` rebuilds the model"
    return "copy the folder anew, or train the model again"


def read_description(folder: Path, run: Path | None = None) -> tuple[ModelSettings, DataSpec, Preparation]:
    """Read what a model folder says about its model.

    Args:
        folder: The model folder.
        run: The run that it belongs to, if it does.

    Returns:
        Its parts' settings, the data that it takes, and how stored data become x.

    Raises:
        RunError: If there is no such folder, or the run has not finished.
        CheckpointError: If the description is damaged, foreign or newer.
    """
    source = folder / "config.json"
    if not source.is_file():
        run = run or folder
        if (run / "config.toml").is_file():
            raise RunError(_without_model(run))
        if not folder.exists():
            raise RunError(f"{folder} does not exist: give a run's directory or its model folder")
        raise RunError(f"there is no model in {folder}: give a run's directory or its model folder")
    try:
        value = storage.read_json(source)
        if value["format"] != FORMAT or not isinstance(value["version"], int):
            raise ValueError(value["format"])
        if value["version"] > VERSION:
            raise RunError(f"{source} was written by a newer Latentia: update it to read this model")
        settings = TypeAdapter(ModelSettings).validate_python(value["model"])
        return settings, DataSpec.from_json(value["data"]), Preparation.from_json(value["preparation"])
    except RunError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ValidationError, DataError, RecursionError) as error:
        raise CheckpointError(f"{source} is damaged or not of a Latentia model: {_remedy(folder)}") from error


def _without_model(run: Path) -> str:
    state, command = RunDirectory(run).state(), f"`latentia resume {shlex.quote(str(run))}`"
    if state in ("created", "running"):
        return f"the run {run} is still being trained and has no model yet: wait for it"
    if state == "finished":
        return f"the model of the run {run} is gone: {command} rebuilds it"
    return f"the run {run} has no model yet: finish it with {command}"


def model_card(
    summary: Mapping[str, Any], evaluation: Mapping[str, Any] | None, pictures: list[str], *, conditional: bool = False
) -> str:
    """The README of a model folder: what it is, its numbers with their protocol, and how to use it."""
    noun = "sample" if evaluation is None else evaluation["protocol"]["unit"].split(",")[0].removeprefix("nats per ")
    lines = [
        f"# {summary['preset'] or 'model'} on {Path(summary['data']).name}",
        "",
        f"{summary['parameters']:,} parameters, trained for {short(summary['epochs'])} epochs "
        f"({summary['steps']:,} steps) with seed {summary['seed']} on {summary['device']} in {summary['precision']} "
        "by Latentia.",
        "",
    ]
    if summary.get("best_step") not in (None, summary["steps"]):
        lines += [f"The weights are those of step {summary['best_step']:,}, which did best on the validation part.", ""]
    if evaluation is not None:
        lines += ["| figure | value | unit |", "|---|---|---|"]
        units = {
            "elbo": f"nats per {noun}",
            "distortion": f"nats per {noun}",
            "rate": f"nats per {noun}",
            "nll": f"nats per {noun}, K = {evaluation.get('importance_samples')}",
            "mse": f"mean over values and {noun}s",
            "psnr": "dB",
            "noisy_mse": f"mean over values and {noun}s, of the corrupted {noun}s",
            "denoised_mse": f"mean over values and {noun}s, of what the model makes of those",
            "denoised_psnr": "dB",
            "denoised_ssim": f"mean over {noun}s",
            "error": f"share of {noun}s whose class q(y given x) gets wrong",
            "active_units": f"of {evaluation.get('latent_dim')} latents, the variance of whose mean is above 0.01",
        }
        for name, unit in units.items():
            if evaluation.get(name) is not None:
                lines.append(f"| {name} | {evaluation[name]:.6g} | {unit} |")
        protocol = evaluation["protocol"]
        lines += [
            "",
            f"Measured on the {evaluation['n']:,} {noun}s of the {evaluation['split']} part, in {protocol['mode']}; "
            f"the likelihood is {protocol['likelihood_in_words']}; binarisation: {protocol['binarize']}.",
            "",
        ]
    usage = [
        "q = model.encode(x)  # x: (B, *event), as config.json describes",
        "reconstruction = model.reconstruct(x)",
    ]
    if conditional:
        usage = [
            "q = model.encode(x, y)  # x: (B, *event), y: (B,) class numbers, as config.json describes",
            "reconstruction = model.reconstruct(x, y)",
            "samples = model.sample(8, torch.full((8,), 0))  # of the first class",
        ]
        lines += ["The model is conditional: every figure is of x given its class y.", ""]
    lines += [f"![{Path(name).stem}]({name})" for name in pictures]
    lines += [
        "",
        "```python",
        *(["import torch"] if conditional else []),
        "import latentia",
        "",
        'model = latentia.load("path/to/this/folder")',
        *usage,
        "```",
        "",
    ]
    return "\n".join(lines)
