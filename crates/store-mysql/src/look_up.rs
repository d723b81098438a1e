//! What does the judge want to know of the rows as they stand under the head lock?
//!
//! Every statement joins a list of questions to a table by equality over a whole index prefix; a test counts the rows
//! that each one reads.

use std::collections::{BTreeSet, HashSet};

use praxis_event_store::append::{Calendar, CalendarKind, Span};
use praxis_event_store::port::{Facts, Lookup, StoreError};
use sqlx::mysql::MySqlRow;
use uuid::Uuid;

use crate::errors::store_error;
use crate::packed::{Packed, number};
use crate::rows::{column, command_from, id_at};
use crate::session::{Session, Statement};
use crate::span_buckets::{buckets_searched, layer_of};

/// Ordered by the whole index, although its first column is fixed: only so does the server go to the end of the stream
/// instead of reading and sorting it.
const VERSIONS: &str = "-- store_mysql::look_up::versions
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 16, 16), e.stream_version
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN LATERAL (
    SELECT stream_version FROM events WHERE stream_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)
    ORDER BY stream_id DESC, stream_version DESC LIMIT 1) AS e";

const COMMANDS: &str = "-- store_mysql::look_up::commands
SELECT c.command_key, c.request, c.answer_id, c.version, c.position, c.recorded_at
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN commands AS c ON c.command_key = SUBSTR(p.f, 1 + (n.i - 1) * 32, 32)";

const CLAIMS: &str = "-- store_mysql::look_up::claims
SELECT c.resource, c.member, c.owner
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT payload, payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    resource_length INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    member_length INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN claims AS c
    ON c.resource = SUBSTR(p.v, n.at, n.resource_length)
    AND c.member = SUBSTR(p.v, n.at + n.resource_length, n.member_length)";

const SPANS: &str = "-- store_mysql::look_up::spans
SELECT s.kind, s.calendar_id, s.starts, s.ends, s.lane, s.owner
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    kind TINYINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    bucket INT PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    starts BIGINT PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    ends BIGINT PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN spans AS s
    ON s.kind = n.kind
    AND s.calendar_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)
    AND s.bucket = n.bucket
WHERE s.starts < n.ends AND s.ends > n.starts";

/// For a search of weeks, which no command of a practice makes: reads the calendar.
const SPANS_OF_CALENDAR: &str = "-- store_mysql::look_up::spans_of_calendar
SELECT kind, calendar_id, starts, ends, lane, owner FROM spans
WHERE kind = ? AND calendar_id = ? AND starts < ? AND ends > ?";

const ERASED: &str = "-- store_mysql::look_up::erased
SELECT k.subject_id
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN subject_keys AS k ON k.subject_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16)
WHERE k.destroyed_position IS NOT NULL";

/// Answers a look-up; kinds of questions that are not asked cost nothing.
pub(crate) async fn look_up(session: &mut Session, lookup: &Lookup) -> Result<Facts, StoreError> {
    let mut facts = Facts::default();
    for row in ask_ids(session, VERSIONS, &lookup.streams).await? {
        facts.versions.insert(id_at(&row, 0)?, column(&row, 1)?);
    }
    for row in ask(session, COMMANDS, packed_fixed(&lookup.commands)).await? {
        let command = command_from(&row)?;
        facts.commands.insert(command.key, command);
    }
    if !lookup.claims.is_empty() {
        let claims = packed_claims(&lookup.claims)?.bind(CLAIMS);
        for row in session.rows(claims).await.map_err(store_error)? {
            let claim = (column::<Vec<u8>>(&row, 0)?, column::<Vec<u8>>(&row, 1)?);
            facts.claims.entry(claim).or_default().push(id_at(&row, 2)?);
        }
    }
    facts.spans = overlapping_spans(session, &lookup.spans).await?;
    for row in ask_ids(session, ERASED, &lookup.subjects).await? {
        facts.erased.insert(id_at(&row, 0)?);
    }
    Ok(facts)
}

/// Runs a statement over a list of ids, each once; an empty list is not asked.
pub(crate) async fn ask_ids(
    session: &mut Session,
    text: &'static str,
    ids: &[Uuid],
) -> Result<Vec<MySqlRow>, StoreError> {
    ask(session, text, packed_fixed(ids)).await
}

async fn ask(session: &mut Session, text: &'static str, packed: Packed) -> Result<Vec<MySqlRow>, StoreError> {
    if packed.rows() == 0 {
        return Ok(Vec::new());
    }
    session.rows(packed.bind_fixed(text)).await.map_err(store_error)
}

/// A question asked twice is answered once.
fn packed_fixed<T: AsRef<[u8]>>(values: &[T]) -> Packed {
    let mut packed = Packed::default();
    for value in values.iter().map(AsRef::as_ref).collect::<BTreeSet<&[u8]>>() {
        packed.row(&[value], &[], &[]);
    }
    packed
}

fn packed_claims(claims: &[(Vec<u8>, Vec<u8>)]) -> Result<Packed, StoreError> {
    let mut packed = Packed::default();
    for (resource, member) in claims.iter().collect::<BTreeSet<_>>() {
        let numbers = [
            packed.varying_offset()?,
            number(resource.len())?,
            number(member.len())?,
        ];
        packed.row(&[], &[resource, member], &numbers);
    }
    Ok(packed)
}

async fn overlapping_spans(session: &mut Session, searched: &[Span]) -> Result<Vec<Span>, StoreError> {
    let mut packed = Packed::default();
    let mut found = HashSet::new();
    for span in searched {
        let kind = i64::from(span.calendar.kind.byte());
        match buckets_searched(span)? {
            Some(buckets) => buckets.into_iter().for_each(|bucket| {
                let numbers = [kind, i64::from(bucket), span.starts, span.ends];
                packed.row(&[span.calendar.id.as_bytes()], &[], &numbers);
            }),
            None => found.extend(spans_from(session, whole_calendar(span)).await?),
        }
    }
    if packed.rows() > 0 {
        found.extend(spans_from(session, packed.bind_fixed(SPANS)).await?);
    }
    Ok(found.into_iter().collect())
}

fn whole_calendar(span: &Span) -> Statement<'static> {
    sqlx::query(SPANS_OF_CALENDAR)
        .bind(span.calendar.kind.byte())
        .bind(span.calendar.id.as_bytes().to_vec())
        .bind(span.ends)
        .bind(span.starts)
}

async fn spans_from(session: &mut Session, statement: Statement<'_>) -> Result<Vec<Span>, StoreError> {
    let rows = session.rows(statement).await.map_err(store_error)?;
    rows.iter().map(span_from).collect()
}

fn span_from(row: &MySqlRow) -> Result<Span, StoreError> {
    let kind = CalendarKind::from_byte(column(row, 0)?)
        .ok_or(StoreError::Corrupt("a span is of no known kind of calendar"))?;
    Ok(Span {
        calendar: Calendar {
            kind,
            id: id_at(row, 1)?,
        },
        layer: layer_of(column(row, 4)?),
        starts: column(row, 2)?,
        ends: column(row, 3)?,
        owner: id_at(row, 5)?,
    })
}

#[cfg(test)]
mod tests;
