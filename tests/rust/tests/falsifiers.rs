//! What must hold of breakers whatever they are: a mirror, an empty book, two triggers at once. A failure names its
//! seed.

use seawall_core::protocol::{command, event};
use seawall_core::{Config, Events, MarketId, Record, Venue};
use seawall_tests::stream::{Rng, unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MILLISECOND: i64 = 1_000_000;
/// A price and its mirror image come to this: 30,000 is its own.
const MIRROR: i64 = 60_000;
const AUCTION: u16 = 4;

fn venue_of(config: &Value) -> Venue {
    Venue::new(Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}")))
}

fn apply(venue: &mut Venue, record: &Record) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply_record(record, &mut events);
    assert!(venue.conservation().ok, "{record:?}");
    events.into_vec()
}

fn of(kind: u16) -> Record {
    Record { kind, ..Record::default() }
}

// A mirror.

fn ticks(rng: &mut Rng, depth: u32) -> Value {
    match rng.below(if depth < 2 { 6 } else { 3 }) {
        0..=2 => json!({"type": "ticks", "ticks": rng.within(2, 12)}),
        3 => json!({"type": "by_side", "up": ticks(rng, depth + 1),
            "down": if rng.chance(30) { Value::Null } else { ticks(rng, depth + 1) }}),
        4 => json!({"type": "lesser_of", "of": [ticks(rng, depth + 1), ticks(rng, depth + 1)]}),
        _ => json!({"type": "greater_of", "of": [ticks(rng, depth + 1), ticks(rng, depth + 1)]}),
    }
}

fn range(rng: &mut Rng, windows: bool) -> Value {
    let (prices, window) = (rng.pick(&["trade", "mark"]), 10 * MILLISECOND);
    let reference = match rng.below(if windows { 10 } else { 9 }) {
        0 => json!({"type": "set", "price": MIRROR / 2}),
        1 => json!({"type": "last", "prices": prices}),
        2 => json!({"type": "aged", "prices": prices, "age_ns": window, "or_first": rng.chance(50)}),
        3 => json!({"type": "mark"}),
        4 => json!({"type": "mean", "window_ns": window, "hysteresis_ppm": 0, "life_ns": MILLISECOND}),
        5 => json!({"type": "index"}),
        6 => json!({"type": "index_premium", "window_ns": window}),
        7 => json!({"type": rng.pick(&["touch", "mid"])}),
        8 => json!({"type": "auction"}),
        _ => json!({"type": "window", "prices": prices, "window_ns": window}),
    };
    json!({"reference": reference, "width": ticks(rng, 0)})
}

fn rule(rng: &mut Rng, number: usize) -> Value {
    let phase = rng.pick(&["halted", "call_auction", "reduce_only", "guarded", "cooling_off"]);
    let kind = rng.below(7);
    // Where bounds can cross, up and down are not alike: a window interrupts alone, several ranges by all of them.
    let two = rng.chance(30);
    let ranges: Vec<Value> = (0..if two { 2 } else { 1 }).map(|_| range(rng, kind > 2 && !two)).collect();
    let windows = ranges.iter().any(|range| range["reference"]["type"] == "window");
    let anew = ["last", "aged", "mean"];
    let anew =
        ranges.iter().any(|range| anew.contains(&range["reference"]["type"].as_str().expect("a name")));
    let phase = if windows && phase == "cooling_off" { "guarded" } else { phase };
    let mut rule = json!({
        "name": format!("rule{number}"), "markets": [0], "ranges": ranges, "inclusive": rng.chance(50),
        "when": if two { "outside_all" } else { "outside_any" },
    });
    let (test, action) = match kind {
        0 => (
            json!({"type": "entry", "passive": rng.chance(50)}),
            json!({"type": rng.pick(&["cap", "reject"])}),
        ),
        1 => (json!({"type": "trade"}), json!({"type": rng.pick(&["stop", "reject"])})),
        2 => (
            json!({"type": "quote"}),
            json!({"type": "limit_state", "hold_ns": MILLISECOND, "close_ns": null, "close_only_ns": 0}),
        ),
        3 | 4 => (
            json!({"type": "trade", "rest": rng.pick(&["cancelled", "rests"]), "auction": rng.chance(50)}),
            json!({"type": "interrupt", "phase": phase}),
        ),
        _ => (json!({"type": rng.pick(&["mark", "index"])}), json!({"type": "interrupt", "phase": phase})),
    };
    if ["interrupt", "limit_state"].contains(&action["type"].as_str().expect("a name")) {
        rule["exit"] = json!({"after_ns": 2 * MILLISECOND, "random_ns": rng.pick(&[0, MILLISECOND])});
        rule["rearm"] = json!({"restart": anew && !windows && rng.chance(50), "cooldown_ns": rng.pick(&[0, 4 * MILLISECOND])});
    }
    (rule["test"], rule["action"]) = (test, action);
    rule
}

