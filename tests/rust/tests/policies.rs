//! Triggers of policies against a naive look at everything that happened: none fires early, late or not at all, whether
//! prices alone are watched or much besides, and wherever a batch ends.

use seawall_core::protocol::{command, event, source};
use seawall_core::{
    Config, Events, Fired, FundId, MarketId, Money, MovedPrice, Nanos, Ppm, Price, Record, Trigger, Venue,
    Watch, run_until,
};
use seawall_tests::stream::{Rng, World, daring, lively};

const WORLDS: u64 = 240;
const LENGTH: usize = 1_000;
const MARKETS: [u16; 2] = [0, 1];
const MILLION: i128 = 1_000_000;

/// What stood after a step: last, mark and index of each market, and the first fund.
#[derive(Debug, Clone)]
struct Stood {
    prices: [[Option<i64>; 3]; 2],
    fund: i64,
    waiting: i64,
    pending: bool,
}

/// One step of a world.
#[derive(Debug, Clone)]
struct Step {
    now: Nanos,
    command: Record,
    events: Vec<Record>,
    after: Stood,
}

fn stood(venue: &Venue) -> Stood {
    let of = |market: u16| {
        let market = MarketId::new(market);
        [venue.last(market), venue.mark(market), venue.index(market)].map(|price| price.map(Price::get))
    };
    Stood {
        prices: MARKETS.map(of),
        fund: venue.fund(FundId::new(0)).get(),
        waiting: i64::try_from(venue.queue_len()).expect("few"),
        pending: venue.timers_pending(),
    }
}

/// The values that something had, each with the step from which it stood; those before the trigger began anew are forgotten.
#[derive(Debug, Clone, Default)]
struct History(Vec<(Nanos, i64)>);

impl History {
    /// True if a value is another one than stood.
    fn takes(&mut self, now: Nanos, value: Option<i64>) -> bool {
        let Some(value) = value else { return false };
        let is_first = self.0.is_empty();
        let changes = self.0.last().is_none_or(|(_, stands)| *stands != value);
        if changes {
            self.0.push((now, value));
        }
        changes && !is_first
    }

    /// The lowest and the highest value that stood at any time after an edge.
    fn extremes(&self, edge: Nanos) -> (i64, i64) {
        let ends = self.0[1..].iter().map(|(end, _)| *end).chain([Nanos::MAX]);
        let inside = self.0.iter().zip(ends).filter(|(_, end)| *end > edge).map(|((_, value), _)| *value);
        (inside.clone().min().expect("one stands"), inside.max().expect("one stands"))
    }

    fn begin_anew(&mut self) {
        self.0.drain(..self.0.len() - 1);
    }
}

/// One trigger, of one market where it has one, and what was seen of it.
struct Naive {
    number: usize,
    trigger: Trigger,
    market: u16,
    history: History,
    counted: Vec<(Nanos, i128)>,
    armed: bool,
    next: i64,
}

