//! The whole state as bytes and back, and its digest.

use super::Venue;
use crate::codec::{CodecError, Reader, Writer, checksum};
use crate::config::Config;
use crate::liquidation::Queue;
use crate::order::{Said, Terms};
use crate::units::{AccountId, MarketId, Price};

/// First bytes of a snapshot.
const SNAPSHOT_MAGIC: &[u8; 8] = b"SEAWALL1";
/// Version of the snapshot's form.
const SNAPSHOT_VERSION: u32 = 1;

impl Venue {
    /// The whole state as bytes: magic, version, checksum, configuration, state.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut body = Writer::new();
        body.bytes(self.floor.config.canonical().as_bytes());
        self.encode(&mut body);
        let body = body.finish();
        let mut w = Writer::new();
        w.raw(SNAPSHOT_MAGIC);
        w.u32(SNAPSHOT_VERSION);
        w.u64(checksum(&body));
        w.raw(&body);
        w.finish()
    }

    /// A venue from a snapshot: it goes on exactly as the one that wrote it.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that are cut short, changed, or of another version.
    pub fn restore(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(bytes, "snapshot");
        if r.raw(SNAPSHOT_MAGIC.len())? != SNAPSHOT_MAGIC {
            return Err(r.invalid("does not begin with SEAWALL1; this is not a snapshot of a venue"));
        }
        let version = r.u32()?;
        if version != SNAPSHOT_VERSION {
            return Err(
                r.invalid(format!("version {version} is unknown; this build reads {SNAPSHOT_VERSION}"))
            );
        }
        let sum = r.u64()?;
        let body = r.raw(r.left())?;
        if checksum(body) != sum {
            return Err(
                r.invalid("the checksum does not match; bytes were lost or changed, take another copy")
            );
        }
        let mut r = Reader::new(body, "snapshot");
        let text = std::str::from_utf8(r.bytes()?).map_err(|e| r.invalid(e.to_string()))?;
        let config = Config::new(text).map_err(|e| r.invalid(e.to_string()))?;
        let mut venue = Self::new(config);
        venue.decode(&mut r)?;
        if r.left() > 0 {
            return Err(r.invalid(format!("{} bytes follow the state; take another copy", r.left())));
        }
        Ok(venue)
    }

    /// Digest of the state: equal states have equal digests, whatever slots their orders have.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut w = Writer::canonical();
        w.raw(&self.floor.config.digest());
        self.encode(&mut w);
        *blake3::hash(&w.finish()).as_bytes()
    }

    fn encode(&self, w: &mut Writer) {
        w.u64(self.seq);
        self.floor.encode(w);
        self.queue.encode(&self.floor.config, w);
        w.bool(self.gathered.is_some());
        if let Some(said) = &self.gathered {
            let (market, account) = said.of.unwrap_or((MarketId::NONE, AccountId::new(0)));
            w.u16(market.get());
            w.u32(account.get());
            said.terms.encode(w);
            w.bool(said.broken);
        }
        let waits = |f: &&(MarketId, u64)| self.floor.market(f.0).book.waiting().get(f.1).is_some();
        w.len(self.fired.iter().filter(waits).count());
        for (market, number) in self.fired.iter().filter(waits) {
            w.u16(market.get());
            w.u64(*number);
        }
    }

    fn decode(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        self.seq = r.u64()?;
        self.floor.decode(r)?;
        self.queue = Queue::decode(&self.floor, r)?;
        for account in self.queue.accounts().collect::<Vec<_>>() {
            self.floor.set_liquidated(account, true);
        }
        if r.bool()? {
            let (market, account) = (MarketId::new(r.u16()?), AccountId::new(r.u32()?));
            let of = (market != MarketId::NONE).then_some((market, account));
            if of.is_some_and(|(m, a)| !self.floor.knows_market(m) || !self.floor.ledger.knows(a)) {
                return Err(r.invalid("terms are of an unknown market or account; take another copy"));
            }
            let price_max = of.map_or(Price::MAX, |(m, _)| self.floor.market(m).config.price_max);
            let terms = Terms::decode(price_max, r)?;
            self.gathered = Some(Box::new(Said { of, terms, broken: r.bool()? }));
        }
        for _ in 0..r.len()? {
            let (market, number) = (MarketId::new(r.u16()?), r.u64()?);
            let waits =
                self.floor.knows_market(market).then(|| self.floor.market(market).book.waiting().get(number));
            if waits.flatten().is_none_or(|waits| waits.fired.is_none()) {
                return Err(r.invalid("a fired order does not wait; take another copy"));
            }
            self.fired.push_back((market, number));
        }
        self.rest();
        self.floor.arm_all();
        self.next_due = self.earliest();
        Ok(())
    }
}
