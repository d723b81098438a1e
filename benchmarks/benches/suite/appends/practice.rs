//! A practice with as many threads, patients and practitioners as there are writers, behind one sequencer.

use std::collections::HashMap;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use praxis_calendar::interval::Interval;
use praxis_calendar::zone::Zone;
use praxis_command_api::call::{Call, CallKey, KeyOrigin};
use praxis_command_api::execute::{Executor, ExecutorParts};
use praxis_domain::appointment::book::BookAppointment;
use praxis_domain::appointment::placement::Placement;
use praxis_domain::command::Command;
use praxis_domain::location::name::LocationName;
use praxis_domain::location::register::RegisterLocation;
use praxis_domain::patient::details::{ContactDetails, PatientDetails};
use praxis_domain::patient::register::RegisterPatient;
use praxis_domain::practitioner::register::RegisterPractitioner;
use praxis_domain::rules::Rules;
use praxis_domain::thread::open::OpenThread;
use praxis_domain::thread::send_message::SendMessage;
use praxis_domain::values::family_name::FamilyName;
use praxis_domain::values::gender::Gender;
use praxis_domain::words::{MessageBody, Topic};
use praxis_event_store::codec::Codec;
use praxis_event_store::port::{LogReader, LogWriter};
use praxis_event_store::record::claims_keys::ClaimsKeys;
use praxis_event_store::record::keys::KekRing;
use praxis_event_store::record::random::OsRandom;
use praxis_event_store::sequencer::{SequencerLimits, sequencer};
use praxis_event_store::vault::Vault;
use praxis_events::ids::{
    AccountId, AppointmentId, LocationId, LogId, MessageId, PatientId, PractitionerId, ThreadId,
};
use praxis_events::metadata::{Actor, ActorRole, Purpose};
use praxis_events::record_number::RecordNumber;
use praxis_events::thread::Participant;
use praxis_runtime::tasks::Tasks;
use praxis_runtime::{clock, ids};
use praxis_store_mysql::log::{MySqlLog, MySqlLogOptions};
use praxis_store_mysql::migrate::migrate;
use praxis_store_sqlite::log as sqlite;
use praxis_testkit::servers::{in_schema, mysql_url};

use crate::Kind;

/// What a message says: about as long as messages are.
const BODY: &str = "The results are in, and nothing in them needs haste. Please come by on your next visit; until then go on as we said.";

/// One writer's people.
#[allow(clippy::struct_field_names, reason = "they are ids, of three kinds")]
#[derive(Clone, Copy)]
struct Pair {
    patient_id: PatientId,
    practitioner_id: PractitionerId,
    thread_id: ThreadId,
}

/// The practice.
pub struct Practice {
    /// Its schema; empty on SQLite.
    pub url: String,
    executor: Executor,
    pairs: Vec<Pair>,
    location_id: LocationId,
    /// When the next booking of each writer starts.
    next: Mutex<HashMap<usize, DateTime<Utc>>>,
}

impl Practice {
    /// Makes the practice in a schema of its own.
    pub async fn on_mysql(writers: usize) -> Result<Self> {
        let url = in_schema(&mysql_url(), &format!("praxis_bench_{}", ids::new_id().simple()));
        migrate(&url, LogId(ids::new_id())).await?;
        let log = MySqlLog::open(&url, MySqlLogOptions::default()).await?;
        Self::open(url, Arc::new(log.clone()), Arc::new(log), writers).await
    }

    /// Makes the practice in a new file.
    pub async fn on_sqlite(file: &Path, writers: usize) -> Result<Self> {
        sqlite::migrate(file, LogId(ids::new_id())).await?;
        let log = sqlite::SqliteLog::open(file, sqlite::OpenOptions::default()).await?;
        Self::open(String::new(), Arc::new(log.clone()), Arc::new(log), writers).await
    }

