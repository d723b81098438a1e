//! What do the conformance functions store: rows made from small numbers, and a way to commit them.

use praxis_event_store::append::{Calendar, CalendarKind, Claim, Layer, Span};
use praxis_event_store::port::{Head, Rows, StoredCommand, StoredEvent, StoredKey};
use praxis_events::ids::{StreamId, StreamType};
use uuid::Uuid;

use super::{LogUnderTest, Outcome};

/// When the sample events are recorded unless a test says otherwise: 2026-01-01T00:00:00Z, microseconds.
pub const RECORDED_AT: i64 = 1_767_225_600_000_000;

/// One hour, microseconds.
pub const HOUR: i64 = 3_600_000_000;

/// The `n`-th id.
pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | n)
}

/// The `n`-th stream, a patient's.
pub fn stream(n: u128) -> StreamId {
    StreamId {
        kind: StreamType::Patient,
        id: id(n),
    }
}

/// A claim on a member of the resource `test`.
pub fn claim(member: &[u8], owner: u128) -> Claim {
    Claim {
        resource: b"test".to_vec(),
        member: member.to_vec(),
        owner: id(owner),
        capacity: 1,
    }
}

/// A normal span of the practitioner with id 900, in hours after [`RECORDED_AT`].
pub fn span(starts_hour: i64, ends_hour: i64, owner: u128) -> Span {
    Span {
        calendar: Calendar {
            kind: CalendarKind::Practitioner,
            id: id(900),
        },
        layer: Layer::Normal,
        starts: RECORDED_AT + starts_hour * HOUR,
        ends: RECORDED_AT + ends_hour * HOUR,
        owner: id(owner),
    }
}

/// The same as [`span`], overbooked.
pub fn over_span(starts_hour: i64, ends_hour: i64, owner: u128) -> Span {
    Span {
        layer: Layer::Over,
        ..span(starts_hour, ends_hour, owner)
    }
}

/// A kept outcome under a key of that byte.
pub fn command(byte: u8) -> StoredCommand {
    StoredCommand {
        key: [byte; 32],
        request: [byte; 33],
        answer_id: id(u128::from(byte)),
        version: 3,
        position: 1,
        recorded_at: RECORDED_AT,
    }
}

/// A usable data key of a subject.
pub fn data_key(key: u128, subject: u128, created_position: u64) -> StoredKey {
    StoredKey {
        key_id: id(key),
        subject_id: id(subject),
        wrapped_key: Some(vec![0, 1, 2, 0xff]),
        kek_id: id(700),
        created_position,
        destroyed_position: None,
    }
}

/// The same key after its erasure.
pub fn destroyed(key: &StoredKey, at_position: u64) -> StoredKey {
    StoredKey {
        wrapped_key: None,
        destroyed_position: Some(at_position),
        ..key.clone()
    }
}

/// Rows that leave the log as it is.
pub fn nothing_after(head: &Head) -> Rows {
    Rows {
        head_position: head.position,
        head_recorded_at: head.recorded_at,
        ..Rows::default()
    }
}

/// Adds `count` events to a stream that is at `after_version`, all recorded at `recorded_at`.
pub fn with_events_at(
    mut rows: Rows,
    stream: StreamId,
    after_version: u64,
    count: u64,
    recorded_at: i64,
) -> Rows {
    for stream_version in after_version + 1..=after_version + count {
        rows.head_position += 1;
        rows.head_recorded_at = recorded_at;
        rows.events
            .push(event(stream, stream_version, rows.head_position, recorded_at));
    }
    rows
}

/// Adds `count` events to a stream that is at `after_version`.
pub fn with_events(rows: Rows, stream: StreamId, after_version: u64, count: u64) -> Rows {
    with_events_at(rows, stream, after_version, count, RECORDED_AT)
}

fn event(stream: StreamId, stream_version: u64, position: u64, recorded_at: i64) -> StoredEvent {
    let mut leaf_hash = [0xab; 32];
    leaf_hash[..8].copy_from_slice(&position.to_be_bytes());
    StoredEvent {
        position,
        event_id: id(0x1_0000_0000 + u128::from(position)),
        stream_type: stream.kind.name().to_owned(),
        stream_id: stream.id,
        stream_version,
        event_type: "sample-happened".to_owned(),
        schema_version: 1,
        recorded_at,
        subject_id: Some(stream.id),
        metadata: format!(r#"{{"at":{position}}}"#).into_bytes(),
        payload: format!(r#"{{"version":{stream_version}}}"#).into_bytes(),
        leaf_format: 1,
        leaf_hash,
    }
}

/// Commits what `fill` makes of the rows that leave the log as it is, and returns what was written.
pub async fn commit(log: &LogUnderTest, fill: impl FnOnce(Rows) -> Rows + Send) -> Outcome<Rows> {
    let mut tx = log.writer.begin().await?;
    let rows = fill(nothing_after(tx.head()));
    tx.write(&rows).await?;
    tx.commit().await?;
    Ok(rows)
}
