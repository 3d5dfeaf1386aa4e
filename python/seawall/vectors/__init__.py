"""Conformance vectors: worked calculations run against the functions that the venue itself uses.

A vector holds rationals, the engine integers. The harness only chooses units: for each dimension 1 / lcm of the
denominators in a line, finer where a tolerance asks for it. Every line runs at that unit, at a seventh and at a
thousandth of it, where 64 bits allow, and must give the same answer, which catches hidden rounding.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from seawall.errors import SeawallError, VectorError
from seawall.vectors import adl, auction, breaker, fund, funding, liquidation, margin, measures, records
from seawall.vectors.cases import (
    Answer,
    Case,
    MalformedError,
    OutOfRangeError,
    Scale,
    Topic,
    UnsupportedError,
    number_of,
)

__all__ = ["TOPICS", "Case", "Scale", "Topic", "UnsupportedError", "conform"]

Outcome: TypeAlias = Literal["passed", "failed", "unsupported"]

_FINER: Final = (1, 7, 1000)

TOPICS: Final[dict[str, Topic]] = {
    topic: how
    for part in (adl, auction, breaker, fund, funding, liquidation, margin, measures, records)
    for topic, how in part.TOPICS.items()
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
            except MalformedError as error:
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
    tolerance = number_of(data.get("tolerance", 0), "tolerance")
    if tolerance < 0:
        raise VectorError(f"tolerance: {data['tolerance']} is negative; give 0 or more")
    return Case(data["id"], data["topic"], data["given"], data["expect"], tolerance)


def _judge(case: Case) -> tuple[Outcome, str]:
    topic = TOPICS.get(case.topic)
    if topic is None:
        return "unsupported", "no function of the engine computes this topic yet"
    try:
        topic.check_keys(case)
        for scale, answer in _answers(case, topic):
            for key in topic.expect:
                if not _same(case.expect[key], answer[key], case.tolerance):
                    got = f"{_spell(answer[key])} in units of 1/{dict(scale.per_one)}"
                    return "failed", f"{key}: expected {case.expect[key]}, got {got}"
    except UnsupportedError as error:
        return "unsupported", str(error)
    except MalformedError:
        raise
    except (SeawallError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        return "failed", f"given: {error} is missing" if isinstance(error, KeyError) else str(error)
    return "passed", ""


def _answers(case: Case, topic: Topic) -> Iterator[tuple[Scale, Answer]]:
    """Yield the answer in each choice of units; the coarsest must fit, finer ones where the range allows."""
    for number, scale in enumerate(_scales(topic.dimensions(case), case.tolerance)):
        try:
            yield scale, topic.run(case, scale)
        except OutOfRangeError:
            if number == 0:
                raise
            return


def _scales(dimensions: Mapping[str, list[str]], tolerance: Fraction) -> Iterator[Scale]:
    base = {}
    for name, numbers in dimensions.items():
        unit = math.lcm(*(number_of(number, f"given.{name}").denominator for number in numbers))
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
        return abs(number_of(expected, "expect") - got) <= tolerance
    return type(expected) is type(got) and expected == got


def _spell(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_spell(item) for item in value) + "]"
    return str(value)