    async fn open(
        url: String,
        reader: Arc<dyn LogReader>,
        writer: Arc<dyn LogWriter>,
        writers: usize,
    ) -> Result<Self> {
        let head = reader.head().await?;
        let keks = KekRing::of(&[(ids::new_id(), ids::random_bytes()?)])?;
        let vault = Vault::new(
            head.log_id,
            Arc::clone(&reader),
            keks,
            Arc::new(OsRandom),
            ids::new_id,
        );
        let (sequencer, task) = sequencer(writer, SequencerLimits::default());
        Tasks::new().spawn_on_own_thread("sequencer", async move {
            task.run().await;
            Ok(())
        });
        let claims_keys = ClaimsKeys::of(&[(NonZeroU8::MIN, ids::random_bytes()?)])?;
        let executor = Executor::new(ExecutorParts {
            reader,
            sequencer,
            codec: Codec::new(Arc::new(vault)),
            claims_keys: Arc::new(claims_keys),
            cache_entries_max: 100_000,
            now: clock::now,
            new_id: ids::new_id,
            rules: Rules {
                open_bookings_max: u32::MAX,
                horizon_days_max: 3_650,
                ..Rules::default()
            },
        });
        let location_id = LocationId(ids::new_id());
        let mut practice = Self {
            url,
            executor,
            pairs: Vec::new(),
            location_id,
            next: Mutex::default(),
        };
        let name = LocationName::parse("Bench").map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let (zone, source) = (Zone::parse("Europe/Zurich")?, None);
        practice
            .run(
                &RegisterLocation {
                    location_id,
                    name,
                    zone,
                    source,
                },
                ActorRole::Admin,
                None,
            )
            .await?;
        let pairs =
            futures::future::try_join_all((0..writers).map(|number| practice.register(number))).await?;
        practice.pairs = pairs;
        Ok(practice)
    }

    async fn register(&self, number: usize) -> Result<Pair> {
        let (patient_id, practitioner_id) = (PatientId(ids::new_id()), PractitionerId(ids::new_id()));
        let thread_id = ThreadId(ids::new_id());
        let family_name = FamilyName::parse("Bench").map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let patient = RegisterPatient {
            patient_id,
            record_number: RecordNumber::new(number as u64 + 1),
            details: PatientDetails {
                family_name: family_name.clone(),
                given_names: Vec::new(),
                birth_date: None,
                gender: Gender::Unknown,
                language: None,
            },
            contact: ContactDetails::default(),
            identifiers: Vec::new(),
            source: None,
        };
        self.run(&patient, ActorRole::Staff, None).await?;
        let practitioner = RegisterPractitioner {
            practitioner_id,
            family_name,
            given_names: Vec::new(),
            specialities: Vec::new(),
            identifiers: Vec::new(),
            source: None,
        };
        self.run(&practitioner, ActorRole::Admin, None).await?;
        let topic = Topic::parse("Results").map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let participants = vec![
            Participant::Patient(patient_id),
            Participant::Practitioner(practitioner_id),
        ];
        let thread = OpenThread {
            thread_id,
            patient_id,
            participants,
            topic,
        };
        self.run(&thread, ActorRole::Doctor, Some(practitioner_id))
            .await?;
        Ok(Pair {
            patient_id,
            practitioner_id,
            thread_id,
        })
    }

    /// One command of a writer.
    pub async fn command(&self, kind: Kind, writer: usize) -> Result<()> {
        let pair = *self.pairs.get(writer).context("more writers than people")?;
        match kind {
            Kind::SendMessage => {
                let body = MessageBody::parse(BODY).map_err(|fault| anyhow::anyhow!("{fault}"))?;
                let author = Participant::Practitioner(pair.practitioner_id);
                let sent = SendMessage {
                    thread_id: pair.thread_id,
                    message_id: MessageId(ids::new_id()),
                    author,
                    body,
                };
                self.run(&sent, ActorRole::Doctor, Some(pair.practitioner_id))
                    .await
            }
            Kind::BookAppointment => {
                let start = {
                    let mut next = self.next.lock().expect("no writer panicked");
                    let next = next
                        .entry(writer)
                        .or_insert_with(|| clock::now().trunc_subsecs(0) + TimeDelta::days(1));
                    *next += TimeDelta::minutes(15);
                    *next
                };
                let time = Interval::try_new(start, start + TimeDelta::minutes(15))?;
                let (practitioner_id, location_id) = (pair.practitioner_id, self.location_id);
                let booked = BookAppointment {
                    appointment_id: AppointmentId(ids::new_id()),
                    patient_id: pair.patient_id,
                    placement: Placement {
                        practitioner_id,
                        location_id,
                        room_id: None,
                        time,
                    },
                    reason: None,
                    overbooking: None,
                };
                self.run(&booked, ActorRole::Staff, None).await
            }
        }
    }

    async fn run(
        &self,
        command: &dyn Command,
        role: ActorRole,
        practitioner_id: Option<PractitionerId>,
    ) -> Result<()> {
        let call = Call {
            actor: Actor {
                account_id: AccountId(ids::new_id()),
                role,
                on_behalf_of: None,
            },
            patient_id: None,
            practitioner_id,
            purpose: Purpose::Treat,
            correlation_id: ids::new_id(),
            trace: None,
            key: CallKey {
                key: ids::random_bytes()?,
                request: [1; 33],
                other_requests: Vec::new(),
                origin: KeyOrigin::Made,
            },
            if_match: None,
        };
        self.executor
            .execute(command, &call)
            .await
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(())
    }
}
