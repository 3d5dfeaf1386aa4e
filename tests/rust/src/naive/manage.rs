//! Every command that is not a Place: docs/mechanics.md sections 5, 6.6 and 6.7.

use super::admit::Size;
use super::rules::{ClientIds, MarkMethod};
use super::seen::Situation;
use super::words::{event, fill, flag, order_type, phase, reason, reject};
use super::{Account, EVERY_ACCOUNT, NO_MARKET, Naive, Order, Refused, SLOT_BITS, Stand, index};
use seawall_core::Record;

impl Naive {
    /// The order that a Cancel or a Replace names.
    fn named_by(&mut self, m: usize, r: &Record) -> Option<Order> {
        let market = &self.markets[m];
        let id = if r.flags == 1 { market.by_client(r.account, r.order) } else { None };
        let order = if r.flags == 1 { market.orders.get(&id?) } else { market.named(r.order) };
        if r.flags == 1 && order.is_some() {
            self.seen.mark(Situation::ClientIdNamed);
        }
        order.cloned()
    }

    fn check_naming(&self, m: usize, r: &Record) -> Refused {
        let nameless = r.flags == 1 && self.markets[m].rules.client_ids == ClientIds::None;
        if r.flags > 1 || nameless { Err(reject::BAD_FIELD) } else { Ok(()) }
    }

    /// A Cancel.
    pub(super) fn cancel_one(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        self.check_naming(m, r)?;
        let order = self.named_by(m, r).ok_or(reject::UNKNOWN_ORDER)?;
        if order.account != r.account {
            return Err(reject::NOT_YOUR_ORDER);
        }
        self.cancel(m, order.id, reason::USER, 0);
        Ok(())
    }

    /// A `CancelAll`.
    pub(super) fn cancel_all(&mut self, r: &Record) -> Refused {
        let markets = if r.market == NO_MARKET {
            0..self.markets.len()
        } else {
            let m = self.market_of(r.market)?;
            m..m + 1
        };
        let everyone = r.account == EVERY_ACCOUNT;
        if !everyone {
            self.known(r.account)?;
        }
        let (of_side, of_session) = (r.flags & 1 != 0, r.flags & 2 != 0);
        if r.flags > 3 || (of_side && r.side > 1) {
            return Err(reject::BAD_FIELD);
        }
        for m in markets {
            let meant = |o: &&Order| {
                (everyone || o.account == r.account)
                    && (!of_side || o.side == r.side)
                    && (!of_session || o.session == r.amount)
            };
            let ids: Vec<u64> = self.markets[m].orders.values().filter(meant).map(|o| o.id).collect();
            for &id in ids.iter().rev() {
                if self.markets[m].orders.contains_key(&id) {
                    let marks = [
                        (everyone, Situation::OperatorCancelled),
                        (of_session, Situation::SessionCancelled),
                        (of_side, Situation::SideCancelled),
                    ];
                    marks.iter().filter(|(so, _)| *so).for_each(|(_, s)| self.seen.mark(*s));
                }
                self.cancel(m, id, if everyone { reason::OPERATOR } else { reason::USER }, 0);
            }
        }
        Ok(())
    }

    /// A Replace.
    pub(super) fn replace(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        self.check_naming(m, r)?;
        let (now_in, cleared) = (self.markets[m].phase, self.markets[m].rules.cleared);
        if !phase::matches(now_in) && !phase::collects(now_in) {
            return Err(reject::PHASE_REFUSES);
        }
        if cleared && self.markets[m].index.is_none() {
            return Err(reject::NO_MARK);
        }
        let order = self.named_by(m, r);
        let reduce_only = order.as_ref().is_some_and(|o| o.has(flag::REDUCE_ONLY));
        let order = order.filter(Order::rests);
        let size = Size { price: r.price, qty: r.qty, market_order: false, reduce_only };
        self.markets[m].check_size(size)?;
        let order = order.ok_or(reject::UNKNOWN_ORDER)?;
        if order.account != r.account {
            return Err(reject::NOT_YOUR_ORDER);
        }
        if r.price == order.price && r.qty <= order.open() {
            self.decrease(m, order.id, r.qty);
            self.seen.mark(Situation::ReplaceKept);
            return Ok(());
        }
        if phase::reducing(now_in) || phase::provides(now_in) {
            return Err(reject::PHASE_REFUSES);
        }
        let mut moved =
            Order { price: r.price, front: r.qty, behind: 0, stand: Stand::Incoming, ..order.clone() };
        self.check_sent(m, &mut moved)?;
        // From here on nothing fails.
        let id = order.id;
        let leg = order.leg;
        self.take_out(m, id);
        let more = Record { price: moved.price, qty: moved.front, ..Record::default() };
        self.tell(event::REPLACED, m, &moved, more);
        moved.leg = leg;
        let before = self.out.len();
        self.markets[m].orders.insert(id, moved);
        self.enter(m, id);
        self.seen.mark(Situation::ReplaceMoved);
        if self.out[before..].iter().any(|e| e.kind == event::FILL) {
            self.seen.mark(Situation::ReplaceTraded);
        }
        Ok(())
    }

