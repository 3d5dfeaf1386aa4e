//! Lots of each winner: in turn, in proportion, or first what nothing hedges.

use crate::units::{Qty, Side, in_turn, largest_remainder, min_max, webster, with_carry};

/// How lots are shared out in proportion; ties go to the earlier claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apportionment {
    /// Rounded down, the rest to the largest fractions.
    LargestRemainder,
    /// One at a time to the least `(2 k + 1) / weight`.
    Webster,
    /// One at a time to the least `(k + 1) / weight`: the greatest `k / weight` is as small as it can be.
    MinMax,
}

/// What one account counts for in a share-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Claim {
    /// In proportion to this; nothing if it is not positive.
    pub weight: i64,
    /// At most this many lots.
    pub cap: Qty,
}

/// Lots of each claim, in the order of the claims: they sum to the residual, or to all caps if that is less.
///
/// [`Apportionment::MinMax`] with profits as weights is the min-max integer program of one contract: with a cost g per lot
/// it minimises the greatest haircut `g k / u`.
#[must_use]
pub fn allocate(rule: Apportionment, residual: Qty, claims: &[Claim]) -> Vec<Qty> {
    let weights: Vec<i64> = claims.iter().map(|c| c.weight).collect();
    let caps: Vec<i64> = claims.iter().map(|c| c.cap.get()).collect();
    let shares = match rule {
        Apportionment::LargestRemainder => largest_remainder(residual.get(), &weights, &caps),
        Apportionment::Webster => webster(residual.get(), &weights, &caps),
        Apportionment::MinMax => min_max(residual.get(), &weights, &caps),
    };
    shares.into_iter().map(Qty::new).collect()
}

/// [`Apportionment::LargestRemainder`] with what each account carries from the rounds before, in millionths of a lot: the
/// lots, and what each carries then.
///
/// What an account is due is its exact share and what it carries. Each lot goes to the account that is due most after those
/// that it has, ties to the earlier. An account that gives all it can carries nothing, nor does one of no weight.
#[must_use]
pub fn allocate_with_carry(residual: Qty, claims: &[Claim], carried: &[i64]) -> (Vec<Qty>, Vec<i64>) {
    let weights: Vec<i64> = claims.iter().map(|c| c.weight).collect();
    let caps: Vec<i64> = claims.iter().map(|c| c.cap.get()).collect();
    let (lots, carries) = with_carry(residual.get(), &weights, &caps, carried);
    (lots.into_iter().map(Qty::new).collect(), carries)
}

/// Lots by bands of a ranking: claims and their bands, from 1, in the order of the ranking. A band is asked once those before
/// it have given all they can; inside a band lots are shared out by largest remainder, ties to the earlier.
#[must_use]
pub fn rank_bands(residual: Qty, claims: &[Claim], bands: &[u32]) -> Vec<Qty> {
    let mut left = residual;
    let mut lots = Vec::with_capacity(claims.len());
    while lots.len() < claims.len() {
        let first = lots.len();
        let count = bands[first..].iter().take_while(|band| **band == bands[first]).count();
        let taken = allocate(Apportionment::LargestRemainder, left, &claims[first..first + count]);
        left -= taken.iter().copied().sum();
        lots.extend(taken);
    }
    lots
}

/// Lots of the first accounts of a ranking, whose caps are given in its order: each its cap until the residual is used
/// up; at most one is closed in part. Nobody after that is looked at, and the list ends there.
#[must_use]
pub fn queue(residual: Qty, caps: impl IntoIterator<Item = Qty>) -> Vec<Qty> {
    in_turn(residual.get(), caps.into_iter().map(Qty::get)).into_iter().map(Qty::new).collect()
}

/// A position with what hedges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hedged {
    /// Lots of the position, without sign.
    pub lots: Qty,
    /// At most this many are closed.
    pub cap: Qty,
    /// Signed positions elsewhere, in lots of this market.
    pub other: Qty,
}

impl Hedged {
    /// The account's exposure on both together.
    fn net(&self, side: Side) -> Qty {
        side.signed(self.lots) + self.other
    }

