//! What might have happened in a practice: valid histories made from a seed, for tests of what is made of events.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use praxis_events::appointment::{
    AppointmentArrived, AppointmentBooked, AppointmentCancelled, AppointmentCheckedIn, AppointmentFulfilled,
    AppointmentMarkedInError, AppointmentNoShow, AppointmentRescheduled, AppointmentStatus,
    AppointmentUndone, CancelledBy, Occupancy, Slot,
};
use praxis_events::event::Event;
use praxis_events::ids::{
    AccountId, AppointmentId, EventId, LocationId, MessageId, PatientId, PractitionerId, StreamId, ThreadId,
};
use praxis_events::location::LocationRegistered;
use praxis_events::metadata::{Actor, ActorRole, Metadata, Purpose};
use praxis_events::patient::{
    Contact, Death, Demographics, Identifier, PatientContactChanged, PatientDeactivated,
    PatientDeathRecorded, PatientDetailsCorrected, PatientRegistered,
};
use praxis_events::personal::Personal;
use praxis_events::practitioner::{PractitionerRegistered, Profile};
use praxis_events::recorded::RecordedEvent;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageRead, MessageRetracted, MessageSent, Participant, ThreadOpened};
use uuid::Uuid;

const FAMILY_NAMES: [&str; 6] = ["Ödegård", "Álvarez", "O'Hara", "Nguyễn", "Straußberg", "Lee"];
const GIVEN_NAMES: [&str; 6] = ["Zoë", "Mira", "Tomás", "Ilse", "Bao", "Nia"];
const ZONES: [&str; 2] = ["Europe/London", "America/New_York"];
const REASON_CODES: [&str; 3] = ["pat", "prov", "other"];

/// When a history begins: 2026-01-05T08:00:00Z, a Monday.
const BEGINS_AT_S: i64 = 1_767_600_000;

/// A history of that many events, at least 3, dense from position 1. The same seed and length give the same events, and a
/// shorter history is the beginning of a longer one.
pub fn history(seed: u64, len: usize) -> Vec<RecordedEvent> {
    let mut practice = Practice {
        seed,
        ..Practice::default()
    };
    practice.register_location();
    practice.register_practitioner();
    practice.register_patient();
    while practice.events.len() < len {
        practice.step();
    }
    practice.events
}

/// The event as it reads once its person is erased: every sealed field is [`Sealed::Erased`].
pub fn redact(event: &RecordedEvent) -> RecordedEvent {
    let event_type = event.event.event_type();
    let mut document = event.event.to_document().expect("an event is JSON");
    for label in event_type.sealed {
        if let Some(field) = document.get_mut(label).filter(|field| !field.is_null()) {
            *field = "erased".into();
        }
    }
    let redacted = Event::from_document(
        event.event.stream_type(),
        event_type.name,
        event_type.schema_version,
        document,
    )
    .expect("a redacted event is an event");
    RecordedEvent {
        event: redacted,
        ..event.clone()
    }
}

#[derive(Default)]
struct Practice {
    seed: u64,
    events: Vec<RecordedEvent>,
    ids_made: u128,
    patients: Vec<(PatientId, u64)>,
    practitioners: Vec<PractitionerId>,
    locations: Vec<LocationId>,
    appointments: Vec<Booking>,
    threads: Vec<Conversation>,
}

struct Booking {
    id: AppointmentId,
    patient: PatientId,
    status: AppointmentStatus,
    version: u64,
}

struct Conversation {
    id: ThreadId,
    patient: PatientId,
    participants: Vec<Participant>,
    messages: Vec<(MessageId, Participant)>,
    read: BTreeSet<(MessageId, Participant)>,
    retracted: BTreeSet<MessageId>,
    version: u64,
}

impl Practice {
    fn step(&mut self) {
        match self.below(100) {
            0..=1 => self.register_location(),
            2..=4 => self.register_practitioner(),
            5..=14 => self.register_patient(),
            15..=24 => self.change_patient(),
            25..=44 => self.book(),
            45..=69 => self.change_booking(),
            70..=74 => self.open_thread(),
            _ => self.converse(),
        }
    }

