//! The guard index finds what a look at every account finds: after each command of many small worlds.
//!
//! A world is a venue of few accounts in markets of few ticks, coarse or fine, with tiers close together, other
//! assets, calls or none, liquidations on or off. Prices creep, jump and come back; positions grow, turn and close;
//! money comes and goes; the venue is restored. After every command each account is looked at: nobody is endangered
//! who was not found, and the events say that nobody was found who is not, and that the worst came first. A failure
//! names its world.

use seawall_core::config::{ContractRule, Market, Portfolio, Scenario};
use seawall_core::{
    AccountId, AssetId, Command, Config, Events, Health, MarketId, Money, Nanos, OrderType, Ppm, Price, Qty,
    Record, Side, Venue, protocol::event,
};
use seawall_tests::stream::Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WORLDS: u64 = 2_500;
const COMMANDS: usize = 600;
/// Worlds whose map of liquidations is tried price by price.
const MAPPED: u64 = 400;
/// Sums of money are whole multiples of it, so that every deduction of a tier is whole.
const UNIT: i64 = 1_000_000;

/// What was reached, and how often it has to be.
const REACHED: [(&str, u64); 34] = [
    ("marks", 1_000_000),
    ("marks of one tick", 200_000),
    ("marks that jump by a tenth", 80_000),
    ("marks apart from their index", 80_000),
    ("marks that crossed no guard", 500_000),
    ("marks of inverse contracts", 200_000),
    ("marks of quanto contracts", 60_000),
    ("accounts found with inverse or quanto positions", 2_000),
    ("accounts looked at", 20_000),
    ("trades", 50_000),
    ("fees", 5_000),
    ("positions turned", 8_000),
    ("positions closed", 3_000),
    ("positions in the second tier", 40_000),
    ("accounts in several markets", 50_000),
    ("accounts with other assets", 40_000),
    ("deposits", 20_000),
    ("withdrawals", 8_000),
    ("restores", 1_000),
    ("calls", 500),
    ("calls cleared", 2_000),
    ("liquidations", 5_000),
    ("liquidations by an index", 30),
    ("recoveries", 2_000),
    ("multipliers", 3_000),
    ("multipliers refused", 300),
    ("liquidations by a multiplier", 15),
    ("marks with positions of a portfolio", 150_000),
    ("marks with hedged positions of a portfolio", 60_000),
    ("accounts found with a portfolio", 500),
    ("portfolios by the least requirement", 20_000),
    ("modes set to portfolio", 3_000),
    ("modes set to tiers", 1_000),
    ("modes refused", 300),
];

#[derive(Debug, Default)]
struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, what: &'static str, times: bool) {
        *self.0.entry(what).or_default() += u64::from(times);
    }
}

