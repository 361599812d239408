"""What a use works on: single images or all the latents of a part of the run's data, or of files.

Owns how images are picked, encoded and decoded for every use in the same way; knows no use and no picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from latentia.data.blocks import blocks
from latentia.data.dataset import DataSpec
from latentia.errors import ConfigError, DataError
from latentia.evaluation.encoding import BLOCK, encode_split, evaluating
from latentia.runs.inputs import class_number, read_input

if TYPE_CHECKING:
    from latentia.runs.run import Run

Inputs = str | Path | Sequence[str | Path] | None


class Picked(NamedTuple):
    """Some samples.

    Attributes:
        x: (n, *event), on the model's device.
        y: Labels (n,), or ``None``.
        names: What each is called: its class, or its number where it has none.
    """

    x: Tensor
    y: Tensor | None
    names: list[str]


class Material:
    """A part of a run's data, or what files hold; images are numbered from 0.

    Args:
        run: The run.
        split: Which part, where there is no input.
        input: A file, all of whose samples count, or several, of which the first sample counts.

    Attributes:
        run: The run.
        source: What it is called in titles.

    Raises:
        DataError: If there is no such part, or a file does not fit the model.
    """

    def __init__(self, run: Run, split: str = "test", input: Inputs = None) -> None:
        self.run, self._split = run, split
        self._read: tuple[Tensor, Tensor | None] | None = None
        if input is None:
            run.dataset.split(split)
            self.source = f"{split} {self.spec.noun}s"
        else:
            self._read, self.source = self._read_files([input] if isinstance(input, str | Path) else list(input))

    def _read_files(self, paths: Sequence[str | Path]) -> tuple[tuple[Tensor, Tensor | None], str]:
        if not paths:
            raise ConfigError("input names no file: give at least one, or leave it out")
        resized = self.run.config.data.size is not None
        found = [read_input(Path(path), self.spec, self.run.preparation, resized=resized) for path in paths]
        for note in dict.fromkeys(note for one in found for note in one.notes):
            warnings.warn(note, stacklevel=5)
        first = slice(None) if len(found) == 1 else slice(1)
        labels = [one.y[first] for one in found if one.y is not None]
        y = torch.cat(labels) if len(labels) == len(found) else None
        return (torch.cat([one.x[first] for one in found]), y), " and ".join(one.source for one in found)

    @property
    def spec(self) -> DataSpec:
        """What one sample is."""
        return self.run.spec

    def __len__(self) -> int:
        return len(self.run.dataset.split(self._split)) if self._read is None else len(self._read[0])

    @property
    def y(self) -> Tensor | None:
        """The labels of all samples, (N,), on the CPU, or ``None``."""
        return self.run.dataset.split(self._split).y if self._read is None else self._read[1]

    def at(self, indices: Sequence[int]) -> Picked:
        """Pick samples by number.

        Raises:
            ConfigError: If there is no sample of that number.
        """
        self.check(indices)
        device = next(self.run.model.parameters()).device
        labels = self.y
        y = None if labels is None else labels[list(indices)].to(device)
        names = [f"#{index}" for index in indices] if y is None else [self.spec.classes[int(label)] for label in y]
        return Picked(self._x_at(list(indices)).to(device), y, names)

    def check(self, indices: Sequence[int]) -> None:
        """Refuse numbers that there are not.

        Raises:
            ConfigError: If there is no sample of a number.
        """
        for index in indices:
            if not 0 <= index < len(self):
                raise ConfigError(
                    f"there is no {self.spec.noun} {index} among the {len(self):,} {self.source}: "
                    f"they are numbered from 0 to {len(self) - 1}"
                )

    def _x_at(self, indices: list[int]) -> Tensor:
        """The prepared samples; noise that the preparation needs is that of their block, as in an evaluation."""
        if self._read is not None:
            return self._read[0][indices]
        device = next(self.run.model.parameters()).device
        found: dict[int, Tensor] = {}
        part = self.run.dataset.split(self._split)
        walk = blocks(part, self.run.preparation, size=BLOCK, seed=0, purpose="evaluation", device=device)
        for block in islice(walk, max(indices) // BLOCK + 1):
            first = block.index * BLOCK
            found |= {index: block.x[index - first] for index in indices if index // BLOCK == block.index}
        return torch.stack([found[index] for index in indices])

    @cached_property
    def _latents(self) -> Tensor:
        if self._read is None:
            return encode_split(self.run.model, self.run.dataset, self._split)[0]
        return encode(self.run, *self._read)

    def latents(self, limit: int | None = None) -> Tensor:
        """The means of q(z given x) of all samples, or of the first so many, (N, *latent), on the CPU."""
        if limit is not None and limit < len(self) and self._read is None and "_latents" not in self.__dict__:
            return encode_split(self.run.model, self.run.dataset, self._split, limit=limit)[0]
        return self._latents[:limit]

    def of_class(self, name: str | int) -> Tensor:
        """The numbers of the samples of a class, (n,).

        Raises:
            ConfigError: If there are no classes, or none of this name.
            DataError: If there is no sample of it.
        """
        label = label_of(self.spec, name)
        if self.y is None:
            raise ConfigError(
                f"{self.source} have no labels, so there is no class {name} among them: give numbers of "
                f"{self.spec.noun}s, such as #7"
            )
        numbers = (self.y == label).nonzero().flatten()
        if len(numbers) == 0:
            raise DataError(f"there is no {self.spec.noun} of class {name} among the {self.source}: take another part")
        return numbers

    def most_typical(self, name: str | int) -> int:
        """The number of the sample of a class that is nearest to the class's mean in the latent space (Euclidean)."""
        numbers = self.of_class(name)
        z = self.latents()[numbers].flatten(1).double()  # (n, d)
        return int(numbers[(z - z.mean(0)).norm(dim=1).argmin()])


