r"""Recorded feeds: read a recording of an exchange's order book and let it stand in a venue.

A recording is text, plain or gzip; each line is ``<local receive ns> <raw websocket JSON>`` in the format of
Binance (USD-M, COIN-M, spot). The format, the exchange's rules of sequence and what is done where a recording is
incomplete are in docs/feeds.md.

Examples
--------
>>> import json, tempfile
>>> from pathlib import Path
>>> from seawall import feed
>>> snapshot = {"lastUpdateId": 7, "bids": [["99.5", "2"]], "asks": [["100.0", "1"], ["100.5", "4"]]}
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder, "tiny.txt")
...     written = path.write_text(f"1723161255319702566 {json.dumps(snapshot)}\n")
...     run = feed.replay(path)
>>> run.ok, run.levels_compared, run.touch
(True, 3, {'bid': '99.5', 'bid_qty': '2', 'ask': '100.0', 'ask_qty': '1'})
"""

import gzip
import json
import math
import re
import sys
import time
import zlib
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, NamedTuple, TypeAlias, cast

import numpy as np
import typer
from numpy.typing import NDArray

from seawall import commands
from seawall.commands import Records
from seawall.errors import ConfigError, SeawallError
from seawall.protocol import EventKind, OrderFlag, Reject, Side
from seawall.venue import Venue

__all__ = [
    "DepthSnapshot",
    "DepthUpdate",
    "FeedError",
    "FeedRun",
    "Gap",
    "Message",
    "Other",
    "Quote",
    "RecordedBook",
    "Trade",
    "app",
    "info",
    "read",
    "replay",
]

_PRICE_MAX: Final = 1 << 24
"""The highest price, in ticks, of a market of the core."""
_LINE_MAX: Final = 1 << 26
"""Most bytes of one line; a depth snapshot of 5,000 levels has a quarter of a million."""
_NUMBER_MAX: Final = 40
"""Most characters of a number."""
_QTY_MAX: Final = 1 << 61
"""Above every quantity in lots that a market of the core admits."""
_CACHE_MAX: Final = 1 << 20
"""Most strings that a scale remembers."""
_HELD_MAX: Final = 10_000
"""Most updates kept while a snapshot is waited for."""
_LISTED_MAX: Final = 20
"""Most gaps, and most differences, that are listed; all are counted."""
_FINEST: Final = 12
"""Most decimals of a number where tick or lot are inferred."""
_PROGRESS_EVERY: Final = 1000
_DECIMAL: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_STAMP: Final = re.compile(rb"[0-9]{1,19}", re.ASCII)
_TIME_MAX: Final = (1 << 63) - 1

Levels: TypeAlias = list[tuple[int, int]]
"""Price in ticks and quantity in lots of some levels; quantity 0 removes a level."""

Touched: TypeAlias = tuple[set[int], set[int]]
"""The prices of bids and of asks that a message changed."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the number of messages done and of all messages."""


class FeedError(SeawallError, ValueError):
    """A recording that cannot be read or does not fit a market; names file, line, field and remedy."""


class _FaultError(Exception):
    """What is wrong with a message; the reader adds file and line."""


class DepthUpdate(NamedTuple):
    """Levels that changed, with their new quantities."""

    line: int
    """Number of the line, from 1."""
    received: int
    """Local time of receipt in nanoseconds."""
    at: int
    """The exchange's time in nanoseconds."""
    first: int
    """Id of the first update in the message (``U``)."""
    final: int
    """Id of the last update in the message (``u``)."""
    previous: int | None
    """Last id of the message before (``pu``); spot has none."""
    bids: Levels
    """Changed bids."""
    asks: Levels
    """Changed asks."""


class DepthSnapshot(NamedTuple):
    """The best levels of the whole book, from a REST request."""

    line: int
    """Number of the line, from 1."""
    received: int
    """Local time of receipt in nanoseconds."""
    last: int
    """Id of the last update that it contains (``lastUpdateId``)."""
    bids: Levels
    """Bids."""
    asks: Levels
    """Asks."""


