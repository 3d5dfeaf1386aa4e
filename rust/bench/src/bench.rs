//! The benchmark: samples of the venue between two of the engine without matching, and the report.
//!
//! It advances in steps of about a second at most, so that a caller can show progress and be interrupted. These
//! machines throttle for tens of seconds: shares are taken pair by pair, never from figures of different times.

use crate::book::{BATCH, Null, Tape, Tracks};
use crate::generate::{Generator, PROFILES, Params};
use crate::setup::{Features, Ids, Stage, book_bytes, resting_orders};
use crate::workload::{BenchError, Workload};
use seawall_core::{MarketId, Price, Record, Side};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// Messages that one step makes of a generated workload.
const PIECE: usize = 1 << 20;
/// Records of which a plain copy is timed: enough to leave every cache but the last.
const COPIED_MAX: usize = 1 << 22;
/// Samples at most.
const REPEAT_MAX: usize = 1000;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Path of a file, or name of a profile.
    pub workload: String,
    /// Timed messages of a profile; those of the profile if left out.
    pub n: Option<usize>,
    /// Seed of a profile; 1 if left out.
    pub seed: Option<u64>,
    /// What the venue does besides matching.
    pub features: Features,
    /// By which id a cancel names its order.
    pub ids: Ids,
    /// Samples, of which the median counts.
    pub repeat: usize,
    /// Also measure every single message.
    pub latency: bool,
}

impl Options {
    /// Five samples with idle features and the venue's ids.
    #[must_use]
    pub fn new(workload: &str) -> Self {
        Self {
            workload: workload.to_owned(),
            n: None,
            seed: None,
            features: Features::Idle,
            ids: Ids::Venue,
            repeat: 5,
            latency: false,
        }
    }

    /// Where the messages come from.
    fn source(&self) -> Result<Source, BenchError> {
        let refuse = |field: &str, why: String| Err(BenchError::Option { field: field.to_owned(), why });
        check_repeat(self.repeat)?;
        if let Some(params) = Params::of(&self.workload) {
            return Generator::new(&self.workload, params.with(self.n, self.seed))
                .map(|generator| Source::Profile(Box::new(generator)));
        }
        if !Path::new(&self.workload).is_file() {
            let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
            let why = format!(
                "{:?}: neither a file nor one of {}; write one with benches/workload_gen.py",
                self.workload,
                names.join(", ")
            );
            return refuse("workload", why);
        }
        for (field, given) in [("n", self.n.is_some()), ("seed", self.seed.is_some())] {
            if given {
                let why = format!("is for profiles; {} is a file and has its own", self.workload);
                return refuse(field, why);
            }
        }
        Ok(Source::File)
    }
}

/// The workload before it is staged.
#[derive(Debug)]
enum Source {
    File,
    Profile(Box<Generator>),
}

/// Percentiles of the time of one command, in nanoseconds: from a reading of the timer before it is given to the venue
/// to one after its events are in the list, so that the timer's own time is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half of the calls take at most this.
    pub p50_ns: u32,
    /// Nine in ten.
    pub p90_ns: u32,
    /// 99 in a hundred.
    pub p99_ns: u32,
    /// 999 in a thousand.
    #[serde(rename = "p99.9_ns")]
    pub p99_9_ns: u32,
    /// All of them.
    pub max_ns: u32,
    /// The same for the engine without matching, half of the calls: little more than the timer.
    pub null_p50_ns: u32,
}

