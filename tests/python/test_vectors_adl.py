"""The published vectors of auto-deleveraging run through the engine, and mutated ones do not pass."""

import json
from pathlib import Path
from typing import Any

import pytest

from seawall.vectors import conform

FILE = Path(__file__).parents[1] / "vectors/adl.jsonl"
LINES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines() if line]


def run(tmp_path: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "vectors.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return conform([file])


def first(topic: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(json.dumps(next(line for line in LINES if line["topic"] == topic)))
    return line


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_another_answer_fails(tmp_path: Path, line: dict[str, Any]) -> None:
    def other(value: object) -> object:
        if isinstance(value, list):
            return [*value[:-1], other(value[-1])]
        if isinstance(value, bool) or value is None:
            return "odd"
        return value + 1 if isinstance(value, int) else "7654321" if str(value)[-1].isdigit() else "odd"

    for key in line["expect"]:
        wrong = {**line, "expect": {**line["expect"], key: other(line["expect"][key])}}
        assert run(tmp_path, wrong)["failed"] == 1, key


def test_ties_go_to_the_lower_id_wherever_it_stands(tmp_path: Path) -> None:
    accounts = [{"id": n, "lots": 4, "cap": 4, "weight": "1"} for n in (9, 2, 5)]
    for method in ("queue", "largest_remainder", "webster"):
        line = first("adl.allocate")
        closed = [0, 4, 0] if method == "queue" else [1, 2, 1]
        line["given"] = {"method": method, "residual": 4, "accounts": accounts}
        line["expect"] = {"closed": closed, "uncovered": 0}
        assert run(tmp_path, line)["passed"] == 1, method


@pytest.mark.parametrize(
    ("topic", "change"),
    [
        ("adl.score", {"rule": "dice"}),
        ("adl.score", {"winner_side": "flat"}),
        ("adl.score", {"rule": "profit_times_margin_ratio"}),
        ("adl.settle", {"price_rule": "dice"}),
        ("adl.settle", {"band_fraction": "1/3"}),
        ("adl.lights", {"method": "dice"}),
        ("adl.lights", {"levels": 0}),
        ("adl.haircut", {"accounts": [{"id": 1}]}),
        ("adl.hedge_aware", {"residual": -1}),
    ],
)
def test_what_is_unknown_or_out_of_range_fails(tmp_path: Path, topic: str, change: dict[str, Any]) -> None:
    line = first(topic)
    line["given"] |= change
    assert run(tmp_path, line)["failed"] == 1


@pytest.mark.parametrize(
    ("topic", "change"),
    [("adl.allocate", {"method": "dice"}), ("adl.haircut", {"method": "dice"}), ("adl.offset", {"basis": "dice"})],
)
def test_what_no_function_computes_is_unsupported(tmp_path: Path, topic: str, change: dict[str, Any]) -> None:
    line = first(topic)
    line["given"] |= change
    assert run(tmp_path, line)["unsupported"] == 1
