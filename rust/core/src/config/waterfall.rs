//! Choices of the waterfall: how much is closed at once, at which limit, for which fee, and who pays what is left.

use super::{AMOUNT_MAX, ConfigError, refuse};
use crate::units::{AccountId, MILLION, Money, Nanos, Ppm, Qty};
use serde::{Deserialize, Serialize};

/// The longest ramp: an hour.
const RAMP_MAX: i64 = 3_600_000_000_000;
/// The smallest share step: at most a hundred are tried.
const SHARE_STEP_MIN: i64 = 10_000;
/// The largest factor of a rate that is not a share.
const FACTOR_MAX: i64 = 10 * MILLION;

/// The size of a slice: docs/mechanics.md section 8, stage F.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlicePolicy {
    /// A share of what is left.
    #[default]
    Share,
    /// A share of what is left in whole lots, up to a most, with a time between slices.
    Schedule {
        /// Slices are multiples of it.
        lot: Qty,
        /// Largest slice; null for none.
        qty_max: Option<Qty>,
        /// Time after a slice that left something; 0 for none.
        cooldown_ns: Nanos,
        /// What is done in that time.
        during: During,
    },
    /// Down to the next tier of margin rates.
    Tier,
    /// The lots that restore maintenance margin.
    Restore {
        /// Added to the maintenance rate.
        buffer_ppm: Ppm,
    },
    /// The lots that restore maintenance margin, as many of them as time allows.
    Ramp {
        /// Added to the maintenance rate.
        buffer_ppm: Ppm,
        /// Time after which everything may be closed, at most an hour.
        duration_ns: Nanos,
        /// Share that may be closed at once.
        initial_ppm: Ppm,
        /// Shortage below which everything may be closed at once.
        full_below: Money,
    },
    /// The same share of every position, in steps, until the ratio is below a target.
    PortfolioShare {
        /// Step of the share; divides 1,000,000.
        step_ppm: Ppm,
        /// Maintenance over equity that is aimed at.
        target_ppm: Ppm,
        /// Penalty as a share of the maintenance margin that is closed.
        penalty_ppm: Ppm,
    },
}

/// What is done with an account between slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum During {
    /// Its positions are closed whole.
    Whole,
    /// It waits, then the schedule goes on.
    Wait,
    /// It waits, then its positions are closed whole.
    WaitThenWhole,
}

/// The limit of the liquidation order: stage G.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LimitRule {
    /// The bankruptcy price.
    #[default]
    Bankruptcy,
    /// None but the bands.
    None,
    /// The mark less a spread that widens as margin is lost.
    Fillable {
        /// Factor of the share of margin that is lost.
        adjustment_ppm: Ppm,
        /// Widest spread as a multiple of the maintenance margin.
        spread_ppm: Ppm,
    },
    /// A price that falls with time.
    Dutch {
        /// Where it starts, as a multiple of the mark then.
        start_ppm: Ppm,
        /// How it falls.
        curve: Curve,
    },
}

/// How the price of an auction falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Curve {
    /// By a factor at a time.
    Stairstep {
        /// What a step leaves of the price.
        factor_ppm: Ppm,
        /// Time between steps.
        step_ns: Nanos,
    },
    /// Evenly, to zero.
    Linear {
        /// Time until zero.
        duration_ns: Nanos,
    },
}

/// What the book's fills cost the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LiquidationFee {
    /// `fee_ppm` of the value, to the fund.
    #[default]
    Flat,
    /// As flat, but nothing for an order that leaves a part of the position: who is taken over whole loses the margin,
    /// who is only cut keeps it.
    Whole,
    /// To the fund 95 % of the margin that the fills freed beyond the shortage, at most `fee_ppm`; to the liquidator
    /// its own rate before that.
    MarginLeft {
        /// Who is paid; null for nobody.
        liquidator: Option<AccountId>,
        /// Its rate.
        liquidator_ppm: Ppm,
    },
}

