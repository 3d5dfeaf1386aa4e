//! Configuration: parsed once, and proven to keep every sum in range.
//!
//! [`Config::new`] decides what is a valid venue; after it nothing is checked again. The JSON form is that of
//! docs/mechanics.md section 12. Knows nothing of state.

use crate::protocol::Phase;
use crate::units::{
    AccountId, BILLION, FundId, MILLION, MarketId, Money, Nanos, OrderId, Ppb, Ppm, Price, Qty, TickValue,
};
use serde::{Deserialize, Serialize};

/// The schema version that this build reads.
pub const SCHEMA_VERSION: u32 = 1;

/// The largest amount that configured maxima may reach: 2^61, a quarter of what a balance holds.
const AMOUNT_MAX: i128 = 1 << 61;
/// The largest order: a resting order keeps its quantity in 40 bits.
const ORDER_QTY_MAX: i64 = (1 << 40) - 1;
/// The largest price domain in ticks: the ladder of a book spans it.
const PRICE_MAX: i64 = 1 << 24;

/// Why a configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not the JSON of a configuration.
    #[error("config: {0}; the fields are those of docs/mechanics.md section 12")]
    Json(String),
    /// A field has a value that cannot work.
    #[error("{field}: {why}")]
    Field {
        /// Path of the field.
        field: String,
        /// The value, what is wrong with it and what to do.
        why: String,
    },
}

fn refuse<T>(field: impl Into<String>, why: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Field { field: field.into(), why: why.into() })
}

/// A whole venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of this form; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// A name for people.
    pub name: String,
    /// The number in every event.
    pub venue: u16,
    /// Seed of the venue's own keyed draws; none are made yet.
    pub seed: u64,
    /// Call requirement as a multiple of maintenance in ppm; 0 for no margin calls.
    pub margin_call_ppm: Ppm,
    /// Account that takes positions over at the bankruptcy price.
    pub backstop: Option<AccountId>,
    /// What happens to a loss that the fund cannot pay.
    pub last_resort: LastResort,
    /// Bounds of size and of work.
    pub limits: Limits,
    /// Assets; the first is the valuation asset.
    pub assets: Vec<Asset>,
    /// Insurance funds, in the valuation asset.
    pub funds: Vec<Fund>,
    /// Markets, all settled in the valuation asset.
    pub markets: Vec<Market>,
    /// Breaker rules, in order of precedence.
    pub breakers: Vec<Breaker>,
}

/// Bounds of size and of work per step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Accounts.
    pub accounts_max: u32,
    /// Resting orders per market.
    pub orders_max: u32,
    /// Rounds of the waterfall in one step.
    pub liquidation_rounds_per_step: u32,
    /// Fired orders sent in one step.
    #[serde(default = "triggers_per_step")]
    pub triggers_per_step: u32,
    /// Accounts looked at for funding in one step.
    pub funding_accounts_per_step: u32,
    /// Ranked accounts looked at in one round of auto-deleveraging.
    pub adl_closes_per_round: u32,
    /// Accounts that a ranking keeps.
    pub adl_rank_max: u32,
}

/// One asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Name.
    pub name: String,
    /// Decimals of the minor unit; for people, the venue counts minor units.
    pub decimals: u8,
    /// Largest sum of deposits.
    pub deposits_max: Money,
    /// How it counts as collateral; null for the valuation asset.
    pub collateral: Option<Collateral>,
}

/// Value of an asset as collateral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collateral {
    /// The market whose index prices it.
    pub market: MarketId,
    /// Minor units of the valuation asset per minor unit and tick: numerator.
    pub value_num: i64,
    /// Denominator.
    pub value_den: i64,
    /// Share of the value that counts.
    pub weight_ppm: Ppm,
}

/// One insurance fund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// Name.
    pub name: String,
}

/// One market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name.
    pub name: String,
    /// Minor units of the valuation asset per tick per lot.
    pub tick_value: TickValue,
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
}

const fn yes() -> bool {
    true
}

const fn triggers_per_step() -> u32 {
    16
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

/// Auto-deleveraging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adl {
    /// Whether it is used.
    pub enabled: bool,
    /// Who is closed.
    pub method: AdlMethod,
    /// At which price.
    pub price: AdlPrice,
    /// Band of the price around the mark; null for none.
    pub band_ppm: Option<Ppm>,
}

/// Who is deleveraged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlMethod {
    /// Highest profit ratio x leverage first.
    Queue,
    /// Everyone in profit, by lots.
    ProRata,
}

/// Price of auto-deleveraging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdlPrice {
    /// The bankruptcy price of the liquidated position.
    Bankruptcy,
    /// The mark.
    Mark,
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

