"""Arrays of any kind, checked and brought into one of the two forms that are stored: uint8 or float32.

Knows nothing of files or splits. What it cannot accept it refuses with a :class:`~latentia.errors.DataError` that
says what to do; it never changes what it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch

from latentia.errors import DataError

EXACT_IN_FLOAT32 = 2**24  # whole numbers up to this size are exact in float32


class Stored(NamedTuple):
    """An array in the form in which it is stored.

    Attributes:
        values: (N, ...), uint8 or float32, contiguous, sharing no memory with what was given.
        levels: 256 for uint8, 2 for boolean; None for float32.
        notes: What a reader of the numbers should know.
    """

    values: np.ndarray
    levels: int | None
    notes: tuple[str, ...] = ()


def as_stored(array: Any, what: str) -> Stored:
    """Check an array and convert it.

    uint8 counts as 8-bit pixel values (x = k / 255) and bool as binary; every other type of number is converted to
    float32 with its values unchanged, also where they happen to lie in 0 to 255.

    Args:
        array: A NumPy array, a tensor or nested lists of numbers.
        what: Its name in messages.

    Raises:
        DataError: If it is empty, not of real numbers, beyond the range of float32, or holds NaN or infinity.

    Example:
        >>> as_stored(np.array([[True, False]]), "x").levels
        2
        >>> as_stored(np.array([[1, 2]]), "x").values.dtype
        dtype('float32')
    """
    found = to_numpy(array, what)
    levels = check_numbers(found, what)
    if levels is not None:
        return Stored(np.array(found, dtype=np.uint8, order="C"), levels)
    notes: list[str] = []
    if found.dtype.kind in "iu":
        if max(abs(int(found.min())), abs(int(found.max()))) > EXACT_IN_FLOAT32:
            notes.append(f"{what} holds whole numbers beyond 2^24, which were rounded to float32")
    elif not np.isfinite(found).all():
        bad = ~np.isfinite(found)
        first = int(np.argmax(bad.reshape(len(found), -1).any(axis=1)))
        refuse_non_finite(int(bad.sum()), first, what)
    with np.errstate(over="ignore"):
        values = np.array(found, dtype=np.float32, order="C")
    if found.dtype.kind == "f" and found.dtype.itemsize > 4 and not np.isfinite(values).all():
        refuse_beyond_float32(what)
    return Stored(values, None, tuple(notes))


def check_numbers(found: np.ndarray, what: str) -> int | None:
    """Say from its type how an array is stored, without looking at its values.

    Args:
        found: The array.
        what: Its name in messages.

    Returns:
        256 for uint8, 2 for boolean, None for all other numbers.

    Raises:
        DataError: If it is a single number, empty, or not of real numbers.
    """
    if found.ndim == 0:
        raise DataError(f"{what} is a single number; give one row (or image) for each sample")
    if found.size == 0:
        raise DataError(f"{what} is empty (its shape is {shape_text(found.shape)}); give at least one sample")
    if found.dtype in (np.bool_, np.uint8):
        return 2 if found.dtype == np.bool_ else 256
    if found.dtype.kind not in "iuf":
        raise DataError(f"{what} is of type {found.dtype}, not of real numbers; {_type_remedy(found.dtype)}")
    return None


def refuse_non_finite(count: int, first: int, what: str) -> NoReturn:
    """Say how many values are NaN or infinite, and in which sample the first is.

    Raises:
        DataError: Always.
    """
    raise DataError(
        f"{what} holds {f'{count} values that are' if count != 1 else '1 value that is'} NaN or infinite (the first in "
        f"sample {first}); fill them in or leave those samples out"
    )


def refuse_beyond_float32(what: str) -> NoReturn:
    """Say that values cannot be stored.

    Raises:
        DataError: Always.
    """
    raise DataError(f"{what} holds values beyond the range of float32 (3.4e38); rescale it first")


def to_numpy(array: Any, what: str) -> np.ndarray:
    """View anything array-like as a NumPy array.

    Raises:
        DataError: If it is not one.
    """
    try:
        if isinstance(array, torch.Tensor):
            array = array.detach().cpu()
            if array.is_sparse or array.is_quantized:
                raise DataError(f"{what} is a sparse or quantised tensor; convert it with .to_dense() or .dequantize()")
            array = (array.float() if array.dtype == torch.bfloat16 else array).resolve_conj().resolve_neg().numpy()
        if isinstance(array, np.ma.MaskedArray) and bool(np.ma.getmaskarray(array).any()):
            raise DataError(f"{what} is a masked array with missing values; fill them in or leave those samples out")
        return np.asarray(array)
    except DataError:
        raise
    except Exception as error:  # foreign objects may raise anything when asked for their values
        raise DataError(f"{what} cannot be read as an array ({error}); give a NumPy array or a tensor") from error


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape for people.

    Example:
        >>> shape_text((60000, 28, 28))
        '60000 x 28 x 28'
    """
    return " x ".join(str(size) for size in shape)


