"""Conformance vectors: exact comparison, three choices of units, nothing skipped."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from seawall import vectors
from seawall.errors import VectorError
from seawall.vectors import TOPICS, Case, Scale, Topic, conform

ROOT = Path(__file__).parents[2]


def allocate(**change: Any) -> dict[str, Any]:
    """Return the vector of three accounts with weights 19, 3 and 9 that share five lots."""
    accounts = [{"id": n, "lots": 100, "cap": 100, "weight": w} for n, w in ((1, "19"), (2, "3"), (3, "9"))]
    given = {"method": "largest_remainder", "residual": 5, "accounts": accounts}
    vector = {"id": "a-1", "topic": "adl.allocate", "given": given, "expect": {"closed": [3, 1, 1], "uncovered": 0}}
    return vector | change


def run(tmp_path: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "vectors.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return conform([file])


def test_a_right_answer_passes_and_a_wrong_one_fails(tmp_path: Path) -> None:
    wrong = allocate(id="a-2", expect={"closed": [3, 2, 0], "uncovered": 0})
    result = run(tmp_path, allocate(), wrong)
    assert (result["passed"], result["failed"], result["unsupported"]) == (1, 1, 0)
    problem = result["by_topic"]["adl.allocate"]["problems"][0]
    assert problem["id"] == "a-2"
    assert "closed: expected [3, 2, 0], got [3, 1, 1]" in problem["why"]


def test_weights_may_be_rationals_and_ties_go_to_the_lower_id(tmp_path: Path) -> None:
    accounts = [
        {"id": 9, "lots": 5, "cap": 5, "weight": "1/3"},
        {"id": 2, "lots": 5, "cap": 5, "weight": "1/3"},
        {"id": 4, "lots": 5, "cap": 1, "weight": "0.5"},
    ]
    given = {"method": "largest_remainder", "residual": 4, "accounts": accounts}
    result = run(tmp_path, allocate(given=given, expect={"closed": [1, 2, 1], "uncovered": 0}))
    assert result["passed"] == 1, result


def test_unknown_topics_and_rules_are_unsupported_and_listed(tmp_path: Path) -> None:
    queue = allocate(id="a-3")
    queue["given"]["method"] = "dice"
    result = run(tmp_path, {"id": "x", "topic": "no.such", "given": {}, "expect": {}}, queue)
    assert (result["passed"], result["failed"], result["unsupported"]) == (0, 0, 2)
    assert {p["id"] for t in result["by_topic"].values() for p in t["problems"]} == {"x", "a-3"}


def test_unknown_keys_fail(tmp_path: Path) -> None:
    odd = allocate()
    odd["given"]["colour"] = "red"
    result = run(tmp_path, odd)
    assert result["failed"] == 1
    assert "colour" in result["by_topic"]["adl.allocate"]["problems"][0]["why"]


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "x"}', '{"id": "x", "topic": "y", "given": 1, "expect": {}}'])
def test_a_line_that_is_no_vector_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "vectors.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(VectorError, match=r"vectors.jsonl:1: is not a vector"):
        conform([file])


def test_hidden_rounding_is_caught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def rounded(case: Case, scale: Scale) -> dict[str, Fraction]:
        # A function that rounds to whole units gives another answer in finer units.
        return {"half": scale.value("price", scale.units("price", case.given["x"]) // 2)}

    topic = Topic("nowhere", frozenset({"x"}), frozenset({"half"}), rounded, lambda case: {"price": [case.given["x"]]})
    monkeypatch.setitem(vectors.TOPICS, "half", topic)
    line = {"id": "h", "topic": "half", "given": {"x": "3"}, "expect": {"half": "1"}}
    result = run(tmp_path, line)
    assert result["failed"] == 1
    assert run(tmp_path, line | {"given": {"x": "2"}})["passed"] == 1
    with_tolerance = line | {"expect": {"half": "1.5"}, "tolerance": "0.001"}
    assert run(tmp_path, with_tolerance)["passed"] == 1


def test_the_harness_is_never_the_only_caller_of_a_function() -> None:
    for name, called in [(name, called) for name, topic in TOPICS.items() for called in topic.function.split(", ")]:
        crate, _, path = called.partition("::")
        if crate != "seawall_core":
            continue
        function = path.rpartition("::")[2]
        callers = []
        for file in (ROOT / "rust/core/src").rglob("*.rs"):
            code = file.read_text(encoding="utf-8").partition("#[cfg(test)]")[0]
            callers += [file for _ in re.finditer(rf"(?<!fn )\b{function}\(", code)]
        assert callers, f"{name}: nothing in the core calls {function}"


def line_of(**given: Any) -> str:
    vector = allocate()
    return json.dumps(vector | {"given": vector["given"] | given})


def weighing(weight: object) -> str:
    return line_of(accounts=[{"id": 1, "lots": 5, "cap": 5, "weight": weight}])


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (weighing("1/0"), "given.weight: '1/0' is not a number"),
        (weighing("1e999999999"), "given.weight: '1e999999999' is not a number"),
        (weighing("9" * 5000), "given.weight: '999"),
        (weighing(float("inf")), "given.weight: inf is not a number"),
        (weighing([1]), r"given.weight: \[1\] is not a number"),
        (json.dumps(allocate(tolerance="1/0")), "tolerance: '1/0' is not a number"),
        (json.dumps(allocate(tolerance="-1")), "tolerance: -1 is negative"),
        (json.dumps(allocate(topic=["adl.allocate"])), "topic: is not text"),
        (json.dumps(allocate(id=7)), "id: is not text"),
        (json.dumps(allocate(id="\ud800")), "id: is not text"),
        (json.dumps(allocate(given="x")), "given: is not an object"),
        ("[" * 200_000, "nested too deeply"),
        ('{"id": ' + "9" * 5000 + "}", "is not a vector"),
    ],
    ids=range(13),
)
def test_what_is_malformed_is_refused_with_file_line_and_field(tmp_path: Path, line: str, part: str) -> None:
    file = tmp_path / "vectors.jsonl"
    file.write_text(f"\n{line}", encoding="utf-8")
    with pytest.raises(VectorError, match=rf"vectors.jsonl:2: .*{part}"):
        conform([file])


@pytest.mark.parametrize("given", [{"accounts": 5}, {"accounts": [{}]}, {"residual": "x"}, {"residual": 2**70}])
def test_arguments_of_another_kind_fail(tmp_path: Path, given: dict[str, Any]) -> None:
    file = tmp_path / "vectors.jsonl"
    file.write_text(line_of(**given), encoding="utf-8")
    assert conform([file])["failed"] == 1


def test_nothing_to_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.jsonl"
    file.write_text("\n  \n", encoding="utf-8")
    with pytest.raises(VectorError, match=r"empty.jsonl: has no vectors"):
        conform([file])
    with pytest.raises(VectorError, match="files: none were given"):
        conform([])


@pytest.mark.parametrize("file", sorted((ROOT / "tests/vectors").glob("*.jsonl")), ids=lambda file: file.stem)
def test_every_published_vector_passes(file: Path) -> None:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line]
    result = conform([file])
    problems = [problem for topic in result["by_topic"].values() for problem in topic["problems"]]
    assert problems == []
    assert result["passed"] == len(lines)
