//! Random streams of commands for whole-venue properties: small, crowded, and the same for the same seed.
//!
//! The next command is written from the venue's state, so that orders come near the margin limit and the index
//! jumps to where accounts are in trouble.

use crate::golden;
use seawall_core::config::{LastResort, MarketOrders};
use seawall_core::protocol::command;
use seawall_core::{
    AccountId, AssetId, Command, Config, Events, FundId, MarketId, Money, Nanos, Price, Qty, Record, Side,
    Venue,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

const MILLISECOND: i64 = 1_000_000;
const MILLION: i64 = 1_000_000;
const ACCOUNTS: usize = 8;

/// A counter-based generator (`SplitMix64`).
///
/// The seed is where it begins to count, so a seed has the draws of the one before it but for the first. Worlds of
/// neighbouring seeds differ all the same, as each asks its draws for something else; a test that takes few draws of
/// many seeds scatters them first. It stays so: digests and the counts of what a test has reached were made with it.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).expect("low is not above high") + 1;
        low + i64::try_from(self.bits() % span).expect("a short span")
    }

    /// An index below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        let count = i64::try_from(count).expect("few");
        usize::try_from(self.within(0, count - 1)).expect("not negative")
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.within(0, 99) < percent
    }

    /// One of some choices.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// `tests/golden/unit.json`.
#[must_use]
pub fn unit() -> Value {
    serde_json::from_str(&golden("unit.json").expect("the file is there")).expect("it is JSON")
}

/// Asserts that [`unit()`] with another value at a path is refused, in words that hold `told`.
///
/// # Panics
/// If it is not.
pub fn refused(path: &[&str], value: Value, told: &str) {
    let mut config = unit();
    let mut at = &mut config;
    for part in path {
        at = match part.parse::<usize>() {
            Ok(row) => &mut at[row],
            Err(_) => &mut at[*part],
        };
    }
    *at = value;
    let error = Config::new(&config.to_string()).expect_err(&path.join(".")).to_string();
    assert!(error.contains(told), "{}: {error}", path.join("."));
}

/// A configuration in which much happens; the seed decides what is switched on.
#[must_use]
pub fn lively(seed: u64) -> Value {
    let mut rng = Rng::new(seed);
    let mut config = unit();
    config["margin_call_ppm"] = json!(rng.pick(&[0, 1_250_000]));
    config["backstop"] = if rng.chance(30) { json!(1) } else { Value::Null };
    config["last_resort"] = json!(rng.pick(&["remainder", "socialise"]));
    config["limits"]["accounts_max"] = json!(ACCOUNTS);
    config["limits"]["orders_max"] = json!(40);
    config["limits"]["liquidation_rounds_per_step"] = json!(rng.pick(&[1, 3, 16]));
    config["limits"]["funding_accounts_per_step"] = json!(rng.pick(&[3, 100]));
    config["limits"]["adl_closes_per_round"] = json!(rng.pick(&[1, 100]));
    config["funds"] = json!([{"name": "main"}, {"name": "other"}]);
    for (m, market) in config["markets"].as_array_mut().expect("a list").iter_mut().enumerate() {
        market["tick_value"] = json!(rng.within(1, 3));
        market["fees"] = json!({"maker_ppm": rng.pick(&[-200, 0, 200]), "taker_ppm": 500});
        market["tiers"] = json!([
            {"lower": 0, "initial_ppm": 100_000, "maintenance_ppm": 50_000},
            {"lower": 20_000, "initial_ppm": 150_000, "maintenance_ppm": 100_000},
        ]);
        market["mark"]["method"] = json!(rng.pick(&["index", "index", "median", "last"]));
        market["fund"] = json!(m);
        market["reopen_auction_ns"] = json!(rng.pick(&[0, 5 * MILLISECOND]));
        market["liquidation"]["slice_ppm"] = json!(rng.pick(&[300_000, 1_000_000]));
        market["liquidation"]["fee_ppm"] = json!(rng.pick(&[0, 5000]));
        market["adl"]["method"] = json!(rng.pick(&["queue", "queue", "pro_rata"]));
        market["adl"]["price"] = json!(rng.pick(&["bankruptcy", "bankruptcy", "mark"]));
        market["adl"]["band_ppm"] = if rng.chance(40) { json!(20_000) } else { Value::Null };
        if rng.chance(60) {
            market["funding"] = json!({
                "first_ns": 0, "interval_ns": 40 * MILLISECOND, "interest_ppb": 1_000_000, "clamp_ppb": 500_000,
                "cap_ppb": 40_000_000, "impact_qty": 5,
            });
        }
    }
    let mut breakers = Vec::new();
    if rng.chance(50) {
        let action = rng.pick(&["cap", "reject"]);
        let mut rule = crate::band("band", &[0, 1], Some(150_000), action);
        rule["exempt"] = if rng.chance(50) { json!(["liquidation"]) } else { json!([]) };
        breakers.push(rule);
    }
    for source in ["trade", "mark"] {
        if rng.chance(50) {
            let phase = rng.pick(&["halted", "pause", "call_auction", "reduce_only"]);
            let mut rule = crate::halt(source, &[0], source, 120_000, 20 * MILLISECOND, 6 * MILLISECOND);
            rule["action"]["phase"] = json!(phase);
            rule["exempt"] = if rng.chance(30) { json!(["liquidation"]) } else { json!([]) };
            breakers.push(rule);
        }
    }
    config["breakers"] = json!(breakers);
    if seed.is_multiple_of(3) {
        price(&mut config, &mut Rng::new(seed ^ 0x9a1ce));
    }
    config
}

