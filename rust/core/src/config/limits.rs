//! What the waterfall does at most in a period, and when money has to stay.

use super::{ConfigError, is_default, refuse};
use crate::protocol::Phase;
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
    /// Phases in which a market has the limits of a position and of an account's notional; null for every phase.
    #[serde(default, skip_serializing_if = "is_default")]
    pub phases: Option<Phases>,
}

/// Some phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Phase>", into = "Vec<Phase>")]
pub struct Phases(u16);

impl Phases {
    fn all(self) -> impl Iterator<Item = Phase> {
        Phase::ALL.into_iter().filter(move |phase| self.has(*phase))
    }

    /// True if a phase is one of them.
    #[must_use]
    pub fn has(self, phase: Phase) -> bool {
        self.0 >> phase.code() & 1 == 1
    }
}

impl TryFrom<Vec<Phase>> for Phases {
    type Error = String;

    fn try_from(list: Vec<Phase>) -> Result<Self, String> {
        let phases = Self(list.iter().fold(0, |bits, phase| bits | 1 << phase.code()));
        if phases.all().count() == list.len() { Ok(phases) } else { Err("a phase is named twice".to_owned()) }
    }
}

impl From<Phases> for Vec<Phase> {
    fn from(phases: Phases) -> Self {
        phases.all().collect()
    }
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
        self.phases.map_or(Ok(()), |phases| self.prove_phases(&field("phases"), phases))
    }

    fn prove_phases(&self, field: &str, phases: Phases) -> Result<(), ConfigError> {
        let of_venue = [
            ("account_fund_loss", self.account_fund_loss.is_some()),
            ("rounds", self.rounds.is_some()),
            ("adl_rounds", self.adl_rounds.is_some()),
        ];
        if let Some((name, _)) = of_venue.iter().find(|(_, is_there)| *is_there) {
            let why = format!("do not go with {name}, which is of the whole venue; leave one of both out");
            return refuse(field, why);
        }
        if self.position.is_none() && self.account_notional.is_none() {
            return refuse(field, "limit nothing; give position or account_notional, or leave them out");
        }
        match phases.all().find(|phase| !phase.admits().liquidation) {
            Some(phase) => refuse(field, format!("{phase:?}: nobody is liquidated in it; leave it out")),
            None if phases.0 == 0 => refuse(field, "are empty; give some, or null for every phase"),
            None => Ok(()),
        }
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
