//! Step 6 and the timers that belong to it: the index as it is told or made, the mark, funding.

use super::Venue;
use crate::breaker::{Asked, Near};
use crate::config::{FundingPrice, MarkMeanwhile};
use crate::floor::Found;
use crate::funding::Pass;
use crate::ledger::Place;
use crate::mark::View;
use crate::protocol::{Events, IndexState, Placing, Record, Reject, event, event_of};
use crate::units::{AccountId, Doubled, MarketId, Money, Nanos, Ppm, Price, Qty, Side, VALUATION};

impl Venue {
    /// A new index.
    pub(super) fn index_price(
        &mut self,
        market: MarketId,
        index: Price,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        let m = self.floor.market(market);
        if !m.admits.index {
            return Err(Reject::PhaseRefuses);
        }
        if m.sources.make_index() {
            return Err(Reject::BadField);
        }
        if !m.config.has(index) {
            return Err(Reject::PriceOutOfRange);
        }

        // From here on nothing fails.
        self.take_index(market, index, events);
        Ok(())
    }

    /// A price of one source, from which the index or the mark is made anew.
    pub(super) fn source(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        let now = self.floor.now;
        let m = self.floor.market(market);
        let number = usize::from(r.code);
        let (bid, ask) = (Price::new(r.price), Price::new(if r.qty == 0 { r.price } else { r.qty }));
        let seen = if r.amount == 0 { now } else { Nanos::new(r.amount) };
        if !m.admits.index {
            return Err(Reject::PhaseRefuses);
        }
        if number >= m.sources.len() || seen.is_negative() || seen > now {
            return Err(Reject::BadField);
        }
        if [bid, ask].iter().any(|p| !m.config.has(*p)) {
            return Err(Reject::PriceOutOfRange);
        }
        if ask < bid {
            return Err(Reject::SourceCrossed);
        }
        let is_old = seen.later(m.sources.stale_age(number)) <= now;
        if is_old || m.sources.seen(number).is_some_and(|before| seen < before) {
            return Err(Reject::SourceStale);
        }

        // From here on nothing fails.
        let m = self.floor.market_mut(market);
        let before = m.sources.state();
        m.sources.take(number, Doubled::mid(bid, ask), seen);
        self.report_sources(market, before, events);
        let told = self.floor.prices.index(market);
        let sources = &self.floor.market(market).sources;
        let index = if sources.make_index() { sources.index() } else { told };
        if let Some(index) = index {
            self.take_index(market, index, events);
        }
        self.next_due = self.earliest();
        Ok(())
    }

    /// A timer: prices that are stale at this time count no more. Index and mark stay until the next price.
    pub(super) fn expire_sources(&mut self, market: MarketId, due: Nanos, events: &mut Events) {
        let m = self.floor.market_mut(market);
        let before = m.sources.state();
        m.sources.expire(due);
        self.report_sources(market, before, events);
    }

    /// `IndexState`, if it is another.
    fn report_sources(&mut self, market: MarketId, before: IndexState, events: &mut Events) {
        let m = self.floor.market_mut(market);
        let state = m.sources.state();
        if state == before {
            return;
        }
        m.admit();
        events.push(Record {
            code: state.code(),
            flags: before.code(),
            qty: i64::try_from(m.sources.live_count()).expect("a short list"),
            ..event_of(event::INDEX_STATE, market)
        });
    }

    /// Samples, the mark, the breakers that watch it.
    fn take_index(&mut self, market: MarketId, index: Price, events: &mut Events) {
        let now = self.floor.now;
        self.queue.unpark(&self.floor);
        let before = self.floor.prices.mark(market);
        let by_rule = self.floor.meanwhile(market).mark;
        let stays = by_rule == MarkMeanwhile::Stands;
        let counts = before.filter(|_| by_rule == MarkMeanwhile::AuctionAndMark);
        let called = by_rule.asks_auction().then(|| self.called(market)).flatten();
        let stood = self.floor.prices.index(market);
        let m = self.floor.market_mut(market);
        if let Some(stood) = stood {
            m.settlement.count(stood, now);
        }
        if let (None, Some(funding)) = (before, &mut m.funding) {
            funding.start(now);
        }
        let view = View {
            index,
            touch: (m.book.best(Side::Buy), m.book.best(Side::Sell)),
            external: m.sources.external(),
            funding: m.funding.as_ref().map(|funding| funding.ahead(now)),
            before,
            called: called.map(|price| (price, counts)),
        };
        m.mark.sample(&view, now);
        if let Some(funding) = &mut m.funding {
            let qty = funding.config().impact_qty;
            let sums = (m.book.impact_sum(Side::Buy, qty), m.book.impact_sum(Side::Sell, qty));
            funding.sample(index, sums, now);
        }
        let held = before.filter(|_| stays);
        let mark = held.unwrap_or_else(|| m.mark.mark(&view, m.config.prices()));
        // Rules are asked with what was known before this mark.
        if m.breakers.judges_prices() {
            self.floor.look_at_bounds(market);
        }
        let m = self.floor.market_mut(market);
        let mut trips = m.breakers.judge_price(now, Asked::Index, index);
        if held.is_none() && m.phase.is_trading() {
            trips.extend(m.breakers.judge_price(now, Asked::Mark, mark));
        }
        let mid = view.touch.0.zip(view.touch.1).map(|(bid, ask)| (bid + ask).get());
        let watched = m.breakers.marked(now, index, mark, mid);
        m.ranking = [None, None];
        if watched {
            self.floor.note_news();
        }
        self.floor.set_prices(market, index, mark);
        self.marked = Some(market);
        if !trips.is_empty() {
            self.floor.interrupt(market, &trips, events);
        }
        if before.is_none() || !trips.is_empty() {
            self.next_due = self.earliest();
        }
        events.push(Record { price: mark.get(), amount: index.get(), ..event_of(event::MARKED, market) });
    }

