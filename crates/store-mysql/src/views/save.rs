//! How are rows inserted or replaced in bulk: one statement for each table, whatever their number?
//!
//! A row that is there is updated in place (REPLACE would delete and insert it, in every index). Where a row has
//! several found-by rows of its own, they are numbered from 0; those past the last are deleted.
//!
//! The branch that is never taken types the parameter as a column of another table than the one inserted into; of the
//! same table it would have the server keep all rows aside before it inserts the first.

use chrono::Datelike as _;
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::locations::LocationRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::models::threads::ThreadRow;
use praxis_read_models::views::ViewsError;
use uuid::Uuid;

use super::conn::{bytes_of, number, views_error};
use super::search::stored_keys;
use super::sessions::Session;
use crate::packed::Packed;

/// Bytes of packed rows past which a statement is sent; with the largest document on top they still fit into the
/// MEDIUMBLOB that the parameter is typed as, and into the smallest packet size accepted at the start.
const STATEMENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// Of a table of rows that others show by name: where, and of which other table the parameter is typed.
macro_rules! save_named {
    ($table:literal, $typed_by:literal) => {
        concat!(
            "-- store_mysql::views::save::",
            $table,
            "\nINSERT INTO ",
            $table,
            " (id, document, name)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 16, 16), SUBSTR(p.v, n.at, n.a), SUBSTR(p.v, n.at + n.a, n.b)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM ",
            $typed_by,
            " WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    b INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE document = SUBSTR(p.v, n.at, n.a), name = SUBSTR(p.v, n.at + n.a, n.b)"
        )
    };
}

const PATIENTS: &str = save_named!("patients", "locations");
const PRACTITIONERS: &str = save_named!("practitioners", "locations");
const LOCATIONS: &str = save_named!("locations", "practitioners");

const PATIENT_KEYS: &str = "-- store_mysql::views::save::patient_keys
INSERT INTO patient_keys (patient_id, place, kind, value)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 16, 16), n.place, n.kind, SUBSTR(p.v, n.at, n.a)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    place INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    kind TINYINT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    at INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE kind = n.kind, value = SUBSTR(p.v, n.at, n.a)";

const PATIENT_KEYS_PAST: &str = "-- store_mysql::views::save::patient_keys_past
DELETE k
FROM (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    places INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN patient_keys AS k FORCE INDEX (PRIMARY)
    ON k.patient_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16) AND k.place >= n.places";

const APPOINTMENTS: &str = "-- store_mysql::views::save::appointments
INSERT INTO appointments (id, patient_id, practitioner_id, location_id, local_date, starts, document)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 64, 16),
    SUBSTR(p.f, 17 + (n.i - 1) * 64, 16),
    SUBSTR(p.f, 33 + (n.i - 1) * 64, 16),
    SUBSTR(p.f, 49 + (n.i - 1) * 64, 16),
    n.local_date,
    n.starts,
    SUBSTR(p.v, n.at, n.a)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    local_date INT PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    starts BIGINT PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    at INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[3]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE
    patient_id = SUBSTR(p.f, 17 + (n.i - 1) * 64, 16),
    practitioner_id = SUBSTR(p.f, 33 + (n.i - 1) * 64, 16),
    location_id = SUBSTR(p.f, 49 + (n.i - 1) * 64, 16),
    local_date = n.local_date,
    starts = n.starts,
    document = SUBSTR(p.v, n.at, n.a)";

const THREADS: &str = "-- store_mysql::views::save::threads
INSERT INTO threads (id, patient_id, document)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 32, 16), SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), SUBSTR(p.v, n.at, n.a)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    at INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE patient_id = SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), document = SUBSTR(p.v, n.at, n.a)";

const PARTICIPANTS: &str = "-- store_mysql::views::save::participants
INSERT INTO thread_participants (thread_id, place, kind, participant_id, last_activity)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 32, 16), n.place, n.kind, SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), n.last_activity
FROM (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    place INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    kind TINYINT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    last_activity BIGINT PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE
    kind = n.kind, participant_id = SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), last_activity = n.last_activity";

