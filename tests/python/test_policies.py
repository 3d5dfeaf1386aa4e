"""Policies: when they are asked, what their answers do, and that a replay needs none of them."""

import functools
import io
import json
import runpy
import traceback
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import seawall
from seawall import (
    MINUTE,
    NO_MARKET,
    SECOND,
    AdlRound,
    CommandError,
    CommandKind,
    EventKind,
    Fired,
    JournalWriter,
    Phase,
    Policy,
    PolicyError,
    Reject,
    Session,
    Side,
    Source,
    Table,
    Trigger,
    Venue,
    View,
    commands,
)
from seawall.cli import app
from seawall.commands import Records
from seawall.models import load_scenario
from seawall.policy import load_policy
from seawall.protocol import FillFlag
from seawall.run import world_of

from conftest import SMALL

EXAMPLES = Path(__file__).parents[2] / "examples"
TIGHT = ["fund.to_open_interest=0.0001", "venue.limits.liquidation_rounds_per_step=2", "work.pulses_per_step_max=3"]
"""A small fund, so that winners are deleveraged, and little work in a step, so that some waits."""


class Noted(Policy):
    """Watches everything and does nothing."""

    triggers = (
        Trigger.price_move(ppm=10_000, window_ns=MINUTE),
        Trigger.price_move(ppm=3_000, window_ns=5 * SECOND, price="last", market="BTC"),
        Trigger.price_move(ppm=20_000, window_ns=3 * MINUTE, price="index", market=1),
        Trigger.liquidations(count=4, window_ns=20 * SECOND),
        Trigger.liquidated_notional(amount=1_000_000 * 10**6, window_ns=30 * SECOND),
        Trigger.adl_closes(count=5, window_ns=MINUTE, market="ETH"),
        Trigger.fund_below(amount=50_000 * 10**6),
        Trigger.fund_fell(amount=1_000 * 10**6, window_ns=10 * SECOND),
        Trigger.every(7 * SECOND),
        Trigger.pulse_pending(),
        Trigger.phase_changed(),
        Trigger.breaker_tripped(market="BTC"),
        Trigger.liquidation_orders(count=4, window_ns=10 * SECOND),
    )

    def on_trigger(self, view: View, fired: Fired) -> None:
        assert view.now == fired.at


def recorded(*overrides: str) -> tuple[Venue, Records]:
    """Return a fresh venue and the commands of a small replay."""
    scenario, profile = load_scenario(SMALL, set=[*TIGHT, *overrides])
    world = world_of(scenario, profile, accounts=200, journal=True)
    while not world.run_steps(1000):
        pass
    return Venue(profile), world.take_journal()


HALT = (
    'venue.breakers=[{name = "halt", markets = ["BTC"], ranges = [{reference = {type = "window", window = "5m"}, '
    'width = {type = "share", share = "0.03"}}], inclusive = false, test = {type = "trade"}, '
    'action = {type = "interrupt", phase = "halted"}, exit = {after = "1m"}, rearm = {restart = true}}]'
)


@pytest.fixture(scope="module")
def tape() -> Records:
    return recorded(HALT)[1]


def fresh() -> Venue:
    return Venue(load_scenario(SMALL, set=[*TIGHT, HALT])[1])


