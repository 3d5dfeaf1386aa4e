"""The vocabulary: the record layout of commands and events, and the names of their codes.

Commands and events share one 64-byte record (docs/mechanics.md section 1). The numbers are stable.
"""

from enum import IntEnum, IntFlag
from typing import Final

import numpy as np

__all__ = [
    "COMMAND",
    "DELTA",
    "EVENT",
    "EVENT_COLUMNS",
    "EVERY_ACCOUNT",
    "NO_MARKET",
    "SELF_TRADE_SHIFT",
    "Bounding",
    "CancelAllFlag",
    "CancelFlag",
    "CancelReason",
    "CommandKind",
    "EventKind",
    "FillFlag",
    "IndexState",
    "Limit",
    "LiquidationEnd",
    "MarginLevel",
    "MarginMode",
    "OrderFlag",
    "OrderType",
    "Phase",
    "Reject",
    "RuleParameter",
    "RuleTest",
    "SelfTrade",
    "Side",
    "Source",
    "TermCode",
    "Watched",
]

COMMAND: Final = np.dtype(
    [
        ("kind", "<u2"),
        ("flags", "<u2"),
        ("venue", "<u2"),
        ("market", "<u2"),
        ("at", "<i8"),
        ("seq", "<u8"),
        ("source", "u1"),
        ("side", "u1"),
        ("code", "<u2"),
        ("account", "<u4"),
        ("order", "<u8"),
        ("price", "<i8"),
        ("qty", "<i8"),
        ("amount", "<i8"),
    ]
)
"""numpy dtype of one command: 64 bytes; prices in ticks, quantities in lots, amounts in minor units."""

EVENT: Final = COMMAND
"""numpy dtype of one event; the same layout as ``COMMAND``."""

DELTA: Final = np.dtype([("seq", "<u8"), ("market", "<u2"), ("side", "u1"), ("price", "<i8"), ("qty", "<i8")])
"""numpy dtype of one change of a price level: ``seq`` of the event that made it, and the lots shown there after it."""

NO_MARKET: Final = 0xFFFF
"""The market of a record that means none, or every market."""

EVERY_ACCOUNT: Final = 0xFFFF_FFFF
"""The account of a CancelAll that means every account: the operator's."""

SELF_TRADE_SHIFT: Final = 5
"""Where the three bits of the `SelfTrade` mode begin in the ``flags`` of an order or a quote."""


class CommandKind(IntEnum):
    """What a command asks for: field ``kind`` of a command."""

    PLACE = 1
    CANCEL = 2
    REPLACE = 3
    CANCEL_ALL = 4
    BLOCK = 5
    TERM = 6
    QUOTE = 7
    OPEN_ACCOUNT = 10
    DEPOSIT = 11
    WITHDRAW = 12
    FUND_DEPOSIT = 13
    SET_LEVERAGE = 14
    TRANSFER = 15
    SET_MULTIPLIER = 16
    SET_MARGIN_MODE = 17
    INDEX = 20
    SET_PHASE = 21
    PULSE = 22
    SOURCE = 23
    VOLUNTEER = 24
    SETTLE = 25
    SET_RULE = 30
    INTERRUPT = 31
    PLAN_BEGIN = 40
    PLAN_ROW = 41
    PLAN_COMMIT = 42


