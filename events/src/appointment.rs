//! What happens to a booking.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::catalogue::event_types;
use crate::ids::{LocationId, PatientId, PractitionerId, RoomId};
use crate::patient::Identifier;
use crate::personal::Personal;
use crate::sealed::Sealed;

event_types! {
    /// An event of an appointment's stream.
    AppointmentEvent {
        /// The time was taken.
        Booked(AppointmentBooked) = "appointment.booked" v 1 sealed ["reason", "source"];
        /// The time was given back and another taken.
        Rescheduled(AppointmentRescheduled) = "appointment.rescheduled" v 1 sealed ["comment"];
        /// It will not take place; the time is free.
        Cancelled(AppointmentCancelled) = "appointment.cancelled" v 1 sealed ["comment"];
        /// The patient is in the house.
        Arrived(AppointmentArrived) = "appointment.arrived" v 1 sealed [];
        /// The patient is checked in.
        CheckedIn(AppointmentCheckedIn) = "appointment.checked-in" v 1 sealed [];
        /// The visit took place.
        Fulfilled(AppointmentFulfilled) = "appointment.fulfilled" v 1 sealed [];
        /// The patient did not come; the time is free.
        NoShow(AppointmentNoShow) = "appointment.no-show" v 1 sealed [];
        /// The last step was taken back.
        Undone(AppointmentUndone) = "appointment.undone" v 1 sealed ["comment"];
        /// It was never meant; the time is free.
        MarkedInError(AppointmentMarkedInError) = "appointment.marked-in-error" v 1 sealed ["comment"];
    }
}

/// When a booking is: a half-open interval in UTC, and the wall clock that was meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// First instant.
    pub starts: DateTime<Utc>,
    /// The instant after the last.
    pub ends: DateTime<Utc>,
    /// IANA zone of the location.
    pub zone: String,
    /// The wall-clock start in that zone that was meant.
    pub local_start: NaiveDateTime,
}

/// Whether a booking holds its practitioner's time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occupancy {
    /// The ordinary booking: nobody else in that time.
    Exclusive,
    /// Overbooked by privilege: the practitioner's time was not checked.
    Overbooked,
}

/// A time was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentBooked {
    /// Whose visit.
    pub patient_id: PatientId,
    /// With whom.
    pub practitioner_id: PractitionerId,
    /// Where.
    pub location_id: LocationId,
    /// The room, where one is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// When.
    pub slot: Slot,
    /// Whether overbooked.
    pub occupancy: Occupancy,
    /// Why the patient comes, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<Personal<String>>>,
    /// The id in the system the visit was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Sealed<Identifier>>,
}

/// The time was given back and another taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentRescheduled {
    /// With whom, now.
    pub practitioner_id: PractitionerId,
    /// Where, now.
    pub location_id: LocationId,
    /// The room, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<RoomId>,
    /// When, now.
    pub slot: Slot,
    /// Whether overbooked, now.
    pub occupancy: Occupancy,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Sealed<Personal<String>>>,
}

/// It will not take place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentCancelled {
    /// Why: `pat prov maint meds-inc other`, or a local code.
    pub reason_code: String,
    /// On whose side.
    pub by: CancelledBy,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Sealed<Personal<String>>>,
}

/// On whose side a cancellation was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelledBy {
    /// The patient.
    Patient,
    /// The practice.
    Practice,
}

/// The patient is in the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentArrived {}

/// The patient is checked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentCheckedIn {}

/// The visit took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentFulfilled {}

/// The patient did not come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentNoShow {}

/// The last step was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentUndone {
    /// The status it has again.
    pub back_to: AppointmentStatus,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Sealed<Personal<String>>>,
}

/// It was never meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentMarkedInError {
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Sealed<Personal<String>>>,
}

/// Where a booking stands, by the codes of FHIR R4 `AppointmentStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppointmentStatus {
    /// Held, not yet booked.
    Pending,
    /// Booked.
    Booked,
    /// The patient is in the house.
    Arrived,
    /// The patient is checked in.
    CheckedIn,
    /// The visit took place.
    Fulfilled,
    /// It will not take place.
    Cancelled,
    /// The patient did not come.
    #[serde(rename = "noshow")]
    NoShow,
    /// It was never meant.
    EnteredInError,
}

impl AppointmentStatus {
    /// The FHIR code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::CheckedIn => "checked-in",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::NoShow => "noshow",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// Whether a booking in this status occupies its time.
    pub const fn occupies(self) -> bool {
        match self {
            Self::Pending | Self::Booked | Self::Arrived | Self::CheckedIn | Self::Fulfilled => true,
            Self::Cancelled | Self::NoShow | Self::EnteredInError => false,
        }
    }
}
