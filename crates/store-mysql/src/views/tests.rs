//! Does each list, search, load and save read the rows it is about and few others, however many there are?
//!
//! Rows read are counted, by index or not, so neither a scan nor a sort of more than the page goes unseen.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::patient::{Contact, Demographics};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::messages::MessageRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::threads::{ThreadParticipant, ThreadRow};
use praxis_read_models::reads::{AppointmentCursor, Reads, ThreadCursor};
use praxis_read_models::registry::Registry;
use praxis_read_models::search::{PatientCriteria, PatientQuery};
use praxis_read_models::views::{ParkedEvent, Views};
use praxis_testkit::conformance::sample;
use praxis_testkit::history::history;
use praxis_testkit::rows::Rows;
use praxis_testkit::views_conformance::PARTITIONS;
use sqlx::Row as _;

use super::read::MySqlReads;
use super::registry::MySqlRegistry;
use super::schema::{generation_options, migrate, views_options};
use super::sessions::{Session, Sessions};
use super::write::MySqlViews;
use super::{rows, save};
use crate::fitness::Purpose;
use crate::schema;
use read_database::ReadDatabase;

#[path = "../../tests/read_database/mod.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod read_database;

/// How many rows each table and each list has.
const ROWS: u32 = 3_000;

const PAGE: u32 = 10;

const ROWS_READ: &str = "SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED) FROM performance_schema.session_status
WHERE VARIABLE_NAME LIKE 'Handler_read%'";

struct Filled {
    reads: MySqlReads,
    writers: Sessions,
    database: ReadDatabase,
}

fn nine() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_603_600, 0).unwrap()
}

fn personal(text: &str) -> Personal<String> {
    Personal::new(text.to_owned())
}

/// Every patient's name begins with `an`, every 30th has the given name `Bo` as well.
fn patient(n: u32) -> PatientRow {
    let given = if n.is_multiple_of(30) { "Bo" } else { "Cy" };
    let demographics = Demographics {
        family_name: personal(&format!("Ander{n}")),
        given_names: vec![personal(given)],
        birth_date: Some(personal(&format!("19{:02}-01-01", n % 100))),
        gender: personal("other"),
        language: None,
    };
    PatientRow {
        id: PatientId(sample::id(n.into())),
        record_number: n.into(),
        demographics: Sealed::Value(demographics),
        contact: Sealed::<Contact>::Erased,
        ..Rows::of(&history(1, 3)).patients.into_values().next().unwrap()
    }
}

fn appointment(n: u32, pattern: &AppointmentRow) -> AppointmentRow {
    let mut row = pattern.clone();
    row.id = AppointmentId(sample::id(n.into()));
    row.patient_id = PatientId(sample::id(1));
    row.practitioner_id = PractitionerId(sample::id(2));
    row.location_id = LocationId(sample::id(3));
    row.slot.starts = nine() + TimeDelta::seconds(n.into());
    row.slot.local_start = row.slot.starts.naive_utc();
    row
}

fn thread(n: u32, pattern: &ThreadRow) -> ThreadRow {
    let unread = Vec::new();
    ThreadRow {
        id: ThreadId(sample::id(n.into())),
        patient_id: PatientId(sample::id(1)),
        last_activity_at: nine() + TimeDelta::seconds(n.into()),
        participants: vec![ThreadParticipant {
            participant: doctor(),
            unread,
        }],
        ..pattern.clone()
    }
}

fn message(n: u32, pattern: &MessageRow) -> MessageRow {
    MessageRow {
        id: MessageId(sample::id(n.into())),
        thread_id: ThreadId(sample::id(1)),
        sequence: n.into(),
        ..pattern.clone()
    }
}

fn doctor() -> Participant {
    Participant::Practitioner(PractitionerId(sample::id(2)))
}

fn parked(n: u32) -> ParkedEvent {
    ParkedEvent {
        stream_type: "patient".to_owned(),
        stream_id: sample::id((n / 2).into()),
        partition: 0,
        position: n.into(),
        stream_version: 1,
        event_type: "patient.registered".to_owned(),
        code: "shape".to_owned(),
    }
}

