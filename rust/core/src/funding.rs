//! Funding: votes and premium samples, the rate with its clamp and caps, and the progress of a settlement.
//!
//! Knows nothing of accounts; the venue moves the payments.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Accrual, Funding, Payers, Tier, VOTES_MAX};
use crate::units::{
    AccountId, BILLION, Contract, IndexUnits, Money, Nanos, Ppb, Price, Qty, Sum, TickValue,
    funding_index_delta_towards_zero, mean_of_samples_towards_zero, padded_median_towards_zero,
    premium_towards_zero,
};

/// Sum of positive balances beyond which funding moves nothing: 2^61, as the sums that a configuration is proven for.
const HELD_MAX: Sum = Sum::new(1 << 61);

/// `premium + clamp(interest - premium, -clamp, clamp)`, then limited to +-cap.
#[must_use]
pub fn funding_rate(premium: Ppb, interest: Ppb, clamp: Ppb, cap: Ppb) -> Ppb {
    let pulled = premium + (interest - premium).max(-clamp).min(clamp);
    pulled.max(-cap).min(cap)
}

/// What a signed position pays at a rate, rounded up: payers pay up, receivers get down. The time is what has
/// elapsed, and what the rate is for.
#[must_use]
pub fn funding_payment_up(
    base: Qty,
    price: Price,
    contract: &Contract,
    rate: Ppb,
    time: (Nanos, Nanos),
) -> Money {
    contract.funding_up(price, base, rate, time)
}

/// A settlement under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settlement {
    /// Price at which it settles.
    pub price: Price,
    /// Rate of the interval.
    pub rate: Ppb,
    /// The next account to look at.
    pub next: AccountId,
    /// Whom it looks for.
    pub pass: Pass,
}

/// Which accounts a pass of a settlement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Everyone.
    Whole,
    /// Those who owe; what they have paid so far.
    Paying(Money),
    /// Those to whom it is owed; what there is for them.
    Receiving(Money),
}

/// One market's funding.
#[derive(Debug, Clone)]
pub(crate) struct FundingState {
    config: Funding,
    cap: Ppb,
    due: Nanos,
    sum: i128,
    count: i64,
    /// Votes of the period that ends at `period_end`.
    votes: Vec<Ppb>,
    period_end: Nanos,
    settlement: Option<Settlement>,
}

impl FundingState {
    pub(crate) fn new(config: Funding, tiers: &[Tier]) -> Self {
        let margins = config.cap_margin_multiple.zip(tiers.first());
        let by_margin = margins.map(|(n, t)| (t.initial_ppm - t.maintenance_ppm).as_ppb_times(n));
        Self {
            cap: by_margin.unwrap_or(Ppb::MAX).min(config.cap_ppb),
            config,
            due: Nanos::MAX,
            sum: 0,
            count: 0,
            votes: Vec::new(),
            period_end: Nanos::ZERO,
            settlement: None,
        }
    }

    /// Begins the schedule: times at or before the market's first index are passed over.
    pub(crate) fn start(&mut self, now: Nanos) {
        self.due = self.config.first_ns.next_after(self.config.interval_ns, now);
    }

    /// When the next settlement is due.
    pub(crate) fn due(&self) -> Nanos {
        self.due
    }

    /// Time to the next settlement, at most an interval, and the time that rates are for.
    pub(crate) fn ahead(&self, now: Nanos) -> (Nanos, Nanos) {
        let left = (self.due - now).max(Nanos::ZERO).min(self.config.interval_ns);
        (left, self.config.rate_period())
    }

    pub(crate) fn config(&self) -> &Funding {
        &self.config
    }

    /// The settlement under way.
    pub(crate) fn settlement(&self) -> Option<Settlement> {
        self.settlement
    }

    /// Takes a premium as a vote or as a sample; a side that is too thin has no sum and counts as no premium.
    pub(crate) fn sample(&mut self, index: Price, sums: (Option<i64>, Option<i64>), now: Nanos) {
        let level = index.value(self.config.impact_qty, TickValue::new(1)).get();
        let (bid, ask) = (sums.0.unwrap_or(level), sums.1.unwrap_or(level));
        let premium = premium_towards_zero(bid, ask, index, self.config.impact_qty);
        let Some(votes) = self.config.votes else { return self.add(premium) };
        if now >= self.period_end {
            self.close_votes();
            self.period_end = self.config.first_ns.next_after(votes.period_ns, now);
        }
        if u32::try_from(self.votes.len()).is_ok_and(|count| count < VOTES_MAX) {
            self.votes.push(premium);
        }
    }

    fn add(&mut self, sample: Ppb) {
        self.sum += i128::from(sample.get());
        self.count += 1;
    }

    /// Makes the votes so far a sample.
    fn close_votes(&mut self) {
        if let (Some(rule), false) = (self.config.votes, self.votes.is_empty()) {
            self.add(padded_median_towards_zero(&self.votes, rule.votes_min));
            self.votes.clear();
        }
    }

    /// Begins the settlement that is due and returns its rate, zero where users hold too much; samples start anew.
    pub(crate) fn begin(&mut self, price: Price, held: Sum) -> Ppb {
        self.close_votes();
        let c = &self.config;
        let least = c.votes.map_or(0, |votes| votes.samples_min);
        let premium = mean_of_samples_towards_zero(self.sum, self.count, least);
        // One settlement moves the notional at most, so no balance leaves its range by funding.
        let cap = if held > HELD_MAX { Ppb::ZERO } else { self.cap };
        let rate = funding_rate(premium, c.interest_ppb, c.clamp_ppb, cap);
        self.sum = 0;
        self.count = 0;
        self.due = self.due.later(c.interval_ns);
        let pass = match c.payers {
            Payers::Full => Pass::Whole,
            Payers::Capped => Pass::Paying(Money::ZERO),
        };
        self.settlement = Some(Settlement { price, rate, next: AccountId::new(0), pass });
        rate
    }

