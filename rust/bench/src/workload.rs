//! The workload: messages of 32 bytes and the answer that they have.
//!
//! The form of the file is that of `benches/workload_gen.py`. What is read here is checked message by message, so
//! that the loop checks nothing. Knows nothing of venues.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The message is a new order that rests.
pub const NEW: u8 = 0;
/// The message takes an order out.
pub const CANCEL: u8 = 1;
/// The message is an order whose rest is dropped.
pub const IOC: u8 = 2;

/// The widest prices that a workload may have: the domain of the venue's market.
pub const PRICE_MAX: i64 = 10_000_000;
/// The largest order that a workload may have.
pub const QTY_MAX: u64 = 1 << 30;

/// The remedy for a file that is damaged.
const AGAIN: &str = "write the file again with benches/workload_gen.py";

/// Why a benchmark cannot run, or that its answer is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// An option has a value that cannot work.
    #[error("{field}: {why}")]
    Option {
        /// The option.
        field: String,
        /// Its value, what is wrong with it and what to do.
        why: String,
    },
    /// A file cannot be read or is not a workload.
    #[error("{file}: {why}")]
    File {
        /// Path.
        file: String,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// One message of a file has a value that no workload has.
    #[error("{file}: record {record} (byte {byte}): {field}: {why}; {AGAIN}")]
    Record {
        /// Path.
        file: String,
        /// Number of the record, from 0.
        record: usize,
        /// Where it begins in the file.
        byte: usize,
        /// The field.
        field: &'static str,
        /// Its value and what it must be.
        why: String,
    },
    /// The engine's answer is not that of the workload.
    #[error("{workload}: wrong answer: {what}; the engine has a bug, or the sidecar is not of this file")]
    Answer {
        /// Name of the workload.
        workload: String,
        /// What differs.
        what: String,
    },
}

/// One message: 32 bytes, little-endian on every platform that this crate supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Message {
    /// [`NEW`], [`CANCEL`] or [`IOC`].
    pub kind: u8,
    /// 0 buy, 1 sell.
    pub side: u8,
    /// Zero.
    pub padding: u16,
    /// Zero in a file; [`crate::setup::Stage`] writes the account here.
    pub account: u32,
    /// Of a new order: counts from 1. Of a cancel: that of the order.
    pub id: u64,
    /// Ticks.
    pub price: i64,
    /// Lots; 0 for a cancel.
    pub qty: u64,
}

const _: () = assert!(size_of::<Message>() == 32 && align_of::<Message>() == 8);

/// The answer: what any correct engine makes of the messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Trades of the timed part.
    pub trades: u64,
    /// Orders that rest at the end.
    pub resting: u64,
    /// Best bid at the end.
    pub best_bid: Option<i64>,
    /// Best ask at the end.
    pub best_ask: Option<i64>,
    /// Cancels of the timed part that name an order which is gone.
    pub stale_cancels: u64,
    /// Hash of all trades of the timed part, 16 hexadecimal digits.
    pub digest: String,
}

/// What the sidecar says; what else stands in it is for people.
#[derive(Debug, Deserialize)]
struct Sidecar {
    prefill: usize,
    timed: usize,
    expect: Expected,
}

/// Messages with their answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Name of the profile, or path of the file.
    pub name: String,
    /// The messages: first those that build the book, then the timed ones.
    pub messages: Vec<Message>,
    /// Number of messages that build the book and are not timed.
    pub prefill: usize,
    /// The answer.
    pub expected: Expected,
}