class Trade(NamedTuple):
    """One trade, or one aggregate of trades."""

    line: int
    """Number of the line, from 1."""
    received: int
    """Local time of receipt in nanoseconds."""
    at: int
    """The exchange's time in nanoseconds."""
    trade: int
    """Id of the trade."""
    price: int
    """Price in ticks."""
    qty: int
    """Quantity in lots."""
    side: Side
    """Side of the taker."""


class Quote(NamedTuple):
    """The best bid and offer."""

    line: int
    """Number of the line, from 1."""
    received: int
    """Local time of receipt in nanoseconds."""
    update: int
    """Id of the update."""
    bid: int
    """Best bid in ticks."""
    bid_qty: int
    """Its quantity in lots."""
    ask: int
    """Best offer in ticks."""
    ask_qty: int
    """Its quantity in lots."""


class Other(NamedTuple):
    """A message of another type, which is counted and not read."""

    line: int
    """Number of the line, from 1."""
    received: int
    """Local time of receipt in nanoseconds."""
    kind: str
    """What the exchange calls it."""


Message: TypeAlias = DepthUpdate | DepthSnapshot | Trade | Quote | Other
"""One message of a recording."""

_TYPES: Final[dict[type, str]] = {
    DepthSnapshot: "snapshot",
    DepthUpdate: "depth_update",
    Trade: "trade",
    Quote: "book_ticker",
    Other: "other",
}


class Gap(NamedTuple):
    """Updates that the recording does not have."""

    line: int
    """Line of the first update after the gap."""
    last: int
    """Last update id before it."""
    before: int
    """Update id that the update after the gap continues."""


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
        survey = _survey(path, tick=tick, lot=lot)
        tick, lot = survey.tick, survey.lot
    yield from _Reader(path, _Scale.prices(tick), _Scale.quantities(lot))


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
    return _survey(Path(path), tick=tick, lot=lot).to_dict()


# Numbers


class _Scale(dict[str, int]):
    """Decimal strings to whole units, exactly; remembers those that it has seen."""

    def __init__(self, name: str, unit: Decimal, unit_name: str, least: int) -> None:
        super().__init__()
        self.unit = unit
        self.common = 0
        self._name = name
        self._unit_name = unit_name
        self._least = least
        self._over, self._under = unit.as_integer_ratio()

    @classmethod
    def prices(cls, tick: str | Decimal) -> "_Scale":
        return cls("price", _unit("tick", tick), "tick", 1)

    @classmethod
    def quantities(cls, lot: str | Decimal) -> "_Scale":
        return cls("quantity", _unit("lot", lot), "lot", 0)

    def __missing__(self, text: object) -> int:
        if not isinstance(text, str) or len(text) > _NUMBER_MAX:
            raise _FaultError(f"{self._name} {text!r}: must be a decimal string of at most {_NUMBER_MAX} characters")
        parts = _DECIMAL.fullmatch(text)
        if parts is None:
            why = "must not be negative" if text.startswith("-") else "must be a decimal number such as '61800.20'"
            raise _FaultError(f"{self._name} {text!r}: {why}")
        whole, decimals = parts[1], (parts[2] or "").rstrip("0")
        shift: int = 10 ** len(decimals)
        units, rest = divmod(int(whole + decimals) * self._under, shift * self._over)
        if rest:
            raise _FaultError(self._off(text, len(decimals)))
        if units < self._least:
            raise _FaultError(f"{self._name} {text!r}: must be positive")
        if len(self) >= _CACHE_MAX:
            self.clear()
        self[text] = units
        self.common = math.gcd(self.common, units)
        return units

    def _off(self, text: str, decimals: int) -> str:
        if self.unit == Decimal(1).scaleb(-_FINEST):
            return f"{self._name} {text!r}: has more than {_FINEST} decimals"
        finer = Decimal(1).scaleb(-decimals)
        return (
            f"{self._name} {text!r}: is not a multiple of the {self._unit_name} {self.unit:f}; give a finer "
            f'{self._unit_name} such as "{finer:f}", or none'
        )

    def coarsest(self) -> Decimal:
        """Return the coarsest power of ten, at most 1, of which everything seen is a multiple."""
        power = 0
        common = math.gcd(self.common, 10**_FINEST)
        while power < _FINEST and common % 10 ** (power + 1) == 0:
            power += 1
        return Decimal(1).scaleb(power - _FINEST)


