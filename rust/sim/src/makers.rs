//! Market makers: quote a depth curve around a reservation price, withdraw under stress, run out of room.
//!
//! Every step each market is quoted anew: the makers' orders are cancelled and the curve is placed again, level by
//! level, the levels going round among the makers. Makers hedge nothing inside the venue. They read the index, their
//! own positions and what was traded; an order that the venue refuses is simply missing until the next step.

use crate::path::round;
use crate::scenario::{Depth, Makers as Model};
use seawall_core::{AccountId, Command, MarketId, Price, Qty, Side, Venue};

/// What makers know of one market.
#[derive(Debug, Clone)]
struct Sight {
    /// The curves of bids and asks: distance in basis points, cumulative minor units.
    curves: [Vec<(f64, i64)>; 2],
    /// Depth of both sides within 1 % in normal times, minor units.
    normal: f64,
    tick_value: i64,
    order_qty_max: i64,
    /// Variance of the index per second, in squared basis points.
    variance: f64,
    /// Liquidation notional per second, minor units.
    flow: f64,
    /// Share of the curve that has not been taken lately, bids and asks.
    available: [f64; 2],
    /// Notional placed in this step, all levels.
    placed: [i64; 2],
    /// Notional placed in this step within 1 % of the index.
    near: [i64; 2],
    /// Notional filled since.
    filled: [i64; 2],
    index: Option<i64>,
}

/// The makers of a venue: accounts `first..first + accounts`.
#[derive(Debug, Clone)]
pub struct Makers {
    model: Model,
    withdrawal: bool,
    first: u32,
    step_seconds: f64,
    sights: Vec<Sight>,
}

impl Makers {
    /// Makers for markets given by depth, tick value and largest order.
    #[must_use]
    pub fn new(
        model: Model,
        withdrawal: bool,
        first: u32,
        step_ns: i64,
        markets: &[(Depth, i64, i64)],
    ) -> Self {
        let sights = markets
            .iter()
            .map(|(depth, tick_value, order_qty_max)| Sight {
                curves: [depth.bids.clone(), depth.asks.clone()],
                normal: (curve(&depth.bids, 100.0) + curve(&depth.asks, 100.0)) * model.depth_factor,
                tick_value: *tick_value,
                order_qty_max: *order_qty_max,
                variance: model.volatility_normal_bps * model.volatility_normal_bps,
                flow: 0.0,
                available: [1.0; 2],
                placed: [0; 2],
                near: [0; 2],
                filled: [0; 2],
                index: None,
            })
            .collect();
        Self { model, withdrawal, first, step_seconds: step_ns as f64 / 1e9, sights }
    }

    /// True if the account is a maker.
    #[must_use]
    pub fn owns(&self, account: u32) -> bool {
        account >= self.first && account < self.first + self.model.accounts
    }

    /// Takes in a fill of a maker's resting order.
    pub fn filled(&mut self, market: usize, side: Side, notional: i64) {
        self.sights[market].filled[usize::from(side.code())] += notional;
    }

    /// Takes in a new index and the liquidation notional of the last step.
    pub fn observe(&mut self, market: usize, index: i64, liquidated: i64) {
        let sight = &mut self.sights[market];
        let seconds = self.step_seconds;
        let keep =
            libm::exp(-seconds * core::f64::consts::LN_2 / (self.model.stress_halflife_ns as f64 / 1e9));
        if let Some(before) = sight.index {
            let change = 1e4 * libm::log(index as f64 / before as f64);
            sight.variance = keep * sight.variance + (1.0 - keep) * change * change / seconds;
        }
        sight.flow = keep * sight.flow + (1.0 - keep) * liquidated as f64 / seconds;
        sight.index = Some(index);
        let back = 1.0 - libm::exp(-seconds / (self.model.replenish_ns as f64 / 1e9));
        for side in 0..2 {
            if sight.placed[side] > 0 {
                let taken = sight.filled[side] as f64 / sight.placed[side] as f64;
                sight.available[side] *= (1.0 - taken).clamp(0.0, 1.0);
            }
            sight.available[side] += (1.0 - sight.available[side]) * back;
            (sight.placed[side], sight.near[side], sight.filled[side]) = (0, 0, 0);
        }
    }

    /// Depth that stands within 1 % of the index, bids and asks, minor units: what was placed less what was filled.
    #[must_use]
    pub fn depth_near(&self, market: usize) -> [i64; 2] {
        let sight = &self.sights[market];
        [0, 1].map(|side| (sight.near[side] - sight.filled[side]).max(0))
    }

    /// What normal depth is divided by, and the half spread in basis points.
    fn stress(&self, sight: &Sight) -> (f64, f64) {
        let model = &self.model;
        if !self.withdrawal {
            return (1.0, model.half_spread_bps);
        }
        let deviation = sight.variance.sqrt();
        let excess = (deviation / model.volatility_normal_bps - 1.0).max(0.0);
        let divisor = 1.0
            + model.withdrawal_volatility * excess
            + model.withdrawal_flow * sight.flow / sight.normal.max(1.0);
        let half_spread =
            model.half_spread_bps.max(if excess > 0.0 { model.spread_volatility * deviation } else { 0.0 });
        (divisor.min(1.0 / model.depth_floor.max(1e-9)), half_spread)
    }

