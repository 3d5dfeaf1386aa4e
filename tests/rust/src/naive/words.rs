//! The numbers of docs/mechanics.md sections 1, 5 and 6, copied from the page and not from the venue.

/// Kinds of commands.
pub mod command {
    /// A new order.
    pub const PLACE: u16 = 1;
    /// Takes an order out.
    pub const CANCEL: u16 = 2;
    /// Changes a resting order.
    pub const REPLACE: u16 = 3;
    /// Takes many orders out.
    pub const CANCEL_ALL: u16 = 4;
    /// A trade agreed outside the book.
    pub const BLOCK: u16 = 5;
    /// A term of the next order.
    pub const TERM: u16 = 6;
    /// Both sides of a quote.
    pub const QUOTE: u16 = 7;
    /// A new account.
    pub const OPEN_ACCOUNT: u16 = 10;
    /// Money in.
    pub const DEPOSIT: u16 = 11;
    /// Money out.
    pub const WITHDRAW: u16 = 12;
    /// Money into a fund.
    pub const FUND_DEPOSIT: u16 = 13;
    /// A new index price.
    pub const INDEX: u16 = 20;
    /// The operator sets a phase.
    pub const SET_PHASE: u16 = 21;
    /// Lets waiting work go on.
    pub const PULSE: u16 = 22;
    /// A price of a source.
    pub const SOURCE: u16 = 23;
    /// Every kind that there is.
    pub const ALL: [u16; 15] = [
        PLACE,
        CANCEL,
        REPLACE,
        CANCEL_ALL,
        BLOCK,
        TERM,
        QUOTE,
        OPEN_ACCOUNT,
        DEPOSIT,
        WITHDRAW,
        FUND_DEPOSIT,
        INDEX,
        SET_PHASE,
        PULSE,
        SOURCE,
    ];
}

/// Kinds of events.
pub mod event {
    /// A refusal.
    pub const REJECTED: u16 = 100;
    /// A new account.
    pub const ACCOUNT_OPENED: u16 = 101;
    /// Money came in.
    pub const DEPOSITED: u16 = 102;
    /// A new phase.
    pub const PHASE_CHANGED: u16 = 110;
    /// A breaker refuses or caps an order.
    pub const ORDER_BOUNDED: u16 = 112;
    /// A new order.
    pub const ACCEPTED: u16 = 200;
    /// A waiting order is sent.
    pub const TRIGGERED: u16 = 201;
    /// Open lots are gone.
    pub const CANCELLED: u16 = 202;
    /// A changed order.
    pub const REPLACED: u16 = 203;
    /// What an iceberg shows.
    pub const SHOWN: u16 = 204;
    /// An order waits.
    pub const ARMED: u16 = 205;
    /// One side of a trade.
    pub const FILL: u16 = 210;
    /// An auction found its price.
    pub const UNCROSSED: u16 = 300;
    /// A new mark.
    pub const MARKED: u16 = 400;
}

