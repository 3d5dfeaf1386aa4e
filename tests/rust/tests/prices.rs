//! Index, mark and funding: what a configuration may not be, and what an absurd one does.

use seawall_core::protocol::{command, event};
use seawall_core::{Audit, Config, Events, Record, Venue};
use seawall_tests::stream::unit;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000_000;

fn source(weight: i64, stale_ns: i64) -> Value {
    json!({"name": format!("{weight} {stale_ns}"), "weight": weight, "stale_ns": stale_ns})
}

#[test]
fn prices_that_cannot_work_are_refused_with_their_field() {
    let refuse = |row: &str, value: Value, told: &str| {
        let mut config = unit();
        config["markets"][0][row] = value.clone();
        let error = Config::new(&config.to_string()).expect_err(&value.to_string()).to_string();
        assert!(error.contains(told), "{value}: {error}");
    };
    let index = |rule: Value, sources_min: i64, sources: &[Value]| json!({"rule": rule, "sources_min": sources_min, "liquidates_stale": false, "sources": sources});
    let (median, one) = (json!("median"), source(1, SECOND));
    refuse("index", index(median.clone(), 1, &[]), "index.sources_min: 1");
    refuse("index", index(median.clone(), 2, std::slice::from_ref(&one)), "index.sources_min: 2");
    refuse("index", index(median.clone(), 0, std::slice::from_ref(&one)), "index.sources_min: 0");
    refuse("index", index(median.clone(), 1, &[one.clone(), one.clone()]), "two have the name");
    refuse("index", index(median.clone(), 1, &[source(0, SECOND)]), "sources[0].weight: 0");
    refuse("index", index(median.clone(), 1, &[source(1_000_001, SECOND)]), "weight: 1000001");
    refuse("index", index(median.clone(), 1, &[source(1, 0)]), "stale_ns: 0");
    refuse("index", index(median, 1, &vec![one.clone(); 65]), "65 of them");
    refuse(
        "index",
        index(json!({"mean": {"outlier_ppm": 0}}), 1, std::slice::from_ref(&one)),
        "outlier_ppm: 0",
    );
    refuse("index", index(json!("mode"), 1, std::slice::from_ref(&one)), "mode");

    let mark = |rows: Value| {
        let mut mark = json!({"method": "median", "basis_samples": 1});
        mark.as_object_mut().expect("an object").extend(rows.as_object().expect("an object").clone());
        mark
    };
    refuse("mark", mark(json!({"method": "index", "inputs": ["last"]})), "mark.inputs");
    refuse("mark", mark(json!({"inputs": ["last", "index", "last"]})), "Last is there twice");
    refuse("mark", mark(json!({"inputs": ["last", "index"], "fallback": "touch"})), "mark.fallback");
    refuse("mark", mark(json!({"inputs": ["last", "index", "touch"], "fallback": "last"})), "mark.fallback");
    refuse("mark", mark(json!({"inputs": ["basis_ema"]})), "mark.basis_decay_ppb");
    refuse("mark", mark(json!({"inputs": ["touch_ema"]})), "mark.touch_decay_ppb");
    refuse("mark", mark(json!({"touch_decay_ppb": 1_000_000_000})), "touch_decay_ppb: 1000000000");
    refuse("mark", mark(json!({"inputs": ["funding"]})), "give the market funding");
    refuse("mark", mark(json!({"inputs": ["external"]})), "mark.sources");
    refuse("mark", mark(json!({"sources": [one]})), "mark.sources");
    refuse("mark", mark(json!({"slew_ppm": 0})), "slew_ppm: 0");
    refuse("mark", mark(json!({"index_band_ppm": 1_000_001})), "index_band_ppm: 1000001");

    let funding = |rows: Value| {
        let mut funding = json!({
            "first_ns": 0, "interval_ns": SECOND, "interest_ppb": 0, "clamp_ppb": 0, "cap_ppb": 500_000_000,
            "impact_qty": 1,
        });
        funding.as_object_mut().expect("an object").extend(rows.as_object().expect("an object").clone());
        funding
    };
    refuse("funding", funding(json!({"rate_period_ns": 0})), "rate_period_ns: 0");
    // Two intervals of the rate at 50 % are the whole notional; a nanosecond less of a period would be more.
    refuse("funding", funding(json!({"rate_period_ns": SECOND / 2 - 1})), "cap_ppb: 500000000");
    refuse("funding", funding(json!({"cap_margin_multiple": 0})), "cap_margin_multiple: 0");
    let votes = |period_ns: i64, votes_min: i64, samples_min: i64| json!({"votes": {"period_ns": period_ns, "votes_min": votes_min, "samples_min": samples_min}});
    refuse("funding", funding(votes(0, 1, 1)), "votes.period_ns: 0");
    refuse("funding", funding(votes(1, 4097, 1)), "votes.votes_min: 4097");
    refuse("funding", funding(votes(1, 1, 0)), "votes.samples_min: 0");
    refuse("funding", funding(json!({"accrual": {"units": 0, "ticks": 1}})), "accrual.units: 0");
    refuse("funding", funding(json!({"accrual": {"units": 1, "ticks": 1_000_000_001}})), "accrual.ticks");
    let mut config = unit();
    config["markets"][0]["funding"] = funding(json!({"rate_period_ns": SECOND / 2}));
    assert!(Config::new(&config.to_string()).is_ok());
}

