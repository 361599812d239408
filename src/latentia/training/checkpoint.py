"""Checkpoints: folders of safetensors and JSON, written aside and renamed, verified when read.

Owns the layout of a checkpoint and the pointers ``last`` and ``best``. It must not know what the tensors mean.

```
checkpoints/
  00000469/   model.safetensors  optimizer.safetensors ...  state.json (with the SHA-256 of each file)
  last        the name of the folder to resume from
  best        the name of the folder with the best validation loss, where there is a validation part
```
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from latentia import storage
from latentia.errors import CheckpointError

FORMAT = "latentia-checkpoint"
VERSION = 1
_NAME = re.compile(r"\d{8,}")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        step: Steps done when it was written.
        tensors: Part (``model``, ``optimizer`` ...) -> name -> tensor, on the CPU.
        state: Everything else that training needs to go on.
    """

    step: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Serialise tensors as safetensors, on the CPU and contiguous."""
    seen: set[int] = set()
    separate = {}
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        place = value.untyped_storage().data_ptr()
        separate[name] = value.clone() if place in seen else value  # the format refuses memory that is shared
        seen.add(place)
    return safetensors.torch.save(separate)


def from_bytes(data: bytes, path: Path) -> dict[str, Tensor]:
    """Read safetensors back.

    Args:
        data: The file's content.
        path: Where it came from, to be named in errors.

    Raises:
        CheckpointError: If it is no whole safetensors file.
    """
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: it is truncated or foreign") from error


class CheckpointStore:
    """The checkpoints of one stage of a run.

    Args:
        folder: The ``checkpoints`` folder; made when the first checkpoint is saved.

    Example:
        >>> import tempfile; store = CheckpointStore(Path(tempfile.mkdtemp()) / "checkpoints")
        >>> store.save(7, {"model": {"w": torch.ones(2)}}, {"seed": 0}, best=False)
        >>> found = store.load(); found.step, found.state, found.tensors["model"]["w"]
        (7, {'seed': 0}, tensor([1., 1.]))
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(
        self,
        step: int,
        tensors: Mapping[str, Mapping[str, Tensor]],
        state: Mapping[str, Any],
        *,
        best: bool,
        keep: int = 1,
    ) -> None:
        """Write a checkpoint, point ``last`` (and ``best``) at it, then delete those no longer needed.

        Args:
            step: Steps done.
            tensors: Part -> name -> tensor; a file each.
            state: JSON-serialisable rest.
            best: Whether it is the best so far.
            keep: How many of the latest stay, beside the best.

        Raises:
            EnvironmentFault: If it cannot be written; the former checkpoint is then intact.
        """
        storage.make_folder(self.folder)
        name = f"{step:08d}"
        with storage.new_folder(self.folder / name) as folder:
            digests = {}
            for part, content in tensors.items():
                data = to_bytes(content)
                storage.write_bytes(folder / f"{part}.safetensors", data, durable=False)
                digests[f"{part}.safetensors"] = hashlib.sha256(data).hexdigest()
            header = {"format": FORMAT, "version": VERSION, "step": step, "sha256": digests, "state": dict(state)}
            header["header_sha256"] = _digest_of(header)
            storage.write_json(folder / "state.json", header, durable=False)
        storage.write_text(self.folder / "last", name)
        if best:
            storage.write_text(self.folder / "best", name)
        self._prune(keep)

    def names(self) -> list[str]:
        """The names of the checkpoints there are, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted((path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), key=int)

    def find(self, which: str = "last") -> Path | None:
        """The folder that ``last`` or ``best`` points at; the latest there is if ``last`` points at nothing."""
        pointer, names = self.folder / which, self.names()
        try:
            name = pointer.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            name = ""
        if name in names:
            return self.folder / name
        return self.folder / names[-1] if which == "last" and names else None

    def load(self, which: str = "last", parts: tuple[str, ...] | None = None) -> Checkpoint | None:
        """Read and verify a checkpoint.

        Args:
            which: ``last`` or ``best``.
            parts: Which parts to read; all of them if ``None``.

        Returns:
            The checkpoint, or ``None`` where there is none.

        Raises:
            CheckpointError: If it is damaged or of another kind; nothing is changed.
        """
        folder = self.find(which)
        return None if folder is None else read_checkpoint(folder, parts)

    def tidy(self, step: int | None) -> None:
        """Delete what a crash left: half-written folders, and checkpoints later than the one resumed from.

        The caller must hold the run's lock.

        Args:
            step: The step resumed from; ``None`` for a run without a checkpoint.
        """
        if not self.folder.is_dir():
            return
        storage.sweep(self.folder)
        for name in self.names():
            if step is None or int(name) > step:
                storage.remove(self.folder / name)

    def point_best(self, step: int) -> None:
        """Make ``best`` point at a step's checkpoint, where a crash came between its folder and its pointer."""
        name = f"{step:08d}"
        if name in self.names() and self.find("best") != self.folder / name:
            storage.write_text(self.folder / "best", name)

    def _prune(self, keep: int) -> None:
        kept = {path.name for which in ("last", "best") if (path := self.find(which)) is not None}
        for name in self.names()[:-keep]:
            if name not in kept:
                storage.remove(self.folder / name)


