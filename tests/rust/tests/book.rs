//! The core venue gives event for event what the naive venue gives, on random commands. A failure names its seed.

use seawall_core::Record;
use seawall_tests::duel::{Duel, Script, told};
use seawall_tests::naive::rules::{Allocation, ClientIds};
use seawall_tests::naive::seen::{Seen, Situation};
use seawall_tests::naive::words::reject;
use seawall_tests::orders::{CELLS, Dialect, Writer, cell};
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
