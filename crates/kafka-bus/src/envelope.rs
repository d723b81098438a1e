//! What does a message look like in Kafka, and what does one from Kafka say?
//!
//! CloudEvents 1.0 in the binary mode of its Kafka protocol binding: attributes are headers `ce_…`, the value is the
//! payload as stored. Attributes of our own have names of lower-case letters and digits, as CloudEvents wants them;
//! numbers are decimal, bytes are base64url without padding. A header holds ids, codes, numbers and hashes, never a
//! value of the payload. Everyone else reads this in `events/asyncapi.yaml`.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat};
use praxis_event_store::bus::{BusContent, BusMessage, LogLife};
use praxis_event_store::partition::partition_of;
use praxis_event_store::port::StoredEvent;
use praxis_events::ids::LogId;
use serde::Deserialize;
use uuid::Uuid;

/// The type of a message that carries no event, only how far its partition has been sent.
pub const WATERMARK_TYPE: &str = "praxis.watermark";

/// The names of all headers.
pub mod header {
    /// Of the value: `application/json`. Events only.
    pub const CONTENT_TYPE: &str = "content-type";
    /// CloudEvents version.
    pub const SPEC_VERSION: &str = "ce_specversion";
    /// The event id; of a watermark what it says, so that equal ones are equal.
    pub const ID: &str = "ce_id";
    /// `urn:uuid:` and the log id.
    pub const SOURCE: &str = "ce_source";
    /// The stored event type, or [`WATERMARK_TYPE`](super::WATERMARK_TYPE).
    pub const TYPE: &str = "ce_type";
    /// The stream id. Events only.
    pub const SUBJECT: &str = "ce_subject";
    /// `recorded_at` in RFC 3339, microseconds, UTC. Events only.
    pub const TIME: &str = "ce_time";
    /// The event's position; of a watermark the last position enumerated.
    pub const POSITION: &str = "ce_position";
    /// The position of the previous event in this partition, or a later one before this.
    pub const PREV: &str = "ce_prev";
    /// How many partitions the sender distributes streams over.
    pub const PARTITIONS: &str = "ce_partitions";
    /// The log's epoch.
    pub const EPOCH: &str = "ce_epoch";
    /// The log.
    pub const LOG_ID: &str = "ce_logid";
    /// The leaf hash at the position.
    pub const LEAF_HASH: &str = "ce_leafhash";
    /// The format of the leaf entry. Events only, like all that follow.
    pub const LEAF_FORMAT: &str = "ce_leafformat";
    /// The kind of stream.
    pub const STREAM_TYPE: &str = "ce_streamtype";
    /// The event's place in its stream.
    pub const STREAM_VERSION: &str = "ce_streamversion";
    /// The schema version of the payload.
    pub const SCHEMA_VERSION: &str = "ce_schemaversion";
    /// When it was appended, microseconds since 1970, UTC.
    pub const RECORDED_AT: &str = "ce_recordedat";
    /// Whom it is chiefly about; absent where nobody.
    pub const SUBJECT_ID: &str = "ce_subjectid";
    /// The metadata bytes as stored.
    pub const METADATA: &str = "ce_metadata";
    /// W3C trace context of the request; absent where its trace is not recorded.
    pub const TRACEPARENT: &str = "ce_traceparent";

    /// All of them.
    pub const ALL: [&str; 21] = [
        CONTENT_TYPE,
        SPEC_VERSION,
        ID,
        SOURCE,
        TYPE,
        SUBJECT,
        TIME,
        POSITION,
        PREV,
        PARTITIONS,
        EPOCH,
        LOG_ID,
        LEAF_HASH,
        LEAF_FORMAT,
        STREAM_TYPE,
        STREAM_VERSION,
        SCHEMA_VERSION,
        RECORDED_AT,
        SUBJECT_ID,
        METADATA,
        TRACEPARENT,
    ];
}

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";

