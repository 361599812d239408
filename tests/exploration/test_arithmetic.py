from __future__ import annotations

import pytest
import torch

from latentia.errors import ConfigError
from latentia.exploration.arithmetic import Term, combine, parse

DIGITS = [str(number) for number in range(12)]
CLOTHES = ["bag", "t-shirt", "t-shirt top", "ankle boot", "2"]


def read(expression: str, names: list[str]) -> list[tuple[float, str]]:
    return [(term.factor, term.name) for term in parse(expression, names)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("9 - 4 + 1", [(1, "9"), (-1, "4"), (1, "1")]),
        ("9-4+1", [(1, "9"), (-1, "4"), (1, "1")]),
        (" -9 ", [(-1, "9")]),
        ("+3−8", [(1, "3"), (-1, "8")]),
        ("11 - 1", [(1, "11"), (-1, "1")]),
        ("0.5*3 + .5 * 8", [(0.5, "3"), (0.5, "8")]),
        ("2*11 - #123", [(2, "11"), (-1, "#123")]),
        ("#0", [(1, "#0")]),
        ("9 * 4", [(9, "4")]),
    ],
)
def test_digits(expression: str, expected: list[tuple[float, str]]) -> None:
    assert read(expression, DIGITS) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("t-shirt - bag", [(1, "t-shirt"), (-1, "bag")]),
        ("t-shirt top-t-shirt", [(1, "t-shirt top"), (-1, "t-shirt")]),
        ("2 * ankle boot + 2 * 2", [(2, "ankle boot"), (2, "2")]),
    ],
)
def test_names_with_blanks_and_signs(expression: str, expected: list[tuple[float, str]]) -> None:
    assert read(expression, CLOTHES) == expected


@pytest.mark.parametrize(
    ("expression", "names", "message"),
    [
        ("", DIGITS, "nothing to calculate"),
        ("9 - ", DIGITS, "nothing follows"),
        ("9 4", DIGITS, "cannot read '9 4'"),
        ("9 - 99", DIGITS, "cannot read '99'"),
        ("bga - bag", CLOTHES, "Did you mean 'bag'"),
        ("3", [], "numbers of images"),
        ("#x", DIGITS, "cannot read '#x'"),
    ],
)
def test_what_cannot_be_read_is_said(expression: str, names: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(expression, names)


def test_sums_are_sums() -> None:
    z = torch.randn(3, 2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    terms = [Term(1.0, "a"), Term(-1.0, "b"), Term(0.25, "#3")]
    assert torch.allclose(combine(terms, z), z[0] - z[1] + z[2] / 4, rtol=0, atol=1e-15)
    assert combine(terms, z.float()).dtype == torch.float32


def test_terms_are_written_as_in_the_expression() -> None:
    assert [term.written() for term in parse("-9 + 2*4 - #7", DIGITS)] == ["− 9", "+ 2 × 4", "− #7"]
    assert [term.index for term in parse("9 - #7", DIGITS)] == [None, 7]
