//! What auto-deleveraging has done in a market: when it last did, what of whom, and what fractions it owes.
//!
//! Kept for rules that ask for it: cooldown, size band, carry. Knows nothing of positions.

use crate::codec::{CodecError, Reader, Writer};
use crate::config::{Adl, SizeBand};
use crate::units::{AccountId, Nanos, Qty};
use std::collections::BTreeMap;

/// The rounds of one market so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct AdlHistory {
    /// When the last round began.
    last: Option<Nanos>,
    /// Number of the window of the size band.
    window: i64,
    /// Of accounts that the window came to: lots of the position then, and lots closed since.
    closed: BTreeMap<AccountId, (Qty, Qty)>,
    /// Millionths of a lot that winners of a side carry.
    pub(crate) carried: [BTreeMap<AccountId, i64>; 2],
}

impl AdlHistory {
    /// True if the last round is less than the cooldown ago.
    pub(crate) fn cools(&self, now: Nanos, cooldown: Nanos) -> bool {
        self.last.is_some_and(|last| now.since(last) < cooldown)
    }

    /// A round begins.
    pub(crate) fn begin(&mut self, rule: &Adl, now: Nanos) {
        if rule.cooldown_ns.is_positive() {
            self.last = Some(now);
        }
        let Some(band) = rule.size_band else { return };
        let window = now.periods_of(band.window_ns);
        if window != self.window {
            self.window = window;
            self.closed.clear();
        }
    }

    /// Lots of an account's position that the band leaves at a time.
    pub(crate) fn room(&self, band: &SizeBand, account: AccountId, lots: Qty, now: Nanos) -> Qty {
        let known = self.closed.get(&account).filter(|_| now.periods_of(band.window_ns) == self.window);
        let (whole, closed) = known.copied().unwrap_or((lots, Qty::ZERO));
        (whole.ppm_down(band.share_ppm) - closed).max(Qty::ZERO)
    }

    /// Lots of a position are closed.
    pub(crate) fn close(&mut self, account: AccountId, held: Qty, lots: Qty) {
        self.closed.entry(account).or_insert((held, Qty::ZERO)).1 += lots;
    }

    pub(crate) fn encode(&self, rule: &Adl, w: &mut Writer) {
        if rule.cooldown_ns.is_positive() {
            w.option(self.last.map(Nanos::get));
        }
        if rule.size_band.is_some() {
            w.i64(self.window);
            w.len(self.closed.len());
            for (account, (held, closed)) in &self.closed {
                w.u32(account.get());
                w.i64(held.get());
                w.i64(closed.get());
            }
        }
        if rule.carry {
            for carried in &self.carried {
                w.len(carried.len());
                for (account, millionths) in carried {
                    w.u32(account.get());
                    w.i64(*millionths);
                }
            }
        }
    }

    pub(crate) fn decode(
        rule: &Adl,
        accounts: usize,
        now: Nanos,
        r: &mut Reader<'_>,
    ) -> Result<Self, CodecError> {
        let mut known = Self::default();
        let account = |r: &mut Reader<'_>| {
            let account = AccountId::new(r.u32()?);
            if account.index() < accounts {
                return Ok(account);
            }
            Err(r.invalid(format!("account {account} was deleveraged and is unknown; take another copy")))
        };
        if rule.cooldown_ns.is_positive() {
            known.last = r.option()?.map(Nanos::new);
            if known.last.is_some_and(|last| last > now || last.is_negative()) {
                return Err(r.invalid("a round of deleveraging is not in the past; take another copy"));
            }
        }
        if rule.size_band.is_some() {
            known.window = r.i64()?;
            for _ in 0..r.len()? {
                let (account, held, closed) = (account(r)?, r.i64()?, r.i64()?);
                if !(0..=i64::MAX >> 2).contains(&held) || !(0..=held).contains(&closed) {
                    return Err(r.invalid("deleveraged lots are out of range; take another copy"));
                }
                known.closed.insert(account, (Qty::new(held), Qty::new(closed)));
            }
        }
        if rule.carry {
            for side in 0..2 {
                for _ in 0..r.len()? {
                    let (account, millionths) = (account(r)?, r.i64()?);
                    if millionths.unsigned_abs() > 1_000_000_000 {
                        return Err(r.invalid("carried fractions are out of range; take another copy"));
                    }
                    known.carried[side].insert(account, millionths);
                }
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ppm;

    #[test]
    fn a_window_leaves_a_share_of_what_there_was_and_forgets_with_the_next() {
        let band = SizeBand { share_ppm: Ppm::new(250_000), window_ns: Nanos::new(100) };
        let mut d = AdlHistory::default();
        let account = AccountId::new(3);
        let room = |d: &AdlHistory, lots, now| d.room(&band, account, Qty::new(lots), Nanos::new(now)).get();
        assert_eq!(room(&d, 43, 5), 10);
        d.close(account, Qty::new(43), Qty::new(7));
        // Of 43 lots 10, of which 7 are gone, whatever is held now.
        assert_eq!((room(&d, 36, 99), room(&d, 500, 99), room(&d, 36, 100)), (3, 3, 9));
    }
}
