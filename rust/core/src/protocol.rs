//! The vocabulary: records, commands, events, rejects, phases.
//!
//! Commands and events are 64-byte records with one layout (docs/mechanics.md section 1). Numeric codes are
//! stable: they are part of journals and of what users store. Knows nothing of state.

mod events;
mod phase;
mod self_trade;
pub(crate) mod word;

pub use events::Events;
pub use phase::{Admission, AfterPhase, Phase, Placing, Replacing};
pub use self_trade::SelfTrade;

use crate::units::{AccountId, AssetId, FundId, MarketId, Money, Nanos, OrderId, Ppm, Price, Qty};
use bytemuck::{Pod, Zeroable};

/// One command or event: 64 bytes, little-endian on every platform that this crate supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Record {
    /// What the record is: a `command` or `event` constant.
    pub kind: u16,
    /// Bits or a small number; meaning by kind.
    pub flags: u16,
    /// The venue's configured number.
    pub venue: u16,
    /// Market, or [`MarketId::NONE`].
    pub market: u16,
    /// Nanoseconds since the Unix epoch.
    pub at: i64,
    /// Events: number from 1 without gaps. Commands: not read.
    pub seq: u64,
    /// Who sent the command: 0 user, 1 policy, 2 world; repeated in its events.
    pub source: u8,
    /// 0 buy, 1 sell.
    pub side: u8,
    /// Order type, asset, fund, phase, reject code or reason; meaning by kind.
    pub code: u16,
    /// Account number.
    pub account: u32,
    /// Order id; another account's number in Block and `TakenOver`.
    pub order: u64,
    /// Ticks.
    pub price: i64,
    /// Lots; a requirement or minor units where the kind says so.
    pub qty: i64,
    /// Minor units; a time or a rate where the kind says so.
    pub amount: i64,
}

const _: () = assert!(size_of::<Record>() == 64 && align_of::<Record>() == 8);

/// Who sent a command.
pub mod source {
    /// A user.
    pub const USER: u8 = 0;
    /// A policy.
    pub const POLICY: u8 = 1;
    /// The world around the venue.
    pub const WORLD: u8 = 2;
}

/// Kinds of commands.
pub mod command {
    /// A new order.
    pub const PLACE: u16 = 1;
    /// Takes a resting order out.
    pub const CANCEL: u16 = 2;
    /// Changes a resting order.
    pub const REPLACE: u16 = 3;
    /// Takes all of an account's resting orders out.
    pub const CANCEL_ALL: u16 = 4;
    /// A trade agreed outside the book.
    pub const BLOCK: u16 = 5;
    /// A term of the account's next order.
    pub const TERM: u16 = 6;
    /// Both sides of a market maker's quote.
    pub const QUOTE: u16 = 7;
    /// A new account.
    pub const OPEN_ACCOUNT: u16 = 10;
    /// Money in.
    pub const DEPOSIT: u16 = 11;
    /// Money out.
    pub const WITHDRAW: u16 = 12;
    /// Money into an insurance fund.
    pub const FUND_DEPOSIT: u16 = 13;
    /// The leverage that an account allows itself in a market.
    pub const SET_LEVERAGE: u16 = 14;
    /// Money to another account of the group.
    pub const TRANSFER: u16 = 15;
    /// What a market's margin rates are multiplied by.
    pub const SET_MULTIPLIER: u16 = 16;
    /// How an account is margined.
    pub const SET_MARGIN_MODE: u16 = 17;
    /// A new index price.
    pub const INDEX: u16 = 20;
    /// The operator sets a market's phase.
    pub const SET_PHASE: u16 = 21;
    /// Lets waiting work go on.
    pub const PULSE: u16 = 22;
    /// A price of one of a market's sources.
    pub const SOURCE: u16 = 23;
    /// The lots that an account is ready to take over.
    pub const VOLUNTEER: u16 = 24;
    /// When a market is settled for good.
    pub const SETTLE: u16 = 25;
    /// Changes a breaker of the configuration.
    pub const SET_RULE: u16 = 30;
    /// Does what a trip of a breaker does.
    pub const INTERRUPT: u16 = 31;

