//! `POST /appointments/{id}/mark-in-error`: states that an appointment was never meant.

use axum::extract::State;
use praxis_domain::appointment::mark_in_error::MarkAppointmentInError;
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

/// Why an appointment was never meant.
#[derive(Debug, ToSchema)]
#[schema(as = MarkAppointmentInError, example = json!({ "reason_code": "duplicate", "comment": "booked twice by mistake" }))]
pub struct MarkInErrorBody {
    /// Why, as a code of the practice.
    #[schema(value_type = Option<String>, max_length = 32, pattern = "^[a-z0-9-]+$")]
    pub reason_code: Option<ReasonCode>,
    /// Why, in words.
    #[schema(value_type = Option<String>, max_length = 500)]
    pub comment: Option<Comment>,
}

impl FromFields for MarkInErrorBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let reason_code = fields.optional("reason_code", value(ReasonCode::parse));
        let comment = fields.optional("comment", value(Comment::parse));
        Some(Self { reason_code, comment })
    }
}

/// Marks an appointment as entered in error
///
/// Final. Its time is free, its history stays.
#[utoipa::path(
    post,
    path = "/appointments/{id}/mark-in-error",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    request_body = MarkInErrorBody,
    responses((status = OK, description = "the appointment is marked", body = Written), CommandProblems),
)]
pub async fn mark_appointment_in_error(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Received { value, call }: Received<MarkInErrorBody>,
) -> Result<Answer, Problem> {
    let command = MarkAppointmentInError {
        appointment_id,
        reason_code: value.reason_code,
        comment: value.comment,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
