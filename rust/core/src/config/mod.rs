//! Configuration: parsed once, and proven to keep every sum in range.
//!
//! [`Config::new`] decides what is a valid venue; after it nothing is checked again. The JSON form is that of
//! docs/mechanics.md section 12. Knows nothing of state.

mod adl;
mod auction;
mod breaker;
mod levels;
mod limits;
mod margin;
mod market;
mod portfolio;
mod price;
mod risk;
mod settlement;
mod waterfall;

pub use adl::{
    Adl, AdlFallback, AdlLights, AdlMethod, AdlPrice, AdlRisk, AdlScore, AdlTrigger, AdlWeight, Eligible,
    Exempt, Hedge, LightMethod, SizeBand,
};
pub use auction::{
    Auction, AuctionAllocation, AuctionPreset, AuctionReference, AuctionRounding, Candidates, Collar,
    CollarAction, CollarAround, Indicative, MarketOrders, Pressure, SurplusRule, Tie,
};
pub(crate) use breaker::multiplies;
pub use breaker::{
    Action, Breaker, CollarFlat, Counted, ExemptFlow, Exit, Extension, GapRow, Hour, Immediate, Interrupts,
    LeastDepth, LevelRow, MarkMeanwhile, Meanwhile, Quantile, Range, Rearm, Reference, ReopeningCollar, Rest,
    Rounding, Test, Watched, When, Width, WidthTier,
};
pub use levels::{CloseOut, Levels};
pub use limits::{BlockLimits, GateTrigger, Phases, PositionBlock, WithdrawalGate};
pub use margin::{
    Collateral, CollateralPrice, Margin, OpenInterestScale, Redemption, SizeDiscount, SizeRule,
};
pub use market::{Allocation, ClientIds, ContractRule, Day, Entry, Fees, Lead, Market};
pub(crate) use portfolio::PORTFOLIO_MARKETS_MAX;
pub use portfolio::{Portfolio, Scenario};
pub(crate) use price::VOTES_MAX;
pub use price::{
    Accrual, Funding, FundingPrice, Index, IndexRule, Mark, MarkInput, MarkMethod, Payers, Source, Votes,
};
pub use risk::Multiplier;
pub(crate) use risk::multiplied;
pub use risk::{Liquidation, Tier};
pub use settlement::{FinalSettlement, SettlementPrice};
pub use waterfall::{
    Assignment, AssignmentOrder, AssignmentStage, Curve, Drawdown, During, LastResort, LimitRule,
    LiquidationFee, RateRounding, SlicePolicy, Takeover,
};

use crate::units::{AccountId, MILLION, Money, Nanos, OrderId, Ppm};
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
    /// Seed of the venue's own keyed draws.
    pub seed: u64,
    /// Call requirement as a multiple of maintenance in ppm; 0 for no margin calls.
    pub margin_call_ppm: Ppm,
    /// How long a called account has until it is liquidated for its call; zero for as long as maintenance is covered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub margin_call_grace_ns: Nanos,
    /// Levels of margin beside initial and maintenance.
    #[serde(default, skip_serializing_if = "is_default")]
    pub levels: Levels,
    /// Account that takes positions over at the bankruptcy price.
    pub backstop: Option<AccountId>,
    /// What happens to a loss that the fund cannot pay.
    pub last_resort: LastResort,
    /// An account leaves liquidation once its equity reaches so many times maintenance.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub liquidation_exit_ppm: Ppm,
    /// A withdrawal leaves at least this share of the open notional.
    #[serde(default, skip_serializing_if = "is_default")]
    pub withdrawal_notional_ppm: Ppm,
    /// Whether what others paid for a debtor is claimed back from its later deposits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub claims: bool,
    /// What liquidations do at most in a period; null for no limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub block_limits: Option<BlockLimits>,
    /// When withdrawals and transfers are refused; null for never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub withdrawal_gate: Option<WithdrawalGate>,
    /// Bounds of size and of work.
    pub limits: Limits,
    /// Assets; the first is the valuation asset.
    pub assets: Vec<Asset>,
    /// Insurance funds, in the valuation asset.
    pub funds: Vec<Fund>,
    /// Markets, all settled in the valuation asset.
    pub markets: Vec<Market>,
    /// Groups of markets that accounts with portfolio margin hold as one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub portfolios: Vec<Portfolio>,
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

/// One insurance fund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// Name.
    pub name: String,
    /// Highest balance: what is above it moves to the fees earned; null for none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cap: Option<Money>,
    /// Most that it pays towards one debt in one round; null for no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub paid_max: Option<Money>,
    /// When it stops to pay for a market; null for never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drawdown: Option<Drawdown>,
}

