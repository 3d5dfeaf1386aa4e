//! Properties of the waterfall with every policy, on random streams of commands. A failure names its seed.

use seawall_core::{Audit, Config, FundId, MarketId, Phase, Record, Reject, Venue, protocol::event};
use seawall_tests::stream::{Counts, World, daring, lively, unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SEEDS: u64 = 400;
const LENGTH: usize = 400;
/// How often each state has to be reached at least.
const LEAST: usize = 5;

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).unwrap_or_else(|e| panic!("{e}: {config}")));
    venue.set_audit(Audit::Full);
    venue
}

/// The place of an event among the stages of a round; none for events that belong to several.
fn stage(e: &Record, config: &Value) -> Option<u8> {
    let market = &config["markets"][usize::from(e.market)];
    let late = market["liquidation"]["assignment"]["stage"] == "after_fund";
    match e.kind {
        event::LIQUIDATION_ORDER => Some(if e.flags == 0 { 0 } else { 5 }),
        event::LIQUIDATOR_PAID => Some(1),
        event::TAKEN_OVER => Some(2),
        event::ASSIGNED => Some(if late { 6 } else { 3 }),
        event::ASSIGNMENT_REMAINDER => Some(if late { 7 } else { 4 }),
        event::ADL_STARTED => Some(8),
        event::ADL_FILL => Some(9),
        event::ADL_REMAINDER => Some(10),
        _ => None,
    }
}

/// Asserts that the stages of each slice of a step stand in their order.
fn check_order(events: &[Record], config: &Value, seed: u64) {
    // Of the accounts and markets whose slice is under way: the stage that it has come to. A winner's event names
    // the winner, and belongs to the slice of its market that came last.
    let mut reached: BTreeMap<u16, u8> = BTreeMap::new();
    for e in events {
        let Some(stage) = stage(e, config) else { continue };
        let before = reached.insert(e.market, stage).unwrap_or(0);
        assert!(stage == 0 || before <= stage, "seed {seed}: {e:?} comes after stage {before}");
    }
}

/// Asserts that no volunteer takes more than it said: the lists are kept from the events alone.
fn check_volunteers(lists: &mut BTreeMap<(u16, u64), i64>, events: &[Record], seed: u64) {
    for e in events {
        match e.kind {
            event::VOLUNTEER_SET => _ = lists.insert((e.market, e.account.into()), e.qty),
            event::ASSIGNED => {
                let left = lists.entry((e.market, e.order)).or_default();
                *left -= e.qty;
                assert!(*left >= 0 && *left == e.amount && e.qty > 0, "seed {seed}: {e:?} after {left}");
                assert_ne!(u64::from(e.account), e.order, "seed {seed}: nobody takes over from itself");
            }
            _ => {}
        }
    }
}

/// Asserts that a settlement closes everything at one price, and that the market is closed for good.
fn check_settled(venue: &Venue, closed: &mut BTreeMap<u16, (i64, i64)>, events: &[Record], seed: u64) {
    for e in events {
        match e.kind {
            event::SETTLEMENT_STARTED => {
                assert!(closed.insert(e.market, (e.price, e.qty)).is_none(), "seed {seed}: settled twice");
            }
            event::SETTLED => {
                let (price, open) = closed.get_mut(&e.market).expect("a settlement has begun");
                *open -= e.qty;
                assert!(e.price == *price && *open >= 0 && e.qty > 0, "seed {seed}: {e:?}");
            }
            event::FILL | event::TAKEN_OVER | event::ADL_FILL | event::ACCEPTED | event::FUNDING_SETTLED => {
                assert!(!closed.contains_key(&e.market), "seed {seed}: {e:?} in a settled market");
            }
            _ => {}
        }
    }
    for (market, (_, open)) in closed {
        let phase = if *open > 0 { Phase::Settlement } else { Phase::Closed };
        let market = MarketId::new(*market);
        assert_eq!(venue.open_interest(market).get(), *open, "seed {seed}");
        assert!(
            venue.phase(market) == phase || venue.timers_pending(),
            "seed {seed}: {:?}",
            venue.phase(market)
        );
    }
}

/// What was done in a period, from the events alone.
#[derive(Default)]
struct Done {
    period: i64,
    adl_rounds: i64,
    paid: BTreeMap<u32, i64>,
    gated: i64,
    last_adl: BTreeMap<u16, i64>,
}

