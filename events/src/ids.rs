//! Which thing is meant: one type for every kind of id, so that none can stand in for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )+};
}

ids! {
    /// A patient, and the stream of that name.
    PatientId;
    /// A practitioner (FHIR `Practitioner`), and the stream of that name.
    PractitionerId;
    /// A site of the practice (FHIR `Location`), and the stream of that name.
    LocationId;
    /// A room within a location; rooms are named in their location's events.
    RoomId;
    /// One booking through its life (FHIR `Appointment`), and the stream of that name.
    AppointmentId;
    /// A conversation about one patient, and the stream of that name.
    ThreadId;
    /// One message within a thread.
    MessageId;
    /// An account that may log in.
    AccountId;
    /// A person whose data is sealed under keys of their own: a patient, practitioner or account holder.
    SubjectId;
    /// One event.
    EventId;
    /// One log, for its whole life and in every copy of it.
    LogId;
}

impl From<PatientId> for SubjectId {
    fn from(id: PatientId) -> Self {
        Self(id.0)
    }
}

impl From<PractitionerId> for SubjectId {
    fn from(id: PractitionerId) -> Self {
        Self(id.0)
    }
}

/// What kind of record a stream holds; stored with every event, so the names never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamType {
    /// A patient's demographics, identifiers, contacts and status.
    Patient,
    /// A practitioner's profile and specialities.
    Practitioner,
    /// A site and its zone.
    Location,
    /// A booking.
    Appointment,
    /// A conversation.
    Thread,
}

impl StreamType {
    /// Every kind, for tests and tables.
    pub const ALL: [Self; 5] = [
        Self::Patient,
        Self::Practitioner,
        Self::Location,
        Self::Appointment,
        Self::Thread,
    ];

    /// The stored name: ASCII, never changed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Practitioner => "practitioner",
            Self::Location => "location",
            Self::Appointment => "appointment",
            Self::Thread => "thread",
        }
    }

    /// The kind of that stored name, if it is known to this version.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One stream: its kind and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// What it holds.
    pub kind: StreamType,
    /// Which one; ids are unique over all kinds.
    pub id: Uuid,
}

macro_rules! streams {
    ($($id:ident => $kind:ident),+ $(,)?) => {$(
        impl From<$id> for StreamId {
            fn from(id: $id) -> Self {
                Self { kind: StreamType::$kind, id: id.0 }
            }
        }
    )+};
}

streams! {
    PatientId => Patient,
    PractitionerId => Practitioner,
    LocationId => Location,
    AppointmentId => Appointment,
    ThreadId => Thread,
}