/// [`lively`] with margin rules beside the tiers and every way to value the second asset; the seed decides which.
#[must_use]
pub fn strained(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0x3a9_717);
    let mut config = lively(seed);
    config["liquidation_exit_ppm"] = json!(rng.pick(&[MILLION, 1_300_000, 2_000_000]));
    config["withdrawal_notional_ppm"] = json!(rng.pick(&[0, 100_000, 300_000]));
    for market in config["markets"].as_array_mut().expect("a list") {
        let scale = json!({"lower": 4_000, "upper": rng.pick(&[40_000, 400_000])});
        let kind = rng.pick(&["root", "linear"]);
        let most = if kind == "root" { 4_000_000 } else { 400_000 };
        let maintenance = rng.within(0, most);
        let initial = rng.within(maintenance, 2 * most);
        let size = json!({
            "type": kind, "initial_ppb": initial, "maintenance_ppb": maintenance, "unit": rng.pick(&[1, 3]),
        });
        market["margin"] = json!({
            "open_interest": if rng.chance(50) { scale } else { Value::Null },
            "size": if rng.chance(70) { size } else { Value::Null },
            "account_leverage": rng.chance(60),
        });
    }
    let rule = &mut config["assets"][1]["collateral"];
    rule["price"] = json!(rng.pick(&["index", "mark", "mark", "redemption"]));
    if rule["price"] != json!("redemption") && rng.chance(40) {
        rule["price_floor"] = json!(rng.within(60, 110));
    }
    if rule["price"] == json!("redemption") || rng.chance(40) {
        let market = if rng.chance(50) { json!(1) } else { Value::Null };
        let value = if market.is_null() { rng.within(6, 11) } else { 1 };
        rule["redemption"] =
            json!({"market": market, "value_num": value, "value_den": if value == 1 { 10 } else { 1 }});
    }
    if rng.chance(40) {
        rule["cap"] = json!(rng.within(10, 80));
    }
    if rng.chance(40) {
        rule["size_discount"] = json!({"factor_ppb": rng.within(10_000_000, 100_000_000), "unit": 1});
    }
    if rng.chance(40) {
        rule["deposit_scale_start"] = json!(rng.within(200, 2_000));
    }
    config
}

