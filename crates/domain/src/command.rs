//! What is a command, and what does deciding it give?

use chrono::{DateTime, Utc};
use praxis_events::event::Event;
use praxis_events::ids::StreamId;

use crate::context::Context;
use crate::refusal::Refused;
use crate::world::World;

/// An order to the practice. Deciding is pure: the same world and context give the same decision.
pub trait Command: Send + Sync {
    /// The record it is about: what the answer's id and version say.
    fn target(&self) -> StreamId;

    /// Every stream it must see, its target included, as far as the world already tells: a reschedule names its
    /// appointment first, and the appointment's patient once that is loaded. Asked again after each load.
    fn streams(&self, world: &World) -> Vec<StreamId>;

    /// Whether the target is made by this very command. Then it is decided as if nothing were there yet, without
    /// looking: the log finds out, and whatever would be refused is decided again from what is stored.
    fn makes_target(&self) -> bool {
        false
    }

    /// What is to happen.
    ///
    /// # Errors
    /// [`Refused`], with every reason.
    fn decide(&self, world: &World, ctx: &Context) -> Result<Decision, Refused>;
}

/// The streams a command must see that are not loaded yet; empty when it can be decided.
pub fn missing(command: &(impl Command + ?Sized), world: &World) -> Vec<StreamId> {
    let mut streams = command.streams(world);
    streams.push(command.target());
    streams.retain(|stream| !world.has_loaded(*stream));
    streams.sort_unstable();
    streams.dedup();
    streams
}

/// What a command makes happen. Without writes it is an accepted command that changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What happens, stream by stream, in order.
    pub writes: Vec<(StreamId, Vec<Event>)>,
    /// The streams it depends on without writing them.
    pub reads: Vec<StreamId>,
    /// Why, as a code, for the metadata of its events.
    pub reason_code: Option<String>,
    /// When it happened, where the command states it.
    pub occurred_at: Option<DateTime<Utc>>,
}

impl Decision {
    /// Nothing happens, and that is all right.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// One event in one stream.
    pub fn event(stream: impl Into<StreamId>, event: impl Into<Event>) -> Self {
        Self::events(stream, vec![event.into()])
    }

    /// Several events in one stream.
    pub fn events(stream: impl Into<StreamId>, events: Vec<Event>) -> Self {
        Self {
            writes: vec![(stream.into(), events)],
            ..Self::default()
        }
    }

    /// The same, depending on these streams.
    #[must_use]
    pub fn reading(self, reads: Vec<StreamId>) -> Self {
        Self { reads, ..self }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn for_reason(self, code: Option<&str>) -> Self {
        Self {
            reason_code: code.map(str::to_owned),
            ..self
        }
    }

    /// The same, at this time.
    #[must_use]
    pub fn at(self, occurred_at: DateTime<Utc>) -> Self {
        Self {
            occurred_at: Some(occurred_at),
            ..self
        }
    }
}
