//! Breakers: one object of seven parts. Reference and width are its ranges; then where it is tested, what it does, how
//! that ends, how it comes back, and whom it concerns.

mod depth;
mod range;
mod together;

pub(super) use together::prove_together;

pub use depth::LeastDepth;
pub use range::{Hour, Quantile, Range, Reference, Watched, Width, WidthTier};

use super::{ConfigError, Market, Multiplier, PRICE_MAX, is_default, multiplied, refuse};
use crate::protocol::Phase;
use crate::units::{MILLION, MarketId, Nanos, Ppm, Price};
use serde::{Deserialize, Serialize};

/// One breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Name.
    pub name: String,
    /// Whether it acts from the start; a command can change that.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Markets that it watches.
    pub markets: Vec<MarketId>,
    /// Markets that it interrupts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interrupts: Interrupts,
    /// Flows that it does not bind.
    #[serde(default)]
    pub exempt: Vec<ExemptFlow>,
    /// References and widths; none for a rule that acts by command alone or counts something.
    #[serde(default)]
    pub ranges: Vec<Range>,
    /// Which of several ranges a price has to leave.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when: When,
    /// How bounds become ticks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rounding: Rounding,
    /// Whether a price at a bound is inside.
    #[serde(default = "yes")]
    pub inclusive: bool,
    /// Where it is tested.
    pub test: Test,
    /// What it does.
    pub action: Action,
    /// How an interruption ends; null for a constraint.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exit: Option<Exit>,
    /// How the rule comes back after it acted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rearm: Rearm,
}

const fn yes() -> bool {
    true
}

/// Markets that a rule interrupts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Interrupts {
    /// The market in which it tripped.
    #[default]
    Own,
    /// The market in which it tripped, and these.
    Group(Vec<MarketId>),
    /// Every market.
    Venue,
}

/// Flows that a rule may leave alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExemptFlow {
    /// Liquidation orders.
    Liquidation,
    /// Orders with the reduce-only flag.
    ReduceOnly,
    /// Orders with the post-only flag.
    PostOnly,
}

/// Which of several ranges a price has to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// One of them: what is allowed is their intersection.
    #[default]
    OutsideAny,
    /// All of them: what is allowed is their union.
    OutsideAll,
}

/// How bounds become ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rounding {
    /// To the ticks that are inside.
    #[default]
    Inward,
    /// To the nearest multiple of so many ticks, halves up.
    HalfUp {
        /// The multiple.
        step: Price,
    },
    /// To the nearest multiple of so many ticks, halves to the even one.
    HalfEven {
        /// The multiple.
        step: Price,
    },
}

impl Rounding {
    fn step(self) -> Option<Price> {
        match self {
            Self::Inward => None,
            Self::HalfUp { step } | Self::HalfEven { step } => Some(step),
        }
    }

    fn prove(self, at: &str) -> Result<(), ConfigError> {
        match self.step() {
            Some(step) if !(1..=PRICE_MAX).contains(&step.get()) => {
                refuse(format!("{at}.step"), format!("{step}: must be 1 to {PRICE_MAX}"))
            }
            _ => Ok(()),
        }
    }
}

/// Where a rule is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Test {
    /// The limit of an order that comes in.
    Entry {
        /// An order that meets nobody is left alone, wherever its limit is.
        #[serde(default)]
        passive: bool,
    },
    /// The price of each level before an order trades at it.
    Trade {
        /// What an order that does not rest does when it would trip an interruption.
        #[serde(default)]
        immediate: Immediate,
        /// What is left of a resting order that tripped one.
        #[serde(default)]
        rest: Rest,
        /// It is also asked with the price at which an auction would end, which goes on if that is outside.
        #[serde(default)]
        auction: bool,
    },
    /// A new mark.
    Mark,
    /// A new index.
    Index,
    /// The touch at the end of a step: limit states. Limits of orders are capped at the bounds as well.
    Quote,
    /// The time between two commands.
    Gap,
    /// What liquidations, auto-deleveraging and the fund came to in a while, at the end of a step.
    Count {
        /// What is counted.
        of: Counted,
        /// Length of the window.
        window_ns: Nanos,
        /// It trips at this number.
        least: i64,
    },
    /// What the thinner side of the book shows near the mark, after a new mark.
    Depth {
        /// How far from the mark.
        width_ppm: Ppm,
        /// It trips below this.
        below: LeastDepth,
    },
    /// What waits for liquidation against a side of the book, after a new mark.
    Pending {
        /// How far from the mark the book is looked at.
        width_ppm: Ppm,
        /// It trips above this share of what the side shows.
        share_ppm: Ppm,
    },
    /// Nothing by itself: a command alone makes the rule act.
    Manual,
}

