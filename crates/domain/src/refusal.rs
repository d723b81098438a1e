//! Why is a command refused? Every reason at once, each with a stable code, none with a value.

use std::fmt;

use praxis_events::appointment::AppointmentStatus;
use praxis_events::ids::{LocationId, MessageId, PatientId, PractitionerId, StreamId, SubjectId};
use thiserror::Error;

use crate::appointment::state::Appointment;
use crate::appointment::transition::Step;
use crate::claim::Claim;
use crate::span::Span;

mod codes;

/// What the caller can do about a refusal, worst first: a refusal with several reasons has the code of the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// Not this caller, whatever the state.
    Forbidden,
    /// There is no such record, or none the caller may know of.
    NotFound,
    /// The record is not in a status from which the command leads anywhere.
    InvalidTransition,
    /// What is to be made is there already.
    AlreadyExists,
    /// The booking breaks a rule of the calendar or is for somebody who cannot be booked.
    BookingRefused,
    /// Another rule of the practice is broken.
    RuleBroken,
}

impl RefusalCode {
    /// The stable code, as callers are answered it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::InvalidTransition => "invalid-transition",
            Self::AlreadyExists => "claim-taken",
            Self::BookingRefused => "booking-refused",
            Self::RuleBroken => "command-refused",
        }
    }
}

/// A command that may not happen, with all the reasons.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {}", .code.code(), Listed(.reasons))]
pub struct Refused {
    /// The code of the worst reason.
    pub code: RefusalCode,
    /// Every reason found, without repetition.
    pub reasons: Vec<Refusal>,
    /// The time the command would have taken. Whether it is free only the log knows; it is named here so that a refusal
    /// for other reasons can list that one too.
    pub wanted: Vec<Span>,
    /// The claims the record would then have had, for the same purpose.
    pub wanted_claims: Vec<Claim>,
}

impl Refused {
    /// Refused for one reason.
    pub fn because(reason: Refusal) -> Self {
        Self {
            code: reason.level(),
            reasons: vec![reason],
            wanted: Vec::new(),
            wanted_claims: Vec::new(),
        }
    }

    /// Refused for all these reasons; `Ok` if there are none.
    ///
    /// # Errors
    /// The refusal, if there is a reason for it.
    pub fn unless_none(reasons: Vec<Refusal>) -> Result<(), Self> {
        let Some(code) = reasons.iter().map(Refusal::level).min() else {
            return Ok(());
        };
        Err(Self {
            code,
            reasons,
            wanted: Vec::new(),
            wanted_claims: Vec::new(),
        })
    }

    /// The same where nothing is booked: what would refuse a booking breaks another rule there.
    #[must_use]
    pub fn without_booking(self) -> Self {
        match self.code {
            RefusalCode::BookingRefused => Self {
                code: RefusalCode::RuleBroken,
                ..self
            },
            RefusalCode::Forbidden
            | RefusalCode::NotFound
            | RefusalCode::InvalidTransition
            | RefusalCode::AlreadyExists
            | RefusalCode::RuleBroken => self,
        }
    }

    /// The same, having wanted what the appointment would then hold.
    #[must_use]
    pub fn wanting(self, after: &Appointment) -> Self {
        Self {
            wanted: after.spans(),
            wanted_claims: after.claims(),
            ..self
        }
    }

    /// The same, for these reasons too.
    #[must_use]
    pub fn joined_by(mut self, reasons: impl IntoIterator<Item = Refusal>) -> Self {
        for reason in reasons {
            self.code = self.code.min(reason.level());
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self
    }
}

impl From<Refusal> for Refused {
    fn from(reason: Refusal) -> Self {
        Self::because(reason)
    }
}

/// Reasons as one line of codes.
struct Listed<'a>(&'a [Refusal]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", reason.code())?;
        }
        Ok(())
    }
}

