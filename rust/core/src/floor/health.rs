//! Who has to be looked at: accounts that a step has touched, and those whose guards a mark has crossed.

use super::{Floor, PART, TOUCHED, bit};
use crate::book::SIDES;
use crate::config::Multiplier;
use crate::guard::{Cause, Fear, View};
use crate::protocol::{Events, OrderType, Record, command, event, event_of};
use crate::units::{AccountId, MarketId, Qty};

/// Some of the commands of a part of a batch, picked without a branch: what a command is like is the flip of a coin.
#[derive(Debug)]
struct Picked {
    places: [u8; PART],
    count: usize,
}

impl Default for Picked {
    fn default() -> Self {
        Self { places: [0; PART], count: 0 }
    }
}

impl Picked {
    #[inline(always)]
    fn pick(&mut self, place: u8, is_one: bool) {
        self.places[self.count % PART] = place;
        // No more than there are commands.
        self.count = self.count.wrapping_add(usize::from(is_one));
    }

    fn of<'a>(&self, records: &'a [Record]) -> impl Iterator<Item = &'a Record> {
        self.places[..self.count].iter().map(|&place| &records[usize::from(place)])
    }
}

impl Floor {
    /// Marks an account for the next health pass: its balances may have changed.
    #[inline(always)]
    pub(crate) fn touch(&mut self, account: AccountId) {
        self.touch_in(account, MarketId::NONE);
    }

    /// The same, if its position in a market may have changed as well.
    #[inline(always)]
    pub(crate) fn touch_in(&mut self, account: AccountId, market: MarketId) {
        let tag = self.ledger.tag_mut(account);
        if !bit(tag.flags, TOUCHED) {
            (tag.flags, tag.changed) = (tag.flags | TOUCHED, market);
            self.touched.push(account);
            self.is_stirred = true;
        } else if tag.changed != market && market != MarketId::NONE {
            if tag.changed != MarketId::NONE {
                self.guards.forget(account);
            }
            tag.changed = market;
        }
    }

    /// Reads what commands are going to ask of their accounts, and of those whom they meet first. Here the processor fetches
    /// one account beside the other; a command would wait for its own. With many accounts that is most of what the checks
    /// of an order cost.
    #[inline(always)]
    pub(crate) fn look_ahead(&self, records: &[Record]) {
        if self.has_clearing && records.len() > 1 {
            self.glance(records);
        }
    }

    #[inline(never)]
    fn glance(&self, records: &[Record]) {
        let Some(first) = records.first().map(|r| MarketId::new(r.market)) else { return };
        let Some(m) = self.markets.get(first.index()) else { return };
        let (mut cancels, mut takers) = (Picked::default(), Picked::default());
        let mut seen = 0;
        // Nothing else between these, so that many are under way at once.
        for r in records {
            seen ^= self.ledger.glance(AccountId::new(r.account), MarketId::new(r.market));
        }
        for (i, r) in (0..).zip(records) {
            let is_here = r.market == first.get();
            cancels.pick(i, (r.market ^ first.get()) | (r.kind ^ command::CANCEL) == 0);
            takers.pick(i, is_here & (r.code != OrderType::Limit.code()));
        }
        for r in cancels.of(records) {
            seen ^= m.book.glance(AccountId::new(r.account), r.order, r.flags != 0);
        }
        // What is sent to take, by side.
        let mut takes = [Qty::ZERO; 2];
        for r in takers.of(records) {
            seen ^= self.guards.glance(AccountId::new(r.account), first);
            let of_side = &mut takes[usize::from(r.side & 1)];
            *of_side = of_side.plus_limited(Qty::new(r.qty));
        }
        for side in SIDES {
            for account in m.book.first_accounts(side.opposite(), takes[usize::from(side.code())]) {
                seen ^= self.ledger.glance(account, first) ^ self.guards.glance(account, first);
            }
        }
        std::hint::black_box(seen);
    }

