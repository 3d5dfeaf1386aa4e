//! Admission of orders: docs/mechanics.md sections 5 and 6.1, refusals in the order of the page.

use super::rules::{ClientIds, MarketRules};
use super::seen::Situation;
use super::words::{event, flag, order_type, phase, reject, term};
use super::{Fired, Market, Naive, Order, Protection, Refused, SLOT_BITS, Stand, Terms, Trigger, index};
use seawall_core::Record;

const MILLION: i128 = 1_000_000;

/// Lots that a Quote or a Replace names as well.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) price: i64,
    pub(super) qty: i64,
    pub(super) market_order: bool,
    pub(super) reduce_only: bool,
}

fn clamp_price(wide: i128) -> i64 {
    i64::try_from(wide.clamp(1, i128::from(i64::MAX))).expect("it is clamped")
}

fn ceil_div(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

impl Market {
    /// Quantity, price and notional: `QtyOutOfRange` to `NotionalOutOfRange`.
    pub(super) fn check_size(&self, size: Size) -> Refused {
        let rules = &self.rules;
        if size.qty < rules.qty_min || size.qty > rules.order_qty_max {
            return Err(reject::QTY_OUT_OF_RANGE);
        }
        if size.qty % rules.qty_step != 0 {
            return Err(reject::QTY_OFF_STEP);
        }
        if !size.market_order {
            if size.price < 1 || size.price > rules.price_max {
                return Err(reject::PRICE_OUT_OF_RANGE);
            }
            if size.price % rules.price_step != 0 {
                return Err(reject::PRICE_OFF_STEP);
            }
        }
        let price = if size.market_order { self.mark } else { Some(size.price) };
        let Some(price) = price else { return Ok(()) };
        let notional = i128::from(price) * i128::from(size.qty) * i128::from(rules.tick_value);
        let small = !size.reduce_only && notional < i128::from(rules.notional_min);
        let large = rules.notional_max.is_some_and(|max| notional > i128::from(max));
        if small || large { Err(reject::NOTIONAL_OUT_OF_RANGE) } else { Ok(()) }
    }

    /// The tightest bound of the bands for a side, none without bands or mark.
    fn bound(&self, side: u8) -> Option<i64> {
        let bounds = self.rules.bands.iter().filter_map(|b| self.bound_of(b.width_ppm?, side));
        if side == 0 { bounds.min() } else { bounds.max() }
    }

    fn bound_of(&self, width: i64, side: u8) -> Option<i64> {
        let (mark, width) = (i128::from(self.mark?), i128::from(width));
        Some(if side == 0 {
            clamp_price((mark * (MILLION + width)).div_euclid(MILLION))
        } else {
            clamp_price(ceil_div(mark * (MILLION - width), MILLION))
        })
    }

    /// The bands that a limit price breaks, with their bounds: the first that rejects, else the tightest.
    fn broken(&self, side: u8, price: i64) -> Option<(super::rules::Band, i64)> {
        let beyond = |bound: i64| if side == 0 { price > bound } else { price < bound };
        let bounds = self.rules.bands.iter().filter_map(|b| Some((*b, self.bound_of(b.width_ppm?, side)?)));
        let broken: Vec<_> = bounds.filter(|(_, bound)| beyond(*bound)).collect();
        let key = |bound: i64| if side == 0 { bound } else { -bound };
        let rejects = broken.iter().find(|(band, _)| band.rejects);
        rejects.or_else(|| broken.iter().min_by_key(|(_, bound)| key(*bound))).copied()
    }

    /// `OrderBounded` of a limit order that breaks a band.
    fn bounded(&self, order: &Order, (band, bound): (super::rules::Band, i64)) -> Record {
        Record {
            code: band.rule,
            flags: u16::from(!band.rejects),
            account: order.account,
            side: order.side,
            price: bound,
            qty: order.price,
            amount: self.mark.expect("a band that is broken has a mark"),
            ..Record::default()
        }
    }

    /// How far a market order may trade: its protection from the touch, tightened by the bands.
    fn market_limit(&self, order: &Order) -> Option<i64> {
        let touch = self.best(1 - order.side).map(i128::from);
        let buys = order.side == 0;
        let protected = order.protection.zip(touch).map(|(protection, touch)| match protection {
            Protection::Ticks(ticks) if buys => clamp_price(touch + i128::from(ticks)),
            Protection::Ticks(ticks) => clamp_price(touch - i128::from(ticks)),
            Protection::Ppm(ppm) if buys => {
                clamp_price((touch * (MILLION + i128::from(ppm))).div_euclid(MILLION))
            }
            Protection::Ppm(ppm) => clamp_price(ceil_div(touch * (MILLION - i128::from(ppm)), MILLION)),
        });
        let limits = [protected, self.bound(order.side)].into_iter().flatten();
        if buys { limits.min() } else { limits.max() }
    }

    fn would_take(&self, side: u8, price: i64) -> bool {
        let reaches = |best: i64| if side == 0 { best <= price } else { best >= price };
        phase::matches(self.phase) && self.best(1 - side).is_some_and(reaches)
    }

    /// A post-only order's price: its own, or the one that it slides to.
    fn posted(&self, order: &Order, price: i64) -> Refused<i64> {
        if !order.has(flag::POST_ONLY) || !self.would_take(order.side, price) {
            return Ok(price);
        }
        if !order.has(flag::SLIDE) {
            return Err(reject::WOULD_TAKE);
        }
        let best = self.best(1 - order.side).expect("it would take it");
        let price = if order.side == 0 { best - 1 } else { best + 1 };
        if (1..=self.rules.price_max).contains(&price) { Ok(price) } else { Err(reject::WOULD_TAKE) }
    }

    /// Position and open interest, with the order's lots counted as open.
    fn check_limits(&self, order: &Order) -> Refused {
        let exempt = order.code == order_type::LIMIT && order.has(flag::REDUCE_ONLY);
        if !self.rules.cleared || exempt {
            return Ok(());
        }
        let base = self.base_of(order.account);
        let buys = self.open_lots(order.account, 0, order.id);
        let sells = self.open_lots(order.account, 1, order.id);
        let qty = order.open();
        let (buys_with, sells_with) = if order.side == 0 { (buys + qty, sells) } else { (buys, sells + qty) };
        let reached = if order.side == 0 { base + buys_with } else { sells_with - base };
        if reached > self.rules.position_max {
            return Err(reject::POSITION_LIMIT);
        }
        let exposure = |buys: i64, sells: i64| (base + buys).max(sells - base).max(0);
        let grows = exposure(buys_with, sells_with) > exposure(buys, sells);
        if grows && self.open_interest() + qty > self.rules.open_interest_max {
            return Err(reject::OPEN_INTEREST_LIMIT);
        }
        Ok(())
    }

    fn client_in_use(&self, account: u32, client: u64) -> bool {
        let same = |o: &Order| match self.rules.client_ids {
            ClientIds::None => false,
            ClientIds::Hashed => o.client == client && o.account == account,
            ClientIds::Dense(_) => o.client == client,
        };
        client != 0 && self.orders.values().any(same)
    }

    /// The order of a client id, as `account` means it.
    pub(super) fn by_client(&self, account: u32, client: u64) -> Option<u64> {
        let owner = |o: &&Order| match self.rules.client_ids {
            ClientIds::Hashed => o.account == account,
            ClientIds::None | ClientIds::Dense(_) => true,
        };
        self.orders.values().filter(owner).find(|o| client != 0 && o.client == client).map(|o| o.id)
    }
}

impl Trigger {
    /// True if an observed price fires it; a trailing stop asks with the best price so far.
    pub(super) fn fires(&self, side: u8, price: i64) -> bool {
        let level = match (self.kind, self.best) {
            (term::TRAILING, None) => return false,
            (term::TRAILING, Some(best)) if side == 0 => best + self.price,
            (term::TRAILING, Some(best)) => best - self.price,
            _ => self.price,
        };
        // A stop of a buy and a take-profit of a sell fire upwards.
        if (side == 0) == (self.kind != term::TAKE_PROFIT) { price >= level } else { price <= level }
    }
}

/// The first time after `now` at which a day of the market ends; none beyond the range of times.
fn day_end(rules: &MarketRules, now: i64) -> Option<i64> {
    let (start, length) = (i128::from(rules.day_start_ns), i128::from(rules.day_length_ns));
    let days = (i128::from(now) - start).div_euclid(length) + 1;
    i64::try_from(start + days * length).ok()
}

impl Naive {
    /// A Term.
    pub(super) fn gather(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        let price_max = self.markets[m].rules.price_max;
        let priced = (1..=price_max).contains(&r.price);
        let good = match r.code {
            term::STOP | term::TAKE_PROFIT | term::TRAILING => priced && r.flags <= 2,
            term::DISPLAY | term::MINIMUM => r.qty >= 1,
            term::EXPIRY => r.amount >= 1,
            term::OTHER_LEG => r.order != 0,
            term::PROTECTION_TICKS => priced,
            term::PROTECTION_PPM => (1..=1_000_000).contains(&r.amount),
            _ => false,
        };
        let kin = |code: u16| match code {
            term::STOP | term::TAKE_PROFIT | term::TRAILING => term::STOP,
            term::PROTECTION_TICKS | term::PROTECTION_PPM => term::PROTECTION_TICKS,
            other => other,
        };
        let repeats = self.terms.list.iter().any(|t| kin(t.code) == kin(r.code));
        let elsewhere = self.terms.of.is_some_and(|of| of != (r.market, r.account));
        if !good || repeats || elsewhere {
            return Err(reject::BAD_FIELD);
        }
        self.terms.of = Some((r.market, r.account));
        self.terms.list.push(*r);
        Ok(())
    }

    /// A Place.
    pub(super) fn place(&mut self, r: &Record, terms: &Terms) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        let mut order = self.read_order(m, r, terms)?;
        self.check_entry(m, &order, true)?;
        if order.code == order_type::LIMIT || order.waits() {
            self.check_room(m, order.account)?;
        }
        if !order.waits() {
            self.check_sent(m, &mut order)?;
        }
        self.accept(m, order);
        Ok(())
    }

    /// The order that a Place and its terms describe, or `BadField`.
    fn read_order(&mut self, m: usize, r: &Record, terms: &Terms) -> Refused<Order> {
        if terms.broken {
            self.seen.mark(Situation::TermsBroken);
            return Err(reject::BAD_FIELD);
        }
        if terms.of.is_some_and(|of| of != (r.market, r.account)) {
            self.seen.mark(Situation::TermsElsewhere);
            return Err(reject::BAD_FIELD);
        }
        let market = &self.markets[m];
        let find = |codes: &[u16]| terms.list.iter().find(|t| codes.contains(&t.code)).copied();
        let trigger = find(&[term::STOP, term::TAKE_PROFIT, term::TRAILING]);
        let display = find(&[term::DISPLAY]);
        let expiry = find(&[term::EXPIRY]);
        let minimum = find(&[term::MINIMUM]);
        let leg = find(&[term::OTHER_LEG]);
        let protection = find(&[term::PROTECTION_TICKS, term::PROTECTION_PPM]);
        let has = |bit: u16| r.flags & bit != 0;
        let (limit, stays) = (r.code == order_type::LIMIT, r.code == order_type::LIMIT || trigger.is_some());
        let bad = [
            r.side > 1,
            r.code > order_type::MARKET,
            r.flags >= flag::WAITS,
            r.flags >> flag::MODE_SHIFT > 5,
            has(flag::SLIDE) && !has(flag::POST_ONLY),
            (has(flag::POST_ONLY) || has(flag::HIDDEN)) && !limit,
            has(flag::DAY) && !stays,
            r.code == order_type::MARKET && r.price != 0,
            !(0..=65535).contains(&r.amount),
            matches!(market.rules.client_ids, ClientIds::Dense(max) if r.order > max),
            display.is_some() && (!limit || has(flag::HIDDEN)),
            expiry.is_some() && (!stays || has(flag::DAY)),
            minimum.is_some_and(|t| t.qty > r.qty || r.code == order_type::FOK || has(flag::POST_ONLY)),
            leg.is_some() && !stays,
            protection.is_some() && r.code != order_type::MARKET,
        ];
        if bad.contains(&true) {
            return Err(reject::BAD_FIELD);
        }
        let stand = trigger.map_or(Stand::Incoming, |t| {
            let best = if t.code == term::TRAILING { market.watched_price(t.flags) } else { None };
            Stand::Waiting(Trigger { kind: t.code, watched: t.flags, price: t.price, best, fired: false })
        });
        let day = if has(flag::DAY) { day_end(&market.rules, self.now) } else { None };
        Ok(Order {
            id: 0,
            account: r.account,
            side: r.side,
            code: r.code,
            flags: r.flags,
            price: r.price,
            limit: None,
            front: r.qty,
            behind: 0,
            display: display.map(|t| t.qty),
            expiry: expiry.map(|t| t.amount).or(day),
            minimum: minimum.map_or(0, |t| t.qty),
            protection: protection.map(|t| match t.code {
                term::PROTECTION_TICKS => Protection::Ticks(t.price),
                _ => Protection::Ppm(t.amount),
            }),
            // As it was named, slot bits and all, until the order is looked up.
            leg: leg.map(|t| t.order),
            client: r.order,
            session: r.amount,
            quote: None,
            slid: false,
            arrival: 0,
            stand,
        })
    }

    /// `PhaseRefuses` to `TriggerBeyond`; a quote's sides begin with `NoMark`.
    fn check_entry(&mut self, m: usize, order: &Order, phase_too: bool) -> Refused {
        let market = &self.markets[m];
        if phase_too && !market.admits(order) {
            return Err(reject::PHASE_REFUSES);
        }
        if market.rules.cleared && market.index.is_none() {
            return Err(reject::NO_MARK);
        }
        market.check_size(Size {
            price: order.price,
            qty: order.front,
            market_order: order.code == order_type::MARKET,
            reduce_only: order.has(flag::REDUCE_ONLY),
        })?;
        if order.expiry.is_some_and(|at| at <= self.now) {
            return Err(reject::EXPIRY_PAST);
        }
        if market.client_in_use(order.account, order.client) {
            return Err(reject::DUPLICATE_CLIENT_ID);
        }
        if let Some(named) = order.leg {
            let leg = market.named(named).ok_or(reject::UNKNOWN_ORDER)?;
            if leg.account != order.account {
                return Err(reject::NOT_YOUR_ORDER);
            }
            if leg.leg.is_some() {
                return Err(reject::BAD_FIELD);
            }
        }
        if let Stand::Waiting(trigger) = order.stand
            && trigger.kind != term::TRAILING
            && market.watched_price(trigger.watched).is_some_and(|p| trigger.fires(order.side, p))
        {
            return Err(reject::TRIGGER_BEYOND);
        }
        Ok(())
    }

    fn check_room(&mut self, m: usize, account: u32) -> Refused {
        let orders = &self.markets[m].orders;
        let mine = orders.values().filter(|o| o.account == account).count();
        let most = self.markets[m].rules.open_orders_max;
        if most.is_some_and(|max| i64::try_from(mine).expect("few") >= max) {
            return Err(reject::OPEN_ORDERS_LIMIT);
        }
        if orders.len() >= self.rules.orders_max { Err(reject::BOOK_FULL) } else { Ok(()) }
    }

    /// `NotReducing` to `OpenInterestLimit`: what is asked when an order is about to meet the book. On success
    /// the order has the price and the limit with which it goes in.
    pub(super) fn check_sent(&mut self, m: usize, order: &mut Order) -> Refused {
        let market = &self.markets[m];
        let provides = order.code == order_type::LIMIT && order.has(flag::POST_ONLY);
        let reducing = order.has(flag::REDUCE_ONLY)
            || phase::reducing(market.phase)
            || phase::provides(market.phase) && !provides;
        if reducing && order.open() > market.reducible(order.account, order.side) {
            return Err(reject::NOT_REDUCING);
        }
        let mut bounded = None;
        let (price, limit, slid) = if order.code == order_type::MARKET {
            (0, market.market_limit(order), false)
        } else {
            let broken = market.broken(order.side, order.price);
            bounded = broken.map(|broken| market.bounded(order, broken));
            if let Some((band, _)) = broken
                && band.rejects
            {
                self.tell_bounded(m, bounded.expect("it is broken"));
                return Err(reject::BAND_REFUSES);
            }
            let banded = broken.map_or(order.price, |(_, bound)| bound);
            let unseen = order.has(flag::POST_ONLY)
                && market.would_take(order.side, banded)
                && market.best(1 - order.side) != market.best_shown(1 - order.side);
            if unseen {
                self.seen.mark(Situation::HiddenInTheWay);
            }
            let posted = market.posted(order, banded)?;
            (posted, Some(posted), posted != banded)
        };
        let capped = !slid && price != order.price;
        let wanted = if order.code == order_type::FOK { order.open() } else { order.minimum };
        let mut sent = Order { price, limit, ..order.clone() };
        if wanted > 0 {
            let fillable = self.fillable(m, &sent) >= wanted;
            let fok = order.code == order_type::FOK;
            self.seen.mark(match (fok, fillable) {
                (true, true) => Situation::FillOrKillFilled,
                (true, false) => Situation::FillOrKillRefused,
                (false, true) => Situation::MinimumFilled,
                (false, false) => Situation::MinimumRefused,
            });
            if !fillable {
                return Err(reject::NOT_FILLABLE);
            }
        }
        self.markets[m].check_limits(order)?;
        if let Some(bounded) = bounded {
            self.tell_bounded(m, bounded);
        }
        if capped {
            self.seen.mark(Situation::Capped);
        }
        if slid {
            self.seen.mark(if order.slid { Situation::SlidAgain } else { Situation::Slid });
            sent.slid = true;
        }
        if sent.protection.is_some() && sent.limit.is_some() {
            self.seen.mark(Situation::Protected);
        }
        sent.minimum = 0;
        *order = sent;
        Ok(())
    }

    fn tell_bounded(&mut self, m: usize, bounded: Record) {
        self.emit(Record { kind: event::ORDER_BOUNDED, market: super::number(m), ..bounded });
    }

    /// From here on nothing fails: the order has its number, and meets the book or waits.
    pub(super) fn accept(&mut self, m: usize, mut order: Order) {
        self.acceptances += 1;
        let id = self.acceptances;
        order.id = id;
        order.leg = order.leg.map(|named| named >> SLOT_BITS);
        let waits = order.waits();
        self.tell_accepted(m, &order);
        if let Stand::Waiting(trigger) = order.stand {
            let more = Record {
                code: trigger.kind,
                flags: trigger.watched,
                price: trigger.price,
                ..Record::default()
            };
            self.tell(event::ARMED, m, &order, more);
        }
        if order.client != 0 {
            let again = !self.markets[m].used.insert((order.account, order.client));
            if again {
                self.seen.mark(Situation::ClientIdAgain);
            }
        }
        let market = &mut self.markets[m];
        if let Some(leg) = order.leg {
            market.orders.get_mut(&leg).expect("it was looked up").leg = Some(id);
        }
        market.orders.insert(id, order);
        if !waits {
            self.enter(m, id);
        }
    }

    /// Accepted: of a new order, and once more of one that fired.
    pub(super) fn tell_accepted(&mut self, m: usize, order: &Order) {
        let more = Record {
            code: order.code,
            flags: order.flags | if order.waits() { flag::WAITS } else { 0 },
            price: order.price,
            qty: order.open(),
            amount: order.client.cast_signed(),
            ..Record::default()
        };
        self.tell(event::ACCEPTED, m, order, more);
    }

    /// An order meets the book, if the phase matches, and what is left rests or goes.
    pub(super) fn enter(&mut self, m: usize, id: u64) {
        if phase::matches(self.markets[m].phase) {
            self.meet_book(m, id);
        }
        self.settle_rest(m, id);
    }

    /// A side of a quote, from `NoMark` on.
    pub(super) fn place_quoted(&mut self, m: usize, mut order: Order) -> Refused {
        self.check_entry(m, &order, false)?;
        self.check_room(m, order.account)?;
        self.check_sent(m, &mut order)?;
        self.accept(m, order);
        Ok(())
    }

    /// True if a fired order's market takes it now.
    pub(super) fn takes(&self, fired: &Fired) -> bool {
        let market = &self.markets[fired.market];
        let order = &market.orders[&fired.id];
        let limit = order.code == order_type::LIMIT;
        let reduces = !limit || order.has(flag::REDUCE_ONLY);
        let fits = match market.phase {
            p if phase::closes(p) => !limit,
            p if phase::provides(p) => reduces || order.has(flag::POST_ONLY),
            p => reduces || !phase::reducing(p),
        };
        phase::matches(market.phase) && fits
    }

    /// What accounts do in a match: their self-trade mode, 0 for none.
    pub(super) fn mode_of(&self, order: &Order) -> u16 {
        match order.flags >> flag::MODE_SHIFT {
            0 => self.accounts[index(order.account)].mode,
            5 => 0,
            mode => mode,
        }
    }
}

impl Market {
    /// The resting or waiting order of an id as users write it.
    pub(super) fn named(&self, id: u64) -> Option<&Order> {
        let known = id & ((1 << SLOT_BITS) - 1) == 0;
        self.orders.get(&(id >> SLOT_BITS)).filter(|_| known)
    }

    /// True if the phase admits a new order of this kind.
    pub(super) fn admits(&self, order: &Order) -> bool {
        let limit = order.code == order_type::LIMIT;
        match self.phase {
            p if phase::collects(p) => limit || order.waits(),
            p if phase::provides(p) => {
                !limit || order.has(flag::REDUCE_ONLY) || order.has(flag::POST_ONLY) || order.waits()
            }
            p if phase::closes(p) => !limit || order.waits(),
            p if phase::reducing(p) => !limit || order.has(flag::REDUCE_ONLY) || order.waits(),
            p => phase::matches(p),
        }
    }
}
