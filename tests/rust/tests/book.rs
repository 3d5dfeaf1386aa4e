//! The core venue gives event for event what the naive venue gives, on random commands. A failure names its seed.

use seawall_core::protocol::{command, event};
use seawall_core::{Audit, Config, Events, MarketId, Phase, Record, Reject, Side, Venue};
use seawall_tests::duel::{Duel, Script, told};
use seawall_tests::naive::rules::{Allocation, ClientIds};
use seawall_tests::naive::seen::{Seen, Situation};
use seawall_tests::naive::words::reject;
use seawall_tests::orders::{CELLS, Dialect, Writer, cell};
use seawall_tests::stream::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::resume_unwind;

const LAST: usize = 12;

/// What was reached.
#[derive(Default)]
struct Reached {
    seen: Seen,
    rejects: BTreeMap<u16, u64>,
    commands: u64,
    events: u64,
    cells: BTreeMap<String, u64>,
}

impl Reached {
    fn add(&mut self, other: &Self) {
        self.seen.add(&other.seen);
        other.rejects.iter().for_each(|(code, n)| *self.rejects.entry(*code).or_default() += n);
        other.cells.iter().for_each(|(name, n)| *self.cells.entry(name.clone()).or_default() += n);
        self.commands += other.commands;
        self.events += other.events;
    }

    fn note(&mut self, events: &[Record]) {
        self.commands += 1;
        self.events += events.len() as u64;
        for e in events.iter().filter(|e| e.kind == 100) {
            *self.rejects.entry(e.code).or_default() += 1;
        }
    }
}

/// The kinds of markets of a cell, for the count.
fn kinds(duel: &Duel) -> Vec<String> {
    let kind = |m: &seawall_tests::naive::rules::MarketRules| {
        let allocation =
            if matches!(m.allocation, Allocation::PriceTime) { "price_time" } else { "pro_rata" };
        let ids = match m.client_ids {
            ClientIds::None => "none",
            ClientIds::Hashed => "hashed",
            ClientIds::Dense(_) => "dense",
        };
        let cleared = if m.cleared { "cleared" } else { "bare" };
        let entry = if m.notional_max.is_some() { "limits" } else { "open" };
        format!("{allocation} {ids} {cleared} {entry}")
    };
    duel.naive().rules().markets.iter().map(kind).collect()
}

/// Seeds of each cell: some, or as many as `SEAWALL_SEEDS` says for a long search.
fn seeds() -> u64 {
    std::env::var("SEAWALL_SEEDS").map_or(12, |n| n.parse().expect("SEAWALL_SEEDS is a number"))
}

fn run(number: u64, seed: u64, length: u64, dialect: Dialect) -> Reached {
    let config = cell(number, seed, dialect);
    let mut duel = Duel::new(&config);
    let mut writer = Writer::new(seed, dialect);
    let mut script = Script::default();
    let mut reached = Reached::default();
    let mut last: Vec<Record> = Vec::new();
    if seed.is_multiple_of(6) {
        duel.audit_in_full();
    }
    for name in kinds(&duel) {
        *reached.cells.entry(name).or_default() += length;
    }
    for i in 0..length {
        let command = writer.next(duel.naive());
        last.push(command);
        match duel.apply(&command) {
            Ok(events) => {
                script.push(command, &events);
                writer.learn(&events);
                reached.note(&events);
            }
            Err(difference) => {
                script.push(command, &[]);
                let last: Vec<String> = last.iter().rev().take(LAST).rev().map(told).collect();
                panic!(
                    "cell {number} seed {seed} command {i}\n    {}\n{}{config}\n{}",
                    last.join("\n    "),
                    difference.what,
                    script.shrink(&config)
                );
            }
        }
    }
    reached.seen.add(&duel.naive().seen);
    reached
}