    /// Lots of the position that nothing hedges.
    fn unhedged(&self, side: Side) -> Qty {
        side.signed(self.net(side)).max(Qty::ZERO).min(self.lots)
    }
}

/// Lots closed in each of two passes, in the order of the positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TwoPass {
    /// Of what nothing hedges.
    pub first: Vec<Qty>,
    /// Of the rest.
    pub second: Vec<Qty>,
}

impl TwoPass {
    /// Lots closed in both.
    #[must_use]
    pub fn closed(&self) -> Vec<Qty> {
        self.first.iter().zip(&self.second).map(|(a, b)| *a + *b).collect()
    }
}

/// Hedge-aware deleveraging of positions of one side: first pro-rata on the lots that nothing hedges, then on the lots
/// still open; both by largest remainder.
#[must_use]
pub fn hedge_aware(side: Side, residual: Qty, positions: &[Hedged]) -> TwoPass {
    let share = |residual: Qty, weigh: &dyn Fn(usize) -> (Qty, Qty)| {
        let claims: Vec<Claim> = (0..positions.len())
            .map(weigh)
            .map(|(weight, cap)| Claim { weight: weight.get(), cap: cap.min(weight) })
            .collect();
        allocate(Apportionment::LargestRemainder, residual, &claims)
    };
    let first = share(residual, &|i| (positions[i].unhedged(side), positions[i].cap));
    let left = residual - first.iter().copied().sum();
    let second = share(left, &|i| (positions[i].lots - first[i], positions[i].cap - first[i]));
    TwoPass { first, second }
}