class EventKind(IntEnum):
    """What happened: field ``kind`` of an event."""

    REJECTED = 100
    ACCOUNT_OPENED = 101
    DEPOSITED = 102
    WITHDRAWN = 103
    FUND_DEPOSITED = 104
    LEVERAGE_SET = 105
    TRANSFERRED = 106
    PHASE_CHANGED = 110
    BREAKER_TRIPPED = 111
    ORDER_BOUNDED = 112
    RULE_SET = 113
    ACCEPTED = 200
    TRIGGERED = 201
    CANCELLED = 202
    REPLACED = 203
    SHOWN = 204
    ARMED = 205
    FILL = 210
    UNCROSSED = 300
    INDICATIVE = 301
    MARKED = 400
    INDEX_STATE = 401
    FUNDING_SETTLED = 410
    FUNDING_PAID = 411
    MARGIN_CALLED = 500
    MARGIN_CALL_CLEARED = 501
    MARGIN_CALL_DUE = 502
    LEVEL_REACHED = 503
    MULTIPLIER_SET = 504
    MARGIN_MODE_SET = 505
    LIQUIDATION_STARTED = 510
    LIQUIDATION_ORDER = 511
    LIQUIDATION_ENDED = 512
    TAKEN_OVER = 513
    LIQUIDATOR_PAID = 514
    VOLUNTEER_SET = 515
    ASSIGNED = 516
    ASSIGNMENT_REMAINDER = 517
    SETTLEMENT_PLANNED = 518
    SETTLEMENT_STARTED = 519
    FUND_PAID = 520
    FUND_RECEIVED = 521
    COLLATERAL_SOLD = 522
    FUND_CAPPED = 523
    DRAWDOWN_CHANGED = 524
    ADL_STARTED = 530
    ADL_FILL = 531
    ADL_REMAINDER = 532
    ADL_HAIRCUT = 533
    ADL_REQUESTED = 534
    ADL_PLANNED = 535
    SOCIALISED = 540
    BAD_DEBT = 541
    FEES_PAID = 542
    CLAIM_PAID = 543
    SETTLED = 544
    WITHDRAWALS_GATED = 545
    LIMIT_REACHED = 546


class Side(IntEnum):
    """Side of an order or of a fill."""

    BUY = 0
    SELL = 1


class OrderType(IntEnum):
    """How long an order lives and how it is priced: field ``code`` of a Place."""

    LIMIT = 0
    IMMEDIATE_OR_CANCEL = 1
    FILL_OR_KILL = 2
    MARKET = 3


class OrderFlag(IntFlag):
    """Conditions on an order: field ``flags`` of a Place, a Quote and an Accepted.

    Bits 5 to 7 hold the `SelfTrade` mode.
    """

    NONE = 0
    POST_ONLY = 1
    """Never takes: refused if it would, or moved with ``SLIDE``."""
    REDUCE_ONLY = 2
    """Trades no more than what makes the position smaller, when it enters and when it is met."""
    SLIDE = 4
    """A post-only order that would take moves to the price one tick short of it."""
    HIDDEN = 8
    """Rests behind the shown orders of its price and is no part of the depth."""
    DAY = 16
    """Expires at the end of the market's trading day."""
    WAITING = 256
    """In an Accepted only: the order waits for its trigger."""


class SelfTrade(IntEnum):
    """What happens when an order is about to meet one of its own party: the same account, or one of its group.

    The incoming order's mode counts.
    """

    DEFAULT = 0
    """Of an order: the account's mode. Of an account: they trade."""
    CANCEL_NEWEST = 1
    """What is left of the incoming order is cancelled."""
    CANCEL_OLDEST = 2
    """The resting order is cancelled."""
    CANCEL_BOTH = 3
    """The resting order is cancelled, then the incoming one."""
    DECREMENT = 4
    """Both lose the smaller of the two quantities."""
    ALLOWED = 5
    """They trade, whatever the account's mode is."""


class TermCode(IntEnum):
    """A further term of an account's next order: field ``code`` of a Term and of an Armed."""

    STOP = 1
    """A buy fires at or above, a sell at or below a price."""
    TAKE_PROFIT = 2
    """A buy fires at or below, a sell at or above a price."""
    TRAILING_STOP = 3
    """Fires once the watched price has turned back from its best by an offset in ticks."""
    DISPLAY = 4
    """An iceberg shows at most so many lots."""
    EXPIRY = 5
    """Good till a time."""
    MINIMUM = 6
    """Refused unless so many lots can be filled at once."""
    OTHER_LEG = 7
    """One cancels the other: the id of the other order."""
    PROTECTION_TICKS = 8
    """A market order goes so many ticks from the touch at most."""
    PROTECTION_PPM = 9
    """A market order goes so many millionths of the touch at most."""


