//! One market: what may be traded in it, in which form, and for which fee.

use super::risk::prove_tiers;
use super::{
    AMOUNT_MAX, Adl, Auction, ConfigError, FinalSettlement, Funding, Index, Liquidation, Margin, Mark,
    ORDER_QTY_MAX, PRICE_MAX, SlicePolicy, Source, Tier, is_default, refuse,
};
use crate::protocol::{Admission, IndexState, Phase};
use crate::units::{AccountId, BILLION, Contract, FundId, MILLION, Money, Nanos, Ppm, Price, Qty, TickValue};
use serde::{Deserialize, Serialize};

/// One market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name.
    pub name: String,
    /// Minor units of the valuation asset per tick per lot; left out where `contract` says what a lot is worth.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tick_value: TickValue,
    /// What a lot is worth at a price.
    #[serde(default, skip_serializing_if = "is_default")]
    pub contract: ContractRule,
    /// Highest price.
    pub price_max: Price,
    /// Largest order.
    pub order_qty_max: Qty,
    /// Largest position, open orders counted.
    pub position_max: Qty,
    /// Largest sum of long positions.
    pub open_interest_max: Qty,
    /// Trading fees.
    pub fees: Fees,
    /// Margin tiers by notional.
    pub tiers: Vec<Tier>,
    /// Sources that make the index; none if the Index command brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Index>,
    /// How the mark is made.
    pub mark: Mark,
    /// Funding; null for none.
    pub funding: Option<Funding>,
    /// The insurance fund that stands behind the market.
    pub fund: FundId,
    /// First phase.
    pub phase: Phase,
    /// Length of the auction after a halt or pause; 0 for none.
    pub reopen_auction_ns: Nanos,
    /// Liquidation policy.
    pub liquidation: Liquidation,
    /// Auto-deleveraging policy.
    pub adl: Adl,
    /// Whether trades move positions and money; without it the market matches and reports, and nothing else.
    #[serde(default = "yes")]
    pub cleared: bool,
    /// Names that clients give to their orders.
    #[serde(default)]
    pub client_ids: ClientIds,
    /// Who is filled first at a price.
    #[serde(default)]
    pub allocation: Allocation,
    /// When day orders expire.
    #[serde(default)]
    pub day: Day,
    /// Limits at entry.
    #[serde(default)]
    pub entry: Entry,
    /// Margin rules beside the tiers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub margin: Margin,
    /// How the market is settled for good; null if it is not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settlement: Option<FinalSettlement>,
    /// How auctions find their price and what takes part in them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auction: Auction,
}

/// What a lot is worth at a price, in the valuation asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ContractRule {
    /// The price times the tick value.
    #[default]
    Linear,
    /// A fixed amount of the currency that the price is in: `face / price`.
    Inverse {
        /// Minor units that one lot is worth at a price of one tick.
        face: i64,
        /// Parts of a minor unit in which entry costs are kept.
        scale: i64,
        /// Lowest price: what bounds the value of a lot.
        price_min: Price,
    },
    /// The price times a multiplier, whatever currency the price is in.
    Quanto {
        /// Parts of a minor unit per tick per lot.
        multiplier: i64,
        /// Parts of a minor unit.
        scale: i64,
    },
}

/// The finest parts of a minor unit.
const SCALE_MAX: i64 = 1_000_000_000_000;
/// A lot of an inverse contract is worth at least so many parts.
const LOT_PARTS_MIN: i64 = 1_000_000;
/// The face of an inverse contract, in parts times ticks.
const FACE_MAX: i128 = 1 << 61;

