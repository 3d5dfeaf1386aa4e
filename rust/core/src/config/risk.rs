//! Margin and liquidation of a market.

use super::{Assignment, ConfigError, LimitRule, LiquidationFee, SlicePolicy, Takeover, is_default, refuse};
use crate::units::{MILLION, Money, Ppm, Qty};
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
    /// Size of a slice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: SlicePolicy,
    /// Limit of the order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limit: LimitRule,
    /// Who is paid out of what the book filled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fee_rule: LiquidationFee,
    /// Price at which the backstop takes over.
    #[serde(default, skip_serializing_if = "is_default")]
    pub takeover: Takeover,
    /// How volunteers take over; null for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub assignment: Option<Assignment>,
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
        l.policy.prove(at)?;
        l.limit.prove(at)
    }

    /// True if a round depends on the time of those before it.
    #[must_use]
    pub(crate) fn is_paced(&self) -> bool {
        self.policy.is_paced() || self.limit.is_paced()
    }
}

/// The largest multiplier of margin rates.
const MULTIPLIER_MAX: i64 = 100 * MILLION;

/// What margin rates are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Multiplier {
    /// Initial rates; they end at 100 %.
    #[serde(rename = "initial_ppm")]
    pub initial: Ppm,
    /// Maintenance rates.
    #[serde(rename = "maintenance_ppm")]
    pub maintenance: Ppm,
    /// The leverage that initial rates allow at most, after that; null for any.
    #[serde(skip_serializing_if = "is_default")]
    pub leverage_max: Option<u16>,
}

impl Multiplier {
    /// Rates as they are configured.
    pub const ONE: Self = Self { initial: Ppm::ONE, maintenance: Ppm::ONE, leverage_max: None };
}

impl Default for Multiplier {
    fn default() -> Self {
        Self::ONE
    }
}

/// Tiers with their rates multiplied, initial ones up to 100 % and not below one over a leverage, rounded up; none if a
/// rate is not a whole ppm then, or if the tiers would not be accepted in a configuration.
#[must_use]
pub(crate) fn multiplied(tiers: &[Tier], by: Multiplier, call: Ppm) -> Option<Vec<Tier>> {
    let within = |factor: Ppm| (1..=MULTIPLIER_MAX).contains(&factor.get());
    if !within(by.initial) || !within(by.maintenance) || by.leverage_max == Some(0) {
        return None;
    }
    let least = by.leverage_max.map_or(Ppm::ZERO, |most| Ppm::of_leverage_up(i64::from(most)));
    let scaled = tiers.iter().map(|tier| {
        let initial_ppm = tier.initial_ppm.scaled_exact(by.initial)?.min(Ppm::ONE).max(least);
        Some(Tier {
            lower: tier.lower,
            initial_ppm,
            maintenance_ppm: tier.maintenance_ppm.scaled_exact(by.maintenance)?,
        })
    });
    let scaled: Vec<Tier> = scaled.collect::<Option<_>>()?;
    prove_tiers("", &scaled, call).is_ok().then_some(scaled)
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
