//! `venue/orders`: the order path with margin, ledger and audit on. `venue/quiet_mark`: a mark that endangers nobody.

use criterion::{BenchmarkId, Criterion, Throughput};
use seawall_benches::{order_mix, quiet_population};
use seawall_core::protocol::command;
use seawall_core::{Events, Record};
use std::hint::black_box;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    orders(&mut criterion);
    quiet_marks(&mut criterion);
    criterion.final_summary();
}

fn orders(criterion: &mut Criterion) {
    const COUNT: u32 = 10_000;
    let venue = quiet_population(2);
    let mut events = Events::with_capacity(64);
    let expected = order_mix(&mut venue.clone(), &mut events, COUNT);
    let mut group = criterion.benchmark_group("venue/orders");
    group.throughput(Throughput::Elements(u64::from(COUNT)));
    group.bench_function("mix", |bench| {
        bench.iter(|| {
            let fills = order_mix(&mut venue.clone(), &mut events, COUNT);
            assert_eq!(fills, expected);
            black_box(fills)
        });
    });
    group.finish();
}

fn quiet_marks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("venue/quiet_mark");
    for accounts in [10_000, 100_000] {
        let mut venue = quiet_population(accounts);
        let mut events = Events::with_capacity(16);
        let mut tick = 0;
        group.bench_function(BenchmarkId::from_parameter(accounts), |bench| {
            bench.iter(|| {
                tick = (tick + 1) % 16;
                let index =
                    Record { kind: command::INDEX, at: 1, price: 100_000 + tick, ..Record::default() };
                events.clear();
                venue.apply_record(&index, &mut events);
                assert_eq!(events.len(), 1, "a quiet mark has one event");
            });
        });
    }
    group.finish();
}
