//! What an order asks for: its form, and the terms that were said before it.
//!
//! Reads records and refuses those that contradict themselves (docs/mechanics.md section 6.1). Knows no market and
//! no account but by number.

use crate::codec::{CodecError, Reader, Writer};
use crate::protocol::{
    DAY, HIDDEN, OrderType, POST_ONLY, Placing, REDUCE_ONLY, Record, Reject, SELF_TRADE, SELF_TRADE_SHIFT,
    SLIDE, SelfTrade, word,
};
use crate::units::{AccountId, MILLION, MarketId, Nanos, OrderId, Ppm, Price, Qty, Side};

/// Flag of an order in the book that no user's order has: the venue sent it for an account in liquidation, to trade in
/// an auction.
pub(crate) const LIQUIDATION: u16 = 512;
/// The flags that an order may have.
const ORDER_FLAGS: u16 = POST_ONLY | REDUCE_ONLY | SLIDE | HIDDEN | DAY | SELF_TRADE;
/// The mode of an order that wants no prevention although its account has one.
const NO_PREVENTION: u16 = 5;

/// What a breaker may be told to leave alone.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct FlowKind {
    pub(crate) liquidation: bool,
    pub(crate) reduce_only: bool,
    pub(crate) post_only: bool,
    /// It does not rest.
    pub(crate) immediate: bool,
}

/// An order as its owner sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub account: AccountId,
    pub side: Side,
    pub kind: OrderType,
    pub flags: u16,
    /// Zero for a market order.
    pub price: Price,
    pub qty: Qty,
    /// The client's name for it; 0 for none.
    pub client: u64,
    /// The session that sent it; 0 for none.
    pub session: u16,
}

/// Why an order waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TriggerKind {
    Stop,
    TakeProfit,
    Trailing,
}

impl TriggerKind {
    fn from_code(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::Stop),
            2 => Some(Self::TakeProfit),
            3 => Some(Self::Trailing),
            _ => None,
        }
    }

    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Stop => 1,
            Self::TakeProfit => 2,
            Self::Trailing => 3,
        }
    }
}

/// Which price a waiting order watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    Last,
    Mark,
    Index,
}

impl Watched {
    fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::Last),
            1 => Some(Self::Mark),
            2 => Some(Self::Index),
            _ => None,
        }
    }

    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Last => 0,
            Self::Mark => 1,
            Self::Index => 2,
        }
    }
}

/// When a waiting order fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trigger {
    pub kind: TriggerKind,
    pub watched: Watched,
    /// The trigger, or the offset of a trailing stop.
    pub price: Price,
}

impl Trigger {
    /// True if the order fires when the price rises to the trigger, false if when it falls to it.
    pub(crate) fn rises(&self, side: Side) -> bool {
        match self.kind {
            TriggerKind::Stop | TriggerKind::Trailing => side == Side::Buy,
            TriggerKind::TakeProfit => side == Side::Sell,
        }
    }

    /// True if a fixed trigger fires at a price; trailing stops are not asked.
    pub(crate) fn holds(&self, side: Side, price: Price) -> bool {
        self.kind != TriggerKind::Trailing
            && if self.rises(side) { price >= self.price } else { price <= self.price }
    }
}

/// How far from the touch a market order may trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Ticks(Price),
    Share(Ppm),
}

/// The further terms of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Terms {
    pub trigger: Option<Trigger>,
    pub display: Option<Qty>,
    pub expiry: Option<Nanos>,
    pub minimum: Option<Qty>,
    pub leg: Option<OrderId>,
    pub protection: Option<Protection>,
}

/// Terms that wait for their order, if any were said. Few orders have any, so they stand apart from the path of the
/// others.
pub(crate) type Gathered = Option<Box<Said>>;

/// What was said of an account's next order in a market.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Said {
    /// Whose order; none if no term was accepted yet.
    pub of: Option<(MarketId, AccountId)>,
    pub terms: Terms,
    /// A term was refused: the order must not come without it.
    pub broken: bool,
}

fn must(holds: bool) -> Result<(), Reject> {
    if holds { Ok(()) } else { Err(Reject::BadField) }
}

