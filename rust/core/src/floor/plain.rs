//! What most commands are: bare limit orders and cancels of ordinary ones, in markets that ask nothing of them but
//! their size.
//!
//! A function here does the whole of a command, or nothing and says so: then the steps of the venue do it, which know
//! every rule. All refusals are left to them, and whatever may leave work for the end of a step. So there is no rule
//! here that is not there as well, only the certainty that the others have nothing to say. Nothing is called on the way
//! that is not in line, for what the processor has at hand would have to be kept safe from it.

use super::{Floor, Market};
use crate::book::Located;
use crate::ledger::Ledger;
use crate::protocol::{
    BY_CLIENT_ID, CancelReason, Events, FILL_TAKER, OrderType, Placing, Record, SelfTrade, command, event,
    word,
};
use crate::units::{AccountId, MarketId, Money, Nanos, OrderId, Price, Qty, Side, Span};
use core::slice::Iter;

/// Commands of a part of a batch, which are looked at before the first of them is done.
pub(crate) const PART: usize = 64;
/// Room for events that every command of a part finds: each writes two at most beside its trades, before and after them.
pub(crate) const ROOM: usize = 2 * PART;

/// Quantities and prices that a market takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    qty: Span,
    price: Span,
}

impl Sizes {
    pub(super) fn of(m: &Market) -> Self {
        let (lowest, highest) = m.config.prices();
        Self {
            qty: Span::new(m.config.entry.qty_min.get(), m.config.order_qty_max.get()),
            price: Span::new(lowest.get(), highest.get()),
        }
    }

    /// True if those of an order are among them.
    #[inline(always)]
    pub(super) fn have(&self, r: &Record) -> bool {
        self.have_qty(r) && self.price.has(r.price)
    }

    #[inline(always)]
    fn have_qty(&self, r: &Record) -> bool {
        self.qty.has(r.qty)
    }
}

/// The side of a bare order: one of two codes.
#[inline(always)]
pub(super) fn bare_side(r: &Record) -> Side {
    Side::of_bit(r.side & 1 == Side::Sell.code())
}

/// How far an order reaches into the other side, of which its limit reaches a key: one that does not rest, whose code is
/// not zero, to the end of all keys. So it takes one branch whether an order trades, for both are flips of a coin.
#[inline(always)]
pub(super) fn reach_of(r: &Record, key: u32) -> u64 {
    u64::from(key) | u64::from(r.code) << 32
}

/// What a market asks of an order without flags and terms, as it stands.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each answers a question once for every order")]
pub(super) struct Plain {
    /// Nothing but a size in range, a name that is free, room in the book, and a limit between bounds.
    entry: bool,
    /// The same without bounds: no breaker looks at orders before they trade.
    open: bool,
    /// Nothing of orders that trade either, but prices between bounds.
    trades: bool,
    /// Breakers look at the touch.
    quotes: bool,
    sizes: Sizes,
}

impl Plain {
    pub(super) fn of(m: &Market) -> Self {
        let (config, breakers) = (&m.config, &m.breakers);
        let admits_all = m.admits.matches && m.admits.place == Placing::All;
        let entry = admits_all && m.plain_entry && !config.cleared;
        Self {
            entry,
            open: entry && !breakers.asks_orders(),
            trades: entry && !config.allocation.shares_out(),
            quotes: breakers.has_quotes(),
            sizes: Sizes::of(m),
        }
    }
}

/// What became of a command on the short way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Nothing: it takes more.
    Not,
    /// All of it, which is one event and moves no price.
    Plainly,
    /// All of it, an order that may have traded.
    Taken,
    /// The same, and breakers looked at touches: the phases of markets may have changed.
    Stirred,
    /// All of it but the end of its step.
    Unfinished,
}

impl From<bool> for Done {
    #[inline(always)]
    fn from(done: bool) -> Self {
        if done { Self::Plainly } else { Self::Not }
    }
}

/// How far a run of commands may go.
#[derive(Debug)]
pub(crate) struct Calm<'a> {
    /// The time before which nothing is due.
    before: Nanos,
    /// Events, and commands left, after the last command that had more than one event, or before the run. Only kept where
    /// somebody is told.
    since: (usize, Iter<'a, Record>),
}

impl<'a> Calm<'a> {
    pub(crate) fn new(before: Nanos) -> Self {
        Self { before, since: (0, [].iter()) }
    }

    /// Nothing is due before another time.
    pub(crate) fn set_before(&mut self, before: Nanos) {
        self.before = before;
    }