/// One market around 30,000. At 665 and 1,330 ppm a lot needs 20 and 40 of margin and at 33 ppm it pays a fee of 1, at
/// every price that there is and for every position up to 5 lots: shares of a price that are amounts per lot.
fn symmetric(rng: &mut Rng) -> Value {
    let mut config = unit();
    config["limits"]["liquidation_rounds_per_step"] = json!(3);
    config["markets"].as_array_mut().expect("a list").truncate(1);
    config["assets"].as_array_mut().expect("a list").truncate(1);
    let market = &mut config["markets"][0];
    market["price_max"] = json!(MIRROR - 1);
    market["position_max"] = json!(5);
    market["tiers"][0] = json!({"lower": 0, "initial_ppm": 1_330, "maintenance_ppm": 665});
    market["fees"]["taker_ppm"] = json!(33);
    market["mark"]["method"] = json!(rng.pick(&["index", "last"]));
    market["reopen_auction_ns"] = json!(rng.pick(&[0, MILLISECOND]));
    market["liquidation"]["slice_ppm"] = json!(rng.pick(&[400_000, 1_000_000]));
    let count = rng.pick(&[1, 2, 3]);
    config["breakers"] = (0..count).map(|number| rule(rng, number)).collect();
    config
}

/// A configuration seen in the mirror: up is down.
fn mirrored_rules(value: &Value) -> Value {
    match value {
        Value::Object(map) if map.get("type") == Some(&json!("by_side")) => {
            json!({"type": "by_side", "up": mirrored_rules(&map["down"]), "down": mirrored_rules(&map["up"])})
        }
        Value::Object(map) => map.iter().map(|(key, of)| (key.clone(), mirrored_rules(of))).collect(),
        Value::Array(list) => list.iter().map(mirrored_rules).collect(),
        same => same.clone(),
    }
}

/// A price, 0 for none.
fn mirror(price: i64) -> i64 {
    if price == 0 { 0 } else { MIRROR - price }
}

/// An event seen in the mirror, without its number; orders by acceptance.
fn mirrored(e: &Record) -> Record {
    let order = e.order >> 24;
    let plain = Record { seq: 0, order, ..*e };
    let turned = Record { price: mirror(e.price), side: 1 - e.side.min(1), ..plain };
    match e.kind {
        event::REJECTED if e.flags == command::PLACE => turned,
        event::REJECTED if e.flags == command::INDEX => Record { price: mirror(e.price), ..plain },
        event::ACCEPTED | event::CANCELLED | event::FILL | event::ADL_STARTED | event::ADL_FILL => turned,
        event::UNCROSSED => Record { amount: -e.amount, side: e.side, ..turned },
        event::MARKED => Record { amount: mirror(e.amount), side: e.side, ..turned },
        event::LIQUIDATION_ORDER => Record { amount: mirror(e.amount), ..turned },
        event::BREAKER_TRIPPED => {
            let lowest = i64::try_from(e.order).expect("a price");
            let highest = u32::try_from(mirror(lowest)).expect("a price");
            let lowest = u64::try_from(mirror(e.account.into())).expect("a price");
            Record { order: lowest, account: highest, qty: mirror(e.qty), ..turned }
        }
        event::ORDER_BOUNDED => Record { qty: mirror(e.qty), amount: mirror(e.amount), ..turned },
        _ => plain,
    }
}

/// An event of the mirrored run, in the form of [`mirrored`].
fn plain(e: &Record) -> Record {
    let order = if e.kind == event::BREAKER_TRIPPED { e.order } else { e.order >> 24 };
    Record { seq: 0, order, ..*e }
}

