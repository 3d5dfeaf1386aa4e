//! A call auction meets the book: its price, who trades at it, and what is left.

use super::{Floor, Market, Party};
use crate::allocation;
use crate::auction::{self, Clearing, Interest};
use crate::book::{Filled, Level, Resting, SIDES, Waits};
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{
    self, AuctionAllocation, AuctionReference, Candidates, Collar, CollarAction, CollarAround, MarketOrders,
};
use crate::order::LIQUIDATION;
use crate::protocol::{
    CancelReason, Events, FILL_AUCTION, FILL_LIQUIDATION, REDUCE_ONLY, REPLACED_PRICED, Record, event,
    event_of,
};
use crate::units::{Doubled, MarketId, Money, OrderId, Ppm, Price, Qty, Side};

/// What an auction would do now. Who owns the phases asks for it before an auction ends, and may go on with it instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing would trade.
    Nothing,
    /// The price, and every market order is filled.
    Clears(Clearing),
    /// The price, and market orders of the side with the surplus would be left.
    MarketLeft(Clearing),
    /// The price is beyond the collar, whose bound this is.
    Outside(Clearing, Price),
}

impl Found {
    /// The clearing, whether it may be or not.
    pub(crate) fn clearing(self) -> Option<Clearing> {
        match self {
            Self::Nothing => None,
            Self::Clears(clearing) | Self::MarketLeft(clearing) | Self::Outside(clearing, _) => {
                Some(clearing)
            }
        }
    }

    pub(super) fn encode(self, w: &mut Writer) {
        w.u16(self.code());
        let Some(Clearing { price, volume, surplus }) = self.clearing() else { return };
        w.i64(price.get());
        w.i64(volume.get());
        w.i64(surplus.get());
        if let Self::Outside(_, bound) = self {
            w.i64(bound.get());
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let code = r.u16()?;
        if code == Self::Nothing.code() {
            return Ok(Self::Nothing);
        }
        let (price, volume, surplus) = (Price::new(r.i64()?), Qty::new(r.i64()?), Qty::new(r.i64()?));
        let clearing = Clearing { price, volume, surplus };
        match code {
            0 => Ok(Self::Clears(clearing)),
            2 => Ok(Self::MarketLeft(clearing)),
            3 => Ok(Self::Outside(clearing, Price::new(r.i64()?))),
            _ => Err(r.invalid(format!("auction result {code} is unknown; take another copy"))),
        }
    }

    /// The number in a record.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Clears(_) => 0,
            Self::Nothing => 1,
            Self::MarketLeft(_) => 2,
            Self::Outside(..) => 3,
        }
    }
}

/// The lowest and the highest price of an auction.
pub(crate) type CollarBounds = (Price, Price);

/// What a share-out gives the orders of one side, in the order in which they are served.
#[derive(Debug, Default)]
struct Shares {
    orders: Vec<(OrderId, Qty)>,
    next: usize,
}

/// True if an order may trade in an auction at a price.
#[inline(always)]
fn reaches(order: &Resting, price: Price) -> bool {
    order.price.is_zero() || !order.side.gain(order.price, price).is_positive()
}

/// What stands in an auction and what it comes to.
struct Call {
    bids: Vec<Level>,
    asks: Vec<Level>,
    market_buys: Qty,
    market_sells: Qty,
    /// Without a collar.
    clearing: Option<Clearing>,
    collar: Option<(CollarBounds, CollarAction)>,
}

impl Call {
    fn interest(&self) -> Interest<'_> {
        let Self { bids, asks, market_buys, market_sells, .. } = self;
        Interest { bids, asks, market_buys: *market_buys, market_sells: *market_sells }
    }

    /// A clearing, and whether it leaves market orders.
    fn filled(&self, clearing: Clearing) -> Found {
        if self.market_buys.max(self.market_sells) > clearing.volume {
            Found::MarketLeft(clearing)
        } else {
            Found::Clears(clearing)
        }
    }
}

