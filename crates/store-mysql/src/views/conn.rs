//! What do the columns of read models hold, and what does a fault mean to the caller of the port?

use praxis_event_store::port::StoreError;
use praxis_read_models::views::ViewsError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::mysql::MySqlRow;
use sqlx::{Decode, MySql, Type};
use uuid::Uuid;

use crate::errors::store_error;
use crate::rows;

/// What a fault of the driver means.
pub(super) fn fault(error: sqlx::Error) -> ViewsError {
    views_error(store_error(error))
}

/// The same meaning, in the words of this port.
pub(super) fn views_error(error: StoreError) -> ViewsError {
    match error {
        StoreError::Unavailable(source) => ViewsError::Unavailable(source),
        StoreError::Busy => ViewsError::Unavailable(StoreError::Busy.into()),
        StoreError::Unfit(why) => ViewsError::Unfit(why),
        StoreError::Refused(source) => ViewsError::Refused(source),
        StoreError::Corrupt(what) => ViewsError::Corrupt(what),
    }
}

/// A column by its place, as the type the schema promises.
pub(super) fn column<'r, T>(row: &'r MySqlRow, index: usize) -> Result<T, ViewsError>
where
    T: Decode<'r, MySql> + Type<MySql>,
{
    rows::column(row, index).map_err(views_error)
}

/// A BINARY column of exactly that many bytes.
pub(super) fn bytes_at<const N: usize>(row: &MySqlRow, index: usize) -> Result<[u8; N], ViewsError> {
    rows::bytes_at(row, index).map_err(views_error)
}

/// A BINARY(16) column that is an id.
pub(super) fn id_at(row: &MySqlRow, index: usize) -> Result<Uuid, ViewsError> {
    rows::id_at(row, index).map_err(views_error)
}

/// A row's document.
pub(super) fn document<T: DeserializeOwned>(row: &MySqlRow, index: usize) -> Result<T, ViewsError> {
    read(column(row, index)?)
}

/// A joined document; `None` where nothing was joined.
pub(super) fn joined<T: DeserializeOwned>(row: &MySqlRow, index: usize) -> Result<Option<T>, ViewsError> {
    column::<Option<&[u8]>>(row, index)?.map(read).transpose()
}

/// That it is text is judged of the whole, which takes less time than of each string in it.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ViewsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ViewsError::Corrupt("a document is no text"))?;
    serde_json::from_str(text).map_err(|_| ViewsError::Corrupt("a document has another shape"))
}

/// The largest document that is stored, bytes: with a statement's other rows it fits into a MEDIUMBLOB, and what does
/// not would be cut without a word.
const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A document as it is stored.
pub(super) fn bytes_of<T: Serialize>(row: &T) -> Result<Vec<u8>, ViewsError> {
    let bytes = serde_json::to_vec(row).map_err(|error| ViewsError::Refused(error.into()))?;
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(ViewsError::Refused("a row is larger than 8 MiB".into()));
    }
    Ok(bytes)
}

/// An integer as it goes into a packed row.
pub(super) fn number<T: TryInto<i64>>(value: T) -> Result<i64, ViewsError> {
    crate::packed::number(value).map_err(views_error)
}
