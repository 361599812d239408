"""Sums and differences of latents, as they are written: ``9 - 4 + 1``.

Owns how such an expression is read; knows neither classes nor images but by their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latentia.errors import ConfigError, did_you_mean

_FACTOR = re.compile(r"(\d+\.?\d*|\.\d+)\s*\*\s*")
_NUMBER = re.compile(r"#(\d+)")


@dataclass(frozen=True)
class Term:
    """One summand.

    Attributes:
        factor: What it is multiplied by, its sign included.
        name: A class's name, or ``#`` and an image's number.
    """

    factor: float
    name: str

    @property
    def index(self) -> int | None:
        """The image's number, or ``None`` for a class."""
        return int(self.name[1:]) if _NUMBER.fullmatch(self.name) else None

    def written(self, *, first: bool = False) -> str:
        """The term as it stands in the expression.

        Example:
            >>> Term(-1.0, "4").written(), Term(0.5, "4").written(first=True)
            ('− 4', '0.5 × 4')
        """
        size = f"{abs(self.factor):g} × " if abs(self.factor) != 1 else ""
        sign = "− " if self.factor < 0 else "" if first else "+ "
        return f"{sign}{size}{self.name}"


def image_number(name: str, names: Sequence[str] = ()) -> int | None:
    """The number in a name such as ``#7``, unless a class is called so; ``None`` for other names.

    Example:
        >>> image_number("#7"), image_number("7"), image_number("#7", ["#7"])
        (7, None, None)
    """
    found = _NUMBER.fullmatch(name)
    return None if found is None or name in names else int(found[1])


def parse(expression: str, names: Sequence[str]) -> list[Term]:
    """Read an expression.

    Names may hold blanks, signs and digits: the longest that fits is taken.

    Args:
        expression: Classes or numbers of images (``#7``), each with a factor if wished (``0.5 * 3``), joined by
            ``+`` and ``-``.
        names: The classes there are.

    Raises:
        ConfigError: If something cannot be read; the message says what.

    Example:
        >>> [(term.factor, term.name) for term in parse("9 - 4 + 0.5*#12", "0123456789")]
        [(1.0, '9'), (-1.0, '4'), (0.5, '#12')]
        >>> [term.name for term in parse("t-shirt - t-shirt top", ["t-shirt", "t-shirt top"])]
        ['t-shirt', 't-shirt top']
    """
    terms: list[Term] = []
    rest = expression.strip()
    if not rest:
        raise ConfigError("there is nothing to calculate: write classes or numbers of images, such as '9 - 4 + #7'")
    while rest:
        sign = rest[0] if rest[0] in "+-−" else None
        if sign is None and terms:
            raise _unreadable(rest, expression, names)
        rest = rest[1:].lstrip() if sign else rest
        name, factor, rest = _term(rest, expression, names)
        terms.append(Term(-factor if sign in ("-", "−") else factor, name))
    return terms


def _term(text: str, expression: str, names: Sequence[str]) -> tuple[str, float, str]:
    """The name and the factor that a text begins with, and what remains."""
    if (name := _name(text, names)) is not None:
        return name, 1.0, text[len(name) :].lstrip()
    factor = _FACTOR.match(text)
    if factor is not None:
        text = text[factor.end() :]
        if (name := _name(text, names)) is not None:
            return name, float(factor[1]), text[len(name) :].lstrip()
    raise _unreadable(text, expression, names)


def _name(text: str, names: Sequence[str]) -> str | None:
    """The longest class that a text begins with, or a number of an image; another term or nothing follows it."""
    number = _NUMBER.match(text)
    found = [number[0]] if number else []
    found += [name for name in names if name and text.startswith(name)]
    ending = [name for name in found if re.match(r"\s*([-+−]|$)", text[len(name) :])]
    return max(ending, key=len, default=None)


def _unreadable(rest: str, expression: str, names: Sequence[str]) -> ConfigError:
    word = re.split(r"\s[-+−]\s", rest)[0].strip()
    if not word:
        return ConfigError(f"'{expression}' ends or begins with a sign that nothing follows: write the missing term")
    hint = did_you_mean(word, names)
    classes = f"classes ({', '.join(names[:12])}{' ...' if len(names) > 12 else ''}) or " if names else ""
    return ConfigError(
        f"cannot read '{word}' in '{expression}'.{hint} Write {classes}numbers of images such as #7, with + or - "
        "between them"
    )


def combine(terms: Sequence[Term], latents: Tensor) -> Tensor:
    r"""Add latents up.

    .. math:: z = \sum_t f_t\, z_t

    Args:
        terms: T terms, for their factors.
        latents: The latent of each, (T, *latent).

    Returns:
        (*latent).

    Example:
        >>> combine([Term(1.0, "a"), Term(-2.0, "b")], torch.tensor([[5.0], [1.0]]))
        tensor([3.])
    """
    factors = torch.tensor([term.factor for term in terms], dtype=torch.float64)
    return torch.tensordot(factors, latents.double(), dims=1).to(latents.dtype)