/// The price at which the backstop takes over: stage H.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Takeover {
    /// The bankruptcy price: the backstop has the difference to the mark.
    #[default]
    Bankruptcy,
    /// The mark where the position is beyond bankruptcy: the fund pays the difference, for as many lots as it can.
    Mark,
}

/// Volunteers, who take over what the book and the backstop left: section 8.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// At which price.
    pub price: Takeover,
    /// Who takes how many.
    pub order: AssignmentOrder,
    /// When they are asked.
    pub stage: AssignmentStage,
}

/// Who takes how many of the lots that are assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentOrder {
    /// In proportion to what each is ready to take.
    ProRata,
    /// In the order in which they joined.
    Queue,
}

/// Whether volunteers are asked before the fund backs a sale, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentStage {
    /// Before it: Kraken, Coinbase.
    BeforeFund,
    /// After it, as the last stage before winners.
    AfterFund,
}

/// What happens to a loss that the fund cannot pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LastResort {
    /// It stays as an explicit shortfall.
    Remainder,
    /// Winners of the market carry it in proportion to their profit.
    Socialise,
    /// Every account carries it in proportion to its equity.
    SocialiseEquity,
    /// Every position of the market carries it, by lots, on both sides.
    TwoSided {
        /// Step of the charge per lot.
        rate_step: Money,
        /// Direction of its rounding.
        rounding: RateRounding,
        /// Trading fees earned pay first.
        fee_pool: bool,
    },
    /// It stays as a shortfall, and whoever withdraws while there is one leaves the same share of it behind.
    WithdrawalFactor,
}

/// Direction in which a charge per lot is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateRounding {
    /// Up: what is collected beyond the loss goes to the fund.
    Ceil,
    /// Down: what is not collected stays as a shortfall.
    Floor,
}

/// When a fund stops to pay for a market, by the market's drawdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawdown {
    /// Loss, as a share of the fund's highest balance, beyond which the fund does not pay.
    pub trigger_ppm: Ppm,
    /// Loss below which the trigger is released.
    pub stop_ppm: Ppm,
    /// Whether a loss of exactly the trigger fires it.
    pub inclusive: bool,
    /// Time over which highest values count.
    pub window_ns: Nanos,
}

fn within(field: String, rate: Ppm, least: i64, most: i64) -> Result<(), ConfigError> {
    if (least..=most).contains(&rate.get()) {
        return Ok(());
    }
    refuse(field, format!("{rate}: must be {least} to {most}"))
}

fn positive(field: String, value: i64) -> Result<(), ConfigError> {
    if value > 0 { Ok(()) } else { refuse(field, format!("{value}: must be positive")) }
}

impl SlicePolicy {
    /// True if a slice depends on the time of those before it.
    #[must_use]
    pub(crate) fn is_paced(&self) -> bool {
        match self {
            Self::Schedule { cooldown_ns, .. } => cooldown_ns.is_positive(),
            Self::Ramp { .. } => true,
            Self::Share | Self::Tier | Self::Restore { .. } | Self::PortfolioShare { .. } => false,
        }
    }

    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.liquidation.policy.{name}");
        match *self {
            Self::Share | Self::Tier => Ok(()),
            Self::Schedule { lot, qty_max, cooldown_ns, .. } => {
                positive(field("lot"), lot.get())?;
                positive(field("qty_max"), qty_max.map_or(1, Qty::get))?;
                if cooldown_ns.is_negative() {
                    return refuse(field("cooldown_ns"), format!("{cooldown_ns}: must not be negative"));
                }
                Ok(())
            }
            Self::Restore { buffer_ppm } => within(field("buffer_ppm"), buffer_ppm, 0, MILLION),
            Self::Ramp { buffer_ppm, duration_ns, initial_ppm, full_below } => {
                within(field("buffer_ppm"), buffer_ppm, 0, MILLION)?;
                within(field("initial_ppm"), initial_ppm, 0, MILLION)?;
                if !(1..=RAMP_MAX).contains(&duration_ns.get()) {
                    return refuse(field("duration_ns"), format!("{duration_ns}: must be 1 to {RAMP_MAX}"));
                }
                if full_below.is_negative() {
                    return refuse(field("full_below"), format!("{full_below}: must not be negative"));
                }
                Ok(())
            }
            Self::PortfolioShare { step_ppm, target_ppm, penalty_ppm } => {
                within(field("step_ppm"), step_ppm, SHARE_STEP_MIN, MILLION)?;
                if MILLION % step_ppm.get() != 0 {
                    return refuse(field("step_ppm"), format!("{step_ppm}: must divide 1000000"));
                }
                within(field("target_ppm"), target_ppm, 1, FACTOR_MAX)?;
                within(field("penalty_ppm"), penalty_ppm, 0, FACTOR_MAX)
            }
        }
    }
}