/// What a rule counts in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Liquidation orders.
    Liquidations,
    /// Value of what liquidation orders traded, in minor units.
    Liquidated,
    /// Value of what was deleveraged at the transfer price, in minor units.
    Deleveraged,
    /// What the market's fund paid, in minor units.
    FundPaid,
    /// How often the drawdown trigger of the market's fund turned on.
    Drawdowns,
}

/// What an order that does not rest does when it would trip an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Immediate {
    /// It trips as any other, and its rest is cancelled.
    #[default]
    Trips,
    /// Its rest is cancelled, and the market goes on.
    Spared,
}

/// What is left of a resting order that tripped an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// It is cancelled.
    #[default]
    Cancelled,
    /// It rests, if the new phase lets such orders rest.
    Rests,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// The order is refused as a whole.
    Reject,
    /// Its limit becomes the bound.
    Cap,
    /// It trades up to the bound, and its rest is cancelled.
    Stop,
    /// The market enters a phase.
    Interrupt {
        /// Which.
        phase: Phase,
    },
    /// The market enters a limit state; if that lasts, the pause of `exit`, or close-only shortly before the close.
    LimitState {
        /// How long it may last.
        hold_ns: Nanos,
        /// When the market closes, since the start of its day; null for never.
        close_ns: Option<Nanos>,
        /// With no more than this to the close there is no pause.
        close_only_ns: Nanos,
    },
    /// What the row of a day's level says.
    Schedule {
        /// The rows.
        rows: Vec<LevelRow>,
    },
    /// A call auction by the length of the gap.
    Gaps {
        /// The rows.
        rows: Vec<GapRow>,
    },
}

/// What happens when an index reaches a level from a time of the day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRow {
    /// Number of the level, from 1.
    pub level: u16,
    /// Time since the start of the day.
    pub from_ns: Nanos,
    /// The phase that follows; null for none.
    pub phase: Option<Phase>,
    /// How long it lasts; null until a command ends it.
    pub after_ns: Option<Nanos>,
    /// Length of the auction after it; 0 for none.
    pub auction_ns: Nanos,
}

/// A gap between two commands, and the auction that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapRow {
    /// The least gap.
    pub gap_ns: Nanos,
    /// Length of the auction.
    pub after_ns: Nanos,
}

/// How an interruption ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Its length; null until a command ends it.
    pub after_ns: Option<Nanos>,
    /// Up to so much is added by the venue's keyed draw.
    #[serde(default, skip_serializing_if = "is_default")]
    pub random_ns: Nanos,
    /// Length of the auction after a halt or pause; null for the market's own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auction_ns: Option<Nanos>,
    /// How an auction goes on if its price is outside; null for not at all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extension: Option<Extension>,
    /// What else holds while the rule acts in a market.
    #[serde(default, skip_serializing_if = "is_default")]
    pub meanwhile: Meanwhile,
}

/// What else holds while a rule acts in a market: from its trip to the end of the phase, reopening auction included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Meanwhile {
    /// What the mark does.
    #[serde(skip_serializing_if = "is_default")]
    pub mark: MarkMeanwhile,
    /// Withdrawals and transfers are refused, in the whole venue.
    #[serde(skip_serializing_if = "is_default")]
    pub gates_withdrawals: bool,
    /// Rounds of the waterfall in a step, in the whole venue; null for those of the limits.
    #[serde(skip_serializing_if = "is_default")]
    pub liquidation_rounds: Option<u32>,
    /// What the margin rates of the market are multiplied by; null for nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub margin: Option<Multiplier>,
}

/// What the mark does while a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkMeanwhile {
    /// It goes on as ever.
    #[default]
    Follows,
    /// It stays where it is; what it is made of goes on.
    Stands,
    /// In an auction that would clear it is the median of the index and that price.
    Auction,
    /// The same, and of the mark that stands.
    AuctionAndMark,
}

impl MarkMeanwhile {
    /// True if the price of an auction counts.
    pub(crate) const fn asks_auction(self) -> bool {
        matches!(self, Self::Auction | Self::AuctionAndMark)
    }
}

