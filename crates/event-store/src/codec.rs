//! How an event becomes its stored bytes and comes back: sealed fields into boxes, boxes into sealed fields.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::DateTime;
use praxis_events::event::{DocumentError, Event};
use praxis_events::ids::{EventId, StreamId, StreamType, SubjectId};
use praxis_events::metadata::Metadata;
use praxis_events::recorded::RecordedEvent;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::append::PreparedEvent;
use crate::port::StoredEvent;
use crate::record::boxes::{self, BoxPlace, OpenError, SealedBox};
use crate::record::hash::sha256;
use crate::record::keys::DataKey;
use crate::record::names::RecordName;
use crate::vault::{FoundKey, Vault, VaultError};

/// Why an event was not made into bytes: each is a fault of this program.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The payload or metadata is not JSON.
    #[error("event is not JSON")]
    Json(#[source] serde_json::Error),
    /// An event with sealed fields was decided for nobody, or with no key.
    #[error("sealed field {field} has no person whose key seals it")]
    NoKey {
        /// The field.
        field: &'static str,
    },
    /// A sealed field holds an erased value, which cannot be written again.
    #[error("sealed field {field} has no value to seal")]
    Erased {
        /// The field.
        field: &'static str,
    },
    /// A stored name is not one the record allows.
    #[error("a stored name is not one the record allows")]
    Name,
    /// The box could not be made.
    #[error(transparent)]
    Seal(#[from] boxes::SealError),
}

/// Why one stored event cannot be read; it parks its stream. Codes only, nothing of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The type or schema version is newer than this program.
    #[error("event is of a newer version")]
    NewerVersion,
    /// Payload or metadata has not the shape of its type.
    #[error("event has not the shape of its type")]
    Shape,
    /// A box does not open.
    #[error("a sealed field does not open")]
    Box,
    /// A data key is missing without an erasure, or damaged.
    #[error("a data key is missing or damaged")]
    Key,
}

impl DecodeFault {
    /// The stable code, as shown for parked events.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NewerVersion => "newer-version",
            Self::Shape => "shape",
            Self::Box => "box",
            Self::Key => "key",
        }
    }
}

/// Seals and opens the events of one log.
#[derive(Clone)]
pub struct Codec {
    vault: Arc<Vault>,
}

impl Codec {
    /// A codec over that log's keys.
    pub const fn new(vault: Arc<Vault>) -> Self {
        Self { vault }
    }

    /// The keys behind it.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// An event's stored form. Its sealed fields are sealed under `key`, the key of `subject_id`.
    ///
    /// # Errors
    /// [`EncodeError`]: a fault of this program, never of a caller's input.
    pub fn encode(
        &self,
        stream: StreamId,
        event: &Event,
        metadata: &Metadata,
        subject_id: Option<SubjectId>,
        key: Option<&DataKey>,
    ) -> Result<PreparedEvent, EncodeError> {
        let event_type = event.event_type();
        let mut document = event.to_document().map_err(EncodeError::Json)?;
        let stored_type = RecordName::try_new(event_type.name).map_err(|_| EncodeError::Name)?;
        if let Value::Object(fields) = &mut document {
            for label in event_type.sealed {
                let Some(value) = fields.get_mut(*label) else {
                    continue;
                };
                let Some(Value::Object(sealed)) = Some(&*value) else {
                    if value.is_null() {
                        continue;
                    }
                    return Err(EncodeError::Erased { field: label });
                };
                let plain = sealed.get("value").ok_or(EncodeError::Erased { field: label })?;
                let key = key.ok_or(EncodeError::NoKey { field: label })?;
                let plaintext = serde_json::to_vec(plain).map_err(EncodeError::Json)?;
                let place = BoxPlace {
                    log_id: self.vault.log_id().0,
                    event_id: metadata.event_id.0,
                    stream_id: stream.id,
                    stored_type,
                    schema_version: event_type.schema_version,
                    label: RecordName::try_new(label).map_err(|_| EncodeError::Name)?,
                };
                *value = Value::String(boxes::seal(&place, key, &plaintext, self.vault.random())?.to_text());
            }
        }
        let payload = serde_json::to_vec(&document).map_err(EncodeError::Json)?;
        let metadata_bytes = serde_json::to_vec(metadata).map_err(EncodeError::Json)?;
        Ok(PreparedEvent {
            event_id: metadata.event_id.0,
            event_type: event_type.name,
            schema_version: event_type.schema_version,
            subject_id: subject_id.map(|subject| subject.0),
            metadata_hash: sha256(&metadata_bytes),
            metadata: metadata_bytes,
            payload_hash: sha256(&payload),
            payload,
        })
    }

