//! The whole table of an appointment's life: every status, every step, as domain.md section 2 draws it without holds.

use praxis_events::appointment::{AppointmentEvent, AppointmentStatus};

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
use crate::appointment::state::{Appointment, Booking};
use crate::appointment::transition::Step;
use crate::appointment::undo::UndoAppointment;
use crate::command::Command;
use crate::context::Context;
use crate::refusal::{Refusal, RefusalCode, Refused};
use crate::samples::{ada, admin, booked, code, now, placement, practice, starts, visit};

use AppointmentStatus::{Arrived, Booked, Cancelled, CheckedIn, EnteredInError, Fulfilled, NoShow, Pending};
use Step::{Arrive, Book, Cancel, CheckIn, Complete, MarkInError, Record, Reschedule, Undo};

const STATUSES: [AppointmentStatus; 8] = [
    Pending,
    Booked,
    Arrived,
    CheckedIn,
    NoShow,
    Fulfilled,
    Cancelled,
    EnteredInError,
];

/// The table's cells that are not empty.
const TABLE: [(AppointmentStatus, Step, AppointmentStatus); 24] = [
    (Pending, Reschedule, Pending),
    (Pending, Cancel, Cancelled),
    (Pending, MarkInError, EnteredInError),
    (Booked, Reschedule, Booked),
    (Booked, Cancel, Cancelled),
    (Booked, Arrive, Arrived),
    (Booked, CheckIn, CheckedIn),
    (Booked, Step::NoShow, NoShow),
    (Booked, MarkInError, EnteredInError),
    (Arrived, Cancel, Cancelled),
    (Arrived, CheckIn, CheckedIn),
    (Arrived, Undo, Booked),
    (Arrived, MarkInError, EnteredInError),
    (CheckedIn, Cancel, Cancelled),
    (CheckedIn, Complete, Fulfilled),
    (CheckedIn, Undo, Arrived),
    (CheckedIn, MarkInError, EnteredInError),
    (NoShow, Arrive, Arrived),
    (NoShow, Undo, Booked),
    (NoShow, MarkInError, EnteredInError),
    (Fulfilled, Undo, CheckedIn),
    (Fulfilled, MarkInError, EnteredInError),
    // Cancelled from arrived, see `standing`.
    (Cancelled, Undo, Arrived),
    (Cancelled, MarkInError, EnteredInError),
];

/// An appointment in that status.
fn standing(status: AppointmentStatus) -> Appointment {
    let cancelled_from = (status == Cancelled).then_some(Arrived);
    Appointment {
        booking: Some(Booking {
            status,
            cancelled_from,
            ..(&booked()).into()
        }),
    }
}

/// A command for that step that every guard lets pass.
fn command(step: Step) -> AppointmentCommand {
    let appointment_id = visit();
    let (patient_id, later) = (ada(), placement(starts() + chrono::TimeDelta::hours(3)));
    match step {
        Book => BookAppointment {
            appointment_id,
            patient_id,
            placement: later,
            reason: None,
            overbooking: None,
        }
        .into(),
        Record => RecordAppointment {
            appointment_id,
            patient_id,
            placement: placement(now()),
            reason: None,
            source: None,
        }
        .into(),
        Reschedule => RescheduleAppointment {
            appointment_id,
            placement: later,
            overbooking: None,
            comment: None,
        }
        .into(),
        Cancel => CancelAppointment {
            appointment_id,
            reason_code: Some(code("other")),
            comment: None,
        }
        .into(),
        Arrive => ArriveAppointment { appointment_id }.into(),
        CheckIn => CheckInAppointment { appointment_id }.into(),
        Complete => CompleteAppointment { appointment_id }.into(),
        Step::NoShow => MarkNoShow { appointment_id }.into(),
        Undo => UndoAppointment {
            appointment_id,
            reason_code: code("other"),
            comment: None,
        }
        .into(),
        MarkInError => MarkAppointmentInError {
            appointment_id,
            reason_code: None,
            comment: None,
        }
        .into(),
    }
}

/// An administrator, half an hour after the start: no guard stands in the way of anything.
fn unguarded() -> Context {
    Context {
        now: starts() + chrono::TimeDelta::minutes(30),
        ..admin()
    }
}

/// Where the command leads from a state, by deciding and folding.
fn lead(from: &Appointment, step: Step) -> Result<AppointmentStatus, Refused> {
    let version = u64::from(from.booking.is_some());
    let decision = command(step).decide(&practice().with(visit(), from.clone(), version), &unguarded())?;
    let mut after = from.clone();
    for (_, events) in decision.writes {
        for event in events {
            let event: AppointmentEvent = match event {
                praxis_events::event::Event::Appointment(event) => event,
                other => panic!("an event of another kind: {other:?}"),
            };
            after.fold(&event);
        }
    }
    Ok(after.booking.unwrap().status)
}

#[test]
fn every_status_and_step_lead_where_the_table_says_or_are_refused_naming_both_ends() {
    for from in STATUSES {
        for step in Step::ALL {
            let cell = TABLE
                .iter()
                .find(|(status, asked, _)| (*status, *asked) == (from, step));
            if let Some((_, _, to)) = cell {
                assert_eq!(lead(&standing(from), step).unwrap(), *to, "{from:?} {step:?}");
            } else {
                let refused = lead(&standing(from), step).unwrap_err();
                assert_eq!(refused.code, RefusalCode::InvalidTransition, "{from:?} {step:?}");
                let expected = Refusal::InvalidTransition {
                    from,
                    step,
                    to: step.status_asked_for(),
                };
                assert_eq!(refused.reasons, [expected]);
            }
        }
    }
}

#[test]
fn from_nothing_only_booking_and_recording_lead_anywhere() {
    for step in Step::ALL {
        let led = lead(&Appointment::default(), step);
        match step {
            Book => assert_eq!(led, Ok(Booked)),
            Record => assert_eq!(led, Ok(Fulfilled)),
            Reschedule | Cancel | Arrive | CheckIn | Complete | Step::NoShow | Undo | MarkInError => {
                assert_eq!(led, Err(Refusal::NotFound(visit().into()).into()), "{step:?}");
            }
        }
    }
}
