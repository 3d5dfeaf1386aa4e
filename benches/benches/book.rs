//! `book/<profile>`: the venue on the common workload, idle features, its own ids; `book/null`: without matching.
//!
//! Every iteration starts from the same book, and its answer is compared. `seawall bench book` measures the same at
//! full size with shares of null; this is for the course of a change.

use criterion::{BenchmarkId, Criterion, Throughput};
use seawall_bench::{Features, Generator, Ids, Null, Params, Stage, Tracks};
use std::time::{Duration, Instant};

/// Timed messages; small where criterion only tests that the benchmark runs.
fn messages() -> usize {
    if std::env::args().any(|argument| argument == "--test") { 2_000 } else { 200_000 }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("book");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::try_from(messages()).expect("64 bits")));
    let mut tracks = Tracks::default();
    for profile in ["touch50", "shallow", "wide", "crash"] {
        let params = Params { timed: messages(), ..Params::of(profile).expect("it is known") };
        let workload = Generator::workload(profile, params).expect("it can be made");
        let stage = Stage::new(workload, Features::Idle, Ids::Venue).expect("the venue has the answers");
        group.bench_function(BenchmarkId::from_parameter(profile), |bench| {
            bench.iter_custom(|times| (0..times).map(|_| timed(&stage, &mut tracks)).sum());
        });
        if profile == "touch50" {
            group.bench_function(BenchmarkId::from_parameter("null"), |bench| {
                bench.iter(|| tracks.drive(&mut Null::default(), stage.forms(), stage.timed()));
            });
        }
    }
    group.finish();
    criterion.final_summary();
}

/// Time of the timed part alone.
fn timed(stage: &Stage, tracks: &mut Tracks) -> Duration {
    let mut venue = stage.venue();
    tracks.drive(&mut venue, stage.forms(), stage.prefill());
    let begin = Instant::now();
    let tape = tracks.drive(&mut venue, stage.forms(), stage.timed());
    let time = begin.elapsed();
    stage.check(&venue, &tape).expect("the venue has the answers");
    time
}
