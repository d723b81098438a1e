//! What is known of any record: the fold of its events, and what it claims because of them.

use praxis_events::event::Event;
use praxis_events::ids::{StreamId, StreamType, SubjectId};
use serde::{Deserialize, Serialize};

use crate::appointment::state::Appointment;
use crate::claim::Claim;
use crate::location::state::Location;
use crate::patient::state::Patient;
use crate::practitioner::state::Practitioner;
use crate::span::Span;
use crate::thread::state::Thread;

/// The state of any record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// Of a patient.
    Patient(Box<Patient>),
    /// Of a practitioner.
    Practitioner(Box<Practitioner>),
    /// Of a location.
    Location(Box<Location>),
    /// Of a booking.
    Appointment(Box<Appointment>),
    /// Of a conversation.
    Thread(Box<Thread>),
}

macro_rules! over_aggregates {
    ($($variant:ident),+ $(,)?) => {
        impl State {
            /// The state before the first event.
            pub fn empty(kind: StreamType) -> Self {
                match kind { $(StreamType::$variant => Self::$variant(Box::default()),)+ }
            }

            /// What kind of record it is of.
            pub const fn kind(&self) -> StreamType {
                match self { $(Self::$variant(_) => StreamType::$variant,)+ }
            }

            /// Takes in one event. Cannot fail; an event of another kind of record changes nothing.
            pub fn apply(&mut self, event: &Event) {
                match (self, event) {
                    $((Self::$variant(state), Event::$variant(event)) => state.fold(event),)+
                    ($(Self::$variant(_))|+, _) => {}
                }
            }
        }

        $(impl From<$variant> for State {
            fn from(state: $variant) -> Self {
                Self::$variant(Box::new(state))
            }
        })+
    };
}

over_aggregates! { Patient, Practitioner, Location, Appointment, Thread }

impl State {
    /// How many parts it has that come one by one, without a limit: what of its size a cache must count.
    pub fn parts(&self) -> usize {
        match self {
            Self::Thread(thread) => thread.messages.size(),
            Self::Patient(_) | Self::Practitioner(_) | Self::Location(_) | Self::Appointment(_) => 0,
        }
    }

    /// What the record claims, in order and without repetition; a function of the state alone.
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims = match self {
            Self::Patient(patient) => patient.claims(),
            Self::Practitioner(practitioner) => practitioner.claims(),
            Self::Location(location) => location.claims(),
            Self::Appointment(appointment) => appointment.claims(),
            Self::Thread(_) => Vec::new(),
        };
        claims.sort_unstable();
        claims.dedup();
        claims
    }

    /// The calendar time the record takes; a function of the state alone.
    pub fn spans(&self) -> Vec<Span> {
        match self {
            Self::Appointment(appointment) => appointment.spans(),
            Self::Patient(_) | Self::Practitioner(_) | Self::Location(_) | Self::Thread(_) => Vec::new(),
        }
    }

    /// Whom the record in that stream is chiefly about, under whose keys its sealed parts are; `None` for a location, and
    /// for a record without events that cannot know yet.
    pub fn subject(&self, stream: StreamId) -> Option<SubjectId> {
        match self {
            Self::Patient(_) | Self::Practitioner(_) => Some(SubjectId(stream.id)),
            Self::Location(_) => None,
            Self::Appointment(appointment) => appointment
                .booking
                .as_ref()
                .map(|booking| booking.patient_id.into()),
            Self::Thread(thread) => thread.opening.as_ref().map(|opening| opening.patient_id.into()),
        }
    }
}

#[cfg(test)]
mod tests;
