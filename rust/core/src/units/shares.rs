//! Whole units shared out over weights, under caps: lots among accounts, or money.
//!
//! Ties go to the earlier account everywhere.

use super::wide::{mul_div_rem, mul_wide};
use super::{div_ceil, div_floor, narrow};
use core::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// An exact share: whole units and a fraction of one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Whole units.
    pub whole: i64,
    /// Numerator of the fraction, below its denominator.
    pub rest: u128,
    /// Denominator of the fraction: the same for every account that is below its cap.
    pub of: u128,
}

impl Share {
    const fn of_whole(whole: i64) -> Self {
        Self { whole, rest: 0, of: 1 }
    }
}

/// Shares `total` out in exact proportion to weights, as far as the caps allow: `min(cap, level x weight)` with one
/// common level that gives out `total`, or every cap where the caps sum to less. Nothing for a weight of zero.
///
/// # Panics
/// If there is not one cap for each weight, or the weights sum to more than 128 bits hold.
#[must_use]
pub(crate) fn pro_rata(total: i64, weights: &[u128], caps: &[i64]) -> Vec<Share> {
    assert_eq!(weights.len(), caps.len(), "one cap for each weight");
    let mut shares = vec![Share::of_whole(0); weights.len()];
    let mut open: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0 && caps[i] > 0).collect();
    let mut left = total.max(0);
    while left > 0 && !open.is_empty() {
        let weight = open.iter().map(|&i| weights[i]).reduce(sum).unwrap_or_default();
        let (before, round) = (open.len(), left.unsigned_abs().into());
        open.retain(|&i| {
            let is_full = mul_wide(round, weights[i]) >= mul_wide(caps[i].unsigned_abs().into(), weight);
            if is_full {
                shares[i] = Share::of_whole(caps[i]);
                left -= caps[i];
            }
            !is_full
        });
        if open.len() == before {
            for i in open {
                let (whole, rest) = mul_div_rem(round, weights[i], weight);
                let whole = i64::try_from(whole).expect("a share is below its cap");
                shares[i] = Share { whole, rest, of: weight };
            }
            return shares;
        }
    }
    shares
}

fn sum(a: u128, b: u128) -> u128 {
    a.checked_add(b).expect("weights sum to more than 128 bits hold")
}

/// Makes exact shares whole: what the fractions add up to goes one by one to the largest of them, ties to the
/// earlier. A share below its cap is at most one below it, so no cap is broken.
#[must_use]
pub fn whole_units(shares: &[Share]) -> Vec<i64> {
    let mut whole: Vec<i64> = shares.iter().map(|s| s.whole).collect();
    let mut rests: Vec<(u128, usize)> = Vec::new();
    // The fractions have one denominator and add up to a whole number of units.
    let (mut units, mut over, mut of) = (0, 0, 1);
    for (i, share) in shares.iter().enumerate().filter(|(_, s)| s.rest > 0) {
        of = share.of;
        rests.push((share.rest, i));
        if over >= of - share.rest {
            over -= of - share.rest;
            units += 1;
        } else {
            over += share.rest;
        }
    }
    assert!(over == 0 && of > 0, "fractions of shares add up to whole units");
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for &(_, i) in &rests[..units] {
        whole[i] += 1;
    }
    whole
}

/// Splits `total` units over weights in whole units: largest remainder under caps, ties to the earlier.
///
/// Accounts whose share reaches their cap get the cap; the rest is divided again until none does, rounded down,
/// and what is left goes one by one to the largest remainders. Sums to `min(total, sum of caps)`.
///
/// # Panics
/// If there is not one cap for each weight.
#[must_use]
pub fn largest_remainder(total: i64, weights: &[i64], caps: &[i64]) -> Vec<i64> {
    whole_units(&pro_rata(total, &positive(weights), caps))
}

/// Splits `total` units one at a time, each to the least `(2 k + 1) / weight`, k being what an account has and below
/// its cap, ties to the earlier: Webster's method. One unit more never takes one from anybody.
/// Costs `n log n`, not `total`.
///
/// # Panics
/// If there is not one cap for each weight.
#[must_use]
pub(crate) fn webster(total: i64, weights: &[i64], caps: &[i64]) -> Vec<i64> {
    let (weights, count) = (positive(weights), i64::try_from(weights.len()).expect("a count fits"));
    // At the level that shares out n / 2 units less, rounding half up gives out at most `total`.
    let start = pro_rata(total - (count + 1) / 2, &weights, caps);
    let rounded = start.iter().map(|s| s.whole + i64::from(s.rest >= s.of - s.rest)).collect();
    one_by_one(total, &weights, caps, rounded, |k| 2 * k + 1)
}