/// Runs worlds on two threads.
fn run_all(worlds: &[(u64, u64)], length: u64, dialect: Dialect) -> Reached {
    let halves = worlds.split_at(worlds.len() / 2);
    let part = |worlds: &[(u64, u64)]| {
        let mut reached = Reached::default();
        for &(number, seed) in worlds {
            reached.add(&run(number, seed, length, dialect));
        }
        reached
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| part(halves.1));
        let mut reached = part(halves.0);
        reached.add(&other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        reached
    })
}

#[test]
fn plain_orders_give_the_events_of_the_naive_venue() {
    let worlds: Vec<(u64, u64)> = (1..=40).map(|seed| (0, seed)).collect();
    let reached = run_all(&worlds, 5000, Dialect::Plain);
    println!("{} commands, {} events", reached.commands, reached.events);
    for situation in [Situation::PartialFill, Situation::FillOrKillRefused, Situation::ReplaceTraded] {
        assert!(reached.seen.of(situation) > 1000, "{situation:?}");
    }
}

#[test]
fn every_order_gives_the_events_of_the_naive_venue() {
    let seeds = seeds();
    let worlds: Vec<(u64, u64)> = (0..CELLS).flat_map(|n| (1..=seeds).map(move |seed| (n, seed))).collect();
    let reached = run_all(&worlds, 8000, Dialect::Full);
    println!("{} commands, {} events", reached.commands, reached.events);
    assert!(reached.commands >= 2_000_000);
    reached.cells.iter().for_each(|(name, n)| println!("{name:40} {n:9} commands"));
    assert_eq!(reached.cells.len() as u64, CELLS, "every kind of market was there");
    let mut short = Vec::new();
    for &(situation, least) in Situation::ALL {
        let count = reached.seen.of(situation);
        println!("{:24} {count:9}", format!("{situation:?}"));
        if count < least {
            short.push(format!("{situation:?}: {count} of {least}"));
        }
    }
    for (code, name) in reject::ALL {
        let count = reached.rejects.get(&code).copied().unwrap_or(0);
        // Money never binds here, and no timer takes more than one step.
        let never = matches!(code, 102 | 208 | 303);
        println!("{code} {name:24} {count:9}");
        if (count < 100) != never {
            short.push(format!("{code} {name}: {count}"));
        }
    }
    assert!(short.is_empty(), "too seldom: {short:?}");
}

/// A venue of one market without margin, where most commands go the short way of the book.
fn plain_market(client_ids: &Value) -> Value {
    json!({
        "schema_version": 1, "name": "plain", "venue": 1, "seed": 0, "margin_call_ppm": 0, "backstop": null,
        "last_resort": "remainder",
        "limits": {
            "accounts_max": 8, "orders_max": 40, "liquidation_rounds_per_step": 1,
            "funding_accounts_per_step": 100, "adl_closes_per_round": 1, "adl_rank_max": 1,
        },
        "assets": [{"name": "USD", "decimals": 0, "deposits_max": 1_000_000, "collateral": null}],
        "funds": [{"name": "main"}],
        "markets": [{
            "name": "A", "cleared": false, "client_ids": client_ids, "tick_value": 1, "price_max": 1200,
            "order_qty_max": 50, "position_max": 80, "open_interest_max": 80,
            "fees": {"maker_ppm": 0, "taker_ppm": 0},
            "tiers": [{"lower": 0, "initial_ppm": 2, "maintenance_ppm": 1}],
            "mark": {"method": "index", "basis_samples": 1}, "funding": null, "fund": 0, "phase": "continuous",
            "reopen_auction_ns": 0,
            "liquidation": {"enabled": false, "slice_ppm": 1_000_000, "slice_qty_min": 1, "full_below": 0,
                "fee_ppm": 0, "fund_limit_ppm": 0},
            "adl": {"enabled": false, "method": "queue", "price": "bankruptcy", "band_ppm": null},
        }],
        "breakers": [],
    })
}

/// The same with a second market, between which commands go to and fro.
fn two_plain_markets(client_ids: &Value) -> Value {
    let mut config = plain_market(client_ids);
    let mut second = config["markets"][0].clone();
    second["name"] = json!("B");
    config["markets"].as_array_mut().expect("a list").push(second);
    config
}

