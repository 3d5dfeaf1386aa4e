//! What a mark costs a venue of many accounts: marks that endanger nobody, a walk, a crash.
//!
//! Three parts after the crowd has come: quiet marks in blocks of a thousand, asked of the guard index alone and
//! through the whole venue with its events; a correlated walk over all markets; a fall of 30 % in a thousand steps
//! on the crowd as it was at first. Calls are compared with a look at every account.

use crate::bench::{float, median, timed, wide};
use crate::crowd::{self, Crowd, START, wrong};
use crate::generate::mixed;
use crate::workload::BenchError;
use seawall_core::protocol::event;
use seawall_core::{AccountId, Events, MarketId, Price, Record, Venue};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// Quiet marks in a block, and blocks.
const BLOCK: u32 = 1_000;
const BLOCKS: u32 = 1_000;
/// Marks with a cold cache.
const COLD: u32 = 101;
/// Bytes that are read to make the caches cold.
const SWEPT: usize = 64 << 20;
/// Bytes of a line of the cache.
const LINE: usize = 64;
/// Steps of the crash, and how far it falls.
const CRASH_STEPS: i64 = 1_000;
const CRASH_PERCENT: i64 = 30;
/// The walk is turned back where a price is this many times what it was at first, or a part of it.
const WALK_TIMES: i64 = 8;
/// A step of the walk: what all markets do and what each does for itself, in ppm up or down.
const STEP_ALL: i64 = 400;
const STEP_OWN: i64 = 300;
/// Steps of the walk that one step of the benchmark does, and between looks at every account.
const PIECE: u32 = 10_000;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarksOptions {
    /// Accounts, an even number.
    pub accounts: u32,
    /// Markets, in each of which every account has a position.
    pub markets: u16,
    /// Steps of the walk; every step is a mark of each market.
    pub steps: u32,
}

/// What was measured. Times in nanoseconds; those of single marks include the timer's own time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarksReport {
    /// Accounts.
    pub accounts: u32,
    /// Markets.
    pub markets: u16,
    /// Time of a quiet mark in the guard index alone: median and 99th percentile of blocks of 1,000 marks.
    pub quiet_mark_ns_median: f64,
    /// As above.
    pub quiet_mark_ns_p99: f64,
    /// The same with cold caches, the median of single marks.
    pub quiet_mark_ns_cold: f64,
    /// Time of a quiet mark through the venue, with its events: the median of blocks.
    pub apply_mark_ns: f64,
    /// What the index does for one side of a trade that endangers nobody, accounts in the cache.
    pub guard_side_ns: f64,
    /// Steps of the walk.
    pub walk_steps: u32,
    /// Time of a mark of the walk through the venue, with its events.
    pub mark_ns_mean: f64,
    /// 99th percentile.
    pub mark_ns_p99: f64,
    /// Accounts looked at for each mark of the walk.
    pub reevaluations_per_mark: f64,
    /// Keys put into the index for each mark of the walk.
    pub inserts_per_mark: f64,
    /// Accounts called in the walk, as a look at every account says.
    pub walk_called: u64,
    /// Seconds of the crash through the venue, with its events.
    pub crash_seconds: f64,
    /// Accounts looked at in the crash, and keys put into the index.
    pub crash_reevaluations: u64,
    /// As above.
    pub crash_inserts: u64,
    /// Accounts called in the crash, as a look at every account says.
    pub crash_called: u64,
    /// Bytes of the guard index for each account, before the walk.
    pub bytes_per_account: f64,
}

/// The part that comes next.
#[derive(Debug)]
enum Part {
    Crowd,
    Quiet,
    Walk(u32),
    Crash,
}