    #[inline(always)]
    fn note(&mut self, events: &Events, rest: &Iter<'a, Record>) {
        self.since = (events.len(), rest.clone());
    }

    /// Events before the command that ended the run, with so many commands behind it: those since then have one each.
    #[inline(always)]
    pub(crate) fn events_before(&self, rest: &Iter<'a, Record>) -> usize {
        self.since.0 + (self.since.1.len() - rest.len() - 1)
    }
}

/// Somebody who is told of a run.
pub(crate) trait Told {
    /// False if there is nobody.
    const ASKS: bool;
    /// True if an order that has traded in a market is nothing to tell: the last price there stands since a time.
    fn passes(&mut self, market: MarketId, last: Option<Price>, now: Nanos) -> bool;
}

impl Floor {
    /// Does commands at times at which nothing is due, if each changes no more than a book, two accounts of each trade, and
    /// what follows from that for its touch: the first that ends the run, and what became of it. That is one of which more
    /// is to be done, or where it is asked for one that may have traded. There is [`ROOM`] for all.
    #[inline(always)]
    pub(crate) fn run_plainly<'a, W: Told>(
        &mut self,
        rest: &mut Iter<'a, Record>,
        (calm, watch): (&mut Calm<'a>, &mut W),
        events: &mut Events,
    ) -> Option<(&'a Record, Done)> {
        loop {
            let (market, left) = (rest.as_slice().first()?.market, rest.len());
            let Self { markets, ledger, accepted, now, .. } = self;
            let entry = markets.get_mut(usize::from(market)).filter(|m| m.plain.entry);
            let is_entry = entry.is_some();
            if let Some(m) = entry {
                let floor = (market, &*ledger, accepted, now);
                let (more, quotes) = (m.book.keeps_more(), m.plain.quotes);
                let told = (&mut *calm, &mut *watch);
                // What most markets are is in line, and nothing comes behind it.
                if m.plain.open && !W::ASKS {
                    let end = if more {
                        m.run::<true, W, false>(rest, floor, told, events)
                    } else {
                        m.run::<false, W, false>(rest, floor, told, events)
                    };
                    if end.is_some() {
                        return end;
                    }
                } else {
                    let end = if m.plain.open {
                        m.run_apart::<W, false>(rest, floor, told, events)
                    } else {
                        m.run_apart::<W, true>(rest, floor, told, events)
                    };
                    if let Some((r, done)) = end {
                        let done = if quotes && done == Done::Taken { self.ease(r, events) } else { done };
                        if W::ASKS || done != Done::Taken {
                            return Some((r, done));
                        }
                    }
                }
                if rest.len() < left {
                    continue;
                }
            }
            let most = if is_entry { 1 } else { usize::MAX };
            let end = self.run_others(rest, (market, most), (&mut *calm, &mut *watch), events);
            if end.is_some() {
                return end;
            }
        }
    }

    /// The same in a market where more may be asked of a command: of so many commands at most.
    #[inline(never)]
    fn run_others<'a, W: Told>(
        &mut self,
        rest: &mut Iter<'a, Record>,
        (market, most): (u16, usize),
        (calm, watch): (&mut Calm<'a>, &mut W),
        events: &mut Events,
    ) -> Option<(&'a Record, Done)> {
        if W::ASKS {
            calm.note(events, rest);
        }
        let is_cleared = self.markets.get(usize::from(market)).is_some_and(|m| m.config.cleared);
        let list = rest.as_slice();
        let (mut begun, mut end) = (0, None);
        for record in list.iter().take(most).take_while(|r| r.market == market) {
            begun += 1;
            let done = self.does_plainly(record, (is_cleared, calm.before), events);
            let last = || self.markets[usize::from(market)].mark.last();
            let is_told = |w: &mut W| W::ASKS && !w.passes(MarketId::new(market), last(), self.now);
            if done != Done::Plainly && (done != Done::Taken || is_told(watch)) {
                end = Some((record, done));
                break;
            }
            if W::ASKS && done == Done::Taken {
                calm.note(events, &list[begun..].iter());
            }
        }
        *rest = list[begun..].iter();
        end
    }