class Naive:
    """Triggers computed anew from the log of the steps: lists and loops, nothing kept but what was seen."""

    def __init__(self) -> None:
        self.prices: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        self.events: list[tuple[int, Any]] = []
        self.since: dict[tuple[int, int], int] = {}
        self.funds: list[tuple[int, int]] = [(0, 0)]
        self.now = 0

    def step(self, now: int, events: Records, seen: dict[tuple[str, int], int], fund: int) -> None:
        self.before, self.now = self.now, now
        for key, value in seen.items():
            if value and (not self.prices[key] or self.prices[key][-1][1] != value):
                self.prices[key].append((now, value))
        self.changed = {key for key in seen if self.prices[key] and self.prices[key][-1][0] == now}
        self.fresh = list(events)
        self.events += [(now, e) for e in self.fresh]
        self.fund_moved = fund != self.funds[-1][1]
        if self.fund_moved:
            self.funds.append((now, fund))

    def moved(self, number: int, key: tuple[str, int], ppm: int, window: int) -> bool:
        """The price that stands against all that stood within the window since the last time."""
        if key not in self.changed:
            return False
        history = self.prices[key][self.since.get((number, key[1]), 0) :]
        if not history or history[-1][1] == getattr(self, f"last_{number}_{key[1]}", None):
            return False
        setattr(self, f"last_{number}_{key[1]}", history[-1][1])
        value = history[-1][1]
        ends = [at for at, _ in history[1:]] + [None]
        stood = [p for (_, p), end in zip(history, ends, strict=True) if end is None or end > self.now - window]
        hit = value * 10**6 <= max(stood) * (10**6 - ppm) or value * 10**6 >= min(stood) * (10**6 + ppm)
        if hit:
            self.since[number, key[1]] = len(self.prices[key]) - 1
        return hit

    def counted(self, number: int, market: int, most: int, window: int, amount: Callable[[Any], int]) -> bool:
        if not any(amount(e) for e in self.fresh):
            return False
        start = self.since.get((number, market), 0)
        total = sum(amount(e) for at, e in self.events[start:] if at > self.now - window)
        if total >= most:
            self.since[number, market] = len(self.events)
        return total >= most

    def fell(self, number: int, amount: int, window: int) -> bool:
        history = self.funds[self.since.get((number, 0), 0) :]
        ends = [at for at, _ in history[1:]] + [None]
        stood = [f for (_, f), gone in zip(history, ends, strict=True) if gone is None or gone > self.now - window]
        hit = max(stood) - history[-1][1] >= amount
        if hit:
            self.since[number, 0] = len(self.funds) - 1
        return hit


def of_kind(*kinds: EventKind, market: int | None = None) -> Callable[[Any], int]:
    return lambda e: int(e["kind"] in kinds and market in (None, e["market"]))


def notional(market: int, tick: int) -> Callable[[Any], int]:
    def amount(e: Any) -> int:
        liquidation = e["kind"] == EventKind.FILL and e["flags"] & FillFlag.LIQUIDATION
        closes = e["market"] == market and (liquidation or e["kind"] == EventKind.TAKEN_OVER)
        return int(e["price"]) * int(e["qty"]) * tick if closes else 0

    return amount


