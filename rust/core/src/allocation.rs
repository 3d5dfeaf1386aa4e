//! Who gets how much of an incoming quantity at one price: docs/mechanics.md section 6.2.
//!
//! Pure; integer shares that add up.

use crate::book::Resting;
use crate::config::Allocation;
use crate::units::{OrderId, Qty};

/// The lots of each order of a queue, longest resting first, out of `qty`; written over `shares`.
pub(crate) fn shares(
    qty: Qty,
    queue: &[Resting],
    top: Option<OrderId>,
    rule: &Allocation,
    shares: &mut Vec<Qty>,
) {
    shares.clear();
    shares.resize(queue.len(), Qty::ZERO);
    let mut left = qty;
    let total: Qty = queue.iter().map(|order| order.shown).sum();
    if let Allocation::ProRata { lead, fifo_ppm, minimum, .. } = rule
        && qty < total
    {
        if let Some(first) = queue.iter().position(|order| Some(order.id) == top) {
            left -= give(&mut shares[first], queue[first].shown, left);
        }
        let base = left;
        for row in lead {
            let mut due = base.ppm_down(row.share_ppm).min(left);
            for (order, share) in queue.iter().zip(&mut *shares).filter(|(o, _)| o.account == row.account) {
                let given = give(share, order.shown, due);
                due -= given;
                left -= given;
            }
        }
        left -= in_time(left.ppm_down(*fifo_ppm), queue, shares);
        let (base, given) = (left, shares.iter().copied().sum());
        let open = total - given;
        for (order, share) in queue.iter().zip(&mut *shares).filter(|_| open.is_positive()) {
            let due = base.share_down(order.shown - *share, open);
            if due >= *minimum {
                left -= give(share, order.shown, due);
            }
        }
    }
    in_time(left, queue, shares);
}

/// Gives an order up to `due` lots more; returns how many it took.
fn give(share: &mut Qty, shown: Qty, due: Qty) -> Qty {
    let given = due.min(shown - *share);
    *share += given;
    given
}

/// Gives out lots longest resting first; returns how many were taken.
fn in_time(due: Qty, queue: &[Resting], shares: &mut [Qty]) -> Qty {
    let mut left = due;
    for (order, share) in queue.iter().zip(shares) {
        left -= give(share, order.shown, left);
    }
    due - left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Lead;
    use crate::units::{AccountId, Ppm, Price, Side};

    fn order(number: u64, account: u32, lots: i64) -> Resting {
        let (price, qty) = (Price::new(100), Qty::new(lots));
        let account = AccountId::new(account);
        Resting { id: OrderId::new(number, 0), account, side: Side::Buy, price, qty, shown: qty, flags: 0 }
    }

    fn rule(lead: &[(u32, i64)], fifo_ppm: i64, minimum: i64) -> Allocation {
        let lead =
            lead.iter().map(|&(a, s)| Lead { account: AccountId::new(a), share_ppm: Ppm::new(s) }).collect();
        let (fifo_ppm, minimum) = (Ppm::new(fifo_ppm), Qty::new(minimum));
        Allocation::ProRata { top_order: true, lead, fifo_ppm, minimum }
    }

    fn shared(qty: i64, top: Option<u64>, rule: &Allocation) -> Vec<i64> {
        let queue = [order(1, 1, 10), order(2, 2, 30), order(3, 3, 60)];
        let mut out = Vec::new();
        shares(Qty::new(qty), &queue, top.map(|n| OrderId::new(n, 0)), rule, &mut out);
        assert_eq!(out.iter().copied().sum::<Qty>(), Qty::new(qty.min(100)));
        out.into_iter().map(Qty::get).collect()
    }

    #[test]
    fn shares_are_in_proportion_and_the_rest_goes_in_time() {
        // 55 of 100: 5.5, 16.5, 33; one lot is left over.
        assert_eq!(shared(55, None, &rule(&[], 0, 1)), [6, 16, 33]);
        assert_eq!(shared(100, None, &rule(&[], 0, 1)), [10, 30, 60]);
        assert_eq!(shared(500, None, &rule(&[], 0, 1)), [10, 30, 60]);
    }

    #[test]
    fn each_step_works_on_what_the_one_before_left() {
        // Top 3 gets 50 of 50.
        assert_eq!(shared(50, Some(3), &rule(&[], 0, 1)), [0, 0, 50]);
        // Top 1 gets 10, lead 2 a quarter of 40, then 30 over 20 and 60 open: 7.5, 22.5.
        assert_eq!(shared(50, Some(1), &rule(&[(2, 250_000)], 0, 1)), [10, 18, 22]);
        // Half of 50 in time: 10, 15; then 25 over 15 and 60: 5, 20.
        assert_eq!(shared(50, None, &rule(&[], 500_000, 1)), [10, 20, 20]);
        // Shares below the minimum of 10 are nothing and go in time: 5, 15, 30 of 50.
        assert_eq!(shared(50, None, &rule(&[], 0, 10)), [5, 15, 30]);
        assert_eq!(shared(20, None, &rule(&[], 0, 7)), [8, 0, 12]);
    }

    #[test]
    fn price_time_is_longest_resting_first() {
        assert_eq!(shared(50, Some(3), &Allocation::PriceTime), [10, 30, 10]);
    }
}
