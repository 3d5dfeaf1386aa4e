//! One deterministic derivatives venue: matching, margin, liquidation, insurance fund, auto-deleveraging (ADL)
//! and circuit breakers, exact to the last unit.
//!
//! The modules are listed in the order in which data flows; each imports only from modules above it. What the
//! venue does, line by line, is in docs/mechanics.md.
#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic, clippy::as_conversions)]
#![cfg_attr(test, allow(clippy::as_conversions))]

mod units;

pub mod protocol;

pub mod config;

mod codec;

mod order;

mod deltas;

mod stairs;

mod book;

mod allocation;
mod auction;
mod blocks;
mod breaker;
mod calls;
mod funding;
mod history;
mod index;
mod ledger;
mod mark;
mod settlement;
mod volunteers;

mod margin;

mod guard;

pub mod adl;
mod insurance;

mod floor;

mod deleverage;

mod liquidation;

mod venue;

mod report;
mod session;

pub use auction::{Clearing, Grid, Interest, clearing};
pub use book::{Level, Resting, Work};
pub use breaker::{
    Admitted, Bounds, BreakerWork, EndMode, Exact, LimitOutcome, QuoteState, Sight, Spot, admit, bounds,
    combined, gap_row, later_end, left, level_prices, limit_outcome, mean_reference, quote_state,
    re_reference, reopening_collar, rounded, scheduled,
};
pub use codec::{CodecError, EventDigest, hex};
pub use config::{Config, ConfigError};
pub use deleverage::{AdlRound, LightRow};
pub use deltas::{Delta, Deltas};
pub use funding::{funding_payment_up, funding_rate};
pub use guard::GuardWork;
pub use insurance::{
    Debt, Drawn, Resolved, Spread, drawdown, fund_delta, fund_fee, negative_pnl, two_sided_loss,
};
pub use ledger::{Place, Position};
pub use liquidation::{
    Freed, Ramp, ShareStep, Steps, dutch_price, fillable_price, ramp_share, schedule, share_step,
    size_to_close,
};
pub use margin::{Health, InitialMargin};
pub use protocol::{Command, Events, OrderType, Phase, Record, Reject};
pub use report::{
    AccountRow, AssetTotals, CallRow, Conservation, LiquidationRow, MarketRow, OrderRow, PositionRow,
    WaitingRow,
};
pub use session::{
    Fired, Journal, JournalWriter, MOMENTS_MAX, MovedPrice, PLAN_AWAITED, Trigger, TriggerError, Watch,
    no_plan, run_through, run_until,
};
pub use units::{
    AccountId, AssetId, Closing, Contract, Doubled, Exposed, Fine, Fraction, FundId, MarketId, Money, Nanos,
    OrderId, Ppb, Ppm, Price, Qty, Ratio, Share, Side, Size, Sum, TickValue, deposit_scaled,
    funding_index_delta_towards_zero, largest_remainder, open_interest_rate_down, padded_median_towards_zero,
    premium_towards_zero, quantile_factors, size_discount_down, size_premium_down, size_slope_up, slew_limit,
    tier_deduction, tier_requirement_up, whole_units,
};
pub use venue::{Audit, Venue};