/// Exposure that closing lots of these positions leaves beyond what there was: the sum of
/// `max(0, |net - b closed| - |net|)`.
#[must_use]
pub fn leg_risk(side: Side, positions: &[Hedged], closed: &[Qty]) -> Qty {
    let risk = |(p, k): (&Hedged, &Qty)| {
        let net = p.net(side);
        ((net - side.signed(*k)).abs() - net.abs()).max(Qty::ZERO)
    };
    positions.iter().zip(closed).map(risk).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lots(numbers: &[i64]) -> Vec<Qty> {
        numbers.iter().copied().map(Qty::new).collect()
    }

    #[test]
    fn a_queue_closes_one_account_in_part_and_looks_at_nobody_after_it() {
        let mut looked = 0;
        let caps = lots(&[4, 0, 3, 5]).into_iter().inspect(|_| looked += 1);
        assert_eq!(queue(Qty::new(6), caps), lots(&[4, 0, 2]));
        assert_eq!(looked, 3);
        assert_eq!(queue(Qty::new(6), lots(&[4, 1])), lots(&[4, 1]));
        assert_eq!(queue(Qty::ZERO, lots(&[4])), lots(&[]));
    }

    #[test]
    fn a_band_is_asked_when_those_before_it_have_given_all() {
        let claims = [(3, 3), (1, 1), (5, 5), (5, 2), (9, 9)]
            .map(|(weight, cap)| Claim { weight, cap: Qty::new(cap) });
        let of = |residual| rank_bands(Qty::new(residual), &claims, &[1, 1, 2, 2, 3]);
        assert_eq!(of(3), lots(&[2, 1, 0, 0, 0]), "2.25 and 0.75 of the first band");
        assert_eq!(of(8), lots(&[3, 1, 2, 2, 0]));
        assert_eq!(of(50), lots(&[3, 1, 5, 2, 9]));
        assert_eq!(rank_bands(Qty::new(5), &[], &[]), lots(&[]));
    }

    #[test]
    fn what_is_carried_makes_small_rounds_fair() {
        // Three equal accounts, one lot a round: without carry the first gets it every time.
        let claims = [1, 1, 1].map(|weight| Claim { weight, cap: Qty::new(100) });
        let mut carried = vec![0; 3];
        let mut given = Vec::new();
        for _ in 0..6 {
            let (round, carries) = allocate_with_carry(Qty::new(1), &claims, &carried);
            given.push(round.iter().position(|lots| lots.is_positive()).expect("one lot"));
            carried = carries;
        }
        assert_eq!(given, [0, 1, 2, 0, 1, 2]);
        // Who gives all it can, or counts for nothing, carries nothing.
        let claims = [(9, 1), (1, 100), (0, 5)].map(|(weight, cap)| Claim { weight, cap: Qty::new(cap) });
        let (round, carries) = allocate_with_carry(Qty::new(3), &claims, &[400_000, -300_000, 900_000]);
        assert_eq!((round, carries), (lots(&[1, 2, 0]), vec![0, -300_000, 0]));
    }

    #[test]
    fn over_many_rounds_each_gets_its_share_to_a_lot_or_two() {
        let claims = [7, 13, 1, 29, 50].map(|weight| Claim { weight, cap: Qty::new(1000) });
        let (mut carried, mut sums, mut all, mut worst) = (vec![0; 5], [0i64; 5], 0, 0.0f64);
        for round in 0..2000 {
            let residual = 1 + round * round % 7;
            let (lots, carries) = allocate_with_carry(Qty::new(residual), &claims, &carried);
            assert_eq!(lots.iter().map(|q| q.get()).sum::<i64>(), residual);
            all += residual;
            for ((sum, lots), claim) in sums.iter_mut().zip(&lots).zip(&claims) {
                *sum += lots.get();
                #[allow(
                    clippy::cast_precision_loss,
                    clippy::float_arithmetic,
                    clippy::as_conversions,
                    reason = "a test"
                )]
                let off = (*sum as f64 - all as f64 * claim.weight as f64 / 100.0).abs();
                worst = worst.max(off);
            }
            carried = carries;
        }
        println!("at most {worst} lots from the exact share");
        assert!(worst < 1.5, "{worst} lots from the exact share");
    }

    #[test]
    fn min_max_keeps_the_greatest_burden_least() {
        // Profits 10 and 3, four lots: 3 and 1 burden 0.33; pro-rata would say 3.08 and 0.92, which is the same; six
        // lots: 5 and 1 (0.5) against largest remainder's 5 and 1; seven: 6 and 1 (0.6), not 5 and 2 (0.67).
        let claims = [10, 3].map(|weight| Claim { weight, cap: Qty::new(100) });
        let of = |residual| allocate(Apportionment::MinMax, Qty::new(residual), &claims);
        assert_eq!((of(4), of(6), of(7)), (lots(&[3, 1]), lots(&[5, 1]), lots(&[6, 1])));
        let remainder = allocate(Apportionment::LargestRemainder, Qty::new(7), &claims);
        assert_eq!(remainder, lots(&[5, 2]));
    }

    #[test]
    fn a_claim_of_no_weight_is_left_alone() {
        let claims = [(0, 5), (-3, 5), (1, 2)].map(|(weight, cap)| Claim { weight, cap: Qty::new(cap) });
        for rule in [Apportionment::LargestRemainder, Apportionment::Webster, Apportionment::MinMax] {
            assert_eq!(allocate(rule, Qty::new(9), &claims), lots(&[0, 0, 2]), "{rule:?}");
        }
    }

    #[test]
    fn what_is_hedged_is_closed_last_and_its_leg_risk_is_counted() {
        let positions = [(40, 40), (30, 0), (20, 10), (10, -5)].map(|(n, other)| Hedged {
            lots: Qty::new(n),
            cap: Qty::new(n),
            other: Qty::new(other),
        });
        let plan = hedge_aware(Side::Sell, Qty::new(60), &positions);
        assert_eq!((plan.first, plan.second), (lots(&[0, 30, 10, 10]), lots(&[8, 0, 2, 0])));
        assert_eq!(leg_risk(Side::Sell, &positions, &lots(&[8, 30, 12, 10])), Qty::new(8));
        // A cap binds both passes together.
        let capped = [Hedged { lots: Qty::new(10), cap: Qty::new(4), other: Qty::new(7) }];
        let plan = hedge_aware(Side::Sell, Qty::new(9), &capped);
        assert_eq!((plan.first, plan.second), (lots(&[3]), lots(&[1])));
    }
}