#[test]
fn what_is_left_out_leaves_no_trace_in_the_canonical_text() {
    let config = Config::new(&unit().to_string()).expect("a valid configuration");
    let text = config.canonical();
    for name in
        ["\"index\":", "inputs", "slew", "votes", "rate_period", "accrual", "payers", "\"price\":\"mark\""]
    {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

/// The rate of each of a number of settlements of the whole notional, and the venue after them.
fn absurd_rates(settlements: i64) -> (Vec<i64>, Venue) {
    let mut config = unit();
    config["assets"][0]["deposits_max"] = json!(1_i64 << 59);
    let market = &mut config["markets"][0];
    market["tick_value"] = json!(1_i64 << 36);
    market["open_interest_max"] = json!(1000);
    market["liquidation"]["enabled"] = json!(false);
    market["funding"] = json!({
        "first_ns": 0, "interval_ns": 1, "interest_ppb": 1_000_000_000, "clamp_ppb": 1_000_000_000,
        "cap_ppb": 1_000_000_000, "impact_qty": 1,
    });
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    let mut events = Events::new();
    let mut apply = |record: Record| venue.apply_record(&record, &mut events);
    for account in 0..2 {
        apply(Record { kind: command::OPEN_ACCOUNT, ..Record::default() });
        apply(Record { kind: command::DEPOSIT, account, amount: 1 << 58, ..Record::default() });
    }
    apply(Record { kind: command::INDEX, price: 10_000, ..Record::default() });
    apply(Record { kind: command::BLOCK, order: 1, price: 10_000, qty: 1000, ..Record::default() });
    for at in 1..=settlements {
        apply(Record { kind: command::PULSE, at, ..Record::default() });
    }
    let settled = events.as_slice().iter().filter(|e| e.kind == event::FUNDING_SETTLED);
    (settled.map(|e| e.amount).collect(), venue)
}

#[test]
fn absurd_funding_stops_before_a_balance_leaves_its_range() {
    // A settlement moves about 2^59.3, so that fourteen of them would not fit in 64 bits. The receiver has passed
    // 2^61 after the third, and from then on the rate is zero.
    let (rates, venue) = absurd_rates(1000);
    assert_eq!(rates.len(), 1000);
    let whole = rates.iter().take_while(|rate| **rate == 1_000_000_000).count();
    assert_eq!(whole, 3);
    assert!(rates[whole..].iter().all(|rate| *rate == 0));
    assert!(venue.conservation().ok);
}