/// [`lively`] with a rule of auctions in each market, much of the time spent in calls; the seed decides which.
#[must_use]
pub fn calling(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0xca11);
    let mut config = lively(seed);
    for market in config["markets"].as_array_mut().expect("a list") {
        let presets = ["xetra", "euronext", "asx", "nasdaq", "bnb", "vega", "luld"];
        let mut rule = json!({
            "preset": rng.pick(&presets),
            "market_orders": rng.pick(&["cancelled", "limit", "limit", "refused"]),
            "allocation": rng.pick(&["time", "market"]),
            "liquidations": rng.chance(70),
            "indicative": rng.pick(&["never", "pulse", "command"]),
        });
        if rng.chance(50) {
            rule["collar"] = json!({
                "around": rng.pick(&["reference", "touch"]), "width_ppm": rng.pick(&[10_000, 30_000]),
                "width_min": rng.within(0, 2), "action": rng.pick(&["confine", "refuse"]),
            });
        }
        market["auction"] = rule;
        market["reopen_auction_ns"] = json!(10 * MILLISECOND);
        if rng.chance(50) {
            market["entry"]["price_step"] = json!(2);
        }
        if rng.chance(40) {
            market["allocation"] = json!({"type": "pro_rata", "top_order": rng.chance(50), "lead": [], "fifo_ppm": 0, "minimum": 1});
        }
    }
    config
}

/// [`lively`] with every choice of the waterfall, drawn by the seed.
#[must_use]
pub fn daring(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0xda2e);
    let mut config = lively(seed);
    let rounding = rng.pick(&["ceil", "floor"]);
    let two_sided = json!({"two_sided": {
        "rate_step": rng.within(1, 3), "rounding": rounding, "fee_pool": rng.chance(50),
    }});
    config["last_resort"] = match rng.below(4) {
        0 => json!("socialise"),
        1 => json!("withdrawal_factor"),
        _ => two_sided,
    };
    config["claims"] = json!(rng.chance(50));
    for fund in config["funds"].as_array_mut().expect("a list") {
        fund["cap"] = if rng.chance(40) { json!(rng.within(100, 2000)) } else { Value::Null };
        fund["paid_max"] = if rng.chance(30) { json!(rng.within(1, 200)) } else { Value::Null };
        if rng.chance(60) {
            let window = rng.pick(&[8, 40, 400]) * MILLISECOND;
            fund["drawdown"] = json!({
                "trigger_ppm": 300_000, "stop_ppm": 250_000, "inclusive": rng.chance(50), "window_ns": window,
            });
        }
    }
    let penalty = rng.pick(&[0, 500_000, 700_000]);
    let portfolio = json!({
        "type": "portfolio_share", "step_ppm": 200_000, "target_ppm": 900_000, "penalty_ppm": penalty,
    });
    let everywhere = rng.chance(20);
    let mut last = Rng::new(seed ^ 0x1a57);
    let mut settled = Vec::new();
    for market in config["markets"].as_array_mut().expect("a list") {
        let during = rng.pick(&["whole", "wait", "wait_then_whole"]);
        let most = if rng.chance(30) { json!(rng.within(1, 20)) } else { Value::Null };
        let buffer = rng.pick(&[0, 20_000]);
        let liquidator = if rng.chance(70) { json!(rng.within(0, 3)) } else { Value::Null };
        let curve = match rng.below(2) {
            0 => json!({"type": "stairstep", "factor_ppm": 900_000, "step_ns": 2 * MILLISECOND}),
            _ => json!({"type": "linear", "duration_ns": 20 * MILLISECOND}),
        };
        let rules = &mut market["liquidation"];
        rules["policy"] = match rng.below(6) {
            0 => json!({"type": "share"}),
            1 => json!({"type": "tier"}),
            2 => json!({"type": "restore", "buffer_ppm": buffer}),
            3 => json!({
                "type": "ramp", "buffer_ppm": buffer, "duration_ns": 20 * MILLISECOND, "initial_ppm": 100_000,
                "full_below": 10,
            }),
            _ => json!({
                "type": "schedule", "lot": rng.within(1, 5), "qty_max": most, "cooldown_ns": 5 * MILLISECOND,
                "during": during,
            }),
        };
        rules["limit"] = match rng.below(5) {
            0 => json!({"type": "none"}),
            1 => json!({"type": "fillable", "adjustment_ppm": 1_000_000, "spread_ppm": 1_500_000}),
            2 => json!({"type": "dutch", "start_ppm": rng.within(900_000, 1_200_000), "curve": curve}),
            _ => json!({"type": "bankruptcy"}),
        };
        rules["takeover"] = json!(rng.pick(&["bankruptcy", "mark"]));
        if last.chance(40) {
            let window = last.pick(&[1, 20 * MILLISECOND]);
            let price = last.pick(&["index", "mark", "average"]);
            let price =
                if price == "average" { json!({"average": {"window_ns": window}}) } else { json!(price) };
            let notice = if last.chance(30) { json!(10 * MILLISECOND) } else { Value::Null };
            let reduce_only = last.pick(&[0, 5 * MILLISECOND, 30 * MILLISECOND]);
            settled.push(json!({"price": price, "reduce_only_ns": reduce_only, "notice_ns": notice}));
        } else {
            settled.push(Value::Null);
        }
        if last.chance(50) {
            rules["assignment"] = json!({
                "price": last.pick(&["bankruptcy", "mark"]), "order": last.pick(&["pro_rata", "queue"]),
                "stage": last.pick(&["before_fund", "after_fund"]),
            });
        }
        if everywhere {
            rules["policy"] = portfolio.clone();
        } else if rng.chance(40) {
            rules["fee_ppm"] = json!(20_000);
            rules["fee_rule"] =
                json!({"type": "margin_left", "liquidator": liquidator, "liquidator_ppm": 10_000});
        }
    }
    for (market, rule) in config["markets"].as_array_mut().expect("a list").iter_mut().zip(settled) {
        market["settlement"] = rule;
    }
    limit(&mut config, &mut last);
    config
}

