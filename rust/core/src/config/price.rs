//! Index, mark and funding of a market.

use super::{ConfigError, Market, refuse};
use crate::units::{BILLION, MILLION, Nanos, Ppb, Ppm, Qty};
use serde::{Deserialize, Serialize};

/// The longest list of sources.
const SOURCES_MAX: usize = 64;
/// The largest weight of a source: sums of weights x prices stay within 64 bits.
const WEIGHT_MAX: u32 = 1_000_000;
/// The largest number of units or ticks in an [`Accrual`].
const ACCRUAL_MAX: i64 = BILLION;

/// Votes of one period: that many are taken, and zeros fill up to that many.
pub(crate) const VOTES_MAX: u32 = 4096;

/// An index made from the prices of several sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// How the prices are combined.
    pub rule: IndexRule,
    /// Live sources without which the index is stale.
    pub sources_min: u32,
    /// Whether positions are liquidated and deleveraged while the index is stale.
    pub liquidates_stale: bool,
    /// The sources; numbered from 0.
    pub sources: Vec<Source>,
}

/// How the prices of sources become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum IndexRule {
    /// The median by weight.
    Median,
    /// The mean by weight, without one outlier; the median if there are more (Binance).
    Mean {
        /// A price further than this from the plain median is an outlier.
        outlier_ppm: Ppm,
    },
}

/// A place whose price the venue is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name.
    pub name: String,
    /// Weight; its share is the weight by the sum of the weights.
    pub weight: u32,
    /// Age at which a price is stale.
    pub stale_ns: Nanos,
}

/// How the mark is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The formula.
    pub method: MarkMethod,
    /// Samples in the averaged basis.
    pub basis_samples: u32,
    /// What the median is of; empty for index, averaged basis and last trade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<MarkInput>,
    /// An input that joins if exactly two of the others have a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<MarkInput>,
    /// What one second leaves of the weights in the basis's exponential average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis_decay_ppb: Option<Ppb>,
    /// What one second leaves of the weights in the touch's exponential average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touch_decay_ppb: Option<Ppb>,
    /// How far from the index the mark may be; null for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_band_ppm: Option<Ppm>,
    /// How far from the mark before it the mark may be; null for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slew_ppm: Option<Ppm>,
    /// Sources of the external price; numbered after those of the index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// Formulas of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkMethod {
    /// The index.
    Index,
    /// The last trade.
    Last,
    /// The median of the inputs.
    Median,
}

/// Prices that a mark can be the median of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkInput {
    /// The index.
    Index,
    /// The last trade; the index without one.
    Last,
    /// The index and the mean of the last basis samples.
    Basis,
    /// The index and the exponential average of the basis.
    BasisEma,
    /// The index and what the last funding rate makes of it until the next settlement.
    Funding,
    /// The median of best bid, best ask and last trade.
    Touch,
    /// The exponential average of the touch.
    TouchEma,
    /// The median by weight of the mark's live sources.
    External,
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
    /// The time that rates are for; null for the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_period_ns: Option<Nanos>,
    /// A second cap: so many times initial less maintenance margin of the first tier; null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_margin_multiple: Option<u32>,
    /// How votes become premium samples; null if each index takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<Votes>,
    /// The price of the notional.
    #[serde(default, skip_serializing_if = "is_default")]
    pub price: FundingPrice,
    /// Payments go by whole units of an index; null if by the exact rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accrual: Option<Accrual>,
    /// What payers pay.
    #[serde(default, skip_serializing_if = "is_default")]
    pub payers: Payers,
}

/// Premium sampling in two steps: a median of votes in each period, a mean of those (dYdX v4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Votes {
    /// Length of a period of votes.
    pub period_ns: Nanos,
    /// Votes to which zeros fill a period up.
    pub votes_min: u32,
    /// Samples to which zeros fill an interval up.
    pub samples_min: u32,
}

/// The unit of a funding index: so many units for so many ticks of price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accrual {
    /// Units of the index.
    pub units: i64,
    /// Ticks of price.
    pub ticks: i64,
}

/// The price at which positions are valued for funding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingPrice {
    /// The mark.
    #[default]
    Mark,
    /// The index (Hyperliquid).
    Index,
}

/// What an account that owes funding pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payers {
    /// Everything, and into debt if need be.
    #[default]
    Full,
    /// Its equity at most; receivers share what came in.
    Capped,
}

/// What is at its default is left out of the canonical text.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn prove_sources(field: &str, sources: &[Source]) -> Result<(), ConfigError> {
    if sources.len() > SOURCES_MAX {
        return refuse(field, format!("{} of them: must be at most {SOURCES_MAX}", sources.len()));
    }
    for (i, source) in sources.iter().enumerate() {
        if !(1..=WEIGHT_MAX).contains(&source.weight) {
            let why = format!("{}: must be 1 to {WEIGHT_MAX}", source.weight);
            return refuse(format!("{field}[{i}].weight"), why);
        }
        if !source.stale_ns.is_positive() {
            return refuse(
                format!("{field}[{i}].stale_ns"),
                format!("{}: must be positive", source.stale_ns),
            );
        }
        if sources[..i].iter().any(|s| s.name == source.name) {
            return refuse(field, format!("two have the name {:?}; give each its own", source.name));
        }
    }
    Ok(())
}

