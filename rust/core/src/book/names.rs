//! The names that clients give to their open orders.

use super::at;
use crate::config::ClientIds;
use crate::units::AccountId;
use core::hash::BuildHasher;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A name that no client may give.
const NO_NAME: u64 = 0;

/// Which slot an order with a client's name stands in. Whose slot it is and whether an order stands there is for
/// the book to say.
#[derive(Debug, Clone)]
pub(super) enum Names {
    /// Names are not read.
    None,
    /// A table with one row per name; `of` tells which name a slot has now.
    Dense { max: u64, slots: Vec<u32>, of: Vec<u64> },
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
            ClientIds::Dense { max } => {
                Self::Dense { max: u64::from(max), slots: Vec::new(), of: Vec::new() }
            }
        }
    }

    #[inline(always)]
    pub(super) fn are_kept(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// True if an order may have this name, or none.
    pub(super) fn admit(&self, name: u64) -> bool {
        match self {
            Self::None | Self::Hashed { .. } => true,
            Self::Dense { max, .. } => name <= *max,
        }
    }

    /// The slot whose open order has this name.
    pub(super) fn find(&self, account: AccountId, name: u64) -> Option<u32> {
        if name == NO_NAME {
            return None;
        }
        match self {
            Self::None => None,
            Self::Dense { slots, of, .. } => {
                let slot = *slots.get(usize::try_from(name).ok()?)?;
                (of.get(at(slot)) == Some(&name)).then_some(slot)
            }
            Self::Hashed { slots, of } => {
                slots.find(hash(account, name), |&slot| of[at(slot)] == (name, account)).copied()
            }
        }
    }

    /// The name of the order in a slot; 0 for none.
    pub(super) fn of(&self, slot: u32) -> u64 {
        match self {
            Self::None => NO_NAME,
            Self::Dense { of, .. } => of.get(at(slot)).copied().unwrap_or(NO_NAME),
            Self::Hashed { of, .. } => of.get(at(slot)).map_or(NO_NAME, |entry| entry.0),
        }
    }

    /// The order of a slot has this name from now on.
    pub(super) fn give(&mut self, slot: u32, account: AccountId, name: u64) {
        if name == NO_NAME {
            return;
        }
        match self {
            Self::None => {}
            Self::Dense { slots, of, .. } => {
                let row = usize::try_from(name).expect("admitted names are small");
                grow(slots, row, u32::MAX);
                grow(of, at(slot), NO_NAME);
                slots[row] = slot;
                of[at(slot)] = name;
            }
            Self::Hashed { slots, of } => {
                grow(of, at(slot), (NO_NAME, account));
                of[at(slot)] = (name, account);
                slots.insert_unique(hash(account, name), slot, |&s| hash(of[at(s)].1, of[at(s)].0));
            }
        }
    }

    /// The order of a slot is no more.
    pub(super) fn forget(&mut self, slot: u32) {
        match self {
            Self::None => {}
            Self::Dense { of, .. } => {
                if let Some(name) = of.get_mut(at(slot)) {
                    *name = NO_NAME;
                }
            }
            Self::Hashed { slots, of } => {
                let Some(&(name, account)) = of.get(at(slot)).filter(|entry| entry.0 != NO_NAME) else {
                    return;
                };
                if let Ok(entry) = slots.find_entry(hash(account, name), |&s| s == slot) {
                    entry.remove();
                }
                of[at(slot)].0 = NO_NAME;
            }
        }
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Dense { slots, of, .. } => slots.len() * size_of::<u32>() + of.len() * size_of::<u64>(),
            Self::Hashed { slots, of } => slots.allocation_size() + of.len() * size_of::<(u64, AccountId)>(),
        }
    }
}

/// Makes room for a row.
fn grow<T: Clone>(rows: &mut Vec<T>, row: usize, empty: T) {
    if row >= rows.len() {
        rows.resize(row + 1, empty);
    }
}