    /// A plan of auto-deleveraging begins.
    pub const PLAN_BEGIN: u16 = 40;
    /// One winner of a plan.
    pub const PLAN_ROW: u16 = 41;
    /// A plan is whole, or none comes.
    pub const PLAN_COMMIT: u16 = 42;

    /// True for the commands of which there are many.
    pub(crate) const fn is_frequent(kind: u16) -> bool {
        matches!(kind, PLACE | CANCEL)
    }

    /// A bit for each kind.
    const KNOWN: u64 = 0xFE | 0xFF << OPEN_ACCOUNT | 0x3F << INDEX | 0x3 << SET_RULE | 0x7 << PLAN_BEGIN;

    /// True if a command has this kind.
    #[must_use]
    pub const fn is_known(kind: u16) -> bool {
        kind < 64 && KNOWN >> kind & 1 == 1
    }
}

/// Kinds of events.
pub mod event {
    /// A command was refused.
    pub const REJECTED: u16 = 100;
    /// An account was opened.
    pub const ACCOUNT_OPENED: u16 = 101;
    /// Money came in.
    pub const DEPOSITED: u16 = 102;
    /// Money went out.
    pub const WITHDRAWN: u16 = 103;
    /// Money came into an insurance fund.
    pub const FUND_DEPOSITED: u16 = 104;
    /// An account chose its leverage in a market.
    pub const LEVERAGE_SET: u16 = 105;
    /// Money went to another account.
    pub const TRANSFERRED: u16 = 106;
    /// A market entered a phase.
    pub const PHASE_CHANGED: u16 = 110;
    /// A breaker interrupted.
    pub const BREAKER_TRIPPED: u16 = 111;
    /// A breaker refused, capped or stopped an order.
    pub const ORDER_BOUNDED: u16 = 112;
    /// A breaker was changed.
    pub const RULE_SET: u16 = 113;
    /// An order was accepted.
    pub const ACCEPTED: u16 = 200;
    /// A waiting order fired.
    pub const TRIGGERED: u16 = 201;
    /// What was open of an order is gone, or a part of it.
    pub const CANCELLED: u16 = 202;
    /// A resting order was changed.
    pub const REPLACED: u16 = 203;
    /// What an iceberg shows now.
    pub const SHOWN: u16 = 204;
    /// An order waits for its trigger.
    pub const ARMED: u16 = 205;
    /// One side of a trade.
    pub const FILL: u16 = 210;
    /// An auction found its price.
    pub const UNCROSSED: u16 = 300;
    /// What an auction would do now.
    pub const INDICATIVE: u16 = 301;
    /// A new mark.
    pub const MARKED: u16 = 400;
    /// Sources of an index came or grew stale.
    pub const INDEX_STATE: u16 = 401;
    /// A funding settlement begins.
    pub const FUNDING_SETTLED: u16 = 410;
    /// One account's funding.
    pub const FUNDING_PAID: u16 = 411;
    /// An account fell below the call requirement.
    pub const MARGIN_CALLED: u16 = 500;
    /// A called account is above the call requirement again.
    pub const MARGIN_CALL_CLEARED: u16 = 501;
    /// What a called account lacks, and until when it has to cure that.
    pub const MARGIN_CALL_DUE: u16 = 502;
    /// A round begins with an account below a level under maintenance.
    pub const LEVEL_REACHED: u16 = 503;
    /// A market's margin rates were multiplied.
    pub const MULTIPLIER_SET: u16 = 504;
    /// An account is margined in another way.
    pub const MARGIN_MODE_SET: u16 = 505;
    /// An account fell below maintenance and joined the queue.
    pub const LIQUIDATION_STARTED: u16 = 510;
    /// The venue sends an order to close a position.
    pub const LIQUIDATION_ORDER: u16 = 511;
    /// An account left the queue.
    pub const LIQUIDATION_ENDED: u16 = 512;
    /// The backstop took lots over.
    pub const TAKEN_OVER: u16 = 513;
    /// The liquidator was paid out of what the book filled.
    pub const LIQUIDATOR_PAID: u16 = 514;
    /// An account said how many lots it is ready to take over.
    pub const VOLUNTEER_SET: u16 = 515;
    /// A volunteer took lots over.
    pub const ASSIGNED: u16 = 516;
    /// Lots that no volunteer took.
    pub const ASSIGNMENT_REMAINDER: u16 = 517;
    /// A market's settlement was planned, or is not any more.
    pub const SETTLEMENT_PLANNED: u16 = 518;
    /// A market's positions begin to be closed for good.
    pub const SETTLEMENT_STARTED: u16 = 519;
    /// A fund paid.
    pub const FUND_PAID: u16 = 520;
    /// A fund received.
    pub const FUND_RECEIVED: u16 = 521;
    /// Another asset was sold for a debt.
    pub const COLLATERAL_SOLD: u16 = 522;
    /// What a fund had above its cap moved to the fees earned.
    pub const FUND_CAPPED: u16 = 523;
    /// A market's drawdown trigger turned on or off.
    pub const DRAWDOWN_CHANGED: u16 = 524;
    /// A round of auto-deleveraging begins.
    pub const ADL_STARTED: u16 = 530;
    /// One winner was deleveraged.
    pub const ADL_FILL: u16 = 531;
    /// Lots that auto-deleveraging left open.
    pub const ADL_REMAINDER: u16 = 532;
    /// One winner gave up profit and kept its position.
    pub const ADL_HAIRCUT: u16 = 533;
    /// The waterfall waits for a plan of auto-deleveraging.
    pub const ADL_REQUESTED: u16 = 534;
    /// A plan of auto-deleveraging, or its fallback, is carried out.
    pub const ADL_PLANNED: u16 = 535;
    /// An account carried a part of a loss.
    pub const SOCIALISED: u16 = 540;
    /// A loss that nobody carried.
    pub const BAD_DEBT: u16 = 541;
    /// The fees earned carried a part of a loss.
    pub const FEES_PAID: u16 = 542;
    /// A debtor paid a claim out of a deposit.
    pub const CLAIM_PAID: u16 = 543;
    /// A long and a short were closed against each other in a settlement.
    pub const SETTLED: u16 = 544;
    /// Withdrawals and transfers are refused for a time.
    pub const WITHDRAWALS_GATED: u16 = 545;
    /// A limit of the period kept the waterfall from something.
    pub const LIMIT_REACHED: u16 = 546;
}

