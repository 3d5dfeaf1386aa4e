//! Steps 2 to 6 of each command: refusals in their documented order, one line after which nothing fails, the change.

use super::Venue;
use crate::config::{LastResort, MoveSource};
use crate::floor::{Floor, Market};
use crate::ledger::{self, Place, Position};
use crate::liquidation::settle_fund;
use crate::margin;
use crate::order::Said;
use crate::protocol::{Events, Phase, Record, Reject, SelfTrade, command, event, event_of};
use crate::units::{AccountId, AssetId, FundId, MarketId, Money, Nanos, Price, Qty, Side, Sum, VALUATION};

impl Venue {
    #[inline(always)]
    pub(super) fn execute(
        &mut self,
        r: &Record,
        said: Option<&Said>,
        events: &mut Events,
    ) -> Result<(), Reject> {
        match r.kind {
            command::PLACE => self.place(r, said, events),
            command::CANCEL => self.cancel(r, events),
            _ => self.execute_rare(r, events),
        }
    }

    /// The commands of which there are few.
    #[inline(never)]
    fn execute_rare(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let (market, account) = (MarketId::new(r.market), AccountId::new(r.account));
        let (price, qty, amount) = (Price::new(r.price), Qty::new(r.qty), Money::new(r.amount));
        match r.kind {
            command::REPLACE => self.replace(r, events),
            command::CANCEL_ALL => self.cancel_all(r, events),
            command::BLOCK => self.block(market, account, r.order, (price, qty), events),
            command::TERM => self.term(r),
            command::QUOTE => self.quote(r, events),
            command::OPEN_ACCOUNT => self.open_account(r.order, r.code, events),
            command::DEPOSIT => self.deposit(account, AssetId::new(r.code), amount, events),
            command::WITHDRAW => self.withdraw(account, AssetId::new(r.code), amount, events),
            command::FUND_DEPOSIT => self.fund_deposit(FundId::new(r.code), amount, events),
            command::INDEX => self.index_price(market, price, events),
            command::SET_PHASE => self.set_phase(market, r.code, Nanos::new(r.amount), events),
            command::PULSE => Ok(()),
            _ => Err(Reject::UnknownCommand),
        }
    }

    #[inline(always)]
    pub(super) fn known_market(&self, market: MarketId) -> Result<MarketId, Reject> {
        if self.floor.knows_market(market) { Ok(market) } else { Err(Reject::UnknownMarket) }
    }

    #[inline(always)]
    pub(super) fn known_account(&self, account: AccountId) -> Result<AccountId, Reject> {
        if self.floor.ledger.knows(account) { Ok(account) } else { Err(Reject::UnknownAccount) }
    }

    /// Limits at entry; a market order has no price.
    #[inline(always)]
    pub(super) fn check_size(
        &self,
        m: &Market,
        market: MarketId,
        size: (Option<Price>, Qty),
        reducing: bool,
    ) -> Result<(), Reject> {
        let (price, qty) = size;
        let (config, entry) = (&m.config, &m.config.entry);
        if qty < entry.qty_min || qty > config.order_qty_max {
            return Err(Reject::QtyOutOfRange);
        }
        let steps = !m.plain_entry;
        if steps && !qty.is_multiple_of(entry.qty_step) {
            return Err(Reject::QtyOffStep);
        }
        if let Some(price) = price {
            if !price.is_positive() || price > config.price_max {
                return Err(Reject::PriceOutOfRange);
            }
            if steps && !price.is_multiple_of(entry.price_step) {
                return Err(Reject::PriceOffStep);
            }
        }
        if steps && (entry.notional_min.is_positive() || entry.notional_max.is_some()) {
            let Some(price) = price.or(self.floor.prices.mark(market)) else { return Ok(()) };
            let notional = price.value(qty, config.tick_value);
            let small = notional < entry.notional_min && !reducing;
            if small || entry.notional_max.is_some_and(|max| notional > max) {
                return Err(Reject::NotionalOutOfRange);
            }
        }
        Ok(())
    }