/// The same with breakers: in the first market a limit state around a mean; in the second one a limit state around a price
/// that stays, and bounds of limits and trades, none of them above.
fn watched_markets(client_ids: &Value) -> Value {
    let mut config = two_plain_markets(client_ids);
    let ticks = |ticks: i64| json!({"type": "ticks", "ticks": ticks});
    let below = |width: Value| json!({"type": "by_side", "up": null, "down": width});
    let rule = |name: &str, market: u16, test: &str, reference: Value, width: Value, action: Value| {
        json!({"name": name, "markets": [market], "test": {"type": test}, "action": action,
            "ranges": [{"reference": reference, "width": width}]})
    };
    let mean = json!({"type": "mean", "window_ns": 100, "hysteresis_ppm": 3_000, "life_ns": 10});
    let window = json!({"type": "window", "prices": "trade", "window_ns": 200});
    let last = json!({"type": "last", "prices": "trade"});
    let limit = json!({"type": "limit_state", "hold_ns": 3, "close_ns": null, "close_only_ns": 0});
    let set = json!({"type": "set", "price": 600});
    config["breakers"] = json!([
        rule("limits", 0, "quote", mean, ticks(6), limit.clone()),
        rule("stays", 1, "quote", set, below(ticks(10)), limit),
        rule("caps", 1, "entry", last, below(ticks(12)), json!({"type": "cap"})),
        rule("stops", 1, "trade", window, below(ticks(8)), json!({"type": "stop"})),
    ]);
    for number in 0..2 {
        config["breakers"][number]["exit"] = json!({"after_ns": 3});
    }
    config
}

/// The same with margin: fees, tight money, a band that refuses and one that caps, calls and liquidations.
fn margin_market(client_ids: &Value) -> Value {
    let mut config = plain_market(client_ids);
    config["margin_call_ppm"] = json!(1_250_000);
    let market = &mut config["markets"][0];
    market["cleared"] = json!(true);
    // Less than the positions of all accounts come to by themselves.
    market["open_interest_max"] = json!(90);
    market["fees"] = json!({"maker_ppm": -100, "taker_ppm": 500});
    market["tiers"] = json!([{"lower": 0, "initial_ppm": 100_000, "maintenance_ppm": 50_000}]);
    market["liquidation"]["enabled"] = json!(true);
    market["margin"] = json!({"multipliers": true});
    let band = |name: &str, ppm: i64, action: &str| {
        json!({"name": name, "markets": [0], "test": {"type": "entry"}, "action": {"type": action},
            "ranges": [{"reference": {"type": "mark"}, "width": {"type": "ppm", "ppm": ppm}}]})
    };
    config["breakers"] = json!([band("refuses", 20_000, "reject"), band("caps", 7_000, "cap")]);
    config
}

/// Money of each account of that market, and its first index.
fn margin_opening() -> Vec<Record> {
    let deposit = |account: u32| Record {
        kind: command::DEPOSIT,
        account,
        amount: 1_500 + 400 * i64::from(account),
        ..Record::default()
    };
    let index = Record { kind: command::INDEX, price: 600, ..Record::default() };
    (0..8).map(deposit).chain([index]).collect()
}

/// What only a market with margin is sent: marks, money, multiplied rates, self-trade modes.
fn with_margin(rng: &mut Rng, at: i64, command: Record) -> Record {
    let base = Record { at, account: command.account, ..Record::default() };
    match (command.kind, rng.within(0, 99)) {
        (_, 0..=2) => Record {
            kind: command::INDEX,
            account: 0,
            price: rng.pick(&[592, 596, 600, 600, 604, 608, 540, 660]),
            ..base
        },
        (_, 3) if command.account < 8 => {
            Record { kind: command::DEPOSIT, amount: rng.within(1, 900), ..base }
        }
        (_, 4) if rng.chance(30) => {
            let (initial, maintenance) = rng.pick(&[(10, 10), (10, 10), (30, 10), (15, 12)]);
            let (qty, amount) = (initial * 100_000, maintenance * 100_000);
            Record { kind: command::SET_MULTIPLIER, account: 0, qty, amount, ..base }
        }
        (1, 4..=40) if command.code < 2 => {
            let mode = u16::try_from(rng.within(1, 6)).expect("few") << 5;
            Record { flags: command.flags | mode, ..command }
        }
        _ => command,
    }
}