impl ContractRule {
    fn prove(&self, at: &str, market: &Market) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.contract.{name}");
        let tick = market.tick_value;
        if *self == Self::Linear {
            if tick.is_positive() {
                return Ok(());
            }
            return refuse(format!("{at}.tick_value"), format!("{tick}: must be 1 to {}", i64::MAX));
        }
        if !tick.is_zero() {
            let why = format!("{tick}: the contract says what a lot is worth; leave it out");
            return refuse(format!("{at}.tick_value"), why);
        }
        let within = |name, value: i64, max: i64| {
            if (1..=max).contains(&value) {
                return Ok(());
            }
            refuse(field(name), format!("{value}: must be 1 to {max}"))
        };
        match *self {
            Self::Linear => Ok(()),
            Self::Quanto { multiplier, scale } => {
                within("multiplier", multiplier, i64::MAX)?;
                within("scale", scale, SCALE_MAX)
            }
            Self::Inverse { face, scale, price_min } => {
                within("face", face, i64::MAX)?;
                within("scale", scale, SCALE_MAX)?;
                within("price_min", price_min.get(), market.price_max.get())?;
                let parts = i128::from(face) * i128::from(scale);
                if parts > FACE_MAX {
                    let why = format!("{scale}: times face {face} is above {FACE_MAX}; lower one of them");
                    return refuse(field("scale"), why);
                }
                let least = i128::from(LOT_PARTS_MIN) * i128::from(market.price_max.get());
                if parts < least {
                    let scale_min = least.unsigned_abs().div_ceil(u128::from(face.unsigned_abs()));
                    let why = format!(
                        "{scale}: a part is more than a millionth of a lot at price_max; give {scale_min}"
                    );
                    return refuse(field("scale"), why);
                }
                Ok(())
            }
        }
    }
}

const fn yes() -> bool {
    true
}

/// Names that clients give to their orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientIds {
    /// Not read.
    #[default]
    None,
    /// Any number but 0, unique among an account's open orders.
    Hashed,
    /// 1 to `max`, unique among the market's open orders: a table with four bytes up to the highest one used.
    Dense {
        /// The highest id.
        max: u32,
    },
}

/// Who is filled first at a price.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Allocation {
    /// Longest resting first.
    #[default]
    PriceTime,
    /// In proportion, with steps before it: docs/mechanics.md section 6.2.
    ProRata {
        /// The order that set the best price comes first.
        top_order: bool,
        /// Lead market makers and their shares.
        lead: Vec<Lead>,
        /// Share that goes longest resting first.
        fifo_ppm: Ppm,
        /// Least share of an order; smaller ones are nothing.
        minimum: Qty,
    },
}

/// A lead market maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    /// The account.
    pub account: AccountId,
    /// Its share.
    pub share_ppm: Ppm,
}

/// The trading day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// The end of some day.
    pub start_ns: Nanos,
    /// Time from end to end.
    pub length_ns: Nanos,
}

impl Default for Day {
    fn default() -> Self {
        Self { start_ns: Nanos::ZERO, length_ns: Nanos::new(86_400 * BILLION) }
    }
}

/// Limits at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Prices are multiples of it.
    pub price_step: Price,
    /// Quantities are multiples of it.
    pub qty_step: Qty,
    /// Least quantity.
    pub qty_min: Qty,
    /// Least notional; not asked of reduce-only orders.
    pub notional_min: Money,
    /// Greatest notional; null for none.
    pub notional_max: Option<Money>,
    /// Resting and waiting orders of one account; null for no limit.
    pub open_orders_max: Option<u32>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            price_step: Price::new(1),
            qty_step: Qty::new(1),
            qty_min: Qty::new(1),
            notional_min: Money::ZERO,
            notional_max: None,
            open_orders_max: None,
        }
    }
}

