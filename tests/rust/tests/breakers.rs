//! Breakers and phases against tables, and rules that cannot work. What rules do is recomputed in `rulebook.rs`.

use seawall_core::{Audit, Config, Events, Phase, Record, Reject, Venue, protocol::command, protocol::event};
use seawall_tests::stream::{refused, unit};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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
const PHASES: [(&str, &str); 31] = [
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
    ("multiplier", "yyyyyyyyyyyyy"),
    ("margin mode", "yyyyyyyyyyyyy"),
    ("volunteer", "yyyyyyyyyyyyy"),
    ("settle", "yyyyyyyyyyyyy"),
    ("plan", "yyyyyyyyyyyyy"),
];

/// A market in a phase: account 0 is long, 1 short; both sides of the book stand, and account 0 has the buy.
fn in_phase(code: u16) -> (Venue, u64) {
    let mut config = unit();
    config["markets"][0]["margin"]["account_leverage"] = json!(true);
    config["markets"][0]["margin"]["multipliers"] = json!(true);
    config["markets"][0]["settlement"] = json!({"price": "index", "reduce_only_ns": 0, "notice_ns": null});
    config["markets"][0]["liquidation"]["assignment"] =
        json!({"price": "bankruptcy", "order": "pro_rata", "stage": "before_fund"});
    config["breakers"] = json!([{"name": "told", "markets": [0], "test": {"type": "manual"},
        "action": {"type": "interrupt", "phase": "halted"}, "exit": {"after_ns": null}}]);
    config["portfolios"] = json!([{"name": "alone", "markets": [0],
        "scenarios": [{"moves_ppm": [-200_000], "weight_ppm": 1_000_000}, {"moves_ppm": [200_000], "weight_ppm": 1_000_000}],
        "net_ppm": 100_000, "hedged_ppm": 40_000, "contract_ppm": 0, "maintenance_ppm": 500_000}]);
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
        "multiplier" => vec![Record { qty: 1_000_000, amount: 1_000_000, ..of(command::SET_MULTIPLIER) }],
        "margin mode" => vec![Record { code: 1, ..of(command::SET_MARGIN_MODE) }],
        "volunteer" => vec![Record { qty: 1, ..of(command::VOLUNTEER) }],
        "settle" => vec![Record { amount: 9, ..of(command::SETTLE) }],
        // No plan is awaited: what is not refused for its phase is refused for that.
        "plan" => [command::PLAN_BEGIN, command::PLAN_ROW, command::PLAN_COMMIT].map(of).to_vec(),
        other => panic!("no command is called {other}"),
    }
}