    /// Refuses orders before the first index; a market without clearing needs none.
    #[inline(always)]
    pub(super) fn check_mark(&self, m: &Market, market: MarketId) -> Result<(), Reject> {
        let has_mark = !m.config.cleared || self.floor.prices.mark(market).is_some();
        if has_mark { Ok(()) } else { Err(Reject::NoMark) }
    }

    /// Refuses orders of an account in liquidation; a market without clearing has no part in that.
    #[inline(always)]
    pub(super) fn check_free(&self, m: &Market, account: AccountId) -> Result<(), Reject> {
        let bound = m.config.cleared && self.floor.is_liquidated(account);
        if bound { Err(Reject::InLiquidation) } else { Ok(()) }
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
        if !m.admits.block || !m.config.cleared {
            return Err(Reject::PhaseRefuses);
        }
        self.check_mark(m, market)?;
        if !trade.1.is_positive() || trade.1 > m.config.position_max {
            return Err(Reject::QtyOutOfRange);
        }
        if !trade.0.is_positive() || trade.0 > m.config.price_max {
            return Err(Reject::PriceOutOfRange);
        }
        self.check_free(m, buyer)?;
        self.check_free(m, seller)?;
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

    fn open_account(&mut self, group: u64, mode: u16, events: &mut Events) -> Result<(), Reject> {
        let group = u32::try_from(group).map_err(|_| Reject::BadField)?;
        let prevention = SelfTrade::from_code(mode).ok_or(Reject::BadField)?;
        let max = usize::try_from(self.floor.config.limits.accounts_max).expect("32 bits fit");
        if self.floor.ledger.accounts() >= max {
            return Err(Reject::AccountsFull);
        }
        let account = self.floor.open_account(group, prevention);
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
        if asset == VALUATION {
            self.queue.pay_claims(&mut self.floor, account, amount, events);
        }
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
        if self.floor.is_liquidated(account) {
            return Err(Reject::InLiquidation);
        }
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
        let left = if asset == VALUATION { self.left_behind(amount) } else { Money::ZERO };
        if left.is_positive() {
            self.floor.ledger.transfer(Place::User(account, asset), Place::Shortfall, left);
            events.push(Record {
                account: account.get(),
                amount: left.get(),
                ..event_of(event::SOCIALISED, MarketId::NONE)
            });
        }
        self.floor.ledger.transfer(Place::User(account, asset), Place::External(asset), amount - left);
        self.report_cash(event::WITHDRAWN, account, asset, amount - left, events);
        Ok(())
    }

    /// What a withdrawal leaves behind for a shortfall that the funds do not cover, rounded up: the shortfall's share
    /// of all claims (Paradex, 2026).
    fn left_behind(&self, amount: Money) -> Money {
        let ledger = &self.floor.ledger;
        if self.floor.config.last_resort != LastResort::WithdrawalFactor {
            return Money::ZERO;
        }
        let funds = (0..self.floor.config.funds.len()).map(|i| ledger.at(Place::Fund(FundId::from_index(i))));
        let missing = -ledger.at(Place::Shortfall) - funds.sum();
        if !missing.is_positive() {
            return Money::ZERO;
        }
        let cash = ledger.deposits(VALUATION) - ledger.at(Place::Fees);
        let claims = Sum::of(cash) + Sum::of(missing);
        if claims <= Sum::of(missing) {
            return amount.min(missing);
        }
        amount.min(missing).min(-Sum::of(-amount).share_down(Sum::of(missing), claims))
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
        settle_fund(&mut self.floor, fund, events);
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
        if !m.admits.index {
            return Err(Reject::PhaseRefuses);
        }
        if !index.is_positive() || index > m.config.price_max {
            return Err(Reject::PriceOutOfRange);
        }

        // From here on nothing fails.
        self.queue.unpark(&self.floor);
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
