"""What rules did around a moment of a saved run, in words: from its records and its configuration alone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

import numpy as np

from seawall.commands import Records
from seawall.errors import CommandError
from seawall.models.exact import iso
from seawall.policy import MINUTE
from seawall.protocol import (
    EVENT_COLUMNS,
    NO_MARKET,
    Bounding,
    EventKind,
    FillFlag,
    LiquidationEnd,
    Phase,
    Reject,
    RuleParameter,
    RuleTest,
    Side,
    Source,
)
from seawall.saved import SavedRun

__all__ = ["Explanation", "explain"]

_SINGLE: Final = {
    EventKind.BREAKER_TRIPPED,
    EventKind.PHASE_CHANGED,
    EventKind.UNCROSSED,
    EventKind.DRAWDOWN_CHANGED,
    EventKind.INDEX_STATE,
    EventKind.RULE_SET,
}
"""Kinds that are told one by one; kinds of what happens to accounts are counted."""

_COUNTED: Final = range(500, 700)
"""Numbers of the kinds of events that tell what happened to accounts and funds."""
_REFUSALS: Final = {
    Reject.PHASE_REFUSES: "its phase does not admit them",
    Reject.BAND_REFUSES: "a band refuses them",
    Reject.NOT_REDUCING: "they would not make a position smaller",
    Reject.AWAITING_PLAN: "a plan of auto-deleveraging is awaited",
}
_ASKED: Final = {
    RuleTest.TRADE: "on a trade at",
    RuleTest.MARK: "on a mark of",
    RuleTest.ENTRY: "on an order at",
    RuleTest.COMMAND: "by a command, at",
    RuleTest.QUOTE: "on a bid or offer at",
    RuleTest.AUCTION: "on an auction at",
    RuleTest.INDEX: "on an index of",
}
"""What a breaker was asked about, before its price."""

_COUNTS: Final = {
    "liquidations": "liquidation orders came to",
    "liquidated": "liquidation orders traded",
    "deleveraged": "auto-deleveraging closed",
    "fund_paid": "the fund paid",
    "drawdowns": "drawdowns of the fund came to",
}
"""What a breaker counts, before the count."""


@dataclass(frozen=True)
class Explanation:
    """What rules did around a moment."""

    at: int
    """The moment, in nanoseconds."""
    window_ns: int
    """How far before and after it was looked."""
    markets: list[dict[str, Any]]
    """Each market as it stood: phase, since when, until when, by whom, prices."""
    acted: list[dict[str, Any]]
    """What rules did, in order of time, each with its numbers and a sentence under ``words``."""
    bounded: list[dict[str, Any]]
    """Orders that were refused, capped or stopped, by market, rule and side."""
    happened: list[dict[str, Any]]
    """What happened to accounts and funds, by market: counts and sums."""

    def to_dict(self) -> dict[str, Any]:
        """Return the object that ``seawall explain --json`` prints."""
        return {
            "at": iso(self.at),
            "window_seconds": self.window_ns / 10**9,
            "markets": self.markets,
            "acted": self.acted,
            "bounded": self.bounded,
            "happened": self.happened,
        }


def explain(
    run: SavedRun, at: str | int, *, window_ns: int = MINUTE, progress: Callable[[int, int], object] | None = None
) -> Explanation:
    """Say which rules acted around a moment, from which reference, with which bounds, and what they did.

    Parameters
    ----------
    run
        A saved run; see `seawall.load_run`. It is applied anew.
    at
        Nanoseconds, or a time like ``2025-10-10T21:15:00Z``; without a zone it is UTC.
    window_ns
        How far before and after the moment to look.
    progress
        Called now and then with the number of commands applied and of all.

    Raises
    ------
    CommandError
        If the time cannot be read, or the run has nothing around it.
    JournalError
        If the file was damaged.
    """
    moment = _time(at)
    if window_ns <= 0:
        raise CommandError(f"window: {window_ns}: must be positive")
    again = run.repeat(events="risk", around=(moment - window_ns, moment + window_ns), progress=progress)
    config = json.loads(again.venue._core.config())  # noqa: SLF001 - the same package
    events = again.events
    near = events[(events["at"] >= moment - window_ns) & (events["at"] <= moment + window_ns)]
    if not len(near):
        last = iso(again.venue.now)
        raise CommandError(f"at: {at}: the run has nothing within {window_ns / 10**9:g} s of it; it ends at {last}")
    words = _Words(run, config, events)
    return Explanation(
        moment,
        window_ns,
        [words.market(number, events, moment) for number in range(len(config["markets"]))],
        [words.act(event) for event in near if event["kind"] in _SINGLE],
        list(words.bounded(near)),
        list(words.happened(near)),
    )


def _time(at: str | int) -> int:
    if isinstance(at, int):
        return at
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        raise CommandError(f"at: {at!r}: write a time like 2025-10-10T21:15:00Z") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    past = when - datetime.fromtimestamp(0, UTC)
    return (past.days * 86_400 + past.seconds) * 10**9 + past.microseconds * 1000


class _Words:
    """Names, prices and sentences of one run."""

    def __init__(self, run: SavedRun, config: dict[str, Any], events: Records) -> None:
        self._run = run
        self._trips = events[events["kind"] == EventKind.BREAKER_TRIPPED]
        self._changes = events[events["kind"] == EventKind.PHASE_CHANGED]
        self._markets = [market["name"] for market in config["markets"]]
        self._rules: list[str] = [rule["name"] for rule in config["breakers"]]
        self._tests = [rule["test"] for rule in config["breakers"]]
        self._unit = 10 ** config["assets"][0]["decimals"]
        self._asset = config["assets"][0]["name"]
        self._ticks = [market.get("tick_value") for market in config["markets"]]

    def name(self, market: int) -> str:
        return "every market" if market == NO_MARKET else self._markets[market]

    def price(self, market: int, ticks: int) -> str:
        price = self._run.price(market, int(ticks))
        return f"{int(ticks)} ticks" if price is None else _decimal(price)

    def money(self, minor: int) -> str:
        return f"{Fraction(int(minor), self._unit).__float__():,.2f} {self._asset}"

    def market(self, number: int, events: Records, moment: int) -> dict[str, Any]:
        """Say how a market stood."""
        past = events[(events["market"] == number) & (events["at"] <= moment)]
        changes = past[past["kind"] == EventKind.PHASE_CHANGED]
        marks = past[past["kind"] == EventKind.MARKED]
        row: dict[str, Any] = {"market": self._markets[number], "phase": None, "since": None, "until": None, "by": None}
        if len(changes):
            last = changes[-1]
            row["phase"] = Phase(int(last["code"])).name.lower()
            row["since"] = iso(int(last["at"]))
            row["until"] = iso(int(last["amount"])) if last["amount"] else None
            row["by"] = self._cause(last) or Source(int(last["source"])).name.lower()
        row["mark"] = self.price(number, marks[-1]["price"]) if len(marks) else None
        row["index"] = self.price(number, marks[-1]["amount"]) if len(marks) else None
        return row

    def _cause(self, change: Any) -> str | None:  # noqa: ANN401 - one record
        """Name the rule that put a market in a phase: by the last trip before it in its step, or as what follows."""
        here, phase = int(change["market"]), Phase(int(change["code"]))
        if phase in (Phase.CONTINUOUS, Phase.PRE_OPEN):
            return None
        same = (self._trips["at"] == change["at"]) & (self._trips["source"] == change["source"])
        trips = self._trips[same & (self._trips["seq"] < change["seq"])]
        own = trips[trips["market"] == here]
        if len(own):
            return self._rules[int(own[-1]["code"])]
        if len(trips):
            return f"{self._rules[int(trips[-1]['code'])]} in {self.name(int(trips[-1]['market']))}"
        earlier = self._changes[(self._changes["market"] == here) & (self._changes["seq"] < change["seq"])]
        ended = len(earlier) > 0 and 0 < earlier[-1]["amount"] <= change["at"]
        return self._cause(earlier[-1]) if ended else None

    def act(self, event: Any) -> dict[str, Any]:  # noqa: ANN401 - one record
        """Say what one event tells."""
        kind, market = EventKind(int(event["kind"])), int(event["market"])
        source = Source(int(event["source"])).name.lower()
        row: dict[str, Any] = {"at": iso(int(event["at"])), "market": self.name(market), "what": kind.name.lower()}
        row |= {name: int(event[field]) for name, field in EVENT_COLUMNS[kind].items() if field != "market"}
        row["source"] = source
        if kind == EventKind.BREAKER_TRIPPED:
            row["words"] = self._tripped(event, row)
        elif kind == EventKind.PHASE_CHANGED:
            row["words"] = self._phase(event, source)
        elif kind == EventKind.RULE_SET:
            rule, what = self._rules[int(event["code"])], RuleParameter(int(event["flags"])).name.lower()
            row["words"] = f"{rule}: {what} set to {int(event['amount'])} by {source}"
        elif kind == EventKind.UNCROSSED:
            row["words"] = f"auction at {self.price(market, row['price'])}: {row['qty']:,} lots"
        else:
            facts = ", ".join(f"{name} {row[name]}" for name in EVENT_COLUMNS[kind] if name in row)
            row["words"] = f"{kind.name.lower().replace('_', ' ')}: {facts}"
        return row

    def _tripped(self, event: Any, row: dict[str, Any]) -> str:  # noqa: ANN401
        market, rule = int(event["market"]), self._rules[int(event["code"])]
        price, reference = int(event["price"]), int(event["qty"])
        row["rule_name"] = rule
        asked = RuleTest(int(event["flags"]))
        row["asked"] = asked.name.lower()
        if asked == RuleTest.COUNT:
            of = str(self._tests[int(event["code"])]["of"])
            is_number = of in {"liquidations", "drawdowns"}
            counted, least = (f"{n:,}" if is_number else self.money(n) for n in (price, reference))
            text = f"{rule} tripped: {_COUNTS[of]} {counted}, {least} or more trips it"
        elif asked in (RuleTest.DEPTH, RuleTest.PENDING):
            text = f"{rule} tripped: {self._depth(event)}"
        elif asked == RuleTest.GAP:
            text = f"{rule} tripped: {price / 1e9:g} s without a command, {reference / 1e9:g} s or more trips it"
        else:
            text = f"{rule} tripped {_ASKED[asked]} {self.price(market, price)}"
            if reference:
                move = Fraction(price - reference, reference) * 100
                text += f", {abs(float(move)):.3f} % {'below' if move < 0 else 'above'} {self.price(market, reference)}"
        lower, upper = int(event["order"]), int(event["account"])
        if lower or upper:
            low, high = (self.price(market, bound) if bound else "any" for bound in (lower, upper))
            text += f"; inside is {low} to {high}"
        until = int(event["amount"])
        return text + (f"; until {iso(until)}" if until else "; until it is ended")

    def _depth(self, event: Any) -> str:  # noqa: ANN401
        """Say what the book showed, and what a rule held it against."""
        test, side = self._tests[int(event["code"])], "bids" if Side(int(event["side"])) == Side.BUY else "asks"
        found, limit = int(event["price"]), int(event["qty"])
        near = f"{side} within {test['width_ppm'] / 1e4:g} % of the mark"
        if test["type"] == "pending":
            lots = f"{found:,} lots of accounts in liquidation wait for {near}"
            return f"{lots}, more than {limit:,} ({test['share_ppm'] / 1e4:g} % of what they show) trips it"
        below = test["below"]
        if below["type"] == "value":
            return f"{near} show {self.money(found)}, less than {self.money(limit)} trips it"
        share = f"{below['share_ppm'] / 1e4:g} % of the mean of {below['window_ns'] / 1e9:g} s"
        return f"{near} show {found:,} lots, less than {limit:,} ({share}) trips it"

    def _phase(self, event: Any, source: str) -> str:  # noqa: ANN401
        before, after = (Phase(int(event[field])).name.lower() for field in ("flags", "code"))
        text = f"{after} extended" if before == after else f"{before} to {after}"
        text += f", until {iso(int(event['amount']))}" if event["amount"] else ""
        rule = self._cause(event)
        text += f", by {rule}" if rule else ""
        return text + (" (commanded by a policy)" if source == "policy" else "")

    def _span(self, market: int, values: list[int]) -> str:
        return " to ".join(dict.fromkeys(self.price(market, value) for value in values))

    def bounded(self, near: Records) -> Iterator[dict[str, Any]]:
        """Count the orders that were refused, capped or stopped."""
        held = near[near["kind"] == EventKind.ORDER_BOUNDED]
        for market, rule, what, side in _groups(held, "market", "code", "flags", "side"):
            of = held[_where(held, market=market, code=rule, flags=what, side=side)]
            bounds, references = ([int(of[field].min()), int(of[field].max())] for field in ("price", "amount"))
            at, base = (self._span(market, values) for values in (bounds, references))
            verb, name, direction = Bounding(what).name.lower(), self._rules[rule], Side(side).name.lower()
            yield {
                "market": self.name(market),
                "what": verb,
                "rule": name,
                "side": direction,
                "orders": len(of),
                "bounds": bounds,
                "references": references,
                "words": f"{name} {verb} {len(of)} {direction} orders at {at}, measured from {base}",
            }
        refused = near[near["kind"] == EventKind.REJECTED]
        for reject, why in _REFUSALS.items():
            of_code = refused[refused["code"] == reject]
            for (market,) in _groups(of_code, "market"):
                count = int(_where(of_code, market=market).sum())
                yield {
                    "market": self.name(market),
                    "what": reject.name.lower(),
                    "orders": count,
                    "words": f"{count} commands refused: {why}",
                }

    def happened(self, near: Records) -> Iterator[dict[str, Any]]:
        """Count what happened to accounts and funds."""
        closing = near[(near["kind"] == EventKind.FILL) & ((near["flags"] & FillFlag.LIQUIDATION) != 0)]
        for (market,) in _groups(closing, "market"):
            of = closing[_where(closing, market=market)]
            words = f"liquidation orders filled {int(of['qty'].sum()):,} lots in {len(of)} fills"
            if tick := self._ticks[market]:
                value = sum(int(p) * int(q) for p, q in zip(of["price"], of["qty"], strict=True)) * tick
                words += f", {self.money(value)}"
            yield {"market": self.name(market), "what": "liquidation_fill", "count": len(of), "words": words}
        for kind, market in _groups(near, "kind", "market"):
            if kind not in _COUNTED:
                continue
            of = near[_where(near, kind=kind, market=market)]
            name = EventKind(kind).name.lower()
            row: dict[str, Any] = {"market": self.name(market), "what": name, "count": len(of)}
            row["words"] = f"{name.replace('_', ' ')}: {len(of)}"
            columns = EVENT_COLUMNS[EventKind(kind)]
            for column, field in columns.items():
                if column in {"qty", "sold"}:
                    row["lots"] = int(of[field].sum())
                    row["words"] += f", {row['lots']:,} lots"
                elif column in {"amount", "given_up", "uncovered"}:
                    row["minor_units"] = int(of[field].sum())
                    row["words"] += f", {self.money(row['minor_units'])}"
                elif column == "end":
                    ends = np.bincount(of[field], minlength=4)
                    told = ", ".join(f"{ends[end]} {end.name.lower()}" for end in LiquidationEnd if ends[end])
                    row["words"] += f" ({told})"
            yield row


def _groups(records: Records, *fields: str) -> list[tuple[int, ...]]:
    """Return the combinations of some fields that there are, in order."""
    return sorted({tuple(int(record[field]) for field in fields) for record in records[list(fields)]})


def _where(records: Records, **values: int) -> Any:  # noqa: ANN401 - a mask
    mask = np.ones(len(records), dtype=bool)
    for field, value in values.items():
        mask &= records[field] == value
    return mask


def _decimal(value: Fraction) -> str:
    return f"{float(value):,.10f}".rstrip("0").rstrip(".")
