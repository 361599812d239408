"""Arrays on disk of which only what is asked for is read, in the form in which they are stored: uint8 or float32.

Owns the reading of mapped files, in chunks and by rows. Knows nothing of parts, batches or models. The files must not
be changed while they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor

from latentia.data.arrays import (
    EXACT_IN_FLOAT32,
    channels_last,
    check_numbers,
    refuse_beyond_float32,
    refuse_non_finite,
    shape_text,
)
from latentia.errors import DataError

CHUNK_BYTES = 2**24  # read at once where everything is read


class Mapped:
    """N samples in one or several mapped arrays, the rows of which follow one another.

    It stands where a tensor of the stored samples would stand: it has ``shape``, ``dtype``, ``nbytes`` and ``len``, and
    slices and tensors of row numbers give tensors. uint8 and bool become uint8, all other numbers float32, when they
    are read.

    Args:
        files: Mapped arrays, (n_i, ...), in C order, of equal type and sample shape; as a rule of type ``np.memmap``.
        what: Their name in messages.
        layout: Where the channels of four axes are, as for :func:`latentia.data.arrays.arrange`.

    Raises:
        DataError: If they do not fit each other, are empty, or hold no numbers.

    Attributes:
        shape: (N, *event) as stored.
        dtype: torch.uint8 or torch.float32.
        levels: 256 for uint8, 2 for boolean; None for float32.
        notes: What a reader of the numbers should know; complete once :meth:`checked` has gone through.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.npy"
        >>> np.save(path, np.arange(12, dtype=np.uint8).reshape(4, 3))
        >>> x = Mapped([np.load(path, mmap_mode="r")], "x")
        >>> x.shape, x[torch.tensor([2, 0])].tolist()
        ((4, 3), [[6, 7, 8], [0, 1, 2]])
    """

    def __init__(self, files: Sequence[np.ndarray], what: str, layout: str = "auto") -> None:
        first = files[0]
        for file in files:
            if file.ndim and file.shape[1:] != first.shape[1:]:
                raise DataError(
                    f"the files of {what} hold samples of different shapes ({shape_text(first.shape[1:])} and "
                    f"{shape_text(file.shape[1:])}); make them equal"
                )
            if file.dtype != first.dtype:
                raise DataError(f"the files of {what} are of different types ({first.dtype} and {file.dtype})")
            self.levels = check_numbers(file, what)
            if not file.flags.c_contiguous:
                raise DataError(
                    f"{what} is stored in Fortran order, whose samples lie scattered over the file; save it with "
                    "numpy.save(path, numpy.ascontiguousarray(x)), or use --set data.memory=load"
                )
        self._last, notes = channels_last((sum(map(len, files)), *first.shape[1:]), layout, what)
        self.what, self.notes = what, list(notes)
        self._kind, self._inside = first.dtype, first.shape[1:]  # type and shape of a sample in the file
        width = int(np.prod(self._inside, dtype=np.int64)) * first.dtype.itemsize
        self._files = [np.ndarray((len(file), width), np.uint8, buffer=file) for file in files]  # rows of plain bytes
        self._starts = np.cumsum([0, *map(len, files)])
        self._rows: np.ndarray | None = None  # which rows these are; None: all
        self._stored = np.dtype(np.float32 if self.levels is None else np.uint8)
        event = self._inside if len(self._inside) != 2 else (1, *self._inside)
        if self._last:
            event = (event[-1], *event[:-1])
        self.shape = (int(self._starts[-1]), *event)
        self.dtype = torch.float32 if self.levels is None else torch.uint8
        self._range: tuple[np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """What it would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self._stored.itemsize

    def __getitem__(self, rows: slice | Tensor) -> Tensor:
        """Read samples: a slice with step 1, or row numbers (n,) in any order."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            assert step == 1, step
            return torch.from_numpy(self._store(self._in_order(start, max(start, stop))))
        return torch.from_numpy(self.read(rows.cpu().numpy()))

    def subset(self, rows: Tensor) -> Self:
        """The same files with some of the rows, (n,) in rising order; nothing is read."""
        chosen = rows.cpu().numpy()
        if self._rows is not None:
            chosen = self._rows[chosen]
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        found._rows = chosen.astype(np.int32 if self._starts[-1] < 2**31 else np.int64)
        found.shape, found._range = (len(chosen), *self.shape[1:]), None
        return found

    def read(self, rows: np.ndarray, out: np.ndarray | None = None, scratch: np.ndarray | None = None) -> np.ndarray:
        """Read samples in the order of their places on the disk, and hand them over in the order that was asked for.

        Args:
            rows: (n,), whole numbers in [0, N), in any order.
            out: Where they go, (n, *event) of the stored type; None: a new array.
            scratch: Room for them as they are in the file, of :meth:`scratch`'s shape; None: a new array.

        Returns:
            ``out``.
        """
        if self._rows is not None:
            rows = self._rows[rows]
        order = np.argsort(rows)
        found = self._gather(rows[order], self.scratch(len(rows)) if scratch is None else scratch)
        out = np.empty((len(rows), *self.shape[1:]), self._stored) if out is None else out
        with np.errstate(over="ignore"):
            out[order] = found
        return out

    def scratch(self, n: int) -> np.ndarray:
        """Room for n samples as they are in the file, for :meth:`read`."""
        return np.empty((n, self._files[0].shape[1]), np.uint8)

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield all samples in order, as stored, some megabytes at a time."""
        for values in self._pieces():
            yield self._store(values)

    def checked(self) -> Iterator[np.ndarray]:
        """As :meth:`chunks`, and look at every value on the way.

        Raises:
            DataError: At the end, if there was NaN or infinity, or a value beyond the range of float32.
        """
        bad, first, seen, largest, beyond = 0, 0, 0, 0, False
        for values in self._pieces():
            stored = self._store(values)
            if self._kind.kind == "f":
                wrong = ~np.isfinite(values)
                if wrong.any():
                    first = first if bad else seen + int(np.argmax(wrong.reshape(len(values), -1).any(axis=1)))
                    bad += int(wrong.sum())
                beyond = beyond or (self._kind.itemsize > 4 and not np.isfinite(stored).all())
            elif self.levels is None:
                largest = max(largest, abs(int(values.min())), abs(int(values.max())))
            seen += len(values)
            yield stored
        if bad:
            refuse_non_finite(bad, first, self.what)
        if beyond:
            refuse_beyond_float32(self.what)
        if largest > EXACT_IN_FLOAT32:
            self.notes.append(f"{self.what} holds whole numbers beyond 2^24, which were rounded to float32")

    def extremes(self) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest value of each entry of a sample, (*event,) each; read once, then remembered."""
        if self._range is None:
            low, high = (np.full(self.shape[1:], value, self._stored) for value in self._ends())
            for chunk in self.chunks():
                np.minimum(low, chunk.min(axis=0), out=low)
                np.maximum(high, chunk.max(axis=0), out=high)
            self._range = low, high
        return self._range

    def to(self, device: torch.device | str) -> Tensor:
        """All of it as a tensor on a device, carried there in chunks."""
        whole = torch.empty(self.shape, dtype=self.dtype, device=device)
        start = 0
        for chunk in self.chunks():
            whole[start : start + len(chunk)] = torch.from_numpy(chunk).to(device)
            start += len(chunk)
        return whole

    def _ends(self) -> tuple[float, float]:
        return (np.inf, -np.inf) if self.levels is None else (255, 0)

    def _pieces(self) -> Iterator[np.ndarray]:
        at_once = max(1, CHUNK_BYTES // max(self._files[0].shape[1], self._stored.itemsize * self._values))
        for start in range(0, len(self), at_once):
            yield self._in_order(start, min(start + at_once, len(self)))

    @property
    def _values(self) -> int:
        return int(np.prod(self._inside, dtype=np.int64))

    def _in_order(self, start: int, stop: int) -> np.ndarray:
        """Consecutive samples as they are in the file, axes in our order."""
        if self._rows is not None:
            return self._gather(self._rows[start:stop], self.scratch(stop - start))
        pieces = []
        for file, begin, end in zip(self._files, self._starts[:-1], self._starts[1:], strict=True):
            if begin < stop and end > start:
                pieces.append(file[max(start - begin, 0) : stop - begin])
        rows = pieces[0] if len(pieces) == 1 else np.concatenate([self._files[0][:0], *pieces])
        return self._arranged(rows)

    def _gather(self, rows: np.ndarray, scratch: np.ndarray) -> np.ndarray:
        """Rows in rising order into the scratch; returns a view of it, axes in our order."""
        cuts = np.searchsorted(rows, self._starts)
        for file, begin, first, last in zip(self._files, self._starts[:-1], cuts[:-1], cuts[1:], strict=True):
            if first < last:  # mode clip writes straight into out; the rows are known to be there
                np.take(file, rows[first:last] - begin, axis=0, out=scratch[first:last], mode="clip")
        return self._arranged(scratch[: len(rows)])

    def _arranged(self, rows: np.ndarray) -> np.ndarray:
        values = rows.view(self._kind).reshape(-1, *self._inside)
        if len(self._inside) == 2:
            return values[:, None]
        return np.moveaxis(values, -1, 1) if self._last else values

    def _store(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.array(values, self._stored, order="C")


def equal(first: Tensor | Mapped, second: Tensor | Mapped) -> bool:
    """Whether two parts hold the same samples, wherever they are.

    Args:
        first: (N, *event), as stored.
        second: Likewise.

    Example:
        >>> equal(torch.ones(2, 3), torch.zeros(2, 3))
        False
    """
    if tuple(first.shape) != tuple(second.shape) or first.dtype != second.dtype:
        return False
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return torch.equal(first, second)
    at_once = max(1, CHUNK_BYTES * len(first) // max(1, first.nbytes))
    starts = range(0, len(first), at_once)
    return all(torch.equal(first[start : start + at_once], second[start : start + at_once]) for start in starts)