impl Workload {
    /// Reads a file of messages and its sidecar, the file's name with `.json` behind it.
    ///
    /// # Errors
    /// [`BenchError`] naming file, record, field, value and remedy.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let file = path.display().to_string();
        let mut name = path.as_os_str().to_owned();
        name.push(".json");
        let beside = PathBuf::from(name);
        let text = std::fs::read_to_string(&beside).map_err(|e| BenchError::File {
            file: beside.display().to_string(),
            why: format!("cannot be read: {e}; {file} needs its sidecar; {AGAIN}"),
        })?;
        let sidecar: Sidecar = serde_json::from_str(&text).map_err(|e| BenchError::File {
            file: beside.display().to_string(),
            why: format!("is not a sidecar: {e}; {AGAIN}"),
        })?;
        let bytes = std::fs::read(path)
            .map_err(|e| BenchError::File { file: file.clone(), why: format!("cannot be read: {e}") })?;
        Self::parse(&file, &bytes, sidecar)
    }

    fn parse(file: &str, bytes: &[u8], sidecar: Sidecar) -> Result<Self, BenchError> {
        let fail = |why: String| Err(BenchError::File { file: file.to_owned(), why });
        let size = size_of::<Message>();
        if !bytes.len().is_multiple_of(size) {
            return fail(format!(
                "{} bytes are {} more than {} whole records of {size}: the file is cut short; {AGAIN}",
                bytes.len(),
                bytes.len() % size,
                bytes.len() / size
            ));
        }
        let Sidecar { prefill, timed, expect } = sidecar;
        if timed == 0 {
            return fail(format!("timed: 0 in {file}.json: there is nothing to measure; {AGAIN}"));
        }
        if Some(bytes.len() / size) != prefill.checked_add(timed) {
            return fail(format!(
                "holds {} records, but {file}.json says prefill {prefill} and timed {timed}; {AGAIN}",
                bytes.len() / size
            ));
        }
        if u64::from_str_radix(&expect.digest, 16).is_err() || expect.digest.len() != 16 {
            return fail(format!(
                "expect.digest: {:?} in {file}.json is not 16 hexadecimal digits; {AGAIN}",
                expect.digest
            ));
        }
        let messages: Vec<Message> = bytemuck::allocation::pod_collect_to_vec(bytes);
        let workload = Self { name: file.to_owned(), messages, prefill, expected: expect };
        workload.check()?;
        Ok(workload)
    }

    /// The messages as bytes of a file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.messages)
    }

    /// The timed messages.
    #[must_use]
    pub fn timed(&self) -> &[Message] {
        &self.messages[self.prefill..]
    }

    /// Number of orders that the messages send; their ids are 1 to this.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.messages.iter().filter(|m| m.kind != CANCEL).count()
    }

    /// Every message is one that a workload may have.
    fn check(&self) -> Result<(), BenchError> {
        let mut issued = 0;
        for (record, message) in self.messages.iter().enumerate() {
            let why = fault(message, issued, record < self.prefill);
            if let Some((field, why)) = why {
                let (file, byte) = (self.name.clone(), record * size_of::<Message>());
                return Err(BenchError::Record { file, record, byte, field, why });
            }
            issued += u64::from(message.kind != CANCEL);
        }
        Ok(())
    }
}

