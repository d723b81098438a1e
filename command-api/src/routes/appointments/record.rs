//! `POST /appointments/record`: records a visit that took place.

use axum::extract::State;
use praxis_domain::appointment::placement::Placement;
use praxis_domain::appointment::record::RecordAppointment;
use praxis_domain::values::identifier::Identifier;
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
use crate::routes::reading::{WrittenIdentifier, identifier, value};

/// A visit that took place, as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = RecordAppointment, example = json!({
    "patient_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c01",
    "practitioner_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c02",
    "location_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c03",
    "room_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c04",
    "starts": "2019-05-02T14:00:00+02:00",
    "ends": "2019-05-02T14:25:00+02:00",
    "reason": "yearly check",
    "source": { "system": "https://old.example/visits", "value": "88012" }
}))]
pub struct WrittenVisit {
    /// Whose visit.
    pub patient_id: Uuid,
    /// With whom.
    pub practitioner_id: Uuid,
    /// Where.
    pub location_id: Uuid,
    /// In which room, where that is known.
    pub room_id: Option<Uuid>,
    /// From when (RFC 3339 with an offset); not in the future.
    #[schema(format = DateTime)]
    pub starts: String,
    /// Until when; this instant is no longer part of it.
    #[schema(format = DateTime)]
    pub ends: String,
    /// Why the patient came.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// The id in the system the visit is imported from; imported once.
    pub source: Option<WrittenIdentifier>,
}

/// A visit that took place; described as [`WrittenVisit`].
#[derive(Debug)]
pub struct RecordAppointmentBody {
    patient_id: PatientId,
    placement: Placement,
    reason: Option<VisitReason>,
    source: Option<Identifier>,
}

impl FromFields for RecordAppointmentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let patient_id = fields.required("patient_id", values::id);
        let placement = placement(fields);
        let reason = fields.optional("reason", value(VisitReason::parse));
        let source = fields.optional_object("source", identifier);
        Some(Self {
            patient_id: patient_id?,
            placement: placement?,
            reason,
            source,
        })
    }
}

/// Records a visit that took place
///
/// For a day kept on paper and for imports: booked and fulfilled at once, at its real time. The rules of booking ahead
/// are waived; that nobody is in two places at once, and that the patient was alive, are not.
#[utoipa::path(
    post,
    path = "/appointments/record",
    tag = "appointments",
    params(CommandHeaders),
    request_body = WrittenVisit,
    responses((status = CREATED, description = "the visit is recorded", body = Written), CommandProblems),
)]
pub async fn record_appointment(
    State(app): State<App>,
    Received { value, call }: Received<RecordAppointmentBody>,
) -> Result<Answer, Problem> {
    let command = RecordAppointment {
        appointment_id: AppointmentId(app.executor.new_id()),
        patient_id: value.patient_id,
        placement: value.placement,
        reason: value.reason,
        source: value.source,
    };
    Ok(Answer::created(app.executor.execute(&command, &call).await?))
}
