//! Final settlement of a market.

use super::{ConfigError, refuse};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// How a market is settled: docs/mechanics.md section 8.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalSettlement {
    /// At which price.
    pub price: SettlementPrice,
    /// How long before it only orders that make positions smaller are admitted.
    pub reduce_only_ns: Nanos,
    /// The time from a loss that nobody carried to the settlement that it leads to; null for none.
    pub notice_ns: Option<Nanos>,
}

/// The price of a final settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SettlementPrice {
    /// The index at that time.
    Index,
    /// The mark at that time.
    Mark,
    /// The index, averaged over the time before.
    Average {
        /// How long before.
        window_ns: Nanos,
    },
}

impl SettlementPrice {
    /// The time over which prices count.
    pub(crate) fn window(self) -> Nanos {
        match self {
            Self::Average { window_ns } => window_ns,
            Self::Index | Self::Mark => Nanos::ZERO,
        }
    }
}

impl FinalSettlement {
    pub(super) fn prove(&self, at: &str, cleared: bool) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.settlement.{name}");
        if !cleared {
            return refuse(
                format!("{at}.settlement"),
                "a market without clearing has nothing to settle; use null",
            );
        }
        if let SettlementPrice::Average { window_ns } = self.price
            && !window_ns.is_positive()
        {
            return refuse(field("price.average.window_ns"), format!("{window_ns}: must be positive"));
        }
        if self.reduce_only_ns.is_negative() {
            return refuse(field("reduce_only_ns"), format!("{}: must not be negative", self.reduce_only_ns));
        }
        match self.notice_ns {
            Some(notice) if !notice.is_positive() => {
                refuse(field("notice_ns"), format!("{notice}: must be positive, or null for none"))
            }
            _ => Ok(()),
        }
    }
}
