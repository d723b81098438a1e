//! (b) What could the database take at most? The rows of a command in batches of 256: made by a client through the
//! adapter's own bulk statements with nothing decided or sealed, and made within the server.

use std::time::{Duration, Instant};

use anyhow::Result;
use praxis_event_store::append::{Calendar, CalendarKind, Claim, Layer, Span};
use praxis_event_store::port::{LogWriter as _, Rows, StoredCommand, StoredEvent};
use praxis_events::ids::LogId;
use praxis_runtime::ids;
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_testkit::servers::{in_schema, mysql_url};
use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use uuid::Uuid;

use super::MEASURED;
use crate::Kind;
use crate::figure::Figure;
use crate::report::Report;
use crate::servers::drop_schema;

const BATCH: u64 = 256;

const SLOT_MICROS: i64 = 900_000_000;

/// Measures the bounds of both commands and prints them.
pub async fn print(report: &mut Report) -> Result<()> {
    report.line(&format!(
        "| bulk-insert bound, batches of {BATCH} | rows of commands per second, made by a client | made in the server |"
    ));
    report.line("|---|---|---|");
    for kind in [Kind::SendMessage, Kind::BookAppointment] {
        if !report.asked_for(kind.name()) {
            continue;
        }
        let bound = Bound::open(kind).await?;
        let client = bound.by_client(MEASURED).await?.per_second;
        let server = bound.in_server(MEASURED).await?.per_second;
        bound.end().await?;
        report.line(&format!("| {} | {client:.0} | {server:.0} |", kind.name()));
    }
    report.line("");
    Ok(())
}

/// An empty log, into which the rows of one command go: an event and a command key, of a booking also two spans and a
/// claim (one of the patient's open bookings).
pub struct Bound {
    kind: Kind,
    url: String,
    log: MySqlLog,
    /// Whose bookings: as many as there are in a batch.
    calendars: Vec<[Uuid; 2]>,
}

impl Bound {
    /// In a schema of its own.
    pub async fn open(kind: Kind) -> Result<Self> {
        let url = in_schema(&mysql_url(), &format!("praxis_bench_{}", ids::new_id().simple()));
        migrate(&url, LogId(ids::new_id())).await?;
        let log = MySqlLog::open(&url, MySqlLogOptions::default()).await?;
        let mut connection = MySqlConnection::connect(&url).await?;
        for table in [
            "CREATE TABLE s_events LIKE events",
            "CREATE TABLE s_commands LIKE commands",
            "CREATE TABLE s_spans LIKE spans",
            "CREATE TABLE s_claims LIKE claims",
        ] {
            sqlx::query(table).execute(&mut connection).await?;
        }
        Ok(Self {
            kind,
            url,
            log,
            calendars: (0..BATCH).map(|_| [ids::new_id(), ids::new_id()]).collect(),
        })
    }

    /// Deletes the schema.
    pub async fn end(self) -> Result<()> {
        drop_schema(&self.url).await
    }

    /// Rows made here.
    pub async fn by_client(&self, measured: Duration) -> Result<Figure> {
        let (began, mut waited) = (Instant::now(), Vec::new());
        while began.elapsed() < measured {
            let asked = Instant::now();
            let mut transaction = self.log.begin().await?;
            let rows = self.rows(transaction.head().position)?;
            transaction.write(&rows).await?;
            transaction.commit().await?;
            let took = asked.elapsed();
            waited.extend((0..BATCH).map(|_| took));
        }
        Ok(Figure::of(waited, began.elapsed()))
    }

