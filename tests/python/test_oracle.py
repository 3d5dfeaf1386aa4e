"""The venue against the oracle: random small worlds, event by event.

``SEAWALL_WORLDS`` and ``SEAWALL_SEED`` choose how many worlds and the seed of the first.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import seawall

from story import GOLDEN, Config, CoreStory, OracleStory, Record, written
from tests.oracle import auction, compare, phases, worlds
from tests.oracle import orders as o
from tests.oracle import venue as v
from tests.oracle.reached import FURTHER_LEAST, LEAST, RULE_LEAST, WATERFALL_LEAST
from tests.oracle.scenes import command, mode_flags

WORLDS = int(os.environ.get("SEAWALL_WORLDS", "3000"))
SEED = int(os.environ.get("SEAWALL_SEED", "1"))

ACCOUNT_FIELDS = ("balance", "equity", "maintenance", "initial", "called", "in_liquidation")
POSITION_FIELDS = ("account", "market", "base", "cost", "open_buys", "open_sells")


def state_of_core(core: CoreStory) -> dict[str, object]:
    """Return what can be compared of the venue's final state."""
    accounts, positions = core.venue.accounts(), core.venue.positions()
    return {
        "accounts": list(zip(*(accounts[name].tolist() for name in ACCOUNT_FIELDS), strict=True)),
        "positions": list(zip(*(positions[name].tolist() for name in POSITION_FIELDS), strict=True)),
        "totals": core.totals(),
    }


def state_of_oracle(oracle: v.OracleVenue) -> dict[str, object]:
    """Return the same of the oracle."""
    accounts, positions = [], []
    for a in oracle.accounts:
        margins = (oracle.equity(a.number), oracle.maintenance(a.number), oracle.initial(a.number))
        accounts.append((oracle.balances(a.number)[0], *margins, a.called, a.in_liquidation))
        for m, held in enumerate(a.positions):
            row = (*held, a.open[o.BUY][m], a.open[o.SELL][m])
            if any(row):
                positions.append((a.number, m, *row))
    return {"accounts": accounts, "positions": positions, "totals": OracleStory.of(oracle).totals()}


def inclined(config: Config, seed: int) -> Config:
    """Return a configuration that is likelier to get as far as ADL, in three worlds of four."""
    if seed % 4 != 0:
        for market in config["markets"]:
            market["liquidation"]["enabled"] = market["adl"]["enabled"] = True
    if seed % 4 in (1, 2):
        config["backstop"] = None
    return config


def run_world(seed: int, change: Callable[[Config, int], Config] = inclined) -> compare.Result:
    """Run the world of a seed through both, and compare the events and then the final states."""
    rng = Random(seed)  # noqa: S311 - it has to repeat, not to be secret
    config = change(worlds.random_config(rng), seed)
    worlds.vary(config, seed)
    run = compare._Run(config)
    for record in worlds.random_commands(rng, config, run.oracle):
        if not run.step(record):
            break
    cores: list[CoreStory] = []

    def make(config: Config) -> CoreStory:
        cores.append(CoreStory(config))
        return cores[-1]

    result = run.result(seed, config, make)
    if result.equal:
        told, seen = state_of_oracle(run.oracle), state_of_core(cores[0])
        if told != seen:
            result.difference = f"final states differ\n  oracle: {told}\n  venue:  {seen}"
    return result


def failure_of(result: compare.Result) -> str:
    """Write what differs, how to repeat it, and the shrunk world as a story with its configuration."""
    small = result if result.command_index is None else compare.shrink(result, CoreStory)
    name = f"world{small.seed}"
    return "\n".join(
        (
            f"seed {small.seed}: {small.difference}",
            f"repeat: SEAWALL_SEED={small.seed} SEAWALL_WORLDS=1 python -m pytest tests/python/test_oracle.py",
            f"as a story, with the events of the oracle; tests/golden/{name}.json: {json.dumps(small.config)}",
            "",
            written(name, small.config, small.commands),
        )
    )