/// Limits of a period, the withdrawal gate, a last resort by equity, and bands of auto-deleveraging.
fn limit(config: &mut Value, rng: &mut Rng) {
    if config["last_resort"] == "socialise" && rng.chance(60) {
        config["last_resort"] = json!("socialise_equity");
    }
    let mut some = |percent: i64, value: Value| if rng.chance(percent) { value } else { Value::Null };
    let limits = json!({
        "period_ns": some(70, json!(10 * MILLISECOND)),
        "position": some(50, json!({"share_ppm": 300_000, "notional_min": 200})),
        "account_notional": some(40, json!(3000)),
        "account_fund_loss": some(70, json!(20)),
        "rounds": some(40, json!(2)),
        "adl_rounds": some(40, json!(1)),
    });
    config["block_limits"] = some(50, limits);
    if config["block_limits"]["period_ns"].is_null() && !config["block_limits"].is_null() {
        config["block_limits"]["period_ns"] = json!(0);
    }
    let trigger = rng.pick(&["negative_equity", "uncovered_loss"]);
    let gate = json!({"duration_ns": 5 * MILLISECOND, "trigger": trigger});
    config["withdrawal_gate"] = if rng.chance(50) { gate } else { Value::Null };
    for market in config["markets"].as_array_mut().expect("a list") {
        let adl = &mut market["adl"];
        if rng.chance(30) {
            adl["method"] = json!("rank_bands");
            adl["lights"] = json!({"method": rng.pick(&["cumulative_quantity", "equal_count"]), "levels": 2});
        }
        if adl["method"] == json!("pro_rata") {
            adl["carry"] = json!(rng.chance(70));
        }
        if rng.chance(40) {
            adl["size_band"] =
                json!({"share_ppm": rng.within(100_000, 600_000), "window_ns": 10 * MILLISECOND});
        }
        if rng.chance(30) {
            adl["cooldown_ns"] = json!(3 * MILLISECOND);
        }
        adl["exempt"] = match rng.below(4) {
            0 => json!(["group"]),
            1 => json!(["backstop", "group"]),
            _ => json!([]),
        };
    }
    let of_venue = ["account_fund_loss", "rounds", "adl_rounds"];
    let of_market =
        ["position", "account_notional"].iter().any(|key| !config["block_limits"][*key].is_null());
    if of_market && rng.chance(15) {
        for key in of_venue {
            config["block_limits"][key] = Value::Null;
        }
        config["block_limits"]["phases"] = json!([rng.pick(&["continuous", "guarded"])]);
    }
}

