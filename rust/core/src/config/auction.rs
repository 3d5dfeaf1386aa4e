//! How a market's auctions find their price, and what takes part in them.

use super::{ConfigError, refuse};
use crate::units::{MILLION, Ppm, Price};
use serde::{Deserialize, Serialize};

/// The auction of a market. A named preset gives every field, and fields beside it replace its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "AuctionForm")]
pub struct Auction {
    /// Prices that are looked at.
    pub candidates: Candidates,
    /// Whether the least surplus decides after the greatest volume.
    pub surplus: SurplusRule,
    /// What a surplus of one side does to the price.
    pub pressure: Pressure,
    /// What decides last.
    pub tie: Tie,
    /// The reference price.
    pub reference: AuctionReference,
    /// To which step a price between two steps goes.
    pub rounding: AuctionRounding,
    /// Bounds of the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collar: Option<Collar>,
    /// What becomes of market orders.
    pub market_orders: MarketOrders,
    /// Who is filled first at the price at which the volume ends.
    pub allocation: AuctionAllocation,
    /// Accounts in liquidation put their positions into the auction.
    pub liquidations: bool,
    /// When the indicative price is published.
    pub indicative: Indicative,
}

/// Prices that an auction looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Candidates {
    /// The limits in the book.
    #[default]
    Limits,
    /// Every price step from the lowest to the highest of limits and reference.
    Grid,
}

/// What follows the greatest volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurplusRule {
    /// The least surplus, without its sign.
    #[default]
    Least,
    /// Any surplus.
    Any,
}

/// What a surplus of one side, at every price that is left, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pressure {
    /// The highest price if demand is over, the lowest if supply is.
    #[default]
    Edge,
    /// The reference and so much more if demand is over, less if supply is, brought between the prices left.
    Bounded {
        /// Share of the reference.
        limit_ppm: Ppm,
    },
    /// Nothing.
    None,
}

/// What decides among the prices left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// The nearest to the reference, the higher of two.
    #[default]
    Nearest,
    /// The reference brought between the highest price with demand over and the lowest with supply over.
    Clamp,
    /// The middle between the lowest and the highest.
    Middle,
}

/// The reference of an auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionReference {
    /// The mark.
    #[default]
    Mark,
    /// The last trade.
    Last,
    /// The index.
    Index,
    /// The middle of bid and ask as they stood when the market last matched.
    Midpoint,
}

/// To which step a price between two steps goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionRounding {
    /// To the lower one.
    #[default]
    Down,
    /// To the higher one.
    Up,
}

/// Bounds of an auction's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collar {
    /// What it lies around.
    pub around: CollarAround,
    /// Width as a share of the price that it lies around.
    pub width_ppm: Ppm,
    /// Least width in ticks.
    #[serde(default)]
    pub width_min: Price,
    /// What happens beyond it.
    pub action: CollarAction,
}

/// What a collar lies around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollarAround {
    /// The reference.
    Reference,
    /// From the bid downwards and from the ask upwards, as they stood when the market last matched.
    Touch,
}

/// What happens to a price beyond its collar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollarAction {
    /// It becomes the bound.
    Confine,
    /// There is no price: the auction is extended, or ended by the operator.
    Refuse,
}

/// Market orders in an auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketOrders {
    /// Not admitted.
    #[default]
    Refused,
    /// What is left after the auction is cancelled.
    Cancelled,
    /// What is left after the auction rests at its price.
    Limit,
}

/// Who is filled first at the price at which the volume ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionAllocation {
    /// Longest resting first.
    #[default]
    Time,
    /// The market's allocation.
    Market,
}

/// When the indicative price of an auction is published, if it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indicative {
    /// Never.
    #[default]
    Never,
    /// After each Index, Source and Pulse.
    Pulse,
    /// After each command.
    Command,
}

/// Published auctions, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuctionPreset {
    /// Xetra: limits only, the nearest to the last trade.
    Xetra,
    /// Euronext: every tick, the nearest to the last trade.
    Euronext,
    /// ASX: the last trade brought between the two prices where the surplus changes its sign.
    Asx,
    /// Nasdaq crosses: the nearest to the midpoint, within 10 % of the touch.
    Nasdaq,
    /// BNB chain's exchange: pressure up to 5 % from the last trade, rounded up.
    Bnb,
    /// Vega: the middle of the prices of greatest volume, cut down to a tick.
    Vega,
    /// Reopening after a limit up-limit down pause: the nearest to the last trade; its collar comes from the pause.
    Luld,
}