impl Index {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        prove_sources(&format!("{at}.index.sources"), &self.sources)?;
        let count = u32::try_from(self.sources.len()).expect("a short list");
        if !(1..=count).contains(&self.sources_min) {
            let why = format!("{}: must be 1 to the number of sources, {count}", self.sources_min);
            return refuse(format!("{at}.index.sources_min"), why);
        }
        match self.rule {
            IndexRule::Mean { outlier_ppm: w } if !(1..MILLION).contains(&w.get()) => {
                refuse(format!("{at}.index.rule.mean.outlier_ppm"), format!("{w}: must be 1 to 999999"))
            }
            IndexRule::Mean { .. } | IndexRule::Median => Ok(()),
        }
    }
}

impl Mark {
    /// True if the formula looks at this input.
    pub(crate) fn uses(&self, input: MarkInput) -> bool {
        self.inputs.iter().chain(&self.fallback).any(|&i| i == input)
    }

    pub(super) fn prove(&self, at: &str, has_funding: bool) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.mark.{name}");
        if !(1..=4096).contains(&self.basis_samples) {
            return refuse(field("basis_samples"), format!("{}: must be 1 to 4096", self.basis_samples));
        }
        if self.method != MarkMethod::Median && !self.inputs.is_empty() {
            return refuse(field("inputs"), "only the method median has inputs; leave them out");
        }
        let twice = (1..self.inputs.len()).find(|&i| self.inputs[..i].contains(&self.inputs[i]));
        if let Some(i) = twice {
            return refuse(field("inputs"), format!("{:?} is there twice; name each once", self.inputs[i]));
        }
        if let Some(fallback) = self.fallback.filter(|f| self.inputs.contains(f) || self.inputs.len() < 3) {
            let why = format!("{fallback:?}: must join at least three inputs, and be none of them");
            return refuse(field("fallback"), why);
        }
        for (name, input, decay) in [
            ("basis_decay_ppb", MarkInput::BasisEma, self.basis_decay_ppb),
            ("touch_decay_ppb", MarkInput::TouchEma, self.touch_decay_ppb),
        ] {
            match decay {
                None if self.uses(input) => {
                    return refuse(field(name), format!("is null, but the mark uses {input:?}; give it"));
                }
                Some(decay) if !(0..BILLION).contains(&decay.get()) => {
                    return refuse(field(name), format!("{decay}: must be 0 to 999999999"));
                }
                None | Some(_) => {}
            }
        }
        if self.uses(MarkInput::Funding) && !has_funding {
            return refuse(field("inputs"), "funding is one of them; give the market funding");
        }
        if self.uses(MarkInput::External) == self.sources.is_empty() {
            return refuse(field("sources"), "are for the input external; give both or neither");
        }
        prove_sources(&field("sources"), &self.sources)?;
        for (name, width) in [("index_band_ppm", self.index_band_ppm), ("slew_ppm", self.slew_ppm)] {
            if let Some(width) = width.filter(|w| !(1..=MILLION).contains(&w.get())) {
                return refuse(field(name), format!("{width}: must be 1 to 1000000"));
            }
        }
        Ok(())
    }
}

impl Funding {
    /// The time that rates are for.
    pub(crate) fn rate_period(&self) -> Nanos {
        self.rate_period_ns.unwrap_or(self.interval_ns)
    }

    pub(super) fn prove(&self, at: &str, market: &Market) -> Result<(), ConfigError> {
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
        if !(1..=market.position_max.get()).contains(&self.impact_qty.get()) {
            let why = format!("{}: must be 1 to {}", self.impact_qty, market.position_max);
            return refuse(field("impact_qty"), why);
        }
        if self.accrual.is_some() && market.is_inverse() {
            let why = "is counted in ticks; an inverse contract is not paid by tick, use null";
            return refuse(field("accrual"), why);
        }
        self.prove_terms(&field)
    }

    /// What may be left out.
    fn prove_terms(&self, field: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
        let period = self.rate_period();
        if !period.is_positive() {
            return refuse(field("rate_period_ns"), format!("{period}: must be positive"));
        }
        // One settlement moves the notional at most, which is proven to fit.
        let most = i128::from(self.cap_ppb.get()) * i128::from(self.interval_ns.get());
        if most > i128::from(BILLION) * i128::from(period.get()) {
            let why = format!(
                "{}: x interval_ns / rate_period_ns is more than the notional; lower one of them",
                self.cap_ppb
            );
            return refuse(field("cap_ppb"), why);
        }
        if let Some(multiple) = self.cap_margin_multiple.filter(|m| !(1..=1000).contains(m)) {
            return refuse(field("cap_margin_multiple"), format!("{multiple}: must be 1 to 1000"));
        }
        if let Some(votes) = self.votes {
            if !votes.period_ns.is_positive() {
                let why = format!("{}: must be positive", votes.period_ns);
                return refuse(field("votes.period_ns"), why);
            }
            for (name, value, max) in
                [("votes_min", votes.votes_min, VOTES_MAX), ("samples_min", votes.samples_min, 1_000_000)]
            {
                if !(1..=max).contains(&value) {
                    return refuse(field("votes.") + name, format!("{value}: must be 1 to {max}"));
                }
            }
        }
        if let Some(Accrual { units, ticks }) = self.accrual {
            for (name, value) in [("units", units), ("ticks", ticks)] {
                if !(1..=ACCRUAL_MAX).contains(&value) {
                    return refuse(field("accrual.") + name, format!("{value}: must be 1 to {ACCRUAL_MAX}"));
                }
            }
        }
        Ok(())
    }
}