const PARTICIPANTS_PAST: &str = "-- store_mysql::views::save::participants_past
DELETE m
FROM (SELECT ? AS f UNION ALL SELECT document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    places INT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR)) AS n
STRAIGHT_JOIN thread_participants AS m FORCE INDEX (PRIMARY)
    ON m.thread_id = SUBSTR(p.f, 1 + (n.i - 1) * 16, 16) AND m.place >= n.places";

const MESSAGES: &str = "-- store_mysql::views::save::messages
INSERT INTO messages (id, thread_id, sequence, document)
SELECT SUBSTR(p.f, 1 + (n.i - 1) * 32, 16), SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), n.sequence, SUBSTR(p.v, n.at, n.a)
FROM (SELECT ? AS f, ? AS v UNION ALL SELECT document, document FROM locations WHERE FALSE) AS p
STRAIGHT_JOIN JSON_TABLE(?, '$[*]' COLUMNS (
    i FOR ORDINALITY,
    sequence BIGINT UNSIGNED PATH '$[0]' ERROR ON EMPTY ERROR ON ERROR,
    at INT UNSIGNED PATH '$[1]' ERROR ON EMPTY ERROR ON ERROR,
    a INT UNSIGNED PATH '$[2]' ERROR ON EMPTY ERROR ON ERROR)) AS n
WHERE TRUE
ON DUPLICATE KEY UPDATE
    thread_id = SUBSTR(p.f, 17 + (n.i - 1) * 32, 16), sequence = n.sequence, document = SUBSTR(p.v, n.at, n.a)";

/// Saves patients and what they are found by.
pub(super) async fn patients(session: &mut Session, rows: &[PatientRow]) -> Result<(), ViewsError> {
    save_named(session, PATIENTS, rows, |row| {
        Ok((row.id.0, bytes_of(row)?, bytes_of(&row.name())?))
    })
    .await?;
    let keys: Vec<_> = rows.iter().map(|row| (row.id.0, stored_keys(row))).collect();
    let mut packed = Packed::default();
    let mut past = Packed::default();
    for (id, keys) in &keys {
        for (place, (kind, value)) in keys.iter().enumerate() {
            let numbers = [
                number(place)?,
                i64::from(kind.byte()),
                offset(&packed)?,
                number(value.len())?,
            ];
            packed.row(&[id.as_bytes()], &[value], &numbers);
        }
        past.row(&[id.as_bytes()], &[], &[number(keys.len())?]);
        send_if_large(session, PATIENT_KEYS, &mut packed).await?;
    }
    send(session, PATIENT_KEYS, packed).await?;
    send_fixed(session, PATIENT_KEYS_PAST, past).await
}

/// Saves practitioners.
pub(super) async fn practitioners(session: &mut Session, rows: &[PractitionerRow]) -> Result<(), ViewsError> {
    save_named(session, PRACTITIONERS, rows, |row| {
        Ok((row.id.0, bytes_of(row)?, bytes_of(&row.name())?))
    })
    .await
}

/// Saves locations, whose name stands as it is.
pub(super) async fn locations(session: &mut Session, rows: &[LocationRow]) -> Result<(), ViewsError> {
    save_named(session, LOCATIONS, rows, |row| {
        Ok((row.id.0, bytes_of(row)?, row.name.clone().into_bytes()))
    })
    .await
}

/// Saves appointments.
pub(super) async fn appointments(session: &mut Session, rows: &[AppointmentRow]) -> Result<(), ViewsError> {
    let mut packed = Packed::default();
    for row in rows {
        let document = bytes_of(row)?;
        let numbers = [
            i64::from(row.local_date().num_days_from_ce()),
            row.slot.starts.timestamp_micros(),
            offset(&packed)?,
            number(document.len())?,
        ];
        let ids = [
            row.id.0,
            row.patient_id.0,
            row.practitioner_id.0,
            row.location_id.0,
        ];
        packed.row(
            &ids.each_ref().map(|id| id.as_bytes().as_slice()),
            &[&document],
            &numbers,
        );
        send_if_large(session, APPOINTMENTS, &mut packed).await?;
    }
    send(session, APPOINTMENTS, packed).await
}

