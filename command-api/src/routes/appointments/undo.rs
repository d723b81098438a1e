//! `POST /appointments/{id}/undo`: takes an appointment's last step back.

use axum::extract::State;
use praxis_domain::appointment::undo::UndoAppointment;
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

/// Why a step is taken back.
#[derive(Debug, ToSchema)]
#[schema(as = UndoAppointment, example = json!({ "reason_code": "mistake", "comment": "checked in the wrong patient" }))]
pub struct UndoAppointmentBody {
    /// Why, as a code of the practice.
    #[schema(value_type = String, max_length = 32, pattern = "^[a-z0-9-]+$")]
    pub reason_code: ReasonCode,
    /// Why, in words.
    #[schema(value_type = Option<String>, max_length = 500)]
    pub comment: Option<Comment>,
}

impl FromFields for UndoAppointmentBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let reason_code = fields.required("reason_code", value(ReasonCode::parse));
        let comment = fields.optional("comment", value(Comment::parse));
        Some(Self {
            reason_code: reason_code?,
            comment,
        })
    }
}

/// Takes the last step back
///
/// What is fulfilled or cancelled an administrator takes back, on the day of the appointment or on the one it was fulfilled
/// or cancelled on. A time that must be taken again may be taken meanwhile, and its patient may be inactive by then.
#[utoipa::path(
    post,
    path = "/appointments/{id}/undo",
    tag = "appointments",
    params(("id" = Uuid, Path, description = "the appointment"), CommandHeaders),
    request_body = UndoAppointmentBody,
    responses((status = OK, description = "the step is taken back", body = Written), CommandProblems),
)]
pub async fn undo_appointment(
    State(app): State<App>,
    PathId(appointment_id): PathId<AppointmentId>,
    Received { value, call }: Received<UndoAppointmentBody>,
) -> Result<Answer, Problem> {
    let command = UndoAppointment {
        appointment_id,
        reason_code: value.reason_code,
        comment: value.comment,
    };
    Ok(Answer::ok(app.executor.execute(&command, &call).await?))
}