/// Asserts the limits of a period, the cooldown of a market and the withdrawal gate.
fn check_limits(done: &mut Done, events: &[Record], config: &Value, seed: u64) {
    let limits = &config["block_limits"];
    let length = limits["period_ns"].as_i64().unwrap_or(0);
    let Some(first) = events.first() else { return };
    let period = if length > 0 { first.at / length } else { 0 };
    if length == 0 || period != done.period {
        *done = Done {
            period,
            gated: done.gated,
            last_adl: std::mem::take(&mut done.last_adl),
            ..Done::default()
        };
    }
    for e in events {
        match e.kind {
            event::ADL_STARTED => {
                done.adl_rounds += 1;
                let most = limits["adl_rounds"].as_i64();
                assert!(most.is_none_or(|most| done.adl_rounds <= most), "seed {seed}: {e:?}");
                let cooldown =
                    config["markets"][usize::from(e.market)]["adl"]["cooldown_ns"].as_i64().unwrap_or(0);
                let before = done.last_adl.insert(e.market, e.at);
                assert!(
                    before.is_none_or(|before| e.at - before >= cooldown),
                    "seed {seed}: {e:?} after {before:?}"
                );
            }
            event::FUND_PAID => {
                let paid = done.paid.entry(e.account).or_default();
                *paid += e.amount;
                let most = limits["account_fund_loss"].as_i64();
                assert!(most.is_none_or(|most| *paid <= most), "seed {seed}: {e:?} makes {paid}");
            }
            event::WITHDRAWALS_GATED => {
                assert!(e.amount > done.gated && e.amount > e.at, "seed {seed}: {e:?}");
                done.gated = e.amount;
            }
            event::WITHDRAWN | event::TRANSFERRED => {
                assert!(e.at >= done.gated, "seed {seed}: {e:?} before {}", done.gated);
            }
            _ => {}
        }
    }
}

/// How often states were reached that no single kind of event tells.
#[derive(Default)]
struct Reached(BTreeMap<String, usize>);

impl Reached {
    fn add(&mut self, config: &Value, events: &[Record]) {
        let mut note = |name: String| *self.0.entry(name).or_default() += 1;
        for e in events {
            let adl = &config["markets"][usize::from(e.market)]["adl"];
            match e.kind {
                event::LIMIT_REACHED => note(format!("limit {}", e.code)),
                event::REJECTED if e.code == Reject::WithdrawalsGated.code() => {
                    note("gate kept money".into());
                }
                event::WITHDRAWALS_GATED => note("gate closed".into()),
                event::ADL_REMAINDER => note("adl with remainder".into()),
                event::ADL_FILL if adl["method"] == "rank_bands" => note("adl by rank bands".into()),
                event::ADL_FILL if adl["carry"] == true => note("adl with carry".into()),
                event::ADL_FILL if !adl["size_band"].is_null() => note("adl in a size band".into()),
                event::ASSIGNMENT_REMAINDER => note("assignment with remainder".into()),
                event::SOCIALISED if config["last_resort"] == "socialise_equity" => {
                    note("socialised by equity".into());
                }
                event::SETTLED => note("settled".into()),
                _ => {}
            }
        }
    }

    /// Prints what was reached, and fails for what was reached too rarely.
    fn report(&self) {
        for (name, count) in &self.0 {
            println!("{name:26} {count:6}");
        }
        let limits = (1..=6).map(|code| format!("limit {code}"));
        let named = [
            "gate kept money",
            "gate closed",
            "adl with remainder",
            "adl by rank bands",
            "adl with carry",
            "adl in a size band",
            "assignment with remainder",
            "socialised by equity",
            "settled",
            "fund empty",
        ];
        for name in limits.chain(named.map(str::to_owned)) {
            let count = self.0.get(&name).copied().unwrap_or(0);
            assert!(count >= LEAST, "{name} was reached {count} times");
        }
    }
}