impl Market {
    /// True if fills in an auction change nothing but the two orders and who has them; fills are looked at, or not.
    fn is_plainly_uncrossed(&self, asks_fills: bool) -> bool {
        !asks_fills
            && !self.config.allocation.shares_out()
            && !self.book.has_unpriced()
            && self.book.is_plain()
    }

    /// The reference of the market's auctions, a price that orders may have; none before there is any price.
    fn auction_reference(&self, mark: Option<Price>, index: Option<Price>) -> Option<Doubled> {
        let step = self.config.entry.price_step;
        let (least, most) = self.config.prices();
        let low = (least + step - Price::new(1)).on_step_down(step);
        let high = most.on_step_down(step);
        let reference = self.unlimited_reference(mark, index)?;
        Some(reference.max(Doubled::mid(low, low)).min(Doubled::mid(high, high)))
    }

    fn unlimited_reference(&self, mark: Option<Price>, index: Option<Price>) -> Option<Doubled> {
        let own = match self.config.auction.reference {
            AuctionReference::Mark => None,
            AuctionReference::Last => self.mark.last(),
            AuctionReference::Index => index,
            AuctionReference::Midpoint => {
                return self
                    .touch
                    .map(|(bid, ask)| Doubled::mid(bid, ask))
                    .or_else(|| self.plain_reference(mark));
            }
        };
        own.map(|price| Doubled::mid(price, price)).or_else(|| self.plain_reference(mark))
    }

    fn plain_reference(&self, mark: Option<Price>) -> Option<Doubled> {
        mark.or(self.mark.last()).map(|price| Doubled::mid(price, price))
    }

    /// The bounds of a collar, rounded inwards to steps; none without a reference.
    fn collar_bounds(&self, collar: &Collar, reference: Option<Doubled>) -> Option<CollarBounds> {
        let (tick, step) = (Price::new(1), self.config.entry.price_step);
        let touch = self.touch.filter(|_| collar.around == CollarAround::Touch);
        let middle = touch.map(|(bid, ask)| Doubled::mid(bid, ask)).or(reference)?;
        let around = (middle.share_on_step_up(Ppm::ONE, tick), middle.share_on_step_down(Ppm::ONE, tick));
        let (below, above) = touch.unwrap_or(around);
        let width = middle.share_on_step_down(collar.width_ppm, tick).max(collar.width_min);
        let low = (below - width).max(step).on_step_up(step);
        Some((low, (above + width).on_step_down(step).max(low)))
    }
}

impl Floor {
    /// What an auction of a market would do now: within `bounds` if they are given, else within the collar of its
    /// configuration. Linear in the levels of the book.
    pub(crate) fn auction(&self, market: MarketId, bounds: Option<CollarBounds>) -> Found {
        let book = &self.market(market).book;
        if !book.has_unpriced() && !book.is_crossed() {
            return Found::Nothing;
        }
        let called = self.call(market);
        let Some(clearing) = called.clearing else { return Found::Nothing };
        let own = called.collar.filter(|_| bounds.is_none());
        let Some(((low, high), action)) = bounds.map(|b| (b, CollarAction::Refuse)).or(own) else {
            return called.filled(clearing);
        };
        let bound = clearing.price.max(low).min(high);
        if bound == clearing.price {
            return called.filled(clearing);
        }
        match action {
            CollarAction::Refuse => Found::Outside(clearing, bound),
            CollarAction::Confine => {
                called.interest().cleared_at(bound).map_or(Found::Nothing, |within| called.filled(within))
            }
        }
    }

    /// What stands in a market's auction, its price without a collar, and the collar.
    fn call(&self, market: MarketId) -> Call {
        let m = self.market(market);
        let rule = m.config.auction;
        let reference = m.auction_reference(self.prices.mark(market), self.prices.index(market));
        let [market_buys, market_sells] = SIDES.map(|side| m.book.waiting().unpriced_lots(side));
        let (bids, asks) = (m.book.whole_levels(Side::Buy), m.book.whole_levels(Side::Sell));
        let collar =
            rule.collar.and_then(|collar| Some((m.collar_bounds(&collar, reference)?, collar.action)));
        let mut call = Call { bids, asks, market_buys, market_sells, clearing: None, collar };
        let interest = call.interest();
        let grid = interest.span(m.config.entry.price_step, m.config.prices(), reference);
        let mut clearing = auction::clearing(&rule, &interest, reference, &grid);
        if clearing.is_none() && m.book.is_crossed() {
            // No step lies between limits that bands have moved off the steps.
            let rule = config::Auction { candidates: Candidates::Limits, ..rule };
            clearing = auction::clearing(&rule, &interest, reference, &grid);
        }
        call.clearing = clearing;
        call
    }