/// Headers in the order they are written.
pub type Headers = Vec<(&'static str, String)>;

/// The headers of a message whose sender distributes streams over so many partitions.
pub fn headers(message: &BusMessage, partitions: NonZeroU32) -> Headers {
    let mut headers = Vec::with_capacity(header::ALL.len());
    headers.push((header::SPEC_VERSION, SPEC_VERSION.to_owned()));
    headers.push((header::SOURCE, format!("urn:uuid:{}", message.life.log_id)));
    headers.push((header::PREV, message.prev.to_string()));
    headers.push((header::PARTITIONS, partitions.to_string()));
    headers.push((header::EPOCH, message.life.epoch.to_string()));
    headers.push((header::LOG_ID, message.life.log_id.to_string()));
    headers.push((header::POSITION, message.position().to_string()));
    match &message.content {
        BusContent::Event(event) => put_event(&mut headers, event),
        BusContent::Watermark { position, leaf_hash } => {
            let id = format!(
                "watermark-{}-{}-{position}",
                message.life.epoch, message.partition
            );
            headers.push((header::ID, id));
            headers.push((header::TYPE, WATERMARK_TYPE.to_owned()));
            headers.push((header::LEAF_HASH, URL_SAFE_NO_PAD.encode(leaf_hash)));
        }
    }
    headers
}

fn put_event(headers: &mut Headers, event: &StoredEvent) {
    headers.push((header::ID, event.event_id.to_string()));
    headers.push((header::TYPE, event.event_type.clone()));
    headers.push((header::SUBJECT, event.stream_id.to_string()));
    if let Some(time) = DateTime::from_timestamp_micros(event.recorded_at) {
        headers.push((header::TIME, time.to_rfc3339_opts(SecondsFormat::Micros, true)));
    }
    headers.push((header::CONTENT_TYPE, CONTENT_TYPE.to_owned()));
    headers.push((header::LEAF_HASH, URL_SAFE_NO_PAD.encode(event.leaf_hash)));
    headers.push((header::LEAF_FORMAT, event.leaf_format.to_string()));
    headers.push((header::STREAM_TYPE, event.stream_type.clone()));
    headers.push((header::STREAM_VERSION, event.stream_version.to_string()));
    headers.push((header::SCHEMA_VERSION, event.schema_version.to_string()));
    headers.push((header::RECORDED_AT, event.recorded_at.to_string()));
    if let Some(subject_id) = event.subject_id {
        headers.push((header::SUBJECT_ID, subject_id.to_string()));
    }
    headers.push((header::METADATA, URL_SAFE_NO_PAD.encode(&event.metadata)));
    if let Some(traceparent) = traceparent(&event.metadata) {
        headers.push((header::TRACEPARENT, traceparent));
    }
}

/// The two fields of the metadata that are wanted here; others, known or not, are passed over.
#[derive(Deserialize)]
struct TraceIds<'a> {
    #[serde(borrow)]
    trace_id: Option<&'a str>,
    #[serde(borrow)]
    span_id: Option<&'a str>,
}

/// W3C trace context, level 1, with the sampled flag: only requests whose trace is recorded leave ids.
fn traceparent(metadata: &[u8]) -> Option<String> {
    const TRACE_ID_LEN: usize = 32;
    const SPAN_ID_LEN: usize = 16;
    let ids: TraceIds<'_> = serde_json::from_slice(metadata).ok()?;
    let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let trace_id = ids
        .trace_id
        .filter(|id| id.len() == TRACE_ID_LEN && hexadecimal(id))?;
    let span_id = ids
        .span_id
        .filter(|id| id.len() == SPAN_ID_LEN && hexadecimal(id))?;
    Some(format!("00-{trace_id}-{span_id}-01"))
}

/// The value of a message: the payload as stored; nothing for a watermark.
pub fn value(message: &BusMessage) -> &[u8] {
    match &message.content {
        BusContent::Event(event) => &event.payload,
        BusContent::Watermark { .. } => &[],
    }
}

