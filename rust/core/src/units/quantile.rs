//! Quantiles of a log-normal price, in integers: the same on every machine.

use super::wide::mul_div_floor;
use super::{MILLION, Nanos, Ppb, Ppm, Ratio};

/// Everything is counted in parts of 1e27.
const ONE: i128 = 1_000_000_000_000_000_000_000_000_000;
/// ln 2.
const LN_2: i128 = 693_147_180_559_945_309_417_232_121;
/// 1 / sqrt(2 pi).
const DENSITY_AT_ZERO: i128 = 398_942_280_401_432_677_939_946_060;
/// Nanoseconds of 365.25 days.
const YEAR: i128 = 31_557_600_000_000_000;
/// Factors are given in parts of 1e18.
const GIVEN: i128 = 1_000_000_000_000_000_000;
/// The largest exponent: a factor stays below e^6.9, about a thousand.
const EXPONENT_MAX: i128 = 69 * ONE / 10;

fn times(a: i128, b: i128) -> i128 {
    if b < 0 { -mul_div_floor(a, -b, ONE) } else { mul_div_floor(a, b, ONE) }
}

fn over(a: i128, b: i128) -> i128 {
    mul_div_floor(a, ONE, b)
}

/// e^x by halving the argument to at most ln 2 and its series.
fn exp(x: i128) -> i128 {
    let twos = x.div_euclid(LN_2);
    let rest = x - twos * LN_2;
    let (mut sum, mut term) = (ONE, ONE);
    for n in 1..60 {
        term = times(term, rest) / n;
        if term == 0 {
            break;
        }
        sum += term;
    }
    if twos >= 0 { sum << twos.min(60) } else { sum >> (-twos).min(126) }
}

fn root(x: i128) -> i128 {
    if x == 0 {
        return 0;
    }
    // Nineteen digits by the integer root, all by one step of Newton's method.
    let digits = 100_000_000_000;
    let near = i128::try_from((x.unsigned_abs() * digits).isqrt()).expect("a root fits") * 100_000_000;
    near.midpoint(over(x, near))
}

/// The z at which a standard normal variable is between -z and z with a probability, which is below one.
fn two_sided(probability: Ppb) -> i128 {
    let half = i128::from(probability.0) * (ONE / 2_000_000_000);
    let mut z = 0;
    // From below: the distribution is concave above zero, so no step goes too far.
    for _ in 0..200 {
        let density = times(DENSITY_AT_ZERO, exp(-times(z, z) / 2));
        // z + z^3 / 3 + z^5 / (3 5) + ...
        let (mut sum, mut term) = (0, z);
        for n in 1..400 {
            sum += term;
            term = times(times(term, z), z) / (2 * n + 1);
            if term == 0 {
                break;
            }
        }
        let step = over(half - times(density, sum), density);
        if step < 1_000_000 {
            break;
        }
        z += step;
    }
    z
}

/// The factors of a price after `horizon`, up and down: `exp((m - v^2 / 2) t +- v sqrt(t) z)`, t in years of 365.25
/// days, z the normal quantile of (1 + probability) / 2; exact to about a part in 1e17 (Vega).
#[must_use]
pub fn quantile_factors(drift: Ppm, volatility: Ppm, horizon: Nanos, probability: Ppb) -> [Ratio; 2] {
    let share = |of: Ppm| i128::from(of.0) * (ONE / i128::from(MILLION));
    let (drift, volatility) = (share(drift), share(volatility));
    let t = mul_div_floor(i128::from(horizon.0), ONE, YEAR);
    let middle = times(drift - times(volatility, volatility) / 2, t);
    let away = times(times(volatility, root(t)), two_sided(probability));
    [middle + away, middle - away].map(|x| {
        let factor = exp(x.clamp(-EXPONENT_MAX, EXPONENT_MAX)) / (ONE / GIVEN);
        Ratio { numerator: factor, denominator: GIVEN.cast_unsigned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!((exp(ONE) - 2_718_281_828_459_045_235_360_287_471).abs() < 1_000);
        assert!((exp(-ONE) - 367_879_441_171_442_321_595_523_770).abs() < 1_000);
        assert!((root(2 * ONE) - 1_414_213_562_373_095_048_801_688_724).abs() < 1_000);
        // 1.959963984540054235524594..., 5.326723886384072...
        assert!((two_sided(Ppb(950_000_000)) - 1_959_963_984_540_054_235_524_594_430).abs() < 1_000_000_000);
        let far = two_sided(Ppb(999_999_900));
        assert_eq!(far / 1_000_000_000_000_000, 5_326_723_886_384, "{far}");
    }
}
