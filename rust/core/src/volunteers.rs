//! Volunteers of a market: accounts that are ready to take positions over, and how many lots each still takes.
//!
//! Knows nothing of margin or prices; the waterfall asks who may take what. Invariant: every capacity is positive.

use crate::codec::{CodecError, Reader, Writer};
use crate::units::{AccountId, Qty};
use std::collections::BTreeMap;

/// Who is ready to take positions over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Volunteers {
    /// Place in the order of joining, and lots that the account still takes.
    by: BTreeMap<AccountId, (u64, Qty)>,
    /// The place of the next to join.
    next: u64,
}

impl Volunteers {
    /// Lots that an account still takes; zero if it is no volunteer.
    pub(crate) fn capacity(&self, account: AccountId) -> Qty {
        self.by.get(&account).map_or(Qty::ZERO, |(_, lots)| *lots)
    }

    /// Sets what an account still takes. Who stays keeps its place, who joins is the last, and zero leaves.
    pub(crate) fn set(&mut self, account: AccountId, lots: Qty) {
        debug_assert!(!lots.is_negative(), "a capacity is not negative");
        if lots.is_zero() {
            self.by.remove(&account);
            return;
        }
        let next = &mut self.next;
        let place = self.by.entry(account).or_insert_with(|| {
            *next += 1;
            (*next, Qty::ZERO)
        });
        place.1 = lots;
    }

    /// Every volunteer and its lots, by number.
    pub(crate) fn by_number(&self) -> Vec<(AccountId, Qty)> {
        self.by.iter().map(|(account, (_, lots))| (*account, *lots)).collect()
    }

    /// Every volunteer and its lots, in the order of joining.
    pub(crate) fn by_place(&self) -> Vec<(AccountId, Qty)> {
        let mut all: Vec<_> =
            self.by.iter().map(|(account, (place, lots))| (*place, *account, *lots)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, account, lots)| (account, lots)).collect()
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.len(self.by.len());
        for (account, lots) in self.by_place() {
            w.u32(account.get());
            w.i64(lots.get());
        }
    }

    pub(crate) fn decode(accounts: usize, most: Qty, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut volunteers = Self::default();
        for _ in 0..r.len()? {
            let (account, lots) = (AccountId::new(r.u32()?), Qty::new(r.i64()?));
            let fits = account.index() < accounts && lots.is_positive() && lots <= most;
            if !fits || volunteers.by.contains_key(&account) {
                return Err(r.invalid(format!("account {account} is no such volunteer; take another copy")));
            }
            volunteers.set(account, lots);
        }
        Ok(volunteers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_while_lots_are_left_and_lost_with_the_last() {
        let mut v = Volunteers::default();
        for (account, lots) in [(7, 3), (2, 5), (4, 1), (7, 9), (2, 0), (2, 6)] {
            v.set(AccountId::new(account), Qty::new(lots));
        }
        let plain =
            |list: Vec<(AccountId, Qty)>| list.iter().map(|(a, q)| (a.get(), q.get())).collect::<Vec<_>>();
        assert_eq!(plain(v.by_place()), [(7, 9), (4, 1), (2, 6)]);
        assert_eq!(plain(v.by_number()), [(2, 6), (4, 1), (7, 9)]);
        assert_eq!((v.capacity(AccountId::new(4)), v.capacity(AccountId::new(5))), (Qty::new(1), Qty::ZERO));
    }
}