/// Reject codes.
pub mod reject {
    /// 101
    pub const TIME_BACKWARDS: u16 = 101;
    /// 103
    pub const UNKNOWN_COMMAND: u16 = 103;
    /// 201
    pub const UNKNOWN_MARKET: u16 = 201;
    /// 202
    pub const UNKNOWN_ACCOUNT: u16 = 202;
    /// 203
    pub const BAD_FIELD: u16 = 203;
    /// 204
    pub const PHASE_REFUSES: u16 = 204;
    /// 205
    pub const NO_MARK: u16 = 205;
    /// 206
    pub const QTY_OUT_OF_RANGE: u16 = 206;
    /// 207
    pub const PRICE_OUT_OF_RANGE: u16 = 207;
    /// 209
    pub const NOT_REDUCING: u16 = 209;
    /// 210
    pub const BOOK_FULL: u16 = 210;
    /// 211
    pub const BAND_REFUSES: u16 = 211;
    /// 212
    pub const WOULD_TAKE: u16 = 212;
    /// 213
    pub const NOT_FILLABLE: u16 = 213;
    /// 214
    pub const UNKNOWN_ORDER: u16 = 214;
    /// 215
    pub const NOT_YOUR_ORDER: u16 = 215;
    /// 216
    pub const UNKNOWN_ASSET: u16 = 216;
    /// 218
    pub const PRICE_OFF_STEP: u16 = 218;
    /// 219
    pub const QTY_OFF_STEP: u16 = 219;
    /// 220
    pub const NOTIONAL_OUT_OF_RANGE: u16 = 220;
    /// 221
    pub const OPEN_ORDERS_LIMIT: u16 = 221;
    /// 222
    pub const DUPLICATE_CLIENT_ID: u16 = 222;
    /// 223
    pub const TRIGGER_BEYOND: u16 = 223;
    /// 224
    pub const EXPIRY_PAST: u16 = 224;
    /// 301
    pub const POSITION_LIMIT: u16 = 301;
    /// 302
    pub const OPEN_INTEREST_LIMIT: u16 = 302;
    /// 305
    pub const AMOUNT_OUT_OF_RANGE: u16 = 305;
    /// 306
    pub const ACCOUNTS_FULL: u16 = 306;
    /// Every code that the naive venue can give, with its name, and last three that it never gives.
    pub const ALL: [(u16, &str); 31] = [
        (TIME_BACKWARDS, "TimeBackwards"),
        (UNKNOWN_COMMAND, "UnknownCommand"),
        (UNKNOWN_MARKET, "UnknownMarket"),
        (UNKNOWN_ACCOUNT, "UnknownAccount"),
        (BAD_FIELD, "BadField"),
        (PHASE_REFUSES, "PhaseRefuses"),
        (NO_MARK, "NoMark"),
        (QTY_OUT_OF_RANGE, "QtyOutOfRange"),
        (PRICE_OUT_OF_RANGE, "PriceOutOfRange"),
        (NOT_REDUCING, "NotReducing"),
        (BOOK_FULL, "BookFull"),
        (BAND_REFUSES, "BandRefuses"),
        (WOULD_TAKE, "WouldTake"),
        (NOT_FILLABLE, "NotFillable"),
        (UNKNOWN_ORDER, "UnknownOrder"),
        (NOT_YOUR_ORDER, "NotYourOrder"),
        (UNKNOWN_ASSET, "UnknownAsset"),
        (PRICE_OFF_STEP, "PriceOffStep"),
        (QTY_OFF_STEP, "QtyOffStep"),
        (NOTIONAL_OUT_OF_RANGE, "NotionalOutOfRange"),
        (OPEN_ORDERS_LIMIT, "OpenOrdersLimit"),
        (DUPLICATE_CLIENT_ID, "DuplicateClientId"),
        (TRIGGER_BEYOND, "TriggerBeyond"),
        (EXPIRY_PAST, "ExpiryPast"),
        (POSITION_LIMIT, "PositionLimit"),
        (OPEN_INTEREST_LIMIT, "OpenInterestLimit"),
        (AMOUNT_OUT_OF_RANGE, "AmountOutOfRange"),
        (ACCOUNTS_FULL, "AccountsFull"),
        (102, "TimersPending"),
        (208, "InLiquidation"),
        (303, "MarginShort"),
    ];
}

/// Reasons of a Cancelled.
pub mod reason {
    /// The owner asked.
    pub const USER: u16 = 1;
    /// Rest of an order that does not rest.
    pub const IMMEDIATE: u16 = 2;
    /// Its time is over.
    pub const EXPIRED: u16 = 5;
    /// It would no longer reduce.
    pub const REDUCE_ONLY: u16 = 6;
    /// Two orders of one party met.
    pub const SELF_TRADE: u16 = 7;
    /// Refused when it fired.
    pub const REFUSED: u16 = 8;
    /// The other of two tied orders.
    pub const OTHER_LEG: u16 = 9;
    /// A new quote took its place.
    pub const REQUOTED: u16 = 10;
    /// Cancelled with every account's.
    pub const OPERATOR: u16 = 11;
}