/// Most orders are bare ones near the middle; one in ten is hidden, or has a session, a stop or a wrong field.
fn plain_command(rng: &mut Rng, at: i64, orders: &[Record]) -> Vec<Record> {
    let base = Record { at, account: u32::try_from(rng.within(0, 7)).expect("few"), ..Record::default() };
    if rng.chance(45) && !orders.is_empty() {
        let of = orders[orders.len() - 1 - rng.below(orders.len().min(20))];
        let by_name = of.amount > 0 && rng.chance(70);
        let order = if by_name { of.amount.cast_unsigned() } else { of.order };
        let account = if rng.chance(97) { of.account } else { base.account };
        return vec![Record {
            kind: 2,
            flags: u16::from(by_name),
            market: of.market,
            order,
            account,
            ..base
        }];
    }
    let side = u8::from(rng.chance(50));
    let away = if rng.chance(90) { rng.within(-3, 6) } else { rng.within(-20, 590) };
    let place = Record {
        kind: 1,
        side,
        code: u16::from(rng.chance(20)),
        price: 600 + if side == 0 { -away } else { away },
        qty: rng.within(1, 9),
        order: u64::try_from(rng.within(-30, 30)).unwrap_or(0),
        ..base
    };
    let odd = match rng.within(0, 99) {
        0..=2 => Record { flags: 8, code: 0, ..place },
        3 => Record { amount: 5, ..place },
        4 => Record { price: rng.pick(&[0, -1, 1201, i64::MIN, i64::MAX]), ..place },
        5 => Record { qty: rng.pick(&[0, -1, 51, i64::MIN, i64::MAX]), ..place },
        6 => Record { side: 2, ..place },
        7 => Record { market: 2, ..place },
        12..=25 => Record { market: 1, ..place },
        26 => Record { kind: 999, at: at + 5, ..place },
        8 => Record { account: 8, ..place },
        9 => Record { at: at - 1, ..place },
        10 => {
            let stop = Record { kind: command::TERM, code: 1, price: place.price, ..base };
            return vec![stop, Record { code: 0, order: 0, ..place }];
        }
        11 => Record { kind: 4, flags: 0, ..base },
        _ => place,
    };
    vec![odd]
}

/// A venue that audits itself in full goes the long way through every step; the other one goes the short way where it
/// can. They agree to the last byte, slots of orders and free slots included.
#[test]
fn the_short_way_leaves_the_bytes_of_the_long_one() {
    for (kind, least) in [
        (
            Kind::Plain,
            vec![
                ("refused", 5000),
                ("accepted", 40_000),
                ("cancelled", 10_000),
                ("ended", 5000),
                ("trade", 10_000),
                ("full", 500),
            ],
        ),
        (
            Kind::Watched,
            vec![
                ("accepted", 20_000),
                ("cancelled", 10_000),
                ("trade", 5000),
                ("limit state", 200),
                ("straddle", 200),
                ("pause", 100),
                ("bounded", 500),
            ],
        ),
        (
            Kind::Margin,
            vec![
                ("refused", 5000),
                ("accepted", 20_000),
                ("cancelled", 10_000),
                ("ended", 2000),
                ("trade", 5000),
                ("bounded", 500),
                ("short", 500),
                ("interest", 100),
                ("multiplied", 100),
                ("liquidated", 20),
            ],
        ),
    ] {
        let counts = compare_ways(kind);
        println!("{counts:?}");
        for (name, least) in least {
            assert!(counts.get(name).is_some_and(|n| *n >= least), "{name} too seldom");
        }
    }
}

/// What the markets of a stream have.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Watched,
    Margin,
}