/// A market: coarse or fine, with tiers that begin at small notionals.
fn market(rng: &mut Rng, number: usize) -> Value {
    let price_max = rng.pick(&[60, 700, 9_000, 9_000, 9_000, 200_000, 1 << 24]);
    // A lot is worth about a hundred units at a middle price.
    let tick = (200 * UNIT / price_max).max(1);
    let rates = rng.pick(&[[5_000, 10_000, 30_000], [10_000, 20_000, 50_000], [100_000, 400_000, 990_000]]);
    let lowers = (0..).map(|i| 400 * UNIT * i);
    let tier =
        |(lower, rate): (i64, i64)| json!({"lower": lower, "initial_ppm": rate, "maintenance_ppm": rate});
    let count = 1 + rng.below(3);
    let tiers: Vec<Value> = lowers.zip(rates).take(count).map(tier).collect();
    // A lot of another contract is worth about as much, or so little that every rounding shows.
    let worth = rng.pick(&[100 * UNIT, 100 * UNIT, 20_000, 77, 3]);
    let contract = match rng.below(10) {
        0..=2 => {
            let price_min = (price_max / rng.pick(&[4, 20, 100])).max(1);
            let face = worth * price_min * 2;
            let scale = ((1_000_000 * price_max + face - 1) / face) * rng.pick(&[1, 3]);
            json!({"type": "inverse", "face": face, "scale": scale, "price_min": price_min})
        }
        3 => {
            json!({"type": "quanto", "multiplier": (worth * 7 / price_max).max(1), "scale": rng.pick(&[1, 10, 997])})
        }
        _ => json!({"type": "linear"}),
    };
    let tick = if contract["type"] == "linear" { tick } else { 0 };
    json!({
        "name": format!("M{number}"), "tick_value": tick, "contract": contract, "price_max": price_max, "order_qty_max": 1000,
        "position_max": 1000, "open_interest_max": 10_000,
        "fees": {"maker_ppm": rng.pick(&[0, 0, -100, 500]), "taker_ppm": rng.pick(&[0, 500, 3_000])}, "tiers": tiers,
        "mark": {"method": rng.pick(&["index", "index", "last", "median"]), "basis_samples": 2},
        "margin": {"multipliers": true}, "funding": null, "fund": 0, "phase": "continuous", "reopen_auction_ns": 0,
        "liquidation": {"enabled": rng.chance(85), "slice_ppm": rng.pick(&[100_000, 1_000_000]), "slice_qty_min": 1,
                        "full_below": 0, "fee_ppm": 1_000, "fund_limit_ppm": 100_000},
        "adl": {"enabled": rng.chance(70), "method": "queue", "price": "bankruptcy", "band_ppm": null},
    })
}

fn config(rng: &mut Rng) -> Value {
    let markets: Vec<Value> =
        (0..rng.within(1, 4)).map(|i| market(rng, usize::try_from(i).expect("worlds are small"))).collect();
    let mut assets =
        vec![json!({"name": "USD", "decimals": 6, "deposits_max": 1_000_000 * UNIT, "collateral": null})];
    for i in 0..rng.within(0, 2) {
        let linear: Vec<usize> =
            (0..markets.len()).filter(|m| markets[*m]["contract"]["type"] == "linear").collect();
        if linear.is_empty() {
            break;
        }
        let at = rng.pick(&linear);
        let tick = markets[at]["tick_value"].as_i64().expect("worlds are small");
        assets.push(json!({"name": format!("A{i}"), "decimals": 0, "deposits_max": 1_000_000,
            "collateral": {"market": at, "value_num": tick, "value_den": rng.pick(&[1, 3]), "weight_ppm": rng.pick(&[500_000, 900_000, 1_000_000])}}));
    }
    json!({
        "schema_version": 1, "name": "guards", "venue": 0, "seed": 0,
        "margin_call_ppm": rng.pick(&[0, 1_000_001, 1_250_000, 2_000_000].map(|f| if markets.iter().any(wide) { f.min(1_000_001) } else { f })),
        "backstop": null, "last_resort": "remainder",
        "limits": {"accounts_max": 8, "orders_max": 100, "liquidation_rounds_per_step": rng.within(1, 3),
                   "funding_accounts_per_step": 10, "adl_closes_per_round": 10, "adl_rank_max": 10},
        "assets": assets, "funds": [{"name": "main"}], "portfolios": portfolios(rng, &markets), "markets": markets,
        "breakers": [],
    })
}

