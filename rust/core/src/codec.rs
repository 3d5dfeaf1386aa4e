//! Bytes: a writer, a reader, checksums and digests. Little-endian, no alignment, no I/O.
//!
//! Each state file encodes itself with these. In canonical form, which only digests use, handles that do not
//! belong to the meaning of the state (slots of orders, free lists) are left out.

use crate::protocol::Record;
use crate::protocol::{command, event};
use crate::units::OrderId;

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end too early.
    #[error("{what}: ends at byte {length}, needs {needed} more; the file was cut short, take another copy")]
    Short {
        /// What was read.
        what: &'static str,
        /// Bytes there are.
        length: usize,
        /// Bytes that are missing.
        needed: usize,
    },
    /// A value cannot stand where it stands.
    #[error("{what}: {why}")]
    Invalid {
        /// What was read.
        what: &'static str,
        /// The value, and what to do.
        why: String,
    },
}

/// Writes values one after the other.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    canonical: bool,
}

macro_rules! put {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("Appends a `", stringify!($type), "`.")]
        pub(crate) fn $name(&mut self, value: $type) {
            self.bytes.extend_from_slice(&value.to_le_bytes());
        }
    )*};
}

impl Writer {
    /// A writer of everything.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A writer of what digests are made of.
    #[must_use]
    pub(crate) fn canonical() -> Self {
        Self { bytes: Vec::new(), canonical: true }
    }

    /// True if handles are to be left out.
    #[must_use]
    pub(crate) fn is_canonical(&self) -> bool {
        self.canonical
    }

    put!(u8: u8, u16: u16, u32: u32, u64: u64, i64: i64, i128: i128);

    /// Appends a yes or no.
    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Appends an optional integer.
    pub(crate) fn option(&mut self, value: Option<i64>) {
        self.bool(value.is_some());
        self.i64(value.unwrap_or(0));
    }

    /// Appends a length.
    pub(crate) fn len(&mut self, value: usize) {
        self.u32(u32::try_from(value).expect("lists are limited"));
    }

    /// Appends an order id: whole, or without its slot in canonical form.
    pub(crate) fn order(&mut self, id: OrderId) {
        self.u64(if self.canonical { id.acceptance() } else { id.raw() });
    }

    /// Appends bytes with their length.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.len(value.len());
        self.bytes.extend_from_slice(value);
    }

    /// Appends bytes as they are.
    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// What was written.
    #[must_use]
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads values one after the other.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

