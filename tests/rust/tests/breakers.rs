//! Breakers and phases against tables and recomputations in another style. A failure names its seed.

use seawall_core::{Audit, Config, Events, Phase, Record, Reject, Venue, protocol::command, protocol::event};
use seawall_tests::stream::{Rng, refused, unit};
use serde_json::{Value, json};

const MILLION: i128 = 1_000_000;
const MILLISECOND: i64 = 1_000_000;
const BUY: u8 = 0;
const SELL: u8 = 1;

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    venue
}

fn apply(venue: &mut Venue, record: Record) -> Vec<Record> {
    let mut events = Events::new();
    venue.apply_record(&record, &mut events);
    assert!(venue.conservation().ok, "{record:?}");
    events.into_vec()
}

fn of(kind: u16) -> Record {
    Record { kind, ..Record::default() }
}

fn place(account: u32, side: u8, qty: i64, price: i64, code: u16, flags: u16) -> Record {
    Record { account, side, qty, price, code, flags, ..of(command::PLACE) }
}

// The phase table.

/// What each command meets in each phase, in the order of their numbers: y it is admitted, n the phase refuses it, r it
/// would have to reduce.
const PHASES: [(&str, &str); 26] = [
    ("limit", "yyyynyynnnnnn"),
    ("limit post-only", "yyyyyyynnnnnn"),
    ("limit reduce-only", "yyyyyyynynnnn"),
    ("ioc", "nyyyrynnrrnnn"),
    ("ioc reduce-only", "nyyyyynnyynnn"),
    ("fok", "nyyyrynnrrnnn"),
    ("fok reduce-only", "nyyyyynnyynnn"),
    ("market", "nyyyrynnrrnnn"),
    ("market reduce-only", "nyyyyynnyynnn"),
    ("stop", "yyyyyyynyynnn"),
    ("term", "yyyyyyyyyyyyy"),
    ("quote", "yyyynyynnnnnn"),
    ("quote post-only", "yyyyyyynnnnnn"),
    ("cancel", "yyyyyyyyyyyyy"),
    ("cancel all", "yyyyyyyyyyyyy"),
    ("replace smaller", "yyyyyyynyynnn"),
    ("replace moved", "yyyynyynnnnnn"),
    ("block", "yynynnnnnnnnn"),
    ("index", "yyyyyyyyyyynn"),
    ("source", "yyyyyyyyyyynn"),
    ("money", "yyyyyyyyyyyyy"),
    ("fund", "yyyyyyyyyyyyy"),
    ("account", "yyyyyyyyyyyyy"),
    ("phase", "yyyyyyyyyyyyy"),
    ("pulse", "yyyyyyyyyyyyy"),
    ("rule", "yyyyyyyyyyyyy"),
];

/// A market in a phase: account 0 is long, 1 short; both sides of the book stand, and account 0 has the buy.
fn in_phase(code: u16) -> (Venue, u64) {
    let mut config = unit();
    config["markets"][0]["margin"]["account_leverage"] = json!(true);
    config["breakers"] = json!([{"name": "told", "markets": [0], "test": {"type": "manual"},
        "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": null}}]);
    let mut venue = venue_of(&config);
    for account in 0..2 {
        apply(&mut venue, Record { order: 7, ..of(command::OPEN_ACCOUNT) });
        apply(&mut venue, Record { account, amount: 100_000, ..of(command::DEPOSIT) });
    }
    apply(&mut venue, Record { price: 100, ..of(command::INDEX) });
    apply(&mut venue, Record { account: 0, order: 1, price: 100, qty: 50, ..of(command::BLOCK) });
    let bid = apply(&mut venue, place(0, BUY, 5, 98, 0, 0))[0].order;
    apply(&mut venue, place(1, BUY, 5, 97, 0, 0));
    apply(&mut venue, place(1, SELL, 5, 102, 0, 0));
    apply(&mut venue, Record { code, ..of(command::SET_PHASE) });
    (venue, bid)
}