    /// The end of a call: one price, buys and sells in priority order until the volume is done; again while something
    /// could trade because orders fell away. Then what is left and may not stay goes.
    ///
    /// A collar that refuses is not looked at: whoever ends the call has done so.
    pub(super) fn uncross(&mut self, market: MarketId, events: &mut Events) {
        let (mut last, mut trades) = (None, false);
        while let Some(clearing) = self.auction(market, None).clearing() {
            last = Some(clearing.price);
            events.push(Record {
                price: clearing.price.get(),
                qty: clearing.volume.get(),
                amount: clearing.surplus.get(),
                ..event_of(event::UNCROSSED, market)
            });
            let left = self.trade_at(market, &clearing, events);
            // A round in which everything fell away traded nothing.
            if left < clearing.volume {
                trades = true;
                self.note_trade(market, clearing.price);
                let now = self.now;
                self.market_mut(market).breakers.auctioned(now, clearing.price);
            }
        }
        self.clear_away(market, last.filter(|_| trades), events);
    }

    /// Lots of the volume that did not trade, because orders fell away.
    fn trade_at(&mut self, market: MarketId, clearing: &Clearing, events: &mut Events) -> Qty {
        let price = clearing.price;
        let (m, asks_fills) = (self.market(market), self.asks_fills(market));
        if m.is_plainly_uncrossed(asks_fills) {
            return self.trade_plainly(market, clearing, events);
        }
        let shares_out =
            m.config.auction.allocation == AuctionAllocation::Market && m.config.allocation.shares_out();
        let mut left = clearing.volume;
        let mut shares = shares_out.then(<[Shares; 2]>::default);
        while left.is_positive() {
            let next = match &mut shares {
                Some([buys, sells]) => self
                    .next_share(market, Side::Buy, (price, left), buys)
                    .and_then(|buy| Some([buy, self.next_share(market, Side::Sell, (price, left), sells)?])),
                None => self.next_pair(market, price),
            };
            let Some(pair) = next else { break };
            let orders = pair.map(|(order, _)| order);
            let asks = asks_fills || (orders[0].flags | orders[1].flags) & REDUCE_ONLY != 0;
            if asks && !self.stay(market, &orders, price, events) {
                continue;
            }
            let qty = pair[0].1.min(pair[1].1).min(left);
            self.meet_at(market, orders, (price, qty), events);
            left -= qty;
            for shares in shares.iter_mut().flatten() {
                shares.orders[shares.next].1 -= qty;
            }
        }
        left
    }

    /// The same where every order is what it shows: nothing is asked of it, and nothing follows from its fill.
    #[inline(never)]
    fn trade_plainly(&mut self, market: MarketId, clearing: &Clearing, events: &mut Events) -> Qty {
        let price = clearing.price;
        let m = self.market(market);
        let (cleared, maker, contract) = (m.config.cleared, m.config.fees.maker_ppm, m.contract);
        let [buys, sells] = SIDES.map(|side| m.book.reach(side, Some(price)));
        let mut left = clearing.volume;
        while left.is_positive() {
            let book = &mut self.markets[market.index()].book;
            let Some(buy) = book.front_within(Side::Buy, buys) else { break };
            let Some(sell) = book.front_within(Side::Sell, sells) else { break };
            let qty = buy.shown().min(sell.shown()).min(left);
            for order in [&buy, &sell] {
                let filled = book.fill(order, qty);
                debug_assert!(filled.is_none(), "an order with something rare");
            }
            for order in [&buy, &sell] {
                let (account, id, side) = (order.account(), order.id(), order.side());
                let of = Party { account, id, side, flags: FILL_AUCTION };
                if cleared {
                    self.ledger.position_mut(account, market).add_open(side, -qty);
                    self.book_trade(market, &of, (price, qty), (maker, &contract), events);
                } else {
                    Self::report_fill(market, &of, (price, qty), Money::ZERO, events);
                }
            }
            left = left.minus_proven(qty);
        }
        left
    }

