"""Where the files of a use go: into the run's folders, or where the user says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentia import storage
from latentia.errors import ConfigError

if TYPE_CHECKING:
    from latentia.runs.run import Run


def place(
    run: Run, out: str | Path | None, name: str, *, folder: str = "samples", what: str = "pictures"
) -> Path | None:
    """Where a use writes a file.

    Args:
        run: Whose use it is.
        out: Where the user wants it, if anywhere.
        name: What it is called in the run's folder, with its ending.
        folder: Which of the run's folders.
        what: What such files are called in messages.

    Returns:
        A path whose folder exists, or ``None`` for a run without a folder.

    Raises:
        ConfigError: If ``out`` has another ending.
        EnvironmentFault: If the folder cannot be created.
    """
    ending = Path(name).suffix
    if out is not None:
        path = Path(out)
        if path.suffix.lower() != ending:
            raise ConfigError(
                f"{what} are written as {ending[1:].upper()}: give a path that ends in {ending}, not {path}"
            )
        storage.make_folder(path.parent)
        return path
    if run.directory is None:
        return None
    return storage.make_folder(run.directory.path / folder) / name
