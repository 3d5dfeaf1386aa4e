//! Auto-deleveraging (ADL) of a market: when, who, in which order, how much, at which price.

use super::{ConfigError, Market, is_default, refuse};
use crate::units::{MILLION, MarketId, Nanos, Ppm};
use serde::{Deserialize, Serialize};

/// Markets that count as hedges of one market.
const HEDGES_MAX: usize = 8;
/// The largest position of a hedge, in lots of the hedged market: sums of a few stay in range.
const HEDGE_LOTS_MAX: i128 = 1 << 56;
/// The most lights.
const LEVELS_MAX: u32 = 1000;

/// Auto-deleveraging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adl {
    /// Whether it is used.
    pub enabled: bool,
    /// How what is left is shared out.
    pub method: AdlMethod,
    /// At which price.
    pub price: AdlPrice,
    /// Band of the price around the mark; null for none.
    pub band_ppm: Option<Ppm>,
    /// When it is used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trigger: AdlTrigger,
    /// At which price, if the fund cannot pay what a lot lacks at `price`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fallback: AdlFallback,
    /// Whose positions may be closed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub eligible: Eligible,
    /// Who comes first, where there is an order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub score: AdlScore,
    /// What lots are shared out in proportion to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight: AdlWeight,
    /// Most of a position, or of a profit, that one round takes; null for all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fraction_ppm: Option<Ppm>,
    /// The share of the open notional below which a close may not push the winners' profit; null for no such check.
    #[serde(default, skip_serializing_if = "is_default")]
    pub correction_floor_ppm: Option<Ppm>,
    /// Markets whose positions hedge this one, for `hedge_aware`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hedges: Vec<Hedge>,
    /// What a profit's weight rises with, for `haircut_pro_rata`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub risk: AdlRisk,
    /// The indicator lights, which are the bands of `rank_bands`, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lights: AdlLights,
    /// What is done instead where a plan was asked for and none came that can be used; null for every other method.
    #[serde(default, skip_serializing_if = "is_default")]
    pub plan_fallback: Option<AdlMethod>,
    /// The most of one account's position that is closed in a time; null for no such band.
    #[serde(default, skip_serializing_if = "is_default")]
    pub size_band: Option<SizeBand>,
    /// Time between two rounds in the market; 0 for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cooldown_ns: Nanos,
    /// Accounts that are left alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exempt: Vec<Exempt>,
    /// Whether fractions of a lot are carried from round to round; `pro_rata` only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub carry: bool,
}

/// The most of one account's position that rounds close in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeBand {
    /// Share of the position that there was when the time came to it first.
    pub share_ppm: Ppm,
    /// Length of the time.
    pub window_ns: Nanos,
}

/// Accounts that a round leaves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exempt {
    /// Those of the bankrupt account's group.
    Group,
    /// The backstop.
    Backstop,
}

/// How what is left of a liquidation is shared out among winners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlMethod {
    /// Highest score first.
    Queue,
    /// Everyone in proportion, by largest remainder.
    ProRata,
    /// Everyone in proportion, by Webster's method.
    Webster,
    /// The greatest share of a weight as small as whole lots allow.
    MinMax,
    /// Lots that nothing hedges first, then the others; each by largest remainder.
    HedgeAware,
    /// Bands of the ranking, the first first; inside a band in proportion, by largest remainder.
    RankBands,
    /// Highest score first, each at the bankrupt account's own quote if it meets that of the winner.
    Offset,
    /// Money instead of lots: highest score first gives up its profit. Positions stay open.
    HaircutQueue,
    /// Money instead of lots: everyone in proportion to profit times risk. Positions stay open.
    HaircutProRata,
    /// The waterfall waits for a plan that comes by commands.
    External,
}

/// Price of auto-deleveraging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlPrice {
    /// The bankruptcy price of the liquidated position.
    Bankruptcy,
    /// The mark.
    Mark,
    /// The index.
    Index,
}

