//! Inverse and quanto contracts in the random worlds of the whole venue, and what a configuration refuses of them.
//!
//! The worlds are those of the waterfall with markets of other contracts mixed in: every choice of liquidation, fund and
//! auto-deleveraging meets values that are rounded. `Audit::Full` counts money, positions and guards anew after every
//! command.

use seawall_core::protocol::event;
use seawall_core::{Audit, Config, MarketId, Place, Venue};
use seawall_tests::stream::{Counts, Rng, World, daring, refused};
use serde_json::{Value, json};

const SEEDS: u64 = 60;
const LENGTH: usize = 1_500;

/// What was reached in markets whose contract is not linear, and how often it has to be.
const REACHED: [(u16, &str, usize); 12] = [
    (event::FILL, "fills", 5_000),
    (event::FUNDING_PAID, "funding paid", 1_000),
    (event::LIQUIDATION_ORDER, "closing orders", 1_000),
    (event::TAKEN_OVER, "taken over", 50),
    (event::LIQUIDATOR_PAID, "liquidator paid", 20),
    (event::FUND_PAID, "fund paid", 100),
    (event::FUND_RECEIVED, "fund received", 100),
    (event::ADL_FILL, "adl fills", 100),
    (event::ADL_HAIRCUT, "haircuts", 20),
    (event::SOCIALISED, "socialised", 5),
    (event::ADL_REMAINDER, "adl remainders", 20),
    (event::FEES_PAID, "fees paid", 1),
];

/// A world of the waterfall in which one market or both have another contract; a lot is worth about as much as before.
fn foreign(seed: u64) -> Value {
    let mut rng = Rng::new(seed ^ 0xc01);
    let mut config = daring(seed);
    // The other asset is priced by the second market, which therefore is not inverse.
    config["assets"][1]["collateral"]["market"] = json!(1);
    for (m, market) in config["markets"].as_array_mut().expect("a list").iter_mut().enumerate() {
        let tick = market["tick_value"].as_i64().expect("a number");
        let inverse = m == 0 && rng.chance(70);
        if !inverse && m == 1 && rng.chance(50) {
            continue;
        }
        market["tick_value"] = json!(0);
        // Worth as much at 100 as it was.
        market["contract"] = if inverse {
            let (face, price_min) = (10_000 * tick, rng.pick(&[5, 20, 60]));
            json!({"type": "inverse", "face": face, "scale": 1_000_000 * rng.within(1, 3), "price_min": price_min})
        } else {
            let scale = rng.pick(&[1, 3, 1000]);
            json!({"type": "quanto", "multiplier": tick * scale + rng.within(0, 1), "scale": scale})
        };
        if inverse && !market["funding"].is_null() {
            market["funding"]["accrual"] = Value::Null;
        }
        let method = rng.pick(&[
            "queue",
            "pro_rata",
            "webster",
            "min_max",
            "offset",
            "haircut_queue",
            "haircut_pro_rata",
        ]);
        let adl = market["adl"].as_object_mut().expect("an object");
        // These two go with some methods only.
        adl.remove("size_band");
        adl.remove("carry");
        market["adl"]["method"] = json!(method);
        market["adl"]["trigger"] = json!(rng.pick(&["insolvent", "unfilled"]));
        market["adl"]["eligible"] = json!(rng.pick(&["in_profit", "realising", "anyone"]));
        market["adl"]["score"] = json!(rng.pick(&[
            "profit_leverage",
            "price_ratio_literal",
            "price_ratio_signed",
            "profit_margin_ratio"
        ]));
    }
    config
}

fn venue_of(config: &Value) -> Venue {
    let mut venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
    venue.set_audit(Audit::Full);
    venue
}