impl Config {
    /// Parses and proves a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] naming the field, its value and the remedy.
    ///
    /// ```
    /// # use seawall_core::Config;
    /// assert!(Config::new("{}").unwrap_err().to_string().contains("schema_version"));
    /// ```
    pub fn new(json: &str) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_str(json).map_err(|e| ConfigError::Json(e.to_string()))?;
        config.prove()?;
        Ok(config)
    }

    /// The canonical text: what a journal carries and what the configuration's digest is of.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).expect("a configuration is plain data")
    }

    /// Digest of the canonical text.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *blake3::hash(self.canonical().as_bytes()).as_bytes()
    }

    fn prove(&self) -> Result<(), ConfigError> {
        if self.schema_version != SCHEMA_VERSION {
            let why = format!("{} is unknown; this build reads {SCHEMA_VERSION}", self.schema_version);
            return refuse("schema_version", why);
        }
        let call = self.margin_call_ppm.get();
        if call != 0 && !(MILLION..=10 * MILLION).contains(&call) {
            return refuse("margin_call_ppm", format!("{call}: must be 0 (none) or 1000000 to 10000000"));
        }
        self.prove_limits()?;
        self.prove_assets()?;
        for (name, count, least) in [
            ("funds", self.funds.len(), 1),
            ("markets", self.markets.len(), 1),
            ("breakers", self.breakers.len(), 0),
        ] {
            if !(least..=1000).contains(&count) {
                return refuse(name, format!("{count} of them: must be {least} to 1000"));
            }
        }
        for (i, market) in self.markets.iter().enumerate() {
            market.prove(
                &format!("markets[{i}] ({})", market.name),
                self.margin_call_ppm,
                self.funds.len(),
            )?;
        }
        self.prove_names()?;
        self.prove_amounts()?;
        self.breakers
            .iter()
            .enumerate()
            .try_for_each(|(i, b)| b.prove(&format!("breakers[{i}] ({})", b.name), self.markets.len()))
    }

    /// People and tables find things by name.
    fn prove_names(&self) -> Result<(), ConfigError> {
        let markets: Vec<&str> = self.markets.iter().map(|m| m.name.as_str()).collect();
        let assets: Vec<&str> = self.assets.iter().map(|a| a.name.as_str()).collect();
        let funds: Vec<&str> = self.funds.iter().map(|f| f.name.as_str()).collect();
        for (list, mut names) in [("markets", markets), ("assets", assets), ("funds", funds)] {
            names.sort_unstable();
            if let Some([name, ..]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return refuse(list, format!("two have the name {name:?}; give each its own"));
            }
        }
        Ok(())
    }

    fn prove_limits(&self) -> Result<(), ConfigError> {
        let l = &self.limits;
        let slots = 1u32 << OrderId::SLOT_BITS;
        for (name, value, max) in [
            ("accounts_max", l.accounts_max, 1 << 28),
            ("orders_max", l.orders_max, slots - 2),
            ("liquidation_rounds_per_step", l.liquidation_rounds_per_step, u32::MAX),
            ("triggers_per_step", l.triggers_per_step, u32::MAX),
            ("funding_accounts_per_step", l.funding_accounts_per_step, u32::MAX),
            ("adl_closes_per_round", l.adl_closes_per_round, u32::MAX),
            ("adl_rank_max", l.adl_rank_max, u32::MAX),
        ] {
            if value == 0 || value > max {
                return refuse(format!("limits.{name}"), format!("{value}: must be 1 to {max}"));
            }
        }
        match self.backstop {
            Some(b) if b.get() >= l.accounts_max => {
                refuse("backstop", format!("{b}: must be below limits.accounts_max {}", l.accounts_max))
            }
            _ => Ok(()),
        }
    }

    fn prove_assets(&self) -> Result<(), ConfigError> {
        if self.assets.is_empty() || self.assets.len() > 256 {
            return refuse("assets", format!("{} assets: must be 1 to 256", self.assets.len()));
        }
        for (i, asset) in self.assets.iter().enumerate() {
            let at = format!("assets[{i}] ({})", asset.name);
            if asset.deposits_max.get() < 1 {
                return refuse(at + ".deposits_max", format!("{}: must be positive", asset.deposits_max));
            }
            match (i, asset.collateral) {
                (0, Some(_)) => {
                    return refuse(at + ".collateral", "the first asset is the valuation asset; use null");
                }
                (0, None) => {}
                (_, None) => return refuse(at + ".collateral", "is null; say how the asset is valued"),
                (_, Some(c)) => {
                    if c.market.index() >= self.markets.len() {
                        return refuse(at + ".collateral.market", format!("{}: no such market", c.market));
                    }
                    for (name, value) in [("value_num", c.value_num), ("value_den", c.value_den)] {
                        if value < 1 {
                            return refuse(at + ".collateral." + name, format!("{value}: must be positive"));
                        }
                    }
                    if !(0..=MILLION).contains(&c.weight_ppm.get()) {
                        let why = format!("{}: must be 0 to 1000000", c.weight_ppm);
                        return refuse(at + ".collateral.weight_ppm", why);
                    }
                }
            }
        }
        Ok(())
    }

    /// No position, order or deposit can leave its range: all deposits, plus every open position at the highest
    /// price, stay below [`AMOUNT_MAX`].
    fn prove_amounts(&self) -> Result<(), ConfigError> {
        let mut total = i128::from(self.assets[0].deposits_max.get());
        for market in &self.markets {
            let per_lot = i128::from(market.price_max.get()) * i128::from(market.tick_value.get());
            let lots = market.open_interest_max.max(market.position_max).max(market.order_qty_max);
            let notional = per_lot.checked_mul(i128::from(lots.get()));
            // A market without clearing moves no money.
            let notional = if market.cleared { notional.unwrap_or(i128::MAX) } else { 0 };
            total = total.saturating_add(notional);
            // A side of a full book: its levels and the auction add quantities up.
            let resting = i128::from(self.limits.orders_max) * i128::from(market.order_qty_max.get());
            if resting > i128::from(i64::MAX) {
                let why = format!(
                    "limits.orders_max {} x order_qty_max {} of {} is above {}; lower one of them",
                    self.limits.orders_max,
                    market.order_qty_max,
                    market.name,
                    i64::MAX
                );
                return refuse("limits.orders_max", why);
            }
        }
        for asset in &self.assets[1..] {
            let c = asset.collateral.expect("checked above");
            let index_max = self.markets[c.market.index()].price_max.get();
            let value = i128::from(asset.deposits_max.get())
                .checked_mul(i128::from(index_max) * i128::from(c.value_num))
                .and_then(|v| v.checked_mul(i128::from(MILLION)))
                .map_or(i128::MAX, |v| v / i128::from(MILLION) / i128::from(c.value_den));
            total = total.saturating_add(value);
        }
        if total > AMOUNT_MAX {
            let why = format!(
                "deposits and open interest at price_max reach {total} minor units, above {AMOUNT_MAX}; lower \
                 deposits_max, open_interest_max, position_max, order_qty_max, price_max or tick_value"
            );
            return refuse("markets", why);
        }
        Ok(())
    }
}