impl Latency {
    fn of(mut nanos: Vec<u32>, null_nanos: &mut [u32]) -> Self {
        nanos.sort_unstable();
        null_nanos.sort_unstable();
        let at = |share: usize| nanos[(nanos.len() * share).div_ceil(1000).saturating_sub(1)];
        Self {
            p50_ns: at(500),
            p90_ns: at(900),
            p99_ns: at(990),
            p99_9_ns: at(999),
            max_ns: at(1000),
            null_p50_ns: null_nanos[null_nanos.len() / 2],
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Path of the file, or name of the profile.
    pub workload: String,
    /// [`Features::name`].
    pub features: &'static str,
    /// [`Ids::name`].
    pub ids: &'static str,
    /// Samples.
    pub repeat: usize,
    /// Commands in a batch.
    pub batch: usize,
    /// Messages that built the book, untimed.
    pub prefill: usize,
    /// Timed messages.
    pub messages: usize,
    /// Events of the timed part.
    pub events: u64,
    /// Median time of the timed part.
    pub seconds: f64,
    /// Messages by that time.
    pub messages_per_second: f64,
    /// The same of the engine without matching.
    pub null_messages_per_second: f64,
    /// Median of the share of each sample in the engine without matching right before and after it.
    pub share_of_null: f64,
    /// Commands that a plain copy into the same buffer moves.
    pub copy_messages_per_second: f64,
    /// Share of the engine without matching in the plain copy.
    pub null_share_of_copy: f64,
    /// Hash of all trades, compared in every sample.
    pub digest: String,
    /// Trades, compared in every sample.
    pub trades: u64,
    /// Orders that rest at the end.
    pub resting: u64,
    /// Best bid at the end.
    pub best_bid: Option<i64>,
    /// Best ask at the end.
    pub best_ask: Option<i64>,
    /// Bytes of the book for each order that rests at the end; none if none rests.
    pub bytes_per_resting_order: Option<f64>,
    /// Times of single messages, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// One timed run of a venue between two of the engine without matching; its answer was compared.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Seconds of the venue.
    pub seconds: f64,
    /// Seconds of the engine without matching, right before and right after.
    pub null_seconds: [f64; 2],
    /// What was read from the events.
    pub tape: Tape,
    /// Bytes of the book at the end.
    pub book_bytes: u64,
    /// Orders in it.
    pub resting: u64,
    /// Its best bid and ask.
    pub best: [Option<i64>; 2],
}

impl Sample {
    /// Opens a venue, builds its book, then takes the time.
    ///
    /// # Errors
    /// [`BenchError::Answer`] if the venue's answer is wrong.
    pub fn take(stage: &Stage, tracks: &mut Tracks) -> Result<Self, BenchError> {
        let (forms, messages) = (stage.forms(), stage.timed());
        let mut venue = stage.venue();
        tracks.drive(&mut venue, forms, stage.prefill());
        let before = timed(|| tracks.drive(&mut Null::default(), forms, messages)).1;
        let (tape, seconds) = timed(|| tracks.drive(&mut venue, forms, messages));
        let after = timed(|| tracks.drive(&mut Null::default(), forms, messages)).1;
        stage.check(&venue, &tape)?;
        let market = MarketId::new(0);
        Ok(Self {
            seconds,
            null_seconds: [before, after],
            tape,
            book_bytes: book_bytes(&venue),
            resting: resting_orders(&venue),
            best: [Side::Buy, Side::Sell].map(|side| venue.best(market, side).map(Price::get)),
        })
    }

    /// Share of the engine without matching.
    #[must_use]
    pub fn share_of_null(&self) -> f64 {
        self.null() / self.seconds
    }

    fn null(&self) -> f64 {
        f64::midpoint(self.null_seconds[0], self.null_seconds[1])
    }
}

/// What the next step does.
#[derive(Debug)]
enum Next {
    Load(Source),
    Stage(Box<Workload>),
    Sample,
    Latency,
    Done,
}

/// A benchmark under way.
///
/// ```
/// use seawall_bench::{Bench, Options};
/// let options = Options { n: Some(2000), repeat: 1, ..Options::new("shallow") };
/// let report = Bench::run(options)?;
/// assert_eq!(report.messages, 2000);
/// # Ok::<(), seawall_bench::BenchError>(())
/// ```
#[derive(Debug)]
pub struct Bench {
    options: Options,
    next: Next,
    steps: usize,
    stage: Option<Stage>,
    tracks: Tracks,
    copied: Vec<Record>,
    samples: Vec<Sample>,
    /// Seconds of a plain copy of as many records, after each sample.
    copies: Vec<f64>,
    latency: Option<Latency>,
}

impl Bench {
    /// Begins a benchmark.
    ///
    /// # Errors
    /// [`BenchError::Option`] for what cannot be measured.
    pub fn new(options: Options) -> Result<Self, BenchError> {
        let next = Next::Load(options.source()?);
        Ok(Self {
            options,
            next,
            steps: 0,
            stage: None,
            tracks: Tracks::default(),
            copied: Vec::new(),
            samples: Vec::new(),
            copies: Vec::new(),
            latency: None,
        })
    }

    /// Measures from beginning to end.
    ///
    /// # Errors
    /// As [`Bench::new`] and [`Bench::step`].
    pub fn run(options: Options) -> Result<Report, BenchError> {
        let mut bench = Self::new(options)?;
        loop {
            if let Some(report) = bench.step()? {
                return Ok(report);
            }
        }
    }

    /// Steps taken, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let loads = match &self.next {
            Next::Load(Source::Profile(generator)) => {
                let (done, all) = generator.progress();
                (all - done).div_ceil(PIECE)
            }
            Next::Load(Source::File) => 1,
            _ => 0,
        };
        let samples = self.options.repeat - self.samples.len();
        let rest = match self.next {
            Next::Load(_) | Next::Stage(_) => loads + 1 + samples + usize::from(self.options.latency),
            Next::Sample => samples + usize::from(self.options.latency),
            Next::Latency => 1,
            Next::Done => 0,
        };
        (self.steps, self.steps + rest)
    }

