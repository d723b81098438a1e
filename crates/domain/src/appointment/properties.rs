//! What holds after any history of commands, whoever gives them and whenever.

use chrono::TimeDelta;
use praxis_events::appointment::AppointmentStatus;
use praxis_events::event::Event;
use praxis_events::ids::{StreamId, StreamType};
use proptest::prelude::*;

use crate::appointment::AppointmentCommand;
use crate::appointment::arrive::ArriveAppointment;
use crate::appointment::book::BookAppointment;
use crate::appointment::cancel::CancelAppointment;
use crate::appointment::check_in::CheckInAppointment;
use crate::appointment::complete::CompleteAppointment;
use crate::appointment::mark_in_error::MarkAppointmentInError;
use crate::appointment::mark_no_show::MarkNoShow;
use crate::appointment::record::RecordAppointment;
use crate::appointment::reschedule::RescheduleAppointment;
use crate::appointment::state::Booking;
use crate::appointment::undo::UndoAppointment;
use crate::claim::ClaimResource;
use crate::command::{Command, missing};
use crate::context::Context;
use crate::samples::{
    ada, admin, as_doctor, as_patient, code, dr_gray, identifier, now, placement, practice, staff, starts,
    visit,
};
use crate::span::{CalendarKind, Layer};
use crate::state::State;

fn any_command() -> impl Strategy<Value = AppointmentCommand> {
    let (appointment_id, patient_id) = (visit(), ada());
    let any_placement = (-36i64..72).prop_map(|hours| placement(starts() + TimeDelta::hours(hours)));
    let any_force = proptest::option::of(Just(code("urgent")));
    prop_oneof![
        (any_placement.clone(), any_force.clone()).prop_map(move |(placement, overbooking)| {
            BookAppointment {
                appointment_id,
                patient_id,
                placement,
                reason: None,
                overbooking,
            }
            .into()
        }),
        any_placement.clone().prop_map(move |placement| {
            let source = Some(identifier("encounter-1"));
            RecordAppointment {
                appointment_id,
                patient_id,
                placement,
                reason: None,
                source,
            }
            .into()
        }),
        (any_placement, any_force).prop_map(move |(placement, overbooking)| {
            RescheduleAppointment {
                appointment_id,
                placement,
                overbooking,
                comment: None,
            }
            .into()
        }),
        Just(
            CancelAppointment {
                appointment_id,
                reason_code: Some(code("other")),
                comment: None
            }
            .into()
        ),
        Just(ArriveAppointment { appointment_id }.into()),
        Just(CheckInAppointment { appointment_id }.into()),
        Just(CompleteAppointment { appointment_id }.into()),
        Just(MarkNoShow { appointment_id }.into()),
        Just(
            UndoAppointment {
                appointment_id,
                reason_code: code("other"),
                comment: None
            }
            .into()
        ),
        Just(
            MarkAppointmentInError {
                appointment_id,
                reason_code: None,
                comment: None
            }
            .into()
        ),
    ]
}

fn any_caller() -> impl Strategy<Value = Context> {
    prop_oneof![
        Just(admin()),
        Just(staff()),
        Just(as_patient(ada())),
        Just(as_doctor(dr_gray()))
    ]
}

/// Commands at rising times around the visit.
fn any_history() -> impl Strategy<Value = Vec<(AppointmentCommand, Context)>> {
    let step = (any_command(), any_caller(), 0i64..240);
    proptest::collection::vec(step, 1..24).prop_map(|steps| {
        let mut time = now();
        let advance = |(command, ctx, minutes)| {
            time += TimeDelta::minutes(minutes);
            (command, Context { now: time, ..ctx })
        };
        steps.into_iter().map(advance).collect()
    })
}

/// Decides and applies; gives the state after every command, and how many events there were by then.
fn states_after(history: Vec<(AppointmentCommand, Context)>) -> Vec<(State, u64)> {
    let stream = StreamId::from(visit());
    let (mut state, mut version) = (State::empty(StreamType::Appointment), 0);
    let mut states = Vec::new();
    for (command, ctx) in history {
        let world = practice().with(stream, state.clone(), version);
        assert!(missing(&command, &world).is_empty());
        if let Ok(decision) = command.decide(&world, &ctx) {
            for (_, events) in decision.writes {
                for event in events {
                    state.apply(&event);
                    version += 1;
                }
            }
        }
        states.push((state.clone(), version));
    }
    states
}

fn booking(state: &State) -> Option<&Booking> {
    let State::Appointment(appointment) = state else {
        panic!("an appointment stays one")
    };
    appointment.booking.as_ref()
}

proptest! {
    #[test]
    fn time_is_taken_exactly_in_the_statuses_that_occupy(history in any_history()) {
        for (state, version) in states_after(history) {
            prop_assert_eq!(booking(&state).is_some(), version > 0);
            let occupies = booking(&state).is_some_and(|booking| booking.status.occupies());
            prop_assert_eq!(!state.spans().is_empty(), occupies);
            for span in state.spans() {
                prop_assert!(span.starts < span.ends);
                prop_assert!(span.layer == Layer::Normal || span.calendar.kind == CalendarKind::Practitioner);
            }
        }
    }

    #[test]
    fn a_booking_counts_as_open_exactly_while_pending_or_booked(history in any_history()) {
        for (state, _) in states_after(history) {
            let open = booking(&state).is_some_and(|booking| {
                matches!(booking.status, AppointmentStatus::Pending | AppointmentStatus::Booked)
            });
            let counted = state.claims().iter().any(|claim| claim.resource == ClaimResource::OpenBooking);
            prop_assert_eq!(counted, open);
        }
    }

    #[test]
    fn nothing_happens_to_what_was_entered_in_error(history in any_history()) {
        let states = states_after(history);
        for pair in states.windows(2) {
            let ended = booking(&pair[0].0).is_some_and(|booking| booking.status == AppointmentStatus::EnteredInError);
            prop_assert!(!ended || pair[0] == pair[1]);
        }
    }
}

#[test]
fn an_event_of_another_kind_of_record_changes_nothing() {
    let mut state = State::empty(StreamType::Appointment);
    state.apply(&Event::Patient(crate::samples::ada_registered()));
    assert_eq!(state, State::empty(StreamType::Appointment));
}