impl Market {
    fn prove(&self, at: &str, call: Ppm, funds: usize) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        for (name, value, max) in [
            ("tick_value", self.tick_value.get(), i64::MAX),
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
        self.prove_tiers(at, call)?;
        self.entry.prove(at, self)?;
        self.allocation.prove(at)?;
        if !self.day.length_ns.is_positive() || self.day.start_ns.is_negative() {
            return refuse(field("day"), "length_ns must be positive and start_ns not negative");
        }
        if self.client_ids == (ClientIds::Dense { max: 0 }) {
            return refuse(field("client_ids.dense.max"), "0: must be positive");
        }
        if !(1..=4096).contains(&self.mark.basis_samples) {
            return refuse(
                field("mark.basis_samples"),
                format!("{}: must be 1 to 4096", self.mark.basis_samples),
            );
        }
        if let Some(f) = self.funding {
            f.prove(at, self.position_max)?;
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
        let l = &self.liquidation;
        for (name, rate, least) in [
            ("liquidation.slice_ppm", l.slice_ppm, 1),
            ("liquidation.fee_ppm", l.fee_ppm, 0),
            ("liquidation.fund_limit_ppm", l.fund_limit_ppm, 0),
            ("adl.band_ppm", self.adl.band_ppm.unwrap_or(Ppm::ZERO), 0),
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

    /// Rates rise with the notional and requirements join without a jump in whole minor units: then maintenance
    /// is convex and monotone, which the guard index relies on.
    fn prove_tiers(&self, at: &str, call: Ppm) -> Result<(), ConfigError> {
        let field = |i: usize, name: &str| format!("{at}.tiers[{i}].{name}");
        let Some(first) = self.tiers.first() else {
            return refuse(format!("{at}.tiers"), "is empty; give at least one tier from 0");
        };
        if !first.lower.is_zero() {
            return refuse(field(0, "lower"), format!("{}: the first tier starts at 0", first.lower));
        }
        for (i, t) in self.tiers.iter().enumerate() {
            let (im, mm) = (t.initial_ppm.get(), t.maintenance_ppm.get());
            if im < mm || im > MILLION {
                return refuse(field(i, "initial_ppm"), format!("{im}: must be maintenance {mm} to 1000000"));
            }
            let scaled = i128::from(mm) * i128::from(call.get().max(MILLION));
            if mm < 1 || scaled >= i128::from(MILLION) * i128::from(MILLION) {
                let why = format!("{mm}: must be positive and, times margin_call_ppm, below 1000000");
                return refuse(field(i, "maintenance_ppm"), why);
            }
            let Some(p) = i.checked_sub(1).map(|p| self.tiers[p]) else { continue };
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
}

impl Funding {
    fn prove(&self, at: &str, position_max: Qty) -> Result<(), ConfigError> {
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

impl Breaker {
    fn prove(&self, at: &str, markets: usize) -> Result<(), ConfigError> {
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