/// None, or one or two groups of the linear markets.
fn portfolios(rng: &mut Rng, markets: &[Value]) -> Value {
    let linear: Vec<usize> =
        (0..markets.len()).filter(|m| markets[*m]["contract"]["type"] == "linear").collect();
    if linear.is_empty() || rng.chance(50) {
        return json!([]);
    }
    let cut = if rng.chance(70) { linear.len() } else { 1 + rng.below(linear.len()) };
    let groups = linear.split_at(cut);
    let groups = [groups.0, groups.1].into_iter().enumerate().filter(|(_, group)| !group.is_empty());
    let mut all = Vec::new();
    for (i, group) in groups {
        let mut scenarios = Vec::new();
        for _ in 0..rng.within(0, 6) {
            // Prices move together, or nearly, or each by itself.
            let (to, apart) = (rng.within(-400_000, 900_000), rng.pick(&[0, 0, 30_000, 400_000]));
            let mut moved = || (to + rng.within(-apart, apart)).clamp(-400_000, 2_000_000);
            let moves: Vec<i64> = group.iter().map(|_| moved()).collect();
            scenarios
                .push(json!({"moves_ppm": moves, "weight_ppm": rng.pick(&[1_000_000, 360_000, 24_000])}));
        }
        let net = rng.pick(&[0, 20_000, 300_000]);
        all.push(json!({
            "name": format!("P{i}"), "markets": group, "scenarios": scenarios, "net_ppm": net,
            "hedged_ppm": rng.within(0, 2 * net), "contract_ppm": rng.pick(&[0, 1, 20_000]),
            "maintenance_ppm": rng.pick(&[500_000, 950_000]),
        }));
    }
    json!(all)
}

/// The requirement of a group's values, and whether the least one decides: docs/mechanics.md section 3.1 in plain numbers,
/// in halves of 1e-12 of a minor unit.
fn group_requirement(portfolio: &Portfolio, values: &[i128]) -> (i128, bool) {
    if values.iter().all(|v| *v == 0) {
        return (0, false);
    }
    let ppm = |rate: Ppm| i128::from(rate.get());
    let loss = |s: &Scenario| -> i128 {
        let moved = values.iter().zip(&s.moves_ppm).map(|(v, m)| v * ppm(*m)).sum::<i128>();
        -moved * ppm(s.weight_ppm)
    };
    let scan = portfolio.scenarios.iter().map(loss).max().unwrap_or(0).max(0);
    let (sum, sizes) = (values.iter().sum::<i128>().abs(), values.iter().map(|v| v.abs()).sum::<i128>());
    let least = (2 * ppm(portfolio.net_ppm) * sum + ppm(portfolio.hedged_ppm) * (sizes - sum)) * 1_000_000;
    let risk = least.max(2 * scan) + 2 * ppm(portfolio.contract_ppm) * sizes * 1_000_000;
    let of = 2_000_000_000_000 * 1_000_000;
    ((-(-risk * ppm(portfolio.maintenance_ppm)).div_euclid(of)).max(1), least > 2 * scan)
}

/// Rates so high that a call must not be far above maintenance.
fn wide(market: &Value) -> bool {
    market["tiers"]
        .as_array()
        .expect("worlds are small")
        .iter()
        .any(|t| t["maintenance_ppm"].as_i64().expect("worlds are small") > 490_000)
}

/// The lowest price of a market.
fn least(market: &Market) -> i64 {
    if let ContractRule::Inverse { price_min, .. } = market.contract { price_min.get() } else { 1 }
}

struct World {
    seed: u64,
    rng: Rng,
    venue: Venue,
    events: Events,
    at: i64,
    /// The last index of each market.
    prices: Vec<i64>,
    accounts: u32,
    /// Markets whose rates were multiplied.
    multiplied: BTreeSet<MarketId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let config = Config::new(&config(&mut rng).to_string()).expect("a valid configuration");
        let prices: Vec<i64> =
            config.markets.iter().map(|m| (m.price_max.get() / rng.within(2, 3)).max(least(m))).collect();
        // Where lots are worth little there is little money, too.
        let tiny = config.markets.iter().all(|m| m.contract != ContractRule::Linear);
        let accounts = u32::try_from(rng.within(3, 8)).expect("worlds are small");
        let venue = Venue::new(config);
        let multiplied = BTreeSet::new();
        let mut world = Self { seed, rng, venue, events: Events::new(), at: 0, prices, accounts, multiplied };
        for market in 0..world.prices.len() {
            world.apply(&Command::Index {
                market: MarketId::from_index(market),
                price: Price::new(world.prices[market]),
            });
        }
        for account in 0..accounts {
            world.apply(&Command::OpenAccount);
            let unit = if tiny { world.rng.pick(&[1, 50, UNIT]) } else { UNIT };
            let amount = Money::new(world.rng.within(20, 2_000) * unit);
            world.apply(&Command::Deposit {
                account: AccountId::new(account),
                asset: AssetId::new(0),
                amount,
            });
        }
        world
    }

    fn apply(&mut self, command: &Command) {
        self.at += 1;
        self.events.clear();
        self.venue.apply(Nanos::new(self.at), command, &mut self.events);
    }

    fn account(&mut self) -> AccountId {
        AccountId::from_index(self.rng.below(usize::try_from(self.accounts).expect("worlds are small")))
    }

    fn market(&mut self) -> MarketId {
        MarketId::from_index(self.rng.below(self.prices.len()))
    }
}