def test_a_trigger_fires_neither_early_nor_late_against_a_naive_count(tape: Records) -> None:
    noted = Noted()
    session = Session(fresh(), policy=noted)
    asked = session._asked
    assert asked is not None
    ran = session.run(tape)
    assert ran.done == len(tape)
    seen = [(f.seq, noted.triggers.index(f.trigger), f.market) for f in asked.moments]

    naive, again, told = Naive(), fresh(), []
    ticks = [row["tick_value"] for row in load_scenario(SMALL)[1].config()["markets"]]
    seq, fund_armed, next_due = 0, False, 7 * SECOND
    last = dict.fromkeys((0, 1), 0)
    for record in tape:
        events = again.apply(record.reshape(1))
        seq += len(events)
        for e in events:
            if e["kind"] == EventKind.FILL and not e["flags"] & FillFlag.BLOCK:
                last[int(e["market"])] = int(e["price"])
        rows = again.markets()
        prices = {("last", m): last[m] for m in (0, 1)}
        prices |= {(name, m): int(rows[name][m]) for name in ("mark", "index") for m in (0, 1)}
        fund, now = int(again.funds()["balance"][0]), again.now
        naive.step(now, events, prices, fund)
        hits = [(0, m) for m in (0, 1) if naive.moved(0, ("mark", m), 10_000, MINUTE)]
        hits += [(1, 0)] if naive.moved(1, ("last", 0), 3_000, 5 * SECOND) else []
        hits += [(2, 1)] if naive.moved(2, ("index", 1), 20_000, 3 * MINUTE) else []
        started = of_kind(EventKind.LIQUIDATION_STARTED)
        hits += [(3, NO_MARKET)] if naive.counted(3, 9, 4, 20 * SECOND, started) else []
        hits += [(4, m) for m in (0, 1) if naive.counted(4, m, 1_000_000 * 10**6, 30 * SECOND, notional(m, ticks[m]))]
        closes = of_kind(EventKind.ADL_FILL, EventKind.ADL_HAIRCUT, market=1)
        hits += [(5, 1)] if naive.counted(5, 1, 5, MINUTE, closes) else []
        below = fund < 50_000 * 10**6
        hits += [(6, NO_MARKET)] if below and fund_armed else []
        fund_armed = not below
        hits += [(7, NO_MARKET)] if naive.fund_moved and naive.fell(7, 1_000 * 10**6, 10 * SECOND) else []
        if now >= next_due:
            hits += [(8, NO_MARKET)]
            next_due = (now // (7 * SECOND) + 1) * 7 * SECOND
        if record["kind"] in (20, 22, 23) and again.in_liquidation.waiting:
            hits += [(9, NO_MARKET)]
        hits += [(10, int(e["market"])) for e in events if e["kind"] == EventKind.PHASE_CHANGED][-1:]
        trips = [e for e in events if e["kind"] == EventKind.BREAKER_TRIPPED and e["market"] == 0]
        hits += [(11, 0)] if trips else []
        orders = [of_kind(EventKind.LIQUIDATION_ORDER, market=m) for m in (0, 1)]
        hits += [(12, m) for m in (0, 1) if naive.counted(12, m, 4, 10 * SECOND, orders[m])]
        told += [(seq, *hit) for hit in hits]
    assert seen == told
    counts = np.bincount([number for _, number, _ in told], minlength=13)
    print(dict(zip([t.kind for t in noted.triggers], counts.tolist(), strict=True)))  # noqa: T201
    assert (counts >= [3, 3, 1, 2, 2, 2, 1, 2, 50, 1, 2, 1, 2]).all(), counts


def test_a_policy_that_does_nothing_changes_nothing(tape: Records) -> None:
    venue, alone = fresh(), fresh()
    ran = venue.run(tape, policy=Noted())
    assert (ran.events == alone.apply(tape)).all()
    assert venue.digest() == alone.digest()
    policy = seawall.replay(SMALL, accounts=500, policy=Noted())
    assert policy.digest == seawall.replay(SMALL, accounts=500).digest
    assert policy.moments


class Pause(Policy):
    triggers = (Trigger.price_move(ppm=15_000, window_ns=MINUTE), Trigger.liquidations(count=10, window_ns=MINUTE))

    def on_trigger(self, view: View, fired: Fired) -> Records:
        market = [0, 1] if fired.market == NO_MARKET else fired.market
        return commands.set_phase(at=0, market=market, phase=Phase.PAUSE, until=view.now + 20 * SECOND)


class Broken(Pause):
    asked = 0

    def on_trigger(self, view: View, fired: Fired) -> Records:
        self.asked += 1
        if self.asked == 3:
            raise LookupError("the third time")
        return super().on_trigger(view, fired)


def test_a_journal_with_a_policy_replays_without_it(tape: Records) -> None:
    venue, file = fresh(), io.BytesIO()
    ran = venue.run(tape, policy=Pause(), journal=JournalWriter(venue, file))
    again = seawall.replay_journal(file.getvalue())
    assert again.venue.digest() == venue.digest()
    assert (again.events == ran.events).all()
    own = ran.events[ran.events["source"] == Source.POLICY]
    assert (own["kind"] == EventKind.PHASE_CHANGED).sum() >= 3
    alone = fresh()
    alone.apply(tape)
    assert venue.digest() != alone.digest()


def test_a_policy_that_raises_leaves_the_venue_between_two_commands(tape: Records) -> None:
    venue, file = fresh(), io.BytesIO()
    session = Session(venue, policy=Broken(), journal=JournalWriter(venue, file))
    with pytest.raises(LookupError, match="the third time") as raised:
        session.run(tape)
    frames = traceback.extract_tb(raised.value.__traceback__)
    assert frames[-1].filename == __file__
    assert frames[-1].line == 'raise LookupError("the third time")'
    assert "policy Broken was asked after event" in raised.value.__notes__[0]
    assert 0 < session.done < len(tape)

    # The venue is where a policy leaves it that answers nothing that time.
    same = fresh()
    answers = iter([Pause().on_trigger] * 2)

    def twice(view: View, fired: Fired) -> Records:
        return next(answers)(view, fired)

    quiet = Session(same, policy=twice, triggers=Pause.triggers)
    with pytest.raises(StopIteration):
        quiet.run(tape)
    assert quiet.done == session.done
    assert venue.digest() == same.digest()
    assert seawall.replay_journal(file.getvalue()).venue.digest() == venue.digest()

    # And it goes on from there: nothing is lost, nothing is applied twice.
    head = session.take_events()
    tail = session.run(tape[session.done :])
    assert np.array_equal(np.concatenate([head, tail.events])["seq"], np.arange(1, len(head) + len(tail.events) + 1))
    assert seawall.replay_journal(file.getvalue()).venue.digest() == venue.digest()
    assert venue.audit()["ok"]


def test_a_world_whose_policy_raises_stops_and_says_where() -> None:
    with pytest.raises(LookupError, match="the third time") as raised:
        seawall.replay(SMALL, accounts=500, policy=Broken())
    assert traceback.extract_tb(raised.value.__traceback__)[-1].line == 'raise LookupError("the third time")'
    scenario, profile = load_scenario(SMALL)
    world = world_of(scenario, profile, accounts=500, journal=True)
    seawall.run.attach(world, profile, Broken())
    with pytest.raises(LookupError):
        world.run_steps(10_000)
    before = world.venue().digest()
    again = Venue(profile)
    again.apply(world.take_journal())
    assert again.digest() == before
    with pytest.raises(PolicyError, match="stopped when its policy failed"):
        world.run_steps(1)
    assert world.venue().digest() == before


def test_a_saved_run_repeats_to_the_same_digest_without_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "run.seawall"
    run = seawall.replay(SMALL, accounts=500, policy=Pause(), save=file)
    assert [p.name for p in tmp_path.iterdir()] == ["run.seawall"]
    saved = seawall.load_run(file)
    assert saved.facts["policy"] == "Pause"
    again = saved.repeat(events="risk")
    assert again.digest == run.digest == saved.digest
    assert again.venue.digest() == run.venue.digest()
    assert (again.events["source"] == Source.POLICY).any()
    # The set-up's events are in the saved run too.
    assert (again.events[-len(run.events.records) :] == run.events.records).all()
    with pytest.raises(LookupError):
        seawall.replay(SMALL, accounts=500, policy=Broken(), save=tmp_path / "half.seawall")
    assert [p.name for p in tmp_path.iterdir()] == ["run.seawall"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(b'{"format": "x"}\n', "neither a saved run"), (b"{nonsense", "neither a saved run")],
)
def test_what_is_no_saved_run_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(seawall.JournalError, match=why):
        seawall.load_run(file)
    with pytest.raises(seawall.JournalError, match="cannot be read"):
        seawall.load_run(tmp_path / "nothing")
    file.write_bytes(b"SWJOURN1 but no more")
    with pytest.raises(seawall.JournalError):
        seawall.load_run(file).repeat()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (7, "answered no commands"),
        ([1, 2], "answered no commands"),
        (np.zeros(3), "answered no commands"),
        (commands.set_phase(at=0, market=9, phase=Phase.PAUSE), r"commands\[0\].market: 9 is not there"),
    ],
)
def test_an_answer_that_cannot_be_used_changes_nothing(answer: Any, why: str, tape: Records) -> None:
    venue = fresh()
    session = Session(venue, policy=lambda _view, _fired: answer, triggers=[Trigger.every(SECOND)])
    with pytest.raises(PolicyError, match=why):
        session.run(tape)
    same = fresh()
    same.apply(tape[: session.done])
    assert venue.digest() == same.digest()


