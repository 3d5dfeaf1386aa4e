//! A market that is to be settled: its plan, and the time in which positions only grow smaller.

use super::Floor;
use crate::protocol::{CancelReason, Events, Phase, Record, event, event_of};
use crate::settlement::Progress;
use crate::units::{MarketId, Nanos};

impl Floor {
    /// Plans a settlement, or drops the plan at time zero; the market has a rule for it and a mark.
    pub(crate) fn plan_settlement(&mut self, market: MarketId, at: Nanos, events: &mut Events) {
        let now = self.now;
        let m = self.market_mut(market);
        let rule = m.config.settlement.expect("the caller asked for it");
        if at.is_zero() {
            m.settlement.progress = Progress::None;
        } else {
            m.settlement.plan(&rule, at, now);
        }
        events.push(Record { amount: at.get(), ..event_of(event::SETTLEMENT_PLANNED, market) });
        if self.market(market).settlement.due(&rule).is_some_and(|due| due <= now) {
            self.reduce_before_settlement(market, events);
        }
    }

    /// From now until the settlement positions only grow smaller: orders that could do otherwise are cancelled, and the
    /// market is in reduce-only unless it is interrupted or closed.
    pub(crate) fn reduce_before_settlement(&mut self, market: MarketId, events: &mut Events) {
        let m = self.market_mut(market);
        let Progress::Planned { at, .. } = m.settlement.progress else { return };
        m.settlement.progress = Progress::Planned { at, reduces: true };
        let stays = matches!(m.phase, Phase::Halted | Phase::Pause | Phase::Closed | Phase::Settlement);
        self.cancel_each(market, CancelReason::Settlement, events, |book, ids| {
            book.all_orders(ids);
            ids.retain(|id| !book.is_reduce_only(*id));
        });
        if !stays {
            self.enter(market, Phase::ReduceOnly, Nanos::ZERO, events);
        }
    }

    /// A loss of a market that nobody carried leads to its settlement, after a notice.
    pub(crate) fn give_notice(&mut self, market: MarketId, events: &mut Events) {
        let m = self.market(market);
        let notice = m.config.settlement.and_then(|rule| rule.notice_ns);
        if let Some(notice) = notice.filter(|_| m.settlement.progress == Progress::None) {
            self.plan_settlement(market, self.now.later(notice), events);
        }
    }
}
