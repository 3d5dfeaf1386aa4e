//! The final settlement of a market: when it is due, at which price, and how far it has come.
//!
//! Knows nothing of money; the venue closes the positions. A settlement closes a long against a short, so positions
//! sum to zero at every moment of it.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{FinalSettlement, SettlementPrice};
use crate::units::{AccountId, Nanos, Price};

/// How far the settlement of a market has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Progress {
    /// None is planned.
    #[default]
    None,
    /// It is due at a time; before it, or not yet, the market only lets positions grow smaller.
    Planned { at: Nanos, reduces: bool },
    /// Positions are being closed at a price: the next account to look at for a long, and for a short.
    UnderWay { price: Price, next: [AccountId; 2] },
    /// The market is closed for good.
    Done,
}

/// The final settlement of one market.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettlementState {
    pub(crate) progress: Progress,
    /// Since when the index counts, up to when it has been counted, and the sum of index x time.
    begin: Nanos,
    counted: Nanos,
    sum: i128,
}

impl SettlementState {
    /// Plans a settlement, instead of the one that was planned.
    pub(crate) fn plan(&mut self, rule: &FinalSettlement, at: Nanos, now: Nanos) {
        let begin = now.max(at - rule.price.window());
        *self = Self { progress: Progress::Planned { at, reduces: false }, begin, counted: begin, sum: 0 };
    }

    /// When something is to be done; none if nothing is.
    pub(crate) fn due(&self, rule: &FinalSettlement) -> Option<Nanos> {
        match self.progress {
            Progress::Planned { at, reduces: false } => Some((at - rule.reduce_only_ns).max(Nanos::ZERO)),
            Progress::Planned { at, reduces: true } => Some(at),
            Progress::UnderWay { .. } => Some(Nanos::new(i64::MIN)),
            Progress::None | Progress::Done => None,
        }
    }

    /// True if positions may only grow smaller until the settlement.
    pub(crate) fn reduces(&self) -> bool {
        matches!(self.progress, Progress::Planned { reduces: true, .. })
    }

    /// True once positions are being closed, and after.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(self.progress, Progress::UnderWay { .. } | Progress::Done)
    }

    /// An index has stood until now.
    pub(crate) fn count(&mut self, index: Price, until: Nanos) {
        if matches!(self.progress, Progress::Planned { .. }) && until > self.counted {
            self.sum += index.over_time(self.counted, until);
            self.counted = until;
        }
    }

    /// The price of the settlement, at its time.
    pub(crate) fn price(&mut self, rule: &FinalSettlement, at: Nanos, index: Price, mark: Price) -> Price {
        match rule.price {
            SettlementPrice::Index => index,
            SettlementPrice::Mark => mark,
            SettlementPrice::Average { .. } => {
                self.count(index, at);
                Price::mean_over_down(self.sum, self.begin, at)
            }
        }
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        let (code, time, reduces, price, next) = match self.progress {
            Progress::None => (0, Nanos::ZERO, false, Price::ZERO, [AccountId::new(0); 2]),
            Progress::Planned { at, reduces } => (1, at, reduces, Price::ZERO, [AccountId::new(0); 2]),
            Progress::UnderWay { price, next } => (2, Nanos::ZERO, false, price, next),
            Progress::Done => (3, Nanos::ZERO, false, Price::ZERO, [AccountId::new(0); 2]),
        };
        w.u16(code);
        w.i64(time.get());
        w.bool(reduces);
        w.i64(price.get());
        for account in next {
            w.u32(account.get());
        }
        // What was counted of one that is not planned is not read again.
        let counts = code == 1;
        for time in [self.begin, self.counted] {
            w.i64(if counts { time.get() } else { 0 });
        }
        w.i128(if counts { self.sum } else { 0 });
    }

    pub(crate) fn decode(
        rule: &FinalSettlement,
        accounts: usize,
        prices: (Price, Price),
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let (code, at, reduces) = (r.u16()?, Nanos::new(r.i64()?), r.bool()?);
        let (price, next) = (Price::new(r.i64()?), [AccountId::new(r.u32()?), AccountId::new(r.u32()?)]);
        let (begin, counted, sum) = (Nanos::new(r.i64()?), Nanos::new(r.i64()?), r.i128()?);
        let progress = match code {
            0 => Progress::None,
            1 => Progress::Planned { at, reduces },
            2 => Progress::UnderWay { price, next },
            3 => Progress::Done,
            _ => return Err(r.invalid(format!("settlement {code} is unknown; take another copy"))),
        };
        let fits = match progress {
            Progress::None | Progress::Done => true,
            Progress::Planned { .. } => {
                let ordered = !begin.is_negative() && begin <= counted && counted <= at;
                // An average is over a time that is not empty.
                let ordered = ordered && (begin < at || rule.price.window().is_zero());
                ordered && (0..=prices.1.over_time(begin, counted)).contains(&sum)
            }
            Progress::UnderWay { .. } => {
                prices.0 <= price && price <= prices.1 && next.iter().all(|a| a.index() <= accounts)
            }
        };
        if !fits {
            return Err(r.invalid("a settlement is not one of this venue; take another copy"));
        }
        Ok(Self { progress, begin, counted, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(window: i64, at: i64, now: i64) -> (FinalSettlement, SettlementState) {
        let price = SettlementPrice::Average { window_ns: Nanos::new(window) };
        let rule = FinalSettlement { price, reduce_only_ns: Nanos::new(30), notice_ns: None };
        let mut state = SettlementState::default();
        state.plan(&rule, Nanos::new(at), Nanos::new(now));
        (rule, state)
    }

    #[test]
    fn an_average_counts_each_index_for_as_long_as_it_stood_in_the_window() {
        let (rule, mut s) = state(10, 100, 0);
        // 50 stood until 93, of which 90 to 93 count; 60 until 99; 81 for the last nanosecond: (150 + 360 + 81) / 10 = 59.1.
        s.count(Price::new(50), Nanos::new(80));
        s.count(Price::new(50), Nanos::new(93));
        s.count(Price::new(60), Nanos::new(99));
        assert_eq!(s.price(&rule, Nanos::new(100), Price::new(81), Price::new(1)), Price::new(59));
    }

    #[test]
    fn a_window_that_has_begun_is_as_long_as_what_is_left_of_it() {
        let (rule, mut s) = state(10, 100, 96);
        s.count(Price::new(50), Nanos::new(98));
        assert_eq!(s.price(&rule, Nanos::new(100), Price::new(60), Price::new(1)), Price::new(55));
    }

    #[test]
    fn it_is_due_when_the_market_is_to_shrink_and_then_at_its_time() {
        let (rule, mut s) = state(10, 100, 0);
        assert_eq!(s.due(&rule), Some(Nanos::new(70)));
        s.progress = Progress::Planned { at: Nanos::new(100), reduces: true };
        assert_eq!((s.due(&rule), s.reduces()), (Some(Nanos::new(100)), true));
        assert_eq!(state(10, 20, 0).1.due(&rule), Some(Nanos::ZERO), "never before time zero");
    }
}
