//! The venue has the workload's answers: at full size, for further seeds, in a deep book; a wrong one is noticed.

use seawall_bench::setup::book_bytes;
use seawall_bench::{BenchError, Features, Generator, Ids, PROFILES, Params, Stage, Tape, Tracks, Workload};
use seawall_core::Venue;

const MEASURED: [&str; 4] = ["touch50", "shallow", "wide", "crash"];
const IDS: [Ids; 3] = [Ids::Given, Ids::Venue, Ids::Hashed];

fn driven(stage: &Stage) -> (Venue, Tape) {
    let (mut venue, mut tracks) = (stage.venue(), Tracks::default());
    tracks.drive(&mut venue, stage.forms(), stage.prefill());
    let tape = tracks.drive(&mut venue, stage.forms(), stage.timed());
    (venue, tape)
}

/// Stages a workload, which drives it message by message, then drives it in batches.
fn check(workload: Workload, features: Features, ids: Ids) {
    let stage = Stage::new(workload, features, ids).expect("the venue has the answers");
    let (venue, tape) = driven(&stage);
    stage.check(&venue, &tape).expect("the venue has the answers");
}

fn check_full_size(profile: &str) {
    let workload =
        Generator::workload(profile, Params::of(profile).expect("it is known")).expect("it can be made");
    assert_eq!(workload.timed().len(), 3_000_000);
    check(workload, Features::Idle, Ids::Venue);
}

#[test]
fn touch50_at_full_size() {
    check_full_size("touch50");
}

#[test]
fn shallow_at_full_size() {
    check_full_size("shallow");
}

#[test]
fn wide_at_full_size() {
    check_full_size("wide");
}

#[test]
fn crash_at_full_size() {
    check_full_size("crash");
}

#[test]
fn ten_further_seeds_with_all_ids() {
    for seed in 2..12 {
        for profile in MEASURED {
            let params = Params::of(profile).unwrap();
            let params = Params { timed: 25_000, depth: params.depth / 10, seed, ..params };
            let workload = Generator::workload(&format!("{profile}, seed {seed}"), params).unwrap();
            for ids in IDS {
                check(workload.clone(), Features::Idle, ids);
            }
        }
    }
}

#[test]
fn all_features_change_no_answer() {
    for profile in MEASURED {
        let params = Params { timed: 50_000, ..Params::of(profile).unwrap() };
        let workload = Generator::workload(profile, params).unwrap();
        for ids in IDS {
            check(workload.clone(), Features::Full, ids);
        }
    }
}

#[test]
fn a_million_orders_rest_in_a_domain_of_ten_million_ticks() {
    let params = Params { timed: 20_000, ..Params::of("million").unwrap() };
    let workload = Generator::workload("million", params).unwrap();
    assert!(workload.expected.resting > 990_000);
    let prices = || workload.messages.iter().map(|message| message.price);
    assert!(prices().max().unwrap() - prices().filter(|price| *price > 0).min().unwrap() > 3_900_000);
    let stage = Stage::new(workload, Features::Idle, Ids::Venue).unwrap();
    let (venue, tape) = driven(&stage);
    stage.check(&venue, &tape).unwrap();
    assert!(book_bytes(&venue) < 1_000_000_000);
}

/// Makes an answer wrong.
type Harm = fn(&mut Workload);

#[test]
fn every_wrong_answer_is_noticed() {
    let params = Params { timed: 2000, depth: 500, ..Params::of("touch50").unwrap() };
    let right = Generator::workload("touch50", params).unwrap();
    let harm: [(&str, Harm); 6] = [
        ("trades", |w| w.expected.trades += 1),
        ("digest", |w| w.expected.digest = "0000000000000000".to_owned()),
        ("refused", |w| w.expected.stale_cancels += 1),
        ("resting", |w| w.expected.resting += 1),
        ("best_bid", |w| w.expected.best_bid = None),
        ("best_ask", |w| w.expected.best_ask = Some(1)),
    ];
    for (what, harm) in harm {
        let mut wrong = right.clone();
        harm(&mut wrong);
        let told = Stage::new(wrong, Features::Idle, Ids::Venue).unwrap_err();
        assert!(matches!(told, BenchError::Answer { .. }));
        assert!(told.to_string().contains(what), "{told} lacks {what}");
    }
}

#[test]
fn a_message_that_was_changed_gives_another_answer() {
    let params = Params { timed: 2000, depth: 500, ..Params::of("touch50").unwrap() };
    let mut workload = Generator::workload("touch50", params).unwrap();
    let taker = workload.messages.iter().rposition(|m| m.kind == seawall_bench::workload::IOC).unwrap();
    workload.messages[taker].qty += 1;
    let told = Stage::new(workload, Features::Idle, Ids::Venue).unwrap_err().to_string();
    assert!(told.contains("wrong answer"), "{told}");
}

#[test]
fn every_profile_has_a_name_of_its_own() {
    for (name, params) in PROFILES {
        assert_eq!(Params::of(name), Some(params));
    }
    assert_eq!(Params::of("touch5"), None);
}