/// The key of a message: the stream id as text, which other consumers can read; none for a watermark.
pub fn key(message: &BusMessage) -> Option<String> {
    match &message.content {
        BusContent::Event(event) => Some(event.stream_id.to_string()),
        BusContent::Watermark { .. } => None,
    }
}

/// A message as it came: nothing of it is trusted yet.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The partition it came from.
    pub partition: u32,
    /// Its headers.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Its value.
    pub value: &'a [u8],
}

/// Why a message says nothing. Split by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is none of ours, or damaged: pass over it. If it stood for an event, the next `prev` shows the gap.
    #[error("header {0} is missing or not as it must be")]
    Header(&'static str),
    /// It was sent with another number of partitions in mind, so its `prev` means nothing here: stop.
    #[error("message was sent for another number of partitions")]
    OtherPartitions,
}

/// What a message says to a consumer that counts so many partitions.
///
/// # Errors
/// [`Unreadable`].
pub fn open(arrived: Arrived<'_>, partitions: NonZeroU32) -> Result<BusMessage, Unreadable> {
    if arrived.text(header::SPEC_VERSION)? != SPEC_VERSION {
        return Err(Unreadable::Header(header::SPEC_VERSION));
    }
    let life = LogLife {
        log_id: LogId(arrived.parse(header::LOG_ID)?),
        epoch: arrived.parse(header::EPOCH)?,
    };
    let prev = arrived.parse(header::PREV)?;
    if arrived.parse::<NonZeroU32>(header::PARTITIONS)? != partitions {
        return Err(Unreadable::OtherPartitions);
    }
    let content = if arrived.text(header::TYPE)? == WATERMARK_TYPE {
        BusContent::Watermark {
            position: arrived.parse(header::POSITION)?,
            leaf_hash: arrived.hash()?,
        }
    } else {
        let event = arrived.event()?;
        if partition_of(event.stream_id, partitions) != arrived.partition {
            return Err(Unreadable::OtherPartitions);
        }
        BusContent::Event(Box::new(event))
    };
    Ok(BusMessage {
        partition: arrived.partition,
        life,
        prev,
        content,
    })
}

impl Arrived<'_> {
    fn find(&self, name: &'static str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| *value)
    }

    fn text(&self, name: &'static str) -> Result<&str, Unreadable> {
        let value = self.find(name).ok_or(Unreadable::Header(name))?;
        std::str::from_utf8(value).map_err(|_| Unreadable::Header(name))
    }

    fn parse<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Unreadable> {
        self.text(name)?.parse().map_err(|_| Unreadable::Header(name))
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, Unreadable> {
        URL_SAFE_NO_PAD
            .decode(self.text(name)?)
            .map_err(|_| Unreadable::Header(name))
    }

    fn hash(&self) -> Result<[u8; 32], Unreadable> {
        self.bytes(header::LEAF_HASH)?
            .try_into()
            .map_err(|_| Unreadable::Header(header::LEAF_HASH))
    }

    fn event(&self) -> Result<StoredEvent, Unreadable> {
        let subject_id = match self.find(header::SUBJECT_ID) {
            Some(_) => Some(self.parse::<Uuid>(header::SUBJECT_ID)?),
            None => None,
        };
        Ok(StoredEvent {
            position: self.parse(header::POSITION)?,
            event_id: self.parse(header::ID)?,
            stream_type: self.text(header::STREAM_TYPE)?.to_owned(),
            stream_id: self.parse(header::SUBJECT)?,
            stream_version: self.parse(header::STREAM_VERSION)?,
            event_type: self.text(header::TYPE)?.to_owned(),
            schema_version: self.parse(header::SCHEMA_VERSION)?,
            recorded_at: self.parse(header::RECORDED_AT)?,
            subject_id,
            metadata: self.bytes(header::METADATA)?,
            payload: self.value.to_vec(),
            leaf_format: self.parse(header::LEAF_FORMAT)?,
            leaf_hash: self.hash()?,
        })
    }
}

#[cfg(test)]
mod tests;
