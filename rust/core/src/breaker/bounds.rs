//! Bounds: a range around its reference, exact until it is rounded once.

use crate::config::{Hour, Quantile, Range, Rounding, When, Width};
use crate::units::{Nanos, Ppm, Price, Ratio, Side};

/// Where a range begins on each side: the upper bound is measured from `up`, the lower from `down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// What the upper bound is measured from.
    pub up: Ratio,
    /// What the lower bound is measured from.
    pub down: Ratio,
}

impl Spot {
    /// The same price for both sides.
    #[must_use]
    pub const fn at(price: Ratio) -> Self {
        Self { up: price, down: price }
    }

    fn of(&self, side: Side) -> Ratio {
        match side {
            Side::Buy => self.up,
            Side::Sell => self.down,
        }
    }
}

/// The exact bounds of a range; none for any distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact {
    /// The lowest price inside.
    pub lower: Option<Ratio>,
    /// The highest price inside.
    pub upper: Option<Ratio>,
}

/// Bounds in ticks, both inside; the whole axis where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The lowest price inside.
    pub lower: Price,
    /// The highest price inside.
    pub upper: Price,
}

impl Bounds {
    /// Every price.
    pub const EVERYTHING: Self = Self { lower: Price::new(i64::MIN), upper: Price::MAX };

    /// True if a price is inside.
    #[must_use]
    #[inline(always)]
    pub fn contains(&self, price: Price) -> bool {
        self.lower <= price && price <= self.upper
    }

    /// The bound that matters for a side: the highest price for a buyer, the lowest for a seller.
    #[must_use]
    pub fn of(&self, side: Side) -> Option<Price> {
        match side {
            Side::Buy => (self.upper != Self::EVERYTHING.upper).then_some(self.upper),
            Side::Sell => (self.lower != Self::EVERYTHING.lower).then_some(self.lower),
        }
    }

    /// Bounds as a record carries them, zero for none.
    pub(crate) fn told(lower: u64, upper: u32) -> Self {
        let lower = i64::try_from(lower).ok().filter(|lower| *lower > 0).map(Price::new);
        Self {
            lower: lower.unwrap_or(Self::EVERYTHING.lower),
            upper: if upper == 0 { Self::EVERYTHING.upper } else { Price::new(upper.into()) },
        }
    }

    /// What is inside both.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self { lower: self.lower.max(other.lower), upper: self.upper.min(other.upper) }
    }
}

/// What the bounds of a range are made from: the price of each reference, the time of the market's day, and by how
/// much widths are widened.
pub trait Sight<R> {
    /// The price of a reference; none if it has none yet.
    fn spot(&self, reference: &R) -> Option<Spot>;
    /// The same of a reference that only a width is made from.
    fn base(&self, reference: &R) -> Option<Spot> {
        self.spot(reference)
    }
    /// The time since the start of the market's day.
    fn time_of_day(&self) -> Nanos;
    /// The factors of a quantile, up and down.
    fn factors(&self, quantile: &Quantile) -> [Ratio; 2];
}

/// The exact bounds of a range; none as long as a reference has no price.
///
/// Nothing is rounded but what a width says of itself (`step`), docs/mechanics.md section 9.2.
pub fn bounds<R>(range: &Range<R>, sight: &impl Sight<R>) -> Option<Exact> {
    let spot = sight.spot(&range.reference)?;
    let reach = match &range.reach {
        Some(reference) => Some(sight.spot(reference)?),
        None => None,
    };
    let upper = match distance(&range.width, Side::Buy, &spot, sight)? {
        Distance::Any => None,
        Distance::Of(width) => {
            let upper = spot.up.plus(width);
            Some(reach.map_or(upper, |reach| upper.max(reach.up)))
        }
    };
    let lower = match distance(&range.width, Side::Sell, &spot, sight)? {
        Distance::Any => None,
        Distance::Of(width) => {
            let lower = spot.down.minus(width);
            Some(reach.map_or(lower, |reach| lower.min(reach.down)))
        }
    };
    Some(Exact { lower, upper })
}

/// A width in ticks; any distance is more than every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    Of(Ratio),
    Any,
}

impl Distance {
    fn times(self, multiple: Ppm) -> Self {
        match self {
            Self::Of(width) if multiple != Ppm::ONE => Self::Of(width.times_ppm(multiple)),
            same => same,
        }
    }
}

