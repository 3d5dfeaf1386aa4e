//! A gate that noise cannot trip: in the steady state nothing is allocated, and building a book allocates within
//! known bounds. Counted by the allocator of this test, on the test's own thread.

use seawall_bench::{Features, Generator, Ids, Null, Params, Stage, Tracks};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// Timed messages after whose half every account has sent some 600 orders.
const STEADY: usize = 2_500_000;

/// The system's allocator, counting what it gives.
struct Counting;

// SAFETY: every call is passed on to the system's allocator as it came; counting touches thread-local numbers
// without a destructor, which neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}

fn count(size: usize) {
    CALLS.set(CALLS.get() + 1);
    BYTES.set(BYTES.get() + u64::try_from(size).unwrap_or(u64::MAX));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that some work makes, and their bytes.
fn allocated(work: impl FnOnce()) -> (u64, u64) {
    let before = (CALLS.get(), BYTES.get());
    work();
    (CALLS.get() - before.0, BYTES.get() - before.1)
}

fn staged(profile: &str, ids: Ids, timed: usize) -> Stage {
    let params = Params { timed, ..Params::of(profile).expect("it is known") };
    let workload = Generator::workload(profile, params).expect("it can be made");
    Stage::new(workload, Features::Idle, ids).expect("the venue has the answers")
}

/// Allocations of the second half of the timed part of touch50.
fn steady(ids: Ids, timed: usize) -> (u64, u64) {
    let stage = staged("touch50", ids, timed);
    let (mut venue, mut tracks) = (stage.venue(), Tracks::default());
    let (first, second) = stage.timed().split_at(stage.timed().len() / 2);
    tracks.drive(&mut venue, stage.forms(), stage.prefill());
    tracks.drive(&mut venue, stage.forms(), first);
    allocated(|| {
        tracks.drive(&mut venue, stage.forms(), second);
    })
}

#[test]
fn allocations_are_counted() {
    let (calls, bytes) = allocated(|| drop(std::hint::black_box(vec![0_u8; 1000])));
    assert_eq!((calls, bytes), (1, 1000));
}

#[test]
fn the_steady_state_allocates_nothing() {
    assert_eq!(steady(Ids::Venue, STEADY), (0, 0));
}

#[test]
fn the_steady_state_allocates_nothing_with_given_ids_but_their_table() {
    let (calls, bytes) = steady(Ids::Given, STEADY);
    // Four bytes for each id ever given: a table that doubles, here from one to two million rows.
    assert!(calls <= 1, "{calls} allocations");
    assert!(bytes <= 4 * ((1 << 21) + 4096), "{bytes} bytes");
}

#[test]
fn the_steady_state_allocates_nothing_with_hashed_ids() {
    assert_eq!(steady(Ids::Hashed, STEADY), (0, 0));
}

#[test]
fn the_engine_without_matching_allocates_nothing() {
    let stage = staged("shallow", Ids::Venue, 50_000);
    let mut tracks = Tracks::default();
    let (calls, _) = allocated(|| {
        tracks.drive(&mut Null::default(), stage.forms(), stage.timed());
    });
    assert_eq!(calls, 0);
}

#[test]
fn building_a_book_allocates_within_bounds() {
    let stage = staged("touch50", Ids::Venue, 1);
    let (mut venue, mut tracks) = (stage.venue(), Tracks::default());
    let (calls, bytes) = allocated(|| {
        tracks.drive(&mut venue, stage.forms(), stage.prefill());
    });
    // Tables double as they grow.
    assert!(calls < 150, "{calls} allocations");
    assert!(bytes < 50_000 * 128, "{bytes} bytes");
}
