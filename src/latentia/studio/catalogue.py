"""Which runs there are, and what each is and can show.

Reads files alone, no weights and no data, so that the list is there at once; survives runs that are damaged or deleted
between two looks.
"""

from __future__ import annotations

import logging
import math
import shlex
from pathlib import Path
from typing import Any

from latentia.data.dataset import DataSpec
from latentia.data.sources import SOURCES
from latentia.errors import LatentiaError
from latentia.exploration.bundle import plain
from latentia.recipes.build import build_model
from latentia.recipes.config import Config
from latentia.recipes.presets import PRESETS
from latentia.runs.directory import RunDirectory
from latentia.runs.job import planned_steps
from latentia.runs.listing import run_row
from latentia.runs.priors import fitted_names
from latentia.runs.run import Run
from latentia.runs.snapshots import kept_steps
from latentia.studio import pixels
from latentia.studio.desk import Studio, is_local, no_weights, without_data

WATCHED = ("config.toml", "meta.json", "status.json", "eval.json", "metrics.jsonl")
MANY = "--set training.keep_checkpoints=1000 --set training.checkpoint_every=250"
COLUMNS = (
    "id", "path", "preset", "family", "data", "state", "live", "step", "steps", "epoch", "epochs", "planned", "seed",
    "started", "seconds", "parameters", "latent_dim", "test", "heartbeat", "problem",
)  # fmt: skip
_log = logging.getLogger(__name__)


class Catalogue:
    """The rows of the list of runs, read again only where something changed.

    Args:
        studio: The folder.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._rows: dict[str, tuple[Any, dict[str, Any]]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each run, the latest first."""
        found = {}
        for directory in self.studio.places.runs():
            name = self.studio.places.name_of(directory.path)
            signature = signature_of(directory)
            known = self._rows.get(name)
            if known is None or known[0] != signature:
                known = (signature, self.row(directory))
            if directory.config_file.is_file():  # still
                found[name] = known
        self._rows = found
        rows = [row for _, row in found.values()]
        return sorted(rows, key=lambda row: (row["heartbeat"] or "", row["id"]), reverse=True)

    def signature(self) -> dict[str, Any]:
        """What changes when a row does, of every run; found without reading any file."""
        return {str(directory.path): signature_of(directory) for directory in self.studio.places.runs()}

    def row(self, directory: RunDirectory) -> dict[str, Any]:
        """What the list says of one run, whatever its files hold."""
        try:
            return self._row(directory)
        except Exception as error:  # a file may hold anything
            _log.debug("%s cannot be read", directory.path, exc_info=True)
            why = str(error) if isinstance(error, LatentiaError) else f"its files are damaged ({type(error).__name__})"
            known = {"id": self.studio.places.name_of(directory.path), "path": str(directory.path), "problem": why}
            return {**dict.fromkeys(COLUMNS), "state": "unreadable", "live": False, **known}

    def _row(self, directory: RunDirectory) -> dict[str, Any]:
        root = self.studio.places.root
        found = run_row(directory.path, root)
        status, summary, meta = directory.status(), directory.status().get("summary") or {}, _meta(directory)
        config = None
        if found["state"] != "unreadable":
            config = self.studio.config(directory)
        preset = PRESETS.get(found["preset"] or "")
        seconds = summary.get("seconds")
        steps, epoch = _progress(config, meta, found["step"])
        return plain(
            {
                "id": found["name"],
                "path": found["path"],
                "preset": found["preset"],
                "family": None if preset is None else preset.family,
                "data": None if found["data"] is None else _short_source(found["data"]),
                "state": found["state"],
                "live": found["state"] in ("created", "running"),
                "step": found["step"],
                "steps": summary.get("steps") or steps,
                "epoch": summary.get("epochs") or epoch,
                "epochs": summary.get("epochs") or (None if config is None else config.training.epochs),
                "planned": None if config is None else planned(config),
                "seed": found["seed"],
                "started": _started(directory),
                "seconds": sum(seconds.values()) if isinstance(seconds, dict) else None,
                "parameters": meta.get("parameters") or summary.get("parameters"),
                "latent_dim": None if config is None else config.model.latent_dim,
                "test": summary.get("test"),
                "heartbeat": None if status.get("heartbeat") is None else str(status["heartbeat"]),
                "problem": None if found["fault"] is None else str(found["fault"]),
            }
        )

    def description(self, name: str) -> dict[str, Any]:
        """Everything about one run that needs neither its weights nor its data.

        Raises:
            NoSuchRun: If there is none.
        """
        directory = self.studio.places.run(name)
        row = self.row(directory)
        if row["state"] != "unreadable":
            try:
                return self._described(directory, row)
            except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:  # of an odd meta.json
                row |= {"state": "unreadable", "live": False}
                row["problem"] = f"its files are damaged ({type(error).__name__})"
        return self._unreadable(row)

    @staticmethod
    def _unreadable(row: dict[str, Any]) -> dict[str, Any]:
        """What is said of a run whose files hold something odd."""
        refused = {"ok": False, "why": row["problem"], "do": None}
        nothing = dict.fromkeys(("config", "meta", "event", "latent", "evaluation", "corruption"))
        lists = {name: [] for name in ("classes", "notes", "priors", "snapshots")}
        views = dict.fromkeys(VIEWS, refused)
        return {**row, **nothing, **lists, "splits": {}, "copy": {}, "views": views}

    def _described(self, directory: RunDirectory, row: dict[str, Any]) -> dict[str, Any]:
        config, meta = self.studio.config(directory), _meta(directory)
        spec = _spec(meta)
        latent = self._latent(config, spec)
        steps = kept_steps(directory)
        run = Run(config, directory=directory, summary={})
        corruption = config.objective.corruption
        return plain(
            {
                **row,
                "config": config.model_dump(mode="json"),
                "meta": {
                    key: meta.get(key) for key in ("versions", "machine", "execution", "git", "seed", "parameters")
                },
                "summary": directory.status().get("summary") or {},
                "evaluation": directory.evaluation(),
                "notes": meta.get("notes") or [],
                "event": None if spec is None else pixels.describe(spec),
                "latent": latent,
                "classes": [] if spec is None else list(spec.classes),
                "labels": bool(spec and spec.classes),
                "conditional": config.model.condition is not None,
                "classifies": config.model.classifier is not None,
                "corruption": None if corruption is None else corruption.model_dump(mode="json"),
                "splits": (meta.get("data") or {}).get("splits") or {},
                "priors": _priors(run),
                "snapshots": steps,
                "stamp": [row["state"], row["heartbeat"] if row["state"] == "finished" else None, steps[-1:]],
                "views": views(directory, config, spec, latent, steps, _priors(run)),
                "copy": copies(directory),
            }
        )

    def _latent(self, config: Config, spec: DataSpec | None) -> dict[str, Any]:
        """What kind of latents there are; the shape of a feature map is that of a model that is built to see it."""
        shape = None if config.model.latent_dim is None else (config.model.latent_dim,)
        if shape is None and spec is not None:
            key = ("shape", config.model.model_dump_json(), spec)
            shape = self.studio.shelf.get(key, lambda: build_model(config.model, spec, seed=0).latent_shape)
        return describe_latent(config, shape)