/// Splits `total` units one at a time, each to the least `(k + 1) / weight`: the greatest share of a weight is as small
/// as whole units allow. Else as [`webster`].
///
/// # Panics
/// If there is not one cap for each weight.
#[must_use]
pub(crate) fn min_max(total: i64, weights: &[i64], caps: &[i64]) -> Vec<i64> {
    let weights = positive(weights);
    let start = pro_rata(total, &weights, caps).iter().map(|s| s.whole).collect();
    one_by_one(total, &weights, caps, start, |k| k + 1)
}

/// Gives each in turn its cap until nothing is left; as long as it got: nobody after that is looked at.
#[must_use]
pub(crate) fn in_turn(total: i64, caps: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut left = total.max(0);
    let mut caps = caps.into_iter();
    let mut given = Vec::new();
    while left > 0 {
        let Some(cap) = caps.next() else { break };
        let part = cap.clamp(0, left);
        left -= part;
        given.push(part);
    }
    given
}

/// `ceil(levels x part / whole)`, at least 1: the level in which a running sum ends. The parts are not negative.
#[must_use]
pub(crate) fn level_up(part: i128, whole: i128, levels: u32) -> u32 {
    if whole <= 0 {
        return 1;
    }
    let level = div_ceil(i128::from(levels) * part, whole).clamp(1, i128::from(levels));
    u32::try_from(level).expect("at most the number of levels")
}

/// The group, from 1, of a place, from 0, where `count` places are in groups of `ceil(count / levels)`.
#[must_use]
pub(crate) fn group_of(place: usize, count: usize, levels: u32) -> u32 {
    let size = count.div_ceil(usize::try_from(levels).expect("32 bits fit")).max(1);
    u32::try_from(place / size + 1).expect("at most the number of levels")
}

fn positive(weights: &[i64]) -> Vec<u128> {
    weights.iter().map(|&w| u128::from(w.max(0).unsigned_abs())).collect()
}

/// The next unit of an account: its divisor over its weight, then its place.
struct Next {
    divisor: u128,
    weight: u128,
    place: usize,
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> Ordering {
        let value = mul_wide(self.divisor, other.weight).cmp(&mul_wide(other.divisor, self.weight));
        value.then(self.place.cmp(&other.place))
    }
}
impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Next {}

/// Goes on from shares that a divisor method gives at some total of at most `total`: at most n units are left.
fn one_by_one(
    total: i64,
    weights: &[u128],
    caps: &[i64],
    mut shares: Vec<i64>,
    divisor: fn(u128) -> u128,
) -> Vec<i64> {
    let next = |place: usize, has: i64| {
        let open = weights[place] > 0 && has < caps[place];
        let divisor = divisor(has.unsigned_abs().into());
        open.then(|| Reverse(Next { divisor, weight: weights[place], place }))
    };
    let mut queue: BinaryHeap<_> = (0..shares.len()).filter_map(|i| next(i, shares[i])).collect();
    let mut left = total.max(0) - shares.iter().sum::<i64>();
    assert!(left >= 0 || total < 0, "a start gives out no more than the total");
    while left > 0 {
        let Some(Reverse(Next { place, .. })) = queue.pop() else { break };
        shares[place] = narrow(i128::from(shares[place]) + 1);
        left -= 1;
        queue.extend(next(place, shares[place]));
    }
    shares
}

/// Millionths of a unit, in which fractions are carried.
const CARRY: i128 = 1_000_000;
/// The most that is carried: a thousand units.
const CARRIED_MAX: i128 = 1_000_000_000;

