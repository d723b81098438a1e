//! Any event of the practice: its stored type, its document, and the way back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::appointment::AppointmentEvent;
use crate::ids::StreamType;
use crate::location::LocationEvent;
use crate::patient::PatientEvent;
use crate::practitioner::PractitionerEvent;
use crate::thread::ThreadEvent;
use crate::upcast;

/// A stored event type: its name, its current schema version, and which of its fields are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// The stored name, ASCII, `aggregate.past-tense-verb`.
    pub name: &'static str,
    /// The version written today; older ones are read through [`upcast`].
    pub schema_version: u32,
    /// Top-level fields stored as boxes under the key of the event's subject; the field name is the box's label.
    pub sealed: &'static [&'static str],
}

/// Any event of the practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Of a patient.
    Patient(PatientEvent),
    /// Of a practitioner.
    Practitioner(PractitionerEvent),
    /// Of a location.
    Location(LocationEvent),
    /// Of a booking.
    Appointment(AppointmentEvent),
    /// Of a conversation.
    Thread(ThreadEvent),
}

/// Why a stored document is not an event of this version.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The type is not known to this version (written by a newer one).
    #[error("event type is not known to this version")]
    UnknownType,
    /// The schema version is newer than the one this version writes.
    #[error("schema version {found} of {name} is newer than {known}")]
    NewerSchema {
        /// The stored type.
        name: &'static str,
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// The document does not have the shape of its type. The source is not kept: its text can quote values.
    #[error("document of {name} has not the shape of its type")]
    Shape {
        /// The stored type.
        name: &'static str,
    },
}

macro_rules! over_aggregates {
    ($($variant:ident($enum:ident)),+ $(,)?) => {
        impl Event {
            /// The kind of stream this event belongs to.
            pub const fn stream_type(&self) -> StreamType {
                match self { $(Self::$variant(_) => StreamType::$variant,)+ }
            }

            /// The stored type.
            pub fn event_type(&self) -> &'static EventType {
                match self { $(Self::$variant(event) => event.event_type(),)+ }
            }

            /// The payload as a JSON document, sealed fields in their readable form.
            ///
            /// # Errors
            /// Only if a payload could not be JSON, which no type of this crate is.
            pub fn to_document(&self) -> Result<Value, serde_json::Error> {
                match self { $(Self::$variant(event) => event.to_document(),)+ }
            }

            fn from_current(kind: StreamType, name: &str, document: Value) -> Option<Result<Self, serde_json::Error>> {
                match kind { $(StreamType::$variant => $enum::from_document(name, document).map(|event| event.map(Self::$variant)),)+ }
            }

            /// The event types of a kind of stream.
            pub const fn types(kind: StreamType) -> &'static [EventType] {
                match kind { $(StreamType::$variant => $enum::TYPES,)+ }
            }
        }

        $(impl From<$enum> for Event {
            fn from(event: $enum) -> Self {
                Self::$variant(event)
            }
        })+
    };
}

over_aggregates! {
    Patient(PatientEvent),
    Practitioner(PractitionerEvent),
    Location(LocationEvent),
    Appointment(AppointmentEvent),
    Thread(ThreadEvent),
}

impl Event {
    /// The type of that name in that kind of stream, if this version knows it.
    pub fn find_type(kind: StreamType, name: &str) -> Option<&'static EventType> {
        Self::types(kind).iter().find(|known| known.name == name)
    }

    /// The event a stored document means, upcast from the schema version it was written in. Sealed fields are in
    /// their readable form already: boxes are opened under the stored type and version, before upcasting.
    ///
    /// # Errors
    /// [`DocumentError`] when this version cannot read it; nothing of the document is in the error.
    pub fn from_document(
        kind: StreamType,
        name: &str,
        schema_version: u32,
        document: Value,
    ) -> Result<Self, DocumentError> {
        let known = Self::find_type(kind, name).ok_or(DocumentError::UnknownType)?;
        if schema_version > known.schema_version {
            return Err(DocumentError::NewerSchema {
                name: known.name,
                found: schema_version,
                known: known.schema_version,
            });
        }
        let current = upcast::to_current(known, schema_version, document)
            .ok_or(DocumentError::Shape { name: known.name })?;
        match Self::from_current(kind, known.name, current) {
            Some(Ok(event)) => Ok(event),
            Some(Err(_)) | None => Err(DocumentError::Shape { name: known.name }),
        }
    }
}
