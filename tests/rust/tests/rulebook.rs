//! Random rules in random streams: what each does is what a recomputation from the log says. A failure names its seed.

use seawall_core::protocol::command;
use seawall_core::{Audit, Config, Events, MarketId, Record, Venue};
use seawall_tests::rulebook::Rulebook;
use seawall_tests::stream::{Rng, unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MILLISECOND: i64 = 1_000_000;
const SEEDS: u64 = 800;
const LENGTH: usize = 260;
const ACCOUNTS: u32 = 6;
/// Length of a market's day.
const DAY: i64 = 100 * MILLISECOND;

/// One of some numbers, or null.
fn some(rng: &mut Rng, choices: &[Option<i64>]) -> Value {
    rng.pick(choices).map_or(Value::Null, Value::from)
}

fn reference(rng: &mut Rng) -> Value {
    let window = rng.pick(&[3, 10, 40]) * MILLISECOND;
    let prices = rng.pick(&["trade", "trade", "mark"]);
    match rng.below(12) {
        0 => json!({"type": "set", "price": some(rng, &[Some(100), Some(100), None])}),
        1 => json!({"type": "auction"}),
        2 => json!({"type": "last", "prices": prices}),
        3 => json!({"type": "aged", "prices": prices, "age_ns": window, "or_first": rng.chance(50)}),
        4 | 5 => json!({"type": "window", "prices": prices, "window_ns": window}),
        6 => json!({"type": "mean", "window_ns": window, "hysteresis_ppm": rng.pick(&[0, 10_000]),
            "life_ns": rng.pick(&[0, 2]) * MILLISECOND}),
        7 => json!({"type": rng.pick(&["mark", "index"])}),
        8 => json!({"type": "slewed", "most_ppm": rng.pick(&[10_000, 20_000])}),
        9 => json!({"type": "index_premium", "window_ns": window}),
        10 => json!({"type": "touch"}),
        _ => json!({"type": "mid"}),
    }
}

fn width(rng: &mut Rng, depth: u32) -> Value {
    let inner = |rng: &mut Rng| width(rng, depth + 1);
    match rng.below(if depth < 2 { 12 } else { 5 }) {
        0..=2 => {
            let of = if rng.chance(15) { json!({"type": "index"}) } else { Value::Null };
            let step = if rng.chance(15) { json!(2) } else { Value::Null };
            json!({"type": "ppm", "ppm": rng.pick(&[20_000, 30_000, 50_000]), "of": of, "step": step})
        }
        3 | 4 => json!({"type": "ticks", "ticks": rng.within(2, 5)}),
        5 => {
            let (up, down) = (inner(rng), inner(rng));
            let down = if rng.chance(30) { Value::Null } else { down };
            json!({"type": "by_side", "up": up, "down": down})
        }
        6 => {
            let by = if rng.chance(30) { json!({"type": "mark"}) } else { Value::Null };
            let rows = [(0, inner(rng)), (98, inner(rng)), (104, inner(rng))];
            let rows = rows.map(|(from, width)| json!({"from": from, "width": width}));
            json!({"type": "tiers", "by": by, "rows": rows})
        }
        7 => json!({"type": "quantile", "drift_ppm": rng.pick(&[0, 500_000]), "volatility_ppm": 1_000_000,
            "horizon_ns": 43_200_000_000_000_i64, "probability_ppb": rng.pick(&[500_000_000, 700_000_000])}),
        8 if depth == 0 => json!({"type": "hours", "of": {"type": "ticks", "ticks": 3}, "rows": [
            {"from_ns": 0, "until_ns": 20 * MILLISECOND, "multiple_ppm": 2_000_000},
            {"from_ns": 10 * MILLISECOND, "until_ns": 60 * MILLISECOND, "multiple_ppm": 500_000}]}),
        8 | 9 => json!({"type": "lesser_of", "of": [inner(rng), inner(rng)]}),
        10 => json!({"type": "greater_of", "of": [inner(rng), inner(rng)]}),
        // A share of the deviation of the marks, with a least width.
        _ => json!({"type": "greater_of", "of": [{"type": "ticks", "ticks": 1},
            {"type": "ppm", "ppm": 2_000_000, "of": {"type": "deviation", "window_ns": 20 * MILLISECOND}}]}),
    }
}

fn ranges(rng: &mut Rng) -> Value {
    let count = rng.pick(&[1, 1, 1, 2, 3]);
    let ranges = (0..count).map(|_| {
        let reach = if rng.chance(15) { json!({"type": "index"}) } else { Value::Null };
        json!({"reference": reference(rng), "width": width(rng, 0), "reach": reach})
    });
    ranges.collect()
}

fn exit(rng: &mut Rng, phase: &str) -> Value {
    let after = rng.pick(&[1, 2, 6]) * MILLISECOND;
    let mut exit = json!({"after_ns": after, "random_ns": rng.pick(&[0, 0, 2 * MILLISECOND])});
    if rng.chance(10) {
        exit = json!({"after_ns": null});
    }
    if rng.chance(40) {
        exit["meanwhile"] = json!({"mark": rng.pick(&["follows", "stands"]), "gates_withdrawals": rng.chance(50),
            "liquidation_rounds": some(rng, &[None, None, Some(0), Some(1)])});
        if rng.chance(30) {
            exit["meanwhile"]["margin"] =
                json!({"initial_ppm": 2_000_000, "leverage_max": rng.pick(&[1, 5])});
        }
    }
    if rng.chance(40) {
        exit["auction_ns"] = json!(rng.pick(&[0, 2 * MILLISECOND]));
    }
    if ["call_auction", "halted", "pause"].contains(&phase) && rng.chance(60) {
        let most = some(rng, &[Some(1), Some(2), None]);
        exit["extension"] = json!({"after_ns": MILLISECOND, "most": most});
        match rng.below(3) {
            0 => exit["extension"]["collar"] = json!({"step_ppm": 20_000}),
            1 => exit["extension"]["re_reference"] = json!(rng.pick(&[1, 2])),
            _ => {}
        }
    }
    exit
}

/// True if a reference starts anew after a trip.
fn starts_anew(ranges: &Value) -> bool {
    let ranges = ranges.to_string();
    let types = ["last", "aged", "mean", "window", "slewed"];
    types.iter().any(|kind| ranges.contains(&format!("\"type\":\"{kind}\"")))
}

fn rearm(rng: &mut Rng, anew: bool) -> Value {
    let mut rearm = json!({});
    if anew {
        rearm["restart"] = json!(rng.chance(40));
        rearm["auction"] = json!(rng.chance(30));
    }
    if rng.chance(25) {
        rearm["cooldown_ns"] = json!(8 * MILLISECOND);
    }
    if rng.chance(25) {
        rearm["per_day"] = json!(rng.pick(&[1, 3]));
    }
    rearm
}

fn rule(rng: &mut Rng, number: usize) -> Value {
    const PHASES: [&str; 7] =
        ["halted", "pause", "call_auction", "call_auction", "reduce_only", "guarded", "cooling_off"];
    let mut rule = json!({
        "name": format!("rule{number}"), "markets": rng.pick(&[&[0][..], &[0, 1], &[1]]),
        "inclusive": rng.chance(60), "when": if rng.chance(70) { "outside_any" } else { "outside_all" },
    });
    rule["rounding"] = match rng.below(6) {
        0 => json!({"type": "half_up", "step": 2}),
        1 => json!({"type": "half_even", "step": 2}),
        _ => json!({"type": "inward"}),
    };
    if rng.chance(25) {
        rule["exempt"] = json!([rng.pick(&["liquidation", "post_only", "reduce_only"])]);
    }
    let phase = rng.pick(&PHASES);
    let kind = rng.below(12);
    match kind {
        0 | 1 => {
            rule["test"] = json!({"type": "entry", "passive": rng.chance(40)});
            rule["action"] = json!({"type": rng.pick(&["reject", "cap"])});
        }
        2 => {
            rule["test"] = json!({"type": "trade"});
            rule["action"] = json!({"type": rng.pick(&["reject", "stop"])});
        }
        3..=5 => {
            rule["test"] = json!({"type": "trade", "immediate": rng.pick(&["trips", "trips", "spared"]),
                "rest": rng.pick(&["cancelled", "rests"]), "auction": rng.chance(60)});
            rule["action"] = json!({"type": "interrupt", "phase": phase});
        }
        6 | 7 => {
            rule["test"] = json!({"type": rng.pick(&["mark", "index"])});
            rule["action"] = json!({"type": "interrupt", "phase": phase});
        }
        8 => {
            rule["test"] = json!({"type": "quote"});
            rule["action"] = json!({"type": "limit_state", "hold_ns": 2 * MILLISECOND,
                "close_ns": some(rng, &[Some(DAY), None]), "close_only_ns": 5 * MILLISECOND});
        }
        9 if rng.chance(50) => {
            rule["test"] = json!({"type": "gap"});
            rule["action"] = json!({"type": "gaps", "rows": [{"gap_ns": 5 * MILLISECOND, "after_ns": MILLISECOND},
                {"gap_ns": 9 * MILLISECOND, "after_ns": 3 * MILLISECOND}]});
        }
        9 => {
            rule["test"] = json!({"type": "index"});
            rule["ranges"] = json!([{"reference": {"type": "set", "price": 100},
                "width": {"type": "levels", "ppm": [30_000, 70_000]}}]);
            rule["action"] = json!({"type": "schedule", "rows": [
                {"level": 1, "from_ns": 0, "phase": phase, "after_ns": MILLISECOND, "auction_ns": rng.pick(&[0, MILLISECOND])},
                {"level": 1, "from_ns": 70 * MILLISECOND, "phase": null, "after_ns": null, "auction_ns": 0},
                {"level": 2, "from_ns": 0, "phase": phase, "after_ns": 2 * MILLISECOND, "auction_ns": 0}]});
        }
        _ => {
            let of = rng.pick(&["liquidations", "liquidated", "deleveraged"]);
            let least = if of == "liquidations" { rng.within(1, 2) } else { rng.within(1, 4) * 100 };
            rule["test"] = json!({"type": "count", "of": of, "window_ns": 20 * MILLISECOND, "least": least});
            rule["action"] = json!({"type": "interrupt", "phase": phase});
        }
    }
    let test = rule["test"]["type"].as_str().expect("a name").to_owned();
    let action = rule["action"]["type"].as_str().expect("a name").to_owned();
    let measures = !["gap", "count"].contains(&test.as_str());
    if measures && rule["ranges"].is_null() {
        rule["ranges"] = ranges(rng);
    }
    if ["interrupt", "limit_state", "schedule", "gaps"].contains(&action.as_str()) {
        rule["rearm"] = rearm(rng, starts_anew(&rule["ranges"]));
        if !["schedule", "gaps"].contains(&action.as_str()) {
            rule["exit"] = exit(rng, phase);
        }
        let phase = rule["action"]["phase"].as_str();
        let after_halt = ["halted", "pause"].map(Some).contains(&phase) || action == "limit_state";
        let auctions = after_halt && rule["exit"]["auction_ns"].as_i64() > Some(0);
        if !auctions && phase != Some("call_auction") {
            rule["rearm"]["auction"] = json!(false);
            rule["exit"].as_object_mut().map(|exit| exit.remove("extension"));
        }
        if !rule["exit"]["extension"]["re_reference"].is_null() {
            // Its bounds are those of one plain share.
            if measures {
                let plain = json!({"type": "ppm", "ppm": rng.pick(&[20_000, 30_000, 50_000])});
                rule["ranges"] = json!([{"reference": reference(rng), "width": plain}]);
                rule["rearm"] = rearm(rng, starts_anew(&rule["ranges"]));
            } else {
                rule["exit"]["extension"].as_object_mut().map(|by| by.remove("re_reference"));
            }
        }
        if !["gap", "quote"].contains(&test.as_str()) && rng.chance(30) {
            rule["interrupts"] = if rng.chance(50) { json!({"group": [0, 1]}) } else { json!("venue") };
        }
    }
    rule
}

fn config(rng: &mut Rng) -> Value {
    let mut config = unit();
    config["seed"] = json!(rng.below(1000));
    config["limits"]["orders_max"] = json!(400);
    config["limits"]["liquidation_rounds_per_step"] = json!(4);
    for market in config["markets"].as_array_mut().expect("a list") {
        market["price_max"] = json!(300);
        market["reopen_auction_ns"] = json!(rng.pick(&[0, MILLISECOND]));
        market["mark"]["method"] = json!(rng.pick(&["index", "index", "last"]));
        market["tiers"][0] = json!({"lower": 0, "initial_ppm": 40_000, "maintenance_ppm": 20_000});
        market["liquidation"]["slice_ppm"] = json!(rng.pick(&[300_000, 1_000_000]));
        market["day"] = json!({"start_ns": rng.pick(&[0, 30 * MILLISECOND]), "length_ns": DAY});
    }
    // Bare orders have a shorter way in a market without clearing.
    config["markets"][1]["cleared"] = json!(rng.chance(70));
    let count = rng.pick(&[1, 2, 3, 4]);
    config["breakers"] = (0..count).map(|number| rule(rng, number)).collect();
    config
}

/// How often each thing has to be seen at least.
const LEAST: &[(u32, &[&str])] = &[
    (5000, &["trade"]),
    (
        500,
        &[
            "capped at entry",
            "refused at entry",
            "trade at a bound",
            "cancelled after a trip",
            "a linked market",
            "liquidation",
            "not fillable",
            "trip by index",
            "trip by mark",
            "trip by trade",
            "trip at ppm",
            "trip at ticks",
        ],
    ),
    (
        100,
        &[
            "a later end",
            "an end that is not later",
            "a limit that begins nothing",
            "the operator's phase stays",
            "several trips at once",
            "trip with nothing inside",
            "capped in a cooling-off",
            "capped liquidation",
            "refused sweep",
            "stopped",
            "limit state: pause",
            "reopening",
            "extension",
            "trip by auction",
            "trip by count",
            "trip by gap",
            "trip by quote",
            "trip at by_side",
            "trip at greater_of",
            "trip at hours",
            "trip at lesser_of",
            "trip at levels",
            "trip at quantile",
            "trip at tiers",
            "trip from aged",
            "trip from auction",
            "trip from index",
            "trip from index_premium",
            "trip from last",
            "trip from mark",
            "trip from mean",
            "trip from mid",
            "trip from set",
            "trip from slewed",
            "trip from touch",
            "trip from window",
            "rule set 0",
            "the mark stands",
            "withdrawal",
        ],
    ),
    (
        10,
        &[
            "rest after a trip",
            "references from an auction",
            "refused replace",
            "stopped liquidation",
            "trip by a liquidation",
            "trip by entry",
            "withdrawal refused",
            "count of liquidations",
            "count of deleveraged",
            "rule set 1",
            "rule set 2",
        ],
    ),
    (1, &["extension by another rule"]),
    (2, &["limit state: close", "count of liquidated"]),
];

fn of(kind: u16) -> Record {
    Record { kind, ..Record::default() }
}

/// The next command of a stream.
fn next(rng: &mut Rng, mids: &mut [i64; 2], resting: &mut Vec<(u64, u16, u32, i64)>, rules: usize) -> Record {
    let market = rng.pick(&[0, 0, 1]);
    let mid = &mut mids[usize::from(market)];
    *mid = (*mid + rng.within(-2, 2)).clamp(60, 140);
    let account = u32::try_from(rng.below(6)).expect("few");
    let record = match rng.below(40) {
        0..=7 => {
            // Now and then it jumps.
            *mid = (*mid + if rng.chance(15) { rng.within(-9, 9) } else { 0 }).clamp(60, 140);
            Record { price: *mid, ..of(command::INDEX) }
        }
        8..=10 => of(command::PULSE),
        11 if !resting.is_empty() => {
            let (order, market, account, _) = resting[rng.below(resting.len())];
            return Record { market, account, order, ..of(command::CANCEL) };
        }
        12 | 17 if !resting.is_empty() => {
            // One of the newest, for the others are gone.
            let newest = resting.len() - 1 - rng.below(resting.len().min(6));
            let (order, market, account, price) = resting[newest];
            let (price, qty) = (price + rng.within(-3, 3), rng.within(1, 4));
            return Record { market, account, order, price, qty, ..of(command::REPLACE) };
        }
        13 | 18 if rng.chance(60) => {
            // The operator; mostly he lets trading go on.
            let code = rng.pick(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 4, 5, 6, 7, 8, 10]);
            Record { code, ..of(command::SET_PHASE) }
        }
        14 if rng.chance(50) => {
            let (flags, amount) =
                rng.pick(&[(0, 0), (0, 1), (0, 1), (1, 20_000), (1, 60_000), (2, 97), (2, 103)]);
            let code = u16::try_from(rng.below(rules)).expect("few");
            let market = if rng.chance(50) { u16::MAX } else { market };
            return Record { market, code, flags, amount, ..of(command::SET_RULE) };
        }
        15 if rng.chance(15) => {
            let code = u16::try_from(rng.below(rules)).expect("few");
            let price = rng.pick(&[0, 95, 105]);
            Record {
                code,
                flags: rng.pick(&[5, 6, 7, 10]),
                price,
                qty: 100,
                order: 96,
                account: 104,
                side: u8::from(price < 100),
                ..of(command::INTERRUPT)
            }
        }
        19 => Record { amount: 1, ..of(command::WITHDRAW) },
        16 => {
            resting.clear();
            let account = u32::MAX;
            return Record { market: u16::MAX, account, ..of(command::CANCEL_ALL) };
        }
        _ => {
            let side = u8::from(rng.chance(50));
            let code = rng.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2, 3]);
            let price = if code == 3 { 0 } else { *mid + rng.within(-5, 5) };
            let flags = u16::from(code == 0 && rng.chance(10));
            Record { account, side, qty: rng.within(1, 5), price, code, flags, ..of(command::PLACE) }
        }
    };
    Record {
        market,
        account: if record.kind == command::INTERRUPT { record.account } else { account },
        ..record
    }
}

