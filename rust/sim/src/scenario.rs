//! The scenario: everything that a world needs to know besides the venue's configuration and a seed.
//!
//! People write scenarios as TOML (`python/seawall/scenarios/*.toml`); the Python models turn them into the JSON
//! that [`Scenario::new`] reads. **The two have the same structure and the same key names.** Only leaves change:
//!
//! | kind of leaf | TOML | JSON | keys |
//! |---|---|---|---|
//! | time | ISO string `"2025-10-10T20:30:00Z"` | integer, ns since the Unix epoch, UTC | `start`, `end` |
//! | duration | string `"500ms"`, `"30s"`, `"5m"`, `"1h"` | integer, ns | every key that ends in `_ns` |
//! | price | decimal string in USD, `"117014.0"` | integer, ticks of that market | the four numbers of a bar |
//! | quantity | decimal string in base currency, `"128000"` | integer, lots of that market | `open_interest`, `exogenous[].qty` |
//! | money | decimal string in USD, `"242000000"` | integer, minor units of asset 0 (1e-6 USD) | `capital`, `size`, `size_median`, `position_max`, second number of a depth point |
//! | real number | number | number | everything else that is not a count: ratios, basis points (`_bps`), shares, exponents |
//! | count, number of a source | integer | integer | `accounts`, `levels`, `pulses_per_step_max`, `source` |
//! | name, switch | string, boolean | the same | `name`, `lead`, `market`, `switches.*` |
//!
//! A price, quantity or amount that is not a whole number of ticks, lots or minor units is an error of the file.
//!
//! Keys that only Python reads and that **must be taken out** before the JSON is sent: `extends`, `venue` (name of
//! the venue profile), `title`, `description`, `sources`, `provenance`, `published`. `extends` merges tables
//! deeply, key by key; arrays are replaced whole. `sources` is an array of tables `{name, note}`; `source` numbers
//! in the file are places in it, from 0. `provenance` is an array of tables `{path, kind, reason, source}` that
//! says of every figure whether it is `input` or `calibrated`; `published` is the scorecard.
//!
//! Markets are tables by name (`[markets.BTC]`), not arrays, so that `extends` and `--set` reach into them. The
//! names are those of the venue's markets; a scenario must have exactly the venue's markets.
//!
//! Prices run over `[start, end]` in steps of `step_ns`. The bars of a market are given in segments of equal
//! duration; segments follow each other without a gap, begin at `start` and end at `end`, so resolutions can be
//! mixed. The open of the first bar is the index at `start`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema version that this build reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Why a scenario was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The text is not the JSON of a scenario.
    #[error("scenario: {0}; the fields are those of rust/sim/src/scenario.rs")]
    Json(String),
    /// A field has a value that cannot work.
    #[error("scenario.{field}: {why}")]
    Field {
        /// Path of the field.
        field: String,
        /// The value, what is wrong with it and what to do.
        why: String,
    },
}

pub(crate) fn refuse<T>(field: impl Into<String>, why: impl Into<String>) -> Result<T, ScenarioError> {
    Err(ScenarioError::Field { field: field.into(), why: why.into() })
}

/// A crash day, or a calm one, around one venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Version of this form; [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name.
    pub name: String,
    /// First moment, ns since the Unix epoch: population and makers are set up at this time.
    pub start: i64,
    /// Last moment, ns since the Unix epoch; a whole number of steps after `start`.
    pub end: i64,
    /// Length of a step in ns: 1 s or finer, at least 1 ms.
    pub step_ns: i64,
    /// What is known of each market, by the venue's market name.
    pub markets: BTreeMap<String, Market>,
    /// The insurance funds.
    pub fund: Fund,
    /// How the path between bars is drawn.
    pub bridge: Bridge,
    /// What liquidations do to the index.
    pub impact: Impact,
    /// The leveraged accounts.
    pub population: Population,
    /// The market makers.
    pub makers: Makers,
    /// Everybody else who trades.
    pub flow: Flow,
    /// Bounds of work.
    pub work: Work,
    /// What is switched on.
    pub switches: Switches,
}

