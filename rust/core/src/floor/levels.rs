//! The fill level: whether the account of a resting order carries the trade that it is about to make.

use super::Floor;
use crate::book::Resting;
use crate::ledger;
use crate::protocol::REDUCE_ONLY;
use crate::units::{MarketId, Price, Qty, Sum};

impl Floor {
    /// True if resting orders of a market are asked whether their accounts carry a trade.
    #[inline(always)]
    pub(super) fn asks_fills(&self, market: MarketId) -> bool {
        self.rules.has_fill_level() && self.market(market).config.cleared
    }

    /// True if the account of a resting order covers the fill level after a trade of what the order shows, with so many
    /// lots of open interest more than there are; also if the trade does not make its position larger.
    pub(super) fn carries_fill(&self, market: MarketId, resting: &Resting, at: Price, more: Qty) -> bool {
        if resting.flags & REDUCE_ONLY != 0 {
            return true;
        }
        let m = self.market(market);
        let held = self.ledger.position(resting.account, market);
        let traded = ledger::traded(*held, resting.side.signed(resting.shown), at, &m.contract);
        if traded.after.base.abs() <= held.base.abs() {
            return true;
        }
        let fee = m.contract.rate_up(at, resting.shown, m.config.fees.maker_ppm);
        let spare = self.rules.fill_spare(
            &self.ledger,
            &self.prices,
            resting.account,
            (market, &traded),
            self.ledger.open_interest(market) + more,
        );
        !(spare - Sum::of(fee)).is_negative()
    }
}
