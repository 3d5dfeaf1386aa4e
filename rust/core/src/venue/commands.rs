//! Steps 2 to 6 of each command: refusals in their documented order, one line after which nothing fails, the change.

use super::Venue;
use crate::book::{NO_SLOT, Resting};
use crate::config::MoveSource;
use crate::floor::{Floor, Flow, Incoming};
use crate::ledger::{self, Place, Position};
use crate::margin;
use crate::protocol::{
    CancelReason, Command, Events, OrderType, POST_ONLY, Phase, Placing, REDUCE_ONLY, Record, Reject,
    Replacing, event, event_of,
};
use crate::units::{
    AccountId, AssetId, FundId, MarketId, Money, Nanos, OrderId, Price, Qty, Side, Sum, VALUATION,
};

impl Venue {
    pub(super) fn execute(&mut self, command: &Command, events: &mut Events) -> Result<(), Reject> {
        match *command {
            Command::Place { market, account, side, code, flags, price, qty } => {
                self.place(market, account, (side, code, flags), (price, qty), events)
            }
            Command::Cancel { market, account, order } => self.cancel(market, account, order, events),
            Command::Replace { market, account, order, price, qty } => {
                self.replace(market, account, order, (price, qty), events)
            }
            Command::CancelAll { market, account } => self.cancel_all(market, account, events),
            Command::Block { market, buyer, seller, price, qty } => {
                self.block(market, buyer, seller, (price, qty), events)
            }
            Command::OpenAccount => self.open_account(events),
            Command::Deposit { account, asset, amount } => self.deposit(account, asset, amount, events),
            Command::Withdraw { account, asset, amount } => self.withdraw(account, asset, amount, events),
            Command::FundDeposit { fund, amount } => self.fund_deposit(fund, amount, events),
            Command::Index { market, price } => self.index_price(market, price, events),
            Command::SetPhase { market, code, end } => self.set_phase(market, code, end, events),
            Command::Pulse => Ok(()),
        }
    }

    fn known_market(&self, market: MarketId) -> Result<(), Reject> {
        if self.floor.knows_market(market) { Ok(()) } else { Err(Reject::UnknownMarket) }
    }

    fn known_account(&self, account: AccountId) -> Result<(), Reject> {
        if self.floor.ledger.knows(account) { Ok(()) } else { Err(Reject::UnknownAccount) }
    }

    fn check_size(&self, market: MarketId, price: Price, qty: Qty, qty_max: Qty) -> Result<(), Reject> {
        if !qty.is_positive() || qty > qty_max {
            return Err(Reject::QtyOutOfRange);
        }
        if !price.is_positive() || price > self.floor.market(market).config.price_max {
            return Err(Reject::PriceOutOfRange);
        }
        Ok(())
    }

    fn check_mark(&self, market: MarketId) -> Result<(), Reject> {
        if self.floor.prices.mark(market).is_some() { Ok(()) } else { Err(Reject::NoMark) }
    }

    fn check_free(&self, account: AccountId) -> Result<(), Reject> {
        if self.floor.is_liquidated(account) { Err(Reject::InLiquidation) } else { Ok(()) }
    }

    /// The form of an order: its side, type and flags.
    fn order_form(side: u8, code: u16, flags: u16, price: Price) -> Result<(Side, OrderType), Reject> {
        let side = Side::from_code(side).ok_or(Reject::BadField)?;
        let kind = OrderType::from_code(code).ok_or(Reject::BadField)?;
        let known = flags & !(POST_ONLY | REDUCE_ONLY) == 0;
        let post_rests = flags & POST_ONLY == 0 || kind == OrderType::Limit;
        let reduce_goes = flags & REDUCE_ONLY == 0 || kind != OrderType::Limit;
        let priced = kind != OrderType::Market || price.is_zero();
        if known && post_rests && reduce_goes && priced { Ok((side, kind)) } else { Err(Reject::BadField) }
    }

