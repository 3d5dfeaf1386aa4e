//! A small world, whole: exactness of its path, sums of its population, determinism, replay without the world.

use seawall_core::{Config, EventDigest, Events, MarketId, Venue, hex};
use seawall_sim::{Keep, Options, Scenario, World};

const VENUE: &str = include_str!("data/venue.json");
const SCENARIO: &str = include_str!("data/small.json");
const ACCOUNTS: u32 = 2_000;
const DIGEST: &str = "11ad2d5991feb7a1aefeb5ffdbf53e39c18f353d6dd765f5b19091e36f7319ba";

fn config() -> Config {
    Config::new(VENUE).expect("the test venue is valid")
}

fn scenario() -> Scenario {
    Scenario::new(SCENARIO).expect("the test scenario is valid")
}

fn run(scenario: Scenario, seed: u64) -> World {
    let mut world = World::new(config(), scenario, seed, ACCOUNTS).expect("the world can be built");
    assert!(world.run_steps(usize::MAX));
    world
}

#[test]
fn without_liquidations_impact_and_noise_the_index_is_the_input_to_the_tick() {
    for seed in 1..=20 {
        let mut scenario = scenario();
        scenario.switches.liquidations = false;
        scenario.switches.impact = false;
        scenario.switches.noise = false;
        let world = run(scenario.clone(), seed);
        for (m, name) in ["BTC", "ETH"].into_iter().enumerate() {
            let index = world.series().column(&format!("{name}.index")).expect("the column is there");
            assert_eq!(index, world.input(m));
            let mut at = 0;
            let mut lows = Vec::new();
            for segment in &scenario.markets[name].path {
                let steps = usize::try_from(segment.duration_ns / scenario.step_ns).expect("it fits");
                for &[_, high, low, close] in &segment.bars {
                    let bar = &index[at + 1..=at + steps];
                    assert_eq!(
                        (bar.iter().min(), bar.iter().max()),
                        (Some(&low), Some(&high)),
                        "{name} seed {seed}"
                    );
                    assert_eq!(bar.last(), Some(&close), "{name} seed {seed}");
                    lows.push(low);
                    at += steps;
                }
            }
            assert_eq!(Some(&world.summary().markets[name].index_low), lows.iter().min());
        }
        assert_eq!(world.summary().accounts_liquidated, 0);
    }
}

#[test]
fn suppressing_liquidations_lifts_the_low_by_a_percent_and_changes_nothing_before_the_first() {
    for seed in 1..=5 {
        let full = run(scenario(), seed);
        let mut quiet = scenario();
        quiet.switches.liquidations = false;
        let quiet = run(quiet, seed);
        let low = |world: &World| world.summary().markets["BTC"].index_low;
        assert!(
            low(&quiet) * 100 >= low(&full) * 101,
            "seed {seed}: {} is not 1 % above {}",
            low(&quiet),
            low(&full)
        );
        let first = full.summary().first_liquidation_at.expect("somebody is liquidated");
        let at = full.series().column("at").expect("the column is there");
        let before = at.partition_point(|&t| t < first);
        for (full, quiet) in full.series().columns().iter().zip(quiet.series().columns()) {
            assert_eq!(full[..before], quiet[..before]);
        }
    }
}

#[test]
fn the_population_holds_the_open_interest_and_nothing_of_the_set_up_is_refused() {
    let world = World::new(config(), scenario(), 7, ACCOUNTS).expect("the world can be built");
    for (m, name) in ["BTC", "ETH"].into_iter().enumerate() {
        let held = world.venue().open_interest(MarketId::from_index(m)).get();
        assert_eq!(held, scenario().markets[name].open_interest);
    }
    assert_eq!(world.summary().refused, 0);
    assert_eq!(world.summary().accounts_liquidated, 0);
}

/// A world's events as a number: it changes only when the venue, the world or these inputs are changed on purpose.
#[test]
fn the_digest_of_the_small_world_is_the_same_on_every_platform() {
    assert_eq!(hex(&run(scenario(), 1).digest()), DIGEST);
}

#[test]
fn a_crash_liquidates_and_deleverages() {
    let summary = run(scenario(), 1).summary();
    assert!(summary.accounts_liquidated > 50);
    assert!(summary.liquidated_notional > summary.adl_notional);
    assert!(summary.adl_fills > 0);
    assert!(summary.fund_least < summary.fund_start);
}

