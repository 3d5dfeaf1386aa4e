//! What a liquidated account still owes when it is flat, and who carries it.

use super::claims::{Claims, Creditor};
use super::fund::{fund_budget, pay_fund};
use super::{Ended, leave};
use crate::config::{GateTrigger, LastResort, RateRounding};
use crate::floor::Floor;
use crate::insurance::{self, Debt, Resolved};
use crate::ledger::Place;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, MarketId, Money, Ppm, Qty, VALUATION, largest_remainder};

/// The debt of a flat account, and who carries it.
pub(super) struct Settlement<'a> {
    pub(super) floor: &'a mut Floor,
    pub(super) claims: &'a mut Claims,
    pub(super) events: &'a mut Events,
    pub(super) account: AccountId,
    /// The market whose fund and positions stand in.
    pub(super) market: MarketId,
}

impl Settlement<'_> {
    /// A flat account pays what it owes: other assets, then the fund, then the last resort. False if the fund may pay
    /// more in a later round: the account keeps the rest of its debt.
    pub(super) fn run(mut self) -> bool {
        sell_collateral(self.floor, self.account, self.events);
        let owed = self.owes();
        let mut how = Ended::Closed;
        if owed.is_positive() {
            how = Ended::Bankrupt;
            let resolved = self.resolve(owed);
            self.fund_pays(resolved.fund_paid);
            if self.owes().is_positive() && resolved.socialised.is_zero() {
                return false;
            }
            if self.owes().is_positive() {
                self.share_loss();
            }
            self.leave_bad_debt();
        }
        leave(self.floor, self.account, how, self.events);
        true
    }

    fn owes(&self) -> Money {
        (-self.floor.ledger.balance(self.account, VALUATION)).max(Money::ZERO)
    }

    fn resolve(&mut self, owed: Money) -> Resolved {
        let fund = self.floor.market(self.market).config.fund;
        let limit = self.floor.config.funds[fund.index()].paid_max.unwrap_or(Money::MAX);
        let limit = limit.min(self.floor.fund_room(self.account));
        insurance::negative_pnl(&Debt {
            // The account is flat and its other assets are sold: the debt is all that it has.
            settle_balance: Money::ZERO,
            perp_pnl: -owed,
            other_health: Money::ZERO,
            settle_price: Ppm::ONE,
            fund_price: Ppm::ONE,
            asset_weight: Ppm::ONE,
            liability_weight: Ppm::ONE,
            fund: fund_budget(self.floor, self.market),
            settle_limit: Money::MAX,
            takeover_limit: limit,
        })
    }

    /// Somebody's part of the debt is a claim, as far as the debt goes.
    fn claim(&mut self, creditor: Creditor, amount: Money, owed: Money) {
        let claim = amount.min(owed);
        if self.floor.config.claims && claim.is_positive() {
            self.claims.make(self.account, creditor, claim);
        }
    }

    fn fund_pays(&mut self, amount: Money) {
        let fund = self.floor.market(self.market).config.fund;
        self.claim(Creditor::Fund(fund), amount, amount);
        pay_fund(self.floor, self.account, self.market, -amount, self.events);
    }

    /// Somebody pays a part of the debt, or more than what is left of it.
    fn pay(&mut self, creditor: Creditor, amount: Money) {
        if !amount.is_positive() {
            return;
        }
        let owed = self.owes();
        self.claim(creditor, amount, owed);
        let to = Place::User(self.account, VALUATION);
        self.floor.ledger.transfer(creditor.place(), to, amount);
        let (kind, account, market) = match creditor {
            Creditor::Account(payer) => {
                self.floor.touch(payer);
                (event::SOCIALISED, payer, self.market)
            }
            Creditor::Shortfall => (event::BAD_DEBT, self.account, MarketId::NONE),
            Creditor::Fees | Creditor::Fund(_) => (event::FEES_PAID, self.account, self.market),
        };
        self.events.push(Record { account: account.get(), amount: amount.get(), ..event_of(kind, market) });
    }

    fn leave_bad_debt(&mut self) {
        let rest = self.owes();
        self.pay(Creditor::Shortfall, rest);
        if rest.is_positive() {
            self.floor.alarm(self.account, GateTrigger::UncoveredLoss, self.events);
            self.floor.give_notice(self.market, self.events);
        }
    }

    /// The last resort, as configured.
    fn share_loss(&mut self) {
        match self.floor.config.last_resort {
            LastResort::Remainder | LastResort::WithdrawalFactor => {}
            LastResort::Socialise => self.charge_winners(),
            LastResort::SocialiseEquity => self.charge_everyone(),
            LastResort::TwoSided { rate_step, rounding, fee_pool } => {
                let pool = if fee_pool { self.floor.ledger.at(Place::Fees) } else { Money::ZERO };
                self.charge_all(pool, rate_step, rounding);
            }
        }
    }

    /// Every position of the market carries a loss by lots, on both sides; the fees earned may pay first.
    fn charge_all(&mut self, pool: Money, step: Money, rounding: RateRounding) {
        let held = self.floor.ledger.market_positions(self.market).filter(|(_, p)| !p.base.is_zero());
        let (payers, lots): (Vec<AccountId>, Vec<Qty>) = held.map(|(a, p)| (a, p.base.abs())).unzip();
        let spread = insurance::two_sided_loss(self.owes(), pool, &lots, step, rounding);
        self.pay(Creditor::Fees, spread.from_pool);
        for (payer, charge) in payers.into_iter().zip(spread.charges) {
            self.pay(Creditor::Account(payer), charge);
        }
        // What rounding up collected beyond the loss.
        let beyond = self.floor.ledger.balance(self.account, VALUATION).max(Money::ZERO);
        pay_fund(self.floor, self.account, self.market, beyond, self.events);
    }

    /// Winners of the market carry a loss in proportion to their profit, at most that profit and their equity.
    fn charge_winners(&mut self) {
        let floor = &self.floor;
        let Some(mark) = floor.prices.mark(self.market) else { return };
        let contract = floor.contract(self.market);
        let mut winners: Vec<AccountId> = Vec::new();
        let (mut weights, mut caps) = (Vec::new(), Vec::new());
        for (other, p) in floor.ledger.market_positions(self.market) {
            if other == self.account || p.base.is_zero() || floor.is_liquidated(other) {
                continue;
            }
            let (profit, equity) = (p.profit(mark, contract), floor.equity(other));
            if profit.is_positive() && equity.is_positive() {
                winners.push(other);
                weights.push(profit.get());
                caps.push(profit.min(equity.saturate()).get());
            }
        }
        self.charge(&winners, &weights, &caps);
    }

    /// Every account carries a loss in proportion to its equity, at most that.
    fn charge_everyone(&mut self) {
        let floor = &self.floor;
        let others = (0..floor.ledger.accounts()).map(AccountId::from_index);
        let others = others.filter(|&a| a != self.account && !floor.is_liquidated(a));
        let (payers, equities): (Vec<AccountId>, Vec<i64>) =
            others.map(|a| (a, floor.equity(a).saturate().get())).filter(|(_, equity)| *equity > 0).unzip();
        self.charge(&payers, &equities, &equities);
    }

    /// Shares the debt out, by largest remainder.
    fn charge(&mut self, payers: &[AccountId], weights: &[i64], caps: &[i64]) {
        let shares = largest_remainder(self.owes().get(), weights, caps);
        for (&payer, charge) in payers.iter().zip(shares) {
            self.pay(Creditor::Account(payer), Money::new(charge));
        }
    }
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
