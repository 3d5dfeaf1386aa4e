//! Money between accounts and the funds: payments, the cap, the drawdown trigger.

use crate::blocks::Limit;
use crate::config::Counted;
use crate::floor::Floor;
use crate::insurance::Pools;
use crate::ledger::Place;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, FundId, MarketId, Money, Nanos, Qty, VALUATION};

/// Money from the account to the market's fund, or back if negative.
pub(crate) fn pay_fund(
    floor: &mut Floor,
    account: AccountId,
    market: MarketId,
    amount: Money,
    events: &mut Events,
) {
    if amount.is_zero() {
        return;
    }
    let fund = floor.market(market).config.fund;
    floor.ledger.transfer(Place::User(account, VALUATION), Place::Fund(fund), amount);
    let kind = if amount.is_positive() { event::FUND_RECEIVED } else { event::FUND_PAID };
    events.push(Record {
        account: account.get(),
        code: fund.get(),
        amount: amount.abs().get(),
        ..event_of(kind, market)
    });
    if amount.is_negative() {
        floor.count(market, Counted::FundPaid, -amount.get());
    }
    let limited = floor.limited().filter(|_| amount.is_negative());
    if limited.is_some_and(|(rules, blocks)| blocks.pay(&rules, account, -amount)) {
        Floor::report_limit(market, account, Limit::AccountFundLoss, Qty::ZERO, events);
    }
    floor.pools.note_flow(floor.now, fund, market, amount);
    settle_fund(floor, fund, events);
    watch_drawdown(floor, market, events);
}

/// A fund has another balance: what is above its cap moves to the fees earned.
pub(crate) fn settle_fund(floor: &mut Floor, fund: FundId, events: &mut Events) {
    let cap = floor.config.funds[fund.index()].cap;
    let above = cap.map_or(Money::ZERO, |cap| floor.ledger.at(Place::Fund(fund)) - cap);
    if above.is_positive() {
        floor.ledger.transfer(Place::Fund(fund), Place::Fees, above);
        events.push(Record {
            code: fund.get(),
            amount: above.get(),
            ..event_of(event::FUND_CAPPED, MarketId::NONE)
        });
    }
    floor.pools.note_balance(floor.now, fund, floor.ledger.at(Place::Fund(fund)));
}

/// What the market's fund may pay for an account now: what it may pay, and no more than the period's limit leaves.
pub(crate) fn budget(floor: &mut Floor, account: AccountId, market: MarketId) -> Money {
    fund_budget(floor, market).min(floor.fund_room(account))
}

/// What the market's fund may pay now: its balance, and no more than the drawdown trigger leaves.
pub(crate) fn fund_budget(floor: &mut Floor, market: MarketId) -> Money {
    let fund = floor.market(market).config.fund;
    let balance = floor.ledger.at(Place::Fund(fund));
    drawn_from(&mut floor.pools, floor.now, (fund, market), balance)
}

/// [`budget`] for those who only look.
pub(crate) fn budget_seen(floor: &Floor, account: AccountId, market: MarketId) -> Money {
    let fund = floor.market(market).config.fund;
    let balance = floor.ledger.at(Place::Fund(fund));
    drawn_from(&mut floor.pools.clone(), floor.now, (fund, market), balance).min(floor.fund_room(account))
}

fn drawn_from(pools: &mut Pools, now: Nanos, of: (FundId, MarketId), balance: Money) -> Money {
    let drawn = pools.drawn(now, of, balance);
    drawn.map_or(balance, |(drawn, _, loss)| (drawn.fund_pays - loss).max(Money::ZERO))
}

/// Looks at the market's drawdown as it stands; true if the trigger is on.
pub(crate) fn watch_drawdown(floor: &mut Floor, market: MarketId, events: &mut Events) -> bool {
    let fund = floor.market(market).config.fund;
    let Some((drawn, peak, loss)) = floor.pools.drawn(floor.now, (fund, market), Money::ZERO) else {
        return false;
    };
    if floor.pools.switch(market, drawn.active) {
        events.push(Record {
            code: fund.get(),
            flags: u16::from(drawn.active),
            qty: peak.get(),
            amount: loss.get(),
            ..event_of(event::DRAWDOWN_CHANGED, market)
        });
        floor.count(market, Counted::Drawdowns, i64::from(drawn.active));
    }
    drawn.active
}