    fn would_take(&self, market: MarketId, side: Side, limit: Price) -> bool {
        let m = self.floor.market(market);
        m.phase.admits().matches
            && m.book.best(side.opposite()).is_some_and(|best| !side.gain(best, limit).is_negative())
    }

    fn place(
        &mut self,
        market: MarketId,
        account: AccountId,
        form: (u8, u16, u16),
        size: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        let ((side, code, flags), (price, qty)) = (form, size);
        self.known_market(market)?;
        self.known_account(account)?;
        let (side, kind) = Self::order_form(side, code, flags, price)?;
        let m = self.floor.market(market);
        let placing = m.phase.admits().place;
        match (placing, kind) {
            (Placing::All, _) | (Placing::Resting, OrderType::Limit) => {}
            (Placing::Reducing, kind) if kind != OrderType::Limit => {}
            _ => return Err(Reject::PhaseRefuses),
        }
        self.check_mark(market)?;
        let checked = if kind == OrderType::Market { Price::new(1) } else { price };
        self.check_size(market, checked, qty, m.config.order_qty_max)?;
        self.check_free(account)?;
        let held = *self.floor.ledger.position(account, market);
        if flags & REDUCE_ONLY != 0 || placing == Placing::Reducing {
            let reduces = side.signed(Qty::new(1)).is_positive() != held.base.is_positive();
            if held.base.is_zero() || !reduces || qty > held.base.abs() {
                return Err(Reject::NotReducing);
            }
        }
        if kind == OrderType::Limit && m.book.is_full() {
            return Err(Reject::BookFull);
        }
        let limit = self.banded(market, side, (kind != OrderType::Market).then_some(price))?;
        if flags & POST_ONLY != 0 && limit.is_some_and(|l| self.would_take(market, side, l)) {
            return Err(Reject::WouldTake);
        }
        if kind == OrderType::FillOrKill && !self.floor.is_fillable(market, side, qty, limit) {
            return Err(Reject::NotFillable);
        }
        let priced = if kind == OrderType::Market { None } else { limit };
        self.floor.check_order(account, market, (side, qty, priced), &held)?;

        // From here on nothing fails.
        let rests = kind == OrderType::Limit;
        let slot = if rests { self.floor.market_mut(market).book.reserve() } else { NO_SLOT };
        let id = self.floor.next_id(slot);
        events.push(Record {
            account: account.get(),
            order: id.raw(),
            side: side.code(),
            code,
            flags,
            price: priced.map_or(0, Price::get),
            qty: qty.get(),
            ..event_of(event::ACCEPTED, market)
        });
        let order = Incoming { id, market, account, side, limit, qty, flow: Flow::User { rests } };
        self.enter_book(&order, priced, flags & POST_ONLY != 0, events);
        Ok(())
    }

    /// The limit inside the bands: capped, or refused if a band refuses. A market order takes the bound as limit.
    fn banded(&self, market: MarketId, side: Side, limit: Option<Price>) -> Result<Option<Price>, Reject> {
        let Some(limit) = limit else { return Ok(self.floor.bound(market, side, false)) };
        let mark = self.floor.prices.known(market);
        if self.floor.market(market).breakers.refuses(mark, side, limit) {
            return Err(Reject::BandRefuses);
        }
        Ok(Some(self.floor.capped(market, side, limit, false)))
    }

    /// Matches an accepted order and rests or cancels what is left.
    fn enter_book(&mut self, order: &Incoming, priced: Option<Price>, post_only: bool, events: &mut Events) {
        let &Incoming { id, market, account, side, qty, .. } = order;
        let rests = order.flow == Flow::User { rests: true };
        if rests {
            self.floor.ledger.position_mut(account, market).add_open(side, qty);
        }
        let swept = self.floor.sweep(order, events);
        if swept.tripped {
            self.next_due = self.earliest();
        }
        let price = priced.unwrap_or(Price::ZERO);
        let rest = Resting { id, account, side, price, qty: swept.left, post_only };
        if rests && swept.left.is_positive() && !swept.tripped {
            return self.floor.market_mut(market).book.rest(rest);
        }
        if rests {
            self.floor.market_mut(market).book.release(id.slot());
            self.floor.ledger.position_mut(account, market).add_open(side, -swept.left);
        }
        if swept.left.is_positive() {
            let reason = if swept.tripped { CancelReason::Breaker } else { CancelReason::Immediate };
            Floor::report_cancelled(market, &rest, reason, events);
        }
    }