/// Price of auto-deleveraging where the fund cannot pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlFallback {
    /// None: lots that the fund cannot pay for stay open.
    #[default]
    None,
    /// The bankruptcy price, without a band: winners give up what the fund cannot pay.
    Bankruptcy,
}

/// When auto-deleveraging is used on what the stages before it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlTrigger {
    /// Only if nothing of the account stands behind the position.
    #[default]
    Insolvent,
    /// Whenever lots are left.
    Unfilled,
}

/// Who may be closed, among accounts on the other side that are solvent and not in liquidation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eligible {
    /// Positions with a profit at the mark.
    #[default]
    InProfit,
    /// Of these, positions that realise no loss at the transfer price.
    Realising,
    /// All positions.
    Anyone,
}

/// The score of a queue; highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlScore {
    /// Profit ratio times leverage; a loss is divided by it. `BitMEX`, and many after it.
    #[default]
    ProfitLeverage,
    /// Profit over balance times margin ratio. Binance.
    ProfitMarginRatio,
    /// Mark over entry price times leverage, the same for both sides. Hyperliquid, as documented.
    PriceRatioLiteral,
    /// As before, with entry over mark for shorts: the reading under which more profit never comes later.
    PriceRatioSigned,
    /// Profit in money.
    Profit,
    /// Profit over entry cost.
    ProfitRatio,
    /// Notional over equity.
    Leverage,
    /// Value of the position.
    Notional,
    /// Equity of the account.
    Equity,
    /// A keyed draw, anew for each ranking.
    Random,
}

/// What lots are shared out in proportion to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlWeight {
    /// Lots of the position.
    #[default]
    Lots,
    /// Its profit.
    Profit,
    /// Equity of the account.
    Equity,
    /// Value of the position.
    Notional,
}

/// A market whose positions hedge those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// The other market.
    pub market: MarketId,
    /// Lots of this market that one lot of the other stands for.
    pub lots_ppm: Ppm,
}

/// What weighs a profit beside its size: risk-aware pro-rata, with L the leverage of the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdlRisk {
    /// Nothing: plain pro-rata.
    #[default]
    None,
    /// `L^(1 + exponent)`; an exponent of 1 is the linear rule.
    Power {
        /// 1 or 2.
        exponent: u32,
    },
    /// `L (L - above)` above that leverage, nothing below it.
    Threshold {
        /// The leverage.
        above_ppm: Ppm,
    },
}

/// Indicator lights: how near an account is to the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdlLights {
    /// How ranked accounts are divided.
    pub method: LightMethod,
    /// Number of lights; light 1 goes first.
    pub levels: u32,
}

/// How ranked accounts are divided among lights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LightMethod {
    /// By lots up to and including the account's. `BitMEX`.
    CumulativeQuantity,
    /// In groups of the same number of accounts. Bifinance.
    EqualCount,
}

impl Default for AdlLights {
    fn default() -> Self {
        Self { method: LightMethod::CumulativeQuantity, levels: 5 }
    }
}

