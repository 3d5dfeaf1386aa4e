//! Gates that noise cannot trip: what the book does for a message and the guard index for a mark, counted. They change
//! only with the code.

use seawall_bench::{Features, Generator, Ids, Marks, MarksOptions, Params, Stage, Tracks};
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

/// Accounts looked at and keys put into the index for a mark of the walk, and both in the crash, by 10,000 accounts in
/// five markets.
const MARK_BOUNDS: (f64, f64, u64, u64) = (0.173_9, 0.671, 35_099, 151_831);

#[test]
fn the_guard_index_does_no_more_than_it_did() {
    let report = Marks::run(MarksOptions { accounts: 10_000, markets: 5, steps: 10_000 }).unwrap();
    let (reevaluations, inserts) = (report.reevaluations_per_mark, report.inserts_per_mark);
    println!("walk: {reevaluations} accounts, {inserts} keys for a mark");
    println!("crash: {} accounts, {} keys", report.crash_reevaluations, report.crash_inserts);
    let (walk_accounts, walk_keys, crash_accounts, crash_keys) = MARK_BOUNDS;
    assert!(reevaluations <= walk_accounts && inserts <= walk_keys);
    assert!(report.crash_reevaluations <= crash_accounts && report.crash_inserts <= crash_keys);
}
