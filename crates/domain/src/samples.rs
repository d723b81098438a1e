//! The practice the tests play in: one site in London, one patient, two practitioners, one visit the next morning.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_calendar::interval::Interval;
use praxis_calendar::local::local;
use praxis_calendar::zone::Zone;
use praxis_events::appointment::{AppointmentBooked, Occupancy, Slot};
use praxis_events::ids::{
    AccountId, AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId,
};
use praxis_events::location::{LocationEvent, LocationRegistered};
use praxis_events::metadata::{Actor, ActorRole};
use praxis_events::patient::{
    Death, PatientDeactivated, PatientDeathRecorded, PatientEvent, PatientRegistered,
};
use praxis_events::personal::Personal;
use praxis_events::practitioner::{PractitionerEvent, PractitionerRegistered, Profile};
use praxis_events::record_number::RecordNumber;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageSent, Participant, ThreadEvent, ThreadOpened};
use uuid::Uuid;

use crate::appointment::placement::Placement;
use crate::context::Context;
use crate::location::state::Location;
use crate::patient::details::{ContactDetails, PatientDetails};
use crate::patient::register::RegisterPatient;
use crate::patient::state::Patient;
use crate::practitioner::state::Practitioner;
use crate::rules::Rules;
use crate::situation::Situation;
use crate::values::birth_date::BirthDate;
use crate::values::email::EmailAddress;
use crate::values::family_name::FamilyName;
use crate::values::gender::Gender;
use crate::values::given_name::GivenName;
use crate::values::identifier::Identifier;
use crate::values::reason_code::ReasonCode;
use crate::words::Comment;
use crate::world::World;

pub(crate) const SYSTEM: &str = "https://example.org/ids";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Noon in London, 21 hours before the visit.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-06-15T11:00:00Z")
}

/// 09:00 in London.
pub(crate) fn starts() -> DateTime<Utc> {
    at("2026-06-16T08:00:00Z")
}

pub(crate) fn ada() -> PatientId {
    PatientId(Uuid::from_u128(0xA1))
}

pub(crate) fn somebody() -> PatientId {
    PatientId(Uuid::from_u128(0xA2))
}

pub(crate) fn dr_gray() -> PractitionerId {
    PractitionerId(Uuid::from_u128(0xB1))
}

pub(crate) fn dr_who() -> PractitionerId {
    PractitionerId(Uuid::from_u128(0xB2))
}

pub(crate) fn high_street() -> LocationId {
    LocationId(Uuid::from_u128(0xC1))
}

pub(crate) fn visit() -> AppointmentId {
    AppointmentId(Uuid::from_u128(0xD1))
}

pub(crate) fn thread() -> ThreadId {
    ThreadId(Uuid::from_u128(0xE1))
}

pub(crate) fn message(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(0xF00 + number))
}

pub(crate) fn identifier(value: &str) -> Identifier {
    Identifier::parse(SYSTEM, value).unwrap()
}

pub(crate) fn code(text: &str) -> ReasonCode {
    ReasonCode::parse(text).unwrap()
}

pub(crate) fn comment() -> Comment {
    Comment::parse("written on the wrong card").unwrap()
}

fn acting(role: ActorRole) -> Context {
    Context {
        now: now(),
        actor: Actor {
            account_id: AccountId(Uuid::from_u128(1)),
            role,
            on_behalf_of: None,
        },
        patient_id: None,
        practitioner_id: None,
        rules: Rules::default(),
    }
}

pub(crate) fn staff() -> Context {
    acting(ActorRole::Staff)
}

pub(crate) fn admin() -> Context {
    acting(ActorRole::Admin)
}

pub(crate) fn system() -> Context {
    acting(ActorRole::System)
}

pub(crate) fn as_patient(id: PatientId) -> Context {
    Context {
        patient_id: Some(id),
        ..acting(ActorRole::Patient)
    }
}

pub(crate) fn as_doctor(id: PractitionerId) -> Context {
    Context {
        practitioner_id: Some(id),
        ..acting(ActorRole::Doctor)
    }
}

pub(crate) fn details() -> PatientDetails {
    PatientDetails {
        family_name: FamilyName::parse("Nowak").unwrap(),
        given_names: vec![GivenName::parse("Ada").unwrap()],
        birth_date: Some(BirthDate::parse("1984-02-29", now().date_naive()).unwrap()),
        gender: Gender::Female,
        language: None,
    }
}

