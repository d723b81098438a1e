//! Under which stable code is a reason published, and what can the caller do about it?

use praxis_events::ids::StreamType;

use super::{Refusal, RefusalCode};

impl Refusal {
    /// The stable code, snake case, part of the published interface.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(stream) => match stream.kind {
                StreamType::Patient => "patient_not_found",
                StreamType::Practitioner => "practitioner_not_found",
                StreamType::Location => "location_not_found",
                StreamType::Appointment => "appointment_not_found",
                StreamType::Thread => "thread_not_found",
            },
            Self::MessageNotFound(_) => "message_not_found",
            Self::NotOwnRecord => "not_own_record",
            Self::NotForPatients => "not_for_patients",
            Self::NotAssignedPractitioner => "not_assigned_practitioner",
            Self::NotAdministrator => "not_administrator",
            Self::OverbookingNotPermitted => "overbooking_not_permitted",
            Self::NotParticipant => "not_participant",
            Self::NotAuthor => "not_author",
            Self::InvalidTransition { .. } => "invalid_transition",
            Self::AlreadyRetracted(_) => "already_retracted",
            Self::AlreadyRegistered(_) => "already_registered",
            Self::AlreadySent(_) => "already_sent",
            Self::AlreadyImported => "already_imported",
            Self::IdentifierTaken => "identifier_taken",
            Self::RecordNumberTaken => "record_number_taken",
            Self::PatientUnknown(_) => "patient_unknown",
            Self::PractitionerUnknown(_) => "practitioner_unknown",
            Self::LocationUnknown(_) => "location_unknown",
            Self::ZoneUnknown(_) => "zone_unknown",
            Self::PatientInactive(_) => "patient_inactive",
            Self::PatientDeceased(_) => "patient_deceased",
            Self::PersonErased(_) => "person_erased",
            Self::VisitAfterDeath(_) => "visit_after_death",
            Self::BeforeBirth(_) => "before_birth",
            Self::InThePast => "in_the_past",
            Self::InTheFuture => "in_the_future",
            Self::BeyondHorizon { .. } => "beyond_horizon",
            Self::NoticeTooShort { .. } => "notice_too_short",
            Self::VisitTooLong { .. } => "visit_too_long",
            Self::PractitionerBusy => "practitioner_busy",
            Self::PatientBusy => "patient_busy",
            Self::RoomBusy => "room_busy",
            Self::LimitReached => "limit_reached",
            Self::TooEarly { .. } => "too_early",
            Self::DayPassed => "day_passed",
            Self::NotSameDay => "not_same_day",
            Self::NoShowTooEarly { .. } => "no_show_too_early",
            Self::TooLateToCancel { .. } => "too_late_to_cancel",
            Self::ReasonRequired => "reason_required",
            Self::DeathInTheFuture => "death_in_the_future",
            Self::DeathBeforeBirth => "death_before_birth",
            Self::NoParticipants => "no_participants",
            Self::TooManyParticipants { .. } => "too_many_participants",
            Self::OtherPatient(_) => "other_patient",
        }
    }

    /// What the caller can do about it.
    pub const fn level(&self) -> RefusalCode {
        match self {
            Self::NotOwnRecord
            | Self::NotForPatients
            | Self::NotAssignedPractitioner
            | Self::NotAdministrator
            | Self::OverbookingNotPermitted
            | Self::NotParticipant
            | Self::NotAuthor => RefusalCode::Forbidden,
            Self::NotFound(_) | Self::MessageNotFound(_) => RefusalCode::NotFound,
            Self::InvalidTransition { .. } | Self::AlreadyRetracted(_) => RefusalCode::InvalidTransition,
            Self::AlreadyRegistered(_)
            | Self::AlreadySent(_)
            | Self::AlreadyImported
            | Self::IdentifierTaken
            | Self::RecordNumberTaken => RefusalCode::AlreadyExists,
            Self::PatientUnknown(_)
            | Self::PractitionerUnknown(_)
            | Self::LocationUnknown(_)
            | Self::ZoneUnknown(_)
            | Self::PatientInactive(_)
            | Self::PatientDeceased(_)
            | Self::VisitAfterDeath(_)
            | Self::BeforeBirth(_)
            | Self::InThePast
            | Self::InTheFuture
            | Self::BeyondHorizon { .. }
            | Self::NoticeTooShort { .. }
            | Self::VisitTooLong { .. }
            | Self::PractitionerBusy
            | Self::PatientBusy
            | Self::RoomBusy
            | Self::LimitReached => RefusalCode::BookingRefused,
            Self::TooEarly { .. }
            | Self::DayPassed
            | Self::NotSameDay
            | Self::NoShowTooEarly { .. }
            | Self::TooLateToCancel { .. }
            | Self::ReasonRequired
            | Self::DeathInTheFuture
            | Self::DeathBeforeBirth
            | Self::NoParticipants
            | Self::TooManyParticipants { .. }
            | Self::PersonErased(_)
            | Self::OtherPatient(_) => RefusalCode::RuleBroken,
        }
    }
}
