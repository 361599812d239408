"""CSV files: what is a feature, what is a label, and what is said of cells that are neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentia.data import DataSettings, load
from latentia.data.tables import read_table
from latentia.errors import DataError
from latentia.runs.inputs import read_input


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]], None),
        ("a,b\n1,-2e3\n.5,4\n", [[1, -2000], [0.5, 4]], None),
        ("a;b\n1;2\n3;4", [[1, 2], [3, 4]], None),
        ("a\tClass\n1\tred one\n3\tblue\n", [[1], [3]], ["red one", "blue"]),
        ('"length, cm", y \n 1 ,7\n3,8\n\n', [[1], [3]], [7, 8]),
        ("\ufeffy,a\n0,1.5\n1,2.5\n", [[1.5], [2.5]], [0, 1]),
        ("target,a\n0.5,1\n1.5,2\n", [[0.5, 1], [1.5, 2]], None),
        (",a\n0,5\n1,6\n", [[5], [6]], None),
        (",a\n3,5\n1,6\n", [[3, 5], [1, 6]], None),
    ],
)
def test_tables(tmp_path, text, x, y):
    found = read_table(written(tmp_path / "a.csv", text)).arrays
    np.testing.assert_array_equal(found["x"], np.array(x, dtype=float))
    assert (found["y"].tolist() if "y" in found else None) == y


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no samples"),
        ("a,b\n", "holds no samples"),
        ("a,b\n1,2\n3\n", "row 3 has 1 cells, and the first has 2"),
        ("a,b\n1,2\n3,x\n", r"column 'b', sample 1 is 'x', which is no number; .* call it 'label'"),
        ("a,b\n1,2\n,3\n", r"column 'a', sample 1 is empty; fill it in"),
        ("label\nx\n", "no column of numbers"),
        ("a,b\n1,nan\n", "a.csv: x holds 1 value that is NaN"),
    ],
)
def test_what_is_no_table_says_why(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        load(DataSettings(source=str(written(tmp_path / "a.csv", text))))


def test_text_of_another_encoding_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read as a CSV file .* save it as UTF-8"):
        read_table(written(tmp_path / "a.csv", "größe\n1\n", "latin-1"))
    with pytest.raises(DataError, match="there is no file"):
        read_table(tmp_path / "b.csv")


def test_a_table_is_data_like_the_array_that_it_holds(tmp_path):
    source = np.random.default_rng(0)
    x, y = source.random((60, 3)).astype(np.float32), source.integers(0, 3, 60)
    rows = [",".join([*(repr(float(value)) for value in row), "abc"[label]]) for row, label in zip(x, y, strict=True)]
    path = written(tmp_path / "mine.csv", "\n".join(["one,two,three,label", *rows]))
    data, expected = load(DataSettings(source=str(path))), load(DataSettings(), arrays=(x, np.array(list("abc"))[y]))
    for part in ("train", "valid", "test"):
        assert torch.equal(data.split(part).loaded(), expected.split(part).loaded())
        assert torch.equal(torch.as_tensor(data.split(part).y), torch.as_tensor(expected.split(part).y))
    assert data.spec == expected.spec and data.fingerprint == expected.fingerprint
    assert "the column 'label' holds the labels" in data.notes
    given = read_input(path, data.spec, data.preparation)
    assert torch.equal(given.x, torch.from_numpy(x)) and given.y is not None and given.y.tolist() == y.tolist()
