//! Which slots the open orders of an account stand in, written down only when somebody asks.
//!
//! Before the first question nothing is noted. Who asks for an account's orders has all orders that were not looked at
//! entered into the accounts' lists first, each once; from then on an order that comes leaves its slot among the fresh
//! ones. So asking costs no more than the orders that came since, and an order that goes leaves no trace at all. A list
//! may name slots that its account has left: the node of a slot has the last word.

use super::at;
use super::node::Node;
use crate::units::AccountId;
use core::ops::Range;

/// Bits of a word of marks, as a power of two.
const WORD_BITS: u32 = 6;

/// The slots of each account's orders.
#[derive(Debug, Clone, Default)]
pub(super) struct Owners {
    /// A bit for each slot that is fresh. Slots beyond the end were never looked at.
    marks: Vec<u64>,
    /// Slots before the end in which an order came to stand since the lists were written.
    fresh: Vec<u32>,
    /// By account; nothing for accounts that had no order when lists were written.
    lists: Vec<Vec<u32>>,
}

impl Owners {
    /// An order stands in this slot from now on.
    #[inline(always)]
    pub(super) fn note(&mut self, slot: u32) {
        if let Some(word) = self.marks.get_mut(at(slot >> WORD_BITS))
            && *word >> (slot & 63) & 1 == 0
        {
            *word |= 1 << (slot & 63);
            self.freshen(slot);
        }
    }

    #[inline(never)]
    fn freshen(&mut self, slot: u32) {
        self.fresh.push(slot);
    }

    /// Enters the fresh slots into the lists, and drops what is gone from the list of the account that was asked for.
    pub(super) fn write_down(&mut self, nodes: &[Node], asked: AccountId) {
        let beyond = self.beyond(nodes);
        for slot in self.fresh.drain(..).chain(beyond) {
            let node = &nodes[at(slot)];
            if node.is_vacant() {
                continue;
            }
            let index = node.account().index();
            if index >= self.lists.len() {
                self.lists.resize(index + 1, Vec::new());
            }
            let list = &mut self.lists[index];
            // A full list is cleaned, and has as much room as it holds at least before it is cleaned again.
            if list.len() == list.capacity() {
                clean(list, nodes, node.account());
                list.reserve(list.len().max(4));
            }
            list.push(slot);
        }
        self.marks.fill(0);
        self.marks.resize((nodes.len() + 63) >> WORD_BITS, 0);
        if let Some(list) = self.lists.get_mut(asked.index()) {
            clean(list, nodes, asked);
        }
    }

    /// Slots of all of an account's open orders, others among them and some more than once.
    pub(super) fn of(&self, nodes: &[Node], account: AccountId) -> impl Iterator<Item = u32> {
        let list = self.lists.get(account.index()).map(Vec::as_slice).unwrap_or_default();
        list.iter().chain(&self.fresh).copied().chain(self.beyond(nodes))
    }

    /// Slots that were never looked at.
    fn beyond(&self, nodes: &[Node]) -> Range<u32> {
        let number = |slots: usize| u32::try_from(slots).expect("slots are limited");
        number(self.marks.len() << WORD_BITS)..number(nodes.len())
    }

    /// True if this slot is among those of an account.
    pub(super) fn knows(&self, slot: u32, account: AccountId) -> bool {
        let is_fresh = self.marks.get(at(slot >> WORD_BITS)).is_none_or(|word| word >> (slot & 63) & 1 == 1);
        is_fresh || self.lists.get(account.index()).is_some_and(|list| list.contains(&slot))
    }

    /// Asserts that a slot is marked if and only if it is fresh.
    pub(super) fn check(&self) {
        let marked: u32 = self.marks.iter().map(|word| word.count_ones()).sum();
        assert_eq!(at(marked), self.fresh.len(), "a slot is fresh twice or marked for nothing");
        assert!(self.fresh.iter().all(|slot| self.marks[at(slot >> WORD_BITS)] >> (slot & 63) & 1 == 1));
    }

    /// Bytes of the lists.
    pub(super) fn bytes(&self) -> usize {
        let slots = self.fresh.capacity() + self.lists.iter().map(Vec::capacity).sum::<usize>();
        self.marks.capacity() * size_of::<u64>()
            + slots * size_of::<u32>()
            + self.lists.capacity() * size_of::<Vec<u32>>()
    }
}

/// Keeps the slots in which an order of the account stands, each once.
fn clean(list: &mut Vec<u32>, nodes: &[Node], account: AccountId) {
    list.retain(|&slot| nodes[at(slot)].is_of(account));
    list.sort_unstable();
    list.dedup();
}
