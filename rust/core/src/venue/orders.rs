//! Orders: terms, place, quote, cancel, replace, and waiting orders that fire. Refusals in their documented order,
//! one line after which nothing fails, the change.

use super::Venue;
use super::entry::{Barred, report_barred, report_bound};
use crate::book::{Arrival, Located, NO_SLOT, ORDINARY, Rare, Resting, Waits};
use crate::breaker::Bound;
use crate::config::MarketOrders;
use crate::floor::{Floor, Flow, Incoming, Market, Party, Swept};
use crate::order::{FlowKind, Order, Protection, Said, Terms, Trigger, Watched, quote_flags_fit, self_trade};
use crate::protocol::{
    BY_CLIENT_ID, CancelReason, DAY, EVERY_ACCOUNT, Events, ONLY_SESSION, ONLY_SIDE, OrderType, POST_ONLY,
    Placing, REDUCE_ONLY, REPLACED_KEPT, Record, Reject, Replacing, WAITING, command, event, event_of,
};
use crate::units::{AccountId, MarketId, Nanos, OrderId, Price, Qty, Side};

/// What an order has of which nothing was said.
const NO_TERMS: Terms = Terms::NONE;

/// An order on its way to the book, after its checks.
struct Checked {
    /// The worst price; none for a market order that nothing limits.
    limit: Option<Price>,
    /// The price that its events show.
    price: Price,
    expiry: Option<Nanos>,
    /// It waits for an auction, without a price.
    unpriced: bool,
    /// The breaker that capped it.
    bound: Option<Bound>,
}