impl World {
    /// One command of the world; most are marks.
    fn step(&mut self, counts: &mut Counts) {
        match self.rng.within(0, 99) {
            0..=79 => self.mark(counts),
            80..=87 => self.trade(counts),
            88..=90 => self.order(counts),
            91..=95 => self.pay(counts),
            96 if self.rng.chance(20) => {
                self.venue = Venue::restore(&self.venue.snapshot()).expect("its own snapshot");
                counts.add("restores", true);
                self.look(counts, &[]);
            }
            // The map of liquidations is tried with the rates that are configured.
            97 if self.seed > MAPPED => self.multiply(counts),
            98 => self.mode(counts),
            _ => {}
        }
    }

    /// Other margin rates in a market: who is endangered by them is found as well.
    fn multiply(&mut self, counts: &mut Counts) {
        let market = self.market();
        let initial = self.rng.pick(&[1_000_000, 3_000_000, 3_000_000]);
        let maintenance = self.rng.pick(&[400_000, 1_000_000, 2_600_000, 3_000_000]);
        let by = (Ppm::new(initial), Ppm::new(maintenance));
        let was: Vec<bool> = self.each().map(|a| self.venue.is_in_liquidation(a)).collect();
        self.apply(&Command::SetMultiplier { market, initial: by.0, maintenance: by.1 });
        let told = |kind| self.events.as_slice().iter().any(|e| e.kind == kind);
        let set = told(event::MULTIPLIER_SET);
        counts.add("multipliers", set);
        if set {
            self.multiplied.insert(market);
        }
        counts.add("multipliers refused", told(event::REJECTED));
        for (account, was) in self.each().zip(was) {
            counts.add("liquidations by a multiplier", self.venue.is_in_liquidation(account) && !was);
        }
        self.look(counts, &[]);
    }

    /// A new index: a tick, a few, or a jump.
    fn mark(&mut self, counts: &mut Counts) {
        let market = self.market();
        let i = market.index();
        let max = self.venue.config().markets[i].price_max.get();
        let old = self.prices[i];
        let move_max = match self.rng.within(0, 9) {
            0..=3 => 1,
            4..=7 => 1 + old / 100,
            8 => 1 + old / 10,
            _ => 1 + old / 2,
        };
        // It comes back from the ends, so that it does not stay there.
        let bottom = least(&self.venue.config().markets[i]) * 9 / 8;
        let (low, high) = if old < (max / 8).max(bottom) { (0, move_max) } else { (-move_max, move_max) };
        let new = (old + self.rng.within(low, high)).clamp(least(&self.venue.config().markets[i]), max);
        self.prices[i] = new;
        let before = self.venue.guard_work();
        let was: Vec<bool> = self.each().map(|a| self.venue.is_in_liquidation(a)).collect();
        let mark = self.venue.mark(market);
        self.apply(&Command::Index { market, price: Price::new(new) });
        let mark_now = self.venue.mark(market);
        counts.add("marks", true);
        let (grouped, hedged) = self.grouped(market);
        counts.add("marks with positions of a portfolio", grouped);
        counts.add("marks with hedged positions of a portfolio", hedged);
        let contract = self.venue.config().markets[i].contract;
        counts.add("marks of inverse contracts", matches!(contract, ContractRule::Inverse { .. }));
        counts.add("marks of quanto contracts", matches!(contract, ContractRule::Quanto { .. }));
        counts.add("marks of one tick", (new - old).abs() == 1);
        counts.add("marks that jump by a tenth", (new - old).abs() * 10 > old);
        counts.add("marks apart from their index", mark_now != Some(Price::new(new)));
        let found = self.venue.guard_work().reevaluations - before.reevaluations;
        counts.add("marks that crossed no guard", found == 0);
        *counts.0.entry("accounts looked at").or_default() += found;
        let by_index =
            mark == mark_now && self.each().zip(was).any(|(a, was)| self.venue.is_in_liquidation(a) && !was);
        counts.add("liquidations by an index", by_index);
        self.look(counts, &[]);
    }