@pytest.mark.parametrize(
    ("first", "count", "least"),
    [
        pytest.param(SEED, WORLDS, LEAST, id="plain"),
        pytest.param(worlds.OTHER_WATERFALLS + SEED, WORLDS // 3, WATERFALL_LEAST, id="other waterfalls"),
        pytest.param(worlds.FURTHER_RULES + SEED, WORLDS // 5, FURTHER_LEAST, id="further rules"),
        pytest.param(worlds.BREAKERS + SEED, WORLDS // 5, RULE_LEAST, id="breakers"),
    ],
)
def test_the_venue_agrees_with_the_oracle(
    first: int, count: int, least: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    counts: Counter[str] = Counter()
    commands = events = 0
    for seed in range(first, first + count):
        result = run_world(seed)
        if not result.equal:
            pytest.fail(failure_of(result), pytrace=False)
        counts.update(result.states)
        commands += len(result.commands)
        events += result.event_count
    with capsys.disabled():
        rows = [f"{state:32} {counts[state]:6} {counts[state] / count:7.1%}" for state in least]
        print("", *rows, sep="\n")  # noqa: T201 - the counts are what this test is judged by
        print(f"{count} worlds from seed {first}: {commands} commands, {events} events, equal")  # noqa: T201
    if WORLDS >= 1000:
        rare = {state: counts[state] for state in least if counts[state] < least[state] * count}
        assert not rare, f"too rarely reached: {rare}"


def test_a_difference_is_found_and_told_as_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = CoreStory.apply

    def one_tick_off(self: CoreStory, records: list[Record]) -> list[Record]:
        found = apply(self, records)
        return [{**event, "price": event["price"] + (event["kind"] == v.FILL)} for event in found]

    monkeypatch.setattr(CoreStory, "apply", one_tick_off)
    result = next(result for seed in range(1, 100) if not (result := run_world(seed)).equal)
    text = failure_of(result)
    assert "differs: price" in text
    assert f"SEAWALL_SEED={result.seed}" in text
    assert "\n> fill " in text
    assert "unspeakable" not in text


def test_every_world_can_be_told_as_a_story() -> None:
    for seed in range(1, 101):
        result = compare.run_world(seed)
        assert "unspeakable" not in written(f"world{seed}", result.config, result.commands), f"seed {seed}"


def test_a_cut_of_the_batch_and_a_snapshot_keep_the_digest() -> None:
    result = compare.run_world(SEED)
    first, second = CoreStory(result.config), CoreStory(result.config)
    first.apply(result.commands)
    for record in result.commands:
        second.apply([record])
    assert first.venue.digest() == second.venue.digest()
    assert seawall.Venue.restore(first.venue.snapshot()).digest() == first.venue.digest()


# ---------------------------------------------------------------------------------------------------------
# The oracle by hand: what the page says, in numbers small enough to follow
# ---------------------------------------------------------------------------------------------------------

NAMES = {
    v.REJECTED: "rejected",
    v.PHASE_CHANGED: "phase",
    v.ACCEPTED: "accepted",
    v.TRIGGERED: "triggered",
    v.CANCELLED: "cancelled",
    v.REPLACED: "replaced",
    v.SHOWN: "shown",
    v.ARMED: "armed",
    v.FILL: "fill",
    auction.UNCROSSED: "uncrossed",
}
SHOWN_FIELDS = {
    v.REJECTED: ("code",),
    v.PHASE_CHANGED: ("code",),
    v.ACCEPTED: ("qty", "price"),
    v.TRIGGERED: ("price",),
    v.CANCELLED: ("qty", "code"),
    v.REPLACED: ("qty", "price"),
    v.SHOWN: ("qty", "amount"),
    v.ARMED: ("price",),
    v.FILL: ("qty", "price"),
    auction.UNCROSSED: ("qty", "price"),
}


class Hand:
    """An oracle with six rich accounts and one market at 100, whose events are told in a few words."""

    def __init__(self, *, modes: tuple[int, ...] = (), groups: tuple[int, ...] = (), **market: Any) -> None:
        config = json.loads((GOLDEN / "unit.json").read_text(encoding="utf-8"))
        config["limits"]["triggers_per_step"] = market.pop("triggers_per_step", 16)
        config["markets"] = [{**config["markets"][0], **market}]
        config["assets"] = config["assets"][:1]
        self.oracle = v.OracleVenue(config)
        for number in range(6):
            mode = modes[number] if number < len(modes) else 0
            group = groups[number] if number < len(groups) else 0
            self.do(v.OPEN_ACCOUNT, code=mode, order=group)
            self.do(v.DEPOSIT, account=number, amount=100_000)
        self.do(v.INDEX, price=100)

    def do(self, kind: int, at: int = 0, **fields: int) -> list[str]:
        """Take a command and tell its events: name, order, and what counts of the rest."""
        record = command(kind, at=max(at, self.oracle.now), **fields)
        lines = []
        for event in self.oracle.apply(record):
            if event["kind"] in NAMES:
                number = event["order"] >> o.SLOT_BITS if event["kind"] not in (v.REJECTED, v.PHASE_CHANGED) else 0
                words = [NAMES[event["kind"]], *([f"#{number}"] if number else [])]
                lines.append(" ".join([*words, *(str(event[name]) for name in SHOWN_FIELDS[event["kind"]])]))
        return lines

    def order(
        self, account: int, lots: int, price: int, *terms: tuple[int, int] | tuple[int, int, int], **fields: int
    ) -> list[str]:
        """Buy lots, or sell them where they are negative, with terms before."""
        for code, value, *watched in terms:
            flags = watched[0] if watched else 0
            said = {o.VALUE_OF[code]: value}
            assert self.do(v.TERM, account=account, code=code, flags=flags, **said) == []
        side = o.BUY if lots > 0 else o.SELL
        return self.do(v.PLACE, account=account, side=side, qty=abs(lots), price=price, **fields)

    def trade(self, price: int) -> None:
        """Trade a lot between the last two accounts."""
        self.order(4, 1, price)
        self.order(5, -1, price, code=o.IMMEDIATE)

    def own(self, account: int, lots: int) -> None:
        """Give an account a position against the last one."""
        buyer, seller = (account, 5) if lots > 0 else (5, account)
        self.do(v.BLOCK, account=buyer, order=seller, price=100, qty=abs(lots))


def named(number: int) -> int:
    """Return the id of an order."""
    return number << o.SLOT_BITS


def test_an_iceberg_shows_its_next_peak_behind_its_level() -> None:
    hand = Hand()
    assert hand.order(0, -5, 101, (o.DISPLAY, 2)) == ["accepted #1 5 101", "shown #1 2 3"]
    hand.order(1, -3, 101)
    assert hand.order(2, 7, 101) == [
        "accepted #3 7 101",
        *("fill #1 2 101", "fill #3 2 101", "shown #1 2 1"),
        *("fill #2 3 101", "fill #3 3 101"),
        *("fill #1 2 101", "fill #3 2 101", "shown #1 1 0"),
    ]


def test_lots_behind_go_first() -> None:
    hand = Hand()
    hand.order(0, -5, 101, (o.DISPLAY, 2))
    assert hand.do(v.REPLACE, account=0, order=named(1), price=101, qty=3) == ["replaced #1 3 101"]
    assert [(each.lots, each.behind) for each in hand.oracle.resting(0)] == [(2, 1)]
    hand.do(v.REPLACE, account=0, order=named(1), price=101, qty=1)
    assert [(each.lots, each.behind) for each in hand.oracle.resting(0)] == [(1, 0)]


def test_shown_orders_are_met_before_hidden_ones_of_their_price_and_better_hidden_ones_before_both() -> None:
    hand = Hand()
    hand.order(0, -1, 101, flags=o.HIDDEN)
    hand.order(1, -1, 101)
    hand.order(2, -1, 100, flags=o.HIDDEN)
    fills = [line for line in hand.order(3, 3, 101) if "#4" not in line]
    assert fills == ["fill #3 1 100", "fill #2 1 101", "fill #1 1 101"]


def test_a_reduce_only_order_is_cut_to_the_position_before_it_meets() -> None:
    hand = Hand()
    hand.own(0, 4)
    hand.order(0, -4, 101, flags=o.REDUCE_ONLY)
    hand.order(0, -4, 101, flags=o.REDUCE_ONLY)
    assert hand.oracle.accounts[0].open == [[0], [0]]
    hand.own(0, -1)
    assert hand.order(1, 5, 101) == [
        "accepted #3 5 101",
        *("cancelled #1 1 6", "fill #1 3 101", "fill #3 3 101"),
        "cancelled #2 4 6",
    ]
    assert hand.order(0, -1, 101, flags=o.REDUCE_ONLY) == [f"rejected {v.NOT_REDUCING}"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (o.CANCEL_NEWEST, ["fill #1 1 100", "fill #4 1 100", "cancelled #4 4 7"]),
        (o.CANCEL_OLDEST, ["fill #1 1 100", "fill #4 1 100", "cancelled #2 2 7", "fill #3 3 100", "fill #4 3 100"]),
        (o.CANCEL_BOTH, ["fill #1 1 100", "fill #4 1 100", "cancelled #2 2 7", "cancelled #4 4 7"]),
        (
            o.DECREMENT,
            [
                *("fill #1 1 100", "fill #4 1 100"),
                *("cancelled #2 2 7", "cancelled #4 2 7"),
                *("fill #3 2 100", "fill #4 2 100"),
            ],
        ),
        (
            o.NO_PREVENTION,
            [
                *("fill #1 1 100", "fill #4 1 100"),
                *("fill #2 2 100", "fill #4 2 100"),
                *("fill #3 2 100", "fill #4 2 100"),
            ],
        ),
    ],
)
@pytest.mark.parametrize("by_group", [False, True])
def test_a_self_trade_is_prevented_by_the_mode_of_the_incoming_order(
    mode: int, told: list[str], by_group: bool
) -> None:
    hand = Hand(groups=(0, 7, 7))
    hand.order(0, -1, 100)
    hand.order(1, -2, 100)
    hand.order(3, -3, 100)
    got = hand.order(2 if by_group else 1, 5, 100, flags=mode_flags(mode))[1:]
    rests = mode == o.CANCEL_OLDEST
    assert got == told
    assert len(hand.oracle.markets[0].book[o.BUY]) == int(rests)


def test_all_or_nothing_counts_what_is_certain() -> None:
    hand = Hand(modes=(0, 0, o.CANCEL_OLDEST))
    hand.own(0, 3)
    hand.order(0, -3, 101, flags=o.REDUCE_ONLY)
    hand.order(1, -4, 101, (o.DISPLAY, 1))
    hand.order(2, -2, 101)
    assert hand.order(2, 5, 101, code=o.FILL_OR_KILL) == [f"rejected {v.NOT_FILLABLE}"]
    assert hand.order(3, 7, 101, code=o.FILL_OR_KILL) == [f"rejected {v.NOT_FILLABLE}"]
    assert hand.order(3, 9, 101, (o.MINIMUM, 7))[0] == f"rejected {v.NOT_FILLABLE}"
    assert hand.order(3, 9, 101, (o.MINIMUM, 6))[0] == "accepted #4 9 101"


def test_a_post_only_order_slides_one_tick_short_and_again_when_it_is_replaced() -> None:
    hand = Hand()
    hand.order(0, -1, 101, flags=o.HIDDEN)
    assert hand.order(1, 1, 105, flags=o.POST_ONLY) == [f"rejected {v.WOULD_TAKE}"]
    assert hand.order(1, 1, 105, flags=o.POST_ONLY | o.SLIDE) == ["accepted #2 1 100"]
    assert hand.do(v.REPLACE, account=1, order=named(2), price=103, qty=2) == ["replaced #2 2 100"]


def test_a_protected_market_order_stays_near_the_touch() -> None:
    hand = Hand()
    for price in (100, 102, 104):
        hand.order(0, -1, price)
    told = hand.order(1, 3, 0, (o.PROTECTION_TICKS, 2), code=o.MARKET_ORDER)
    assert told[1::2] == ["fill #1 1 100", "fill #2 1 102", "cancelled #4 1 2"]
    told = hand.order(1, 3, 0, (o.PROTECTION_PPM, 1), code=o.MARKET_ORDER)
    assert told[1::2] == ["fill #3 1 104", "cancelled #5 2 2"]


def test_a_stop_fires_another_and_the_step_has_its_limit() -> None:
    hand = Hand(triggers_per_step=1)
    hand.trade(100)
    for price in (99, 98, 97):
        hand.order(0, 1, price)
    assert hand.order(1, -1, 0, (o.STOP, 99, o.LAST_TRADE), code=o.MARKET_ORDER) == ["accepted #6 1 0", "armed #6 99"]
    hand.order(2, -1, 0, (o.STOP, 98, o.LAST_TRADE), code=o.MARKET_ORDER)
    assert hand.order(3, -1, 99, code=o.IMMEDIATE) == [
        *("accepted #8 1 99", "fill #3 1 99", "fill #8 1 99"),
        *("triggered #6 99", "accepted #6 1 0", "fill #4 1 98", "fill #6 1 98"),
    ]
    assert hand.do(v.PULSE) == ["triggered #7 98", "accepted #7 1 0", "fill #5 1 97", "fill #7 1 97"]


def test_a_trailing_stop_follows_the_best_price() -> None:
    hand = Hand()
    hand.order(0, -1, 50, (o.TRAILING, 5, o.THE_INDEX))
    told = [hand.do(v.INDEX, price=price) for price in (98, 104, 100, 99)]
    assert told == [[], [], [], ["triggered #1 99", "accepted #1 1 50"]]


def test_a_fired_order_that_is_refused_is_cancelled() -> None:
    hand = Hand()
    hand.order(0, -1, 50, (o.STOP, 99, o.THE_MARK), flags=o.REDUCE_ONLY)
    assert hand.do(v.INDEX, price=99) == ["triggered #1 99", "cancelled #1 1 8"]
    assert hand.order(0, -1, 50, (o.STOP, 99, o.THE_MARK)) == [f"rejected {v.TRIGGER_BEYOND}"]


def test_one_leg_takes_the_other_along() -> None:
    hand = Hand()
    hand.trade(100)
    hand.order(0, -2, 105)
    hand.order(0, -2, 0, (o.OTHER_LEG, named(3)), (o.STOP, 95, o.LAST_TRADE), code=o.MARKET_ORDER)
    assert hand.order(1, 1, 105) == [
        *("accepted #5 1 105", "fill #3 1 105", "fill #5 1 105"),
        "cancelled #4 2 9",
    ]
    hand.order(0, -2, 0, (o.OTHER_LEG, named(3)), (o.STOP, 95, o.LAST_TRADE), code=o.MARKET_ORDER)
    assert hand.do(v.CANCEL, account=0, order=named(6)) == ["cancelled #6 2 1", "cancelled #3 1 9"]
    hand.order(0, -2, 105)
    hand.order(0, -2, 90, (o.OTHER_LEG, named(7)), (o.STOP, 95, o.LAST_TRADE))
    hand.order(4, 1, 95)
    assert hand.order(5, -1, 95)[3:] == ["triggered #8 95", "cancelled #7 2 9", "accepted #8 2 90"]


def test_orders_expire_before_the_phase_ends() -> None:
    hand = Hand(day={"start_ns": 3, "length_ns": 10})
    hand.order(0, 1, 99, (o.EXPIRY, 23))
    hand.order(1, 1, 98, (o.STOP, 200, o.LAST_TRADE), code=o.IMMEDIATE, flags=o.DAY)
    hand.do(v.SET_PHASE, code=phases.CALL_AUCTION, amount=13)
    assert hand.do(v.PULSE, at=13) == ["cancelled #2 1 5", "phase 1"]
    assert hand.do(v.PULSE, at=23) == ["cancelled #1 1 5"]


def test_a_quote_keeps_what_it_can() -> None:
    hand = Hand()

    def quote(bid: int, bid_lots: int, ask: int, ask_lots: int) -> list[str]:
        return hand.do(v.QUOTE, account=0, code=3, price=bid, qty=bid_lots, amount=ask, order=ask_lots)

    assert quote(99, 5, 101, 5) == ["accepted #1 5 99", "accepted #2 5 101"]
    assert quote(99, 5, 101, 5) == []
    assert quote(99, 4, 102, 5) == ["replaced #1 4 99", "cancelled #2 5 10", "accepted #3 5 102"]
    assert quote(99, 0, 102, 9999) == ["cancelled #1 4 10", "cancelled #3 5 10", f"rejected {v.QTY_OUT_OF_RANGE}"]


def test_a_client_id_is_free_again_after_its_order() -> None:
    for client_ids, other in (
        ("hashed", "accepted #2 1 99"),
        ({"dense": {"max": 9}}, f"rejected {v.DUPLICATE_CLIENT_ID}"),
    ):
        hand = Hand(client_ids=client_ids)
        hand.order(0, 1, 99, order=7)
        assert hand.order(0, 1, 98, order=7) == [f"rejected {v.DUPLICATE_CLIENT_ID}"]
        assert hand.order(1, 1, 99, order=7) == [other]
        assert hand.do(v.CANCEL, account=0, order=7, flags=v.BY_CLIENT_ID) == ["cancelled #1 1 1"]
        assert hand.order(0, 1, 98, order=7)[0].startswith("accepted")


def test_lots_are_shared_out_step_by_step() -> None:
    # The top order has 3 of 20. A quarter of 17 is 4, for account 2; a fifth of 13 is 2, for the longest resting.
    # Then 11 over 18, 6 and 7 that are still open: 6.4, 2.1 and 2.5; and the one lot left for the longest resting.
    rule = {"type": "pro_rata", "top_order": True, "fifo_ppm": 200_000, "minimum": 1}
    hand = Hand(allocation={**rule, "lead": [{"account": 2, "share_ppm": 250_000}]})
    for account, lots in ((0, 3), (1, 20), (2, 10), (3, 7)):
        hand.order(account, -lots, 101)
    told = hand.order(4, 20, 101)
    assert told[1::2] == ["fill #1 3 101", "fill #2 9 101", "fill #3 6 101", "fill #4 2 101"]


def test_a_share_below_the_minimum_is_nothing() -> None:
    hand = Hand(allocation={"type": "pro_rata", "top_order": False, "lead": [], "fifo_ppm": 0, "minimum": 3})
    for account, lots in ((0, 10), (1, 3)):
        hand.order(account, -lots, 101)
    assert hand.order(4, 10, 101)[1::2] == ["fill #1 10 101"]


def test_a_book_that_orders_fell_out_of_is_uncrossed_again() -> None:
    hand = Hand()
    hand.own(0, 2)
    hand.do(v.SET_PHASE, code=phases.CALL_AUCTION)
    hand.order(0, -2, 100, flags=o.REDUCE_ONLY)
    hand.order(0, -2, 100, flags=o.REDUCE_ONLY)
    hand.order(1, -1, 101)
    hand.order(2, 4, 101)
    assert hand.do(v.SET_PHASE, code=phases.CONTINUOUS) == [
        *("uncrossed 4 100", "fill #4 2 100", "fill #1 2 100", "cancelled #2 2 6"),
        *("uncrossed 1 101", "fill #4 1 101", "fill #3 1 101"),
        "phase 1",
    ]


def test_a_market_that_is_not_cleared_moves_nothing() -> None:
    hand = Hand(cleared=False, fees={"maker_ppm": 1000, "taker_ppm": 1000})
    hand.trade(100)
    assert [position.base for each in hand.oracle.accounts for position in each.positions] == [0] * 6
    assert hand.oracle.balance(v.FEES) == 0
    assert hand.do(v.BLOCK, account=0, order=1, price=100, qty=1) == [f"rejected {v.PHASE_REFUSES}"]


def test_a_refused_term_breaks_its_order_and_another_command_takes_terms_away() -> None:
    hand = Hand()
    assert hand.do(v.TERM, account=0, code=o.DISPLAY, qty=0) == [f"rejected {v.BAD_FIELD}"]
    assert hand.order(0, 5, 99) == [f"rejected {v.BAD_FIELD}"]
    assert hand.do(v.TERM, account=0, code=o.DISPLAY, qty=1) == []
    hand.do(v.PULSE)
    assert hand.order(0, 5, 99) == ["accepted #1 5 99"]
