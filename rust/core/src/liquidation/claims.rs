//! What others have paid for a debtor, and are owed by it.

use super::fund::settle_fund;
use crate::codec::{CodecError, Reader, Writer};
use crate::config::Config;
use crate::floor::Floor;
use crate::ledger::Place;
use crate::protocol::{Events, Record, event, event_of};
use crate::units::{AccountId, FundId, MarketId, Money, VALUATION};
use std::collections::{BTreeMap, VecDeque};

/// Who paid for a debtor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creditor {
    /// Nobody: it is in the shortfall.
    Shortfall,
    /// A fund.
    Fund(FundId),
    /// The fees earned.
    Fees,
    /// Another account.
    Account(AccountId),
}

impl Creditor {
    /// The number of its kind in a record, and its own.
    fn code(self) -> (u16, u32) {
        match self {
            Self::Shortfall => (0, 0),
            Self::Fund(fund) => (1, u32::from(fund.get())),
            Self::Fees => (2, 0),
            Self::Account(account) => (3, account.get()),
        }
    }

    fn from_code(code: (u16, u32)) -> Option<Self> {
        match code {
            (0, 0) => Some(Self::Shortfall),
            (1, fund) => u16::try_from(fund).ok().map(|fund| Self::Fund(FundId::new(fund))),
            (2, 0) => Some(Self::Fees),
            (3, account) => Some(Self::Account(AccountId::new(account))),
            _ => None,
        }
    }

    /// Where its money is.
    pub(super) fn place(self) -> Place {
        match self {
            Self::Shortfall => Place::Shortfall,
            Self::Fund(fund) => Place::Fund(fund),
            Self::Fees => Place::Fees,
            Self::Account(account) => Place::User(account, VALUATION),
        }
    }
}

/// Claims against debtors, each debtor's in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    against: BTreeMap<AccountId, VecDeque<(Creditor, Money)>>,
}

impl Claims {
    /// Somebody paid for a debtor.
    pub(super) fn make(&mut self, debtor: AccountId, creditor: Creditor, amount: Money) {
        self.against.entry(debtor).or_default().push_back((creditor, amount));
    }

    /// A debtor has paid money in: its claims are paid out of it, the oldest first.
    pub(crate) fn pay(
        &mut self,
        floor: &mut Floor,
        debtor: AccountId,
        deposited: Money,
        events: &mut Events,
    ) {
        let Some(claims) = self.against.get_mut(&debtor) else { return };
        let mut left = deposited;
        while let Some((creditor, claim)) = claims.front_mut().filter(|_| left.is_positive()) {
            // A shortfall may have been made up for by others; the claim is void then.
            let open = match creditor {
                Creditor::Shortfall => (*claim).min(-floor.ledger.at(Place::Shortfall)),
                Creditor::Fund(_) | Creditor::Fees | Creditor::Account(_) => *claim,
            };
            let (paid, creditor) = (open.min(left), *creditor);
            left -= paid;
            if paid == open {
                claims.pop_front();
            } else {
                *claim = open - paid;
            }
            if paid.is_positive() {
                repay(floor, (debtor, creditor), paid, events);
            }
        }
        if claims.is_empty() {
            self.against.remove(&debtor);
        }
    }

    pub(crate) fn encode(&self, config: &Config, w: &mut Writer) {
        if !config.claims {
            return;
        }
        w.len(self.against.len());
        for (debtor, claims) in &self.against {
            w.u32(debtor.get());
            w.len(claims.len());
            for (creditor, amount) in claims {
                let (kind, number) = creditor.code();
                w.u16(kind);
                w.u32(number);
                w.i64(amount.get());
            }
        }
    }

    pub(crate) fn decode(floor: &Floor, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut claims = Self::default();
        if !floor.config.claims {
            return Ok(claims);
        }
        for _ in 0..r.len()? {
            let debtor = AccountId::new(r.u32()?);
            for _ in 0..r.len()? {
                let creditor = Creditor::from_code((r.u16()?, r.u32()?));
                let amount = Money::new(r.i64()?);
                let known = creditor.is_some_and(|creditor| match creditor {
                    Creditor::Shortfall | Creditor::Fees => true,
                    Creditor::Fund(fund) => fund.index() < floor.config.funds.len(),
                    Creditor::Account(account) => floor.ledger.knows(account),
                });
                let Some(creditor) =
                    creditor.filter(|_| known && floor.ledger.knows(debtor) && amount.is_positive())
                else {
                    return Err(r.invalid("a claim is not one of this venue; take another copy"));
                };
                claims.make(debtor, creditor, amount);
            }
        }
        Ok(claims)
    }
}

/// Moves a part of a debtor's deposit to a creditor.
fn repay(floor: &mut Floor, of: (AccountId, Creditor), amount: Money, events: &mut Events) {
    let (debtor, creditor) = of;
    floor.ledger.transfer(Place::User(debtor, VALUATION), creditor.place(), amount);
    let (kind, number) = creditor.code();
    events.push(Record {
        account: debtor.get(),
        code: kind,
        order: u64::from(number),
        amount: amount.get(),
        ..event_of(event::CLAIM_PAID, MarketId::NONE)
    });
    match creditor {
        Creditor::Fund(fund) => settle_fund(floor, fund, events),
        Creditor::Account(account) => floor.touch(account),
        Creditor::Shortfall | Creditor::Fees => {}
    }
}