    /// The same of one command in any market, with margin or without.
    #[inline(always)]
    fn does_plainly(
        &mut self,
        r: &Record,
        (is_cleared, calm_before): (bool, Nanos),
        events: &mut Events,
    ) -> Done {
        let at = Nanos::new(r.at);
        if at >= calm_before {
            return Done::Not;
        }
        if at != self.now {
            if at < self.now || !command::is_frequent(r.kind) {
                return Done::Not;
            }
            self.now = at;
        }
        if is_cleared {
            return self.does_with_margin(r, events);
        }
        match word::form(r) {
            PLACE => self.places_after_a_look(r, events),
            CANCEL => self.cancels_plainly::<false>(r, events),
            CANCEL_NAMED => self.cancels_plainly::<true>(r, events),
            _ => Done::Not,
        }
    }

    /// A Place that a run has left: bounds have to be looked at first, or say more of one side than of the other.
    #[inline(never)]
    fn places_after_a_look(&mut self, r: &Record, events: &mut Events) -> Done {
        let market = MarketId::new(r.market);
        if !self.markets.get(market.index()).is_some_and(|m| m.plain.entry) {
            return Done::Not;
        }
        self.glance_at_bounds(market);
        let Self { markets, ledger, accepted, now, .. } = self;
        let m = &mut markets[market.index()];
        // Bounds that follow the touch are stale at once.
        let limit = (bare_side(r), Price::new(r.price));
        if m.breakers.is_stale(*now) || !m.breakers.lets_in_on(limit) {
            return Done::Not;
        }
        let done = m.place_plainly(r, ledger, accepted, events);
        if done == Done::Taken && m.plain.quotes { self.ease(r, events) } else { done }
    }

    #[inline(always)]
    fn cancels_plainly<const NAMED: bool>(&mut self, r: &Record, events: &mut Events) -> Done {
        let found = self.markets.get_mut(usize::from(r.market)).filter(|m| !m.looks_at_cancels());
        let Some(m) = found else { return Done::Not };
        m.cancel_plainly::<NAMED, true>(r, events).is_some().into()
    }

    /// The end of a step that may have moved a touch out of its ease, or what it is held against.
    #[inline(never)]
    pub(super) fn ease(&mut self, r: &Record, events: &mut Events) -> Done {
        let m = &self.markets[usize::from(r.market)];
        if m.breakers.was_at_ease() && m.keeps_ease(self.now, bare_side(r)) {
            return Done::Taken;
        }
        self.look_at_touches(r, events)
    }

    #[inline(never)]
    fn look_at_touches(&mut self, r: &Record, events: &mut Events) -> Done {
        events.stamp(Nanos::new(r.at), r.source);
        self.watch_touches(events);
        Done::Stirred
    }
}

/// Forms of commands: without flags, or with a client's name.
const PLACE: u64 = word::head(command::PLACE, 0, 0);
const CANCEL: u64 = word::head(command::CANCEL, 0, 0);
const CANCEL_NAMED: u64 = word::head(command::CANCEL, BY_CLIENT_ID, 0);

impl Market {
    /// Does commands of this market up to the first that is no plain one of this market and time, or that bounds do not let
    /// in for certain, and takes them off the list: the last, if more is to be done of it, or if it may have traded and
    /// somebody is to be told of that.
    #[inline(always)]
    fn run<'a, const MORE: bool, W: Told, const BOUNDED: bool>(
        &mut self,
        list: &mut Iter<'a, Record>,
        (market, ledger, accepted, now): (u16, &Ledger, &mut u64, &mut Nanos),
        (calm, watch): (&mut Calm<'a>, &mut W),
        events: &mut Events,
    ) -> Option<(&'a Record, Done)> {
        let before = calm.before;
        if W::ASKS {
            calm.note(events, list);
        }
        // Plain commands of this market are told by their first word.
        let plain = [PLACE, CANCEL, CANCEL_NAMED].map(|form| form | u64::from(market) << 48);
        let first_word = |r: &Record| word::all(r)[0];
        let mut rest = list.clone();
        let mut next = rest.as_slice().first().map_or(0, first_word);
        let mut clock = *now;
        let end = loop {
            let here = rest.clone();
            let Some(r) = rest.next() else { break None };
            // What a command is like is the flip of a coin. The processor learns sooner that it has guessed wrong if the
            // first word of the next one is at hand.
            let word = next;
            next = rest.as_slice().first().map_or(0, first_word);
            let at = Nanos::new(r.at);
            if at < clock || at >= before {
                rest = here;
                break None;
            }
            let done = if word == plain[0] {
                if BOUNDED && !self.breakers.lets_in(at, Price::new(r.price)) {
                    rest = here;
                    break None;
                }
                clock = at;
                self.place_keeping::<MORE, BOUNDED>(r, ledger, accepted, events)
            } else if word == plain[1] {
                clock = at;
                self.cancel_plainly::<false, BOUNDED>(r, events).is_some().into()
            } else if word == plain[2] {
                clock = at;
                self.cancel_plainly::<true, BOUNDED>(r, events).is_some().into()
            } else {
                rest = here;
                break None;
            };
            if done == Done::Taken {
                let eases = !BOUNDED || !self.plain.quotes || self.keeps_ease(at, bare_side(r));
                let passes = !W::ASKS || watch.passes(MarketId::new(market), self.mark.last(), at);
                if !(eases && passes) {
                    break Some((r, done));
                }
                if W::ASKS {
                    calm.note(events, &rest);
                }
            } else if done != Done::Plainly {
                break Some((r, done));
            }
        };
        (*list, *now) = (rest, clock);
        end
    }