/// True for the value of a key that is left out: it is not written either, so that a configuration without it keeps
/// its canonical text.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Fund {
    fn prove(&self, at: &str) -> Result<(), ConfigError> {
        for (name, amount) in [("cap", self.cap), ("paid_max", self.paid_max)] {
            if let Some(amount) = amount.filter(|a| !a.is_positive()) {
                return refuse(
                    format!("{at}.{name}"),
                    format!("{amount}: must be positive, or null for none"),
                );
            }
        }
        self.drawdown.map_or(Ok(()), |drawdown| drawdown.prove(at))
    }
}

const fn triggers_per_step() -> u32 {
    16
}

const fn one() -> Ppm {
    Ppm::new(MILLION)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_one(value: &Ppm) -> bool {
    *value == one()
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
        let exit = self.liquidation_exit_ppm;
        if !(MILLION..=10 * MILLION).contains(&exit.get()) {
            return refuse("liquidation_exit_ppm", format!("{exit}: must be 1000000 to 10000000"));
        }
        let share = self.withdrawal_notional_ppm;
        if !(0..=MILLION).contains(&share.get()) {
            return refuse("withdrawal_notional_ppm", format!("{share}: must be 0 (none) to 1000000"));
        }
        self.prove_limits()?;
        self.block_limits.map_or(Ok(()), |limits| limits.prove())?;
        self.withdrawal_gate.map_or(Ok(()), |gate| gate.prove())?;
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
        for (i, fund) in self.funds.iter().enumerate() {
            fund.prove(&format!("funds[{i}] ({})", fund.name))?;
        }
        let lots_max = self.markets.iter().map(|m| m.open_interest_max).max();
        self.last_resort.prove(lots_max.unwrap_or_default())?;
        for (i, market) in self.markets.iter().enumerate() {
            let at = format!("markets[{i}] ({})", market.name);
            market.prove(&at, self.margin_call_ppm, self.funds.len())?;
            market.liquidation.fee_rule.prove(&at, self.limits.accounts_max)?;
        }
        self.prove_portfolio()?;
        self.levels.prove(self)?;
        portfolio::prove(self)?;
        self.prove_names()?;
        for (i, market) in self.markets.iter().enumerate() {
            market.adl.prove_hedges(&format!("markets[{i}] ({})", market.name), i, &self.markets)?;
        }
        self.prove_amounts()?;
        self.breakers.iter().enumerate().try_for_each(|(i, b)| {
            b.prove(&format!("breakers[{i}] ({})", b.name), &self.markets, self.margin_call_ppm)
        })?;
        breaker::prove_together(&self.breakers, &self.markets)
    }

    /// A share of all positions is a rule of all markets; its penalty stands in place of a fee.
    fn prove_portfolio(&self) -> Result<(), ConfigError> {
        let portfolio = |m: &&Market| matches!(m.liquidation.policy, SlicePolicy::PortfolioShare { .. });
        let Some(first) = self.markets.iter().find(portfolio) else { return Ok(()) };
        for (i, market) in self.markets.iter().enumerate() {
            let field = |name: &str| format!("markets[{i}] ({}).liquidation.{name}", market.name);
            if market.liquidation.policy != first.liquidation.policy {
                let why = format!("{} has portfolio_share; give every market the same policy", first.name);
                return refuse(field("policy"), why);
            }
            if market.liquidation.fee_rule != LiquidationFee::Flat {
                return refuse(field("fee_rule"), "portfolio_share has a penalty; leave it flat");
            }
            if market.adl.method == AdlMethod::External {
                let why =
                    "external: does not go with portfolio_share, which closes several markets in one round";
                return refuse(format!("markets[{i}] ({}).adl.method", market.name), why);
            }
        }
        Ok(())
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
                (_, Some(c)) => c.prove(&(at + ".collateral"), &self.markets)?,
            }
        }
        Ok(())
    }

    /// No position, order or deposit can leave its range: all deposits, plus every open position at the highest
    /// price, stay below [`AMOUNT_MAX`].
    fn prove_amounts(&self) -> Result<(), ConfigError> {
        let mut total = i128::from(self.assets[0].deposits_max.get());
        for (i, market) in self.markets.iter().enumerate() {
            let lots = market.open_interest_max.max(market.position_max).max(market.order_qty_max);
            // A market without clearing moves no money.
            if market.cleared {
                total = total
                    .saturating_add(market.prove_notional(&format!("markets[{i}] ({})", market.name), lots)?);
            }
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
            total = total.saturating_add(c.value_max(asset.deposits_max, &self.markets));
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
