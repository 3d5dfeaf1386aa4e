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

mod book;

mod allocation;
mod auction;
mod breaker;
mod funding;
mod ledger;
mod mark;

mod margin;

mod guard;

mod adl;
mod insurance;

mod floor;

mod liquidation;

mod venue;

mod report;
mod session;

pub use book::{Level, Resting, Work};
pub use codec::{CodecError, EventDigest, hex};
pub use config::{Config, ConfigError};
pub use deltas::{Delta, Deltas};
pub use guard::GuardWork;
pub use ledger::{Place, Position};
pub use margin::Health;
pub use protocol::{Command, Events, OrderType, Phase, Record, Reject};
pub use report::{AccountRow, AssetTotals, Conservation, LiquidationRow, OrderRow, PositionRow, WaitingRow};
pub use session::{Journal, JournalWriter};
pub use units::{
    AccountId, AssetId, FundId, MarketId, Money, Nanos, OrderId, Ppb, Ppm, Price, Qty, Side, Sum, TickValue,
    largest_remainder,
};
pub use venue::{Audit, Venue};