    /// The same where there are bounds, or where somebody is told: compiled apart, so that each has the registers for itself.
    #[inline(never)]
    fn run_apart<'a, W: Told, const BOUNDED: bool>(
        &mut self,
        list: &mut Iter<'a, Record>,
        floor: (u16, &Ledger, &mut u64, &mut Nanos),
        told: (&mut Calm<'a>, &mut W),
        events: &mut Events,
    ) -> Option<(&'a Record, Done)> {
        // That stays so for as long as a run goes on.
        if BOUNDED && self.looks_at_cancels() {
            return None;
        }
        if self.book.keeps_more() {
            self.run::<true, W, BOUNDED>(list, floor, told, events)
        } else {
            self.run::<false, W, BOUNDED>(list, floor, told, events)
        }
    }

    /// A Place that is certain to be accepted.
    #[inline(always)]
    fn place_plainly(
        &mut self,
        r: &Record,
        ledger: &Ledger,
        accepted: &mut u64,
        events: &mut Events,
    ) -> Done {
        if self.book.keeps_more() {
            self.place_keeping::<true, false>(r, ledger, accepted, events)
        } else {
            self.place_keeping::<false, false>(r, ledger, accepted, events)
        }
    }

    /// The same where more is kept of orders, or not, and where bounds have let in its limit, a price of the market.
    #[inline(always)]
    fn place_keeping<const MORE: bool, const LET_IN: bool>(
        &mut self,
        r: &Record,
        ledger: &Ledger,
        accepted: &mut u64,
        events: &mut Events,
    ) -> Done {
        let (account, client) = (AccountId::new(r.account), r.order);
        let side = bare_side(r);
        // It is bare: its form has said that there are no flags.
        if !word::is_sided(r)
            || r.amount != 0
            || !(if LET_IN { self.plain.sizes.have_qty(r) } else { self.plain.sizes.have(r) })
            || !ledger.knows(account)
            || (MORE && !self.book.has_free_name(account, client))
        {
            return Done::Not;
        }
        let (key, reach) = self.book.keys(side, Price::new(r.price));
        if self.book.is_within(side.opposite(), reach_of(r, reach)) {
            return self.take_plainly(r, side, ledger, accepted, events);
        }
        let (owner, size) = ((account, side), (key, Qty::new(r.qty)));
        let Some(id) = self.book.follow(accepted, owner, size, 0) else {
            return self.lead_plainly(r, owner, accepted, events).into();
        };
        accept(r, id, events);
        if MORE {
            self.book.enrol_more(id.slot(), account, client);
        }
        Done::Plainly
    }

    /// A Place of an order that is the first at its price, or needs a new slot; false if the book is full.
    #[inline(never)]
    fn lead_plainly(
        &mut self,
        r: &Record,
        owner: (AccountId, Side),
        accepted: &mut u64,
        events: &mut Events,
    ) -> bool {
        if !self.book.has_room() {
            return false;
        }
        let id = self.book.next_id(accepted);
        accept(r, id, events);
        let key = self.book.key(owner.1, Price::new(r.price));
        self.book.add(id, owner, (key, Qty::new(r.qty)), 0, r.order);
        true
    }