/// Order flag: refuse the order if it would take.
pub const POST_ONLY: u16 = 1;
/// Order flag: the order may only make the position smaller.
pub const REDUCE_ONLY: u16 = 2;
/// Order flag: a post-only order that would take moves to the price short of it.
pub const SLIDE: u16 = 4;
/// Order flag: no part of what others see of the book.
pub const HIDDEN: u16 = 8;
/// Order flag: the order expires at the end of the trading day.
pub const DAY: u16 = 16;
/// Order flags: bits of the self-trade mode.
pub const SELF_TRADE: u16 = 7 << SELF_TRADE_SHIFT;
/// Where the self-trade mode begins.
pub const SELF_TRADE_SHIFT: u32 = 5;
/// Flag of `LiquidationOrder`: it rests until the auction of its market.
pub const LIQUIDATION_RESTS: u16 = 2;
/// Flag of Replaced: the order kept its priority.
pub const REPLACED_KEPT: u16 = 1;
/// In `LiquidationStarted`: the deadline of the account's margin call has passed.
pub const LIQUIDATED_FOR_CALL: u16 = 1;
/// Flag of Replaced: a market order of an auction comes to rest at its price.
pub const REPLACED_PRICED: u16 = 2;
/// Flag of Accepted: the order waits for its trigger.
pub const WAITING: u16 = 256;

/// Flag of Cancel and Replace: `order` is a client id.
pub const BY_CLIENT_ID: u16 = 1;
/// Flag of `CancelAll`: only orders of `side`.
pub const ONLY_SIDE: u16 = 1;
/// Flag of `CancelAll`: only orders of session `amount`.
pub const ONLY_SESSION: u16 = 2;
/// Account of a `CancelAll` of every account.
pub const EVERY_ACCOUNT: AccountId = AccountId::new(u32::MAX);

