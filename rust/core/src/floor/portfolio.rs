//! Orders of accounts with portfolio margin.

use super::Floor;
use crate::ledger::Position;
use crate::protocol::Reject;
use crate::units::{AccountId, Fine, MarketId, Money, Ppm, Price, Qty, Side, Sum};

impl Floor {
    /// Step 3 for an order of an account with portfolio margin, after `PositionLimit`: whether its requirement grows, the
    /// whole account says, since what hedges another position may make it smaller.
    #[inline(never)]
    pub(super) fn check_portfolio(
        &self,
        account: AccountId,
        market: MarketId,
        order: (Side, Qty, Option<Price>),
        held: &Position,
    ) -> Result<(), Reject> {
        let (side, qty, limit) = order;
        let config = &self.market(market).config;
        let grows = held.end(side) + qty > held.reach(side.opposite());
        if grows && self.ledger.open_interest(market) + qty > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        let mut after = *held;
        after.add_open(side, qty);
        let need = |p: &Position| self.rules.initial_with(&self.ledger, &self.prices, account, (market, p));
        let asked = need(&after);
        if asked <= need(held) {
            return Ok(());
        }
        let mark = self.prices.known(market);
        let (price, contract) = (limit.unwrap_or(mark), self.contract(market));
        let loss = contract.down(contract.gain_per_lot(side, price, mark).min(Fine::ZERO).times(qty));
        let fee = contract.rate_up(price, qty, config.fees.taker_ppm.max(Ppm::ZERO));
        let equity = self.rules.initial_equity(&self.ledger, &self.prices, account);
        let covered = equity + Sum::of(loss) - Sum::of(fee) >= asked;
        if covered { Ok(()) } else { Err(Reject::MarginShort) }
    }

    /// The lower bound of a position's tier and its maintenance rate, as its account is margined.
    pub(crate) fn tier(&self, account: AccountId, market: MarketId) -> (Money, Ppm) {
        self.rules.tier_of(&self.ledger, &self.prices, account, market)
    }

    /// True if an account may be margined in another way: it covers initial margin then, or needs no more of it than now
    /// and covers maintenance.
    pub(crate) fn may_be_margined(&mut self, account: AccountId, portfolio: bool) -> bool {
        let before = self.ledger.tag(account).portfolio;
        let initial = |floor: &Self| floor.rules.initial_total(&floor.ledger, &floor.prices, account);
        let now = initial(self);
        self.ledger.tag_mut(account).portfolio = portfolio;
        let (then, health) = (initial(self), self.health(account));
        let equity = self.rules.initial_equity(&self.ledger, &self.prices, account);
        self.ledger.tag_mut(account).portfolio = before;
        equity >= then || then <= now && !health.is_liquidatable()
    }
}