def label_of(spec: DataSpec, name: str | int) -> int:
    """The label of a class, by name or by number from 0.

    Raises:
        ConfigError: If the data have no classes, or none of this name.

    Example:
        >>> label_of(DataSpec((2,), classes=("cat", "dog")), "dog")
        1
    """
    if not spec.classes:
        raise ConfigError(
            f"the data have no classes, so there is no class {name}: give numbers of {spec.noun}s, such as #7"
        )
    return class_number(name, spec)


def is_conditional(run: Run) -> bool:
    """Whether the run's model needs labels to encode and decode."""
    return bool(getattr(run.model, "conditional", False))


def label_for(run: Run, name: str | int | None) -> int | None:
    """The label under which a conditional model decodes, as asked for; ``None`` for other models.

    Raises:
        ConfigError: If a conditional model was given no class, or another model was given one.
    """
    if is_conditional(run):
        if name is None:
            raise ConfigError(
                "the model is conditional and decodes a latent as one of a class: say which, with --class (label=...)"
            )
        return label_of(run.spec, name)
    if name is not None:
        raise ConfigError("a class to decode was given, but the model is not conditional: leave --class (label) out")
    return None


def encode(run: Run, x: Tensor, y: Tensor | None = None) -> Tensor:
    """The means of q(z given x), (N, *latent), on the CPU."""
    means = []
    with evaluating(run.model) as device:
        for start in range(0, len(x), BLOCK):
            part = slice(start, start + BLOCK)
            labels = None if y is None else y[part].to(device)
            means.append(run.model.encode(x[part].to(device), labels).mean.cpu())
    return torch.cat(means)


def snapped(run: Run, z: Tensor) -> Tensor:
    """Put points where the model can have latents, (N, *latent), on the CPU: those of codes at their nearest codes.

    Args:
        run: Whose model it is.
        z: (N, *latent), or flattened to (N, d).
    """
    z = z.float().reshape(-1, *run.model.latent_shape)
    if not run.model.discrete:
        return z
    model: Any = run.model
    with evaluating(model) as device:
        return torch.cat([model.snap(part.to(device)).cpu() for part in z.split(BLOCK)])


def where_decoded(run: Run) -> str:
    """What a title says about the points that are decoded: nothing, where these are the ones that were asked for."""
    return ", at the nearest codes" if run.model.discrete else ""


def decode(run: Run, z: Tensor, y: Tensor | int | None = None) -> Tensor:
    """The means of p(x given z), (N, *event), on the CPU.

    Args:
        run: Whose model decodes.
        z: (N, *latent), or flattened to (N, d).
        y: Labels (N,), or one for all, for conditional models.
    """
    if isinstance(y, int):
        y = torch.full((len(z),), y)
    z = z.reshape(-1, *run.model.latent_shape)
    means = []
    with evaluating(run.model) as device:
        for start in range(0, len(z), BLOCK):
            part = slice(start, start + BLOCK)
            labels = None if y is None else y[part].to(device)
            means.append(run.model.decode(z[part].to(device), labels).mean.cpu())
    return torch.cat(means)


def reconstruct(run: Run, picked: Picked) -> Tensor:
    """The reconstructions of some samples, all at once, (n, *event), on the CPU."""
    with evaluating(run.model):
        return run.model.reconstruct(picked.x, picked.y).cpu()
