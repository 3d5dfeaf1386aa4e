"""The recorded book as orders of one account in a venue, compared after every message."""

import time
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seawall import commands
from seawall.bare import bare_market, bare_venue
from seawall.commands import Records
from seawall.errors import ConfigError
from seawall.feed.book import HELD_MAX, LISTED_MAX, RecordedBook, Survey, Touched, look_over, take
from seawall.feed.messages import TYPES, FeedError, Message, Quote, Reader, Scale
from seawall.protocol import EventKind, OrderFlag, Reject, Side
from seawall.venue import Venue

_PRICE_MAX: Final = 1 << 24
"""The highest price, in ticks, of a market of the core."""
_QTY_MAX: Final = 1 << 61
"""Above every quantity in lots that a market of the core admits."""
_PROGRESS_EVERY: Final = 1000
Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of messages done and of all messages."""


class _Ladder:
    """The recording's ticks onto the venue's prices: one to one, in order, and equal wherever they fit.

    A recording may hold prices above the highest of a market. Then unused prices are left out, from the widest
    run of them first: what is above a cut moves down, and the distance of two prices on one side of it stays.
    """

    def __init__(self, path: Path, prices: Iterable[int]) -> None:
        used = sorted(set(prices))
        if len(used) > _PRICE_MAX:
            raise FeedError(
                f"{path}: {len(used)} prices are used; a market has at most {_PRICE_MAX}: cut the recording"
            )
        highest = used[-1] if used else 1
        excess = max(0, highest - _PRICE_MAX)
        runs = sorted(((low - high - 1, low) for high, low in zip([0, *used], used, strict=False)), key=_widest_first)
        cuts: list[tuple[int, int]] = []
        for width, start in runs:
            cut = min(width, excess)
            if cut:
                cuts.append((start, cut))
            excess -= cut
            if not excess:
                break
        cuts.sort()
        self.cuts = cuts
        """First price above each cut, and the ticks left out there."""
        self._starts = [start for start, _ in cuts]
        self._shifts = [0, *np.cumsum([cut for _, cut in cuts], dtype=np.int64).tolist()]
        self.price_max = highest - self._shifts[-1]

    def venue(self, ticks: int) -> int:
        """Return the venue's price."""
        return ticks - self._shifts[bisect_right(self._starts, ticks)] if self._starts else ticks

    def recorded(self, price: int) -> int:
        """Return the recording's ticks."""
        ticks = price
        for start, cut in self.cuts:
            if ticks + cut >= start:
                ticks += cut
        return ticks

    def arrays(self, levels: Mapping[int, int], *, descending: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the venue's prices, best first, and the quantities."""
        prices = np.fromiter(levels.keys(), np.int64, len(levels))
        qtys = np.fromiter(levels.values(), np.int64, len(levels))
        order = np.argsort(prices)
        order = order[::-1] if descending else order
        prices, qtys = prices[order], qtys[order]
        if self._starts:
            prices -= np.array(self._shifts, np.int64)[np.searchsorted(self._starts, prices, side="right")]
        return prices, qtys

    def levels(self, levels: dict[int, int]) -> dict[int, int]:
        """Return lots by the venue's price."""
        return {self.venue(p): q for p, q in levels.items()} if self._starts else levels


def _widest_first(run: tuple[int, int]) -> tuple[int, int]:
    return -run[0], run[1]


class _EventBook:
    """Levels and orders folded from the events of a market, without a look at its book."""

    def __init__(self) -> None:
        self.levels: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """Lots by price, bids and asks."""
        self.order_at: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """The order at each price; the street has one per level."""
        self.refusals: Counter[str] = Counter()
        self.fills = 0
        self._orders: dict[int, tuple[int, int, int]] = {}

    def take(self, events: Records) -> None:
        names = ("kind", "code", "side", "order", "price", "qty")
        for kind, code, side, order, price, qty in zip(*(events[name].tolist() for name in names), strict=True):
            if kind == EventKind.ACCEPTED:
                self._set(order, side, price, qty)
            elif kind == EventKind.REPLACED:
                self._change(order, -self._orders[order][2])
                self._set(order, side, price, qty)
            elif kind == EventKind.CANCELLED:
                self._change(order, -qty)
            elif kind == EventKind.FILL and order in self._orders:
                self.fills += 1
                self._change(order, -qty)
            elif kind == EventKind.REJECTED:
                self.refusals[Reject(code).name.lower()] += 1

    def _set(self, order: int, side: int, price: int, qty: int) -> None:
        self._orders[order] = (side, price, 0)
        self.order_at[side][price] = order
        self._change(order, qty)

    def _change(self, order: int, qty: int) -> None:
        side, price, was = self._orders[order]
        levels = self.levels[side]
        levels[price] = levels.get(price, 0) + qty
        self._orders[order] = (side, price, was + qty)
        if not levels[price]:
            del levels[price]
        if not was + qty:
            del self._orders[order]
            if self.order_at[side].get(price) == order:
                del self.order_at[side][price]


def _venue(survey: Survey, ladder: _Ladder) -> tuple[Venue, Records]:
    """Make a venue of one market in which the recording fits, and the commands that fund the street."""
    lots = max(1, *(sum(side.values()) for side in survey.peaks))
    lots_order = max((qty for side in survey.peaks for qty in side.values()), default=1)
    money = lots * ladder.price_max
    if max(lots, money) > _QTY_MAX:
        why = f"{lots} lots at {ladder.price_max} ticks are more than a venue can count; give a coarser lot"
        raise FeedError(f"{survey.path}: lot {survey.lot:f}: {why}")
    name = survey.symbol or "FEED"
    market = bare_market(name, price_max=ladder.price_max, lots=lots, order_qty_max=lots_order)
    orders = max(1, sum(map(len, survey.peaks)))
    config = bare_venue(f"feed {name}", market, accounts=1000, orders=orders, money=money)
    try:
        venue = Venue.from_config(config)
    except ConfigError as error:
        raise FeedError(f"{survey.path}: does not fit a market of the venue: {error}") from error
    opening = commands.batch(
        commands.open_account(at=survey.begin),
        commands.deposit(at=survey.begin, account=_STREET, amount=money),
    )
    return venue, opening


_STREET: Final = 0
"""The account whose orders are the recorded levels."""


@dataclass(frozen=True, repr=False)
class FeedRun:
    """A replayed recording."""

    path: Path
    """The recording."""
    symbol: str
    """Symbol; empty where no message names one."""
    market: str
    """``usd-m``, ``coin-m``, ``spot``, ``futures`` (trades alone do not say which), or empty: a snapshot alone."""
    tick: Decimal
    """Price of one tick."""
    lot: Decimal
    """Size of one lot."""
    messages: int
    """Messages read."""
    by_type: dict[str, int]
    """Messages by type."""
    commands: int
    """Commands sent to the venue."""
    events: int
    """Events that came back."""
    index_updates: int
    """Index prices among the commands."""
    checked: bool
    """Whether the books were compared."""
    levels_compared: int
    """Levels of the venue compared with the plain book, summed over the messages."""
    mismatches: int
    """Levels that differed, in the venue's depth or in the fold of its events."""
    differences: tuple[dict[str, Any], ...]
    """The first of them."""
    quotes_compared: int
    """Recorded best bids and offers that were compared with the venue's, by update id."""
    quotes_differing: int
    """Those that differed. The recording contradicts itself there, or began with a book that nobody knows."""
    refusals: dict[str, int]
    """Commands that the venue refused, by reject code."""
    fills: int
    """Fills of the street's orders; the street never trades, so 0 unless something is wrong."""
    sequence: dict[str, Any]
    """What was held, stale, missing or crossed; see docs/feeds.md."""
    touch: dict[str, str | None]
    """Best bid and offer at the end, from the plain book."""
    levels_at_end: dict[str, int]
    """Levels at the end."""
    digest: str
    """Digest of the venue's state at the end: the same for the same recording, everywhere."""
    seconds: float
    """Time from the first message to the last: reading, replaying and, if asked, comparing."""
    venue: Venue
    """The venue after the last message."""
    street: int
    """Account of the street."""
    _ladder: _Ladder

    @property
    def ok(self) -> bool:
        """Whether the venue took every command and no level differed."""
        return not self.mismatches and not self.refusals and not self.fills

    @property
    def messages_per_second(self) -> float:
        """Messages by `seconds`."""
        return self.messages / self.seconds if self.seconds else 0.0

    def price(self, ticks: int) -> Decimal:
        """Return the recorded price of a price of the venue."""
        return self._ladder.recorded(ticks) * self.tick

    def to_dict(self) -> dict[str, Any]:
        """Return the result without the venue, ready for JSON."""
        return {
            "file": str(self.path),
            "symbol": self.symbol,
            "market": self.market or "unknown",
            "tick": f"{self.tick:f}",
            "lot": f"{self.lot:f}",
            "price_cuts": [{"from": f"{start * self.tick:f}", "ticks": cut} for start, cut in self._ladder.cuts],
            "messages": self.messages,
            "by_type": self.by_type,
            "commands": self.commands,
            "events": self.events,
            "index_updates": self.index_updates,
            "checked": self.checked,
            "ok": self.ok,
            "levels_compared": self.levels_compared,
            "mismatches": self.mismatches,
            "differences": list(self.differences),
            "quotes_compared": self.quotes_compared,
            "quotes_differing": self.quotes_differing,
            "refusals": self.refusals,
            "fills": self.fills,
            **self.sequence,
            "levels_at_end": self.levels_at_end,
            "touch_at_end": self.touch,
            "digest": self.digest,
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(self.messages_per_second, 1),
        }

    def __repr__(self) -> str:
        """Return file, messages and outcome."""
        return f"FeedRun({self.path.name}: {self.messages} messages, {self.mismatches} mismatches)"


_Touch: TypeAlias = tuple[int, int, int, int]
"""Best bid, its quantity, best offer, its quantity."""


class _Quotes:
    """Compares the book's touch with the quotes of the recording, by update id.

    The quote that belongs to a book is the last one up to the book's update id. Quotes come before the updates or
    after them, so a touch waits until a quote with a higher id shows that no other can come.
    """

    def __init__(self) -> None:
        self.compared = 0
        self.differing = 0
        self._waiting: deque[tuple[int, _Touch]] = deque(maxlen=HELD_MAX)
        self._recent: deque[tuple[int, _Touch]] = deque(maxlen=HELD_MAX)

    def touch(self, update: int, touch: _Touch) -> None:
        """Note the touch of the book as of an update id."""
        self._waiting.append((update, touch))
        self._settle()

    def quote(self, quote: Quote) -> None:
        """Note a recorded quote."""
        self._recent.append((quote.update, (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty)))
        self._settle()

    def _settle(self) -> None:
        while self._waiting and self._recent and self._waiting[0][0] < self._recent[-1][0]:
            update, touch = self._waiting.popleft()
            quoted = next((quoted for quote, quoted in reversed(self._recent) if quote <= update), None)
            if quoted is not None:
                self.compared += 1
                self.differing += touch != quoted


class _Replay:
    """One recording on its way through a venue."""

    def __init__(self, survey: Survey, index_every_ns: int) -> None:
        self.ladder = _Ladder(survey.path, (price for side in survey.peaks for price in side))
        self.venue, opening = _venue(survey, self.ladder)
        self.book = RecordedBook(seeded=survey.seeded)
        self.fold = _EventBook()
        self.commands = self.events = self.index_updates = 0
        self.levels_compared = self.mismatches = 0
        self.differences: list[dict[str, Any]] = []
        self.quotes = _Quotes()
        self._index_every_ns = index_every_ns
        self._index_at: int | None = None
        self._expected: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._apply(opening)

    def take(self, message: Message, path: Path) -> bool:
        """Bring one message into both books; True if it may have changed them."""
        touched = take(self.book, message, path)
        batch = self._index(message.received) + self._orders(message.received, touched)
        if batch:
            self._apply(commands.batch(*batch))
        return bool(touched[0] or touched[1])

    def _apply(self, batch: Records) -> None:
        events = self.venue.apply(batch)
        self.commands += len(batch)
        self.events += len(events)
        self.fold.take(events)

    def _index(self, at: int) -> list[Records]:
        """Return an index at the middle of the plain book, if one is due."""
        if self._index_at is not None and at - self._index_at < self._index_every_ns:
            return []
        bid, ask = max(self.book.bids, default=None), min(self.book.asks, default=None)
        known = [self.ladder.venue(price) for price in (bid, ask) if price is not None]
        if not known:
            return []
        self._index_at = at
        self.index_updates += 1
        return [commands.index(at=at, market=0, price=sum(known) // len(known))]

    def _orders(self, at: int, touched: Touched) -> list[Records]:
        """Return the commands that make the street's orders the recorded levels.

        What leaves or shrinks comes first. So after each command the street's levels are a part of the old book or
        of the new one, neither of which is crossed, and no order can meet another.
        """
        gone: list[int] = []
        less: list[tuple[int, int, int]] = []
        more: list[tuple[int, int, int]] = []
        new: list[tuple[int, int, int]] = []
        for side, (levels, prices) in enumerate(zip((self.book.bids, self.book.asks), touched, strict=True)):
            have, order_at = self.fold.levels[side], self.fold.order_at[side]
            for ticks in sorted(prices):
                want = levels.get(ticks, 0)
                price = self.ladder.venue(ticks)
                has = have.get(price, 0)
                if want == has:
                    continue
                if not has:
                    new.append((side, price, want))
                elif not want:
                    gone.append(order_at[price])
                else:
                    (less if want < has else more).append((order_at[price], price, want))
        who: dict[str, int] = {"at": at, "market": 0, "account": _STREET}
        batch: list[Records] = []
        if gone:
            batch.append(commands.cancel(**who, order=gone))
        for rows in (less, more):
            if rows:
                orders, prices_, qtys = zip(*rows, strict=True)
                batch.append(commands.replace(**who, order=orders, price=prices_, qty=qtys))
        if new:
            sides, prices_, qtys = zip(*new, strict=True)
            batch.append(commands.place(**who, side=sides, price=prices_, qty=qtys, flags=OrderFlag.POST_ONLY))
        return batch

    def compare(self, message: Message, *, changed: bool) -> None:
        """Compare all levels of both sides with the plain book, and the touch with the recorded quotes."""
        line = message.line
        if changed or not self._expected:
            self._expected = [
                self.ladder.arrays(self.book.bids, descending=True),
                self.ladder.arrays(self.book.asks, descending=False),
            ]
            for side, levels in enumerate((self.book.bids, self.book.asks)):
                expected = self.ladder.levels(levels)
                if self.fold.levels[side] != expected:
                    self._differ(line, side, expected, self.fold.levels[side], "events")
        # One level more than there should be, so that a surplus shows.
        most = max(len(prices) for prices, _ in self._expected) + 1
        depth = self.venue.depth(0, levels=most)
        for side, (prices, qtys) in enumerate(self._expected):
            table = depth["asks" if side else "bids"]
            self.levels_compared += max(len(prices), table.height)
            if not np.array_equal(table["price"], prices) or not np.array_equal(table["qty"], qtys):
                expected = dict(zip(prices.tolist(), qtys.tolist(), strict=True))
                found = dict(zip(table["price"].tolist(), table["qty"].tolist(), strict=True))
                self._differ(line, side, expected, found, "depth")
        if isinstance(message, Quote):
            self.quotes.quote(message)
        elif changed and depth["bids"].height and depth["asks"].height and self.book.last is not None:
            bid, bid_qty, ask, ask_qty = (int(depth[s][c][0]) for s in ("bids", "asks") for c in ("price", "qty"))
            touch = (self.ladder.recorded(bid), bid_qty, self.ladder.recorded(ask), ask_qty)
            self.quotes.touch(self.book.last, touch)

    def _differ(self, line: int, side: int, expected: dict[int, int], found: dict[int, int], where: str) -> None:
        for price in sorted(expected.keys() | found.keys()):
            if expected.get(price) == found.get(price):
                continue
            self.mismatches += 1
            if len(self.differences) < LISTED_MAX:
                row = {"line": line, "in": where, "side": Side(side).name.lower(), "price": price}
                self.differences.append(row | {"expected": expected.get(price, 0), "found": found.get(price, 0)})


def replay(
    path: str | Path,
    *,
    check: bool = True,
    tick: str | Decimal | None = None,
    lot: str | Decimal | None = None,
    index_every_ns: int = 1_000_000_000,
    progress: Progress | None = None,
) -> FeedRun:
    """Let the depth of a recording stand in a venue, and compare it with a plain book after every message.

    One account, the street, holds one order per recorded level. The recording is read twice: once for its units
    and limits, once to replay it.

    Parameters
    ----------
    path, tick, lot
        As for `read`.
    check
        Compare all levels of both sides after every message.
    index_every_ns
        Least time between two index prices; the index is the middle of the recorded book.
    progress
        Called now and then with the messages done and all messages.

    Returns
    -------
    FeedRun
        Counts, figures and the venue; `FeedRun.ok` says whether everything agreed.

    Raises
    ------
    FeedError
        For what cannot be read or does not fit a market; names file, line, field and remedy.
    """
    if index_every_ns < 0:
        raise FeedError(f"index_every_ns: {index_every_ns}: must not be negative")
    survey = look_over(Path(path), tick=tick, lot=lot)
    run = _Replay(survey, index_every_ns)
    reader = Reader(survey.path, Scale.prices(survey.tick), Scale.quantities(survey.lot))
    begin = time.perf_counter()
    done = 0
    for message in reader:
        changed = run.take(message, survey.path)
        if check:
            run.compare(message, changed=changed)
        done += 1
        if progress is not None and done % _PROGRESS_EVERY == 0 and done < survey.messages:
            progress(done, survey.messages)
    seconds = time.perf_counter() - begin
    if progress is not None:
        progress(done, survey.messages)
    if done != survey.messages:
        raise FeedError(
            f"{path}: had {survey.messages} messages at first and {done} now; replay a file that is complete"
        )
    return FeedRun(
        path=survey.path,
        symbol=survey.symbol,
        market=survey.market,
        tick=survey.tick,
        lot=survey.lot,
        messages=done,
        by_type={name: survey.counts[name] for name in TYPES.values() if survey.counts[name]},
        commands=run.commands,
        events=run.events,
        index_updates=run.index_updates,
        checked=check,
        levels_compared=run.levels_compared,
        mismatches=run.mismatches,
        differences=tuple(run.differences),
        quotes_compared=run.quotes.compared,
        quotes_differing=run.quotes.differing,
        refusals=dict(run.fold.refusals),
        fills=run.fold.fills,
        sequence=run.book.counts(),
        touch=survey.touch(run.book),
        levels_at_end={"bids": len(run.book.bids), "asks": len(run.book.asks)},
        digest=run.venue.digest(),
        seconds=seconds,
        venue=run.venue,
        street=_STREET,
        _ladder=run.ladder,
    )


# The command line
