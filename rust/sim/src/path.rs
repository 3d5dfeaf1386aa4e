//! The path of a market's index: a seeded bridge through the scenario's bars.
//!
//! Inside a bar the path starts at the open, stays within low and high, touches both and ends at the close, to the
//! tick. Knows nothing of the venue. [`flood`] gives the level that tells an overshoot from a lasting fall.

use crate::rng::{Seed, agent, purpose};
use crate::scenario::{Bridge, Market};
use std::collections::VecDeque;

/// One bar on the grid of steps.
struct Bar {
    /// Number of the bar, the key of its draws.
    number: u64,
    /// Step at which it begins.
    begin: usize,
    /// Step at which it ends.
    end: usize,
    /// Open, high, low, close in ticks.
    prices: [i64; 4],
}

/// The index at `start` and after every step, in ticks.
///
/// A market with a lead takes the times of its extremes, and a share of its shape, from the lead's path.
#[must_use]
pub fn path(
    market: &Market,
    bridge: Bridge,
    step_ns: i64,
    seed: Seed,
    number: u32,
    lead: Option<&[i64]>,
) -> Vec<i64> {
    let mut path = Vec::new();
    path.push(market.path.first().and_then(|s| s.bars.first()).map_or(1, |bar| bar[0]));
    let mut bar_number = 0;
    for segment in &market.path {
        let steps = usize::try_from(segment.duration_ns / step_ns).unwrap_or(1);
        for &prices in &segment.bars {
            let begin = path.len() - 1;
            let bar = Bar { number: bar_number, begin, end: begin + steps, prices };
            draw_bar(&mut path, &bar, bridge, (seed, agent::PATH + number), lead);
            bar_number += 1;
        }
    }
    path
}

/// Appends the steps of one bar.
fn draw_bar(path: &mut Vec<i64>, bar: &Bar, bridge: Bridge, draw: (Seed, u32), lead: Option<&[i64]>) {
    let [open, high, low, close] = bar.prices;
    if low == high {
        path.resize(bar.end + 1, low);
        return;
    }
    let mut knots = vec![(bar.begin, open)];
    knots.extend(extremes(bar, draw, lead));
    knots.push((bar.end, close));
    let lead_range = lead.map(|l| {
        let part = &l[bar.begin..=bar.end];
        (part.iter().max().unwrap_or(&0) - part.iter().min().unwrap_or(&0)).max(1)
    });
    let range = (high - low) as f64;
    let share = if lead.is_some() { bridge.lead_share } else { 0.0 };
    let own = (1.0 - share * share).sqrt();
    let deviation = own * bridge.roughness * range / ((bar.end - bar.begin) as f64).sqrt();
    for pair in knots.windows(2) {
        let ((from, a), (to, b)) = (pair[0], pair[1]);
        let mut x = a as f64;
        for step in from + 1..to {
            let left = (to - step) as f64;
            let z = draw.0.normal(draw.1, purpose::BRIDGE, step as u64);
            x += (b as f64 - x) / (left + 1.0) + deviation * (left / (left + 1.0)).sqrt() * z;
            x = fold(x, low as f64, high as f64);
            let shape = match (lead, lead_range) {
                (Some(l), Some(r)) => share * lead_residual(l, from, to, step) * range / r as f64,
                _ => 0.0,
            };
            path.push(round(fold(x + shape, low as f64, high as f64)).clamp(low, high));
        }
        path.push(b);
    }
}