fn commands_of(name: &str, bid: u64) -> Vec<Record> {
    let sell = |code, price| place(0, SELL, 1, price, code, 2);
    let buy = |code, price| place(0, BUY, 1, price, code, 0);
    match name {
        "limit" => vec![buy(0, 95)],
        "limit post-only" => vec![place(0, BUY, 1, 95, 0, 1)],
        "limit reduce-only" => vec![sell(0, 105)],
        "ioc" => vec![buy(1, 103)],
        "ioc reduce-only" => vec![sell(1, 96)],
        "fok" => vec![buy(2, 103)],
        "fok reduce-only" => vec![sell(2, 96)],
        "market" => vec![buy(3, 0)],
        "market reduce-only" => vec![sell(3, 0)],
        "stop" => {
            vec![Record { code: 1, price: 90, flags: 1, ..of(command::TERM) }, place(0, SELL, 1, 0, 3, 2)]
        }
        "term" => vec![Record { code: 4, qty: 1, ..of(command::TERM) }],
        "quote" => vec![Record { price: 90, qty: 1, amount: 110, order: 1, ..of(command::QUOTE) }],
        "quote post-only" => {
            vec![Record { price: 90, qty: 1, amount: 110, order: 1, flags: 1, ..of(command::QUOTE) }]
        }
        "cancel" => vec![Record { order: bid, ..of(command::CANCEL) }],
        "cancel all" => vec![of(command::CANCEL_ALL)],
        "replace smaller" => vec![Record { order: bid, price: 98, qty: 4, ..of(command::REPLACE) }],
        "replace moved" => vec![Record { order: bid, price: 96, qty: 5, ..of(command::REPLACE) }],
        "block" => vec![Record { order: 1, price: 100, qty: 1, ..of(command::BLOCK) }],
        "index" => vec![Record { price: 101, ..of(command::INDEX) }],
        // There is no source: what is not refused for its phase is refused for that.
        "source" => vec![Record { price: 101, ..of(command::SOURCE) }],
        "money" => vec![
            Record { amount: 10, ..of(command::DEPOSIT) },
            Record { amount: 10, ..of(command::WITHDRAW) },
            Record { order: 1, amount: 10, ..of(command::TRANSFER) },
            Record { amount: 5, ..of(command::SET_LEVERAGE) },
        ],
        "fund" => vec![Record { amount: 10, ..of(command::FUND_DEPOSIT) }],
        "account" => vec![of(command::OPEN_ACCOUNT)],
        "phase" => vec![Record { code: 10, ..of(command::SET_PHASE) }],
        "pulse" => vec![of(command::PULSE)],
        "rule" => vec![
            Record { amount: 1, ..of(command::SET_RULE) },
            Record { flags: 10, ..of(command::INTERRUPT) },
        ],
        other => panic!("no command is called {other}"),
    }
}

#[test]
fn every_phase_admits_what_its_row_says_of_every_command() {
    let mut asked = 0;
    for (name, row) in PHASES {
        for (code, expected) in (0..).zip(row.chars()) {
            let (mut venue, bid) = in_phase(code);
            let before = venue.position(seawall_core::AccountId::new(0), seawall_core::MarketId::new(0)).base;
            let mut met = 'y';
            for record in commands_of(name, bid) {
                let events = apply(&mut venue, record);
                let why = events.iter().find(|e| e.kind == event::REJECTED).map(|e| e.code);
                met = match why {
                    None => met,
                    Some(why) if why == Reject::PhaseRefuses.code() => 'n',
                    Some(why) if why == Reject::NotReducing.code() => 'r',
                    Some(why) if why == Reject::BadField.code() && name == "source" => met,
                    Some(why) => panic!("{name} in phase {code}: refused for {why}"),
                };
            }
            assert_eq!(met, expected, "{name} in phase {code}");
            if expected != 'y' {
                let after =
                    venue.position(seawall_core::AccountId::new(0), seawall_core::MarketId::new(0)).base;
                assert_eq!(before, after, "{name} in phase {code}: a refusal moves nothing");
            }
            asked += 1;
        }
    }
    assert_eq!(asked, 26 * 13);
}

