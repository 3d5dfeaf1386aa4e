//! Positions of accounts in liquidation that are offered in a call auction, and what their fills bring.

use super::{Queue, Slice, book_limit, charge, report_bound, shortage, slice};
use crate::book::{Arrival, SIDES};
use crate::config::Counted;
use crate::floor::Floor;
use crate::margin::Health;
use crate::order::LIQUIDATION;
use crate::protocol::{Events, LIQUIDATION_RESTS, Placing, REDUCE_ONLY, Record, event, event_of};
use crate::units::{AccountId, MarketId, Qty, Side, Sum};

/// An offer in an auction as it stood before the auction.
#[derive(Debug)]
pub(crate) struct Offer {
    slice: Slice,
    held: Qty,
    /// It is for all of that.
    whole: bool,
    lacking: Sum,
}

/// True if a position may be offered in the auction of its market.
fn may_offer(floor: &Floor, account: AccountId, market: MarketId) -> bool {
    let m = floor.market(market);
    m.config.auction.liquidations
        && m.config.liquidation.enabled
        && m.admits.place == Placing::Resting
        && !m.config.waits_for(m.sources.state())
        && !m.book.is_full()
        && !floor.ledger.position(account, market).base.is_zero()
}

impl Queue {
    /// Offers the slice of this round of every position whose market collects orders: a limit order that may only
    /// reduce, and rests until the auction. The account's other orders are gone.
    pub(super) fn offer(
        &mut self,
        floor: &mut Floor,
        account: AccountId,
        of: (&Health, bool),
        events: &mut Events,
    ) {
        let (health, closes_out) = of;
        for market in floor.market_ids() {
            if !may_offer(floor, account, market) {
                continue;
            }
            let pace = self.paces.begin(floor, account, market);
            let lots = if closes_out {
                floor.ledger.position(account, market).base.abs()
            } else {
                self.lots(floor, account, market, (health, &pace))
            };
            let slice = slice(floor, account, market, (health, &pace));
            let side = slice.side.opposite();
            let asked = book_limit(floor, &slice);
            let (price, bound) = floor.capped(market, side, asked);
            if lots.is_zero() {
                continue;
            }
            let slot = floor.market_mut(market).book.reserve();
            let id = floor.next_id(slot);
            let flags = REDUCE_ONLY | LIQUIDATION;
            let order = Arrival { id, account, side, price, qty: lots, flags, rare: None, client: 0 };
            floor.market_mut(market).book.rest(&order);
            report_bound((account, side, id), (market, asked), bound, events);
            events.push(Record {
                account: account.get(),
                order: id.raw(),
                side: side.code(),
                flags: LIQUIDATION_RESTS,
                price: price.get(),
                qty: lots.get(),
                amount: slice.bankruptcy.get(),
                ..event_of(event::LIQUIDATION_ORDER, market)
            });
            floor.count(market, Counted::Liquidations, 1);
        }
    }

    /// Lots of accounts that wait or are parked which trade against a side of a market's book.
    pub(crate) fn pending(&self, floor: &Floor, market: MarketId, side: Side) -> Qty {
        let accounts = self.waiting.iter().chain(&self.parked);
        let held = accounts.map(|account| floor.ledger.position(*account, market).base);
        held.filter(|base| !base.is_zero() && Side::of(*base) == side).map(Qty::abs).sum()
    }

    /// The offers that rest in a market, before its auction.
    pub(crate) fn offers(&mut self, floor: &Floor, market: MarketId) -> Vec<Offer> {
        let book = &floor.market(market).book;
        let orders = SIDES.into_iter().flat_map(|side| book.orders(side));
        let mut offered: Vec<(AccountId, Qty)> = orders
            .filter(|order| order.flags & LIQUIDATION != 0)
            .map(|order| (order.account, order.qty))
            .collect();
        offered.sort_unstable();
        let offered = offered.into_iter().map(|(account, lots)| {
            let pace = self.paces.begin(floor, account, market);
            let health = floor.health(account);
            let held = floor.ledger.position(account, market).base;
            Offer {
                slice: slice(floor, account, market, (&health, &pace)),
                held,
                whole: lots == held.abs(),
                lacking: shortage(floor, account, market, &health),
            }
        });
        offered.filter(|offer| !offer.held.is_zero()).collect()
    }

    /// Settles what the offers of a market traded at the price of its auction, by account: fees as for any
    /// liquidation order. Accounts that traded get another round.
    pub(crate) fn settle_offers(&mut self, floor: &mut Floor, offers: Vec<Offer>, events: &mut Events) {
        for Offer { slice, held, whole, lacking } in offers {
            let (account, market) = (slice.account, slice.market);
            let filled = held.abs() - floor.ledger.position(account, market).base.abs();
            if filled.is_zero() {
                continue;
            }
            let price = floor.market(market).mark.last().expect("an auction that traded has a price");
            floor.count(market, Counted::Liquidated, slice.contract.notional_up(price, filled).get());
            charge(floor, &slice, (filled, slice.contract.fine(price, filled), whole), events);
            let after = shortage(floor, account, market, &floor.health(account));
            self.paces.close(floor, (account, market), (lacking - after).max(Sum::ZERO));
            if self.parked.contains(&account) {
                self.parked.retain(|parked| *parked != account);
                self.waiting.push_back(account);
            }
        }
    }
}