    fn resting(&self, market: MarketId, account: AccountId, order: OrderId) -> Result<Resting, Reject> {
        let found = self.floor.market(market).book.get(order).ok_or(Reject::UnknownOrder)?;
        if found.account == account { Ok(found) } else { Err(Reject::NotYourOrder) }
    }

    fn cancel(
        &mut self,
        market: MarketId,
        account: AccountId,
        order: OrderId,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(account)?;
        let found = self.resting(market, account, order)?;
        self.floor.cancel(market, found.id, CancelReason::User, events);
        Ok(())
    }

    fn replace(
        &mut self,
        market: MarketId,
        account: AccountId,
        order: OrderId,
        size: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        let (price, qty) = size;
        self.known_market(market)?;
        self.known_account(account)?;
        let m = self.floor.market(market);
        let replacing = m.phase.admits().replace;
        if replacing == Replacing::None {
            return Err(Reject::PhaseRefuses);
        }
        self.check_mark(market)?;
        self.check_size(market, price, qty, m.config.order_qty_max)?;
        let old = self.resting(market, account, order)?;
        self.check_free(account)?;
        let keeps = price == old.price && qty <= old.qty;
        let (side, limit) = (old.side, if keeps { price } else { self.replaced_limit(&old, market, size)? });

        // From here on nothing fails.
        events.push(Record {
            account: account.get(),
            order: old.id.raw(),
            side: side.code(),
            flags: u16::from(keeps),
            price: limit.get(),
            qty: qty.get(),
            ..event_of(event::REPLACED, market)
        });
        if keeps {
            self.floor.market_mut(market).book.decrease(old.id, qty);
            self.floor.ledger.position_mut(account, market).add_open(side, qty - old.qty);
            return Ok(());
        }
        self.floor.market_mut(market).book.take_out(old.id).expect("found above");
        self.floor.ledger.position_mut(account, market).add_open(side, -old.qty);
        let flow = Flow::User { rests: true };
        let order = Incoming { id: old.id, market, account, side, limit: Some(limit), qty, flow };
        self.enter_book(&order, Some(limit), old.post_only, events);
        Ok(())
    }

    /// Checks a replace that loses priority as if the old order were gone; returns its limit inside the bands.
    fn replaced_limit(
        &mut self,
        old: &Resting,
        market: MarketId,
        size: (Price, Qty),
    ) -> Result<Price, Reject> {
        let (price, qty) = size;
        if self.floor.market(market).phase.admits().replace == Replacing::Decrease {
            return Err(Reject::PhaseRefuses);
        }
        let limit = self.banded(market, old.side, Some(price))?.unwrap_or(price);
        if old.post_only && self.would_take(market, old.side, limit) {
            return Err(Reject::WouldTake);
        }
        let mut held = *self.floor.ledger.position(old.account, market);
        held.add_open(old.side, -old.qty);
        self.floor.check_order(old.account, market, (old.side, qty, Some(limit)), &held)?;
        Ok(limit)
    }

    fn cancel_all(
        &mut self,
        market: MarketId,
        account: AccountId,
        events: &mut Events,
    ) -> Result<(), Reject> {
        let every = market == MarketId::NONE;
        if !every {
            self.known_market(market)?;
        }
        self.known_account(account)?;
        for m in self.floor.market_ids().filter(|m| every || *m == market) {
            self.floor.cancel_all(m, account, CancelReason::User, events);
        }
        Ok(())
    }

