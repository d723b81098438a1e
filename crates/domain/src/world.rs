//! What does a command see? The states it had loaded, each at the version it was loaded at.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use praxis_events::ids::{AppointmentId, LocationId, PatientId, PractitionerId, StreamId, ThreadId};

use crate::appointment::state::Appointment;
use crate::location::state::Location;
use crate::patient::state::Patient;
use crate::practitioner::state::Practitioner;
use crate::state::State;
use crate::thread::state::Thread;

/// The loaded streams. States are shared, so that a cache lends them without copying.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    streams: HashMap<StreamId, (Arc<State>, u64)>,
    changed_at: HashMap<StreamId, DateTime<Utc>>,
}

macro_rules! accessors {
    ($($(#[$doc:meta])+ $name:ident($id:ident) -> $variant:ident;)+) => {$(
        $(#[$doc])+
        pub fn $name(&self, id: $id) -> Option<&$variant> {
            let State::$variant(state) = self.existing(id.into())? else { return None };
            Some(state)
        }
    )+};
}

impl World {
    /// Nothing loaded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stream as loaded; version 0 is a stream without events, which does not exist.
    pub fn insert(&mut self, stream: StreamId, state: Arc<State>, version: u64) {
        self.streams.insert(stream, (state, version));
    }

    /// The same, with that stream.
    #[must_use]
    pub fn with(mut self, stream: impl Into<StreamId>, state: impl Into<State>, version: u64) -> Self {
        self.insert(stream.into(), Arc::new(state.into()), version);
        self
    }

    /// Notes when the stream's last event was appended.
    pub fn note_change(&mut self, stream: StreamId, at: DateTime<Utc>) {
        self.changed_at.insert(stream, at);
    }

    /// When the stream's last event was appended, by the log's clock; `None` where that is not known. It is no part of the
    /// state, because a fold sees events and no clock.
    pub fn changed_at(&self, stream: StreamId) -> Option<DateTime<Utc>> {
        self.changed_at.get(&stream).copied()
    }

    /// Whether the stream was loaded, be it with or without events.
    pub fn has_loaded(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }

    /// The version the stream was loaded at; `None` if it was not.
    pub fn version(&self, stream: StreamId) -> Option<u64> {
        self.streams.get(&stream).map(|(_, version)| *version)
    }

    /// The state the stream was loaded in; `None` if it was not.
    pub fn state(&self, stream: StreamId) -> Option<&Arc<State>> {
        self.streams.get(&stream).map(|(state, _)| state)
    }

    /// Whether the stream was loaded and has events.
    pub fn exists(&self, stream: impl Into<StreamId>) -> bool {
        self.existing(stream.into()).is_some()
    }

    fn existing(&self, stream: StreamId) -> Option<&State> {
        let (state, version) = self.streams.get(&stream)?;
        (*version > 0).then_some(&**state)
    }

    accessors! {
        /// The patient, if loaded and registered.
        patient(PatientId) -> Patient;
        /// The practitioner, if loaded and registered.
        practitioner(PractitionerId) -> Practitioner;
        /// The location, if loaded and registered.
        location(LocationId) -> Location;
        /// The appointment, if loaded and made.
        appointment(AppointmentId) -> Appointment;
        /// The thread, if loaded and opened.
        thread(ThreadId) -> Thread;
    }
}