impl AuctionPreset {
    /// Every preset.
    pub const ALL: [Self; 7] =
        [Self::Xetra, Self::Euronext, Self::Asx, Self::Nasdaq, Self::Bnb, Self::Vega, Self::Luld];
}

impl From<AuctionPreset> for Auction {
    fn from(preset: AuctionPreset) -> Self {
        let grid = Self {
            candidates: Candidates::Grid,
            reference: AuctionReference::Last,
            market_orders: MarketOrders::Limit,
            ..Self::default()
        };
        match preset {
            AuctionPreset::Xetra => Self { candidates: Candidates::Limits, ..grid },
            AuctionPreset::Euronext => grid,
            AuctionPreset::Asx => Self { tie: Tie::Clamp, ..grid },
            AuctionPreset::Nasdaq => Self {
                reference: AuctionReference::Midpoint,
                market_orders: MarketOrders::Cancelled,
                collar: Some(Collar {
                    around: CollarAround::Touch,
                    width_ppm: Ppm::new(100_000),
                    width_min: Price::ZERO,
                    action: CollarAction::Confine,
                }),
                ..grid
            },
            AuctionPreset::Bnb => Self {
                pressure: Pressure::Bounded { limit_ppm: Ppm::new(50_000) },
                rounding: AuctionRounding::Up,
                market_orders: MarketOrders::Refused,
                ..grid
            },
            AuctionPreset::Vega => Self {
                candidates: Candidates::Limits,
                surplus: SurplusRule::Any,
                pressure: Pressure::None,
                tie: Tie::Middle,
                market_orders: MarketOrders::Refused,
                ..grid
            },
            AuctionPreset::Luld => Self { market_orders: MarketOrders::Cancelled, ..grid },
        }
    }
}

/// What a configuration says of an auction: a preset, and what differs from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuctionForm {
    preset: Option<AuctionPreset>,
    candidates: Option<Candidates>,
    surplus: Option<SurplusRule>,
    pressure: Option<Pressure>,
    tie: Option<Tie>,
    reference: Option<AuctionReference>,
    rounding: Option<AuctionRounding>,
    collar: Option<Collar>,
    market_orders: Option<MarketOrders>,
    allocation: Option<AuctionAllocation>,
    liquidations: Option<bool>,
    indicative: Option<Indicative>,
}

impl From<AuctionForm> for Auction {
    fn from(form: AuctionForm) -> Self {
        let preset = form.preset.map(Self::from).unwrap_or_default();
        Self {
            candidates: form.candidates.unwrap_or(preset.candidates),
            surplus: form.surplus.unwrap_or(preset.surplus),
            pressure: form.pressure.unwrap_or(preset.pressure),
            tie: form.tie.unwrap_or(preset.tie),
            reference: form.reference.unwrap_or(preset.reference),
            rounding: form.rounding.unwrap_or(preset.rounding),
            collar: form.collar.or(preset.collar),
            market_orders: form.market_orders.unwrap_or(preset.market_orders),
            allocation: form.allocation.unwrap_or(preset.allocation),
            liquidations: form.liquidations.unwrap_or(preset.liquidations),
            indicative: form.indicative.unwrap_or(preset.indicative),
        }
    }
}

impl Auction {
    /// True if bid and ask are kept when the market stops matching.
    pub(crate) fn keeps_touch(&self) -> bool {
        self.reference == AuctionReference::Midpoint
            || self.collar.is_some_and(|collar| collar.around == CollarAround::Touch)
    }

    pub(super) fn prove(&self, at: &str, price_max: Price) -> Result<(), ConfigError> {
        let field = |name: &str| format!("{at}.auction.{name}");
        if let Pressure::Bounded { limit_ppm } = self.pressure
            && !(1..=MILLION).contains(&limit_ppm.get())
        {
            let why = format!("{limit_ppm}: must be 1 to 1000000");
            return refuse(field("pressure.bounded.limit_ppm"), why);
        }
        let Some(collar) = self.collar else { return Ok(()) };
        if !(0..=1000 * MILLION).contains(&collar.width_ppm.get()) {
            let why = format!("{}: must be 0 to 1000000000", collar.width_ppm);
            return refuse(field("collar.width_ppm"), why);
        }
        if collar.width_min.is_negative() || collar.width_min > price_max {
            let why = format!("{}: must be 0 to price_max {price_max}", collar.width_min);
            return refuse(field("collar.width_min"), why);
        }
        Ok(())
    }
}