#[test]
fn liquidations_and_deleveraging_have_their_columns() {
    let columns = |of: fn(Phase) -> bool| -> String {
        Phase::ALL.iter().map(|phase| if of(*phase) { 'y' } else { 'n' }).collect()
    };
    assert_eq!(columns(|p| p.admits().liquidation), "nyyyyynnyynnn");
    assert_eq!(columns(|p| p.admits().adl), "nynyyynnyynnn");
    assert_eq!(columns(|p| p.admits().matches), "nyyyyynnyynnn");
}

// A rule never acts early or late.

/// A price as a fraction: a numerator and a positive denominator.
type Fraction = (i128, i128);

/// What a rule is measured from, recomputed from all prices of all steps each time.
struct Recomputed {
    rule: Value,
    /// Time and prices of every step that counts, oldest first.
    steps: Vec<(i64, Vec<i64>)>,
    /// The price that began it anew.
    begun: Option<i64>,
    mean: Option<(Fraction, i64)>,
    auction: Option<i64>,
}

impl Recomputed {
    fn reference(&self) -> &Value {
        &self.rule["ranges"][0]["reference"]
    }

    fn length(&self, name: &str) -> i64 {
        self.reference()[name].as_i64().expect("a time")
    }

    /// References of the upper and of the lower bound at a time.
    fn spots(&self, now: i64) -> Option<(Fraction, Fraction)> {
        let same = |price: Option<i64>| price.map(|p| ((i128::from(p), 1), (i128::from(p), 1)));
        let mut lasts =
            self.steps.iter().map(|(at, prices)| (*at, *prices.last().expect("a step with prices")));
        match self.reference()["type"].as_str().expect("a name") {
            "set" => same(self.reference()["price"].as_i64()),
            "auction" => same(self.auction),
            "last" => same(lasts.next_back().map(|l| l.1).or(self.begun)),
            "aged" => {
                let old = lasts.clone().rfind(|(at, _)| *at <= now - self.length("age_ns"));
                let first = self.begun.or(lasts.clone().next().map(|l| l.1));
                let first = first.filter(|_| self.reference()["or_first"] == true);
                same(old.map(|l| l.1).or(self.begun).or(first))
            }
            "window" => {
                let edge = now - self.length("window_ns");
                let standing = lasts.clone().rfind(|(at, _)| *at <= edge).map(|l| l.1).or(self.begun);
                let inside =
                    self.steps.iter().filter(|(at, _)| *at > edge).flat_map(|(_, prices)| prices.clone());
                let all: Vec<i64> = standing.into_iter().chain(inside).collect();
                let (low, high) = (*all.iter().min()?, *all.iter().max()?);
                Some(((i128::from(low), 1), (i128::from(high), 1)))
            }
            "mean" => self.mean.map(|(mean, _)| (mean, mean)),
            other => panic!("no reference {other}"),
        }
    }

    /// -1 below, 1 above, 0 inside.
    fn outside(&self, now: i64, price: i64) -> i32 {
        let Some((up, down)) = self.spots(now) else { return 0 };
        let inclusive = self.rule["inclusive"] != false;
        let width = &self.rule["ranges"][0]["width"];
        let edge = |spot: Fraction, sign: i128| -> Fraction {
            match width["type"].as_str().expect("a name") {
                "ppm" => {
                    let ppm = i128::from(width["ppm"].as_i64().expect("a number"));
                    (spot.0 * (MILLION + sign * ppm), spot.1 * MILLION)
                }
                _ => {
                    (spot.0 + sign * spot.1 * i128::from(width["ticks"].as_i64().expect("a number")), spot.1)
                }
            }
        };
        let (upper, lower) = (edge(up, 1), edge(down, -1));
        let price = i128::from(price);
        let below = if inclusive { price * lower.1 < lower.0 } else { price * lower.1 <= lower.0 };
        let above = if inclusive { price * upper.1 > upper.0 } else { price * upper.1 >= upper.0 };
        if below { -1 } else { i32::from(above) }
    }

