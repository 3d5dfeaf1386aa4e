//! What breakers cost an order flow that none of them ever stops: each preset alone against no rule.
//!
//! A workload runs through venues that differ in their rules alone, one right after the other, because machines throttle:
//! a share is taken from runs next to each other. Time passes and marks come, so that windows roll; every run's answer
//! is compared, so that a rule which acted is an error and not a figure.

use crate::bench::{check_repeat, float, median, timed};
use crate::book::{BATCH, Tape};
use crate::generate::{Generator, Params};
use crate::setup::{Features, Forms, Ids, Stage};
use crate::workload::{BenchError, Message};
use seawall_core::protocol::command;
use seawall_core::{
    BreakerWork, Config, Events, MarketId, MovedPrice, Nanos, Ppm, Price, Record, Side, Trigger, Venue,
    Watch, run_until,
};
use serde::Serialize;
use serde_json::Value;
use std::hint::black_box;

/// The market of the workload.
const MARKET: MarketId = MarketId::new(0);
/// Nanoseconds between two messages.
const PACE_NS: i64 = 1_000_000;
/// Messages between two marks: about a second of them.
const MARK_EVERY: usize = 16 * BATCH;
/// Nanoseconds between two marks.
const PART_NS: i64 = 1024 * PACE_NS;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesOptions {
    /// Name of a profile.
    pub workload: String,
    /// Timed messages; those of the profile if left out.
    pub n: Option<usize>,
    /// Seed; 1 if left out.
    pub seed: Option<u64>,
    /// What the venue does besides.
    pub features: Features,
    /// Pairs of runs for a row, of which the median counts.
    pub repeat: usize,
    /// Presets by name: a JSON list of breakers of the first market, as in a configuration.
    pub presets: Vec<(String, String)>,
}

/// How the rules of a row stand to the market.
#[derive(Debug, Clone, Copy)]
enum Attached {
    /// They watch the market of the workload.
    Here,
    /// They watch another market of the venue, where nothing happens; so the venue has two, with rules or without.
    Elsewhere,
    /// There are none; a trigger of a policy watches a price.
    Policy,
}

impl Attached {
    /// In a word.
    const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Elsewhere => "elsewhere",
            Self::Policy => "policy",
        }
    }
}

/// What one set of rules costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulesRow {
    /// Name of the preset, or what is watched.
    pub name: String,
    /// How it stands to the market: "here", "elsewhere", or "policy" where a trigger watches a price.
    pub attached: &'static str,
    /// Rules of it.
    pub rules: usize,
    /// Rate with it by the rate without it: median of runs next to each other.
    pub share: f64,
    /// Prices, limits, touches, gaps and counts that its rules were asked about in one run.
    pub tests: u64,
    /// Evaluations of a rule's bounds in one run.
    pub evaluations: u64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulesReport {
    /// Name of the profile.
    pub workload: String,
    /// [`Features::name`].
    pub features: &'static str,
    /// Pairs of runs for a row.
    pub repeat: usize,
    /// Timed messages.
    pub messages: usize,
    /// Marks among them.
    pub marks: usize,
    /// Messages by the time of the runs without rules, their median.
    pub messages_per_second: f64,
    /// Hash of all trades, the same in every run.
    pub digest: String,
    /// Trades, the same in every run.
    pub trades: u64,
    /// One for each set of rules.
    pub rows: Vec<RulesRow>,
}

/// A venue and what watches it.
struct Subject {
    venue: Venue,
    watch: Option<Watch>,
}

/// What a row is made from.
#[derive(Debug, Clone)]
struct Plan {
    name: String,
    attached: Attached,
    rules: usize,
    config: Config,
    /// The same markets without rules: what its rate is held against.
    without: Config,
    watches: Option<Trigger>,
}

/// A measurement under way.
#[derive(Debug)]
pub struct RulesBench {
    options: RulesOptions,
    stage: Stage,
    plain: Config,
    /// Mid of the book at each mark.
    mids: Vec<i64>,
    tape: Tape,
    plans: Vec<Plan>,
    rows: Vec<RulesRow>,
    plain_seconds: Vec<f64>,
    tracks: Tracks,
}

impl Plan {
    /// What it is held against.
    fn unruled(self) -> Self {
        Self { config: self.without.clone(), watches: None, ..self }
    }
}

fn option<T>(field: &str, why: String) -> Result<T, BenchError> {
    Err(BenchError::Option { field: field.to_owned(), why })
}

impl RulesBench {
    /// Makes the workload, and runs it once without rules.
    ///
    /// # Errors
    /// [`BenchError::Option`] for what cannot be measured, [`BenchError::Answer`] if the venue's answer is wrong.
    pub fn new(options: RulesOptions) -> Result<Self, BenchError> {
        check_repeat(options.repeat)?;
        let Some(params) = Params::of(&options.workload) else {
            return option("workload", format!("{:?}: must be a profile", options.workload));
        };
        let workload = Generator::workload(&options.workload, params.with(options.n, options.seed))?;
        let stage = Stage::new(workload, options.features, Ids::Venue)?;
        let mut bench = Self {
            plain: stage.config().clone(),
            mids: vec![params.mid],
            tape: Tape::default(),
            plans: Vec::new(),
            rows: Vec::new(),
            plain_seconds: Vec::new(),
            tracks: Tracks {
                commands: Vec::with_capacity(BATCH + 1),
                events: Events::with_capacity(1 << 14),
            },
            options,
            stage,
        };
        bench.plans = bench.plans()?;
        bench.rehearse()?;
        Ok(bench)
    }

