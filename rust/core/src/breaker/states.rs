//! State machines of breakers as pure functions: limit states, levels of a day, gaps, ends, reopening collars.

use super::bounds::Bounds;
use crate::config::{GapRow, LevelRow, ReopeningCollar, Rounding};
use crate::units::{Nanos, Ppm, Price, Ratio, Side};

/// How a touch stands to the bounds of a market (limit up-limit down).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteState {
    /// Inside.
    Normal,
    /// The best ask stands at the lower bound (sells), or the best bid at the upper one (buys).
    Limit(Side),
    /// The best bid is below the lower bound (sells), or the best ask above the upper one (buys).
    Straddle(Side),
}

/// The state of a touch; a book that is crossed is in no limit state.
#[must_use]
pub fn quote_state(bounds: &Bounds, bid: Option<Price>, ask: Option<Price>) -> QuoteState {
    let crossed = bid.zip(ask).is_some_and(|(bid, ask)| bid > ask);
    let (lower, upper) = (bounds.of(Side::Sell), bounds.of(Side::Buy));
    if !crossed && ask.is_some() && ask == lower {
        QuoteState::Limit(Side::Sell)
    } else if !crossed && bid.is_some() && bid == upper {
        QuoteState::Limit(Side::Buy)
    } else if bid.zip(lower).is_some_and(|(bid, lower)| bid < lower) {
        QuoteState::Straddle(Side::Sell)
    } else if ask.zip(upper).is_some_and(|(ask, upper)| ask > upper) {
        QuoteState::Straddle(Side::Buy)
    } else {
        QuoteState::Normal
    }
}

/// How a limit state ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOutcome {
    /// The quotes that made it are gone.
    Resume,
    /// It lasted to its end.
    Pause,
    /// It lasted to its end, and a pause would begin too late in the day.
    CloseOnly,
}

/// The outcome of a limit state: `cleared` if its quotes went before its end, and `left`, the time from its end to the
/// close of the market; none without a close.
#[must_use]
pub fn limit_outcome(cleared: bool, left: Option<Nanos>, close_only: Nanos) -> LimitOutcome {
    if cleared {
        LimitOutcome::Resume
    } else if left.is_some_and(|left| left <= close_only) {
        LimitOutcome::CloseOnly
    } else {
        LimitOutcome::Pause
    }
}

/// The prices of levels below a reference: `R (1 - share)` each, rounded.
#[must_use]
pub fn level_prices(reference: &Ratio, shares: &[Ppm], rounding: Rounding) -> Vec<Ratio> {
    let exact = shares.iter().map(|share| reference.minus(reference.times_ppm(*share)));
    exact.map(|price| rounding.apply(price)).collect()
}

/// The row of a schedule that a price calls for: how many levels it has reached (at or below), and the row of that
/// level with the latest `from` that is not after the time of the day; none if that level has acted today or has no row.
#[must_use]
pub fn scheduled<'a>(
    levels: &[Ratio],
    price: Price,
    time: Nanos,
    rows: &'a [LevelRow],
    acted: impl Fn(usize) -> bool,
) -> (usize, Option<&'a LevelRow>) {
    let price = Ratio::of_price(price);
    let level = levels.iter().filter(|level| price <= **level).count();
    if level == 0 || acted(level) {
        return (level, None);
    }
    let here = rows.iter().filter(|row| usize::from(row.level) == level && row.from_ns <= time);
    (level, here.max_by_key(|row| row.from_ns))
}

/// How a later trigger moves the end of an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndMode {
    /// To its own end, if that is later.
    Latest,
    /// By its length.
    Add,
}

/// The end of an interruption after another trigger: `value` is an end, or a length to add.
#[must_use]
pub fn later_end(mode: EndMode, end: Nanos, value: Nanos) -> Nanos {
    match mode {
        EndMode::Latest => end.max(value),
        EndMode::Add => end.later(value),
    }
}

/// The row for a gap in time: the one with the greatest gap that is not above it; rows are never summed (Vega).
#[must_use]
pub fn gap_row(rows: &[GapRow], gap: Nanos) -> Option<&GapRow> {
    rows.iter().filter(|row| row.gap_ns <= gap).max_by_key(|row| row.gap_ns)
}

/// The collar of a reopening auction after so many extensions: on the side of the bound that was hit it moves out by
/// steps, of which there is one more than extensions; on the other side it is the other bound.
#[must_use]
pub fn reopening_collar(bounds: &Bounds, hit: Side, extensions: u32, collar: &ReopeningCollar) -> Bounds {
    let Some(at) = bounds.of(hit) else { return *bounds };
    let exact = Ratio::of_price(at);
    let step = match collar.flat {
        Some(flat) if at <= flat.up_to => Ratio::of_price(flat.step),
        _ => exact.times_ppm(collar.step_ppm),
    };
    let moved = step.times(i128::from(extensions) + 1, 1);
    let edge = match hit {
        Side::Buy => exact.plus(moved),
        Side::Sell => exact.minus(moved),
    };
    let edge = collar.rounding.apply(edge).inward(hit, false);
    match hit {
        Side::Buy => Bounds { upper: edge, ..*bounds },
        Side::Sell => Bounds { lower: edge.max(Price::new(1)), ..*bounds },
    }
}

/// The edge of the range `R (1 -+ width)`, rounded inwards to `tick`, that is nearer to a price outside it: the next
/// reference (Japan Exchange, dynamic breaker). None for a price inside.
#[must_use]
pub fn re_reference(reference: Price, width: Ppm, tick: Price, price: Price) -> (Bounds, Option<Price>) {
    let exact = Ratio::of_price(reference);
    let distance = exact.times_ppm(width);
    let up = |of: Ratio| -Ratio::of_price(Price::ZERO).minus(of).step_down(tick);
    let bounds = Bounds { lower: up(exact.minus(distance)), upper: exact.plus(distance).step_down(tick) };
    let next = if bounds.lower > bounds.upper {
        None
    } else if price > bounds.upper {
        Some(bounds.upper)
    } else if price < bounds.lower {
        Some(bounds.lower)
    } else {
        None
    };
    // A range that does not reach the next tick would stay where it is, and one without a tick inside has no edge.
    (bounds, next.filter(|next| *next != reference))
}
