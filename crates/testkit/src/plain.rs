//! How tests store and decode events without keys: payloads are the readable form, and nothing is sealed.

use std::collections::HashSet;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::DateTime;
use praxis_event_store::codec::DecodeFault;
use praxis_event_store::decode::Decoder;
use praxis_event_store::port::StoredEvent;
use praxis_event_store::record::hash::sha256;
use praxis_event_store::vault::VaultError;
use praxis_events::event::Event;
use praxis_events::ids::{EventId, StreamId, StreamType, SubjectId};
use praxis_events::recorded::RecordedEvent;

/// The event as a row of the log, with a leaf hash that depends on nothing but its id and position.
pub fn stored(event: &RecordedEvent) -> StoredEvent {
    let document = event.event.to_document().expect("an event is JSON");
    let marked = [&event.position.to_be_bytes()[..], event.event_id.0.as_bytes()].concat();
    StoredEvent {
        position: event.position,
        event_id: event.event_id.0,
        stream_type: event.stream.kind.name().to_owned(),
        stream_id: event.stream.id,
        stream_version: event.stream_version,
        event_type: event.event.event_type().name.to_owned(),
        schema_version: event.event.event_type().schema_version,
        recorded_at: event.recorded_at.timestamp_micros(),
        subject_id: event.subject_id.map(|subject| subject.0),
        metadata: serde_json::to_vec(&event.metadata).expect("metadata is JSON"),
        payload: serde_json::to_vec(&document).expect("a document is JSON"),
        leaf_format: 1,
        leaf_hash: sha256(&marked),
    }
}

/// Decodes what [`stored`] made, but for positions it was told it cannot read.
#[derive(Debug, Default)]
pub struct PlainDecoder {
    unreadable: Mutex<HashSet<u64>>,
}

impl PlainDecoder {
    /// From now on the events at these positions, and no others, are of a newer version.
    pub fn set_unreadable(&self, positions: impl IntoIterator<Item = u64>) {
        *self.unreadable.lock().expect("no test panics with it") = positions.into_iter().collect();
    }

    fn decode_one(event: &StoredEvent) -> Result<RecordedEvent, DecodeFault> {
        let kind = StreamType::from_name(&event.stream_type).ok_or(DecodeFault::NewerVersion)?;
        let document = serde_json::from_slice(&event.payload).map_err(|_| DecodeFault::Shape)?;
        Ok(RecordedEvent {
            position: event.position,
            event_id: EventId(event.event_id),
            stream: StreamId {
                kind,
                id: event.stream_id,
            },
            stream_version: event.stream_version,
            recorded_at: DateTime::from_timestamp_micros(event.recorded_at).ok_or(DecodeFault::Shape)?,
            subject_id: event.subject_id.map(SubjectId),
            metadata: serde_json::from_slice(&event.metadata).map_err(|_| DecodeFault::Shape)?,
            event: Event::from_document(kind, &event.event_type, event.schema_version, document)
                .map_err(|_| DecodeFault::Shape)?,
        })
    }
}

#[async_trait]
impl Decoder for PlainDecoder {
    async fn decode(
        &self,
        stored: &[StoredEvent],
    ) -> Result<Vec<Result<RecordedEvent, DecodeFault>>, VaultError> {
        let unreadable = self.unreadable.lock().expect("no test panics with it").clone();
        let decode = |event: &StoredEvent| {
            if unreadable.contains(&event.position) {
                Err(DecodeFault::NewerVersion)
            } else {
                Self::decode_one(event)
            }
        };
        Ok(stored.iter().map(decode).collect())
    }
}
