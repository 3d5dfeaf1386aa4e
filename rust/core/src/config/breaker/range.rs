//! The range of a breaker: what prices are measured from, and how far they may go.

use super::super::{ConfigError, PRICE_MAX, refuse};
use crate::units::{BILLION, MILLION, Nanos, Ppb, Ppm, Price};
use serde::{Deserialize, Serialize};

/// The widest share: a thousand times the price.
const WIDEST: i64 = 1000 * MILLION;
/// Nested widths of one range.
const DEPTH_MAX: u32 = 8;

/// One range of a breaker: a reference and a width.
///
/// The reference is of type `R`: a [`Reference`] as it is configured, or the place of one in a list of what is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range<R = Reference> {
    /// What is measured from.
    pub reference: R,
    /// How far a price may go.
    pub width: Width<R>,
    /// A price that the range contains, whatever the width; null for none.
    #[serde(default = "none")]
    pub reach: Option<R>,
}

fn none<R>() -> Option<R> {
    None
}

/// Prices that a reference is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Trades in the book, auctions included.
    Trade,
    /// The mark.
    Mark,
}

/// What a range is measured from. A rule rests as long as one of its references has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reference {
    /// A price that is told by a command: the close or settlement of the day before.
    Set {
        /// The price until then; null for none.
        price: Option<Price>,
    },
    /// The price of the last auction.
    Auction,
    /// The last price as of the start of the step.
    Last {
        /// Of what.
        prices: Watched,
    },
    /// The last price that is at least so old.
    Aged {
        /// Of what.
        prices: Watched,
        /// The age.
        age_ns: Nanos,
        /// As long as there is none that old, the first one is taken.
        or_first: bool,
    },
    /// The mean of the trades of a while, each with the same weight, which replaces the reference only if it differs
    /// enough and the reference is old enough.
    Mean {
        /// Length of the window.
        window_ns: Nanos,
        /// Least difference as a share of the reference.
        hysteresis_ppm: Ppm,
        /// Least age of the reference.
        life_ns: Nanos,
    },
    /// The lowest and the highest price of a while: the upper bound is measured from the lowest, the lower from the
    /// highest.
    Window {
        /// Of what.
        prices: Watched,
        /// Length of the window.
        window_ns: Nanos,
    },
    /// The mark.
    Mark,
    /// The index.
    Index,
    /// The index, followed by no more than a share of itself at each new one.
    Slewed {
        /// The share.
        most_ppm: Ppm,
    },
    /// The index and the mean premium of the middle of the book over it in a while.
    IndexPremium {
        /// Length of the window.
        window_ns: Nanos,
    },
    /// The touch: the upper bound is measured from the best ask, the lower from the best bid.
    Touch,
    /// The middle of the touch.
    Mid,
    /// The standard deviation of the marks of a while, to a millionth of a tick, rounded down; a width is a share of it.
    Deviation {
        /// Length of the window.
        window_ns: Nanos,
    },
}

/// How far a price may go from the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Width<R = Reference> {
    /// Any distance.
    Infinite,
    /// A share of a price.
    Ppm {
        /// The share.
        ppm: Ppm,
        /// Of which price; null for the reference itself.
        #[serde(default = "none")]
        of: Option<R>,
        /// The product is cut down to a multiple of so many ticks; null for exact.
        #[serde(default)]
        step: Option<Price>,
    },
    /// A number of ticks.
    Ticks {
        /// The number.
        ticks: Price,
    },
    /// Another width for each side; null for any distance.
    BySide {
        /// Above the reference.
        up: Option<Box<Width<R>>>,
        /// Below the reference.
        down: Option<Box<Width<R>>>,
    },
    /// By the price: the last row whose `from` is not above it.
    Tiers {
        /// Which price; null for the reference itself.
        #[serde(default = "none")]
        by: Option<R>,
        /// The rows, by `from`, the first from zero.
        rows: Vec<WidthTier<R>>,
    },
    /// The quantile of the price at a horizon.
    Quantile(Quantile),
    /// A multiple at some times of the day.
    Hours {
        /// Of which width.
        of: Box<Width<R>>,
        /// The times; the first row that holds counts.
        rows: Vec<Hour>,
    },
    /// Shares of the reference below it, by level: the range ends at the first. For rules by index alone.
    Levels {
        /// The shares, rising.
        ppm: Vec<Ppm>,
    },
    /// The least of some.
    LesserOf {
        /// Of which.
        of: Vec<Width<R>>,
    },
    /// The greatest of some.
    GreaterOf {
        /// Of which.
        of: Vec<Width<R>>,
    },
}