impl Entry {
    /// True if nothing but the least quantity is asked.
    #[must_use]
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self { qty_min: self.qty_min, ..Self::default() }
    }

    fn prove(&self, at: &str, market: &Market) -> Result<(), ConfigError> {
        for (name, value, max) in [
            ("price_step", self.price_step.get(), market.price_max.get()),
            ("qty_step", self.qty_step.get(), market.order_qty_max.get()),
            ("qty_min", self.qty_min.get(), market.order_qty_max.get()),
        ] {
            if value < 1 || value > max {
                return refuse(format!("{at}.entry.{name}"), format!("{value}: must be 1 to {max}"));
            }
        }
        if self.notional_min.is_negative() {
            let why = format!("{}: must not be negative", self.notional_min);
            return refuse(format!("{at}.entry.notional_min"), why);
        }
        if let Some(max) = self.notional_max.filter(|max| *max < self.notional_min || max.is_zero()) {
            let why = format!("{max}: must be positive and at least notional_min {}", self.notional_min);
            return refuse(format!("{at}.entry.notional_max"), why);
        }
        if self.open_orders_max == Some(0) {
            return refuse(
                format!("{at}.entry.open_orders_max"),
                "0: must be positive, or null for no limit",
            );
        }
        Ok(())
    }
}

impl Allocation {
    /// True if orders of one price share out what is met.
    #[inline]
    pub(crate) fn shares_out(&self) -> bool {
        matches!(self, Self::ProRata { .. })
    }

    fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let Self::ProRata { lead, fifo_ppm, minimum, .. } = self else { return Ok(()) };
        let field = |name: &str| format!("{at}.allocation.{name}");
        let mut sum = Ppm::ZERO;
        for row in lead {
            if !(1..=MILLION).contains(&row.share_ppm.get()) {
                return refuse(field("lead"), format!("{}: must be 1 to 1000000", row.share_ppm));
            }
            sum += row.share_ppm;
        }
        if sum.get() > MILLION {
            return refuse(field("lead"), format!("shares sum to {sum}: must be 1000000 at most"));
        }
        if !(0..=MILLION).contains(&fifo_ppm.get()) {
            return refuse(field("fifo_ppm"), format!("{fifo_ppm}: must be 0 to 1000000"));
        }
        if !minimum.is_positive() {
            return refuse(field("minimum"), format!("{minimum}: must be positive"));
        }
        Ok(())
    }
}

/// Trading fees; negative is a rebate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// Of the resting side.
    pub maker_ppm: Ppm,
    /// Of the incoming side.
    pub taker_ppm: Ppm,
}