    /// Takes the prices of a step; nothing of one in which the rule tripped at a price.
    fn take(&mut self, now: i64, prices: Vec<i64>, tripped: Option<i64>) {
        if let Some(price) = tripped {
            if self.rule["rearm"]["restart"] == true {
                self.steps.clear();
                self.begun = Some(price);
                self.mean = Some(((i128::from(price), 1), now));
            }
            return;
        }
        if prices.is_empty() {
            return;
        }
        self.steps.push((now, prices));
        if self.reference()["type"] != "mean" {
            return;
        }
        let edge = now - self.length("window_ns");
        let all: Vec<i64> =
            self.steps.iter().filter(|(at, _)| *at > edge).flat_map(|(_, prices)| prices.clone()).collect();
        let mean = (all.iter().map(|p| i128::from(*p)).sum(), i128::try_from(all.len()).expect("few"));
        let replaces = self.mean.is_none_or(|((n, d), since)| {
            let hysteresis = i128::from(self.length("hysteresis_ppm"));
            let gap: i128 = mean.0 * d - n * mean.1;
            now - since >= self.length("life_ns") && gap.abs() * MILLION >= n * mean.1 * hysteresis
        });
        if replaces {
            self.mean = Some((mean, now));
        }
    }
}

fn random_rule(rng: &mut Rng) -> Value {
    let window = rng.pick(&[3, 10, 40]) * MILLISECOND;
    let prices = rng.pick(&["trade", "trade", "mark"]);
    let reference = match rng.below(6) {
        0 => json!({"type": "set", "price": 100}),
        1 => json!({"type": "auction"}),
        2 => json!({"type": "last", "prices": prices}),
        3 => json!({"type": "aged", "prices": prices, "age_ns": window, "or_first": rng.chance(50)}),
        4 => json!({"type": "window", "prices": prices, "window_ns": window}),
        _ => json!({"type": "mean", "window_ns": window, "hysteresis_ppm": rng.pick(&[0, 10_000]),
            "life_ns": rng.pick(&[0, 2]) * MILLISECOND}),
    };
    let width = if rng.chance(60) {
        json!({"type": "ppm", "ppm": rng.pick(&[20_000, 30_000, 50_000])})
    } else {
        json!({"type": "ticks", "ticks": rng.within(2, 5)})
    };
    let test = match reference["prices"].as_str() {
        Some("mark") => "mark",
        _ if rng.chance(25) => "mark",
        _ => "trade",
    };
    json!({
        "name": "rule", "markets": [0], "ranges": [{"reference": reference, "width": width}],
        "inclusive": rng.chance(50), "test": {"type": test},
        "action": {"type": "interrupt", "phase": rng.pick(&["halted", "call_auction", "reduce_only"])},
        "exit": {"after_ns": 2 * MILLISECOND}, "rearm": {"restart": rng.chance(50)},
    })
}