class Watched(IntEnum):
    """The price that fires a waiting order: field ``flags`` of a Term and of an Armed."""

    LAST = 0
    """Every trade in the book."""
    MARK = 1
    """The mark after an index."""
    INDEX = 2
    """The index."""


class IndexState(IntEnum):
    """How many sources of an index are live: fields ``code`` and ``flags`` of an IndexState."""

    LIVE = 0
    """All of them."""
    DEGRADED = 1
    """Enough of them."""
    STALE = 2
    """Too few: index and mark stay as they are."""


class CancelFlag(IntFlag):
    """How a Cancel or a Replace names its order: field ``flags``."""

    NONE = 0
    CLIENT_ID = 1


class CancelAllFlag(IntFlag):
    """Which orders a CancelAll means: field ``flags``."""

    NONE = 0
    SIDE = 1
    SESSION = 2


class FillFlag(IntFlag):
    """Circumstances of a fill: field ``flags`` of a Fill."""

    NONE = 0
    TAKER = 1
    LIQUIDATION = 2
    AUCTION = 4
    BLOCK = 8


class CancelReason(IntEnum):
    """Why an order, or a part of it, was cancelled: field ``code`` of a Cancelled."""

    USER = 1
    """Its owner asked."""
    IMMEDIATE = 2
    """The rest of an order that does not rest."""
    LIQUIDATION = 3
    """Its owner is being liquidated."""
    BREAKER = 4
    """A breaker interrupted its match."""
    EXPIRED = 5
    """Its time is over."""
    REDUCE_ONLY = 6
    """It would not make the position smaller."""
    SELF_TRADE = 7
    """It was about to meet an order of its own party."""
    REFUSED = 8
    """It fired and was refused; ``amount`` is the `Reject`."""
    OTHER_LEG = 9
    """Its other leg traded, fired or went."""
    REQUOTED = 10
    """A new quote took its place."""
    OPERATOR = 11
    """The orders of every account were cancelled."""
    SETTLEMENT = 12
    """The market is to be settled."""
    MARGIN = 13
    """Its account does not cover the fill level."""


class RuleParameter(IntEnum):
    """What of a breaker a command changes: field ``flags`` of a SetRule and of a RuleSet."""

    ENABLED = 0
    """Whether it acts: 1 or 0."""
    WIDTH = 1
    """The share of its first range, in ppm."""
    PRICE = 2
    """The price of its references that are told, in ticks."""


class RuleTest(IntEnum):
    """Where a breaker was asked: field ``flags`` of a BreakerTripped."""

    TRADE = 0
    """Before a trade."""
    MARK = 1
    """By a new mark."""
    ENTRY = 2
    """By an order that came in; of a command."""
    COMMAND = 3
    """By a command alone."""
    QUOTE = 4
    """By the touch at the end of a step."""
    AUCTION = 5
    """By the price at which an auction would end."""
    INDEX = 6
    """By a new index."""
    GAP = 7
    """By the time between two commands."""
    COUNT = 8
    """By what liquidations or deleveraging came to."""
    DEPTH = 9
    """By what the book shows near the mark."""
    PENDING = 10
    """By what waits for liquidation."""


class Bounding(IntEnum):
    """What a breaker did to an order: field ``flags`` of an OrderBounded."""

    REFUSED = 0
    """It refused the order."""
    CAPPED = 1
    """It made the bound its limit."""
    STOPPED = 2
    """It ended its match."""


class LiquidationEnd(IntEnum):
    """How a liquidation ended: field ``code`` of a LiquidationEnded."""

    RECOVERED = 1
    CLOSED = 2
    BANKRUPT = 3