    fn register_location(&mut self) {
        let id = LocationId(self.new_id());
        let name = format!("Site {}", self.locations.len() + 1);
        let zone = self.one_of(&ZONES).to_owned();
        self.locations.push(id);
        self.record(
            id,
            1,
            None,
            LocationRegistered {
                name,
                zone,
                source: None,
            },
        );
    }

    fn register_practitioner(&mut self) {
        let id = PractitionerId(self.new_id());
        let specialities = (0..self.below(3)).map(|n| format!("S{n}")).collect();
        let profile = Profile {
            family_name: self.personal_of(&FAMILY_NAMES),
            given_names: vec![self.personal_of(&GIVEN_NAMES)],
            identifiers: vec![self.identifier("urn:example:npi")],
        };
        self.practitioners.push(id);
        let event = PractitionerRegistered {
            specialities,
            profile: Sealed::Value(profile),
            source: None,
        };
        self.record(id, 1, Some(id.0), event);
    }

    fn register_patient(&mut self) {
        let id = PatientId(self.new_id());
        self.patients.push((id, 1));
        let identifiers = (0..self.below(3))
            .map(|_| self.identifier("urn:example:insurance"))
            .collect();
        let event = PatientRegistered {
            record_number: u64::try_from(self.patients.len()).expect("few patients"),
            demographics: Sealed::Value(self.demographics()),
            contact: Sealed::Value(self.contact()),
            identifiers: Sealed::Value(identifiers),
            source: None,
        };
        self.record(id, 1, Some(id.0), event);
    }

    fn change_patient(&mut self) {
        let which = self.index(self.patients.len());
        self.patients[which].1 += 1;
        let (id, version) = self.patients[which];
        let event: Event = match self.below(10) {
            0..=4 => PatientDetailsCorrected {
                demographics: Sealed::Value(self.demographics()),
                reason: Some(Sealed::Value(Personal::new("misheard".to_owned()))),
            }
            .into(),
            5..=7 => PatientContactChanged {
                contact: Sealed::Value(self.contact()),
            }
            .into(),
            8 => PatientDeathRecorded {
                death: Sealed::Value(Death {
                    at: Personal::new(self.now()),
                }),
            }
            .into(),
            _ => PatientDeactivated {}.into(),
        };
        self.record(id, version, Some(id.0), event);
    }

    fn book(&mut self) {
        let (id, patient_id) = (AppointmentId(self.new_id()), self.any_patient());
        let event = AppointmentBooked {
            patient_id,
            practitioner_id: self.any_practitioner(),
            location_id: self.any_location(),
            room_id: None,
            slot: self.slot(),
            occupancy: if self.below(5) == 0 {
                Occupancy::Overbooked
            } else {
                Occupancy::Exclusive
            },
            reason: (self.below(2) == 0).then(|| Sealed::Value(Personal::new("a cough".to_owned()))),
            source: None,
        };
        self.appointments.push(Booking {
            id,
            patient: patient_id,
            status: AppointmentStatus::Booked,
            version: 1,
        });
        self.record(id, 1, Some(patient_id.0), event);
    }

