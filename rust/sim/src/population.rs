//! The leveraged accounts: who holds what, from which price, with how much collateral.
//!
//! Sizes are scaled so that longs and shorts of each market add up to the open interest exactly; the number of
//! accounts changes the grain, not the total. Positions are opened by block trades between a long and a short at the
//! long's entry price. Deposits leave each account with its intended leverage at the start index. Knows the
//! configuration, not the venue. Work is linear in the number of accounts.

use crate::path::round;
use crate::rng::{Seed, lognormal, normal_quantile, pareto, purpose, weighted};
use crate::scenario::{Population as Model, Scenario, ScenarioError, Size, refuse};
use seawall_core::{Config, InitialMargin, Price, Qty, Side};

/// One trade that opens a part of a long's and a short's position; accounts are numbers within the population.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Market number.
    pub market: u16,
    /// The long.
    pub buyer: u32,
    /// The short.
    pub seller: u32,
    /// Ticks.
    pub price: i64,
    /// Lots.
    pub qty: i64,
}

/// A population, ready to be sent to a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// Deposit of each account in minor units; 0 for none.
    pub deposits: Vec<i64>,
    /// Trades in the order in which they must be sent.
    pub blocks: Vec<Block>,
    /// Per market, shorts that are not hedges, and longs: those who may close by buying and by selling.
    pub speculators: Vec<[Vec<u32>; 2]>,
    /// Shorts that are hedges, in order: each is long as much elsewhere.
    pub hedges: Vec<u32>,
}

/// What an account is before it holds anything.
#[derive(Debug, Clone, Copy)]
struct Character {
    side: Side,
    /// Its only market; `None` if it holds all.
    market: Option<usize>,
    hedged: bool,
}

/// A position to be: account and size before scaling.
struct Holder {
    account: u32,
    size: f64,
}

/// Draws a population for the start index of each market, in the order of the venue's markets.
///
/// # Errors
/// [`ScenarioError`] if there are too few accounts for both sides of every market, or if a position would exceed the
/// venue's limit.
pub fn draw(
    scenario: &Scenario,
    config: &Config,
    seed: Seed,
    accounts: u32,
    starts: &[i64],
) -> Result<Population, ScenarioError> {
    let model = &scenario.population;
    let weights: Vec<(f64, f64)> = config
        .markets
        .iter()
        .enumerate()
        .map(|(m, market)| (m as f64, scenario.markets[&market.name].account_weight))
        .collect();
    let characters: Vec<Character> = (0..accounts).map(|a| character(model, seed, a, &weights)).collect();
    let mut blocks = Vec::new();
    let mut sizes = vec![0.0f64; characters.len()];
    let mut speculators = vec![[Vec::new(), Vec::new()]; config.markets.len()];
    for (m, market) in config.markets.iter().enumerate() {
        let open_interest = scenario.markets[&market.name].open_interest;
        let mut sides: [Vec<Holder>; 2] = [Vec::new(), Vec::new()];
        for (account, c) in (0..accounts).zip(&characters) {
            if c.market.is_some_and(|only| only != m) {
                continue;
            }
            let drawn = size(&model.size, seed.uniform(account, purpose::SIZE, m as u64));
            let place = &mut sizes[account as usize];
            *place = place.max(drawn);
            let factor = if c.hedged { model.hedged_size_factor } else { 1.0 };
            sides[usize::from(c.side.code())].push(Holder { account, size: drawn * factor });
            if !c.hedged {
                speculators[m][usize::from(c.side.opposite().code())].push(account);
            }
        }
        if open_interest == 0 {
            continue;
        }
        if sides.iter().any(Vec::is_empty) {
            let why = format!("{accounts}: nobody is on one side of {}; use at least 100", market.name);
            return refuse("accounts", why);
        }
        let [longs, shorts] = sides.map(|side| scale(&side, open_interest, model.size.share_max));
        for &(account, lots) in longs.iter().chain(&shorts) {
            if lots > market.position_max.get() {
                let limit = market.position_max;
                let why = format!(
                    "account {account} would hold {lots} lots, above position_max {limit}; use more accounts or raise the limit"
                );
                return refuse(format!("markets.{}.open_interest", market.name), why);
            }
        }
        pair(&mut blocks, m, &longs, &shorts, |account| entry_price(model, seed, account, m, starts[m]));
    }
    let leverages: Vec<f64> = (0..accounts)
        .zip(&characters)
        .map(|(a, c)| leverage(model, seed, a, *c, sizes[a as usize]))
        .collect();
    let deposits = deposits(config, &blocks, &leverages, starts);
    let hedges = (0..accounts).zip(&characters).filter(|(_, c)| c.hedged).map(|(a, _)| a).collect();
    Ok(Population { deposits, blocks, speculators, hedges })
}

