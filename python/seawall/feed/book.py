"""The recorded book: the exchange's rules of sequence, a plain dictionary, and a first look at a whole file."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from seawall.feed.messages import (
    FINEST,
    TYPES,
    DepthSnapshot,
    DepthUpdate,
    FeedError,
    Gap,
    Message,
    Reader,
    Scale,
    lines,
)

HELD_MAX: Final = 10_000
"""Most updates kept while a snapshot is waited for."""
LISTED_MAX: Final = 20
"""Most gaps, and most differences, that are listed; all are counted."""
Touched: TypeAlias = tuple[set[int], set[int]]
"""The prices of bids and of asks that a message changed."""


class RecordedBook:
    """A plain dictionary book under the exchange's rules of sequence.

    Parameters
    ----------
    seeded
        Whether the recording has a snapshot. If so, updates before it are held and applied after it as far as it
        does not contain them; if not, the book begins empty and a level appears when it first changes.

    Examples
    --------
    >>> from seawall.feed import DepthSnapshot, DepthUpdate, RecordedBook
    >>> book = RecordedBook(seeded=True)
    >>> early = DepthUpdate(1, 10, 9, 5, 8, None, [(99, 0)], [(101, 6)])
    >>> snapshot = DepthSnapshot(2, 11, 7, [(98, 1), (99, 2)], [(101, 5)])
    >>> book.take(early), book.bids  # held: there is no book yet that it could change
    ((set(), set()), {})
    >>> touched = book.take(snapshot)
    >>> book.bids, book.asks  # the snapshot, and then the update, of which it does not know the end
    ({98: 1}, {101: 6})
    """

    def __init__(self, *, seeded: bool) -> None:
        self.bids: dict[int, int] = {}
        """Lots by price in ticks."""
        self.asks: dict[int, int] = {}
        """Lots by price in ticks."""
        self.last: int | None = None
        """Id of the last update."""
        self.held = 0
        """Updates that waited for the first snapshot."""
        self.stale = 0
        """Updates and snapshots that the book already contained, and that were skipped."""
        self.gaps = 0
        """Places where updates are missing."""
        self.gap_list: list[Gap] = []
        """The first of them."""
        self.crossed_messages = 0
        """Updates that crossed levels of the other side."""
        self.crossed_levels = 0
        """Levels removed because of that."""
        self._waiting = seeded
        self._broken = False
        self._bridging = False
        self._kept: deque[DepthUpdate] = deque(maxlen=HELD_MAX)

    def take(self, message: Message) -> Touched:
        """Apply a message and return the prices of which the quantity may have changed.

        Raises
        ------
        FeedError
            If the message itself is crossed.
        """
        touched: Touched = (set(), set())
        if isinstance(message, DepthUpdate):
            if self._waiting:
                self.held += 1
                self._kept.append(message)
            else:
                self._update(message, touched)
        elif isinstance(message, DepthSnapshot):
            self._snapshot(message, touched)
        return touched

    def _snapshot(self, message: DepthSnapshot, touched: Touched) -> None:
        in_step = not self._waiting and not self._broken
        if in_step and self.last is not None and message.last <= self.last:
            self.stale += 1
            return
        bids, asks = ({p: q for p, q in rows if q} for rows in (message.bids, message.asks))
        if bids and asks and max(bids) >= min(asks):
            raise FeedError(f"line {message.line}: bids, asks: the snapshot is crossed; leave it out")
        for levels, new, prices in ((self.bids, bids, touched[0]), (self.asks, asks, touched[1])):
            prices.update(levels, new)
            levels.clear()
            levels.update(new)
        self.last, self._bridging = message.last, True
        self._waiting = self._broken = False
        kept = list(self._kept)
        self._kept.clear()
        for update in kept:
            self._update(update, touched)

    def _update(self, message: DepthUpdate, touched: Touched) -> None:
        if self.last is not None:
            # Derivatives: the update that ends where the snapshot does is the first to be applied.
            overlaps = self._bridging and message.previous is not None and message.final == self.last
            if message.final <= self.last and not overlaps:
                self.stale += 1
                return
            before = message.first - 1 if message.previous is None else message.previous
            if before > self.last:
                self._note(Gap(message.line, self.last, before))
        self.last, self._bridging = message.final, False
        if self._broken:
            self._kept.append(message)
        self._apply(message, touched)

    def _note(self, gap: Gap) -> None:
        self._broken = True
        self.gaps += 1
        if len(self.gap_list) < LISTED_MAX:
            self.gap_list.append(gap)

    def _apply(self, message: DepthUpdate, touched: Touched) -> None:
        for levels, rows, prices in ((self.bids, message.bids, touched[0]), (self.asks, message.asks, touched[1])):
            for price, qty in rows:
                prices.add(price)
                if qty:
                    levels[price] = qty
                else:
                    levels.pop(price, None)
        bids = {price for price, _ in message.bids if price in self.bids}
        asks = {price for price, _ in message.asks if price in self.asks}
        if bids and asks and max(bids) >= min(asks):
            raise FeedError(f"line {message.line}: b, a: the update is crossed; the line may be damaged")
        # A new level proves that what it crosses on the other side is gone: an exchange would have matched them.
        out = self.crossed_levels
        if bids and self.asks and min(self.asks) <= max(bids):
            self._drop(self.asks, [p for p in self.asks if p <= max(bids)], touched[1])
        if asks and self.bids and max(self.bids) >= min(asks):
            self._drop(self.bids, [p for p in self.bids if p >= min(asks)], touched[0])
        self.crossed_messages += self.crossed_levels > out

    def _drop(self, levels: dict[int, int], prices: list[int], touched: set[int]) -> None:
        touched.update(prices)
        self.crossed_levels += len(prices)
        for price in prices:
            del levels[price]

    def counts(self) -> dict[str, Any]:
        """Return what the rules of sequence counted."""
        return {
            "held": self.held,
            "stale": self.stale,
            "gaps": self.gaps,
            "first_gaps": [gap._asdict() for gap in self.gap_list],
            "crossed_messages": self.crossed_messages,
            "crossed_levels": self.crossed_levels,
        }


# The first pass


@dataclass
class Survey:
    """What one pass over a recording finds; prices and quantities in ticks and lots."""

    path: Path
    tick: Decimal
    lot: Decimal
    symbol: str = ""
    market: str = ""
    seeded: bool = False
    begin: int = 0
    end: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    book: RecordedBook = field(default_factory=lambda: RecordedBook(seeded=False))
    peaks: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))
    """The greatest quantity that ever stood at each price, bids and asks."""
    levels_max: int = 0

    @property
    def messages(self) -> int:
        """Return the number of messages."""
        return self.counts.total()

    def price(self, ticks: int) -> str:
        """Return ticks as a decimal price."""
        return f"{ticks * self.tick:f}"

    def qty(self, lots: int) -> str:
        """Return lots as a decimal quantity."""
        return f"{lots * self.lot:f}"

    def touch(self, book: RecordedBook) -> dict[str, str | None]:
        """Return the best bid and offer of a book as decimals."""
        bid, ask = max(book.bids, default=None), min(book.asks, default=None)
        return {
            "bid": None if bid is None else self.price(bid),
            "bid_qty": None if bid is None else self.qty(book.bids[bid]),
            "ask": None if ask is None else self.price(ask),
            "ask_qty": None if ask is None else self.qty(book.asks[ask]),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what is in the file."""
        prices = [price for side in self.peaks for price in side]
        return {
            "file": str(self.path),
            "symbol": self.symbol,
            "market": self.market or "unknown",
            "messages": self.messages,
            "by_type": {name: self.counts[name] for name in TYPES.values() if self.counts[name]},
            "begin": _iso(self.begin),
            "end": _iso(self.end),
            "begin_ns": self.begin,
            "end_ns": self.end,
            "tick": f"{self.tick:f}",
            "lot": f"{self.lot:f}",
            "lowest": self.price(min(prices)) if prices else None,
            "highest": self.price(max(prices)) if prices else None,
            "levels_used": sum(map(len, self.peaks)),
            "levels_max": self.levels_max,
            "levels_at_end": {"bids": len(self.book.bids), "asks": len(self.book.asks)},
            "touch_at_end": self.touch(self.book),
            "seeded": self.seeded,
            **self.book.counts(),
        }


