//! How does a projector move a generation on: checkpoint first, then rows in bulk, in one transaction.

use async_trait::async_trait;
use praxis_events::ids::{AppointmentId, LocationId, LogId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::{Checkpoint, Move, ParkedEvent, Views, ViewsError, ViewsTransaction};
use sqlx::mysql::{MySqlConnectOptions, MySqlRow};
use uuid::Uuid;

use super::conn::{bytes_at, column, id_at, number, views_error};
use super::rows::{self, load, packed_ids};
use super::save;
use super::sessions::{Session, Sessions};
use crate::fitness::Purpose;
use crate::packed::Packed;

const START_PARTITIONS: &str = "-- store_mysql::views::write::start_partitions
INSERT INTO checkpoints (partition_number, position, epoch, log_id, leaf_hash)
SELECT n.partition_number, n.position, n.epoch,
    SUBSTR(p.f, 1 + (n.i - 1) * 48, 16), SUBSTR(p.f, 17 + (n.i - 1) * 48, 32)
FROM (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    partition_number INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    position BIGINT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    epoch INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE partition_number = checkpoints.partition_number";

const CHECKPOINTS: &str = "-- store_mysql::views::write::checkpoints
SELECT partition_number, position, epoch, log_id, leaf_hash FROM checkpoints ORDER BY partition_number";

/// The rows are locked in the order given.
const MOVE_CHECKPOINTS: &str = "-- store_mysql::views::write::move_checkpoints
UPDATE (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    partition_number INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    from_position BIGINT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    from_epoch INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    to_position BIGINT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR,
    to_epoch INT UNSIGNED PATH '$[4]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN checkpoints AS c FORCE INDEX (PRIMARY) ON c.partition_number = n.partition_number
SET c.position = n.to_position, c.epoch = n.to_epoch,
    c.log_id = SUBSTR(p.f, 17 + (n.i - 1) * 64, 16), c.leaf_hash = SUBSTR(p.f, 33 + (n.i - 1) * 64, 32)
WHERE c.position = n.from_position AND c.epoch = n.from_epoch
    AND c.log_id = SUBSTR(p.f, 1 + (n.i - 1) * 64, 16)";

const PARKED: &str = "-- store_mysql::views::write::parked
SELECT stream_type, stream_id, partition_number, position, stream_version, event_type, code
FROM parked WHERE position > ? ORDER BY position LIMIT ?";

const PARKED_STREAM_COUNT: &str = "-- store_mysql::views::write::parked_stream_count
SELECT COUNT(DISTINCT stream_id) FROM parked";

/// Nearly always nothing is parked at all, and then no stream is looked at.
const PARKED_AMONG: &str = "-- store_mysql::views::write::parked_among
SELECT e.stream_id
FROM (
    SELECT ? AS f FROM DUAL WHERE EXISTS (SELECT 1 FROM parked)
    UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (i FOR ORDINALITY)) AS n
STRAIGHT_JOIN LATERAL (
    SELECT stream_id FROM parked FORCE INDEX (parked_by_stream)
    WHERE stream_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16) LIMIT 1) AS e";

const PARK: &str = "-- store_mysql::views::write::park
INSERT INTO parked (stream_type, stream_id, partition_number, position, stream_version, event_type, code)
SELECT SUBSTR(p.v, n.at, n.a),
    SUBSTR(p.f, 1 + (n.i - 1) * 16, 16),
    n.partition_number, n.position, n.stream_version,
    SUBSTR(p.v, n.at + n.a, n.b),
    SUBSTR(p.v, n.at + n.a + n.b, n.c)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    partition_number INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    position BIGINT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    stream_version BIGINT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    at INT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[4]' ERROR ON EMPTY ERROR ON ERROR,
    b INT UNSIGNED PATH '$[5]' ERROR ON EMPTY ERROR ON ERROR,
    c INT UNSIGNED PATH '$[6]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE position = parked.position";

const UNPARK: &str = "-- store_mysql::views::write::unpark
DELETE FROM parked WHERE stream_id = ? AND position <= ?";

/// One generation, for writing.
#[derive(Debug)]
pub(super) struct MySqlViews {
    sessions: Sessions,
}

impl MySqlViews {
    pub(super) fn new(options: MySqlConnectOptions) -> Self {
        Self {
            sessions: Sessions::new("views-write", Purpose::Write, options),
        }
    }
}

#[async_trait]
impl Views for MySqlViews {
    async fn begin(&self) -> Result<Box<dyn ViewsTransaction>, ViewsError> {
        let mut session = self.sessions.take().await?;
        session.begin().await?;
        Ok(Box::new(MySqlViewsTransaction {
            session,
            failed: false,
        }))
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, ViewsError> {
        checkpoints(&mut self.sessions.take().await?).await
    }

    async fn start_partitions(&self, checkpoints: &[Checkpoint]) -> Result<(), ViewsError> {
        if checkpoints.is_empty() {
            return Ok(());
        }
        let mut packed = Packed::default();
        for start in checkpoints {
            let numbers = [
                i64::from(start.partition),
                number(start.position)?,
                i64::from(start.epoch),
            ];
            packed.row(&[start.log_id.0.as_bytes(), &start.leaf_hash], &[], &numbers);
        }
        self.sessions
            .take()
            .await?
            .run(packed.bind_fixed(START_PARTITIONS))
            .await?;
        Ok(())
    }

    async fn parked(&self, after_position: u64, limit: u32) -> Result<Vec<ParkedEvent>, ViewsError> {
        let mut session = self.sessions.take().await?;
        let rows = session
            .rows(sqlx::query(PARKED).bind(after_position).bind(limit))
            .await?;
        rows.iter().map(parked_event).collect()
    }

    async fn parked_stream_count(&self) -> Result<u64, ViewsError> {
        parked_stream_count(&mut self.sessions.take().await?).await
    }
}

/// Every checkpoint, by partition.
pub(super) async fn checkpoints(session: &mut Session) -> Result<Vec<Checkpoint>, ViewsError> {
    session
        .rows(sqlx::query(CHECKPOINTS))
        .await?
        .iter()
        .map(checkpoint)
        .collect()
}

/// How many streams are parked.
pub(super) async fn parked_stream_count(session: &mut Session) -> Result<u64, ViewsError> {
    let rows = session.rows(sqlx::query(PARKED_STREAM_COUNT)).await?;
    let count: i64 = column(rows.first().ok_or(ViewsError::Corrupt("a count has no row"))?, 0)?;
    u64::try_from(count).map_err(|_| ViewsError::Corrupt("a count is below zero"))
}

fn checkpoint(row: &MySqlRow) -> Result<Checkpoint, ViewsError> {
    Ok(Checkpoint {
        partition: column(row, 0)?,
        position: column(row, 1)?,
        epoch: column(row, 2)?,
        log_id: LogId(id_at(row, 3)?),
        leaf_hash: bytes_at(row, 4)?,
    })
}

fn parked_event(row: &MySqlRow) -> Result<ParkedEvent, ViewsError> {
    Ok(ParkedEvent {
        stream_type: column(row, 0)?,
        stream_id: id_at(row, 1)?,
        partition: column(row, 2)?,
        position: column(row, 3)?,
        stream_version: column(row, 4)?,
        event_type: column(row, 5)?,
        code: column(row, 6)?,
    })
}

/// Dropped, it closes its connection, and the server rolls back.
struct MySqlViewsTransaction {
    session: Session,
    /// A statement failed or was given up: nothing may be committed.
    failed: bool,
}

impl MySqlViewsTransaction {
    /// Runs what may fail half way.
    async fn attempt<T: Send>(
        &mut self,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, ViewsError>,
    ) -> Result<T, ViewsError> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(ViewsError::Refused(
                "an earlier statement of this transaction failed".into(),
            ));
        }
        let done = work(&mut self.session).await?;
        self.failed = false;
        Ok(done)
    }
}

#[async_trait]
impl ViewsTransaction for MySqlViewsTransaction {
    async fn move_checkpoints(&mut self, moves: &[Move]) -> Result<bool, ViewsError> {
        if moves.is_empty() {
            return Ok(true);
        }
        let mut packed = Packed::default();
        for Move { from, to } in moves {
            let bytes: [&[u8]; 3] = [from.log_id.0.as_bytes(), to.log_id.0.as_bytes(), &to.leaf_hash];
            let numbers = [
                i64::from(from.partition),
                number(from.position)?,
                i64::from(from.epoch),
                number(to.position)?,
                i64::from(to.epoch),
            ];
            packed.row(&bytes, &[], &numbers);
        }
        let statement = packed.bind_fixed(MOVE_CHECKPOINTS);
        let met = self
            .attempt(async |session| session.run(statement).await)
            .await?
            .rows_affected();
        // The driver asks for rows met, not rows changed: moving to the same place counts.
        Ok(usize::try_from(met) == Ok(moves.len()))
    }

    async fn parked_among(&mut self, streams: &[Uuid]) -> Result<Vec<Uuid>, ViewsError> {
        if streams.is_empty() {
            return Ok(Vec::new());
        }
        let asked = packed_ids(streams.iter().copied()).bind_fixed(PARKED_AMONG);
        let rows = self.attempt(async |session| session.rows(asked).await).await?;
        rows.iter().map(|row| id_at(row, 0)).collect()
    }

    async fn park(&mut self, events: &[ParkedEvent]) -> Result<(), ViewsError> {
        if events.is_empty() {
            return Ok(());
        }
        let packed = pack_parked(events)?;
        self.attempt(async |session| session.run(packed.bind(PARK)).await)
            .await?;
        Ok(())
    }

    async fn unpark(&mut self, stream_id: Uuid, up_to_position: u64) -> Result<(), ViewsError> {
        let statement = sqlx::query(UNPARK)
            .bind(stream_id.as_bytes().to_vec())
            .bind(up_to_position);
        self.attempt(async |session| session.run(statement).await).await?;
        Ok(())
    }

    async fn load_patients(&mut self, ids: &[PatientId]) -> Result<Vec<PatientRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::PATIENTS, ids).await)
            .await
    }

    async fn save_patients(&mut self, rows: &[PatientRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::patients(session, rows).await)
            .await
    }

    async fn load_practitioners(
        &mut self,
        ids: &[PractitionerId],
    ) -> Result<Vec<PractitionerRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::PRACTITIONERS, ids).await)
            .await
    }

    async fn save_practitioners(&mut self, rows: &[PractitionerRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::practitioners(session, rows).await)
            .await
    }

    async fn load_locations(&mut self, ids: &[LocationId]) -> Result<Vec<LocationRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::LOCATIONS, ids).await)
            .await
    }

    async fn save_locations(&mut self, rows: &[LocationRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::locations(session, rows).await)
            .await
    }

    async fn load_appointments(&mut self, ids: &[AppointmentId]) -> Result<Vec<AppointmentRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::APPOINTMENTS, ids).await)
            .await
    }

    async fn save_appointments(&mut self, rows: &[AppointmentRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::appointments(session, rows).await)
            .await
    }

    async fn load_threads(&mut self, ids: &[ThreadId]) -> Result<Vec<ThreadRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::THREADS, ids).await)
            .await
    }

    async fn save_threads(&mut self, rows: &[ThreadRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::threads(session, rows).await)
            .await
    }

    async fn load_messages(&mut self, ids: &[MessageId]) -> Result<Vec<MessageRow>, ViewsError> {
        let ids = ids.iter().map(|id| id.0);
        self.attempt(async |session| load(session, rows::MESSAGES, ids).await)
            .await
    }

    async fn save_messages(&mut self, rows: &[MessageRow]) -> Result<(), ViewsError> {
        self.attempt(async |session| save::messages(session, rows).await)
            .await
    }

    async fn commit(self: Box<Self>) -> Result<(), ViewsError> {
        if self.failed {
            return Err(ViewsError::Refused(
                "an earlier statement of this transaction failed".into(),
            ));
        }
        self.session.commit().await
    }
}

fn pack_parked(events: &[ParkedEvent]) -> Result<Packed, ViewsError> {
    let mut packed = Packed::default();
    for event in events {
        let texts = [
            event.stream_type.as_bytes(),
            event.event_type.as_bytes(),
            event.code.as_bytes(),
        ];
        let numbers = [
            i64::from(event.partition),
            number(event.position)?,
            number(event.stream_version)?,
            packed.varying_offset().map_err(views_error)?,
            number(texts[0].len())?,
            number(texts[1].len())?,
            number(texts[2].len())?,
        ];
        packed.row(&[event.stream_id.as_bytes()], &texts, &numbers);
    }
    Ok(packed)
}
