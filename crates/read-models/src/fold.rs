//! What a read model is: a pure fold from events to rows, and the rule that makes repetition harmless.

use std::hash::Hash;

use praxis_events::recorded::RecordedEvent;

/// Where in the log a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The position of the last event that was applied to the row.
    pub position: u64,
    /// That event's place in its stream: for a row that holds a whole stream the stream's version, so that an entity
    /// tag made of it never goes stale.
    pub version: u64,
}

impl Place {
    /// The place a row has after an event.
    pub const fn of(event: &RecordedEvent) -> Self {
        Self {
            position: event.position,
            version: event.stream_version,
        }
    }
}

/// A row that knows where in the log it stands.
pub trait Placed {
    /// Where it stands.
    fn place(&self) -> Place;

    /// Says where it stands now.
    fn set_place(&mut self, place: Place);
}

macro_rules! placed {
    ($row:ty) => {
        impl crate::fold::Placed for $row {
            fn place(&self) -> crate::fold::Place {
                self.place
            }

            fn set_place(&mut self, place: crate::fold::Place) {
                self.place = place;
            }
        }
    };
}

pub(crate) use placed;

/// A read model: which rows an event touches, and what it makes of them.
pub trait ReadModel {
    /// The model's name, as metrics and the fingerprint show it.
    const NAME: &'static str;

    /// Raised with every change of the fold or the row; a change makes another [`fingerprint`](crate::fingerprint).
    const FOLD_VERSION: u32;

    /// What a row is found by.
    type Key: Copy + Ord + Hash + Send + Sync + 'static;

    /// What is shown.
    type Row: Placed + Clone + PartialEq + Send + Sync + 'static;

    /// The rows an event touches: few, and known from the event alone.
    fn keys(event: &RecordedEvent) -> impl Iterator<Item = Self::Key>;

    /// Whether the event makes its row out of nothing, so that there is none to load before it.
    fn begins(event: &RecordedEvent) -> bool {
        event.stream_version == 1
    }

    /// The key of a row.
    fn key(row: &Self::Row) -> Self::Key;

    /// What the event makes of the row; [`fold`] calls it and keeps the row's place. An event about a row that is not
    /// there leaves it so: it cannot happen in a log whose decisions were sound, and a fold does not fail.
    fn apply(row: &mut Option<Self::Row>, key: Self::Key, event: &RecordedEvent);
}

/// Applies an event to a row, once: an event at or before the row's place is one it has seen, and changes nothing.
pub fn fold<M: ReadModel>(row: &mut Option<M::Row>, key: M::Key, event: &RecordedEvent) {
    if row
        .as_ref()
        .is_some_and(|row| row.place().position >= event.position)
    {
        return;
    }
    M::apply(row, key, event);
    if let Some(row) = row {
        row.set_place(Place::of(event));
    }
}

/// The row that events make from nothing: what an as-of read shows, with the events up to then.
pub fn fold_all<'a, M: ReadModel>(
    key: M::Key,
    events: impl IntoIterator<Item = &'a RecordedEvent>,
) -> Option<M::Row> {
    let mut row = None;
    for event in events {
        if M::keys(event).any(|touched| touched == key) {
            fold::<M>(&mut row, key, event);
        }
    }
    row
}