/// A log-normal price with a drift and a volatility per year of 365.25 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Drift per year.
    pub drift_ppm: Ppm,
    /// Volatility per year.
    pub volatility_ppm: Ppm,
    /// The horizon.
    pub horizon_ns: Nanos,
    /// Probability that the price is inside, two-sided.
    pub probability_ppb: Ppb,
}

/// A row of widths by price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidthTier<R = Reference> {
    /// The lowest price of the row.
    pub from: Price,
    /// The width.
    pub width: Width<R>,
}

/// A row of multiples by time of the market's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    /// The first time.
    pub from_ns: Nanos,
    /// The first time after it.
    pub until_ns: Nanos,
    /// The multiple.
    pub multiple_ppm: Ppm,
}

impl<R> Range<R> {
    /// The same range with each reference replaced.
    pub fn map<S>(&self, with: &mut impl FnMut(&R) -> S) -> Range<S> {
        Range {
            reference: with(&self.reference),
            width: self.width.map(with),
            reach: self.reach.as_ref().map(with),
        }
    }
}

impl<R> Width<R> {
    fn map<S>(&self, with: &mut impl FnMut(&R) -> S) -> Width<S> {
        match self {
            Self::Infinite => Width::Infinite,
            Self::Ppm { ppm, of, step } => Width::Ppm { ppm: *ppm, of: of.as_ref().map(with), step: *step },
            Self::Ticks { ticks } => Width::Ticks { ticks: *ticks },
            Self::BySide { up, down } => {
                let mut side = |of: &Option<Box<Self>>| of.as_ref().map(|of| Box::new(of.map(with)));
                Width::BySide { up: side(up), down: side(down) }
            }
            Self::Tiers { by, rows } => Width::Tiers {
                by: by.as_ref().map(&mut *with),
                rows: rows
                    .iter()
                    .map(|row| WidthTier { from: row.from, width: row.width.map(with) })
                    .collect(),
            },
            Self::Quantile(quantile) => Width::Quantile(*quantile),
            Self::Hours { of, rows } => Width::Hours { of: Box::new(of.map(with)), rows: rows.clone() },
            Self::Levels { ppm } => Width::Levels { ppm: ppm.clone() },
            Self::LesserOf { of } => Width::LesserOf { of: of.iter().map(|w| w.map(with)).collect() },
            Self::GreaterOf { of } => Width::GreaterOf { of: of.iter().map(|w| w.map(with)).collect() },
        }
    }

    /// Every quantile in it.
    pub(crate) fn quantiles(&self, found: &mut Vec<Quantile>) {
        match self {
            Self::Quantile(quantile) => found.push(*quantile),
            Self::BySide { up, down } => [up, down].into_iter().flatten().for_each(|w| w.quantiles(found)),
            Self::Tiers { rows, .. } => rows.iter().for_each(|row| row.width.quantiles(found)),
            Self::Hours { of, .. } => of.quantiles(found),
            Self::LesserOf { of } | Self::GreaterOf { of } => of.iter().for_each(|w| w.quantiles(found)),
            Self::Infinite | Self::Ppm { .. } | Self::Ticks { .. } | Self::Levels { .. } => {}
        }
    }

    /// True if the width depends on the time of the day.
    pub(crate) fn has_hours(&self) -> bool {
        match self {
            Self::Hours { .. } => true,
            Self::BySide { up, down } => [up, down].into_iter().flatten().any(|w| w.has_hours()),
            Self::Tiers { rows, .. } => rows.iter().any(|row| row.width.has_hours()),
            Self::LesserOf { of } | Self::GreaterOf { of } => of.iter().any(Self::has_hours),
            Self::Infinite
            | Self::Ppm { .. }
            | Self::Ticks { .. }
            | Self::Quantile(_)
            | Self::Levels { .. } => false,
        }
    }