/// Inputs of one market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Bars of the index proxy, in segments.
    pub path: Vec<Segment>,
    /// Name of another market whose finer path says when, inside a bar, this market has its extremes; null for none.
    pub lead: Option<String>,
    /// Sum of long positions at `start`, in lots.
    pub open_interest: i64,
    /// Share of the accounts that hold one market only which hold this one; a weight, any positive number.
    pub account_weight: f64,
    /// The quoted book in normal times.
    pub depth: Depth,
}

/// Consecutive bars of one duration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Beginning of the first bar, ns since the Unix epoch.
    pub start: i64,
    /// Length of each bar in ns; at least four steps and a whole number of them.
    pub duration_ns: i64,
    /// Number of the source in the file's list.
    pub source: u32,
    /// The bars: open, high, low, close, in ticks.
    pub bars: Vec<[i64; 4]>,
}

/// Cumulative depth by distance from the middle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Depth {
    /// Points `[distance in basis points, cumulative notional in minor units]`, both increasing.
    pub bids: Vec<(f64, i64)>,
    /// The same for asks.
    pub asks: Vec<(f64, i64)>,
}

/// Insurance funds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// Each fund at `start`, as a share of the open interest (notional of the long side) of the markets that it
    /// stands behind. A venue with a backstop account has this money there instead.
    pub to_open_interest: f64,
}

/// How the path inside a bar is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Standard deviation of the bridge's noise over a whole bar, as a share of the bar's range.
    pub roughness: f64,
    /// How much of the lead market's shape a led market follows between its own knots: 0 none, 1 all.
    pub lead_share: f64,
}

/// What liquidations do to the index.
///
/// The input path is a record of what happened, liquidations included. With the switch on, a share of each
/// overshoot is taken out of it (what is left is called the fundamental path) and the venue's own liquidation
/// volume puts it back: `index = fundamental x (1 - response)`. With the switch off the index is the input path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Share of the overshoot that is attributed to forced sales and taken out of the path: 0 to 1.
    pub cascade_share: f64,
    /// A fall is an overshoot as far as it began within this time and is taken back within this time.
    pub overshoot_window_ns: i64,
    /// Response (a share of the price) to a decayed liquidation volume of the whole open interest.
    pub coefficient: f64,
    /// Exponent of the response: 1 linear, 0.5 the square-root law.
    pub exponent: f64,
    /// Time in which a past volume's weight falls by the factor e.
    pub decay_ns: i64,
    /// Largest response, as a share of the price.
    pub response_max: f64,
}

/// The leveraged accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Share of accounts that are long.
    pub long_share: f64,
    /// Share of accounts that hold every market of the venue rather than one.
    pub all_markets_share: f64,
    /// Sizes of positions before scaling to the open interest.
    pub size: Size,
    /// Entry prices of longs; shorts take the prices of the longs that they are paired with.
    pub entry: Entry,
    /// Effective leverage of longs: `[leverage, weight]`.
    pub long_leverage: Vec<(f64, f64)>,
    /// Effective leverage of shorts that are not hedged: `[leverage, weight]`.
    pub short_leverage: Vec<(f64, f64)>,
    /// An account's leverage is drawn between `1 - jitter` and 1 times the chosen one: idle collateral.
    pub leverage_jitter: f64,
    /// Leverage is divided by (size / median size) to this power where the size is above the median.
    pub leverage_size_exponent: f64,
    /// Share of short accounts that are hedges: large, with effective leverage mostly below 1.
    pub hedged_share: f64,
    /// Size of a hedge as a multiple of an ordinary draw.
    pub hedged_size_factor: f64,
    /// Median effective leverage of a hedge.
    pub hedged_leverage_median: f64,
    /// Standard deviation of its logarithm.
    pub hedged_leverage_sigma: f64,
}

