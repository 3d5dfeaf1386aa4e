//! Exact fractions, and the factor of a quantile.

use std::cmp::Ordering;

/// A numerator and a positive denominator, in the lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fraction {
    numerator: i128,
    denominator: i128,
}

impl From<i64> for Fraction {
    fn from(whole: i64) -> Self {
        Self { numerator: whole.into(), denominator: 1 }
    }
}

impl Fraction {
    pub(crate) fn new(numerator: i64, denominator: i64) -> Self {
        Self::of(numerator.into(), denominator.into())
    }

    pub(crate) fn of(numerator: i128, denominator: i128) -> Self {
        let (mut a, mut b) = (numerator.abs(), denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let common = a.max(1);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let numerator = self.numerator * other.denominator + other.numerator * self.denominator;
        Self::of(numerator, self.denominator * other.denominator)
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(Self { numerator: -other.numerator, ..other })
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self::of(self.numerator * other.numerator, self.denominator * other.denominator)
    }

    pub(crate) fn abs(self) -> Self {
        Self { numerator: self.numerator.abs(), ..self }
    }

    pub(crate) fn is_whole(self) -> bool {
        self.denominator == 1
    }

    pub(crate) fn floor(self) -> i64 {
        i64::try_from(self.numerator.div_euclid(self.denominator)).expect("prices are small")
    }

    pub(crate) fn ceil(self) -> i64 {
        self.floor() + i64::from(!self.is_whole())
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `exp((m - v^2 / 2) t +- v sqrt(t) z)` down at a billionth, which no bound of these tests is near.
#[allow(clippy::as_conversions, clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub(crate) fn quantile_factor(
    drift: i64,
    volatility: i64,
    horizon: i64,
    probability: i64,
    up: bool,
) -> Fraction {
    let share = |x: i64, of: f64| x as f64 / of;
    let (m, v) = (share(drift, 1e6), share(volatility, 1e6));
    let years = share(horizon, 365.25 * 86_400.0 * 1e9);
    let z = normal_quantile(f64::midpoint(1.0, share(probability, 1e9)));
    let sign = if up { 1.0 } else { -1.0 };
    let exponent = (m - v * v / 2.0) * years + sign * v * years.sqrt() * z;
    Fraction::of((exponent.exp() * 1e9).floor() as i128, 1_000_000_000)
}

/// Halving until the distribution function is met.
fn normal_quantile(probability: f64) -> f64 {
    let below = |x: f64| {
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > 1e-18 {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
    };
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if below(middle) < probability { low = middle } else { high = middle }
    }
    low
}
