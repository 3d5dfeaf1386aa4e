"""How fast the border is: batches and single messages, held against the native loop; `make bench` runs it.

Every round starts from the same book, and its number of events and its final book are compared.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import seawall
from seawall import EVENT, bench
from seawall.commands import Records

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.bench

BATCH = 4096
ROUNDS = 5
MESSAGES = {"apply": 1_000_000, "apply_into": 1_000_000, "one by one": 200_000, "one by one into": 200_000}


class Stage(NamedTuple):
    """A workload, its commands in pieces, and what a venue makes of them."""

    staged: bench.Staged
    pieces: list[Records]
    events: int

    def venue(self) -> seawall.Venue:
        venue = seawall.Venue.from_config(self.staged.config)
        venue.apply(self.staged.opening)
        venue.apply(self.staged.prefill)
        return venue


def stage(messages: int, batch: int) -> Stage:
    staged = bench.staged("touch50", n=messages)
    pieces = [staged.timed[i : i + batch] for i in range(0, messages, batch)]
    unknown = Stage(staged, pieces, 0)
    return unknown._replace(events=len(unknown.venue().apply(staged.timed)))


def apply(venue: seawall.Venue, pieces: list[Records]) -> int:
    return sum(len(venue.apply(piece)) for piece in pieces)


def apply_into(venue: seawall.Venue, pieces: list[Records]) -> int:
    room = np.empty(max(4096, 8 * len(pieces[0])), dtype=EVENT)
    return sum(venue.apply_into(piece, room) for piece in pieces) + venue.waiting


@pytest.fixture(scope="module")
def native() -> float:
    """Return the messages per second of the loop in Rust, measured right before."""
    return bench.book("touch50", n=1_000_000, repeat=5)["messages_per_second"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("way", MESSAGES)
def test_the_border_on_touch50(way: str, native: float, benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    it = stage(MESSAGES[way], 1 if way.startswith("one") else BATCH)
    call: Callable[[seawall.Venue, list[Records]], int] = apply_into if way.endswith("into") else apply
    venues: list[seawall.Venue] = []

    def fresh() -> tuple[tuple[seawall.Venue, list[Records]], dict[str, Any]]:
        venues[:] = [it.venue()]
        return (venues[0], it.pieces), {}

    assert benchmark.pedantic(call, setup=fresh, rounds=ROUNDS) == it.events
    depth = venues[0].depth(0, levels=1 << 24)
    expected = it.staged.expected
    assert sum(int(levels["orders"].sum()) for levels in depth.values()) == expected["resting"]
    assert depth["bids"]["price"][0] == expected["best_bid"]
    assert depth["asks"]["price"][0] == expected["best_ask"]
    rate = MESSAGES[way] / benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\n{way}: {rate / 1e6:.2f} million messages/s, {rate / native:.2f} of the native loop")  # noqa: T201


def test_the_floor_of_one_call_per_message(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A method that makes an array of 64 bytes: what the interpreter and numpy take by themselves."""
    pieces = list(np.zeros((200_000, 64), dtype=np.uint8))

    def copy() -> int:
        return sum(len(piece.copy()) for piece in pieces)

    assert benchmark.pedantic(copy, rounds=ROUNDS) == 64 * len(pieces)
    rate = len(pieces) / benchmark.stats.stats.median
    with capsys.disabled():
        print(f"\nfloor: {rate / 1e6:.2f} million calls/s that make an array of 64 bytes")  # noqa: T201
