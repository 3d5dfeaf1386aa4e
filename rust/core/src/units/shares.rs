//! Whole units shared out over weights.

use super::narrow;

/// Splits `total` units over weights in whole units: largest remainder under caps, ties to the earlier.
///
/// Accounts whose share reaches their cap get the cap; the rest is divided again until none does, rounded down,
/// and what is left goes one by one to the largest remainders. Sums to `min(total, sum of caps)`.
#[must_use]
pub fn largest_remainder(total: i64, weights: &[i64], caps: &[i64]) -> Vec<i64> {
    assert_eq!(weights.len(), caps.len());
    let mut shares = vec![0i64; weights.len()];
    let mut open: Vec<usize> = (0..weights.len()).filter(|&i| weights[i] > 0 && caps[i] > 0).collect();
    let mut left = i128::from(total);
    for _ in 0..=weights.len() {
        let weight: i128 = open.iter().map(|&i| i128::from(weights[i])).sum();
        if left == 0 || weight == 0 {
            return shares;
        }
        let before = open.len();
        let round = left;
        open.retain(|&i| {
            let full = round * i128::from(weights[i]) >= i128::from(caps[i]) * weight;
            if full {
                shares[i] = caps[i];
                left -= i128::from(caps[i]);
            }
            !full
        });
        if open.len() < before {
            continue;
        }
        let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(open.len());
        let mut given = 0i128;
        for &i in &open {
            let product = left * i128::from(weights[i]);
            let share = product / weight;
            shares[i] = narrow(share);
            given += share;
            remainders.push((product % weight, i));
        }
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let extra = usize::try_from(left - given).expect("fewer units left than accounts");
        for &(_, i) in &remainders[..extra] {
            shares[i] += 1;
        }
        return shares;
    }
    shares
}
