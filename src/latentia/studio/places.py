"""Which run a request means, and that it lies within the studio's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from latentia.errors import LatentiaError
from latentia.runs.directory import RunDirectory
from latentia.runs.listing import find_runs

DEEPEST = 3  # folders in a run that hold files of its own: base/checkpoints/<step>/


class NoSuchRun(LatentiaError):
    """There is no run of that name in the folder, or it is gone by now."""


class Outside(LatentiaError):
    """A name leads out of the studio's folder."""


class Places:
    """The runs of one folder by their names.

    Args:
        root: The folder; it need not be there yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    def name_of(self, path: Path) -> str:
        """The name of a run: its path relative to the folder."""
        return path.relative_to(self.root).as_posix()

    def target(self, name: str) -> Path:
        """Where a run of a name is or would be.

        Raises:
            Outside: If that leads out of the folder, by ``..``, as an absolute path or through a link.
        """
        parts = name.split("/")
        if not name or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise Outside(f"'{name[:80]}' is no name of a run: names are relative to the studio's folder, without '..'")
        path = self.root.joinpath(*parts)
        try:
            found = path.resolve()
        except (OSError, RuntimeError) as error:
            raise NoSuchRun(f"there is no run '{name[:80]}' in {self.root}: reload the list of runs") from error
        if not found.is_relative_to(self.root.resolve()):
            raise Outside(f"'{name[:80]}' leads out of {self.root}: start another studio on the folder that it is in")
        return path

    def holds(self, path: Path) -> bool:
        """Whether a path, with its links followed, is within the folder."""
        try:
            return path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # such as a link to itself
            return False

    def run(self, name: str, *, whole: bool = True) -> RunDirectory:
        """The run of a name.

        Args:
            name: Relative to the folder.
            whole: Look for links in its folders too, not only among the files that a list is made of.

        Raises:
            Outside: If it, or something in it, leads out of the folder.
            NoSuchRun: If there is none.
        """
        path = self.target(name)
        try:
            if not (path / "config.toml").is_file():
                raise FileNotFoundError(path)
            links = list(_links(str(path), DEEPEST if whole else 0))
        except OSError as error:
            raise NoSuchRun(f"there is no run '{name[:80]}' in {self.root}: reload the list of runs") from error
        for link in links:
            if not self.holds(Path(link)):
                raise Outside(
                    f"{Path(link).relative_to(path)} of '{name[:80]}' is a link out of {self.root}: copy the run whole"
                )
        return RunDirectory(path)

    def runs(self) -> list[RunDirectory]:
        """The runs there are; those that lead out of the folder are left out."""
        found = []
        for path in find_runs(self.root):
            try:
                found.append(self.run(self.name_of(path), whole=False))
            except (NoSuchRun, Outside):
                continue
        return found


def _links(folder: str, deep: int) -> Iterator[str]:
    """The symbolic links in a folder and in those within it; none of them is followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield entry.path
            elif deep and entry.is_dir(follow_symlinks=False):
                with suppress(FileNotFoundError):  # a checkpoint that was replaced meanwhile
                    yield from _links(entry.path, deep - 1)
