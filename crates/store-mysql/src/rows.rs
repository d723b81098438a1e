//! How is a row read back into what the port speaks of?

use praxis_event_store::port::{Head, StoreError, StoredCommand, StoredEvent, StoredKey};
use praxis_events::ids::LogId;
use sqlx::mysql::MySqlRow;
use sqlx::{Decode, MySql, Row, Type};
use uuid::Uuid;

use crate::errors::store_error;

/// A column by its place, as the type the schema promises.
pub(crate) fn column<'r, T>(row: &'r MySqlRow, index: usize) -> Result<T, StoreError>
where
    T: Decode<'r, MySql> + Type<MySql>,
{
    row.try_get(index).map_err(store_error)
}

/// A BINARY column of exactly that many bytes.
pub(crate) fn bytes_at<const N: usize>(row: &MySqlRow, index: usize) -> Result<[u8; N], StoreError> {
    column::<&[u8]>(row, index)?
        .try_into()
        .map_err(|_| StoreError::Corrupt("a binary column has not its width"))
}

/// A BINARY(16) column that is an id.
pub(crate) fn id_at(row: &MySqlRow, index: usize) -> Result<Uuid, StoreError> {
    bytes_at(row, index).map(Uuid::from_bytes)
}

/// From `log_id, epoch, position, recorded_at, tombstone_position`.
pub(crate) fn head_from(row: &MySqlRow) -> Result<Head, StoreError> {
    Ok(Head {
        log_id: LogId(id_at(row, 0)?),
        epoch: column(row, 1)?,
        position: column(row, 2)?,
        recorded_at: column(row, 3)?,
        tombstone_position: column(row, 4)?,
    })
}

/// From `position, event_id, stream_type, stream_id, stream_version, event_type, schema_version, recorded_at,
/// subject_id, metadata, payload, leaf_format, leaf_hash`.
pub(crate) fn event_from(row: &MySqlRow) -> Result<StoredEvent, StoreError> {
    let subject: Option<&[u8]> = column(row, 8)?;
    let subject_id = subject.map(Uuid::from_slice).transpose();
    Ok(StoredEvent {
        position: column(row, 0)?,
        event_id: id_at(row, 1)?,
        stream_type: column(row, 2)?,
        stream_id: id_at(row, 3)?,
        stream_version: column(row, 4)?,
        event_type: column(row, 5)?,
        schema_version: column(row, 6)?,
        recorded_at: column(row, 7)?,
        subject_id: subject_id.map_err(|_| StoreError::Corrupt("a subject id has not its width"))?,
        metadata: column(row, 9)?,
        payload: column(row, 10)?,
        leaf_format: column(row, 11)?,
        leaf_hash: bytes_at(row, 12)?,
    })
}

/// From `command_key, request, answer_id, version, position, recorded_at`.
pub(crate) fn command_from(row: &MySqlRow) -> Result<StoredCommand, StoreError> {
    Ok(StoredCommand {
        key: bytes_at(row, 0)?,
        request: bytes_at(row, 1)?,
        answer_id: id_at(row, 2)?,
        version: column(row, 3)?,
        position: column(row, 4)?,
        recorded_at: column(row, 5)?,
    })
}

/// From `key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position`, beginning at a column.
pub(crate) fn key_from(row: &MySqlRow, first: usize) -> Result<StoredKey, StoreError> {
    Ok(StoredKey {
        key_id: id_at(row, first)?,
        subject_id: id_at(row, first + 1)?,
        wrapped_key: column(row, first + 2)?,
        kek_id: id_at(row, first + 3)?,
        created_position: column(row, first + 4)?,
        destroyed_position: column(row, first + 5)?,
    })
}