    /// Measures from beginning to end.
    ///
    /// # Errors
    /// As [`RulesBench::new`] and [`RulesBench::step`].
    pub fn run(options: RulesOptions) -> Result<RulesReport, BenchError> {
        let mut bench = Self::new(options)?;
        loop {
            if let Some(report) = bench.step()? {
                return Ok(report);
            }
        }
    }

    /// Rows measured, of how many.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        (self.rows.len(), self.plans.len())
    }

    /// Measures the next row; the report after the last one.
    ///
    /// # Errors
    /// [`BenchError::Answer`] if rules that stop nobody changed an answer, or were not asked.
    pub fn step(&mut self) -> Result<Option<RulesReport>, BenchError> {
        if let Some(plan) = self.plans.get(self.rows.len()).cloned() {
            let row = self.measure(&plan)?;
            self.rows.push(row);
            return Ok(None);
        }
        let messages = self.stage.timed().len();
        Ok(Some(RulesReport {
            workload: self.stage.name().to_owned(),
            features: self.options.features.name(),
            repeat: self.options.repeat,
            messages,
            marks: self.mids.len(),
            messages_per_second: float(messages) / median(self.plain_seconds.clone()),
            digest: format!("{:016x}", self.tape.digest),
            trades: self.tape.trades,
            rows: self.rows.clone(),
        }))
    }

    /// The rows: each preset here, all presets elsewhere, a policy that watches a price.
    fn plans(&self) -> Result<Vec<Plan>, BenchError> {
        let mut plans = Vec::new();
        let mut elsewhere = Vec::new();
        for (name, json) in &self.options.presets {
            let read: Result<Vec<Value>, _> = serde_json::from_str(json);
            let mut breakers =
                read.or_else(|e| option("presets", format!("{name}: {e}: must be a list of breakers")))?;
            for breaker in &mut breakers {
                self.tell(breaker);
            }
            elsewhere.extend(breakers.iter().cloned());
            plans.push(Plan {
                name: name.clone(),
                attached: Attached::Here,
                rules: breakers.len(),
                config: self.config(name, breakers, false)?,
                without: self.plain.clone(),
                watches: None,
            });
        }
        plans.push(Plan {
            name: "all presets".to_owned(),
            attached: Attached::Elsewhere,
            rules: elsewhere.len(),
            config: self.config("all presets", elsewhere, true)?,
            without: self.config("no preset", Vec::new(), true)?,
            watches: None,
        });
        for (name, price) in [("mark", MovedPrice::Mark), ("last", MovedPrice::Last)] {
            let (ppm, window_ns) = (Ppm::new(500_000), Nanos::new(60_000 * PACE_NS));
            plans.push(Plan {
                name: name.to_owned(),
                attached: Attached::Policy,
                rules: 0,
                config: self.plain.clone(),
                without: self.plain.clone(),
                watches: Some(Trigger::PriceMove { market: None, price, ppm, window_ns }),
            });
        }
        Ok(plans)
    }

    /// A workload has no day before and no opening auction: the prices that a rule takes from them are told to it.
    fn tell(&self, part: &mut Value) {
        match part {
            Value::Object(fields) => {
                if matches!(fields.get("type").and_then(Value::as_str), Some("set" | "auction")) {
                    fields.insert("type".to_owned(), "set".into());
                    fields.insert("price".to_owned(), self.mids[0].into());
                }
                fields.values_mut().for_each(|part| self.tell(part));
            }
            Value::Array(parts) => parts.iter_mut().for_each(|part| self.tell(part)),
            _ => {}
        }
    }

    /// The venue's configuration with breakers beside its own; of another market, if they are elsewhere.
    fn config(&self, name: &str, breakers: Vec<Value>, elsewhere: bool) -> Result<Config, BenchError> {
        let mut config: Value = serde_json::from_str(&self.plain.canonical()).expect("it is JSON");
        if elsewhere {
            let mut other = config["markets"][0].clone();
            other["name"] = "OTHER".into();
            config["markets"].as_array_mut().expect("a list").push(other);
        }
        let list = config["breakers"].as_array_mut().expect("a list");
        for (number, mut breaker) in breakers.into_iter().enumerate() {
            breaker["name"] = format!("{number} of {name}").into();
            breaker["markets"] = vec![u16::from(elsewhere)].into();
            list.push(breaker);
        }
        Config::new(&config.to_string()).or_else(|e| option("presets", format!("{name}: {e}")))
    }

    /// A venue with its accounts, its book and a mark.
    fn subject(&mut self, config: &Config, watches: Option<Trigger>) -> Subject {
        let mut venue = self.stage.venue_of(config.clone());
        let index = Record { kind: command::INDEX, at: 1, price: self.mids[0], ..Record::default() };
        self.tracks.events.clear();
        venue.apply_record(&index, &mut self.tracks.events);
        for message in self.stage.prefill() {
            self.tracks.events.clear();
            venue.apply_record(&self.stage.forms().command(message), &mut self.tracks.events);
        }
        let watch = watches.map(|trigger| Watch::new(&venue, &[trigger]).expect("the trigger is right"));
        Subject { venue, watch }
    }

    /// The untimed run without rules, which says where marks stand.
    fn rehearse(&mut self) -> Result<(), BenchError> {
        let plain = self.plain.clone();
        let mut subject = self.subject(&plain, None);
        let mut mid = self.mids.remove(0);
        for (part, messages) in (0..).zip(self.stage.timed().chunks(MARK_EVERY)) {
            let best = [Side::Buy, Side::Sell].map(|side| subject.venue.best(MARKET, side).map(Price::get));
            mid = best[0].zip(best[1]).map_or(mid, |(bid, ask)| i64::midpoint(bid, ask));
            self.mids.push(mid);
            self.tracks.part(&mut subject, self.stage.forms(), (part, mid), messages, &mut self.tape);
        }
        self.stage.check(&subject.venue, &self.tape)
    }

    /// Runs the messages once, untimed: with the rules of a row of the report, or with its markets and without rules.
    ///
    /// # Errors
    /// [`BenchError::Option`] for a row that is not there, [`BenchError::Answer`] if the venue's answer is wrong.
    pub fn once(&mut self, row: usize, ruled: bool) -> Result<BreakerWork, BenchError> {
        let Some(plan) = self.plans.get(row).cloned() else {
            return option("row", format!("{row}: must be below {}", self.plans.len()));
        };
        let plan = if ruled { plan } else { plan.unruled() };
        Ok(self.timed(&plan)?.1)
    }

    /// Names of the rows, and how each stands to the market.
    pub fn names(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.plans.iter().map(|plan| (plan.name.as_str(), plan.attached.name()))
    }

    /// Pairs of runs, each next to one without rules before and after it.
    fn measure(&mut self, plan: &Plan) -> Result<RulesRow, BenchError> {
        let plain = plan.clone().unruled();
        let mut shares = Vec::new();
        let mut work = BreakerWork::default();
        let mut before = self.timed(&plain)?.0;
        for _ in 0..self.options.repeat {
            let (seconds, own) = self.timed(plan)?;
            let after = self.timed(&plain)?.0;
            shares.push(f64::midpoint(before, after) / seconds);
            if !matches!(plan.attached, Attached::Elsewhere) {
                self.plain_seconds.push(after);
            }
            (before, work) = (after, own);
        }
        Ok(RulesRow {
            name: plan.name.clone(),
            attached: plan.attached.name(),
            rules: plan.rules,
            share: median(shares),
            tests: work.tests,
            evaluations: work.evaluations,
        })
    }

    /// Seconds of one run, whose answer was compared, and what breakers did in it.
    fn timed(&mut self, plan: &Plan) -> Result<(f64, BreakerWork), BenchError> {
        let mut subject = self.subject(&plan.config, plan.watches);
        let before = subject.venue.breaker_work();
        let (tape, seconds) = timed(|| self.drive(&mut subject));
        self.stage.check(&subject.venue, &tape)?;
        let after = subject.venue.breaker_work();
        let work = BreakerWork {
            tests: after.tests - before.tests,
            evaluations: after.evaluations - before.evaluations,
        };
        Ok((seconds, work))
    }

    /// The timed part.
    #[inline(never)]
    fn drive(&mut self, subject: &mut Subject) -> Tape {
        let mut tape = Tape::default();
        let parts = self.stage.timed().chunks(MARK_EVERY);
        for ((part, messages), mid) in (0..).zip(parts).zip(&self.mids) {
            self.tracks.part(subject, self.stage.forms(), (part, *mid), messages, &mut tape);
        }
        black_box(tape)
    }
}

/// The buffers of the loop.
#[derive(Debug)]
struct Tracks {
    commands: Vec<Record>,
    events: Events,
}

impl Tracks {
    /// A mark and the messages up to the next one, in batches.
    fn part(
        &mut self,
        subject: &mut Subject,
        forms: &Forms,
        (part, mid): (i64, i64),
        messages: &[Message],
        tape: &mut Tape,
    ) {
        let mut at = 1 + part * PART_NS;
        self.commands.clear();
        self.commands.push(Record { kind: command::INDEX, at, price: mid, ..Record::default() });
        for batch in messages.chunks(BATCH) {
            for message in batch {
                at += PACE_NS;
                self.commands.push(Record { at, ..forms.command(message) });
            }
            self.events.clear();
            let Subject { venue, watch } = &mut *subject;
            match watch {
                Some(watch) => {
                    let done = run_until(venue, watch, &self.commands, &mut self.events);
                    assert_eq!(done, self.commands.len(), "the trigger fired");
                }
                None => venue.apply_batch(&self.commands, &mut self.events),
            }
            tape.read(self.events.as_slice());
            self.commands.clear();
        }
    }
}
