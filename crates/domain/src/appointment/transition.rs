//! Which status leads where? The table of an appointment's life, without holds.

use praxis_events::appointment::AppointmentStatus;

use crate::refusal::Refusal;

/// What is asked of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Take the time.
    Book,
    /// State that the visit took place.
    Record,
    /// Give the time back and take another.
    Reschedule,
    /// Give the time back.
    Cancel,
    /// The patient is in the house.
    Arrive,
    /// The patient is checked in.
    CheckIn,
    /// The visit took place.
    Complete,
    /// The patient did not come.
    NoShow,
    /// Take the last step back.
    Undo,
    /// It was never meant.
    MarkInError,
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// To this status.
    To(AppointmentStatus),
    /// To the status it was cancelled from.
    BackToBeforeCancelling,
}

impl Step {
    /// Every step, for tests and tables.
    pub const ALL: [Self; 10] = [
        Self::Book,
        Self::Record,
        Self::Reschedule,
        Self::Cancel,
        Self::Arrive,
        Self::CheckIn,
        Self::Complete,
        Self::NoShow,
        Self::Undo,
        Self::MarkInError,
    ];

    /// The stable name, as in the path of its route.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Record => "record",
            Self::Reschedule => "reschedule",
            Self::Cancel => "cancel",
            Self::Arrive => "arrive",
            Self::CheckIn => "check-in",
            Self::Complete => "complete",
            Self::NoShow => "no-show",
            Self::Undo => "undo",
            Self::MarkInError => "mark-in-error",
        }
    }

    /// The status that is asked for, for refusals to name; `None` where it depends on where the appointment stands.
    pub const fn status_asked_for(self) -> Option<AppointmentStatus> {
        match self {
            Self::Book | Self::Reschedule => Some(AppointmentStatus::Booked),
            Self::Record | Self::Complete => Some(AppointmentStatus::Fulfilled),
            Self::Cancel => Some(AppointmentStatus::Cancelled),
            Self::Arrive => Some(AppointmentStatus::Arrived),
            Self::CheckIn => Some(AppointmentStatus::CheckedIn),
            Self::NoShow => Some(AppointmentStatus::NoShow),
            Self::Undo => None,
            Self::MarkInError => Some(AppointmentStatus::EnteredInError),
        }
    }
}

/// Where a step leads from a status.
///
/// # Errors
/// [`Refusal::InvalidTransition`] where the table has nothing.
pub const fn next(from: AppointmentStatus, step: Step) -> Result<Next, Refusal> {
    use AppointmentStatus::{
        Arrived, Booked, Cancelled, CheckedIn, EnteredInError, Fulfilled, NoShow, Pending,
    };
    let to = match (from, step) {
        (Pending, Step::Reschedule) => Pending,
        (Booked, Step::Reschedule) | (Arrived | NoShow, Step::Undo) => Booked,
        (Pending | Booked | Arrived | CheckedIn, Step::Cancel) => Cancelled,
        (Booked | NoShow, Step::Arrive) | (CheckedIn, Step::Undo) => Arrived,
        (Booked | Arrived, Step::CheckIn) | (Fulfilled, Step::Undo) => CheckedIn,
        (CheckedIn, Step::Complete) => Fulfilled,
        (Booked, Step::NoShow) => NoShow,
        (Pending | Booked | Arrived | CheckedIn | NoShow | Fulfilled | Cancelled, Step::MarkInError) => {
            EnteredInError
        }
        (Cancelled, Step::Undo) => return Ok(Next::BackToBeforeCancelling),
        (
            Pending | Booked | Arrived | CheckedIn | Fulfilled | Cancelled | NoShow | EnteredInError,
            Step::Book
            | Step::Record
            | Step::Reschedule
            | Step::Cancel
            | Step::Arrive
            | Step::CheckIn
            | Step::Complete
            | Step::NoShow
            | Step::Undo
            | Step::MarkInError,
        ) => {
            return Err(Refusal::InvalidTransition {
                from,
                step,
                to: step.status_asked_for(),
            });
        }
    };
    Ok(Next::To(to))
}
