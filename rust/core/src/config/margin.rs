//! Margin rules beside the tiers, and what other assets count for.

use super::{ConfigError, Market, is_default, refuse};
use crate::units::{BILLION, MILLION, MarketId, Money, Ppb, Ppm, Price, Qty};
use serde::{Deserialize, Serialize};

/// Rates that a requirement does not fall below, whatever its tier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Margin {
    /// The initial rate grows with open interest; null for none.
    pub open_interest: Option<OpenInterestScale>,
    /// Rates grow with the size of the position; null for none.
    pub size: Option<SizeRule>,
    /// Accounts may set a leverage of their own, which raises their initial rate.
    pub account_leverage: bool,
    /// The rates of the tiers may be multiplied while the venue runs.
    #[serde(skip_serializing_if = "is_default")]
    pub multipliers: bool,
}

/// Open interest, as notional at the mark, from which the initial rate rises and at which it is 100 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenInterestScale {
    /// Up to here the rate stays.
    pub lower: Money,
    /// From here on it is 100 %.
    pub upper: Money,
}

/// How a rate grows with a size of `lots / unit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SizeRule {
    /// `0.8 rate + factor sqrt(size)`: Drift's size premium.
    Root {
        /// Factor of the initial rate.
        initial_ppb: Ppb,
        /// Factor of the maintenance rate.
        maintenance_ppb: Ppb,
        /// Lots of one unit of size.
        unit: Qty,
    },
    /// `rate + slope size`: Deribit's.
    Linear {
        /// Slope of the initial rate.
        initial_ppb: Ppb,
        /// Slope of the maintenance rate.
        maintenance_ppb: Ppb,
        /// Lots of one unit of size.
        unit: Qty,
    },
}

/// Value of an asset as collateral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collateral {
    /// The market whose index or mark prices it.
    pub market: MarketId,
    /// Minor units of the valuation asset per minor unit and tick: numerator.
    pub value_num: i64,
    /// Denominator.
    pub value_den: i64,
    /// Share of the value that counts.
    pub weight_ppm: Ppm,
    /// Which price of the market.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub price: CollateralPrice,
    /// Least price that is used; null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_floor: Option<Price>,
    /// What its issuer pays for it: the larger of the two values counts; null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption: Option<Redemption>,
    /// The largest balance that counts; null for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// The weight falls with the size of the balance; null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_discount: Option<SizeDiscount>,
    /// Value of all deposits of the asset from which its weight for initial margin falls; null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_scale_start: Option<Money>,
}

/// Which price of its market an asset is valued by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollateralPrice {
    /// The index.
    #[default]
    Index,
    /// The mark, which the venue's own book may move.
    Mark,
    /// None: the redemption value alone.
    Redemption,
}

/// A redemption value: minor units of the valuation asset per minor unit, times an index if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// The market whose index it follows; null if it is fixed.
    pub market: Option<MarketId>,
    /// Value per minor unit (and tick of that index): numerator.
    pub value_num: i64,
    /// Denominator.
    pub value_den: i64,
}

/// `min(weight, 1.1 / (1 + factor sqrt(size)))`, the size being `balance / unit`: Drift's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeDiscount {
    /// The factor.
    pub factor_ppb: Ppb,
    /// Minor units of one unit of size.
    pub unit: Money,
}

fn prove_factor(at: String, factor: Ppb) -> Result<(), ConfigError> {
    if (0..=BILLION).contains(&factor.get()) {
        return Ok(());
    }
    refuse(at, format!("{factor}: must be 0 to 1000000000"))
}