pub(crate) fn contact() -> ContactDetails {
    ContactDetails {
        emails: vec![EmailAddress::parse("ada@example.org").unwrap()],
        ..ContactDetails::default()
    }
}

pub(crate) fn registration() -> RegisterPatient {
    RegisterPatient {
        patient_id: ada(),
        record_number: RecordNumber::new(1),
        details: details(),
        contact: contact(),
        identifiers: vec![identifier("1")],
        source: None,
    }
}

pub(crate) fn ada_registered() -> PatientEvent {
    PatientRegistered {
        record_number: 1,
        demographics: Sealed::Value(details().into()),
        contact: Sealed::Value(contact().into()),
        identifiers: Sealed::Value(vec![identifier("1").into()]),
        source: None,
    }
    .into()
}

pub(crate) fn dr_gray_registered() -> PractitionerEvent {
    PractitionerRegistered {
        specialities: vec!["207Q00000X".to_owned()],
        profile: Sealed::Value(Profile {
            family_name: Personal::new("Gray".to_owned()),
            given_names: Vec::new(),
            identifiers: vec![identifier("npi-1").into()],
        }),
        source: None,
    }
    .into()
}

pub(crate) fn high_street_registered() -> LocationEvent {
    LocationRegistered {
        name: "High Street".to_owned(),
        zone: "Europe/London".to_owned(),
        source: None,
    }
    .into()
}

pub(crate) fn patient_after(events: &[PatientEvent]) -> Patient {
    let mut patient = Patient::default();
    for event in events {
        patient.fold(event);
    }
    patient
}

/// The practice without the stream a test is about: patients, practitioners and the site, all registered.
pub(crate) fn practice() -> World {
    let mut gray = Practitioner::default();
    gray.fold(&dr_gray_registered());
    let mut site = Location::default();
    site.fold(&high_street_registered());
    World::new()
        .with(ada(), patient_after(&[ada_registered()]), 1)
        .with(somebody(), patient_after(&[ada_registered()]), 1)
        .with(dr_gray(), gray.clone(), 1)
        .with(dr_who(), gray, 1)
        .with(high_street(), site, 1)
}

/// The practice after Ada died and her record was set inactive.
pub(crate) fn ada_gone() -> World {
    let died = PatientDeathRecorded {
        death: Sealed::Value(Death {
            at: Personal::new(at("2026-01-01T00:00:00Z")),
        }),
    };
    let gone = patient_after(&[ada_registered(), PatientDeactivated {}.into(), died.into()]);
    practice().with(ada(), gone, 3)
}

pub(crate) fn situation(ctx: Context) -> Situation {
    Situation {
        world: practice(),
        ctx,
    }
}

pub(crate) fn half_an_hour_from(starts: DateTime<Utc>) -> Interval {
    Interval::try_new(starts, starts + TimeDelta::minutes(30)).unwrap()
}

pub(crate) fn placement(starts: DateTime<Utc>) -> Placement {
    Placement {
        practitioner_id: dr_gray(),
        location_id: high_street(),
        room_id: None,
        time: half_an_hour_from(starts),
    }
}

/// Ada's visit to Dr Gray, as booked.
pub(crate) fn booked() -> AppointmentBooked {
    booked_in("Europe/London", "2026-06-16T08:00:00Z")
}

pub(crate) fn booked_in(zone: &str, starts: &str) -> AppointmentBooked {
    let starts = at(starts);
    AppointmentBooked {
        patient_id: ada(),
        practitioner_id: dr_gray(),
        location_id: high_street(),
        room_id: None,
        slot: Slot {
            starts,
            ends: starts + TimeDelta::minutes(30),
            zone: zone.to_owned(),
            local_start: local(Zone::parse(zone).unwrap(), starts),
        },
        occupancy: Occupancy::Exclusive,
        reason: None,
        source: None,
    }
}

/// A conversation between Ada and Dr Gray, about Ada.
pub(crate) fn thread_opened() -> ThreadEvent {
    ThreadOpened {
        patient_id: ada(),
        participants: vec![Participant::Patient(ada()), Participant::Practitioner(dr_gray())],
        topic: Sealed::Value(Personal::new("Results".to_owned())),
    }
    .into()
}

pub(crate) fn message_from_ada(number: u128) -> ThreadEvent {
    MessageSent {
        message_id: message(number),
        author: Participant::Patient(ada()),
        body: Sealed::Value(Personal::new("Are they good?".to_owned())),
    }
    .into()
}