impl Order {
    /// The order of a Place.
    #[inline(always)]
    pub(crate) fn read(r: &Record) -> Result<Self, Reject> {
        let side = Side::from_code(r.side).ok_or(Reject::BadField)?;
        let kind = OrderType::from_code(r.code).ok_or(Reject::BadField)?;
        let session = u16::try_from(r.amount).map_err(|_| Reject::BadField)?;
        must(flags_fit(r.flags, kind) && (kind != OrderType::Market || r.price == 0))?;
        Ok(Self {
            account: AccountId::new(r.account),
            side,
            kind,
            flags: r.flags,
            price: Price::new(r.price),
            qty: Qty::new(r.qty),
            client: r.order,
            session,
        })
    }

    /// True for a limit order, to rest or not, of which nothing more is said than a self-trade mode.
    #[inline(always)]
    pub(crate) fn is_bare(r: &Record) -> bool {
        // All other flags are above the codes of modes then.
        word::is_sided(r) && r.flags.rotate_right(SELF_TRADE_SHIFT) <= NO_PREVENTION && r.amount == 0
    }

    #[inline(always)]
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// True if a phase that places so takes it in.
    #[inline(always)]
    pub(crate) fn is_admitted(&self, placing: Placing) -> bool {
        match placing {
            Placing::All => true,
            Placing::Resting => self.rests(),
            Placing::Providing => !self.rests() || self.has(REDUCE_ONLY) || self.has(POST_ONLY),
            Placing::Reducing => !self.rests() || self.has(REDUCE_ONLY),
            Placing::Closing => !self.rests(),
            Placing::None => false,
        }
    }

    /// True if it has to make the position smaller where a phase places so.
    #[inline(always)]
    pub(crate) fn must_reduce(&self, placing: Placing) -> bool {
        let asked = match placing {
            Placing::All | Placing::Resting | Placing::None => false,
            Placing::Providing => !(self.rests() && self.has(POST_ONLY)),
            Placing::Reducing | Placing::Closing => true,
        };
        asked || self.has(REDUCE_ONLY)
    }

    /// What breakers may be told to leave alone.
    #[inline(always)]
    pub(crate) fn flow(&self) -> FlowKind {
        FlowKind {
            liquidation: false,
            reduce_only: self.has(REDUCE_ONLY),
            post_only: self.has(POST_ONLY),
            immediate: !self.rests(),
        }
    }

    /// Its limit; none of a market order.
    #[inline(always)]
    pub(crate) fn limit(&self) -> Option<Price> {
        (self.kind != OrderType::Market).then_some(self.price)
    }

    #[inline(always)]
    pub(crate) fn rests(&self) -> bool {
        self.kind == OrderType::Limit
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.u32(self.account.get());
        w.u8(self.side.code());
        w.u16(self.kind.code());
        w.u16(self.flags);
        w.i64(self.price.get());
        w.i64(self.qty.get());
        w.u64(self.client);
        w.u16(self.session);
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let account = r.u32()?;
        let (side, code, flags) = (r.u8()?, r.u16()?, r.u16()?);
        let record = Record {
            account,
            side,
            code,
            flags,
            price: r.i64()?,
            qty: r.i64()?,
            order: r.u64()?,
            amount: i64::from(r.u16()?),
            ..Record::default()
        };
        // A waiting day order may be of any type.
        Self::read(&Record { flags: flags & !DAY, ..record })
            .map(|order| Self { flags, ..order })
            .map_err(|_| r.invalid("an order contradicts itself; take another copy"))
    }
}

/// True if a type of order may have these flags.
#[inline(always)]
fn flags_fit(flags: u16, kind: OrderType) -> bool {
    if flags == 0 {
        return true;
    }
    let limit_only = flags & (POST_ONLY | HIDDEN) == 0 || kind == OrderType::Limit;
    let slides = flags & SLIDE == 0 || flags & POST_ONLY != 0;
    flags & !ORDER_FLAGS == 0 && limit_only && slides && (flags >> SELF_TRADE_SHIFT) <= NO_PREVENTION
}

/// True if a quote may have these flags.
pub(crate) fn quote_flags_fit(flags: u16) -> bool {
    flags & !(POST_ONLY | SLIDE | SELF_TRADE) == 0 && flags_fit(flags, OrderType::Limit)
}

/// The mode of an order: its own, or else its account's.
#[inline]
pub(crate) fn self_trade(flags: u16, of_account: SelfTrade) -> SelfTrade {
    match (flags & SELF_TRADE) >> SELF_TRADE_SHIFT {
        0 => of_account,
        code => SelfTrade::from_code(code).unwrap_or_default(),
    }
}

