"""The vectors of liquidation, funds and shared losses: every line, and what the harness refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from seawall.vectors import TOPICS, conform
from seawall.vectors.cases import number_of

VECTORS = Path(__file__).parents[1] / "vectors"


def lines(topic: str) -> list[dict[str, Any]]:
    name = (
        "fund.jsonl" if topic.split(".", maxsplit=1)[0] in ("fund", "socialise", "waterfall") else "liquidation.jsonl"
    )
    rows = [json.loads(line) for line in (VECTORS / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [row for row in rows if row["topic"] == topic]


def run(tmp_path: Path, *vectors: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "vectors.jsonl"
    file.write_text("\n".join(json.dumps(vector) for vector in vectors), encoding="utf-8")
    return conform([file])


def changed(value: object) -> object:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], changed(value[-1])] if value else ["1"]
    return "1" if value is None else str(number_of(value, "expect") + 1)


@pytest.mark.parametrize("topic", sorted(name for name in TOPICS if name.split(".")[0] in ("socialise", "waterfall")))
def test_a_wrong_answer_fails_whatever_field_it_is_in(topic: str, tmp_path: Path) -> None:
    vector = lines(topic)[0]
    for key in vector["expect"]:
        if key == "error":
            continue
        wrong = vector | {"expect": vector["expect"] | {key: changed(vector["expect"][key])}}
        assert run(tmp_path, wrong)["failed"] == 1, key


@pytest.mark.parametrize(
    ("topic", "change", "part"),
    [
        ("liquidation.dutch_price", {"curve": "wave"}, "curve: 'wave' is unknown; known: stairstep, linear"),
        ("liquidation.dutch_price", {"duration_s": 1}, "keys duration_s are unknown or missing"),
        ("liquidation.schedule", {"lot": "0"}, "the lot positive"),
        ("liquidation.schedule", {"fraction": "1/3"}, "1/3 is not a whole number of ppm"),
        ("liquidation.fillable_price", {"market": "ETH"}, "market: 0 positions are in ETH"),
        ("liquidation.ramp_share", {"shortage": "0", "full_below": "0"}, "shortage and duration must be positive"),
        ("liquidation.share_step", {"share_step": "0.3"}, "the step divides one"),
        ("fund.delta", {"side": "up"}, "side: 'up' is unknown; known: long, short"),
        ("fund.drawdown_trigger", {"pool_max": "0"}, "the pool must be positive"),
        ("socialise.loss", {"rounding": "half"}, "rounding: 'half' is unknown; known: ceil, floor"),
        ("waterfall.resolve", {"mark_price": "130"}, "the position is not liquidated at this mark"),
        ("waterfall.resolve", {"collateral": "0"}, "the venue refuses to build this situation"),
    ],
)
def test_what_is_unknown_or_impossible_fails_and_says_why(
    topic: str, change: dict[str, Any], part: str, tmp_path: Path
) -> None:
    vector = lines(topic)[0]
    result = run(tmp_path, vector | {"given": vector["given"] | change})
    assert result["failed"] == 1
    assert part in result["by_topic"][topic]["problems"][0]["why"]


def test_what_nobody_takes_stays_uncovered(tmp_path: Path) -> None:
    # Ten lots from 100 with 50: bankruptcy price 95. No book, no fund, and a winner with four lots.
    given = lines("waterfall.resolve")[0]["given"] | {
        "lots": 10,
        "entry_price": "100",
        "collateral": "50",
        "mark_price": "90",
        "book": [],
        "fund_balance": "0",
        "winners": [{"lots": 4, "entry_price": "100"}],
    }
    expect = {
        "bankruptcy_price": "95",
        "book_lots": 0,
        "fund_credit": "0",
        "fund_lots": 0,
        "fund_after": "0",
        "adl_lots": [4],
        "adl_cost": ["20"],
        "winner_pnl": ["20"],
        "uncovered_lots": 6,
    }
    vector = {"id": "w", "topic": "waterfall.resolve", "given": given, "expect": expect}
    assert run(tmp_path, vector)["passed"] == 1