@pytest.mark.parametrize(
    ("trigger", "why"),
    [
        (Trigger.price_move(ppm=0, window_ns=1), r"triggers\[0\].ppm: 0: must be positive"),
        (Trigger.price_move(ppm=1, window_ns=-1), r"triggers\[0\].window_ns: -1: must be positive"),
        (Trigger.price_move(ppm=1, window_ns=1, market="DOGE"), r"triggers\[0\].market: 'DOGE' is not there"),
        (Trigger.phase_changed(market=7), r"triggers\[0\].market: 7: is no market"),
        (Trigger.fund_below(amount=1, fund=9), r"triggers\[0\].fund: 9: is no fund"),
        (Trigger.every(0), r"triggers\[0\].ns: 0: must be positive"),
        (Trigger.liquidations(count=0, window_ns=1), r"triggers\[0\].count: 0"),
        (Trigger.every(1.5), r"triggers\[0\].ns: 1.5: must be a whole number"),  # type: ignore[arg-type]
        ("every second", r"triggers\[0\]: 'every second' is no Trigger"),
    ],
)
def test_a_trigger_that_cannot_work_is_refused_by_field(trigger: Any, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        fresh().run(commands.pulse(at=1), triggers=[trigger])
    with pytest.raises(CommandError, match=why):
        seawall.replay(SMALL, accounts=10, policy=Noted(), triggers=[trigger])


def test_a_policy_that_fires_itself_is_stopped() -> None:
    def again(view: View, _: Fired) -> Records:
        flip = view.markets()["index"][0] * 3 // 2 if view.markets()["index"][0] < 700_000 else 500_000
        return commands.index(at=0, market=0, price=int(flip))

    venue = fresh()
    price = Trigger.price_move(ppm=10_000, window_ns=SECOND, price="index", market=0)
    with pytest.raises(PolicyError, match="asked 1000 times in a row at time 2"):
        venue.run(commands.index(at=[1, 2], market=0, price=[600_000, 500_000]), policy=again, triggers=[price])
    assert venue.audit()["ok"]


def test_without_a_policy_a_run_stops_where_a_trigger_fires(tape: Records) -> None:
    venue, whole = fresh(), fresh()
    session = Session(venue, triggers=[Trigger.every(30 * SECOND)])
    start, stops, parts = 0, 0, []
    while start < len(tape):
        ran = session.run(tape[start:])
        start += ran.done
        stops += bool(ran.fired)
        parts.append(ran.events)
    assert stops >= 20
    assert (np.concatenate(parts) == whole.apply(tape)).all()


def test_a_view_is_for_the_time_of_the_call(tape: Records) -> None:
    kept: list[View] = []
    for take in (
        lambda: fresh().run(tape[:2000], policy=lambda view, _: kept.append(view), triggers=[Trigger.every(SECOND)]),
        lambda: seawall.replay(
            SMALL, accounts=50, policy=lambda view, _: kept.append(view), triggers=[Trigger.every(MINUTE)]
        ),
    ):
        kept.clear()
        take()
        with pytest.raises(PolicyError, match="for the time of on_trigger only"):
            kept[0].markets()


def test_an_interrupt_loses_nothing(tape: Records) -> None:
    calls = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))
        if len(calls) == 3:
            raise KeyboardInterrupt

    venue, whole = fresh(), fresh()
    session = Session(venue, policy=Noted())
    with pytest.raises(KeyboardInterrupt):
        session.run(tape, progress=progress)
    assert session.done == calls[-1][0]
    head = session.take_events()
    tail = session.run(tape[session.done :]).events
    assert (np.concatenate([head, tail]) == whole.apply(tape)).all()


