//! The numbers between two others, in which one is found with one comparison.

/// The numbers from a lowest to a highest one; none, if the highest is below the lowest.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    lowest: i64,
    /// How many: they are fewer than there are numbers.
    count: u64,
}

impl Span {
    pub(crate) const NOTHING: Self = Self { lowest: 0, count: 0 };

    pub(crate) fn new(lowest: i64, highest: i64) -> Self {
        if highest < lowest {
            return Self::NOTHING;
        }
        Self { lowest, count: highest.abs_diff(lowest) + 1 }
    }

    /// One comparison: a number below the lowest one is very far above it.
    #[inline(always)]
    pub(crate) fn has(self, number: i64) -> bool {
        number.wrapping_sub(self.lowest).cast_unsigned() < self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_ends_and_what_is_between_them() {
        let has = |lowest, highest| {
            let numbers = [i64::MIN, -1, 0, 1, 2, 3, i64::MAX];
            numbers.into_iter().filter(|n| Span::new(lowest, highest).has(*n)).collect::<Vec<_>>()
        };
        assert_eq!(has(0, 2), [0, 1, 2]);
        assert_eq!(has(i64::MIN, -1), [i64::MIN, -1]);
        assert_eq!(has(3, i64::MAX), [3, i64::MAX]);
        assert_eq!((has(1, 0), has(i64::MAX, i64::MIN)), (vec![], vec![]));
    }
}
