//! Tests of what the book shows near the mark.

use crate::config::{ConfigError, refuse};
use crate::units::{MILLION, Money, Nanos, Ppm};
use serde::{Deserialize, Serialize};

/// What the depth of a market falls below when a rule trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LeastDepth {
    /// An amount.
    Value {
        /// In minor units of the valuation asset, at the mark.
        least: Money,
    },
    /// A share of what it was.
    Mean {
        /// The share of its mean.
        share_ppm: Ppm,
        /// Over how long.
        window_ns: Nanos,
    },
}

impl LeastDepth {
    pub(super) fn prove(self, at: &str) -> Result<(), ConfigError> {
        match self {
            Self::Value { least } if !least.is_positive() => {
                refuse(format!("{at}.least"), format!("{least}: must be positive"))
            }
            Self::Mean { share_ppm, .. } if !is_part(share_ppm) => {
                refuse(format!("{at}.share_ppm"), format!("{share_ppm}: must be 1 to {MILLION}"))
            }
            Self::Mean { window_ns, .. } if !window_ns.is_positive() => {
                refuse(format!("{at}.window_ns"), format!("{window_ns}: must be positive"))
            }
            Self::Value { .. } | Self::Mean { .. } => Ok(()),
        }
    }
}

/// How far from the mark depth is looked at.
pub(super) fn prove_width(at: &str, width_ppm: Ppm) -> Result<(), ConfigError> {
    if is_part(width_ppm) {
        return Ok(());
    }
    refuse(format!("{at}.width_ppm"), format!("{width_ppm}: must be 1 to {MILLION}"))
}

fn is_part(share: Ppm) -> bool {
    (1..=MILLION).contains(&share.get())
}
