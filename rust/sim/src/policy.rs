//! Somebody who watches a world's venue and acts between two of its steps.
//!
//! A policy changes nothing but by commands, applied at the time of the step that it was asked after and journaled with
//! the source of policies. So a run with a policy is repeated by its journal alone.

use seawall_core::{Events, Fired, MOMENTS_MAX, Record, Venue, Watch, protocol::source};
use std::collections::VecDeque;

/// Why a policy could not act.
pub type PolicyError = Box<dyn std::error::Error + Send + Sync>;

/// Acts when a trigger has fired.
pub trait Policy: Send {
    /// The commands to apply next. Their time and source are set by the world.
    ///
    /// The venue is lent to be looked at: it may be moved away for the time of the call, and has to be back as it was.
    ///
    /// # Errors
    /// Whatever the policy runs into. The world stops then, with its venue between two commands.
    fn act(&mut self, venue: &mut Venue, fired: &Fired) -> Result<Vec<Record>, PolicyError>;
}

/// A policy at its place.
pub(crate) struct Desk {
    pub(crate) watch: Watch,
    pub(crate) policy: Box<dyn Policy>,
    /// What fired and was not acted upon yet.
    pub(crate) due: VecDeque<Fired>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("watch", &self.watch).field("due", &self.due).finish_non_exhaustive()
    }
}

impl Desk {
    /// Looks at a step, all of whose events are in the list.
    pub(crate) fn observe(&mut self, venue: &Venue, record: &Record, events: &Events) {
        if self.watch.observe(venue, record, events, 0) {
            self.due.extend(self.watch.fired());
            self.watch.forget();
        }
    }

    /// Asks the policy about what fired first; none if nothing is due.
    pub(crate) fn ask(&mut self, venue: &mut Venue) -> Option<Result<Vec<Record>, PolicyError>> {
        let fired = self.due.pop_front()?;
        let at = venue.now().get();
        Some(self.policy.act(venue, &fired).map(|mut records| {
            for record in &mut records {
                (record.at, record.source) = (at, source::POLICY);
            }
            records
        }))
    }
}

/// A policy that was asked too often in a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: asked {MOMENTS_MAX} times in a row at time {at}; its own commands fire its triggers again")]
pub struct Circular {
    /// Time of the venue.
    pub at: i64,
}

/// A policy that left a round of auto-deleveraging without a plan that could be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy: no plan that can be used for the round awaited at time {at}; the venue used its fallback")]
pub struct Unplanned {
    /// Time of the venue.
    pub at: i64,
}