impl Market {
    /// The sources whose prices the venue is told, by their numbers: those of the index, then those of the mark.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.index.iter().flat_map(|index| &index.sources).chain(&self.mark.sources)
    }

    /// True if a stale index keeps positions from being closed.
    pub(crate) fn waits_for(&self, index: IndexState) -> bool {
        index == IndexState::Stale && self.index.as_ref().is_some_and(|i| !i.liquidates_stale)
    }

    /// The row of the phase table; a stale index may keep positions from being closed.
    pub(crate) fn admission(&self, phase: Phase, index: IndexState) -> Admission {
        let waits = self.waits_for(index);
        let row = phase.admits();
        Admission { liquidation: row.liquidation && !waits, adl: row.adl && !waits, ..row }
    }

    /// What positions are worth.
    #[must_use]
    pub fn contract(&self) -> Contract {
        match self.contract {
            ContractRule::Linear => Contract::linear(self.tick_value),
            ContractRule::Inverse { face, scale, .. } => Contract::inverse(face, scale),
            ContractRule::Quanto { multiplier, scale } => Contract::quanto(multiplier, scale),
        }
    }

    /// True for a contract whose value falls as one over the price.
    #[must_use]
    pub(crate) const fn is_inverse(&self) -> bool {
        matches!(self.contract, ContractRule::Inverse { .. })
    }

    /// Lowest and highest price.
    #[must_use]
    pub(crate) fn prices(&self) -> (Price, Price) {
        let least = match self.contract {
            ContractRule::Inverse { price_min, .. } => price_min,
            ContractRule::Linear | ContractRule::Quanto { .. } => Price::new(1),
        };
        (least, self.price_max)
    }

    /// The price of the market that is nearest.
    pub(crate) fn nearest(&self, price: Price) -> Price {
        let (least, most) = self.prices();
        price.max(least).min(most)
    }

    /// True for a price of the market.
    #[must_use]
    #[inline]
    pub(crate) fn has(&self, price: Price) -> bool {
        let (least, most) = self.prices();
        least <= price && price <= most
    }

    /// The value of so many lots at the price at which it is greatest, in minor units; proven to fit in parts of them.
    pub(super) fn prove_notional(&self, at: &str, lots: Qty) -> Result<i128, ConfigError> {
        let contract = self.contract();
        let (least, most) = self.prices();
        let per_lot = match self.contract {
            ContractRule::Linear => i128::from(most.get()) * i128::from(self.tick_value.get()),
            ContractRule::Quanto { multiplier, .. } => i128::from(most.get()) * i128::from(multiplier),
            ContractRule::Inverse { .. } => i128::from(contract.lot(least).abs().get()),
        };
        let parts = per_lot.saturating_mul(i128::from(lots.get()));
        if contract.is_whole() {
            return Ok(parts);
        }
        // Lots times price are added up in a book, whatever they are worth.
        let raw = i128::from(most.get()) * i128::from(lots.get());
        if parts.max(raw) > AMOUNT_MAX {
            let why = format!(
                "position_max, open_interest_max and order_qty_max reach {parts} parts of a minor unit, above \
                 {AMOUNT_MAX}; lower one of them or scale, or raise price_min"
            );
            return refuse(format!("{at}.contract.scale"), why);
        }
        Ok(parts.saturating_add(i128::from(contract.scale())).div_euclid(i128::from(contract.scale())))
    }

    pub(super) fn prove(&self, at: &str, call: Ppm, funds: usize) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        for (name, value, max) in [
            ("price_max", self.price_max.get(), PRICE_MAX),
            ("order_qty_max", self.order_qty_max.get(), ORDER_QTY_MAX),
            ("position_max", self.position_max.get(), i64::MAX / 4),
            ("open_interest_max", self.open_interest_max.get(), i64::MAX / 4),
        ] {
            if value < 1 || value > max {
                return refuse(field(name), format!("{value}: must be 1 to {max}"));
            }
        }
        for (name, rate) in [("maker_ppm", self.fees.maker_ppm), ("taker_ppm", self.fees.taker_ppm)] {
            if !(-MILLION / 10..=MILLION / 10).contains(&rate.get()) {
                return refuse(field("fees.") + name, format!("{rate}: must be -100000 to 100000"));
            }
        }
        self.contract.prove(at, self)?;
        prove_tiers(at, &self.tiers, call)?;
        self.margin.prove(at)?;
        self.entry.prove(at, self)?;
        self.allocation.prove(at)?;
        self.auction.prove(at, self.price_max)?;
        if !self.day.length_ns.is_positive() || self.day.start_ns.is_negative() {
            return refuse(field("day"), "length_ns must be positive and start_ns not negative");
        }
        if self.client_ids == (ClientIds::Dense { max: 0 }) {
            return refuse(field("client_ids.dense.max"), "0: must be positive");
        }
        if let Some(index) = &self.index {
            index.prove(at)?;
        }
        self.mark.prove(at, self.funding.is_some())?;
        if let Some(f) = self.funding {
            f.prove(at, self)?;
        }
        if self.fund.index() >= funds {
            return refuse(field("fund"), format!("{}: no such fund", self.fund));
        }
        if self.reopen_auction_ns.is_negative() {
            return refuse(
                field("reopen_auction_ns"),
                format!("{}: must not be negative", self.reopen_auction_ns),
            );
        }
        if let Some(settlement) = self.settlement {
            settlement.prove(at, self.cleared)?;
        }
        self.liquidation.prove(at)?;
        if self.auction.liquidations && matches!(self.liquidation.policy, SlicePolicy::PortfolioShare { .. })
        {
            let why = "do not go with liquidation.policy portfolio_share, which closes every market at once";
            return refuse(field("auction.liquidations"), why);
        }
        self.adl.prove(at)
    }
}