impl Naive {
    /// A value and a reference, if it fires.
    fn look(&mut self, step: &Step) -> Option<(i64, i64)> {
        let now = step.now;
        match self.trigger {
            Trigger::PriceMove { price, ppm, window_ns, .. } => {
                let place = match price {
                    MovedPrice::Last => 0,
                    MovedPrice::Mark => 1,
                    MovedPrice::Index => 2,
                };
                let value = step.after.prices[usize::from(self.market)][place];
                if !self.history.takes(now, value) {
                    return None;
                }
                let (value, (low, high)) = (value?, self.history.extremes(now - window_ns));
                let share = |of: i64, by: i64| i128::from(of) * (MILLION + i128::from(by));
                let fell = i128::from(value) * MILLION <= share(high, -ppm.get());
                let rose = i128::from(value) * MILLION >= share(low, ppm.get());
                if !fell && !rose {
                    return None;
                }
                self.history.begin_anew();
                Some((value, if fell { high } else { low }))
            }
            Trigger::FundFell { amount, window_ns, .. } => {
                if !self.history.takes(now, Some(step.after.fund)) {
                    return None;
                }
                let high = self.history.extremes(now - window_ns).1;
                (high - step.after.fund >= amount.get()).then(|| {
                    self.history.begin_anew();
                    (step.after.fund, high)
                })
            }
            Trigger::FundBelow { amount, .. } => {
                let fires = step.after.fund < amount.get() && self.armed;
                self.armed = step.after.fund >= amount.get();
                fires.then_some((step.after.fund, amount.get()))
            }
            Trigger::Every { ns } => (now.get() >= self.next).then(|| {
                let due = self.next;
                self.next = (now.get().div_euclid(ns.get()) + 1) * ns.get();
                (now.get(), due)
            }),
            Trigger::PulsePending => {
                let resolves = matches!(step.command.kind, command::INDEX | command::SOURCE | command::PULSE);
                let waits = step.after.waiting > 0 || step.after.pending;
                (resolves && waits).then_some((step.after.waiting, 0))
            }
            Trigger::Liquidations { count, window_ns } => {
                self.count(step, (count, window_ns), |e| e.kind == event::LIQUIDATION_STARTED)
            }
            Trigger::LiquidationOrders { count, window_ns, .. } => {
                let market = self.market;
                self.count(step, (count, window_ns), |e| {
                    e.kind == event::LIQUIDATION_ORDER && e.market == market
                })
            }
            Trigger::AdlCloses { count, window_ns, .. } => {
                let (market, kinds) = (self.market, [event::ADL_FILL, event::ADL_HAIRCUT]);
                self.count(step, (count, window_ns), |e| kinds.contains(&e.kind) && e.market == market)
            }
            Trigger::PhaseChanged { .. } => {
                let own = |e: &&Record| e.kind == event::PHASE_CHANGED && e.source != source::POLICY;
                step.events.iter().rfind(own).map(|e| (e.code.into(), e.flags.into()))
            }
            Trigger::LiquidatedNotional { .. } | Trigger::BreakerTripped { .. } => {
                unreachable!("they are not asked here")
            }
        }
    }

    fn count(
        &mut self,
        step: &Step,
        (count, window): (u32, Nanos),
        counts: impl Fn(&Record) -> bool,
    ) -> Option<(i64, i64)> {
        let fresh = step.events.iter().filter(|e| counts(e)).count();
        if fresh == 0 {
            return None;
        }
        self.counted.push((step.now, i128::try_from(fresh).expect("few")));
        let edge = step.now - window;
        let sum: i128 = self.counted.iter().filter(|(at, _)| *at > edge).map(|(_, n)| n).sum();
        (sum >= count.into()).then(|| {
            self.counted.clear();
            (i64::try_from(sum).expect("few"), count.into())
        })
    }
}

/// Triggers of a world: prices alone, or others besides.
fn triggers(rng: &mut Rng, only_prices: bool) -> Vec<Trigger> {
    let ms = |n: i64| Nanos::new(n * 1_000_000);
    let mut list: Vec<Trigger> = [MovedPrice::Last, MovedPrice::Mark, MovedPrice::Index]
        .into_iter()
        .map(|price| Trigger::PriceMove {
            market: rng.pick(&[None, Some(MarketId::new(0)), Some(MarketId::new(1))]),
            price,
            ppm: Ppm::new(rng.pick(&[10_000, 40_000, 150_000, 400_000])),
            window_ns: ms(rng.pick(&[1, 5, 40, 400])),
        })
        .collect();
    if only_prices {
        return list;
    }
    let (fund, market) = (FundId::new(0), None);
    list.extend([
        Trigger::FundFell { fund, amount: Money::new(rng.pick(&[1, 50, 500])), window_ns: ms(40) },
        Trigger::FundBelow { fund, amount: Money::new(rng.pick(&[100, 1_000])) },
        Trigger::Every { ns: ms(rng.pick(&[7, 30])) },
        Trigger::PulsePending,
        Trigger::Liquidations { count: 2, window_ns: ms(20) },
        Trigger::LiquidationOrders { market, count: 2, window_ns: ms(20) },
        Trigger::AdlCloses { market, count: 2, window_ns: ms(40) },
        Trigger::PhaseChanged { market },
    ]);
    list
}