/// Saves threads and who finds them.
pub(super) async fn threads(session: &mut Session, rows: &[ThreadRow]) -> Result<(), ViewsError> {
    let mut packed = Packed::default();
    let mut participants = Packed::default();
    let mut past = Packed::default();
    for row in rows {
        let document = bytes_of(row)?;
        let numbers = [offset(&packed)?, number(document.len())?];
        packed.row(
            &[row.id.0.as_bytes(), row.patient_id.0.as_bytes()],
            &[&document],
            &numbers,
        );
        send_if_large(session, THREADS, &mut packed).await?;
        for (place, known) in row.participants.iter().enumerate() {
            let (kind, id) = participant_columns(known.participant);
            let numbers = [
                number(place)?,
                i64::from(kind),
                row.last_activity_at.timestamp_micros(),
            ];
            participants.row(&[row.id.0.as_bytes(), id.as_bytes()], &[], &numbers);
        }
        past.row(&[row.id.0.as_bytes()], &[], &[number(row.participants.len())?]);
    }
    send(session, THREADS, packed).await?;
    send_fixed(session, PARTICIPANTS, participants).await?;
    send_fixed(session, PARTICIPANTS_PAST, past).await
}

/// Saves messages.
pub(super) async fn messages(session: &mut Session, rows: &[MessageRow]) -> Result<(), ViewsError> {
    let mut packed = Packed::default();
    for row in rows {
        let document = bytes_of(row)?;
        let numbers = [number(row.sequence)?, offset(&packed)?, number(document.len())?];
        packed.row(
            &[row.id.0.as_bytes(), row.thread_id.0.as_bytes()],
            &[&document],
            &numbers,
        );
        send_if_large(session, MESSAGES, &mut packed).await?;
    }
    send(session, MESSAGES, packed).await
}

/// How a participant stands in the columns it is found by.
pub(super) const fn participant_columns(participant: Participant) -> (u8, Uuid) {
    match participant {
        Participant::Patient(id) => (1, id.0),
        Participant::Practitioner(id) => (2, id.0),
    }
}

/// Saves rows that others show by name: id, document, name.
async fn save_named<T: Sync>(
    session: &mut Session,
    text: &'static str,
    rows: &[T],
    columns: impl Fn(&T) -> Result<(Uuid, Vec<u8>, Vec<u8>), ViewsError> + Send,
) -> Result<(), ViewsError> {
    let mut packed = Packed::default();
    for row in rows {
        let (id, document, name) = columns(row)?;
        let numbers = [offset(&packed)?, number(document.len())?, number(name.len())?];
        packed.row(&[id.as_bytes()], &[&document, &name], &numbers);
        send_if_large(session, text, &mut packed).await?;
    }
    send(session, text, packed).await
}

fn offset(packed: &Packed) -> Result<i64, ViewsError> {
    packed.varying_offset().map_err(views_error)
}

async fn send_if_large(
    session: &mut Session,
    text: &'static str,
    packed: &mut Packed,
) -> Result<(), ViewsError> {
    if packed.bytes() <= STATEMENT_BYTES_MAX {
        return Ok(());
    }
    send(session, text, std::mem::take(packed)).await
}

async fn send(session: &mut Session, text: &'static str, packed: Packed) -> Result<(), ViewsError> {
    if packed.rows() == 0 {
        return Ok(());
    }
    session.run(packed.bind(text)).await?;
    Ok(())
}

async fn send_fixed(session: &mut Session, text: &'static str, packed: Packed) -> Result<(), ViewsError> {
    if packed.rows() == 0 {
        return Ok(());
    }
    session.run(packed.bind_fixed(text)).await?;
    Ok(())
}