/// How an auction goes on whose price would be outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// By how much.
    pub after_ns: Nanos,
    /// How often at most, then it ends at any price; null for no limit.
    #[serde(default)]
    pub most: Option<u32>,
    /// What inside is, where that is not the bounds that were left.
    #[serde(default)]
    pub collar: Option<ReopeningCollar>,
    /// Each time the reference moves to the edge nearest to the price, in multiples of so many ticks; null for not.
    #[serde(default)]
    pub re_reference: Option<Price>,
}

/// The collar of a reopening auction: the bound that was hit moves out by a step, and by one more at each extension; the
/// other bound stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReopeningCollar {
    /// The step as a share of the bound that was hit.
    pub step_ppm: Ppm,
    /// Another step for low prices; null for none.
    #[serde(default)]
    pub flat: Option<CollarFlat>,
    /// How the moved bound becomes ticks.
    #[serde(default)]
    pub rounding: Rounding,
}

/// The step of a collar for bounds up to a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollarFlat {
    /// The step.
    pub step: Price,
    /// The highest bound that has it.
    pub up_to: Price,
}

/// How a rule comes back after it acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rearm {
    /// Windows, means and last prices start anew from the price that tripped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub restart: bool,
    /// It does not trip again for so long.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cooldown_ns: Nanos,
    /// Trips per day; null for no limit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub per_day: Option<u32>,
    /// References start anew from the price of the auction that ends the interruption.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auction: bool,
}

/// True if a rule may multiply the margin rates of a market while it acts.
pub(crate) fn multiplies(breakers: &[Breaker], market: MarketId) -> bool {
    breakers.iter().any(|rule| rule.margin().is_some() && rule.reaches(market))
}

impl Breaker {
    /// True if it changes phases.
    pub(crate) fn interrupts(&self) -> bool {
        matches!(
            self.action,
            Action::Interrupt { .. }
                | Action::LimitState { .. }
                | Action::Schedule { .. }
                | Action::Gaps { .. }
        )
    }

    /// The shortest time between two commands that it looks at.
    pub(crate) fn gap_least(&self) -> Option<Nanos> {
        match &self.action {
            Action::Gaps { rows } => rows.iter().map(|row| row.gap_ns).min(),
            _ => None,
        }
    }

    /// What the margin rates of the markets that it interrupts are multiplied by meanwhile.
    pub(crate) fn margin(&self) -> Option<Multiplier> {
        self.exit.and_then(|exit| exit.meanwhile.margin)
    }

    /// True if it can put a market in a phase.
    pub(crate) fn reaches(&self, market: MarketId) -> bool {
        self.markets.contains(&market)
            || match &self.interrupts {
                Interrupts::Own => false,
                Interrupts::Group(group) => group.contains(&market),
                Interrupts::Venue => true,
            }
    }