/// Knots at which the bar touches its extremes, unless its close does so already.
fn extremes(bar: &Bar, (seed, agent): (Seed, u32), lead: Option<&[i64]>) -> Vec<(usize, i64)> {
    let [open, high, low, close] = bar.prices;
    let (choice, _) = seed.pair(agent, purpose::EXTREMES, 2 * bar.number);
    let (u, v) = seed.pair(agent, purpose::EXTREMES, 2 * bar.number + 1);
    // The shorter way round is likelier: travelled distance squared stands for the time that a diffusion takes.
    let low_first = ((open - low) + (high - low) + (high - close)) as f64;
    let high_first = ((high - open) + (high - low) + (close - low)) as f64;
    let low_is_first = choice * (low_first * low_first + high_first * high_first) < high_first * high_first;
    let mut values = if low_is_first { vec![low, high] } else { vec![high, low] };
    values.retain(|&value| value != close);
    let inner = bar.begin + 1..bar.end;
    if let Some(lead) = lead {
        // Ties go to the earlier step.
        let at = |value: i64| {
            let key = |&step: &usize| if value == low { lead[step] } else { -lead[step] };
            inner.clone().min_by_key(key).unwrap_or(inner.start)
        };
        let mut knots: Vec<(usize, i64)> = values.iter().map(|&value| (at(value), value)).collect();
        knots.sort_unstable();
        if knots.len() == 2 && knots[0].0 == knots[1].0 {
            let shared = knots[0].0;
            if shared + 1 < bar.end { knots[1].0 += 1 } else { knots[0].0 -= 1 }
        }
        return knots;
    }
    // Times in proportion to the distances of the legs, with noise.
    let range = (high - low) as f64;
    let mut stops = vec![open];
    stops.extend(&values);
    stops.push(close);
    let noise = [0.5 + u, 0.5 + v, 0.5 + choice];
    let legs: Vec<f64> = stops
        .windows(2)
        .zip(noise)
        .map(|(leg, noise)| ((leg[1] - leg[0]).abs() as f64 + 0.05 * range) * noise)
        .collect();
    let total: f64 = legs.iter().sum();
    let steps = (bar.end - bar.begin) as f64;
    let count = values.len();
    let mut knots = Vec::with_capacity(count);
    let mut reached = 0.0;
    for (i, value) in values.into_iter().enumerate() {
        reached += legs[i];
        let wanted = bar.begin + usize::try_from(round(steps * reached / total)).unwrap_or(0);
        let earliest = bar.begin + 1 + i;
        let latest = bar.end - (count - i);
        knots.push((wanted.clamp(earliest, latest), value));
    }
    if count == 2 && knots[1].0 <= knots[0].0 {
        knots[1].0 = knots[0].0 + 1;
    }
    knots
}

/// How far the lead is off the straight line between two steps.
fn lead_residual(lead: &[i64], from: usize, to: usize, step: usize) -> f64 {
    let (a, b) = (lead[from] as f64, lead[to] as f64);
    lead[step] as f64 - (a + (b - a) * (step - from) as f64 / (to - from) as f64)
}

/// Reflects a price at the bounds.
fn fold(x: f64, low: f64, high: f64) -> f64 {
    let inside = if x < low {
        2.0 * low - x
    } else if x > high {
        2.0 * high - x
    } else {
        x
    };
    inside.clamp(low, high)
}

/// The nearest whole number, halves up.
pub(crate) fn round(x: f64) -> i64 {
    libm::floor(x + 0.5) as i64
}

/// The level that the path had within `window` steps before and has within `window` steps after: the lower of the two
/// maxima. What the path is below it is a fall that was taken back within the window.
#[must_use]
pub fn flood(path: &[i64], window: usize) -> Vec<i64> {
    let before = rolling_max(path.iter().copied(), window);
    let mut after = rolling_max(path.iter().rev().copied(), window);
    after.reverse();
    before.into_iter().zip(after).map(|(a, b)| a.min(b)).collect()
}

/// Maximum of each element and the `window` elements before it.
fn rolling_max(values: impl Iterator<Item = i64>, window: usize) -> Vec<i64> {
    let mut candidates: VecDeque<(usize, i64)> = VecDeque::new();
    let mut maxima = Vec::new();
    for (i, value) in values.enumerate() {
        while candidates.back().is_some_and(|&(_, other)| other <= value) {
            candidates.pop_back();
        }
        candidates.push_back((i, value));
        while candidates.front().is_some_and(|&(at, _)| at + window < i) {
            candidates.pop_front();
        }
        maxima.push(candidates.front().map_or(value, |&(_, max)| max));
    }
    maxima
}