def arrange(values: np.ndarray, layout: str, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring samples into the order (N, features) or (N, channels, height, width).

    Args:
        values: (N, features), (N, height, width), or four axes with the channels first or last.
        layout: ``auto``, ``channels-first`` or ``channels-last``; matters for four axes only.
        what: Its name in messages.

    Returns:
        The contiguous array, and notes on what was assumed.

    Raises:
        DataError: If there are fewer than two or more than four axes.

    Example:
        >>> arrange(np.zeros((5, 32, 32, 3)), "auto", "x")[0].shape
        (5, 3, 32, 32)
    """
    last, notes = channels_last(values.shape, layout, what)
    if last:
        return np.ascontiguousarray(np.moveaxis(values, -1, 1)), notes
    return (values[:, None] if values.ndim == 3 else values), notes


def channels_last(shape: tuple[int, ...], layout: str, what: str) -> tuple[bool, tuple[str, ...]]:
    """Say whether the channels of samples come last, and have to be moved.

    Args:
        shape: (N, features), (N, height, width), or four axes.
        layout: As for :func:`arrange`.
        what: Its name in messages.

    Returns:
        That, and notes on what was assumed.

    Raises:
        DataError: If there are fewer than two or more than four axes.

    Example:
        >>> channels_last((5, 32, 32, 3), "auto", "x")
        (True, ())
    """
    if len(shape) == 1:
        raise DataError(f"{what} has one axis of {shape[0]} values; for one feature per sample use x.reshape(-1, 1)")
    if len(shape) > 4:
        raise DataError(
            f"{what} has {len(shape)} axes ({shape_text(shape)}); vectors have two, images three or four: "
            "flatten it to one row per sample"
        )
    if len(shape) < 4:
        return False, ()
    notes: tuple[str, ...] = ()
    if layout == "auto":
        layout, sure = _guess_layout(shape)
        if not sure:
            notes = (f"{what} of shape {shape_text(shape)} was read as {layout}; data.layout says otherwise",)
    return layout == "channels-last", notes


def _guess_layout(shape: tuple[int, ...]) -> tuple[str, bool]:
    for sizes in ((1, 3), (1, 2, 3, 4)):
        first, last = shape[1] in sizes, shape[3] in sizes
        if first != last:
            return ("channels-first" if first else "channels-last"), True
    return "channels-first", False


def encode_labels(
    parts: Mapping[str, Any], counts: Mapping[str, int]
) -> tuple[dict[str, torch.Tensor], tuple[str, ...]]:
    """Number the labels of all parts by one sorted list of classes.

    Args:
        parts: Part -> labels, whole numbers, booleans or strings.
        counts: Part -> number of samples.

    Returns:
        Part -> (N,) int64, and the names of the classes.

    Raises:
        DataError: If labels are missing, of another length or of another type.

    Example:
        >>> encode_labels({"train": np.array(["dog", "cat", "dog"])}, {"train": 3})
        ({'train': tensor([1, 0, 1])}, ('cat', 'dog'))
    """
    found: dict[str, tuple[list[Any], np.ndarray]] = {}
    for part, labels in parts.items():
        values, inverse = np.unique(
            _check_labels(labels, f"the labels of the {part} part", counts[part]), return_inverse=True
        )
        found[part] = (values.tolist(), inverse.reshape(-1))
    everything = {value for values, _ in found.values() for value in values}
    if len({isinstance(value, str) for value in everything}) > 1:
        raise DataError("the parts' labels are of different types; use strings or whole numbers for all of them")
    classes = sorted(everything)
    number = {value: index for index, value in enumerate(classes)}
    numbered = {
        part: torch.from_numpy(np.array([number[value] for value in values], dtype=np.int64)[inverse])
        for part, (values, inverse) in found.items()
    }
    return numbered, tuple(str(value) for value in classes)


def number_labels(labels: Any, classes: Sequence[str], count: int, what: str) -> torch.Tensor:
    """Number labels by classes that are known already.

    Args:
        labels: Whole numbers, booleans or strings that read like the classes' names.
        classes: The names of the labels 0, 1, ...
        count: Number of samples.
        what: Their name in messages.

    Returns:
        (N,), int64.

    Raises:
        DataError: If labels are missing, of another length or type, or none of the classes.

    Example:
        >>> number_labels(np.array([7, 3]), ("3", "7"), 2, "the labels")
        tensor([1, 0])
    """
    found, inverse = np.unique(_check_labels(labels, what, count), return_inverse=True)
    number = {name: index for index, name in enumerate(classes)}
    names = [str(value) for value in found.tolist()]
    if unknown := [name for name in names if name not in number]:
        raise DataError(f"{what} have '{unknown[0]}' among them, which is none of the {len(classes)} classes known")
    return torch.from_numpy(np.array([number[name] for name in names], dtype=np.int64)[inverse.reshape(-1)])


def _check_labels(labels: Any, what: str, count: int) -> np.ndarray:
    found = to_numpy(labels, what)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise DataError(f"{what} must be one label per sample, not of shape {shape_text(found.shape) or '()'}")
    if len(found) != count:
        raise DataError(f"{what}: there are {len(found)} labels for {count} samples; give one for each")
    kind = found.dtype.kind
    if kind in "OT" and all(isinstance(value, str) for value in found.tolist()):
        return np.array(found.tolist(), dtype=str)
    if kind == "f" and np.isnan(found).any():
        raise DataError(f"{what} hold NaN; leave out the samples without a label, or give them a class of their own")
    if kind == "f":
        raise DataError(f"{what} are of type {found.dtype}; convert whole numbers with y.astype(int), or leave y out")
    if kind not in "biuU":
        raise DataError(f"{what} are of type {found.dtype}; use whole numbers or strings, and none may be missing")
    return found


def _type_remedy(dtype: np.dtype) -> str:
    if dtype.kind == "c":
        return "give real and imaginary parts as separate features"
    if dtype.kind == "V":
        return "select its columns and stack them into one array of numbers"
    return "convert it with x.astype('float32')"
