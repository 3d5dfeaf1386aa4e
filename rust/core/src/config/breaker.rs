//! Breaker rules.

use super::{ConfigError, refuse};
use crate::protocol::Phase;
use crate::units::{MILLION, MarketId, Nanos, Ppm};
use serde::{Deserialize, Serialize};

/// One breaker rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Name.
    pub name: String,
    /// Markets that it watches.
    pub markets: Vec<MarketId>,
    /// What it does.
    pub rule: Rule,
}

/// What a breaker rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A constraint: no trade of an incoming order outside a band around the mark.
    Band {
        /// Half width; null for infinite.
        width_ppm: Option<Ppm>,
        /// What happens to an order beyond it.
        action: BandAction,
        /// Liquidation orders are not bound.
        exempt_liquidations: bool,
    },
    /// An interruption: a move of at least a width within a window changes the phase for a while.
    Move {
        /// Size of the move.
        width_ppm: Ppm,
        /// Length of the window.
        window_ns: Nanos,
        /// Which prices are watched.
        source: MoveSource,
        /// The phase that follows.
        phase: Phase,
        /// How long it lasts.
        duration_ns: Nanos,
        /// Liquidation orders are not asked about.
        exempt_liquidations: bool,
    },
}

/// What a band does with an order beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandAction {
    /// Its limit becomes the bound.
    Cap,
    /// It is refused.
    Reject,
}

/// Prices that a move rule watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveSource {
    /// Trades, before each price level is reached.
    Trade,
    /// The mark.
    Mark,
}

impl Breaker {
    pub(super) fn prove(&self, at: &str, markets: usize) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        if self.markets.is_empty() {
            return refuse(field("markets"), "is empty; name at least one market");
        }
        if let Some(unknown) = self.markets.iter().find(|m| m.index() >= markets) {
            return refuse(field("markets"), format!("{unknown}: no such market"));
        }
        match self.rule {
            Rule::Band { width_ppm: Some(w), .. } if !(1..=1000 * MILLION).contains(&w.get()) => {
                refuse(field("rule.width_ppm"), format!("{w}: must be 1 to 1000000000, or null for infinite"))
            }
            Rule::Band { .. } => Ok(()),
            Rule::Move { width_ppm, window_ns, phase, duration_ns, .. } => {
                if !(1..=1000 * MILLION).contains(&width_ppm.get()) {
                    return refuse(field("rule.width_ppm"), format!("{width_ppm}: must be 1 to 1000000000"));
                }
                for (name, time) in [("rule.window_ns", window_ns), ("rule.duration_ns", duration_ns)] {
                    if !time.is_positive() {
                        return refuse(field(name), format!("{time}: must be positive"));
                    }
                }
                let interrupts =
                    matches!(phase, Phase::Halted | Phase::Pause | Phase::CallAuction | Phase::ReduceOnly);
                if !interrupts {
                    let why = format!("{phase:?}: must be halted, pause, call_auction or reduce_only");
                    return refuse(field("rule.phase"), why);
                }
                Ok(())
            }
        }
    }
}
