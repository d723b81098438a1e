//! Appointments: what is known of one, and what may be done to it.

pub mod arrive;
pub mod book;
pub mod cancel;
pub mod check_in;
pub mod complete;
mod guard;
pub mod mark_in_error;
pub mod mark_no_show;
pub mod placement;
pub mod record;
pub mod reschedule;
pub mod state;
pub mod transition;
pub mod undo;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod properties;

use praxis_events::appointment::AppointmentEvent;

use crate::aggregate_macro::aggregate;
use arrive::ArriveAppointment;
use book::BookAppointment;
use cancel::CancelAppointment;
use check_in::CheckInAppointment;
use complete::CompleteAppointment;
use mark_in_error::MarkAppointmentInError;
use mark_no_show::MarkNoShow;
use record::RecordAppointment;
use reschedule::RescheduleAppointment;
use state::Appointment;
use undo::UndoAppointment;

aggregate! {
    /// Any command to an appointment.
    AppointmentCommand of Appointment, AppointmentEvent {
        /// Take the time.
        Book(BookAppointment),
        /// State that the visit took place.
        Record(RecordAppointment),
        /// Give the time back and take another.
        Reschedule(RescheduleAppointment),
        /// Give the time back.
        Cancel(CancelAppointment),
        /// The patient is in the house.
        Arrive(ArriveAppointment),
        /// The patient is checked in.
        CheckIn(CheckInAppointment),
        /// The visit took place.
        Complete(CompleteAppointment),
        /// The patient did not come.
        MarkNoShow(MarkNoShow),
        /// Take the last step back.
        Undo(UndoAppointment),
        /// It was never meant.
        MarkInError(MarkAppointmentInError),
    }
}