class Limit(IntEnum):
    """Which limit kept the waterfall from something: field ``code`` of a LimitReached."""

    POSITION = 1
    """Lots of one position in a period."""
    ACCOUNT_NOTIONAL = 2
    """Notional of one account in a period."""
    ACCOUNT_FUND_LOSS = 3
    """What the funds pay for one account in a period."""
    ROUNDS = 4
    """Rounds of the waterfall in a period."""
    ADL_ROUNDS = 5
    """Rounds of auto-deleveraging in a period."""
    ADL_COOLDOWN = 6
    """Time between two rounds of auto-deleveraging in a market."""


class MarginMode(IntEnum):
    """How an account is margined: field ``code`` of SetMarginMode and MarginModeSet."""

    TIERS = 0
    """By the tiers of each market."""
    PORTFOLIO = 1
    """Positions of a group of markets together, by what they lose in its scenarios."""


class MarginLevel(IntEnum):
    """A level below maintenance margin: field ``code`` of a LevelReached."""

    CLOSE_OUT = 1
    """Positions are closed whole."""
    BACKSTOP = 2
    """The backstop is asked for the whole account before the book."""


class Source(IntEnum):
    """Who sent a command: field ``source``, repeated in its events."""

    USER = 0
    POLICY = 1
    WORLD = 2


class Phase(IntEnum):
    """What a market does: field ``code`` of a PhaseChanged."""

    PRE_OPEN = 0
    CONTINUOUS = 1
    LIMIT_STATE = 2
    STRADDLE = 3
    GUARDED = 4
    COOLING_OFF = 5
    CALL_AUCTION = 6
    PAUSE = 7
    REDUCE_ONLY = 8
    CLOSE_ONLY = 9
    HALTED = 10
    CLOSED = 11
    SETTLEMENT = 12


class Reject(IntEnum):
    """Why a command was refused: field ``code`` of a Rejected. 1xx form, 2xx admission, 3xx checks."""

    TIME_BACKWARDS = 101
    TIMERS_PENDING = 102
    UNKNOWN_COMMAND = 103
    UNKNOWN_MARKET = 201
    UNKNOWN_ACCOUNT = 202
    BAD_FIELD = 203
    PHASE_REFUSES = 204
    NO_MARK = 205
    QTY_OUT_OF_RANGE = 206
    PRICE_OUT_OF_RANGE = 207
    IN_LIQUIDATION = 208
    NOT_REDUCING = 209
    BOOK_FULL = 210
    BAND_REFUSES = 211
    WOULD_TAKE = 212
    NOT_FILLABLE = 213
    UNKNOWN_ORDER = 214
    NOT_YOUR_ORDER = 215
    UNKNOWN_ASSET = 216
    UNKNOWN_FUND = 217
    PRICE_OFF_STEP = 218
    QTY_OFF_STEP = 219
    NOTIONAL_OUT_OF_RANGE = 220
    OPEN_ORDERS_LIMIT = 221
    DUPLICATE_CLIENT_ID = 222
    TRIGGER_BEYOND = 223
    EXPIRY_PAST = 224
    SOURCE_CROSSED = 225
    SOURCE_STALE = 226
    WITHDRAWALS_GATED = 227
    UNKNOWN_RULE = 235
    AWAITING_PLAN = 250
    NO_PLAN_AWAITED = 251
    PLAN_TOO_LARGE = 252
    PLAN_NOT_CANDIDATE = 253
    PLAN_BEYOND_CAP = 254
    POSITION_LIMIT = 301
    OPEN_INTEREST_LIMIT = 302
    MARGIN_SHORT = 303
    BALANCE_SHORT = 304
    AMOUNT_OUT_OF_RANGE = 305
    ACCOUNTS_FULL = 306
    MULTIPLIER_REFUSED = 307


_RISK: Final = {"account": "account", "market": "market"}