/// Fill flag: the incoming side.
pub const FILL_TAKER: u16 = 1;
/// Fill flag: this side is a liquidation order.
pub const FILL_LIQUIDATION: u16 = 2;
/// Fill flag: in an auction.
pub const FILL_AUCTION: u16 = 4;
/// Fill flag: a block trade.
pub const FILL_BLOCK: u16 = 8;

/// How long an order lives and how it is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum OrderType {
    /// A limit order that rests until cancelled.
    Limit = 0,
    /// A limit order whose rest is cancelled at once.
    ImmediateOrCancel = 1,
    /// A limit order filled entirely at once or refused.
    FillOrKill = 2,
    /// An order without limit whose rest is cancelled at once.
    Market = 3,
}

impl OrderType {
    /// The type of a number in a record.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Limit),
            1 => Some(Self::ImmediateOrCancel),
            2 => Some(Self::FillOrKill),
            3 => Some(Self::Market),
            _ => None,
        }
    }

    /// The number in a record.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Limit => 0,
            Self::ImmediateOrCancel => 1,
            Self::FillOrKill => 2,
            Self::Market => 3,
        }
    }
}

/// Why a command was refused. Blocks by stage: 1xx time and form, 2xx admission, 3xx checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Reject {
    /// The command's time is before the venue's.
    TimeBackwards = 101,
    /// Due timers are not finished; only Pulse is admitted.
    TimersPending = 102,
    /// No command has this kind.
    UnknownCommand = 103,
    /// No market has this number.
    UnknownMarket = 201,
    /// No account has this number.
    UnknownAccount = 202,
    /// A field has a value that the command does not allow.
    BadField = 203,
    /// The market's phase does not admit the command.
    PhaseRefuses = 204,
    /// The market has no index yet.
    NoMark = 205,
    /// The quantity is below 1 or above the configured maximum.
    QtyOutOfRange = 206,
    /// The price is below 1 or above the configured maximum.
    PriceOutOfRange = 207,
    /// The account is being liquidated.
    InLiquidation = 208,
    /// A reducing order that would not reduce.
    NotReducing = 209,
    /// The book holds its maximum of orders.
    BookFull = 210,
    /// The price is outside a band that rejects.
    BandRefuses = 211,
    /// A post-only order that would take.
    WouldTake = 212,
    /// A fill-or-kill order that cannot be filled entirely.
    NotFillable = 213,
    /// No resting order has this id.
    UnknownOrder = 214,
    /// The order belongs to another account.
    NotYourOrder = 215,
    /// No asset has this number.
    UnknownAsset = 216,
    /// No fund has this number.
    UnknownFund = 217,
    /// The price is not a multiple of the price step.
    PriceOffStep = 218,
    /// The quantity is not a multiple of the quantity step.
    QtyOffStep = 219,
    /// The notional is outside the market's limits.
    NotionalOutOfRange = 220,
    /// The account has its maximum of open orders in the market.
    OpenOrdersLimit = 221,
    /// An open order has this client id.
    DuplicateClientId = 222,
    /// The watched price is beyond the trigger already.
    TriggerBeyond = 223,
    /// The expiry is not in the future.
    ExpiryPast = 224,
    /// A source's ask is below its bid.
    SourceCrossed = 225,
    /// A source's price is too old, or older than the one before.
    SourceStale = 226,
    /// Money has to stay in the venue for a time.
    WithdrawalsGated = 227,
    /// No breaker of the configuration has this number, or the market does not have it.
    UnknownRule = 235,
    /// The waterfall waits for a plan; only the plan, cancels and Pulse are admitted.
    AwaitingPlan = 250,
    /// No plan is awaited, or one of another round.
    NoPlanAwaited = 251,
    /// A plan closes more lots than are to be closed.
    PlanTooLarge = 252,
    /// A plan names an account that is no candidate, or one twice.
    PlanNotCandidate = 253,
    /// A plan closes no lots of an account, or more than it may.
    PlanBeyondCap = 254,
    /// The position could exceed the configured maximum.
    PositionLimit = 301,
    /// The open interest could exceed the configured maximum.
    OpenInterestLimit = 302,
    /// Initial margin is not covered.
    MarginShort = 303,
    /// The balance is smaller than the amount.
    BalanceShort = 304,
    /// The amount is below 1 or above the configured maximum.
    AmountOutOfRange = 305,
    /// The venue holds its maximum of accounts.
    AccountsFull = 306,
    /// The multiplied rates are not whole, or would not be accepted in a configuration.
    MultiplierRefused = 307,
}

