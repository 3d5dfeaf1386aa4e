"""Lines of a recording as messages: the format of Binance, exact numbers, what is wrong with a line."""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias, cast

from seawall.errors import SeawallError
from seawall.protocol import Side

_LINE_MAX: Final = 1 << 26
"""Most bytes of one line; a depth snapshot of 5,000 levels has a quarter of a million."""
_NUMBER_MAX: Final = 40
"""Most characters of a number."""
_CACHE_MAX: Final = 1 << 20
"""Most strings that a scale remembers."""
FINEST: Final = 12
"""Most decimals of a number where tick or lot are inferred."""
_DECIMAL: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_STAMP: Final = re.compile(rb"[0-9]{1,19}", re.ASCII)
_TIME_MAX: Final = (1 << 63) - 1
Levels: TypeAlias = list[tuple[int, int]]
"""Price in ticks and quantity in lots of some levels; quantity 0 removes a level."""


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

TYPES: Final[dict[type, str]] = {
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


class Scale(dict[str, int]):
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
    def prices(cls, tick: str | Decimal) -> "Scale":
        """Return a scale of prices in ticks."""
        return cls("price", _unit("tick", tick), "tick", 1)

    @classmethod
    def quantities(cls, lot: str | Decimal) -> "Scale":
        """Return a scale of quantities in lots."""
        return cls("quantity", _unit("lot", lot), "lot", 0)

    def __missing__(self, text: object) -> int:
        """Convert a number that was not seen before."""
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
        if self.unit == Decimal(1).scaleb(-FINEST):
            return f"{self._name} {text!r}: has more than {FINEST} decimals"
        finer = Decimal(1).scaleb(-decimals)
        return (
            f"{self._name} {text!r}: is not a multiple of the {self._unit_name} {self.unit:f}; give a finer "
            f'{self._unit_name} such as "{finer:f}", or none'
        )

    def coarsest(self) -> Decimal:
        """Return the coarsest power of ten, at most 1, of which everything seen is a multiple."""
        power = 0
        common = math.gcd(self.common, 10**FINEST)
        while power < FINEST and common % 10 ** (power + 1) == 0:
            power += 1
        return Decimal(1).scaleb(power - FINEST)


def _unit(name: str, value: str | Decimal) -> Decimal:
    try:
        unit = Decimal(value)
    except InvalidOperation:
        unit = Decimal(0)
    if not unit.is_finite() or unit <= 0 or not -FINEST <= unit.adjusted() <= FINEST:
        raise FeedError(f'{name}: {value}: must be a positive decimal number such as "0.01"')
    return unit


# Lines and messages


def lines(path: Path) -> Iterator[bytes]:
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


class Reader:
    """The messages of one file, checked line by line; knows symbol and market once they were seen."""

    def __init__(self, path: Path, price: Scale, qty: Scale) -> None:
        self.path = path
        self.symbol = ""
        self.market = ""
        self._price = price
        self._qty = qty
        self._received = 0

    def __iter__(self) -> Iterator[Message]:
        """Read the messages in order."""
        for line, text in enumerate(lines(self.path), 1):
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

    def _number(self, data: dict[str, Any], name: str, scale: Scale) -> int:
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
