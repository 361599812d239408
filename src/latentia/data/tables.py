"""A table as data: a CSV file with a sample in each row and a feature in each column, with or without names.

Owns how text becomes numbers and labels, and what is said of cells that are neither. Knows nothing of what they mean.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from latentia.data.array_files import Contents, shown
from latentia.errors import DataError

TABLES = (".csv", ".tsv")
LABELS = ("label", "labels", "class", "target", "targets", "y")  # how a column of labels is called
_SEPARATORS = (",", ";", "\t")


def read_table(path: Path) -> Contents:
    r"""Read a CSV file.

    Cells are separated by commas, semicolons or tabs, whichever the first row has most of. The first row names the
    columns if a cell of it is no number. A column named as in :data:`LABELS` holds labels, if these are words or whole
    numbers; one without a name that counts the rows, as pandas writes it, is left out. All others are features.

    Args:
        path: The file, in UTF-8.

    Returns:
        ``x`` (N, features), float64, ``y`` (N,) where there are labels, and what became of which column.

    Raises:
        DataError: If it is missing, damaged or empty, its rows differ in length, or a feature is not of numbers.

    Example:
        >>> import tempfile; path = Path(tempfile.mkdtemp()) / "a.csv"
        >>> _ = path.write_text("length,width,label\n1,2,cat\n3,4.5,dog\n")
        >>> {name: array.tolist() for name, array in read_table(path).arrays.items()}
        {'x': [[1.0, 2.0], [3.0, 4.5]], 'y': ['cat', 'dog']}
    """
    names, cells = _columns(path)
    notes: list[str] = []
    if "" in names and np.array_equal(cells[names.index("")], np.arange(len(cells[0])).astype(str)):
        place = names.index("")
        del names[place], cells[place]
        notes.append("the column without a name counts the rows and is left out")
    arrays: dict[str, np.ndarray] = {}
    for place, name in enumerate(names):
        if name.lower() in LABELS and (labels := _labels(cells[place])) is not None:
            notes.append(f"the column '{shown(name)}' holds the labels")
            arrays["y"] = labels
            del names[place], cells[place]
            break
    if not cells:
        raise DataError(f"{shown(path)} has no column of numbers: a sample is a row of them")
    features = [_numbers(column, name, path) for name, column in zip(names, cells, strict=True)]
    return Contents({"x": np.column_stack(features), **arrays}, tuple(notes))


def rows_of(path: Path) -> list[list[str]]:
    """The cells of a CSV file, row by row, without empty rows.

    Args:
        path: UTF-8 text, its cells separated by what its first line has most of: commas, semicolons or tabs.

    Raises:
        DataError: If there is no such file, or it cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=first.count)
            return [[cell.strip() for cell in row] for row in csv.reader(file, delimiter=separator) if row]
    except FileNotFoundError as error:
        raise DataError(f"there is no file {shown(path)}; check the path") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{shown(path)} cannot be read as a CSV file ({error}); save it as UTF-8 text") from error


def _columns(path: Path) -> tuple[list[str], list[np.ndarray]]:
    """The names of the columns, as far as they have some, and their cells as text."""
    rows = rows_of(path)
    named = bool(rows) and not all(map(is_number, rows[0]))
    names, rows = rows[0] if named else [str(n + 1) for n in range(len(rows[0]) if rows else 0)], rows[named:]
    if not rows:
        raise DataError(f"{shown(path)} holds no samples: write one in each row, a value in each column")
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise DataError(
                f"{shown(path)}: row {number + 1 + named} has {len(row)} cells, and the first has {len(names)}; make "
                "them equal, and put text that holds the separator in quotes"
            )
    return names, [np.array(column) for column in zip(*rows, strict=True)]


def _labels(cells: np.ndarray) -> np.ndarray | None:
    """Labels: whole numbers where all are such, otherwise words; ``None`` for other numbers."""
    if "" in cells:
        return None
    try:
        return cells.astype(np.int64)
    except (ValueError, OverflowError):
        return None if all(map(is_number, cells)) else cells


def _numbers(cells: np.ndarray, name: str, path: Path) -> np.ndarray:
    """A feature; the first cell that is no number is named."""
    try:
        return cells.astype(np.float64)
    except ValueError as error:
        row = next(row for row, cell in enumerate(cells) if not is_number(cell))
        what = f"'{shown(cells[row])}', which is no number" if cells[row] else "empty"
        raise DataError(
            f"{shown(path)}: in the column '{shown(name)}', sample {row} is {what}; fill it in, leave the column or "
            "the sample out, or, if the column holds the labels, call it 'label'"
        ) from error


def is_number(text: str) -> bool:
    """Whether a cell can be read as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
