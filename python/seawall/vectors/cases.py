"""One line of a file of vectors, its numbers, and the choice of units in which it runs."""

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

from seawall.errors import VectorError

__all__ = ["Answer", "Case", "MalformedError", "OutOfRangeError", "Scale", "Topic", "UnsupportedError", "number_of"]

Answer: TypeAlias = Mapping[str, Any]

_INT_MAX: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?)", re.ASCII | re.IGNORECASE)
_DIGITS_MAX: Final = 200
_SHOWN_MAX: Final = 60


class UnsupportedError(VectorError):
    """A topic, or a rule of a topic, that no function of the engine computes yet."""


class OutOfRangeError(VectorError):
    """A number that does not fit in 64 bits at some choice of units."""


class MalformedError(VectorError):
    """A number that is none: the whole file is refused, with its line."""


def number_of(value: object, field: str) -> Fraction:
    """Return a number of a vector: a rational or decimal string, or a JSON number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return Fraction(value)
    if isinstance(value, str) and len(value) <= _DIGITS_MAX and _NUMBER.fullmatch(value.strip()):
        with suppress(ZeroDivisionError):
            return Fraction(value)
    shown = repr(value) if len(repr(value)) <= _SHOWN_MAX else repr(value)[:_SHOWN_MAX] + "..."
    raise MalformedError(f'{field}: {shown} is not a number; write it like "0.05" or "1/3", with a short exponent')


@dataclass(frozen=True)
class Scale:
    """One choice of units: how many make one, by dimension."""

    per_one: Mapping[str, int]

    def units(self, dimension: str, value: str) -> int:
        """Return a number of the vector in whole units of a dimension."""
        count = number_of(value, f"given.{dimension}") * self.per_one[dimension]
        if count.denominator != 1:
            raise VectorError(f"{value} is not whole in units of 1/{self.per_one[dimension]}")
        if abs(count.numerator) > _INT_MAX:
            raise OutOfRangeError(f"{value} does not fit in units of 1/{self.per_one[dimension]}")
        return count.numerator

    def value(self, dimension: str, units: int) -> Fraction:
        """Return whole units of a dimension as a number."""
        return Fraction(units, self.per_one[dimension])


@dataclass(frozen=True)
class Case:
    """One line of a file of vectors."""

    id: str
    """Unique name."""
    topic: str
    """What is computed."""
    given: Mapping[str, Any]
    """Arguments."""
    expect: Mapping[str, Any]
    """Answer."""
    tolerance: Fraction = Fraction(0)
    """Largest difference of a number; 0 for exact."""


@dataclass(frozen=True)
class Topic:
    """How a topic is computed."""

    function: str
    """Paths of the engine's functions, or of the public Python function for measures and records; commas between."""
    given: frozenset[str]
    """Keys of the arguments."""
    expect: frozenset[str]
    """Keys of the answer."""
    run: Callable[[Case, Scale], Answer]
    """Computes the answer."""
    dimensions: Callable[[Case], Mapping[str, list[str]]] = lambda _: {}
    """The numbers of a line, arguments and answer, by dimension."""
    variants: tuple[str, Mapping[str, frozenset[str]]] | None = None
    """The argument that chooses further keys, and those keys by its value."""

    def keys(self, given: Mapping[str, Any]) -> frozenset[str]:
        """Return the keys that arguments have to have; VectorError for a variant that is not known."""
        if self.variants is None:
            return self.given
        name, further = self.variants
        if given.get(name) not in further:
            raise VectorError(f"{name}: {given.get(name)!r} is unknown; known: {', '.join(further)}")
        return self.given | further[given[name]]
