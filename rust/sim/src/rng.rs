//! Randomness by key: every number is a function of (seed, agent, purpose, decision index), never of draw order.
//!
//! The generator is Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
//! (SC11); its bits are part of the product. Distributions come by inverse transform; logarithms and exponentials
//! come from the `libm` crate, so that they are the same on every platform.

/// Who draws, as far as it is not an account: agents are accounts or these.
pub mod agent {
    /// The path of market 0; market `m` is `PATH + m`.
    pub const PATH: u32 = 0xffff_0000;
    /// The flow of market 0; market `m` is `FLOW + m`.
    pub const FLOW: u32 = 0xfffe_0000;
}

/// What a draw is for.
pub mod purpose {
    /// Where a bar's extremes lie.
    pub const EXTREMES: u32 = 1;
    /// A step of a bridge.
    pub const BRIDGE: u32 = 2;
    /// Market and side of an account.
    pub const CHARACTER: u32 = 10;
    /// Leverage of an account.
    pub const LEVERAGE: u32 = 11;
    /// Size of a position; the index is the market.
    pub const SIZE: u32 = 12;
    /// Entry price of a position; the index is the market.
    pub const ENTRY: u32 = 13;
    /// How many noise orders a step has.
    pub const NOISE_COUNT: u32 = 20;
    /// One noise order.
    pub const NOISE_ORDER: u32 = 21;
    /// Which holder closes.
    pub const CLOSING: u32 = 22;
}

/// The four words of one counter under one key.
#[must_use]
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(0x9e37_79b9), key[1].wrapping_add(0xbb67_ae85)];
        }
        let a = u64::from(counter[0]) * 0xd251_1f53;
        let b = u64::from(counter[2]) * 0xcd9e_8d57;
        counter = [high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)];
    }
    counter
}

fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

fn low(word: u64) -> u32 {
    (word & 0xffff_ffff) as u32
}

/// A seed: the key of every draw of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Two independent numbers above 0 and below 1, of 52 bits each.
    #[must_use]
    pub fn pair(self, agent: u32, purpose: u32, decision: u64) -> (f64, f64) {
        let words =
            philox4x32_10([agent, purpose, low(decision), high(decision)], [low(self.0), high(self.0)]);
        (unit(words[0], words[1]), unit(words[2], words[3]))
    }

    /// A number above 0 and below 1.
    #[must_use]
    pub fn uniform(self, agent: u32, purpose: u32, decision: u64) -> f64 {
        self.pair(agent, purpose, decision).0
    }

    /// A standard normal number.
    #[must_use]
    pub fn normal(self, agent: u32, purpose: u32, decision: u64) -> f64 {
        normal_quantile(self.uniform(agent, purpose, decision))
    }
}

/// The middle of one of 2^52 equal cells of the unit interval: the finest that never rounds to 1.
fn unit(a: u32, b: u32) -> f64 {
    let bits = ((u64::from(a) << 32) | u64::from(b)) >> 12;
    (bits as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// Evaluates a polynomial whose coefficients start with the constant.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}

/// The standard normal quantile: algorithm AS 241 (PPND16) of Wichura, relative error about 1e-16.
#[must_use]
#[allow(clippy::excessive_precision, reason = "the constants as published")]
pub fn normal_quantile(p: f64) -> f64 {
    debug_assert!(p > 0.0 && p < 1.0);
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        let numerator = [
            3.387_132_872_796_366_608_0e0,
            1.331_416_678_917_843_774_5e2,
            1.971_590_950_306_551_442_7e3,
            1.373_169_376_550_946_112_5e4,
            4.592_195_393_154_987_145_7e4,
            6.726_577_092_700_870_085_3e4,
            3.343_057_558_358_812_810_5e4,
            2.509_080_928_730_122_672_7e3,
        ];
        let denominator = [
            1.0,
            4.231_333_070_160_091_125_2e1,
            6.871_870_074_920_579_083_0e2,
            5.394_196_021_424_751_107_7e3,
            2.121_379_430_158_659_586_7e4,
            3.930_789_580_009_271_061_0e4,
            2.872_908_573_572_194_267_4e4,
            5.226_495_278_852_854_561_0e3,
        ];
        return q * polynomial(&numerator, r) / polynomial(&denominator, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 { normal_quantile_near(r - 1.6) } else { normal_quantile_far(r - 5.0) };
    if q < 0.0 { -size } else { size }
}

#[allow(clippy::excessive_precision, reason = "the constants as published")]
fn normal_quantile_near(r: f64) -> f64 {
    let numerator = [
        1.423_437_110_749_683_577_34e0,
        4.630_337_846_156_545_295_90e0,
        5.769_497_221_460_691_405_50e0,
        3.647_848_324_763_204_605_04e0,
        1.270_458_252_452_368_382_58e0,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ];
    let denominator = [
        1.0,
        2.053_191_626_637_758_821_87e0,
        1.676_384_830_183_803_849_40e0,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    polynomial(&numerator, r) / polynomial(&denominator, r)
}

#[allow(clippy::excessive_precision, reason = "the constants as published")]
fn normal_quantile_far(r: f64) -> f64 {
    let numerator = [
        6.657_904_643_501_103_777_20e0,
        5.463_784_911_164_114_369_90e0,
        1.784_826_539_917_291_335_80e0,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ];
    let denominator = [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ];
    polynomial(&numerator, r) / polynomial(&denominator, r)
}

/// A lognormal number of median 1: `exp(sigma z)`.
#[must_use]
pub fn lognormal(u: f64, sigma: f64) -> f64 {
    libm::exp(sigma * normal_quantile(u))
}

/// A Pareto number of least value 1: `(1 - u)^(-1 / alpha)`.
#[must_use]
pub fn pareto(u: f64, alpha: f64) -> f64 {
    libm::exp(-libm::log(1.0 - u) / alpha)
}

/// A value of a weighted list.
#[must_use]
pub fn weighted(u: f64, list: &[(f64, f64)]) -> f64 {
    let total: f64 = list.iter().map(|&(_, w)| w).sum();
    let mut left = u * total;
    for &(value, weight) in list {
        if left < weight {
            return value;
        }
        left -= weight;
    }
    list.last().map_or(0.0, |&(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that Random123 publishes for philox4x32-10.
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = u32::MAX;
        assert_eq!(philox4x32_10([ones; 4], [ones; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi =
            philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
        assert_eq!(pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn normal_quantile_matches_published_values() {
        // Check values of the paper on AS 241, and far tails from tables.
        for (p, z) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "p {p}: {} is not {z}", normal_quantile(p));
        }
    }

    #[test]
    fn uniforms_never_reach_their_ends() {
        assert!(unit(0, 0) > 0.0);
        assert!(unit(u32::MAX, u32::MAX) < 1.0);
    }

    #[test]
    fn a_draw_depends_on_every_part_of_its_key() {
        let base = Seed(1).pair(2, 3, 4);
        assert_eq!(base, Seed(1).pair(2, 3, 4));
        for other in
            [Seed(2).pair(2, 3, 4), Seed(1).pair(3, 3, 4), Seed(1).pair(2, 4, 4), Seed(1).pair(2, 3, 5)]
        {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn weights_choose_in_proportion() {
        let list = [(10.0, 1.0), (20.0, 3.0)];
        assert_eq!(weighted(0.2, &list).to_bits(), 10f64.to_bits());
        assert_eq!(weighted(0.3, &list).to_bits(), 20f64.to_bits());
    }
}