    /// Takes the next step; the report after the last one.
    ///
    /// # Errors
    /// [`BenchError`] of the workload's file, or [`BenchError::Answer`] if the venue's answer is wrong.
    ///
    /// # Panics
    /// If it is called again after the report or an error.
    pub fn step(&mut self) -> Result<Option<Report>, BenchError> {
        self.steps += 1;
        self.next = match std::mem::replace(&mut self.next, Next::Done) {
            Next::Load(Source::File) => {
                Next::Stage(Box::new(Workload::read(Path::new(&self.options.workload))?))
            }
            Next::Load(Source::Profile(mut generator)) => {
                generator.extend(PIECE)?;
                let (done, all) = generator.progress();
                if done < all {
                    Next::Load(Source::Profile(generator))
                } else {
                    Next::Stage(Box::new(generator.finish()))
                }
            }
            Next::Stage(workload) => {
                let stage = Stage::new(*workload, self.options.features, self.options.ids)?;
                let copied = stage.timed().iter().take(COPIED_MAX);
                self.copied = copied.map(|message| stage.forms().command(message)).collect();
                self.stage = Some(stage);
                Next::Sample
            }
            Next::Sample => {
                self.sample()?;
                if self.samples.len() < self.options.repeat {
                    Next::Sample
                } else if self.options.latency {
                    Next::Latency
                } else {
                    Next::Done
                }
            }
            Next::Latency => {
                self.measure_each()?;
                Next::Done
            }
            Next::Done => panic!("the benchmark is over"),
        };
        Ok(matches!(self.next, Next::Done).then(|| self.report()))
    }

    /// The staged workload, once it is loaded.
    #[must_use]
    pub fn stage(&self) -> Option<&Stage> {
        self.stage.as_ref()
    }

    fn sample(&mut self) -> Result<(), BenchError> {
        let Self { stage, tracks, copied, .. } = self;
        let stage = stage.as_ref().expect("it was staged before");
        self.samples.push(Sample::take(stage, tracks)?);
        let share = float(stage.timed().len()) / float(copied.len());
        self.copies.push(timed(|| tracks.copy(copied)).1 * share);
        Ok(())
    }

    fn measure_each(&mut self) -> Result<(), BenchError> {
        let Self { stage, tracks, .. } = self;
        let stage = stage.as_ref().expect("it was staged before");
        let mut venue = stage.venue();
        tracks.drive(&mut venue, stage.forms(), stage.prefill());
        // Written once, so that no command is charged with the first touch of its place.
        let mut nanos = vec![1; stage.timed().len()];
        let tape = tracks.drive_each(&mut venue, stage.forms(), stage.timed(), &mut nanos);
        stage.check(&venue, &tape)?;
        let mut null_nanos = vec![1; nanos.len()];
        tracks.drive_each(&mut Null::default(), stage.forms(), stage.timed(), &mut null_nanos);
        self.latency = Some(Latency::of(nanos, &mut null_nanos));
        Ok(())
    }

