//! The venue's keyed draws: the same keys give the same number on every platform.

/// A number that looks random, of a seed and keys: `z = mix(z + golden + key)` for each key in turn, `mix` being the
/// finaliser of `SplitMix64`.
#[must_use]
pub(crate) fn draw(seed: u64, keys: &[u64]) -> u64 {
    keys.iter().fold(seed, |z, key| mix(z.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(*key)))
}

impl super::Nanos {
    /// The part of this duration that a draw comes to: from zero to all of it, each nanosecond as likely.
    #[must_use]
    pub(crate) fn share_of_draw(self, drawn: u64) -> Self {
        let wide = u128::from(drawn) * (u128::from(self.0.unsigned_abs()) + 1);
        Self(i64::try_from(wide >> 64).expect("no more than the whole"))
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_without_a_key_is_the_first_number_of_the_published_generator() {
        // SplitMix64 from state 1234567: 6457827717110365317, 3203168211198807973.
        assert_eq!(draw(1_234_567, &[0]), 6_457_827_717_110_365_317);
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
    }
}
