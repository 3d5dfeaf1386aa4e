//! What a close is settled at, who pays for it, and when a round goes no further.

use crate::config::AdlPrice;
use crate::units::{Contract, Fine, Money, Ppm, Price, Qty, Ratio, Side, Sum};

/// The prices that a round knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// Bankruptcy price of the position that is closed against the winners.
    pub bankruptcy: Price,
    /// The mark.
    pub mark: Price,
    /// The index.
    pub index: Price,
}

/// The price of a round and what a lot costs at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Side of the winners' positions.
    pub winner: Side,
    /// Transfer price.
    pub price: Price,
    /// What a winner gives up per lot against the mark; negative if it gains.
    pub cost_per_lot: Fine,
    /// What a lot lacks at this price against the bankruptcy price; negative if it is better than that.
    pub shortage_per_lot: Fine,
    /// The market's contract.
    pub contract: Contract,
}

/// The terms of a round: the price by rule, inside the band around the mark if there is one.
///
/// `cost_per_lot + shortage_per_lot` is the deficit of a lot at the mark, whatever the rule: what winners do not give
/// up, the fund pays.
#[must_use]
pub fn transfer_terms(
    rule: (AdlPrice, Option<Ppm>),
    marks: Marks,
    winner: Side,
    contract: &Contract,
) -> Transfer {
    let Marks { bankruptcy, mark, index } = marks;
    let wanted = match rule.0 {
        AdlPrice::Bankruptcy => bankruptcy,
        AdlPrice::Mark => mark,
        AdlPrice::Index => index,
    };
    let price = match rule.1 {
        Some(width) => wanted.max(mark.band_lower(width)).min(mark.band_upper(width)),
        None => wanted,
    };
    Transfer {
        winner,
        price,
        cost_per_lot: contract.gain_per_lot(winner, price, mark),
        shortage_per_lot: contract.gain_per_lot(winner, bankruptcy, price),
        contract: *contract,
    }
}

impl Transfer {
    /// Profit that closing `lots` realises for a winner who paid `cost`, without sign, for them.
    #[must_use]
    pub fn realised(&self, cost: Money, lots: Qty) -> Money {
        let value = self.contract.value(self.price, self.winner.signed(lots));
        value - self.contract.holder(self.winner).pick(cost, -cost)
    }

    /// What a winner gives up against the mark, rounded down.
    #[must_use]
    pub fn given_up(&self, lots: Qty) -> Money {
        self.contract.down(self.cost_per_lot.times(lots))
    }

    /// What these lots lack against the bankruptcy price, rounded up; the fund pays it if it is positive.
    #[must_use]
    pub fn shortage(&self, lots: Qty) -> Money {
        self.contract.up(self.shortage_per_lot.times(lots))
    }
}

/// Whether a step of a correction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepCheck {
    /// The ratio fell, and not below the floor.
    Accepted,
    /// It fell below the floor.
    OverCorrected,
    /// It did not fall.
    NotLower,
}

/// Judges a step by the ratio that it is to lower. GMX v2, 2026: `AdlHandler` of gmx-io/gmx-synthetics, where the ratio is the
/// traders' profit over the pool.
#[must_use]
pub fn step_check(before: Ratio, after: Ratio, floor: Ratio) -> StepCheck {
    if after >= before {
        StepCheck::NotLower
    } else if after < floor {
        StepCheck::OverCorrected
    } else {
        StepCheck::Accepted
    }
}

/// What a close would do to one account: its share of the position, and what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// Equity of the account.
    pub equity: Sum,
    /// Signed value, at the mark, of the lots that are closed.
    pub value: Money,
    /// Their part of the maintenance requirement of the account: numerator.
    pub part: Sum,
    /// Denominator, positive.
    pub whole: Sum,
}

impl Stake {
    /// The least that the account may receive for the lots, negative for the most that it may pay: their value less their
    /// part of its equity, rounded up.
    #[must_use]
    pub fn bankruptcy_quote(&self) -> Money {
        self.value - self.equity.share_down(self.part, self.whole)
    }
}

