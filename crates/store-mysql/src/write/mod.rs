//! In what order are the rows of a batch written?

use praxis_event_store::port::{Rows, WriteError};

use crate::errors::{refused, write_error};
use crate::packed::Packed;
use crate::session::{Session, Statement};

mod claims;
mod commands;
mod events;
mod keys;
mod spans;

/// Writes the rows; the head, which must be locked, is moved when they are committed. Releases come before what takes
/// their place.
pub(crate) async fn rows(session: &mut Session, rows: &Rows) -> Result<(), WriteError> {
    events::insert(session, &rows.events).await?;
    commands::insert(session, &rows.commands).await?;
    keys::insert(session, &rows.keys).await?;
    claims::delete(session, &rows.claims_released).await?;
    claims::insert(session, &rows.claims_taken).await?;
    spans::delete(session, &rows.spans_released).await?;
    spans::insert(session, &rows.spans_taken).await
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
