//! What does the store know that a batch must be judged by? One statement for each kind of question.

use std::collections::{HashMap, HashSet};

use praxis_event_store::append::Span;
use praxis_event_store::port::{Facts, Lookup, StoreError, StoredCommand};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::error;
use super::pack::{Heap, concat, json, ordinals};
use super::rows::{column, command, id, span, unsigned};

/// Answers every question of the lookup; a kind without questions costs nothing.
pub(super) async fn facts(conn: &mut SqliteConnection, lookup: &Lookup) -> Result<Facts, StoreError> {
    Ok(Facts {
        versions: versions(conn, &lookup.streams).await?,
        commands: commands(conn, &lookup.commands).await?,
        claims: claims(conn, &lookup.claims).await?,
        spans: spans(conn, &lookup.spans).await?,
        erased: erased(conn, &lookup.subjects).await?,
    })
}

async fn versions(conn: &mut SqliteConnection, streams: &[Uuid]) -> Result<HashMap<Uuid, u64>, StoreError> {
    if streams.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "-- praxis_store_sqlite::log::look_up::versions
         SELECT asked.key, (
             SELECT max(there.stream_version) FROM events AS there
             WHERE there.stream_id = substr(?1, 1 + asked.key * 16, 16)
         )
         FROM json_each(?2) AS asked
         ORDER BY asked.key",
    )
    .bind(concat(streams.iter().map(Uuid::as_bytes)))
    .bind(ordinals(streams.len()))
    .fetch_all(conn)
    .await
    .map_err(error::store)?;
    let mut versions = HashMap::with_capacity(streams.len());
    for (stream, row) in streams.iter().zip(&rows) {
        if column::<Option<i64>>(row, 1)?.is_some() {
            versions.insert(*stream, unsigned(row, 1)?);
        }
    }
    Ok(versions)
}

async fn commands(
    conn: &mut SqliteConnection,
    keys: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], StoredCommand>, StoreError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "-- praxis_store_sqlite::log::look_up::commands
         SELECT kept.key, kept.request, kept.answer_id, kept.version, kept.position, kept.recorded_at
         FROM json_each(?2) AS asked
         CROSS JOIN commands AS kept ON kept.key = substr(?1, 1 + asked.key * 32, 32)",
    )
    .bind(concat(keys.iter()))
    .bind(ordinals(keys.len()))
    .fetch_all(conn)
    .await
    .map_err(error::store)?;
    rows.iter()
        .map(|row| command(row).map(|kept| (kept.key, kept)))
        .collect()
}

type ClaimKey = (Vec<u8>, Vec<u8>);

async fn claims(
    conn: &mut SqliteConnection,
    asked: &[ClaimKey],
) -> Result<HashMap<ClaimKey, Vec<Uuid>>, StoreError> {
    let mut owners: HashMap<ClaimKey, Vec<Uuid>> = HashMap::new();
    if asked.is_empty() {
        return Ok(owners);
    }
    let mut heap = Heap::new();
    let places = asked
        .iter()
        .map(|(resource, member)| Ok((heap.push(resource)?, heap.push(member)?)))
        .map(|places| places.map(|((at, len), (member_at, member_len))| (at, len, member_at, member_len)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let rows = sqlx::query(
        "-- praxis_store_sqlite::log::look_up::claims
         SELECT held.resource, held.member, held.owner
         FROM json_each(?2) AS asked
         CROSS JOIN claims AS held ON held.resource = substr(?1, asked.value ->> 0, asked.value ->> 1)
             AND held.member = substr(?1, asked.value ->> 2, asked.value ->> 3)",
    )
    .bind(heap.into_bytes())
    .bind(json(&places)?)
    .fetch_all(conn)
    .await
    .map_err(error::store)?;
    for row in &rows {
        owners
            .entry((column(row, 0)?, column(row, 1)?))
            .or_default()
            .push(id(column(row, 2)?)?);
    }
    Ok(owners)
}

/// Normal spans that start inside the time asked for, the one before it if it reaches in, and overbookings that end
/// after its start; once each, though several may have been asked for.
async fn spans(conn: &mut SqliteConnection, asked: &[Span]) -> Result<Vec<Span>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let small: Vec<_> = asked
        .iter()
        .map(|span| (span.calendar.kind.byte(), span.starts, span.ends))
        .collect();
    let rows = sqlx::query(
        "-- praxis_store_sqlite::log::look_up::spans
         SELECT FALSE, inside.kind, inside.calendar_id, inside.starts, inside.ends, inside.owner
         FROM json_each(?2) AS asked
         CROSS JOIN spans AS inside ON inside.kind = asked.value ->> 0
             AND inside.calendar_id = substr(?1, 1 + asked.key * 16, 16)
             AND inside.starts >= asked.value ->> 1 AND inside.starts < asked.value ->> 2
         UNION
         SELECT FALSE, before.kind, before.calendar_id, before.starts, before.ends, before.owner
         FROM json_each(?2) AS asked
         CROSS JOIN spans AS before ON before.kind = asked.value ->> 0
             AND before.calendar_id = substr(?1, 1 + asked.key * 16, 16)
             AND before.starts = (
                 SELECT max(earlier.starts) FROM spans AS earlier
                 WHERE earlier.kind = asked.value ->> 0
                     AND earlier.calendar_id = substr(?1, 1 + asked.key * 16, 16)
                     AND earlier.starts < asked.value ->> 1
             )
             AND before.ends > asked.value ->> 1
         UNION
         SELECT TRUE, over.kind, over.calendar_id, over.starts, over.ends, over.owner
         FROM json_each(?2) AS asked
         CROSS JOIN over_spans AS over ON over.kind = asked.value ->> 0
             AND over.calendar_id = substr(?1, 1 + asked.key * 16, 16)
             AND over.ends > asked.value ->> 1 AND over.starts < asked.value ->> 2",
    )
    .bind(concat(asked.iter().map(|span| span.calendar.id.as_bytes())))
    .bind(json(&small)?)
    .fetch_all(conn)
    .await
    .map_err(error::store)?;
    rows.iter().map(span).collect()
}

async fn erased(conn: &mut SqliteConnection, subjects: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
    if subjects.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query(
        "-- praxis_store_sqlite::log::look_up::erased
         SELECT gone.subject_id
         FROM json_each(?2) AS asked
         CROSS JOIN subject_keys AS gone ON gone.subject_id = substr(?1, 1 + asked.key * 16, 16)
         WHERE gone.destroyed_position IS NOT NULL",
    )
    .bind(concat(subjects.iter().map(Uuid::as_bytes)))
    .bind(ordinals(subjects.len()))
    .fetch_all(conn)
    .await
    .map_err(error::store)?;
    rows.iter().map(|row| id(column(row, 0)?)).collect()
}
