//! Cost is linear: ten times the messages of a profile cost as much per message, and a million resting orders in a
//! domain of ten million ticks still work.
//!
//! `make bench-linear` runs it. Short and long runs alternate, and each is held against the engine without
//! matching right before and after it, because machines throttle for tens of seconds.

use seawall_bench::{BenchError, Features, Generator, Ids, Params, Sample, Stage, Tracks};
use std::process::ExitCode;

const ROUNDS: usize = 5;
const DIFFERENCE_MAX: f64 = 0.15;

fn main() -> ExitCode {
    let messages = std::env::args().nth(1).map_or(Ok(3_000_000), |n| n.parse());
    let Ok(messages) = messages else {
        eprintln!("error: give the number of messages of the short run, or nothing for 3000000");
        return ExitCode::from(2);
    };
    match compare(messages) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn staged(profile: &str, timed: usize) -> Result<Stage, BenchError> {
    let params = Params::of(profile).expect("the profiles named here are known");
    let workload = Generator::workload(profile, Params { timed, ..params })?;
    Stage::new(workload, Features::Idle, Ids::Venue)
}

fn compare(messages: usize) -> Result<bool, BenchError> {
    let mut tracks = Tracks::default();
    let mut linear = true;
    // Not crash: its fall is spread over the messages, so ten times as many are another mix.
    for profile in ["touch50", "shallow", "wide"] {
        let stages = [staged(profile, messages)?, staged(profile, 10 * messages)?];
        let mut rows = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (stage, row) in stages.iter().zip(&mut rows) {
                row.push(Sample::take(stage, &mut tracks)?);
            }
        }
        let [short, long] = std::array::from_fn(|i| line(profile, &stages[i], &rows[i]));
        // What throttles both alike drops out of the cost in units of the engine without matching.
        let differences = [long.0 / short.0 - 1.0, long.1 / short.1 - 1.0];
        println!(
            "{profile}: ten times the messages cost {:+.1} % per message, {:+.1} % against null",
            100.0 * differences[0],
            100.0 * differences[1]
        );
        linear &= differences.iter().any(|difference| difference.abs() < DIFFERENCE_MAX);
    }
    let deep = staged("million", messages)?;
    let row = [Sample::take(&deep, &mut tracks)?, Sample::take(&deep, &mut tracks)?];
    line("million", &deep, &row);
    Ok(linear)
}

/// Prints a row; returns the median nanoseconds per message, and the median cost in units of null.
fn line(profile: &str, stage: &Stage, samples: &[Sample]) -> (f64, f64) {
    let messages = stage.timed().len();
    let count = f64::from(u32::try_from(messages).expect("bounded by TIMED_MAX"));
    let nanos = median(samples.iter().map(|s| 1e9 * s.seconds / count));
    let cost = median(samples.iter().map(|s| 1.0 / s.share_of_null()));
    let last = samples.last().expect("there are samples");
    println!(
        "{profile:8} {messages:>10} messages {nanos:6.1} ns each, {cost:5.1} x null; {} orders rest, {} bytes",
        last.resting, last.book_bytes
    );
    (nanos, cost)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