fn character(model: &Model, seed: Seed, account: u32, weights: &[(f64, f64)]) -> Character {
    let (u, v) = seed.pair(account, purpose::CHARACTER, 0);
    let (w, x) = seed.pair(account, purpose::CHARACTER, 1);
    let side = if u < model.long_share { Side::Buy } else { Side::Sell };
    let market = (v >= model.all_markets_share).then(|| weighted(w, weights) as usize);
    Character { side, market, hedged: side == Side::Sell && x < model.hedged_share }
}

/// A size by inverse transform: the lognormal body up to the tail's share, a Pareto tail joined to it.
fn size(model: &Size, u: f64) -> f64 {
    let body = 1.0 - model.tail_share;
    if u < body || model.tail_share <= 0.0 {
        return lognormal(u, model.sigma);
    }
    let least = if body > 0.0 { libm::exp(model.sigma * normal_quantile(body)) } else { 1.0 };
    least * pareto((u - body) / model.tail_share, model.tail_alpha)
}

fn leverage(model: &Model, seed: Seed, account: u32, c: Character, size: f64) -> f64 {
    let (u, v) = seed.pair(account, purpose::LEVERAGE, 0);
    if c.hedged {
        return model.hedged_leverage_median * lognormal(u, model.hedged_leverage_sigma);
    }
    let list = if c.side == Side::Buy { &model.long_leverage } else { &model.short_leverage };
    let used = 1.0 - model.leverage_jitter * v;
    let dampened = libm::exp(model.leverage_size_exponent * libm::log(size.max(1.0)));
    (weighted(u, list) * used / dampened).max(0.05)
}

fn entry_price(model: &Model, seed: Seed, account: u32, market: usize, start: i64) -> i64 {
    let z = seed.normal(account, purpose::ENTRY, market as u64);
    let e = &model.entry;
    let distance = (e.shift_bps + e.spread_bps * z).clamp(-e.distance_max_bps, e.distance_max_bps);
    round(start as f64 * libm::exp(distance / 1e4)).max(1)
}

/// Scales sizes to lots that sum to the open interest exactly, none above a share of it; zeros are left out.
fn scale(side: &[Holder], open_interest: i64, share_max: f64) -> Vec<(u32, i64)> {
    let share = share_max.max(2.0 / side.len() as f64);
    let mut sizes: Vec<f64> = side.iter().map(|h| h.size).collect();
    // Cutting the largest lowers the total and so the cut; a few rounds settle it.
    for _ in 0..16 {
        let cut = share * sizes.iter().sum::<f64>();
        for size in &mut sizes {
            *size = size.min(cut);
        }
    }
    let total: f64 = sizes.iter().sum();
    let mut lots = Vec::with_capacity(side.len());
    let (mut reached, mut given) = (0.0, 0);
    for (i, holder) in side.iter().enumerate() {
        reached += sizes[i];
        let upto = if i + 1 == side.len() {
            open_interest
        } else {
            round(open_interest as f64 * (reached / total)).clamp(given, open_interest)
        };
        if upto > given {
            lots.push((holder.account, upto - given));
        }
        given = upto;
    }
    lots
}

/// Matches longs with shorts, two pointers: at most one block less than there are holders.
fn pair(
    blocks: &mut Vec<Block>,
    market: usize,
    longs: &[(u32, i64)],
    shorts: &[(u32, i64)],
    price_of: impl Fn(u32) -> i64,
) {
    let market = u16::try_from(market).unwrap_or(u16::MAX);
    let mut short = shorts.iter().copied();
    let mut open: Option<(u32, i64)> = None;
    for &(buyer, lots) in longs {
        let price = price_of(buyer);
        let mut left = lots;
        while left > 0 {
            let Some((seller, there)) = open.take().or_else(|| short.next()) else { return };
            let qty = left.min(there);
            blocks.push(Block { market, buyer, seller, price, qty });
            left -= qty;
            if there > qty {
                open = Some((seller, there - qty));
            }
        }
    }
}