/// Position sizes: a lognormal body (median 1) with a Pareto tail; scaled to the open interest afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Standard deviation of the logarithm in the body.
    pub sigma: f64,
    /// Share of accounts in the tail.
    pub tail_share: f64,
    /// Tail index: smaller is heavier.
    pub tail_alpha: f64,
    /// Largest position as a share of the open interest.
    pub share_max: f64,
}

/// Entry prices, relative to the index at `start`: `start x exp(shift + spread x normal)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Standard deviation in basis points.
    pub spread_bps: f64,
    /// Shift in basis points; positive puts entries above the start.
    pub shift_bps: f64,
    /// Largest distance from the start in basis points.
    pub distance_max_bps: f64,
}

/// The market makers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Makers {
    /// Accounts that quote in every market.
    pub accounts: u32,
    /// Price levels per side and market, all makers together.
    pub levels: u32,
    /// Capital of each, in minor units.
    pub capital: i64,
    /// Largest inventory of one maker in one market: notional as a multiple of its capital.
    pub inventory_leverage: f64,
    /// Shift of the reservation price at full inventory, basis points.
    pub skew_bps: f64,
    /// Distance of the best quote from the reservation price in normal times, basis points.
    pub half_spread_bps: f64,
    /// Distance of the farthest quote, basis points.
    pub distance_max_bps: f64,
    /// Quoted depth as a multiple of the scenario's depth curve.
    pub depth_factor: f64,
    /// Time in which depth that was taken comes back (by the factor e).
    pub replenish_ns: i64,
    /// Half-life of the volatility and flow that makers see.
    pub stress_halflife_ns: i64,
    /// Volatility of the index that is normal, basis points per square root of a second.
    pub volatility_normal_bps: f64,
    /// Withdrawal by volatility: depth is divided by 1 + this x (volatility / normal - 1), if above normal.
    pub withdrawal_volatility: f64,
    /// Withdrawal by flow: the divisor also grows by this x (liquidation notional per second / depth at 1 %).
    pub withdrawal_flow: f64,
    /// Least share of normal depth that stays.
    pub depth_floor: f64,
    /// Half spread as a multiple of the volatility over a second, where that is larger.
    pub spread_volatility: f64,
}

/// Everybody else who trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Small orders both ways.
    pub noise: Noise,
    /// Orders that follow the last move.
    pub momentum: Momentum,
    /// Orders that tie the venue's price to the index.
    pub arbitrage: Arbitrage,
    /// Holders of the population who close.
    pub profit_taking: ProfitTaking,
    /// Capital of the account that sends the exogenous flow, in minor units.
    pub exogenous_capital: i64,
    /// Flow given from outside.
    pub exogenous: Vec<Exogenous>,
}

/// Noise traders: immediate-or-cancel orders, side by a fair coin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Accounts that take turns.
    pub accounts: u32,
    /// Capital of each, in minor units.
    pub capital: i64,
    /// Mean number of orders per second and market.
    pub orders_per_second: f64,
    /// Median notional of an order, in minor units.
    pub size_median: i64,
    /// Standard deviation of the logarithm of the size.
    pub size_sigma: f64,
}

/// One trend follower.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Momentum {
    /// Capital, in minor units.
    pub capital: i64,
    /// Length of the move that is followed.
    pub window_ns: i64,
    /// Least size of the move, basis points.
    pub threshold_bps: f64,
    /// Notional of an order, in minor units; at most one per market and second.
    pub size: i64,
    /// Largest position, notional in minor units.
    pub position_max: i64,
}

/// One arbitrageur.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arbitrage {
    /// Capital, in minor units.
    pub capital: i64,
    /// Least distance of the best quote beyond the index at which it is taken, basis points.
    pub threshold_bps: f64,
    /// Largest notional of an order, in minor units.
    pub size: i64,
    /// Largest position, notional in minor units.
    pub position_max: i64,
}

/// Holders of the population who close their whole position of their own will when the index falls to new lows: shorts
/// who take profits and longs who cut losses, the same notional of each. Hedges do not. Without them every lot that a
/// liquidated long sells would end with a maker, and open interest would hardly fall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfitTaking {
    /// Share of the open interest at `start` that each side closes per percent of new low below the start.
    pub share_per_percent: f64,
    /// Time over which the decision is carried out (by the factor e).
    pub delay_ns: i64,
    /// Farthest price from the index that is taken, basis points.
    pub limit_bps: f64,
}

