//! The ledger: every unit of money in the venue and every movement of it, and the positions that money follows.
//!
//! Knows nothing of orders or of current prices. Invariants: balances of each asset sum to zero after each call;
//! positions of each market sum to zero after each pair of trades; `Clearing(m)` is minus the sum of the entry
//! costs in market m, and the parts of a minor unit that rounding left there.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::Config;
use crate::protocol::SelfTrade;
use crate::units::{
    AccountId, AssetId, Contract, Fine, FundId, MarketId, Money, Ppm, Price, Qty, Side, Sum, VALUATION,
};

/// Where money can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Outside: minus deposits, plus withdrawals.
    External(AssetId),
    /// An account's balance.
    User(AccountId, AssetId),
    /// An insurance fund.
    Fund(FundId),
    /// Trading fees earned.
    Fees,
    /// Counterpart of realised profit of one market.
    Clearing(MarketId),
    /// Counterpart of funding payments of one market; keeps their rounding.
    Funding(MarketId),
    /// What the rounding of realised profits leaves behind in a market whose values are not whole minor units.
    Rounding(MarketId),
    /// Counterpart of collateral sold for a debt.
    Treasury(AssetId),
    /// Loss that nobody carried; never positive.
    Shortfall,
}

/// A position and what its account has resting in the same market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Signed lots.
    pub base: Qty,
    /// Signed money paid for what is open, in the parts of the market's contract.
    pub cost: Fine,
    /// Lots in resting buy orders.
    pub open_buys: Qty,
    /// Lots in resting sell orders.
    pub open_sells: Qty,
}

impl Position {
    /// Value less entry cost at a price: the value rounded down, the cost up. Closing it all there brings no less.
    #[must_use]
    #[inline(always)]
    pub fn profit(&self, price: Price, contract: &Contract) -> Money {
        contract.value(price, self.base) - contract.up(self.cost)
    }

    /// Largest position on a side that fills could lead to, without sign.
    #[must_use]
    #[inline(always)]
    pub fn reach(&self, side: Side) -> Qty {
        self.end(side).max(Qty::ZERO)
    }

    /// Where fills of all that rests on a side lead, seen from that side: negative if the position stays on the other.
    #[must_use]
    #[inline(always)]
    pub(crate) fn end(&self, side: Side) -> Qty {
        side.pick(self.base + self.open_buys, self.open_sells - self.base)
    }

    /// Largest position that fills could lead to, without sign.
    #[must_use]
    #[inline(always)]
    pub fn exposure(&self) -> Qty {
        self.reach(Side::Buy).max(self.reach(Side::Sell))
    }

    /// Lots that a side may still order within a largest position; zero if it is beyond it.
    #[must_use]
    #[inline(always)]
    pub fn room(&self, side: Side, position_max: Qty) -> Qty {
        (position_max - self.end(side)).max(Qty::ZERO)
    }

    /// True if a change opens or adds to the position.
    #[inline(always)]
    fn opens(&self, change: Qty) -> bool {
        self.base.is_zero() || self.base.is_positive() == change.is_positive()
    }

    /// Opens or adds at a price.
    fn add(&mut self, change: Qty, price: Price, contract: &Contract) {
        self.base += change;
        self.cost += contract.fine(price, change);
    }

    /// Changes what rests on one side, without a branch: a side is the flip of a coin.
    #[inline(always)]
    pub(crate) fn add_open(&mut self, side: Side, qty: Qty) {
        *side.pick(&mut self.open_buys, &mut self.open_sells) += qty;
        debug_assert!(!self.open_buys.is_negative() && !self.open_sells.is_negative());
    }
}

/// What a change of a position leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traded {
    /// The position then.
    pub(crate) after: Position,
    /// What moves from the market's clearing to the account.
    pub(crate) profit: Money,
    /// Parts of a minor unit that a position leaves behind when it is closed.
    pub(crate) dust: Fine,
}

impl Traded {
    /// A profit comes out of a position: whole minor units of it, rounded down. What is left of one stays in the entry
    /// cost, or behind the position if it is flat.
    fn new(mut after: Position, (profit, rest): (Money, Fine)) -> Self {
        if after.base.is_zero() {
            return Self { after, profit, dust: rest };
        }
        after.cost -= rest;
        Self { after, profit, dust: Fine::ZERO }
    }
}