/// Types of orders.
pub mod order_type {
    /// Rests.
    pub const LIMIT: u16 = 0;
    /// Immediate or cancel.
    pub const IOC: u16 = 1;
    /// Fill or kill.
    pub const FOK: u16 = 2;
    /// Without a limit.
    pub const MARKET: u16 = 3;
}

/// Flags of a Place.
pub mod flag {
    /// Must not take.
    pub const POST_ONLY: u16 = 1;
    /// Only makes a position smaller.
    pub const REDUCE_ONLY: u16 = 2;
    /// A post-only order moves instead of being refused.
    pub const SLIDE: u16 = 4;
    /// No part of what is shown.
    pub const HIDDEN: u16 = 8;
    /// Expires at the end of the day.
    pub const DAY: u16 = 16;
    /// Where the self-trade mode begins.
    pub const MODE_SHIFT: u16 = 5;
    /// In Accepted: waits for a trigger.
    pub const WAITS: u16 = 256;
}

/// Flags of a Fill.
pub mod fill {
    /// The incoming side.
    pub const TAKER: u16 = 1;
    /// In an auction.
    pub const AUCTION: u16 = 4;
    /// A block.
    pub const BLOCK: u16 = 8;
}

/// Phases by number.
pub mod phase {
    /// 0
    pub const PRE_OPEN: u16 = 0;
    /// 1
    pub const CONTINUOUS: u16 = 1;
    /// 4
    pub const GUARDED: u16 = 4;
    /// 6
    pub const CALL_AUCTION: u16 = 6;
    /// 7
    pub const PAUSE: u16 = 7;
    /// 8
    pub const REDUCE_ONLY: u16 = 8;
    /// 9
    pub const CLOSE_ONLY: u16 = 9;
    /// 10
    pub const HALTED: u16 = 10;
    /// 11
    pub const CLOSED: u16 = 11;
    /// 12
    pub const SETTLEMENT: u16 = 12;

    /// True if incoming orders meet resting ones.
    #[must_use]
    pub fn matches(phase: u16) -> bool {
        (1..=5).contains(&phase) || reducing(phase)
    }

    /// True if orders that add liquidity or reduce are admitted.
    #[must_use]
    pub fn provides(phase: u16) -> bool {
        phase == GUARDED
    }

    /// True if only orders that reduce at once are admitted.
    #[must_use]
    pub fn closes(phase: u16) -> bool {
        phase == CLOSE_ONLY
    }

    /// True if only orders that reduce are admitted.
    #[must_use]
    pub fn reducing(phase: u16) -> bool {
        matches!(phase, REDUCE_ONLY | CLOSE_ONLY)
    }

    /// True if orders are collected without matching.
    #[must_use]
    pub fn collects(phase: u16) -> bool {
        matches!(phase, PRE_OPEN | CALL_AUCTION)
    }

    /// True if the phase is over at its end.
    #[must_use]
    pub fn ends(phase: u16) -> bool {
        !matches!(phase, CONTINUOUS | CLOSED | SETTLEMENT)
    }
}

/// Codes of a Term.
pub mod term {
    /// Fires beyond a worse price.
    pub const STOP: u16 = 1;
    /// Fires beyond a better price.
    pub const TAKE_PROFIT: u16 = 2;
    /// A stop that follows the price.
    pub const TRAILING: u16 = 3;
    /// An iceberg's peak.
    pub const DISPLAY: u16 = 4;
    /// Good till date.
    pub const EXPIRY: u16 = 5;
    /// Minimum fill.
    pub const MINIMUM: u16 = 6;
    /// One cancels other.
    pub const OTHER_LEG: u16 = 7;
    /// Protection in ticks.
    pub const PROTECTION_TICKS: u16 = 8;
    /// Protection in ppm.
    pub const PROTECTION_PPM: u16 = 9;
}
