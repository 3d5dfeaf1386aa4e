//! The journal: every command in order, refused ones included, in frames that can be checked and replayed.
//!
//! Works on bytes; files are somebody else's job. Header: magic, version, record size, digest of the
//! configuration, its canonical text. Frame: count, number of its first command, checksum, records. A torn last
//! frame is dropped and reported; anything else that does not fit is an error.

use crate::codec::{CodecError, Reader, Writer, checksum};
use crate::config::Config;
use crate::protocol::{Events, Record};
use crate::venue::Venue;

const MAGIC: &[u8; 8] = b"SWJOURN1";
const VERSION: u32 = 1;
/// Bytes of a frame's count, first number and checksum.
const HEAD: usize = 20;

/// Writes a journal as bytes to append to a file.
#[derive(Debug)]
pub struct JournalWriter {
    next: u64,
}

impl JournalWriter {
    /// A new journal and the bytes of its header.
    #[must_use]
    pub fn begin(config: &Config) -> (Self, Vec<u8>) {
        let mut w = Writer::new();
        w.raw(MAGIC);
        w.u32(VERSION);
        w.len(size_of::<Record>());
        w.raw(&config.digest());
        w.bytes(config.canonical().as_bytes());
        (Self { next: 1 }, w.finish())
    }

    /// A new journal of a venue and the bytes of its header; none if the venue has already taken commands, because
    /// a replay could not repeat them.
    #[must_use]
    pub fn of(venue: &Venue) -> Option<(Self, Vec<u8>)> {
        let config = venue.config();
        (Venue::new(config.clone()).digest() == venue.digest()).then(|| Self::begin(config))
    }

    /// The bytes of one frame of commands.
    #[must_use]
    pub fn frame(&mut self, commands: &[Record]) -> Vec<u8> {
        let bytes = bytemuck::cast_slice(commands);
        let mut w = Writer::new();
        w.len(commands.len());
        w.u64(self.next);
        w.u64(checksum(bytes));
        let head = w.finish();
        let mut w = Writer::new();
        w.raw(&head);
        // The head has a checksum of its own: a changed count is damage, not a frame that was cut short.
        w.u64(checksum(&head));
        w.raw(bytes);
        self.next += u64::try_from(commands.len()).expect("a length fits");
        w.finish()
    }
}

/// A journal read back.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The configuration that the venue began with.
    pub config: Config,
    /// Every command, in order.
    pub commands: Vec<Record>,
    /// Bytes of a last frame that was not written whole; they were dropped.
    pub torn: usize,
}

impl Journal {
    /// Reads a journal.
    ///
    /// # Errors
    /// [`CodecError`] for another format, a changed configuration, a frame out of order or with a wrong checksum.
    pub fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(bytes, "journal");
        if r.raw(MAGIC.len())? != MAGIC {
            return Err(r.invalid("does not begin with SWJOURN1; this is not a journal"));
        }
        let (version, size) = (r.u32()?, r.u32()?);
        if version != VERSION || usize::try_from(size) != Ok(size_of::<Record>()) {
            let why = format!("version {version} with records of {size} bytes; this build reads 1 with 64");
            return Err(r.invalid(why));
        }
        let digest = r.raw(32)?;
        let text = std::str::from_utf8(r.bytes()?).map_err(|e| r.invalid(e.to_string()))?;
        let config = Config::new(text).map_err(|e| r.invalid(e.to_string()))?;
        if config.digest() != digest {
            return Err(r.invalid("the configuration does not match its digest; take another copy"));
        }
        let mut commands = Vec::new();
        let mut torn = 0;
        while r.left() > 0 {
            let left = r.left();
            match frame(&mut r, commands.len()) {
                Ok(records) => commands.extend_from_slice(&records),
                Err(CodecError::Short { .. }) => {
                    torn = left;
                    break;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(Self { config, commands, torn })
    }

    /// Applies every command to a new venue; the events are those that the journaled venue gave.
    #[must_use]
    pub fn replay(&self) -> (Venue, Events) {
        let mut venue = Venue::new(self.config.clone());
        let mut events = Events::new();
        venue.apply_batch(&self.commands, &mut events);
        (venue, events)
    }
}

fn frame(r: &mut Reader<'_>, before: usize) -> Result<Vec<Record>, CodecError> {
    let head = r.raw(HEAD)?;
    if r.u64()? != checksum(head) {
        return Err(
            r.invalid(format!("the head of the frame after command {before} does not match its checksum"))
        );
    }
    let mut h = Reader::new(head, "journal");
    let count = usize::try_from(h.u32()?).expect("32 bits fit");
    let (first, sum) = (h.u64()?, h.u64()?);
    let bytes = r.raw(count.saturating_mul(size_of::<Record>()))?;
    if usize::try_from(first) != Ok(before + 1) {
        return Err(r.invalid(format!("a frame begins with command {first}, expected {}", before + 1)));
    }
    if checksum(bytes) != sum {
        return Err(r.invalid(format!("the checksum of the frame at command {first} does not match")));
    }
    // The bytes may lie at any address; the copy is aligned.
    Ok(bytemuck::allocation::pod_collect_to_vec(bytes))
}
