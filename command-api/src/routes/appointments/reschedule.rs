//! `POST /appointments/{id}/reschedule`: gives a booking's time back and takes another.

use axum::extract::State;
use praxis_domain::appointment::placement::Placement;
use praxis_domain::appointment::reschedule::RescheduleAppointment;
use praxis_domain::values::reason_code::ReasonCode;
use praxis_domain::words::Comment;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::appointments::placing::placement;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::value;

/// With whom, where and when from now on, as callers write it.
#[derive(Debug, ToSchema)]
#[schema(as = RescheduleAppointment, example = json!({
    "practitioner_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c02",
    "location_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c03",
    "room_id": "01997a3c-5b10-7c3e-9d5e-0f6a3a4b5c04",
    "starts": "2026-12-01T11:00:00+01:00",
    "ends": "2026-12-01T11:20:00+01:00",
    "comment": "asked for a later day",
    "overbooking_reason_code": "urgent"
}))]
pub struct WrittenMove {
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
    /// Why it is moved.
    #[schema(max_length = 500)]
    pub comment: Option<String>,
    /// Takes the practitioner's time although it is taken, for this reason; by the front desk and administrators only.
    #[schema(max_length = 32, pattern = "^[a-z0-9-]+$")]
    pub overbooking_reason_code: Option<String>,
}

/// With whom, where and when from now on; described as [`WrittenMove`].
#[derive(Debug)]
pub struct RescheduleAppointmentBody {
    placement: Placement,
    comment: Option<Comment>,
    overbooking: Option<ReasonCode>,
}

impl FromFields for RescheduleAppointmentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let placement = placement(fields);
        let comment = fields.optional("comment", value(Comment::parse));
        let overbooking = fields.optional("overbooking_reason_code", value(ReasonCode::parse));
        Some(Self {
            placement: placement?,
            comment,
            overbooking,
        })
    }
}

/// Moves a booking
///
/// Its own old time does not stand in its way. It keeps its id, its reason and its history. Patients move a booking as far
/// ahead of its start as they cancel one.
#[utoipa::path(
    post,
    path = "/appointments/{id}/reschedule",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    request_body = WrittenMove,
    responses((status = OK, description = "the visit is moved", body = Written), CommandProblems),
)]
pub async fn reschedule_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Received { value, call }: Received<RescheduleAppointmentBody>,
) -> Result<Answer, Problem> {
    let command = RescheduleAppointment {
        appointment_id,
        placement: value.placement,
        overbooking: value.overbooking,
        comment: value.comment,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