    fn rows(&self, after: u64) -> Result<Rows> {
        let (event_type, metadata, payload) = match self.kind {
            Kind::SendMessage => ("thread.message-sent", 260, 470),
            Kind::BookAppointment => ("appointment.booked", 260, 380),
        };
        let mut rows = Rows {
            head_position: after + BATCH,
            head_recorded_at: 1,
            ..Rows::default()
        };
        for (position, calendars) in (after + 1..).zip(&self.calendars) {
            let stream_id = ids::new_id();
            rows.events.push(StoredEvent {
                position,
                event_id: ids::new_id(),
                stream_type: "thread".to_owned(),
                stream_id,
                stream_version: 1,
                event_type: event_type.to_owned(),
                schema_version: 1,
                recorded_at: 1,
                subject_id: Some(calendars[1]),
                metadata: vec![b'm'; metadata],
                payload: vec![b'p'; payload],
                leaf_format: 1,
                leaf_hash: [7; 32],
            });
            rows.commands.push(StoredCommand {
                key: ids::random_bytes()?,
                request: [1; 33],
                answer_id: stream_id,
                version: 1,
                position,
                recorded_at: 1,
            });
            if self.kind == Kind::BookAppointment {
                let starts = i64::try_from(after / BATCH)? * SLOT_MICROS;
                for (id, kind) in calendars
                    .iter()
                    .zip([CalendarKind::Practitioner, CalendarKind::Patient])
                {
                    rows.spans_taken.push(Span {
                        calendar: Calendar { kind, id: *id },
                        layer: Layer::Normal,
                        starts,
                        ends: starts + SLOT_MICROS,
                        owner: stream_id,
                    });
                }
                rows.claims_taken.push(Claim {
                    resource: b"open-booking".to_vec(),
                    member: calendars[1].as_bytes().to_vec(),
                    owner: stream_id,
                    capacity: u32::MAX,
                });
            }
        }
        Ok(rows)
    }

    /// Rows made by the server itself.
    async fn in_server(&self, measured: Duration) -> Result<Figure> {
        let mut connection = MySqlConnection::connect(&self.url).await?;
        let (began, mut waited) = (Instant::now(), Vec::new());
        while began.elapsed() < measured {
            let asked = Instant::now();
            let mut tx = connection.begin().await?;
            let before = waited.len() as u64;
            for statement in self.statements() {
                sqlx::query(*statement)
                    .bind(BATCH)
                    .bind(before)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
            let took = asked.elapsed();
            waited.extend((0..BATCH).map(|_| took));
        }
        Ok(Figure::of(waited, began.elapsed()))
    }

    fn statements(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::SendMessage => &IN_SERVER[..2],
            Kind::BookAppointment => &IN_SERVER,
        }
    }
}

/// Each makes so many rows after a number. The spans of a batch are two calendars' of each of its rows, at a time of
/// its own.
const IN_SERVER: [&str; 4] = [
    "INSERT INTO s_events (position, event_id, stream_type, stream_id, stream_version, event_type, schema_version,
     recorded_at, subject_id, metadata, payload, leaf_format, leaf_hash)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     SELECT ? + i, UUID_TO_BIN(UUID(), 1), 'thread', UUID_TO_BIN(UUID(), 1), 1, 'thread.message-sent', 1, 1,
         UUID_TO_BIN(UUID(), 1), REPEAT('m', 260), REPEAT('p', 470), 1, REPEAT('7', 32) FROM n",
    "INSERT INTO s_commands (command_key, request, answer_id, version, position, recorded_at)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     SELECT RANDOM_BYTES(32), REPEAT('1', 33), UUID_TO_BIN(UUID(), 1), 1, ? + i, 1 FROM n",
    "INSERT INTO s_spans (kind, calendar_id, bucket, starts, lane, ends, owner)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2 * ?), b (at) AS (SELECT ?)
     SELECT 1 + i % 2, UNHEX(LPAD(HEX(i), 32, '0')), at DIV 6144, at, REPEAT('0', 16), at + 1, UUID_TO_BIN(UUID(), 1)
     FROM n, b",
    "INSERT INTO s_claims (resource, member, owner)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?), b (at) AS (SELECT ?)
     SELECT 'open-booking', UNHEX(LPAD(HEX(i), 32, '0')), UUID_TO_BIN(UUID(), 1) FROM n, b",
];