/// A quantity traded evenly over a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exogenous {
    /// Name of the market.
    pub market: String,
    /// Beginning, ns since the Unix epoch.
    pub start: i64,
    /// End, ns since the Unix epoch.
    pub end: i64,
    /// Signed lots: positive buys.
    pub qty: i64,
    /// Number of the source in the file's list.
    pub source: u32,
}

/// Bounds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Most Pulse commands in one step.
    pub pulses_per_step_max: u32,
}

/// What is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "a panel of switches")]
pub struct Switches {
    /// The venue liquidates. Off sets `liquidation.enabled` of every market to false; nothing else changes.
    pub liquidations: bool,
    /// Liquidation volume moves the index, and the cascade's share is taken out of the input path.
    pub impact: bool,
    /// Makers quote.
    pub makers: bool,
    /// Makers withdraw under stress.
    pub maker_withdrawal: bool,
    /// Noise traders trade.
    pub noise: bool,
    /// The trend follower trades.
    pub momentum: bool,
    /// The arbitrageur trades.
    pub arbitrage: bool,
    /// Holders take profits and cut losses.
    pub profit_taking: bool,
    /// Exogenous flow is sent.
    pub exogenous: bool,
}

impl Scenario {
    /// Parses and checks a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`] naming the field, its value and the remedy.
    pub fn new(json: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_json::from_str(json).map_err(|e| ScenarioError::Json(e.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Number of steps from start to end.
    #[must_use]
    pub fn steps(&self) -> usize {
        usize::try_from((self.end - self.start) / self.step_ns).unwrap_or(0)
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`ScenarioError`] naming the field, its value and the remedy.
    pub fn check(&self) -> Result<(), ScenarioError> {
        if self.schema_version != SCHEMA_VERSION {
            let why = format!("{} is unknown; this build reads {SCHEMA_VERSION}", self.schema_version);
            return refuse("schema_version", why);
        }
        if !(1_000_000..=1_000_000_000).contains(&self.step_ns) {
            return refuse(
                "step_ns",
                format!("{}: must be 1000000 (1 ms) to 1000000000 (1 s)", self.step_ns),
            );
        }
        if self.start < 0 || self.end <= self.start || (self.end - self.start) % self.step_ns != 0 {
            return refuse(
                "end",
                format!("{}: must be a whole number of steps after start {}", self.end, self.start),
            );
        }
        if self.steps() > 10_000_000 {
            return refuse(
                "step_ns",
                format!("{}: makes {} steps; must be at most 10000000", self.step_ns, self.steps()),
            );
        }
        if self.markets.is_empty() {
            return refuse("markets", "is empty; give one table per market of the venue");
        }
        for (name, market) in &self.markets {
            self.check_market(name, market)?;
        }
        self.check_numbers()?;
        self.check_counts()?;
        self.check_flow()
    }

    fn check_market(&self, name: &str, market: &Market) -> Result<(), ScenarioError> {
        let field = |key: &str| format!("markets.{name}.{key}");
        let mut at = self.start;
        for (i, segment) in market.path.iter().enumerate() {
            let place = field(&format!("path[{i}]"));
            if segment.start != at {
                let why = format!("{}: must be {at}, where the segment before it ends", segment.start);
                return refuse(place + ".start", why);
            }
            if segment.duration_ns < 4 * self.step_ns || segment.duration_ns % self.step_ns != 0 {
                let why = format!("{}: must be a whole number of steps, at least four", segment.duration_ns);
                return refuse(place + ".duration_ns", why);
            }
            for (j, &[open, high, low, close]) in segment.bars.iter().enumerate() {
                if low < 1 || open < low || close < low || open > high || close > high {
                    let why = format!(
                        "open {open}, high {high}, low {low}, close {close}: low must be positive and both ends within low and high"
                    );
                    return refuse(format!("{place}.bars[{j}]"), why);
                }
            }
            let bars = i64::try_from(segment.bars.len()).unwrap_or(i64::MAX);
            at = at.saturating_add(segment.duration_ns.saturating_mul(bars));
        }
        if at != self.end {
            return refuse(field("path"), format!("ends at {at}, not at end {}; add or drop bars", self.end));
        }
        if let Some(lead) = &market.lead {
            let leads = self.markets.get(lead).is_some_and(|m| m.lead.is_none());
            if !leads || lead == name {
                return refuse(
                    field("lead"),
                    format!("{lead}: must be another market that has no lead itself"),
                );
            }
        }
        if market.open_interest < 0 {
            return refuse(field("open_interest"), format!("{}: must not be negative", market.open_interest));
        }
        positive(&field("account_weight"), market.account_weight)?;
        for (side, points) in [("bids", &market.depth.bids), ("asks", &market.depth.asks)] {
            let rises = points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1);
            let first = points.first().is_some_and(|p| p.0 > 0.0 && p.0.is_finite() && p.1 > 0);
            if !rises || !first || points.iter().any(|p| p.0 > 5_000.0) {
                let why =
                    "needs points of rising distance (above 0, up to 5000 basis points) and rising notional";
                return refuse(field(&format!("depth.{side}")), why);
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), ScenarioError> {
        let (p, m, i) = (&self.population, &self.makers, &self.impact);
        for (name, value) in [
            ("population.long_share", p.long_share),
            ("population.all_markets_share", p.all_markets_share),
            ("population.leverage_jitter", p.leverage_jitter),
            ("population.hedged_share", p.hedged_share),
            ("population.size.tail_share", p.size.tail_share),
            ("population.size.share_max", p.size.share_max),
            ("bridge.lead_share", self.bridge.lead_share),
            ("impact.cascade_share", i.cascade_share),
            ("impact.response_max", i.response_max),
            ("makers.depth_floor", m.depth_floor),
            ("fund.to_open_interest", self.fund.to_open_interest),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return refuse(name, format!("{value}: must be 0 to 1"));
            }
        }
        for (name, value) in [
            ("population.size.sigma", p.size.sigma),
            ("population.entry.spread_bps", p.entry.spread_bps),
            ("population.leverage_size_exponent", p.leverage_size_exponent),
            ("population.hedged_leverage_sigma", p.hedged_leverage_sigma),
            ("bridge.roughness", self.bridge.roughness),
            ("impact.coefficient", i.coefficient),
            ("makers.inventory_leverage", m.inventory_leverage),
            ("makers.skew_bps", m.skew_bps),
            ("makers.withdrawal_volatility", m.withdrawal_volatility),
            ("makers.withdrawal_flow", m.withdrawal_flow),
            ("makers.spread_volatility", m.spread_volatility),
            ("flow.noise.orders_per_second", self.flow.noise.orders_per_second),
            ("flow.noise.size_sigma", self.flow.noise.size_sigma),
            ("flow.momentum.threshold_bps", self.flow.momentum.threshold_bps),
            ("flow.arbitrage.threshold_bps", self.flow.arbitrage.threshold_bps),
            ("flow.profit_taking.share_per_percent", self.flow.profit_taking.share_per_percent),
            ("flow.profit_taking.limit_bps", self.flow.profit_taking.limit_bps),
        ] {
            if !(0.0..=1e6).contains(&value) {
                return refuse(name, format!("{value}: must be 0 to 1000000"));
            }
        }
        for (name, value) in [
            ("population.size.tail_alpha", p.size.tail_alpha),
            ("population.hedged_size_factor", p.hedged_size_factor),
            ("population.hedged_leverage_median", p.hedged_leverage_median),
            ("impact.exponent", i.exponent),
            ("makers.half_spread_bps", m.half_spread_bps),
            ("makers.distance_max_bps", m.distance_max_bps),
            ("makers.depth_factor", m.depth_factor),
            ("makers.volatility_normal_bps", m.volatility_normal_bps),
        ] {
            positive(name, value)?;
        }
        if p.entry.shift_bps.abs() > 5_000.0 || !(0.0..=5_000.0).contains(&p.entry.distance_max_bps) {
            return refuse("population.entry", "shift_bps must be -5000 to 5000, distance_max_bps 0 to 5000");
        }
        if m.distance_max_bps >= 5_000.0 || m.distance_max_bps <= m.half_spread_bps {
            return refuse(
                "makers.distance_max_bps",
                format!("{}: must be above half_spread_bps and below 5000", m.distance_max_bps),
            );
        }
        for (name, list) in [("long_leverage", &p.long_leverage), ("short_leverage", &p.short_leverage)] {
            let sound = !list.is_empty()
                && list.iter().all(|&(l, w)| l > 0.0 && l <= 1_000.0 && (0.0..=1e9).contains(&w))
                && list.iter().any(|&(_, w)| w > 0.0);
            if !sound {
                return refuse(
                    format!("population.{name}"),
                    "needs pairs [leverage above 0 up to 1000, weight], one weight above 0",
                );
            }
        }
        for (name, value) in [
            ("impact.overshoot_window_ns", i.overshoot_window_ns),
            ("impact.decay_ns", i.decay_ns),
            ("makers.replenish_ns", m.replenish_ns),
            ("makers.stress_halflife_ns", m.stress_halflife_ns),
            ("flow.momentum.window_ns", self.flow.momentum.window_ns),
            ("flow.profit_taking.delay_ns", self.flow.profit_taking.delay_ns),
        ] {
            if value < 1 {
                return refuse(name, format!("{value}: must be positive"));
            }
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), ScenarioError> {
        let m = &self.makers;
        if !(1..=64).contains(&m.accounts) || m.levels < m.accounts || m.levels > 256 {
            return refuse(
                "makers.levels",
                format!(
                    "{} levels of {} makers: must be 1 to 64 makers with at least one level each, at most 256",
                    m.levels, m.accounts
                ),
            );
        }
        if !(1..=100_000).contains(&self.work.pulses_per_step_max) {
            return refuse(
                "work.pulses_per_step_max",
                format!("{}: must be 1 to 100000", self.work.pulses_per_step_max),
            );
        }
        Ok(())
    }

    fn check_flow(&self) -> Result<(), ScenarioError> {
        let f = &self.flow;
        for (name, value) in [
            ("makers.capital", self.makers.capital),
            ("flow.noise.capital", f.noise.capital),
            ("flow.noise.size_median", f.noise.size_median),
            ("flow.momentum.capital", f.momentum.capital),
            ("flow.momentum.size", f.momentum.size),
            ("flow.momentum.position_max", f.momentum.position_max),
            ("flow.arbitrage.capital", f.arbitrage.capital),
            ("flow.arbitrage.size", f.arbitrage.size),
            ("flow.arbitrage.position_max", f.arbitrage.position_max),
            ("flow.exogenous_capital", f.exogenous_capital),
        ] {
            if value < 1 {
                return refuse(name, format!("{value}: must be positive; use a switch to turn flow off"));
            }
        }
        if !(1..=10_000).contains(&f.noise.accounts) {
            return refuse("flow.noise.accounts", format!("{}: must be 1 to 10000", f.noise.accounts));
        }
        for (i, e) in f.exogenous.iter().enumerate() {
            if !self.markets.contains_key(&e.market) {
                return refuse(
                    format!("flow.exogenous[{i}].market"),
                    format!("{}: no such market", e.market),
                );
            }
            if e.end <= e.start {
                return refuse(
                    format!("flow.exogenous[{i}].end"),
                    format!("{}: must be after start {}", e.end, e.start),
                );
            }
        }
        Ok(())
    }
}

fn positive(name: &str, value: f64) -> Result<(), ScenarioError> {
    if value > 0.0 && value <= 1e9 { Ok(()) } else { refuse(name, format!("{value}: must be positive")) }
}