/// [`largest_remainder`] over rounds: what each is due is its exact share, rounded down to a millionth, and what it carries
/// from before. Units go one by one to who is due most after those that it has, ties to the earlier, as far as the caps
/// allow. Returns the units and what each carries then; nothing for a weight of zero and where the cap is reached.
///
/// # Panics
/// If there is not one cap and one carry for each weight.
#[must_use]
pub(crate) fn with_carry(total: i64, weights: &[i64], caps: &[i64], carried: &[i64]) -> (Vec<i64>, Vec<i64>) {
    assert_eq!(weights.len(), carried.len(), "one carry for each weight");
    let shares = pro_rata(total, &positive(weights), caps);
    let millionths = |s: &Share| {
        let fraction = mul_div_rem(s.rest, CARRY.unsigned_abs(), s.of).0.cast_signed();
        i128::from(s.whole) * CARRY + fraction
    };
    let due: Vec<i128> = shares.iter().zip(carried).map(|(s, c)| millionths(s) + i128::from(*c)).collect();
    let caps: Vec<i64> =
        weights.iter().zip(caps).map(|(w, cap)| if *w > 0 { *cap.max(&0) } else { 0 }).collect();
    let left = caps.iter().map(|cap| i128::from(*cap)).sum::<i128>().min(i128::from(total.max(0)));
    // Units of one account at which it is due at least a level before it gets them.
    let above = |i: usize, level: i128| {
        let units = div_floor(due[i] - level, CARRY) + 1;
        units.clamp(0, i128::from(caps[i]))
    };
    let given = |level| (0..due.len()).map(|i| above(i, level)).sum::<i128>();
    // The greatest level at which all units are given; there are none to give above every account.
    let mut high = due.iter().max().map_or(0, |most| most + 1);
    let mut low =
        (0..due.len()).map(|i| due[i] - CARRY * i128::from(caps[i])).min().unwrap_or(0).min(high - 1);
    while high - low > 1 {
        let middle = low + div_floor(high - low, 2);
        if given(middle) >= left { low = middle } else { high = middle }
    }
    let mut over = left - given(low + 1);
    let units: Vec<i64> = (0..due.len())
        .map(|i| {
            let units = above(i, low + 1);
            let one = over > 0 && above(i, low) > units;
            over -= i128::from(one);
            i64::try_from(units + i128::from(one)).expect("a share is at most its cap")
        })
        .collect();
    let carries = (0..due.len()).map(|i| {
        let rest = if units[i] == caps[i] { 0 } else { due[i] - CARRY * i128::from(units[i]) };
        i64::try_from(rest.clamp(-CARRIED_MAX, CARRIED_MAX)).expect("it is limited")
    });
    let carries = carries.collect();
    (units, carries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit at a time, as the definition has it.
    fn slow(total: i64, weights: &[i64], caps: &[i64], divisor: fn(i64) -> i64) -> Vec<i64> {
        let mut shares = vec![0i64; weights.len()];
        for _ in 0..total {
            let open = (0..weights.len()).filter(|&i| weights[i] > 0 && shares[i] < caps[i]);
            let least = open.min_by(|&i, &j| {
                let value = |a: usize, b: usize| i128::from(divisor(shares[a])) * i128::from(weights[b]);
                value(i, j).cmp(&value(j, i))
            });
            let Some(i) = least else { break };
            shares[i] += 1;
        }
        shares
    }

    #[test]
    fn divisor_methods_give_what_one_unit_at_a_time_gives() {
        let mut state = 1u64;
        let mut below = |n: u64| {
            state = crate::units::draw(state, &[1]);
            i64::try_from(state % n).unwrap()
        };
        for round in 0..4000 {
            let n = usize::try_from(1 + below(6)).unwrap();
            let weights: Vec<i64> = (0..n).map(|_| below(12)).collect();
            let caps: Vec<i64> = (0..n).map(|_| below(15)).collect();
            let total = below(50);
            let seen = (webster(total, &weights, &caps), min_max(total, &weights, &caps));
            let told = (slow(total, &weights, &caps, |k| 2 * k + 1), slow(total, &weights, &caps, |k| k + 1));
            assert_eq!(seen, told, "round {round}: {total} over {weights:?} under {caps:?}");
        }
    }

    #[test]
    fn shares_at_the_edge_of_the_range_are_exact() {
        let big = i64::MAX;
        assert_eq!(largest_remainder(big, &[big, big], &[big, big]), [big / 2 + 1, big / 2]);
        assert_eq!(webster(big, &[big, big], &[big, big]), [big / 2 + 1, big / 2]);
        assert_eq!(min_max(big, &[1, big], &[big, big]), [1, big - 1], "the last unit is a tie");
        let huge = u128::MAX / 4;
        let shares = pro_rata(10, &[huge, huge, huge], &[10, 2, 10]);
        assert_eq!(shares.iter().map(|s| s.whole).collect::<Vec<_>>(), [4, 2, 4]);
    }

    #[test]
    fn a_share_and_its_rest_are_exact() {
        let shares = pro_rata(7, &[1, 2, 0], &[9, 9, 9]);
        let parts: Vec<_> = shares.iter().map(|s| (s.whole, s.rest, s.of)).collect();
        assert_eq!(parts, [(2, 1, 3), (4, 2, 3), (0, 0, 1)]);
        assert_eq!(whole_units(&shares), [2, 5, 0]);
        assert_eq!(pro_rata(-1, &[1], &[1]), [Share { whole: 0, rest: 0, of: 1 }]);
    }
}