/// The benchmark of marks under way.
///
/// ```
/// use seawall_bench::{Marks, MarksOptions};
/// let report = Marks::run(MarksOptions { accounts: 100, markets: 2, steps: 50 })?;
/// assert_eq!((report.accounts, report.walk_steps), (100, 50));
/// # Ok::<(), seawall_bench::BenchError>(())
/// ```
#[derive(Debug)]
pub struct Marks {
    options: MarksOptions,
    crowd: Crowd,
    part: Part,
    first: Option<Venue>,
    venue: Option<Venue>,
    walk: Walk,
    nanos: Vec<u32>,
    events: Events,
    report: MarksReport,
}

/// The prices of all markets on their way.
#[derive(Debug)]
struct Walk {
    prices: Vec<i64>,
    step: u64,
}

impl Walk {
    fn new(markets: u16) -> Self {
        Self { prices: vec![START; usize::from(markets)], step: 0 }
    }

    /// One step of every market: the common move and its own, up or down; turned back at the bounds.
    fn advance(&mut self) {
        self.step += 1;
        let drawn = mixed(self.step);
        let up = |bit: u64| if bit & 1 == 0 { 1 } else { -1 };
        for (m, price) in (0u64..).zip(&mut self.prices) {
            let own = mixed(drawn ^ (m + 1)) >> 32;
            let mut ppm = STEP_ALL * up(drawn >> 7) + STEP_OWN * up(own);
            if (*price > START * WALK_TIMES && ppm > 0) || (*price * WALK_TIMES < START && ppm < 0) {
                ppm = -ppm;
            }
            *price += *price * ppm / 1_000_000;
        }
    }
}

impl Marks {
    /// Begins a benchmark.
    ///
    /// # Errors
    /// [`BenchError::Option`] for what cannot be measured.
    pub fn new(options: MarksOptions) -> Result<Self, BenchError> {
        let MarksOptions { accounts, markets, steps } = options;
        if !(2..=10_000_000).contains(&accounts) || accounts % 2 != 0 {
            return crowd::refuse("accounts", format!("{accounts}: must be an even number, 2 to 10000000"));
        }
        if !(1..=100).contains(&markets) {
            return crowd::refuse("markets", format!("{markets}: must be 1 to 100"));
        }
        if !(1..=10_000_000).contains(&steps) {
            return crowd::refuse("steps", format!("{steps}: must be 1 to 10000000"));
        }
        Ok(Self {
            options,
            crowd: Crowd { accounts, markets },
            part: Part::Crowd,
            first: None,
            venue: None,
            walk: Walk::new(markets),
            nanos: Vec::new(),
            events: Events::with_capacity(1 << 12),
            report: MarksReport::nothing(options),
        })
    }

    /// Measures from beginning to end.
    ///
    /// # Errors
    /// As [`Marks::new`] and [`Marks::step`].
    pub fn run(options: MarksOptions) -> Result<MarksReport, BenchError> {
        let mut marks = Self::new(options)?;
        loop {
            if let Some(report) = marks.step()? {
                return Ok(report);
            }
        }
    }