def read_checkpoint(folder: Path, parts: tuple[str, ...] | None = None) -> Checkpoint:
    """Read a checkpoint folder and verify every file that is read against its SHA-256.

    Raises:
        CheckpointError: If a file is missing, truncated, changed, or not Latentia's.
    """
    remedy = _remedy(folder)
    try:
        header = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        if header["format"] != FORMAT:
            raise ValueError(header["format"])
        if header["version"] > VERSION:
            raise CheckpointError(f"{folder} was written by a newer Latentia: update it to read this checkpoint")
        if header.pop("header_sha256") != _digest_of(header) or header["step"] != int(folder.name):
            raise ValueError("checksum")
        digests, state, step = dict(header["sha256"]), dict(header["state"]), int(header["step"])
    except CheckpointError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise CheckpointError(
            f"{folder / 'state.json'} is damaged or not of a Latentia checkpoint: {remedy}"
        ) from error
    tensors = {}
    for file, digest in digests.items():
        part = file.removesuffix(".safetensors")
        if parts is not None and part not in parts:
            continue
        if not re.fullmatch(r"[a-z_]+\.safetensors", file):
            raise CheckpointError(f"{folder / 'state.json'} names a file that no Latentia checkpoint has: {remedy}")
        try:
            data = (folder / file).read_bytes()
        except OSError as error:
            raise CheckpointError(f"{folder / file} cannot be read ({error.strerror}): {remedy}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise CheckpointError(f"{folder / file} is damaged (its checksum does not fit): {remedy}")
        try:
            tensors[part] = from_bytes(data, folder / file)
        except CheckpointError as error:
            raise CheckpointError(f"{error}: {remedy}") from error
    return Checkpoint(step, tensors, state)


def _remedy(folder: Path) -> str:
    """What to do about a damaged checkpoint, as its siblings allow."""
    others = [int(name) for name in CheckpointStore(folder.parent).names() if name != folder.name]
    if not others:
        return "it is the run's only checkpoint, so put back a copy of it or train the run anew"
    before = _NAME.fullmatch(folder.name) and min(others) < int(folder.name)
    return f"remove {folder} to go on from the checkpoint {'before' if before else 'after'} it"


def _digest_of(header: Mapping[str, Any]) -> str:
    """SHA-256 of what ``state.json`` says, however it is written down."""
    return hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()


def restore_model(model: torch.nn.Module, tensors: Mapping[str, Tensor], source: Path | str) -> None:
    """Load weights into a model, all of them and nothing else.

    Args:
        model: The model.
        tensors: Name -> tensor.
        source: Where they came from, to be named in errors.

    Raises:
        CheckpointError: If names or shapes do not fit; the model is then unchanged.
    """
    expected = model.state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            raise CheckpointError(f"{source} does not fit the model: it has no '{name}'")
        if name not in expected:
            raise CheckpointError(f"{source} does not fit the model, which has no '{name}'")
        if expected[name].shape != tensors[name].shape:
            shapes = f"{tuple(tensors[name].shape)} instead of {tuple(expected[name].shape)}"
            raise CheckpointError(f"{source} does not fit the model: '{name}' has shape {shapes}")
    model.load_state_dict(dict(tensors))