#[test]
fn money_is_conserved_and_stages_keep_their_order() {
    // Audit::Full counts money, positions, open lots and guards anew after every command.
    let mut counts = Counts::default();
    let mut left_behind = 0;
    let mut reached = Reached::default();
    for seed in 1..=SEEDS {
        let config = daring(seed);
        let (mut lists, mut closed) = (BTreeMap::new(), BTreeMap::new());
        let mut done = Done::default();
        let look = |venue: &Venue, command: &Record, events: &[Record]| {
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            check_volunteers(&mut lists, events, seed);
            check_order(events, &config, seed);
            check_settled(venue, &mut closed, events, seed);
            check_limits(&mut done, events, &config, seed);
            reached.add(&config, events);
            let funds = config["funds"].as_array().expect("a list").iter();
            for (fund, rules) in funds.enumerate() {
                let balance = venue.fund(FundId::from_index(fund)).get();
                if balance == 0
                    && events.iter().any(|e| e.kind == event::FUND_PAID && usize::from(e.code) == fund)
                {
                    *reached.0.entry("fund empty".into()).or_default() += 1;
                }
                assert!(balance >= 0, "seed {seed}: a fund is below zero");
                assert!(rules["cap"].as_i64().is_none_or(|cap| balance <= cap), "seed {seed}: above its cap");
            }
            for e in events.iter().filter(|e| e.kind == event::SOCIALISED) {
                left_behind += usize::from(e.market == MarketId::NONE.get());
            }
        };
        let world = World::run(seed, LENGTH, venue_of(&config), look);
        counts.add(&world.events);
    }
    reached.report();
    println!("left behind {left_behind}");
    assert!(left_behind >= LEAST, "too few withdrew during a shortfall");
    for (kind, name) in [
        (event::VOLUNTEER_SET, "volunteers"),
        (event::ASSIGNED, "assigned"),
        (event::ASSIGNMENT_REMAINDER, "assignment rest"),
        (event::SETTLEMENT_PLANNED, "settle planned"),
        (event::SETTLEMENT_STARTED, "settling"),
        (event::SETTLED, "settled"),
        (event::LIQUIDATION_ORDER, "closing"),
        (event::TAKEN_OVER, "taken over"),
        (event::LIQUIDATOR_PAID, "liquidator paid"),
        (event::FUND_PAID, "fund paid"),
        (event::FUND_RECEIVED, "fund received"),
        (event::FUND_CAPPED, "fund capped"),
        (event::DRAWDOWN_CHANGED, "drawdown"),
        (event::ADL_FILL, "adl fill"),
        (event::SOCIALISED, "socialised"),
        (event::BAD_DEBT, "bad debt"),
        (event::FEES_PAID, "fees paid"),
        (event::CLAIM_PAID, "claim paid"),
    ] {
        println!("{name:16} {:6}", counts.of(kind));
        assert!(counts.of(kind) >= LEAST, "event {kind} ({name}) was reached too rarely");
    }
}

#[test]
fn a_restore_changes_nothing_that_follows() {
    for seed in 1..=SEEDS / 4 {
        let world = World::run(seed, LENGTH, venue_of(&daring(seed)), |_, _, _| {});
        world.survives_restores(seed, venue_of(&world.config));
    }
}

#[test]
fn choices_that_say_the_default_change_nothing() {
    for seed in 1..=20 {
        let plain = lively(seed);
        let mut said = plain.clone();
        for market in said["markets"].as_array_mut().expect("a list") {
            market["liquidation"]["policy"] = json!({"type": "share"});
            market["liquidation"]["limit"] = json!({"type": "bankruptcy"});
            market["liquidation"]["fee_rule"] = json!({"type": "flat"});
            market["liquidation"]["takeover"] = json!("bankruptcy");
        }
        said["claims"] = json!(false);
        for fund in said["funds"].as_array_mut().expect("a list") {
            fund["cap"] = Value::Null;
            fund["paid_max"] = Value::Null;
            fund["drawdown"] = Value::Null;
        }
        let [plain, said] = [plain, said].map(|c| World::run(seed, LENGTH, venue_of(&c), |_, _, _| {}));
        assert!(plain.events == said.events, "seed {seed}");
        assert_eq!(plain.venue.digest(), said.venue.digest(), "seed {seed}");
    }
}

/// Asserts that a configuration with another value at a path is refused, in words that hold `told`.
fn refuse(path: &str, value: Value, told: &str) {
    let mut config = unit();
    *config.pointer_mut(path).unwrap_or_else(|| panic!("no {path}")) = value;
    let error = Config::new(&config.to_string()).expect_err(told).to_string();
    assert!(error.contains(told), "{error}");
}