/// What a trade does to a position, and the profit that it realises.
#[must_use]
pub(crate) fn traded(position: Position, change: Qty, price: Price, contract: &Contract) -> Traded {
    let mut after = position;
    if position.opens(change) {
        after.add(change, price, contract);
        return Traded { after, profit: Money::ZERO, dust: Fine::ZERO };
    }
    let held = position.base.abs();
    let closed = change.abs().min(held);
    let side = Side::of(position.base);
    let released = position.cost.share_towards_zero(closed, held);
    let realised = contract.realised(contract.fine(price, side.signed(closed)), released);
    after.base -= side.signed(closed);
    after.cost -= released;
    let rest = change + side.signed(closed);
    if !rest.is_zero() {
        after.add(rest, price, contract);
    }
    Traded::new(after, realised)
}

/// What the floor keeps beside an account's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tag {
    /// The group of the account; 0: alone.
    pub(crate) group: u32,
    /// The self-trade mode of its orders that say nothing of it.
    pub(crate) prevention: SelfTrade,
    /// What the floor notes about it.
    pub(crate) flags: u8,
    /// While it waits for the health pass: the market in which its position may have changed.
    pub(crate) changed: MarketId,
    /// Its positions in groups of markets are margined together.
    pub(crate) portfolio: bool,
}

/// What an account has in one market, and in the line of its first market what it has beside markets. One line of the
/// cache: its way there is most of what the checks of an order cost when there are many accounts.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    position: Position,
    /// Balance of the valuation asset.
    cash: Money,
    tag: Tag,
}

const _: () = assert!(size_of::<Line>() == 64);

/// What an order asks of its account at one look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holding<'a> {
    /// Its position in the market.
    pub(crate) position: &'a Position,
    /// Its balance of the valuation asset.
    pub(crate) cash: Money,
    /// What the floor keeps of it.
    pub(crate) tag: &'a Tag,
}

/// An account's positions, by market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Positions<'a>(&'a [Line]);

impl<'a> Positions<'a> {
    #[inline(always)]
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a Position> + Clone {
        self.0.iter().map(|line| &line.position)
    }
}

/// The sum of a market's long positions, and that of all its positions with their signs.
#[derive(Debug, Clone, Copy, Default)]
struct Lots {
    long: Qty,
    net: Qty,
}