/// Sources, inputs of the mark and terms of the funding.
fn price(config: &mut Value, rng: &mut Rng) {
    let sources = |rng: &mut Rng| {
        let stale = [rng.pick(&[20, 500]), rng.pick(&[40, 2000])].map(|ms| ms * MILLISECOND);
        json!([{"name": "one", "weight": 2, "stale_ns": stale[0]}, {"name": "two", "weight": 1, "stale_ns": stale[1]}])
    };
    let markets = config["markets"].as_array_mut().expect("a list");
    markets[0]["index"] = json!({
        "rule": rng.pick(&["median", "mean"]), "sources_min": rng.pick(&[1, 2]), "liquidates_stale": rng.chance(50),
        "sources": sources(rng),
    });
    if markets[0]["index"]["rule"] == "mean" {
        markets[0]["index"]["rule"] = json!({"mean": {"outlier_ppm": 50_000}});
    }
    for market in markets {
        let mut inputs = vec!["basis_ema", "touch", "external", "basis"];
        if !market["funding"].is_null() {
            inputs.push("funding");
            market["funding"]["votes"] =
                json!({"period_ns": 10 * MILLISECOND, "votes_min": 2, "samples_min": 2});
            market["funding"]["rate_period_ns"] = json!(80 * MILLISECOND);
            market["funding"]["payers"] = json!(rng.pick(&["full", "capped"]));
            market["funding"]["price"] = json!(rng.pick(&["mark", "index"]));
            market["funding"]["accrual"] = json!({"units": rng.pick(&[1, 1000]), "ticks": 1});
        }
        market["mark"] = json!({
            "method": "median", "basis_samples": 3, "inputs": inputs, "fallback": "touch_ema",
            "basis_decay_ppb": 500_000_000, "touch_decay_ppb": 0, "sources": sources(rng),
        });
        if rng.chance(30) {
            market["mark"]["slew_ppm"] = json!(100_000);
        }
    }
}

/// Writes the commands of one world.
#[derive(Debug)]
pub struct Stream {
    rng: Rng,
    pending: VecDeque<Command>,
}

