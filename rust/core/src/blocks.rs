//! What liquidations have done in the present period, against the limits of docs/mechanics.md section 8.7.
//!
//! Knows nothing of the ledger; the waterfall asks what is left and says what it did.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::BlockLimits;
use crate::units::{AccountId, MarketId, Money, Nanos, Qty};
use std::collections::BTreeMap;

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Of one position.
    Position,
    /// Notional of one account.
    AccountNotional,
    /// What the funds pay for one account.
    AccountFundLoss,
    /// Rounds of the waterfall.
    Rounds,
    /// Rounds of auto-deleveraging.
    AdlRounds,
    /// Time between rounds of auto-deleveraging.
    AdlCooldown,
}

impl Limit {
    /// The number in a record.
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Position => 1,
            Self::AccountNotional => 2,
            Self::AccountFundLoss => 3,
            Self::Rounds => 4,
            Self::AdlRounds => 5,
            Self::AdlCooldown => 6,
        }
    }
}

/// A position as it was when the period first came to it, and what has been closed of it since.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    whole: Qty,
    closed: Qty,
}

/// What one account has cost in the period.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    notional: Money,
    fund: Money,
}

/// What was done in the present period.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    period: i64,
    rounds: u32,
    adl_rounds: u32,
    accounts: BTreeMap<AccountId, Cost>,
    positions: BTreeMap<(AccountId, MarketId), Held>,
}

impl Blocks {
    /// The waterfall begins to work at a time: a new period has done nothing.
    pub(crate) fn begin(&mut self, rules: &BlockLimits, now: Nanos) {
        let period = if rules.period_ns.is_zero() { 0 } else { now.periods_of(rules.period_ns) };
        if rules.period_ns.is_zero() || period != self.period {
            *self = Self { period, ..Self::default() };
        }
    }

    /// Counts a round of the waterfall; false if there may be no more.
    pub(crate) fn may_go_on(&mut self, rules: &BlockLimits) -> bool {
        let Some(most) = rules.rounds else { return true };
        let may = self.rounds < most;
        self.rounds += u32::from(may);
        may
    }

    /// Whether the period has a round of auto-deleveraging left.
    pub(crate) fn may_deleverage(&self, rules: &BlockLimits) -> bool {
        rules.adl_rounds.is_none_or(|most| self.adl_rounds < most)
    }

    /// A round of auto-deleveraging begins.
    pub(crate) fn deleverage(&mut self, rules: &BlockLimits) {
        self.adl_rounds += u32::from(rules.adl_rounds.is_some());
    }

    /// Lots of a position that may still be closed, and the limit that says so: none if there is none. `worth` tells the lots that
    /// a notional makes, rounded down.
    pub(crate) fn room(
        &mut self,
        rules: &BlockLimits,
        of: (AccountId, MarketId),
        whole: Qty,
        worth: impl Fn(Money) -> Qty,
    ) -> Option<(Qty, Limit)> {
        let by_position = rules.position.map(|rule| {
            let held = self.positions.entry(of).or_insert(Held { whole, closed: Qty::ZERO });
            let most = held.whole.ppm_up(rule.share_ppm).max(worth(rule.notional_min));
            ((most - held.closed).max(Qty::ZERO), Limit::Position)
        });
        let by_account = rules.account_notional.map(|most| {
            let used = self.accounts.get(&of.0).copied().unwrap_or_default().notional;
            (worth((most - used).max(Money::ZERO)), Limit::AccountNotional)
        });
        match (by_position, by_account) {
            (Some(position), Some(account)) if account.0 < position.0 => Some(account),
            (Some(position), _) => Some(position),
            (None, account) => account,
        }
    }

    /// Lots of a position, and their notional, were closed.
    pub(crate) fn close(
        &mut self,
        rules: &BlockLimits,
        of: (AccountId, MarketId),
        lots: Qty,
        notional: Money,
    ) {
        if let Some(held) = self.positions.get_mut(&of) {
            held.closed += lots;
        }
        if rules.account_notional.is_some() {
            self.accounts.entry(of.0).or_default().notional += notional;
        }
    }

    /// What the funds may still pay for an account.
    pub(crate) fn fund_room(&self, rules: &BlockLimits, account: AccountId) -> Money {
        let paid = self.accounts.get(&account).copied().unwrap_or_default().fund;
        rules.account_fund_loss.map_or(Money::MAX, |most| most - paid)
    }

    /// A fund paid for an account; true if it may pay no more.
    pub(crate) fn pay(&mut self, rules: &BlockLimits, account: AccountId, amount: Money) -> bool {
        if rules.account_fund_loss.is_none() {
            return false;
        }
        self.accounts.entry(account).or_default().fund += amount;
        !self.fund_room(rules, account).is_positive()
    }

