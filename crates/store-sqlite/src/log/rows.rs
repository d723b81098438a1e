//! What does a row say? Anything the schema does not promise is reported, never guessed.

use praxis_event_store::append::{Calendar, CalendarKind, Layer, Span};
use praxis_event_store::port::{StoreError, StoredCommand, StoredEvent, StoredKey};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};
use uuid::Uuid;

use super::error;

/// The value of a column, by its place in the `SELECT`.
pub(super) fn column<'r, T>(row: &'r SqliteRow, index: usize) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(index).map_err(error::store)
}

/// A number that is never negative.
pub(super) fn unsigned<T: TryFrom<i64>>(row: &SqliteRow, index: usize) -> Result<T, StoreError> {
    T::try_from(column(row, index)?).map_err(|_| StoreError::Corrupt("a number is out of its range"))
}

/// A blob of fixed length.
pub(super) fn array<const LEN: usize>(blob: &[u8]) -> Result<[u8; LEN], StoreError> {
    blob.try_into()
        .map_err(|_| StoreError::Corrupt("a blob has another length"))
}

/// An id.
pub(super) fn id(blob: &[u8]) -> Result<Uuid, StoreError> {
    array(blob).map(Uuid::from_bytes)
}

fn id_at(row: &SqliteRow, index: usize) -> Result<Uuid, StoreError> {
    id(column(row, index)?)
}

/// `position, event_id, stream_type, stream_id, stream_version, event_type, schema_version, recorded_at, subject_id,
/// metadata, payload, leaf_format, leaf_hash`.
pub(super) fn event(row: &SqliteRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        position: unsigned(row, 0)?,
        event_id: id_at(row, 1)?,
        stream_type: column(row, 2)?,
        stream_id: id_at(row, 3)?,
        stream_version: unsigned(row, 4)?,
        event_type: column(row, 5)?,
        schema_version: unsigned(row, 6)?,
        recorded_at: column(row, 7)?,
        subject_id: column::<Option<&[u8]>>(row, 8)?.map(id).transpose()?,
        metadata: column(row, 9)?,
        payload: column(row, 10)?,
        leaf_format: unsigned(row, 11)?,
        leaf_hash: array(column(row, 12)?)?,
    })
}

/// `key, request, answer_id, version, position, recorded_at`.
pub(super) fn command(row: &SqliteRow) -> Result<StoredCommand, StoreError> {
    Ok(StoredCommand {
        key: array(column(row, 0)?)?,
        request: array(column(row, 1)?)?,
        answer_id: id_at(row, 2)?,
        version: unsigned(row, 3)?,
        position: unsigned(row, 4)?,
        recorded_at: column(row, 5)?,
    })
}

/// `key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position`.
pub(super) fn key(row: &SqliteRow) -> Result<StoredKey, StoreError> {
    let destroyed_position: Option<i64> = column(row, 5)?;
    Ok(StoredKey {
        key_id: id_at(row, 0)?,
        subject_id: id_at(row, 1)?,
        wrapped_key: column(row, 2)?,
        kek_id: id_at(row, 3)?,
        created_position: unsigned(row, 4)?,
        destroyed_position: destroyed_position
            .map(u64::try_from)
            .transpose()
            .map_err(|_| StoreError::Corrupt("a number is out of its range"))?,
    })
}

/// `is_over, kind, calendar_id, starts, ends, owner`.
pub(super) fn span(row: &SqliteRow) -> Result<Span, StoreError> {
    let kind =
        CalendarKind::from_byte(unsigned(row, 1)?).ok_or(StoreError::Corrupt("unknown calendar kind"))?;
    Ok(Span {
        calendar: Calendar {
            kind,
            id: id_at(row, 2)?,
        },
        layer: if column(row, 0)? {
            Layer::Over
        } else {
            Layer::Normal
        },
        starts: column(row, 3)?,
        ends: column(row, 4)?,
        owner: id_at(row, 5)?,
    })
}