ACTS = {
    "policy_cascade_pause": {EventKind.PHASE_CHANGED: 2},
    "policy_liquidation_throttle": {EventKind.PHASE_CHANGED: 5},
    "policy_volatility_trigger": {EventKind.PHASE_CHANGED: 2},
    "policy_widening_band": {EventKind.RULE_SET: 5},
}
"""What each example does at least so often in the small world."""


def test_every_example_of_a_policy_is_run_and_in_the_documentation() -> None:
    assert sorted(file.stem for file in EXAMPLES.glob("policy_*.py")) == sorted(ACTS)
    page = (EXAMPLES.parent / "docs" / "policies.md").read_text(encoding="utf-8")
    assert all(f"examples/{name}.py" in page for name in ACTS)


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_example_is_short_acts_and_its_run_repeats_without_it(name: str, tmp_path: Path) -> None:
    file = EXAMPLES / f"{name}.py"
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 30
    (policy,) = [line.split()[1].partition("(")[0] for line in text.splitlines() if line.startswith("class ")]
    wanted = runpy.run_path(str(file)).get("SET", [])
    run = seawall.replay(
        SMALL,
        accounts=2000,
        set=wanted,
        policy=load_policy(f"{file}:{policy}"),
        events="all",
        save=tmp_path / "run",
    )
    own = run.events.records[run.events["source"] == Source.POLICY]
    counts = {kind: int((own["kind"] == kind).sum()) for kind in ACTS[name]}
    print(counts)  # noqa: T201
    assert all(counts[kind] >= least for kind, least in ACTS[name].items())
    assert not (own["kind"] == EventKind.REJECTED).any()
    assert seawall.load_run(tmp_path / "run").repeat().digest == run.digest
    assert run.conservation["ok"]


