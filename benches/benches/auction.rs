//! `auction/uncross`: a call of 10,000 resting orders ends, with the price, the fills and their events; margin, ledger
//! and audit on. `auction/indicative`: what the same call would do, from the outside a Pulse.
//!
//! Instructions of one uncross: this file's program under `valgrind --tool=callgrind --toggle-collect='*end_call*'` with
//! the words `--test uncross/xetra`.

use criterion::{BatchSize, Criterion};
use seawall_benches::called_population;
use seawall_core::protocol::{command, event};
use seawall_core::{Events, Record, Venue};

const ORDERS: u32 = 10_000;

/// The one step that is measured.
#[inline(never)]
fn end_call(venue: &mut Venue, events: &mut Events) {
    let open = Record { kind: command::SET_PHASE, at: 1, code: 1, ..Record::default() };
    venue.apply_record(&open, events);
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("auction");
    for preset in ["xetra", "euronext", "vega"] {
        let venue = called_population(preset, ORDERS);
        let mut events = Events::with_capacity(40_000);
        group.bench_function(format!("uncross/{preset}"), |bench| {
            let fresh = || venue.clone();
            let end = |mut venue: Venue| {
                events.clear();
                end_call(&mut venue, &mut events);
                venue
            };
            bench.iter_batched(fresh, end, BatchSize::LargeInput);
        });
        // An uncross that a filter left out has no answer.
        if let Some(first) = events.as_slice().first() {
            let fills = events.as_slice().iter().filter(|e| e.kind == event::FILL);
            let lots: i64 = fills.clone().map(|fill| fill.qty).sum();
            assert!(fills.count() >= 8_000, "{preset}: too few fills");
            assert_eq!((first.kind, lots), (event::UNCROSSED, 2 * first.qty), "{preset}: the volume trades");
        }
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
