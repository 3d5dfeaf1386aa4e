//! The names that clients give to their open orders.

use super::at;
use crate::config::ClientIds;
use crate::units::AccountId;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A name that no client may give.
const NO_NAME: u64 = 0;

/// No slot.
const NOWHERE: u32 = u32::MAX;

/// Which slot an open order with a client's name stands in. Whose slot it is and whether the order is there already is
/// for the book to say.
#[derive(Debug, Clone)]
pub(super) enum Names {
    /// Names are not read.
    None,
    /// A table with one row per name, [`NOWHERE`] for those that no open order has; `of` tells which name the last order of
    /// a slot had.
    Dense { max: u32, slots: Vec<u32>, of: Vec<u32> },
    /// A hash table of slots by account and name.
    Hashed { slots: HashTable<u32>, of: Vec<(u64, AccountId)> },
}

/// A fixed seed: the same names take the same places in every run.
fn hash(account: AccountId, name: u64) -> u64 {
    FixedState::with_seed(0).hash_one((name, account.get()))
}

impl Names {
    pub(super) fn new(config: ClientIds) -> Self {
        match config {
            ClientIds::None => Self::None,
            ClientIds::Hashed => Self::Hashed { slots: HashTable::new(), of: Vec::new() },
            ClientIds::Dense { max } => Self::Dense { max, slots: Vec::new(), of: Vec::new() },
        }
    }

    #[inline(always)]
    pub(super) fn are_kept(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// True if an order may have this name, or none.
    #[inline(always)]
    pub(super) fn admit(&self, name: u64) -> bool {
        // Here and below the table is asked for first and in line, the rest in a call.
        if let Self::Dense { max, .. } = self { name <= u64::from(*max) } else { true }
    }

    /// The slot of the open order with this name; none, or [`NOWHERE`], which is beyond all slots.
    #[inline(always)]
    pub(super) fn find(&self, account: AccountId, name: u64) -> Option<u32> {
        let Self::Dense { slots, .. } = self else { return self.find_hashed(account, name) };
        // No order stands in the row of no name.
        slots.get(usize::try_from(name).ok()?).copied()
    }

    #[inline(never)]
    fn find_hashed(&self, account: AccountId, name: u64) -> Option<u32> {
        match self {
            Self::Hashed { slots, of } if name != NO_NAME => {
                slots.find(hash(account, name), |&slot| of[at(slot)] == (name, account)).copied()
            }
            _ => None,
        }
    }

    /// The name of the order in a slot; 0 for none.
    pub(super) fn of(&self, slot: u32) -> u64 {
        match self {
            Self::None => NO_NAME,
            Self::Dense { of, .. } => of.get(at(slot)).map_or(NO_NAME, |name| u64::from(*name)),
            Self::Hashed { of, .. } => of.get(at(slot)).map_or(NO_NAME, |entry| entry.0),
        }
    }

    /// The order of a slot has this name, or none, from now on.
    #[inline(always)]
    pub(super) fn give(&mut self, slot: u32, account: AccountId, name: u64) {
        let Self::Dense { slots, of, .. } = self else { return self.give_hashed(slot, account, name) };
        let name = u32::try_from(name).expect("admitted names are small");
        put(of, at(slot), name, 0);
        if name != 0 {
            put(slots, at(name), slot, NOWHERE);
        }
    }

    #[inline(never)]
    fn give_hashed(&mut self, slot: u32, account: AccountId, name: u64) {
        let Self::Hashed { slots, of } = self else { return };
        if name != NO_NAME {
            put(of, at(slot), (name, account), (NO_NAME, account));
            slots.insert_unique(hash(account, name), slot, |&s| hash(of[at(s)].1, of[at(s)].0));
        }
    }

    /// The order of a slot is no more. Its name, if it is at hand: a table by name is spared a look at the slot.
    #[inline(always)]
    pub(super) fn forget(&mut self, slot: u32, name: Option<u64>) {
        let Self::Dense { slots, of, .. } = self else { return self.forget_hashed(slot) };
        let name = name.unwrap_or_else(|| of.get(at(slot)).copied().map_or(NO_NAME, u64::from));
        if let Some(row) = usize::try_from(name).ok().and_then(|name| slots.get_mut(name)) {
            *row = NOWHERE;
        }
    }

    #[inline(never)]
    fn forget_hashed(&mut self, slot: u32) {
        let Self::Hashed { slots, of } = self else { return };
        let Some(&(name, account)) = of.get(at(slot)).filter(|entry| entry.0 != NO_NAME) else { return };
        if let Ok(entry) = slots.find_entry(hash(account, name), |&s| s == slot) {
            entry.remove();
        }
        of[at(slot)].0 = NO_NAME;
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Dense { slots, of, .. } => (slots.capacity() + of.capacity()) * size_of::<u32>(),
            Self::Hashed { slots, of } => slots.allocation_size() + of.len() * size_of::<(u64, AccountId)>(),
        }
    }
}

/// Rows that are made at once.
const ROWS: usize = 1024;

/// Writes a row, making room for it.
#[inline(always)]
fn put<T: Clone>(rows: &mut Vec<T>, row: usize, value: T, empty: T) {
    match rows.get_mut(row) {
        Some(place) => *place = value,
        None => put_beyond(rows, row, value, empty),
    }
}

#[inline(never)]
fn put_beyond<T: Clone>(rows: &mut Vec<T>, row: usize, value: T, empty: T) {
    rows.resize(row + ROWS, empty);
    rows[row] = value;
}
