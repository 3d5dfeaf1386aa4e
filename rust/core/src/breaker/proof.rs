//! What is inside for certain is inside: random rules and prices, against bounds that are evaluated anew for every question.

use super::*;
use crate::units::draw;

/// Steps of one set of rules.
const STEPS: u64 = 3_000;
const SETS: u64 = 200;

/// Numbers below a bound, one after the other.
struct Draws(u64, u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.1 += 1;
        draw(self.0, &[self.1]) % bound
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len().try_into().unwrap())).unwrap()]
    }

    /// A step of a time and a price, of so many ticks at most, or seldom of forty times as many.
    fn walk(&mut self, (now, price): (&mut Nanos, &mut i64), calm: u64) {
        *now = now.later(Nanos::new(*self.pick(&[0, 1, 1, 2, 60])));
        let jump = i64::try_from(self.below(2 * calm + 1)).unwrap() - i64::try_from(calm).unwrap();
        let jump = if self.below(200) == 0 { 40 * jump } else { jump };
        *price = (*price + jump).clamp(5_000, 20_000);
    }
}

fn reference(draws: &mut Draws) -> String {
    let window = draws.pick(&[50, 400, 5_000]);
    let age = draws.pick(&[50, 400]);
    match draws.below(7) {
        0 => r#"{"type": "last", "prices": "trade"}"#.to_owned(),
        1 => format!(
            r#"{{"type": "aged", "prices": "trade", "age_ns": {age}, "or_first": {}}}"#,
            draws.below(2) == 0
        ),
        2 | 3 => format!(r#"{{"type": "window", "prices": "trade", "window_ns": {window}}}"#),
        4 => format!(
            r#"{{"type": "mean", "window_ns": {window}, "hysteresis_ppm": {}, "life_ns": {}}}"#,
            draws.pick(&[0, 2_000]),
            draws.pick(&[0, 30])
        ),
        5 => r#"{"type": "mark"}"#.to_owned(),
        _ => r#"{"type": "window", "prices": "mark", "window_ns": 400}"#.to_owned(),
    }
}

fn width(draws: &mut Draws, depth: u32) -> String {
    match draws.below(if depth < 2 { 9 } else { 3 }) {
        0 | 1 => format!(r#"{{"type": "ppm", "ppm": {}}}"#, draws.pick(&[5_000, 20_000, 1_500_000])),
        2 => format!(r#"{{"type": "ticks", "ticks": {}}}"#, draws.pick(&[3, 40, 200])),
        3 => format!(
            r#"{{"type": "ppm", "ppm": 10000, "of": {}, "step": {}}}"#,
            reference(draws),
            draws.pick(&["null", "10"])
        ),
        4 => format!(
            r#"{{"type": "by_side", "up": {}, "down": {}}}"#,
            width(draws, depth + 1),
            width(draws, depth + 1)
        ),
        5 => format!(
            r#"{{"type": "tiers", "by": {}, "rows": [{{"from": 0, "width": {}}}, {{"from": 10000, "width": {}}}]}}"#,
            if draws.below(2) == 0 { "null".to_owned() } else { reference(draws) },
            width(draws, depth + 1),
            width(draws, depth + 1)
        ),
        kind => format!(
            r#"{{"type": "{}", "of": [{}, {}]}}"#,
            if kind == 6 { "lesser_of" } else { "greater_of" },
            width(draws, depth + 1),
            width(draws, depth + 1)
        ),
    }
}

fn config(draws: &mut Draws) -> Config {
    let rules = (0..=draws.below(2)).map(|number| {
        let ranges = (0..=draws.below(2)).map(|_| {
            let reach = if draws.below(5) == 0 { reference(draws) } else { "null".to_owned() };
            format!(
                r#"{{"reference": {}, "width": {}, "reach": {reach}}}"#,
                reference(draws),
                width(draws, 0)
            )
        });
        let ranges = ranges.collect::<Vec<_>>().join(", ");
        format!(
            r#"{{"name": "r{number}", "markets": [0], "ranges": [{ranges}], "inclusive": {}, "when": "{}",
                "rounding": {}, "test": {{"type": "trade"}}, "action": {{"type": "stop"}}}}"#,
            draws.below(2) == 0,
            draws.pick(&["outside_any", "outside_all"]),
            draws.pick(&[r#"{"type": "inward"}"#, r#"{"type": "half_up", "step": 5}"#])
        )
    });
    let rules = rules.collect::<Vec<_>>().join(", ");
    let json = include_str!("../../tests/data/example.json");
    let before = json.split("\"breakers\"").next().unwrap();
    Config::new(&format!("{before}\"breakers\": [{rules}]}}")).unwrap()
}

#[test]
fn what_is_inside_for_certain_is_inside() {
    let (mut certain, mut rough, mut outside, mut evaluated) = (0_u64, 0_u64, 0_u64, 0_u64);
    for seed in 1..=SETS {
        let mut draws = Draws(seed, 0);
        let config = config(&mut draws);
        let mut breakers = Breakers::new(&config, MarketId::new(0));
        let (mut now, mut price, mut mark) = (Nanos::new(1), 10_000_i64, 10_000_i64);
        let calm = *draws.pick(&[1_u64, 3, 12]);
        for step in 0..STEPS {
            draws.walk((&mut now, &mut price), calm);
            let standing = Standing { mark: Some(Price::new(mark)), ..Standing::default() };
            if breakers.is_stale(now) && !breakers.age(now) {
                breakers.refresh(now, standing);
            }
            let mut exact = breakers.clone();
            exact.rules.iter_mut().for_each(|rule| rule.is_new = true);
            exact.refresh(now, standing);
            let inside = |price: Price| exact.rules.iter().all(|rule| rule.all.contains(price));
            for _ in 0..3 {
                let (near, far) = (draws.below(21), draws.below(401));
                let near = i64::try_from(near).unwrap() - 10;
                let away = *draws.pick(&[near, i64::try_from(far).unwrap() - 200]);
                let asked = Price::new((price + away).max(1));
                let place = || {
                    format!(
                        "seed {seed}, step {step}, {asked} at {now}: {:?}, {}",
                        exact.trade,
                        config.canonical()
                    )
                };
                match (breakers.trade.contains(asked), inside(asked)) {
                    (true, is_inside) => {
                        assert!(is_inside, "{}", place());
                        certain += 1;
                    }
                    (false, true) => rough += 1,
                    (false, false) => outside += 1,
                }
                // Whoever is told that nothing has changed, or looks, has the exact bounds.
                if draws.below(2) == 0 || !breakers.is_rough(now) {
                    if breakers.is_rough(now) {
                        breakers.refresh(now, standing);
                    }
                    let all = |b: &Breakers| b.rules.iter().map(|rule| rule.all).collect::<Vec<_>>();
                    assert_eq!(all(&breakers), all(&exact), "{}", place());
                }
            }
            if draws.below(3) == 0 {
                breakers.trade(Price::new(price));
            }
            if draws.below(40) == 0 {
                mark = price;
                breakers.marked(now, Price::new(mark), Price::new(mark), None);
            }
            breakers.observe(now);
        }
        evaluated += breakers.work().evaluations;
    }
    println!("{certain} inside for certain, {rough} inside, {outside} outside; {evaluated} evaluations");
    assert!(certain > 400_000 && rough > 40_000 && outside > 40_000);
    assert!(evaluated < certain);
}

/// One rule whose trip starts its references anew.
fn restarting(draws: &mut Draws) -> Config {
    let width = *draws.pick(&[3_000, 20_000]);
    let mean = format!(
        r#"{{"type": "mean", "window_ns": {}, "hysteresis_ppm": {}, "life_ns": {}}}"#,
        draws.pick(&[50, 400, 5_000]),
        draws.pick(&[0, 2_000, 10_000]),
        draws.pick(&[0, 30, 500])
    );
    let range = |reference: &str| {
        format!(r#"{{"reference": {reference}, "width": {{"type": "ppm", "ppm": {width}}}, "reach": null}}"#)
    };
    let other = reference(draws);
    let ranges = if draws.below(2) == 0 { range(&mean) } else { [range(&mean), range(&other)].join(", ") };
    let json = include_str!("../../tests/data/example.json");
    let before = json.split("\"breakers\"").next().unwrap();
    let rule = format!(
        r#"{{"name": "anew", "markets": [0], "ranges": [{ranges}], "test": {{"type": "mark"}}, "rearm": {{"restart": true}},
            "action": {{"type": "interrupt", "phase": "pause"}}, "exit": {{"after_ns": 5}}}}"#
    );
    Config::new(&format!("{before}\"breakers\": [{rule}]}}")).unwrap()
}

fn bytes_of(breakers: &Breakers, now: Nanos) -> Vec<u8> {
    let mut w = Writer::new();
    breakers.encode(now, &mut w);
    w.finish()
}

/// References have not been told a step, and one of them is a mean that is old enough to be replaced.
fn waits_past_its_life(breakers: &Breakers, now: Nanos) -> bool {
    let is_past = |(since, life): (Nanos, Nanos)| life.is_positive() && now >= since.later(life);
    let is_old = |watch: &Watch| watch.reference_since().is_some_and(is_past);
    !breakers.untold.is_empty() && breakers.watches.iter().any(is_old)
}

#[test]
fn references_that_are_told_late_are_what_they_would_be() {
    let (mut late, mut old, mut anew, mut restored) = (0_u64, 0_u64, 0_u64, 0_u64);
    for seed in 1..=2 * SETS {
        let mut draws = Draws(seed, 0);
        let config = restarting(&mut draws);
        let mut breakers = Breakers::new(&config, MarketId::new(0));
        let mut told = breakers.clone();
        let (mut now, mut price) = (Nanos::new(1), 10_000_i64);
        let calm = *draws.pick(&[1_u64, 3, 12]);
        for step in 0..STEPS {
            draws.walk((&mut now, &mut price), calm);
            if draws.below(40) == 0 {
                breakers.refresh(now, Standing::default());
            }
            if draws.below(400) == 0 {
                let bounds = Bounds::EVERYTHING;
                let at = Price::new(price + i64::try_from(draws.below(401)).unwrap() - 200);
                let trip = Trip {
                    rule: 0,
                    asked: Asked::Count,
                    price: at,
                    reference: at,
                    side: Side::Buy,
                    bounds,
                    phase: Phase::Pause,
                    end: now,
                    auction: None,
                };
                for of in [&mut breakers, &mut told] {
                    of.trip(&trip, now);
                }
                anew += 1;
            }
            for _ in 0..=draws.below(3) {
                let traded = Price::new(price + i64::try_from(draws.below(3)).unwrap());
                for of in [&mut breakers, &mut told] {
                    of.trade(traded);
                }
            }
            for of in [&mut breakers, &mut told] {
                of.observe(now);
            }
            told.tell_trades();
            late += u64::from(!breakers.untold.is_empty());
            old += u64::from(waits_past_its_life(&breakers, now));
            if draws.below(8) == 0 {
                let bytes = bytes_of(&breakers, now);
                let place = || format!("seed {seed}, step {step}: {}", config.canonical());
                assert_eq!(bytes, bytes_of(&told, now), "{}", place());
                if draws.below(40) == 0 {
                    breakers = Breakers::new(&config, MarketId::new(0));
                    breakers.decode(&mut Reader::new(&bytes, "breakers")).unwrap();
                    restored += 1;
                }
            }
        }
    }
    println!("{late} steps told late, {old} past a life; {anew} starts anew, {restored} restored");
    assert!(late > 400_000 && old > 100_000 && anew > 4_000 && restored > 1_000);
}
