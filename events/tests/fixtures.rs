//! The museum: every event type in every schema version it was ever written in, and that each is still read.
//!
//! A fixture is never edited. For a new event type or version this test writes the file and fails once; look at it, and
//! check it in. Sealed groups stand in their readable form; boxes are proved in `praxis-event-store`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "test helpers; one sample of every type in one list"
)]

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use praxis_events::appointment::{
    AppointmentArrived, AppointmentBooked, AppointmentCancelled, AppointmentCheckedIn, AppointmentFulfilled,
    AppointmentMarkedInError, AppointmentNoShow, AppointmentRescheduled, AppointmentStatus,
    AppointmentUndone, CancelledBy, Occupancy, Slot,
};
use praxis_events::event::{DocumentError, Event};
use praxis_events::ids::{LocationId, MessageId, PatientId, PractitionerId, RoomId, StreamType};
use praxis_events::location::{LocationRegistered, Source};
use praxis_events::patient::{
    Address, Contact, Death, Demographics, Identifier, PatientContactChanged, PatientDeactivated,
    PatientDeathRecorded, PatientDetailsCorrected, PatientRegistered,
};
use praxis_events::personal::Personal;
use praxis_events::practitioner::{PractitionerRegistered, Profile};
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageRead, MessageRetracted, MessageSent, Participant, ThreadOpened};
use serde_json::{Value, json};
use uuid::Uuid;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn text(text: &str) -> Personal<String> {
    Personal::new(text.to_owned())
}

fn identifier(value: &str) -> Identifier {
    Identifier {
        system: text("urn:example:insurer"),
        value: text(value),
    }
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn slot() -> Slot {
    Slot {
        starts: instant("2027-03-08T14:00:00Z"),
        ends: instant("2027-03-08T14:20:00Z"),
        zone: "America/New_York".to_owned(),
        local_start: "2027-03-08T09:00:00".parse().unwrap(),
    }
}

fn demographics() -> Demographics {
    Demographics {
        family_name: text("Ødegård"),
        given_names: vec![text("Ines"), text("Marie")],
        birth_date: Some(text("1984-02")),
        gender: text("female"),
        language: Some(text("nb")),
    }
}

fn contact() -> Contact {
    Contact {
        phones: vec![text("+4721000000")],
        emails: vec![text("ines@example.org")],
        address: Some(Address {
            lines: vec![text("Storgata 1")],
            city: Some(text("Oslo")),
            postcode: Some(text("0155")),
            country: Some(text("NO")),
        }),
    }
}

/// One event of every type, with every optional part.
fn samples() -> Vec<Event> {
    let (patient_id, practitioner_id) = (PatientId(Uuid::from_u128(1)), PractitionerId(Uuid::from_u128(2)));
    let (location_id, room_id) = (LocationId(Uuid::from_u128(3)), Some(RoomId(Uuid::from_u128(4))));
    let message_id = MessageId(Uuid::from_u128(5));
    let words = |words: &str| Some(Sealed::Value(text(words)));
    vec![
        PatientRegistered {
            record_number: 572,
            demographics: demographics().into(),
            contact: contact().into(),
            identifiers: vec![identifier("A-1")].into(),
            source: Some(identifier("Patient/1").into()),
        }
        .into(),
        PatientDetailsCorrected {
            demographics: demographics().into(),
            reason: words("misspelt"),
        }
        .into(),
        PatientContactChanged {
            contact: contact().into(),
        }
        .into(),
        PatientDeathRecorded {
            death: Death {
                at: Personal::new(instant("2027-01-02T03:04:05Z")),
            }
            .into(),
        }
        .into(),
        PatientDeactivated {}.into(),
        PractitionerRegistered {
            specialities: vec!["394802001".to_owned(), "394814009".to_owned()],
            profile: Profile {
                family_name: text("Sato"),
                given_names: vec![text("Ren")],
                identifiers: vec![identifier("N-9")],
            }
            .into(),
            source: Some(identifier("Practitioner/9").into()),
        }
        .into(),
        LocationRegistered {
            name: "Main Street".to_owned(),
            zone: "America/New_York".to_owned(),
            source: Some(Source {
                system: "urn:example:ehr".to_owned(),
                value: "Location/3".to_owned(),
            }),
        }
        .into(),
        AppointmentBooked {
            patient_id,
            practitioner_id,
            location_id,
            room_id,
            slot: slot(),
            occupancy: Occupancy::Exclusive,
            reason: words("cough"),
            source: Some(identifier("Encounter/1").into()),
        }
        .into(),
        AppointmentRescheduled {
            practitioner_id,
            location_id,
            room_id,
            slot: slot(),
            occupancy: Occupancy::Overbooked,
            comment: words("asked for a later time"),
        }
        .into(),
        AppointmentCancelled {
            reason_code: "pat".to_owned(),
            by: CancelledBy::Patient,
            comment: words("travelling"),
        }
        .into(),
        AppointmentArrived {}.into(),
        AppointmentCheckedIn {}.into(),
        AppointmentFulfilled {}.into(),
        AppointmentNoShow {}.into(),
        AppointmentUndone {
            back_to: AppointmentStatus::Booked,
            comment: words("wrong line"),
        }
        .into(),
        AppointmentMarkedInError {
            comment: words("wrong patient"),
        }
        .into(),
        ThreadOpened {
            patient_id,
            participants: vec![
                Participant::Patient(patient_id),
                Participant::Practitioner(practitioner_id),
            ],
            topic: text("Results").into(),
        }
        .into(),
        MessageSent {
            message_id,
            author: Participant::Practitioner(practitioner_id),
            body: text("All is well.").into(),
        }
        .into(),
        MessageRead {
            message_id,
            reader: Participant::Patient(patient_id),
        }
        .into(),
        MessageRetracted { message_id }.into(),
    ]
}

fn path(name: &str, version: u32) -> PathBuf {
    folder().join(format!("{name}.v{version}.json"))
}

fn load(name: &str, version: u32) -> Option<Value> {
    std::fs::read_to_string(path(name, version))
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn every_type_is_written_as_its_newest_fixture_says() {
    let samples = samples();
    for kind in StreamType::ALL {
        for event_type in Event::types(kind) {
            let sample = samples
                .iter()
                .find(|event| event.event_type().name == event_type.name);
            let sample = sample.unwrap_or_else(|| panic!("no sample of {}", event_type.name));
            let document = sample.to_document().unwrap();
            let Some(fixture) = load(event_type.name, event_type.schema_version) else {
                let pretty = serde_json::to_string_pretty(&document).unwrap() + "\n";
                std::fs::write(path(event_type.name, event_type.schema_version), pretty).unwrap();
                panic!(
                    "wrote the fixture of {}: look at it and check it in",
                    event_type.name
                );
            };
            assert_eq!(
                document, fixture,
                "{} is no longer written as its version promises",
                event_type.name
            );
            let read =
                Event::from_document(kind, event_type.name, event_type.schema_version, fixture).unwrap();
            assert_eq!(&read, sample, "{}", event_type.name);
        }
    }
}

#[test]
fn every_version_ever_written_has_a_fixture_and_is_read() {
    for kind in StreamType::ALL {
        for event_type in Event::types(kind) {
            for version in 1..=event_type.schema_version {
                let fixture = load(event_type.name, version);
                let fixture =
                    fixture.unwrap_or_else(|| panic!("no fixture of {} v{version}", event_type.name));
                let read = Event::from_document(kind, event_type.name, version, fixture);
                assert!(read.is_ok(), "{} v{version}: {read:?}", event_type.name);
            }
        }
    }
}

#[test]
fn every_fixture_belongs_to_a_known_type_and_version() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = StreamType::ALL
            .into_iter()
            .flat_map(Event::types)
            .any(|event_type| {
                (1..=event_type.schema_version)
                    .any(|version| name == format!("{}.v{version}.json", event_type.name))
            });
        assert!(known, "{name} belongs to no event type and version");
    }
}