fn naive(list: &[Trigger], at_first: &Stood) -> Vec<Naive> {
    let mut all = Vec::new();
    for (number, trigger) in list.iter().enumerate() {
        let each = match *trigger {
            Trigger::PriceMove { market: Some(market), .. } => vec![market.get()],
            Trigger::PriceMove { .. } | Trigger::LiquidationOrders { .. } | Trigger::AdlCloses { .. } => {
                MARKETS.to_vec()
            }
            _ => vec![MarketId::NONE.get()],
        };
        for market in each {
            let mut history = History::default();
            if let Trigger::FundFell { .. } = trigger {
                history.takes(Nanos::ZERO, Some(at_first.fund));
            }
            let armed = matches!(trigger, Trigger::FundBelow { amount, .. } if at_first.fund >= amount.get());
            let next = if let Trigger::Every { ns } = trigger { ns.get() } else { 0 };
            all.push(Naive { number, trigger: *trigger, market, history, counted: Vec::new(), armed, next });
        }
    }
    all
}

/// What fires by a naive look at each step: its place, and what is told.
fn wanted(list: &[Trigger], at_first: &Stood, steps: &[Step]) -> Vec<(usize, Fired)> {
    let (mut all, mut found, mut seq) = (naive(list, at_first), Vec::new(), 0);
    for (place, step) in steps.iter().enumerate() {
        seq = step.events.last().map_or(seq, |e| e.seq);
        for one in &mut all {
            let Some((value, reference)) = one.look(step) else { continue };
            let changed = step.events.iter().rfind(|e| e.kind == event::PHASE_CHANGED);
            let market = match one.trigger {
                Trigger::PhaseChanged { .. } => changed.map_or(0, |e| e.market),
                _ => one.market,
            };
            let market = MarketId::new(market);
            found.push((place, Fired { trigger: one.number, market, at: step.now, seq, value, reference }));
        }
    }
    found
}

#[test]
fn no_trigger_fires_early_late_or_not_at_all() {
    let mut fired = [[0_usize; 11]; 2];
    let mut steps_seen = 0;
    for seed in 1..=WORLDS {
        let config = if seed % 3 == 0 { daring(seed) } else { lively(seed) };
        let venue = Venue::new(Config::new(&config.to_string()).expect("a valid configuration"));
        let at_first = stood(&venue);
        let mut again = venue.clone();
        let mut steps = Vec::new();
        let world = World::run(seed, LENGTH, venue, |venue, command, events| {
            let (command, events) = (*command, events.to_vec());
            steps.push(Step { now: venue.now(), command, events, after: stood(venue) });
        });
        steps_seen += steps.len();
        let mut rng = Rng::new(seed);
        let only_prices = seed % 2 == 0;
        let list = triggers(&mut rng, only_prices);
        let wanted = wanted(&list, &at_first, &steps);

        let mut watch = Watch::new(&again, &list).expect("the triggers are right");
        let (mut done, mut got, mut events) = (0, Vec::new(), Events::new());
        while done < LENGTH {
            let end = LENGTH.min(done + rng.pick(&[1, 2, 63, 64, 65, 300]));
            done += run_until(&mut again, &mut watch, &world.commands[done..end], &mut events);
            got.extend(watch.fired().iter().map(|fired| (done - 1, *fired)));
        }
        let differs = wanted.iter().zip(&got).position(|(a, b)| a != b);
        let at = differs.unwrap_or(wanted.len().min(got.len()));
        assert!(wanted == got, "seed {seed}: wanted {:?}, got {:?} of {list:?}", wanted.get(at), got.get(at));
        assert_eq!(again.digest(), world.venue.digest(), "seed {seed}");
        for (_, of) in &wanted {
            fired[usize::from(only_prices)][of.trigger] += 1;
        }
    }
    println!("{steps_seen} steps; fired by trigger, with others and prices alone: {fired:?}");
    assert!(fired[0].iter().all(|count| *count >= 10), "{fired:?}");
    assert!(fired[1][..3].iter().all(|count| *count >= 500), "{fired:?}");
}