impl Adl {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.adl.{name}");
        for (name, rate, least, most) in [
            ("band_ppm", self.band_ppm, 0, MILLION),
            ("fraction_ppm", self.fraction_ppm, 1, MILLION),
            ("correction_floor_ppm", self.correction_floor_ppm, 0, 1000 * MILLION),
        ] {
            let Some(rate) = rate else { continue };
            if !(least..=most).contains(&rate.get()) {
                return refuse(field(name), format!("{rate}: must be {least} to {most}"));
            }
        }
        let in_lots_at_a_price = !matches!(
            self.method,
            AdlMethod::Offset | AdlMethod::HaircutQueue | AdlMethod::HaircutProRata | AdlMethod::External
        );
        let offsets = self.method == AdlMethod::Offset || self.plan_fallback == Some(AdlMethod::Offset);
        if self.fallback != AdlFallback::None && offsets {
            return refuse(
                field("fallback"),
                "bankruptcy: does not go with offset, which has quotes of its own",
            );
        }
        if self.correction_floor_ppm.is_some() && !in_lots_at_a_price {
            let why = format!("{:?} is not checked step by step; use null", self.method);
            return refuse(field("correction_floor_ppm"), why);
        }
        match (self.method, self.plan_fallback) {
            (AdlMethod::External, None | Some(AdlMethod::External)) => {
                let why = "is missing: external needs another method for when no plan can be used";
                return refuse(field("plan_fallback"), why);
            }
            (AdlMethod::External, Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                return refuse(field("plan_fallback"), "is for the method external; leave it out");
            }
        }
        let takes_money = matches!(self.method, AdlMethod::HaircutQueue | AdlMethod::HaircutProRata);
        if let Some(SizeBand { share_ppm, window_ns }) = self.size_band {
            if takes_money {
                return refuse(field("size_band"), format!("{:?} closes no lots; use null", self.method));
            }
            if !(1..=MILLION).contains(&share_ppm.get()) {
                return refuse(field("size_band.share_ppm"), format!("{share_ppm}: must be 1 to 1000000"));
            }
            if !window_ns.is_positive() {
                return refuse(field("size_band.window_ns"), format!("{window_ns}: must be positive"));
            }
        }
        if self.cooldown_ns.is_negative() {
            return refuse(field("cooldown_ns"), format!("{}: must not be negative", self.cooldown_ns));
        }
        if self.carry && self.method != AdlMethod::ProRata {
            return refuse(field("carry"), format!("{:?} carries nothing; use false", self.method));
        }
        if !(1..=LEVELS_MAX).contains(&self.lights.levels) {
            let why = format!("{}: must be 1 to {LEVELS_MAX}", self.lights.levels);
            return refuse(field("lights.levels"), why);
        }
        match self.risk {
            AdlRisk::Power { exponent } if !(1..=2).contains(&exponent) => {
                refuse(field("risk.exponent"), format!("{exponent}: must be 1 or 2"))
            }
            AdlRisk::Threshold { above_ppm } if !(0..=1000 * MILLION).contains(&above_ppm.get()) => {
                refuse(field("risk.above_ppm"), format!("{above_ppm}: must be 0 to {}", 1000 * MILLION))
            }
            AdlRisk::None | AdlRisk::Power { .. } | AdlRisk::Threshold { .. } => Ok(()),
        }
    }

    /// Hedges name other markets that are cleared, and their lots stay in range.
    pub(super) fn prove_hedges(&self, at: &str, own: usize, markets: &[Market]) -> Result<(), ConfigError> {
        if self.hedges.len() > HEDGES_MAX {
            let why = format!("{} of them: must be at most {HEDGES_MAX}", self.hedges.len());
            return refuse(format!("{at}.adl.hedges"), why);
        }
        for (i, hedge) in self.hedges.iter().enumerate() {
            let field = |name: &str| format!("{at}.adl.hedges[{i}].{name}");
            let named = hedge.market.index();
            let Some(other) = markets.get(named).filter(|m| m.cleared && named != own) else {
                return refuse(field("market"), format!("{named}: must be another market with clearing"));
            };
            if self.hedges[..i].iter().any(|before| before.market == hedge.market) {
                return refuse(field("market"), format!("{named}: is named twice"));
            }
            let rate = i128::from(hedge.lots_ppm.get());
            let most = other.open_interest_max.max(other.position_max);
            let lots = i128::from(most.get()) * rate.abs() / i128::from(MILLION);
            if rate == 0 || lots > HEDGE_LOTS_MAX {
                let why =
                    format!("{rate}: must not be 0, and times open_interest_max at most {HEDGE_LOTS_MAX}");
                return refuse(field("lots_ppm"), why);
            }
        }
        Ok(())
    }
}