impl LimitRule {
    /// True if the limit depends on when the liquidation began.
    #[must_use]
    pub(crate) fn is_paced(&self) -> bool {
        matches!(self, Self::Dutch { .. })
    }

    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.liquidation.limit.{name}");
        match *self {
            Self::Bankruptcy | Self::None => Ok(()),
            Self::Fillable { adjustment_ppm, spread_ppm } => {
                within(field("adjustment_ppm"), adjustment_ppm, 1, FACTOR_MAX)?;
                within(field("spread_ppm"), spread_ppm, 0, FACTOR_MAX)
            }
            Self::Dutch { start_ppm, curve } => {
                within(field("start_ppm"), start_ppm, 1, 2 * MILLION)?;
                match curve {
                    Curve::Stairstep { factor_ppm, step_ns } => {
                        within(field("curve.factor_ppm"), factor_ppm, 1, MILLION - 1)?;
                        positive(field("curve.step_ns"), step_ns.get())
                    }
                    Curve::Linear { duration_ns } => positive(field("curve.duration_ns"), duration_ns.get()),
                }
            }
        }
    }
}

impl LiquidationFee {
    pub(super) fn prove(&self, at: &str, accounts_max: u32) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.liquidation.fee_rule.{name}");
        let Self::MarginLeft { liquidator, liquidator_ppm } = *self else { return Ok(()) };
        if let Some(account) = liquidator.filter(|a| a.get() >= accounts_max) {
            let why = format!("{account}: must be below limits.accounts_max {accounts_max}");
            return refuse(field("liquidator"), why);
        }
        within(field("liquidator_ppm"), liquidator_ppm, 0, MILLION)
    }
}

impl LastResort {
    pub(super) fn prove(&self, lots_max: Qty) -> Result<(), ConfigError> {
        match *self {
            // One step of every lot stays below what a balance holds.
            Self::TwoSided { rate_step, .. } => {
                let max = (AMOUNT_MAX / i128::from(lots_max.get().max(1))).max(1);
                if rate_step.is_positive() && i128::from(rate_step.get()) <= max {
                    return Ok(());
                }
                refuse("last_resort.two_sided.rate_step", format!("{rate_step}: must be 1 to {max}"))
            }
            Self::Remainder | Self::Socialise | Self::SocialiseEquity | Self::WithdrawalFactor => Ok(()),
        }
    }
}

impl Drawdown {
    pub(super) fn prove(&self, at: &str) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.drawdown.{name}");
        within(field("trigger_ppm"), self.trigger_ppm, 1, MILLION)?;
        within(field("stop_ppm"), self.stop_ppm, 0, MILLION)?;
        if self.stop_ppm >= self.trigger_ppm {
            let why = format!("{}: must be below trigger_ppm {}", self.stop_ppm, self.trigger_ppm);
            return refuse(field("stop_ppm"), why);
        }
        // Its eighths are numbered: at least a nanosecond each.
        if self.window_ns.get() < 8 {
            return refuse(field("window_ns"), format!("{}: must be at least 8", self.window_ns));
        }
        Ok(())
    }
}