    fn change_booking(&mut self) {
        if self.appointments.is_empty() {
            return self.book();
        }
        let which = self.index(self.appointments.len());
        let comment = Some(Sealed::Value(Personal::new("as asked".to_owned())));
        let choice = self.below(10);
        let (event, status): (Event, _) = match (self.appointments[which].status, choice) {
            (AppointmentStatus::Booked, 0..=3) => {
                let moved = AppointmentRescheduled {
                    practitioner_id: self.any_practitioner(),
                    location_id: self.any_location(),
                    room_id: None,
                    slot: self.slot(),
                    occupancy: Occupancy::Exclusive,
                    comment,
                };
                (moved.into(), AppointmentStatus::Booked)
            }
            (AppointmentStatus::Booked, 4..=5) => {
                let reason_code = self.one_of(&REASON_CODES).to_owned();
                let cancelled = AppointmentCancelled {
                    reason_code,
                    by: CancelledBy::Patient,
                    comment,
                };
                (cancelled.into(), AppointmentStatus::Cancelled)
            }
            (AppointmentStatus::Booked, 6) => (AppointmentNoShow {}.into(), AppointmentStatus::NoShow),
            (AppointmentStatus::Booked, _) => (AppointmentArrived {}.into(), AppointmentStatus::Arrived),
            (AppointmentStatus::Arrived, _) => (AppointmentCheckedIn {}.into(), AppointmentStatus::CheckedIn),
            (AppointmentStatus::CheckedIn, _) => {
                (AppointmentFulfilled {}.into(), AppointmentStatus::Fulfilled)
            }
            (
                AppointmentStatus::NoShow | AppointmentStatus::Cancelled | AppointmentStatus::Fulfilled,
                0..=4,
            ) => {
                let back_to = AppointmentStatus::Booked;
                (AppointmentUndone { back_to, comment }.into(), back_to)
            }
            (AppointmentStatus::EnteredInError | AppointmentStatus::Pending, _) => return self.book(),
            (AppointmentStatus::NoShow | AppointmentStatus::Cancelled | AppointmentStatus::Fulfilled, _) => (
                AppointmentMarkedInError { comment }.into(),
                AppointmentStatus::EnteredInError,
            ),
        };
        let booking = &mut self.appointments[which];
        booking.status = status;
        booking.version += 1;
        let (id, version, patient) = (booking.id, booking.version, booking.patient);
        self.record(id, version, Some(patient.0), event);
    }

    fn open_thread(&mut self) {
        let (id, patient_id) = (ThreadId(self.new_id()), self.any_patient());
        let participants = vec![
            Participant::Patient(patient_id),
            Participant::Practitioner(self.any_practitioner()),
        ];
        let topic = Sealed::Value(Personal::new("about a result".to_owned()));
        self.threads.push(Conversation {
            id,
            patient: patient_id,
            participants: participants.clone(),
            messages: Vec::new(),
            read: BTreeSet::new(),
            retracted: BTreeSet::new(),
            version: 1,
        });
        self.record(
            id,
            1,
            Some(patient_id.0),
            ThreadOpened {
                patient_id,
                participants,
                topic,
            },
        );
    }

    fn converse(&mut self) {
        if self.threads.is_empty() {
            return self.open_thread();
        }
        let which = self.index(self.threads.len());
        let (choice, pick) = (self.below(10), self.below(1_000));
        let message_id = MessageId(self.new_id());
        let thread = &mut self.threads[which];
        let author = thread.participants[pick % thread.participants.len()];
        let old = thread.messages.get(pick % thread.messages.len().max(1)).copied();
        let event: Event = match (choice, old) {
            (0..=3, Some((message_id, written_by)))
                if written_by != author && thread.read.insert((message_id, author)) =>
            {
                MessageRead {
                    message_id,
                    reader: author,
                }
                .into()
            }
            (4, Some((message_id, _))) if thread.retracted.insert(message_id) => {
                MessageRetracted { message_id }.into()
            }
            (_, _) => {
                thread.messages.push((message_id, author));
                let body = Sealed::Value(Personal::new(format!("word {pick}")));
                MessageSent {
                    message_id,
                    author,
                    body,
                }
                .into()
            }
        };
        thread.version += 1;
        let (id, version, patient) = (thread.id, thread.version, thread.patient);
        self.record(id, version, Some(patient.0), event);
    }

    fn record(
        &mut self,
        stream: impl Into<StreamId>,
        version: u64,
        subject: Option<Uuid>,
        event: impl Into<Event>,
    ) {
        let event_id = EventId(self.new_id());
        let recorded_at = self.now();
        self.events.push(RecordedEvent {
            position: u64::try_from(self.events.len()).expect("few events") + 1,
            event_id,
            stream: stream.into(),
            stream_version: version,
            recorded_at,
            subject_id: subject.map(praxis_events::ids::SubjectId),
            metadata: Metadata {
                event_id,
                actor: Actor {
                    account_id: AccountId(Uuid::nil()),
                    role: ActorRole::Staff,
                    on_behalf_of: None,
                },
                purpose: Purpose::Hoperat,
                correlation_id: event_id.0,
                causation_id: None,
                trace_id: None,
                span_id: None,
                reason_code: None,
                occurred_at: None,
            },
            event: event.into(),
        });
    }