/// The width of one side; none as long as a reference has no price.
fn distance<R>(width: &Width<R>, side: Side, spot: &Spot, sight: &impl Sight<R>) -> Option<Distance> {
    let base = |of: &Option<R>| match of {
        Some(reference) => sight.base(reference).map(|spot| spot.of(side)),
        None => Some(spot.of(side)),
    };
    Some(match width {
        Width::Infinite => Distance::Any,
        Width::Ppm { ppm, of, step } => {
            let exact = base(of)?.times_ppm(*ppm);
            Distance::Of(step.map_or(exact, |step| Ratio::of_price(exact.step_down(step))))
        }
        Width::Ticks { ticks } => Distance::Of(Ratio::of_price(*ticks)),
        Width::BySide { up, down } => match if side == Side::Buy { up } else { down } {
            Some(width) => distance(width, side, spot, sight)?,
            None => Distance::Any,
        },
        Width::Tiers { by, rows } => {
            let price = base(by)?;
            let here = rows.iter().rev().find(|row| Ratio::of_price(row.from) <= price);
            // A price below the first row is one below zero.
            distance(&here.or(rows.first())?.width, side, spot, sight)?
        }
        Width::Quantile(quantile) => {
            let [up, down] = sight.factors(quantile);
            let factor = if side == Side::Buy { up } else { down };
            let moved = spot.of(side).times(factor.numerator(), factor.denominator());
            Distance::Of(if side == Side::Buy { moved.minus(spot.up) } else { spot.down.minus(moved) })
        }
        Width::Hours { of, rows } => {
            distance(of, side, spot, sight)?.times(multiple_at(rows, sight.time_of_day()))
        }
        Width::Levels { ppm } => match side {
            Side::Buy => Distance::Any,
            Side::Sell => Distance::Of(spot.down.times_ppm(*ppm.first()?)),
        },
        Width::LesserOf { of } => extreme(of, side, spot, sight, Distance::min)?,
        Width::GreaterOf { of } => extreme(of, side, spot, sight, Distance::max)?,
    })
}

fn extreme<R>(
    of: &[Width<R>],
    side: Side,
    spot: &Spot,
    sight: &impl Sight<R>,
    pick: fn(Distance, Distance) -> Distance,
) -> Option<Distance> {
    let mut found = None;
    for width in of {
        let next = distance(width, side, spot, sight)?;
        found = Some(found.map_or(next, |so_far| pick(so_far, next)));
    }
    found
}

fn multiple_at(rows: &[Hour], time: Nanos) -> Ppm {
    let here = rows.iter().find(|row| row.from_ns <= time && time < row.until_ns);
    here.map_or(Ppm::ONE, |row| row.multiple_ppm)
}

impl Rounding {
    /// A price rounded to its step; the same without one.
    #[must_use]
    pub(super) fn apply(self, price: Ratio) -> Ratio {
        match self {
            Self::Inward => price,
            Self::HalfUp { step } => Ratio::of_price(price.nearest(step, false)),
            Self::HalfEven { step } => Ratio::of_price(price.nearest(step, true)),
        }
    }
}

/// The range that several make, exact: their intersection, or the smallest range that holds them all.
#[must_use]
pub fn combined(ranges: &[Exact], when: When) -> Exact {
    let none = Exact { lower: None, upper: None };
    let both = |a: Option<Ratio>, b: Option<Ratio>, pick: fn(Ratio, Ratio) -> Ratio| match when {
        When::OutsideAny => a.zip(b).map(|(a, b)| pick(a, b)).or(a).or(b),
        When::OutsideAll => a.zip(b).map(|(a, b)| pick(a, b)),
    };
    let joined = ranges.iter().copied().reduce(|a, b| match when {
        When::OutsideAny => {
            Exact { lower: both(a.lower, b.lower, Ratio::max), upper: both(a.upper, b.upper, Ratio::min) }
        }
        When::OutsideAll => {
            Exact { lower: both(a.lower, b.lower, Ratio::min), upper: both(a.upper, b.upper, Ratio::max) }
        }
    });
    joined.unwrap_or(none)
}

/// Exact bounds in ticks. `inclusive`: a price at a bound is inside; else the first one short of it is the last inside.
#[must_use]
pub fn rounded(exact: &Exact, rounding: Rounding, inclusive: bool) -> Bounds {
    let tick = |of: Option<Ratio>, side: Side| {
        let of = of.map(|of| rounding.apply(of));
        of.map(|of| of.inward(side, !inclusive))
    };
    Bounds {
        // No price is below one.
        lower: tick(exact.lower, Side::Sell)
            .map_or(Bounds::EVERYTHING.lower, |lower| lower.max(Price::new(1))),
        upper: tick(exact.upper, Side::Buy).unwrap_or(Bounds::EVERYTHING.upper),
    }
}

/// Which of some ranges a price leaves, and whether that is enough.
#[must_use]
pub fn left(ranges: &[Bounds], when: When, price: Price) -> (bool, Vec<usize>) {
    let outside: Vec<usize> = (0..ranges.len()).filter(|&i| !ranges[i].contains(price)).collect();
    let triggered = match when {
        When::OutsideAny => !outside.is_empty(),
        When::OutsideAll => !outside.is_empty() && outside.len() == ranges.len(),
    };
    (triggered, outside)
}

/// What becomes of an order at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It keeps its limit.
    Accepted,
    /// Its limit becomes this one.
    Capped(Price),
    /// It is refused.
    Refused,
}

/// How a constraint deals with an order at entry: `limit` is none for a market order, which is always limited to the
/// bound; `takes` is false for an order that meets nobody and is left alone.
#[must_use]
pub fn admit(bounds: &Bounds, side: Side, limit: Option<Price>, takes: bool, rejects: bool) -> Admitted {
    let Some(bound) = bounds.of(side) else { return Admitted::Accepted };
    let Some(limit) = limit else { return Admitted::Capped(bound) };
    if !takes || !side.gain(bound, limit).is_positive() {
        return Admitted::Accepted;
    }
    if rejects { Admitted::Refused } else { Admitted::Capped(bound) }
}
