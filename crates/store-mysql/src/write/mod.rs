//! In what order are the rows of a batch written, and does the head end where they do?

use praxis_event_store::port::{Rows, WriteError};

use crate::errors::{refused, write_error};
use crate::packed::Packed;
use crate::session::{Session, Statement};

mod claims;
mod commands;
mod events;
mod keys;
mod spans;

const MOVE_HEAD: &str = "-- store_mysql::write::move_head
UPDATE log_head SET position = ?, recorded_at = ? WHERE id = 1";

/// Writes the rows and moves the head, which must be locked and stand at `head`: position and time. Releases come
/// before what takes their place.
pub(crate) async fn rows(session: &mut Session, rows: &Rows, head: (u64, i64)) -> Result<(), WriteError> {
    events::insert(session, &rows.events).await?;
    commands::insert(session, &rows.commands).await?;
    keys::insert(session, &rows.keys).await?;
    claims::delete(session, &rows.claims_released).await?;
    claims::insert(session, &rows.claims_taken).await?;
    spans::delete(session, &rows.spans_released).await?;
    spans::insert(session, &rows.spans_taken).await?;
    if (rows.head_position, rows.head_recorded_at) == head {
        return Ok(());
    }
    let head = sqlx::query(MOVE_HEAD)
        .bind(rows.head_position)
        .bind(rows.head_recorded_at);
    expect_rows(session, head, 1).await
}

/// Inserts packed rows; whatever the server made of the lists, as many rows must have come of them.
async fn insert(session: &mut Session, text: &'static str, packed: Packed) -> Result<(), WriteError> {
    let count = packed.rows();
    expect_rows(session, packed.bind(text), count).await
}

async fn expect_rows(
    session: &mut Session,
    statement: Statement<'_>,
    count: usize,
) -> Result<(), WriteError> {
    let written = session.run(statement).await.map_err(write_error)?.rows_affected();
    if usize::try_from(written) == Ok(count) {
        Ok(())
    } else {
        Err(refused("a statement wrote another number of rows than it was given").into())
    }
}