@pytest.mark.parametrize("where", ["nothing.py:Policy", "nothing", f"{__file__}:Missing", f"{__file__}:SMALL"])
def test_a_policy_that_is_not_there_is_refused(where: str) -> None:
    with pytest.raises(PolicyError, match="policy: "):
        seawall.replay(SMALL, accounts=10, policy=load_policy(where))


EXTERNAL = [
    *TIGHT,
    *(f"venue.markets.{m}.adl.{row}" for m in ("BTC", "ETH") for row in ("method=external", "plan_fallback=pro_rata")),
]


class Planned(Policy):
    """Takes the candidates with the most profit first."""

    def __init__(self, answer: Callable[[AdlRound], Any] | None = None) -> None:
        self.answer = answer or (lambda asked: asked.queue(asked.candidates["profit"]))
        self.rounds: list[AdlRound] = []

    def adl_plan(self, asked: AdlRound) -> Any:
        self.rounds.append(asked)
        return self.answer(asked)


def test_a_policy_plans_auto_deleveraging_and_the_run_repeats_without_it(tmp_path: Path) -> None:
    policy = Planned()
    run = seawall.replay(SMALL, accounts=1000, set=EXTERNAL, policy=policy, save=tmp_path / "run")
    asked = run.events.of("adl_requested")
    planned = run.events.of("adl_planned")
    assert len(policy.rounds) == asked.height == planned.height >= 10
    assert [r.round for r in policy.rounds] == asked["round"].tolist() == list(range(1, asked.height + 1))
    assert not planned["fallback"].any()
    assert planned["qty"].sum() == run.events.of("adl_fill")["qty"].sum() > 0
    for round_, lots in zip(policy.rounds, planned["qty"], strict=True):
        caps = round_.candidates["cap"]
        assert lots == min(round_.lots, caps.sum())
        assert (caps <= round_.candidates["lots"]).all()
    assert seawall.load_run(tmp_path / "run").repeat().digest == run.digest
    assert run.conservation["ok"]
    # Without a policy the fallback decides; with one that has no plan, too.
    alone = seawall.replay(SMALL, accounts=1000, set=EXTERNAL)
    assert alone.events.of("adl_planned")["fallback"].all()
    assert alone.events.of("adl_planned").height
    masked = [
        run.events.records.copy() for run in (alone, seawall.replay(SMALL, accounts=1000, set=EXTERNAL, policy=Noted()))
    ]
    for records in masked:
        records["source"] = 0
    assert (masked[0] == masked[1]).all()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda asked: asked.candidates["cap"] * 0.5, "whole numbers of lots"),
        (lambda asked: np.full(asked.candidates.height, np.nan), "whole numbers of lots"),
        (lambda asked: asked.candidates["cap"][1:], "one per candidate"),
        (lambda asked: asked.candidates["cap"] + 1, r"must be 0 to \d+"),
        (lambda asked: -asked.candidates["cap"], r"must be 0 to \d+"),
        (lambda asked: {asked.account: 1}, "is no candidate"),
        (lambda asked: {int(asked.candidates["account"][0]): 0.5}, "must be whole lots"),
        (lambda asked: asked.queue(np.full(asked.candidates.height, np.nan)), "finite numbers"),
        (lambda asked: asked.lots // 0, "by zero"),
    ],
    ids=["float", "nan", "short", "beyond a cap", "negative", "stranger", "half a lot", "nan score", "raises"],
)
def test_a_plan_that_cannot_be_used_makes_the_venue_fall_back_and_is_told(
    answer: Callable[[AdlRound], Any], why: str
) -> None:
    with pytest.raises((PolicyError, ZeroDivisionError), match=why):
        seawall.replay(SMALL, accounts=1000, set=EXTERNAL, policy=Planned(answer))
    # In a session the venue goes on: the fallback was used, journaled, and money adds up.
    tape, profile = external_tape()
    venue, file = Venue(profile), io.BytesIO()
    session = Session(venue, policy=Planned(answer), journal=JournalWriter(venue, file))
    with pytest.raises((PolicyError, ZeroDivisionError), match=why):
        session.run(tape)
    planned = seawall.EventTable(session.take_events()).of("adl_planned")
    assert planned["fallback"].tolist() == [1]
    assert venue.adl_round() is None
    assert venue.audit()["ok"]
    assert seawall.replay_journal(file.getvalue()).venue.digest() == venue.digest()