/// Events say references down to a tick: an image may be a tick lower. Where nothing is inside, a price is below the
/// lowest and above the highest, and counts as below.
fn agree(wanted: &Record, got: &Record) -> bool {
    let unsided = |e: &Record| match e.kind {
        event::BREAKER_TRIPPED if e.order > u64::from(e.account) => Record { side: 0, qty: 0, ..*e },
        _ => *e,
    };
    let (wanted, got) = (&unsided(wanted), &unsided(got));
    let lower = match wanted.kind {
        event::BREAKER_TRIPPED => Record { qty: wanted.qty - 1, ..*wanted },
        event::ORDER_BOUNDED => Record { amount: wanted.amount - 1, ..*wanted },
        _ => *wanted,
    };
    wanted == got || lower == *got
}

/// In an auction the buy is told before the sell.
fn in_order(mut events: Vec<Record>) -> Vec<Record> {
    let mut i = 0;
    while i + 1 < events.len() {
        let pair = [events[i], events[i + 1]].iter().all(|e| e.kind == event::FILL && e.flags & AUCTION != 0);
        if pair {
            events[i..i + 2].sort_by_key(|e| e.side);
        }
        i += if pair { 2 } else { 1 };
    }
    events
}

/// The next command of a stream near 30,000.
fn next(rng: &mut Rng, mid: &mut i64, ids: &[(u32, u64, u64)]) -> Record {
    let inside = |price: i64| price.clamp(MIRROR / 2 - 60, MIRROR / 2 + 60);
    *mid = inside(*mid + rng.within(-2, 2));
    match rng.below(20) {
        0..=4 => {
            *mid = inside(*mid + if rng.chance(20) { rng.within(-50, 50) } else { 0 });
            Record { price: *mid, ..of(command::INDEX) }
        }
        5 => of(command::PULSE),
        6 if rng.chance(50) => Record { code: rng.pick(&[1, 1, 1, 6, 10]), ..of(command::SET_PHASE) },
        7 if !ids.is_empty() => {
            let (account, order, _) = ids[rng.below(ids.len())];
            Record { account, order, ..of(command::CANCEL) }
        }
        _ => {
            let account = u32::try_from(rng.below(6)).expect("few");
            let code = rng.pick(&[0, 0, 0, 1, 2, 3]);
            let price = if code == 3 { 0 } else { *mid + rng.within(-9, 9) };
            let flags = if code == 0 { rng.pick(&[0, 0, 0, 1]) } else { rng.pick(&[0, 0, 2]) };
            let side = u8::from(rng.chance(50));
            Record { account, side, qty: rng.within(1, 3), price, code, flags, ..of(command::PLACE) }
        }
    }
}

/// True if an auction of both runs took the higher of two prices as good, or went on in one of them.
fn is_tie(events: &[Record], images: &[Record]) -> bool {
    let call = |events: &[Record]| {
        let found = events.iter().find(|e| e.kind == event::UNCROSSED);
        found.map(|e| (e.price, e.qty, e.amount))
    };
    let tie = match (call(events), call(images)) {
        (Some(a), Some(b)) => a.0 != mirror(b.0) && a.1 == b.1 && a.2 == -b.2,
        _ => false,
    };
    tie || events.iter().chain(images).any(|e| e.kind == event::BREAKER_TRIPPED && e.flags == 5)
}