    /// Nothing where each step is a period.
    pub(crate) fn encode(&self, rules: &BlockLimits, w: &mut Writer) {
        if rules.period_ns.is_zero() {
            return;
        }
        w.i64(self.period);
        w.u32(self.rounds);
        w.u32(self.adl_rounds);
        w.len(self.accounts.len());
        for (account, cost) in &self.accounts {
            w.u32(account.get());
            w.i64(cost.notional.get());
            w.i64(cost.fund.get());
        }
        w.len(self.positions.len());
        for ((account, market), held) in &self.positions {
            w.u32(account.get());
            w.u16(market.get());
            w.i64(held.whole.get());
            w.i64(held.closed.get());
        }
    }

    /// `knows` tells accounts and markets that there are.
    pub(crate) fn decode(
        rules: &BlockLimits,
        knows: impl Fn(AccountId, MarketId) -> bool,
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let mut blocks = Self::default();
        if rules.period_ns.is_zero() {
            return Ok(blocks);
        }
        (blocks.period, blocks.rounds, blocks.adl_rounds) = (r.i64()?, r.u32()?, r.u32()?);
        // No more than a venue can hold: sums stay in range.
        let fits = |amount: i64| (0..=i64::MAX >> 2).contains(&amount);
        for _ in 0..r.len()? {
            let (account, notional, fund) = (AccountId::new(r.u32()?), r.i64()?, r.i64()?);
            if !knows(account, MarketId::new(0)) || !fits(notional) || !fits(fund) {
                return Err(r.invalid("the limits of an account are out of range; take another copy"));
            }
            blocks.accounts.insert(account, Cost { notional: Money::new(notional), fund: Money::new(fund) });
        }
        for _ in 0..r.len()? {
            let of = (AccountId::new(r.u32()?), MarketId::new(r.u16()?));
            let (whole, closed) = (r.i64()?, r.i64()?);
            if !knows(of.0, of.1) || !fits(whole) || !fits(closed) {
                return Err(r.invalid("the limits of a position are out of range; take another copy"));
            }
            blocks.positions.insert(of, Held { whole: Qty::new(whole), closed: Qty::new(closed) });
        }
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PositionBlock;
    use crate::units::Ppm;

    const RULES: BlockLimits = BlockLimits {
        period_ns: Nanos::new(100),
        position: Some(PositionBlock { share_ppm: Ppm::new(100_000), notional_min: Money::new(35) }),
        account_notional: Some(Money::new(100)),
        account_fund_loss: Some(Money::new(50)),
        rounds: Some(2),
        adl_rounds: Some(1),
        phases: None,
    };

    fn room(blocks: &mut Blocks, market: u16, whole: i64) -> (i64, Limit) {
        let of = (AccountId::new(1), MarketId::new(market));
        let (lots, limit) =
            blocks.room(&RULES, of, Qty::new(whole), |m| Qty::new(m.get() / 10)).expect("there are limits");
        (lots.get(), limit)
    }

    #[test]
    fn a_position_gives_the_larger_of_share_and_notional_and_the_account_bounds_both() {
        let mut blocks = Blocks::default();
        let of = |market| (AccountId::new(1), MarketId::new(market));
        // A tenth of 20 lots is 2, a notional of 35 are 3 lots of 10; of 61 lots a tenth is 7, rounded up.
        assert_eq!(room(&mut blocks, 0, 20), (3, Limit::Position));
        assert_eq!(room(&mut blocks, 1, 61), (7, Limit::Position));
        blocks.close(&RULES, of(1), Qty::new(5), Money::new(50));
        // The share is of what the position was, whatever is left of it; 50 of the account's 100 are used.
        assert_eq!(room(&mut blocks, 1, 56), (2, Limit::Position));
        blocks.close(&RULES, of(0), Qty::new(3), Money::new(30));
        assert_eq!(
            room(&mut blocks, 1, 56),
            (2, Limit::Position),
            "20 are left: two lots, as many as the position gives"
        );
        blocks.close(&RULES, of(1), Qty::new(1), Money::new(10));
        assert_eq!(room(&mut blocks, 2, 90), (1, Limit::AccountNotional));
        blocks.begin(&RULES, Nanos::new(99));
        assert_eq!(room(&mut blocks, 2, 90), (1, Limit::AccountNotional));
        blocks.begin(&RULES, Nanos::new(100));
        assert_eq!(room(&mut blocks, 2, 90), (9, Limit::Position));
    }

    #[test]
    fn rounds_and_payments_are_counted() {
        let mut blocks = Blocks::default();
        let account = AccountId::new(1);
        let went: Vec<bool> = (0..3).map(|_| blocks.may_go_on(&RULES)).collect();
        assert_eq!(went, [true, true, false]);
        assert!(blocks.may_deleverage(&RULES));
        blocks.deleverage(&RULES);
        assert!(!blocks.may_deleverage(&RULES));
        assert!(!blocks.pay(&RULES, account, Money::new(49)));
        assert_eq!(blocks.fund_room(&RULES, account), Money::new(1));
        assert!(blocks.pay(&RULES, account, Money::new(1)));
        assert_eq!(blocks.fund_room(&RULES, AccountId::new(2)), Money::new(50));
    }
}