/// Deposits that give each account its leverage at the start index and pass the margin check of every block.
fn deposits(config: &Config, blocks: &[Block], leverages: &[f64], starts: &[i64]) -> Vec<i64> {
    let rules: Vec<InitialMargin> = config.markets.iter().map(InitialMargin::new).collect();
    let markets = config.markets.len();
    let mut open_interest = vec![0i64; markets];
    let mut held = vec![0i64; leverages.len() * markets];
    let mut profit = vec![0i64; leverages.len()];
    let mut least = vec![0i64; leverages.len()];
    for block in blocks {
        let m = usize::from(block.market);
        let tick = config.markets[m].tick_value.get();
        for (account, sign) in [(block.buyer, 1), (block.seller, -1)] {
            let a = account as usize;
            let own = &mut held[a * markets..(a + 1) * markets];
            own[m] += sign * block.qty;
            profit[a] += sign * block.qty * (starts[m] - block.price) * tick;
            let requirement = |m: usize| {
                rules[m]
                    .requirement(Qty::new(own[m]), Price::new(starts[m]), Qty::new(open_interest[m]))
                    .get()
            };
            let need: i64 = (0..markets).map(requirement).sum();
            least[a] = least[a].max(need - profit[a]);
        }
        // Initial margin of a trade is asked for with the open interest before it.
        open_interest[m] += block.qty;
    }
    leverages
        .iter()
        .enumerate()
        .map(|(a, &leverage)| {
            let notional: i64 = (0..markets)
                .map(|m| held[a * markets + m].abs() * starts[m] * config.markets[m].tick_value.get())
                .sum();
            if notional == 0 {
                return 0;
            }
            (round(notional as f64 / leverage) - profit[a]).max(least[a]).max(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{config, scenario};

    fn drawn(accounts: u32, seed: u64) -> Population {
        let scenario = scenario();
        draw(&scenario, &config(), Seed(seed), accounts, &[1_170_140, 402_125]).unwrap()
    }

    #[test]
    fn longs_and_shorts_add_up_to_the_open_interest_whatever_the_number_of_accounts() {
        let scenario = scenario();
        for accounts in [100, 1000, 20_000] {
            let population = drawn(accounts, 3);
            for (m, name) in ["BTC", "ETH"].into_iter().enumerate() {
                let lots: i64 =
                    population.blocks.iter().filter(|b| usize::from(b.market) == m).map(|b| b.qty).sum();
                assert_eq!(lots, scenario.markets[name].open_interest, "{name} with {accounts} accounts");
            }
            assert!(population.blocks.len() < 3 * accounts as usize);
            assert!(population.blocks.iter().all(|b| b.qty > 0 && b.price > 0 && b.buyer != b.seller));
        }
    }

    #[test]
    fn nobody_is_above_the_largest_share() {
        let population = drawn(20_000, 1);
        let mut lots = vec![0; 20_000];
        for block in population.blocks.iter().filter(|b| b.market == 0) {
            lots[block.buyer as usize] += block.qty;
        }
        let max = scenario().population.size.share_max * 10_000_000.0 * 1.01;
        assert!((*lots.iter().max().unwrap() as f64) < max);
    }

    #[test]
    fn deposits_give_the_intended_leverage() {
        let population = drawn(5000, 2);
        let equity: i64 = population.deposits.iter().sum();
        let notional = 2.0 * (10_000_000f64 * 1_170_140.0 * 100.0 + 15_000_000f64 * 402_125.0 * 100.0);
        let gross = notional / equity as f64;
        assert!((0.5..6.0).contains(&gross), "gross leverage {gross}");
    }

    #[test]
    fn seeds_draw_different_populations() {
        assert_eq!(drawn(500, 1), drawn(500, 1));
        assert_ne!(drawn(500, 1), drawn(500, 2));
    }

    #[test]
    fn too_few_accounts_are_refused() {
        let refused = draw(&scenario(), &config(), Seed(1), 1, &[1_170_140, 402_125]).unwrap_err();
        assert!(refused.to_string().contains("use at least 100"));
    }
}
