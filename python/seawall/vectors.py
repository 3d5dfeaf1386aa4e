"""Conformance vectors: worked calculations run against the functions that the venue itself uses.

A vector holds rationals, the engine integers. The harness only chooses units: for each dimension 1 / lcm of the
denominators in a line, finer where a tolerance asks for it. Every line runs at that unit, at a seventh and at a
thousandth of it, where 64 bits allow, and must give the same answer, which catches hidden rounding.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from seawall import _core
from seawall.errors import SeawallError, VectorError

__all__ = ["TOPICS", "Case", "Scale", "Topic", "UnsupportedError", "conform"]

Answer: TypeAlias = Mapping[str, Any]
Outcome: TypeAlias = Literal["passed", "failed", "unsupported"]

_FINER: Final = (1, 7, 1000)
_INT_MAX: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?)", re.ASCII | re.IGNORECASE)
_DIGITS_MAX: Final = 200
_SHOWN_MAX: Final = 60


class UnsupportedError(VectorError):
    """A topic, or a rule of a topic, that no function of the engine computes yet."""


class _OutOfRangeError(VectorError):
    pass


class _MalformedError(VectorError):
    """A number that is none: the whole file is refused, with its line."""


def _number(value: object, field: str) -> Fraction:
    """Return a number of a vector: a rational or decimal string, or a JSON number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return Fraction(value)
    if isinstance(value, str) and len(value) <= _DIGITS_MAX and _NUMBER.fullmatch(value.strip()):
        with suppress(ZeroDivisionError):
            return Fraction(value)
    shown = repr(value) if len(repr(value)) <= _SHOWN_MAX else repr(value)[:_SHOWN_MAX] + "..."
    raise _MalformedError(f'{field}: {shown} is not a number; write it like "0.05" or "1/3", with a short exponent')


@dataclass(frozen=True)
class Scale:
    """One choice of units: how many make one, by dimension."""

    per_one: Mapping[str, int]

    def units(self, dimension: str, value: str) -> int:
        """Return a number of the vector in whole units of a dimension."""
        count = _number(value, f"given.{dimension}") * self.per_one[dimension]
        if count.denominator != 1:
            raise VectorError(f"{value} is not whole in units of 1/{self.per_one[dimension]}")
        if abs(count.numerator) > _INT_MAX:
            raise _OutOfRangeError(f"{value} does not fit in units of 1/{self.per_one[dimension]}")
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
    """Path of the engine's function, or of the public Python function for measures and records."""
    given: frozenset[str]
    """Keys of the arguments."""
    expect: frozenset[str]
    """Keys of the answer."""
    run: Callable[[Case, Scale], Answer]
    """Computes the answer."""
    dimensions: Callable[[Case], Mapping[str, list[str]]] = lambda _: {}
    """The numbers of a line, arguments and answer, by dimension."""


def _allocate(case: Case, scale: Scale) -> Answer:
    if case.given["method"] != "largest_remainder":
        raise UnsupportedError(f"method {case.given['method']!r}: no function of the engine computes it yet")
    residual, accounts = case.given["residual"], case.given["accounts"]
    # The engine breaks ties by place; a vector does by id.
    order = sorted(range(len(accounts)), key=lambda place: accounts[place]["id"])
    shares = _core.largest_remainder(
        residual,
        [scale.units("weight", accounts[place]["weight"]) for place in order],
        [min(accounts[place]["lots"], accounts[place]["cap"]) for place in order],
    )
    closed = [share for _, share in sorted(zip(order, shares, strict=True))]
    return {"closed": closed, "uncovered": residual - sum(closed)}


def _allocate_dimensions(case: Case) -> Mapping[str, list[str]]:
    return {"weight": [account["weight"] for account in case.given["accounts"]]}


def _fact(case: Case, _: Scale) -> Answer:
    from seawall.scorecard import published_fact  # noqa: PLC0415 - pydantic is needed for records only

    value = published_fact(**case.given)
    if value is None:
        raise VectorError("no scenario's scorecard holds this figure; add it to [[published]] of the scenario")
    return {"value": value}


TOPICS: Final[dict[str, Topic]] = {
    "adl.allocate": Topic(
        function="seawall_core::largest_remainder",
        given=frozenset({"method", "residual", "accounts"}),
        expect=frozenset({"closed", "uncovered"}),
        run=_allocate,
        dimensions=_allocate_dimensions,
    ),
    "event.fact": Topic(
        function="seawall.scorecard.published_fact",
        given=frozenset({"event", "measure", "market", "burst_rank"}),
        expect=frozenset({"value"}),
        run=_fact,
    ),
}
"""Every topic that this build computes, and the function that it calls."""


