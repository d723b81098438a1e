//! Every state folds with erased parts, and what is open does not depend on them.

use praxis_events::appointment::{
    AppointmentArrived, AppointmentBooked, AppointmentCancelled, AppointmentCheckedIn, AppointmentFulfilled,
    AppointmentMarkedInError, AppointmentNoShow, AppointmentRescheduled, AppointmentStatus,
    AppointmentUndone, CancelledBy, Occupancy,
};
use praxis_events::event::Event;
use praxis_events::ids::{StreamType, SubjectId};
use praxis_events::patient::{
    Death, PatientContactChanged, PatientDeactivated, PatientDeathRecorded, PatientDetailsCorrected,
    PatientEvent,
};
use praxis_events::personal::Personal;
use praxis_events::sealed::Sealed;
use praxis_events::thread::{MessageRead, MessageRetracted, Participant};
use serde_json::{Value, json};

use super::State;
use crate::samples::{
    ada, ada_registered, at, booked, comment, contact, details, dr_gray, dr_gray_registered, high_street,
    high_street_registered, identifier, message, message_from_ada, thread, thread_opened, visit,
};

fn text() -> Sealed<Personal<String>> {
    Sealed::Value(comment().into())
}

fn of_patient() -> Vec<Event> {
    let PatientEvent::Registered(mut registered) = ada_registered() else {
        panic!("registered first")
    };
    registered.source = Some(Sealed::Value(identifier("source").into()));
    let died = Death {
        at: Personal::new(at("2026-01-01T00:00:00Z")),
    };
    vec![
        registered.into(),
        PatientDetailsCorrected {
            demographics: Sealed::Value(details().into()),
            reason: Some(text()),
        }
        .into(),
        PatientContactChanged {
            contact: Sealed::Value(contact().into()),
        }
        .into(),
        PatientDeathRecorded {
            death: Sealed::Value(died),
        }
        .into(),
        PatientDeactivated {}.into(),
    ]
}

fn of_appointment() -> Vec<Event> {
    let booked = AppointmentBooked {
        reason: Some(text()),
        source: Some(Sealed::Value(identifier("source").into())),
        ..booked()
    };
    let rescheduled = AppointmentRescheduled {
        practitioner_id: dr_gray(),
        location_id: high_street(),
        room_id: None,
        slot: booked.slot.clone(),
        occupancy: Occupancy::Overbooked,
        comment: Some(text()),
    };
    let cancelled = AppointmentCancelled {
        reason_code: "other".to_owned(),
        by: CancelledBy::Practice,
        comment: Some(text()),
    };
    vec![
        booked.into(),
        rescheduled.into(),
        AppointmentNoShow {}.into(),
        AppointmentArrived {}.into(),
        AppointmentCheckedIn {}.into(),
        AppointmentFulfilled {}.into(),
        AppointmentUndone {
            back_to: AppointmentStatus::CheckedIn,
            comment: Some(text()),
        }
        .into(),
        cancelled.into(),
        AppointmentMarkedInError {
            comment: Some(text()),
        }
        .into(),
    ]
}

fn of_thread() -> Vec<Event> {
    let reader = Participant::Practitioner(dr_gray());
    vec![
        thread_opened().into(),
        message_from_ada(1).into(),
        MessageRead {
            message_id: message(1),
            reader,
        }
        .into(),
        MessageRetracted {
            message_id: message(1),
        }
        .into(),
    ]
}

/// A history of every kind of record that has an event of every type.
fn histories() -> Vec<Vec<Event>> {
    vec![
        of_patient(),
        vec![dr_gray_registered().into()],
        vec![high_street_registered().into()],
        of_appointment(),
        of_thread(),
    ]
}

/// The event as it reads once the key of its person was destroyed.
fn redacted(event: &Event) -> Event {
    let event_type = event.event_type();
    let mut document = event.to_document().unwrap();
    for field in event_type.sealed {
        if let Some(group) = document.get_mut(field) {
            *group = json!("erased");
        }
    }
    Event::from_document(
        event.stream_type(),
        event_type.name,
        event_type.schema_version,
        document,
    )
    .unwrap()
}

fn folded(events: &[Event]) -> Vec<State> {
    let mut state = State::empty(events[0].stream_type());
    let step = |event| {
        state.apply(event);
        state.clone()
    };
    events.iter().map(step).collect()
}

/// A state with every sealed part replaced, so that only what is open is compared.
fn open_part(state: &State) -> Value {
    fn erase(value: &mut Value) {
        match value {
            Value::Object(fields) if fields.len() == 1 && fields.contains_key("value") => {
                *value = json!("erased");
            }
            Value::Object(fields) => fields.values_mut().for_each(erase),
            Value::Array(items) => items.iter_mut().for_each(erase),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut document = serde_json::to_value(state).unwrap();
    erase(&mut document);
    document
}

#[test]
fn the_histories_have_every_type_of_event() {
    for (history, kind) in histories().iter().zip(StreamType::ALL) {
        let mut told: Vec<_> = history.iter().map(|event| event.event_type().name).collect();
        let mut known: Vec<_> = Event::types(kind).iter().map(|known| known.name).collect();
        told.sort_unstable();
        known.sort_unstable();
        assert_eq!(told, known);
    }
}

#[test]
fn erased_parts_change_nothing_that_is_open() {
    for history in histories() {
        let erased: Vec<Event> = history.iter().map(redacted).collect();
        for (clear, erased) in folded(&history).iter().zip(folded(&erased)) {
            assert_eq!(open_part(clear), open_part(&erased));
            assert_eq!(clear.spans(), erased.spans());
        }
    }
}

#[test]
fn an_erased_patient_keeps_the_claims_that_are_open() {
    let erased: Vec<Event> = of_patient().iter().map(redacted).collect();
    let state = folded(&erased).pop().unwrap();
    assert_eq!(state.claims(), [crate::claim::Claim::record_number(1)]);
}

#[test]
fn an_erased_part_and_a_clear_one_are_not_the_same_state() {
    let erased: Vec<Event> = of_patient().iter().map(redacted).collect();
    assert_ne!(folded(&of_patient()).pop(), folded(&erased).pop());
}

#[test]
fn every_state_reads_back_from_json() {
    for history in histories() {
        for state in folded(&history) {
            let document = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&document).unwrap(), state);
        }
    }
}

#[test]
fn events_before_the_first_change_nothing_they_have_no_record_for() {
    for history in histories() {
        let mut state = State::empty(history[0].stream_type());
        history.iter().skip(1).for_each(|event| state.apply(event));
        assert!(state.spans().is_empty() && state.claims().is_empty());
    }
}

#[test]
fn a_record_is_about_its_person() {
    let subject = |history: Vec<Event>, stream| folded(&history).pop().unwrap().subject(stream);
    assert_eq!(subject(of_patient(), ada().into()), Some(ada().into()));
    assert_eq!(
        subject(vec![dr_gray_registered().into()], dr_gray().into()),
        Some(dr_gray().into())
    );
    assert_eq!(
        subject(vec![high_street_registered().into()], high_street().into()),
        None
    );
    assert_eq!(
        subject(of_appointment(), visit().into()),
        Some(SubjectId(ada().0))
    );
    assert_eq!(subject(of_thread(), thread().into()), Some(SubjectId(ada().0)));
}