#[test]
fn a_rule_acts_neither_early_nor_late() {
    let mut trips = std::collections::BTreeMap::new();
    let (mut asked, mut near) = (0, 0);
    for seed in 1..=240 {
        let mut rng = Rng::new(seed);
        let rule = random_rule(&mut rng);
        let mut config = unit();
        config["markets"][0]["reopen_auction_ns"] = json!(rng.pick(&[0, MILLISECOND]));
        config["markets"][0]["tiers"][0] = json!({"lower": 0, "initial_ppm": 2, "maintenance_ppm": 1});
        config["breakers"] = json!([rule]);
        let mut venue = venue_of(&config);
        let mut naive =
            Recomputed { rule: rule.clone(), steps: vec![], begun: None, mean: None, auction: None };
        let (by_mark, takes_marks) = (rule["test"]["type"] == "mark", naive.reference()["prices"] == "mark");
        for account in 0..4 {
            apply(&mut venue, of(command::OPEN_ACCOUNT));
            apply(&mut venue, Record { account, amount: 200_000, ..of(command::DEPOSIT) });
        }
        let (mut at, mut mid) = (0, 100);
        for _ in 0..400 {
            at += rng.pick(&[0, 0, 1, 1, 2, 5]) * MILLISECOND / 2;
            mid = (mid + rng.within(-2, 2)).clamp(60, 140);
            let record = match rng.below(10) {
                0 | 1 => Record { price: mid, ..of(command::INDEX) },
                2 => of(command::PULSE),
                _ => {
                    let account = u32::try_from(rng.below(4)).expect("small");
                    let side = u8::from(rng.chance(50));
                    let code = rng.pick(&[0, 0, 0, 1, 3]);
                    let price = if code == 3 { 0 } else { mid + rng.within(-4, 4) };
                    place(account, side, rng.within(1, 4), price, code, 0)
                }
            };
            let phase = venue.phase(seawall_core::MarketId::new(0));
            let events = apply(&mut venue, Record { at, ..record });
            // The phase at the command: timers come first.
            let begins = events
                .iter()
                .take_while(|e| e.kind == event::PHASE_CHANGED || e.flags & 4 != 0 || e.kind == 300);
            let phase =
                begins.filter(|e| e.kind == event::PHASE_CHANGED).last().map_or(phase.code(), |e| e.code);
            let (mut prices, mut marks, mut tripped) = (vec![], vec![], None);
            for e in &events {
                match e.kind {
                    event::FILL if e.flags & 4 == 0 && e.flags & 1 == 1 => {
                        prices.push(e.price);
                        asked += 1;
                        // Not late: what trades is inside, where the rule is asked.
                        let binds = !by_mark && phase == 1;
                        assert!(
                            !binds || naive.outside(at, e.price) == 0,
                            "seed {seed}: {e:?} trades outside {:?} of {rule}; {events:?}",
                            naive.spots(at)
                        );
                        near += u32::from(
                            binds && naive.outside(at, e.price + 1) + naive.outside(at, e.price - 1) != 0,
                        );
                    }
                    event::UNCROSSED => {
                        prices.push(e.price);
                        naive.auction = Some(e.price);
                    }
                    event::MARKED => {
                        marks.push(e.price);
                        let late =
                            by_mark && tripped.is_none() && phase == 1 && naive.outside(at, e.price) != 0;
                        assert!(!late, "seed {seed}: {e:?} is outside");
                    }
                    event::BREAKER_TRIPPED => {
                        // Not early.
                        let side = if e.side == BUY { 1 } else { -1 };
                        assert_eq!(naive.outside(at, e.price), side, "seed {seed}: {e:?} of {rule}");
                        // A range that is narrower than its extremes lie apart holds nothing.
                        let (low, high) = (i64::try_from(e.order).expect("a price"), i64::from(e.account));
                        assert!(low > high || naive.outside(at, low) == 0, "seed {seed}: the lowest inside");
                        assert!(
                            low > high || naive.outside(at, high) == 0,
                            "seed {seed}: the highest inside"
                        );
                        assert_ne!(naive.outside(at, i64::from(e.account) + 1), 0, "first outside");
                        tripped = Some(e.price);
                        let name = format!("{} by {}", naive.reference()["type"], rule["test"]["type"]);
                        *trips.entry(name).or_insert(0) += 1;
                    }
                    _ => {}
                }
            }
            let taken = if takes_marks { marks } else { prices };
            naive.take(at, taken, tripped);
        }
    }
    println!("{asked} trades, {near} at a bound, trips: {trips:?}");
    assert!(asked > 5_000 && near > 500);
    assert!(trips.len() >= 10, "references and tests: {trips:?}");
    assert!(trips.values().all(|n| *n >= 20), "{trips:?}");
}

// Bad input.

/// A rule that works, with one part replaced.
fn rule_with(part: &str, value: Value) -> Value {
    let mut rule = json!({
        "name": "rule", "markets": [0],
        "ranges": [{"reference": {"type": "mark"}, "width": {"type": "ppm", "ppm": 50_000}}],
        "test": {"type": "trade"}, "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": 1},
    });
    rule[part] = value;
    rule
}

