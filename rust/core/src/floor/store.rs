//! The floor as bytes, and back with every check.

use super::{Floor, Found, Market};
use crate::blocks::Blocks;
use crate::book::Book;
use crate::calls::Calls;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::{self, Indicative, Multiplier};
use crate::funding::FundingState;
use crate::guard::Cause;
use crate::history::AdlHistory;
use crate::index::Sources;
use crate::ledger::Ledger;
use crate::margin::Rules;
use crate::mark::{MarkState, Prices};
use crate::protocol::{Phase, SelfTrade};
use crate::settlement::{Progress, SettlementState};
use crate::units::{AccountId, MarketId, Nanos, OrderId, Ppm, Price, Qty};
use crate::volunteers::Volunteers;

impl Floor {
    pub(crate) fn encode(&self, w: &mut Writer) {
        w.i64(self.now.get());
        w.u64(self.accepted);
        self.ledger.encode(w);
        // In liquidation follows from the queue, touched is empty between steps.
        let accounts = || (0..self.ledger.accounts()).map(AccountId::from_index);
        accounts().for_each(|account| w.bool(self.is_called(account)));
        for tag in accounts().map(|account| self.ledger.tag(account)) {
            w.u32(tag.group);
            w.u16(tag.prevention.code());
        }
        self.prices.encode(w);
        for (market, m) in self.market_ids().zip(&self.markets) {
            w.u16(m.phase.code());
            w.i64(m.end.get());
            m.book.encode(w);
            w.len(m.prints.len());
            for (price, number) in &m.prints {
                w.i64(price.get());
                w.u64(*number);
            }
            // A quote without orders is as good as none.
            let live = |id: &OrderId| m.book.owner(*id).is_some();
            let quotes = || m.quotes.iter().filter(|(_, ids)| ids.iter().any(live));
            w.len(quotes().count());
            for ((account, number), ids) in quotes() {
                w.u32(account.get());
                w.u16(*number);
                for id in ids {
                    w.order(if live(id) { *id } else { OrderId::default() });
                }
            }
            if m.config.margin.multipliers || config::multiplies(&self.config.breakers, market) {
                let Multiplier { initial, maintenance, leverage_max } = self.rules.multiplier(market);
                w.i64(initial.get());
                w.i64(maintenance.get());
                if !m.config.margin.multipliers {
                    w.u16(leverage_max.unwrap_or_default());
                }
            }
            m.mark.encode(w);
            m.sources.encode(w);
            if let Some(funding) = &m.funding {
                funding.encode(w);
            }
            m.breakers.encode(self.now, w);
            if m.config.settlement.is_some() {
                m.settlement.encode(w);
            }
            if m.config.liquidation.assignment.is_some() {
                m.volunteers.encode(w);
            }
            m.encode_call(w);
            m.history.encode(&m.config.adl, w);
            for ranking in &m.ranking {
                w.bool(ranking.is_some());
                let ranked = ranking.as_deref().unwrap_or_default();
                w.len(ranked.len());
                for account in ranked {
                    w.u32(account.get());
                }
            }
        }
        self.pools.encode(w);
        if let Some(rules) = &self.config.block_limits {
            self.blocks.encode(rules, w);
        }
        if self.config.margin_call_grace_ns.is_positive() {
            self.calls.encode(w);
        }
        if !self.config.portfolios.is_empty() {
            accounts().for_each(|account| w.bool(self.ledger.has_portfolio(account)));
        }
        if self.config.withdrawal_gate.is_some() {
            w.i64(self.gated.get());
        }
        for market in self.leveraged() {
            let own = self.ledger.own_rates(market);
            w.len(own.clone().count());
            for (account, rate) in own {
                w.u32(account.get());
                w.i64(rate.get());
            }
        }
    }

    /// Markets in which accounts set a leverage of their own.
    fn leveraged(&self) -> impl Iterator<Item = MarketId> {
        self.market_ids().filter(|m| self.market(*m).config.margin.account_leverage)
    }