impl Stream {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed ^ 0x5ea), pending: VecDeque::new() }
    }

    /// The next command for a venue in this state.
    pub fn next(&mut self, venue: &Venue) -> Record {
        if self.pending.is_empty() {
            self.plan(venue);
        }
        let command = self.pending.pop_front().expect("a plan has at least one command");
        let rng = &mut self.rng;
        let step = rng.pick(&[0, 0, 0, 1, 1, 3]) * MILLISECOND;
        let late = if rng.chance(2) { 30 * MILLISECOND } else { 0 };
        let early = if rng.chance(1) { -MILLISECOND } else { 0 };
        let mut record = command.encode(Nanos::new((venue.now().get() + step + late + early).max(0)));
        if record.kind == command::INDEX {
            tell(rng, venue, &mut record);
        }
        record.source = u8::try_from(rng.within(0, 2)).expect("small");
        if rng.chance(4) {
            spoil(rng, &mut record);
        }
        record
    }

    fn push(&mut self, command: Command) {
        self.pending.push_back(command);
    }

    fn plan(&mut self, venue: &Venue) {
        let opened = venue.accounts();
        if opened < ACCOUNTS {
            return self.begin(opened);
        }
        if venue.timers_pending() && self.rng.chance(70) {
            return self.push(Command::Pulse);
        }
        let market = MarketId::new(u16::try_from(self.rng.below(2)).expect("small"));
        let Some(mark) = venue.mark(market) else {
            return self.push(Command::Index { market, price: Price::new(100) });
        };
        let takes_over = venue.config().markets[market.index()].liquidation.assignment.is_some();
        if takes_over && self.rng.chance(6) {
            let (account, lots) = (self.account(), Qty::new(self.rng.pick(&[0, 1, 5, 20, 1000])));
            return self.push(Command::Volunteer { market, account, lots });
        }
        if venue.config().markets[market.index()].settlement.is_some() && self.rng.chance(1) {
            let at = venue.now() + Nanos::new(self.rng.pick(&[1, 2, 20, 60]) * MILLISECOND);
            let at = if self.rng.chance(80) { at } else { Nanos::ZERO };
            return self.push(Command::Settle { market, at });
        }
        if venue.config().last_resort == LastResort::WithdrawalFactor && self.rng.chance(5) {
            return self.money(venue);
        }
        match self.rng.within(0, 99) {
            0..=29 => self.trade(venue, market, mark),
            30..=49 => self.quote(market, mark),
            50..=63 => self.jump(market, mark),
            64..=73 => self.change(venue, market, mark),
            74..=79 => self.money(venue),
            80..=83 => self.phase(venue, market, mark),
            84..=90 => self.reduce(venue, market, mark),
            91..=93 => self.drift(market, mark),
            _ => self.push(Command::Pulse),
        }
    }

    fn account(&mut self) -> AccountId {
        AccountId::from_index(self.rng.below(ACCOUNTS))
    }

    fn begin(&mut self, opened: usize) {
        let account = AccountId::from_index(opened);
        let amount = if opened < 2 { 6000 } else { self.rng.within(100, 900) };
        self.push(Command::OpenAccount);
        self.push(Command::Deposit { account, asset: AssetId::new(0), amount: Money::new(amount) });
        if self.rng.chance(25) {
            let amount = Money::new(self.rng.within(10, 60));
            self.push(Command::Deposit { account, asset: AssetId::new(1), amount });
        }
        if opened == 0 {
            let amount = Money::new(self.rng.pick(&[20, 200, 2000]));
            self.push(Command::FundDeposit { fund: FundId::new(0), amount });
        }
    }

    fn place(&mut self, market: MarketId, account: AccountId, side: Side, price: i64, qty: i64, code: u16) {
        let price = Price::new(if code == 3 { 0 } else { price.max(1) });
        let flags = u16::from(code == 0 && self.rng.chance(10));
        self.push(Command::Place {
            market,
            account,
            side: side.code(),
            code,
            flags,
            price,
            qty: Qty::new(qty),
        });
    }

    /// Two accounts trade, the second near what its margin bears.
    fn trade(&mut self, venue: &Venue, market: MarketId, mark: Price) {
        let (maker, taker) = (self.account(), self.account());
        let free = venue.equity(taker).get() - venue.initial(taker).get();
        let per_lot = i128::from(mark.get() * 3) / 8;
        let bears = i64::try_from((free / per_lot.max(1)).clamp(1, 300)).expect("small");
        let qty = (bears * self.rng.pick(&[30, 60, 90, 100]) / 100).max(1);
        let side = self.rng.pick(&[Side::Buy, Side::Sell]);
        let price = mark.get() + self.rng.within(-2, 2);
        if self.rng.chance(20) {
            let (buyer, seller) = if side == Side::Buy { (taker, maker) } else { (maker, taker) };
            let (price, qty) = (Price::new(price.max(1)), Qty::new(qty));
            return self.push(Command::Block { market, buyer, seller: seller.get().into(), price, qty });
        }
        self.place(market, maker, side.opposite(), price, qty + self.rng.clone().within(0, 3), 0);
        let code = self.rng.pick(&[0, 0, 1, 2, 3]);
        self.place(market, taker, side, price, qty, code);
    }

    fn quote(&mut self, market: MarketId, mark: Price) {
        let (account, side) = (self.account(), self.rng.pick(&[Side::Buy, Side::Sell]));
        let away = side.gain(Price::new(self.rng.within(-1, 12)), Price::ZERO).get();
        let qty = self.rng.within(1, 12);
        self.place(market, account, side, mark.get() + away, qty, 0);
    }

    /// A jump of the index, then some pulses.
    fn jump(&mut self, market: MarketId, mark: Price) {
        let percent = self.rng.pick(&[-20, -12, -7, -4, 4, 7, 12, 20]);
        let price = (mark.get() * (100 + percent) / 100).clamp(20, 1000);
        self.push(Command::Index { market, price: Price::new(price) });
        for _ in 0..self.rng.within(0, 3) {
            self.push(Command::Pulse);
        }
    }

    fn drift(&mut self, market: MarketId, mark: Price) {
        // Slowly back to 100, where the positions began.
        let price = mark.get() + (100 - mark.get()).signum() * self.rng.within(0, 4) + self.rng.within(-1, 1);
        self.push(Command::Index { market, price: Price::new(price.clamp(20, 1000)) });
    }

    fn change(&mut self, venue: &Venue, market: MarketId, mark: Price) {
        let account = self.account();
        let orders = venue.open_orders(account, market);
        if orders.is_empty() || self.rng.chance(10) {
            let market = if self.rng.chance(50) { market } else { MarketId::NONE };
            return self.push(Command::CancelAll { market, account });
        }
        let order = orders[self.rng.below(orders.len())];
        if self.rng.chance(40) {
            return self.push(Command::Cancel { market, account, order: order.id });
        }
        let keeps = self.rng.chance(40);
        let price = if keeps { order.price } else { mark + Price::new(self.rng.within(-6, 6)) };
        let qty = order.qty + Qty::new(self.rng.within(-2, if keeps { 0 } else { 4 }));
        self.push(Command::Replace { market, account, order: order.id, price, qty });
    }

    fn money(&mut self, venue: &Venue) {
        let (account, asset) = (self.account(), AssetId::new(self.rng.pick(&[0, 0, 1])));
        let free = venue.equity(account).get() - venue.initial(account).get();
        let free = i64::try_from(free.clamp(1, 10_000)).expect("small");
        if self.rng.chance(50) {
            let amount = Money::new(self.rng.within(1, 300));
            self.push(Command::Deposit { account, asset, amount });
        } else {
            let amount = Money::new((free * self.rng.pick(&[20, 60, 100, 101]) / 100).max(1));
            self.push(Command::Withdraw { account, asset, amount });
        }
    }

    fn phase(&mut self, venue: &Venue, market: MarketId, mark: Price) {
        let end = if self.rng.chance(70) { venue.now() + Nanos::new(20 * MILLISECOND) } else { Nanos::ZERO };
        let code = self.rng.pick(&[0, 1, 2, 6, 6, 6, 7, 8, 8, 9, 10, 11, 12]);
        self.push(Command::SetPhase { market, code, end });
        for _ in 0..self.rng.within(0, 4) {
            let (account, side) = (self.account(), self.rng.pick(&[Side::Buy, Side::Sell]));
            let (price, qty) = (mark.get() + self.rng.within(-3, 3), self.rng.within(1, 6));
            self.place(market, account, side, price, qty, 0);
        }
        let takes_unpriced =
            venue.config().markets[market.index()].auction.market_orders != MarketOrders::Refused;
        for _ in 0..if takes_unpriced { 4 } else { 0 } {
            let (account, side) = (self.account(), self.rng.pick(&[Side::Buy, Side::Sell]));
            let (unpriced, qty) = (self.rng.chance(50), self.rng.within(1, 4));
            let price = if unpriced { 0 } else { mark.get() + self.rng.within(-3, 3) };
            self.place(market, account, side, price, qty, if unpriced { 3 } else { 0 });
        }
        if self.rng.chance(80) {
            self.push(Command::SetPhase { market, code: 1, end: Nanos::ZERO });
        }
    }

    /// An account closes some of its position, perhaps far below its worth.
    fn reduce(&mut self, venue: &Venue, market: MarketId, mark: Price) {
        let account = self.account();
        let base = venue.position(account, market).base;
        if base.is_zero() {
            return self.quote(market, mark);
        }
        let side = Side::of(base).opposite();
        let qty = self.rng.within(1, base.abs().get());
        let friend = self.account();
        let price =
            mark.get() * (100 + side.gain(Price::ZERO, Price::new(self.rng.within(0, 40))).get()) / 100;
        if self.rng.chance(40) {
            let (buyer, seller) = if side == Side::Buy { (account, friend) } else { (friend, account) };
            let (price, qty) = (Price::new(price.max(1)), Qty::new(qty));
            return self.push(Command::Block { market, buyer, seller: seller.get().into(), price, qty });
        }
        self.place(market, friend, side.opposite(), price, qty, 0);
        let (code, qty) = (self.rng.pick(&[1, 3]), Qty::new(qty + self.rng.pick(&[0, 0, 1])));
        let price = Price::new(if code == 3 { 0 } else { price.max(1) });
        self.push(Command::Place { market, account, side: side.code(), code, flags: 2, price, qty });
    }
}

