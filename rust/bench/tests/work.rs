//! A gate that noise cannot trip: what the book does for a message, counted. It changes only with the code.

use seawall_bench::{Features, Generator, Ids, Params, Stage, Tracks};
use seawall_core::MarketId;

/// Timed messages.
const TIMED: usize = 20_000;

/// Profile, slots read or written and steps between levels in the timed part. A change that lowers them lowers
/// these numbers with it.
const BOUNDS: [(&str, u64, u64); 4] =
    [("touch50", 48_573, 93), ("shallow", 47_994, 150), ("wide", 47_259, 182), ("crash", 46_614, 497)];

#[test]
fn the_book_does_no_more_than_it_did() {
    let mut more = Vec::new();
    for (profile, nodes, levels) in BOUNDS {
        let params = Params { timed: TIMED, ..Params::of(profile).expect("it is known") };
        let workload = Generator::workload(profile, params).expect("it can be made");
        let stage = Stage::new(workload, Features::Idle, Ids::Venue).expect("the venue has the answers");
        let (mut venue, mut tracks) = (stage.venue(), Tracks::default());
        tracks.drive(&mut venue, stage.forms(), stage.prefill());
        let before = venue.work(MarketId::new(0));
        tracks.drive(&mut venue, stage.forms(), stage.timed());
        let after = venue.work(MarketId::new(0));
        let (n, l) = (after.nodes - before.nodes, after.levels - before.levels);
        assert!(n > 0, "this build does not count");
        println!("{profile}: {n} slots, {l} steps between levels in {TIMED} messages");
        if n > nodes || l > levels {
            more.push((profile, n, l));
        }
    }
    assert!(more.is_empty(), "more work than before: {more:?}");
}
