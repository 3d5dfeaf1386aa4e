//! References, widths and bounds of docs/mechanics.md sections 9.1 and 9.2, from all that was ever seen, each time anew.

use super::fraction::{Fraction, quantile_factor};
use serde_json::Value;

/// Prices inside: from the first to the second, both included.
pub(crate) type Inside = (i64, i64);
/// Every price.
pub(crate) const EVERYTHING: Inside = (i64::MIN, i64::MAX);

/// Prices with the time of their step.
pub(crate) type Steps = Vec<(i64, Vec<i64>)>;

/// All that references of a market are made of.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Trades of each step that counts, in order; an auction is one.
    pub(crate) trades: Steps,
    /// The mark of each step that counts.
    pub(crate) marks: Steps,
    /// Every index: its time, the price, and twice the middle of the book.
    pub(crate) indices: Vec<(i64, i64, Option<i64>)>,
    /// The price of the last auction.
    pub(crate) auction: Option<i64>,
    /// The mark as it stands.
    pub(crate) mark: Option<i64>,
}

/// Where the references of a rule began anew: so much of the history lies before it; the price, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) trades: usize,
    pub(crate) marks: usize,
    pub(crate) indices: usize,
    pub(crate) price: i64,
    pub(crate) at: i64,
}

/// What the references of a rule are looked at with.
pub(crate) struct Eye<'a> {
    pub(crate) history: &'a History,
    pub(crate) begun: Option<Begun>,
    /// The price that a command told.
    pub(crate) told: Option<i64>,
    pub(crate) now: i64,
    /// Time since the start of the day.
    pub(crate) time: i64,
    pub(crate) bid: Option<i64>,
    pub(crate) ask: Option<i64>,
}

/// References of the upper and of the lower bound.
pub(crate) type Spots = (Fraction, Fraction);

pub(crate) fn whole(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is not a whole number"))
}

fn name(value: &Value) -> &str {
    value["type"].as_str().expect("a part of a rule has a type")
}

fn both(price: Option<i64>) -> Option<Spots> {
    price.map(|p| (Fraction::from(p), Fraction::from(p)))
}