    /// Units by which the funding index moves in a settlement; zero without an index.
    pub(crate) fn index_delta(&self, s: &Settlement) -> i64 {
        let Some(Accrual { units, ticks }) = self.config.accrual else { return 0 };
        let time = (self.config.interval_ns, self.config.rate_period());
        funding_index_delta_towards_zero(s.rate, s.price, (units, ticks), time)
    }

    /// What a signed position owes in a settlement, rounded up.
    pub(crate) fn owed(&self, s: &Settlement, base: Qty, contract: &Contract) -> Money {
        let time = (self.config.interval_ns, self.config.rate_period());
        match self.config.accrual {
            Some(Accrual { units, ticks }) => {
                contract.index_payment_up(base, self.index_delta(s), IndexUnits { units, ticks })
            }
            None => funding_payment_up(base, s.price, contract, s.rate, time),
        }
    }

    /// Counts what an account paid of which others are to get their share.
    pub(crate) fn collect(&mut self, paid: Money) {
        if let Some(Settlement { pass: Pass::Paying(so_far), .. }) = &mut self.settlement {
            *so_far += paid;
        }
    }

    /// Remembers how far the settlement is; `None` at the end of a pass.
    pub(crate) fn advance(&mut self, next: Option<AccountId>) {
        self.settlement = self.settlement.and_then(|s| match (next, s.pass) {
            (Some(next), _) => Some(Settlement { next, ..s }),
            (None, Pass::Paying(paid)) => {
                Some(Settlement { next: AccountId::new(0), pass: Pass::Receiving(paid), ..s })
            }
            (None, Pass::Whole | Pass::Receiving(_)) => None,
        });
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.i64(self.due.get());
        w.i128(self.sum);
        w.i64(self.count);
        w.bool(self.settlement.is_some());
        if let Some(s) = self.settlement {
            w.i64(s.price.get());
            w.i64(s.rate.get());
            w.u32(s.next.get());
            match s.pass {
                Pass::Whole => {}
                Pass::Paying(paid) | Pass::Receiving(paid) => {
                    w.bool(matches!(s.pass, Pass::Receiving(_)));
                    w.i64(paid.get());
                }
            }
        }
        if self.config.votes.is_some() {
            w.i64(self.period_end.get());
            w.len(self.votes.len());
            self.votes.iter().for_each(|vote| w.i64(vote.get()));
        }
    }

    pub(crate) fn decode(config: Funding, tiers: &[Tier], r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut state = Self::new(config, tiers);
        state.due = Nanos::new(r.i64()?);
        state.sum = r.i128()?;
        state.count = r.i64()?;
        if r.bool()? {
            let price = Price::new(r.i64()?);
            let rate = Ppb::new(r.i64()?);
            let next = AccountId::new(r.u32()?);
            let pass = match config.payers {
                Payers::Full => Pass::Whole,
                Payers::Capped => {
                    let receives = r.bool()?;
                    let paid = Money::new(r.i64()?);
                    if receives { Pass::Receiving(paid) } else { Pass::Paying(paid) }
                }
            };
            state.settlement = Some(Settlement { price, rate, next, pass });
            if rate.abs() > state.cap {
                return Err(r.invalid(format!("funding rate {rate} is above its cap; take another copy")));
            }
            if matches!(pass, Pass::Paying(paid) | Pass::Receiving(paid) if paid.is_negative()) {
                return Err(r.invalid("what payers of funding paid is negative; take another copy"));
            }
        }
        if state.count < 0 {
            return Err(r.invalid(format!("{} premium samples; take another copy", state.count)));
        }
        if config.votes.is_some() {
            state.period_end = Nanos::new(r.i64()?);
            let count = r.len()?;
            if u32::try_from(count).map_or(true, |c| c > VOTES_MAX) {
                return Err(r.invalid(format!("{count} votes are more than {VOTES_MAX}; take another copy")));
            }
            for _ in 0..count {
                state.votes.push(Ppb::new(r.i64()?));
            }
            let most = i128::from(BILLION) << 24;
            if state.votes.iter().any(|vote| !(-most..=most).contains(&vote.get().into())) {
                return Err(r.invalid("a premium vote is out of range; take another copy"));
            }
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
        let of = |premium| funding_rate(Ppb::new(premium), interest, clamp, cap).get();
        assert_eq!((of(100), of(120), of(300), of(-300), of(1000)), (100, 100, 250, -250, 400));
    }

    #[test]
    fn payments_of_both_sides_leave_a_remainder_that_is_never_negative() {
        let hour = Nanos::new(3_600_000_000_000);
        let pay = |base, time| {
            let (base, contract) = (Qty::new(base), Contract::linear(TickValue::new(1)));
            funding_payment_up(base, Price::new(101), &contract, Ppb::new(1_000_000), time).get()
        };
        // A thousandth of 303 and of -101, -202: 0.303 up to 1; -0.101 and -0.202 up to 0.
        let whole = (hour, hour);
        assert_eq!((pay(3, whole), pay(-1, whole), pay(-2, whole)), (1, 0, 0));
        // An eighth of a rate for eight hours, of 3232 and back: 0.404 up to 1, -0.404 up to 0; of 32320: 4.04.
        let part = (hour, Nanos::new(8 * hour.get()));
        assert_eq!((pay(32, part), pay(-32, part), pay(320, part), pay(-320, part)), (1, 0, 5, -4));
    }
}