    /// Steps taken, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let pieces = self.options.steps.div_ceil(PIECE);
        let done = match self.part {
            Part::Crowd => 0,
            Part::Quiet => 1,
            Part::Walk(done) => 2 + done.div_ceil(PIECE),
            Part::Crash => 2 + pieces,
        };
        [done, pieces + 3].map(|n| usize::try_from(n).expect("32 bits fit")).into()
    }

    /// Takes the next step; the report after the last one.
    ///
    /// # Errors
    /// [`BenchError::Answer`] if a mark or a call is not what it should be.
    pub fn step(&mut self) -> Result<Option<MarksReport>, BenchError> {
        match self.part {
            Part::Crowd => {
                let venue = self.crowd.venue()?;
                self.report.bytes_per_account = float(venue.guard_bytes()) / f64::from(self.options.accounts);
                self.first = Some(venue);
                self.part = Part::Quiet;
            }
            Part::Quiet => {
                self.measure_quiet()?;
                self.venue.clone_from(&self.first);
                self.part = Part::Walk(0);
            }
            Part::Walk(done) => {
                let next = (done + PIECE).min(self.options.steps);
                self.take_walk(next - done)?;
                self.part = Part::Walk(next);
                if next == self.options.steps {
                    self.end_walk();
                    self.part = Part::Crash;
                }
            }
            Part::Crash => {
                self.crash()?;
                return Ok(Some(self.report.clone()));
            }
        }
        Ok(None)
    }

    /// Marks one tick up and down in every market in turn, of which nobody takes notice.
    fn measure_quiet(&mut self) -> Result<(), BenchError> {
        let venue = self.first.as_mut().expect("the crowd has come");
        let markets = u32::from(self.options.markets);
        let place = |i: u32| {
            let market = u16::try_from(i % markets).expect("fewer than 2^16");
            (MarketId::new(market), Price::new(START + i64::from(i / markets % 3) - 1))
        };
        let places: Vec<(MarketId, Price)> = (0..BLOCK).map(place).collect();
        let mut alone = Vec::new();
        for _ in 0..BLOCKS {
            let (quiet, seconds) =
                timed(|| places.iter().filter(|(m, p)| black_box(&*venue).is_quiet(*m, *p)).count());
            if quiet != places.len() {
                return Err(wrong("marks", format!("{quiet} of {BLOCK} marks are quiet")));
            }
            alone.push(seconds * 1e9 / f64::from(BLOCK));
        }
        let mut cold = Vec::new();
        let swept = vec![1u8; SWEPT];
        for i in 0..COLD {
            black_box(swept.iter().step_by(LINE).map(|byte| u64::from(*byte)).sum::<u64>());
            let (market, price) = place(i);
            // The clock is not what is measured.
            black_box(Instant::now());
            let (quiet, seconds) = timed(|| black_box(&*venue).is_quiet(market, price));
            assert!(quiet, "it was quiet before");
            cold.push(seconds * 1e9);
        }
        let records: Vec<Record> = places.iter().map(|(m, p)| crowd::index(m.get(), p.get(), 0)).collect();
        let mut whole = Vec::new();
        for _ in 0..BLOCKS {
            self.events.clear();
            let ((), seconds) = timed(|| venue.apply_batch(&records, &mut self.events));
            whole.push(seconds * 1e9 / f64::from(BLOCK));
            let events = self.events.as_slice();
            if events.len() != records.len() || events.iter().any(|e| e.kind != event::MARKED) {
                return Err(wrong("marks", "a quiet mark has more events than its own".to_owned()));
            }
        }
        let accounts = self.options.accounts.min(64);
        let mut sides = Vec::new();
        for _ in 0..BLOCKS {
            let traded =
                |i: u32| MarketId::new(u16::try_from(i / accounts % markets).expect("fewer than 2^16"));
            let mut guarded =
                |i| black_box(&mut *venue).is_guarded_after(AccountId::new(i % accounts), traded(i));
            let (kept, seconds) = timed(|| (0..BLOCK).filter(|i| guarded(*i)).count());
            if kept != places.len() {
                return Err(wrong("marks", format!("guards prove {kept} of {BLOCK} accounts healthy")));
            }
            sides.push(seconds * 1e9 / f64::from(BLOCK));
        }
        let report = &mut self.report;
        report.quiet_mark_ns_p99 = percentile(&mut alone, 99);
        report.quiet_mark_ns_median = median(alone);
        report.quiet_mark_ns_cold = median(cold);
        report.apply_mark_ns = median(whole);
        report.guard_side_ns = median(sides);
        Ok(())
    }

    /// Steps of the walk, each mark timed by itself, then a look at every account.
    fn take_walk(&mut self, steps: u32) -> Result<(), BenchError> {
        let venue = self.venue.as_mut().expect("the crowd has come");
        for _ in 0..steps {
            self.walk.advance();
            for (market, price) in (0u16..).zip(&self.walk.prices) {
                self.events.clear();
                let record = crowd::index(market, *price, 0);
                let begin = Instant::now();
                venue.apply_record(&record, &mut self.events);
                let nanos = begin.elapsed().as_nanos();
                self.nanos.push(u32::try_from(nanos).unwrap_or(u32::MAX));
                self.report.walk_called += calls(&self.events);
            }
        }
        let called = scan(venue)?;
        let told = self.report.walk_called;
        if called == told {
            Ok(())
        } else {
            Err(wrong("marks", format!("{told} calls, {called} accounts called")))
        }
    }

    fn end_walk(&mut self) {
        let venue = self.venue.as_ref().expect("the crowd has come");
        let first = self.first.as_ref().expect("the crowd has come");
        let (before, after) = (first.guard_work(), venue.guard_work());
        let marks = float(self.nanos.len());
        let mut nanos: Vec<f64> = self.nanos.iter().map(|n| f64::from(*n)).collect();
        let report = &mut self.report;
        report.walk_steps = self.options.steps;
        report.mark_ns_mean = nanos.iter().sum::<f64>() / marks;
        report.mark_ns_p99 = percentile(&mut nanos, 99);
        report.reevaluations_per_mark = wide(after.reevaluations - before.reevaluations) / marks;
        report.inserts_per_mark = wide(after.inserts - before.inserts) / marks;
        self.venue = None;
    }

    /// Everything falls, step by step, in every market.
    fn crash(&mut self) -> Result<(), BenchError> {
        let venue = self.first.as_mut().expect("the crowd has come");
        let before = venue.guard_work();
        for step in 1..=CRASH_STEPS {
            let price = START - START * CRASH_PERCENT * step / (100 * CRASH_STEPS);
            for market in 0..self.options.markets {
                self.events.clear();
                let record = crowd::index(market, price, 0);
                let ((), seconds) = timed(|| venue.apply_record(&record, &mut self.events));
                self.report.crash_seconds += seconds;
                self.report.crash_called += calls(&self.events);
            }
        }
        let after = venue.guard_work();
        self.report.crash_reevaluations = after.reevaluations - before.reevaluations;
        self.report.crash_inserts = after.inserts - before.inserts;
        let (called, told) = (scan(venue)?, self.report.crash_called);
        if called == told {
            Ok(())
        } else {
            Err(wrong("marks", format!("{told} calls, {called} accounts called")))
        }
    }
}

