//! Breakers: bounds, state machines, levels.

use super::{Fraction, demand, exact};
use crate::error::VectorError;
use crate::guarded::released;
use pyo3::prelude::*;
use seawall_core::config::{CollarFlat, GapRow, LevelRow, Quantile, Range, ReopeningCollar, Rounding, When};
use seawall_core::{
    Admitted, Bounds, EndMode, Exact, LimitOutcome, Nanos, Ppm, Price, QuoteState, Ratio, Side, Sight, Spot,
    Sum, admit, bounds, combined, gap_row, later_end, left, level_prices, limit_outcome, mean_reference,
    quantile_factors, quote_state, re_reference, reopening_collar, rounded, scheduled,
};
use serde::Deserialize;

/// A numerator and a denominator above zero.
type Given = (i128, i128);

fn ratio(of: Given) -> PyResult<Ratio> {
    demand(of.1 > 0 && of.0.unsigned_abs() < 1 << 96 && of.1 < 1 << 64, "a price is out of range")?;
    Ok(Ratio::new(Sum::new(of.0), Sum::new(of.1)))
}

fn side(buys: bool) -> Side {
    if buys { Side::Buy } else { Side::Sell }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|e| VectorError::new_err(e.to_string()))
}

/// The prices of references by their numbers, and the time of the day.
struct Told {
    spots: Vec<Spot>,
    time_of_day: Nanos,
}

impl Sight<usize> for Told {
    fn spot(&self, reference: &usize) -> Option<Spot> {
        self.spots.get(*reference).copied()
    }

    fn time_of_day(&self) -> Nanos {
        self.time_of_day
    }

    fn factors(&self, quantile: &Quantile) -> [Ratio; 2] {
        let Quantile { drift_ppm, volatility_ppm, horizon_ns, probability_ppb } = *quantile;
        quantile_factors(drift_ppm, volatility_ppm, horizon_ns, probability_ppb)
    }
}

/// Exact bounds, then whole ticks; each lower and upper, none for any distance.
type Found = ([Option<Fraction>; 2], [Option<i64>; 2]);

/// `seawall_core::bounds` of ranges (JSON, references by number), `combined` and `rounded`.
#[pyfunction]
pub(crate) fn breaker_bounds(
    py: Python<'_>,
    ranges: &str,
    rounding: &str,
    spots: Vec<(Given, Given)>,
    time_of_day: i64,
) -> PyResult<Found> {
    let ranges: Vec<Range<usize>> = read(ranges)?;
    let rounding: Rounding = read(rounding)?;
    let spots = spots.into_iter().map(|(up, down)| Ok(Spot { up: ratio(up)?, down: ratio(down)? }));
    let told = Told { spots: spots.collect::<PyResult<_>>()?, time_of_day: Nanos::new(time_of_day) };
    let found = released(py, move || {
        let each: Option<Vec<Exact>> = ranges.iter().map(|range| bounds(range, &told)).collect();
        each.map(|each| {
            let all = combined(&each, When::OutsideAny);
            let ticks = rounded(&all, rounding, true);
            let whole = [ticks.of(Side::Sell), ticks.of(Side::Buy)].map(|price| price.map(Price::get));
            ([all.lower, all.upper].map(|bound| bound.as_ref().map(exact)), whole)
        })
    })?;
    found.ok_or_else(|| VectorError::new_err("a reference has no price"))
}

/// `seawall_core::mean_reference`: the candidate, the reference after it, and whether it is another.
#[pyfunction]
pub(crate) fn breaker_mean(
    py: Python<'_>,
    reference: Given,
    age: i64,
    trades: Vec<i64>,
    hysteresis_ppm: i64,
    life: i64,
) -> PyResult<(Option<Fraction>, Fraction, bool)> {
    let reference = ratio(reference)?;
    released(py, move || {
        let (sum, count) =
            trades.iter().fold((0, 0), |(sum, count), price| (sum + i128::from(*price), count + 1));
        let rule = (Ppm::new(hysteresis_ppm), Nanos::new(life));
        let (candidate, updated) = mean_reference(&reference, Nanos::new(age), (sum, count), rule);
        let after = candidate.filter(|_| updated).unwrap_or(reference);
        (candidate.as_ref().map(exact), exact(&after), updated)
    })
}

/// `seawall_core::quote_state` and `limit_outcome`: state (0 normal, 1 limit, 2 straddle), whether the upper bound is
/// meant, outcome (0 resume, 1 pause, 2 close only).
#[pyfunction]
pub(crate) fn breaker_quote(
    py: Python<'_>,
    bounds: (i64, i64),
    touch: (i64, i64),
    cleared: bool,
    left: i64,
    close_only: i64,
) -> PyResult<(u8, bool, u8)> {
    released(py, move || {
        let inside = Bounds { lower: Price::new(bounds.0), upper: Price::new(bounds.1) };
        let state = quote_state(&inside, Some(Price::new(touch.0)), Some(Price::new(touch.1)));
        let outcome = match limit_outcome(cleared, Some(Nanos::new(left)), Nanos::new(close_only)) {
            LimitOutcome::Resume => 0,
            LimitOutcome::Pause => 1,
            LimitOutcome::CloseOnly => 2,
        };
        match state {
            QuoteState::Normal => (0, false, outcome),
            QuoteState::Limit(of) => (1, of == Side::Buy, outcome),
            QuoteState::Straddle(of) => (2, of == Side::Buy, outcome),
        }
    })
}

