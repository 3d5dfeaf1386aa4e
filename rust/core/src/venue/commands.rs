//! Steps 2 to 6 of each command: refusals in their documented order, one line after which nothing fails, the change.

use super::Venue;
use crate::breaker::{Bounds, Can, RuleValue, Trip};
use crate::config::{LastResort, Multiplier};
use crate::floor::{Floor, Market};
use crate::ledger::{self, Place, Position};
use crate::liquidation::settle_fund;
use crate::order::Said;
use crate::protocol::{Events, Phase, Record, Reject, SelfTrade, command, event, event_of};
use crate::units::{
    AccountId, AssetId, FundId, MarketId, Money, Nanos, Ppm, Price, Qty, Side, Sum, VALUATION,
};

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
            command::SET_LEVERAGE => self.set_leverage(market, account, r.amount, events),
            command::SET_MULTIPLIER => {
                let (initial, maintenance) = (Ppm::new(r.qty), Ppm::new(r.amount));
                self.set_multiplier(market, Multiplier { initial, maintenance, leverage_max: None }, events)
            }
            command::SET_MARGIN_MODE => self.set_margin_mode(account, r.code, events),
            command::TRANSFER => self.transfer(account, r.order, (AssetId::new(r.code), amount), events),
            command::INDEX => self.index_price(market, price, events),
            command::SET_PHASE => self.set_phase(market, r.code, Nanos::new(r.amount), events),
            command::PULSE => Ok(()),
            command::SOURCE => self.source(r, events),
            command::SETTLE => self.settle_at(market, Nanos::new(r.amount), events),
            command::VOLUNTEER => self.volunteer(market, account, qty, events),
            command::SET_RULE => self.set_rule(r, events),
            command::INTERRUPT => self.interrupt(r, events),
            command::PLAN_BEGIN => {
                let market = self.known_market(market)?;
                self.queue.plans_mut().begin(market, r.order)
            }
            command::PLAN_ROW => {
                let of = (self.known_market(market)?, r.order);
                self.queue.plans_mut().row(&self.floor, of, account, qty)
            }
            command::PLAN_COMMIT => self.commit_plan(market, r.order, r.code, events),
            _ => Err(Reject::UnknownCommand),
        }
    }

    /// A plan of auto-deleveraging is whole (code 0), or none comes (1).
    fn commit_plan(
        &mut self,
        market: MarketId,
        round: u64,
        code: u16,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        if code > 1 {
            return Err(Reject::BadField);
        }
        self.queue.commit_plan(&mut self.floor, (market, round), code == 1, events)?;
        self.next_due = self.earliest();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn known_market(&self, market: MarketId) -> Result<MarketId, Reject> {
        if self.floor.knows_market(market) { Ok(market) } else { Err(Reject::UnknownMarket) }
    }

    #[inline(always)]
    pub(super) fn known_account(&self, account: AccountId) -> Result<AccountId, Reject> {
        if self.floor.ledger.knows(account) { Ok(account) } else { Err(Reject::UnknownAccount) }
    }

    /// Limits at entry; a market order has no price. `steps` where more is asked than a range.
    #[inline(always)]
    pub(super) fn check_size(
        &self,
        m: &Market,
        market: MarketId,
        size: (Option<Price>, Qty),
        reducing: bool,
        steps: bool,
    ) -> Result<(), Reject> {
        let (price, qty) = size;
        let (config, entry) = (&m.config, &m.config.entry);
        if qty < entry.qty_min || qty > config.order_qty_max {
            return Err(Reject::QtyOutOfRange);
        }
        if steps && !qty.is_multiple_of(entry.qty_step) {
            return Err(Reject::QtyOffStep);
        }
        if let Some(price) = price {
            if !config.has(price) {
                return Err(Reject::PriceOutOfRange);
            }
            if steps && !price.is_multiple_of(entry.price_step) {
                return Err(Reject::PriceOffStep);
            }
        }
        if steps && (entry.notional_min.is_positive() || entry.notional_max.is_some()) {
            let Some(price) = price.or(self.floor.prices.mark(market)) else { return Ok(()) };
            let notional = m.contract.notional_up(price, qty);
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
        if !m.config.has(trade.0) {
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
        let (config, contract) = (&self.floor.market(market).config, self.floor.contract(market));
        let (price, qty) = trade;
        let sides = [(parties.0, Side::Buy), (parties.1, Side::Sell)];
        let after = sides.map(|(account, side)| {
            let held = self.floor.ledger.position(account, market);
            ledger::traded(*held, side.signed(qty), price, contract)
        });
        let [bought, sold] = after.map(|traded| traded.after);
        let reach = (bought.base + bought.open_buys).max(sold.open_sells - sold.base);
        if reach > config.position_max {
            return Err(Reject::PositionLimit);
        }
        let long = |p: &Position| p.base.max(Qty::ZERO);
        let mut open = self.floor.ledger.open_interest(market);
        for ((account, _), traded) in sides.iter().zip(&after) {
            open += long(&traded.after) - long(self.floor.ledger.position(*account, market));
        }
        if open > config.open_interest_max {
            return Err(Reject::OpenInterestLimit);
        }
        let Floor { rules, ledger, prices, .. } = &self.floor;
        for ((account, _), traded) in sides.iter().zip(&after) {
            let need = |p| rules.initial_with(ledger, prices, *account, (market, p));
            let grows = need(&traded.after) > need(ledger.position(*account, market));
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
        self.check_leaving(account, asset, amount)?;

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

    /// Money may leave an account: it is there, and what stays covers what a withdrawal has to leave.
    fn check_leaving(&self, account: AccountId, asset: AssetId, amount: Money) -> Result<(), Reject> {
        if !amount.is_positive() {
            return Err(Reject::AmountOutOfRange);
        }
        if self.floor.is_liquidated(account) {
            return Err(Reject::InLiquidation);
        }
        if self.floor.now < self.floor.gated || self.floor.holds_withdrawals() {
            return Err(Reject::WithdrawalsGated);
        }
        let Floor { rules, ledger, prices, .. } = &self.floor;
        let balance = ledger.balance(account, asset);
        if amount > balance {
            return Err(Reject::BalanceShort);
        }
        let lost = rules.assets().iter().find(|a| a.id == asset).map_or(amount, |a| {
            let value = |held| a.initial_value(held, ledger.deposits(asset), prices);
            value(balance) - value(balance - amount)
        });
        let equity = rules.initial_equity(ledger, prices, account) - Sum::of(lost);
        let covered = equity >= rules.withdrawal_floor(ledger, prices, account);
        if covered { Ok(()) } else { Err(Reject::MarginShort) }
    }

    /// Money to another account of the same group: a sub-account, which carries a position by itself.
    fn transfer(
        &mut self,
        account: AccountId,
        to: u64,
        money: (AssetId, Money),
        events: &mut Events,
    ) -> Result<(), Reject> {
        let (asset, amount) = money;
        self.known_account(account)?;
        let to = AccountId::new(u32::try_from(to).map_err(|_| Reject::UnknownAccount)?);
        self.known_account(to)?;
        self.known_asset(asset)?;
        if account == to || !self.floor.is_party(account, to) {
            return Err(Reject::BadField);
        }
        self.check_leaving(account, asset, amount)?;

        // From here on nothing fails.
        self.floor.ledger.transfer(Place::User(account, asset), Place::User(to, asset), amount);
        self.floor.touch(account);
        self.floor.touch(to);
        events.push(Record {
            account: account.get(),
            order: to.get().into(),
            code: asset.get(),
            amount: amount.get(),
            ..event_of(event::TRANSFERRED, MarketId::NONE)
        });
        Ok(())
    }

    /// The leverage that an account allows itself: its initial rate is not below one over it.
    fn set_leverage(
        &mut self,
        market: MarketId,
        account: AccountId,
        leverage: i64,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(account)?;
        let own = self.floor.rules.own_rate(market, leverage).ok_or(Reject::BadField)?;
        let Floor { rules, ledger, prices, .. } = &self.floor;
        let position = ledger.position(account, market);
        let before = rules.initial_of(ledger, prices, account, market, position);
        let after = rules.initial_at(ledger, prices, market, position.exposure(), own);
        let need = rules.initial_total(ledger, prices, account) - Sum::of(before) + Sum::of(after);
        let grouped = rules.is_grouped(ledger, account, market);
        if !grouped && after > before && rules.initial_equity(ledger, prices, account) < need {
            return Err(Reject::MarginShort);
        }

        // From here on nothing fails.
        self.floor.ledger.set_own_rate(account, market, own);
        events.push(Record {
            account: account.get(),
            amount: leverage,
            ..event_of(event::LEVERAGE_SET, market)
        });
        Ok(())
    }

    /// How an account is margined: by the tiers of each market, or in groups of markets where there are some.
    fn set_margin_mode(&mut self, account: AccountId, mode: u16, events: &mut Events) -> Result<(), Reject> {
        self.known_account(account)?;
        if self.floor.config.portfolios.is_empty() || mode > 1 {
            return Err(Reject::BadField);
        }
        if self.floor.is_liquidated(account) {
            return Err(Reject::InLiquidation);
        }
        let portfolio = mode == 1;
        if !self.floor.may_be_margined(account, portfolio) {
            return Err(Reject::MarginShort);
        }

        // From here on nothing fails.
        self.floor.ledger.tag_mut(account).portfolio = portfolio;
        self.floor.guards.forget(account);
        self.floor.touch(account);
        events.push(Record {
            account: account.get(),
            code: mode,
            ..event_of(event::MARGIN_MODE_SET, MarketId::NONE)
        });
        Ok(())
    }

    /// The lots that an account is ready to take over in a market.
    fn volunteer(
        &mut self,
        market: MarketId,
        account: AccountId,
        lots: Qty,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        self.known_account(account)?;
        let config = &self.floor.market(market).config;
        if config.liquidation.assignment.is_none() || !config.cleared {
            return Err(Reject::BadField);
        }
        if lots.is_negative() || lots > config.position_max {
            return Err(Reject::QtyOutOfRange);
        }

        // From here on nothing fails.
        self.floor.market_mut(market).volunteers.set(account, lots);
        events.push(Record {
            account: account.get(),
            qty: lots.get(),
            ..event_of(event::VOLUNTEER_SET, market)
        });
        Ok(())
    }

    /// The rates of a market's tiers, as they are configured, are multiplied from now on.
    fn set_multiplier(
        &mut self,
        market: MarketId,
        by: Multiplier,
        events: &mut Events,
    ) -> Result<(), Reject> {
        self.known_market(market)?;
        if !self.floor.market(market).config.margin.multipliers {
            return Err(Reject::BadField);
        }
        if self.floor.multiply_margin(market, by, events) { Ok(()) } else { Err(Reject::MultiplierRefused) }
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
        if self.floor.market(market).settlement.has_begun() {
            return Err(Reject::PhaseRefuses);
        }
        let phase = Phase::from_code(code).ok_or(Reject::BadField)?;
        if !end.is_zero() && end <= self.floor.now {
            return Err(Reject::BadField);
        }

        // From here on nothing fails.
        self.enter(market, phase, end, events);
        self.next_due = self.earliest();
        Ok(())
    }

    /// Changes a breaker in one market or in all that it watches.
    fn set_rule(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let market = MarketId::new(r.market);
        if market != MarketId::NONE {
            self.known_market(market)?;
        }
        let markets: Vec<MarketId> =
            self.floor.market_ids().filter(|m| market == MarketId::NONE || *m == market).collect();
        let abilities: Vec<(MarketId, Can)> =
            markets.iter().filter_map(|m| Some((*m, self.floor.market(*m).breakers.can(r.code)?))).collect();
        if abilities.is_empty() {
            return Err(Reject::UnknownRule);
        }
        let what = RuleValue::read(r.flags, r.amount).ok_or(Reject::BadField)?;
        let fits = |(market, can): &(MarketId, Can)| match what {
            RuleValue::Enabled(_) => true,
            RuleValue::Width(_) => can.widens,
            RuleValue::Price(price) => can.tells && price <= self.floor.market(*market).config.price_max,
        };
        if !abilities.iter().all(fits) {
            return Err(Reject::BadField);
        }

        // From here on nothing fails.
        for (market, _) in abilities {
            self.floor.market_mut(market).breakers.set(r.code, what);
        }
        events.push(Record {
            code: r.code,
            flags: r.flags,
            amount: r.amount,
            ..event_of(event::RULE_SET, market)
        });
        Ok(())
    }

    /// Does what a trip of a breaker does.
    fn interrupt(&mut self, r: &Record, events: &mut Events) -> Result<(), Reject> {
        let market = self.known_market(MarketId::new(r.market))?;
        if self.floor.market(market).breakers.can(r.code).is_none() {
            return Err(Reject::UnknownRule);
        }
        let (end, side) = (Nanos::new(r.amount), Side::from_code(r.side));
        let side = side.ok_or(Reject::BadField)?;
        let phase =
            Phase::from_code(r.flags).filter(|phase| phase.is_interruption()).ok_or(Reject::BadField)?;
        if !end.is_zero() && end <= self.floor.now {
            return Err(Reject::BadField);
        }

        // From here on nothing fails.
        let breakers = &self.floor.market(market).breakers;
        let trip = Trip {
            rule: r.code,
            asked: breakers.asked(r.code),
            price: Price::new(r.price),
            reference: Price::new(r.qty),
            side,
            bounds: Bounds::told(r.order, r.account),
            phase,
            end: if end.is_zero() { Nanos::MAX } else { end },
            auction: None,
        };
        self.floor.interrupt(market, &[trip], events);
        self.floor.market_mut(market).breakers.pass_over();
        self.next_due = self.earliest();
        Ok(())
    }
}