def _unit(name: str, value: str | Decimal) -> Decimal:
    try:
        unit = Decimal(value)
    except InvalidOperation:
        unit = Decimal(0)
    if not unit.is_finite() or unit <= 0 or not -_FINEST <= unit.adjusted() <= _FINEST:
        raise FeedError(f'{name}: {value}: must be a positive decimal number such as "0.01"')
    return unit


# Lines and messages


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a plain or gzip file; FeedError where it is cut short or damaged."""
    line = 0
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            source = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
            while text := source.readline(_LINE_MAX + 1):
                line += 1
                if len(text) > _LINE_MAX:
                    raise FeedError(f"{path}: line {line}: is longer than {_LINE_MAX} bytes; is this a recording?")
                yield text
    except EOFError:
        why = "the gzip file ends too early; copy it again, or unpack what is there with zcat and use that"
        raise FeedError(f"{path}: line {line + 1}: {why}") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise FeedError(f"{path}: line {line + 1}: the gzip file is damaged ({error}); copy it again") from None
    except OSError as error:
        raise FeedError(f"{path}: cannot be read: {error.strerror or error}") from None


class _Reader:
    """The messages of one file, checked line by line; knows symbol and market once they were seen."""

    def __init__(self, path: Path, price: _Scale, qty: _Scale) -> None:
        self.path = path
        self.symbol = ""
        self.market = ""
        self._price = price
        self._qty = qty
        self._received = 0

    def __iter__(self) -> Iterator[Message]:
        for line, text in enumerate(_lines(self.path), 1):
            try:
                message = self._message(line, text)
            except _FaultError as fault:
                raise FeedError(f"{self.path}: line {line}: {fault}") from None
            except KeyError as missing:
                why = f"{missing.args[0]}: is missing; the line may be cut, or of another format"
                raise FeedError(f"{self.path}: line {line}: {why}") from None
            yield message

    def _message(self, line: int, text: bytes) -> Message:
        stamp, _, raw = text.partition(b" ")
        if not _STAMP.fullmatch(stamp) or not 0 < int(stamp) <= _TIME_MAX:
            head = text[:24].decode("ascii", "backslashreplace").rstrip()
            raise _FaultError(f"time: must begin with '<local receive ns> <JSON>', got {head!r}")
        received = int(stamp)
        if received < self._received:
            why = f"{received} is before {self._received} of the line above; sort the file by time"
            raise _FaultError(f"time: {why}")
        self._received = received
        try:
            whole = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise _FaultError(f"JSON: {error}; the line is cut or damaged") from None
        data = whole.get("data", whole) if isinstance(whole, dict) else None
        if not isinstance(data, dict):
            raise _FaultError("JSON: must be one object per line, a message of Binance")
        return self._parse(line, received, data)

    def _parse(self, line: int, received: int, data: dict[str, Any]) -> Message:
        kind = data.get("e")
        if kind == "depthUpdate":
            self._place(data, "usd-m" if "pu" in data else "spot")
            return self._depth_update(line, received, data)
        if kind == "bookTicker" or (kind is None and "B" in data):
            self._place(data, "spot" if kind is None else "usd-m")
            return self._quote(line, received, data)
        if kind in ("trade", "aggTrade"):
            self._place(data, "spot" if "M" in data else "futures")
            # The exchange's own bookkeeping, with price and quantity 0.
            if data.get("X") == "NA":
                return Other(line, received, "trade NA")
            return self._trade(line, received, data, "t" if kind == "trade" else "a")
        if "lastUpdateId" in data:
            return self._snapshot(line, received, data)
        if kind is None and "result" not in data:
            keys = ", ".join(list(data)[:4]) or "nothing"
            raise _FaultError(f"e: is missing; a message of Binance was expected, got one with {keys}")
        return Other(line, received, str(kind or "result"))

    def _place(self, data: dict[str, Any], market: str) -> None:
        """Check that symbol and market are those of the lines before."""
        symbol = data["s"]
        market = "coin-m" if "ps" in data else market
        if symbol == self.symbol and market == self.market:
            return
        if not isinstance(symbol, str) or not symbol:
            raise _FaultError(f"s: {symbol!r}: must be the name of a symbol")
        if self.symbol and symbol != self.symbol:
            raise _FaultError(f"s: {symbol} after {self.symbol}; make one file per symbol")
        self.symbol = symbol
        # A trade shows that its market is futures, and not which of the two.
        if not self.market or (self.market == "futures" and market != "spot"):
            self.market = market
        elif market != self.market and (market != "futures" or self.market == "spot"):
            raise _FaultError(f"s: {symbol} of {market} after {self.market}; make one file per market")

    def _depth_update(self, line: int, received: int, data: dict[str, Any]) -> DepthUpdate:
        first, final = _whole(data, "U"), _whole(data, "u")
        if first > final:
            raise _FaultError(f"U: {first} is above u, {final}")
        previous = _whole(data, "pu") if "pu" in data else None
        at = _whole(data, "E") * 1_000_000
        return DepthUpdate(line, received, at, first, final, previous, self._levels(data, "b"), self._levels(data, "a"))

    def _snapshot(self, line: int, received: int, data: dict[str, Any]) -> DepthSnapshot:
        bids, asks = self._levels(data, "bids"), self._levels(data, "asks")
        return DepthSnapshot(line, received, _whole(data, "lastUpdateId"), bids, asks)

    def _trade(self, line: int, received: int, data: dict[str, Any], number: str) -> Trade:
        maker = data["m"]
        if not isinstance(maker, bool):
            raise _FaultError(f"m: {maker!r}: must be true or false")
        price, qty = self._number(data, "p", self._price), self._number(data, "q", self._qty)
        side = Side.SELL if maker else Side.BUY
        return Trade(line, received, _whole(data, "E") * 1_000_000, _whole(data, number), price, qty, side)

    def _quote(self, line: int, received: int, data: dict[str, Any]) -> Quote:
        bid, bid_qty = self._number(data, "b", self._price), self._number(data, "B", self._qty)
        ask, ask_qty = self._number(data, "a", self._price), self._number(data, "A", self._qty)
        return Quote(line, received, _whole(data, "u"), bid, bid_qty, ask, ask_qty)

    def _levels(self, data: dict[str, Any], name: str) -> Levels:
        rows = data[name]
        price, qty = self._price, self._qty
        if not isinstance(rows, list) or not all(type(row) is list and len(row) == 2 for row in rows):
            raise _FaultError(f"{name}: must be a list of [price, quantity] pairs")
        try:
            return [(price[p], qty[q]) for p, q in rows]
        except _FaultError as fault:
            raise _FaultError(f"{name}: {fault}") from None
        except TypeError:
            raise _FaultError(f"{name}: prices and quantities must be decimal strings") from None

    def _number(self, data: dict[str, Any], name: str, scale: _Scale) -> int:
        try:
            return scale[data[name]]
        except _FaultError as fault:
            raise _FaultError(f"{name}: {fault}") from None
        except TypeError:
            raise _FaultError(f"{name}: must be a decimal string") from None


def _whole(data: Mapping[str, Any], name: str) -> int:
    value = data[name]
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise _FaultError(f"{name}: {value!r}: must be a whole number from 0")
    return value


# The plain book


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
        self._kept: deque[DepthUpdate] = deque(maxlen=_HELD_MAX)

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
        if len(self.gap_list) < _LISTED_MAX:
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
class _Survey:
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
        return self.counts.total()

    def price(self, ticks: int) -> str:
        return f"{ticks * self.tick:f}"

    def qty(self, lots: int) -> str:
        return f"{lots * self.lot:f}"

    def touch(self, book: RecordedBook) -> dict[str, str | None]:
        bid, ask = max(book.bids, default=None), min(book.asks, default=None)
        return {
            "bid": None if bid is None else self.price(bid),
            "bid_qty": None if bid is None else self.qty(book.bids[bid]),
            "ask": None if ask is None else self.price(ask),
            "ask_qty": None if ask is None else self.qty(book.asks[ask]),
        }

    def to_dict(self) -> dict[str, Any]:
        prices = [price for side in self.peaks for price in side]
        return {
            "file": str(self.path),
            "symbol": self.symbol,
            "market": self.market or "unknown",
            "messages": self.messages,
            "by_type": {name: self.counts[name] for name in _TYPES.values() if self.counts[name]},
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


def _survey(path: Path, *, tick: str | Decimal | None, lot: str | Decimal | None) -> _Survey:
    finest = Decimal(1).scaleb(-_FINEST)
    price, qty = _Scale.prices(finest if tick is None else tick), _Scale.quantities(finest if lot is None else lot)
    reader = _Reader(path, price, qty)
    survey = _Survey(path, price.unit, qty.unit)
    survey.seeded = any(b'"lastUpdateId"' in line for line in _lines(path))
    survey.book = book = RecordedBook(seeded=survey.seeded)
    for message in reader:
        survey.begin = survey.begin or message.received
        survey.end = message.received
        survey.counts[_TYPES[type(message)]] += 1
        _peaks(survey, _take(book, message, path))
    if not survey.messages:
        raise FeedError(f"{path}: holds no messages; is the recording empty?")
    survey.symbol, survey.market = reader.symbol, reader.market
    if tick is None:
        survey.tick = price.coarsest()
    if lot is None:
        survey.lot = qty.coarsest()
    _rescale(survey, _ratio(survey.tick, price.unit), _ratio(survey.lot, qty.unit))
    return survey


def _take(book: RecordedBook, message: Message, path: Path) -> Touched:
    try:
        return book.take(message)
    except FeedError as error:
        raise FeedError(f"{path}: {error}") from None


def _peaks(survey: _Survey, touched: Touched) -> None:
    book = survey.book
    for levels, peaks, prices in zip((book.bids, book.asks), survey.peaks, touched, strict=True):
        for price in prices:
            qty = levels.get(price, 0)
            if qty > peaks.get(price, 0):
                peaks[price] = qty
    survey.levels_max = max(survey.levels_max, len(book.bids) + len(book.asks))


def _ratio(coarse: Decimal, fine: Decimal) -> int:
    return int(coarse / fine)


def _rescale(survey: _Survey, price: int, qty: int) -> None:
    """Bring the levels of a first pass into the units that it found."""
    for levels in (survey.book.bids, survey.book.asks, *survey.peaks):
        scaled = {p // price: q // qty for p, q in levels.items()}
        levels.clear()
        levels.update(scaled)


# The venue


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


def _venue(survey: _Survey, ladder: _Ladder) -> tuple[Venue, Records]:
    """Make a venue of one market in which the recording fits, and the commands that fund the street."""
    lots = max(1, *(sum(side.values()) for side in survey.peaks))
    lots_order = max((qty for side in survey.peaks for qty in side.values()), default=1)
    money = lots * ladder.price_max
    if max(lots, money) > _QTY_MAX:
        why = f"{lots} lots at {ladder.price_max} ticks are more than a venue can count; give a coarser lot"
        raise FeedError(f"{survey.path}: lot {survey.lot:f}: {why}")
    name = survey.symbol or "FEED"
    market = {
        "name": name,
        "tick_value": 1,
        "price_max": ladder.price_max,
        "order_qty_max": lots_order,
        "position_max": lots,
        "open_interest_max": lots,
        "fees": {"maker_ppm": 0, "taker_ppm": 0},
        "tiers": [{"lower": 0, "initial_ppm": 1, "maintenance_ppm": 1}],
        "mark": {"method": "index", "basis_samples": 1},
        "funding": None,
        "fund": 0,
        "phase": "continuous",
        "reopen_auction_ns": 0,
        "liquidation": {
            "enabled": False,
            "slice_ppm": 1_000_000,
            "slice_qty_min": 1,
            "full_below": 0,
            "fee_ppm": 0,
            "fund_limit_ppm": 0,
        },
        "adl": {"enabled": False, "method": "queue", "price": "bankruptcy", "band_ppm": None},
    }
    config = {
        "schema_version": 1,
        "name": f"feed {name}",
        "venue": 0,
        "seed": 0,
        "margin_call_ppm": 0,
        "backstop": None,
        "last_resort": "remainder",
        "limits": {
            "accounts_max": 1000,
            "orders_max": max(1, sum(map(len, survey.peaks))),
            "liquidation_rounds_per_step": 1,
            "funding_accounts_per_step": 1,
            "adl_closes_per_round": 1,
            "adl_rank_max": 1,
        },
        "assets": [{"name": "money", "decimals": 0, "deposits_max": money, "collateral": None}],
        "funds": [{"name": "fund"}],
        "markets": [market],
        "breakers": [],
    }
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
        self._waiting: deque[tuple[int, _Touch]] = deque(maxlen=_HELD_MAX)
        self._recent: deque[tuple[int, _Touch]] = deque(maxlen=_HELD_MAX)

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

    def __init__(self, survey: _Survey, index_every_ns: int) -> None:
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
        touched = _take(self.book, message, path)
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
            if len(self.differences) < _LISTED_MAX:
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
    survey = _survey(Path(path), tick=tick, lot=lot)
    run = _Replay(survey, index_every_ns)
    reader = _Reader(survey.path, _Scale.prices(survey.tick), _Scale.quantities(survey.lot))
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
        by_type={name: survey.counts[name] for name in _TYPES.values() if survey.counts[name]},
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

app = typer.Typer(no_args_is_help=True, help="Recorded order books: what is in a file, and its replay through a venue.")

_File = Annotated[Path, typer.Argument(help="A recording: '<ns> <JSON>' lines of Binance, plain or gzip.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Tick = Annotated[str | None, typer.Option(help="Price of one tick, such as 0.1; inferred if left out.")]
_Lot = Annotated[str | None, typer.Option(help="Size of one lot, such as 0.001; inferred if left out.")]


@app.command(
    "info",
    epilog="Examples:\n\n  seawall feed info btcusdt.gz\n\n  seawall feed info btcusdt.gz --json | jq .by_type",
)
def _info_command(file: _File, *, tick: _Tick = None, lot: _Lot = None, as_json: _AsJson = False) -> None:
    """Say what is in a recording: symbol, messages, times, units, levels, gaps."""
    _print(_advised(lambda: info(file, tick=tick, lot=lot)), as_json=as_json)


@app.command(
    "replay",
    epilog="Examples:\n\n"
    "  seawall feed replay btcusdt.gz\n\n"
    "  seawall feed replay btcusdt.gz --json\n\n"
    "  seawall feed replay btcusdt.gz --no-check --tick 0.1 --lot 0.001",
)
def _replay_command(
    file: _File,
    *,
    check: Annotated[bool, typer.Option(help="Compare all levels after every message.")] = True,
    tick: _Tick = None,
    lot: _Lot = None,
    as_json: _AsJson = False,
) -> None:
    """Let a recording stand in a venue's book; exit code 1 if a level differs from a plain book."""
    run = _advised(lambda: replay(file, check=check, tick=tick, lot=lot, progress=_progress()))
    _print(run.to_dict(), as_json=as_json)
    if not run.ok:
        raise typer.Exit(1)


def _advised(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
    try:
        return work()
    except SeawallError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None


def _progress() -> Progress | None:
    if not sys.stderr.isatty():
        return None
    return lambda done, total: typer.echo(f"\r{done:,} of {total:,} messages", nl=done == total, err=True)


def _print(result: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result, indent=2, allow_nan=False))
        return
    width = max(map(len, result)) + 2
    for name, value in result.items():
        typer.echo(f"{name.replace('_', ' '):{width}}{_spell(value)}")


def _spell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_spell(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(_spell, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    return "none" if value is None else str(value)
