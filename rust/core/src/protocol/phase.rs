//! Phases of a market: one table of what each admits, and what follows when their time is over.

use serde::{Deserialize, Serialize};

/// What a market does at the moment. The table of what each phase admits is [`Phase::admits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Orders are collected before trading.
    PreOpen,
    /// Ordinary trading.
    Continuous,
    /// A limit state: the touch stands at a band.
    LimitState,
    /// A quote stands beyond a band without a limit state.
    Straddle,
    /// Orders that add liquidity or make positions smaller.
    Guarded,
    /// Trading inside a fixed band for a while.
    CoolingOff,
    /// Orders are collected for one price.
    CallAuction,
    /// A short interruption.
    Pause,
    /// Only orders that make positions smaller.
    ReduceOnly,
    /// Only orders that make positions smaller at once, before the market closes.
    CloseOnly,
    /// Trading is interrupted.
    Halted,
    /// The market is closed.
    Closed,
    /// The market is being settled.
    Settlement,
}

/// Which orders a phase admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Every type.
    All,
    /// Limit orders that rest, without matching.
    Resting,
    /// Post-only orders that rest, and what [`Placing::Reducing`] takes.
    Providing,
    /// Orders that make a position smaller.
    Reducing,
    /// Orders that make a position smaller and do not rest.
    Closing,
    /// None.
    None,
}

/// Which replaces a phase admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacing {
    /// Every change.
    All,
    /// A smaller quantity at the same price.
    Decrease,
    /// None.
    None,
}

/// One row of the phase table. Cancels are admitted in every phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a row of a yes-no table")]
pub struct Admission {
    /// New orders.
    pub place: Placing,
    /// Incoming orders meet resting ones.
    pub matches: bool,
    /// Changes of resting orders.
    pub replace: Replacing,
    /// Block trades.
    pub block: bool,
    /// New index prices.
    pub index: bool,
    /// Liquidation orders and take-overs.
    pub liquidation: bool,
    /// Auto-deleveraging.
    pub adl: bool,
}

impl Phase {
    /// Every phase, by number.
    pub const ALL: [Self; 13] = [
        Self::PreOpen,
        Self::Continuous,
        Self::LimitState,
        Self::Straddle,
        Self::Guarded,
        Self::CoolingOff,
        Self::CallAuction,
        Self::Pause,
        Self::ReduceOnly,
        Self::CloseOnly,
        Self::Halted,
        Self::Closed,
        Self::Settlement,
    ];

    /// The phase of a number in a record.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The number in a record.
    #[must_use]
    #[allow(clippy::as_conversions, reason = "a fieldless enum numbered from zero")]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// What this phase admits.
    #[must_use]
    pub const fn admits(self) -> Admission {
        let trading = Admission {
            place: Placing::All,
            matches: true,
            replace: Replacing::All,
            block: true,
            index: true,
            liquidation: true,
            adl: true,
        };
        let still = Admission {
            place: Placing::None,
            matches: false,
            replace: Replacing::None,
            block: false,
            index: true,
            liquidation: false,
            adl: false,
        };
        match self {
            Self::Continuous | Self::Straddle => trading,
            Self::LimitState => Admission { block: false, adl: false, ..trading },
            Self::CoolingOff => Admission { block: false, ..trading },
            Self::Guarded => {
                Admission { place: Placing::Providing, replace: Replacing::Decrease, block: false, ..trading }
            }
            Self::PreOpen => {
                Admission { place: Placing::Resting, replace: Replacing::All, block: true, ..still }
            }
            Self::CallAuction => Admission { place: Placing::Resting, replace: Replacing::All, ..still },
            Self::ReduceOnly => {
                Admission { place: Placing::Reducing, replace: Replacing::Decrease, block: false, ..trading }
            }
            Self::CloseOnly => {
                Admission { place: Placing::Closing, replace: Replacing::Decrease, block: false, ..trading }
            }
            Self::Pause | Self::Halted => still,
            Self::Closed | Self::Settlement => Admission { index: false, ..still },
        }
    }

    /// True if breakers that watch trades are asked.
    #[must_use]
    pub const fn is_trading(self) -> bool {
        matches!(
            self,
            Self::Continuous | Self::LimitState | Self::Straddle | Self::Guarded | Self::CoolingOff
        )
    }

    /// True for a phase that a breaker may lead into.
    #[must_use]
    pub const fn is_interruption(self) -> bool {
        matches!(
            self,
            Self::Guarded
                | Self::CoolingOff
                | Self::CallAuction
                | Self::Pause
                | Self::ReduceOnly
                | Self::CloseOnly
                | Self::Halted
                | Self::Closed
        )
    }

    /// How little a phase lets happen: of two interruptions at once the one with the greater number counts.
    #[must_use]
    pub(crate) const fn severity(self) -> u8 {
        match self {
            Self::PreOpen | Self::Continuous => 0,
            Self::Straddle => 1,
            Self::LimitState => 2,
            Self::CoolingOff => 3,
            Self::Guarded => 4,
            Self::ReduceOnly => 5,
            Self::CloseOnly => 6,
            Self::CallAuction => 7,
            Self::Pause => 8,
            Self::Halted => 9,
            Self::Closed => 10,
            Self::Settlement => 11,
        }
    }

    /// Where a market goes when this phase's time is over; `None` if it does not end by itself.
    #[must_use]
    pub const fn next(self) -> Option<AfterPhase> {
        match self {
            Self::Halted | Self::Pause => Some(AfterPhase::Reopen),
            Self::CloseOnly => Some(AfterPhase::Close),
            Self::Closed | Self::Settlement | Self::Continuous => None,
            _ => Some(AfterPhase::Continue),
        }
    }
}

/// What follows a phase that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPhase {
    /// A reopening auction if the market has one, else trading.
    Reopen,
    /// Trading.
    Continue,
    /// The market closes.
    Close,
}
