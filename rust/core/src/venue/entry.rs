//! What is asked when an order is about to enter the book, and what is said of it.

use super::Venue;
use crate::book::Resting;
use crate::breaker::Bound;
use crate::floor::{Incoming, Market};
use crate::order::{Order, Terms};
use crate::protocol::{Events, OrderType, POST_ONLY, REDUCE_ONLY, Record, Reject, Replacing, SLIDE};
use crate::units::{AccountId, MarketId, Price, Qty, Side};

/// Why an order may not enter the book, and the breaker that says so.
pub(super) struct Barred {
    why: Reject,
    bound: Option<Bound>,
}

impl From<Reject> for Barred {
    fn from(why: Reject) -> Self {
        Self { why, bound: None }
    }
}

impl From<Bound> for Barred {
    fn from(bound: Bound) -> Self {
        Self { why: Reject::BandRefuses, bound: Some(bound) }
    }
}

/// The limit of an order that enters the book, none for a market order that nothing limits; the price that its events
/// show; the breaker that capped it.
pub(super) type Entered = (Option<Price>, Price, Option<Bound>);

impl Venue {
    /// A Place from `NotReducing` on: what is asked when an order is about to enter the book. `gone` is what its
    /// owner had open in it before, which it takes with it.
    #[inline(always)]
    pub(super) fn check_entry(
        &self,
        m: &Market,
        market: MarketId,
        order: Order,
        terms: &Terms,
        gone: Qty,
    ) -> Result<Entered, Barred> {
        let Order { account, side, kind, qty, flags, .. } = order;
        let reducing = flags & REDUCE_ONLY != 0;
        if order.must_reduce(m.admits.place) {
            self.check_reducing(market, account, (side, qty))?;
        }
        let mut limit = order.limit();
        let bound = if m.breakers.has_entry() { banded(m, &order) } else { None };
        if let Some(bound) = bound {
            if bound.refuses {
                return Err(bound.into());
            }
            limit = Some(bound.price);
        }
        if flags & POST_ONLY != 0 {
            limit = self.posted(market, side, limit, flags)?;
        }
        if let Some(protection) = terms.protection {
            limit = self.protected(market, side, limit, protection);
        }
        let price = if kind == OrderType::Market { Price::ZERO } else { limit.unwrap_or(order.price) };
        let need = if kind == OrderType::FillOrKill { Some(qty) } else { terms.minimum };
        if let Some(need) = need {
            let order = Incoming { leg: terms.leg, ..self.incoming(market, &order, limit) };
            if !self.floor.is_fillable(&order, need) {
                return Err(Reject::NotFillable.into());
            }
        }
        if m.breakers.refuses_sweeps()
            && let Some(bound) = self.floor.refused_sweep(&self.incoming(market, &order, limit))
        {
            return Err(bound.into());
        }
        if m.config.cleared && !(reducing && order.rests()) {
            let mut held = *self.floor.ledger.position(account, market);
            held.add_open(side, -gone);
            let priced = if kind == OrderType::Market { None } else { limit };
            self.floor.check_order((m, market), account, (side, qty, priced), &held)?;
        }
        // A market order is always limited: that is no news.
        Ok((limit, price, bound.filter(|_| kind != OrderType::Market)))
    }

    #[inline(never)]
    pub(super) fn check_reducing(
        &self,
        market: MarketId,
        account: AccountId,
        order: (Side, Qty),
    ) -> Result<(), Reject> {
        let base = self.floor.ledger.position(account, market).base;
        let reduces = !base.is_zero() && Side::of(base) != order.0 && order.1 <= base.abs();
        if reduces { Ok(()) } else { Err(Reject::NotReducing) }
    }

    /// The limit of a post-only order: as it is, short of the best opposite price, or refused.
    #[inline(never)]
    fn posted(
        &self,
        market: MarketId,
        side: Side,
        limit: Option<Price>,
        flags: u16,
    ) -> Result<Option<Price>, Reject> {
        let m = self.floor.market(market);
        let touch = m.book.touch(side.opposite()).filter(|_| m.admits.matches);
        let taken = touch.filter(|best| limit.is_some_and(|l| !side.gain(*best, l).is_negative()));
        let Some(best) = taken else { return Ok(limit) };
        let short = best - Price::new(side.signed(Qty::new(1)).get());
        if flags & SLIDE == 0 || !m.config.has(short) {
            return Err(Reject::WouldTake);
        }
        Ok(Some(short))
    }

    /// Checks a replace that loses priority as if the old order were gone; returns its limit inside the bands.
    pub(super) fn replaced_limit(
        &self,
        old: &Resting,
        market: MarketId,
        size: (Price, Qty),
        events: &mut Events,
    ) -> Result<Price, Reject> {
        let (price, qty) = size;
        let m = self.floor.market(market);
        if m.admits.replace == Replacing::Decrease {
            return Err(Reject::PhaseRefuses);
        }
        let &Resting { account, side, flags, .. } = old;
        let kind = OrderType::Limit;
        let order = Order { account, side, kind, flags, price, qty, client: 0, session: 0 };
        match self.check_entry(m, market, order, &Terms::NONE, old.qty) {
            Ok((_, price, bound)) => {
                if let Some(bound) = bound {
                    report_bound(market, &order, &bound, events);
                }
                Ok(price)
            }
            Err(barred) => Err(report_barred(market, &order, &barred, events)),
        }
    }
}

/// What the breakers at entry make of an order.
#[inline(always)]
fn banded(m: &Market, order: &Order) -> Option<Bound> {
    let limit = order.limit();
    let takes = || {
        let touch = m.book.touch(order.side.opposite()).filter(|_| m.admits.matches);
        touch.is_some_and(|best| limit.is_none_or(|l| !order.side.gain(best, l).is_negative()))
    };
    let bound = m.breakers.judge_entry(order.side, limit, order.flow(), takes)?;
    if bound.refuses { Some(bound) } else { m.caps(bound, limit) }
}

/// `OrderBounded`: a breaker refuses or caps an order.
#[inline(never)]
pub(super) fn report_bound(market: MarketId, order: &Order, bound: &Bound, events: &mut Events) {
    events.push(Record {
        account: order.account.get(),
        ..bound.record(market, order.side, order.price, u16::from(!bound.refuses))
    });
}

/// Why an order is refused; the breaker that refuses it is reported.
#[inline(never)]
pub(super) fn report_barred(market: MarketId, order: &Order, barred: &Barred, events: &mut Events) -> Reject {
    if let Some(bound) = barred.bound {
        report_bound(market, order, &bound, events);
    }
    barred.why
}
