//! The final settlement of a market: its command, and its timers.

use super::Venue;
use crate::ledger::Place;
use crate::protocol::{CancelReason, Events, Phase, Record, Reject, event, event_of};
use crate::settlement::Progress;
use crate::units::{AccountId, MarketId, Nanos, Side};

impl Venue {
    /// Plans the settlement of a market, or drops the plan at time zero.
    pub(super) fn settle_at(
        &mut self,
        market: MarketId,
        at: Nanos,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        let m = self.floor.market(market);
        if m.config.settlement.is_none() {
            return Err(Reject::BadField);
        }
        if m.settlement.has_begun() {
            return Err(Reject::PhaseRefuses);
        }
        let idle = m.settlement.progress == Progress::None;
        if at.is_zero() && idle || !at.is_zero() && at <= self.floor.now {
            return Err(Reject::BadField);
        }
        self.check_mark(m, market)?;

        // From here on nothing fails.
        self.floor.plan_settlement(market, at, events);
        self.next_due = self.earliest();
        Ok(())
    }

    /// A timer: the market begins to shrink, or is settled as far as the budget of accounts goes. True if it is not
    /// finished.
    pub(super) fn settle_market(
        &mut self,
        market: MarketId,
        due: Nanos,
        budget: &mut usize,
        events: &mut Events,
    ) -> bool {
        match self.floor.market(market).settlement.progress {
            Progress::Planned { reduces: false, .. } => {
                self.floor.reduce_before_settlement(market, events);
                return false;
            }
            Progress::Planned { reduces: true, .. } => {
                if *budget == 0 {
                    return true;
                }
                *budget -= 1;
                self.begin_settlement(market, due, events);
            }
            Progress::UnderWay { .. } => {}
            Progress::None | Progress::Done => return false,
        }
        let done = self.close_positions(market, budget, events);
        if done {
            self.end_settlement(market, events);
        }
        !done
    }

    fn begin_settlement(&mut self, market: MarketId, at: Nanos, events: &mut Events) {
        self.floor.cancel_each(market, CancelReason::Settlement, events, |book, ids| book.all_orders(ids));
        self.floor.enter(market, Phase::Settlement, Nanos::ZERO, events);
        let (index, mark) = (self.floor.prices.index(market), self.floor.prices.known(market));
        let open = self.floor.ledger.open_interest(market);
        let m = self.floor.market_mut(market);
        let rule = m.config.settlement.expect("a settlement has a rule");
        let price = m.settlement.price(&rule, at, index.expect("a market with a mark has an index"), mark);
        m.settlement.progress = Progress::UnderWay { price, next: [AccountId::new(0); 2] };
        m.ranking = [None, None];
        events.push(Record {
            price: price.get(),
            qty: open.get(),
            ..event_of(event::SETTLEMENT_STARTED, market)
        });
    }

    /// Closes longs against shorts, both by number; true if none is left.
    fn close_positions(&mut self, market: MarketId, budget: &mut usize, events: &mut Events) -> bool {
        let Progress::UnderWay { price, mut next } = self.floor.market(market).settlement.progress else {
            return true;
        };
        let accounts = self.floor.ledger.accounts();
        let held = |venue: &Self, account| venue.floor.ledger.position(account, market).base;
        let done = 'pairs: loop {
            for (side, next) in [Side::Buy, Side::Sell].into_iter().zip(&mut next) {
                while next.index() < accounts && !side.signed(held(self, *next)).is_positive() {
                    if *budget == 0 {
                        break 'pairs false;
                    }
                    *budget -= 1;
                    *next = AccountId::from_index(next.index() + 1);
                }
                // Positions sum to zero: without a long there is no short.
                if next.index() == accounts {
                    break 'pairs true;
                }
            }
            let [long, short] = next;
            let lots = held(self, long).min(held(self, short).abs());
            self.floor.pass(market, (long, Side::Sell), short, (price, lots));
            events.push(Record {
                account: long.get(),
                order: u64::from(short.get()),
                side: Side::Sell.code(),
                price: price.get(),
                qty: lots.get(),
                ..event_of(event::SETTLED, market)
            });
            for account in [long, short] {
                self.queue.note_owing(&self.floor, account, market);
            }
        };
        self.floor.market_mut(market).settlement.progress = Progress::UnderWay { price, next };
        done
    }

    fn end_settlement(&mut self, market: MarketId, events: &mut Events) {
        assert!(self.floor.ledger.open_interest(market).is_zero(), "a settled market has no positions");
        assert!(self.floor.ledger.at(Place::Clearing(market)).is_zero(), "a settlement sums to zero");
        self.floor.market_mut(market).settlement.progress = Progress::Done;
        self.floor.enter(market, Phase::Closed, Nanos::ZERO, events);
    }
}