/// `seawall_core::admit`: 0 accepted, 1 capped, 2 refused, and the limit that the order keeps. `exact` are the bounds
/// before they become the last ticks inside.
#[pyfunction]
pub(crate) fn breaker_admit(
    py: Python<'_>,
    exact_bounds: (Given, Given),
    inclusive: bool,
    order: (bool, Option<i64>, bool),
    rejects: bool,
) -> PyResult<(u8, Option<i64>)> {
    let all = Exact { lower: Some(ratio(exact_bounds.0)?), upper: Some(ratio(exact_bounds.1)?) };
    released(py, move || {
        let (buys, limit, takes) = order;
        let inside = rounded(&all, Rounding::Inward, inclusive);
        match admit(&inside, side(buys), limit.map(Price::new), takes, rejects) {
            Admitted::Accepted => (0, limit),
            Admitted::Capped(price) => (1, Some(price.get())),
            Admitted::Refused => (2, None),
        }
    })
}

/// `seawall_core::left`: whether a price triggers, and which ranges it leaves.
#[pyfunction]
pub(crate) fn breaker_left(
    py: Python<'_>,
    ranges: Vec<(i64, i64)>,
    all: bool,
    price: i64,
) -> PyResult<(bool, Vec<usize>)> {
    released(py, move || {
        let bounds =
            |(lower, upper): &(i64, i64)| Bounds { lower: Price::new(*lower), upper: Price::new(*upper) };
        let ranges: Vec<Bounds> = ranges.iter().map(bounds).collect();
        left(&ranges, if all { When::OutsideAll } else { When::OutsideAny }, Price::new(price))
    })
}

/// `seawall_core::re_reference`: lower and upper bound, and the next reference.
#[pyfunction]
pub(crate) fn breaker_re_reference(
    py: Python<'_>,
    reference: i64,
    width_ppm: i64,
    tick: i64,
    price: i64,
) -> PyResult<(i64, i64, Option<i64>)> {
    demand(tick > 0 && width_ppm > 0, "tick and width must be positive")?;
    released(py, move || {
        let (range, next) =
            re_reference(Price::new(reference), Ppm::new(width_ppm), Price::new(tick), Price::new(price));
        (range.lower.get(), range.upper.get(), next.map(Price::get))
    })
}

/// `seawall_core::level_prices` and `scheduled`: levels, the level reached, and the number of its row.
#[pyfunction]
pub(crate) fn breaker_levels(
    py: Python<'_>,
    reference: Given,
    shares_ppm: Vec<i64>,
    rounding: &str,
    asked: (i64, i64),
    rows: &str,
    acted: Vec<usize>,
) -> PyResult<(Vec<Fraction>, usize, Option<usize>)> {
    let (reference, rounding): (Ratio, Rounding) = (ratio(reference)?, read(rounding)?);
    let rows: Vec<LevelRow> = read(rows)?;
    released(py, move || {
        let shares: Vec<Ppm> = shares_ppm.into_iter().map(Ppm::new).collect();
        let levels = level_prices(&reference, &shares, rounding);
        let (price, time) = (Price::new(asked.0), Nanos::new(asked.1));
        let (level, row) = scheduled(&levels, price, time, &rows, |level| acted.contains(&level));
        let place = row.and_then(|row| rows.iter().position(|other| std::ptr::eq(row, other)));
        (levels.iter().map(exact).collect(), level, place)
    })
}

/// `seawall_core::later_end`.
#[pyfunction]
pub(crate) fn breaker_end(py: Python<'_>, adds: bool, end: i64, value: i64) -> PyResult<i64> {
    released(py, move || {
        let mode = if adds { EndMode::Add } else { EndMode::Latest };
        later_end(mode, Nanos::new(end), Nanos::new(value)).get()
    })
}

/// `seawall_core::gap_row`: length of the auction, 0 for none.
#[pyfunction]
pub(crate) fn breaker_gap(py: Python<'_>, rows: Vec<(i64, i64)>, gap: i64) -> PyResult<i64> {
    released(py, move || {
        let row =
            |(gap, after): &(i64, i64)| GapRow { gap_ns: Nanos::new(*gap), after_ns: Nanos::new(*after) };
        let rows: Vec<GapRow> = rows.iter().map(row).collect();
        gap_row(&rows, Nanos::new(gap)).map_or(0, |row| row.after_ns.get())
    })
}

/// `seawall_core::reopening_collar` with a step of `step_ppm` of the bound that was hit, or `flat` (step, up to).
#[pyfunction]
pub(crate) fn breaker_collar(
    py: Python<'_>,
    bounds: (i64, i64),
    hits_upper: bool,
    extensions: u32,
    step_ppm: i64,
    flat: (i64, i64),
    rounding: &str,
) -> PyResult<(i64, i64)> {
    let rounding: Rounding = read(rounding)?;
    released(py, move || {
        let inside = Bounds { lower: Price::new(bounds.0), upper: Price::new(bounds.1) };
        let flat = Some(CollarFlat { step: Price::new(flat.0), up_to: Price::new(flat.1) });
        let collar = ReopeningCollar { step_ppm: Ppm::new(step_ppm), flat, rounding };
        let moved = reopening_collar(&inside, side(hits_upper), extensions, &collar);
        (moved.lower.get(), moved.upper.get())
    })
}