#[test]
fn a_rule_that_cannot_work_is_refused_by_name_and_field() {
    let range = |reference: Value, width: Value| json!([{"reference": reference, "width": width}]);
    let mark = || json!({"type": "mark"});
    let share = |ppm: i64| json!({"type": "ppm", "ppm": ppm});
    let cases = [
        // A width that admits nothing.
        ("ranges", range(mark(), share(0)), "breakers[0] (rule).ranges[0].width.ppm: 0: must be 1"),
        (
            "ranges",
            range(mark(), json!({"type": "ticks", "ticks": 0})),
            "ranges[0].width.ticks: 0: must be 1",
        ),
        ("ranges", json!([]), "ranges: is empty"),
        ("ranges", range(mark(), json!({"type": "lesser_of", "of": []})), "ranges[0].width.of: is empty"),
        ("ranges", range(json!({"type": "deviation", "window_ns": 1}), share(1)), "a deviation is no price"),
        (
            "ranges",
            range(json!({"type": "window", "prices": "mark", "window_ns": 0}), share(1)),
            "window_ns: 0",
        ),
        ("ranges", range(json!({"type": "set", "price": -1}), share(1)), "reference.price: -1"),
        ("ranges", range(json!({"type": "slewed", "most_ppm": 0}), share(1)), "reference.most_ppm: 0"),
        ("ranges", range(mark(), json!({"type": "levels", "ppm": [1]})), "levels and a schedule go together"),
        (
            "ranges",
            range(mark(), json!({"type": "tiers", "rows": [{"from": 1, "width": share(1)}]})),
            "from 0",
        ),
        (
            "ranges",
            range(
                mark(),
                json!({"type": "quantile", "drift_ppm": 0, "volatility_ppm": 0, "horizon_ns": 1,
            "probability_ppb": 1}),
            ),
            "volatility_ppm: 0",
        ),
        // An exit that can never come, or that has nothing to end.
        ("exit", Value::Null, "exit: is missing"),
        ("exit", json!({"after_ns": 0}), "exit.after_ns: 0: must be positive"),
        ("exit", json!({"after_ns": null, "random_ns": 1}), "exit.random_ns: an interruption without end"),
        ("exit", json!({"after_ns": 1, "extension": {"after_ns": 0}}), "exit.extension.after_ns: 0"),
        ("exit", json!({"after_ns": 1, "extension": {"after_ns": 1, "most": 0}}), "exit.extension.most: 0"),
        // Contradictory parts.
        ("action", json!({"type": "cap"}), "action: does not go with the test"),
        ("action", json!({"type": "stop"}), "exit: a constraint has no end"),
        ("action", json!({"type": "interrupt", "phase": "continuous"}), "action.phase: Continuous"),
        ("test", json!({"type": "entry"}), "action: does not go with the test"),
        ("test", json!({"type": "manual"}), "ranges: a rule without a price has none"),
        // A re-arm that goes in a circle, or never.
        ("rearm", json!({"per_day": 0}), "rearm.per_day: 0: it never acts"),
        ("rearm", json!({"cooldown_ns": -1}), "rearm.cooldown_ns: -1"),
        // Unknown scope.
        ("markets", json!([7]), "breakers[0] (rule).markets: 7: no such market"),
        ("markets", json!([]), "markets: is empty"),
        ("interrupts", json!({"group": [9]}), "interrupts.group: 9: no such market"),
        ("exempt", json!(["robots"]), "unknown variant `robots`"),
        ("rounding", json!({"type": "half_up", "step": 0}), "rounding.step: 0"),
    ];
    for (part, value, told) in cases {
        refused(&["breakers"], json!([rule_with(part, value)]), told);
    }
    let manual = json!({"name": "m", "markets": [0], "test": {"type": "manual"},
        "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": 1}, "rearm": {"restart": true}});
    refused(&["breakers"], json!([manual]), "rearm: a rule without references has none to start anew");
}