#[test]
fn money_is_conserved_whatever_a_contract_is_worth() {
    let mut counts = Counts::default();
    let (mut left, mut marks) = (0, 0);
    for seed in 1..=SEEDS {
        let config = foreign(seed);
        let other = |m: u16| config["markets"].get(usize::from(m)).is_some_and(|m| !m["contract"].is_null());
        let mut before = [0, 0];
        let world = World::run(seed, LENGTH, venue_of(&config), |venue, command, events| {
            assert!(venue.conservation().ok, "seed {seed}: {command:?}");
            for (m, before) in before.iter_mut().enumerate() {
                let now = venue.money(Place::Rounding(MarketId::from_index(m))).get();
                assert!(now >= *before, "seed {seed}: rounding of market {m} fell");
                *before = now;
            }
            let of_others: Vec<_> = events.iter().filter(|e| other(e.market)).copied().collect();
            marks += of_others.iter().filter(|e| e.kind == event::MARKED).count();
            counts.add(&of_others);
        });
        left += before.iter().sum::<i64>();
        assert!(world.venue.conservation().ok);
    }
    println!("{marks} marks, {left} units left by rounding");
    assert!(left > 150, "only {left} units were left behind by rounding");
    for (kind, name, least) in REACHED {
        println!("{name:16} {:6}, at least {least}", counts.of(kind));
    }
    for (kind, name, least) in REACHED {
        assert!(counts.of(kind) >= least, "{name} was reached too seldom");
    }
}

#[test]
fn a_restore_changes_nothing_that_follows() {
    for seed in 1..=20 {
        let world = World::run(seed, LENGTH, venue_of(&foreign(seed)), |_, _, _| {});
        world.survives_restores(seed, venue_of(&world.config));
    }
}

#[test]
fn contracts_that_cannot_work_are_refused_by_their_field() {
    let contract = ["markets", "1", "contract"];
    let inverse = |face: i64, scale: i64, price_min: i64| json!({"type": "inverse", "face": face, "scale": scale, "price_min": price_min});
    let with_tick = inverse(1_000_000, 10_000, 100);
    refused(&contract, with_tick, "tick_value: 1: the contract says what a lot is worth; leave it out");
    refused(&contract, json!({"type": "cubic"}), "unknown variant");
    refused(&contract, json!({"type": "inverse", "face": 1, "scale": 1}), "missing field `price_min`");
    let field = |rule: &Value, told: &str| {
        let mut config = seawall_tests::stream::unit();
        config["markets"][1]["tick_value"] = json!(0);
        config["markets"][1]["contract"] = rule.clone();
        let error = Config::new(&config.to_string()).expect_err(told).to_string();
        assert!(error.contains(told), "{error}");
    };
    field(&json!({"type": "linear"}), "tick_value: 0: must be 1 to");
    field(&inverse(0, 10_000, 100), "contract.face: 0: must be 1 to");
    field(&inverse(1_000_000, 0, 100), "contract.scale: 0: must be 1 to");
    field(&inverse(1_000_000, 10_000, 0), "contract.price_min: 0: must be 1 to 10000");
    field(&inverse(1_000_000, 10_000, 10_001), "contract.price_min: 10001: must be 1 to 10000");
    field(
        &inverse(1_000_000, 9_999, 100),
        "contract.scale: 9999: a part is more than a millionth of a lot at price_max; give 10000",
    );
    field(&inverse(i64::MAX, 2, 100), "contract.scale: 2: times face");
    field(&inverse(1_000_000_000, 1_000_000_000, 1), "lower one of them or scale, or raise price_min");
    field(&json!({"type": "quanto", "multiplier": 0, "scale": 10}), "contract.multiplier: 0: must be 1 to");
    field(&json!({"type": "quanto", "multiplier": 1, "scale": 0}), "contract.scale: 0: must be 1 to");
    let mut config = seawall_tests::stream::unit();
    config["markets"][0]["tick_value"] = json!(0);
    config["markets"][0]["contract"] = inverse(1_000_000, 10_000, 100);
    let error = Config::new(&config.to_string()).expect_err("GOLD follows it").to_string();
    assert!(error.contains("assets[1] (GOLD).collateral.market: 0: an inverse market's price"), "{error}");
    config["assets"][1]["collateral"]["market"] = json!(1);
    let funding = json!({"first_ns": 0, "interval_ns": 1_000_000, "interest_ppb": 0, "clamp_ppb": 0, "cap_ppb": 0, "impact_qty": 1, "accrual": {"units": 1, "ticks": 1}});
    config["markets"][0]["funding"] = funding;
    let error = Config::new(&config.to_string()).expect_err("accrual").to_string();
    assert!(error.contains("funding.accrual: is counted in ticks"), "{error}");
}