impl Venue {
    pub(super) fn term(&mut self, r: &Record) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        let account = self.known_account(AccountId::new(r.account))?;
        let price_max = self.floor.market(market).config.price_max;
        let said = self.gathered.get_or_insert_default();
        if said.of.is_some_and(|of| of != (market, account)) {
            return Err(Reject::BadField);
        }
        said.terms.say(r, price_max)?;
        said.of = Some((market, account));
        Ok(())
    }

    #[inline(never)]
    pub(super) fn place(
        &mut self,
        r: &Record,
        said: Option<&Said>,
        events: &mut Events,
    ) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        self.known_account(AccountId::new(r.account))?;
        // A venue that looks at every step anyway asks everything: so tests hold both ways against each other.
        if said.is_none()
            && !self.is_restless
            && self.floor.is_certain(market, r)
            && !self.floor.market(market).book.is_full()
        {
            let order = Order::read(r)?;
            if self.floor.market(market).breakers.has_quotes() {
                self.floor.ask_touches();
            }
            self.take_in(market, &order, None, (Some(order.price), order.price), events);
            return Ok(());
        }
        self.place_with(market, r, said, events)
    }

    /// A Place of which more has to be asked.
    #[inline(never)]
    fn place_with(
        &mut self,
        market: MarketId,
        r: &Record,
        said: Option<&Said>,
        events: &mut Events,
    ) -> Result<(), Reject> {
        let order = Order::read(r)?;
        if said.is_some_and(|said| said.broken || said.of != Some((market, order.account))) {
            return Err(Reject::BadField);
        }
        let terms = said.map_or(&NO_TERMS, |said| &said.terms);
        terms.fit(&order)?;
        self.accept(market, order, terms, events).map(|_| ())
    }

    /// A Place whose form is right: the id of the order.
    #[inline(always)]
    fn accept(
        &mut self,
        market: MarketId,
        order: Order,
        terms: &Terms,
        events: &mut Events,
    ) -> Result<OrderId, Reject> {
        self.floor.look_at_entry(market);
        if self.floor.market(market).breakers.has_quotes() {
            self.floor.ask_touches();
        }
        let m = self.floor.market(market);
        let Checked { limit, price, expiry, unpriced, bound } =
            match self.check_place(m, market, &order, terms) {
                Ok(checked) => checked,
                Err(barred) => return Err(report_barred(market, &order, &barred, events)),
            };
        if let Some(bound) = bound {
            report_bound(market, &order, &bound, events);
        }
        if unpriced {
            return self.join_auction(market, &order, events);
        }

        // From here on nothing fails.
        let rare = Rare { display: terms.display, expiry, leg: terms.leg, session: order.session }.boxed();
        if let Some(trigger) = terms.trigger {
            return Ok(self.wait(market, &order, (terms, rare), trigger, events));
        }
        Ok(self.take_in(market, &order, rare, (limit, price), events))
    }

    /// Accepts an order: its id.
    #[inline(always)]
    fn take_in(
        &mut self,
        market: MarketId,
        order: &Order,
        rare: Option<Box<Rare>>,
        at: (Option<Price>, Price),
        events: &mut Events,
    ) -> OrderId {
        let Order { account, side, qty, flags, client, .. } = *order;
        let Floor { markets, ledger, accepted, .. } = &mut self.floor;
        let m = &mut markets[market.index()];
        // Most orders have nothing rare and meet nobody.
        if order.rests() && rare.is_none() && flags & !ORDINARY == 0 {
            let key = m.book.key(side, at.1);
            if !m.book.is_reached_from(side, key) {
                if m.config.cleared {
                    ledger.position_mut(account, market).add_open(side, qty);
                }
                assert!(m.book.has_room(), "it was asked before");
                let id = m.book.next_id(accepted);
                m.book.add(id, (account, side), (key, qty), flags, client);
                report_accepted(market, id, order, (at.1, flags), events);
                return id;
            }
        }
        self.admit(market, order, rare, at, events)
    }

    /// Accepts an order that has something rare, does not rest, or meets somebody: its id.
    #[inline(always)]
    fn admit(
        &mut self,
        market: MarketId,
        order: &Order,
        rare: Option<Box<Rare>>,
        at: (Option<Price>, Price),
        events: &mut Events,
    ) -> OrderId {
        let (limit, price) = at;
        let rests = order.rests();
        let slot = if rests { self.floor.market_mut(market).book.reserve() } else { NO_SLOT };
        let id = self.floor.next_id(slot);
        if let Some(leg) = rare.as_ref().and_then(|rare| rare.leg) {
            self.floor.market_mut(market).book.set_leg(leg, Some(id));
        }
        report_accepted(market, id, order, (price, order.flags), events);
        if rests {
            let Order { account, side, qty, flags, client, .. } = *order;
            let arrival = Arrival { id, account, side, price, qty, flags, rare, client };
            self.enter_book(market, arrival, (order.kind, limit), Stay::New, events);
        } else {
            let order = Incoming { id, shown_price: price, ..self.incoming(market, order, limit) };
            let mut swept = self.meet_book(&order, events);
            self.drop_left(&order, &mut swept, events);
        }
        id
    }

    /// The refusals of a Place whose form is right, in order.
    #[inline(always)]
    fn check_place(
        &self,
        m: &Market,
        market: MarketId,
        order: &Order,
        terms: &Terms,
    ) -> Result<Checked, Barred> {
        let has_name = m.book.keeps_names();
        if has_name && !m.book.admits_name(order.client) {
            return Err(Reject::BadField.into());
        }
        let unpriced = !order.rests() && joins_auction(m, order, terms);
        let may_wait = terms.trigger.is_some() && m.admits.place != Placing::None;
        if !order.is_admitted(m.admits.place) && !may_wait && !unpriced {
            return Err(Reject::PhaseRefuses.into());
        }
        self.check_mark(m, market)?;
        let steps = !m.plain_entry;
        self.check_size(m, market, (order.limit(), order.qty), order.has(REDUCE_ONLY), steps)?;
        let account = order.account;
        let expiry = self.check_expiry(m, order.flags, terms)?;
        self.check_free(m, account)?;
        if has_name && m.book.named(account, order.client).is_some() {
            return Err(Reject::DuplicateClientId.into());
        }
        self.check_terms(m, market, order, terms)?;
        if order.rests() || terms.trigger.is_some() || unpriced {
            let max = if steps { m.config.entry.open_orders_max } else { None };
            if max.is_some_and(|max| m.book.open_orders(account) >= max) {
                return Err(Reject::OpenOrdersLimit.into());
            }
            if m.book.is_full() {
                return Err(Reject::BookFull.into());
            }
        }
        let checked = Checked { limit: order.limit(), price: order.price, expiry, unpriced, bound: None };
        if terms.trigger.is_some() || unpriced {
            return Ok(checked);
        }
        let (limit, price, bound) = self.check_entry(m, market, *order, terms, Qty::ZERO)?;
        Ok(Checked { limit, price, bound, ..checked })
    }

    /// The other leg of an order is there and free, and its trigger has not fired.
    #[inline(always)]
    fn check_terms(&self, m: &Market, market: MarketId, order: &Order, terms: &Terms) -> Result<(), Reject> {
        if let Some(leg) = terms.leg {
            let owner = m.book.owner(leg).ok_or(Reject::UnknownOrder)?;
            if owner != order.account {
                return Err(Reject::NotYourOrder);
            }
            if m.book.rare(leg).leg.is_some() {
                return Err(Reject::BadField);
            }
        }
        let Some(trigger) = terms.trigger else { return Ok(()) };
        let holds =
            self.watched(market, trigger.watched).is_some_and(|price| trigger.holds(order.side, price));
        if holds { Err(Reject::TriggerBeyond) } else { Ok(()) }
    }

    /// A market order rests until the auction of its market.
    #[inline(never)]
    fn join_auction(
        &mut self,
        market: MarketId,
        order: &Order,
        events: &mut Events,
    ) -> Result<OrderId, Reject> {
        let Order { account, side, qty, flags, .. } = *order;
        let reducing = flags & REDUCE_ONLY != 0;
        if reducing {
            self.check_reducing(market, account, (side, qty))?;
        } else if self.floor.market(market).config.cleared {
            let held = *self.floor.ledger.position(account, market);
            let m = self.floor.market(market);
            self.floor.check_order((m, market), account, (side, qty, None), &held)?;
        }

        // From here on nothing fails.
        self.floor.count_open(market, (account, side, flags), qty);
        let slot = self.floor.market_mut(market).book.reserve();
        let id = self.floor.next_id(slot);
        self.floor.market_mut(market).book.wait_unpriced(id, order);
        report_accepted(market, id, order, (Price::ZERO, flags), events);
        Ok(id)
    }

    /// When an order expires; refused if that is not in the future.
    #[inline(always)]
    fn check_expiry(&self, m: &Market, flags: u16, terms: &Terms) -> Result<Option<Nanos>, Reject> {
        if flags & DAY != 0 {
            let day = m.config.day;
            return Ok(Some(day.start_ns.end_of_day(day.length_ns, self.floor.now)));
        }
        match terms.expiry {
            Some(expiry) if expiry <= self.floor.now => Err(Reject::ExpiryPast),
            expiry => Ok(expiry),
        }
    }

    /// The price that a trigger watches, as it stands.
    fn watched(&self, market: MarketId, watched: Watched) -> Option<Price> {
        match watched {
            Watched::Last => self.floor.market(market).mark.last(),
            Watched::Mark => self.floor.prices.mark(market),
            Watched::Index => self.floor.prices.index(market),
        }
    }

    /// An order with a trigger is accepted and waits.
    #[inline(never)]
    fn wait(
        &mut self,
        market: MarketId,
        order: &Order,
        terms: (&Terms, Option<Box<Rare>>),
        trigger: Trigger,
        events: &mut Events,
    ) -> OrderId {
        let (terms, rare) = (*terms.0, terms.1);
        let (leg, expiry) = (terms.leg, rare.as_ref().and_then(|rare| rare.expiry));
        // The book keeps the other leg of every open order; it may be gone when this one fires.
        let terms = Terms { leg: None, ..terms };
        let best = self.watched(market, trigger.watched);
        let slot = self.floor.market_mut(market).book.reserve();
        let id = self.floor.next_id(slot);
        let book = &mut self.floor.market_mut(market).book;
        if let Some(leg) = leg {
            book.set_leg(leg, Some(id));
        }
        let Order { account, side, price, qty, flags, client, .. } = *order;
        let arrival = Arrival { id, account, side, price, qty, flags, rare, client };
        book.wait(&arrival, Waits { id, order: *order, terms, best, fired: None });
        if let Some(expiry) = expiry {
            self.next_due = self.next_due.min(expiry);
        }
        report_accepted(market, id, order, (price, flags | WAITING), events);
        events.push(Record {
            account: account.get(),
            order: id.raw(),
            side: side.code(),
            code: trigger.kind.code(),
            flags: trigger.watched.code(),
            price: trigger.price.get(),
            ..event_of(event::ARMED, market)
        });
        id
    }

    /// An order that does not rest as it meets the book; without its id.
    #[inline(always)]
    pub(super) fn incoming(&self, market: MarketId, order: &Order, limit: Option<Price>) -> Incoming {
        let Order { account, side, qty, flags, price, .. } = *order;
        Incoming {
            id: OrderId::default(),
            market,
            account,
            side,
            limit,
            qty,
            flow: Flow::User { counted: false },
            shown_price: price,
            prevention: self_trade(flags, self.floor.prevention(account)),
            leg: None,
            kind: order.flow(),
        }
    }

    /// The limit of a market order that is protected from prices far from the touch.
    #[inline(never)]
    pub(super) fn protected(
        &self,
        market: MarketId,
        side: Side,
        limit: Option<Price>,
        protection: Protection,
    ) -> Option<Price> {
        let Some(best) = self.floor.market(market).book.touch(side.opposite()) else { return limit };
        let worst = match (side, protection) {
            (Side::Buy, Protection::Ticks(ticks)) => best + ticks,
            (Side::Sell, Protection::Ticks(ticks)) => best - ticks,
            (Side::Buy, Protection::Share(share)) => best.band_upper(share),
            (Side::Sell, Protection::Share(share)) => best.band_lower(share),
        };
        let worst = worst.max(self.floor.market(market).config.prices().0);
        Some(match (side, limit) {
            (_, None) => worst,
            (Side::Buy, Some(limit)) => worst.min(limit),
            (Side::Sell, Some(limit)) => worst.max(limit),
        })
    }

    /// Matches an accepted order and rests or cancels what is left.
    #[inline(never)]
    fn enter_book(
        &mut self,
        market: MarketId,
        mut arrival: Arrival,
        form: (OrderType, Option<Price>),
        stay: Stay,
        events: &mut Events,
    ) {
        let Arrival { id, account, side, price, qty, flags, .. } = arrival;
        let (kind, limit) = form;
        let rests = kind == OrderType::Limit;
        let counted = rests && flags & REDUCE_ONLY == 0 && self.floor.market(market).config.cleared;
        if counted {
            self.floor.ledger.position_mut(account, market).add_open(side, qty);
        }
        let m = self.floor.market(market);
        if rests && limit.is_some_and(|limit| !m.book.is_reached(side.opposite(), limit)) {
            return self.come_to_rest(market, &arrival, stay, events);
        }
        let order = Incoming {
            id,
            market,
            account,
            side,
            limit,
            qty,
            flow: Flow::User { counted },
            shown_price: price,
            prevention: self_trade(flags, self.floor.prevention(account)),
            leg: arrival.rare.as_ref().and_then(|rare| rare.leg),
            kind: FlowKind {
                liquidation: false,
                reduce_only: flags & REDUCE_ONLY != 0,
                post_only: flags & POST_ONLY != 0,
                immediate: !rests,
            },
        };
        let mut swept = self.meet_book(&order, events);
        if rests && swept.left.is_positive() && (!swept.tripped || swept.may_rest) {
            arrival.qty = swept.left;
            if let Some(rare) = &mut arrival.rare {
                rare.leg = swept.leg;
            }
            return self.come_to_rest(market, &arrival, stay, events);
        }
        let book = &mut self.floor.market_mut(market).book;
        match stay {
            Stay::New if rests => book.release(id.slot()),
            Stay::New => {}
            Stay::Again => book.retire(id, account),
        }
        self.drop_left(&order, &mut swept, events);
    }

    /// Matches an order; a phase that a breaker set may have an end.
    #[inline(always)]
    fn meet_book(&mut self, order: &Incoming, events: &mut Events) -> Swept {
        let swept = self.floor.sweep(order, events);
        if swept.tripped {
            self.next_due = self.earliest();
        }
        swept
    }

    /// Cancels what is left of an order that does not come to rest, and its other leg.
    #[inline(always)]
    fn drop_left(&mut self, order: &Incoming, swept: &mut Swept, events: &mut Events) {
        if swept.left.is_positive() {
            let reason = if swept.tripped { CancelReason::Breaker } else { CancelReason::Immediate };
            self.floor.drop_rest(order, swept, reason, events);
            self.floor.end_leg(order, swept, events);
        }
    }

    #[inline(never)]
    fn come_to_rest(&mut self, market: MarketId, arrival: &Arrival, stay: Stay, events: &mut Events) {
        let book = &mut self.floor.market_mut(market).book;
        let peak = match stay {
            Stay::New => book.rest(arrival),
            Stay::Again => book.rest_again(arrival),
        };
        if let Some(expiry) = arrival.rare.as_ref().and_then(|rare| rare.expiry) {
            self.next_due = self.next_due.min(expiry);
        }
        if let Some(peak) = peak {
            let Arrival { id, account, side, price, flags, .. } = *arrival;
            let of = Party { account, id, side, flags };
            Floor::report_shown(market, &of, price, peak, events);
        }
    }

    // Orders that are there.

    /// The order that a Replace names.
    #[inline]
    fn target(&self, r: &Record, market: MarketId, account: AccountId) -> Result<OrderId, Reject> {
        if r.flags & BY_CLIENT_ID == 0 {
            return Ok(OrderId::from_raw(r.order));
        }
        let named = self.floor.market(market).book.named(account, r.order);
        named.map(|found| found.id()).ok_or(Reject::UnknownOrder)
    }

    /// Refuses flags that a Cancel or Replace cannot have here.
    #[inline(never)]
    fn check_target(&self, r: &Record, market: MarketId) -> Result<(), Reject> {
        let by_name = r.flags == BY_CLIENT_ID && self.floor.market(market).book.keeps_names();
        if r.flags == 0 || by_name { Ok(()) } else { Err(Reject::BadField) }
    }

    #[inline(always)]
    pub(super) fn cancel(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        let account = self.known_account(AccountId::new(r.account))?;
        if r.flags != 0 {
            return self.cancel_named(r, market, account, events);
        }
        let found = self.floor.market(market).book.find(OrderId::from_raw(r.order));
        self.cancel_found(market, account, found, events)
    }

    /// A Cancel by a client's name.
    #[inline(never)]
    fn cancel_named(
        &mut self,
        r: &Record,
        market: MarketId,
        account: AccountId,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.check_target(r, market)?;
        let found = self.floor.market(market).book.named(account, r.order);
        self.cancel_found(market, account, found, events)
    }

    #[inline(always)]
    fn cancel_found(
        &mut self,
        market: MarketId,
        account: AccountId,
        found: Option<Located>,
        events: &mut Events,
    ) -> Result<(), Reject> {
        if self.floor.market(market).breakers.has_quotes() {
            self.floor.ask_touches();
        }
        let found = found.ok_or(Reject::UnknownOrder)?;
        let m = self.floor.market(market);
        let may_be_offered = m.config.auction.liquidations && !found.is_ordinary();
        if may_be_offered && m.book.is_offered(found.id()) {
            return Err(Reject::UnknownOrder);
        }
        if found.account() != account {
            return Err(Reject::NotYourOrder);
        }

        // From here on nothing fails.
        self.floor.cancel_found(market, &found, CancelReason::User, events);
        Ok(())
    }

    pub(super) fn replace(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let (price, qty) = (Price::new(r.price), Qty::new(r.qty));
        let market = self.known_market(MarketId::new(r.market))?;
        let account = self.known_account(AccountId::new(r.account))?;
        self.check_target(r, market)?;
        let replacing = self.floor.market(market).admits.replace;
        if replacing == Replacing::None {
            return Err(Reject::PhaseRefuses);
        }
        // Whether the order is reduce-only, which spares it the least notional, is known only if it is there.
        let id = self.target(r, market, account);
        let book = &self.floor.market(market).book;
        let reducing = id.is_ok_and(|id| book.is_reduce_only(id));
        let known = |id: OrderId| book.get(id).filter(|_| !book.is_offered(id));
        let old = id.and_then(|id| known(id).ok_or(Reject::UnknownOrder));
        let m = self.floor.market(market);
        self.check_mark(m, market)?;
        self.check_size(m, market, (Some(price), qty), reducing, !m.plain_entry)?;
        let old = old?;
        if old.account != account {
            return Err(Reject::NotYourOrder);
        }
        self.check_free(m, account)?;
        let keeps = price == old.price && qty <= old.qty;
        self.floor.look_at_entry(market);
        let limit = if keeps { price } else { self.replaced_limit(&old, market, (price, qty), events)? };

        // From here on nothing fails.
        report_replaced(market, &old, (limit, qty), keeps, events);
        if keeps {
            self.decrease(market, &old, qty);
            return Ok(());
        }
        self.floor.count_open(market, (account, old.side, old.flags), -old.qty);
        let arrival = self.floor.market_mut(market).book.take_out(old.id);
        let arrival = Arrival { price: limit, qty, ..arrival };
        self.enter_book(market, arrival, (OrderType::Limit, Some(limit)), Stay::Again, events);
        Ok(())
    }

    /// A pure decrease to `qty`.
    fn decrease(&mut self, market: MarketId, old: &Resting, qty: Qty) {
        self.floor.market_mut(market).book.cut(old.id, old.qty - qty);
        self.floor.count_open(market, (old.account, old.side, old.flags), qty - old.qty);
    }

    pub(super) fn cancel_all(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let (market, account) = (MarketId::new(r.market), AccountId::new(r.account));
        let every_market = market == MarketId::NONE;
        if !every_market {
            self.known_market(market)?;
        }
        let everyone = account == EVERY_ACCOUNT;
        if !everyone {
            self.known_account(account)?;
        }
        let side = Side::from_code(r.side);
        if r.flags & !(ONLY_SIDE | ONLY_SESSION) != 0 || (r.flags & ONLY_SIDE != 0 && side.is_none()) {
            return Err(Reject::BadField);
        }
        let side = side.filter(|_| r.flags & ONLY_SIDE != 0);
        let session = (r.flags & ONLY_SESSION != 0).then_some(r.amount);
        let reason = if everyone { CancelReason::Operator } else { CancelReason::User };
        for m in self.floor.market_ids().filter(|m| every_market || *m == market) {
            self.floor.cancel_each(m, reason, events, |book, ids| {
                if everyone {
                    book.all_orders(ids);
                } else {
                    book.list_orders(account, ids);
                }
                ids.retain(|id| !book.is_offered(*id));
                if side.is_some() || session.is_some() {
                    ids.retain(|id| {
                        let of = book.side_of(*id);
                        side.is_none_or(|side| of == Some(side))
                            && session.is_none_or(|session| i64::from(book.rare(*id).session) == session)
                    });
                }
            });
        }
        Ok(())
    }

    // Quotes.

    pub(super) fn quote(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        let account = self.known_account(AccountId::new(r.account))?;
        let ask_qty = i64::try_from(r.order).map_err(|_| Reject::BadField)?;
        let crosses = r.qty > 0 && ask_qty > 0 && r.price >= r.amount;
        if !quote_flags_fit(r.flags) || r.qty < 0 || crosses {
            return Err(Reject::BadField);
        }
        let admitted = match self.floor.market(market).admits.place {
            Placing::All | Placing::Resting => true,
            Placing::Providing => r.flags & POST_ONLY != 0,
            Placing::Reducing | Placing::Closing | Placing::None => false,
        };
        if !admitted {
            return Err(Reject::PhaseRefuses);
        }
        self.check_free(self.floor.market(market), account)?;

        // From here on the quote stands, side by side.
        let key = (account, r.code);
        let old = self.floor.market(market).quotes.get(&key).copied().unwrap_or_default();
        let sides = [
            (Side::Buy, Price::new(r.price), Qty::new(r.qty)),
            (Side::Sell, Price::new(r.amount), Qty::new(ask_qty)),
        ];
        let mut ids = [OrderId::default(); 2];
        for ((id, old), &(_, price, qty)) in ids.iter_mut().zip(old).zip(&sides) {
            if self.keep_quoted(market, old, (price, qty), events) {
                *id = old;
            }
        }
        for (id, (side, price, qty)) in ids.iter_mut().zip(sides) {
            if *id != OrderId::default() || !qty.is_positive() {
                continue;
            }
            let (kind, flags) = (OrderType::Limit, r.flags);
            let order = Order { account, side, kind, flags, price, qty, client: 0, session: 0 };
            match self.accept(market, order, &NO_TERMS, events) {
                Ok(accepted) => *id = accepted,
                Err(why) => events.push(Record {
                    kind: event::REJECTED,
                    flags: command::QUOTE,
                    code: why.code(),
                    account: account.get(),
                    side: side.code(),
                    price: price.get(),
                    qty: qty.get(),
                    ..event_of(event::REJECTED, market)
                }),
            }
        }
        let m = self.floor.market_mut(market);
        let lives = ids.iter().any(|id| m.book.owner(*id).is_some());
        if lives {
            m.quotes.insert(key, ids);
        } else {
            m.quotes.remove(&key);
        }
        Ok(())
    }

    /// Leaves one side of a quote as it is, makes it smaller, or cancels it; true if it stays.
    fn keep_quoted(
        &mut self,
        market: MarketId,
        old: OrderId,
        new: (Price, Qty),
        events: &mut Events,
    ) -> bool {
        let Some(old) = self.floor.market(market).book.get(old) else { return false };
        if old.price != new.0 || new.1 > old.qty || !new.1.is_positive() {
            self.floor.cancel(market, old.id, CancelReason::Requoted, events);
            return false;
        }
        if new.1 < old.qty {
            report_replaced(market, &old, new, true, events);
            self.decrease(market, &old, new.1);
        }
        true
    }

    // Step 6a: waiting orders.

    /// Waiting orders observe the step's prices and fire; up to the limit of a step are sent.
    pub(super) fn run_triggers(&mut self, marked: Option<MarketId>, events: &mut Events) {
        self.floor.has_prints = false;
        for market in self.floor.market_ids() {
            self.observe(market, marked == Some(market));
        }
        let mut left = self.floor.config.limits.triggers_per_step;
        let mut i = 0;
        while let Some(&(market, number)) = self.fired.get(i).filter(|_| left > 0) {
            let m = self.floor.market(market);
            let Some(waits) = m.book.waiting().get(number) else {
                self.fired.remove(i);
                continue;
            };
            if !m.admits.matches || !waits.order.is_admitted(m.admits.place) {
                i += 1;
                continue;
            }
            self.fired.remove(i);
            left -= 1;
            self.fire(market, number, events);
            self.observe(market, false);
        }
    }

    /// Shows one market's waiting orders what they have not observed yet.
    fn observe(&mut self, market: MarketId, marked: bool) {
        let (mark, index) = (self.floor.prices.mark(market), self.floor.prices.index(market));
        let newest = self.floor.accepted;
        let m = self.floor.market_mut(market);
        if m.book.waiting().is_empty() {
            m.prints.clear();
            return;
        }
        let mut fired = Vec::new();
        let waiting = m.book.waiting_mut();
        for (price, number) in m.prints.drain(..) {
            waiting.observe(Watched::Last, price, number, &mut fired);
        }
        for (watched, price) in [(Watched::Mark, mark), (Watched::Index, index)] {
            if let Some(price) = price.filter(|_| marked) {
                waiting.observe(watched, price, newest, &mut fired);
            }
        }
        self.fired.extend(fired.into_iter().map(|number| (market, number)));
    }

    /// Sends one order whose trigger held.
    fn fire(&mut self, market: MarketId, number: u64, events: &mut Events) {
        let book = &mut self.floor.market_mut(market).book;
        let (waits, arrival) = book.stop_waiting(number).expect("the caller found it");
        let Waits { id, order, terms, fired, .. } = waits;
        events.push(Record {
            account: order.account.get(),
            order: id.raw(),
            side: order.side.code(),
            price: fired.unwrap_or_default().get(),
            ..event_of(event::TRIGGERED, market)
        });
        let mut arrival = Arrival { flags: order.flags, ..arrival };
        if let Some(leg) = arrival.rare.as_mut().and_then(|rare| rare.leg.take()) {
            self.floor.cancel_leg(market, leg, events);
        }
        self.floor.look_at_entry(market);
        match self.check_entry(self.floor.market(market), market, order, &terms, Qty::ZERO) {
            Err(barred) => {
                let why = report_barred(market, &order, &barred, events);
                self.floor.market_mut(market).book.retire(id, order.account);
                events.push(Record {
                    account: order.account.get(),
                    order: id.raw(),
                    side: order.side.code(),
                    code: CancelReason::Refused.code(),
                    price: order.price.get(),
                    qty: order.qty.get(),
                    amount: i64::from(why.code()),
                    ..event_of(event::CANCELLED, market)
                });
            }
            Ok((limit, price, bound)) => {
                if let Some(bound) = bound {
                    report_bound(market, &order, &bound, events);
                }
                report_accepted(market, id, &order, (price, order.flags), events);
                arrival.price = price;
                self.enter_book(market, arrival, (order.kind, limit), Stay::Again, events);
            }
        }
    }

    /// An order's time is over.
    pub(super) fn expire(&mut self, market: MarketId, due: Nanos, events: &mut Events) {
        while let Some(id) = self.floor.market(market).book.expired(due) {
            self.floor.cancel(market, id, CancelReason::Expired, events);
        }
    }
}