VIEWS = ("training", "latent", "traversals", "paths", "try", "anomalies", "health", "samples", "playback", "compare")


def views(
    directory: RunDirectory,
    config: Config,
    spec: DataSpec | None,
    latent: dict[str, Any],
    steps: list[int],
    priors: list[str],
) -> dict[str, dict[str, Any]]:
    """For each view that there is for this run ``{ok: true}``, and otherwise why not and what to do."""
    place = shlex.quote(str(directory.path))
    found: dict[str, dict[str, Any]] = {name: {"ok": True} for name in VIEWS}

    def refuse(names: tuple[str, ...], why: str, do: str | None) -> None:
        for name in names:
            if found[name]["ok"]:
                found[name] = {"ok": False, "why": why, "do": do}

    finished = directory.state() == "finished" and (directory.model / "config.json").is_file()
    shown = ("latent", "traversals", "paths", "try", "anomalies", "samples", "playback", "compare")
    if not directory.metrics.path.is_file():
        refuse(("training",), "the run has not logged a step yet", None)
    if not finished and not directory.last_step():
        live = directory.state() in ("created", "running")
        refuse(
            shown, no_weights(directory), None if live else f"latentia train {shlex.quote(str(directory.config_file))}"
        )
    missing = _without_data(config, (_meta(directory).get("data") or {}).get("data_dir"))
    if missing:
        needed = ("latent", "traversals", "anomalies", "playback", "compare")
        refuse(needed if finished else shown, missing, None)
    if len(steps) < 3:
        kept = "only its last checkpoint" if steps else "no checkpoint"
        refuse(
            ("playback",),
            f"the run kept {kept}: to play a training back, train with many",
            f"latentia train {shlex.quote(str(directory.config_file))} {MANY} --out {place}-again",
        )
    if spec is not None and spec.is_image and spec.event_shape[0] not in (1, 3):
        refuse(("try",), f"pictures of {spec.event_shape[0]} channels cannot be drawn: use a .npy file",
               f"latentia reconstruct {place} --input PATH.npy")  # fmt: skip
    if config.model.prior is None and not priors:
        kind = "autoregressive" if latent["kind"] == "codes" else "gmm"
        refuse(("samples",), "an autoencoder has no prior to sample from: fit one to its latents",
               f"latentia fit-prior {place} {kind}")  # fmt: skip
    if spec is not None and latent["kind"] == "codes":
        found["latent"].setdefault("note", "latents are codes: a point is decoded as the codes nearest to it")
    return found