/// All accounts and all money.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    assets: usize,
    markets: usize,
    /// Lines of an account: one per market, and one if there is none.
    stride: usize,
    accounts: usize,
    lines: Vec<Line>,
    /// Balances of the assets other than the valuation asset.
    others: Vec<Money>,
    /// The initial rate that an account chose for itself, by market; as long as the last account that did.
    own_rates: Vec<Vec<Ppm>>,
    external: Vec<Money>,
    treasury: Vec<Money>,
    funds: Vec<Money>,
    fees: Money,
    clearing: Vec<Money>,
    funding: Vec<Money>,
    rounding: Vec<Money>,
    /// Parts of a minor unit of each market's clearing that belong to its rounding.
    dust: Vec<Fine>,
    /// By market: parts of a minor unit in which entry costs are kept.
    scales: Vec<i64>,
    shortfall: Money,
    /// Money or a position moved since the last audit.
    moved: bool,
    /// Running total of everything inside the venue, per asset: equals deposits less withdrawals.
    inside: Vec<Sum>,
    /// Running totals of each market's positions.
    lots: Vec<Lots>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub(crate) fn new(config: &Config) -> Self {
        let (assets, funds, markets) = (config.assets.len(), config.funds.len(), config.markets.len());
        Self {
            assets,
            markets,
            stride: markets.max(1),
            accounts: 0,
            lines: Vec::new(),
            others: Vec::new(),
            own_rates: vec![Vec::new(); markets],
            external: vec![Money::ZERO; assets],
            treasury: vec![Money::ZERO; assets],
            funds: vec![Money::ZERO; funds],
            fees: Money::ZERO,
            clearing: vec![Money::ZERO; markets],
            funding: vec![Money::ZERO; markets],
            rounding: vec![Money::ZERO; markets],
            dust: vec![Fine::ZERO; markets],
            scales: config.markets.iter().map(|m| m.contract().scale()).collect(),
            shortfall: Money::ZERO,
            moved: false,
            inside: vec![Sum::ZERO; assets],
            lots: vec![Lots::default(); markets],
        }
    }

    /// Number of accounts.
    #[must_use]
    pub(crate) fn accounts(&self) -> usize {
        self.accounts
    }

    /// Number of assets.
    #[must_use]
    pub(crate) fn assets(&self) -> usize {
        self.assets
    }

    /// Number of markets.
    #[must_use]
    pub(crate) fn markets(&self) -> usize {
        self.markets
    }

    /// Opens the next account.
    pub(crate) fn open(&mut self) -> AccountId {
        let id = AccountId::from_index(self.accounts);
        self.accounts += 1;
        self.lines.resize(self.accounts * self.stride, Line::default());
        self.others.resize(self.accounts * (self.assets - 1), Money::ZERO);
        id
    }

    /// What the floor keeps of an account.
    #[inline(always)]
    pub(crate) fn tag(&self, account: AccountId) -> &Tag {
        &self.lines[self.first(account)].tag
    }

    /// The same, to change it.
    #[inline(always)]
    pub(crate) fn tag_mut(&mut self, account: AccountId) -> &mut Tag {
        let first = self.first(account);
        &mut self.lines[first].tag
    }

    /// True if an account's positions in groups of markets are margined together.
    #[inline(always)]
    pub(crate) fn has_portfolio(&self, account: AccountId) -> bool {
        self.tag(account).portfolio
    }

    /// True if the account exists.
    #[must_use]
    pub(crate) fn knows(&self, account: AccountId) -> bool {
        account.index() < self.accounts
    }

    /// An account's balance of an asset.
    #[must_use]
    #[inline(always)]
    pub(crate) fn balance(&self, account: AccountId, asset: AssetId) -> Money {
        if asset == VALUATION {
            self.lines[self.first(account)].cash
        } else {
            self.others[self.other(account, asset)]
        }
    }

    #[inline(always)]
    fn balance_mut(&mut self, account: AccountId, asset: AssetId) -> &mut Money {
        if asset == VALUATION {
            let first = self.first(account);
            &mut self.lines[first].cash
        } else {
            let place = self.other(account, asset);
            &mut self.others[place]
        }
    }

    /// The place of a balance of another asset than the valuation asset.
    fn other(&self, account: AccountId, asset: AssetId) -> usize {
        account.index() * (self.assets - 1) + asset.index() - 1
    }

    /// An account's position in a market.
    #[must_use]
    #[inline(always)]
    pub(crate) fn position(&self, account: AccountId, market: MarketId) -> &Position {
        &self.lines[self.line(account, market)].position
    }

    /// The line of an account's first market. Never wraps: accounts have 32 bits, and markets 16.
    #[inline(always)]
    fn first(&self, account: AccountId) -> usize {
        account.index().wrapping_mul(self.stride)
    }

    /// The line of an account in a market.
    #[inline(always)]
    fn line(&self, account: AccountId, market: MarketId) -> usize {
        self.first(account).wrapping_add(market.index())
    }

    /// What an account has in a market, if there is such an account.
    #[must_use]
    #[inline(always)]
    pub(crate) fn holding(&self, account: AccountId, market: MarketId) -> Option<Holding<'_>> {
        let of_market = self.lines.get(self.line(account, market))?;
        let first = if market.index() == 0 { of_market } else { &self.lines[self.first(account)] };
        Some(Holding { position: &of_market.position, cash: first.cash, tag: &first.tag })
    }

    /// Something of what an order asks of an account, to bring it nearer.
    #[inline(always)]
    pub(crate) fn glance(&self, account: AccountId, market: MarketId) -> i64 {
        self.lines.get(self.line(account, market)).map_or(0, |line| line.position.base.get())
    }

    /// An account's position, to change its open quantities.
    #[inline(always)]
    pub(crate) fn position_mut(&mut self, account: AccountId, market: MarketId) -> &mut Position {
        let line = self.line(account, market);
        &mut self.lines[line].position
    }

    /// All of an account's positions, by market.
    #[must_use]
    #[inline(always)]
    pub(crate) fn positions(&self, account: AccountId) -> Positions<'_> {
        Positions(&self.lines[self.first(account)..][..self.markets])
    }

    /// The initial rate that an account chose for itself in a market; zero for none.
    #[must_use]
    #[inline(always)]
    pub(crate) fn own_rate(&self, account: AccountId, market: MarketId) -> Ppm {
        self.own_rates[market.index()].get(account.index()).copied().unwrap_or(Ppm::ZERO)
    }

    /// Sets the initial rate that an account chose for itself.
    pub(crate) fn set_own_rate(&mut self, account: AccountId, market: MarketId, rate: Ppm) {
        let rates = &mut self.own_rates[market.index()];
        if account.index() >= rates.len() {
            rates.resize(account.index() + 1, Ppm::ZERO);
        }
        rates[account.index()] = rate;
    }

    /// Every account that chose its rate in a market, and the rate.
    pub(crate) fn own_rates(&self, market: MarketId) -> impl Iterator<Item = (AccountId, Ppm)> + Clone {
        let each = self.own_rates[market.index()].iter().enumerate().filter(|(_, rate)| !rate.is_zero());
        each.map(|(i, rate)| (AccountId::from_index(i), *rate))
    }

    /// Every account's position in one market, by account.
    pub(crate) fn market_positions(&self, market: MarketId) -> impl Iterator<Item = (AccountId, &Position)> {
        let each = self.lines.iter().skip(market.index()).step_by(self.stride);
        each.enumerate().map(|(i, line)| (AccountId::from_index(i), &line.position))
    }

    /// Sum of long positions.
    #[must_use]
    #[inline(always)]
    pub(crate) fn open_interest(&self, market: MarketId) -> Qty {
        self.lots[market.index()].long
    }

    /// Deposits less withdrawals of an asset.
    #[must_use]
    pub(crate) fn deposits(&self, asset: AssetId) -> Money {
        -self.external[asset.index()]
    }

    /// Money at a place, in its asset.
    #[must_use]
    pub(crate) fn at(&self, place: Place) -> Money {
        match place {
            Place::External(asset) => self.external[asset.index()],
            Place::User(account, asset) => self.balance(account, asset),
            Place::Fund(fund) => self.funds[fund.index()],
            Place::Fees => self.fees,
            Place::Clearing(market) => self.clearing[market.index()],
            Place::Funding(market) => self.funding[market.index()],
            Place::Rounding(market) => self.rounding[market.index()],
            Place::Treasury(asset) => self.treasury[asset.index()],
            Place::Shortfall => self.shortfall,
        }
    }

    #[inline(always)]
    fn at_mut(&mut self, place: Place) -> (&mut Money, AssetId) {
        match place {
            Place::External(asset) => (&mut self.external[asset.index()], asset),
            Place::User(account, asset) => (self.balance_mut(account, asset), asset),
            Place::Fund(fund) => (&mut self.funds[fund.index()], VALUATION),
            Place::Fees => (&mut self.fees, VALUATION),
            Place::Clearing(market) => (&mut self.clearing[market.index()], VALUATION),
            Place::Funding(market) => (&mut self.funding[market.index()], VALUATION),
            Place::Rounding(market) => (&mut self.rounding[market.index()], VALUATION),
            Place::Treasury(asset) => (&mut self.treasury[asset.index()], asset),
            Place::Shortfall => (&mut self.shortfall, VALUATION),
        }
    }

    /// Sum of the balances of an asset that are above zero. Looks at every account.
    pub(crate) fn held(&self, asset: AssetId) -> Sum {
        let accounts = (0..self.accounts()).map(AccountId::from_index);
        accounts.fold(Sum::ZERO, |sum, a| sum + Sum::of(self.balance(a, asset).max(Money::ZERO)))
    }

    /// Moves money between two places of the same asset; a negative amount moves the other way.
    ///
    /// A fund that would fall below zero is a bug of the caller.
    #[inline(never)]
    pub(crate) fn transfer(&mut self, from: Place, to: Place, amount: Money) {
        self.shift(from, to, amount);
    }

    /// A fee for a trade, to the venue; a rebate is negative.
    #[inline(always)]
    pub(crate) fn charge(&mut self, account: AccountId, fee: Money) {
        self.shift(Place::User(account, VALUATION), Place::Fees, fee);
    }

    /// The only function that changes a balance; in line where the places are known.
    #[inline(always)]
    fn shift(&mut self, from: Place, to: Place, amount: Money) {
        let (source, asset_from) = self.at_mut(from);
        *source -= amount;
        assert!(!matches!(from, Place::Fund(_)) || !source.is_negative(), "a fund paid more than it had");
        let (target, asset_to) = self.at_mut(to);
        *target += amount;
        assert!(!matches!(to, Place::Fund(_)) || !target.is_negative(), "a fund paid more than it had");
        assert_eq!(asset_from, asset_to, "money changed its asset on the way");
        self.moved = true;
        // What stays inside does not change what is inside.
        let (leaves, comes) = (matches!(to, Place::External(_)), matches!(from, Place::External(_)));
        if leaves != comes {
            let change = if comes { amount } else { -amount };
            self.inside[asset_to.index()] += change;
        }
    }

    /// Books one side of a trade; the profit that it realises moves to the balance.
    #[inline(always)]
    pub(crate) fn trade(
        &mut self,
        account: AccountId,
        market: MarketId,
        change: Qty,
        price: Price,
        contract: &Contract,
    ) {
        let value = contract.fine(price, change);
        self.fill(account, market, (change, value), Qty::ZERO, (price, contract));
    }

    /// The same of lots whose value is at hand, so many of which rested as an order before.
    #[inline(always)]
    pub(crate) fn fill(
        &mut self,
        account: AccountId,
        market: MarketId,
        (change, value): (Qty, Fine),
        rested: Qty,
        at: (Price, &Contract),
    ) {
        let position = self.position_mut(account, market);
        position.add_open(Side::of(change), -rested);
        if position.opens(change) {
            position.base += change;
            position.cost += value;
            // What is bought is added, without a branch.
            let long = Side::of(change).pick(change, Qty::ZERO);
            return self.count_lots(market, long, change);
        }
        self.trade_back(account, market, change, at);
    }

    /// A trade that closes lots.
    #[inline(never)]
    fn trade_back(&mut self, account: AccountId, market: MarketId, change: Qty, at: (Price, &Contract)) {
        let traded = traded(*self.position(account, market), change, at.0, at.1);
        self.settle(account, market, &traded);
    }

    /// Keeps the running totals of a market's positions.
    #[inline(always)]
    fn count_lots(&mut self, market: MarketId, long: Qty, net: Qty) {
        let lots = &mut self.lots[market.index()];
        lots.long += long;
        lots.net += net;
        self.moved = true;
    }

    /// Closes a part of a position, or all of it, for an amount instead of a price: the account receives the proceeds,
    /// or pays if they are negative. `change` is not more than the position and turns it towards zero.
    pub(crate) fn close(
        &mut self,
        account: AccountId,
        market: MarketId,
        change: Qty,
        proceeds: (Money, &Contract),
    ) {
        let mut after = *self.position(account, market);
        let released = after.cost.share_towards_zero(change.abs(), after.base.abs());
        assert!(
            after.base.is_positive() != change.is_positive() && change.abs() <= after.base.abs(),
            "a close"
        );
        after.base += change;
        after.cost -= released;
        let (proceeds, contract) = proceeds;
        self.settle(account, market, &Traded::new(after, contract.realised_of(proceeds, released)));
    }

    /// Realises a profit of a position that stays as it is: its entry cost rises by as much.
    pub(crate) fn realise(
        &mut self,
        account: AccountId,
        market: MarketId,
        profit: Money,
        contract: &Contract,
    ) {
        let mut after = *self.position(account, market);
        after.cost += contract.parts(profit);
        self.settle(account, market, &Traded { after, profit, dust: Fine::ZERO });
    }

    /// Books a position and the profit that came out of it.
    fn settle(&mut self, account: AccountId, market: MarketId, traded: &Traded) {
        let Traded { after, profit, dust } = *traded;
        let position = self.position_mut(account, market);
        let before = position.base;
        *position = after;
        let long = |base: Qty| base.max(Qty::ZERO);
        self.count_lots(market, long(after.base) - long(before), after.base - before);
        if !profit.is_zero() {
            self.shift(Place::Clearing(market), Place::User(account, VALUATION), profit);
        }
        if !dust.is_zero() {
            self.leave(market, dust);
        }
    }

    /// Parts of a minor unit stay in a market's clearing; as soon as they are one it moves to the market's rounding.
    fn leave(&mut self, market: MarketId, parts: Fine) {
        let scale = Fine::new(self.scales[market.index()]);
        let dust = &mut self.dust[market.index()];
        *dust += parts;
        if *dust >= scale {
            *dust -= scale;
            self.transfer(Place::Clearing(market), Place::Rounding(market), Money::new(1));
        }
    }

    /// What a market's clearing has to be, in parts of a minor unit, by the entry costs and what rounding left in it.
    #[must_use]
    pub(crate) fn clearing_is_right(&self, market: MarketId) -> bool {
        let clearing = Sum::of(self.clearing[market.index()]).times(Qty::new(self.scales[market.index()]));
        clearing + self.costs(market) == Sum::new(self.dust[market.index()].get().into())
    }

    /// True if money or positions moved since the last audit.
    pub(crate) fn has_moved(&self) -> bool {
        self.moved
    }

    /// [`Ledger::audit_cheap`] if money or positions moved since the last audit.
    pub(crate) fn audit_moved(&mut self) {
        if std::mem::take(&mut self.moved) {
            self.audit_cheap();
        }
    }

    /// [`Ledger::audit_moved`] of a step that did nothing but trades in one market, with their fees: what it leaves out is
    /// as it was.
    #[inline(always)]
    pub(crate) fn audit_trades(&mut self, market: MarketId) {
        self.moved = false;
        self.audit_money(VALUATION);
        self.audit_positions(market);
    }

    #[inline(always)]
    fn audit_money(&self, asset: AssetId) {
        let (inside, external) = (self.inside[asset.index()], self.external[asset.index()]);
        assert_eq!(inside, Sum::of(-external), "money of asset {asset} is not conserved");
    }

    #[inline(always)]
    fn audit_positions(&self, market: MarketId) {
        let net = self.lots[market.index()].net;
        assert!(net.is_zero(), "positions of market {market} sum to {net}");
    }

    /// Asserts what running totals can prove: per asset, what is inside is deposits less withdrawals; each
    /// market's positions sum to zero; no fund is negative.
    pub(crate) fn audit_cheap(&self) {
        (0..self.assets).map(AssetId::from_index).for_each(|asset| self.audit_money(asset));
        (0..self.markets).map(MarketId::from_index).for_each(|market| self.audit_positions(market));
        assert!(self.funds.iter().all(|f| !f.is_negative()), "a fund is negative");
        assert!(!self.shortfall.is_positive(), "a shortfall is positive");
    }

    /// Sum of all balances of an asset over accounts only.
    #[must_use]
    pub(crate) fn users(&self, asset: AssetId) -> Sum {
        let mut total = Sum::ZERO;
        for account in (0..self.accounts).map(AccountId::from_index) {
            total += self.balance(account, asset);
        }
        total
    }

    /// Sum of everything of an asset that the venue keeps as a counterpart: clearing, funding, treasury, shortfall.
    #[must_use]
    pub(crate) fn venue(&self, asset: AssetId) -> Sum {
        let mut total = Sum::of(self.treasury[asset.index()]);
        if asset == VALUATION {
            for amount in self.clearing.iter().chain(&self.funding).chain(&self.rounding) {
                total += *amount;
            }
            total += self.shortfall;
        }
        total
    }

    /// Sum of the entry costs of one market.
    fn costs(&self, market: MarketId) -> Sum {
        let mut total = Sum::ZERO;
        for (_, p) in self.market_positions(market) {
            total += Sum::new(p.cost.get().into());
        }
        total
    }

    /// Signed sum and long sum of the positions of one market, counted anew.
    #[must_use]
    pub(crate) fn recount(&self, market: MarketId) -> (Qty, Qty) {
        let (mut net, mut long) = (Qty::ZERO, Qty::ZERO);
        for (_, p) in self.market_positions(market) {
            net += p.base;
            long += p.base.max(Qty::ZERO);
        }
        (net, long)
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.len(self.accounts);
        for account in (0..self.accounts).map(AccountId::from_index) {
            for asset in (0..self.assets).map(AssetId::from_index) {
                w.i64(self.balance(account, asset).get());
            }
        }
        for p in (0..self.accounts).flat_map(|i| self.positions(AccountId::from_index(i)).iter()) {
            w.i64(p.base.get());
            w.i64(p.cost.get());
            w.i64(p.open_buys.get());
            w.i64(p.open_sells.get());
        }
        for list in [&self.external, &self.treasury, &self.funds, &self.clearing, &self.funding] {
            for amount in list {
                w.i64(amount.get());
            }
        }
        w.i64(self.fees.get());
        w.i64(self.shortfall.get());
        for market in self.fractional() {
            w.i64(self.rounding[market].get());
            w.i64(self.dust[market].get());
        }
    }

    /// Markets whose entry costs are kept in parts of a minor unit.
    fn fractional(&self) -> impl Iterator<Item = usize> + use<> {
        let scales = self.scales.clone();
        (0..self.markets).filter(move |&market| scales[market] > 1)
    }

    pub(crate) fn decode(config: &Config, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut ledger = Self::new(config);
        let (assets, markets) = (ledger.assets, ledger.markets);
        let money = |r: &mut Reader<'_>| match r.i64()? {
            i64::MIN => Err(r.invalid("an amount is out of range; take another copy")),
            x => Ok(Money::new(x)),
        };
        // No position holds more: Config::prove_amounts. So the sums below cannot overflow.
        let held = |r: &mut Reader<'_>| match r.i64()? {
            x if x.unsigned_abs() <= i64::MAX.unsigned_abs() >> 2 => Ok(x),
            x => Err(r.invalid(format!("{x} is more than a venue can hold; take another copy"))),
        };
        let mut net = vec![0i128; markets];
        for _ in 0..r.len()? {
            let account = ledger.open();
            for asset in (0..assets).map(AssetId::from_index) {
                *ledger.balance_mut(account, asset) = money(r)?;
            }
        }
        for i in 0..ledger.accounts * markets {
            let p = Position {
                base: Qty::new(held(r)?),
                cost: Fine::new(held(r)?),
                open_buys: Qty::new(held(r)?),
                open_sells: Qty::new(held(r)?),
            };
            if p.open_buys.is_negative() || p.open_sells.is_negative() {
                return Err(r.invalid("an open quantity is negative; take another copy"));
            }
            ledger.lines[i].position = p;
            let market = i % markets;
            net[market] += i128::from(p.base.get());
            let long = ledger.lots[market].long.get().checked_add(p.base.max(Qty::ZERO).get());
            ledger.lots[market].long =
                Qty::new(long.ok_or_else(|| r.invalid("open interest is out of range; take another copy"))?);
        }
        for list in [
            &mut ledger.external,
            &mut ledger.treasury,
            &mut ledger.funds,
            &mut ledger.clearing,
            &mut ledger.funding,
        ] {
            for amount in list {
                *amount = money(r)?;
            }
        }
        ledger.fees = money(r)?;
        ledger.shortfall = money(r)?;
        for market in ledger.fractional() {
            let (rounding, dust) = (money(r)?, money(r)?.get());
            if rounding.is_negative() || !(0..ledger.scales[market]).contains(&dust) {
                return Err(r.invalid("a market's rounding is out of range; take another copy"));
            }
            (ledger.rounding[market], ledger.dust[market]) = (rounding, Fine::new(dust));
        }
        for (m, base) in net.into_iter().enumerate() {
            if base != 0 || !ledger.clearing_is_right(MarketId::from_index(m)) {
                let why = format!(
                    "positions of market {m} do not sum to zero with its clearing; take another copy"
                );
                return Err(r.invalid(why));
            }
        }
        for asset in (0..assets).map(AssetId::from_index) {
            let fees = if asset == VALUATION { Sum::of(ledger.fees) } else { Sum::ZERO };
            let mut inside = ledger.users(asset) + ledger.venue(asset) + fees;
            if asset == VALUATION {
                ledger.funds.iter().for_each(|f| inside += *f);
            }
            if inside != Sum::of(ledger.deposits(asset)) {
                return Err(r.invalid(format!("money of asset {asset} is not conserved; take another copy")));
            }
            ledger.inside[asset.index()] = inside;
        }
        Ok(ledger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TickValue;

    const TICK: Contract = Contract::linear(TickValue::new(1));
    /// 2e6 minor units over the price, in thousandths.
    const COIN: Contract = Contract::inverse(2_000_000, 1000);

    fn position(base: i64, cost: i64) -> Position {
        Position { base: Qty::new(base), cost: Fine::new(cost), ..Position::default() }
    }

    #[test]
    fn a_partial_close_keeps_its_rounding_in_the_same_position() {
        // Three lots cost 100; one lot closes at 40. A third of 100 is released towards zero: 33, profit 7.
        let t = traded(position(3, 100), Qty::new(-1), Price::new(40), &TICK);
        assert_eq!((t.after, t.profit), (position(2, 67), Money::new(7)));
    }

    #[test]
    fn a_trade_through_zero_closes_all_and_opens_the_rest() {
        let t = traded(position(-2, -20), Qty::new(5), Price::new(8), &TICK);
        assert_eq!((t.after, t.profit), (position(3, 24), Money::new(4)));
    }

    #[test]
    fn equity_moves_by_price_only() {
        // Value less cost plus realised profit is the same whichever way a position was reached.
        let mut p = position(0, 0);
        let mut cash = Money::ZERO;
        for (change, price) in [(7, 10), (-3, 13), (5, 9), (-14, 11), (2, 12), (3, 10)] {
            let before = cash + p.profit(Price::new(price), &TICK);
            let t = traded(p, Qty::new(change), Price::new(price), &TICK);
            p = t.after;
            cash += t.profit;
            assert_eq!(before, cash + p.profit(Price::new(price), &TICK));
        }
        assert_eq!(p, position(0, 0));
    }

    #[test]
    fn an_inverse_position_keeps_what_rounding_leaves_until_it_is_flat() {
        // Bought at 6,000: 333.333 each. At 7,000 one is worth 285.714: 47.619 are won, 47 of it paid and 0.619 kept.
        let opened = traded(position(0, 0), Qty::new(2), Price::new(6_000), &COIN);
        assert_eq!((opened.after, opened.profit), (position(2, -666_666), Money::ZERO));
        let t = traded(opened.after, Qty::new(-1), Price::new(7_000), &COIN);
        assert_eq!((t.after, t.profit, t.dust), (position(1, -333_333 - 619), Money::new(47), Fine::ZERO));
        // The other one at the same price: 47.619 and 0.619 are 48, and 0.238 that nobody is paid.
        let t = traded(t.after, Qty::new(-1), Price::new(7_000), &COIN);
        assert_eq!((t.after, t.profit, t.dust), (position(0, 0), Money::new(48), Fine::new(238)));
        // A loss is rounded down, too: away from zero.
        let t = traded(opened.after, Qty::new(-2), Price::new(5_000), &COIN);
        assert_eq!((t.profit, t.dust), (Money::new(-134), Fine::new(666)));
    }

    #[test]
    fn equity_of_an_inverse_position_moves_by_price_and_by_what_is_left_behind_only() {
        let fine = |p: &Position, price| COIN.fine(price, p.base) - p.cost;
        let (mut p, mut cash, mut dust) = (position(0, 0), Fine::ZERO, Fine::ZERO);
        for (change, price) in [(7, 6_000), (-3, 7_001), (5, 5_003), (-14, 6_500), (2, 8_191), (3, 4_097)] {
            let price = Price::new(price);
            let before = cash + dust + fine(&p, price);
            let t = traded(p, Qty::new(change), price, &COIN);
            p = t.after;
            cash += COIN.parts(t.profit);
            dust += t.dust;
            assert_eq!(before, cash + dust + fine(&p, price));
            assert!(COIN.parts(p.profit(price, &COIN)) <= fine(&p, price));
        }
        assert_eq!(p, position(0, 0));
    }
}
