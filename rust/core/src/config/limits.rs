//! What the waterfall does at most in a period, and when money has to stay.

use super::{ConfigError, refuse};
use crate::units::{MILLION, Money, Nanos, Ppm};
use serde::{Deserialize, Serialize};

/// The most that liquidations do in a period: docs/mechanics.md section 8.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockLimits {
    /// Length of a period; 0 for each step by itself.
    pub period_ns: Nanos,
    /// Of one position; null for no limit.
    pub position: Option<PositionBlock>,
    /// Notional of one account; null for no limit.
    pub account_notional: Option<Money>,
    /// What the funds pay for one account; null for no limit.
    pub account_fund_loss: Option<Money>,
    /// Rounds of the waterfall; null for no limit.
    pub rounds: Option<u32>,
    /// Rounds of auto-deleveraging; null for no limit.
    pub adl_rounds: Option<u32>,
}

/// The most of one position that is closed in a period: the larger of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionBlock {
    /// A share of it.
    pub share_ppm: Ppm,
    /// A notional.
    pub notional_min: Money,
}

/// When money has to stay in the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalGate {
    /// For how long.
    pub duration_ns: Nanos,
    /// After what.
    pub trigger: GateTrigger,
}

/// What closes a withdrawal gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateTrigger {
    /// An account in liquidation with less than nothing is seen.
    NegativeEquity,
    /// Lots that auto-deleveraging left, or a loss that nobody carried.
    UncoveredLoss,
}

fn positive(field: String, value: i64) -> Result<(), ConfigError> {
    if value > 0 { Ok(()) } else { refuse(field, format!("{value}: must be positive, or null for no limit")) }
}

impl BlockLimits {
    pub(super) fn prove(&self) -> Result<(), ConfigError> {
        let field = |name: &str| format!("block_limits.{name}");
        if self.period_ns.is_negative() {
            return refuse(field("period_ns"), format!("{}: must not be negative", self.period_ns));
        }
        if let Some(PositionBlock { share_ppm, notional_min }) = self.position {
            if !(1..=MILLION).contains(&share_ppm.get()) {
                return refuse(field("position.share_ppm"), format!("{share_ppm}: must be 1 to 1000000"));
            }
            if notional_min.is_negative() {
                let why = format!("{notional_min}: must not be negative");
                return refuse(field("position.notional_min"), why);
            }
        }
        for (name, value) in [
            ("account_notional", self.account_notional.map(Money::get)),
            ("account_fund_loss", self.account_fund_loss.map(Money::get)),
            ("rounds", self.rounds.map(i64::from)),
            ("adl_rounds", self.adl_rounds.map(i64::from)),
        ] {
            positive(field(name), value.unwrap_or(1))?;
        }
        Ok(())
    }
}

impl WithdrawalGate {
    pub(super) fn prove(&self) -> Result<(), ConfigError> {
        if self.duration_ns.is_positive() {
            return Ok(());
        }
        refuse("withdrawal_gate.duration_ns", format!("{}: must be positive", self.duration_ns))
    }
}
