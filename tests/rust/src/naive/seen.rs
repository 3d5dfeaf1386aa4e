//! How often each situation was reached, so that a random test can say that it looked where it claims to look.

macro_rules! situations {
    ($($name:ident: $least:expr,)*) => {
        /// A situation worth counting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum Situation { $($name,)* }

        impl Situation {
            /// Every situation, and how often a long random test must reach it.
            pub const ALL: &'static [(Self, u64)] = &[$((Self::$name, $least),)*];
        }
    };
}

situations! {
    PartialFill: 1000,
    FillOrKillRefused: 1000,
    FillOrKillFilled: 1000,
    MinimumRefused: 1000,
    MinimumFilled: 300,
    MarketFilled: 1000,
    Protected: 300,
    Capped: 1000,
    Slid: 1000,
    SlidAgain: 20,
    IcebergRested: 1000,
    IcebergRefreshed: 1000,
    HiddenFilled: 1000,
    HiddenInTheWay: 50,
    ReduceCut: 300,
    ReduceCancelled: 300,
    OwnMet: 300,
    SelfNewest: 1000,
    SelfOldest: 1000,
    SelfBoth: 1000,
    SelfDecrement: 1000,
    DecrementLeftResting: 300,
    DecrementLeftIncoming: 300,
    SelfByGroup: 300,
    SelfByAccountMode: 300,
    StopLast: 100,
    StopMark: 100,
    StopIndex: 100,
    TakeProfitLast: 100,
    TakeProfitMark: 100,
    TakeProfitIndex: 100,
    TrailingLast: 100,
    TrailingMark: 100,
    TrailingIndex: 100,
    TrailingMoved: 1000,
    TrailingBegun: 20,
    Cascade: 300,
    QueueLeft: 100,
    QueueHeld: 100,
    QueueCancelled: 20,
    FiredRefused: 300,
    FiredRested: 300,
    LegByTrade: 300,
    LegByFire: 300,
    LegByUser: 100,
    LegByExpiry: 50,
    LegByReduce: 20,
    LegBySelfTrade: 50,
    LegByRequote: 10,
    LegByOperator: 50,
    LegOfIncoming: 50,
    ExpiredResting: 300,
    ExpiredWaiting: 100,
    DayExpired: 100,
    QuoteKept: 100,
    QuoteDecreased: 100,
    Requoted: 1000,
    QuoteSideRefused: 300,
    ClientIdAgain: 1000,
    ClientIdNamed: 300,
    OperatorCancelled: 300,
    SessionCancelled: 100,
    SideCancelled: 100,
    ReplaceKept: 1000,
    ReplaceMoved: 1000,
    ReplaceTraded: 300,
    SharedOut: 1000,
    TopShare: 300,
    LeadShare: 300,
    FifoShare: 300,
    MinimumShare: 300,
    RestShare: 1000,
    SharedAgain: 50,
    HiddenSharedOut: 100,
    Uncrossed: 300,
    UncrossIceberg: 50,
    UncrossHidden: 50,
    UncrossReduced: 10,
    UncrossAgain: 5,
    UncrossOwn: 50,
    TermsBroken: 100,
    TermsElsewhere: 100,
}

/// Counters of situations.
#[derive(Debug, Clone)]
pub struct Seen(Vec<u64>);

impl Default for Seen {
    fn default() -> Self {
        Self(vec![0; Situation::ALL.len()])
    }
}

impl Seen {
    fn place(situation: Situation) -> usize {
        // The list is the enum in its own order.
        situation as usize
    }

    /// Counts one.
    pub fn mark(&mut self, situation: Situation) {
        self.0[Self::place(situation)] += 1;
    }

    /// How often it was reached.
    #[must_use]
    pub fn of(&self, situation: Situation) -> u64 {
        self.0[Self::place(situation)]
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }
}
