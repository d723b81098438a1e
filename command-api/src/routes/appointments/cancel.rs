//! `POST /appointments/{id}/cancel`: gives a booking's time back.

use axum::extract::State;
use praxis_domain::appointment::cancel::CancelAppointment;
use praxis_domain::values::reason_code::ReasonCode;
use praxis_domain::words::Comment;
use praxis_events::ids::AppointmentId;
use praxis_http_kit::fields::{Fields, FromFields};
use praxis_http_kit::params::PathId;
use praxis_http_kit::problem::Problem;
use utoipa::ToSchema;

use crate::answer::{Answer, Written};
use crate::app::App;
use crate::received::Received;
use crate::routes::described::{CommandHeaders, CommandProblems};
use crate::routes::reading::value;

/// Why a booking is cancelled.
#[derive(Debug, ToSchema)]
#[schema(as = CancelAppointment, example = json!({ "reason_code": "prov", "comment": "the practitioner is ill" }))]
pub struct CancelAppointmentBody {
    /// `pat`, `prov`, `maint`, `meds-inc`, `other` (FHIR), or a code of the practice. The practice must give one; a
    /// patient's own cancellation is always `pat`.
    #[schema(value_type = Option<String>, max_length = 32, pattern = "^[a-z0-9-]+$")]
    pub reason_code: Option<ReasonCode>,
    /// Why, in words.
    #[schema(value_type = Option<String>, max_length = 500)]
    pub comment: Option<Comment>,
}

impl FromFields for CancelAppointmentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let reason_code = fields.optional("reason_code", value(ReasonCode::parse));
        let comment = fields.optional("comment", value(Comment::parse));
        Some(Self { reason_code, comment })
    }
}

/// Cancels a booking
///
/// Its time is free at once. Patients cancel well ahead; the practice at any time, saying why.
#[utoipa::path(
    post,
    path = "/appointments/{id}/cancel",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    request_body = CancelAppointmentBody,
    responses((status = OK, description = "the visit is cancelled", body = Written), CommandProblems),
)]
pub async fn cancel_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Received { value, call }: Received<CancelAppointmentBody>,
) -> Result<Answer, Problem> {
    let command = CancelAppointment {
        appointment_id,
        reason_code: value.reason_code,
        comment: value.comment,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