/// Makes a command wrong in one field.
/// Makes an Index the price of a source, where the market has sources.
fn tell(rng: &mut Rng, venue: &Venue, record: &mut Record) {
    let market = &venue.config().markets[usize::from(record.market)];
    let index = market.index.as_ref().map_or(0, |index| index.sources.len());
    let count = index + market.mark.sources.len();
    if count > 0 && (index > 0 || rng.chance(20)) && !rng.chance(2) {
        record.kind = command::SOURCE;
        record.code = u16::try_from(rng.below(count)).expect("few sources");
        record.qty = if rng.chance(30) { record.price + rng.within(-1, 3) } else { 0 };
        record.amount = if rng.chance(20) { record.at - rng.within(-1, 30) * MILLISECOND } else { 0 };
    }
}

fn spoil(rng: &mut Rng, record: &mut Record) {
    match rng.below(9) {
        0 => record.market = rng.pick(&[2, 65535]),
        1 => record.account = rng.pick(&[8, 99, u32::MAX]),
        2 => record.side = 2,
        3 => record.code = rng.pick(&[2, 3, 4, 13, u16::MAX]),
        4 => record.flags = rng.pick(&[1, 2, 3, 4, u16::MAX]),
        5 => record.price = rng.pick(&[0, -1, 10_001, i64::MAX, i64::MIN]),
        6 => record.qty = rng.pick(&[0, -1, 1001, i64::MAX, i64::MIN]),
        7 => record.amount = rng.pick(&[0, -1, MILLION, i64::MAX, i64::MIN]),
        _ => record.kind = rng.pick(&[0, 6, 99, 200, u16::MAX]),
    }
}