    /// Appends the commands that replace the quotes of one market. `step` turns the levels among the makers.
    pub fn quote(
        &mut self,
        market: usize,
        index: i64,
        step: usize,
        venue: &Venue,
        commands: &mut Vec<Command>,
    ) {
        let model = self.model;
        let id = MarketId::from_index(market);
        let tick_value = self.sights[market].tick_value;
        let room = model.capital as f64 * model.inventory_leverage;
        let mut inventories = Vec::with_capacity(model.accounts as usize);
        for maker in 0..model.accounts {
            let account = AccountId::new(self.first + maker);
            commands.push(Command::CancelAll { market: id, account });
            let notional = venue.position(account, id).base.get() as f64 * index as f64 * tick_value as f64;
            inventories.push((notional / room.max(1.0)).clamp(-1.0, 1.0));
        }
        let (divisor, half_spread) = self.stress(&self.sights[market]);
        let mean = inventories.iter().sum::<f64>() / inventories.len() as f64;
        let reservation = index as f64 * (1.0 - mean * model.skew_bps / 1e4);
        let sight = &mut self.sights[market];
        let growth =
            libm::log(model.distance_max_bps / model.half_spread_bps) / f64::from(model.levels.max(2) - 1);
        let mut before = [0.0; 2];
        for level in 0..model.levels {
            // The curve is read at the normal distance; under stress the whole curve stands farther out.
            let normal = model.half_spread_bps * libm::exp(growth * f64::from(level));
            let distance = (normal + half_spread - model.half_spread_bps) / 1e4;
            let owner = (level as usize + step) % inventories.len();
            for side in [Side::Buy, Side::Sell] {
                let s = usize::from(side.code());
                let upto = curve(&sight.curves[s], normal) * model.depth_factor;
                let share = sight.available[s] / divisor;
                let inventory = if side == Side::Buy { inventories[owner] } else { -inventories[owner] };
                let notional = (upto - before[s]) * share * (1.0 - inventory.max(0.0));
                before[s] = upto;
                let price = match side {
                    Side::Buy => libm::floor(reservation * (1.0 - distance)) as i64,
                    Side::Sell => libm::ceil(reservation * (1.0 + distance)) as i64,
                };
                if price < 1 {
                    continue;
                }
                let value = price * tick_value;
                let qty = round(notional / value as f64).min(sight.order_qty_max);
                if qty < 1 {
                    continue;
                }
                sight.placed[s] += qty * value;
                if normal <= 100.0 {
                    sight.near[s] += qty * value;
                }
                commands.push(Command::Place {
                    market: id,
                    account: AccountId::from_index(self.first as usize + owner),
                    side: side.code(),
                    code: 0,
                    flags: 0,
                    price: Price::new(price),
                    qty: Qty::new(qty),
                });
            }
        }
    }
}

/// Cumulative notional of a curve at a distance: straight lines between its points, from zero, flat after the last.
fn curve(points: &[(f64, i64)], distance: f64) -> f64 {
    let mut before = (0.0, 0.0);
    for &(at, notional) in points {
        let notional = notional as f64;
        if distance <= at {
            return before.1 + (notional - before.1) * (distance - before.0) / (at - before.0);
        }
        before = (at, notional);
    }
    before.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_joins_its_points_and_is_flat_at_the_end() {
        let points = [(1.0, 10), (5.0, 50), (10.0, 60)];
        for (distance, expected) in [(0.5, 5.0), (1.0, 10.0), (3.0, 30.0), (10.0, 60.0), (99.0, 60.0)] {
            assert!((curve(&points, distance) - expected).abs() < 1e-9, "at {distance}");
        }
    }

    #[test]
    fn volatility_and_flow_make_makers_withdraw_down_to_the_floor() {
        let model = crate::testing::scenario().makers;
        let depth = Depth { bids: vec![(100.0, 1_000_000)], asks: vec![(100.0, 1_000_000)] };
        let mut makers = Makers::new(model, true, 0, 1_000_000_000, &[(depth.clone(), 100, 1000)]);
        assert!((makers.stress(&makers.sights[0]).0 - 1.0).abs() < 1e-9);
        let mut index = 1_000_000;
        for _ in 0..60 {
            makers.observe(0, index, 0);
            index -= 1000;
        }
        let by_volatility = makers.stress(&makers.sights[0]).0;
        assert!(by_volatility > 2.0);
        makers.observe(0, index, 100_000_000_000);
        assert!((makers.stress(&makers.sights[0]).0 - 1.0 / model.depth_floor).abs() < 1e-9);
        let calm = Makers::new(model, false, 0, 1_000_000_000, &[(depth, 100, 1000)]);
        assert!((calm.stress(&makers.sights[0]).0 - 1.0).abs() < 1e-9);
    }
}