    /// A pure decrease: the order keeps its place.
    fn decrease(&mut self, m: usize, id: u64, qty: i64) {
        let open = self.markets[m].orders[&id].open();
        self.lower(m, id, open - qty);
        let order = self.markets[m].orders[&id].clone();
        let more = Record { price: order.price, qty, flags: 1, ..Record::default() };
        self.tell(event::REPLACED, m, &order, more);
    }

    /// A Block.
    pub(super) fn block(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        let seller = u32::try_from(r.order).map_err(|_| reject::UNKNOWN_ACCOUNT)?;
        self.known(seller)?;
        if seller == r.account {
            return Err(reject::BAD_FIELD);
        }
        let market = &self.markets[m];
        let admitted = matches!(market.phase, 0 | 1 | 3) && market.rules.cleared;
        if !admitted {
            return Err(reject::PHASE_REFUSES);
        }
        if market.index.is_none() {
            return Err(reject::NO_MARK);
        }
        if r.qty < 1 || r.qty > market.rules.position_max {
            return Err(reject::QTY_OUT_OF_RANGE);
        }
        if r.price < 1 || r.price > market.rules.price_max {
            return Err(reject::PRICE_OUT_OF_RANGE);
        }
        let long = market.base_of(r.account) + market.open_lots(r.account, 0, 0) + r.qty;
        let short = market.open_lots(seller, 1, 0) - market.base_of(seller) + r.qty;
        if long.max(short) > market.rules.position_max {
            return Err(reject::POSITION_LIMIT);
        }
        let mut after = market.base.clone();
        after[index(r.account)] += r.qty;
        after[index(seller)] -= r.qty;
        if after.iter().filter(|&&b| b > 0).sum::<i64>() > market.rules.open_interest_max {
            return Err(reject::OPEN_INTEREST_LIMIT);
        }
        self.markets[m].base = after;
        for (account, side) in [(r.account, 0), (seller, 1)] {
            self.emit(Record {
                kind: event::FILL,
                market: r.market,
                account,
                side,
                price: r.price,
                qty: r.qty,
                flags: fill::BLOCK,
                ..Record::default()
            });
        }
        Ok(())
    }

    /// A Quote.
    pub(super) fn quote(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        self.known(r.account)?;
        let ask_qty = i64::try_from(r.order).unwrap_or(-1);
        let mode = r.flags >> flag::MODE_SHIFT;
        let known = flag::POST_ONLY | flag::SLIDE | (7 << flag::MODE_SHIFT);
        let slides_alone = r.flags & flag::SLIDE != 0 && r.flags & flag::POST_ONLY == 0;
        let crossed = r.qty > 0 && ask_qty > 0 && r.price >= r.amount;
        if r.flags & !known != 0 || mode > 5 || slides_alone || r.qty < 0 || ask_qty < 0 || crossed {
            return Err(reject::BAD_FIELD);
        }
        let sides = [(0, r.price, r.qty), (1, r.amount, ask_qty)];
        let order = |side: u8, price: i64, qty: i64| Order {
            id: 0,
            account: r.account,
            side,
            code: order_type::LIMIT,
            flags: r.flags,
            price,
            limit: None,
            front: qty,
            behind: 0,
            display: None,
            expiry: None,
            minimum: 0,
            protection: None,
            leg: None,
            client: 0,
            session: 0,
            quote: Some(r.code),
            slid: false,
            arrival: 0,
            stand: Stand::Incoming,
        };
        if !self.markets[m].admits(&order(0, 0, 0)) {
            return Err(reject::PHASE_REFUSES);
        }
        let stays = sides.map(|(side, price, qty)| {
            let left = |o: &&Order| o.account == r.account && o.quote == Some(r.code) && o.side == side;
            let Some(old) = self.markets[m].orders.values().find(left).cloned() else { return false };
            if price == old.price && qty == old.open() {
                self.seen.mark(Situation::QuoteKept);
                return true;
            }
            if price == old.price && qty > 0 && qty < old.open() {
                self.seen.mark(Situation::QuoteDecreased);
                self.decrease(m, old.id, qty);
                return true;
            }
            self.seen.mark(Situation::Requoted);
            self.cancel(m, old.id, reason::REQUOTED, 0);
            false
        });
        for ((side, price, qty), stays) in sides.into_iter().zip(stays) {
            if qty > 0
                && !stays
                && let Err(code) = self.place_quoted(m, order(side, price, qty))
            {
                self.seen.mark(Situation::QuoteSideRefused);
                let event = Record { flags: r.kind, code, market: r.market, account: r.account, ..*r };
                self.emit(Record { kind: event::REJECTED, side, price, qty, order: 0, amount: 0, ..event });
            }
        }
        Ok(())
    }