    /// Stored events, opened and lifted to today's schema; one that cannot be read is a [`DecodeFault`] in its place.
    ///
    /// # Errors
    /// [`VaultError`] when the keys cannot be had now: no fault of any event.
    pub async fn decode(
        &self,
        stored: &[StoredEvent],
    ) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError> {
        let opened: Vec<Result<Opening, DecodeFault>> = stored.iter().map(Opening::parse).collect();
        let key_ids: HashSet<Uuid> = opened
            .iter()
            .flatten()
            .flat_map(|opening| &opening.boxes)
            .map(|(_, sealed)| sealed.key_id())
            .collect();
        let keys = if key_ids.is_empty() {
            HashMap::new()
        } else {
            self.vault.opening_keys(&key_ids).await?
        };
        let log_id = self.vault.log_id().0;
        Ok(stored
            .iter()
            .zip(opened)
            .map(|(event, opening)| opening.and_then(|opening| opening.finish(event, log_id, &keys)))
            .collect())
    }
}

/// A stored event on its way to be read: parsed, its boxes found but not opened.
struct Opening {
    kind: StreamType,
    fields: Map<String, Value>,
    boxes: Vec<(&'static str, SealedBox)>,
}

impl Opening {
    fn parse(event: &StoredEvent) -> Result<Self, DecodeFault> {
        let kind = StreamType::from_name(&event.stream_type).ok_or(DecodeFault::NewerVersion)?;
        let known = Event::find_type(kind, &event.event_type).ok_or(DecodeFault::NewerVersion)?;
        // Asked before any field is looked at: a newer version may have sealed other fields than this one knows.
        if event.schema_version > known.schema_version {
            return Err(DecodeFault::NewerVersion);
        }
        let document: Value = serde_json::from_slice(&event.payload).map_err(|_| DecodeFault::Shape)?;
        let Value::Object(fields) = document else {
            return Err(DecodeFault::Shape);
        };
        let mut boxes = Vec::with_capacity(known.sealed.len());
        for label in known.sealed {
            match fields.get(*label) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    let sealed = SealedBox::try_from_text(text).map_err(|error| match error {
                        OpenError::UnknownFormat(_) => DecodeFault::NewerVersion,
                        OpenError::Malformed
                        | OpenError::WrongKey
                        | OpenError::Tampered
                        | OpenError::Refused => DecodeFault::Box,
                    })?;
                    boxes.push((*label, sealed));
                }
                Some(_) => return Err(DecodeFault::Shape),
            }
        }
        Ok(Self { kind, fields, boxes })
    }

    fn finish(
        mut self,
        event: &StoredEvent,
        log_id: Uuid,
        keys: &HashMap<Uuid, FoundKey>,
    ) -> Result<RecordedEvent, DecodeFault> {
        let stored_type = RecordName::try_new(&event.event_type).map_err(|_| DecodeFault::Shape)?;
        for (label, sealed) in &self.boxes {
            let readable = match keys.get(&sealed.key_id()) {
                None | Some(FoundKey::Fault) => return Err(DecodeFault::Key),
                Some(FoundKey::Erased) => Value::String("erased".to_owned()),
                Some(FoundKey::Open(key)) => {
                    let place = BoxPlace {
                        log_id,
                        event_id: event.event_id,
                        stream_id: event.stream_id,
                        stored_type,
                        schema_version: event.schema_version,
                        label: RecordName::try_new(label).map_err(|_| DecodeFault::Shape)?,
                    };
                    let plain = boxes::open(&place, key, sealed).map_err(|_| DecodeFault::Box)?;
                    let value: Value =
                        serde_json::from_slice(plain.as_bytes()).map_err(|_| DecodeFault::Shape)?;
                    Value::Object(Map::from_iter([("value".to_owned(), value)]))
                }
            };
            self.fields.insert((*label).to_owned(), readable);
        }
        let metadata: Metadata = serde_json::from_slice(&event.metadata).map_err(|_| DecodeFault::Shape)?;
        let document = Value::Object(self.fields);
        let opened = Event::from_document(self.kind, &event.event_type, event.schema_version, document)
            .map_err(|error| match error {
                DocumentError::UnknownType | DocumentError::NewerSchema { .. } => DecodeFault::NewerVersion,
                DocumentError::Shape { .. } => DecodeFault::Shape,
            })?;
        Ok(RecordedEvent {
            position: event.position,
            event_id: EventId(event.event_id),
            stream: StreamId {
                kind: self.kind,
                id: event.stream_id,
            },
            stream_version: event.stream_version,
            recorded_at: DateTime::from_timestamp_micros(event.recorded_at).ok_or(DecodeFault::Shape)?,
            subject_id: event.subject_id.map(SubjectId),
            metadata,
            event: opened,
        })
    }
}
