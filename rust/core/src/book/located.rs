//! An order that was found in the book, and what can be told of it without looking again.

use super::NO_SLOT;
use super::node::Node;
use crate::units::{AccountId, OrderId, Qty, Side};

/// An open order where it was found; as long as the book stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(super) slot: u32,
    pub(super) node: Node,
}

impl Located {
    /// True for an order that rests and has nothing rare.
    #[inline(always)]
    pub(crate) fn is_ordinary(&self) -> bool {
        self.node.is_resting() && !self.node.has_extra()
    }

    /// True if nobody else stands in its queue.
    #[inline(always)]
    pub(crate) fn is_alone(&self) -> bool {
        self.node.next() == NO_SLOT && self.node.prev() == NO_SLOT
    }

    /// Its side.
    #[inline(always)]
    pub(crate) fn side(&self) -> Side {
        self.node.side()
    }

    /// Its id.
    #[inline(always)]
    pub(crate) fn id(&self) -> OrderId {
        self.node.id(self.slot)
    }

    /// Its owner.
    #[inline(always)]
    pub(crate) fn account(&self) -> AccountId {
        self.node.account()
    }

    /// What it shows, or what of it stands in the queue.
    #[inline(always)]
    pub(crate) fn shown(&self) -> Qty {
        self.node.qty()
    }

    /// The flags with which it was placed, without those that change nothing once it rests.
    #[inline(always)]
    pub(crate) fn flags(&self) -> u16 {
        self.node.flags()
    }
}