    /// An `OpenAccount`.
    pub(super) fn open_account(&mut self, r: &Record) -> Refused {
        if r.code > 4 || r.order > u64::from(u32::MAX) {
            return Err(reject::BAD_FIELD);
        }
        if self.accounts.len() >= self.rules.accounts_max {
            return Err(reject::ACCOUNTS_FULL);
        }
        let account = u32::try_from(self.accounts.len()).expect("few accounts");
        self.accounts.push(Account { group: r.order, mode: r.code });
        self.markets.iter_mut().for_each(|m| m.base.push(0));
        self.emit(Record { kind: event::ACCOUNT_OPENED, market: NO_MARKET, account, ..Record::default() });
        Ok(())
    }

    /// A Deposit.
    pub(super) fn deposit(&mut self, r: &Record) -> Refused {
        self.known(r.account)?;
        let asset = usize::from(r.code);
        let most = *self.rules.deposits_max.get(asset).ok_or(reject::UNKNOWN_ASSET)?;
        if r.amount < 1 || r.amount > most - self.deposited[asset] {
            return Err(reject::AMOUNT_OUT_OF_RANGE);
        }
        self.deposited[asset] += r.amount;
        let (account, code, amount) = (r.account, r.code, r.amount);
        let kind = event::DEPOSITED;
        self.emit(Record { kind, market: NO_MARKET, account, code, amount, ..Record::default() });
        Ok(())
    }

    /// An Index.
    pub(super) fn index(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        let market = &mut self.markets[m];
        if matches!(market.phase, phase::CLOSED | phase::SETTLEMENT) {
            return Err(reject::PHASE_REFUSES);
        }
        if r.price < 1 || r.price > market.rules.price_max {
            return Err(reject::PRICE_OUT_OF_RANGE);
        }
        if let (Some(bid), Some(ask)) = (market.best_shown(0), market.best_shown(1)) {
            market.basis.push(bid + ask - 2 * r.price);
            if market.basis.len() > market.rules.basis_samples {
                market.basis.remove(0);
            }
        }
        let count = i64::try_from(market.basis.len()).expect("few samples");
        let basis = if count == 0 { 0 } else { market.basis.iter().sum::<i64>().div_euclid(2 * count) };
        let last = market.last.unwrap_or(r.price);
        let mark = match market.rules.mark {
            MarkMethod::Index => r.price,
            MarkMethod::Last => last,
            MarkMethod::Median => {
                let mut three = [r.price, r.price + basis, last];
                three.sort_unstable();
                three[1]
            }
        };
        let mark = mark.clamp(1, market.rules.price_max);
        market.index = Some(r.price);
        market.mark = Some(mark);
        market.told = true;
        let (kind, market) = (event::MARKED, r.market);
        self.emit(Record { kind, market, price: mark, amount: r.price, ..Record::default() });
        Ok(())
    }

    /// A `SetPhase`.
    pub(super) fn set_phase(&mut self, r: &Record) -> Refused {
        let m = self.market_of(r.market)?;
        if r.code > phase::SETTLEMENT || (r.amount != 0 && r.amount <= self.now) {
            return Err(reject::BAD_FIELD);
        }
        self.enter_phase(m, r.code, r.amount);
        Ok(())
    }

    /// The id of an order of this venue in a market, for examples.
    #[must_use]
    pub fn has_order(&self, market: u16, acceptance: u64) -> bool {
        self.markets[usize::from(market)].named(acceptance << SLOT_BITS).is_some()
    }

    /// How many orders rest or wait in a market.
    #[must_use]
    pub fn orders(&self, market: u16) -> usize {
        self.markets[usize::from(market)].orders.len()
    }
}
