//! Lots of each winner: in turn, in proportion, or first what nothing hedges.

use crate::units::{Qty, Side, in_turn, largest_remainder, min_max, webster};

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