/// The path with a share of every overshoot taken out (in logarithms), as real numbers of ticks.
#[must_use]
pub fn fundamental(path: &[i64], window: usize, cascade_share: f64) -> Vec<f64> {
    path.iter()
        .zip(flood(path, window))
        .map(|(&price, level)| {
            let price = price as f64;
            price * libm::exp(cascade_share * libm::log(level as f64 / price))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Depth, Segment};

    const SECOND: i64 = 1_000_000_000;

    fn market(duration_ns: i64, bars: Vec<[i64; 4]>) -> Market {
        Market {
            path: vec![Segment { start: 0, duration_ns, source: 0, bars }],
            lead: None,
            open_interest: 0,
            account_weight: 1.0,
            depth: Depth { bids: vec![(1.0, 1)], asks: vec![(1.0, 1)] },
        }
    }

    fn assert_bars_hold(path: &[i64], steps: usize, bars: &[[i64; 4]]) {
        assert_eq!(path.len(), steps * bars.len() + 1);
        for (i, &[_, high, low, close]) in bars.iter().enumerate() {
            let part = &path[i * steps + 1..=(i + 1) * steps];
            assert_eq!(part.iter().min(), Some(&low), "bar {i} touches its low");
            assert_eq!(part.iter().max(), Some(&high), "bar {i} touches its high");
            assert_eq!(part.last(), Some(&close), "bar {i} ends at its close");
        }
    }

    const BARS: [[i64; 4]; 7] = [
        [1000, 1010, 900, 950],
        [950, 960, 950, 955],
        [955, 955, 955, 955],
        [955, 955, 800, 800],
        [800, 990, 800, 990],
        [985, 986, 984, 985],
        [985, 986, 985, 986],
    ];
    const BRIDGE: Bridge = Bridge { roughness: 0.5, lead_share: 0.7 };

    #[test]
    fn every_bar_is_touched_and_closed_to_the_tick_for_many_seeds() {
        for seed in 0..200 {
            for steps in [4, 5, 60] {
                let bars = market(SECOND * steps, BARS.to_vec());
                let path = path(&bars, BRIDGE, SECOND, Seed(seed), 0, None);
                assert_bars_hold(&path, usize::try_from(steps).unwrap(), &BARS);
            }
        }
    }

    #[test]
    fn a_led_market_keeps_its_bars_and_falls_when_its_lead_falls() {
        let lead_bars = market(SECOND * 60, BARS.to_vec());
        let hour = [[4000, 4010, 3400, 3900]];
        let led = market(SECOND * 420, hour.to_vec());
        for seed in 0..50 {
            let lead = path(&lead_bars, BRIDGE, SECOND, Seed(seed), 0, None);
            let path = path(&led, BRIDGE, SECOND, Seed(seed), 1, Some(&lead));
            assert_bars_hold(&path, 420, &hour);
            let low = (1..lead.len()).min_by_key(|&step| lead[step]).unwrap();
            assert_eq!(path[low], 3400);
        }
    }

    #[test]
    fn seeds_draw_different_paths() {
        let bars = market(SECOND * 60, BARS.to_vec());
        let draw = |seed| path(&bars, BRIDGE, SECOND, Seed(seed), 0, None);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn only_what_was_taken_back_is_an_overshoot() {
        let path = [10, 10, 4, 6, 9, 9, 5, 5, 5, 5];
        assert_eq!(flood(&path, 3), [10, 10, 9, 9, 9, 9, 5, 5, 5, 5]);
        let share = fundamental(&path, 3, 1.0);
        assert!((share[2] - 9.0).abs() < 1e-9);
        assert!((fundamental(&path, 3, 0.0)[2] - 4.0).abs() < 1e-9);
    }
}