#[test]
fn every_phase_admits_what_its_row_says_of_every_command() {
    let mut asked = 0;
    let mut sent = BTreeSet::new();
    for (name, row) in PHASES {
        for (code, expected) in (0..).zip(row.chars()) {
            let (mut venue, bid) = in_phase(code);
            let before = venue.position(seawall_core::AccountId::new(0), seawall_core::MarketId::new(0)).base;
            let mut met = 'y';
            for record in commands_of(name, bid) {
                sent.insert(record.kind);
                let events = apply(&mut venue, record);
                let why = events.iter().find(|e| e.kind == event::REJECTED).map(|e| e.code);
                met = match why {
                    None => met,
                    Some(why) if why == Reject::PhaseRefuses.code() => 'n',
                    Some(why) if why == Reject::NotReducing.code() => 'r',
                    Some(why) if why == Reject::BadField.code() && name == "source" => met,
                    Some(why) if why == Reject::NoPlanAwaited.code() && name == "plan" => met,
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
    assert_eq!(asked, 31 * 13);
    let kinds: Vec<u16> = (0..64).filter(|kind| command::is_known(*kind)).collect();
    assert_eq!(sent.into_iter().collect::<Vec<_>>(), kinds, "every kind of command is asked");
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
    let multiplied = |margin: Value| json!({"after_ns": 1, "meanwhile": {"margin": margin}});
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
        // Margin rates that are none: maintenance above initial, no whole ppm, no leverage.
        (
            "exit",
            multiplied(json!({"maintenance_ppm": 2_000_020})),
            "exit.meanwhile.margin: market 0 (BTC): its",
        ),
        ("exit", multiplied(json!({"initial_ppm": 1_000_001})), "exit.meanwhile.margin: market 0 (BTC): its"),
        ("exit", multiplied(json!({"leverage_max": 0})), "exit.meanwhile.margin: market 0 (BTC): its"),
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
    let value = |least: i64| json!({"type": "value", "least": least});
    let depth = |width: i64, below: Value| json!({"type": "depth", "width_ppm": width, "below": below});
    let mean = |share: i64, window: i64| json!({"type": "mean", "share_ppm": share, "window_ns": window});
    let pending = |width: i64, share: i64| json!({"type": "pending", "width_ppm": width, "share_ppm": share});
    let cases = [
        (depth(0, value(1)), "breakers[0] (rule).test.width_ppm: 0: must be 1 to 1000000"),
        (depth(1_000_001, value(1)), "test.width_ppm: 1000001: must be 1 to 1000000"),
        (depth(1, value(0)), "test.below.least: 0: must be positive"),
        (depth(1, mean(0, 1)), "test.below.share_ppm: 0: must be 1 to 1000000"),
        (depth(1, mean(1_000_001, 1)), "test.below.share_ppm: 1000001: must be 1 to 1000000"),
        (depth(1, mean(1, 0)), "test.below.window_ns: 0: must be positive"),
        (pending(0, 1), "test.width_ppm: 0: must be 1 to 1000000"),
        (pending(1, 0), "test.share_ppm: 0: must be 1 to 1000000000"),
        (pending(1, 1_000_000_001), "test.share_ppm: 1000000001: must be 1 to 1000000000"),
    ];
    for (test, told) in cases {
        let mut rule = rule_with("test", test);
        rule["ranges"] = json!([]);
        refused(&["breakers"], json!([rule]), told);
        refused(
            &["breakers"],
            json!([rule_with("test", depth(1, value(1)))]),
            "ranges: a rule without a price has none",
        );
        rule["action"] = json!({"type": "cap"});
        refused(&["breakers"], json!([rule]), "action: does not go with the test");
    }
    let manual = json!({"name": "m", "markets": [0], "test": {"type": "manual"},
        "action": {"type": "interrupt", "phase": "pause"}, "exit": {"after_ns": 1}, "rearm": {"restart": true}});
    refused(&["breakers"], json!([manual]), "rearm: a rule without references has none to start anew");
}

#[test]
fn parts_and_rules_that_cannot_be_meant_together_are_refused() {
    let range = |reference: Value, width: Value| json!([{"reference": reference, "width": width}]);
    let mark = || json!({"type": "mark"});
    let share = |ppm: i64| json!({"type": "ppm", "ppm": ppm});
    let never = "breakers[0] (rule).";
    let two = |first: (&str, Value), second: (&str, Value)| {
        let mut rule = rule_with(first.0, first.1);
        rule[second.0] = second.1;
        json!([rule])
    };
    let phase = |phase: &str| ("action", json!({"type": "interrupt", "phase": phase}));
    let index = ("test", json!({"type": "index"}));
    let levels = |row: Value| {
        let mut rule = rule_with("test", index.1.clone());
        rule["ranges"] = range(json!({"type": "set", "price": 100}), json!({"type": "levels", "ppm": [1]}));
        rule["action"] = json!({"type": "schedule", "rows": [row]});
        rule["exit"] = Value::Null;
        json!([rule])
    };
    let day = 86_400_000_000_000_i64;
    let around = |name: &str, price: i64, ticks: i64| {
        let mut rule = rule_with("name", json!(name));
        rule["ranges"] =
            range(json!({"type": "set", "price": price}), json!({"type": "ticks", "ticks": ticks}));
        rule
    };
    let strict = {
        let mut rule = around("rule", 100, 1);
        rule["inclusive"] = json!(false);
        // 100 alone is inside the first, 101 alone inside the second.
        let second = around("rule", 101, 1)["ranges"][0].clone();
        rule["ranges"].as_array_mut().expect("a list").push(second);
        json!([rule])
    };
    let extended = json!({"after_ns": 1, "auction_ns": 0, "extension": {"after_ns": 1}});
    let hours = json!({"type": "hours", "of": share(1),
        "rows": [{"from_ns": day, "until_ns": day + 1, "multiple_ppm": 1}]});
    let cases = [
        // An exit that never comes.
        (
            two(phase("closed"), ("exit", json!({"after_ns": 5}))),
            "exit.after_ns: a closed market does not open",
        ),
        (
            levels(json!({"level": 1, "from_ns": 0, "phase": "closed", "after_ns": 5, "auction_ns": 0})),
            "action.rows[0].after_ns: a closed market does not open",
        ),
        (
            two(phase("reduce_only"), ("exit", json!({"after_ns": 1, "extension": {"after_ns": 1}}))),
            "exit.extension: no auction ends",
        ),
        (two(phase("halted"), ("exit", extended)), "exit.extension: no auction ends"),
        (
            levels(json!({"level": 1, "from_ns": day, "phase": "halted", "after_ns": 5, "auction_ns": 0})),
            "action.rows[0].from_ns: 86400000000000: never comes",
        ),
        (json!([rule_with("ranges", range(mark(), hours))]), "ranges[0].width: 86400000000000: never comes"),
        (
            json!([{"name": "rule", "markets": [0], "ranges": range(mark(), share(1)), "test": {"type": "quote"},
                "action": {"type": "limit_state", "hold_ns": 1, "close_ns": day + 1, "close_only_ns": 0},
                "exit": {"after_ns": 1}}]),
            "action.close_ns: 86400000000001: never comes",
        ),
        // A re-arm that re-arms nothing.
        (two(phase("halted"), ("rearm", json!({"restart": true}))), "rearm.restart: none of its references"),
        (two(phase("guarded"), ("rearm", json!({"auction": true}))), "rearm.auction: no auction ends"),
        (
            two(phase("call_auction"), ("rearm", json!({"auction": true}))),
            "rearm.auction: none of its references",
        ),
        // Rules that contradict each other.
        (strict, "ranges: leave no price inside; widen them"),
        (json!([around("rule", 20_000, 5)]), "ranges: no price of market BTC is inside 19995 to 20005"),
        (
            json!([around("first", 100, 5), around("rule", 200, 5)]),
            "breakers[1] (rule).ranges: leave no price inside with those of breakers[0] (first)",
        ),
    ];
    for (rules, told) in cases {
        let told = if told.starts_with("breakers") { told.to_owned() } else { format!("{never}{told}") };
        refused(&["breakers"], rules, &told);
    }
}

// Depth.

#[test]
fn nobody_waits_for_liquidation_in_a_market_without_accounts() {
    let mut config = unit();
    config["markets"][0]["cleared"] = json!(false);
    config["breakers"] = json!([{"name": "load", "markets": [0, 1],
        "test": {"type": "pending", "width_ppm": 100_000, "share_ppm": 1},
        "action": {"type": "interrupt", "phase": "call_auction"}, "exit": {"after_ns": 1}}]);
    let mut venue = venue_of(&config);
    apply(&mut venue, of(command::OPEN_ACCOUNT));
    for side in [BUY, SELL] {
        apply(&mut venue, place(0, side, 5, 100, 0, 0));
    }
    let events = apply(&mut venue, Record { price: 50, ..of(command::INDEX) });
    assert_eq!(events.iter().map(|e| e.kind).collect::<Vec<_>>(), [event::MARKED]);
}

/// Asserts that a venue that is restored before any of the commands goes on as one that did them straight: the events of
/// each command, and the digest at the end.
fn assert_restores_alike(config: &Value, commands: &[Record], told: &[Vec<Record>], straight: &Venue) {
    for cut in 0..commands.len() {
        let mut venue = venue_of(config);
        for record in &commands[..cut] {
            apply(&mut venue, *record);
        }
        let mut venue = Venue::restore(&venue.snapshot()).expect("its own snapshot");
        venue.set_audit(Audit::Full);
        for (record, told) in commands[cut..].iter().zip(&told[cut..]) {
            assert_eq!(&apply(&mut venue, *record), told, "restored before command {cut}");
        }
        assert_eq!(venue.digest(), straight.digest());
    }
}

#[test]
fn looks_at_depth_go_on_alike_after_a_restore_at_every_command() {
    let mut config = unit();
    config["breakers"] = json!([{"name": "thin", "markets": [0],
        "test": {"type": "depth", "width_ppm": 50_000, "below": {"type": "mean", "share_ppm": 500_000, "window_ns": 10}},
        "action": {"type": "interrupt", "phase": "guarded"}, "exit": {"after_ns": 3}, "rearm": {"cooldown_ns": 2}}]);
    let mut commands = vec![of(command::OPEN_ACCOUNT)];
    commands.push(Record { amount: 100_000, ..of(command::DEPOSIT) });
    commands.push(Record { price: 100, ..of(command::INDEX) });
    for at in 1..30_i64 {
        // The book grows for a while; the mark then goes up and down past most of it.
        commands.push(Record { at, ..place(0, SELL, 1 + at % 3, 104, 0, 0) });
        commands.push(Record { at, ..place(0, BUY, 1, 96, 0, 0) });
        commands.push(Record { at, price: if at > 20 { 101 + at % 2 } else { 100 }, ..of(command::INDEX) });
    }
    let mut straight = venue_of(&config);
    let told: Vec<Vec<Record>> = commands.iter().map(|record| apply(&mut straight, *record)).collect();
    let trips = told.iter().flatten().filter(|e| e.kind == event::BREAKER_TRIPPED);
    let trips: Vec<(i64, u16, i64, i64)> = trips.map(|e| (e.at, e.flags, e.price, e.qty)).collect();
    // 102 less 5 % is 96.9: no bid is near. From 12 to 20 they were 12 to 20 lots, whose mean is 16.
    assert_eq!(trips, [(21, 9, 0, 8), (23, 9, 0, 8), (25, 9, 0, 8), (27, 9, 0, 7), (29, 9, 0, 6)]);
    assert_restores_alike(&config, &commands, &told, &straight);
}

// Margin while a rule acts.

#[test]
fn margin_that_follows_a_rule_goes_on_alike_after_a_restore_at_every_command() {
    let mut config = unit();
    config["breakers"] = json!([{"name": "hold", "markets": [0], "interrupts": {"group": [1]}, "test": {"type": "manual"},
        "action": {"type": "interrupt", "phase": "cooling_off"}, "exit": {"after_ns": null, "meanwhile": {
        "margin": {"initial_ppm": 2_000_000, "maintenance_ppm": 4_000_000, "leverage_max": 3}}}}]);
    let mut commands = vec![];
    for (account, amount) in [(0, 150), (1, 1_000)] {
        commands.push(of(command::OPEN_ACCOUNT));
        commands.push(Record { account, amount, ..of(command::DEPOSIT) });
    }
    commands.push(Record { price: 100, ..of(command::INDEX) });
    commands.push(Record { account: 0, order: 1, price: 100, qty: 10, ..of(command::BLOCK) });
    let hold = Record { flags: Phase::CoolingOff.code(), amount: 9, ..of(command::INTERRUPT) };
    commands.extend([hold, Record { at: 3, ..of(command::PULSE) }, Record { at: 9, ..of(command::PULSE) }]);
    commands.push(Record { at: 10, ..of(command::PULSE) });

    let mut straight = venue_of(&config);
    let told: Vec<Vec<Record>> = commands.iter().map(|record| apply(&mut straight, *record)).collect();
    let multiplied = |events: &[Record]| events.iter().filter(|e| e.kind == event::MULTIPLIER_SET).count();
    let times: Vec<usize> = told.iter().map(|events| multiplied(events)).collect();
    assert_eq!(
        times,
        [0, 0, 0, 0, 0, 0, 2, 0, 2, 0],
        "both markets of the group, when it begins and when it ends"
    );
    let liquidated = told[6].iter().position(|e| e.kind == event::LIQUIDATION_STARTED).expect("150 of 200");
    let last = told[6].iter().rposition(|e| e.kind == event::MULTIPLIER_SET).expect("it was told");
    assert!(last < liquidated, "rates first, then the accounts");
    assert_restores_alike(&config, &commands, &told, &straight);
}

/// Found by reading: a market without margin, whose rule looks at trades alone until it acts, let bare orders through
/// that its cooling-off confines.
#[test]
fn a_cooling_off_confines_orders_of_a_market_without_margin() {
    for cleared in [false, true] {
        let mut config = unit();
        config["markets"][0]["cleared"] = json!(cleared);
        config["breakers"] = json!([{"name": "cooling", "markets": [0], "test": {"type": "trade"},
            "ranges": [{"reference": {"type": "set", "price": 100}, "width": {"type": "ticks", "ticks": 5}}],
            "action": {"type": "interrupt", "phase": "cooling_off"}, "exit": {"after_ns": 1000}}]);
        let mut venue = venue_of(&config);
        for account in 0..2 {
            apply(&mut venue, of(command::OPEN_ACCOUNT));
            apply(&mut venue, Record { account, amount: 100_000, ..of(command::DEPOSIT) });
        }
        apply(&mut venue, Record { price: 100, ..of(command::INDEX) });
        apply(&mut venue, place(0, SELL, 1, 106, 0, 0));
        let tripped = apply(&mut venue, place(1, BUY, 1, 106, 0, 0));
        assert!(tripped.iter().any(|e| e.kind == event::BREAKER_TRIPPED), "{tripped:?}");
        for (side, limit, bound) in [(BUY, 107, 105), (SELL, 94, 95)] {
            let events = apply(&mut venue, place(1, side, 1, limit, 0, 0));
            let capped: Vec<i64> =
                events.iter().filter(|e| e.kind == event::ORDER_BOUNDED).map(|e| e.price).collect();
            assert_eq!(capped, [bound], "cleared: {cleared}, {events:?}");
        }
    }
}
