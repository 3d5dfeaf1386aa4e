//! Levels of margin beside initial and maintenance, and what happens there.

use super::{Config, ConfigError, SlicePolicy, refuse};
use crate::units::Fraction;
use serde::{Deserialize, Serialize};

/// Levels of an account's margin; null where a venue has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Levels {
    /// How far from maintenance to initial margin an account has to be covered after a resting order of it trades;
    /// an order whose trade it could not carry is cancelled instead.
    pub fill: Option<Fraction>,
    /// Share of maintenance below which positions are closed whole.
    pub close_out: Option<CloseOut>,
    /// Share of maintenance below which the backstop is asked for the whole account before the book, and above which it
    /// takes nothing over.
    pub backstop: Option<Fraction>,
}

/// The level below which an account's positions are closed whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseOut {
    /// The share of maintenance.
    pub below: Fraction,
    /// Whether the book is offered them first.
    pub book: bool,
}

impl Levels {
    fn prove_share(at: &str, of: Fraction, least: u32) -> Result<(), ConfigError> {
        if of.is_share() && of.num >= least {
            return Ok(());
        }
        let from = if least > 0 { "above 0" } else { "from 0" };
        let why =
            format!("{} / {}: must be {from} to 1, with a den of 1 to {}", of.num, of.den, Fraction::DEN_MAX);
        refuse(format!("levels.{at}"), why)
    }

    pub(super) fn prove(&self, config: &Config) -> Result<(), ConfigError> {
        let portfolio = config
            .markets
            .iter()
            .find(|m| matches!(m.liquidation.policy, SlicePolicy::PortfolioShare { .. }));
        if let Some(fill) = self.fill {
            Self::prove_share("fill", fill, 0)?;
            let shares = |m: &&super::Market| m.allocation.shares_out();
            if let Some(market) = config.markets.iter().find(shares) {
                let why = format!(
                    "does not go with the pro_rata allocation of {}, whose shares count on every order; give it price_time",
                    market.name
                );
                return refuse("levels.fill", why);
            }
        }
        if let Some(close_out) = self.close_out {
            Self::prove_share("close_out.below", close_out.below, 1)?;
            if let Some(market) = portfolio {
                let why = format!("{} has portfolio_share, which closes shares of everything", market.name);
                return refuse("levels.close_out", why);
            }
        }
        if let Some(backstop) = self.backstop {
            Self::prove_share("backstop", backstop, 1)?;
            if config.backstop.is_none() {
                return refuse("levels.backstop", "needs an account that takes over; set backstop");
            }
        }
        if config.margin_call_grace_ns.is_positive() {
            if config.margin_call_ppm.is_zero() {
                return refuse("margin_call_grace_ns", "needs calls; set margin_call_ppm, or leave it 0");
            }
            if let Some(market) = portfolio {
                let why = format!(
                    "does not go with the portfolio_share of {}, whose target is a share of maintenance",
                    market.name
                );
                return refuse("margin_call_grace_ns", why);
            }
        } else if config.margin_call_grace_ns.is_negative() {
            let why = format!("{}: must be 0 (none) or positive", config.margin_call_grace_ns);
            return refuse("margin_call_grace_ns", why);
        }
        Ok(())
    }
}
