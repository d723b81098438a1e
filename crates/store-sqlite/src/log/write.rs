//! How is a batch written? One statement for each kind of row, whatever the size of the batch.

use praxis_event_store::append::{Claim, Layer, Span};
use praxis_event_store::port::{Head, Rows, StoreError, StoredCommand, StoredEvent, StoredKey, WriteError};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use super::error;
use super::pack::{Heap, integer, json};

/// Writes the rows, releases before what is taken, and moves the head.
pub(super) async fn rows(conn: &mut SqliteConnection, head: &Head, rows: &Rows) -> Result<(), WriteError> {
    require_dense(head, rows)?;
    events(conn, &rows.events).await?;
    commands(conn, &rows.commands).await?;
    keys(conn, &rows.keys).await?;
    claims_released(conn, &rows.claims_released).await?;
    claims_taken(conn, &rows.claims_taken).await?;
    spans_released(conn, &rows.spans_released).await?;
    spans_taken(conn, &rows.spans_taken).await?;
    head_moved(conn, rows).await
}

/// The order of the log is not left to the caller's arithmetic.
fn require_dense(head: &Head, rows: &Rows) -> Result<(), StoreError> {
    let mut position = head.position;
    for event in &rows.events {
        position += 1;
        if event.position != position {
            return Err(StoreError::Refused(
                "positions of the batch do not follow the head".into(),
            ));
        }
    }
    if rows.head_position == position {
        Ok(())
    } else {
        Err(StoreError::Refused(
            "the head would not be at the last position of the batch".into(),
        ))
    }
}

async fn run(
    conn: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<(), WriteError> {
    query.execute(conn).await.map(|_| ()).map_err(error::write)
}

async fn events(conn: &mut SqliteConnection, events: &[StoredEvent]) -> Result<(), WriteError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut fixed = Vec::with_capacity(events.len() * 80);
    let mut heap = Heap::new();
    let mut small = Vec::with_capacity(events.len());
    for event in events {
        fixed.extend_from_slice(event.event_id.as_bytes());
        fixed.extend_from_slice(event.stream_id.as_bytes());
        fixed.extend_from_slice(event.subject_id.unwrap_or_default().as_bytes());
        fixed.extend_from_slice(&event.leaf_hash);
        let (metadata_at, metadata_len) = heap.push(&event.metadata)?;
        let (payload_at, payload_len) = heap.push(&event.payload)?;
        small.push((
            integer(event.position)?,
            event.stream_type.as_str(),
            integer(event.stream_version)?,
            event.event_type.as_str(),
            event.schema_version,
            event.recorded_at,
            u8::from(event.subject_id.is_some()),
            (metadata_at, metadata_len, payload_at, payload_len),
            event.leaf_format,
        ));
    }
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::events
         INSERT INTO events (position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
             recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash)
         SELECT value ->> 0, substr(?1, 1 + key * 80, 16), value ->> 1, substr(?1, 17 + key * 80, 16), value ->> 2,
             value ->> 3, value ->> 4, value ->> 5,
             CASE value ->> 6 WHEN 1 THEN substr(?1, 33 + key * 80, 16) END,
             substr(?2, value ->> '$[7][0]', value ->> '$[7][1]'),
             substr(?2, value ->> '$[7][2]', value ->> '$[7][3]'),
             value ->> 8, substr(?1, 49 + key * 80, 32)
         FROM json_each(?3)",
    );
    run(
        conn,
        query.bind(fixed).bind(heap.into_bytes()).bind(json(&small)?),
    )
    .await
}