@dataclass
class _Tally:
    passed: int = 0
    failed: int = 0
    unsupported: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)

    def add(self, case_id: str, outcome: Outcome, why: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome != "passed":
            # A vector may hold what no terminal can show.
            shown = why.encode("utf-8", "backslashreplace").decode()
            self.problems.append({"id": case_id, "outcome": outcome, "why": shown})


def conform(files: Iterable[str | Path]) -> dict[str, Any]:
    """Run files of conformance vectors.

    Parameters
    ----------
    files
        Paths of JSON-lines files.

    Returns
    -------
    dict
        ``passed``, ``failed`` and ``unsupported`` (numbers of lines), and ``by_topic``: the same per topic, with
        ``problems`` (id, outcome, why) of the lines that did not pass.

    Raises
    ------
    VectorError
        If there is no file, a file is not there or has no vectors, or a line is not a vector.
    """
    paths = [Path(file) for file in files]
    if not paths:
        raise VectorError("files: none were given; give files of JSON lines")
    tallies: dict[str, _Tally] = {}
    for file in paths:
        for number, case in _cases(file):
            try:
                outcome, why = _judge(case)
            except _MalformedError as error:
                raise VectorError(f"{file}:{number}: {error}") from None
            tallies.setdefault(case.topic, _Tally()).add(case.id, outcome, why)
    total = {name: sum(getattr(t, name) for t in tallies.values()) for name in ("passed", "failed", "unsupported")}
    return {**total, "by_topic": {topic: vars(tallies[topic]) for topic in sorted(tallies)}}


def _cases(file: Path) -> Iterator[tuple[int, Case]]:
    """Yield the vectors of a file with their lines."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VectorError(f"{file}: cannot be read: {error}; give files of JSON lines") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise VectorError(f"{file}: has no vectors; give a file of JSON lines")
    for number, line in lines:
        try:
            yield number, _case(json.loads(line))
        except RecursionError:
            raise VectorError(f"{file}:{number}: is not a vector (it is nested too deeply)") from None
        except VectorError as error:
            raise VectorError(f"{file}:{number}: is not a vector ({error})") from None
        except ValueError as error:
            raise VectorError(f"{file}:{number}: is not a vector ({error}); write one JSON object per line") from None


def _case(data: object) -> Case:
    """Return the vector of a line."""
    if not isinstance(data, dict):
        raise VectorError("it is not an object; it needs id, topic, given and expect")
    for field_, kind, word in (
        ("id", str, "text"),
        ("topic", str, "text"),
        ("given", dict, "an object"),
        ("expect", dict, "an object"),
    ):
        if field_ not in data:
            raise VectorError(f"{field_}: is missing; it needs id, topic, given and expect")
        value = data[field_]
        if not isinstance(value, kind) or (isinstance(value, str) and not value.isprintable()):
            raise VectorError(f"{field_}: is not {word}; it needs id, topic, given and expect")
    tolerance = _number(data.get("tolerance", 0), "tolerance")
    if tolerance < 0:
        raise VectorError(f"tolerance: {data['tolerance']} is negative; give 0 or more")
    return Case(data["id"], data["topic"], data["given"], data["expect"], tolerance)


def _judge(case: Case) -> tuple[Outcome, str]:
    topic = TOPICS.get(case.topic)
    if topic is None:
        return "unsupported", "no function of the engine computes this topic yet"
    for name, keys, known in (("given", case.given, topic.given), ("expect", case.expect, topic.expect)):
        if keys.keys() != known:
            odd = ", ".join(sorted(keys.keys() ^ known))
            return "failed", f"{name}: keys {odd} are unknown or missing"
    try:
        for scale, answer in _answers(case, topic):
            for key in topic.expect:
                if not _same(case.expect[key], answer[key], case.tolerance):
                    got = f"{_spell(answer[key])} in units of 1/{dict(scale.per_one)}"
                    return "failed", f"{key}: expected {case.expect[key]}, got {got}"
    except UnsupportedError as error:
        return "unsupported", str(error)
    except _MalformedError:
        raise
    except (SeawallError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        return "failed", f"given: {error} is missing" if isinstance(error, KeyError) else str(error)
    return "passed", ""


def _answers(case: Case, topic: Topic) -> Iterator[tuple[Scale, Answer]]:
    """Yield the answer in each choice of units; the coarsest must fit, finer ones where the range allows."""
    for number, scale in enumerate(_scales(topic.dimensions(case), case.tolerance)):
        try:
            yield scale, topic.run(case, scale)
        except _OutOfRangeError:
            if number == 0:
                raise
            return


def _scales(dimensions: Mapping[str, list[str]], tolerance: Fraction) -> Iterator[Scale]:
    base = {}
    for name, numbers in dimensions.items():
        unit = math.lcm(*(_number(number, f"given.{name}").denominator for number in numbers))
        if tolerance:
            # A unit of at most a thousandth of the tolerance, and still a divisor of every number.
            unit *= math.ceil(1000 / tolerance / unit)
        base[name] = unit
    for finer in _FINER if base else (1,):
        yield Scale({name: unit * finer for name, unit in base.items()})


def _same(expected: object, got: object, tolerance: Fraction) -> bool:
    if isinstance(expected, list):
        return (
            isinstance(got, list)
            and len(expected) == len(got)
            and all(_same(e, g, tolerance) for e, g in zip(expected, got, strict=True))
        )
    if isinstance(expected, str) and isinstance(got, Fraction):
        return abs(_number(expected, "expect") - got) <= tolerance
    return type(expected) is type(got) and expected == got


def _spell(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_spell(item) for item in value) + "]"
    return str(value)
