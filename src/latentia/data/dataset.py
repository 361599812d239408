"""Arrays together with what they mean: the spec, the splits and the dataset.

Knows neither where the data came from nor what will be done with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from latentia.errors import DataError

if TYPE_CHECKING:
    from latentia.data.mapped import Mapped
    from latentia.data.preparation import Preparation


@dataclass(frozen=True)
class DataSpec:
    """What one sample is, as the model sees it.

    Attributes:
        event_shape: ``(features,)`` for vectors, ``(channels, height, width)`` for images.
        levels: How many equally spaced values x can take in [0, 1]: 256 for 8-bit data (x = k / 255), 2 for binary
            data; None for real numbers and for data that were rescaled. Dequantised data keep the number of levels
            that they had before.
        low: The smallest value of x.
        high: The largest value of x.
        binary: Whether every x is 0 or 1.
        dequantized: Whether uniform noise of one level's width is added.
        classes: The names of the labels 0, 1, ...; empty without labels.

    Example:
        >>> DataSpec((1, 28, 28), levels=256, classes=tuple("0123456789")).describe()
        '28 x 28 grey images, 8-bit, 10 classes'
    """

    event_shape: tuple[int, ...]
    levels: int | None = None
    low: float = 0.0
    high: float = 1.0
    binary: bool = False
    dequantized: bool = False
    classes: tuple[str, ...] = ()

    @property
    def dimensions(self) -> int:
        """The number of values in one sample."""
        return math.prod(self.event_shape)

    @property
    def is_image(self) -> bool:
        """Whether a sample has channels, a height and a width."""
        return len(self.event_shape) == 3

    @property
    def noun(self) -> str:
        """What one sample is called in titles and units."""
        return "image" if self.is_image else "vector"

    def describe(self) -> str:
        """Say in one line what a sample is."""
        if self.is_image:
            channels, height, width = self.event_shape
            kind = {1: "grey", 3: "colour"}.get(channels, f"{channels}-channel")
            what = f"{height} x {width} {kind} images"
        else:
            what = f"vectors of {self.dimensions} value{'s' if self.dimensions != 1 else ''}"
        if self.binary:
            values = "binary"
        elif self.levels is not None:
            values = "8-bit" if self.levels == 256 else f"{self.levels} levels"
        else:
            values = f"values in [{self.low:.4g}, {self.high:.4g}]"
        parts = [what, values]
        if self.dequantized:
            parts.append("dequantised")
        if self.classes:
            parts.append(f"{len(self.classes)} class{'es' if len(self.classes) != 1 else ''}")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as plain values for JSON."""
        return asdict(self) | {"event_shape": list(self.event_shape), "classes": list(self.classes)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DataSpec:
        """Read what :meth:`to_json` wrote.

        Raises:
            DataError: If it is something else.

        Example:
            >>> spec = DataSpec((3,), low=-1.0)
            >>> DataSpec.from_json(spec.to_json()) == spec
            True
        """
        try:
            spec = cls(**dict(value))
            shape = tuple(int(size) for size in spec.event_shape)
            classes = tuple(str(name) for name in spec.classes)
            if not shape or min(shape) < 1:
                raise ValueError("event_shape")
            return cls(
                shape,
                None if spec.levels is None else int(spec.levels),
                float(spec.low),
                float(spec.high),
                bool(spec.binary),
                bool(spec.dequantized),
                classes,
            )
        except (TypeError, ValueError) as error:
            raise DataError(f"this is not a description of data that Latentia wrote ({error})") from error


@dataclass(frozen=True)
class Split:
    """One part of a dataset, stored as it came.

    Attributes:
        x: (N, *event), uint8 or float32; a :class:`~latentia.data.preparation.Preparation` turns it into what the
            model sees. Data that stay on the disk are a :class:`~latentia.data.mapped.Mapped`, of which slices and rows
            become tensors.
        y: (N,), int64 labels that index the spec's classes, or None.
    """

    x: Tensor | Mapped
    y: Tensor | None = None

    def __len__(self) -> int:
        return self.x.shape[0]

    def loaded(self) -> Tensor:
        """All samples as they are stored, read into memory if they are on the disk."""
        return self.x if isinstance(self.x, Tensor) else self.x[:]

    def subset(self, rows: Tensor) -> Split:
        """Some of the samples, (n,) numbers, rising for data on the disk, of which nothing is read."""
        x = self.x.index_select(0, rows) if isinstance(self.x, Tensor) else self.x.subset(rows)
        return Split(x, None if self.y is None else self.y.index_select(0, rows))


@dataclass(frozen=True)
class Dataset:
    """Arrays, what they mean and how to prepare them.

    Attributes:
        name: What the source is called.
        spec: What the model sees.
        preparation: From what is stored to what the model sees.
        splits: ``train``, and ``valid`` and ``test`` where they exist; ``labelled`` where few samples keep their
            labels, which ``train`` and ``valid`` are then without.
        fingerprint: Hash of the source's content before any splitting or binarising; equal content, equal fingerprint.
        notes: What a reader of the numbers should know about the data, one sentence each.
    """

    name: str
    spec: DataSpec
    preparation: Preparation
    splits: dict[str, Split]
    fingerprint: str
    notes: tuple[str, ...] = field(default=())

    def split(self, name: str) -> Split:
        """Return one part.

        Raises:
            DataError: If the dataset has no such part; the message names those there are.
        """
        if name not in self.splits:
            raise DataError(
                f"{self.name} has no '{name}' part (it has: {', '.join(self.splits)}); choose one of these, or "
                "hold one out with --set data.validation=0.1 (valid) or --set data.test_fraction=0.2 (test)"
            )
        return self.splits[name]