#[test]
fn every_sealed_group_can_be_erased() {
    for event in samples() {
        let event_type = event.event_type();
        let mut document = event.to_document().unwrap();
        for field in event_type.sealed {
            assert!(
                document
                    .get(field)
                    .is_some_and(|value| value.get("value").is_some()),
                "{} {field}",
                event_type.name
            );
            document[*field] = json!("erased");
        }
        let read = Event::from_document(
            event.stream_type(),
            event_type.name,
            event_type.schema_version,
            document.clone(),
        );
        assert_eq!(
            read.unwrap().to_document().unwrap(),
            document,
            "{}",
            event_type.name
        );
    }
}

#[test]
fn a_single_speciality_became_a_list() {
    let v1 = load("practitioner.registered", 1).unwrap();
    let read =
        Event::from_document(StreamType::Practitioner, "practitioner.registered", 1, v1.clone()).unwrap();
    assert_eq!(
        read.to_document().unwrap()["specialities"],
        json!([v1["speciality"]])
    );
    let mut none = v1;
    none["speciality"] = Value::Null;
    let read = Event::from_document(StreamType::Practitioner, "practitioner.registered", 1, none).unwrap();
    assert_eq!(read.to_document().unwrap()["specialities"], json!([]));
}

#[test]
fn what_a_newer_version_wrote_is_said_to_be_newer() {
    let newer = Event::from_document(StreamType::Patient, "patient.deactivated", 2, json!({}));
    assert!(matches!(
        newer,
        Err(DocumentError::NewerSchema {
            found: 2,
            known: 1,
            ..
        })
    ));
    let unknown = Event::from_document(StreamType::Patient, "patient.cloned", 1, json!({}));
    assert!(matches!(unknown, Err(DocumentError::UnknownType)));
    let elsewhere = Event::from_document(StreamType::Thread, "patient.deactivated", 1, json!({}));
    assert!(matches!(elsewhere, Err(DocumentError::UnknownType)));
}

#[test]
fn a_wrong_shape_is_an_error_without_values() {
    let wrong = json!({ "record_number": "marker", "demographics": 7 });
    let error = Event::from_document(StreamType::Patient, "patient.registered", 1, wrong).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("marker"), "{shown}");
}

#[test]
fn debug_of_an_event_shows_nothing_personal() {
    for event in samples() {
        let shown = format!("{event:?}");
        for marker in [
            "Ødegård",
            "Ines",
            "1984",
            "+4721",
            "Storgata",
            "A-1",
            "Sato",
            "N-9",
            "cough",
            "All is well",
            "Results",
        ] {
            assert!(!shown.contains(marker), "{marker} in {shown}");
        }
    }
}