/// A generation filled at once: the server has not counted its rows yet.
async fn filled() -> Filled {
    let database = ReadDatabase::named().await.unwrap();
    let url = database.registry().url();
    migrate(&url).await.unwrap();
    let registry = MySqlRegistry::open(&url).await.unwrap();
    let number = registry.register(PARTITIONS, 1).await.unwrap().number;
    let options = generation_options(&views_options(&url).unwrap(), number);
    let pattern = Rows::of(&history(1, 200));
    let pattern_appointment = pattern.appointments.into_values().next().unwrap();
    let pattern_thread = pattern.threads.into_values().next().unwrap();
    let pattern_message = pattern.messages.into_values().next().unwrap();
    let all = 1..=ROWS;
    let views = MySqlViews::new(options.clone());
    let mut tx = views.begin().await.unwrap();
    tx.save_patients(&all.clone().map(patient).collect::<Vec<_>>())
        .await
        .unwrap();
    let appointments: Vec<_> = all
        .clone()
        .map(|n| appointment(n, &pattern_appointment))
        .collect();
    tx.save_appointments(&appointments).await.unwrap();
    let threads: Vec<_> = all.clone().map(|n| thread(n, &pattern_thread)).collect();
    tx.save_threads(&threads).await.unwrap();
    let messages: Vec<_> = all.clone().map(|n| message(n, &pattern_message)).collect();
    tx.save_messages(&messages).await.unwrap();
    tx.park(&all.map(parked).collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();
    Filled {
        reads: MySqlReads::new(options.clone()),
        writers: Sessions::new("views-write", Purpose::Write, options),
        database,
    }
}

impl Filled {
    /// Lets the server count its rows, which changes how it plans.
    async fn counted(&self) {
        let name = self.database.name_of(1);
        let tables = "patients, patient_keys, appointments, threads, thread_participants, messages, parked";
        let tables = tables.replace(", ", &format!(", `{name}`."));
        let registry = self.database.registry();
        registry
            .run(format!("ANALYZE TABLE `{name}`.{tables}"))
            .await
            .unwrap();
    }
}

async fn rows_read(session: &mut Session) -> i64 {
    let rows = session.rows(sqlx::query(ROWS_READ)).await.unwrap();
    rows[0].try_get(0).unwrap()
}

/// How many rows a session has read, without those read for counting them.
async fn count(session: &mut Session) -> (i64, i64) {
    let before = rows_read(session).await;
    let now = rows_read(session).await;
    (now, now - before)
}

/// What a read answers, and how many rows were read for it. The one idle session is used for both.
macro_rules! cost {
    ($filled:ident.$read:ident($($argument:expr),*)) => {{
        let (before, counting) = count(&mut $filled.reads.sessions.take().await.unwrap()).await;
        let answer = $filled.reads.$read($($argument),*).await.unwrap();
        let after = rows_read(&mut $filled.reads.sessions.take().await.unwrap()).await;
        (answer, after - before - counting)
    }};
}

/// The same for work with a writer's session.
macro_rules! work_cost {
    ($filled:ident, $session:ident => $work:expr) => {{
        let mut $session = $filled.writers.take().await.unwrap();
        let (before, counting) = count(&mut $session).await;
        let answer = $work.await.unwrap();
        (answer, rows_read(&mut $session).await - before - counting)
    }};
}

async fn lists_are_cheap(filled: &Filled) {
    let page = usize::try_from(PAGE).unwrap();
    let middle = u128::from(ROWS / 2);
    let middle_at = nine() + TimeDelta::seconds((ROWS / 2).into());
    let by_start = AppointmentCursor {
        starts: middle_at,
        id: AppointmentId(sample::id(middle)),
    };
    let by_activity = ThreadCursor {
        last_activity_at: middle_at,
        id: ThreadId(sample::id(middle)),
    };
    let (person, practitioner) = (PatientId(sample::id(1)), PractitionerId(sample::id(2)));
    for after in [None, Some(by_start)] {
        let (day, read) = cost!(filled.appointments_of_day(practitioner, nine().date_naive(), after, PAGE));
        assert_eq!(day.len(), page);
        assert!(read <= 5 * i64::from(PAGE), "a day: {read} rows read");
        let (bookings, read) = cost!(filled.appointments_of_patient(person, after, PAGE));
        assert_eq!(bookings.len(), page);
        assert!(
            read <= 5 * i64::from(PAGE),
            "a patient's bookings: {read} rows read"
        );
    }
    for after in [None, Some(by_activity)] {
        let (threads, read) = cost!(filled.threads_of(doctor(), after, PAGE));
        assert_eq!(threads.len(), page);
        assert!(read <= 4 * i64::from(PAGE), "threads: {read} rows read");
    }
    for after in [None, Some(u64::from(ROWS / 2))] {
        let (messages, read) = cost!(filled.messages_of(ThreadId(sample::id(1)), after, PAGE));
        assert_eq!(messages.len(), page);
        assert!(read <= 3 * i64::from(PAGE), "messages: {read} rows read");
    }
    for after in [None, Some(PatientId(sample::id(middle)))] {
        let (patients, read) = cost!(filled.patients_page(after, PAGE));
        assert_eq!(patients.len(), page);
        assert!(read <= 2 * i64::from(PAGE), "patients: {read} rows read");
    }
    let (since, read) = cost!(filled.parked_since(sample::id(middle / 2)));
    assert_eq!(since, Some(u64::from(ROWS / 4 * 2)));
    assert!(read <= 2, "parked: {read} rows read");
}

#[tokio::test]
async fn a_page_of_a_long_list_costs_a_page() {
    let filled = filled().await;
    lists_are_cheap(&filled).await;
    filled.counted().await;
    lists_are_cheap(&filled).await;
}

fn criteria(name: Option<&str>, birth_date: Option<&str>, record_number: Option<u64>) -> PatientCriteria {
    let query = PatientQuery {
        name: name.map(personal),
        birth_date: birth_date.map(personal),
        record_number,
        identifier: None,
    };
    query.criteria().unwrap()
}

async fn searches_are_cheap(filled: &Filled) {
    let (found, read) = cost!(filled.search_patients(&criteria(None, None, Some(77)), None, PAGE));
    assert_eq!(found.len(), 1);
    assert!(read <= 10, "by record number: {read} rows read");
    let (found, read) = cost!(filled.search_patients(&criteria(Some("ander299"), None, None), None, 50));
    assert_eq!(found.len(), 11);
    assert!(read <= 8 * 11, "by a rare name: {read} rows read");
    let both = criteria(Some("an"), Some("1950-01-01"), None);
    let (found, read) = cost!(filled.search_patients(&both, None, 50));
    assert_eq!(found.len(), 30);
    assert!(
        read <= 30 * 20,
        "by a common name and a birth date: {read} rows read"
    );
}

#[tokio::test]
async fn a_search_costs_what_its_rarest_criterion_finds() {
    let filled = filled().await;
    searches_are_cheap(&filled).await;
    filled.counted().await;
    searches_are_cheap(&filled).await;
}

/// The documents are read for the page only, not for everyone who is found.
#[tokio::test]
async fn a_search_for_everyone_reads_the_index_once() {
    let filled = filled().await;
    let (found, read) = cost!(filled.search_patients(&criteria(Some("an"), None, None), None, PAGE));
    assert_eq!(found.len(), usize::try_from(PAGE).unwrap());
    assert!(
        read <= 2 * i64::from(ROWS) + 10 * i64::from(PAGE),
        "{read} rows read"
    );
}

/// One letter begins a word of everyone's name, and still a page is read, whatever else is asked for.
#[tokio::test]
async fn a_search_by_a_letter_reads_a_page() {
    let filled = filled().await;
    for round in 0..2 {
        if round == 1 {
            filled.counted().await;
        }
        let (found, read) = cost!(filled.search_patients(&criteria(Some("a"), None, None), None, PAGE));
        assert_eq!(found.len(), usize::try_from(PAGE).unwrap());
        assert!(read <= 6 * i64::from(PAGE), "by one letter: {read} rows read");
        let both = criteria(Some("a c"), None, None);
        let (found, read) = cost!(filled.search_patients(&both, None, PAGE));
        assert_eq!(found.len(), usize::try_from(PAGE).unwrap());
        assert!(read <= 20 * i64::from(PAGE), "by two letters: {read} rows read");
    }
}

async fn bulk_is_cheap(filled: &Filled) {
    const BULK: u32 = 100;
    // The list of ids itself is read row by row, too.
    let limit = 4 * i64::from(BULK) + 20;
    let ids = (1..=BULK).map(|n| sample::id((n * 7).into()));
    let (found, read) =
        work_cost!(filled, session => rows::load::<AppointmentRow>(&mut session, rows::APPOINTMENTS, ids));
    assert_eq!(found.len(), 100);
    assert!(read <= limit, "a load: {read} rows read");
    let pattern = found[0].clone();
    let again: Vec<_> = (1..=BULK).map(|n| appointment(n * 11, &pattern)).collect();
    let ((), read) = work_cost!(filled, session => save::appointments(&mut session, &again));
    assert!(read <= limit, "a save: {read} rows read");
    let ids = (1..=BULK).map(|n| sample::id((n * 7).into()));
    let (threads, read) =
        work_cost!(filled, session => rows::load::<ThreadRow>(&mut session, rows::THREADS, ids));
    assert_eq!(threads.len(), 100);
    assert!(read <= limit, "a load of threads: {read} rows read");
    let ((), read) = work_cost!(filled, session => save::threads(&mut session, &threads));
    assert!(read <= 3 * limit, "a save of threads: {read} rows read");
    let patients: Vec<_> = (1..=BULK).map(patient).collect();
    let ((), read) = work_cost!(filled, session => save::patients(&mut session, &patients));
    assert!(
        read <= 12 * limit,
        "a save of patients, each with four keys: {read} rows read"
    );
}

#[tokio::test]
async fn a_batch_costs_its_rows() {
    let filled = filled().await;
    bulk_is_cheap(&filled).await;
    filled.counted().await;
    bulk_is_cheap(&filled).await;
}
