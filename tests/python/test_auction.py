"""Rules of auctions as people write them, and the published vectors with other answers."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from seawall.models.auction import Auction
from seawall.models.files import load_profile
from seawall.models.venue import Market
from seawall.vectors import conform

ROOT = Path(__file__).parents[2]
FILE = ROOT / "tests/vectors/auction.jsonl"
LINES: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines() if line]


def run(tmp_path: Path, *lines: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "vectors.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return conform([file])


def test_every_published_auction_passes() -> None:
    result = conform([FILE])
    assert (result["passed"], result["failed"], result["unsupported"]) == (30, 0, 0), result


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["id"])
def test_another_answer_fails(tmp_path: Path, line: dict[str, Any]) -> None:
    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [*value[:-1], other(value[-1])]
        return 1 if value is None else value + 1 if isinstance(value, int) else "7654321"

    for key in line["expect"]:
        wrong = {**line, "expect": {**line["expect"], key: other(line["expect"][key])}}
        assert run(tmp_path, wrong)["failed"] == 1, key


@pytest.mark.parametrize(
    "change",
    [{"rule": "dice"}, {"candidates": "dice"}, {"tick": None}, {"grid_low": "95.5"}, {"pressure_limit": "1/3"}],
)
def test_what_is_unknown_or_not_whole_fails(tmp_path: Path, change: dict[str, Any]) -> None:
    line: dict[str, Any] = json.loads(json.dumps(next(x for x in LINES if x["given"].get("pressure_limit"))))
    line["given"] |= change
    assert run(tmp_path, line)["failed"] == 1


def market(profile: str = "reference") -> Market:
    """Return the first market of a shipped profile."""
    return load_profile(profile).markets[0]


def test_a_collar_is_written_as_prices_and_shares() -> None:
    first = market()
    rule = Auction.model_validate(
        {
            "preset": "nasdaq",
            "pressure": {"type": "bounded", "limit": "0.05"},
            "collar": {"around": "touch", "width": "0.1", "width_min": str(first.tick_size * 5), "action": "confine"},
        }
    )
    assert rule.config("markets.X.auction", first.ticks) == {
        "preset": "nasdaq",
        "pressure": {"bounded": {"limit_ppm": 50_000}},
        "collar": {"around": "touch", "width_ppm": 100_000, "width_min": 5, "action": "confine"},
    }


def test_a_width_off_the_tick_is_refused_with_its_field() -> None:
    first = market()
    collar = {"around": "touch", "width": "0", "width_min": str(first.tick_size * Decimal("0.3")), "action": "confine"}
    with pytest.raises(ValueError, match=r"auction\.collar\.width_min"):
        Auction.model_validate({"collar": collar}).config("markets.X.auction", first.ticks)