/// What is wrong with a message after `issued` orders: the field, and its value with what it must be.
fn fault(message: &Message, issued: u64, prefill: bool) -> Option<(&'static str, String)> {
    let &Message { kind, side, padding, account, id, price, qty } = message;
    if kind > IOC {
        return Some(("kind", format!("{kind}: must be 0 (new), 1 (cancel) or 2 (IOC)")));
    }
    if side > 1 {
        return Some(("side", format!("{side}: must be 0 (buy) or 1 (sell)")));
    }
    if padding != 0 || account != 0 {
        return Some(("padding", "must be zero".to_owned()));
    }
    if prefill && kind != NEW {
        return Some(("kind", format!("{kind}: the records that build the book are new orders, kind 0")));
    }
    if kind == CANCEL {
        if id == 0 || id > issued {
            return Some(("id", format!("{id}: a cancel names an order sent before, 1 to {issued}")));
        }
        if !(0..=PRICE_MAX).contains(&price) {
            return Some(("price", format!("{price}: must be 0 to {PRICE_MAX}")));
        }
        return (qty != 0).then(|| ("qty", format!("{qty}: a cancel has none, 0")));
    }
    if id != issued + 1 {
        return Some(("id", format!("{id}: orders count up from 1, so this one is {}", issued + 1)));
    }
    if !(1..=PRICE_MAX).contains(&price) {
        return Some(("price", format!("{price}: must be 1 to {PRICE_MAX}")));
    }
    (!(1..=QTY_MAX).contains(&qty)).then(|| ("qty", format!("{qty}: must be 1 to {QTY_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(prefill: usize, timed: usize) -> Sidecar {
        let expect = Expected {
            trades: 0,
            resting: 1,
            best_bid: Some(5),
            best_ask: None,
            stale_cancels: 0,
            digest: "cbf29ce484222325".to_owned(),
        };
        Sidecar { prefill, timed, expect }
    }

    fn parsed(messages: &[Message]) -> Result<Workload, BenchError> {
        Workload::parse("w.bin", bytemuck::cast_slice(messages), sidecar(1, messages.len() - 1))
    }

    const FIRST: Message = Message { kind: NEW, side: 0, padding: 0, account: 0, id: 1, price: 5, qty: 2 };

    #[test]
    fn a_good_file_is_read_as_it_is() {
        let cancel = Message { kind: CANCEL, qty: 0, ..FIRST };
        let workload = parsed(&[FIRST, cancel]).unwrap();
        assert_eq!(workload.timed(), &[cancel]);
        assert_eq!(workload.orders(), 1);
        assert_eq!(workload.bytes().len(), 64);
    }

    #[test]
    fn every_wrong_field_is_named_with_record_value_and_remedy() {
        let second = Message { id: 2, ..FIRST };
        let cancel = Message { kind: CANCEL, qty: 0, ..FIRST };
        for (message, part) in [
            (Message { kind: 3, ..second }, "kind: 3: must be 0 (new)"),
            (Message { side: 2, ..second }, "side: 2: must be 0 (buy)"),
            (Message { padding: 9, ..second }, "padding: must be zero"),
            (Message { account: 9, ..second }, "padding: must be zero"),
            (Message { id: 3, ..second }, "id: 3: orders count up from 1, so this one is 2"),
            (Message { price: 0, ..second }, "price: 0: must be 1 to"),
            (Message { price: i64::MAX, ..second }, "price: 9223372036854775807: must be 1 to"),
            (Message { qty: 0, ..second }, "qty: 0: must be 1 to"),
            (Message { qty: u64::MAX, kind: IOC, ..second }, "qty: 18446744073709551615: must be"),
            (Message { id: 0, ..cancel }, "id: 0: a cancel names an order sent before, 1 to 1"),
            (Message { id: 2, ..cancel }, "id: 2: a cancel names an order sent before, 1 to 1"),
            (Message { price: -1, ..cancel }, "price: -1: must be 0 to"),
            (Message { qty: 1, ..cancel }, "qty: 1: a cancel has none"),
        ] {
            let told = parsed(&[FIRST, message]).unwrap_err().to_string();
            assert!(told.starts_with("w.bin: record 1 (byte 32): "), "{told}");
            assert!(told.contains(part) && told.ends_with(AGAIN), "{told} lacks {part}");
        }
        let told = parsed(&[Message { kind: IOC, ..FIRST }, second]).unwrap_err().to_string();
        assert!(told.contains("record 0") && told.contains("build the book are new orders"), "{told}");
    }

    #[test]
    fn a_file_cut_short_or_of_another_sidecar_is_refused() {
        let bytes: &[u8] = bytemuck::bytes_of(&FIRST);
        let told = |bytes: &[u8], sidecar| Workload::parse("w.bin", bytes, sidecar).unwrap_err().to_string();
        assert!(told(&bytes[..31], sidecar(0, 1)).contains("31 bytes are 31 more than 0 whole records"));
        assert!(told(bytes, sidecar(1, 1)).contains("holds 1 records, but w.bin.json says prefill 1"));
        assert!(told(bytes, sidecar(1, 0)).contains("nothing to measure"));
        assert!(told(bytes, sidecar(usize::MAX, 1)).contains("holds 1 records"));
        let mut odd = sidecar(0, 1);
        odd.expect.digest = "12".to_owned();
        assert!(told(bytes, odd).contains("not 16 hexadecimal digits"));
    }
}