macro_rules! take {
    ($($name:ident: $type:ty),*) => {$(
        #[doc = concat!("Reads a `", stringify!($type), "`.")]
        ///
        /// # Errors
        /// [`CodecError::Short`] at the end of the bytes.
        pub(crate) fn $name(&mut self) -> Result<$type, CodecError> {
            let bytes = self.raw(size_of::<$type>())?;
            Ok(<$type>::from_le_bytes(bytes.try_into().expect("as many bytes as asked for")))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`; `what` names them in errors.
    #[must_use]
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, at: 0, what }
    }

    take!(u8: u8, u16: u16, u32: u32, u64: u64, i64: i64, i128: i128);

    /// Reads `count` bytes.
    ///
    /// # Errors
    /// [`CodecError::Short`] if there are fewer.
    pub(crate) fn raw(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let left = self.bytes.len() - self.at;
        if count > left {
            return Err(CodecError::Short {
                what: self.what,
                length: self.bytes.len(),
                needed: count - left,
            });
        }
        let slice = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(slice)
    }

    /// Reads a yes or no.
    ///
    /// # Errors
    /// [`CodecError`] at the end or for another byte.
    pub(crate) fn bool(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.invalid(format!("{other} is neither yes nor no"))),
        }
    }

    /// Reads an optional integer.
    ///
    /// # Errors
    /// [`CodecError`] as for its parts.
    pub(crate) fn option(&mut self) -> Result<Option<i64>, CodecError> {
        let some = self.bool()?;
        let value = self.i64()?;
        Ok(some.then_some(value))
    }

    /// Reads a length of at most what is left, so that no length can ask for unbounded memory.
    ///
    /// # Errors
    /// [`CodecError`] at the end or for a length beyond it.
    pub(crate) fn len(&mut self) -> Result<usize, CodecError> {
        let value = usize::try_from(self.u32()?).expect("32 bits fit");
        let left = self.bytes.len() - self.at;
        if value > left {
            return Err(CodecError::Short {
                what: self.what,
                length: self.bytes.len(),
                needed: value - left,
            });
        }
        Ok(value)
    }

    /// Reads an order id.
    ///
    /// # Errors
    /// [`CodecError::Short`] at the end of the bytes.
    pub(crate) fn order(&mut self) -> Result<OrderId, CodecError> {
        Ok(OrderId::from_raw(self.u64()?))
    }

    /// Reads bytes with their length.
    ///
    /// # Errors
    /// [`CodecError::Short`] if there are fewer.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let count = self.len()?;
        self.raw(count)
    }

    /// Bytes that are left.
    #[must_use]
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// An error about what was just read.
    #[must_use]
    pub(crate) fn invalid(&self, why: impl Into<String>) -> CodecError {
        CodecError::Invalid { what: self.what, why: why.into() }
    }
}

/// Digest of events: order ids without their slots, everything else as it stands.
#[derive(Debug, Clone, Default)]
pub struct EventDigest {
    hasher: blake3::Hasher,
    /// Events that the hasher has yet to take in: many at once are cheaper.
    waiting: Vec<Record>,
}

/// Events that are hashed at once.
const DIGEST_BATCH: usize = 1024;

impl EventDigest {
    /// A digest of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes events in, in order; where a batch was cut does not matter.
    pub fn update(&mut self, events: &[Record]) {
        for event in events {
            let mut record = *event;
            if carries_order_id(&record) {
                record.order = OrderId::from_raw(record.order).acceptance();
            }
            self.waiting.push(record);
            if self.waiting.len() == DIGEST_BATCH {
                self.hasher.update(bytemuck::cast_slice(&self.waiting));
                self.waiting.clear();
            }
        }
    }

    /// The digest so far.
    #[must_use]
    pub fn finish(&self) -> [u8; 32] {
        let mut hasher = self.hasher.clone();
        hasher.update(bytemuck::cast_slice(&self.waiting));
        *hasher.finalize().as_bytes()
    }
}

/// True for events whose `order` is an id that the venue gave.
fn carries_order_id(record: &Record) -> bool {
    match record.kind {
        event::ORDER_BOUNDED
        | event::ACCEPTED
        | event::CANCELLED
        | event::REPLACED
        | event::FILL
        | event::LIQUIDATION_ORDER => true,
        // A refusal repeats its command, and these two name a resting order.
        event::REJECTED => matches!(record.flags, command::CANCEL | command::REPLACE),
        _ => false,
    }
}

/// A digest as text.
#[must_use]
pub fn hex(digest: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

/// First eight bytes of the BLAKE3 hash: the checksum of frames and snapshots.
#[must_use]
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reader_returns_what_the_writer_wrote() {
        let mut w = Writer::new();
        w.u8(1);
        w.u16(2);
        w.i128(-3);
        w.option(Some(-4));
        w.option(None);
        w.bytes(b"five");
        let bytes = w.finish();
        let mut r = Reader::new(&bytes, "test");
        assert_eq!((r.u8(), r.u16(), r.i128()), (Ok(1), Ok(2), Ok(-3)));
        assert_eq!((r.option(), r.option(), r.bytes()), (Ok(Some(-4)), Ok(None), Ok(&b"five"[..])));
        assert_eq!(r.left(), 0);
        assert!(matches!(r.u8(), Err(CodecError::Short { needed: 1, .. })));
    }

    #[test]
    fn a_digest_does_not_depend_on_slots_or_on_where_a_batch_is_cut() {
        let fill =
            |slot| Record { kind: event::FILL, order: OrderId::new(7, slot).raw(), ..Record::default() };
        let mut one = EventDigest::new();
        one.update(&[fill(1), fill(2)]);
        let mut two = EventDigest::new();
        two.update(&[fill(3)]);
        two.update(&[fill(4)]);
        assert_eq!(one.finish(), two.finish());
    }
}
