"""What the studio has at hand: its folder, and the models and data of runs that were looked at lately.

Every request makes its :class:`~latentia.runs.Run` anew from parts on the shelf, so that a run that is deleted, resumed
or replaced is seen as it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentia.data.catalogue import CATALOGUE
from latentia.data.dataset import Dataset
from latentia.data.files import is_at_hand
from latentia.errors import CheckpointError, DataError, RunError
from latentia.recipes.build import Model
from latentia.recipes.config import Config
from latentia.runs.directory import RunDirectory
from latentia.runs.model_folder import load
from latentia.runs.run import Run, reload_data
from latentia.runs.snapshots import model_at
from latentia.studio.places import Places
from latentia.studio.shelf import LIMIT, Shelf


@dataclass(frozen=True, eq=False)
class Opened:
    """A run with the weights that a request is about.

    Attributes:
        run: The run; its data are there if they can be had.
        key: Of these weights: another one as soon as they change.
        step: Of the snapshot, or ``None`` for the finished model.
    """

    run: Run
    key: tuple[Any, ...]
    step: int | None


class Studio:
    """A folder of runs, and what was loaded of them.

    Args:
        folder: Where the runs are.
        limit: Bytes of models, data and encodings that are kept in memory.
    """

    def __init__(self, folder: str | Path = "runs", *, limit: int = LIMIT) -> None:
        self.places = Places(Path(folder))
        self.shelf = Shelf(limit)

    def open(self, name: str, step: int | None = None) -> Opened:
        """Open a run.

        Args:
            name: Its name within the folder.
            step: A snapshot; if not given, the finished model, or the latest checkpoint of a run without one.

        Raises:
            NoSuchRun: If there is no such run.
            RunError: If it has no weights yet, or did not keep that step.
        """
        directory = self.places.run(name)
        config = self.config(directory)
        latest = step is None and not _is_finished(directory)
        if latest:
            step = directory.last_step()
            if step == 0:
                raise RunError(no_weights(directory))
        try:
            return self._opened(directory, config, step)
        except (CheckpointError, RunError):
            if not latest or directory.last_step() == step:
                raise
            return self._opened(directory, config, directory.last_step())  # the other was replaced meanwhile

    def _opened(self, directory: RunDirectory, config: Config, step: int | None) -> Opened:
        key = (str(directory.path), step, _stamp(directory, step))
        run = self.run(directory, config)
        if step is not None:
            run.dataset.split("train")  # which says why the data cannot be had; they say how the model is built
        run.model = self.shelf.get(("model", *key), lambda: _model(run, step))
        return Opened(run, key, step)

    def run(self, directory: RunDirectory, config: Config) -> Run:
        """A run with its data, if they can be had without a download."""
        summary = directory.status().get("summary") or {}
        data = directory.meta().get("data", {})
        if not is_local(config.data.source, data.get("data_dir")):
            return _WithoutData(config, directory=directory, summary=summary)
        try:
            dataset = self.shelf.get(data_key(directory, config), lambda: reload_data(directory, config))
        except DataError:  # as whoever asks for them is told
            dataset = None
        return Run(config, directory=directory, summary=summary, dataset=dataset)

    def config(self, directory: RunDirectory) -> Config:
        """A run's config.

        Raises:
            RunError: If it is damaged or of a newer schema.
        """
        key = ("config", str(directory.path), _changed(directory.config_file), _changed(directory.meta_file))
        return self.shelf.get(key, directory.read_config)


class _WithoutData(Run):
    """A run whose data would have to be downloaded, which the studio does not do."""

    @property
    def dataset(self) -> Dataset:
        """None.

        Raises:
            DataError: How to have them.
        """
        raise DataError(without_data(self.config.data.source))


def data_key(directory: RunDirectory, config: Config) -> tuple[str, ...]:
    """What two runs share that see the same data."""
    data = directory.meta().get("data", {})
    return ("data", config.data.model_dump_json(), str(data.get("data_dir")), str(data.get("fingerprint")))


def _is_finished(directory: RunDirectory) -> bool:
    return directory.state() == "finished" and (directory.model / "config.json").is_file()


def is_local(source: str, data_dir: Any = None) -> bool:
    """Whether data are on this machine: the studio downloads nothing by itself."""
    if source not in CATALOGUE:
        return True
    known = isinstance(data_dir, str) and Path(data_dir).is_dir()
    try:
        return is_at_hand(source, data_dir if known else None)
    except DataError:
        return False


def without_data(source: str) -> str:
    """Why a data set that has a name is not shown."""
    return (
        f"{source} is not on this machine, and the studio downloads nothing: `latentia data show {source}` fetches it"
    )


def no_weights(directory: RunDirectory) -> str:
    """Why a run without a checkpoint shows no model."""
    if directory.state() in ("created", "running"):
        return "the run has not saved a checkpoint yet: wait some seconds"
    return "the run ended before its first checkpoint, so it has no model: train it anew"


def _model(run: Run, step: int | None) -> Model:
    assert run.directory is not None
    return (load(run.directory.path) if step is None else model_at(run, step)).eval()


def _stamp(directory: RunDirectory, step: int | None) -> Any:
    if step is None:
        return _changed(directory.model / "model.safetensors")
    return _changed(directory.checkpoints.folder / f"{step:08d}" / "state.json")


def _changed(path: Path) -> int | None:
    """When a file was last written, or ``None`` where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