/// One reason: ids, codes and numbers only. `Display` is for people, [`Refusal::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such record, or the caller may not know of it.
    #[error("there is no such {}", .0.kind.name())]
    NotFound(StreamId),
    /// The thread has no such message.
    #[error("the thread has no such message")]
    MessageNotFound(MessageId),

    /// A patient acts for nobody else.
    #[error("patients act for themselves only")]
    NotOwnRecord,
    /// Patients may not do this.
    #[error("patients may not do this")]
    NotForPatients,
    /// Only the assigned practitioner or an administrator may do this.
    #[error("only the assigned practitioner or an administrator may do this")]
    NotAssignedPractitioner,
    /// Only an administrator may do this.
    #[error("only an administrator may do this")]
    NotAdministrator,
    /// Only the front desk and administrators may overbook.
    #[error("only the front desk and administrators may overbook")]
    OverbookingNotPermitted,
    /// The caller does not take part in the conversation.
    #[error("the caller does not take part in the conversation")]
    NotParticipant,
    /// The message is somebody else's.
    #[error("only its author may do this to a message")]
    NotAuthor,

    /// The table of the appointment's life has nothing at that status and step.
    #[error("{} leads nowhere from {}", .step.name(), .from.code())]
    InvalidTransition {
        /// The status it has.
        from: AppointmentStatus,
        /// What was asked.
        step: Step,
        /// The status asked for, where the step has only one.
        to: Option<AppointmentStatus>,
    },
    /// The message was retracted before.
    #[error("the message was retracted before")]
    AlreadyRetracted(MessageId),

    /// A record of that id is there already.
    #[error("there is such a {} already", .0.kind.name())]
    AlreadyRegistered(StreamId),
    /// A message of that id is there already.
    #[error("there is such a message already")]
    AlreadySent(MessageId),
    /// The record with that source id was imported before.
    #[error("the record was imported before")]
    AlreadyImported,
    /// The identifier belongs to another record.
    #[error("the identifier belongs to another record")]
    IdentifierTaken,
    /// The record number belongs to another record.
    #[error("the record number belongs to another record")]
    RecordNumberTaken,

    /// The patient to be booked is not registered.
    #[error("the patient is not registered")]
    PatientUnknown(PatientId),
    /// The practitioner to be booked is not registered.
    #[error("the practitioner is not registered")]
    PractitionerUnknown(PractitionerId),
    /// The location to be booked at is not registered.
    #[error("the location is not registered")]
    LocationUnknown(LocationId),
    /// This version knows no rules for the location's time zone.
    #[error("the location's time zone is not known")]
    ZoneUnknown(LocationId),
    /// The patient's record is inactive.
    #[error("the patient's record is inactive")]
    PatientInactive(PatientId),
    /// The patient died.
    #[error("the patient died")]
    PatientDeceased(PatientId),
    /// The person was erased: nothing more about them is written down.
    #[error("the person was erased")]
    PersonErased(SubjectId),
    /// The visit starts at or after the patient's death.
    #[error("the visit starts at or after the patient's death")]
    VisitAfterDeath(PatientId),
    /// The visit starts before the patient was born.
    #[error("the visit starts before the patient was born")]
    BeforeBirth(PatientId),
    /// The time is past.
    #[error("the time is past")]
    InThePast,
    /// What is recorded as having happened has not happened yet.
    #[error("the time has not come yet")]
    InTheFuture,
    /// The time is further ahead than anything is booked.
    #[error("the time is more than {days_max} days ahead")]
    BeyondHorizon {
        /// How far ahead it may be.
        days_max: u32,
    },
    /// The time is too near for a patient to book it.
    #[error("patients book at least {minutes_min} minutes ahead")]
    NoticeTooShort {
        /// How far ahead it must be.
        minutes_min: u32,
    },
    /// The visit would be longer than any.
    #[error("a visit lasts at most {minutes_max} minutes")]
    VisitTooLong {
        /// How long it may be.
        minutes_max: u32,
    },
    /// The practitioner has something else at that time.
    #[error("the practitioner has something else at that time")]
    PractitionerBusy,
    /// The patient has something else at that time.
    #[error("the patient has something else at that time")]
    PatientBusy,
    /// The room is taken at that time.
    #[error("the room is taken at that time")]
    RoomBusy,
    /// The patient has as many open bookings as allowed.
    #[error("the patient has as many open bookings as allowed")]
    LimitReached,

    /// Too early to arrive.
    #[error("it is more than {minutes_max} minutes before the start")]
    TooEarly {
        /// How long before the start it is allowed.
        minutes_max: u32,
    },
    /// The local date of the appointment is past.
    #[error("the day of the appointment is past")]
    DayPassed,
    /// It is neither the local date of the appointment nor the one on which it was completed or cancelled.
    #[error("it is neither the day of the appointment nor the day it was completed or cancelled")]
    NotSameDay,
    /// Too early to say that the patient did not come.
    #[error("it is less than {minutes_min} minutes after the start")]
    NoShowTooEarly {
        /// How long after the start it is allowed.
        minutes_min: u32,
    },
    /// Too late for a patient to cancel a booking, or to move it away from its time.
    #[error("patients cancel or move a booking at least {hours_min} hours ahead")]
    TooLateToCancel {
        /// How far ahead it is allowed.
        hours_min: u32,
    },
    /// The practice must say why.
    #[error("a reason code is needed")]
    ReasonRequired,
    /// The death lies in the future.
    #[error("the death lies in the future")]
    DeathInTheFuture,
    /// The death lies before the birth.
    #[error("the death lies before the birth")]
    DeathBeforeBirth,
    /// Nobody would take part.
    #[error("a conversation needs a participant")]
    NoParticipants,
    /// More would take part than allowed.
    #[error("at most {count_max} take part in a conversation")]
    TooManyParticipants {
        /// How many may.
        count_max: usize,
    },
    /// A patient would take part whom the conversation is not about.
    #[error("no other patient takes part in a conversation about a patient")]
    OtherPatient(PatientId),
}

#[cfg(test)]
mod tests {
    use praxis_events::appointment::AppointmentStatus;

    use super::{Refusal, RefusalCode, Refused};
    use crate::appointment::transition::Step;

    #[test]
    fn a_refusal_with_several_reasons_has_the_code_of_the_worst() {
        let refused = Refused::unless_none(vec![Refusal::InThePast, Refusal::NotForPatients]).unwrap_err();
        assert_eq!(refused.code, RefusalCode::Forbidden);
        assert_eq!(refused.to_string(), "forbidden: in_the_past, not_for_patients");
        assert_eq!(Refused::unless_none(Vec::new()), Ok(()));
    }

    #[test]
    fn a_reason_found_later_is_listed_once_and_counts_for_the_code() {
        let refused =
            Refused::because(Refusal::InThePast).joined_by([Refusal::InThePast, Refusal::LimitReached]);
        assert_eq!(refused.code, RefusalCode::BookingRefused);
        assert_eq!(refused.reasons, [Refusal::InThePast, Refusal::LimitReached]);
        let refused = refused.joined_by([Refusal::AlreadyImported]);
        assert_eq!(refused.code, RefusalCode::AlreadyExists);
    }

    #[test]
    fn a_refused_transition_names_both_ends() {
        let refusal = Refusal::InvalidTransition {
            from: AppointmentStatus::Cancelled,
            step: Step::CheckIn,
            to: Some(AppointmentStatus::CheckedIn),
        };
        assert_eq!(refusal.to_string(), "check-in leads nowhere from cancelled");
    }
}
