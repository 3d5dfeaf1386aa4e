//! Funding: premium samples, the rate with its clamp and cap, and the progress of a settlement.
//!
//! Knows nothing of accounts; the venue moves the payments.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::Funding;
use crate::units::{
    AccountId, Money, Nanos, Ppb, Price, Qty, TickValue, mean_towards_zero, premium_towards_zero,
};

/// `premium + clamp(interest - premium, -clamp, clamp)`, then limited to +-cap.
#[must_use]
pub(crate) fn rate(premium: Ppb, interest: Ppb, clamp: Ppb, cap: Ppb) -> Ppb {
    let pulled = premium + (interest - premium).max(-clamp).min(clamp);
    pulled.max(-cap).min(cap)
}

/// What a signed position pays at a rate, rounded up: payers pay up, receivers get down.
#[must_use]
pub(crate) fn payment_up(base: Qty, mark: Price, tick: TickValue, rate: Ppb) -> Money {
    mark.value(base, tick).ppb_up(rate)
}

/// A settlement under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Mark at which it settles.
    pub mark: Price,
    /// Rate of the interval.
    pub rate: Ppb,
    /// The next account to look at.
    pub next: AccountId,
}

/// One market's funding.
#[derive(Debug, Clone)]
pub(crate) struct FundingState {
    config: Funding,
    due: Nanos,
    sum: i128,
    count: i64,
    settlement: Option<Settlement>,
}

impl FundingState {
    pub(crate) fn new(config: Funding) -> Self {
        Self { config, due: Nanos::MAX, sum: 0, count: 0, settlement: None }
    }

    /// Begins the schedule: times at or before the market's first index are passed over.
    pub(crate) fn start(&mut self, now: Nanos) {
        self.due = self.config.first_ns.next_after(self.config.interval_ns, now);
    }

    /// When the next settlement is due.
    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    pub(crate) fn impact_qty(&self) -> Qty {
        self.config.impact_qty
    }

    /// The settlement under way.
    pub(crate) fn settlement(&self) -> Option<Settlement> {
        self.settlement
    }

    /// Takes a premium sample; a side that is too thin has no sum and counts as no premium.
    pub(crate) fn sample(&mut self, index: Price, bid_sum: Option<i64>, ask_sum: Option<i64>) {
        let level = index.value(self.config.impact_qty, TickValue::new(1)).get();
        let bid = bid_sum.unwrap_or(level);
        let ask = ask_sum.unwrap_or(level);
        let premium = premium_towards_zero(bid, ask, index, self.config.impact_qty);
        self.sum += i128::from(premium.get());
        self.count += 1;
    }

    /// Begins the settlement that is due and returns its rate; samples start anew.
    pub(crate) fn begin(&mut self, mark: Price) -> Ppb {
        let c = &self.config;
        let premium = mean_towards_zero(self.sum, self.count);
        let rate = rate(premium, c.interest_ppb, c.clamp_ppb, c.cap_ppb);
        self.sum = 0;
        self.count = 0;
        self.due = self.due.later(c.interval_ns);
        self.settlement = Some(Settlement { mark, rate, next: AccountId::new(0) });
        rate
    }

    /// Remembers how far the settlement is; `None` when it is complete.
    pub(crate) fn advance(&mut self, next: Option<AccountId>) {
        self.settlement = self.settlement.and_then(|s| next.map(|next| Settlement { next, ..s }));
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.i64(self.due.get());
        w.i128(self.sum);
        w.i64(self.count);
        w.bool(self.settlement.is_some());
        if let Some(s) = self.settlement {
            w.i64(s.mark.get());
            w.i64(s.rate.get());
            w.u32(s.next.get());
        }
    }

    pub(crate) fn decode(config: Funding, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut state = Self::new(config);
        state.due = Nanos::new(r.i64()?);
        state.sum = r.i128()?;
        state.count = r.i64()?;
        if r.bool()? {
            let mark = Price::new(r.i64()?);
            let rate = Ppb::new(r.i64()?);
            state.settlement = Some(Settlement { mark, rate, next: AccountId::new(r.u32()?) });
        }
        if state.count < 0 {
            return Err(r.invalid(format!("{} premium samples; take another copy", state.count)));
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clamp_pulls_the_rate_towards_interest() {
        let (interest, clamp, cap) = (Ppb::new(100), Ppb::new(50), Ppb::new(400));
        let of = |premium| rate(Ppb::new(premium), interest, clamp, cap).get();
        assert_eq!((of(100), of(120), of(300), of(-300), of(1000)), (100, 100, 250, -250, 400));
    }

    #[test]
    fn payments_of_both_sides_leave_a_remainder_that_is_never_negative() {
        let pay =
            |base| payment_up(Qty::new(base), Price::new(101), TickValue::new(1), Ppb::new(1_000_000)).get();
        // A thousandth of 303 and of -101, -202: 0.303 up to 1; -0.101 and -0.202 up to 0.
        assert_eq!((pay(3), pay(-1), pay(-2)), (1, 0, 0));
    }
}