    pub(crate) fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        self.now = Nanos::new(r.i64()?);
        self.accepted = r.u64()?;
        if self.accepted >> (u64::BITS - OrderId::SLOT_BITS) != 0 {
            return Err(r.invalid(format!(
                "acceptance number {} has more than 40 bits; take another copy",
                self.accepted
            )));
        }
        self.ledger = Ledger::decode(&self.config, r)?;
        let accounts = self.ledger.accounts();
        if accounts > usize::try_from(self.config.limits.accounts_max).expect("32 bits fit") {
            return Err(r.invalid(format!(
                "{accounts} accounts are more than limits.accounts_max; take another copy"
            )));
        }
        for account in (0..accounts).map(AccountId::from_index) {
            let called = r.bool()?;
            self.set_called(account, called);
        }
        for account in (0..accounts).map(AccountId::from_index) {
            let (group, mode) = (r.u32()?, r.u16()?);
            let prevention = SelfTrade::from_code(mode)
                .ok_or_else(|| r.invalid(format!("self-trade mode {mode} is unknown")))?;
            let tag = self.ledger.tag_mut(account);
            (tag.group, tag.prevention) = (group, prevention);
        }
        let domains: Vec<(Price, Price)> = self.markets.iter().map(|m| m.config.prices()).collect();
        self.prices = Prices::decode(&domains, r)?;
        for (i, m) in self.markets.iter_mut().enumerate() {
            let phase = r.u16()?;
            m.phase =
                Phase::from_code(phase).ok_or_else(|| r.invalid(format!("phase {phase} is unknown")))?;
            m.end = Nanos::new(r.i64()?);
            m.book = Book::decode(&m.config, self.config.limits.orders_max, accounts, r)?;
            let market = MarketId::from_index(i);
            let mut ids = Vec::new();
            m.book.all_orders(&mut ids);
            if let Some(id) = ids.iter().find(|id| id.acceptance() > self.accepted) {
                return Err(r.invalid(format!("order {} cannot rest here; take another copy", id.raw())));
            }
            for _ in 0..r.len()? {
                let (price, number) = (Price::new(r.i64()?), r.u64()?);
                if !m.config.has(price) {
                    return Err(r.invalid("a trade price is outside its domain; take another copy"));
                }
                m.prints.push((price, number));
                self.has_prints = true;
            }
            for _ in 0..r.len()? {
                let key = (AccountId::new(r.u32()?), r.u16()?);
                let ids = [r.order()?, r.order()?];
                let strange = |id: &OrderId| m.book.owner(*id).is_some_and(|owner| owner != key.0);
                if ids.iter().any(strange) {
                    return Err(r.invalid("a quote has an order of another account; take another copy"));
                }
                m.quotes.insert(key, ids);
            }
            let open = if m.config.cleared { m.book.open_lots(accounts) } else { Vec::new() };
            for (account, p) in self.ledger.market_positions(market) {
                let idle = p.base.is_zero() && p.open_buys.is_zero() && p.open_sells.is_zero();
                if !idle && self.prices.mark(market).is_none() {
                    return Err(r.invalid(format!(
                        "market {market} has positions or orders and no mark; take another copy"
                    )));
                }
                if open.get(account.index()).copied().unwrap_or_default() != [p.open_buys, p.open_sells] {
                    return Err(r.invalid(format!(
                        "open quantities of account {account} are not those of its orders"
                    )));
                }
            }
            if m.config.margin.multipliers || config::multiplies(&self.config.breakers, market) {
                decode_multiplier(&mut self.rules, market, &m.config, r)?;
            }
            m.mark = MarkState::decode(&m.config.mark, r)?;
            m.sources = Sources::decode(&m.config, r)?;
            m.admit();
            if let Some(config) = m.config.funding {
                let funding = FundingState::decode(config, &m.config.tiers, r)?;
                let under_way = funding.settlement();
                if under_way.is_some_and(|s| s.next.index() >= accounts || !m.config.has(s.price)) {
                    return Err(r.invalid("a funding settlement is not one of this venue; take another copy"));
                }
                m.funding = Some(funding);
            }
            m.breakers.enter(m.phase);
            m.breakers.decode(r)?;
            // A cooling-off looks at orders.
            m.admit();
            let now = self.now;
            let facts = (accounts, self.ledger.open_interest(market), self.prices.mark(market).is_some());
            decode_rules(m, facts, r)?;
            m.decode_call(r)?;
            m.history = AdlHistory::decode(&m.config.adl, accounts, now, r)?;
            for ranking in &mut m.ranking {
                *ranking = decode_ranking(accounts, r)?;
            }
        }
        self.pools.decode(r)?;
        self.decode_limits(r)?;
        self.decode_own_rates(r)
    }

    /// Limits of a period, deadlines of calls, modes of margin, and the withdrawal gate.
    fn decode_limits(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        let accounts = self.ledger.accounts();
        if let Some(rules) = &self.config.block_limits {
            let knows = |account: AccountId, market| account.index() < accounts && self.knows_market(market);
            self.blocks = Blocks::decode(rules, knows, r)?;
        }
        if self.config.margin_call_grace_ns.is_positive() {
            let is_called = |account: AccountId| account.index() < accounts && self.is_called(account);
            self.calls = Calls::decode(self.now, is_called, r)?;
        }
        if !self.config.portfolios.is_empty() {
            for account in (0..accounts).map(AccountId::from_index) {
                self.ledger.tag_mut(account).portfolio = r.bool()?;
            }
        }
        if self.config.withdrawal_gate.is_some() {
            self.gated = Nanos::new(r.i64()?);
        }
        Ok(())
    }

    fn decode_own_rates(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for market in self.leveraged().collect::<Vec<_>>() {
            for _ in 0..r.len()? {
                let (account, rate) = (AccountId::new(r.u32()?), Ppm::new(r.i64()?));
                if !self.ledger.knows(account) || !rate.is_positive() || rate > Ppm::ONE {
                    return Err(r.invalid(format!("account {account} has no such rate; take another copy")));
                }
                self.ledger.set_own_rate(account, market, rate);
            }
        }
        Ok(())
    }

    /// Builds what follows from ledger and prices, the guards above all: it is not part of the state.
    pub(crate) fn arm_all(&mut self) {
        self.market_ids().for_each(|market| self.require(market));
        for account in (0..self.ledger.accounts()).map(AccountId::from_index) {
            self.arm(account, Cause::Price);
        }
    }
}