    /// True if the waterfall may take this account: it only owes, or has a position where liquidation is enabled.
    pub(crate) fn can_be_liquidated(&self, account: AccountId) -> bool {
        let mut held =
            self.ledger.positions(account).iter().zip(&self.markets).filter(|(p, _)| !p.base.is_zero());
        held.clone().next().is_none() || held.any(|(_, m)| m.config.liquidation.enabled)
    }

    /// Sets an account's guards for the requirement that it has to fear next.
    pub(crate) fn arm(&mut self, account: AccountId, cause: Cause) {
        let fear = self.fear(account);
        self.arm_for(account, fear, cause);
    }

    fn arm_for(&mut self, account: AccountId, fear: Fear, cause: Cause) -> bool {
        let view = View { rules: &self.rules, ledger: &self.ledger, prices: &self.prices };
        self.guards.arm(view, account, fear, cause)
    }

    /// The requirement that an account has to fear next.
    pub(super) fn fear(&self, account: AccountId) -> Fear {
        if self.is_liquidated(account) {
            Fear::Nothing
        } else if self.rules.has_calls() && !self.is_called(account) {
            Fear::Call
        } else if self.can_be_liquidated(account) {
            Fear::Liquidation
        } else {
            Fear::Nothing
        }
    }

    /// True if an account's guards prove that it is healthy. Its balances may have changed since they were asked last, and
    /// its position in one market.
    #[inline]
    pub(crate) fn is_guarded(&mut self, account: AccountId, changed: MarketId) -> bool {
        let view = View { rules: &self.rules, ledger: &self.ledger, prices: &self.prices };
        self.guards.prove(view, account, changed)
    }

    /// Appends the accounts that have to be judged: of those touched and those whose guard the marked market's mark
    /// or index has crossed, the ones below the requirement that they fear, and those touched that may be cleared of
    /// a call. The others get new guards where theirs do not do.
    pub(crate) fn endangered(&mut self, marked: Option<MarketId>, into: &mut Vec<AccountId>) {
        let mut touched = std::mem::take(&mut self.touched);
        for account in touched.drain(..) {
            let changed = self.ledger.tag(account).changed;
            // What happens to an account in liquidation is the business of its rounds.
            let done = self.is_liquidated(account)
                || !self.is_called(account)
                    && (self.is_guarded(account, changed)
                        || self.arm_for(account, self.fear(account), Cause::Touch));
            if done {
                self.set_flag(account, TOUCHED, false);
            } else {
                into.push(account);
            }
        }
        self.touched = touched;
        let Some(market) = marked else { return };
        let (mark, index) = (self.prices.known(market), self.prices.index(market));
        let first = into.len();
        self.guards.crossed(market, mark, index.expect("a marked market has an index"), into);
        let mut left = first;
        for i in first..into.len() {
            let account = into[i];
            let fear = self.guards.fear(account);
            if fear != Fear::Nothing && !self.arm_for(account, fear, Cause::Price) {
                into[left] = account;
                left += 1;
            }
        }
        into.truncate(left);
    }

    /// Multiplies a market's margin rates as they are configured, and tells it: everybody who has a position there is looked
    /// at. False, and nothing changes, if the rates would not be accepted in a configuration.
    #[must_use]
    pub(crate) fn multiply_margin(&mut self, market: MarketId, by: Multiplier, events: &mut Events) -> bool {
        let config = &self.markets[market.index()].config;
        if !self.rules.multiply(market, config, by) {
            return false;
        }
        events.push(Record {
            code: by.leverage_max.unwrap_or_default(),
            qty: by.initial.get(),
            amount: by.maintenance.get(),
            ..event_of(event::MULTIPLIER_SET, market)
        });
        self.require(market);
        for account in (0..self.ledger.accounts()).map(AccountId::from_index) {
            if !self.ledger.position(account, market).base.is_zero() {
                self.guards.forget(account);
                self.touch(account);
            }
        }
        true
    }
}