impl Margin {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        if let Some(scale) = self.open_interest.filter(|s| s.lower.is_negative() || s.upper <= s.lower) {
            let why = format!("{} and {}: lower must be 0 or more, upper above it", scale.lower, scale.upper);
            return refuse(format!("{at}.margin.open_interest"), why);
        }
        let Some(size) = self.size else { return Ok(()) };
        let field = |name: &str| format!("{at}.margin.size.{name}");
        let (SizeRule::Root { initial_ppb, maintenance_ppb, unit }
        | SizeRule::Linear { initial_ppb, maintenance_ppb, unit }) = size;
        prove_factor(field("initial_ppb"), initial_ppb)?;
        prove_factor(field("maintenance_ppb"), maintenance_ppb)?;
        if initial_ppb < maintenance_ppb {
            let why = format!("{initial_ppb}: must be at least maintenance_ppb {maintenance_ppb}");
            return refuse(field("initial_ppb"), why);
        }
        if !unit.is_positive() {
            return refuse(field("unit"), format!("{unit}: must be positive"));
        }
        Ok(())
    }
}

impl Collateral {
    pub(super) fn prove(&self, at: &str, markets: &[Market]) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        if self.market.index() >= markets.len() {
            return refuse(field("market"), format!("{}: no such market", self.market));
        }
        let redeemed = self.redemption.and_then(|r| r.market);
        for (name, market) in [("market", Some(self.market)), ("redemption.market", redeemed)] {
            let inverse = |m: &MarketId| markets.get(m.index()).is_some_and(Market::is_inverse);
            if let Some(market) = market.filter(inverse) {
                let why = format!(
                    "{market}: an inverse market's price is not in the valuation asset; name one whose is"
                );
                return refuse(field(name), why);
            }
        }
        for (name, value) in [("value_num", self.value_num), ("value_den", self.value_den)] {
            if value < 1 {
                return refuse(field(name), format!("{value}: must be positive"));
            }
        }
        if !(0..=MILLION).contains(&self.weight_ppm.get()) {
            return refuse(field("weight_ppm"), format!("{}: must be 0 to 1000000", self.weight_ppm));
        }
        let price_max = markets[self.market.index()].price_max;
        if let Some(floor) = self.price_floor.filter(|f| !f.is_positive() || *f > price_max) {
            let why = format!("{floor}: must be 1 to {price_max}, the market's price_max");
            return refuse(field("price_floor"), why);
        }
        for (name, value) in [("cap", self.cap), ("deposit_scale_start", self.deposit_scale_start)] {
            if let Some(value) = value.filter(|v| !v.is_positive()) {
                return refuse(field(name), format!("{value}: must be positive, or null for none"));
            }
        }
        if let Some(discount) = self.size_discount {
            prove_factor(field("size_discount.factor_ppb"), discount.factor_ppb)?;
            if !discount.unit.is_positive() {
                return refuse(field("size_discount.unit"), format!("{}: must be positive", discount.unit));
            }
        }
        let Some(redemption) = self.redemption else {
            if self.price == CollateralPrice::Redemption {
                return refuse(field("redemption"), "is null; give it, or value the asset by index or mark");
            }
            return Ok(());
        };
        if self.price == CollateralPrice::Redemption && self.price_floor.is_some() {
            return refuse(field("price_floor"), "goes with index or mark; drop it, or choose one of them");
        }
        if let Some(market) = redemption.market.filter(|m| m.index() >= markets.len()) {
            return refuse(field("redemption.market"), format!("{market}: no such market"));
        }
        for (name, value) in [("value_num", redemption.value_num), ("value_den", redemption.value_den)] {
            if value < 1 {
                return refuse(field("redemption.") + name, format!("{value}: must be positive"));
            }
        }
        Ok(())
    }

    /// The most that deposits can be worth, saturating: what the proof of amounts adds up.
    pub(super) fn value_max(&self, deposits: Money, markets: &[Market]) -> i128 {
        let most = |price: Price, num: i64, den: i64| {
            i128::from(deposits.get())
                .checked_mul(i128::from(price.get()) * i128::from(num))
                .and_then(|v| v.checked_mul(i128::from(MILLION)))
                .map_or(i128::MAX, |v| v / i128::from(MILLION) / i128::from(den))
        };
        let by_market = most(markets[self.market.index()].price_max, self.value_num, self.value_den);
        let redeemed = self.redemption.map_or(0, |r| {
            let price = r.market.map_or(Price::new(1), |m| markets[m.index()].price_max);
            most(price, r.value_num, r.value_den)
        });
        by_market.max(redeemed)
    }
}
