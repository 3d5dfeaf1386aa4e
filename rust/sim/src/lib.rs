//! The world around one venue: index paths, a population of leveraged accounts, market makers, flow.
//!
//! Everything random is keyed by (seed, agent, purpose, decision index); everything that reaches the venue is a
//! command that a user could send. Floats live here and never in a command.
//!
//! # What the index is, and what it is not
//!
//! No index of the crash days is in the data. The index is a proxy: the mark where there is one, else the last price.
//! It already contains the historical cascade, so nothing can be learnt from a replay that merely follows it. Therefore
//! a part of it is taken out and given back by the venue's own liquidations:
//!
//! - the *flood level* of a time is the price that the path had within a window before it and has again within a window
//!   after it; what lies below is an overshoot, a fall that was taken back ([`path::flood`]);
//! - the *fundamental path* is the input with `cascade_share` of every overshoot removed, in logarithms;
//! - the *index* is the fundamental path x (1 - response), the response a power of the liquidation notional that the
//!   venue's book executed, decaying with time, over the open interest at the start.
//!
//! How much of a fall was forced is nobody's measurement: `cascade_share` is a statement, and coefficient, exponent and
//! decay were chosen so that runs with liquidations come near the recorded lows. Without liquidations the index is the
//! fundamental path; with the impact switch off it is the input, to the tick, whatever the venue does.
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "models are made of floats; what reaches the venue is rounded to ticks, lots and minor units first"
)]

pub mod flow;
pub mod makers;
pub mod path;
pub mod policy;
pub mod population;
pub mod rng;
pub mod scenario;
pub mod tally;
#[cfg(test)]
mod testing;
pub mod world;

pub use policy::{Circular, Policy, PolicyError};
pub use scenario::{Scenario, ScenarioError};
pub use tally::{MarketSummary, Series, Summary};
pub use world::{Error, Keep, Options, World};