/// True if that mode is not to let them trade.
#[inline(always)]
pub(crate) fn prevents(flags: u16, of_account: SelfTrade) -> bool {
    let own = (flags & SELF_TRADE) >> SELF_TRADE_SHIFT;
    (own != 0 || of_account != SelfTrade::Allowed) && own != NO_PREVENTION
}

impl Terms {
    /// What an order has of which nothing was said.
    pub(crate) const NONE: Self =
        Self { trigger: None, display: None, expiry: None, minimum: None, leg: None, protection: None };

    /// Takes one more term in.
    pub(crate) fn say(&mut self, r: &Record, price_max: Price) -> Result<(), Reject> {
        let price = Price::new(r.price);
        let priced = || must(price.is_positive() && price <= price_max);
        match r.code {
            1..=3 => {
                let kind = TriggerKind::from_code(r.code).ok_or(Reject::BadField)?;
                let watched = Watched::from_code(r.flags).ok_or(Reject::BadField)?;
                priced()?;
                put(&mut self.trigger, Trigger { kind, watched, price })
            }
            4 => must(r.qty > 0).and_then(|()| put(&mut self.display, Qty::new(r.qty))),
            5 => must(r.amount > 0).and_then(|()| put(&mut self.expiry, Nanos::new(r.amount))),
            6 => must(r.qty > 0).and_then(|()| put(&mut self.minimum, Qty::new(r.qty))),
            7 => must(r.order != 0).and_then(|()| put(&mut self.leg, OrderId::from_raw(r.order))),
            8 => priced().and_then(|()| put(&mut self.protection, Protection::Ticks(price))),
            9 => must((1..=MILLION).contains(&r.amount))
                .and_then(|()| put(&mut self.protection, Protection::Share(Ppm::new(r.amount)))),
            _ => Err(Reject::BadField),
        }
    }

    /// Refuses terms that do not go with an order.
    #[inline]
    pub(crate) fn fit(&self, order: &Order) -> Result<(), Reject> {
        let lasts = order.rests() || self.trigger.is_some();
        must(lasts || !order.has(DAY))?;
        must(self.display.is_none() || (order.rests() && !order.has(HIDDEN)))?;
        must(self.expiry.is_none() || (lasts && !order.has(DAY)))?;
        must(self.leg.is_none() || lasts)?;
        must(self.minimum.is_none_or(|minimum| {
            order.kind != OrderType::FillOrKill && !order.has(POST_ONLY) && minimum <= order.qty
        }))?;
        must(self.protection.is_none() || order.kind == OrderType::Market)
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.bool(self.trigger.is_some());
        if let Some(t) = self.trigger {
            w.u16(t.kind.code());
            w.u16(t.watched.code());
            w.i64(t.price.get());
        }
        w.option(self.display.map(Qty::get));
        w.option(self.expiry.map(Nanos::get));
        w.option(self.minimum.map(Qty::get));
        w.order(self.leg.unwrap_or_default());
        let (code, value) = match self.protection {
            None => (0, 0),
            Some(Protection::Ticks(price)) => (8, price.get()),
            Some(Protection::Share(share)) => (9, share.get()),
        };
        w.u16(code);
        w.i64(value);
    }

    pub(crate) fn decode(price_max: Price, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut terms = Self::NONE;
        let mut said = Vec::new();
        if r.bool()? {
            let (code, flags) = (r.u16()?, r.u16()?);
            said.push(Record { code, flags, price: r.i64()?, ..Record::default() });
        }
        let (display, expiry, minimum) = (r.option()?, r.option()?, r.option()?);
        said.extend(display.map(|qty| Record { code: 4, qty, ..Record::default() }));
        said.extend(expiry.map(|amount| Record { code: 5, amount, ..Record::default() }));
        said.extend(minimum.map(|qty| Record { code: 6, qty, ..Record::default() }));
        let leg = r.order()?;
        if leg != OrderId::default() {
            said.push(Record { code: 7, order: leg.raw(), ..Record::default() });
        }
        let (code, value) = (r.u16()?, r.i64()?);
        if code != 0 {
            said.push(Record { code, price: value, amount: value, ..Record::default() });
        }
        for record in &said {
            terms.say(record, price_max).map_err(|_| r.invalid("a term is not one; take another copy"))?;
        }
        Ok(terms)
    }
}

/// Fills a term that was not said yet.
fn put<T>(place: &mut Option<T>, value: T) -> Result<(), Reject> {
    must(place.is_none())?;
    *place = Some(value);
    Ok(())
}