EVENT_COLUMNS: Final[dict[EventKind, dict[str, str]]] = {
    EventKind.REJECTED: {
        "command": "flags",
        "reject": "code",
        "account": "account",
        "market": "market",
        "order": "order",
        "side": "side",
        "price": "price",
        "qty": "qty",
        "amount": "amount",
    },
    EventKind.ACCOUNT_OPENED: {"account": "account"},
    EventKind.DEPOSITED: {"account": "account", "asset": "code", "amount": "amount"},
    EventKind.WITHDRAWN: {"account": "account", "asset": "code", "amount": "amount"},
    EventKind.FUND_DEPOSITED: {"fund": "code", "amount": "amount"},
    EventKind.LEVERAGE_SET: {**_RISK, "leverage": "amount"},
    EventKind.TRANSFERRED: {"account": "account", "to": "order", "asset": "code", "amount": "amount"},
    EventKind.PHASE_CHANGED: {"market": "market", "phase": "code", "phase_before": "flags", "until": "amount"},
    EventKind.BREAKER_TRIPPED: {
        "market": "market",
        "rule": "code",
        "test": "flags",
        "below": "side",
        "price": "price",
        "reference": "qty",
        "lower": "order",
        "upper": "account",
        "until": "amount",
    },
    EventKind.ORDER_BOUNDED: {
        **_RISK,
        "order": "order",
        "side": "side",
        "rule": "code",
        "what": "flags",
        "bound": "price",
        "price": "qty",
        "reference": "amount",
    },
    EventKind.RULE_SET: {"market": "market", "rule": "code", "parameter": "flags", "value": "amount"},
    EventKind.ACCEPTED: {
        **_RISK,
        "order": "order",
        "side": "side",
        "type": "code",
        "flags": "flags",
        "price": "price",
        "qty": "qty",
        "client_id": "amount",
    },
    EventKind.TRIGGERED: {**_RISK, "order": "order", "side": "side", "price": "price"},
    EventKind.CANCELLED: {
        **_RISK,
        "order": "order",
        "side": "side",
        "reason": "code",
        "price": "price",
        "qty": "qty",
        "reject": "amount",
    },
    EventKind.REPLACED: {
        **_RISK,
        "order": "order",
        "side": "side",
        "kept_priority": "flags",
        "price": "price",
        "qty": "qty",
    },
    EventKind.SHOWN: {
        **_RISK,
        "order": "order",
        "side": "side",
        "price": "price",
        "qty": "qty",
        "behind": "amount",
    },
    EventKind.ARMED: {
        **_RISK,
        "order": "order",
        "side": "side",
        "term": "code",
        "watched": "flags",
        "trigger": "price",
    },
    EventKind.FILL: {
        **_RISK,
        "order": "order",
        "side": "side",
        "flags": "flags",
        "price": "price",
        "qty": "qty",
        "fee": "amount",
    },
    EventKind.UNCROSSED: {"market": "market", "price": "price", "qty": "qty", "surplus": "amount"},
    EventKind.INDICATIVE: {
        "market": "market",
        "outcome": "code",
        "price": "price",
        "qty": "qty",
        "surplus": "amount",
    },
    EventKind.MARKED: {"market": "market", "mark": "price", "index": "amount"},
    EventKind.INDEX_STATE: {"market": "market", "state": "code", "old_state": "flags", "live_sources": "qty"},
    EventKind.FUNDING_SETTLED: {"market": "market", "mark": "price", "index_units": "qty", "rate_ppb": "amount"},
    EventKind.FUNDING_PAID: {**_RISK, "position": "qty", "paid": "amount"},
    EventKind.MARGIN_CALLED: {"account": "account", "equity": "amount", "requirement": "qty"},
    EventKind.MARGIN_CALL_CLEARED: {"account": "account", "equity": "amount"},
    EventKind.MARGIN_CALL_DUE: {"account": "account", "missing": "qty", "due": "amount"},
    EventKind.LEVEL_REACHED: {"account": "account", "level": "code", "equity": "amount", "maintenance": "qty"},
    EventKind.MULTIPLIER_SET: {"market": "market", "initial": "qty", "maintenance": "amount", "leverage": "code"},
    EventKind.MARGIN_MODE_SET: {"account": "account", "mode": "code"},
    EventKind.LIQUIDATION_STARTED: {
        "account": "account",
        "equity": "amount",
        "maintenance": "qty",
        "for_call": "flags",
    },
    EventKind.LIQUIDATION_ORDER: {
        **_RISK,
        "order": "order",
        "side": "side",
        "fund_backed": "flags",
        "limit": "price",
        "qty": "qty",
        "bankruptcy_price": "amount",
    },
    EventKind.LIQUIDATION_ENDED: {"account": "account", "end": "code", "equity": "amount"},
    EventKind.TAKEN_OVER: {**_RISK, "backstop": "order", "side": "side", "price": "price", "qty": "qty"},
    EventKind.LIQUIDATOR_PAID: {**_RISK, "liquidator": "order", "amount": "amount"},
    EventKind.VOLUNTEER_SET: {**_RISK, "qty": "qty"},
    EventKind.ASSIGNED: {
        **_RISK,
        "volunteer": "order",
        "side": "side",
        "price": "price",
        "qty": "qty",
        "qty_left": "amount",
    },
    EventKind.ASSIGNMENT_REMAINDER: {**_RISK, "qty": "qty"},
    EventKind.SETTLEMENT_PLANNED: {"market": "market", "settles_at": "amount"},
    EventKind.SETTLEMENT_STARTED: {"market": "market", "price": "price", "open_interest": "qty"},
    EventKind.FUND_PAID: {**_RISK, "fund": "code", "amount": "amount"},
    EventKind.FUND_RECEIVED: {**_RISK, "fund": "code", "amount": "amount"},
    EventKind.COLLATERAL_SOLD: {"account": "account", "asset": "code", "sold": "qty", "received": "amount"},
    EventKind.FUND_CAPPED: {"fund": "code", "amount": "amount"},
    EventKind.DRAWDOWN_CHANGED: {
        "market": "market",
        "fund": "code",
        "active": "flags",
        "highest_balance": "qty",
        "loss": "amount",
    },
    EventKind.ADL_STARTED: {**_RISK, "side": "side", "price": "price", "qty": "qty"},
    EventKind.ADL_FILL: {**_RISK, "side": "side", "price": "price", "qty": "qty", "given_up": "amount"},
    EventKind.ADL_REMAINDER: {**_RISK, "qty": "qty", "uncovered": "amount"},
    EventKind.ADL_HAIRCUT: {**_RISK, "given_up": "amount"},
    EventKind.ADL_REQUESTED: {
        **_RISK,
        "round": "order",
        "winner": "side",
        "price": "price",
        "qty": "qty",
        "candidates": "amount",
    },
    EventKind.ADL_PLANNED: {**_RISK, "round": "order", "fallback": "code", "qty": "qty", "rows": "amount"},
    EventKind.SOCIALISED: {**_RISK, "amount": "amount"},
    EventKind.BAD_DEBT: {"account": "account", "amount": "amount"},
    EventKind.FEES_PAID: {**_RISK, "amount": "amount"},
    EventKind.CLAIM_PAID: {"account": "account", "creditor_kind": "code", "creditor": "order", "amount": "amount"},
    EventKind.SETTLED: {**_RISK, "counterparty": "order", "side": "side", "price": "price", "qty": "qty"},
    EventKind.WITHDRAWALS_GATED: {"account": "account", "until": "amount"},
    EventKind.LIMIT_REACHED: {**_RISK, "limit": "code", "qty": "qty"},
}
"""What the fields of each kind of event mean: column name to field of the record."""