async fn commands(conn: &mut SqliteConnection, commands: &[StoredCommand]) -> Result<(), WriteError> {
    if commands.is_empty() {
        return Ok(());
    }
    let mut fixed = Vec::with_capacity(commands.len() * 81);
    let mut small = Vec::with_capacity(commands.len());
    for command in commands {
        fixed.extend_from_slice(&command.key);
        fixed.extend_from_slice(&command.request);
        fixed.extend_from_slice(command.answer_id.as_bytes());
        small.push((
            integer(command.version)?,
            integer(command.position)?,
            command.recorded_at,
        ));
    }
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::commands
         INSERT INTO commands (key, request, answer_id, version, position, recorded_at)
         SELECT substr(?1, 1 + key * 81, 32), substr(?1, 33 + key * 81, 33), substr(?1, 66 + key * 81, 16),
             value ->> 0, value ->> 1, value ->> 2
         FROM json_each(?2)",
    );
    run(conn, query.bind(fixed).bind(json(&small)?)).await
}

async fn keys(conn: &mut SqliteConnection, keys: &[StoredKey]) -> Result<(), WriteError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut fixed = Vec::with_capacity(keys.len() * 48);
    let mut heap = Heap::new();
    let mut small = Vec::with_capacity(keys.len());
    for key in keys {
        fixed.extend_from_slice(key.key_id.as_bytes());
        fixed.extend_from_slice(key.subject_id.as_bytes());
        fixed.extend_from_slice(key.kek_id.as_bytes());
        let wrapped = key
            .wrapped_key
            .as_deref()
            .map(|wrapped| heap.push(wrapped))
            .transpose()?;
        let destroyed = key.destroyed_position.map(integer).transpose()?;
        small.push((wrapped, integer(key.created_position)?, destroyed));
    }
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::keys
         INSERT INTO subject_keys (key_id, subject_id, wrapped_key, kek_id, created_position, destroyed_position)
         SELECT substr(?1, 1 + key * 48, 16), substr(?1, 17 + key * 48, 16),
             substr(?2, value ->> '$[0][0]', value ->> '$[0][1]'), substr(?1, 33 + key * 48, 16), value ->> 1,
             value ->> 2
         FROM json_each(?3)",
    );
    run(
        conn,
        query.bind(fixed).bind(heap.into_bytes()).bind(json(&small)?),
    )
    .await
}

/// The claims' names in one blob, their places in JSON, and their owners end to end.
fn packed_claims(claims: &[Claim]) -> Result<(Vec<u8>, String, Vec<u8>), StoreError> {
    let mut owners = Vec::with_capacity(claims.len() * 16);
    let mut heap = Heap::new();
    let mut places = Vec::with_capacity(claims.len());
    for claim in claims {
        owners.extend_from_slice(claim.owner.as_bytes());
        let (resource_at, resource_len) = heap.push(&claim.resource)?;
        let (member_at, member_len) = heap.push(&claim.member)?;
        places.push((resource_at, resource_len, member_at, member_len));
    }
    Ok((heap.into_bytes(), json(&places)?, owners))
}

async fn claims_released(conn: &mut SqliteConnection, claims: &[Claim]) -> Result<(), WriteError> {
    if claims.is_empty() {
        return Ok(());
    }
    let (heap, places, owners) = packed_claims(claims)?;
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::claims_released
         DELETE FROM claims WHERE (resource, member, owner) IN (
             SELECT substr(?1, value ->> 0, value ->> 1), substr(?1, value ->> 2, value ->> 3),
                 substr(?3, 1 + key * 16, 16)
             FROM json_each(?2)
         )",
    );
    run(conn, query.bind(heap).bind(places).bind(owners)).await
}

async fn claims_taken(conn: &mut SqliteConnection, claims: &[Claim]) -> Result<(), WriteError> {
    if claims.is_empty() {
        return Ok(());
    }
    let (heap, places, owners) = packed_claims(claims)?;
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::claims_taken
         INSERT INTO claims (resource, member, owner)
         SELECT substr(?1, value ->> 0, value ->> 1), substr(?1, value ->> 2, value ->> 3),
             substr(?3, 1 + key * 16, 16)
         FROM json_each(?2)",
    );
    run(conn, query.bind(heap).bind(places).bind(owners)).await
}