def _iso(at: int) -> str:
    return f"{np.datetime64(at, 'ns')}Z"


def look_over(path: Path, *, tick: str | Decimal | None, lot: str | Decimal | None) -> Survey:
    """Read a whole file once: its types, times, tick, lot, sequence and limits."""
    finest = Decimal(1).scaleb(-FINEST)
    price, qty = Scale.prices(finest if tick is None else tick), Scale.quantities(finest if lot is None else lot)
    reader = Reader(path, price, qty)
    survey = Survey(path, price.unit, qty.unit)
    survey.seeded = any(b'"lastUpdateId"' in line for line in lines(path))
    survey.book = book = RecordedBook(seeded=survey.seeded)
    for message in reader:
        survey.begin = survey.begin or message.received
        survey.end = message.received
        survey.counts[TYPES[type(message)]] += 1
        _peaks(survey, take(book, message, path))
    if not survey.messages:
        raise FeedError(f"{path}: holds no messages; is the recording empty?")
    survey.symbol, survey.market = reader.symbol, reader.market
    if tick is None:
        survey.tick = price.coarsest()
    if lot is None:
        survey.lot = qty.coarsest()
    _rescale(survey, _ratio(survey.tick, price.unit), _ratio(survey.lot, qty.unit))
    return survey


def take(book: RecordedBook, message: Message, path: Path) -> Touched:
    """Let the book take a message in; a fault names the line."""
    try:
        return book.take(message)
    except FeedError as error:
        raise FeedError(f"{path}: {error}") from None