    /// The orders of both sides that are served next, each with all that it shows; `None` if one does not reach the price.
    #[inline(always)]
    fn next_pair(&self, market: MarketId, price: Price) -> Option<[(Resting, Qty); 2]> {
        let book = &self.market(market).book;
        let next = |side| book.foremost(side).filter(|order| reaches(order, price));
        let (buy, sell) = (next(Side::Buy)?, next(Side::Sell)?);
        Some([(buy, buy.shown), (sell, sell.shown)])
    }

    /// True if two orders that are about to meet stand as they did after reduce-only orders were cut and fills that
    /// nobody can carry fell away.
    #[inline(never)]
    fn stay(&mut self, market: MarketId, pair: &[Resting; 2], price: Price, events: &mut Events) -> bool {
        for order in pair {
            // The sell may have been the other leg of a buy that was cut away, and gone with it.
            let Some(standing) = self.market(market).book.get_any(order.id) else { return false };
            if self.reduced(market, standing, None, events) != Some(*order) {
                return false;
            }
        }
        if self.asks_fills(market) {
            let falls = |order: &&Resting| !self.carries_fill(market, order, price, Qty::ZERO);
            if let Some(order) = pair.iter().find(falls) {
                self.lose(market, order, None, CancelReason::Margin, events);
                return false;
            }
        }
        self.market(market).book.get_any(pair[0].id) == Some(pair[0])
    }

    /// The order of a side that is served next where the market shares out, and the lots that it may get; `None` if none
    /// reaches the price.
    #[inline(never)]
    fn next_share(
        &self,
        market: MarketId,
        side: Side,
        at: (Price, Qty),
        shares: &mut Shares,
    ) -> Option<(Resting, Qty)> {
        loop {
            while let Some(&(id, lots)) = shares.orders.get(shares.next) {
                let standing = self.market(market).book.get_any(id).filter(|_| lots.is_positive());
                if let Some(order) = standing {
                    return Some((order, lots.min(order.shown)));
                }
                shares.next += 1;
            }
            if !self.share_next(market, side, at, shares) {
                return None;
            }
        }
    }

    /// Shares what is left out among the orders of a side that are served next; false if none reaches the price.
    fn share_next(&self, market: MarketId, side: Side, at: (Price, Qty), shares: &mut Shares) -> bool {
        let (price, left) = at;
        let m = self.market(market);
        let mut queue = Vec::new();
        m.book.foremost_queue(side, &mut queue);
        if !queue.first().is_some_and(|order| reaches(order, price)) {
            return false;
        }
        let total: Qty = queue.iter().map(|order| order.shown).sum();
        shares.next = 0;
        shares.orders.clear();
        if total > left {
            let mut lots = Vec::new();
            allocation::shares(left, &queue, m.book.top(side), &m.config.allocation, &mut lots);
            shares.orders.extend(queue.iter().map(|order| order.id).zip(lots));
        } else {
            shares.orders.extend(queue.iter().map(|order| (order.id, order.shown)));
        }
        true
    }

    /// One meeting in an auction.
    #[inline(always)]
    fn meet_at(&mut self, market: MarketId, pair: [Resting; 2], trade: (Price, Qty), events: &mut Events) {
        let m = &mut self.markets[market.index()];
        let maker = m.config.fees.maker_ppm;
        let filled = pair.map(|order| m.book.fill_any(&order, trade.1));
        for order in &pair {
            let liquidation = order.flags & LIQUIDATION != 0;
            let (flags, rate) = if liquidation { (FILL_LIQUIDATION, Ppm::ZERO) } else { (0, maker) };
            let of =
                Party { account: order.account, id: order.id, side: order.side, flags: FILL_AUCTION | flags };
            self.count_open(market, (order.account, order.side, order.flags), -trade.1);
            self.settle(market, &of, trade, rate, events);
        }
        if filled.iter().any(Option::is_some) {
            self.end_meeting_at(market, pair, filled, events);
        }
    }