#[test]
fn a_mirrored_market_has_mirrored_breakers() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut ties = 0;
    for seed in 1..=700 {
        let mut rng = Rng::new(seed * 1_000_003);
        let config = symmetric(&mut rng);
        let image = Value::Object(
            config
                .as_object()
                .expect("a table")
                .iter()
                .map(|(k, v)| (k.clone(), if k == "breakers" { mirrored_rules(v) } else { v.clone() }))
                .collect(),
        );
        let (mut left, mut right) = (venue_of(&config), venue_of(&image));
        let (mut at, mut mid) = (MILLISECOND, MIRROR / 2);
        let mut ids: Vec<(u32, u64, u64)> = Vec::new();
        for step in 0..240 {
            let record = match step {
                0..6 => of(command::OPEN_ACCOUNT),
                6..12 => {
                    let account = u32::try_from(step - 6).expect("few");
                    Record { account, amount: rng.pick(&[70, 120, 200, 3_000]), ..of(command::DEPOSIT) }
                }
                _ => {
                    at += rng.pick(&[0, 1, 1, 2, 5]) * MILLISECOND / 2;
                    next(&mut rng, &mut mid, &ids)
                }
            };
            let record = Record { at, ..record };
            let image = match record.kind {
                command::PLACE => Record { price: mirror(record.price), side: 1 - record.side, ..record },
                command::INDEX => Record { price: mirror(record.price), ..record },
                command::CANCEL => {
                    let order = ids.iter().find(|of| of.1 == record.order).expect("it was accepted").2;
                    Record { order, ..record }
                }
                _ => record,
            };
            let (events, images) = (apply(&mut left, &record), apply(&mut right, &image));
            let accepted = |events: &[Record]| events.iter().find(|e| e.kind == event::ACCEPTED).copied();
            if let (Some(a), Some(b)) = (accepted(&events), accepted(&images)) {
                ids.push((a.account, a.order, b.order));
            }
            let wanted = in_order(events.iter().map(mirrored).collect());
            let got = in_order(images.iter().map(plain).collect());
            if wanted.len() != got.len() || wanted.iter().zip(&got).any(|(a, b)| !agree(a, b)) {
                assert!(
                    is_tie(&events, &images),
                    "seed {seed}: {record:?}\nrules {}\nwanted {wanted:#?}\ngot {got:#?}",
                    config["breakers"]
                );
                ties += 1;
                break;
            }
            for e in &events {
                *seen.entry(format!("{}", e.kind)).or_default() += 1;
            }
        }
    }
    println!("{seen:?}, {ties} streams end with a tie");
    let least = [
        ("210", 5_000),
        ("111", 1_000),
        ("112", 500),
        ("300", 100),
        ("510", 100),
        ("531", 20),
        ("110", 1_000),
    ];
    for (kind, least) in least {
        assert!(seen.get(kind).copied().unwrap_or(0) >= least, "{kind}: {seen:?}");
    }
    assert!(ties < 100, "{ties}");
}

// An empty book.

#[test]
fn a_halt_with_nothing_resting_changes_nothing() {
    let (mut halts, mut fills) = (0, 0);
    for seed in 1..=150 {
        let mut rng = Rng::new(seed * 1_000_003);
        let mut config = unit();
        let phase = rng.pick(&["halted", "pause", "call_auction", "reduce_only", "guarded", "cooling_off"]);
        config["markets"][0]["mark"]["method"] = json!(rng.pick(&["index", "last", "median"]));
        config["breakers"] = json!([{"name": "stop", "markets": [0], "interrupts": "venue", "test": {"type": "manual"},
            "action": {"type": "interrupt", "phase": phase},
            "exit": {"after_ns": MILLISECOND, "auction_ns": rng.pick(&[0, MILLISECOND])}}]);
        let (mut plain, mut halted) = (venue_of(&config), venue_of(&config));
        let code =
            seawall_core::Phase::ALL.iter().find(|p| json!(p) == json!(phase)).expect("a phase").code();
        let mut at = MILLISECOND;
        let mut mid = 100;
        let both = |r: Record, plain: &mut Venue, halted: &mut Venue| {
            let (a, b) = (apply(plain, &r), apply(halted, &r));
            let told = |events: &[Record]| -> Vec<Record> {
                let about = |e: &&Record| ![event::PHASE_CHANGED, event::BREAKER_TRIPPED].contains(&e.kind);
                events.iter().filter(about).map(|e| Record { seq: 0, ..*e }).collect()
            };
            assert_eq!(told(&a), told(&b), "seed {seed}: {r:?} after {phase}");
            a
        };
        for account in 0..4 {
            both(Record { at, ..of(command::OPEN_ACCOUNT) }, &mut plain, &mut halted);
            both(Record { at, account, amount: 200_000, ..of(command::DEPOSIT) }, &mut plain, &mut halted);
        }
        both(Record { at, price: mid, ..of(command::INDEX) }, &mut plain, &mut halted);
        for _ in 0..300 {
            at += MILLISECOND;
            mid = (mid + rng.within(-1, 1)).clamp(90, 110);
            if rng.chance(8) {
                let all = Record { at, market: u16::MAX, account: u32::MAX, ..of(command::CANCEL_ALL) };
                both(all, &mut plain, &mut halted);
                let end = at + MILLISECOND;
                let told =
                    apply(&mut halted, &Record { at, flags: code, amount: end, ..of(command::INTERRUPT) });
                assert!(told.iter().any(|e| e.kind == event::PHASE_CHANGED && e.code == code));
                // The world goes on meanwhile.
                both(Record { at: end - 1, price: mid, ..of(command::INDEX) }, &mut plain, &mut halted);
                at = end + MILLISECOND;
                both(Record { at, ..of(command::PULSE) }, &mut plain, &mut halted);
                assert_eq!(halted.phase(MarketId::new(0)), seawall_core::Phase::Continuous);
                halts += 1;
            }
            let account = u32::try_from(rng.below(4)).expect("few");
            let price = mid + rng.within(-3, 3);
            let (side, qty) = (u8::from(rng.chance(50)), rng.within(1, 5));
            let market = rng.pick(&[0, 1]);
            let code = rng.pick(&[0, 0, 1]);
            let r = match rng.below(8) {
                0 => Record { at, market, price: mid, ..of(command::INDEX) },
                _ => Record { at, market, account, side, qty, price, code, ..of(command::PLACE) },
            };
            let events = both(r, &mut plain, &mut halted);
            fills += events.iter().filter(|e| e.kind == event::FILL).count();
        }
    }
    println!("{halts} halts, {fills} fills");
    assert!(halts > 2_000 && fills > 10_000);
}