    /// The price at which the auction of a market that collects orders would clear now.
    fn called(&self, market: MarketId) -> Option<Price> {
        if self.floor.market(market).admits.place != Placing::Resting {
            return None;
        }
        match self.floor.auction(market, None) {
            Found::Clears(clearing) | Found::MarketLeft(clearing) => Some(clearing.price),
            Found::Nothing | Found::Outside(..) => None,
        }
    }

    /// After accounts were looked at: rules that look at the book near a new mark.
    pub(super) fn judge_depths(&mut self, market: MarketId, events: &mut Events) {
        let m = self.floor.market(market);
        if !m.breakers.has_depths() || !m.phase.is_trading() {
            return;
        }
        let mut breakers = std::mem::take(&mut self.floor.market_mut(market).breakers);
        let trips = breakers.judge_depths(self.floor.now, &Nearby { venue: self, market });
        self.floor.market_mut(market).breakers = breakers;
        if !trips.is_empty() {
            self.floor.interrupt(market, &trips, events);
            self.next_due = self.earliest();
        }
    }

    /// Begins a settlement that is due, or goes on with it, for as many accounts as the budget allows.
    pub(super) fn settle_funding(&mut self, market: MarketId, budget: &mut usize, events: &mut Events) {
        let funding = self.floor.market(market).funding.as_ref();
        if funding.expect("a funding timer has funding").settlement().is_none() {
            let held = self.floor.ledger.held(VALUATION);
            let (mark, index) = (self.floor.prices.known(market), self.floor.prices.index(market));
            let m = self.floor.market_mut(market);
            let state = m.funding.as_mut().expect("as above");
            let price = match state.config().price {
                FundingPrice::Mark => mark,
                FundingPrice::Index => index.expect("a market with a mark has an index"),
            };
            let rate = state.begin(price, held);
            let begun = state.settlement().expect("it has begun");
            m.mark.settled(rate);
            events.push(Record {
                price: price.get(),
                qty: state.index_delta(&begun),
                amount: rate.get(),
                ..event_of(event::FUNDING_SETTLED, market)
            });
        }
        // A settlement has one pass, or one for those who pay and one for those who receive.
        let under_way = |venue: &Self| venue.floor.market(market).funding.as_ref()?.settlement();
        while let Some(settlement) = under_way(self) {
            let first = settlement.next.index();
            let last = self.floor.ledger.accounts().min(first + *budget);
            *budget -= last - first;
            for account in (first..last).map(AccountId::from_index) {
                self.pay_funding(market, account, events);
            }
            let next = (last < self.floor.ledger.accounts()).then(|| AccountId::from_index(last));
            let state = self.floor.market_mut(market).funding.as_mut().expect("as above");
            state.advance(next);
            if *budget == 0 {
                return;
            }
        }
    }

    /// What one account pays or receives in this pass.
    fn pay_funding(&mut self, market: MarketId, account: AccountId, events: &mut Events) {
        let base = self.floor.ledger.position(account, market).base;
        if base.is_zero() {
            return;
        }
        let m = self.floor.market(market);
        let state = m.funding.as_ref().expect("a settlement has funding");
        let settlement = state.settlement().expect("a settlement is under way");
        let owed = state.owed(&settlement, base, &m.contract);
        let amount = match settlement.pass {
            Pass::Whole => owed,
            Pass::Paying(_) => {
                owed.max(Money::ZERO).min(self.floor.equity(account).saturate().max(Money::ZERO))
            }
            // Receivers hold as many lots as payers: together they get no more than was paid.
            Pass::Receiving(paid) if owed.is_negative() => {
                let whole = self.floor.ledger.open_interest(market);
                owed.max(-paid.share_of_lots_down(base.abs(), whole))
            }
            Pass::Receiving(_) => Money::ZERO,
        };
        if amount.is_zero() {
            return;
        }
        self.floor.ledger.transfer(Place::User(account, VALUATION), Place::Funding(market), amount);
        self.floor.touch(account);
        let state = self.floor.market_mut(market).funding.as_mut().expect("as above");
        state.collect(amount);
        events.push(Record {
            account: account.get(),
            qty: base.get(),
            amount: amount.get(),
            ..event_of(event::FUNDING_PAID, market)
        });
    }
}

/// The book near the mark of a market, and what waits.
struct Nearby<'a> {
    venue: &'a Venue,
    market: MarketId,
}

impl Near for Nearby<'_> {
    fn depth(&self, side: Side, width: Ppm) -> Qty {
        let floor = &self.venue.floor;
        let mark = floor.prices.known(self.market);
        let last = side.pick(mark.band_lower(width), mark.band_upper(width));
        let levels = floor.market(self.market).book.levels(side);
        levels.take_while(|level| !side.gain(level.price, last).is_positive()).map(|level| level.qty).sum()
    }

    fn value(&self, lots: Qty) -> Money {
        let floor = &self.venue.floor;
        floor.market(self.market).contract.notional_up(floor.prices.known(self.market), lots)
    }

    fn pending(&self, side: Side) -> Qty {
        self.venue.queue.pending(&self.venue.floor, self.market, side)
    }
}
