//! `auction/uncross`: a call of 10,000 resting orders ends, with the price, the fills and their events; margin, ledger
//! and audit on. `auction/indicative`: what the same call would do, from the outside a Pulse.

use criterion::{BatchSize, Criterion};
use seawall_benches::called_population;
use seawall_core::protocol::{command, event};
use seawall_core::{Events, Record};

const ORDERS: u32 = 10_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("auction");
    for preset in ["xetra", "euronext", "vega"] {
        let venue = called_population(preset, ORDERS);
        let open = Record { kind: command::SET_PHASE, at: 1, code: 1, ..Record::default() };
        let mut events = Events::with_capacity(40_000);
        group.bench_function(format!("uncross/{preset}"), |bench| {
            let fresh = || venue.clone();
            let end = |mut venue: seawall_core::Venue| {
                events.clear();
                venue.apply_record(&open, &mut events);
                venue
            };
            bench.iter_batched(fresh, end, BatchSize::LargeInput);
        });
        let fills = events.as_slice().iter().filter(|e| e.kind == event::FILL).count();
        assert!(fills >= 8_000, "{preset}: {fills} fills");
    }
    let mut venue = called_population("euronext", ORDERS);
    let mut events = Events::with_capacity(16);
    let pulse = Record { kind: command::PULSE, at: 1, ..Record::default() };
    venue.apply_record(&pulse, &mut events);
    assert_eq!(events.as_slice()[0].kind, event::INDICATIVE);
    group.bench_function("indicative", |bench| {
        bench.iter(|| {
            events.clear();
            venue.apply_record(&pulse, &mut events);
            assert!(events.is_empty(), "nothing has changed");
        });
    });
    group.finish();
    criterion.final_summary();
}