    /// A block trade between two accounts at the mark or beside it: opens, adds, closes, turns.
    fn trade(&mut self, counts: &mut Counts) {
        let (market, buyer, seller) = (self.market(), self.account(), self.account());
        let Some(mark) = self.venue.mark(market) else { return };
        let price =
            (mark.get() + self.rng.within(-1, 1)).max(least(&self.venue.config().markets[market.index()]));
        let of = |world: &Self| [buyer, seller].map(|a| world.venue.position(a, market).base.get());
        let before = of(self);
        // Often as much as somebody holds, or twice as much.
        let held = before[self.rng.below(2)].abs();
        let qty = self.rng.pick(&[1, 3, 10, held.max(1), 2 * held.max(1)]);
        let seller_number = u64::from(seller.get());
        self.apply(&Command::Block {
            market,
            buyer,
            seller: seller_number,
            price: Price::new(price),
            qty: Qty::new(qty),
        });
        for (before, after) in before.into_iter().zip(of(self)) {
            counts.add("trades", before != after);
            counts.add("positions turned", before * after < 0);
            counts.add("positions closed", before != 0 && after == 0);
        }
        self.look(counts, &[buyer, seller]);
    }

    /// A limit order around the mark: rests, or trades with a fee.
    fn order(&mut self, counts: &mut Counts) {
        let (market, account) = (self.market(), self.account());
        let Some(mark) = self.venue.mark(market) else { return };
        let price = Price::new((mark.get() + self.rng.within(-2, 2)).max(1));
        let (side, qty) = (self.rng.pick(&[Side::Buy, Side::Sell]).code(), Qty::new(self.rng.within(1, 12)));
        self.apply(&Command::Place {
            market,
            account,
            side,
            code: OrderType::Limit.code(),
            flags: 0,
            price,
            qty,
        });
        self.look(counts, &[account]);
    }

    /// Money or another asset comes or goes.
    fn pay(&mut self, counts: &mut Counts) {
        let account = self.account();
        let asset = AssetId::from_index(self.rng.below(self.venue.config().assets.len()));
        let amount =
            if asset.index() == 0 { self.rng.within(1, 1_000) * UNIT } else { self.rng.within(1, 10) };
        if self.rng.chance(60) {
            self.apply(&Command::Deposit { account, asset, amount: Money::new(amount) });
        } else {
            // As much as may be: an account on its limit is close to what it fears.
            let all = self.venue.balance(account, asset).get();
            let amount = if self.rng.chance(50) { all } else { amount.min(all) };
            self.apply(&Command::Withdraw { account, asset, amount: Money::new(amount) });
        }
        let told = |kind| self.events.as_slice().iter().any(|e| e.kind == kind);
        counts.add("deposits", told(event::DEPOSITED));
        counts.add("withdrawals", told(event::WITHDRAWN));
        self.look(counts, &[account]);
    }