/// How often each kind of event and each reject code was seen.
#[derive(Debug, Default)]
pub struct Counts {
    kinds: BTreeMap<u16, usize>,
    rejects: BTreeMap<u16, usize>,
}

impl Counts {
    /// Counts events.
    pub fn add(&mut self, events: &[Record]) {
        for event in events {
            *self.kinds.entry(event.kind).or_default() += 1;
            if event.kind == 100 {
                *self.rejects.entry(event.code).or_default() += 1;
            }
        }
    }

    /// How many events of a kind were seen.
    #[must_use]
    pub fn of(&self, kind: u16) -> usize {
        self.kinds.get(&kind).copied().unwrap_or(0)
    }

    /// How many refusals with a code were seen.
    #[must_use]
    pub fn rejected(&self, code: u16) -> usize {
        self.rejects.get(&code).copied().unwrap_or(0)
    }
}

/// A world that has run: its configuration, commands and events, and the venue at the end.
#[derive(Debug)]
pub struct World {
    /// The configuration as JSON.
    pub config: Value,
    /// Every command, in order.
    pub commands: Vec<Record>,
    /// Every event, in order.
    pub events: Vec<Record>,
    /// The venue at the end.
    pub venue: Venue,
}

impl World {
    /// Runs the world of a seed; `look` sees the venue after each command, with the events of the command.
    pub fn run(
        seed: u64,
        length: usize,
        mut venue: Venue,
        mut look: impl FnMut(&Venue, &Record, &[Record]),
    ) -> Self {
        let config = serde_json::from_str(&venue.config().canonical()).expect("canonical text is JSON");
        let mut stream = Stream::new(seed);
        let (mut commands, mut events) = (Vec::new(), Events::new());
        for _ in 0..length {
            let command = stream.next(&venue);
            let before = events.len();
            venue.apply_record(&command, &mut events);
            look(&venue, &command, &events.as_slice()[before..]);
            commands.push(command);
        }
        Self { config, commands, events: events.into_vec(), venue }
    }

    /// Applies the commands anew to a venue as it was at first, which is restored from its own snapshot now and then.
    ///
    /// # Panics
    /// If an event or the state is another.
    pub fn survives_restores(&self, seed: u64, mut venue: Venue) {
        let (mut rng, mut events) = (Rng::new(seed), Events::new());
        for command in &self.commands {
            if rng.chance(10) {
                let copy = Venue::restore(&venue.snapshot()).expect("its own snapshot");
                assert_eq!(copy.digest(), venue.digest(), "seed {seed}");
                venue = copy;
            }
            venue.apply_record(command, &mut events);
        }
        assert!(events.as_slice() == self.events, "seed {seed}: events differ after a restore");
        assert_eq!(venue.digest(), self.venue.digest(), "seed {seed}");
    }
}
