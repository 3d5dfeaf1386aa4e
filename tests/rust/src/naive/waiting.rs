//! Waiting orders: they observe prices, fire and are sent. docs/mechanics.md sections 4 step 6a and 6.5.

use super::seen::Situation;
use super::words::{event, reason, term};
use super::{Fired, Naive, Stand};
use seawall_core::Record;

/// A price that waiting orders see.
#[derive(Debug, Clone, Copy)]
struct Observed {
    watched: u16,
    price: i64,
    /// The last order that was there to see it.
    by: u64,
}

impl Naive {
    /// Step 6a.
    pub(super) fn observe_and_send(&mut self) {
        for m in 0..self.markets.len() {
            self.observe_trades(m);
            if std::mem::take(&mut self.markets[m].told) {
                let (mark, index) = (self.markets[m].mark, self.markets[m].index);
                let by = self.acceptances;
                for (watched, price) in [(1, mark), (2, index)] {
                    self.observe(m, Observed { watched, price: price.expect("there is an index"), by });
                }
            }
        }
        for _ in 0..self.rules.triggers_per_step {
            let Some(next) = self.queue.iter().position(|f| self.takes(f)) else { break };
            let fired = self.queue.remove(next);
            self.cascading = true;
            self.send(fired);
            self.observe_trades(fired.market);
            self.cascading = false;
        }
        let waiting = self.queue.iter().filter(|f| self.takes(f)).count();
        if waiting > 0 {
            self.seen.mark(Situation::QueueLeft);
        }
        if waiting < self.queue.len() {
            self.seen.mark(Situation::QueueHeld);
        }
    }

    fn observe_trades(&mut self, m: usize) {
        for (price, by) in std::mem::take(&mut self.markets[m].trades) {
            self.observe(m, Observed { watched: 0, price, by });
        }
    }

    /// Every waiting order that watches this price sees it; those that it fires join the queue.
    fn observe(&mut self, m: usize, seen: Observed) {
        let mut fired = Vec::new();
        let mut marks = Vec::new();
        for order in self.markets[m].orders.values_mut() {
            let Stand::Waiting(trigger) = &mut order.stand else { continue };
            if trigger.fired || trigger.watched != seen.watched || order.id > seen.by {
                continue;
            }
            if trigger.fires(order.side, seen.price) {
                trigger.fired = true;
                fired.push((Fired { market: m, id: order.id, price: seen.price }, *trigger));
            } else if trigger.kind == term::TRAILING {
                let best = match trigger.best {
                    None => seen.price,
                    Some(best) if order.side == 0 => best.min(seen.price),
                    Some(best) => best.max(seen.price),
                };
                match trigger.best {
                    None => marks.push(Situation::TrailingBegun),
                    Some(old) if old != best => marks.push(Situation::TrailingMoved),
                    Some(_) => {}
                }
                trigger.best = Some(best);
            }
        }
        for situation in marks {
            self.seen.mark(situation);
        }
        for (fired, trigger) in fired {
            self.mark_fired(trigger.kind, trigger.watched);
            if self.cascading {
                self.seen.mark(Situation::Cascade);
            }
            self.queue.push(fired);
        }
    }

    /// A fired order is checked again and enters the book, or is cancelled.
    fn send(&mut self, fired: Fired) {
        let (m, id) = (fired.market, fired.id);
        let mut order = self.markets[m].orders[&id].clone();
        let more = Record { price: fired.price, ..Record::default() };
        self.tell(event::TRIGGERED, m, &order, more);
        if let Some(leg) = order.leg.take() {
            self.markets[m].orders.get_mut(&id).expect("it is sent").leg = None;
            self.seen.mark(Situation::LegByFire);
            self.cancel_leg(m, leg);
        }
        if let Err(code) = self.check_sent(m, &mut order) {
            self.seen.mark(Situation::FiredRefused);
            return self.cancel(m, id, reason::REFUSED, i64::from(code));
        }
        order.stand = Stand::Incoming;
        self.tell_accepted(m, &order);
        self.markets[m].orders.insert(id, order);
        self.enter(m, id);
        if self.markets[m].orders.contains_key(&id) {
            self.seen.mark(Situation::FiredRested);
        }
    }
}