    fn block(
        &mut self,
        market: MarketId,
        buyer: AccountId,
        seller: u64,
        trade: (Price, Qty),
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(buyer)?;
        let seller = AccountId::new(u32::try_from(seller).map_err(|_| Reject::UnknownAccount)?);
        self.known_account(seller)?;
        if buyer == seller {
            return Err(Reject::BadField);
        }
        let m = self.floor.market(market);
        if !m.phase.admits().block {
            return Err(Reject::PhaseRefuses);
        }
        self.check_mark(market)?;
        self.check_size(market, trade.0, trade.1, m.config.position_max)?;
        self.check_free(buyer)?;
        self.check_free(seller)?;
        self.check_block(market, (buyer, seller), trade)?;

        // From here on nothing fails.
        self.floor.block(market, (buyer, seller), trade, events);
        Ok(())
    }

    /// Limits and initial margin of both parties after a block trade.
    fn check_block(
        &self,
        market: MarketId,
        parties: (AccountId, AccountId),
        trade: (Price, Qty),
    ) -> Result<(), Reject> {
        let config = &self.floor.market(market).config;
        let (price, qty) = trade;
        let sides = [(parties.0, Side::Buy), (parties.1, Side::Sell)];
        let after = sides.map(|(account, side)| {
            let held = self.floor.ledger.position(account, market);
            ledger::traded(*held, side.signed(qty), price, config.tick_value)
        });
        let [(bought, _), (sold, _)] = after;
        let reach = (bought.base + bought.open_buys).max(sold.open_sells - sold.base);
        if reach > config.position_max {
            return Err(Reject::PositionLimit);
        }
        let long = |p: &Position| p.base.max(Qty::ZERO);
        let mut open = self.floor.ledger.open_interest(market);
        for ((account, _), (position, _)) in sides.iter().zip(&after) {
            open += long(position) - long(self.floor.ledger.position(*account, market));
        }
        if open > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        let Floor { rules, ledger, prices, .. } = &self.floor;
        for ((account, _), traded) in sides.iter().zip(&after) {
            let before = rules.initial_of(prices, market, ledger.position(*account, market));
            let grows = rules.initial_of(prices, market, &traded.0) > before;
            if grows && !rules.carries(ledger, prices, *account, market, traded) {
                return Err(Reject::MarginShort);
            }
        }
        Ok(())
    }

    fn open_account(&mut self, events: &mut Events) -> Result<(), Reject> {
        let max = usize::try_from(self.floor.config.limits.accounts_max).expect("32 bits fit");
        if self.floor.ledger.accounts() >= max {
            return Err(Reject::AccountsFull);
        }
        let account = self.floor.open_account();
        events.push(Record { account: account.get(), ..event_of(event::ACCOUNT_OPENED, MarketId::NONE) });
        Ok(())
    }

    fn known_asset(&self, asset: AssetId) -> Result<(), Reject> {
        if asset.index() < self.floor.config.assets.len() { Ok(()) } else { Err(Reject::UnknownAsset) }
    }

    /// Deposits of an asset stay within the configured maximum, which the proof of the configuration rests on.
    fn check_deposit(&self, asset: AssetId, amount: Money) -> Result<(), Reject> {
        let room = self.floor.config.assets[asset.index()].deposits_max - self.floor.ledger.deposits(asset);
        if amount.is_positive() && amount <= room { Ok(()) } else { Err(Reject::AmountOutOfRange) }
    }