impl MarksReport {
    fn nothing(options: MarksOptions) -> Self {
        Self {
            accounts: options.accounts,
            markets: options.markets,
            quiet_mark_ns_median: 0.0,
            quiet_mark_ns_p99: 0.0,
            quiet_mark_ns_cold: 0.0,
            apply_mark_ns: 0.0,
            guard_side_ns: 0.0,
            walk_steps: 0,
            mark_ns_mean: 0.0,
            mark_ns_p99: 0.0,
            reevaluations_per_mark: 0.0,
            inserts_per_mark: 0.0,
            walk_called: 0,
            crash_seconds: 0.0,
            crash_reevaluations: 0,
            crash_inserts: 0,
            crash_called: 0,
            bytes_per_account: 0.0,
        }
    }
}

/// Accounts called in a step.
fn calls(events: &Events) -> u64 {
    let called = events.as_slice().iter().filter(|e| e.kind == event::MARGIN_CALLED).count();
    u64::try_from(called).expect("64 bits")
}

/// Looks at every account: nobody is below the call requirement and not called. How many are called.
fn scan(venue: &Venue) -> Result<u64, BenchError> {
    let mut called = 0;
    for i in 0..venue.accounts() {
        let account = AccountId::from_index(i);
        if venue.is_called(account) {
            called += 1;
        } else if venue.health(account).is_callable() {
            return Err(wrong("marks", format!("account {account} is endangered and was not found")));
        }
    }
    Ok(called)
}

/// The least value that covers so many per cent of all.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).saturating_sub(1)]
}