#[test]
fn limits_gates_and_bands_that_cannot_work_are_refused_with_their_field() {
    let limit = |key: &str, value: Value, told: &str| {
        let mut limits = json!({
            "period_ns": 0, "position": null, "account_notional": null, "account_fund_loss": null, "rounds": null,
            "adl_rounds": null,
        });
        limits[key] = value;
        refuse("/block_limits", limits, &format!("block_limits.{key}{told}"));
    };
    limit("period_ns", json!(-1), ": -1");
    limit("position", json!({"share_ppm": 0, "notional_min": 0}), ".share_ppm: 0");
    limit("position", json!({"share_ppm": 1_000_001, "notional_min": 0}), ".share_ppm: 1000001");
    limit("position", json!({"share_ppm": 1, "notional_min": -1}), ".notional_min: -1");
    let phases = |phases: Value, rest: Value, told: &str| {
        let mut limits = json!({
            "period_ns": 0, "position": null, "account_notional": 1, "account_fund_loss": null, "rounds": null,
            "adl_rounds": null, "phases": phases,
        });
        for (key, value) in rest.as_object().expect("a table") {
            limits[key] = value.clone();
        }
        refuse("/block_limits", limits, told);
    };
    phases(json!([]), json!({}), "block_limits.phases: are empty; give some, or null for every phase");
    phases(json!(["guarded", "guarded"]), json!({}), "a phase is named twice");
    phases(
        json!(["guarded", "halted"]),
        json!({}),
        "block_limits.phases: Halted: nobody is liquidated in it",
    );
    phases(
        json!(["guarded"]),
        json!({"rounds": 1}),
        "block_limits.phases: do not go with rounds, which is of",
    );
    phases(json!(["guarded"]), json!({"adl_rounds": 1}), "block_limits.phases: do not go with adl_rounds");
    phases(
        json!(["guarded"]),
        json!({"account_fund_loss": 1}),
        "block_limits.phases: do not go with account_f",
    );
    phases(json!(["guarded"]), json!({"account_notional": null}), "block_limits.phases: limit nothing");
    for key in ["account_notional", "account_fund_loss", "rounds", "adl_rounds"] {
        limit(key, json!(0), ": 0: must be positive, or null for no limit");
    }
    let gate = |duration: i64| json!({"duration_ns": duration, "trigger": "negative_equity"});
    refuse("/withdrawal_gate", gate(0), "withdrawal_gate.duration_ns: 0");
    let adl = |method: &str, key: &str, value: Value, told: &str| {
        let mut rule = unit()["markets"][0]["adl"].clone();
        rule["method"] = json!(method);
        rule[key] = value;
        refuse("/markets/0/adl", rule, &format!("adl.{key}{told}"));
    };
    let band = |share: i64, window: i64| json!({"share_ppm": share, "window_ns": window});
    adl("queue", "size_band", band(0, 1), ".share_ppm: 0");
    adl("queue", "size_band", band(1_000_001, 1), ".share_ppm: 1000001");
    adl("queue", "size_band", band(1, 0), ".window_ns: 0");
    adl("haircut_queue", "size_band", band(1, 1), ": HaircutQueue closes no lots");
    adl("queue", "cooldown_ns", json!(-1), ": -1");
    adl("queue", "carry", json!(true), ": Queue carries nothing");
}