    fn deposit(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_account(account)?;
        self.known_asset(asset)?;
        self.check_deposit(asset, amount)?;

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::External(asset), Place::User(account, asset), amount);
        self.report_cash(event::DEPOSITED, account, asset, amount, events);
        Ok(())
    }

    fn withdraw(
        &mut self,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_account(account)?;
        self.known_asset(asset)?;
        if !amount.is_positive() {
            return Err(Reject::AmountOutOfRange);
        }
        self.check_free(account)?;
        let balance = self.floor.ledger.balance(account, asset);
        if amount > balance {
            return Err(Reject::BalanceShort);
        }
        let collateral = self.floor.rules.collateral().iter().find(|(a, _)| *a == asset);
        let lost = collateral.map_or(amount, |(_, c)| {
            let value = |held| {
                let index = self.floor.prices.index(c.market);
                index.map_or(Money::ZERO, |index| margin::collateral_value(c, held, index))
            };
            value(balance) - value(balance - amount)
        });
        let need = self.floor.rules.initial_total(&self.floor.ledger, &self.floor.prices, account);
        if self.floor.equity(account) - Sum::of(lost) < need {
            return Err(Reject::MarginShort);
        }

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::User(account, asset), Place::External(asset), amount);
        self.report_cash(event::WITHDRAWN, account, asset, amount, events);
        Ok(())
    }

    fn report_cash(
        &mut self,
        kind: u16,
        account: AccountId,
        asset: AssetId,
        amount: Money,
        events: &mut Events,
    ) {
        self.floor.touch(account);
        events.push(Record {
            account: account.get(),
            code: asset.get(),
            amount: amount.get(),
            ..event_of(kind, MarketId::NONE)
        });
    }

    fn fund_deposit(&mut self, fund: FundId, amount: Money, events: &mut Events) -> Result<(), Reject> {
        if fund.index() >= self.floor.config.funds.len() {
            return Err(Reject::UnknownFund);
        }
        self.check_deposit(VALUATION, amount)?;

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::External(VALUATION), Place::Fund(fund), amount);
        events.push(Record {
            code: fund.get(),
            amount: amount.get(),
            ..event_of(event::FUND_DEPOSITED, MarketId::NONE)
        });
        Ok(())
    }

    fn set_phase(
        &mut self,
        market: MarketId,
        code: u16,
        end: Nanos,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        let phase = Phase::from_code(code).ok_or(Reject::BadField)?;
        if !end.is_zero() && end <= self.floor.now {
            return Err(Reject::BadField);
        }

        // From here on nothing fails.
        self.floor.enter(market, phase, end, events);
        self.next_due = self.earliest();
        Ok(())
    }

    /// Step 6: samples, the mark, the breakers that watch it.
    fn index_price(&mut self, market: MarketId, index: Price, events: &mut Events) -> Result<(), Reject> {
        self.known_market(market)?;
        let now = self.floor.now;
        let m = self.floor.market_mut(market);
        if !m.phase.admits().index {
            return Err(Reject::PhaseRefuses);
        }
        if !index.is_positive() || index > m.config.price_max {
            return Err(Reject::PriceOutOfRange);
        }

        // From here on nothing fails.
        self.queue.unpark();
        let is_first = self.floor.prices.mark(market).is_none();
        let m = self.floor.market_mut(market);
        m.mark.sample(index, m.book.best(Side::Buy), m.book.best(Side::Sell));
        if let Some(funding) = &mut m.funding {
            if is_first {
                funding.start(now);
            }
            let qty = funding.impact_qty();
            funding.sample(index, m.book.impact_sum(Side::Buy, qty), m.book.impact_sum(Side::Sell, qty));
        }
        let mark = m.mark.mark(index, m.config.price_max);
        let trip = match m.phase {
            Phase::Continuous => m.breakers.ask(MoveSource::Mark, now, mark, false),
            _ => None,
        };
        let watched = m.breakers.marked(mark);
        m.ranking = [None, None];
        self.floor.has_news |= watched;
        self.floor.prices.set(market, index, mark);
        if let Some(trip) = trip {
            self.floor.interrupt(market, &trip, events);
        }
        if is_first || trip.is_some() {
            self.next_due = self.earliest();
        }
        events.push(Record { price: mark.get(), amount: index.get(), ..event_of(event::MARKED, market) });
        Ok(())
    }
}