    /// How an account is margined changes.
    fn mode(&mut self, counts: &mut Counts) {
        if self.venue.config().portfolios.is_empty() {
            return;
        }
        let (account, portfolio) = (self.account(), self.rng.chance(75));
        self.apply(&Command::SetMarginMode { account, portfolio });
        let told = |kind| self.events.as_slice().iter().any(|e| e.kind == kind);
        let set = told(event::MARGIN_MODE_SET);
        counts.add(if portfolio { "modes set to portfolio" } else { "modes set to tiers" }, set);
        counts.add("modes refused", told(event::REJECTED));
        self.look(counts, &[account]);
    }

    /// Whether somebody's position in a market is margined in a group, and beside one of the other side.
    fn grouped(&self, market: MarketId) -> (bool, bool) {
        let Some(group) = self.venue.config().portfolios.iter().find(|p| p.markets.contains(&market)) else {
            return (false, false);
        };
        let base = |account, m: &MarketId| self.venue.position(account, *m).base.get().signum();
        let held: Vec<AccountId> =
            self.each().filter(|a| self.venue.has_portfolio_margin(*a) && base(*a, &market) != 0).collect();
        let hedged = |a: &AccountId| group.markets.iter().any(|m| base(*a, m) == -base(*a, &market));
        (!held.is_empty(), held.iter().any(hedged))
    }

    /// Maintenance of an account with portfolio margin is that of plain numbers.
    fn check_portfolio(&self, account: AccountId, health: &Health, counts: &mut Counts) {
        if !self.venue.has_portfolio_margin(account) {
            return;
        }
        let config = self.venue.config();
        let value = |m: &MarketId| {
            let (mark, base) =
                (self.venue.mark(*m).unwrap_or_default(), self.venue.position(account, *m).base);
            i128::from(config.markets[m.index()].contract().value(mark, base).get())
        };
        let mut need = 0;
        for portfolio in &config.portfolios {
            let values: Vec<i128> = portfolio.markets.iter().map(value).collect();
            let (asked, least) = group_requirement(portfolio, &values);
            need += asked;
            counts.add("portfolios by the least requirement", least);
        }
        for (i, market) in config.markets.iter().enumerate() {
            let id = MarketId::from_index(i);
            let base = self.venue.position(account, id).base;
            if base.is_zero() || config.portfolios.iter().any(|p| p.markets.contains(&id)) {
                continue;
            }
            // Multiplied rates are not in the configuration.
            if self.multiplied.contains(&id) {
                return;
            }
            let notional = i64::try_from(value(&id).abs().max(1)).expect("worlds are small");
            need += i128::from(requirement(market, notional));
        }
        assert_eq!(
            health.maintenance.get(),
            need,
            "world {}, time {}: account {account}",
            self.seed,
            self.at
        );
    }

    fn of_other_contracts(&self, account: AccountId) -> bool {
        let markets = self.venue.config().markets.iter().enumerate();
        let mut others = markets.filter(|(_, m)| m.contract != ContractRule::Linear);
        others.any(|(i, _)| !self.venue.position(account, MarketId::from_index(i)).base.is_zero())
    }

