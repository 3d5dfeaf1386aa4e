//! Portfolio margin: groups of markets whose positions are margined together, by what they lose in scenarios.

use super::{Config, ConfigError, ContractRule, Market, refuse};
use crate::units::{MILLION, MarketId, Ppm, RiskRate};
use serde::{Deserialize, Serialize};

/// Markets of a group: an evaluation looks at all of them.
pub(crate) const PORTFOLIO_MARKETS_MAX: usize = 16;
/// Scenarios of a group.
const SCENARIOS_MAX: usize = 64;
/// The largest rise of a price: ten times its value.
const RISE_MAX: i64 = 10 * MILLION;

/// A group of linear markets that accounts with portfolio margin hold as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portfolio {
    /// Name.
    pub name: String,
    /// Its markets, rising.
    pub markets: Vec<MarketId>,
    /// Scenarios: the largest weighted loss counts.
    pub scenarios: Vec<Scenario>,
    /// Least requirement: this share of the net value of all positions, and `hedged_ppm` of what they hedge.
    pub net_ppm: Ppm,
    /// Share of the value that is hedged: half of what the sizes are above the net value.
    pub hedged_ppm: Ppm,
    /// Charged on the size of every position, whatever the scenario.
    pub contract_ppm: Ppm,
    /// Maintenance margin as a share of initial margin.
    pub maintenance_ppm: Ppm,
}

/// What happens to the prices of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// By market of the group: the move of its price.
    pub moves_ppm: Vec<Ppm>,
    /// Share of the loss that counts.
    pub weight_ppm: Ppm,
}

impl Portfolio {
    /// The steepest fall, weighted, or the share of the net value, with what the size is charged: the most that a
    /// requirement falls behind a value.
    fn steepest(&self) -> RiskRate {
        let falls = self.scenarios.iter().flat_map(|s| {
            s.moves_ppm.iter().map(|step| RiskRate::product(Ppm::new(-step.get()), s.weight_ppm))
        });
        falls.fold(RiskRate::of(self.net_ppm), RiskRate::max) + RiskRate::of(self.contract_ppm)
    }

    fn prove(&self, at: &str, config: &Config) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        let count = self.markets.len();
        if !(1..=PORTFOLIO_MARKETS_MAX).contains(&count) || !self.markets.is_sorted_by(|a, b| a < b) {
            let why =
                format!("{count} of them: must be 1 to {PORTFOLIO_MARKETS_MAX}, each once, rising by number");
            return refuse(field("markets"), why);
        }
        for id in &self.markets {
            let Some(market) = config.markets.get(id.index()) else {
                return refuse(field("markets"), format!("{id}: no such market"));
            };
            if market.contract != ContractRule::Linear || !market.cleared {
                let why = format!("{}: must be linear and cleared", market.name);
                return refuse(field("markets"), why);
            }
        }
        if self.scenarios.len() > SCENARIOS_MAX {
            let why = format!("{} of them: must be at most {SCENARIOS_MAX}", self.scenarios.len());
            return refuse(field("scenarios"), why);
        }
        for (i, scenario) in self.scenarios.iter().enumerate() {
            let field = |name: &str| format!("{at}.scenarios[{i}].{name}");
            if scenario.moves_ppm.len() != count {
                let why = format!(
                    "{} of them: must be one for each of the {count} markets",
                    scenario.moves_ppm.len()
                );
                return refuse(field("moves_ppm"), why);
            }
            if let Some(step) = scenario.moves_ppm.iter().find(|m| !(-MILLION..=RISE_MAX).contains(&m.get()))
            {
                return refuse(field("moves_ppm"), format!("{step}: must be -{MILLION} to {RISE_MAX}"));
            }
            if !(1..=MILLION).contains(&scenario.weight_ppm.get()) {
                return refuse(field("weight_ppm"), format!("{}: must be 1 to 1000000", scenario.weight_ppm));
            }
        }
        for (name, rate, most) in [
            ("net_ppm", self.net_ppm, MILLION),
            ("contract_ppm", self.contract_ppm, MILLION),
            ("hedged_ppm", self.hedged_ppm, 2 * self.net_ppm.get()),
        ] {
            if !(0..=most).contains(&rate.get()) {
                let twice = if name == "hedged_ppm" { ", twice net_ppm" } else { "" };
                return refuse(field(name), format!("{rate}: must be 0 to {most}{twice}"));
            }
        }
        if !(1..=MILLION).contains(&self.maintenance_ppm.get()) {
            return refuse(
                field("maintenance_ppm"),
                format!("{}: must be 1 to 1000000", self.maintenance_ppm),
            );
        }
        if !self.steepest().stays_below_one(self.maintenance_ppm, config.margin_call_ppm.max(Ppm::ONE)) {
            let why = format!(
                "{}: times the steepest weighted fall (or net_ppm) and contract_ppm, and margin_call_ppm, it must stay \
                 below 1; lower one of them",
                self.maintenance_ppm
            );
            return refuse(field("maintenance_ppm"), why);
        }
        Ok(())
    }
}

/// Every group by itself, and no market in two of them.
pub(super) fn prove(config: &Config) -> Result<(), ConfigError> {
    if config.portfolios.len() > 1000 {
        return refuse("portfolios", format!("{} of them: must be at most 1000", config.portfolios.len()));
    }
    for (i, portfolio) in config.portfolios.iter().enumerate() {
        let at = format!("portfolios[{i}] ({})", portfolio.name);
        portfolio.prove(&at, config)?;
        let before = config.portfolios[..i].iter().flat_map(|p| &p.markets);
        if let Some(market) = before.clone().find(|m| portfolio.markets.contains(m)) {
            let name: &Market = &config.markets[market.index()];
            return refuse(format!("{at}.markets"), format!("{}: is in another group already", name.name));
        }
    }
    Ok(())
}
