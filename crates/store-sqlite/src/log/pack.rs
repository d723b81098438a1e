//! How do many rows travel as few parameters: blobs end to end, cut in SQL, and small values as JSON.
//!
//! One statement then serves every batch size and stays prepared. In SQL, `json_each(?)` gives one row for each entry,
//! its `key` the index by which fixed-width blobs are cut, its `value` an array taken apart by `->>`.

use praxis_event_store::port::StoreError;
use serde::Serialize;

/// Blobs of any length in one parameter, each found by its offset.
pub(super) struct Heap {
    bytes: Vec<u8>,
}

impl Heap {
    /// The parameter is never empty: SQLite's `substr` of an empty blob is NULL.
    pub(super) fn new() -> Self {
        Self { bytes: vec![0] }
    }

    /// Adds a blob and returns where `substr` finds it, counted from 1, and how long it is.
    pub(super) fn push(&mut self, blob: &[u8]) -> Result<(i64, i64), StoreError> {
        let place = (length(self.bytes.len())? + 1, length(blob.len())?);
        self.bytes.extend_from_slice(blob);
        Ok(place)
    }

    /// The parameter.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn length(len: usize) -> Result<i64, StoreError> {
    i64::try_from(len).map_err(|error| StoreError::Refused(error.into()))
}

/// The small values of the rows as one JSON parameter: an array with an array for each row.
pub(super) fn json<T: Serialize>(rows: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| StoreError::Refused(error.into()))
}

/// A JSON parameter for rows that have no small values.
pub(crate) fn ordinals(count: usize) -> String {
    let mut text = String::with_capacity(2 * count + 2);
    text.push('[');
    for n in 0..count {
        text.push_str(if n == 0 { "0" } else { ",0" });
    }
    text.push(']');
    text
}

/// Blobs of one width, end to end.
pub(crate) fn concat<'a, const WIDTH: usize>(blobs: impl Iterator<Item = &'a [u8; WIDTH]>) -> Vec<u8> {
    blobs.flatten().copied().collect()
}

/// A number of the record as SQLite holds it.
pub(super) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| StoreError::Refused(error.into()))
}

/// A bound of a range: nothing is stored beyond what SQLite can hold.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