#[test]
fn what_cannot_work_is_refused_with_its_field() {
    let of = |key: &str, value: Value| {
        let mut rules = unit()["markets"][0]["liquidation"].clone();
        rules[key] = value;
        rules
    };
    let market = "/markets/0/liquidation";
    let policy = |value: Value, told: &str| refuse(market, of("policy", value), &format!("policy.{told}"));
    let schedule = |lot: i64, most: i64, cooldown: i64| json!({"type": "schedule", "lot": lot, "qty_max": most, "cooldown_ns": cooldown, "during": "wait"});
    policy(schedule(0, 1, 0), "lot: 0");
    policy(schedule(1, 0, 0), "qty_max: 0");
    policy(schedule(1, 1, -1), "cooldown_ns: -1");
    policy(json!({"type": "restore", "buffer_ppm": -1}), "buffer_ppm: -1");
    let ramp = |duration: i64, initial: i64, full_below: i64| {
        json!({
            "type": "ramp", "buffer_ppm": 0, "duration_ns": duration, "initial_ppm": initial, "full_below": full_below,
        })
    };
    policy(ramp(0, 0, 0), "duration_ns: 0");
    policy(ramp(3_600_000_000_001, 0, 0), "duration_ns: 3600000000001");
    policy(ramp(1, 1_000_001, 0), "initial_ppm: 1000001");
    policy(ramp(1, 0, -1), "full_below: -1");
    let share = |step: i64, target: i64| json!({"type": "portfolio_share", "step_ppm": step, "target_ppm": target, "penalty_ppm": 0});
    policy(share(9_999, 1), "step_ppm: 9999");
    policy(share(300_000, 1), "step_ppm: 300000: must divide 1000000");
    policy(share(200_000, 0), "target_ppm: 0");
    refuse(market, of("policy", share(200_000, 1)), "markets[1] (ETH).liquidation.policy");
    refuse(market, of("policy", json!({"type": "half"})), "unknown variant `half`");
    refuse(
        market,
        of("limit", json!({"type": "fillable", "adjustment_ppm": 0, "spread_ppm": 0})),
        "limit.adjustment_ppm: 0",
    );
    let dutch = |start: i64, curve: Value| json!({"type": "dutch", "start_ppm": start, "curve": curve});
    let linear = json!({"type": "linear", "duration_ns": 0});
    refuse(market, of("limit", dutch(2_000_001, linear.clone())), "limit.start_ppm: 2000001");
    refuse(market, of("limit", dutch(1, linear)), "limit.curve.duration_ns: 0");
    let stairs = json!({"type": "stairstep", "factor_ppm": 1_000_000, "step_ns": 1});
    refuse(market, of("limit", dutch(1, stairs)), "limit.curve.factor_ppm: 1000000");
    let fee = json!({"type": "margin_left", "liquidator": 100, "liquidator_ppm": 0});
    refuse(market, of("fee_rule", fee), "fee_rule.liquidator: 100");
    let assignment = |key: &str, value: &str| {
        let mut rule = json!({"price": "mark", "order": "queue", "stage": "before_fund"});
        rule[key] = json!(value);
        refuse(market, of("assignment", rule), &format!("unknown variant `{value}`"));
    };
    assignment("price", "index");
    assignment("order", "random");
    assignment("stage", "first");
    refuse(market, of("assignment", json!({"price": "mark"})), "missing field `order`");
    let settlement = |key: &str, value: Value, told: &str| {
        let mut rule = json!({"price": "mark", "reduce_only_ns": 0, "notice_ns": null});
        rule[key] = value;
        refuse("/markets/0/settlement", rule, told);
    };
    settlement("price", json!({"average": {"window_ns": 0}}), "settlement.price.average.window_ns: 0");
    settlement("price", json!("last"), "unknown variant `last`");
    settlement("reduce_only_ns", json!(-1), "settlement.reduce_only_ns: -1");
    settlement("notice_ns", json!(0), "settlement.notice_ns: 0: must be positive, or null for none");
    let mut plain = unit()["markets"][0].clone();
    plain["cleared"] = json!(false);
    plain["settlement"] = json!({"price": "mark", "reduce_only_ns": 0, "notice_ns": null});
    refuse("/markets/0", plain, "settlement: a market without clearing has nothing to settle");
    let funds = |key: &str, value: Value| {
        let mut fund = json!({"name": "main"});
        fund[key] = value;
        json!([fund])
    };
    refuse("/funds", funds("cap", json!(0)), "funds[0] (main).cap: 0");
    refuse("/funds", funds("paid_max", json!(-1)), "funds[0] (main).paid_max: -1");
    let drawdown = |trigger: i64, stop: i64, window: i64| json!({"trigger_ppm": trigger, "stop_ppm": stop, "inclusive": true, "window_ns": window});
    refuse("/funds", funds("drawdown", drawdown(0, 0, 1)), "drawdown.trigger_ppm: 0");
    refuse(
        "/funds",
        funds("drawdown", drawdown(5, 5, 1)),
        "drawdown.stop_ppm: 5: must be below trigger_ppm 5",
    );
    refuse("/funds", funds("drawdown", drawdown(5, 4, 7)), "drawdown.window_ns: 7: must be at least 8");
    let two_sided =
        |step: i64| json!({"two_sided": {"rate_step": step, "rounding": "ceil", "fee_pool": false}});
    refuse("/last_resort", two_sided(0), "last_resort.two_sided.rate_step: 0");
    refuse("/last_resort", two_sided(i64::MAX), "last_resort.two_sided.rate_step: 9223372036854775807");
}