impl Reject {
    /// Every code with its name, in order.
    pub const ALL: [Self; 43] = [
        Self::TimeBackwards,
        Self::TimersPending,
        Self::UnknownCommand,
        Self::UnknownMarket,
        Self::UnknownAccount,
        Self::BadField,
        Self::PhaseRefuses,
        Self::NoMark,
        Self::QtyOutOfRange,
        Self::PriceOutOfRange,
        Self::InLiquidation,
        Self::NotReducing,
        Self::BookFull,
        Self::BandRefuses,
        Self::WouldTake,
        Self::NotFillable,
        Self::UnknownOrder,
        Self::NotYourOrder,
        Self::UnknownAsset,
        Self::UnknownFund,
        Self::PriceOffStep,
        Self::QtyOffStep,
        Self::NotionalOutOfRange,
        Self::OpenOrdersLimit,
        Self::DuplicateClientId,
        Self::TriggerBeyond,
        Self::ExpiryPast,
        Self::SourceCrossed,
        Self::SourceStale,
        Self::WithdrawalsGated,
        Self::UnknownRule,
        Self::AwaitingPlan,
        Self::NoPlanAwaited,
        Self::PlanTooLarge,
        Self::PlanNotCandidate,
        Self::PlanBeyondCap,
        Self::PositionLimit,
        Self::OpenInterestLimit,
        Self::MarginShort,
        Self::BalanceShort,
        Self::AmountOutOfRange,
        Self::AccountsFull,
        Self::MultiplierRefused,
    ];

    /// The number in a record.
    #[must_use]
    #[allow(clippy::as_conversions, reason = "a fieldless enum with an explicit representation")]
    pub const fn code(self) -> u16 {
        self as u16
    }
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The owner asked.
    User,
    /// The rest of an order that does not rest.
    Immediate,
    /// The owner is being liquidated.
    Liquidation,
    /// A breaker interrupted the match.
    Breaker,
    /// Its time is over.
    Expired,
    /// It would not reduce the position.
    ReduceOnly,
    /// It was about to meet an order of its own party.
    SelfTrade,
    /// It fired and was refused.
    Refused,
    /// Its other leg traded, fired or went.
    OtherLeg,
    /// A new quote took its place.
    Requoted,
    /// The operator cancelled every account's orders.
    Operator,
    /// The market is to be settled.
    Settlement,
    /// Its account does not cover the fill level.
    Margin,
}

impl CancelReason {
    /// The number in a record.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::User => 1,
            Self::Immediate => 2,
            Self::Liquidation => 3,
            Self::Breaker => 4,
            Self::Expired => 5,
            Self::ReduceOnly => 6,
            Self::SelfTrade => 7,
            Self::Refused => 8,
            Self::OtherLeg => 9,
            Self::Requoted => 10,
            Self::Operator => 11,
            Self::Settlement => 12,
            Self::Margin => 13,
        }
    }
}

/// How many of an index's sources are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// All of them.
    Live,
    /// Enough of them.
    Degraded,
    /// Too few: index and mark stay as they are.
    Stale,
}

impl IndexState {
    /// The number in a record.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Live => 0,
            Self::Degraded => 1,
            Self::Stale => 2,
        }
    }
}

/// The commands of every day, typed. Terms, quotes, client ids and sessions are written as a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the record, docs/mechanics.md section 1")]
pub enum Command {
    Place { market: MarketId, account: AccountId, side: u8, code: u16, flags: u16, price: Price, qty: Qty },
    Cancel { market: MarketId, account: AccountId, order: OrderId },
    Replace { market: MarketId, account: AccountId, order: OrderId, price: Price, qty: Qty },
    CancelAll { market: MarketId, account: AccountId },
    Block { market: MarketId, buyer: AccountId, seller: u64, price: Price, qty: Qty },
    OpenAccount,
    Deposit { account: AccountId, asset: AssetId, amount: Money },
    Withdraw { account: AccountId, asset: AssetId, amount: Money },
    FundDeposit { fund: FundId, amount: Money },
    SetLeverage { market: MarketId, account: AccountId, leverage: i64 },
    Transfer { account: AccountId, to: AccountId, asset: AssetId, amount: Money },
    SetMultiplier { market: MarketId, initial: Ppm, maintenance: Ppm },
    SetMarginMode { account: AccountId, portfolio: bool },
    Index { market: MarketId, price: Price },
    SetPhase { market: MarketId, code: u16, end: Nanos },
    Pulse,
    Volunteer { market: MarketId, account: AccountId, lots: Qty },
    Settle { market: MarketId, at: Nanos },
}

