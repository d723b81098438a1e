//! How a booking looks.

use chrono::{DateTime, NaiveDateTime, Utc};
use praxis_events::appointment::{AppointmentStatus, CancelledBy, Occupancy};
use praxis_events::personal::Personal;
use praxis_read_models::models::appointments::Cancellation;
use praxis_read_models::reads;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Shown;
use super::person::NameView;

/// A booking. Names stand in other records; one is absent while the read models lack its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppointmentView {
    /// Which booking.
    pub id: Uuid,
    /// The record's version, as in `ETag`.
    #[schema(example = 2)]
    pub version: u64,
    /// FHIR `AppointmentStatus`.
    #[schema(value_type = String, example = "booked")]
    pub status: AppointmentStatus,
    /// First instant, UTC.
    pub starts: DateTime<Utc>,
    /// The instant after the last, UTC.
    pub ends: DateTime<Utc>,
    /// IANA zone of the location.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// The wall-clock start in that zone that was meant.
    #[schema(value_type = String, example = "2026-03-30T09:30:00")]
    pub local_start: NaiveDateTime,
    /// Whose visit.
    pub patient_id: Uuid,
    /// The patient's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_name: Option<Shown<NameView>>,
    /// With whom.
    pub practitioner_id: Uuid,
    /// The practitioner's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner_name: Option<Shown<NameView>>,
    /// Where.
    pub location_id: Uuid,
    /// What the location is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "North Clinic")]
    pub location_name: Option<String>,
    /// The room, where one is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<Uuid>,
    /// `exclusive`, or `overbooked` by privilege.
    #[schema(value_type = String, example = "exclusive")]
    pub occupancy: Occupancy,
    /// Why the patient comes, in words; absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Shown<String>>)]
    pub reason: Option<Shown<Personal<String>>>,
    /// How it was cancelled; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<CancellationView>,
    /// When it was first booked.
    pub booked_at: DateTime<Utc>,
}

/// How a booking was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CancellationView {
    /// Why: `pat prov maint meds-inc other`, or a local code.
    #[schema(example = "pat")]
    pub reason_code: String,
    /// On whose side: `patient` or `practice`.
    #[schema(value_type = String, example = "patient")]
    pub by: CancelledBy,
    /// Why, in words; absent where nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Shown<String>>)]
    pub comment: Option<Shown<Personal<String>>>,
}

impl From<reads::AppointmentView> for AppointmentView {
    fn from(read: reads::AppointmentView) -> Self {
        let row = read.appointment;
        Self {
            id: row.id.0,
            version: row.place.version,
            status: row.status,
            starts: row.slot.starts,
            ends: row.slot.ends,
            zone: row.slot.zone,
            local_start: row.slot.local_start,
            patient_id: row.patient_id.0,
            patient_name: read.patient_name.map(Into::into),
            practitioner_id: row.practitioner_id.0,
            practitioner_name: read.practitioner_name.map(Into::into),
            location_id: row.location_id.0,
            location_name: read.location_name,
            room_id: row.room_id.map(Into::into),
            occupancy: row.occupancy,
            reason: row.reason.map(Into::into),
            cancellation: row.cancellation.map(Into::into),
            booked_at: row.booked_at,
        }
    }
}

impl From<Cancellation> for CancellationView {
    fn from(known: Cancellation) -> Self {
        Self {
            reason_code: known.reason_code,
            by: known.by,
            comment: known.comment.map(Into::into),
        }
    }
}