    /// True if the bounds that it makes never move against their references: where those may move up and down, the ends of
    /// that room say what is inside for certain. Steps and rows of a price that moves break it.
    pub(crate) fn is_smooth(&self, moves: &impl Fn(&R) -> bool) -> bool {
        match self {
            Self::Infinite | Self::Ticks { .. } | Self::Quantile(_) | Self::Levels { .. } => true,
            Self::Ppm { step, .. } => step.is_none(),
            Self::BySide { up, down } => [up, down].into_iter().flatten().all(|w| w.is_smooth(moves)),
            Self::Tiers { by, rows } => {
                by.as_ref().is_some_and(|by| !moves(by)) && rows.iter().all(|row| row.width.is_smooth(moves))
            }
            Self::Hours { of, .. } => of.is_smooth(moves),
            Self::LesserOf { of } | Self::GreaterOf { of } => of.iter().all(|w| w.is_smooth(moves)),
        }
    }

    /// The latest time of the day from which a multiple holds.
    pub(super) fn latest_hour(&self) -> Option<Nanos> {
        match self {
            Self::Hours { rows, .. } => rows.iter().map(|row| row.from_ns).max(),
            Self::BySide { up, down } => {
                [up, down].into_iter().flatten().filter_map(|w| w.latest_hour()).max()
            }
            Self::Tiers { rows, .. } => rows.iter().filter_map(|row| row.width.latest_hour()).max(),
            Self::LesserOf { of } | Self::GreaterOf { of } => of.iter().filter_map(Self::latest_hour).max(),
            Self::Infinite
            | Self::Ppm { .. }
            | Self::Ticks { .. }
            | Self::Quantile(_)
            | Self::Levels { .. } => None,
        }
    }

    /// The next time of the day at which a multiple changes; none if there is none any more today.
    pub(crate) fn next_hour(&self, time: Nanos) -> Option<Nanos> {
        match self {
            Self::Hours { rows, .. } => {
                rows.iter().flat_map(|row| [row.from_ns, row.until_ns]).filter(|at| *at > time).min()
            }
            Self::BySide { up, down } => {
                [up, down].into_iter().flatten().filter_map(|w| w.next_hour(time)).min()
            }
            Self::Tiers { rows, .. } => rows.iter().filter_map(|row| row.width.next_hour(time)).min(),
            Self::LesserOf { of } | Self::GreaterOf { of } => {
                of.iter().filter_map(|w| w.next_hour(time)).min()
            }
            Self::Infinite
            | Self::Ppm { .. }
            | Self::Ticks { .. }
            | Self::Quantile(_)
            | Self::Levels { .. } => None,
        }
    }

    /// True for a share that a width may have.
    pub(crate) fn is_share(share: Ppm) -> bool {
        (1..=WIDEST).contains(&share.get())
    }
}

impl Reference {
    fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let times: &[(&str, Nanos)] = match self {
            Self::Aged { age_ns, .. } => &[("age_ns", *age_ns)],
            Self::Mean { window_ns, .. }
            | Self::Window { window_ns, .. }
            | Self::IndexPremium { window_ns }
            | Self::Deviation { window_ns } => &[("window_ns", *window_ns)],
            Self::Set { .. }
            | Self::Auction
            | Self::Last { .. }
            | Self::Mark
            | Self::Index
            | Self::Slewed { .. }
            | Self::Touch
            | Self::Mid => &[],
        };
        for (name, time) in times {
            if !time.is_positive() {
                return refuse(format!("{at}.{name}"), format!("{time}: must be positive"));
            }
        }
        match *self {
            Self::Mean { hysteresis_ppm: h, life_ns: l, .. } if h.is_negative() || l.is_negative() => {
                refuse(format!("{at}.hysteresis_ppm"), "hysteresis_ppm and life_ns must not be negative")
            }
            Self::Slewed { most_ppm: m } if !(1..=MILLION).contains(&m.get()) => {
                refuse(format!("{at}.most_ppm"), format!("{m}: must be 1 to 1000000"))
            }
            Self::Set { price: Some(price) } if !(1..=PRICE_MAX).contains(&price.get()) => {
                refuse(format!("{at}.price"), format!("{price}: must be 1 to {PRICE_MAX}, or null for none"))
            }
            _ => Ok(()),
        }
    }
}

impl Range {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        for (name, reference) in [("reference", Some(&self.reference)), ("reach", self.reach.as_ref())] {
            let Some(reference) = reference else { continue };
            if matches!(reference, Reference::Deviation { .. }) {
                return refuse(format!("{at}.{name}"), "a deviation is no price; give a width a share of it");
            }
            reference.prove(&format!("{at}.{name}"))?;
        }
        self.width.prove(&format!("{at}.width"), 0)
    }
}