    /// A rule of a venue with these markets, whose margin calls are at this multiple of maintenance.
    pub(super) fn prove(&self, at: &str, markets: &[Market], call: Ppm) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.{name}");
        if self.markets.is_empty() {
            return refuse(field("markets"), "is empty; name at least one market");
        }
        let group = if let Interrupts::Group(group) = &self.interrupts { group.as_slice() } else { &[] };
        for (name, list) in [("markets", self.markets.as_slice()), ("interrupts.group", group)] {
            if let Some(unknown) = list.iter().find(|m| m.index() >= markets.len()) {
                return refuse(field(name), format!("{unknown}: no such market"));
            }
        }
        if self.ranges.len() > 16 {
            return refuse(field("ranges"), format!("{} of them: must be at most 16", self.ranges.len()));
        }
        for (i, range) in self.ranges.iter().enumerate() {
            range.prove(&field(&format!("ranges[{i}]")))?;
        }
        self.rounding.prove(&field("rounding"))?;
        self.prove_parts(&field)?;
        self.prove_margin(&field, markets, call)?;
        if self.rearm.cooldown_ns.is_negative() {
            return refuse(
                field("rearm.cooldown_ns"),
                format!("{}: must not be negative", self.rearm.cooldown_ns),
            );
        }
        if self.rearm.per_day == Some(0) {
            return refuse(field("rearm.per_day"), "0: it never acts; give 1 or more, or null for no limit");
        }
        self.prove_use(&field, markets)
    }

    /// The numbers of actions.
    /// Rates that are multiplied while the rule acts are rates in every market that it reaches.
    fn prove_margin(
        &self,
        field: &impl Fn(&str) -> String,
        markets: &[Market],
        call: Ppm,
    ) -> Result<(), ConfigError> {
        let Some(by) = self.margin() else { return Ok(()) };
        let field = field("exit.meanwhile.margin");
        for (i, market) in markets.iter().enumerate().filter(|(i, _)| self.reaches(MarketId::from_index(*i)))
        {
            if market.margin.multipliers {
                let why = "has margin.multipliers, and follows what it is told; leave one of both out";
                return refuse(field, format!("market {i} ({}) {why}", market.name));
            }
            if multiplied(&market.tiers, by, call).is_none() {
                let why = "its multiplied rates are no whole ppm, out of range or out of order; give others";
                return refuse(field, format!("market {i} ({}): {why}", market.name));
            }
        }
        Ok(())
    }

    fn prove_action(&self, field: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        match &self.action {
            Action::LimitState { hold_ns, close_ns, close_only_ns } => {
                let late = close_ns.is_some_and(Nanos::is_negative) || close_only_ns.is_negative();
                if !hold_ns.is_positive() || late {
                    let why = "hold_ns must be positive, close_ns and close_only_ns not negative";
                    return refuse(field("action"), why);
                }
                Ok(())
            }
            Action::Schedule { rows } => {
                for (i, row) in rows.iter().enumerate() {
                    let at = field(&format!("action.rows[{i}]"));
                    let levels = match self.ranges.first().map(|range| &range.width) {
                        Some(Width::Levels { ppm }) => ppm.len(),
                        _ => 0,
                    };
                    if !(1..=levels).contains(&usize::from(row.level)) {
                        return refuse(
                            at,
                            format!("level {} is none of the {levels} of the width", row.level),
                        );
                    }
                    if row.phase.is_some_and(|phase| !phase.is_interruption()) {
                        return refuse(at, "phase must be one of an interruption, or null for none");
                    }
                    let lasts = row.after_ns.is_none_or(Nanos::is_positive);
                    if !lasts || row.from_ns.is_negative() || row.auction_ns.is_negative() {
                        return refuse(
                            at,
                            "after_ns must be positive or null, from_ns and auction_ns not negative",
                        );
                    }
                }
                if rows.is_empty() {
                    return refuse(field("action.rows"), "is empty; say what a level does");
                }
                Ok(())
            }
            Action::Gaps { rows } => {
                let rises = rows.windows(2).all(|pair| pair[0].gap_ns < pair[1].gap_ns);
                let positive = rows.iter().all(|row| row.gap_ns.is_positive() && row.after_ns.is_positive());
                if rows.is_empty() || !rises || !positive {
                    return refuse(
                        field("action.rows"),
                        "must be some, by rising gap_ns, with positive times",
                    );
                }
                Ok(())
            }
            Action::Reject | Action::Cap | Action::Stop | Action::Interrupt { .. } => Ok(()),
        }
    }

    /// The numbers of tests.
    fn prove_test(&self, field: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        match self.test {
            Test::Count { window_ns, least, .. } if !window_ns.is_positive() || least < 1 => {
                refuse(field("test"), "window_ns and least must be positive")
            }
            Test::Depth { width_ppm, below } => {
                depth::prove_width(&field("test"), width_ppm)?;
                below.prove(&field("test.below"))
            }
            Test::Pending { width_ppm, share_ppm } => {
                depth::prove_width(&field("test"), width_ppm)?;
                if Width::<usize>::is_share(share_ppm) {
                    return Ok(());
                }
                refuse(field("test.share_ppm"), format!("{share_ppm}: must be 1 to 1000000000"))
            }
            _ => Ok(()),
        }
    }

    /// The parts that have to go together.
    fn prove_parts(&self, field: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let measures = !matches!(
            self.test,
            Test::Manual | Test::Gap | Test::Count { .. } | Test::Depth { .. } | Test::Pending { .. }
        );
        if self.ranges.is_empty() == measures {
            let why = if measures {
                "is empty; give a reference and a width"
            } else {
                "a rule without a price has none"
            };
            return refuse(field("ranges"), why);
        }
        let goes = matches!(
            (self.test, &self.action),
            (Test::Entry { .. }, Action::Reject | Action::Cap)
                | (Test::Trade { .. }, Action::Reject | Action::Stop | Action::Interrupt { .. })
                | (
                    Test::Mark
                        | Test::Index
                        | Test::Manual
                        | Test::Count { .. }
                        | Test::Depth { .. }
                        | Test::Pending { .. },
                    Action::Interrupt { .. }
                )
                | (Test::Index, Action::Schedule { .. })
                | (Test::Quote, Action::LimitState { .. })
                | (Test::Gap, Action::Gaps { .. })
        );
        if !goes {
            let why = "does not go with the test: entry has reject and cap, trade reject, stop and interrupt, index \
                       interrupt and schedule, quote limit_state, gap gaps, mark, count, depth, pending and manual interrupt";
            return refuse(field("action"), why);
        }
        self.prove_action(field)?;
        self.prove_test(field)?;
        let has_levels = self.ranges.iter().any(|range| matches!(range.width, Width::Levels { .. }));
        if has_levels != matches!(self.action, Action::Schedule { .. })
            || (has_levels && self.ranges.len() > 1)
        {
            return refuse(field("ranges"), "levels and a schedule go together, in one range");
        }
        if has_levels && self.ranges[0].reach.is_some() {
            return refuse(field("ranges[0].reach"), "levels reach as far as they say; leave it out");
        }
        if let Action::Interrupt { phase } = self.action
            && !phase.is_interruption()
        {
            let why = format!(
                "{phase:?}: must be halted, pause, call_auction, reduce_only, close_only, guarded, cooling_off or closed"
            );
            return refuse(field("action.phase"), why);
        }
        let reads_price = !self.ranges.is_empty();
        if (self.rearm.restart || self.rearm.auction) && !reads_price {
            return refuse(field("rearm"), "a rule without references has none to start anew; leave it out");
        }
        if matches!(self.test, Test::Gap | Test::Quote) && self.interrupts != Interrupts::Own {
            return refuse(field("interrupts"), "each market is looked at by itself; leave it out");
        }
        match (self.interrupts(), &self.exit) {
            (true, None) if matches!(self.action, Action::Schedule { .. } | Action::Gaps { .. }) => Ok(()),
            (true, None) => refuse(field("exit"), "is missing; say how the interruption ends"),
            (false, Some(_)) => refuse(field("exit"), "a constraint has no end; leave it out"),
            (false, None) if self.interrupts != Interrupts::Own => {
                refuse(field("interrupts"), "a constraint interrupts no market; leave it out")
            }
            (false, None) if self.rearm != Rearm::default() => {
                refuse(field("rearm"), "a constraint is always armed; leave it out")
            }
            (false, None) => Ok(()),
            (true, Some(exit)) => exit.prove(field),
        }
    }
}