// Two triggers.

/// Phases of an interruption, least severe first: docs/mechanics.md section 5.
const PHASES: [&str; 7] =
    ["cooling_off", "guarded", "reduce_only", "close_only", "call_auction", "pause", "halted"];

#[test]
fn two_triggers_on_one_event_end_at_the_later_time_and_are_both_named() {
    let mut asked = 0;
    for test in ["mark", "index", "trade"] {
        for (a, first) in PHASES.iter().enumerate() {
            for (b, second) in PHASES.iter().enumerate() {
                for lengths in [[1, 5], [5, 1], [3, 3]] {
                    let mut config = unit();
                    config["breakers"] = [(first, lengths[0]), (second, lengths[1])]
                        .iter()
                        .enumerate()
                        .map(|(i, (phase, length))| {
                            json!({"name": format!("rule{i}"), "markets": [0],
                                "ranges": [{"reference": {"type": "set", "price": 100},
                                    "width": {"type": "ticks", "ticks": 4 + i}}],
                                "test": {"type": test}, "action": {"type": "interrupt", "phase": phase},
                                "exit": {"after_ns": length * MILLISECOND}})
                        })
                        .collect();
                    let mut venue = venue_of(&config);
                    for account in 0..2 {
                        apply(&mut venue, &of(command::OPEN_ACCOUNT));
                        apply(&mut venue, &Record { account, amount: 10_000, ..of(command::DEPOSIT) });
                    }
                    apply(&mut venue, &Record { price: 100, ..of(command::INDEX) });
                    let at = 7 * MILLISECOND;
                    let order = Record { at, qty: 1, price: 106, ..of(command::PLACE) };
                    let events = if test == "trade" {
                        apply(&mut venue, &Record { side: 1, ..order });
                        apply(&mut venue, &Record { account: 1, ..order })
                    } else {
                        apply(&mut venue, &Record { at, price: 106, ..of(command::INDEX) })
                    };
                    let trips: Vec<(u16, i64, i64)> = events
                        .iter()
                        .filter(|e| e.kind == event::BREAKER_TRIPPED)
                        .map(|e| (e.code, e.price, e.amount))
                        .collect();
                    let ends = lengths.map(|length| at + length * MILLISECOND);
                    assert_eq!(
                        trips,
                        [(0, 106, ends[0]), (1, 106, ends[1])],
                        "{first} and {second} by {test}"
                    );
                    let changed: Vec<(u16, i64)> = events
                        .iter()
                        .filter(|e| e.kind == event::PHASE_CHANGED)
                        .map(|e| (e.code, e.amount))
                        .collect();
                    let phase = seawall_core::Phase::ALL.iter().find(|p| json!(p) == json!(PHASES[a.max(b)]));
                    let phase = phase.expect("a phase").code();
                    assert_eq!(changed, [(phase, ends[0].max(ends[1]))], "{first} and {second} by {test}");
                    asked += 1;
                }
            }
        }
    }
    assert_eq!(asked, 3 * 7 * 7 * 3);
}
