"""One line of a file of vectors, its numbers, and the choice of units in which it runs."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Self, TypeAlias

from seawall.errors import VectorError

__all__ = [
    "Answer",
    "Case",
    "MalformedError",
    "OutOfRangeError",
    "Scale",
    "Topic",
    "TradeUnits",
    "UnsupportedError",
    "number_of",
    "ppm",
    "units_of",
]

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


def units_of(numbers: Iterable[str]) -> int:
    """Return the smallest count of equal units of one in which every number is whole."""
    return math.lcm(*(number_of(number, "given").denominator for number in numbers))


def ppm(value: str) -> int:
    """Return a rate in ppm, in which configurations give rates; VectorError if it is not whole."""
    rate = number_of(value, "given") * 10**6
    if rate.denominator != 1:
        raise VectorError(f"{value} is not a whole number of ppm, in which the engine takes rates")
    return rate.numerator


@dataclass(frozen=True)
class TradeUnits:
    """Units in which price x size is whole money: the size's and the tick value stay, the price's gets finer."""

    scale: Scale
    """Units of the price."""
    lots: int
    """Lots of one unit of size."""
    tick: int
    """Minor units of money per tick and lot."""

    @classmethod
    def of(cls, scale: Scale, sizes: Iterable[str], amounts: Iterable[str]) -> Self:
        """Return units in which sizes and amounts are whole."""
        return cls(scale, units_of(sizes), units_of(amounts))

    def price(self, value: str) -> int:
        """Return a price in ticks."""
        return self.scale.units("price", value)

    def qty(self, value: str) -> int:
        """Return a size in lots."""
        return self._whole(value, self.lots)

    def money(self, value: str) -> int:
        """Return an amount in minor units."""
        return self._whole(value, self._minor())

    def amount(self, units: int) -> Fraction:
        """Return minor units as an amount."""
        return Fraction(units, self._minor())

    def _minor(self) -> int:
        return self.scale.per_one["price"] * self.lots * self.tick

    def _whole(self, value: str, per_one: int) -> int:
        return Scale({"given": per_one}).units("given", value)


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

    def check_keys(self, case: Case) -> None:
        """Refuse unknown and missing keys, and a variant that is not known, with VectorError."""
        known = self.given
        if self.variants is not None:
            name, further = self.variants
            if case.given.get(name) not in further:
                raise VectorError(f"{name}: {case.given.get(name)!r} is unknown; known: {', '.join(further)}")
            known |= further[case.given[name]]
        for part, keys, wanted in (("given", case.given, known), ("expect", case.expect, self.expect)):
            if keys.keys() != wanted:
                odd = ", ".join(sorted(keys.keys() ^ wanted))
                raise VectorError(f"{part}: keys {odd} are unknown or missing")