    fn each(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..self.accounts).map(AccountId::new)
    }

    /// True if an account may be liquidated at all, as docs/mechanics.md section 4 step 7 says.
    fn is_takeable(&self, account: AccountId) -> bool {
        let mut held = self
            .venue
            .config()
            .markets
            .iter()
            .enumerate()
            .filter(|(i, _)| !self.venue.position(account, MarketId::from_index(*i)).base.is_zero());
        held.clone().next().is_none() || held.any(|(_, m)| m.liquidation.enabled)
    }

    /// Looks at every account, and at what the events say of those that were found.
    fn look(&mut self, counts: &mut Counts, parties: &[AccountId]) {
        let seed = self.seed;
        for account in self.each() {
            let health = self.venue.health(account);
            self.check_portfolio(account, &health, counts);
            let endangered = health.is_liquidatable() && self.is_takeable(account);
            let found = self.venue.is_in_liquidation(account);
            assert!(found || !endangered, "world {seed}, time {}: account {account} was missed", self.at);
            let missed = health.is_callable() && !self.venue.is_called(account) && !found;
            assert!(!missed, "world {seed}, time {}: account {account} is not called", self.at);
        }
        let mut last: Option<(u16, Health, u32)> = None;
        for e in self.events.as_slice() {
            let needed = Health {
                equity: Money::new(e.amount).into(),
                maintenance: Money::new(e.qty).into(),
                call: Money::new(e.qty).into(),
            };
            match e.kind {
                event::MARGIN_CALLED | event::LIQUIDATION_STARTED => {
                    assert!(e.amount < e.qty, "world {seed}, time {}: {e:?} is not endangered", self.at);
                    self.check_order(last.replace((e.kind, needed, e.account)), e, &needed);
                    let called = e.kind == event::MARGIN_CALLED;
                    counts.add(if called { "calls" } else { "liquidations" }, true);
                    let held = self.of_other_contracts(AccountId::new(e.account));
                    counts.add("accounts found with inverse or quanto positions", held);
                    let portfolio = self.venue.has_portfolio_margin(AccountId::new(e.account));
                    counts.add("accounts found with a portfolio", portfolio);
                }
                event::MARGIN_CALL_CLEARED => counts.add("calls cleared", true),
                event::LIQUIDATION_ENDED => counts.add("recoveries", e.code == 1),
                // The rounds come after the first pass; the second pass has an order of its own.
                event::LIQUIDATION_ORDER => last = None,
                event::FILL => counts.add("fees", e.amount != 0),
                _ => {}
            }
        }
        for account in parties {
            let held = (0..self.prices.len()).map(|m| self.venue.position(*account, MarketId::from_index(m)));
            counts.add("accounts in several markets", held.filter(|p| !p.base.is_zero()).count() > 1);
            let others = 1..self.venue.config().assets.len();
            let has = |i| self.venue.balance(*account, AssetId::from_index(i)).is_positive();
            counts.add("accounts with other assets", others.into_iter().any(has));
            let tiers = self.venue.config().markets.iter().enumerate().any(|(i, m)| {
                let market = MarketId::from_index(i);
                let mark = self.venue.mark(market).unwrap_or_default();
                let notional = mark.value(self.venue.position(*account, market).base.abs(), m.tick_value);
                m.tiers.get(1).is_some_and(|t| notional >= t.lower)
            });
            counts.add("positions in the second tier", tiers);
        }
    }

    /// Within one run of events the worse one comes first, ties by account.
    fn check_order(&self, before: Option<(u16, Health, u32)>, e: &Record, health: &Health) {
        let Some((kind, worse, account)) = before else { return };
        // The order is by maintenance; a call's event shows another requirement.
        if kind == e.kind && kind == event::LIQUIDATION_STARTED {
            let order = worse.worse(health).then(account.cmp(&e.account));
            assert!(order.is_lt(), "world {}, time {}: {e:?} comes too late", self.seed, self.at);
        }
    }
}

/// Maintenance requirement of a notional, as docs/mechanics.md section 3 says, in a way of its own: requirements are
/// convex, so the tier that applies is the one that asks for most.
fn requirement(market: &Market, notional: i64) -> i64 {
    let (mut deduction, mut before, mut most) = (0, 0, i64::MIN);
    for tier in &market.tiers {
        let rate = tier.maintenance_ppm.get();
        deduction += tier.lower.get() / UNIT * (rate - before);
        before = rate;
        most = most.max(-(-notional * rate).div_euclid(1_000_000) - deduction);
    }
    most
}