@functools.cache
def external_tape() -> tuple[Records, Any]:
    """Return the commands of the world, without the plans, up to the first request."""
    scenario, profile = load_scenario(SMALL, set=EXTERNAL)
    world = world_of(scenario, profile, accounts=1000, journal=True)
    while not world.run_steps(1000):
        pass
    tape = world.take_journal()
    first = int(np.flatnonzero(tape["kind"] == CommandKind.PLAN_COMMIT)[0])
    return tape[:first], profile


def test_a_session_without_a_policy_stops_where_a_plan_is_awaited_and_a_snapshot_keeps_it() -> None:
    tape, profile = external_tape()
    venue = Venue(profile)
    ran = venue.run(tape)
    assert [f.trigger.kind for f in ran.fired] == ["adl_requested"]
    asked = venue.adl_round()
    assert asked is not None
    assert asked.round == ran.fired[0].value == 1
    refused = venue.apply(commands.deposit(at=venue.now, account=0, amount=1))
    assert refused["code"].tolist() == [Reject.AWAITING_PLAN]
    again = Venue.restore(venue.snapshot())
    lots = asked.queue(-asked.candidates["equity"])
    chosen = lots > 0
    plan = commands.plan(
        at=venue.now, market=asked.market, round=1, account=asked.candidates["account"][chosen], lots=lots[chosen]
    )
    assert (venue.apply(plan) == again.apply(plan)).all()
    assert venue.digest() == again.digest()
    assert venue.adl_round() is None
    broken = commands.plan(at=venue.now, market=asked.market, round=1, account=[0], lots=[1])
    assert set(venue.apply(broken)["code"]) == {Reject.NO_PLAN_AWAITED}


def test_the_queue_of_a_score_takes_the_highest_first_and_ties_by_account() -> None:
    table = Table({"account": np.array([3, 5, 7, 9]), "cap": np.array([2, 4, 4, 1])})
    asked = AdlRound(1, 0, 1, 0, 7, 100, 100, table)
    assert asked.queue([1, 5, 5, 9]).tolist() == [0, 4, 2, 1]
    assert asked.queue([1.5, 0.5, 0.5, 0.0]).tolist() == [2, 4, 1, 0]
    with pytest.raises(PolicyError, match="4 finite numbers"):
        asked.queue([1, 2])