/// Sends one stream of commands both ways; what was reached, and how often.
fn compare_ways(kind: Kind) -> BTreeMap<&'static str, u64> {
    let margin = kind == Kind::Margin;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (seed, client_ids) in
        (0..24).zip([json!("none"), json!("hashed"), json!({"dense": {"max": 28}})].iter().cycle())
    {
        let config = match kind {
            Kind::Plain => two_plain_markets(client_ids),
            Kind::Watched => watched_markets(client_ids),
            Kind::Margin => margin_market(client_ids),
        };
        let config = Config::new(&config.to_string()).expect("it is right");
        let mut rng = Rng::new(seed);
        let mut venues = [Venue::new(config.clone()), Venue::new(config)];
        venues[1].set_audit(Audit::Full);
        let mut events = [Events::new(), Events::new()];
        let mut batch =
            vec![Record { kind: command::OPEN_ACCOUNT, market: u16::MAX, ..Record::default() }; 8];
        // The last account never meets itself.
        batch[7].code = 2;
        if margin {
            batch.extend(margin_opening());
        }
        let (mut at, mut orders, mut drift) = (10, Vec::new(), 0);
        for _ in 0..1000 {
            for (venue, events) in venues.iter_mut().zip(&mut events) {
                events.clear();
                venue.apply_batch(&batch, events);
            }
            let [short, long] = &events;
            assert_eq!(short.as_slice(), long.as_slice(), "seed {seed}: {batch:?}");
            let mut accepted = 0;
            for e in short.as_slice() {
                let name = match e.kind {
                    100 if e.code == Reject::MarginShort.code() => "short",
                    100 if e.code == Reject::OpenInterestLimit.code() => "interest",
                    100 => "refused",
                    event::ORDER_BOUNDED => "bounded",
                    event::PHASE_CHANGED if e.code == Phase::LimitState.code() => "limit state",
                    event::PHASE_CHANGED if e.code == Phase::Straddle.code() => "straddle",
                    event::PHASE_CHANGED if e.code == Phase::Pause.code() => "pause",
                    event::MULTIPLIER_SET => "multiplied",
                    event::LIQUIDATION_STARTED => "liquidated",
                    200 => "accepted",
                    202 if e.code == 1 => "cancelled",
                    202 => "ended",
                    210 if e.order >> 24 == accepted => "trade",
                    210 => "maker",
                    207.. => "other",
                    _ => continue,
                };
                *counts.entry(name).or_default() += 1;
                if e.kind == 200 {
                    accepted = e.order >> 24;
                    orders.push(*e);
                }
            }
            let full = venues[0]
                .depth(MarketId::new(0), Side::Buy, usize::MAX)
                .iter()
                .map(|l| l.orders)
                .sum::<u32>()
                + venues[0]
                    .depth(MarketId::new(0), Side::Sell, usize::MAX)
                    .iter()
                    .map(|l| l.orders)
                    .sum::<u32>();
            *counts.entry("full").or_default() += u64::from(full == 40);
            *counts.entry("empty").or_default() += u64::from(full == 0);
            if rng.chance(5) {
                let bytes = venues.each_ref().map(Venue::snapshot);
                assert_eq!(bytes[0], bytes[1], "seed {seed}: another state after {batch:?}");
            }
            at += rng.within(0, 2);
            batch.clear();
            for _ in 0..rng.within(1, 12) {
                at += i64::from(rng.chance(20));
                batch.extend(plain_command(&mut rng, at, &orders));
            }
            if kind == Kind::Watched {
                drift = (drift + rng.within(-1, 1)).clamp(-40, 40);
                for command in batch.iter_mut().filter(|command| command.kind == 1) {
                    command.market ^= u16::from(rng.chance(40));
                }
                for command in batch.iter_mut().filter(|command| (1..1200).contains(&command.price)) {
                    command.price += drift;
                }
            }
            if margin {
                for command in &mut batch {
                    // It has one market.
                    command.market &= !1;
                    *command = with_margin(&mut rng, command.at, *command);
                }
            }
        }
    }
    counts
}