/// True if an order without a price rests until the auction of its market: it is a market order of which nothing
/// more is said, and orders are being collected where the configuration admits such ones.
#[inline(never)]
fn joins_auction(m: &Market, order: &Order, terms: &Terms) -> bool {
    m.admits.place == Placing::Resting
        && m.config.auction.market_orders != MarketOrders::Refused
        && order.kind == OrderType::Market
        && *terms == NO_TERMS
}

/// Whether an order is new to the book or has its slot and name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stay {
    New,
    Again,
}

#[inline(always)]
fn report_accepted(market: MarketId, id: OrderId, order: &Order, shown: (Price, u16), events: &mut Events) {
    events.push(Record {
        account: order.account.get(),
        order: id.raw(),
        side: order.side.code(),
        code: order.kind.code(),
        flags: shown.1,
        price: shown.0.get(),
        qty: order.qty.get(),
        amount: order.client.cast_signed(),
        ..event_of(event::ACCEPTED, market)
    });
}

fn report_replaced(market: MarketId, old: &Resting, size: (Price, Qty), keeps: bool, events: &mut Events) {
    events.push(Record {
        account: old.account.get(),
        order: old.id.raw(),
        side: old.side.code(),
        flags: if keeps { REPLACED_KEPT } else { 0 },
        price: size.0.get(),
        qty: size.1.get(),
        ..event_of(event::REPLACED, market)
    });
}