fn play(seed: u64, seen: &mut BTreeMap<String, u32>) {
    // Seeds that follow each other have the same numbers, one later.
    let mut rng = Rng::new(seed * 1_000_003);
    let config = config(&mut rng);
    let rules = config["breakers"].as_array().expect("a list").len();
    let mut venue =
        Venue::new(Config::new(&config.to_string()).unwrap_or_else(|e| panic!("seed {seed}: {e}")));
    venue.set_audit(Audit::Full);
    let mut book = Rulebook::new(&config);
    let mut resting: Vec<(u64, u16, u32, i64)> = Vec::new();
    let (mut at, mut mids) = (MILLISECOND, [100, 100]);
    let mut commands = Vec::new();
    for account in 0..ACCOUNTS {
        commands.push(of(command::OPEN_ACCOUNT));
        // The last two have little.
        let amount = if account < 4 { 150_000 } else { 60 };
        commands.push(Record { account, amount, ..of(command::DEPOSIT) });
    }
    commands.reverse();
    for _ in 0..LENGTH {
        let record = commands.pop().unwrap_or_else(|| {
            let long = if rng.chance(20) { 22 } else { 2 };
            at += rng.pick(&[0, 0, 1, 1, 1, 2, 3, long]) * MILLISECOND / 2;
            next(&mut rng, &mut mids, &mut resting, rules)
        });
        let record = Record { at, ..record };
        let mut events = Events::new();
        venue.apply_record(&record, &mut events);
        assert!(venue.conservation().ok, "seed {seed}: {record:?}");
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| book.step(&record, events.as_slice())));
        assert!(result.is_ok(), "seed {seed}: rules {}", config["breakers"]);
        for m in 0..2 {
            let phase = venue.phase(MarketId::new(m)).code();
            assert_eq!(phase, book.phase(usize::from(m)), "seed {seed}: the phase of market {m}");
        }
        for e in events.as_slice().iter().filter(|e| e.kind == 200 && e.code == 0) {
            resting.push((e.order, e.market, e.account, e.price));
        }
    }
    for (what, count) in book.seen {
        *seen.entry(what).or_default() += count;
    }
}

#[test]
fn random_rules_act_when_the_log_says_so_and_never_else() {
    let mut seen = BTreeMap::new();
    for seed in 1..=SEEDS {
        play(seed, &mut seen);
    }
    for (what, count) in &seen {
        println!("{what:32} {count}");
    }
    for (least, names) in LEAST {
        for what in *names {
            let count = seen.get(*what).copied().unwrap_or(0);
            assert!(count >= *least, "{what}: {count}, not {least}");
        }
    }
}
