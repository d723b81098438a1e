//! `POST /appointments`: books a visit.

use axum::extract::State;
use praxis_domain::appointment::book::BookAppointment;
use praxis_domain::appointment::placement::Placement;
use praxis_domain::values::reason_code::ReasonCode;
use praxis_domain::words::VisitReason;
use praxis_events::ids::{AppointmentId, PatientId};
use praxis_http_kit::fields::{Fields, FromFields, values};
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::appointments::placing::placement;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::value;

/// A visit to book, as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = BookAppointment, example = json!({
    "patient_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01",
    "practitioner_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c02",
    "location_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c03",
    "room_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c04",
    "starts": "2026-11-30T09:00:00+01:00",
    "ends": "2026-11-30T09:20:00+01:00",
    "reason": "cough for two weeks",
    "overbooking_reason_code": "urgent"
}))]
pub struct WrittenBooking {
    /// Whose visit.
    pub patient_id: Uuid,
    /// With whom.
    pub practitioner_id: Uuid,
    /// Where.
    pub location_id: Uuid,
    /// In which room, where one is needed.
    pub room_id: Option<Uuid>,
    /// From when (RFC 3339 with an offset).
    #[schema(format = DateTime)]
    pub starts: String,
    /// Until when; this instant is no longer part of it.
    #[schema(format = DateTime)]
    pub ends: String,
    /// Why the patient comes.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// Takes the practitioner's time although it is taken, for this reason; by the front desk and administrators only.
    #[schema(max_length = 32, pattern = "^[a-z0-9-]+$")]
    pub overbooking_reason_code: Option<String>,
}

/// A visit to book; described as [`WrittenBooking`].
#[derive(Debug)]
pub struct BookAppointmentBody {
    patient_id: PatientId,
    placement: Placement,
    reason: Option<VisitReason>,
    overbooking: Option<ReasonCode>,
}

impl FromFields for BookAppointmentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let patient_id = fields.required("patient_id", values::id);
        let placement = placement(fields);
        let reason = fields.optional("reason", value(VisitReason::parse));
        let overbooking = fields.optional("overbooking_reason_code", value(ReasonCode::parse));
        Some(Self {
            patient_id: patient_id?,
            placement: placement?,
            reason,
            overbooking,
        })
    }
}

/// Books a visit
///
/// A refusal lists all its reasons: what is taken, who cannot be booked, which rules of the calendar are broken. Patients
/// book for themselves.
#[utoipa::path(
    post,
    path = "/appointments",
    tag = "appointments",
    params(CommandHeaders),
    request_body = WrittenBooking,
    responses((status = CREATED, description = "the visit is booked", body = Written), CommandProblems),
)]
pub async fn book_appointment(
    State(app): State<App>,
    Received { value, call }: Received<BookAppointmentBody>,
) -> Result<Answer, Problem> {
    let command = BookAppointment {
        appointment_id: AppointmentId(app.executor.new_id()),
        patient_id: value.patient_id,
        placement: value.placement,
        reason: value.reason,
        overbooking: value.overbooking,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