BAND = (
    'venue.breakers=[{name = "halt", markets = ["BTC"], inclusive = false, '
    'ranges = [{reference = {type = "window", window = "5m"}, width = {type = "share", share = "0.03"}}], '
    'test = {type = "trade"}, action = {type = "interrupt", phase = "halted"}, exit = {after = "1m"}, '
    'rearm = {restart = true}}, {name = "band", markets = ["ETH"], '
    'ranges = [{reference = {type = "mark"}, width = {type = "share", share = "0.004"}}], '
    'test = {type = "entry"}, action = {type = "cap"}}]'
)


def test_a_run_is_explained_by_its_records(tmp_path: Path) -> None:
    file = tmp_path / "run.seawall"
    run = seawall.replay(SMALL, accounts=1000, set=[*TIGHT, BAND], policy=Pause(), save=file)
    trip = run.events.of("breaker_tripped")
    at = str(trip["at"][0]) + "Z"
    told = seawall.explain(seawall.load_run(file), at, window_ns=30 * SECOND)
    (words,) = [row["words"] for row in told.acted if row["what"] == "breaker_tripped"][:1]
    price, reference = (float(trip[name][0]) / 10 for name in ("price", "reference"))
    assert words.startswith(f"halt tripped on a trade at {price:,.1f}".removesuffix(".0"))
    assert f"{abs(price / reference - 1) * 100:.3f} % below" in words
    assert any(row["words"].endswith("(commanded by a policy)") for row in told.acted)
    stood = {row["market"]: row for row in told.markets}
    assert (stood["BTC"]["phase"], stood["BTC"]["by"]) == ("halted", "halt")
    near = (run.events["at"] >= told.at - 30 * SECOND) & (run.events["at"] <= told.at + 30 * SECOND)
    started = (run.events["kind"][near] == EventKind.LIQUIDATION_STARTED).sum()
    counted = {(row["market"], row["what"]): row.get("count") for row in told.happened}
    assert counted["every market", "liquidation_started"] == started > 0
    assert json.loads(json.dumps(told.to_dict()))["window_seconds"] == 30
    result = CliRunner().invoke(app, ["explain", str(file), "--at", at])
    assert result.exit_code == 0
    assert "halt tripped" in result.output
    again = CliRunner().invoke(app, ["replay-journal", str(file), "--json"])
    assert (again.exit_code, json.loads(again.output)["same"]) == (0, True)
    for when, why in (("yesterday", "write a time like"), ("2030-01-01", "has nothing within")):
        with pytest.raises(CommandError, match=why):
            seawall.explain(seawall.load_run(file), when)


def test_what_an_order_met_is_explained_from_a_bare_journal(tmp_path: Path) -> None:
    venue, file = Venue("reference", set=[BAND.removeprefix("venue.")]), tmp_path / "journal"
    with file.open("wb") as out:
        journal = JournalWriter(venue, out)
        batch = commands.batch(
            commands.open_account(at=1),
            commands.deposit(at=1, account=0, amount=10**12),
            commands.index(at=1, market=[0, 1], price=[600_000, 300_000]),
            commands.set_phase(at=1, market=[0, 1], phase=[Phase.PAUSE, Phase.CONTINUOUS]),
            commands.place(at=2, market=0, account=0, side=Side.BUY, price=[1, 2], qty=1),
            commands.place(at=3, market=1, account=0, side=Side.BUY, price=[299_999, 400_000], qty=1),
        )
        journal.write(batch)
        venue.apply(batch)
    told = seawall.explain(seawall.load_run(file), 2)
    assert [row["words"] for row in told.bounded] == [
        "band capped 1 buy orders at 301200 ticks, measured from 300000 ticks",
        "2 commands refused: its phase does not admit them",
    ]
    assert [row["phase"] for row in told.markets] == ["pause", "continuous"]