    fn demographics(&mut self) -> Demographics {
        let year = 1930 + self.below(90);
        let month = 1 + self.below(12);
        let birth_date = match self.below(4) {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}"),
            _ => format!("{year}-{month:02}-{:02}", 1 + self.below(28)),
        };
        Demographics {
            family_name: self.personal_of(&FAMILY_NAMES),
            given_names: (0..self.below(3))
                .map(|_| self.personal_of(&GIVEN_NAMES))
                .collect(),
            birth_date: (self.below(5) != 0).then(|| Personal::new(birth_date)),
            gender: Personal::new("unknown".to_owned()),
            language: None,
        }
    }

    fn contact(&mut self) -> Contact {
        Contact {
            phones: vec![Personal::new(format!("+1555{:07}", self.below(10_000_000)))],
            emails: Vec::new(),
            address: None,
        }
    }

    fn identifier(&mut self, system: &str) -> Identifier {
        Identifier {
            system: Personal::new(system.to_owned()),
            value: Personal::new(format!("AB {:05}", self.below(100_000))),
        }
    }

    /// Some quarter of an hour of the fortnight; near midnight UTC and local dates differ.
    fn slot(&mut self) -> Slot {
        let minutes = 15 * i64::try_from(self.below(14 * 24 * 4)).expect("a fortnight");
        let starts =
            DateTime::from_timestamp(BEGINS_AT_S, 0).expect("an instant") + TimeDelta::minutes(minutes);
        let zone = self.one_of(&ZONES);
        let offset_hours = if zone == "Europe/London" { 0 } else { -5 };
        let local_start: NaiveDateTime = starts.naive_utc() + TimeDelta::hours(offset_hours);
        Slot {
            starts,
            ends: starts + TimeDelta::minutes(30),
            zone: zone.to_owned(),
            local_start,
        }
    }

    /// A clock that stands still now and then, as the log's does within a batch.
    fn now(&self) -> DateTime<Utc> {
        let steps = i64::try_from(self.events.len() / 3).expect("few events");
        DateTime::from_timestamp(BEGINS_AT_S, 0).expect("an instant") + TimeDelta::milliseconds(1_701 * steps)
    }

    fn any_patient(&mut self) -> PatientId {
        let which = self.index(self.patients.len());
        self.patients[which].0
    }

    fn any_practitioner(&mut self) -> PractitionerId {
        let which = self.index(self.practitioners.len());
        self.practitioners[which]
    }

    fn any_location(&mut self) -> LocationId {
        let which = self.index(self.locations.len());
        self.locations[which]
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.index(choices.len())]
    }

    fn personal_of(&mut self, choices: &[&str]) -> Personal<String> {
        Personal::new(self.one_of(choices).to_owned())
    }

    /// Ids in the order they were made, as UUIDv7 are, with different ends for different seeds.
    fn new_id(&mut self) -> Uuid {
        self.ids_made += 1;
        Uuid::from_u128(
            (0x0190_0000_0000_7000_8000_u128 << 48) | (self.ids_made << 16) | u128::from(self.seed & 0xffff),
        )
    }

    fn index(&mut self, len: usize) -> usize {
        self.below(len)
    }

    fn below(&mut self, bound: usize) -> usize {
        below(&mut self.seed, bound)
    }
}

/// A number below `bound`, by `SplitMix64` over a seed and how often it was asked.
pub fn below(seed: &mut u64, bound: usize) -> usize {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bound = u64::try_from(bound).expect("a small bound");
    usize::try_from((mixed ^ (mixed >> 31)) % bound).expect("below a small bound")
}

/// The date on which the history of [`history`] begins.
pub fn first_day() -> NaiveDate {
    DateTime::from_timestamp(BEGINS_AT_S, 0)
        .expect("an instant")
        .date_naive()
}