/// The two sides of an offset: who is closed, and against whom.
pub trait Counterparties {
    /// Names a counterparty.
    type Name: Copy;

    /// Lots of the liquidated account's position.
    fn open(&self) -> Qty;

    /// Lots of the counterparty on the other side; zero if it is no counterparty.
    fn lots(&mut self, name: Self::Name) -> Qty;

    /// Stakes of the liquidated account and of the counterparty in these lots.
    fn stakes(&self, name: Self::Name, lots: Qty) -> (Stake, Stake);

    /// Closes lots; the liquidated account receives the quote, or pays if it is negative.
    fn close(&mut self, name: Self::Name, lots: Qty, quote: Money);
}

/// Closes up to `lots` against counterparties in turn, each at a quote of its own, and returns what is left; none, and
/// nothing is closed, if that is not a part of the position.
///
/// At the bankruptcy price the quote is that of the liquidated account, and a counterparty for which that is worse than
/// its own bankruptcy quote is passed over; at any other price rule it is the value at the mark, and a pair of which
/// either has less than nothing is passed over. dYdX v4, 2026: `x/clob/keeper/deleveraging.go`, the latter in final
/// settlement.
#[must_use]
pub fn offset<P: Counterparties>(
    basis: AdlPrice,
    lots: Qty,
    names: impl IntoIterator<Item = P::Name>,
    parties: &mut P,
) -> Option<Qty> {
    if !lots.is_positive() || lots > parties.open() {
        return None;
    }
    let mut left = lots;
    let mut names = names.into_iter();
    while left.is_positive() {
        let Some(name) = names.next() else { break };
        let take = parties.lots(name).min(left);
        if !take.is_positive() {
            continue;
        }
        let (liquidated, counterparty) = parties.stakes(name, take);
        let quote = match basis {
            AdlPrice::Bankruptcy => {
                let quote = liquidated.bankruptcy_quote();
                (-quote >= counterparty.bankruptcy_quote()).then_some(quote)
            }
            AdlPrice::Mark | AdlPrice::Index => {
                let refused = liquidated.equity.is_negative() || counterparty.equity.is_negative();
                (!refused).then_some(liquidated.value)
            }
        };
        if let Some(quote) = quote {
            parties.close(name, take, quote);
            left -= take;
        }
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TickValue;

    fn terms(price: AdlPrice, band: Option<i64>, winner: Side) -> Transfer {
        let (bankruptcy, index) = match winner {
            Side::Buy => (95, 102),
            Side::Sell => (105, 98),
        };
        let marks =
            Marks { bankruptcy: Price::new(bankruptcy), mark: Price::new(100), index: Price::new(index) };
        transfer_terms((price, band.map(Ppm::new)), marks, winner, &Contract::linear(TickValue::new(2)))
    }

    #[test]
    fn winners_and_fund_together_pay_the_deficit_at_every_price() {
        for winner in [Side::Buy, Side::Sell] {
            for price in [AdlPrice::Bankruptcy, AdlPrice::Mark, AdlPrice::Index] {
                for band in [None, Some(20_000)] {
                    let t = terms(price, band, winner);
                    assert_eq!(t.cost_per_lot + t.shortage_per_lot, Fine::new(10), "{t:?}");
                }
            }
        }
    }

    #[test]
    fn the_price_is_that_of_the_rule_inside_the_band() {
        let of = |price, band| terms(price, band, Side::Sell).price.get();
        assert_eq!((of(AdlPrice::Bankruptcy, None), of(AdlPrice::Bankruptcy, Some(20_000))), (105, 102));
        assert_eq!(
            (of(AdlPrice::Mark, None), of(AdlPrice::Index, None), of(AdlPrice::Index, Some(0))),
            (100, 98, 100)
        );
    }

    #[test]
    fn a_winner_realises_its_entry_against_the_price() {
        let (long, short) =
            (terms(AdlPrice::Bankruptcy, None, Side::Buy), terms(AdlPrice::Bankruptcy, None, Side::Sell));
        // Three lots: a long from 90 at 95, a short from 120 at 105, two units per tick.
        assert_eq!(long.realised(Money::new(540), Qty::new(3)), Money::new(30));
        assert_eq!(short.realised(Money::new(720), Qty::new(3)), Money::new(90));
        assert_eq!((short.given_up(Qty::new(3)), short.shortage(Qty::new(3))), (Money::new(30), Money::ZERO));
    }

    #[test]
    fn a_step_has_to_lower_the_ratio_and_may_touch_the_floor() {
        let of = |n: i128| Ratio::new(Sum::new(n), Sum::new(100));
        assert_eq!(step_check(of(70), of(60), of(60)), StepCheck::Accepted);
        assert_eq!(step_check(of(70), of(59), of(60)), StepCheck::OverCorrected);
        assert_eq!(step_check(of(70), of(70), of(60)), StepCheck::NotLower);
        assert_eq!(step_check(of(50), of(51), of(60)), StepCheck::NotLower);
    }

    #[test]
    fn a_quote_is_rounded_up_for_both_sides() {
        // A third of an equity of 10 is 3.33: a long of value 50 wants at least 47, a short pays at most 53.
        let of = |value| Stake {
            equity: Sum::new(10),
            value: Money::new(value),
            part: Sum::new(1),
            whole: Sum::new(3),
        };
        assert_eq!(
            (of(50).bankruptcy_quote(), of(-50).bankruptcy_quote()),
            (Money::new(47), Money::new(-53))
        );
        let poor = Stake { equity: Sum::new(-10), ..of(50) };
        assert_eq!(poor.bankruptcy_quote(), Money::new(54));
    }
    /// One lot of value 50 on each side; equities of the liquidated account and of a counterparty each.
    struct Pairs(i128, Vec<i128>, Vec<Money>);

    impl Counterparties for Pairs {
        type Name = usize;

        fn open(&self) -> Qty {
            Qty::new(1)
        }

        fn lots(&mut self, _: usize) -> Qty {
            Qty::new(9)
        }

        fn stakes(&self, name: usize, _: Qty) -> (Stake, Stake) {
            let of = |equity, value| Stake {
                equity: Sum::new(equity),
                value: Money::new(value),
                part: Sum::new(1),
                whole: Sum::new(1),
            };
            (of(self.0, 50), of(self.1[name], -50))
        }

        fn close(&mut self, _: usize, _: Qty, quote: Money) {
            self.2.push(quote);
        }
    }

    #[test]
    fn an_offset_meets_a_quote_that_is_just_met_and_passes_over_the_others() {
        let run = |basis, equity, others: &[i128]| {
            let mut pairs = Pairs(equity, others.to_vec(), Vec::new());
            let left = offset(basis, Qty::new(1), 0..others.len(), &mut pairs);
            (left.map(Qty::get), pairs.2.into_iter().map(Money::get).collect::<Vec<_>>())
        };
        // The liquidated account lacks 7 and must receive 57: one that has 6 cannot pay it, one that has 7 just can.
        assert_eq!(run(AdlPrice::Bankruptcy, -7, &[6, 7]), (Some(0), vec![57]));
        assert_eq!(run(AdlPrice::Bankruptcy, -7, &[6, 6]), (Some(1), vec![]));
        assert_eq!(run(AdlPrice::Mark, 0, &[-1, 0]), (Some(0), vec![50]));
        assert_eq!(run(AdlPrice::Mark, -1, &[5]), (Some(1), vec![]));
        let mut pairs = Pairs(0, vec![9], Vec::new());
        assert_eq!(offset(AdlPrice::Mark, Qty::new(2), [0], &mut pairs), None, "more than the position");
        assert_eq!(offset(AdlPrice::Mark, Qty::ZERO, [0], &mut pairs), None);
    }
}
