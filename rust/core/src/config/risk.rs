//! Margin, mark, funding and liquidation of a market.

use super::{ConfigError, refuse};
use crate::units::{BILLION, MILLION, Money, Nanos, Ppb, Ppm, Qty};
use serde::{Deserialize, Serialize};

/// Margin rates from a notional upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Lowest notional of the tier.
    pub lower: Money,
    /// Initial margin rate.
    pub initial_ppm: Ppm,
    /// Maintenance margin rate.
    pub maintenance_ppm: Ppm,
}

/// How the mark is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The formula.
    pub method: MarkMethod,
    /// Samples in the averaged basis.
    pub basis_samples: u32,
}

/// Formulas of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkMethod {
    /// The index.
    Index,
    /// The last trade.
    Last,
    /// The median of the index, the index plus averaged basis, and the last trade.
    Median,
}

/// Funding: premium with clamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// First settlement.
    pub first_ns: Nanos,
    /// Time between settlements.
    pub interval_ns: Nanos,
    /// Interest per interval.
    pub interest_ppb: Ppb,
    /// Clamp of interest less premium.
    pub clamp_ppb: Ppb,
    /// Cap of the rate.
    pub cap_ppb: Ppb,
    /// Quantity of the impact prices.
    pub impact_qty: Qty,
}

/// How positions are liquidated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liquidation {
    /// Whether accounts are liquidated for this market; without it an endangered account keeps its position.
    pub enabled: bool,
    /// Share of the position in one slice.
    pub slice_ppm: Ppm,
    /// Least slice.
    pub slice_qty_min: Qty,
    /// Notional up to which a position is closed whole.
    pub full_below: Money,
    /// Fee on what the book took, limited to the surplus over the bankruptcy value.
    pub fee_ppm: Ppm,
    /// How far from the mark the fund backs a sale.
    pub fund_limit_ppm: Ppm,
}

/// What happens to a loss that the fund cannot pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastResort {
    /// It stays as an explicit shortfall.
    Remainder,
    /// Winners of the market carry it in proportion to their profit.
    Socialise,
}

impl Funding {
    pub(super) fn prove(&self, at: &str, position_max: Qty) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.funding.{name}");
        if !self.interval_ns.is_positive() {
            return refuse(field("interval_ns"), format!("{}: must be positive", self.interval_ns));
        }
        if self.first_ns.is_negative() {
            return refuse(field("first_ns"), format!("{}: must not be negative", self.first_ns));
        }
        for (name, rate) in
            [("interest_ppb", self.interest_ppb), ("clamp_ppb", self.clamp_ppb), ("cap_ppb", self.cap_ppb)]
        {
            if !(-BILLION..=BILLION).contains(&rate.get()) {
                return refuse(field(name), format!("{rate}: must be -1000000000 to 1000000000"));
            }
        }
        for (name, rate) in [("clamp_ppb", self.clamp_ppb), ("cap_ppb", self.cap_ppb)] {
            if rate.is_negative() {
                return refuse(field(name), format!("{rate}: must not be negative"));
            }
        }
        if !(1..=position_max.get()).contains(&self.impact_qty.get()) {
            return refuse(field("impact_qty"), format!("{}: must be 1 to {position_max}", self.impact_qty));
        }
        Ok(())
    }
}

impl Mark {
    pub(super) fn prove(self, at: &str) -> Result<(), ConfigError> {
        if !(1..=4096).contains(&self.basis_samples) {
            return refuse(
                format!("{at}.mark.basis_samples"),
                format!("{}: must be 1 to 4096", self.basis_samples),
            );
        }
        Ok(())
    }
}

impl Liquidation {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let l = self;
        for (name, rate, least) in [
            ("liquidation.slice_ppm", l.slice_ppm, 1),
            ("liquidation.fee_ppm", l.fee_ppm, 0),
            ("liquidation.fund_limit_ppm", l.fund_limit_ppm, 0),
        ] {
            if !(least..=MILLION).contains(&rate.get()) {
                return refuse(field(name), format!("{rate}: must be {least} to 1000000"));
            }
        }
        if l.slice_qty_min.get() < 1 {
            return refuse(
                field("liquidation.slice_qty_min"),
                format!("{}: must be positive", l.slice_qty_min),
            );
        }
        if l.full_below.is_negative() {
            return refuse(
                field("liquidation.full_below"),
                format!("{}: must not be negative", l.full_below),
            );
        }
        Ok(())
    }
}

/// Rates rise with the notional and requirements join without a jump in whole minor units: then maintenance
/// is convex and monotone, which the guard index relies on.
pub(super) fn prove_tiers(at: &str, tiers: &[Tier], call: Ppm) -> Result<(), ConfigError> {
    let field = |i: usize, name: &str| format!("{at}.tiers[{i}].{name}");
    let Some(first) = tiers.first() else {
        return refuse(format!("{at}.tiers"), "is empty; give at least one tier from 0");
    };
    if !first.lower.is_zero() {
        return refuse(field(0, "lower"), format!("{}: the first tier starts at 0", first.lower));
    }
    for (i, t) in tiers.iter().enumerate() {
        let (im, mm) = (t.initial_ppm.get(), t.maintenance_ppm.get());
        if im < mm || im > MILLION {
            return refuse(field(i, "initial_ppm"), format!("{im}: must be maintenance {mm} to 1000000"));
        }
        let scaled = i128::from(mm) * i128::from(call.get().max(MILLION));
        if mm < 1 || scaled >= i128::from(MILLION) * i128::from(MILLION) {
            let why = format!("{mm}: must be positive and, times margin_call_ppm, below 1000000");
            return refuse(field(i, "maintenance_ppm"), why);
        }
        let Some(p) = i.checked_sub(1).map(|p| tiers[p]) else { continue };
        if t.lower <= p.lower {
            return refuse(
                field(i, "lower"),
                format!("{}: must be above the tier before it, {}", t.lower, p.lower),
            );
        }
        if t.initial_ppm < p.initial_ppm || t.maintenance_ppm < p.maintenance_ppm {
            return refuse(field(i, "maintenance_ppm"), "rates must not fall from tier to tier");
        }
        let whole = [t.initial_ppm - p.initial_ppm, t.maintenance_ppm - p.maintenance_ppm]
            .iter()
            .all(|&step| t.lower.ppm_exact(step).is_some())
            && [p.initial_ppm, p.maintenance_ppm, t.initial_ppm, t.maintenance_ppm]
                .iter()
                .all(|&rate| t.lower.ppm_exact(rate).is_some());
        if !whole {
            let why = format!(
                "{}: times a rate is not whole minor units; round it to a multiple of 1000000",
                t.lower
            );
            return refuse(field(i, "lower"), why);
        }
    }
    Ok(())
}