def describe_latent(config: Config, shape: tuple[int, ...] | None) -> dict[str, Any]:
    """What kind of latents a run's model has."""
    model = config.model
    posterior = model.posterior.name
    codes = posterior in ("vector-quantizer", "finite-scalar-quantizer")
    return {
        "shape": None if shape is None else list(shape),
        "dim": None if shape is None else math.prod(shape),
        "kind": "codes" if codes else "vector" if model.latent_dim is not None else "feature-map",
        "probabilistic": not codes and model.prior is not None,
        "standard": model.prior is not None and model.prior.name == "standard-normal",
        "codebook": getattr(model.posterior, "codes", None),
    }


def planned(config: Config) -> str:
    """How long a run was to be, in words."""
    training = config.training
    return f"{training.steps:,} steps" if training.steps is not None else f"{training.epochs:g} epochs"


def _progress(config: Config | None, meta: dict[str, Any], step: int | None) -> tuple[int | None, float | None]:
    """How many steps are planned, and how many epochs are done."""
    samples = ((meta.get("data") or {}).get("splits") or {}).get("train")
    if config is None or not isinstance(samples, int) or samples < 1:
        return None, None
    epoch = None if step is None else step * config.training.batch_size / samples
    return planned_steps(config.training, samples), epoch


def copies(directory: RunDirectory) -> dict[str, dict[str, str]]:
    """For each view, the command and the Python that do the same."""
    place, opened = (
        shlex.quote(str(directory.path)),
        f"import latentia as lt\nrun = lt.open_run({str(directory.path)!r})\n",
    )
    commands = {
        "training": (f"latentia evaluate {place}", "run.evaluate()"),
        "latent": (f"latentia embed {place}", "run.embed()"),
        "manifold": (f"latentia manifold {place}", "run.manifold()"),
        "traversals": (f"latentia traverse {place}", "run.traverse()"),
        "paths": (f"latentia interpolate {place} --images 0 1", "run.interpolate(images=(0, 1))"),
        "try": (f"latentia reconstruct {place} --input PICTURE.png", 'run.reconstruct(input="PICTURE.png")'),
        "anomalies": (f"latentia anomaly {place}", "run.anomaly()"),
        "health": (f"latentia doctor {place}", "run.doctor()"),
        "samples": (f"latentia sample {place}", "run.sample()"),
        "playback": (f"latentia movie {place}", "run.movie()"),
    }
    return {name: {"command": command, "python": f"{opened}{call}"} for name, (command, call) in commands.items()}


def signature_of(directory: RunDirectory) -> tuple[Any, ...]:
    """What changes when anything about a run does: times of its files, checkpoints, and whether its process lives."""
    times: list[Any] = []
    for name in WATCHED[:-1]:
        try:
            found = (directory.path / name).stat()
        except OSError:
            times.append(None)
        else:
            times.append((found.st_mtime_ns, found.st_size))
    for folder in (directory.priors, directory.checkpoints.folder, directory.model):
        try:
            times.append(folder.stat().st_mtime_ns)
        except OSError:
            times.append(None)
    return (*times, directory.metrics.path.exists(), state_of(directory))


def state_of(directory: RunDirectory) -> str:
    """How a run stands, whatever its files hold."""
    try:
        return directory.state()
    except (ValueError, TypeError, RecursionError):  # as its row says
        return "unreadable"


def _priors(run: Run) -> list[str]:
    own = [] if run.config.model.prior is None else ["model"]
    try:
        return [*own, *fitted_names(run)]
    except (LatentiaError, OSError):
        return own


def _without_data(config: Config, data_dir: Any) -> str | None:
    """Why the data of a run cannot be had, where that is plain to see."""
    source = config.data.source
    if source == "arrays":
        return (
            "the run was trained on arrays passed from Python, which the studio does not have: save them as a .npz "
            "file and train on that"
        )
    if source not in SOURCES and not Path(source).exists():
        return f"the data of the run are not at {source} any more: put them back"
    return None if is_local(source, data_dir) else without_data(source)


def _short_source(source: str) -> str:
    return source if source in SOURCES else Path(source).name


def _meta(directory: RunDirectory) -> dict[str, Any]:
    try:
        return directory.meta()
    except LatentiaError:
        return {}


def _spec(meta: dict[str, Any]) -> DataSpec | None:
    try:
        return DataSpec.from_json((meta.get("data") or {})["spec"])
    except (LatentiaError, KeyError, TypeError):
        return None


def _started(directory: RunDirectory) -> float | None:
    """When a run began, in seconds since 1970: when its config was written."""
    try:
        return directory.meta_file.stat().st_mtime
    except OSError:
        return None
