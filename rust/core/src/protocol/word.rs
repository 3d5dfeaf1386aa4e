//! A record as eight words: kind, flags, venue, market; time; number; source, side, code, account; order; price;
//! quantity; amount. The processor stores a word as fast as it stores a byte.

use super::Record;
use crate::units::{AccountId, Side};

/// The words of a record.
#[inline(always)]
pub(crate) fn all(record: &Record) -> &[u64; 8] {
    bytemuck::cast_ref(record)
}

/// Kind and flags of a record.
#[inline(always)]
pub(crate) fn form(record: &Record) -> u64 {
    all(record)[0] & 0xffff_ffff
}

/// True if the fourth word has one of the first two codes and a side.
#[inline(always)]
pub(crate) fn is_sided(record: &Record) -> bool {
    all(record)[3] & 0xfffe_fe00 == 0
}

/// The first word, without the venue.
#[inline(always)]
pub(crate) const fn head(kind: u16, flags: u16, market: u16) -> u64 {
    wide(kind) | wide(flags) << 16 | wide(market) << 48
}

/// The first word of an event of this kind with flags and market of a command, without the venue.
#[inline(always)]
pub(crate) fn head_of(record: &Record, kind: u16) -> u64 {
    all(record)[0] & 0xffff_0000_ffff_0000 | wide(kind)
}

/// The fourth word.
#[inline(always)]
pub(crate) fn who(source: u8, side: Side, code: u16, account: AccountId) -> u64 {
    let side = u64::from(side.code()) << 8;
    u64::from(source) | side | u64::from(code) << 16 | u64::from(account.get()) << 32
}

#[allow(clippy::as_conversions, reason = "conversions by trait are not const")]
const fn wide(number: u16) -> u64 {
    number as u64
}

/// A number as a word.
#[inline(always)]
pub(crate) fn of(number: i64) -> u64 {
    number.cast_unsigned()
}