    /// A Cancel of an ordinary order by its owner, by its client's name or by its id: the order; none if it is not done.
    /// Breakers may look at the touch.
    #[inline(always)]
    pub(super) fn cancel_plainly<const NAMED: bool, const QUOTED: bool>(
        &mut self,
        r: &Record,
        events: &mut Events,
    ) -> Option<Located> {
        let account = AccountId::new(r.account);
        let found = if NAMED {
            self.book.named_at_all(account, r.order)
        } else {
            self.book.find(OrderId::from_raw(r.order))
        };
        let found = found?;
        if found.account() != account || !found.is_ordinary() {
            return None;
        }
        // Told first, so that less of it has to be kept at hand while it is done.
        let size = (self.book.price_of(&found), found.shown());
        let order = if NAMED { found.id().raw() } else { r.order };
        report_cancelled(r, order, found.side(), (size, CancelReason::User), events);
        if self.book.leave(&found) {
            if NAMED || self.book.keeps_more() {
                self.book.forget(found, NAMED.then_some(r.order));
            }
        } else if QUOTED && self.moves_touch(&found) {
            // More is to be done of it, and it is told with that.
            events.take_back();
            return None;
        } else {
            self.book.end(found);
        }
        Some(found)
    }
}

/// Accepted: the words of the command with the id of the order.
#[inline(always)]
pub(super) fn accept(r: &Record, id: OrderId, events: &mut Events) {
    let [_, at, _, who, client, price, qty, _] = *word::all(r);
    events.write([word::head_of(r, event::ACCEPTED), at, 0, who, id.raw(), price, qty, client]);
}

/// Cancelled, of an order of the account that the command is from.
#[inline(always)]
pub(super) fn report_cancelled(
    r: &Record,
    order: u64,
    side: Side,
    ((price, qty), reason): ((Price, Qty), CancelReason),
    events: &mut Events,
) {
    events.write([
        word::head(event::CANCELLED, 0, r.market),
        word::of(r.at),
        0,
        word::who(r.source, side, reason.code(), AccountId::new(r.account)),
        order,
        word::of(price.get()),
        word::of(qty.get()),
        0,
    ]);
}

impl Market {
    /// A Place that trades, or does not rest.
    #[inline(never)]
    fn take_plainly(
        &mut self,
        r: &Record,
        side: Side,
        ledger: &Ledger,
        accepted: &mut u64,
        events: &mut Events,
    ) -> Done {
        let account = AccountId::new(r.account);
        let rests = r.code == OrderType::Limit.code();
        let price = Price::new(r.price);
        let asks = !self.plain.trades
            || self.book.waiting().watches_trades()
            || self.breakers.has_trade() && !self.lets_sweep(Nanos::new(r.at), side, Some(price));
        let prevents = ledger.tag(account).prevention != SelfTrade::Allowed;
        if asks || prevents || !self.book.is_plain() || !self.book.has_room_if(rests) {
            return Done::Not;
        }
        *accepted += 1;
        let id = OrderId::new(*accepted, self.book.reserve_if(rests));
        accept(r, id, events);
        let before = events.len();

        let (own, reach) = self.book.keys(side, price);
        let mut left = Qty::new(r.qty);
        let mut last = None;
        while let Some(met) = self.book.meet(side.opposite(), reach, left) {
            events.make_room(2 + ROOM);
            let price = self.book.price_of(&met.order);
            let maker = (met.order.id(), met.order.account(), met.order.side(), 0);
            report_fill(r, maker, (price, met.qty), Money::ZERO, events);
            report_fill(r, (id, account, side, FILL_TAKER), (price, met.qty), Money::ZERO, events);
            last = Some(price);
            left = left.minus_proven(met.qty);
            if !met.goes {
                break;
            }
            if self.book.keeps_more() {
                self.book.forget(met.order, None);
            }
            if met.ends {
                self.book.close(side.opposite());
            }
            if left.is_zero() {
                break;
            }
        }
        if let Some(price) = last {
            self.mark.trade(price);
            if self.breakers.watches_trades() {
                self.breakers.observe_fills(Nanos::new(r.at), &events.as_slice()[before..]);
            }
        }
        if left.is_zero() {
            if rests {
                self.book.release(id.slot());
            }
        } else if rests {
            self.book.add(id, (account, side), (own, left), 0, r.order);
        } else {
            report_cancelled(r, id.raw(), side, ((price, left), CancelReason::Immediate), events);
        }
        Done::Taken
    }
}

/// One side of a trade, with its fee: the order, its account, its side, flags of the event.
#[inline(always)]
pub(super) fn report_fill(
    r: &Record,
    (order, account, side, flags): (OrderId, AccountId, Side, u16),
    (price, qty): (Price, Qty),
    fee: Money,
    events: &mut Events,
) {
    let who = word::who(r.source, side, 0, account);
    let (price, qty, fee) = (word::of(price.get()), word::of(qty.get()), word::of(fee.get()));
    let head = word::head(event::FILL, flags, r.market);
    events.write([head, word::of(r.at), 0, who, order.raw(), price, qty, fee]);
}