#[test]
fn the_same_seed_gives_the_same_digest_wherever_the_run_is_cut() {
    let whole = run(scenario(), 3);
    let mut cut = World::new(config(), scenario(), 3, ACCOUNTS).expect("the world can be built");
    let mut chunk = 1;
    while !cut.run_steps(chunk) {
        chunk = chunk % 37 + 5;
    }
    assert_eq!(whole.digest(), cut.digest());
    assert_eq!(whole.venue().digest(), cut.venue().digest());
    assert_eq!(whole.series(), cut.series());
    assert_eq!(whole.summary(), cut.summary());
    assert_ne!(whole.digest(), run(scenario(), 4).digest());
}

#[test]
fn the_journal_replays_without_the_world_and_from_a_snapshot() {
    let options = Options { events: Keep::All, journal: true };
    let mut world = World::with(config(), scenario(), 5, ACCOUNTS, options).expect("the world can be built");
    assert!(world.run_steps(usize::MAX));
    let journal = world.take_journal();
    let half = journal.len() / 2;
    let mut venue = Venue::new(config());
    let mut digest = EventDigest::new();
    let mut events = Events::new();
    for record in &journal[..half] {
        venue.apply_record(record, &mut events);
    }
    let mut venue = Venue::restore(&venue.snapshot()).expect("a snapshot can be restored");
    for record in &journal[half..] {
        venue.apply_record(record, &mut events);
    }
    digest.update(events.as_slice());
    assert_eq!(digest.finish(), world.digest());
    assert_eq!(venue.digest(), world.venue().digest());
    assert_eq!(events.as_slice(), world.take_events());
}

#[test]
fn each_switch_can_be_turned_off() {
    let all = run(scenario(), 2).digest();
    let switches: [fn(&mut Scenario); 8] = [
        |s| s.switches.liquidations = false,
        |s| s.switches.impact = false,
        |s| s.switches.makers = false,
        |s| s.switches.maker_withdrawal = false,
        |s| s.switches.noise = false,
        |s| s.switches.momentum = false,
        |s| s.switches.profit_taking = false,
        |s| {
            s.switches.arbitrage = false;
            s.switches.exogenous = false;
        },
    ];
    for (i, off) in switches.into_iter().enumerate() {
        let mut scenario = scenario();
        off(&mut scenario);
        // Arbitrage may find nothing to do; everything else leaves a trace.
        assert!(run(scenario, 2).digest() != all || i == 7, "switch {i} changes nothing");
    }
}

#[test]
fn exogenous_flow_is_traded_to_the_lot() {
    let mut scenario = scenario();
    let quiet = &mut scenario.switches;
    (quiet.liquidations, quiet.impact, quiet.noise, quiet.momentum) = (false, false, false, false);
    (quiet.arbitrage, quiet.profit_taking, quiet.maker_withdrawal) = (false, false, false);
    let (start, end) = (scenario.start + 10_000_000_000, scenario.start + 41_000_000_000);
    let market = "BTC".to_owned();
    scenario.flow.exogenous =
        vec![seawall_sim::scenario::Exogenous { market, start, end, qty: -10_007, source: 0 }];
    let account = scenario.makers.accounts + scenario.flow.noise.accounts + 2;
    let world = run(scenario, 1);
    let position = world.venue().position(seawall_core::AccountId::new(account), MarketId::new(0));
    assert_eq!(position.base.get(), -10_007);
}

#[test]
fn a_scenario_that_does_not_fit_the_venue_is_refused_with_the_remedy() {
    let mut missing = scenario();
    missing.markets.remove("ETH");
    let error = World::new(config(), missing, 1, ACCOUNTS).expect_err("ETH is missing").to_string();
    assert_eq!(error, "scenario.markets.ETH: is missing; the venue has this market");
    let mut poor = config();
    poor.assets[0].deposits_max = seawall_core::Money::new(1);
    let error = World::new(poor, scenario(), 1, ACCOUNTS).expect_err("deposits do not fit").to_string();
    assert!(error.contains("deposits_max"), "{error}");
    assert!(Scenario::new("{}").expect_err("nothing is there").to_string().contains("schema_version"));
    let unknown = SCENARIO.replacen("\"schema_version\"", "\"sceds\": 1, \"schema_version\"", 1);
    assert!(Scenario::new(&unknown).expect_err("a key is unknown").to_string().contains("sceds"));
    let gap = SCENARIO.replacen("1760128500000000000", "1760128501000000000", 1);
    let error = Scenario::new(&gap).expect_err("there is a gap").to_string();
    assert!(error.contains("markets.BTC.path[1].start") && error.contains("1760128500000000000"), "{error}");
}