/// Calendar and owner of each span of a layer end to end, and kind, start and end in JSON; `None` if there is none.
fn packed_spans(spans: &[Span], layer: Layer) -> Result<Option<(Vec<u8>, String)>, StoreError> {
    let mut fixed = Vec::with_capacity(spans.len() * 32);
    let mut small = Vec::with_capacity(spans.len());
    for span in spans.iter().filter(|span| span.layer == layer) {
        fixed.extend_from_slice(span.calendar.id.as_bytes());
        fixed.extend_from_slice(span.owner.as_bytes());
        small.push((span.calendar.kind.byte(), span.starts, span.ends));
    }
    if small.is_empty() {
        Ok(None)
    } else {
        Ok(Some((fixed, json(&small)?)))
    }
}

// The calendar's id stands first: SQLite seeks by a row value only where the affinity of its first column suits every
// column of the index, and that of a blob does. Beginning with `kind` it would walk all calendars of the kind.
pub(super) const NORMAL_SPANS_RELEASED: &str = "-- praxis_store_sqlite::log::write::spans_released
    DELETE FROM spans WHERE (calendar_id, kind, starts, ends, owner) IN (
        SELECT substr(?1, 1 + key * 32, 16), value ->> 0, value ->> 1, value ->> 2, substr(?1, 17 + key * 32, 16)
        FROM json_each(?2)
    )";

pub(super) const OVER_SPANS_RELEASED: &str = "-- praxis_store_sqlite::log::write::spans_released
    DELETE FROM over_spans WHERE (calendar_id, kind, ends, starts, owner) IN (
        SELECT substr(?1, 1 + key * 32, 16), value ->> 0, value ->> 2, value ->> 1, substr(?1, 17 + key * 32, 16)
        FROM json_each(?2)
    )";

async fn spans_released(conn: &mut SqliteConnection, spans: &[Span]) -> Result<(), WriteError> {
    if let Some((fixed, small)) = packed_spans(spans, Layer::Normal)? {
        run(conn, sqlx::query(NORMAL_SPANS_RELEASED).bind(fixed).bind(small)).await?;
    }
    if let Some((fixed, small)) = packed_spans(spans, Layer::Over)? {
        run(conn, sqlx::query(OVER_SPANS_RELEASED).bind(fixed).bind(small)).await?;
    }
    Ok(())
}

async fn spans_taken(conn: &mut SqliteConnection, spans: &[Span]) -> Result<(), WriteError> {
    if let Some((fixed, small)) = packed_spans(spans, Layer::Normal)? {
        let query = sqlx::query(
            "-- praxis_store_sqlite::log::write::spans_taken
             INSERT INTO spans (kind, calendar_id, starts, ends, owner)
             SELECT value ->> 0, substr(?1, 1 + key * 32, 16), value ->> 1, value ->> 2, substr(?1, 17 + key * 32, 16)
             FROM json_each(?2)",
        );
        run(conn, query.bind(fixed).bind(small)).await?;
    }
    if let Some((fixed, small)) = packed_spans(spans, Layer::Over)? {
        let query = sqlx::query(
            "-- praxis_store_sqlite::log::write::spans_taken
             INSERT INTO over_spans (kind, calendar_id, starts, ends, owner)
             SELECT value ->> 0, substr(?1, 1 + key * 32, 16), value ->> 1, value ->> 2, substr(?1, 17 + key * 32, 16)
             FROM json_each(?2)",
        );
        run(conn, query.bind(fixed).bind(small)).await?;
    }
    Ok(())
}

async fn head_moved(conn: &mut SqliteConnection, rows: &Rows) -> Result<(), WriteError> {
    let query = sqlx::query(
        "-- praxis_store_sqlite::log::write::head_moved
         UPDATE log_head SET position = ?1, recorded_at = ?2 WHERE id = 1",
    );
    run(
        conn,
        query
            .bind(integer(rows.head_position)?)
            .bind(rows.head_recorded_at),
    )
    .await
}
