//! One slot of the slab: 24 bytes that hold all that matching and cancelling read of an order, so that a deep book
//! stays in the second-level cache.

use super::at;
use crate::protocol::{HIDDEN, POST_ONLY, REDUCE_ONLY, SELF_TRADE};
use crate::units::{AccountId, OrderId, Qty, Side};

/// Bits of a slot number and of a ladder key.
const SLOT_BITS: u32 = OrderId::SLOT_BITS;
const LOW: u64 = (1 << SLOT_BITS) - 1;
/// The stamp of a slot that is free or reserved: no acceptance number reaches it.
const NO_STAMP: u64 = (1 << 40) - 1;
/// Order flags that stand in a node at their own places.
const KEPT: u16 = POST_ONLY | REDUCE_ONLY | HIDDEN | SELF_TRADE;
/// Further bits of the tag, where order flags have bits that a node does not keep.
const EXTRA: u64 = 4;
const SELL: u64 = 16;

const _: () = assert!(HIDDEN == 8);

/// A slot: an order that rests, one that waits (shown quantity 0), or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Shown quantity, 40 bits; then the order behind it in its queue, or the next free slot.
    qty_next: u64,
    /// Acceptance number, 40 bits; then the order before it in its queue.
    stamp_prev: u64,
    /// Account, 32 bits; key in the ladder, 24 bits; flags, side, whether there is an extra.
    account_key_tag: u64,
}

const _: () = assert!(size_of::<Node>() == 24);

/// The lowest 32 bits.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the higher bits are dropped on purpose"
)]
const fn low(bits: u64) -> u32 {
    bits as u32
}

impl Node {
    pub(super) const EMPTY: Self =
        Self { qty_next: LOW, stamp_prev: (NO_STAMP << SLOT_BITS) | LOW, account_key_tag: 0 };

    /// A node without neighbours.
    pub(super) fn new(id: OrderId, owner: (AccountId, Side), qty: Qty, key: u32, flags: u16) -> Self {
        let tag = u64::from(flags & KEPT) | (u64::from(owner.1.code()) << 4);
        Self {
            qty_next: (bits(qty) << SLOT_BITS) | LOW,
            stamp_prev: (id.acceptance() << SLOT_BITS) | LOW,
            account_key_tag: (u64::from(owner.0.get()) << 32) | (u64::from(key) << 8) | tag,
        }
    }

    /// The node of an order at the end of a queue.
    pub(super) fn last(
        number: u64,
        prev: u32,
        owner: (AccountId, Side),
        (qty, flags): (Qty, u16),
        key: u32,
    ) -> Self {
        let tag = u64::from(flags & KEPT) | (u64::from(owner.1.code()) << 4);
        Self {
            qty_next: (bits(qty) << SLOT_BITS) | LOW,
            stamp_prev: (number << SLOT_BITS) | u64::from(prev),
            account_key_tag: (u64::from(owner.0.get()) << 32) | (u64::from(key) << 8) | tag,
        }
    }

    pub(super) fn qty(&self) -> Qty {
        Qty::new((self.qty_next >> SLOT_BITS).cast_signed())
    }

    pub(super) fn set_qty(&mut self, qty: Qty) {
        self.qty_next = (bits(qty) << SLOT_BITS) | (self.qty_next & LOW);
    }

    pub(super) fn next(&self) -> u32 {
        low(self.qty_next & LOW)
    }

    /// The order behind it is another one; the old one is given because it is at hand.
    pub(super) fn set_next(&mut self, old: u32, new: u32) {
        debug_assert_eq!(self.next(), old);
        self.qty_next ^= u64::from(old ^ new);
    }

    pub(super) fn prev(&self) -> u32 {
        low(self.stamp_prev & LOW)
    }

    /// The order before it is another one.
    pub(super) fn set_prev(&mut self, old: u32, new: u32) {
        debug_assert_eq!(self.prev(), old);
        self.stamp_prev ^= u64::from(old ^ new);
    }

    /// The same at the end of a queue.
    pub(super) fn behind(self, prev: u32) -> Self {
        Self {
            qty_next: self.qty_next | LOW,
            stamp_prev: (self.stamp_prev & !LOW) | u64::from(prev),
            account_key_tag: self.account_key_tag,
        }
    }

    pub(super) fn id(&self, slot: u32) -> OrderId {
        OrderId::new(self.stamp_prev >> SLOT_BITS, slot)
    }

    /// True if this order stands here.
    pub(super) fn holds(&self, id: OrderId) -> bool {
        self.stamp_prev >> SLOT_BITS == id.acceptance()
    }

    /// True if no order stands here.
    pub(super) fn is_vacant(&self) -> bool {
        self.stamp_prev >> SLOT_BITS == NO_STAMP
    }

    /// True if an order of this account stands here.
    pub(super) fn is_of(&self, account: AccountId) -> bool {
        !self.is_vacant() && self.account() == account
    }

    /// True for an order that rests or waits.
    pub(super) fn is_resting(&self) -> bool {
        self.qty_next >> SLOT_BITS != 0
    }

    /// No order stands here from now on; the next free slot, if this one is free too.
    pub(super) fn vacate(&mut self, next: u32) {
        self.stamp_prev = (NO_STAMP << SLOT_BITS) | LOW;
        self.qty_next = u64::from(next);
    }

    pub(super) fn account(&self) -> AccountId {
        AccountId::new(low(self.account_key_tag >> 32))
    }

    pub(super) fn key(&self) -> u32 {
        low((self.account_key_tag >> 8) & LOW)
    }

    pub(super) fn side(&self) -> Side {
        Side::of_bit(self.account_key_tag & SELL != 0)
    }

    /// Flags of the order, without those that the extra keeps.
    pub(super) fn flags(&self) -> u16 {
        u16::try_from(self.account_key_tag & u64::from(KEPT)).expect("eight bits")
    }

    pub(super) fn has_extra(&self) -> bool {
        self.account_key_tag & EXTRA != 0
    }

    pub(super) fn mark_extra(&mut self) {
        self.account_key_tag |= EXTRA;
    }

    /// Which of the four ladders it stands in: the bits of side and hidden.
    pub(super) fn ladder(&self) -> usize {
        at(low((self.account_key_tag & (SELL | u64::from(HIDDEN))) >> 3))
    }

    /// True for an order that may fall away, or of which there is more than it shows.
    pub(super) fn is_odd(&self) -> bool {
        self.account_key_tag & (EXTRA | u64::from(HIDDEN | REDUCE_ONLY)) != 0
    }
}

/// A quantity as bits: the configuration keeps orders below 2^40.
fn bits(qty: Qty) -> u64 {
    debug_assert!(!qty.is_negative() && qty.get() < 1 << 40);
    qty.get().cast_unsigned()
}