impl Width {
    fn prove(&self, at: &str, depth: u32) -> Result<(), ConfigError> {
        if depth > DEPTH_MAX {
            return refuse(at, format!("is nested more than {DEPTH_MAX} times; write it flatter"));
        }
        match self {
            Self::Ppm { ppm, of, step } => {
                if !Self::is_share(*ppm) {
                    let why = format!("{ppm}: must be 1 to {WIDEST}; a width of nothing admits nothing");
                    return refuse(format!("{at}.ppm"), why);
                }
                if let Some(step) = step.filter(|s| !s.is_positive()) {
                    return refuse(
                        format!("{at}.step"),
                        format!("{step}: must be positive, or null for exact"),
                    );
                }
                of.iter().try_for_each(|of| of.prove(&format!("{at}.of")))
            }
            Self::Ticks { ticks } if !(1..=1000 * PRICE_MAX).contains(&ticks.get()) => {
                let why =
                    format!("{ticks}: must be 1 to {}; a width of nothing admits nothing", 1000 * PRICE_MAX);
                refuse(format!("{at}.ticks"), why)
            }
            Self::Infinite | Self::Ticks { .. } => Ok(()),
            Self::BySide { up, down } => {
                for (name, of) in [("up", up), ("down", down)] {
                    if let Some(of) = of {
                        of.prove(&format!("{at}.{name}"), depth + 1)?;
                    }
                }
                Ok(())
            }
            Self::Tiers { by, rows } => {
                by.iter().try_for_each(|by| by.prove(&format!("{at}.by")))?;
                if rows.first().is_none_or(|row| !row.from.is_zero()) {
                    return refuse(format!("{at}.rows"), "the first row must be from 0");
                }
                if rows.windows(2).any(|pair| pair[0].from >= pair[1].from) {
                    return refuse(format!("{at}.rows"), "from must rise");
                }
                let mut rows = rows.iter().enumerate();
                rows.try_for_each(|(i, row)| row.width.prove(&format!("{at}.rows[{i}].width"), depth + 1))
            }
            Self::Quantile(Quantile { drift_ppm, volatility_ppm, horizon_ns, probability_ppb }) => {
                for (name, value, least, most) in [
                    ("drift_ppm", drift_ppm.get(), -100 * MILLION, 100 * MILLION),
                    ("volatility_ppm", volatility_ppm.get(), 1, 100 * MILLION),
                    ("horizon_ns", horizon_ns.get(), 1, 366 * 86_400 * BILLION),
                    ("probability_ppb", probability_ppb.get(), 1, BILLION - 1),
                ] {
                    if !(least..=most).contains(&value) {
                        return refuse(format!("{at}.{name}"), format!("{value}: must be {least} to {most}"));
                    }
                }
                Ok(())
            }
            Self::Hours { of, rows } => {
                for (i, row) in rows.iter().enumerate() {
                    if row.from_ns.is_negative() || row.until_ns <= row.from_ns {
                        let why = "from_ns must not be negative and until_ns later; write a time across midnight as two";
                        return refuse(format!("{at}.rows[{i}]"), why);
                    }
                    if !(1..=WIDEST).contains(&row.multiple_ppm.get()) {
                        let why = format!("{}: must be 1 to 1000000000", row.multiple_ppm);
                        return refuse(format!("{at}.rows[{i}].multiple_ppm"), why);
                    }
                }
                if of.has_hours() {
                    return refuse(format!("{at}.of"), "has hours of its own; write one list of hours");
                }
                of.prove(&format!("{at}.of"), depth + 1)
            }
            Self::Levels { ppm } => {
                let rises = ppm.windows(2).all(|pair| pair[0] < pair[1]);
                let inside = ppm.iter().all(|p| (1..MILLION).contains(&p.get()));
                if ppm.is_empty() || ppm.len() > 16 || !rises || !inside {
                    return refuse(format!("{at}.ppm"), "must be 1 to 16 rising shares, each 1 to 999999");
                }
                Ok(())
            }
            Self::LesserOf { of } | Self::GreaterOf { of } => {
                if of.is_empty() {
                    return refuse(format!("{at}.of"), "is empty; name at least one width");
                }
                let mut all = of.iter().enumerate();
                all.try_for_each(|(i, w)| w.prove(&format!("{at}.of[{i}]"), depth + 1))
            }
        }
    }
}