def _peaks(survey: Survey, touched: Touched) -> None:
    book = survey.book
    for levels, peaks, prices in zip((book.bids, book.asks), survey.peaks, touched, strict=True):
        for price in prices:
            qty = levels.get(price, 0)
            if qty > peaks.get(price, 0):
                peaks[price] = qty
    survey.levels_max = max(survey.levels_max, len(book.bids) + len(book.asks))


def _ratio(coarse: Decimal, fine: Decimal) -> int:
    return int(coarse / fine)


def _rescale(survey: Survey, price: int, qty: int) -> None:
    """Bring the levels of a first pass into the units that it found."""
    for levels in (survey.book.bids, survey.book.asks, *survey.peaks):
        scaled = {p // price: q // qty for p, q in levels.items()}
        levels.clear()
        levels.update(scaled)


def read(path: str | Path, *, tick: str | Decimal | None = None, lot: str | Decimal | None = None) -> Iterator[Message]:
    """Read the messages of a recording in order, one at a time.

    Parameters
    ----------
    path
        The recording, plain or gzip.
    tick, lot
        Price of one tick and size of one lot; left out, each is the coarsest power of ten, at most 1, of which
        every number in the recording is a multiple. Finding it takes one more pass over the file.

    Yields
    ------
    Message
        Prices in ticks and quantities in lots.

    Raises
    ------
    FeedError
        For what cannot be read, at the message where it stands: names file, line, field and remedy.
    """
    path = Path(path)
    if tick is None or lot is None:
        survey = look_over(path, tick=tick, lot=lot)
        tick, lot = survey.tick, survey.lot
    yield from Reader(path, Scale.prices(tick), Scale.quantities(lot))


def info(path: str | Path, *, tick: str | Decimal | None = None, lot: str | Decimal | None = None) -> dict[str, Any]:
    """Read a recording to its end and say what is in it.

    Parameters
    ----------
    path, tick, lot
        As for `read`.

    Returns
    -------
    dict
        Symbol, market, messages by type, times, tick, lot, levels, best bid and offer at the end, and what was
        stale, held, missing or crossed; only strings, integers, lists and dictionaries.

    Raises
    ------
    FeedError
        For what cannot be read.
    """
    return look_over(Path(path), tick=tick, lot=lot).to_dict()


# Numbers