/// What only some rules of a market keep. The facts: how many accounts there are, its open interest, whether it has a mark.
fn decode_rules(m: &mut Market, facts: (usize, Qty, bool), r: &mut Reader<'_>) -> Result<(), CodecError> {
    let (accounts, open, has_mark) = facts;
    if let Some(rule) = &m.config.settlement {
        m.settlement = SettlementState::decode(rule, accounts, m.config.prices(), r)?;
        let stands = match m.settlement.progress {
            Progress::None => true,
            Progress::Planned { .. } => has_mark,
            Progress::UnderWay { .. } => has_mark && m.phase == Phase::Settlement,
            Progress::Done => m.phase == Phase::Closed && open.is_zero(),
        };
        if !stands {
            return Err(
                r.invalid(format!("market {} cannot be settled so; take another copy", m.config.name))
            );
        }
    }
    if m.config.liquidation.assignment.is_some() {
        m.volunteers = Volunteers::decode(accounts, m.config.position_max, r)?;
    }
    Ok(())
}

impl Market {
    /// What an auction knows beside the book, where its rule asks for it.
    fn encode_call(&self, w: &mut Writer) {
        if self.config.auction.keeps_touch() {
            w.option(self.touch.map(|(bid, _)| bid.get()));
            w.option(self.touch.map(|(_, ask)| ask.get()));
        }
        if self.config.auction.indicative != Indicative::Never {
            w.bool(self.published.is_some());
            self.published.unwrap_or(Found::Nothing).encode(w);
        }
    }

    fn decode_call(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        if self.config.auction.keeps_touch() {
            let touch = (r.option()?.map(Price::new), r.option()?.map(Price::new));
            let within = |price: &Price| self.config.has(*price);
            self.touch = touch.0.filter(within).zip(touch.1.filter(within));
            if touch.0.is_some() != self.touch.is_some() || touch.1.is_some() != self.touch.is_some() {
                return Err(r.invalid("a touch is outside its domain; take another copy"));
            }
        }
        if self.config.auction.indicative != Indicative::Never {
            let is_some = r.bool()?;
            let found = Found::decode(r)?;
            self.published = is_some.then_some(found);
        }
        Ok(())
    }
}

/// What a market's margin rates are multiplied by, where that may be.
fn decode_multiplier(
    rules: &mut Rules,
    market: MarketId,
    config: &config::Market,
    r: &mut Reader<'_>,
) -> Result<(), CodecError> {
    let (initial, maintenance) = (Ppm::new(r.i64()?), Ppm::new(r.i64()?));
    let leverage = if config.margin.multipliers { 0 } else { r.u16()? };
    let by = Multiplier { initial, maintenance, leverage_max: (leverage > 0).then_some(leverage) };
    if rules.multiply(market, config, by) {
        return Ok(());
    }
    Err(r.invalid("margin rates are multiplied out of range; take another copy"))
}

fn decode_ranking(accounts: usize, r: &mut Reader<'_>) -> Result<Option<Vec<AccountId>>, CodecError> {
    let some = r.bool()?;
    let mut ranked = Vec::new();
    for _ in 0..r.len()? {
        let account = AccountId::new(r.u32()?);
        if account.index() >= accounts {
            return Err(r.invalid(format!("account {account} is ranked and unknown; take another copy")));
        }
        ranked.push(account);
    }
    Ok(some.then_some(ranked))
}