    fn report(&self) -> Report {
        let stage = self.stage.as_ref().expect("it was staged before");
        let last = self.samples.last().expect("there is at least one sample");
        let messages = stage.timed().len();
        let seconds = median(self.samples.iter().map(|s| s.seconds).collect());
        let null = median(self.samples.iter().flat_map(|s| s.null_seconds).collect());
        let pairs = std::iter::zip(&self.samples, &self.copies);
        Report {
            workload: stage.name().to_owned(),
            features: self.options.features.name(),
            ids: self.options.ids.name(),
            repeat: self.options.repeat,
            batch: BATCH,
            prefill: stage.prefill().len(),
            messages,
            events: last.tape.events,
            seconds,
            messages_per_second: float(messages) / seconds,
            null_messages_per_second: float(messages) / null,
            share_of_null: median(self.samples.iter().map(Sample::share_of_null).collect()),
            copy_messages_per_second: float(messages) / median(self.copies.clone()),
            null_share_of_copy: median(pairs.map(|(s, copy)| copy / s.null()).collect()),
            digest: format!("{:016x}", last.tape.digest),
            trades: last.tape.trades,
            resting: last.resting,
            best_bid: last.best[0],
            best_ask: last.best[1],
            bytes_per_resting_order: (last.resting > 0).then(|| wide(last.book_bytes) / wide(last.resting)),
            latency: self.latency,
        }
    }
}

/// Refuses a number of samples that is not taken.
pub(crate) fn check_repeat(repeat: usize) -> Result<(), BenchError> {
    if (1..=REPEAT_MAX).contains(&repeat) {
        return Ok(());
    }
    let why = format!("{repeat}: must be 1 to {REPEAT_MAX}");
    Err(BenchError::Option { field: "repeat".to_owned(), why })
}

/// Does some work; its result and its seconds.
pub(crate) fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed().as_secs_f64())
}

/// The middle one, or the mean of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

pub(crate) fn float(count: usize) -> f64 {
    wide(u64::try_from(count).expect("64 bits"))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^53")]
pub(crate) fn wide(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one_or_the_mean_of_two() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn percentiles_are_the_least_time_that_covers_their_share() {
        let latency = Latency::of((1..=1000).rev().collect(), &mut [3, 1, 2]);
        assert_eq!((latency.p50_ns, latency.p90_ns, latency.p99_ns), (500, 900, 990));
        assert_eq!((latency.p99_9_ns, latency.max_ns), (999, 1000));
        assert_eq!(latency.null_p50_ns, 2);
        assert_eq!(Latency::of(vec![7], &mut [1]).p50_ns, 7);
    }

    #[test]
    fn what_cannot_be_measured_is_refused_with_advice() {
        let told = |options| Bench::new(options).unwrap_err().to_string();
        let base = || Options::new("touch50");
        assert!(told(Options { repeat: 0, ..base() }).starts_with("repeat: 0: must be 1 to"));
        assert!(told(Options { n: Some(0), ..base() }).starts_with("n: 0: must be 1 to"));
        let unknown = told(Options::new("touch5"));
        assert!(unknown.contains("\"touch5\": neither a file nor one of touch50, shallow"), "{unknown}");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let told_file = told(Options { seed: Some(2), ..Options::new(file) });
        assert!(told_file.starts_with("seed: is for profiles"), "{told_file}");
    }

    #[test]
    fn steps_are_counted_to_the_end() {
        let options = Options { n: Some(300), repeat: 2, latency: true, ..Options::new("shallow") };
        let mut bench = Bench::new(options).unwrap();
        assert_eq!(bench.progress(), (0, 5));
        let mut reports = 0;
        for step in 1..=5 {
            reports += usize::from(bench.step().unwrap().is_some());
            assert_eq!(bench.progress(), (step, 5));
        }
        assert_eq!(reports, 1);
    }
}
