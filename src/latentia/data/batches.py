"""The order in which samples are shown: a pure function of (seed, stage, step).

Knows the stored arrays and their preparation; knows nothing of models, losses or epochs' bookkeeping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latentia.data.dataset import Split
from latentia.data.mapped import Mapped
from latentia.data.prefetch import Prefetcher
from latentia.data.preparation import Preparation
from latentia.data.seeds import generator
from latentia.errors import ConfigError

RESIDENT_BYTES = 4 * 2**30  # a split up to this size is kept on the device; a larger one is copied batch by batch
AHEAD = 16  # batches of mapped data that are read at once, ahead of their use ...
AHEAD_BYTES = 2**26  # ... or fewer, so that they, those in use and room to read into take no more memory than this


class Batch(NamedTuple):
    """What one step sees.

    Attributes:
        x: (B, *event), float32, on the device.
        y: (B,), int64, on the device; None without labels.
    """

    x: Tensor
    y: Tensor | None


class IndexStream:
    """The epochs' permutations, joined into one stream and cut into equal batches.

    Every batch is full, whatever the number of samples, and every epoch's stretch of the stream shows each sample
    exactly once. Batch ``step`` is ``stream[step * B : (step + 1) * B]``: nothing depends on the batches before it.

    Args:
        n: Number of samples, >= 1; it may be smaller than the batch size.
        batch_size: B >= 1, for all ranks together.
        seed: The run's seed.
        stage: The name or number of the fit within the run.

    Raises:
        ConfigError: If ``n`` or ``batch_size`` is smaller than 1.

    Example:
        >>> stream = IndexStream(5, batch_size=2, seed=0, stage="fit")
        >>> sorted(torch.cat([stream.indices(step) for step in range(5)]).tolist())  # two epochs of five
        [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
        >>> stream.steps_in(1.0), stream.epoch_of(3)
        (3, 1)
    """

    def __init__(self, n: int, batch_size: int, seed: int, stage: int | str) -> None:
        if n < 1:
            raise ConfigError(f"cannot draw batches from {n} samples; there must be at least one")
        if batch_size < 1:
            raise ConfigError(f"the batch size must be at least 1, not {batch_size}")
        self.n, self.batch_size, self.seed, self.stage = n, batch_size, seed, stage
        self._cached: tuple[int, torch.device | str, Tensor] | None = None

    def indices(self, step: int, device: torch.device | str = "cpu", batches: int = 1) -> Tensor:
        """Return the samples of one batch, or of several that follow one another.

        Args:
            step: Number of the batch, >= 0.
            device: Where the result is wanted.
            batches: How many.

        Returns:
            (batches B,), int64.
        """
        if step < 0:
            raise ValueError(f"steps count from 0, not {step}")
        first = step * self.batch_size
        epoch, begin = divmod(first, self.n)
        end = begin + batches * self.batch_size
        if end <= self.n:
            return self._permutation(epoch, device)[begin:end].long()
        pieces = [self._permutation(epoch, device)[begin:]]
        remaining = end - self.n
        while remaining > 0:
            epoch += 1
            pieces.append(self._permutation(epoch, device)[:remaining])
            remaining -= self.n
        return torch.cat(pieces).long()

    def steps_in(self, epochs: float) -> int:
        """Return how many batches cover that many passes over the data: ceil(epochs n / B)."""
        return math.ceil(epochs * self.n / self.batch_size)

    def epoch_of(self, step: int) -> int:
        """Return the epoch, counted from 0, to which the first sample of a batch belongs."""
        return step * self.batch_size // self.n

    def _permutation(self, epoch: int, device: torch.device | str) -> Tensor:
        cached = self._cached
        if cached is not None and cached[0] == epoch and cached[1] == device:
            return cached[2]
        # Always drawn on the CPU, so that the order does not depend on the kind of device; 32 bits give the same order
        # as 64 and take half the memory.
        draw = generator("cpu", self.seed, self.stage, "order", epoch) if self.n > 1 else None
        kind = torch.int32 if self.n < 2**31 else torch.int64
        order = torch.randperm(self.n, generator=draw, dtype=kind).to(device)
        self._cached = (epoch, device, order)
        return order


class Feed:
    """Batches of one split, prepared and on the device.

    Args:
        split: What is stored.
        preparation: From what is stored to what the model sees.
        stream: Which samples make up which batch.
        device: Where the batches are wanted.
        seed: The run's seed; with ``stage`` and the step it determines the noise of dynamic binarisation and of
            dequantisation.
        stage: The name or number of the fit within the run.
        rank: This process's number among ``world``.
        world: Number of processes; each gets an equal, contiguous part of every batch.

    Raises:
        ConfigError: If the batch size is no multiple of ``world``, or the rank is outside [0, world).

    Example:
        >>> split = Split(torch.arange(8, dtype=torch.uint8).reshape(4, 2))
        >>> feed = Feed(split, Preparation(levels=256), IndexStream(4, 3, 0, "fit"), "cpu", 0, "fit")
        >>> feed.batch(0).x.shape, feed.batch(0).x.dtype
        (torch.Size([3, 2]), torch.float32)
    """

    def __init__(
        self,
        split: Split,
        preparation: Preparation,
        stream: IndexStream,
        device: torch.device | str,
        seed: int,
        stage: int | str,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if stream.batch_size % world:
            raise ConfigError(
                f"the batch size {stream.batch_size} cannot be shared equally by {world} processes; "
                f"choose a multiple of {world}"
            )
        if not 0 <= rank < world:
            raise ConfigError(f"rank {rank} is not one of the {world} processes")
        assert stream.n == len(split), (stream.n, len(split))
        self.preparation, self.stream, self.seed, self.stage = preparation, stream, seed, stage
        self._later = not (preparation.needs_noise or preparation.rescales)  # whether it can be part of the step
        self.device = torch.device(device)
        share = stream.batch_size // world
        self._mine = None if world == 1 else slice(rank * share, (rank + 1) * share)
        self._event = tuple(split.x.shape[1:])
        self._reader: MappedReader | None = None
        resident = split.x.nbytes <= RESIDENT_BYTES
        if isinstance(split.x, Mapped) and (self.device.type == "cpu" or not resident):
            self._reader = MappedReader(split, stream, self.device, self._mine, share)
            return
        self._home = self.device if resident or isinstance(split.x, Mapped) else split.x.device
        self._x = split.x.to(self._home)
        self._y = None if split.y is None else split.y.to(self._home)

    def batch(self, step: int) -> Batch:
        """Return one batch, whatever was asked for before.

        Args:
            step: Number of the batch, >= 0.

        Returns:
            This rank's part of the batch; the parts of all ranks in order make up the batch of a single process.
        """
        stored, y = self.stored(step)
        x = self.prepare(stored)
        if x is stored and self._reader is not None and self._later:
            x = x.clone()  # what is stored is overwritten by a later batch
        return Batch(x, y)

    def stored(self, step: int) -> Batch:
        """Return one batch of which :meth:`prepare` makes what the model sees.

        Its x is valid until the next call, or, where they are :attr:`lasting`, for ever.

        Args:
            step: Number of the batch, >= 0.
        """
        if self._reader is not None:
            x, y = self._reader.batch(step)
        else:
            indices = self.stream.indices(step, self._home)
            if self._mine is not None:
                indices = indices[self._mine]
            x = self._x.index_select(0, indices)  # (B, *event), as stored
            y = None if self._y is None else self._y.index_select(0, indices)
            if self._home != self.device:
                x, y = x.to(self.device), None if y is None else y.to(self.device)
        if not self._later:
            x = self.preparation(x, self._noise(step) if self.preparation.needs_noise else None)
        return Batch(x, y)

    @property
    def lasting(self) -> bool:
        """Whether what :meth:`stored` gives outlasts the next call."""
        return self._reader is None

    def prepare(self, stored: Tensor) -> Tensor:
        """Do what is left of the preparation: all of it where it takes neither noise nor arrays, otherwise nothing."""
        return self.preparation(stored) if self._later else stored

    def close(self) -> None:
        """End the reading ahead, where there is some; :meth:`batch` begins it anew."""
        if self._reader is not None:
            self._reader.close()

    def _noise(self, step: int) -> Tensor:
        shape = (self.stream.batch_size, *self._event)  # of the whole batch, so that ranks agree
        drawn = generator(self.device, self.seed, self.stage, "data", step)
        noise = torch.rand(shape, generator=drawn, device=self.device)
        return noise if self._mine is None else noise[self._mine]


@dataclass(eq=False)
class _Slot:
    """Room for batches as they are stored; on CUDA in page-locked memory, and not used again before they were copied.

    Attributes:
        x: (batches B, *event).
        y: (batches B,); None without labels.
        copied: Until when the device reads them.
    """

    x: Tensor
    y: Tensor | None
    copied: torch.cuda.Event | None = None


class MappedReader:
    """Batches of data on the disk, read ahead by a thread into the same two pieces of memory.

    Many batches are read at once: a thread that woke up for each would take a processor from the step every time.

    Args:
        split: Mapped samples; labels are in memory.
        stream: Which samples make up which batch.
        device: Where the batches are wanted.
        mine: This process's part of every batch; None: all of it.
        size: How many samples that are.
    """

    def __init__(self, split: Split, stream: IndexStream, device: torch.device, mine: slice | None, size: int) -> None:
        assert isinstance(split.x, Mapped)
        source, event = split.x, tuple(split.x.shape[1:])
        labels = None if split.y is None else split.y.numpy()
        batch_bytes = 2 * size * math.prod(event) * source.dtype.itemsize + source.scratch(size).nbytes
        count = max(1, min(AHEAD, AHEAD_BYTES // batch_bytes))
        scratch = source.scratch(count * size)
        pinned = device.type == "cuda"

        def order(piece: int) -> np.ndarray:
            rows = stream.indices(piece * count, batches=count).view(count, -1).numpy()
            return (rows if mine is None else rows[:, mine]).reshape(-1)

        def fill(rows: np.ndarray, slot: _Slot) -> None:
            if slot.copied is not None:
                slot.copied.synchronize()
            source.read(rows, slot.x.numpy(), scratch)
            if labels is not None and slot.y is not None:
                np.take(labels, rows, out=slot.y.numpy())

        slots = [
            _Slot(
                torch.empty(count * size, *event, dtype=source.dtype, pin_memory=pinned),
                None if split.y is None else torch.empty(count * size, dtype=split.y.dtype, pin_memory=pinned),
            )
            for _ in range(2)
        ]
        self.device, self._size, self._count, self._pinned = device, size, count, pinned
        self._ahead = Prefetcher(order, fill, slots)
        self._current: tuple[int, _Slot] | None = None

    def batch(self, step: int) -> tuple[Tensor, Tensor | None]:
        """Return a batch as it is stored, on the device; x is valid until the next call, y is the caller's own."""
        piece, place = divmod(step, self._count)
        if self._current is None or self._current[0] != piece:
            self._current = None  # whatever happens now, that slot is no longer ours
            self._current = piece, self._ahead.get(piece)
        slot, mine = self._current[1], slice(place * self._size, (place + 1) * self._size)
        x, y = slot.x[mine], None if slot.y is None else slot.y[mine]
        if self.device.type == "cpu":
            return x, None if y is None else y.clone()
        x = x.to(self.device, non_blocking=self._pinned)
        y = None if y is None else y.to(self.device, non_blocking=self._pinned)
        if self.device.type == "cuda":
            slot.copied = slot.copied or torch.cuda.Event()
            slot.copied.record(torch.cuda.current_stream(self.device))
        return x, y

    def close(self) -> None:
        """End the thread."""
        self._current = None
        self._ahead.close()


class MixedFeed:
    """Batches of which the first samples have labels and the others none.

    Args:
        labelled: Batches of samples with labels.
        unlabelled: Batches of samples without.

    Example:
        >>> few, many = Split(torch.zeros(2, 3), torch.tensor([1, 0])), Split(torch.zeros(9, 3))
        >>> feeds = [Feed(part, Preparation(), IndexStream(len(part), size, 0, "fit"), "cpu", 0, "fit")
        ...          for part, size in ((few, 2), (many, 4))]
        >>> batch = MixedFeed(*feeds).batch(0)
        >>> batch.x.shape, batch.y[2:]
        (torch.Size([6, 3]), tensor([-1, -1, -1, -1]))
    """

    def __init__(self, labelled: Feed, unlabelled: Feed) -> None:
        self.labelled, self.unlabelled = labelled, unlabelled

    def batch(self, step: int) -> Batch:
        """Return one batch, whatever was asked for before; y is -1 where there is no label."""
        some, others = self.labelled.batch(step), self.unlabelled.batch(step)
        assert some.y is not None
        missing = torch.full((len(others.x),), -1, dtype=some.y.dtype, device=some.y.device)
        return Batch(torch.cat([some.x, others.x]), torch.cat([some.y, missing]))

    stored = batch
    lasting = True

    def prepare(self, stored: Tensor) -> Tensor:
        """Return the batch, which is prepared already."""
        return stored

    def close(self) -> None:
        """End the reading ahead of both."""
        self.labelled.close()
        self.unlabelled.close()