/// The map by trying every price: price, long, accounts, lots.
fn map_by_trying(world: &World, market: MarketId) -> BTreeMap<(i64, bool), (u32, i64)> {
    let (venue, config_of) = (&world.venue, world.venue.config());
    let config = &config_of.markets[market.index()];
    let mark = venue.mark(market).expect("every market has a mark").get();
    let mut map: BTreeMap<(i64, bool), (u32, i64)> = BTreeMap::new();
    for account in world.each().filter(|a| !venue.is_in_liquidation(*a) && world.is_takeable(*a)) {
        let base = venue.position(account, market).base.get();
        let health = venue.health(account);
        let group = config_of.portfolios.iter().find(|p| p.markets.contains(&market));
        let group = group.filter(|_| venue.has_portfolio_margin(account));
        let grouped = |price: i64, group: &Portfolio| {
            let at = |m: &MarketId| {
                if *m == market { Price::new(price) } else { venue.mark(*m).unwrap_or_default() }
            };
            let value = |m: &MarketId| {
                config_of.markets[m.index()].contract().value(at(m), venue.position(account, *m).base).get()
            };
            group_requirement(group, &group.markets.iter().map(|m| i128::from(value(m))).collect::<Vec<_>>())
                .0
        };
        let slack = |price: i64| {
            let value = |price| config.contract().value(Price::new(price), Qty::new(base)).get();
            let asked = |price| match group {
                Some(group) => grouped(price, group),
                None => i128::from(requirement(config, value(price).abs().max(1))),
            };
            let gained = i128::from(value(price) - value(mark));
            (health.equity - health.maintenance).get() + gained - asked(price) + asked(mark)
        };
        let ahead: Box<dyn Iterator<Item = i64>> = if base > 0 {
            Box::new((least(config)..mark).rev())
        } else {
            Box::new(mark + 1..=config.price_max.get())
        };
        if let Some(price) = ahead.into_iter().find(|p| base != 0 && slack(*p) < 0) {
            let row = map.entry((price, base > 0)).or_default();
            *row = (row.0 + 1, row.1 + base.abs());
        }
    }
    map
}

#[test]
fn the_map_of_liquidations_is_that_of_trying_every_price() {
    let (mut rows, mut longs, mut shared, mut safe) = (0, 0, 0, 0);
    for seed in 1..=MAPPED {
        let mut world = World::new(seed);
        for step in 0..COMMANDS {
            world.step(&mut Counts::default());
            let market = world.market();
            let config = &world.venue.config().markets[market.index()];
            if step % 10 != 0 || config.price_max.get() > 700 {
                continue;
            }
            let contract = config.contract();
            let tried = map_by_trying(&world, market);
            let map = world.venue.liquidation_map(market);
            assert!(map.is_sorted_by_key(|row| row.price), "world {seed}, step {step}");
            let told: BTreeMap<(i64, bool), (u32, i64)> = map
                .iter()
                .map(|row| ((row.price.get(), row.side == Side::Buy), (row.accounts, row.lots.get())))
                .collect();
            assert_eq!(told, tried, "world {seed}, step {step}, market {market}");
            assert!(
                map.iter().all(|row| row.notional == contract.notional_up(row.price, row.lots)),
                "world {seed}"
            );
            rows += map.len();
            longs += tried.keys().filter(|(_, long)| *long).count();
            shared += tried.values().filter(|(accounts, _)| *accounts > 1).count();
            let held = world.each().filter(|a| !world.venue.position(*a, market).base.is_zero()).count();
            safe += usize::from(
                held > tried.values().map(|row| usize::try_from(row.0).expect("worlds are small")).sum(),
            );
        }
    }
    println!(
        "{rows} rows, {longs} of longs, {shared} of several accounts, {safe} maps with somebody left out"
    );
    assert!(rows > 1_000 && longs > 300 && rows - longs > 300 && shared > 10 && safe > 100);
}

#[test]
fn the_index_finds_what_a_look_at_everybody_finds() {
    let mut counts = Counts::default();
    for seed in 1..=WORLDS {
        let mut world = World::new(seed);
        for _ in 0..COMMANDS {
            world.step(&mut counts);
        }
        assert!(world.venue.conservation().ok, "world {seed}");
    }
    let mut short = Vec::new();
    for (what, least) in REACHED {
        let times = counts.0.get(what).copied().unwrap_or_default();
        println!("{what:32} {times:9}, at least {least}");
        if times < least {
            short.push(what);
        }
    }
    assert!(short.is_empty(), "not reached often enough: {short:?}");
}
