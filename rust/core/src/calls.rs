//! Open margin calls that have a deadline.
//!
//! Knows nothing of margin: who is called, and who has cured it, the venue says. Invariant: an account has at most one
//! deadline, and each is in both maps.

use crate::codec::{CodecError, Reader, Writer};
use crate::units::{AccountId, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// Deadlines of open margin calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    by_account: BTreeMap<AccountId, Nanos>,
    by_time: BTreeSet<(Nanos, AccountId)>,
}

impl Calls {
    /// An account is called and has until `due`; an older deadline of it no longer counts.
    pub(crate) fn open(&mut self, account: AccountId, due: Nanos) {
        self.close(account);
        self.by_account.insert(account, due);
        self.by_time.insert((due, account));
    }

    /// A call is cured, or has led to liquidation.
    pub(crate) fn close(&mut self, account: AccountId) {
        if let Some(due) = self.by_account.remove(&account) {
            self.by_time.remove(&(due, account));
        }
    }

    /// Until when an account has to cure its call; none without a deadline.
    pub(crate) fn due(&self, account: AccountId) -> Option<Nanos> {
        self.by_account.get(&account).copied()
    }

    /// The earliest deadline.
    pub(crate) fn first(&self) -> Option<Nanos> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Who has to have cured its call at a time that no deadline comes before, by number.
    pub(crate) fn at(&self, due: Nanos) -> Vec<AccountId> {
        self.by_time.iter().take_while(|(at, _)| *at == due).map(|(_, account)| *account).collect()
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.len(self.by_account.len());
        for (account, due) in &self.by_account {
            w.u32(account.get());
            w.i64(due.get());
        }
    }

    /// Deadlines of accounts that are called, each after `now`.
    pub(crate) fn decode(
        now: Nanos,
        is_called: impl Fn(AccountId) -> bool,
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let mut calls = Self::default();
        for _ in 0..r.len()? {
            let (account, due) = (AccountId::new(r.u32()?), Nanos::new(r.i64()?));
            if !is_called(account) || due <= now {
                return Err(r.invalid(format!(
                    "account {account} has a deadline at {due} and no call that waits for it; take another copy"
                )));
            }
            calls.open(account, due);
        }
        Ok(calls)
    }
}