impl Command {
    /// The record of this command at a time.
    #[must_use]
    pub fn encode(&self, at: Nanos) -> Record {
        let none = MarketId::NONE.get();
        let base = Record { at: at.get(), market: none, ..Record::default() };
        let cash = |kind, account: AccountId, asset: AssetId, amount: Money| Record {
            kind,
            account: account.get(),
            code: asset.get(),
            amount: amount.get(),
            ..base
        };
        match *self {
            Self::Place { market, account, side, code, flags, price, qty } => Record {
                kind: command::PLACE,
                flags,
                market: market.get(),
                side,
                code,
                account: account.get(),
                price: price.get(),
                qty: qty.get(),
                ..base
            },
            Self::Cancel { market, account, order } => Record {
                kind: command::CANCEL,
                market: market.get(),
                account: account.get(),
                order: order.raw(),
                ..base
            },
            Self::Replace { market, account, order, price, qty } => Record {
                kind: command::REPLACE,
                market: market.get(),
                account: account.get(),
                order: order.raw(),
                price: price.get(),
                qty: qty.get(),
                ..base
            },
            Self::CancelAll { market, account } => {
                Record { kind: command::CANCEL_ALL, market: market.get(), account: account.get(), ..base }
            }
            Self::Block { market, buyer, seller, price, qty } => Record {
                kind: command::BLOCK,
                market: market.get(),
                account: buyer.get(),
                order: seller,
                price: price.get(),
                qty: qty.get(),
                ..base
            },
            Self::OpenAccount => Record { kind: command::OPEN_ACCOUNT, ..base },
            Self::Deposit { account, asset, amount } => cash(command::DEPOSIT, account, asset, amount),
            Self::Withdraw { account, asset, amount } => cash(command::WITHDRAW, account, asset, amount),
            Self::FundDeposit { fund, amount } => {
                Record { kind: command::FUND_DEPOSIT, code: fund.get(), amount: amount.get(), ..base }
            }
            Self::SetMarginMode { account, portfolio } => {
                let code = u16::from(portfolio);
                Record { kind: command::SET_MARGIN_MODE, account: account.get(), code, ..base }
            }
            Self::SetMultiplier { market, initial, maintenance } => Record {
                kind: command::SET_MULTIPLIER,
                market: market.get(),
                qty: initial.get(),
                amount: maintenance.get(),
                ..base
            },
            Self::SetLeverage { market, account, leverage } => Record {
                kind: command::SET_LEVERAGE,
                market: market.get(),
                account: account.get(),
                amount: leverage,
                ..base
            },
            Self::Transfer { account, to, asset, amount } => {
                Record { order: to.get().into(), ..cash(command::TRANSFER, account, asset, amount) }
            }
            Self::Index { market, price } => {
                Record { kind: command::INDEX, market: market.get(), price: price.get(), ..base }
            }
            Self::SetPhase { market, code, end } => {
                Record { kind: command::SET_PHASE, market: market.get(), code, amount: end.get(), ..base }
            }
            Self::Pulse => Record { kind: command::PULSE, ..base },
            Self::Settle { market, at } => {
                Record { kind: command::SETTLE, market: market.get(), amount: at.get(), ..base }
            }
            Self::Volunteer { market, account, lots } => Record {
                kind: command::VOLUNTEER,
                market: market.get(),
                account: account.get(),
                qty: lots.get(),
                ..base
            },
        }
    }
}

/// An event's payload to fill in: its kind and market.
#[must_use]
#[inline]
pub(crate) fn event_of(kind: u16, market: MarketId) -> Record {
    Record { kind, market: market.get(), ..Record::default() }
}
