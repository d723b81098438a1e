//! How are rows loaded by id: one statement for each table, whatever the number of ids?

use praxis_read_models::views::ViewsError;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::conn::{document, fault};
use crate::log::pack::{concat, ordinals};

pub(super) const PATIENTS: &str = "-- praxis_store_sqlite::views::rows::load_patients
SELECT document FROM patients WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

pub(super) const PRACTITIONERS: &str = "-- praxis_store_sqlite::views::rows::load_practitioners
SELECT document FROM practitioners WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

pub(super) const LOCATIONS: &str = "-- praxis_store_sqlite::views::rows::load_locations
SELECT document FROM locations WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

pub(super) const APPOINTMENTS: &str = "-- praxis_store_sqlite::views::rows::load_appointments
SELECT document FROM appointments WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

pub(super) const THREADS: &str = "-- praxis_store_sqlite::views::rows::load_threads
SELECT document FROM threads WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

pub(super) const MESSAGES: &str = "-- praxis_store_sqlite::views::rows::load_messages
SELECT document FROM messages WHERE id IN (SELECT substr(?1, 1 + key * 16, 16) FROM json_each(?2))";

/// The documents of the ids that are there; an empty list is not asked.
pub(super) async fn load<T: DeserializeOwned>(
    conn: &mut SqliteConnection,
    text: &'static str,
    ids: impl Iterator<Item = Uuid> + Send,
) -> Result<Vec<T>, ViewsError> {
    let ids: Vec<Uuid> = ids.collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(text)
        .bind(concat(ids.iter().map(Uuid::as_bytes)))
        .bind(ordinals(ids.len()))
        .fetch_all(conn)
        .await
        .map_err(fault)?;
    rows.iter().map(|row| document(row, 0)).collect()
}
