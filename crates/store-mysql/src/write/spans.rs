//! How is calendar time taken and given back?

use praxis_event_store::append::Span;
use praxis_event_store::port::{StoreError, WriteError};

use super::expect_rows;
use crate::errors::write_error;
use crate::packed::Packed;
use crate::session::Session;
use crate::span_buckets::{bucket_of, lane_of};

const INSERT: &str = "-- store_mysql::write::spans::insert
INSERT INTO spans (kind, calendar_id, bucket, starts, lane, ends, owner)
SELECT n.kind,
    SUBSTR(p.f, 1 + (n.i - 1) * 48, 16),
    n.bucket, n.starts,
    SUBSTR(p.f, 17 + (n.i - 1) * 48, 16),
    n.ends,
    SUBSTR(p.f, 33 + (n.i - 1) * 48, 16)
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    kind TINYINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    bucket INT PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    starts BIGINT PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    ends BIGINT PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n";

const DELETE: &str = "-- store_mysql::write::spans::delete
DELETE s
FROM (SELECT ? AS f UNION ALL SELECT payload FROM events WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    kind TINYINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    bucket INT PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    starts BIGINT PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    ends BIGINT PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN spans AS s
    ON s.kind = n.kind
    AND s.calendar_id = SUBSTR(p.f, 1 + (n.i - 1) * 48, 16)
    AND s.bucket = n.bucket
    AND s.starts = n.starts
    AND s.lane = SUBSTR(p.f, 17 + (n.i - 1) * 48, 16)
    AND s.ends = n.ends
    AND s.owner = SUBSTR(p.f, 33 + (n.i - 1) * 48, 16)";

pub(super) async fn insert(session: &mut Session, spans: &[Span]) -> Result<(), WriteError> {
    if spans.is_empty() {
        return Ok(());
    }
    expect_rows(session, pack(spans)?.bind_fixed(INSERT), spans.len()).await
}

/// Only the very span is deleted, never another owner's at the same time; one that is not there is as good as free.
pub(super) async fn delete(session: &mut Session, spans: &[Span]) -> Result<(), WriteError> {
    if spans.is_empty() {
        return Ok(());
    }
    session
        .run(pack(spans)?.bind_fixed(DELETE))
        .await
        .map_err(write_error)?;
    Ok(())
}

fn pack(spans: &[Span]) -> Result<Packed, StoreError> {
    let mut packed = Packed::default();
    for span in spans {
        packed.row(
            &[
                span.calendar.id.as_bytes(),
                &lane_of(span)?,
                span.owner.as_bytes(),
            ],
            &[],
            &[
                i64::from(span.calendar.kind.byte()),
                i64::from(bucket_of(span)?),
                span.starts,
                span.ends,
            ],
        );
    }
    Ok(packed)
}