impl Exit {
    fn prove(&self, field: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        if let Some(after) = self.after_ns.filter(|after| !after.is_positive()) {
            return refuse(
                field("exit.after_ns"),
                format!("{after}: must be positive, or null until a command"),
            );
        }
        if self.random_ns.is_negative() {
            return refuse(field("exit.random_ns"), format!("{}: must not be negative", self.random_ns));
        }
        if self.after_ns.is_none() && !self.random_ns.is_zero() {
            return refuse(field("exit.random_ns"), "an interruption without end has no random end");
        }
        if let Some(auction) = self.auction_ns.filter(|auction| auction.is_negative()) {
            return refuse(field("exit.auction_ns"), format!("{auction}: must not be negative"));
        }
        self.extension.map_or(Ok(()), |extension| extension.prove(field))
    }
}

impl Extension {
    fn prove(&self, field: &impl Fn(&str) -> String) -> Result<(), ConfigError> {
        if !self.after_ns.is_positive() {
            return refuse(field("exit.extension.after_ns"), format!("{}: must be positive", self.after_ns));
        }
        if self.most == Some(0) {
            return refuse(field("exit.extension.most"), "0: leave the extension out, or give 1 or more");
        }
        if let Some(tick) = self.re_reference.filter(|tick| !(1..=PRICE_MAX).contains(&tick.get())) {
            return refuse(field("exit.extension.re_reference"), format!("{tick}: must be 1 to {PRICE_MAX}"));
        }
        let Some(collar) = self.collar else { return Ok(()) };
        if self.re_reference.is_some() {
            return refuse(field("exit.extension.collar"), "does not go with re_reference; leave one out");
        }
        collar.rounding.prove(&field("exit.extension.collar.rounding"))?;
        let flat = collar.flat.is_none_or(|flat| (1..=PRICE_MAX).contains(&flat.step.get()));
        if !(1..=MILLION).contains(&collar.step_ppm.get()) || !flat {
            return refuse(
                field("exit.extension.collar"),
                "step_ppm must be 1 to 1000000, a flat step positive",
            );
        }
        Ok(())
    }
}
