//! Read-only tables, and the proof that money is conserved.

use crate::ledger::Place;
use crate::units::{AccountId, AssetId, FundId, MarketId, Money, Qty, Sum, VALUATION};
use crate::venue::Venue;

/// Where the money of one asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetTotals {
    /// Deposits less withdrawals.
    pub deposits: Money,
    /// Balances of all accounts.
    pub users: Sum,
    /// Insurance funds.
    pub funds: Sum,
    /// Trading fees.
    pub fees: Money,
    /// Counterparts kept by the venue: clearing, funding, treasury, shortfall.
    pub venue: Sum,
}

/// The proof of conservation, counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conservation {
    /// True if for every asset users + funds + fees + venue = deposits, and every market's positions sum to zero.
    pub ok: bool,
    /// By asset.
    pub assets: Vec<AssetTotals>,
    /// Sum of signed positions by market.
    pub net: Vec<Qty>,
    /// Loss that nobody carried, as a positive amount.
    pub shortfall: Money,
}

/// One account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRow {
    /// Number.
    pub account: AccountId,
    /// Balance of the valuation asset.
    pub balance: Money,
    /// Equity.
    pub equity: Money,
    /// Initial requirement.
    pub initial: Money,
    /// Maintenance requirement.
    pub maintenance: Money,
    /// Called and not recovered.
    pub called: bool,
    /// In liquidation.
    pub in_liquidation: bool,
}

/// One position with what rests beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRow {
    /// Account.
    pub account: AccountId,
    /// Market.
    pub market: MarketId,
    /// Signed lots.
    pub base: Qty,
    /// Entry cost.
    pub cost: Money,
    /// Lots in resting buys.
    pub open_buys: Qty,
    /// Lots in resting sells.
    pub open_sells: Qty,
}

impl Venue {
    /// Counts all money and all positions anew. Costs in proportion to the accounts.
    #[must_use]
    pub fn conservation(&self) -> Conservation {
        let ledger = &self.floor().ledger;
        let assets: Vec<AssetTotals> = (0..ledger.assets())
            .map(AssetId::from_index)
            .map(|asset| {
                let own = asset == VALUATION;
                let funds = (0..self.config().funds.len()).map(FundId::from_index);
                let mut funds_total = Sum::ZERO;
                funds.filter(|_| own).for_each(|f| funds_total += ledger.at(Place::Fund(f)));
                AssetTotals {
                    deposits: ledger.deposits(asset),
                    users: ledger.users(asset),
                    funds: funds_total,
                    fees: if own { ledger.at(Place::Fees) } else { Money::ZERO },
                    venue: ledger.venue(asset),
                }
            })
            .collect();
        let net: Vec<Qty> =
            (0..ledger.markets()).map(|m| ledger.recount(MarketId::from_index(m)).0).collect();
        let balanced =
            assets.iter().all(|a| a.users + a.funds + Sum::of(a.fees) + a.venue == Sum::of(a.deposits));
        let ok = balanced && net.iter().all(|n| n.is_zero());
        Conservation { ok, assets, net, shortfall: -ledger.at(Place::Shortfall) }
    }

    /// Every account, by number.
    pub fn account_rows(&self) -> impl Iterator<Item = AccountRow> {
        (0..self.accounts()).map(AccountId::from_index).map(|account| {
            let health = self.health(account);
            AccountRow {
                account,
                balance: self.balance(account, VALUATION),
                equity: health.equity.saturate(),
                initial: self.initial(account).saturate(),
                maintenance: health.maintenance.saturate(),
                called: self.is_called(account),
                in_liquidation: self.is_in_liquidation(account),
            }
        })
    }

    /// Every position that is not flat or has orders beside it, by account and market.
    pub fn position_rows(&self) -> impl Iterator<Item = PositionRow> {
        let ledger = &self.floor().ledger;
        (0..self.accounts()).map(AccountId::from_index).flat_map(move |account| {
            ledger.positions(account).iter().enumerate().filter_map(move |(i, p)| {
                let idle = p.base.is_zero() && p.open_buys.is_zero() && p.open_sells.is_zero();
                (!idle).then(|| PositionRow {
                    account,
                    market: MarketId::from_index(i),
                    base: p.base,
                    cost: p.cost,
                    open_buys: p.open_buys,
                    open_sells: p.open_sells,
                })
            })
        })
    }
}
