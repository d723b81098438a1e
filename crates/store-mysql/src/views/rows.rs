//! How are rows loaded by id: one statement for each table, whatever the number of ids?
//!
//! The index is forced, because until the server has counted a table that was empty a moment ago it would rather read
//! the whole of it.

use praxis_read_models::views::ViewsError;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::conn::document;
use super::sessions::Session;
use crate::packed::Packed;

macro_rules! load_from {
    ($table:literal) => {
        concat!(
            "-- store_mysql::views::rows::load_",
            $table,
            "
SELECT t.document
FROM (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN ",
            $table,
            " AS t FORCE INDEX (PRIMARY) ON t.id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)"
        )
    };
}

pub(super) const PATIENTS: &str = load_from!("patients");
pub(super) const PRACTITIONERS: &str = load_from!("practitioners");
pub(super) const LOCATIONS: &str = load_from!("locations");
pub(super) const APPOINTMENTS: &str = load_from!("appointments");
pub(super) const THREADS: &str = load_from!("threads");
pub(super) const MESSAGES: &str = load_from!("messages");

/// Ids as the one list of a statement.
pub(super) fn packed_ids(ids: impl IntoIterator<Item = Uuid>) -> Packed {
    let mut packed = Packed::default();
    for id in ids {
        packed.row(&[id.as_bytes()], &[], &[]);
    }
    packed
}

/// The documents of the ids that are there; an empty list is not asked.
pub(super) async fn load<T: DeserializeOwned>(
    session: &mut Session,
    text: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<T>, ViewsError> {
    let packed = packed_ids(ids);
    if packed.rows() == 0 {
        return Ok(Vec::new());
    }
    let rows = session.rows(packed.bind_fixed(text)).await?;
    rows.iter().map(|row| document(row, 0)).collect()
}