impl Eye<'_> {
    /// Steps of the prices that a reference names, since it began.
    fn steps(&self, reference: &Value) -> &[(i64, Vec<i64>)] {
        if name(reference) == "deviation" {
            // It does not begin anew.
            return &self.history.marks;
        }
        let marks = reference["prices"] == "mark";
        let (steps, first) = if marks {
            (&self.history.marks, self.begun.map_or(0, |b| b.marks))
        } else {
            (&self.history.trades, self.begun.map_or(0, |b| b.trades))
        };
        &steps[first..]
    }

    /// The price of a reference.
    pub(crate) fn spots(&self, reference: &Value) -> Option<Spots> {
        let steps = self.steps(reference);
        let begun = self.begun.map(|b| b.price);
        let last = |step: &(i64, Vec<i64>)| *step.1.last().expect("a step has prices");
        match name(reference) {
            "set" => both(self.told.or(reference["price"].as_i64())),
            "auction" => both(self.history.auction),
            "last" => both(steps.last().map(last).or(begun)),
            "aged" => {
                let edge = self.now - whole(&reference["age_ns"]);
                let old = steps.iter().rfind(|step| step.0 <= edge).map(last).or(begun);
                let first = steps.first().map(last).filter(|_| reference["or_first"] == true);
                both(old.or(first))
            }
            "mean" => self.mean(reference).map(|mean| (mean, mean)),
            "window" => {
                let edge = self.now - whole(&reference["window_ns"]);
                let standing = steps.iter().rfind(|step| step.0 <= edge).map(last).or(begun);
                let young = steps.iter().filter(|step| step.0 > edge).flat_map(|step| step.1.iter().copied());
                let all: Vec<i64> = standing.into_iter().chain(young).collect();
                Some((Fraction::from(*all.iter().min()?), Fraction::from(*all.iter().max()?)))
            }
            "mark" => both(self.history.mark),
            "index" => both(self.index()),
            "slewed" => {
                let most = whole(&reference["most_ppm"]);
                let (first, mut price) = self.begun.map_or((0, None), |b| (b.indices, Some(b.price)));
                for &(_, index, _) in &self.history.indices[first..] {
                    price = Some(match price {
                        None => index,
                        Some(price) => {
                            let step = (price * most / 1_000_000).max(1);
                            index.clamp(price - step, price + step)
                        }
                    });
                }
                both(price)
            }
            "index_premium" => {
                let edge = self.now - whole(&reference["window_ns"]);
                let premia: Vec<i64> = self
                    .history
                    .indices
                    .iter()
                    .filter(|row| row.0 > edge)
                    .filter_map(|row| Some(row.2? - 2 * row.1))
                    .collect();
                let index = Fraction::from(self.index()?);
                let spot = match i64::try_from(premia.len()).expect("few") {
                    0 => index,
                    count => index.plus(Fraction::new(premia.iter().sum(), 2 * count)),
                };
                Some((spot, spot))
            }
            "touch" => Some((Fraction::from(self.ask?), Fraction::from(self.bid?))),
            "mid" => {
                let mid = Fraction::new(self.bid? + self.ask?, 2);
                Some((mid, mid))
            }
            "deviation" => {
                let edge = self.now - whole(&reference["window_ns"]);
                let young: Vec<i128> =
                    steps.iter().filter(|step| step.0 > edge).map(|step| last(step).into()).collect();
                let count = i128::try_from(young.len()).expect("few");
                if count == 0 {
                    return None;
                }
                let sum: i128 = young.iter().sum();
                let spread = count * young.iter().map(|p| p * p).sum::<i128>() - sum * sum;
                let root = (spread * 1_000_000_000_000 / (count * count)).isqrt();
                let deviation = Fraction::of(root, 1_000_000);
                Some((deviation, deviation))
            }
            other => panic!("no reference {other}"),
        }
    }

    fn index(&self) -> Option<i64> {
        self.history.indices.last().map(|row| row.1)
    }

    /// The mean that took the place of the reference last: every step since it began is gone through.
    fn mean(&self, reference: &Value) -> Option<Fraction> {
        let steps = self.steps(reference);
        let (window, life) = (whole(&reference["window_ns"]), whole(&reference["life_ns"]));
        let hysteresis = Fraction::new(whole(&reference["hysteresis_ppm"]), 1_000_000);
        let mut stands = self.begun.map(|b| (Fraction::from(b.price), b.at));
        for (i, (at, _)) in steps.iter().enumerate() {
            if stands.is_some_and(|(_, since)| at - since < life) {
                continue;
            }
            let young = steps[..=i].iter().rev().take_while(|s| s.0 > at - window);
            let (sum, count) =
                young.flat_map(|s| &s.1).fold((0, 0), |(sum, count), price| (sum + price, count + 1));
            let mean = Fraction::new(sum, count);
            if stands.is_none_or(|(price, _)| mean.minus(price).abs() >= price.times(hysteresis)) {
                stands = Some((mean, *at));
            }
        }
        stands.map(|(price, _)| price)
    }

    /// The width of a side: none as long as a reference has no price; inside it, none for any distance.
    #[allow(clippy::option_option, reason = "no price yet, and no bound")]
    fn width(&self, width: &Value, up: bool, spots: Spots) -> Option<Option<Fraction>> {
        let side = |spots: Spots| if up { spots.0 } else { spots.1 };
        let base = |of: &Value| if of.is_null() { Some(side(spots)) } else { self.spots(of).map(side) };
        Some(match name(width) {
            "infinite" => None,
            "ppm" => {
                let share = base(&width["of"])?.times(Fraction::new(whole(&width["ppm"]), 1_000_000));
                let step = width["step"].as_i64();
                Some(step.map_or(share, |step| Fraction::from(share.floor().div_euclid(step) * step)))
            }
            "ticks" => Some(Fraction::from(whole(&width["ticks"]))),
            "by_side" => match &width[if up { "up" } else { "down" }] {
                Value::Null => None,
                of => self.width(of, up, spots)?,
            },
            "tiers" => {
                let price = base(&width["by"])?;
                let rows = width["rows"].as_array().expect("rows");
                let row = rows.iter().rfind(|row| Fraction::from(whole(&row["from"])) <= price);
                self.width(&row.expect("the first row is from 0")["width"], up, spots)?
            }
            "quantile" => {
                let factor = quantile_factor(
                    whole(&width["drift_ppm"]),
                    whole(&width["volatility_ppm"]),
                    whole(&width["horizon_ns"]),
                    whole(&width["probability_ppb"]),
                    up,
                );
                let moved = side(spots).times(factor);
                Some(if up { moved.minus(spots.0) } else { spots.1.minus(moved) })
            }
            "hours" => {
                let rows = width["rows"].as_array().expect("rows");
                let holds =
                    |r: &&Value| whole(&r["from_ns"]) <= self.time && self.time < whole(&r["until_ns"]);
                let multiple = rows.iter().find(holds).map_or(1_000_000, |row| whole(&row["multiple_ppm"]));
                let of = self.width(&width["of"], up, spots)?;
                of.map(|of| of.times(Fraction::new(multiple, 1_000_000)))
            }
            "levels" if up => None,
            "levels" => Some(spots.1.times(Fraction::new(whole(&width["ppm"][0]), 1_000_000))),
            which @ ("lesser_of" | "greater_of") => {
                let mut all = Vec::new();
                for of in width["of"].as_array().expect("widths") {
                    all.push(self.width(of, up, spots)?);
                }
                if which == "lesser_of" {
                    all.into_iter().flatten().min()
                } else if all.contains(&None) {
                    None
                } else {
                    all.into_iter().flatten().max()
                }
            }
            other => panic!("no width {other}"),
        })
    }

    /// What is inside each range of a rule, in ticks; none as long as a reference has no price.
    pub(crate) fn ranges(&self, rule: &Value, share: Option<i64>) -> Option<Vec<Inside>> {
        let strict = rule["inclusive"] == false;
        let mut inside = Vec::new();
        for (i, range) in rule["ranges"].as_array().into_iter().flatten().enumerate() {
            let mut width = range["width"].clone();
            if let Some(share) = share.filter(|_| i == 0) {
                width["ppm"] = share.into();
            }
            let spots = self.spots(&range["reference"])?;
            let reach = match &range["reach"] {
                Value::Null => None,
                of => Some(self.spots(of)?),
            };
            let upper = self.width(&width, true, spots)?.map(|w| spots.0.plus(w));
            let lower = self.width(&width, false, spots)?.map(|w| spots.1.minus(w));
            let upper = upper.map(|u| reach.map_or(u, |reach| u.max(reach.0)));
            let lower = lower.map(|l| reach.map_or(l, |reach| l.min(reach.1)));
            let upper = upper.map(|u| stepped(u, &rule["rounding"]));
            let lower = lower.map(|l| stepped(l, &rule["rounding"]));
            let highest = upper.map_or(EVERYTHING.1, |u| u.floor() - i64::from(strict && u.is_whole()));
            let lowest =
                lower.map_or(EVERYTHING.0, |l| (l.ceil() + i64::from(strict && l.is_whole())).max(1));
            inside.push((lowest, highest));
        }
        Some(inside)
    }

    /// Prices of the levels of a rule.
    pub(crate) fn levels(&self, rule: &Value) -> Option<Vec<Fraction>> {
        let range = &rule["ranges"][0];
        let spot = self.spots(&range["reference"])?.1;
        let shares = range["width"]["ppm"].as_array().expect("levels");
        let level = |share: &Value| spot.minus(spot.times(Fraction::new(whole(share), 1_000_000)));
        Some(shares.iter().map(|share| stepped(level(share), &rule["rounding"])).collect())
    }
}

/// A bound rounded as a rule says, before it becomes a tick.
fn stepped(bound: Fraction, rounding: &Value) -> Fraction {
    let Some(kind) = rounding["type"].as_str().filter(|kind| *kind != "inward") else { return bound };
    let step = whole(&rounding["step"]);
    let below = bound.times(Fraction::new(1, step)).floor();
    let rest = bound.minus(Fraction::from(below * step));
    let up = match rest.cmp(&Fraction::new(step, 2)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => kind == "half_up" || below % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    Fraction::from((below + i64::from(up)) * step)
}

/// What is inside all ranges, or inside the smallest interval that holds them.
pub(crate) fn joined(ranges: &[Inside], any: bool) -> Inside {
    let mut all = ranges.iter().copied();
    let Some(first) = all.next() else { return EVERYTHING };
    all.fold(first, |a, b| if any { (a.0.max(b.0), a.1.min(b.1)) } else { (a.0.min(b.0), a.1.max(b.1)) })
}