    /// After a meeting of orders with something rare: their next peaks, and their other legs.
    #[inline(never)]
    fn end_meeting_at(
        &mut self,
        market: MarketId,
        pair: [Resting; 2],
        filled: [Option<Filled>; 2],
        events: &mut Events,
    ) {
        for (order, filled) in pair.iter().zip(&filled) {
            let of = Party { account: order.account, id: order.id, side: order.side, flags: 0 };
            Self::report_peak(market, &of, order.price, &filled.unwrap_or_default(), events);
        }
        for leg in filled.into_iter().flatten().filter_map(|filled| filled.leg) {
            self.cancel_leg(market, leg, events);
        }
    }

    /// What does not stay in the book after an auction: liquidation orders, market orders, and limits that could trade
    /// only beyond the collar. The price of the auction, if anything traded.
    fn clear_away(&mut self, market: MarketId, price: Option<Price>, events: &mut Events) {
        let rule = self.market(market).config.auction;
        if rule.liquidations {
            self.cancel_each(market, CancelReason::Immediate, events, |book, ids| {
                let orders = SIDES.into_iter().flat_map(|side| book.orders(side));
                ids.extend(orders.filter(|order| order.flags & LIQUIDATION != 0).map(|order| order.id));
                ids.sort_unstable();
            });
        }
        if rule.market_orders != MarketOrders::Refused {
            let price = price.filter(|_| rule.market_orders == MarketOrders::Limit);
            for side in SIDES {
                self.settle_unpriced(market, side, price, events);
            }
        }
        if !self.market(market).book.is_crossed() {
            return;
        }
        // The side that wanted a price beyond the bound.
        let called = self.call(market);
        let above = called.clearing.zip(called.collar).is_some_and(|(c, ((_, high), _))| c.price > high);
        let side = if above { Side::Buy } else { Side::Sell };
        while self.market(market).book.is_crossed() {
            let front = self.market(market).book.front(side).expect("a crossed book has orders");
            self.cancel(market, front.id, CancelReason::Breaker, events);
        }
    }

    /// The market orders of a side after an auction: they rest at its price, or are cancelled.
    fn settle_unpriced(&mut self, market: MarketId, side: Side, price: Option<Price>, events: &mut Events) {
        let waiting: Vec<Resting> =
            self.market(market).book.waiting().unpriced(side).map(Waits::standing).collect();
        for order in waiting {
            let Some(price) = price else {
                self.cancel(market, order.id, CancelReason::Immediate, events);
                continue;
            };
            self.market_mut(market).book.rest_unpriced(order.id, price);
            events.push(Record {
                account: order.account.get(),
                order: order.id.raw(),
                side: side.code(),
                flags: REPLACED_PRICED,
                price: price.get(),
                qty: order.qty.get(),
                ..event_of(event::REPLACED, market)
            });
        }
    }

    /// Publishes what an auction would do now, if that has changed.
    pub(crate) fn publish(&mut self, market: MarketId, events: &mut Events) {
        let found = self.auction(market, None);
        let m = self.market_mut(market);
        // The bounds of a price outside are not told, and may move without a new one.
        let told = |found: Found| (found.code(), found.clearing());
        if m.published.map_or(found == Found::Nothing, |last| told(last) == told(found)) {
            return;
        }
        m.published = Some(found);
        let (price, volume, surplus) =
            found.clearing().map_or_else(Default::default, |c| (c.price, c.volume, c.surplus));
        events.push(Record {
            code: found.code(),
            price: price.get(),
            qty: volume.get(),
            amount: surplus.get(),
            ..event_of(event::INDICATIVE, market)
        });
    }
}
