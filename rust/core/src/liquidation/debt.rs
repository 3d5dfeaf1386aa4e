//! What a liquidated account still owes when it is flat, and who carries it.

use super::fund::{budget, pay_fund};
use super::{Ended, leave};
use crate::config::LastResort;
use crate::floor::Floor;
use crate::insurance::{self, Debt};
use crate::ledger::Place;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, MarketId, Money, Ppm, Qty, VALUATION, largest_remainder};

/// A flat account pays what it owes: other assets, then the fund, then the last resort. False if the fund may pay
/// more in a later round: the account keeps the rest of its debt.
pub(super) fn settle_debt(
    floor: &mut Floor,
    account: AccountId,
    market: MarketId,
    events: &mut Events,
) -> bool {
    sell_collateral(floor, account, events);
    let owed = owes(floor, account);
    let mut how = Ended::Closed;
    if owed.is_positive() {
        how = Ended::Bankrupt;
        let fund = floor.market(market).config.fund;
        let limit = floor.config.funds[fund.index()].paid_max.unwrap_or(Money::MAX);
        let resolved = insurance::negative_pnl(&Debt {
            // The account is flat and its other assets are sold: the debt is all that it has.
            settle_balance: Money::ZERO,
            perp_pnl: -owed,
            other_health: Money::ZERO,
            settle_price: Ppm::ONE,
            fund_price: Ppm::ONE,
            asset_weight: Ppm::ONE,
            liability_weight: Ppm::ONE,
            fund: budget(floor, market),
            settle_limit: Money::MAX,
            takeover_limit: limit,
        });
        pay_fund(floor, account, market, -resolved.fund_paid, events);
        let left = owes(floor, account);
        if left.is_positive() && resolved.socialised.is_zero() {
            return false;
        }
        if left.is_positive() {
            share_loss(floor, account, market, events);
        }
        let rest = owes(floor, account);
        if rest.is_positive() {
            floor.ledger.transfer(Place::Shortfall, Place::User(account, VALUATION), rest);
            events.push(Record {
                account: account.get(),
                amount: rest.get(),
                ..event_of(event::BAD_DEBT, MarketId::NONE)
            });
        }
    }
    leave(floor, account, how, events);
    true
}

fn owes(floor: &Floor, account: AccountId) -> Money {
    (-floor.ledger.balance(account, VALUATION)).max(Money::ZERO)
}

/// The last resort, as configured.
fn share_loss(floor: &mut Floor, account: AccountId, market: MarketId, events: &mut Events) {
    let loss = owes(floor, account);
    match floor.config.last_resort {
        LastResort::Remainder | LastResort::WithdrawalFactor => {}
        LastResort::Socialise => socialise(floor, account, market, loss, events),
        LastResort::TwoSided { .. } => spread(floor, account, market, loss, events),
    }
}

/// Every position of the market carries a loss by lots, on both sides; the fees earned may pay first.
fn spread(floor: &mut Floor, account: AccountId, market: MarketId, loss: Money, events: &mut Events) {
    let LastResort::TwoSided { rate_step, rounding, fee_pool } = floor.config.last_resort else { return };
    let held = floor.ledger.market_positions(market).filter(|(_, p)| !p.base.is_zero());
    let (payers, lots): (Vec<AccountId>, Vec<Qty>) = held.map(|(a, p)| (a, p.base.abs())).unzip();
    let pool = if fee_pool { floor.ledger.at(Place::Fees) } else { Money::ZERO };
    let Some(spread) = insurance::two_sided_loss(loss, pool, &lots, rate_step, rounding) else { return };
    let to = Place::User(account, VALUATION);
    if spread.from_pool.is_positive() {
        floor.ledger.transfer(Place::Fees, to, spread.from_pool);
        events.push(Record {
            account: account.get(),
            amount: spread.from_pool.get(),
            ..event_of(event::FEES_PAID, market)
        });
    }
    for (payer, charge) in payers.into_iter().zip(spread.charges) {
        if charge.is_positive() {
            charge_one(floor, account, (payer, market), charge, events);
        }
    }
    // What rounding up collected beyond the loss.
    let beyond = floor.ledger.balance(account, VALUATION).max(Money::ZERO);
    pay_fund(floor, account, market, beyond, events);
}

/// One account pays a part of another's debt.
fn charge_one(
    floor: &mut Floor,
    debtor: AccountId,
    payer: (AccountId, MarketId),
    charge: Money,
    events: &mut Events,
) {
    floor.ledger.transfer(Place::User(payer.0, VALUATION), Place::User(debtor, VALUATION), charge);
    floor.touch(payer.0);
    events.push(Record {
        account: payer.0.get(),
        amount: charge.get(),
        ..event_of(event::SOCIALISED, payer.1)
    });
}

/// Other assets of a debtor are sold to the treasury at their collateral value, no more than needed.
fn sell_collateral(floor: &mut Floor, account: AccountId, events: &mut Events) {
    for i in 0..floor.rules.assets().len() {
        let other = floor.rules.assets()[i];
        let asset = other.id;
        let debt = -floor.ledger.balance(account, VALUATION);
        let held = floor.ledger.balance(account, asset);
        if !debt.is_positive() || !held.is_positive() {
            continue;
        }
        let all = other.sale(held, &floor.prices);
        if all.is_zero() {
            continue;
        }
        let sold = if all <= debt {
            held
        } else {
            other.sale_for_up(debt, &floor.prices).map_or(held, |z| z.min(held))
        };
        let value = other.sale(sold, &floor.prices);
        floor.ledger.transfer(Place::User(account, asset), Place::Treasury(asset), sold);
        floor.ledger.transfer(Place::Treasury(VALUATION), Place::User(account, VALUATION), value);
        events.push(Record {
            account: account.get(),
            code: asset.get(),
            qty: sold.get(),
            amount: value.get(),
            ..event_of(event::COLLATERAL_SOLD, MarketId::NONE)
        });
    }
}

/// Winners of the market carry a loss in proportion to their profit, at most that profit and their equity.
fn socialise(floor: &mut Floor, account: AccountId, market: MarketId, loss: Money, events: &mut Events) {
    let Some(mark) = floor.prices.mark(market) else { return };
    let tick = floor.tick(market);
    let mut winners: Vec<AccountId> = Vec::new();
    let (mut weights, mut caps) = (Vec::new(), Vec::new());
    for (other, p) in floor.ledger.market_positions(market) {
        if other == account || p.base.is_zero() || floor.is_liquidated(other) {
            continue;
        }
        let (profit, equity) = (p.profit(mark, tick), floor.equity(other));
        if profit.is_positive() && equity.is_positive() {
            winners.push(other);
            weights.push(profit.get());
            caps.push(profit.min(equity.saturate()).get());
        }
    }
    for (winner, charge) in winners.iter().zip(largest_remainder(loss.get(), &weights, &caps)) {
        if charge > 0 {
            charge_one(floor, account, (*winner, market), Money::new(charge), events);
        }
    }
}
