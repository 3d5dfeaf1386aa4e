//! What an order does when it is about to meet one of its own party.

/// What happens when an order is about to meet one of its own party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SelfTrade {
    /// They trade.
    #[default]
    Allowed,
    /// What is left of the incoming order is cancelled.
    CancelNewest,
    /// The resting order is cancelled.
    CancelOldest,
    /// Both.
    CancelBoth,
    /// Both lose the smaller quantity.
    Decrement,
}

impl SelfTrade {
    /// The mode of a number from 0 to 4.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Allowed),
            1 => Some(Self::CancelNewest),
            2 => Some(Self::CancelOldest),
            3 => Some(Self::CancelBoth),
            4 => Some(Self::Decrement),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Allowed => 0,
            Self::CancelNewest => 1,
            Self::CancelOldest => 2,
            Self::CancelBoth => 3,
            Self::Decrement => 4,
        }
    }
}
